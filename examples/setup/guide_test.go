package main_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba/graph/graphtest"
	"example.com/entracba/examples/internal/programtest"
	"example.com/entracba/examples/internal/tenant/tenanttest"
)

// A command of the guide, with what is shown of its output.
type shown struct {
	command string
	output  []string
	status  int
}

var exitStatus = regexp.MustCompile(`^# exit status (\d)$`)

// guide reads the commands of docs/guide.md.
func guide(t *testing.T) []shown {
	t.Helper()
	text, err := os.ReadFile("../../docs/guide.md")
	if err != nil {
		t.Fatal(err)
	}
	var all []shown
	for _, block := range regexp.MustCompile("(?s)```console\n(.*?)```").FindAllSubmatch(text, -1) {
		for line := range strings.Lines(string(block[1])) {
			line = strings.TrimRight(line, "\n")
			if command, ok := strings.CutPrefix(line, "$ "); ok {
				all = append(all, shown{command: command})
				continue
			}
			last := &all[len(all)-1]
			if m := exitStatus.FindStringSubmatch(line); m != nil {
				last.status = int(m[1][0] - '0')
				continue
			}
			last.output = append(last.output, line)
		}
	}
	return all
}

// shows reports whether an output is what is shown of it: line by line, a line "..."
// stands for any number of lines and "..." in a line for any text.
func shows(want, got []string) bool {
	switch {
	case len(want) == 0:
		return len(got) == 0
	case want[0] == "...":
		for i := range len(got) + 1 {
			if shows(want[1:], got[i:]) {
				return true
			}
		}
		return false
	case len(got) == 0:
		return false
	}
	parts := strings.Split(want[0], "...")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	return regexp.MustCompile("^"+strings.Join(parts, ".*")+"$").MatchString(got[0]) && shows(want[1:], got[1:])
}

// The commands of the guide, in their order, do what the guide says.
func TestGuide(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it builds and runs all programs of the guide")
	}
	if runtime.GOOS == "windows" {
		t.Skip("the guide's commands are for a Unix shell")
	}
	now := time.Now()
	jane := graphtest.User{ID: "00000000-0000-4000-8000-000000000001", UserPrincipalName: "jane@contoso.com"}
	john := graphtest.User{ID: "00000000-0000-4000-8000-000000000002", UserPrincipalName: "john@contoso.com"}
	emergency := graphtest.User{ID: "00000000-0000-4000-8000-000000000003", UserPrincipalName: "emergency@contoso.com"}
	row := graphtest.SignIn{CreatedDateTime: now.Add(-time.Hour), CorrelationID: "1", UserID: jane.ID, UserPrincipalName: jane.UserPrincipalName, AppDisplayName: "My Account",
		Processing: []graphtest.KeyValue{{Key: "User certificate subject name", Value: "CN=jane@contoso.com"}, {Key: "User certificate authentication level", Value: "singleFactorAuthentication"}}}
	s := tenanttest.Serve(t, graphtest.Tenant{ID: "00000000-0000-4000-8000-0000000000f1", Users: []graphtest.User{jane, john, emergency}, SignIns: []graphtest.SignIn{row},
		Groups: []graphtest.Group{{ID: "00000000-0000-4000-8000-0000000000a1", DisplayName: "Certificate users", Members: []string{jane.ID, john.ID}}}}, graphtest.Options{})
	dir := t.TempDir()
	commands := guide(t)
	if len(commands) < 15 {
		t.Fatalf("%d commands in the guide", len(commands))
	}
	run := regexp.MustCompile(`go run ./examples/(\w+)`)
	for _, c := range commands {
		// As it stands, but for the tenant, and for what builds the program.
		line := run.ReplaceAllStringFunc(c.command, func(text string) string {
			name := filepath.Base(text)
			if name == "setup" {
				return program
			}
			return programtest.Other(t, name)
		})
		line = strings.ReplaceAll(line, "-tenant contoso.onmicrosoft.com", "-endpoint "+s.URL+"/v1.0")
		cmd := exec.Command("sh", "-c", line)
		cmd.Dir, cmd.Env = dir, tenanttest.Environ(s, graphtest.Token)
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		err := cmd.Run()
		got := strings.Split(strings.TrimRight(stdout.String(), "\n"), "\n")
		if stdout.Len() == 0 {
			got = nil
		}
		if code := cmd.ProcessState.ExitCode(); code != c.status || !shows(c.output, got) {
			t.Fatalf("$ %s\nexit status %d, want %d (%v)\n%s%s\nthe guide shows\n%s", c.command, code, c.status, err, stdout.String(), stderr.String(), strings.Join(c.output, "\n"))
		}
	}
}
