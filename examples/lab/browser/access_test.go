//go:build browsers && linux

package browser

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestAccessible holds every page against WCAG 2.2 A and AA with axe-core, contrast
// included, light and dark, wide and narrow, and keeps a picture of each.
func TestAccessible(t *testing.T) {
	file := filepath.Join(os.Getenv("NODE_PATH"), "axe-core", "axe.min.js")
	axe, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("axe-core is missing: install it with npm in the folder that NODE_PATH names, as .ci/run does: %v", err)
	}
	pages, screen := shown(t)
	for _, p := range pages {
		for _, dark := range []bool{false, true} {
			for _, width := range []int{400, 1200} {
				name := fmt.Sprintf("%s, dark %v, %d wide", p.Name, dark, width)
				if err := screen.Show(p, dark, width); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				png, err := screen.PNG()
				if err != nil {
					t.Fatal(err)
				}
				shade := map[bool]string{false: "light", true: "dark"}[dark]
				picture(t, fmt.Sprintf("page-%s-%s-%d", p.Name, shade, width), png)
				if _, err := chromedp.Run(screen.ctx, chromedp.Evaluate[any](string(axe)+"; null")); err != nil {
					t.Fatal(err)
				}
				// What is scrolled out of a table is judged in the wide window.
				text, err := chromedp.Run(screen.ctx, chromedp.Evaluate[string](`axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}).then(r => JSON.stringify({
					passes: r.passes.map(p => p.id),
					violations: r.violations.map(v => v.id + ": " + v.nodes.map(n => n.target + " " + n.failureSummary).join("; ")),
					incomplete: r.incomplete.map(v => [v.id, v.nodes.map(n => n.target).filter(t => innerWidth > 640 || !document.querySelector(t)?.closest(".wide"))])
						.filter(v => v[1].length).map(v => v[0] + ": " + v[1].join("; ")),
					cut: [...document.querySelectorAll(".wide:has(.steps, .bindings, .plan)")].filter(w => w.scrollWidth > w.clientWidth).map(w => w.ariaLabel),
					wide: document.documentElement.scrollWidth > innerWidth }))`, chromedp.EvalAwaitPromise))
				if err != nil {
					t.Fatal(err)
				}
				var found struct {
					Passes, Violations, Incomplete, Cut []string
					Wide                                bool
				}
				if err := json.Unmarshal([]byte(text), &found); err != nil {
					t.Fatal(err)
				}
				if !strings.Contains(strings.Join(found.Passes, " "), "color-contrast") {
					t.Errorf("%s: contrast was not looked at: %v", name, found.Passes)
				}
				for _, v := range append(found.Violations, found.Incomplete...) {
					t.Errorf("%s: %s", name, v)
				}
				if len(found.Cut) > 0 {
					t.Errorf("%s: a part is out of sight: %v", name, found.Cut)
				}
				if found.Wide {
					t.Errorf("%s: the page scrolls sideways", name)
				}
			}
		}
	}
}

// TestKeyboard goes through every page with the tabulator alone: each thing that can be
// operated is reached, in the order of the page, and shows that it is.
func TestKeyboard(t *testing.T) {
	pages, screen := shown(t)
	for _, p := range pages {
		if err := screen.Show(p, false, 1200); err != nil {
			t.Fatal(err)
		}
		want, err := chromedp.Run(screen.ctx, chromedp.Evaluate[int](`window.things = [...document.querySelectorAll("a[href],input,select,button,summary,[tabindex='0']")].filter(e => e.checkVisibility() && (e.type != "radio" || e.checked)); things.length`))
		if err != nil {
			t.Fatal(err)
		}
		tab := func() (string, error) {
			if err := chromedp.Do(screen.ctx, chromedp.KeyEvent(kb.Tab)); err != nil {
				return "", err
			}
			return chromedp.Run(screen.ctx, chromedp.Evaluate[string](`(() => { const e = document.activeElement, s = getComputedStyle(e), r = e.getBoundingClientRect();
				return things.indexOf(e) + " " + (s.outlineStyle != "none" && parseFloat(s.outlineWidth) >= 2) + " " + (r.bottom > 0 && r.top < innerHeight) })()`))
		}
		for i := range want {
			state, err := tab()
			if err != nil {
				t.Fatal(err)
			}
			// A field for a time has several stops of its own.
			for range 8 {
				if i == 0 || !strings.HasPrefix(state, fmt.Sprint(i-1, " ")) {
					break
				}
				if state, err = tab(); err != nil {
					t.Fatal(err)
				}
			}
			if state != fmt.Sprint(i, " true true") {
				t.Errorf("%s: stop %d: place, outline and in view are %s", p.Name, i, state)
				break
			}
		}
	}
}

func shown(t *testing.T) ([]Page, *Screen) {
	t.Helper()
	pages, err := Pages(t.Context(), t.TempDir(), programs)
	if err != nil {
		t.Fatal(err)
	}
	if len(pages) < 16 {
		t.Fatalf("only %d pages", len(pages))
	}
	screen, err := NewScreen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(screen.Close)
	return pages, screen
}
