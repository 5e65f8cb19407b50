package cba

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/internal/path"
	"example.com/entracba/cba/internal/text"
)

// Labels of PEM blocks.
const (
	labelCertificate = "CERTIFICATE"
	labelPKCS8       = "PRIVATE KEY"
	labelPKCS1       = "RSA PRIVATE KEY"
	labelSEC1        = "EC PRIVATE KEY"
	labelEncrypted   = "ENCRYPTED PRIVATE KEY"
	labelRequest     = "CERTIFICATE REQUEST"
	labelNewRequest  = "NEW CERTIFICATE REQUEST" // certreq, keytool
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
// The error is an [*Error] with reason [UnsupportedKey]: keys of an HSM or a key
// service cannot be written.
func EncodeKey(key crypto.Signer) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, &Error{Reason: UnsupportedKey, What: "private key", Err: err}
	}
	return pem.EncodeToMemory(&pem.Block{Type: labelPKCS8, Bytes: der}), nil
}

// ParseCertificates reads the certificates of PEM text or of DER, in their
// order. Text and PEM blocks of other kinds are skipped. Text
// may be UTF-16, or begin with a byte order mark.
//
// The error is an [*Error] with reason [Missing] (no certificate), [Malformed]
// or [OutOfRange] (over 4 MiB).
func ParseCertificates(data []byte) ([]*x509.Certificate, error) {
	found, err := readPEM("certificate", data)
	if err != nil {
		return nil, err
	}
	if len(found.certs) == 0 {
		return nil, &Error{Reason: Missing, What: "certificate"}
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

// ParseIssuer reads a CA from PEM text or DER: one private key, its certificate,
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
	return NewIssuer(cert, key, all.certs...)
}

// own returns the certificate of a CA's key. A key may have several: of a CA that
// was renewed, those that have expired do not count.
func own(certs []*x509.Certificate, pub crypto.PublicKey) (*x509.Certificate, error) {
	var all, usable []*x509.Certificate
	for _, c := range certs {
		if sameKey(c.PublicKey, pub) && !slices.ContainsFunc(all, c.Equal) {
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

// readPEM reads all certificates and keys of PEM text, or the one of DER. what
// is for the error.
func readPEM(what string, data []byte) (material, error) {
	var found material
	if len(data) > text.MaxFile {
		return found, tooLarge(what)
	}
	data = text.UTF8(data)
	if len(bytes.TrimSpace(data)) == 0 {
		return found, &Error{Reason: Empty, What: what}
	}
	blocks := 0
	for rest := data; ; blocks++ {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if err := found.add(block); err != nil {
			return found, err
		}
	}
	switch {
	case blocks > 0:
		return found, nil
	case bytes.Contains(data, []byte("-----BEGIN ")):
		return found, &Error{Reason: Malformed, What: what, Hint: "a PEM block is truncated or damaged: copy the whole file"}
	}
	certs, err := x509.ParseCertificates(data)
	if err == nil {
		found.certs = certs
		return found, nil
	}
	if key, ok := parseKeyDER(data); ok {
		found.keys = append(found.keys, key)
		return found, nil
	}
	return found, &Error{Reason: Malformed, What: what, Hint: "it is neither PEM nor DER of a certificate or private key"}
}

func (m *material) add(block *pem.Block) error {
	switch block.Type {
	case labelCertificate, "X509 CERTIFICATE":
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return &Error{Reason: Malformed, What: "certificate", Err: err}
		}
		m.certs = append(m.certs, cert)
	case labelPKCS8, labelPKCS1, labelSEC1:
		if strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED") {
			return errEncrypted()
		}
		key, ok := parseKeyDER(block.Bytes)
		if !ok {
			// The cause may quote what it could not read; it is left out.
			return &Error{Reason: Malformed, What: "private key", Hint: "RSA and ECDSA keys are read, in PKCS #8, PKCS #1 or SEC 1 form"}
		}
		m.keys = append(m.keys, key)
	case labelEncrypted:
		return errEncrypted()
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
