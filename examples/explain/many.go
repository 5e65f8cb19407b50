package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
	"example.com/entracba/examples/internal/console"
	"example.com/entracba/examples/internal/saved"
)

// A line is the answer for one of many users, in the form of -json. Without a certificate
// there is no answer.
type line struct {
	User string `json:"userPrincipalName"`
	*signin.Answer
}

// A tally counts many users.
type tally struct {
	SignedIn  int `json:"signedIn"`
	Refused   int `json:"refused"`
	Undecided int `json:"undecided"`
	Without   int `json:"withoutCertificate"`
}

// shownUsers is how many users the table shows.
const shownUsers = 20

// many says of each of many users whether the tenant lets them in.
func (o options) many(ctx context.Context, lists crl.Source) error {
	if !o.tenant.IsFile() {
		return console.Usage("-users requires -tenant FILE, not a tenant's ID")
	}
	config, tenant, err := saved.Tenant(o.tenant.ID, o.reading(lists))
	if err != nil {
		return err
	}
	o.crls.Unused(os.Stderr, config)
	bar := console.NewProgress(os.Stderr, "Asking", 0)
	defer bar.End()
	all, total := []line{}, 0
	var n tally
	var twice shared
	for c, err := range saved.Users(o.users, o.password) {
		if err != nil {
			return err
		}
		bar.Step(1)
		total++
		twice.add(*c.User)
		l := line{User: c.User.UserPrincipalName}
		for _, cert := range c.Certificates { // the best of several
			a, err := tenant.Decide(ctx, signin.Request{User: c.User, Certificate: cert, At: o.at, Require: o.require})
			if err != nil {
				return err
			}
			if l.Answer == nil || a.SignedIn || a.Outcome == signin.Undecided && !l.SignedIn {
				l.Answer = &a
			}
		}
		switch {
		case l.Answer == nil:
			n.Without++
		case l.SignedIn:
			n.SignedIn++
		case l.Outcome == signin.Undecided:
			n.Undecided++
		default:
			n.Refused++
		}
		all = append(all, l)
	}
	bar.End()
	twice.print(os.Stderr)
	if total == 0 {
		return console.Usage("%s contains no users", o.users)
	}
	if o.json {
		err = console.Result(console.Stdout, "explain", struct {
			At      time.Time          `json:"at"`
			Require signin.Requirement `json:"requirement"`
			Users   []line             `json:"users"`
			Counts  tally              `json:"counts"`
		}{o.at.UTC().Truncate(time.Second), o.require, all, n})
	} else {
		o.printMany(all, n)
	}
	switch {
	case err != nil:
		return err
	case n.Refused > 0:
		return console.ErrNo
	case n.Undecided > 0 || n.SignedIn == 0:
		return console.ErrNotKnown
	}
	return nil
}

func (o options) printMany(all []line, n tally) {
	style := console.StyleFor(os.Stdout)
	counts := fmt.Sprintf("%s: %d signed in, %d refused", console.Count(len(all), "user"), n.SignedIn, n.Refused)
	if n.Undecided > 0 {
		counts += fmt.Sprintf(", %d undecided", n.Undecided)
	}
	if n.Without > 0 {
		counts += fmt.Sprintf(", %d without a certificate", n.Without)
	}
	fmt.Fprintf(console.Stdout, "%s\nat %s; Conditional Access requirement: %s\n\n", counts, o.at.UTC().Format("2006-01-02 15:04 MST"), o.required())
	rows := [][]string{{"USER", "SIGN-IN", "MODE"}}
	for _, l := range all[:min(len(all), shownUsers)] {
		row := []string{l.User, "no certificate", ""}
		if l.Answer != nil {
			row[1], row[2] = strings.Replace(l.Outcome.String(), "signedIn", "signed in", 1), l.AuthenticationMode.String()
			if l.AuthenticationMode == policy.AuthenticationMode("") {
				row[2] = ""
			}
			if l.Code != "" {
				row[1] += ", " + l.Code
			}
		}
		rows = append(rows, row)
	}
	console.Table(console.Stdout, style, rows...)
	var codes []string
	for _, l := range all[:min(len(all), shownUsers)] {
		if l.Answer != nil {
			codes = append(codes, l.Code)
		}
	}
	if console.Codes(console.Stdout, codes...) && len(all) > shownUsers {
		fmt.Fprintln(console.Stdout)
	}
	if more := len(all) - shownUsers; more > 0 {
		fmt.Fprintf(console.Stdout, "%s not shown; use -json to list all\n%s\n", console.Count(more, "more user"), counts)
	}
	console.Next(console.Stdout, style, "See who would gain or lose access by a change: edit a copy of "+o.tenant.ID+" and name it with -then.",
		console.Command("explain", "-tenant", o.tenant.ID, "-users", o.users, "-then", "changed.json"))
}

// required is the requirement in words.
func (o options) required() string {
	if o.require.IsZero() {
		return "none"
	}
	return o.require.String()
}
