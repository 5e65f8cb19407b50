package main_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/entracba/examples/internal/programtest"
	"github.com/google/go-cmp/cmp"
)

var (
	update  = flag.Bool("update", false, "write testdata/default.txt")
	program string
)

func TestMain(m *testing.M) { programtest.Main(m, func(path string) { program = path }) }

type result struct {
	stdout, stderr string
	code           int
}

func explain(t *testing.T, folder string, args ...string) result {
	t.Helper()
	r := programtest.Run(t, program, folder, nil, args...)
	return result{r.Stdout, r.Stderr, r.Code}
}

func write(t *testing.T, folder, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// masks hide what differs from run to run.
var masks = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`[0-9a-f]{40}`), "KEY"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`), "TIME"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d UTC`), "TIME"},
}

func masked(text string) string {
	for _, m := range masks {
		text = m.pattern.ReplaceAllString(text, m.with)
	}
	return text
}

// Without flags the program plays the test of Microsoft's how-to.
func TestDefault(t *testing.T) {
	t.Parallel()
	r := explain(t, t.TempDir())
	if r.code != 0 || r.stderr != "" {
		t.Fatalf("exit status %d: %s", r.code, r.stderr)
	}
	golden := filepath.Join("testdata", "default.txt")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, "testdata", "default.txt", []byte(masked(r.stdout)))
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), masked(r.stdout)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A case is a file of package signin's testdata.
type testCase struct {
	Tenant, User, Require json.RawMessage
	Certificate           string
	Lists                 map[string]string
	At                    string
	Options               []string
	Want                  struct {
		SignedIn           bool
		Code               string
		AuthenticationMode string
		RequiredAffinity   string
		Binding            string
		Rule               int
	}
}

var signinData = filepath.Join("..", "..", "cba", "signin", "testdata")

func loadCase(t *testing.T, name string) (c testCase, folder string, args []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(signinData, "cases", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	pki, err := filepath.Abs(filepath.Join(signinData, "pki"))
	if err != nil {
		t.Fatal(err)
	}
	folder = t.TempDir()
	write(t, folder, "tenant.json", c.Tenant)
	write(t, folder, "user.json", c.User)
	args = []string{"-tenant", "tenant.json", "-user", "user.json", "-cert", filepath.Join(pki, c.Certificate), "-at", c.At}
	for url, file := range c.Lists {
		args = append(args, "-crl", url+"="+filepath.Join(pki, file))
	}
	switch text := string(c.Require); {
	case strings.HasPrefix(text, "{"):
		write(t, folder, "strength.json", c.Require)
		args = append(args, "-require", "strength.json")
	case text != "":
		args = append(args, "-require", strings.Trim(text, `"`))
	}
	return c, folder, args
}

// An answer is the object that -json prints.
type answer struct {
	SignedIn           bool   `json:"signedIn"`
	Code               string `json:"code"`
	Message            string `json:"message"`
	AuthenticationMode string `json:"authenticationMode"`
	ModeRule           *struct {
		Index      int    `json:"index"`
		Type       string `json:"x509CertificateRuleType"`
		Identifier string `json:"identifier"`
	} `json:"modeRule"`
	RequiredAffinity string `json:"requiredAffinity"`
	Binding          *struct {
		Field    string `json:"x509CertificateField"`
		Property string `json:"userProperty"`
		Priority int    `json:"priority"`
		Value    string `json:"value"`
	} `json:"binding"`
	MFASatisfied bool     `json:"mfaSatisfied"`
	SecondFactor []string `json:"secondFactor"`
	Steps        []struct {
		Name     string `json:"name"`
		Outcome  string `json:"outcome"`
		Detail   string `json:"detail"`
		Source   string `json:"source"`
		Code     string `json:"code"`
		Inferred bool   `json:"inferred"`
	} `json:"steps"`
	Assumptions []struct {
		ID      string `json:"id"`
		Text    string `json:"text"`
		Changes *bool  `json:"changesVerdict"`
	} `json:"assumptions"`
	Findings []struct{ Code string } `json:"findings"`
}

func parseAnswer(t *testing.T, r result) (a answer) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(r.stdout))
	if err := d.Decode(&a); err != nil {
		t.Fatalf("%v in %s%s", err, r.stdout, r.stderr)
	}
	return a
}

// The cases of package signin come out of the program as they are wanted, but for
// those that need an option or a server.
func TestCases(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob(filepath.Join(signinData, "cases", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, name := range names {
		name = strings.TrimSuffix(filepath.Base(name), ".json")
		c, folder, args := loadCase(t, name)
		pki := filepath.Join(signinData, "pki")
		usable := len(c.Options) == 0 && c.Want.Code != "AADSTS500173" && name != "delta-only-exempted" && !strings.Contains(name, "no-crl-sign")
		for _, file := range c.Lists {
			if _, err := os.Stat(filepath.Join(pki, file)); err != nil {
				usable = false
			}
		}
		if !usable {
			continue
		}
		ran++
		t.Run(name, func(t *testing.T) {
			r := explain(t, folder, append(args, "-json")...)
			a := parseAnswer(t, r)
			// Some cases have a CRL at a URL that no CA has.
			said := regexp.MustCompile(`(?m)^-crl \S+: not used, because .*\n`).ReplaceAllString(r.stderr, "")
			if want := map[bool]int{true: 0, false: 1}[c.Want.SignedIn]; r.code != want || said != "" {
				t.Errorf("exit status %d, want %d: %s", r.code, want, r.stderr)
			}
			rule, bound := -1, ""
			if a.ModeRule != nil {
				rule = a.ModeRule.Index
			}
			if a.Binding != nil {
				bound = a.Binding.Field + " " + a.Binding.Property
			}
			if a.SignedIn != c.Want.SignedIn || a.Code != c.Want.Code || a.AuthenticationMode != c.Want.AuthenticationMode ||
				a.RequiredAffinity != c.Want.RequiredAffinity || rule != c.Want.Rule || bound != c.Want.Binding {
				t.Errorf("want %+v, got %+v", c.Want, a)
			}
			for _, s := range a.Steps {
				if s.Name == "" || s.Detail == "" || s.Source == "" || !slices.Contains([]string{"pass", "fail", "skip", "warn"}, s.Outcome) {
					t.Errorf("step %+v", s)
				}
			}
			for _, s := range a.Assumptions {
				if s.ID == "" || s.Text == "" || s.Changes == nil {
					t.Errorf("assumption %+v", s)
				}
			}
		})
	}
	if ran < 150 {
		t.Errorf("%d cases", ran)
	}
}

// A reader of the printed steps finds what refused, and what to change.
func TestPrinted(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		says []string
	}{
		{"crl-expired", []string{"REFUSED", "AADSTS500172", "publish a new CRL", "Learn: CBA certificate revocation list"}},
		{"U4", []string{"AADSTS1001009", `"x@y"`, "TO BIND", "X509:<SKI>", "4.7"}},
		{"require-mfa-single", []string{"AADSTS54008", "second factor that would satisfy it: passkey", "Conditional Access requirement: multifactor"}},
		{"chain-same-name", []string{"AADSTS500176", "has the issuer's name, but the subject key identifier"}},
		{"scope-out", []string{"AADSTS500189", "add the user to such a group"}},
		{"A2", []string{"SIGNED IN  single-factor", "set by rule 1, issuerSubject CN=WoodgroveCA", "Conditional Access requirement: none", "9.31"}},
		{"U3", []string{"* 9.15"}},
	} {
		c, folder, args := loadCase(t, test.name)
		r := explain(t, folder, args...)
		if (r.code == 0) != c.Want.SignedIn || r.code > 1 || r.stderr != "" {
			t.Errorf("%s: exit status %d: %s", test.name, r.code, r.stderr)
		}
		for _, want := range test.says {
			if !strings.Contains(r.stdout, want) {
				t.Errorf("%s: does not say %q:\n%s", test.name, want, r.stdout)
			}
		}
	}
}

func TestFindings(t *testing.T) {
	t.Parallel()
	_, folder, args := loadCase(t, "scope-unknown-ski")
	r := explain(t, folder, append(args, "-findings")...)
	if r.code != 0 || !strings.Contains(r.stdout, "FINDINGS") || !strings.Contains(r.stdout, "signin-scope-unknown-authority") {
		t.Errorf("exit status %d: %s", r.code, r.stdout)
	}
	a := parseAnswer(t, explain(t, folder, append(args, "-findings", "-json")...))
	if len(a.Findings) == 0 || !a.SignedIn {
		t.Errorf("%+v", a)
	}
}

// With no -crl the list is fetched; a private address only when that is allowed.
func TestFetch(t *testing.T) {
	t.Parallel()
	_, folder, args := loadCase(t, "crl-revoked")
	list, err := os.ReadFile(filepath.Join(signinData, "pki", "woodgrove.crl"))
	if err != nil {
		t.Fatal(err)
	}
	hits := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits++
		if r.URL.RawQuery != "a=b" {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		w.Write(list)
	}))
	defer server.Close()
	args = args[:8] // without -crl
	use := func(url string) {
		text, err := os.ReadFile(filepath.Join(folder, "tenant.json"))
		if err != nil {
			t.Fatal(err)
		}
		write(t, folder, "tenant.json", regexp.MustCompile(`"http://[^"]*"`).ReplaceAll(text, []byte(`"`+url+`"`)))
	}
	for _, test := range []struct {
		url, code, says string
		args            []string
	}{
		{server.URL + "/x?a=b", "AADSTS500171", "is revoked according to the CRL", []string{"-allow-private"}},
		{server.URL + "/x", "AADSTS500173", "403 Forbidden", []string{"-allow-private"}},
		{server.URL + "/x?a=b", "AADSTS500173", "forbidden address", nil},
		{"http://crl.woodgrove.com/x?a=b", "AADSTS500171", "is revoked according to the CRL", []string{"-crl", "http://crl.woodgrove.com/x?a=b=" + filepath.Join(signinData, "pki", "woodgrove.crl")}},
	} {
		use(test.url)
		if len(test.args) == 2 {
			abs, err := filepath.Abs(filepath.Join(signinData, "pki", "woodgrove.crl"))
			if err != nil {
				t.Fatal(err)
			}
			test.args[1] = test.url + "=" + abs
		}
		r := explain(t, folder, append(append(slices.Clone(args), "-json"), test.args...)...)
		a := parseAnswer(t, r)
		if r.code != 1 || a.Code != test.code || !strings.Contains(a.Message, test.says) {
			t.Errorf("%s %v: exit status %d, %s, %s", test.url, test.args, r.code, a.Code, a.Message)
		}
	}
	if hits != 2 {
		t.Errorf("the server was asked %d times, want 2", hits)
	}
}

// Every row is a command line or an input that cannot be used, and what the
// message must name. The tenant is that of a good case, changed.
func TestUnusable(t *testing.T) {
	t.Parallel()
	_, folder, good := loadCase(t, "crl-good")
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	tenant := read("tenant.json")
	replace := func(old, new string) string {
		changed := strings.Replace(tenant, old, new, 1)
		if changed == tenant {
			t.Fatalf("the tenant has no %q", old)
		}
		return changed
	}
	base64Of := regexp.MustCompile(`"certificate": "[^"]*"`).FindString(tenant)
	var parsed struct {
		PKIs []json.RawMessage `json:"publicKeyInfrastructure"`
	}
	if err := json.Unmarshal([]byte(tenant), &parsed); err != nil {
		t.Fatal(err)
	}
	twoPKIs := replace(`"publicKeyInfrastructure": [`, `"publicKeyInfrastructure": [`+string(parsed.PKIs[0])+`,`)
	// A CA that cannot be read leaves it open what the service would say.
	for reason, changed := range map[string]string{
		"base64 that is no certificate": replace(base64Of, `"certificate": "AAAA"`),
		"authority without certificate": replace(base64Of, `"x": 1`),
	} {
		write(t, folder, "changed.json", []byte(changed))
		r := explain(t, folder, append(slices.Clone(good), "-tenant", "changed.json")...)
		if r.code != 3 || r.stderr != "" || !strings.Contains(r.stdout, "UNDECIDED") || !strings.Contains(r.stdout, `CA "WoodgroveCA"`) {
			t.Errorf("%s: exit status %d, printed %q, said %q", reason, r.code, r.stdout, r.stderr)
		}
	}
	for i, test := range []struct {
		reason, tenant, user string
		args                 []string
		says                 []string
	}{
		{"truncated tenant", tenant[:len(tenant)/2], "", nil, []string{"changed.json", "bad syntax"}},
		{"empty tenant", " ", "", nil, []string{"changed.json", "bad syntax"}},
		{"tenant is a list", "[]", "", nil, []string{"changed.json", "object"}},
		{"tenant of something else", "{}", "", nil, []string{"x509Certificate", "publicKeyInfrastructure"}},
		{"two PKIs with one name", twoPKIs, "", nil, []string{"two PKIs", `"Woodgrove PKI"`, "rename"}},
		{"no base64", replace(base64Of, `"certificate": "!"`), "", nil, []string{"/publicKeyInfrastructure/0/certificateAuthorities/0/certificate", "base64"}},
		{"wrong type", replace(`"state": "enabled"`, `"state": 1`), "", nil, []string{"state"}},
		{"truncated user", "", `{"userPrincipalName": "bob`, nil, []string{"changed-user.json"}},
		{"user is a list", "", `[]`, nil, []string{"changed-user.json"}},
		{"user of wrong type", "", `{"memberOf": 1}`, nil, []string{"changed-user.json", "memberOf"}},
		{"no such tenant", "", "", []string{"-tenant", "none.json"}, []string{"none.json"}},
		{"no such certificate", "", "", []string{"-cert", "none.pem"}, []string{"none.pem"}},
		{"certificate is no certificate", "", "", []string{"-cert", "tenant.json"}, []string{"tenant.json"}},
		{"time", "", "", []string{"-at", "yesterday"}, []string{"-at", "2026-11-21T08:00:00Z"}},
		{"list without a file", "", "", []string{"-crl", "http://x/y"}, []string{"URL=FILE"}},
		{"list that is not there", "", "", []string{"-crl", "http://x/y=none.crl"}, []string{"none.crl"}},
		{"requirement", "", "", []string{"-require", "everything"}, []string{"everything", "phishing-resistant"}},
		{"requirement that is no strength", "", "", []string{"-require", "user.json"}, []string{"properties of an authentication strength"}},
		{"unknown flag", "", "", []string{"-tennant", "x"}, []string{"-tennant"}},
		{"an argument", "", "", []string{"x"}, []string{`"x"`}},
		{"findings of many", "", "", []string{"-user", "", "-cert", "", "-users", "x", "-then", "y", "-findings"}, []string{"-findings"}},
		{"users without the tenant after", "", "", []string{"-users", "x"}, []string{"-users"}},
	} {
		args := slices.Clone(good)
		if test.tenant != "" {
			write(t, folder, "changed.json", []byte(test.tenant))
			args = append(args, "-tenant", "changed.json")
		}
		if test.user != "" {
			write(t, folder, "changed-user.json", []byte(test.user))
			args = append(args, "-user", "changed-user.json")
		}
		r := explain(t, folder, append(args, test.args...)...)
		if r.code != 2 || r.stdout != "" || !strings.Contains(r.stderr, "explain: ") {
			t.Errorf("%d, %s: exit status %d, printed %q, said %q", i, test.reason, r.code, r.stdout, r.stderr)
		}
		for _, want := range test.says {
			if !strings.Contains(r.stderr, want) {
				t.Errorf("%s: does not say %q: %s", test.reason, want, r.stderr)
			}
		}
	}
	for _, args := range [][]string{{"-tenant", "tenant.json"}, {"-user", "user.json"}, {"-cert", "x"}, {"-then", "tenant.json"}, {"-users", "x", "-then", "tenant.json"}} {
		if r := explain(t, folder, args...); r.code != 2 || r.stdout != "" {
			t.Errorf("%q: exit status %d, printed %q", args, r.code, r.stdout)
		}
	}
	if r := explain(t, folder, "-h"); r.code != 0 || r.stderr != "" || !strings.Contains(r.stdout, "-crl URL=FILE") {
		t.Errorf("-h: exit status %d: %s", r.code, r.stderr)
	}
}

// Certificates that a hostile hand made: a verdict or a clear error.
func TestHostileCertificates(t *testing.T) {
	t.Parallel()
	_, folder, args := loadCase(t, "crl-none")
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "\x1b[2J\nbob"},
		NotBefore: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3, 4, 5}, Value: bytes.Repeat([]byte{4}, 5<<20)}},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, folder, "large.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	r := explain(t, folder, append(args, "-cert", "large.pem")...)
	if r.code != 1 && r.code != 2 || len(r.stdout)+len(r.stderr) > 1<<16 || strings.Contains(r.stdout+r.stderr, "\x1b") {
		t.Errorf("exit status %d, %d bytes: %.500s%.500s", r.code, len(r.stdout), r.stdout, r.stderr)
	}
	template.ExtraExtensions = nil
	if der, err = x509.CreateCertificate(rand.Reader, template, template, key.Public(), key); err != nil {
		t.Fatal(err)
	}
	write(t, folder, "control.cer", der)
	r = explain(t, folder, append(args, "-cert", "control.cer")...)
	if r.code != 1 || strings.Contains(r.stdout, "\x1b") || !strings.Contains(r.stdout, "AADSTS") {
		t.Errorf("exit status %d: %s%s", r.code, r.stdout, r.stderr)
	}
}

func TestUsers(t *testing.T) {
	t.Parallel()
	_, folder, args := loadCase(t, "A2")
	lists := args[8:]
	pki := filepath.Join(signinData, "pki")
	certificate := func(name string) string {
		content, err := os.ReadFile(filepath.Join(pki, name+".pem"))
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode(content)
		return base64.StdEncoding.EncodeToString(block.Bytes)
	}
	tenant, err := os.ReadFile(filepath.Join(folder, "tenant.json"))
	if err != nil {
		t.Fatal(err)
	}
	high := bytes.Replace(tenant, []byte(`"x509CertificateDefaultRequiredAffinityLevel": "low"`), []byte(`"x509CertificateDefaultRequiredAffinityLevel": "high"`), 1)
	multi := bytes.Replace(tenant, []byte(`"x509CertificateAuthenticationMode": "x509CertificateSingleFactor"`), []byte(`"x509CertificateAuthenticationMode": "x509CertificateMultiFactor"`), 1)
	if bytes.Equal(high, tenant) || bytes.Equal(multi, tenant) {
		t.Fatal("the tenant did not change")
	}
	write(t, folder, "high.json", high)
	write(t, folder, "multi.json", multi)
	line := func(upn, cert string) string {
		return fmt.Sprintf(`{"id":"1","userPrincipalName":%q,"certificates":[%q]}`, upn, certificate(cert)) + "\n"
	}
	write(t, folder, "users.jsonl", []byte("\ufeff"+line("bob@woodgrove.com", "bob")+"\n"+line("alice@woodgrove.com", "alice")+line("eve@woodgrove.com", "bob")+
		`{"userPrincipalName":"none@woodgrove.com"}`))
	at := []string{"-at", "2026-06-01T12:00:00Z"}
	run := func(tenant, then, users string, more ...string) result {
		return explain(t, folder, slices.Concat([]string{"-tenant", tenant, "-then", then, "-users", users}, at, lists, more)...)
	}
	for _, test := range []struct {
		tenant, then string
		code         int
		says         []string
	}{
		{"tenant.json", "tenant.json", 0, []string{"4 users: 0 lose access, 0 gain access, 0 weaker, 0 stronger, 3 unchanged, 1 without a certificate (1 in scope)",
			"In scope, without a certificate: the input does not contain systemCredentialPreferences"}},
		{"tenant.json", "high.json", 1, []string{"4 users: 2 lose access", "alice@woodgrove.com", "refused, AADSTS1001009"}},
		{"high.json", "tenant.json", 0, []string{"2 gain access"}},
		{"tenant.json", "multi.json", 0, []string{"2 stronger", "multifactor"}},
		{"multi.json", "tenant.json", 0, []string{"2 weaker"}},
	} {
		r := run(test.tenant, test.then, "users.jsonl")
		if r.code != test.code || r.stderr != "" {
			t.Errorf("%s, %s: exit status %d: %s", test.tenant, test.then, r.code, r.stderr)
		}
		for _, want := range test.says {
			if !strings.Contains(r.stdout, want) {
				t.Errorf("%s, %s: does not say %q:\n%s", test.tenant, test.then, want, r.stdout)
			}
		}
	}
	var result struct {
		Version int
		Users   []struct {
			User, Difference string
			Name             string `json:"userPrincipalName"`
			Before, After    struct {
				SignedIn bool
				Code     string
			}
		}
		Counts map[string]int
	}
	r := run("tenant.json", "high.json", "users.jsonl", "-json")
	if err := json.Unmarshal([]byte(r.stdout), &result); err != nil || r.code != 1 || result.Version != 1 || result.Counts["total"] != 4 || result.Counts["loses"] != 2 || len(result.Users) != 2 ||
		result.Users[0].Name != "bob@woodgrove.com" || result.Users[0].Difference != "loses" || !result.Users[0].Before.SignedIn || result.Users[0].After.Code != "AADSTS1001009" {
		t.Errorf("exit status %d, %v: %s", r.code, err, r.stdout)
	}

	// The same users as a folder.
	if err := os.Mkdir(filepath.Join(folder, "users"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"bob", "alice"} {
		write(t, folder, "users/"+name+".json", []byte(`{"userPrincipalName":"`+name+`@woodgrove.com"}`))
		content, err := os.ReadFile(filepath.Join(pki, name+".pem"))
		if err != nil {
			t.Fatal(err)
		}
		write(t, folder, "users/"+name+".pem", content)
	}
	if r := run("tenant.json", "high.json", "users"); r.code != 1 || !strings.Contains(r.stdout, "2 users: 2 lose access") {
		t.Errorf("exit status %d: %s%s", r.code, r.stdout, r.stderr)
	}

	// The same list in other forms.
	array := "[" + line("bob@woodgrove.com", "bob") + "," + line("alice@woodgrove.com", "alice") + "]"
	forms := map[string][]byte{
		"array.json": []byte(array), "value.json": []byte(`{"@odata.context":"x","value":` + array + `}`), "ps.json": []byte(`{"value":` + strings.ReplaceAll(strings.ReplaceAll(array, `"id"`, `"Id"`), `"userPrincipalName"`, `"UserPrincipalName"`) + `,"Count":2}`),
		"table.csv": []byte("userPrincipalName;certificate\r\nbob@woodgrove.com;" + certificate("bob") + "\r\nalice@woodgrove.com;" + certificate("alice") + "\r\n"),
		"utf16.csv": nil,
	}
	for _, c := range "\ufeff" + string(forms["table.csv"]) {
		forms["utf16.csv"] = append(forms["utf16.csv"], byte(c), byte(c>>8))
	}
	for name, text := range forms {
		write(t, folder, name, text)
		if r := run("tenant.json", "high.json", name); r.code != 1 || !strings.Contains(r.stdout, "2 users: 2 lose access") {
			t.Errorf("%s: exit status %d: %s%s", name, r.code, r.stdout, r.stderr)
		}
	}

	for name, test := range map[string]struct{ text, says string }{
		"log.json":          {`{"value":[{"id":"1","userId":"1","createdDateTime":"2026-01-01T00:00:00Z","userPrincipalName":"a@b"}]}`, "sign-in log"},
		"page.json":         {`{"value":[` + line("bob@woodgrove.com", "bob") + `],"@odata.nextLink":"https://graph.microsoft.com/v1.0/users?$skiptoken=x"}`, "other pages"},
		"nobody.csv":        {"name,mail\nx,y\n", "neither JSON, nor a table"},
		"broken.jsonl":      {line("bob@woodgrove.com", "bob") + "{\n", "line 2"},
		"certificate.jsonl": {`{"userPrincipalName":"a@b","certificates":["AAAA"]}`, "certificates[0]"},
		"base64.jsonl":      {`{"userPrincipalName":"a@b","certificates":["!"]}`, "base64"},
		"empty.jsonl":       {"\n", "no users"},
	} {
		write(t, folder, name, []byte(test.text))
		if r := run("tenant.json", "high.json", name); r.code != 2 || r.stdout != "" || !strings.Contains(r.stderr, test.says) || !strings.Contains(r.stderr, name) {
			t.Errorf("%s: exit status %d, printed %q, said %q", name, r.code, r.stdout, r.stderr)
		}
	}
}

func TestFIPSOnly(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"-json"}, {"-require", "phishing-resistant", "-findings"}} {
		if r := programtest.FIPSOnly(t, program, t.TempDir(), args...); r.Code != 0 || r.Stdout == "" {
			t.Errorf("%q: exit status %d\n%s%s", args, r.Code, r.Stdout, r.Stderr)
		}
	}
}

// A tenant is read from a folder as EntraExporter lays it out; what is no tenant is said to
// be what it is.
func TestTenantForms(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	read := func(name string) []byte {
		text, err := os.ReadFile(filepath.Join("..", "..", "cba", "signin", "testdata", "tenant", name))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	for _, name := range []string{"user.json", "bob.crt"} {
		write(t, dir, name, read(name))
	}
	var parts map[string]json.RawMessage
	if err := json.Unmarshal(read("tenant-base.json"), &parts); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"export/Policies/AuthenticationMethodsPolicy/AuthenticationMethodConfigurations/X509Certificate.json": parts["x509Certificate"],
		"export/Organization/CertificateBasedAuthConfiguration.json":                                          parts["certificateBasedAuthConfiguration"],
		"empty/Organization/Organization.json":                                                                []byte("{}"),
	} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, dir, name, text)
	}
	args := []string{"-at", "2026-12-01T00:00:00Z", "-user", "user.json", "-cert", "bob.crt", "-tenant"}
	if r := explain(t, dir, append(args, "export")...); r.code != 0 || !strings.Contains(r.stdout, "SIGNED IN") {
		t.Errorf("exit status %d: %s%s", r.code, r.stdout, r.stderr)
	}
	for name, test := range map[string]struct{ text, says string }{
		"empty/":               {"", "EntraExporter"},
		"M365TenantConfig.ps1": {"Configuration M365TenantConfig\n{\n    Import-DscResource -ModuleName 'Microsoft365DSC'\n", "GET /policies/authenticationMethodsPolicy"},
		"screen.json":          {"Id    : X509Certificate\nState : enabled\n", "ConvertTo-Json -Depth 10"},
		"depth.json":           {`{"Id":"X509Certificate","State":"enabled","AdditionalProperties":{"certificateUserBindings":"@{priority=1}"}}`, "-Depth 10"},
		"page.json":            {"<!DOCTYPE html>", "HTML"},
	} {
		if test.text != "" {
			write(t, dir, name, []byte(test.text))
		}
		if r := explain(t, dir, append(args, name)...); r.code != 2 || r.stdout != "" || !strings.Contains(r.stderr, test.says) {
			t.Errorf("%s: exit status %d: %s%s", name, r.code, r.stdout, r.stderr)
		}
	}
}

// A PFX file gives its certificate, with the password from a file.
func TestPFX(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for from, to := range map[string]string{
		"signin/testdata/tenant/tenant-base.json": "tenant.json", "signin/testdata/tenant/user.json": "user.json",
		"certfile/testdata/pfx-trailing-zeros.pfx": "user.pfx", "certfile/testdata/pfx-password.txt": "password.txt", "signin/testdata/tenant/bob.crt": "bob.crt",
	} {
		text, err := os.ReadFile(filepath.Join("..", "..", "cba", filepath.FromSlash(from)))
		if err != nil {
			t.Fatal(err)
		}
		write(t, folder, to, text)
	}
	password, err := os.ReadFile(filepath.Join(folder, "password.txt"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, folder, "marked.txt", append([]byte("\ufeff"), append(bytes.TrimSpace(password), "\r\n"...)...))
	write(t, folder, "wrong.txt", []byte("wrong\n"))
	args := []string{"-tenant", "tenant.json", "-user", "user.json", "-cert", "user.pfx"}
	for _, name := range []string{"password.txt", "marked.txt"} {
		r := explain(t, folder, append(args, "-password-file", name)...)
		if r.code != 1 || !strings.Contains(r.stdout, "CN=jane@yourdomain.com") || !strings.Contains(r.stderr, "certificate of the private key") {
			t.Errorf("%s: exit status %d: %s%s", name, r.code, r.stdout, r.stderr)
		}
	}
	for name, says := range map[string]string{"": "-password-file", "wrong.txt": "password", "none.txt": "none.txt"} {
		r := explain(t, folder, append(args, "-password-file", name)...)
		if r.code != 2 || r.stdout != "" || !strings.Contains(r.stderr, says) || strings.Contains(r.stderr, string(bytes.TrimSpace(password))) {
			t.Errorf("%q: exit status %d: %s%s", name, r.code, r.stdout, r.stderr)
		}
	}
	// In a folder of users, beside one of another form.
	people := filepath.Join(folder, "people")
	if err := os.Mkdir(people, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b"} {
		write(t, people, name+".json", []byte(`{"value":[{"id":"`+name+`","userPrincipalName":"`+name+`@contoso.org"}]}`))
	}
	for from, to := range map[string]string{"user.pfx": "a.pfx", "bob.crt": "b.der"} {
		text, err := os.ReadFile(filepath.Join(folder, from))
		if err != nil {
			t.Fatal(err)
		}
		write(t, people, to, text)
	}
	args = []string{"-tenant", "tenant.json", "-then", "tenant.json", "-users", "people"}
	if r := explain(t, folder, append(args, "-password-file", "password.txt")...); r.code != 3 || !strings.Contains(r.stdout, "1 unchanged, 1 not known") { // b is, for want of certificateUserIds
		t.Errorf("exit status %d: %s%s", r.code, r.stdout, r.stderr)
	}
	if r := explain(t, folder, args...); r.code != 2 || !strings.Contains(r.stderr, "-password-file") {
		t.Errorf("exit status %d: %s%s", r.code, r.stdout, r.stderr)
	}
	write(t, people, "c.json", []byte(`[{"id":"1"},{"id":"2"}]`))
	if r := explain(t, folder, append(args, "-password-file", "password.txt")...); r.code != 2 || !strings.Contains(r.stderr, "several users") {
		t.Errorf("exit status %d: %s%s", r.code, r.stdout, r.stderr)
	}
}

// What is not in the files leaves the answer open: exit status 3, and how to settle it.
func TestUndecided(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for _, name := range []string{"tenant-base.json", "tenant-exclude-group.json", "user.json", "bob.crt"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "cba", "signin", "testdata", "tenant", name))
		if err != nil {
			t.Fatal(err)
		}
		write(t, folder, name, text)
	}
	at := []string{"-at", "2026-11-27T00:00:00Z"}
	r := explain(t, folder, append(at, "-tenant", "tenant-exclude-group.json", "-user", "user.json", "-cert", "bob.crt")...)
	if r.code != 3 || r.stderr != "" {
		t.Errorf("exit status %d: %s", r.code, r.stderr)
	}
	for _, want := range []string{"UNDECIDED", "user.memberOf", "GET /users/{id}/transitiveMemberOf", "NOT CHECKED"} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("does not say %q:\n%s", want, r.stdout)
		}
	}
	var v struct {
		Outcome  string
		SignedIn bool
		Missing  []struct{ What, Why, How string }
	}
	r = explain(t, folder, append(at, "-json", "-tenant", "tenant-exclude-group.json", "-user", "user.json", "-cert", "bob.crt")...)
	if err := json.Unmarshal([]byte(r.stdout), &v); err != nil || r.code != 3 || v.Outcome != "undecided" || v.SignedIn || len(v.Missing) != 1 || v.Missing[0].What != "user.memberOf" {
		t.Errorf("exit status %d, %v: %+v", r.code, err, v)
	}

	// Many: one of whom it is not known, nobody who is known to lose access.
	pair := filepath.Join(folder, "people")
	if err := os.Mkdir(pair, 0o700); err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{"user.json": "bob.json", "bob.crt": "bob.crt"} {
		text, err := os.ReadFile(filepath.Join(folder, from))
		if err != nil {
			t.Fatal(err)
		}
		write(t, pair, to, text)
	}
	write(t, pair, "none.json", []byte(`{"id":"2","userPrincipalName":"none@contoso.org"}`))
	r = explain(t, folder, append(at, "-tenant", "tenant-base.json", "-then", "tenant-exclude-group.json", "-users", "people")...)
	if r.code != 3 || strings.Contains(r.stdout, "0 lose access") || !strings.Contains(r.stdout, "none is known to lose access") ||
		!strings.Contains(r.stdout, "1 not known, 1 without a certificate (0 in scope, of 1 it is not known)") {
		t.Errorf("exit status %d: %s%s", r.code, r.stdout, r.stderr)
	}
}
