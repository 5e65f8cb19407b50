package pfx

import (
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// maxDepth bounds the nesting of one layer. Files of NSS, the deepest known,
// need 10.
const maxDepth = 32

// toDER rewrites one BER element as the DER that the rest of the package
// reads: definite lengths in their shortest form, octet strings in one piece.
// PKCS#12 allows BER (RFC 7292 section 3.1 and 4), and NSS and BouncyCastle
// write it. The contents of octet strings are separate layers and not touched;
// everything that is DER already comes out as it went in.
//
// ok is false if in is not exactly one element or is nested too deeply.
func toDER(in []byte) (der []byte, ok bool) {
	der, rest, ok := appendDER(make([]byte, 0, len(in)), in, 0)
	return der, ok && len(rest) == 0
}

// appendDER appends the first element of in to out and returns what follows it.
func appendDER(out, in []byte, depth int) (der, rest []byte, ok bool) {
	if len(in) < 2 || in[0]&0x1f == 0x1f || depth > maxDepth {
		return nil, nil, false // high tag numbers do not occur in PKCS#12
	}
	tag, length, in := in[0], int(in[1]), in[2:]
	constructed, indefinite := tag&0x20 != 0, length == 0x80
	if length > 0x80 {
		n := length & 0x7f
		if n > 4 || n > len(in) {
			return nil, nil, false
		}
		length = 0
		for _, b := range in[:n] {
			length = length<<8 | int(b)
		}
		in = in[n:]
	}
	if indefinite {
		if !constructed {
			return nil, nil, false
		}
	} else {
		if length < 0 || length > len(in) {
			return nil, nil, false
		}
		in, rest = in[:length], in[length:]
	}
	if !constructed {
		return append(appendHeader(out, tag, len(in)), in...), rest, true
	}

	var body []byte
	for {
		if indefinite {
			if len(in) >= 2 && in[0] == 0 && in[1] == 0 { // end of contents
				rest = in[2:]
				break
			}
		} else if len(in) == 0 {
			break
		}
		if body, in, ok = appendDER(body, in, depth+1); !ok {
			return nil, nil, false
		}
	}
	if tag == byte(asn1.OCTET_STRING)|0x20 {
		if body, ok = joinOctets(body); !ok {
			return nil, nil, false
		}
		tag = byte(asn1.OCTET_STRING)
	}
	return append(appendHeader(out, tag, len(body)), body...), rest, true
}

// joinOctets puts together the pieces of a constructed octet string.
func joinOctets(pieces cryptobyte.String) (whole []byte, ok bool) {
	for !pieces.Empty() {
		var piece cryptobyte.String
		if !pieces.ReadASN1(&piece, asn1.OCTET_STRING) {
			return nil, false
		}
		whole = append(whole, piece...)
	}
	return whole, true
}

func appendHeader(out []byte, tag byte, length int) []byte {
	out = append(out, tag)
	switch {
	case length < 0x80:
		return append(out, byte(length))
	case length <= 0xff:
		return append(out, 0x81, byte(length))
	case length <= 0xffff:
		return append(out, 0x82, byte(length>>8), byte(length))
	case length <= 0xffffff:
		return append(out, 0x83, byte(length>>16), byte(length>>8), byte(length))
	}
	return append(out, 0x84, byte(length>>24), byte(length>>16), byte(length>>8), byte(length))
}
