package pfx

import (
	"example.com/entracba/cba/internal/der"
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
func toDER(in []byte) (out []byte, ok bool) {
	out, rest, ok := appendDER(make([]byte, 0, len(in)), in, 0)
	return out, ok && len(rest) == 0
}

// appendDER appends the first element of in to out and returns what follows it.
func appendDER(out, in []byte, depth int) (written, rest []byte, ok bool) {
	tag, start, end, indefinite, ok := der.BER(in, 0)
	if !ok || depth > maxDepth {
		return nil, nil, false // der.BER refuses high tag numbers, which do not occur in PKCS#12
	}
	constructed := tag&0x20 != 0
	if indefinite {
		in = in[start:]
	} else {
		in, rest = in[start:end], in[end:]
	}
	if !constructed {
		return der.Append(out, tag, in), rest, true
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
	return der.Append(out, tag, body), rest, true
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
