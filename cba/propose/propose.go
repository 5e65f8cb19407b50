package propose

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/internal/fingerprint"
	"example.com/entracba/cba/internal/text"
	"example.com/entracba/cba/keyid"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
	"example.com/entracba/cba/trust"
)

// Options choose what is proposed. The zero value asks every question and fetches no
// CRL.
type Options struct {
	// PKI is the display name of the PKI that is proposed; "" is "PKI".
	PKI string
	// Groups are the object ids of the groups for which the method is enabled. Without
	// any it is enabled for nobody, and a question is asked.
	Groups []string
	// Rules are the authentication binding rules that a person answered for: which
	// issuers or policy OIDs stand for keys in hardware with a PIN.
	Rules []policy.Rule
	// Owners are the users whose certificates a person recognized, by the thumbprint of
	// the certificate, and Domains the domains of certificates' names that stand for a
	// domain of users: "contoso.local" for "contoso.com". Letter case does not matter.
	Owners, Domains map[string]string
	// CRLs is where CRLs are fetched from, to see whether the service can. Nil fetches
	// none, and nothing is said about them.
	CRLs crl.Source
	// Now is the time of the sign-ins. Nil means time.Now.
	Now func() time.Time
}

// A Proposal is what the certificates and users lead to.
type Proposal struct {
	// Config is the proposed tenant. It says nothing about the classic store.
	Config signin.Config `json:"-"`
	// Users are the users as they would be with Store written, with the certificates
	// that are taken to be theirs, for [signin.Compare].
	Users []signin.Case `json:"-"`
	// CAs are those that the users' certificates lead to, in the order in which they are
	// to be uploaded: roots first.
	CAs []CA `json:"cas"`
	// Missing are the CAs that certificates name and that are not at hand. Users below
	// them cannot sign in.
	Missing []MissingCA `json:"missing"`
	// Bindings are all username bindings that would reach somebody, the proposed one
	// first: the highest affinity, then the most people.
	Bindings []Binding `json:"bindings"`
	// People are the users, in the order of the list.
	People []Person `json:"people"`
	// Strays are the certificates that no user was found for.
	Strays []Stray `json:"strays"`
	// Questions are what only a person can answer.
	Questions []Question `json:"questions"`
}

// Reached returns how many people would be signed in.
func (p Proposal) Reached() int {
	n := 0
	for _, person := range p.People {
		if person.Status == Reached {
			n++
		}
	}
	return n
}

// A CA is a certificate authority that is proposed for the trust store.
type CA struct {
	Subject    string              `json:"subject"` // CN first
	Type       trust.AuthorityType `json:"type"`
	Thumbprint string              `json:"thumbprint"`
	NotAfter   time.Time           `json:"notAfter"`
	// Issued is how many of the users' certificates it issued itself.
	Issued int `json:"issued"`
	// CRL is the URL of its CRL, "" if no certificate that it issued names one that the
	// service can use; Note then says what they name.
	CRL  string `json:"crl"`
	Note string `json:"note,omitempty"`
	// Proposed is false for a CA that is of no use yet, because one above it is missing or
	// because none of its certificates is known to be a user's; Note says which. CAs that
	// only certificates of nobody lead to are left out.
	Proposed bool `json:"proposed"`
	// CRLState is "usable", or what is wrong with the CRL; "" if it was not fetched.
	CRLState string `json:"crlState,omitempty"`
}

// A MissingCA is a CA that certificates name as their issuer.
type MissingCA struct {
	Subject string `json:"subject"`
	// KeyID is the authority key identifier of what it issued: the CA's own subject key
	// identifier.
	KeyID keyid.ID `json:"keyId,omitempty"`
	// Above is the CA at hand that it issued, "" if it issued users' certificates.
	Above string `json:"above,omitempty"`
	// Certificates is how many users' certificates lead to it.
	Certificates int `json:"certificates"`
	// URLs is where the certificates say that it can be downloaded.
	URLs []string `json:"urls,omitempty"`
}

// A Binding is a username binding that could be used.
type Binding struct {
	Field    certuserid.Mapping  `json:"x509CertificateField"`
	Property policy.UserProperty `json:"userProperty"`
	Affinity certuserid.Affinity `json:"affinity"`
	// People is how many it reaches, with their ids stored.
	People int `json:"people"`
	// Store is for how many of them an id has to be stored first.
	Store    int    `json:"store"`
	Proposed bool   `json:"proposed"`
	Note     string `json:"note,omitempty"`
}

// A Question is one that no certificate answers.
type Question struct {
	// Topic is "group", "CRL", "hardware", "person", "domain", "key identifiers",
	// "ids" or "CA".
	Topic string `json:"topic"`
	Text  string `json:"text"`
	// What to set in [Options] if the answer is yes: a rule, an owner by the thumbprint,
	// or a domain.
	Rule       *policy.Rule `json:"rule,omitempty"`
	Thumbprint string       `json:"thumbprint,omitempty"`
	Owner      string       `json:"owner,omitempty"`
	Domain     string       `json:"domain,omitempty"`
	UserDomain string       `json:"userDomain,omitempty"`
}

// Tenant makes the proposal. certs are users' and CAs' certificates in any order. Users
// without a certificate are in the list too.
//
// The error is that of ctx, or [NoUsers].
func Tenant(ctx context.Context, users []User, certs []*x509.Certificate, o Options) (*Proposal, error) {
	if len(users) == 0 {
		return nil, &Error{Reason: NoUsers}
	}
	w := &work{options: o, at: time.Now(), proposal: &Proposal{CAs: []CA{}, Missing: []MissingCA{}, Bindings: []Binding{}, People: []Person{}, Strays: []Stray{}, Questions: []Question{}}}
	if o.Now != nil {
		w.at = o.Now()
	}
	w.sort(certs)
	w.attribute(users)
	if err := w.chains(); err != nil {
		return nil, err
	}
	if err := w.revocation(ctx); err != nil {
		return nil, err
	}
	w.bind()
	w.ask()
	if err := w.decide(ctx); err != nil {
		return nil, err
	}
	return w.proposal, nil
}

// work is one proposal on its way.
type work struct {
	options  Options
	at       time.Time
	proposal *Proposal
	leaves   []*leaf
	cas      []*x509.Certificate
	people   []*person
	store    *trust.Store
	// field is the proposed binding's.
	field certuserid.Mapping
}

// A leaf is a certificate of a user.
type leaf struct {
	cert     *x509.Certificate
	values   *certuserid.Values
	owner    *person
	chain    trust.Chain
	lacks    string // the CA above it that is not at hand
	unusable string // why no client presents it
	// guessed: it may be that of a user.
	guessed bool
	// domain and userDomain are how its name differs from that of a user.
	domain, userDomain string
}

func (w *work) sort(certs []*x509.Certificate) {
	seen := map[string]bool{}
	for _, c := range certs {
		if c == nil || seen[string(c.Raw)] {
			continue
		}
		seen[string(c.Raw)] = true
		if c.IsCA {
			w.cas = append(w.cas, c)
		} else {
			w.leaves = append(w.leaves, &leaf{cert: c, values: certuserid.Options{}.Values(c), unusable: unusable(c)})
		}
	}
}

// unusable says why no client presents a certificate, "" if one can: people have
// certificates for e-mail and for servers, too.
func unusable(cert *x509.Certificate) string {
	for _, f := range cba.Findings([]*x509.Certificate{cert}, cba.FindingsOptions{}) {
		switch f.Code {
		case "cert-no-client-auth", "cert-no-digital-signature", "cert-unknown-critical":
			return f.What
		}
	}
	return ""
}

// usable reports whether the certificate can sign somebody in, with the CAs at hand.
func (l *leaf) usable() bool { return l.unusable == "" && l.chain.Trusted }

// pkiName is the name of the proposed PKI.
func (w *work) pkiName() string { return cmp.Or(w.options.PKI, "PKI") }

// chains finds the CAs that are used, and those that are missing.
func (w *work) chains() error {
	var all trust.PKI
	for _, c := range w.cas {
		a, err := trust.NewAuthority(c)
		if err != nil {
			w.question("CA", nil, "The CA %s cannot be uploaded: %v. What is to be trusted instead?", dn.Show(c.RawSubject), err)
			continue
		}
		all.CertificateAuthorities = append(all.CertificateAuthorities, a)
	}
	store, err := trust.Config{PKIs: trust.PKIs{all}}.Compile(trust.Options{})
	if err != nil {
		return &Error{Reason: TooMany, Err: err}
	}
	used, issued, incomplete := map[*trust.CA]bool{}, map[*trust.CA]int{}, map[*trust.CA]string{}
	missing := map[string]*MissingCA{}
	var order []string
	var samples []*x509.Certificate
	for _, l := range w.leaves {
		l.chain = store.Chain(l.cert, w.at)
		samples = append(samples, l.cert)
		if l.owner == nil && !l.guessed || l.unusable != "" {
			continue // a CA that none of the users needs is not to be trusted
		}
		if len(l.chain.CAs) > 0 && l.owner != nil {
			issued[l.chain.CAs[0]]++
		}
		for _, f := range l.chain.Failures {
			if f.Cause != trust.IssuerNotFound && f.Cause != trust.NoAuthorityKeyID {
				continue
			}
			l.lacks = dn.Show(l.cert.RawIssuer)
			below, above := l.cert, ""
			if f.At > 0 && f.At <= len(l.chain.CAs) {
				below = l.chain.CAs[f.At-1].Certificate
				above = dn.Show(below.RawSubject)
				l.lacks = dn.Show(below.RawIssuer)
			}
			key := string(below.RawIssuer) + string(below.AuthorityKeyId)
			m := missing[key]
			if m == nil {
				m = &MissingCA{Subject: dn.Show(below.RawIssuer), KeyID: keyid.Of(below.AuthorityKeyId), Above: above}
				missing[key] = m
				order = append(order, key)
			}
			m.Certificates++
			for _, url := range below.IssuingCertificateURL {
				if !slices.Contains(m.URLs, url) {
					m.URLs = append(m.URLs, url)
				}
			}
		}
		for _, ca := range l.chain.CAs {
			if used[ca] = used[ca] || l.lacks == "" && l.owner != nil; !used[ca] {
				incomplete[ca] = "of no use until " + l.lacks + ", a CA above it, is at hand"
				if l.lacks == "" {
					incomplete[ca] = "not proposed: it is not known yet whether a user has a certificate of it"
				}
			}
		}
	}
	for _, key := range order {
		w.proposal.Missing = append(w.proposal.Missing, *missing[key])
	}
	var certs []*x509.Certificate
	names := map[string]*trust.CA{}
	for _, ca := range store.CAs() {
		if used[ca] {
			certs = append(certs, ca.Certificate)
			names[string(ca.Certificate.Raw)] = ca
		}
	}
	slices.SortStableFunc(certs, func(a, b *x509.Certificate) int { // roots first
		rank := func(c *x509.Certificate) int {
			if names[string(c.Raw)].SelfSigned {
				return 0
			}
			return 1
		}
		return rank(a) - rank(b)
	})
	pki, err := trust.NewPKI(w.pkiName(), certs, samples...)
	if err != nil {
		return &Error{Reason: TooMany, Err: err}
	}
	w.proposal.Config.Trust.PKIs = trust.PKIs{pki}
	w.proposal.Config.Missing = []string{"certificateBasedAuthConfiguration"}
	for i, a := range pki.CertificateAuthorities {
		ca := CA{Subject: dn.Show(certs[i].RawSubject), Type: a.CertificateAuthorityType, Thumbprint: a.Thumbprint, NotAfter: certs[i].NotAfter,
			Proposed: true, Issued: issued[names[string(certs[i].Raw)]], CRL: a.CertificateRevocationListURL}
		if ca.CRL == "" && !(ca.Type == trust.Root && ca.Issued == 0 && !issuedOthers(certs[i], certs)) {
			ca.Note = w.named(certs[i], append(slices.Clone(samples), certs...))
		}
		w.proposal.CAs = append(w.proposal.CAs, ca)
	}
	for _, ca := range store.CAs() {
		if why := incomplete[ca]; why != "" && !used[ca] {
			w.proposal.CAs = append(w.proposal.CAs, CA{Subject: dn.Show(ca.Certificate.RawSubject), Type: kind(ca), Thumbprint: ca.Thumbprint,
				NotAfter: ca.Certificate.NotAfter, Issued: issued[ca], Note: why})
		}
	}
	w.store, err = w.proposal.Config.Trust.Compile(trust.Options{})
	if err != nil {
		return &Error{Reason: TooMany, Err: err}
	}
	return nil
}

func kind(ca *trust.CA) trust.AuthorityType {
	if ca.SelfSigned {
		return trust.Root
	}
	return trust.Intermediate
}

// issuedOthers reports whether a CA has CAs below it.
func issuedOthers(ca *x509.Certificate, certs []*x509.Certificate) bool {
	return slices.ContainsFunc(certs, func(c *x509.Certificate) bool { return c != ca && bytes.Equal(c.RawIssuer, ca.RawSubject) })
}

// named says which CRL addresses the certificates of a CA have, of which none is one
// that the service can fetch.
func (w *work) named(ca *x509.Certificate, certs []*x509.Certificate) string {
	var urls []string
	for _, c := range certs {
		if c != ca && bytes.Equal(c.RawIssuer, ca.RawSubject) {
			for _, url := range c.CRLDistributionPoints {
				if !slices.Contains(urls, url) && len(urls) < 3 {
					urls = append(urls, url)
				}
			}
		}
	}
	if len(urls) == 0 {
		return "the certificates that it issued name no CRL"
	}
	return "the certificates that it issued name only " + strings.Join(urls, ", ") + ": Entra fetches CRLs by http from the internet, so publish the CRL there and set that URL"
}

// revocation fetches the CRLs of the CAs that are proposed.
func (w *work) revocation(ctx context.Context) error {
	if w.options.CRLs == nil {
		return ctx.Err()
	}
	published, err := signin.FetchCRLs(ctx, w.options.CRLs, w.store)
	if err != nil {
		return err
	}
	for _, p := range published {
		if p.Delta {
			continue
		}
		state := "usable"
		switch {
		case p.Err != nil:
			state = strings.TrimPrefix(p.Err.Error(), "crl: ")
		default:
			if err := (crl.Set{Base: p.List}).Check(p.CA.Certificate, w.at); err != nil {
				state = strings.TrimPrefix(err.Error(), "crl: ")
			}
		}
		for i := range w.proposal.CAs {
			if w.proposal.CAs[i].Thumbprint == p.CA.Thumbprint {
				w.proposal.CAs[i].CRLState = state
			}
		}
	}
	return nil
}

// The bindings that are compared, the most wanted first where two reach as many.
var candidates = []struct {
	field    certuserid.Mapping
	property policy.UserProperty
}{
	{certuserid.SKI, policy.CertificateUserIDs},
	{certuserid.IssuerAndSerialNumber, policy.CertificateUserIDs},
	{certuserid.SHA1PublicKey, policy.CertificateUserIDs},
	{certuserid.PrincipalName, policy.UserPrincipalName},
	{certuserid.RFC822Name, policy.UserPrincipalName},
	{certuserid.PrincipalName, policy.OnPremisesUserPrincipalName},
	{certuserid.RFC822Name, policy.OnPremisesUserPrincipalName},
}

// bind compares the bindings and proposes one.
func (w *work) bind() {
	fromKey := true // every subject key identifier is made of the key
	owners := map[string]*person{}
	shared := map[string]bool{} // ids that two people's certificates have
	for _, l := range w.leaves {
		if l.owner == nil || !l.usable() {
			continue
		}
		fromKey = fromKey && (len(l.cert.SubjectKeyId) == 0 || ofKey(l.cert))
		for _, id := range l.values.All() {
			if o := owners[id.String()]; o != nil && o != l.owner {
				shared[id.String()] = true
			}
			owners[id.String()] = l.owner
		}
	}
	for _, c := range candidates {
		b := Binding{Field: c.field, Property: c.property, Affinity: c.field.Affinity()}
		for _, p := range w.people {
			reached, stored := false, false
			for _, l := range p.leaves {
				if !l.usable() || w.expired(l) {
					continue
				}
				switch c.property {
				case policy.CertificateUserIDs:
					id, err := l.values.ID(c.field)
					if err != nil || shared[id.String()] {
						continue
					}
					reached = true
					stored = stored || slices.ContainsFunc(p.user.Account.AuthorizationInfo.CertificateUserIDs, func(v string) bool { return l.values.Fit(c.field, v) != certuserid.Unfit })
				default:
					name := p.user.Account.UserPrincipalName
					if c.property == policy.OnPremisesUserPrincipalName {
						name = p.user.Account.OnPremisesUserPrincipalName
					}
					id, err := l.values.ID(c.field)
					reached = reached || err == nil && name != "" && strings.EqualFold(id.Value(), name)
				}
			}
			if reached {
				b.People++
				if c.property == policy.CertificateUserIDs && !stored {
					b.Store++
				}
			}
		}
		if b.People == 0 {
			continue
		}
		if c.field == certuserid.SKI && !fromKey {
			b.Note = "some subject key identifiers are not a usual hash of the key"
		}
		w.proposal.Bindings = append(w.proposal.Bindings, b)
	}
	slices.SortStableFunc(w.proposal.Bindings, func(a, b Binding) int {
		high := func(b Binding) int {
			if b.Affinity == certuserid.High {
				return 0
			}
			return 1
		}
		doubt := func(b Binding) int { return min(len(b.Note), 1) }
		return cmp.Or(high(a)-high(b), b.People-a.People, doubt(a)-doubt(b))
	})
	w.field = certuserid.SKI
	if len(w.proposal.Bindings) > 0 && w.proposal.Bindings[0].Affinity == certuserid.High {
		w.field = w.proposal.Bindings[0].Field
		w.proposal.Bindings[0].Proposed = true
	}
	w.proposal.Config.Policy = policy.HardenedBySKI(w.options.Groups, w.options.Rules...)
	w.proposal.Config.Policy.UserBindings = []policy.UserBinding{policy.Bind(w.field, policy.CertificateUserIDs, 1)}
	for _, p := range w.people {
		// Where there is no room for all, the certificates that expire last count.
		leaves := slices.Clone(p.leaves)
		slices.SortStableFunc(leaves, func(a, b *leaf) int { return b.cert.NotAfter.Compare(a.cert.NotAfter) })
		for _, l := range leaves {
			if id, err := l.values.ID(w.field); err == nil && l.usable() && !w.expired(l) && !shared[id.String()] {
				p.store(id, l)
			} else if err == nil && shared[id.String()] {
				p.shares = id.String()
			}
		}
		if len(p.over) > 0 {
			w.question("ids", nil, "%s has %s stored, and an account can have %d: %s of the user's certificates cannot be stored beside them. Which of the stored ones are of certificates that nobody uses any more? Remove them first.",
				p.user.Account.UserPrincipalName, text.Count(len(p.user.Account.AuthorizationInfo.CertificateUserIDs), "id", "ids"), certuserid.MaxValues, text.Count(len(p.over), "id", "ids"))
		}
	}
}

// expired reports whether a certificate's time is over: no id of it is to be stored.
func (w *work) expired(l *leaf) bool { return w.at.After(l.cert.NotAfter) }

// ofKey reports whether a subject key identifier is one of the usual hashes of the key:
// of RFC 5280, section 4.2.1.2, or RFC 7093, section 2.
func ofKey(cert *x509.Certificate) bool {
	for _, of := range [][]byte{keyBits(cert.RawSubjectPublicKeyInfo), cert.RawSubjectPublicKeyInfo} {
		one, two, three, four := fingerprint.SHA1(of), sha256.Sum256(of), sha512.Sum384(of), sha512.Sum512(of)
		for _, sum := range [][]byte{one[:], two[:20], three[:20], four[:20], two[:]} {
			if bytes.Equal(cert.SubjectKeyId, sum) {
				return true
			}
		}
	}
	return false
}

// decide checks the proposal: it decides the sign-in of everyone who has a certificate.
func (w *work) decide(ctx context.Context) error {
	config := w.proposal.Config.Clone()
	config.Missing = nil
	if len(w.options.Groups) > 0 || len(config.Policy.IncludeTargets) == 0 {
		config.Policy.IncludeTargets = []policy.IncludeTarget{policy.AllUsers()} // who is in a group is not known here
	}
	tenant, err := config.Compile(signin.Options{CRLs: w.options.CRLs, SkipRevocation: w.options.CRLs == nil, Now: func() time.Time { return w.at }})
	if err != nil {
		return &Error{Reason: TooMany, Err: err}
	}
	for _, p := range w.people {
		out := p.result()
		user := p.after()
		c := signin.Case{User: &user}
		for _, l := range p.leaves {
			c.Certificates = append(c.Certificates, l.cert)
		}
		w.proposal.Users = append(w.proposal.Users, c)
		if len(p.leaves) > 0 {
			v, err := tenant.ExplainUser(ctx, &user, c.Certificates...)
			if err != nil {
				return fmt.Errorf("propose: %s: %w", p.user.Account.UserPrincipalName, err)
			}
			switch {
			case v.SignedIn:
				out.Status, out.Mode, out.Why = Reached, v.AuthenticationMode, ""
			case v.Outcome == signin.Undecided:
				out.Status, out.Why = NotKnown, v.Message
			default:
				out.Status, out.Code, out.Why = Refused, v.Code, v.Message
				if step, ok := v.Refusal(); ok {
					out.Why = step.Detail
				}
			}
			// Without CRLs at hand the sign-in is decided as if nothing were revoked.
			if out.Status == Reached && w.options.CRLs == nil && !slices.ContainsFunc(p.leaves, w.hasCRL) {
				out.Status, out.Mode, out.Code = Refused, "", crl.Missing.Code()
				out.Why = "the CA that issued the certificate has no CRL that Entra can fetch, and the proposal requires one"
			}
			if lacks := p.lacks(); out.Status == Refused && lacks != "" {
				out.Why = "the CA " + lacks + " is not at hand, and every CA up to the root must be in the trust store"
			}
			if unusable := p.unusable(); out.Status != Reached && unusable != "" {
				out.Why = unusable
			}
			if out.Status != Reached && len(p.over) > 0 {
				out.Why = fmt.Sprintf("the account has %s already, and no more than %d can be stored: remove those of certificates that nobody uses any more", text.Count(len(p.user.Account.AuthorizationInfo.CertificateUserIDs), "id", "ids"), certuserid.MaxValues)
			}
			if out.Status != Reached && p.shares != "" {
				out.Why = "another user's certificate has the same " + w.field.Name() + ", and an id can be stored with one user only: " + p.shares
			}
		}
		w.proposal.People = append(w.proposal.People, out)
	}
	return nil
}

// hasCRL reports whether the CA that issued a certificate has a CRL URL.
func (w *work) hasCRL(l *leaf) bool {
	if len(l.chain.CAs) == 0 {
		return false
	}
	for _, ca := range w.proposal.CAs {
		if ca.Thumbprint == l.chain.CAs[0].Thumbprint {
			return ca.CRL != ""
		}
	}
	return false
}

// question adds a question.
func (w *work) question(topic string, rule *policy.Rule, format string, args ...any) {
	w.proposal.Questions = append(w.proposal.Questions, Question{Topic: topic, Text: fmt.Sprintf(format, args...), Rule: rule})
}

// anyPolicy stands for every policy (RFC 5280 section 4.2.1.4): a rule for it would be one
// for whatever the CA issues.
const anyPolicy = "2.5.29.32.0"

// ask asks what the certificates do not say.
func (w *work) ask() {
	if len(w.options.Groups) == 0 {
		w.question("group", nil, "For which groups is the method meant? Users in scope without a certificate can be locked out, so name a group of those who have one. Until then the proposal enables it for nobody.")
	}
	for _, ca := range w.proposal.CAs {
		if ca.Proposed && ca.Issued > 0 && ca.CRL == "" {
			w.question("CRL", nil, "Where can Entra fetch the CRL of %s by http? Publish it and set the URL on the CA. Or may its certificates sign in although revoking one does not stop anybody? Then exempt the CA from CRL validation.", ca.Subject)
		}
	}
	type kind struct {
		rule  policy.Rule
		count int
	}
	var kinds []*kind
	count := func(r policy.Rule) {
		for _, k := range kinds {
			if k.rule.Issuer() == r.Issuer() && k.rule.OID() == r.OID() {
				k.count++
				return
			}
		}
		kinds = append(kinds, &kind{r, 1})
	}
	for _, l := range w.leaves {
		if l.owner == nil || !l.usable() {
			continue
		}
		policies := slices.DeleteFunc(slices.Clone(l.cert.Policies), func(oid x509.OID) bool { return text.OID(oid) == anyPolicy })
		if len(policies) == 0 {
			if name, err := dn.ParseDER(l.cert.RawIssuer); err == nil {
				count(policy.IssuerRule(name, policy.MultiFactor, certuserid.High))
			}
		}
		for _, oid := range policies {
			count(policy.PolicyOIDRule(oid, policy.MultiFactor, certuserid.High))
		}
	}
	for _, k := range kinds {
		if slices.ContainsFunc(w.options.Rules, func(r policy.Rule) bool { return r.Issuer() == k.rule.Issuer() && r.OID() == k.rule.OID() }) {
			continue
		}
		what := "have the policy OID " + k.rule.OID()
		if k.rule.OID() == "" {
			what = "are of the issuer " + k.rule.Issuer() + " and have no policy OID"
		}
		w.question("hardware", &k.rule, "Are the keys of the certificates that %s (%s) in hardware that they cannot leave, and does every use ask for a PIN? If so, these certificates can count as multifactor; else they count as one factor, as proposed.", what, text.Count(k.count, "certificate", "certificates"))
	}
	for _, b := range w.proposal.Bindings {
		if b.Proposed && b.Note != "" {
			w.question("key identifiers", nil, "%s. Does the CA choose the subject key identifier itself? If it copies it from the request, a requester chooses whose account the certificate is bound to: do not bind by it.", strings.ToUpper(b.Note[:1])+b.Note[1:])
		}
	}
	// One question for all who differ in the domain alone.
	type pair struct{ domain, user string }
	found := map[pair][]*person{}
	var order []pair
	for _, p := range w.people {
		for _, l := range p.perhaps {
			if l.domain == "" {
				w.proposal.Questions = append(w.proposal.Questions, Question{Topic: "person", Thumbprint: fingerprint.Of(l.cert.Raw), Owner: p.user.Account.UserPrincipalName,
					Text: fmt.Sprintf("Is the certificate of %s, issued by %s, that of %s (%s)?", l.name(), dn.Show(l.cert.RawIssuer), p.user.Account.UserPrincipalName, p.guess)})
				continue
			}
			key := pair{l.domain, l.userDomain}
			if found[key] == nil {
				order = append(order, key)
			}
			found[key] = append(found[key], p)
		}
	}
	for _, key := range order {
		who := found[key]
		question := "Does the name in a certificate, " + who[0].guess + ", stand for " + who[0].user.Account.UserPrincipalName + "?"
		if len(who) > 1 {
			question = fmt.Sprintf("%s have names in the domain %s that begin like those of users in %s, such as that of %s. Are the certificates theirs?", text.Count(len(who), "certificate", "certificates"), key.domain, key.user, who[0].user.Account.UserPrincipalName)
		}
		w.proposal.Questions = append(w.proposal.Questions, Question{Topic: "domain", Domain: key.domain, UserDomain: key.user, Text: question})
	}
}
