package signin

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/trust"
)

const (
	sourceRules = "Learn: CBA technical deep dive, authentication binding"
	sourceHints = "Learn: CBA technical deep dive, issuer hints"
	sourceIDs   = "Learn: Certificate user IDs"
)

// Findings checks the whole tenant at a time: the policy by itself, the trust
// stores by themselves, and then what only shows when the two are looked at
// together. Codes of the last begin with "signin-".
func (c Config) Findings(at time.Time) lint.Findings {
	return slices.Concat(c.Policy.Findings(), c.Trust.Findings(at), c.together(at))
}

// together checks what concerns policy and authorities.
func (c Config) together(at time.Time) lint.Findings {
	options := trust.Options{SkipUnreadable: true} // package trust has a finding about those
	store, err := c.Trust.Compile(options)
	if err != nil {
		return nil
	}
	l := linter{config: c, policy: c.Policy.Compile(), store: store}
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
	return l.findings
}

// A linter collects findings.
type linter struct {
	config   Config
	policy   *policy.Policy
	store    *trust.Store
	live     []*trust.CA // those that have not expired
	findings lint.Findings
}

func (l *linter) add(code string, severity lint.Severity, effect lint.Effect, where, do, source, what string, args ...any) {
	l.findings = append(l.findings, lint.Finding{Code: code, Severity: severity, Effect: effect, Where: where,
		What: fmt.Sprintf(what, args...), Do: do, Source: lint.Source(source)})
}

func (l *linter) authorities() {
	if l.config.Policy.State == policy.Enabled && len(l.live) == 0 {
		l.add("signin-no-authority", lint.Error, lint.LocksOut, "trust stores",
			"store every certificate authority up to the root", sourceChain,
			"the method is enabled and no certificate authority is valid: nobody can sign in with a certificate")
	}
}

// issuesUsers reports whether an authority may be one that issues to users: it
// has not issued another one of the stores, so far as key identifiers tell.
func (l *linter) issuesUsers(ca *trust.CA) bool {
	return !slices.ContainsFunc(l.store.CAs(), func(other *trust.CA) bool {
		return other != ca && !other.SelfSigned && len(ca.Certificate.SubjectKeyId) > 0 &&
			bytes.Equal(other.Certificate.AuthorityKeyId, ca.Certificate.SubjectKeyId)
	})
}

func (l *linter) rules() {
	for i, rule := range l.config.Policy.AuthenticationMode.Rules {
		text := rule.Issuer()
		if text == "" {
			continue
		}
		issuer, err := dn.Parse(text)
		if err != nil {
			continue // package policy has a finding about it
		}
		where := fmt.Sprintf("rules[%d], issuer %q", i, text)
		named := slices.DeleteFunc(slices.Clone(l.store.CAs()), func(ca *trust.CA) bool { return !ca.Subject.Equal(issuer) })
		reversed := slices.Clone(issuer)
		slices.Reverse(reversed)
		switch {
		case len(named) > 0 && !slices.ContainsFunc(named, l.issuesUsers):
			l.add("signin-rule-parent", lint.Warning, 0, where,
				"name the authority that signs the users' certificates", sourceRules,
				"the rule names an authority that has issued other authorities of the stores; a rule goes by the issuer of the user's certificate alone")
		case len(named) > 0:
		case slices.ContainsFunc(l.store.CAs(), func(ca *trust.CA) bool { return ca.Subject.Equal(reversed) }):
			l.add("signin-rule-reversed", lint.Error, 0, where,
				"write the most specific part first: "+reversed.String(), sourceRules,
				"the rule has the name of an authority of the stores in the order of certificateUserIds, and never fires")
		default:
			l.add("signin-rule-unknown-issuer", lint.Warning, 0, where,
				"correct the name, or store the authority; its subject, most specific part first, is what counts", sourceRules,
				"no certificate authority of the stores has this name, so the rule never fires")
		}
	}
}

func (l *linter) scopes() {
	for i, scope := range l.config.Policy.CertificateAuthorityScopes {
		where := fmt.Sprintf("certificateAuthorityScopes[%d], %s", i, scope.SubjectKeyIdentifier)
		named := l.store.WithSKI(scope.SubjectKeyIdentifier)
		if len(named) == 0 {
			l.add("signin-scope-unknown-authority", lint.Error, lint.LetsIn, where,
				"write the subject key identifier of an authority of the stores", sourceScopes,
				"no certificate authority of the stores has this key identifier, so the scope restricts nobody")
			continue
		}
		pki := scope.PublicKeyInfrastructureIdentifier
		if pki != "" && !slices.ContainsFunc(named, func(ca *trust.CA) bool { return ca.InPKI(pki) }) {
			l.add("signin-scope-other-pki", lint.Warning, 0, where,
				"write the display name of the PKI that holds the authority", sourceScopes,
				"the authority is not in the PKI %q that the scope names", pki)
		}
	}
}

func (l *linter) revocation() {
	for _, ski := range l.config.Policy.CRLValidation.ExemptedSKIs {
		if len(l.store.WithSKI(ski)) == 0 {
			l.add("signin-exemption-unknown-authority", lint.Warning, 0, "crlValidationConfiguration, exempted "+ski,
				"remove it, or write the subject key identifier of an authority of the stores", sourceRevocation,
				"no certificate authority of the stores has this key identifier")
		}
	}
	if !l.policy.CRLRequired() {
		return
	}
	for _, ca := range l.live {
		if ca.CRL != "" || !l.issuesUsers(ca) || l.policy.CRLExempt(ca.Certificate.SubjectKeyId) {
			continue
		}
		l.add("signin-crl-required", lint.Error, lint.LocksOut, ca.Entry.String(),
			"store the http URL of its list with it, or exempt it from CRL validation", sourceRevocation,
			"CRL validation is required and the authority has no CRL URL: everybody with a certificate of it is refused")
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
		l.add("signin-not-hinted", lint.Warning, lint.LocksOut, ca.Entry.String(),
			"flag it with isIssuerHintEnabled, or flag none", sourceHints,
			"issuer hints are on and only flagged authorities are sent (open question 9.8); clients may not offer certificates of this one")
	}
}

// UserFindings checks what is stored with one user against the tenant: values
// that are malformed, that no binding compares, that the required affinity
// passes over, or that name an issuer which is not among the authorities, and a
// user whom nothing of it all can bind.
//
// Without the user's certificates this is all that can be told; [Tenant.Explain]
// tells the rest. Codes begin with "signin-user-" or are those of package
// certuserid.
func (t *Tenant) UserFindings(user policy.User) lint.Findings {
	c := t.config
	l := linter{config: c, policy: t.policy, store: t.trust}
	who := user.UserPrincipalName
	high := c.Policy.AuthenticationMode.DefaultAffinity == policy.HighAffinity
	usable := false
	for _, b := range c.Policy.UserBindings {
		if high && b.Field.Affinity() != policy.HighAffinity || !b.Field.BindsTo(b.Property) {
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
		where := fmt.Sprintf("%s, certificateUserIds[%d]", who, i)
		id, err := certuserid.Parse(value)
		if err != nil {
			_, found := certuserid.Normalize(value, nil)
			for _, f := range found {
				f.Where = where
				l.findings = append(l.findings, f)
			}
			continue
		}
		binding := slices.IndexFunc(c.Policy.UserBindings, func(b policy.UserBinding) bool {
			return certuserid.Mapping(b.Field) == id.Mapping() && b.Property == policy.CertificateUserIDs
		})
		switch {
		case binding < 0:
			l.add("signin-user-id-unbound", lint.Warning, 0, where,
				"add a binding of "+id.Mapping().Name()+" to certificateUserIds, or store another form", sourceIDs,
				"no username binding compares values of %v", id.Mapping().Name())
		case high && id.Mapping().Affinity() != certuserid.High:
			l.add("signin-user-id-low", lint.Warning, 0, where,
				"store a value of high affinity: SKI, SHA1PublicKey or IssuerAndSerialNumber", sourceIDs,
				"the tenant requires high affinity, and %v is a low one", id.Mapping().Name())
		default:
			usable = true
		}
		if issuer := id.Issuer(); issuer != "" && !slices.ContainsFunc(t.trust.CAs(), func(ca *trust.CA) bool {
			return strings.EqualFold(ca.Subject.Windows(), issuer)
		}) {
			l.add("signin-user-id-unknown-issuer", lint.Warning, 0, where,
				"compare with the subject of the authority, root first", sourceIDs,
				"no certificate authority of the stores has the name %q", issuer)
		}
	}
	if !usable {
		l.add("signin-user-unbound", lint.Error, lint.LocksOut, who,
			"store a value that a binding of the required affinity compares", sourceIDs,
			"nothing of this user can be bound: no certificate signs the user in")
	}
	return l.findings
}
