package deploy_test

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/xml"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"example.com/entracba/cba/deploy"
)

func artefact(t testing.TB, p deploy.Package, target deploy.Target, o deploy.Options, name string) []byte {
	t.Helper()
	files, err := p.Artefacts(target, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.TrimPrefix(f.Name, "Certs/") == name {
			return f.Content
		}
	}
	t.Fatalf("no %s among %v", name, files)
	return nil
}

// list is the policy's list on Linux, the value that the other targets have, too.
func list(t testing.TB, p deploy.Package, o deploy.Options) (all []string) {
	t.Helper()
	out, err := p.ChromiumPolicy(o)
	if err != nil {
		t.Fatal(err)
	}
	var file map[string][]string
	if err := json.Unmarshal(out, &file); err != nil {
		t.Fatal(err)
	}
	return file["AutoSelectCertificateForUrls"]
}

// Every form for Windows holds exactly the list of Linux, whatever is in a name.
func TestChoiceIsOneValue(t *testing.T) {
	for _, name := range []string{"jane", `A "B" \ <C> & 'ü' %PATH% $x`, "smart ’quote‘", `\"`, "日本語 🔐"} {
		p := sample(t)
		root := newAuthority(t, pkix.Name{CommonName: "CA " + name}, nil)
		p.Certificate = issue(t, &x509.Certificate{Subject: pkix.Name{CommonName: name}}, newKey(t), root)
		other := issue(t, &x509.Certificate{Subject: pkix.Name{CommonName: "John"}}, newKey(t), root)
		for _, o := range []deploy.Options{{}, {Others: []*x509.Certificate{other, p.Certificate}}, {IssuerOnly: true, Others: []*x509.Certificate{other}}} {
			want := list(t, p, o)
			if n := 1 + min(1, len(o.Others)); o.IssuerOnly && len(want) != 1 || !o.IssuerOnly && len(want) != n {
				t.Errorf("%q, %+v: %d entries", name, o, len(want))
			}
			// The registry: REG_SZ in a .reg file escapes backslashes and quotation marks.
			got := map[string][]string{}
			key := ""
			for line := range strings.Lines(decodeUTF16(artefact(t, p, deploy.Windows, o, "browser-choice.reg"))) {
				line = strings.TrimRight(line, "\r\n")
				if strings.HasPrefix(line, "[") {
					key = strings.Trim(line, "[]")
				}
				if value, ok := strings.CutPrefix(line, `"`); ok {
					number, value, _ := strings.Cut(value, `"="`)
					if number != string(rune('1'+len(got[key]))) {
						t.Errorf("number %s behind %d values", number, len(got[key]))
					}
					value = strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(strings.TrimSuffix(value, `"`))
					got[key] = append(got[key], value)
				}
			}
			for _, key := range []string{`HKEY_LOCAL_MACHINE\SOFTWARE\Policies\Microsoft\Edge\AutoSelectCertificateForUrls`, `HKEY_LOCAL_MACHINE\SOFTWARE\Policies\Google\Chrome\AutoSelectCertificateForUrls`} {
				if !slices.Equal(got[key], want) {
					t.Errorf("%q: %s has %q, want %q", name, key, got[key], want)
				}
			}
			// PowerShell.
			script := string(artefact(t, p, deploy.Windows, o, "Set-BrowserChoice.ps1"))
			_, rest, _ := strings.Cut(script, "$list = @(")
			rest, _, _ = strings.Cut(rest, "\r\n")
			var values []string
			for _, one := range strings.Split(strings.TrimSuffix(rest, ")"), "), (") {
				value, _, err := powerShellValue(strings.Trim(one, "()"))
				if err != nil {
					t.Fatal(err)
				}
				values = append(values, value)
			}
			if !slices.Equal(values, want) {
				t.Errorf("%q: PowerShell has %q, want %q", name, values, want)
			}
			// Intune: XML, in which U+F000 separates numbers and values.
			values = nil
			for line := range strings.Lines(string(artefact(t, p, deploy.WindowsUSB, o, "browser-choice-intune.txt"))) {
				if !strings.HasPrefix(line, "<enabled/>") {
					continue
				}
				var data struct {
					Data struct {
						ID    string `xml:"id,attr"`
						Value string `xml:"value,attr"`
					} `xml:"data"`
				}
				if err := xml.Unmarshal([]byte("<x>"+line+"</x>"), &data); err != nil || data.Data.ID != "AutoSelectCertificateForUrlsDesc" {
					t.Fatalf("%v: %s", err, line)
				}
				parts := strings.Split(data.Data.Value, "\uf000")
				for i := 1; i < len(parts); i += 2 {
					values = append(values, parts[i])
				}
			}
			if !slices.Equal(values, append(slices.Clone(want), want...)) {
				t.Errorf("%q: Intune has %q, want %q twice", name, values, want)
			}
		}
	}
	p := sample(t)
	if _, err := p.ChromiumPolicy(deploy.Options{Others: []*x509.Certificate{nil}}); reason(err) != deploy.Missing {
		t.Errorf("a nil certificate: %v", err)
	}
}

func TestChoicesOfAMachine(t *testing.T) {
	p := sample(t)
	policy, err := p.ChromiumPolicy(deploy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	issuerOnly, err := p.ChromiumPolicy(deploy.Options{IssuerOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	gov, err := p.ChromiumPolicy(deploy.Options{Cloud: deploy.USGov})
	if err != nil {
		t.Fatal(err)
	}
	somebody, err := jane(t, "x").ChromiumPolicy(deploy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	somebody = bytes.ReplaceAll(somebody, []byte("jane@"), []byte("john@"))
	firefox := artefact(t, p, deploy.Linux, deploy.Options{}, "firefox-policies.json")
	const managed = "etc/opt/chrome/policies/managed/"
	pattern := func(pattern string) []byte {
		return bytes.Replace(policy, []byte("https://[*.]certauth.login.microsoftonline.com"), []byte(pattern), 1)
	}
	for _, test := range []struct {
		name  string
		files map[string][]byte
		want  string
	}{
		{"no browser", map[string][]byte{managed + "x.json": policy}, ""},
		{"no policy", map[string][]byte{"opt/google/chrome/chrome": nil}, "Chrome: "},
		{"ours", map[string][]byte{"opt/google/chrome/chrome": nil, managed + "entra-cba.json": policy}, "Chrome: " + managed + "entra-cba.json"},
		{"another file, beside one that is broken", map[string][]byte{"opt/google/chrome/chrome": nil, managed + "a.json": []byte("{"), managed + "b.json": issuerOnly}, "Chrome: " + managed + "b.json"},
		// As Chromium 148 does it.
		{"a later file for somebody else", map[string][]byte{"opt/google/chrome/chrome": nil, managed + "b.json": policy, managed + "c": somebody}, "Chrome: "},
		{"an earlier file for somebody else", map[string][]byte{"opt/google/chrome/chrome": nil, managed + "b.json": policy, managed + "a": somebody}, "Chrome: " + managed + "b.json"},
		{"capital letters come first", map[string][]byte{"opt/google/chrome/chrome": nil, managed + "a.json": policy, managed + "B.json": somebody}, "Chrome: " + managed + "a.json"},
		{"a later list of another type", map[string][]byte{"opt/google/chrome/chrome": nil, managed + "b.json": policy, managed + "c.json": []byte(`{"AutoSelectCertificateForUrls": "x"}`)}, "Chrome: "},
		{"a later file that is broken", map[string][]byte{"opt/google/chrome/chrome": nil, managed + "b.json": policy, managed + "c.json": somebody[:len(somebody)-3]}, "Chrome: " + managed + "b.json"},
		{"a later file for something else", map[string][]byte{"opt/google/chrome/chrome": nil, managed + "b.json": policy, managed + "c.json": []byte(`{"HomepageLocation": "x"}`)}, "Chrome: " + managed + "b.json"},
		{"comments, and commas too many", map[string][]byte{"opt/google/chrome/chrome": nil, managed + "b.json": append([]byte("// \"a\n/* [ \" */"), append(bytes.Replace(policy, []byte("\n  ]"), []byte(",\n  ], // x\n"), 1), "/**/ // \\"...)...)}, "Chrome: " + managed + "b.json"},
		{"another cloud", map[string][]byte{"opt/google/chrome/chrome": nil, managed + "a.json": gov}, "Chrome: "},
		{"another person", map[string][]byte{"opt/google/chrome/chrome": nil, managed + "a.json": somebody}, "Chrome: "},
		{"not a list", map[string][]byte{"opt/google/chrome/chrome": nil, managed + "a.json": []byte(`{"AutoSelectCertificateForUrls": "x"}`)}, "Chrome: "},
		{"another folder", map[string][]byte{"opt/google/chrome/chrome": nil, "etc/chromium/policies/managed/a.json": policy}, "Chrome: "},
		{"every site", map[string][]byte{"opt/google/chrome/chrome": nil, managed + "a.json": pattern("*")}, "Chrome: " + managed + "a.json"},
		{"the domain", map[string][]byte{"opt/google/chrome/chrome": nil, managed + "a.json": pattern("[*.]microsoftonline.com:443")}, "Chrome: " + managed + "a.json"},
		{"the host", map[string][]byte{"opt/google/chrome/chrome": nil, managed + "a.json": pattern("https://certauth.login.microsoftonline.com/")}, "Chrome: " + managed + "a.json"},
		{"http", map[string][]byte{"opt/google/chrome/chrome": nil, managed + "a.json": pattern("http://[*.]certauth.login.microsoftonline.com")}, "Chrome: "},
		{"a host that ends alike", map[string][]byte{"opt/google/chrome/chrome": nil, managed + "a.json": pattern("https://[*.]h.login.microsoftonline.com")}, "Chrome: "},
		{"many", map[string][]byte{"usr/bin/chromium": nil, "opt/microsoft/msedge/msedge": nil, "usr/bin/firefox-esr": nil, "var/lib/flatpak/app/org.chromium.Chromium/x": nil,
			"etc/firefox/policies/policies.json": firefox, "etc/chromium/policies/managed/entra-cba.json": policy,
			"var/lib/flatpak/extension/org.chromium.Chromium.Policy.entra-cba/aarch64/1/policies/managed/entra-cba.json": policy},
			"Chromium: etc/chromium/policies/managed/entra-cba.json; Chromium (Flatpak): var/lib/flatpak/extension/org.chromium.Chromium.Policy.entra-cba/aarch64/1/policies/managed/entra-cba.json; Edge: ; Firefox: etc/firefox/policies/policies.json"},
		{"Firefox with a value alone", map[string][]byte{"usr/bin/firefox": nil, "etc/firefox/policies/policies.json": []byte(`{"policies":{"Preferences":{"security.default_personal_cert":"Select Automatically"}}}`)}, "Firefox: etc/firefox/policies/policies.json"},
		{"Firefox whose value is cleared", map[string][]byte{"usr/bin/firefox": nil, "etc/firefox/policies/policies.json": []byte(`{"policies":{"Preferences":{"security.default_personal_cert":{"Value":"Select Automatically","Status":"clear"}}}}`)}, "Firefox: "},
		{"Firefox that asks", map[string][]byte{"usr/bin/firefox": nil, "etc/firefox/policies/policies.json": []byte(`{"policies":{"Preferences":{"security.default_personal_cert":{"Value":"Ask Every Time"}}}}`)}, "Firefox: "},
	} {
		machine := fstest.MapFS{}
		for name, content := range test.files {
			machine[name] = &fstest.MapFile{Data: content}
		}
		choices, err := deploy.Choices(machine, p.Certificate, deploy.Public)
		var got []string
		for _, c := range choices {
			got = append(got, c.Browser+": "+c.File)
		}
		if err != nil || strings.Join(got, "; ") != test.want {
			t.Errorf("%s: %q, %v, want %q", test.name, got, err, test.want)
		}
	}
	if _, err := deploy.Choices(fstest.MapFS{}, nil, deploy.Public); reason(err) != deploy.BadOption {
		t.Errorf("no certificate: %v", err)
	}
	if _, err := deploy.Choices(fstest.MapFS{}, p.Certificate, 0); reason(err) != deploy.BadOption {
		t.Errorf("no cloud: %v", err)
	}
}

// The script finds the browsers that Choices finds, and puts the files where it looks.
func TestPolicyScript(t *testing.T) {
	p := sample(t)
	for _, sh := range shells(t) {
		folder, machine := t.TempDir(), t.TempDir()
		files, err := p.Artefacts(deploy.Linux, deploy.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			write(t, folder, f.Name, f.Content, f.Mode)
		}
		run := func(args ...string) (string, int) {
			command := exec.Command(sh, append([]string{filepath.Join(folder, "install-policy.sh")}, args...)...)
			command.Env = append(os.Environ(), "ROOT="+machine)
			out, _ := command.CombinedOutput()
			return strings.ReplaceAll(string(out), machine, ""), command.ProcessState.ExitCode()
		}
		if out, code := run(); code != 1 || !strings.Contains(out, "No browser was found") {
			t.Errorf("%s: exit status %d\n%s", sh, code, out)
		}
		for _, sign := range []string{"usr/bin/chromium", "usr/bin/chromium-browser", "snap/chromium/x", "opt/google/chrome/chrome", "opt/microsoft/msedge/msedge", "opt/brave.com/brave/brave",
			"usr/bin/firefox", "var/lib/flatpak/app/org.chromium.Chromium/x", "var/lib/flatpak/app/org.mozilla.firefox/x"} {
			write(t, machine, sign, nil, 0o755)
		}
		if out, code := run("-check"); code != 1 || strings.Count(out, "NOT set") != 9 {
			t.Errorf("%s: exit status %d\n%s", sh, code, out)
		}
		// What is in the way is said before anything is written.
		// (Chromium 148 opens every file of the folder, seen with strace.)
		for _, name := range []string{"fleet.json", "fleet", ".fleet.conf", "fleet.json.bak"} {
			foreign := write(t, machine, "etc/opt/edge/policies/managed/"+name, []byte(`{"AutoSelectCertificateForUrls": []}`), 0o644)
			if out, code := run(); code != 1 || !strings.Contains(out, name+" sets AutoSelectCertificateForUrls already") || !strings.Contains(out, "Nothing was written") {
				t.Errorf("%s: exit status %d\n%s", sh, code, out)
			}
			os.Remove(foreign)
		}
		foreign := write(t, machine, "etc/firefox/policies/policies.json", []byte(`{"policies": {}}`), 0o644)
		for _, args := range [][]string{nil, {"-replace"}} {
			if out, code := run(args...); code != 1 || !strings.Contains(out, "-no-firefox") {
				t.Errorf("%s: exit status %d\n%s", sh, code, out)
			}
		}
		if _, err := os.Stat(filepath.Join(machine, "etc/chromium")); err == nil {
			t.Errorf("%s: something was written", sh)
		}
		os.Remove(foreign)
		if out, code := run(); code != 0 {
			t.Fatalf("%s: exit status %d\n%s", sh, code, out)
		}
		choices, err := deploy.Choices(os.DirFS(machine), p.Certificate, deploy.Public)
		if err != nil || len(choices) != 9 {
			t.Fatalf("%v, %v", choices, err)
		}
		for _, c := range choices {
			if c.File == "" {
				t.Errorf("%s: %s has no policy", sh, c.Browser)
			}
			if info, err := os.Stat(filepath.Join(machine, c.File)); err != nil || info.Mode().Perm() != 0o644 {
				t.Errorf("%s: %v, %v", sh, info, err)
			}
		}
		if out, code := run("-check"); code != 0 || strings.Contains(out, "NOT") {
			t.Errorf("%s: exit status %d\n%s", sh, code, out)
		}
		// Again, after a run that was killed half-way.
		write(t, machine, "etc/chromium/policies/managed/.entra-cba.x7Yz12", []byte(`{"AutoSelectCertificateForUrls": []}`), 0o600)
		if out, code := run(); code != 0 {
			t.Errorf("%s again: exit status %d\n%s", sh, code, out)
		}
		// Somebody else's certificate: not replaced unasked.
		next, err := jane(t, "x").ChromiumPolicy(deploy.Options{})
		if err != nil {
			t.Fatal(err)
		}
		write(t, folder, "chromium-policy.json", bytes.ReplaceAll(next, []byte("jane@"), []byte("john@")), 0o644)
		if out, code := run(); code != 1 || !strings.Contains(out, "deliver -shared") {
			t.Errorf("%s: exit status %d\n%s", sh, code, out)
		}
		if out, code := run("-replace"); code != 0 {
			t.Errorf("%s: exit status %d\n%s", sh, code, out)
		}
		if left, _ := filepath.Glob(filepath.Join(machine, "etc/*/policies/*/.entra*")); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	}
	if os.Getuid() != 0 {
		return
	}
	// Root is needed, and said first. (A user without rights, if the tests run as root.)
	folder := t.TempDir()
	write(t, folder, "install-policy.sh", artefact(t, p, deploy.Linux, deploy.Options{}, "install-policy.sh"), 0o755)
	write(t, folder, "id", []byte("#!/bin/sh\necho 1000\n"), 0o755)
	command := exec.Command("sh", filepath.Join(folder, "install-policy.sh"))
	command.Env = []string{"PATH=" + folder + ":/usr/bin:/bin"}
	if out, err := command.CombinedOutput(); err == nil || !strings.Contains(string(out), "needs root: sudo sh install-policy.sh") {
		t.Errorf("%v\n%s", err, out)
	}
}
