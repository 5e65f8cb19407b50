// Setup changes the settings of a tenant that decide sign-ins with certificates: the
// trust stores and the method configuration. It prints what is different from what is
// wanted and who would gain or lose access, saves that as a plan, applies the plan, and
// takes it back.
//
//	go run ./examples/setup
//	go run ./examples/setup -tenant ID -then tenant.json -users users.jsonl -out plan.json
//	go run ./examples/setup -tenant ID -apply plan.json
//	go run ./examples/setup -tenant ID -undo plan.json
//	go run ./examples/setup -from DIR -users FILE
//
// What is wanted comes from a file, or from flags that change what the tenant has: -ca,
// -group, -bind, -rule, -enable. A part that the file does not have stays as it is; a
// part that it has is wanted as a whole. An empty classic store in the file leaves the
// tenant's alone unless -delete-classic is given.
//
// Nothing is changed without -apply or -undo. A change that takes access away from
// anyone, or may, is refused unless -allow-lockout is given, also when it is applied. A
// plan is refused when the tenant was changed since it was made. The plan file is also
// the backup: -undo reads it. A run that was stopped in the middle is told by every
// program that opens a tenant, until it is finished or taken back.
//
// Without -tenant or -endpoint it plans a change of a demonstration inside the program,
// which is new in every run, and so cannot be applied.
//
// With -from it proposes a tenant instead: "can we use the certificates that we have?" It
// names the CAs to trust and those that are missing, the username binding that reaches
// most people with the highest affinity, the ids to store, who is not reached and why,
// and what only a person can answer. It writes the tenant, the users and the ids for the
// next commands. Nothing is fetched from the network unless -fetch is given.
//
// Exit status: 0 done, planned, or nothing to do; 1 refused, because someone would lose
// access; 2 the command line or the input cannot be used, or the tenant did not answer; 3
// refused, because it is not known who would lose access; 4 changes are pending (only
// with -exit-code).
package main

import (
	"context"
	"errors"
	"flag"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"

	"example.com/entracba/cba/signin"
	"example.com/entracba/examples/internal/console"
	"example.com/entracba/examples/internal/saved"
	"example.com/entracba/examples/internal/tenant"
)

func main() { console.Main("setup", run) }

// options is the command line, read and checked.
type options struct {
	args           []string // as they were given
	tenant         tenant.Flags
	then           string
	edits          edits
	deleteClassic  bool
	keep           bool
	users          string
	manifest       string
	from           string
	fetch          bool
	owners         map[string]string // by thumbprint
	domains        map[string]string
	require        signin.Requirement
	crls           saved.CRLs
	out            string
	apply, undo    string
	bundle, upload string
	allowLockout   bool
	html           string
	exitCode, json bool
}

func parse(args []string) (options, error) {
	o := options{args: args, owners: map[string]string{}, domains: map[string]string{}}
	f := flag.NewFlagSet("setup", flag.ContinueOnError)
	f.StringVar(&o.then, "then", "", "the tenant as it should be: JSON `FILE`, as issue and audit -snapshot write it")
	o.edits.register(f)
	f.BoolVar(&o.keep, "keep", false, "with -then: keep the PKIs and CAs of the tenant that FILE does not contain")
	f.BoolVar(&o.deleteClassic, "delete-classic", false, "with -then: delete the classic store if FILE has none")
	f.StringVar(&o.users, "users", "", "users and their certificates, to see who is affected: `FILE|DIR`, as explain reads them")
	f.StringVar(&o.from, "from", "", "propose a tenant from the certificates in `DIR` and the users of -users, without a tenant; -pki, -group, -rule, -owner and -domain answer its questions")
	f.BoolVar(&o.fetch, "fetch", false, "with -from: fetch the CRLs from the network, to see whether Entra can")
	pairs := func(into map[string]string, form string) func(string) error {
		return func(text string) error {
			key, value, ok := strings.Cut(text, "=")
			if !ok || key == "" || value == "" {
				return errors.New("must be " + form)
			}
			into[key] = value
			return nil
		}
	}
	f.Func("owner", "with -from: the certificate with this thumbprint is the user's, `THUMBPRINT=UPN`; may be repeated", pairs(o.owners, "THUMBPRINT=UPN"))
	f.Func("domain", "with -from: names in certificates under the first domain belong to users of the second, `DOMAIN=DOMAIN`, such as contoso.local=contoso.com; may be repeated", pairs(o.domains, "DOMAIN=DOMAIN, such as contoso.local=contoso.com"))
	f.StringVar(&o.manifest, "manifest", "", "the manifest.json `FILE` that issue or fleet wrote: its users and certificates, to see who is affected")
	saved.RequireFlag(f, &o.require)
	o.crls.Register(f)
	f.StringVar(&o.out, "out", "", "save the plan to `PLAN`, a new file; with -from, the new folder of the proposal (default proposal)")
	f.StringVar(&o.apply, "apply", "", "apply the saved `PLAN`")
	f.StringVar(&o.bundle, "bundle", "", "with -out: also write the new CAs as a .p7b to `FILE`, for -upload; with -apply: that file")
	f.StringVar(&o.upload, "upload", "", "with -apply and -bundle: let Entra download the bundle from this public `URL` instead of sending it CA by CA")
	f.StringVar(&o.undo, "undo", "", "take back the saved `PLAN`, whether it was applied whole or in part")
	f.BoolVar(&o.allowLockout, "allow-lockout", false, "make the change even if it LOCKS USERS OUT, or if that is not known")
	f.BoolVar(&o.exitCode, "exit-code", false, "exit with status 4 if changes are pending")
	f.StringVar(&o.html, "html", "", "also write the plan, and who is affected, as one HTML page to `FILE`")
	f.BoolVar(&o.json, "json", false, "print JSON")
	o.tenant.Register(f)
	if err := console.ParseFlags(f, args, "Plans, applies and takes back changes of the settings for certificate sign-ins.", "[flags]",
		"", "-tenant ID -then tenant.json -users users.jsonl -out plan.json", "-tenant ID -ca issuing.crt -crl-url http://crl.contoso.com/issuing.crl -manifest out/manifest.json -out plan.json",
		"-tenant ID -apply plan.json", "-tenant ID -undo plan.json", "-from certificates -users users.csv"); err != nil {
		return o, err
	}
	given := console.Given(f)
	wanted := o.then != "" || o.edits.any()
	saved := o.apply != "" || o.undo != ""
	switch {
	case f.NArg() > 0:
		return o, console.Usage("unexpected argument %q; for help: go run ./examples/setup -h", f.Arg(0))
	case o.from != "":
		return o, o.checkFrom(given)
	case o.fetch || len(o.owners)+len(o.domains) > 0:
		return o, console.Usage("-fetch, -owner and -domain need -from DIR")
	case saved && o.html != "":
		return o, console.Usage("-html is the page of a plan: it cannot be combined with -apply and -undo")
	case o.bundle != "" && o.out == "" && o.apply == "":
		return o, console.Usage("-bundle needs -out PLAN, or -apply PLAN with -upload URL")
	case o.upload != "" && (o.apply == "" || o.bundle == ""), o.apply != "" && o.bundle != "" && o.upload == "":
		return o, console.Usage("-upload URL, -bundle FILE and -apply PLAN must be used together: the file must be the one at the URL, byte for byte")
	case o.apply != "" && o.undo != "":
		return o, console.Usage("-apply and -undo cannot be combined")
	case saved && (wanted || o.keep || o.deleteClassic || o.out != "" || o.exitCode):
		return o, console.Usage("-apply and -undo take everything from the plan: they cannot be combined with -then, -ca, -group, -bind, -rule, -enable, -keep, -delete-classic, -out or -exit-code")
	case o.then != "" && o.edits.any():
		return o, console.Usage("-then cannot be combined with -ca, -group, -bind, -rule or -enable: change the file")
	case (o.keep || o.deleteClassic) && o.then == "":
		return o, console.Usage("-keep and -delete-classic need -then FILE")
	case o.tenant.IsDemo() && (saved || o.out != ""):
		return o, console.Usage("-out, -apply and -undo need -tenant: the demonstration is a new tenant in every run")
	case !wanted && !saved && !o.tenant.IsDemo():
		return o, console.Usage("what is wanted? Give -then FILE, or -ca, -group, -bind, -rule or -enable; for help: go run ./examples/setup -h")
	case o.users != "" && o.manifest != "":
		return o, console.Usage("-users and -manifest cannot be combined")
	case (given["require"] || given["crl"] || given["allow-private"]) && o.users == "" && o.manifest == "" && !o.tenant.IsDemo():
		return o, console.Usage("-require, -crl and -allow-private need -users or -manifest: they decide how the users' sign-ins end")
	}
	return o, console.Apart(o.args, []string{o.out, o.bundle, o.html}, nil)
}

// checkFrom refuses flags that a proposal has no use for.
func (o options) checkFrom(given map[string]bool) error {
	for _, name := range slices.Sorted(maps.Keys(given)) {
		switch name {
		case "from", "users", "fetch", "out", "json", "pki", "group", "rule", "owner", "domain", "tenant", "endpoint":
		case "crl", "allow-private":
			if !o.fetch {
				return console.Usage("-%s needs -fetch: without it, no CRL is looked at", name)
			}
		default:
			return console.Usage("-%s has no effect with -from", name)
		}
	}
	if o.users == "" {
		return console.Usage("-from needs -users FILE, the list of users: as Graph, PowerShell or the portal write it")
	}
	return nil
}

func run(args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	// After an interrupt the tenant is asked once more what was done. A second one does
	// not wait for that: the note of the change stays.
	context.AfterFunc(ctx, stop)
	if o.from != "" {
		return o.proposal(ctx)
	}
	if o.apply != "" || o.undo != "" {
		return o.carryOut(ctx)
	}
	return o.plan(ctx)
}

// plan plans and prints, and saves the plan if that is asked.
func (o options) plan(ctx context.Context) error {
	known, err := o.people()
	if err != nil {
		return err
	}
	wanted, err := o.wanted()
	if err != nil {
		return err
	}
	names := []string{}
	for _, p := range known {
		names = append(names, p.name)
	}
	t, err := o.tenant.Open(names...)
	if err != nil {
		return err
	}
	defer t.Close()
	now, err := t.Tenant(ctx)
	if err != nil {
		return err
	}
	r := report{options: o, demo: t.Demo != nil}
	if t.Demo != nil && len(known) == 0 {
		known = demonstrated(t)
	}
	var after signin.Config
	switch {
	case wanted != nil:
		after = o.fit(*wanted, now, &r)
	case o.edits.any():
		if after, err = o.edits.apply(now); err != nil {
			return console.Usage("%w", err)
		}
	default:
		if after, err = demonstration(ctx, now); err != nil {
			return err
		}
	}
	if r.plan, err = t.PlanTenant(ctx, after); err != nil {
		return err
	}
	if r.affected, err = o.compare(ctx, t, r.plan, known); err != nil {
		return err
	}
	r.locks = r.plan.LocksOut()
	r.refused = r.refusal()
	if o.out != "" && !r.plan.Empty() && (r.refused == nil || o.allowLockout) {
		if err := o.save(&r); err != nil {
			return err
		}
	}
	if o.html != "" {
		if err := r.page(); err != nil {
			return err
		}
	}
	if !o.json {
		t.Announce(console.Stdout)
	}
	if err := r.print(console.Stdout); err != nil {
		return err
	}
	switch {
	case r.plan.Empty():
		return nil
	case r.refused != nil && !o.allowLockout:
		return r.refused.status
	case o.exitCode:
		return console.ErrPending
	}
	return nil
}
