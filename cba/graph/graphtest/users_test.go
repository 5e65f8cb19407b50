package graphtest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba/graph/graphtest"
	"github.com/google/go-cmp/cmp"
)

func ids(values ...string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = fmt.Sprintf("%q", v)
	}
	return `{"authorizationInfo":{"certificateUserIds":[` + strings.Join(quoted, ",") + `]}}`
}

func userIDs(t *testing.T, f *fake, name string) []string {
	t.Helper()
	a := f.must(200, "GET /users/"+name+"@contoso.com?$select=authorizationInfo", "")
	info, _ := a.body["authorizationInfo"].(map[string]any)
	list, ok := info["certificateUserIds"].([]any)
	if !ok {
		t.Fatalf("no certificateUserIds in %s", a.text)
	}
	out := []string{}
	for _, v := range list {
		out = append(out, v.(string))
	}
	return out
}

func TestUserWrites(t *testing.T) {
	users := people("jane", "john", "alex")
	users[0].CertificateUserIDs = []string{"X509:<PN>jane@contoso.com"}
	users[2].Synced = true
	f := newFake(t, graphtest.Tenant{Users: users}, graphtest.Options{})
	eleven := make([]string, 11)
	for i := range eleven {
		eleven[i] = fmt.Sprintf("X509:<PN>%d", i)
	}
	long := "X509:<PN>" + strings.Repeat("é", 1024-9)
	f.run([]step{
		{"by id", "PATCH /users/id-john", ids("X509:<PN>john@contoso.com"), nil, 204, ""},
		{"by name, any case", "PATCH /users/JOHN@contoso.com", ids("X509:<PN>john@contoso.com", "X509:<SKI>01"), nil, 204, ""},
		{"a value of another user", "PATCH /users/id-john", ids("X509:<PN>jane@contoso.com"), nil, 400, "unique"},
		{"the same in other case", "PATCH /users/id-john", ids("X509:<PN>Jane@contoso.com"), nil, 204, ""},
		{"twice in one user", "PATCH /users/id-john", ids("a", "a"), nil, 400, "unique"},
		{"eleven", "PATCH /users/id-john", ids(eleven...), nil, 400, "at most 10"},
		{"ten", "PATCH /users/id-john", ids(eleven[:10]...), nil, 204, ""},
		{"1,025 characters", "PATCH /users/id-john", ids(long + "x"), nil, 400, "1025 characters"},
		{"1,024 characters of two bytes", "PATCH /users/id-john", ids(long), nil, 204, ""},
		{"empty value", "PATCH /users/id-john", ids(""), nil, 400, "0 characters"},
		{"free text", "PATCH /users/id-john", ids("anything"), nil, 204, ""},
		{"synced", "PATCH /users/id-alex", ids("X509:<PN>alex"), nil, 400, "on-premises"},
		{"unknown user", "PATCH /users/id-nobody", ids(), nil, 404, "does not exist"},
		{"unknown property", "PATCH /users/id-john", `{"authorisationInfo":{}}`, nil, 400, "Invalid property 'authorisationInfo'"},
		{"unknown property inside", "PATCH /users/id-john", `{"authorizationInfo":{"certificateUserIDs":[]}}`, nil, 400, "Invalid property 'certificateUserIDs'"},
		{"null list", "PATCH /users/id-john", `{"authorizationInfo":{"certificateUserIds":null}}`, nil, 400, "cannot be null"},
		{"null object", "PATCH /users/id-john", `{"authorizationInfo":null}`, nil, 400, "cannot be null"},
		{"nothing", "PATCH /users/id-john", `{"authorizationInfo":{}}`, nil, 204, ""},
		{"null in the list", "PATCH /users/id-john", `{"authorizationInfo":{"certificateUserIds":[null]}}`, nil, 400, "null value"},
		{"a number", "PATCH /users/id-john", `{"authorizationInfo":{"certificateUserIds":[1]}}`, nil, 400, "Edm.String"},
		{"read-only", "PATCH /users/id-john", `{"userPrincipalName":"x@contoso.com"}`, nil, 400, "read-only"},
		{"not JSON", "PATCH /users/id-john", `{`, nil, 400, "Unable to read JSON"},
		{"no JSON type", "PATCH /users/id-john", ids("x"), []string{"Content-Type: text/plain"}, 415, "Content-Type"},
		{"no body", "PATCH /users/id-john", "", nil, 400, "Empty Payload"},
		{"POST", "POST /users/id-john", "{}", nil, 405, ""},
	})
	// Nothing of what was refused happened.
	if got := userIDs(t, f, "john"); !slices.Equal(got, []string{"anything"}) {
		t.Errorf("john has %q", got)
	}
	f.must(204, "PATCH /users/id-john", ids())
	if got := userIDs(t, f, "john"); len(got) != 0 {
		t.Errorf("john has %q after clearing", got)
	}
	// A value is free again once its user gave it up.
	f.must(204, "PATCH /users/id-jane", ids("X509:<PN>other"))
	f.must(204, "PATCH /users/id-john", ids("X509:<PN>jane@contoso.com"))

	fold := newFake(t, graphtest.Tenant{Users: users}, graphtest.Options{FoldCertificateUserIDs: true})
	fold.run([]step{
		{"folded", "PATCH /users/id-john", ids("x509:<pn>JANE@contoso.com"), nil, 400, "unique"},
		{"folded find", "GET /users?$filter=authorizationInfo/certificateUserIds/any(x:x eq 'x509:<pn>JANE@contoso.com')&$count=true", "", []string{eventual}, 200, "jane@contoso.com"},
	})
}

func TestUserReads(t *testing.T) {
	users := people("jane", "john", "alex", "o'neil")
	users[0].CertificateUserIDs = []string{"X509:<PN>jane@contoso.com", "X509:<SKI>01"}
	users[1].CertificateUserIDs = []string{"X509:<PN>it''s"}
	users[2].Synced = true
	f := newFake(t, graphtest.Tenant{Users: users}, graphtest.Options{})
	any := "GET /users?$select=id&$count=true&$filter=authorizationInfo/certificateUserIds/any(x:"
	found := func(names ...string) string {
		texts := make([]string, len(names))
		for i, n := range names {
			texts[i] = `{"id":"id-` + n + `"}`
		}
		return `"value":[` + strings.Join(texts, ",") + `]`
	}
	h := []string{eventual}
	f.run([]step{
		{"by value", any + "x eq 'X509:<PN>jane@contoso.com')", "", h, 200, found("jane")},
		{"by value with a quote", any + "x eq 'X509:<PN>it''''s')", "", h, 200, found("john")},
		{"by value, other case", any + "x eq 'X509:<PN>JANE@contoso.com')", "", h, 200, found()},
		{"two values", any + "x eq 'X509:<SKI>01' or x eq 'X509:<PN>it''''s')", "", h, 200, found("jane", "john")},
		{"beginning", any + "startswith(x,'X509:<SKI>'))", "", h, 200, found("jane")},
		{"not", "GET /users?$select=id&$count=true&$filter=not(authorizationInfo/certificateUserIds/any(x:x eq 'X509:<SKI>01'))", "", h, 200, found("john", "alex", "o'neil")},
		{"and", any + "x eq 'X509:<SKI>01') and userPrincipalName eq 'JOHN@contoso.com'", "", h, 200, found()},
		{"count", any + "x eq 'X509:<SKI>01')", "", h, 200, `"@odata.count":1`},
		{"without the header", any + "x eq 'X509:<SKI>01')", "", nil, 400, "ConsistencyLevel"},
		{"without the count", "GET /users?$filter=authorizationInfo/certificateUserIds/any(x:x eq 'X509:<SKI>01')", "", h, 400, "$count"},
		{"the FAQ's path, open question 9.17", "GET /users?$count=true&$filter=certificateUserIds/any(x:x eq 'X509:<SKI>01')", "", h, 400, "Could not find a property"},
		{"ne in any", any + "x ne 'X509:<SKI>01')", "", h, 400, "not supported"},
		{"list as text", "GET /users?$count=true&$filter=authorizationInfo/certificateUserIds eq 'x'", "", h, 400, "cannot be filtered"},
		{"ne without the header", "GET /users?$filter=displayName ne 'jane'", "", nil, 400, "ConsistencyLevel"},
		{"ne", "GET /users?$select=id&$count=true&$filter=displayName ne 'jane'", "", h, 200, found("john", "alex", "o'neil")},
		{"in", "GET /users?$select=id&$filter=id in ('id-jane','id-alex')", "", nil, 200, found("jane", "alex")},
		{"startsWith", "GET /users?$select=id&$filter=startsWith(userPrincipalName,'J')", "", nil, 200, found("jane", "john")},
		{"quote", "GET /users?$select=id&$filter=displayName eq 'o''neil'", "", nil, 200, found("o'neil")},
		{"synced", "GET /users?$select=id&$filter=onPremisesSyncEnabled eq true", "", nil, 200, found("alex")},
		{"count without the header is passed over", "GET /users?$select=id&$count=true", "", nil, 200, found("jane", "john", "alex", "o'neil")},
		{"endsWith", "GET /users?$filter=endsWith(mail,'x')", "", h, 400, "not supported"},
		{"broken filter", "GET /users?$filter=id eq 'x", "", nil, 400, "unterminated"},
		{"unknown $select", "GET /users?$select=id,certificateUserIds", "", nil, 400, "Could not find a property"},
		{"$search", "GET /users?$search=x", "", h, 400, "$search"},
		{"$top 0", "GET /users?$top=0", "", nil, 400, "page size"},
		{"$top 1000", "GET /users?$top=1000", "", nil, 400, "between 1 and 999"},
		{"order", "GET /users?$select=id&$orderby=displayName desc", "", nil, 200, found("o'neil", "john", "jane", "alex")},
		{"bad token", "GET /users?$skiptoken=x", "", nil, 400, "skiptoken"},
		{"number of users", "GET /users/$count", "", h, 200, "4"},
		{"number without the header", "GET /users/$count", "", nil, 400, "ConsistencyLevel"},
		{"one, lower-case $select", "GET /users/id-jane?$select=authorizationinfo", "", nil, 200, `"authorizationInfo":{"certificateUserIds":["X509:<PN>jane@contoso.com","X509:<SKI>01"]}`},
		{"nobody", "GET /users/x@contoso.com", "", nil, 404, "Request_ResourceNotFound"},
		{"unknown segment", "GET /users/id-jane/manager", "", nil, 400, "Resource not found for the segment"},
	})
	if a := f.must(200, "GET /users/id-jane", ""); a.body["authorizationInfo"] != nil {
		t.Errorf("authorizationInfo came without $select: %s", a.text)
	}
	if a := f.must(200, "GET /users?$count=true", ""); a.body["@odata.count"] != nil {
		t.Errorf("a count came without ConsistencyLevel: %s", a.text)
	}
}

func TestUserPages(t *testing.T) {
	var names []string
	for i := range 250 {
		names = append(names, fmt.Sprintf("user%03d", i))
	}
	f := newFake(t, graphtest.Tenant{Users: people(names...)}, graphtest.Options{})
	for _, tt := range []struct {
		top   string
		pages int
	}{{"", 3}, {"&$top=120", 3}, {"&$top=125", 2}, {"&$top=999", 1}} {
		var got []string
		next, pages := "GET /users?$select=displayName&$count=true"+tt.top, 0
		for next != "" {
			a := f.must(200, next, "", eventual)
			for _, u := range a.value() {
				got = append(got, u["displayName"].(string))
			}
			if n, ok := a.body["@odata.count"]; ok != (pages == 0) || ok && n != 250.0 {
				t.Errorf("page %d has the count %v", pages, n)
			}
			pages++
			link, _ := a.body["@odata.nextLink"].(string)
			if next = ""; link != "" {
				rest, ok := strings.CutPrefix(link, "https://graph.example")
				if !ok {
					t.Fatalf("nextLink %q", link)
				}
				next = "GET " + rest
			}
		}
		if pages != tt.pages {
			t.Errorf("%q: %d pages, want %d", tt.top, pages, tt.pages)
		}
		if diff := cmp.Diff(names, got); diff != "" {
			t.Errorf("%q: %s", tt.top, diff)
		}
	}
}

func TestLag(t *testing.T) {
	for _, tt := range []struct {
		name string
		lag  graphtest.Delay
		wait time.Duration
		old  int // reads that show the old state
	}{
		{"none", graphtest.Delay{}, 0, 0},
		{"reads", graphtest.Delay{Reads: 3}, 0, 3},
		{"time", graphtest.Delay{Time: time.Minute}, time.Minute, 0},
		{"both", graphtest.Delay{Time: time.Minute, Reads: 2}, time.Minute, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake(t, graphtest.Tenant{Users: people("jane", "john")}, graphtest.Options{Lag: tt.lag})
			f.must(204, "PATCH /users/id-jane", ids("new"))
			if got := f.Tenant().Users[0].CertificateUserIDs; !slices.Equal(got, []string{"new"}) {
				t.Errorf("the tenant has %q", got)
			}
			// A writer sees the truth.
			f.must(400, "PATCH /users/id-john", ids("new"))
			if tt.wait > 0 {
				if got := userIDs(t, f, "jane"); len(got) != 0 {
					t.Errorf("at once: %q", got)
				}
				tt.old--
				f.clock.add(tt.wait)
			}
			for range tt.old {
				if got := userIDs(t, f, "jane"); len(got) != 0 {
					t.Errorf("lagging: %q", got)
				}
			}
			find := "GET /users?$count=true&$filter=authorizationInfo/certificateUserIds/any(x:x eq 'new')"
			if a := f.must(200, find, "", eventual); len(a.value()) != 1 {
				t.Errorf("the filter found %s", a.text)
			}
			if got := userIDs(t, f, "jane"); !slices.Equal(got, []string{"new"}) {
				t.Errorf("after the lag: %q", got)
			}
		})
	}
	// The filter sees what reads see: the old value.
	users := people("jane")
	users[0].CertificateUserIDs = []string{"old"}
	f := newFake(t, graphtest.Tenant{Users: users}, graphtest.Options{Lag: graphtest.Delay{Reads: 1}})
	f.must(204, "PATCH /users/id-jane", ids("new"))
	find := "GET /users?$count=true&$filter=authorizationInfo/certificateUserIds/any(x:x eq '%s')"
	if a := f.must(200, fmt.Sprintf(find, "new"), "", eventual); len(a.value()) != 0 {
		t.Errorf("the new value was found: %s", a.text)
	}
	if a := f.must(200, fmt.Sprintf(find, "old"), "", eventual); len(a.value()) != 1 {
		t.Errorf("the old value was not found: %s", a.text)
	}
	if a := f.must(200, fmt.Sprintf(find, "old"), "", eventual); len(a.value()) != 0 {
		t.Errorf("the old value was found after the lag: %s", a.text)
	}
}

func TestGroups(t *testing.T) {
	f := newFake(t, graphtest.Tenant{Users: people("jane", "john"), Groups: []graphtest.Group{
		{ID: "outer", DisplayName: "Outer", Members: []string{"inner", "outer"}},
		{ID: "inner", DisplayName: "Inner", Members: []string{"id-jane"}},
	}}, graphtest.Options{})
	for _, tt := range []struct {
		request string
		want    []string
	}{
		{"GET /users/jane@contoso.com/memberOf", []string{"inner"}},
		{"GET /users/id-jane/transitiveMemberOf", []string{"outer", "inner"}},
		{"GET /users/id-jane/transitiveMemberOf/microsoft.graph.group?$select=id&$count=true", []string{"outer", "inner"}},
		{"GET /users/id-jane/memberOf/graph.group?$count=true", []string{"inner"}},
		{"GET /users/id-john/transitiveMemberOf", nil},
		{"GET /groups?$filter=displayName eq 'inner'", []string{"inner"}},
	} {
		var got []string
		for _, g := range f.must(200, tt.request, "", eventual).value() {
			got = append(got, g["id"].(string))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.request, got, tt.want)
		}
	}
	// A cast is an advanced query.
	for _, cast := range []string{"memberOf/microsoft.graph.group", "transitiveMemberOf/graph.group"} {
		for _, a := range []answer{f.must(400, "GET /users/id-jane/"+cast+"?$count=true", ""), f.must(400, "GET /users/id-jane/"+cast+"?$select=id", "", eventual)} {
			if !strings.Contains(string(a.text), "ConsistencyLevel") {
				t.Errorf("%s: %s", cast, a.text)
			}
		}
	}
	f.must(200, "GET /groups/inner", "")
	f.must(404, "GET /groups/none", "")
	f.must(404, "GET /users/none/memberOf", "")
}

func TestTenThousandUsers(t *testing.T) {
	var names []string
	for i := range 10_000 {
		names = append(names, fmt.Sprintf("user%05d", i))
	}
	f := newFake(t, graphtest.Tenant{Users: people(names...)}, graphtest.Options{KeepRequests: -1})
	n := 0
	for next := "GET /users?$select=id,authorizationInfo&$top=999"; next != ""; {
		a := f.must(200, next, "")
		n += len(a.value())
		link, _ := a.body["@odata.nextLink"].(string)
		if next = strings.TrimPrefix(link, "https://graph.example"); next != "" {
			next = "GET " + next
		}
	}
	if n != 10_000 {
		t.Errorf("%d users", n)
	}
	if len(f.Requests()) != 0 {
		t.Error("requests were kept")
	}
}
