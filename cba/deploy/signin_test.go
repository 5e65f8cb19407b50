package deploy_test

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba/deploy"
)

func TestSignInScript(t *testing.T) {
	p := sample(t)
	for _, password := range passwords {
		p.Password = password
		out, err := p.SignInScript(deploy.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if i := bytes.IndexFunc(out, func(r rune) bool { return r > '~' || r < ' ' && r != '\r' && r != '\n' }); i >= 0 {
			t.Errorf("%q: the script is not ASCII at %q", password, out[i:])
		}
		if got, err := operand(string(out), "ConvertTo-SecureString -String"); err != nil || got != password {
			t.Errorf("PowerShell would read %q for %q: %v", got, password, err)
		}
	}
	// A UPN is compared as it is, whatever is in it.
	for _, upn := range []string{"jane@yourdomain.com", `o'brien@yourdomain.com`, "jörg@x", `$(calc)"@x`, "a\u2019b@x"} {
		p.UPN = upn
		out, err := p.SignInScript(deploy.Options{})
		if err != nil {
			t.Fatal(err)
		}
		line := regexp.MustCompile(`(?m)^\$upn = (.*)\r$`).FindSubmatch(out)
		if line == nil {
			t.Fatalf("no UPN in\n%s", out)
		}
		if got, _, err := powerShellValue(string(line[1])); err != nil || got != upn {
			t.Errorf("PowerShell would read %q for %q: %v", got, upn, err)
		}
		if bytes.Contains(out, []byte("{")) && regexp.MustCompile(`\{[A-Z]+\}`).Match(out) {
			t.Errorf("a placeholder is left in\n%s", out)
		}
	}
	p = sample(t)
	out, err := p.SignInScript(deploy.Options{WipeAfter: 36 * time.Hour, Exportable: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"AddMinutes(2160)", thumbprint(p.Certificate), thumbprint(p.Root), "(Get-Password) -Exportable |", "-RunLevel Limited", `'AzureAD\' + $upn`} {
		if !bytes.Contains(out, []byte(want)) {
			t.Errorf("no %s in the script", want)
		}
	}
	// What no test can run here, and what each line is for: see the comments in the script.
	for want, why := range map[string]string{
		"$programs = $env:ProgramW6432":                       "PowerShell of 32 bits has another Program Files than the task",
		"'System32\\WindowsPowerShell\\v1.0\\powershell.exe'": "the path is not searched",
		"-MultipleInstances Queue":                            "a sign-in while the task waits is not lost",
		"$file.Attributes = 'Normal'":                         "copies of read-only files are wiped",
		"[System.IO.File]::OpenWrite(":                        "overwritten in place",
		"$person.Count -eq 0; $try++":                         "waits for the person, not for anybody's desktop",
		"    } finally { # whatever happens":                  "the person's folder never stays",
		"        Remove-Folder $folder\r\n        throw":      "nothing stays without the task that wipes it",
		"$hand = $folder + '-import'":                         "the person need not pass through a folder of SYSTEM",
		"$deadline = 0 ":                                      "a folder that is half wiped goes",
	} {
		if !bytes.Contains(out, []byte(want)) {
			t.Errorf("no %s in the script: %s", want, why)
		}
	}
	if bytes.Contains(out, []byte("WriteAllBytes")) {
		t.Error("WriteAllBytes truncates a file before it writes")
	}
	// The log gets no secret: everything that is logged is fixed text, a number, a date
	// or the message of an exception.
	for _, line := range strings.Split(string(out), "\r\n") {
		if i := strings.Index(line, "Write-Log "); i >= 0 && (strings.Contains(line[i:], "assword") || strings.Contains(line[i:], "$pfx")) {
			t.Errorf("logged: %s", line)
		}
	}
	for _, o := range []deploy.Options{{Store: deploy.MachineStore}, {Pass: deploy.Specialize}, {WipeAfter: time.Minute}, {WipeAfter: -time.Hour}} {
		o.AtSignIn = true
		for _, target := range []deploy.Target{deploy.WindowsUSB, deploy.Windows} {
			if _, err := p.Artefacts(target, o); reason(err) != deploy.BadOption {
				t.Errorf("%v, %+v: %v", target, o, err)
			}
		}
	}
}

// On the stick the answer file runs the script and holds no password.
func TestSignInArtefacts(t *testing.T) {
	p := sample(t)
	for target, want := range map[deploy.Target][]string{
		deploy.WindowsUSB: {"autounattend.xml", "Certs/Import-AtSignIn.ps1", "Certs/rootCA.cer", "Certs/jane-cba.pfx",
			"Certs/Set-BrowserChoice.ps1", "Certs/browser-choice.reg", "Certs/browser-choice-intune.txt", "Certs/firefox-policies.json"},
		deploy.Windows: {"Import-AtSignIn.ps1", "rootCA.cer", "jane-cba.pfx",
			"Set-BrowserChoice.ps1", "browser-choice.reg", "browser-choice-intune.txt", "firefox-policies.json"},
	} {
		files, err := p.Artefacts(target, deploy.Options{AtSignIn: true})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, f := range files {
			names = append(names, f.Name)
			if holds := bytes.Contains(f.Content, []byte(p.Password)); holds != f.Password || holds != strings.HasSuffix(f.Name, "Import-AtSignIn.ps1") {
				t.Errorf("%s: holds the password %v, says %v", f.Name, holds, f.Password)
			}
		}
		if !slices.Equal(names, want) {
			t.Errorf("%v: %q, want %q", target, names, want)
		}
		wipe := deploy.Wipe(target, files)
		if !slices.ContainsFunc(wipe, func(r deploy.Remnant) bool { return strings.HasPrefix(r.Where, `C:\Program Files\EntraCBA\`) }) {
			t.Errorf("%v: Wipe does not name the folder on the machine: %v", target, wipe)
		}
		if strings.Contains(strings.Join(names, " "), "unattend") == slices.ContainsFunc(wipe, func(r deploy.Remnant) bool { return strings.Contains(r.Where, "Panther") }) && target == deploy.WindowsUSB {
			t.Errorf("Panther's copy of the answer file holds no password: %v", wipe)
		}
	}
	commands, err := p.UnattendCommands(deploy.Options{AtSignIn: true})
	if err != nil || len(commands) != 1 || !strings.Contains(commands[0], "& ($p+'Import-AtSignIn.ps1')") || strings.Contains(commands[0], p.Password) {
		t.Errorf("%q, %v", commands, err)
	}
}
