package trust

import (
	"encoding/json"
	"fmt"
)

// A Config is everything that a tenant trusts to issue user certificates: the
// PKIs of the PKI-based store and the classic store. The zero value trusts
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

// PKIs are the containers of the PKI-based store, in any order.
type PKIs []PKI

// UnmarshalJSON reads a list of PKIs, bare or as Microsoft Graph answers it,
// {"value": [...]}. In the envelope nothing is kept but the list, and a page of
// a longer list is refused.
//
// The error is an [*Error] that names the PKI, the CA and the property.
func (p *PKIs) UnmarshalJSON(data []byte) error {
	const where = "publicKeyInfrastructure"
	value, err := unwrap(data)
	if err != nil {
		return err.at(where)
	}
	elements, err := readList(value)
	if err != nil {
		return err.at(where)
	}
	if elements == nil {
		*p = nil
		return nil
	}
	list := make(PKIs, len(elements))
	for i, element := range elements {
		if err := list[i].unmarshal(element); err != nil {
			return err.at(fmt.Sprintf("%s[%d]", where, i))
		}
	}
	*p = list
	return nil
}

// ParsePKIs reads what GET
// /directory/publicKeyInfrastructure/certificateBasedAuthConfigurations answers,
// or a file with a list of PKIs. It is json.Unmarshal into [PKIs], except that a
// syntax error has this package's type too.
func ParsePKIs(data []byte) (PKIs, error) {
	var pkis PKIs
	if err := parse(data, &pkis); err != nil {
		return nil, err
	}
	return pkis, nil
}

// ParseClassic reads what GET
// /organization/{id}/certificateBasedAuthConfiguration answers, or one object of
// that list. The error is an [*Error].
func ParseClassic(data []byte) (Classic, error) {
	var classic Classic
	if err := parse(data, &classic); err != nil {
		return Classic{}, err
	}
	return classic, nil
}

func parse(data []byte, dst json.Unmarshaler) error {
	if !json.Valid(data) { // whole, with nothing behind it
		return notJSON(data)
	}
	return dst.UnmarshalJSON(data)
}
