package signin

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"example.com/entracba/cba/internal/text"
	"example.com/entracba/cba/keyid"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/trust"
)

// Calls that settle what is missing, as paths of Microsoft Graph.
const (
	callGroups = "GET /users/{id}/transitiveMemberOf?$select=id, as the user's transitiveMemberOf"
	callUser   = "GET /users/{id}?$select=id,userPrincipalName,onPremisesUserPrincipalName,accountEnabled,userType,authorizationInfo"
	callPolicy = "GET /policies/authenticationMethodsPolicy/authenticationMethodConfigurations/x509Certificate"
	callPKIs   = "GET /directory/publicKeyInfrastructure/certificateBasedAuthConfigurations"
	callOldCAs = "GET /organization/{id}/certificateBasedAuthConfiguration"
	callLimits = "GET /policies/authenticationStrengthPolicies/{id}?$expand=combinationConfigurations"
)

// curable reports whether a chain may be trusted by what is not known here: a CA that is
// not in the stores as they are known, or a signature that cannot be checked.
func (t *Tenant) curable(chain trust.Chain) bool {
	return !chain.Trusted && !slices.ContainsFunc(chain.Failures, func(f trust.Failure) bool {
		switch f.Cause {
		case trust.IssuerUnreadable, trust.UncheckedSignature:
			return false
		case trust.IssuerNotFound:
			return len(t.unknownCAs) == 0
		}
		return true
	})
}

// wanted is the key identifier of the CA that a chain ends without.
func wanted(chain trust.Chain) keyid.ID {
	cert := chain.Leaf
	if n := len(chain.CAs); n > 0 {
		cert = chain.CAs[n-1].Certificate
	}
	return keyid.Of(cert.AuthorityKeyId)
}

// unknownCAs lists what a tenant's file does not have of its CAs.
func unknownCAs(c Config, store *trust.Store) []Missing {
	var list []Missing
	for _, ca := range store.Unreadable() {
		if ca.Certificate != nil && len(ca.Certificate.SubjectKeyId) > 0 {
			continue // a chain that needs this one says so: trust.IssuerUnreadable
		}
		var e *trust.Error
		place := ""
		if errors.As(ca.Err, &e) {
			place = e.Where
		}
		list = append(list, Missing{"tenant" + place, ca.Entry.String() + " cannot be read, and the chain ends at a CA that no other entry is: " + ca.Err.Error(),
			"read the tenant again; if the certificate still cannot be read, check it with another tool"})
	}
	const why = "the chain ends at a CA that the file does not have, and this may have it"
	if c.Lacks(propertyPKIs) {
		list = append(list, Missing{"tenant." + propertyPKIs, why, callPKIs + ", and the certificateAuthorities of each"})
	}
	if c.Lacks(propertyClassic) {
		list = append(list, Missing{"tenant." + propertyClassic, why, callOldCAs})
	}
	if !c.Lacks(propertyClassic) && c.Trust.Classic.LacksAuthorities() {
		list = append(list, Missing{"tenant." + propertyClassic + ".certificateAuthorities", why, callOldCAs})
	}
	for _, pki := range c.Trust.PKIs {
		if pki.DeletedDateTime.IsZero() && pki.LacksAuthorities() {
			id := pki.ID
			if id == "" {
				id = "{id}"
			}
			list = append(list, Missing{fmt.Sprintf("tenant.%s[%s].certificateAuthorities", propertyPKIs, text.Quote(pki.DisplayName)),
				fmt.Sprintf("PKI %s has no certificateAuthorities in this file, and the chain ends at a CA that the file does not have", text.Quote(pki.DisplayName)),
				callPKIs + "/" + id + "/certificateAuthorities"})
		}
	}
	return list
}

// missing lists what is not known and decides, under the best reading.
func (ev *evaluation) missing() []Missing {
	var list []Missing
	add := func(what, why, how string) {
		if !slices.ContainsFunc(list, func(m Missing) bool { return m.What == what }) {
			list = append(list, Missing{what, why, how})
		}
	}
	t, user, v := ev.tenant, ev.request.User, ev.reading
	config := t.config.Policy
	const inPolicy = "tenant." + propertyPolicy + "."
	absent := config.Missing()
	ofPolicy := func(name, why string) {
		if slices.Contains(absent, name) {
			add(inPolicy+name, why, callPolicy)
		}
	}
	groups := func(why string) {
		if lacks(user, policy.MemberOf) && lacks(user, policy.TransitiveMemberOf) {
			add("user.memberOf", why, callGroups)
		}
		if lacks(user, policy.ObjectID) && user.ID == "" {
			add("user.id", why, callUser)
		}
	}
	d := v.decision
	if t.config.Lacks(propertyPolicy) {
		absent = nil
		add("tenant."+propertyPolicy, "it decides who may sign in with a certificate", callPolicy)
	}
	if d.EnabledUnknown {
		ofPolicy("state", "it says whether certificate-based authentication is enabled")
	}
	if d.ScopeUnknown {
		ofPolicy("includeTargets", "they say for whom the method is")
		ofPolicy("excludeTargets", "one may exclude the user")
		include, exclude, unread := targetsOf(config)
		var why []string
		if len(include) > 0 {
			why = append(why, "the method is for "+text.Some(include, 5))
		}
		if len(exclude) > 0 {
			why = append(why, text.Some(exclude, 5)+" may not use it")
		}
		if len(why) > 0 {
			groups(strings.Join(why, "; "))
		}
		for _, target := range unread {
			add(inPolicy+target, "the target is of a type that this version does not know, or its id is no object id", "look the target up in the portal")
		}
	}
	if d.BindingUnknown {
		ofPolicy("certificateUserBindings", "they say which user the certificate is bound to")
		for _, b := range config.UserBindings {
			for _, p := range [...]policy.UserProperty{policy.UserPrincipalName, policy.OnPremisesUserPrincipalName, policy.CertificateUserIDs} {
				if !b.Supported() || !strings.EqualFold(string(b.Property), string(p)) || !lacks(user, p) {
					continue
				}
				what := "user." + string(p)
				if p == policy.CertificateUserIDs {
					what = "user.authorizationInfo"
				}
				add(what, fmt.Sprintf("a username binding compares the certificate's %s with it", b.Field), callUser)
			}
		}
	}
	if t.curable(v.chain) {
		list = append(list, t.unknownCAs...)
		for _, f := range v.chain.Failures {
			if f.Cause == trust.UncheckedSignature {
				add("certificate", f.Detail, "check the chain with another tool, or without GODEBUG=fips140=only")
			}
		}
		for _, u := range t.trust.Unreadable() {
			var e *trust.Error
			if errors.As(u.Err, &e) && v.chain.Failures[0].Cause == trust.IssuerUnreadable && u.Certificate != nil &&
				(len(u.Certificate.SubjectKeyId) == 0 || keyid.Of(u.Certificate.SubjectKeyId) == wanted(v.chain)) {
				add("tenant"+e.Where, fmt.Sprintf("the certificate of %s cannot be read here, and the chain may end at it", u.Entry),
					"check the chain with another tool")
			}
		}
	}
	if v.scope.Undecided {
		ofPolicy("certificateAuthorityScopes", "one may keep the user from using this chain")
		var ids []string
		for i, s := range config.CertificateAuthorityScopes {
			for _, target := range s.IncludeTargets {
				ids = append(ids, text.Quote(target.ID))
			}
			if _, err := keyid.Parse(s.SubjectKeyIdentifier); err != nil {
				add(fmt.Sprintf("%scertificateAuthorityScopes/%d/subjectKeyIdentifier", inPolicy, i), "it cannot be read, so the scope may restrict this chain", "write it in hexadecimal; the CA's certificate has it")
			}
		}
		if len(ids) > 0 {
			groups("a CA scope lets in only " + text.Some(ids, 5))
		}
	}
	if _, unknown, _, why, _ := ev.requirement(v); unknown {
		add("strength.combinationConfigurations", why, callLimits)
	}
	for _, doubt := range v.doubts {
		add(inPolicy+doubt.Where, doubt.Why, callPolicy)
	}
	return list
}

// targetsOf lists the groups of the include and exclude targets, and the places of
// targets that cannot be read.
func targetsOf(c policy.Config) (include, exclude, unread []string) {
	unreadIncludes, unreadExcludes := c.UnreadTargets()
	for i, t := range c.IncludeTargets {
		if slices.Contains(unreadIncludes, i) {
			unread = append(unread, fmt.Sprintf("includeTargets/%d", i))
		} else {
			include = append(include, string(t.Type)+" "+text.Quote(t.ID))
		}
	}
	if slices.ContainsFunc(c.IncludeTargets, func(t policy.IncludeTarget) bool { return strings.EqualFold(t.ID, policy.AllUsersID) }) {
		include = nil // no group decides
	}
	for i, t := range c.ExcludeTargets {
		if slices.Contains(unreadExcludes, i) {
			unread = append(unread, fmt.Sprintf("excludeTargets/%d", i))
		} else {
			exclude = append(exclude, string(t.Type)+" "+text.Quote(t.ID))
		}
	}
	return include, exclude, unread
}

// lacks reports whether a property of a user is not known.
func lacks(u *policy.User, p policy.UserProperty) bool { return slices.Contains(u.Missing, p) }
