package trust

import (
	"bytes"
	"crypto/x509"
	"slices"

	"example.com/entracba/cba/dn"
)

// Hints are the names that the service sends with its TLS CertificateRequest if
// issuer hints are enabled, so that clients offer only certificates that lead to
// one of them.
type Hints struct {
	// Flagged says that a CA has isIssuerHintEnabled, so that only the names of such
	// CAs are sent. If none has it, the names of all CAs are sent (Learn, how to
	// configure CBA; open question 9.8).
	Flagged bool
	// List has each name once, in the order of the rank of its first CA.
	List []Hint
	// Bytes is the size of the names with their lengths: RFC 5246 section 7.4.4
	// and RFC 8446 section 4.2.4 put two bytes in front of each.
	Bytes int
}

// A Hint is one name that is sent.
type Hint struct {
	Subject dn.Name
	Raw     []byte // the encoded name
	CAs     []*CA  // the CAs that have it
}

// Hints returns what the service sends if issuer hints are enabled. One name is
// sent once, though several CAs have it.
func (s *Store) Hints() Hints {
	if s == nil {
		return Hints{}
	}
	h := s.hints
	h.List = slices.Clone(h.List)
	return h
}

func hintsOf(cas []*CA, flagged bool) Hints {
	h := Hints{Flagged: flagged}
	index := map[string]int{}
	for _, ca := range cas {
		if flagged && !ca.Hinted() {
			continue
		}
		raw := ca.Certificate.RawSubject
		i, ok := index[string(raw)]
		if !ok {
			i = len(h.List)
			index[string(raw)] = i
			h.List = append(h.List, Hint{Subject: ca.Subject, Raw: raw})
			h.Bytes += 2 + len(raw)
		}
		h.List[i].CAs = append(h.List[i].CAs, ca)
	}
	return h
}

// Pool returns the hints as the client CAs of a TLS server
// (crypto/tls.Config.ClientCAs), which then sends the same names: one CA for each
// name. It is for hints, not for verification.
func (h Hints) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	for _, hint := range h.List {
		if len(hint.CAs) > 0 && !hint.CAs[0].unmade() {
			pool.AddCert(hint.CAs[0].Certificate)
		}
	}
	return pool
}

// TLS12 returns the size of the certificate_authorities field of a TLS 1.2
// CertificateRequest: two bytes of length and the names.
func (h Hints) TLS12() int { return 2 + h.Bytes }

// TLS13 returns the size of the certificate_authorities extension of a TLS 1.3
// CertificateRequest: type, length, and the field as in TLS 1.2. Without a name
// there is no extension.
func (h Hints) TLS13() int {
	if len(h.List) == 0 {
		return 0
	}
	return 4 + h.TLS12()
}

// Reach reports whether a client that filters by the hints offers the chain's
// certificate: whether the name of any CA of the chain is sent. A client that does
// not have the CA certificates of its own chain knows only the name of the issuing
// CA, so flag that CA.
func (h Hints) Reach(c Chain) bool {
	for _, ca := range c.CAs {
		if !ca.unmade() && slices.ContainsFunc(h.List, func(hint Hint) bool { return bytes.Equal(hint.Raw, ca.Certificate.RawSubject) }) {
			return true
		}
	}
	return false
}
