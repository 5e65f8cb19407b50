package crl

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path"
	"path/filepath"
)

// A Source gets the CRL of a CA from a URL: over HTTP (package crl/fetch), from a
// folder ([Dir]), from memory ([Static]), or from wherever CRLs are kept.
//
// Fetch returns a CRL for which [List.CheckIssuer] returned nil for ca, or an
// error. An [*Error] is an answer about the CRL; any other error (that of ctx, for
// example) is none. Whether the CRL is valid now is for [Set.Check].
//
// A Source is asked at every check, by many goroutines, and again for the same URL
// each time: a decision about a sign-in asks for each CRL URL of the certificate's
// chain, an explanation may ask several times. So Fetch has to be cheap for a CRL
// that it returned before. [Keep] makes it so for a source that is not; the client
// of crl/fetch and Static are.
type Source interface {
	Fetch(ctx context.Context, url string, ca *x509.Certificate) (*List, error)
}

// byCA returns the list if it is one of ca. Otherwise the error, if it is an
// [*Error], is a copy that names the URL.
func byCA(list *List, err error, url string, ca *x509.Certificate) (*List, error) {
	if err == nil {
		err = list.CheckIssuer(ca)
	}
	if err == nil {
		return list, nil
	}
	var failure *Error
	if !errors.As(err, &failure) {
		return nil, err
	}
	own := *failure
	if own.URL == "" {
		own.URL = url
	}
	return nil, &own
}

// ended returns the error of a context that has ended, or that is none.
func ended(ctx context.Context) error {
	if ctx == nil {
		return errors.New("crl: there is no context")
	}
	return ctx.Err()
}

// Static returns a Source that knows the CRLs of a map, DER by URL, and answers
// [Missing] for every other URL. Bytes that are no CRL are the answer for their URL,
// as they would be for Entra. The map is read once, the bytes must not be changed
// afterwards.
func Static(crls map[string][]byte) Source {
	s := make(static, len(crls))
	for url, content := range crls {
		list, err := Parse(content)
		s[url] = parsed{list, err}
	}
	return s
}

type static map[string]parsed

type parsed struct {
	list *List
	err  error
}

func (s static) Fetch(ctx context.Context, url string, ca *x509.Certificate) (*List, error) {
	if err := ended(ctx); err != nil {
		return nil, err
	}
	p, ok := s[url]
	if !ok {
		return nil, &Error{Reason: Missing, URL: url}
	}
	return byCA(p.list, p.err, url, ca)
}

// Dir returns a Source that reads CRLs in DER from the files of a folder. The file
// for a URL is named like the last element of the URL's path: users.crl for
// http://crl.contoso.com/pki/users.crl. A file that is not there is [Missing], one
// above the 150 MB that Entra takes is [TooLarge], and links do not lead out of the
// folder. Any other failure to read is no [*Error].
//
// A file is read anew at every Fetch: use Keep(Dir(folder)) for more than a few
// checks. Who writes into the folder should write another file and rename it.
func Dir(folder string) Source { return dir(folder) }

type dir string

func (d dir) Fetch(ctx context.Context, rawURL string, ca *x509.Certificate) (*List, error) {
	if err := ended(ctx); err != nil {
		return nil, err
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, CheckURL(rawURL) // which keeps a password out of the error
	}
	name := path.Base(u.Path)
	if !filepath.IsLocal(name) || name == "." || filepath.Base(name) != name {
		return nil, &Error{Reason: Missing, URL: u.Redacted(), Detail: "its path does not end with the name of a file"}
	}
	content, err := d.read(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, &Error{Reason: Missing, URL: u.Redacted(), Detail: fmt.Sprintf("the folder %s has no file %q", string(d), name)}
	}
	var failure *Error
	if err != nil && !errors.As(err, &failure) {
		return nil, fmt.Errorf("crl: %w", err)
	}
	if err != nil {
		return byCA(nil, err, u.Redacted(), ca)
	}
	list, err := Parse(content)
	return byCA(list, err, u.Redacted(), ca)
}

func (d dir) read(name string) ([]byte, error) {
	root, err := os.OpenRoot(string(d))
	if err != nil {
		if errors.Is(err, os.ErrNotExist) { // the folder, not the file
			return nil, fmt.Errorf("the folder %s does not exist", string(d))
		}
		return nil, err
	}
	defer root.Close()
	info, err := root.Stat(name)
	if err != nil {
		return nil, err
	}
	limit := BackgroundGovernment().Bytes
	switch {
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s in %s is not a regular file", name, string(d))
	case info.Size() > limit:
		return nil, &Error{Reason: TooLarge, Size: info.Size(), Detail: fmt.Sprintf("%d bytes, and the limit is %d", info.Size(), limit)}
	}
	file, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content := make([]byte, info.Size())
	n, err := io.ReadFull(file, content)
	if err == io.ErrUnexpectedEOF || err == io.EOF { // it was cut meanwhile; Parse says so
		err = nil
	}
	return content[:n], err
}

// First returns a Source that asks several in turn, and goes on to the next one
// where the answer is [Missing]. Without sources every CRL is missing.
func First(sources ...Source) Source { return first(sources) }

type first []Source

func (f first) Fetch(ctx context.Context, url string, ca *x509.Certificate) (*List, error) {
	if err := ended(ctx); err != nil {
		return nil, err
	}
	var missing error = &Error{Reason: Missing, URL: url}
	for _, s := range f {
		if s == nil {
			continue
		}
		list, err := s.Fetch(ctx, url, ca)
		if list == nil && err == nil {
			continue
		}
		if !errors.Is(err, Missing) {
			return list, err
		}
		missing = err
	}
	return nil, missing
}
