package main

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"example.com/entracba/cba"
	"example.com/entracba/cba/folder"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
	"example.com/entracba/cba/trust"
)

// What the program hands on to examples/explain.
const (
	tenantName = "tenant.json"
	usersName  = "users.jsonl"
)

// plainTenant trusts the CA, has the method enabled, and is otherwise as the service
// sets it up.
func plainTenant(issuer *cba.Issuer) (signin.Config, error) {
	pki, err := trust.NewPKI("PKI", issuer.CACertificates())
	if err != nil {
		return signin.Config{}, err
	}
	config := signin.Config{Policy: policy.ServiceDefault(), Trust: trust.Config{PKIs: trust.PKIs{pki}}}
	config.Policy.State = policy.Enabled
	return config, nil
}

// handOver writes the tenant that the CA asks for, unless there is a file of that name
// that somebody may have edited, and the users with their certificates.
func (o options) handOver(issuer *cba.Issuer) error {
	config, err := plainTenant(issuer)
	if err != nil {
		return err
	}
	name := filepath.Join(o.out, tenantName)
	if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) {
		text, err := json.MarshalIndent(config, "", "  ")
		if err != nil {
			return err
		}
		if err := folder.Write(name, append(text, '\n'), folder.Public); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	return folder.Stream(filepath.Join(o.out, usersName), folder.Public, func(w io.Writer) error {
		lines := json.NewEncoder(w)
		lines.SetEscapeHTML(false)
		for user, err := range folder.Users(filepath.Join(o.out, folder.ManifestName)) {
			if err != nil {
				return err
			}
			file, err := folder.ReadFile(o.out, user.Certificate)
			if err != nil {
				return err
			}
			certs, err := cba.ParseCertificates(file)
			if err != nil {
				return err
			}
			// Groups and stored ids are not known here, and so not written.
			if err := lines.Encode(struct {
				UserPrincipalName string   `json:"userPrincipalName"`
				AccountEnabled    bool     `json:"accountEnabled"`
				Certificates      [][]byte `json:"certificates"`
			}{user.UPN, true, [][]byte{certs[0].Raw}}); err != nil {
				return err
			}
		}
		return nil
	})
}
