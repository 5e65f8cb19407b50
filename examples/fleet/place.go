package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"example.com/entracba/cba"
	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/fleet/jobs"
	"example.com/entracba/cba/fleet/s3"
	"example.com/entracba/cba/folder"
	"example.com/entracba/examples/internal/console"
)

// isPostgres reports whether -ledger names a database server.
func isPostgres(name string) bool {
	return strings.HasPrefix(name, "postgres://") || strings.HasPrefix(name, "postgresql://")
}

// keywords are how other programs name a database.
var keywords = regexp.MustCompile(`(?i)(^|\s)(host|hostaddr|port|dbname|user|password|service|sslmode)\s*=`)

// checkLedger refuses what is neither a file nor a server, so that no file of that name is made,
// and a URL with a password: everyone on the machine can read command lines. The error does
// not repeat it.
func checkLedger(text string) error {
	if !isPostgres(text) {
		if strings.Contains(text, "://") || keywords.MatchString(text) {
			return console.Usage("-ledger: use a file, or postgres://USER@HOST/DATABASE")
		}
		return nil
	}
	u, err := url.Parse(text)
	if err != nil {
		return console.Usage("-ledger: the URL cannot be read: use postgres://USER@HOST/DATABASE")
	}
	_, password := u.User.Password()
	query, queryErr := url.ParseQuery(u.RawQuery)
	for name := range query {
		password = password || strings.Contains(strings.ToLower(name), "password")
	}
	switch {
	case password:
		return console.Usage("-ledger: the URL must not contain a password, because everyone on this machine can read command lines: put it into the file that PGPASSFILE names, or ~/.pgpass")
	case queryErr != nil:
		return console.Usage("-ledger: the URL cannot be read: use postgres://USER@HOST/DATABASE")
	}
	return nil
}

// isBucket reports whether a place is in an object store.
func isBucket(place string) bool { return strings.HasPrefix(place, "s3:") }

// openBucket opens s3://BUCKET/PREFIX with what the environment says.
func openBucket(flag, place string) (*s3.Store, error) {
	s, err := s3.Open(place, s3.Options{
		Endpoint: cmp.Or(os.Getenv("AWS_ENDPOINT_URL_S3"), os.Getenv("AWS_ENDPOINT_URL")),
		Region:   cmp.Or(os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION")),
	})
	if err != nil {
		return nil, console.Usage("-%s: %w", flag, err)
	}
	return s, nil
}

// openSecrets opens a folder or a bucket for PFX files or passwords. A folder that others may write
// is refused.
func openSecrets(flag, place string) (jobs.Store, error) {
	switch {
	case isBucket(place):
		return openBucket(flag, place)
	case strings.Contains(place, "://"):
		return nil, console.Usage("-%s: use a folder, or s3://BUCKET/PREFIX", flag)
	}
	return jobs.Folder(place), folder.CheckPrivate(place)
}

// published is where CRLs are put: a folder or a bucket. A web server reads it.
type published struct {
	write func(ctx context.Context, name string, content []byte) error
	read  func(ctx context.Context, name string) ([]byte, error)
}

// maxCRL is more than the largest CRL that any cloud takes.
const maxCRL = 256 << 20

func openPublished(flag, place string) (p published, err error) {
	switch {
	case isBucket(place):
		s, err := openBucket(flag, place)
		if err != nil {
			return p, err
		}
		s.Largest = maxCRL
		return published{s.Write, s.Read}, nil
	case strings.Contains(place, "://"):
		return p, console.Usage("-%s: use a folder, or s3://BUCKET/PREFIX", flag)
	}
	if err := os.MkdirAll(place, 0o755); err != nil {
		return p, err
	}
	return published{
		func(_ context.Context, name string, content []byte) error {
			return folder.Write(filepath.Join(place, name), content, folder.Public)
		},
		func(_ context.Context, name string) ([]byte, error) {
			return folder.Read(filepath.Join(place, name), maxCRL)
		},
	}, nil
}

// list returns the CRL that is out; nil if there is none, or something else.
func (p published) list(ctx context.Context, name string, ca *cba.Issuer) (*crl.List, error) {
	text, err := p.read(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	list, err := crl.Parse(text)
	if err != nil || list.CheckIssuer(ca.Certificate) != nil {
		return nil, nil // replaced by the next
	}
	return list, nil
}

// put replaces a CRL, but not by an older one: another machine may have been faster than one that
// was stopped.
func (p published) put(ctx context.Context, name string, ca *cba.Issuer, list *crl.List) error {
	previous, err := p.list(ctx, name, ca)
	if err == nil && previous != nil {
		err = list.CheckAfter(previous)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return p.write(ctx, name, list.Raw)
}
