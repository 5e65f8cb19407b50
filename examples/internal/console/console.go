// Package console is what the example programs show to a person: tables that
// align, a progress bar on a terminal, colour only there, and one way to fail.
package console

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Exit statuses of the examples.
const (
	Good     = 0 // done, or the answer is yes
	No       = 1 // done, and the answer is no
	Unusable = 2 // the command line or the input cannot be used
	NotKnown = 3 // done, and the answer is that it cannot be told
	Pending  = 4 // done, and there are changes to make
)

// IsTerminal reports whether a person reads this file.
func IsTerminal(f *os.File) bool { return os.Getenv("TERM") != "dumb" && terminal(f) > 0 }

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
// a certificate must not steer the terminal. Where w is [Stdout] on a terminal, cells
// are wrapped so that the table fits.
func Table(w io.Writer, style Style, rows ...[]string) { writeTable(w, style.Bold, "", rows) }

// Rows is [Table] without a head, indented.
func Rows(w io.Writer, rows ...[]string) {
	writeTable(w, func(text string) string { return text }, "  ", rows)
}

// gap is the space between two columns.
const gap = 2

func writeTable(w io.Writer, head func(string) string, indent string, rows [][]string) {
	limit := 0
	if o, ok := w.(*Output); ok && o.columns > 0 {
		limit = o.columns - len(indent)
	}
	var widths []int
	for r := range rows {
		for c := range rows[r] {
			rows[r][c] = Clean(rows[r][c])
			if c == len(widths) {
				widths = append(widths, 0)
			}
			widths[c] = max(widths[c], Width(rows[r][c]))
		}
	}
	narrow(widths, limit)
	for r, row := range rows {
		cells := make([][]string, len(row))
		height := 1
		for c, cell := range row {
			cells[c] = []string{cell}
			if limit > 0 {
				cells[c] = wrap(cell, widths[c])
			}
			height = max(height, len(cells[c]))
		}
		for n := range height {
			var line strings.Builder
			for c := range cells {
				cell := ""
				if n < len(cells[c]) {
					cell = cells[c][n]
				}
				line.WriteString(cell)
				if c < len(cells)-1 {
					line.WriteString(strings.Repeat(" ", max(0, widths[c]-Width(cell))+gap))
				}
			}
			text := strings.TrimRight(line.String(), " ")
			if r == 0 {
				text = head(text)
			}
			if text != "" {
				text = indent + text
			}
			fmt.Fprintln(Machine(w), text)
		}
	}
}

// narrow makes the widest columns narrower until a table fits.
func narrow(widths []int, limit int) {
	const least = 8
	total := gap * (len(widths) - 1)
	for _, w := range widths {
		total += w
	}
	for limit > 0 && total > limit {
		widest := 0
		for c := range widths {
			if widths[c] >= widths[widest] { // the last of several: it is the longest text
				widest = c
			}
		}
		if widths[widest] <= least {
			return
		}
		widths[widest]--
		total--
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
	e := json.NewEncoder(Machine(w))
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(value)
}

// ResultVersion is the version of the results of -json, see docs/schema. It grows when a
// property is renamed, removed or means something else.
const ResultVersion = 1

// Result writes the result of a program for -json: the properties of value, which is an
// object, behind the version and the name of the program.
func Result(w io.Writer, program string, value any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		return err
	}
	members, isObject := strings.CutPrefix(strings.TrimSpace(b.String()), "{")
	if !isObject {
		return fmt.Errorf("the result of %s is no object", program)
	}
	text := ResultHead(program)
	if members != "}" {
		text += ","
	}
	return JSON(w, json.RawMessage(text+members))
}

// ResultHead is the beginning of a result, for programs that write it piece by piece.
func ResultHead(program string) string {
	return fmt.Sprintf("{\"version\": %d, \"program\": %q", ResultVersion, program)
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

// ParseFlags parses the flags of a program. -h prints to standard output what the
// program does, how to call it, examples (arguments only) and all flags, and -version its
// version; both are [flag.ErrHelp]. A wrong flag is two lines: what is wrong, with the
// flag that was probably meant, and how to get help.
func ParseFlags(f *flag.FlagSet, args []string, summary, arguments string, examples ...string) error {
	return parseFlags(Stdout, f, args, summary, arguments, examples)
}

func parseFlags(out io.Writer, f *flag.FlagSet, args []string, summary, arguments string, examples []string) error {
	version := f.Bool("version", false, "print the version")
	f.SetOutput(io.Discard)
	f.Usage = func() {}
	err := f.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintf(out, "%s\n\nUsage:\n  go run ./examples/%s %s\n", summary, f.Name(), arguments)
		for i, example := range examples {
			if i == 0 {
				fmt.Fprintf(out, "\nExamples:\n")
			}
			fmt.Fprintf(out, "  %s\n", strings.TrimSpace("go run ./examples/"+f.Name()+" "+example))
		}
		fmt.Fprintf(out, "\nFlags:\n")
		f.SetOutput(out)
		f.PrintDefaults()
		return err
	case err != nil:
		text := err.Error()
		if name, unknown := strings.CutPrefix(text, "flag provided but not defined: -"); unknown {
			text = "unknown flag -" + name
			if nearest := nearestFlag(f, name); nearest != "" {
				text += "; did you mean -" + nearest + "?"
			}
		}
		if before, bare := strings.CutSuffix(text, ": parse error"); bare { // it does not say of what
			text = before + ": must be a number"
			if isDuration(f, before) {
				text = before + ": must be a length of time such as 90s or 15m"
			}
		}
		return Usage("%s\nfor help: go run ./examples/%s -h", text, f.Name())
	case *version:
		fmt.Fprintf(out, "%s %s\n", f.Name(), buildVersion())
		return flag.ErrHelp
	}
	return nil
}

// isDuration reports whether an error of a flag is about one that is a length of time.
func isDuration(f *flag.FlagSet, text string) (is bool) {
	f.VisitAll(func(f *flag.Flag) {
		if g, ok := f.Value.(flag.Getter); ok && strings.HasSuffix(text, " for flag -"+f.Name) {
			_, is = g.Get().(time.Duration)
		}
	})
	return is
}

// buildVersion is what the go command knows about this program.
func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(unknown)"
	}
	text := info.Main.Version + " (entracba, " + info.GoVersion
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			text += ", commit " + s.Value
		}
	}
	return text + ")"
}

// nearestFlag is the flag that somebody meant who wrote name, "" if none is near.
func nearestFlag(f *flag.FlagSet, name string) string {
	best, least := "", max(1, min(3, len(name)/2))+1
	f.VisitAll(func(f *flag.Flag) {
		d := distance(strings.ToLower(name), f.Name)
		if len(name) > 2 && (strings.HasPrefix(f.Name, name) || strings.HasPrefix(name, f.Name) && len(f.Name) > 2) {
			d = min(d, 1)
		}
		if d < least {
			best, least = f.Name, d
		}
	})
	return best
}

// distance is how many letters must be added, removed, changed or swapped with the next
// to make b of a.
func distance(a, b string) int {
	var before []int
	last := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			change := 1
			if a[i] == b[j] {
				change = 0
			}
			row[j+1] = min(last[j]+change, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}

// Time reads a flag that is a time, such as 2026-11-21T08:00:00Z, or a day in UTC.
func Time(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, errors.New("must be a time such as 2026-11-21T08:00:00Z, or a day such as 2026-11-21")
}

// Period reads a flag that is a length of time, such as 36h, 7d or 2w.
func Period(text string) (time.Duration, error) {
	number, unit := strings.TrimRight(text, "dw"), time.Hour
	switch {
	case strings.HasSuffix(text, "d"):
		unit = 24 * time.Hour
	case strings.HasSuffix(text, "w"):
		unit = 7 * 24 * time.Hour
	}
	bad := errors.New("must be a length of time such as 36h, 7d or 2w")
	if unit > time.Hour {
		n, err := strconv.ParseUint(number, 10, 16)
		if err != nil || len(number) != len(text)-1 || n == 0 {
			return 0, bad
		}
		return time.Duration(n) * unit, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, bad
	}
	return d, nil
}

// Given are the names of the flags that the command line has.
func Given(f *flag.FlagSet) map[string]bool {
	given := map[string]bool{}
	f.Visit(func(f *flag.Flag) { given[f.Name] = true })
	return given
}

// Apart refuses a file that a program would write over another one that it writes, or
// over one that it reads. outputs are those that args, its command line, names; beside
// those that it writes with them. It reads what else args names, and inputs. Names that
// are "" do not count.
func Apart(args, outputs, beside []string, inputs ...string) error {
	inputs = append(inputs, named(args, outputs)...)
	outputs = slices.Concat(outputs, beside)
	for i, name := range outputs {
		for _, other := range outputs[:i] {
			if isSameFile(name, other) {
				return Usage("%s would be written twice: choose another name for one of the files", name)
			}
		}
		for _, other := range inputs {
			if isSameFile(name, other) {
				return Usage("%s is read, and would be replaced: choose another name for what is written", name)
			}
		}
	}
	return nil
}

// named are the words of a command line that can name a file, without the outputs, each
// of which it names once.
func named(args, outputs []string) []string {
	outputs = slices.Clone(outputs)
	var words []string
	for _, word := range args {
		if strings.HasPrefix(word, "-") {
			_, value, ok := strings.Cut(word, "=")
			if !ok {
				continue
			}
			word = value
		}
		if i := slices.Index(outputs, word); i >= 0 {
			outputs = slices.Delete(outputs, i, i+1)
			continue
		}
		words = append(words, word)
		if i := strings.LastIndex(word, "="); i >= 0 { // URL=FILE
			words = append(words, word[i+1:])
		}
	}
	return words
}

// isSameFile compares two names, and what they lead to.
func isSameFile(a, b string) bool {
	if a == "" || b == "" {
		return false
	}
	x, failedX := filepath.Abs(a)
	y, failedY := filepath.Abs(b)
	if failedX == nil && failedY == nil && x == y {
		return true
	}
	one, failedX := os.Stat(a)
	other, failedY := os.Stat(b)
	return failedX == nil && failedY == nil && os.SameFile(one, other)
}

// ErrNo ends a program with status [No] and prints nothing: the program has printed
// its answer.
var ErrNo = &Failure{Status: No, Err: errors.New("no")}

// ErrNotKnown is [ErrNo] with status [NotKnown].
var ErrNotKnown = &Failure{Status: NotKnown, Err: errors.New("not known")}

// ErrPending is [ErrNo] with status [Pending].
var ErrPending = &Failure{Status: Pending, Err: errors.New("pending")}

// Main runs a program and ends the process with its exit status. Errors go to
// standard error behind the program's name. What could not be printed is an error: the
// disk may be full.
func Main(name string, run func(args []string) error) {
	err := run(os.Args[1:])
	if closed := Stdout.Close(); errors.Is(err, closed) && closed != nil {
		err = &Failure{Unusable, err}
	} else if closed != nil {
		closed = Usage("not all of the result was printed: %w", closed)
		if err == nil || err == error(ErrNo) || err == error(ErrNotKnown) || err == error(ErrPending) || errors.Is(err, flag.ErrHelp) {
			err = closed
		} else {
			err = &Failure{Unusable, errors.Join(err, closed)}
		}
	}
	os.Exit(status(name, os.Stderr, err))
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
	case err == error(ErrPending):
		return Pending
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
var prefixes = regexp.MustCompile(`(^|: |; |, )(?:cba|certfile|certuserid|crl|deploy|dn|fetch|folder|graph|graphtest|intune|jobs|keyid|ledger|lifecycle|lint|pfx|policy|postgres|propose|publish|report|rollout|s3|signin|snapshot|sqlite|token|trust): `)

// fileErrors are the errors about files within err that people meet most: there is no
// such file, or they may not use it.
func fileErrors(err error) (all []*fs.PathError) {
	switch e := err.(type) {
	case *fs.PathError:
		if errors.Is(e.Err, fs.ErrNotExist) || errors.Is(e.Err, fs.ErrPermission) {
			return []*fs.PathError{e}
		}
	case interface{ Unwrap() error }:
		return fileErrors(e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, e := range e.Unwrap() {
			all = append(all, fileErrors(e)...)
		}
	}
	return all
}

// fileText is such an error for people.
func fileText(e *fs.PathError) string {
	dir := filepath.Dir(e.Path)
	_, failed := os.Stat(e.Path)
	_, failedDir := os.Stat(dir)
	text := ""
	switch permission := errors.Is(e.Err, fs.ErrPermission); {
	case permission && failed != nil:
		return fmt.Sprintf("%s: this folder must not be written or entered (permission denied): choose another one, or change its rights", dir)
	case permission:
		return e.Path + ": permission denied: choose another file, or change its rights"
	case failedDir != nil:
		text = dir + ": no such folder"
	default:
		text = e.Path + ": no such file"
	}
	if here, failed := os.Getwd(); failed == nil && !filepath.IsAbs(e.Path) {
		text += " in " + here
	}
	return text
}

// temporary is what the name of a file ends in while it is written.
var temporary = regexp.MustCompile(`\.[a-z0-9]{10,16}\.part\b`)

// lines is the text of an error for people, line by line. A file that does not exist is
// told with the folder in which it was looked for.
func lines(err error) []string {
	text := err.Error()
	for _, e := range fileErrors(err) {
		text = strings.ReplaceAll(text, e.Error(), fileText(e))
	}
	text = temporary.ReplaceAllString(text, "")
	var all []string
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
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
