package snapshot_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"

	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/snapshot"
)

// names reads a list: the users with what is known of them.
func names(text []byte) (list []string, err error) {
	for l, err := range snapshot.ReadUsers(bytes.NewReader(text)) {
		if err != nil {
			return list, err
		}
		u, err := policy.ParseUser(l.JSON)
		if err != nil {
			return list, err
		}
		known := fmt.Sprint(u.UserPrincipalName, u.ID, " ", u.AuthorizationInfo.CertificateUserIDs)
		if u.Disabled {
			known += " disabled"
		}
		if slices.Contains(u.Missing, policy.AccountEnabled) {
			known += " ?"
		}
		list = append(list, known)
	}
	return list, sameCases(text)
}

// sameCases reads a list as cases and compares them.
func sameCases(text []byte) error {
	var users []policy.User
	var first error
	for l, err := range snapshot.ReadUsers(bytes.NewReader(text)) {
		u, err2 := policy.ParseUser(l.JSON)
		if first = err; first != nil {
			break
		}
		if first = err2; first != nil {
			break
		}
		users = append(users, u)
	}
	n := 0
	for c, err := range snapshot.ReadCases(bytes.NewReader(text)) {
		if err == nil {
			c, err = c.Read()
		}
		if err != nil || n == len(users) {
			var a, b *snapshot.Error
			if errors.As(first, &a) && (!errors.As(err, &b) || a.Where != b.Where || a.Error() != b.Error()) {
				return fmt.Errorf("as cases: %v, as users: %w", err, first)
			}
			if first == nil {
				return fmt.Errorf("as cases: %d users and %v, want %d", n, err, len(users))
			}
			return nil
		}
		if !reflect.DeepEqual(*c.User, users[n]) || c.Read != nil {
			return fmt.Errorf("user %d as a case: %+v, want %+v", n, *c.User, users[n])
		}
		n++
	}
	if first != nil || n != len(users) {
		return fmt.Errorf("%d cases, %d users, then %v", n, len(users), first)
	}
	return nil
}

func in16(text string, order binary.AppendByteOrder, mark bool) []byte {
	if mark {
		text = "\ufeff" + text
	}
	var out []byte
	for _, u := range utf16.Encode([]rune(text)) {
		out = order.AppendUint16(out, u)
	}
	return out
}

// Every way in which people keep a list of two users says the same.
func TestReadUsers(t *testing.T) {
	const (
		a = `{"id":"1","userPrincipalName":"a@b.org","accountEnabled":false,"authorizationInfo":{"certificateUserIds":["X509:<PN>a@b.org","X509:<SKI>01"]}}`
		b = `{"id":"2","userPrincipalName":"b@b.org"}`
	)
	var pretty bytes.Buffer
	for _, u := range []string{a, b} {
		if err := json.Indent(&pretty, []byte(u), "", "  "); err != nil {
			t.Fatal(err)
		}
		pretty.WriteByte('\n')
	}
	const table = "id,userPrincipalName,jobTitle,accountEnabled,certificateUserIds\n1,a@b.org,x,False,X509:<PN>a@b.org; X509:<SKI>01\n\n2,b@b.org,,,\n,,,,\n"
	array := "[" + a + "," + b + "]"
	forms := map[string]string{
		"lines": a + "\n" + b, "lines with CRLF and empty lines": a + "\r\n\r\n" + b + "\r\n", "array": array, "array over lines": "[\n" + pretty.String()[:strings.Index(pretty.String(), "\n}")+2] + ",\n" + b + "\n]\n",
		"objects over lines": pretty.String(),
		"Graph's answer":     `{"@odata.context":"x","@odata.count":2,"value":` + array + `}`, "several answers": `{"value":[` + a + `],"@odata.nextLink":"https://x"}` + "\n" + `{"value":[` + b + `]}`,
		"answers in an array": `[{"@odata.nextLink":"https://x","value":[` + a + `]},{"value":[` + b + `]}]`, "Windows PowerShell 5.1": `{"value":` + array + `,"Count":2}`,
		"a document": `{"x509Certificate":{"state":"enabled"},"users":` + array + `}`,
		"PowerShell": `[{"Id":"1","UserPrincipalName":"a@b.org","AccountEnabled":false,"AuthorizationInfo":{"CertificateUserIds":["X509:<PN>a@b.org","X509:<SKI>01"]}},{"Id":"2","UserPrincipalName":"b@b.org"}]`,
		"wrapped":    `{"value":` + a + "}\n" + `{"value":` + b + `}`,
		"table":      table, "table with semicolons": strings.ReplaceAll(strings.ReplaceAll(table, "; ", "\x00"), ",", ";"), "PowerShell's table": "#TYPE System.Object\r\n" + strings.ReplaceAll(table, "userPrincipalName", "\"UserPrincipalName\""),
		"table with tabs": "sep=\t\r\n" + strings.ReplaceAll(strings.ReplaceAll(table, ",", "\t"), "id\t", "Object ID\t"),
	}
	forms["table of the admin centre"] = strings.NewReplacer("accountEnabled", "Block credential", "False", "True").Replace(table)
	forms["template of the portal"] = "version:v1.0,,,,\n" + strings.NewReplacer("id,", "Object [id],", "userPrincipalName", "User name [userPrincipalName] Required", "accountEnabled", "Block sign in (Yes/No) [accountEnabled] Required", "False", "Yes").Replace(table)
	forms["lines of an old Mac"] = strings.ReplaceAll(table, "\n", "\r")
	forms["table of Active Directory"] = strings.Replace(table, "accountEnabled", "Enabled", 1)
	forms["table with semicolons"] = strings.ReplaceAll(forms["table with semicolons"], "\x00", "|")
	want := []string{"a@b.org1 [X509:<PN>a@b.org X509:<SKI>01] disabled", "b@b.org2 [] ?"}
	for name, text := range forms {
		for encoding, data := range map[string][]byte{
			"UTF-8": []byte(text), "mark": []byte("\ufeff" + text), "UTF-16": in16(text, binary.LittleEndian, true), "UTF-16, other way": in16(text, binary.BigEndian, true), "UTF-16 without mark": in16(text, binary.LittleEndian, false),
		} {
			if got, err := names(data); err != nil || !slices.Equal(got, want) {
				t.Errorf("%s in %s: %q, %v", name, encoding, got, err)
			}
		}
	}
	// One user alone, and one answer with one.
	for _, text := range []string{a, pretty.String()[:strings.Index(pretty.String(), "\n}")+2], `{"value":[` + a + `]}`, `{"value":` + a + `}`} {
		if got, err := names([]byte(text)); err != nil || len(got) != 1 || got[0] != want[0] {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "\n \r\n", "[]", `{"value":[]}`, "id,upn\n", "\ufeff"} {
		if got, err := names([]byte(text)); err != nil || len(got) != 0 {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	for range snapshot.ReadUsers(nil) {
		t.Error("a user out of nothing")
	}
	for range snapshot.ReadCases(nil) {
		t.Error("a case out of nothing")
	}
}

// What is no list of users is refused, with its place and what to do.
func TestReadUsersRefuses(t *testing.T) {
	const a = `{"id":"1","userPrincipalName":"a@b.org"}`
	for _, test := range []struct{ text, where, says string }{
		{a + "\n{\n", "line 2", "unexpected end"},
		{a + "\n" + `{"displayName":"x"}`, "line 2", "no user"},
		{"[" + a + `,{"displayName":"x"}]`, "object 2", "no user"},
		{"[" + a + `,3]`, "object 2", "want an object"},
		{"[" + a, "object 2", "unexpected EOF"},
		{`{"value":[` + a + `],"@odata.nextLink":"https://graph.microsoft.com/x"}`, "object 1", "nextLink"},
		{`{"@odata.nextLink":"https://graph.microsoft.com/x","value":[` + a + `]}`, "object 1", "nextLink"},
		{`{"hello":"world"}`, "line 1", "no user"},
		{`{"value":[{"id":"1","createdDateTime":"2026-01-01T00:00:00Z","userId":"2","userPrincipalName":"a@b.org"}]}`, "object 1", "sign-in log"},
		{`{"id":"1","id":"2"}`, "line 1, /id", ""},
		{"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "line 1", "neither JSON, nor a table"},
		{"PK\x03\x04 a workbook", "line 1", "neither JSON"},
		{"name,mail\nx,y\n", "line 1", "neither JSON"},
		{"<!DOCTYPE html><html>", "line 1", "it looks like an HTML page"},
		{"UserPrincipalName : a@b\nId                : 1\n", "line 1", "ConvertTo-Json"},
		{`{"value":[{"id":"1","displayName":"x","groupTypes":[]}]}`, "object 1", "a group and no user"},
		{`[{"@odata.type":"#microsoft.graph.device","id":"1"}]`, "object 1", "no user"},
		{`[{"Id":"1","DeviceId":"2"}]`, "object 1", "a device"},
		{"upn,UserPrincipalName\na,b\n", "line 1", "two columns"},
		{"upn,x\na@b.org,1\n,2\n", "line 3", "neither id"},
		{"upn\na@b.org,1\n", "line 2", "double quotes"},
		{"upn,accountEnabled\na@b.org,maybe\n", "line 2", "write true or false"},
		{"upn,certificateUserIds\na@b.org,System.String[]\n", "line 2", "join the values"},
		{"upn\nm\xfcller@b.org\n", "line 2", "CSV UTF-8"},
		{"upn\n\"a\n", "line 2", "CSV"},
		{`[{"id":"` + strings.Repeat("x", 8<<20) + `"}]`, "object 1", "larger"},
		{`{"id":"` + strings.Repeat("x", 2<<20) + `"}`, "object 1", "larger"},
		{a + "\n" + `{"id":"` + strings.Repeat("x", 2<<20) + `"}`, "line 2", "larger"},
	} {
		_, err := names([]byte(test.text))
		var e *snapshot.Error
		if !errors.As(err, &e) || e.Where != test.where || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%.80q: %v", test.text, err)
		}
		if err := sameCases([]byte(test.text)); err != nil {
			t.Errorf("%.80q: %.300v", test.text, err)
		}
	}
	broken := errors.New("the disk")
	for _, err := range snapshot.ReadUsers(io.MultiReader(strings.NewReader(a+"\n"), iotest.ErrReader(broken))) {
		if err != nil && !errors.Is(err, broken) {
			t.Error(err)
		}
	}
}

// Tables as the portal and PowerShell export them are lists of users too.
func TestReadPeople(t *testing.T) {
	for _, name := range []string{"entra.csv", "utf16.csv", "typeinfo.csv", "trailing.csv", "spaces.csv"} {
		text, err := os.ReadFile(filepath.Join("..", "folder", "testdata", "people", name))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := names(text); err != nil || len(got) == 0 || !strings.Contains(got[0], "@") {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// A list of any size is read one user at a time, and no further than it is wanted.
func TestReadUsersStreams(t *testing.T) {
	for name, open := range map[string]string{"lines": "", "array": "[\n", "answer": `{"value":[` + "\n"} {
		n := 0
		for _, err := range snapshot.ReadUsers(io.MultiReader(strings.NewReader(open), &endless{array: open != ""})) {
			if err != nil {
				t.Fatal(name, err)
			}
			if n++; n == 100_000 {
				break
			}
		}
		if n != 100_000 {
			t.Errorf("%s: %d", name, n)
		}
	}
}

// endless is a list without an end.
type endless struct {
	n     int
	array bool
	rest  string
}

func (e *endless) Read(p []byte) (int, error) {
	if e.rest == "" {
		if e.n++; e.array && e.n > 1 {
			e.rest = ","
		}
		e.rest += fmt.Sprintf(`{"id":"%d","userPrincipalName":"user%d@b.org"}`+"\n", e.n, e.n)
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

func FuzzReadUsers(f *testing.F) {
	for _, text := range []string{`{"id":"1"}`, `[{"id":"1"},{"value":[{"id":"2"}]}]`, "upn,certificateUserIds\na@b.org,X509:<PN>a;;X509:<PN>b\n", "sep=;\nid;upn\n1;a", `{"value":{"id":"1"},"x":[{}]}`, "#TYPE x\nid\n1"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for l, err := range snapshot.ReadUsers(bytes.NewReader(data)) {
			if (err == nil) != json.Valid(l.JSON) || err == nil && l.Where == "" {
				t.Fatalf("%+v, %v", l, err)
			}
		}
	})
}

// FuzzReadCases holds for any text: its cases are its users, or both refuse it in the same
// place with the same words.
func FuzzReadCases(f *testing.F) {
	for _, text := range []string{`{"id":"1"}`, `{"id":"1","certificates":["AAAA"]}`, `{"Id":"1","Certificates":"AAAA"}`, `[{"id":"1"},{"value":[{"id":"2"}]}]`, "id,certificate\n1,AAAA\n", `{"value":{"id":"1"},"x":[{}]}`,
		`{"id":"1","ID":"2"}`, `{"id":"1","certificates":null,"certificateS":[]}`, `{"id":"1","securityEnabled":true}`, `{"displayName":"a"}`, `{"accountEnabled":true}`, `{"id":"1","AdditionalProperties":{"certificates":["A"]}}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for l := range snapshot.ReadUsers(bytes.NewReader(data)) {
			// ReadUsers does not read certificates; their name may have escapes.
			if text := strings.ToLower(string(l.JSON)); !strings.Contains(text, "certificate") && !strings.Contains(text, `\u`) && !strings.Contains(text, "\u017f") {
				continue
			}
			for c, err := range snapshot.ReadCases(bytes.NewReader(data)) {
				if err == nil {
					c, err = c.Read()
				}
				if err == nil && c.User == nil {
					t.Fatal("neither a user nor an error")
				}
			}
			return
		}
		if err := sameCases(data); err != nil {
			t.Fatalf("%q: %v", data, err)
		}
	})
}

// Of several faults of a row the message is always about the same one.
func TestReadUsersSameFault(t *testing.T) {
	table := "id,userPrincipalName,displayName,accountEnabled\n1,j\xff@contoso.com,J\xff,maybe\n"
	for range 50 {
		for _, err := range snapshot.ReadUsers(strings.NewReader(table)) {
			if err == nil || !strings.Contains(err.Error(), "column accountEnabled") {
				t.Fatal(err)
			}
		}
	}
}
