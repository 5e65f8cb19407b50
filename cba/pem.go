package cba

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/internal/certs"
	"example.com/entracba/cba/internal/path"
	"example.com/entracba/cba/internal/text"
)

// Labels of PEM blocks.
const (
	labelCertificate = "CERTIFICATE"
	labelPKCS8       = "PRIVATE KEY"
	labelRequest     = "CERTIFICATE REQUEST"
)

// EncodeCertificates returns certificates as PEM, in this order. nil is left out.
func EncodeCertificates(certs ...*x509.Certificate) []byte {
	var out []byte
	for _, cert := range certs {
		if cert == nil {
			continue
		}
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: labelCertificate, Bytes: cert.Raw})...)
	}
	return out
}

// EncodeKey returns a private key as PEM in its PKCS #8 form, not encrypted:
// anyone who reads it has the key. Keep it in a file with mode 0600.
//
// The error is an [*Error] with reason [UnsupportedKey] (keys of an HSM or a key
// service cannot be written) or [Empty].
func EncodeKey(key crypto.Signer) ([]byte, error) {
	if publicOf(key) == nil {
		return nil, &Error{Reason: Empty, What: "private key"}
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, &Error{Reason: UnsupportedKey, What: "private key", Err: err}
	}
	return pem.EncodeToMemory(&pem.Block{Type: labelPKCS8, Bytes: der}), nil
}

// ParseCertificates reads the certificates of a file, in their order: PEM with any
// text around it, indented or in UTF-16; DER; base64 without PEM lines; a PKCS #7
// bundle (.p7b). Zero bytes behind DER are passed over, as are blocks of other
// kinds. Package certfile reads PFX files too, and finds the user's certificate
// among several.
//
// A certificate that crypto/x509 refuses is returned too, with its names and
// without a key: [Refused] says why it is refused. Nothing is verified with it.
//
// The error is an [*Error] with reason [Missing] (no certificate), [Empty],
// [Malformed], which says what the file is instead, or [OutOfRange] (over 4 MiB).
func ParseCertificates(data []byte) ([]*x509.Certificate, error) {
	found, err := readPEM("certificate", data)
	if err != nil {
		return nil, err
	}
	if len(found.certs) == 0 {
		return nil, &Error{Reason: Missing, What: "certificate", Hint: "the file holds: " + found.kinds}
	}
	return found.certs, nil
}

// ParseKey reads the one private key of PEM text or of DER: PKCS #8, PKCS #1 or
// SEC 1. Certificates beside it are skipped.
//
// The error is an [*Error] with reason [Missing], [Ambiguous] (more than one
// key), [Encrypted], [Malformed], [UnsupportedKey] or [OutOfRange] (over 4 MiB).
func ParseKey(data []byte) (crypto.Signer, error) {
	found, err := readPEM("private key", data)
	if err != nil {
		return nil, err
	}
	return found.key()
}

// ParseIssuer reads a CA from files as of [ParseCertificates] and [ParseKey]: one private key, its certificate,
// and the certificates above it, in any order and spread over any number of
// inputs, most often a certificate file and a key file. The CA's certificate is
// the one that belongs to the key and is valid now. For a CA in a PFX file use package pfx and
// [NewIssuer].
//
// The error is an [*Error] as of [ParseKey] and [NewIssuer]; reason [KeyMismatch]
// says that no certificate belongs to the key.
func ParseIssuer(inputs ...[]byte) (*Issuer, error) {
	var all material
	for _, data := range inputs {
		found, err := readPEM("CA", data)
		if err != nil {
			return nil, err
		}
		all.certs = append(all.certs, found.certs...)
		all.keys = append(all.keys, found.keys...)
	}
	if len(all.certs) == 0 {
		return nil, &Error{Reason: Missing, What: "CA certificate"}
	}
	key, err := all.key()
	if err != nil {
		return nil, err
	}
	cert, err := own(all.certs, key.Public())
	if err != nil {
		return nil, err
	}
	issuer, err := NewIssuer(cert, key, all.certs...)
	if err != nil || issuer.Root() != nil {
		return issuer, err
	}
	cas := issuer.CACertificates()
	for _, c := range all.certs { // the next CA is there, and cannot be verified with
		if bytes.Equal(c.RawSubject, cas[len(cas)-1].RawIssuer) {
			if err := Refused(c); err != nil {
				return nil, err
			}
		}
	}
	return issuer, nil
}

// own returns the certificate of a CA's key. A key may have several: of a CA that
// was renewed, those that have expired do not count.
func own(certs []*x509.Certificate, key crypto.PublicKey) (*x509.Certificate, error) {
	var all, usable []*x509.Certificate
	for _, c := range certs {
		if sameKey(c.PublicKey, key) && !slices.ContainsFunc(all, c.Equal) {
			all = append(all, c)
		}
	}
	// The order of the files does not matter: the one that lives longest is first.
	slices.SortFunc(all, func(x, y *x509.Certificate) int {
		return cmp.Or(y.NotAfter.Compare(x.NotAfter), bytes.Compare(x.Raw, y.Raw))
	})
	for _, c := range all {
		if path.ShapeOf(c, 0) == 0 && path.PeriodOf(c, time.Now()) == 0 {
			usable = append(usable, c)
		}
	}
	switch {
	case len(all) == 0:
		for _, c := range certs {
			if pub, err := x509.ParsePKIXPublicKey(c.RawSubjectPublicKeyInfo); err == nil && sameKey(pub, key) {
				if err := Refused(c); err != nil {
					return nil, err
				}
			}
		}
		return nil, &Error{Reason: KeyMismatch, What: "CA key", Text: dn.Show(certs[0].RawSubject)}
	case len(usable) == 0:
		return all[0], nil // NewIssuer says what is wrong with it
	case len(usable) > 1:
		return nil, &Error{Reason: Ambiguous, What: "CA certificate", Text: dn.Show(usable[0].RawSubject),
			Hint: fmt.Sprintf("the key has %d certificates that are valid now; keep the one to issue with", len(usable))}
	}
	return usable[0], nil
}

// material is what was found in an input.
type material struct {
	certs []*x509.Certificate
	keys  []crypto.Signer
	kinds string // what the input holds, in words
}

func (m material) key() (crypto.Signer, error) {
	switch len(m.keys) {
	case 0:
		return nil, &Error{Reason: Missing, What: "private key"}
	case 1:
		return m.keys[0], nil
	}
	return nil, &Error{Reason: Ambiguous, What: "private key"}
}

// readPEM reads all certificates and keys of a file, whatever its form. what is
// for the error.
func readPEM(what string, data []byte) (material, error) {
	var found material
	blocks, err := certs.Open(data)
	if err != nil {
		return found, unread(what, err)
	}
	if found.certs, err = certs.Certificates(blocks); err != nil {
		return found, unread("certificate", err)
	}
	for _, b := range blocks {
		switch b.Kind {
		case certs.Key:
			key, ok := parseKeyDER(b.DER)
			if !ok {
				// The cause may quote what it could not read; it is left out.
				return found, &Error{Reason: Malformed, What: "private key", Hint: "RSA and ECDSA keys are read, in PKCS #8, PKCS #1 or SEC 1 form"}
			}
			found.keys = append(found.keys, key)
		case certs.EncryptedKey:
			return found, errEncrypted()
		case certs.PFX:
			return found, &Error{Reason: Malformed, What: what, Hint: "this is a PFX file, which has a password: open it with package pfx"}
		}
	}
	found.kinds = certs.Summary(blocks)
	return found, nil
}

// unread is the error about a file that cannot be read, with the one reason that
// was found.
func unread(what string, err error) error {
	var e *certs.Error
	if !errors.As(err, &e) {
		return &Error{Reason: Malformed, What: what, Err: err}
	}
	switch e.Reason {
	case certs.Empty:
		return &Error{Reason: Empty, What: what, Hint: e.Detail}
	case certs.TooLarge:
		return tooLarge(what)
	}
	if e.Err != nil {
		return &Error{Reason: Malformed, What: strings.TrimPrefix(e.Place+", "+what, ", "), Err: e.Err}
	}
	return &Error{Reason: Malformed, What: what, Hint: e.Error()}
}

// Refused returns why crypto/x509 does not read a certificate, nil if it does. The
// readers of this module read such a certificate as far as they can: see
// [ParseCertificates]. Its names and ids can be used; it is in no chain, and
// [NewIssuer] refuses it.
//
// The error is an [*Error] with reason [Unreadable], which names the certificate.
func Refused(cert *x509.Certificate) error {
	if err := certs.Refused(cert); err != nil {
		return &Error{Reason: Unreadable, What: "certificate " + dn.Show(cert.RawSubject), Err: err}
	}
	return nil
}

func tooLarge(what string) error {
	return &Error{Reason: OutOfRange, What: what, Hint: fmt.Sprintf("it must not be larger than %d MiB", text.MaxFile>>20)}
}

func errEncrypted() error {
	return &Error{Reason: Encrypted, What: "private key",
		Hint: "remove the password first: openssl pkey -in FILE -out NEW, and delete NEW afterwards"}
}

// parseKeyDER tries the three forms of a private key.
func parseKeyDER(der []byte) (crypto.Signer, bool) {
	if key, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		signer, ok := key.(crypto.Signer)
		return signer, ok
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, true
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key, true
	}
	return nil, false
}
