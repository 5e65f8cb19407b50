package signin

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"sync"
	"time"

	"example.com/entracba/cba/internal/certs"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/trust"
)

// A HeldCertificate is a user's certificate with what a tenant knows about it: its
// values, its issuers and their signatures, which are nearly all the work of
// [Tenant.Decide]. It does not change, and many goroutines may use it.
//
// It belongs to its tenant: who compiles the tenant again, because its policy or its
// CAs have changed, gets a new one from the new tenant. [Tenant.Decide] does that by
// itself.
type HeldCertificate struct {
	tenant *Tenant
	cert   *x509.Certificate
	values *policy.Certificate
	leaf   *trust.Leaf
}

// Certificate prepares a certificate for decisions. The error is an [*Error], as for
// [Tenant.Decide]: [NoTenant], [NoCertificate] or [BadCertificate].
func (t *Tenant) Certificate(cert *x509.Certificate) (*HeldCertificate, error) {
	if !t.ready() {
		return nil, noTenant()
	}
	if cert == nil {
		return nil, &Error{Reason: NoCertificate, Where: "request", Detail: "the certificate is missing"}
	}
	key, keep := sha256.Sum256(cert.Raw), len(cert.Raw) > 0 && len(cert.Raw) <= maxHeldSize
	if keep {
		if h := t.held.find(key); h != nil {
			return h, nil
		}
		// What is kept is read from the bytes that are its key, whatever the caller has
		// done, or will do, to the struct. Only where crypto/x509 refuses it, it is not kept.
		read, err := x509.ParseCertificate(bytes.Clone(cert.Raw))
		if keep = err == nil; keep {
			cert = certs.WithExtensions(read)
		}
	}
	h, err := t.hold(cert)
	if err == nil && keep && h.leaf.Known() { // nobody else's certificate takes the place of one
		t.held.add(key, h)
	}
	return h, err
}

// hold prepares a certificate that nobody changes, and keeps nothing.
func (t *Tenant) hold(cert *x509.Certificate) (*HeldCertificate, error) {
	values, err := policy.NewCertificate(cert, t.options.IDs)
	if err != nil {
		return nil, &Error{Reason: BadCertificate, Where: "request", Err: err}
	}
	return &HeldCertificate{tenant: t, cert: cert, values: values, leaf: t.trust.Leaf(cert)}, nil
}

// Decide is [Tenant.Decide] for the certificate: what a user may do with it is decided
// afresh, and so are times, CRLs and scopes.
func (h *HeldCertificate) Decide(ctx context.Context, user *policy.User, at time.Time, require Requirement) (Answer, error) {
	if h == nil || h.tenant == nil {
		return Answer{}, noTenant()
	}
	r := Request{User: user, Certificate: h.cert, At: at, Require: require}
	if err := h.tenant.usable(ctx, r); err != nil {
		return Answer{}, err
	}
	return h.tenant.decide(ctx, r, h.at(at))
}

// at returns the certificate with its chain at a time.
func (h *HeldCertificate) at(at time.Time) prepared {
	return prepared{cert: h.values, chain: h.leaf.Chain(at), until: h.leaf.Until(at)}
}

// Bounds of what a tenant keeps: certificates, and bytes of one.
const (
	maxHeld     = 4096
	maxHeldSize = 16 << 10
)

// A heldCache keeps certificates by the SHA-256 of their bytes: the last maxHeld/2
// that were used, and up to as many before them.
type heldCache struct {
	shards [heldShards]heldShard
}

const heldShards = 16

type heldShard struct {
	sync.RWMutex
	recent, older map[[sha256.Size]byte]*HeldCertificate
}

func (c *heldCache) find(key [sha256.Size]byte) *HeldCertificate {
	s := &c.shards[key[0]%heldShards]
	s.RLock()
	h, recent := s.recent[key]
	if !recent {
		h = s.older[key]
	}
	s.RUnlock()
	if h != nil && !recent {
		c.add(key, h)
	}
	return h
}

func (c *heldCache) add(key [sha256.Size]byte, h *HeldCertificate) {
	s := &c.shards[key[0]%heldShards]
	s.Lock()
	defer s.Unlock()
	if s.recent == nil || len(s.recent) >= maxHeld/2/heldShards {
		s.older, s.recent = s.recent, map[[sha256.Size]byte]*HeldCertificate{}
	}
	s.recent[key] = h
}
