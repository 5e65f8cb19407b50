package trust

import (
	"crypto/x509"
	"testing"
	"time"
)

// Policies that fill both files take no time to be compared.
func TestManyPolicies(t *testing.T) {
	list := make([]x509.OID, 150_000)
	for i := range list {
		if err := list[i].UnmarshalBinary([]byte{0x2a, 0x80 | byte(1+i>>14), 0x80 | byte(i>>7), byte(i) & 0x7f}); err != nil {
			t.Fatal(err)
		}
	}
	last := list[len(list)-1]
	began := time.Now()
	if lost := lostPolicy(&x509.Certificate{Policies: list}, &x509.Certificate{Policies: list[:len(list)-1]}); lost != last.String() {
		t.Errorf("%q, not %q", lost, last)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}
