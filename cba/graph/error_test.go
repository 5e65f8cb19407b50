package graph_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba/graph"
	"example.com/entracba/cba/graph/graphtest"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/snapshot"
	"example.com/entracba/cba/trust"
)

// What people read. The request-id, which differs from run to run, is cut off.
func TestErrorTexts(t *testing.T) {
	in := people()
	in.PKIs = []graphtest.PKI{{ID: "p1", DisplayName: "Contoso"}}
	edit := func(e snapshot.Edit) func(*tenant) error {
		return func(f *tenant) error {
			_, err := f.EditUser(t.Context(), e, graph.EditOptions{})
			return err
		}
	}
	user := func(f *tenant) error { _, err := f.User(t.Context(), "id-jane"); return err }
	for _, test := range []struct {
		name   string
		fault  graphtest.Kind
		call   func(*tenant) error
		reason graph.Reason
		want   string
	}{
		{"no user", 0, edit(snapshot.Edit{User: "x", Add: []string{"a"}}), graph.NotFound, "graph: plan certificateUserIds: no user x in this tenant (404)"},
		{"no PKI", 0, func(f *tenant) error { _, err := f.PKI(t.Context(), "p9"); return err }, graph.NotFound, "graph: read a PKI: no PKI p9 in this tenant (404)"},
		{"a value of another user", 0, edit(snapshot.Edit{User: "id-john", Add: []string{"123456789098765@mil"}}), graph.Conflict,
			`graph: plan certificateUserIds: the value "123456789098765@mil" belongs to jane@yourdomain.com, and only one user can have it; remove it there first`},
		{"no value", 0, edit(snapshot.Edit{User: "id-john", Add: []string{""}}), graph.Invalid, `graph: plan certificateUserIds: snapshot: edit of user "id-john": `},
		{"a name that is taken", 0, func(f *tenant) error { _, err := f.CreatePKI(t.Context(), "Contoso"); return err }, graph.Conflict,
			`graph: create PKI "Contoso": a PKI of this name exists already`},
		{"no since", 0, func(f *tenant) error { return drain(f.SignInLog(t.Context(), time.Time{}, graph.SignInQuery{})) }, graph.Invalid, "graph: list sign-ins: the time since when is required"},
		{"empty store", 0, func(f *tenant) error {
			_, err := f.ReplaceClassic(t.Context(), trust.Classic{}, nil, graph.ReplaceOptions{})
			return err
		}, graph.Invalid, "graph: replace the classic trust store: a backup is required"},
		{"forbidden", graphtest.Forbidden, user, graph.Forbidden,
			"graph: read a user: user id-jane: Insufficient privileges to complete the operation. (403, Authorization_RequestDenied); the call needs the permission User.Read.All, and of a signed-in user the role Global Reader"},
		{"throttled", graphtest.Throttled, user, graph.Throttled, "graph: read a user: user id-jane: the service asks to wait: "},
		{"expired", graphtest.TokenExpired, user, graph.Unauthorized, "graph: read a user: user id-jane: the token was not accepted: "},
		{"a gateway's page", graphtest.Gateway, user, graph.Unavailable, "graph: read a user: user id-jane: bad gateway (502)"},
		{"half", graphtest.Half, user, graph.BadAnswer, "graph: read a user: user id-jane: unusable answer: "},
		{"reset", graphtest.Reset, user, graph.Unavailable, "graph: read a user: user id-jane: no answer from the service: "},
	} {
		f := newTenant(t, in, graphtest.Options{})
		if test.fault != 0 {
			f.inject(graphtest.Fault{Kind: test.fault, Times: -1})
		}
		err := test.call(f)
		if err == nil || !errors.Is(err, test.reason) {
			t.Errorf("%s: %v is not %q", test.name, err, string(test.reason))
			continue
		}
		got, _, _ := strings.Cut(err.Error(), " (request-id ")
		if strings.HasSuffix(test.want, ": ") {
			got = got[:min(len(got), len(test.want))]
		}
		if got != test.want || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s:\n got %s\nwant %s", test.name, got, test.want)
		}
	}
}

// Every reason has a text of its own, an error has one reason, and a zero error
// does not panic.
func TestReasons(t *testing.T) {
	reasons := []graph.Reason{graph.NotFound, graph.Forbidden, graph.Unauthorized, graph.Throttled, graph.Conflict, graph.BadAnswer, graph.Unavailable,
		graph.Refused, graph.Interrupted, graph.Invalid, graph.NotInCloud, graph.Stale, graph.Lockout, graph.NoRollback, graph.NotSaved, graph.NotVisible,
		graph.Overwritten, graph.NoClassicStore, graph.UploadFailed}
	for i, r := range reasons {
		text := (&graph.Error{Reason: r, Op: "x"}).Error()
		if len(text) <= len("graph: x: ") || !strings.HasPrefix(text, "graph: x: ") || r.Error() == "graph: " {
			t.Errorf("%q: %q", string(r), text)
		}
		for j, other := range reasons {
			if errors.Is(fmt.Errorf("more: %w", &graph.Error{Reason: r}), other) != (i == j) {
				t.Errorf("%q is %q", string(r), string(other))
			}
		}
	}
	if errors.Is(&graph.Error{}, graph.NotFound) || (&graph.Error{}).Error() == "" {
		t.Error("the zero error")
	}
	// The JSON of an error leaves out what others wrote.
	text, err := json.Marshal(&graph.Error{Reason: graph.Unavailable, Err: errors.New("secret")})
	if err != nil || strings.Contains(string(text), "secret") || !strings.Contains(string(text), `"unavailable"`) {
		t.Errorf("%s, %v", text, err)
	}
}

// A credential without a token, an ended context and what cannot be saved are told
// apart.
func TestOwnReasons(t *testing.T) {
	f := newTenant(t, people(), graphtest.Options{})
	cause := errors.New("no login")
	c, err := graph.NewClient(noToken{cause}, graph.Options{Endpoint: f.URL + "/v1.0", Transport: f.Server.Client().Transport})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.User(t.Context(), "id-jane"); !errors.Is(err, graph.Unauthorized) || !errors.Is(err, cause) {
		t.Errorf("a credential without a token: %v", err)
	}
	if _, err := f.User(canceled(), "id-jane"); !errors.Is(err, graph.Interrupted) || !errors.Is(err, context.Canceled) {
		t.Errorf("an ended context: %v", err)
	}
	_, err = f.EditUser(t.Context(), snapshot.Edit{User: "id-john", Add: []string{"a"}}, graph.EditOptions{Undo: failing{}})
	if !errors.Is(err, graph.NotSaved) || !errors.Is(err, io.ErrClosedPipe) || f.writes() != 0 {
		t.Errorf("an undo line that cannot be written: %v", err)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// Every rule fires, and plans have findings of the table only.
func TestRules(t *testing.T) {
	ca := newCA(t, "One", later)
	in := ruled()
	in.PKIs = []graphtest.PKI{{ID: "p1", DisplayName: "Contoso", Authorities: []graphtest.Authority{graphtest.NewAuthority(ca)}}}
	f := newTenant(t, in, graphtest.Options{})
	config, err := f.Policy(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	config.State = policy.Disabled
	change, err := f.PlanPolicy(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	store, err := f.PlanTrust(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	fired := append(change.LocksOut(), store.LocksOut()...)
	rules := graph.Rules()
	if len(rules) != 2 {
		t.Fatalf("%d rules", len(rules))
	}
	for _, r := range rules {
		if !fired.Has(r.Code) {
			t.Errorf("%s does not fire", r.Code)
		}
	}
	for _, x := range fired {
		if strings.HasPrefix(x.Code, "graph-") && (x.Effect != lint.LocksOut || x.Do == "" || x.Where == "") {
			t.Errorf("%+v", x)
		}
	}
	rules[0].Code = "changed"
	if graph.Rules()[0].Code == "changed" {
		t.Error("the table can be changed from outside")
	}
}

// No call panics on a client that is nil or has no adapter, or on empty arguments:
// it returns an error of this package, or nothing.
func TestZero(t *testing.T) {
	for name, c := range map[string]*graph.Client{"nil": nil, "zero": {}} {
		s := &scene{tenant: &tenant{Client: c, t: t}, cas: []*x509.Certificate{newCA(t, "One", later), newCA(t, "Two", later), newCA(t, "Three", later)}}
		s.bundle = bundle(t, s.cas[2])
		for _, call := range matrixCalls {
			if err := call.do(t.Context(), s); !errors.Is(err, graph.Invalid) {
				t.Errorf("%s client, %s: %v", name, call.name, err)
			}
		}
		plan := graph.UserPlan{Outcome: graph.Planned}
		for _, p := range []graph.UserPlan{plan, {Outcome: graph.Planned, User: snapshot.User{User: policy.User{ID: "1"}}}, {}} {
			for got, err := range c.ApplyUsers(t.Context(), func(yield func(graph.UserPlan, error) bool) { yield(p, nil) }, graph.EditOptions{}) {
				if err != nil || p.Outcome == graph.Planned && !errors.Is(got.Err, graph.Invalid) || p.Outcome == 0 && got.Err != nil {
					t.Errorf("%s client: %v, %v", name, got, err)
				}
			}
		}
		if _, err := c.WaitUpload(t.Context(), "", graph.UploadOptions{}); !errors.Is(err, graph.Invalid) {
			t.Errorf("%s client: %v", name, err)
		}
	}
	f := newTenant(t, people(), graphtest.Options{})
	ctx := t.Context()
	for range f.PlanUsers(ctx, nil) {
		t.Error("a plan of nothing")
	}
	for range f.ApplyUsers(ctx, nil, graph.EditOptions{}) {
		t.Error("a result of nothing")
	}
	for name, call := range map[string]func() error{
		"User":            func() error { _, err := f.User(ctx, ""); return err },
		"Groups":          func() error { _, err := f.Client.Groups(ctx, ""); return err },
		"EditUser":        func() error { _, err := f.EditUser(ctx, snapshot.Edit{}, graph.EditOptions{}); return err },
		"PKI":             func() error { _, err := f.PKI(ctx, ""); return err },
		"CreatePKI":       func() error { _, err := f.CreatePKI(ctx, ""); return err },
		"RenamePKI":       func() error { _, err := f.RenamePKI(ctx, "", ""); return err },
		"CreateAuthority": func() error { _, err := f.CreateAuthority(ctx, "", trust.Authority{}); return err },
		"UpdateAuthority": func() error { _, _, err := f.UpdateAuthority(ctx, "", trust.Authority{}); return err },
		"Upload":          func() error { _, err := f.Upload(ctx, "", "", nil, graph.UploadOptions{}); return err },
		"FillPKI":         func() error { _, _, err := f.FillPKI(ctx, trust.PKI{}); return err },
		"Restore":         func() error { return f.Restore(ctx, "") },
		"DeletePKI":       func() error { return f.DeletePKI(ctx, "") },
		"DeleteAuthority": func() error { return f.DeleteAuthority(ctx, "", "") },
	} {
		var e *graph.Error
		if err := call(); !errors.As(err, &e) || e.Reason == "" {
			t.Errorf("%s of nothing: %v", name, err)
		}
	}
	if n := f.writes(); n != 0 {
		t.Errorf("%d writes with empty arguments", n)
	}
	var p graph.PolicyPlan
	_, _ = p.Reverse()
	text := fmt.Sprint(p, p.Empty(), p.LocksOut(), graph.TrustPlan{}, graph.TrustPlan{}.LocksOut(), graph.TrustStep{}, graph.UserPlan{}, graph.UserPlan{}.Undo(), graph.Cloud(0), graph.Outcome(9))
	if strings.Contains(text, "PANIC") {
		t.Error(text)
	}
}
