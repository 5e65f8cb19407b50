package dn_test

import (
	"errors"
	"testing"

	"example.com/entracba/cba/dn"
)

// No exported call panics on nil and zero: it answers, with an error where it has
// to.
func TestNilAndZero(t *testing.T) {
	var none dn.Name
	if none.String() != "" || none.RootFirst() != "" || none.Windows() != "" || none.Values(dn.CommonName) != nil || len(none.Clone()) != 0 || !none.Equal(dn.Name{}) {
		t.Errorf("%#v", none)
	}
	if der, err := none.Marshal(); err != nil || string(der) != "\x30\x00" {
		t.Errorf("%x, %v", der, err)
	}
	for _, half := range []dn.Name{{nil}, {{}}, {{{}}}, {{{Raw: []byte{}}}}, {{{Type: dn.CommonName, Tag: -1, Value: "x"}}}} {
		_ = half.String() + half.RootFirst() + half.Windows()
		half.Clone()
		half.Values("")
		if half.Equal(half) {
			t.Errorf("%#v cannot be encoded and equals something", half)
		}
		if _, err := half.Marshal(); !errors.Is(err, dn.NotEncodable) {
			t.Errorf("%#v: %v", half, err)
		}
	}
	for _, der := range [][]byte{nil, {}, {0x30}, {0x30, 0x80}} {
		if _, err := dn.ParseDER(der); !errors.Is(err, dn.BadEncoding) {
			t.Errorf("%x: %v", der, err)
		}
		if key, err := dn.AppendKey(nil, der); !errors.Is(err, dn.BadEncoding) || key != nil {
			t.Errorf("%x: %v", der, err)
		}
		if text, err := dn.AppendWindows(nil, der); !errors.Is(err, dn.BadEncoding) || text != nil {
			t.Errorf("%x: %v", der, err)
		}
		if dn.Show(der) != "(unreadable name)" {
			t.Errorf("%x: %s", der, dn.Show(der))
		}
	}
	if (&dn.Error{}).Error() == "" || dn.Type("").Windows() != "" {
		t.Error("zero values")
	}
}
