package folder_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"example.com/entracba/cba"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/folder"
	"example.com/entracba/cba/pfx"
)

// A run that issues for one user. Killed anywhere, it goes on when it is run again.
func Example() {
	ctx := context.Background()
	temp, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(temp)
	out := filepath.Join(temp, "out")

	f, err := folder.Open(out)
	if err != nil {
		log.Fatal(err) // folder.Busy: another run is at work
	}
	defer f.Close()
	issuer, made, err := f.CA(ctx, "", func(ctx context.Context) (*cba.Issuer, error) {
		name, err := dn.Parse("CN=Contoso Root CA")
		if err != nil {
			return nil, err
		}
		return cba.NewRoot(ctx, cba.Authority{Name: name, KeyType: cba.P256})
	})
	if err != nil {
		log.Fatal(err)
	}
	journal, err := f.Journal(folder.DescribeCA(issuer))
	if err != nil {
		log.Fatal(err)
	}
	const upn = "jane@contoso.com"
	if !journal.Has(upn) {
		key, err := cba.P256.Generate()
		if err != nil {
			log.Fatal(err)
		}
		cert, err := issuer.Issue(ctx, key.Public(), cba.Subject{UPN: upn}, cba.Profile{})
		if err != nil {
			log.Fatal(err)
		}
		password := pfx.GeneratePassword()
		data, err := pfx.Modern.Encode(pfx.Bundle{Key: key, Certificate: cert, Chain: issuer.CACertificates()}, password)
		if err != nil {
			log.Fatal(err)
		}
		user := folder.DescribeUser(upn, cert)
		user.PFXEncoding = pfx.Modern.String()
		certificate, err := f.Prepare(user.Certificate, folder.Public, cba.EncodeCertificates(cert))
		if err != nil {
			log.Fatal(err)
		}
		file, err := f.Prepare(user.PFX, folder.Secret, data)
		if err != nil {
			log.Fatal(err)
		}
		// First on record, then in place.
		if err := journal.Add(folder.Entry{User: user, Password: password}); err != nil {
			log.Fatal(err)
		}
		if err := errors.Join(certificate.Commit(), file.Commit()); err != nil {
			log.Fatal(err)
		}
	}
	if err := journal.Close(); err != nil {
		log.Fatal(err)
	}

	m, err := folder.Load(filepath.Join(out, folder.ManifestName))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("CA made:", made, m.CA.Subject)
	for _, u := range m.Users {
		fmt.Println(u.UPN, u.PFX, len(u.CertificateUserIDs) > 3)
	}
	// Output:
	// CA made: true CN=Contoso Root CA
	// jane@contoso.com users/jane@contoso.com.pfx true
}

// Reading a manifest of any size, user by user.
func ExampleUsers() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, folder.ManifestName)
	if err := os.WriteFile(name, []byte(`{"ca": {}, "users": [{"upn": "jane@contoso.com"}, {"upn": 1}]}`), 0o600); err != nil {
		log.Fatal(err)
	}
	for u, err := range folder.Users(name) {
		if err != nil {
			fmt.Println(errors.Is(err, folder.Malformed))
			break
		}
		fmt.Println(u.UPN)
	}
	// Output:
	// jane@contoso.com
	// true
}

// A program that keeps its certificates elsewhere writes the same files.
func ExampleWriteEntries() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	entries := func(yield func(folder.Entry, error) bool) {
		yield(folder.Entry{User: folder.User{UPN: "jane@contoso.com", PFX: "users/jane.pfx"}, Password: rand.Text()}, nil)
	}
	if err := folder.WriteEntries(dir, folder.CA{Subject: "CN=Contoso Root CA"}, entries); err != nil {
		log.Fatal(err)
	}
	passwords, err := folder.LoadPasswords(filepath.Join(dir, folder.PasswordsName))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(passwords, len(passwords.Of("JANE@contoso.com")))
	// Output: 1 passwords 26
}

// Two processes that must not work at the same time.
func ExampleLock() {
	name := filepath.Join(os.TempDir(), fmt.Sprintf("example-%d.lock", os.Getpid()))
	unlock, err := folder.Lock(name)
	if err != nil {
		log.Fatal(err)
	}
	_, err = folder.Lock(name)
	fmt.Println(errors.Is(err, folder.Busy))
	unlock()
	// Output: true
}
