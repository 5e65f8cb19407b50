package signin

import (
	"cmp"
	"context"
	"crypto/x509"
	"maps"
	"slices"
	"strconv"
	"strings"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/trust"
)

// An Assumption is a reading of an open question that the verdict leans on.
type Assumption struct {
	// ID is the number of the question in the table of open questions ("9.24"), or
	// that of a section in which a rule is inferred ("4.7", the table of codes).
	ID   string `json:"id"`
	Text string `json:"text"`
	// ChangesVerdict says that under the other reading the answer would differ: in
	// or out, or the strength.
	ChangesVerdict bool `json:"changesVerdict"`
}

// questionTexts say what is assumed about an open question that is this
// package's own.
var questionTexts = map[string]string{
	"2.7":  "an allowed issuer of an authentication strength is the authority that issued the certificate, not one above it",
	"4.5":  "a scope goes by the key identifier of the authority, whatever PKI it names",
	"9.6":  "Entra fetches a revocation list over https; some pages say http only",
	"9.7":  "the service fetches lists of up to 65 MB in the background; the same page also says 45",
	"9.8":  "only authorities flagged with isIssuerHintEnabled are sent as hints if one is flagged; one page says that all are",
	"9.10": "an authority without a CRL URL is not checked, as CRL validation is not required",
	"9.11": "an authority above the issuing one needs no CRL when CRL validation is required; the pages speak of the issuing authority only",
	"9.14": "the names of this binding's field in Graph are those of the portal; Graph's pages do not have them",
	"9.22": "the name in certificateUserIds is written as Windows does; how special characters are escaped is not documented",
	"9.26": "bindings with the issuer are supported; the page on limitations says that they are not",
	"9.27": "a chain may have 10 authorities; an older note also says 5",
	"9.29": "a revocation list must arrive within 10 s; a tool of Microsoft's warns at 12",
	"9.30": "the issuer is found by the authority key identifier, never by name, with or without revocation lists",
	"9.31": "an issuer rule goes by the issuer alone; one passage names the user's subject with it",
	"9.32": "an authority that is exempted from CRL validation is not checked even if it has a CRL URL",
	"9.33": "a chain that no authority scope names is open to everybody, though other scopes exist",
}

// leafKeyText is the other side of open question 9.30.
const leafKeyText = "the user's certificate needs no subject key identifier where revocation lists are checked"

// assumptions lists the readings that the answer leans on, and asks again under
// each other reading. The error is that of looking at other lists.
func (q *inquiry) assumptions(ctx context.Context, e policy.Explanation, answer Answer) ([]Assumption, error) {
	list := []Assumption{}
	changes := func(other Answer) bool {
		return other.SignedIn != answer.SignedIn || other.AuthenticationMode != answer.AuthenticationMode
	}
	lean := func(id string, other view) {
		list = append(list, Assumption{id, questionTexts[id], changes(q.judge(other))})
	}

	for _, a := range e.Assumptions {
		other := q.view
		other.decision = a.Otherwise
		list = append(list, Assumption{a.ID, a.Text, changes(q.judge(other))})
	}
	q.policyQuestions(e, lean)
	q.revocationQuestions(lean)
	q.scopeQuestions(lean)
	if err := q.chainQuestions(ctx, lean); err != nil {
		return nil, err
	}
	if v := q.view; len(q.request.Certificate.SubjectKeyId) == 0 && slices.ContainsFunc(v.listings, func(l listing) bool { return l.asked }) {
		list = append(list, Assumption{"9.30", leafKeyText, answer.SignedIn})
	}
	if r := q.request.Require; r.kind == requireStrength {
		all := q.issuers(q.view, true)
		mode := q.view.decision.AuthenticationMode
		one, _, _ := r.strength.satisfies(mode, q.issuers(q.view, false), q.oids())
		any, _, _ := r.strength.satisfies(mode, all, q.oids())
		if one != any {
			otherwise := *q.tenant
			otherwise.options.AnyAllowedIssuer = !otherwise.options.AnyAllowedIssuer
			other := *q
			other.tenant = &otherwise
			list = append(list, Assumption{"2.7", questionTexts["2.7"], changes(other.judge(q.view))})
		}
	}
	if q.tenant.policy.IssuerHints() && q.tenant.hints.Flagged && !q.tenant.hints.Reach(q.view.chain) {
		lean("9.8", q.view)
	}

	slices.SortStableFunc(list, func(a, b Assumption) int { return compareNumbers(a.ID, b.ID) })
	return list, nil
}

func compareNumbers(a, b string) int {
	chapter := func(id string) (int, int) {
		first, second, _ := strings.Cut(id, ".")
		x, _ := strconv.Atoi(first)
		y, _ := strconv.Atoi(second)
		return x, y
	}
	ax, ay := chapter(a)
	bx, by := chapter(b)
	return cmp.Or(cmp.Compare(ax, bx), cmp.Compare(ay, by))
}

// policyQuestions asks about bindings and rules as they would be if the other
// reading took them away.
func (q *inquiry) policyQuestions(e policy.Explanation, lean func(string, view)) {
	t := q.tenant
	without := func(id string, change func(*policy.Config)) {
		config := t.config.Policy
		change(&config)
		other := q.view
		other.decision = config.Compile().With(t.options.Policy).Decide(q.cert, q.request.User)
		lean(id, other)
	}
	if b := e.Binding; b != nil {
		drop := func(fields ...policy.CertificateField) func(*policy.Config) {
			return func(c *policy.Config) {
				c.UserBindings = slices.DeleteFunc(slices.Clone(c.UserBindings), func(b policy.UserBinding) bool { return slices.Contains(fields, b.Field) })
			}
		}
		switch b.Field {
		case policy.IssuerAndSubject, policy.IssuerAndSerialNumber:
			without("9.26", drop(policy.IssuerAndSubject, policy.IssuerAndSerialNumber))
			fallthrough
		case policy.Subject:
			without("9.14", drop(policy.IssuerAndSubject, policy.IssuerAndSerialNumber, policy.Subject))
		}
		if b.Property == policy.CertificateUserIDs && oddName(b.Value) {
			user := *q.request.User
			user.AuthorizationInfo.CertificateUserIDs = slices.DeleteFunc(slices.Clone(user.AuthorizationInfo.CertificateUserIDs), oddName)
			other := q.view
			other.decision = t.policy.Decide(q.cert, &user)
			lean("9.22", other)
		}
	}
	if e.ModeRule != nil && e.ModeRule.Type == policy.IssuerSubject {
		without("9.31", func(c *policy.Config) {
			c.AuthenticationMode.Rules = slices.DeleteFunc(slices.Clone(c.AuthenticationMode.Rules), func(r policy.Rule) bool { return r.Type == policy.IssuerSubject })
		})
	}
}

// oddName reports whether a value holds a distinguished name with something in it
// whose way of writing is not documented.
func oddName(value string) bool {
	id, err := certuserid.Parse(value)
	if err != nil {
		return false
	}
	switch id.Mapping() {
	case certuserid.IssuerAndSubject, certuserid.Subject, certuserid.IssuerAndSerialNumber:
		return strings.ContainsAny(value, `"+;\\#`) || strings.Contains(value, "OID.") || strings.Contains(value, "  ") ||
			strings.ContainsFunc(value, func(r rune) bool { return r > '~' })
	}
	return false
}

// revocationQuestions asks each question for all authorities together.
func (q *inquiry) revocationQuestions(lean func(string, view)) {
	others := map[string][]listing{}
	for i, l := range q.view.listings {
		for _, asked := range l.questions {
			if others[asked.id] == nil {
				others[asked.id] = slices.Clone(q.view.listings)
			}
			others[asked.id][i].outcome = asked.other
		}
	}
	for _, id := range slices.Sorted(maps.Keys(others)) {
		other := q.view
		other.listings = others[id]
		lean(id, other)
	}
}

func (q *inquiry) scopeQuestions(lean func(string, view)) {
	config := q.tenant.config.Policy
	if len(config.CertificateAuthorityScopes) > 0 && !q.view.scope.Restricted {
		other := q.view
		other.scope.Allowed = false
		lean("9.33", other)
	}
	if elsewhere := q.elsewhere(); len(elsewhere) > 0 {
		var kept []policy.AuthorityScope
		for i, s := range config.CertificateAuthorityScopes {
			if !slices.Contains(elsewhere, i) {
				kept = append(kept, s)
			}
		}
		config.CertificateAuthorityScopes = kept
		other := q.view
		other.scope = config.Compile().CAScope(q.request.User, q.view.keys)
		lean("4.5", other)
	}
}

// chainQuestions asks for the chain again, with another bound on its length and
// by name.
func (q *inquiry) chainQuestions(ctx context.Context, lean func(string, view)) error {
	follow := func(id string, chain trust.Chain) error {
		other, err := q.follow(ctx, chain, false)
		if err == nil {
			other.decision = q.view.decision
			lean(id, other)
		}
		return err
	}
	chain := q.view.chain
	if len(chain.CAs) > shallowDepth {
		if err := follow("9.27", q.tenant.otherDepth().Chain(chain.Leaf, chain.At)); err != nil {
			return err
		}
	}
	if byName, ok := q.tenant.chainByName(chain); ok {
		return follow("9.30", byName)
	}
	return nil
}

// chainByName goes on by the issuer's name where a chain ends for want of a key
// identifier. ok says that there was such a want.
func (t *Tenant) chainByName(chain trust.Chain) (longer trust.Chain, ok bool) {
	if len(chain.Failures) == 0 {
		return chain, false
	}
	f := chain.Failures[0]
	if f.Cause != trust.NoAuthorityKeyID && f.Cause != trust.IssuerNotFound || f.At > len(chain.CAs) {
		return chain, false
	}
	cert := chain.Leaf
	if f.At > 0 {
		cert = chain.CAs[f.At-1].Certificate
	}
	ok = f.Cause == trust.NoAuthorityKeyID
	longer = chain
	for _, ca := range t.trust.CAs() {
		if string(ca.Certificate.RawSubject) != string(cert.RawIssuer) || ca.Certificate.Equal(cert) ||
			f.Cause == trust.IssuerNotFound && ca.SKI != "" {
			continue
		}
		ok = true
		if cert.CheckSignatureFrom(ca.Certificate) != nil || outside(ca.Certificate, chain) {
			continue
		}
		var above trust.Chain
		if !ca.SelfSigned {
			if above = t.trust.Chain(ca.Certificate, chain.At); !above.Trusted {
				continue
			}
		}
		longer.CAs = slices.Concat(chain.CAs, []*trust.CA{ca}, above.CAs)
		longer.Failures = chain.Failures[1:]
		longer.Trusted = len(longer.Failures) == 0
		break
	}
	return longer, ok
}

func outside(cert *x509.Certificate, chain trust.Chain) bool {
	return chain.At.Before(cert.NotBefore) || chain.At.After(cert.NotAfter)
}
