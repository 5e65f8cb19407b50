//go:build unix

package main_test

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/fleet/ledger"
)

// TestBuckets keeps PFX files, passwords and CRLs in buckets. The number of the CRL goes on, and
// nobody is forgotten, when the folder of this machine with the state of the CRLs is lost.
func TestBuckets(t *testing.T) {
	backend := s3mem.New()
	for _, name := range []string{"secret-files", "passwords", "public"} {
		if err := backend.CreateBucket(name); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(server.Close)
	t.Setenv("AWS_ENDPOINT_URL", server.URL)
	t.Setenv("AWS_ACCESS_KEY_ID", "id")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret-of-the-test")
	t.Setenv("AWS_REGION", "us-east-1")
	names := func(bucket string) (all []string) {
		t.Helper()
		list, err := backend.ListBucket(bucket, nil, gofakes3.ListBucketPage{})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range list.Contents {
			all = append(all, o.Key)
		}
		return all
	}
	dir := t.TempDir()
	places := []string{"-files", "s3://secret-files/fleet", "-passwords", "s3://passwords", "-crls", "s3://public/pki/", "-key", "p256", "-drain"}
	mustDo(t, dir, "enqueue")
	mustDo(t, dir, append([]string{"work"}, places...)...)
	for bucket, suffix := range map[string]string{"secret-files": ".pfx", "passwords": ".txt"} {
		found := names(bucket)
		if len(found) != 3 || !strings.HasSuffix(found[0], suffix) || strings.HasPrefix(found[0], "fleet/") != (bucket == "secret-files") {
			t.Errorf("%s: %q", bucket, found)
		}
	}
	for _, folder := range []string{"pfx", "passwords"} {
		if _, err := os.Stat(filepath.Join(dir, "out", "fleet", folder)); err == nil {
			t.Errorf("%s was made", folder)
		}
	}
	list := func() *crl.List {
		t.Helper()
		found := names("public")
		if len(found) != 1 || !strings.HasPrefix(found[0], "pki/issuing-") {
			t.Fatalf("%q", found)
		}
		object, err := backend.GetObject("public", found[0], nil)
		if err != nil {
			t.Fatal(err)
		}
		defer object.Contents.Close()
		content := make([]byte, object.Size)
		if _, err := object.Contents.Read(content); err != nil {
			t.Fatal(err)
		}
		l, err := crl.Parse(content)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	mustDo(t, dir, "revoke", "jane@yourdomain.com")
	mustDo(t, dir, append([]string{"work"}, places...)...)
	before := list()
	if before.Len() != 1 {
		t.Fatalf("%d revocations", before.Len())
	}
	stores, _ := filepath.Glob(filepath.Join(dir, "out", "fleet", "crl", "*"))
	if len(stores) < 2 {
		t.Fatal(stores)
	}
	for _, name := range stores {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	mustDo(t, dir, "revoke", "john@yourdomain.com")
	mustDo(t, dir, append([]string{"work"}, places...)...)
	if after := list(); after.Len() != 2 || after.CheckAfter(before) != nil {
		t.Errorf("CRL %v after %v has %d revocations", after.Number, before.Number, after.Len())
	}
	server.Close()
	if r := do(t, dir, append([]string{"work"}, places...)...); r.code == 0 || strings.Contains(r.stderr, "secret-of-the-test") {
		t.Errorf("without the server: exit status %d\n%s", r.code, r.stderr)
	}
}

// TestTypos refuses what looks like a server or a bucket and is none, without a file of that name and
// without repeating a password.
func TestTypos(t *testing.T) {
	dir := t.TempDir()
	writeUsers(t, dir, 1)
	for _, name := range []string{"host=db.contoso.com dbname=cba password=hunter2", "dbname=hunter2", "postgress://cba:hunter2@db.contoso.com/cba",
		"Postgres://cba:hunter2@db.contoso.com/cba", "mysql://cba:hunter2@db.contoso.com/cba", "host = hunter2"} {
		for _, args := range [][]string{{"enqueue", "-users", "users.csv"}, {"work"}, {"status"}, {"-users", "users.csv"}} {
			r := do(t, dir, append(args, "-ledger", name)...)
			if r.code != 2 || !strings.Contains(r.stderr, "postgres://USER@HOST/DATABASE") || strings.Contains(r.stderr+r.stdout, "hunter2") {
				t.Errorf("fleet %q -ledger %q: exit status %d\n%s", args, name, r.code, r.stderr)
			}
		}
	}
	for _, args := range [][]string{{"-files", "s3://id:hunter2@bucket"}, {"-passwords", "s3:hunter2"}, {"-files", "https://bucket.contoso.com/hunter2"},
		{"-crls", "ftp://hunter2"}, {"-files", "s3://b/x", "-passwords", "s3://b/x"}, {"-files", "s3://b/x", "-passwords", "s3://b/x/"},
		{"-crls", "out/fleet/pfx"}, {"-crls", "out/fleet/passwords/"}, {"-files", "s3://b/x", "-crls", "s3://b/x"}} {
		r := do(t, dir, append([]string{"work"}, args...)...)
		if r.code != 2 || strings.Contains(r.stderr, "hunter2") {
			t.Errorf("work %q: exit status %d\n%s", args, r.code, r.stderr)
		}
	}
	found, err := os.ReadDir(dir)
	if err != nil || len(found) != 1 {
		t.Errorf("%v, %v", found, err)
	}
}

// TestOneWay holds that a folder and its ledger belong to jobs, or to runs without a command:
// neither finds the files of the other.
func TestOneWay(t *testing.T) {
	dir := t.TempDir()
	writeUsers(t, dir, 1)
	mustDo(t, dir, "-users", "users.csv", "-key", "p256")
	for _, args := range [][]string{{"enqueue", "-users", "users.csv"}, {"work", "-drain"}, {"status"}, {"revoke", "user0@yourdomain.com"}, {"retry"},
		{"status", "-out", "new", "-ledger", "out/fleet/ledger.db"}} {
		if r := do(t, dir, args...); r.code != 2 || !strings.Contains(r.stderr, "-users, -revoke or -renew") {
			t.Errorf("fleet %q: exit status %d\n%s", args, r.code, r.stderr)
		}
	}
	mustDo(t, dir, "enqueue", "-users", "users.csv", "-out", "jobs")
	for _, out := range []string{"jobs", "other"} {
		if r := do(t, dir, "-users", "users.csv", "-out", out, "-ledger", "jobs/ledger.db"); r.code != 2 || !strings.Contains(r.stderr, "enqueue, work and revoke") {
			t.Errorf("exit status %d\n%s", r.code, r.stderr)
		}
	}
	// One CA has one CRL, whichever way a certificate was revoked.
	mustDo(t, dir, "-revoke", "user0@yourdomain.com")
	work := []string{"work", "-out", "jobs", "-key", "p256", "-ca", "out/fleet/ca", "-crls", "out/fleet/crl", "-drain"}
	mustDo(t, dir, work...)
	if s := status(t, dir, "-out", "jobs"); s.Certificates[ledger.Delivered] != 1 {
		t.Errorf("%+v", s)
	}
	mustDo(t, dir, "revoke", "-out", "jobs", "user0@yourdomain.com")
	mustDo(t, dir, work...)
	var lists []*crl.List
	look := func(want int) {
		t.Helper()
		names, _ := filepath.Glob(filepath.Join(dir, "out", "fleet", "crl", "*.crl"))
		if len(names) != 1 {
			t.Fatal(names)
		}
		der, err := os.ReadFile(names[0])
		if err != nil {
			t.Fatal(err)
		}
		list, err := crl.Parse(der)
		if err != nil || list.Len() != want {
			t.Fatalf("%v, %v", list, err)
		}
		if n := len(lists); n > 0 && list.CheckAfter(lists[n-1]) != nil {
			t.Errorf("CRL %v after %v", list.Number, lists[n-1].Number)
		}
		lists = append(lists, list)
	}
	look(2)
	mustDo(t, dir, "-users", "users.csv", "-key", "p256", "-reissue")
	mustDo(t, dir, "-revoke", "user0@yourdomain.com")
	look(3)
}

// TestHugeCRL replaces no CRL of which it could read only a part: it may be newer.
func TestHugeCRL(t *testing.T) {
	dir := t.TempDir()
	writeUsers(t, dir, 2)
	work := []string{"work", "-key", "p256", "-drain"}
	mustDo(t, dir, "enqueue", "-users", "users.csv")
	mustDo(t, dir, work...)
	mustDo(t, dir, "revoke", "user0@yourdomain.com")
	mustDo(t, dir, work...)
	names, _ := filepath.Glob(filepath.Join(dir, "out", "fleet", "crl", "*.crl"))
	if len(names) != 1 {
		t.Fatal(names)
	}
	const size = 300 << 20
	if err := os.Truncate(names[0], size); err != nil {
		t.Fatal(err)
	}
	mustDo(t, dir, "revoke", "user1@yourdomain.com")
	if r := do(t, dir, work...); r.code == 0 || !strings.Contains(r.stderr, "larger than 256 MB") {
		t.Errorf("exit status %d\n%s", r.code, r.stderr)
	}
	if info, err := os.Stat(names[0]); err != nil || info.Size() != size {
		t.Errorf("replaced: %v, %v", info, err)
	}
}

// TestStrays finds a PFX file that the ledger does not know, and puts it on the CRL.
func TestStrays(t *testing.T) {
	dir := t.TempDir()
	mustDo(t, dir, "enqueue", "-out", "jobs")
	mustDo(t, dir, "work", "-out", "jobs", "-key", "p256", "-drain")
	if r := mustDo(t, dir, "strays", "-out", "jobs"); !strings.Contains(r.stdout, "knows the certificate of every PFX file") {
		t.Errorf("%s", r.stdout)
	}
	const stray = "jane@yourdomain.com.0badc0de.pfx"
	for _, name := range []string{stray, "README", "jane.txt", ".pfx", "x.pfx"} {
		if err := os.WriteFile(filepath.Join(dir, "jobs", "pfx", name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := mustDo(t, dir, "strays", "-out", "jobs")
	if !strings.HasPrefix(r.stdout, stray+"\nThe ledger does not know the certificates of 1 PFX file.") || !strings.HasSuffix(r.stdout, "fleet strays -out jobs -revoke\n") {
		t.Errorf("%s", r.stdout)
	}
	mustDo(t, dir, "strays", "-out", "jobs", "-revoke")
	mustDo(t, dir, "work", "-out", "jobs", "-key", "p256", "-drain")
	names, _ := filepath.Glob(filepath.Join(dir, "jobs", "crl", "issuing-*.crl"))
	if len(names) != 1 {
		t.Fatal(names)
	}
	der, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	if list, err := crl.Parse(der); err != nil || list.Len() != 1 {
		t.Errorf("%v, %v", list, err)
	}
	if r := mustDo(t, dir, "strays", "-out", "jobs", "-json"); !strings.Contains(r.stdout, `"strays": []`) {
		t.Errorf("%s", r.stdout)
	}
	if _, err := os.Stat(filepath.Join(dir, "jobs", "pfx", stray)); err != nil {
		t.Error(err)
	}
	for _, args := range [][]string{{"-ca", "jobs/ca"}, {"x"}, {"-files", "ftp://x"}, {"-revoke", "-ca", "nowhere"}} {
		if r := do(t, dir, append([]string{"strays", "-out", "jobs"}, args...)...); r.code != 2 {
			t.Errorf("%q: exit status %d\n%s", args, r.code, r.stderr)
		}
	}
}

// TestJobsEndings holds exit statuses and next commands of jobs that fail, of stopped requests, and of
// folders that others may write.
func TestJobsEndings(t *testing.T) {
	dir := t.TempDir()
	writeUsers(t, dir, 2)
	mustDo(t, dir, "enqueue", "-users", "users.csv", "-out", "jobs")
	if r := mustDo(t, dir, "revoke", "-out", "jobs", "user0@yourdomain.com"); !strings.Contains(r.stdout, "user0@yourdomain.com has no certificate to revoke, and gets none") || !strings.HasSuffix(r.stdout, "fleet work -out jobs -drain\n") {
		t.Errorf("%s", r.stdout)
	}
	// The place of the passwords is a file.
	if err := os.WriteFile(filepath.Join(dir, "jobs", "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if r := do(t, dir, "work", "-out", "jobs", "-key", "p256", "-passwords", "jobs/file", "-drain"); r.code == 0 {
		t.Errorf("exit status %d\n%s", r.code, r.stderr)
	}
	if err := os.Mkdir(filepath.Join(dir, "jobs", "open"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, "jobs", "open"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, flag := range []string{"-files", "-passwords"} {
		if r := do(t, dir, "work", "-out", "jobs", flag, "jobs/open", "-drain"); r.code != 2 || !strings.Contains(r.stderr, "chmod go-w") {
			t.Errorf("%s: exit status %d\n%s", flag, r.code, r.stderr)
		}
	}
	mustDo(t, dir, "work", "-out", "jobs", "-key", "p256", "-for", "windows-usb", "-drain")
	if s := status(t, dir, "-out", "jobs"); s.Certificates[ledger.Delivered] != 1 || s.Requests != 2 {
		t.Errorf("%+v", s)
	}
	if r := mustDo(t, dir, "enqueue", "-reissue", "-users", "users.csv", "-out", "jobs"); !strings.Contains(r.stdout, "1 user added, 1 already known") {
		t.Errorf("%s", r.stdout)
	}
	mustDo(t, dir, "work", "-out", "jobs", "-key", "p256", "-drain")
	if s := status(t, dir, "-out", "jobs"); s.Certificates[ledger.Delivered] != 2 {
		t.Errorf("%+v", s)
	}
	for _, path := range []string{"jobs/ledger.db", "jobs"} {
		if err := os.Chmod(filepath.Join(dir, path), 0o777); err != nil {
			t.Fatal(err)
		}
		if r := do(t, dir, "status", "-out", "jobs"); r.code != 2 || !strings.Contains(r.stderr, "chmod go-w") {
			t.Errorf("%s: exit status %d\n%s", path, r.code, r.stderr)
		}
	}
}
