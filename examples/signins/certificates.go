package main

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"example.com/entracba/cba/certfile"
	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/folder"
	"example.com/entracba/cba/snapshot"
	"example.com/entracba/examples/internal/console"
	"example.com/entracba/examples/internal/saved"
	"example.com/entracba/examples/internal/tenant"
)

// certificates are those that are known, by what a row of the log may have.
type certificates struct {
	byUser       map[string]*x509.Certificate
	byThumbprint map[string]*x509.Certificate
	bySerial     map[string][]*x509.Certificate
}

func (k *certificates) add(upn string, cert *x509.Certificate) {
	if k.byUser == nil {
		k.byUser, k.byThumbprint, k.bySerial = map[string]*x509.Certificate{}, map[string]*x509.Certificate{}, map[string][]*x509.Certificate{}
	}
	if cert.PublicKey == nil || cert.SerialNumber == nil {
		return // crypto/x509 refuses it, and nothing can be decided with it
	}
	thumbprint := digits(valueOf(cert, certuserid.SHA1PublicKey)) // which is that of the whole certificate
	if thumbprint == "" || k.byThumbprint[thumbprint] != nil {
		return
	}
	k.byThumbprint[thumbprint] = cert
	serial := digits(cert.SerialNumber.Text(16))
	k.bySerial[serial] = append(k.bySerial[serial], cert)
	if upn != "" && k.byUser[folder.Key(upn)] == nil {
		k.byUser[folder.Key(upn)] = cert
	}
}

// digits are the hexadecimal digits of a number, however it is written.
func digits(text string) string {
	text = strings.TrimPrefix(strings.ToLower(strings.TrimSpace(text)), "0x")
	return strings.TrimLeft(strings.NewReplacer(":", "", " ", "", "-", "").Replace(text), "0")
}

// of returns the certificate of a sign-in, or nil: the one whose thumbprint or serial
// number the row has; where it has neither, that of the user, if the subject is right.
func (k *certificates) of(s snapshot.SignIn) *x509.Certificate {
	facts := s.Certificate
	named := func(c *x509.Certificate) bool { return strings.Contains(facts.Subject, c.Subject.CommonName) }
	switch {
	case facts.Thumbprint != "":
		return k.byThumbprint[digits(facts.Thumbprint)]
	case facts.SerialNumber != "":
		list := slices.DeleteFunc(slices.Clone(k.bySerial[digits(facts.SerialNumber)]), func(c *x509.Certificate) bool { return !named(c) })
		if len(list) == 1 {
			return list[0]
		}
		return nil // CAs count on their own: two may give one number
	}
	if cert := k.byUser[folder.Key(s.UserPrincipalName())]; cert != nil && named(cert) {
		return cert
	}
	return nil // another certificate, perhaps a card
}

// certificates reads those of the manifest and of -certs.
func (o options) certificates() (*certificates, error) {
	known := &certificates{}
	if o.manifest != "" {
		for u, err := range folder.Users(o.manifest) {
			if err != nil {
				return nil, console.Usage("%w", err)
			}
			cert, err := saved.UserCertificate(o.manifest, u)
			if err != nil {
				return nil, err
			}
			known.add(u.UPN, cert)
		}
	}
	if o.certs == "" {
		return known, nil
	}
	names, err := certificateFiles(o.certs)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		content, err := folder.Read(name, folder.MaxFile)
		if err != nil {
			return nil, err
		}
		file, err := certfile.Read(content, nil)
		if err != nil {
			return nil, console.Usage("%s: %w", name, err)
		}
		for _, cert := range append([]*x509.Certificate{file.Certificate}, file.Others...) {
			if !cert.IsCA {
				known.add(valueOf(cert, certuserid.PrincipalName), cert)
			}
		}
	}
	return known, nil
}

// certificateFiles are a file, or the certificates of a folder.
func certificateFiles(name string) ([]string, error) {
	info, err := os.Stat(name)
	if err != nil || !info.IsDir() {
		return []string{name}, err
	}
	var names []string
	for _, extension := range []string{"pem", "crt", "cer", "der", "p7b"} {
		found, err := filepath.Glob(filepath.Join(name, "*."+extension))
		if err != nil {
			return nil, err
		}
		names = append(names, found...)
	}
	if len(names) == 0 {
		return nil, console.Usage("%s contains no files .pem, .crt, .cer, .der or .p7b", name)
	}
	return names, nil
}

// valueOf is what a certificate has for a mapping, "" if it has nothing.
func valueOf(cert *x509.Certificate, mapping certuserid.Mapping) string {
	for _, id := range certuserid.All(cert) {
		if id.Mapping() == mapping {
			return id.Value()
		}
	}
	return ""
}

func demonstration(t *tenant.Tenant) *certificates {
	known := &certificates{}
	for upn, cert := range t.Demo.Certificates {
		known.add(upn, cert)
	}
	return known
}
