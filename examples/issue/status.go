package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"example.com/entracba/cba/folder"
	"example.com/entracba/examples/internal/console"
)

// status shows what is in a folder. It writes nothing.
func (o options) status() error {
	example := console.Command("issue", "-out", o.out, "jane@contoso.com")
	if _, err := os.Lstat(o.path("journal.jsonl")); err == nil {
		return console.Usage("a run in %s is at work, or was killed. If it was killed, run it again; to issue for more users: %s", o.out, example)
	}
	m, err := folder.Load(o.path(folder.ManifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return console.Usage("%s exists and has no %s, so nothing was issued. Name the users, as in: %s", o.out, folder.ManifestName, example)
	}
	if err != nil {
		return console.Usage("%w", err)
	}
	passwords, err := folder.LoadPasswords(o.path(folder.PasswordsName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return console.Usage("%w", err)
	}
	s := summary{Folder: o.out, CA: m.CA, Users: []outcome{}, Findings: []found{}, SetAside: []string{}, Counts: map[string]int{"issued": 0, "skipped": 0, "failed": 0}}
	var mend []string
	for _, u := range m.Users {
		one := outcome{Outcome: "skipped"}
		one.describe(u)
		err := u.Check(o.out)
		if err == nil && u.PFX != "" && passwords.Of(u.UPN) == "" {
			err = fmt.Errorf("%s has no password for %s", o.path(folder.PasswordsName), u.UPN)
		}
		if err != nil {
			one.Outcome, one.Error = "damaged", console.Text(err)
			mend = append(mend, u.UPN)
		} else {
			s.Counts["skipped"]++
		}
		s.Users = append(s.Users, one)
	}
	s.Counts["damaged"] = len(mend)
	if o.json {
		err = console.Result(console.Stdout, "issue", s)
	} else {
		err = nil
		o.printStatus(s, mend)
	}
	if err == nil && len(mend) > 0 {
		return console.ErrNo
	}
	return err
}

func (o options) printStatus(s summary, mend []string) {
	out, style := console.Stdout, console.StyleFor(os.Stdout)
	fmt.Fprintf(out, "%s exists, and no users are named: this is what it has. Nothing was written.\n\n", o.out)
	fmt.Fprintf(out, "%s  %s (from an earlier run), expires %s\n\n", style.Bold("CA"), console.Clean(s.CA.Subject), s.CA.NotAfter.Format("2006-01-02"))
	rows := [][]string{{"USER", "STATUS", "EXPIRES", "PFX FILE"}}
	for _, damaged := range []bool{true, false} { // those first who need something
		for _, u := range s.Users {
			if (u.Outcome == "damaged") != damaged || len(rows) > tableRows {
				continue
			}
			status := "already issued"
			if damaged {
				status = u.Error
			}
			rows = append(rows, []string{u.UPN, status, u.Certificate.NotAfter.Format("2006-01-02"), o.path(u.PFX)})
		}
	}
	if len(rows) > 1 {
		console.Table(out, style, rows...)
		if more := len(s.Users) - len(rows) + 1; more > 0 {
			fmt.Fprintf(out, "%s not shown; use -json to list all\n", console.Count(more, "more user"))
		}
		fmt.Fprintln(out)
	}
	fmt.Fprintf(out, "0 issued, %d skipped (already issued), 0 failed", s.Counts["skipped"])
	if len(mend) > 0 {
		fmt.Fprintf(out, ", %d with missing or damaged files\n", len(mend))
		console.Next(out, style, "Restore these files from a backup, or issue new certificates to these users.", o.mendCommand(mend[:min(len(mend), 20)]))
		return
	}
	fmt.Fprintln(out)
	o.steps(out, style)
}
