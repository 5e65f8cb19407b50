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
	"strings"

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

// readCase reads the JSON of a user once.
func readCase(item dialect.Item) (signin.Case, error) {
	user, err := policy.ParseUser(item.JSON)
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
	members, err := dialect.Members(item.JSON)
	if err != nil {
		return signin.Case{}, inItem(item, err)
	}
	if detail := noUser(members); detail != "" {
		return signin.Case{}, &Error{Reason: Malformed, Where: item.Where, Detail: detail}
	}
	c := signin.Case{User: &user}
	for _, m := range members {
		if !strings.EqualFold(m.Name, "certificates") || string(m.Raw) == "null" {
			continue
		}
		texts := []json.RawMessage{m.Raw} // PowerShell writes a list of one so
		if m.Raw[0] != '"' {
			if texts, err = wire.Elements(m.Raw); err != nil {
				return c, &Error{Reason: Malformed, Where: item.Where, Detail: "certificates", Err: err}
			}
		}
		for i, raw := range texts {
			cert, err := readCertificate(raw)
			if err != nil {
				return c, &Error{Reason: Malformed, Where: item.Where, Detail: fmt.Sprintf("certificates[%d]", i), Err: err}
			}
			c.Certificates = append(c.Certificates, cert)
		}
	}
	return c, nil
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
func noUser(members []wire.Member) string {
	has := func(name string) bool {
		return slices.ContainsFunc(members, func(m wire.Member) bool { return strings.EqualFold(m.Name, name) })
	}
	if other := dialect.OtherThanUser(members); other != "" {
		return other + " and no user; give users as GET /users lists them"
	}
	switch {
	case !has("id") && !has("userPrincipalName"):
		return "an object without id and userPrincipalName, which is no user; give users as GET /users lists them"
	}
	return ""
}
