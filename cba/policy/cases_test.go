package policy_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"crypto/x509/pkix"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/internal/san"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/policy"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the certificates and traces of testdata/cases, never the decisions")

// minCases is asserted so that no case drops out silently.
const minCases = 105

// A certSpec is cert.json, from which -update mints cert.pem.
type certSpec struct {
	Issuer   string   `json:"issuer"` // most specific part first
	Subject  string   `json:"subject"`
	Serial   string   `json:"serial"` // hexadecimal, not reversed
	Names    []string `json:"names"`  // "upn:..." and "email:...", in order
	Policies []string `json:"policies"`
	SKI      string   `json:"ski"`
}

// testKey signs all certificates of the tests. Its signatures are the same each
// time; what they prove does not matter here.
var testKey = ed25519.NewKeyFromSeed([]byte("entracba policy test certificate"))

func (s certSpec) mint() ([]byte, error) {
	name := func(text string) ([]byte, error) {
		n, err := dn.Parse(text)
		if err != nil {
			return nil, err
		}
		return n.Marshal()
	}
	issuer, err := name(s.Issuer)
	if err != nil {
		return nil, err
	}
	subject, err := name(s.Subject)
	if err != nil {
		return nil, err
	}
	serial, ok := new(big.Int).SetString(s.Serial, 16)
	if !ok {
		return nil, fmt.Errorf("serial %q", s.Serial)
	}
	ski, err := hex.DecodeString(s.SKI)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial, RawSubject: subject, SubjectKeyId: ski,
		NotBefore:   time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:    time.Date(2046, 1, 1, 0, 0, 0, 0, time.UTC),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	for _, text := range s.Policies {
		oid, err := x509.ParseOID(text)
		if err != nil {
			return nil, err
		}
		template.Policies = append(template.Policies, oid)
	}
	var names []san.Name
	for _, text := range s.Names {
		kind, value, _ := strings.Cut(text, ":")
		switch kind {
		case "upn":
			names = append(names, san.Name{Kind: san.UPN, Value: value})
		case "email":
			names = append(names, san.Name{Kind: san.Email, Value: value})
		default:
			return nil, fmt.Errorf("name %q", text)
		}
	}
	if names != nil {
		der, err := san.Marshal(names)
		if err != nil {
			return nil, err
		}
		template.ExtraExtensions = []pkix.Extension{{Id: san.Extension(), Value: der}}
	}
	parent := &x509.Certificate{RawSubject: issuer, SubjectKeyId: []byte("authority of the test")}
	return x509.CreateCertificate(rand.Reader, template, parent, testKey.Public(), testKey)
}

func (s certSpec) certificate(t testing.TB) *x509.Certificate {
	t.Helper()
	der, err := s.mint()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// compiled is a configuration with the usual readings.
func compiled(c policy.Config) *policy.Policy {
	p, err := c.Compile(policy.Readings{})
	if err != nil {
		panic(err)
	}
	return p
}

func prepare(t testing.TB, cert *x509.Certificate) *policy.Certificate {
	t.Helper()
	c, err := policy.NewCertificate(cert, certuserid.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A want is want.json. Reason, source and confidence are required.
type want struct {
	Reason     string `json:"reason"`
	Source     string `json:"source"`
	Confidence string `json:"confidence"` // documented or inferred
	outcome
	Findings []string `json:"findings"` // codes that must be among the findings
}

type outcome struct {
	Enabled          bool                      `json:"enabled"`
	InScope          bool                      `json:"inScope"`
	Mode             policy.AuthenticationMode `json:"authenticationMode"`
	ModeRule         *policy.ModeRule          `json:"modeRule"`
	RequiredAffinity certuserid.Affinity       `json:"requiredAffinity"`
	Binding          *policy.BoundBy           `json:"binding"`
	Assumptions      []assumption              `json:"assumptions"`
}

type assumption struct {
	ID             string `json:"id"`
	ChangesOutcome bool   `json:"changesOutcome"`
}

func outcomeOf(e policy.Explanation) outcome {
	o := outcome{
		Enabled: e.Enabled, InScope: e.InScope, Mode: e.AuthenticationMode, ModeRule: e.ModeRule,
		RequiredAffinity: e.RequiredAffinity, Binding: e.Binding, Assumptions: []assumption{},
	}
	for _, a := range e.Assumptions {
		o.Assumptions = append(o.Assumptions, assumption{a.ID, a.ChangesOutcome})
	}
	return o
}

func readStrict(path string, v any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// A testCase is one folder of testdata/cases.
type testCase struct {
	dir    string
	config policy.Config
	cert   *x509.Certificate
	user   policy.User
	want   want
}

func loadCase(t testing.TB, dir string) testCase {
	t.Helper()
	c := testCase{dir: dir}
	var spec certSpec
	if err := readStrict(filepath.Join(dir, "cert.json"), &spec); err != nil {
		t.Fatal(err)
	}
	if err := readStrict(filepath.Join(dir, "want.json"), &c.want); err != nil {
		t.Fatal(err)
	}
	if *update {
		der, err := spec.mint()
		if err != nil {
			t.Fatal(err)
		}
		text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
		if err := os.WriteFile(filepath.Join(dir, "cert.pem"), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "cert.pem"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		t.Fatal("cert.pem is not PEM")
	}
	if c.cert, err = x509.ParseCertificate(block.Bytes); err != nil {
		t.Fatal(err)
	}
	spec.check(t, c.cert)
	if text, err = os.ReadFile(filepath.Join(dir, "config.json")); err != nil {
		t.Fatal(err)
	}
	if c.config, err = policy.Parse(text); err != nil {
		t.Fatal(err)
	}
	if text, err = os.ReadFile(filepath.Join(dir, "user.json")); err != nil {
		t.Fatal(err)
	}
	if c.user, err = policy.ParseUser(text); err != nil {
		t.Fatal(err)
	}
	return c
}

// check proves that a certificate is the one that the specification describes.
func (s certSpec) check(t testing.TB, cert *x509.Certificate) {
	t.Helper()
	name := func(der []byte) string {
		n, err := dn.ParseDER(der)
		if err != nil {
			t.Fatal(err)
		}
		return n.String()
	}
	got := certSpec{
		Issuer: name(cert.RawIssuer), Subject: name(cert.RawSubject), Serial: cert.SerialNumber.Text(16),
		SKI: hex.EncodeToString(cert.SubjectKeyId), Names: []string{}, Policies: []string{},
	}
	for _, oid := range cert.Policies {
		got.Policies = append(got.Policies, oid.String())
	}
	if der := san.Find(cert); der != nil {
		err := san.Each(der, func(kind san.Kind, value []byte) bool {
			got.Names = append(got.Names, map[san.Kind]string{san.UPN: "upn:", san.Email: "email:"}[kind]+string(value))
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, field := range []*string{&s.Issuer, &s.Subject} { // as the specification was read
		n, err := dn.Parse(*field)
		if err != nil {
			t.Fatal(err)
		}
		*field = n.String()
	}
	if diff := cmp.Diff(s, got); diff != "" {
		t.Errorf("cert.pem is not what cert.json says; run with -update (-want +got):\n%s", diff)
	}
}

func caseDirs(t testing.TB) []string {
	t.Helper()
	dirs, err := filepath.Glob("testdata/cases/*")
	if err != nil || len(dirs) < minCases {
		t.Fatalf("%d cases, want at least %d (%v)", len(dirs), minCases, err)
	}
	return dirs
}

func TestCases(t *testing.T) {
	reasons := map[string]string{}
	confidence := map[string]int{}
	for _, dir := range caseDirs(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			c := loadCase(t, dir)
			confidence[c.want.Confidence]++
			if c.want.Reason == "" || c.want.Source == "" || c.want.Confidence != "documented" && c.want.Confidence != "inferred" {
				t.Fatal("want.json needs reason, source and confidence")
			}
			if other, ok := reasons[c.want.Reason]; ok {
				t.Errorf("same reason as %s", other)
			}
			reasons[c.want.Reason] = dir

			p := compiled(c.config)
			e := p.Explain(prepare(t, c.cert), &c.user)
			if diff := cmp.Diff(c.want.outcome, outcomeOf(e)); diff != "" {
				t.Errorf("%s (-want +got):\n%s%s", c.want.Reason, diff, traceText(e))
			}
			if d := p.Decide(prepare(t, c.cert), &c.user); d != e.Decision {
				t.Errorf("Decide says %+v, Explain %+v", d, e.Decision)
			}
			found := c.config.Findings()
			for _, code := range c.want.Findings {
				if !found.Has(code) {
					t.Errorf("no finding %s among %v", code, found)
				}
			}
			checkExplanation(t, c.config, e)

			path := filepath.Join(dir, "trace.txt")
			if *update {
				if err := os.WriteFile(path, []byte(traceText(e)), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			golden, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(golden), traceText(e)); diff != "" {
				t.Errorf("trace; run with -update if it is right (-want +got):\n%s", diff)
			}
		})
	}
	if confidence["documented"] < 50 || confidence["inferred"] < 30 {
		t.Errorf("cases by confidence: %v", confidence)
	}
}

// Every worked example of the two lists that this package follows has a case.
func TestEveryWorkedExampleHasACase(t *testing.T) {
	dirs := caseDirs(t)
	var prefixes []string
	for i := 1; i <= 19; i++ {
		prefixes = append(prefixes, fmt.Sprintf("A%02d-", i))
	}
	for i := 1; i <= 12; i++ {
		prefixes = append(prefixes, fmt.Sprintf("U%02d-", i))
	}
	for _, q := range []string{"2.1", "2.4", "3.2", "3.3", "9.2", "9.3", "9.4", "9.5", "9.9", "9.13", "9.14", "9.15", "9.22", "9.23", "9.24", "9.28", "9.31"} {
		prefixes = append(prefixes, "Q"+q+"-")
	}
	for _, prefix := range prefixes {
		if !slices.ContainsFunc(dirs, func(dir string) bool { return strings.HasPrefix(filepath.Base(dir), prefix) }) {
			t.Errorf("no case %s...", prefix)
		}
	}
}

// A stored value that was meant for the certificate and is wrong is named, with
// what is wrong with it.
func TestMismatchSaysWhatIsWrongWithAStoredValue(t *testing.T) {
	for _, name := range []string{"Q9.2-serial-not-reversed", "M-subject-not-root-first"} {
		c := loadCase(t, filepath.Join("testdata/cases", name))
		var hint string
		for _, s := range compiled(c.config).Explain(prepare(t, c.cert), &c.user).Steps {
			if _, after, ok := strings.Cut(s.Detail, "; about "); ok {
				hint = after
			}
		}
		stored := c.user.AuthorizationInfo.CertificateUserIDs[0]
		if rest, ok := strings.CutPrefix(hint, fmt.Sprintf("%q: ", stored)); !ok || len(rest) < 10 {
			t.Errorf("%s: hint %q", name, hint)
		}
	}
}

// A stored id that is only of another certificate is not said to be meant for this one.
func TestMismatchOfAnotherCertificate(t *testing.T) {
	c := loadCase(t, filepath.Join("testdata/cases", "U07-high-wrong-ski"))
	c.user.AuthorizationInfo.CertificateUserIDs = []string{"X509:<SKI>" + strings.Repeat("7a", 20)}
	text := fmt.Sprint(compiled(c.config).Explain(prepare(t, c.cert), &c.user).Steps)
	if !strings.Contains(text, "is well-formed, but not of this certificate; the certificate needs") || strings.Contains(text, "is meant") {
		t.Error(text)
	}
}

// checkExplanation holds what is true of every explanation.
func checkExplanation(t testing.TB, config policy.Config, e policy.Explanation) {
	t.Helper()
	failed := false
	rules, bindings := 0, 0
	for _, step := range e.Steps {
		failed = failed || step.Outcome == lint.Fail
		if step.Name == "" || step.Detail == "" || step.Source == "" || step.Outcome.String() == "" {
			t.Errorf("incomplete step %+v", step)
		}
		switch step.Name {
		case policy.StepRule:
			rules++
		case policy.StepBinding:
			bindings++
		}
	}
	if failed == (e.SignsIn() || e.Undecided()) {
		t.Errorf("signs in: %v, but a step fails: %v", e.SignsIn(), failed)
	}
	if rules != len(config.AuthenticationMode.Rules) || bindings > len(config.UserBindings) {
		t.Errorf("%d steps for %d rules, %d steps for %d bindings", rules, len(config.AuthenticationMode.Rules), bindings, len(config.UserBindings))
	}
	if (e.Binding != nil) != e.Bound || (e.ModeRule != nil) != (e.RuleIndex >= 0) {
		t.Errorf("binding %v, rule %v of %+v", e.Binding, e.ModeRule, e.Decision)
	}
	for _, a := range e.Assumptions {
		same := a.Otherwise.Bound == e.Bound && a.Otherwise.AuthenticationMode == e.AuthenticationMode
		if a.ChangesOutcome == same || a.Text == "" {
			t.Errorf("assumption %+v of %+v", a, e.Decision)
		}
	}
}

// traceText leaves out what package certuserid says of a stored value, so that
// its wording can change.
func traceText(e policy.Explanation) string {
	var b strings.Builder
	for _, s := range e.Steps {
		detail, _, _ := strings.Cut(s.Detail, "; about ")
		fmt.Fprintf(&b, "%-4v  %s: %s\n", s.Outcome, s.Name, detail)
	}
	for _, a := range e.Assumptions {
		fmt.Fprintf(&b, "assumed (%s): %s", a.ID, a.Text)
		if a.ChangesOutcome {
			fmt.Fprintf(&b, "; otherwise bound %v, %v", a.Otherwise.Bound, a.Otherwise.AuthenticationMode)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// An object that is no user gives no verdict.
func TestNoUser(t *testing.T) {
	for _, text := range []string{`{}`, `{"hello":"world"}`, `{"x509Certificate":{"state":"enabled"}}`, `{"value":{"displayName":"x"}}`, `{"state":"enabled","includeTargets":[]}`,
		`{"@odata.type":"#microsoft.graph.group","id":"1"}`, `{"id":"1","userPrincipalName":"a@b","userId":"2","createdDateTime":"2026-01-01T00:00:00Z"}`} {
		if u, err := policy.ParseUser([]byte(text)); !errors.Is(err, policy.WrongObject) {
			t.Errorf("%s: %+v, %v", text, u, err)
		}
	}
	for _, text := range []string{`{"id":"1"}`, `{"UserPrincipalName":"a@b.org"}`, `{"memberOf@odata.nextLink":"x"}`, `{"value":[{"accountEnabled":true}]}`,
		`{"@odata.type":"#microsoft.graph.user","id":"1","createdDateTime":"2026-01-01T00:00:00Z"}`} {
		if _, err := policy.ParseUser([]byte(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}
