// Package authority keeps the CA of an example in a folder.
package authority

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"example.com/entracba/cba"
	"example.com/entracba/cba/dn"
	"example.com/entracba/examples/internal/console"
	"example.com/entracba/examples/internal/files"
	"example.com/entracba/examples/internal/manifest"
)

// Open returns the CA that issues: the one in folder ca, or the one that an
// earlier run left in out/ca, or a new one. It never writes over another CA.
func Open(out, ca string) (issuer *cba.Issuer, made bool, err error) {
	own := filepath.Join(out, "ca")
	if ca != "" {
		issuer, err = Load(ca)
		if err != nil {
			return nil, false, err
		}
		return issuer, false, adopt(own, issuer)
	}
	if _, err := os.Stat(own); err == nil {
		issuer, err = Load(own)
		return issuer, false, err
	}
	name, err := dn.Parse("CN=Entra CBA Root CA")
	if err != nil {
		return nil, false, err
	}
	if issuer, err = cba.NewRoot(context.Background(), cba.Authority{Name: name}); err != nil {
		return nil, false, err
	}
	key, err := cba.EncodeKey(issuer.Key)
	if err != nil {
		return nil, false, err
	}
	// The folder appears with the key and the certificate, or not at all.
	unfinished := own + ".part"
	if err := os.RemoveAll(unfinished); err != nil {
		return nil, false, err
	}
	if err := Publish(unfinished, issuer); err != nil {
		return nil, false, err
	}
	if err := files.Write(filepath.Join(unfinished, "rootCA.key"), key, files.Secret); err != nil {
		return nil, false, err
	}
	return issuer, true, os.Rename(unfinished, own)
}

// adopt publishes a CA from elsewhere in the output folder, unless that holds
// another one.
func adopt(own string, issuer *cba.Issuer) error {
	root := issuer.CACertificates()[len(issuer.Chain)]
	there, err := os.ReadFile(filepath.Join(own, "rootCA.cer"))
	if errors.Is(err, os.ErrNotExist) {
		return Publish(own, issuer)
	}
	if err == nil && !bytes.Equal(there, root.Raw) {
		err = console.Usage("%s holds another authority: use another -out folder, or that authority", own)
	}
	return err
}

// Publish writes what everyone may have of a CA: its root in two forms, and the
// CA that issues if that is another.
func Publish(folder string, issuer *cba.Issuer) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	all := issuer.CACertificates()
	for name, cert := range map[string]int{"rootCA": len(all) - 1, "issuingCA": 0} {
		if name == "issuingCA" && len(all) == 1 {
			continue
		}
		if err := files.Write(filepath.Join(folder, name+".crt"), cba.EncodeCertificates(all[cert]), files.Public); err != nil {
			return err
		}
		if err := files.Write(filepath.Join(folder, name+".cer"), all[cert].Raw, files.Public); err != nil {
			return err
		}
	}
	return nil
}

// Load reads the one CA in a folder.
func Load(folder string) (*cba.Issuer, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, console.Usage("-ca: %w", err)
	}
	var inputs [][]byte
	var names []string
	for _, entry := range entries {
		extension := strings.ToLower(filepath.Ext(entry.Name()))
		if entry.IsDir() || !slices.Contains([]string{".crt", ".cer", ".pem", ".der", ".key"}, extension) {
			continue
		}
		content, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err != nil {
			return nil, err
		}
		inputs, names = append(inputs, content), append(names, entry.Name())
	}
	if len(inputs) == 0 {
		return nil, console.Usage("%s has no CA: put its certificate and its key there, in .crt, .cer, .pem, .der or .key files", folder)
	}
	issuer, err := cba.ParseIssuer(inputs...)
	if err != nil {
		var e *cba.Error
		if errors.As(err, &e) && e.Reason == cba.Missing {
			err = fmt.Errorf("%w (give the folder that has both with -ca)", err)
		}
		return nil, console.Usage("CA in %s (%s): %w", folder, strings.Join(names, ", "), err)
	}
	return issuer, nil
}

// Describe returns the CA as the manifest has it.
func Describe(issuer *cba.Issuer) manifest.CA {
	cert := issuer.Certificate
	ca := manifest.CA{
		SerialNumber:         hex.EncodeToString(cert.SerialNumber.Bytes()),
		NotAfter:             cert.NotAfter,
		Thumbprint:           cba.Thumbprint(cert),
		SubjectKeyIdentifier: hex.EncodeToString(cert.SubjectKeyId),
		Certificate:          "ca/rootCA.crt",
	}
	if name, err := dn.ParseDER(cert.RawSubject); err == nil {
		ca.Subject = name.String()
	}
	if len(issuer.Chain) > 0 {
		ca.Certificate = "ca/issuingCA.crt"
	}
	return ca
}
