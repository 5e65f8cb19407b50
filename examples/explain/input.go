package main

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/folder"
	"example.com/entracba/cba/graph"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
	"example.com/entracba/examples/internal/console"
	"example.com/entracba/examples/internal/saved"
	"example.com/entracba/examples/internal/tenant"
)

// An input is what one verdict is about.
type input struct {
	config signin.Config
	tenant *signin.Tenant
	user   *policy.User
	cert   *x509.Certificate
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

// tenantFile is the file with the tenant.
func (o options) tenantFile() string {
	return cmp.Or(o.tenant.ID, filepath.Join(filepath.Dir(o.manifest), saved.TenantName))
}

// input reads the tenant, the user and the certificate.
func (o options) input(ctx context.Context, lists crl.Source) (in input, err error) {
	if in.cert, err = o.certificate(); err != nil {
		return in, err
	}
	var live *tenant.Tenant
	if o.tenant.Endpoint == "" && (o.tenant.ID == "" || o.tenant.IsFile()) {
		in.config, in.tenant, err = saved.Tenant(o.tenantFile(), o.reading(lists))
	} else {
		if live, err = o.tenant.Open(); err != nil {
			return in, err
		}
		defer live.Close()
		if in.config, err = live.Client.Tenant(ctx); err == nil {
			in.tenant, err = in.config.Compile(o.reading(lists))
		}
	}
	if err != nil {
		return in, err
	}
	in.user, err = o.account(ctx, live)
	return in, err
}

// certificate reads the user's certificate.
func (o options) certificate() (*x509.Certificate, error) {
	if o.manifest != "" {
		return o.ofManifest()
	}
	return saved.Certificate(o.cert, o.password)
}

// ofManifest reads the certificate of the user from the folder of the manifest.
func (o options) ofManifest() (*x509.Certificate, error) {
	for u, err := range saved.Manifest(o.manifest) {
		if err != nil {
			return nil, err
		}
		if folder.Key(u.UPN) != folder.Key(o.user) {
			continue
		}
		return saved.UserCertificate(o.manifest, u)
	}
	return nil, console.Usage("%s does not list %s. To issue a certificate: %s", o.manifest, o.user,
		console.Command("issue", "-out", filepath.Dir(o.manifest), o.user))
}

// account reads the user: a file, or a UPN that is looked for in the tenant and beside the
// manifest. Of one who is in the manifest alone no more is known than the UPN.
func (o options) account(ctx context.Context, live *tenant.Tenant) (*policy.User, error) {
	if isFile(o.user) || !strings.Contains(o.user, "@") {
		content, err := folder.Read(o.user, folder.MaxFile)
		if err != nil {
			return nil, err
		}
		user, err := policy.ParseUser(content)
		if err != nil {
			return nil, console.Usage("%s: %w", o.user, err)
		}
		return &user, nil
	}
	if live != nil {
		u, err := live.User(ctx, o.user)
		if errors.Is(err, graph.NotFound) {
			return nil, console.Usage("the tenant has no user %s", o.user)
		}
		if err != nil {
			return nil, err
		}
		groups, err := live.Groups(ctx, u.ID)
		switch {
		case err == nil:
			u.SetGroups(groups)
		case errors.Is(err, graph.Forbidden), errors.Is(err, graph.Refused):
			fmt.Fprintf(os.Stderr, "explain: the groups of %s cannot be read: %s\n", console.Clean(o.user), console.Clean(err.Error()))
		default:
			return nil, err
		}
		return &u.User, nil
	}
	if s, err := saved.Snapshot(o.tenantFile()); err == nil {
		for _, u := range s.Users {
			if folder.Key(u.UserPrincipalName) == folder.Key(o.user) {
				return &u.User, nil
			}
		}
	}
	if o.manifest == "" {
		return nil, console.Usage("%s contains no user %s: give the user's JSON with -user FILE", o.tenantFile(), o.user)
	}
	if name := filepath.Join(filepath.Dir(o.manifest), saved.UsersName); isFile(name) {
		for c, err := range saved.Users(name, "") {
			if err != nil {
				return nil, err
			}
			if folder.Key(c.User.UserPrincipalName) == folder.Key(o.user) {
				return c.User, nil
			}
		}
	}
	text, err := json.Marshal(map[string]string{"userPrincipalName": o.user})
	if err != nil {
		return nil, err
	}
	user, err := policy.ParseUser(text) // everything else is missing
	return &user, err
}
