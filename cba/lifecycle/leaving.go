package lifecycle

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"slices"
	"time"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/lint"
)

// A Leaving is the plan for somebody who leaves. Do the actions in their order; an
// action that fails is no reason to leave out the next.
type Leaving struct {
	User     string        `json:"user"`
	Actions  []Action      `json:"actions"`
	Findings lint.Findings `json:"findings"`
}

// A Kind is what an action is. The zero value is unset.
type Kind uint8

const (
	// BlockSignIn disables the account: a Request.
	BlockSignIn Kind = iota + 1
	// RevokeSessions ends what was signed in before: a Request.
	RevokeSessions
	// DisableDevices is for every device that the account has registered: the
	// Request lists them.
	DisableDevices
	// RevokeCertificates puts certificates of one authority on its list:
	// Revocations.
	RevokeCertificates
	// PublishDelta publishes a delta list of one authority, or a base list where
	// the tenant has no URL for delta lists.
	PublishDelta
	// RemoveIDs removes certificateUserIds: a Change.
	RemoveIDs
	// DisableOnPremises is done in Active Directory.
	DisableOnPremises
	// RemoveCertificates takes certificates and keys off the devices.
	RemoveCertificates
	// DestroyCopies is about PFX files and their passwords.
	DestroyCopies
	lastKind = DestroyCopies
)

// String returns the kind in lower case, "block-sign-in".
func (k Kind) String() string {
	switch k {
	case BlockSignIn:
		return "block-sign-in"
	case RevokeSessions:
		return "revoke-sessions"
	case DisableDevices:
		return "disable-devices"
	case RevokeCertificates:
		return "revoke-certificates"
	case PublishDelta:
		return "publish-delta"
	case RemoveIDs:
		return "remove-ids"
	case DisableOnPremises:
		return "disable-on-premises"
	case RemoveCertificates:
		return "remove-certificates"
	case DestroyCopies:
		return "destroy-copies"
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// MarshalText writes the text of [Kind.String].
func (k Kind) MarshalText() ([]byte, error) {
	if k < 1 || k > lastKind {
		return nil, fmt.Errorf("lifecycle: %v has no text", k)
	}
	return []byte(k.String()), nil
}

// UnmarshalText reads what MarshalText wrote.
func (k *Kind) UnmarshalText(text []byte) error {
	for v := Kind(1); v <= lastKind; v++ {
		if v.String() == string(text) {
			*k = v
			return nil
		}
	}
	return fmt.Errorf("lifecycle: %q is no kind of action", text)
}

// An Action is one thing to do. Kind says which of the fields behind What it has.
type Action struct {
	Kind   Kind   `json:"kind"`
	What   string `json:"what"`   // for people
	Source string `json:"source"` // the document that says so

	Request *Request `json:"request,omitempty"`
	// Authority is the authority whose certificates are revoked and whose list is
	// published.
	Authority   *Authority   `json:"authority,omitempty"`
	Revocations []Revocation `json:"revocations,omitempty"`
	Change      *Step        `json:"change,omitempty"`
}

// A Request is a call of Microsoft Graph v1.0. The path is escaped and begins
// behind "/v1.0". Give an [Account] its object ID: a path with a user principal
// name that begins with "$" is read otherwise (Learn: Graph, Get a user).
type Request struct {
	Method string          `json:"method"`
	Path   string          `json:"path"`
	Body   json.RawMessage `json:"body,omitempty"`
}

// An Authority is a CA as the certificates that it issued name it.
type Authority struct {
	Name  string `json:"name"`            // RFC 4514
	KeyID string `json:"keyId,omitempty"` // its subject key identifier in hexadecimal
}

// A Revocation is the form in which a plan holds a [crl.Revocation].
type Revocation struct {
	Serial  string               `json:"serialNumber"` // hexadecimal, as OpenSSL shows it
	Time    time.Time            `json:"revocationTime"`
	Reason  crl.RevocationReason `json:"reason"`
	Expires time.Time            `json:"expires"`
}

// CRL returns what [publish.Issuer.Revoke] takes. The error says that the serial
// number is no hexadecimal number.
func (r Revocation) CRL() (crl.Revocation, error) {
	serial, ok := new(big.Int).SetString(r.Serial, 16)
	if !ok || serial.Sign() < 0 {
		return crl.Revocation{}, fmt.Errorf("lifecycle: serial number: not hexadecimal: %.100q", r.Serial)
	}
	return crl.Revocation{Serial: serial, Time: r.Time, Reason: r.Reason, Expires: r.Expires}, nil
}

// LeavingOptions choose what a plan leaves open. The zero value works.
type LeavingOptions struct {
	// Reason is why the certificates are revoked. Zero means
	// [crl.AffiliationChanged]; use [crl.KeyCompromise] if the key may be in other
	// hands. A certificate on hold is not revoked for good: [crl.CertificateHold]
	// is refused.
	Reason crl.RevocationReason
	// IDs chooses between the forms of the values.
	IDs certuserid.Options
}

var (
	leavingNone    = rule{"leaving-no-certificates", lint.Warning, lint.LetsIn, "look for the certificates in the authority's records: only what is on the list can be revoked", fromCRL}
	leavingExpired = rule{"leaving-expired", lint.Info, 0, "", fromRFC}
	leavingRevoked = rule{"leaving-revoked", lint.Info, 0, "", fromRFC}
	leavingUnknown = rule{"leaving-unknown-value", lint.Warning, lint.LetsIn, "find the certificate that it names and revoke it: the value goes, the certificate stays good", fromUserIDs}
	leavingSynced  = rule{"leaving-synced", lint.Warning, lint.LetsIn, "do it in Active Directory too: Microsoft Entra Connect brings back what was changed in Entra alone, and Graph cannot write the values", fromUserIDs}
	leavingNoKeyID = rule{"leaving-no-key-identifier", lint.Warning, lint.LetsIn, "tell the authority by its name: the certificate does not say which key signed it", fromCRL}
)

// PlanLeaving plans what keeps a person out who leaves at a time: block the
// account, end its sessions, disable its devices, revoke every certificate that is
// still good and publish a delta list of each authority, remove all
// certificateUserIds, and clean up. held are all certificates that the person has.
//
// Blocking the account is what works at once. Entra goes on with the revocation
// list that it has until that ends (Learn: CBA certificate revocation list), so
// revoking alone keeps nobody out at first, and without a URL for lists never.
//
// The error says what of the input is missing, or that the reason is none for
// somebody who leaves.
func PlanLeaving(account Account, held []Held, at time.Time, o LeavingOptions) (Leaving, error) {
	if err := check(account, held, at); err != nil {
		return Leaving{}, err
	}
	if o.Reason == 0 {
		o.Reason = crl.AffiliationChanged
	}
	if _, err := o.Reason.MarshalText(); err != nil || o.Reason == crl.RemoveFromCRL || o.Reason == crl.CertificateHold {
		return Leaving{}, errors.New("lifecycle: nobody leaves with the reason " + o.Reason.String())
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
	held    []Held
	at      time.Time
	options LeavingOptions
	plan    Leaving
}

func (p *leavingPlan) add(r rule, where, format string, args ...any) {
	p.plan.Findings = append(p.plan.Findings, r.finding(where, format, args...))
}

func (p *leavingPlan) do(a Action) { p.plan.Actions = append(p.plan.Actions, a) }

func (p *leavingPlan) signIn() {
	user := "/users/" + url.PathEscape(p.account.User)
	if p.account.Synced {
		p.add(leavingSynced, p.account.User, "is synchronised from Active Directory")
		p.do(Action{Kind: DisableOnPremises, Source: fromAccess,
			What: "disable the account in Active Directory, reset its password twice, and empty altSecurityIdentities"})
	}
	p.do(Action{Kind: BlockSignIn, Source: fromAccess, What: "disable the account",
		Request: &Request{"PATCH", user, json.RawMessage(`{"accountEnabled":false}`)}})
	p.do(Action{Kind: RevokeSessions, Source: fromSessions,
		What:    "revoke the sessions; tokens that were handed out hold until they end",
		Request: &Request{"POST", user + "/revokeSignInSessions", nil}})
	p.do(Action{Kind: DisableDevices, Source: fromAccess,
		What:    "disable each of these devices that is the person's own",
		Request: &Request{"GET", user + "/registeredDevices", nil}})
}

// certificates plans one revocation and one list for each authority.
func (p *leavingPlan) certificates() {
	if len(p.held) == 0 {
		p.add(leavingNone, p.account.User, "has no certificates that are known")
	}
	var authorities []Authority
	revocations := map[Authority][]Revocation{}
	for _, h := range p.held {
		c := h.Certificate
		serial := fmt.Sprintf("%x", c.SerialNumber)
		switch {
		case !h.Revoked.IsZero() && !h.Revoked.After(p.at):
			p.add(leavingRevoked, serial, "is revoked since %s", showTime(h.Revoked))
			continue
		case p.at.After(c.NotAfter):
			p.add(leavingExpired, serial, "has expired on %s", showTime(c.NotAfter))
			continue
		}
		name, err := dn.ParseDER(c.RawIssuer)
		authority := Authority{Name: name.String(), KeyID: hex.EncodeToString(c.AuthorityKeyId)}
		if err != nil { // crypto/x509 would not have parsed it
			authority.Name = c.Issuer.String()
		}
		if authority.KeyID == "" {
			p.add(leavingNoKeyID, serial, "has no authority key identifier")
		}
		r := Revocation{Serial: serial, Time: p.at, Reason: p.options.Reason, Expires: c.NotAfter.UTC()}
		if slices.Contains(revocations[authority], r) {
			continue // the same certificate twice
		}
		authorities = appendNew(authorities, authority)
		revocations[authority] = append(revocations[authority], r)
	}
	for _, a := range authorities {
		p.do(Action{Kind: RevokeCertificates, Source: fromCRL, Authority: &a, Revocations: revocations[a],
			What: "revoke what " + a.Name + " has issued to the person"})
	}
	for _, a := range authorities {
		p.do(Action{Kind: PublishDelta, Source: fromCRL, Authority: &a,
			What: "publish a delta list of " + a.Name + ", or a base list if the tenant has no URL for delta lists; Entra reads it when the list that it has ends"})
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
			p.add(leavingUnknown, value, "fits none of the certificates")
		}
	}
	what := "remove the certificateUserIds: read the account's, apply the change, write all that is left back"
	if p.account.Synced {
		what = "see that Microsoft Entra Connect has removed the certificateUserIds"
	}
	p.do(Action{Kind: RemoveIDs, Source: fromUserIDs, Change: &Step{NotBefore: p.at, Remove: values}, What: what})
}

func (p *leavingPlan) cleanUp() {
	p.do(Action{Kind: RemoveCertificates, Source: fromIntune,
		What: "take the certificates off the devices: withdraw the profile, retire or wipe what is managed, take back cards"})
	p.do(Action{Kind: DestroyCopies, Source: fromNIST,
		What: "destroy the PFX files and their passwords, wherever they were kept or sent"})
}
