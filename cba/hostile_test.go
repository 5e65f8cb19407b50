package cba_test

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// An object identifier of one number that fills the file takes no time to be read and
// shown, neither as text nor in a certificate.
func TestLongOID(t *testing.T) {
	began := time.Now()
	_, err := cba.ParseOID("1.2." + strings.Repeat("9", 1<<20))
	wantReason(t, err, cba.Malformed)

	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) {
				b.AddBytes(append(append([]byte{0x2a}, bytes.Repeat([]byte{0xff}, 1<<20)...), 0x7f))
			})
			b.AddASN1(asn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) { b.AddASN1(asn1.UTF8String, func(*cryptobyte.Builder) {}) })
		})
	})
	names, err := cba.NamesOf(&x509.Certificate{Extensions: []pkix.Extension{{Id: sanID, Value: b.BytesOrPanic()}}})
	if got := fmt.Sprint(names.Ignored); err != nil || got != "[otherName (an OID of 1048578 bytes)]" {
		t.Errorf("%.200s, %v", got, err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
}
