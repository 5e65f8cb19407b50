// Compare measures what the packages do beside other programs and libraries that
// do the same, or beside the floor: the calls of the standard library without
// which it cannot be done. The sides of a row take turns in one run, so that a busy
// machine is busy for all of them, and what is printed are ratios of CPU time.
//
//	go -C examples/compare run .                      # all rows, some two minutes
//	go -C examples/compare run . -rows 'user|rules'   # some
//	go -C examples/compare run . -markdown            # a page with the tables
//
// "ours" is always the first side. A ratio above 1 says that the other side needs
// more. openssl is left out, and named, where it is not installed.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"example.com/entracba/examples/internal/console"
)

// A side is one way to do the work of a row.
type side struct {
	name string
	// run does the work once. It proves its answer, so that nothing fast and wrong
	// is measured.
	run func() error
	// times is how often run does it; 0 is once.
	times int
	// program says that the work is done by child processes.
	program bool
	// own says that this is ours too, and no peer.
	own bool
}

// A row is one piece of work.
type row struct {
	about   string
	sides   []side
	missing []string // sides that this machine does not have
}

// A figure is what one side needed.
type figure struct {
	Side string `json:"side"`
	// Microseconds of CPU for the work done once: the median of the rounds.
	Microseconds float64 `json:"cpuMicroseconds"`
	// Ratio to the first side of the row.
	Ratio float64 `json:"ratio"`
	Own   bool    `json:"own,omitempty"` // ours, and no peer
}

// A result is a measured row.
type result struct {
	Name    string   `json:"name"`
	About   string   `json:"about"`
	Figures []figure `json:"figures"`
	Missing []string `json:"missing,omitempty"`
}

// A report is what -json prints.
type report struct {
	CPU     string   `json:"cpu"`
	Cores   int      `json:"cores"`
	Go      string   `json:"go"`
	System  string   `json:"system"`
	Rounds  int      `json:"rounds"`
	Clock   string   `json:"clock"`
	Results []result `json:"results"`
}

func main() {
	console.Main("compare", func(args []string) error { return compare(args, console.Stdout) })
}

func compare(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("compare", flag.ContinueOnError)
	pattern := flags.String("rows", "", "measure only the rows whose name matches this `PATTERN`")
	rounds := flags.Int("rounds", 9, "let the sides of a row take turns `N` times")
	turn := flags.Duration("turn", 200*time.Millisecond, "let one side work for this `DURATION` in its turn")
	asJSON := flags.Bool("json", false, "print JSON")
	asMarkdown := flags.Bool("markdown", false, "print the tables as a page in Markdown")
	if err := console.ParseFlags(flags, args, "Measures the packages beside other libraries and OpenSSL, in CPU time.", "[flags]",
		"", "-rows 'user|rules'", "-markdown"); err != nil {
		return err
	}
	if _, err := regexp.Compile(*pattern); err != nil { // without what is added below
		return console.Usage("-rows: %w", err)
	}
	chosen, err := regexp.Compile("(?i)" + *pattern)
	if err != nil {
		return console.Usage("-rows: %w", err)
	}
	switch {
	case flags.NArg() > 0:
		return console.Usage("unexpected argument %q; for help: go run ./examples/compare -h", flags.Arg(0))
	case *asJSON && *asMarkdown:
		return console.Usage("-json and -markdown cannot be combined")
	case *rounds < 1 || *turn <= 0:
		return console.Usage("-rounds and -turn must be positive")
	}
	work, err := os.MkdirTemp("", "compare")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	r := report{CPU: processor(), Cores: runtime.GOMAXPROCS(0), Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH, Rounds: *rounds, Clock: clock}
	var names []string
	for _, kind := range rows {
		names = append(names, kind.name)
		if !chosen.MatchString(kind.name) {
			continue
		}
		row, err := kind.make(work)
		if err != nil {
			return fmt.Errorf("%s: %w", kind.name, err)
		}
		measured, err := row.measure(*rounds, *turn)
		if err != nil {
			return fmt.Errorf("%s: %w", kind.name, err)
		}
		measured.Name = kind.name
		r.Results = append(r.Results, measured)
	}
	switch {
	case len(r.Results) == 0:
		return console.Usage("no row matches %q; there are %s", *pattern, strings.Join(names, ", "))
	case *asJSON:
		return console.Result(out, "compare", r)
	case *asMarkdown:
		return r.markdown(console.Machine(out))
	}
	if err := r.text(out); err != nil {
		return err
	}
	console.Next(out, console.StyleFor(os.Stdout), "The same as a page, with what is not ahead.", console.Command("compare", append(args, "-markdown")...))
	return nil
}

// measure lets the sides take turns. In a turn a side works at least once, and for
// as long as a turn is.
func (r row) measure(rounds int, turn time.Duration) (result, error) {
	costs := make([][]float64, len(r.sides))
	for n := range rounds + 1 {
		for i, s := range r.sides {
			runtime.GC() // what a side leaves behind is not the next one's work
			count := 0
			wall, before := time.Now(), used(s.program)
			for count == 0 || time.Since(wall) < turn {
				if err := s.run(); err != nil {
					return result{}, fmt.Errorf("%s: %w", s.name, err)
				}
				count++
			}
			if n > 0 { // the first round warms up
				costs[i] = append(costs[i], float64((used(s.program)-before).Microseconds())/float64(count*max(1, s.times)))
			}
		}
	}
	out := result{About: r.about, Missing: r.missing}
	for i, s := range r.sides {
		// Of each round, the ratio to our own turn in the same round.
		ratios := make([]float64, len(costs[i]))
		for n := range ratios {
			ratios[n] = costs[i][n] / costs[0][n]
		}
		out.Figures = append(out.Figures, figure{s.name, median(costs[i]), median(ratios), s.own || i == 0})
	}
	return out, nil
}

func median(of []float64) float64 {
	sorted := slices.Sorted(slices.Values(of))
	return sorted[len(sorted)/2]
}

func (r report) text(out io.Writer) error {
	fmt.Fprintf(out, "%s, %s, %s, %s; %s, medians of %s\n", r.CPU, console.Count(r.Cores, "core"), r.Go, r.System, r.Clock, console.Count(r.Rounds, "round"))
	for _, row := range r.Results {
		fmt.Fprintf(out, "\n%s: %s\n", row.Name, row.About)
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
		for _, f := range row.Figures {
			fmt.Fprintf(w, "  %s µs\t%.2f\t\t%s\n", micro(f.Microseconds), f.Ratio, f.Side)
		}
		if err := w.Flush(); err != nil {
			return err
		}
		for _, m := range row.Missing {
			fmt.Fprintf(out, "  not measured: %s\n", m)
		}
	}
	return nil
}

// markdown writes a page with the tables.
func (r report) markdown(out io.Writer) error {
	fmt.Fprintf(out, `# Speed

Made by `+"`go -C examples/compare run . -markdown`"+`. The sides of a row take turns in one
run; what counts is the ratio, which is that of the same turns. Above 1: the other side
needs more. Measured on %s, %s, %s, %s: %s, medians of %s.
`, r.CPU, console.Count(r.Cores, "core"), r.Go, r.System, r.Clock, console.Count(r.Rounds, "round"))
	var behind []string
	for _, row := range r.Results {
		fmt.Fprintf(out, "\n## %s\n\n%s.\n\n| | µs | ratio |\n|---|---:|---:|\n", upper(row.Name), upper(row.About))
		for _, f := range row.Figures {
			fmt.Fprintf(out, "| %s | %s | %.2f |\n", f.Side, micro(f.Microseconds), f.Ratio)
			if f.Ratio < 1 && !f.Own {
				behind = append(behind, fmt.Sprintf("%s: %s needs %.2f of ours", row.Name, f.Side, f.Ratio))
			}
		}
		for _, m := range row.Missing {
			fmt.Fprintf(out, "| %s | not measured | |\n", m)
		}
	}
	fmt.Fprint(out, "\n## Not ahead\n\n")
	if len(behind) == 0 {
		fmt.Fprintln(out, "In this run, nothing.")
	}
	for _, b := range behind {
		fmt.Fprintf(out, "* %s\n", b)
	}
	fmt.Fprint(out, `
A floor is what the standard library needs for the same bytes without a check: to be
at it is all that can be reached.

Four fifths of a user are the key derivation of the PFX: SHA-1, 14,336 times, each of
which leaves garbage in go-pkcs12 and none in ours. A tenth are making the key, one
signature and one verification, on both sides. What is ours alone is about a fiftieth:
reading the draft back, the fit check, comparing the signed certificate with what was
asked for, and handing the result from the goroutine that made it to the one that waits.
`)
	return nil
}

// micro writes three figures that count.
func micro(us float64) string {
	switch {
	case us >= 100:
		return fmt.Sprintf("%.0f", us)
	case us >= 10:
		return fmt.Sprintf("%.1f", us)
	}
	return fmt.Sprintf("%.2f", us)
}

func upper(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

// program is a side that calls a program, if there is one.
func (r *row) program(name string, run func() error) {
	if _, err := exec.LookPath(name); err != nil {
		r.missing = append(r.missing, name+" (it is not installed)")
		return
	}
	r.sides = append(r.sides, side{name: name, run: run, program: true})
}
