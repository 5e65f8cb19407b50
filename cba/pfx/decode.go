package pfx

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"crypto/x509"
	"errors"
	"slices"
	"unicode/utf8"

	"example.com/entracba/cba/internal/certs"
	"example.com/entracba/cba/internal/text"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

const (
	defaultMaxBytes = 1 << 20
	// GnuTLS and NSS derive up to four keys with 600,000 iterations each.
	defaultMaxDecode = 3_000_000
)

// maxKeyBytes bounds a PKCS#8 key; RSA with 16,384 bits has 9,300.
const maxKeyBytes = 10_000

// RSA keys for one use alone, RFC 4055.
const (
	oidOAEP = "1.2.840.113549.1.1.7"
	oidPSS  = "1.2.840.113549.1.1.10"
)

// A Decoder reads PFX files. The zero value is ready to use, and [Decode] is
// the short form for it.
type Decoder struct {
	// MaxBytes is the largest file accepted. Zero means 1 MiB, a
	// hundred times an ordinary file.
	MaxBytes int

	// MaxIterations is the maximum number of iterations of key derivation for one
	// file: the sum over its MAC, its encrypted parts and its key. Zero means
	// 3,000,000, which allows the four times 600,000 of GnuTLS and NSS and takes a
	// few seconds at most. It is checked before each derivation, also inside
	// decrypted parts.
	MaxIterations int

	// InsecureAllowNoMAC accepts a file that has encrypted parts and no MAC,
	// as "openssl pkcs12 -export -nomac" writes: anyone may have changed it on its
	// way. A file without encryption and password needs no MAC.
	InsecureAllowNoMAC bool
}

// Decode is the short form of [Decoder.Decode] with the default limits.
func Decode(data []byte, password string) (Bundle, error) {
	return Decoder{}.Decode(data, password)
}

// Decode opens a PFX, DER or BER, with any of the algorithms of [Encoding] and
// some more: AES of 128, 192 and 256 bits and 3DES under PBES2, RC2 of 128
// bits, 3DES of two keys, HMACs with SHA-1, SHA-224, SHA-256, SHA-384 and
// SHA-512. It reads an empty password in both of the forms in which files have
// it, and passwords outside ASCII, emoji included.
//
// Certificate is the one that belongs to the key, wherever in the file it is.
// FriendlyName is the key's or, without one, that certificate's. Chain is put in
// order by names and key identifiers; signatures are not checked. The remaining
// certificates are returned in Others. Nothing is checked that [Encoder.Encode] or
// a verifier would check. A certificate that occurs twice is returned once, and so
// is a key. A certificate that crypto/x509 refuses is returned with its names
// ([example.com/entracba/cba.Refused] says why), so that one such CA does not hide
// the others. Zeros behind the file, as Windows writes them, are passed over.
//
// The data may come from anyone: size, entries and work are limited before they
// cost anything. The error is an [*Error] with reason [WrongPassword],
// [NotSupported] (RC4, Camellia, scrypt, public-key encryption, more than one
// key), [Malformed], [TooCostly], [KeyMismatch] (no key, or no certificate for
// it) or [FIPSOnly]. The Bundle is empty then.
func (d Decoder) Decode(data []byte, password string) (Bundle, error) {
	o, entries, err := d.open(data, password)
	if err != nil {
		return Bundle{}, err
	}
	return o.bundle(entries)
}

// Certificates opens a file without a private key, as "openssl pkcs12 -export -nokeys" and
// keytool write it, within the default limits. It returns each certificate once, in the
// order of the file; who issued whom, and which is the user's, is not looked at.
//
// The error is that of [Decode], and of reason [KeyMismatch] for a file with a private key,
// whose certificate Decode finds, or without a certificate.
func Certificates(data []byte, password string) ([]*x509.Certificate, error) {
	_, entries, err := Decoder{}.open(data, password)
	if err != nil {
		return nil, err
	}
	var list []*x509.Certificate
	for _, e := range entries {
		if e.kind == keyBag || e.kind == shroudedBag {
			return nil, fail(KeyMismatch, "the file contains a private key, not certificates alone")
		}
		c, err := e.parsed()
		if err != nil {
			return nil, err
		}
		if c != nil && !slices.ContainsFunc(list, c.Equal) {
			list = append(list, c)
		}
	}
	if len(list) == 0 {
		return nil, fail(KeyMismatch, "the file contains neither a certificate nor a private key")
	}
	return list, nil
}

// open proves the password and decrypts everything but the key.
func (d Decoder) open(data []byte, password string) (*opener, []bag, error) {
	if d.MaxBytes == 0 {
		d.MaxBytes = defaultMaxBytes
	}
	if d.MaxIterations == 0 {
		d.MaxIterations = defaultMaxDecode
	}
	if len(data) > d.MaxBytes {
		return nil, nil, fail(TooCostly, "the file has %d bytes, more than %d", len(data), d.MaxBytes)
	}
	if !utf8.ValidString(password) {
		return nil, nil, fail(WrongPassword, "it is not valid UTF-8, so no file can have it")
	}
	f, err := parseFile(data)
	if err != nil {
		return nil, nil, err
	}
	o := &opener{pw: newSecret(password), budget: budget{int64(d.MaxIterations), int64(d.MaxIterations)}}
	if err := o.checkMAC(f, d.InsecureAllowNoMAC); err != nil {
		return nil, nil, err
	}
	entries, err := o.entries(f)
	if err != nil {
		return nil, nil, err
	}
	return o, entries, nil
}

// Reencode opens a file with its password and writes its contents, friendly
// name included, in another encoding under a new password, which may be the
// same.
//
// The error is that of [Decode] or of [Encoding.Encode].
func Reencode(data []byte, password string, to Encoding, newPassword string) ([]byte, error) {
	b, err := Decode(data, password)
	if err != nil {
		return nil, err
	}
	return to.Encode(b, newPassword)
}

// An opener opens one file.
type opener struct {
	pw      secret
	budget  budget
	padding Reason // what a failing decryption means
}

// checkMAC proves the password and the file, if the file lets it.
func (o *opener) checkMAC(f *file, insecureAllowNoMAC bool) error {
	if f.mac == nil {
		if o.pw.utf8 != "" && !f.encrypted() {
			return fail(WrongPassword, "the file has no password")
		}
		if o.pw.utf8 != "" && !insecureAllowNoMAC {
			return fail(NotSupported, "a file with a password but without a MAC: changes would go unnoticed (see Decoder.InsecureAllowNoMAC)")
		}
		o.padding = WrongPassword
		return nil
	}
	o.padding = Malformed
	if f.mac.hmac != 0 && f.mac.iterations < 1 {
		return fail(Malformed, "an iteration count below 1")
	}
	for {
		if err := o.budget.spend(f.mac.kdf, o.pw); err != nil {
			return err
		}
		sum, err := f.mac.sum(f.authSafe, o.pw)
		if err != nil {
			return err
		}
		if hmac.Equal(sum, f.mac.digest) {
			return nil
		}
		// Two forms of the empty password are in use: with a final zero
		// (OpenSSL, go-pkcs12) and without (Windows, .NET).
		if o.pw.utf8 != "" || len(o.pw.utf16) == 0 {
			return fail(WrongPassword, "the password does not open the file, or the file was changed")
		}
		o.pw.utf16 = nil
	}
}

// decrypt opens one encrypted part. PBKDF2 takes the bytes of the password, and
// which bytes is for the writer to say: where the MAC has proven the password and
// UTF-8 does not open the part, the other encodings are tried that writers use.
func (o *opener) decrypt(s scheme, data []byte) ([]byte, error) {
	plain, err := s.decrypt(data, o.pw, &o.budget, o.padding)
	isList := func(b []byte) bool { return len(b) > 0 && b[0] == byte(asn1.SEQUENCE) }
	var e *Error
	switch {
	case err == nil && isList(plain), !s.pbkdf2, o.padding != Malformed:
		return plain, err
	case errors.As(err, &e) && e.Reason != Malformed:
		return nil, err
	}
	for _, bytes := range o.pw.otherBytes() {
		other := secret{o.pw.utf16, bytes}
		if again, err := s.decrypt(data, other, &o.budget, Malformed); err == nil && isList(again) {
			o.pw = other // the file's other parts are written alike
			return again, nil
		}
	}
	if text.IsASCII(o.pw.utf8) {
		return plain, err
	}
	return nil, fail(NotSupported, "the password is right, as the MAC proves, but its letters outside ASCII were encoded in another way when the file was encrypted: export it again with a password of ASCII letters and digits")
}

// entries decrypts every part and lists what is in them.
func (o *opener) entries(f *file) ([]bag, error) {
	var all []bag
	for _, p := range f.parts {
		contents := p.data
		if p.scheme != nil {
			var err error
			if contents, err = o.decrypt(*p.scheme, p.data); err != nil {
				return nil, err
			}
		}
		bags, _, err := readBags(contents)
		if err != nil {
			return nil, err
		}
		if all = append(all, bags...); len(all) > maxEntries {
			return nil, fail(TooCostly, "more than %d entries", maxEntries)
		}
	}
	return all, nil
}

// parsed reads the certificate of an entry; nil if the entry holds none.
func (e bag) parsed() (*x509.Certificate, error) {
	if e.kind != certBag {
		return nil, nil
	}
	der, ok := e.certificate()
	switch {
	case !ok:
		return nil, fail(Malformed, "a certificate entry cannot be read")
	case der == nil:
		return nil, nil
	}
	c, err := certs.Parse(der)
	if err != nil {
		return nil, &Error{Reason: Malformed, What: "a certificate cannot be read", Err: err}
	}
	return c, nil
}

// bundle makes the entries into a Bundle.
func (o *opener) bundle(entries []bag) (Bundle, error) {
	var found []*x509.Certificate
	var keys []bag
	localKeyIDs := make(map[*x509.Certificate][]byte)
	names := make(map[*x509.Certificate]string)
	for _, e := range entries {
		switch e.kind {
		case keyBag, shroudedBag:
			keys = append(keys, e)
		case certBag:
			c, err := e.parsed()
			if err != nil {
				return Bundle{}, err
			}
			if c != nil {
				localKeyIDs[c], names[c] = e.localKeyID, e.name
				found = append(found, c)
			}
		}
	}
	if len(keys) == 0 {
		return Bundle{}, fail(KeyMismatch, "the file contains no private key, only certificates (%d)", len(found))
	}
	var b Bundle
	var link []byte // the file's own from the key to its certificate
	for i, e := range keys {
		key, err := o.key(e)
		switch {
		case err != nil:
			return Bundle{}, err
		case i > 0 && !sameKey(key, b.Key):
			return Bundle{}, fail(NotSupported, "the file contains %d private keys; only one is supported", len(keys))
		}
		b.Key = key
		if b.FriendlyName == "" {
			b.FriendlyName = e.name
		}
		if link == nil {
			link = e.localKeyID
		}
	}

	// Of several certificates for the key, as after a renewal, the file's own
	// link decides, and then the order.
	for _, c := range found {
		if fits(b.Key, c) && (b.Certificate == nil ||
			!bytes.Equal(localKeyIDs[b.Certificate], link) && bytes.Equal(localKeyIDs[c], link)) {
			b.Certificate = c
		}
	}
	if b.Certificate == nil {
		return Bundle{}, fail(KeyMismatch, "the file contains no certificate for its private key (certificates: %d)", len(found))
	}
	if b.FriendlyName == "" {
		b.FriendlyName = names[b.Certificate]
	}
	b.Chain, b.Others = order(b.Certificate, found)
	return b, nil
}

// order finds the issuers of leaf among the certificates.
func order(leaf *x509.Certificate, certs []*x509.Certificate) (chain, others []*x509.Certificate) {
	for i, c := range certs {
		again := c.Equal(leaf)
		for _, before := range certs[:i] {
			again = again || c.Equal(before)
		}
		if !again {
			others = append(others, c)
		}
	}
next:
	for child := leaf; !bytes.Equal(child.RawIssuer, child.RawSubject); {
		for i, c := range others {
			if maybeIssued(c, child) {
				chain, others = append(chain, c), append(others[:i:i], others[i+1:]...)
				child = c
				continue next
			}
		}
		break
	}
	return chain, others
}

// key opens a key entry. No cause is reported from inside a decrypted key.
func (o *opener) key(e bag) (crypto.Signer, error) {
	der := []byte(e.value)
	if e.kind == shroudedBag {
		s, data, ok := e.shrouded()
		if !ok {
			return nil, fail(Malformed, "the entry of the private key cannot be read")
		}
		var err error
		if der, err = o.decrypt(s, data); err != nil {
			return nil, err
		}
	}
	if len(der) > maxKeyBytes {
		return nil, fail(TooCostly, "the private key has %d bytes", len(der))
	}
	// Some writers pad or append attributes in BER, so take the DER of it.
	if fixed, ok := toDER(der); ok {
		der = fixed
	}
	var info cryptobyte.String
	s := cryptobyte.String(der)
	if !s.ReadASN1(&info, asn1.SEQUENCE) || !info.SkipASN1(asn1.INTEGER) {
		return nil, fail(Malformed, "the private key is not PKCS#8")
	}
	oid, _, ok := readAlgorithm(&info)
	if !ok {
		return nil, fail(Malformed, "the private key is not PKCS#8")
	}
	switch oid {
	case "1.2.840.113549.1.1.1", "1.2.840.10045.2.1", "1.3.101.112": // RSA, EC, Ed25519
	case oidOAEP, oidPSS: // an RSA key that its algorithm restricts
		var inner []byte
		if !info.ReadASN1Bytes(&inner, asn1.OCTET_STRING) {
			return nil, fail(Malformed, "the private key is not PKCS#8")
		}
		key, err := x509.ParsePKCS1PrivateKey(inner)
		if err != nil {
			return nil, fail(Malformed, "the private key of algorithm %s cannot be read", oid)
		}
		return key, nil
	default:
		return nil, fail(NotSupported, "a private key of algorithm %s", oid)
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	signer, ok := key.(crypto.Signer)
	if err != nil || !ok {
		return nil, fail(Malformed, "the private key of algorithm %s cannot be read", oid)
	}
	return signer, nil
}
