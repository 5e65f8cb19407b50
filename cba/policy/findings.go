package policy

import (
	"reflect"
	"slices"
	"strconv"
	"strings"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/internal/text"
	"example.com/entracba/cba/internal/wire"
	"example.com/entracba/cba/keyid"
	"example.com/entracba/cba/lint"
)

// Limits of the service.
const (
	// MaxPolicySize is how large, in bytes, the authentication methods policy of a
	// tenant can be, all methods together (Learn, manage authentication methods).
	MaxPolicySize = 20 * 1024
	// MaxScopes is how many CA scopes there can be.
	MaxScopes = 30
)

// Findings returns what is wrong, dangerous or odd in the configuration, in its
// order. It needs nothing but the configuration: whether an issuer or a subject
// key identifier is that of one of the tenant's CAs is not checked here.
//
// [Rules] has the codes. Where is a JSON pointer into the configuration,
// "/certificateUserBindings/0/priority", and About names the place in words.
// Effects are set: what locks people out, and what lets the wrong ones in.
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

// A place is a value in the configuration: for programs and in words.
type place struct{ where, about string }

// at returns a property of the place. Words name the object, the pointer has all.
func (p place) at(property string) place {
	if property != "" {
		p.where += "/" + property
	}
	return p
}

// add adds a finding; without a format it says what the rule says.
func (f *finder) add(rule int, p place, format string, args ...any) *lint.Finding {
	f.found = append(f.found, rules[rule].At(p.where, p.about, format, args...))
	return &f.found[len(f.found)-1]
}

const (
	inBindings = "/certificateUserBindings"
	inMode     = "/authenticationModeConfiguration"
	inRules    = inMode + "/rules"
	inScopes   = "/certificateAuthorityScopes"
	inCRL      = "/crlValidationConfiguration"
	inExempted = inCRL + "/exemptedCertificateAuthoritiesSubjectKeyIdentifiers"
)

// numbered names one element of a list; people count from one.
func numbered(list string, i int, word, what string) place {
	about := word + " " + strconv.Itoa(i+1)
	if what != "" {
		about += " (" + what + ")"
	}
	return place{list + "/" + strconv.Itoa(i), about}
}

func (f *finder) bindingAt(i int) place {
	return numbered(inBindings, i, "username binding", f.c.UserBindings[i].pair())
}

func (f *finder) ruleAt(i int) place {
	return numbered(inRules, i, "rule", f.c.AuthenticationMode.Rules[i].what())
}

func (f *finder) scopeAt(i int) place {
	return numbered(inScopes, i, "CA scope", wire.Shown(f.c.CertificateAuthorityScopes[i].SubjectKeyIdentifier))
}

// unknown reports properties and enumeration texts that this package does not
// know, at every level.
func (f *finder) unknown() {
	wire.Walk(f.c, func(where string, v any) {
		p := place{where, wire.Shown(where)} // names of properties could break a line
		if u, ok := v.(wire.Unknown); ok {
			if u.Near != "" {
				f.add(unknownProperty, p, "unknown property; did you mean %s?", quoted(u.Near)).Do = "letter case matters: write " + quoted(u.Near)
			} else {
				f.add(unknownProperty, p, "unknown property with the value %s", quoted(string(u.Raw)))
			}
			return
		}
		if members, ok := texts(v); ok {
			f.unknownValue(p, reflect.ValueOf(v).String(), members)
		}
	})
}

func (f *finder) unknownValue(p place, text string, known []string) {
	if slices.Contains(known, text) {
		return
	}
	if text == UnknownFutureValue {
		f.add(unknownValue, p, "Graph hides a value that is newer than its v1.0").Do =
			`ask with the header "Prefer: include-unknown-enum-members"; sending this value back may fail or lose the original`
		return
	}
	do := "use one of " + strings.Join(known, ", ")
	near := slices.IndexFunc(known, func(value string) bool { return strings.EqualFold(value, strings.TrimSpace(text)) })
	switch {
	case near >= 0:
		do = "write " + known[near]
	case text == "SKI":
		do = "write SubjectKeyIdentifier, as Graph calls it"
	}
	f.add(unknownValue, p, "unknown value %s", quoted(text)).Do = do
}

func (f *finder) method() {
	if f.c.State != Enabled {
		f.add(disabled, place{"/state", "state"}, "")
	}
	if id := f.c.ID; id != "" && !strings.EqualFold(id, configID) {
		f.add(wrongID, place{"/id", "id"}, "the id is %s; that of the certificate configuration is %q", quoted(id), configID)
	}
	if f.c.IssuerHints.State != Enabled {
		f.add(hintsOff, place{"/issuerHintsConfiguration/state", "issuer hints"}, "")
	}
}

func (f *finder) targets() {
	excluded := map[string]bool{}
	seen := map[string]bool{}
	for i, t := range f.c.ExcludeTargets {
		p := numbered("/excludeTargets", i, "exclude target", t.what())
		f.target(p, t.ID, t.Type, seen)
		excluded[strings.ToLower(t.ID)] = true
		if strings.EqualFold(t.ID, AllUsersID) {
			f.add(excludesAll, p, "")
		}
	}
	seen = map[string]bool{}
	left := len(f.c.IncludeTargets)
	for i, t := range f.c.IncludeTargets {
		p := numbered("/includeTargets", i, "include target", Target{ID: t.ID, Type: t.Type}.what())
		f.target(p, t.ID, t.Type, seen)
		id := strings.ToLower(t.ID)
		if id == AllUsersID {
			f.add(allUsers, p, "")
		}
		if id != "" && excluded[id] {
			f.add(includedAndExcluded, p, "")
			left--
		}
		if t.IsRegistrationRequired {
			f.add(registrationRequired, p.at("isRegistrationRequired"), "")
		}
	}
	switch {
	case len(f.c.IncludeTargets) == 0:
		f.add(noTargets, place{"/includeTargets", "include targets"}, "")
	case left == 0:
		f.add(excludesAll, place{"/excludeTargets", "exclude targets"}, "every included target is excluded")
	}
}

func (f *finder) target(p place, id string, t TargetType, seen map[string]bool) {
	switch lowered := strings.ToLower(id); {
	case id == "":
		f.add(targetID, p.at("id"), "the target has no id, so it matches nobody")
	case seen[lowered]:
		f.add(targetDuplicate, p, "")
	case lowered != AllUsersID && !text.IsGUID(id):
		f.add(targetID, p.at("id"), "%s is neither all_users nor an object id", quoted(id))
	default:
		seen[lowered] = true
	}
	switch t {
	case UserTarget:
		f.add(targetUser, p.at("targetType"), "")
	case "":
		f.add(targetType, p.at("targetType"), "")
	}
}

func (f *finder) userBindings() {
	all := place{inBindings, "username bindings"}
	if len(f.c.UserBindings) == 0 {
		f.add(noBindings, all, "")
	}
	priorities := map[int32]int{}
	pairs := map[string]int{}
	var lows, usable int
	for i, b := range f.c.UserBindings {
		p := f.bindingAt(i)
		if first, ok := priorities[b.Priority]; ok {
			f.add(bindingPriority, p.at("priority"), "%d is also the priority of username binding %d; priorities must be unique", b.Priority, first+1)
		} else {
			priorities[b.Priority] = i
		}
		if b.Priority < 0 {
			f.add(bindingPriority, p.at("priority"), "the priority %d is negative", b.Priority)
		}
		switch {
		case b.Field == "":
			f.add(bindingField, p.at("x509CertificateField"), "")
			continue
		case b.Property == "":
			f.add(bindingProperty, p.at("userProperty"), "")
			continue
		case !b.Field.Known() || !isKnown(b.Property):
			continue // reported as unknown
		case !b.Supported():
			f.add(bindingPair, p, "the service does not support binding %s to %s", b.Field, b.Property)
			continue
		}
		usable++
		if b.Field.Affinity() == certuserid.Low {
			lows++
		}
		f.binding(p, b)
		if first, ok := pairs[b.pair()]; ok {
			f.add(bindingDuplicate, p, "duplicates username binding %d and has no effect", first+1)
		} else {
			pairs[b.pair()] = i
		}
	}
	if lows > 1 {
		f.add(bindingLowMany, all, "%d bindings have low affinity; all of them are tried, so an account is as safe as the weakest", lows)
	}
	if usable > 1 {
		f.add(bindingMany, all, "")
	}
}

func (f *finder) binding(p place, b UserBinding) {
	own := b.Field.Affinity()
	switch at := p.at("trustAffinityLevel"); {
	case own == certuserid.Low && b.Affinity == certuserid.High:
		f.add(bindingStatesHigh, at, "the binding states high affinity, but %s has low affinity", b.Field)
	case own == certuserid.High && b.Affinity == certuserid.Low:
		f.add(bindingStatesLow, at, "the binding states low affinity, but %s has high affinity", b.Field)
	}
	switch b.Field {
	case certuserid.IssuerAndSubject, certuserid.Subject, certuserid.IssuerAndSerialNumber:
		f.add(bindingName, p.at("x509CertificateField"), "%s is the portal's name of the field; the pages of Graph do not list it (open question 9.14)", b.Field)
	case certuserid.SHA1PublicKey:
		f.add(bindingSHA1, p.at("x509CertificateField"), "")
	}
}

func (f *finder) mode() {
	p := place{inMode, "authentication mode"}
	m := f.c.AuthenticationMode
	switch m.Default {
	case MultiFactor:
		f.add(defaultMultifactor, p.at("x509CertificateAuthenticationDefaultMode"), "")
	case "":
		f.add(defaultMissing, p.at("x509CertificateAuthenticationDefaultMode"), "")
	}
	if m.DefaultAffinity == certuserid.High && !f.hasHigh {
		f.add(affinityNoBinding, p.at("x509CertificateDefaultRequiredAffinityLevel"), "")
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
		p := f.ruleAt(i)
		f.ruleParts(p, r)
		f.ruleEffects(p, r)
	}
}

// ruleParts checks what a rule matches.
func (f *finder) ruleParts(p place, r Rule) {
	for _, part := range []struct{ name, text string }{
		{"identifier", r.Identifier}, {"issuerSubjectIdentifier", r.IssuerSubjectIdentifier}, {"policyOidIdentifier", r.PolicyOIDIdentifier},
	} {
		if strings.TrimSpace(part.text) != part.text {
			f.add(ruleSpaces, p.at(part.name), "%s begins or ends with a space, as a sample of Graph's page does; whether the service ignores it is not documented", quoted(part.text))
		}
	}
	switch r.Type {
	case "":
		f.add(ruleNoType, p.at("x509CertificateRuleType"), "")
	case IssuerSubject:
		f.issuer(p, r.Issuer())
		if strings.TrimSpace(r.PolicyOIDIdentifier) != "" {
			f.add(ruleExtra, p.at("policyOidIdentifier"), "a rule of this type checks the issuer only")
		}
		f.sameIdentifier(p, r, r.IssuerSubjectIdentifier, sameIssuer)
	case PolicyOID:
		f.oid(p, r.OID())
		if strings.TrimSpace(r.IssuerSubjectIdentifier) != "" {
			f.add(ruleExtra, p.at("issuerSubjectIdentifier"), "a rule of this type checks the policy OID only")
		}
		f.sameIdentifier(p, r, r.PolicyOIDIdentifier, sameOID)
	case IssuerSubjectAndPolicyOID:
		f.add(ruleCombined, p, "")
		if r.IssuerSubjectIdentifier == "" || r.PolicyOIDIdentifier == "" {
			f.add(ruleIncomplete, p, "")
		}
		if r.IssuerSubjectIdentifier != "" {
			f.issuer(p, r.IssuerSubjectIdentifier)
		}
		if r.PolicyOIDIdentifier != "" {
			f.oid(p, r.PolicyOIDIdentifier)
		}
	default:
		f.add(ruleType, p.at("x509CertificateRuleType"), "%s is not a type of rule that can be evaluated here, so the rule matches nothing", quoted(string(r.Type)))
	}
}

// issuer checks the text of an issuer.
func (f *finder) issuer(p place, text string) {
	name, err := dn.Parse(text)
	switch {
	case err != nil:
		f.add(ruleIssuer, p, "%s is not a name, so the rule never matches: %v", quoted(text), err)
	case len(name) == 0:
		f.add(ruleIssuer, p, "the issuer is empty, so the rule never matches")
	case isRootFirst(name):
		right := name.Clone()
		slices.Reverse(right)
		f.add(ruleRootFirst, p, "%s starts with the root, as in certificateUserIds; a rule starts with the most specific part (open question 9.24)", quoted(text)).
			Do = "write " + quoted(right.String())
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
func (f *finder) oid(p place, text string) {
	if _, ok := parseOID(text); ok {
		return
	}
	found := f.add(ruleOID, p, "%s is not an OID in dotted form, so the rule never matches", quoted(text))
	if strings.EqualFold(strings.TrimSpace(text), "All Issuance Policies") {
		found.Do = "write 2.5.29.32.0"
	}
}

// sameIdentifier checks the two places of a rule of one kind.
func (f *finder) sameIdentifier(p place, r Rule, specific string, same func(a, b string) bool) {
	if r.Identifier != "" && specific != "" && !same(r.Identifier, specific) {
		f.add(ruleIdentifier, p.at("identifier"), "%s differs from the specific property, %s; which of them the service uses is not documented", quoted(r.Identifier), quoted(specific))
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
func (f *finder) ruleEffects(p place, r Rule) {
	m := f.c.AuthenticationMode
	switch {
	case r.Mode == "":
		f.add(ruleMode, p.at("x509CertificateAuthenticationMode"), "")
	case r.Mode != MultiFactor:
	case r.Type == IssuerSubject:
		f.add(ruleIssuerMultifactor, p, "")
	case r.Type == PolicyOID || r.Type == IssuerSubjectAndPolicyOID:
		if sameOID(r.OID(), "2.5.29.32.0") {
			f.add(ruleAnyPolicy, p, "")
		}
	}
	if r.RequiredAffinity == certuserid.High && m.DefaultAffinity != certuserid.High && !f.hasHigh {
		f.add(ruleAffinityNoBinding, p.at("x509CertificateRequiredAffinityLevel"), "")
	}
	if r.RequiredAffinity == certuserid.Low && m.DefaultAffinity == certuserid.High {
		f.add(affinityAmbiguous, p.at("x509CertificateRequiredAffinityLevel"), "")
	}
}

// rulePairs checks rules that match the same.
func (f *finder) rulePairs() {
	first := map[string]int{}    // what is matched to its first rule
	clashed := map[string]bool{} // reported already
	for i, r := range f.c.AuthenticationMode.Rules {
		key, ok := r.key()
		if !ok {
			continue
		}
		j, ok := first[key]
		if !ok {
			first[key] = i
			continue
		}
		other := f.c.AuthenticationMode.Rules[j]
		p := f.ruleAt(i)
		switch {
		case r.Mode != other.Mode && clashed[key]:
		case r.Mode != other.Mode && r.Type == IssuerSubject:
			f.add(issuerBoth, p, "rule %d gives the issuer another authentication mode; an issuer can have one, and the service does not accept the policy", j+1)
			clashed[key] = true
		case r.Mode != other.Mode:
			f.add(ruleConflict, p, "rule %d matches the same certificates and has another authentication mode: they are single-factor, and the multifactor rule has no effect", j+1)
			clashed[key] = true
		case r.RequiredAffinity != other.RequiredAffinity:
			f.add(ruleAffinities, p, "rule %d matches the same certificates and requires another affinity; which of them the service uses is not documented", j+1)
		default:
			f.add(ruleDuplicate, p, "duplicates rule %d and has no effect", j+1)
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
	all := place{inScopes, "CA scopes"}
	if len(list) > MaxScopes {
		f.add(scopesMany, all, "there are %d CA scopes; the service accepts %d", len(list), MaxScopes)
	}
	if len(list) > 0 {
		f.add(scopesUsed, all, "")
	}
	seen := map[keyid.ID]int{}
	for i, s := range list {
		p := f.scopeAt(i)
		if id, ok := f.ski(scopeSKI, scopeSKIForm, p.at("subjectKeyIdentifier"), s.SubjectKeyIdentifier, "the scope restricts nobody"); ok {
			if j, twice := seen[id]; twice {
				f.add(scopeDuplicate, p.at("subjectKeyIdentifier"), "CA scope %d names the same CA, which can have one group", j+1)
			} else {
				seen[id] = i
			}
		}
		if strings.TrimSpace(s.PublicKeyInfrastructureIdentifier) == "" {
			f.add(scopeName, p.at("publicKeyInfrastructureIdentifier"), "")
		}
		switch len(s.IncludeTargets) {
		case 0:
			f.add(scopeNoGroup, p.at("includeTargets"), "")
		case 1:
		default:
			f.add(scopeGroups, p.at("includeTargets"), "the scope has %d targets, but a CA can have one group", len(s.IncludeTargets))
		}
		for j, t := range s.IncludeTargets {
			at := place{p.where + "/includeTargets/" + strconv.Itoa(j), p.about}
			switch {
			case t.ID == "":
				f.add(scopeTarget, at.at("id"), "the target has no id, so it matches nobody")
			case t.Type != GroupTarget:
				f.add(scopeTarget, at.at("targetType"), "%s is not a group", quoted(string(t.Type))).Do = "name a group"
			case !strings.EqualFold(t.ID, AllUsersID) && !text.IsGUID(t.ID):
				f.add(scopeTarget, at.at("id"), "%s is not an object id", quoted(t.ID))
			}
		}
	}
}

// ski reads a subject key identifier and reports one that cannot be read, or that
// has more than hexadecimal digits.
func (f *finder) ski(unreadable, odd int, p place, text, effect string) (keyid.ID, bool) {
	id, err := keyid.Parse(text)
	switch {
	case err != nil:
		f.add(unreadable, p, "%s is not hexadecimal, so %s", quoted(text), effect)
	case !strings.EqualFold(text, string(id)):
		f.add(odd, p, "%s has other characters beside hexadecimal digits; whether the service ignores them is not documented, here they are ignored", quoted(text)).
			Do = "write " + quoted(strings.ToUpper(string(id)))
	}
	return id, err == nil
}

func (f *finder) revocation() {
	p := place{inCRL, "CRL validation"}
	v := f.c.CRLValidation
	if v.State != Enabled {
		f.add(crlOff, p.at("state"), "")
	}
	if v.State == "" && wire.MembersOf(v.kept) != nil {
		f.add(crlState, p.at("state"), "")
	}
	switch {
	case len(v.ExemptedSKIs) > 0 && v.State != Enabled:
		f.add(crlExemptedIdle, place{inExempted, "CRL validation, exempted CAs"}, "")
	case len(v.ExemptedSKIs) > 0:
		f.add(crlExempted, place{inExempted, "CRL validation, exempted CAs"}, "")
	}
	seen := map[keyid.ID]bool{}
	for i, text := range v.ExemptedSKIs {
		p := numbered(inExempted, i, "exempted CA", wire.Shown(text))
		if id, ok := f.ski(crlSKI, crlSKIForm, p, text, "it exempts no CA"); ok {
			if seen[id] {
				f.add(crlDuplicate, p, "")
			}
			seen[id] = true
		}
	}
}

func (f *finder) size() {
	body, err := f.c.PatchBody()
	if err != nil {
		return
	}
	p := place{"", "configuration"}
	switch size := len(body); {
	case size > MaxPolicySize:
		f.add(tooLarge, p, "%d bytes of JSON; the whole authentication methods policy can have %d", size, MaxPolicySize)
	case size > MaxPolicySize/2:
		f.add(large, p, "%d bytes of JSON, more than half of the %d that all authentication methods share", size, MaxPolicySize)
	}
}
