package policy

// Readings choose what the service does where its documents are silent or
// contradict each other. The zero value is the most likely reading; if the evidence
// does not decide, it is the stricter one. The numbers are those of [Assumption].
//
// How certificateUserIds values are written has readings of its own:
// certuserid.Options, a parameter of [NewCertificate].
type Readings struct {
	// RuleLowersAffinity lets a matching rule that asks for low affinity override
	// a default of high (9.9): the deep dive says "override" in one place, and in
	// another drops low bindings if the tenant or a rule asks for high. By
	// default the higher requirement wins.
	RuleLowersAffinity bool
	// OnlyDecidingRuleAffinity ignores the affinity of matching rules that do not
	// set the mode (2.4). By default any matching rule can require high.
	OnlyDecidingRuleAffinity bool
	// ConflictIsMultiFactor lets several rules for issuer and OID that match with
	// different modes give multifactor (9.28), and also several rules for one issuer,
	// which is not a valid policy. By default they give single-factor, as the deep
	// dive says of rules for an OID.
	ConflictIsMultiFactor bool
	// StopAtMismatch ends the walk at the first binding whose field the
	// certificate has (9.15), as an older text says. By default the next binding
	// is tried.
	StopAtMismatch bool
	// EitherAffinity gives a binding high affinity if its field has it or the binding
	// states it, when the two differ (3.2). By default both must be high.
	EitherAffinity bool
	// AnyName tries every principal name and e-mail address of the certificate
	// (9.23). By default only the first of each kind is tried.
	AnyName bool
	// ExactNames compares user principal names exactly (3.3). By default the
	// comparison ignores the case of ASCII letters.
	ExactNames bool
	// ExactUserIDs compares certificateUserIds exactly (9.4). By default an assumed
	// fit, as certuserid calls it, is enough: the letter case behind the tags and the
	// leading 00 byte of a serial number do not matter.
	ExactUserIDs bool
	// RootFirstIssuers reads issuers in rules in the order of certificateUserIds
	// too (9.24). By default only as the samples of Graph write them, the most
	// specific part first.
	RootFirstIssuers bool
	// IdentifierInCombinedRule takes the identifier of a rule for issuer and OID
	// for the one of the two that its specific property does not give (9.13). By
	// default such a rule matches nothing.
	IdentifierInCombinedRule bool
	// UnknownRuleIsCombined takes a rule of unknown type that has both specific
	// properties for one of issuer and OID (2.1), which is what Graph shows of
	// such a rule when the request lacks "Prefer: include-unknown-enum-members".
	// By default a rule of unknown type matches nothing.
	UnknownRuleIsCombined bool
	// ExactUserProperty takes a username binding whose user property is spelled in
	// another letter case than Graph's pages have it for one that is not supported
	// (9.34). By default it binds, for Microsoft's PowerShell sample spells it so.
	ExactUserProperty bool
}

// An Assumption is a reading that an answer relied on, or that would change it.
type Assumption struct {
	// ID numbers the question: "9.x" are the rows of docs/open-questions.md, other
	// numbers are places where a rule is inferred. See [Readings].
	ID string `json:"id"`
	// Text says what is assumed and why it is in doubt.
	Text string `json:"text"`
	// ChangesOutcome says that under the other reading the decision is another
	// one: the user is bound or not, or the mode differs.
	ChangesOutcome bool `json:"changesOutcome"`
	// Otherwise is the decision under the other reading. Where no other reading
	// can be computed it is the same decision.
	Otherwise Decision `json:"-"`
}

// A reading is one row of the table of readings: its number, what is assumed,
// and how to reverse it.
type reading struct {
	id   string
	text string
	flag func(*Readings) *bool
}

// The rows in the order in which assumptions are listed.
var readings = [...]reading{
	readUnknownRule: {"2.1", "a rule of unknown type matches nothing; Graph shows unknownFutureValue for rules of issuer and OID, unless the request has the header Prefer: include-unknown-enum-members",
		func(r *Readings) *bool { return &r.UnknownRuleIsCombined }},
	readDecidingAffinity: {"2.4", "every matching rule can require high affinity, not only the one that sets the authentication mode",
		func(r *Readings) *bool { return &r.OnlyDecidingRuleAffinity }},
	readEitherAffinity: {"3.2", "a binding has high affinity only if its field has it and the binding does not state low",
		func(r *Readings) *bool { return &r.EitherAffinity }},
	readExactNames: {"3.3", "letter case does not matter when a name of the certificate is compared with a user principal name",
		func(r *Readings) *bool { return &r.ExactNames }},
	readExactIDs: {"9.4", "letter case and the leading 00 byte of a serial number do not matter when certificateUserIds are compared",
		func(r *Readings) *bool { return &r.ExactUserIDs }},
	readLowerAffinity: {"9.9", "a default of high affinity applies although a matching rule asks for low; the documentation has both readings",
		func(r *Readings) *bool { return &r.RuleLowersAffinity }},
	readIdentifier: {"9.13", "the identifier of a rule for issuer and OID is not used for the part that its specific property does not give",
		func(r *Readings) *bool { return &r.IdentifierInCombinedRule }},
	readStop: {"9.15", "after a binding that does not match the next one is tried",
		func(r *Readings) *bool { return &r.StopAtMismatch }},
	readAnyName: {"9.23", "of several principal names or e-mail addresses in a certificate only the first is compared",
		func(r *Readings) *bool { return &r.AnyName }},
	readRootFirst: {"9.24", "the issuer in a rule starts with the most specific part, not with the root",
		func(r *Readings) *bool { return &r.RootFirstIssuers }},
	readConflict: {"9.28", "rules for issuer and OID, or for one issuer, that match with different modes give single-factor",
		func(r *Readings) *bool { return &r.ConflictIsMultiFactor }},
	readExactProperty: {"9.34", "letter case does not matter in a binding's userProperty; Graph's pages write userPrincipalName, Microsoft's PowerShell sample writes UserPrincipalName",
		func(r *Readings) *bool { return &r.ExactUserProperty }},
}

// Indexes of readings, and bits of a readingSet.
const (
	readUnknownRule = iota
	readDecidingAffinity
	readEitherAffinity
	readExactNames
	readExactIDs
	readLowerAffinity
	readIdentifier
	readStop
	readAnyName
	readRootFirst
	readConflict
	readExactProperty
)

// A readingSet has a bit for every reading that is reversed.
type readingSet uint16

func (s readingSet) has(r int) bool { return s&(1<<r) != 0 }

func (r Readings) set() readingSet {
	var s readingSet
	for i := range readings {
		if *readings[i].flag(&r) {
			s |= 1 << i
		}
	}
	return s
}
