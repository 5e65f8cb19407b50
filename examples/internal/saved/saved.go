// Package saved reads what a program asks about a sign-in from files: the tenant, its
// users with their certificates, what is required, and CRLs.
package saved

import (
	"bytes"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"example.com/entracba/cba"
	"example.com/entracba/cba/certfile"
	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/crl/fetch"
	"example.com/entracba/cba/folder"
	"example.com/entracba/cba/pfx"
	"example.com/entracba/cba/signin"
	"example.com/entracba/cba/snapshot"
	"example.com/entracba/examples/internal/console"
)

// Snapshot reads a tenant from a file in any form that package signin reads, or from a
// folder as EntraExporter lays it out.
func Snapshot(name string) (s snapshot.Snapshot, err error) {
	info, err := os.Stat(name)
	if err != nil {
		return s, missing(name, TenantName, err)
	}
	if info.IsDir() {
		s, err = snapshot.ReadFolder(os.DirFS(name))
	} else {
		var content []byte
		if content, err = folder.Read(name, folder.MaxFile); err != nil {
			return s, err
		}
		s, err = snapshot.Parse(content)
	}
	if err != nil {
		err = console.Usage("%s: %w", name, err)
	}
	return s, err
}

// Tenant reads a tenant as [Snapshot] does, and compiles it.
func Tenant(name string, options signin.Options) (signin.Config, *signin.Tenant, error) {
	s, err := Snapshot(name)
	if err != nil {
		return s.Config, nil, err
	}
	tenant, err := s.Config.Compile(options)
	if err != nil {
		return s.Config, nil, console.Usage("%s: %w", name, err)
	}
	return s.Config, tenant, nil
}

// ReadingsFlag registers -readings.
func ReadingsFlag(f *flag.FlagSet, into *signin.Calibration) {
	f.Func("readings", "readings `FILE` that signins -write-readings wrote: what the tenant's log says about open questions", func(name string) error {
		content, err := folder.Read(name, folder.MaxFile)
		if err != nil {
			return err
		}
		*into, err = signin.ParseCalibration(content)
		return err
	})
}

// RequireFlag registers -require.
func RequireFlag(f *flag.FlagSet, into *signin.Requirement) {
	f.Func("require", "Conditional Access requirement `mfa|phishing-resistant|FILE`; FILE is an authentication strength as JSON", func(text string) (err error) {
		*into, err = requirement(text)
		return err
	})
}

func requirement(text string) (signin.Requirement, error) {
	switch text {
	case "mfa":
		return signin.MFA(), nil
	case "phishing-resistant":
		return signin.PhishingResistant(), nil
	}
	content, err := folder.Read(text, folder.MaxFile)
	if err != nil {
		return signin.Requirement{}, fmt.Errorf("must be mfa, phishing-resistant or a file: %w", err)
	}
	strength, err := signin.ParseStrength(content)
	return signin.Require(strength), err
}

// CRLs are where CRLs come from.
type CRLs struct {
	files        map[string]string // URL to file
	allowPrivate bool
}

// Register registers -crl and -allow-private.
func (c *CRLs) Register(f *flag.FlagSet) {
	c.files = map[string]string{}
	f.Func("crl", "`URL=FILE`: read the CRL of this URL from the file instead of the network; may be repeated", func(text string) error {
		url, file, ok := cutLast(text, "=")
		if !ok || url == "" || file == "" {
			return errors.New("must be URL=FILE")
		}
		c.files[url] = file
		return nil
	})
	f.BoolVar(&c.allowPrivate, "allow-private", false, "also fetch CRLs from loopback and private addresses")
}

// cutLast cuts around the last separator: URLs may have some of their own.
func cutLast(text, separator string) (before, after string, found bool) {
	if i := strings.LastIndex(text, separator); i >= 0 {
		return text[:i], text[i+len(separator):], true
	}
	return text, "", false
}

// maxCRL bounds a CRL: twice what the service fetches in any cloud.
const maxCRL = 300 << 20

// Source reads the files. Every other URL is fetched from the network.
func (c CRLs) Source() (crl.Source, error) {
	files := map[string][]byte{}
	for url, name := range c.files {
		content, err := folder.Read(name, maxCRL)
		if err != nil {
			return nil, err
		}
		files[url] = content
	}
	return crl.First(crl.Static(files), &fetch.Client{AllowPrivateAddresses: c.allowPrivate}), nil
}

// Unused says, to w, which URLs of -crl no CA of these tenants has: nobody looks at their
// files. A typing error in a URL is otherwise seen by nobody.
func (c CRLs) Unused(w io.Writer, tenants ...signin.Config) {
	has := map[string]bool{}
	for _, t := range tenants {
		for _, pki := range t.Trust.PKIs {
			for _, ca := range pki.CertificateAuthorities {
				has[ca.CertificateRevocationListURL], has[ca.DeltaCertificateRevocationListURL] = true, true
			}
		}
		for _, ca := range t.Trust.Classic.CertificateAuthorities {
			has[ca.CertificateRevocationListURL], has[ca.DeltaCertificateRevocationListURL] = true, true
		}
	}
	delete(has, "")
	theirs := "none has a URL"
	if len(has) > 0 {
		theirs = "they have " + strings.Join(slices.Sorted(maps.Keys(has)), ", ")
	}
	for _, url := range slices.Sorted(maps.Keys(c.files)) {
		if !has[url] {
			fmt.Fprintf(w, "-crl %s: not used, because no CA of the tenant has this CRL URL; %s\n", console.Clean(url), console.Clean(theirs))
		}
	}
}

// Certificate reads the user's certificate out of a file of any form, PFX included, whose
// password is on the first line of the file passwordFile. Which one was taken of several
// is said on standard error.
func Certificate(name, passwordFile string) (*x509.Certificate, error) {
	content, err := folder.Read(name, folder.MaxFile)
	if err != nil {
		return nil, err
	}
	file, err := certfile.Read(content, password(passwordFile))
	if err != nil {
		return nil, console.Usage("%s: %w", name, err)
	}
	if file.Note != "" {
		fmt.Fprintf(os.Stderr, "%s: %s\n", name, console.Clean(file.Note))
	}
	return file.Certificate, nil
}

// CA reads a CA that can issue from one file: PEM with its key, or PFX, whose password is
// on the first line of the file passwordFile.
func CA(name, passwordFile string) (*cba.Issuer, error) {
	content, err := folder.ReadSecret(name)
	if err != nil {
		return nil, err
	}
	issuer, err := cba.ParseIssuer(content)
	if err != nil {
		// A PFX is tried with no password first: such files exist.
		b, failed := pfx.Decode(content, "")
		if errors.Is(failed, pfx.WrongPassword) {
			secret, err := password(passwordFile)()
			if err != nil {
				return nil, console.Usage("%s: %w", name, err)
			}
			b, failed = pfx.Decode(content, secret)
		}
		if failed == nil {
			issuer, err = cba.NewIssuer(b.Certificate, b.Key, append(b.Chain, b.Others...)...)
		} else if errors.Is(failed, pfx.WrongPassword) {
			err = failed
		}
	}
	if err != nil {
		return nil, console.Usage("%s: %w", name, err)
	}
	return issuer, nil
}

// PasswordFlag registers -password-file.
func PasswordFlag(f *flag.FlagSet, into *string) {
	f.StringVar(into, "password-file", "", "read the password of PFX files from the first line of `FILE`")
}

// password reads the password when a PFX needs it.
func password(file string) func() (string, error) {
	return func() (string, error) {
		if file == "" {
			return "", errors.New("this is a PFX file: put its password into a file and give it with -password-file")
		}
		text, err := folder.ReadSecret(file)
		return certfile.Password(text), err
	}
}

// Users reads a list of users in any form of [snapshot.ReadUsers], each with one more
// property, "certificates", or a folder with NAME.json for each user and the
// certificate beside it, in a file of any form. passwordFile is for PFX files.
func Users(name, passwordFile string) iter.Seq2[signin.Case, error] {
	return func(yield func(signin.Case, error) bool) {
		for c, err := range Cases(name, passwordFile) {
			if err == nil && c.Read != nil {
				c, err = c.Read()
			}
			if !yield(c, err) || err != nil {
				return
			}
		}
	}
}

// Cases is Users for [signin.Compare], which reads the users of a list itself.
func Cases(name, passwordFile string) iter.Seq2[signin.Case, error] {
	return func(yield func(signin.Case, error) bool) {
		info, err := os.Stat(name)
		switch {
		case err != nil:
			yield(signin.Case{}, missing(name, UsersName, err))
		case info.IsDir():
			pairs(name, passwordFile, yield)
		default:
			list(name, yield)
		}
	}
}

func list(name string, yield func(signin.Case, error) bool) {
	f, err := os.Open(name)
	if err != nil {
		yield(signin.Case{}, err)
		return
	}
	defer f.Close()
	of := func(err error) error {
		if err != nil {
			err = console.Usage("%s: %w", name, err)
		}
		return err
	}
	for c, err := range snapshot.ReadCases(f) {
		if read := c.Read; read != nil {
			c.Read = func() (signin.Case, error) {
				c, err := read()
				return c, of(err)
			}
		}
		if !yield(c, of(err)) || err != nil {
			return
		}
	}
}

// extensions are those of files with certificates.
var extensions = []string{".pem", ".crt", ".cer", ".der", ".p7b", ".pfx", ".p12"}

// pairs reads NAME.json of a folder with the certificate beside it.
func pairs(name, passwordFile string, yield func(signin.Case, error) bool) {
	found, err := filepath.Glob(filepath.Join(name, "*.json"))
	if err != nil {
		yield(signin.Case{}, err)
		return
	}
	for _, file := range found {
		c, err := readPair(file, passwordFile)
		if err != nil {
			yield(c, console.Usage("%s: %w", file, err))
			return
		}
		if !yield(c, nil) {
			return
		}
	}
}

func readPair(file, passwordFile string) (signin.Case, error) {
	content, err := folder.Read(file, folder.MaxFile)
	if err != nil {
		return signin.Case{}, err
	}
	var c signin.Case
	for next, err := range snapshot.ReadCases(bytes.NewReader(content)) {
		if err == nil && c.User != nil {
			err = errors.New("it has several users, and one is wanted for the certificate beside it")
		}
		if err == nil {
			c, err = next.Read()
		}
		if err != nil {
			return c, err
		}
	}
	if c.User == nil {
		return c, errors.New("it has no user")
	}
	for _, extension := range extensions {
		content, err := folder.Read(strings.TrimSuffix(file, ".json")+extension, folder.MaxFile)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return c, err
		}
		found, err := certfile.Read(content, password(passwordFile))
		if err != nil {
			return c, fmt.Errorf("its %s file: %w", extension, err)
		}
		c.Certificates = append(c.Certificates, found.Certificate)
	}
	return c, nil
}
