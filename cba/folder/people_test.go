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
	for text, want := range map[string]string{
		"":                              "line 1: the file is empty",
		"email\na@b\n":                  "line 1: the header row has no column upn",
		"upn,e-mail\na@b,x\n":           `line 1: unknown column "e-mail"`,
		"upn,UPN\na,b\n":                "line 1: column upn appears twice",
		"upn\na@b\nc@d,e\n":             "line 3: not a line of CSV",
		"upn\na@b\nc@d\nA@B\n":          `line 4: "A@B" is already on line 2`,
		"upn,sid\na@b,S-1-x\n":          "line 2: column sid",
		"upn,subject\na@b,Jane\n":       "line 2: column subject",
		"upn\n\" jane@contoso.com \"\n": `remove the spaces before or after "jane@contoso.com"`,
		"upn\n../x\n":                   "line 2: column upn",
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
	if _, err := read("upn,password\na@b,x\n"); !errors.Is(err, folder.WritableByOthers) {
		t.Errorf("a list with passwords that others may write: %v", err)
	}
}
