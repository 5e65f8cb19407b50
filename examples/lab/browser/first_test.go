//go:build browsers && linux

package browser

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestIssueToVerdict(t *testing.T) {
	folder := t.TempDir()
	run(t, folder, "issue", "-key", "p256")
	run(t, folder, "deliver", "-to", "linux", "-out", "linux", "-embed-password")
	d := newDesk(t, filepath.Join(folder, "out/tenant.json"), filepath.Join(folder, "out/users.jsonl"))
	jane := filepath.Join(folder, "linux/jane@yourdomain.com")
	d.install(jane, "")
	d.policy(jane)
	c := d.chromium()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	page, png, err := c.signIn(ctx, "jane@yourdomain.com", "on", "")
	if err != nil {
		t.Fatal(err, page)
	}
	t.Log(page[:300])
	picture(t, t.Name(), png)
	s := d.saw()
	if !s.Presented || !s.Verdict.SignedIn || !strings.Contains(page, "Signed in") {
		t.Errorf("%+v", s)
	}
}
