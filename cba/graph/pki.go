package graph

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"example.com/entracba/cba/internal/wire"
	"example.com/entracba/cba/trust"
)

const pkisPath = "directory/publicKeyInfrastructure/certificateBasedAuthConfigurations"

// The reference pages name Authentication Administrator beside this role, the
// how-to this one alone (open question 9.20).
const trustRole = "Privileged Authentication Administrator"

func readTrust(name string) operation {
	return operation{name: name, permission: "PublicKeyInfrastructure.Read.All", role: trustRole}
}

func writeTrust(name string) operation {
	return operation{name: name, permission: "PublicKeyInfrastructure.ReadWrite.All", role: trustRole}
}

func pkiPath(id string) string            { return pkisPath + "/" + url.PathEscape(id) }
func authoritiesPath(pki string) string   { return pkiPath(pki) + "/certificateAuthorities" }
func authorityPath(pki, id string) string { return authoritiesPath(pki) + "/" + url.PathEscape(id) }
func annotation(name string) bool         { return strings.Contains(name, "@odata.") }

// bare takes the annotations of an answer out of what is kept of an object.
func bare(object interface {
	json.Marshaler
	json.Unmarshaler
}) error {
	text, err := object.MarshalJSON()
	if err != nil {
		return err
	}
	return object.UnmarshalJSON(wire.WithoutAnnotations(text))
}

func parsePKI(body []byte) (trust.PKI, error) {
	var p trust.PKI
	if err := isJSON(body); err != nil {
		return p, err
	}
	err := p.UnmarshalJSON(body)
	if err == nil {
		err = bare(&p)
	}
	if err == nil && p.ID == "" {
		err = errors.New("a PKI without an id")
	}
	return p, err
}

func parseAuthority(body []byte) (trust.Authority, error) {
	var a trust.Authority
	if err := isJSON(body); err != nil {
		return a, err
	}
	err := a.UnmarshalJSON(body)
	if err == nil {
		err = bare(&a)
	}
	if err == nil && a.ID == "" {
		err = errors.New("a CA without an id")
	}
	return a, err
}

// list reads a whole collection.
func list[T any](ctx context.Context, c *Client, op operation, path string, parse func([]byte) (T, error)) ([]T, error) {
	all := []T{}
	for text, err := range c.pages(ctx, request{op: op, path: path}) {
		if err != nil {
			return nil, err
		}
		v, err := parse(text)
		if err != nil {
			return nil, op.broken("/"+path, err)
		}
		all = append(all, v)
	}
	return all, nil
}

// PKIs returns the PKI-based trust store, every PKI with its CAs.
func (c *Client) PKIs(ctx context.Context) (trust.PKIs, error) {
	pkis, err := list(ctx, c, readTrust("list PKIs"), pkisPath, parsePKI)
	if err != nil {
		return nil, err
	}
	for i := range pkis {
		if pkis[i].CertificateAuthorities, err = c.authorities(ctx, pkis[i].ID); err != nil {
			return nil, err
		}
	}
	return pkis, nil
}

// PKI returns one PKI with its CAs, by id.
func (c *Client) PKI(ctx context.Context, id string) (trust.PKI, error) {
	p, err := c.barePKI(ctx, id)
	if err == nil {
		p.CertificateAuthorities, err = c.authorities(ctx, id)
	}
	return p, err
}

func (c *Client) barePKI(ctx context.Context, id string) (p trust.PKI, err error) {
	err = c.get(ctx, readTrust("read a PKI").on("PKI", id), pkiPath(id), func(body []byte) (err error) {
		p, err = parsePKI(body)
		return err
	})
	return p, err
}

func (c *Client) authorities(ctx context.Context, pki string) ([]trust.Authority, error) {
	return list(ctx, c, readTrust("list the CAs of a PKI").on("PKI", pki), authoritiesPath(pki), parseAuthority)
}

// CreatePKI creates an empty PKI and waits until it is visible. Scopes of the method
// configuration name PKIs by their display name, so a name that exists already is a
// [Conflict]; whether the service refuses it is not documented.
func (c *Client) CreatePKI(ctx context.Context, displayName string) (trust.PKI, error) {
	op := writeTrust(fmt.Sprintf("create PKI %q", displayName))
	if _, err := trust.NewPKI(displayName, nil); err != nil {
		return trust.PKI{}, op.fail(Invalid, err)
	}
	switch old, err := c.named(ctx, displayName); {
	case err != nil:
		return trust.PKI{}, err
	case old != nil:
		return *old, op.refuse(Conflict, "a PKI of this name exists already")
	}
	var p trust.PKI
	err := c.once(ctx, request{op: op, method: http.MethodPost, path: pkisPath, body: encode(map[string]any{"displayName": displayName}),
		parse: func(body []byte) (err error) {
			p, err = parsePKI(body)
			return err
		}}, func() (bool, error) {
		made, err := c.named(ctx, displayName)
		if made != nil {
			p = *made
		}
		return made != nil, err
	})
	if err != nil {
		return trust.PKI{}, err
	}
	err = c.see(ctx, op, func() (bool, error) { return found(c.barePKI(ctx, p.ID)) })
	return p, err
}

// found makes NotFound the answer no.
func found[T any](_ T, err error) (bool, error) {
	if errors.Is(err, NotFound) {
		return false, nil
	}
	return err == nil, err
}

// gone is the opposite of found.
func gone[T any](v T, err error) (bool, error) {
	ok, err := found(v, err)
	return !ok && err == nil, err
}

// indeterminate reports whether a write may have been carried out though it failed.
func indeterminate(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Indeterminate
}

// named returns the PKI of a name, without its CAs, or nil.
func (c *Client) named(ctx context.Context, displayName string) (*trust.PKI, error) {
	pkis, err := list(ctx, c, readTrust("list PKIs"), pkisPath, parsePKI)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(pkis, func(p trust.PKI) bool { return p.DisplayName == displayName }); i >= 0 {
		return &pkis[i], nil
	}
	return nil, nil
}

// RenamePKI changes the display name of a PKI. Change the scopes of the method
// configuration that name it, too.
func (c *Client) RenamePKI(ctx context.Context, id, displayName string) (trust.PKI, error) {
	op := writeTrust(fmt.Sprintf("rename a PKI to %q", displayName))
	if _, err := trust.NewPKI(displayName, nil); err != nil {
		return trust.PKI{}, op.fail(Invalid, err)
	}
	switch old, err := c.named(ctx, displayName); {
	case err != nil:
		return trust.PKI{}, err
	case old != nil && old.ID == id:
		return *old, nil
	case old != nil:
		return *old, op.refuse(Conflict, "another PKI has this name")
	}
	_, err := c.do(ctx, request{op: op, method: http.MethodPatch, path: pkiPath(id), body: encode(map[string]any{"displayName": displayName}), idempotent: true})
	if err != nil {
		return trust.PKI{}, err
	}
	var p trust.PKI
	err = c.see(ctx, op, func() (bool, error) {
		var err error
		p, err = c.barePKI(ctx, id)
		return err == nil && p.DisplayName == displayName, err
	})
	return p, err
}

// DeletePKI moves a PKI with its CAs to the deleted items, where it can be
// restored for 30 days ([Client.Restore]). From then on, users whose CAs are only in
// it cannot sign in with certificates.
func (c *Client) DeletePKI(ctx context.Context, id string) error {
	op := writeTrust("delete a PKI").on("PKI", id)
	if _, err := c.do(ctx, request{op: op, method: http.MethodDelete, path: pkiPath(id), idempotent: true}); err != nil {
		return err
	}
	return c.see(ctx, op, func() (bool, error) { return gone(c.barePKI(ctx, id)) })
}

func (c *Client) authority(ctx context.Context, pki, id string) (a trust.Authority, err error) {
	err = c.get(ctx, readTrust("read a CA").on("CA", id), authorityPath(pki, id), func(body []byte) (err error) {
		a, err = parseAuthority(body)
		return err
	})
	return a, err
}

// CreateAuthority adds a CA to a PKI and waits until it is visible. Properties that the
// service sets itself, such as the id, are not sent. A certificate that the PKI
// contains already is a [Conflict].
func (c *Client) CreateAuthority(ctx context.Context, pki string, a trust.Authority) (trust.Authority, error) {
	op := writeTrust(fmt.Sprintf("create CA %q", a.DisplayName))
	body, err := writable(a)
	if err != nil {
		return trust.Authority{}, op.fail(Invalid, err)
	}
	var made trust.Authority
	err = c.once(ctx, request{op: op, method: http.MethodPost, path: authoritiesPath(pki), body: encode(body),
		parse: func(body []byte) (err error) {
			made, err = parseAuthority(body)
			return err
		}}, func() (bool, error) {
		there, err := c.authorities(ctx, pki)
		i := slices.IndexFunc(there, func(b trust.Authority) bool { return bytes.Equal(a.Certificate, b.Certificate) })
		if i >= 0 {
			made = there[i]
		}
		return i >= 0, err
	})
	if err != nil {
		return trust.Authority{}, err
	}
	err = c.see(ctx, op, func() (bool, error) { return found(c.authority(ctx, pki, made.ID)) })
	return made, err
}

// UpdateAuthority changes the CA with the given ID to the given one: it reads the CA
// and sends the properties that differ, and those that the reference page calls
// required. It returns the CA before the change, for an undo, and after it.
func (c *Client) UpdateAuthority(ctx context.Context, pki string, a trust.Authority) (before, after trust.Authority, err error) {
	op := writeTrust(fmt.Sprintf("change CA %q", a.DisplayName))
	if before, err = c.authority(ctx, pki, a.ID); err != nil {
		return before, before, err
	}
	old, err := writable(before)
	if err != nil {
		return before, before, op.fail(Invalid, err)
	}
	want, err := writable(a)
	if err != nil {
		return before, before, op.fail(Invalid, err)
	}
	change := changed(old, want)
	if len(change) == 0 {
		return before, before, nil
	}
	for _, name := range []string{"certificateAuthorityType", "expirationDateTime", "thumbprint"} {
		if v, ok := want[name]; ok {
			change[name] = v
		}
	}
	if _, err = c.do(ctx, request{op: op, method: http.MethodPatch, path: authorityPath(pki, a.ID), body: encode(change), idempotent: true}); err != nil {
		return before, before, err
	}
	err = c.see(ctx, op, func() (bool, error) {
		var err error
		if after, err = c.authority(ctx, pki, a.ID); err != nil {
			return false, err
		}
		now, err := writable(after)
		return err == nil && len(changed(now, want)) == 0, err
	})
	return before, after, err
}

// changed returns the properties of want that differ from old, and null for those
// that only old has.
func changed(old, want map[string]json.RawMessage) map[string]json.RawMessage {
	change := map[string]json.RawMessage{}
	for name, v := range want {
		if o, ok := old[name]; !ok && !isNothing(name, v) || ok && !bytes.Equal(o, v) {
			change[name] = v
		}
	}
	for name, v := range old {
		if _, ok := want[name]; !ok && !isNothing(name, v) {
			change[name] = json.RawMessage("null")
		}
	}
	return change
}

// isNothing reports whether a property has the value that it has when absent.
func isNothing(name string, v json.RawMessage) bool {
	return string(v) == "null" || name == "isIssuerHintEnabled" && string(v) == "false"
}

// writable is a CA's JSON without what the service sets itself.
func writable(a trust.Authority) (map[string]json.RawMessage, error) {
	text, err := a.MarshalJSON()
	if err != nil {
		return nil, err
	}
	members, err := wire.Members(text)
	if err != nil {
		return nil, err
	}
	all := map[string]json.RawMessage{}
	for _, m := range members {
		all[m.Name] = m.Raw
		var spelled string // in one way, to be compared
		if json.Unmarshal(m.Raw, &spelled) == nil && m.Raw[0] == '"' {
			all[m.Name] = wire.Quote(spelled)
		}
	}
	maps.DeleteFunc(all, func(name string, _ json.RawMessage) bool {
		switch name {
		case "id", "createdDateTime", "deletedDateTime":
			return true
		}
		return annotation(name)
	})
	return all, nil
}

// DeleteAuthority moves a CA to the deleted items, where it can be restored for
// 30 days.
func (c *Client) DeleteAuthority(ctx context.Context, pki, id string) error {
	op := writeTrust("delete a CA").on("CA", id)
	if _, err := c.do(ctx, request{op: op, method: http.MethodDelete, path: authorityPath(pki, id), idempotent: true}); err != nil {
		return err
	}
	return c.see(ctx, op, func() (bool, error) { return gone(c.authority(ctx, pki, id)) })
}

const deletedPath = "directory/deletedItems/"

// Deleted are the PKIs and CAs of the deleted items. The CAs of a deleted PKI are not
// in Authorities: they are restored with it.
type Deleted struct {
	PKIs        []trust.PKI
	Authorities []trust.Authority
}

// Deleted lists what can be restored.
func (c *Client) Deleted(ctx context.Context) (Deleted, error) {
	op := readTrust("list deleted PKIs and CAs")
	var d Deleted
	var err error
	if d.PKIs, err = list(ctx, c, op, deletedPath+"microsoft.graph.certificateBasedAuthPki", parsePKI); err == nil {
		d.Authorities, err = list(ctx, c, op, deletedPath+"microsoft.graph.certificateAuthorityDetail", parseAuthority)
	}
	return d, err
}

// Restore restores a deleted PKI or CA, by id, and waits until it is no longer among
// the deleted items. A CA can be restored only while its PKI exists.
func (c *Client) Restore(ctx context.Context, id string) error {
	op := writeTrust("restore a PKI or CA").on("deleted PKI or CA", id)
	path := deletedPath + url.PathEscape(id)
	look := func() (bool, error) {
		return gone(struct{}{}, c.get(ctx, readTrust("read a deleted item").on("deleted PKI or CA", id), path, isJSON))
	}
	if err := c.once(ctx, request{op: op, method: http.MethodPost, path: path + "/restore", parse: isJSON}, look); err != nil {
		return err
	}
	return c.see(ctx, op, look)
}
