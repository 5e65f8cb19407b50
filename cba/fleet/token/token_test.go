package token_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/crl/publish"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/fleet/ledger"
	"example.com/entracba/cba/fleet/sqlite"
	"example.com/entracba/cba/fleet/token"
)

const (
	label = "entra-cba"
	pin   = "90210-alpha"
)

// missing skips the test, or fails it under CBA_INTEROP=require.
func missing(tb testing.TB, format string, args ...any) {
	tb.Helper()
	if os.Getenv("CBA_INTEROP") == "require" {
		tb.Fatalf(format, args...)
	}
	tb.Skipf(format, args...)
}

// softhsm makes an empty token and returns what opens it.
func softhsm(tb testing.TB) token.Config {
	tb.Helper()
	var module string
	for _, name := range []string{"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so",
		"/usr/local/lib/softhsm/libsofthsm2.so", "/opt/homebrew/lib/softhsm/libsofthsm2.so"} {
		if _, err := os.Stat(name); err == nil {
			module = name
			break
		}
	}
	util, err := exec.LookPath("softhsm2-util")
	if module == "" || err != nil {
		missing(tb, "SoftHSM 2 is not installed")
	}
	folder := tb.TempDir()
	if err := os.Mkdir(filepath.Join(folder, "tokens"), 0o700); err != nil {
		tb.Fatal(err)
	}
	conf := filepath.Join(folder, "softhsm2.conf")
	text := "directories.tokendir = " + filepath.Join(folder, "tokens") + "\nobjectstore.backend = file\nlog.level = ERROR\n"
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
	tb.Setenv("SOFTHSM2_CONF", conf)
	if out, err := exec.Command(util, "--init-token", "--free", "--label", label, "--so-pin", "security-officer", "--pin", pin).CombinedOutput(); err != nil {
		tb.Fatalf("softhsm2-util: %v\n%s", err, out)
	}
	return token.Config{Module: module, Label: label, PIN: pin}
}

func open(tb testing.TB, c token.Config) *token.Token {
	tb.Helper()
	t, err := token.Open(c)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { t.Close() })
	return t
}

func must[T any](tb testing.TB) func(value T, err error) T {
	return func(value T, err error) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return value
	}
}

func name(tb testing.TB, text string) dn.Name { return must[dn.Name](tb)(dn.Parse(text)) }

// check fails unless the error has the reason and tells no PIN.
func check(tb testing.TB, err error, want token.Reason) {
	tb.Helper()
	var e *token.Error
	if !errors.As(err, &e) || e.Reason != want {
		tb.Errorf("error %v, want reason %q", err, want)
	}
	if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), pin) {
		tb.Errorf("the PIN is in the error %v", err)
	}
}

// TestAuthority makes a root and an intermediate in the token and issues for users
// through it, from many goroutines.
func TestAuthority(t *testing.T) {
	config := softhsm(t)
	hsm := open(t, config)
	rootKey := must[crypto.Signer](t)(hsm.Generate("root", cba.P384))
	issuingKey := must[crypto.Signer](t)(hsm.Generate("issuing", cba.RSA3072))
	root := must[*cba.Issuer](t)(cba.NewRoot(t.Context(), cba.Authority{Name: name(t, "CN=Contoso Root CA"), Key: rootKey}))
	issuing := must[*cba.Issuer](t)(root.NewIntermediate(t.Context(), cba.Authority{Name: name(t, "CN=Contoso Issuing CA"), Key: issuingKey}))
	if _, err := cba.EncodeKey(issuing.Key); err == nil {
		t.Error("the key could be written to a file")
	}

	l := must[*sqlite.Ledger](t)(sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{}))
	defer l.Close()
	journal := &ledger.Journal{Ledger: l}
	const users = 60
	var subjects []cba.Subject
	for i := range users {
		subjects = append(subjects, cba.Subject{UPN: fmt.Sprintf("user%d@yourdomain.com", i)})
	}
	pool := x509.NewCertPool()
	pool.AddCert(root.Certificate)
	between := x509.NewCertPool()
	between.AddCert(issuing.Certificate)
	n := 0
	for result, err := range issuing.IssueAll(t.Context(), cba.Tasks(subjects...), cba.Bulk{KeyType: cba.P256, Workers: 8, Journal: journal}) {
		if err != nil {
			t.Fatal(err)
		}
		if _, err := result.Certificate.Verify(x509.VerifyOptions{Roots: pool, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
			t.Error(err)
		}
		n++
	}
	if n != users {
		t.Errorf("%d certificates, want %d", n, users)
	}
	lists := publish.Issuer{Certificate: issuing.Certificate, Key: issuing.Key, Store: publish.FileStore{Path: filepath.Join(t.TempDir(), "store")}}
	list := must[*crl.List](t)(lists.Base(t.Context(), publish.Options{}))
	if err := list.CheckIssuer(issuing.Certificate); err != nil {
		t.Error(err)
	}

	// The next day.
	if err := hsm.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := issuing.Issue(t.Context(), must[crypto.Signer](t)(cba.P256.Generate()).Public(), subjects[0], cba.Profile{})
	check(t, err, token.Gone)
	again := open(t, config)
	key := must[crypto.Signer](t)(again.Find("issuing"))
	must[*cba.Issuer](t)(cba.NewIssuer(issuing.Certificate, key, root.Certificate))
	_, err = cba.NewIssuer(issuing.Certificate, must[crypto.Signer](t)(again.Find("root")))
	var e *cba.Error
	if !errors.As(err, &e) || e.Reason != cba.KeyMismatch {
		t.Errorf("the root's key for the issuing CA: %v", err)
	}
}

// TestCA makes a CA in one call, finds it again, and goes on after a kill between the
// key and the certificate.
func TestCA(t *testing.T) {
	hsm := open(t, softhsm(t))
	dir := filepath.Join(t.TempDir(), "ca")
	_, _, err := hsm.CA(t.Context(), dir, token.CAOptions{})
	check(t, err, token.NoCA)
	if _, err := os.Stat(dir); err == nil {
		t.Error("the folder was made")
	}
	create := token.CAOptions{Create: true, KeyType: cba.P256, Issuing: name(t, "CN=Contoso Issuing CA")}
	key := must[crypto.Signer](t)(hsm.Generate("entra-cba root", cba.P384)) // of a killed run
	root, issuing, err := hsm.CA(t.Context(), dir, create)
	if err != nil {
		t.Fatal(err)
	}
	if !root.Certificate.PublicKey.(*ecdsa.PublicKey).Equal(key.Public()) {
		t.Error("the root has another key than the one in the token")
	}
	if issuing.Certificate.Subject.CommonName != "Contoso Issuing CA" || issuing.Certificate.Issuer.CommonName != "Entra CBA Root CA" {
		t.Errorf("issuing CA %v below %v", issuing.Certificate.Subject, issuing.Certificate.Issuer)
	}
	if err := os.Remove(filepath.Join(dir, "issuingCA.crt")); err != nil {
		t.Fatal(err)
	}
	_, _, err = hsm.CA(t.Context(), dir, token.CAOptions{})
	check(t, err, token.NoCA)
	_, second, err := hsm.CA(t.Context(), dir, create)
	if err != nil || !second.Certificate.PublicKey.(*ecdsa.PublicKey).Equal(issuing.Certificate.PublicKey) {
		t.Fatalf("made again with another key: %v", err)
	}
	foundRoot, found, err := hsm.CA(t.Context(), dir, token.CAOptions{})
	if err != nil || !found.Certificate.Equal(second.Certificate) || !foundRoot.Certificate.Equal(root.Certificate) || len(found.Chain) != 1 {
		t.Fatalf("found %v, %v", found, err)
	}
	_, _, err = hsm.CA(t.Context(), dir, token.CAOptions{Label: "another"})
	check(t, err, token.NotFound)
	if keys, _ := filepath.Glob(filepath.Join(dir, "*.key")); len(keys) > 0 {
		t.Errorf("keys in files: %v", keys)
	}
}

// TestKeyTypes signs with every kind of key and verifies with the standard
// library.
func TestKeyTypes(t *testing.T) {
	hsm := open(t, softhsm(t))
	digest := sha256.Sum256([]byte("to be signed"))
	for _, keyType := range []cba.KeyType{cba.RSA2048, cba.RSA3072, cba.P256, cba.P384, cba.P521} {
		key := must[crypto.Signer](t)(hsm.Generate(keyType.String(), keyType))
		signature := must[[]byte](t)(key.Sign(nil, digest[:], crypto.SHA256))
		var ok bool
		switch pub := key.Public().(type) {
		case *rsa.PublicKey:
			ok = rsa.VerifyPKCS1v15(pub, crypto.SHA256, digest[:], signature) == nil
		case *ecdsa.PublicKey:
			ok = ecdsa.VerifyASN1(pub, digest[:], signature)
		}
		if !ok {
			t.Errorf("%v: the signature is not the key's", keyType)
		}
	}
	_, err := hsm.Generate("rsa2048", cba.RSA2048)
	check(t, err, token.Exists)
	_, err = hsm.Generate("new", 0)
	check(t, err, token.Invalid)
	_, err = hsm.Generate("", cba.P256)
	check(t, err, token.Invalid)
	_, err = hsm.Find("nothing")
	check(t, err, token.NotFound)
	_, err = hsm.Find("")
	check(t, err, token.Invalid)
}

// TestSessions has many goroutines sign over few sessions.
func TestSessions(t *testing.T) {
	config := softhsm(t)
	config.MaxSessions = 3
	hsm := open(t, config)
	key := must[crypto.Signer](t)(hsm.Generate("key", cba.P256))
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			for n := range 20 {
				digest := sha256.Sum256(fmt.Append(nil, i, n))
				signature, err := key.Sign(nil, digest[:], crypto.SHA256)
				if err != nil {
					t.Error(err)
				} else if !ecdsa.VerifyASN1(key.Public().(*ecdsa.PublicKey), digest[:], signature) {
					t.Error("the signature is of something else")
				}
			}
		})
	}
	group.Wait()
}

func TestOpenRefuses(t *testing.T) {
	config := softhsm(t)
	for _, test := range []struct {
		name string
		edit func(*token.Config)
		want token.Reason
	}{
		{"no module file", func(c *token.Config) { c.Module = "/nowhere/lib.so" }, token.NoModule},
		{"not a module", func(c *token.Config) { c.Module = os.Getenv("SOFTHSM2_CONF") }, token.NoModule},
		{"no such token", func(c *token.Config) { c.Label = "another" }, token.NoToken},
		{"no such serial number", func(c *token.Config) { c.Label, c.Serial = "", "0000" }, token.NoToken},
		{"wrong PIN", func(c *token.Config) { c.PIN = pin + "x" }, token.WrongPIN},
		{"short PIN", func(c *token.Config) { c.PIN = "1" }, token.WrongPIN},
		{"no PIN", func(c *token.Config) { c.PIN = "" }, token.Invalid},
		{"no token named", func(c *token.Config) { c.Label = "" }, token.Invalid},
		{"two names", func(c *token.Config) { c.Serial = "1" }, token.Invalid},
		{"one session", func(c *token.Config) { c.MaxSessions = 1 }, token.Invalid},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := config
			test.edit(&c)
			hsm, err := token.Open(c)
			check(t, err, test.want)
			if hsm != nil {
				hsm.Close()
			}
		})
	}
}

func TestPINIsNotPrinted(t *testing.T) {
	c := token.Config{Module: "m", Label: "l", PIN: pin}
	for _, text := range []string{fmt.Sprint(c), fmt.Sprintf("%+v %#v %s %q %x %d", c, c, c.PIN, c.PIN, c.PIN, c.PIN)} {
		if strings.Contains(text, pin) || strings.Contains(text, fmt.Sprintf("%x", pin)) {
			t.Errorf("printed: %s", text)
		}
	}
	if text, err := json.Marshal(c); err == nil {
		t.Errorf("written: %s", text)
	}
}

// shim puts a module in front of SoftHSM that fails as asked.
func shim(t *testing.T, config token.Config) token.Config {
	t.Helper()
	compiler, err := exec.LookPath("gcc")
	if err != nil {
		missing(t, "gcc is not installed")
	}
	headers := must[[]byte](t)(exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/miekg/pkcs11").Output())
	module := filepath.Join(t.TempDir(), "shim.so")
	if out, err := exec.Command(compiler, "-shared", "-fPIC", "-o", module, "-I", strings.TrimSpace(string(headers)), "testdata/shim.c", "-ldl").CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, out)
	}
	t.Setenv("SHIM_MODULE", config.Module)
	config.Module = module
	return config
}

// TestFaults fills, locks and pulls out the token.
func TestFaults(t *testing.T) {
	config := shim(t, softhsm(t))
	fault := func(t *testing.T, function string, after int, code uint) {
		t.Setenv("SHIM_FUNCTION", function)
		t.Setenv("SHIM_AFTER", fmt.Sprint(after))
		t.Setenv("SHIM_CODE", fmt.Sprintf("%x", code))
	}
	t.Run("locked", func(t *testing.T) {
		fault(t, "C_Login", 0, 0xa4)
		_, err := token.Open(config)
		check(t, err, token.Locked)
	})
	t.Run("full", func(t *testing.T) {
		fault(t, "C_GenerateKeyPair", 1, 0x31)
		hsm := open(t, config)
		must[crypto.Signer](t)(hsm.Generate("first", cba.P256))
		_, err := hsm.Generate("second", cba.P256)
		check(t, err, token.Full)
		_, err = hsm.Find("second")
		check(t, err, token.NotFound)
	})
	t.Run("no session", func(t *testing.T) {
		fault(t, "C_OpenSession", 1, 0xb1)
		hsm := open(t, config)
		_, err := hsm.Find("first")
		check(t, err, token.Busy)
	})
	t.Run("an unknown failure", func(t *testing.T) {
		fault(t, "C_Sign", 0, 0x80001234)
		hsm := open(t, config)
		key := must[crypto.Signer](t)(hsm.Find("first"))
		_, err := key.Sign(nil, make([]byte, 32), crypto.SHA256)
		check(t, err, token.Failed)
	})
	// Pulled out in the middle of a list: what was signed is in the ledger, the rest
	// fails with the reason, and goes on when the token is back.
	t.Run("gone", func(t *testing.T) {
		fault(t, "C_Sign", 11, 0x32)
		hsm := open(t, config)
		key := must[crypto.Signer](t)(hsm.Find("first"))
		root := must[*cba.Issuer](t)(cba.NewRoot(t.Context(), cba.Authority{Name: name(t, "CN=Contoso Root CA"), Key: key}))
		l := must[*sqlite.Ledger](t)(sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{}))
		defer l.Close()
		var subjects []cba.Subject
		for i := range 40 {
			subjects = append(subjects, cba.Subject{UPN: fmt.Sprintf("user%d@yourdomain.com", i)})
		}
		list := func(issuer *cba.Issuer) (issued, failed int) {
			journal := &ledger.Journal{Ledger: l}
			for result, err := range issuer.IssueAll(t.Context(), cba.Tasks(subjects...), cba.Bulk{KeyType: cba.P256, Workers: 4, Journal: journal}) {
				switch {
				case err != nil:
					check(t, err, token.Gone)
					failed++
				case !result.Skipped:
					issued++
				}
			}
			if err := journal.Release(t.Context()); err != nil {
				t.Fatal(err)
			}
			return issued, failed
		}
		if issued, failed := list(root); issued != 10 || failed != 30 {
			t.Errorf("%d issued, %d failed; want 10 and 30", issued, failed)
		}
		if err := l.Check(t.Context()); err != nil {
			t.Error(err)
		}
		hsm.Close()
		t.Setenv("SHIM_FUNCTION", "")
		back := open(t, config)
		root.Key = must[crypto.Signer](t)(back.Find("first"))
		if issued, failed := list(root); issued != 30 || failed != 0 {
			t.Errorf("%d issued, %d failed; want 30 and 0", issued, failed)
		}
	})
}

// BenchmarkIssue issues through SoftHSM and with keys in memory, and reports the
// ratio.
func BenchmarkIssue(b *testing.B) {
	hsm := open(b, softhsm(b))
	for _, keyType := range []cba.KeyType{cba.P256, cba.RSA2048, cba.RSA3072} {
		inToken := must[crypto.Signer](b)(hsm.Generate(keyType.String(), keyType))
		inMemory := must[crypto.Signer](b)(keyType.Generate())
		user := must[crypto.Signer](b)(cba.P256.Generate())
		b.Run(keyType.String(), func(b *testing.B) {
			var spent [2]time.Duration
			var issuers [2]*cba.Issuer
			for i, key := range []crypto.Signer{inMemory, inToken} {
				issuers[i] = must[*cba.Issuer](b)(cba.NewRoot(b.Context(), cba.Authority{Name: name(b, "CN=Contoso Root CA"), Key: key}))
			}
			b.ReportAllocs()
			for b.Loop() {
				for i, issuer := range issuers {
					started := time.Now()
					if _, err := issuer.Issue(b.Context(), user.Public(), cba.Subject{UPN: "jane@yourdomain.com"}, cba.Profile{}); err != nil {
						b.Fatal(err)
					}
					spent[i] += time.Since(started)
				}
			}
			b.ReportMetric(float64(spent[0].Nanoseconds())/float64(b.N), "ns/memory")
			b.ReportMetric(float64(spent[1].Nanoseconds())/float64(b.N), "ns/token")
			b.ReportMetric(float64(spent[1])/float64(spent[0]), "token/memory")
		})
	}
}
