package console

import (
	"bytes"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// Stdout is where programs print: standard output, whose first failed write ends the
// program with an error. On a terminal, or where the environment has COLUMNS, lines are
// wrapped at words; commands are not, so that they can be copied.
var Stdout = &Output{file: os.Stdout, columns: columns(os.Stdout)}

// columns is the width at which text for a file is wrapped, 0 if it is not.
func columns(f *os.File) int {
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return max(n, 40)
	}
	if n := terminal(f); n > 0 {
		return max(n, 40)
	}
	return 0
}

// An Output is a file that remembers what went wrong.
type Output struct {
	file    io.Writer
	columns int
	line    []byte // the last one, while it has no end
	err     error
}

// Write is part of [io.Writer].
func (o *Output) Write(p []byte) (int, error) {
	if o.columns == 0 {
		o.write(p)
		return len(p), o.err
	}
	for _, c := range p {
		if o.line = append(o.line, c); c == '\n' {
			o.flush()
		}
	}
	return len(p), o.err
}

func (o *Output) write(p []byte) {
	if o.err == nil {
		_, o.err = o.file.Write(p)
	}
}

// flush writes the line, wrapped.
func (o *Output) flush() {
	if len(o.line) > 0 {
		o.write(fold(o.line, o.columns))
		o.line = o.line[:0]
	}
}

// Close writes what has no end yet, and returns the first error of all writes.
func (o *Output) Close() error {
	o.flush()
	return o.err
}

// Raw writes as [Output.Write] does, without wrapping: for machines.
func (o *Output) Raw(p []byte) (int, error) {
	o.flush()
	o.write(p)
	return len(p), o.err
}

// A rawOutput writes to an output without wrapping.
type rawOutput struct{ o *Output }

func (r rawOutput) Write(p []byte) (int, error) { return r.o.Raw(p) }

// Machine returns the writer for JSON: w, without wrapping.
func Machine(w io.Writer) io.Writer {
	if o, ok := w.(*Output); ok {
		return rawOutput{o}
	}
	return w
}

// fold wraps one line behind its indentation.
func fold(line []byte, columns int) []byte {
	text := strings.TrimSuffix(string(line), "\n")
	if isCommand(text) || visible(text) <= columns {
		return line
	}
	rest := strings.TrimLeft(text, " ")
	indent := len(text) - len(rest)
	if indent > columns/2 {
		return line
	}
	var b bytes.Buffer
	b.WriteString(text[:indent])
	hang := strings.Repeat(" ", indent)
	if mark := label.FindString(rest); len(mark) <= 12 {
		hang += strings.Repeat(" ", len(mark))
	}
	used := 0
	for word := range strings.SplitSeq(rest, " ") {
		w := visible(word)
		switch {
		case used > 0 && indent+used+1+w > columns && len(hang) < columns/2:
			b.WriteString("\n" + hang)
			used = len(hang) - indent
			b.WriteString(word)
			used += w
			continue
		case used > 0 || b.Len() > indent:
			b.WriteByte(' ')
			used++
		}
		b.WriteString(word)
		used += w
	}
	b.WriteByte('\n')
	return b.Bytes()
}

// label is what stands in front of a text and is not written under: a number, or a word
// and two spaces.
var label = regexp.MustCompile(`^(?:\d+\. +|[A-Za-z]+  +)`)

// isCommand reports whether a line is a command to copy.
func isCommand(line string) bool {
	line = strings.TrimLeft(line, " ")
	return strings.HasPrefix(line, "go run ") || strings.HasPrefix(line, "go build ")
}

// visible is the width of a text without the sequences that paint it.
func visible(text string) int {
	n := Width(text)
	for {
		_, after, found := strings.Cut(text, "\x1b[")
		if !found {
			return n
		}
		code, rest, _ := strings.Cut(after, "m")
		n -= 1 + 1 + len(code) + 1
		text = rest
	}
}
