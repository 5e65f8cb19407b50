//go:build browsers && linux

package browser

import (
	"crypto/x509"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"example.com/entracba/cba/deploy"
)

// exists reports whether there is a file or folder.
func exists(path string) bool { _, err := os.Stat(path); return err == nil }

// TestDatabases installs without naming a database, as people do: the script finds the
// one that the browser reads, with what was there before, and the browser presents the
// right certificate. The policy comes by its own script, too.
func TestDatabases(t *testing.T) {
	a := newAuthority(t, "CN=Own CA")
	janes, johns := a.issue(jane, nil), a.issue(john, nil)
	tenant, users := save(t, tenantOf(t, a), map[string][]credential{jane: {janes}, john: {johns}})
	const older, newer = ".pki/nssdb", ".local/share/pki/nssdb"
	for _, test := range []struct {
		name, browser string
		prepare       func(d *desk)
		wants, wanted string // the database in use, and one that must not be
	}{
		{"nothing yet", "chromium", func(d *desk) {}, older, newer},
		{"the old place", "chromium", func(d *desk) { d.install(johns.deliver(t, john, false), filepath.Join(d.home, older)) }, older, newer},
		{"the new place", "chromium", func(d *desk) { d.install(johns.deliver(t, john, false), filepath.Join(d.home, newer)) }, newer, older},
		{"both", "chromium", func(d *desk) {
			d.install(johns.deliver(t, john, false), filepath.Join(d.home, newer))
			os.MkdirAll(filepath.Join(d.home, older), 0o700)
		}, older, ""},
		{"a profile that was never opened", "firefox", func(d *desk) {
			os.MkdirAll(d.firefoxProfile(), 0o700)
			os.MkdirAll(filepath.Join(d.home, ".config/mozilla/firefox"), 0o700)
			ini := "[Profile0]\nName=default\nIsRelative=1\nPath=../../../firefox\nDefault=1\n"
			if err := os.WriteFile(filepath.Join(d.home, ".config/mozilla/firefox/profiles.ini"), []byte(ini), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "firefox", ""},
	} {
		t.Run(test.browser+", "+test.name, func(t *testing.T) {
			d := newDesk(t, tenant, users)
			test.prepare(d)
			folder := janes.deliver(t, jane, false)
			d.install(folder, "")
			if !exists(filepath.Join(d.home, test.wants, "cert9.db")) || test.wanted != "" && exists(filepath.Join(d.home, test.wanted)) {
				t.Errorf("%s is there: %v, %s: %v", test.wants, exists(filepath.Join(d.home, test.wants, "cert9.db")), test.wanted, exists(filepath.Join(d.home, test.wanted)))
			}
			var c client
			if test.browser == "firefox" {
				c = d.firefox()
			} else {
				script := exec.Command("sh", filepath.Join(folder, "install-policy.sh"), "-no-firefox")
				if out, err := script.CombinedOutput(); err != nil {
					t.Fatalf("install-policy.sh: %v\n%s", err, out)
				}
				choices := must(deploy.Choices(os.DirFS("/"), janes.cert, deploy.Public))
				if len(choices) == 0 || choices[0].File == "" {
					t.Errorf("choices %+v", choices)
				}
				c = d.chromium()
			}
			page, _, err := try(t, c, jane, "", "")
			if err != nil {
				t.Fatal(err)
			}
			if s := d.saw(); !s.Presented || !s.Verdict.SignedIn {
				t.Errorf("the lab saw %+v\n%s", s, page)
			}
		})
	}
}

// TestSharedMachine has one policy that names two people, and a home for each of them:
// each presents the right certificate without being asked.
func TestSharedMachine(t *testing.T) {
	a := newAuthority(t, "CN=Own CA")
	all := map[string][]credential{jane: {a.issue(jane, nil)}, john: {a.issue(john, nil)}}
	tenant, users := save(t, tenantOf(t, a), all)
	d := newDesk(t, tenant, users)
	c := all[jane][0]
	p := deploy.Package{UPN: jane, PFX: []byte("not opened"), Certificate: c.cert, Root: c.root}
	policy := must(p.ChromiumPolicy(deploy.Options{}))
	shared := must(p.ChromiumPolicy(deploy.Options{Others: []*x509.Certificate{all[john][0].cert}}))
	var one, two map[string][]string
	if json.Unmarshal(policy, &one) != nil || json.Unmarshal(shared, &two) != nil || len(one["AutoSelectCertificateForUrls"]) != 1 || len(two["AutoSelectCertificateForUrls"]) != 2 {
		t.Fatalf("policies\n%s%s", policy, shared)
	}
	if err := os.WriteFile(chromiumFolder+"/policies/managed/entra-cba.json", shared, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, user := range []string{jane, john} {
		own := *d
		own.home = t.TempDir()
		own.install(all[user][0].deliver(t, user, false), "")
		page, _, err := try(t, own.chromium(), user, "", "")
		if err != nil {
			t.Fatalf("%s: %v", user, err)
		}
		if s := d.saw(); !s.Verdict.SignedIn {
			t.Errorf("%s: the lab saw %+v\n%s", user, s, page)
		}
	}
}

// TestPolicyFiles has two files of policies: the last by name counts, whatever its ending,
// and comments are read, as deploy.Choices says.
func TestPolicyFiles(t *testing.T) {
	a := newAuthority(t, "CN=Own CA")
	janes, johns := a.issue(jane, nil), a.issue(john, nil)
	tenant, users := save(t, tenantOf(t, a), map[string][]credential{jane: {janes}})
	d := newDesk(t, tenant, users)
	d.install(janes.deliver(t, jane, false), "")
	policy := func(c credential) []byte {
		return must(deploy.Package{UPN: jane, PFX: []byte("not opened"), Certificate: c.cert, Root: c.root}.ChromiumPolicy(deploy.Options{}))
	}
	managed := chromiumFolder + "/policies/managed/"
	for _, files := range []map[string][]byte{
		{"aa": policy(johns), "entra-cba.json": policy(janes)},
		{"entra-cba.json": policy(johns), "zz": append([]byte("// a comment\n"), policy(janes)...), "zz.json": []byte("{broken")},
	} {
		for name, content := range files {
			if err := os.WriteFile(managed+name, content, 0o644); err != nil {
				t.Fatal(err)
			}
			defer os.Remove(managed + name)
		}
		choices := must(deploy.Choices(os.DirFS("/"), janes.cert, deploy.Public))
		if !slices.ContainsFunc(choices, func(c deploy.Choice) bool { return c.Browser == "Chromium" && c.File != "" }) {
			t.Errorf("Choices: %v", choices)
		}
		page, _, err := try(t, d.chromium(), jane, "", "")
		if err != nil {
			t.Fatal(err)
		}
		if s := d.saw(); !s.Verdict.SignedIn {
			t.Errorf("the lab saw %+v\n%s", s, page)
		}
	}
}

// TestPrimaryPassword installs into a profile of Firefox that has a primary password: the
// certificate is there once the person has given the password.
func TestPrimaryPassword(t *testing.T) {
	a := newAuthority(t, "CN=Own CA")
	janes := a.issue(jane, nil)
	tenant, users := save(t, tenantOf(t, a), map[string][]credential{jane: {janes}})
	d := newDesk(t, tenant, users)
	d.primary = "primary 1"
	file := filepath.Join(d.home, "primary")
	if err := os.WriteFile(file, []byte(d.primary+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	profile := d.firefoxProfile()
	for _, script := range []string{
		`mkdir -p "$1" && certutil -N -d "sql:$1" -f "$2"`,
		`NSSDB=$1 NSSDB_PASSWORD_FILE=$2 sh "$3/install.sh"`,
		`certutil -A -d "sql:$1" -f "$2" -n lab -t C,, -i "$4"`,
	} {
		command := exec.Command("sh", "-c", script, "-", profile, file, janes.deliver(t, jane, false), d.ca)
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", script, err, out)
		}
	}
	page, _, err := try(t, d.firefox(), jane, "", "")
	if err != nil {
		t.Fatal(err)
	}
	if s := d.saw(); !s.Presented || !s.Verdict.SignedIn {
		t.Errorf("the lab saw %+v\n%s", s, page)
	}
}
