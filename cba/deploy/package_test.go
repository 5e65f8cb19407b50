package deploy_test

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba/deploy"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/pfx"
)

func TestSecretsAreMarked(t *testing.T) {
	p := jane(t, "abcdefghijkmnpqrstuvwxyz")
	for _, target := range deploy.Targets() {
		for _, o := range []deploy.Options{{}, {EmbedPassword: true}, {ScriptOnVolume: true}, {AtSignIn: true}} {
			files, err := p.Artefacts(target, o)
			if target == deploy.Android && o.EmbedPassword {
				if reason(err) != deploy.BadOption {
					t.Errorf("a password for Android: %v", err)
				}
				continue
			}
			if err != nil {
				t.Fatalf("%v: %v", target, err)
			}
			embedded := 0
			for _, f := range files {
				holds := bytes.Contains(f.Content, []byte(p.Password))
				if holds != f.Password {
					t.Errorf("%v, %+v: %s holds the password: %v, says %v", target, o, f.Name, holds, f.Password)
				}
				if holds {
					embedded++
					// "At its top": before anything that somebody would edit.
					top := f.Content[:min(len(f.Content), 400)]
					if !bytes.Contains(top, []byte("SECRET: this file holds the password of ")) {
						t.Errorf("%v: %s does not say so at its top:\n%s", target, f.Name, top)
					}
				} else if bytes.Contains(f.Content, []byte("SECRET")) {
					t.Errorf("%v: %s warns of nothing", target, f.Name)
				}
				key := bytes.Contains(f.Content, p.PFX) || strings.HasSuffix(f.Name, ".mobileconfig")
				if key != f.Key || f.Secret() != (holds || key) {
					t.Errorf("%v: %s has the key: %v, says %v", target, f.Name, key, f.Key)
				}
				want := fs.FileMode(0o644)
				if f.Secret() {
					want = 0o600
				}
				if f.Mode&^0o111 != want || (f.Mode&0o100 != 0) != strings.HasSuffix(f.Name, ".sh") || f.Mode&0o011 != 0 && f.Secret() {
					t.Errorf("%v: %s has the mode %v", target, f.Name, f.Mode)
				}
			}
			if asked := o.EmbedPassword || target == deploy.WindowsUSB || o.AtSignIn && target == deploy.Windows; (embedded > 0) != asked {
				t.Errorf("%v, %+v: %d files have the password", target, o, embedded)
			}
			// Wipe has every secret, and nothing that is none.
			var where []string
			for _, r := range deploy.Wipe(target, files) {
				where = append(where, r.Where)
				if r.Do == "" || r.Holds == "" {
					t.Errorf("%+v", r)
				}
			}
			for _, f := range files {
				if slices.Contains(where, f.Name) != f.Secret() {
					t.Errorf("%v: to wipe %q, but %s is secret: %v", target, where, f.Name, f.Secret())
				}
			}
			panther := strings.Contains(strings.Join(where, " "), `Panther\unattend.xml`)
			if panther != strings.Contains(strings.Join(where, " "), `Panther\unattend-original.xml`) { // of Windows 11
				t.Errorf("%v, %+v: one copy of the answer file without the other: %q", target, o, where)
			}
			if want := target == deploy.WindowsUSB && !o.ScriptOnVolume && !o.AtSignIn; panther != want {
				t.Errorf("%v, %+v: Windows' copy of the answer file: %v, want %v", target, o, panther, want)
			}
		}
	}
}

// No file may have a placeholder, a lone line end, or a line end of the wrong kind.
func TestLineEnds(t *testing.T) {
	p := jane(t, "abcdefghijkmnpqrstuvwxyz")
	for _, target := range deploy.Targets() {
		files, err := p.Artefacts(target, deploy.Options{EmbedPassword: target != deploy.Android})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			switch {
			case strings.HasSuffix(f.Name, ".cer"), strings.HasSuffix(f.Name, ".pfx"), strings.HasSuffix(f.Name, ".p12"):
				continue
			case strings.HasSuffix(f.Name, ".reg"):
				f.Content = []byte(decodeUTF16(f.Content))
				fallthrough
			case strings.HasSuffix(f.Name, ".ps1"), strings.HasSuffix(f.Name, ".cmd"), strings.HasSuffix(f.Name, ".xml"), strings.HasSuffix(f.Name, ".txt"):
				if bytes.Count(f.Content, []byte("\r\n")) != bytes.Count(f.Content, []byte("\n")) {
					t.Errorf("%s: not CRLF throughout", f.Name)
				}
			default:
				if bytes.Contains(f.Content, []byte("\r")) {
					t.Errorf("%s: has CR", f.Name)
				}
			}
			if !bytes.HasSuffix(f.Content, []byte("\n")) || bytes.Contains(f.Content, []byte("%!")) {
				t.Errorf("%s ends in %q", f.Name, f.Content[max(0, len(f.Content)-20):])
			}
		}
	}
}

// A UPN is somebody's input: it must not be able to end a comment, a line or a
// string, whatever is in it.
func TestHostileUPN(t *testing.T) {
	good := sample(t)
	for _, upn := range []string{`o'brien@yourdomain.com`, `--> <x>@yourdomain.com`, `$(reboot)@yourdomain.com`, `a&calc@b`, "`id`@x", `%PATH%@x`, `"@x`, "jörg@x", "--", "@", "..", "-rf@x", "'; rm -rf ~; '@x"} {
		p := good
		p.UPN = upn
		for _, target := range deploy.Targets() {
			o := deploy.Options{EmbedPassword: target != deploy.Android}
			files, err := p.Artefacts(target, o)
			if err != nil {
				t.Errorf("%q, %v: %v", upn, target, err)
				continue
			}
			want, err := good.Artefacts(target, o)
			if err != nil {
				t.Fatal(err)
			}
			for i, f := range files {
				if !regexp.MustCompile(`^[A-Za-z0-9/._+@-]+$`).MatchString(f.Name) || !fs.ValidPath(f.Name) {
					t.Errorf("%q: the file name %q", upn, f.Name)
				}
				// Nothing but comments, shown text and file names changes: the number of
				// lines is a good witness, and the readers' tests are another.
				if !f.Key && bytes.Count(f.Content, []byte("\n")) != bytes.Count(want[i].Content, []byte("\n")) {
					t.Errorf("%q: %s has other lines", upn, f.Name)
				}
				if f.Name == "autounattend.xml" {
					if got := unattendPassword(t, f.Content, "CommandLine"); got != p.Password {
						t.Errorf("%q: the password is %q", upn, got)
					}
				}
				if f.Name == "import.cmd" { // what follows || is fixed text, and redirects
					theirs, ours := strings.Split(string(f.Content), "\r\n"), strings.Split(string(want[i].Content), "\r\n")
					for n, line := range theirs {
						command, _, _ := strings.Cut(line, " || ")
						if line != ours[n] && strings.ContainsAny(command, "<>^`") {
							t.Errorf("%q:\n%s", upn, f.Content)
						}
					}
				}
			}
		}
	}
	for _, upn := range []string{"a\nb@x", "a\x00b@x", "a\xffb@x", "\x1b[2J@x"} {
		p := good
		p.UPN = upn
		if _, err := p.Artefacts(deploy.Linux, deploy.Options{}); reason(err) != deploy.BadName {
			t.Errorf("%q: %v", upn, err)
		}
	}
}

func TestIncomplete(t *testing.T) {
	good := sample(t)
	for _, test := range []struct {
		name  string
		spoil func(*deploy.Package)
		want  deploy.Reason
	}{
		{"nothing", func(p *deploy.Package) { *p = deploy.Package{} }, deploy.Missing},
		{"no UPN", func(p *deploy.Package) { p.UPN = "" }, deploy.Missing},
		{"no PFX", func(p *deploy.Package) { p.PFX = nil }, deploy.Missing},
		{"no certificate", func(p *deploy.Package) { p.Certificate = nil }, deploy.Missing},
		{"no root", func(p *deploy.Package) { p.Root = nil }, deploy.Missing},
		{"a name with a folder", func(p *deploy.Package) { p.Name = "../x" }, deploy.BadName},
		{"a name with a blank", func(p *deploy.Package) { p.Name = "a b" }, deploy.BadName},
		{"an option as a name", func(p *deploy.Package) { p.Name = "-x" }, deploy.BadName},
		{"two hyphens", func(p *deploy.Package) { p.Name = "a--b" }, deploy.BadName},
		{"a long name", func(p *deploy.Package) { p.Name = strings.Repeat("x", 65) }, deploy.BadName},
	} {
		p := good
		test.spoil(&p)
		for i, call := range []func() error{
			func() error { _, err := p.Artefacts(deploy.IOS, deploy.Options{}); return err },
			func() error { _, err := p.Unattend(deploy.Options{}); return err },
			func() error { _, err := p.PowerShell(deploy.Options{}); return err },
			func() error { _, err := p.Certutil(deploy.Options{}); return err },
			func() error { _, err := p.MobileConfig(deploy.IOS, deploy.Options{}); return err },
			func() error { _, err := p.SecurityScript(deploy.Options{}); return err },
			func() error { _, err := p.NSSScript(deploy.Options{}); return err },
			func() error { _, err := p.TrustScript(); return err },
			func() error { _, err := p.ChromiumPolicy(deploy.Options{}); return err },
		} {
			if err := call(); reason(err) != test.want {
				t.Errorf("%s, %d: %v", test.name, i, err)
			}
		}
		if fs := p.Findings(deploy.IOS, time.Now()); !fs.Has("deploy-incomplete") {
			t.Errorf("%s: %v", test.name, fs)
		}
	}
	p := good
	p.Password = ""
	for _, target := range deploy.Targets() {
		if _, err := p.Artefacts(target, deploy.Options{EmbedPassword: target != deploy.Android, AtSignIn: target == deploy.Windows}); target != deploy.Android && reason(err) != deploy.Missing {
			t.Errorf("%v without a password: %v", target, err)
		}
		if _, err := p.Artefacts(target, deploy.Options{}); (err == nil) != (target != deploy.WindowsUSB) {
			t.Errorf("%v without a password and without need for one: %v", target, err)
		}
	}
	if _, err := good.Artefacts(0, deploy.Options{}); reason(err) != deploy.BadOption {
		t.Errorf("no target: %v", err)
	}
	if _, err := good.ChromiumPolicy(deploy.Options{Cloud: 9}); reason(err) != deploy.BadOption {
		t.Errorf("no cloud: %v", err)
	}
	for _, identifier := range []string{"a b", ".a", "a..b", "ä", strings.Repeat("a", 256)} {
		if _, err := good.MobileConfig(deploy.IOS, deploy.Options{Identifier: identifier}); reason(err) != deploy.BadName {
			t.Errorf("%q: %v", identifier, err)
		}
	}
	if _, err := good.MobileConfig(deploy.IOS, deploy.Options{Organization: "a\x01b"}); reason(err) != deploy.BadName {
		t.Errorf("organization: %v", err)
	}
}

// Nothing that prints, logs or writes a value shows the password, the PFX or what a
// secret file holds.
func TestTextHoldsNoSecret(t *testing.T) {
	p := jane(t, "abcdefghijkmnpqrstuvwxyz")
	files, err := p.Artefacts(deploy.Linux, deploy.Options{EmbedPassword: true})
	if err != nil {
		t.Fatal(err)
	}
	secret := slices.IndexFunc(files, func(f deploy.Artefact) bool { return f.Password })
	file := files[secret]
	if !bytes.Contains(file.Content, []byte(p.Password)) {
		t.Fatal("no file with the password")
	}
	holds := func(text string) bool {
		for _, s := range [][]byte{[]byte(p.Password), p.PFX, file.Content} {
			s = s[:min(len(s), 24)]
			numbers := strings.Trim(fmt.Sprint(s), "[]")
			for _, form := range []string{string(s), fmt.Sprintf("%x", s), fmt.Sprintf("%X", s), base64.StdEncoding.EncodeToString(s[:len(s)/3*3]), numbers, strings.ReplaceAll(numbers, " ", ", ")} {
				if strings.Contains(text, form) {
					return true
				}
			}
		}
		return false
	}
	if !holds(fmt.Sprint(p.PFX)) || !holds(fmt.Sprintf("%#x", p.PFX)) || !holds(base64.StdEncoding.EncodeToString(p.PFX)) {
		t.Fatal("a witness that sees nothing")
	}
	for _, v := range []any{p, &p, []deploy.Package{p}, map[string]any{"p": p}, file, &file, []deploy.Artefact{file}, struct{ P deploy.Package }{p}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			if text := fmt.Sprintf(verb, v); holds(text) || len(text) > 300 {
				t.Errorf("%T, %s: %.300s", v, verb, text)
			}
		}
		text, err := json.Marshal(v)
		if err != nil || holds(string(text)) {
			t.Errorf("%T, JSON: %s, %v", v, text, err)
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "v", v)
		if holds(log.String()) {
			t.Errorf("%T, slog: %s", v, &log)
		}
	}
}

func TestFileNames(t *testing.T) {
	p := sample(t)
	for upn, want := range map[string]string{
		"jane@yourdomain.com":    "jane-cba.mobileconfig",
		"o'brien@yourdomain.com": "o-brien-cba.mobileconfig",
		"@yourdomain.com":        "user-cba.mobileconfig",
		"-rf@yourdomain.com":     "user-rf-cba.mobileconfig",
		"jörg@yourdomain.com":    "j-rg-cba.mobileconfig",
		"a--'b-@yourdomain.com":  "a-b-cba.mobileconfig",
		strings.Repeat("x", 99):  strings.Repeat("x", 60) + "-cba.mobileconfig",
		// Devices of Windows, whatever the ending; with -cba behind it a name is none.
		"aux.smith@yourdomain.com": "user-aux.smith-cba.mobileconfig",
		"Com1.x@yourdomain.com":    "user-Com1.x-cba.mobileconfig",
		"nul@yourdomain.com":       "user-nul-cba.mobileconfig",
		"comx.y@yourdomain.com":    "comx.y-cba.mobileconfig",
	} {
		p.UPN = upn
		files, err := p.Artefacts(deploy.IOS, deploy.Options{})
		if err != nil || files[0].Name != want {
			t.Errorf("%q: %v, want %q (%v)", upn, files, want, err)
		}
	}
	for _, p.Name = range []string{"CON", "nul.backup", "lpt9", "con."} {
		if _, err := p.Artefacts(deploy.IOS, deploy.Options{}); reason(err) != deploy.BadName {
			t.Errorf("%q: %v", p.Name, err)
		}
	}
	p.Name = "Jane.Doe_2027+new"
	if files, err := p.Artefacts(deploy.IOS, deploy.Options{}); err != nil || files[0].Name != "Jane.Doe_2027+new.mobileconfig" {
		t.Errorf("%v, %v", files, err)
	}
}

var uuidPattern = regexp.MustCompile(`<key>PayloadUUID</key>\s*<string>([0-9A-F]{8}-[0-9A-F]{4}-5[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12})</string>`)
var identifierPattern = regexp.MustCompile(`<key>PayloadIdentifier</key>\s*<string>([^<]*)</string>`)

func TestProfileIdentity(t *testing.T) {
	names := func(p deploy.Package, o deploy.Options) (uuids, identifiers []string) {
		out, err := p.MobileConfig(deploy.IOS, o)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range uuidPattern.FindAllSubmatch(out, -1) {
			uuids = append(uuids, string(m[1]))
		}
		for _, m := range identifierPattern.FindAllSubmatch(out, -1) {
			identifiers = append(identifiers, string(m[1]))
		}
		if len(uuids) != 3 || len(identifiers) != 3 {
			t.Fatalf("%q, %q", uuids, identifiers)
		}
		return uuids, identifiers
	}
	p := sample(t)
	u1, i1 := names(p, deploy.Options{})
	if want := []string{"com.yourdomain.cba.jane.root", "com.yourdomain.cba.jane.identity", "com.yourdomain.cba.jane"}; !slices.Equal(i1, want) {
		t.Errorf("identifiers %q, want %q", i1, want)
	}
	// Written again, with the password this time and another encoding of the PFX.
	q := p
	q.PFX = []byte("another stand-in")
	if u2, i2 := names(q, deploy.Options{EmbedPassword: true}); !slices.Equal(u1, u2) || !slices.Equal(i1, i2) {
		t.Errorf("not stable: %q and %q", u1, u2)
	}
	// The next certificate of the same person: the same names, another content.
	next := sample(t)
	u3, i3 := names(next, deploy.Options{})
	if !slices.Equal(i1, i3) || u1[1] == u3[1] || u1[2] == u3[2] {
		t.Errorf("the next certificate: %q and %q", u1, u3)
	}
	// Two people never share a name.
	seen := map[string]string{}
	for _, upn := range []string{"o'brien@x.com", "o-brien@x.com", "o.brien@x.com", "o..brien@x.com", "o_brien@x.com", "obrien@x.com", "obrien@com.x", "obrien", "@", ".", "ö@x.com", "ä@x.com"} {
		p.UPN = upn
		_, i := names(p, deploy.Options{})
		if other, there := seen[i[2]]; there {
			t.Errorf("%q and %q are both %s", upn, other, i[2])
		}
		seen[i[2]] = upn
	}
	if _, i := names(p, deploy.Options{Identifier: "com.contoso.cba"}); i[2] != "com.contoso.cba" {
		t.Errorf("identifiers %q", i)
	}
}

func TestChromiumPolicy(t *testing.T) {
	type entry struct {
		Pattern string
		Filter  struct{ ISSUER, SUBJECT map[string]string }
	}
	read := func(p deploy.Package, o deploy.Options) entry {
		out, err := p.ChromiumPolicy(o)
		if err != nil {
			t.Fatal(err)
		}
		var file map[string][]string
		var e entry
		if err := json.Unmarshal(out, &file); err != nil || len(file["AutoSelectCertificateForUrls"]) != 1 || len(file) != 1 {
			t.Fatalf("%v:\n%s", err, out)
		}
		if err := json.Unmarshal([]byte(file["AutoSelectCertificateForUrls"][0]), &e); err != nil {
			t.Fatal(err)
		}
		return e
	}
	p := sample(t)
	e := read(p, deploy.Options{})
	if e.Pattern != "https://[*.]certauth.login.microsoftonline.com" || e.Filter.ISSUER["CN"] != "Contoso Root CA" ||
		e.Filter.ISSUER["O"] != "Contoso" || e.Filter.SUBJECT["CN"] != p.UPN || len(e.Filter.SUBJECT) != 1 {
		t.Errorf("%+v", e)
	}
	if e = read(p, deploy.Options{IssuerOnly: true, Cloud: deploy.USGov}); e.Pattern != "https://[*.]certauth.login.microsoftonline.us" || e.Filter.SUBJECT != nil {
		t.Errorf("%+v", e)
	}
	// Names that need escaping, twice over; and one with an attribute twice.
	root := newAuthority(t, pkix.Name{CommonName: `A "B" \ <C> & ü`, OrganizationalUnit: []string{"one", "two"}}, nil)
	p.Certificate = issue(t, &x509.Certificate{Subject: pkix.Name{CommonName: "x", Locality: []string{"Zürich"}}}, newKey(t), root)
	e = read(p, deploy.Options{})
	if len(e.Filter.ISSUER) != 1 || e.Filter.ISSUER["CN"] != `A "B" \ <C> & ü` || e.Filter.SUBJECT["L"] != "Zürich" {
		t.Errorf("%+v", e)
	}
	p.Certificate = issue(t, &x509.Certificate{Subject: pkix.Name{ExtraNames: []pkix.AttributeTypeAndValue{
		{Type: oidOrganizationalUnit, Value: "a"}, {Type: oidOrganizationalUnit, Value: "b"}}}}, newKey(t), root)
	if _, err := p.ChromiumPolicy(deploy.Options{}); reason(err) != deploy.BadName {
		t.Errorf("a subject that cannot be told: %v", err)
	}
	read(p, deploy.Options{IssuerOnly: true})
}

func TestHosts(t *testing.T) {
	const id = "AAAAAAAA-bbbb-cccc-dddd-0123456789ab"
	for cloud, want := range map[deploy.Cloud][]string{
		deploy.Public: {"login.microsoftonline.com +", "certauth.login.microsoftonline.com +!", "*.certauth.login.microsoftonline.com +!",
			"taaaaaaaa-bbbb-cccc-dddd-0123456789ab.certauth.login.microsoftonline.com +!"},
		deploy.USGov: {"login.microsoftonline.us +", "certauth.login.microsoftonline.us +!", "*.certauth.login.microsoftonline.us +!",
			"taaaaaaaa-bbbb-cccc-dddd-0123456789ab.certauth.login.microsoftonline.us !"},
		deploy.China: {"login.partner.microsoftonline.cn +", "certauth.login.partner.microsoftonline.cn !", "*.certauth.login.partner.microsoftonline.cn !",
			"taaaaaaaa-bbbb-cccc-dddd-0123456789ab.certauth.login.partner.microsoftonline.cn !"},
	} {
		hosts, err := deploy.Hosts(cloud, id)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, h := range hosts {
			mark := ""
			if h.Documented {
				mark += "+"
			}
			if h.NoInspection {
				mark += "!"
			}
			got = append(got, h.Name+" "+mark)
			if h.Why == "" || h.Source == "" || h.Documented != !strings.Contains(string(h.Source), "derived from") {
				t.Errorf("%+v", h)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%v: %q, want %q", cloud, got, want)
		}
		if hosts, err := deploy.Hosts(cloud, ""); err != nil || len(hosts) != 3 {
			t.Errorf("%v: %v, %v", cloud, hosts, err)
		}
	}
	for _, bad := range []string{"contoso.com", id + "0", strings.Replace(id, "-", "0", 1), strings.Replace(id, "A", "g", 1)} {
		if _, err := deploy.Hosts(deploy.Public, bad); reason(err) != deploy.BadOption {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := deploy.Hosts(0, ""); reason(err) != deploy.BadOption {
		t.Errorf("no cloud: %v", err)
	}
}

func TestFindings(t *testing.T) {
	const password = "abcdefghijkmnpqrstuvwxyz"
	now := time.Now()
	good := jane(t, password)
	for _, target := range deploy.Targets() {
		if fs := good.Findings(target, now); len(fs) != 0 {
			t.Errorf("%v: %v", target, fs)
		}
		if len(target.Readers()) < 2 {
			t.Errorf("%v has no readers", target)
		}
	}
	modern := packageFor(t, "jane@yourdomain.com", password, pfx.Modern)
	pbmac := packageFor(t, "jane@yourdomain.com", password, pfx.PBMAC1)
	intermediate := func() deploy.Package {
		root := newAuthority(t, rootSubject, nil)
		below := newAuthority(t, pkix.Name{CommonName: "Contoso Issuing CA"}, root)
		key := newKey(t)
		cert := issue(t, &x509.Certificate{Subject: pkix.Name{CommonName: "jane"}}, key, below)
		whole, err := pfx.Compatible.Encode(pfx.Bundle{Key: key, Certificate: cert, Chain: []*x509.Certificate{below.cert}}, password)
		if err != nil {
			t.Fatal(err)
		}
		return deploy.Package{UPN: "jane@yourdomain.com", PFX: whole, Password: password, Certificate: cert, Root: root.cert}
	}()
	nameless := func() deploy.Package {
		root := newAuthority(t, rootSubject, nil)
		key := newKey(t)
		cert := issue(t, &x509.Certificate{Subject: pkix.Name{Country: []string{"DE"}}}, key, root)
		whole, err := pfx.Compatible.Encode(pfx.Bundle{Key: key, Certificate: cert}, password)
		if err != nil {
			t.Fatal(err)
		}
		return deploy.Package{UPN: "jane@yourdomain.com", PFX: whole, Password: password, Certificate: cert, Root: root.cert}
	}()
	for _, target := range deploy.Targets() {
		files, err := nameless.Artefacts(target, deploy.Options{})
		if err != nil || slices.ContainsFunc(files, func(f deploy.Artefact) bool {
			return strings.Contains(f.Name, "olicy") || bytes.Contains(f.Content, []byte("AutoSelect"))
		}) {
			t.Errorf("%v: %v, %v", target, files, err)
		}
	}
	change := func(p deploy.Package, f func(*deploy.Package)) deploy.Package { f(&p); return p }
	for _, test := range []struct {
		name   string
		p      deploy.Package
		target deploy.Target
		now    time.Time
		want   []string
	}{
		{"AES on Windows", modern, deploy.Windows, now, []string{"warning deploy-pfx-some-unreadable"}},
		{"AES on macOS", modern, deploy.MacOS, now, []string{"warning deploy-pfx-some-unreadable", "warning deploy-pfx-unknown"}},
		{"AES on Linux", modern, deploy.Linux, now, nil},
		{"PBMAC1 on Linux", pbmac, deploy.Linux, now, []string{"warning deploy-pfx-some-unreadable"}},
		{"a chain", intermediate, deploy.Linux, now, nil},
		{"the issuing CA in place of the root's, of which there is no way up", change(intermediate, func(p *deploy.Package) { p.Root = good.Root }), deploy.Linux, now, []string{"error deploy-broken-chain"}},
		{"a wrong password", change(good, func(p *deploy.Package) { p.Password = "x" }), deploy.IOS, now, []string{"error deploy-wrong-password"}},
		{"no password", change(good, func(p *deploy.Package) { p.Password = "" }), deploy.IOS, now, nil},
		{"garbage", change(good, func(p *deploy.Package) { p.PFX = []byte("x") }), deploy.IOS, now, []string{"error deploy-pfx-malformed"}},
		{"somebody else's certificate", change(good, func(p *deploy.Package) { p.Certificate = modern.Certificate }), deploy.IOS, now, []string{"error deploy-other-certificate"}},
		{"another root of that name", change(good, func(p *deploy.Package) { p.Root = modern.Root }), deploy.IOS, now, []string{"error deploy-broken-chain"}},
		{"too late", good, deploy.IOS, now.Add(48 * time.Hour), []string{"error deploy-expired", "error deploy-expired"}},
		{"too early", good, deploy.IOS, now.Add(-48 * time.Hour), []string{"error deploy-not-yet-valid", "error deploy-not-yet-valid"}},
		{"no name for a policy", nameless, deploy.Windows, now, []string{"warning deploy-no-choice"}},
		{"no name, where there is no policy", nameless, deploy.IOS, now, nil},
		{"a foreign letter", packageFor(t, "jane@yourdomain.com", "Pässwört", pfx.Compatible), deploy.IOS, now, []string{"warning deploy-password-characters"}},
	} {
		var got []string
		for _, f := range test.p.Findings(test.target, test.now) {
			got = append(got, f.Severity.String()+" "+f.Code)
			if f.Where == "" || f.What == "" || strings.Contains(f.String(), password) || (f.Severity == lint.Error) != (f.Effect == lint.LocksOut) {
				t.Errorf("%s: %+v", test.name, f)
			}
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestTextForms(t *testing.T) {
	for _, target := range deploy.Targets() {
		text, err := target.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var again deploy.Target
		if err := again.UnmarshalText(text); err != nil || again != target {
			t.Errorf("%s: %v, %v", text, again, err)
		}
	}
	if len(deploy.Targets()) != 6 {
		t.Error("targets without a test")
	}
	for _, test := range []struct {
		value interface {
			fmt.Stringer
			encoding.TextMarshaler
		}
		into interface {
			encoding.TextUnmarshaler
		}
		want string
	}{
		{deploy.UserStore, new(deploy.Store), "user"}, {deploy.MachineStore, new(deploy.Store), "machine"},
		{deploy.OOBESystem, new(deploy.Pass), "oobeSystem"}, {deploy.Specialize, new(deploy.Pass), "specialize"},
		{deploy.Public, new(deploy.Cloud), "public"}, {deploy.USGov, new(deploy.Cloud), "usgov"}, {deploy.China, new(deploy.Cloud), "china"},
		{deploy.Linux, new(deploy.Target), "linux"},
	} {
		text, err := test.value.MarshalText()
		if err != nil || string(text) != test.want || test.value.String() != test.want {
			t.Errorf("%v: %s, %v", test.value, text, err)
		}
		if err := test.into.UnmarshalText(text); err != nil || reflect.ValueOf(test.into).Elem().Interface() != any(test.value) {
			t.Errorf("%v: %v, %v", test.value, test.into, err)
		}
		for _, bad := range []string{"", "x", strings.ToUpper(test.want)} {
			if test.into.UnmarshalText([]byte(bad)) == nil {
				t.Errorf("%T takes %q", test.into, bad)
			}
		}
	}
	for _, zero := range []encoding.TextMarshaler{deploy.Target(0), deploy.Store(0), deploy.Pass(0), deploy.Cloud(0), deploy.Target(99)} {
		if text, err := zero.MarshalText(); err == nil {
			t.Errorf("%v has the text %s", zero, text)
		}
	}
	seen := map[string]bool{}
	for _, r := range []deploy.Reason{deploy.Missing, deploy.UnfitPassword, deploy.BadName, deploy.BadOption, deploy.TooLong, deploy.NotAnswerFile, deploy.Ambiguous} {
		if text := r.Error(); !strings.HasPrefix(text, "deploy: ") || seen[text] || !errors.Is(fmt.Errorf("x: %w", &deploy.Error{Reason: r}), r) || errors.Is(&deploy.Error{}, r) {
			t.Errorf("the reason %q", string(r))
		}
		seen[r.Error()] = true
	}
}

// Every rule fires in TestFindings or here, and findings have the codes of the table
// only.
func TestRules(t *testing.T) {
	codes := map[string]bool{}
	for _, r := range deploy.Rules() {
		if !strings.HasPrefix(r.Code, "deploy-") || r.What == "" || r.Do == "" || r.Severity == 0 || codes[r.Code] {
			t.Errorf("%+v", r)
		}
		codes[r.Code] = false
	}
	fire := func(fs lint.Findings) {
		for _, f := range fs {
			if _, known := codes[f.Code]; !known {
				t.Errorf("%s is not in the table", f.Code)
			}
			codes[f.Code] = true
		}
	}
	now := time.Now()
	good := jane(t, "abcdefghijkmnpqrstuvwxyz")
	modern := packageFor(t, "jane@yourdomain.com", good.Password, pfx.Modern)
	for _, target := range deploy.Targets() {
		for _, encoding := range []pfx.Encoding{pfx.Compatible, pfx.Modern, pfx.PBMAC1} {
			fire(packageFor(t, "jane@yourdomain.com", "Pässwört", encoding).Findings(target, now))
		}
		for _, spoil := range []func(*deploy.Package){
			func(p *deploy.Package) { p.PFX = []byte("x") }, func(p *deploy.Package) { p.Password = "x" }, func(p *deploy.Package) { *p = deploy.Package{} },
			func(p *deploy.Package) { p.Certificate = modern.Certificate }, func(p *deploy.Package) { p.Root = modern.Root },
		} {
			p := good
			spoil(&p)
			fire(p.Findings(target, now))
		}
		unnamed := good
		unnamed.Password, unnamed.Certificate = "", issue(t, &x509.Certificate{Subject: pkix.Name{Country: []string{"DE"}}}, newKey(t), newAuthority(t, rootSubject, nil))
		fire(unnamed.Findings(target, now))
		fire(good.Findings(target, now.Add(48*time.Hour)))
		fire(good.Findings(target, now.Add(-48*time.Hour)))
	}
	for _, name := range []string{"answer-autologon-of-somebody-else.xml", "answer-order-500.xml", "answer-pass-processed.xml", "answer-three-architectures.xml"} {
		for _, o := range []deploy.Options{{}, {Architecture: "x86"}, {Store: deploy.MachineStore}} {
			file := bytes.Replace(read(t, name), []byte("<Enabled>true"), []byte("<Enabled>"+fmt.Sprint(o.Architecture == "")), 1)
			fs, err := good.UnattendFindings(file, o)
			if err != nil {
				t.Fatal(err)
			}
			fire(fs)
		}
	}
	for code, fired := range codes {
		if !fired {
			t.Errorf("%s does not fire", code)
		}
	}
}
