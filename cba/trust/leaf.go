package trust

import (
	"crypto/x509"
	"slices"
	"sync"
	"time"
)

// A Leaf is a user certificate whose issuers in a store are known: the signature
// checks, which are most of the work of [Store.Chain], are done. It does not change
// and is safe for concurrent use. The zero Leaf is without a certificate.
type Leaf struct {
	store   *Store
	cert    *x509.Certificate
	links   []link
	moments func() []time.Time
}

// Leaf looks up the issuers of a certificate. The certificate must not be changed
// afterwards.
func (s *Store) Leaf(cert *x509.Certificate) *Leaf {
	l := &Leaf{store: s, cert: cert, links: s.issuers(nil, cert)}
	l.moments = sync.OnceValue(l.collect)
	return l
}

// Known reports whether the key of a CA of the store signed the certificate.
func (l *Leaf) Known() bool { return l != nil && slices.ContainsFunc(l.links, isProven) }

// Chain is [Store.Chain] of the certificate: the times are checked afresh.
func (l *Leaf) Chain(at time.Time) Chain {
	if l == nil {
		l = &Leaf{}
	}
	return l.store.chain(l.cert, l.links, at)
}

// Until returns the first moment after a time at which the answer of [Leaf.Chain] may
// be another: the certificate, or a CA that a chain of it can have, becomes valid or
// expires. It is zero if there is none.
func (l *Leaf) Until(at time.Time) time.Time {
	if l == nil || l.moments == nil {
		return time.Time{}
	}
	for _, m := range l.moments() {
		if m.After(at) {
			return m
		}
	}
	return time.Time{}
}

// collect returns the ends of all validities, in their order.
func (l *Leaf) collect() []time.Time {
	if l.cert == nil {
		return nil
	}
	// A certificate is still valid at its last moment.
	moments := append(make([]time.Time, 0, 8), l.cert.NotBefore, l.cert.NotAfter.Add(1))
	var above []*node
	var seen map[*node]bool // where there are many
	visit := func(links []link) {
		for _, k := range links {
			n := k.Node
			if !isProven(k) || seen[n] || seen == nil && slices.Contains(above, n) {
				continue
			}
			if above = append(above, n); len(above) > 16 {
				if seen == nil {
					seen = map[*node]bool{}
					for _, n := range above {
						seen[n] = true
					}
				}
				seen[n] = true
			}
			moments = append(moments, n.Certificate.NotBefore, n.Certificate.NotAfter.Add(1))
		}
	}
	visit(l.links)
	for i := 0; i < len(above); i++ {
		visit(above[i].Issuers)
	}
	slices.SortFunc(moments, time.Time.Compare)
	return slices.CompactFunc(moments, time.Time.Equal)
}
