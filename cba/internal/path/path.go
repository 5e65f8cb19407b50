// Package path finds the way from a certificate to a root, and checks what
// RFC 5280 says about the certificates on it.
//
// It is the one path search of the module. Make a [Set] of the CAs, [Set.Link]
// it once, and ask [Set.Find] for the way of any certificate. The order in which
// CAs are given never matters: every link is proven by a signature, and of several
// ways the best one is taken. A CA that issued a certificate to itself (a new key
// under the old one) is not a root; only one whose own key signed it is.
package path

import (
	"bytes"
	"cmp"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"slices"
	"time"

	"example.com/entracba/cba/internal/fips"
)

// A Node is one CA certificate of a set.
type Node[T any] struct {
	Certificate *x509.Certificate
	Value       T // the caller's
	// Root ends a way. NewSet sets it for certificates that are self-signed; a
	// caller may set it for others before [Set.Link].
	Root       bool
	SelfSigned bool // issuer and subject are one name, and the signature is by its own key
	SelfIssued bool // issuer and subject are one name
	Issuers    []Link[T]

	rank int32
	key  int32 // equal for certificates with one public key
}

// A Link leads from a certificate to a CA that may have issued it.
type Link[T any] struct {
	Node  *Node[T]
	Proof Proof
}

// A Proof is what a CA's key says about a certificate's signature.
type Proof uint8

const (
	Proven    Proof = iota + 1
	Disproven       // the signature is by another key
	Unchecked       // an algorithm or key size that cannot be checked here
)

// A Match says how the issuer of a certificate is looked for, before its
// signature is checked.
type Match uint8

const (
	// ByKeyID takes the CAs whose subject key identifier is the certificate's
	// authority key identifier: the way that Entra documents.
	ByKeyID Match = iota + 1
	// ByName takes the CAs whose subject is the certificate's issuer, byte for
	// byte: the way of RFC 5280 and of every TLS library.
	ByName
)

// A Set has CA certificates and the links between them. It does not change after
// [Set.Link] and is safe for concurrent use then.
type Set[T any] struct {
	Nodes []*Node[T] // the one that lives longest first

	match Match
	index map[string][]*Node[T]
}

// NewSet returns the set of the certificates, each once. It keeps the nodes, whose
// Certificate is given, in an order of its own: of two certificates for one key
// the renewed one is tried first, and no two have one rank.
func NewSet[T any](nodes []*Node[T], match Match) *Set[T] {
	s := &Set[T]{Nodes: slices.Clone(nodes), match: match, index: map[string][]*Node[T]{}}
	slices.SortStableFunc(s.Nodes, func(x, y *Node[T]) int {
		return cmp.Or(
			y.Certificate.NotAfter.Compare(x.Certificate.NotAfter),
			bytes.Compare(x.Certificate.Raw, y.Certificate.Raw),
		)
	})
	s.Nodes = slices.CompactFunc(s.Nodes, func(x, y *Node[T]) bool { return x.Certificate.Equal(y.Certificate) })
	keys := map[string]int32{}
	for i, n := range s.Nodes {
		c := n.Certificate
		n.rank = int32(i)
		if _, known := keys[string(c.RawSubjectPublicKeyInfo)]; !known {
			keys[string(c.RawSubjectPublicKeyInfo)] = int32(len(keys))
		}
		n.key = keys[string(c.RawSubjectPublicKeyInfo)]
		n.SelfIssued = SelfIssued(c)
		n.SelfSigned = n.SelfIssued && Verify(c, c) == Proven
		n.Root = n.SelfSigned
		id := c.RawSubject
		if match == ByKeyID {
			id = c.SubjectKeyId
		}
		if len(id) > 0 {
			s.index[string(id)] = append(s.index[string(id)], n)
		}
	}
	return s
}

// SelfIssued reports whether issuer and subject are one name. That does not make
// a root.
func SelfIssued(c *x509.Certificate) bool { return bytes.Equal(c.RawSubject, c.RawIssuer) }

// Link finds and proves the links from every CA that is not self-signed to those
// that may have issued it.
func (s *Set[T]) Link() {
	for _, n := range s.Nodes {
		if !n.SelfSigned {
			n.Issuers = s.Issuers(nil, n.Certificate)
		}
	}
}

// maxKeys bounds the work for one certificate. One name or identifier for several
// keys is already a mistake; certificates of one key, however many, count once.
const maxKeys = 32

// Issuers appends the CAs that may have issued a certificate, by rank, each with
// what its key says about the signature. It checks one signature for each
// different key, and never more than 32. A certificate is not its own issuer.
func (s *Set[T]) Issuers(links []Link[T], cert *x509.Certificate) []Link[T] {
	id := cert.RawIssuer
	if s.match == ByKeyID {
		id = cert.AuthorityKeyId
	}
	if len(id) == 0 {
		return links
	}
	keys := 0
	for _, n := range s.index[string(id)] {
		if s.match == ByName && n.Certificate.Equal(cert) {
			continue
		}
		l := Link[T]{Node: n}
		for _, other := range links {
			if other.Node.key == n.key {
				l.Proof = other.Proof
				break
			}
		}
		if l.Proof == 0 {
			if keys++; keys > maxKeys {
				break
			}
			l.Proof = Verify(cert, n.Certificate)
		}
		links = append(links, l)
	}
	return links
}

// Bounds of the RSA keys that are used. Below, crypto/rsa refuses; above, one
// certificate could cost seconds.
const (
	minRSABits = 1024
	maxRSABits = 16384
)

// Verify checks child's signature with parent's key and nothing else: names,
// constraints and usage are questions of their own. SHA-1 signatures are
// accepted, because old roots have them; the size of a key is looked at first, and that its modulus is odd.
func Verify(child, parent *x509.Certificate) Proof {
	if key, ok := parent.PublicKey.(*rsa.PublicKey); ok {
		if key.N == nil || key.N.Bit(0) == 0 || key.N.BitLen() < minRSABits || key.N.BitLen() > maxRSABits {
			return Unchecked
		}
	}
	if !fips.MayVerify(parent.PublicKey, child.SignatureAlgorithm) {
		return Unchecked
	}
	err := parent.CheckSignature(child.SignatureAlgorithm, child.RawTBSCertificate, child.Signature)
	var insecure x509.InsecureAlgorithmError
	switch {
	case err == nil:
		return Proven
	case errors.As(err, &insecure), errors.Is(err, x509.ErrUnsupportedAlgorithm):
		return Unchecked
	}
	return Disproven
}

// Rules are how much of a way is checked while it is searched. Each includes those
// before it.
type Rules uint8

const (
	Proofs  Rules = iota // only links with a proven signature
	Depth                // and the number of CAs
	Shape                // and CA flag, path length, key usage
	Periods              // and the time
)

// Options are what a search goes by.
type Options struct {
	At       time.Time
	MaxDepth int // the most CAs; zero means as many as the set has
	// NoShape leaves out [Shape].
	NoShape bool
}

// Find returns the way from the links of a certificate to a root: the shortest in
// which nothing is wrong, and among those of one length the one whose certificates
// live longer, from the issuing CA up. If there is none, it is the way that fails
// least: first the times are disregarded, then the shape, then the number of CAs.
// complete is false if no root can be reached at all; the way then ends where it
// ends.
func (s *Set[T]) Find(first []Link[T], o Options) (way []*Node[T], complete bool) {
	for r := Periods; ; r-- {
		if way, complete = s.search(first, o, r); complete || r == Proofs {
			return way, complete
		}
	}
}

// A state is one CA reached by the search. below counts the CAs under it that
// are not self-issued, which is what path length constraints speak of.
type state[T any] struct {
	node  *Node[T]
	from  int32 // index of the state below, or -1 for the certificate
	depth int32
	below int32
}

// search goes breadth first from the issuing CAs to a root. found says that it
// reached one; else the way leads to the nearest CA with nothing proven above it,
// or to the last one reached if all lead on in circles.
func (s *Set[T]) search(first []Link[T], o Options, r Rules) (way []*Node[T], found bool) {
	deepest := s.deepest(o)
	var queueBuf [16]state[T]
	var seenBuf [64]uint64
	queue, width := queueBuf[:0], int32(1)
	if r >= Shape { // one place for every value of below
		width = deepest + 1
	}
	seen := seenBuf[:]
	if need := (len(s.Nodes)*int(width) + 63) / 64; need > len(seen) {
		seen = make([]uint64, need)
	}
	visit := func(links []Link[T], from, depth, below int32) {
		for _, l := range links {
			if l.Proof != Proven || r >= Depth && depth > deepest || !s.allowed(l.Node, below, r, o) {
				continue
			}
			bit := l.Node.rank * width
			if r >= Shape {
				bit += below
			}
			if seen[bit/64]&(1<<(bit%64)) != 0 {
				continue
			}
			seen[bit/64] |= 1 << (bit % 64)
			queue = append(queue, state[T]{l.Node, from, depth, below})
		}
	}
	visit(first, -1, 1, 0)
	dead := int32(-1)
	for i := int32(0); int(i) < len(queue); i++ {
		st := queue[i]
		if st.node.Root {
			return wayTo(queue, i), true
		}
		below := st.below
		if !st.node.SelfIssued {
			below++
		}
		if dead < 0 && !slices.ContainsFunc(st.node.Issuers, func(l Link[T]) bool { return l.Proof == Proven }) {
			dead = i
		}
		visit(st.node.Issuers, i, st.depth+1, below)
	}
	if r != Proofs || len(queue) == 0 {
		return nil, false
	}
	if dead < 0 {
		dead = int32(len(queue)) - 1
	}
	return wayTo(queue, dead), false
}

// deepest returns the most CAs that a way may have.
func (s *Set[T]) deepest(o Options) int32 {
	all := int32(len(s.Nodes)) + 1 // more CAs than there are cannot be in a way
	if o.MaxDepth > 0 {
		return min(all, int32(o.MaxDepth))
	}
	return all
}

// allowed reports whether the rules allow a CA at its place on a way.
func (s *Set[T]) allowed(n *Node[T], below int32, r Rules, o Options) bool {
	return (r < Shape || o.NoShape || ShapeOf(n.Certificate, int(below)) == 0) &&
		(r < Periods || PeriodOf(n.Certificate, o.At) == 0)
}

func wayTo[T any](queue []state[T], i int32) []*Node[T] {
	way := make([]*Node[T], queue[i].depth)
	for ; i >= 0; i = queue[i].from {
		way[queue[i].depth-1] = queue[i].node
	}
	return way
}
