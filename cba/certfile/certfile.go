// Package certfile reads the certificate of a user from a file of any form in which
// people have it, PFX included, and says which one it took.
package certfile

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"

	"example.com/entracba/cba"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/internal/certs"
	"example.com/entracba/cba/internal/text"
	"example.com/entracba/cba/pfx"
)

// A File is what was found in a file.
type File struct {
	// Certificate is the user's: the only one, or the end-entity certificate among
	// several.
	Certificate *x509.Certificate
	// Chain are the CAs above it that the file holds, each the issuer of the one
	// before by names and key identifiers. No signature was verified.
	Chain []*x509.Certificate
	// Others are the remaining certificates, in the order of the file.
	Others []*x509.Certificate
	// Note says which certificate was taken if there was a choice, "" if there was
	// only one.
	Note string
}

// Path returns the certificate and the chain above it, as
// [example.com/entracba/cba.Findings] takes them.
func (f File) Path() []*x509.Certificate {
	if f.Certificate == nil {
		return nil
	}
	return append([]*x509.Certificate{f.Certificate}, f.Chain...)
}

// Read reads a file as [example.com/entracba/cba.ParseCertificates] does, and PFX
// files, for which it calls password; nil stands for no password. Of several
// certificates it takes that of the private key in a PFX, or else the one that is no CA's,
// or that issued none of the others.
//
// The error is an [*Error] with reason [NeedsPassword], [Ambiguous] (two
// certificates of users), or [Unreadable], with the error of cba or pfx as its
// cause. An error of password is returned as it is.
func Read(data []byte, password func() (string, error)) (File, error) {
	blocks, err := certs.Open(data)
	if err == nil && blocks[0].Kind == certs.PFX {
		return readPFX(blocks[0].DER, password)
	}
	list, err := cba.ParseCertificates(data)
	if err != nil {
		return File{}, &Error{Reason: Unreadable, Err: err}
	}
	return choose(list)
}

func readPFX(data []byte, password func() (string, error)) (File, error) {
	secret := ""
	b, err := pfx.Decode(data, secret)
	if errors.Is(err, pfx.WrongPassword) {
		if password == nil {
			return File{}, &Error{Reason: NeedsPassword}
		}
		var failed error
		if secret, failed = password(); failed != nil {
			return File{}, failed
		}
		b, err = pfx.Decode(data, secret)
	}
	if errors.Is(err, pfx.KeyMismatch) {
		if list, failed := pfx.Certificates(data, secret); failed == nil {
			return choose(list)
		}
	}
	if err != nil {
		return File{}, &Error{Reason: Unreadable, Err: err}
	}
	f := File{Certificate: b.Certificate, Chain: b.Chain, Others: b.Others}
	if n := len(f.Chain) + len(f.Others); n > 0 {
		f.Note = fmt.Sprintf("took the certificate of the private key, %s, of %d", dn.Show(f.Certificate.RawSubject), n+1)
	}
	return f, nil
}

// choose finds the user's certificate among several.
func choose(list []*x509.Certificate) (File, error) {
	var unique []*x509.Certificate
	for _, c := range list {
		if !slices.ContainsFunc(unique, c.Equal) {
			unique = append(unique, c)
		}
	}
	candidates := slices.DeleteFunc(slices.Clone(unique), func(c *x509.Certificate) bool { return c.IsCA })
	what := "the only one that is no CA's"
	if len(candidates) != 1 {
		if len(candidates) == 0 {
			candidates = unique
		}
		what = "the one that issued none of the others"
		candidates = slices.DeleteFunc(slices.Clone(candidates), func(c *x509.Certificate) bool {
			return slices.ContainsFunc(unique, func(child *x509.Certificate) bool { return child != c && issued(c, child) })
		})
	}
	if len(candidates) != 1 {
		return File{}, &Error{Reason: Ambiguous, What: names(unique)}
	}
	f := File{Certificate: candidates[0]}
	if len(unique) > 1 {
		f.Note = fmt.Sprintf("took %s of %d certificates: %s", dn.Show(f.Certificate.RawSubject), len(unique), what)
	}
	rest := slices.DeleteFunc(unique, f.Certificate.Equal)
	for child := f.Certificate; !bytes.Equal(child.RawIssuer, child.RawSubject); {
		i := slices.IndexFunc(rest, func(c *x509.Certificate) bool { return issued(c, child) })
		if i < 0 {
			break
		}
		child = rest[i]
		f.Chain, rest = append(f.Chain, child), slices.Delete(rest, i, i+1)
	}
	f.Others = rest
	return f, nil
}

// issued reports whether names and key identifiers admit that parent issued child.
func issued(parent, child *x509.Certificate) bool {
	return bytes.Equal(parent.RawSubject, child.RawIssuer) &&
		(len(parent.SubjectKeyId) == 0 || len(child.AuthorityKeyId) == 0 || bytes.Equal(parent.SubjectKeyId, child.AuthorityKeyId))
}

func names(list []*x509.Certificate) string {
	var subjects []string
	for _, c := range list {
		subjects = append(subjects, dn.Show(c.RawSubject))
	}
	return strings.Join(subjects, "; ")
}

// Password returns the first line of a file that holds a password, without byte
// order mark and line end, whether it is UTF-8 or UTF-16.
func Password(file []byte) string {
	line, _, _ := bytes.Cut(text.UTF8(file), []byte("\n"))
	return strings.TrimSuffix(string(line), "\r")
}
