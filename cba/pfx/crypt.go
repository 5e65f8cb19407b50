package pfx

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/fips140"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	_ "crypto/sha512" // a file may name it
	encoding_asn1 "encoding/asn1"
	"encoding/binary"
	"math"
	"math/big"
	"slices"
	"strings"

	"example.com/entracba/cba/internal/text"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// A secret is a password in the two forms that PKCS#12 uses: the PKCS#12 key
// derivation takes UTF-16 with a final zero (RFC 7292 appendix B.1), PBKDF2
// takes UTF-8 (RFC 9579 section 4, and what Windows and OpenSSL do).
type secret struct {
	utf16 []byte
	utf8  string
}

func newSecret(password string) secret {
	return secret{append(text.AppendUTF16(nil, password, binary.BigEndian), 0, 0), password}
}

// otherBytes are what some writers give to PBKDF2 in place of UTF-8: the UTF-16 of
// the PKCS#12 derivation, little-endian UTF-16, and Latin-1.
func (s secret) otherBytes() []string {
	if s.utf8 == "" {
		return nil
	}
	big := string(text.AppendUTF16(nil, s.utf8, binary.BigEndian))
	others := []string{big + "\x00\x00", big, string(text.AppendUTF16(nil, s.utf8, binary.LittleEndian))}
	if text.IsASCII(s.utf8) {
		return others
	}
	var latin []byte
	for _, r := range s.utf8 {
		if r > 0xff {
			return others
		}
		latin = append(latin, byte(r))
	}
	return append(others, string(latin))
}

// A budget is what is left of Decoder.MaxIterations.
type budget struct{ left, limit int64 }

// spend takes the cost of one key derivation, before it is done.
func (b *budget) spend(k kdf, s secret) error {
	// Long salts and passwords are hashed once more for each derivation.
	cost := k.iterations + int64(len(k.salt)+len(s.utf16))/64
	if k.iterations > b.left || cost > b.left {
		return fail(TooCostly, "the file needs %d iterations of key derivation; %d of %d are left", k.iterations, b.left, b.limit)
	}
	b.left -= cost
	return nil
}

// A kdf derives keys from a password, as a file asks for it.
type kdf struct {
	name       string
	hash       crypto.Hash // of the PKCS#12 derivation, or PBKDF2's PRF
	pbkdf2     bool
	salt       []byte
	iterations int64
	keyLength  int // as stated in PBKDF2 parameters; 0 if not stated
}

// Purposes of a derivation, RFC 7292 appendix B.3.
const (
	forKey = 1
	forIV  = 2
	forMAC = 3
)

func (k kdf) derive(s secret, purpose byte, size int) ([]byte, error) {
	if !k.pbkdf2 {
		return pkcs12KDF(k.hash, purpose, s.utf16, k.salt, k.iterations, size), nil
	}
	key, err := pbkdf2.Key(k.hash.New, s.utf8, k.salt, int(k.iterations), size)
	if err != nil { // only in fips140=only mode: salt too short
		return nil, &Error{Reason: FIPSOnly, Err: err}
	}
	return key, nil
}

// pkcs12KDF is the derivation of RFC 7292 appendix B.2.
func pkcs12KDF(h crypto.Hash, purpose byte, password, salt []byte, iterations int64, size int) []byte {
	hash := h.New()
	v := hash.BlockSize()
	diversifier := bytes.Repeat([]byte{purpose}, v)
	input := append(fill(salt, v), fill(password, v)...)
	var out, a []byte
	for {
		hash.Reset()
		hash.Write(diversifier)
		hash.Write(input)
		a = hash.Sum(a[:0])
		switch h { // the two that are written: all the time of a file goes here
		case crypto.SHA1:
			sum := [sha1.Size]byte(a)
			for range iterations - 1 {
				sum = sha1.Sum(sum[:])
			}
			copy(a, sum[:])
		case crypto.SHA256:
			sum := [sha256.Size]byte(a)
			for range iterations - 1 {
				sum = sha256.Sum256(sum[:])
			}
			copy(a, sum[:])
		default:
			for range iterations - 1 {
				hash.Reset()
				hash.Write(a)
				a = hash.Sum(a[:0])
			}
		}
		out = append(out, a...)
		if len(out) >= size {
			return out[:size]
		}
		// Add B+1 to every block of the input, as big-endian numbers.
		b := fill(a, v)
		for block := input; len(block) > 0; block = block[v:] {
			carry := uint(1)
			for i := v - 1; i >= 0; i-- {
				carry += uint(block[i]) + uint(b[i])
				block[i] = byte(carry)
				carry >>= 8
			}
		}
	}
}

// fill repeats b up to the next multiple of v bytes; nothing stays nothing.
func fill(b []byte, v int) []byte {
	n := (len(b) + v - 1) / v * v
	out := make([]byte, 0, n)
	for len(out) < n {
		out = append(out, b[:min(len(b), n-len(out))]...)
	}
	return out
}

// A scheme is how one part of a file is encrypted. Unknown ones have only a
// name; they can be inspected and not opened.
type scheme struct {
	kdf
	family Encoding // whose readers read it; 0 if not known
	cipher func(key []byte) (cipher.Block, error)
	size   int    // of the key
	iv     []byte // nil if it is derived too
	legacy bool   // not allowed by fips140=only
}

// decrypt opens what was encrypted under the scheme. Wrong padding is the reason
// given: the caller knows whether the password is proven.
func (s scheme) decrypt(data []byte, pw secret, b *budget, padding Reason) ([]byte, error) {
	if s.cipher == nil {
		return nil, fail(NotSupported, "encryption with %s", s.name)
	}
	if s.legacy && fips140.Enforced() {
		return nil, fail(FIPSOnly, "the file is encrypted with %s", s.name)
	}
	if s.iterations < 1 {
		return nil, fail(Malformed, "an iteration count below 1")
	}
	if err := b.spend(s.kdf, pw); err != nil {
		return nil, err
	}
	block, iv, err := s.keyed(pw)
	if err != nil {
		return nil, err
	}
	n := block.BlockSize()
	if len(iv) != n || len(data) == 0 || len(data)%n != 0 {
		return nil, fail(Malformed, "encrypted data or its initial vector has a wrong length")
	}
	plain := make([]byte, len(data))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, data)
	pad := int(plain[len(plain)-1])
	if pad < 1 || pad > n || !bytes.Equal(plain[len(plain)-pad:], bytes.Repeat([]byte{byte(pad)}, pad)) {
		return nil, fail(padding, "decryption gives no valid data")
	}
	return plain[:len(plain)-pad], nil
}

// encrypt is the inverse of decrypt.
func (s scheme) encrypt(plain []byte, pw secret) ([]byte, error) {
	if s.cipher == nil {
		return nil, fail(NotSupported, "encryption with %s", s.name)
	}
	block, iv, err := s.keyed(pw)
	if err != nil {
		return nil, err
	}
	pad := block.BlockSize() - len(plain)%block.BlockSize()
	data := slices.Concat(plain, bytes.Repeat([]byte{byte(pad)}, pad))
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(data, data)
	return data, nil
}

// keyed derives the key and, if the file does not state it, the initial vector.
func (s scheme) keyed(pw secret) (block cipher.Block, iv []byte, err error) {
	key, err := s.derive(pw, forKey, s.size)
	if err != nil {
		return nil, nil, err
	}
	if block, err = s.cipher(key); err != nil {
		return nil, nil, fail(NotSupported, "encryption with %s", s.name)
	}
	if iv = s.iv; iv == nil {
		iv, err = s.derive(pw, forIV, block.BlockSize())
	}
	return block, iv, err
}

// A mac is the check sum over a whole file.
type mac struct {
	kdf
	family  Encoding
	hmac    crypto.Hash // 0 if not known
	keySize int
	digest  []byte
}

// sum is the MAC of message. It does not look at m.digest.
func (m mac) sum(message []byte, pw secret) ([]byte, error) {
	if m.hmac == 0 {
		return nil, fail(NotSupported, "a MAC with %s", m.name)
	}
	if fips140.Enforced() && (m.hmac == crypto.SHA1 || m.hash == crypto.SHA1) {
		return nil, fail(FIPSOnly, "the MAC of the file is %s", m.name)
	}
	key, err := m.derive(pw, forMAC, m.keySize)
	if err != nil {
		return nil, err
	}
	h := hmac.New(m.hmac.New, key)
	h.Write(message)
	return h.Sum(nil), nil
}

// readOID reads an object identifier as text.
func readOID(s *cryptobyte.String) (string, bool) {
	var oid encoding_asn1.ObjectIdentifier
	if !s.ReadASN1ObjectIdentifier(&oid) {
		return "", false
	}
	return oid.String(), true
}

// readAlgorithm reads an AlgorithmIdentifier.
func readAlgorithm(s *cryptobyte.String) (oid string, params cryptobyte.String, ok bool) {
	var a cryptobyte.String
	if !s.ReadASN1(&a, asn1.SEQUENCE) {
		return "", nil, false
	}
	oid, ok = readOID(&a)
	return oid, a, ok
}

// readCount reads an iteration count. One beyond 63 bits is as good as the
// largest: no limit admits either.
func readCount(s *cryptobyte.String, n *int64) bool {
	var b big.Int
	if !s.ReadASN1Integer(&b) {
		return false
	}
	switch {
	case b.IsInt64():
		*n = b.Int64()
	case b.Sign() > 0:
		*n = math.MaxInt64
	default:
		*n = -1
	}
	return true
}

// readScheme reads the AlgorithmIdentifier of an encryption.
func readScheme(s *cryptobyte.String) (scheme, bool) {
	oid, p, ok := readAlgorithm(s)
	if !ok {
		return scheme{}, false
	}
	var c scheme
	switch oid { // RFC 7292 appendix C
	case oid3DES:
		c = scheme{kdf: kdf{name: "3DES"}, family: Compatible, cipher: des.NewTripleDESCipher, size: 24}
	case "1.2.840.113549.1.12.1.4":
		c = scheme{kdf: kdf{name: "3DES with two keys"}, cipher: twoKeyDES, size: 16}
	case "1.2.840.113549.1.12.1.5":
		c = scheme{kdf: kdf{name: "RC2 with 128 bits"}, family: RC2, cipher: newRC2, size: 16}
	case oidRC2:
		c = scheme{kdf: kdf{name: "RC2 with 40 bits"}, family: RC2, cipher: newRC2, size: 5}
	case oidPBES2:
		return readPBES2(p)
	case "1.2.840.113549.1.12.1.1", "1.2.840.113549.1.12.1.2":
		return scheme{kdf: kdf{name: "RC4"}}, true
	default:
		return scheme{kdf: kdf{name: "algorithm " + oid}}, true
	}
	c.name += " (PBE-SHA1)"
	c.hash, c.legacy = crypto.SHA1, true
	var params cryptobyte.String
	ok = p.ReadASN1(&params, asn1.SEQUENCE) &&
		params.ReadASN1Bytes(&c.salt, asn1.OCTET_STRING) && readCount(&params, &c.iterations)
	return c, ok
}

func twoKeyDES(key []byte) (cipher.Block, error) {
	return des.NewTripleDESCipher(append(key[:16:16], key[:8]...))
}

// readPBES2 reads the parameters of PBES2, RFC 8018 appendix A.4.
func readPBES2(p cryptobyte.String) (scheme, bool) {
	var params cryptobyte.String
	if !p.ReadASN1(&params, asn1.SEQUENCE) {
		return scheme{}, false
	}
	k, ok := readPBKDF2(&params)
	if !ok {
		return scheme{}, false
	}
	oid, iv, ok := readAlgorithm(&params)
	if !ok {
		return scheme{}, false
	}
	c := scheme{kdf: k, family: Modern, cipher: aes.NewCipher}
	name := ""
	switch oid {
	case "2.16.840.1.101.3.4.1.2":
		name, c.size = "AES-128", 16
	case "2.16.840.1.101.3.4.1.22":
		name, c.size = "AES-192", 24
	case oidAES256:
		name, c.size = "AES-256", 32
	case "1.2.840.113549.3.7":
		name, c.size, c.family, c.cipher, c.legacy = "3DES", 24, 0, des.NewTripleDESCipher, true
	default:
		return scheme{kdf: kdf{name: "PBES2 algorithm " + oid, iterations: k.iterations}}, true
	}
	c.name = name + " (PBES2, " + k.name + ")"
	if c.hash == 0 {
		c.cipher, c.family = nil, 0
		return c, true
	}
	c.legacy = c.legacy || c.hash == crypto.SHA1
	if c.keyLength != 0 && c.keyLength != c.size {
		return c, false
	}
	ok = iv.ReadASN1Bytes(&c.iv, asn1.OCTET_STRING)
	return c, ok
}

// readPBKDF2 reads a key derivation function, RFC 8018 appendix A.2. One that is
// not PBKDF2 with an HMAC that this package knows has only a name.
func readPBKDF2(s *cryptobyte.String) (kdf, bool) {
	oid, p, ok := readAlgorithm(s)
	if !ok {
		return kdf{}, false
	}
	if oid != oidPBKDF2 {
		return kdf{name: "key derivation " + oid}, true
	}
	k := kdf{pbkdf2: true, hash: crypto.SHA1}
	var params cryptobyte.String
	if !p.ReadASN1(&params, asn1.SEQUENCE) || !params.ReadASN1Bytes(&k.salt, asn1.OCTET_STRING) || !readCount(&params, &k.iterations) {
		return kdf{}, false
	}
	if params.PeekASN1Tag(asn1.INTEGER) && !params.ReadASN1Integer(&k.keyLength) {
		return kdf{}, false
	}
	if !params.Empty() {
		prf, _, ok := readAlgorithm(&params)
		if !ok {
			return kdf{}, false
		}
		k.hash = hmacHash(prf)
		if k.hash == 0 {
			k.name = "PBKDF2 with " + prf
			return k, true
		}
	}
	k.name = "PBKDF2-HMAC-" + hashName(k.hash)
	return k, true
}

// hashName is the name as the documents of this field write it: SHA256.
func hashName(h crypto.Hash) string { return strings.Replace(h.String(), "-", "", 1) }

// hmacHash returns the hash of an HMAC, RFC 8018 appendix B.1.
func hmacHash(oid string) crypto.Hash {
	switch oid {
	case "1.2.840.113549.2.7":
		return crypto.SHA1
	case "1.2.840.113549.2.8":
		return crypto.SHA224
	case oidHMACSHA256:
		return crypto.SHA256
	case "1.2.840.113549.2.10":
		return crypto.SHA384
	case "1.2.840.113549.2.11":
		return crypto.SHA512
	}
	return 0
}

// readMAC reads MacData, RFC 7292 section 4.
func readMAC(s *cryptobyte.String) (mac, bool) {
	var data, digestInfo cryptobyte.String
	if !s.ReadASN1(&data, asn1.SEQUENCE) || !data.ReadASN1(&digestInfo, asn1.SEQUENCE) {
		return mac{}, false
	}
	oid, params, ok := readAlgorithm(&digestInfo)
	var m mac
	if !ok || !digestInfo.ReadASN1Bytes(&m.digest, asn1.OCTET_STRING) {
		return mac{}, false
	}
	switch oid {
	case oidSHA1:
		m.hmac, m.family = crypto.SHA1, Compatible
	case "2.16.840.1.101.3.4.2.4":
		m.hmac = crypto.SHA224
	case oidSHA256:
		m.hmac, m.family = crypto.SHA256, Modern
	case "2.16.840.1.101.3.4.2.2":
		m.hmac = crypto.SHA384
	case "2.16.840.1.101.3.4.2.3":
		m.hmac = crypto.SHA512
	case oidPBMAC1:
		return readPBMAC1(params, m.digest)
	default:
		m.name = "algorithm " + oid
		return m, true
	}
	m.name, m.hash, m.keySize, m.iterations = "HMAC-"+hashName(m.hmac), m.hmac, m.hmac.Size(), 1
	if !data.ReadASN1Bytes(&m.salt, asn1.OCTET_STRING) {
		return mac{}, false
	}
	if !data.Empty() && !readCount(&data, &m.iterations) { // DEFAULT 1
		return mac{}, false
	}
	return m, true
}

// readPBMAC1 reads the parameters of PBMAC1, RFC 9579 section 4. The salt and
// the count of MacData itself mean nothing then.
func readPBMAC1(p cryptobyte.String, digest []byte) (mac, bool) {
	var params cryptobyte.String
	if !p.ReadASN1(&params, asn1.SEQUENCE) {
		return mac{}, false
	}
	k, ok := readPBKDF2(&params)
	if !ok {
		return mac{}, false
	}
	oid, _, ok := readAlgorithm(&params)
	if !ok {
		return mac{}, false
	}
	m := mac{kdf: k, family: PBMAC1, digest: digest, keySize: k.keyLength}
	h := hmacHash(oid)
	if h == 0 || k.hash == 0 {
		m.name, m.family = "PBMAC1 with "+oid+" and "+k.name, 0
		return m, true
	}
	m.hmac, m.name = h, "PBMAC1, HMAC-"+hashName(h)+", "+k.name
	// A short key would let anyone forge the MAC, and the length must be
	// stated: RFC 9579 section 4 and 9 (CVE-2025-11187 and its kin).
	return m, m.keySize >= 20 && m.keySize <= 64
}
