package text_test

import (
	"bytes"
	"crypto/x509"
	"testing"
	"time"

	"example.com/entracba/cba/internal/text"
)

func TestOID(t *testing.T) {
	id, err := x509.ParseOID("2.25.340282366920938463463374607431768211455")
	if err != nil {
		t.Fatal(err)
	}
	if got := text.OID(id); got != id.String() {
		t.Error(got)
	}
	if got := text.OID(x509.OID{}); got != "" {
		t.Errorf("%q", got)
	}
	long := append(bytes.Repeat([]byte{0xff}, 1<<20), 0x7f)
	if err := id.UnmarshalBinary(append([]byte{0x2a}, long...)); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if got := text.OID(id); got != "an OID of 1048578 bytes" || time.Since(began) > 5*time.Second {
		t.Errorf("%.100q after %v", got, time.Since(began))
	}
}
