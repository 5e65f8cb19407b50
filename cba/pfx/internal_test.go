package pfx

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"math"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba/internal/der"
	"example.com/entracba/cba/internal/interop"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// RFC 2268 section 5, the vectors whose effective length is that of the key.
func TestRC2(t *testing.T) {
	for _, v := range []struct{ key, plain, cipher string }{
		{"ffffffffffffffff", "ffffffffffffffff", "278b27e42e2f0d49"},
		{"3000000000000000", "1000000000000001", "30649edf9be7d2c2"},
		{"88bca90e90875a7f0f79c384627bafb2", "0000000000000000", "2269552ab0f85ca6"},
	} {
		key, _ := hex.DecodeString(v.key)
		data, _ := hex.DecodeString(v.cipher)
		block, err := newRC2(key)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 8)
		block.Decrypt(got, data)
		if hex.EncodeToString(got) != v.plain {
			t.Errorf("key %s: %x, want %s", v.key, got, v.plain)
		}
		if block.Encrypt(got, got); hex.EncodeToString(got) != v.cipher {
			t.Errorf("key %s: encrypted %x, want %s", v.key, got, v.cipher)
		}
	}
}

func TestToDER(t *testing.T) {
	for _, test := range []struct{ name, in, want string }{
		{"DER stays", "3006020103040101", "3006020103040101"},
		{"indefinite", "30800201030000", "3003020103"},
		{"nested indefinite", "3080308002010300000000", "30053003020103"},
		{"octets in pieces", "2480040101040202030000", "0403010203"},
		{"octets in pieces of pieces", "240b2406040101040102040103", "0403010203"},
		{"long form", "3081050283000001ff", ""}, // the inner length is longer than the data
		{"long form, broken off", "30820300", ""},
		{"long form of a short length", "3081020500", "30020500"},
		{"four length octets", "3084000000020500", "30020500"},
		{"empty", "3000", "3000"},
		{"indefinite primitive", "0480010000", ""},
		{"no end of contents", "3080020103", ""},
		{"rest behind", "3003020103ff", ""},
		{"break off", "30060201", ""},
		{"five length octets", "308500000000020500", ""},
		{"high tag", "3f810100", ""},
		{"one octet", "30", ""},
		{"nothing", "", ""},
		{"pieces that are no octets", "2403020103", ""},
	} {
		in, err := hex.DecodeString(test.in)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := toDER(in)
		if ok != (test.want != "") || ok && hex.EncodeToString(got) != test.want {
			t.Errorf("%s: %x, %v; want %q", test.name, got, ok, test.want)
		}
	}
	for _, levels := range []int{maxDepth, maxDepth + 2, 100_000} {
		deep := append(bytes.Repeat([]byte{0x30, 0x80}, levels), make([]byte, 2*levels)...)
		if _, ok := toDER(deep); ok != (levels <= maxDepth) {
			t.Errorf("%d levels: %v", levels, ok)
		}
	}
	for _, length := range []int{0, 1, 127, 128, 255, 256, 65535, 65536, 1 << 20} {
		var b cryptobyte.Builder
		b.AddASN1OctetString(make([]byte, length))
		der := b.BytesOrPanic()
		if got, ok := toDER(der); !ok || !bytes.Equal(got, der) {
			t.Errorf("a string of %d octets changes", length)
		}
	}
}

// selfSigned is a small bundle.
func selfSigned(t *testing.T) Bundle {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "jane"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return Bundle{Key: key, Certificate: cert}
}

// reason returns the reason of an error.
func reason(err error) Reason {
	var e *Error
	errors.As(err, &e)
	if e == nil {
		return ""
	}
	return e.Reason
}

// hostile makes a file whose MAC is right and whose key entry sits inside the
// encrypted part, where nobody sees it before decrypting, asking for this many
// iterations.
func hostile(t *testing.T, iterations int64) []byte {
	t.Helper()
	der, err := Modern.Encode(selfSigned(t), "secret")
	if err != nil {
		t.Fatal(err)
	}
	f, err := parseFile(der)
	if err != nil {
		t.Fatal(err)
	}
	pw := newSecret("secret")

	// The certificate and key entries in one list, with the key's iteration
	// count replaced. The count that Modern writes is 02 02 08 00.
	o := opener{pw: pw, budget: budget{1e6, 1e6}}
	s := f.parts[0].scheme
	certs, err := s.decrypt(f.parts[0].data, pw, &o.budget, Malformed)
	if err != nil {
		t.Fatal(err)
	}
	list := func(der []byte) []byte {
		s := cryptobyte.String(der)
		s.ReadASN1(&s, asn1.SEQUENCE)
		return s
	}
	var count cryptobyte.Builder
	count.AddASN1Int64(iterations)
	keys := replaceElement(t, list(f.parts[1].data), []byte{2, 2, 8, 0}, count.BytesOrPanic())
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(list(certs)); b.AddBytes(keys) })
	plain := b.BytesOrPanic()

	// Encrypted as the certificates were.
	k, err := s.derive(pw, forKey, s.size)
	if err != nil {
		t.Fatal(err)
	}
	block, err := s.cipher(k)
	if err != nil {
		t.Fatal(err)
	}
	pad := 16 - len(plain)%16
	plain = append(plain, bytes.Repeat([]byte{byte(pad)}, pad)...)
	cipher.NewCBCEncrypter(block, s.iv).CryptBlocks(plain, plain)

	// And all of it around that.
	authSafe := cryptobyte.String(f.authSafe)
	var infos, first cryptobyte.String
	authSafe.ReadASN1(&infos, asn1.SEQUENCE)
	infos.ReadASN1Element(&first, asn1.SEQUENCE)
	var old cryptobyte.Builder
	old.AddASN1(tag0Implicit, func(b *cryptobyte.Builder) { b.AddBytes(f.parts[0].data) })
	var fresh cryptobyte.Builder
	fresh.AddASN1(tag0Implicit, func(b *cryptobyte.Builder) { b.AddBytes(plain) })
	b = cryptobyte.Builder{}
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(replaceElement(t, first, old.BytesOrPanic(), fresh.BytesOrPanic()))
	})
	safe := b.BytesOrPanic()
	sum, err := f.mac.sum(safe, pw)
	if err != nil {
		t.Fatal(err)
	}
	return whole(safe, bytes.Replace(macOf(der), f.mac.digest, sum, 1))
}

// whole puts a file together.
func whole(authSafe, mac []byte) []byte {
	return sequence(integer(3), contentInfo(oidData, octets(authSafe)), mac)
}

// macOf returns the MacData of a file.
func macOf(der cryptobyte.String) []byte {
	der.ReadASN1(&der, asn1.SEQUENCE)
	der.SkipASN1(asn1.INTEGER)
	der.SkipASN1(asn1.SEQUENCE)
	return der
}

// replaceElement replaces one element anywhere within DER, and the lengths
// around it.
func replaceElement(t *testing.T, in, old, new []byte) []byte {
	t.Helper()
	if !bytes.Contains(in, old) {
		t.Fatal("the element to replace is not there")
	}
	var walk func(in cryptobyte.String) []byte
	walk = func(in cryptobyte.String) (out []byte) {
		for !in.Empty() {
			var element, content cryptobyte.String
			var tag asn1.Tag
			if !in.ReadAnyASN1Element(&element, &tag) {
				t.Fatal("no DER")
			}
			switch e := element; {
			case bytes.Equal(element, old):
				out = append(out, new...)
			case tag&0x20 != 0 && e.ReadASN1(&content, tag):
				inner := walk(content)
				out = der.Append(out, byte(tag), inner)
			default:
				out = append(out, element...)
			}
		}
		return out
	}
	return walk(in)
}

// A key inside the encrypted part is found, and its iterations are counted
// before they are done, at every size that a count can have.
func TestIterationsInside(t *testing.T) {
	data := hostile(t, 2048)
	if _, err := Decode(data, "secret"); err != nil {
		t.Fatalf("with 2048 iterations: %v", err)
	}
	for _, n := range []int64{defaultMaxDecode + 1, math.MaxInt32, 1 << 40, math.MaxInt64} {
		start := time.Now()
		_, err := Decode(hostile(t, n), "secret")
		if reason(err) != TooCostly {
			t.Errorf("with %d iterations: %v", n, err)
		}
		if d := time.Since(start); d > 10*time.Second {
			t.Errorf("with %d iterations it took %v", n, d)
		}
	}
	for _, n := range []int64{0, -1, math.MinInt64} {
		_, err := Decode(hostile(t, n), "secret")
		if reason(err) != Malformed {
			t.Errorf("with %d iterations: %v", n, err)
		}
	}
	// The limit counts all derivations together: MAC, part and key.
	if _, err := (Decoder{MaxIterations: 3*2048 + 10}).Decode(data, "secret"); err != nil {
		t.Errorf("with just enough: %v", err)
	}
	if _, err := (Decoder{MaxIterations: 3*2048 - 1}).Decode(data, "secret"); err == nil {
		t.Error("with one less than needed it opens")
	}
}

// The same before the MAC is checked, where nobody has proven anything.
func TestIterationsOutside(t *testing.T) {
	data := hostile(t, 2048)
	old := macOf(data)
	for _, count := range []string{"020500ffffffff", "02060100000000" + "00", "020900ffffffffffffffff", "020a01" + "000000000000000000"} {
		c, err := hex.DecodeString(count)
		if err != nil {
			t.Fatal(err)
		}
		bad := replaceElement(t, data, old, replaceElement(t, old, []byte{2, 2, 8, 0}, c))
		_, err = Decode(bad, "secret")
		if reason(err) != TooCostly {
			t.Errorf("count %s: %v", count, err)
		}
		if in, err := Inspect(bad); err != nil || in.MAC.Iterations < math.MaxInt32 || len(in.Findings) == 0 {
			t.Errorf("count %s: Inspect: %+v, %v", count, in.MAC, err)
		} else {
			for _, r := range in.Readers {
				if r.Target == DotNet5 && r.Reads != NotKnown {
					t.Errorf("count %s: .NET opens it: %v", count, r.Reads)
				}
			}
		}
	}
}

// Two forms of the empty password are in use. Encode writes one; this makes the
// other, as Windows and .NET do.
func TestEmptyPassword(t *testing.T) {
	data, err := Encoder{Encoding: Modern, InsecureAllowEmptyPassword: true}.Encode(selfSigned(t), "")
	if err != nil {
		t.Fatal(err)
	}
	f, err := parseFile(data)
	if err != nil {
		t.Fatal(err)
	}
	sum, err := f.mac.sum(f.authSafe, secret{})
	if err != nil {
		t.Fatal(err)
	}
	windows := bytes.Replace(data, f.mac.digest, sum, 1)
	if bytes.Equal(windows, data) {
		t.Fatal("the two forms are one")
	}
	for _, data := range [][]byte{data, windows} {
		if _, err := Decode(data, ""); err != nil {
			t.Error(err)
		}
		_, err := Decode(data, "x")
		if reason(err) != WrongPassword {
			t.Errorf("with a password: %v", err)
		}
	}
}

// withMAC puts another MacData, or none, into a file.
func withMAC(t *testing.T, data, macData []byte) []byte {
	t.Helper()
	f, err := parseFile(data)
	if err != nil {
		t.Fatal(err)
	}
	return whole(f.authSafe, macData)
}

func TestNoMAC(t *testing.T) {
	for _, e := range []Encoding{Compatible, Modern} {
		data, err := e.Encode(selfSigned(t), "secret")
		if err != nil {
			t.Fatal(err)
		}
		data = withMAC(t, data, nil)
		if _, err := Decode(data, "secret"); reason(err) != NotSupported {
			t.Errorf("%v: %v", e, err)
		}
		if _, err := (Decoder{InsecureAllowNoMAC: true}).Decode(data, "secret"); err != nil {
			t.Errorf("%v, allowed: %v", e, err)
		}
		if _, err := (Decoder{InsecureAllowNoMAC: true}).Decode(data, "Secret"); err == nil {
			t.Errorf("%v, allowed, with a wrong password: it opens", e)
		}
		in, err := Inspect(data)
		if err != nil || in.MAC != nil || in.Encoding != 0 || in.Findings[0].Code != "pfx-no-mac" {
			t.Errorf("%v: Inspect: %+v, %v", e, in, err)
		}
	}
}

// oldWithNewMAC makes a file with 3DES and an HMAC-SHA256, as OpenSSL 3 does
// when it is told to use 3DES and not told to use SHA-1.
func oldWithNewMAC(t *testing.T) []byte {
	t.Helper()
	data, err := Compatible.Encode(selfSigned(t), "secret")
	if err != nil {
		t.Fatal(err)
	}
	f, err := parseFile(data)
	if err != nil {
		t.Fatal(err)
	}
	m := *f.mac
	m.hash, m.hmac, m.keySize = crypto.SHA256, crypto.SHA256, 32
	sum, err := m.sum(f.authSafe, newSecret("secret"))
	if err != nil {
		t.Fatal(err)
	}
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier([]int{2, 16, 840, 1, 101, 3, 4, 2, 1})
			})
			b.AddASN1OctetString(sum)
		})
		b.AddASN1OctetString(m.salt)
		b.AddASN1Int64(m.iterations)
	})
	return withMAC(t, data, b.BytesOrPanic())
}

func TestOldWithNewMAC(t *testing.T) {
	data := oldWithNewMAC(t)
	if _, err := Decode(data, "secret"); err != nil {
		t.Fatal(err)
	}
	in, err := Inspect(data)
	if err != nil {
		t.Fatal(err)
	}
	want := map[Target]Answer{MacOS14: No, Android13: No, OpenSSL30: Yes, Windows11: Yes, WindowsServer2016: NotKnown, IOS16: NotKnown}
	n := 0
	for _, r := range in.Readers {
		if a, ok := want[r.Target]; ok {
			n++
			if r.Reads != a {
				t.Errorf("%v: %v, want %v", r.Target, r.Reads, a)
			}
		}
	}
	if n != len(want) || in.Encoding != 0 || !strings.Contains(in.Advice, "SHA-256 MAC") {
		t.Errorf("%+v", in)
	}
}

// Certificates in the clear beside an encrypted key: who refuses a file without
// any encryption is not known to open it.
func TestHalfEncrypted(t *testing.T) {
	u := uses{mac: Modern, clear: true}
	u.add(Modern)
	for target, want := range map[Target]Answer{MacOS26: NotKnown, MacOS14: No, OpenSSL30: Yes} {
		if got, _ := u.readBy(target, u.encoding(true)); got != want {
			t.Errorf("%v: %v, want %v", target, got, want)
		}
	}
}

// A part encrypted with 3DES is refused under fips140=only even if the MAC of
// the file is allowed.
func TestFIPS140Parts(t *testing.T) {
	const name = "PFX_FIPS_FILE"
	if path := os.Getenv(name); path != "" {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Decode(data, "secret"); reason(err) != FIPSOnly {
			t.Fatalf("%v", err)
		}
		t.Log("refused as it should be")
		return
	}
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, oldWithNewMAC(t), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestFIPS140Parts$", "-test.v")
	cmd.Env = append(os.Environ(), "GODEBUG=fips140=only", name+"="+path)
	if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("refused as it should be")) {
		t.Errorf("%v\n%s", err, out)
	}
}

// What decrypts to anything but whole padding is refused.
func TestPadding(t *testing.T) {
	s := scheme{kdf: kdf{hash: crypto.SHA256, pbkdf2: true, salt: make([]byte, 16), iterations: 1}, cipher: aes.NewCipher, size: 32, iv: make([]byte, 16)}
	pw := newSecret("secret")
	key, err := s.derive(pw, forKey, 32)
	if err != nil {
		t.Fatal(err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		end  string // of two blocks
		want int    // length of what comes out, or -1
	}{
		{"01", 31}, {"0202", 30}, {"10101010101010101010101010101010", 16},
		{"00", -1}, {"0102", -1}, {"030203", -1}, {"11", -1}, {"ff", -1}, {"1111111111111111111111111111111111", -1},
	} {
		data := bytes.Repeat([]byte{7}, 32)
		end, err := hex.DecodeString(test.end)
		if err != nil {
			t.Fatal(err)
		}
		copy(data[32-len(end):], end)
		cipher.NewCBCEncrypter(block, s.iv).CryptBlocks(data, data)
		plain, err := s.decrypt(data, pw, &budget{1000, 1000}, Malformed)
		if test.want < 0 {
			if reason(err) != Malformed || plain != nil {
				t.Errorf("%s: %x, %v", test.end, plain, err)
			}
		} else if err != nil || len(plain) != test.want {
			t.Errorf("%s: %x, %v", test.end, plain, err)
		}
		if _, err := s.decrypt(data[:31], pw, &budget{1000, 1000}, Malformed); reason(err) != Malformed {
			t.Errorf("31 bytes: %v", err)
		}
		if _, err := s.decrypt(nil, pw, &budget{1000, 1000}, Malformed); reason(err) != Malformed {
			t.Errorf("no bytes: %v", err)
		}
	}
}

// The two attributes of the key entry are in DER's order, whatever the name.
func TestNameOrder(t *testing.T) {
	firsts := make(map[string]bool)
	for _, name := range []string{"a", "a name that is longer than the identifier of the key is"} {
		b := selfSigned(t)
		b.FriendlyName = name
		data, err := Modern.Encode(b, "secret")
		if err != nil {
			t.Fatal(err)
		}
		f, err := parseFile(data)
		if err != nil {
			t.Fatal(err)
		}
		s := cryptobyte.String(f.parts[1].data)
		var set, first, second cryptobyte.String
		var entry cryptobyte.String
		if !s.ReadASN1(&s, asn1.SEQUENCE) || !s.ReadASN1(&entry, asn1.SEQUENCE) || !entry.SkipASN1(asn1.OBJECT_IDENTIFIER) || !entry.SkipASN1(tag0) ||
			!entry.ReadASN1(&set, asn1.SET) || !set.ReadASN1Element(&first, asn1.SEQUENCE) || !set.ReadASN1Element(&second, asn1.SEQUENCE) || !set.Empty() {
			t.Fatal("the key entry has another shape")
		}
		if bytes.Compare(first, second) >= 0 {
			t.Errorf("name %q: %x before %x", name, first, second)
		}
		firsts[string(first[2:13])] = true
	}
	if len(firsts) != 2 {
		t.Error("the names do not try both orders")
	}
}

// The name and the certificate of a key, where a file has several: of
// certificates with one key, the one that the file links wins over the first;
// a name on the key wins over one on the certificate.
func TestEntries(t *testing.T) {
	b := selfSigned(t)
	other, err := x509.CreateCertificate(rand.Reader, b.Certificate, b.Certificate, b.Key.Public(), b.Key)
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(b.Key)
	if err != nil {
		t.Fatal(err)
	}
	cert := func(der []byte, name, id string) bag {
		var v cryptobyte.Builder
		v.AddASN1(asn1.SEQUENCE, func(v *cryptobyte.Builder) {
			v.AddASN1ObjectIdentifier([]int{1, 2, 840, 113549, 1, 9, 22, 1})
			v.AddASN1(tag0, func(v *cryptobyte.Builder) { v.AddASN1OctetString(der) })
		})
		return bag{kind: certBag, value: v.BytesOrPanic(), name: name, localKeyID: []byte(id)}
	}
	for _, test := range []struct {
		keyName, linked, want string
		first                 bool
	}{
		{"key", "1", "key", true},
		{"", "1", "first", true},
		{"", "2", "second", false},
		{"", "3", "first", true},
	} {
		got, err := new(opener).bundle([]bag{
			cert(other, "first", "1"), cert(b.Certificate.Raw, "second", "2"),
			{kind: keyBag, value: key, name: test.keyName, localKeyID: []byte(test.linked)},
			{kind: otherBag},
		})
		if err != nil {
			t.Fatal(err)
		}
		if got.FriendlyName != test.want || bytes.Equal(got.Certificate.Raw, other) != test.first {
			t.Errorf("%+v: name %q, certificate %v", test, got.FriendlyName, bytes.Equal(got.Certificate.Raw, other))
		}
	}
}

// Contents in contents are read where they stand, as OpenSSL reads them, and count
// against the limits.
func TestNestedContents(t *testing.T) {
	b := selfSigned(t)
	der, err := Modern.Encode(b, "secret")
	if err != nil {
		t.Fatal(err)
	}
	f, err := parseFile(der)
	if err != nil {
		t.Fatal(err)
	}
	nest := func(contents []byte, levels int) []byte {
		for range levels {
			var v cryptobyte.Builder
			v.AddASN1(asn1.SEQUENCE, func(v *cryptobyte.Builder) {
				v.AddASN1(asn1.SEQUENCE, func(v *cryptobyte.Builder) {
					v.AddASN1ObjectIdentifier([]int{1, 2, 840, 113549, 1, 12, 10, 1, 6})
					v.AddASN1(tag0, func(v *cryptobyte.Builder) { v.AddBytes(contents) })
				})
			})
			contents = v.BytesOrPanic()
		}
		return contents
	}
	file := func(levels int) []byte { // the key's part, which is not encrypted as a whole
		safe := replaceElement(t, f.authSafe, octets(f.parts[1].data), octets(nest(f.parts[1].data, levels)))
		sum, err := f.mac.sum(safe, newSecret("secret"))
		if err != nil {
			t.Fatal(err)
		}
		return whole(safe, bytes.Replace(macOf(der), f.mac.digest, sum, 1))
	}
	openssl := interop.Find(t, "openssl")
	for levels := range 4 {
		data := file(levels)
		got, err := Decode(data, "secret")
		if err != nil || !sameKey(got.Key, b.Key) {
			t.Errorf("%d levels: %v", levels, err)
		}
		in, err := Inspect(data)
		if err != nil || in.Encoding != Modern || len(in.Parts) != 2 || len(in.Parts[1].Keys) != 1 || in.Parts[1].Other != 0 {
			t.Errorf("%d levels: %+v, %v", levels, in, err)
		}
		if out := openssl.Run(t, data, "pkcs12", "-nodes", "-nocerts", "-passin", "pass:secret"); !strings.Contains(out, "BEGIN PRIVATE KEY") {
			t.Errorf("%d levels: OpenSSL: %s", levels, out)
		}
	}
	if _, err := Decode(file(40), "secret"); reason(err) != Malformed {
		t.Errorf("40 levels: %v", err)
	}
	// Entries of several lists are counted together.
	many := bytes.Repeat(f.parts[1].data[headerOf(f.parts[1].data):], maxEntries)
	var v cryptobyte.Builder
	v.AddASN1(asn1.SEQUENCE, func(v *cryptobyte.Builder) {
		for range 2 {
			v.AddBytes(nest(sequence(many), 1)[headerOf(nest(sequence(many), 1)):])
		}
	})
	if _, _, err := readBags(v.BytesOrPanic()); reason(err) != TooCostly {
		t.Errorf("%d entries in two lists: %v", 2*maxEntries, err)
	}
}

// headerOf is the number of bytes before the content of a DER element.
func headerOf(element []byte) int {
	if element[1] < 0x80 {
		return 2
	}
	return 2 + int(element[1]&0x7f)
}

// Keys so large that working with them takes long are refused before.
func TestLargeKeys(t *testing.T) {
	if _, err := new(opener).key(bag{kind: keyBag, value: make([]byte, maxKeyBytes+1)}); reason(err) != TooCostly {
		t.Errorf("a private key of %d bytes: %v", maxKeyBytes+1, err)
	}
	huge := &x509.Certificate{PublicKey: &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), maxRSABits), E: 65537}}
	if err := verifies(huge, huge); err == nil || !strings.Contains(err.Error(), "8192") {
		t.Errorf("a CA key of %d bits: %v", maxRSABits+1, err)
	}
}
