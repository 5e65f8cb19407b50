// Package saved reads what a program asks about a sign-in from files: the tenant, its
// users with their certificates, what is required, and CRLs.
package saved

import (
	"bufio"
	"bytes"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"example.com/entracba/cba/certfile"
	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/crl/fetch"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
	"example.com/entracba/examples/internal/console"
)

// Tenant reads and compiles a tenant.
func Tenant(name string, lists crl.Source) (signin.Config, *signin.Tenant, error) {
	content, err := os.ReadFile(name)
	if err != nil {
		return signin.Config{}, nil, err
	}
	config, err := signin.ParseConfig(content)
	if err != nil {
		return config, nil, console.Usage("%s: %w", name, err)
	}
	tenant, err := config.Compile(signin.Options{CRLs: lists})
	if err != nil {
		return config, nil, console.Usage("%s: %w", name, err)
	}
	return config, tenant, nil
}

// RequireFlag registers -require.
func RequireFlag(f *flag.FlagSet, into *signin.Requirement) {
	f.Func("require", "Conditional Access requirement: `mfa|phishing-resistant|FILE`, where FILE is an authentication strength as JSON", func(text string) (err error) {
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
	content, err := os.ReadFile(text)
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
	f.Func("crl", "`URL=FILE`: read the CRL of this URL from a file instead of the network; may be repeated", func(text string) error {
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

// Source reads the files. Every other URL is fetched from the network.
func (c CRLs) Source() (crl.Source, error) {
	files := map[string][]byte{}
	for url, name := range c.files {
		content, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		files[url] = content
	}
	return crl.First(crl.Static(files), &fetch.Client{AllowPrivateAddresses: c.allowPrivate}), nil
}

// Users reads a folder with NAME.json and NAME.pem for each user, or a file with one
// JSON user per line, as Graph writes it with one more property, "certificates".
func Users(name string) iter.Seq2[signin.Case, error] {
	return func(yield func(signin.Case, error) bool) {
		info, err := os.Stat(name)
		switch {
		case err != nil:
			yield(signin.Case{}, err)
		case info.IsDir():
			pairs(name, yield)
		default:
			lines(name, yield)
		}
	}
}

// maxLine bounds one user of a file: ten certificates of 64 KB in base64.
const maxLine = 1 << 20

func lines(name string, yield func(signin.Case, error) bool) {
	f, err := os.Open(name)
	if err != nil {
		yield(signin.Case{}, err)
		return
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(nil, maxLine)
	for n := 1; s.Scan(); n++ {
		if len(bytes.TrimSpace(s.Bytes())) == 0 {
			continue
		}
		c, err := parseUser(s.Bytes())
		if err != nil {
			yield(c, console.Usage("%s line %d: %w", name, n, err))
			return
		}
		if !yield(c, nil) {
			return
		}
	}
	if err := s.Err(); err != nil {
		yield(signin.Case{}, console.Usage("%s: %w", name, err))
	}
}

// pairs reads NAME.json of a folder with the certificate beside it, in NAME.pem, .crt or .cer.
func pairs(name string, yield func(signin.Case, error) bool) {
	found, err := filepath.Glob(filepath.Join(name, "*.json"))
	if err != nil {
		yield(signin.Case{}, err)
		return
	}
	for _, file := range found {
		c, err := readPair(file)
		if err != nil {
			yield(c, console.Usage("%s: %w", file, err))
			return
		}
		if !yield(c, nil) {
			return
		}
	}
}

func readPair(file string) (signin.Case, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return signin.Case{}, err
	}
	c, err := parseUser(content)
	if err != nil {
		return c, err
	}
	for _, extension := range []string{".pem", ".crt", ".cer"} {
		content, err := os.ReadFile(strings.TrimSuffix(file, ".json") + extension)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return c, err
		}
		found, err := certfile.Read(content, nil)
		if err != nil {
			return c, fmt.Errorf("its %s file: %w", extension, err)
		}
		c.Certificates = append(c.Certificates, found.Certificate)
	}
	return c, nil
}

// parseUser reads a Graph user with one more property, "certificates": a list of
// certificates in base64 or PEM.
func parseUser(text []byte) (signin.Case, error) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")) // a byte order mark
	user, err := policy.ParseUser(text)
	if err != nil {
		return signin.Case{}, err
	}
	c := signin.Case{User: &user}
	var more struct {
		Certificates []string `json:"certificates"`
	}
	if err := json.Unmarshal(text, &more); err != nil {
		return c, err
	}
	for i, text := range more.Certificates {
		cert, err := parseCertificate(text)
		if err != nil {
			return c, fmt.Errorf("certificates[%d]: %w", i, err)
		}
		c.Certificates = append(c.Certificates, cert)
	}
	return c, nil
}

func parseCertificate(text string) (*x509.Certificate, error) {
	file, err := certfile.Read([]byte(text), nil)
	return file.Certificate, err
}
