package dn

import (
	"encoding/asn1"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// decodeOID turns the content of an encoded object identifier into numbers.
func decodeOID(content []byte) (asn1.ObjectIdentifier, bool) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes(content) })
	der, err := b.Bytes()
	if err != nil {
		return nil, false
	}
	var oid asn1.ObjectIdentifier
	input := cryptobyte.String(der)
	return oid, input.ReadASN1ObjectIdentifier(&oid)
}

// Law: the writer that allocates nothing refuses and writes what cryptobyte's
// reader and encoding/asn1 do, and appendEncodedOID is its inverse.
func FuzzAppendOID(f *testing.F) {
	for _, content := range []string{
		commonNameContent, "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19", "\x87\xff\xff\xff\xff\x01",
		"\x88\x80\x80\x80\x00", "\x80\x01", "\x55\x80\x01", "\x55\x84", "",
	} {
		f.Add([]byte(content))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		want, wantOK := decodeOID(content)
		got, ok := appendOID(nil, content)
		if ok != wantOK || ok && string(got) != want.String() {
			t.Fatalf("%x: %s %v, want %v %v", content, got, ok, want, wantOK)
		}
		if ok && strings.Contains(string(got), ".") {
			if back, ok := appendEncodedOID(nil, string(got)); !ok || string(back) != string(content) {
				t.Fatalf("%s is encoded as %x, %v; want %x", got, back, ok, content)
			}
		}
	})
}

const commonNameContent = "\x55\x04\x03"

// Every row of the table is one type under all its names, and its number and its
// encoding are the same.
func TestTypeTable(t *testing.T) {
	seen := map[string]Type{}
	for _, row := range attributeTypes {
		names := append([]string{string(row.name), row.number, "OID." + row.number, "oid." + row.number, row.windows}, row.aliases...)
		for _, name := range names {
			for _, keyword := range []string{name, strings.ToLower(name), strings.ToUpper(name)} {
				if got, err := ParseType(keyword); err != nil || got != row.name {
					t.Errorf("ParseType(%q) = %q, %v; want %q", keyword, got, err, row.name)
				}
				if other, known := seen[strings.ToLower(keyword)]; known && other != row.name {
					t.Errorf("%q is %q and %q", keyword, other, row.name)
				}
				seen[strings.ToLower(keyword)] = row.name
			}
		}
		content, ok := appendEncodedOID(nil, row.number)
		number, _ := appendOID(nil, []byte(row.der))
		if !ok || string(content) != row.der || string(number) != row.number {
			t.Errorf("%s: %s is encoded as %x", row.name, row.number, content)
		}
		if row.name.Windows() != row.windows {
			t.Errorf("%s: Windows writes %q", row.name, row.name.Windows())
		}
	}
}
