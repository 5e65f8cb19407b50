package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba/signin"
	"example.com/entracba/examples/internal/programtest"
)

var program string

func TestMain(m *testing.M) { programtest.Main(m, func(p string) { program = p }) }

func TestDemonstration(t *testing.T) {
	folder := t.TempDir()
	r := programtest.Run(t, program, folder, nil, "-once", "-listen", "127.0.0.1:0")
	if r.Code != 0 || r.Stderr != "" {
		t.Fatalf("status %d: %s", r.Code, r.Stderr)
	}
	var results []string
	for line := range strings.Lines(r.Stdout) {
		if strings.HasPrefix(line, "jane@") {
			results = append(results, strings.TrimSpace(line[strings.LastIndex(line, "  "):]))
		}
	}
	want := "signed in, single-factor|signed in, single-factor|refused, AADSTS1001009|refused, AADSTS500172|refused, AADSTS50192"
	if got := strings.Join(results, "|"); got != want {
		t.Errorf("got  %s\nwant %s\n%s", got, want, r.Stdout)
	}
	if left, _ := os.ReadDir(folder); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestCommandLine(t *testing.T) {
	folder := t.TempDir()
	for want, args := range map[string][]string{
		"-tenant and -users must be used together": {"-tenant", "tenant.json"},
		"unexpected argument":                      {"x"},
		"loopback":                                 {"-once", "-listen", "0.0.0.0:0"},
		"no such file":                             {"-tenant", "nosuch.json", "-users", "nosuch.jsonl"},
		"must be mfa":                              {"-require", "nosuch.json"},
	} {
		if r := programtest.Run(t, program, folder, nil, args...); r.Code != 2 || !strings.Contains(r.Stderr, want) {
			t.Errorf("%q: status %d, %s", args, r.Code, r.Stderr)
		}
	}
}

// TestScreens holds what the demonstration prints.
func TestScreens(t *testing.T) {
	for _, columns := range []int{0, 80, 120} {
		env := append(os.Environ(), fmt.Sprint("COLUMNS=", columns))
		programtest.Screen(t, "demonstration", columns, programtest.Run(t, program, t.TempDir(), env, "-once", "-listen", "127.0.0.1:0"), nil)
	}
}

// TestOnce serves a tenant from files until somebody has signed in.
func TestOnce(t *testing.T) {
	folder := t.TempDir()
	d, err := newDemonstration(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tenant, err := json.Marshal(d.config)
	if err != nil {
		t.Fatal(err)
	}
	var users strings.Builder
	for _, u := range d.users {
		line, _ := json.Marshal(map[string]any{"userPrincipalName": u.User.UserPrincipalName, "accountEnabled": true, "authorizationInfo": map[string]any{"certificateUserIds": []string{}}, "certificates": [][]byte{u.Certificates[0].Raw}})
		users.Write(append(line, '\n'))
	}
	for name, content := range map[string]string{"tenant.json": string(tenant), "users.jsonl": users.String()} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for presented, want := range map[*tls.Certificate]int{d.tries[0].present: 0, d.tries[2].present: 1} {
		// A port that was free a moment ago.
		free, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := free.Addr().String()
		free.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		programtest.LookAtSources()
		cmd := exec.CommandContext(ctx, program, "-tenant", "tenant.json", "-users", "users.jsonl", "-once", "-json", "-listen", address, "-ca", "ca.pem")
		cmd.Dir, cmd.Stderr = folder, os.Stderr
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		var ca []byte
		for ca == nil && ctx.Err() == nil {
			time.Sleep(10 * time.Millisecond)
			ca, _ = os.ReadFile(filepath.Join(folder, "ca.pem"))
		}
		os.Remove(filepath.Join(folder, "ca.pem"))
		trusted := x509.NewCertPool()
		trusted.AppendCertsFromPEM(ca)
		client := &http.Client{Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: trusted, Certificates: []tls.Certificate{*presented}},
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, address)
			},
		}}
		_, port, _ := net.SplitHostPort(address)
		answer, err := client.Get("https://certauth.login.localhost:" + port + "/?user=jane@contoso.com")
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		var seen struct {
			User      string         `json:"userPrincipalName"`
			TLS       string         `json:"tls"`
			Presented bool           `json:"presented"`
			Verdict   signin.Verdict `json:"verdict"`
		}
		if err := json.NewDecoder(bufio.NewReader(out)).Decode(&seen); err != nil || seen.User != "jane@contoso.com" || !seen.Presented || seen.TLS != "TLS 1.3" || seen.Verdict.SignedIn != (want == 0) {
			t.Errorf("%+v, %v", seen, err)
		}
		cmd.Wait()
		if got := cmd.ProcessState.ExitCode(); got != want {
			t.Errorf("status %d, want %d", got, want)
		}
	}
}
