package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"example.com/entracba/cba"
	"example.com/entracba/cba/folder"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
	"example.com/entracba/cba/trust"
	"example.com/entracba/examples/internal/console"
	"example.com/entracba/examples/internal/saved"
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

// handOver writes what examples/explain reads: the tenant that the CA asks for, unless
// there is a file of that name that somebody may have edited, and the users with their
// certificates. What somebody has added to the list of users stays; only a new certificate
// replaces an old one.
func (o options) handOver(issuer *cba.Issuer) error {
	config, err := plainTenant(issuer)
	if err != nil {
		return err
	}
	name := o.path(saved.TenantName)
	switch text, err := folder.Read(name, folder.MaxFile); {
	case errors.Is(err, fs.ErrNotExist):
		text, err := json.MarshalIndent(config, "", "  ")
		if err != nil {
			return err
		}
		if err := folder.Write(name, append(text, '\n'), folder.Public); err != nil {
			return err
		}
	case err != nil:
		return err
	default:
		if _, err := signin.ParseConfig(text); err != nil {
			return notReplaced(name, err)
		}
	}
	name = o.path(saved.UsersName)
	known, err := readUsers(name)
	if err != nil {
		return notReplaced(name, err)
	}
	return folder.Stream(name, folder.Public, func(w io.Writer) error {
		lines := json.NewEncoder(w)
		lines.SetEscapeHTML(false)
		for user, err := range folder.Users(o.path(folder.ManifestName)) {
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
			line := known.take(user.UPN)
			if line == nil { // groups and stored ids are not known here, and so not written
				line = map[string]any{"userPrincipalName": user.UPN, "accountEnabled": true}
			}
			line["certificates"] = [][]byte{certs[0].Raw}
			if err := lines.Encode(line); err != nil {
				return err
			}
		}
		for _, key := range known.order { // users whom somebody has added
			if line := known.byKey[key]; line != nil {
				if err := lines.Encode(line); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func notReplaced(name string, err error) error {
	return &console.Failure{Status: console.No, Err: fmt.Errorf("%s cannot be read, and is not replaced: %w\nmove it away, and run the same command again: it is written anew", name, err)}
}

// maxUsers bounds the list of users: some 100,000 users with their certificates.
const maxUsers = 256 << 20

// A knownUsers is the list of users as it is.
type knownUsers struct {
	byKey map[string]map[string]any
	order []string
}

// take returns a user's line, nil if there is none, and takes it off the list.
func (k *knownUsers) take(upn string) map[string]any {
	line := k.byKey[folder.Key(upn)]
	delete(k.byKey, folder.Key(upn))
	return line
}

func readUsers(name string) (*knownUsers, error) {
	k := &knownUsers{byKey: map[string]map[string]any{}}
	text, err := folder.Read(name, maxUsers)
	if errors.Is(err, fs.ErrNotExist) {
		return k, nil
	}
	if err == nil && len(bytes.TrimSpace(text)) == 0 {
		err = errors.New("it is empty")
	}
	if err != nil {
		return nil, err
	}
	n := 0
	for text := range bytes.Lines(text) {
		if n++; len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		var line map[string]any
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&line); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		upn, _ := line["userPrincipalName"].(string)
		key := folder.Key(upn)
		if upn == "" || k.byKey[key] != nil {
			return nil, fmt.Errorf("line %d: it has no userPrincipalName, or one of an earlier line", n)
		}
		k.byKey[key], k.order = line, append(k.order, key)
	}
	return k, nil
}
