package signin_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
	"example.com/entracba/cba/trust"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write testdata from the tables: certificates, lists, tenants and the answers that stand in the tables; never what the code says")

var madeWorld = sync.OnceValues(makeWorld)

// minCases is asserted so that no case drops out silently.
const minCases = 230

// A testCase is one file of testdata/cases. Certificates and lists are those of
// testdata/pki, by name; everything else is in the file as Graph has it.
type testCase struct {
	Reason      string            `json:"reason"`
	Source      string            `json:"source"`
	Tenant      json.RawMessage   `json:"tenant"`
	User        json.RawMessage   `json:"user"`
	Certificate string            `json:"certificate"`
	Lists       map[string]string `json:"lists"` // URL to file, or one of the failures of caseSource
	At          time.Time         `json:"at"`
	Require     json.RawMessage   `json:"require,omitempty"` // "mfa", "phishing-resistant", or a strength
	Options     []string          `json:"options,omitempty"`
	Want        want              `json:"want"`
}

// A want is what must come out. It is written by hand in the table.
type want struct {
	SignedIn bool                      `json:"signedIn"`
	Code     string                    `json:"code"`
	Mode     policy.AuthenticationMode `json:"authenticationMode"`
	Rule     int                       `json:"rule"` // -1 for the default
	Affinity certuserid.Affinity       `json:"requiredAffinity"`
	Binding  string                    `json:"binding"` // "PrincipalName userPrincipalName", "" for none
	// Changes are the open questions whose other reading changes the verdict, all
	// of them; Leans are some of the others that must be listed.
	Changes []string `json:"changes,omitempty"`
	Leans   []string `json:"leans,omitempty"`
	// Absent are questions that must not be listed.
	Absent []string `json:"absent,omitempty"`
	// Says are texts that must stand in the message or a step.
	Says []string `json:"says,omitempty"`
}

var caseOptions = map[string]func(*signin.Options){
	"CheckExempted":            func(o *signin.Options) { o.CheckExempted = true },
	"RequireParentCRLs":        func(o *signin.Options) { o.RequireParentCRLs = true },
	"RefuseHTTPS":              func(o *signin.Options) { o.RefuseHTTPS = true },
	"SkipRevocation":           func(o *signin.Options) { o.SkipRevocation = true },
	"AnyAllowedIssuer":         func(o *signin.Options) { o.AnyAllowedIssuer = true },
	"MaxDepth5":                func(o *signin.Options) { o.Trust.MaxDepth = 5 },
	"MaxDepth64":               func(o *signin.Options) { o.Trust.MaxDepth = 64 },
	"FirstFiveMatching":        func(o *signin.Options) { o.FirstFiveMatching = true },
	"IgnoreRootScopes":         func(o *signin.Options) { o.IgnoreRootScopes = true },
	"DocumentedOnly":           func(o *signin.Options) { o.Trust.DocumentedOnly = true },
	"RuleLowersAffinity":       func(o *signin.Options) { o.Policy.RuleLowersAffinity = true },
	"OnlyDecidingRuleAffinity": func(o *signin.Options) { o.Policy.OnlyDecidingRuleAffinity = true },
	"ConflictIsMultiFactor":    func(o *signin.Options) { o.Policy.ConflictIsMultiFactor = true },
	"StopAtMismatch":           func(o *signin.Options) { o.Policy.StopAtMismatch = true },
	"EitherAffinity":           func(o *signin.Options) { o.Policy.EitherAffinity = true },
	"AnyName":                  func(o *signin.Options) { o.Policy.AnyName = true },
	"ExactNames":               func(o *signin.Options) { o.Policy.ExactNames = true },
	"ExactUserIDs":             func(o *signin.Options) { o.Policy.ExactUserIDs = true },
	"RootFirstIssuers":         func(o *signin.Options) { o.Policy.RootFirstIssuers = true },
	"IdentifierInCombinedRule": func(o *signin.Options) { o.Policy.IdentifierInCombinedRule = true },
	"UnknownRuleIsCombined":    func(o *signin.Options) { o.Policy.UnknownRuleIsCombined = true },
	"BigEndianSerial":          func(o *signin.Options) { o.IDs.BrokenBigEndianSerial = true },
	"HashOfPublicKey":          func(o *signin.Options) { o.IDs.HashInput = certuserid.PublicKeyInfo },
}

// caseFailures are downloads that fail, by name.
var caseFailures = map[string]*crl.Error{
	"403":       {Reason: crl.Download, HTTPStatus: 403, Detail: "the server answered 403 Forbidden"},
	"timeout":   {Reason: crl.Timeout, Detail: "the list was not there after 10s"},
	"too large": {Reason: crl.TooLarge, Size: 30_000_000, Detail: "30000000 bytes or more, and the limit is 20971520"},
	"ldap":      {Reason: crl.BadURL, Detail: "the scheme is ldap"},
	"private":   {Reason: crl.ForbiddenAddress, Detail: "10.0.0.1 is a private address"},
}

// A caseSource is the network of a case. What it does not have answers 404.
type caseSource struct {
	files map[string][]byte // of testdata/pki
	lists map[string]string
	kept  *sync.Map // by URL and authority, as a [fetch.Client] keeps them
}

func (s caseSource) Fetch(_ context.Context, url string, ca *x509.Certificate) (*crl.List, error) {
	key := url + string(ca.Raw)
	if list, ok := s.kept.Load(key); ok {
		return list.(*crl.List), nil
	}
	name, ok := s.lists[url]
	if failure := caseFailures[name]; failure != nil {
		e := *failure
		e.URL = url
		return nil, &e
	}
	if !ok {
		return nil, &crl.Error{Reason: crl.Download, HTTPStatus: 404, URL: url, Detail: "the server answered 404 Not Found"}
	}
	content, ok := s.files[name]
	if !ok {
		return nil, fmt.Errorf("the case names the list %q, which is not there", name)
	}
	list, err := crl.Parse(content)
	if err == nil {
		err = list.CheckIssuer(ca)
	}
	var failure *crl.Error
	if errors.As(err, &failure) {
		failure.URL = url
	}
	if err != nil {
		return nil, err
	}
	s.kept.Store(key, list)
	return list, nil
}

// load reads a case as it stands in its file.
func (c testCase) load(files map[string][]byte) (*signin.Tenant, signin.Request, error) {
	return c.loadWith(files, signin.Calibration{})
}

// loadWith loads a case for a tenant whose log has settled readings.
func (c testCase) loadWith(files map[string][]byte, log signin.Calibration) (*signin.Tenant, signin.Request, error) {
	tenant, err := c.compile(files, log)
	if err != nil {
		return nil, signin.Request{}, err
	}
	r, err := c.request(files)
	return tenant, r, err
}

// compile is the tenant of a case.
func (c testCase) compile(files map[string][]byte, log signin.Calibration) (*signin.Tenant, error) {
	config, err := signin.ParseConfig(c.Tenant)
	if err != nil {
		return nil, err
	}
	options := signin.Options{CRLs: caseSource{files, c.Lists, new(sync.Map)}}
	for _, name := range c.Options {
		set := caseOptions[name]
		if set == nil {
			return nil, fmt.Errorf("no option %q", name)
		}
		set(&options)
	}
	options.Calibration = log
	return config.Compile(options)
}

// request is the sign-in of a case.
func (c testCase) request(files map[string][]byte) (signin.Request, error) {
	user, err := policy.ParseUser(c.User)
	if err != nil {
		return signin.Request{}, err
	}
	block, _ := pem.Decode(files[c.Certificate])
	if block == nil {
		return signin.Request{}, fmt.Errorf("no certificate %q", c.Certificate)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return signin.Request{}, err
	}
	r := signin.Request{User: &user, Certificate: cert, At: c.At}
	switch text := string(c.Require); text {
	case "", "null":
	case `"mfa"`:
		r.Require = signin.MFA()
	case `"phishing-resistant"`:
		r.Require = signin.PhishingResistant()
	default:
		strength, err := signin.ParseStrength(c.Require)
		if err != nil {
			return signin.Request{}, err
		}
		r.Require = signin.Require(strength)
	}
	return r, nil
}

// got brings a verdict into the form of a want.
func got(v signin.Verdict, w want) want {
	g := want{SignedIn: v.SignedIn, Code: v.Code, Mode: v.AuthenticationMode, Rule: -1, Affinity: v.RequiredAffinity}
	if v.ModeRule != nil {
		g.Rule = v.ModeRule.Index
	}
	if v.Binding != nil {
		g.Binding = fmt.Sprintf("%s %s", v.Binding.Field, v.Binding.Property)
	}
	var listed []string
	for _, a := range v.Assumptions {
		if a.ID[0] < '0' || a.ID[0] > '9' {
			continue // about the input, not a question: see TestExported
		}
		if a.ChangesVerdict {
			if !slices.Contains(g.Changes, a.ID) {
				g.Changes = append(g.Changes, a.ID)
			}
			continue
		}
		listed = append(listed, a.ID)
	}
	for _, id := range w.Leans {
		if slices.Contains(listed, id) {
			g.Leans = append(g.Leans, id)
		}
	}
	for _, id := range w.Absent {
		if !slices.Contains(listed, id) && !slices.Contains(g.Changes, id) {
			g.Absent = append(g.Absent, id)
		}
	}
	all := v.Message
	for _, s := range v.Steps {
		all += "\n" + s.Detail
	}
	for _, text := range w.Says {
		if strings.Contains(all, text) {
			g.Says = append(g.Says, text)
		}
	}
	return g
}

// checkVerdict holds what every verdict must: the same answer from Decide, no
// failing step exactly if signed in, a code and a message if refused, and texts
// in one line.
func checkVerdict(tb testing.TB, tenant *signin.Tenant, r signin.Request) signin.Verdict {
	tb.Helper()
	v, err := tenant.Explain(context.Background(), r)
	if err != nil {
		tb.Fatalf("Explain: %v", err)
	}
	answer, err := tenant.Decide(context.Background(), r)
	if err != nil {
		tb.Fatalf("Decide: %v", err)
	}
	if answer != v.Answer() {
		tb.Errorf("Decide says %+v, Explain %+v", answer, v.Answer())
	}
	held, err := tenant.Certificate(r.Certificate)
	if err != nil {
		tb.Fatalf("Certificate: %v", err)
	}
	if again, err := held.Decide(context.Background(), r.User, r.At, r.Require); err != nil || again != answer {
		tb.Errorf("the held certificate: %+v, %v, Decide says %+v", again, err, answer)
	}
	failed, first := 0, ""
	refusal, refused := v.Refusal()
	for _, s := range v.Steps {
		if s.Outcome == lint.Fail {
			failed++
			first = orText(first, s.Code)
			if !codePattern.MatchString(s.Code) {
				tb.Errorf("step %q fails with the code %q", s.Name, s.Code)
			}
		} else if s.Code != "" {
			tb.Errorf("step %q has the outcome %v and the code %s", s.Name, s.Outcome, s.Code)
		}
		if !isStepName(s.Name) {
			tb.Errorf("step %q is none of StepNames", s.Name)
		}
		if s.Outcome < lint.Pass || s.Outcome > lint.Warn || s.Name == "" || s.Detail == "" || s.Source == "" {
			tb.Errorf("step %+v lacks something", s)
		}
	}
	switch {
	case v.SignedIn != (v.Outcome == signin.SignedIn) || v.Outcome < signin.SignedIn || v.Outcome > signin.Undecided:
		tb.Errorf("signed in: %v, and the outcome is %v", v.SignedIn, v.Outcome)
	case refused != (v.Outcome == signin.Refused) || refused && (refusal.Code != v.Code || v.Message != refusal.Name+": "+refusal.Detail):
		tb.Errorf("%v, and the step that refuses is %+v", v.Outcome, refusal)
	case refused != (failed > 0):
		tb.Errorf("%v, and %d steps fail", v.Outcome, failed)
	case (v.Outcome == signin.Undecided) != (len(v.Missing) > 0):
		tb.Errorf("%v, and missing is %+v", v.Outcome, v.Missing)
	case v.Outcome == signin.Undecided && (v.Code != "" || v.Message == ""):
		tb.Errorf("undecided with code %q, message %q", v.Code, v.Message)
	case v.SignedIn && (v.Code != "" || v.Message != "" || v.Binding == nil):
		tb.Errorf("signed in with code %q, message %q, binding %v", v.Code, v.Message, v.Binding)
	case refused && (!codePattern.MatchString(v.Code) || v.Message == ""):
		tb.Errorf("refused with code %q, message %q", v.Code, v.Message)
	case refused && !slices.ContainsFunc(v.Steps, func(s signin.Step) bool { return s.Code == v.Code && v.Message == s.Name+": "+s.Detail }):
		tb.Errorf("the message is that of no step with the code %s: %s", v.Code, v.Message)
	case v.MFASatisfied != (v.SignedIn && v.AuthenticationMode == policy.MultiFactor):
		tb.Errorf("MFA satisfied: %v", v.MFASatisfied)
	}
	for _, m := range v.Missing {
		if m.What == "" || m.Why == "" || m.How == "" {
			tb.Errorf("missing %+v lacks something", m)
		}
	}
	if v.Steps == nil || v.Assumptions == nil || v.Missing == nil {
		tb.Error("a list is nil, which JSON shows as null")
	}
	for _, a := range v.Assumptions {
		if a.ID == "" || a.Text == "" {
			tb.Errorf("assumption %+v lacks something", a)
		}
	}
	return v
}

func isStepName(name string) bool {
	return slices.ContainsFunc(stepNames(), func(n lint.StepName) bool { return n.Name == name })
}

// stepNames are those that a verdict can have.
func stepNames() []lint.StepName {
	return slices.Concat(policy.StepNames(), trust.StepNames(), signin.StepNames())
}

var codePattern = regexp.MustCompile(`^AADSTS[0-9]{5,7}$`)

func TestCases(t *testing.T) {
	updateWorld(t)
	files := map[string][]byte{}
	entries, err := os.ReadDir(worldFolder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if files[e.Name()], err = os.ReadFile(filepath.Join(worldFolder, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	folder := filepath.Join("testdata", "cases")
	written := writtenCases(t)
	if *update {
		if err := os.RemoveAll(folder); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range written {
			if err := os.WriteFile(filepath.Join(folder, name), text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	names, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(names) < minCases || len(names) != len(written) {
		t.Errorf("%d cases on disk, want %d and at least %d", len(names), len(written), minCases)
	}
	in := 0
	seen := map[string]bool{}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".json"), func(t *testing.T) {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(text, written[filepath.Base(name)]) {
				t.Errorf("the file is not what the table makes; -update writes it")
			}
			var c testCase
			d := json.NewDecoder(bytes.NewReader(text))
			d.DisallowUnknownFields()
			if err := d.Decode(&c); err != nil {
				t.Fatal(err)
			}
			if c.Reason == "" || c.Source == "" {
				t.Error("no reason or no source")
			}
			tenant, request, err := c.load(files)
			if err != nil {
				t.Fatal(err)
			}
			verdict := checkVerdict(t, tenant, request)
			if diff := cmp.Diff(c.Want, got(verdict, c.Want)); diff != "" {
				t.Errorf("%s (%s)\n(-want +got):\n%s\n%s: %s", c.Reason, c.Source, diff, verdict.Code, verdict.Message)
			}
			if verdict.SignedIn {
				in++
			}
			for _, s := range verdict.Steps {
				seen[s.Name] = true
			}
		})
	}
	// Every name is one that a verdict of the cases has, except for those of trust
	// about a certificate that is missing or odd, which its own tests and TestChainKinds have.
	elsewhere := []string{trust.StepCertificate, trust.StepUnreadable, trust.StepSignatureAlgorithm, trust.StepPolicies, trust.StepBasicConstraints, trust.StepCriticalExtension, trust.StepConstraints,
		trust.StepKey, trust.StepExtendedKeyUsage, trust.StepAuthorityKeyID}
	for i, n := range stepNames() {
		if n.Name == "" || n.What == "" || slices.ContainsFunc(stepNames()[:i], func(other lint.StepName) bool { return other.Name == n.Name }) {
			t.Errorf("the name %+v is not whole, or appears twice", n)
		}
		if !seen[n.Name] && !slices.Contains(elsewhere, n.Name) {
			t.Errorf("no verdict has a step %q", n.Name)
		}
	}
	if in < 50 || in > len(names)-50 {
		t.Errorf("%d of %d signed in: too few of one kind to prove anything", in, len(names))
	}
}

// A scenario is a row of the table. Its texts are short forms: see config.
type scenario struct {
	name, reason, source string

	bindings string // "PN>UPN 1, SKI>CUID 3"; "" is PN>UPN 1
	rules    string // "CN=CA1 = MF; 1.2.3.4 = MF high; CN=CA1 + 1.2.3 = SF"
	defaults string // "MF", "SF high"; "" is SF low
	config   func(*policy.Config)
	stores   func(*trust.Config)
	cas      string // "" is WoodgroveCA, OtherCA and those above the certificate
	user     func(*policy.User)
	cert     string // "" is bob
	lists    string // "URL FILE; URL FILE" beside the standard ones; FILE - is none
	at       time.Time
	require  string
	options  string
	want     want
}

// authorities returns the names of those that the tenant has stored.
func (s scenario) authorities() []string {
	if s.cas != "" {
		return strings.Fields(s.cas)
	}
	list := []string{"woodgrove", "other"}
	issuer := func(of string) string {
		return worldCerts[slices.IndexFunc(worldCerts, func(n namedSpec) bool { return n.name == of })].spec.issuer
	}
	for name := issuer(orText(s.cert, "bob")); name != ""; name = issuer(name) {
		if !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

func url(ca string) string { return "http://crl.woodgrove.com/" + ca + ".crl" }

const groupA, groupB = "aaaaaaaa-0000-0000-0000-000000000000", "bbbbbbbb-0000-0000-0000-000000000000"

var (
	shortFields = map[string]certuserid.Mapping{"PN": certuserid.PrincipalName, "RFC822": certuserid.RFC822Name, "IS": certuserid.IssuerAndSubject,
		"S": certuserid.Subject, "SKI": certuserid.SKI, "SHA1": certuserid.SHA1PublicKey, "ISR": certuserid.IssuerAndSerialNumber}
	shortProperties = map[string]policy.UserProperty{"UPN": policy.UserPrincipalName, "CUID": policy.CertificateUserIDs, "ONPREM": policy.OnPremisesUserPrincipalName}
	shortModes      = map[string]policy.AuthenticationMode{"SF": policy.SingleFactor, "MF": policy.MultiFactor}
)

func binding(text string) (certuserid.Mapping, policy.UserProperty) {
	field, property, _ := strings.Cut(text, ">")
	f, p := shortFields[field], shortProperties[property]
	if f == "" || p == "" {
		panic("binding " + text)
	}
	return f, p
}

func modeAndAffinity(text string) (policy.AuthenticationMode, certuserid.Affinity) {
	words := strings.Fields(text)
	mode, affinity := shortModes[words[0]], certuserid.Low
	if mode == "" {
		panic("mode " + text)
	}
	if len(words) > 1 {
		affinity = certuserid.Affinity(words[1])
	}
	return mode, affinity
}

// tenant makes the tenant of a scenario.
func (s scenario) tenant(w *world) signin.Config {
	c := policy.ServiceDefault()
	c.State = policy.Enabled
	c.UserBindings = nil
	for _, text := range strings.Split(orText(s.bindings, "PN>UPN 1"), ", ") {
		words := strings.Fields(text)
		field, property := binding(words[0])
		priority, err := strconv.Atoi(words[1])
		if err != nil {
			panic(err)
		}
		c.UserBindings = append(c.UserBindings, policy.UserBinding{Field: field, Property: property, Priority: int32(priority), Affinity: field.Affinity()})
	}
	c.AuthenticationMode.Default, c.AuthenticationMode.DefaultAffinity = modeAndAffinity(orText(s.defaults, "SF"))
	c.AuthenticationMode.Rules = []policy.Rule{}
	for _, text := range strings.Split(s.rules, "; ") {
		if text == "" {
			continue
		}
		left, right, _ := strings.Cut(text, " = ")
		issuer, oid, both := strings.Cut(left, " + ")
		r := policy.Rule{Type: policy.IssuerSubjectAndPolicyOID, IssuerSubjectIdentifier: issuer, PolicyOIDIdentifier: oid}
		if !both && strings.Contains(left, "CN=") {
			r = policy.Rule{Type: policy.IssuerSubject, Identifier: left, IssuerSubjectIdentifier: left}
		} else if !both {
			r = policy.Rule{Type: policy.PolicyOID, Identifier: left, PolicyOIDIdentifier: left}
		}
		r.Mode, r.RequiredAffinity = modeAndAffinity(right)
		c.AuthenticationMode.Rules = append(c.AuthenticationMode.Rules, r)
	}
	if s.config != nil {
		s.config(&c)
	}
	var certs []*x509.Certificate
	cas := s.authorities()
	for _, name := range cas {
		certs = append(certs, w.certs[name])
	}
	pki, err := trust.NewPKI("Woodgrove PKI", certs)
	if err != nil {
		panic(err)
	}
	for i, name := range cas {
		pki.CertificateAuthorities[i].CertificateRevocationListURL = url(name)
	}
	stores := trust.Config{PKIs: trust.PKIs{pki}}
	if s.stores != nil {
		s.stores(&stores)
	}
	return signin.Config{Policy: c, Trust: stores}
}

func (s scenario) testCase(w *world) (testCase, error) {
	c := testCase{Reason: s.reason, Source: s.source, Certificate: orText(s.cert, "bob") + ".pem", At: orTime(s.at, worldNow), Want: s.want, Lists: map[string]string{}}
	if s.options != "" {
		c.Options = strings.Fields(s.options)
	}
	var err error
	if c.Tenant, err = json.Marshal(s.tenant(w)); err != nil {
		return c, err
	}
	user := policy.User{ID: "00000000-0000-0000-0000-00000000b0b0", UserPrincipalName: "bob@woodgrove.com", MemberOf: []policy.DirectoryObject{{ID: groupA}}}
	if s.user != nil {
		s.user(&user)
	}
	if c.User, err = json.Marshal(user); err != nil {
		return c, err
	}
	for _, name := range s.authorities() {
		if _, ok := w.files[name+".crl"]; ok {
			c.Lists[url(name)] = name + ".crl"
		}
	}
	for _, text := range strings.Split(s.lists, "; ") {
		if text == "" {
			continue
		}
		where, file, _ := strings.Cut(text, " ")
		if !strings.Contains(where, ":") {
			where = url(where)
		}
		if file == "-" {
			delete(c.Lists, where)
		} else if c.Lists[where] = file; caseFailures[file] == nil {
			c.Lists[where] = file + ".crl"
		}
	}
	switch {
	case s.require == "":
	case strings.HasPrefix(s.require, "{"):
		c.Require = json.RawMessage(s.require)
	default:
		c.Require = json.RawMessage(strconv.Quote(s.require))
	}
	return c, nil
}

// writtenCases makes the files of testdata/cases from the table.
func writtenCases(t *testing.T) map[string][]byte {
	t.Helper()
	w := theWorld(t)
	written := map[string][]byte{}
	for _, s := range scenarios(w) {
		name := s.name + ".json"
		if written[name] != nil {
			t.Fatalf("two cases are called %q", s.name)
		}
		c, err := s.testCase(w)
		if err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		e.SetIndent("", " ")
		if err := e.Encode(c); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		written[name] = b.Bytes()
	}
	return written
}
