// Audit reads the settings of a tenant that decide a certificate sign-in, and lists
// what is wrong with them: first what can lock users out, then what can let the wrong
// user in, then the rest. It changes nothing.
//
//	go run ./examples/audit
//	go run ./examples/audit -tenant ID [-json] [-snapshot tenant.json]
//
// It looks at the method's configuration, both trust stores and their chains,
// fetches every CRL within the limits of a sign-in to Entra, and checks the
// certificateUserIds of every user who has some. examples/explain reads a snapshot
// with -tenant.
//
// Without -tenant or -endpoint it works on a demonstration inside the program.
// Exit status: 0 no finding has severity error; 1 at least one has; 2 the command line
// cannot be used, or the tenant did not answer.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"iter"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"example.com/entracba/cba/folder"
	"example.com/entracba/cba/graph"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/signin"
	"example.com/entracba/cba/snapshot"
	"example.com/entracba/examples/internal/console"
	"example.com/entracba/examples/internal/saved"
	"example.com/entracba/examples/internal/tenant"
)

func main() { console.Main("audit", run) }

// options is the command line, read and checked.
type options struct {
	tenant       tenant.Flags
	snapshot     string
	allowPrivate bool
	users        string
	html         string
	last         string // JSON of the report before
	omit         string // accepted findings
	show         string // which findings go into files
	sarif        string
	metrics      string
	csv          string
	readings     signin.Calibration
	json         bool
	args         []string // the command line, for the next command
}

func parse(args []string) (options, error) {
	o := options{args: args}
	f := flag.NewFlagSet("audit", flag.ContinueOnError)
	f.StringVar(&o.snapshot, "snapshot", "", "write the tenant to `FILE`, for explain -tenant")
	f.StringVar(&o.users, "users", "", "with -tenant FILE: also check the users in `FILE`, a list as JSON or CSV")
	f.BoolVar(&o.allowPrivate, "allow-private", false, "also fetch CRLs from loopback and private addresses")
	f.StringVar(&o.html, "html", "", "also write the findings as one HTML page to `FILE`, and as JSON beside it")
	f.StringVar(&o.last, "last", "", "with -html: JSON `FILE` of the last report, to show what is new and what is fixed")
	f.StringVar(&o.omit, "omit", "", "with -html, -sarif or -csv: JSON `FILE` with accepted findings: [{code, where, reason, until}]")
	f.StringVar(&o.show, "show", "", "with -html, -sarif or -csv: only `errors|warnings|effects`; warnings includes errors, and effects is what locks people out or lets the wrong people in")
	f.StringVar(&o.sarif, "sarif", "", "also write the findings to `FILE` as SARIF 2.1.0, for continuous integration")
	f.StringVar(&o.csv, "csv", "", "also write the findings to `FILE` as CSV, one line for each thing to do")
	f.StringVar(&o.metrics, "metrics", "", "also write days until CAs and CRLs expire, and findings, to `FILE` as Prometheus reads them")
	saved.ReadingsFlag(f, &o.readings)
	f.BoolVar(&o.json, "json", false, "print JSON")
	o.tenant.Register(f)
	f.Lookup("tenant").Usage += "; or a FILE or a folder of EntraExporter with a saved tenant, which is audited without a network"
	if err := console.ParseFlags(f, args, "Finds what is wrong with the certificate-based authentication of a tenant.", "[flags]",
		"", "-tenant ID -snapshot tenant.json", "-tenant tenant.json -users users.jsonl", "-tenant ID -html new.html -last old.json"); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, console.Usage("unexpected argument %q; for help: go run ./examples/audit -h", f.Arg(0))
	}
	if o.html == "" && (o.last != "" || o.omit != "" && o.sarif == "" && o.csv == "") {
		return o, console.Usage("-last is for the page and -omit for the page, -sarif and -csv: give -html FILE as well")
	}
	switch {
	case o.show != "" && o.html == "" && o.sarif == "" && o.csv == "":
		return o, console.Usage("-show has an effect on files only: give -html, -sarif or -csv as well")
	case !slices.Contains([]string{"", "errors", "warnings", "effects"}, o.show):
		return o, console.Usage("-show must be errors, warnings or effects, and not %q", o.show)
	}
	if o.tenant.IsDemo() && o.allowPrivate {
		return o, console.Usage("-allow-private has no effect in the demonstration, which has its own CRLs")
	}
	for _, name := range []string{o.snapshot, o.html, o.sarif, o.csv, o.metrics} {
		if _, err := os.Lstat(name); name != "" && err == nil && o.tenant.IsDemo() {
			return o, console.Usage("%s exists, and this would be the demonstration's: give -tenant, or another name", name)
		}
	}
	return o, console.Apart(args, []string{o.snapshot, o.html, o.sarif, o.csv, o.metrics}, []string{beside(o.html)})
}

// An audit is what was found out, in the form of -json.
type audit struct {
	At          time.Time     `json:"at"`
	Method      signin.Config `json:"tenant"`
	Authorities []authority   `json:"authorities"`
	Lists       []list        `json:"revocationLists"`
	Users       users         `json:"users"`
	// Offline says that the tenant is a file, so that no CRL was downloaded.
	Offline bool `json:"offline,omitempty"`
	// Readings are those that the tenant's log has settled.
	Readings []signin.Reading `json:"readings,omitempty"`
	Findings lint.Findings    `json:"findings"`
}

type users struct {
	Total   int `json:"total"`
	WithIDs int `json:"withCertificateUserIds"`
	Wrong   int `json:"withFindings"`
}

func run(args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if o.tenant.IsFile() {
		return o.offline()
	}
	if o.users != "" {
		return console.Usage("-users is for a tenant in a file: give -tenant FILE")
	}
	t, err := o.tenant.Open()
	if err != nil {
		return err
	}
	defer t.Close()
	var config signin.Config
	if o.snapshot == "" {
		config, err = t.Tenant(ctx)
	} else {
		config, err = o.take(ctx, t)
	}
	if err != nil {
		return err
	}
	a, compiled, err := o.begin(config)
	if err != nil {
		return err
	}
	if missing := a.missing(); len(missing) > 0 {
		fmt.Fprintf(os.Stderr, "audit: %s cannot be read and was not checked\n", strings.Join(missing, " and "))
	}
	published, err := signin.FetchCRLs(ctx, t.CRLs(o.allowPrivate), compiled.Trust())
	if err != nil {
		return err
	}
	a.Lists = lists(published)
	a.Findings = append(a.Findings, signin.CRLFindings(published, a.At)...)
	if err := a.readUsers(t.Users(ctx), compiled); err != nil {
		return err
	}
	return o.finish(a, t.Announce)
}

// begin is what the settings alone show. A CA that cannot be read has a finding.
func (o options) begin(config signin.Config) (*audit, *signin.Tenant, error) {
	a := &audit{At: time.Now().UTC().Truncate(time.Second), Method: config, Authorities: []authority{}, Lists: []list{}}
	a.Findings = config.Findings(a.At)
	compiled, err := config.Compile(signin.Options{Calibration: o.readings})
	if err != nil {
		return nil, nil, err // more CAs than any tenant can have
	}
	for _, r := range o.readings.Readings {
		if r.Result == signin.Confirmed || r.Result == signin.Contradicted {
			a.Readings = append(a.Readings, r)
		}
	}
	a.Authorities = authorities(compiled.Trust(), a.At)
	return a, compiled, nil
}

// missing names the parts of the tenant that are not known.
func (a *audit) missing() []string {
	const preferred = "systemCredentialPreferences"
	missing := slices.Clone(a.Method.Missing)
	if text := string(a.Method.Extra[preferred]); text == "" || text == "null" {
		missing = append(missing, preferred)
	}
	return missing
}

// finish prints what was found, and writes the page.
func (o options) finish(a *audit, announce func(io.Writer)) (err error) {
	a.Findings = a.Findings.Unique().Sorted()
	if err := o.write(a); err != nil {
		return err
	}
	if o.json {
		err = console.Result(console.Stdout, "audit", a)
	} else {
		out, style := console.Stdout, console.StyleFor(os.Stdout)
		announce(out)
		a.print(out, style)
		why, command := o.next(a)
		console.Written(out, o.snapshot, o.html, beside(o.html), o.sarif, o.csv, o.metrics)
		console.Next(out, style, why, command)
	}
	if err == nil && a.Findings.Worst() == lint.Error {
		err = console.ErrNo
	}
	return err
}

// next is what to do after an audit.
func (o options) next(a *audit) (why, command string) {
	again := func(more ...string) string { return console.Command("audit", append(slices.Clone(o.args), more...)...) }
	tenant := o.tenant.Args()
	if o.tenant.IsFile() || o.tenant.IsDemo() {
		tenant = []string{"-tenant", "ID"}
	}
	switch {
	case o.html != "":
		args := o.tenant.Args()
		for _, flag := range [][2]string{{"-users", o.users}, {"-omit", o.omit}} {
			if flag[1] != "" {
				args = append(args, flag[:]...)
			}
		}
		return "Later, make the next page, which shows what changed.", console.Command("audit", append(args, "-html", "next.html", "-last", beside(o.html))...)
	case o.snapshot != "":
		return "Mend what is wrong in a copy of " + o.snapshot + ", and see what that changes and for whom.",
			console.Command("setup", append(tenant, "-then", "changed.json", "-out", "plan.json")...)
	case o.tenant.IsDemo():
		return "Audit a tenant of your own.", console.Command("audit", "-tenant", "ID")
	case o.tenant.IsFile() && o.users != "":
		return "See whether each user gets in.", console.Command("explain", "-tenant", o.tenant.ID, "-users", o.users)
	case o.tenant.IsFile():
		return "Mend what is wrong in a copy of the file, and see what that changes and for whom.", console.Command("setup", append(tenant, "-then", "changed.json", "-out", "plan.json")...)
	case a.Findings.Worst() == lint.Error:
		return "Save the tenant, to mend a copy of it.", again("-snapshot", "tenant.json")
	}
	return "Pass this on as a page.", again("-html", "audit.html")
}

// take writes a snapshot: the configuration, and the users who have
// certificateUserIds with their groups, unless these are too many for one file.
func (o options) take(ctx context.Context, t *tenant.Tenant) (signin.Config, error) {
	s, err := t.Snapshot(ctx, graph.SnapshotOptions{Groups: true, LeftOut: func(err error) {
		fmt.Fprintf(os.Stderr, "audit: the snapshot is written without a part that cannot be read: %s\n", console.Clean(err.Error()))
	}})
	if err != nil {
		return s.Config, err
	}
	var text bytes.Buffer
	if err := console.JSON(&text, s); err != nil {
		return s.Config, err
	}
	if text.Len() > signin.MaxConfig {
		fmt.Fprintf(os.Stderr, "audit: the snapshot with %s would be larger than explain can read, so it contains no users\n", console.Count(len(s.Users), "user"))
		s.Users = nil
		text.Reset()
		if err := console.JSON(&text, s); err != nil {
			return s.Config, err
		}
	}
	return s.Config, folder.Write(o.snapshot, text.Bytes(), folder.Secret)
}

// readUsers checks everyone who has certificateUserIds.
func (a *audit) readUsers(users iter.Seq2[snapshot.User, error], compiled *signin.Tenant) error {
	var shared signin.SharedIDs
	bar := console.NewProgress(os.Stderr, "Reading users", 0)
	defer bar.End()
	for u, err := range users {
		if err != nil {
			return err
		}
		bar.Step(1)
		a.Users.Total++
		if len(u.AuthorizationInfo.CertificateUserIDs) == 0 {
			continue
		}
		a.Users.WithIDs++
		found := append(compiled.UserFindings(u.User), shared.Add(u.User)...)
		if len(found) > 0 {
			a.Users.Wrong++
		}
		a.Findings = append(a.Findings, found...)
	}
	return nil
}
