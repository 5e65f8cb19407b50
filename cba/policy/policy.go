package policy

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/keyid"
)

// A Policy is a configuration made ready for decisions: [Config.Compile] makes
// one. It does not change, shares no memory with the Config, and may be used from
// many goroutines. A nil Policy signs nobody in.
type Policy struct {
	config   Config
	readings readingSet
	*tables
}

// tables are the parts that do not depend on the readings.
type tables struct {
	rules           []rule
	firstRule       []int              // index in the configuration to the first of rules; one more for the end
	issuers         map[string]int32   // key of a name to a number
	byIssuer        [][]int32          // number to rules for that issuer
	byOID           map[string][]int32 // DER of an OID to rules with that OID
	defaultAffinity affinity
	bindings        []binding // in the order in which they are tried
	include         targets
	exclude         targets
	scopes          map[keyid.ID][]int
	anywhere        []int // scopes whose key identifier cannot be read
	// What the text of the configuration did not have, see Config.lacks.
	stateMissing, bindingsMissing, scopesMissing bool
	exempt                                       map[keyid.ID]bool
}

// An affinity as it is compared: unknown texts require high.
type affinity uint8

const (
	unstated affinity = iota
	low
	high
)

// demanded reads the affinity that a rule or the default asks for.
func demanded(level certuserid.Affinity) affinity {
	switch level {
	case "":
		return unstated
	case certuserid.Low:
		return low
	}
	return high
}

func (a affinity) level() certuserid.Affinity {
	if a == high {
		return certuserid.High
	}
	return certuserid.Low
}

// A tier is the rank of a kind of rules: the lowest tier in which a rule matches
// decides.
type tier uint8

const (
	issuerAndOID tier = iota
	oidOnly
	issuerOnly
	tiers
)

const noIssuer = -1

// A rule is a [Rule] made ready. A Rule that can be read in two ways has one for
// each.
type rule struct {
	index    int // in the configuration
	tier     tier
	issuer   int32
	oid      string
	multi    bool
	affinity affinity
	needs    readingSet // readings that must be reversed for the rule to count
}

// A binding is a [UserBinding] made ready.
type binding struct {
	index    int // in the configuration
	priority int32
	mapping  certuserid.Mapping // empty if the field is not known
	property UserProperty
	usable   bool
	// respelled: the configuration has the property in another letter case.
	respelled bool
	// affinity by the field, and as stated where that is known.
	affinity, stated affinity
}

// maxList bounds the lists of a configuration, as reading does.
const maxList = 1 << 16

// Compile makes the configuration ready for decisions under the given readings; the
// zero [Readings] are those that this package thinks best. What cannot be evaluated
// matches nothing, requires more or grants less, and [Config.Findings] and
// [Policy.Explain] name it.
//
// The error is an [*Error] with reason [TooLarge]: more than 65,536 rules,
// bindings, targets or scopes, which no text that can be read has.
func (c Config) Compile(r Readings) (*Policy, error) {
	for _, n := range []int{len(c.AuthenticationMode.Rules), len(c.UserBindings), len(c.IncludeTargets), len(c.ExcludeTargets), len(c.CertificateAuthorityScopes)} {
		if n > maxList {
			return nil, &Error{Reason: TooLarge, Detail: fmt.Sprintf("a list has %d elements, at most %d are evaluated", n, maxList)}
		}
	}
	t := &tables{
		issuers: map[string]int32{}, byOID: map[string][]int32{},
		scopes: map[keyid.ID][]int{}, exempt: map[keyid.ID]bool{},
		defaultAffinity: demanded(c.AuthenticationMode.DefaultAffinity),
	}
	for i, r := range c.AuthenticationMode.Rules {
		t.firstRule = append(t.firstRule, len(t.rules))
		t.addRule(i, r)
	}
	t.firstRule = append(t.firstRule, len(t.rules))
	for i, b := range c.UserBindings {
		t.bindings = append(t.bindings, compileBinding(i, b))
	}
	slices.SortStableFunc(t.bindings, compareBindings)
	t.stateMissing, t.bindingsMissing, t.scopesMissing = c.lacks(propertyState), c.lacks(propertyBindings), c.lacks(propertyScopes)
	t.include = includeTargets(c.IncludeTargets, c.lacks(propertyInclude))
	t.exclude = excludeTargets(c.ExcludeTargets, c.lacks(propertyExclude))
	for i, s := range c.CertificateAuthorityScopes {
		if id, err := keyid.Parse(s.SubjectKeyIdentifier); err == nil {
			t.scopes[id] = append(t.scopes[id], i)
		} else {
			t.anywhere = append(t.anywhere, i)
		}
	}
	for _, text := range c.CRLValidation.ExemptedSKIs {
		if id, err := keyid.Parse(text); err == nil {
			t.exempt[id] = true
		}
	}
	return &Policy{config: c.Clone(), readings: r.set(), tables: t}, nil
}

// empty is what a nil or zero Policy answers with: it signs nobody in.
var empty = &Policy{tables: &tables{include: newTargets(), exclude: newTargets(), firstRule: []int{0}}}

// usable returns p, or empty for a nil or zero Policy.
func (p *Policy) usable() *Policy {
	if p == nil || p.tables == nil {
		return empty
	}
	return p
}

// With returns the policy under other readings, at no cost. A nil Policy stays nil.
func (p *Policy) With(r Readings) *Policy {
	if p == nil {
		return nil
	}
	q := *p
	q.readings = r.set()
	return &q
}

// Config returns the configuration that the policy was made from.
func (p *Policy) Config() Config { return p.usable().config.Clone() }

// addRule compiles a rule for every reading that makes it match something.
func (t *tables) addRule(index int, r Rule) {
	compiled := rule{index: index, multi: r.Mode == MultiFactor, affinity: demanded(r.RequiredAffinity)}
	switch r.Type {
	case IssuerSubject:
		compiled.tier = issuerOnly
		t.addIssuerRule(compiled, r.Issuer(), "")
	case PolicyOID:
		compiled.tier = oidOnly
		compiled.issuer = noIssuer
		if oid, ok := parseOID(r.OID()); ok {
			compiled.oid = oid
			t.add(compiled)
		}
	case IssuerSubjectAndPolicyOID:
		compiled.tier = issuerAndOID
		issuer, oid := r.IssuerSubjectIdentifier, r.PolicyOIDIdentifier
		switch {
		case issuer == "" && oid != "":
			issuer, compiled.needs = r.Identifier, 1<<readIdentifier
		case issuer != "" && oid == "":
			oid, compiled.needs = r.Identifier, 1<<readIdentifier
		}
		t.addIssuerRule(compiled, issuer, oid)
	default:
		if r.IssuerSubjectIdentifier != "" && r.PolicyOIDIdentifier != "" {
			compiled.tier, compiled.needs = issuerAndOID, 1<<readUnknownRule
			t.addIssuerRule(compiled, r.IssuerSubjectIdentifier, r.PolicyOIDIdentifier)
		}
	}
}

// addIssuerRule adds a rule with an issuer, and one with the issuer read root
// first.
func (t *tables) addIssuerRule(r rule, issuer, oid string) {
	if r.tier == issuerAndOID {
		der, ok := parseOID(oid)
		if !ok {
			return
		}
		r.oid = der
	}
	forward, reversed, ok := issuerKeys(issuer)
	if !ok {
		return
	}
	r.issuer = t.issuerNumber(forward)
	t.add(r)
	if reversed != forward {
		r.issuer = t.issuerNumber(reversed)
		r.needs |= 1 << readRootFirst
		t.add(r)
	}
}

func (t *tables) issuerNumber(key string) int32 {
	number, ok := t.issuers[key]
	if !ok {
		number = int32(len(t.issuers))
		t.issuers[key] = number
		t.byIssuer = append(t.byIssuer, nil)
	}
	return number
}

func (t *tables) add(r rule) {
	number := int32(len(t.rules))
	t.rules = append(t.rules, r)
	if r.tier == issuerOnly {
		t.byIssuer[r.issuer] = append(t.byIssuer[r.issuer], number)
	} else {
		t.byOID[r.oid] = append(t.byOID[r.oid], number)
	}
}

// issuerKeys reads the issuer of a rule in both orders. A name without parts
// matches nothing.
func issuerKeys(text string) (forward, reversed string, ok bool) {
	name, err := dn.Parse(text)
	if err != nil || len(name) == 0 {
		return "", "", false
	}
	key := func() string {
		der, err := name.Marshal()
		if err != nil {
			return ""
		}
		key, err := dn.AppendKey(nil, der)
		if err != nil {
			return ""
		}
		return string(key)
	}
	forward = key()
	slices.Reverse(name)
	reversed = key()
	return forward, reversed, forward != "" && reversed != ""
}

// maxOID bounds the text of an OID: the time that reading one takes grows with the square
// of its longest number.
const maxOID = 1024

// parseOID reads the dotted form, with spaces around it, and returns the DER.
// Numbers with leading zeros are no such form.
func parseOID(text string) (string, bool) {
	text = strings.TrimSpace(text)
	if len(text) > maxOID {
		return "", false
	}
	oid, err := x509.ParseOID(text)
	if err != nil || oid.String() != text {
		return "", false
	}
	der, err := oid.MarshalBinary()
	return string(der), err == nil
}

func compileBinding(index int, b UserBinding) binding {
	compiled := binding{index: index, priority: b.Priority, property: b.Property.folded(), usable: b.Supported()}
	compiled.respelled = compiled.property != b.Property
	if b.Field.Known() {
		compiled.mapping, compiled.affinity = b.Field, demanded(b.Field.Affinity())
	}
	switch b.Affinity {
	case "":
	case certuserid.High:
		compiled.stated = high
	default: // an unknown text counts as the least
		compiled.stated = low
	}
	return compiled
}

// compareBindings orders by priority. Bindings of the same priority, which the
// service does not allow, are ordered by what they are, so that their order in
// the configuration does not matter.
func compareBindings(a, b binding) int {
	switch {
	case a.priority != b.priority:
		return int(min(max(int64(a.priority)-int64(b.priority), -1), 1))
	case a.mapping != b.mapping:
		return slices.Index(certuserid.Mappings(), a.mapping) - slices.Index(certuserid.Mappings(), b.mapping)
	}
	if a.property != b.property {
		return strings.Compare(string(a.property), string(b.property))
	}
	return int(a.stated) - int(b.stated)
}

// level returns the affinity that counts.
func (b *binding) level(readings readingSet) affinity {
	if b.stated == unstated || b.stated == b.affinity {
		return b.affinity
	}
	if readings.has(readEitherAffinity) {
		return high
	}
	return low
}
