package snapshot

import (
	"crypto/x509"
	"fmt"
	"iter"
	"slices"
	"time"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/internal/dialect"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
	"example.com/entracba/cba/trust"
)

// An Outage is a time in which CRLs could not be fetched, with what is at hand to say
// who was let in meanwhile: see [Outage.Assess].
//
// An outage does not let everybody in. Entra refuses a certificate whose CA has a CRL
// URL and whose CRL is not to be had (Learn, certificate revocation list); until then it
// uses the CRL that it has cached, which does not name what was revoked since. Only CAs
// without a CRL URL, if CRL validation is not required, and exempted CAs are not
// checked at all. What applies is read from Config.
type Outage struct {
	From, To time.Time
	// Config is the tenant. Its settings are those of today, not those of then.
	Config signin.Config
	// Lists are the CRLs at hand, of any CA and any time: the newest says what was
	// revoked, and the one that was current at From says how long a cached one was
	// valid. Delta CRLs are passed over.
	Lists []*crl.List
	// Certificate returns the certificate of a sign-in, or nil if it is not known. The
	// log has its subject alone. Nil knows none.
	Certificate func(SignIn) *x509.Certificate
}

// A Checking says how the revocation of a certificate was checked in an outage.
type Checking string

const (
	// CachedCRL: the CA has a CRL URL, so that Entra used a CRL that it had cached.
	CachedCRL Checking = "cached-crl"
	// NotChecked: the CA has no CRL URL, and CRL validation is not required.
	NotChecked Checking = "not-checked"
	// ExemptedCA: the CA is exempted from CRL validation, and so was not checked (open
	// question 9.32).
	ExemptedCA Checking = "exempted"
	// CANotKnown: which CA issued the certificate is not known.
	CANotKnown Checking = "ca-not-known"
	// Contradicted: by the settings of today and the CRLs at hand the sign-in would have
	// been refused. Either the settings were others, or Entra had a newer CRL, and then
	// the outage was none for it.
	Contradicted Checking = "contradicted"
)

// A Revocation says what the CRLs at hand say about the certificate of a sign-in.
type Revocation string

const (
	// RevokedThen: it was revoked when the user signed in.
	RevokedThen Revocation = "revoked"
	// RevokedLater: it was revoked after the user had signed in.
	RevokedLater Revocation = "revoked-later"
	// NotRevoked: a CRL that was made after the sign-in does not name it.
	NotRevoked Revocation = "not-revoked"
	// RevocationNotKnown: the certificate is not known, or no CRL at hand is of its CA
	// and made after the sign-in.
	RevocationNotKnown Revocation = "not-known"
)

// An OutageReport is who was let in during an [Outage].
type OutageReport struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// CAs are those of the tenant that had not expired.
	CAs []OutageCA `json:"cas"`
	// LetIn are the sign-ins with certificates that succeeded, the newest first.
	LetIn []OutageSignIn `json:"letIn"`
	// Refused counts the codes of those that were refused.
	Refused []Count `json:"refused"`
	// Foreign are the issuers of CRLs that are by no CA of the tenant, or not signed by it.
	Foreign []string `json:"foreignCrls"`
}

// Count returns how many sign-ins were let in with this answer of the CRLs.
func (r OutageReport) Count(is Revocation) int {
	n := 0
	for _, s := range r.LetIn {
		if s.Revocation == is {
			n++
		}
	}
	return n
}

// An OutageCA says what an outage means for the users of a CA.
type OutageCA struct {
	Subject string   `json:"subject"` // CN first
	CRL     string   `json:"crl"`     // URL; "" if it has none
	During  Checking `json:"during"`
	// CachedUntil is when the CRL that was current at the beginning expires: then Entra
	// refuses everybody. It is zero if no such CRL is at hand.
	CachedUntil time.Time `json:"cachedUntil,omitzero"`
}

// An OutageSignIn is a sign-in that was let in.
type OutageSignIn struct {
	At            time.Time  `json:"at"`
	User          string     `json:"userPrincipalName"`
	App           string     `json:"appDisplayName"`
	CorrelationID string     `json:"correlationId"`
	Subject       string     `json:"subject"`      // of the certificate, as the log has it
	SerialNumber  string     `json:"serialNumber"` // hexadecimal; "" if the certificate is not known
	Authority     string     `json:"authority"`    // that issued it; "" if not known
	Checking      Checking   `json:"checking"`
	Revocation    Revocation `json:"revocation"`
	// RevokedAt, Reason and InvalidSince are those of the CRL's entry. InvalidSince is
	// when the key is believed to have been lost, which can be before RevokedAt.
	RevokedAt    time.Time            `json:"revokedAt,omitzero"`
	Reason       crl.RevocationReason `json:"reason,omitempty"`
	InvalidSince time.Time            `json:"invalidSince,omitzero"`
}

// Assess reads the sign-ins of a log, see [SignIns], and says who was let in between
// From and To, and with which certificates that are revoked.
//
// The error is the first one of signIns, that of [signin.Config.Compile], or [Malformed] for
// a Config whose method configuration is not known: it says whether CRLs are required.
func (o Outage) Assess(signIns iter.Seq2[SignIn, error]) (OutageReport, error) {
	r := OutageReport{From: o.From, To: o.To, CAs: []OutageCA{}, LetIn: []OutageSignIn{}, Refused: []Count{}, Foreign: []string{}}
	if o.Config.Lacks(dialect.Policy) {
		return r, &Error{Reason: Malformed, Detail: "the tenant lacks " + dialect.Policy + ", which says whether a CRL is required: add it"}
	}
	tenant, err := o.Config.Compile(signin.Options{})
	if err != nil {
		return r, &Error{Reason: Malformed, Detail: "the tenant cannot be read", Err: err}
	}
	store := tenant.Trust()
	lists := map[*trust.CA][]*crl.List{}
	matched := map[*crl.List]bool{}
	during := map[*trust.CA]OutageCA{}
	for _, ca := range store.CAs() {
		for _, l := range o.Lists {
			if l != nil && !l.IsDelta() && (crl.Set{Base: l}).Check(ca.Certificate, l.ThisUpdate) == nil {
				lists[ca], matched[l] = append(lists[ca], l), true
			}
		}
		slices.SortFunc(lists[ca], func(a, b *crl.List) int { return b.ThisUpdate.Compare(a.ThisUpdate) }) // the newest first
		if !ca.Certificate.NotAfter.Before(o.From) {                                                       // else it let nobody in
			during[ca] = o.during(ca, tenant.Policy(), lists[ca])
			r.CAs = append(r.CAs, during[ca])
		}
	}
	for _, l := range o.Lists {
		if l != nil && !matched[l] && !l.IsDelta() {
			r.Foreign = append(r.Foreign, l.Issuer())
		}
	}
	if signIns == nil {
		return r, nil
	}
	refused := tally{}
	for s, err := range signIns {
		if err != nil {
			return r, err
		}
		if s.At().Before(o.From) || s.At().After(o.To) {
			continue
		}
		switch s.Outcome {
		case Refused:
			refused.add(fmt.Sprintf("AADSTS%d", s.Code))
		case Succeeded:
			r.LetIn = append(r.LetIn, o.letIn(s, store, lists, during))
		}
	}
	r.Refused = refused.list()
	return r, nil
}

// during says how the certificates of a CA are checked while its CRL cannot be fetched.
func (o Outage) during(ca *trust.CA, p *policy.Policy, lists []*crl.List) OutageCA {
	is := OutageCA{Subject: dn.Show(ca.Certificate.RawSubject), CRL: ca.CRL, During: CachedCRL}
	for _, l := range lists {
		// One that had expired by then was cached no longer.
		if !l.ThisUpdate.After(o.From) && l.NextUpdate.After(o.From) && l.NextUpdate.After(is.CachedUntil) {
			is.CachedUntil = l.NextUpdate
		}
	}
	switch {
	case o.Config.Policy.CRLValidation.State == policy.Enabled && p.CRLExempt(ca.SKI):
		is.During = ExemptedCA
	case ca.CRL == "" && ca.DeltaCRL == "" && !p.CRLRequired():
		is.During = NotChecked
	case ca.CRL == "":
		is.During = Contradicted
	}
	return is
}

// letIn says what is known about a sign-in that succeeded.
func (o Outage) letIn(s SignIn, store *trust.Store, lists map[*trust.CA][]*crl.List, during map[*trust.CA]OutageCA) OutageSignIn {
	last := s.last()
	out := OutageSignIn{At: s.At(), User: s.UserPrincipalName(), App: last.AppDisplayName, CorrelationID: last.CorrelationID,
		Subject: s.Certificate.Subject, Checking: CANotKnown, Revocation: RevocationNotKnown}
	var cert *x509.Certificate
	if o.Certificate != nil {
		cert = o.Certificate(s)
	}
	if cert == nil {
		// Where all CAs are alike, it does not matter which it was.
		var all []Checking
		for _, ca := range during {
			if !slices.Contains(all, ca.During) {
				all = append(all, ca.During)
			}
		}
		if len(all) == 1 && !o.Config.Lacks(dialect.PKIs) && !o.Config.Lacks(dialect.Classic) {
			out.Checking = all[0]
		}
		return out
	}
	out.SerialNumber, out.Authority = cert.SerialNumber.Text(16), dn.Show(cert.RawIssuer)
	chain := store.Chain(cert, s.At())
	if len(chain.CAs) == 0 {
		return out
	}
	ca := chain.CAs[0]
	is, valid := during[ca]
	if out.Checking = is.During; !valid {
		out.Checking = Contradicted
	}
	if is.During == CachedCRL && !is.CachedUntil.IsZero() && s.At().After(is.CachedUntil) {
		out.Checking = Contradicted
	}
	for _, l := range lists[ca] {
		status := crl.Set{Base: l}.Status(cert)
		switch {
		case !status.OK() && status.State != crl.NotCovered:
			// An older CRL can have an entry that a newer one has dropped: the certificate
			// has expired, or a hold was ended.
			if out.RevokedAt.IsZero() || status.Entry.Time.Before(out.RevokedAt) {
				out.RevokedAt, out.Reason, out.InvalidSince = status.Entry.Time, status.Entry.Reason, status.Entry.InvalidityDate
			}
			if out.Revocation = RevokedThen; out.RevokedAt.After(s.At()) {
				out.Revocation = RevokedLater
			}
		case status.OK() && out.Revocation == RevocationNotKnown && !l.ThisUpdate.Before(s.At()):
			out.Revocation = NotRevoked
		}
	}
	return out
}
