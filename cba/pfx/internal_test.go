package pfx

import (
	"bytes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"math"
	"math/big"
	"testing"
	"time"

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
	deep := bytes.Repeat([]byte{0x30, 0x80}, 100_000)
	if _, ok := toDER(deep); ok {
		t.Error("100,000 levels are taken")
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

// hostile makes a file whose MAC is right and whose key entry sits inside the
// encrypted part, where nobody sees it before decrypting, asking for this many
// iterations.
func hostile(t *testing.T, iterations int64) []byte {
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
	if der, err = Modern.Encode(Bundle{Key: key, Certificate: cert}, "secret"); err != nil {
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
	b = cryptobyte.Builder{}
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(3)
		addData(b, func(b *cryptobyte.Builder) { b.AddBytes(safe) })
		b.AddBytes(bytes.Replace(macData(der), f.mac.digest, sum, 1))
	})
	return b.BytesOrPanic()
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
				out = append(appendHeader(out, byte(tag), len(inner)), inner...)
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
	for _, n := range []int64{DefaultMaxDecodeIterations + 1, math.MaxInt32, 1 << 40, math.MaxInt64} {
		start := time.Now()
		_, err := Decode(hostile(t, n), "secret")
		var e *Error
		if !errors.As(err, &e) || e.Reason != TooCostly {
			t.Errorf("with %d iterations: %v", n, err)
		}
		if d := time.Since(start); d > 10*time.Second {
			t.Errorf("with %d iterations it took %v", n, d)
		}
	}
	for _, n := range []int64{0, -1, math.MinInt64} {
		_, err := Decode(hostile(t, n), "secret")
		var e *Error
		if !errors.As(err, &e) || e.Reason != Malformed {
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
	old := macData(data)
	for _, count := range []string{"020500ffffffff", "02060100000000" + "00", "020900ffffffffffffffff", "020a01" + "000000000000000000"} {
		c, err := hex.DecodeString(count)
		if err != nil {
			t.Fatal(err)
		}
		bad := replaceElement(t, data, old, replaceElement(t, old, []byte{2, 2, 8, 0}, c))
		_, err = Decode(bad, "secret")
		var e *Error
		if !errors.As(err, &e) || e.Reason != TooCostly {
			t.Errorf("count %s: %v", count, err)
		}
		if in, err := Inspect(bad); err != nil || in.MAC.Iterations < math.MaxInt32 || len(in.Findings) == 0 {
			t.Errorf("count %s: Inspect: %+v, %v", count, in.MAC, err)
		}
	}
}

// Two forms of the empty password are in use. Encode writes one; this makes the
// other, as Windows and .NET do.
func TestEmptyPassword(t *testing.T) {
	b, err := Decode(hostile(t, 2048), "secret")
	if err != nil {
		t.Fatal(err)
	}
	data, err := Encoder{Encoding: Modern, InsecureAllowEmptyPassword: true}.Encode(b, "")
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
		var e *Error
		if !errors.As(err, &e) || e.Reason != WrongPassword {
			t.Errorf("with a password: %v", err)
		}
	}
}
