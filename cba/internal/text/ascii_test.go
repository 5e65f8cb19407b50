package text_test

import (
	"strings"
	"testing"

	"example.com/entracba/cba/internal/text"
)

func TestEqualFold(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"", "", true}, {"Jane@Contoso.com", "jANE@contoso.COM", true}, {"a", "ab", false}, {"a", "b", false},
		{"[", "{", false}, {"@", "`", false}, // 0x20 apart, and no letters
		{"\u212a", "k", false}, {"\u017f", "s", false}, {"ä", "Ä", false}, {"ä", "ä", true}, {"\xff", "\xff", true}, {"\xc4", "\xe4", false},
	} {
		if got := text.EqualFold(c.a, c.b); got != c.want {
			t.Errorf("%q and %q: %v", c.a, c.b, got)
		}
	}
}

func TestIsASCII(t *testing.T) {
	for in, want := range map[string]bool{"": true, "\x00a~\x7f": true, "a\x80": false, "é": false} {
		if text.IsASCII(in) != want || text.IsASCII([]byte(in)) != want {
			t.Errorf("%q: not %v", in, want)
		}
	}
}

func TestIsGUID(t *testing.T) {
	const id = "00000003-0000-0000-c000-00000000abcf"
	for in, want := range map[string]bool{
		id: true, strings.ToUpper(id): true, "": false, id[1:]: false, id + "0": false, "{" + id[2:] + "}": false,
		strings.Replace(id, "f", "g", 1): false, strings.Replace(id, "-", "0", 1): false, strings.Replace(id, "3", "-", 1): false,
		strings.Replace(id, "ab", "\u212a", 1) + "0": false,
	} {
		if text.IsGUID(in) != want {
			t.Errorf("%q: not %v", in, want)
		}
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0 entries", 1: "1 entry", 2: "2 entries", 12345: "12345 entries"} {
		if got := text.Count(n, "entry", "entries"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestSome(t *testing.T) {
	for most, want := range map[int]string{1: "a and 2 more", 2: "a, b and 1 more", 3: "a, b, c", 4: "a, b, c"} {
		if got := text.Some([]string{"a", "b", "c"}, most); got != want {
			t.Errorf("%d: %q, want %q", most, got, want)
		}
	}
	if got := text.Some(nil, 5); got != "" {
		t.Errorf("%q", got)
	}
}
