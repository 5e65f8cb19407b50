package cba

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"

	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/internal/certs"
	"example.com/entracba/cba/internal/der"
	"example.com/entracba/cba/internal/fips"
	"example.com/entracba/cba/internal/san"
	"example.com/entracba/cba/lint"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// A Request is a certificate signing request (PKCS #10, RFC 2986) whose signature
// was checked: its sender has the private key of PublicKey. Everything else in it is
// what the sender would like, and proves nothing.
type Request struct {
	// DER is the whole request.
	DER []byte
	// PublicKey is the key to issue for, which [CheckKey] accepts.
	PublicKey crypto.PublicKey
	// Name is the distinguished name that it asks for.
	Name dn.Name
	// Names are the alternative names that it asks for, and the SID.
	Names Names
	// Extensions are all extensions that it asks for.
	Extensions []pkix.Extension

	proven crypto.PublicKey // the key that the signature was checked with
}

// attrMicrosoftExtensions is szOID_CERT_EXTENSIONS, the attribute in which older
// Windows puts what PKCS #9 has 1.2.840.113549.1.9.14 for.
var (
	attrExtensions          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 14}
	attrMicrosoftExtensions = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 2, 1, 14}
)

// NewRequest makes a request for the subject and signs it with the key. It asks
// for the subject's names: the distinguished name, the subjectAltName with the
// UPN, and the SID extension. The issuer decides the
// profile.
//
// The error is an [*Error] about the key or the part of the subject that cannot
// be written.
func NewRequest(ctx context.Context, key crypto.Signer, subject Subject) (*Request, error) {
	pub := publicOf(key)
	if err := CheckKey(pub); err != nil {
		return nil, err
	}
	subject, name, names, err := subject.resolve(SIDAsExtension)
	if err != nil {
		return nil, err
	}
	altNames, err := names.san()
	if err != nil {
		return nil, err
	}
	info, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return nil, &Error{Reason: UnsupportedKey, What: "public key", Err: err}
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(0) // v1
		b.AddBytes(name)
		b.AddBytes(info)
		b.AddASN1(cbasn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
			if altNames == nil && names.ExtensionSID.IsZero() {
				return
			}
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { // one attribute
				b.AddASN1ObjectIdentifier(attrExtensions)
				b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) {
					b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
						if altNames != nil {
							addExtension(b, san.Extension(), false, func(b *cryptobyte.Builder) { b.AddBytes(altNames) })
						}
						if sid := names.ExtensionSID; !sid.IsZero() {
							addExtension(b, sidExtension, false, func(b *cryptobyte.Builder) { b.AddBytes(sid.Extension().Value) })
						}
					})
				})
			})
		})
	})
	tbs, err := b.Bytes()
	if err != nil {
		return nil, &Error{Reason: Malformed, What: "request", Err: err}
	}
	der, err := signingFor(pub).sign(ctx, key, tbs)
	if err != nil {
		return nil, err
	}
	request, err := parseRequestDER(der)
	if err != nil {
		return nil, err
	}
	if !request.Names.equal(names) || !request.Name.Equal(subject.Name) {
		return nil, &Error{Reason: NotAsAsked, What: "request"}
	}
	return request, nil
}

// PEM returns the request as PEM with the label CERTIFICATE REQUEST.
func (r *Request) PEM() []byte {
	if r == nil {
		return nil
	}
	return pem.EncodeToMemory(&pem.Block{Type: labelRequest, Bytes: r.DER})
}

// ParseRequest reads a request and checks its signature and its key ([CheckKey]).
// It reads the forms that [ParseCertificates] reads. Attributes that
// certreq and PowerShell add (operating system, client, key provider) are
// legal and not read.
//
// The error is an [*Error] with reason [Missing], [Ambiguous] (several requests),
// [Malformed], [OutOfRange] (over 1 MiB), [BadSignature], or that of [CheckKey].
func ParseRequest(data []byte) (*Request, error) {
	der, err := requestDER(data)
	if err != nil {
		return nil, err
	}
	return parseRequestDER(der)
}

// maxRequest is the most bytes of a request that are looked at.
const maxRequest = 1 << 20

// requestDER takes the wrappings off.
func requestDER(data []byte) ([]byte, error) {
	const what = "request"
	if len(data) > maxRequest {
		return nil, &Error{Reason: OutOfRange, What: what, Hint: "it must not be larger than 1 MiB"}
	}
	blocks, err := certs.Open(data)
	if err != nil {
		return nil, unread(what, err)
	}
	var der []byte
	for _, b := range blocks {
		if b.Kind != certs.Request {
			continue
		}
		if der != nil {
			return nil, &Error{Reason: Ambiguous, What: what, Hint: "the file holds several requests: give one at a time"}
		}
		der = b.DER
	}
	if der == nil {
		return nil, &Error{Reason: Missing, What: what, Hint: "the file holds: " + certs.Summary(blocks)}
	}
	return der, nil
}

func parseRequestDER(raw []byte) (*Request, error) {
	csr, err := x509.ParseCertificateRequest(raw)
	if plain, ok := withPlainName(raw); err != nil && ok {
		if other, failed := x509.ParseCertificateRequest(plain.request); failed == nil {
			csr, err = other, nil
			csr.Raw, csr.RawTBSCertificateRequest, csr.RawSubject = raw, plain.signed, plain.name // what the signature is over
		}
	}
	if err != nil {
		return nil, &Error{Reason: Malformed, What: "request", Err: err}
	}
	if csr.PublicKey == nil {
		return nil, &Error{Reason: UnsupportedKey, What: "public key of the request", Hint: "use RSA or ECDSA"}
	}
	if err := CheckKey(csr.PublicKey); err != nil {
		return nil, err
	}
	if !fips.MayVerify(csr.PublicKey, csr.SignatureAlgorithm) {
		return nil, &Error{Reason: BadSignature, What: "request", Hint: "GODEBUG=fips140=only does not check SHA-1 signatures: sign the request with SHA-256"}
	}
	if err := csr.CheckSignature(); err != nil {
		return nil, &Error{Reason: BadSignature, What: "request", Err: err}
	}
	r := &Request{DER: csr.Raw, PublicKey: csr.PublicKey, Extensions: csr.Extensions, proven: csr.PublicKey}
	if r.Name, err = dn.ParseDER(csr.RawSubject); err != nil {
		return nil, &Error{Reason: Malformed, What: "subject of the request", Err: err}
	}
	older, ok := microsoftExtensions(csr.RawTBSCertificateRequest)
	if !ok {
		return nil, &Error{Reason: Malformed, What: "attributes of the request"}
	}
	r.Extensions = append(r.Extensions, older...)
	if r.Names, err = readNames(r.Extensions); err != nil {
		return nil, err
	}
	return r, nil
}

// A plain request is one without a name and with a list of attributes, and what the real
// one has: the part that is signed, and the name.
type plain struct{ request, signed, name []byte }

// withPlainName makes a request that crypto/x509 reads of one whose name it does not read,
// such as one with @ in a PrintableString, or that leaves the attributes out (RFC 2986
// section 4.1 wants an empty list): OpenSSL verifies both, and of a request only the key is
// used.
func withPlainName(request []byte) (plain, bool) {
	input := cryptobyte.String(request)
	var outer, signed, info, version, name, key cryptobyte.String
	if !input.ReadASN1(&outer, cbasn1.SEQUENCE) || !input.Empty() || !outer.ReadASN1Element(&signed, cbasn1.SEQUENCE) {
		return plain{}, false
	}
	whole := []byte(signed)
	if !signed.ReadASN1(&info, cbasn1.SEQUENCE) || !info.ReadASN1Element(&version, cbasn1.INTEGER) ||
		!info.ReadASN1Element(&name, cbasn1.SEQUENCE) || !info.ReadASN1Element(&key, cbasn1.SEQUENCE) {
		return plain{}, false
	}
	attributes := []byte(info)
	if info.Empty() {
		attributes = []byte{0xa0, 0}
	}
	inner := der.Append(nil, 0x30, slices.Concat(version, []byte{0x30, 0}, key, attributes))
	return plain{der.Append(nil, 0x30, append(inner, outer...)), whole, name}, true
}

// microsoftExtensions returns the extensions of the older Windows attribute.
func microsoftExtensions(tbs []byte) ([]pkix.Extension, bool) {
	input := cryptobyte.String(tbs)
	var info, attributes cryptobyte.String
	var present bool
	if !input.ReadASN1(&info, cbasn1.SEQUENCE) || !info.SkipASN1(cbasn1.INTEGER) ||
		!info.SkipASN1(cbasn1.SEQUENCE) || !info.SkipASN1(cbasn1.SEQUENCE) ||
		!info.ReadOptionalASN1(&attributes, &present, cbasn1.Tag(0).ContextSpecific().Constructed()) {
		return nil, false
	}
	var extensions []pkix.Extension
	for !attributes.Empty() {
		var attribute cryptobyte.String
		var id asn1.ObjectIdentifier
		var values cryptobyte.String
		if !attributes.ReadASN1(&attribute, cbasn1.SEQUENCE) {
			return nil, false
		}
		if !attribute.ReadASN1ObjectIdentifier(&id) || !id.Equal(attrMicrosoftExtensions) {
			continue
		}
		var list []pkix.Extension
		if !attribute.ReadASN1(&values, cbasn1.SET) {
			return nil, false
		}
		if _, err := asn1.Unmarshal(values, &list); err != nil {
			return nil, false
		}
		extensions = append(extensions, list...)
	}
	return extensions, true
}

// Compare returns how the request differs from the subject that the caller means
// to issue for. What the request asks for is never followed. If it asks for another
// UPN or SID, ask its sender.
func (r *Request) Compare(subject Subject) lint.Findings {
	if r == nil {
		return nil
	}
	var c checker
	resolved, _, names, err := subject.resolve(SIDAsExtension)
	if err != nil {
		resolved = subject
	}
	for _, part := range []struct {
		what       string
		rule       lint.Rule
		asked, get []string
	}{
		{"UPN", requestUPN, r.Names.UPNs, names.UPNs},
		{"e-mail address", requestNames, r.Names.Emails, names.Emails},
		{"DNS name", requestNames, r.Names.DNSNames, names.DNSNames},
		{"URI", requestNames, withoutSIDs(r.Names.URIs), names.URIs},
	} {
		for _, value := range part.asked {
			if !slices.Contains(part.get, value) {
				c.add(part.rule, "request", "", "asks for the %s %q, which the certificate does not get", part.what, value)
			}
		}
		for _, value := range part.get {
			if len(part.asked) > 0 && !slices.Contains(part.asked, value) {
				c.add(requestMore, "request", "", "does not ask for the %s %q, which the certificate gets", part.what, value)
			}
		}
	}
	if asked := append(slices.Clone(r.Names.URISIDs), r.Names.ExtensionSID); slices.ContainsFunc(asked, func(s SID) bool {
		return !s.IsZero() && s != subject.SID
	}) {
		c.add(requestSID, "request", "", "asks for a SID that is not %q", subject.SID.String())
	}
	if len(r.Name) > 0 && !r.Name.Equal(resolved.Name) {
		c.add(requestName, "request", "", "asks for the subject %q; the certificate gets %q", r.Name.String(), resolved.Name.String())
	}
	for _, e := range r.Extensions {
		switch {
		case e.Id.Equal(san.Extension()), e.Id.Equal(sidExtension), e.Id.Equal(extSubjectKeyID):
		case e.Id.Equal(extBasicConstraints) && bytes.Contains(e.Value, []byte{1, 1, 0xff}):
			c.add(requestCA, "request", "", "asks for a CA certificate")
		case e.Id.Equal(extBasicConstraints):
		default:
			c.add(requestExtension, "request", "", "asks for the extension %s, which the profile decides", showExtension(e.Id))
		}
	}
	return c.findings
}

func withoutSIDs(uris []string) []string {
	return slices.DeleteFunc(slices.Clone(uris), func(uri string) bool { return strings.HasPrefix(uri, sidURI) })
}

// showExtension names the extensions that requests have.
func showExtension(id asn1.ObjectIdentifier) string {
	name := ""
	switch {
	case id.Equal(extKeyUsage):
		name = "key usage"
	case id.Equal(extExtKeyUsage):
		name = "extended key usage"
	case id.Equal(extPolicies):
		name = "certificate policies"
	case id.Equal(extCRLURLs):
		name = "CRL distribution points"
	case id.String() == "1.3.6.1.4.1.311.20.2", id.String() == "1.3.6.1.4.1.311.21.7":
		name = "certificate template"
	case id.String() == "1.3.6.1.4.1.311.21.10":
		name = "application policies"
	case id.String() == "1.2.840.113549.1.9.15":
		name = "S/MIME capabilities"
	}
	if name == "" {
		return id.String()
	}
	return fmt.Sprintf("%v (%s)", id, name)
}
