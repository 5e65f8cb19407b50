package report

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/entracba/cba/aadsts"
	"example.com/entracba/cba/internal/text"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/signin"
)

// A Report is what one file shows. Title and Made are required, and at least one
// part.
type Report struct {
	// Title is the heading: "Audit of contoso.com".
	Title string
	// Subject says in one line what was looked at, and by what.
	Subject string
	// Made is when the values were read.
	Made time.Time
	// Version is that of the program that made them.
	Version string
	// Back is the address of a page that this one leads back to, such as the form of a
	// server that made it. A file has none.
	Back string

	Findings *FindingsPart
	SignIn   *SignInPart
	Affected *AffectedPart
	Plan     *PlanPart
	Evidence *EvidencePart
}

// Check returns what is missing: [NoTime], [NoParts].
func (r Report) Check() error {
	switch {
	case r.Made.IsZero():
		return &Error{Reason: NoTime, Detail: "set Made to the time at which the tenant was read"}
	case r.Findings == nil && r.SignIn == nil && r.Affected == nil && r.Plan == nil && r.Evidence == nil:
		return &Error{Reason: NoParts, Detail: "add findings, a sign-in, who is affected, a plan or evidence"}
	}
	return nil
}

//go:embed page.html
var pageText string

//go:embed page.css
var styleText string

// page is the template. It is parsed once and never changed.
var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"day":     func(t time.Time) string { return t.UTC().Format(time.DateOnly) },
	"minute":  func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") },
	"groups":  groups,
	"effect":  effectWords,
	"url":     link,
	"bars":    bars,
	"plural":  text.Count,
	"number":  func(index int) int { return index + 1 },
	"because": becauseWords,
	"outcome": func(o lint.Outcome) string { return o.String() },
	"verdict": verdictWords, "verdictClass": verdictClass,
	"clip":  clip,
	"lines": valueLines,
}).Parse(strings.Replace(pageText, "/*STYLE*/", styleText, 1)))

// policyOf is the Content-Security-Policy of a page: nothing is loaded, sent or
// run, and of all styles only ours, by its hash, is taken.
func policyOf(style string) string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"
}

// WriteHTML writes the report as one HTML file in UTF-8. Texts of any origin stay
// text. The error is that of [Report.Check] or of w.
func (r Report) WriteHTML(w io.Writer) error {
	if err := r.Check(); err != nil {
		return err
	}
	if w == nil {
		return &Error{Reason: NoWriter}
	}
	return page.Execute(w, struct {
		Report
		Policy  string
		Changes []change
		Tally   Tally
	}{r, policyOf(styleText), changesOf(r.Plan), r.Findings.Tally()})
}

func changesOf(p *PlanPart) []change {
	if p == nil {
		return nil
	}
	return p.changes()
}

// WriteJSON writes everything that the page shows, and no less, as one JSON object.
// The error is that of [Report.Check] or of w.
func (r Report) WriteJSON(w io.Writer) error {
	if err := r.Check(); err != nil {
		return err
	}
	if w == nil {
		return &Error{Reason: NoWriter}
	}
	type plan struct {
		What    string   `json:"what"`
		Changes []change `json:"changes"`
	}
	type affected struct {
		Total              int                       `json:"total"`
		Counts             map[signin.Difference]int `json:"counts"`
		WithoutCertificate int                       `json:"withoutCertificate"`
		Reasons            []Because                 `json:"reasons"`
	}
	out := struct {
		Version  int           `json:"version"` // of this JSON
		Title    string        `json:"title"`
		Subject  string        `json:"subject,omitempty"`
		Made     time.Time     `json:"made"`
		Program  string        `json:"program,omitempty"`
		Tally    *Tally        `json:"tally,omitempty"`
		Findings *FindingsPart `json:"findings,omitempty"`
		SignIn   *SignInPart   `json:"signIn,omitempty"`
		Affected *affected     `json:"affected,omitempty"`
		Plan     *plan         `json:"plan,omitempty"`
		Evidence *EvidencePart `json:"evidence,omitempty"`
	}{Version: 1, Title: r.Title, Subject: r.Subject, Made: r.Made.UTC(), Program: r.Version,
		Findings: r.Findings, SignIn: r.SignIn, Evidence: r.Evidence}
	if r.Findings != nil {
		t := r.Findings.Tally()
		out.Tally = &t
	}
	if r.Affected != nil {
		counts := map[signin.Difference]int{}
		for _, d := range append(differences[:], signin.WithoutCertificate) {
			counts[d] = r.Affected.Count(d)
		}
		out.Affected = &affected{r.Affected.Total(), counts, r.Affected.WithoutCertificate(), r.Affected.Reasons()}
	}
	if r.Plan != nil {
		out.Plan = &plan{r.Plan.What, r.Plan.changes()}
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(out)
}

// base64Text is a text that says nothing to people: a certificate.
var base64Text = regexp.MustCompile(`"[A-Za-z0-9+/]{100,}=*"`)

// shortened leaves out the middle of such texts. The JSON has them.
func shortened(text string) string {
	return base64Text.ReplaceAllStringFunc(text, func(value string) string {
		return fmt.Sprintf("%s... (%d characters)", value[:24], len(value)-2)
	})
}

func effectWords(e lint.Effect) string {
	switch e {
	case lint.LocksOut:
		return "locks people out"
	case lint.LetsIn:
		return "lets the wrong people in"
	}
	return ""
}

// link is the address of a source; a path inside the repository is none.
func link(s lint.Source) string {
	if u := s.URL(); strings.HasPrefix(u, "https://") {
		return u
	}
	return ""
}

// becauseWords is the heading of the users of one reason.
func becauseWords(b Because) string {
	words := map[signin.Difference][2]string{
		signin.Loses: {"loses access", "lose access"}, signin.Gains: {"gains access", "gain access"},
		signin.Weaker:   {"signs in with less proof", "sign in with less proof"},
		signin.Stronger: {"signs in with more proof", "sign in with more proof"},
	}[b.Difference]
	if b.Difference == signin.NotKnown {
		return text.Count(b.Users, "user", "users") + ": what happens " + strings.TrimPrefix(b.Reason, "not known ") + " is not known"
	}
	text := text.Count(b.Users, "user "+words[0], "users "+words[1])
	switch {
	case b.Reason == "":
	case b.Difference == signin.Gains:
		text += ", refused before with " + codeWords(b.Reason)
	case b.Difference == signin.Loses:
		text += ": " + codeWords(b.Reason)
	default:
		text += ": " + b.Reason + " after the change"
	}
	return text
}

// codeWords is a code and when Entra answers with it.
func codeWords(code string) string {
	number, err := strconv.Atoi(strings.TrimPrefix(code, "AADSTS"))
	if c, known := aadsts.Find(number); err == nil && known {
		return code + ", " + cmp.Or(c.When, c.Text)
	}
	return code
}

// valueLines is a JSON value for people: of an object, one line for each property.
func valueLines(raw json.RawMessage) []string {
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) != nil || len(object) == 0 {
		return []string{clip(shortened(string(raw)), 2000)}
	}
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(object)) {
		lines = append(lines, clip(name+": "+shortened(string(object[name])), 2000))
	}
	return lines
}

func verdictClass(v signin.Verdict) string {
	switch v.Outcome {
	case signin.SignedIn:
		return "good"
	case signin.Undecided:
		return "warn"
	}
	return "bad"
}

func verdictWords(v signin.Verdict) string {
	switch v.Outcome {
	case signin.SignedIn:
		return "Signed in"
	case signin.Undecided:
		return "Cannot be told"
	}
	return "Refused"
}

// A bar is one stretch of a bar of 1,000 units.
type bar struct {
	Class, Words string
	Users        int
	At, Width    float64
}

// bars are the counts of a comparison as one bar, those who lose access first.
func bars(p *AffectedPart) []bar {
	words := map[signin.Difference][2]string{
		signin.Loses: {"bad", "lose access"}, signin.Weaker: {"warn", "sign in with less proof"},
		signin.Gains: {"good", "gain access"}, signin.Stronger: {"good", "sign in with more proof"}, signin.Same: {"same", "see no change"},
		signin.NotKnown: {"unknown", "may or may not sign in: the input does not say enough"},
	}
	var list []bar
	for _, d := range differences {
		list = append(list, bar{Class: words[d][0], Words: words[d][1], Users: p.Count(d)})
	}
	inScope := p.Count(signin.WithoutCertificate)
	list = append(list, bar{Class: "bad", Words: "are in scope and have no certificate", Users: inScope},
		bar{Class: "none", Words: "have no certificate", Users: p.WithoutCertificate() - inScope})
	at := 0.0
	for i := range list {
		if p.Total() == 0 {
			break
		}
		list[i].At = at
		list[i].Width = 1000 * float64(list[i].Users) / float64(p.Total())
		// One user among a million must be seen.
		if list[i].Users > 0 {
			list[i].Width = max(list[i].Width, 4)
		}
		at += list[i].Width
	}
	if at > 0 {
		for i := range list {
			list[i].At *= 1000 / at
			list[i].Width *= 1000 / at
		}
	}
	return list
}
