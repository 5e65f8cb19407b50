package pfx_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/fips140"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"software.sslmate.com/src/go-pkcs12"

	"example.com/entracba/cba/pfx"
)

// encodings lists all of them with the password that each takes.
func encodings() map[pfx.Encoding]string {
	return map[pfx.Encoding]string{
		pfx.Compatible: testPassword, pfx.Modern: testPassword, pfx.RC2: testPassword, pfx.PBMAC1: testPassword,
		pfx.InsecureUnencrypted: "",
	}
}

func TestRoundTrip(t *testing.T) {
	for e, password := range encodings() {
		for _, key := range []string{"rsa2048", "p256", "ed25519"} {
			for n := range 3 {
				for _, name := range []string{"", "Jane", "Jané – ключ 鍵"} {
					t.Run(fmt.Sprintf("%v/%s/%d/%s", e, key, n, name), func(t *testing.T) {
						want := bundle(key, n, name)
						data, err := e.Encode(want, password)
						if err != nil {
							t.Fatal(err)
						}
						got, err := pfx.Decode(data, password)
						if err != nil {
							t.Fatal(err)
						}
						sameBundle(t, got, want)
						if _, err := pfx.Decode(data, "wrong"); reasonOf(t, err) != pfx.WrongPassword {
							t.Errorf("a wrong password gives %v", err)
						}
						in, err := pfx.Inspect(data)
						if err != nil {
							t.Fatal(err)
						}
						if in.Encoding != e || in.FriendlyName != name || in.BER {
							t.Errorf("Inspect says %v, %q, BER %v", in.Encoding, in.FriendlyName, in.BER)
						}
					})
				}
			}
		}
	}
}

// What our reader makes of a file is what go-pkcs12 makes of it, which has none
// of our code, for passwords of every length around the blocks of the key
// derivations.
func TestAgainstGoPKCS12(t *testing.T) {
	b := bundle("p256", 2, "Jane")
	n := 0
	for e, password := range encodings() {
		for length := range 140 {
			if length%7 != 0 && (length < 28 || length > 34) && length != 63 {
				continue
			}
			if e != pfx.InsecureUnencrypted {
				password = strings.Repeat("aB3 $", 28)[:length]
			} else if length > 0 {
				break
			}
			data, err := pfx.Encoder{Encoding: e, InsecureAllowEmptyPassword: true}.Encode(b, password)
			if err != nil {
				t.Fatal(err)
			}
			key, cert, cas, err := pkcs12.DecodeChain(data, password)
			if err != nil {
				t.Errorf("%v, %d characters: go-pkcs12: %v", e, length, err)
				continue
			}
			sameBundle(t, pfx.Bundle{Key: key.(crypto.Signer), Certificate: cert, Chain: cas, FriendlyName: "Jane"}, b)
			got, err := pfx.Decode(data, password)
			if err != nil {
				t.Errorf("%v, %d characters: %v", e, length, err)
				continue
			}
			sameBundle(t, got, b)
			n++
		}
	}
	if n < 100 {
		t.Errorf("only %d files were compared", n)
	}
}

func TestEncodeRefuses(t *testing.T) {
	p := pki()
	good := bundle("p256", 2, "")
	with := func(f func(*pfx.Bundle)) pfx.Bundle { b := good; f(&b); return b }
	other := p.users["rsa2048"]
	type certs = []*x509.Certificate
	for _, test := range []struct {
		name     string
		enc      pfx.Encoder
		b        pfx.Bundle
		password string
		want     pfx.Reason
	}{
		{"nothing wrong", pfx.Encoder{Encoding: pfx.Modern}, good, "secret", ""},
		{"zero encoding", pfx.Encoder{}, good, "secret", pfx.BadOption},
		{"unknown encoding", pfx.Encoder{Encoding: 99}, good, "secret", pfx.BadOption},
		{"few iterations", pfx.Encoder{Encoding: pfx.Modern, Iterations: 2047}, good, "secret", pfx.BadOption},
		{"many iterations", pfx.Encoder{Encoding: pfx.Modern, Iterations: 300_001}, good, "secret", pfx.BadOption},
		{"no key", pfx.Encoder{Encoding: pfx.Modern}, with(func(b *pfx.Bundle) { b.Key = nil }), "secret", pfx.KeyMismatch},
		{"nil RSA key", pfx.Encoder{Encoding: pfx.Modern}, with(func(b *pfx.Bundle) { b.Key = (*rsa.PrivateKey)(nil) }), "secret", pfx.KeyMismatch},
		{"nil ECDSA key", pfx.Encoder{Encoding: pfx.Modern}, with(func(b *pfx.Bundle) { b.Key = (*ecdsa.PrivateKey)(nil) }), "secret", pfx.KeyMismatch},
		{"empty RSA key", pfx.Encoder{Encoding: pfx.Modern}, with(func(b *pfx.Bundle) { b.Key = new(rsa.PrivateKey) }), "secret", pfx.KeyMismatch},
		{"empty ECDSA key", pfx.Encoder{Encoding: pfx.Modern}, with(func(b *pfx.Bundle) { b.Key = new(ecdsa.PrivateKey) }), "secret", pfx.KeyMismatch},
		{"short Ed25519 key", pfx.Encoder{Encoding: pfx.Modern}, with(func(b *pfx.Bundle) { b.Key = ed25519.PrivateKey("x") }), "secret", pfx.KeyMismatch},
		{"key elsewhere", pfx.Encoder{Encoding: pfx.Modern}, with(func(b *pfx.Bundle) { b.Key = hsm{good.Key} }), "secret", pfx.NotSupported},
		{"no certificate", pfx.Encoder{Encoding: pfx.Modern}, with(func(b *pfx.Bundle) { b.Certificate = nil }), "secret", pfx.KeyMismatch},
		{"other key", pfx.Encoder{Encoding: pfx.Modern}, with(func(b *pfx.Bundle) { b.Key = other.key }), "secret", pfx.KeyMismatch},
		{"other certificate", pfx.Encoder{Encoding: pfx.Modern}, with(func(b *pfx.Bundle) { b.Certificate = other.cert }), "secret", pfx.KeyMismatch},
		{"leaf in chain", pfx.Encoder{Encoding: pfx.Modern}, with(func(b *pfx.Bundle) { b.Chain = certs{b.Certificate, p.issuing.cert} }), "secret", pfx.BadChain},
		{"wrong order", pfx.Encoder{Encoding: pfx.Modern}, with(func(b *pfx.Bundle) { b.Chain = certs{p.root.cert, p.issuing.cert} }), "secret", pfx.BadChain},
		{"gap", pfx.Encoder{Encoding: pfx.Modern}, with(func(b *pfx.Bundle) { b.Chain = certs{p.root.cert} }), "secret", pfx.BadChain},
		{"stranger", pfx.Encoder{Encoding: pfx.Modern}, with(func(b *pfx.Bundle) { b.Chain = certs{p.issuing.cert, p.other.cert} }), "secret", pfx.BadChain},
		{"same name, other key", pfx.Encoder{Encoding: pfx.Modern}, with(func(b *pfx.Bundle) { b.Chain = certs{p.impostor.cert} }), "secret", pfx.BadChain},
		{"twice", pfx.Encoder{Encoding: pfx.Modern}, with(func(b *pfx.Bundle) { b.Others = certs{p.root.cert} }), "secret", pfx.BadChain},
		{"nil in chain", pfx.Encoder{Encoding: pfx.Modern}, with(func(b *pfx.Bundle) { b.Chain = certs{nil} }), "secret", pfx.BadChain},
		{"stranger beside the chain", pfx.Encoder{Encoding: pfx.Modern}, with(func(b *pfx.Bundle) { b.Others = certs{p.other.cert} }), "secret", ""},
		{"long name", pfx.Encoder{Encoding: pfx.Modern}, with(func(b *pfx.Bundle) { b.FriendlyName = strings.Repeat("é", 255) }), "secret", ""},
		{"too long a name", pfx.Encoder{Encoding: pfx.Modern}, with(func(b *pfx.Bundle) { b.FriendlyName = strings.Repeat("é", 256) }), "secret", pfx.BadOption},
		{"emoji in name", pfx.Encoder{Encoding: pfx.Modern}, with(func(b *pfx.Bundle) { b.FriendlyName = "🔐" }), "secret", pfx.BadOption},
		{"control in name", pfx.Encoder{Encoding: pfx.Modern}, with(func(b *pfx.Bundle) { b.FriendlyName = "a\nb" }), "secret", pfx.BadOption},
		{"name not UTF-8", pfx.Encoder{Encoding: pfx.Modern}, with(func(b *pfx.Bundle) { b.FriendlyName = "a\xff" }), "secret", pfx.BadOption},
		{"empty password", pfx.Encoder{Encoding: pfx.Modern}, good, "", pfx.BadPassword},
		{"empty password allowed", pfx.Encoder{Encoding: pfx.Compatible, InsecureAllowEmptyPassword: true}, good, "", ""},
		{"é", pfx.Encoder{Encoding: pfx.Modern}, good, "Pässé", pfx.BadPassword},
		{"é allowed", pfx.Encoder{Encoding: pfx.Compatible, AllowNonASCIIPassword: true}, good, "Pässé", ""},
		{"emoji", pfx.Encoder{Encoding: pfx.Modern, AllowNonASCIIPassword: true}, good, "pw-🔐", pfx.BadPassword},
		{"control", pfx.Encoder{Encoding: pfx.Modern, AllowNonASCIIPassword: true}, good, "secret\n", pfx.BadPassword},
		{"NUL", pfx.Encoder{Encoding: pfx.Modern, AllowNonASCIIPassword: true}, good, "secret\x00", pfx.BadPassword},
		{"not UTF-8", pfx.Encoder{Encoding: pfx.Modern, AllowNonASCIIPassword: true}, good, "a\xff", pfx.BadPassword},
		{"password for none", pfx.Encoder{Encoding: pfx.InsecureUnencrypted}, good, "secret", pfx.BadPassword},
	} {
		t.Run(test.name, func(t *testing.T) {
			data, err := test.enc.Encode(test.b, test.password)
			if got := reasonOf(t, err); got != test.want {
				t.Fatalf("%v, want reason %v", err, test.want)
			}
			if err != nil {
				if data != nil {
					t.Error("data with an error")
				}
				return
			}
			got, err := pfx.Decode(data, test.password)
			if err != nil {
				t.Fatal(err)
			}
			sameBundle(t, got, test.b)
		})
	}
}

// hsm is a key that one can sign with and not take away.
type hsm struct{ crypto.Signer }

// Files as others write them: the leaf anywhere, the chain in any order, what
// does not belong, and what is there twice.
func TestDecodeSorts(t *testing.T) {
	p := pki()
	jane := p.users["p256"]
	renewed := issue("jane, renewed", jane.key, &p.issuing, false)
	type certs = []*x509.Certificate
	for _, test := range []struct {
		name          string
		first         *x509.Certificate // go-pkcs12 links this one to the key
		rest          certs
		leaf          *x509.Certificate
		chain, others certs
	}{
		{"in order", jane.cert, certs{p.issuing.cert, p.root.cert}, jane.cert, certs{p.issuing.cert, p.root.cert}, nil},
		{"reversed", p.root.cert, certs{p.issuing.cert, jane.cert}, jane.cert, certs{p.issuing.cert, p.root.cert}, nil},
		{"leaf twice", jane.cert, certs{jane.cert, p.issuing.cert}, jane.cert, certs{p.issuing.cert}, nil},
		{"CA twice", jane.cert, certs{p.issuing.cert, p.issuing.cert}, jane.cert, certs{p.issuing.cert}, nil},
		{"stranger", jane.cert, certs{p.other.cert, p.issuing.cert}, jane.cert, certs{p.issuing.cert}, certs{p.other.cert}},
		{"gap", jane.cert, certs{p.root.cert}, jane.cert, nil, certs{p.root.cert}},
		{"CA of the same name", jane.cert, certs{p.impostor.cert, p.issuing.cert}, jane.cert, certs{p.issuing.cert}, certs{p.impostor.cert}},
		{"root twice", jane.cert, certs{p.issuing.cert, p.root.cert, p.renewedRoot.cert}, jane.cert, certs{p.issuing.cert, p.root.cert}, certs{p.renewedRoot.cert}},
		{"renewed with the same key", renewed.cert, certs{jane.cert, p.issuing.cert}, renewed.cert, certs{p.issuing.cert}, certs{jane.cert}},
		{"two for the key, none linked", p.issuing.cert, certs{renewed.cert, jane.cert}, renewed.cert, certs{p.issuing.cert}, certs{jane.cert}},
	} {
		t.Run(test.name, func(t *testing.T) {
			data, err := pkcs12.Modern2023.Encode(jane.key, test.first, test.rest, "secret")
			if err != nil {
				t.Fatal(err)
			}
			got, err := pfx.Decode(data, "secret")
			if err != nil {
				t.Fatal(err)
			}
			sameBundle(t, got, pfx.Bundle{Key: jane.key, Certificate: test.leaf, Chain: test.chain, Others: test.others})
			again, err := pfx.Reencode(data, "secret", pfx.Compatible, "other")
			if err != nil {
				t.Fatal(err)
			}
			if got, err = pfx.Decode(again, "other"); err != nil {
				t.Fatal(err)
			}
			sameBundle(t, got, pfx.Bundle{Key: jane.key, Certificate: test.leaf, Chain: test.chain, Others: test.others})
		})
	}

	data, err := pkcs12.Modern2023.Encode(jane.key, p.users["rsa2048"].cert, certs{p.issuing.cert}, "secret")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pfx.Decode(data, "secret"); reasonOf(t, err) != pfx.KeyMismatch {
		t.Errorf("a file whose certificate is for another key: %v", err)
	}
}

// A hundred entries are enough for everyone.
func TestManyEntries(t *testing.T) {
	jane := pki().users["p256"]
	for _, test := range []struct {
		certs           int
		decode, inspect pfx.Reason
	}{
		{99, "", ""},
		{100, pfx.TooCostly, ""}, // with the key
		{101, pfx.TooCostly, pfx.TooCostly},
	} {
		cas := make([]*x509.Certificate, test.certs-1)
		for i := range cas {
			cas[i] = pki().issuing.cert
		}
		data, err := pkcs12.Passwordless.Encode(jane.key, jane.cert, cas, "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pfx.Decode(data, ""); reasonOf(t, err) != test.decode {
			t.Errorf("%d certificates: Decode: %v", test.certs, err)
		}
		if _, err := pfx.Inspect(data); reasonOf(t, err) != test.inspect {
			t.Errorf("%d certificates: Inspect: %v", test.certs, err)
		}
	}
}

// RFC 9579 appendix A, and a regression file of go-pkcs12.
func TestPublishedFiles(t *testing.T) {
	for _, test := range []struct {
		file string
		want pfx.Reason
	}{
		{"rfc9579/a1.txt", ""}, {"rfc9579/a2.txt", ""}, {"rfc9579/a3.txt", ""},
		{"rfc9579/a4.txt", pfx.WrongPassword}, {"rfc9579/a5.txt", pfx.WrongPassword}, {"rfc9579/a6.txt", pfx.Malformed},
		{"short-pbmac1-key.txt", pfx.Malformed},
	} {
		text, err := os.ReadFile(filepath.Join("testdata", test.file))
		if err != nil {
			t.Fatal(err)
		}
		data, err := base64.StdEncoding.DecodeString(string(text))
		if err != nil {
			t.Fatal(err)
		}
		b, err := pfx.Decode(data, "1234")
		if reasonOf(t, err) != test.want {
			t.Errorf("%s: %v, want reason %v", test.file, err, test.want)
		}
		if err == nil && b.Certificate == nil {
			t.Errorf("%s: no certificate", test.file)
		}
		if in, err := pfx.Inspect(data); test.want != pfx.Malformed && (err != nil || in.Encoding != pfx.PBMAC1) {
			t.Errorf("%s: Inspect: %v, %v", test.file, in.Encoding, err)
		}
		if _, err := pfx.Decode(text, "1234"); reasonOf(t, err) != pfx.Malformed || !strings.Contains(err.Error(), "Base64") {
			t.Errorf("%s as Base64: %v", test.file, err)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	good, err := pfx.Modern.Encode(bundle("p256", 1, "Jane"), "secret")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name     string
		decoder  pfx.Decoder
		data     []byte
		password string
		want     pfx.Reason
		says     string
	}{
		{"nothing wrong", pfx.Decoder{}, good, "secret", "", ""},
		{"wrong password", pfx.Decoder{}, good, "Secret", pfx.WrongPassword, ""},
		{"no password", pfx.Decoder{}, good, "", pfx.WrongPassword, ""},
		{"password not UTF-8", pfx.Decoder{}, good, "secret\xff", pfx.WrongPassword, "UTF-8"},
		{"nothing", pfx.Decoder{}, nil, "secret", pfx.Malformed, "empty"},
		{"blank", pfx.Decoder{}, []byte(" \n"), "secret", pfx.Malformed, "empty"},
		{"PEM", pfx.Decoder{}, []byte("-----BEGIN CERTIFICATE-----\n"), "secret", pfx.Malformed, "PEM"},
		{"text", pfx.Decoder{}, []byte("hello"), "secret", pfx.Malformed, "begin"},
		{"half", pfx.Decoder{}, good[:len(good)/2], "secret", pfx.Malformed, "cut short"},
		{"something behind", pfx.Decoder{}, append(bytes.Clone(good), 1), "secret", pfx.Malformed, "after its end"},
		{"version 4", pfx.Decoder{}, append([]byte{0x30, 0x82, good[2], good[3], 2, 1, 4}, good[7:]...), "secret", pfx.NotSupported, "version 4"},
		{"a certificate", pfx.Decoder{}, pki().root.cert.Raw, "secret", pfx.Malformed, "not a PFX"},
		{"too long", pfx.Decoder{MaxBytes: len(good) - 1}, good, "secret", pfx.TooCostly, "bytes"},
		{"long enough", pfx.Decoder{MaxBytes: len(good)}, good, "secret", "", ""},
		{"a megabyte", pfx.Decoder{}, make([]byte, 1<<20+1), "secret", pfx.TooCostly, "bytes"},
		{"iterations", pfx.Decoder{MaxIterations: 2000}, good, "secret", pfx.TooCostly, "2048"},
		{"password of a megabyte", pfx.Decoder{MaxIterations: 10_000}, good, strings.Repeat("s", 1<<20), pfx.TooCostly, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			b, err := test.decoder.Decode(test.data, test.password)
			if reasonOf(t, err) != test.want {
				t.Fatalf("%v, want reason %v", err, test.want)
			}
			if err != nil && (b.Key != nil || b.Certificate != nil || !strings.Contains(err.Error(), test.says)) {
				t.Errorf("%v, %v; the error should say %q", b, err, test.says)
			}
		})
	}
}

// Every file that breaks off is malformed; every file with one byte changed is
// refused or gives the same contents. None panics.
func TestDamage(t *testing.T) {
	for e, password := range encodings() {
		want := bundle("p256", 1, "Jane")
		good, err := e.Encode(want, password)
		if err != nil {
			t.Fatal(err)
		}
		for i := range good {
			if _, err := pfx.Decode(good[:i], password); reasonOf(t, err) != pfx.Malformed {
				t.Errorf("%v, first %d bytes: %v", e, i, err)
			}
		}
		step := 5 // a key derivation each
		if e == pfx.InsecureUnencrypted {
			step = 1
		}
		for i := 0; i < len(good); i += step {
			bad := bytes.Clone(good)
			bad[i] ^= 1 << (i % 8)
			b, err := pfx.Decode(bad, password)
			pfx.Inspect(bad)
			if reasonOf(t, err) == "" && e != pfx.InsecureUnencrypted { // which nothing protects
				sameBundle(t, b, want)
			}
		}
	}
}

// No error, text or JSON has a password or a private key in it.
func TestSecrets(t *testing.T) {
	const password = "Hunter2-Zanzibar"
	var secrets []string
	add := func(b []byte) {
		secrets = append(secrets, fmt.Sprintf("%x", b), fmt.Sprintf("%X", b), fmt.Sprint(b), base64.StdEncoding.EncodeToString(b), new(big.Int).SetBytes(b).String())
	}
	add([]byte(password))
	secrets = append(secrets, password)
	var texts []string
	note := func(values ...any) {
		for _, v := range values {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
				texts = append(texts, fmt.Sprintf(verb, v))
			}
			j, err := json.Marshal(v)
			if err == nil {
				texts = append(texts, string(j))
			}
		}
	}
	for _, key := range []string{"rsa2048", "p256", "ed25519"} {
		b := bundle(key, 1, "Jane")
		switch k := b.Key.(type) {
		case *rsa.PrivateKey:
			add(k.D.Bytes())
			add(k.Primes[0].Bytes())
		case *ecdsa.PrivateKey:
			raw, err := k.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			add(raw)
		case ed25519.PrivateKey:
			add(k)
			add(k.Seed())
		}
		bare := b
		bare.Certificate, bare.Chain = nil, nil
		elsewhere := bare
		elsewhere.Key = hsm{b.Key}
		note(elsewhere, b, &b, bare, struct{ B pfx.Bundle }{bare}, []pfx.Bundle{bare})
		for e := range encodings() {
			data, err := e.Encode(b, password)
			if e == pfx.InsecureUnencrypted {
				note(err)
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			in, err := pfx.Inspect(data)
			note(in, err)
			for _, damage := range []int{10, len(data) / 3, len(data) / 2, len(data) - 40, len(data) - 3} {
				bad := bytes.Clone(data)
				bad[damage] ^= 0xff
				_, err = pfx.Decode(bad, password)
				note(err)
				_, err = pfx.Decode(bad[:damage], password)
				note(err)
			}
			_, err = pfx.Decode(data, password+"\xff")
			note(err)
			_, err = pfx.Decoder{MaxIterations: 1}.Decode(data, password)
			note(err)
			_, err = e.Encode(b, password+"é")
			note(err)
			b.Certificate = pki().root.cert
			_, err = e.Encode(b, password)
			note(err)
			b = bundle(key, 1, "Jane")
		}
	}
	if len(texts) < 1000 || len(secrets) < 30 {
		t.Fatalf("only %d texts and %d secrets", len(texts), len(secrets))
	}
	for _, text := range texts {
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Fatalf("a secret is in %.200q", text)
			}
		}
	}
}

func TestGeneratePassword(t *testing.T) {
	seen := make(map[string]bool)
	count := make(map[rune]int)
	const n, length = 4000, 24
	for range n {
		p := pfx.GeneratePassword()
		if len(p) != length || seen[p] || p[0] < 'a' || p[0] > 'z' {
			t.Fatalf("password %q", p)
		}
		seen[p] = true
		for _, r := range p[1:] {
			count[r]++
		}
	}
	if len(count) != 32 {
		t.Errorf("%d characters occur, want 32", len(count))
	}
	const want = n * (length - 1) / 32.0
	for r, c := range count {
		if strings.ContainsRune("lo01", r) || r > 'z' || r < '2' {
			t.Errorf("%q occurs", r)
		}
		// Seven standard deviations: once in 10^11 runs by chance.
		if d := float64(c) - want; d*d > 49*want {
			t.Errorf("%q occurs %d times, want about %.0f", r, c, want)
		}
	}
}

// Under each setting of the mode the process goes on, and says why it cannot.
func TestFIPS140(t *testing.T) {
	if dir := os.Getenv("PFX_FIPS_DIR"); dir != "" {
		fips140Child(t, dir)
		return
	}
	dir := t.TempDir()
	for e, password := range encodings() {
		data, err := e.Encode(bundle("rsa2048", 2, "Jane"), password)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, e.String()), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, mode := range []string{"off", "on", "only", "debug"} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestFIPS140$", "-test.v")
		cmd.Env = append(os.Environ(), "GODEBUG=fips140="+mode, "PFX_FIPS_DIR="+dir)
		out, err := cmd.CombinedOutput()
		if err != nil || !bytes.Contains(out, []byte("files: 5")) {
			t.Errorf("fips140=%s: %v\n%s", mode, err, out)
		}
	}
}

func fips140Child(t *testing.T, dir string) {
	n := 0
	for e, password := range encodings() {
		data, err := os.ReadFile(filepath.Join(dir, e.String()))
		if err != nil {
			t.Fatal(err)
		}
		var want pfx.Reason
		if fips140.Enforced() && (e == pfx.Compatible || e == pfx.RC2) {
			want = pfx.FIPSOnly
		}
		b, err := pfx.Decode(data, password)
		if reasonOf(t, err) != want {
			t.Errorf("%v: Decode: %v, want reason %v", e, err, want)
		}
		if in, err := pfx.Inspect(data); err != nil || in.Encoding != e {
			t.Errorf("%v: Inspect: %v, %v", e, in.Encoding, err)
		}
		n++
		if err != nil {
			continue
		}
		want = ""
		if fips140.Enforced() {
			want = pfx.FIPSOnly
		}
		if _, err := e.Encode(b, password); reasonOf(t, err) != want {
			t.Errorf("%v: Encode: %v, want reason %v", e, err, want)
		}
	}
	t.Logf("files: %d", n)
}
