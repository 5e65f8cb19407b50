package signin

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/internal/enum"
	"example.com/entracba/cba/internal/text"
	"example.com/entracba/cba/keyid"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/trust"
)

// A choice is an open question that [Options] can answer in either way.
type choice struct {
	// id is the number of the question; a second other reading has a word behind it.
	id    string
	best  string // what is so by the reading that is taken by default
	other string // what is so by the other one
	set   func(o *Options, other bool)
	// asked says that the other reading is no more than that the best one is wrong, so
	// that no verdict is given by it.
	asked bool
}

// choices are in the order of their numbers. Not among them are questions that no
// option turns around, or that only the CRLs of the time could tell.
var choices = []choice{
	ofPolicy("2.1", "a rule of unknown type matches nothing", "a rule of unknown type with issuer and OID is a rule for both",
		func(r *policy.Readings) *bool { return &r.UnknownRuleIsCombined }),
	ofPolicy("2.4", "every matching rule can require high affinity", "only the rule that sets the mode can require high affinity",
		func(r *policy.Readings) *bool { return &r.OnlyDecidingRuleAffinity }),
	ofOptions("2.7", "an authentication strength's allowed issuer is the CA that issued the certificate", "an authentication strength's allowed issuer is any CA of the chain",
		func(o *Options, other bool) { o.AnyAllowedIssuer = other }),
	ofPolicy("3.2", "a binding has high affinity only if its field has it and the binding does not state low", "a binding has high affinity if its field has it or the binding states it",
		func(r *policy.Readings) *bool { return &r.EitherAffinity }),
	ofPolicy("3.3", "letter case does not matter in user principal names", "letter case matters in user principal names",
		func(r *policy.Readings) *bool { return &r.ExactNames }),
	{id: "4.5", best: "a CA scope goes by the key identifier of the CA, whichever PKI it names", other: "a CA scope with another PKI than that of the CA does not count",
		set: func(o *Options, other bool) { o.scopesByPKI = other }, asked: true},
	ofOptions("9.2", "the serial number in certificateUserIds is in reversed byte order", "the serial number in certificateUserIds is not reversed",
		func(o *Options, other bool) { o.IDs.BrokenBigEndianSerial = other }),
	ofHash("9.3", "the public key (SubjectPublicKeyInfo)", certuserid.PublicKeyInfo),
	ofHash("9.3-bits", "the bits of the public key", certuserid.PublicKeyBits),
	ofPolicy("9.4", "letter case and the leading 00 byte of a serial number do not matter in certificateUserIds", "certificateUserIds are compared exactly",
		func(r *policy.Readings) *bool { return &r.ExactUserIDs }),
	ofOptions("9.6", "Entra downloads CRLs over https", "Entra does not download CRLs over https",
		func(o *Options, other bool) { o.RefuseHTTPS = other }),
	ofPolicy("9.9", "a default of high affinity applies although a matching rule asks for low", "a matching rule for low affinity overrides a default of high",
		func(r *policy.Readings) *bool { return &r.RuleLowersAffinity }),
	ofOptions("9.10", "a CA without a CRL URL is not checked, where CRL validation is not required", "a CA without a CRL URL refuses, although CRL validation is not required",
		func(o *Options, other bool) { o.refuseNoCRL = other }),
	ofOptions("9.11", "required CRL validation applies to the issuing CA only", "required CRL validation applies to every CA of the chain",
		func(o *Options, other bool) { o.RequireParentCRLs = other }),
	ofPolicy("9.13", "the identifier of a rule for issuer and OID does not complete the rule", "the identifier of a rule for issuer and OID completes it",
		func(r *policy.Readings) *bool { return &r.IdentifierInCombinedRule }),
	ofOptions("9.14", "the names of the portal for bindings of issuer and subject are those of Graph", "bindings with the names of the portal for issuer and subject do not bind",
		func(o *Options, other bool) { o.noPortalBindings = other }),
	ofPolicy("9.15", "after a binding that does not match the next one is tried", "after a binding that does not match no other is tried",
		func(r *policy.Readings) *bool { return &r.StopAtMismatch }),
	ofPolicy("9.23", "of several names in a certificate only the first is compared", "every name in a certificate is compared",
		func(r *policy.Readings) *bool { return &r.AnyName }),
	ofPolicy("9.24", "the issuer in a rule starts with the most specific part", "the issuer in a rule may also start with the root",
		func(r *policy.Readings) *bool { return &r.RootFirstIssuers }),
	ofOptions("9.26", "bindings with the issuer are supported", "bindings with the issuer are not supported",
		func(o *Options, other bool) { o.noIssuerBindings = other }),
	ofDepth("9.27", "a chain can have more than five CAs", "a chain can have five CAs", shallowDepth),
	ofDepth("9.27-long", "a chain can have ten CAs", "a chain can have more than ten CAs, of which ten are checked", anyDepth),
	ofPolicy("9.28", "rules of one rank that disagree give single-factor", "rules of one rank for issuer and OID that disagree give multifactor",
		func(r *policy.Readings) *bool { return &r.ConflictIsMultiFactor }),
	{id: "9.31", best: "an issuer rule goes by the issuer only", other: "an issuer rule does not go by the issuer only",
		set: func(o *Options, other bool) { o.noIssuerRules = other }, asked: true},
	ofOptions("9.33", "a chain that no CA scope names is open to everybody", "a chain that no CA scope names is closed, where other scopes exist",
		func(o *Options, other bool) { o.refuseUnscoped = other }),
	ofPolicy("9.34", "letter case does not matter in a binding's userProperty", "a binding with another spelling of userProperty does not bind",
		func(r *policy.Readings) *bool { return &r.ExactUserProperty }),
	ofOptions("9.37", "an authentication strength looks at the first five policy OIDs", "an authentication strength looks at the first five policy OIDs that match",
		func(o *Options, other bool) { o.FirstFiveMatching = other }),
	ofOptions("9.38", "a CA scope of the root counts", "a CA scope of the root does not count",
		func(o *Options, other bool) { o.IgnoreRootScopes = other }),
	ofOptions("9.53", "whether a CA is a root goes by its certificate", "a CA that the trust store marks as a root ends the chain",
		func(o *Options, other bool) { o.Trust.RootByFlag = other }),
}

func ofOptions(id, best, other string, set func(*Options, bool)) choice {
	return choice{id: id, best: best, other: other, set: set}
}

func ofPolicy(id, best, other string, flag func(*policy.Readings) *bool) choice {
	return ofOptions(id, best, other, func(o *Options, other bool) { *flag(&o.Policy) = other })
}

func ofHash(id, what string, input certuserid.HashInput) choice {
	return ofOptions(id, "SHA1-PUKEY in certificateUserIds is a hash of the whole certificate, not of "+what, "SHA1-PUKEY in certificateUserIds is a hash of "+what,
		func(o *Options, other bool) {
			switch {
			case other:
				o.IDs.HashInput = input
			case o.IDs.HashInput == input:
				o.IDs.HashInput = certuserid.WholeCertificate
			}
		})
}

func ofDepth(id, best, other string, depth int) choice {
	return ofOptions(id, best, other, func(o *Options, other bool) {
		switch {
		case other:
			o.Trust.MaxDepth = depth
		case o.Trust.MaxDepth == depth:
			o.Trust.MaxDepth = trust.MaxDepth
		}
	})
}

func choiceOf(id string) (choice, bool) {
	i := slices.IndexFunc(choices, func(c choice) bool { return c.id == id })
	if i < 0 {
		return choice{}, false
	}
	return choices[i], true
}

// A Result is what a sign-in log says about an open question. The zero value is unset.
type Result uint8

const (
	// Unsettled: too few sign-ins depend on the question, or too many fit no reading.
	Unsettled Result = iota + 1
	// Confirmed: the log confirms the reading that this package takes by default.
	Confirmed
	// Contradicted: the log contradicts that reading and confirms the other one.
	Contradicted
	// Conflicting: the log speaks for both, as it does if the tenant was changed in
	// between.
	Conflicting
)

var results = enum.Of[Result]("signin: result", "open", "confirmed", "contradicted", "conflicting")

// String returns "open", "confirmed", "contradicted" or "conflicting".
func (r Result) String() string { return results.String(r) }

// MarshalText writes the text of [Result.String]; an unset or unknown result is an
// error.
func (r Result) MarshalText() ([]byte, error) { return results.Marshal(r) }

// UnmarshalText reads what MarshalText wrote.
func (r *Result) UnmarshalText(text []byte) error { return results.Unmarshal(r, text) }

// A Reading is what a sign-in log says about one open question.
type Reading struct {
	// ID is the number of the question in docs/open-questions.md. A question with a
	// third reading has two entries: "9.27" and "9.27-long".
	ID     string `json:"id"`
	Result Result `json:"result"`
	Text   string `json:"text"`  // the reading that is taken by default
	Other  string `json:"other"` // the other one
	// SignIns and Users speak for Text, OtherSignIns and OtherUsers for Other.
	SignIns      int `json:"signIns"`
	Users        int `json:"users"`
	OtherSignIns int `json:"otherSignIns"`
	OtherUsers   int `json:"otherUsers"`
}

// Holds returns the reading that the log confirms, with the number of its sign-ins and
// of their users; "" if it settles nothing.
func (r Reading) Holds() (text string, signIns, users int) {
	switch r.Result {
	case Confirmed:
		return r.Text, r.SignIns, r.Users
	case Contradicted:
		return r.Other, r.OtherSignIns, r.OtherUsers
	}
	return "", 0, 0
}

// ParseCalibration reads what [Tenant.Calibrate] returned, written as JSON. The texts
// of the readings are those of this version; a question that it does not have is an
// error.
//
// The error is an [*Error]: [Malformed] or [TooLarge].
func ParseCalibration(data []byte) (Calibration, error) {
	properties, err := object(data, MaxConfig)
	if err != nil {
		return Calibration{}, err
	}
	if properties["readings"] == nil {
		return Calibration{}, malformed("", "the object has no readings: a file of readings is what examples/signins writes")
	}
	var c Calibration
	if err := json.Unmarshal(data, &c); err != nil {
		return Calibration{}, &Error{Reason: Malformed, Where: "/readings", Err: err}
	}
	for i := range c.Readings {
		r := &c.Readings[i]
		where := fmt.Sprintf("/readings/%d", i)
		known, ok := choiceOf(r.ID)
		if !ok {
			return Calibration{}, malformed(where+"/id", "this version has no choice of readings for question %s", text.Quote(r.ID))
		}
		r.Text, r.Other = known.best, known.other
		_, signIns, users := r.Holds()
		switch {
		case !results.Known(r.Result):
			return Calibration{}, malformed(where+"/result", "the result is missing")
		case slices.ContainsFunc(c.Readings[:i], func(before Reading) bool { return before.ID == r.ID }):
			return Calibration{}, malformed(where+"/id", "question %s appears twice", r.ID)
		case (r.Result == Confirmed || r.Result == Contradicted) && (signIns <= 0 || users <= 0):
			return Calibration{}, malformed(where, "question %s is settled by no sign-in", r.ID)
		}
	}
	return c, nil
}

// settle applies the readings that a log has settled.
func (o *Options) settle() error {
	for _, r := range o.Calibration.Readings {
		c, ok := choiceOf(r.ID)
		if !ok {
			return malformed("readings", "this version has no choice of readings for question %s", text.Quote(r.ID))
		}
		if r.Result == Confirmed || r.Result == Contradicted && !c.asked {
			c.set(o, r.Result == Contradicted)
		}
	}
	return nil
}

// bySettled says of an assumption that the log of the tenant has settled it: every
// other reading of the question that can bear on this sign-in.
func (ev *evaluation) bySettled(a *Assumption) {
	if a.ID == "9.10" && ev.tenant.config.Policy.CRLValidation.State == "" {
		return // it also stands for a configuration that may require CRLs
	}
	var said []string
	for _, c := range choices {
		number, _, _ := strings.Cut(c.id, "-")
		if number != a.ID || number == "9.27" && (c.id == "9.27-long") != (len(ev.reading.chain.CAs) > trust.MaxDepth) {
			continue
		}
		i := slices.IndexFunc(ev.tenant.options.Calibration.Readings, func(r Reading) bool { return r.ID == c.id })
		if i < 0 {
			return
		}
		r := ev.tenant.options.Calibration.Readings[i]
		if r.Result != Confirmed && r.Result != Contradicted {
			return
		}
		r.Text, r.Other = c.best, c.other
		holds, signIns, users := r.Holds()
		by := fmt.Sprintf("by the reading %q, confirmed by %s of %s", holds, text.Count(signIns, "sign-in", "sign-ins"), text.Count(users, "user", "users"))
		if r.Result == Contradicted && c.asked {
			a.Text += fmt.Sprintf("; %s of %s in the log contradict this", text.Count(signIns, "sign-in", "sign-ins"), text.Count(users, "user", "users"))
			return
		}
		if r.Result == Contradicted {
			said = []string{by}
			break
		}
		said = append(said, by)
	}
	if len(said) > 0 {
		a.Text, a.ChangesVerdict = strings.Join(said, "; "), false
	}
}

// dropForCalibration removes what does not count under the readings that only a
// calibration asks for. What is left has other places in its lists, so that no verdict
// may name one.
func dropForCalibration(c *policy.Config, store *trust.Store, o Options) {
	if o.noIssuerRules {
		c.AuthenticationMode.Rules = slices.DeleteFunc(slices.Clone(c.AuthenticationMode.Rules), func(r policy.Rule) bool { return r.Type == policy.IssuerSubject })
	}
	if o.scopesByPKI {
		c.CertificateAuthorityScopes = slices.DeleteFunc(slices.Clone(c.CertificateAuthorityScopes), func(s policy.AuthorityScope) bool {
			pki := s.PublicKeyInfrastructureIdentifier
			id, err := keyid.Parse(s.SubjectKeyIdentifier)
			return pki != "" && err == nil && !slices.ContainsFunc(store.WithSKI(id), func(ca *trust.CA) bool { return ca.InPKI(pki) })
		})
	}
}

// dropBindings removes the username bindings that do not bind under the readings of the
// options, and returns the number of the question that removed one.
func dropBindings(c *policy.Config, o Options) (question string) {
	c.UserBindings = slices.DeleteFunc(slices.Clone(c.UserBindings), func(b policy.UserBinding) bool {
		portal := b.Field == certuserid.IssuerAndSubject || b.Field == certuserid.IssuerAndSerialNumber || b.Field == certuserid.Subject
		switch {
		case o.noPortalBindings && portal:
			question = "9.14"
		case o.noIssuerBindings && portal && b.Field != certuserid.Subject:
			question = "9.26"
		default:
			return false
		}
		return true
	})
	return question
}
