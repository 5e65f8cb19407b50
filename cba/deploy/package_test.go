package deploy_test

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"io/fs"
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
		for _, o := range []deploy.Options{{}, {EmbedPassword: true}, {ScriptOnVolume: true}} {
			files, err := p.Artefacts(target, o)
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
			if asked := o.EmbedPassword || target == deploy.WindowsUSB; (embedded > 0) != asked {
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
			if want := target == deploy.WindowsUSB && !o.ScriptOnVolume; panther != want {
				t.Errorf("%v, %+v: Windows' copy of the answer file: %v, want %v", target, o, panther, want)
			}
		}
	}
}

// No file may have a placeholder, a lone line end, or a line end of the wrong kind.
func TestLineEnds(t *testing.T) {
	p := jane(t, "abcdefghijkmnpqrstuvwxyz")
	for _, target := range deploy.Targets() {
		files, err := p.Artefacts(target, deploy.Options{EmbedPassword: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			switch {
			case strings.HasSuffix(f.Name, ".cer"), strings.HasSuffix(f.Name, ".pfx"), strings.HasSuffix(f.Name, ".p12"):
				continue
			case strings.HasSuffix(f.Name, ".ps1"), strings.HasSuffix(f.Name, ".cmd"), strings.HasSuffix(f.Name, ".xml"):
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
			files, err := p.Artefacts(target, deploy.Options{EmbedPassword: true})
			if err != nil {
				t.Errorf("%q, %v: %v", upn, target, err)
				continue
			}
			want, err := good.Artefacts(target, deploy.Options{EmbedPassword: true})
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
				if f.Name == "import.cmd" && bytes.ContainsAny(f.Content, "<>^`") {
					t.Errorf("%q:\n%s", upn, f.Content)
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
			func() error { _, err := p.MobileConfig(deploy.Options{}); return err },
			func() error { _, err := p.SecurityScript(deploy.Options{}); return err },
			func() error { _, err := p.NSSScript(deploy.Options{}); return err },
			func() error { _, err := p.TrustScript(); return err },
			func() error { _, err := p.ChromiumPolicy(deploy.Options{}); return err },
		} {
			if err := call(); reason(err) != test.want {
				t.Errorf("%s, %d: %v", test.name, i, err)
			}
		}
		if fs := p.Check(deploy.IOS, time.Now()); !fs.Has("deploy-incomplete") {
			t.Errorf("%s: %v", test.name, fs)
		}
	}
	p := good
	p.Password = ""
	for _, target := range deploy.Targets() {
		if _, err := p.Artefacts(target, deploy.Options{EmbedPassword: true}); reason(err) != deploy.Missing {
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
		if _, err := good.MobileConfig(deploy.Options{Identifier: identifier}); reason(err) != deploy.BadName {
			t.Errorf("%q: %v", identifier, err)
		}
	}
	if _, err := good.MobileConfig(deploy.Options{Organization: "a\x01b"}); reason(err) != deploy.BadName {
		t.Errorf("organization: %v", err)
	}
}

func TestTextHoldsNoSecret(t *testing.T) {
	p := jane(t, "abcdefghijkmnpqrstuvwxyz")
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		for _, v := range []any{p, &p, []deploy.Package{p}} {
			if text := fmt.Sprintf(verb, v); strings.Contains(text, p.Password) || strings.Contains(text, fmt.Sprintf("%x", p.Password)) || len(text) > 200 {
				t.Errorf("%s: %s", verb, text)
			}
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
	} {
		p.UPN = upn
		files, err := p.Artefacts(deploy.IOS, deploy.Options{})
		if err != nil || files[0].Name != want {
			t.Errorf("%q: %v, want %q (%v)", upn, files, want, err)
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
		out, err := p.MobileConfig(o)
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
			if h.Why == "" || h.Source == "" || h.Documented != !strings.Contains(h.Source, "formed after") {
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

func TestCheck(t *testing.T) {
	const password = "abcdefghijkmnpqrstuvwxyz"
	now := time.Now()
	good := jane(t, password)
	for _, target := range deploy.Targets() {
		if fs := good.Check(target, now); len(fs) != 0 {
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
		{"garbage", change(good, func(p *deploy.Package) { p.PFX = []byte("x") }), deploy.IOS, now, []string{"error deploy-pfx-unreadable"}},
		{"somebody else's certificate", change(good, func(p *deploy.Package) { p.Certificate = modern.Certificate }), deploy.IOS, now, []string{"error deploy-other-certificate"}},
		{"another root of that name", change(good, func(p *deploy.Package) { p.Root = modern.Root }), deploy.IOS, now, []string{"error deploy-broken-chain"}},
		{"too late", good, deploy.IOS, now.Add(48 * time.Hour), []string{"error deploy-expired", "error deploy-expired"}},
		{"too early", good, deploy.IOS, now.Add(-48 * time.Hour), []string{"error deploy-not-yet-valid", "error deploy-not-yet-valid"}},
		{"a foreign letter", packageFor(t, "jane@yourdomain.com", "Pässwört", pfx.Compatible), deploy.IOS, now, []string{"warning deploy-password-characters"}},
	} {
		var got []string
		for _, f := range test.p.Check(test.target, test.now) {
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
	if len(deploy.Targets()) != 5 {
		t.Error("targets without a test")
	}
	for _, store := range []deploy.Store{deploy.UserStore, deploy.MachineStore} {
		if got, err := deploy.ParseStore(store.String()); err != nil || got != store {
			t.Errorf("%v: %v, %v", store, got, err)
		}
	}
	for _, pass := range []deploy.Pass{deploy.OOBESystem, deploy.Specialize} {
		if got, err := deploy.ParsePass(pass.String()); err != nil || got != pass {
			t.Errorf("%v: %v, %v", pass, got, err)
		}
	}
	for _, cloud := range []deploy.Cloud{deploy.Public, deploy.USGov, deploy.China} {
		if got, err := deploy.ParseCloud(cloud.String()); err != nil || got != cloud {
			t.Errorf("%v: %v, %v", cloud, got, err)
		}
	}
	seen := map[string]bool{}
	for r := deploy.Missing; r <= deploy.Ambiguous; r++ {
		if text := r.String(); strings.HasPrefix(text, "Reason(") || seen[text] {
			t.Errorf("reason %d is %q", r, text)
		}
		seen[r.String()] = true
	}
	for _, err := range []error{
		func() error { _, err := deploy.ParseTarget(""); return err }(),
		func() error { _, err := deploy.ParseStore("x"); return err }(),
		func() error { _, err := deploy.ParsePass("oobesystem"); return err }(),
		func() error { _, err := deploy.ParseCloud("germany"); return err }(),
		func() error { _, err := deploy.Target(0).MarshalText(); return err }(),
	} {
		if reason(err) != deploy.BadOption {
			t.Errorf("%v", err)
		}
	}
	for _, zero := range []fmt.Stringer{deploy.Target(0), deploy.Store(0), deploy.Pass(0), deploy.Cloud(0), deploy.Reason(0), deploy.Reason(99)} {
		if !strings.HasSuffix(zero.String(), ")") {
			t.Errorf("%v", zero)
		}
	}
}
