package lint

import "fmt"

// A Rule is what all findings of one code share. A package keeps its rules in
// one table and returns them from its function Rules; docs/findings.md lists
// them all.
type Rule struct {
	// Code is stable and meant for programs: lower-case words joined by
	// hyphens, with the name of the checked thing first ("cert-no-upn"). A code
	// belongs to one package and means one thing.
	Code     string
	Severity Severity
	Effect   Effect
	// What says in a few words what the rule finds. Findings say it in detail.
	What string
	// Do says what to do about it. It is empty where nothing has to be done.
	Do     string
	Source Source
}

// At returns the finding of the rule at a place. where is the place as a program
// finds it: a JSON pointer into the document that was checked
// ("/authenticationModeConfiguration/rules/2"), the name of a part of a
// certificate ("subjectAltName"), or the value itself. about names the same place
// for people, and is empty where that would say the same. What was found is
// formatted as by [fmt.Sprintf]; without a format it is the rule's What.
func (r Rule) At(where, about, format string, args ...any) Finding {
	what := r.What
	if format != "" {
		what = fmt.Sprintf(format, args...)
	}
	return Finding{
		Code: r.Code, Severity: r.Severity, Effect: r.Effect,
		Where: where, About: about, What: what, Do: r.Do, Source: r.Source,
	}
}
