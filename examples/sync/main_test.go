package main_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/folder"
	"example.com/entracba/cba/graph/graphtest"
	"example.com/entracba/examples/internal/programtest"
	"example.com/entracba/examples/internal/tenant/tenanttest"
)

var program string

func TestMain(m *testing.M) { programtest.Main(m, func(path string) { program = path }) }

func sync(t *testing.T, s *tenanttest.Server, folder string, args ...string) programtest.Result {
	t.Helper()
	return tenanttest.Run(t, s, program, folder, args...)
}

// directory is a tenant of a few users with lists that must survive: odd order,
// odd values, none.
func directory() graphtest.Tenant {
	user := func(n int, name string, ids ...string) graphtest.User {
		return graphtest.User{ID: fmt.Sprintf("00000000-0000-4000-8000-00000000000%d", n), UserPrincipalName: name, CertificateUserIDs: ids}
	}
	t := graphtest.Tenant{Users: []graphtest.User{
		user(1, "jane@contoso.com", "X509:<SKI>ab", "X509:<PN>jane@contoso.com", "not an id at all <&> ü"),
		user(2, "john@contoso.com"),
		user(3, "alex@contoso.com", "X509:<SKI>0303030303030303030303030303030303030303"),
		user(4, "adele@contoso.com"),
		user(5, "megan@contoso.com", "zz", "X509:<PN>megan@contoso.com", "aa"), // in no manifest
		user(6, "holder@contoso.com", "X509:<SKI>0606060606060606060606060606060606060606"),
	}}
	t.Users[3].Synced = true
	return t
}

// ids of a user of the manifest: an SKI of one byte repeated, and an issuer and
// serial number.
func ski(octet int) string { return "X509:<SKI>" + strings.Repeat(fmt.Sprintf("%02x", octet), 20) }
func sr(octet int) string  { return fmt.Sprintf("X509:<I>CN=Contoso Root CA<SR>%02x", octet) }

// write makes a manifest.
func write(t *testing.T, dir string, octets map[string]int, order ...string) {
	t.Helper()
	m := folder.Manifest{CA: folder.CA{Subject: "CN=Contoso Root CA"}, Users: []folder.User{}}
	for _, upn := range order {
		u := folder.User{UPN: upn, NotAfter: time.Now().AddDate(1, 0, 0), CertificateUserIDs: map[certuserid.Mapping]certuserid.ID{}}
		for _, value := range []string{ski(octets[upn]), sr(octets[upn])} {
			id, err := certuserid.Parse(value)
			if err != nil {
				t.Fatal(err)
			}
			u.CertificateUserIDs[id.Mapping()] = id
		}
		m.Users = append(m.Users, u)
	}
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "manifest.json"), text, 0o600); err != nil {
		t.Fatal(err)
	}
}

var people = map[string]int{"jane@contoso.com": 1, "john@contoso.com": 2, "alex@contoso.com": 3, "adele@contoso.com": 4}

// lists are the id lists of a tenant, as JSON: byte for byte.
func lists(t *testing.T, in graphtest.Tenant) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, u := range in.Users {
		text, err := json.Marshal(append([]string{}, u.CertificateUserIDs...))
		if err != nil {
			t.Fatal(err)
		}
		all[u.UserPrincipalName] = string(text)
	}
	return all
}

func undoFiles(t *testing.T, folder string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(folder, "sync-undo-*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestDemonstration(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	r := sync(t, nil, folder)
	for _, want := range []string{"Demonstration", "john@contoso.com", "planned", "+ X509:<SKI>", "2 unchanged", "This was a dry run. To write these changes, run the same command with -apply."} {
		if r.Code != 0 || !strings.Contains(r.Stdout, want) {
			t.Errorf("exit status %d, no %q in\n%s%s", r.Code, want, r.Stdout, r.Stderr)
		}
	}
	if left, _ := os.ReadDir(folder); len(left) != 0 {
		t.Errorf("a plan left files: %v", left)
	}
	r = sync(t, nil, folder, "-mapping", "IssuerAndSerialNumber, SKI", "-json")
	var out struct {
		Users []struct {
			UserPrincipalName, Outcome string
			Add                        []string
		}
		Counts map[string]int
	}
	if !strings.Contains(r.Stdout, "uses IssuerAndSerialNumber with") || strings.Contains(r.Stdout, "uses SKI with") {
		t.Errorf("the demonstration binds SKI alone, and is said to bind\n%s", r.Stdout)
	}
	if err := json.Unmarshal([]byte(r.Stdout), &out); err != nil || len(out.Users) != 6 || out.Counts["planned"] != 5 || out.Counts["skipped"] != 1 {
		t.Errorf("-json: %v\n%s", err, r.Stdout)
	}
}

// A manifest without a tenant is planned against the demonstration, which then
// knows its users.
func TestManifestInTheDemonstration(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write(t, folder, map[string]int{"new@yourdomain.com": 9}, "new@yourdomain.com")
	if r := sync(t, nil, folder, "-manifest", "manifest.json"); r.Code != 0 || !strings.Contains(r.Stdout, "+ "+ski(9)) {
		t.Errorf("exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
}

// The whole life of a change: planned, written, written again, taken back.
func TestApplyAndUndo(t *testing.T) {
	t.Parallel()
	s := tenanttest.Serve(t, directory(), graphtest.Options{})
	folder := t.TempDir()
	write(t, folder, people, "jane@contoso.com", "john@contoso.com", "alex@contoso.com", "adele@contoso.com")
	before := lists(t, s.Tenant())
	args := []string{"-manifest", "manifest.json", "-mapping", "IssuerAndSerialNumber,SKI"}

	r := sync(t, s, folder, args...)
	if r.Code != 0 || !strings.Contains(r.Stdout, "3 planned") || strings.Contains(r.Stdout, "Demonstration") {
		t.Fatalf("plan: exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	if w := s.Writes(); len(undoFiles(t, folder)) != 0 || writesTo(w) != 0 {
		t.Errorf("a plan has written: %v", w)
	}

	r = sync(t, s, folder, append(args, "-apply")...)
	if r.Code != 0 || !strings.Contains(r.Stdout, "3 written") || !strings.Contains(r.Stdout, "Entra Connect") {
		t.Fatalf("apply: exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	want := map[string]string{}
	for name, list := range before {
		want[name] = list
	}
	// With json.Marshal's escapes, as lists has them.
	list := func(ids ...string) string {
		text, _ := json.Marshal(ids)
		return string(text)
	}
	want["jane@contoso.com"] = list("X509:<SKI>ab", "X509:<PN>jane@contoso.com", "not an id at all <&> ü", sr(1), ski(1))
	want["john@contoso.com"] = list(sr(2), ski(2))
	want["alex@contoso.com"] = list(ski(3), sr(3))
	if diff := cmp.Diff(want, lists(t, s.Tenant())); diff != "" {
		t.Errorf("after apply (-want +got):\n%s", diff)
	}
	undo := undoFiles(t, folder)
	if len(undo) != 1 {
		t.Fatalf("undo files: %v", undo)
	}
	if info, err := os.Stat(undo[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("undo file: %v, %v", info.Mode(), err)
	}
	if n := writesTo(s.Writes()); n != 3 {
		t.Errorf("%d writes, want 3", n)
	}

	r = sync(t, s, folder, append(args, "-apply")...)
	if n := writesTo(s.Writes()); r.Code != 0 || n != 0 || !strings.Contains(r.Stdout, "No changes were necessary") || len(undoFiles(t, folder)) != 1 {
		t.Errorf("second apply: exit status %d, %d writes\n%s", r.Code, n, r.Stdout)
	}

	r = sync(t, s, folder, "-undo", undo[0])
	if n := writesTo(s.Writes()); r.Code != 0 || n != 0 || !strings.Contains(r.Stdout, "- "+ski(1)) {
		t.Errorf("undo without -apply: exit status %d, %d writes\n%s", r.Code, n, r.Stdout)
	}
	r = sync(t, s, folder, "-undo", undo[0], "-apply")
	if r.Code != 0 || !strings.Contains(r.Stdout, "3 written") {
		t.Errorf("undo: exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	if diff := cmp.Diff(before, lists(t, s.Tenant())); diff != "" {
		t.Errorf("after undo (-want +got):\n%s", diff)
	}
}

// An undo file that was cut off lacks users who were written: nothing says that all was
// taken back. One that others could have changed would be theirs, as a manifest.
func TestFileThatCannotBeTrusted(t *testing.T) {
	t.Parallel()
	s := tenanttest.Serve(t, directory(), graphtest.Options{})
	folder := t.TempDir()
	write(t, folder, people, "jane@contoso.com", "john@contoso.com", "alex@contoso.com")
	manifest := filepath.Join(folder, "manifest.json")
	refused := func(says string, args ...string) {
		t.Helper()
		r := sync(t, s, folder, args...)
		if n := writesTo(s.Writes()); r.Code != 2 || n != 0 || !strings.Contains(r.Stderr, says) || r.Stdout != "" {
			t.Errorf("%q: exit status %d, %d writes\n%s%s", args, r.Code, n, r.Stdout, r.Stderr)
		}
	}
	modes := func(name string, args ...string) {
		t.Helper()
		if runtime.GOOS == "windows" {
			return // there are no modes
		}
		for _, mode := range []os.FileMode{0o620, 0o602} {
			if err := os.Chmod(name, mode); err != nil {
				t.Fatal(err)
			}
			refused("chmod go-w", args...)
		}
		if r := sync(t, s, folder, args[:len(args)-1]...); r.Code != 0 { // a dry run
			t.Errorf("%q: exit status %d\n%s", args, r.Code, r.Stderr)
		}
		if err := os.Chmod(name, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	modes(manifest, "-manifest", "manifest.json", "-apply")
	if r := sync(t, s, folder, "-manifest", "manifest.json", "-apply"); r.Code != 0 {
		t.Fatalf("exit status %d\n%s", r.Code, r.Stderr)
	}
	s.Writes()
	undo := undoFiles(t, folder)[0]
	modes(undo, "-undo", undo, "-apply")
	text, err := os.ReadFile(undo)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, len(text) / 2, len(text) - 1} {
		if err := os.WriteFile(undo, text[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		refused("breaks off", "-undo", undo, "-apply")
		refused("breaks off", "-undo", undo)
	}
	if found := undoFiles(t, folder); len(found) != 1 {
		t.Errorf("undo files: %v", found)
	}
}

// writesTo counts the PATCHes of users.
func writesTo(writes []graphtest.Request) int {
	n := 0
	for _, w := range writes {
		if w.Method == "PATCH" && strings.Contains(w.URL, "/users/") {
			n++
		}
	}
	return n
}

func TestReplaceIsForRenewals(t *testing.T) {
	t.Parallel()
	s := tenanttest.Serve(t, directory(), graphtest.Options{})
	folder := t.TempDir()
	write(t, folder, map[string]int{"alex@contoso.com": 0x33}, "alex@contoso.com")
	r := sync(t, s, folder, "-manifest", "manifest.json", "-replace", "-apply")
	if r.Code != 0 || !strings.Contains(r.Stdout, "- "+ski(3)) || !strings.Contains(r.Stdout, "+ "+ski(0x33)) {
		t.Errorf("exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	if got := s.Tenant().Users[2].CertificateUserIDs; !cmp.Equal(got, []string{ski(0x33)}) {
		t.Errorf("alex has %q", got)
	}
}

// A user who is in the list twice, with an old and a new certificate, gets both.
func TestTwice(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("-short leaves out what takes long")
	}
	s := tenanttest.Serve(t, directory(), graphtest.Options{})
	folder := t.TempDir()
	text := fmt.Sprintf(`{"ca": {}, "users": [{"upn": "john@contoso.com", "certificateUserIds": {"SKI": %q}},
		{"upn": "JOHN@contoso.com", "certificateUserIds": {"SKI": %q}}]}`, ski(2), ski(0x22))
	if err := os.WriteFile(filepath.Join(folder, "manifest.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r := sync(t, s, folder, "-manifest", "manifest.json", "-apply")
	got := s.Tenant().Users[1].CertificateUserIDs
	slices.Sort(got)
	if r.Code != 0 || !cmp.Equal(got, []string{ski(2), ski(0x22)}) {
		t.Errorf("exit status %d, john has %q\n%s%s", r.Code, got, r.Stdout, r.Stderr)
	}
	for _, name := range undoFiles(t, folder) {
		r = sync(t, s, folder, "-undo", name, "-apply")
	}
	if got := s.Tenant().Users[1].CertificateUserIDs; r.Code != 0 || len(got) != 0 {
		t.Errorf("after undo: exit status %d, john has %q\n%s%s", r.Code, got, r.Stdout, r.Stderr)
	}
}

// What is wrong with one user stops nobody else.
func TestSomeFail(t *testing.T) {
	t.Parallel()
	s := tenanttest.Serve(t, directory(), graphtest.Options{})
	folder := t.TempDir()
	write(t, folder, map[string]int{"john@contoso.com": 2, "alex@contoso.com": 6, "nobody@contoso.com": 7},
		"alex@contoso.com", "nobody@contoso.com", "john@contoso.com")
	r := sync(t, s, folder, "-manifest", "manifest.json", "-apply")
	for _, want := range []string{"1 written, 2 failed", "holder@contoso.com", "nobody@contoso.com"} {
		if r.Code != 1 || !strings.Contains(r.Stdout, want) {
			t.Errorf("exit status %d, no %q in\n%s%s", r.Code, want, r.Stdout, r.Stderr)
		}
	}
	if got := s.Tenant().Users[1].CertificateUserIDs; !cmp.Equal(got, []string{ski(2)}) {
		t.Errorf("john has %q", got)
	}
	// Certificates that have expired bind nobody any more.
	text, err := os.ReadFile(filepath.Join(folder, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	year := fmt.Sprintf(`"notAfter":"%d-`, time.Now().AddDate(1, 0, 0).Year())
	expired := strings.ReplaceAll(string(text), year, `"notAfter":"2020-`)
	if err := os.WriteFile(filepath.Join(folder, "expired.json"), []byte(expired), 0o600); err != nil {
		t.Fatal(err)
	}
	r = sync(t, s, folder, "-manifest", "expired.json")
	if r.Code != 1 || !strings.Contains(r.Stdout, "3 failed") || !strings.Contains(r.Stdout, "expired on 2020-") {
		t.Errorf("expired certificates: exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	r = sync(t, s, folder, "-manifest", "manifest.json", "-mapping", "RFC822Name")
	if r.Code != 1 || !strings.Contains(r.Stdout, "no value for RFC822Name") {
		t.Errorf("a mapping that nobody has: exit status %d\n%s", r.Code, r.Stdout)
	}
}

// Bad weather: everything is written once, and lists of others stay.
func TestWeather(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("-short leaves out what takes long")
	}
	for _, fault := range []graphtest.Fault{
		{Kind: graphtest.Throttled}, {Kind: graphtest.Unavailable}, {Kind: graphtest.Unavailable, Applied: true},
		{Kind: graphtest.Reset}, {Kind: graphtest.Reset, Applied: true}, {Kind: graphtest.Gateway, Applied: true},
		{Kind: graphtest.Half}, {Kind: graphtest.Cut}, {Kind: graphtest.Slow},
	} {
		t.Run(fmt.Sprintf("%v, applied %v", fault.Kind, fault.Applied), func(t *testing.T) {
			t.Parallel()
			s := tenanttest.Serve(t, directory(), graphtest.Options{})
			folder := t.TempDir()
			write(t, folder, people, "jane@contoso.com", "john@contoso.com", "alex@contoso.com")
			before := lists(t, s.Tenant())
			// The second batch is the one that writes.
			fault.Path, fault.Skip, fault.RetryAfter = "/$batch", 1, time.Second
			s.Inject(t, fault)
			r := sync(t, s, folder, "-manifest", "manifest.json", "-mapping", "IssuerAndSerialNumber", "-apply")
			if r.Code != 0 || !strings.Contains(r.Stdout, "3 written") {
				t.Fatalf("exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
			}
			if s.Pending() != 0 {
				t.Error("the fault has not struck")
			}
			after := lists(t, s.Tenant())
			for name, octet := range people {
				if name != "adele@contoso.com" && strings.Count(after[name], fmt.Sprintf("SR\\u003e%02x", octet)) != 1 {
					t.Errorf("%s has %s", name, after[name])
				}
			}
			for _, name := range []string{"megan@contoso.com", "holder@contoso.com", "adele@contoso.com"} {
				if before[name] != after[name] {
					t.Errorf("%s had %s and has %s", name, before[name], after[name])
				}
			}
			// What was there before is there still, in its order.
			if want := strings.TrimSuffix(before["jane@contoso.com"], "]"); !strings.HasPrefix(after["jane@contoso.com"], want) {
				t.Errorf("jane had %s and has %s", before["jane@contoso.com"], after["jane@contoso.com"])
			}
		})
	}
}

func TestForbidden(t *testing.T) {
	t.Parallel()
	s := tenanttest.Serve(t, directory(), graphtest.Options{})
	folder := t.TempDir()
	write(t, folder, people, "john@contoso.com")
	s.Inject(t, graphtest.Fault{Kind: graphtest.Forbidden, Path: "/users/**", Times: -1})
	r := sync(t, s, folder, "-manifest", "manifest.json", "-apply")
	if r.Code == 0 || !strings.Contains(r.Stdout+r.Stderr, "User.Read.All") {
		t.Errorf("exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	if len(undoFiles(t, folder)) != 0 || strings.Contains(r.Stdout, "were necessary") {
		t.Errorf("an undo file of nothing, or a wrong word:\n%s", r.Stdout)
	}
	const secret = "s3cr3t-t0ken"
	r = tenanttest.RunToken(t, s, secret, program, folder, "-endpoint", s.URL+"/v1.0", "-manifest", "manifest.json")
	if r.Code == 0 || strings.Contains(r.Stdout+r.Stderr, secret) || !strings.Contains(r.Stdout+r.Stderr, "token") {
		t.Errorf("wrong token: exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
}

func TestUnusable(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write(t, folder, nil)
	for name, text := range map[string]string{
		"garbage.json": "hello", "half.json": `{"ca": {}, "users": [{"upn": "jane@contoso.com"`,
		"undo.jsonl": "{\"user\": \"x\"}\n", "empty.jsonl": "",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const secret = "bad token\x01"
	for _, test := range []struct {
		token string
		args  []string
		says  string
	}{
		{"", []string{"-manifest", "none.json"}, "none.json"},
		{"", []string{"-manifest", "garbage.json"}, "garbage.json"},
		{"", []string{"-manifest", "half.json"}, "half.json"},
		{"", []string{"-manifest", "manifest.json"}, "contains no users"},
		{"", []string{"-mapping", "Thumbprint"}, "Thumbprint"},
		{"", []string{"-undo", "undo.jsonl"}, "line 1"},
		{"", []string{"-undo", "empty.jsonl"}, "contains no users"},
		{"", []string{"-undo", "none.jsonl"}, "none.jsonl"},
		{"", []string{"-undo", "undo.jsonl", "-replace"}, "cannot be combined with -manifest"},
		{"", []string{"-aply"}, "-aply"},
		{"", []string{"jane"}, "jane"},
		{"", []string{"-tenant", "contoso"}, "-manifest"},
		{"x", []string{"-tenant", "contoso", "-endpoint", "https://x/v1.0", "-manifest", "manifest.json"}, "pass only one of them"},
		{"", []string{"-endpoint", "https://graph.microsoft.com/v1.0", "-manifest", "manifest.json"}, "GRAPH_ACCESS_TOKEN"},
		{secret, []string{"-endpoint", "https://graph.microsoft.com/v1.0", "-manifest", "manifest.json"}, "GRAPH_ACCESS_TOKEN"},
		{"x", []string{"-endpoint", "http://graph.microsoft.com/v1.0", "-manifest", "manifest.json"}, "https"},
		{"x", []string{"-endpoint", "https://graph.microsoft.com", "-manifest", "manifest.json"}, "version"},
		{"", []string{"-tenant", "no tenant", "-manifest", "manifest.json"}, "no tenant"},
	} {
		r := tenanttest.RunToken(t, nil, test.token, program, folder, test.args...)
		if r.Code != 2 || r.Stdout != "" || !strings.Contains(r.Stderr, test.says) || test.token == secret && strings.Contains(r.Stderr, "bad token") {
			t.Errorf("%q: exit status %d, printed %q, said %q", test.args, r.Code, r.Stdout, r.Stderr)
		}
	}
}

func TestFIPSOnly(t *testing.T) {
	t.Parallel()
	r := programtest.FIPSOnly(t, program, t.TempDir(), "-mapping", "SKI,SHA1PublicKey", "-apply")
	if r.Code != 0 || !strings.Contains(r.Stdout, "X509:<SHA1-PUKEY>") || !strings.Contains(r.Stdout, "written") {
		t.Errorf("exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
}
