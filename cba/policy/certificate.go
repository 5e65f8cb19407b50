package policy

import (
	"crypto/x509"
	"errors"
	"slices"
	"unicode/utf8"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/internal/san"
)

// A Certificate has the parts of a certificate that a configuration checks, extracted
// once so that decisions are fast. It does not change and may be used from many
// goroutines; the x509.Certificate must not be changed meanwhile.
type Certificate struct {
	cert     *x509.Certificate
	options  certuserid.Options
	values   *certuserid.Values
	names    [2][]string // all UPNs and all e-mail addresses of the subjectAltName
	issuer   string      // the key of the issuer's name, "" if it is empty
	policies []string    // the DER of the policy OIDs
	odd      []san.Odd   // UPNs in other forms than the documented one
	unread   bool        // the subjectAltName is no list of names
}

// Indexes of Certificate.names.
const (
	upns = iota
	emails
)

// NewCertificate extracts what policies check: the issuer, the policy OIDs, and the
// names and identifiers that username bindings compare. ids chooses between
// readings of certificateUserIds; its zero value is the most likely one.
//
// Validity dates, chain, revocation and key usage are not checked. A certificate
// without a subjectAltName, or with one that cannot be read, has no names to bind:
// [Policy.Explain] says so, and it is not an error. The error is an
// [*Error]: [NoCertificate] for one that does not come from
// [x509.ParseCertificate] or its like, [BadCertificate] for one whose issuer is
// not an encoded name.
func NewCertificate(cert *x509.Certificate, ids certuserid.Options) (*Certificate, error) {
	if cert == nil || len(cert.Raw) == 0 {
		return nil, &Error{Reason: NoCertificate, Detail: "parse one with x509.ParseCertificate"}
	}
	var array [256]byte
	key, err := dn.AppendKey(array[:0], cert.RawIssuer)
	if err != nil {
		return nil, &Error{Reason: BadCertificate, Detail: "its issuer", Err: err}
	}
	c := &Certificate{cert: cert, options: ids, values: ids.Values(cert), issuer: string(key)}
	for _, oid := range cert.Policies {
		der, err := oid.MarshalBinary()
		if err != nil {
			return nil, &Error{Reason: BadCertificate, Detail: "a policy OID", Err: err}
		}
		c.policies = append(c.policies, string(der))
	}
	if der := san.Find(cert); der != nil {
		var names [2][]string
		err := san.Each(der, func(kind san.Kind, value []byte) bool {
			switch kind {
			case san.UPN:
				names[upns] = append(names[upns], string(value))
			case san.Email:
				names[emails] = append(names[emails], string(value))
			}
			return true
		})
		if err == nil { // a list that breaks off is not read at all
			c.names = names
		}
		c.unread = err != nil
		if len(c.names[upns]) == 0 {
			c.odd = san.Odds(der)
		}
	}
	return c, nil
}

// id returns the certificate's certificateUserIds value under a mapping, the
// zero ID if it has no field for it.
func (c *Certificate) id(m certuserid.Mapping) certuserid.ID {
	id, err := c.values.ID(m)
	if err != nil {
		return certuserid.ID{}
	}
	return id
}

// unfit returns what the certificate has for a mapping that has no ID, where it
// has something that makes no legal value.
func (c *Certificate) unfit(m certuserid.Mapping) string {
	if c.values == nil {
		return ""
	}
	_, err := c.values.ID(m)
	var fault *certuserid.Error
	switch {
	case errors.As(err, &fault) && fault.Text != "":
		return "that can be used; its value is " + quoted(fault.Text)
	case m == certuserid.PrincipalName && len(c.odd) > 0:
		return "in the documented form; it has " + quoted(c.odd[0].Value) + " as " + c.odd[0].How
	case c.unread && (m == certuserid.PrincipalName || m == certuserid.RFC822Name):
		return "that can be read; the extension is no list of names"
	}
	return ""
}

// Odd returns what the service may read of a certificate where this package reads no user
// principal name, and says why not: a UPN in another string type than UTF8String, or
// in a list that is not well-formed. It is nil if there is none. Whether the service
// reads it is not documented.
func (c *Certificate) Odd() (other *Certificate, why string) {
	if c == nil || len(c.odd) == 0 {
		return nil, ""
	}
	list := make([]san.Name, 0, len(c.odd))
	for _, odd := range c.odd {
		if utf8.ValidString(odd.Value) {
			list = append(list, san.Name{Kind: san.UPN, Value: odd.Value})
		}
	}
	der, err := san.Marshal(list)
	if err != nil {
		return nil, ""
	}
	cert := *c.cert
	cert.Extensions = slices.Clone(cert.Extensions)
	for i := range cert.Extensions {
		if cert.Extensions[i].Id.Equal(san.Extension()) {
			cert.Extensions[i].Value = der
		}
	}
	if other, err = NewCertificate(&cert, c.options); err != nil {
		return nil, ""
	}
	return other, "the UPN " + quoted(c.odd[0].Value) + " is " + c.odd[0].How + ", and is assumed not to be read; Microsoft documents a UTF8String"
}
