package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/crl/publish"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/fleet/jobs"
	"example.com/entracba/cba/fleet/ledger"
	"example.com/entracba/cba/fleet/postgres"
	"example.com/entracba/cba/fleet/rollout"
	"example.com/entracba/cba/fleet/sqlite"
	"example.com/entracba/cba/folder"
	"example.com/entracba/cba/pfx"
	"example.com/entracba/examples/internal/console"
	"example.com/entracba/examples/internal/targets"
	"example.com/entracba/examples/internal/tenant"
	"example.com/entracba/examples/internal/users"
)

// commands are what the program does with jobs.
func commands() map[string]func(context.Context, []string) error {
	return map[string]func(context.Context, []string) error{
		"enqueue": enqueueUsers, "work": workOn, "status": showStatus, "revoke": revokeUsers, "retry": retryJobs, "export": exportLedger,
		"strays": findStrays,
	}
}

// shared are the flags of every command.
type shared struct {
	out, ledger string
	json        bool
	again       []string // the command line of work, for what comes after it
}

func (s *shared) register(f *flag.FlagSet) {
	f.StringVar(&s.out, "out", filepath.Join("out", "fleet"), "`DIR` for everything that has no flag of its own")
	f.StringVar(&s.ledger, "ledger", "", "`FILE` of the ledger, or postgres://USER@HOST/DATABASE for several machines (default ledger.db in the -out folder)")
	f.BoolVar(&s.json, "json", false, "print JSON")
}

// parse reads the flags of a command.
func (s *shared) parse(f *flag.FlagSet, args []string, summary, arguments string, examples ...string) error {
	if err := console.ParseFlags(f, args, summary, arguments, examples...); err != nil {
		return err
	}
	if f.NArg() > 0 && !strings.HasSuffix(arguments, " FILE") && !strings.HasSuffix(arguments, " UPN ...") {
		return console.Usage("unexpected argument %q; for help: %s", f.Arg(0), console.Command("fleet", strings.TrimPrefix(f.Name(), "fleet "), "-h"))
	}
	return checkLedger(s.ledger) // the flag package would repeat the value
}

// open opens the ledger. Only enqueue makes one.
func (s *shared) open(ctx context.Context, create bool, connections int) (jobs.Database, ledger.Ledger, error) {
	if isPostgres(s.ledger) {
		l, err := postgres.Open(ctx, s.ledger, postgres.Options{Existing: !create, Connections: connections})
		if err != nil {
			return nil, nil, err
		}
		return jobs.Postgres(l), l, nil
	}
	if s.ledger == "" {
		s.ledger = filepath.Join(s.out, ledgerName)
	}
	if err := s.checkFolder(); err != nil {
		return nil, nil, err
	}
	if create && filepath.Dir(s.ledger) == filepath.Clean(s.out) {
		if err := os.MkdirAll(s.out, 0o700); err != nil {
			return nil, nil, err
		}
	}
	l, err := sqlite.Open(ctx, s.ledger, sqlite.Options{Existing: !create})
	if errors.Is(err, ledger.Missing) {
		return nil, nil, console.Usage("%w. Correct -ledger or -out, or begin with: %s", err, console.Command("fleet", append(s.command("enqueue"), "-users", "FILE.csv")...))
	}
	if err != nil {
		return nil, nil, err
	}
	return jobs.SQLite(l, func(ca string) publish.Store {
		return publish.FileStore{Path: filepath.Join(s.out, "crl", ca+".store")}
	}), l, nil
}

// checkFolder refuses what others may write.
func (s *shared) checkFolder() error {
	for _, path := range []string{s.out, s.ledger} {
		if err := folder.CheckPrivate(path); err != nil {
			return err
		}
	}
	return nil
}

// openJobs is open for jobs. It refuses a folder of runs without a command: neither way finds the
// files of the other.
func (s *shared) openJobs(ctx context.Context, create bool, connections int) (jobs.Database, ledger.Ledger, error) {
	ledgerFolder := s.out
	if s.ledger != "" && !isPostgres(s.ledger) {
		ledgerFolder = filepath.Dir(s.ledger)
	}
	for _, path := range []string{s.out, ledgerFolder} {
		if rollout.Joined(path) {
			return nil, nil, console.Usage("%s was made by \"fleet -users\", which keeps its own files there: go on with -users, -revoke or -renew and no command. To run jobs with the same CA, use a new folder and the same CRL: work -out NEW -ca %s -crls %s",
				path, filepath.Join(path, caName), filepath.Join(path, "crl"))
		}
	}
	return s.open(ctx, create, connections)
}

// fleet opens what adds jobs and counts them.
func (s *shared) fleet(ctx context.Context, create bool) (*jobs.Fleet, ledger.Ledger, error) {
	db, l, err := s.openJobs(ctx, create, 0)
	if err != nil {
		return nil, nil, err
	}
	f, err := jobs.Open(ctx, db, jobs.Config{})
	if err != nil {
		l.Close()
	}
	return f, l, err
}

func enqueueUsers(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("fleet enqueue", flag.ContinueOnError)
	var s shared
	s.register(f)
	file := f.String("users", "", "the users to issue for: a table in `FILE` with the column upn and, optionally, email, sid, subject (CSV), or a list as JSON (default three sample users)")
	reissue := f.Bool("reissue", false, "also issue for users whose certificate was revoked")
	if err := s.parse(f, args, "Adds users to issue certificates for. Known users are skipped, so the same list can be added again.", "[-users FILE] [-ledger postgres://HOST/DATABASE]",
		"", "-users people.csv", "-users people.csv -ledger postgres://cba@db.contoso.com/cba"); err != nil {
		return err
	}
	if _, err := os.Lstat(s.out); *file == "" && (s.ledger != "" || err == nil) {
		return console.Usage("name the users with -users FILE.csv: samples are added to a new -out folder alone, never to a ledger")
	}
	list, err := users.Read(*file)
	if err != nil {
		return err
	}
	fleet, l, err := s.fleet(ctx, true)
	if err != nil {
		return err
	}
	defer l.Close()
	bar := console.NewProgress(os.Stderr, "Adding", list.Count)
	defer bar.End()
	enqueue := fleet.Enqueue
	if *reissue {
		enqueue = fleet.Reissue
	}
	counts, err := enqueue(ctx, func(yield func(cba.Task, error) bool) {
		given := false
		for task, err := range list.Tasks(func(string, string) { given = true }) {
			if given && err == nil {
				err = console.Usage("%s has a password in the list: passwords are made by the jobs and never stored in the database. Remove the column", task.Subject.UPN)
			}
			bar.Step(1)
			if !yield(task, err) {
				return
			}
		}
	})
	bar.End()
	if err != nil {
		return err
	}
	if s.json {
		return console.Result(console.Stdout, "fleet", counts)
	}
	fmt.Fprintf(console.Stdout, "%s added, %d already known.\n", plural(counts.Added, "user", "users"), counts.Known)
	why := "Issue for them."
	if isPostgres(s.ledger) {
		why = "Issue for them, on every machine."
	}
	s.next(why, s.work()...)
	return nil
}

// command is another command with the same shared flags.
func (s *shared) command(name string) []string {
	return append([]string{name}, place(s.out, s.ledger)...)
}

// work is the command that runs the jobs of this ledger: the same one after work, whose CA and
// places would be others without its flags.
func (s *shared) work() []string {
	if s.again != nil {
		return s.again
	}
	args := s.command("work")
	if isPostgres(s.ledger) {
		return append(args, "-ca", "FOLDER")
	}
	return append(args, "-drain")
}

// next says which command comes next.
func (s *shared) next(why string, args ...string) {
	console.Next(console.Stdout, console.StyleFor(os.Stdout), why, console.Command("fleet", args...))
}

// work is the command line of a machine.
type work struct {
	shared
	ca, files, passwords string
	crls                 string
	token                tokenOptions
	tenant               tenant.Flags
	metrics              string
	drain, delta         bool
	config               jobs.Config
}

func workOn(ctx context.Context, args []string) error {
	w := work{config: jobs.Config{KeyType: cba.RSA2048, Encoding: pfx.Compatible}}
	w.again = append([]string{"work"}, args...)
	f := flag.NewFlagSet("fleet work", flag.ContinueOnError)
	w.register(f)
	f.StringVar(&w.ca, "ca", "", "issue with the CA in `DIR`, which has its certificate and key; required with postgres:// unless -token is given (default the CA in the -out folder, created if there is none)")
	f.Func("key", "key `TYPE` of the users: rsa2048 (default), rsa3072, rsa4096, p256, p384, p521", func(text string) error { return w.config.KeyType.UnmarshalText([]byte(text)) })
	f.Func("for", "create PFX files that `TARGET` can open, such as windows-usb, windows-11 or macos-14; or an encoding: compat (default) or modern", func(text string) (err error) { w.config.Encoding, err = targets.Encoding(text); return err })
	f.Func("days", "certificates expire after `N` days (default 365)", func(text string) error {
		days, err := strconv.ParseUint(text, 10, 16)
		if err != nil || days == 0 {
			return errors.New("use a number of days from 1 to 65535")
		}
		w.config.Profile.Validity = time.Duration(days) * cba.Day
		return nil
	})
	f.Func("crl-url", "CRL `URL` to write into the certificates; may be repeated", func(text string) error {
		w.config.Profile.CRLURLs = append(w.config.Profile.CRLURLs, text)
		return crl.CheckURL(text)
	})
	f.IntVar(&w.config.DuePercent, "due", cba.DefaultRenewal, "renew a certificate when this `PERCENT` of its validity is left")
	f.IntVar(&w.config.Workers, "workers", 0, "run `N` jobs at the same time (default four per core)")
	f.IntVar(&w.config.Signatures, "signatures", 0, "let the CA's key make `N` signatures at the same time (default no limit)")
	f.DurationVar(&w.config.Lease, "lease", ledger.DefaultLease, "`DURATION` for which the jobs of a crashed machine stay locked")
	f.StringVar(&w.files, "files", "", "write the PFX files into `PLACE`, which all machines share: a folder, or s3://BUCKET/PREFIX with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_ENDPOINT_URL (default pfx in the -out folder)")
	f.StringVar(&w.passwords, "passwords", "", "write their passwords into `PLACE`, with other readers than -files (default passwords in the -out folder)")
	f.StringVar(&w.crls, "crls", "", "write the CRLs into `PLACE`, which all machines share, for the server behind the CRL URLs (default crl in the -out folder)")
	f.StringVar(&w.metrics, "metrics", "", "serve metrics for Prometheus on this loopback `ADDRESS`, such as 127.0.0.1:9464")
	f.BoolVar(&w.delta, "delta", false, "publish a delta CRL after a revocation, and a base CRL when it is due")
	f.BoolVar(&w.drain, "drain", false, "exit when no job is left that is due within a minute; exit status 1 if some failed")
	f.StringVar(&w.token.module, "token-module", "", "the CA's key is in a PKCS #11 token: `FILE` of its module, such as libsofthsm2.so")
	f.StringVar(&w.token.label, "token", "", "`LABEL` of the token")
	f.StringVar(&w.token.pinFile, "pin-file", "", "read the PIN of the token from the first line of `FILE`")
	w.tenant.Register(f)
	f.Func("mapping", "`MAPPING` for the ID of a user's first certificate, such as SKI or IssuerAndSerialNumber; may be repeated (default SKI)", func(text string) error {
		m := certuserid.Mapping(text)
		if !slices.Contains(certuserid.Mappings(), m) {
			return fmt.Errorf("use one of %v", certuserid.Mappings())
		}
		w.config.Mappings = append(w.config.Mappings, m)
		return nil
	})
	if err := w.parse(f, args, "Runs the jobs on this machine until it is interrupted: issue, bind (with -tenant), deliver, renew, publish CRLs.",
		"[-ledger postgres://HOST/DATABASE -ca FOLDER] [-tenant ID]", "", "-drain", "-ledger postgres://db.contoso.com/cba -ca /etc/cba/ca -tenant contoso.onmicrosoft.com -metrics 127.0.0.1:9464"); err != nil {
		return err
	}
	tokenFlags := w.token != tokenOptions{}
	switch {
	case w.config.DuePercent < 1 || w.config.DuePercent > 100:
		return console.Usage("-due %d: use 1 to 100 percent", w.config.DuePercent)
	case w.config.Workers < 0 || w.config.Signatures < 0:
		return console.Usage("-workers and -signatures: use 1 or more")
	case w.config.Lease < 100*time.Millisecond:
		return console.Usage("-lease %v: use at least 100ms", w.config.Lease)
	case tokenFlags && (w.token.module == "" || w.token.label == "" || w.token.pinFile == ""):
		return console.Usage("-token-module, -token and -pin-file are required together")
	case tokenFlags && w.ca != "":
		return console.Usage("-ca and -token cannot be combined: the certificates of the token's CA are in the -out folder")
	case isPostgres(w.ledger) && w.ca == "" && !tokenFlags:
		return console.Usage("-ca FOLDER is required with postgres://: all machines need the same CA. go run ./examples/issue makes one in out/ca")
	}
	return w.run(ctx)
}

func (w *work) run(ctx context.Context) error {
	if w.files == "" {
		w.files = filepath.Join(w.out, "pfx")
	}
	if w.passwords == "" {
		w.passwords = filepath.Join(w.out, "passwords")
	}
	if w.crls == "" {
		w.crls = filepath.Join(w.out, "crl")
	}
	if w.files == w.passwords || !isBucket(w.files) && filepath.Clean(w.files) == filepath.Clean(w.passwords) {
		return console.Usage("-files and -passwords must be two places: whoever has both has the key")
	}
	for _, secret := range []string{w.files, w.passwords} {
		if w.crls == secret || !isBucket(secret) && filepath.Clean(w.crls) == filepath.Clean(secret) {
			return console.Usage("-crls must be a place of its own: everyone can read it, and nobody else may read -files and -passwords")
		}
	}
	var err error
	if w.config.Files, err = openSecrets("files", w.files); err != nil {
		return err
	}
	if w.config.Passwords, err = openSecrets("passwords", w.passwords); err != nil {
		return err
	}
	var listener net.Listener
	if w.metrics != "" {
		if listener, err = listen(w.metrics); err != nil {
			return err
		}
		defer listener.Close()
	}
	db, l, err := w.openJobs(ctx, false, max(6, w.config.Workers/2))
	if err != nil {
		return err
	}
	defer l.Close()
	for _, name := range []string{w.out, filepath.Join(w.out, "crl")} {
		if err := os.MkdirAll(name, 0o700); err != nil {
			return err
		}
	}
	crls, err := openPublished("crls", w.crls)
	if err != nil {
		return err
	}
	end, err := w.openCA(ctx)
	if err != nil {
		return err
	}
	defer end()
	name := func(prefix string, ca *cba.Issuer) string {
		which := "issuing"
		if ca != w.config.CA {
			which = "root"
		}
		return prefix + which + "-" + fmt.Sprintf("%x", ca.Certificate.SubjectKeyId)[:8] + ".crl"
	}
	const base, delta = "", "delta-"
	w.config.Published = func(ctx context.Context, ca *cba.Issuer) (lists []*crl.List, err error) {
		for _, prefix := range []string{base, delta} {
			list, err := crls.list(ctx, name(prefix, ca), ca)
			if err != nil {
				return nil, err
			}
			lists = append(lists, list)
		}
		return lists, nil
	}
	w.config.Publish = func(ctx context.Context, ca *cba.Issuer, list *crl.List) error {
		return crls.put(ctx, name(base, ca), ca, list)
	}
	if w.delta {
		w.config.PublishDelta = func(ctx context.Context, ca *cba.Issuer, list *crl.List) error {
			return crls.put(ctx, name(delta, ca), ca, list)
		}
	}
	if !w.tenant.IsDemo() {
		t, err := w.tenant.Open()
		if err != nil {
			return err
		}
		defer t.Close()
		w.config.Graph = t.Client
	}
	told := ""
	w.config.Trouble = func(err error) {
		switch {
		case err == nil && told != "":
			told = ""
			fmt.Fprintln(os.Stderr, "fleet: the database works again")
		case err != nil && console.Text(err) != told:
			told = console.Text(err)
			fmt.Fprintf(os.Stderr, "fleet: waiting for the database: %s\n", console.Clean(told))
		}
	}
	fleet, err := jobs.Open(ctx, db, w.config)
	if err != nil {
		return err
	}
	if listener != nil {
		server := &http.Server{Handler: metrics(fleet), ReadHeaderTimeout: 5 * time.Second}
		go server.Serve(listener)
		defer server.Close()
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if w.drain {
		go func() {
			defer stop()
			drained(ctx, fleet)
		}()
	} else if !w.json {
		if isPostgres(w.ledger) && (w.files == filepath.Join(w.out, "pfx") || w.passwords == filepath.Join(w.out, "passwords") || w.crls == filepath.Join(w.out, "crl")) {
			fmt.Fprintln(os.Stderr, "fleet: with several machines, name places that all of them share: -files, -passwords and -crls")
		}
		fmt.Fprintf(os.Stderr, "fleet: working until interrupted; to see how far it is: %s\n", console.Command("fleet", w.command("status")...))
	}
	if err := fleet.Run(ctx); err != nil {
		return err
	}
	status, err := w.show(context.WithoutCancel(ctx), fleet, true)
	if err != nil || !w.drain {
		return err
	}
	switch failed := status.Failed(); {
	case failed > 0:
		return no("%s failed; they are tried again when \"work\" runs, or at once after \"retry\"", plural(failed, "job has", "jobs have"))
	case status.Unlisted > 0:
		return no("%s on no CRL", plural(status.Unlisted, "revocation is", "revocations are"))
	}
	return nil
}

// openCA loads the CA, or makes the one of a single machine.
func (w *work) openCA(ctx context.Context) (end func(), err error) {
	end = func() {}
	switch {
	case w.token != tokenOptions{}:
		p := &program{options: options{out: w.out, token: w.token}}
		if err := p.openToken(ctx); err != nil {
			return end, err
		}
		w.config.CA = p.issuer
		if p.root != nil {
			w.config.Others = []*cba.Issuer{p.root}
		}
		return func() { p.closeToken() }, nil
	case w.ca != "":
		w.config.CA, err = folder.LoadCA(w.ca)
		return end, err
	}
	p := &program{options: options{out: w.out}}
	out, err := p.openFolder(ctx)
	if err != nil {
		return end, err
	}
	defer out.Close()
	w.config.CA, _, err = out.CA(ctx, "", func(ctx context.Context) (*cba.Issuer, error) {
		name, err := dn.Parse("CN=Entra CBA Root CA")
		if err != nil {
			return nil, err
		}
		return cba.NewRoot(ctx, cba.Authority{Name: name})
	})
	return end, err
}

// drained returns when no job is running, or due within a minute.
func drained(ctx context.Context, fleet *jobs.Fleet) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(500 * time.Millisecond):
		}
		s, err := fleet.Status(ctx)
		if err == nil && s.Soon() == 0 {
			return
		}
	}
}

// listen opens a port that only this machine reaches.
func listen(address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, console.Usage("-metrics %q: use an address like 127.0.0.1:9464", address)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, console.Usage("-metrics %q: only an address of this machine (127.0.0.1) is possible, because the metrics need no password", address)
	}
	return net.Listen("tcp", address)
}

// metrics writes the status for Prometheus.
func metrics(fleet *jobs.Fleet) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(out http.ResponseWriter, r *http.Request) {
		s, err := fleet.Status(r.Context())
		if err != nil {
			http.Error(out, "the database cannot be read", http.StatusServiceUnavailable)
			return
		}
		out.Header().Set("Content-Type", "text/plain; version=0.0.4")
		fmt.Fprintf(out, "# TYPE fleet_certificates gauge\n")
		for _, state := range slices.Sorted(maps.Keys(s.Certificates)) {
			fmt.Fprintf(out, "fleet_certificates{state=%q} %d\n", state, s.Certificates[state])
		}
		fmt.Fprintf(out, "# TYPE fleet_jobs gauge\n")
		for _, j := range s.Jobs {
			fmt.Fprintf(out, "fleet_jobs{kind=%q,state=%q} %d\n", j.Kind, j.State, j.Count)
		}
		gauge := func(name string, value float64) {
			fmt.Fprintf(out, "# TYPE fleet_%s gauge\nfleet_%s %g\n", name, name, value)
		}
		gauge("requests", float64(s.Requests))
		gauge("machines", float64(s.Machines))
		gauge("unlisted_revocations", float64(s.Unlisted))
		gauge("given_up_certificates", float64(s.GivenUp))
		gauge("graph_closed_seconds", float64(s.GraphClosed))
	})
	return mux
}

func showStatus(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("fleet status", flag.ContinueOnError)
	var s shared
	s.register(f)
	watch := f.Bool("watch", false, "show it again every two seconds, until interrupted")
	if err := s.parse(f, args, "Shows how far the jobs have come: states, rates, what holds them up, time left.", "[-ledger postgres://HOST/DATABASE] [-watch]",
		"", "-watch", "-ledger postgres://cba@db.contoso.com/cba -json"); err != nil {
		return err
	}
	fleet, l, err := s.fleet(ctx, false)
	if err != nil {
		return err
	}
	defer l.Close()
	for {
		if _, err := s.show(ctx, fleet, !*watch); err != nil || !*watch {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(2 * time.Second):
		}
		if console.IsTerminal(os.Stdout) {
			fmt.Fprint(console.Stdout, "\x1b[H\x1b[2J")
		}
	}
}

// show prints the status, and what comes next.
func (s *shared) show(ctx context.Context, fleet *jobs.Fleet, next bool) (jobs.Status, error) {
	status, err := fleet.Status(ctx)
	if err != nil {
		return status, err
	}
	if s.json {
		return status, console.Result(console.Stdout, "fleet", status)
	}
	writeStatus(console.Stdout, status)
	if next {
		s.afterStatus(status)
	}
	return status, nil
}

// afterStatus says what comes next.
func (s *shared) afterStatus(status jobs.Status) {
	switch {
	case len(status.Failures) > 0:
		s.next("Mend what the errors name, and try all of them now.", s.command("retry")...)
	case (status.Soon() > 0 || status.Unlisted > 0) && status.Machines == 0 && s.again == nil && len(status.Certificates) > 0:
		// Without -crls, the CRL would be written elsewhere, and count as published.
		s.next("No process is at work. Run the jobs, with the flags that \"work\" had before, such as -ca and -crls.", s.work()...)
	case (status.Soon() > 0 || status.Unlisted > 0) && status.Machines == 0:
		s.next("No process is at work. Run the jobs.", s.work()...)
	case status.Soon() > 0 || status.Unlisted > 0:
		s.next("See again how far it is.", append(s.command("status"), "-watch")...)
	case len(status.Certificates) == 0:
		s.next("Add users to issue for.", append(s.command("enqueue"), "-users", "FILE.csv")...)
	default:
		s.next("All is done. See who has which certificate.", append(s.command("export"), "ledger.csv")...)
	}
}

func writeStatus(out io.Writer, s jobs.Status) {
	style := console.StyleFor(os.Stdout)
	fmt.Fprintf(out, "%s enqueued, %s at work\n\n", plural(s.Requests, "user", "users"), plural(s.Machines, "process", "processes"))
	rows := [][]string{{"STATE", "CERTIFICATES"}}
	for _, state := range slices.Sorted(maps.Keys(s.Certificates)) {
		rows = append(rows, []string{state.String(), strconv.Itoa(s.Certificates[state])})
	}
	if len(rows) == 1 {
		fmt.Fprintln(out, "No certificate was issued yet.")
	} else {
		console.Table(out, style, rows...)
	}
	if len(s.Jobs) > 0 {
		fmt.Fprintln(out)
	}
	rows = [][]string{{"JOB", "WAITING", "LATER", "RUNNING", "RETRY", "DONE", "GIVEN UP", "LAST MINUTE", "TIME LEFT"}}
	byKind := map[string]map[string]jobs.JobCount{}
	for _, j := range s.Jobs {
		if byKind[j.Kind] == nil {
			byKind[j.Kind] = map[string]jobs.JobCount{}
		}
		byKind[j.Kind][j.State] = j
	}
	for _, kind := range slices.Sorted(maps.Keys(byKind)) {
		k := byKind[kind]
		rate := float64(k["completed"].LastMinute) / 60
		later := k["scheduled"].Later
		waiting := k["available"].Count + k["scheduled"].Count + k["pending"].Count - later
		left := ""
		if n := waiting + k["running"].Count; n > 0 && rate > 0 {
			left = (time.Duration(float64(n)/rate) * time.Second).Round(time.Second).String()
		}
		rows = append(rows, []string{kind, strconv.Itoa(waiting), strconv.Itoa(later), strconv.Itoa(k["running"].Count), strconv.Itoa(k["retryable"].Count), strconv.Itoa(k["completed"].Count),
			strconv.Itoa(k["discarded"].Count + k["cancelled"].Count), strconv.Itoa(k["completed"].LastMinute), left})
	}
	if len(rows) > 1 {
		console.Table(out, style, rows...)
	}
	if s.GraphClosed > 0 || s.Unlisted > 0 || s.GivenUp > 0 || len(s.Failures) > 0 {
		fmt.Fprintln(out)
	}
	if s.GraphClosed > 0 {
		fmt.Fprintf(out, "Microsoft Graph asks to wait for %v.\n", time.Duration(s.GraphClosed)*time.Second)
	}
	if s.Unlisted > 0 {
		fmt.Fprintf(out, "%s on no CRL yet.\n", plural(s.Unlisted, "revocation is", "revocations are"))
	}
	if s.GivenUp > 0 {
		fmt.Fprintf(out, "%s made by processes that died or failed; they do not count, and are, or will be, on the CRL.\n", plural(s.GivenUp, "certificate was", "certificates were"))
	}
	for _, x := range s.Failures {
		fmt.Fprintf(out, "%s %d (%s, attempt %d): %s\n", x.Kind, x.Job, x.State, x.Attempt, console.Clean(x.Error))
	}
	if n := s.Failed(); n > len(s.Failures) {
		fmt.Fprintf(out, "and %d more\n", n-len(s.Failures))
	}
}

func revokeUsers(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("fleet revoke", flag.ContinueOnError)
	var s shared
	s.register(f)
	var reason crl.RevocationReason
	f.Func("reason", "`REASON` of the revocation: unspecified (default), keyCompromise, affiliationChanged, superseded, cessationOfOperation or privilegeWithdrawn",
		func(text string) error { return reason.UnmarshalText([]byte(text)) })
	leave := f.Bool("leave", false, "the users leave the organization: also remove their certificateUserIds (done by \"work\" with -tenant)")
	if err := s.parse(f, args, "Revokes all certificates of users. A running \"work\" publishes the CRL at once.", "[-ledger postgres://HOST/DATABASE] UPN ...",
		"jane@yourdomain.com", "-reason keyCompromise jane@yourdomain.com", "-leave john@yourdomain.com"); err != nil {
		return err
	}
	switch {
	case f.NArg() == 0:
		return console.Usage("name the users to revoke, for example: %s", console.Command("fleet", append(s.command("revoke"), "jane@contoso.com")...))
	case reason == crl.CertificateHold || reason == crl.RemoveFromCRL:
		return console.Usage("-reason %v: the ledger revokes permanently; use another reason", reason)
	}
	fleet, l, err := s.fleet(ctx, false)
	if err != nil {
		return err
	}
	defer l.Close()
	result := struct {
		Revoked int `json:"revoked"`
	}{}
	var failed error
	for _, upn := range f.Args() {
		revoke := fleet.Revoke
		if *leave {
			revoke = fleet.Leave
		}
		revoked, err := revoke(ctx, ledger.OwnerOf(cba.Subject{UPN: upn}), reason)
		if errors.Is(err, ledger.NotFound) {
			failed = errors.Join(failed, no("%s is not known in %s: nothing to revoke", upn, s.ledger))
			continue
		}
		if err != nil {
			return errors.Join(failed, err)
		}
		result.Revoked += len(revoked)
		if len(revoked) == 0 && !s.json {
			fmt.Fprintf(console.Stdout, "%s has no certificate to revoke, and gets none.\n", console.Clean(upn))
		}
	}
	status, err := fleet.Status(ctx)
	if err != nil {
		return errors.Join(failed, err)
	}
	if s.json {
		return errors.Join(failed, console.Result(console.Stdout, "fleet", result))
	}
	fmt.Fprintf(console.Stdout, "%s revoked.\n", plural(result.Revoked, "certificate", "certificates"))
	s.afterStatus(status)
	return failed
}

func retryJobs(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("fleet retry", flag.ContinueOnError)
	var s shared
	s.register(f)
	if err := s.parse(f, args, "Runs failed jobs again now, also those that were given up.", "[-ledger postgres://HOST/DATABASE]",
		"", "-ledger postgres://cba@db.contoso.com/cba"); err != nil {
		return err
	}
	fleet, l, err := s.fleet(ctx, false)
	if err != nil {
		return err
	}
	defer l.Close()
	n, err := fleet.Retry(ctx)
	if err != nil {
		return err
	}
	if s.json {
		return console.Result(console.Stdout, "fleet", map[string]int{"retried": n})
	}
	fmt.Fprintf(console.Stdout, "%s to run again.\n", plural(n, "job", "jobs"))
	status, err := fleet.Status(ctx)
	if err == nil {
		s.afterStatus(status)
	}
	return err
}

// findStrays looks for PFX files of which the ledger knows nothing.
func findStrays(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("fleet strays", flag.ContinueOnError)
	var s shared
	s.register(f)
	files := f.String("files", "", "the `PLACE` of the PFX files, as \"work\" has it (default pfx in the -out folder)")
	ca := f.String("ca", "", "with -revoke: the `DIR` of the CA that issued them (default the CA in the -out folder)")
	revoke := f.Bool("revoke", false, "put their certificates on the CRL of -ca")
	if err := s.parse(f, args, "Finds PFX files whose certificates the ledger does not know: after the restore of an old backup, those that were issued after it.\nWithout -revoke it only reads. The files stay where they are.",
		"[-files PLACE] [-ledger postgres://HOST/DATABASE] [-revoke]", "", "-revoke", "-ledger postgres://cba@db.contoso.com/cba -files s3://pfx-files/fleet -ca /etc/cba/ca -revoke"); err != nil {
		return err
	}
	switch {
	case *ca != "" && !*revoke:
		return console.Usage("-ca needs -revoke")
	case *ca == "":
		*ca = filepath.Join(s.out, caName)
	}
	if *files == "" {
		*files = filepath.Join(s.out, "pfx")
	}
	place, err := openSecrets("files", *files)
	if err != nil {
		return err
	}
	config := jobs.Config{Files: place}
	if *revoke {
		if config.CA, err = folder.LoadCA(*ca); err != nil {
			return err
		}
	}
	db, l, err := s.openJobs(ctx, false, 0)
	if err != nil {
		return err
	}
	defer l.Close()
	fleet, err := jobs.Open(ctx, db, config)
	if err != nil {
		return err
	}
	find := fleet.Strays
	if *revoke {
		find = fleet.RevokeStrays
	}
	names, err := find(ctx)
	if err != nil {
		return err
	}
	if s.json {
		return console.Result(console.Stdout, "fleet", struct {
			Strays  []string `json:"strays"`
			Revoked bool     `json:"revoked"`
		}{append([]string{}, names...), *revoke})
	}
	out := console.Stdout
	for _, name := range names {
		fmt.Fprintln(out, console.Clean(name))
	}
	switch {
	case len(names) == 0:
		fmt.Fprintln(out, "The ledger knows the certificate of every PFX file.")
		s.next("See what is left to do.", s.command("status")...)
	case *revoke:
		fmt.Fprintf(out, "%s to be put on the CRL. The files were not removed.\n", plural(len(names), "certificate is", "certificates are"))
		status, err := fleet.Status(ctx)
		if err != nil {
			return err
		}
		s.afterStatus(status)
	default:
		fmt.Fprintf(out, "The ledger does not know the certificates of %s. They can sign in, and their users may have got others.\n", plural(len(names), "PFX file", "PFX files"))
		args := append(s.command("strays"), "-revoke")
		if *files != filepath.Join(s.out, "pfx") {
			args = append(args, "-files", *files)
		}
		if isPostgres(s.ledger) {
			args = append(args, "-ca", "FOLDER")
		}
		s.next("If none of them is in use on purpose, put them on the CRL.", args...)
	}
	return nil
}

func exportLedger(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("fleet export", flag.ContinueOnError)
	var s shared
	s.register(f)
	if err := s.parse(f, args, "Writes all certificates of the ledger to a .csv or .json file.", "[-ledger postgres://HOST/DATABASE] FILE",
		"ledger.csv", "-ledger postgres://cba@db.contoso.com/cba ledger.json"); err != nil {
		return err
	}
	if f.NArg() != 1 || !slices.Contains([]string{".csv", ".json"}, strings.ToLower(filepath.Ext(f.Arg(0)))) {
		return console.Usage("name one file that ends in .csv or .json")
	}
	_, l, err := s.open(ctx, false, 0)
	if err != nil {
		return err
	}
	defer l.Close()
	result := exported{File: f.Arg(0)}
	if err := console.Apart(args, []string{result.File}, nil, s.ledger, filepath.Join(s.out, ledgerName)); err != nil {
		return err
	}
	if result.Certificates, err = writeLedger(ctx, l, result.File); err != nil {
		return err
	}
	if s.json {
		return console.Result(console.Stdout, "fleet", result)
	}
	fmt.Fprintf(console.Stdout, "%s written to %s.\n", plural(result.Certificates, "certificate", "certificates"), console.Clean(result.File))
	s.next("See what is left to do.", s.command("status")...)
	return nil
}

// exported is what -json prints of an export.
type exported struct {
	File         string `json:"file"`
	Certificates int    `json:"certificates"`
}

// runCommand runs a command until it ends or is interrupted.
func runCommand(do func(context.Context, []string) error, args []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return do(ctx, args)
}
