package lifecycle

import (
	"encoding/json"
	"fmt"
	"math/big"
	"net/url"
	"slices"
	"time"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/internal/enum"
	"example.com/entracba/cba/internal/text"
	"example.com/entracba/cba/keyid"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/snapshot"
)

// A Leaving is the plan for somebody who leaves. Carry out the actions in their
// order; if one fails, go on with the next.
type Leaving struct {
	User     string        `json:"user"`
	Actions  []Action      `json:"actions"`
	Findings lint.Findings `json:"findings"`
}

// Edit returns the change of certificateUserIds that the plan contains, for
// graph.Client.PlanUsers. It is empty if the account has no values.
func (l Leaving) Edit() snapshot.Edit {
	e := snapshot.Edit{User: l.User}
	for _, a := range l.Actions {
		if a.Change != nil {
			e.Remove, e.Add = append(e.Remove, a.Change.Remove...), append(e.Add, a.Change.Add...)
		}
	}
	return e
}

// A Kind says what an action does. The zero value is unset.
type Kind uint8

const (
	// BlockSignIn disables the account: see Request.
	BlockSignIn Kind = iota + 1
	// RevokeSessions ends the sessions that exist: see Request.
	RevokeSessions
	// DisableDevices concerns every device that the account has registered:
	// Request lists them.
	DisableDevices
	// RevokeCertificates adds certificates of one CA to its CRL: see Revocations.
	RevokeCertificates
	// PublishDelta publishes a delta CRL of one CA, or a base CRL if the tenant has
	// no URL for delta CRLs.
	PublishDelta
	// RemoveIDs removes certificateUserIds: see Change.
	RemoveIDs
	// DisableOnPremises is done in Active Directory.
	DisableOnPremises
	// RemoveCertificates removes certificates and keys from devices.
	RemoveCertificates
	// DestroyCopies concerns PFX files and their passwords.
	DestroyCopies
)

var kinds = enum.Of[Kind]("lifecycle: action", "block-sign-in", "revoke-sessions", "disable-devices", "revoke-certificates", "publish-delta",
	"remove-ids", "disable-on-premises", "remove-certificates", "destroy-copies")

// String returns the kind in lower case, "block-sign-in".
func (k Kind) String() string { return kinds.String(k) }

// MarshalText writes the text of [Kind.String].
func (k Kind) MarshalText() ([]byte, error) { return kinds.Marshal(k) }

// UnmarshalText reads what MarshalText wrote.
func (k *Kind) UnmarshalText(text []byte) error { return kinds.Unmarshal(k, text) }

// An Action is one thing to do. Kind says which of the fields after Source it has.
type Action struct {
	Kind   Kind        `json:"kind"`
	What   string      `json:"what"` // for people
	Source lint.Source `json:"source"`

	Request *Request `json:"request,omitempty"`
	// Authority is the CA whose certificates are revoked or whose CRL is published.
	Authority   *Authority   `json:"authority,omitempty"`
	Revocations []Revocation `json:"revocations,omitempty"`
	Change      *Step        `json:"change,omitempty"`
}

// A Request is a call of Microsoft Graph v1.0. The path is escaped and begins after
// "/v1.0". Prefer an account's object ID: Graph reads a path with a user principal
// name that begins with "$" differently (Graph, Get a user).
type Request struct {
	Method string          `json:"method"`
	Path   string          `json:"path"`
	Body   json.RawMessage `json:"body,omitempty"`
}

// An Authority is a CA, as the certificates that it issued name it.
type Authority struct {
	Name  string   `json:"name"`            // RFC 4514
	KeyID keyid.ID `json:"keyId,omitempty"` // its subject key identifier
}

// A Revocation is a [crl.Revocation] in the form in which a plan stores it.
type Revocation struct {
	Serial  string               `json:"serialNumber"` // hexadecimal, as OpenSSL prints it
	Time    time.Time            `json:"revocationTime"`
	Reason  crl.RevocationReason `json:"reason"`
	Expires time.Time            `json:"expires"`
}

// CRL returns the revocation for publish.Issuer.Revoke. The error is [BadSerial].
func (r Revocation) CRL() (crl.Revocation, error) {
	serial, ok := new(big.Int).SetString(r.Serial, 16)
	if !ok || serial.Sign() < 0 {
		return crl.Revocation{}, &Error{Reason: BadSerial, What: "serial number " + text.Quote(r.Serial) + " is not hexadecimal"}
	}
	return crl.Revocation{Serial: serial, Time: r.Time, Reason: r.Reason, Expires: r.Expires}, nil
}

// LeavingOptions are the options of [PlanLeaving]. The zero value works.
type LeavingOptions struct {
	// Reason is why the certificates are revoked. Zero means
	// [crl.AffiliationChanged]; use [crl.KeyCompromise] if somebody else may have the
	// key. [crl.CertificateHold] is refused, because a hold can be lifted.
	Reason crl.RevocationReason
	// IDs chooses between forms of the values.
	IDs certuserid.Options
}

// PlanLeaving plans what keeps out a person who leaves at a time: disable the
// account, end its sessions, disable its devices, revoke every certificate that is
// still valid and publish a delta CRL of each CA, remove all certificateUserIds, and
// clean up. held are all certificates that the person has.
//
// Only disabling the account works at once. Entra uses the CRL that it has until
// that CRL expires (Learn, "CBA certificate revocation list"), so revocation takes
// effect later, and has no effect if the CA has no CRL URL in Entra.
//
// The error is [NoUser], [NoTime], [NoCertificate] or [WrongReason].
func PlanLeaving(account Account, held []HeldCertificate, at time.Time, o LeavingOptions) (Leaving, error) {
	if err := check(account, held, at); err != nil {
		return Leaving{}, err
	}
	if o.Reason == 0 {
		o.Reason = crl.AffiliationChanged
	}
	if _, err := o.Reason.MarshalText(); err != nil || o.Reason == crl.RemoveFromCRL || o.Reason == crl.CertificateHold {
		return Leaving{}, &Error{Reason: WrongReason, What: fmt.Sprintf("the reason %v is not possible for somebody who leaves", o.Reason)}
	}
	p := leavingPlan{account: account, held: held, at: at.UTC().Truncate(time.Second), options: o, plan: Leaving{User: account.User}}
	p.signIn()
	p.certificates()
	p.ids()
	p.cleanUp()
	return p.plan, nil
}

// A leavingPlan is a plan being made.
type leavingPlan struct {
	account Account
	held    []HeldCertificate
	at      time.Time
	options LeavingOptions
	plan    Leaving
}

func (p *leavingPlan) add(r lint.Rule, where, format string, args ...any) {
	p.plan.Findings = append(p.plan.Findings, r.At(where, "", format, args...))
}

func (p *leavingPlan) addSerial(r lint.Rule, serial, format string, args ...any) {
	p.plan.Findings = append(p.plan.Findings, r.At(serial, "certificate "+serial, format, args...))
}

func (p *leavingPlan) do(a Action) { p.plan.Actions = append(p.plan.Actions, a) }

func (p *leavingPlan) signIn() {
	user := "/users/" + url.PathEscape(p.account.User)
	if p.account.Synced {
		p.add(leavingSynced, p.account.User, "")
		p.do(Action{Kind: DisableOnPremises, Source: lint.RevokeUser,
			What: "disable the account in Active Directory, reset its password twice, and clear altSecurityIdentities"})
	}
	p.do(Action{Kind: BlockSignIn, Source: lint.RevokeUser, What: "disable the account",
		Request: &Request{"PATCH", user, json.RawMessage(`{"accountEnabled":false}`)}})
	p.do(Action{Kind: RevokeSessions, Source: lint.GraphRevokeSignIns,
		What:    "revoke the sessions; access tokens already issued remain valid until they expire",
		Request: &Request{"POST", user + "/revokeSignInSessions", nil}})
	p.do(Action{Kind: DisableDevices, Source: lint.RevokeUser,
		What:    "disable each of these devices that belongs to the person",
		Request: &Request{"GET", user + "/registeredDevices", nil}})
}

// certificates plans one revocation and one CRL for each CA.
func (p *leavingPlan) certificates() {
	if len(p.held) == 0 {
		p.add(leavingNone, p.account.User, "")
	}
	var authorities []Authority
	revocations := map[Authority][]Revocation{}
	for _, h := range p.held {
		c := h.Certificate
		serial := fmt.Sprintf("%x", c.SerialNumber)
		switch {
		case !h.Revoked.IsZero() && !h.Revoked.After(p.at):
			p.addSerial(leavingRevoked, serial, "was revoked on %s", text.Time(h.Revoked))
			continue
		case p.at.After(c.NotAfter):
			p.addSerial(leavingExpired, serial, "expired on %s", text.Time(c.NotAfter))
			continue
		}
		authority := Authority{Name: dn.Show(c.RawIssuer), KeyID: keyid.Of(c.AuthorityKeyId)}
		if authority.KeyID == "" {
			p.addSerial(leavingNoKeyID, serial, "has no authority key identifier")
		}
		r := Revocation{Serial: serial, Time: p.at, Reason: p.options.Reason, Expires: c.NotAfter.UTC()}
		if slices.Contains(revocations[authority], r) {
			continue // the same certificate twice
		}
		authorities = appendNew(authorities, authority)
		revocations[authority] = append(revocations[authority], r)
	}
	for _, a := range authorities {
		p.do(Action{Kind: RevokeCertificates, Source: lint.Revocation, Authority: &a, Revocations: revocations[a],
			What: "revoke the certificates that " + a.Name + " issued to the person"})
	}
	for _, a := range authorities {
		p.do(Action{Kind: PublishDelta, Source: lint.Revocation, Authority: &a,
			What: "publish a delta CRL of " + a.Name + ", or a base CRL if the tenant has no URL for delta CRLs; Entra reads it when the CRL that it has expires"})
	}
}

// ids plans to remove every value.
func (p *leavingPlan) ids() {
	values := p.account.IDs.Values()
	if len(values) == 0 {
		return
	}
	known := make([]*certuserid.Values, len(p.held))
	for i, h := range p.held {
		known[i] = p.options.IDs.Values(h.Certificate)
	}
	for _, value := range values {
		if !slices.ContainsFunc(known, func(v *certuserid.Values) bool { _, ok := fits(v, value); return ok }) {
			p.add(leavingUnknown, value, "")
		}
	}
	what := "remove the certificateUserIds: read the account's values, apply the change, and write back the rest"
	if p.account.Synced {
		what = "check that Microsoft Entra Connect has removed the certificateUserIds"
	}
	p.do(Action{Kind: RemoveIDs, Source: lint.UserIDs, Change: &Step{NotBefore: p.at, Remove: values}, What: what})
}

func (p *leavingPlan) cleanUp() {
	p.do(Action{Kind: RemoveCertificates, Source: lint.IntuneRemove,
		What: "remove the certificates from the devices: unassign the profile, retire or wipe managed devices, collect cards"})
	p.do(Action{Kind: DestroyCopies, Source: lint.SP80057 + " section 8.3.4",
		What: "destroy the PFX files and their passwords, wherever they were stored or sent"})
}
