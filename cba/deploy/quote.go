package deploy

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Each function here writes text so that one reader reads exactly that text. What the
// reader cannot read is an error: a changed password would show up as "wrong
// password" on the user's machine.

// checkPassword refuses what no format can carry.
func checkPassword(password string) error {
	switch {
	case password == "":
		return fail(Missing, "Password is empty, and this file has to hold it")
	case !utf8.ValidString(password):
		return fail(UnfitPassword, "the password is not valid UTF-8")
	}
	return nil
}

// powerShell writes text as a PowerShell expression whose value it is.
//
// Letters, digits and a few signs stand in single quotes; everything else is
// added by its number, as in 'a'+[char]39+'b'. What comes out has none of
// " ' (inside a string) % ! & < > | ^ $ ` or a line end, nor any of the
// typographic quotation marks, which PowerShell takes for quotes
// (about_Quoting_Rules). So it means the same in a script, inside the double
// quotes of powershell -Command, behind cmd /c and in XML.
//
// The first operand is always a string: + then joins text, and never adds numbers.
func powerShell(text string) string {
	var b strings.Builder
	open := true
	b.WriteByte('\'')
	for _, u := range utf16.Encode([]rune(text)) {
		if plainInPowerShell(u) {
			if !open {
				b.WriteString("+'")
				open = true
			}
			b.WriteByte(byte(u))
			continue
		}
		if open {
			b.WriteByte('\'')
			open = false
		}
		b.WriteString("+[char]")
		b.WriteString(strconv.Itoa(int(u)))
	}
	if open {
		b.WriteByte('\'')
	}
	return b.String()
}

func plainInPowerShell(u uint16) bool {
	return u >= 'a' && u <= 'z' || u >= 'A' && u <= 'Z' || u >= '0' && u <= '9' ||
		u < 0x80 && strings.IndexByte(`-._@:/\=+,#~`, byte(u)) >= 0
}

// powerShellOperand is [powerShell] for a place where only one operand may
// stand, such as the argument of a parameter.
func powerShellOperand(text string) string {
	s := powerShell(text)
	if strings.Contains(s, "+[char]") {
		return "(" + s + ")"
	}
	return s
}

// batch writes text as one argument in a batch file, for a program that reads
// its command line as the C runtime of Microsoft does. Percent signs are
// doubled, which holds in batch files only and not at the prompt; delayed
// expansion must be off.
//
// A quotation mark would need different rules for cmd and for the program, and
// what a batch file has outside ASCII depends on the code page of the machine:
// both are refused, as are control characters.
func batch(text string) (string, error) {
	for _, r := range text {
		switch {
		case r < ' ' || r == 0x7f:
			return "", fail(UnfitPassword, "a batch file cannot hold a password with a control character; use the PowerShell script")
		case r == '"':
			return "", fail(UnfitPassword, "a batch file cannot hold a password with a quotation mark safely; use the PowerShell script")
		case r > 0x7f:
			return "", fail(UnfitPassword, "a batch file cannot hold a password with characters outside ASCII, because they depend on the code page; use the PowerShell script")
		}
	}
	// A backslash before the closing quote would escape it.
	end := len(text) - len(strings.TrimRight(text, `\`))
	return `"` + strings.ReplaceAll(text, "%", "%%") + strings.Repeat(`\`, end) + `"`, nil
}

// shell writes text as one word for a POSIX shell.
func shell(text string) (string, error) {
	if strings.IndexByte(text, 0) >= 0 {
		return "", fail(UnfitPassword, "a shell script cannot hold a password with a zero byte; do not embed it")
	}
	return shellWord(text), nil
}

// shellWord is [shell] for text that was checked before.
func shellWord(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// isXML reports whether XML 1.0 can hold every character (section 2.2, Char).
func isXML(text string) bool {
	for _, r := range text {
		switch {
		case r == '\t' || r == '\n' || r == '\r':
		case r >= ' ' && r <= 0xd7ff || r >= 0xe000 && r <= 0xfffd || r >= 0x10000 && r <= 0x10ffff:
		default:
			return false
		}
	}
	return utf8.ValidString(text)
}

// xmlText writes text as the content of an XML element.
func xmlText(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#13;").Replace(text)
}

// comment writes text for a comment in any of the formats: what could end a
// comment, or is special in cmd even there, becomes a question mark, and so does
// a hyphen behind another one, which XML forbids.
func comment(text string) string {
	last := rune(0)
	return strings.Map(func(r rune) rune {
		if r >= 0x80 || !isAlphanumeric(byte(r)) && !strings.ContainsRune(" @._+=,:/-", r) || r == '-' && last == '-' {
			r = '?'
		}
		last = r
		return r
	}, text)
}
