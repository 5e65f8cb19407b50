package main

import (
	"testing"

	"example.com/entracba/cba/deploy"
)

// What comes after a look at the machine.
func TestAfterCheck(t *testing.T) {
	o := options{manifest: "out/manifest.json", args: []string{"-check", "-user", "o'brien@yourdomain.com"}, users: []string{"o'brien@yourdomain.com"}}
	install := `go run ./examples/deliver -manifest out/manifest.json -to linux -out linux -user 'o'\''brien@yourdomain.com'`
	for _, test := range []struct {
		states []string
		policy string
		want   string
	}{
		{[]string{"missing", "locked", "found"}, "x", install},
		{[]string{"found", "locked"}, "x", `NSSDB_PASSWORD_FILE=FILE go run ./examples/deliver -check -user 'o'\''brien@yourdomain.com'`},
		{[]string{"missing", "unreadable", "found"}, "x", "certutil -L -d 'sql:/home/a folder'"},
		{[]string{"found"}, "", install},
		{[]string{"found"}, "x", "go run ./examples/signins -tenant ID -manifest out/manifest.json"},
	} {
		c := checkup{Choices: []deploy.Choice{{File: test.policy}}}
		for _, state := range test.states {
			c.Databases = append(c.Databases, database{State: state, Folder: "/home/a folder"})
		}
		if _, got := o.afterCheck([]checkup{c}); got != test.want {
			t.Errorf("%v, %q: %s", test.states, test.policy, got)
		}
	}
}
