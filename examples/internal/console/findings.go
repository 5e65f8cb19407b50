package console

import (
	"fmt"
	"io"

	"example.com/entracba/cba/lint"
)

// shownFindings is how many findings of one code are printed.
const shownFindings = 10

// A Found is a finding and, where it is not about one thing alone, whom it is about: "3
// of 5 certificates".
type Found struct {
	lint.Finding
	Who string
}

// Findings writes findings, the most severe first as they are sorted, in the layout of
// all programs: the severity, what can come of it, the place and the code in one line, and
// below what to do and the source. Of one code it shows the first ten.
func Findings(w io.Writer, style Style, findings ...Found) {
	codes, shown := map[string]int{}, map[string]int{}
	for _, f := range findings {
		codes[f.Code]++
	}
	for _, f := range findings {
		if shown[f.Code]++; shown[f.Code] > shownFindings {
			if shown[f.Code] == shownFindings+1 {
				fmt.Fprintf(w, "\n%s not shown (%s); use -json to list all\n", Count(codes[f.Code]-shownFindings, "more finding"), f.Code)
			}
			continue
		}
		paint := style.Dim
		switch f.Severity {
		case lint.Error:
			paint = style.Red
		case lint.Warning:
			paint = style.Yellow
		}
		head := paint(f.Severity.String())
		switch f.Effect {
		case lint.LocksOut:
			head += ", can lock users out"
		case lint.LetsIn:
			head += ", can let the wrong user in"
		}
		if f.Who != "" {
			head += ", " + Clean(f.Who)
		}
		if place := f.Place(); place != "" {
			head += "  " + Clean(place) + ":"
		} else {
			head += " "
		}
		fmt.Fprintf(w, "\n%s %s (%s)\n", head, Clean(f.What), f.Code)
		if f.Do != "" {
			fmt.Fprintf(w, "  do      %s\n", Clean(f.Do))
		}
		if f.Source != "" {
			fmt.Fprintf(w, "  source  %s\n", Clean(string(f.Source)))
		}
	}
}

// Tally counts findings by severity: "1 error, 0 warnings, 2 notes".
func Tally(findings lint.Findings) string {
	counts := map[lint.Severity]int{}
	for _, f := range findings {
		counts[f.Severity]++
	}
	return fmt.Sprintf("%s, %s, %s", Count(counts[lint.Error], "error"), Count(counts[lint.Warning], "warning"), Count(counts[lint.Info], "note"))
}

// All are findings without whom they are about.
func All(findings lint.Findings) []Found {
	all := make([]Found, len(findings))
	for i, f := range findings {
		all[i] = Found{Finding: f}
	}
	return all
}
