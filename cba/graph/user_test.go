package graph_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/graph"
	"example.com/entracba/cba/graph/graphtest"
	"example.com/entracba/cba/snapshot"
)

const selectUser = "$select=id%2CuserPrincipalName%2CdisplayName%2ConPremisesUserPrincipalName%2ConPremisesSyncEnabled%2CaccountEnabled%2CuserType%2CauthorizationInfo"

func TestUsers(t *testing.T) {
	in := graphtest.Tenant{}
	for i := range 2500 {
		in.Users = append(in.Users, graphtest.User{ID: fmt.Sprintf("id-%04d", i), UserPrincipalName: fmt.Sprintf("u%04d@contoso.com", i),
			CertificateUserIDs: []string{fmt.Sprintf("X509:<PN>u%04d@contoso.com", i)}})
	}
	f := newTenant(t, in, graphtest.Options{})
	users := collect(t, f.Users(t.Context()))
	if len(users) != 2500 || users[2499].AuthorizationInfo.CertificateUserIDs[0] != "X509:<PN>u2499@contoso.com" {
		t.Fatalf("%d users", len(users))
	}
	all := f.asked()
	if len(all) != 3 || all[0].URL != f.URL+"/v1.0/users?"+selectUser+"&$top=999" {
		t.Fatalf("%d requests, the first %s", len(all), all[0].URL)
	}
	for _, r := range all {
		if r.Header.Get("ConsistencyLevel") != "eventual" {
			t.Errorf("%s without ConsistencyLevel", r.URL)
		}
	}
	// Whoever leaves the loop asks for no more pages.
	for range f.Users(t.Context()) {
		break
	}
	if n := len(f.asked()); n != 1 {
		t.Errorf("%d requests for one user", n)
	}
}

func TestUser(t *testing.T) {
	f := newTenant(t, people(), graphtest.Options{})
	u, err := f.User(t.Context(), "jane@yourdomain.com")
	if err != nil || u.ID != "id-jane" || u.DisplayName != "Jane" || u.Synced || len(u.AuthorizationInfo.CertificateUserIDs) != 2 {
		t.Fatal(u, err)
	}
	if u, err = f.User(t.Context(), "id-alex"); err != nil || !u.Synced {
		t.Fatal(u, err)
	}
	if _, err = f.User(t.Context(), "guest_fabrikam.com#EXT#@contoso.com"); !errors.Is(err, graph.NotFound) {
		t.Fatal(err)
	}
	all := f.asked()
	want := f.URL + "/v1.0/users/guest_fabrikam.com%23EXT%23@contoso.com?" + selectUser
	if all[2].URL != want {
		t.Errorf("%s, want %s", all[2].URL, want)
	}
}

func TestHolders(t *testing.T) {
	const odd = "X509:<S>O=Jane's, \"Inc\" & Co+Söhne#1/2?,CN=a b%41"
	in := people()
	in.Users[1].CertificateUserIDs = []string{odd}
	f := newTenant(t, in, graphtest.Options{})
	got, err := f.Holders(t.Context(), odd)
	if err != nil || len(got) != 1 || got[0].ID != "id-john" {
		t.Fatal(got, err)
	}
	r := f.asked()[0]
	u, err := url.Parse(r.URL)
	if err != nil {
		t.Fatal(err)
	}
	want := "authorizationInfo/certificateUserIds/any(x:x eq '" + strings.ReplaceAll(odd, "'", "''") + "')"
	if u.Path != "/v1.0/users" || u.Query().Get("$filter") != want || u.Query().Get("$count") != "true" || r.Header.Get("ConsistencyLevel") != "eventual" {
		t.Errorf("%s", r.URL)
	}
	if got, err := f.Holders(t.Context(), "X509:<PN>nobody@contoso.com"); err != nil || len(got) != 0 {
		t.Fatal(got, err)
	}
}

func TestGroups(t *testing.T) {
	in := people()
	in.Groups = []graphtest.Group{{ID: "g1", Members: []string{"id-jane"}}, {ID: "g2", Members: []string{"g1"}}}
	f := newTenant(t, in, graphtest.Options{PageSize: 1})
	got, err := f.Groups(t.Context(), "id-jane")
	if err != nil || len(got) != 2 {
		t.Fatal(got, err)
	}
}

func TestEditUser(t *testing.T) {
	f := newTenant(t, people(), graphtest.Options{Lag: graphtest.Delay{Reads: 3}})
	p, err := f.EditUser(t.Context(), snapshot.Edit{User: "jane@yourdomain.com", Add: []string{"X509:<SKI>aabb"}, Remove: []string{"123456789098765@mil"}}, graph.EditOptions{})
	if err != nil || p.Outcome != graph.Written || p.Merged {
		t.Fatal(p, err)
	}
	if diff := cmp.Diff([]string{"X509:<PN>jane@yourdomain.com", "X509:<SKI>aabb"}, f.ids("jane@yourdomain.com")); diff != "" {
		t.Error(diff)
	}
	batches := f.Requests()
	all := f.asked()
	i := slices.IndexFunc(all, func(r graphtest.Request) bool { return r.Method == http.MethodPatch })
	want := `{"authorizationInfo":{"certificateUserIds":["X509:<PN>jane@yourdomain.com","X509:<SKI>aabb"]}}`
	if i < 0 || all[i].URL != f.URL+"/v1.0/users/id-jane" || string(all[i].Body) != want || all[i].Status != 204 {
		t.Errorf("%+v", all)
	}
	if !slices.ContainsFunc(batches, func(r graphtest.Request) bool { return strings.Contains(string(r.Body), `"dependsOn":["1"]`) }) {
		t.Error("the PATCH does not depend on the reading before it")
	}
	// It is read just before and after.
	for _, r := range []graphtest.Request{all[i-1], all[i+1]} {
		if r.Method != "GET" || r.URL != f.URL+"/v1.0/users/id-jane?"+selectUser || r.Header.Get("ConsistencyLevel") != "eventual" {
			t.Errorf("around the PATCH: %+v", r)
		}
	}
	// Again: nothing is written.
	if p, err = f.EditUser(t.Context(), p.Edit, graph.EditOptions{}); err != nil || p.Outcome != graph.Unchanged || f.writes() != 0 {
		t.Fatal(p, err)
	}
	// The last value can go, too.
	p, err = f.EditUser(t.Context(), snapshot.Edit{User: "id-jane", Remove: []string{"X509:<PN>jane@yourdomain.com", "X509:<SKI>aabb"}}, graph.EditOptions{})
	if err != nil || len(f.ids("jane@yourdomain.com")) != 0 {
		t.Fatal(p, err)
	}
}

// A write whose answer is lost is looked at before anything is written again.
func TestEditWritesOnce(t *testing.T) {
	for _, fault := range []graphtest.Fault{
		{Kind: graphtest.Unavailable, Method: "PATCH", Applied: true}, {Kind: graphtest.Gateway, Method: "PATCH", Applied: true},
		{Kind: graphtest.Reset, Path: "/$batch", Skip: 1, Applied: true}, {Kind: graphtest.Unavailable, Path: "/$batch", Skip: 1, Applied: true},
		{Kind: graphtest.Cut, Path: "/$batch", Skip: 1}, {Kind: graphtest.Half, Path: "/$batch", Skip: 1}, {Kind: graphtest.Bomb, Path: "/$batch", Skip: 1, Applied: true},
	} {
		f := newTenant(t, people(), graphtest.Options{})
		f.inject(fault)
		p, err := f.EditUser(t.Context(), snapshot.Edit{User: "id-jane", Add: []string{"a"}}, graph.EditOptions{})
		patches := 0
		for _, r := range f.asked() {
			if r.Method == http.MethodPatch {
				patches++
			}
		}
		if err != nil || p.Outcome != graph.Written || p.Merged || patches != 1 {
			t.Errorf("%v: %v, %d writes", fault.Kind, p, patches)
		}
	}
}

func TestEditReplace(t *testing.T) {
	f := newTenant(t, people(), graphtest.Options{})
	id, err := certuserid.Parse("X509:<PN>jane.doe@yourdomain.com")
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.EditUser(t.Context(), snapshot.Edit{User: "id-jane", Replace: []snapshot.Replacement{{Mapping: certuserid.PrincipalName, IDs: []certuserid.ID{id}}}}, graph.EditOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"X509:<PN>jane.doe@yourdomain.com", "123456789098765@mil"}, f.ids("jane@yourdomain.com")); diff != "" {
		t.Error(diff)
	}
}

func TestEditRefused(t *testing.T) {
	f := newTenant(t, people(), graphtest.Options{})
	many := make([]string, 9)
	for i := range many {
		many[i] = fmt.Sprintf("v%d", i)
	}
	cases := []struct {
		name    string
		edit    snapshot.Edit
		outcome graph.Outcome
		check   func(error) bool
	}{
		{"somebody has it", snapshot.Edit{User: "id-john", Add: []string{"X509:<PN>alex@yourdomain.com"}}, graph.Failed, func(err error) bool {
			var h *graph.Error
			return errors.As(err, &h) && h.Owner == "alex@yourdomain.com" && h.Value == "X509:<PN>alex@yourdomain.com" && errors.Is(err, graph.Conflict)
		}},
		{"too many", snapshot.Edit{User: "id-jane", Add: many}, graph.Failed, isSet(certuserid.Full)},
		{"too long", snapshot.Edit{User: "id-jane", Add: []string{strings.Repeat("a", 1025)}}, graph.Failed, isSet(certuserid.TooLong)},
		{"empty", snapshot.Edit{User: "id-jane", Add: []string{""}}, graph.Failed, isSet(certuserid.Empty)},
		{"no user", snapshot.Edit{User: "nobody@yourdomain.com", Add: []string{"a"}}, graph.Failed, func(err error) bool { return errors.Is(err, graph.NotFound) }},
		{"no name", snapshot.Edit{Add: []string{"a"}}, graph.Failed, func(err error) bool { return err != nil }},
		{"synced", snapshot.Edit{User: "id-alex", Add: []string{"a"}}, graph.Skipped, func(err error) bool { return err == nil }},
		{"nothing to do", snapshot.Edit{User: "id-jane", Remove: []string{"absent"}}, graph.Unchanged, func(err error) bool { return err == nil }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p, err := f.EditUser(t.Context(), c.edit, graph.EditOptions{})
			if p.Outcome != c.outcome || !c.check(err) {
				t.Errorf("%v, %v", p, err)
			}
			if f.writes() != 0 {
				t.Error("it was written")
			}
			if p.Outcome == graph.Skipped && !strings.Contains(p.String(), "Entra Connect") {
				t.Errorf("no reason: %s", p)
			}
		})
	}
}

func isSet(r certuserid.Reason) func(error) bool {
	return func(err error) bool {
		var e *certuserid.Error
		return errors.As(err, &e) && e.Reason == r
	}
}

// crowd is many users with a value each.
func crowd(n int) (graphtest.Tenant, []snapshot.Edit) {
	var in graphtest.Tenant
	var edits []snapshot.Edit
	for i := range n {
		name := fmt.Sprintf("u%05d@contoso.com", i)
		in.Users = append(in.Users, graphtest.User{ID: fmt.Sprintf("id-%05d", i), UserPrincipalName: name, CertificateUserIDs: []string{"X509:<PN>" + name}})
		edits = append(edits, snapshot.Edit{User: name, Add: []string{fmt.Sprintf("X509:<SKI>%040x", i)}})
	}
	return in, edits
}

func TestBulk(t *testing.T) {
	in, edits := crowd(300)
	in.Users[7].Synced = true
	edits[11].User = "nobody@contoso.com"
	edits[13].Add = []string{"X509:<PN>u00014@contoso.com"} // the next user's
	f := newTenant(t, in, graphtest.Options{Lag: graphtest.Delay{Reads: 1}})
	// Weather for the parts: some are throttled, each with its own wait.
	f.inject(graphtest.Fault{Kind: graphtest.Forbidden, Method: "PATCH", Path: "/users/id-00020"}, // first: a request meets one fault
		graphtest.Fault{Kind: graphtest.Throttled, Method: "PATCH", Path: "/users/*", Skip: 5, Times: 4, RetryAfter: 7 * time.Second},
		graphtest.Fault{Kind: graphtest.Unavailable, Method: "PATCH", Path: "/users/*", Skip: 20, Times: 3, RetryAfter: 9 * time.Second},
		graphtest.Fault{Kind: graphtest.Unavailable, Method: "PATCH", Path: "/users/*", Skip: 30, Times: 2, Applied: true},
		graphtest.Fault{Kind: graphtest.Throttled, Method: "GET", Path: "/users/*", Skip: 40, Times: 3, RetryAfter: 11 * time.Second})
	var undo bytes.Buffer
	plans := f.PlanUsers(t.Context(), snapshot.Edits(edits...))
	done := collect(t, f.ApplyUsers(t.Context(), plans, graph.EditOptions{Undo: &undo}))
	if len(done) != len(edits) {
		t.Fatalf("%d results for %d edits", len(done), len(edits))
	}
	for i, p := range done {
		if p.Edit.User != edits[i].User {
			t.Fatalf("result %d is of %s", i, p.Edit.User)
		}
		want := graph.Written
		switch i {
		case 7:
			want = graph.Skipped
		case 11, 13, 20:
			want = graph.Failed
		}
		if p.Outcome != want {
			t.Errorf("%v", p)
		}
		if p.Merged {
			t.Errorf("merged with nobody: %v", p)
		}
	}
	if !errors.Is(done[20].Err, graph.Forbidden) || !strings.Contains(done[20].Err.Error(), "ReadWrite") {
		t.Errorf("%v", done[20].Err)
	}
	for _, d := range []time.Duration{7 * time.Second, 9 * time.Second, 11 * time.Second} {
		if !slices.Contains(f.waited, d) {
			t.Errorf("Retry-After of %v was not honoured: %v", d, f.waited)
		}
	}
	for i, u := range f.Server.Tenant().Users {
		n := 2
		switch i {
		case 7, 11, 13, 20:
			n = 1
		}
		if len(u.CertificateUserIDs) != n || u.CertificateUserIDs[0] != "X509:<PN>"+u.UserPrincipalName {
			t.Errorf("%s has %q", u.UserPrincipalName, u.CertificateUserIDs)
		}
	}
	for _, r := range f.Requests() {
		if len(r.Parts) > 20 {
			t.Errorf("a batch of %d", len(r.Parts))
		}
	}
	// A second run writes what failed for a reason that is gone, and nothing else.
	f.ForgetRequests()
	done = collect(t, f.ApplyUsers(t.Context(), f.PlanUsers(t.Context(), snapshot.Edits(edits...)), graph.EditOptions{}))
	if got := f.writes(); done[20].Outcome != graph.Written || countOutcome(done, graph.Unchanged) != len(edits)-4 {
		t.Errorf("second run: %v, %d requests", done[20], got)
	}
	// Undo takes everything back, byte for byte.
	if p, err := f.EditUser(t.Context(), snapshot.Edit{User: "id-00020", Remove: edits[20].Add}, graph.EditOptions{}); err != nil {
		t.Fatal(p, err)
	}
	done = collect(t, f.ApplyUsers(t.Context(), f.PlanUsers(t.Context(), snapshot.ReadUndo(&undo)), graph.EditOptions{}))
	if got := countOutcome(done, graph.Written); got != len(edits)-4 {
		t.Errorf("%d undone", got)
	}
	for i, u := range f.Server.Tenant().Users {
		if diff := cmp.Diff(in.Users[i].CertificateUserIDs, u.CertificateUserIDs); diff != "" {
			t.Errorf("%s: %s", u.UserPrincipalName, diff)
		}
	}
}

func countOutcome(plans []graph.UserPlan, o graph.Outcome) int {
	n := 0
	for _, p := range plans {
		if p.Outcome == o {
			n++
		}
	}
	return n
}

// Two programs add different values to one user: neither loses the other's.
func TestTwoPrograms(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves out what takes long")
	}
	t.Parallel()
	for round := range 10 {
		f := newTenant(t, people(), graphtest.Options{})
		other := newClient(t, f.Server)
		for _, c := range []*graph.Client{f.Client, other} {
			graph.SetSleep(c, func(ctx context.Context, d time.Duration) error {
				time.Sleep(min(d, 100*time.Millisecond))
				return ctx.Err()
			})
		}
		var plans [2]graph.UserPlan
		var errs [2]error
		var wg sync.WaitGroup
		for i, c := range []*graph.Client{f.Client, other} {
			wg.Go(func() {
				plans[i], errs[i] = c.EditUser(t.Context(), snapshot.Edit{User: "id-john", Add: []string{fmt.Sprintf("value %d", i)}}, graph.EditOptions{})
			})
		}
		wg.Wait()
		ids := f.ids("john@yourdomain.com")
		for i := range plans {
			has := slices.Contains(ids, fmt.Sprintf("value %d", i))
			if !has && errs[i] == nil {
				t.Errorf("round %d: program %d lost its value and was not told: %q, %v", round, i, ids, plans[i])
			}
		}
	}
}

// The same, where the second program comes between the reading and the writing of
// the first, for sure.
func TestOvertaken(t *testing.T) {
	t.Parallel()
	f := newTenant(t, people(), graphtest.Options{})
	other := newClient(t, f.Server)
	plans := collect(t, f.PlanUsers(t.Context(), snapshot.Edits(snapshot.Edit{User: "id-jane", Add: []string{"mine"}, Remove: []string{"123456789098765@mil"}})))
	if _, err := other.EditUser(t.Context(), snapshot.Edit{User: "id-jane", Add: []string{"theirs"}}, graph.EditOptions{}); err != nil {
		t.Fatal(err)
	}
	done := collect(t, f.ApplyUsers(t.Context(), func(yield func(graph.UserPlan, error) bool) { yield(plans[0], nil) }, graph.EditOptions{}))
	if done[0].Outcome != graph.Written || !done[0].Merged {
		t.Error(done[0])
	}
	if diff := cmp.Diff([]string{"X509:<PN>jane@yourdomain.com", "theirs", "mine"}, f.ids("jane@yourdomain.com")); diff != "" {
		t.Error(diff)
	}
	// Undo takes back what was ours, and leaves what is theirs.
	u := done[0].Undo()
	p, err := f.EditUser(t.Context(), u.Edit(), graph.EditOptions{})
	if err != nil {
		t.Fatal(p, err)
	}
	if diff := cmp.Diff([]string{"X509:<PN>jane@yourdomain.com", "123456789098765@mil", "theirs"}, f.ids("jane@yourdomain.com")); diff != "" {
		t.Error(diff)
	}
}

// A run that is ended goes on where it stopped.
func TestInterrupted(t *testing.T) {
	in, edits := crowd(600)
	f := newTenant(t, in, graphtest.Options{})
	f.Concurrency = 2
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	var last error
	for p, err := range f.ApplyUsers(ctx, f.PlanUsers(ctx, snapshot.Edits(edits...)), graph.EditOptions{}) {
		if last = err; err != nil {
			break
		}
		if n++; n == 10 {
			cancel()
		}
		_ = p
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("%v after %d", last, n)
	}
	f.asked()
	done := collect(t, f.ApplyUsers(t.Context(), f.PlanUsers(t.Context(), snapshot.Edits(edits...)), graph.EditOptions{}))
	if countOutcome(done, graph.Unchanged) < 10 || countOutcome(done, graph.Unchanged)+countOutcome(done, graph.Written) != 600 {
		t.Errorf("%d unchanged", countOutcome(done, graph.Unchanged))
	}
}

// A writer that fails keeps its users from being written.
func TestUndoFails(t *testing.T) {
	f := newTenant(t, people(), graphtest.Options{})
	plans := f.PlanUsers(t.Context(), snapshot.Edits(snapshot.Edit{User: "id-john", Add: []string{"a"}}))
	done := collect(t, f.ApplyUsers(t.Context(), plans, graph.EditOptions{Undo: full{}}))
	if done[0].Outcome != graph.Failed || f.writes() != 0 {
		t.Error(done[0])
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }

// Once the values of another program are put back, a later failure does not call them
// lost.
func TestNotLost(t *testing.T) {
	f := newTenant(t, people(), graphtest.Options{})
	other := newClient(t, f.Server)
	edit := func(value string) {
		if _, err := other.EditUser(t.Context(), snapshot.Edit{User: "id-jane", Add: []string{value}}, graph.EditOptions{Settle: -1}); err != nil {
			t.Error(err)
		}
	}
	plans := collect(t, f.PlanUsers(t.Context(), snapshot.Edits(snapshot.Edit{User: "id-jane", Add: []string{"mine"}})))
	edit("theirs 1") // replaced by the first write, put back by the second
	waits := 0
	graph.SetSleep(f.Client, func(ctx context.Context, _ time.Duration) error {
		if waits++; waits == 2 { // before the second reading back
			if err := f.Load(graphtest.Tenant{Users: []graphtest.User{{ID: "id-jane", UserPrincipalName: "jane@yourdomain.com", CertificateUserIDs: []string{"theirs 2"}}}}); err != nil {
				t.Error(err)
			}
			f.inject(graphtest.Fault{Kind: graphtest.Forbidden, Method: "PATCH"})
		}
		return ctx.Err()
	})
	done := collect(t, f.ApplyUsers(t.Context(), func(yield func(graph.UserPlan, error) bool) { yield(plans[0], nil) }, graph.EditOptions{}))
	var e *graph.Error
	if waits < 2 || !errors.Is(done[0].Err, graph.Forbidden) || errors.Is(done[0].Err, graph.Overwritten) || !errors.As(done[0].Err, &e) || e.Lost != nil {
		t.Errorf("after %d waits: %v", waits, done[0])
	}
}

// A value that the user has already is nobody else's.
func TestOwnValue(t *testing.T) {
	f := newTenant(t, people(), graphtest.Options{})
	p, err := f.EditUser(t.Context(), snapshot.Edit{User: "id-jane", Add: []string{"X509:<PN>jane@yourdomain.com", "new"}}, graph.EditOptions{})
	if err != nil || p.Outcome != graph.Written || len(p.Add()) != 1 {
		t.Error(p, err)
	}
}
