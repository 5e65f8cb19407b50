package cba

import (
	"context"
	"crypto"
	"crypto/x509"
	"fmt"
	"time"

	"example.com/entracba/cba/dn"
)

const (
	defaultRootValidity         = 10 * 365 * Day
	defaultIntermediateValidity = 5 * 365 * Day
)

// An Authority says what kind of CA to make. Only Name is required.
type Authority struct {
	// Name is the CA's distinguished name; required. It must not change when the
	// CA is renewed: authentication binding rules and certificateUserIds contain it.
	Name dn.Name
	// Key is the CA's private key. Nil means that a key of KeyType is made; zero
	// there means [RSA3072], which every reader verifies. A CA on [P256] or [P384]
	// signs several times faster, which matters for long lists: see [KeyType.ForCA]. The key is never part
	// of text or JSON.
	Key     crypto.Signer `json:"-"`
	KeyType KeyType
	// Validity is counted from now. Zero means ten years of 365 days for a root and
	// five for an intermediate. An intermediate never outlives its parent.
	Validity time.Duration
	// Backdate is as in [Profile].
	Backdate time.Duration
	// PathLen is how many CAs are allowed between this one and a user. Zero means
	// none for an intermediate and any number for a root; negative means any
	// number.
	PathLen int
	// Policies are certificate policies. Nil means [AllIssuancePolicies] for an
	// intermediate, so that users below may have any policy, and none for a root:
	// AADSTS50017 names policies that differ along the chain as a cause.
	Policies []x509.OID
	// CRLURLs and CAURLs are where the parent publishes its CRL and its own
	// certificate. A root needs neither.
	CRLURLs, CAURLs []string
	// Now is the clock of the new issuer; nil means the parent's, or time.Now.
	Now func() time.Time
}

// Format writes the name, without the key, for every verb.
func (a Authority) Format(s fmt.State, _ rune) { fmt.Fprintf(s, "{CA %q}", a.Name) }

// NewRoot makes a root CA: a key, and a certificate that it signs itself, with
// keyCertSign and cRLSign and both key identifiers.
//
// The error is an [*Error] about the field of the authority that cannot be used,
// or that of [Draft.Sign].
func NewRoot(ctx context.Context, a Authority) (*Issuer, error) {
	if a.PathLen == 0 {
		a.PathLen = -1
	}
	if a.Validity == 0 {
		a.Validity = defaultRootValidity
	}
	return a.make(ctx, nil)
}

// NewIntermediate makes a CA under this one. Its [Issuer.Chain] leads to the
// root.
//
// The error is an [*Error] about the field of the authority that cannot be used,
// with reason [NotAuthority] if this CA's path length allows no CA below it, or
// that of [Draft.Sign].
func (i *Issuer) NewIntermediate(ctx context.Context, a Authority) (*Issuer, error) {
	if err := i.check(i.now()); err != nil {
		return nil, err
	}
	if limit, limited := pathLen(i.Certificate); limited {
		if limit == 0 || a.PathLen >= limit {
			return nil, &Error{Reason: NotAuthority, What: "CA certificate", Text: dn.Show(i.Certificate.RawSubject),
				Hint: "its path length allows no further CA, or fewer than PathLen below it"}
		}
		if a.PathLen < 0 {
			a.PathLen = limit - 1
		}
	}
	if a.Validity == 0 {
		a.Validity = defaultIntermediateValidity
	}
	if a.Policies == nil {
		a.Policies = []x509.OID{AllIssuancePolicies()}
	}
	if a.Now == nil {
		a.Now = i.Now
	}
	return a.make(ctx, i)
}

// pathLen returns a CA's path length and whether it has one.
func pathLen(c *x509.Certificate) (int, bool) {
	return c.MaxPathLen, c.MaxPathLen > 0 || c.MaxPathLenZero
}

// make makes the CA under parent, or a root if parent is nil.
func (a Authority) make(ctx context.Context, parent *Issuer) (*Issuer, error) {
	if len(a.Name) == 0 {
		return nil, &Error{Reason: Empty, What: "name of the CA"}
	}
	name, err := marshalName("name of the CA", a.Name)
	if err != nil {
		return nil, err
	}
	if err := (Profile{Validity: a.Validity, Policies: a.Policies, CRLURLs: a.CRLURLs, CAURLs: a.CAURLs}).check(); err != nil {
		return nil, err
	}
	if a.Key == nil {
		if a.KeyType == 0 {
			a.KeyType = RSA3072
		}
		if a.Key, err = a.KeyType.Generate(); err != nil {
			return nil, err
		}
	}
	pub := publicOf(a.Key)
	if err := CheckKey(pub); err != nil {
		return nil, err
	}
	child := &Issuer{Key: a.Key, Now: a.Now}
	signer := a.Key // a root signs itself
	var above *x509.Certificate
	if parent != nil {
		signer, above = parent.Key, parent.Certificate
		child.Chain = parent.CACertificates()
	}
	from, to, _ := validity(child.now(), a.Backdate, a.Validity, above)
	draft, err := prepare(signer, child.Chain, child.now, pub, contents{
		subject:   name,
		notBefore: from,
		notAfter:  to,
		isCA:      true,
		pathLen:   max(a.PathLen, -1),
		keyUsage:  x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		policies:  a.Policies,
		crlURLs:   a.CRLURLs,
		caURLs:    a.CAURLs,
	})
	if err != nil {
		return nil, err
	}
	if child.Certificate, err = draft.SignUnfit(ctx); err != nil {
		return nil, err
	}
	return child, nil
}
