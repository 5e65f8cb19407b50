//go:build browsers && linux

package browser

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A firefox is a Firefox at a desk. It is driven by Marionette, which Firefox has built
// in: a JSON list behind its length, over TCP.
type firefox struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
	last int
}

// firefoxProfile is the profile folder, into whose database a delivery installs.
func (d *desk) firefoxProfile() string { return filepath.Join(d.home, "firefox") }

// firefoxPolicy is what an administrator sets: the lab's CA, which stands for a public
// one, and that Firefox presents a certificate without asking.
func (d *desk) firefoxPolicy() {
	d.t.Helper()
	policies := map[string]any{
		"Certificates": map[string]any{"Install": []string{d.ca}},
		"Preferences": map[string]any{
			"security.default_personal_cert": map[string]string{"Value": "Select Automatically", "Status": "locked"},
		},
		"DisableTelemetry": true, "DisableAppUpdate": true, "OverrideFirstRunPage": "", "NoDefaultBookmarks": true,
	}
	if d.primary != "" { // it would be asked for at the start, to write the CA
		delete(policies, "Certificates")
	}
	policy, err := json.Marshal(map[string]any{"policies": policies})
	if err == nil {
		err = os.WriteFile(filepath.Join(firefoxFolder, "policies.json"), policy, 0o644)
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) firefox() *firefox {
	d.t.Helper()
	if exists(filepath.Join(firefoxFolder, "policies.json")) { // that of a delivery
		d.trustServer(d.firefoxProfile())
	} else {
		d.firefoxPolicy()
	}
	args := []string{"--headless", "--marionette", "--no-remote", "--profile", d.firefoxProfile(), "--width", "1200", "--height", "900"}
	if d.primary != "" {
		args = append(args, "--remote-allow-system-access")
	}
	cmd := exec.Command("firefox-esr", args...)
	cmd.Env = append(os.Environ(), "HOME="+d.home, "MOZ_CRASHREPORTER_DISABLE=1")
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	f := &firefox{t: d.t}
	d.t.Cleanup(func() {
		if f.conn != nil {
			_, _ = f.call("Marionette:Quit", map[string]any{})
			f.conn.Close()
		}
		ended := time.AfterFunc(5*time.Second, func() { cmd.Process.Kill() })
		_ = cmd.Wait()
		ended.Stop()
	})
	for end := time.Now().Add(40 * time.Second); f.conn == nil; time.Sleep(100 * time.Millisecond) {
		var err error
		if f.conn, err = net.Dial("tcp", "127.0.0.1:2828"); err != nil && time.Now().After(end) {
			d.t.Fatalf("firefox does not answer: %v", err)
		}
	}
	f.in = bufio.NewReader(f.conn)
	if _, err := f.message(); err != nil { // its greeting
		d.t.Fatal(err)
	}
	if _, err := f.call("WebDriver:NewSession", map[string]any{}); err != nil {
		d.t.Fatal(err)
	}
	if d.primary != "" {
		f.unlock(d.primary)
	}
	return f
}

// unlock gives Firefox the primary password, which a person types when it asks.
func (f *firefox) unlock(password string) {
	f.t.Helper()
	for _, step := range []struct {
		command    string
		parameters map[string]any
		want       string
	}{
		{"Marionette:SetContext", map[string]any{"value": "chrome"}, ""},
		{"WebDriver:ExecuteScript", map[string]any{"args": []any{password}, "sandbox": nil, "script": `
			const token = Cc["@mozilla.org/security/internalkeytoken;1"].createInstance(Ci.nsIPKCS11Token || Ci.nsIPK11Token);
			if (!token.hasPassword) return "no primary password";
			if (token.isLoggedIn) return "open before the password";
			token.changePassword(arguments[0], arguments[0]); // which opens it
			return token.isLoggedIn ? "open" : "wrong password";`}, "open"},
		{"Marionette:SetContext", map[string]any{"value": "content"}, ""},
	} {
		answer, err := f.call(step.command, step.parameters)
		if got, _ := value[string](answer, err); err != nil || got != step.want {
			f.t.Fatalf("%s: %s, %v", step.command, answer, err)
		}
	}
}

func (f *firefox) message() ([]byte, error) {
	length, err := f.in.ReadString(':')
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(strings.TrimSuffix(length, ":"))
	if err != nil || n < 0 || n > 64<<20 {
		return nil, fmt.Errorf("marionette: length %q", length)
	}
	text := make([]byte, n)
	_, err = io.ReadFull(f.in, text)
	return text, err
}

// call asks for something and waits for the answer.
func (f *firefox) call(command string, parameters any) (json.RawMessage, error) {
	f.last++
	text, err := json.Marshal([]any{0, f.last, command, parameters})
	if err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintf(f.conn, "%d:%s", len(text), text); err != nil {
		return nil, err
	}
	answer, err := f.message()
	if err != nil {
		return nil, err
	}
	var parts []json.RawMessage
	if err := json.Unmarshal(answer, &parts); err != nil || len(parts) != 4 {
		return nil, fmt.Errorf("marionette: %s", answer)
	}
	if string(parts[2]) != "null" {
		return nil, fmt.Errorf("%s: %s", command, parts[2])
	}
	return parts[3], nil
}

// value is the value of an answer.
func value[T any](answer json.RawMessage, err error) (T, error) {
	var v struct{ Value T }
	if err == nil {
		err = json.Unmarshal(answer, &v)
	}
	return v.Value, err
}

func (f *firefox) script(code string, args ...any) (string, error) {
	if args == nil {
		args = []any{}
	}
	return value[string](f.call("WebDriver:ExecuteScript", map[string]any{"script": code, "args": args, "sandbox": nil}))
}

func (f *firefox) signIn(ctx context.Context, user, hints, tls string) (page string, png []byte, err error) {
	if deadline, ok := ctx.Deadline(); ok {
		if err := f.conn.SetDeadline(deadline); err != nil {
			return "", nil, err
		}
		defer f.conn.SetDeadline(time.Time{})
	}
	if _, err := f.call("WebDriver:Navigate", map[string]any{"url": loginPage}); err != nil {
		return "", nil, err
	}
	element, err := value[map[string]string](f.call("WebDriver:FindElement", map[string]any{"using": "css selector", "value": "#user"}))
	if err != nil {
		return "", nil, err
	}
	for _, id := range element {
		if _, err := f.call("WebDriver:ElementSendKeys", map[string]any{"id": id, "text": user}); err != nil {
			return "", nil, err
		}
	}
	if _, err := f.script(`document.querySelector("#hints").value = arguments[0]; document.querySelector("#tls").value = arguments[1]; document.querySelector("button").click(); return ""`, hints, tls); err != nil {
		return "", nil, err
	}
	for page == "" {
		if err := ctx.Err(); err != nil {
			return "", nil, err
		}
		time.Sleep(50 * time.Millisecond)
		// Between two pages there is no window to ask.
		page, err = f.script(`return document.querySelector(".verdict") ? document.body.innerText : document.documentURI.startsWith("about:") ? "ERROR " + document.body.innerText : ""`)
		if n := net.Error(nil); errors.As(err, &n) {
			return "", nil, err
		}
	}
	if strings.HasPrefix(page, "ERROR") {
		return "", nil, errors.New(page)
	}
	text, err := value[string](f.call("WebDriver:TakeScreenshot", map[string]any{"full": true}))
	if err == nil {
		png, err = base64.StdEncoding.DecodeString(text)
	}
	return page, png, err
}
