package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/folder"
	pages "example.com/entracba/cba/report"
	"example.com/entracba/cba/signin"
	"example.com/entracba/cba/snapshot"
	"example.com/entracba/examples/internal/console"
	"example.com/entracba/examples/internal/saved"
)

// A difference is what -json prints of a user to whom the change matters.
type difference struct {
	User       string            `json:"userPrincipalName"`
	Difference signin.Difference `json:"difference"`
	Before     signin.Answer     `json:"before"`
	After      signin.Answer     `json:"after"`
}

// A comparison is what -json prints.
type comparison struct {
	At      time.Time          `json:"at"`
	Require signin.Requirement `json:"requirement"`
	Users   []difference       `json:"users"` // those to whom the change matters
	Counts  map[string]int     `json:"counts"`
}

func (o options) comparison(total, without int, counts map[signin.Difference]int, differences []difference) comparison {
	c := comparison{o.at.UTC().Truncate(time.Second), o.require, differences, map[string]int{"total": total, "withoutCertificate": without, "notKnown": counts[signin.NotKnown]}}
	for _, d := range []signin.Difference{signin.Same, signin.Gains, signin.Loses, signin.Stronger, signin.Weaker} {
		c.Counts[d.String()] = counts[d]
	}
	return c
}

// list is the name of the CSV beside the page of a comparison, which has everybody to
// whom the change matters.
func (o options) list() string {
	if o.html == "" || o.then == "" {
		return ""
	}
	return strings.TrimSuffix(o.html, filepath.Ext(o.html)) + ".csv"
}

// compare prints who gains or loses access.
func (o options) compare(ctx context.Context, lists crl.Source) error {
	if !o.tenant.IsFile() {
		return console.Usage("-users requires -tenant FILE, not a tenant's ID: audit -tenant ID -snapshot FILE writes one")
	}
	was, before, err := saved.Tenant(o.tenant.ID, o.reading(lists))
	if err != nil {
		return err
	}
	becomes, after, err := saved.Tenant(o.then, o.reading(lists))
	if err != nil {
		return saved.Changed(o.then, o.tenant.ID, err)
	}
	o.crls.Unused(os.Stderr, was, becomes)
	bar := console.NewProgress(os.Stderr, "Comparing", 0)
	defer bar.End()
	counts := map[signin.Difference]int{}
	differences := []difference{}
	total, without, inScope, perhaps := 0, 0, 0, 0
	affected := &pages.AffectedPart{}
	var twice shared
	// Garbage may take what room there is below 40 MB. What is held of a list grows by 12
	// bytes a user at most, see [signin.SharedIDs], and with those to whom the change
	// matters, for whom there is more than enough.
	const room = 24 << 20
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(room))
	for change, err := range signin.Compare(ctx, before, after, saved.Cases(o.users, o.password), signin.CompareOptions{At: o.at, Require: o.require}) {
		if err != nil {
			return err
		}
		bar.Step(1)
		if total++; total%(1<<16) == 0 {
			debug.SetMemoryLimit(max(room, room/2+12*int64(total)+2048*int64(len(differences))))
		}
		affected.Add(change)
		twice.add(*change.Case.User)
		if len(change.Case.Certificates) == 0 {
			without++
			switch change.Difference {
			case signin.WithoutCertificate:
				inScope++
			case signin.NotKnown:
				perhaps++
			}
			continue
		}
		counts[change.Difference]++
		if change.Difference != signin.Same {
			differences = append(differences, difference{change.Case.User.UserPrincipalName, change.Difference, change.Before, change.After})
		}
	}
	bar.End()
	twice.print(os.Stderr)
	if total == 0 {
		return console.Usage("%s contains no users", o.users)
	}
	page := pages.Report{Title: "A change of certificate sign-ins", Subject: o.tenant.ID + " is replaced by " + o.then, Made: time.Now(), Version: "explain", Affected: affected}
	if page.Plan, err = planOf(was, becomes); err == nil {
		err = o.page(page)
	}
	if err != nil {
		return err
	}
	if o.html != "" { // the page has samples
		err := folder.Stream(o.list(), folder.Secret, func(w io.Writer) error {
			return pages.WritePeople(w, func(yield func(signin.Difference, pages.Person) bool) {
				for _, d := range differences {
					if !yield(d.Difference, pages.Person{User: d.User, Before: d.Before, After: d.After}) {
						return
					}
				}
			})
		})
		if err != nil {
			return err
		}
	}
	if o.json {
		if err := console.Result(console.Stdout, "explain", o.comparison(total, without, counts, differences)); err != nil {
			return err
		}
	} else {
		style, words := console.StyleFor(os.Stdout), summary(total, without, inScope, perhaps, counts)
		if len(differences) > shownUsers {
			fmt.Fprintf(console.Stdout, "%s\n\n", words) // the table may be long
		}
		printDifferences(console.Stdout, style, differences)
		fmt.Fprintln(console.Stdout, words)
		if inScope > 0 && without < total {
			fmt.Fprintf(console.Stdout, "\nIn scope, without a certificate: %s\n", after.WithoutCertificate())
		}
		console.Written(console.Stdout, o.html, o.list())
		why, command := o.afterComparison(counts[signin.Loses] > 0)
		console.Next(console.Stdout, style, why, command)
	}
	switch {
	case counts[signin.Loses] > 0:
		return console.ErrNo
	case counts[signin.NotKnown] > 0 || without == total:
		return console.ErrNotKnown
	}
	return nil
}

// planOf is what a change writes. What the changed tenant does not say, such as its
// domains, is not removed by it.
func planOf(before, after signin.Config) (*pages.PlanPart, error) {
	was, becomes := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	for config, into := range map[*signin.Config]*map[string]json.RawMessage{&before: &was, &after: &becomes} {
		content, err := json.Marshal(config)
		if err == nil {
			err = json.Unmarshal(content, into)
		}
		if err != nil {
			return nil, err
		}
	}
	maps.DeleteFunc(was, func(name string, _ json.RawMessage) bool { return becomes[name] == nil })
	one, err := json.Marshal(was)
	if err != nil {
		return nil, err
	}
	other, err := json.Marshal(becomes)
	if err != nil {
		return nil, err
	}
	differences, err := snapshot.Compare(one, other)
	return pages.Plan("Settings for certificate sign-ins", differences), err
}

// afterComparison says what comes after it: first the page, for those who decide, then
// the tenant as it would be.
func (o options) afterComparison(loses bool) (why, command string) {
	switch {
	case o.html == "" && loses:
		return "Change " + o.then + " and compare again, until nobody loses access. For those who decide, as one page:", console.Command("explain", append(slices.Clone(o.args), "-html", "affected.html")...)
	case o.html == "":
		return "Pass this on as one page.", console.Command("explain", append(slices.Clone(o.args), "-html", "affected.html")...)
	case loses:
		return "Change " + o.then + " and compare again, until nobody loses access.", console.Command("explain", o.args...)
	}
	return "Before you change the tenant, look at what is wrong with it as it would be.", console.Command("audit", "-tenant", o.then, "-users", o.users)
}

// summary says what becomes of the users. Those about whom nothing is known are not
// among those who keep their access.
func summary(total, without, inScope, perhaps int, counts map[signin.Difference]int) string {
	if without == total {
		return fmt.Sprintf("%s, all without a certificate: nothing is known about them", console.Count(total, "user"))
	}
	text := fmt.Sprintf("%s: %d lose access, %d gain access, %d weaker, %d stronger, %d unchanged", console.Count(total, "user"),
		counts[signin.Loses], counts[signin.Gains], counts[signin.Weaker], counts[signin.Stronger], counts[signin.Same])
	if unknown := counts[signin.NotKnown]; unknown > 0 {
		text = strings.Replace(text, ": 0 lose access,", ": none is known to lose access,", 1) + fmt.Sprintf(", %d not known", unknown)
	}
	if without > 0 {
		text += fmt.Sprintf(", %d without a certificate", without)
		if perhaps > 0 {
			text += fmt.Sprintf(" (%d in scope, of %d it is not known)", inScope, perhaps)
		} else if inScope > 0 {
			text += fmt.Sprintf(" (%d in scope)", inScope)
		}
	}
	return text
}

func printDifferences(w io.Writer, style console.Style, differences []difference) {
	if len(differences) == 0 {
		return
	}
	rows := [][]string{{"USER", "CHANGE", "BEFORE", "AFTER"}}
	for _, d := range differences {
		rows = append(rows, []string{d.User, d.Difference.String(), showAnswer(d.Before), showAnswer(d.After)})
	}
	console.Table(w, style, rows...)
	var codes []string
	for _, d := range differences {
		codes = append(codes, d.Before.Code, d.After.Code)
	}
	console.Codes(w, codes...)
	fmt.Fprintln(w)
}

func showAnswer(a signin.Answer) string {
	switch {
	case a.SignedIn:
		return a.AuthenticationMode.String()
	case a.Outcome == signin.Undecided:
		return "not known"
	case a.Code == "":
		return "no certificate"
	}
	return "refused, " + a.Code
}
