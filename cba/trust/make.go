package trust

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/internal/certs"
	"example.com/entracba/cba/internal/fingerprint"
	"example.com/entracba/cba/internal/path"
)

// NewAuthority returns the CA object for a certificate: the type (root if
// self-signed), the name, the thumbprint, the subject key identifier and the
// expiration date. The issuer hint is off.
//
// It sets no CRL URL. The distribution points of a certificate name the CRL of its
// issuer, and the property is for the CRL that the CA itself issues. The service
// fills it in with the former when a bundle is uploaded, and Learn's how-to leaves
// the correction to the administrator; [PKI.SetCRLs] makes it.
//
// The error is an [*Error]: no certificate, or one over [MaxCertificateSize].
// Whether it is a CA's is not checked; [Config.Findings] tells.
func NewAuthority(cert *x509.Certificate) (Authority, error) {
	a, err := newAuthority(cert)
	if err != nil {
		return Authority{}, err
	}
	return a, nil
}

func newAuthority(cert *x509.Certificate) (Authority, *Error) {
	if cert == nil || len(cert.Raw) == 0 {
		return Authority{}, &Error{Reason: NoCertificate}
	}
	ca := newCA(cert)
	if len(cert.Raw) > MaxCertificateSize {
		return Authority{}, &Error{
			Reason: OverLimit, About: fmt.Sprintf("CA %q", displayName(cert, ca.Subject)),
			Detail: fmt.Sprintf("%d bytes, a CA may have %d", len(cert.Raw), MaxCertificateSize),
		}
	}
	kind := Intermediate
	if selfSigned(cert) {
		kind = Root
	}
	return Authority{
		Certificate:                bytes.Clone(cert.Raw),
		CertificateAuthorityType:   kind,
		DisplayName:                displayName(cert, ca.Subject),
		Issuer:                     issuerText(cert),
		IssuerSubjectKeyIdentifier: string(ca.SKI),
		ExpirationDateTime:         cert.NotAfter.UTC(),
		Thumbprint:                 ca.Thumbprint,
		IsIssuerHintEnabled:        new(bool),
	}, nil
}

func issuerText(cert *x509.Certificate) string {
	name, err := dn.ParseDER(cert.RawIssuer)
	if err != nil {
		return fmt.Sprintf("%x", cert.RawIssuer)
	}
	return name.String()
}

// displayName is the common name, else the whole subject, else the thumbprint:
// never nothing, never too long.
func displayName(cert *x509.Certificate, subject dn.Name) string {
	name := ""
	if names := subject.Values(dn.CommonName); len(names) > 0 {
		name = strings.TrimSpace(names[len(names)-1])
	}
	if name == "" {
		name = subject.String()
	}
	if name == "" {
		name = fingerprint.Of(cert.Raw)
	}
	if utf8.RuneCountInString(name) > MaxDisplayName {
		name = string([]rune(name)[:MaxDisplayName])
	}
	return name
}

func firstHTTP(urls []string) string {
	for _, text := range urls {
		if u, err := url.Parse(text); err == nil && u.Scheme == "http" && u.Host != "" {
			return text
		}
	}
	return ""
}

// NewPKI returns a PKI with a CA object for each certificate ([NewAuthority]), in
// their order. A certificate that is given twice is taken once.
//
// samples are certificates that the CAs have issued, one user certificate of each
// issuing CA for example: with them [PKI.SetCRLs] sets the CRL URLs. Without
// samples no CA has one.
//
// The error is an [*Error]: [OverLimit] for a display name that is empty or over
// [MaxDisplayName], for more than [MaxAuthorities] CAs, or for one that is too
// large; [NoCertificate] for nil.
func NewPKI(displayName string, certs []*x509.Certificate, samples ...*x509.Certificate) (PKI, error) {
	where := fmt.Sprintf("PKI %q", displayName)
	if n := utf8.RuneCountInString(displayName); n == 0 || n > MaxDisplayName {
		return PKI{}, &Error{Reason: OverLimit, About: "PKI", Detail: fmt.Sprintf("a display name of %d characters, 1 to %d are allowed", n, MaxDisplayName)}
	}
	pki := PKI{DisplayName: displayName, CertificateAuthorities: []Authority{}}
	seen := map[string]bool{}
	for i, cert := range certs {
		a, err := newAuthority(cert)
		if err != nil {
			return PKI{}, err.at("", fmt.Sprintf("%s, certificate %d", where, i+1))
		}
		if !seen[string(a.Certificate)] {
			seen[string(a.Certificate)] = true
			pki.CertificateAuthorities = append(pki.CertificateAuthorities, a)
		}
	}
	if n := len(pki.CertificateAuthorities); n > MaxAuthorities {
		return PKI{}, &Error{Reason: OverLimit, About: where, Detail: fmt.Sprintf("%d CAs, the store holds %d", n, MaxAuthorities)}
	}
	if len(samples) > 0 {
		pki.SetCRLs(samples...)
	}
	return pki, nil
}

// SetCRLs sets the CRL and delta CRL URLs of every CA to those that a
// certificate issued by it names, and returns how many CAs got a base URL.
// Certificates issued by a CA are looked for among the other CAs of the PKI and
// among samples, for which one user certificate of each issuing CA is enough;
// what proves the issuer is its signature.
//
// A CA that issued none of them keeps the URL it has, unless that is one of its
// own certificate's distribution points: that CRL is its issuer's, so the URL is
// cleared.
func (p *PKI) SetCRLs(samples ...*x509.Certificate) int {
	if p == nil {
		return 0
	}
	certs := make([]*x509.Certificate, len(p.CertificateAuthorities))
	for i, a := range p.CertificateAuthorities {
		certs[i], _ = readCertificate(a.Certificate)
	}
	set := 0
	for i := range p.CertificateAuthorities {
		a, ca := &p.CertificateAuthorities[i], certs[i]
		if ca == nil {
			continue
		}
		base, delta := crlOf(ca, samples, certs)
		switch {
		case base != "":
			a.CertificateRevocationListURL, a.DeltaCertificateRevocationListURL = base, delta
			set++
		case !selfSigned(ca) && slices.Contains(ca.CRLDistributionPoints, a.CertificateRevocationListURL):
			a.CertificateRevocationListURL = ""
		}
	}
	return set
}

// crlOf returns what the first certificate that a CA has issued says about the
// CA's lists.
func crlOf(ca *x509.Certificate, lists ...[]*x509.Certificate) (base, delta string) {
	for _, list := range lists {
		for _, cert := range list {
			if cert == nil || bytes.Equal(cert.Raw, ca.Raw) || len(cert.AuthorityKeyId) == 0 ||
				!bytes.Equal(cert.AuthorityKeyId, ca.SubjectKeyId) {
				continue
			}
			if base, delta = CRLURLs(cert); base != "" && path.Verify(cert, ca) == path.Proven {
				return base, delta
			}
		}
	}
	return "", ""
}

var oidFreshestCRL = asn1.ObjectIdentifier{2, 5, 29, 46}

// CRLURLs returns where a certificate says that its issuer publishes its CRL and
// delta CRL: the first http URL of the CRL distribution points and of the freshest
// CRL extension (RFC 5280 sections 4.2.1.13 and 4.2.1.15). Either may be empty, and
// both are for nil. They belong in the entry of the issuer, not in that of the
// certificate.
func CRLURLs(issued *x509.Certificate) (base, delta string) {
	if issued == nil {
		return "", ""
	}
	base = firstHTTP(issued.CRLDistributionPoints)
	for _, extension := range issued.Extensions {
		if extension.Id.Equal(oidFreshestCRL) {
			delta = firstHTTP(distributionPoints(extension.Value))
		}
	}
	return base, delta
}

// distributionPoints returns the addresses of a CRLDistributionPoints value as
// far as it can be read.
func distributionPoints(der []byte) []string {
	var urls []string
	var points cryptobyte.String
	input := cryptobyte.String(der)
	if !input.ReadASN1(&points, cbasn1.SEQUENCE) {
		return nil
	}
	constructed := cbasn1.Tag(0).ContextSpecific().Constructed()
	for !points.Empty() {
		var point, name, full cryptobyte.String
		if !points.ReadASN1(&point, cbasn1.SEQUENCE) {
			return urls
		}
		if !point.ReadASN1(&name, constructed) || !name.ReadASN1(&full, constructed) {
			continue // named by its issuer, or by a relative name
		}
		for !full.Empty() {
			var value cryptobyte.String
			var tag cbasn1.Tag
			if !full.ReadAnyASN1(&value, &tag) {
				return urls
			}
			if tag == cbasn1.Tag(6).ContextSpecific() {
				urls = append(urls, string(value))
			}
		}
	}
	return urls
}

// PKI returns a PKI for the PKI-based store with every CA of the classic store:
// what Learn's "Migrate from a classic CA store to a PKI-based store" asks for.
// CRL URLs and the root mark are carried over, everything else is read from the
// certificates. The classic store stays as it is; remove it when the sign-in log
// no longer says that the legacy store was used.
//
// The error is an [*Error], as for [NewPKI] and for a certificate that cannot be
// read.
func (c Classic) PKI(displayName string) (PKI, error) {
	certs := make([]*x509.Certificate, len(c.CertificateAuthorities))
	old := map[string]ClassicAuthority{}
	for i, a := range c.CertificateAuthorities {
		cert, err := readCertificate(a.Certificate)
		if err != nil {
			return PKI{}, err.at(fmt.Sprintf("/certificateAuthorities/%d/certificate", i), fmt.Sprintf("classic store, CA %d", i+1))
		}
		certs[i] = cert
		if _, ok := old[string(cert.Raw)]; !ok {
			old[string(cert.Raw)] = a
		}
	}
	pki, err := NewPKI(displayName, certs)
	if err != nil {
		return PKI{}, err
	}
	for i := range pki.CertificateAuthorities {
		a := &pki.CertificateAuthorities[i]
		from := old[string(a.Certificate)]
		a.CertificateAuthorityType = Intermediate
		if from.IsRootAuthority {
			a.CertificateAuthorityType = Root
		}
		a.CertificateRevocationListURL = from.CertificateRevocationListURL
		a.DeltaCertificateRevocationListURL = from.DeltaCertificateRevocationListURL
	}
	return pki, nil
}

// ReadCertificates reads a file of certificates in any form in which CAs hand
// them out: PEM, indented or with text around it, DER (one or several), base64
// without PEM lines, a PKCS #7 bundle (.p7b) in any of these, with zeros behind it
// as Windows writes them, and text files in UTF-16, as PowerShell does. Other PEM
// blocks, such as keys and CRLs, are passed over. The order is that of the file.
//
// A certificate that crypto/x509 refuses is returned too, with its names and without
// a key: [example.com/entracba/cba.Refused] says why.
//
// The error is an [*Error]: [OverLimit] for more than 4 MiB, the limit of [example.com/entracba/cba.ParseCertificates] too, [NotCertificate],
// [NotBundle], or [NoCertificate] for a file without any. It says what the file is
// instead.
func ReadCertificates(file []byte) ([]*x509.Certificate, error) {
	blocks, err := certs.Open(file)
	if err != nil {
		return nil, unread(NotCertificate, "", err)
	}
	found, err := certs.Certificates(blocks)
	switch {
	case err != nil:
		return nil, unread(NotBundle, "", err)
	case len(found) == 0 && blocks[0].Label == "" && blocks[0].Kind != certs.Bundle:
		return nil, &Error{Reason: NotCertificate, Detail: "it is: " + certs.Summary(blocks)}
	case len(found) == 0:
		return nil, &Error{Reason: NoCertificate, Detail: "the file holds: " + certs.Summary(blocks)}
	}
	return found, nil
}
