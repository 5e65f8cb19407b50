package folder_test

import (
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.com/entracba/cba/folder"
)

func ExampleReadPeople() {
	list := "upn,email,password\njane@contoso.com,j@contoso.com,\njohn@contoso.com,,correct-horse\n"
	for p, err := range folder.ReadPeople(strings.NewReader(list)) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(p, p.Subject.Emails, p.Password != "")
	}
	// Output:
	// {line 2, jane@contoso.com} [j@contoso.com] false
	// {line 3, john@contoso.com} [] true
}

func TestPeople(t *testing.T) {
	name := filepath.Join(t.TempDir(), "users.csv")
	read := func(text string) (all []string, err error) {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for p, e := range folder.People(name) {
			if e != nil {
				return all, e
			}
			all = append(all, fmt.Sprintf("%d %s %q %v %v", p.Line, p.Subject.UPN, p.Password, p.Subject.Name, p.Subject.SID))
		}
		return all, nil
	}
	all, err := read("\ufeffSID;Upn;Password;subject\r\nS-1-5-21-1;\"Jörg@x.com\";a;\"CN=Jörg, O=X\"\r\n;k@x.com;;\r\n")
	want := []string{`2 Jörg@x.com "a" CN=Jörg,O=X S-1-5-21-1`, `3 k@x.com ""  `}
	if diff := cmp.Diff(want, all); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	// Users as Graph and PowerShell write them.
	for _, text := range []string{
		`[{"userPrincipalName":"a@x.com","onPremisesSecurityIdentifier":"S-1-5-21-1","id":"1","mail":null},{"userPrincipalName":"b@x.com"}]`,
		`{"value":[{"UserPrincipalName":"a@x.com","OnPremisesSecurityIdentifier":"S-1-5-21-1"},{"UserPrincipalName":"b@x.com"}],"Count":2}`,
		`{"upn":"a@x.com","sid":"S-1-5-21-1"}` + "\n" + `{"upn":"b@x.com"}` + "\n",
	} {
		all, err := read(text)
		if diff := cmp.Diff([]string{`1 a@x.com ""  S-1-5-21-1`, `2 b@x.com ""  `}, all); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", text, err, diff)
		}
	}
	for text, want := range map[string]string{
		`[{"userPrincipalName":"a@x.com"},{"mail":"b@x.com"}]`: "line 2: the object has no userPrincipalName",
		`[{"userPrincipalName":1}]`:                            "line 1: userPrincipalName is no text",
		`[{"userPrincipalName":"a@x.com"}`:                     "object 2: unexpected EOF",
		`{"upn":"a@x.com"}` + "\n" + `{"upn":"A@x.com"}`:       `line 2: "A@x.com" is already on line 1`,
		"":                            "line 1: the file is empty",
		"email\na@b\n":                "line 1: the header row has no column upn",
		"mail,e-mail,upn\nx,x,a@b\n":  "line 1: column email appears twice",
		"upn;email\na@b;x;y\n":        "line 2: the row has 3 fields and the header row 2",
		"upn,UPN\na,b\n":              "line 1: column upn appears twice",
		"upn\na@b\nc@d,e\n":           "line 3: the row has 2 fields",
		"upn\na@b\nc@d\nA@B\n":        `line 4: "A@B" is already on line 2`,
		"upn,sid\na@b,S-1-x\n":        "line 2: column sid",
		"upn,subject\na@b,Jane\n":     "line 2: column subject",
		"upn\njane doe@contoso.com\n": "has a space",
		"upn\n../x\n":                 "line 2: column upn",
	} {
		_, err := read(text)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), name) ||
			!errors.Is(err, folder.Malformed) && !errors.Is(err, folder.BadName) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if runtime.GOOS == "windows" {
		return
	}
	if err := os.Chmod(name, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := read("upn\na@b\n"); err != nil {
		t.Errorf("a list without passwords that others may write: %v", err)
	}
	if _, err := read(`{"upn":"a@b"}`); err != nil {
		t.Errorf("a list of objects without passwords that others may write: %v", err)
	}
	if _, err := read(`[{"upn":"a@b"},{"upn":"c@d","password":"x"}]`); !errors.Is(err, folder.WritableByOthers) {
		t.Errorf("a list of objects with passwords that others may write: %v", err)
	}
	if _, err := read("upn,password\na@b,x\n"); !errors.Is(err, folder.WritableByOthers) {
		t.Errorf("a list with passwords that others may write: %v", err)
	}
}

// The lists that people have: what the portal, Get-MgUser, Get-ADUser and spreadsheets
// write is read, and what is wrong with the others is said.
func TestPeopleOfOthers(t *testing.T) {
	for name, want := range map[string]string{
		"entra.csv": "jane@contoso.com", "admod.csv": "jane@contoso.com", "excel-de.csv": "jane@contoso.com", "utf16.csv": "jane@contoso.com",
		"typeinfo.csv": "jane@contoso.com", "trailing.csv": "jane@contoso.com", "spaces.csv": "jane@contoso.com",
		"cp1252.csv": "!save the file as CSV UTF-8", "nohdr.csv": "!line 1: this is no header row", "bad.csv": "!no account can have such a UPN", "zwsp.csv": "!U+200B",
	} {
		var first string
		var failed error
		for p, err := range folder.People(filepath.Join("testdata", "people", name)) {
			if err != nil {
				failed = err
				break
			}
			if first == "" {
				first = p.Subject.UPN
			}
		}
		switch says, bad := strings.CutPrefix(want, "!"); {
		case bad && (failed == nil || !strings.Contains(failed.Error(), says)):
			t.Errorf("%s: %v, want %q", name, failed, says)
		case !bad && (failed != nil || first != want):
			t.Errorf("%s: %q, %v", name, first, failed)
		}
	}
	for text, line := range map[string]int{
		"sep=;\r\nUPN;mail\r\njane@contoso.com;x\r\n":                                        3,
		"sep=,\nmail,User Principal Name\n,jane@contoso.com\n":                               3,
		"#TYPE Selected.User\n\"displayName\"\t\"userPrincipalName\"\nJ\tjane@contoso.com\n": 3,
		"\n\nupn\n\n\njane@contoso.com\n,,,\n":                                               6,
		"upn,password\n jane@contoso.com\u00a0, p \n":                                        2,
	} {
		n := 0
		for p, err := range folder.ReadPeople(strings.NewReader(text)) {
			if err != nil || p.Line != line || p.Subject.UPN != "jane@contoso.com" || p.Password != "" && p.Password != " p " {
				t.Errorf("%q: line %d, %q, %v", text, p.Line, p.Subject.UPN, err)
			}
			n++
		}
		if n != 1 {
			t.Errorf("%q: %d people", text, n)
		}
	}
	for text, says := range map[string]string{"jane": "no @", "a@b@c": "more than one @", "@contoso.com": "one side", "jane@": "one side", "a b@c.com": "a space", "a\u202e@c.com": "U+202E", "a\x00@c.com": "U+0000"} {
		for _, err := range folder.ReadPeople(strings.NewReader("upn\n\"" + text + "\"\n")) {
			if !errors.Is(err, folder.BadName) || !strings.Contains(err.Error(), says) {
				t.Errorf("%q: %v", text, err)
			}
		}
	}
}

func TestIgnoredColumns(t *testing.T) {
	got, err := folder.IgnoredColumns(filepath.Join("testdata", "people", "entra.csv"))
	if diff := cmp.Diff([]string{"displayName", "surname", "givenName", "id", "userType"}, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if _, err := folder.IgnoredColumns("nosuch.csv"); err == nil {
		t.Error("no error for a file that is not there")
	}
}

// A password list that a spreadsheet has written again is still one.
func TestPasswordsOfSpreadsheets(t *testing.T) {
	const list = "upn,password\na@b.org,correct-horse\n\"c@d.org\",\"a \"\"b; c\"\n"
	in16 := []byte{0xff, 0xfe}
	for _, c := range strings.ReplaceAll(list, ",", ";") {
		in16 = append(in16, byte(c), 0)
	}
	for form, text := range map[string]string{
		"as written": list, "mark and CRLF": "\ufeff" + strings.ReplaceAll(list, "\n", "\r\n"), "semicolons": strings.ReplaceAll(list, ",", ";"), "UTF-16": string(in16),
		"tabs": "sep=\t\r\n" + strings.ReplaceAll(list, ",", "\t"),
	} {
		name := filepath.Join(t.TempDir(), "passwords.csv")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		p, err := folder.LoadPasswords(name)
		if err != nil || p.Len() != 2 || p.Of("A@b.org") != "correct-horse" || p.Of("c@d.org") != `a "b; c` {
			t.Errorf("%s: %v, %v", form, p, err)
		}
	}
}

// Of several faults of a row the message is always about the same one.
func TestPeopleSameFault(t *testing.T) {
	name := filepath.Join(t.TempDir(), "users.csv")
	if err := os.WriteFile(name, []byte("upn,email,subject\nj\xff@contoso.com,j\xff@contoso.com,CN=\xff\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 50 {
		for _, err := range folder.People(name) {
			if err == nil || !strings.Contains(err.Error(), "column email") {
				t.Fatal(err)
			}
		}
	}
}

// Lists as more programs write them, and what no list of people is.
func TestPeopleOfMorePrograms(t *testing.T) {
	read := func(text string) (upns []string, err error) {
		for p, e := range folder.ReadPeople(strings.NewReader(text)) {
			if e != nil {
				return upns, e
			}
			upns = append(upns, p.Subject.UPN)
		}
		return upns, nil
	}
	for text, want := range map[string]string{
		"upn\rjane@contoso.com\rjohn@contoso.com\r": "jane@contoso.com john@contoso.com",
		"version:v1.0,,\nName [displayName] Required,User name [userPrincipalName] Required,Block sign in (Yes/No) [accountEnabled] Required\nJane,jane@contoso.com,No\n": "jane@contoso.com",
		"Benutzerprinzipalname;Anzeigename\njane@contoso.com;Jane\n": "jane@contoso.com",
		"upn\njane@contoso.com\n\x1a":                                "jane@contoso.com",
		"upn\njane@contoso.com\n" + strings.Repeat("\x00", 1000):     "jane@contoso.com",
		"upn\njose\u0301@contoso.com\n":                              "jos\u00e9@contoso.com",
		"User principal name\no'brien@contoso.com\n":                 "o'brien@contoso.com",
	} {
		if got, err := read(text); err != nil || strings.Join(got, " ") != want {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"upn\n'jane@contoso.com'\n":                          "quotation mark",
		"upn\n\u201cjane@contoso.com\u201d\n":                "quotation mark",
		"upn\no\u2019brien@contoso.com\n":                    "an apostrophe is '",
		"upn\nmailto:jane@contoso.com\n":                     "label",
		"upn\nSMTP:jane@contoso.com\n":                       "label",
		"upn\n<jane@contoso.com>\n":                          "bracket",
		"upn|email\njane@contoso.com;john@contoso.com|\n":    "no column upn",
		"upn\njane@contoso.com;john@contoso.com\n":           "separator",
		"upn\n" + strings.Repeat("\x00", 100000) + "x@y.z\n": "cannot be seen",
		"PK\x03\x04\x14\x00":                                 "a workbook",
		"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":                   "an old workbook",
		"%PDF-1.7\n":                                         "a PDF",
		"dn: CN=Jane,DC=contoso\nuserPrincipalName: x\n":     "LDIF",
		"UserPrincipalName  DisplayName\n-----------------  -----------\njane@contoso.com  Jane\n": "PowerShell prints",
	} {
		if _, err := read(text); err == nil || !strings.Contains(err.Error(), want) || len(err.Error()) > 1500 {
			t.Errorf("%.60q: %.600v", text, err)
		}
	}
}
