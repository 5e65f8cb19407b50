package snapshot

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"example.com/entracba/cba"
	"example.com/entracba/cba/internal/dialect"
	"example.com/entracba/cba/internal/wire"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
)

// ReadCases reads a list as [ReadUsers] does, whose users have their certificates in
// one more property, "certificates": a list of texts in base64 or PEM. Each case is to
// be read where it is needed ([signin.Case.Read]), so that [signin.Compare] reads a
// long list on all cores; what is wrong with a user, or makes an object no user, is an
// error of that. The errors of the sequence are those of the list.
func ReadCases(r io.Reader) iter.Seq2[signin.Case, error] {
	return func(yield func(signin.Case, error) bool) {
		each(r, func(item dialect.Item, err error) bool {
			if err != nil {
				return yield(signin.Case{}, err)
			}
			return yield(signin.Case{Read: func() (signin.Case, error) { return readCase(item) }}, nil)
		})
	}
}

// readCase reads the JSON of a user.
func readCase(item dialect.Item) (signin.Case, error) {
	object, err := dialect.Graph(item.JSON, dialect.MaxItem)
	if err != nil {
		return signin.Case{}, inItem(item, err)
	}
	user, err := policy.ParseUser(object)
	var e *policy.Error
	if errors.As(err, &e) {
		if _, other := listed(item); other != nil { // it says what else the object is
			return signin.Case{}, other
		}
		err = &wire.Error{Reason: wire.Reason(e.Reason), Where: e.Where, Offset: e.Offset, Detail: e.Detail}
	}
	if err != nil {
		return signin.Case{}, inItem(item, err)
	}
	inner, err := wire.Object(object)
	if err != nil {
		return signin.Case{}, inItem(item, err)
	}
	if user.ID == "" && user.UserPrincipalName == "" { // ParseUser knows all else that is no user
		if detail := noUser(inner); detail != "" {
			return signin.Case{}, &Error{Reason: Malformed, Where: item.Where, Detail: detail}
		}
	}
	c := signin.Case{User: &user}
	wire.Each(inner, func(name, value []byte) bool {
		if wire.EqualFold(name, "certificates") && string(value) != "null" {
			c.Certificates, err = readCertificates(item, value, c.Certificates)
		}
		return err == nil
	})
	return c, err
}

// readCertificates reads a list of texts, or one text: PowerShell writes a list of one so.
func readCertificates(item dialect.Item, list []byte, into []*x509.Certificate) ([]*x509.Certificate, error) {
	bad := func(what string, err error) ([]*x509.Certificate, error) {
		return into, &Error{Reason: Malformed, Where: item.Where, Detail: what, Err: err}
	}
	texts := []json.RawMessage{list}
	if list[0] != '"' {
		var err error
		if texts, err = wire.Elements(list); err != nil {
			return bad("certificates", err)
		}
	}
	for i, raw := range texts {
		cert, err := readCertificate(raw)
		if err != nil {
			return bad(fmt.Sprintf("certificates[%d]", i), err)
		}
		into = append(into, cert)
	}
	return into, nil
}

// readCertificate reads a string with a certificate in base64 alone, which nearly all
// are, or in any other form.
func readCertificate(raw []byte) (*x509.Certificate, error) {
	if len(raw) > 2 && raw[0] == '"' {
		text := raw[1 : len(raw)-1] // base64 needs no escape
		der := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
		if n, err := base64.StdEncoding.Decode(der, text); err == nil {
			if cert, err := x509.ParseCertificate(der[:n]); err == nil {
				return cert, nil
			}
		}
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return nil, err
	}
	found, err := cba.ParseCertificates([]byte(text))
	if err != nil {
		return nil, err
	}
	if len(found) > 1 { // a user's with its CAs
		found = slices.DeleteFunc(found, func(c *x509.Certificate) bool { return c.IsCA })
	}
	if len(found) != 1 {
		return nil, errors.New("a text with several certificates: give each user's certificate as a text of its own")
	}
	return found[0], nil
}

// each reads the objects of a list of users, not looking into them.
func each(r io.Reader, yield func(dialect.Item, error) bool) {
	if r == nil {
		return
	}
	b, err := dialect.UTF8(r)
	if err != nil {
		yield(dialect.Item{}, own("", err))
		return
	}
	if start, _ := b.Peek(dialect.MaxItem); len(bytes.TrimSpace(start)) == 0 {
		return // nobody
	}
	if !dialect.IsJSON(b) {
		start, _ := b.Peek(4096)
		table(b, dialect.LooksLike(start), func(l Listed, err error) bool { return yield(dialect.Item{Where: l.Where, JSON: l.JSON}, err) })
		return
	}
	for item, err := range dialect.List(b) {
		if err != nil {
			err = own("", err)
		}
		if !yield(item, err) || err != nil {
			return
		}
	}
}

// noUser says why an object is no user, or nothing.
func noUser(object []byte) string {
	var stranger dialect.Stranger
	named := false
	wire.Each(object, func(name, value []byte) bool {
		stranger.See(name, value)
		named = named || wire.EqualFold(name, "id") || wire.EqualFold(name, "userPrincipalName")
		return true
	})
	other := stranger.What()
	switch {
	case other != "":
		return other + " and no user; give users as GET /users lists them"
	case !named:
		return "an object without id and userPrincipalName, which is no user; give users as GET /users lists them"
	}
	return ""
}
