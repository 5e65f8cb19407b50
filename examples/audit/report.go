package main

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"

	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/policy"
	"example.com/entracba/examples/internal/console"
)

func (a *audit) print(w io.Writer, style console.Style) {
	p := a.Method.Policy
	state := style.Red(or(p.State, "disabled"))
	if p.State == policy.Enabled {
		state = style.Green(string(p.State))
	}
	fmt.Fprintf(w, "%s\n\n%s  %s\n", a.verdict(style), style.Bold("METHOD"), state)
	var includes, excludes []string
	for _, t := range p.IncludeTargets {
		includes = append(includes, t.ID)
	}
	for _, t := range p.ExcludeTargets {
		excludes = append(excludes, t.ID)
	}
	console.Rows(w, []string{"Enabled for", or(strings.Join(includes, ", "), "no users")},
		[]string{"Excluded", or(strings.Join(excludes, ", "), "no users")},
		[]string{"Default (no rule matches)", mode(p.AuthenticationMode.Default) + ", affinity " + or(p.AuthenticationMode.DefaultAffinity, "not set")},
		[]string{"CRL required", or(p.CRLValidation.State, "disabled") + exempt(p.CRLValidation.ExemptedSKIs)},
		[]string{"Issuer hints", or(p.IssuerHints.State, "disabled")})

	rows := [][]string{{"RULE", "MATCHES", "MODE", "AFFINITY"}}
	for _, r := range p.AuthenticationMode.Rules {
		rows = append(rows, []string{string(r.Type), or(r.Identifier, strings.Trim(r.IssuerSubjectIdentifier+" + "+r.PolicyOIDIdentifier, " +")),
			r.Mode.String(), string(r.RequiredAffinity)})
	}
	section(w, style, rows, "No rules: every certificate gets the default mode.")

	rows = [][]string{{"BINDING", "USER PROPERTY", "PRIORITY", "AFFINITY"}}
	for _, b := range p.UserBindings {
		rows = append(rows, []string{string(b.Field), string(b.Property), strconv.Itoa(int(b.Priority)), string(b.Field.Affinity())})
	}
	section(w, style, rows, "No username bindings: no user can sign in with a certificate.")

	rows = [][]string{{"SCOPE", "PKI", "FOR"}}
	for _, s := range p.CertificateAuthorityScopes {
		var groups []string
		for _, t := range s.IncludeTargets {
			groups = append(groups, t.ID)
		}
		rows = append(rows, []string{s.SubjectKeyIdentifier, s.PublicKeyInfrastructureIdentifier, strings.Join(groups, ", ")})
	}
	if len(rows) > 1 {
		section(w, style, rows, "")
	}

	rows = [][]string{{"CA", "STORE", "EXPIRES", "CHAIN", "HINT"}}
	for _, c := range a.Authorities {
		chain := cmp.Or(c.Lacking, "incomplete")
		switch {
		case c.Complete && c.SelfSigned:
			chain = "root"
		case c.Complete:
			chain = "complete"
		}
		hint := ""
		if c.Hint {
			hint = "sent"
		}
		rows = append(rows, []string{c.Subject, c.Store, c.NotAfter.Format("2006-01-02"), chain, hint})
	}
	section(w, style, rows, "No CAs.")

	rows = [][]string{{"CRL", "CA", "NUMBER", "REVOKED", "SIZE", "TIME", "EXPIRES"}}
	for _, l := range a.Lists {
		of := l.Authority
		if l.Delta {
			of += " (delta)"
		}
		if l.Error != "" {
			rows = append(rows, []string{l.URL, of, l.Code, "", "", ms(l.Millis), "unusable"})
			continue
		}
		rows = append(rows, []string{l.URL, of, cmp.Or(l.Number, "none"), strconv.Itoa(l.Revoked), size(l.Bytes), ms(l.Millis), l.NextUpdate.Format("2006-01-02 15:04 MST")})
	}
	none := "No CRLs: a revoked or stolen certificate works until it expires."
	if a.Offline {
		none = "CRLs were not downloaded."
	}
	section(w, style, rows, none)

	if len(a.Readings) > 0 {
		rows = [][]string{{"QUESTION", "READING", "CONFIRMED BY"}}
		for _, r := range a.Readings {
			holds, signIns, users := r.Holds()
			rows = append(rows, []string{r.ID, holds, console.Count(signIns, "sign-in") + " of " + console.Count(users, "user")})
		}
		section(w, style, rows, "")
	}

	fmt.Fprintf(w, "\n%s  %d, %d with certificateUserIds, %d of these with findings\n",
		style.Bold("USERS"), a.Users.Total, a.Users.WithIDs, a.Users.Wrong)
	a.printFindings(w, style)
}

func (a *audit) printFindings(w io.Writer, style console.Style) {
	fmt.Fprintf(w, "\n%s  %s\n", style.Bold("FINDINGS"), a.verdict(style))
	console.Findings(w, style, console.All(a.Findings)...)
	if len(a.Findings) > 3 { // the head is out of sight
		fmt.Fprintf(w, "\n%s\n", a.verdict(style))
	}
}

// verdict counts the findings.
func (a *audit) verdict(style console.Style) string {
	text := console.Tally(a.Findings)
	switch a.Findings.Worst() {
	case lint.Error:
		return style.Red(text)
	case lint.Warning:
		return style.Yellow(text)
	}
	return style.Green(text)
}

func section(w io.Writer, style console.Style, rows [][]string, none string) {
	fmt.Fprintln(w)
	if len(rows) == 1 {
		fmt.Fprintln(w, none)
		return
	}
	console.Table(w, style, rows...)
}

func mode(m policy.AuthenticationMode) string {
	if m == "" {
		return "not set"
	}
	return m.String()
}

func or[T ~string](text T, otherwise string) string {
	return cmp.Or(string(text), otherwise)
}

func exempt(skis []string) string {
	if len(skis) == 0 {
		return ""
	}
	return ", except for " + strings.Join(skis, ", ")
}

func ms(n int64) string { return fmt.Sprintf("%d ms", n) }

func size(n int) string {
	switch {
	case n < 10_000:
		return fmt.Sprintf("%d B", n)
	case n < 10_000_000:
		return fmt.Sprintf("%d KB", n/1000)
	}
	return fmt.Sprintf("%d MB", n/1_000_000)
}
