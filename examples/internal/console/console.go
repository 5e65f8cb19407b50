// Package console is what the example programs show to a person: tables that
// align, a progress bar on a terminal, colour only there, and one way to fail.
package console

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Exit statuses of the examples.
const (
	Good     = 0 // done, or the answer is yes
	No       = 1 // done, and the answer is no
	Unusable = 2 // the command line or the input cannot be used
	NotKnown = 3 // done, and the answer is that it cannot be told
)

// IsTerminal reports whether a person reads this file.
func IsTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}

// A Style paints text, or leaves it alone if nobody would see the colour.
type Style struct{ on bool }

// StyleFor returns the style for a file: colours on a terminal, unless the
// environment has NO_COLOR set.
func StyleFor(f *os.File) Style {
	return Style{IsTerminal(f) && os.Getenv("NO_COLOR") == ""}
}

func (s Style) paint(code, text string) string {
	if !s.on || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// Bold, Dim, Red, Green and Yellow paint text.
func (s Style) Bold(text string) string   { return s.paint("1", text) }
func (s Style) Dim(text string) string    { return s.paint("2", text) }
func (s Style) Red(text string) string    { return s.paint("31", text) }
func (s Style) Green(text string) string  { return s.paint("32", text) }
func (s Style) Yellow(text string) string { return s.paint("33", text) }

// Table writes rows in columns that align, two spaces apart. The first row is
// the head. Control characters in a cell are shown as escapes: what comes from
// a certificate must not steer the terminal.
func Table(w io.Writer, style Style, rows ...[]string) {
	var widths []int
	for r := range rows {
		for c := range rows[r] {
			rows[r][c] = Clean(rows[r][c])
			if c == len(widths) {
				widths = append(widths, 0)
			}
			widths[c] = max(widths[c], utf8.RuneCountInString(rows[r][c]))
		}
	}
	for r, row := range rows {
		var line strings.Builder
		for c, cell := range row {
			line.WriteString(cell)
			if c < len(row)-1 {
				line.WriteString(strings.Repeat(" ", widths[c]-utf8.RuneCountInString(cell)+2))
			}
		}
		text := strings.TrimRight(line.String(), " ")
		if r == 0 {
			text = style.Bold(text)
		}
		fmt.Fprintln(w, text)
	}
}

// Clean returns text with control characters written as escapes.
func Clean(text string) string {
	if strings.IndexFunc(text, isControl) < 0 {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if isControl(r) {
			b.WriteString(strings.Trim(fmt.Sprintf("%q", r), "'"))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func isControl(r rune) bool {
	return r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

// JSON writes a value for machines: indented, one line break at the end.
func JSON(w io.Writer, value any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(value)
}

// A Failure ends a program with an exit status.
type Failure struct {
	Status int
	Err    error
}

func (f *Failure) Error() string { return f.Err.Error() }
func (f *Failure) Unwrap() error { return f.Err }

// Usage marks an error as one in the command line or the input.
func Usage(format string, args ...any) error {
	return &Failure{Unusable, fmt.Errorf(format, args...)}
}

// ParseFlags parses the flags of a program. -h prints the summary, how to call the
// program and all flags, and is [flag.ErrHelp]; a wrong flag is one line.
func ParseFlags(f *flag.FlagSet, args []string, summary, arguments string) error {
	f.SetOutput(io.Discard)
	f.Usage = func() {}
	err := f.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		f.SetOutput(os.Stderr)
		fmt.Fprintf(os.Stderr, "%s\n\nUsage: go run ./examples/%s %s\n\n", summary, f.Name(), arguments)
		f.PrintDefaults()
		return err
	case err != nil:
		return Usage("%w; run \"%s -h\" for help", err, f.Name())
	}
	return nil
}

// ErrNo ends a program with status [No] and prints nothing: the program has printed
// its answer.
var ErrNo = &Failure{Status: No, Err: errors.New("no")}

// ErrNotKnown is [ErrNo] with status [NotKnown].
var ErrNotKnown = &Failure{Status: NotKnown, Err: errors.New("not known")}

// Main runs a program and ends the process with its exit status. Errors go to
// standard error behind the program's name.
func Main(name string, run func(args []string) error) {
	os.Exit(status(name, os.Stderr, run(os.Args[1:])))
}

func status(name string, stderr io.Writer, err error) int {
	var failure *Failure
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
		return Good
	case err == error(ErrNo):
		return No
	case err == error(ErrNotKnown):
		return NotKnown
	case errors.As(err, &failure):
	default:
		failure = &Failure{Unusable, err}
	}
	for _, line := range lines(err) {
		fmt.Fprintf(stderr, "%s: %s\n", name, line)
	}
	return failure.Status
}

// prefixes are the names that the library's packages put in front of their errors. A
// person who runs a program has no use for them.
var prefixes = regexp.MustCompile(`(^|: |; |, )(?:cba|certuserid|crl|deploy|dn|fetch|folder|graph|graphtest|keyid|ledger|lifecycle|lint|pfx|policy|publish|rollout|signin|snapshot|sqlite|token|trust): `)

// lines is the text of an error for people, line by line.
func lines(err error) []string {
	var all []string
	for line := range strings.SplitSeq(strings.TrimRight(err.Error(), "\n"), "\n") {
		for before := ""; before != line; {
			before, line = line, prefixes.ReplaceAllString(line, "$1")
		}
		all = append(all, Clean(line))
	}
	return all
}

// Text is an error in one line for people, without the names of packages.
func Text(err error) string { return strings.Join(lines(err), "; ") }

// Count is a number with its noun: "1 user", "2 users". The plural is the singular
// with an s unless it is given.
func Count(n int, one string, many ...string) string {
	word := one
	if n != 1 {
		if word = one + "s"; len(many) > 0 {
			word = many[0]
		}
	}
	return fmt.Sprintf("%d %s", n, word)
}

// A Progress is a bar that grows with work. It draws on a terminal only, and
// not for work that is over in a blink.
type Progress struct {
	mu      sync.Mutex
	w       *os.File
	what    string
	total   int
	started time.Time
	drawn   time.Time
	done    int
	shown   bool
}

// NewProgress returns a bar for total steps (0: not known).
func NewProgress(w *os.File, what string, total int) *Progress {
	p := &Progress{what: what, total: total, started: time.Now()}
	if IsTerminal(w) {
		p.w = w
	}
	return p
}

// Step says that n more steps are done.
func (p *Progress) Step(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += n
	now := time.Now()
	if p.w == nil || now.Sub(p.started) < 300*time.Millisecond || now.Sub(p.drawn) < 100*time.Millisecond {
		return
	}
	p.drawn, p.shown = now, true
	fmt.Fprint(p.w, "\r\x1b[K", p.line(now.Sub(p.started)))
}

// line is the bar after the work has gone on for this long.
func (p *Progress) line(elapsed time.Duration) string {
	rate := float64(p.done) / max(elapsed.Seconds(), 1e-9)
	if p.total <= 0 {
		return fmt.Sprintf("%s  %d  %.0f/s", p.what, p.done, rate)
	}
	const width = 30
	full := min(width, width*p.done/p.total)
	line := fmt.Sprintf("%s  %s%s  %d of %d", p.what,
		strings.Repeat("█", full), strings.Repeat("░", width-full), p.done, p.total)
	if p.done > 0 && p.done < p.total {
		left := time.Duration(float64(p.total-p.done) / rate * float64(time.Second))
		line += fmt.Sprintf("  %.0f/s  %v left", rate, left.Round(time.Second))
	}
	return line
}

// End takes the bar away.
func (p *Progress) End() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
	p.w = nil
}
