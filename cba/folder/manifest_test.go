package folder_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"example.com/entracba/cba"
	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/folder"
)

func TestManifestRefused(t *testing.T) {
	// The place in the manifest, as a JSON pointer.
	places := map[string]string{"bad id": "/users/0/certificateUserIds: ", "upn twice": "/users/0/upn: ", "a user is null": "/users/0: ", "users is null": "/users: ",
		"garbage": "not a manifest: ", "ca twice": "not a manifest: "}
	for what, text := range map[string]string{
		"empty":            "",
		"garbage":          "hello",
		"truncated":        `{"ca": {}, "users": [{"upn": "a"`,
		"a list":           `[]`,
		"unknown property": `{"ca": {}, "users": [], "cas": {}}`,
		"no ca":            `{"users": []}`,
		"no users":         `{"ca": {}}`,
		"ca twice":         `{"ca": {}, "users": [], "ca": {}}`,
		"users is null":    `{"ca": {}, "users": null}`,
		"more text":        `{"ca": {}, "users": []} {}`,
		"bad id":           `{"ca": {}, "users": [{"certificateUserIds": {"PrincipalName": "a"}}]}`,
		"id of another":    `{"ca": {}, "users": [{"certificateUserIds": {"SKI": "X509:<PN>a"}}]}`,
		"SKI twice":        `{"ca": {}, "users": [{"certificateUserIds": {"SKI": "X509:<SKI>0a", "SubjectKeyIdentifier": "X509:<SKI>0b"}}]}`,
		"upn twice":        `{"ca": {}, "users": [{"upn": "a", "upn": "b"}]}`,
		"upn is a number":  `{"ca": {}, "users": [{"upn": 1}]}`,
		"a user is null":   `{"ca": {}, "users": [null]}`,
		"no UTF-8":         "{\"ca\": {}, \"users\": [{\"upn\": \"\xff\"}]}",
	} {
		name := filepath.Join(t.TempDir(), "manifest.json")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := folder.Load(name)
		if !errors.Is(err, folder.Malformed) || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", what, err)
		}
		if place := places[what]; !strings.Contains(err.Error(), name+": "+place) {
			t.Errorf("%s: no %q in %v", what, place, err)
		}
		var last error
		for _, err := range folder.Users(name) {
			last = err
		}
		if fmt.Sprint(last) != fmt.Sprint(err) {
			t.Errorf("%s: one by one %v, at once %v", what, last, err)
		}
	}
	// A user of any size costs no more than the limit.
	name := filepath.Join(t.TempDir(), "manifest.json")
	big := `{"ca": {}, "users": [{"upn": "` + strings.Repeat("a", 2<<20) + `"}]}`
	if err := os.WriteFile(name, []byte(big), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := folder.Load(name); !errors.Is(err, folder.TooLarge) {
		t.Errorf("a user of 2 MB: %v", err)
	}
	if err := new(folder.User).UnmarshalJSON([]byte(big)); !errors.Is(err, folder.TooLarge) {
		t.Errorf("2 MB for a user: %v", err)
	}
	if _, err := folder.Load(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// Many users of ordinary size are under the limit of one.
func TestManyUsers(t *testing.T) {
	name := filepath.Join(t.TempDir(), "manifest.json")
	const count = 20_000
	entries := func(yield func(folder.Entry, error) bool) {
		for i := range count {
			if !yield(folder.Entry{User: folder.User{UPN: fmt.Sprintf("user%d@contoso.com", i)}, Password: "x"}, nil) {
				return
			}
		}
	}
	if err := folder.WriteEntries(filepath.Dir(name), ca, entries); err != nil {
		t.Fatal(err)
	}
	n := 0
	for u, err := range folder.Users(name) {
		if err != nil || u.UPN != fmt.Sprintf("user%d@contoso.com", n) {
			t.Fatalf("user %d is %q, %v", n, u.UPN, err)
		}
		n++
	}
	if n != count {
		t.Errorf("%d users", n)
	}
	for range folder.Users(name) {
		break // the rest is not read
	}
}

// An error in the middle leaves both old files.
func TestWriteEntriesFails(t *testing.T) {
	dir := t.TempDir()
	one := func(err error) iter.Seq2[folder.Entry, error] {
		return func(yield func(folder.Entry, error) bool) {
			if yield(folder.Entry{User: folder.User{UPN: "jane@x"}, Password: "old"}, nil) && err != nil {
				yield(folder.Entry{}, err)
			}
		}
	}
	if err := folder.WriteEntries(dir, ca, one(nil)); err != nil {
		t.Fatal(err)
	}
	before := content(t, filepath.Join(dir, "manifest.json")) + content(t, filepath.Join(dir, "passwords.csv"))
	lost := errors.New("the database is gone")
	if err := folder.WriteEntries(dir, folder.CA{}, one(lost)); !errors.Is(err, lost) {
		t.Errorf("%v", err)
	}
	if after := content(t, filepath.Join(dir, "manifest.json")) + content(t, filepath.Join(dir, "passwords.csv")); after != before {
		t.Errorf("after a failure:\n%s", after)
	}
	if found, _ := os.ReadDir(dir); len(found) != 2 {
		t.Errorf("left behind: %v", found)
	}
}

func TestDescribe(t *testing.T) {
	name, err := dn.Parse("CN=Contoso Root CA, O=Contoso & Co")
	if err != nil {
		t.Fatal(err)
	}
	root, err := cba.NewRoot(t.Context(), cba.Authority{Name: name, KeyType: cba.P256})
	if err != nil {
		t.Fatal(err)
	}
	below, err := root.NewIntermediate(t.Context(), cba.Authority{Name: name, KeyType: cba.P256})
	if err != nil {
		t.Fatal(err)
	}
	key, err := cba.P256.Generate()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := below.Issue(t.Context(), key.Public(), cba.Subject{UPN: "jane@contoso.com"}, cba.Profile{})
	if err != nil {
		t.Fatal(err)
	}
	if got := folder.DescribeCA(root); got.Certificate != "ca/rootCA.crt" || got.Thumbprint != cba.Thumbprint(root.Certificate) || got.Subject != "CN=Contoso Root CA,O=Contoso & Co" {
		t.Errorf("root: %+v", got)
	}
	dir := t.TempDir()
	u := folder.DescribeUser("jane@contoso.com", cert)
	if u.CertificateUserIDs[certuserid.PrincipalName].String() != "X509:<PN>jane@contoso.com" || u.PFX != "users/jane@contoso.com.pfx" || !u.NotAfter.Equal(cert.NotAfter) {
		t.Errorf("%+v", u)
	}
	want := &folder.Manifest{CA: folder.DescribeCA(below), Users: []folder.User{u}}
	if want.CA.Certificate != "ca/issuingCA.crt" {
		t.Errorf("%+v", want.CA)
	}
	if err := folder.WriteEntries(dir, want.CA, func(yield func(folder.Entry, error) bool) { yield(folder.Entry{User: u}, nil) }); err != nil {
		t.Fatal(err)
	}
	got, err := folder.Load(filepath.Join(dir, folder.ManifestName))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(certuserid.ID{})); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
	if folder.DescribeCA(nil).Thumbprint != "" || folder.DescribeUser("a@b", nil).UPN != "a@b" {
		t.Error("nil is described")
	}
}

// Older manifests call a mapping SKI; one that is not known here stays as it is.
func TestMappings(t *testing.T) {
	var u folder.User
	if err := json.Unmarshal([]byte(`{"certificateUserIds": {"SKI": "X509:<SKI>0a", "Later": "X509:<PN>a"}}`), &u); err != nil {
		t.Fatal(err)
	}
	if u.CertificateUserIDs[certuserid.SKI].String() != "X509:<SKI>0a" || len(u.CertificateUserIDs) != 2 {
		t.Errorf("%v", u.CertificateUserIDs)
	}
	text, err := json.Marshal(u)
	if err != nil || !strings.Contains(string(text), `"SubjectKeyIdentifier":`) || !strings.Contains(string(text), `"Later":`) {
		t.Errorf("%s, %v", text, err)
	}
}
