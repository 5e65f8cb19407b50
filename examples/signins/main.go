// Signins reads the sign-in log of a tenant and counts the certificate sign-ins: by
// outcome, AADSTS code, binding, authentication mode and CA. It lists those that were
// refused.
//
//	go run ./examples/signins
//	go run ./examples/signins -tenant ID [-since 168h] [-user UPN] [-manifest out/manifest.json] [-write-readings readings.json] [-json]
//	go run ./examples/signins -tenant ID -outage FROM/TO -crl FILE [-manifest out/manifest.json]
//
// The log has several rows for one sign-in, of which the first says "interrupted";
// they are joined, so that no sign-in is counted twice. With a manifest of
// examples/issue the certificates of its users are known. Then sign-ins are also
// counted by CA, and those whose result differs from the prediction of package signin
// are listed. The same sign-ins settle open questions about Entra: the readings that the
// log confirms or contradicts are listed, and -write-readings keeps them.
//
// With -outage it says who was let in while the CRLs could not be fetched: on a CRL that
// Entra had cached, or without any check, and with which certificates that a CRL names
// as revoked by then. What an outage means for each CA is read from the tenant's
// settings. -crl gives the CRL of after the outage and, if it is at hand, that of before.
//
// Without -tenant or -endpoint it works on a demonstration inside the program.
// Exit status: 0 done, and with -outage no revoked certificate was let in; 1 with
// -outage, one was; 2 the command line or the input cannot be used, or the tenant did
// not answer; 3 with -outage, of some sign-ins it is not known.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"iter"
	"os"
	"os/signal"
	"slices"
	"time"

	"example.com/entracba/cba/folder"
	"example.com/entracba/cba/graph"
	"example.com/entracba/cba/report"
	"example.com/entracba/cba/signin"
	"example.com/entracba/cba/snapshot"
	"example.com/entracba/examples/internal/console"
	"example.com/entracba/examples/internal/saved"
	"example.com/entracba/examples/internal/tenant"
)

func main() { console.Main("signins", run) }

// options is the command line, read and checked.
type options struct {
	tenant   tenant.Flags
	since    time.Duration
	user     string
	log      string // file with the rows, instead of the tenant's log
	manifest string
	certs    string
	readings signin.Calibration
	write    string // file for the readings
	outage   outage
	crls     []string // files, with -outage
	html     string
	json     bool
	args     []string // the command line, for the next command
}

func parse(args []string) (options, error) {
	o := options{args: args, since: 7 * 24 * time.Hour}
	f := flag.NewFlagSet("signins", flag.ContinueOnError)
	f.Func("since", "look back this `PERIOD`, such as 36h, 7d (default) or 2w", func(text string) (err error) {
		o.since, err = console.Period(text)
		return err
	})
	f.StringVar(&o.log, "log", "", "read the log from `FILE` instead of the tenant: JSON as the portal downloads it, as Graph answers, or of diagnostic settings")
	f.StringVar(&o.user, "user", "", "only sign-ins of the user with this `UPN`")
	f.StringVar(&o.manifest, "manifest", "", "the manifest.json `FILE` that issue or fleet wrote; sign-ins with its certificates are compared with the expected result")
	f.StringVar(&o.certs, "certs", "", "compare sign-ins with the certificates in `FILE|DIR` (PEM, DER, base64 or PKCS #7), too, found by thumbprint, serial number or else the user's name")
	saved.ReadingsFlag(f, &o.readings)
	f.StringVar(&o.write, "write-readings", "", "with certificates: write what the log says about open questions to `FILE`, for -readings of signins, explain and audit")
	f.Func("outage", "the time in which CRLs could not be fetched: `FROM/TO`, such as 2026-11-20T18:00:00Z/2026-11-23T08:00:00Z; says who was let in", o.outage.Set)
	f.Func("crl", "with -outage: `FILE` with a CRL from before or after it; may be repeated", func(name string) error {
		o.crls = append(o.crls, name)
		return nil
	})
	f.StringVar(&o.html, "html", "", "also write which CAs get multifactor, and the sign-ins that show it, as one HTML page to `FILE`")
	f.BoolVar(&o.json, "json", false, "print JSON")
	o.tenant.Register(f)
	if err := console.ParseFlags(f, args, "Counts the certificate sign-ins of a tenant.", "[flags]",
		"", "-tenant ID -since 7d", "-tenant ID -outage 2026-11-20T18:00:00Z/2026-11-23T08:00:00Z -crl ca.crl -manifest out/manifest.json"); err != nil {
		return o, err
	}
	switch {
	case f.NArg() > 0:
		return o, console.Usage("unexpected argument %q; for help: go run ./examples/signins -h", f.Arg(0))
	case o.write != "" && o.manifest == "" && o.certs == "" && !o.tenant.IsDemo():
		return o, console.Usage("-write-readings requires the certificates of the sign-ins: give -manifest FILE or -certs FILE|DIR")
	case o.log != "" && o.outage.given():
		return o, console.Usage("-log has no effect with -outage")
	case o.log != "" && o.tenant.IsDemo() && (o.manifest != "" || o.certs != "" || o.html != "" || o.write != ""):
		return o, console.Usage("-log FILE with -manifest, -certs, -html or -write-readings needs the settings of the tenant: give -tenant ID")
	case len(o.crls) > 0 && !o.outage.given():
		return o, console.Usage("-crl needs -outage FROM/TO")
	case o.outage.given() && console.Given(f)["since"]:
		return o, console.Usage("-outage and -since both say which sign-ins are read: pass only one of them")
	case o.outage.given() && (o.write != "" || console.Given(f)["readings"]):
		return o, console.Usage("-readings and -write-readings have no effect with -outage")
	case o.outage.given() && o.html != "":
		return o, console.Usage("-html has no effect with -outage")
	}
	if o.log != "" && !console.Given(f)["since"] {
		o.since = 0 // all of the file
	}
	for _, name := range []string{o.write, o.html} {
		if _, err := os.Lstat(name); name != "" && err == nil && o.tenant.IsDemo() {
			return o, console.Usage("%s exists, and this would be the demonstration's: give -tenant, or another name", name)
		}
	}
	return o, console.Apart(args, []string{o.write, o.html}, nil)
}

// A summary is what was found, in the form of -json.
type summary struct {
	Since time.Time `json:"since"`
	From  time.Time `json:"from,omitzero"` // of the first sign-in
	To    time.Time `json:"to,omitzero"`   // of the last
	snapshot.Summary
	// Refused are the newest ones.
	Refused []refusal `json:"refused"`
	// Calibration is what the sign-ins say about open questions.
	Calibration *signin.Calibration `json:"calibration,omitempty"`
}

// A refusal is a sign-in that failed.
type refusal struct {
	At            time.Time `json:"at"`
	User          string    `json:"userPrincipalName"`
	Code          string    `json:"code"`
	Reason        string    `json:"reason"`
	App           string    `json:"appDisplayName"`
	CorrelationID string    `json:"correlationId"`
}

// maxRefusals bounds what is kept of a bad week.
const maxRefusals = 1000

func run(args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	certificates, err := o.certificates()
	if err != nil {
		return err
	}
	var t *tenant.Tenant // nil for a file alone
	if o.log == "" || !o.tenant.IsDemo() {
		if t, err = o.tenant.Open(); err != nil {
			return err
		}
		defer t.Close()
		if t.Demo != nil && o.manifest == "" && o.certs == "" {
			certificates = demonstration(t)
		}
	}
	if o.outage.given() {
		return o.assess(ctx, t, certificates)
	}
	e, err := newExpectations(ctx, t, certificates, o.readings, o.html != "")
	if err != nil {
		return err
	}
	s := summary{Since: time.Now().Add(-o.since).UTC().Truncate(time.Second), Refused: []refusal{}}
	bar := console.NewProgress(os.Stderr, "Reading the log", 0)
	var rows iter.Seq2[snapshot.Row, error]
	if o.log != "" {
		if rows, err = o.saved(&s.Since); err != nil {
			return err
		}
	} else {
		rows = t.SignInLog(ctx, s.Since, graph.SignInQuery{User: o.user})
	}
	rows = counted(rows, bar)
	s.Summary, err = snapshot.Summarize(s.watch(snapshot.SignIns(rows)), e.expect)
	bar.End()
	if err = errors.Join(err, e.err); err != nil {
		return err
	}
	if s.Calibration, err = e.calibrate(); err != nil {
		return err
	}
	if o.write != "" {
		if err := o.writeReadings(s.Calibration); err != nil {
			return err
		}
	}
	s.From, s.To = s.Summary.From.UTC(), s.Summary.To.UTC()
	if o.log != "" && o.since == 0 {
		s.Since = s.From
	}
	if o.html != "" {
		page := report.Report{Title: "Certificate sign-ins: who gets multifactor", Subject: o.tenant.Subject(), Made: time.Now(), Version: "signins", Evidence: e.evidence}
		if err := folder.Stream(o.html, folder.Secret, page.WriteHTML); err != nil {
			return err
		}
	}
	if o.json {
		return console.Result(console.Stdout, "signins", s)
	}
	if t != nil {
		t.Announce(console.Stdout)
	}
	s.print(console.Stdout, console.StyleFor(os.Stdout))
	console.Written(console.Stdout, o.write, o.html)
	why, command := o.next(s)
	console.Next(console.Stdout, console.StyleFor(os.Stdout), why, command)
	return nil
}

// saved reads the log from a file: the rows since a time, of one user where one is named.
func (o options) saved(since *time.Time) (iter.Seq2[snapshot.Row, error], error) {
	text, err := folder.Read(o.log, maxLog)
	if err != nil {
		return nil, err
	}
	if o.since == 0 {
		*since = time.Time{}
	}
	from := *since
	return func(yield func(snapshot.Row, error) bool) {
		for row, err := range snapshot.ReadRows(bytes.NewReader(text)) {
			if err != nil {
				yield(row, console.Usage("%s: %w", o.log, err))
				return
			}
			if row.CreatedDateTime.Before(from) || o.user != "" && folder.Key(row.UserPrincipalName) != folder.Key(o.user) {
				continue
			}
			if !yield(row, nil) {
				return
			}
		}
	}, nil
}

// maxLog bounds a log in a file.
const maxLog = 1 << 30

// writeReadings writes what the log settles, or that it settles nothing.
func (o options) writeReadings(c *signin.Calibration) error {
	if c == nil {
		c = &signin.Calibration{Readings: []signin.Reading{}}
	}
	var text bytes.Buffer
	if err := console.JSON(&text, c); err != nil {
		return err
	}
	return folder.Write(o.write, text.Bytes(), folder.Secret)
}

// next is what to do after a look at the log.
func (o options) next(s summary) (why, command string) {
	again := func(more ...string) string {
		return console.Command("signins", append(slices.Clone(o.args), more...)...)
	}
	switch {
	case o.log != "" && o.tenant.IsDemo():
		return "Compare the log with the settings of the tenant.", again("-tenant", "ID", "-certs", "DIR")
	case o.tenant.IsDemo():
		return "Read the log of a tenant of your own.", console.Command("signins", "-tenant", "ID", "-since", "7d")
	case s.SignIns == 0:
		return "See whether the settings let anyone in.", console.Command("audit", o.tenant.Args()...)
	case len(s.Refused) > 0 && o.manifest != "":
		return "See why a user is refused, step by step.", console.Command("explain", append(o.tenant.Args(), "-manifest", o.manifest, "-user", s.Refused[0].User)...)
	case len(s.Refused) > 0 && o.user == "":
		return "See only the sign-ins of a user who was refused.", again("-user", s.Refused[0].User)
	}
	return "Look at the settings, too.", console.Command("audit", o.tenant.Args()...)
}

func counted(rows iter.Seq2[snapshot.Row, error], bar *console.Progress) iter.Seq2[snapshot.Row, error] {
	return func(yield func(snapshot.Row, error) bool) {
		for row, err := range rows {
			bar.Step(1)
			if !yield(row, err) {
				return
			}
		}
	}
}

// watch keeps the refusals that pass by, the newest first as the log has them.
func (s *summary) watch(signIns iter.Seq2[snapshot.SignIn, error]) iter.Seq2[snapshot.SignIn, error] {
	return func(yield func(snapshot.SignIn, error) bool) {
		for f, err := range signIns {
			if err == nil && f.Outcome == snapshot.Refused && len(s.Refused) < maxRefusals {
				last := f.Rows[len(f.Rows)-1]
				s.Refused = append(s.Refused, refusal{f.At().UTC(), f.UserPrincipalName(), fmt.Sprintf("AADSTS%d", f.Code),
					f.Reason, last.AppDisplayName, last.CorrelationID})
			}
			if !yield(f, err) {
				return
			}
		}
	}
}
