package trust

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"

	"github.com/smallstep/pkcs7"

	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/internal/der"

	"example.com/entracba/cba/internal/fingerprint"
	"example.com/entracba/cba/internal/text"
)

// EncodeBundle returns a .p7b for the PKI upload: a PKCS #7 SignedData without
// content and signers that holds the certificates, in DER. The same certificates
// give the same bytes in any order, because a DER set is sorted; a certificate that
// is given twice is written once.
//
// The service refuses a bundle if any of its certificates is already stored: to add to
// a tenant, encode what [PKIs.Lacking] returns. Whether the certificates are those
// of CAs is not checked here, but by [Config.Findings] of a [NewPKI].
//
// The error is an [*Error]: [NoCertificate] for none, [OverLimit] for more than
// [MaxAuthorities], for one over [MaxCertificateSize] and for a file over
// [MaxBundleSize].
func EncodeBundle(certs []*x509.Certificate) ([]byte, error) {
	const where = "bundle"
	ders := make([][]byte, 0, len(certs))
	for i, cert := range certs {
		if cert == nil || len(cert.Raw) == 0 {
			return nil, &Error{Reason: NoCertificate, About: fmt.Sprintf("%s, certificate %d", where, i+1)}
		}
		if len(cert.Raw) > MaxCertificateSize {
			return nil, &Error{Reason: OverLimit, About: fmt.Sprintf("%s, certificate %d (%s)", where, i+1, dn.Show(cert.RawSubject)),
				Detail: fmt.Sprintf("%d bytes, a CA may have %d", len(cert.Raw), MaxCertificateSize)}
		}
		ders = append(ders, cert.Raw)
	}
	slices.SortFunc(ders, bytes.Compare)
	ders = slices.CompactFunc(ders, bytes.Equal)
	switch {
	case len(ders) == 0:
		return nil, &Error{Reason: NoCertificate, About: where}
	case len(ders) > MaxAuthorities:
		return nil, &Error{Reason: OverLimit, About: where, Detail: fmt.Sprintf("%d CAs, the store holds %d", len(ders), MaxAuthorities)}
	}
	file, err := pkcs7.DegenerateCertificate(bytes.Join(ders, nil))
	if err != nil {
		return nil, &Error{Reason: NotBundle, About: where, Err: err}
	}
	if len(file) > MaxBundleSize {
		return nil, &Error{Reason: OverLimit, About: where, Detail: fmt.Sprintf("%d bytes, the service takes %d", len(file), MaxBundleSize)}
	}
	return file, nil
}

// FileHash returns the SHA-256 of a file as Get-FileHash prints it and as the
// upload's sha256FileHash property takes it: 64 upper-case hexadecimal digits.
// Hash the very bytes that the URL serves.
func FileHash(file []byte) string {
	return fmt.Sprintf("%X", sha256.Sum256(file))
}

// Lacking returns the certificates that no PKI has yet, each once and in their
// order: what a bundle may hold without being refused as a duplicate. It looks
// through all PKIs, since the pages do not say whether the service compares
// within one or within the tenant; deleted objects do not count. A stored CA of
// which only the thumbprint is known is compared by that.
func (p PKIs) Lacking(certs []*x509.Certificate) []*x509.Certificate {
	have := map[string]bool{}
	for _, pki := range p {
		if !pki.DeletedDateTime.IsZero() {
			continue
		}
		for _, a := range pki.CertificateAuthorities {
			switch {
			case !a.DeletedDateTime.IsZero():
			case len(a.Certificate) > 0:
				have[fingerprint.Of(a.Certificate)] = true
			default:
				have[strings.ToLower(a.Thumbprint)] = true
			}
		}
	}
	var lacking []*x509.Certificate
	for _, cert := range certs {
		if cert == nil {
			continue
		}
		if print := fingerprint.Of(cert.Raw); !have[print] {
			have[print] = true
			lacking = append(lacking, cert)
		}
	}
	return lacking
}

// DecodeBundle reads the certificates of a PKCS #7 bundle, in DER, in BER with
// indefinite lengths as some tools write it, or in PEM. Signatures, signers and
// CRLs that it may hold are not looked at: a bundle proves nothing about its
// certificates.
//
// The error is an [*Error]: [OverLimit] for a file over 4 MB, [NotBundle] for
// data of another shape, with anything behind it, or with another kind of
// certificate inside; [NotCertificate] with the number of one that cannot be
// read; [NoCertificate] for a bundle without any.
func DecodeBundle(file []byte) ([]*x509.Certificate, error) {
	if len(file) > text.MaxFile {
		return nil, &Error{Reason: OverLimit, About: "bundle", Detail: fmt.Sprintf("%d bytes, %d are read", len(file), text.MaxFile)}
	}
	if block, _ := pem.Decode(text.UTF8(file)); block != nil {
		file = block.Bytes
	}
	certs, err := decodeBundle(file)
	if err != nil {
		return nil, err
	}
	return certs, nil
}

// The content of the object identifier of SignedData, 1.2.840.113549.1.7.2.
const oidSignedData = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"

// Tags of BER, as single bytes: everything on the way to the certificates has
// one.
const (
	tagInteger  = 0x02
	tagOID      = 0x06
	tagSequence = 0x30
	tagSet      = 0x31
	tagContext0 = 0xa0
	tagContext1 = 0xa1
)

// isPKCS7 reports whether data begins like SignedData.
func isPKCS7(data []byte) bool {
	info, _, ok := readTag(data, tagSequence)
	if !ok {
		return false
	}
	oid, _, ok := readTag(info, tagOID)
	return ok && string(oid) == oidSignedData
}

// decodeBundle walks down to the certificates and touches nothing else. It does
// not use package pkcs7's parser: that one reads every element by recursion
// without a bound, copies once per level, and gives up all certificates for one.
func decodeBundle(data []byte) ([]*x509.Certificate, *Error) {
	bad := func(format string, args ...any) *Error {
		return &Error{Reason: NotBundle, About: "bundle", Detail: fmt.Sprintf(format, args...)}
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, bad("empty")
	}
	if !isPKCS7(data) {
		return nil, bad("it does not begin as SignedData")
	}
	info, rest, _ := readTag(data, tagSequence)
	if len(rest) > 0 {
		return nil, bad("%d bytes behind it", len(rest))
	}
	_, info, _ = readTag(info, tagOID)
	content, rest, ok := readTag(info, tagContext0)
	if !ok || len(rest) > 0 {
		return nil, bad("no content")
	}
	signed, rest, ok := readTag(content, tagSequence)
	if !ok || len(rest) > 0 {
		return nil, bad("no SignedData")
	}
	for _, tag := range []byte{tagInteger, tagSet, tagSequence} { // version, digests, content
		if _, signed, ok = readTag(signed, tag); !ok {
			return nil, bad("SignedData is cut off or out of order")
		}
	}
	set, signed, some := readTag(signed, tagContext0)
	if _, behind, crls := readTag(signed, tagContext1); crls {
		signed = behind
	}
	if _, rest, ok = readTag(signed, tagSet); !ok || len(rest) > 0 { // signers
		return nil, bad("SignedData is cut off or out of order")
	}
	if !some || len(set) == 0 {
		return nil, &Error{Reason: NoCertificate, About: "bundle"}
	}
	var certs []*x509.Certificate
	for i := 0; len(set) > 0; i++ {
		before := set
		if _, set, ok = readTag(set, tagSequence); !ok {
			return nil, bad("element %d of the certificates is of another kind", i)
		}
		cert, err := x509.ParseCertificate(before[:len(before)-len(set)])
		if err != nil {
			return nil, &Error{Reason: NotCertificate, About: fmt.Sprintf("bundle, certificate %d", i+1), Err: err}
		}
		certs = append(certs, cert)
	}
	return certs, nil
}

// readTag reads one BER element that has this tag and returns its content and
// what follows it; if the tag differs, rest is in.
func readTag(in []byte, tag byte) (content, rest []byte, ok bool) {
	first, start, end, indefinite, ok := der.BER(in, 0)
	if !ok || first != tag {
		return nil, in, false
	}
	if !indefinite {
		return in[start:end], in[end:], true
	}
	// Find the end-of-contents that belongs to this element. Elements of a
	// definite length are skipped whole.
	at := start
	for open := 1; open > 0; {
		tag, start, end, indefinite, ok := der.BER(in, at)
		if !ok {
			return nil, in, false
		}
		switch {
		case indefinite:
			open++
		case tag == 0 && end == start:
			open--
		}
		at = end
	}
	return in[start : at-2], in[at:], true
}
