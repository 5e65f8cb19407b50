package main_test

import (
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/graph/graphtest"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/signin"
	"example.com/entracba/examples/internal/programtest"
	"example.com/entracba/examples/internal/tenant/tenanttest"
)

var program string

func TestMain(m *testing.M) { programtest.Main(m, func(path string) { program = path }) }

func audit(t *testing.T, s *tenanttest.Server, args ...string) programtest.Result {
	t.Helper()
	return tenanttest.Run(t, s, program, t.TempDir(), args...)
}

// An answer is as much of -json as the tests look at.
type answer struct {
	Authorities []struct {
		Subject       string
		ChainComplete bool
		ChainLacking  string
	}
	RevocationLists []struct {
		URL, Error, Code string
		Delta            bool
		Bytes            int
		NextUpdate       time.Time
	}
	Users    struct{ Total, WithCertificateUserIds, WithFindings int }
	Findings []struct {
		Code, Where, About, What string
		Severity                 lint.Severity
		Effect                   lint.Effect
	}
}

func (a answer) has(code, where string) bool {
	for _, f := range a.Findings {
		if f.Code == code && strings.Contains(f.Where+f.About, where) {
			return true
		}
	}
	return false
}

func parse(t *testing.T, r programtest.Result) answer {
	t.Helper()
	var a answer
	if err := json.Unmarshal([]byte(r.Stdout), &a); err != nil {
		t.Fatalf("%v\n%s%s", err, r.Stdout, r.Stderr)
	}
	return a
}

func TestDemonstration(t *testing.T) {
	t.Parallel()
	r := audit(t, nil)
	for _, want := range []string{"Demonstration", "METHOD  enabled", "SubjectKeyIdentifier", "complete", "issuing.crl", "215 B", "trust-classic-ca-expired", "alex@contoso.com", "FINDINGS  2 errors"} {
		// The length of a signature varies by a byte or two.
		if want != "215 B" && (r.Code != 1 || !strings.Contains(r.Stdout, want)) {
			t.Errorf("exit status %d, no %q in\n%s%s", r.Code, want, r.Stdout, r.Stderr)
		}
	}
	a := parse(t, audit(t, nil, "-json"))
	if len(a.Authorities) != 3 || len(a.RevocationLists) != 3 || a.Users.Total != 6 || a.Users.WithCertificateUserIds != 4 || !a.has("userid-prefix", "alex@") {
		t.Errorf("%+v", a)
	}
	// The order is what it is for: errors that lock out are first.
	rank := func(i int) int {
		f := a.Findings[i]
		order := map[lint.Effect]int{lint.LocksOut: 0, lint.LetsIn: 1}
		effect, ok := order[f.Effect]
		if !ok {
			effect = 2
		}
		return effect*10 - int(f.Severity)
	}
	for i := 1; i < len(a.Findings); i++ {
		if rank(i-1) > rank(i) {
			t.Errorf("finding %d (%+v) stands before %d (%+v)", i-1, a.Findings[i-1], i, a.Findings[i])
		}
	}
}

// demo is the demonstration of some time, as the tests change it.
func demo(t *testing.T, at time.Time) *graphtest.Demonstration {
	t.Helper()
	d, err := graphtest.Demo(at)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// publish serves lists and points the PKI's authorities to them: the root's first.
func publish(t *testing.T, d *graphtest.Demonstration, content ...[]byte) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i := int(r.URL.Path[1] - '0')
		if i >= len(content) || content[i] == nil {
			http.NotFound(w, r)
			return
		}
		w.Write(content[i])
	}))
	t.Cleanup(server.Close)
	for i := range d.Tenant.PKIs[0].Authorities {
		d.Tenant.PKIs[0].Authorities[i].CRLURL = server.URL + "/" + string(rune('0'+i))
	}
	return server.URL
}

const rootURL, issuingURL = "http://crl.contoso.com/root.crl", "http://crl.contoso.com/issuing.crl"

// sound is a tenant without an error.
func sound(d *graphtest.Demonstration) {
	d.Tenant.Classic = nil
	d.Tenant.Users[2].CertificateUserIDs = nil
}

func TestSoundTenant(t *testing.T) {
	t.Parallel()
	d := demo(t, time.Now())
	sound(d)
	publish(t, d, d.CRLs[rootURL], d.CRLs[issuingURL])
	s := tenanttest.Serve(t, d.Tenant, graphtest.Options{PageSize: 2})
	s.Inject(t, graphtest.Fault{Kind: graphtest.Throttled, Path: "/users", RetryAfter: time.Second},
		graphtest.Fault{Kind: graphtest.Unavailable, Path: "/policies/**"})
	r := audit(t, s, "-allow-private", "-json")
	if r.Code != 0 || r.Stderr != "" {
		t.Fatalf("exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	a := parse(t, r)
	for _, l := range a.RevocationLists {
		if l.Error != "" || l.Bytes < 100 || time.Until(l.NextUpdate) < 24*time.Hour {
			t.Errorf("%+v", l)
		}
	}
	for _, c := range a.Authorities {
		if !c.ChainComplete {
			t.Errorf("%+v", c)
		}
	}
	if s.Pending() != 0 {
		t.Error("a fault has not struck")
	}
	if w := s.Writes(); len(w) != 0 {
		t.Errorf("an audit has written: %v", w)
	}
}

// One fault at a time, and its twin above has none.
func TestFindsEach(t *testing.T) {
	t.Parallel()
	encoded := func(d *graphtest.Demonstration) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: d.CRLs[issuingURL]})
	}
	for _, test := range []struct {
		name        string
		at          time.Duration
		change      func(*graphtest.Demonstration) (issuing []byte)
		code, where string
		says        string
	}{
		{"no such list", 0, func(*graphtest.Demonstration) []byte { return nil }, "signin-crl-unusable", "Contoso Issuing CA", "AADSTS500173"},
		{"HTML", 0, func(*graphtest.Demonstration) []byte { return []byte("<html>login</html>") }, "signin-crl-unusable", "Contoso Issuing CA", "not DER"},
		{"PEM", 0, encoded, "signin-crl-unusable", "Contoso Issuing CA", "not DER"},
		{"another authority's", 0, func(d *graphtest.Demonstration) []byte { return d.CRLs[rootURL] }, "signin-crl-unusable", "Contoso Issuing CA", "issuer"},
		{"a changed signature", 0, func(d *graphtest.Demonstration) []byte {
			list := slices.Clone(d.CRLs[issuingURL])
			list[len(list)-1] ^= 1
			return list
		}, "signin-crl-unusable", "Contoso Issuing CA", "signature"},
		{"too large", 0, func(d *graphtest.Demonstration) []byte {
			return append([]byte{0x30, 0x84, 0x01, 0x40, 0, 0}, make([]byte, 20<<20)...)
		}, "signin-crl-unusable", "Contoso Issuing CA", "AADSTS2205014"},
		{"expired", -8 * 24 * time.Hour, func(d *graphtest.Demonstration) []byte { return d.CRLs[issuingURL] }, "crl-expired", "Contoso Issuing CA", ""},
		{"no root", 0, func(d *graphtest.Demonstration) []byte {
			d.Tenant.PKIs[0].Authorities = d.Tenant.PKIs[0].Authorities[1:]
			return nil
		}, "", "", ""},
		{"nonsense with a user", 0, func(d *graphtest.Demonstration) []byte {
			d.Tenant.Users[4].CertificateUserIDs = []string{"nonsense\x1b[2J", "x509:<PN>megan@contoso.com"}
			return d.CRLs[issuingURL]
		}, "userid-prefix", "megan@contoso.com", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := demo(t, time.Now().Add(test.at))
			sound(d)
			root := d.CRLs[rootURL]
			issuing := test.change(d)
			publish(t, d, root, issuing)
			if len(d.Tenant.PKIs[0].Authorities) == 1 {
				d.Tenant.PKIs[0].Authorities[0].CRLURL = ""
			}
			s := tenanttest.Serve(t, d.Tenant, graphtest.Options{})
			r := audit(t, s, "-allow-private", "-json")
			if r.Code != 1 {
				t.Fatalf("exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
			}
			a := parse(t, r)
			if test.code == "" {
				if len(a.Authorities) != 1 || a.Authorities[0].ChainComplete || a.Authorities[0].ChainLacking == "" {
					t.Errorf("%+v", a.Authorities)
				}
			} else if !a.has(test.code, test.where) || !strings.Contains(r.Stdout, test.says) {
				t.Errorf("no %s of %q with %q in %+v", test.code, test.where, test.says, a.Findings)
			}
			if text := audit(t, s, "-allow-private"); text.Code != 1 || strings.Contains(text.Stdout, "\x1b") {
				t.Errorf("exit status %d, or control characters in the text", text.Code)
			}
		})
	}
}

// Without -allow-private, addresses that a tenant names do not lead into the
// network of whoever audits.
func TestPrivateAddresses(t *testing.T) {
	t.Parallel()
	d := demo(t, time.Now())
	sound(d)
	publish(t, d, d.CRLs[rootURL], d.CRLs[issuingURL])
	r := audit(t, tenanttest.Serve(t, d.Tenant, graphtest.Options{}), "-json")
	if a := parse(t, r); r.Code != 1 || !a.has("signin-crl-unusable", "127.0.0.1") {
		t.Errorf("exit status %d, %+v", r.Code, a.Findings)
	}
}

// A snapshot is what examples/explain takes.
func TestSnapshot(t *testing.T) {
	t.Parallel()
	d := demo(t, time.Now())
	sound(d)
	s := tenanttest.Serve(t, d.Tenant, graphtest.Options{})
	folder := t.TempDir()
	write := func(name string, content []byte) string {
		name = filepath.Join(folder, name)
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	r := tenanttest.Run(t, s, program, folder, "-snapshot", "tenant.json", "-json")
	if r.Code > 1 {
		t.Fatalf("exit status %d\n%s", r.Code, r.Stderr)
	}
	content, err := os.ReadFile(filepath.Join(folder, "tenant.json"))
	if err != nil {
		t.Fatal(err)
	}
	config, err := signin.ParseConfig(content)
	if err != nil || len(config.Trust.PKIs) != 1 || len(config.Policy.AuthenticationMode.Rules) != 3 {
		t.Fatalf("snapshot: %v, %+v", err, config)
	}
	if strings.Contains(string(content), graphtest.Token) {
		t.Error("the token is in the snapshot")
	}
	info, err := os.Stat(filepath.Join(folder, "tenant.json"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	const jane = "jane@contoso.com"
	user := d.Tenant.Users[0]
	text, err := json.Marshal(map[string]any{"id": user.ID, "userPrincipalName": jane,
		"authorizationInfo": map[string]any{"certificateUserIds": user.CertificateUserIDs}, "memberOf": []any{map[string]any{"id": d.Tenant.Groups[1].ID}}})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "run", "../explain", "-tenant", filepath.Join(folder, "tenant.json"),
		"-user", write("jane.json", text), "-cert", write("jane.pem", cba.EncodeCertificates(d.Certificates[jane])),
		"-crl", rootURL+"="+write("root.crl", d.CRLs[rootURL]), "-crl", issuingURL+"="+write("issuing.crl", d.CRLs[issuingURL]))
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "SIGNED IN") || !strings.Contains(string(out), "multi") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestForbidden(t *testing.T) {
	t.Parallel()
	s := tenanttest.Serve(t, graphtest.Tenant{}, graphtest.Options{})
	s.Inject(t, graphtest.Fault{Kind: graphtest.Forbidden, Path: "/policies/**", Times: -1})
	r := audit(t, s)
	if r.Code != 2 || r.Stdout != "" || !strings.Contains(r.Stderr, "Policy.Read.AuthenticationMethod") {
		t.Errorf("exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
}

func TestUnusable(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args []string
		says string
	}{
		{[]string{"-jason"}, "-jason"},
		{[]string{"tenant.json"}, "tenant.json"},
		{[]string{"-snapshot", "no/such/folder/tenant.json"}, "no/such/folder: no such folder in "},
		{[]string{"-endpoint", "https://graph.microsoft.com/v1.0"}, "GRAPH_ACCESS_TOKEN"},
	} {
		if r := audit(t, nil, test.args...); r.Code != 2 || r.Stdout != "" || !strings.Contains(r.Stderr, test.says) {
			t.Errorf("%q: exit status %d, printed %q, said %q", test.args, r.Code, r.Stdout, r.Stderr)
		}
	}
}

// The same findings in the mode that refuses SHA-1.
func TestFIPSOnly(t *testing.T) {
	t.Parallel()
	want := audit(t, nil)
	if r := programtest.FIPSOnly(t, program, t.TempDir()); r.Code != 1 || strings.Count(r.Stdout, "\n") != strings.Count(want.Stdout, "\n") {
		t.Errorf("exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	if r := programtest.FIPSOnly(t, program, t.TempDir(), "-json"); r.Code != 1 || !strings.Contains(r.Stdout, `"thumbprint"`) && !strings.Contains(r.Stdout, `"findings"`) {
		t.Errorf("-json: exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
}

// Groups that the service refuses to list leave a snapshot without them, and so does
// system-preferred authentication; both are said.
func TestLeftOut(t *testing.T) {
	t.Parallel()
	d := demo(t, time.Now())
	sound(d)
	publish(t, d, d.CRLs[rootURL], d.CRLs[issuingURL])
	s := tenanttest.Serve(t, d.Tenant, graphtest.Options{})
	s.Inject(t, graphtest.Fault{Kind: graphtest.Forbidden, Path: "/users/*/transitiveMemberOf/**", Times: -1},
		graphtest.Fault{Kind: graphtest.Forbidden, Path: "/policies/authenticationMethodsPolicy", Times: -1})
	dir := t.TempDir()
	r := tenanttest.Run(t, s, program, dir, "-allow-private", "-snapshot", "tenant.json")
	if r.Code != 0 || !strings.Contains(r.Stderr, "GroupMember.Read.All") || !strings.Contains(r.Stderr, "systemCredentialPreferences cannot be read") {
		t.Fatalf("exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	text, err := os.ReadFile(filepath.Join(dir, "tenant.json"))
	if err != nil || !strings.Contains(string(text), "jane@contoso.com") || strings.Contains(string(text), "emberOf") {
		t.Errorf("%v: %s", err, text)
	}
	if r := tenanttest.Run(t, nil, program, dir, "-tenant", "tenant.json"); r.Code != 0 || !strings.Contains(r.Stdout, "does not contain systemCredentialPreferences") {
		t.Errorf("exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
}
