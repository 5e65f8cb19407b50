package crl

import (
	"crypto/x509"
	"math/big"
	"time"

	"example.com/entracba/cba/internal/enum"
	"example.com/entracba/cba/internal/text"
)

// A Set is what one CA publishes: its base CRL, and the delta CRL that goes with it
// if there is one.
type Set struct {
	Base  *List // required
	Delta *List // nil if the CA publishes none
}

// Check says whether the CRLs can be relied on at a time: that both are CRLs of ca
// that this package understands ([List.CheckIssuer]), that both are valid at that
// time (Entra fails a sign-in when either has expired), that the base is a base CRL
// and the delta a delta CRL that continues it.
//
// The checks are made in that order, on the base first, and the first failure is
// returned, as an [*Error].
//
// A delta CRL that is older than the base is no failure: the base says more
// than it does, and [Set.Status] leaves it out.
func (s Set) Check(ca *x509.Certificate, at time.Time) error {
	if s.Base == nil {
		if s.Delta != nil {
			return failf(BaseMissing, "there is a delta CRL (number %v) and no base CRL", s.Delta.Number)
		}
		return failf(Missing, "there is no base CRL")
	}
	if err := s.Base.check(ca, at); err != nil {
		return err
	}
	if s.Base.IsDelta() {
		return failf(BaseMissing, "the CRL at the place of the base CRL is a delta CRL, which continues base CRL %v", s.Base.BaseNumber)
	}
	if s.Delta == nil {
		return nil
	}
	err := s.Delta.check(ca, at)
	if err == nil {
		err = s.checkDelta()
	}
	if err != nil {
		err.Delta = true
		return err
	}
	return nil
}

// checkDelta applies RFC 5280 section 5.2.4 to a base and a delta that are both
// good as such.
func (s Set) checkDelta() *Error {
	base, delta := s.Base, s.Delta
	switch {
	case !delta.IsDelta():
		return failf(DeltaMismatch, "the CRL at the place of the delta CRL is a base CRL")
	case base.Number == nil || delta.Number == nil:
		return failf(DeltaMismatch, "the base or the delta CRL has no CRL number")
	case delta.BaseNumber.Cmp(base.Number) > 0:
		return failf(DeltaMismatch, "the delta CRL continues base CRL %v, and the base CRL here is %v", delta.BaseNumber, base.Number)
	case !base.Scope.equal(delta.Scope):
		return failf(DeltaMismatch, "the issuing distribution point of the delta CRL differs from that of the base CRL")
	}
	return nil
}

// Check says whether the CRL can be relied on at a time, as far as it goes by
// itself: that it is a CRL of ca ([List.CheckIssuer]) and valid at that time. The
// first failure is returned, as an [*Error]. [Set.Check] says more.
func (l *List) Check(ca *x509.Certificate, at time.Time) error {
	if err := l.check(ca, at); err != nil {
		return err
	}
	return nil
}

// check returns *Error so that the caller can mark it.
func (l *List) check(ca *x509.Certificate, at time.Time) *Error {
	if err := l.checkIssuer(ca); err != nil {
		return err
	}
	return l.checkTime(at)
}

func (l *List) checkTime(at time.Time) *Error {
	switch {
	case at.Before(l.ThisUpdate):
		return failf(NotYetValid, "it is valid from %s (This Update), and it is checked at %s", text.Time(l.ThisUpdate), text.Time(at))
	case l.NextUpdate.IsZero():
		return failf(Expired, "it has no Next Update, so it counts as expired")
	case !at.Before(l.NextUpdate): // in that second, too, as OpenSSL has it
		return failf(Expired, "it was valid from %s (This Update) until %s (Next Update), and it is checked at %s",
			text.Time(l.ThisUpdate), text.Time(l.NextUpdate), text.Time(at))
	}
	return nil
}

// A State is what a [Set] says about a certificate. The zero value is unset:
// treat it as a refusal.
type State uint8

const (
	// Good: the certificate is not listed.
	Good State = iota + 1
	// Released: the base CRL has the certificate, and the delta CRL takes it
	// back: it is good again.
	Released
	// Revoked for good.
	Revoked
	// OnHold: revoked, and may be released.
	OnHold
	// NotCovered: the CRLs do not speak for this certificate.
	NotCovered
)

var states = enum.Of[State]("crl: state", "good", "released", "revoked", "on hold", "not covered")

// String returns a text such as "on hold".
func (s State) String() string { return states.String(s) }

// MarshalText writes the text of [State.String]; an unset state is an error.
func (s State) MarshalText() ([]byte, error) { return states.Marshal(s) }

// UnmarshalText reads what MarshalText wrote.
func (s *State) UnmarshalText(b []byte) error { return states.Unmarshal(s, b) }

// A Status is what a [Set] says about one certificate.
type Status struct {
	State  State
	Entry  Entry // the entry that decided; the zero Entry for Good and NotCovered
	Delta  bool  // the entry is in the delta CRL
	Number *big.Int
}

// OK reports whether the certificate may be used: it is good or released.
func (s Status) OK() bool { return s.State == Good || s.State == Released }

// Code returns the code with which Entra refuses a sign-in with a certificate in
// this state, and "" if it does not. A revoked certificate is AADSTS500171 here;
// the tables have 500183 and 7000214 for it, too, without saying when. For
// [NotCovered] it is AADSTS500175 (the CRL for a certificate is missing), which
// is inferred.
func (s Status) Code() string {
	switch s.State {
	case Good, Released:
		return ""
	case Revoked, OnHold:
		return "AADSTS500171"
	}
	return "AADSTS500175"
}

// Status says what the CRLs say about a certificate. It relies on them without
// checking: call [Set.Check] first. That the CA of the CRLs issued cert
// is the caller's to know; the names are not compared, as Entra builds chains by
// key identifiers.
//
// A scope that leaves out CA certificates, or all others, counts. The name of
// the distribution point in it is not compared with those in cert: Entra takes
// the URL from the trust store.
//
// In the base CRL even an entry with the reason removeFromCRL, which does not
// belong there, revokes.
func (s Set) Status(cert *x509.Certificate) Status {
	if s.Base == nil || cert == nil {
		return Status{}
	}
	isCA := cert.BasicConstraintsValid && cert.IsCA
	if s.Base.Scope.OnlyUsers && isCA || s.Base.Scope.OnlyCAs && !isCA {
		return Status{State: NotCovered, Number: s.Base.Number}
	}
	if s.deltaCounts() {
		if entry, listed := s.Delta.Lookup(cert.SerialNumber); listed {
			status := Status{State: stateOf(entry), Entry: entry, Delta: true, Number: s.Delta.Number}
			if entry.Reason == RemoveFromCRL {
				status.State = Released
			}
			return status
		}
	}
	entry, listed := s.Base.Lookup(cert.SerialNumber)
	if !listed {
		return Status{State: Good, Number: s.Base.Number}
	}
	return Status{State: stateOf(entry), Entry: entry, Number: s.Base.Number}
}

func stateOf(e Entry) State {
	if e.Reason == CertificateHold {
		return OnHold
	}
	return Revoked
}

// deltaCounts reports whether the delta says anything that the base does not
// know already.
func (s Set) deltaCounts() bool {
	if s.Delta == nil {
		return false
	}
	return s.Base.Number == nil || s.Delta.Number == nil || s.Delta.Number.Cmp(s.Base.Number) > 0
}
