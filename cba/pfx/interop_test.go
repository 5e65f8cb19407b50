package pfx_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"example.com/entracba/cba/internal/interop"
	"example.com/entracba/cba/pfx"
)

// A job is a file of ours that a reader shall open with a password.
type job struct {
	path     string
	password string
	enc      pfx.Encoding
	want     pfx.Bundle
	right    bool // the password is the file's
}

func (j job) String() string {
	kind := "wrong"
	if j.right {
		kind = "right"
	}
	return fmt.Sprintf("%s with the %s password", filepath.Base(j.path), kind)
}

// opened is what a reader made of a job.
type opened struct {
	ok    bool
	key   any                 // nil if the reader does not show it
	certs []*x509.Certificate // the user's first
	name  string              // "-" if the reader does not show it
}

// A reader opens our files. Its target is the line of the table that it has to
// agree with; the version of the program decides which.
type reader struct {
	name string
	open func(t *testing.T, jobs []job) (pfx.Target, []opened)
	// jobs picks some, for programs that take a second to start. Nil is all.
	jobs func(j job) bool
}

// TestReaders gives files of every encoding, key type, chain length and name to
// every program, with the right password and with a wrong one. What opens, and
// what does not, must be what the table of targets says.
func TestReaders(t *testing.T) {
	dir := t.TempDir()
	var jobs []job
	for e, password := range encodings() {
		for _, key := range []string{"rsa2048", "p256"} {
			for n := range 3 {
				for _, name := range []string{"", "Jane (Contoso)", "Jané – ключ 鍵"} {
					if name > "Jane (Contoso)" && n != 2 {
						continue
					}
					want := bundle(key, n, name)
					data, err := e.Encode(want, password)
					if err != nil {
						t.Fatal(err)
					}
					path := filepath.Join(dir, fmt.Sprintf("%v-%s-%d-%d.p12", e, key, n, len(name)))
					if err := os.WriteFile(path, data, 0o600); err != nil {
						t.Fatal(err)
					}
					jobs = append(jobs, job{path, password, e, want, true})
					// A wrong password does not depend on the contents, and
					// what has no password has no wrong one either.
					if n == 2 && name != "" && e != pfx.InsecureUnencrypted {
						jobs = append(jobs, job{path, "Sommer-2026", e, want, false})
					}
				}
			}
		}
	}
	few := func(j job) bool { return len(j.want.Chain) == 2 && j.want.FriendlyName == "Jane (Contoso)" }
	readers := []reader{
		{"openssl", openOpenSSL(false), nil},
		{"openssl-legacy", openOpenSSL(true), nil},
		{"pk12util", openNSS, nil},
		{"certtool", openGnuTLS, nil},
		{"keytool", openKeytool, few},
		{"java", openJava, nil},
		{"python", openPython, nil},
		{"node", openNode, nil},
	}
	t.Run("by", func(t *testing.T) {
		for _, r := range readers {
			t.Run(r.name, func(t *testing.T) {
				t.Parallel()
				var mine []job
				for _, j := range jobs {
					if r.jobs == nil || r.jobs(j) {
						mine = append(mine, j)
					}
				}
				target, got := r.open(t, mine)
				if len(got) != len(mine) {
					t.Fatalf("%d answers for %d files", len(got), len(mine))
				}
				reads, refused, undecided := 0, 0, 0
				for i, j := range mine {
					answer := target.Reads(j.enc)
					if r.name == "openssl-legacy" && j.enc == pfx.RC2 {
						answer = pfx.Yes
					}
					switch {
					case !j.right:
						answer = pfx.No
					case answer == pfx.Yes:
						reads++
					case answer == pfx.No:
						refused++
					default:
						undecided++
						continue
					}
					if got[i].ok != (answer == pfx.Yes) {
						t.Errorf("%v: opened %v, but the table of %v says %v", j, got[i].ok, target, answer)
						continue
					}
					if got[i].ok {
						check(t, j, got[i])
					}
				}
				if reads < 6 {
					t.Errorf("only %d files were opened", reads)
				}
				t.Logf("as %v: opened %d, refused %d, not known %d", target, reads, refused, undecided)
			})
		}
	})
}

// check compares what a reader got out of a file with what we put in.
func check(t *testing.T, j job, got opened) {
	t.Helper()
	if got.key != nil && !j.want.Key.(interface{ Equal(crypto.PrivateKey) bool }).Equal(got.key) {
		t.Errorf("%v: another key came out", j)
	}
	if len(got.certs) == 0 || !got.certs[0].Equal(j.want.Certificate) {
		t.Errorf("%v: another certificate came out", j)
	}
	if n := len(got.certs) - 1; got.key != nil && n != len(j.want.Chain) {
		t.Errorf("%v: %d chain certificates came out, want %d", j, n, len(j.want.Chain))
	}
	if got.name != "-" && !strings.EqualFold(got.name, j.want.FriendlyName) {
		t.Errorf("%v: friendly name %q, want %q", j, got.name, j.want.FriendlyName)
	}
}

// version returns the first two numbers in text.
func version(t *testing.T, text string) (major, minor int) {
	t.Helper()
	m := regexp.MustCompile(`(\d+)(?:\.(\d+))?`).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("no version in %q", text)
	}
	major, _ = strconv.Atoi(m[1])
	minor, _ = strconv.Atoi(m[2])
	return major, minor
}

// opensslTarget is the line of the table for a version of OpenSSL.
func opensslTarget(t *testing.T, text string, before, from34 pfx.Target) pfx.Target {
	t.Helper()
	if major, minor := version(t, text); major > 3 || major == 3 && minor >= 4 {
		return from34
	}
	return before
}

func openOpenSSL(legacy bool) func(t *testing.T, jobs []job) (pfx.Target, []opened) {
	return func(t *testing.T, jobs []job) (pfx.Target, []opened) {
		openssl := interop.Find(t, "openssl")
		target := opensslTarget(t, openssl.Run(t, nil, "version"), pfx.OpenSSL30, pfx.OpenSSL34)
		var all []opened
		for _, j := range jobs {
			args := []string{"pkcs12", "-in", j.path, "-passin", "env:PFX_PASSWORD", "-nodes"}
			if legacy {
				args = append(args, "-legacy")
			}
			r := openssl.Env("PFX_PASSWORD="+j.password).Try(t, nil, args...)
			o := fromPEM(t, []byte(r.Stdout))
			o.ok = r.Code == 0
			o.name = "-"
			if j.want.FriendlyName <= "Jane (Contoso)" { // others are printed in no known charset
				o.name = after(r.Stdout, "friendlyName: ")
			}
			all = append(all, o)
		}
		return target, all
	}
}

// after returns the rest of the line behind mark, or "".
func after(text, mark string) string {
	_, rest, _ := strings.Cut(text, mark)
	line, _, _ := strings.Cut(rest, "\n")
	return line
}

// fromPEM collects the keys and certificates in text that programs print.
func fromPEM(t *testing.T, text []byte) (o opened) {
	t.Helper()
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return o
		}
		var err error
		switch block.Type {
		case "CERTIFICATE":
			var c *x509.Certificate
			if c, err = x509.ParseCertificate(block.Bytes); err == nil {
				o.certs = append(o.certs, c)
			}
		case "PRIVATE KEY":
			o.key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		case "RSA PRIVATE KEY":
			o.key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
		case "EC PRIVATE KEY": // certtool leaves out the curve, which is P-256
			var sec1 struct {
				Version int
				Key     []byte
				Rest    asn1.RawValue `asn1:"optional,explicit,tag:1"`
			}
			if _, err = asn1.Unmarshal(block.Bytes, &sec1); err == nil {
				o.key, err = ecdsa.ParseRawPrivateKey(elliptic.P256(), sec1.Key)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// openNSS imports each file into a new database and looks at what is there.
// NSS names a key by the SHA-1 of its modulus or point.
func openNSS(t *testing.T, jobs []job) (pfx.Target, []opened) {
	certutil, pk12util := interop.Find(t, "certutil"), interop.Find(t, "pk12util")
	empty := t.TempDir()
	certutil.Run(t, nil, "-N", "-d", empty, "--empty-password")
	var all []opened
	for _, j := range jobs {
		db := t.TempDir()
		if err := os.CopyFS(db, os.DirFS(empty)); err != nil {
			t.Fatal(err)
		}
		password := interop.File(t, "password", []byte(j.password+"\n"))
		o := opened{ok: pk12util.Try(t, nil, "-i", j.path, "-d", db, "-w", password).Code == 0}
		if o.ok && j.right {
			nick := j.want.FriendlyName
			if nick == "" {
				nick = j.want.Certificate.Subject.CommonName + " - Contoso" // what NSS makes up
			}
			for _, c := range append([]*x509.Certificate{j.want.Certificate}, j.want.Chain...) {
				name := nick
				if c.IsCA {
					name = c.Subject.CommonName + " - Contoso"
				}
				der := certutil.Run(t, nil, "-L", "-r", "-d", db, "-n", name)
				got, err := x509.ParseCertificate([]byte(der))
				if err != nil {
					t.Fatal(err)
				}
				o.certs = append(o.certs, got)
			}
			var public []byte
			switch k := j.want.Certificate.PublicKey.(type) {
			case *rsa.PublicKey:
				public = k.N.Bytes()
			case *ecdsa.PublicKey:
				public, _ = k.Bytes()
			}
			if keys := certutil.Run(t, nil, "-K", "-d", db); strings.Contains(keys, fmt.Sprintf("%x   %s\n", sha1.Sum(public), nick)) {
				o.key = j.want.Key
			} else {
				t.Errorf("%v: NSS has the keys\n%s", j, keys)
			}
			o.name = j.want.FriendlyName // by which it was found
		}
		all = append(all, o)
	}
	// pk12util does not say its version. If one that reads PBMAC1 comes along,
	// the table's line for it is nss-3.101.
	target := pfx.Firefox
	for i, j := range jobs {
		if j.right && j.enc == pfx.PBMAC1 && all[i].ok {
			target = pfx.NSS3101
		}
	}
	return target, all
}

func openGnuTLS(t *testing.T, jobs []job) (pfx.Target, []opened) {
	certtool := interop.Find(t, "certtool")
	target := pfx.GnuTLS37
	if _, minor := version(t, certtool.Run(t, nil, "--version")); minor > 7 {
		target = pfx.GnuTLS38
	}
	var all []opened
	for _, j := range jobs {
		// certtool asks for the password, and takes it from standard input.
		r := certtool.Try(t, []byte(j.password+"\n"), "--p12-info", "--inder", "--infile", j.path)
		o := fromPEM(t, []byte(r.Stdout))
		o.ok = r.Code == 0
		o.name = after(r.Stdout, "Friendly name: ")
		if _, encrypted, found := strings.Cut(r.Stdout, "-----BEGIN ENCRYPTED PRIVATE KEY-----"); o.ok && found {
			path := interop.File(t, "key.pem", []byte("-----BEGIN ENCRYPTED PRIVATE KEY-----"+encrypted))
			o.key = fromPEM(t, []byte(certtool.Run(t, []byte(j.password+"\n"), "--key-info", "--pkcs8", "--infile", path))).key
		}
		if o.ok && o.key == nil {
			t.Errorf("%v: no key", j)
		}
		all = append(all, o)
	}
	return target, all
}

// javaTarget is the line of the table for a version of Java.
func javaTarget(t *testing.T, text string) pfx.Target {
	t.Helper()
	switch major, _ := version(t, text); {
	case major >= 26:
		return pfx.Java26
	case major >= 12:
		return pfx.Java12
	}
	return pfx.Java8
}

func openKeytool(t *testing.T, jobs []job) (pfx.Target, []opened) {
	keytool, java := interop.Find(t, "keytool"), interop.Find(t, "java")
	target := javaTarget(t, java.Try(t, nil, "-version").Stderr)
	var all []opened
	for _, j := range jobs {
		r := keytool.Env("PFX_PASSWORD="+j.password).Try(t, nil, "-list", "-rfc", "-keystore", j.path, "-storepass:env", "PFX_PASSWORD")
		o := fromPEM(t, []byte(r.Stdout))
		o.ok = r.Code == 0 && strings.Contains(r.Stdout, "PrivateKeyEntry")
		o.name = after(r.Stdout, "Alias name: ")
		all = append(all, o)
	}
	return target, all
}

// openJava runs one Java program over all files. It needs a JDK: with a JRE
// alone, keytool is what tests Java.
func openJava(t *testing.T, jobs []job) (pfx.Target, []opened) {
	java := interop.Find(t, "java")
	if !strings.Contains(java.Run(t, nil, "--list-modules"), "jdk.compiler") {
		t.Skip("no Java compiler is installed; keytool is tested")
	}
	first, all := batch(t, java, jobs, filepath.Join("testdata", "ReadPfx.java"))
	for i, j := range jobs {
		if all[i].name == "1" && j.want.FriendlyName == "" {
			all[i].name = "" // Java numbers what has no name
		}
	}
	return javaTarget(t, first), all
}

func openPython(t *testing.T, jobs []job) (pfx.Target, []opened) {
	first, all := batch(t, interop.Python(t), jobs, filepath.Join("testdata", "read_pfx.py"))
	for i := range all {
		all[i].name = "-"
	}
	return opensslTarget(t, first, pfx.Python38, pfx.Python48), all
}

func openNode(t *testing.T, jobs []job) (pfx.Target, []opened) {
	first, all := batch(t, interop.Find(t, "node", "nodejs"), jobs, filepath.Join("testdata", "read_pfx.js"))
	for i := range all {
		all[i].name = "-"
	}
	return opensslTarget(t, first, pfx.Node18, pfx.Node24), all
}

// batch runs a program of testdata once over all jobs. It returns the first
// line, with the version, and the answers.
func batch(t *testing.T, tool interop.Tool, jobs []job, program string) (first string, all []opened) {
	t.Helper()
	var in strings.Builder
	for _, j := range jobs {
		fmt.Fprintf(&in, "%s\t%s\n", j.path, j.password)
	}
	lines := strings.Split(strings.TrimSuffix(tool.Run(t, []byte(in.String()), program), "\n"), "\n")
	b64 := func(s string) []byte {
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, line := range lines[1:] {
		fields := strings.Split(line, "\t")
		if len(fields) != 4 {
			t.Fatalf("%s answers %q", program, line)
		}
		o := opened{ok: fields[0] == "1", name: string(b64(fields[3]))}
		var err error
		if fields[1] != "" {
			if o.key, err = x509.ParsePKCS8PrivateKey(b64(fields[1])); err != nil {
				t.Fatal(err)
			}
		}
		if fields[2] != "" {
			for c := range strings.SplitSeq(fields[2], ",") {
				cert, err := x509.ParseCertificate(b64(c))
				if err != nil {
					t.Fatal(err)
				}
				o.certs = append(o.certs, cert)
			}
		}
		all = append(all, o)
	}
	return lines[0], all
}
