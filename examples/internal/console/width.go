package console

import (
	"io"
	"iter"
	"strings"
	"unicode"
)

// Width is how many columns of a terminal a text takes: letters of East Asia and emoji
// take two, marks on a letter and characters that cannot be seen none.
func Width(text string) int {
	n := 0
	for _, r := range text {
		n += runeWidth(r)
	}
	return n
}

// wide has the characters of two columns: Unicode's East Asian Width W and F. Characters
// that Unicode has not assigned close the gaps between them.
var wide = [][2]rune{
	{0x1100, 0x115f}, {0x231a, 0x231b}, {0x2329, 0x232a}, {0x23e9, 0x23ec}, {0x23f0, 0x23f0}, {0x23f3, 0x23f3}, {0x25fd, 0x25fe},
	{0x2614, 0x2615}, {0x2648, 0x2653}, {0x267f, 0x267f}, {0x2693, 0x2693}, {0x26a1, 0x26a1}, {0x26aa, 0x26ab}, {0x26bd, 0x26be},
	{0x26c4, 0x26c5}, {0x26ce, 0x26ce}, {0x26d4, 0x26d4}, {0x26ea, 0x26ea}, {0x26f2, 0x26f3}, {0x26f5, 0x26f5}, {0x26fa, 0x26fa},
	{0x26fd, 0x26fd}, {0x2705, 0x2705}, {0x270a, 0x270b}, {0x2728, 0x2728}, {0x274c, 0x274c}, {0x274e, 0x274e}, {0x2753, 0x2755},
	{0x2757, 0x2757}, {0x2795, 0x2797}, {0x27b0, 0x27b0}, {0x27bf, 0x27bf}, {0x2b1b, 0x2b1c}, {0x2b50, 0x2b50}, {0x2b55, 0x2b55},
	{0x2e80, 0x303e}, {0x3041, 0x3247}, {0x3250, 0x4dbf}, {0x4e00, 0xa4c6}, {0xa960, 0xa97c}, {0xac00, 0xd7a3}, {0xf900, 0xfad9},
	{0xfe10, 0xfe6b}, {0xff01, 0xff60}, {0xffe0, 0xffe6}, {0x16fe0, 0x1b2fb}, {0x1f004, 0x1f004}, {0x1f0cf, 0x1f0cf},
	{0x1f18e, 0x1f18e}, {0x1f191, 0x1f19a}, {0x1f200, 0x1f320}, {0x1f32d, 0x1f335}, {0x1f337, 0x1f37c}, {0x1f37e, 0x1f393},
	{0x1f3a0, 0x1f3ca}, {0x1f3cf, 0x1f3d3}, {0x1f3e0, 0x1f3f0}, {0x1f3f4, 0x1f3f4}, {0x1f3f8, 0x1f43e}, {0x1f440, 0x1f440},
	{0x1f442, 0x1f4fc}, {0x1f4ff, 0x1f53d}, {0x1f54b, 0x1f54e}, {0x1f550, 0x1f567}, {0x1f57a, 0x1f57a}, {0x1f595, 0x1f596},
	{0x1f5a4, 0x1f5a4}, {0x1f5fb, 0x1f64f}, {0x1f680, 0x1f6c5}, {0x1f6cc, 0x1f6cc}, {0x1f6d0, 0x1f6d2}, {0x1f6d5, 0x1f6df},
	{0x1f6eb, 0x1f6ec}, {0x1f6f4, 0x1f6fc}, {0x1f7e0, 0x1f7f0}, {0x1f90c, 0x1f93a}, {0x1f93c, 0x1f945}, {0x1f947, 0x1f9ff},
	{0x1fa70, 0x1faf6}, {0x20000, 0x3fffd},
}

func runeWidth(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) || r >= 0x1160 && r <= 0x11ff:
		return 0
	case r < wide[0][0]:
		return 1
	}
	for _, w := range wide {
		if r >= w[0] && r <= w[1] {
			return 2
		}
	}
	return 1
}

// wrap cuts a text into lines of so many columns: at spaces, and where a word is longer
// than a line in the word.
func wrap(text string, columns int) []string {
	if columns <= 0 || Width(text) <= columns {
		return []string{text}
	}
	var lines []string
	line, used := "", 0
	flush := func() {
		lines = append(lines, strings.TrimRight(line, " "))
		line, used = "", 0
	}
	for word := range strings.SplitSeq(text, " ") {
		w := Width(word)
		if used > 0 && used+1+w > columns && (w <= columns || used > columns/4) { // a long word is cut in any case
			flush()
		} else if used > 0 {
			line, used = line+" ", used+1
		}
		if w <= columns {
			line, used = line+word, used+w
			continue
		}
		for part := range parts(word) { // a path or an address breaks behind its parts
			if w := Width(part); used > columns/2 && used+w > columns && w <= columns {
				flush()
			}
			for _, r := range part {
				if w := runeWidth(r); used+w > columns {
					flush()
				}
				line, used = line+string(r), used+runeWidth(r)
			}
		}
	}
	flush()
	return lines
}

// parts are the parts of a path, an address or an ID, each with its separator.
func parts(word string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for word != "" {
			n := len(word)
			if i := strings.IndexAny(word, "/\\@>="); i >= 0 {
				n = i + 1
			}
			if !yield(word[:n]) {
				return
			}
			word = word[n:]
		}
	}
}

// Lines are a text as it fits behind an indentation on the terminal of w; one line where w
// is none.
func Lines(w io.Writer, text string, indent int) []string {
	if o, ok := w.(*Output); ok && o.columns > indent+20 {
		return wrap(text, o.columns-indent)
	}
	return []string{text}
}
