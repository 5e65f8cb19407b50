package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/folder"
	"example.com/entracba/cba/graph"
	"example.com/entracba/cba/snapshot"
	"example.com/entracba/examples/internal/console"
	"example.com/entracba/examples/internal/tenant"
)

// outage is the flag -outage.
type outage struct{ from, to time.Time }

func (o outage) given() bool { return !o.from.IsZero() }

// Set reads FROM/TO.
func (o *outage) Set(text string) error {
	from, to, ok := strings.Cut(text, "/")
	var err error
	if ok {
		if o.from, err = console.Time(from); err == nil {
			o.to, err = console.Time(to)
		}
	}
	switch {
	case !ok || err != nil:
		return errors.New("must be two times, such as 2026-11-20T18:00:00Z/2026-11-23T08:00:00Z")
	case !o.from.Before(o.to):
		return errors.New("the outage ends before it begins")
	}
	return nil
}

// maxCRL bounds a file of -crl: twice what the service fetches in any cloud.
const maxCRL = 300 << 20

// assess says who was let in during an outage.
func (o options) assess(ctx context.Context, t *tenant.Tenant, known *certificates) error {
	a := snapshot.Outage{From: o.outage.from, To: o.outage.to, Certificate: known.of}
	for _, name := range o.crls {
		content, err := folder.Read(name, maxCRL)
		if err != nil {
			return err
		}
		list, err := crl.Parse(content)
		if err != nil {
			return console.Usage("%s: %w", name, err)
		}
		if list.IsDelta() {
			return console.Usage("%s is a delta CRL: give the base CRL", name)
		}
		a.Lists = append(a.Lists, list)
	}
	var err error
	if a.Config, err = t.Tenant(ctx); err != nil {
		return err
	}
	bar := console.NewProgress(os.Stderr, "Reading the log", 0)
	defer bar.End()
	// The rows of a sign-in that ends in time can begin an hour before.
	rows := counted(t.SignInLog(ctx, a.From.Add(-time.Hour), graph.SignInQuery{User: o.user, Until: a.To.Add(time.Hour)}), bar)
	r, err := a.Assess(snapshot.SignIns(rows))
	bar.End()
	if err != nil {
		return err
	}
	if o.json {
		err = console.Result(console.Stdout, "signins", r)
	} else {
		t.Announce(console.Stdout)
		o.printOutage(console.Stdout, r)
	}
	switch {
	case err != nil:
		return err
	case r.Count(snapshot.RevokedThen) > 0:
		return console.ErrNo
	case r.Count(snapshot.RevocationNotKnown) > 0:
		return console.ErrNotKnown
	}
	return nil
}

// checkings and revocations in words.
var (
	checkings = map[snapshot.Checking]string{
		snapshot.CachedCRL: "cached CRL", snapshot.NotChecked: "not checked", snapshot.ExemptedCA: "exempted", snapshot.CANotKnown: "not known", snapshot.Contradicted: "contradicts the settings",
	}
	revocations = map[snapshot.Revocation]string{
		snapshot.RevokedThen: "REVOKED", snapshot.RevokedLater: "revoked later", snapshot.NotRevoked: "not revoked", snapshot.RevocationNotKnown: "not known",
	}
)

// means says what an outage does to the users of a CA.
func means(ca snapshot.OutageCA) string {
	switch {
	case ca.During == snapshot.NotChecked:
		return "no CRL URL, and CRL validation is not required: everybody is let in, revoked or not"
	case ca.During == snapshot.ExemptedCA:
		return "exempted from CRL validation: everybody is let in, revoked or not"
	case ca.CRL == "":
		return "no CRL URL, and CRL validation is required: nobody is let in"
	case ca.CachedUntil.IsZero():
		return "everybody is checked with the cached CRL until it expires (-crl with the CRL of before the outage says when), then nobody is let in"
	}
	return "everybody is checked with the cached CRL until " + ca.CachedUntil.UTC().Format(minute) + ", then nobody is let in"
}

func (o options) printOutage(w io.Writer, r snapshot.OutageReport) {
	style := console.StyleFor(os.Stdout)
	fmt.Fprintf(w, "%s  %s to %s\n\n", style.Bold("OUTAGE"), r.From.UTC().Format(minute), r.To.UTC().Format(minute))
	rows := [][]string{{"CA", "WHILE ITS CRL CANNOT BE FETCHED"}}
	for _, ca := range r.CAs {
		rows = append(rows, []string{ca.Subject, means(ca)})
	}
	console.Table(w, style, rows...)
	fmt.Fprintln(w, "These are the settings of today: check the audit log for changes since.")
	for _, issuer := range r.Foreign {
		fmt.Fprintf(w, "%s  a CRL of %s is by no CA of the tenant, or not signed by it, and was passed over\n", style.Yellow("note"), console.Clean(issuer))
	}

	fmt.Fprintf(w, "\n%s  %s with certificates\n", style.Bold("LET IN"), console.Count(len(r.LetIn), "sign-in"))
	// Revoked ones first, then those of whom nothing is known.
	rows = [][]string{{"TIME", "USER", "CA", "CHECKED", "CERTIFICATE"}}
	for _, want := range []snapshot.Revocation{snapshot.RevokedThen, snapshot.RevocationNotKnown, snapshot.RevokedLater, snapshot.NotRevoked} {
		for _, s := range r.LetIn {
			if s.Revocation != want || len(rows) > shown {
				continue
			}
			certificate := revocations[s.Revocation]
			if !s.RevokedAt.IsZero() {
				certificate += fmt.Sprintf(" on %s (%v), serial number %s", s.RevokedAt.UTC().Format(minute), s.Reason, s.SerialNumber)
			}
			if !s.InvalidSince.IsZero() {
				certificate += ", key lost " + s.InvalidSince.UTC().Format(minute)
			}
			rows = append(rows, []string{s.At.UTC().Format(minute), s.User, s.Authority, checkings[s.Checking], certificate})
		}
	}
	if len(rows) > 1 {
		console.Table(w, style, rows...)
	}
	more(w, len(r.LetIn))
	for _, c := range r.Refused {
		fmt.Fprintf(w, "%s refused with %s\n", console.Count(c.SignIns, "sign-in was", "sign-ins were"), c.Name)
	}
	revoked, unknown := r.Count(snapshot.RevokedThen), r.Count(snapshot.RevocationNotKnown)
	fmt.Fprintln(w)
	switch {
	case revoked > 0:
		fmt.Fprintln(w, style.Red(fmt.Sprintf("%s let in with a revoked certificate.", console.Count(revoked, "sign-in was", "sign-ins were"))), "Revoke the sessions of these users: a revoked certificate does not end them.")
	case unknown == 0:
		fmt.Fprintln(w, style.Green("Nobody was let in with a certificate that the CRLs at hand name as revoked by then."))
	}
	if unknown > 0 {
		fmt.Fprintf(w, "Of %s it is not known: the certificate must be at hand (-manifest or -certs), and a CRL of its CA that was made after the sign-in (-crl).\n", console.Count(unknown, "sign-in"))
	}
	switch {
	case revoked > 0:
		console.Next(w, style, "See how each of them is bound, and who else is affected.", console.Command("audit", o.tenant.Args()...))
	case unknown > 0:
		console.Next(w, style, "Ask again with a CRL of the CA that was made after the outage.", console.Command("signins", append(slices.Clone(o.args), "-crl", "ca.crl")...))
	default:
		console.Next(w, style, "See whether the CRLs can be fetched now.", console.Command("audit", o.tenant.Args()...))
	}
}
