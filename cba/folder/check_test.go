package folder_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.com/entracba/cba"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/folder"
)

// finished is a folder of a finished run for these users.
func finished(t *testing.T, upns ...string) string {
	t.Helper()
	dir := t.TempDir()
	f, j := open(t, dir)
	for _, upn := range upns {
		add(t, j, user(t, dir, upn))
	}
	end(t, f, j)
	return dir
}

// state is every file of a folder with its content.
func state(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			fmt.Fprintf(&b, "%s: %q\n", path, content(t, path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func put(t *testing.T, text string, parts ...string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(parts...), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, parts ...string) {
	t.Helper()
	if err := os.Remove(filepath.Join(parts...)); err != nil {
		t.Fatal(err)
	}
}

// What is listed is looked for. Whatever is missing, empty or cut off, the run ends with
// the name of the file and of the user, and nothing is written over what is left.
func TestWhatIsListedIsThere(t *testing.T) {
	const jane = "jane@x"
	for what, test := range map[string]struct {
		harm   func(dir string)
		reason folder.Reason
		file   string
		upn    string
	}{
		"PFX gone":         {func(dir string) { remove(t, dir, "users", "jane@x.pfx") }, folder.MissingFile, "jane@x.pfx", jane},
		"PFX empty":        {func(dir string) { put(t, "", dir, "users", "jane@x.pfx") }, folder.Damaged, "jane@x.pfx", jane},
		"PFX cut":          {func(dir string) { put(t, wholePFX(jane)[:4], dir, "users", "jane@x.pfx") }, folder.Damaged, "jane@x.pfx", jane},
		"PFX is text":      {func(dir string) { put(t, "<html>", dir, "users", "jane@x.pfx") }, folder.Damaged, "jane@x.pfx", jane},
		"PFX and more":     {func(dir string) { put(t, wholePFX(jane)+"x", dir, "users", "jane@x.pfx") }, folder.Damaged, "jane@x.pfx", jane},
		"certificate gone": {func(dir string) { remove(t, dir, "users", "jane@x.crt") }, folder.MissingFile, "jane@x.crt", jane},
		"certificate empty": {
			func(dir string) { put(t, "", dir, "users", "jane@x.crt") }, folder.Damaged, "jane@x.crt", jane},
		"certificate cut": {func(dir string) { put(t, certificate(jane)[:40], dir, "users", "jane@x.crt") }, folder.Damaged, "jane@x.crt", jane},
		"another's certificate": {
			func(dir string) { put(t, certificate("john@x"), dir, "users", "jane@x.crt") }, folder.Damaged, "jane@x.crt", jane},
		"passwords gone":  {func(dir string) { remove(t, dir, "passwords.csv") }, folder.MissingFile, "passwords.csv", jane},
		"passwords blank": {func(dir string) { put(t, "upn,password\n", dir, "passwords.csv") }, folder.MissingFile, "passwords.csv", jane},
		"passwords empty": {func(dir string) { put(t, "", dir, "passwords.csv") }, folder.Malformed, "passwords.csv", ""},
		"manifest gone":   {func(dir string) { remove(t, dir, "manifest.json") }, folder.MissingFile, "manifest.json", ""},
		"manifest and passwords gone": {
			func(dir string) { remove(t, dir, "manifest.json"); remove(t, dir, "passwords.csv") }, folder.MissingFile, "manifest.json", ""},
		"manifest empty": {func(dir string) { put(t, "", dir, "manifest.json") }, folder.Malformed, "manifest.json", ""},
		"manifest blank": {func(dir string) { put(t, `{"ca": {"thumbprint": "aa"}, "users": []}`, dir, "manifest.json") }, folder.MissingFile, "manifest.json", ""},
	} {
		t.Run(what, func(t *testing.T) {
			dir := finished(t, jane, "john@x")
			test.harm(dir)
			before := state(t, dir)
			err := refused(t, dir, ca)
			var e *folder.Error
			if !errors.Is(err, test.reason) || !errors.As(err, &e) || filepath.Base(e.Path) != test.file || e.UPN != test.upn {
				t.Errorf("%v (%+v)", err, e)
			}
			if after := state(t, dir); after != before {
				t.Errorf("the folder was\n%s\nand is\n%s", before, after)
			}
		})
	}
}

// A user with damaged files gets a new certificate when that is asked for. What is left of
// the old one is moved away, also if the run is killed anywhere, and nobody else is
// touched.
func TestAgain(t *testing.T) {
	dir := finished(t, "jane@x", "john@x")
	put(t, "", dir, "users", "jane@x.pfx")
	begin := func() (*folder.Folder, *folder.Journal) {
		t.Helper()
		f, err := folder.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		j, err := f.Journal(ca, "JANE@x", "john@x", "new@x")
		if err != nil {
			t.Fatal(err)
		}
		return f, j
	}
	f, j := begin()
	if j.Has("jane@x") || !j.Has("john@x") || j.Len() != 1 {
		t.Errorf("has jane %v, john %v, %d", j.Has("jane@x"), j.Has("john@x"), j.Len())
	}
	if aside := f.SetAside(); len(aside) != 2 || filepath.Base(aside[0]) != "jane@x.crt" {
		t.Errorf("moved away: %v", aside)
	}
	// Killed after the PFX was prepared, before it is on record.
	if _, err := f.Prepare("users/jane@x.pfx", folder.Secret, []byte(wholePFX("lost"))); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if err := refused(t, dir, ca); !errors.Is(err, folder.MissingFile) {
		t.Errorf("after a kill: %v", err)
	}
	f, j = begin()
	add(t, j, user(t, dir, "jane@x"))
	if !j.Has("jane@x") || j.Len() != 2 {
		t.Errorf("%d users", j.Len())
	}
	end(t, f, j)
	f, j = open(t, dir)
	end(t, f, j)
	if upns, passwords := load(t, dir); fmt.Sprint(upns) != "[john@x jane@x]" || passwords.Len() != 2 {
		t.Errorf("%v, %v", upns, passwords)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "leftover", "*")); len(left) != 3 {
		t.Errorf("left over: %v", left)
	}
}

// At most ten are named, and the rest counted: five thousand lost files are one message.
func TestManyDamaged(t *testing.T) {
	var upns []string
	for i := range 30 {
		upns = append(upns, fmt.Sprintf("u%d@x", i))
	}
	dir := finished(t, upns...)
	for _, upn := range upns[5:] {
		remove(t, dir, "users", upn+".pfx")
	}
	if err := refused(t, dir, ca); strings.Count(err.Error(), "\n") != 10 || !strings.Contains(err.Error(), "15 more users") {
		t.Errorf("%v", err)
	}
}

// Every CA up to the root is published, and a CA below the same root is another one.
func TestPublishAll(t *testing.T) {
	root, err := cba.NewRoot(t.Context(), cba.Authority{Name: dn.Name{{{Type: dn.CommonName, Value: "Root"}}}, KeyType: cba.P256, PathLen: 3})
	if err != nil {
		t.Fatal(err)
	}
	below := func(issuer *cba.Issuer, name string, left int) *cba.Issuer {
		t.Helper()
		made, err := issuer.NewIntermediate(t.Context(), cba.Authority{Name: dn.Name{{{Type: dn.CommonName, Value: name}}}, KeyType: cba.P256, PathLen: left})
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	first := below(root, "First", 2)
	second := below(first, "Second", 1)
	issuing, other := below(second, "Issuing", 0), below(second, "Other", 0)
	from := func(issuer *cba.Issuer) string {
		t.Helper()
		dir := t.TempDir()
		if err := folder.Publish(dir, issuer); err != nil {
			t.Fatal(err)
		}
		key, err := cba.EncodeKey(issuer.Key)
		if err != nil {
			t.Fatal(err)
		}
		put(t, string(key), dir, "issuing.key")
		return dir
	}
	f, err := folder.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	taken, _, err := f.CA(t.Context(), from(issuing), nil)
	if err != nil || len(taken.CACertificates()) != 4 {
		t.Fatalf("%v", err)
	}
	for name, want := range map[string]*cba.Issuer{"issuingCA": issuing, "intermediateCA": second, "intermediateCA2": first, "rootCA": root} {
		if got := content(t, filepath.Join(f.Path(), "ca", name+".cer")); got != string(want.Certificate.Raw) {
			t.Errorf("%s is another certificate", name)
		}
	}
	remove(t, f.Path(), "ca", "intermediateCA.cer")
	if _, _, err := f.CA(t.Context(), from(other), nil); !errors.Is(err, folder.OtherCA) {
		t.Errorf("another CA below the same root: %v", err)
	}
	if _, _, err := f.CA(t.Context(), from(issuing), nil); err != nil {
		t.Error(err)
	}
	if got := content(t, filepath.Join(f.Path(), "ca", "intermediateCA.cer")); got != string(second.Certificate.Raw) {
		t.Error("a file that was lost is not written again")
	}
}

// What a killed run left of its CA is moved away: it has a key.
func TestUnfinishedCA(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "ca.part"), 0o700); err != nil {
		t.Fatal(err)
	}
	put(t, "key", dir, "ca.part", "rootCA.key")
	f, err := folder.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, made, err := f.CA(t.Context(), "", newRoot); err != nil || !made {
		t.Fatalf("made %v, %v", made, err)
	}
	if aside := f.SetAside(); len(aside) != 1 || content(t, filepath.Join(aside[0], "rootCA.key")) != "key" {
		t.Errorf("moved away: %v", aside)
	}
}

func TestCheckZero(t *testing.T) {
	dir := t.TempDir()
	if err := (folder.User{}).Check(dir); err != nil {
		t.Error(err)
	}
	if err := (folder.User{PFX: "../x"}).Check(dir); !errors.Is(err, folder.Outside) {
		t.Error(err)
	}
	if err := (folder.User{PFX: "x"}).Check(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	var f *folder.Folder
	if f.SetAside() != nil {
		t.Error("nothing was moved")
	}
}
