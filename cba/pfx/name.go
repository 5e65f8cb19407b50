package pfx

import (
	"bytes"
	encoding_asn1 "encoding/asn1"
	"encoding/binary"
	"slices"

	"example.com/entracba/cba/internal/text"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// complete gives a file that go-pkcs12 has just written a friendlyName, if name is
// not empty, and a MAC with the given iterations.
//
// The file has the shape (RFC 7292 section 4):
//
//	PFX ::= SEQUENCE {
//	    version   INTEGER,
//	    authSafe  SEQUENCE { OID data, [0] OCTET STRING },  -- AuthenticatedSafe
//	    macData   SEQUENCE { SEQUENCE { algorithm, OCTET STRING digest },
//	                         OCTET STRING salt, iterations INTEGER DEFAULT 1 } OPTIONAL }
func complete(der []byte, name, password string, iterations int) ([]byte, error) {
	f, err := parseFile(der)
	if err != nil {
		return nil, err
	}
	authSafe := f.authSafe
	if name != "" {
		if authSafe, err = named(authSafe, name); err != nil {
			return nil, err
		}
	}
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(3)
		addData(b, func(b *cryptobyte.Builder) { b.AddBytes(authSafe) })
		if f.mac == nil {
			return
		}
		absent := f.mac.iterations == 1
		f.mac.iterations = int64(iterations)
		var sum []byte
		if sum, err = f.mac.sum(authSafe, newSecret(password)); err != nil {
			return
		}
		var data cryptobyte.String
		element := cryptobyte.String(macData(der))
		if !element.ReadASN1(&data, asn1.SEQUENCE) {
			err = fail(NotSupported, "the encoder's output has another shape than expected")
		}
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			// The digest keeps its length, so that nothing around it changes.
			b.AddBytes(bytes.Replace(data, f.mac.digest, sum, 1))
			if absent {
				b.AddASN1Int64(f.mac.iterations)
			}
		})
	})
	if err != nil {
		return nil, err
	}
	return b.Bytes()
}

// macData returns the last element of a PFX.
func macData(der cryptobyte.String) []byte {
	der.ReadASN1(&der, asn1.SEQUENCE)
	der.SkipASN1(asn1.INTEGER)
	der.SkipASN1(asn1.SEQUENCE)
	return der
}

// named returns an AuthenticatedSafe with a friendlyName on its key entry. The entry
// is in the last part, which is not encrypted (the key in it is), so that
// nothing has to be decrypted.
//
//	AuthenticatedSafe ::= SEQUENCE OF ContentInfo
//	SafeBag ::= SEQUENCE { OID, [0] value, SET OF attribute }
func named(safe cryptobyte.String, name string) ([]byte, error) {
	var infos, certs, keys, content, bags, keyEntry, kind, value, attributes, first cryptobyte.String
	ok := safe.ReadASN1(&infos, asn1.SEQUENCE) &&
		infos.ReadASN1Element(&certs, asn1.SEQUENCE) && infos.ReadASN1(&keys, asn1.SEQUENCE) && infos.Empty() &&
		keys.SkipASN1(asn1.OBJECT_IDENTIFIER) && keys.ReadASN1(&content, tag0) &&
		content.ReadASN1(&content, asn1.OCTET_STRING) && content.ReadASN1(&bags, asn1.SEQUENCE) &&
		bags.ReadASN1(&keyEntry, asn1.SEQUENCE) && bags.Empty() &&
		keyEntry.ReadASN1Element(&kind, asn1.OBJECT_IDENTIFIER) && keyEntry.ReadASN1Element(&value, tag0) &&
		keyEntry.ReadASN1(&attributes, asn1.SET) && attributes.ReadASN1Element(&first, asn1.SEQUENCE) && attributes.Empty()
	if !ok {
		return nil, fail(NotSupported, "the encoder's output has another shape than expected")
	}

	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(encoding_asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 20})
		b.AddASN1(asn1.SET, func(b *cryptobyte.Builder) {
			b.AddASN1(bmpString, func(b *cryptobyte.Builder) {
				b.AddBytes(text.AppendUTF16(nil, name, binary.BigEndian))
			})
		})
	})
	set := [][]byte{first, b.BytesOrPanic()}
	slices.SortFunc(set, bytes.Compare) // DER orders a SET OF by its bytes

	b = cryptobyte.Builder{}
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(certs)
		addData(b, func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddBytes(kind)
					b.AddBytes(value)
					b.AddASN1(asn1.SET, func(b *cryptobyte.Builder) {
						b.AddBytes(set[0])
						b.AddBytes(set[1])
					})
				})
			})
		})
	})
	out, err := b.Bytes()
	if err != nil {
		return nil, fail(NotSupported, "the file is too large")
	}
	return out, nil
}

// addData writes a ContentInfo of type data.
func addData(b *cryptobyte.Builder, content cryptobyte.BuilderContinuation) {
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(encoding_asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1})
		b.AddASN1(tag0, func(b *cryptobyte.Builder) { b.AddASN1(asn1.OCTET_STRING, content) })
	})
}
