package signin

import (
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/internal/path"
	"example.com/entracba/cba/keyid"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/trust"
)

// An Assumption is a point that Microsoft does not document and that the verdict
// depends on, as it is assumed here.
type Assumption struct {
	// ID is the number of the question in docs/open-questions.md ("9.24"), or of a
	// section in which a rule is inferred ("4.7", the table of codes). For a property
	// of the input that is taken for its default or that cannot be read, it is the
	// property, as [Missing] names it ("user.accountEnabled").
	ID   string `json:"id"`
	Text string `json:"text"`
	// ChangesVerdict says that the answer would be different if the assumption is
	// wrong: signed in or not, or the strength.
	ChangesVerdict bool `json:"changesVerdict"`
}

// questionTexts say what is assumed about this package's own open questions.
var questionTexts = map[string]string{
	"2.7":  "an authentication strength's allowed issuer is the CA that issued the certificate, not a CA above it",
	"4.5":  "a CA scope goes by the key identifier of the CA, whichever PKI it names",
	"9.6":  "Entra downloads a CRL over https; some pages say http only",
	"9.7":  "the service downloads CRLs of up to 65 MB in the background; the same page also says 45",
	"9.8":  "if a CA is flagged with isIssuerHintEnabled, only flagged CAs are sent as hints; one page says that all are",
	"9.10": "a CA without a CRL URL is not checked, because CRL validation is not required",
	"9.11": "a CA above the issuing CA needs no CRL when CRL validation is required; the pages mention only the issuing CA",
	"9.14": "the names of this binding's field in Graph are those of the portal; Graph's pages do not list them",
	"9.22": "the name in certificateUserIds is written as Windows writes it; how special characters are escaped is not documented",
	"9.26": "bindings with the issuer are supported; the page on limitations says that they are not",
	"9.27": "a chain can have 10 CAs; an older note also says 5, and a newer page limits only the validation of CRLs to 10",
	"9.29": "a CRL must arrive within 10 s; a tool of Microsoft's warns at 12",
	"9.30": "the issuer is found by the authority key identifier, never by name, with or without CRLs",
	"9.31": "an issuer rule goes by the issuer only; one passage also mentions the user's subject",
	"9.32": "a CA that is exempted from CRL validation is not checked, even if it has a CRL URL",
	"9.37": "an authentication strength looks at the first five policy OIDs of a certificate; the same page also says: at the first five that match",
	"9.38": "a CA scope of the root counts; the known limitations speak of intermediate CAs",
	"9.42": "the user has no second factor that may follow the certificate; which factors lead to a prompt (AADSTS50076), and which to this refusal, is not documented",
	"9.53": "whether a CA is a root goes by its certificate, not by how the trust store marks it",
	"9.55": "a CRL for user or CA certificates only speaks for no others, and the distribution point that a CRL names is not compared",
	"9.56": "Entra refuses a CRL that has no Next Update, or an algorithm, a critical extension or a scope that this package does not process",
	"9.33": "a chain that no CA scope names is open to everybody, although other scopes exist",
}

// leafKeyText is the other side of open question 9.30.
const leafKeyText = "the user's certificate needs no subject key identifier where CRLs are checked"

// assumptions lists the readings that the answer depends on, and asks again under
// each other reading. The error is that of getting more CRLs.
func (ev *evaluation) assumptions(ctx context.Context, e policy.Explanation, answer Answer) ([]Assumption, error) {
	list := []Assumption{}
	changes := func(other Answer) bool {
		return other.Outcome != answer.Outcome || other.AuthenticationMode != answer.AuthenticationMode
	}
	assume := func(id string, other reading) {
		list = append(list, Assumption{id, questionTexts[id], changes(ev.judge(other))})
	}

	for _, a := range e.Assumptions {
		other := ev.reading
		other.decision = a.Otherwise
		list = append(list, Assumption{a.ID, a.Text, changes(ev.judge(other))})
	}
	say := func(id, text string, changes bool) { list = append(list, Assumption{id, text, changes}) }
	ev.inputQuestions(answer, say)
	presentQuestions(ev.unfit, answer, say)
	ev.remarkQuestions(answer, say)
	ev.policyQuestions(e, assume)
	ev.revocationQuestions(assume)
	ev.scopeQuestions(assume)
	if err := ev.chainQuestions(ctx, assume); err != nil {
		return nil, err
	}
	if v := ev.reading; len(ev.request.Certificate.SubjectKeyId) == 0 && slices.ContainsFunc(v.checks, func(l revocationCheck) bool { return l.asked }) {
		list = append(list, Assumption{"9.30", leafKeyText, answer.SignedIn})
	}
	if r := ev.request.Require; r.isStrength() {
		if len(ev.request.Certificate.Policies) > maxStrengthPolicies {
			otherwise := *ev.tenant
			otherwise.options.FirstFiveMatching = !otherwise.options.FirstFiveMatching
			other := *ev
			other.tenant = &otherwise
			list = append(list, Assumption{"9.37", questionTexts["9.37"], changes(other.judge(ev.reading))})
		}
		all := ev.issuers(ev.reading, true)
		mode := ev.reading.decision.AuthenticationMode
		one, _, _, _ := r.strength.satisfies(mode, ev.issuers(ev.reading, false), ev.oids())
		any, _, _, _ := r.strength.satisfies(mode, all, ev.oids())
		if one != any {
			otherwise := *ev.tenant
			otherwise.options.AnyAllowedIssuer = !otherwise.options.AnyAllowedIssuer
			other := *ev
			other.tenant = &otherwise
			list = append(list, Assumption{"2.7", questionTexts["2.7"], changes(other.judge(ev.reading))})
		}
	}
	if answer.Code == codeMFA {
		assume("9.42", ev.reading)
	}
	if ev.tenant.policy.IssuerHints() && ev.tenant.hints.Flagged && !ev.tenant.hints.Reach(ev.reading.chain) {
		assume("9.8", ev.reading)
	}

	if id := ev.tenant.dropped; id != "" && !slices.ContainsFunc(list, func(a Assumption) bool { return a.ID == id }) {
		list = append(list, Assumption{ID: id}) // the log has settled it
	}
	for i := range list {
		ev.bySettled(&list[i])
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

// inputQuestions lists what the input does not have and is taken for its default, and
// what cannot be read.
func (ev *evaluation) inputQuestions(answer Answer, assume func(id, text string, changes bool)) {
	t, user := ev.tenant, ev.request.User
	const inPolicy = "tenant." + propertyPolicy + "."
	if lacks(user, policy.AccountEnabled) {
		assume("user.accountEnabled", "the account is enabled; the input does not say", answer.Outcome != Refused)
	}
	switch {
	case strings.EqualFold(user.UserType, userGuest):
		assume("user.userType", "the guest's account is of this tenant, not of another one", answer.Outcome != Refused)
	case lacks(user, policy.UserType):
		assume("user.userType", "the user is a member, not a guest of another tenant; the input does not say", answer.Outcome != Refused)
	}
	if federated := t.around.federated(user); federated != "" {
		assume("tenant."+propertyDomains, federated, answer.Outcome != Refused)
	}
	if lacks(user, policy.TransitiveMemberOf) && !lacks(user, policy.MemberOf) {
		nested := *user
		nested.Missing = append(slices.Clone(user.Missing), policy.MemberOf)
		other := ev.reading
		other.decision = t.policy.Decide(ev.cert, &nested)
		other.scope = t.policy.CAScope(&nested, other.scopeKeys(t.options))
		if ev.judge(other).Outcome != answer.Outcome {
			assume("user.transitiveMemberOf", "the user is in no further group through another group; memberOf has only the groups that list the user", true)
		}
	}
	if odd, why := ev.cert.Odd(); odd != nil {
		other := ev.reading
		other.decision = t.policy.Decide(odd, user)
		if o := ev.judge(other); o.Outcome != answer.Outcome {
			assume("certificate.subjectAltName", why, true)
		}
	}
	for _, d := range t.doubts {
		other := ev.reading
		other.decision = d.Other.Decide(ev.cert, user)
		o := ev.judge(other)
		changes := o.Outcome != answer.Outcome || o.AuthenticationMode != answer.AuthenticationMode
		if changes || d.Unread {
			assume(inPolicy+d.Where, d.Why, changes)
		}
	}
	for i, s := range t.config.Policy.CertificateAuthorityScopes {
		if _, err := keyid.Parse(s.SubjectKeyIdentifier); err != nil {
			assume(fmt.Sprintf("%scertificateAuthorityScopes/%d/subjectKeyIdentifier", inPolicy, i),
				"the scope's key identifier cannot be read, so it is assumed that it may be a CA of this chain", answer.Outcome == Undecided)
		}
	}
	_, _, unread := targetsOf(t.config.Policy)
	for _, target := range unread {
		assume(inPolicy+target, "the target cannot be read, so it is assumed that the user may be among it", ev.reading.decision.ScopeUnknown)
	}
	if answer.Outcome != Refused && ev.lacksURLs() {
		assume("tenant.certificateRevocationListUrl", "a CA of this chain has no CRL URL, or no delta CRL URL; the input does not say", true)
	}
	if len(t.unknownCAs) > 0 && answer.SignedIn {
		assume(t.unknownCAs[0].What, "no CA of this chain is in the part of the trust stores that the input does not have, with another CRL URL", true)
	}
}

// lacksURLs reports whether the CRL URLs of a CA of the chain are not known.
func (ev *evaluation) lacksURLs() bool {
	config := ev.tenant.config.Trust
	for _, ca := range ev.reading.chain.CAs {
		is := func(der []byte) bool { return bytes.Equal(der, ca.Certificate.Raw) }
		for _, pki := range config.PKIs {
			if slices.ContainsFunc(pki.CertificateAuthorities, func(a trust.Authority) bool { return a.LacksURLs() && is(a.Certificate) }) {
				return true
			}
		}
		if slices.ContainsFunc(config.Classic.CertificateAuthorities, func(a trust.ClassicAuthority) bool { return a.LacksURLs() && is(a.Certificate) }) {
			return true
		}
	}
	return false
}

// policyQuestions asks again without the bindings, rules or values that do not count
// under the other reading.
func (ev *evaluation) policyQuestions(e policy.Explanation, assume func(string, reading)) {
	t := ev.tenant
	// always: also where the decision is the same
	without := func(id string, always bool, change func(*policy.Config)) {
		config := t.config.Policy
		change(&config)
		compiled, err := config.Compile(t.options.Policy)
		if err != nil {
			return // never: it has less than what compiled
		}
		other := ev.reading
		other.decision = compiled.Decide(ev.cert, ev.request.User)
		if d := ev.reading.decision; always || other.decision.Bound != d.Bound || other.decision.AuthenticationMode != d.AuthenticationMode {
			assume(id, other)
		}
	}
	if b := e.Binding; b != nil {
		drop := func(fields ...certuserid.Mapping) func(*policy.Config) {
			return func(c *policy.Config) {
				c.UserBindings = slices.DeleteFunc(slices.Clone(c.UserBindings), func(b policy.UserBinding) bool { return slices.Contains(fields, b.Field) })
			}
		}
		switch b.Field {
		case certuserid.IssuerAndSubject, certuserid.IssuerAndSerialNumber:
			without("9.26", true, drop(certuserid.IssuerAndSubject, certuserid.IssuerAndSerialNumber))
			fallthrough
		case certuserid.Subject:
			without("9.14", true, drop(certuserid.IssuerAndSubject, certuserid.IssuerAndSerialNumber, certuserid.Subject))
		}
		if b.Property == policy.CertificateUserIDs && oddName(b.Value) {
			user := *ev.request.User
			user.AuthorizationInfo.CertificateUserIDs = slices.DeleteFunc(slices.Clone(user.AuthorizationInfo.CertificateUserIDs), oddName)
			other := ev.reading
			other.decision = t.policy.Decide(ev.cert, &user)
			assume("9.22", other)
		}
	}
	byIssuer := func(r policy.Rule) bool { return r.Type == policy.IssuerSubject }
	if ofMode := e.ModeRule != nil && e.ModeRule.Type == policy.IssuerSubject; ofMode || slices.ContainsFunc(t.config.Policy.AuthenticationMode.Rules, byIssuer) {
		without("9.31", ofMode, func(c *policy.Config) {
			c.AuthenticationMode.Rules = slices.DeleteFunc(slices.Clone(c.AuthenticationMode.Rules), byIssuer)
		})
	}
}

// oddName reports whether a value contains a distinguished name with characters or
// attributes for which the way of writing is not documented.
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

// revocationQuestions asks each question for all CAs together.
func (ev *evaluation) revocationQuestions(assume func(string, reading)) {
	others := map[string][]revocationCheck{}
	for i, l := range ev.reading.checks {
		for _, asked := range l.questions {
			if others[asked.id] == nil {
				others[asked.id] = slices.Clone(ev.reading.checks)
			}
			others[asked.id][i].outcome = asked.other
		}
	}
	for _, id := range slices.Sorted(maps.Keys(others)) {
		other := ev.reading
		other.checks = others[id]
		assume(id, other)
	}
}

func (ev *evaluation) scopeQuestions(assume func(string, reading)) {
	config := ev.tenant.config.Policy
	if len(config.CertificateAuthorityScopes) > 0 && !ev.reading.scope.Restricted {
		other := ev.reading
		other.scope.Allowed = !other.scope.Allowed
		assume("9.33", other)
	}
	if elsewhere := ev.elsewhere(); len(elsewhere) > 0 {
		var kept []policy.AuthorityScope
		for i, s := range config.CertificateAuthorityScopes {
			if !slices.Contains(elsewhere, i) {
				kept = append(kept, s)
			}
		}
		config.CertificateAuthorityScopes = kept
		compiled, err := config.Compile(ev.tenant.options.Policy)
		if err != nil {
			return // never: it has less than what compiled
		}
		other := ev.reading
		other.scope = compiled.CAScope(ev.request.User, ev.reading.scopeKeys(ev.tenant.options))
		assume("4.5", other)
	}
	reversed := ev.tenant.options
	reversed.IgnoreRootScopes = !reversed.IgnoreRootScopes
	if fewer := ev.reading.scopeKeys(Options{IgnoreRootScopes: true}); len(fewer) < len(ev.reading.keys) &&
		slices.ContainsFunc(config.CertificateAuthorityScopes, func(s policy.AuthorityScope) bool {
			id, err := keyid.Parse(s.SubjectKeyIdentifier)
			return err == nil && slices.Contains(ev.reading.keys, id) && !slices.Contains(fewer, id)
		}) {
		other := ev.reading
		other.scope = ev.tenant.policy.CAScope(ev.request.User, ev.reading.scopeKeys(reversed))
		assume("9.38", other)
	}
}

// chainQuestions builds the chain again, with the other limit on its length, with
// roots as the stores mark them, and by name.
func (ev *evaluation) chainQuestions(ctx context.Context, assume func(string, reading)) error {
	follow := func(id string, chain trust.Chain) error {
		other, err := ev.follow(ctx, chain, false)
		if err == nil {
			other.decision = ev.reading.decision
			assume(id, other)
		}
		return err
	}
	chain := ev.reading.chain
	var depth *trust.Store
	switch tooDeep := func(f trust.Failure) bool { return f.Cause == trust.TooDeep }; {
	case slices.ContainsFunc(chain.Failures, tooDeep):
		depth = ev.tenant.deep()
	case len(chain.CAs) > shallowDepth:
		depth = ev.tenant.shallow()
	}
	if depth != nil {
		if err := follow("9.27", depth.Chain(chain.Leaf, chain.At)); err != nil {
			return err
		}
	}
	if other, ok := ev.tenant.chainByMark(chain); ok {
		if err := follow("9.53", other); err != nil {
			return err
		}
	}
	if byName, ok := ev.tenant.chainByName(chain); ok {
		return follow("9.30", byName)
	}
	return nil
}

// chainByMark builds a chain again with the roots that the stores mark, if that may
// make a difference: it ends at a self-signed CA that is marked as an intermediate,
// or none is found and a CA that is not self-signed is marked as a root. If the tenant
// goes by the marks, the other reading is that it does not.
func (t *Tenant) chainByMark(chain trust.Chain) (other trust.Chain, ok bool) {
	if root := chain.Root(); root != nil && root.SelfSigned {
		if root.Type != trust.Intermediate || slices.ContainsFunc(root.Others, func(e trust.Entry) bool { return e.Type == trust.Root }) {
			return chain, false
		}
		other = chain
		other.Trusted, other.Failures = false, []trust.Failure{{
			Cause: trust.NoRoot, At: len(chain.CAs), Code: codeIncomplete, Detail: "the last CA is marked as an intermediate", Source: lint.Authorities, Inferred: true,
		}}
		return other, true
	}
	marked := func(ca *trust.CA) bool { return ca.Type == trust.Root && !ca.SelfSigned }
	if !slices.ContainsFunc(chain.CAs, marked) {
		return chain, false
	}
	return t.otherRoots().Chain(chain.Leaf, chain.At), true
}

// chainByName continues a chain by the issuer's name where it ends because a key
// identifier is missing. ok says whether one was missing.
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
		if path.Verify(cert, ca.Certificate) != path.Proven || cert.CheckSignatureFrom(ca.Certificate) != nil || outside(ca.Certificate, chain) {
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
