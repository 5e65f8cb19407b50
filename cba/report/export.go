package report

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/signin"
)

// WriteCSV writes the findings to act on as a list of actions, one a row, in UTF-8
// with a heading: severity, effect, state, code, place, what was found, what to do,
// source and its address. A value that a spreadsheet would take for a formula gets
// an apostrophe in front. The error is [NoWriter], or that
// of w.
func WriteCSV(w io.Writer, part *FindingsPart) error {
	if w == nil {
		return &Error{Reason: NoWriter}
	}
	c := csv.NewWriter(w)
	if err := c.Write([]string{"severity", "effect", "state", "code", "where", "about", "what", "do", "source", "url"}); err != nil {
		return err
	}
	if part != nil {
		for _, r := range part.Rows {
			row := []string{r.Severity.String(), r.Effect.String(), string(r.State), r.Code, r.Where, r.About, r.What, r.Do, string(r.Source), r.Source.URL()}
			for i := range row {
				row[i] = noFormula(row[i])
			}
			if err := c.Write(row); err != nil {
				return err
			}
		}
	}
	c.Flush()
	return c.Error()
}

// WritePeople writes users and what a change means to each as CSV, in UTF-8 with a
// heading, for a page that has samples only: the user, the difference, and for before
// and after the outcome, the code of a refusal and the strength of the certificate. It
// keeps nothing of the list, and treats formulas as [WriteCSV] does. The error is
// [NoWriter], or that of w.
func WritePeople(w io.Writer, people iter.Seq2[signin.Difference, Person]) error {
	if w == nil {
		return &Error{Reason: NoWriter}
	}
	c := csv.NewWriter(w)
	if err := c.Write([]string{"userPrincipalName", "difference", "before", "codeBefore", "strengthBefore", "after", "codeAfter", "strengthAfter"}); err != nil {
		return err
	}
	if people != nil {
		for difference, p := range people {
			b, a := p.Before, p.After
			if err := c.Write([]string{noFormula(p.User), difference.String(), b.Outcome.String(), b.Code, b.AuthenticationMode.String(), a.Outcome.String(), a.Code, a.AuthenticationMode.String()}); err != nil {
				return err
			}
		}
	}
	c.Flush()
	return c.Error()
}

// noFormula keeps a spreadsheet from evaluating text that somebody else chose.
func noFormula(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

// The part of SARIF 2.1.0 that findings need.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool    sarifTool     `json:"tool"`
		Results []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version,omitempty"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID      string     `json:"id"`
		Help    *sarifText `json:"help,omitempty"`
		HelpURI string     `json:"helpUri,omitempty"`
	}
	sarifResult struct {
		RuleID        string             `json:"ruleId"`
		RuleIndex     int                `json:"ruleIndex"`
		Level         string             `json:"level"`
		Message       sarifText          `json:"message"`
		Locations     []sarifLocation    `json:"locations"`
		BaselineState string             `json:"baselineState,omitempty"`
		Suppressions  []sarifSuppression `json:"suppressions,omitempty"`
		Fingerprints  map[string]string  `json:"partialFingerprints"`
		Properties    map[string]string  `json:"properties,omitempty"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifLocation struct {
		Physical *sarifPhysical `json:"physicalLocation,omitempty"`
		Logical  []sarifLogical `json:"logicalLocations"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifLogical struct {
		Name               string `json:"name"`
		FullyQualifiedName string `json:"fullyQualifiedName"`
	}
	sarifSuppression struct {
		Kind          string `json:"kind"`
		Justification string `json:"justification"`
	}
)

// SARIFOptions are the options of [WriteSARIF].
type SARIFOptions struct {
	// Version is that of the program.
	Version string
	// File is the file that the findings are about, as a relative URI such as
	// "tenant.json", so that a service can show them beside it. Empty for a tenant
	// that was read through Graph.
	File string
}

// WriteSARIF writes the findings of a part as SARIF 2.1.0, the form in which
// continuous integration takes the results of checks: with the state against the
// report before, and accepted findings as suppressions. The place of a finding is
// its logical location. The error is [NoWriter], or that
// of w.
func WriteSARIF(w io.Writer, part *FindingsPart, options SARIFOptions) error {
	if w == nil {
		return &Error{Reason: NoWriter}
	}
	run := sarifRun{Tool: sarifTool{sarifDriver{Name: "entracba", Version: options.Version, Rules: []sarifRule{}}}, Results: []sarifResult{}}
	index := map[string]int{}
	add := func(r Row) {
		i, known := index[r.Code]
		if !known {
			i = len(run.Tool.Driver.Rules)
			index[r.Code] = i
			rule := sarifRule{ID: r.Code, HelpURI: link(r.Source)}
			if r.Do != "" {
				rule.Help = &sarifText{r.Do}
			}
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, rule)
		}
		location := sarifLocation{Logical: []sarifLogical{{r.Place(), r.Where}}}
		if options.File != "" {
			location.Physical = &sarifPhysical{sarifArtifact{options.File}}
		}
		result := sarifResult{
			RuleID: r.Code, RuleIndex: i, Level: levelOf(r.Severity), Message: sarifText{r.What},
			Locations:    []sarifLocation{location},
			Fingerprints: map[string]string{"codeAndPlace/v1": r.Code + " " + r.Where},
		}
		switch r.State {
		case New:
			result.BaselineState = "new"
		case Still:
			result.BaselineState = "unchanged"
		case Fixed:
			result.BaselineState = "absent"
		}
		if r.Omitted != "" {
			result.Suppressions = []sarifSuppression{{"external", r.Omitted}}
		}
		if r.Effect != 0 {
			result.Properties = map[string]string{"effect": r.Effect.String()}
		}
		run.Results = append(run.Results, result)
	}
	if part != nil {
		for _, r := range part.Rows {
			add(r)
		}
		for _, r := range part.Omitted {
			add(r)
		}
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	return e.Encode(sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}})
}

func levelOf(s lint.Severity) string {
	switch s {
	case lint.Error:
		return "error"
	case lint.Warning:
		return "warning"
	}
	return "note"
}

// A CRLMetric is what [WriteMetrics] says about one CRL.
type CRLMetric struct {
	URL        string
	CA         string
	NextUpdate time.Time // zero if the CRL could not be used
}

// A CAMetric is what [WriteMetrics] says about one CA.
type CAMetric struct {
	CA       string
	NotAfter time.Time
}

// Metrics are the figures of a tenant that change with time.
type Metrics struct {
	// Now is the time at which they were read. Required.
	Now  time.Time
	CRLs []CRLMetric
	CAs  []CAMetric
	// Findings are counted by severity and effect.
	Findings lint.Findings
}

// WriteMetrics writes metrics in the text format of Prometheus, for the folder that
// a node exporter reads: seconds until each CRL's next update (negative when it has
// passed; a CRL that cannot be used counts as entracba_crl_usable 0), seconds
// until each CA expires, findings by severity and effect, and when that was. The
// error is [NoTime], or that of w.
func WriteMetrics(w io.Writer, m Metrics) error {
	if w == nil {
		return &Error{Reason: NoWriter}
	}
	if m.Now.IsZero() {
		return &Error{Reason: NoTime, Detail: "set Now to the time at which the tenant was read"}
	}
	var b strings.Builder
	head := func(name, help string) {
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name)
	}
	head("entracba_read_timestamp_seconds", "When the tenant was read.")
	fmt.Fprintf(&b, "entracba_read_timestamp_seconds %d\n", m.Now.Unix())
	head("entracba_crl_usable", "1 if the CRL could be downloaded and checked.")
	for _, c := range m.CRLs {
		usable := 1
		if c.NextUpdate.IsZero() {
			usable = 0
		}
		fmt.Fprintf(&b, "entracba_crl_usable{ca=%s,url=%s} %d\n", label(c.CA), label(c.URL), usable)
	}
	head("entracba_crl_next_update_seconds", "Seconds until the CRL's next update; negative when it has passed.")
	for _, c := range m.CRLs {
		if !c.NextUpdate.IsZero() {
			fmt.Fprintf(&b, "entracba_crl_next_update_seconds{ca=%s,url=%s} %.0f\n", label(c.CA), label(c.URL), c.NextUpdate.Sub(m.Now).Seconds())
		}
	}
	head("entracba_ca_expires_seconds", "Seconds until the CA expires; negative when it has.")
	for _, c := range m.CAs {
		fmt.Fprintf(&b, "entracba_ca_expires_seconds{ca=%s} %.0f\n", label(c.CA), c.NotAfter.Sub(m.Now).Seconds())
	}
	head("entracba_findings", "Findings by severity and effect.")
	for _, severity := range []lint.Severity{lint.Error, lint.Warning, lint.Info} {
		for _, effect := range []lint.Effect{lint.LocksOut, lint.LetsIn, 0} {
			n := 0
			for _, f := range m.Findings {
				if f.Severity == severity && f.Effect == effect {
					n++
				}
			}
			fmt.Fprintf(&b, "entracba_findings{severity=%s,effect=%s} %d\n", label(severity.String()), label(effect.String()), n)
		}
	}
	// A label set may stand once only.
	lines := strings.SplitAfter(b.String(), "\n")
	seen := map[string]bool{}
	lines = slices.DeleteFunc(lines, func(line string) bool {
		key, _, _ := strings.Cut(line, "} ")
		if strings.HasPrefix(line, "#") || !strings.Contains(line, "{") {
			return false
		}
		twice := seen[key]
		seen[key] = true
		return twice
	})
	_, err := io.WriteString(w, strings.Join(lines, ""))
	return err
}

// label quotes the value of a label.
func label(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(strings.ToValidUTF8(text, "\uFFFD")) + `"`
}
