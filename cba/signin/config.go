package signin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/internal/dialect"
	"example.com/entracba/cba/internal/text"
	"example.com/entracba/cba/internal/wire"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/trust"
)

// MaxConfig is the largest text, in bytes, that [ParseConfig] reads: twice 250 CAs
// of 8 KB in base64, and some more.
const MaxConfig = 16 << 20

// A Config has the settings of a tenant that decide a sign-in with a certificate.
// The zero Config signs nobody in.
//
// Copies of the struct share its lists: changing a rule of one changes the other.
// [Config.Clone] makes a copy that shares nothing.
//
// Its JSON is an object with the properties "x509Certificate" (the configuration
// as Graph returns it), "publicKeyInfrastructure" (a list of PKIs) and
// "certificateBasedAuthConfiguration" (the classic store). Other properties are
// kept in Extra.
type Config struct {
	Policy policy.Config
	Trust  trust.Config
	// Extra has the other properties, which are written back. Two of them count where
	// they are: "systemCredentialPreferences" (of Graph's authenticationMethodsPolicy)
	// for [Tenant.WithoutCertificate] and a finding, and "domains" (the answer of
	// GET /domains) for users of a domain that is federated.
	Extra map[string]json.RawMessage
	// Missing names those of the three properties that are not known. A Config that
	// a program makes is complete; [ParseConfig] names here what the text does not have.
	Missing []string
}

// Lacks reports whether one of the three properties is not known.
func (c Config) Lacks(property string) bool { return slices.Contains(c.Missing, property) }

// Names of the properties of a Config.
const (
	propertyPolicy  = "x509Certificate"
	propertyPKIs    = "publicKeyInfrastructure"
	propertyClassic = "certificateBasedAuthConfiguration"
)

// Clone returns a copy that shares nothing with c. Use it for a "what if":
//
//	changed := today.Clone()
//	changed.Policy.AuthenticationMode.Rules[0].Mode = policy.SingleFactor
//
// Then [Compare] today with changed.
func (c Config) Clone() Config { return wire.Clone(c) }

// ParseConfig reads a tenant. Two PKIs with the same name are refused, because CA
// scopes refer to a PKI by its name.
//
// The error is an [*Error]: [Malformed], [DuplicatePKI] or [TooLarge].
func ParseConfig(data []byte) (Config, error) {
	var c Config
	if err := c.UnmarshalJSON(data); err != nil {
		return Config{}, err
	}
	return c, nil
}

// UnmarshalJSON is [ParseConfig]. On an error c stays as it was.
func (c *Config) UnmarshalJSON(data []byte) error {
	properties, err := object(data, MaxConfig)
	if text, failed := dialect.Graph(data, MaxConfig); failed == nil {
		document, instead := dialect.Tenant(text)
		if instead != "" {
			return malformed("", "this looks like %s", instead)
		}
		if !bytes.Equal(document, bytes.TrimSpace(data)) { // it was not in Graph's form
			data = document
			properties, err = object(data, MaxConfig)
		}
	} else if e := dialect.Instead(failed); e != nil {
		return malformed(e.Where, "%s", e.Detail)
	}
	if err != nil {
		return err
	}
	if properties[propertyPolicy] == nil && properties[propertyPKIs] == nil && properties[propertyClassic] == nil {
		return malformed("", "the object has none of the properties %s, %s and %s", propertyPolicy, propertyPKIs, propertyClassic)
	}
	var read Config
	take := func(name string, parse func([]byte) error) {
		text := properties[name]
		if text == nil || string(text) == "null" {
			read.Missing = append(read.Missing, name)
		}
		delete(properties, name)
		if err == nil && text != nil && string(text) != "null" {
			if failed := parse(text); failed != nil {
				err = within(data, "/"+name, failed)
			}
		}
	}
	take(propertyPolicy, func(text []byte) (err error) { read.Policy, err = policy.Parse(text); return err })
	take(propertyPKIs, func(text []byte) (err error) { read.Trust.PKIs, err = trust.ParsePKIs(text); return err })
	take(propertyClassic, func(text []byte) (err error) { read.Trust.Classic, err = trust.ParseClassic(text); return err })
	if err != nil {
		return err
	}
	names := map[string]bool{}
	for i, pki := range read.Trust.PKIs {
		if !pki.DeletedDateTime.IsZero() { // deleted, and its successor may have the name
			continue
		}
		if names[pki.DisplayName] {
			return &Error{Reason: DuplicatePKI, Where: fmt.Sprintf("/%s/%d", propertyPKIs, i),
				Detail: fmt.Sprintf("two PKIs have the name %s; rename one, because CA scopes refer to a PKI by its name", text.Quote(pki.DisplayName))}
		}
		names[pki.DisplayName] = true
	}
	if len(properties) > 0 {
		read.Extra = properties
	}
	if _, err := read.surroundings(); err != nil {
		return err
	}
	*c = read
	return nil
}

// within makes the place of an error one of the whole text.
func within(data []byte, where string, err error) error {
	e := &Error{Reason: Malformed, Where: where, Offset: wire.Offset(data, where), Err: err}
	var ofPolicy *policy.Error
	var ofTrust *trust.Error
	switch {
	case errors.As(err, &ofPolicy):
		ofPolicy.Where, ofPolicy.Offset = where+ofPolicy.Where, e.Offset+ofPolicy.Offset
		e.Where, e.Offset = ofPolicy.Where, ofPolicy.Offset
	case errors.As(err, &ofTrust):
		ofTrust.Where, ofTrust.Offset = where+ofTrust.Where, e.Offset+ofTrust.Offset
		e.Where, e.Offset = ofTrust.Where, ofTrust.Offset
	}
	return e
}

// object reads the properties of one JSON object.
func object(data []byte, most int) (map[string]json.RawMessage, error) {
	text, err := wire.Text(data, most)
	var members []wire.Member
	if err == nil {
		members, err = wire.Members(text)
	}
	var e *wire.Error
	switch {
	case errors.As(err, &e) && e.Reason == wire.TooLarge:
		return nil, &Error{Reason: TooLarge, Where: e.Where, Detail: e.Detail}
	case err != nil:
		failed := &Error{Reason: Malformed, Detail: strings.TrimPrefix(err.Error(), "wire: ")}
		if e != nil {
			failed.Where, failed.Offset = e.Where, e.Offset
		}
		return nil, failed
	}
	properties := make(map[string]json.RawMessage, len(members))
	for _, m := range members {
		properties[m.Name] = m.Raw
	}
	return properties, nil
}

// MarshalJSON writes the tenant: the three properties, null for one that is missing,
// then those of Extra.
func (c Config) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	write := func(name string, value any) error {
		if c.Lacks(name) {
			value = nil
		}
		text, err := json.Marshal(value)
		if err != nil {
			return err
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		quoted, err := json.Marshal(name) // any text can be a property's name
		if err != nil {
			return err
		}
		b.Write(append(append(quoted, ':'), text...))
		return nil
	}
	err := write(propertyPolicy, c.Policy)
	if err == nil {
		pkis := c.Trust.PKIs
		if pkis == nil {
			pkis = trust.PKIs{}
		}
		err = write(propertyPKIs, pkis)
	}
	if err == nil {
		err = write(propertyClassic, c.Trust.Classic)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Extra)) {
		if err == nil {
			err = write(name, c.Extra[name])
		}
	}
	if err != nil {
		return nil, err
	}
	return append(append([]byte("{"), b.Bytes()...), '}'), nil
}

// Options choose between readings of what is not documented, package by package,
// and say how much is checked. The zero value is the best reading of each.
type Options struct {
	Policy policy.Readings
	Trust  trust.Options
	IDs    certuserid.Options
	// CRLs gets CRLs. If it is nil, no CRL is available: every CA with a CRL URL then
	// refuses, as Entra does when it cannot download a CRL.
	CRLs crl.Source
	// Now is the time of sign-ins for [Tenant.ExplainUser]. Nil means [time.Now].
	Now func() time.Time
	// SkipRevocation ignores CRLs, for questions about the configuration only. The
	// verdict then has a warning.
	SkipRevocation bool
	// CheckExempted checks the CRL of a CA that has a URL although the CA is exempted
	// from CRL validation (open question 9.32). By default exemption switches the
	// check off.
	CheckExempted bool
	// RequireParentCRLs applies "require CRL validation" to every CA of the chain
	// (open question 9.11). By default it applies only to the CA that issued the
	// certificate.
	RequireParentCRLs bool
	// RefuseHTTPS assumes that Entra cannot download a CRL over https (open question
	// 9.6).
	RefuseHTTPS bool
	// AnyAllowedIssuer lets an authentication strength's allowed issuer be any CA of
	// the chain. By default it must be the CA that issued the certificate: the pages
	// ask for the authority key identifier of the user's certificate, which names
	// that CA.
	AnyAllowedIssuer bool
	// FirstFiveMatching lets an authentication strength look at every policy OID of a
	// certificate (open question 9.37): the first five that match what it allows are
	// all that match, because it can allow no more. By default it looks at the first
	// five in lexical order only.
	FirstFiveMatching bool
	// IgnoreRootScopes leaves out the CA scope of the root, unless the root issued the
	// certificate (open question 9.38). By default every scope of the chain counts.
	IgnoreRootScopes bool
	// Calibration is what the tenant's log says about open questions
	// ([Tenant.Calibrate]). A reading that it confirms takes the place of the one that
	// these options choose, and is no assumption that changes a verdict any more.
	Calibration Calibration

	// The other readings of open questions that nobody has to choose by hand.
	refuseNoCRL      bool // 9.10
	noPortalBindings bool // 9.14
	noIssuerBindings bool // 9.26
	refuseUnscoped   bool // 9.33
	// Those that only a calibration asks for.
	scopesByPKI   bool // 4.5
	noIssuerRules bool // 9.31
	// believeCRLs takes every CRL for good: a log is believed about revocation.
	believeCRLs bool
}

// A Tenant is a [Config] that is ready to answer: [Config.Compile] makes one. It
// does not change, and many goroutines may use it if they may use its CRL source.
type Tenant struct {
	options Options
	config  Config
	policy  *policy.Policy
	trust   *trust.Store
	hints   trust.Hints
	// unknownCAs is what the configuration does not have of its CAs.
	unknownCAs []Missing
	// doubts are parts of the policy that cannot be read or that the text lacks.
	doubts []policy.Doubt
	around surroundings
	// dropped is the question by whose other reading a username binding was removed.
	dropped string
	// The stores under other readings, which are made when they are first needed: of
	// how many CAs a chain may have, fewer or any number (open question 9.27), and of
	// what makes a root (9.53).
	shallow, deep, otherRoots func() *trust.Store
	held                      *heldCache // certificates that were seen before
}

// Compile makes the configuration ready to answer. The tenant shares nothing with
// c. The error is [BadAuthority], with that of [trust.Config.Compile], or [Malformed]
// for a property of Extra that counts and cannot be read, or for a calibration with a
// question that [ParseCalibration] refuses.
func (c Config) Compile(options Options) (*Tenant, error) {
	if err := options.settle(); err != nil {
		return nil, err
	}
	return c.Clone().compile(options, nil)
}

// compile shares c with the tenant, and the stores of a tenant that has the same.
func (c Config) compile(options Options, like *Tenant) (*Tenant, error) {
	if c.Lacks(propertyPolicy) {
		c.Policy, _ = policy.Parse([]byte(`{"id":"X509Certificate"}`)) // everything is missing
	}
	var store *trust.Store
	if like != nil && like.options.Trust == options.Trust {
		store = like.trust
	} else if compiled, err := c.Trust.Compile(options.Trust); err != nil {
		return nil, &Error{Reason: BadAuthority, Err: err}
	} else {
		store = compiled
	}
	dropForCalibration(&c.Policy, store, options)
	dropped := dropBindings(&c.Policy, options)
	compiled, err := c.Policy.Compile(options.Policy)
	if err != nil {
		return nil, &Error{Reason: TooLarge, Where: "/" + propertyPolicy, Err: err}
	}
	around, err := c.surroundings()
	if err != nil {
		return nil, err
	}
	t := &Tenant{options: options, config: c, policy: compiled, trust: store, hints: store.Hints(), unknownCAs: unknownCAs(c, store), doubts: compiled.Doubts(), around: around, held: new(heldCache), dropped: dropped}
	otherwise := func(change func(*trust.Options)) func() *trust.Store {
		return sync.OnceValue(func() *trust.Store {
			other := options.Trust
			change(&other)
			store, err := c.Trust.Compile(other)
			if err != nil {
				return nil // never: it compiled above
			}
			return store
		})
	}
	t.shallow = otherwise(func(o *trust.Options) { o.MaxDepth = shallowDepth })
	t.deep = otherwise(func(o *trust.Options) { o.MaxDepth = anyDepth })
	t.otherRoots = otherwise(func(o *trust.Options) { o.RootByFlag = !o.RootByFlag })
	return t, nil
}

// The other readings of open question 9.27: five CAs, by an older note, or as many as
// there are, because the limit of ten is one of the validation of CRLs.
const (
	shallowDepth = 5
	anyDepth     = 64
)

// ready reports whether the tenant was made by [Config.Compile].
func (t *Tenant) ready() bool { return t != nil && t.policy != nil }

// Policy returns the tenant's compiled policy, nil for a nil tenant.
func (t *Tenant) Policy() *policy.Policy {
	if !t.ready() {
		return nil
	}
	return t.policy
}

// Trust returns the tenant's compiled trust stores, nil for a nil tenant.
func (t *Tenant) Trust() *trust.Store {
	if !t.ready() {
		return nil
	}
	return t.trust
}
