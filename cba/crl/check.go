package crl

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"fmt"
	"slices"

	"example.com/entracba/cba/crl/internal/layout"
	"example.com/entracba/cba/dn"
)

// CheckIssuer says whether this is a CRL of ca that this package understands,
// whatever the time. It checks, in this order, and returns the first failure as an
// [*Error]:
//
//   - that the CRL has no critical extension that this package does not
//     process, is not indirect, not for attribute certificates, and covers all
//     revocation reasons ([Unsupported]),
//   - that the CRL's issuer is the subject of ca, as names are compared by RFC
//     5280 section 7.1 ([WrongIssuer]),
//   - that both have a key identifier and the two are the same ([WrongKeyID];
//     Entra needs them once revocation is checked),
//   - that ca may sign CRLs by its basic constraints and key usage, and that its
//     key made the signature ([BadSignature]); a signature that was good once is
//     not verified again for the same key.
//
// It does not check the validity of ca or who issued it.
func (l *List) CheckIssuer(ca *x509.Certificate) error {
	if err := l.checkIssuer(ca); err != nil {
		return err
	}
	return nil
}

func (l *List) checkIssuer(ca *x509.Certificate) *Error {
	if l == nil {
		return failf(Missing, "there is no CRL to check")
	}
	if err := l.checkContent(); err != nil {
		return err
	}
	switch {
	case ca == nil:
		return failf(WrongIssuer, "there is no CA to check against")
	case !sameName(l.RawIssuer, ca.RawSubject):
		return failf(WrongIssuer, "the CRL is by %q, the CA is %q", l.Issuer(), nameText(ca.RawSubject))
	}
	if len(l.AuthorityKeyID) == 0 || !bytes.Equal(l.AuthorityKeyID, ca.SubjectKeyId) {
		return l.wrongKeyID(ca)
	}
	if ca.Version == 3 && !ca.BasicConstraintsValid || ca.BasicConstraintsValid && !ca.IsCA {
		return failf(BadSignature, "the certificate is not a CA's")
	}
	if ca.KeyUsage != 0 && ca.KeyUsage&x509.KeyUsageCRLSign == 0 {
		return failf(BadSignature, "the CA's key usage does not let it sign CRLs")
	}
	if known := l.signedBy.Load(); known != nil && sameKey(*known, ca.PublicKey) {
		return nil
	}
	if err := l.scheme.Verify(ca.PublicKey, l.digest, l.RawTBS, l.Signature); err != nil {
		reason := BadSignature
		if l.SignatureAlgorithm == x509.UnknownSignatureAlgorithm || l.scheme.Forbidden(ca.PublicKey) {
			reason = Unsupported
		}
		return &Error{Reason: reason, Err: err}
	}
	var key crypto.PublicKey = ca.PublicKey
	l.signedBy.Store(&key)
	return nil
}

func sameKey(a, b crypto.PublicKey) bool {
	key, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && key.Equal(b)
}

// checkContent refuses a CRL with contents that this package does not process.
func (l *List) checkContent() *Error {
	switch {
	case l.unsupported != nil:
		return failf(Unsupported, "the CRL has the critical extension %s, which this package does not know", oidText(l.unsupported))
	case l.Scope.Indirect || string(l.entryScope) == layout.OIDCertIssuer:
		return failf(Unsupported, "the CRL is indirect: it has entries of other issuers")
	case l.entryScope != nil:
		return failf(Unsupported, "an entry has the critical extension %s, which this package does not know", oidText(l.entryScope))
	case l.Scope.OnlyAttributes:
		return failf(Unsupported, "the CRL is for attribute certificates")
	case l.Scope.OnlySomeReasons:
		return failf(Unsupported, "the CRL covers only some revocation reasons")
	case l.Scope.OnlyUsers && l.Scope.OnlyCAs:
		return failf(Unsupported, "the CRL says that it covers only users and only CAs")
	}
	return nil
}

func (l *List) wrongKeyID(ca *x509.Certificate) *Error {
	err := &Error{Reason: WrongKeyID, CAKeyID: ca.SubjectKeyId, ListKeyID: l.AuthorityKeyID}
	switch {
	case len(ca.SubjectKeyId) == 0:
		err.Detail = "the CA's certificate has no subject key identifier"
	case len(l.AuthorityKeyID) == 0:
		err.Detail = "the CRL has no authority key identifier"
	default:
		err.Detail = fmt.Sprintf("the CRL has %x, the CA %x", l.AuthorityKeyID, ca.SubjectKeyId)
	}
	return err
}

// CheckAfter says whether the CRL may follow previous, an older CRL of the
// same CA and kind: CRL numbers must increase strictly from one CRL to
// the next. The same list again is no failure. A failure is an [*Error] with
// reason [NumberWentBack].
func (l *List) CheckAfter(previous *List) error {
	switch {
	case l == nil:
		return failf(Missing, "there is no CRL to check")
	case previous == nil || bytes.Equal(l.Raw, previous.Raw) || previous.Number == nil:
		return nil
	case l.Number == nil:
		return failf(NumberWentBack, "the CRL has no CRL number, and the one before had %v", previous.Number)
	case l.Number.Cmp(previous.Number) < 0:
		return failf(NumberWentBack, "the CRL number is %v, and the one before was %v", l.Number, previous.Number)
	case l.Number.Cmp(previous.Number) == 0:
		return failf(NumberWentBack, "two different CRLs have the CRL number %v", l.Number)
	}
	return nil
}

// sameName compares encoded names as RFC 5280 section 7.1 says. Names that
// cannot be read are the same if their bytes are.
func sameName(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	keyA, errA := dn.AppendKey(nil, a)
	keyB, errB := dn.AppendKey(nil, b)
	return errA == nil && errB == nil && bytes.Equal(keyA, keyB)
}

// equal reports whether two scopes are the same.
func (s Scope) equal(other Scope) bool {
	return s.flags() == other.flags() && slices.Equal(s.URLs, other.URLs)
}

func (s Scope) flags() [6]bool {
	return [6]bool{s.Present, s.OnlyUsers, s.OnlyCAs, s.OnlyAttributes, s.OnlySomeReasons, s.Indirect}
}
