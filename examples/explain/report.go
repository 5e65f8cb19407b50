package main

import (
	"crypto/x509"
	"fmt"
	"io"
	"strings"
	"time"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
	"example.com/entracba/examples/internal/console"
)

// A report is a verdict and what it was asked about.
type report struct {
	verdict  signin.Verdict
	user     *policy.User
	cert     *x509.Certificate
	at       time.Time
	require  signin.Requirement
	findings lint.Findings
}

// json is the form of -json: the verdict, and with -findings those too.
func (r report) json(withFindings bool) any {
	result := struct {
		User    string             `json:"userPrincipalName"`
		At      time.Time          `json:"at"`
		Require signin.Requirement `json:"requirement"`
		signin.Verdict
		Findings *lint.Findings `json:"findings,omitempty"`
	}{r.user.UserPrincipalName, r.at.UTC().Truncate(time.Second), r.require, r.verdict, nil}
	if withFindings {
		result.Findings = &r.findings
		if r.findings == nil {
			result.Findings = &lint.Findings{}
		}
	}
	return result
}

func (r report) print(w io.Writer, style console.Style) {
	v := r.verdict
	subject := "a certificate"
	if name, err := dn.ParseDER(r.cert.RawSubject); err == nil && len(name) > 0 {
		subject = name.String()
	}
	issuer := "an unnamed issuer"
	if name, err := dn.ParseDER(r.cert.RawIssuer); err == nil && len(name) > 0 {
		issuer = name.String()
	}
	fmt.Fprintf(w, "%s signs in with %s, issued by %s\n", style.Bold(console.Clean(r.user.UserPrincipalName)), console.Clean(subject), console.Clean(issuer))
	require := "none"
	if !r.require.IsZero() {
		require = r.require.String()
	}
	fmt.Fprintf(w, "at %s; Conditional Access requirement: %s\n\n", r.at.UTC().Format("2006-01-02 15:04 MST"), require)

	fmt.Fprintln(w, r.outcome(style))
	for _, m := range v.Missing {
		fmt.Fprintf(w, "  %s  %s\n    to settle it: %s\n", style.Bold(console.Clean(m.What)), console.Clean(m.Why), console.Clean(m.How))
	}
	rows := [][]string{{"mode", fmt.Sprint(v.AuthenticationMode), "the tenant's default"}}
	if v.ModeRule != nil {
		rows[0][2] = fmt.Sprintf("set by rule %d, %s %s", v.ModeRule.Index+1, v.ModeRule.Type, v.ModeRule.Identifier)
	}
	affinity := []string{"affinity", fmt.Sprint(v.RequiredAffinity) + " or higher", ""}
	if v.RequiredAffinity == certuserid.High {
		affinity[1] = "high"
	}
	rows = append(rows, affinity)
	if b := v.Binding; b != nil {
		rows = append(rows, []string{"binding", fmt.Sprintf("%s to %s", b.Field, b.Property), fmt.Sprintf("priority %d, %s", b.Priority, b.Value)})
	} else {
		rows = append(rows, []string{"binding", "none", ""})
	}
	console.Rows(w, rows...)
	for _, method := range v.SecondFactor {
		fmt.Fprintf(w, "  second factor that would satisfy it: %s\n", method)
	}

	fmt.Fprintf(w, "\n%s\n", style.Bold("STEPS"))
	width := 0
	for _, s := range v.Steps {
		width = max(width, console.Width(s.Name))
	}
	last := ""
	for _, s := range v.Steps {
		name := s.Name
		if name == last {
			name = ""
		}
		last = s.Name
		hang := strings.Repeat(" ", width+10)
		for i, text := range console.Lines(w, console.Clean(detail(s)), len(hang)) {
			if i == 0 {
				fmt.Fprintf(w, "  %s  %-*s  %s\n", mark(style, s.Outcome), width, name, text)
			} else {
				fmt.Fprintf(w, "%s%s\n", hang, text)
			}
		}
		if s.Outcome == lint.Fail && s.Source != "" {
			fmt.Fprintf(w, "%s%s\n", hang, style.Dim(string(s.Source)))
		}
	}

	if len(v.Assumptions) > 0 {
		fmt.Fprintf(w, "\n%s  points Microsoft does not document (see docs/open-questions.md). Marked *: the verdict would be different if the assumption is wrong.\n", style.Bold("ASSUMPTIONS"))
		for _, a := range v.Assumptions {
			changes := " "
			if a.ChangesVerdict {
				changes = style.Yellow("*")
			}
			head, hang := a.ID+strings.Repeat(" ", max(2, 6-len(a.ID))), 10
			text := console.Clean(a.Text)
			if len(head) > 6 { // the name of something that is missing
				head, text = "", head+text
			}
			for i, text := range console.Lines(w, text, hang) {
				if i == 0 {
					fmt.Fprintf(w, "  %s %s%s\n", changes, head, text)
				} else {
					fmt.Fprintf(w, "%s%s\n", strings.Repeat(" ", hang), text)
				}
			}
		}
	}
	if !v.SignedIn {
		r.ids(w, style)
	}
	fmt.Fprintf(w, "\n%s  %s\n", style.Bold("NOT CHECKED"), v.NotChecked)
	if len(r.findings) > 0 {
		fmt.Fprintf(w, "\n%s  %s\n", style.Bold("FINDINGS"), console.Tally(r.findings))
		console.Findings(w, style, console.All(r.findings)...)
	}
	// Again, where a terminal has scrolled the first away.
	fmt.Fprintf(w, "\n%s\n", r.outcome(style))
}

// outcome is the verdict in one line.
func (r report) outcome(style console.Style) string {
	v := r.verdict
	switch v.Outcome {
	case signin.SignedIn:
		return style.Green("SIGNED IN") + "  " + v.AuthenticationMode.String()
	case signin.Undecided:
		return style.Yellow("UNDECIDED") + "  nothing that is known refuses the sign-in, and this is not known: " + console.Clean(missing(v))
	}
	return style.Red("REFUSED") + "  " + style.Bold(v.Code) + "  " + console.Clean(v.Message)
}

func missing(v signin.Verdict) string {
	var what []string
	for _, m := range v.Missing {
		what = append(what, m.What)
	}
	return strings.Join(what, ", ")
}

// ids shows what could be stored with the user, where nothing bound.
func (r report) ids(w io.Writer, style console.Style) {
	if r.verdict.Binding != nil {
		return
	}
	fmt.Fprintf(w, "\n%s  if this certificate belongs to the user, add one of these values to certificateUserIds\n", style.Bold("TO BIND"))
	var rows [][]string
	for _, id := range certuserid.All(r.cert) {
		rows = append(rows, []string{"", string(id.Mapping().Affinity()), id.String()})
	}
	console.Rows(w, rows...)
}

func detail(s signin.Step) string {
	if s.Code == "" {
		return s.Detail
	}
	return s.Code + "  " + s.Detail
}

func mark(style console.Style, o lint.Outcome) string {
	text := fmt.Sprintf("%-4v", o)
	switch o {
	case lint.Pass:
		return style.Green(text)
	case lint.Fail:
		return style.Red(text)
	case lint.Warn:
		return style.Yellow(text)
	}
	return style.Dim(text)
}
