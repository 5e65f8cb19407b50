package console

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
)

// Command is the command that runs a program with these arguments, to copy into a shell.
func Command(program string, args ...string) string {
	return Line(append([]string{"go", "run", "./examples/" + program}, args...)...)
}

// Line is a command line of a shell with these words.
func Line(words ...string) string {
	var quoted []string
	for _, word := range words {
		quoted = append(quoted, quote(word))
	}
	return strings.Join(quoted, " ")
}

// quote makes one word of a shell of a text.
func quote(text string) string {
	if text != "" && strings.IndexFunc(text, func(r rune) bool {
		return !(r >= '0' && r <= '9' || r|0x20 >= 'a' && r|0x20 <= 'z' || r > 0xa0 || strings.ContainsRune("@%+=:,./_-", r) || r == '\\' && runtime.GOOS == "windows")
	}) < 0 {
		return text
	}
	if runtime.GOOS == "windows" {
		return `"` + strings.ReplaceAll(text, `"`, `\"`) + `"`
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// Next writes the end of a program: why, and the command to run next, in one line.
func Next(w io.Writer, style Style, why, command string) {
	fmt.Fprintf(w, "\n%s  %s\n", style.Bold("NEXT"), why)
	fmt.Fprintf(Machine(w), "  %s\n", Clean(command))
}

// Written names the files that a program has written; those that are "" it has not.
func Written(w io.Writer, names ...string) {
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == "" })
	if len(names) > 0 {
		fmt.Fprintf(w, "\nWritten: %s\n", Clean(strings.Join(names, ", ")))
	}
}
