package lifecycle

import (
	"crypto/x509"
	"iter"
	"time"

	"example.com/entracba/cba"
)

// Due yields the certificates that are due for renewal at a time, in the order of
// the list, each with the time since when: see [cba.RenewalTime], which percent is
// for. Expired certificates are due too; certificates that are not valid yet are
// not. Nil entries are skipped.
//
// Only the dates decide. Leave out certificates that were already renewed or
// revoked: a certificate does not say so itself.
func Due(certs iter.Seq[*x509.Certificate], percent int, at time.Time) iter.Seq2[*x509.Certificate, time.Time] {
	return func(yield func(*x509.Certificate, time.Time) bool) {
		if certs == nil {
			return
		}
		for cert := range certs {
			if cert == nil {
				continue
			}
			since := cba.RenewalTime(cert.NotBefore, cert.NotAfter, percent)
			if !at.Before(since) && !yield(cert, since) {
				return
			}
		}
	}
}
