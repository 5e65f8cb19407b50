//go:build browsers && linux

package browser

import (
	"context"
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// try signs in, within a time that is long enough on a busy machine.
func try(t *testing.T, c client, user, hints, tls string) (page string, png []byte, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	return c.signIn(ctx, user, hints, tls)
}

// TestIssueToVerdict goes the whole way: issue makes a certificate, deliver the files
// for a Linux machine, the person runs the script and the administrator sets the policy,
// both as they are, and the browser's screen shows the verdict.
func TestIssueToVerdict(t *testing.T) {
	const user = "jane@yourdomain.com"
	folder := t.TempDir()
	run(t, folder, "issue", "-key", "p256")
	run(t, folder, "deliver", "-to", "linux", "-out", "linux", "-embed-password")
	janes := filepath.Join(folder, "linux", user)
	d := newDesk(t, filepath.Join(folder, "out/tenant.json"), filepath.Join(folder, "out/users.jsonl"))
	for name, open := range map[string]func() client{
		"chromium": func() client {
			d.install(janes, "")
			d.policy(janes)
			return d.chromium()
		},
		"firefox": func() client {
			d.install(janes, d.firefoxProfile())
			d.policy(janes)
			return d.firefox()
		},
		"curl": func() client {
			return curl{t, d.ca, filepath.Join(folder, "out/users", user+".pfx"), password(t, filepath.Join(folder, "out/passwords.csv"), user)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := open()
			for _, test := range []struct{ hints, tls, want string }{
				{"", "", "TLS 1.3"}, {"on", "", "TLS 1.3"}, {"", "1.2", "TLS 1.2"}, {"on", "1.2", "TLS 1.2"},
			} {
				page, png, err := try(t, c, user, test.hints, test.tls)
				if err != nil {
					t.Errorf("%+v: %v", test, err)
					continue
				}
				if png != nil {
					picture(t, name+"-signed-in", png)
				}
				for _, want := range []string{"Signed in", "single-factor", user, test.want, "CN=Entra CBA Root CA"} {
					if !strings.Contains(page, want) {
						t.Errorf("%+v: the page lacks %q: %s", test, want, page)
					}
				}
				s := d.saw()
				if s.User != user || s.TLS != test.want || (len(s.Hints) == 1) != (test.hints == "on") || !s.Presented || !s.Verdict.SignedIn {
					t.Errorf("%+v: the lab saw %+v", test, s)
				}
			}
		})
	}
}

func password(t *testing.T, file, user string) string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, row := range must(csv.NewReader(f).ReadAll()) {
		if row[0] == user {
			return row[1]
		}
	}
	t.Fatalf("%s has no password of %s", file, user)
	return ""
}
