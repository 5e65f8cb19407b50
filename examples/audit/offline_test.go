package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.com/entracba/examples/internal/programtest"
)

// A tenant in a file is audited without a network, with the users of another file; what
// the file does not contain is said and nothing is found because of it.
func TestOffline(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(status int, args ...string) programtest.Result {
		t.Helper()
		r := programtest.Run(t, program, dir, nil, args...)
		if r.Code != status {
			t.Fatalf("%q: %+v", args, r)
		}
		return r
	}
	run(1, "-snapshot", "tenant.json")
	r := run(1, "-tenant", "tenant.json")
	for _, want := range []string{"Tenant read from tenant.json. CRLs were not downloaded.", "userid-prefix", "trust-classic-ca-expired"} {
		if !strings.Contains(r.Stdout, want) {
			t.Errorf("no %q in\n%s", want, r.Stdout)
		}
	}
	write("policy.json", `{"id":"X509Certificate","state":"enabled","certificateUserBindings":[{"x509CertificateField":"SubjectKeyIdentifier","userProperty":"certificateUserIds","priority":1}],"includeTargets":[{"targetType":"group","id":"1"}]}`)
	write("users.jsonl", `{"userPrincipalName":"jane@contoso.com","authorizationInfo":{"certificateUserIds":["x509:<SKI>00"]}}`+"\n\n")
	r = run(1, "-tenant", "policy.json", "-users", "users.jsonl")
	if !strings.Contains(r.Stdout, "signin-incomplete") || strings.Contains(r.Stdout, "signin-no-authority") || !strings.Contains(r.Stdout, "jane@contoso.com") {
		t.Errorf("said\n%s", r.Stdout)
	}
	write("shared.jsonl", `{"userPrincipalName":"jane@contoso.com","authorizationInfo":{"certificateUserIds":["X509:<SKI>00"]}}`+"\n"+`{"userPrincipalName":"eve@contoso.com","authorizationInfo":{"certificateUserIds":["X509:<SKI>00"]}}`)
	write("readings.json", `{"readings":[{"id":"9.15","result":"contradicted","otherSignIns":9,"otherUsers":5},{"id":"9.24","result":"open"}]}`)
	r = run(1, "-tenant", "policy.json", "-users", "shared.jsonl", "-readings", "readings.json")
	for _, want := range []string{`"jane@contoso.com" has the same value`, "signin-user-id-shared", "no other is tried", "9 sign-ins of 5 users"} {
		if !strings.Contains(r.Stdout, want) || strings.Contains(r.Stdout, "9.24") {
			t.Errorf("no %q in\n%s", want, r.Stdout)
		}
	}
	for name, text := range map[string]string{
		"users.csv":  "UserPrincipalName,Mail,CertificateUserIds\r\njane@contoso.com,x,x509:<SKI>00\r\n",
		"users.json": `{"value":[{"Id":"1","UserPrincipalName":"jane@contoso.com","AuthorizationInfo":{"CertificateUserIds":"x509:<SKI>00"}}]}`,
	} {
		write(name, text)
		if r := run(1, "-tenant", "policy.json", "-users", name); !strings.Contains(r.Stdout, "userid-prefix") || !strings.Contains(r.Stdout, "jane@contoso.com") {
			t.Errorf("%s: said\n%s", name, r.Stdout)
		}
	}
	write("no.json", `{"userPrincipalName":"jane@contoso.com"}`)
	write("bad.jsonl", "{}\n{\n")
	for _, args := range [][]string{
		{"-tenant", "no.json"}, {"-users", "users.jsonl"}, {"-tenant", "policy.json", "-users", "bad.jsonl"}, {"-tenant", "policy.json", "-users", "none.jsonl"},
		{"-tenant", "policy.json", "-snapshot", "again.json"}, {"-tenant", "policy.json", "-allow-private"},
	} {
		run(2, args...)
	}
}
