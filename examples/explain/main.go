// Explain predicts the result of a certificate sign-in to Microsoft Entra and explains
// each step, without a connection to a tenant.
//
//	go run ./examples/explain
//	go run ./examples/explain -tenant tenant.json -user user.json -cert leaf.pem
//	go run ./examples/explain -tenant tenant.json -users users.jsonl -then changed.json
//
// Without flags it runs the example from Microsoft's how-to: a rule for the issuer
// WoodgroveCA gives single-factor, one for the policy OID 1.2.3.4 multifactor.
//
// Exit status: 0 signed in (or no user loses access); 1 refused (or a user does); 2 the
// command line or the input cannot be used; 3 undecided (or no user is known to lose
// access, and of some it is not known).
package main

import (
	"context"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"example.com/entracba/cba/certfile"
	"example.com/entracba/cba/folder"
	"example.com/entracba/cba/policy"
	pages "example.com/entracba/cba/report"
	"example.com/entracba/cba/signin"
	"example.com/entracba/examples/internal/console"
	"example.com/entracba/examples/internal/saved"
)

func main() { console.Main("explain", run) }

// options is the command line.
type options struct {
	tenant, user, cert string
	users, then        string
	at                 time.Time
	crls               saved.CRLs
	require            signin.Requirement
	findings           bool
	html               string
	json               bool
}

func parse(args []string) (options, error) {
	o := options{at: time.Now()}
	f := flag.NewFlagSet("explain", flag.ContinueOnError)
	f.StringVar(&o.tenant, "tenant", "", "the tenant: JSON `FILE` with x509Certificate, publicKeyInfrastructure and certificateBasedAuthConfiguration, as audit -snapshot writes it")
	f.StringVar(&o.user, "user", "", "the user: JSON `FILE` as Microsoft Graph returns it")
	f.StringVar(&o.cert, "cert", "", "the user's certificate: PEM or DER `FILE`")
	f.Func("at", "`TIME` of the sign-in, such as 2026-11-21T08:00:00Z (default now)", func(text string) (err error) {
		if o.at, err = time.Parse(time.RFC3339, text); err != nil {
			err = errors.New("must be a time such as 2026-11-21T08:00:00Z")
		}
		return err
	})
	o.crls.Register(f)
	saved.RequireFlag(f, &o.require)
	f.StringVar(&o.users, "users", "", "many users: `FILE|DIR`, a file with one JSON user per line, or a folder with NAME.json and NAME.pem for each user")
	f.StringVar(&o.then, "then", "", "with -users: the tenant after a change, JSON `FILE`; prints who gains or loses access")
	f.BoolVar(&o.findings, "findings", false, "also print what is wrong with the tenant's settings")
	f.StringVar(&o.html, "html", "", "also write the result as one HTML page to `FILE`")
	f.BoolVar(&o.json, "json", false, "print JSON")
	if err := console.ParseFlags(f, args, "Predicts the result of a certificate sign-in to Entra, and explains each step.", "[flags]"); err != nil {
		return o, err
	}
	switch {
	case f.NArg() > 0:
		return o, console.Usage("unexpected argument %q; run \"explain -h\" for help", f.Arg(0))
	case o.users != "" && (o.user != "" || o.cert != ""):
		return o, console.Usage("-users cannot be combined with -user or -cert")
	case o.users != "" && o.findings:
		return o, console.Usage("-findings cannot be combined with -users")
	case (o.users == "") != (o.then == ""):
		return o, console.Usage("-users and -then must be used together: the users, and the tenant after the change")
	case o.users != "" && o.tenant == "":
		return o, console.Usage("-users requires -tenant FILE, the tenant before the change")
	case o.users == "" && (o.tenant == "") != (o.user == "" && o.cert == ""), o.users == "" && (o.user == "") != (o.cert == ""):
		return o, console.Usage("-tenant, -user and -cert must be used together")
	}
	return o, nil
}

func run(args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	lists, err := o.crls.Source()
	if err != nil {
		return err
	}
	switch {
	case o.users != "":
		return o.compare(ctx, lists)
	case o.tenant == "":
		return o.demonstrate(ctx)
	}
	config, tenant, err := saved.Tenant(o.tenant, lists)
	if err != nil {
		return err
	}
	content, err := os.ReadFile(o.user)
	if err != nil {
		return err
	}
	user, err := policy.ParseUser(content)
	if err != nil {
		return console.Usage("%s: %w", o.user, err)
	}
	content, err = os.ReadFile(o.cert)
	if err != nil {
		return err
	}
	file, err := certfile.Read(content, nil)
	if err != nil {
		return console.Usage("%s: %w", o.cert, err)
	}
	if file.Note != "" {
		fmt.Fprintf(os.Stderr, "%s: %s\n", o.cert, console.Clean(file.Note))
	}
	return o.explain(ctx, config, tenant, &user, file.Certificate)
}

// explain asks and prints.
func (o options) explain(ctx context.Context, config signin.Config, tenant *signin.Tenant, user *policy.User, cert *x509.Certificate) error {
	request := signin.Request{User: user, Certificate: cert, At: o.at, Require: o.require}
	verdict, err := tenant.Explain(ctx, request)
	if err != nil {
		return err
	}
	r := report{verdict: verdict, user: user, cert: cert, at: o.at, require: o.require}
	if o.findings {
		r.findings = append(config.Findings(o.at), tenant.UserFindings(*user)...).Sorted()
	}
	if o.html != "" {
		page := pages.Report{Title: "Certificate sign-in: " + user.UserPrincipalName, Made: time.Now(), Version: "explain", SignIn: pages.SignIn(tenant, request, verdict)}
		if o.findings {
			page.Findings = pages.Findings(r.findings, pages.FindingsOptions{At: o.at})
		}
		if err := o.page(page); err != nil {
			return err
		}
	}
	if o.json {
		err = console.JSON(os.Stdout, r.json(o.findings))
	} else {
		r.print(os.Stdout, console.StyleFor(os.Stdout))
	}
	switch {
	case err != nil || verdict.SignedIn:
		return err
	case verdict.Outcome == signin.Undecided:
		return console.ErrNotKnown
	}
	return console.ErrNo
}

// page writes a page, if one is asked for.
func (o options) page(page pages.Report) error {
	if o.html == "" {
		return nil
	}
	return folder.Stream(o.html, folder.Secret, page.WriteHTML)
}
