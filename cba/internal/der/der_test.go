package der_test

import (
	"bytes"
	"encoding/hex"
	"testing"

	"example.com/entracba/cba/internal/der"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// FuzzHeader holds the three readers against cryptobyte: Header takes exactly
// what it takes, Announced agrees wherever the content is whole, and BER takes
// all of it and more.
func FuzzHeader(f *testing.F) {
	for _, seed := range []string{
		"", "30", "3000", "3001", "300100", "30017f00", "308180", "30817f", "3081ff", "30800000", "048000", "1f8100", "3f0100", "5f00",
		"30820001", "3083000080", "3084ffffffff", "30847fffffff", "3085000000000100", "3088ffffffffffffffff", "30ff", "040141", "04820100",
	} {
		b, err := hex.DecodeString(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		f.Add(append(b, make([]byte, 300)...))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var content, element cryptobyte.String
		var want asn1.Tag
		s := cryptobyte.String(b)
		copied := s
		wantOK := s.ReadAnyASN1(&content, &want) && copied.ReadAnyASN1Element(&element, &want)
		shifted := append([]byte{1, 2, 3}, b...)
		tag, start, end, ok := der.Header(shifted, 3)
		if ok != wantOK {
			t.Fatalf("Header(%x) = %v, and cryptobyte says %v", b, ok, wantOK)
		}
		if ok && (asn1.Tag(tag) != want || !bytes.Equal(shifted[start:end], content)) {
			t.Fatalf("Header(%x) = %x, %d to %d; cryptobyte read %x, %x", b, tag, start, end, want, content)
		}
		if ok {
			if tag, size, ok := der.Announced(b); !ok || asn1.Tag(tag) != want || size != len(element) {
				t.Fatalf("Announced(%x) = %x, %d, %v; the element has %d bytes", b, tag, size, ok, len(element))
			}
			tag, start, end, indefinite, ok := der.BER(shifted, 3)
			if !ok || indefinite || asn1.Tag(tag) != want || !bytes.Equal(shifted[start:end], content) {
				t.Fatalf("BER(%x) = %x, %d to %d, %v, %v", b, tag, start, end, indefinite, ok)
			}
			if again := der.Append(nil, tag, content); !bytes.Equal(again, element) {
				t.Fatalf("%x was written as %x", element, again)
			}
			if size := der.HeaderSize(len(content)); size+len(content) != len(element) {
				t.Fatalf("HeaderSize(%d) = %d", len(content), size)
			}
		}
		// What is read lies inside.
		for pos := -1; pos <= len(b)+1; pos++ {
			if _, start, end, ok := der.Header(b, pos); ok && (start < pos+2 || end < start || end > len(b)) {
				t.Fatalf("Header(%x, %d) = %d to %d", b, pos, start, end)
			}
			if _, start, end, _, ok := der.BER(b, pos); ok && (start < pos+2 || end < start || end > len(b)) {
				t.Fatalf("BER(%x, %d) = %d to %d", b, pos, start, end)
			}
		}
	})
}

func TestBER(t *testing.T) {
	for _, c := range []struct {
		in                       string
		start, end               int
		indefinite, ok, headerOK bool
	}{
		{"3000", 2, 2, false, true, true},
		{"308100", 3, 3, false, true, false},     // longer than it need be
		{"3082000100", 4, 5, false, true, false}, // the same
		{"30800000", 2, 2, true, true, false},
		{"04800000", 2, 2, true, false, false}, // primitive and indefinite
		{"308500000000", 0, 0, false, false, false},
		{"300100", 2, 3, false, true, true},
		{"3002ff", 0, 0, false, false, false}, // cut short
		{"3084ffffffff00", 0, 0, false, false, false},
		{"1f00", 0, 0, false, false, false},
	} {
		b, err := hex.DecodeString(c.in)
		if err != nil {
			t.Fatal(err)
		}
		_, start, end, indefinite, ok := der.BER(b, 0)
		if ok != c.ok || indefinite != c.indefinite || ok && (start != c.start || end != c.end) {
			t.Errorf("BER(%s) = %d, %d, %v, %v", c.in, start, end, indefinite, ok)
		}
		if _, _, _, ok := der.Header(b, 0); ok != c.headerOK {
			t.Errorf("Header(%s) says %v", c.in, ok)
		}
	}
}

// Of a value that is cut short, Announced says how long it should be.
func TestAnnounced(t *testing.T) {
	for in, want := range map[string]int{"3010": 18, "308180": 131, "30820100ab": 260, "30840100000000": 1<<24 + 6, "30": 0, "3080": 0, "30817f": 0, "3082": 0} {
		b, err := hex.DecodeString(in)
		if err != nil {
			t.Fatal(err)
		}
		if _, size, ok := der.Announced(b); ok != (want > 0) || ok && size != want {
			t.Errorf("Announced(%s) = %d, %v", in, size, ok)
		}
	}
}

func TestAppendHeader(t *testing.T) {
	for length, want := range map[int]string{
		0: "0400", 1: "0401", 0x7f: "047f", 0x80: "048180", 0xff: "0481ff", 0x100: "04820100", 0xffff: "0482ffff",
		0x10000: "0483010000", 0xffffff: "0483ffffff", 0x1000000: "048401000000",
	} {
		got := der.AppendHeader(nil, 4, length)
		if hex.EncodeToString(got) != want || der.HeaderSize(length) != len(got) {
			t.Errorf("length %d: %x, size %d", length, got, der.HeaderSize(length))
		}
	}
}
