package pfx_test

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.com/entracba/cba/internal/interop"
	"example.com/entracba/cba/pfx"
)

// pemFiles writes a user's key and certificate, and the certificate with two CAs
// behind it and the CAs alone, as PEM for the programs.
func pemFiles(t *testing.T, b pfx.Bundle) (key, cert, chain, cas string) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(b.Key)
	if err != nil {
		t.Fatal(err)
	}
	var c, rest []byte
	for i, one := range append([]*x509.Certificate{b.Certificate}, b.Chain...) {
		block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: one.Raw})
		c = append(c, block...)
		if i > 0 {
			rest = append(rest, block...)
		}
	}
	key = interop.File(t, "key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	cert = interop.File(t, "cert.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: b.Certificate.Raw}))
	return key, cert, interop.File(t, "chain.pem", c), interop.File(t, "cas.pem", rest)
}

// read decodes a file that another program has written, and compares.
func read(t *testing.T, path, password string, want pfx.Bundle, reason pfx.Reason) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got, err := pfx.Decode(data, password)
	if r := reasonOf(t, err); r != reason {
		t.Fatalf("Decode: %v, want reason %v", err, reason)
	}
	if err != nil {
		return
	}
	sameBundle(t, got, want)
	if _, err := pfx.Decode(data, password+"x"); reasonOf(t, err) != pfx.WrongPassword {
		t.Errorf("with a wrong password: %v", err)
	}
	if _, err := pfx.Inspect(data); err != nil {
		t.Errorf("Inspect: %v", err)
	}
	again, err := pfx.Compatible.Encode(got, testPassword)
	if err != nil {
		t.Fatalf("Encode: %v", err)
	}
	if got, err = pfx.Decode(again, testPassword); err != nil {
		t.Fatal(err)
	}
	sameBundle(t, got, want)
}

// TestFilesOfOpenSSL: every set of options that people give.
func TestFilesOfOpenSSL(t *testing.T) {
	openssl := interop.Find(t, "openssl")
	for _, test := range []struct {
		options  string
		password string // "" is testPassword
		name     string
		enc      pfx.Encoding
		reason   pfx.Reason
	}{
		{options: "", enc: pfx.Modern},
		{options: "-legacy", enc: pfx.RC2},
		{options: "-descert", enc: 0}, // the certificates only: the key stays AES
		{options: "-legacy -descert", enc: pfx.Compatible},
		{options: "-certpbe PBE-SHA1-3DES -keypbe PBE-SHA1-3DES -macalg sha1", enc: pfx.Compatible},
		{options: "-certpbe PBE-SHA1-3DES -keypbe PBE-SHA1-3DES", enc: 0}, // 3DES with a SHA-256 MAC
		{options: "-certpbe NONE", enc: pfx.Modern},
		{options: "-keypbe NONE", enc: pfx.Modern},
		{options: "-certpbe NONE -keypbe NONE", enc: 0},
		{options: "-certpbe AES-128-CBC -keypbe AES-192-CBC", enc: pfx.Modern},
		{options: "-certpbe DES-EDE3-CBC -keypbe DES-EDE3-CBC", enc: 0},
		{options: "-legacy -certpbe PBE-SHA1-RC2-128 -keypbe PBE-SHA1-RC2-128", enc: pfx.RC2},
		{options: "-certpbe PBE-SHA1-2DES -keypbe PBE-SHA1-2DES", enc: 0},
		{options: "-macalg sha1", enc: 0},
		{options: "-macalg sha224", enc: 0},
		{options: "-macalg sha384", enc: 0},
		{options: "-macalg sha512", enc: 0},
		{options: "-noiter -nomaciter", enc: pfx.Modern},
		{options: "-iter 300000", enc: pfx.Modern},
		{options: "-name Jane", name: "Jane", enc: pfx.Modern},
		{options: "-name Jane -caname Issuing -LMK", name: "Jane", enc: pfx.Modern},
		{options: "-CSP Microsoft\u00a0Enhanced -keysig", enc: pfx.Modern},
		{options: "-keyex", enc: pfx.Modern},
		{options: "", password: "Pässé-é", enc: pfx.Modern},
		{options: "-legacy", password: "Pässé-é", enc: pfx.RC2},
		{options: "", password: "pw-🔐", enc: pfx.Modern},
		{options: "-legacy", password: "pw-🔐", enc: pfx.RC2},
		{options: "", password: "empty", enc: pfx.Modern},
		{options: "-legacy", password: "empty", enc: pfx.RC2},

		{options: "-nomac", enc: 0, reason: pfx.NotSupported},
		{options: "-nokeys", enc: pfx.Modern, reason: pfx.KeyMismatch},
		{options: "-certpbe CAMELLIA-256-CBC -keypbe CAMELLIA-256-CBC", enc: 0, reason: pfx.NotSupported},
		{options: "-legacy -certpbe PBE-SHA1-RC4-128 -keypbe PBE-SHA1-RC4-128", enc: 0, reason: pfx.NotSupported},
		{options: "-macalg sha3-256", enc: 0, reason: pfx.NotSupported},
		{options: "-iter 2000000", enc: pfx.Modern, reason: pfx.TooCostly},
	} {
		for _, key := range []string{"rsa2048", "p256"} {
			if strings.Contains(test.options, "-iter") && key == "rsa2048" {
				continue // dear, and the same
			}
			password := test.password
			if password == "" {
				password = testPassword
			}
			t.Run(fmt.Sprintf("%s %s %s", key, test.options, password), func(t *testing.T) {
				t.Parallel()
				if password == "empty" {
					password = ""
				}
				want := bundle(key, 2, test.name)
				keyFile, _, chain, _ := pemFiles(t, want)
				out := filepath.Join(t.TempDir(), "out.p12")
				args := []string{"pkcs12", "-export", "-inkey", keyFile, "-in", chain, "-out", out, "-passout", "env:PFX_PASSWORD"}
				args = append(args, strings.Fields(strings.ReplaceAll(test.options, "\u00a0", "_"))...)
				openssl.Env("PFX_PASSWORD="+password).Run(t, nil, args...)
				read(t, out, password, want, test.reason)

				data, err := os.ReadFile(out)
				if err != nil {
					t.Fatal(err)
				}
				in, err := pfx.Inspect(data)
				if err != nil {
					t.Fatal(err)
				}
				if in.Encoding != test.enc {
					t.Errorf("Inspect says %v, want %v", in.Encoding, test.enc)
				}
				if list, err := pfx.Certificates(data, password); test.options == "-nokeys" {
					if err != nil || len(list) != 1+len(want.Chain) || !list[0].Equal(want.Certificate) {
						t.Errorf("%d certificates, %v", len(list), err)
					}
					if _, err := pfx.Certificates(data, "wrong"); !errors.Is(err, pfx.WrongPassword) {
						t.Errorf("a wrong password: %v", err)
					}
				} else if err == nil || test.reason == "" && !errors.Is(err, pfx.KeyMismatch) {
					t.Errorf("certificates of a file with a key: %v", err)
				}
				if test.options == "-nomac" {
					got, err := pfx.Decoder{InsecureAllowNoMAC: true}.Decode(data, password)
					if err != nil {
						t.Fatal(err)
					}
					sameBundle(t, got, want)
					_, err = pfx.Decoder{InsecureAllowNoMAC: true}.Decode(data, "wrong")
					if r := reasonOf(t, err); r != pfx.WrongPassword && r != pfx.Malformed { // one padding in 256 is right
						t.Errorf("a wrong password gives %v", err)
					}
				}
			})
		}
	}
}

// TestFilesOfGnuTLS: certtool derives each key with 600,000 iterations, and
// takes one CA and puts it into a part of its own.
func TestFilesOfGnuTLS(t *testing.T) {
	certtool := interop.Find(t, "certtool")
	for _, test := range []struct {
		key, cipher string
		n           int
	}{
		{"rsa2048", "aes-256", 1}, {"p256", "aes-128", 0}, {"p256", "3des-pkcs12", 1}, {"p256", "rc2-40", 1},
	} {
		t.Run(test.key+" "+test.cipher, func(t *testing.T) {
			t.Parallel()
			want := bundle(test.key, test.n, "jane contoso")
			key, cert, _, cas := pemFiles(t, want)
			out := filepath.Join(t.TempDir(), "out.p12")
			template := interop.File(t, "template", []byte("pkcs12_key_name = \"jane contoso\"\npassword = abc123\n"))
			args := []string{"--to-p12", "--load-privkey", key, "--load-certificate", cert, "--pkcs-cipher", test.cipher,
				"--outder", "--outfile", out, "--template", template}
			if test.n > 0 {
				args = append(args, "--load-ca-certificate", cas)
			}
			certtool.Run(t, nil, args...)
			read(t, out, "abc123", want, "")
		})
	}
}

// TestFilesOfNSS: pk12util writes BER with indefinite lengths and strings in
// pieces, in every layer.
func TestFilesOfNSS(t *testing.T) {
	certutil, pk12util := interop.Find(t, "certutil"), interop.Find(t, "pk12util")
	for _, test := range []struct{ key, options string }{
		{"rsa2048", ""},
		{"p256", "-c AES-256-CBC -C AES-256-CBC"},
		{"p256", "-c DES-EDE3-CBC -C DES-EDE3-CBC -M SHA-1"},
		{"rsa2048", "-c RC2-CBC -C RC2-CBC -M SHA-1"},
	} {
		t.Run(test.key+" "+test.options, func(t *testing.T) {
			t.Parallel()
			want := bundle(test.key, 2, "jane contoso")
			data, err := pfx.Modern.Encode(want, testPassword)
			if err != nil {
				t.Fatal(err)
			}
			db, out := t.TempDir(), filepath.Join(t.TempDir(), "out.p12")
			password := interop.File(t, "password", []byte(testPassword+"\n"))
			certutil.Run(t, nil, "-N", "-d", db, "--empty-password")
			pk12util.Run(t, nil, "-i", interop.File(t, "in.p12", data), "-d", db, "-w", password)
			args := append([]string{"-o", out, "-n", "jane contoso", "-d", db, "-w", password}, strings.Fields(test.options)...)
			pk12util.Run(t, nil, args...)
			read(t, out, testPassword, want, "")
			if data, err = os.ReadFile(out); err != nil {
				t.Fatal(err)
			}
			if in, err := pfx.Inspect(data); err != nil || !in.BER {
				t.Errorf("Inspect does not say that it is BER: %v", err)
			}
		})
	}
}

// TestFilesOfJava: keytool makes the keys itself, so that only the fit of key
// and certificate is looked at.
func TestFilesOfJava(t *testing.T) {
	keytool := interop.Find(t, "keytool").Env("PFX_PASSWORD=" + testPassword)
	dir := t.TempDir()
	make := func(t *testing.T, store, alias, algorithm string, more ...string) {
		keytool.Run(t, nil, append([]string{"-genkeypair", "-keyalg", algorithm, "-alias", alias, "-dname", "CN=" + alias,
			"-keystore", store, "-storetype", "PKCS12", "-storepass:env", "PFX_PASSWORD"}, more...)...)
	}
	fits := func(t *testing.T, store string, wantReason pfx.Reason) {
		t.Helper()
		data, err := os.ReadFile(store)
		if err != nil {
			t.Fatal(err)
		}
		b, err := pfx.Decode(data, testPassword)
		if reasonOf(t, err) != wantReason {
			t.Fatalf("Decode: %v, want reason %v", err, wantReason)
		}
		if err != nil {
			return
		}
		if b.FriendlyName != "jane" || b.Certificate.Subject.CommonName != "jane" {
			t.Errorf("name %q, subject %q", b.FriendlyName, b.Certificate.Subject)
		}
		if _, err := pfx.Modern.Encode(b, testPassword); err != nil { // compares the keys
			t.Errorf("Encode: %v", err)
		}
	}
	t.Run("ec, then a second key", func(t *testing.T) {
		t.Parallel()
		store := filepath.Join(dir, "ec.p12")
		make(t, store, "jane", "EC")
		fits(t, store, "")
		make(t, store, "john", "EC")
		fits(t, store, pfx.NotSupported)
	})
	t.Run("rsa, legacy", func(t *testing.T) {
		t.Parallel()
		store := filepath.Join(dir, "rsa.p12")
		make(t, store, "jane", "RSA", "-J-Dkeystore.pkcs12.legacy=true")
		fits(t, store, "")
	})
	t.Run("trust store", func(t *testing.T) {
		t.Parallel()
		store := filepath.Join(dir, "trust.p12")
		cert := interop.File(t, "ca.cer", pki().root.cert.Raw)
		keytool.Run(t, nil, "-importcert", "-noprompt", "-alias", "root", "-file", cert, "-keystore", store,
			"-storetype", "PKCS12", "-storepass:env", "PFX_PASSWORD")
		fits(t, store, pfx.KeyMismatch)
	})
}

func TestFilesOfPython(t *testing.T) {
	python := interop.Python(t)
	dir := t.TempDir()
	for _, key := range []string{"rsa2048", "p256"} {
		keyFile, _, chain, _ := pemFiles(t, bundle(key, 2, ""))
		type file struct{ path, algorithm, name, password string }
		var files []file
		var in strings.Builder
		for _, algorithm := range []string{"best", "aes", "3des", "none"} {
			for _, name := range []string{"", "Jané – ключ"} {
				for _, password := range []string{testPassword, "Pässé-é", "pw-🔐"} {
					if algorithm == "none" {
						password = ""
					}
					f := file{filepath.Join(dir, fmt.Sprintf("%s-%d.p12", key, len(files))), algorithm, name, password}
					files = append(files, f)
					fmt.Fprintf(&in, "%s\t%s\t%s\t%s\n", f.path, f.algorithm, f.name, f.password)
				}
			}
		}
		python.Run(t, []byte(in.String()), filepath.Join("testdata", "write_pfx.py"), keyFile, chain)
		for _, f := range files {
			t.Run(fmt.Sprintf("%s %s %s %s", key, f.algorithm, f.name, f.password), func(t *testing.T) {
				read(t, f.path, f.password, bundle(key, 2, f.name), "")
			})
		}
	}
}
