package deploy_test

import (
	"bytes"
	"encoding/xml"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"example.com/entracba/cba/deploy"
)

// textOf returns the content of every element of this name.
func textOf(t testing.TB, document []byte, name string) []string {
	t.Helper()
	var all []string
	d := xml.NewDecoder(bytes.NewReader(document))
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	for {
		token, err := d.Token()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatalf("not XML: %v", err)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == name {
			var text string
			if err := d.DecodeElement(&text, &start); err != nil {
				t.Fatalf("not XML: %v", err)
			}
			all = append(all, text)
		}
	}
}

func decodeUTF16(data []byte) string {
	var units []uint16
	for i := 2; i+1 < len(data); i += 2 {
		units = append(units, uint16(data[i])|uint16(data[i+1])<<8)
	}
	return string(utf16.Decode(units))
}

// unattendPassword takes the password out of an answer file the way it goes on
// a machine: XML, maybe cmd, the C runtime, PowerShell.
func unattendPassword(t testing.TB, document []byte, element string) string {
	t.Helper()
	commands := textOf(t, document, element)
	if want := map[string]int{"CommandLine": 2, "Path": 3}[element]; len(commands) != want {
		t.Fatalf("%d commands, want %d", len(commands), want)
	}
	for _, line := range commands {
		if err := cmdChanges(line); err != nil {
			t.Errorf("cmd would change the line: %v in %q", err, line)
		}
	}
	argv := commandLine(commands[1])
	if len(argv) != 4 || argv[0] != "powershell" || argv[2] != "-Command" {
		t.Fatalf("argv %q", argv)
	}
	password, err := operand(argv[3], "ConvertTo-SecureString")
	if err != nil {
		t.Fatal(err)
	}
	return password
}

func TestPasswordsSurviveTheAnswerFile(t *testing.T) {
	p := sample(t)
	for _, password := range passwords {
		p.Password = password
		out, err := p.Unattend(deploy.Options{})
		if err != nil {
			t.Errorf("%q: %v", password, err)
			continue
		}
		if got := unattendPassword(t, out, "CommandLine"); got != password {
			t.Errorf("Windows would read %q for %q", got, password)
		}
		out, err = p.Unattend(deploy.Options{Pass: deploy.Specialize})
		if reason(err) == deploy.TooLong {
			continue
		}
		if err != nil {
			t.Errorf("%q in specialize: %v", password, err)
		} else if got := unattendPassword(t, out, "Path"); got != password {
			t.Errorf("Windows would read %q for %q in specialize", got, password)
		}
	}
}

func TestPasswordsSurviveTheScript(t *testing.T) {
	p := sample(t)
	for _, password := range passwords {
		p.Password = password
		out, err := p.PowerShell(deploy.Options{EmbedPassword: true})
		if err != nil {
			t.Errorf("%q: %v", password, err)
			continue
		}
		if i := bytes.IndexFunc(out, func(r rune) bool { return r > '~' || r < ' ' && r != '\r' && r != '\n' }); i >= 0 {
			t.Errorf("%q: the script is not ASCII at %q", password, out[i:])
		}
		if got, err := operand(string(out), "ConvertTo-SecureString -String"); err != nil || got != password {
			t.Errorf("PowerShell would read %q for %q: %v", got, password, err)
		}
	}
}

func TestBatchKeepsOrRefuses(t *testing.T) {
	p := sample(t)
	refused := 0
	for _, password := range passwords {
		p.Password = password
		out, err := p.Certutil(deploy.Options{EmbedPassword: true})
		if strings.ContainsFunc(password, func(r rune) bool { return r < ' ' || r > '~' || r == '"' }) {
			refused++
			if reason(err) != deploy.UnfitPassword || out != nil {
				t.Errorf("%q: error %v", password, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", password, err)
			continue
		}
		if got := certutilPassword(t, out); got != password {
			t.Errorf("certutil would read %q for %q", got, password)
		}
	}
	if refused < 8 {
		t.Errorf("only %d passwords were to be refused", refused)
	}
}

func certutilPassword(t testing.TB, script []byte) string {
	t.Helper()
	for _, line := range strings.Split(string(script), "\r\n") {
		if !strings.Contains(line, "-importpfx") {
			continue
		}
		line, err := batchLine(strings.TrimPrefix(line, "@"))
		if err != nil {
			t.Fatal(err)
		}
		line, _, _ = strings.Cut(line, " || ")
		argv := commandLine(line)
		want := []string{"certutil", "-user", "-p", "", "-importpfx", "My", `E:\jane-cba.pfx`, "NoExport"}
		i := slices.Index(argv, "-p")
		if i < 0 || i+1 >= len(argv) {
			t.Fatalf("argv %q", argv)
		}
		password := argv[i+1]
		argv[i+1] = ""
		if !slices.Equal(argv, want) {
			t.Fatalf("argv %q, want %q", argv, want)
		}
		return password
	}
	t.Fatal("no -importpfx")
	return ""
}

// The law: whatever the password, Windows reads exactly it from the answer file, or
// the answer file is refused with an *Error that does not hold it; nothing else
// of the commands depends on it.
func FuzzUnattendPassword(f *testing.F) {
	p := sample(f)
	for _, password := range passwords {
		f.Add(password)
	}
	f.Fuzz(func(t *testing.T, password string) {
		p := p
		p.Password = password
		out, err := p.Unattend(deploy.Options{})
		if err != nil {
			if r := reason(err); r != deploy.Missing && r != deploy.UnfitPassword && r != deploy.TooLong {
				t.Fatalf("%q: %v", password, err)
			}
			if len(password) > 8 && strings.Contains(err.Error(), password) {
				t.Fatalf("the error holds the password: %v", err)
			}
			return
		}
		if got := unattendPassword(t, out, "CommandLine"); got != password {
			t.Fatalf("Windows would read %q for %q", got, password)
		}
	})
}

// The law: whatever the password, certutil gets exactly it as one argument, and
// the same other ones, or it is refused.
func FuzzBatchPassword(f *testing.F) {
	p := sample(f)
	for _, password := range passwords {
		f.Add(password)
	}
	f.Fuzz(func(t *testing.T, password string) {
		p := p
		p.Password = password
		out, err := p.Certutil(deploy.Options{EmbedPassword: true})
		if err != nil {
			if r := reason(err); r != deploy.Missing && r != deploy.UnfitPassword {
				t.Fatalf("%q: %v", password, err)
			}
			return
		}
		if got := certutilPassword(t, out); got != password {
			t.Fatalf("certutil would read %q for %q", got, password)
		}
	})
}

// A reader that cannot fail proves nothing: these are what naive quoting gives.
func TestReadersNoticeNaiveQuoting(t *testing.T) {
	if got, err := operand("ConvertTo-SecureString 'it's' -F", "ConvertTo-SecureString"); err == nil {
		t.Errorf("PowerShell reads %q", got)
	}
	if got, err := operand("ConvertTo-SecureString 'smart \u2019quote' -F", "ConvertTo-SecureString"); err == nil {
		t.Errorf("PowerShell reads %q", got)
	}
	if _, _, err := powerShellValue("[char]39+'a'"); err == nil {
		t.Error("a character in front adds numbers")
	}
	if argv := commandLine(`certutil -p "back\" x`); len(argv) == 4 {
		t.Errorf("argv %q", argv)
	}
	if got, err := batchLine(`certutil -p "100%PATH%"`); err == nil {
		t.Errorf("batch reads %q", got)
	}
	if cmdChanges(`powershell -Command "100%PATH%"`) == nil || cmdChanges(`certutil a&b`) == nil {
		t.Error("cmd changes nothing")
	}
	if argv := commandLine(`a "b \\" c\"d \\\\`); !slices.Equal(argv, []string{"a", `b \`, `c"d`, `\\\\`}) {
		t.Errorf("argv %q", argv)
	}
}
