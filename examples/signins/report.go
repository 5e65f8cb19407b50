package main

import (
	"fmt"
	"io"

	"example.com/entracba/cba/signin"
	"example.com/entracba/cba/snapshot"
	"example.com/entracba/examples/internal/console"
)

// shown is how many refusals and unexpected results the text has.
const shown = 20

const minute = "2006-01-02 15:04 MST"

func (s summary) print(w io.Writer, style console.Style) {
	if s.SignIns == 0 && s.Since.IsZero() {
		fmt.Fprintln(w, "The file has no certificate sign-ins.")
		return
	}
	if s.SignIns == 0 {
		fmt.Fprintf(w, "No certificate sign-ins since %s.\n", s.Since.Format(minute))
		return
	}
	fmt.Fprintf(w, "%s  %s since %s, the last at %s\n\n", style.Bold("SIGN-INS"), console.Count(s.SignIns, "certificate sign-in"), s.Since.Format(minute), s.To.Format(minute))
	rows := [][]string{{"BY", "", "SIGN-INS", "SHARE"}}
	for _, part := range []struct {
		name   string
		counts []snapshot.Count
	}{{"outcome", s.Outcomes}, {"code", s.Codes}, {"binding", s.Bindings}, {"mode", s.Strengths}, {"CA", s.Authorities}, {"store", s.Stores}} {
		name := part.name
		for _, c := range part.counts {
			rows = append(rows, []string{name, c.Name, fmt.Sprintf("%8d", c.SignIns), fmt.Sprintf("%4.0f %%", 100*float64(c.SignIns)/float64(s.SignIns))})
			name = ""
		}
	}
	console.Table(w, style, rows...)

	if len(s.Refused) > 0 {
		fmt.Fprintf(w, "\n%s  newest first\n", style.Bold("REFUSED"))
		rows := [][]string{{"TIME", "USER", "CODE", "REASON", "APPLICATION"}}
		for _, r := range s.Refused[:min(len(s.Refused), shown)] {
			rows = append(rows, []string{r.At.Format(minute), r.User, r.Code, r.Reason, r.App})
		}
		console.Table(w, style, rows...)
		more(w, len(s.Refused))
	}
	if s.Known > 0 {
		fmt.Fprintf(w, "\n%s  %d of %s with known certificates had a result that differs from what the tenant's current settings predict.\n",
			style.Bold("UNEXPECTED"), len(s.Unexpected), console.Count(s.Known, "sign-in"))
	}
	if len(s.Unexpected) > 0 {
		rows := [][]string{{"TIME", "USER", "IN THE LOG", "EXPECTED"}}
		for _, x := range s.Unexpected[:min(len(s.Unexpected), shown)] {
			rows = append(rows, []string{x.At.UTC().Format(minute), x.UserPrincipalName, x.Logged, x.Expected})
		}
		console.Table(w, style, rows...)
		more(w, len(s.Unexpected))
	}
	printReadings(w, style, s.Calibration)
}

// printReadings lists what the log says about open questions.
func printReadings(w io.Writer, style console.Style, c *signin.Calibration) {
	if c == nil {
		return
	}
	if len(c.Readings) == 0 && c.Unexplained == 0 {
		fmt.Fprintf(w, "\n%s  no open question about Entra bears on these sign-ins.\n", style.Bold("READINGS"))
		return
	}
	fmt.Fprintf(w, "\n%s  what %s with known certificates say about open questions (see docs/open-questions.md)\n", style.Bold("READINGS"), console.Count(c.SignIns, "sign-in"))
	if c.Noise > signin.MaxNoise {
		fmt.Fprintf(w, "Nothing is settled: the results of %s fit no reading, so the log does not fit the tenant as it is now. Give -since, to look at sign-ins after the last change only.\n", console.Count(c.Unexplained, "sign-in"))
	}
	if len(c.Readings) == 0 {
		return
	}
	rows := [][]string{{"QUESTION", "THE LOG", "READING", "FOR IT", "AGAINST"}}
	for _, r := range c.Readings {
		says, text := r.Result.String(), r.Text
		yes, no := evidence(r.SignIns, r.Users), evidence(r.OtherSignIns, r.OtherUsers)
		switch r.Result {
		case signin.Contradicted:
			says, text = "confirms the other", r.Other
			yes, no = no, yes
		case signin.Confirmed:
			says = "confirms"
		case signin.Unsettled:
			says = "leaves open"
		case signin.Conflicting:
			says = "contradicts itself"
		}
		rows = append(rows, []string{r.ID, says, text, yes, no})
	}
	console.Table(w, style, rows...)
	fmt.Fprintln(w, "Count on these only if neither the tenant nor its users have changed since the first of these sign-ins; else look at later ones, with -since.")
	if c.Unexplained+c.Ambiguous > 0 {
		fmt.Fprintf(w, "%s fit no reading, %d fit several; %.0f %% of the users are taken for noise.\n", console.Count(c.Unexplained, "sign-in"), c.Ambiguous, 100*c.Noise)
	}
}

func evidence(signIns, users int) string {
	if signIns == 0 {
		return "none"
	}
	return console.Count(signIns, "sign-in") + " of " + console.Count(users, "user")
}

func more(w io.Writer, all int) {
	if all > shown {
		fmt.Fprintf(w, "%s not shown; use -json to list all\n", console.Count(all-shown, "more sign-in"))
	}
}
