package dn

import (
	"encoding/binary"
	"slices"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
)

// Equal reports whether two names are the same by RFC 5280 section 7.1: part by
// part in order, and the values of a multi-valued part in any order. Letter case,
// string type, spaces at the ends and the number of spaces in a row do not matter.
// See the package comment for what does. A name that cannot be encoded equals
// nothing.
func (n Name) Equal(other Name) bool {
	a, errA := n.Marshal()
	b, errB := other.Marshal()
	if errA != nil || errB != nil {
		return false
	}
	keyA, errA := AppendKey(nil, a)
	keyB, errB := AppendKey(nil, b)
	return errA == nil && errB == nil && string(keyA) == string(keyB)
}

// AppendKey appends a key for an encoded name to dst: two names have the same
// key if and only if they are [Name.Equal]. The key is for maps and
// comparisons inside one version of this package, not for storing. It allocates
// nothing but what dst needs to grow, for ASCII names without multi-valued
// parts.
//
// The error is an [*Error] with reason [BadEncoding]; dst is returned unchanged
// then.
func AppendKey(dst, der []byte) ([]byte, error) {
	start := len(dst)
	w, ok := newWalker(der)
	if !ok {
		return dst, &Error{Reason: BadEncoding, Offset: -1}
	}
	part := start // where the current part begins
	var values []string
	for {
		oid, value, more, ok := w.next()
		if !ok {
			return dst[:start], &Error{Reason: BadEncoding, Offset: -1}
		}
		if !more || w.first {
			dst, values = sortPart(dst, part, values)
			if !more {
				return dst, nil
			}
			part = len(dst)
			dst = append(dst, 'p')
		}
		from := len(dst)
		dst = appendAttributeKey(dst, oid, value)
		if !w.first || values != nil || !w.rdn.Empty() { // multi-valued
			values = append(values, string(dst[from:]))
		}
	}
}

// sortPart rewrites the values of a multi-valued part in sorted order.
func sortPart(dst []byte, part int, values []string) ([]byte, []string) {
	if len(values) < 2 {
		return dst, nil
	}
	slices.Sort(values)
	dst = dst[:part+1]
	for _, value := range values {
		dst = append(dst, value...)
	}
	return dst, nil
}

// appendAttributeKey writes type and value with their lengths in front, so that
// no value can be made to look like the end of another.
func appendAttributeKey(dst []byte, oid, value cryptobyte.String) []byte {
	dst = binary.AppendUvarint(append(dst, 'a'), uint64(len(oid)))
	dst = append(dst, oid...)
	tag, content := split(value)
	text, ok := decodeText(tag, content)
	if !ok {
		dst = binary.AppendUvarint(append(dst, 'r'), uint64(len(value)))
		return append(dst, value...)
	}
	dst = append(dst, 't', 0, 0, 0, 0)
	from := len(dst)
	dst = appendFolded(dst, text)
	binary.BigEndian.PutUint32(dst[from-4:], uint32(len(dst)-from))
	return dst
}

// appendFolded appends text in lower case, without spaces at the ends and with
// one space for any run of them (RFC 5280 section 7.1, of RFC 4518's steps those
// that matter for the names of people and authorities).
func appendFolded(dst, text []byte) []byte {
	from, space := len(dst), false
	for i := 0; i < len(text); {
		r, size := rune(text[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(text[i:])
		}
		i += size
		if unicode.IsSpace(r) {
			space = true
			continue
		}
		if space && len(dst) > from {
			dst = append(dst, ' ')
		}
		space = false
		dst = utf8.AppendRune(dst, foldRune(r))
	}
	return dst
}

// foldRune maps all letters that differ only in case to one of them.
func foldRune(r rune) rune {
	if r < utf8.RuneSelf {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	if 'A' <= least && least <= 'Z' { // the Kelvin sign and the long s fold to ASCII
		least += 'a' - 'A'
	}
	return least
}
