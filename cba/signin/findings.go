package signin

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/internal/text"
	"example.com/entracba/cba/keyid"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/trust"
)

// Findings checks the whole tenant at a time: the policy by itself, the trust
// stores by themselves, and then what shows only when they are checked together.
// A part that the input did not contain has one finding that says so, and no other is
// made of its absence. Where is a JSON pointer into the tenant as [Config] writes it. [Rules] has the
// codes of this package, which begin with "signin-".
func (c Config) Findings(at time.Time) lint.Findings {
	var found lint.Findings
	if !c.Lacks(propertyPolicy) { // else there is nothing to check
		found = c.Policy.Findings()
	}
	for i := range found {
		if strings.HasPrefix(found[i].Where, "/") {
			found[i].Where = atPolicy + found[i].Where
		}
	}
	return slices.Concat(found, c.Trust.Findings(at), c.together(at))
}

// atPolicy is where the policy is in a tenant.
const atPolicy = "/" + propertyPolicy

// together checks policy and CAs together.
func (c Config) together(at time.Time) lint.Findings {
	options := trust.Options{} // package trust has a finding about CAs that it leaves out
	store, err := c.Trust.Compile(options)
	if err != nil {
		return nil
	}
	compiled, err := c.Policy.Compile(policy.Readings{})
	if err != nil {
		return nil
	}
	l := linter{config: c, policy: compiled, store: store, partial: c.partialStores()}
	for _, name := range c.Missing {
		l.add(incomplete, "/"+name, name, "the input does not contain %s, so what depends on it was not checked", name)
	}
	for _, ca := range store.CAs() {
		if at.Before(ca.Certificate.NotAfter) {
			l.live = append(l.live, ca)
		}
	}
	l.authorities()
	l.rules()
	l.scopes()
	l.revocation()
	l.hints()
	if around, err := c.surroundings(); err == nil && around.preferred == "default" && c.Policy.State == policy.Enabled && len(c.Policy.IncludeTargets) > 0 {
		l.add(preferred, "/"+propertyPreferred+"/state", propertyPreferred, "")
	}
	return l.findings
}

// A linter collects findings.
type linter struct {
	config   Config
	policy   *policy.Policy
	store    *trust.Store
	live     []*trust.CA // those that have not expired
	partial  bool        // not every CA of the tenant is known: one that is not found may exist
	findings lint.Findings
}

// partialStores reports whether the tenant may have CAs that the configuration does not
// contain.
func (c Config) partialStores() bool {
	return c.Lacks(propertyPKIs) || c.Lacks(propertyClassic) ||
		slices.ContainsFunc(c.Trust.PKIs, func(p trust.PKI) bool { return p.CertificateAuthorities == nil && p.DeletedDateTime.IsZero() })
}

func (l *linter) add(r lint.Rule, where, about, format string, args ...any) {
	l.findings = append(l.findings, r.At(where, about, format, args...))
}

// addCA adds a finding about a CA, at its entry in force.
func (l *linter) addCA(r lint.Rule, ca *trust.CA) {
	where := ""
	for i, pki := range l.config.Trust.PKIs {
		for j, a := range pki.CertificateAuthorities {
			if ca.Origin == trust.PKIStore && pki.DisplayName == ca.PKI && pki.DeletedDateTime.IsZero() && bytes.Equal(a.Certificate, ca.Certificate.Raw) {
				where = fmt.Sprintf("/%s/%d/certificateAuthorities/%d", propertyPKIs, i, j)
			}
		}
	}
	for j, a := range l.config.Trust.Classic.CertificateAuthorities {
		if ca.Origin == trust.ClassicStore && bytes.Equal(a.Certificate, ca.Certificate.Raw) {
			where = fmt.Sprintf("/%s/certificateAuthorities/%d", propertyClassic, j)
		}
	}
	l.add(r, where, ca.Entry.String(), "")
}

func (l *linter) authorities() {
	if l.config.Policy.State == policy.Enabled && len(l.live) == 0 && !l.partial {
		l.add(noAuthority, "/"+propertyPKIs, "trust stores", "")
	}
}

// issuesUsers reports whether a CA may issue to users: according to key identifiers
// it has issued no other CA of the trust stores.
func (l *linter) issuesUsers(ca *trust.CA) bool {
	return !slices.ContainsFunc(l.store.CAs(), func(other *trust.CA) bool {
		return other != ca && !other.SelfSigned && len(ca.Certificate.SubjectKeyId) > 0 &&
			bytes.Equal(other.Certificate.AuthorityKeyId, ca.Certificate.SubjectKeyId)
	})
}

func (l *linter) rules() {
	for i, rule := range l.config.Policy.AuthenticationMode.Rules {
		name := rule.Issuer()
		if name == "" {
			continue
		}
		issuer, err := dn.Parse(name)
		if err != nil {
			continue // package policy has a finding about it
		}
		where, about := fmt.Sprintf("%s/authenticationModeConfiguration/rules/%d", atPolicy, i), fmt.Sprintf("rule %d (issuer %q)", i+1, name)
		named := slices.DeleteFunc(slices.Clone(l.store.CAs()), func(ca *trust.CA) bool { return !ca.Subject.Equal(issuer) })
		reversed := slices.Clone(issuer)
		slices.Reverse(reversed)
		switch {
		case len(named) > 0 && !slices.ContainsFunc(named, l.issuesUsers):
			l.add(ruleParent, where, about, "")
		case len(named) > 0:
		case slices.ContainsFunc(l.store.CAs(), func(ca *trust.CA) bool { return ca.Subject.Equal(reversed) }):
			l.add(ruleReversed, where, about, "the rule has the name of a CA in the order of certificateUserIds, and never matches; the CA is %s", reversed)
		case !l.partial:
			l.add(ruleUnknownIssuer, where, about, "")
		}
	}
}

func (l *linter) scopes() {
	for i, scope := range l.config.Policy.CertificateAuthorityScopes {
		where := fmt.Sprintf("%s/certificateAuthorityScopes/%d", atPolicy, i)
		about := fmt.Sprintf("certificateAuthorityScopes[%d], %s", i, scope.SubjectKeyIdentifier)
		id, _ := keyid.Parse(scope.SubjectKeyIdentifier) // what cannot be read names no CA
		named := l.store.WithSKI(id)
		if len(named) == 0 {
			if !l.partial {
				l.add(scopeUnknownAuthority, where, about, "")
			}
			continue
		}
		pki := scope.PublicKeyInfrastructureIdentifier
		if pki != "" && !slices.ContainsFunc(named, func(ca *trust.CA) bool { return ca.InPKI(pki) }) {
			l.add(scopeOtherPKI, where, about, "the CA is not in the PKI %q, which the scope names", pki)
		}
	}
}

func (l *linter) revocation() {
	for i, ski := range l.config.Policy.CRLValidation.ExemptedSKIs {
		if id, _ := keyid.Parse(ski); len(l.store.WithSKI(id)) == 0 && !l.partial {
			l.add(exemptionUnknownAuthority, fmt.Sprintf("%s/crlValidationConfiguration/exemptedCertificateAuthoritiesSubjectKeyIdentifiers/%d", atPolicy, i),
				"crlValidationConfiguration, exempted "+ski, "")
		}
	}
	if !l.policy.CRLRequired() {
		return
	}
	for _, ca := range l.live {
		if ca.CRL != "" || !l.issuesUsers(ca) || l.policy.CRLExempt(ca.SKI) {
			continue
		}
		l.addCA(crlRequired, ca)
	}
}

func (l *linter) hints() {
	if !l.policy.IssuerHints() {
		return
	}
	hints := l.store.Hints()
	if !hints.Flagged {
		return
	}
	for _, ca := range l.live {
		if !l.issuesUsers(ca) || slices.ContainsFunc(hints.List, func(h trust.Hint) bool { return h.Subject.Equal(ca.Subject) }) {
			continue
		}
		l.addCA(notHinted, ca)
	}
}

// UserFindings checks the values that are stored with one user against the tenant:
// values that are malformed, that no username binding uses, that have a lower
// affinity than required, or that name an issuer which is not among the CAs; and a
// user whom no username binding can match. Where is a JSON pointer into the user.
//
// It needs no certificate: [Tenant.Explain] says more about a user with one. Codes
// begin with "signin-user-" or are those of package certuserid. A nil tenant has no
// findings.
func (t *Tenant) UserFindings(user policy.User) lint.Findings {
	if !t.ready() {
		return nil
	}
	c := t.config
	l := linter{config: c, policy: t.policy, store: t.trust, partial: c.partialStores()}
	who := user.UserPrincipalName
	high := c.Policy.AuthenticationMode.DefaultAffinity == certuserid.High
	usable := false
	for _, b := range c.Policy.UserBindings {
		if high && b.Field.Affinity() != certuserid.High || !b.Supported() {
			continue
		}
		switch b.Property {
		case policy.UserPrincipalName:
			usable = usable || user.UserPrincipalName != ""
		case policy.OnPremisesUserPrincipalName:
			usable = usable || user.OnPremisesUserPrincipalName != ""
		}
	}
	for i, value := range user.AuthorizationInfo.CertificateUserIDs {
		where, about := fmt.Sprintf("%s/%d", atUserIDs, i), fmt.Sprintf("%s, certificateUserIds[%d]", who, i)
		id, err := certuserid.Parse(value)
		if err != nil {
			_, found := certuserid.Normalize(value, nil)
			for _, f := range found {
				f.Where, f.About = where, about
				l.findings = append(l.findings, f)
			}
			continue
		}
		binding := slices.IndexFunc(c.Policy.UserBindings, func(b policy.UserBinding) bool {
			return certuserid.Mapping(b.Field) == id.Mapping() && b.Property == policy.CertificateUserIDs
		})
		switch {
		case binding < 0:
			l.add(userIDUnbound, where, about, "no username binding uses %v with certificateUserIds, so the value has no effect", id.Mapping())
		case high && id.Mapping().Affinity() != certuserid.High:
			l.add(userIDLow, where, about, "the tenant requires high affinity, and %v has low affinity", id.Mapping())
		default:
			usable = true
		}
		if issuer := id.Issuer(); issuer != "" && !slices.ContainsFunc(t.trust.CAs(), func(ca *trust.CA) bool {
			return strings.EqualFold(ca.Subject.Windows(), issuer)
		}) && !l.partial {
			l.add(userIDUnknownIssuer, where, about, "no CA of the trust stores has the name %s", text.Quote(issuer))
		}
	}
	unknown := c.Lacks(propertyPolicy) || slices.ContainsFunc(user.Missing, func(property policy.UserProperty) bool {
		return property == policy.UserPrincipalName || property == policy.OnPremisesUserPrincipalName || property == "authorizationInfo"
	})
	if !usable && !unknown {
		l.add(userUnbound, atUserIDs, who, "")
	}
	return l.findings
}

// atUserIDs is where the values are in a user.
const atUserIDs = "/authorizationInfo/certificateUserIds"
