package propose

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"example.com/entracba/cba"
	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/internal/fingerprint"
	"example.com/entracba/cba/policy"
)

// A User is a user of the list, with what certificates can be recognized by beside the
// properties that decide a sign-in.
type User struct {
	Account     policy.User
	Mail        string
	DisplayName string
	SID         cba.SID // of Active Directory; the zero SID is unknown
	// Synced says that the account comes from Active Directory: its ids are written by
	// Entra Connect only.
	Synced bool
}

// ParseUser reads a user as Graph writes one, with the properties mail, displayName,
// onPremisesSecurityIdentifier and onPremisesSyncEnabled beside those of
// [policy.ParseUser], whose error it returns.
func ParseUser(data []byte) (User, error) {
	user, err := policy.ParseUser(data)
	if err != nil {
		return User{}, err
	}
	var more struct {
		Mail        string  `json:"mail"`
		DisplayName string  `json:"displayName"`
		SID         cba.SID `json:"onPremisesSecurityIdentifier"`
		Synced      bool    `json:"onPremisesSyncEnabled"`
	}
	if err := json.Unmarshal(data, &more); err != nil {
		return User{}, &policy.Error{Reason: policy.WrongType, Err: err}
	}
	return User{user, more.Mail, more.DisplayName, more.SID, more.Synced}, nil
}

// A Status says what becomes of a user.
type Status string

const (
	// Reached: the user would be signed in.
	Reached Status = "reached"
	// NoCertificate: no certificate has a name of the user.
	NoCertificate Status = "no-certificate"
	// Perhaps: a certificate may be the user's and has another name; a question asks.
	Perhaps Status = "perhaps"
	// Refused: the user has a certificate, and the sign-in would be refused.
	Refused Status = "refused"
	// NotKnown: the user has a certificate, and the outcome cannot be told.
	NotKnown Status = "not-known"
)

// A Person is what the proposal means to a user.
type Person struct {
	UserPrincipalName string `json:"userPrincipalName"`
	Status            Status `json:"status"`
	// Certificates are the subjects of the certificates that are taken to be the
	// user's, By is why: "UPN", "on-premises UPN", "e-mail", "SID" or "stored id"; or
	// "answer" or "domain", for those of [Options].
	Certificates []string `json:"certificates"`
	By           string   `json:"by,omitempty"`
	// Store are the ids to store, Stored those that are there already.
	Store  []certuserid.ID `json:"store"`
	Stored []string        `json:"stored,omitempty"`
	// Over are the ids that could not be stored beside those of the account and of Store:
	// it would have more than [certuserid.MaxValues]. A question asks what to remove.
	Over []certuserid.ID `json:"over,omitempty"`
	// Synced: Store has to be written through Entra Connect.
	Synced bool `json:"synced,omitempty"`
	// Mode is the authentication mode of a user who is reached.
	Mode policy.AuthenticationMode `json:"authenticationMode,omitempty"`
	// Code and Why say why a user is not.
	Code string `json:"code,omitempty"`
	Why  string `json:"why,omitempty"`
	// NotAfter is when the last of the user's certificates expires.
	NotAfter time.Time `json:"notAfter,omitzero"`
}

// A Stray is a certificate that no user was found for.
type Stray struct {
	Subject      string `json:"subject"`
	Issuer       string `json:"issuer"`
	SerialNumber string `json:"serialNumber"` // hexadecimal
	Why          string `json:"why"`
}

// A person is a user while the proposal is made.
type person struct {
	user    User
	leaves  []*leaf
	by      string
	perhaps []*leaf
	guess   string
	ids     []certuserid.ID
	stored  []string
	over    []certuserid.ID // ids that the account has no room for
	shares  string          // an id that another user's certificate has, too
}

// attribute finds out whose the certificates are. Only a name that is the user's own
// counts; names that look alike lead to a question.
func (w *work) attribute(users []User) {
	byName := map[string][]*person{} // "UPN jane@contoso.com"
	alike := map[string][]*person{}  // what is in front of the @, and display names
	add := func(index map[string][]*person, key string, p *person) {
		if !slices.Contains(index[key], p) {
			index[key] = append(index[key], p)
		}
	}
	for _, u := range users {
		p := &person{user: u}
		w.people = append(w.people, p)
		for _, name := range []struct{ by, value string }{{"UPN", u.Account.UserPrincipalName}, {"on-premises UPN", u.Account.OnPremisesUserPrincipalName}, {"e-mail", u.Mail}} {
			if name.value == "" {
				continue
			}
			add(byName, name.by+" "+strings.ToLower(name.value), p)
			local, _, _ := strings.Cut(strings.ToLower(name.value), "@")
			add(alike, local, p)
		}
		if !u.SID.IsZero() {
			add(byName, "SID "+u.SID.String(), p)
		}
		if u.DisplayName != "" {
			add(alike, strings.ToLower(u.DisplayName), p)
		}
		for _, id := range u.Account.AuthorizationInfo.CertificateUserIDs {
			add(byName, "stored id "+strings.ToLower(id), p)
		}
	}
	for _, l := range w.leaves {
		names, err := cba.NamesOf(l.cert)
		if err != nil {
			w.stray(l, "its subjectAltName cannot be read")
			continue
		}
		owners := map[*person]string{}
		take := func(key, by string) {
			for _, p := range byName[key] {
				if owners[p] == "" {
					owners[p] = by
				}
			}
		}
		for _, id := range l.values.All() {
			take("stored id "+strings.ToLower(id.String()), "stored id")
		}
		if owner, ok := lookup(w.options.Owners, fingerprint.Of(l.cert.Raw)); ok {
			take("UPN "+strings.ToLower(owner), "answer")
		}
		for _, name := range slices.Concat(names.UPNs, names.Emails) {
			local, domain, _ := strings.Cut(strings.ToLower(name), "@")
			if users, ok := lookup(w.options.Domains, domain); ok && domain != "" {
				take("UPN "+local+"@"+strings.ToLower(users), "domain")
			}
		}
		for _, upn := range names.UPNs {
			take("UPN "+strings.ToLower(upn), "UPN")
			take("on-premises UPN "+strings.ToLower(upn), "on-premises UPN")
		}
		for _, mail := range names.Emails {
			for _, by := range []string{"UPN", "on-premises UPN", "e-mail"} {
				take(by+" "+strings.ToLower(mail), "e-mail")
			}
		}
		if sid := names.SID(); !sid.IsZero() {
			take("SID "+sid.String(), "SID")
		}
		switch len(owners) {
		case 1:
			for p, by := range owners {
				p.leaves, l.owner = append(p.leaves, l), p
				if p.by == "" {
					p.by = by
				}
			}
		case 0:
			w.guess(l, names, alike)
		default:
			var upns []string
			for p := range owners {
				upns = append(upns, p.user.Account.UserPrincipalName)
			}
			slices.Sort(upns)
			w.stray(l, "its names are those of "+strings.Join(upns, " and "))
			w.question("person", nil, "Whose is the certificate of %s, issued by %s? Its names are those of %s.", l.name(), dn.Show(l.cert.RawIssuer), strings.Join(upns, " and "))
		}
	}
}

// lookup is a map's value for a key in any letter case; of several, the first in order.
func lookup(m map[string]string, key string) (string, bool) {
	if v, ok := m[key]; ok {
		return v, true
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if strings.EqualFold(k, key) {
			return m[k], true
		}
	}
	return "", false
}

// guess looks for the one user whose name looks like that of a certificate.
func (w *work) guess(l *leaf, names cba.Names, alike map[string][]*person) {
	if l.unusable != "" {
		w.stray(l, l.unusable)
		return
	}
	var found []*person
	how := ""
	try := func(key, text string) {
		for _, p := range alike[strings.ToLower(key)] {
			if !slices.Contains(found, p) {
				found, how = append(found, p), text
			}
		}
	}
	for _, name := range slices.Concat(names.UPNs, names.Emails) {
		local, domain, _ := strings.Cut(name, "@")
		try(local, name)
		if len(found) == 1 && l.domain == "" {
			if user, userDomain, _ := strings.Cut(found[0].user.Account.UserPrincipalName, "@"); strings.EqualFold(user, local) {
				how, l.domain, l.userDomain = name, strings.ToLower(domain), strings.ToLower(userDomain)
			}
		}
	}
	if len(found) == 0 {
		try(l.cert.Subject.CommonName, "its common name alone is like the user's name")
	}
	if len(found) == 1 {
		p := found[0]
		p.perhaps, l.guessed = append(p.perhaps, l), true
		p.guess = how
	}
	switch all := slices.Concat(names.UPNs, names.Emails); {
	case len(all) > 0:
		w.stray(l, "no user of the list has the name "+strings.Join(all, " or "))
	case len(names.Ignored) > 0:
		w.stray(l, "it has neither a UPN nor an e-mail address, only names that Entra does not read: "+names.Ignored[0].Kind)
	default:
		w.stray(l, "it has neither a UPN nor an e-mail address")
	}
}

func (w *work) stray(l *leaf, why string) {
	w.proposal.Strays = append(w.proposal.Strays, Stray{Subject: dn.Show(l.cert.RawSubject), Issuer: dn.Show(l.cert.RawIssuer), SerialNumber: l.cert.SerialNumber.Text(16), Why: why})
}

// name names a certificate for people.
func (l *leaf) name() string {
	if subject := dn.Show(l.cert.RawSubject); subject != "" {
		return subject
	}
	return "serial number " + l.cert.SerialNumber.Text(16)
}

// store adds an id of one of the person's certificates, unless it is stored already.
func (p *person) store(id certuserid.ID, l *leaf) {
	for _, stored := range p.user.Account.AuthorizationInfo.CertificateUserIDs {
		if l.values.Fit(id.Mapping(), stored) != certuserid.Unfit {
			p.stored = append(p.stored, stored)
			return
		}
	}
	switch {
	case slices.Contains(p.ids, id):
	case len(p.user.Account.AuthorizationInfo.CertificateUserIDs)+len(p.ids) >= certuserid.MaxValues:
		p.over = append(p.over, id)
	default:
		p.ids = append(p.ids, id)
	}
}

// lacks is a CA that none of the person's certificates can do without.
func (p *person) lacks() string {
	for _, l := range p.leaves {
		if l.lacks == "" {
			return ""
		}
	}
	return p.leaves[0].lacks
}

// unusable is why no client presents any of the person's certificates.
func (p *person) unusable() string {
	for _, l := range p.leaves {
		if l.unusable == "" {
			return ""
		}
	}
	return p.leaves[0].unusable
}

// after is the user with the ids.
func (p *person) after() policy.User {
	u := p.user.Account
	ids := slices.Clone(u.AuthorizationInfo.CertificateUserIDs)
	for _, id := range p.ids {
		ids = append(ids, id.String())
	}
	u.AuthorizationInfo.CertificateUserIDs = ids
	u.Missing = slices.DeleteFunc(slices.Clone(u.Missing), func(m policy.UserProperty) bool { return m == policy.CertificateUserIDs })
	return u
}

// result is what is known before the sign-in is decided.
func (p *person) result() Person {
	out := Person{UserPrincipalName: p.user.Account.UserPrincipalName, Status: NoCertificate, Certificates: []string{}, By: p.by, Store: append([]certuserid.ID{}, p.ids...), Stored: p.stored, Over: p.over, Synced: p.user.Synced}
	for _, l := range p.leaves {
		out.Certificates = append(out.Certificates, l.name())
		if l.cert.NotAfter.After(out.NotAfter) {
			out.NotAfter = l.cert.NotAfter
		}
	}
	switch {
	case len(p.leaves) > 0:
	case len(p.perhaps) > 0:
		out.Status, out.Why = Perhaps, "the certificate of "+p.perhaps[0].name()+" may be the user's, but has another name: "+p.guess
	default:
		out.Why = "no certificate has the user's UPN, e-mail address or SID"
	}
	return out
}

// keyBits are the bits of the public key in a SubjectPublicKeyInfo.
func keyBits(spki []byte) []byte {
	input := cryptobyte.String(spki)
	var body, algorithm cryptobyte.String
	var bits []byte
	if !input.ReadASN1(&body, asn1.SEQUENCE) || !body.ReadASN1(&algorithm, asn1.SEQUENCE) || !body.ReadASN1BitStringAsBytes(&bits) {
		return nil
	}
	return bits
}
