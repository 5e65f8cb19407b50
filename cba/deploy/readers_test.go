package deploy_test

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
)

// What reads our files, after the documents of each reader and in its own
// terms, so that a test does not repeat how the writer thinks.

// commandLine splits a line as the C runtime of Microsoft does (Learn, "Parsing
// C command-line arguments").
func commandLine(line string) []string {
	var args []string
	for i := 0; i < len(line); {
		if line[i] == ' ' || line[i] == '\t' {
			i++
			continue
		}
		var arg strings.Builder
		quoted := false
		for i < len(line) && (quoted || line[i] != ' ' && line[i] != '\t') {
			backslashes := 0
			for i < len(line) && line[i] == '\\' {
				backslashes++
				i++
			}
			if i < len(line) && line[i] == '"' {
				arg.WriteString(strings.Repeat(`\`, backslashes/2))
				i++
				switch {
				case backslashes%2 == 1:
					arg.WriteByte('"')
				case quoted && i < len(line) && line[i] == '"':
					arg.WriteByte('"')
					i++
				default:
					quoted = !quoted
				}
				continue
			}
			arg.WriteString(strings.Repeat(`\`, backslashes))
			if i < len(line) && (quoted || line[i] != ' ' && line[i] != '\t') {
				arg.WriteByte(line[i])
				i++
			}
		}
		args = append(args, arg.String())
	}
	return args
}

// cmdChanges says what cmd would do to a line other than to pass it on: expand
// a variable, or end, pipe or redirect the command outside of quotes.
func cmdChanges(line string) error {
	quoted := false
	for _, r := range line {
		switch {
		case r == '%' || r == '!':
			return fmt.Errorf("%q would be expanded", r)
		case r == '\n' || r == '\r':
			return fmt.Errorf("a line end")
		case r == '"':
			quoted = !quoted
		case !quoted && strings.ContainsRune("&|<>^()", r):
			return fmt.Errorf("%q outside of quotes", r)
		}
	}
	if quoted {
		return fmt.Errorf("a quote that does not end")
	}
	return nil
}

// batchLine is what cmd makes of a line of a batch file, without delayed
// expansion: %% becomes %, any other % would be a variable.
func batchLine(line string) (string, error) {
	line = strings.ReplaceAll(line, "%~dp0", `E:\`)
	plain := strings.ReplaceAll(line, "%%", "")
	if strings.Contains(plain, "%") {
		return "", fmt.Errorf("a variable in %q", line)
	}
	line = strings.ReplaceAll(line, "%%", "%")
	quoted := false
	for _, r := range line {
		if r == '"' {
			quoted = !quoted
		} else if !quoted && strings.ContainsRune("&<>^()", r) || r == '\n' || r == '\r' || r == 0 {
			return "", fmt.Errorf("%q outside of quotes, or a line end", r)
		}
	}
	return line, nil
}

// powerShellValue evaluates a sum of strings in single quotes and numbered
// characters, maybe in parentheses, and returns what stands behind it. Five
// characters end such a string (about_Quoting_Rules: typographic quotation
// marks count as straight ones).
func powerShellValue(source string) (value, rest string, err error) {
	if inner, ok := strings.CutPrefix(source, "("); ok {
		value, rest, err = powerShellValue(inner)
		if err == nil && !strings.HasPrefix(rest, ")") {
			err = fmt.Errorf("no ) at %q", rest)
		}
		return value, strings.TrimPrefix(rest, ")"), err
	}
	const quotes = "'\u2018\u2019\u201a\u201b"
	var units []uint16
	for first := true; ; first = false {
		switch {
		case strings.HasPrefix(source, "'"):
			runes := []rune(source[1:])
			i := 0
			for ; ; i++ {
				if i == len(runes) {
					return "", "", fmt.Errorf("a string without an end")
				}
				if strings.ContainsRune(quotes, runes[i]) {
					if i+1 == len(runes) || !strings.ContainsRune(quotes, runes[i+1]) {
						break
					}
					i++ // doubled: stands for itself
				}
				units = append(units, utf16.Encode(runes[i:i+1])...)
			}
			source = string(runes[i+1:])
		case strings.HasPrefix(source, "[char]") && !first:
			digits := strings.TrimLeft(source[6:], "0123456789")
			n, err := strconv.ParseUint(source[6:len(source)-len(digits)], 10, 16)
			if err != nil {
				return "", "", err
			}
			units = append(units, uint16(n))
			source = digits
		default:
			return "", "", fmt.Errorf("neither a string nor a character at %q", source)
		}
		if !strings.HasPrefix(source, "+") {
			return string(utf16.Decode(units)), source, nil
		}
		source = source[1:]
	}
}

// operand returns the value of what stands behind a word in PowerShell.
func operand(source, word string) (string, error) {
	_, after, found := strings.Cut(source, word)
	if !found {
		return "", fmt.Errorf("no %q in %q", word, source)
	}
	value, rest, err := powerShellValue(strings.TrimLeft(after, " "))
	if err == nil && !strings.HasPrefix(rest, " ") && !strings.HasPrefix(rest, ")") {
		err = fmt.Errorf("%q behind the operand", rest)
	}
	return value, err
}
