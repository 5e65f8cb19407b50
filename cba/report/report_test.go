package report_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/report"
	"example.com/entracba/cba/signin"
	"example.com/entracba/cba/snapshot"
	"example.com/entracba/cba/trust"
)

const hostile = `</style><script>alert(1)</script><img src=x onerror=alert(2)>"'&{{.}}`

var made = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func found() lint.Findings {
	rule := lint.Rule{Code: "policy-binding-weak", Severity: lint.Error, Effect: lint.LetsIn, What: "weak", Do: "bind by SKI", Source: lint.DeepDive + ", affinity"}
	other := lint.Rule{Code: "ca-expires", Severity: lint.Warning, Effect: lint.LocksOut, What: "expires soon", Do: "renew the CA", Source: lint.Authorities}
	note := lint.Rule{Code: "ca-note", Severity: lint.Info, What: "a note", Source: lint.RFC5280 + " section 4.2.1.3"}
	return lint.Findings{
		rule.At("/certificateUserBindings/0", "binding "+hostile, "%s", hostile),
		other.At("/certificateAuthorities/1", "CA Contoso", "it expires on 2026-04-01"),
		note.At("/certificateAuthorities/2", "", ""),
	}
}

// request returns a tenant and a sign-in that it refuses.
func request(t *testing.T) (*signin.Tenant, signin.Request, signin.Verdict) {
	t.Helper()
	name, err := dn.Parse("CN=Contoso Root CA")
	must(t, err)
	ca, err := cba.NewRoot(t.Context(), cba.Authority{Name: name, KeyType: cba.P256})
	must(t, err)
	key, err := cba.P256.Generate()
	must(t, err)
	cert, err := ca.Issue(t.Context(), key.Public(), cba.Subject{UPN: "jane@yourdomain.com"}, cba.Profile{})
	must(t, err)
	config := signin.Config{Policy: policy.ServiceDefault()}
	config.Policy.State = policy.Enabled
	pki, err := trust.NewPKI("Contoso PKI", ca.CACertificates())
	must(t, err)
	config.Trust.PKIs = trust.PKIs{pki}
	tenant, err := config.Compile(signin.Options{})
	must(t, err)
	r := signin.Request{User: &policy.User{UserPrincipalName: "jane@yourdomain.onmicrosoft.com"}, Certificate: cert, At: time.Now(), Require: signin.MFA()}
	v, err := tenant.Explain(context.Background(), r)
	must(t, err)
	return tenant, r, v
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func full(t *testing.T) report.Report {
	t.Helper()
	affected := &report.AffectedPart{}
	for i := range 1000 {
		c := signin.Change{Index: i, Case: signin.Case{User: &policy.User{UserPrincipalName: fmt.Sprintf("user%d@%s", i, hostile)}, Certificates: []*x509.Certificate{{}}}, Difference: signin.Same}
		c.Before.Outcome, c.After.Outcome = signin.Refused, signin.Refused
		switch {
		case i%100 == 0:
			c.Difference, c.After.Code = signin.Loses, "AADSTS500187"
		case i%10 == 0:
			c.Case.Certificates = nil
		}
		affected.Add(c)
	}
	changes, err := snapshot.Compare([]byte(`{"state":"disabled"}`), []byte(`{"state":"enabled","name":`+string(quoted(hostile))+`}`))
	must(t, err)
	return report.Report{
		Title: "Audit of " + hostile, Subject: hostile, Made: made, Version: "v1",
		Findings: report.Findings(found(), report.FindingsOptions{Before: found()[1:2], At: made}),
		SignIn:   report.SignIn(request(t)),
		Affected: affected,
		Plan:     report.Plan("method "+hostile, changes),
		Evidence: &report.EvidencePart{Default: "single-factor", Settings: made,
			Rules:   []report.EvidenceRule{{Type: "issuerSubject", Issuer: "CN=" + hostile, Mode: "multifactor"}},
			SignIns: []report.EvidenceCount{{Issuer: "CN=Other", Mode: "multifactor", SignIns: 3, Differ: 3}}},
	}
}

func quoted(text string) []byte { b, _ := json.Marshal(text); return b }

func page(t *testing.T, r report.Report) string {
	t.Helper()
	var b bytes.Buffer
	must(t, r.WriteHTML(&b))
	return b.String()
}

// The page's policy allows its own style and nothing else, and nothing on the page
// needs more: no script, no attribute with code or style, no address to load.
func TestPageIsClosed(t *testing.T) {
	html := page(t, full(t))
	style := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindAllStringSubmatch(html, -1)
	policies := regexp.MustCompile(`http-equiv="Content-Security-Policy" content="([^"]*)"`).FindAllStringSubmatch(html, -1)
	if len(style) != 1 || len(policies) != 1 {
		t.Fatalf("%d styles, %d policies", len(style), len(policies))
	}
	sum := sha256.Sum256([]byte(style[0][1]))
	want := "default-src &#39;none&#39;; style-src &#39;sha256-" + strings.NewReplacer("+", "&#43;").Replace(base64.StdEncoding.EncodeToString(sum[:])) + "&#39;; base-uri &#39;none&#39;; form-action &#39;none&#39;"
	if policies[0][1] != want {
		t.Errorf("policy\n got %s\nwant %s", policies[0][1], want)
	}
	if strings.Index(html, "Content-Security-Policy") > strings.Index(html, "<style") {
		t.Error("the policy stands behind what it must hold")
	}
	// The buttons of the filter belong to no form, and work by the style alone.
	button := regexp.MustCompile(`^<input type="radio" name="show" value="[a-z-]+"( checked)?>$`)
	for _, tag := range regexp.MustCompile(`<[^!][^>]*>`).FindAllString(html, -1) {
		if button.MatchString(tag) {
			continue
		}
		if regexp.MustCompile(`(?i)^<(script|img|iframe|object|embed|link|form|base|input|video|audio|use|image)\b|\s(on\w+|style|src|srcset|action|background|xlink:href)\s*=`).MatchString(tag) {
			t.Errorf("tag %s", tag)
		}
		if href := regexp.MustCompile(`href="([^"]*)"`).FindStringSubmatch(tag); href != nil && !strings.HasPrefix(href[1], "https://") {
			t.Errorf("link to %q", href[1])
		}
	}
	for _, broken := range []string{"ZgotmplZ", "<no value>", "%!"} {
		if strings.Contains(html, broken) {
			t.Errorf("the page has %q", broken)
		}
	}
	if strings.Contains(html, "alert(1)</script>") {
		t.Error("hostile text is markup")
	}
	if !strings.Contains(html, "alert(1)&lt;/script&gt;") {
		t.Error("hostile text was lost")
	}
}

// The page is well formed: a reader that knows nothing of HTML's repairs takes it.
func TestPageIsWellFormed(t *testing.T) {
	html := page(t, full(t))
	html = regexp.MustCompile(`<(meta|br|input)\b([^>]*?)( checked)?>`).ReplaceAllString(html, "<$1$2/>")
	html = regexp.MustCompile(`(<details[^>]*) open>`).ReplaceAllString(html, `$1 open="">`)
	d := xml.NewDecoder(strings.NewReader(strings.TrimPrefix(html, "<!doctype html>")))
	d.Entity = xml.HTMLEntity
	ids := map[string]bool{}
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		must(t, err)
		if start, ok := token.(xml.StartElement); ok {
			for _, a := range start.Attr {
				if a.Name.Local == "id" {
					if ids[a.Value] {
						t.Errorf("id %q is used twice", a.Value)
					}
					ids[a.Value] = true
				}
			}
		}
	}
	if len(ids) != 5 {
		t.Errorf("%d sections", len(ids))
	}
}

func TestPageSize(t *testing.T) {
	small := len(page(t, full(t)))
	if small > 100_000 {
		t.Errorf("%d bytes", small)
	}
	// A million users, of whom a quarter lose access for the same two reasons.
	many := &report.AffectedPart{}
	person := &policy.User{UserPrincipalName: "somebody@yourdomain.com"}
	for i := range 1_000_000 {
		c := signin.Change{Case: signin.Case{User: person, Certificates: []*x509.Certificate{nil}}, Difference: signin.Same}
		if i%4 == 0 {
			c.Difference, c.After.Code = signin.Loses, []string{"AADSTS500187", "AADSTS500176"}[i/4%2]
		}
		many.Add(c)
	}
	html := page(t, report.Report{Title: "t", Made: made, Affected: many})
	if len(html) > 100_000 || !strings.Contains(html, "250000") || !strings.Contains(html, "125000 users lose access: AADSTS500176") {
		t.Errorf("%d bytes", len(html))
	}
	// A fault of many users is one entry.
	rule := lint.Rule{Code: "user-x", Severity: lint.Error, What: "w", Do: "d", Source: lint.UserIDs}
	var list lint.Findings
	for i := range 10_000 {
		list = append(list, rule.At(fmt.Sprintf("/users/%d", i), "", "the same"))
	}
	html = page(t, report.Report{Title: "t", Made: made, Findings: report.Findings(list, report.FindingsOptions{})})
	if len(html) > 100_000 || !strings.Contains(html, "9975 more places") {
		t.Errorf("%d bytes", len(html))
	}
}

func TestNewStillFixed(t *testing.T) {
	all := found()
	part := report.Findings(all[:2], report.FindingsOptions{Before: lint.Findings{all[1], all[2]}})
	got := map[string]report.State{}
	for _, r := range part.Rows {
		got[r.Code] = r.State
	}
	if len(part.Rows) != 3 || got[all[0].Code] != report.New || got[all[1].Code] != report.Still || got[all[2].Code] != report.Fixed {
		t.Errorf("%v", got)
	}
	if tally := part.Tally(); tally != (report.Tally{Errors: 1, Warnings: 1, LocksOut: 1, LetsIn: 1, New: 1, Still: 1, Fixed: 1}) {
		t.Errorf("%+v", tally)
	}
	// Two findings of one code and place are two.
	part = report.Findings(lint.Findings{all[0], all[0]}, report.FindingsOptions{Before: all[:1]})
	if tally := part.Tally(); tally.New != 1 || tally.Still != 1 || tally.Fixed != 0 {
		t.Errorf("%+v", tally)
	}
	// Without a report before, nothing is called new.
	if part = report.Findings(all, report.FindingsOptions{}); part.Compared || part.Rows[0].State != "" {
		t.Errorf("%+v", part)
	}
}

func TestOmissions(t *testing.T) {
	list, err := report.ParseOmissions([]byte(`[
		{"code":"ca-expires","where":"/certificateAuthorities/1","reason":"replaced in March","until":"2026-03-02"},
		{"code":"policy-binding-weak","reason":"accepted","until":"2026-03-01"}]`))
	must(t, err)
	part := report.Findings(found(), report.FindingsOptions{Omissions: list, At: made})
	if len(part.Omitted) != 1 || part.Omitted[0].Code != "ca-expires" || part.Omitted[0].Omitted != "replaced in March" {
		t.Errorf("omitted %+v", part.Omitted)
	}
	if len(part.Rows) != 2 || part.Rows[0].Expired == nil {
		t.Errorf("an omission that has ended still hides a finding: %+v", part.Rows)
	}
	html := page(t, report.Report{Title: "t", Made: made, Findings: part})
	if !strings.Contains(html, "replaced in March") || !strings.Contains(html, "accepted until 2026-03-01, shows again") {
		t.Error("the page does not say what was accepted, or what shows again")
	}
	// Another place is another finding, and without a time nothing is hidden.
	if part = report.Findings(found(), report.FindingsOptions{Omissions: list}); len(part.Omitted) != 0 {
		t.Error("omitted without a time")
	}
	list[0].Where = "/certificateAuthorities/7"
	if part = report.Findings(found(), report.FindingsOptions{Omissions: list, At: made}); len(part.Omitted) != 0 {
		t.Error("omitted at another place")
	}
}

func TestBadOmissions(t *testing.T) {
	for _, text := range []string{``, `{}`, `[{}]`, `[{"code":"x"}]`, `[{"code":"x","reason":"r"}]`, `[{"code":"x","reason":"r","until":"soon"}]`,
		`[{"code":"x","reason":"r","untill":"2026-01-01"}]`, `[] []`, `[{"code":"x","reason":"r","until":"2026-13-01"}]`, strings.Repeat(" ", 2<<20)} {
		if _, err := report.ParseOmissions([]byte(text)); !errors.Is(err, report.BadOmissions) || len(err.Error()) > 300 {
			t.Errorf("%.60q: %v", text, err)
		}
	}
}

func TestFilters(t *testing.T) {
	part := report.Findings(found(), report.FindingsOptions{Least: lint.Warning})
	if len(part.Rows) != 2 || part.NotListed != 1 {
		t.Errorf("%+v", part)
	}
	part = report.Findings(found(), report.FindingsOptions{OnlyEffects: true})
	if len(part.Rows) != 2 || part.NotListed != 1 || !strings.Contains(page(t, report.Report{Title: "t", Made: made, Findings: part}), "1 finding is not listed") {
		t.Errorf("%+v", part)
	}
}

func TestSignInShowsWhatDiffers(t *testing.T) {
	part := report.SignIn(request(t))
	if len(part.Chain) != 2 || part.Chain[0].Stores != "" || part.Chain[1].Stores == "" {
		t.Errorf("chain %+v", part.Chain)
	}
	if len(part.Chain[0].Steps) == 0 {
		t.Error("the certificate has no steps")
	}
	if len(part.Bindings) == 0 || part.Bindings[0].Certificate != "jane@yourdomain.com" {
		t.Fatalf("bindings %+v", part.Bindings)
	}
	v := part.Bindings[0].Account[0]
	if v.Same != "jane@yourdomain." || v.Differs != "onmicrosoft." || v.End != "com" {
		t.Errorf("%+v", v)
	}
	html := page(t, report.Report{Title: "t", Made: made, SignIn: part})
	if !strings.Contains(html, "jane@yourdomain.<mark>onmicrosoft.</mark>com") || !strings.Contains(html, part.Verdict.Code) {
		t.Error("the page does not mark what differs")
	}
}

// The JSON is as complete as the page: every text of the values is in both.
func TestJSONIsComplete(t *testing.T) {
	r := full(t)
	var b bytes.Buffer
	must(t, r.WriteJSON(&b))
	var any map[string]any
	must(t, json.Unmarshal(b.Bytes(), &any))
	for _, part := range []string{"version", "title", "made", "program", "tally", "findings", "signIn", "affected", "plan", "evidence"} {
		if _, ok := any[part]; !ok {
			t.Errorf("no %q", part)
		}
	}
	for _, text := range []string{"policy-binding-weak", "AADSTS500187", `"withoutCertificate": 90`, `"loses": 10`, "https://learn.microsoft.com/", `"state": "still there"`} {
		if !strings.Contains(b.String(), text) {
			t.Errorf("no %q", text)
		}
	}
}

func TestReadFindings(t *testing.T) {
	omit := []report.Omission{{Code: "ca-note", Reason: "known", Until: report.Day(made.AddDate(1, 0, 0))}}
	gone := lint.Rule{Code: "x-gone", Severity: lint.Info, What: "w", Source: lint.FAQ}.At("/x", "", "")
	r := report.Report{Title: "t", Made: made, Findings: report.Findings(found(), report.FindingsOptions{Before: lint.Findings{gone}, Omissions: omit, At: made})}
	var b bytes.Buffer
	must(t, r.WriteJSON(&b))
	before, err := report.ReadFindings(b.Bytes())
	must(t, err)
	again := report.Findings(found(), report.FindingsOptions{Before: before})
	if tally := again.Tally(); tally.Still != 3 || tally.New+tally.Fixed != 0 {
		t.Errorf("%+v of %v", tally, before)
	}
	for _, text := range []string{"", "[]", "{}", `{"version":2,"findings":{}}`, `{"version":1}`, `{"version":1,"findings":{"findings":[{"severity":"x"}]}}`} {
		if _, err := report.ReadFindings([]byte(text)); !errors.Is(err, report.BadReport) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzReadFindings(f *testing.F) {
	var b bytes.Buffer
	r := report.Report{Title: "t", Made: made, Findings: report.Findings(found(), report.FindingsOptions{})}
	if err := r.WriteJSON(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(`{"version":1,"findings":{"findings":[{"code":"a","severity":"error","where":"w","what":"x","state":"fixed"}]}}`))
	// What was read, and is reported and read again, is the same.
	f.Fuzz(func(t *testing.T, data []byte) {
		first, err := report.ReadFindings(data)
		if err != nil {
			return
		}
		var b bytes.Buffer
		r := report.Report{Title: "t", Made: made, Findings: report.Findings(first, report.FindingsOptions{})}
		if err := r.WriteJSON(&b); err != nil {
			return // an unset severity cannot be written
		}
		again, err := report.ReadFindings(b.Bytes())
		if err != nil || len(again) != len(first) {
			t.Fatalf("%d findings, then %d: %v", len(first), len(again), err)
		}
	})
}

func FuzzParseOmissions(f *testing.F) {
	f.Add([]byte(`[{"code":"ca-expires","where":"/x","reason":"r","until":"2026-03-02"}]`))
	f.Add([]byte(`[{}]`))
	// Whatever is read says what, why and until when.
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := report.ParseOmissions(data)
		for _, o := range list {
			if err == nil && (o.Code == "" || o.Reason == "" || o.Until.Time().IsZero()) {
				t.Fatalf("%+v", o)
			}
		}
	})
}

func TestCheck(t *testing.T) {
	if err := (report.Report{}).WriteHTML(io.Discard); !errors.Is(err, report.NoTime) {
		t.Error(err)
	}
	if err := (report.Report{Made: made}).WriteJSON(io.Discard); !errors.Is(err, report.NoParts) {
		t.Error(err)
	}
}

func TestCSV(t *testing.T) {
	list := found()
	list[1].Where = "=HYPERLINK(1)"
	var b bytes.Buffer
	must(t, report.WriteCSV(&b, report.Findings(list, report.FindingsOptions{})))
	rows, err := csv.NewReader(&b).ReadAll()
	must(t, err)
	if len(rows) != 4 || rows[1][4] != "'=HYPERLINK(1)" || rows[2][6] != hostile {
		t.Errorf("%q", rows)
	}
}

func TestSARIF(t *testing.T) {
	omit := []report.Omission{{Code: "ca-note", Reason: "known", Until: report.Day(made.AddDate(1, 0, 0))}}
	part := report.Findings(found(), report.FindingsOptions{Before: found()[1:2], Omissions: omit, At: made})
	var b bytes.Buffer
	must(t, report.WriteSARIF(&b, part, report.SARIFOptions{Version: "v1", File: "tenant.json"}))
	var log struct {
		Version string
		Runs    []struct {
			Tool struct {
				Driver struct {
					Rules []struct{ ID, HelpURI string }
				}
			}
			Results []struct {
				RuleID, Level, BaselineState string
				RuleIndex                    int
				Suppressions                 []any
			}
		}
	}
	must(t, json.Unmarshal(b.Bytes(), &log))
	run := log.Runs[0]
	if log.Version != "2.1.0" || len(run.Results) != 3 || len(run.Tool.Driver.Rules) != 3 {
		t.Fatalf("%s", b.String())
	}
	for _, r := range run.Results {
		if run.Tool.Driver.Rules[r.RuleIndex].ID != r.RuleID {
			t.Errorf("result %+v has another rule", r)
		}
		if (len(r.Suppressions) == 1) != (r.RuleID == "ca-note") {
			t.Errorf("suppressed %+v", r)
		}
	}
	if run.Results[0].BaselineState != "unchanged" || run.Results[1].BaselineState != "new" || run.Results[1].Level != "error" {
		t.Errorf("%+v", run.Results)
	}
}

func TestMetrics(t *testing.T) {
	var b bytes.Buffer
	must(t, report.WriteMetrics(&b, report.Metrics{Now: made, Findings: found(),
		CRLs: []report.CRLMetric{{URL: "http://x/a.crl", CA: `C"A\`, NextUpdate: made.Add(time.Hour)}, {URL: "http://x/b.crl", CA: "b"}, {URL: "http://x/b.crl", CA: "b"}},
		CAs:  []report.CAMetric{{CA: "b", NotAfter: made.Add(-time.Minute)}}}))
	for _, line := range []string{
		`entracba_crl_usable{ca="C\"A\\",url="http://x/a.crl"} 1`, `entracba_crl_usable{ca="b",url="http://x/b.crl"} 0`,
		`entracba_crl_next_update_seconds{ca="C\"A\\",url="http://x/a.crl"} 3600`, `entracba_ca_expires_seconds{ca="b"} -60`,
		`entracba_findings{severity="error",effect="lets-in"} 1`, fmt.Sprintf("entracba_read_timestamp_seconds %d", made.Unix()),
	} {
		if strings.Count(b.String(), line+"\n") != 1 {
			t.Errorf("%q stands %d times in\n%s", line, strings.Count(b.String(), line+"\n"), b.String())
		}
	}
	if err := report.WriteMetrics(io.Discard, report.Metrics{}); !errors.Is(err, report.NoTime) {
		t.Error(err)
	}
}

// The package gets a plan as data: it imports nothing that speaks to a tenant.
func TestNoGraph(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	must(t, err)
	if n := bytes.Count(out, []byte("\n")); n < 50 {
		t.Fatalf("%d packages", n)
	}
	if bad := regexp.MustCompile(`(?m)^(example\.com/entracba/cba/graph.*|.*microsoft.*|net/http)$`).FindAllString(string(out), -1); bad != nil {
		t.Errorf("imports %v", bad)
	}
}

// Users in scope without a certificate are a class of their own, and the classes of the
// bar still make up the total.
func TestInScopeWithoutCertificate(t *testing.T) {
	affected := &report.AffectedPart{}
	for i, d := range []signin.Difference{signin.WithoutCertificate, signin.WithoutCertificate, signin.Same, signin.NotKnown} {
		affected.Add(signin.Change{Index: i, Case: signin.Case{User: &policy.User{UserPrincipalName: "a@b.org"}}, Difference: d})
	}
	affected.Add(signin.Change{Case: signin.Case{User: &policy.User{}, Certificates: []*x509.Certificate{{}}}, Difference: signin.Same})
	if affected.Count(signin.WithoutCertificate) != 2 || affected.WithoutCertificate() != 4 || affected.Count(signin.Same) != 1 || affected.Count(signin.NotKnown) != 0 {
		t.Errorf("%d, %d", affected.Count(signin.WithoutCertificate), affected.WithoutCertificate())
	}
	r := report.Report{Title: "t", Made: made, Affected: affected}
	if html := page(t, r); !strings.Contains(html, "are in scope and have no certificate") {
		t.Error("the page does not say it")
	}
	var out bytes.Buffer
	if err := r.WriteJSON(&out); err != nil || !strings.Contains(out.String(), `"in scope, without a certificate": 2`) {
		t.Errorf("%v: %s", err, out.String())
	}
}

// TestBack holds that a page of a server leads back, and that a file leads nowhere.
func TestBack(t *testing.T) {
	for back, want := range map[string]string{
		"": "", "https://login.localhost:8443/?user=a&b": `<a href="https://login.localhost:8443/?user=a&amp;b">Back</a>`,
		"javascript:alert(1)": `<a href="#ZgotmplZ">Back</a>`,
	} {
		var b strings.Builder
		r := report.Report{Title: "t", Made: time.Now(), Back: back, Evidence: &report.EvidencePart{}}
		if err := r.WriteHTML(&b); err != nil {
			t.Fatal(err)
		}
		if has := strings.Contains(b.String(), "Back</a>"); has != (want != "") || !strings.Contains(b.String(), want) {
			t.Errorf("%q: a link %v", back, has)
		}
	}
}

// TestWords holds texts that a reader trips over: a rule is counted from one, nothing
// differs from a value that is not there, and a heading is not repeated at every place.
func TestWords(t *testing.T) {
	tenant, r, verdict := request(t)
	verdict.ModeRule = &policy.ModeRule{Index: 1, Type: "policyOID", Identifier: "1.2.3.4"}
	part := report.SignIn(tenant, r, verdict)
	for _, b := range part.Bindings {
		for _, v := range b.Account {
			if b.Certificate == "" && (v.Differs != "" || v.Same == "") {
				t.Errorf("%s: %+v differs from nothing", b.Field, v)
			}
		}
	}
	what := "the same text twice"
	found := lint.Findings{{Code: "a-b", Severity: lint.Info, What: what, Where: "/1"}, {Code: "a-b", Severity: lint.Info, What: what, Where: "/2"}}
	affected := &report.AffectedPart{}
	affected.Add(signin.Change{Difference: signin.NotKnown, Case: signin.Case{User: &policy.User{UserPrincipalName: "a@b.org"}, Certificates: []*x509.Certificate{{}}}, After: signin.Answer{Outcome: signin.Undecided}})
	html := page(t, report.Report{Title: "t", Made: made, SignIn: part, Findings: report.Findings(found, report.FindingsOptions{}), Affected: affected})
	for text, count := range map[string]int{"by rule 2 (policyOID 1.2.3.4)": 1, what: 1, "1 user: what happens after the change is not known": 1} {
		if got := strings.Count(html, text); got != count {
			t.Errorf("%q stands %d times", text, got)
		}
	}
}

// A certificate in a plan is shortened on the page, and whole in the JSON.
func TestPlanShortensCertificates(t *testing.T) {
	long := strings.Repeat("MIIB", 50)
	r := report.Report{Title: "t", Made: made, Plan: report.Plan("The tenant", snapshot.Differences{{Path: "a", After: json.RawMessage(`{"certificate":"` + long + `","name":"x"}`)}})}
	if html := page(t, r); strings.Contains(html, long) || !strings.Contains(html, "... (200 characters)") || !strings.Contains(html, "name") {
		t.Error("the page has all of it, or not enough")
	}
	var out bytes.Buffer
	if err := r.WriteJSON(&out); err != nil || !strings.Contains(out.String(), long) {
		t.Errorf("the JSON lacks it: %v", err)
	}
}

func TestWritePeople(t *testing.T) {
	var b bytes.Buffer
	must(t, report.WritePeople(&b, func(yield func(signin.Difference, report.Person) bool) {
		_ = yield(signin.Loses, report.Person{User: "=cmd@contoso.com", Before: signin.Answer{Outcome: signin.SignedIn, SignedIn: true, AuthenticationMode: policy.SingleFactor},
			After: signin.Answer{Outcome: signin.Refused, Code: "AADSTS1001009"}}) &&
			yield(signin.Gains, report.Person{User: "jane, the second"})
	}))
	lines := strings.Split(b.String(), "\n")
	if len(lines) != 4 || lines[1] != "'=cmd@contoso.com,loses,signedIn,,single-factor,refused,AADSTS1001009,unspecified mode" || !strings.HasPrefix(lines[2], `"jane, the second",gains,`) {
		t.Errorf("%q", lines)
	}
	if report.WritePeople(nil, nil) == nil {
		t.Error("nil is written to")
	}
}

// The evidence counts by issuer and strength, and says of how many the settings give
// another strength, or none that is known.
func TestEvidence(t *testing.T) {
	config := policy.ServiceDefault()
	config.AuthenticationMode.Default = policy.SingleFactor
	issuer := dn.Name{{{Type: dn.CommonName, Value: "Card CA"}}}
	config.AuthenticationMode.Rules = []policy.Rule{policy.IssuerRule(issuer, policy.MultiFactor, certuserid.Low)}
	p := report.Evidence(config, made)
	if !p.OnlyByRule() || p.AnyIssuer() || len(p.Rules) != 1 || p.Rules[0].Issuer != "CN=Card CA" || p.Rules[0].Mode != "multifactor" {
		t.Fatalf("%+v", p)
	}
	later := made.Add(time.Hour)
	p.Add("CN=Card CA", policy.MultiFactor, policy.MultiFactor, later)
	p.Add("CN=Card CA", policy.MultiFactor, policy.SingleFactor, made)
	p.Add("", policy.MultiFactor, "", made)
	p.Add("CN=Card CA", policy.SingleFactor, policy.SingleFactor, made)
	want := []report.EvidenceCount{
		{Issuer: "CN=Card CA", Mode: "multifactor", SignIns: 2, Differ: 1},
		{Mode: "multifactor", SignIns: 1, NotCompared: 1},
		{Issuer: "CN=Card CA", Mode: "single-factor", SignIns: 1},
	}
	if !slices.Equal(p.SignIns, want) || !p.From.Equal(made) || !p.To.Equal(later) || !p.Settings.Equal(made) {
		t.Errorf("%+v", p)
	}
	html := page(t, report.Report{Title: "t", Made: made, Evidence: p})
	for _, says := range []string{"No issuer gets multifactor except by a rule below", `<span class="mark fail">1 not</span>`, "not known: the log does not name it", "not compared"} {
		if !strings.Contains(html, says) {
			t.Errorf("the page lacks %q", says)
		}
	}
	config.AuthenticationMode.Rules = append(config.AuthenticationMode.Rules, policy.PolicyOIDRule(oid(t), policy.MultiFactor, certuserid.Low))
	if !report.Evidence(config, made).AnyIssuer() {
		t.Error("a rule for an OID alone holds for every issuer")
	}
	config.AuthenticationMode.Default = policy.MultiFactor
	if report.Evidence(config, made).OnlyByRule() {
		t.Error("the default gives multifactor")
	}
}

func oid(t *testing.T) x509.OID {
	t.Helper()
	o, err := x509.ParseOID("1.2.3.4")
	must(t, err)
	return o
}
