// Signins reads a tenant's sign-in log and counts the sign-ins with certificates:
// by outcome, AADSTS code, binding, strength and authority, and lists those that
// were refused.
//
//	go run ./examples/signins
//	go run ./examples/signins -tenant ID [-since 168h] [-user UPN] [-manifest out/manifest.json] [-json]
//
// A sign-in has several rows in the log, of which the first says "interrupted";
// they are joined, so that nothing is counted twice. With a manifest of
// examples/issue the certificates of its users are known. Then the CA of each is
// counted, too, and sign-ins are listed whose result differs from what package
// signin predicts.
//
// Without -tenant or -endpoint it works on a demonstration inside the program.
// Exit status: 0 done; 2 unusable command line or input, or no answer from the
// tenant.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"iter"
	"os"
	"os/signal"
	"time"

	"example.com/entracba/cba/graph"
	"example.com/entracba/cba/snapshot"
	"example.com/entracba/examples/internal/console"
	"example.com/entracba/examples/internal/tenant"
)

func main() { console.Main("signins", run) }

// options is the command line, read and checked.
type options struct {
	tenant         tenant.Flags
	since          time.Duration
	user, manifest string
	json           bool
}

func parse(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("signins", flag.ContinueOnError)
	f.DurationVar(&o.since, "since", 7*24*time.Hour, "how far back, as in 24h")
	f.StringVar(&o.user, "user", "", "only sign-ins of the user with this `UPN`")
	f.StringVar(&o.manifest, "manifest", "", "list of certificates, as examples/issue writes it; `file`. What is expected of these is compared with the log")
	f.BoolVar(&o.json, "json", false, "print JSON")
	o.tenant.Register(f)
	f.Usage = func() {
		fmt.Fprintf(f.Output(), "Counts a tenant's sign-ins with certificates.\n\nUsage: go run ./examples/signins [flags]\n\n")
		f.PrintDefaults()
	}
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return o, err
		}
		return o, console.Usage("see signins -h")
	}
	switch {
	case f.NArg() > 0:
		return o, console.Usage("unexpected argument %q (see signins -h)", f.Arg(0))
	case o.since <= 0:
		return o, console.Usage("-since wants a time that has passed, such as 168h")
	}
	return o, nil
}

// A summary is what was found, in the form of -json.
type summary struct {
	Since time.Time `json:"since"`
	From  time.Time `json:"from,omitzero"` // of the first sign-in
	To    time.Time `json:"to,omitzero"`   // of the last
	snapshot.Summary
	// Refused are the newest ones.
	Refused []refusal `json:"refused"`
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
	t, err := o.tenant.Open()
	if err != nil {
		return err
	}
	defer t.Close()
	if t.Demo != nil && o.manifest == "" {
		certificates = demonstration(t)
	}
	e, err := newExpectations(ctx, t, certificates)
	if err != nil {
		return err
	}
	s := summary{Since: time.Now().Add(-o.since).UTC().Truncate(time.Second), Refused: []refusal{}}
	bar := console.NewProgress(os.Stderr, "Reading the log", 0)
	rows := counted(t.SignInLog(ctx, graph.SignInQuery{Since: s.Since, User: o.user}), bar)
	s.Summary, err = snapshot.Summarize(s.watch(snapshot.SignIns(rows)), e.expect)
	bar.End()
	if err = errors.Join(err, e.err); err != nil {
		return err
	}
	s.From, s.To = s.Summary.From.UTC(), s.Summary.To.UTC()
	if o.json {
		return console.JSON(os.Stdout, s)
	}
	t.Announce(os.Stdout)
	s.print(os.Stdout, console.StyleFor(os.Stdout))
	return nil
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
