package deploy_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba/deploy"
)

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// isWithin reports whether every byte of old is in out, in its order, as one or
// more runs between insertions: a splice and nothing else.
func isWithin(old, out []byte) bool {
	for _, b := range out {
		if len(old) > 0 && old[0] == b {
			old = old[1:]
		}
	}
	return len(old) == 0
}

func TestMergeKeepsTheRest(t *testing.T) {
	p := sample(t)
	files, err := filepath.Glob("testdata/unattend-*.xml")
	if err != nil || len(files) < 8 {
		t.Fatalf("%d answer files: %v", len(files), err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		old := read(t, name)
		for _, pass := range []deploy.Pass{deploy.OOBESystem, deploy.Specialize} {
			o := deploy.Options{Pass: pass}
			if strings.Contains(name, "two-architectures") {
				o.Architecture = "arm64"
			}
			out, err := p.MergeUnattend(old, o)
			if err != nil {
				t.Errorf("%s, %v: %v", name, pass, err)
				continue
			}
			commands, err := p.UnattendCommands(o)
			if err != nil {
				t.Fatal(err)
			}
			text := out
			if name == "unattend-utf16.xml" {
				text = []byte(decodeUTF16(out))
			}
			line, other := "CommandLine", "Path"
			if pass == deploy.Specialize {
				line, other = other, line
			}
			oldText := old
			if name == "unattend-utf16.xml" {
				oldText = []byte(decodeUTF16(old))
			}
			if got, want := textOf(t, text, line), append(textOf(t, oldText, line), commands...); len(got) != len(want) ||
				!slices.Equal(sorted(got), sorted(want)) {
				t.Errorf("%s, %v: the commands are %q, want %q", name, pass, got, want)
			}
			if got, want := textOf(t, text, other), textOf(t, oldText, other); !slices.Equal(got, want) {
				t.Errorf("%s, %v: the other pass has %q, had %q", name, pass, got, want)
			}
			if !isWithin(old, out) {
				t.Errorf("%s, %v: something that was there is gone", name, pass)
			}
			if bytes.Contains(oldText, []byte("\r\n")) == bytes.Contains(bytes.ReplaceAll(text, []byte("\r\n"), nil), []byte("\n")) &&
				bytes.Contains(oldText, []byte("\n")) {
				t.Errorf("%s, %v: mixed line ends", name, pass)
			}
			again, err := p.MergeUnattend(out, o)
			if err != nil || !bytes.Equal(again, out) {
				t.Errorf("%s, %v: the second time changes the file: %v", name, pass, err)
			}
		}
	}
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

func TestMergeContinuesTheOrder(t *testing.T) {
	p := sample(t)
	out, err := p.MergeUnattend(read(t, "unattend-commands.xml"), deploy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := textOf(t, out, "Order"); !slices.Equal(got, []string{"1", "2", "7", "8", "9", "3"}) {
		t.Errorf("orders %q", got)
	}
	out, err = p.MergeUnattend(out, deploy.Options{Pass: deploy.Specialize})
	if err != nil {
		t.Fatal(err)
	}
	if got := textOf(t, out, "Order"); !slices.Equal(got, []string{"1", "2", "7", "8", "9", "3", "4", "5", "6"}) {
		t.Errorf("orders %q", got)
	}
}

// The whole text, once, so that a person can judge it.
func TestMergeLooksAsIfWrittenByHand(t *testing.T) {
	p := sample(t)
	out, err := p.MergeUnattend(read(t, "unattend-commands.xml"), deploy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	// The thumbprint is another one each time.
	want := bytes.Replace(read(t, "want-commands.xml"), []byte("THUMBPRINT"), []byte(thumbprint(p.Certificate)), 1)
	if !bytes.Equal(out, want) {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
}

const (
	head  = `<?xml version="1.0" encoding="utf-8"?><unattend xmlns="urn:schemas-microsoft-com:unattend" xmlns:wcm="http://schemas.microsoft.com/WMIConfig/2002/State">`
	shell = `<component name="Microsoft-Windows-Shell-Setup" processorArchitecture="amd64">`
)

// allOrders returns commands with the Orders from 1 to n, in no particular order.
func allOrders(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "<SynchronousCommand><Order>%d</Order><CommandLine>c</CommandLine></SynchronousCommand>", 1+(i*7+n/2)%n)
	}
	return b.String()
}

func TestMergeRefuses(t *testing.T) {
	p := sample(t)
	for _, test := range []struct {
		name, text string
		want       deploy.Reason
		o          deploy.Options
	}{
		{"nothing", "", deploy.NotAnswerFile, deploy.Options{}},
		{"text", "not xml", deploy.NotAnswerFile, deploy.Options{}},
		{"another document", "<plist/>", deploy.NotAnswerFile, deploy.Options{}},
		{"no namespace", "<unattend/>", deploy.NotAnswerFile, deploy.Options{}},
		{"another namespace", `<unattend xmlns="urn:example"/>`, deploy.NotAnswerFile, deploy.Options{}},
		{"cut off", head + `<settings pass="oobeSystem">`, deploy.NotAnswerFile, deploy.Options{}},
		{"two documents", head + "</unattend><unattend/>", deploy.NotAnswerFile, deploy.Options{}},
		{"entities", `<!DOCTYPE unattend [<!ENTITY a "b">]>` + head[38:] + "</unattend>", deploy.NotAnswerFile, deploy.Options{}},
		{"an encoding", strings.Replace(head, "utf-8", "windows-1252", 1) + "</unattend>", deploy.NotAnswerFile, deploy.Options{}},
		{"not UTF-8", head + "<!-- \xff --></unattend>", deploy.NotAnswerFile, deploy.Options{}},
		{"half a character", "\xff\xfe<", deploy.NotAnswerFile, deploy.Options{}},
		{"half a surrogate", "\xff\xfe\x00\xd8", deploy.NotAnswerFile, deploy.Options{}},
		{"deep", head + strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100) + "</unattend>", deploy.NotAnswerFile, deploy.Options{}},
		{"huge", head + strings.Repeat(" ", 5<<20) + "</unattend>", deploy.NotAnswerFile, deploy.Options{}},
		{"two passes", head + `<settings pass="oobeSystem"/><settings pass="oobeSystem"></settings></unattend>`, deploy.Ambiguous, deploy.Options{}},
		{"two components", head + `<settings pass="oobeSystem">` + shell + "</component>" + shell + "</component></settings></unattend>", deploy.Ambiguous, deploy.Options{}},
		{"two lists", head + `<settings pass="oobeSystem">` + shell + "<FirstLogonCommands/><FirstLogonCommands/></component></settings></unattend>", deploy.Ambiguous, deploy.Options{}},
		{"two architectures, none with the component of this pass", string(read(t, "unattend-two-architectures.xml")), deploy.Ambiguous, deploy.Options{Pass: deploy.Specialize}},
		{"no number", head + `<settings pass="oobeSystem">` + shell + "<FirstLogonCommands><SynchronousCommand><Order>x</Order></SynchronousCommand></FirstLogonCommands></component></settings></unattend>", deploy.NotAnswerFile, deploy.Options{}},
		{"no order left", head + `<settings pass="oobeSystem">` + shell + "<FirstLogonCommands>" + allOrders(499) + "</FirstLogonCommands></component></settings></unattend>", deploy.BadOption, deploy.Options{}},
		{"an architecture", head + "</unattend>", deploy.BadOption, deploy.Options{Architecture: "amd65"}},
		{"a user's store without a user", head + "</unattend>", deploy.BadOption, deploy.Options{Pass: deploy.Specialize, Store: deploy.UserStore}},
		{"a label", head + "</unattend>", deploy.BadName, deploy.Options{VolumeLabel: strings.Repeat("A", 33)}},
		{"a wildcard", head + "</unattend>", deploy.BadName, deploy.Options{VolumeLabel: "*"}},
		{"what escapes wildcards", head + "</unattend>", deploy.BadName, deploy.Options{VolumeLabel: "a`b"}},
		{"a pass", head + "</unattend>", deploy.BadOption, deploy.Options{Pass: 9}},
	} {
		out, err := p.MergeUnattend([]byte(test.text), test.o)
		if reason(err) != test.want || out != nil {
			t.Errorf("%s: %v, want the reason %v", test.name, err, test.want)
		}
	}
	// The twin that passes.
	if _, err := p.MergeUnattend([]byte(head+"</unattend>"), deploy.Options{}); err != nil {
		t.Error(err)
	}
}

// An Order beyond every limit is somebody's mistake: ours stay numbers from 1 to 500.
func TestOrdersOutOfRange(t *testing.T) {
	p := sample(t)
	for order, want := range map[string][]string{
		"9223372036854775807": {"499", "500"}, "9223372036854775806": {"499", "500"}, "501": {"499", "500"}, "499": {"498", "500"},
		"-9223372036854775808": {"1", "2"}, "-5": {"1", "2"}, "0": {"1", "2"}, " 7 ": {"8", "9"}, "007": {"8", "9"},
	} {
		file := []byte(head + `<settings pass="oobeSystem">` + shell + "<FirstLogonCommands><SynchronousCommand><Order>" + order + "</Order><CommandLine>c</CommandLine></SynchronousCommand></FirstLogonCommands></component></settings></unattend>")
		out, err := p.MergeUnattend(file, deploy.Options{})
		if got := textOf(t, out, "Order"); err != nil || len(got) != 3 || !slices.Equal(got[1:], want) {
			t.Errorf("behind %q: %q, %v; want %q", order, got, err, want)
		}
		if _, err := p.UnattendFindings(file, deploy.Options{}); err != nil {
			t.Errorf("%q: %v", order, err)
		}
	}
}

// An answer file of a few megabytes is read in seconds, whatever there are many of, and what
// is said of it stays short.
func TestMergeCosts(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves out what takes long")
	}
	p := sample(t)
	many := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	const pass, end = `<settings pass="oobeSystem">` + shell, "</component></settings></unattend>"
	for name, file := range map[string]string{
		"attributes":      head + "<x" + many(150_000, ` a%d=""`) + "/></unattend>",
		"prefixes":        head + "<x" + many(100_000, ` xmlns:a%d="u"`) + "/></unattend>",
		"names in a line": head + many(150_000, `<x a="%d"/>`) + "</unattend>",
		"architectures":   head + `<settings pass="specialize">` + many(50_000, `<component processorArchitecture="a%d"/>`) + "</settings></unattend>",
		"components":      head + `<settings pass="oobeSystem">` + many(15_000, `<component name="Microsoft-Windows-Shell-Setup" processorArchitecture="a%d"/>`) + "</settings></unattend>",
		"accounts":        head + pass + "<UserAccounts><LocalAccounts>" + many(50_000, "<LocalAccount><Name>a%d</Name></LocalAccount>") + "</LocalAccounts></UserAccounts>" + end,
		"AutoLogons":      head + pass + many(30_000, "<AutoLogon><Enabled>1</Enabled><Username>a%d</Username></AutoLogon>") + end,
		"commands":        head + pass + "<FirstLogonCommands>" + many(30_000, "<SynchronousCommand><Order>%d</Order><CommandLine>c</CommandLine></SynchronousCommand>") + "</FirstLogonCommands>" + end,
	} {
		start := time.Now()
		_, err := p.MergeUnattend([]byte(file), deploy.Options{})
		fs, err2 := p.UnattendFindings([]byte(file), deploy.Options{})
		if took := time.Since(start); took > 30*time.Second { // squares of these numbers take minutes
			t.Errorf("%d bytes of %s: %v", len(file), name, took)
		}
		said := fmt.Sprint(err, err2)
		for _, f := range fs {
			if len(f.What) > 500 {
				t.Errorf("%s: %d characters: %.200s", name, len(f.What), f.What)
			}
		}
		if len(said) > 1000 {
			t.Errorf("%s: %d characters: %.200s", name, len(said), said)
		}
	}
}

func TestSpecializeHasItsLimit(t *testing.T) {
	p := sample(t)
	for length := 1; length < 60; length++ {
		p.Password = strings.Repeat("a", length)
		commands, err := p.UnattendCommands(deploy.Options{Pass: deploy.Specialize})
		if err != nil {
			if reason(err) != deploy.TooLong {
				t.Fatal(err)
			}
			if length <= 36 {
				t.Errorf("a password of %d letters is too long: %v", length, err)
			}
			continue
		}
		for _, line := range commands {
			if len(line) > 255 {
				t.Errorf("a Path of %d characters", len(line))
			}
		}
	}
	p.Password = strings.Repeat(`"`, 100)
	if _, err := p.UnattendCommands(deploy.Options{}); reason(err) != deploy.TooLong {
		t.Errorf("1,300 characters: %v", err)
	}
	for _, pass := range []deploy.Pass{deploy.OOBESystem, deploy.Specialize} {
		commands, err := p.UnattendCommands(deploy.Options{Pass: pass, ScriptOnVolume: true})
		if err != nil || len(commands) != 1 || strings.Contains(commands[0], "34") {
			t.Errorf("%v with a script: %q, %v", pass, commands, err)
		}
	}
}

func TestScriptOnVolumeKeepsThePasswordOutOfTheAnswerFile(t *testing.T) {
	p := sample(t)
	files, err := p.Artefacts(deploy.WindowsUSB, deploy.Options{ScriptOnVolume: true, Pass: deploy.Specialize})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, f.Name)
		if holds := bytes.Contains(f.Content, []byte(p.Password)); holds != f.Password {
			t.Errorf("%s: holds the password %v, says %v", f.Name, holds, f.Password)
		}
		if strings.HasSuffix(f.Name, "Import-Certificate.ps1") && !bytes.Contains(f.Content, []byte(`Cert:\LocalMachine\My`)) {
			t.Error("the script imports into another store than the pass has")
		}
	}
	if want := []string{"autounattend.xml", "Certs/Import-Certificate.ps1", "Certs/rootCA.cer", "Certs/jane-cba.pfx",
		"Certs/Set-BrowserChoice.ps1", "Certs/browser-choice.reg", "Certs/browser-choice-intune.txt", "Certs/firefox-policies.json"}; !slices.Equal(names, want) {
		t.Errorf("files %q, want %q", names, want)
	}
	// The call operator has to be escaped in XML.
	if !bytes.Contains(files[0].Content, []byte(";&amp; ($p+'Import-Certificate.ps1')")) {
		t.Errorf("%s", files[0].Content)
	}
}

// The law: a merge gives an error of the package's type and nothing else, or a
// file that still has every byte of the old one in order, has the commands, and
// stays as it is when merged again.
func FuzzMerge(f *testing.F) {
	p := sample(f)
	files, _ := filepath.Glob("testdata/unattend-*.xml")
	if len(files) < 8 {
		f.Fatal("no seeds")
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, true)
		f.Add(b, false)
	}
	f.Add([]byte(head+`<settings pass="oobeSystem">`+shell+"<FirstLogonCommands/></component></settings></unattend>"), false)
	f.Fuzz(func(t *testing.T, old []byte, early bool) {
		o := deploy.Options{}
		if early {
			o.Pass = deploy.Specialize
		}
		out, err := p.MergeUnattend(old, o)
		if err != nil {
			if reason(err) == "" || out != nil {
				t.Fatalf("error %v with %d bytes", err, len(out))
			}
			return
		}
		if !isWithin(old, out) {
			t.Fatalf("lost something:\n%s", out)
		}
		again, err := p.MergeUnattend(out, o)
		if err != nil || !bytes.Equal(again, out) {
			t.Fatalf("again: %v\n%s\n%s", err, out, again)
		}
	})
}
