package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"example.com/entracba/cba/deploy"
	"example.com/entracba/examples/internal/console"
	"example.com/entracba/examples/internal/saved"
)

// A database is one of a browser, and whether the certificate is in it.
type database struct {
	Browser string `json:"browser"`
	Folder  string `json:"folder"`
	State   string `json:"state"` // found, missing, locked by a primary password, or unreadable
}

// A checkup is what this machine does with a user's certificate.
type checkup struct {
	UPN       string          `json:"userPrincipalName"`
	Databases []database      `json:"databases"`
	Choices   []deploy.Choice `json:"choices"`
}

// check looks at this machine, as the user who runs it, and writes nothing.
func (o options) check() error {
	if runtime.GOOS != "linux" {
		return console.Usage("-check works on Linux; on Windows run Import-Certificate.ps1 -Check, on macOS sh install.sh -check")
	}
	if os.Getenv("HOME") == "" {
		return console.Usage("HOME is not set, and the browsers' databases are below it. Run it as the user whose browsers are meant, or name the folder: HOME=/home/NAME %s", console.Command("deliver", o.args...))
	}
	parcels, err := o.load()
	if err != nil {
		return saved.Advise(o.manifest, err)
	}
	all := []checkup{}
	missing := false
	for _, p := range parcels {
		c := checkup{UPN: p.UPN}
		if c.Databases, err = databases(p.Package); err != nil {
			return fmt.Errorf("%s: %w", p.UPN, err)
		}
		if c.Choices, err = deploy.Choices(os.DirFS("/"), p.Certificate, max(o.Cloud, deploy.Public)); err != nil {
			return err
		}
		for _, d := range c.Databases {
			missing = missing || d.State != "found"
		}
		all = append(all, c)
	}
	if o.json {
		err = console.Result(console.Stdout, "deliver", map[string]any{"users": all})
	} else {
		style := console.StyleFor(os.Stdout)
		reportCheck(console.Stdout, style, all)
		why, command := o.afterCheck(all)
		console.Next(console.Stdout, style, why, command)
	}
	if err == nil && missing {
		err = console.ErrNo
	}
	return err
}

// afterCheck says what comes next.
func (o options) afterCheck(all []checkup) (why, command string) {
	states, asks, unreadable := map[string]bool{}, false, ""
	for _, c := range all {
		for _, d := range c.Databases {
			states[d.State] = true
			if d.State == "unreadable" {
				unreadable = d.Folder
			}
		}
		for _, choice := range c.Choices {
			asks = asks || choice.File == ""
		}
	}
	install := []string{"-manifest", o.manifest, "-to", "linux", "-out", "linux"}
	for _, upn := range o.users {
		install = append(install, "-user", upn)
	}
	switch {
	case unreadable != "":
		return "A database cannot be read, so nothing can be installed there. See what NSS says of it; a browser makes a new one if it is moved away.", console.Line("certutil", "-L", "-d", "sql:"+unreadable)
	case states["missing"]:
		return "Make the files that install the certificate. Then, in the user's folder, run install.sh as the user, and sudo sh install-policy.sh.", console.Command("deliver", install...)
	case states["locked"]:
		return "A database has a primary password, so its keys cannot be seen. Write the password into a file, and look again.", "NSSDB_PASSWORD_FILE=FILE " + console.Command("deliver", o.args...)
	case asks:
		return "The certificate is there, and the browser will ask which one to use. Make the files, and run sudo sh install-policy.sh in the user's folder, so that it does not ask.", console.Command("deliver", install...)
	}
	return "All is there. When the user has signed in, see how it went.", console.Command("signins", "-tenant", "ID", "-manifest", o.manifest)
}

// databases runs the user's own script with -check, which is the one way to find the
// databases, here as on the machine.
func databases(p deploy.Package) ([]database, error) {
	script, err := p.NSSScript(deploy.Options{})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, "sh", "-s", "--", "-check")
	command.Stdin = bytes.NewReader(script)
	command.WaitDelay = time.Second // what the script runs may hold its output longer than the script lives
	out, err := command.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && len(out) == 0 {
		return nil, errors.New(strings.TrimSpace(string(exit.Stderr)))
	} else if err != nil && exit == nil {
		return nil, err
	}
	all := []database{}
	for line := range strings.Lines(string(out)) {
		if part := strings.SplitN(strings.TrimSuffix(line, "\n"), "\t", 3); len(part) == 3 {
			all = append(all, database{State: part[0], Browser: part[1], Folder: part[2]})
		}
	}
	return all, nil
}

func reportCheck(w io.Writer, style console.Style, all []checkup) {
	rows := [][]string{{"USER", "BROWSER", "CERTIFICATE", "DATABASE"}}
	for _, c := range all {
		for _, d := range c.Databases {
			rows = append(rows, []string{c.UPN, d.Browser, d.State, d.Folder})
		}
	}
	console.Table(w, style, rows...)
	fmt.Fprintln(w)
	rows = [][]string{{"USER", "BROWSER", "AT ENTRA", "POLICY"}}
	for _, c := range all {
		for _, choice := range c.Choices {
			does, file := "selects", "/"+choice.File
			if choice.File == "" {
				does, file = "asks", "none in /"+choice.Folder
			}
			rows = append(rows, []string{c.UPN, choice.Browser, does, file})
		}
	}
	if len(rows) == 1 {
		fmt.Fprintln(w, "No browser was found on this machine, so nothing selects a certificate.")
		return
	}
	console.Table(w, style, rows...)
}
