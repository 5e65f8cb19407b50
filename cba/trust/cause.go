package trust

import (
	"example.com/entracba/cba/internal/enum"
)

// A Cause is what is wrong with a chain. The zero value is unset.
type Cause uint8

const (
	// NoLeaf is a question without a certificate.
	NoLeaf Cause = iota + 1
	// NoAuthorityKeyID is a certificate without an authority key identifier: its
	// issuer cannot be found (open question 9.30).
	NoAuthorityKeyID
	// IssuerNotFound is an authority key identifier that no CA of the stores has
	// as its subject key identifier.
	IssuerNotFound
	// NoRoot is a chain that runs in a circle of CAs that certify each other.
	NoRoot
	// WrongSignature is a certificate that is not signed by the key of the CA that its
	// authority key identifier names.
	WrongSignature
	// UncheckedSignature is a signature that this package cannot check: MD5, DSA,
	// a curve it does not know, an RSA key of under 1,024 or over 16,384 bits. The
	// service may be able to.
	UncheckedSignature
	// NotYetValid is a certificate before its validity.
	NotYetValid
	// Expired is a certificate after its validity.
	Expired
	// TooDeep is a chain with more CAs than [Options.MaxDepth].
	TooDeep
	// NotCA is an issuer whose basic constraints do not make it a CA.
	NotCA
	// PathTooLong is an issuer whose path length constraint forbids the CAs below
	// it.
	PathTooLong
	// NoCertSign is an issuer whose key usage does not have keyCertSign.
	NoCertSign
	// IssuerUnreadable is an authority key identifier that only a CA has which
	// crypto/x509 does not read, see [Store.Unreadable]. The service may be able to.
	IssuerUnreadable
)

var causes = enum.Of[Cause]("trust: cause",
	"no-certificate", "no-authority-key-id", "issuer-not-found", "no-root", "wrong-signature", "unchecked-signature",
	"not-yet-valid", "expired", "too-deep", "not-a-ca", "path-too-long", "no-cert-sign", "issuer-unreadable")

// String returns a short text such as "issuer-not-found".
func (c Cause) String() string { return causes.String(c) }

// MarshalText writes the text of [Cause.String]; an unset cause is an error.
func (c Cause) MarshalText() ([]byte, error) { return causes.Marshal(c) }

// UnmarshalText reads what MarshalText wrote.
func (c *Cause) UnmarshalText(text []byte) error { return causes.Unmarshal(c, text) }

// words says the cause for people.
func (c Cause) words() string {
	switch c {
	case NoLeaf:
		return "no certificate"
	case NoAuthorityKeyID:
		return "no authority key identifier"
	case IssuerNotFound:
		return "issuer not in the trust stores"
	case NoRoot:
		return "no root"
	case WrongSignature:
		return "wrong signature"
	case UncheckedSignature:
		return "signature cannot be checked"
	case NotYetValid:
		return "not yet valid"
	case Expired:
		return "expired"
	case TooDeep:
		return "too many CAs"
	case NotCA:
		return "issuer is not a CA"
	case PathTooLong:
		return "path length constraint"
	case NoCertSign:
		return "issuer may not sign certificates"
	case IssuerUnreadable:
		return "issuer cannot be read here"
	}
	return "unknown cause"
}

// step is the name of the step that fails for this cause.
func (c Cause) step() string {
	switch c {
	case NoLeaf:
		return StepCertificate
	case NoAuthorityKeyID, IssuerNotFound, IssuerUnreadable, NoRoot, WrongSignature, UncheckedSignature:
		return StepIssuer
	case NotYetValid, Expired:
		return StepValidity
	case TooDeep:
		return StepDepth
	}
	return StepCA
}
