// Package der reads and writes the header of an ASN.1 value: its tag and its
// length. cryptobyte reads whole values; this package is for the readers that
// work with offsets, that take BER, or that have only the beginning of the data.
//
// Tags of several bytes, which no certificate, CRL or PFX has, are refused.
package der

import "math/bits"

// Header reads the header at pos and returns where the content begins and ends,
// as offsets in b. It takes what cryptobyte takes: tags of one byte and minimal
// lengths of at most four bytes, with the content inside b.
func Header(b []byte, pos int) (tag byte, start, end int, ok bool) {
	if pos < 0 || len(b)-pos < 2 {
		return 0, 0, 0, false
	}
	tag = b[pos]
	start = pos + 2
	end = start + int(b[pos+1])
	if b[pos+1] >= 0x80 {
		if start, end, ok = longHeader(b, pos); !ok {
			return tag, start, end, false
		}
	}
	return tag, start, end, end <= len(b) && tag&0x1f != 0x1f
}

// Announced reads the header at the beginning of b and returns how many bytes the
// whole value has, whether b holds all of them or not. It reads what [Header]
// reads.
func Announced(b []byte) (tag byte, size int, ok bool) {
	if len(b) < 2 || b[0]&0x1f == 0x1f {
		return 0, 0, false
	}
	if b[1] < 0x80 {
		return b[0], 2 + int(b[1]), true
	}
	_, size, ok = longHeader(b, 0)
	return b[0], size, ok
}

func longHeader(b []byte, pos int) (start, end int, ok bool) {
	size := int(b[pos+1] & 0x7f)
	if size == 0 || size > 4 || len(b)-pos < 2+size || b[pos+2] == 0 {
		return 0, 0, false
	}
	start = pos + 2 + size
	length := 0
	for _, c := range b[pos+2 : start] {
		length = length<<8 | int(c)
	}
	// A negative sum is a length that a 32-bit int cannot hold.
	if end = start + length; length < 0x80 || end < start {
		return 0, 0, false
	}
	return start, end, true
}

// BER reads the header at pos as [Header] does, but takes BER: lengths that are
// longer than they need be, and the indefinite length of a constructed value. Of
// the latter the end is not known: end is start.
func BER(b []byte, pos int) (tag byte, start, end int, indefinite, ok bool) {
	if pos < 0 || len(b)-pos < 2 || b[pos]&0x1f == 0x1f {
		return 0, 0, 0, false, false
	}
	tag, start = b[pos], pos+2
	length := int(b[pos+1])
	if length == 0x80 {
		return tag, start, start, true, tag&0x20 != 0 // X.690 section 8.1.3.2
	}
	if length > 0x80 {
		n := length & 0x7f
		if n > 4 || n > len(b)-start {
			return 0, 0, 0, false, false
		}
		length = 0
		for _, c := range b[start : start+n] {
			length = length<<8 | int(c)
		}
		start += n
	}
	if length < 0 || length > len(b)-start {
		return 0, 0, 0, false, false
	}
	return tag, start, start + length, false, true
}

// HeaderSize returns how many bytes [AppendHeader] writes before content of this
// length.
func HeaderSize(length int) int {
	if length < 0x80 {
		return 2
	}
	return 2 + (bits.Len(uint(length))+7)/8
}

// AppendHeader appends a tag and the length of the content that will follow.
func AppendHeader(b []byte, tag byte, length int) []byte {
	b = append(b, tag)
	size := HeaderSize(length) - 2
	if size == 0 {
		return append(b, byte(length))
	}
	b = append(b, 0x80|byte(size))
	for shift := 8 * (size - 1); shift >= 0; shift -= 8 {
		b = append(b, byte(length>>shift))
	}
	return b
}

// Append appends a whole value.
func Append(b []byte, tag byte, content []byte) []byte {
	return append(AppendHeader(b, tag, len(content)), content...)
}
