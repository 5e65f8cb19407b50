package policy

import (
	"encoding/hex"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/internal/wire"
	"example.com/entracba/cba/lint"
)

// Limits of the service.
const (
	// MaxPolicySize is how large, in bytes, the authentication methods policy of a
	// tenant can be, all methods together (Learn, manage authentication methods).
	MaxPolicySize = 20 * 1024
	// MaxScopes is how many scopes of certificate authorities there can be.
	MaxScopes = 30
)

// Findings returns what is wrong, dangerous or odd in the configuration, in its
// order. It needs nothing but the configuration: whether an issuer or a subject
// key identifier is one of the tenant's authorities is not checked here.
//
// Codes begin with "policy-". Effects are marked: what locks people out, and what
// lets the wrong ones in.
func (c Config) Findings() lint.Findings {
	f := &finder{c: c, hasHigh: hasHighBinding(c.UserBindings)}
	f.unknown()
	f.method()
	f.targets()
	f.userBindings()
	f.mode()
	f.rules()
	f.rulePairs()
	f.scopes()
	f.revocation()
	f.size()
	return f.found
}

// A finder collects findings.
type finder struct {
	c       Config
	hasHigh bool // a binding has high affinity
	found   lint.Findings
}

// A kind of finding: severity and effect.
type kind struct {
	severity lint.Severity
	effect   lint.Effect
}

var (
	info     = kind{lint.Info, 0}
	warning  = kind{lint.Warning, 0}
	fault    = kind{lint.Error, 0}
	locksOut = kind{lint.Error, lint.LocksOut}
	letsIn   = kind{lint.Error, lint.LetsIn}
	mayLetIn = kind{lint.Warning, lint.LetsIn}
)

func (f *finder) add(code string, k kind, where, what, do string, source lint.Source) {
	about := ""
	if strings.HasPrefix(where, "/") { // may have names that would break a line
		about = wire.Shown(where)
	}
	f.found = append(f.found, lint.Finding{
		Code: "policy-" + code, Severity: k.severity, Effect: k.effect,
		Where: where, About: about, What: what, Do: do, Source: source,
	})
}

// at names a place in the configuration.
func at(collection string, index int, property string) string {
	where := fmt.Sprintf("%s[%d]", collection, index)
	if property != "" {
		where += "." + property
	}
	return where
}

const (
	inBindings = "certificateUserBindings"
	inRules    = "authenticationModeConfiguration.rules"
	inScopes   = "certificateAuthorityScopes"
)

// unknown reports properties and enumeration texts that this package does not
// know, at every level.
func (f *finder) unknown() {
	wire.Walk(f.c, func(where string, v any) {
		switch v := v.(type) {
		case wire.Unknown:
			what := "unknown property with " + wire.Clip(string(v.Raw))
			if v.Near != "" {
				what = "unknown property; letter case matters, and Graph has " + quoted(v.Near)
			}
			f.add("unknown-property", info, where, what,
				"it is kept and sent back; look in Graph's documentation what it does", lint.GraphConfiguration)
		case enumeration:
			f.unknownValue(where, reflect.ValueOf(v).String(), v.values())
		}
	})
}

func (f *finder) unknownValue(where, text string, known []string) {
	if slices.Contains(known, text) {
		return
	}
	what := "unknown value " + quoted(text)
	do := "use one of " + strings.Join(known, ", ")
	switch near := slices.IndexFunc(known, func(value string) bool {
		return strings.EqualFold(value, strings.TrimSpace(text))
	}); {
	case text == UnknownFutureValue:
		what = "Graph hides a value that is newer than its v1.0"
		do = `ask with the header "Prefer: include-unknown-enum-members"; sending this back may fail or lose the value`
	case near >= 0:
		do = "write " + known[near]
	case text == "SKI":
		do = "write SubjectKeyIdentifier, as Graph calls it"
	}
	f.add("unknown-value", warning, where, what, do, lint.GraphEvolvable)
}

func (f *finder) method() {
	if f.c.State != Enabled {
		f.add("disabled", info, "state", "certificate-based authentication is not enabled: nobody signs in with a certificate",
			"", lint.GraphConfiguration)
	}
	if id := f.c.ID; id != "" && !strings.EqualFold(id, configID) {
		f.add("id", warning, "id", fmt.Sprintf("is %s; the configuration of certificates is %q", quoted(id), configID), "", lint.GraphConfiguration)
	}
	if f.c.IssuerHints.State != Enabled {
		f.add("hints-off", info, "issuerHintsConfiguration.state", "users are offered every certificate they have, also those of other authorities",
			"enable issuer hints if users pick the wrong certificate", lint.DeepDive)
	}
}

func (f *finder) targets() {
	excluded := map[string]bool{}
	seen := map[string]bool{}
	for i, t := range f.c.ExcludeTargets {
		where := at("excludeTargets", i, "")
		f.target(where, t.ID, t.Type, seen)
		excluded[strings.ToLower(t.ID)] = true
		if strings.EqualFold(t.ID, AllUsersID) {
			f.add("excludes-all", locksOut, where, "all users are excluded", "exclude groups", sourceTargets)
		}
	}
	seen = map[string]bool{}
	left := len(f.c.IncludeTargets)
	for i, t := range f.c.IncludeTargets {
		where := at("includeTargets", i, "")
		f.target(where, t.ID, t.Type, seen)
		id := strings.ToLower(t.ID)
		if id == AllUsersID {
			f.add("all-users", warning, where, "every user is a target: a mistake in bindings or rules concerns the whole tenant, guests and administrators included",
				"roll out by groups, and keep emergency accounts out", lint.HowTo)
		}
		if id != "" && excluded[id] {
			f.add("included-and-excluded", warning, where, "the target is excluded too, and exclusion wins", "remove one of the two", sourceTargets)
			left--
		}
		if t.IsRegistrationRequired {
			f.add("registration-required", info, where+".isRegistrationRequired", "is true; every documented sample has false, as there is nothing to register",
				"set it to false", sourceTargets)
		}
	}
	switch {
	case len(f.c.IncludeTargets) == 0:
		f.add("no-targets", locksOut, "includeTargets", "there are no targets: nobody is included", "include a group", sourceTargets)
	case left == 0:
		f.add("excludes-all", locksOut, "excludeTargets", "every included target is excluded", "exclude less", sourceTargets)
	}
}

func (f *finder) target(where, id string, t TargetType, seen map[string]bool) {
	switch lowered := strings.ToLower(id); {
	case id == "":
		f.add("target-id", fault, where+".id", "the target has no id and is nobody", "give the object id of a group", sourceTargets)
	case seen[lowered]:
		f.add("target-duplicate", info, where, "the target stands twice", "remove one", sourceTargets)
	case lowered != AllUsersID && !isGUID(id):
		f.add("target-id", fault, where+".id", quoted(id)+" is neither all_users nor an object id", "give the object id of a group, not its name", sourceTargets)
	default:
		seen[lowered] = true
	}
	if t == UserTarget {
		f.add("target-user", warning, where+".targetType", "single users are no longer a target that the portal can show or change",
			"put the user into a group", sourceTargets)
	}
	if t == "" {
		f.add("target-type", fault, where+".targetType", "is missing", `write "group"`, sourceTargets)
	}
}

// isGUID reports whether text is 8-4-4-4-12 hexadecimal digits.
func isGUID(text string) bool {
	if len(text) != 36 {
		return false
	}
	for i, c := range []byte(text) {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if !isHex(c) {
			return false
		}
	}
	return true
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= lower(c) && lower(c) <= 'f'
}

func (f *finder) userBindings() {
	if len(f.c.UserBindings) == 0 {
		f.add("no-bindings", locksOut, inBindings, "there are no username bindings: nobody can be bound to a certificate",
			"add one, of high affinity", lint.DeepDive)
	}
	priorities := map[int32]int{}
	pairs := map[string]int{}
	var lows, usable int
	for i, b := range f.c.UserBindings {
		if first, ok := priorities[b.Priority]; ok {
			f.add("binding-priority", fault, at(inBindings, i, "priority"),
				fmt.Sprintf("%d is also the priority of %s; priorities must be unique", b.Priority, at(inBindings, first, "")), "number the bindings", lint.GraphUserBinding)
		} else {
			priorities[b.Priority] = i
		}
		if b.Priority < 0 {
			f.add("binding-priority", fault, at(inBindings, i, "priority"), fmt.Sprintf("%d is negative", b.Priority), "use 1, 2, 3", lint.GraphUserBinding)
		}
		if b.Field == "" {
			f.add("binding-field", fault, at(inBindings, i, "x509CertificateField"), "is missing: the binding matches nothing", "", lint.GraphUserBinding)
			continue
		}
		if b.Property == "" {
			f.add("binding-property", fault, at(inBindings, i, "userProperty"), "is missing: the binding matches nothing", "", lint.GraphUserBinding)
			continue
		}
		own := b.Field.Affinity()
		if own == "" || !isKnown(b.Property, string(b.Property)) {
			continue // reported as unknown
		}
		if !b.Field.BindsTo(b.Property) {
			f.add("binding-pair", fault, at(inBindings, i, ""),
				fmt.Sprintf("%s cannot be bound to %s", b.Field, b.Property), "bind it to certificateUserIds", lint.DeepDive)
			continue
		}
		usable++
		if own == LowAffinity {
			lows++
		}
		f.binding(i, b, own)
		pair := string(b.Field) + " " + string(b.Property)
		if first, ok := pairs[pair]; ok {
			f.add("binding-duplicate", warning, at(inBindings, i, ""),
				fmt.Sprintf("binds the same as %s and never decides anything", at(inBindings, first, "")), "remove one", lint.GraphUserBinding)
		} else {
			pairs[pair] = i
		}
	}
	if lows > 1 {
		f.add("binding-low-many", mayLetIn, inBindings,
			fmt.Sprintf("%d bindings have low affinity; all of them are tried, so an account is as safe as the weakest", lows),
			"keep one at most, and prefer high affinity", lint.DeepDive)
	}
	if usable > 1 {
		f.add("binding-many", info, inBindings, "with several bindings one certificate can sign in to several accounts",
			"use one binding, or let every one of them lead to the same account", lint.DeepDive)
	}
}

func (f *finder) binding(i int, b UserBinding, own AffinityLevel) {
	switch where := at(inBindings, i, "trustAffinityLevel"); {
	case own == LowAffinity && b.Affinity == HighAffinity:
		f.add("binding-affinity", letsIn, where, fmt.Sprintf("states high, but %s has low affinity", b.Field), "write low", lint.DeepDive)
	case own == HighAffinity && b.Affinity == LowAffinity:
		f.add("binding-affinity", warning, where, fmt.Sprintf("states low, but %s has high affinity", b.Field), "write high", lint.DeepDive)
	}
	switch b.Field {
	case IssuerAndSubject, Subject, IssuerAndSerialNumber:
		f.add("binding-name", info, at(inBindings, i, "x509CertificateField"),
			quoted(string(b.Field))+" is the portal's name; Graph's pages do not list it (open question 9.14)", "check that Graph returns it", lint.GraphUserBinding)
	case SHA1PublicKey:
		f.add("binding-sha1", info, at(inBindings, i, "x509CertificateField"),
			"documents disagree whether the SHA-1 is of the certificate or of its key (open question 9.3)", "prefer SubjectKeyIdentifier", lint.UserIDs)
	}
}

func (f *finder) mode() {
	const in = "authenticationModeConfiguration."
	m := f.c.AuthenticationMode
	switch m.Default {
	case MultiFactor:
		f.add("default-multifactor", letsIn, in+"x509CertificateAuthenticationDefaultMode",
			"every certificate of every authority counts as multifactor, those whose keys are files on a disk included",
			"make single-factor the default and name hardware-backed authorities or policy OIDs in rules", lint.DeepDive)
	case "":
		f.add("default-missing", info, in+"x509CertificateAuthenticationDefaultMode", "is missing; the service's default is single-factor", "", lint.GraphConfiguration)
	}
	if m.DefaultAffinity == HighAffinity && !f.hasHigh {
		f.add("affinity-no-binding", locksOut, in+"x509CertificateDefaultRequiredAffinityLevel",
			"high affinity is required and no username binding has it: every user is locked out",
			"add a binding of SubjectKeyIdentifier or IssuerAndSerialNumber to certificateUserIds first", lint.DeepDive)
	}
}

func hasHighBinding(bindings []UserBinding) bool {
	for i, b := range bindings {
		if b := compileBinding(i, b); b.usable && b.level(0) == high {
			return true
		}
	}
	return false
}

func (f *finder) rules() {
	for i, r := range f.c.AuthenticationMode.Rules {
		f.ruleParts(i, r)
		f.ruleEffects(i, r)
	}
}

// ruleParts checks what a rule matches.
func (f *finder) ruleParts(i int, r Rule) {
	for _, p := range []struct{ name, text string }{
		{"identifier", r.Identifier}, {"issuerSubjectIdentifier", r.IssuerSubjectIdentifier}, {"policyOidIdentifier", r.PolicyOIDIdentifier},
	} {
		if strings.TrimSpace(p.text) != p.text {
			f.add("rule-blanks", info, at(inRules, i, p.name), quoted(p.text)+" begins or ends with a blank, as a sample of Graph's page does",
				"remove it; whether the service does is not documented", lint.GraphRule)
		}
	}
	switch r.Type {
	case "":
		f.add("rule-type", fault, at(inRules, i, "x509CertificateRuleType"), "is missing: the rule can never fire", "", lint.GraphRule)
	case IssuerSubject:
		f.issuer(i, r.Issuer())
		if strings.TrimSpace(r.PolicyOIDIdentifier) != "" {
			f.add("rule-extra", warning, at(inRules, i, "policyOidIdentifier"), "a rule of this type looks at the issuer only",
				"make it "+string(IssuerSubjectAndPolicyOID)+" if both are meant", lint.GraphRule)
		}
		f.sameIdentifier(i, r, r.IssuerSubjectIdentifier, sameIssuer)
	case PolicyOID:
		f.oid(i, r.OID())
		if strings.TrimSpace(r.IssuerSubjectIdentifier) != "" {
			f.add("rule-extra", warning, at(inRules, i, "issuerSubjectIdentifier"), "a rule of this type looks at the policy OID only",
				"make it "+string(IssuerSubjectAndPolicyOID)+" if both are meant", lint.GraphRule)
		}
		f.sameIdentifier(i, r, r.PolicyOIDIdentifier, sameOID)
	case IssuerSubjectAndPolicyOID:
		f.add("rule-combined", warning, at(inRules, i, ""),
			"rules for issuer and policy OID disturb the registration of Windows Hello for Business, of FIDO2 keys and of passwordless phone sign-in on Windows",
			"use a rule of one kind if users register these", lint.DeepDive)
		if r.IssuerSubjectIdentifier == "" || r.PolicyOIDIdentifier == "" {
			f.add("rule-incomplete", fault, at(inRules, i, ""),
				"issuerSubjectIdentifier and policyOidIdentifier are not both given: the rule can never fire (what identifier holds here is open question 9.13)",
				"give both", lint.GraphRule)
		}
		if r.IssuerSubjectIdentifier != "" {
			f.issuer(i, r.IssuerSubjectIdentifier)
		}
		if r.PolicyOIDIdentifier != "" {
			f.oid(i, r.PolicyOIDIdentifier)
		}
	default:
		f.add("rule-type", warning, at(inRules, i, "x509CertificateRuleType"),
			quoted(string(r.Type))+" is not a type of rule that can be evaluated here: the rule matches nothing",
			`ask Graph with the header "Prefer: include-unknown-enum-members"`, lint.GraphEvolvable)
	}
}

// issuer checks the text of an issuer.
func (f *finder) issuer(i int, text string) {
	where := at(inRules, i, "")
	name, err := dn.Parse(text)
	switch {
	case err != nil:
		f.add("rule-issuer", fault, where, fmt.Sprintf("%s is not a name and the rule can never fire: %v", quoted(text), err),
			`write it as "CN=ContosoCA,DC=contoso,DC=org"`, lint.GraphRule)
	case len(name) == 0:
		f.add("rule-issuer", fault, where, "the issuer is empty: the rule can never fire", "", lint.GraphRule)
	case isRootFirst(name):
		right := name.Clone()
		slices.Reverse(right)
		f.add("rule-root-first", fault, where,
			fmt.Sprintf("%s is written root first, as certificateUserIds are; a rule has the most specific part first (open question 9.24)", quoted(text)),
			"write "+quoted(right.String()), lint.GraphRule)
	}
}

// isRootFirst reports whether a name was most likely written in the other order:
// its most specific part is a country or a domain component and the part nearest
// the root is not, or the part nearest the root is a common name and the most
// specific one is not.
func isRootFirst(name dn.Name) bool {
	has := func(part dn.RDN, types ...dn.Type) bool {
		return slices.ContainsFunc(part, func(a dn.Attribute) bool { return slices.Contains(types, a.Type) })
	}
	if len(name) < 2 {
		return false
	}
	root, specific := name[0], name[len(name)-1]
	return has(specific, dn.Country, dn.DomainComponent) && !has(root, dn.Country, dn.DomainComponent) ||
		has(root, dn.CommonName) && !has(specific, dn.CommonName)
}

// oid checks the text of a policy OID.
func (f *finder) oid(i int, text string) {
	if _, ok := parseOID(text); ok {
		return
	}
	what := quoted(text) + " is not an OID in dotted form: the rule can never fire"
	do := "write numbers and dots"
	if strings.EqualFold(strings.TrimSpace(text), "All Issuance Policies") {
		do = "write 2.5.29.32.0"
	}
	f.add("rule-oid", fault, at(inRules, i, ""), what, do, lint.HowTo)
}

// sameIdentifier checks the two places of a rule of one kind.
func (f *finder) sameIdentifier(i int, r Rule, specific string, same func(a, b string) bool) {
	if r.Identifier != "" && specific != "" && !same(r.Identifier, specific) {
		f.add("rule-identifier", fault, at(inRules, i, "identifier"),
			fmt.Sprintf("%s differs from the specific property, %s; which of them counts is not documented", quoted(r.Identifier), quoted(specific)),
			"write the same in both", lint.GraphRule)
	}
}

func sameIssuer(a, b string) bool {
	x, _, okX := issuerKeys(a)
	y, _, okY := issuerKeys(b)
	return okX && okY && x == y || a == b
}

func sameOID(a, b string) bool {
	x, okX := parseOID(a)
	y, okY := parseOID(b)
	return okX && okY && x == y || a == b
}

// ruleEffects checks what a rule gives.
func (f *finder) ruleEffects(i int, r Rule) {
	m := f.c.AuthenticationMode
	switch {
	case r.Mode == "":
		f.add("rule-mode", fault, at(inRules, i, "x509CertificateAuthenticationMode"), "is missing; it is taken for single-factor", "", lint.GraphRule)
	case r.Mode != MultiFactor:
	case r.Type == IssuerSubject:
		f.add("rule-issuer-multifactor", mayLetIn, at(inRules, i, ""),
			"every certificate of this issuer counts as multifactor; a key that is a file can be copied and is one factor",
			"make sure that the authority issues to smart cards and the like only, or name its policy OID for them", lint.DeepDive)
	case r.Type == PolicyOID || r.Type == IssuerSubjectAndPolicyOID:
		if sameOID(r.OID(), "2.5.29.32.0") {
			f.add("rule-any-policy", mayLetIn, at(inRules, i, ""),
				"2.5.29.32.0 is no policy in particular; authorities put it into certificates of all kinds", "name the policy of hardware-backed keys", lint.HowTo)
		}
	}
	if r.RequiredAffinity == HighAffinity && m.DefaultAffinity != HighAffinity && !f.hasHigh {
		f.add("rule-affinity-no-binding", locksOut, at(inRules, i, "x509CertificateRequiredAffinityLevel"),
			"high affinity is required and no username binding has it: users with a certificate that the rule matches are locked out",
			"add a binding of SubjectKeyIdentifier or IssuerAndSerialNumber to certificateUserIds first", lint.DeepDive)
	}
	if r.RequiredAffinity == LowAffinity && m.DefaultAffinity == HighAffinity {
		f.add("affinity-ambiguous", warning, at(inRules, i, "x509CertificateRequiredAffinityLevel"),
			"asks for low where the default is high; the documentation says both that a rule overrides the default and that either of them can demand high (open question 9.9)",
			"ask for high in both, or for low in the default", lint.DeepDive)
	}
}

// rulePairs checks rules that match the same.
func (f *finder) rulePairs() {
	first := map[string]int{}    // what is matched to its first rule
	clashed := map[string]bool{} // reported already
	rules := f.c.AuthenticationMode.Rules
	for i, r := range rules {
		key, ok := r.key()
		if !ok {
			continue
		}
		j, ok := first[key]
		if !ok {
			first[key] = i
			continue
		}
		other := rules[j]
		switch {
		case r.Mode != other.Mode && clashed[key]:
		case r.Mode != other.Mode && r.Type == IssuerSubject:
			f.add("issuer-both", fault, at(inRules, i, ""),
				fmt.Sprintf("the issuer has another strength in %s; one issuer can have one only, and the policy is not valid", at(inRules, j, "")),
				"remove one of the rules", lint.DeepDive)
			clashed[key] = true
		case r.Mode != other.Mode:
			f.add("rule-conflict", warning, at(inRules, i, ""),
				fmt.Sprintf("%s matches the same and has another strength: such certificates are single-factor, and the multifactor rule can never fire", at(inRules, j, "")),
				"remove one of the rules", lint.DeepDive)
			clashed[key] = true
		case r.RequiredAffinity != other.RequiredAffinity:
			f.add("rule-affinities", warning, at(inRules, i, ""),
				fmt.Sprintf("%s matches the same and asks for another affinity; which of them counts is not documented", at(inRules, j, "")),
				"remove one of the rules", lint.DeepDive)
		default:
			f.add("rule-duplicate", info, at(inRules, i, ""), fmt.Sprintf("says the same as %s and changes nothing", at(inRules, j, "")),
				"remove it", lint.GraphRule)
		}
	}
}

// key is the same for rules that match the same.
func (r Rule) key() (string, bool) {
	var issuer, oid string
	ok := true
	if r.Type != PolicyOID {
		issuer, _, ok = issuerKeys(r.Issuer())
	}
	if r.Type != IssuerSubject && ok {
		oid, ok = parseOID(r.OID())
	}
	return string(r.Type) + "\x00" + oid + "\x00" + issuer, ok
}

func (f *finder) scopes() {
	list := f.c.CertificateAuthorityScopes
	if len(list) > MaxScopes {
		f.add("scopes-many", fault, inScopes, fmt.Sprintf("%d scopes; the service takes %d", len(list), MaxScopes), "", lint.DeepDive)
	}
	if len(list) > 0 {
		f.add("scopes", info, inScopes, "users outside of the groups are refused certificates below these authorities, with AADSTS500189",
			"check that every user of these authorities is in one of the groups", lint.DeepDive)
	}
	seen := map[string]int{}
	for i, s := range list {
		if ski, ok := parseSKI(s.SubjectKeyIdentifier); !ok {
			f.ski("scope-ski", at(inScopes, i, "subjectKeyIdentifier"), s.SubjectKeyIdentifier, "the scope restricts nobody", lint.GraphScope)
		} else if j, ok := seen[ski]; ok {
			f.add("scope-duplicate", fault, at(inScopes, i, "subjectKeyIdentifier"),
				fmt.Sprintf("%s has the same authority; an authority has one group", at(inScopes, j, "")), "put the users into one group", lint.DeepDive)
		} else {
			seen[ski] = i
		}
		if strings.TrimSpace(s.PublicKeyInfrastructureIdentifier) == "" {
			f.add("scope-name", warning, at(inScopes, i, "publicKeyInfrastructureIdentifier"),
				"is missing; it is the display name of the PKI container (what stands for an authority of the classic store is not documented)", "", lint.GraphScope)
		}
		switch len(s.IncludeTargets) {
		case 0:
			f.add("scope-group", locksOut, at(inScopes, i, "includeTargets"), "there is no group: the scope lets nobody in", "name one group", lint.DeepDive)
		case 1:
		default:
			f.add("scope-group", fault, at(inScopes, i, "includeTargets"), fmt.Sprintf("%d targets; an authority has one group", len(s.IncludeTargets)),
				"put the users into one group", lint.DeepDive)
		}
		for j, t := range s.IncludeTargets {
			where := at(at(inScopes, i, "includeTargets"), j, "")
			switch {
			case t.ID == "":
				f.add("scope-target", fault, where+".id", "the target has no id and is nobody", "give the object id of a group", lint.GraphScope)
			case t.Type != GroupTarget:
				f.add("scope-target", fault, where+".targetType", fmt.Sprintf("%s is not a group", quoted(string(t.Type))), "name a group", lint.GraphScope)
			case !strings.EqualFold(t.ID, AllUsersID) && !isGUID(t.ID):
				f.add("scope-target", fault, where+".id", quoted(t.ID)+" is not an object id", "give the object id of a group, not its name", lint.GraphScope)
			}
		}
	}
}

// ski reports a subject key identifier that cannot be read, and how it was most
// likely meant.
func (f *finder) ski(code, where, text, effect string, source lint.Source) {
	do := "write its octets in hexadecimal"
	bare := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" :-\t\u200e", r) {
			return -1
		}
		return r
	}, text)
	bare = strings.TrimPrefix(strings.TrimPrefix(bare, "0x"), "0X")
	if octets, err := hex.DecodeString(bare); err == nil && len(octets) > 0 {
		do = "write " + quoted(strings.ToUpper(bare))
	}
	f.add(code, fault, where, quoted(text)+" is not a subject key identifier in hexadecimal: "+effect, do, source)
}

func (f *finder) revocation() {
	const in = "crlValidationConfiguration."
	v := f.c.CRLValidation
	if v.State != Enabled {
		f.add("crl-off", mayLetIn, in+"state",
			"certificates of an authority without a CRL are accepted unchecked", "enable it once every authority has a CRL", lint.Revocation)
	}
	if v.State == "" && wire.MembersOf(v.kept) != nil {
		f.add("crl-state", fault, in+"state", "is missing; the property cannot be null", "", lint.GraphCRLValidation)
	}
	const list = in + "exemptedCertificateAuthoritiesSubjectKeyIdentifiers"
	if len(v.ExemptedSKIs) > 0 {
		k, what := mayLetIn, "certificates of these authorities are accepted without revocation check"
		if v.State != Enabled {
			k, what = info, "has no effect while CRL validation is not enabled"
		}
		f.add("crl-exempted", k, list, what, "empty the list when these authorities publish CRLs", lint.Revocation)
	}
	seen := map[string]bool{}
	for i, text := range v.ExemptedSKIs {
		ski, ok := parseSKI(text)
		switch {
		case !ok:
			f.ski("crl-ski", at(list, i, ""), text, "it exempts nothing", lint.GraphCRLValidation)
		case seen[ski]:
			f.add("crl-duplicate", info, at(list, i, ""), "stands twice", "remove one", lint.GraphCRLValidation)
		}
		seen[ski] = true
	}
}

func (f *finder) size() {
	body, err := f.c.PatchBody()
	if err != nil {
		return
	}
	switch size := len(body); {
	case size > MaxPolicySize:
		f.add("size", fault, "", fmt.Sprintf("%d bytes of JSON; the whole authentication methods policy can have %d", size, MaxPolicySize),
			"use fewer rules, by policy OID", lint.Manage)
	case size > MaxPolicySize/2:
		f.add("size", warning, "", fmt.Sprintf("%d bytes of JSON, more than half of the %d that all authentication methods share", size, MaxPolicySize),
			"use fewer rules, by policy OID", lint.Manage)
	}
}
