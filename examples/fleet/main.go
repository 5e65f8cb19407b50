// Fleet issues, renews and revokes certificates for users of Microsoft Entra
// certificate-based authentication by the thousand: with a ledger of who has what,
// revocation lists, and CA keys in files or in a PKCS #11 token.
//
//	go run ./examples/fleet
//	go run ./examples/fleet -users FILE.csv -ledger ledger.db -key p256
//	go run ./examples/fleet -users FILE.csv -ledger ledger.db -renew
//	go run ./examples/fleet -ledger ledger.db -revoke jane@yourdomain.com -reason keyCompromise
//	go run ./examples/fleet -ledger ledger.db -due 20
//
// Without -users and -revoke it reads the ledger and writes nothing but the file of
// -export. Only where there is nothing yet, neither folder nor ledger, it issues for
// three sample users.
//
// Kill it and run it again: it goes on where it stopped, and nobody gets a second
// certificate. Run it several times at once on one ledger: they share the work.
// Exit status: 0 done, 1 some users have no certificate, 2 unusable command line,
// input, ledger or token.
package main

import (
	"context"
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
	"syscall"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/fleet/ledger"
	"example.com/entracba/cba/fleet/sqlite"
	"example.com/entracba/cba/pfx"
	"example.com/entracba/examples/internal/console"
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
	due                    int
	revoke                 []string
	reason                 crl.RevocationReason
	workers                int
	lease                  time.Duration
	export                 string
	ask                    bool // answer from the ledger and write nothing
	sample                 bool // issue for the built-in users
	json                   bool
	token                  tokenOptions
}

// tokenOptions say where the CA's keys are, if not in files.
type tokenOptions struct{ module, label, pinFile string }

func parse(args []string) (options, error) {
	o := options{key: cba.RSA2048, encoding: pfx.Compatible}
	f := flag.NewFlagSet("fleet", flag.ContinueOnError)
	f.StringVar(&o.out, "out", filepath.Join("out", "fleet"), "write into this `folder`")
	f.StringVar(&o.ledger, "ledger", "", "ledger `file` (default ledger.db in the folder of -out)")
	f.StringVar(&o.users, "users", "", "CSV `file` with a header row: upn, and optional email, sid, subject, password")
	f.StringVar(&o.ca, "ca", "", "use the CA in this `folder`: certificate and key in .crt, .cer, .pem or .key files")
	f.Func("key", "`type` of user keys: rsa2048 (default), rsa3072, rsa4096, p256, p384, p521",
		func(text string) error { return o.key.UnmarshalText([]byte(text)) })
	f.Func("for", "`target` that must open the PFX files (windows-11, macos-14, ...), or compat (default) or modern",
		func(text string) (err error) { o.encoding, err = pfx.ParseFor(text); return err })
	f.Func("days", "days of validity (default 365)", func(text string) error {
		days, err := strconv.ParseUint(text, 10, 16)
		if err != nil || days == 0 {
			return errors.New("want a number of days from 1 to 65535")
		}
		o.profile.Validity = time.Duration(days) * cba.Day
		return nil
	})
	f.Func("crl-url", "`URL` of the CA's revocation list, written into the certificates", func(text string) error {
		o.profile.CRLURLs = append(o.profile.CRLURLs, text)
		return crl.CheckURL(text)
	})
	f.BoolVar(&o.renew, "renew", false, "also renew certificates of the list that are due")
	f.IntVar(&o.due, "due", cba.DefaultRenewal, "`percent` of the validity that is left when a certificate is due; 100 renews all")
	f.Func("revoke", "revoke every certificate of this `UPN`; may be given again", func(text string) error {
		o.revoke = append(o.revoke, text)
		return ledger.CheckRequest(text)
	})
	f.Func("reason", "`reason` of the revocation: unspecified (default), keyCompromise, affiliationChanged, superseded, cessationOfOperation, privilegeWithdrawn",
		func(text string) error { return o.reason.UnmarshalText([]byte(text)) })
	f.BoolVar(&o.reissue, "reissue", false, "issue also for users of the list whose certificate was revoked")
	f.IntVar(&o.workers, "workers", 0, "`number` of certificates to make at once (default one for each core)")
	f.DurationVar(&o.lease, "lease", ledger.DefaultLease, "how `long` users that a killed run was working on stay reserved")
	f.StringVar(&o.export, "export", "", "write the ledger to this `file`, .csv or .json")
	f.BoolVar(&o.json, "json", false, "print the figures as JSON")
	f.StringVar(&o.token.module, "token-module", "", "PKCS #11 module `file` (libsofthsm2.so, ...): make or use CA keys in a token")
	f.StringVar(&o.token.label, "token", "", "`label` of the token")
	f.StringVar(&o.token.pinFile, "pin-file", "", "`file` with the PIN of the token in its first line")
	f.Usage = func() {
		fmt.Fprintf(f.Output(), "Issues, renews and revokes certificates for many users.\n\nUsage: go run ./examples/fleet [flags]\n\n")
		f.PrintDefaults()
	}
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return o, err
		}
		return o, &console.Failure{Status: console.Unusable, Err: errors.New("see fleet -h")}
	}
	extension := strings.ToLower(filepath.Ext(o.export))
	switch {
	case f.NArg() > 0:
		return o, console.Usage("unexpected argument %q: users go into a file, -users FILE.csv", f.Arg(0))
	case o.workers < 0:
		return o, console.Usage("-workers %d: want 1 or more", o.workers)
	case o.due < 1 || o.due > 100:
		return o, console.Usage("-due %d: want 1 to 100 percent", o.due)
	case o.lease < 10*time.Millisecond:
		return o, console.Usage("-lease %v: want at least 10ms", o.lease)
	case o.export != "" && extension != ".csv" && extension != ".json":
		return o, console.Usage("-export %q: the name must end in .csv or .json", o.export)
	case o.reason == crl.CertificateHold || o.reason == crl.RemoveFromCRL:
		return o, console.Usage("-reason %v: the ledger revokes for good", o.reason)
	case o.token != tokenOptions{} && (o.token.module == "" || o.token.label == "" || o.token.pinFile == ""):
		return o, console.Usage("a token needs -token-module, -token and -pin-file")
	case o.token != tokenOptions{} && o.ca != "":
		return o, console.Usage("-ca and -token exclude each other: the CA of a token is kept in the folder of -out")
	}
	given := map[string]bool{}
	f.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if o.users == "" && len(o.revoke) == 0 {
		for _, name := range []string{"renew", "reissue", "ca", "token"} {
			if given[name] {
				return o, console.Usage("-%s needs the list of users: -users FILE.csv", name)
			}
		}
		_, err := os.Lstat(o.out)
		o.sample = errors.Is(err, os.ErrNotExist) && o.ledger == "" && !given["export"] && !given["due"]
		o.ask = !o.sample
	}
	if o.ledger == "" {
		o.ledger = filepath.Join(o.out, ledgerName)
	}
	return o, nil
}

// ledgerName is the ledger in the output folder.
const ledgerName = "ledger.db"

func run(args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	w := &work{options: o, holder: ledger.NewHolder(), failed: map[string]bool{}, own: map[string]bool{}}
	w.journal.name = filepath.Join(w.path(runsName), w.holder+journalExtension)
	if o.users != "" || o.sample {
		if w.list, err = users.Read(o.users); err != nil {
			return err
		}
	}
	interrupt, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, abort := context.WithCancelCause(interrupt)
	defer abort(nil)
	w.abort = abort
	if o.ask {
		return w.answer(ctx)
	}
	err = w.openLedger(ctx, w.list != nil)
	if w.ledger != nil {
		defer w.ledger.Close()
	}
	if err != nil {
		return err
	}
	for _, name := range []string{usersName, crlName, runsName} {
		if err := os.MkdirAll(w.path(name), 0o700); err != nil {
			return err
		}
	}
	defer func() { w.ledger.Release(context.WithoutCancel(ctx), w.holder) }()
	if _, err := w.ledger.Claim(ctx, runRequest(w.holder), ledger.Claim{Holder: w.holder, Lease: w.lease}); err != nil {
		return err
	}
	if err := w.openAuthority(ctx); err != nil {
		return err
	}
	if w.closeToken != nil {
		defer w.closeToken()
	}

	var failed error
	for _, upn := range o.revoke {
		revoked, err := w.ledger.Revoke(ctx, requestOf(upn), time.Now(), o.reason)
		if errors.Is(err, &ledger.Error{Reason: ledger.NotFound}) {
			failed = errors.Join(failed, &console.Failure{Status: console.No, Err: fmt.Errorf("%s has no certificate in %s: nothing to revoke (take them off the list, or the next run issues one)", upn, o.ledger)})
			continue
		}
		if err != nil {
			return err
		}
		w.figures.Revoked += len(revoked)
		for _, e := range revoked {
			if w.issuer != nil && e.Issuer != w.keyID() {
				failed = errors.Join(failed, &console.Failure{Status: console.No, Err: fmt.Errorf(
					"%s: certificate %s is revoked in the ledger, but in no list: it is of another CA (key identifier %s); run again with that one in %s", upn, e.Serial, e.Issuer, filepath.Join(w.out, "ca"))})
			}
		}
	}
	if w.issuer == nil {
		return errors.Join(failed, w.count(ctx), w.show(), &console.Failure{Status: console.No, Err: fmt.Errorf(
			"%d certificates are revoked in the ledger, but in no list: there is no CA in %s; restore it from a backup, or give it with -ca, and run again", w.figures.Revoked, w.path(caName))})
	}
	// A revocation is published before anything that takes time.
	if len(o.revoke) > 0 {
		if err := w.publish(ctx); err != nil {
			return errors.Join(failed, err)
		}
	}
	if w.list != nil {
		failed = errors.Join(failed, w.issue(ctx))
	}
	// Whatever happened, what was issued is put on record.
	finish := context.WithoutCancel(ctx)
	if err := errors.Join(w.publish(finish), w.sweep(finish), w.writeManifest(finish), w.writeExport(finish)); err != nil {
		return errors.Join(failed, err)
	}
	return errors.Join(failed, w.show())
}

// answer reads the ledger, and writes nothing but the file of -export.
func (w *work) answer(ctx context.Context) (err error) {
	l, err := sqlite.Open(ctx, w.options.ledger, sqlite.Options{ReadOnly: true})
	if errors.Is(err, &ledger.Error{Reason: ledger.Missing}) {
		return console.Usage("%w: nothing to read. Correct -ledger or -out, or issue with -users FILE.csv", err)
	}
	if err != nil {
		return err
	}
	defer l.Close()
	w.ledger = l
	if err := w.count(ctx); err != nil {
		return err
	}
	if w.figures.RevocationList, err = w.listsIn(); err != nil {
		return err
	}
	if err := w.writeExport(ctx); err != nil {
		return err
	}
	return w.show()
}

// count counts the certificates by state, and those that are due.
func (w *work) count(ctx context.Context) error {
	now := time.Now()
	w.figures.Ledger, w.figures.Due = map[string]int{}, 0
	for e, err := range w.ledger.Entries(ctx, ledger.Query{}) {
		if err != nil {
			return err
		}
		w.figures.Ledger[e.State.String()]++
		if e.Due(now, w.due) {
			w.figures.Due++
			if len(w.soonest) < 20 {
				w.soonest = append(w.soonest, e)
			}
		}
	}
	return nil
}

// show prints the figures.
func (w *work) show() error {
	if w.json {
		return console.JSON(os.Stdout, w.figures)
	}
	w.report(os.Stdout)
	return nil
}

// figures are what a run came to.
type figures struct {
	Issued         int            `json:"issued"` // new ones and renewals
	Renewed        int            `json:"renewed"`
	HadOne         int            `json:"hadOne"`
	WereRevoked    int            `json:"wereRevoked"` // on the list, and left alone
	Failed         int            `json:"failed"`
	Revoked        int            `json:"revoked"` // certificates
	Seconds        float64        `json:"seconds"`
	PerSecond      float64        `json:"perSecond"`
	Ledger         map[string]int `json:"ledger"`              // certificates by state
	Due            int            `json:"due"`                 // live ones that are due for renewal
	OtherCA        int            `json:"otherCA"`             // live ones that another CA issued
	Leftovers      []string       `json:"leftovers,omitempty"` // files of killed runs, where they are now
	RevocationList []listFigures  `json:"revocationLists"`
}

type listFigures struct {
	File       string    `json:"file"`
	Number     string    `json:"number"`
	Revoked    int       `json:"revoked"`
	Bytes      int       `json:"bytes"`
	NextUpdate time.Time `json:"nextUpdate"`
}

// report is what a person reads at the end.
func (w *work) report(out io.Writer) {
	style := console.StyleFor(os.Stdout)
	if w.issuer != nil {
		fmt.Fprintf(out, "%s  %s, until %s\n", style.Bold("CA"), console.Clean(w.describe().Subject), w.issuer.Certificate.NotAfter.Format("2006-01-02"))
	}
	if w.list != nil {
		fmt.Fprintf(out, "%d issued (%d of them renewals) in %.1f s, %.0f a second; %d had one, %d failed\n",
			w.figures.Issued, w.figures.Renewed, w.figures.Seconds, w.figures.PerSecond, w.figures.HadOne, w.figures.Failed)
	}
	if w.figures.WereRevoked > 0 {
		fmt.Fprintf(out, "%d users of the list got none because theirs was revoked; -reissue issues for them again\n", w.figures.WereRevoked)
	}
	if len(w.revoke) > 0 {
		fmt.Fprintf(out, "%d certificates revoked\n", w.figures.Revoked)
	}
	if w.figures.OtherCA > 0 {
		fmt.Fprintf(out, "%d live certificates are of another CA, whose revocation list this run does not publish; -renew -due 100 replaces them\n", w.figures.OtherCA)
	}
	if n := len(w.figures.Leftovers); n > 0 {
		fmt.Fprintf(out, "%d files of runs that were killed before they were recorded are now in %s:\n", n, w.path(leftoverName))
		for _, name := range w.figures.Leftovers[:min(n, 20)] {
			fmt.Fprintf(out, "  %s\n", console.Clean(filepath.Base(name)))
		}
		if n > 20 {
			fmt.Fprintf(out, "  and %d more\n", n-20)
		}
	}
	if w.ask {
		fmt.Fprintf(out, "Nothing was issued or changed; to issue, give -users FILE.csv.\n")
	}
	fmt.Fprintln(out)
	rows := [][]string{{"STATE", "CERTIFICATES"}}
	for _, state := range slices.Sorted(maps.Keys(w.figures.Ledger)) {
		rows = append(rows, []string{state, strconv.Itoa(w.figures.Ledger[state])})
	}
	console.Table(out, style, rows...)
	if w.ask {
		fmt.Fprintf(out, "\nDue for renewal: %d\n", w.figures.Due)
		for i, e := range w.soonest {
			if i == 0 {
				rows = [][]string{{"USER", "SERIAL NUMBER", "EXPIRES"}}
			}
			rows = append(rows, []string{firstOf(e.UPN, e.Request), e.Serial, e.NotAfter.Format("2006-01-02")})
		}
		if n := len(w.soonest); n > 0 {
			console.Table(out, style, rows...)
			if w.figures.Due > n {
				fmt.Fprintf(out, "%d more are not shown; -export has all.\n", w.figures.Due-n)
			}
		}
	}
	fmt.Fprintln(out)
	rows = [][]string{{"REVOCATION LIST", "NUMBER", "REVOKED", "SIZE", "UNTIL"}}
	for _, l := range w.figures.RevocationList {
		rows = append(rows, []string{l.File, l.Number, strconv.Itoa(l.Revoked), fmt.Sprintf("%d B", l.Bytes), l.NextUpdate.Format("2006-01-02")})
	}
	console.Table(out, style, rows...)
	if w.ask {
		return
	}
	fmt.Fprintf(out, "\n%s holds who has what, %s the files, %s the passwords.\n", w.options.ledger, filepath.Join(w.out, "manifest.json"), filepath.Join(w.out, "passwords.csv"))
}
