package signin

import (
	"slices"

	"example.com/entracba/cba/lint"
)

// Rules returns the rules of this package, whose findings [Config.Findings],
// [Tenant.UserFindings] and [CRLFindings] can have beside those of packages policy, trust and
// certuserid.
func Rules() []lint.Rule { return slices.Clone(rules) }

var (
	noAuthority = lint.Rule{Code: "signin-no-authority", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.Authorities,
		What: "certificate-based authentication is enabled and no CA is valid, so nobody can sign in with a certificate",
		Do:   "upload every CA up to the root"}
	incomplete = lint.Rule{Code: "signin-incomplete", Severity: lint.Info, Source: lint.HowTo,
		What: "the input does not contain a part of the tenant, so what depends on it was not checked",
		Do:   "read the part as well and check again"}
	ruleParent = lint.Rule{Code: "signin-rule-parent", Severity: lint.Warning, Source: sourceBindings,
		What: "the rule names a CA that issued other CAs of the trust stores; a rule goes only by the issuer of the user's certificate",
		Do:   "name the CA that issues the users' certificates"}
	ruleReversed = lint.Rule{Code: "signin-rule-reversed", Severity: lint.Error, Source: sourceBindings,
		What: "the rule has the name of a CA in the order of certificateUserIds, and never matches",
		Do:   "write the name with its most specific part first"}
	ruleUnknownIssuer = lint.Rule{Code: "signin-rule-unknown-issuer", Severity: lint.Warning, Source: sourceBindings,
		What: "no CA of the trust stores has this name, so the rule never matches",
		Do:   "correct the name, or upload the CA: the rule needs the CA's subject, with its most specific part first"}
	scopeUnknownAuthority = lint.Rule{Code: "signin-scope-unknown-authority", Severity: lint.Error, Effect: lint.LetsIn, Source: sourceScopes,
		What: "no CA of the trust stores has this key identifier, so the scope restricts nobody",
		Do:   "set the subject key identifier of a CA of the trust stores"}
	scopeOtherPKI = lint.Rule{Code: "signin-scope-other-pki", Severity: lint.Warning, Source: sourceScopes,
		What: "the CA is not in the PKI that the scope names",
		Do:   "set the display name of the PKI that contains the CA"}
	exemptionUnknownAuthority = lint.Rule{Code: "signin-exemption-unknown-authority", Severity: lint.Warning, Source: lint.Revocation,
		What: "no CA of the trust stores has this key identifier, so the exemption has no effect",
		Do:   "remove it, or set the subject key identifier of a CA of the trust stores"}
	crlRequired = lint.Rule{Code: "signin-crl-required", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.Revocation,
		What: "CRL validation is required and the CA has no CRL URL, so everybody with a certificate of this CA is refused",
		Do:   "set the http URL of the CA's CRL, or exempt the CA from CRL validation"}
	notHinted = lint.Rule{Code: "signin-not-hinted", Severity: lint.Warning, Effect: lint.LocksOut, Source: sourceHints,
		What: "issuer hints are enabled and only flagged CAs are sent (open question 9.8), so clients may not offer certificates of this CA",
		Do:   "set isIssuerHintEnabled on this CA, or on none"}
	preferred = lint.Rule{Code: "signin-preferred", Severity: lint.Warning, Effect: lint.LocksOut, Source: lint.SystemPreferred,
		What: "system-preferred authentication is Microsoft-managed: users in scope without a certificate fail at once and must choose \"Sign in another way\" by hand",
		Do:   "target only groups of users who have a certificate, or disable system-preferred authentication for the others"}
	crlUnusable = lint.Rule{Code: "signin-crl-unusable", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.Revocation,
		What: "the CRL cannot be used, so users of this CA are refused",
		Do:   "publish a CRL that the CA has signed at this URL, or correct the URL"}
	crlSlow = lint.Rule{Code: "signin-crl-slow", Severity: lint.Warning, Effect: lint.LocksOut, Source: lint.Revocation,
		What: "the CRL takes more than half of the time that Entra waits in a sign-in",
		Do:   "publish the CRL closer to the internet, or make it smaller"}
	crlOfExpiredCA = lint.Rule{Code: "signin-crl-of-expired-ca", Severity: lint.Info, Source: lint.Revocation,
		What: "something is wrong with the CRL of a CA that has expired, so no one is affected",
		Do:   "remove the CA from the trust store"}

	userIDUnbound = lint.Rule{Code: "signin-user-id-unbound", Severity: lint.Warning, Source: lint.UserIDs,
		What: "no username binding uses values of this kind, so the value has no effect",
		Do:   "add a username binding of this kind with certificateUserIds, or store a value of another kind"}
	userIDLow = lint.Rule{Code: "signin-user-id-low", Severity: lint.Warning, Source: lint.UserIDs,
		What: "the tenant requires high affinity, and the value has low affinity",
		Do:   "store a value with high affinity: SKI, SHA1PublicKey or IssuerAndSerialNumber"}
	userIDUnknownIssuer = lint.Rule{Code: "signin-user-id-unknown-issuer", Severity: lint.Warning, Source: lint.UserIDs,
		What: "no CA of the trust stores has the name in the value",
		Do:   "compare the name with the subject of the CA, root first"}
	userIDShared = lint.Rule{Code: "signin-user-id-shared", Severity: lint.Error, Effect: lint.LetsIn, Source: lint.UserIDs,
		What: "two users have the same value, so one certificate signs in as both; the directory accepts a value for one user only",
		Do:   "remove the value from the user to whom the certificate does not belong"}
	userUnbound = lint.Rule{Code: "signin-user-unbound", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.UserIDs,
		What: "no username binding can match this user, so no certificate signs the user in",
		Do:   "store a value that a username binding of the required affinity uses"}
)

var rules = []lint.Rule{
	noAuthority, incomplete, ruleParent, ruleReversed, ruleUnknownIssuer, scopeUnknownAuthority, scopeOtherPKI, exemptionUnknownAuthority, crlRequired, notHinted, preferred,
	crlUnusable, crlSlow, crlOfExpiredCA,
	userIDUnbound, userIDLow, userIDUnknownIssuer, userIDShared, userUnbound,
}
