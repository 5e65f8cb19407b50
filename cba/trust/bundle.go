package trust

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/internal/certs"
	"example.com/entracba/cba/internal/fingerprint"
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
	file := bundle(ders)
	if len(file) > MaxBundleSize {
		return nil, &Error{Reason: OverLimit, About: where, Detail: fmt.Sprintf("%d bytes, the service takes %d", len(file), MaxBundleSize)}
	}
	return file, nil
}

// bundle writes certificates, which are sorted, as RFC 5652 section 5.1 has them. The
// empty list of CRLs is optional; OpenSSL writes it, too.
func bundle(ders [][]byte) []byte {
	data, signedData := []int{1, 2, 840, 113549, 1, 7, 1}, []int{1, 2, 840, 113549, 1, 7, 2}
	var b cryptobyte.Builder
	nothing := func(*cryptobyte.Builder) {}
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(signedData)
		b.AddASN1(asn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1Int64(1)
				b.AddASN1(asn1.SET, nothing) // digest algorithms
				b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(data) })
				b.AddASN1(asn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
					for _, der := range ders {
						b.AddBytes(der)
					}
				})
				b.AddASN1(asn1.Tag(1).ContextSpecific().Constructed(), nothing) // CRLs
				b.AddASN1(asn1.SET, nothing)                                    // signers
			})
		})
	})
	return b.BytesOrPanic() // only lengths over 4 GiB fail; those here are checked
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
// indefinite lengths as some tools write it, or in any of the text forms that
// [ReadCertificates] reads. Signatures, signers and
// CRLs that it may hold are not looked at: a bundle proves nothing about its
// certificates.
//
// The error is an [*Error]: [OverLimit] for a file over 4 MiB, [NotBundle] for
// data of another shape, with anything but zeros behind it, or with another kind of
// certificate inside; [NotCertificate] with the number of one that cannot be
// read; [NoCertificate] for a bundle without any.
func DecodeBundle(file []byte) ([]*x509.Certificate, error) {
	blocks, err := certs.Open(file)
	if err != nil {
		return nil, unread(NotBundle, "bundle", err)
	}
	if len(blocks) != 1 || blocks[0].Kind != certs.Bundle {
		return nil, &Error{Reason: NotBundle, About: "bundle", Detail: "it is: " + certs.Summary(blocks)}
	}
	return decodeBundle(blocks[0].DER)
}

func decodeBundle(der []byte) ([]*x509.Certificate, error) {
	found, err := certs.DecodeBundle(der)
	switch {
	case err != nil:
		return nil, unread(NotBundle, "bundle", err)
	case len(found) == 0:
		return nil, &Error{Reason: NoCertificate, About: "bundle"}
	}
	return found, nil
}

// unread is the error about a file that package certs cannot read. reason is what
// the file should have been.
func unread(reason Reason, about string, err error) *Error {
	var e *certs.Error
	if !errors.As(err, &e) {
		return &Error{Reason: reason, About: about, Err: err}
	}
	switch {
	case e.Reason == certs.TooLarge:
		reason = OverLimit
	case e.Reason == certs.Empty && reason != NotBundle:
		reason = NoCertificate
	case e.Err != nil:
		reason = NotCertificate
	}
	if about != "" && e.Place != "" {
		about += ", "
	}
	return &Error{Reason: reason, About: about + e.Place, Detail: e.Detail, Err: e.Err}
}
