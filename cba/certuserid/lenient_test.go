package certuserid_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"example.com/entracba/cba/certuserid"
)

func findingCodes(value string) (id certuserid.ID, codes []string) {
	id, found := certuserid.Normalize(value, nil)
	for _, f := range found {
		codes = append(codes, f.Code)
	}
	return id, codes
}

// Every invisible character is found and taken off, wherever people's copies have
// it, and no other character is taken for one.
func TestInvisible(t *testing.T) {
	const right = "X509:<PN>bob@woodgrove.com"
	for c := rune(0x2000); c <= 0x2070; c++ {
		invisible := 0x200b <= c && c <= 0x200f || 0x202a <= c && c <= 0x202e || 0x2060 <= c && c <= 0x2064
		checkInvisible(t, right, c, invisible)
	}
	checkInvisible(t, right, 0xfeff, true)
	for _, c := range []rune{0xfefe, 0x2fff, 'a', 0xe9} {
		checkInvisible(t, right, c, false)
	}
}

func checkInvisible(t *testing.T, right string, c rune, invisible bool) {
	t.Helper()
	at := strings.Index(right, "<")
	for _, value := range []string{
		string(c) + right, right + string(c), right[:at] + string(c) + right[at:], right[:at+4] + string(c) + right[at+4:],
		right[:at+1] + string(c) + right[at+1:],
	} {
		id, codes := findingCodes(value)
		if got := id.String() == right && slices.Equal(codes, []string{"userid-invisible"}); got != invisible {
			// Inside a tag and before it, an invisible character is reported as a space.
			if invisible && id.String() == right && slices.Equal(codes, []string{"userid-space"}) {
				continue
			}
			t.Errorf("U+%04X in %q: %v, %v", c, value, id, codes)
		}
	}
	// Among hexadecimal digits too.
	id, codes := findingCodes("X509:<SKI>0a" + string(c) + "0b")
	if got := id.String() == "X509:<SKI>0a0b" && slices.Contains(codes, "userid-invisible"); got != invisible {
		t.Errorf("U+%04X among digits: %v, %v", c, id, codes)
	}
}

// Without a certificate the order of a name is a guess from the types at its two
// ends; it is made exactly where the ends contradict the root-first order.
func TestOrderGuess(t *testing.T) {
	// How near the root a part stands, by its types: the higher end is the root.
	heights := []struct {
		part   string
		height int
	}{
		{"C=US", 3}, {"DC=com", 3}, {"DC=com CN=x", 3}, {"O=Contoso", 2}, {"CN=Jane", 1}, {"CN=Jane SERIALNUMBER=7", 1},
		{"OU=Users", 0}, {"E=jane@contoso.com", 0}, {"O=Contoso CN=Jane", 0},
	}
	reversed, kept := 0, 0
	for _, first := range heights {
		for _, last := range heights {
			for _, middle := range []string{"", "OU=a,", "OU=a,OU=b,"} {
				name := first.part + "," + middle + last.part
				id, codes := findingCodes("X509:<S>" + name)
				// The part that is known to be at the root stands last, and the first is known
				// not to be; or a person's name stands first and an organization last.
				guess := last.height == 3 && first.height < 3 || last.height == 2 && first.height == 1
				parts := strings.Split(name, ",")
				want, wantCodes := name, []string(nil)
				if guess {
					slices.Reverse(parts)
					want, wantCodes = strings.Join(parts, ","), []string{"userid-name-order-likely"}
					reversed++
				} else {
					kept++
				}
				if id.Value() != want || !slices.Equal(codes, wantCodes) {
					t.Errorf("%q: %q, %v; want %q, %v", name, id.Value(), codes, want, wantCodes)
				}
			}
		}
	}
	if reversed < 50 || kept < 100 {
		t.Errorf("%d guesses, %d kept", reversed, kept)
	}
	// One part alone has no order.
	for _, h := range heights {
		if id, codes := findingCodes("X509:<S>" + h.part); id.Value() != h.part || codes != nil {
			t.Errorf("%q: %v, %v", h.part, id, codes)
		}
	}
}

// What is read leniently with a certificate is right for sure: the order is that
// of the certificate, whatever the types say.
func TestOrderKnown(t *testing.T) {
	cert := load(t, "contoso-user")
	right, err := certuserid.FromCertificate(cert, certuserid.Subject)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(right.Value(), ",")
	slices.Reverse(parts)
	id, found := certuserid.Normalize("X509:<S>"+strings.Join(parts, ","), cert)
	if id != right || !found.Has("userid-name-order") || found.Has("userid-name-order-likely") {
		t.Errorf("%v, %v", id, found)
	}
	if id, found := certuserid.Normalize(right.String(), cert); id != right || len(found) != 0 {
		t.Errorf("%v, %v", id, found)
	}
}

// FuzzParseAltSecurityIdentity holds: an error is an [certuserid.Error] with the text
// and a place in it, and comes without a value; a value is what Parse reads, differs
// from the text in the letter case of tags only, and comes back from its own form in
// Active Directory.
func FuzzParseAltSecurityIdentity(f *testing.F) {
	for _, text := range texts(f) {
		f.Add(text)
		f.Add(strings.ToLower(text))
	}
	f.Add("Kerberos:bob@CONTOSO.COM")
	f.Add(`x509:<i>CN="a <s> b"<sid>S-1-5-21-1-2-3-500`)
	f.Fuzz(func(t *testing.T, text string) {
		id, err := certuserid.ParseAltSecurityIdentity(text)
		if err != nil {
			var e *certuserid.Error
			if id != (certuserid.ID{}) || !asError(err, &e) || e.Text != text || e.Offset < 0 || e.Offset > len(text) {
				t.Fatalf("%v with error %#v", id, err)
			}
			if exact, err := certuserid.Parse(text); err == nil {
				t.Fatalf("Parse reads %v, and here it is an error", exact)
			}
			return
		}
		if !strings.EqualFold(id.String(), text) || len(id.String()) != len(text) {
			t.Fatalf("%q became %q", text, id)
		}
		if exact, err := certuserid.Parse(id.String()); err != nil || exact != id {
			t.Fatalf("%q is read as %v, %v", id, exact, err)
		}
		if id.Value() != text[len(text)-len(id.Value()):] {
			t.Fatalf("the value of %q became %q", text, id.Value())
		}
		back, err := id.AltSecurityIdentity()
		if (err != nil) != (id.Mapping() == certuserid.PrincipalName) || err == nil && back != id.String() {
			t.Fatalf("%q comes back as %q, %v", id, back, err)
		}
	})
}

func asError(err error, target **certuserid.Error) bool {
	e, ok := err.(*certuserid.Error)
	*target = e
	return ok
}

// FuzzParseMapping holds: what is read is one of the seven and is read again from
// both of its texts.
func FuzzParseMapping(f *testing.F) {
	for _, m := range certuserid.Mappings() {
		f.Add(string(m))
	}
	f.Add("SKI")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := certuserid.ParseMapping(text)
		if (err == nil) != m.Known() || err == nil && text != string(m) && text != m.Name() {
			t.Fatalf("%q: %v, %v", text, m, err)
		}
		if err != nil && len(fmt.Sprint(err)) > 2000 {
			t.Fatalf("an error of %d bytes", len(fmt.Sprint(err)))
		}
	})
}
