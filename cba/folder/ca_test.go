package folder_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.com/entracba/cba"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/folder"
)

func newRoot(ctx context.Context) (*cba.Issuer, error) {
	name, err := dn.Parse("CN=Contoso Root CA")
	if err != nil {
		return nil, err
	}
	return cba.NewRoot(ctx, cba.Authority{Name: name, KeyType: cba.P256})
}

func TestCA(t *testing.T) {
	dir := t.TempDir()
	ca := func(dir, from string) (*cba.Issuer, bool, error) {
		f, err := folder.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		return f.CA(t.Context(), from, newRoot)
	}
	first, made, err := ca(dir, "")
	if err != nil || !made {
		t.Fatalf("%v, made %v", err, made)
	}
	for name, mode := range map[string]os.FileMode{"rootCA.key": 0o600, "rootCA.crt": 0o644, "rootCA.cer": 0o644, "": 0o700} {
		if info, err := os.Stat(filepath.Join(dir, "ca", name)); err != nil || !hasMode(info, mode) {
			t.Errorf("ca/%s: %v, %v", name, info, err)
		}
	}
	again, made, err := ca(dir, "")
	if err != nil || made || !again.Certificate.Equal(first.Certificate) {
		t.Errorf("the CA of the last run is not taken: made %v, %v", made, err)
	}

	// A CA from elsewhere is published, and its key stays where it is.
	other := t.TempDir()
	taken, made, err := ca(other, filepath.Join(dir, "ca"))
	if err != nil || made || !taken.Certificate.Equal(first.Certificate) {
		t.Errorf("made %v, %v", made, err)
	}
	if found, _ := filepath.Glob(filepath.Join(other, "ca", "*")); len(found) != 2 {
		t.Errorf("published: %v", found)
	}
	if _, _, err := ca(other, ""); !errors.Is(err, folder.NoCA) {
		t.Errorf("a CA without its key: %v", err)
	}

	// Another CA is never written over.
	third := t.TempDir()
	if _, _, err := ca(third, ""); err != nil {
		t.Fatal(err)
	}
	if _, _, err := ca(third, filepath.Join(dir, "ca")); !errors.Is(err, folder.OtherCA) {
		t.Errorf("another CA: %v", err)
	}
	if _, err := folder.LoadCA(t.TempDir()); !errors.Is(err, folder.NoCA) {
		t.Errorf("an empty folder: %v", err)
	}
	if _, err := folder.LoadCA(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}

	// What a killed run left of its CA is no CA.
	killed := t.TempDir()
	if err := os.MkdirAll(filepath.Join(killed, "ca.part", "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, made, err := ca(killed, ""); err != nil || !made {
		t.Errorf("after a kill: made %v, %v", made, err)
	}
	if found, _ := filepath.Glob(filepath.Join(killed, "ca*", "*")); len(found) != 3 {
		t.Errorf("after a kill: %v", found)
	}
	failed := errors.New("no key today")
	f, err := folder.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, _, err := f.CA(t.Context(), "", func(context.Context) (*cba.Issuer, error) { return nil, failed }); !errors.Is(err, failed) {
		t.Errorf("%v", err)
	}
	if found, _ := filepath.Glob(filepath.Join(f.Path(), "ca*")); len(found) > 0 {
		t.Errorf("made: %v", found)
	}
}

func TestPublishIntermediate(t *testing.T) {
	root, err := newRoot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	name, _ := dn.Parse("CN=Contoso Issuing CA")
	below, err := root.NewIntermediate(t.Context(), cba.Authority{Name: name, KeyType: cba.P256})
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "ca")
	if err := folder.Publish(dir, below); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]byte{"rootCA.cer": root.Certificate.Raw, "issuingCA.cer": below.Certificate.Raw,
		"issuingCA.crt": cba.EncodeCertificates(below.Certificate)} {
		if got := content(t, filepath.Join(dir, name)); got != string(want) {
			t.Errorf("%s is another certificate", name)
		}
	}
}

// An intermediate is not written as the root: a chain that does not reach one is
// refused, in words that name the certificate that is missing.
func TestRootIsMissing(t *testing.T) {
	root, err := newRoot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	issuing, err := root.NewIntermediate(t.Context(), cba.Authority{Name: dn.Name{{{Type: dn.CommonName, Value: "Contoso Issuing CA"}}}, KeyType: cba.P256})
	if err != nil {
		t.Fatal(err)
	}
	key, err := cba.EncodeKey(issuing.Key)
	if err != nil {
		t.Fatal(err)
	}
	from := t.TempDir()
	write := func(name string, content []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(from, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("ca.key", key)
	write("ca.crt", cba.EncodeCertificates(issuing.Certificate))
	_, err = folder.LoadCA(from)
	if !errors.Is(err, folder.NoCA) || !strings.Contains(err.Error(), "add the certificate of CN=Contoso Root CA") {
		t.Errorf("%v", err)
	}
	write("a-root.crt", cba.EncodeCertificates(root.Certificate))
	if found, err := folder.LoadCA(from); err != nil || !found.Root().Equal(root.Certificate) {
		t.Errorf("%v", err)
	}
}

// A CA that is in no folder is published like one that is, and no other one beside it.
func TestAdopt(t *testing.T) {
	dir := t.TempDir()
	f, err := folder.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	one, err := newRoot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	other, err := newRoot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	below, err := one.NewIntermediate(t.Context(), cba.Authority{Name: dn.Name{{{Type: dn.CommonName, Value: "Issuing"}}}, KeyType: cba.P256})
	if err != nil {
		t.Fatal(err)
	}
	incomplete, err := cba.NewIssuer(below.Certificate, below.Key)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := f.Adopt(one); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(filepath.Join(dir, folder.CAName, "rootCA.cer")); err != nil || !bytes.Equal(got, one.Certificate.Raw) {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, folder.CAName, "rootCA.key")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a key was kept: %v", err)
	}
	for issuer, want := range map[*cba.Issuer]error{other: folder.OtherCA, incomplete: folder.NoCA, nil: folder.NoCA, {}: folder.NoCA} {
		if err := f.Adopt(issuer); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	var closed *folder.Folder
	if err := closed.Adopt(one); !errors.Is(err, folder.NotOpen) {
		t.Error(err)
	}
}
