package folder_test

import (
	"os"
	"path/filepath"
	"testing"

	"example.com/entracba/cba"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/folder"
	"example.com/entracba/cba/trust"
)

// The certificates of a CA as Windows hands them out, in one .p7b, zeros behind it.
func TestLoadCAFromBundle(t *testing.T) {
	key, err := cba.P256.Generate()
	if err != nil {
		t.Fatal(err)
	}
	rootKey, err := cba.P256.Generate()
	if err != nil {
		t.Fatal(err)
	}
	name := func(cn string) dn.Name { return dn.Name{{{Type: dn.CommonName, Value: cn}}} }
	root, err := cba.NewRoot(t.Context(), cba.Authority{Name: name("Root"), Key: rootKey})
	if err != nil {
		t.Fatal(err)
	}
	ca, err := root.NewIntermediate(t.Context(), cba.Authority{Name: name("Issuing"), Key: key})
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := trust.EncodeBundle(ca.CACertificates())
	if err != nil {
		t.Fatal(err)
	}
	text, err := cba.EncodeKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for file, data := range map[string][]byte{"chain.p7b": append(bundle, 0, 0, 0), "ca.key": append([]byte("\xef\xbb\xbf"), text...)} {
		if err := os.WriteFile(filepath.Join(dir, file), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := folder.LoadCA(dir)
	if err != nil || !got.Certificate.Equal(ca.Certificate) || got.Root() == nil {
		t.Errorf("%v", err)
	}
}
