package folder_test

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/folder"
	"example.com/entracba/cba/internal/fingerprint"
)

var ca = folder.CA{Subject: "CN=Root", SerialNumber: "01", Thumbprint: "aa", Certificate: "ca/rootCA.crt"}

// user makes the files of a user and describes them.
func user(t *testing.T, dir, upn string) folder.User {
	t.Helper()
	id, err := certuserid.Parse("X509:<PN>" + upn)
	if err != nil {
		t.Fatal(err)
	}
	u := folder.User{
		UPN: upn, SerialNumber: "7f", NotAfter: time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC), Thumbprint: fingerprint.Of([]byte(upn)),
		Certificate: "users/" + upn + ".crt", PFX: "users/" + upn + ".pfx", PFXEncoding: "compat",
		CertificateUserIDs: map[certuserid.Mapping]certuserid.ID{certuserid.PrincipalName: id},
	}
	os.MkdirAll(filepath.Join(dir, "users"), 0o755)
	for name, content := range map[string]string{u.Certificate: certificate(upn), u.PFX: wholePFX(upn)} {
		if err := folder.Write(filepath.Join(dir, name), []byte(content), folder.Secret); err != nil {
			t.Fatal(err)
		}
	}
	return u
}

// certificate is a text in PEM, and wholePFX one in a sequence: as much as the files of a
// folder are looked into.
func certificate(text string) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte(text)}))
}

func wholePFX(text string) string { return "0" + string(rune(len(text))) + text }

func open(t *testing.T, dir string) (*folder.Folder, *folder.Journal) {
	t.Helper()
	f, err := folder.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	j, err := f.Journal(ca)
	if err != nil {
		f.Close()
		t.Fatal(err)
	}
	return f, j
}

// refused is the error with which a folder's journal does not open.
func refused(t *testing.T, dir string, ca folder.CA) error {
	t.Helper()
	f, err := folder.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err = f.Journal(ca); err == nil {
		t.Fatal("the journal opens")
	}
	return err
}

func add(t *testing.T, j *folder.Journal, u folder.User) {
	t.Helper()
	if err := j.Add(folder.Entry{User: u, Password: `pass"word,` + u.UPN}); err != nil {
		t.Fatal(err)
	}
}

func end(t *testing.T, f *folder.Folder, j *folder.Journal) {
	t.Helper()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	f.Close()
}

func load(t *testing.T, dir string) ([]string, folder.Passwords) {
	t.Helper()
	m, err := folder.Load(filepath.Join(dir, folder.ManifestName))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(ca, m.CA); diff != "" {
		t.Errorf("CA (-want +got):\n%s", diff)
	}
	passwords, err := folder.LoadPasswords(filepath.Join(dir, folder.PasswordsName))
	if err != nil {
		t.Fatal(err)
	}
	var upns []string
	for _, u := range m.Users {
		upns = append(upns, u.UPN)
	}
	return upns, passwords
}

func TestCloseAndOpenAgain(t *testing.T) {
	dir := t.TempDir()
	f, j := open(t, dir)
	add(t, j, user(t, dir, "jane@x"))
	add(t, j, user(t, dir, "John@x"))
	end(t, f, j)
	f, j = open(t, dir)
	if !j.Has("JANE@x") || !j.Has("john@x") || j.Has("alex@x") || j.Len() != 2 {
		t.Error("the second run does not know what the first issued")
	}
	add(t, j, user(t, dir, "alex@x"))
	var entries []string
	for e, err := range j.Entries() {
		if err != nil {
			t.Fatal(err)
		}
		if text := fmt.Sprintf("%v %+v %#v %s", e, e, e, e); strings.Contains(text, "pass\"word") {
			t.Errorf("an entry prints its password: %s", text)
		}
		entries = append(entries, e.User.UPN+" "+e.Password)
	}
	if diff := cmp.Diff([]string{`jane@x pass"word,jane@x`, `John@x pass"word,John@x`, `alex@x pass"word,alex@x`}, entries); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	end(t, f, j)
	upns, passwords := load(t, dir)
	if diff := cmp.Diff([]string{"jane@x", "John@x", "alex@x"}, upns); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
	if passwords.Len() != 3 || passwords.Of("john@X") != `pass"word,John@x` {
		t.Errorf("%v", passwords)
	}
	if text := fmt.Sprintf("%v %+v %#v", passwords, passwords, passwords); strings.Contains(text, "pass\"word") {
		t.Errorf("passwords print themselves: %s", text)
	}
	info, err := os.Stat(filepath.Join(dir, folder.PasswordsName))
	if err != nil || !hasMode(info, 0o600) {
		t.Errorf("passwords.csv has mode %v, %v", info.Mode(), err)
	}
	text, err := os.ReadFile(filepath.Join(dir, folder.ManifestName))
	if err != nil || bytes.Contains(text, []byte("pass")) || !bytes.Contains(text, []byte("X509:<PN>jane@x")) {
		t.Errorf("manifest.json holds a password or an escaped id, %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.jsonl")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// A kill leaves the journal, perhaps with half a line at its end, and files that
// were written but not moved into place.
func TestKilledAnywhere(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves out what takes long")
	}
	dir := t.TempDir()
	f, j := open(t, dir)
	jane, john := user(t, dir, "jane@x"), user(t, dir, "john@x")
	add(t, j, jane)
	add(t, j, john)
	journal := filepath.Join(dir, "journal.jsonl")
	whole, err := os.ReadFile(journal)
	if err != nil {
		t.Fatal(err)
	}
	end(t, f, j)
	lines := bytes.SplitAfter(whole, []byte("\n"))
	first := len(lines[0])
	if first < 50 || len(lines) != 3 {
		t.Fatalf("journal of %d lines", len(lines))
	}
	for cut := 0; cut <= len(whole); cut += 7 {
		dir := t.TempDir()
		user(t, dir, "jane@x")
		user(t, dir, "john@x")
		pfx := filepath.Join(dir, john.PFX)
		if err := os.Rename(pfx, pfx+".part"); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "journal.jsonl"), whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		f, j := open(t, dir)
		want := 0
		if cut >= first {
			want++
		}
		if cut >= len(whole) {
			want++
		}
		if j.Len() != want {
			t.Fatalf("cut at %d: %d users, want %d", cut, j.Len(), want)
		}
		if _, err := os.Stat(pfx); (err == nil) != j.Has("john@x") {
			t.Errorf("cut at %d: john is on the list %v, his file: %v", cut, j.Has("john@x"), err)
		}
		if !j.Has("jane@x") {
			add(t, j, jane)
		}
		end(t, f, j)
		if upns, _ := load(t, dir); upns[0] != "jane@x" || len(upns) != max(want, 1) {
			t.Errorf("cut at %d: manifest of %v", cut, upns)
		}
	}
}

func TestRefusals(t *testing.T) {
	dir := t.TempDir()
	f, j := open(t, dir)
	if _, err := folder.Open(dir); !errors.Is(err, folder.Busy) || !strings.Contains(err.Error(), "another run") {
		t.Errorf("two runs on one folder: %v", err)
	}
	add(t, j, user(t, dir, "jane@x"))
	end(t, f, j)
	other := ca
	other.Thumbprint = "cc"
	if err := refused(t, dir, other); !errors.Is(err, folder.OtherCA) {
		t.Errorf("certificates of another CA: %v", err)
	}
	f, _ = open(t, dir) // and a journal of another CA, of a run that was killed
	f.Close()
	if err := os.Remove(filepath.Join(dir, folder.ManifestName)); err != nil {
		t.Fatal(err)
	}
	if err := refused(t, dir, other); !errors.Is(err, folder.OtherCA) {
		t.Errorf("a journal of another CA: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "users", "jane@x.pfx")); err != nil {
		t.Fatal(err)
	}
	var e *folder.Error
	if err := refused(t, dir, ca); !errors.Is(err, folder.MissingFile) || !errors.As(err, &e) || filepath.Base(e.Path) != "jane@x.pfx" {
		t.Errorf("a file of a recorded user is gone: %v", err)
	}
	for name, text := range map[string]string{
		"manifest.json": `{"ca": {}}`, "passwords.csv": "jane@x,secret\n", "journal.jsonl": "{}x\n",
	} {
		dir := t.TempDir()
		f, j := open(t, dir)
		end(t, f, j)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := refused(t, dir, ca); !errors.Is(err, folder.Malformed) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || string(got) != text {
			t.Errorf("%s was changed to %q, %v", name, got, err)
		}
	}
	// A journal that names a file elsewhere moves nothing there.
	dir = t.TempDir()
	outside := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(outside+".part", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	relative, err := filepath.Rel(dir, outside)
	if err != nil {
		t.Fatal(err)
	}
	line := fmt.Sprintf("{\"ca\":\"aa\",\"user\":{\"upn\":\"jane@x\",\"certificate\":%q,\"pfx\":%q}}\n", relative, relative)
	if err := os.WriteFile(filepath.Join(dir, "journal.jsonl"), []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := refused(t, dir, ca); !errors.Is(err, folder.Outside) {
		t.Errorf("a file outside: %v", err)
	}
	if _, err := os.Stat(outside); err == nil {
		t.Error("a file outside of the folder was moved")
	}
}

func TestErrorsHoldNoPassword(t *testing.T) {
	const secret = "s3cr3t-Passw0rd"
	for name, texts := range map[string][]string{
		"journal.jsonl": {fmt.Sprintf("{\"password\": %q, broken\n", secret), fmt.Sprintf("{\"password\": {%q: 1}}\n", secret)},
		"passwords.csv": {"upn,password\na,\"x" + secret + "\ny\"z,\n", "upn,password\na," + secret + "\na," + secret + "\n",
			secret + "," + secret + "\n", "upn,password\na," + secret + "," + secret + "\n"},
	} {
		for _, text := range texts {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "manifest.json"), []byte(`{"ca":{"thumbprint":"aa"},"users":[]}`), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			err := refused(t, dir, ca)
			if !errors.Is(err, folder.Malformed) || strings.Contains(fmt.Sprintf("%v %+v", err, err), secret) {
				t.Errorf("%s %q: %v", name, text, err)
			}
		}
	}
}

func TestEmptyListIsJSON(t *testing.T) {
	dir := t.TempDir()
	f, j := open(t, dir)
	end(t, f, j)
	if upns, _ := load(t, dir); len(upns) != 0 {
		t.Errorf("users %v", upns)
	}
}

// A line that was cut off may be longer than the one that is written in its place:
// nothing of it may be left behind that.
func TestLongTornLine(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "journal.jsonl"), bytes.Repeat([]byte("x"), 10_000), 0o600); err != nil {
		t.Fatal(err)
	}
	f, j := open(t, dir)
	add(t, j, user(t, dir, "jane@x"))
	text, err := os.ReadFile(filepath.Join(dir, "journal.jsonl"))
	if err != nil || bytes.Contains(text, []byte("xxx")) || !bytes.HasSuffix(text, []byte("}\n")) {
		t.Errorf("the journal ends in %q, %v", text[max(0, len(text)-20):], err)
	}
	end(t, f, j)
	if upns, _ := load(t, dir); len(upns) != 1 {
		t.Errorf("users %v", upns)
	}
}

// The files of an entry that was recorded are finished by the next run, those of one
// that was not are written over.
func TestPrepare(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "out")
	f, j := open(t, dir)
	u := folder.User{UPN: "jane@x", Certificate: "users/jane@x.crt", PFX: "users/jane@x.pfx"}
	of := map[string]string{u.Certificate: certificate("x"), u.PFX: wholePFX("x")}
	for range 2 { // as if killed in between
		for _, name := range []string{u.Certificate, u.PFX} {
			if _, err := f.Prepare(name, folder.Secret, []byte(of[name])); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := os.Stat(filepath.Join(dir, u.PFX)); err == nil {
		t.Error("in its place before Commit")
	}
	add(t, j, u)
	f.Close()
	f, j = open(t, dir)
	for _, name := range []string{u.Certificate, u.PFX} {
		if got := content(t, filepath.Join(dir, name)); got != of[name] {
			t.Errorf("%s holds %q", name, got)
		}
		if _, err := f.Prepare(name, folder.Secret, nil); !errors.Is(err, folder.NameTaken) {
			t.Errorf("%s is replaced: %v", name, err)
		}
	}
	// What the run that was killed had left is somebody's key.
	if aside := f.SetAside(); len(aside) != 0 {
		t.Errorf("set aside %v", aside)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "leftover", "*")); len(left) != 2 {
		t.Errorf("left over: %v", left)
	}
	for _, name := range []string{"../x", "/x", "", ".", `users\x`, "users/../../x"} {
		if _, err := f.Prepare(name, folder.Secret, nil); !errors.Is(err, folder.Outside) {
			t.Errorf("%q: %v", name, err)
		}
	}
	end(t, f, j)
	for _, name := range []string{dir, filepath.Join(dir, "users")} {
		if info, err := os.Stat(name); err != nil || !hasMode(info, 0o700) {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// What another program has put into the manifest stays there.
func TestOtherProperties(t *testing.T) {
	dir := t.TempDir()
	const text = `{"ca": {"thumbprint": "aa", "owner": {"name": "Jane <j>"}},
		"users": [{"upn": "jane@x", "department": "Sales & Co", "certificateUserIds": {}, "a": null}]}`
	for name, text := range map[string]string{"manifest.json": text, "passwords.csv": "upn,password\njane@x,abc\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		f, j := open(t, dir)
		end(t, f, j)
	}
	got := content(t, filepath.Join(dir, "manifest.json"))
	for _, want := range []string{`"owner": {`, `"name": "Jane <j>"`, `"department": "Sales & Co"`, `"a": null`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is lost:\n%s", want, got)
		}
	}
}

// A folder that is closed lets go of its journal, which stays for the next run.
func TestCloseFolderFirst(t *testing.T) {
	dir := t.TempDir()
	f, j := open(t, dir)
	if _, err := f.Journal(ca); !errors.Is(err, folder.Busy) {
		t.Errorf("opened twice: %v", err)
	}
	add(t, j, user(t, dir, "jane@x"))
	f.Close()
	if err := j.Add(folder.Entry{}); !errors.Is(err, folder.NotOpen) {
		t.Errorf("after the folder was closed: %v", err)
	}
	f, j = open(t, dir)
	if !j.Has("jane@x") {
		t.Error("the journal is lost")
	}
	end(t, f, j)
}

// A run that is killed between writing the lists and removing the journal: the next
// one lists nobody twice.
func TestKilledAtTheEnd(t *testing.T) {
	dir := t.TempDir()
	f, j := open(t, dir)
	add(t, j, user(t, dir, "jane@x"))
	journal := content(t, filepath.Join(dir, "journal.jsonl"))
	end(t, f, j)
	if err := os.WriteFile(filepath.Join(dir, "journal.jsonl"), []byte(journal), 0o644); err != nil {
		t.Fatal(err)
	}
	f, j = open(t, dir)
	if info, err := os.Stat(filepath.Join(dir, "journal.jsonl")); err != nil || !hasMode(info, 0o600) {
		t.Errorf("a journal that others may read stays so: %v, %v", info.Mode(), err)
	}
	add(t, j, user(t, dir, "john@x"))
	end(t, f, j)
	upns, passwords := load(t, dir)
	if diff := cmp.Diff([]string{"jane@x", "john@x"}, upns); diff != "" || passwords.Len() != 2 {
		t.Errorf("users (-want +got):\n%s", diff)
	}
}
