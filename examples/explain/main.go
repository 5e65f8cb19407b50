// Explain predicts the result of a certificate sign-in to Microsoft Entra and explains
// each step, without a connection to a tenant.
//
//	go run ./examples/explain
//	go run ./examples/explain -manifest out/manifest.json -user jane@contoso.com
//	go run ./examples/explain -tenant tenant.json -user user.json -cert leaf.pem
//	go run ./examples/explain -tenant tenant.json -users users.jsonl
//	go run ./examples/explain -tenant tenant.json -users users.jsonl -then changed.json
//
// Without flags it runs the example from Microsoft's how-to: a rule for the issuer
// WoodgroveCA gives single-factor, one for the policy OID 1.2.3.4 multifactor. With the
// manifest that examples/issue wrote, the certificate is the user's of the manifest, and
// tenant and user are those of the files beside it. With the ID or domain of a tenant
// instead of a file, its settings are read through Microsoft Graph.
//
// Exit status: 0 signed in (or everybody is, or no user loses access); 1 refused (or a
// user is, or does); 2 the command line or the input cannot be used; 3 undecided (or some
// users, or of some it is not known).
package main

import (
	"context"
	"crypto/x509"
	"flag"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"time"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/folder"
	"example.com/entracba/cba/policy"
	pages "example.com/entracba/cba/report"
	"example.com/entracba/cba/signin"
	"example.com/entracba/examples/internal/console"
	"example.com/entracba/examples/internal/saved"
	"example.com/entracba/examples/internal/tenant"
)

func main() { console.Main("explain", run) }

// options is the command line.
type options struct {
	tenant               tenant.Flags
	user, cert, manifest string
	password             string // file
	users, then          string
	at                   time.Time
	crls                 saved.CRLs
	readings             signin.Calibration
	require              signin.Requirement
	findings             bool
	html                 string
	json                 bool
	args                 []string // the command line, for the next command
}

func parse(args []string) (options, error) {
	o := options{at: time.Now(), args: args}
	f := flag.NewFlagSet("explain", flag.ContinueOnError)
	o.tenant.Register(f)
	f.Lookup("tenant").Usage = "the tenant: a JSON `FILE` with x509Certificate, publicKeyInfrastructure and certificateBasedAuthConfiguration, as audit -snapshot writes it; or a folder that EntraExporter wrote; or the ID or a domain of a tenant, which is read through Graph"
	f.StringVar(&o.user, "user", "", "the user, `FILE|UPN`: JSON as Microsoft Graph returns it, or a UPN to look up in the tenant and in the manifest")
	f.StringVar(&o.cert, "cert", "", "the user's certificate: `FILE` as PEM, DER, base64, PKCS #7 or PFX")
	saved.PasswordFlag(f, &o.password)
	f.StringVar(&o.manifest, "manifest", "", "the manifest.json `FILE` that issue or fleet wrote: has the certificate of -user; the tenant is tenant.json beside it unless -tenant is given")
	f.Func("at", "`TIME` of the sign-in, such as 2026-11-21T08:00:00Z or 2026-11-21 (default now)", func(text string) (err error) {
		o.at, err = console.Time(text)
		return err
	})
	o.crls.Register(f)
	saved.RequireFlag(f, &o.require)
	saved.ReadingsFlag(f, &o.readings)
	f.StringVar(&o.users, "users", "", "many users, `FILE|DIR`: a list as JSON or CSV, or a folder with NAME.json and NAME.pem for each user")
	f.StringVar(&o.then, "then", "", "with -users: the tenant after a change, JSON `FILE`; prints who gains or loses access")
	f.BoolVar(&o.findings, "findings", false, "also print what is wrong with the tenant's settings")
	f.StringVar(&o.html, "html", "", "also write the result as one HTML page to `FILE`; with -then, who is affected as CSV beside it")
	f.BoolVar(&o.json, "json", false, "print JSON")
	if err := console.ParseFlags(f, args, "Predicts the result of a certificate sign-in to Entra, and explains each step.", "[flags]",
		"", "-manifest out/manifest.json -user jane@contoso.com", "-tenant tenant.json -user user.json -cert leaf.pem -require mfa",
		"-tenant tenant.json -users users.jsonl -then changed.json"); err != nil {
		return o, err
	}
	given := console.Given(f)
	switch {
	case f.NArg() > 0:
		return o, console.Usage("unexpected argument %q; for help: go run ./examples/explain -h", f.Arg(0))
	case o.users != "" && (o.user != "" || o.cert != "" || o.manifest != ""):
		return o, console.Usage("-users cannot be combined with -user, -cert or -manifest")
	case o.users != "" && o.findings:
		return o, console.Usage("-findings cannot be combined with -users; audit -tenant FILE -users FILE lists what is wrong")
	case o.then != "" && o.users == "":
		return o, console.Usage("-then needs -users FILE, the users of whom it says who gains or loses access")
	case o.users != "" && o.tenant.IsDemo():
		return o, console.Usage("-users requires -tenant FILE, the tenant before the change")
	case o.users != "" && o.then == "" && o.html != "":
		return o, console.Usage("-html with -users is the page of a change: give -then FILE as well")
	case o.cert != "" && o.manifest != "":
		return o, console.Usage("-cert and -manifest both name the certificate: pass only one of them")
	case o.manifest != "" && o.user == "":
		return o, console.Usage("-manifest needs -user UPN: whose certificate it is")
	case o.users == "" && o.manifest == "" && (o.tenant.IsDemo() != (o.user == "" && o.cert == "") || (o.user == "") != (o.cert == "")):
		return o, console.Usage("-tenant, -user and -cert must be used together, or -manifest and -user")
	}
	if _, err := os.Lstat(o.html); o.html != "" && err == nil && o.user == "" && o.users == "" {
		return o, console.Usage("%s exists, and this would be the demonstration's: use another name", o.html)
	}
	if o.users == "" && o.user == "" {
		for _, name := range []string{"crl", "allow-private"} {
			if given[name] {
				return o, console.Usage("-%s has no effect in the demonstration, which has no CRL", name)
			}
		}
	}
	return o, console.Apart(args, []string{o.html}, []string{o.list()})
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
	case o.then != "":
		return o.compare(ctx, lists)
	case o.users != "":
		return o.many(ctx, lists)
	case o.user == "":
		return o.demonstrate(ctx)
	}
	in, err := o.input(ctx, lists)
	if err != nil {
		return err
	}
	o.crls.Unused(os.Stderr, in.config)
	return o.explain(ctx, in.config, in.tenant, in.user, in.cert)
}

// reading is how a tenant is compiled.
func (o options) reading(lists crl.Source) signin.Options {
	return signin.Options{CRLs: lists, Calibration: o.readings}
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
		r.findings = append(config.Findings(o.at), tenant.UserFindings(*user)...).Unique().Sorted()
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
		err = console.Result(console.Stdout, "explain", r.json(o.findings))
	} else {
		style := console.StyleFor(os.Stdout)
		r.print(console.Stdout, style)
		console.Written(console.Stdout, o.html)
		why, command := o.next(verdict)
		console.Next(console.Stdout, style, why, command)
	}
	switch {
	case err != nil || verdict.SignedIn:
		return err
	case verdict.Outcome == signin.Undecided:
		return console.ErrNotKnown
	}
	return console.ErrNo
}

// next is what to do after one verdict.
func (o options) next(v signin.Verdict) (why, command string) {
	again := func(more ...string) string {
		return console.Command("explain", append(slices.Clone(o.args), more...)...)
	}
	users := filepath.Join(filepath.Dir(o.manifest), saved.UsersName)
	switch {
	case o.user == "":
		return "Make a CA and certificates of your own, and a tenant to try them on.", console.Command("issue")
	case v.Outcome == signin.Undecided && o.tenant.IsFile():
		return "Add what is missing to the files (see UNDECIDED), and run this again.", again()
	case !v.SignedIn && v.Binding == nil && o.manifest != "":
		return "Store the IDs of the certificates with the accounts.", console.Command("sync", append(o.tenantArgs(), "-manifest", o.manifest)...)
	case !v.SignedIn && !o.findings:
		return "See what is wrong with the settings.", again("-findings")
	case o.manifest != "" && isFile(users) && (o.tenant.IsDemo() || o.tenant.IsFile()):
		return "See who would gain or lose access by a change: edit a copy of " + o.tenantFile() + " and name it with -then.",
			console.Command("explain", "-tenant", o.tenantFile(), "-users", users, "-then", "changed.json")
	case o.html == "":
		return "Pass the verdict on as one page.", again("-html", "verdict.html")
	}
	return "Look at the whole tenant.", console.Command("audit", o.tenant.Args()...)
}

// tenantArgs name the tenant to other programs, if it is one and not a file.
func (o options) tenantArgs() []string {
	if o.tenant.IsFile() {
		return nil
	}
	return o.tenant.Args()
}

// page writes a page, if one is asked for.
func (o options) page(page pages.Report) error {
	if o.html == "" {
		return nil
	}
	return folder.Stream(o.html, folder.Secret, page.WriteHTML)
}
