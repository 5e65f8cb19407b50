package offline_test

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba/signin"
	"example.com/entracba/examples/internal/offline"
)

var data = filepath.Join("..", "..", "..", "cba", "signin", "testdata")

func read(t *testing.T, elements ...string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(append([]string{data}, elements...)...))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// theCase is a case of package signin, laid on the desk.
func theCase(t *testing.T, name string) offline.Request {
	t.Helper()
	var c struct {
		Tenant, User json.RawMessage
		Certificate  string
		Lists        map[string]string
		At           time.Time
	}
	if err := json.Unmarshal(read(t, "cases", name+".json"), &c); err != nil {
		t.Fatal(err)
	}
	r := offline.Request{Tenant: c.Tenant, User: c.User, Certificate: read(t, "pki", c.Certificate), At: c.At}
	for _, list := range c.Lists {
		r.CRLs = append(r.CRLs, read(t, "pki", list))
	}
	return r
}

func ask(t *testing.T, r offline.Request) offline.Answer {
	t.Helper()
	a := offline.Ask(context.Background(), r)
	if _, err := json.Marshal(a); err != nil {
		t.Fatal(err)
	}
	return a
}

// What lies on the desk decides what can be answered.
func TestAsk(t *testing.T) {
	all := theCase(t, "crl-expired")
	a := ask(t, all)
	if a.Verdict == nil || a.Verdict.Code != "AADSTS500172" || a.Change != nil || len(a.IDs) < 5 || len(a.Problems) > 0 || a.Subject == "" {
		t.Errorf("all of it: %+v", a)
	}
	for _, want := range []string{"AADSTS500172", "<h2 id=\"signin\">"} {
		if !strings.Contains(a.Page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}

	r := all
	r.Tenant = nil
	if a := ask(t, r); a.Verdict != nil || len(a.IDs) < 5 || len(a.Problems) > 0 || !strings.Contains(a.Page, "Findings") {
		t.Errorf("without a tenant: %+v", a)
	}
	r = all
	r.Certificate = nil
	if a := ask(t, r); a.Verdict != nil || len(a.IDs) > 0 || len(a.Findings) == 0 || len(a.Problems) > 0 {
		t.Errorf("without a certificate: %+v", a)
	}
	if a := ask(t, offline.Request{At: all.At}); a.Page != "" || len(a.Problems) > 0 {
		t.Errorf("nothing: %+v", a)
	}

	// No CRL: nothing is known of revocation, and the page says so.
	r = all
	r.CRLs = nil
	if a := ask(t, r); a.Verdict == nil || !a.Verdict.SignedIn || !strings.Contains(a.Page, "no CRL was given") {
		t.Errorf("without a CRL: %+v", a.Verdict)
	}
	// A CRL may come as PEM.
	r.CRLs = [][]byte{pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: all.CRLs[0]})}
	if a := ask(t, r); len(all.CRLs) == 1 && (a.Verdict == nil || a.Verdict.Code != "AADSTS500172") {
		t.Errorf("with a PEM CRL: %+v", a.Verdict)
	}

	// A change that switches the method off.
	r = all
	r.CRLs = nil
	config, err := signin.ParseConfig(all.Tenant)
	if err != nil {
		t.Fatal(err)
	}
	config.Policy.State = "disabled"
	if r.Then, err = json.Marshal(config); err != nil {
		t.Fatal(err)
	}
	if a := ask(t, r); a.Change == nil || a.Change.Difference != signin.Loses || !a.Change.Before.SignedIn || a.Change.After.SignedIn {
		t.Errorf("a change: %+v", a.Change)
	}
}

// Each file that cannot be used is named, and the rest is answered.
func TestProblems(t *testing.T) {
	for about, spoil := range map[string]func(*offline.Request){
		"certificate": func(r *offline.Request) { r.Certificate = []byte("<html>") },
		"tenant":      func(r *offline.Request) { r.Tenant = []byte("{}") },
		"then":        func(r *offline.Request) { r.Then = []byte("[") },
		"user":        func(r *offline.Request) { r.User = []byte("{}") },
		"strength":    func(r *offline.Request) { r.Strength = []byte("{}") },
		"crl":         func(r *offline.Request) { r.CRLs = append(r.CRLs, []byte("no CRL")) },
	} {
		r := theCase(t, "crl-expired")
		spoil(&r)
		a := ask(t, r)
		if len(a.Problems) == 0 || a.Problems[0].About != about || a.Problems[0].Text == "" {
			t.Errorf("%s: %+v", about, a.Problems)
		}
		if a.Page == "" {
			t.Errorf("%s: nothing else is answered", about)
		}
		if about == "strength" && a.Verdict != nil {
			t.Error("a requirement that cannot be read is left out of the verdict")
		}
	}
	r := theCase(t, "crl-expired")
	r.Require = "nosuch"
	if a := ask(t, r); a.Verdict != nil || len(a.Problems) != 1 {
		t.Errorf("an unknown requirement: %+v", a.Problems)
	}
}

func TestKindOf(t *testing.T) {
	r := theCase(t, "crl-expired")
	for _, test := range []struct {
		file []byte
		want string
	}{
		{r.Certificate, "certificate"}, {r.Tenant, "tenant"}, {r.User, "user"}, {r.CRLs[0], "crl"},
		{[]byte(`[{"userPrincipalName":"jane@contoso.com"},{"userPrincipalName":"john@contoso.com"}]`), "user"},
		{[]byte(`{"value":[{"userPrincipalName":"jane@contoso.com"},{"userPrincipalName":"john@contoso.com"}]}`), "user"},
		{[]byte(`{"x509Certificate":{"state":1},"users":[{"userPrincipalName":"jane@contoso.com"},{"userPrincipalName":"john@contoso.com"}]}`), "tenant"},
		{[]byte(`{"a": 1`), "tenant"}, {nil, "certificate"}, {[]byte("MIIB"), "certificate"},
		{pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: r.CRLs[0]}), "crl"},
	} {
		if got := offline.KindOf(test.file); got != test.want {
			t.Errorf("%.20q: %s, want %s", test.file, got, test.want)
		}
	}
}
