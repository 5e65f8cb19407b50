package dn

import "testing"

// Law: the writer that allocates nothing refuses and writes what cryptobyte's
// reader and encoding/asn1 do.
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
	})
}

const commonNameContent = "\x55\x04\x03"
