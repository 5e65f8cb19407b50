package san_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"example.com/entracba/cba/internal/san"
)

// A user principal name in every form but the documented one is found, with its form.
func TestOdds(t *testing.T) {
	const oid = "060a2b060104018237140203"
	size := func(content string) string { return hex.EncodeToString([]byte{byte(len(content) / 2)}) }
	wrap := func(tag, content string) string { return tag + size(content) + content }
	list := func(names ...string) string { return wrap("30", strings.Join(names, "")) }
	other := func(value string) string { return wrap("a0", oid+value) }
	name := hex.EncodeToString([]byte("a@b.c"))
	for text, want := range map[string]string{
		list(other(wrap("a0", wrap("0c", name)))):                                 "",
		list(other(wrap("a0", wrap("0c", name)))) + "0000":                        "a@b.c in a list of names that is not well-formed",
		list(other(wrap("a0", wrap("1e", "00610040006200"+"2e0063")))):            "a@b.c a BMPString",
		list(other(wrap("a0", wrap("13", name)))):                                 "a@b.c a PrintableString",
		list(other(wrap("a0", wrap("16", name)))):                                 "a@b.c an IA5String",
		list(other(wrap("a0", wrap("14", name)))):                                 "a@b.c a TeletexString",
		list(other(wrap("a0", wrap("1c", "00000061000000400000006200")+""))) + "": "",
		list(other(wrap("a0", wrap("1c", "0000006100000040")))):                   "a@ a UniversalString",
		list(other(wrap("a0", wrap("04", name)))):                                 "a@b.c an OCTET STRING",
		list(other(wrap("a0", name))):                                             "a@b.c bytes of no string type",
		list(other(wrap("0c", name))):                                             "a@b.c a UTF8String without the tag [0] around it",
		list(other(wrap("80", name))):                                             "a@b.c bytes of no string type without the tag [0] around it",
		list(other(wrap("a0", wrap("0c", "e940")))):                               "\u00e9@ a UTF8String that is not valid UTF-8",
		list(other(wrap("a0", wrap("02", "05")))):                                 "",
		list(wrap("82", name)):                                                    "",
		"":                                                                        "",
		"0c0161":                                                                  "",
	} {
		raw, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, o := range san.Odds(raw) {
			got = append(got, o.Value+" "+o.How)
		}
		if strings.Join(got, "; ") != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
