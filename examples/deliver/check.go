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
	State   string `json:"state"` // found, missing, or locked by a primary password
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
		reportCheck(console.Stdout, console.StyleFor(os.Stdout), all)
	}
	if err == nil && missing {
		err = console.ErrNo
	}
	return err
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
