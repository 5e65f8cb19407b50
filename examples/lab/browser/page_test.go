//go:build browsers && linux

package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"example.com/entracba/examples/internal/offline"
)

// thePage writes the page of examples/page and opens it from the disk.
func thePage(t *testing.T) context.Context {
	t.Helper()
	file := filepath.Join(t.TempDir(), "page.html")
	if out, err := exec.Command(filepath.Join(programs, "page"), "-out", file).CombinedOutput(); err != nil {
		t.Fatalf("page: %v: %s", err, out)
	}
	info, err := os.Stat(file)
	if err != nil || info.Size() > 5_000_000 {
		t.Errorf("the page has %d bytes: %v", info.Size(), err)
	}
	ctx := openFile(t, file)
	if err := chromedp.Do(ctx, chromedp.Poll[chromedp.Void](`window.readyAfter > 0`)); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// openFile opens a page from the disk in a Chromium of its own.
func openFile(t *testing.T, file string) context.Context {
	t.Helper()
	allocator, stop := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath("/usr/bin/chromium"), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.UserDataDir(filepath.Join(t.TempDir(), "profile")), chromedp.WindowSize(1200, 900), chromedp.Env("HOME="+t.TempDir()))
	t.Cleanup(stop)
	ctx, end := chromedp.NewContext(allocator)
	t.Cleanup(end)
	if err := chromedp.Do(ctx, chromedp.Navigate("file://"+file)); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// script runs JavaScript in the page and returns its value, waiting for a promise.
func script[T any](t *testing.T, ctx context.Context, text string) T {
	t.Helper()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](text, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%v in: %.200s", err, text)
	}
	return value
}

// asked is what the page's program takes, files in base64.
type asked struct {
	Certificate []byte   `json:"certificate"`
	Password    string   `json:"password"`
	Tenant      []byte   `json:"tenant"`
	Then        []byte   `json:"then"`
	User        []byte   `json:"user"`
	Strength    []byte   `json:"strength"`
	CRLs        [][]byte `json:"crls"`
	Require     string   `json:"require"`
	At          string   `json:"at"`
}

func (a asked) request(t *testing.T) offline.Request {
	t.Helper()
	at, err := time.Parse(time.RFC3339, a.At)
	if err != nil {
		t.Fatal(err)
	}
	return offline.Request{Certificate: a.Certificate, Password: a.Password, Tenant: a.Tenant, Then: a.Then, User: a.User, Strength: a.Strength,
		CRLs: a.CRLs, Require: a.Require, At: at}
}

// unpack turns the base64 of an asked into bytes, in the page.
const unpack = `((o) => { const octets = s => s ? Uint8Array.from(atob(s), c => c.charCodeAt(0)) : undefined;
	for (const n of ["certificate", "tenant", "then", "user", "strength"]) o[n] = octets(o[n]);
	o.crls = (o.crls || []).map(octets); return o; })`

// signInCases are the cases of package signin, as files on a desk.
func signInCases(t *testing.T) map[string]asked {
	t.Helper()
	data := filepath.Join("..", "..", "..", "cba", "signin", "testdata")
	names, err := filepath.Glob(filepath.Join(data, "cases", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]asked{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var c struct {
			Tenant, User, Require json.RawMessage
			Certificate           string
			Lists                 map[string]string
			At                    string
		}
		if err := json.Unmarshal(text, &c); err != nil {
			t.Fatal(err)
		}
		a := asked{Tenant: c.Tenant, User: c.User, At: c.At}
		if a.Certificate, err = os.ReadFile(filepath.Join(data, "pki", c.Certificate)); err != nil {
			t.Fatal(err)
		}
		for _, list := range c.Lists {
			if content, err := os.ReadFile(filepath.Join(data, "pki", list)); err == nil {
				a.CRLs = append(a.CRLs, content)
			}
		}
		switch text := string(c.Require); {
		case strings.HasPrefix(text, "{"):
			a.Strength = c.Require
		case text != "null":
			a.Require = strings.Trim(text, `"`)
		}
		cases[strings.TrimSuffix(filepath.Base(name), ".json")] = a
	}
	if len(cases) < 200 {
		t.Fatalf("only %d cases", len(cases))
	}
	return cases
}

// The page says about every case of package signin what the same code says outside of
// a browser, byte for byte, and fast.
func TestPageAnswers(t *testing.T) {
	ctx := thePage(t)
	verdicts := 0
	for name, a := range signInCases(t) {
		want := offline.Ask(context.Background(), a.request(t))
		wanted, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		question, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		got := script[string](t, ctx, "window.ask("+unpack+"("+string(question)+"))")
		if got != string(wanted) {
			t.Errorf("%s: the browser says\n%s\nand the program\n%s", name, got, wanted)
		}
		if want.Verdict != nil {
			verdicts++
		}
	}
	if verdicts < 200 {
		t.Errorf("only %d verdicts were compared", verdicts)
	}
}

// What a person does: choosing files, reading the answer. No policy of the page is
// broken on the way.
func TestPageIsUsed(t *testing.T) {
	ctx := thePage(t)
	const user = "jane@yourdomain.com"
	folder := t.TempDir()
	run(t, folder, "issue", "-key", "p256")
	script[int](t, ctx, `window.broken = []; document.addEventListener("securitypolicyviolation", e => window.broken.push(e.violatedDirective + " " + e.blockedURI)); 0`)
	users, err := os.ReadFile(filepath.Join(folder, "out/users.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	person := filepath.Join(folder, "user.json")
	for line := range strings.Lines(string(users)) {
		if strings.Contains(line, user) {
			if err := os.WriteFile(person, []byte(line), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for field, file := range map[string]string{"#certificate": filepath.Join(folder, "out/users", user+".pfx"),
		"#tenant": filepath.Join(folder, "out/tenant.json"), "#then": filepath.Join(folder, "out/tenant.json"), "#user": person} {
		if err := chromedp.Do(ctx, chromedp.SetUploadFiles(chromedp.CSS(field), []string{file})); err != nil {
			t.Fatal(err)
		}
	}
	wait := func(says string) {
		t.Helper()
		limited, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		if err := chromedp.Do(limited, chromedp.Poll[chromedp.Void](fmt.Sprintf("document.body.innerText.includes(%q)", says))); err != nil {
			t.Fatalf("%q does not appear (%v):\n%s", says, err, script[string](t, ctx, "document.body.innerText"))
		}
	}
	wait("certificate: ") // the password of the PFX is missing
	secret := password(t, filepath.Join(folder, "out/passwords.csv"), user)
	script[int](t, ctx, fmt.Sprintf(`document.getElementById("password").value = %q; document.getElementById("password").dispatchEvent(new Event("change")); 0`, secret))
	wait("X509:<SHA1-PUKEY>")
	wait("Signed in")
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	picture(t, "page", png)
	if broken := script[[]string](t, ctx, "window.broken"); len(broken) > 0 {
		t.Errorf("the page breaks its own policy: %q", broken)
	}
	if text := script[string](t, ctx, "document.body.innerText + window.last"); strings.Contains(text, secret) {
		t.Error("the page shows the password")
	}
}

// Nothing gets out: each way that a script has of reaching an address is refused by
// the page's policy, and a server that would hear of it hears nothing.
func TestPageSendsNothing(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var heard atomic.Int32
	server := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { heard.Add(1) })}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	address := "http://" + listener.Addr().String() + "/"
	ctx := thePage(t)
	out := script[[]string](t, ctx, `(async () => {
		const broken = [], to = `+fmt.Sprintf("%q", address)+`;
		document.addEventListener("securitypolicyviolation", e => broken.push(e.effectiveDirective));
		const tried = async f => { try { await f(); } catch (e) {} };
		await tried(() => fetch(to + "fetch"));
		await tried(() => new Promise(r => { const i = new Image(); i.onload = i.onerror = r; i.src = to + "image"; }));
		await tried(() => navigator.sendBeacon(to + "beacon", "x"));
		await tried(() => new Promise(r => { const x = new XMLHttpRequest(); x.onloadend = r; x.open("GET", to + "xhr"); x.send(); }));
		await tried(() => { new WebSocket(to.replace("http", "ws") + "socket"); });
		await tried(() => { new EventSource(to + "events"); });
		await tried(() => { const f = document.createElement("form"); f.action = to + "form"; f.method = "post"; document.body.append(f); f.submit(); });
		await tried(() => { const f = document.createElement("iframe"); f.src = to + "frame"; document.body.append(f); });
		await tried(() => { const s = document.createElement("script"); s.src = to + "script"; document.body.append(s); });
		await tried(() => { const s = document.createElement("script"); s.textContent = "window.foreign = 1"; document.body.append(s); });
		await tried(() => { const l = document.createElement("link"); l.rel = "stylesheet"; l.href = to + "style"; document.head.append(l); });
		await new Promise(r => setTimeout(r, 500));
		if (window.foreign) broken.push("a foreign script ran");
		return broken;
	})()`)
	for _, directive := range []string{"connect-src", "img-src", "form-action", "frame-src", "script-src-elem", "style-src-elem"} {
		if !strings.Contains(strings.Join(out, " "), directive) {
			t.Errorf("nothing broke %s: %q", directive, out)
		}
	}
	if n := heard.Load(); n != 0 || strings.Contains(strings.Join(out, " "), "foreign script") {
		t.Errorf("%d requests got out; %q", n, out)
	}
}

// TestPageSpeed prints how soon the page is ready and answers; it holds nothing to a
// time.
func TestPageSpeed(t *testing.T) {
	ctx := thePage(t)
	ready := script[float64](t, ctx, "window.readyAfter")
	question, err := json.Marshal(signInCases(t)["crl-expired"])
	if err != nil {
		t.Fatal(err)
	}
	took := script[[]float64](t, ctx, `((o) => { const took = []; for (let i = 0; i < 20; i++) { const began = performance.now(); window.ask(o); took.push(performance.now() - began); } return took; })(`+unpack+"("+string(question)+"))")
	t.Logf("ready after %.0f ms; the first answer took %.1f ms, the twentieth %.1f ms", ready, took[0], took[len(took)-1])
}
