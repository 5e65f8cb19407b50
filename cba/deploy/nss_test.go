package deploy_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba/deploy"
	"example.com/entracba/cba/internal/interop"
	"example.com/entracba/cba/pfx"
)

// A desk is a home folder, and the folder that deliver -to linux wrote.
type desk struct {
	t                 testing.TB
	home, bin, folder string
	env               []string
}

// newDesk needs the real tools. No browser is on its PATH.
func newDesk(t testing.TB, p deploy.Package, o deploy.Options) *desk {
	t.Helper()
	interop.Find(t, "certutil")
	d := &desk{t: t, home: t.TempDir(), bin: t.TempDir(), folder: filepath.Join(t.TempDir(), "a folder")}
	for _, tool := range []string{"sh", "certutil", "pk12util", "awk", "cat", "cp", "cut", "dirname", "grep", "head", "id", "mkdir", "mktemp", "mv", "rm", "sed", "stty", "tr", "wc"} {
		path, err := exec.LookPath(tool)
		if err != nil {
			interop.Missing(t, "no %s", tool)
		}
		if err := os.Symlink(path, filepath.Join(d.bin, tool)); err != nil {
			t.Fatal(err)
		}
	}
	files, err := p.Artefacts(deploy.Linux, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		write(t, d.folder, f.Name, f.Content, f.Mode)
	}
	return d
}

func (d *desk) command(in string, args ...string) *exec.Cmd {
	command := exec.Command(args[0], args[1:]...)
	command.Dir, command.Stdin = d.home, strings.NewReader(in)
	command.Env = append([]string{"PATH=" + d.bin, "HOME=" + d.home, "TMPDIR=" + d.bin}, d.env...)
	return command
}

// install runs the script and returns what it says.
func (d *desk) install(sh, in string, args ...string) (string, int) {
	d.t.Helper()
	command := d.command(in, append([]string{sh, filepath.Join(d.folder, "install.sh")}, args...)...)
	out, err := command.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !asExit(err, &exit) {
		d.t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(d.bin, "tmp*")); len(left) != 0 {
		d.t.Errorf("left behind: %q", left)
	}
	return strings.ReplaceAll(string(out), d.home, "~"), command.ProcessState.ExitCode()
}

func asExit(err error, exit **exec.ExitError) bool {
	e, ok := err.(*exec.ExitError)
	*exit = e
	return ok
}

// database makes one below the home folder, with the primary password if there is one.
func (d *desk) database(folder, primary string) {
	d.t.Helper()
	path := filepath.Join(d.home, folder)
	if err := os.MkdirAll(path, 0o700); err != nil {
		d.t.Fatal(err)
	}
	args := []string{"certutil", "-N", "-d", "sql:" + path, "--empty-password"}
	if primary != "" {
		args = append(args[:4], "-f", write(d.t, d.t.TempDir(), "primary", []byte(primary+"\n"), 0o600))
	}
	if out, err := d.command("", args...).CombinedOutput(); err != nil {
		d.t.Fatalf("%v\n%s", err, out)
	}
}

// tree hashes everything below the home folder.
func (d *desk) tree() string {
	h := sha256.New()
	fs.WalkDir(os.DirFS(d.home), ".", func(path string, e fs.DirEntry, err error) error {
		b, _ := os.ReadFile(filepath.Join(d.home, path))
		fmt.Fprintln(h, path, len(b))
		h.Write(b)
		return err
	})
	return fmt.Sprintf("%x", h.Sum(nil))
}

// databases lists the folders with a database.
func (d *desk) databases() (all []string) {
	fs.WalkDir(os.DirFS(d.home), ".", func(path string, e fs.DirEntry, err error) error {
		if e.Name() == "cert9.db" {
			all = append(all, filepath.Dir(path))
		}
		return err
	})
	return all
}

func (d *desk) list(folder string) string {
	out, err := d.command("", "certutil", "-L", "-d", "sql:"+filepath.Join(d.home, folder)).CombinedOutput()
	if err != nil {
		d.t.Errorf("certutil -L: %v\n%s", err, out)
	}
	return string(out)
}

func TestNSSDatabasesThatBrowsersRead(t *testing.T) {
	p := jane(t, "abcdefghijkmnpqrstuvwxyz")
	const shared = "Chromium, Chrome, Edge, Brave"
	ini := func(d *desk, base, text string) {
		write(t, filepath.Join(d.home, base), "profiles.ini", []byte(text), 0o600)
	}
	for _, test := range []struct {
		name    string
		prepare func(d *desk)
		want    []string // "browser: folder", as the script lists them
		others  []string // databases that it leaves alone
	}{
		{"nothing", func(d *desk) {}, []string{shared + ": ~/.pki/nssdb"}, nil},
		{"the old place", func(d *desk) { d.database(".pki/nssdb", "") }, []string{shared + ": ~/.pki/nssdb"}, nil},
		{"the new place: the old one would hide it", func(d *desk) { d.database(".local/share/pki/nssdb", "") }, []string{shared + ": ~/.local/share/pki/nssdb"}, nil},
		{"both: browsers read the old one", func(d *desk) { d.database(".pki/nssdb", ""); d.database(".local/share/pki/nssdb", "") },
			[]string{shared + ": ~/.pki/nssdb"}, []string{".local/share/pki/nssdb"}},
		{"the old folder, empty, beside the new: seen with Chromium 148", func(d *desk) {
			d.database(".local/share/pki/nssdb", "")
			os.MkdirAll(filepath.Join(d.home, ".pki/nssdb"), 0o700)
		}, []string{shared + ": ~/.pki/nssdb"}, []string{".local/share/pki/nssdb"}},
		{"XDG_DATA_HOME", func(d *desk) {
			d.env = append(d.env, "XDG_DATA_HOME="+filepath.Join(d.home, "my data"))
			d.database("my data/pki/nssdb", "")
		}, []string{shared + ": ~/my data/pki/nssdb"}, nil},
		{"a browser that was never started, and Firefox", func(d *desk) {
			write(t, d.bin, "chromium", []byte("#!/bin/sh\n"), 0o700)
			ini(d, ".mozilla/firefox", "[Profile0]\nIsRelative=1\nPath=a\n")
			d.database(".mozilla/firefox/a", "")
		}, []string{"Firefox: ~/.mozilla/firefox/a", shared + ": ~/.pki/nssdb"}, nil},
		{"Firefox alone: profiles in use, relative and absolute, with CRLF", func(d *desk) {
			ini(d, ".mozilla/firefox", "[Install4F96D1932A9F858E]\r\nDefault=Profiles/x.default-release\r\nLocked=1\r\n\r\n[Profile1]\r\nName=default\r\nIsRelative=1\r\nPath=unused.default\r\nDefault=1\r\n\r\n"+
				"[Profile0]\r\nName=default-release\r\nIsRelative=1\r\nPath=Profiles/x.default-release\r\n\r\n[General]\r\nVersion=2\r\n\r\n[Profile2]\r\nName=far\r\nIsRelative=0\r\nPath="+d.home+"/far away/y\r\n")
			d.database(".mozilla/firefox/Profiles/x.default-release", "")
			d.database("far away/y", "")
			os.MkdirAll(filepath.Join(d.home, ".mozilla/firefox/unused.default"), 0o700)
		}, []string{"Firefox: ~/.mozilla/firefox/Profiles/x.default-release", "Firefox: ~/far away/y"}, nil},
		{"Firefox 147 and later, never started", func(d *desk) {
			ini(d, ".config/mozilla/firefox", "[Profile0]\nIsRelative=1\nPath=a b.default\n[Profile1]\nPath=gone\nIsRelative=1\n")
			os.MkdirAll(filepath.Join(d.home, ".config/mozilla/firefox/a b.default"), 0o700)
		}, []string{"Firefox: ~/.config/mozilla/firefox/a b.default"}, nil},
		{"Snap and Flatpak", func(d *desk) {
			ini(d, "snap/firefox/common/.mozilla/firefox", "[Profile0]\nIsRelative=1\nPath=s\n")
			d.database("snap/firefox/common/.mozilla/firefox/s", "")
			ini(d, ".var/app/org.mozilla.firefox/.mozilla/firefox", "[Profile0]\nIsRelative=1\nPath=f\n")
			d.database(".var/app/org.mozilla.firefox/.mozilla/firefox/f", "")
			os.MkdirAll(filepath.Join(d.home, "snap/chromium/current"), 0o700)
			d.database(".var/app/com.google.Chrome/data/pki/nssdb", "")
		}, []string{"Firefox: ~/snap/firefox/common/.mozilla/firefox/s", "Firefox: ~/.var/app/org.mozilla.firefox/.mozilla/firefox/f",
			"snap/chromium/current: ~/snap/chromium/current/.local/share/pki/nssdb", "com.google.Chrome: ~/.var/app/com.google.Chrome/data/pki/nssdb"}, nil},
		{"one database by its name, relative", func(d *desk) { d.env = append(d.env, "NSSDB=here/it is") }, []string{"NSSDB: ~/here/it is"}, nil},
		{"one database as certutil names it", func(d *desk) { d.env = append(d.env, "NSSDB=sql:"+d.home+"/here") }, []string{"NSSDB: ~/here"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel() // NSS waits for the disk
			for i, sh := range shells(t) {
				d := newDesk(t, p, deploy.Options{EmbedPassword: true})
				test.prepare(d)
				want := []string{}
				for _, line := range test.want {
					_, folder, _ := strings.Cut(line, ": ~/")
					want = append(want, folder)
				}
				before := d.tree()
				out, code := d.install(sh, "", "-check")
				if code != 1 || d.tree() != before || strings.Count(out, "missing\t") != len(want) {
					t.Errorf("%s -check: exit status %d, changed %v\n%s", sh, code, d.tree() != before, out)
				}
				out, code = d.install(sh, "")
				var got []string
				for line := range strings.Lines(out) {
					if strings.Contains(line, ": ~/") {
						got = append(got, strings.TrimSpace(line))
					}
				}
				if code != 0 || !slices.Equal(got, test.want) || strings.Count(out, "< 0> ec ") != len(test.want) {
					t.Fatalf("%s: exit status %d, want %q:\n%s", sh, code, test.want, out)
				}
				if strings.Contains(out, "is not used: browsers read") != (len(test.others) > 0) {
					t.Errorf("%s: what is not read is not told:\n%s", sh, out)
				}
				if got, want := d.databases(), slices.Concat(want, test.others); !slices.Equal(sorted(got), sorted(want)) {
					t.Errorf("%s: databases %q, want %q", sh, got, want)
				}
				for _, folder := range want {
					if out := d.list(folder); !strings.Contains(out, "T,,") || !strings.Contains(out, "u,u,u") {
						t.Errorf("%s: %s has\n%s", sh, folder, out)
					}
					if i > 0 {
						continue // the same database
					}
					if state := handshake(t, p, filepath.Join(d.home, folder)); len(state.PeerCertificates) == 0 || !bytes.Equal(state.PeerCertificates[0].Raw, p.Certificate.Raw) {
						t.Errorf("%s: the server did not get the certificate from %s", sh, folder)
					}
				}
				for _, folder := range test.others {
					if out := d.list(folder); strings.Contains(out, "u,u,u") {
						t.Errorf("%s: %s has\n%s", sh, folder, out)
					}
				}
				if out, code = d.install(sh, "", "-check"); code != 0 || strings.Count(out, "found\t") != len(want) {
					t.Errorf("%s -check: exit status %d\n%s", sh, code, out)
				}
				// A second run changes nothing and fails at nothing.
				if out, code = d.install(sh, ""); code != 0 {
					t.Errorf("%s again: exit status %d\n%s", sh, code, out)
				}
			}
		})
	}
}

// Another certificate with the same key and name is not this one.
func TestNSSCheckComparesTheCertificate(t *testing.T) {
	t.Parallel()
	p := jane(t, "abcdefghijkmnpqrstuvwxyz")
	d := newDesk(t, p, deploy.Options{EmbedPassword: true})
	if out, code := d.install("sh", ""); code != 0 {
		t.Fatal(out)
	}
	bundle, err := pfx.Decode(p.PFX, p.Password)
	if err != nil {
		t.Fatal(err)
	}
	renewed := p // with the same key
	renewed.Certificate = issue(t, &x509.Certificate{Subject: pkix.Name{CommonName: p.UPN}}, bundle.Key.(*ecdsa.PrivateKey), newAuthority(t, rootSubject, nil))
	var script []byte
	for _, next := range []deploy.Package{jane(t, "abcdefghijkmnpqrstuvwxyz"), renewed} {
		if script, err = next.NSSScript(deploy.Options{}); err != nil {
			t.Fatal(err)
		}
		// As a script on the standard input, without its folder.
		command := d.command(string(script), "sh", "-s", "--", "-check")
		if out, err := command.CombinedOutput(); command.ProcessState.ExitCode() != 1 || !strings.HasPrefix(string(out), "missing\t") {
			t.Errorf("%v\n%s", err, out)
		}
	}
	script, err = p.NSSScript(deploy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	command := d.command(string(script), "sh", "-s", "--", "-check")
	if out, err := command.CombinedOutput(); err != nil || !strings.HasPrefix(string(out), "found\t") {
		t.Errorf("%v\n%s", err, out)
	}
}

// The name of the key is that of NSS for every kind of key.
func TestNSSKeys(t *testing.T) {
	t.Parallel()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	root := newAuthority(t, rootSubject, nil)
	for _, key := range []crypto.Signer{rsaKey, p384} {
		der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "jane"}, NotAfter: time.Now().Add(time.Hour)},
			root.cert, key.Public(), root.key)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		data, err := pfx.Compatible.Encode(pfx.Bundle{Key: key, Certificate: cert}, "abcdefghijkmnpqrstuvwxyz") // no friendly name
		if err != nil {
			t.Fatal(err)
		}
		d := newDesk(t, deploy.Package{UPN: "jane@yourdomain.com", PFX: data, Password: "abcdefghijkmnpqrstuvwxyz", Certificate: cert, Root: root.cert}, deploy.Options{EmbedPassword: true})
		if out, code := d.install("sh", ""); code != 0 || !strings.Contains(out, "< 0> ") {
			t.Errorf("%T: exit status %d\n%s", key, code, out)
		}
	}
}

// After a renewal both certificates are there, and the script says which browsers take.
func TestNSSRenewed(t *testing.T) {
	t.Parallel()
	first := newDesk(t, jane(t, "abcdefghijkmnpqrstuvwxyz"), deploy.Options{EmbedPassword: true})
	next := newDesk(t, jane(t, "abcdefghijkmnpqrstuvwxyz"), deploy.Options{EmbedPassword: true})
	next.home = first.home
	if out, code := first.install("sh", ""); code != 0 || strings.Contains(out, "Another certificate") {
		t.Fatalf("exit status %d\n%s", code, out)
	}
	if out, code := next.install("sh", ""); code != 0 || strings.Count(out, "< ") != 1 || !strings.Contains(out, "Another certificate of the same name") {
		t.Errorf("exit status %d\n%s", code, out)
	}
	for _, d := range []*desk{first, next} {
		if out, code := d.install("sh", "", "-check"); code != 0 {
			t.Errorf("exit status %d\n%s", code, out)
		}
	}
}

func TestNSSPrimaryPassword(t *testing.T) {
	t.Parallel()
	p := jane(t, "abcdefghijkmnpqrstuvwxyz")
	const profile = ".mozilla/firefox/p"
	prepare := func() *desk {
		d := newDesk(t, p, deploy.Options{})
		write(t, filepath.Join(d.home, ".mozilla/firefox"), "profiles.ini", []byte("[Profile0]\nIsRelative=1\nPath=p\n"), 0o600)
		d.database(profile, "primary 1")
		d.database(".pki/nssdb", "")
		return d
	}
	// Nobody to ask: said before anything is written, also into the other database.
	d := prepare()
	before := d.tree()
	for _, sh := range shells(t) {
		out, code := d.install(sh, p.Password+"\n")
		if code != 1 || !strings.Contains(out, "has a primary password: ~/"+profile) || !strings.Contains(out, "Nothing was written") || d.tree() != before {
			t.Errorf("%s: exit status %d, changed %v\n%s", sh, code, d.tree() != before, out)
		}
		if out, code = d.install(sh, "", "-check"); code != 1 || !strings.Contains(out, "locked\tFirefox\t~/"+profile) || d.tree() != before {
			t.Errorf("%s -check: exit status %d\n%s", sh, code, out)
		}
	}
	// A wrong one in the file.
	d.env = []string{"NSSDB_PASSWORD_FILE=wrong"}
	write(t, d.home, "wrong", []byte("primary 2\n"), 0o600)
	before = d.tree()
	if out, code := d.install("sh", p.Password+"\n"); code != 1 || !strings.Contains(out, "has a primary password") || d.tree() != before {
		t.Errorf("exit status %d\n%s", code, out)
	}
	// The right one, relative to where the script is called.
	d.env = []string{"NSSDB_PASSWORD_FILE=right"}
	write(t, d.home, "right", []byte("primary 1\n"), 0o600)
	if out, code := d.install("sh", p.Password+"\n"); code != 0 || strings.Count(out, "< 0> ec ") != 2 {
		t.Errorf("exit status %d\n%s", code, out)
	}
	if out, code := d.install("sh", "", "-check"); code != 0 {
		t.Errorf("exit status %d\n%s", code, out)
	}
	// In a terminal it is asked for, and not shown. A mistake is no end.
	python := interop.Python(t)
	d = prepare()
	lines, _ := json.Marshal([][]string{{"Primary password of Firefox: ", "wrong"}, {"Primary password of Firefox: ", "primary 1"},
		{"Password of jane-cba.pfx: ", "wrong"}, {"Password of jane-cba.pfx: ", p.Password}})
	r := python.Env(d.command("", "sh").Env...).Try(t, nil, "testdata/type.py", string(lines), filepath.Join(d.bin, "sh"), filepath.Join(d.folder, "install.sh"))
	if r.Code != 0 || strings.Contains(r.Stdout, "primary 1") || strings.Contains(r.Stdout, p.Password) || strings.Count(r.Stdout, "< 0> ec ") != 2 {
		t.Errorf("exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
}

// What cannot work is said before anything is written.
func TestNSSNothingHalfWritten(t *testing.T) {
	t.Parallel()
	p := jane(t, "abcdefghijkmnpqrstuvwxyz")
	d := newDesk(t, p, deploy.Options{})
	before := d.tree()
	for _, sh := range shells(t) {
		for in, want := range map[string]string{"wrong\n": "does not open jane-cba.pfx", "": "There is no password of jane-cba.pfx"} {
			out, code := d.install(sh, in)
			if code != 1 || !strings.Contains(out, want) || !strings.Contains(out, "Nothing was written") || d.tree() != before {
				t.Errorf("%s, %q: exit status %d, changed %v\n%s", sh, in, code, d.tree() != before, out)
			}
		}
		if out, code := d.install(sh, "", "-nonsense"); code != 1 || !strings.Contains(out, "usage") {
			t.Errorf("%s: exit status %d\n%s", sh, code, out)
		}
	}
	// A file that is no database.
	write(t, d.home, ".pki/nssdb/cert9.db", []byte("not a database, and long enough to be read as one"), 0o600)
	write(t, d.home, ".pki/nssdb/key4.db", []byte("not a database, and long enough to be read as one"), 0o600)
	before = d.tree()
	if out, code := d.install("sh", p.Password+"\n"); code != 1 || !strings.Contains(out, "cannot be read") || !strings.Contains(out, "Nothing was written") {
		t.Errorf("exit status %d, changed %v\n%s", code, d.tree() != before, out)
	}
	if out, code := d.install("sh", "", "-check"); code != 1 || !strings.HasPrefix(out, "unreadable\t") {
		t.Errorf("-check: exit status %d\n%s", code, out)
	}
	os.RemoveAll(filepath.Join(d.home, ".pki"))
	// The password without a line end, from a pipe.
	if out, code := d.install("sh", p.Password); code != 0 {
		t.Errorf("exit status %d\n%s", code, out)
	}
	d.env = []string{"NSSDB=dbm:" + d.home}
	if out, code := d.install("sh", p.Password); code != 1 || !strings.Contains(out, "format of old NSS") {
		t.Errorf("exit status %d\n%s", code, out)
	}
	d.env = nil
	// A tool that is missing.
	os.Remove(filepath.Join(d.bin, "pk12util"))
	if out, code := d.install("sh", p.Password); code != 1 || !strings.Contains(out, "libnss3-tools") {
		t.Errorf("exit status %d\n%s", code, out)
	}
	// sudo would fill the store of root.
	if os.Getuid() == 0 {
		d.env = []string{"SUDO_USER=jane"}
		if out, code := d.install("sh", p.Password); code != 1 || !strings.Contains(out, "without sudo") {
			t.Errorf("exit status %d\n%s", code, out)
		}
	}
}

// What is in the place of a new database stays: the key of Firefox's passwords, whose cert9.db
// somebody deleted, and the list of modules.
func TestNSSNothingReplaced(t *testing.T) {
	t.Parallel()
	p := jane(t, "abcdefghijkmnpqrstuvwxyz")
	d := newDesk(t, p, deploy.Options{EmbedPassword: true})
	d.database(".pki/nssdb", "")
	db := filepath.Join(d.home, ".pki/nssdb")
	if err := os.Remove(filepath.Join(db, "cert9.db")); err != nil {
		t.Fatal(err)
	}
	before := d.tree()
	if out, code := d.install("sh", ""); code != 1 || !strings.Contains(out, "key4.db") || !strings.Contains(out, "Nothing was written") || d.tree() != before {
		t.Errorf("exit status %d, changed %v\n%s", code, d.tree() != before, out)
	}
	if out, code := d.install("sh", "", "-check"); code != 1 || !strings.HasPrefix(out, "missing\t") || d.tree() != before {
		t.Errorf("-check: exit status %d, changed %v\n%s", code, d.tree() != before, out)
	}
	if err := os.Remove(filepath.Join(db, "key4.db")); err != nil {
		t.Fatal(err)
	}
	modules, err := os.ReadFile(filepath.Join(db, "pkcs11.txt"))
	if err != nil {
		t.Fatal(err)
	}
	modules = append(modules, "\nname=Mine\nlibrary=/nowhere/mine.so\n\n"...)
	write(t, d.home, ".pki/nssdb/pkcs11.txt", modules, 0o600)
	if out, code := d.install("sh", ""); code != 0 {
		t.Errorf("exit status %d\n%s", code, out)
	}
	if now, err := os.ReadFile(filepath.Join(db, "pkcs11.txt")); err != nil || !strings.Contains(string(now), "mine.so") {
		t.Errorf("%v\n%s", err, now)
	}
}

// A database that the user cannot write is told before another one is written.
func TestNSSReadOnly(t *testing.T) {
	t.Parallel()
	p := jane(t, "abcdefghijkmnpqrstuvwxyz")
	var as []string
	if os.Getuid() == 0 { // root may write everything
		setpriv, err := exec.LookPath("setpriv")
		if err != nil {
			interop.Missing(t, "no setpriv")
		}
		as = []string{setpriv, "--reuid=65534", "--regid=65534", "--clear-groups"}
	}
	const data = ".local/share/pki/nssdb"
	for what, readOnly := range map[string]string{
		"the folder": "ff/x", "cert9.db": "ff/x/cert9.db", "key4.db": "ff/x/key4.db",
		"the folder above a new database": ".",
	} {
		d := newDesk(t, p, deploy.Options{EmbedPassword: true})
		write(t, d.home, ".mozilla/firefox/profiles.ini", []byte("[Profile0]\nIsRelative=0\nPath="+filepath.Join(d.home, "ff/x")+"\n"), 0o600)
		d.database("ff/x", "")
		if readOnly == "." {
			write(t, d.bin, "chromium", nil, 0o755) // its database is to be made
		} else {
			d.database(data, "")
		}
		if as != nil {
			filepath.WalkDir(filepath.Dir(d.home), func(path string, e fs.DirEntry, err error) error { // all that the test made
				return os.Lchown(path, 65534, 65534)
			})
		}
		path := filepath.Join(d.home, readOnly)
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		os.Chmod(path, info.Mode()&^0o222)
		before := d.tree()
		command := d.command("", append(as, "sh", filepath.Join(d.folder, "install.sh"))...)
		out, err := command.CombinedOutput()
		os.Chmod(path, info.Mode())
		if err == nil || !strings.Contains(string(out), "cannot be written. Nothing was written") || d.tree() != before {
			t.Errorf("%s: %v, changed %v\n%s", what, err, d.tree() != before, out)
		}
	}
}

// Whatever the password, NSS reads exactly it.
func TestNSSScriptPasswords(t *testing.T) {
	t.Parallel()
	refused := 0
	for i, password := range passwords {
		p := jane(t, "abcdefghijkmnpqrstuvwxyz")
		bundle, err := pfx.Decode(p.PFX, p.Password)
		if err != nil {
			t.Fatal(err)
		}
		p.Password = password
		if strings.ContainsAny(password, "\r\n") {
			if _, err := p.NSSScript(deploy.Options{EmbedPassword: true}); reason(err) != deploy.UnfitPassword {
				t.Errorf("%q: %v", password, err)
			}
			refused++
			continue
		}
		// OpenSSL takes passwords that package pfx refuses to write.
		key, err := x509.MarshalPKCS8PrivateKey(bundle.Key)
		if err != nil {
			t.Fatal(err)
		}
		input := append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Certificate.Raw})...)
		p.PFX = []byte(interop.Find(t, "openssl").Run(t, input, "pkcs12", "-export", "-name", "jane", "-passout", "file:"+interop.File(t, "password", []byte(password))))
		sh := shells(t)
		embed := i%2 == 0
		d := newDesk(t, p, deploy.Options{EmbedPassword: embed})
		in := ""
		if !embed {
			in = password + "\n"
		}
		if out, code := d.install(sh[i/2%len(sh)], in); code != 0 {
			t.Errorf("%q: exit status %d\n%s", password, code, out)
		}
	}
	if refused != 2 {
		t.Errorf("%d passwords refused", refused)
	}
}

// The name of a root is one argument, to the letter, whatever a shell would do with
// it, and no command in it runs.
func TestRootNamesInAShell(t *testing.T) {
	t.Parallel()
	for i, name := range []string{"O'Brien", "O''Brien's CA", `"quoted"`, "$(pwned)", "`pwned`", "a; pwned", `a\'b`, "'; pwned; '", "-n", "$HOME", `%s\n`, "ü ’", "two  spaces"} {
		p := jane(t, "abcdefghijkmnpqrstuvwxyz")
		p.Root = newAuthority(t, pkix.Name{CommonName: name}, nil).cert
		d := newDesk(t, p, deploy.Options{EmbedPassword: true})
		pwned := filepath.Join(d.home, "pwned")
		write(t, d.bin, "pwned", []byte("#!/bin/sh\n: >'"+pwned+"'\n"), 0o700)
		sh := shells(t)
		out, code := d.install(sh[i%len(sh)], "")
		if code != 0 {
			t.Errorf("%q: exit status %d\n%s", name, code, out)
		}
		if _, err := os.Stat(pwned); err == nil {
			t.Errorf("%q: a command in the name ran", name)
		}
		if got := d.list(".pki/nssdb"); !slices.ContainsFunc(strings.Split(got, "\n"), func(line string) bool {
			nick, ok := strings.CutSuffix(strings.TrimSpace(line), " T,,")
			return ok && strings.TrimRight(nick, " ") == name
		}) {
			t.Errorf("%q: the database has\n%s", name, got)
		}
	}
}

// What a person trusts already keeps its trust, whatever its name, and a name that another
// certificate has is no obstacle.
func TestNSSRootIsThere(t *testing.T) {
	t.Parallel()
	p := jane(t, "abcdefghijkmnpqrstuvwxyz")
	bundle, err := pfx.Decode(p.PFX, p.Password)
	if err != nil {
		t.Fatal(err)
	}
	// Without the root, which comes from its file alone, and by the name of the root.
	bundle.Chain, bundle.FriendlyName = nil, rootSubject.CommonName
	bare := p
	if bare.PFX, err = pfx.Compatible.Encode(bundle, p.Password); err != nil {
		t.Fatal(err)
	}
	other := func(organization string) *x509.Certificate {
		return newAuthority(t, pkix.Name{CommonName: rootSubject.CommonName, Organization: []string{organization}}, nil).cert
	}
	for name, test := range map[string]struct {
		p              deploy.Package
		there          *x509.Certificate
		nickname       string
		trust          string
		want, nickWant string // trust of the root in the end, and of the other one
	}{
		"the root, trusted for servers":    {p, p.Root, "mine", "CT,C,C", "CT,C,C", ""},
		"the root, for servers alone":      {bare, p.Root, "mine", "C,,", "C,,", ""},
		"the root, not trusted":            {p, p.Root, "mine", ",,", "T,,", ""},
		"a CA of the same name":            {bare, other("Other"), rootSubject.CommonName, "CT,C,C", "T,,", "CT,C,C"},
		"an earlier root of the same name": {p, other("Contoso"), rootSubject.CommonName, "CT,C,C", "T,,", "CT,C,C"},
		"its friendly name is the root's":  {bare, other("Third"), "third", "CT,C,C", "T,,", "CT,C,C"},
	} {
		d := newDesk(t, test.p, deploy.Options{EmbedPassword: true})
		d.database(".pki/nssdb", "")
		db := "sql:" + filepath.Join(d.home, ".pki/nssdb")
		if out, err := d.command("", "certutil", "-A", "-d", db, "-n", test.nickname, "-t", test.trust, "-i", write(t, t.TempDir(), "c", test.there.Raw, 0o600)).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		for range 2 { // and again
			if out, code := d.install(shells(t)[0], ""); code != 0 {
				t.Errorf("%s: exit status %d\n%s", name, code, out)
			}
		}
		trusts := []string{}
		for line := range strings.Lines(d.list(".pki/nssdb")) {
			if words := strings.Fields(line); len(words) > 1 && strings.Count(words[len(words)-1], ",") == 2 && words[len(words)-1] != "u,u,u" {
				trusts = append(trusts, words[len(words)-1])
			}
		}
		want := []string{test.want}
		if test.nickWant != "" {
			want = append(want, test.nickWant)
		}
		slices.Sort(trusts)
		slices.Sort(want)
		if !slices.Equal(trusts, want) {
			t.Errorf("%s: trust %q, want %q\n%s", name, trusts, want, d.list(".pki/nssdb"))
		}
	}
}
