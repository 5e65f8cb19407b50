package snapshot_test

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
	"example.com/entracba/cba/snapshot"
)

const (
	exporterPolicy  = "Policies/AuthenticationMethodsPolicy/AuthenticationMethodConfigurations/X509Certificate.json"
	exporterClassic = "Organization/CertificateBasedAuthConfiguration.json"
)

// tenantParts are the parts of the tenant of package signin's cases.
func tenantParts(t *testing.T) map[string]json.RawMessage {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "signin", "testdata", "documents", "tenant-base.json"))
	if err != nil {
		t.Fatal(err)
	}
	var parts map[string]json.RawMessage
	if err := json.Unmarshal(text, &parts); err != nil {
		t.Fatal(err)
	}
	return parts
}

func file(data []byte) *fstest.MapFile { return &fstest.MapFile{Data: data} }

// exporter is a folder as EntraExporter writes it; ps5 is Windows PowerShell 5.1.
func exporter(t *testing.T, ps5 bool) fstest.MapFS {
	parts := tenantParts(t)
	var classic struct{ Value []json.RawMessage }
	if err := json.Unmarshal(parts["certificateBasedAuthConfiguration"], &classic); err != nil || len(classic.Value) != 1 {
		t.Fatalf("%v, %d configurations", err, len(classic.Value))
	}
	encode := func(text []byte) []byte {
		if ps5 {
			return in16(string(text), binary.LittleEndian, true)
		}
		return append(text, '\n')
	}
	return fstest.MapFS{
		exporterPolicy:                         file(encode(parts["x509Certificate"])),
		exporterClassic:                        file(encode(classic.Value[0])), // a list of one is written as the one
		"Organization/Organization.json":       file(encode([]byte(`{"id":"x","displayName":"Contoso"}`))),
		"Domains/contoso.org/contoso.org.json": file(encode([]byte(`{"id":"contoso.org","authenticationType":"Federated"}`))),
		"Domains/x.org/x.org.json":             file(encode([]byte(`{"id":"x.org","authenticationType":"Managed"}`))),
		"Policies/AuthenticationMethodsPolicy/AuthenticationMethodConfigurations/FIDO2.json": file(encode([]byte(`{"id":"Fido2","state":"enabled"}`))),
		"Users/1/1.json": file(encode([]byte(`{"id":"1"}`))), ".git/X509Certificate.json": file([]byte("?")), "Groups/1/X509Certificate.json": file([]byte("?")),
	}
}

// A folder of EntraExporter is read as what it is, and gets the verdict of its parts.
func TestReadFolder(t *testing.T) {
	for _, ps5 := range []bool{false, true} {
		folder := exporter(t, ps5)
		s, err := snapshot.ReadFolder(folder)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(s.Config.Missing, []string{"publicKeyInfrastructure"}) || len(s.Config.Trust.Classic.CertificateAuthorities) == 0 || s.Config.Policy.State != policy.Enabled {
			t.Fatalf("%+v", s.Config)
		}
		v := verdict(t, s.Config)
		if !v.SignedIn || !slices.ContainsFunc(v.Assumptions, func(a signin.Assumption) bool { return a.ID == "tenant.domains" && a.ChangesVerdict }) {
			t.Errorf("%v %s: %+v", v.Outcome, v.Message, v.Assumptions)
		}
		// The same below a folder of its own, with the PKIs that the exporter does not have.
		deeper := fstest.MapFS{"PublicKeyInfrastructure.json": file(tenantParts(t)["publicKeyInfrastructure"]), "systemCredentialPreferences.json": file([]byte(`{"state":"disabled"}`))}
		for name, f := range folder {
			deeper["backup/contoso/"+name] = f
		}
		if s, err := snapshot.ReadFolder(deeper); err != nil || len(s.Config.Missing) != 0 || string(s.Config.Extra["systemCredentialPreferences"]) != `{"state":"disabled"}` {
			t.Errorf("%v, %+v", err, s.Config.Missing)
		}
		// Without the old trust store nothing is known of CAs.
		delete(folder, exporterClassic)
		if s, err := snapshot.ReadFolder(folder); err != nil || verdict(t, s.Config).Outcome != signin.Undecided {
			t.Errorf("%v", err)
		}
	}
	whole := fstest.MapFS{"authenticationMethodsPolicy.json": file([]byte(`{"systemCredentialPreferences":{"state":"default"},"authenticationMethodConfigurations":[` + string(tenantParts(t)["x509Certificate"]) + `]}`))}
	if s, err := snapshot.ReadFolder(whole); err != nil || s.Config.Policy.State != policy.Enabled || s.Config.Extra["systemCredentialPreferences"] == nil {
		t.Errorf("%v, %+v", err, s.Config.Extra)
	}
}

func verdict(t *testing.T, config signin.Config) signin.Verdict {
	t.Helper()
	read := func(name string) []byte {
		text, err := os.ReadFile(filepath.Join("..", "signin", "testdata", "documents", name))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	user, err := policy.ParseUser(read("user.json"))
	if err != nil {
		t.Fatal(err)
	}
	certs, err := cba.ParseCertificates(read("bob.crt"))
	if err != nil {
		t.Fatal(err)
	}
	tenant, err := config.Compile(signin.Options{})
	if err != nil {
		t.Fatal(err)
	}
	v, err := tenant.Explain(t.Context(), signin.Request{User: &user, Certificate: certs[0], At: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestReadFolderRefuses(t *testing.T) {
	method := tenantParts(t)["x509Certificate"]
	for name, test := range map[string]struct {
		folder      fstest.MapFS
		where, says string
		reason      snapshot.Reason
	}{
		"nothing":        {fstest.MapFS{}, "", "no part of a tenant", snapshot.Malformed},
		"other files":    {fstest.MapFS{"Organization/Organization.json": file([]byte(`{}`))}, "", "no part of a tenant", snapshot.Malformed},
		"domains only":   {fstest.MapFS{"Domains/a/a.json": file([]byte(`{"id":"a"}`))}, "", "no part of a tenant", snapshot.Malformed},
		"two exports":    {fstest.MapFS{"a/X509Certificate.json": file(method), "b/X509Certificate.json": file(method)}, "b/X509Certificate.json", "a/X509Certificate.json", snapshot.Malformed},
		"no JSON":        {fstest.MapFS{exporterPolicy: file([]byte("<html>"))}, exporterPolicy, "HTML", snapshot.Malformed},
		"cut off":        {fstest.MapFS{exporterPolicy: file([]byte(`{"id":"X509Certificate","state":"enabled","certificateUserBindings":["@{priority=1}"]}`))}, exporterPolicy + "/certificateUserBindings", "-Depth 10", snapshot.Malformed},
		"of wrong type":  {fstest.MapFS{exporterPolicy: file([]byte(`{"id":"X509Certificate","state":3}`))}, exporterPolicy, "", snapshot.Malformed},
		"too large":      {fstest.MapFS{exporterPolicy: file(make([]byte, signin.MaxConfig+1))}, exporterPolicy, "at most", snapshot.TooLarge},
		"another object": {fstest.MapFS{exporterPolicy: file([]byte(`{"id":"Fido2","@odata.type":"#microsoft.graph.fido2AuthenticationMethodConfiguration","state":"enabled"}`))}, exporterPolicy, "", snapshot.Malformed},
	} {
		_, err := snapshot.ReadFolder(test.folder)
		var e *snapshot.Error
		if !errors.As(err, &e) || e.Reason != test.reason || e.Where != test.where || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := snapshot.ReadFolder(os.DirFS(filepath.Join(t.TempDir(), "none"))); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}
