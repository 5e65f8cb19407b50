//go:build browsers && linux

package browser

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// loginPage is where a person begins.
const loginPage = "https://login.microsoftonline.com/"

// A chromium is a Chromium at a desk.
type chromium struct {
	t   *testing.T
	ctx context.Context
}

// chromium opens a Chromium, which trusts the lab's server and has what is installed in
// the home folder.
func (d *desk) chromium() *chromium {
	d.t.Helper()
	database := filepath.Join(d.home, ".pki/nssdb")
	if newer := filepath.Join(d.home, ".local/share/pki/nssdb"); !exists(database) && exists(newer) {
		database = newer // Chromium since 146; the old one would hide it
	}
	d.trustServer(database)
	allocator, stop := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath("/usr/bin/chromium"), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.UserDataDir(filepath.Join(d.t.TempDir(), "profile")), chromedp.WindowSize(1200, 900), chromedp.Env("HOME="+d.home))
	d.t.Cleanup(stop)
	ctx, end := chromedp.NewContext(allocator)
	d.t.Cleanup(end)
	if err := chromedp.Do(ctx); err != nil {
		d.t.Fatalf("chromium: %v", err)
	}
	return &chromium{d.t, ctx}
}

// trustServer adds the lab's CA to an NSS database as one of servers. Entra's servers
// need no such step.
func (d *desk) trustServer(database string) {
	d.t.Helper()
	script := exec.Command("sh", "-c", `mkdir -p "$1" && { [ -e "$1/cert9.db" ] || certutil -N -d "sql:$1" --empty-password; } && certutil -A -d "sql:$1" -n lab -t C,, -i "$2"`, "-", database, d.ca)
	if out, err := script.CombinedOutput(); err != nil {
		d.t.Fatalf("certutil: %v: %s", err, out)
	}
}

func (c *chromium) signIn(ctx context.Context, user, hints, tls string) (page string, png []byte, err error) {
	tab, end := chromedp.NewContext(c.ctx)
	defer end()
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		tab, cancel = context.WithDeadline(tab, deadline)
		defer cancel()
	}
	// What is typed and clicked is what a person types and clicks.
	if err := chromedp.Do(tab,
		chromedp.Navigate(loginPage),
		chromedp.SendKeys(chromedp.CSS("#user"), user),
		chromedp.SetValue(chromedp.CSS("#hints"), hints),
		chromedp.SetValue(chromedp.CSS("#tls"), tls),
		chromedp.Click(chromedp.CSS("button")),
		chromedp.WaitVisible(chromedp.CSS(".verdict"))); err != nil {
		return "", nil, err
	}
	if page, err = chromedp.Run(tab, chromedp.Text(chromedp.CSS("body"))); err != nil {
		return "", nil, err
	}
	png, err = chromedp.Run(tab, chromedp.FullScreenshot(100))
	return strings.TrimSpace(page), png, err
}
