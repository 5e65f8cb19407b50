// Fleet issues, renews and revokes certificates for thousands of users of Microsoft
// Entra certificate-based authentication. It keeps a ledger of all certificates and
// publishes CRLs. The CA's keys are in files or in a PKCS #11 token.
//
//	go run ./examples/fleet
//	go run ./examples/fleet -users FILE.csv -ledger ledger.db -key p256
//	go run ./examples/fleet -users FILE.csv -ledger ledger.db -renew
//	go run ./examples/fleet -ledger ledger.db -revoke jane@yourdomain.com -reason keyCompromise
//	go run ./examples/fleet -ledger ledger.db -due 20
//
// On several machines, or to run for good, it works as jobs. The ledger is a file or a
// PostgreSQL database; whoever works binds with -tenant, delivers, renews and publishes:
//
//	go run ./examples/fleet enqueue -users FILE.csv -ledger postgres://db.contoso.com/cba
//	go run ./examples/fleet work -ledger postgres://db.contoso.com/cba -ca FOLDER -tenant ID
//	go run ./examples/fleet status -ledger postgres://db.contoso.com/cba -watch
//	go run ./examples/fleet revoke -ledger postgres://db.contoso.com/cba jane@yourdomain.com
//	go run ./examples/fleet export -ledger postgres://db.contoso.com/cba ledger.csv
//	go run ./examples/fleet retry -ledger postgres://db.contoso.com/cba
//	go run ./examples/fleet strays -ledger postgres://db.contoso.com/cba -files PLACE
//
// A folder and its ledger belong to one of the two ways: the other one refuses them.
//
// Without -users and -revoke it only reads the ledger, and writes only the file of
// -export. If there is neither a folder nor a ledger yet, it issues for three sample
// users instead.
//
// If it is killed, run it again: it continues where it stopped, and nobody gets a second
// certificate. Several runs on one ledger share the work.
//
// Exit status: 0 done; 1 some users have no certificate, or there was nothing to revoke,
// or a CRL lacks a revocation; 2 the command line, input, ledger or token cannot be used.
package main

import (
	"context"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/fleet/ledger"
	"example.com/entracba/cba/fleet/rollout"
	"example.com/entracba/cba/fleet/sqlite"
	"example.com/entracba/cba/folder"
	"example.com/entracba/cba/pfx"
	"example.com/entracba/examples/internal/console"
	"example.com/entracba/examples/internal/targets"
	"example.com/entracba/examples/internal/users"
)

func main() { console.Main("fleet", run) }

// options is the command line, read and checked.
type options struct {
	out, ledger, users, ca string
	key                    cba.KeyType
	encoding               pfx.Encoding
	profile                cba.Profile
	renew, reissue         bool
	percent                int // that is left when a certificate is due
	revoke                 []string
	reason                 crl.RevocationReason
	workers                int
	lease                  time.Duration
	export                 string
	ask                    bool // answer from the ledger and write nothing
	sample                 bool // issue for the built-in users
	json                   bool
	token                  tokenOptions
	args                   []string // the command line, for the next command
}

// tokenOptions say where the CA's keys are, if not in files.
type tokenOptions struct{ module, label, pinFile string }

func parse(args []string) (options, error) {
	o := options{key: cba.RSA2048, encoding: pfx.Compatible, args: args}
	f := flag.NewFlagSet("fleet", flag.ContinueOnError)
	f.StringVar(&o.out, "out", filepath.Join("out", "fleet"), "write into `DIR`")
	f.StringVar(&o.ledger, "ledger", "", "`FILE` of the ledger, the database of issued certificates (default ledger.db in the -out folder)")
	f.StringVar(&o.users, "users", "", "the users to issue for: a table in `FILE` with the column upn and, optionally, email, sid, subject, password (CSV), or a list as JSON")
	f.StringVar(&o.ca, "ca", "", "issue with the CA in `DIR`: its certificate and key, in .crt, .cer, .pem, .der, .p7b or .key files (default the CA in the -out folder, created if there is none)")
	f.Func("key", "key `TYPE` of the users: rsa2048 (default), rsa3072, rsa4096, p256, p384, p521",
		func(text string) error { return o.key.UnmarshalText([]byte(text)) })
	f.Func("for", "create PFX files that `TARGET` can open, such as windows-usb, windows-11 or macos-14; or an encoding: compat (default) or modern",
		func(text string) (err error) { o.encoding, err = targets.Encoding(text); return err })
	f.Func("days", "certificates expire after `N` days (default 365)", func(text string) error {
		days, err := strconv.ParseUint(text, 10, 16)
		if err != nil || days == 0 {
			return errors.New("use a number of days from 1 to 65535")
		}
		o.profile.Validity = time.Duration(days) * cba.Day
		return nil
	})
	f.Func("crl-url", "CRL `URL` to write into the certificates; may be repeated", func(text string) error {
		o.profile.CRLURLs = append(o.profile.CRLURLs, text)
		return crl.CheckURL(text)
	})
	f.BoolVar(&o.renew, "renew", false, "also renew certificates that are due, for the users of -users")
	f.IntVar(&o.percent, "due", cba.DefaultRenewal, "a certificate is due for renewal when this `PERCENT` of its validity is left; 100 means all certificates. Without -users: list those that are due")
	f.Func("revoke", "revoke all certificates of the user with this `UPN`; may be repeated", func(text string) error {
		o.revoke = append(o.revoke, text)
		return ledger.CheckOwner(text)
	})
	f.Func("reason", "with -revoke: `REASON` of the revocation: unspecified (default), keyCompromise, affiliationChanged, superseded, cessationOfOperation or privilegeWithdrawn",
		func(text string) error { return o.reason.UnmarshalText([]byte(text)) })
	f.BoolVar(&o.reissue, "reissue", false, "also issue for users of -users whose certificate was revoked")
	f.IntVar(&o.workers, "workers", 0, "make `N` certificates at the same time (default one per core)")
	f.DurationVar(&o.lease, "lease", ledger.DefaultLease, "`DURATION` for which the users of a crashed run stay locked")
	f.StringVar(&o.export, "export", "", "write the ledger to `FILE`, a .csv or .json file")
	f.BoolVar(&o.json, "json", false, "print JSON")
	f.StringVar(&o.token.module, "token-module", "", "keep the CA's keys in a PKCS #11 token: `FILE` of its module, such as libsofthsm2.so")
	f.StringVar(&o.token.label, "token", "", "`LABEL` of the token")
	f.StringVar(&o.token.pinFile, "pin-file", "", "read the PIN of the token from the first line of `FILE`")
	if err := console.ParseFlags(f, args, "Issues, renews and revokes certificates for many users. Without -users and -revoke it only reads.\nThe commands do the same as jobs, on one machine or several; each has -h of its own.",
		"[flags]\n  go run ./examples/fleet COMMAND [flags]\n\nCommands:"+
			"\n  enqueue  add users to issue certificates for"+
			"\n  work     run the jobs on this machine"+
			"\n  status   show how far the jobs have come"+
			"\n  revoke   revoke all certificates of users"+
			"\n  export   write the ledger to a file"+
			"\n  retry    run failed jobs again now"+
			"\n  strays   find PFX files of which the ledger knows nothing"+
			"\n\nA folder belongs to the flags or to the commands; the other way refuses it.",
		"", "-users people.csv -key p256 -crl-url http://pki.contoso.com/ca.crl", "-users people.csv -renew",
		"-revoke jane@contoso.com -reason keyCompromise", "-due 20 -export ledger.csv"); err != nil {
		return o, err
	}
	extension := strings.ToLower(filepath.Ext(o.export))
	switch {
	case f.NArg() > 0:
		return o, console.Usage("unexpected argument %q: a command is enqueue, work, status, revoke, retry, export or strays, and users are listed in a file (-users FILE)", f.Arg(0))
	case checkLedger(o.ledger) != nil:
		return o, checkLedger(o.ledger)
	case isPostgres(o.ledger):
		return o, console.Usage("-ledger names a database server. That works with the commands enqueue, work, status, revoke, export and retry; for help: go run ./examples/fleet work -h")
	case o.workers < 0:
		return o, console.Usage("-workers %d: use 1 or more", o.workers)
	case o.percent < 1 || o.percent > 100:
		return o, console.Usage("-due %d: use 1 to 100 percent", o.percent)
	case o.lease < 10*time.Millisecond:
		return o, console.Usage("-lease %v: use at least 10ms", o.lease)
	case o.export != "" && extension != ".csv" && extension != ".json":
		return o, console.Usage("-export %q: the name must end in .csv or .json", o.export)
	case o.reason == crl.CertificateHold || o.reason == crl.RemoveFromCRL:
		return o, console.Usage("-reason %v: the ledger revokes permanently; use another reason", o.reason)
	case o.token != tokenOptions{} && (o.token.module == "" || o.token.label == "" || o.token.pinFile == ""):
		return o, console.Usage("-token-module, -token and -pin-file are required together")
	case o.token != tokenOptions{} && o.ca != "":
		return o, console.Usage("-ca and -token cannot be combined: the certificates of the token's CA are in the -out folder")
	}
	given := console.Given(f)
	if given["reason"] && len(o.revoke) == 0 {
		return o, console.Usage("-reason needs -revoke UPN")
	}
	if o.users == "" && len(o.revoke) > 0 {
		for _, name := range []string{"renew", "reissue", "key", "for", "days", "crl-url", "workers"} {
			if given[name] {
				return o, console.Usage("-%s has no effect without -users FILE.csv: -revoke issues nothing", name)
			}
		}
	}
	if o.users == "" && len(o.revoke) == 0 {
		for _, name := range []string{"renew", "reissue", "ca", "token"} {
			if given[name] {
				return o, console.Usage("-%s needs -users FILE.csv", name)
			}
		}
		_, err := os.Lstat(o.out)
		o.sample = errors.Is(err, os.ErrNotExist) && o.ledger == "" && !given["export"] && !given["due"]
		o.ask = !o.sample
		for _, name := range []string{"key", "for", "days", "crl-url", "workers"} {
			if given[name] && o.ask {
				return o, console.Usage("%s exists, and nothing is issued without -users FILE.csv: -%s has no effect", o.out, name)
			}
		}
	}
	if o.ledger == "" {
		o.ledger = filepath.Join(o.out, ledgerName)
	}
	return o, console.Apart(args, []string{o.export}, nil, o.ledger, filepath.Join(o.out, folder.ManifestName), filepath.Join(o.out, folder.PasswordsName))
}

// Names in the output folder; the others are of package rollout.
const (
	ledgerName = "ledger.db"
	caName     = "ca"
)

func run(args []string) error {
	if len(args) > 0 {
		if do, ok := commands()[args[0]]; ok {
			return runCommand(do, args[1:])
		}
	}
	o, err := parse(args)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	p := &program{options: o}
	if o.ask {
		return p.answer(ctx)
	}
	if o.users != "" || o.sample {
		if p.list, err = users.Read(o.users); err != nil {
			return err
		}
	}
	if err := p.open(ctx); err != nil {
		return err
	}
	defer p.ledger.Close()
	defer p.rollout.Close()
	if err := p.rollout.Exclusive(ctx, "authority", func() error { return p.openAuthority(ctx) }); err != nil {
		return err
	}
	if p.closeToken != nil {
		defer p.closeToken()
	}
	return p.work(ctx)
}

// program is one run.
type program struct {
	options
	list       *users.List // nil: nothing is to be issued
	ledger     *sqlite.Ledger
	rollout    *rollout.Rollout
	issuer     *cba.Issuer // nil: there is none, and this run makes none
	root       *cba.Issuer // of a token; nil if the root's key is elsewhere
	closeToken func() error
	figures    figures
	stopped    bool // before the list was finished
}

// open opens the ledger and begins the run. A ledger is made only for a new folder,
// and never to revoke.
func (p *program) open(ctx context.Context) error {
	if err := folder.CheckPrivate(p.options.ledger); err != nil {
		return err
	}
	used, err := rollout.Used(p.out)
	if err != nil {
		return err
	}
	create := p.list != nil && used == ""
	if create && p.options.ledger == filepath.Join(p.out, ledgerName) {
		if err := os.MkdirAll(p.out, 0o700); err != nil {
			return err
		}
	}
	l, err := sqlite.Open(ctx, p.options.ledger, sqlite.Options{Existing: !create})
	switch {
	case errors.Is(err, ledger.Missing) && used != "":
		return console.Usage("%s contains files of earlier runs (%s), but their ledger was not found: %w. Nothing was changed. Correct -ledger or -out, or restore the ledger from a backup. To start anew, use a new -out folder, with -ca %s to keep the CA",
			p.out, used, err, filepath.Join(p.out, caName))
	case errors.Is(err, ledger.Missing):
		return console.Usage("nothing to revoke: %w. Correct -ledger or -out", err)
	case err != nil:
		return err
	}
	p.ledger = l
	var jobs int
	if err := l.DB().QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema WHERE name = 'river_job'").Scan(&jobs); err != nil || jobs > 0 {
		l.Close()
		return errors.Join(err, console.Usage("%s is a ledger of jobs: go on with the commands enqueue, work and revoke. To issue without them, use a new -out folder", p.options.ledger))
	}
	p.rollout, err = rollout.Open(ctx, p.out, l, rollout.Options{Create: create, Lease: p.lease})
	if errors.Is(err, rollout.OtherLedger) || errors.Is(err, rollout.OtherFolder) {
		err = console.Usage("%w. Correct -ledger or -out (they are %s and %s). To keep the CA in a new folder, use -ca", err, p.options.ledger, p.out)
	}
	if err != nil {
		l.Close()
	}
	return err
}

// openAuthority loads the CA. A run that issues makes one if there is none.
func (p *program) openAuthority(ctx context.Context) (err error) {
	_, err = os.Stat(filepath.Join(p.out, caName))
	if p.list == nil && p.ca == "" && errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if p.token != (tokenOptions{}) {
		return p.openToken(ctx)
	}
	if err := p.rollout.SetAside(caName + ".part"); err != nil {
		return err
	}
	out, err := p.openFolder(ctx)
	if err != nil {
		return err
	}
	defer out.Close()
	p.issuer, _, err = out.CA(ctx, p.ca, func(ctx context.Context) (*cba.Issuer, error) {
		name, err := dn.Parse("CN=Entra CBA Root CA")
		if err != nil {
			return nil, err
		}
		return cba.NewRoot(ctx, cba.Authority{Name: name, KeyType: p.key.ForCA()})
	})
	return err
}

// openFolder waits until no other run makes or reads the CA.
func (p *program) openFolder(ctx context.Context) (*folder.Folder, error) {
	for {
		f, err := folder.Open(p.out)
		if !errors.Is(err, folder.Busy) {
			return f, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// cas are the CAs whose CRLs this run can publish.
func (p *program) cas() []*cba.Issuer {
	if p.root == nil {
		return []*cba.Issuer{p.issuer}
	}
	return []*cba.Issuer{p.issuer, p.root}
}

// work revokes, issues, and puts everything on record.
func (p *program) work(ctx context.Context) error {
	failed, err := p.revokeAll(ctx)
	if err != nil {
		return err
	}
	if p.issuer == nil {
		p.figures.Summary, err = rollout.Read(ctx, p.out, p.ledger, time.Now(), p.percent, nil)
		return errors.Join(failed, err, p.show(), no("%s revoked in the ledger, but the CRL was not updated: there is no CA in %s. Restore the CA from a backup, or use -ca, and run the command again",
			plural(p.figures.Revoked, "certificate is", "certificates are"), filepath.Join(p.out, caName)))
	}
	// A revocation is published before anything that takes time.
	if len(p.revoke) > 0 {
		if _, err := p.rollout.Publish(ctx, p.cas()...); err != nil {
			return errors.Join(failed, err)
		}
	}
	if p.list != nil {
		failed = errors.Join(failed, p.issue(ctx))
	}
	// Whatever happened, what was issued is put on record.
	finish := context.WithoutCancel(ctx)
	p.figures.Summary, err = p.rollout.Finish(finish, p.percent, p.cas()[0], p.cas()[1:]...)
	if err = errors.Join(err, p.writeExport(finish)); err != nil {
		return errors.Join(failed, err)
	}
	return errors.Join(failed, p.show())
}

func no(format string, args ...any) error {
	return &console.Failure{Status: console.No, Err: fmt.Errorf(format, args...)}
}

// revokeAll revokes in the ledger; failed says what does not end the run.
func (p *program) revokeAll(ctx context.Context) (failed, err error) {
	for _, upn := range p.revoke {
		revoked, err := p.ledger.Revoke(ctx, ledger.OwnerOf(cba.Subject{UPN: upn}), time.Now(), p.reason)
		if errors.Is(err, ledger.NotFound) {
			failed = errors.Join(failed, no("%s has no certificate in %s: nothing to revoke. Remove this user from your list; otherwise the next run issues a certificate", upn, p.options.ledger))
			continue
		}
		if err != nil {
			return failed, err
		}
		p.figures.Revoked += len(revoked)
		for _, e := range revoked {
			if p.issuer != nil && e.Issuer != hex.EncodeToString(p.issuer.Certificate.SubjectKeyId) {
				failed = errors.Join(failed, no("%s: certificate %s is revoked in the ledger, but the CRL was not updated: another CA issued it (key identifier %s). Put that CA into %s and run the command again",
					upn, e.Serial, e.Issuer, filepath.Join(p.out, caName)))
			}
		}
	}
	return failed, nil
}

// issue works through the list of users.
func (p *program) issue(ctx context.Context) error {
	bar := console.NewProgress(os.Stderr, "Issuing", p.list.Count)
	defer bar.End()
	var passwords sync.Map // by UPN: those that the list gives
	var failures []error
	started := time.Now()
	counts, err := p.rollout.Issue(ctx, p.issuer, p.list.Tasks(func(upn, password string) { passwords.Store(upn, password) }), rollout.Issue{
		Profile:    p.profile,
		KeyType:    p.key,
		Encoding:   p.encoding,
		Workers:    p.workers,
		Renew:      p.renew,
		DuePercent: p.percent,
		Reissue:    p.reissue,
		Password: func(s cba.Subject) string {
			password, _ := passwords.Load(s.UPN)
			text, _ := password.(string)
			return text
		},
		Failed: func(s cba.Subject, err error) {
			if len(failures) < 10 {
				failures = append(failures, fmt.Errorf("%s: %w", s.UPN, err))
			}
		},
		Progress: func() { bar.Step(1) },
		Waiting: func(users int) {
			if console.IsTerminal(os.Stderr) {
				bar.End()
				fmt.Fprintf(os.Stderr, "fleet: waiting for %s that another run, or a run that crashed, has locked\n", plural(users, "user", "users"))
			}
		},
	})
	p.figures.Counts = counts
	p.figures.Seconds = time.Since(started).Seconds()
	p.figures.PerSecond = float64(counts.Issued) / p.figures.Seconds
	if err != nil {
		p.stopped = true
		return &console.Failure{Status: console.No, Err: errors.Join(append(failures, fmt.Errorf("%w. Run the same command again to continue", err))...)}
	}
	if counts.Failed > 0 {
		failures = append(failures, fmt.Errorf("%d of %s have no certificate. Fix the errors above and run the command again", counts.Failed, plural(p.list.Count, "user", "users")))
		return &console.Failure{Status: console.No, Err: errors.Join(failures...)}
	}
	return nil
}

// answer reads the ledger, and writes nothing but the file of -export.
func (p *program) answer(ctx context.Context) (err error) {
	p.ledger, err = sqlite.Open(ctx, p.options.ledger, sqlite.Options{ReadOnly: true})
	if errors.Is(err, ledger.Missing) {
		return console.Usage("nothing to read: %w. Correct -ledger or -out, or begin with: %s", err, console.Command("fleet", append(place(p.out, p.options.ledger), "-users", "FILE.csv")...))
	}
	if err != nil {
		return err
	}
	defer p.ledger.Close()
	p.figures.Summary, err = rollout.Read(ctx, p.out, p.ledger, time.Now(), p.percent, func(e ledger.Entry) {
		if p.json || len(p.figures.DueList) < 20 {
			p.figures.DueList = append(p.figures.DueList, dueCertificate{e.Owner, e.Serial, e.NotAfter})
		}
	})
	if err != nil {
		return err
	}
	if err := p.writeExport(ctx); err != nil {
		return err
	}
	return p.show()
}

// writeExport writes the ledger as CSV or JSON.
func (p *program) writeExport(ctx context.Context) error {
	if p.export == "" {
		return nil
	}
	_, err := writeLedger(ctx, p.ledger, p.export)
	return err
}

// writeLedger writes a ledger to a file whose name says in which form, and says how many
// certificates it has.
func writeLedger(ctx context.Context, l ledger.Ledger, name string) (n int, err error) {
	entries := func(yield func(ledger.Entry, error) bool) {
		for e, err := range l.Entries(ctx, ledger.Query{}) {
			if err == nil {
				n++
			}
			if !yield(e, err) {
				return
			}
		}
	}
	err = folder.Stream(name, folder.Secret, func(out io.Writer) error {
		if strings.EqualFold(filepath.Ext(name), ".csv") {
			return ledger.WriteCSV(out, entries)
		}
		return ledger.WriteJSON(out, entries)
	})
	return n, err
}

// figures are the result of a run.
type figures struct {
	rollout.Counts
	Revoked   int     `json:"revoked"` // certificates
	Seconds   float64 `json:"seconds"`
	PerSecond float64 `json:"perSecond"`
	rollout.Summary
	DueList []dueCertificate `json:"dueCertificates,omitempty"` // without -users and -revoke
}

// A dueCertificate is due for renewal.
type dueCertificate struct {
	User         string    `json:"userPrincipalName"`
	SerialNumber string    `json:"serialNumber"`
	NotAfter     time.Time `json:"notAfter"`
}

// show prints the figures.
func (p *program) show() error {
	if p.json {
		return console.Result(console.Stdout, "fleet", p.figures)
	}
	p.report(console.Stdout)
	return nil
}

// plural is a number with its noun.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// report is what a person reads at the end.
func (p *program) report(out io.Writer) {
	style, f := console.StyleFor(os.Stdout), p.figures
	if p.issuer != nil {
		fmt.Fprintf(out, "%s  %s, expires %s\n", style.Bold("CA"), console.Clean(dn.Show(p.issuer.Certificate.RawSubject)), p.issuer.Certificate.NotAfter.Format("2006-01-02"))
	}
	if p.list != nil {
		fmt.Fprintf(out, "%d issued (%s) in %.1f s, %.0f per second; %d skipped (already issued), %d failed\n",
			f.Issued, plural(f.Renewed, "renewal", "renewals"), f.Seconds, f.PerSecond, f.AlreadyIssued, f.Failed)
	}
	if f.WereRevoked > 0 {
		fmt.Fprintf(out, "%s skipped: certificate revoked (-reissue issues a new one)\n", plural(f.WereRevoked, "user", "users"))
	}
	if len(p.revoke) > 0 {
		fmt.Fprintf(out, "%s revoked\n", plural(f.Revoked, "certificate", "certificates"))
	}
	if f.OtherCA > 0 {
		fmt.Fprintf(out, "%s issued by another CA, whose CRL this run does not publish. To replace: -renew -due 100\n", plural(f.OtherCA, "live certificate was", "live certificates were"))
	}
	if n := len(f.Leftovers); n > 0 {
		fmt.Fprintf(out, "%s of crashed runs moved to the leftover folder (not in the ledger):\n", plural(n, "file", "files"))
		for _, name := range f.Leftovers[:min(n, 20)] {
			fmt.Fprintf(out, "  %s\n", console.Clean(name))
		}
		if n > 20 {
			fmt.Fprintf(out, "  and %d more\n", n-20)
		}
	}
	if n := len(f.NotInLedger); n > 0 {
		fmt.Fprintf(out, "%s in %s but not in the ledger. Was the ledger restored from an old backup, or did the power fail? Put the newer ledger back, or move these files away:\n",
			plural(n, "certificate is", "certificates are"), filepath.Join(p.out, "users"))
		for _, name := range f.NotInLedger[:min(n, 20)] {
			fmt.Fprintf(out, "  %s\n", console.Clean(name))
		}
		if n > 20 {
			fmt.Fprintf(out, "  and %d more (-json lists all)\n", n-20)
		}
	}
	if p.ask {
		fmt.Fprintln(out, "Nothing was issued or changed. To issue certificates, use -users FILE.csv.")
	}
	fmt.Fprintln(out)
	rows := [][]string{{"STATE", "CERTIFICATES"}}
	for _, state := range slices.Sorted(maps.Keys(f.Ledger)) {
		rows = append(rows, []string{state.String(), strconv.Itoa(f.Ledger[state])})
	}
	console.Table(out, style, rows...)
	if p.ask {
		p.reportDue(out, style)
	}
	fmt.Fprintln(out)
	rows = [][]string{{"CRL", "NUMBER", "REVOKED", "SIZE", "EXPIRES"}}
	for _, l := range f.Lists {
		rows = append(rows, []string{l.File, l.Number, strconv.Itoa(l.Revoked), plural(l.Bytes, "byte", "bytes"), l.NextUpdate.Format("2006-01-02")})
	}
	console.Table(out, style, rows...)
	manifest := filepath.Join(p.out, "manifest.json")
	if !p.ask {
		fmt.Fprintf(out, "\n%s is the database of issued certificates; back it up. %s lists the files, %s the passwords.\n",
			p.options.ledger, manifest, filepath.Join(p.out, "passwords.csv"))
	}
	if len(p.revoke) > 0 && f.Revoked > 0 {
		p.afterRevoking(out, style)
	}
	console.Written(out, p.export)
	again := console.Command("fleet", p.args...)
	place := place(p.out, p.options.ledger)
	switch {
	case p.stopped:
		console.Next(out, style, "Run this again, to continue. Users who have a certificate are skipped.", again)
	case f.Failed > 0:
		console.Next(out, style, "Mend what the errors name, and run this again. Users who have a certificate are skipped.", again)
	case f.Revoked > 0:
		console.Next(out, style, "Put the CRL where Entra fetches it, then see that it is there and what it says.", console.Command("audit", "-tenant", "ID"))
	case f.Renewed > 0:
		console.Next(out, style, "Write the new IDs to the accounts, in place of the old ones.", console.Command("sync", "-tenant", "ID", "-manifest", manifest, "-replace"))
	case f.Issued > 0 || p.list != nil:
		console.Next(out, style, "Write the IDs to the accounts, as a dry run first.", console.Command("sync", "-tenant", "ID", "-manifest", manifest))
	case len(p.revoke) > 0:
		console.Next(out, style, "See who has which certificate, and in which state.", console.Command("fleet", append(place, "-export", "ledger.csv")...))
	case f.Due > 0:
		args := append(place, "-users", "FILE.csv", "-renew")
		if p.percent != cba.DefaultRenewal {
			args = append(args, "-due", strconv.Itoa(p.percent))
		}
		console.Next(out, style, "Renew those that are due, for the users of your list. Give -key, -crl-url and -for as you did when they were issued.", console.Command("fleet", args...))
	default:
		console.Next(out, style, "Issue for more users.", console.Command("fleet", append(place, "-users", "FILE.csv")...))
	}
}

// place are the flags that say where a ledger and its folder are, without those that say
// what is so without them.
func place(out, ledger string) (args []string) {
	if out != filepath.Join("out", "fleet") {
		args = append(args, "-out", out)
	}
	if ledger != filepath.Join(out, ledgerName) {
		args = append(args, "-ledger", ledger)
	}
	return args
}

// afterRevoking says what makes a revocation count, and from when.
func (p *program) afterRevoking(out io.Writer, style console.Style) {
	fmt.Fprintf(out, "\n%s  a revoked certificate signs in until Entra has the new CRL\n", style.Bold("AFTER REVOKING"))
	for i, step := range []string{
		"Copy the files of " + filepath.Join(p.out, "crl") + " to the server of the CRL URLs that are set on the CAs in Entra. Entra reads the URL that is set on the CA, not the one in the certificates; without one, revoking stops nobody.",
		"Entra fetches the next CRL at the time that the current one names (Next CRL Publish), or else when the current one expires. Until then the certificate signs in.",
		"To end it now: revoke the user's sessions, and remove the certificate's IDs from the account, or disable the account.",
	} {
		fmt.Fprintf(out, "%d. %s\n", i+1, step)
	}
}

func (p *program) reportDue(out io.Writer, style console.Style) {
	fmt.Fprintf(out, "\nDue for renewal: %d\n", p.figures.Due)
	if p.figures.Due == 0 {
		return
	}
	rows := [][]string{{"USER", "SERIAL NUMBER", "EXPIRES"}}
	for _, d := range p.figures.DueList {
		rows = append(rows, []string{d.User, d.SerialNumber, d.NotAfter.Format("2006-01-02")})
	}
	console.Table(out, style, rows...)
	if more := p.figures.Due - len(p.figures.DueList); more > 0 {
		fmt.Fprintf(out, "%d more are not shown; use -json to list all.\n", more)
	}
}
