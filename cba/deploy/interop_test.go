package deploy_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.com/entracba/cba/deploy"
	"example.com/entracba/cba/internal/interop"
	"example.com/entracba/cba/pfx"
)

func write(t testing.TB, folder, name string, content []byte, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// Python's reader knows namespaces; it finds our commands behind the others,
// in the right pass and component, with the attribute that Setup wants.
func TestAnswerFilesReadByPython(t *testing.T) {
	python := interop.Python(t)
	p := sample(t)
	folder := t.TempDir()
	sources, _ := filepath.Glob("testdata/unattend-*.xml")
	var files []string
	var merged []deploy.Options
	for _, source := range sources {
		for _, pass := range []deploy.Pass{deploy.OOBESystem, deploy.Specialize} {
			o := deploy.Options{Pass: pass}
			if strings.Contains(source, "two-architectures") {
				o.Architecture = "amd64"
			}
			out, err := p.MergeUnattend(read(t, filepath.Base(source)), o)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, write(t, folder, fmt.Sprintf("%d-%s", len(files), filepath.Base(source)), out, 0o600))
			merged = append(merged, o)
		}
	}
	if len(files) < 16 {
		t.Fatalf("%d files", len(files))
	}
	script := read(t, "read_unattend.py")
	var got [][][]any
	if err := json.Unmarshal([]byte(python.Run(t, nil, append([]string{"-c", string(script)}, files...)...)), &got); err != nil {
		t.Fatal(err)
	}
	for i, commands := range got {
		want, err := p.UnattendCommands(merged[i])
		if err != nil {
			t.Fatal(err)
		}
		component := "Microsoft-Windows-Shell-Setup"
		if merged[i].Pass == deploy.Specialize {
			component = "Microsoft-Windows-Deployment"
		}
		var last float64
		var found []string
		for _, c := range commands {
			if c[0] != merged[i].Pass.String() {
				continue
			}
			if c[1] != component || c[3].(float64) <= last {
				t.Errorf("%s: %v behind order %v", files[i], c, last)
			}
			last = c[3].(float64)
			if slices.Contains(want, c[5].(string)) {
				found = append(found, c[5].(string))
				if c[4] != "add" {
					t.Errorf("%s: the attribute wcm:action is %v", files[i], c[4])
				}
			}
		}
		if !slices.Equal(found, want) {
			t.Errorf("%s: found %q, want %q", files[i], found, want)
		}
	}

	// libxml2 checks the structure. Two files are not valid beforehand.
	xmllint := interop.Find(t, "xmllint")
	checked := 0
	for _, file := range files {
		if strings.Contains(file, "comments") {
			continue // has text where there are elements
		}
		xmllint.Run(t, nil, "--noout", "--schema", "testdata/unattend.xsd", file)
		checked++
	}
	for _, password := range passwords {
		p.Password = password
		for _, o := range []deploy.Options{{}, {Pass: deploy.Specialize}, {ScriptOnVolume: true}} {
			out, err := p.Unattend(o)
			if reason(err) == deploy.TooLong {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			xmllint.Run(t, out, "--noout", "--schema", "testdata/unattend.xsd", "-")
			checked++
		}
	}
	if checked < 80 {
		t.Errorf("only %d answer files checked", checked)
	}
	// The schema can say no.
	bad := strings.Replace(string(read(t, "want-commands.xml")), "<Order>9</Order>", "<Order>501</Order>", 1)
	if r := xmllint.Try(t, []byte(bad), "--noout", "--schema", "testdata/unattend.xsd", "-"); r.Code == 0 {
		t.Error("the schema lets the order 501 through")
	}
}

// A parsed is what the grammar says of a source: each command's words, text or {value}.
type parsed struct {
	OK       bool
	Commands [][]any
}

// parsePowerShell reads sources with a parser for PowerShell that is not ours.
func parsePowerShell(t *testing.T, sources []string) (all []parsed) {
	t.Helper()
	node := interop.Find(t, "node", "nodejs")
	if r := node.Try(t, nil, "-e", "require('web-tree-sitter'); require.resolve('tree-sitter-powershell/package.json')"); r.Code != 0 {
		interop.Missing(t, "no web-tree-sitter and tree-sitter-powershell on NODE_PATH")
	}
	input, err := json.Marshal(sources)
	if err != nil {
		t.Fatal(err)
	}
	// --liftoff-only: V8 would spend half a minute to optimise the grammar.
	if err := json.Unmarshal([]byte(node.Run(t, input, "--liftoff-only", "testdata/read_powershell.js")), &all); err != nil {
		t.Fatal(err)
	}
	if len(all) != len(sources) {
		t.Fatalf("%d of %d sources parsed", len(all), len(sources))
	}
	return all
}

// Every parameter in the scripts and commands is one of its cmdlet, and its short form fits
// no other one: PowerShell refuses what fits two, when it runs and not before.
func TestPowerShellParameters(t *testing.T) {
	var known struct {
		Common  string
		Cmdlets map[string]string
	}
	if err := json.Unmarshal(read(t, "powershell-parameters.json"), &known); err != nil {
		t.Fatal(err)
	}
	// fits returns the parameters that a word stands for: itself, or all that begin with it.
	fits := func(cmdlet, word string) (all []string) {
		for _, name := range strings.Fields(known.Cmdlets[cmdlet] + " " + known.Common) {
			if strings.EqualFold(name, word) {
				return []string{name}
			}
			if len(name) > len(word) && strings.EqualFold(name[:len(word)], word) {
				all = append(all, name)
			}
		}
		return all
	}
	if got := fits("Get-Volume", "FileS"); len(got) != 2 {
		t.Errorf("-FileS: %q", got) // the table can say no
	}
	p := sample(t)
	var sources []string
	for _, o := range []deploy.Options{{EmbedPassword: true, Exportable: true}, {Store: deploy.MachineStore}} {
		script, err := p.PowerShell(o)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, string(script))
	}
	script, err := p.SignInScript(deploy.Options{Exportable: true})
	if err != nil {
		t.Fatal(err)
	}
	sources = append(sources, string(script), string(artefact(t, p, deploy.Windows, deploy.Options{}, "Set-BrowserChoice.ps1")))
	for _, o := range []deploy.Options{{Exportable: true}, {Pass: deploy.Specialize, Exportable: true}, {ScriptOnVolume: true}, {Pass: deploy.Specialize, ScriptOnVolume: true}, {AtSignIn: true}} {
		commands, err := p.UnattendCommands(o)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range commands {
			argv := commandLine(c)
			sources = append(sources, argv[len(argv)-1])
		}
	}
	// What is no cmdlet: programs, and functions and variables of the scripts.
	others := []string{"certutil", "cmd.exe", "$choice", "($p+'Import-Certificate.ps1')", "($p+'Import-AtSignIn.ps1')",
		"Write-Log", "New-Folder", "Remove-Folder", "Remove-Task", "New-Action", "Get-Password", "Start-Prepare", "Start-SignIn", "Start-Import"}
	checked := 0
	for i, g := range parsePowerShell(t, sources) {
		if !g.OK {
			t.Errorf("not PowerShell:\n%s", sources[i])
		}
		for _, words := range g.Commands {
			name, _ := words[0].(string)
			if _, ok := known.Cmdlets[name]; !ok {
				if !slices.Contains(others, name) {
					t.Errorf("%q: whether it has these parameters is not known: %v", name, words)
				}
				continue
			}
			for _, word := range words[1:] {
				word, _ := word.(string)
				if len(word) < 2 || word[0] != '-' || word[1] < 'A' {
					continue
				}
				word, _, _ = strings.Cut(word[1:], ":")
				checked++
				if got := fits(name, word); len(got) != 1 {
					t.Errorf("%s -%s fits the parameters %q", name, word, got)
				}
			}
		}
	}
	if checked < 100 {
		t.Errorf("only %d parameters checked", checked)
	}
}

// Every variable in a script is set in it: without strict mode PowerShell takes a name that
// is misspelled for nothing.
func TestPowerShellVariables(t *testing.T) {
	p := sample(t)
	script, err := p.PowerShell(deploy.Options{EmbedPassword: true})
	if err != nil {
		t.Fatal(err)
	}
	signIn, err := p.SignInScript(deploy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	literal, comment := regexp.MustCompile(`'[^'\n]*'`), regexp.MustCompile(`(?m)#.*$`)
	set := regexp.MustCompile(`(?i)\$(\w+) *\+?= |foreach \(\$(\w+) in|\[(?:string|switch)\]\$(\w+)`)
	used := regexp.MustCompile(`(?i)\$(\w+)(:?)`)
	for name, source := range map[string]string{"Import-Certificate.ps1": string(script), "Import-AtSignIn.ps1": string(signIn),
		"Set-BrowserChoice.ps1": string(artefact(t, p, deploy.Windows, deploy.Options{}, "Set-BrowserChoice.ps1"))} {
		source = comment.ReplaceAllString(literal.ReplaceAllString(source, "''"), "")
		known := map[string]bool{"_": true, "true": true, "false": true, "null": true, "psscriptroot": true, "pscommandpath": true, "lastexitcode": true}
		for _, m := range set.FindAllStringSubmatch(source, -1) {
			known[strings.ToLower(m[1]+m[2]+m[3])] = true
		}
		n := 0
		for _, m := range used.FindAllStringSubmatch(source, -1) {
			n++
			if m[2] == "" && !known[strings.ToLower(m[1])] {
				t.Errorf("%s: $%s is never set", name, m[1])
			}
		}
		if n < 20 {
			t.Errorf("%s: only %d variables", name, n)
		}
	}
}

func TestPowerShellParsed(t *testing.T) {
	p := sample(t)
	var sources, wants []string
	for i, password := range passwords {
		p.Password = password
		o := deploy.Options{EmbedPassword: true, Exportable: i%2 == 0, Store: deploy.Store(1 + i%2)}
		script, err := p.PowerShell(o)
		if err != nil {
			t.Fatal(err)
		}
		sources, wants = append(sources, string(script)), append(wants, password)
		if script, err = p.SignInScript(deploy.Options{Exportable: o.Exportable}); err != nil {
			t.Fatal(err)
		}
		sources, wants = append(sources, string(script)), append(wants, password)
		for _, pass := range []deploy.Pass{deploy.OOBESystem, deploy.Specialize} {
			commands, err := p.UnattendCommands(deploy.Options{Exportable: o.Exportable, Pass: pass})
			if reason(err) == deploy.TooLong {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			sources, wants = append(sources, commandLine(commands[1])[3]), append(wants, password)
		}
	}
	// One without a password.
	sources, wants = append(sources, string(artefact(t, p, deploy.Windows, deploy.Options{}, "Set-BrowserChoice.ps1"))), append(wants, "")
	if len(sources) < 2*len(passwords) {
		t.Fatalf("only %d sources", len(sources))
	}
	got := parsePowerShell(t, sources)
	for i, g := range got {
		if !g.OK {
			t.Errorf("not PowerShell:\n%s", sources[i])
			continue
		}
		found := 0
		for _, words := range g.Commands {
			if words[0] != "ConvertTo-SecureString" {
				continue
			}
			found++
			argument := words[1]
			if argument == "-String" {
				argument = words[2]
			}
			constant, _ := argument.(map[string]any)
			if constant["value"] != wants[i] {
				t.Errorf("PowerShell reads %q for %q", constant["value"], wants[i])
			}
		}
		if found != min(1, len(wants[i])) {
			t.Errorf("%d passwords in\n%s", found, sources[i])
		}
	}
}

// standIns makes programs that write their name and arguments, and the content
// of a password file, into a log; and returns a function that runs a script with them.
func standIns(t *testing.T, names ...string) func(sh string, script []byte) (calls [][]string, output string) {
	t.Helper()
	folder := t.TempDir()
	for _, name := range names {
		write(t, folder, "bin/"+name, []byte(`#!/bin/sh
{ printf '%s\0' "${0##*/}" "$@"; file=
for a; do [ "$file" != next ] || { printf 'file:'; cat "$a"; printf '\0'; file=; }; [ "$a" != -w ] || file=next; done
printf '\0'; } >>"$LOG"
`), 0o700)
	}
	return func(sh string, script []byte) ([][]string, string) {
		t.Helper()
		log := filepath.Join(folder, "log")
		os.Remove(log)
		home := t.TempDir()
		path := write(t, folder, "script dir/install.sh", script, 0o600)
		if out, err := exec.Command(sh, "-n", path).CombinedOutput(); err != nil {
			t.Fatalf("%s -n: %v\n%s\n%s", sh, err, out, script)
		}
		command := exec.Command(sh, path)
		command.Dir = "/"
		command.Env = []string{"PATH=" + filepath.Join(folder, "bin") + ":/usr/bin:/bin", "LOG=" + log, "HOME=" + home, "TMPDIR=" + home}
		out, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s\n%s", sh, err, out, script)
		}
		if left, _ := filepath.Glob(filepath.Join(home, "tmp*")); len(left) != 0 {
			t.Errorf("left behind: %q", left)
		}
		b, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		var calls [][]string
		for _, call := range strings.SplitAfter(string(b), "\x00\x00") {
			if call != "" {
				calls = append(calls, strings.Split(strings.TrimSuffix(call, "\x00\x00"), "\x00"))
			}
		}
		for _, call := range calls {
			for i, word := range call {
				call[i] = strings.ReplaceAll(word, home, "~")
			}
		}
		return calls, string(out)
	}
}

func shells(t *testing.T) []string {
	t.Helper()
	interop.Find(t, "sh")
	var found []string
	for _, sh := range []string{"sh", "bash"} {
		if path, err := exec.LookPath(sh); err == nil {
			found = append(found, path)
		}
	}
	if len(found) == 0 {
		interop.Missing(t, "no shell")
	}
	return found
}

func TestSecurityScriptRuns(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves out what takes long")
	}
	run := standIns(t, "security")
	p := sample(t)
	const keychain = "~/Library/Keychains/login.keychain-db"
	for _, sh := range shells(t) {
		for _, password := range passwords {
			p.Password = password
			for _, o := range []deploy.Options{{}, {EmbedPassword: true, Exportable: true}} {
				script, err := p.SecurityScript(o)
				if err != nil {
					t.Fatal(err)
				}
				got, _ := run(sh, script)
				want := [][]string{
					{"security", "find-certificate", "-a", "-Z", keychain},
					{"security", "import", "rootCA.cer", "-k", keychain},
					{"security", "find-identity", keychain},
					{"security", "import", "jane-cba.p12", "-k", keychain, "-f", "pkcs12", "-x"},
					{"security", "set-identity-preference", "-Z", thumbprint(p.Certificate), "-s", "https://certauth.login.microsoftonline.com/", keychain},
					{"security", "set-identity-preference", "-Z", thumbprint(p.Certificate), "-s", "*.certauth.login.microsoftonline.com", keychain},
				}
				if o.EmbedPassword {
					want[3] = append(want[3][:7], "-P", password)
				}
				if d := cmp.Diff(want, got); d != "" {
					t.Errorf("%s, %q: %s", sh, password, d)
				}
			}
		}
	}
	// A root that is there already is not imported again.
	p.Password = ""
	script, err := p.SecurityScript(deploy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	write(t, folder, "security", []byte("#!/bin/sh\necho \"$1\" >&2\n[ $1 != find-certificate ] || openssl dgst -sha1 <"+
		write(t, folder, "root", p.Root.Raw, 0o600)+" | sed 's/.*= /SHA-1 hash: /' | tr a-f A-F\n"), 0o700)
	command := exec.Command("sh", write(t, folder, "install.sh", script, 0o700))
	command.Env = append(os.Environ(), "PATH="+folder+":"+os.Getenv("PATH"))
	if out, err := command.CombinedOutput(); err != nil || strings.Count(string(out), "import\n") != 1 || !strings.Contains(string(out), "already") {
		t.Errorf("%v\n%s", err, out)
	}
	// Neither is the certificate: security refuses what is there, and a second run would end there.
	write(t, folder, "security", []byte("#!/bin/sh\necho \"$1\" >&2\n[ $1 != find-identity ] || echo '  1) "+thumbprint(p.Certificate)+" \"jane\"'\n[ \"$2\" != jane-cba.p12 ]\n"), 0o700)
	command = exec.Command("sh", filepath.Join(folder, "install.sh"))
	command.Env = append(os.Environ(), "PATH="+folder+":"+os.Getenv("PATH"))
	if out, err := command.CombinedOutput(); err != nil || strings.Count(string(out), "import\n") != 1 || strings.Count(string(out), "set-identity-preference") != 2 {
		t.Errorf("run again: %v\n%s", err, out)
	}
	// -check looks, and writes nothing.
	for _, there := range []bool{false, true} {
		answer := "#!/bin/sh\necho \"$1\" >>'" + folder + "/calls'\n"
		if there {
			answer += "echo 'SHA-1 hash: " + thumbprint(p.Certificate) + "'\n"
		}
		write(t, folder, "security", []byte(answer), 0o700)
		os.Remove(folder + "/calls")
		command := exec.Command("sh", filepath.Join(folder, "install.sh"), "-check")
		command.Env = append(os.Environ(), "PATH="+folder+":"+os.Getenv("PATH"))
		out, _ := command.CombinedOutput()
		calls, _ := os.ReadFile(folder + "/calls")
		if (command.ProcessState.ExitCode() == 0) != there || strings.Contains(string(out), "NOT set") == there || string(calls) != "find-identity\nget-identity-preference\nget-identity-preference\n" {
			t.Errorf("there %v: exit status %d\n%s%s", there, command.ProcessState.ExitCode(), out, calls)
		}
	}
}

// Where p11-kit has a place for anchors it gets the root; where it has none, as
// the real one of Debian says it has not, update-ca-certificates does.
func TestTrustScriptRuns(t *testing.T) {
	p := sample(t)
	script, err := p.TrustScript()
	if err != nil {
		t.Fatal(err)
	}
	for _, sh := range shells(t) {
		if got, _ := standIns(t, "trust", "update-ca-certificates")(sh, script); len(got) != 1 || !slices.Equal(got[0], []string{"trust", "anchor", "--store", "rootCA.cer"}) {
			t.Errorf("%s: %q", sh, got)
		}
	}

	folder, anchors := t.TempDir(), t.TempDir()
	script = bytes.ReplaceAll(script, []byte("/usr/local/share/ca-certificates"), []byte(anchors))
	write(t, folder, "trust", []byte("#!/bin/sh\necho 'p11-kit: no configured writable location to store anchors' >&2\nexit 1\n"), 0o700)
	write(t, folder, "update-ca-certificates", []byte("#!/bin/sh\necho updated\n"), 0o700)
	write(t, folder, "rootCA.cer", p.Root.Raw, 0o600)
	command := exec.Command("sh", write(t, folder, "trust-root.sh", script, 0o700))
	command.Env = []string{"PATH=" + folder + ":/usr/bin:/bin"}
	if out, err := command.CombinedOutput(); err != nil || !strings.Contains(string(out), "updated") {
		t.Fatalf("%v\n%s", err, out)
	}
	files, _ := filepath.Glob(anchors + "/*") // nothing but the whole file
	if len(files) != 1 || filepath.Ext(files[0]) != ".crt" {
		t.Fatalf("files %q", files)
	}
	der := interop.Find(t, "openssl").Run(t, nil, "x509", "-in", files[0], "-outform", "DER")
	if der != string(p.Root.Raw) {
		t.Error("another certificate than the root")
	}
	// Neither of the two: an error, and nothing else.
	os.Remove(filepath.Join(folder, "update-ca-certificates"))
	command = exec.Command("/bin/sh", filepath.Join(folder, "trust-root.sh"))
	command.Env = []string{"PATH=" + folder}
	if out, err := command.CombinedOutput(); err == nil {
		t.Errorf("no error\n%s", out)
	}
}

func TestProfileReadBack(t *testing.T) {
	python := interop.Python(t)
	plistutil := interop.Find(t, "plistutil")
	script := string(read(t, "read_plist.py"))
	p := sample(t)
	p.UPN = `o'brien & "söhne" <x>@yourdomain.com`
	refused := 0
	for i, password := range append([]string{""}, passwords...) {
		p.Password = password
		o := deploy.Options{EmbedPassword: i > 0, Exportable: i%2 == 0, Organization: "Contoso & <Söhne>"}
		out, err := p.MobileConfig(deploy.MacOS, o)
		if err != nil {
			t.Fatal(err)
		}
		file := interop.File(t, "p.mobileconfig", out)
		binary := filepath.Join(t.TempDir(), "binary.plist")
		plistutil.Run(t, nil, "-i", file, "-f", "bin", "-o", binary)
		for _, name := range []string{file, binary} {
			var got map[string]any
			if err := json.Unmarshal([]byte(python.Run(t, nil, "-c", script, name)), &got); err != nil {
				t.Fatal(err)
			}
			contents, _ := got["PayloadContent"].([]any)
			if len(contents) != 7 {
				t.Fatalf("%v", got)
			}
			root, identity := contents[0].(map[string]any), contents[1].(map[string]any)
			for _, want := range []struct {
				in    map[string]any
				key   string
				value any
			}{
				{got, "PayloadType", "Configuration"},
				{got, "PayloadVersion", 1.0},
				{got, "PayloadScope", "User"},
				{got, "PayloadOrganization", o.Organization},
				{got, "PayloadDisplayName", "Sign-in certificate of " + p.UPN},
				{got, "PayloadRemovalDisallowed", false},
				{root, "PayloadType", "com.apple.security.root"},
				{root, "PayloadContent", "data:" + hex.EncodeToString(p.Root.Raw)},
				{identity, "PayloadType", "com.apple.security.pkcs12"},
				{identity, "PayloadContent", "data:" + hex.EncodeToString(p.PFX)},
				{identity, "KeyIsExtractable", o.Exportable},
				{identity, "AllowAllAppsAccess", false},
			} {
				if want.in[want.key] != want.value {
					t.Errorf("%q: %s is %v, want %v", password, want.key, want.in[want.key], want.value)
				}
			}
			if got, has := identity["Password"]; has != o.EmbedPassword || has && got != password {
				t.Errorf("Password is %q, want %q", got, password)
			}
			for _, d := range []map[string]any{root, identity} {
				if d["PayloadIdentifier"] == "" || d["PayloadUUID"] == got["PayloadUUID"] || root["PayloadUUID"] == identity["PayloadUUID"] {
					t.Errorf("identifiers %v", d)
				}
			}
		}
	}
	for _, password := range []string{"a\x00b", "a\x1bb", "a\uffffb", "a\xffb"} {
		p.Password = password
		if _, err := p.MobileConfig(deploy.IOS, deploy.Options{EmbedPassword: true}); reason(err) == deploy.UnfitPassword {
			refused++
		} else {
			t.Errorf("%q: %v", password, err)
		}
	}
	if refused != 4 {
		t.Error("not refused")
	}
}

// The whole way on Linux: the folder as it is written, its script as it is, NSS as
// it is, and a TLS client that signs with what was imported.
func TestNSSHandshake(t *testing.T) {
	for _, tool := range []string{"certutil", "pk12util", "tstclnt"} {
		interop.Find(t, tool)
	}
	for _, test := range []struct {
		password string
		embed    bool
		encoding pfx.Encoding
	}{
		{"abcdefghijkmnpqrstuvwxyz", true, pfx.Compatible},
		{"abcdefghijkmnpqrstuvwxyz", true, pfx.Modern},
		{` it's "100%" $HOME\ <&> !` + "`id`", true, pfx.Compatible},
		{"Pässwört: token", true, pfx.Compatible},
	} {
		t.Run(test.password, func(t *testing.T) {
			p := packageFor(t, "jane@yourdomain.com", test.password, test.encoding)
			files, err := p.Artefacts(deploy.Linux, deploy.Options{EmbedPassword: test.embed})
			if err != nil {
				t.Fatal(err)
			}
			folder := t.TempDir()
			for _, f := range files {
				write(t, folder, f.Name, f.Content, f.Mode)
			}
			db := filepath.Join(t.TempDir(), "nss db")
			command := exec.Command(filepath.Join(folder, "install.sh"))
			command.Env = append(os.Environ(), "NSSDB="+db)
			if out, err := command.CombinedOutput(); err != nil {
				t.Fatalf("install.sh: %v\n%s", err, out)
			}
			if out := interop.Find(t, "certutil").Run(t, nil, "-L", "-d", "sql:"+db); !strings.Contains(out, "T,,") || !strings.Contains(out, "u,u,u") {
				t.Errorf("the database has\n%s", out)
			}
			state := handshake(t, p, db)
			if len(state.PeerCertificates) == 0 || !bytes.Equal(state.PeerCertificates[0].Raw, p.Certificate.Raw) {
				t.Error("the server did not get the certificate")
			}
			// A second run changes nothing and fails at nothing.
			command = exec.Command(filepath.Join(folder, "install.sh"))
			command.Env = append(os.Environ(), "NSSDB="+db)
			if out, err := command.CombinedOutput(); err != nil {
				t.Errorf("install.sh again: %v\n%s", err, out)
			}
		})
	}
}

// handshake lets NSS connect to a server that wants a certificate below the
// package's root, and returns what the server saw.
func handshake(t *testing.T, p deploy.Package, db string) tls.ConnectionState {
	t.Helper()
	ca := newAuthority(t, rootSubject, nil)
	key := newKey(t)
	leaf := issue(t, &x509.Certificate{DNSNames: []string{"localhost"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, key, ca)
	roots := x509.NewCertPool()
	roots.AddCert(p.Root)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	listener.(*net.TCPListener).SetDeadline(time.Now().Add(30 * time.Second))
	config := &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.Raw}, PrivateKey: key}},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    roots,
	}
	type answer struct {
		state tls.ConnectionState
		err   error
	}
	done := make(chan answer, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			done <- answer{err: err}
			return
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(30 * time.Second))
		c := tls.Server(conn, config)
		err = c.Handshake()
		done <- answer{c.ConnectionState(), err}
	}()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	r := interop.Find(t, "tstclnt").Try(t, nil, "-h", "127.0.0.1", "-p", port, "-a", "localhost", "-d", "sql:"+db, "-n", p.UPN, "-o", "-Q", "-v")
	a := <-done
	if a.err != nil {
		t.Fatalf("handshake: %v\n%s%s", a.err, r.Stdout, r.Stderr)
	}
	return a.state
}

// The archive is read by a program that is not Go's.
func TestZipReadByPython(t *testing.T) {
	p := sample(t)
	files, err := p.Artefacts(deploy.WindowsUSB, deploy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	data, err := deploy.Zip(files, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	const list = `import sys, zipfile
z = zipfile.ZipFile(sys.argv[1])
assert z.testzip() is None and z.comment.startswith(b'SECRET')
for i in z.infolist(): print(i.filename, oct(i.external_attr >> 16 & 0o777), i.file_size)`
	got := interop.Python(t).Run(t, nil, "-c", list, interop.File(t, "usb.zip", data))
	want := fmt.Sprintf("autounattend.xml 0o600 %d\nCerts/rootCA.cer 0o644 %d\nCerts/jane-cba.pfx 0o600 %d\n",
		len(files[0].Content), len(p.Root.Raw), len(p.PFX))
	for _, f := range files[3:] {
		want += fmt.Sprintf("%s 0o644 %d\n", f.Name, len(f.Content))
	}
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if again, err := deploy.Zip(files, time.Time{}); err != nil || !bytes.Equal(again, data) {
		t.Errorf("the same files give another archive: %v", err)
	}
}
