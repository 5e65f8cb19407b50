package folder

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"example.com/entracba/cba/internal/dialect"
)

// Whatever can be read is written and read back the same.
func FuzzManifest(f *testing.F) {
	for _, seed := range []string{
		`{"ca":{},"users":[]}`, `{"users":[{"upn":"a@b","x":[1,{"y":null}],"notAfter":"2027-01-02T03:04:05+01:00"}],"ca":{"subject":"CN=<&>"}}`,
		`{"ca":{},"users":[{"certificateUserIds":{"SKI":"X509:<SKI>0a"}}]}`, `[]`, `{"ca":{"a":1,"a":2},"users":[]}`, "\ufeff{}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		first, ca, err := readAll(text)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("an error of several lines: %q", err)
			}
			return
		}
		var out bytes.Buffer
		if err := WriteManifest(&out, ca, func(yield func(User, error) bool) {
			for _, u := range first {
				if !yield(u, nil) {
					return
				}
			}
		}); err != nil {
			t.Skip(err) // a time that JSON cannot write, or an id that is zero
		}
		second, again, err := readAll(out.Bytes())
		if err != nil {
			t.Fatalf("%v\n%s", err, out.Bytes())
		}
		var once bytes.Buffer
		if err := WriteManifest(&once, again, func(yield func(User, error) bool) {
			for _, u := range second {
				if !yield(u, nil) {
					return
				}
			}
		}); err != nil || !bytes.Equal(once.Bytes(), out.Bytes()) {
			t.Errorf("%v: written\n%s\nthen\n%s", err, out.Bytes(), once.Bytes())
		}
	})
}

func readAll(text []byte) (users []User, ca CA, err error) {
	ca, err = read(bytes.NewReader(text), func(u User) error {
		users = append(users, u)
		return nil
	})
	return users, ca, err
}

// A journal is read up to its last whole line; errors never hold a password.
func FuzzJournal(f *testing.F) {
	for _, seed := range []string{
		"", "{\"ca\":\"aa\",\"user\":{\"upn\":\"a\"},\"password\":\"s3cr3t\"}\n", "{\"password\":\"s3cr3t\"", "{\"password\":{\"s3cr3t\":1}}\n{}\n", "\n\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		n := 0
		end, err := readJournal(bytes.NewReader(text), "journal", func(line) error { n++; return nil })
		if end < 0 || end > int64(len(text)) || end > 0 && text[end-1] != '\n' {
			t.Fatalf("ends at %d of %d", end, len(text))
		}
		if n != bytes.Count(text[:end], []byte("\n")) {
			t.Errorf("%d entries in %q", n, text[:end])
		}
		if err != nil && strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%v", err)
		}
	})
}

// An entry that was written is read back the same.
func FuzzEntry(f *testing.F) {
	f.Add("jane@contoso.com", "a,b\"c\n")
	f.Fuzz(func(t *testing.T, upn, password string) {
		if upn != strings.ToValidUTF8(upn, "") || password != strings.ToValidUTF8(password, "") {
			t.Skip()
		}
		want := line{"aa", User{UPN: upn, Other: map[string]json.RawMessage{"other": json.RawMessage(`"x"`)}}, password}
		var b bytes.Buffer
		if err := writeLine(&b, want); err != nil {
			t.Fatal(err)
		}
		var got []line
		if _, err := readJournal(&b, "journal", func(l line) error { got = append(got, l); return nil }); err != nil {
			t.Fatal(err)
		}
		if len(got) != 1 || !reflect.DeepEqual(got[0], want) {
			t.Errorf("wrote %+v, read %+v", want, got)
		}
	})
}

// A password list that is read has no user twice, and none of its errors a password.
func FuzzPasswords(f *testing.F) {
	for _, seed := range []string{"upn,password\na,s3cr3t\n", "upn,password\na,s3cr3t\nA,s3cr3t\n", "\ufeffupn,password\r\n\"a\",\"s3\"\"cr3t\"\r\n", "s3cr3t,s3cr3t\n", "upn,password\n\"s3cr3t\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := readPasswords(bytes.NewReader(text))
		if err != nil && strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%v", err)
		}
		if err == nil && p.Len() > bytes.Count(text, []byte("\n"))+bytes.Count(text, []byte("\r")) {
			t.Errorf("%d passwords", p.Len())
		}
	})
}

// Whoever is on a list can name a file, is on it once, and prints no password; nor
// does an error.
func FuzzPeople(f *testing.F) {
	for _, seed := range []string{"upn\na@b\n", "upn;password\r\na@b;s3cr3t\r\n", "\ufeffupn,email,sid,subject,password\na@b,a@b,S-1-5-21-1,CN=x,s3cr3t\n",
		"upn,password\n,s3cr3t\n", "upn,password\n\"a,s3cr3t\n",
		`[{"upn":"a@b","password":"s3cr3t"},{"upn":"a@b","password":["s3cr3t"]}]`, `{"UserPrincipalName":"a@b","Password":"s3cr3t"`, `{"upn":"a@b","password":s3cr3t}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		seen, first := map[string]bool{}, 2 // a header row stands in front
		if b, err := openText(bytes.NewReader(text)); err == nil && dialect.IsJSON(b) {
			first = 1
		}
		for p, err := range ReadPeople(bytes.NewReader(text)) {
			if err != nil {
				if bytes.Contains(text, []byte("s3cr3t")) && strings.Contains(err.Error(), "s3cr3t") && !strings.Contains(err.Error(), "column") {
					t.Errorf("%v", err)
				}
				return
			}
			if seen[Key(p.Subject.UPN)] || CheckName(p.Subject.UPN) != nil || p.Line < first {
				t.Errorf("line %d: %q", p.Line, p.Subject.UPN)
			}
			seen[Key(p.Subject.UPN)] = true
		}
	})
}
