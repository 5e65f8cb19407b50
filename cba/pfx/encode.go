package pfx

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/fips140"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"

	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/internal/fips"
	"example.com/entracba/cba/internal/signed"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// MaxIterations is the highest number of iterations that [Encoder] writes: the
// most that the loader of .NET 9 accepts by default (Pkcs12LoaderLimits).
const MaxIterations = 300_000

// defaultIterations is what OpenSSL and Windows write.
const defaultIterations = 2048

// maxNameLength is the upper bound of a friendlyName, RFC 2985 appendix A
// (pkcs-9-ub-friendlyName).
const maxNameLength = 255

// maxRSABits bounds the keys with which signatures are checked; larger ones
// would make checking a matter of minutes. Entra CAs have at most 4,096.
const maxRSABits = 8192

// A Bundle is the content of a PFX: one user's key and certificates.
type Bundle struct {
	// Key is the private key: a *rsa.PrivateKey, *ecdsa.PrivateKey or
	// ed25519.PrivateKey. A key that cannot be exported, such as one in an HSM,
	// cannot be put into a file. It is never part of text or JSON.
	Key crypto.Signer `json:"-"`
	// Certificate is the certificate for Key.
	Certificate *x509.Certificate
	// Chain starts with the issuer of Certificate; each next certificate issued
	// the one before it. It may include the root or end earlier, and may be empty.
	Chain []*x509.Certificate
	// Proof is that of a cba.Result, which saves verifying the signatures of Chain
	// once more. It is of use for the certificates that were issued there and for no
	// others, and may be left out.
	Proof signed.Proof `json:"-"`
	// Others are further certificates, such as cross-certificates. How they relate
	// to the rest is not checked. Most bundles have none.
	Others []*x509.Certificate
	// FriendlyName is the label of the key that Windows, keychains and Java
	// ("alias") show. It may be empty, has up to 255 characters, none beyond
	// U+FFFF and no control characters. Java makes it lower-case.
	FriendlyName string
}

// Format writes what the bundle contains, without the key, for every verb.
func (b Bundle) Format(s fmt.State, verb rune) {
	subject := "no certificate"
	if b.Certificate != nil {
		subject = fmt.Sprintf("certificate of %q", dn.Show(b.Certificate.RawSubject))
	}
	key := "no key"
	switch b.Key.(type) {
	case nil:
	case *rsa.PrivateKey:
		key = "RSA key"
	case *ecdsa.PrivateKey:
		key = "ECDSA key"
	case ed25519.PrivateKey:
		key = "Ed25519 key"
	default:
		key = "key"
	}
	fmt.Fprintf(s, "{%s, %s, chain of %d}", key, subject, len(b.Chain))
}

// An Encoder writes PFX files. Encoding is required, every other field is optional;
// [Encoding.Encode] is the short form without options.
type Encoder struct {
	Encoding Encoding

	// Iterations of key derivation, for encryption and MAC: 2,048 to
	// [MaxIterations]. Zero means 2,048. More iterations help a guessable password
	// only a little and cost every reader time; a random password
	// ([GeneratePassword]) helps far more.
	Iterations int

	// AllowNonASCIIPassword accepts a password with characters beyond ASCII,
	// up to U+FFFF. The Java keytool refuses such files, and wolfSSL, Mono and
	// others derive a different password from it.
	AllowNonASCIIPassword bool

	// InsecureAllowEmptyPassword accepts an empty password: anyone who has the
	// file has the key. No such file opens on both macOS and iOS, and
	// BouncyCastle refuses it with AES.
	InsecureAllowEmptyPassword bool
}

// Encode is the short form of [Encoder.Encode] with no options.
func (e Encoding) Encode(b Bundle, password string) ([]byte, error) {
	return Encoder{Encoding: e}.Encode(b, password)
}

// Encode returns the DER of a PFX with the contents of b, encrypted with
// password.
//
// It checks that the certificate belongs to the key, that each certificate of the
// chain issued the one before it (by name, by key identifiers if there are any, and
// by signature unless Go no longer verifies its algorithm), that no certificate
// occurs twice (Windows would lose the key), and that the password is printable
// ASCII and not empty. It does not check dates, usages or trust.
//
// The error is an [*Error] with reason [KeyMismatch], [BadChain], [BadPassword],
// [BadOption], [NotSupported] for a key that is not in memory, or [FIPSOnly]: under
// GODEBUG=fips140=only nothing can be written, because a PFX links its key and its
// certificate by a SHA-1.
func (e Encoder) Encode(b Bundle, password string) ([]byte, error) {
	if fips140.Enforced() {
		return nil, fail(FIPSOnly, "a PFX needs SHA-1, if only to name its key")
	}
	iterations := e.Iterations
	if iterations == 0 {
		iterations = defaultIterations
	}
	if iterations < defaultIterations || iterations > MaxIterations {
		return nil, fail(BadOption, "%d iterations: use 2048 to %d", e.Iterations, MaxIterations)
	}
	recipe, ok := e.Encoding.recipe()
	if !ok {
		return nil, fail(BadOption, "choose an encoding: Compatible or Modern")
	}
	if err := e.checkPassword(password); err != nil {
		return nil, err
	}
	if err := b.check(); err != nil {
		return nil, err
	}
	w := writer{recipe, iterations, newSecret(password), rand.Read}
	return w.write(b)
}

func (b Bundle) check() error {
	switch k := b.Key.(type) {
	case nil:
		return fail(KeyMismatch, "there is no private key")
	case *rsa.PrivateKey:
		if k == nil || k.N == nil || k.D == nil || len(k.Primes) < 2 {
			return fail(KeyMismatch, "the RSA key is missing or incomplete")
		}
	case *ecdsa.PrivateKey:
		//lint:ignore SA1019 only asks whether there is one: PrivateKey.Bytes panics if not
		if k == nil || k.Curve == nil || k.X == nil || k.Y == nil || k.D == nil {
			return fail(KeyMismatch, "the ECDSA key is missing or incomplete")
		}
	case ed25519.PrivateKey:
		if len(k) != ed25519.PrivateKeySize {
			return fail(KeyMismatch, "the Ed25519 key is incomplete")
		}
	default:
		return fail(NotSupported, "a key of type %T cannot be put into a file", b.Key)
	}
	if b.Certificate == nil {
		return fail(KeyMismatch, "there is no certificate")
	}
	if !fits(b.Key, b.Certificate) {
		return fail(KeyMismatch, "the certificate of %q is for another key", dn.Show(b.Certificate.RawSubject))
	}
	seen := []*x509.Certificate{b.Certificate}
	for i, c := range append(b.Chain[:len(b.Chain):len(b.Chain)], b.Others...) {
		if c == nil {
			return fail(BadChain, "certificate %d after the user's certificate is nil", i+1)
		}
		if c.Equal(b.Certificate) {
			return fail(BadChain, "certificate %d after the user's certificate is the user's certificate again: leave it out", i+1)
		}
		for _, s := range seen {
			if c.Equal(s) {
				return fail(BadChain, "the certificate of %q is in the file twice", dn.Show(c.RawSubject))
			}
		}
		seen = append(seen, c)
	}
	proven := b.Proof.Covers(b.Certificate, b.Chain)
	child := b.Certificate
	for i, parent := range b.Chain {
		if !maybeIssued(parent, child) {
			return fail(BadChain, "certificate %d, of %q, is not the issuer of the one before it, of %q", i+1, dn.Show(parent.RawSubject), dn.Show(child.RawSubject))
		}
		if proven { // names and key identifiers cost nothing, and are looked at
			child = parent
			continue
		}
		if err := verifies(parent, child); err != nil {
			bad := fail(BadChain, "certificate %d, of %q, did not sign the one before it, of %q", i+1, dn.Show(parent.RawSubject), dn.Show(child.RawSubject))
			bad.Err = err
			return bad
		}
		child = parent
	}
	for i, r := range b.FriendlyName {
		if unicode.IsControl(r) || r > 0xffff {
			return fail(BadOption, "the friendly name must not contain the character at byte %d", i)
		}
	}
	if !utf8.ValidString(b.FriendlyName) || utf8.RuneCountInString(b.FriendlyName) > maxNameLength {
		return fail(BadOption, "the friendly name is not valid UTF-8 or longer than %d characters", maxNameLength)
	}
	return nil
}

// fits reports whether the certificate is for the key.
func fits(key crypto.Signer, c *x509.Certificate) bool {
	public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	switch {
	case !ok:
		return false
	case c.PublicKey != nil:
		return public.Equal(c.PublicKey)
	}
	// A key for OAEP or PSS alone, of which crypto/x509 reads no key, or a
	// certificate that it refuses.
	if other, err := x509.ParsePKIXPublicKey(c.RawSubjectPublicKeyInfo); err == nil {
		return public.Equal(other)
	}
	rsaKey, ok := key.Public().(*rsa.PublicKey)
	var info, algorithm cryptobyte.String
	var bits []byte
	input := cryptobyte.String(c.RawSubjectPublicKeyInfo)
	return ok && input.ReadASN1(&info, asn1.SEQUENCE) && info.ReadASN1(&algorithm, asn1.SEQUENCE) &&
		info.ReadASN1BitStringAsBytes(&bits) && bytes.Equal(bits, x509.MarshalPKCS1PublicKey(rsaKey))
}

// sameKey reports whether two private keys are one.
func sameKey(a, b crypto.Signer) bool {
	public, ok := a.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(b.Public())
}

// maybeIssued reports whether names and key identifiers admit that parent
// issued child. It costs nothing, so that it is safe on hostile input.
func maybeIssued(parent, child *x509.Certificate) bool {
	return bytes.Equal(parent.RawSubject, child.RawIssuer) &&
		(len(parent.SubjectKeyId) == 0 || len(child.AuthorityKeyId) == 0 || bytes.Equal(parent.SubjectKeyId, child.AuthorityKeyId))
}

// verifies checks the signature of parent on child. Signatures that Go does not
// verify any more, such as SHA-1, pass: an old CA is not a broken chain.
func verifies(parent, child *x509.Certificate) error {
	if k, ok := parent.PublicKey.(*rsa.PublicKey); ok && (k.N == nil || k.N.BitLen() > maxRSABits) {
		return fmt.Errorf("its RSA key is incomplete or has more than %d bits", maxRSABits)
	}
	if !fips.MayVerify(parent.PublicKey, child.SignatureAlgorithm) {
		return nil
	}
	err := parent.CheckSignature(child.SignatureAlgorithm, child.RawTBSCertificate, child.Signature)
	var insecure x509.InsecureAlgorithmError
	if errors.As(err, &insecure) || errors.Is(err, x509.ErrUnsupportedAlgorithm) {
		return nil
	}
	return err
}
