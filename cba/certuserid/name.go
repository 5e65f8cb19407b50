package certuserid

import (
	"strings"

	"example.com/entracba/cba/dn"
)

// special are the characters for which CertNameToStr puts a value in quotes.
const special = ",+=\"\n<>#;"

// indexSpecial is strings.IndexAny(s, special) without its preparations.
func indexSpecial(s string) int {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case ',', '+', '=', '"', '\n', '<', '>', '#', ';':
			return i
		}
	}
	return -1
}

// scanName reads a name as dn.AppendWindows writes it, from s[at:] to the end or
// to the '<' of the next tag, and returns where that is; with a fault, where the
// fault is.
//
// The form is not ambiguous, though it joins the values of a multi-valued part
// by a mere space: a value that holds "=" stands in quotes, so that an equal
// sign outside quotes always has an attribute type before it.
func scanName(s string, at int) (int, Reason) {
	if at == len(s) || s[at] == '<' {
		return at, MissingPart
	}
	for {
		equal := strings.IndexByte(s[at:], '=')
		if equal < 0 {
			return at, badNameOrBlank(s, at)
		}
		if !isWindowsType(s[at : at+equal]) {
			return at, badNameOrBlank(s, at)
		}
		var fault Reason
		if at, fault = scanValue(s, at+equal+1); fault != "" {
			return at, fault
		}
		if at == len(s) || s[at] == '<' {
			return at, ""
		}
		at++ // the comma, or the space inside a multi-valued part
	}
}

func badNameOrBlank(s string, at int) Reason {
	if at < len(s) && s[at] == ' ' {
		return StraySpace
	}
	return BadName
}

// scanValue reads one value and returns where its separator is: a comma, a
// space with another type behind it, the '<' of a tag or the end.
func scanValue(s string, at int) (int, Reason) {
	if at == len(s) {
		return at, BadName // an empty value is written as ""
	}
	switch s[at] {
	case '"':
		return scanQuoted(s, at)
	case '#':
		return scanRaw(s, at)
	}
	end := indexSpecial(s[at:])
	if end < 0 {
		end = len(s) - at
	}
	next := at + end
	if next < len(s) {
		switch s[next] {
		case ',', '<':
		case '=':
			space := strings.LastIndexByte(s[at:next], ' ')
			if space < 0 {
				return next, BadName
			}
			next = at + space
		default:
			return next, BadName
		}
	}
	switch {
	case next == at && next < len(s) && s[next] == ' ', next > at && s[at] == ' ':
		return at, StraySpace
	case next == at:
		return at, BadName
	case s[next-1] == ' ':
		return next - 1, StraySpace
	}
	return next, ""
}

// scanQuoted reads a value in quotes, which must need them.
func scanQuoted(s string, at int) (int, Reason) {
	for i := at + 1; i < len(s); i++ {
		if s[i] != '"' {
			continue
		}
		if i+1 < len(s) && s[i+1] == '"' {
			i++
			continue
		}
		if !needsQuotes(s[at+1 : i]) {
			return at, BadName
		}
		return endOfValue(s, i+1)
	}
	return at, BadName
}

// needsQuotes holds CertNameToStr's rule for values without control characters,
// which have been refused before.
func needsQuotes(value string) bool {
	return value == "" || value[0] == ' ' || value[len(value)-1] == ' ' || indexSpecial(value) >= 0
}

// scanRaw reads "#" and the hexadecimal DER of a value that is no text.
func scanRaw(s string, at int) (int, Reason) {
	i := at + 1
	for i < len(s) && ('0' <= s[i] && s[i] <= '9' || 'a' <= s[i] && s[i] <= 'f') {
		i++
	}
	if digits := i - at - 1; digits < 4 || digits%2 != 0 {
		return at, BadName
	}
	return endOfValue(s, i)
}

func endOfValue(s string, at int) (int, Reason) {
	if at == len(s) || s[at] == ',' || s[at] == '<' {
		return at, ""
	}
	if s[at] == ' ' && at+1 < len(s) && s[at+1] != ' ' {
		return at, "" // scanName checks that a type follows
	}
	return at, BadName
}

// isWindowsType reports whether CertNameToStr writes this attribute type: one of
// its names, or "OID." and a number that has no name.
func isWindowsType(keyword string) bool {
	t, err := dn.ParseType(keyword)
	if number, found := strings.CutPrefix(keyword, "OID."); found && string(t) == number {
		return err == nil // a number without a name; Windows would allocate
	}
	return err == nil && t.Windows() == keyword
}
