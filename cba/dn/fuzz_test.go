package dn_test

import (
	"bytes"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"testing"

	"example.com/entracba/cba/dn"
)

// FuzzDER holds: what ParseDER reads, Marshal writes back byte for byte; what
// encoding/asn1 reads as a name, ParseDER reads; every reader fails on the same
// input and with the package's error; a name equals itself through its text,
// unless a value has no text.
func FuzzDER(f *testing.F) {
	for _, test := range encodings {
		f.Add(fixLength(f, unhex(f, test.der)))
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		name, err := dn.ParseDER(der)
		var e *dn.Error
		if err != nil && (name != nil || !errors.As(err, &e)) {
			t.Fatalf("error %T with name %v", err, name)
		}
		_, errKey := dn.AppendKey(nil, der)
		_, errWindows := dn.AppendWindows(nil, der)
		var sequence pkix.RDNSequence
		rest, errStd := asn1.Unmarshal(der, &sequence)
		if err != nil {
			// encoding/asn1 passes over what follows a value and over empty parts;
			// only what it would write itself counts as read.
			if errStd == nil && len(rest) == 0 {
				if written, err := asn1.Marshal(sequence); err == nil && bytes.Equal(written, der) && !bytes.Contains(der, []byte{0x31, 0}) {
					t.Fatalf("encoding/asn1 reads and writes %v, we do not", sequence)
				}
			}
			return
		}
		if errKey != nil || errWindows != nil {
			t.Fatalf("a name without key or text: %v, %v", errKey, errWindows)
		}
		again, err := name.Marshal()
		if err != nil || !bytes.Equal(again, der) {
			t.Fatalf("marshalled again: %x, %v", again, err)
		}
		back, err := dn.Parse(name.String())
		if err != nil {
			t.Fatalf("its text %q is not read: %v", name, err)
		}
		if !back.Equal(name) {
			t.Fatalf("%q through its text is %q", name, back)
		}
	})
}

// FuzzText holds: what Parse reads can be encoded, and its String reads as the
// same name with the same string; an error is the package's and comes without a
// name; reading root first gives the same parts the other way round.
func FuzzText(f *testing.F) {
	for _, text := range []string{
		"CN=Jane,OU=Users,DC=contoso,DC=com", `CN="Doe, ""J"""+O=x;C=DE`, `CN=\c3\a9\ `,
		"1.2.3=#0500", "OID.2.5.4.97=N", "E=a@b,S=c", "CN=#130141", `CN=a\,b`, "CN=,O=",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		name, err := dn.Parse(text)
		var e *dn.Error
		if err != nil {
			if name != nil || !errors.As(err, &e) {
				t.Fatalf("error %T with name %v", err, name)
			}
			return
		}
		if _, err := name.Marshal(); err != nil {
			t.Fatalf("Parse(%q) cannot be encoded: %v", text, err)
		}
		written := name.String()
		back, err := dn.Parse(written)
		if err != nil || !back.Equal(name) || back.String() != written {
			t.Fatalf("%q writes %q, which reads as %q, %v", text, written, back, err)
		}
		rootFirst, err := dn.ParseRootFirst(name.RootFirst())
		if err != nil || !rootFirst.Equal(name) {
			t.Fatalf("root first %q reads as %q, %v", name.RootFirst(), rootFirst, err)
		}
	})
}
