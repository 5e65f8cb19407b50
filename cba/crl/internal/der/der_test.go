package der

import (
	"testing"

	"golang.org/x/crypto/cryptobyte"
)

// Sizes of headers at every border.
func TestHeader(t *testing.T) {
	for _, size := range []int{0, 1, 127, 128, 255, 256, 65535, 65536, 1<<24 - 1, 1 << 24} {
		b := AppendHeader(nil, Sequence, size)
		if len(b) != HeaderSize(size) {
			t.Errorf("%d: %d bytes, not %d", size, len(b), HeaderSize(size))
		}
		der := append(b, make([]byte, size)...)
		tag, start, end, ok := Header(der, 0)
		if !ok || tag != Sequence || start != len(b) || end != len(der) {
			t.Errorf("%d: %d %d %d %t", size, tag, start, end, ok)
		}
		if _, _, _, ok := Header(der[:len(der)-1], 0); ok {
			t.Errorf("%d: content that is not there", size)
		}
		s := cryptobyte.String(der)
		if !s.Skip(0) || !s.SkipASN1(Sequence) || !s.Empty() {
			t.Errorf("%d: cryptobyte does not read it", size)
		}
	}
}
