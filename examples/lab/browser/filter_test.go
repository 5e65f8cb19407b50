//go:build browsers && linux

package browser

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/report"
)

// The buttons above findings hide what was not asked for, without a script.
func TestFilter(t *testing.T) {
	rule := func(code string, s lint.Severity, e lint.Effect) lint.Finding {
		return lint.Rule{Code: code, Severity: s, Effect: e, What: code, Do: "something", Source: lint.FAQ}.At("/"+code, "a place", "")
	}
	found := lint.Findings{rule("a", lint.Error, lint.LocksOut), rule("b", lint.Error, 0), rule("c", lint.Warning, lint.LetsIn), rule("d", lint.Info, 0)}
	file, err := os.Create(filepath.Join(t.TempDir(), "report.html"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r := report.Report{Title: "Findings", Made: time.Now(), Findings: report.Findings(found, report.FindingsOptions{At: time.Now()})}
	if err := r.WriteHTML(file); err != nil {
		t.Fatal(err)
	}
	ctx := openFile(t, file.Name())
	for value, want := range map[string]int{"errors": 2, "warnings": 3, "locks-out": 1, "lets-in": 1, "all": 4} {
		if err := chromedp.Do(ctx, chromedp.Click(chromedp.CSS(`input[value="`+value+`"]`))); err != nil {
			t.Fatal(err)
		}
		if got := script[int](t, ctx, `[...document.querySelectorAll(".finding")].filter(f => f.getClientRects().length > 0).length`); got != want {
			t.Errorf("%s shows %d findings, want %d", value, got, want)
		}
	}
}
