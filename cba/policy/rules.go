package policy

import (
	"slices"

	"example.com/entracba/cba/lint"
)

// Rules returns the rules of [Config.Findings].
func Rules() []lint.Rule { return slices.Clone(rules[:]) }

// sourceTargets is the source of both lists of targets.
const sourceTargets = lint.GraphIncludeTarget + "; " + lint.GraphExcludeTarget

// Indexes of rules.
const (
	unknownProperty = iota
	unknownValue
	disabled
	wrongID
	hintsOff

	noTargets
	excludesAll
	allUsers
	includedAndExcluded
	registrationRequired
	targetID
	targetType
	targetUser
	targetDuplicate

	noBindings
	bindingPriority
	bindingField
	bindingProperty
	bindingPair
	bindingDuplicate
	bindingLowMany
	bindingMany
	bindingStatesHigh
	bindingStatesLow
	bindingName
	bindingSHA1

	defaultMultifactor
	defaultMissing
	affinityNoBinding
	affinityAmbiguous

	ruleSpaces
	ruleNoType
	ruleType
	ruleExtra
	ruleCombined
	ruleIncomplete
	ruleIssuer
	ruleRootFirst
	ruleOID
	ruleIdentifier
	ruleMode
	ruleIssuerMultifactor
	ruleAnyPolicy
	ruleAffinityNoBinding
	issuerBoth
	ruleConflict
	ruleAffinities
	ruleDuplicate

	scopesMany
	scopesUsed
	scopeSKI
	scopeSKIForm
	scopeDuplicate
	scopeName
	scopeNoGroup
	scopeGroups
	scopeTarget

	crlOff
	crlState
	crlExempted
	crlExemptedIdle
	crlSKI
	crlSKIForm
	crlDuplicate

	tooLarge
	large
)

// rules are the rules of this package, in the order in which findings come.
var rules = [...]lint.Rule{
	unknownProperty: {Code: "policy-unknown-property", Severity: lint.Info,
		What: "the configuration has a property that this version does not know", Do: "look it up in the documentation of Graph; it is kept and sent back", Source: lint.GraphConfiguration},
	unknownValue: {Code: "policy-unknown-value", Severity: lint.Warning,
		What: "a property has a value that this version does not know; it never counts in favor of a sign-in", Do: "use one of the documented values", Source: lint.GraphEvolvable},
	disabled: {Code: "policy-disabled", Severity: lint.Info,
		What: "certificate-based authentication is not enabled, so no user can sign in with a certificate", Source: lint.GraphConfiguration},
	wrongID: {Code: "policy-id", Severity: lint.Warning,
		What: "the id is not that of the certificate configuration", Do: `take the configuration with the id "X509Certificate"`, Source: lint.GraphConfiguration},
	hintsOff: {Code: "policy-hints-off", Severity: lint.Info,
		What: "issuer hints are off, so browsers offer users every certificate they have, also those of other CAs", Do: "enable issuer hints if users pick the wrong certificate", Source: lint.DeepDive + ", issuer hints"},

	noTargets: {Code: "policy-no-targets", Severity: lint.Error, Effect: lint.LocksOut,
		What: "there are no include targets, so the method applies to no user", Do: "include a group", Source: sourceTargets},
	excludesAll: {Code: "policy-excludes-all", Severity: lint.Error, Effect: lint.LocksOut,
		What: "every user is excluded", Do: "exclude only the groups that must not use certificates", Source: sourceTargets},
	allUsers: {Code: "policy-all-users", Severity: lint.Warning,
		What: "the method is enabled for all users, so a mistake in bindings or rules affects the whole tenant, including guests and administrators",
		Do:   "enable it for groups first, and keep the emergency accounts out", Source: lint.HowTo},
	includedAndExcluded: {Code: "policy-included-and-excluded", Severity: lint.Warning,
		What: "the target is both included and excluded, and exclusion wins", Do: "remove one of the two", Source: sourceTargets},
	registrationRequired: {Code: "policy-registration-required", Severity: lint.Info,
		What: "isRegistrationRequired is true; every documented sample has false, because there is nothing to register", Do: "set it to false", Source: sourceTargets},
	targetID: {Code: "policy-target-id", Severity: lint.Error,
		What: "the target has no valid id, so it matches nobody", Do: "use the object id of a group, not its name", Source: sourceTargets},
	targetType: {Code: "policy-target-type", Severity: lint.Error,
		What: "the target has no type", Do: `set it to "group"`, Source: sourceTargets},
	targetUser: {Code: "policy-target-user", Severity: lint.Warning,
		What: "the target is a single user, which the portal can no longer show or change", Do: "put the user into a group", Source: sourceTargets},
	targetDuplicate: {Code: "policy-target-duplicate", Severity: lint.Info,
		What: "the target appears twice in the list", Do: "remove one", Source: sourceTargets},

	noBindings: {Code: "policy-no-bindings", Severity: lint.Error, Effect: lint.LocksOut,
		What: "there are no username bindings, so no certificate can be connected to a user", Do: "add a binding with high affinity", Source: lint.DeepDive},
	bindingPriority: {Code: "policy-binding-priority", Severity: lint.Error,
		What: "the priority is negative or not unique", Do: "number the bindings 1, 2, 3", Source: lint.GraphUserBinding},
	bindingField: {Code: "policy-binding-field", Severity: lint.Error,
		What: "the binding has no certificate field, so it matches nobody", Do: "set x509CertificateField, or remove the binding", Source: lint.GraphUserBinding},
	bindingProperty: {Code: "policy-binding-property", Severity: lint.Error,
		What: "the binding has no user property, so it matches nobody", Do: "set userProperty, or remove the binding", Source: lint.GraphUserBinding},
	bindingPair: {Code: "policy-binding-pair", Severity: lint.Error,
		What: "the service does not support this pair of certificate field and user property", Do: "bind the field to certificateUserIds", Source: lint.DeepDive},
	bindingDuplicate: {Code: "policy-binding-duplicate", Severity: lint.Warning,
		What: "the binding duplicates another one and has no effect", Do: "remove one", Source: lint.GraphUserBinding},
	bindingLowMany: {Code: "policy-binding-low-many", Severity: lint.Warning, Effect: lint.LetsIn,
		What: "several bindings have low affinity; all of them are tried, so an account is as safe as the weakest", Do: "keep at most one of them, and prefer high affinity", Source: lint.DeepDive},
	bindingMany: {Code: "policy-binding-many", Severity: lint.Info,
		What: "with several bindings one certificate can sign in to several accounts", Do: "use one binding, or make sure that all of them lead to the same account", Source: lint.DeepDive},
	bindingStatesHigh: {Code: "policy-binding-states-high", Severity: lint.Error, Effect: lint.LetsIn,
		What: "the binding states high affinity, but its field has low affinity", Do: "set trustAffinityLevel to low", Source: lint.DeepDive},
	bindingStatesLow: {Code: "policy-binding-states-low", Severity: lint.Warning,
		What: "the binding states low affinity, but its field has high affinity", Do: "set trustAffinityLevel to high", Source: lint.DeepDive},
	bindingName: {Code: "policy-binding-name", Severity: lint.Info,
		What: "the name of the field is the one of the portal; the pages of Graph do not list it (open question 9.14)", Do: "check that Graph returns it", Source: lint.GraphUserBinding},
	bindingSHA1: {Code: "policy-binding-sha1", Severity: lint.Info,
		What: "Microsoft's pages disagree whether SHA1PublicKey is a hash of the certificate or of its key (open question 9.3)", Do: "prefer SubjectKeyIdentifier", Source: lint.UserIDs},

	defaultMultifactor: {Code: "policy-default-multifactor", Severity: lint.Error, Effect: lint.LetsIn,
		What: "the default is multifactor, so every certificate of every CA counts as multifactor, also one whose key is a file that can be copied",
		Do:   "make single-factor the default, and name hardware-backed CAs or policy OIDs in rules", Source: lint.DeepDive},
	defaultMissing: {Code: "policy-default-missing", Severity: lint.Info,
		What: "there is no default authentication mode; the service's default is single-factor", Do: "set the default that you want", Source: lint.GraphConfiguration},
	affinityNoBinding: {Code: "policy-affinity-no-binding", Severity: lint.Error, Effect: lint.LocksOut,
		What: "high affinity is required, but no username binding has it, so every user is locked out",
		Do:   "first add a binding of SubjectKeyIdentifier or IssuerAndSerialNumber to certificateUserIds", Source: lint.DeepDive},
	affinityAmbiguous: {Code: "policy-affinity-ambiguous", Severity: lint.Warning,
		What: "the rule asks for low affinity and the default for high; the documentation says both that a rule overrides the default and that each of them can require high (open question 9.9)",
		Do:   "require high in both, or low in the default", Source: lint.DeepDive},

	ruleSpaces: {Code: "policy-rule-spaces", Severity: lint.Info,
		What: "the text begins or ends with a space; whether the service ignores it is not documented", Do: "remove the space", Source: lint.GraphRule},
	ruleNoType: {Code: "policy-rule-no-type", Severity: lint.Error,
		What: "the rule has no type, so it never matches", Do: "set x509CertificateRuleType", Source: lint.GraphRule},
	ruleType: {Code: "policy-rule-type", Severity: lint.Warning,
		What: "the type of the rule is unknown here, so the rule matches nothing", Do: `ask Graph with the header "Prefer: include-unknown-enum-members"`, Source: lint.GraphEvolvable},
	ruleExtra: {Code: "policy-rule-extra", Severity: lint.Warning,
		What: "the rule has a property that rules of its type ignore", Do: "set the type to issuerSubjectAndPolicyOID if the rule must check both", Source: lint.GraphRule},
	ruleCombined: {Code: "policy-rule-combined", Severity: lint.Warning,
		What: "rules for issuer and policy OID interfere with the registration of Windows Hello for Business, FIDO2 keys and passwordless phone sign-in on Windows",
		Do:   "use a rule for one of the two if users register these", Source: lint.DeepDive},
	ruleIncomplete: {Code: "policy-rule-incomplete", Severity: lint.Error,
		What: "the rule needs both issuerSubjectIdentifier and policyOidIdentifier, so it never matches (what identifier means here is open question 9.13)", Do: "set both", Source: lint.GraphRule},
	ruleIssuer: {Code: "policy-rule-issuer", Severity: lint.Error,
		What: "the issuer is not a name, so the rule never matches", Do: `write it as in "CN=ContosoCA,DC=contoso,DC=org"`, Source: lint.GraphRule},
	ruleRootFirst: {Code: "policy-rule-root-first", Severity: lint.Error,
		What: "the issuer starts with the root, as in certificateUserIds; a rule starts with the most specific part (open question 9.24)", Do: "reverse the order", Source: lint.GraphRule},
	ruleOID: {Code: "policy-rule-oid", Severity: lint.Error,
		What: "the policy OID is not in dotted form, so the rule never matches", Do: "write numbers and dots, as in 1.3.6.1.4.1.311.21.8.1", Source: lint.HowTo},
	ruleIdentifier: {Code: "policy-rule-identifier", Severity: lint.Error,
		What: "identifier differs from the specific property; which of them the service uses is not documented", Do: "set both to the same value", Source: lint.GraphRule},
	ruleMode: {Code: "policy-rule-mode", Severity: lint.Error,
		What: "the rule has no authentication mode; it is evaluated as single-factor", Do: "set x509CertificateAuthenticationMode", Source: lint.GraphRule},
	ruleIssuerMultifactor: {Code: "policy-rule-issuer-multifactor", Severity: lint.Warning, Effect: lint.LetsIn,
		What: "every certificate of this issuer counts as multifactor; a key in a file can be copied and is one factor",
		Do:   "make sure that this CA issues only to smart cards and similar hardware, or name its policy OID for them", Source: lint.DeepDive},
	ruleAnyPolicy: {Code: "policy-rule-any-policy", Severity: lint.Warning, Effect: lint.LetsIn,
		What: "2.5.29.32.0 means any policy; CAs put it into certificates of all kinds", Do: "name the policy of hardware-backed keys", Source: lint.HowTo},
	ruleAffinityNoBinding: {Code: "policy-rule-affinity-no-binding", Severity: lint.Error, Effect: lint.LocksOut,
		What: "the rule requires high affinity, but no username binding has it, so users whose certificate the rule matches are locked out",
		Do:   "first add a binding of SubjectKeyIdentifier or IssuerAndSerialNumber to certificateUserIds", Source: lint.DeepDive},
	issuerBoth: {Code: "policy-issuer-both", Severity: lint.Error,
		What: "two rules give one issuer different authentication modes; the service does not accept such a policy", Do: "remove one of the rules", Source: lint.DeepDive},
	ruleConflict: {Code: "policy-rule-conflict", Severity: lint.Warning,
		What: "two rules match the same certificates and have different authentication modes: such certificates are single-factor, and the multifactor rule has no effect", Do: "remove one of the rules", Source: lint.DeepDive},
	ruleAffinities: {Code: "policy-rule-affinities", Severity: lint.Warning,
		What: "two rules match the same certificates and require different affinities; which of them the service uses is not documented", Do: "remove one of the rules", Source: lint.DeepDive},
	ruleDuplicate: {Code: "policy-rule-duplicate", Severity: lint.Info,
		What: "the rule duplicates another one and has no effect", Do: "remove it", Source: lint.GraphRule},

	scopesMany: {Code: "policy-scopes-many", Severity: lint.Error,
		What: "there are more CA scopes than the service accepts", Do: "remove some", Source: lint.DeepDive},
	scopesUsed: {Code: "policy-scopes", Severity: lint.Info,
		What: "CA scopes are in use: users outside their groups cannot sign in with certificates below these CAs (AADSTS500189)", Do: "check that every user of these CAs is in one of the groups", Source: lint.DeepDive},
	scopeSKI: {Code: "policy-scope-ski", Severity: lint.Error,
		What: "the subject key identifier is not hexadecimal, so the scope restricts nobody", Do: "write its bytes in hexadecimal", Source: lint.GraphScope},
	scopeSKIForm: {Code: "policy-scope-ski-form", Severity: lint.Warning,
		What: "the subject key identifier has other characters beside hexadecimal digits; whether the service ignores them is not documented, here they are ignored", Do: "write its bytes in hexadecimal, and nothing else", Source: lint.GraphScope},
	scopeDuplicate: {Code: "policy-scope-duplicate", Severity: lint.Error,
		What: "two scopes name one CA, which can have one group", Do: "put the users into one group", Source: lint.DeepDive},
	scopeName: {Code: "policy-scope-name", Severity: lint.Warning,
		What: "the scope does not name a PKI; what to write for a CA of the classic store is not documented", Do: "set publicKeyInfrastructureIdentifier to the display name of the PKI", Source: lint.GraphScope},
	scopeNoGroup: {Code: "policy-scope-no-group", Severity: lint.Error, Effect: lint.LocksOut,
		What: "the scope has no group, so nobody can sign in with certificates below this CA", Do: "add one group", Source: lint.DeepDive},
	scopeGroups: {Code: "policy-scope-groups", Severity: lint.Error,
		What: "the scope has several targets, but a CA can have one group", Do: "put the users into one group", Source: lint.DeepDive},
	scopeTarget: {Code: "policy-scope-target", Severity: lint.Error,
		What: "the target of the scope is not a group with a valid id", Do: "use the object id of a group, not its name", Source: lint.GraphScope},

	crlOff: {Code: "policy-crl-off", Severity: lint.Warning, Effect: lint.LetsIn,
		What: "CRL validation is off, so certificates of a CA without a CRL are accepted unchecked", Do: "enable it when every CA has a CRL", Source: lint.Revocation},
	crlState: {Code: "policy-crl-state", Severity: lint.Error,
		What: "the state of CRL validation is missing; the property cannot be null", Do: `set it to "enabled" or "disabled"`, Source: lint.GraphCRLValidation},
	crlExempted: {Code: "policy-crl-exempted", Severity: lint.Warning, Effect: lint.LetsIn,
		What: "CAs are exempted from CRL validation, so their certificates are accepted without a revocation check", Do: "empty the list when these CAs publish CRLs", Source: lint.Revocation},
	crlExemptedIdle: {Code: "policy-crl-exempted-idle", Severity: lint.Info,
		What: "CAs are exempted from CRL validation, which has no effect while it is off", Do: "empty the list before you enable CRL validation", Source: lint.Revocation},
	crlSKI: {Code: "policy-crl-ski", Severity: lint.Error,
		What: "the subject key identifier is not hexadecimal, so it exempts no CA", Do: "write its bytes in hexadecimal", Source: lint.GraphCRLValidation},
	crlSKIForm: {Code: "policy-crl-ski-form", Severity: lint.Warning,
		What: "the subject key identifier has other characters beside hexadecimal digits; whether the service ignores them is not documented, here they are ignored", Do: "write its bytes in hexadecimal, and nothing else", Source: lint.GraphCRLValidation},
	crlDuplicate: {Code: "policy-crl-duplicate", Severity: lint.Info,
		What: "the CA is exempted twice", Do: "remove one", Source: lint.GraphCRLValidation},

	tooLarge: {Code: "policy-size", Severity: lint.Error,
		What: "the configuration is larger than the whole authentication methods policy can be", Do: "use fewer rules, by policy OID", Source: lint.Manage},
	large: {Code: "policy-size-half", Severity: lint.Warning,
		What: "the configuration takes more than half of the size that all authentication methods share", Do: "use fewer rules, by policy OID", Source: lint.Manage},
}
