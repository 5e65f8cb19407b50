package intune

import (
	"crypto/x509"
	"fmt"
	"iter"
	"time"
)

// A Threshold is the share of a certificate's validity, in percent, that is left
// when its renewal begins. Zero means [DefaultThreshold]. Intune takes 1 to 99
// (Graph: renewalThresholdPercentage).
type Threshold uint8

// DefaultThreshold is the share that Intune's documentation recommends.
const DefaultThreshold Threshold = 20

// String returns the number and a percent sign.
func (t Threshold) String() string { return fmt.Sprintf("%d%%", uint8(t.orDefault())) }

func (t Threshold) orDefault() Threshold {
	if t == 0 {
		return DefaultThreshold
	}
	return t
}

// From returns the second from which a certificate is due for renewal: with 20,
// when a fifth of the time between NotBefore and NotAfter is left. A threshold of
// 100 or more means from the beginning.
func (t Threshold) From(cert *x509.Certificate) time.Time {
	// Seconds, for a time.Duration ends at 292 years and certificates do not.
	begin, end := cert.NotBefore.Unix(), cert.NotAfter.Unix()
	if end <= begin {
		return cert.NotBefore.UTC()
	}
	left := (end - begin) * int64(min(t.orDefault(), 100)) / 100
	return time.Unix(end-left, 0).UTC()
}

// Due yields the certificates that are due for renewal at a time, in the order of
// the list, each with the time since when. Those that have expired are among them:
// nothing renews them later. Those that are not valid yet are not.
//
// Leave out of the list what was renewed or revoked before: a certificate does not
// say so itself. What is yielded depends on nothing but the dates. Nil entries are
// skipped.
func Due(certs iter.Seq[*x509.Certificate], t Threshold, at time.Time) iter.Seq2[*x509.Certificate, time.Time] {
	return func(yield func(*x509.Certificate, time.Time) bool) {
		for cert := range certs {
			if cert == nil {
				continue
			}
			if from := t.From(cert); !at.Before(from) && !yield(cert, from) {
				return
			}
		}
	}
}
