package crl_test

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"math/big"
	"testing"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/crl/internal/crltest"
)

// A CRL whose number fills it is refused before anybody writes the number in decimal.
func TestLongNumber(t *testing.T) {
	ca := crltest.NewAuthority(t, "CA", "p256")
	for size, want := range map[int]error{100: nil, 1 << 20: crl.NotDER} {
		number, err := asn1.Marshal(new(big.Int).SetBytes(bytes.Repeat([]byte{0x7f}, size)))
		if err != nil {
			t.Fatal(err)
		}
		list, err := crl.Parse(ca.List(t, &x509.RevocationList{ExtraExtensions: crltest.Extension(asn1.ObjectIdentifier{2, 5, 29, 27}, number)}))
		if !errors.Is(err, want) {
			t.Errorf("%d bytes: %v", size, err)
		}
		if err == nil && list.BaseNumber.BitLen() != 8*size-1 {
			t.Errorf("%d bytes: %v", size, list.BaseNumber)
		}
	}
}
