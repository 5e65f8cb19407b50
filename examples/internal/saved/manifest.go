package saved

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"

	"example.com/entracba/cba"
	"example.com/entracba/cba/certfile"
	"example.com/entracba/cba/folder"
	"example.com/entracba/examples/internal/console"
)

// What examples/issue writes beside the manifest for other programs.
const (
	TenantName = "tenant.json" // the CA and the service's default policy
	UsersName  = "users.jsonl" // the users with their certificates
)

// Manifest reads the users of a manifest one by one. Errors say which command mends what
// is missing.
func Manifest(name string) iter.Seq2[folder.User, error] {
	return func(yield func(folder.User, error) bool) {
		for u, err := range folder.Users(name) {
			if !yield(u, Advise(name, err)) || err != nil {
				return
			}
		}
	}
}

// UserCertificate reads the certificate of a user of a manifest: of several in the file the
// end-entity certificate. That it is not the first one is said on standard error.
func UserCertificate(manifest string, u folder.User) (*x509.Certificate, error) {
	content, err := folder.ReadFile(filepath.Dir(manifest), u.Certificate)
	if err != nil {
		return nil, Advise(manifest, err)
	}
	file, err := certfile.Read(content, nil)
	if err != nil {
		return nil, console.Usage("%s: %s: %w", u.UPN, u.Certificate, err)
	}
	if all, err := cba.ParseCertificates(content); err == nil && !all[0].Equal(file.Certificate) {
		fmt.Fprintf(os.Stderr, "%s: %s\n", u.Certificate, console.Clean(file.Note))
	}
	return file.Certificate, nil
}

// Advise adds to an error about a manifest, or a file that it lists, the command that
// mends it.
func Advise(manifest string, err error) error {
	if err == nil {
		return nil
	}
	dir := filepath.Dir(manifest)
	again := console.Command("issue", "-out", dir)
	var e *folder.Error
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, statErr := os.Stat(manifest); statErr != nil {
			return missing(manifest, folder.ManifestName, err)
		}
		return console.Usage("%w\nto see what is missing: %s", err, again)
	case errors.As(err, &e) && e.UPN != "":
		return console.Usage("%w\nto issue a new certificate to the user: %s", err, console.Command("issue", "-out", dir, "-mend", e.UPN))
	case errors.As(err, &e):
		return console.Usage("%w\nto see what is missing: %s", err, again)
	}
	return console.Usage("%w", err)
}

// missing adds to the error about a file that is not there the command that writes it, if
// it has the name of one that examples/issue writes.
func missing(name, written string, err error) error {
	if !errors.Is(err, fs.ErrNotExist) || filepath.Base(name) != written {
		return console.Usage("%w", err)
	}
	return console.Usage("%w\nto write it: %s (a user who has a certificate gets no other)", err, console.Command("issue", "-out", filepath.Dir(name), "jane@contoso.com"))
}

// Changed adds to the error about a file with a changed tenant that is not there how to
// begin: with a copy of the tenant in the file or folder original.
func Changed(name, original string, err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	args := []string{"cp", original, name}
	if info, failed := os.Stat(original); failed == nil && info.IsDir() {
		args = slices.Insert(args, 1, "-R")
	}
	return console.Usage("%w\nto begin, copy the tenant and change the copy: %s", err, console.Line(args...))
}
