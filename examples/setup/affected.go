package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/folder"
	"example.com/entracba/cba/graph"
	"example.com/entracba/cba/policy"
	pages "example.com/entracba/cba/report"
	"example.com/entracba/cba/signin"
	"example.com/entracba/cba/snapshot"
	"example.com/entracba/examples/internal/console"
	"example.com/entracba/examples/internal/saved"
	"example.com/entracba/examples/internal/tenant"
)

// A person is a user whose certificates are at hand.
type person struct {
	name         string
	certificates []*x509.Certificate
}

// people reads whose certificates are at hand.
func (o options) people() ([]person, error) {
	var all []person
	switch {
	case o.users != "":
		for c, err := range saved.Users(o.users, "") {
			if err != nil {
				return nil, err
			}
			all = append(all, person{c.User.UserPrincipalName, c.Certificates})
		}
	case o.manifest != "":
		for u, err := range saved.Manifest(o.manifest) {
			if err != nil {
				return nil, err
			}
			cert, err := saved.UserCertificate(o.manifest, u)
			if err != nil {
				return nil, err
			}
			all = append(all, person{u.UPN, []*x509.Certificate{cert}})
		}
	}
	if len(all) == 0 && o.users+o.manifest != "" {
		return nil, console.Usage("%s contains no users", o.users+o.manifest)
	}
	return all, nil
}

// demonstrated are those of the demonstration.
func demonstrated(t *tenant.Tenant) []person {
	var all []person
	for _, u := range t.Demo.Tenant.Users {
		if cert := t.Demo.Certificates[u.UserPrincipalName]; cert != nil {
			all = append(all, person{u.UserPrincipalName, []*x509.Certificate{cert}})
		}
	}
	return all
}

// affected says what a change means to users.
type affected struct {
	Counts map[string]int `json:"counts"`
	// Users are those to whom the change makes a difference, or may.
	Users []difference `json:"users"`
	// NotAtHand is how many more users the tenant has: who are not in the list, or are
	// without a certificate and out of scope. Nothing is known about them.
	NotAtHand int `json:"notAtHand"`
	// WithoutCRLs is how many of Users were compared without CRLs, because one could not
	// be fetched from here.
	WithoutCRLs int `json:"withoutCrls,omitempty"`
	// NotInTenant are the users of the list who have no account.
	NotInTenant []string `json:"notInTenant"`

	part pages.AffectedPart // the same for a page
}

// A difference is what the change means to one user.
type difference struct {
	User       string            `json:"userPrincipalName"`
	Difference signin.Difference `json:"difference"`
	Before     signin.Answer     `json:"before"`
	After      signin.Answer     `json:"after"`
}

// loses reports whether the user signs in today, or may, and will not, or may not. Where
// nothing is known before and after, nothing is known of the difference either.
func (d difference) loses() bool {
	return d.Difference == signin.Loses ||
		d.Before.SignedIn && d.After.Outcome == signin.Undecided || d.Before.Outcome == signin.Undecided && d.After.Outcome == signin.Refused
}

func (a affected) losers() []difference {
	return slices.DeleteFunc(slices.Clone(a.Users), func(d difference) bool { return !d.loses() })
}

// known is how many users were compared whose certificates are at hand.
func (a affected) known() int {
	n := 0
	for _, count := range a.Counts {
		n += count
	}
	return n - a.Counts[signin.WithoutCertificate.String()]
}

// compare asks what a plan means to the people whose certificates are at hand, as their
// accounts are now.
func (o options) compare(ctx context.Context, t *tenant.Tenant, plan graph.TenantPlan, known []person) (affected, error) {
	a := affected{Counts: map[string]int{}, Users: []difference{}, NotInTenant: []string{}}
	if plan.Empty() {
		return a, nil
	}
	people := map[string]person{}
	for _, p := range known {
		key := folder.Key(p.name)
		p.certificates = append(people[key].certificates, p.certificates...)
		people[key] = p
	}
	var accounts []snapshot.User
	bar := console.NewProgress(os.Stderr, "Reading users", 0)
	defer bar.End()
	for u, err := range t.Users(ctx) {
		if err != nil {
			return a, err
		}
		bar.Step(1)
		if _, ok := people[folder.Key(u.UserPrincipalName)]; !ok {
			a.NotAtHand++
			continue
		}
		accounts = append(accounts, u)
	}
	bar.End()
	if err := t.AddGroups(ctx, accounts); errors.Is(err, graph.Forbidden) || errors.Is(err, graph.Refused) {
		fmt.Fprintf(os.Stderr, "setup: groups of users cannot be read, so of those on whom they decide nothing is known: %s\n", console.Clean(err.Error()))
	} else if err != nil {
		return a, err
	}
	found := map[string]bool{}
	for _, u := range accounts {
		found[folder.Key(u.UserPrincipalName)] = true
	}
	for _, p := range known {
		if key := folder.Key(p.name); !found[key] {
			found[key] = true
			a.NotInTenant = append(a.NotInTenant, p.name)
		}
	}
	lists, err := o.lists(t)
	if err != nil {
		return a, err
	}
	cases := make([]signin.Case, len(accounts))
	for i := range accounts {
		cases[i] = signin.Case{User: &accounts[i].User, Certificates: people[folder.Key(accounts[i].UserPrincipalName)].certificates}
	}
	changes, err := o.changes(ctx, plan, signin.Options{CRLs: lists}, cases)
	if err != nil {
		return a, err
	}
	// Who is refused because a CRL cannot be had from here may be let in by Entra, which
	// fetches it from elsewhere: what the change does to them shows without CRLs.
	var again []signin.Case
	var at []int
	for i, c := range changes {
		if c.Before.Outcome == signin.Refused && unfetched(c.Before.Code) {
			again, at = append(again, c.Case), append(at, i)
		}
	}
	if len(again) > 0 {
		without, err := o.changes(ctx, plan, signin.Options{SkipRevocation: true}, again)
		if err != nil {
			return a, err
		}
		for i, c := range without {
			if old := &changes[at[i]]; old.Difference == signin.Same {
				old.Difference, old.Before, old.After = c.Difference, c.Before, c.After
				if c.Difference != signin.Same {
					a.WithoutCRLs++
				}
			}
		}
	}
	for _, change := range changes {
		if len(change.Case.Certificates) == 0 && change.Difference == signin.Same {
			a.NotAtHand++ // no certificate at hand, and so no answer
			continue
		}
		a.Counts[change.Difference.String()]++
		a.part.Add(change)
		if change.Difference != signin.Same {
			a.Users = append(a.Users, difference{change.Case.User.UserPrincipalName, change.Difference, change.Before, change.After})
		}
	}
	return a, nil
}

// changes compares the tenant before and after for each case.
func (o options) changes(ctx context.Context, plan graph.TenantPlan, options signin.Options, cases []signin.Case) ([]signin.Change, error) {
	before, err := plan.Before.Compile(options)
	if err != nil {
		return nil, fmt.Errorf("the tenant as it is: %w", err)
	}
	after, err := plan.After.Compile(options)
	if err != nil {
		return nil, fmt.Errorf("the tenant as it should be: %w", err)
	}
	all := func(yield func(signin.Case, error) bool) {
		for _, c := range cases {
			if !yield(c, nil) {
				return
			}
		}
	}
	var changes []signin.Change
	for change, err := range signin.Compare(ctx, before, after, all, signin.CompareOptions{At: time.Now(), Require: o.require}) {
		if err != nil {
			return nil, err
		}
		changes = append(changes, change)
	}
	return changes, nil
}

// unfetched reports whether a code says that a CRL could not be had or used.
func unfetched(code string) bool {
	return slices.ContainsFunc(crl.Reasons(), func(r crl.Reason) bool { return r.Code() == code })
}

// lists are where CRLs come from: files, and the network or the demonstration.
func (o options) lists(t *tenant.Tenant) (crl.Source, error) {
	given, err := o.crls.Source()
	if err != nil || t.Demo == nil {
		return given, err
	}
	return t.CRLs(false), nil
}

// open reports whether anyone may be able to sign in with a certificate.
func open(c signin.Config) bool {
	cas := len(c.Trust.Classic.CertificateAuthorities)
	for _, p := range c.Trust.PKIs {
		cas += len(p.CertificateAuthorities)
	}
	return c.Policy.State == policy.Enabled && cas > 0
}

// reversed is what taking the change back means to the same people.
func (a affected) reversed() affected {
	back := affected{Counts: map[string]int{}, Users: []difference{}, NotAtHand: a.NotAtHand, NotInTenant: a.NotInTenant}
	other := map[signin.Difference]signin.Difference{signin.Gains: signin.Loses, signin.Loses: signin.Gains, signin.Weaker: signin.Stronger, signin.Stronger: signin.Weaker}
	for _, d := range a.Users {
		d.Before, d.After = d.After, d.Before
		if o, ok := other[d.Difference]; ok {
			d.Difference = o
		}
		back.Users = append(back.Users, d)
		back.Counts[d.Difference.String()]++
	}
	if same := a.Counts[signin.Same.String()]; same > 0 {
		back.Counts[signin.Same.String()] = same
	}
	return back
}
