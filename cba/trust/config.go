package trust

import (
	"bytes"
	"slices"

	"example.com/entracba/cba/internal/wire"
)

// A Config has the CAs that a tenant trusts to issue user certificates: the PKIs of
// the PKI-based store, and the classic store. The zero value trusts
// nobody. [Config.Compile] makes it ready to answer, [Config.Findings] checks it.
//
// As JSON it is {"publicKeyInfrastructure": [PKI...],
// "certificateBasedAuthConfiguration": classic}; that outer object is this
// module's own, what is inside is Microsoft Graph's. A missing classic store is
// the empty one.
type Config struct {
	PKIs    PKIs    `json:"publicKeyInfrastructure"`
	Classic Classic `json:"certificateBasedAuthConfiguration"`
}

// Clone returns a copy that shares nothing with c that a program can change. A copy
// of the struct shares the lists: changing a CA of the copy changes the original.
func (c Config) Clone() Config { return wire.Clone(c) }

// PKIs are the containers of the PKI-based store, in any order.
type PKIs []PKI

// UnmarshalJSON reads a list of PKIs, bare or as Microsoft Graph answers it,
// {"value": [...]}. In the envelope nothing is kept but the list, and a page of
// a longer list is refused.
//
// The error is an [*Error] whose About names the PKI and the CA.
func (p *PKIs) UnmarshalJSON(data []byte) error { return read(data, p) }

// ParsePKIs reads what GET
// /directory/publicKeyInfrastructure/certificateBasedAuthConfigurations answers,
// or a file with a list of PKIs. It is json.Unmarshal into [PKIs], except that a
// syntax error has this package's type too.
func ParsePKIs(data []byte) (PKIs, error) {
	data, err := graphForm(data)
	if err != nil {
		return nil, err
	}
	var pkis PKIs
	if err := pkis.UnmarshalJSON(data); err != nil {
		return nil, err
	}
	return pkis, nil
}

// ParseClassic reads what GET
// /organization/{id}/certificateBasedAuthConfiguration answers, or one object of
// that list. The error is an [*Error].
func ParseClassic(data []byte) (Classic, error) {
	data, err := graphForm(data)
	if err != nil {
		return Classic{}, err
	}
	var classic Classic
	if err := classic.UnmarshalJSON(data); err != nil {
		return Classic{}, err
	}
	return classic, nil
}

// With returns these PKIs with the PKIs and CAs that only other has added. PKIs are one
// by id, else by name; CAs by id, else by certificate. What both have is as in p.
func (p PKIs) With(other PKIs) PKIs {
	all := slices.Clone(p)
	for _, more := range other {
		at := slices.IndexFunc(all, func(o PKI) bool { return o.ID != "" && o.ID == more.ID })
		if at < 0 {
			at = slices.IndexFunc(all, func(o PKI) bool { return o.DisplayName == more.DisplayName })
		}
		if at < 0 {
			all = append(all, more)
			continue
		}
		cas := slices.Clone(all[at].CertificateAuthorities)
		for _, a := range more.CertificateAuthorities {
			if !slices.ContainsFunc(cas, func(o Authority) bool { return a.ID != "" && o.ID == a.ID || bytes.Equal(o.Certificate, a.Certificate) }) {
				cas = append(cas, a)
			}
		}
		all[at].CertificateAuthorities = cas
	}
	return all
}
