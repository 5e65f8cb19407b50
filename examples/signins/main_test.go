package main_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.com/entracba/cba"
	"example.com/entracba/cba/folder"
	"example.com/entracba/cba/graph/graphtest"
	"example.com/entracba/cba/snapshot"
	"example.com/entracba/examples/internal/programtest"
	"example.com/entracba/examples/internal/tenant/tenanttest"
)

var program string

func TestMain(m *testing.M) { programtest.Main(m, func(path string) { program = path }) }

func signins(t *testing.T, s *tenanttest.Server, args ...string) programtest.Result {
	t.Helper()
	return tenanttest.Run(t, s, program, t.TempDir(), args...)
}

type answer struct {
	snapshot.Summary
	Since   time.Time
	Refused []struct{ UserPrincipalName, Code, Reason, CorrelationID string }
}

func parse(t *testing.T, r programtest.Result) answer {
	t.Helper()
	var a answer
	if err := json.Unmarshal([]byte(r.Stdout), &a); err != nil || r.Code != 0 {
		t.Fatalf("exit status %d, %v\n%s%s", r.Code, err, r.Stdout, r.Stderr)
	}
	return a
}

func TestDemonstration(t *testing.T) {
	t.Parallel()
	r := signins(t, nil)
	for _, want := range []string{"Demonstration", "SIGN-INS  4 certificate sign-ins since", "AADSTS500171", "Rank: 3", "multifactor", "CN=Contoso Issuing CA", "alex@contoso.com", "UNEXPECTED  0 of 4 sign-ins"} {
		if r.Code != 0 || r.Stderr != "" || !strings.Contains(r.Stdout, want) {
			t.Errorf("exit status %d, no %q in\n%s%s", r.Code, want, r.Stdout, r.Stderr)
		}
	}
	a := parse(t, signins(t, nil, "-json", "-user", "JANE@contoso.com"))
	if a.SignIns != 1 || len(a.Refused) != 0 || a.Known != 1 || len(a.Unexpected) != 0 || a.From.IsZero() || !a.From.Equal(a.To) {
		t.Errorf("%+v", a)
	}
}

func demo(t *testing.T) *graphtest.Demonstration {
	t.Helper()
	d, err := graphtest.Demo(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// A log in a file is counted without a tenant, and compared with the settings of one.
func TestLogFile(t *testing.T) {
	t.Parallel()
	rows, err := os.ReadFile("../../cba/snapshot/testdata/signins-rows.json")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	write := func(name string, content []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("rows.json", rows)
	write("none.json", []byte("[]"))
	write("log.csv", []byte("Date (UTC),Request ID\n2026-11-26,1\n"))
	run := func(args ...string) programtest.Result { return tenanttest.Run(t, nil, program, folder, args...) }
	a := parse(t, run("-log", "rows.json", "-json"))
	if a.SignIns != 8 || len(a.Refused) != 7 || a.Known != 0 || a.Since.IsZero() {
		t.Errorf("%+v", a)
	}
	if a := parse(t, run("-log", "rows.json", "-json", "-user", "eve@contoso.org")); a.SignIns != 0 {
		t.Errorf("%+v", a)
	}
	if r := run("-log", "rows.json"); r.Code != 0 || strings.Contains(r.Stdout, "Demonstration") || !strings.Contains(r.Stdout, "AADSTS130501") || !strings.Contains(r.Stdout, "-log rows.json -tenant ID -certs DIR") {
		t.Errorf("exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	if r := run("-log", "none.json"); r.Code != 0 || !strings.Contains(r.Stdout, "The file has no certificate sign-ins.") {
		t.Errorf("exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	for want, args := range map[string][]string{
		"as JSON":         {"-log", "log.csv"},
		"give -tenant ID": {"-log", "rows.json", "-certs", "x.pem"},
		"no effect with":  {"-log", "rows.json", "-outage", "2026-11-20T18:00:00Z/2026-11-23T08:00:00Z"},
		"no such file":    {"-log", "nowhere.json"},
	} {
		if r := run(args...); r.Code != 2 || !strings.Contains(r.Stderr, want) {
			t.Errorf("%v: exit status %d, %s", args, r.Code, r.Stderr)
		}
	}
	s := tenanttest.Serve(t, demo(t).Tenant, graphtest.Options{})
	if a := parse(t, signins(t, s, "-json", "-log", filepath.Join(folder, "rows.json"))); a.SignIns != 8 {
		t.Errorf("%+v", a)
	}
}

// Two rows of one flow are one sign-in, those of passwords are none, over many
// pages and in bad weather.
func TestCounts(t *testing.T) {
	t.Parallel()
	d := demo(t)
	for i := range 20 {
		row := d.Tenant.SignIns[i%2] // jane's, both rows
		row.ID, row.CorrelationID = "", fmt.Sprintf("flow %d", i/2)
		row.CreatedDateTime = row.CreatedDateTime.Add(-time.Duration(i/2) * 24 * time.Hour)
		d.Tenant.SignIns = append(d.Tenant.SignIns, row)
		d.Tenant.SignIns = append(d.Tenant.SignIns, graphtest.SignIn{CreatedDateTime: row.CreatedDateTime, UserPrincipalName: "john@contoso.com", CorrelationID: fmt.Sprintf("password %d", i)})
	}
	s := tenanttest.Serve(t, d.Tenant, graphtest.Options{})
	s.Inject(t, graphtest.Fault{Kind: graphtest.Throttled, Path: "/auditLogs/signIns", RetryAfter: time.Second},
		graphtest.Fault{Kind: graphtest.Slow, Path: "/auditLogs/signIns"})
	a := parse(t, signins(t, s, "-json", "-since", "100h"))
	// Four of the day, and those of jane that are 0 to 3 days and some hours older.
	if a.SignIns != 8 || len(a.Refused) != 2 || a.Known != 0 || len(a.Authorities) != 0 {
		t.Errorf("%+v", a)
	}
	want := []snapshot.Count{{Name: "multifactor", SignIns: 5}, {Name: "single-factor", SignIns: 2}}
	if diff := cmp.Diff(want, a.Strengths); diff != "" {
		t.Errorf("strengths (-want +got):\n%s", diff)
	}
	if s.Pending() != 0 {
		t.Error("a fault has not struck")
	}
	if w := s.Writes(); len(w) != 0 {
		t.Errorf("it has written: %v", w)
	}
	if a := parse(t, signins(t, s, "-json", "-since", "1000h")); a.SignIns != 14 {
		t.Errorf("%d sign-ins in 1000 hours, want 14", a.SignIns)
	}
	if r := signins(t, s, "-since", "1m"); r.Code != 0 || !strings.Contains(r.Stdout, "No certificate sign-ins") {
		t.Errorf("exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
}

// What the log says and what package signin says are held against each other where
// the certificate is known.
func TestUnexpected(t *testing.T) {
	t.Parallel()
	d := demo(t)
	dir := t.TempDir()
	m := folder.Manifest{}
	for _, upn := range []string{"jane@contoso.com", "john@contoso.com"} {
		m.Users = append(m.Users, folder.User{UPN: upn, Certificate: upn + ".crt"})
		if err := os.WriteFile(filepath.Join(dir, upn+".crt"), cba.EncodeCertificates(d.Certificates[upn]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "manifest.json"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	rows := d.Tenant.SignIns
	rows[3].ErrorCode, rows[3].FailureReason = 500186, "Not in scope\x1b[2J" // john's
	s := tenanttest.Serve(t, d.Tenant, graphtest.Options{})
	args := []string{"-manifest", "manifest.json", "-json"}
	a := parse(t, tenanttest.Run(t, s, program, dir, args...))
	if a.Known != 2 || len(a.Unexpected) != 1 || a.Unexpected[0].UserPrincipalName != "john@contoso.com" ||
		a.Unexpected[0].Logged != "AADSTS500186" || a.Unexpected[0].Expected != "succeeded" {
		t.Errorf("%d known, unexpected %+v", a.Known, a.Unexpected)
	}
	r := tenanttest.Run(t, s, program, dir, args[:2]...)
	if r.Code != 0 || strings.Contains(r.Stdout, "\x1b") || !strings.Contains(r.Stdout, `Not in scope\x1b[2J`) {
		t.Errorf("exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	// Where groups cannot be read, what depends on them is not compared.
	s.Inject(t, graphtest.Fault{Kind: graphtest.Forbidden, Path: "/users/*/transitiveMemberOf/**", Times: -1})
	r = tenanttest.Run(t, s, program, dir, args[:2]...)
	if r.Code != 0 || strings.Count(r.Stderr, "GroupMember.Read.All") != 1 {
		t.Errorf("exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	// Users who are gone are no error.
	d.Tenant.Users = d.Tenant.Users[2:]
	s = tenanttest.Serve(t, d.Tenant, graphtest.Options{})
	if a := parse(t, tenanttest.Run(t, s, program, dir, args...)); a.Known != 0 || a.SignIns != 4 {
		t.Errorf("users are gone: %d known of %d", a.Known, a.SignIns)
	}
}

func TestBadAnswers(t *testing.T) {
	t.Parallel()
	var rows []graphtest.SignIn
	for i := range 1100 {
		rows = append(rows, graphtest.SignIn{CreatedDateTime: time.Now().Add(-time.Duration(i) * time.Second), CorrelationID: fmt.Sprint(i)})
	}
	for _, test := range []struct {
		kind graphtest.Kind
		says string
	}{
		{graphtest.ForeignLink, "another host"},
		{graphtest.Half, "unusable answer"},
		{graphtest.Bomb, "unusable answer"},
		{graphtest.Forbidden, "AuditLog.Read.All"},
	} {
		t.Run(test.kind.String(), func(t *testing.T) {
			t.Parallel()
			s := tenanttest.Serve(t, graphtest.Tenant{SignIns: rows}, graphtest.Options{})
			s.Inject(t, graphtest.Fault{Kind: test.kind, Path: "/auditLogs/signIns", Times: -1})
			if r := signins(t, s, "-json"); r.Code != 2 || r.Stdout != "" || !strings.Contains(r.Stderr, test.says) {
				t.Errorf("exit status %d, printed %.300q, said %q", r.Code, r.Stdout, r.Stderr)
			}
		})
	}
}

func TestUnusable(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "garbage.json"), []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args []string
		says string
	}{
		{[]string{"-since", "a week"}, "a week"},
		{[]string{"-tenant", "tenant.json"}, "names a file"},
		{[]string{"-since", "-1h"}, "7d"},
		{[]string{"-since", "0"}, "7d"},
		{[]string{"log.json"}, "log.json"},
		{[]string{"-manifest", "garbage.json"}, "garbage.json"},
		{[]string{"-manifest", "none.json"}, "none.json"},
		{[]string{"-endpoint", "https://graph.microsoft.com/v1.0"}, "GRAPH_ACCESS_TOKEN"},
	} {
		if r := tenanttest.Run(t, nil, program, folder, test.args...); r.Code != 2 || r.Stdout != "" || !strings.Contains(r.Stderr, test.says) {
			t.Errorf("%q: exit status %d, printed %q, said %q", test.args, r.Code, r.Stdout, r.Stderr)
		}
	}
}

func TestFIPSOnly(t *testing.T) {
	t.Parallel()
	if r := programtest.FIPSOnly(t, program, t.TempDir()); r.Code != 0 || r.Stdout == "" {
		t.Errorf("exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
}

// The page for an auditor: the rules that grant multifactor, and the sign-ins by
// issuer and strength.
func TestEvidence(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := programtest.Run(t, program, dir, nil, "-html", "evidence.html")
	if r.Code != 0 {
		t.Fatalf("%+v", r)
	}
	text, err := os.ReadFile(filepath.Join(dir, "evidence.html"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"who gets multifactor", "Neither a certificate nor the sign-in log shows where a key lies", "<p>Sign-ins with certificates ", "<td>yes</td>", "issuer", "CN="} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if r := programtest.Run(t, program, dir, nil, "-html", "x.html", "-outage", "2026-11-20T18:00:00Z/2026-11-23T08:00:00Z"); r.Code != 2 {
		t.Errorf("%+v", r)
	}
}

// The demonstration replaces no file of a person's.
func TestDemonstrationReplacesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name := filepath.Join(dir, "readings.json")
	if err := os.WriteFile(name, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, flag := range []string{"-write-readings", "-html"} {
		if r := programtest.Run(t, program, dir, nil, flag, "readings.json"); r.Code != 2 || r.Stdout != "" {
			t.Errorf("%s: exit status %d: %s", flag, r.Code, r.Stdout)
		}
	}
	if text, err := os.ReadFile(name); err != nil || string(text) != "mine" {
		t.Errorf("%q, %v", text, err)
	}
}
