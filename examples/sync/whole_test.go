package main_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba/graph/graphtest"
	"example.com/entracba/examples/internal/programtest"
	"example.com/entracba/examples/internal/tenant/tenanttest"
)

// A failure of the whole is told once and ends the run, with 5,000 users as with one.
func TestFailureOfTheWhole(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("-short leaves out what takes long")
	}
	s := tenanttest.Serve(t, directory(), graphtest.Options{})
	folder := t.TempDir()
	octets, order := map[string]int{}, []string{}
	for i := range 5000 {
		upn := fmt.Sprintf("user%d@contoso.com", i)
		octets[upn], order = i%200, append(order, upn)
	}
	write(t, folder, octets, order...)
	once := func(what string, r programtest.Result, says string) {
		t.Helper()
		if r.Code != 2 || strings.Count(r.Stderr, "\n") > 2 || !strings.Contains(r.Stderr, says) || strings.Contains(r.Stdout, "user") {
			t.Errorf("%s: exit status %d\n%.2000s%.2000s", what, r.Code, r.Stdout, r.Stderr)
		}
	}
	for _, apply := range []bool{false, true} {
		args := []string{"-endpoint", s.URL + "/v1.0", "-manifest", "manifest.json"}
		if apply {
			args = append(args, "-apply")
		}
		started := time.Now()
		once("wrong token", tenanttest.RunToken(t, s, "wrong", program, folder, args...), "token")
		if took := time.Since(started); took > 20*time.Second {
			t.Errorf("it took %v", took)
		}
		s.Inject(t, graphtest.Fault{Kind: graphtest.Forbidden, Path: "/users/**", Times: -1})
		once("forbidden", tenanttest.Run(t, s, program, folder, args[2:]...), "User.Read.All")
		s.ClearFaults()
		args[1] = "https://127.0.0.1:1/v1.0"
		once("no connection", tenanttest.RunToken(t, nil, "x", program, folder, args...), "no answer from the service")
	}
	r := tenanttest.RunToken(t, s, "wrong", program, folder, "-endpoint", s.URL+"/v1.0", "-manifest", "manifest.json", "-json")
	var printed struct {
		Version int
		Users   []any
		Error   string
	}
	if err := json.Unmarshal([]byte(r.Stdout), &printed); err != nil || printed.Version != 1 || len(printed.Users) != 0 || !strings.Contains(printed.Error, "token") {
		t.Errorf("%v: %s", err, r.Stdout)
	}
	if len(undoFiles(t, folder)) != 0 {
		t.Error("an undo file of nothing")
	}
}

// A token that expires between the plan and the writes ends the run, too.
func TestTokenExpires(t *testing.T) {
	t.Parallel()
	s := tenanttest.Serve(t, directory(), graphtest.Options{})
	folder := t.TempDir()
	write(t, folder, people, "jane@contoso.com", "john@contoso.com", "alex@contoso.com")
	s.Inject(t, graphtest.Fault{Kind: graphtest.TokenExpired, Path: "/$batch", Skip: 1, Times: -1})
	r := tenanttest.Run(t, s, program, folder, "-manifest", "manifest.json", "-apply")
	if r.Code != 2 || strings.Count(r.Stderr, "\n") != 1 || !strings.Contains(r.Stderr, "run the same command again to continue") {
		t.Errorf("exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
}

// The demonstration leaves nothing behind, and a dry run says by its status whether
// changes are pending.
func TestDemonstrationLeavesNothing(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write(t, folder, map[string]int{"new@yourdomain.com": 9}, "new@yourdomain.com")
	for _, args := range [][]string{{"-apply"}, {"-manifest", "manifest.json", "-apply"}} {
		if r := sync(t, nil, folder, args...); r.Code != 0 || !strings.Contains(r.Stdout, "written") || strings.Contains(r.Stdout, "-undo") {
			t.Errorf("exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
		}
	}
	if files, _ := os.ReadDir(folder); len(files) != 1 {
		t.Errorf("left %v", files)
	}
	s := tenanttest.Serve(t, directory(), graphtest.Options{})
	write(t, folder, people, "jane@contoso.com")
	dry := sync(t, s, folder, "-manifest", "manifest.json", "-exit-code")
	if dry.Code != 4 {
		t.Errorf("exit status %d\n%s%s", dry.Code, dry.Stdout, dry.Stderr)
	}
	if r := sync(t, s, folder, "-manifest", "manifest.json"); r.Code != 0 || !strings.HasSuffix(r.Stdout, " -manifest manifest.json -apply\n") {
		t.Errorf("exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	if r := sync(t, s, folder, "-manifest", "manifest.json", "-apply"); r.Code != 0 {
		t.Errorf("exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	if r := sync(t, s, folder, "-manifest", "manifest.json", "-exit-code"); r.Code != 0 || !strings.Contains(r.Stdout, "Nothing to do") {
		t.Errorf("exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	for _, args := range [][]string{{"-rate", "3"}, {"-rate", "0", "-apply"}, {"-rate", "NaN", "-apply"}, {"-exit-code", "-apply"}} {
		if r := sync(t, nil, folder, args...); r.Code != 2 || r.Stdout != "" {
			t.Errorf("%q: exit status %d\n%s", args, r.Code, r.Stdout)
		}
	}
	if r := sync(t, nil, folder, "-tenant", filepath.Join(folder, "manifest.json"), "-manifest", "manifest.json"); r.Code != 2 || !strings.Contains(r.Stderr, "names a file") {
		t.Errorf("exit status %d\n%s", r.Code, r.Stderr)
	}
}

func TestScreens(t *testing.T) {
	for _, columns := range []int{0, 80, 120} {
		s := tenanttest.Serve(t, directory(), graphtest.Options{})
		folder := t.TempDir()
		write(t, folder, people, "jane@contoso.com", "john@contoso.com", "alex@contoso.com", "adele@contoso.com")
		t.Setenv("COLUMNS", fmt.Sprint(columns))
		mask := func(text string) string { return strings.ReplaceAll(text, s.URL, "https://graph.test") }
		programtest.Screen(t, "plan", columns, sync(t, s, folder, "-manifest", "manifest.json", "-mapping", "IssuerAndSerialNumber,SKI"), mask)
		t.Setenv("COLUMNS", "")
	}
	programtest.Full(t, program, t.TempDir(), nil)
	programtest.Full(t, program, t.TempDir(), nil, "-json")
}
