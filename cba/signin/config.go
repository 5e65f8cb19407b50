package signin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/trust"
)

// MaxConfig is the largest text, in bytes, that [ParseConfig] reads: 250
// authorities of 8 KB in base64, twice, and room.
const MaxConfig = 16 << 20

// A Config is what of a tenant decides about a sign-in with a certificate. The
// zero Config signs nobody in.
//
// Its JSON is an object with the properties "x509Certificate" (the configuration
// as Graph returns it), "publicKeyInfrastructure" (a list of PKIs) and
// "certificateBasedAuthConfiguration" (the classic store). Other properties are
// kept in Extra.
type Config struct {
	Policy policy.Config
	Trust  trust.Config
	// Extra has the properties that are not known, for writing them back.
	Extra map[string]json.RawMessage
}

// Names of the properties of a Config.
const (
	propertyPolicy  = "x509Certificate"
	propertyPKIs    = "publicKeyInfrastructure"
	propertyClassic = "certificateBasedAuthConfiguration"
)

// A ConfigError says why a text is not a [Config].
type ConfigError struct {
	Property string // the property at fault, "" for the whole text
	Err      error  // the cause: that of package policy, trust or encoding/json
}

// Error returns "signin: property: cause".
func (e *ConfigError) Error() string {
	if e.Property == "" {
		return fmt.Sprintf("signin: tenant: %v", e.Err)
	}
	return fmt.Sprintf("signin: tenant, %s: %v", e.Property, e.Err)
}

// Unwrap returns the cause.
func (e *ConfigError) Unwrap() error { return e.Err }

// ParseConfig reads a tenant. Two PKIs of one name are refused: authority scopes
// refer to a PKI by its name.
//
// The error is a [*ConfigError].
func ParseConfig(data []byte) (Config, error) {
	if len(data) > MaxConfig {
		return Config{}, &ConfigError{Err: fmt.Errorf("%d bytes, more than %d", len(data), MaxConfig)}
	}
	var c Config
	if err := c.UnmarshalJSON(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))); err != nil {
		return Config{}, err
	}
	return c, nil
}

// UnmarshalJSON is [ParseConfig]. On an error c stays as it was.
func (c *Config) UnmarshalJSON(data []byte) error {
	properties, err := object(data)
	if err != nil {
		return &ConfigError{Err: err}
	}
	if properties[propertyPolicy] == nil && properties[propertyPKIs] == nil && properties[propertyClassic] == nil {
		return &ConfigError{Err: fmt.Errorf("it has none of the properties %s, %s and %s", propertyPolicy, propertyPKIs, propertyClassic)}
	}
	var read Config
	take := func(name string, parse func([]byte) error) {
		text := properties[name]
		delete(properties, name)
		if err == nil && text != nil && string(text) != "null" {
			if failed := parse(text); failed != nil {
				err = &ConfigError{name, failed}
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
	for _, pki := range read.Trust.PKIs {
		if !pki.DeletedDateTime.IsZero() { // in the bin, beside its successor
			continue
		}
		if names[pki.DisplayName] {
			return &ConfigError{propertyPKIs, fmt.Errorf("two PKIs have the name %q, which authority scopes refer to; rename one", pki.DisplayName)}
		}
		names[pki.DisplayName] = true
	}
	if len(properties) > 0 {
		read.Extra = properties
	}
	*c = read
	return nil
}

// object reads one JSON object, property by property, and refuses a property
// that stands twice and anything behind the object.
func object(data []byte) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	if open, err := d.Token(); err != nil {
		return nil, truncated(err)
	} else if open != json.Delim('{') {
		return nil, errors.New("want a JSON object")
	}
	properties := map[string]json.RawMessage{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, truncated(err)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, truncated(err)
		}
		if _, twice := properties[name.(string)]; twice {
			return nil, fmt.Errorf("property %q stands twice", name)
		}
		properties[name.(string)] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, truncated(err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("there is more behind the JSON object")
	}
	return properties, nil
}

func truncated(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the JSON text breaks off")
	}
	return err
}

// MarshalJSON writes the tenant: the three properties, then what Extra has.
func (c Config) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	write := func(name string, value any) error {
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
// and how much is looked at. The zero value is the best reading of each.
type Options struct {
	Policy policy.Readings
	Trust  trust.Options
	IDs    certuserid.Options
	// CRLs gets revocation lists. Nil means that none can be had: every authority
	// with a CRL URL then refuses, as Entra does when a list cannot be fetched.
	CRLs crl.Source
	// SkipRevocation leaves revocation lists out of the verdict, for questions
	// about the configuration alone. The verdict has a warning then.
	SkipRevocation bool
	// CheckExempted checks the list of an authority that is exempted from CRL
	// validation and has a URL all the same (open question 9.32). By default
	// exemption switches its check off.
	CheckExempted bool
	// RequireParentCRLs applies "require CRL validation" to every authority of the
	// chain (open question 9.11). By default only to the one that issued the
	// certificate.
	RequireParentCRLs bool
	// RefuseHTTPS takes the reading in which Entra cannot fetch a list over https
	// (open question 9.6).
	RefuseHTTPS bool
	// AnyAllowedIssuer lets an authentication strength's allowed issuer be any
	// authority of the chain. By default it must be the one that issued the
	// certificate: the pages ask for the authority key identifier of the user's
	// certificate, which names that one.
	AnyAllowedIssuer bool
}

// A Tenant is a [Config] made ready to answer. It does not change and may be used
// from many goroutines, if its CRL source may.
type Tenant struct {
	options Options
	config  Config
	policy  *policy.Policy
	trust   *trust.Store
	hints   trust.Hints
	// otherDepth is the stores under the other reading of how many authorities a
	// chain may have (open question 9.27), made when first needed.
	otherDepth func() *trust.Store
}

// Compile makes the configuration ready to answer. The error is that of
// [trust.Config.Compile]: an authority whose certificate cannot be read.
func (c Config) Compile(options Options) (*Tenant, error) {
	store, err := c.Trust.Compile(options.Trust)
	if err != nil {
		return nil, &ConfigError{Err: err}
	}
	t := &Tenant{options: options, config: c, policy: c.Policy.Compile().With(options.Policy), trust: store, hints: store.Hints()}
	t.otherDepth = sync.OnceValue(func() *trust.Store {
		other := options.Trust
		other.MaxDepth = shallowDepth
		if d := options.Trust.MaxDepth; d != 0 && d <= shallowDepth {
			other.MaxDepth = trust.MaxDepth
		}
		store, err := c.Trust.Compile(other)
		if err != nil {
			return nil // trusts nobody; it compiled above
		}
		return store
	})
	return t, nil
}

// shallowDepth is the other figure of open question 9.27.
const shallowDepth = 5

// Policy returns the tenant's compiled policy.
func (t *Tenant) Policy() *policy.Policy { return t.policy }

// Trust returns the tenant's compiled trust stores.
func (t *Tenant) Trust() *trust.Store { return t.trust }
