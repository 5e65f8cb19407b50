package graph

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"example.com/entracba/cba/signin"
	"example.com/entracba/cba/trust"
)

func readClassic(name string) operation {
	return operation{name: name, permission: "Organization.Read.All", role: "Global Administrator"}
}

func writeClassic(name string) operation {
	return operation{name: name, permission: "Organization.ReadWrite.All", role: "Global Administrator"}
}

// TenantID returns the id of the tenant that the token is for.
func (c *Client) TenantID(ctx context.Context) (string, error) {
	op := readClassic("read the organization")
	ids, err := list(ctx, c, op, "organization"+query("$select", "id"), func(text []byte) (string, error) {
		var o struct {
			ID string `json:"id"`
		}
		err := json.Unmarshal(text, &o)
		if err == nil && o.ID == "" {
			err = errors.New("it has no id")
		}
		return o.ID, err
	})
	if err == nil && len(ids) != 1 {
		err = op.broken("/organization", fmt.Errorf("it has %d organizations", len(ids)))
	}
	if err != nil {
		return "", err
	}
	return ids[0], nil
}

func classicPath(tenant string) string {
	return "organization/" + url.PathEscape(tenant) + "/certificateBasedAuthConfiguration"
}

// Classic returns the classic trust store; it is empty if there is none.
func (c *Client) Classic(ctx context.Context) (trust.Classic, error) {
	tenant, err := c.TenantID(ctx)
	if err != nil {
		return trust.Classic{}, err
	}
	return c.classic(ctx, tenant)
}

func (c *Client) classic(ctx context.Context, tenant string) (store trust.Classic, err error) {
	err = c.get(ctx, readClassic("read the classic trust store"), classicPath(tenant), func(body []byte) (err error) {
		if err = isJSON(body); err == nil {
			store, err = trust.ParseClassic(body)
			if err == nil && store.ID != "" {
				err = bare(&store)
			}
		}
		return err
	})
	return store, err
}

// ReplaceOptions choose what replacing the classic store may do. The zero value
// refuses what is dangerous.
type ReplaceOptions struct {
	// AllowEmpty deletes the store without creating a new one.
	AllowEmpty bool
	// AllowNoRollback goes on although the old store contains an expired CA, which the
	// service does not take again: if the new store fails, the old one is created
	// without its expired CAs.
	AllowNoRollback bool
}

// ReplaceClassic replaces the classic trust store. Graph has no update for it: the
// store is backed up, deleted and created anew, and in between users whose CAs are
// only there cannot sign in. If the new store cannot be created, the old one is created
// again, also when ctx has ended. It returns the store as it was before.
//
// backup is required. It gets the JSON of the old store before anything is deleted;
// [trust.ParseClassic] reads it. If it cannot be written, nothing is deleted.
//
// Refused before anything is deleted are an empty store (AllowEmpty), a store with an
// expired CA, which the service does not accept, and an old store that could not be
// created again (AllowNoRollback). If the store is the wanted one already, nothing
// happens.
//
// The error is [NoClassicStore] in the worst case; after any other the old store is
// in place, or [Error.Indeterminate] is set. Before anything is deleted it is
// [Invalid], [Lockout], [NoRollback] or [NotSaved].
func (c *Client) ReplaceClassic(ctx context.Context, after trust.Classic, backup io.Writer, o ReplaceOptions) (before trust.Classic, err error) {
	op := writeClassic("replace the classic trust store")
	if backup == nil {
		return before, op.refuse(Invalid, "a backup is required")
	}
	tenant, err := c.TenantID(ctx)
	if err != nil {
		return before, err
	}
	if before, err = c.classic(ctx, tenant); err != nil || sameClassic(before, after) {
		return before, err
	}
	switch {
	case len(after.CertificateAuthorities) == 0 && !o.AllowEmpty:
		return before, op.refuse(Lockout, "the new store is empty, and users whose CAs are only in the old one could not sign in (ReplaceOptions.AllowEmpty deletes it anyway)")
	case c.expired(after) != "":
		return before, op.refuse(Invalid, "%s has expired, and the service does not take it", c.expired(after))
	case c.expired(before) != "" && !o.AllowNoRollback && len(after.CertificateAuthorities) > 0:
		return before, op.refuse(NoRollback, "%s of the old store has expired, so the old store could not be created again if the new one failed (ReplaceOptions.AllowNoRollback goes on)", c.expired(before))
	}
	text, err := json.MarshalIndent(before, "", "  ")
	if err == nil {
		_, err = backup.Write(append(text, '\n'))
	}
	if err != nil {
		return before, op.fail(NotSaved, fmt.Errorf("nothing was deleted, because the backup could not be written: %w", err))
	}
	if len(before.CertificateAuthorities) > 0 || before.ID != "" {
		id := before.ID
		if id == "" {
			id = trust.ClassicID
		}
		_, err = c.do(ctx, request{op: op, method: http.MethodDelete, path: classicPath(tenant) + "/" + url.PathEscape(id), idempotent: true})
		if err != nil && !indeterminate(err) {
			return before, err
		}
		// What comes now must not be left undone: the store is gone, or may be.
		if err != nil {
			safe, cancel := finish(ctx)
			defer cancel()
			return before, c.rollBack(safe, op, tenant, before, err)
		}
	}
	if len(after.CertificateAuthorities) > 0 {
		if err = c.createClassic(ctx, op, tenant, after); err != nil {
			safe, cancel := finish(ctx)
			defer cancel()
			return before, c.rollBack(safe, op, tenant, before, err)
		}
	}
	return before, c.see(ctx, op, func() (bool, error) {
		now, err := c.classic(ctx, tenant)
		return err == nil && sameClassic(now, after), err
	})
}

// finish is a context for what has to be done though the caller's has ended.
func finish(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
}

// createClassic creates the store. There can be one only, so that it is safe to
// send it again when the answer was lost: the service then says that there is one,
// and reading says whether it is this.
func (c *Client) createClassic(ctx context.Context, op operation, tenant string, store trust.Classic) error {
	var err error
	for n := 1; n <= c.attempts(); n++ {
		_, err = c.do(ctx, request{op: op, method: http.MethodPost, path: classicPath(tenant), body: classicBody(store), parse: isJSON})
		switch {
		case err == nil:
			return nil
		case errors.Is(err, Conflict):
			if c.see(ctx, op, func() (bool, error) {
				now, err := c.classic(ctx, tenant)
				return err == nil && sameClassic(now, store), err
			}) == nil {
				return nil
			}
			return err
		case !indeterminate(err) && !errors.Is(err, Throttled) && !(errors.Is(err, Unauthorized) && n == 1):
			return err
		}
		var e *Error
		d := backoff(n)
		if errors.As(err, &e) {
			d = e.pause(n)
		}
		if d > c.maxWait() {
			return err
		}
		if ended := c.wait(ctx, d); ended != nil {
			return ending(err, ended)
		}
	}
	return err
}

// rollBack creates the old store again, unless the service has one. Its expired CAs,
// which the service would refuse and which let nobody in, are left out.
func (c *Client) rollBack(ctx context.Context, op operation, tenant string, before trust.Classic, cause error) error {
	before = unexpired(before, c.now())
	if len(before.CertificateAuthorities) == 0 {
		return cause
	}
	switch err := c.createClassic(ctx, op, tenant, before); {
	case err == nil:
		return also(cause, "the old store is in place again")
	case errors.Is(err, Conflict):
		return also(cause, "a store is in place that is not the old one: read it")
	default:
		return op.fail(NoClassicStore, fmt.Errorf("the new store failed: %w; the old store failed: %w", cause, err))
	}
}

// also adds to the message of an error what else is known.
func also(err error, text string) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	if e.Message != "" {
		text = e.Message + "; " + text
	}
	e.Message = text
	return err
}

// classicBody is the store without what the service sets itself.
func classicBody(store trust.Classic) []byte {
	list := make([]trust.ClassicAuthority, len(store.CertificateAuthorities))
	for i, a := range store.CertificateAuthorities {
		list[i] = trust.ClassicAuthority{Certificate: a.Certificate, IsRootAuthority: a.IsRootAuthority,
			CertificateRevocationListURL: a.CertificateRevocationListURL, DeltaCertificateRevocationListURL: a.DeltaCertificateRevocationListURL}
	}
	return encode(map[string]any{"certificateAuthorities": list})
}

// sameClassic compares what a caller can set; the order of the CAs does not count.
func sameClassic(a, b trust.Classic) bool {
	key := func(store trust.Classic) []string {
		var keys []string
		for _, ca := range store.CertificateAuthorities {
			keys = append(keys, fmt.Sprintf("%x %v %q %q", ca.Certificate, ca.IsRootAuthority, ca.CertificateRevocationListURL, ca.DeltaCertificateRevocationListURL))
		}
		slices.Sort(keys)
		return keys
	}
	return slices.Equal(key(a), key(b))
}

// expired names a CA that has expired.
func (c *Client) expired(store trust.Classic) string {
	for i, a := range store.CertificateAuthorities {
		if cert, err := x509.ParseCertificate(a.Certificate); err == nil && c.now().After(cert.NotAfter) {
			return fmt.Sprintf("certificateAuthorities[%d], %s,", i, cert.Subject)
		}
	}
	return ""
}

// MigrateClassic copies the classic store into a PKI of this name, which is created if
// it does not exist (Learn, "Migrate from a classic CA store to a PKI-based store").
// CRL URLs and the root mark are copied, too. The classic store stays as it is; delete
// it when the sign-in log shows that it is no longer used. Expired CAs are left out. A
// second call adds what is missing.
func (c *Client) MigrateClassic(ctx context.Context, displayName string) (pki trust.PKI, added []trust.Authority, err error) {
	store, err := c.Classic(ctx)
	if err != nil {
		return pki, nil, err
	}
	store.CertificateAuthorities = slices.DeleteFunc(slices.Clone(store.CertificateAuthorities), func(a trust.ClassicAuthority) bool {
		return c.expired(trust.Classic{CertificateAuthorities: []trust.ClassicAuthority{a}}) != ""
	})
	want, err := store.PKI(displayName)
	if err != nil {
		return pki, nil, err
	}
	return c.FillPKI(ctx, want)
}

// Trust returns both trust stores.
func (c *Client) Trust(ctx context.Context) (trust.Config, error) {
	var config trust.Config
	var err error
	if config.PKIs, err = c.PKIs(ctx); err == nil {
		config.Classic, err = c.Classic(ctx)
	}
	return config, err
}

// Tenant returns the settings that decide sign-ins with certificates, for package
// signin. The properties systemCredentialPreferences, which only Graph's beta has, and
// domains are in Extra; each is left out where the service refuses to give it.
func (c *Client) Tenant(ctx context.Context) (signin.Config, error) {
	var config signin.Config
	var err error
	if config.Policy, err = c.Policy(ctx); err == nil {
		config.Trust, err = c.Trust(ctx)
	}
	if err != nil {
		return config, err
	}
	extra := map[string]json.RawMessage{}
	if extra[credentialPreferences], err = c.credentialPreferences(ctx); err == nil {
		extra["domains"], err = c.domains(ctx)
	}
	maps.DeleteFunc(extra, func(_ string, text json.RawMessage) bool { return text == nil })
	if len(extra) > 0 {
		config.Extra = extra
	}
	return config, err
}

// domains returns the tenant's domains with where their users sign in, nil if the
// service refuses to give them.
func (c *Client) domains(ctx context.Context) (json.RawMessage, error) {
	op := operation{name: "list domains", permission: "Domain.Read.All", role: "Global Reader"}
	all, err := list(ctx, c, op, "domains"+query("$select", "id,authenticationType"), func(text []byte) (json.RawMessage, error) {
		return slices.Clone(text), isJSON(text)
	})
	switch {
	case refused(err):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return encode(all), nil
}
