// Issue creates certificates for Microsoft Entra certificate-based authentication:
// a root CA if there is none, a certificate and a PFX file for each user, and the
// certificateUserIds values that bind each certificate to its account.
//
//	go run ./examples/issue
//	go run ./examples/issue -users FILE.csv -ca DIR -for windows-server-2016
//
// Run again with the same -out, it continues where it stopped: no user gets a second
// certificate. Exit status: 0 done, 1 some users have no certificate, 2 the command
// line or the input cannot be used.
package main

import (
	"cmp"
	"context"
	"crypto/fips140"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	"example.com/entracba/cba"
	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/folder"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/pfx"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
	"example.com/entracba/examples/internal/console"
	"example.com/entracba/examples/internal/users"
)

func main() { console.Main("issue", run) }

// options is the command line, read and checked.
type options struct {
	out, users, ca string
	upns           []string // named on the command line
	key, caKey     cba.KeyType
	encoding       pfx.Encoding
	profile        cba.Profile
	short          bool
	json           bool
}

func parse(args []string) (options, error) {
	o := options{key: cba.RSA2048, encoding: pfx.Compatible}
	f := flag.NewFlagSet("issue", flag.ContinueOnError)
	f.StringVar(&o.out, "out", "out", "write into `DIR`")
	f.StringVar(&o.users, "users", "", "read the users from CSV `FILE`, which has a header row: column upn, and optional columns email, sid, subject, password")
	f.StringVar(&o.ca, "ca", "", "issue with the CA in `DIR`: its certificate and key, in .crt, .cer, .pem, .der, .p7b or .key files")
	f.Func("key", "key `TYPE` of the users: rsa2048 (default), rsa3072, rsa4096, p256, p384, p521",
		func(text string) error { return o.key.UnmarshalText([]byte(text)) })
	f.Func("ca-key", "key `TYPE` of a new CA (default rsa3072, or p256 and p384 for users' keys of that kind, which is twice as fast)",
		func(text string) error { return o.caKey.UnmarshalText([]byte(text)) })
	f.Func("for", "create PFX files that `TARGET` can open, such as windows-11 or macos-14; or an encoding: compat (default) or modern",
		func(text string) (err error) { o.encoding, err = pfx.ParseFor(text); return err })
	f.Func("days", "certificates expire after `N` days (default 365)", func(text string) error {
		days, err := strconv.ParseUint(text, 10, 16)
		if err != nil || days == 0 {
			return errors.New("must be a number of days from 1 to 65535")
		}
		o.profile.Validity = time.Duration(days) * cba.Day
		return nil
	})
	f.Func("policy", "certificate policy `OIDS`, separated by commas", func(text string) error {
		for word := range strings.SplitSeq(text, ",") {
			oid, err := cba.ParseOID(strings.TrimSpace(word))
			if err != nil {
				return err
			}
			o.profile.Policies = append(o.profile.Policies, oid)
		}
		return nil
	})
	f.Func("crl-url", "CRL `URL` to write into the certificates", func(text string) error {
		o.profile.CRLURLs = append(o.profile.CRLURLs, text)
		return nil
	})
	f.BoolVar(&o.short, "allow-short-passwords", false, "accept passwords of fewer than 12 characters from -users")
	f.BoolVar(&o.json, "json", false, "print the manifest as JSON instead of a table")
	if err := console.ParseFlags(f, args, "Creates certificates, PFX files and certificateUserIds values for users.", "[flags] [UPN ...]"); err != nil {
		return o, err
	}
	for _, arg := range f.Args() {
		if strings.HasPrefix(arg, "-") {
			return o, console.Usage("%s stands behind a user; put all flags in front of the users", arg)
		}
	}
	o.upns = f.Args()
	return o, nil
}

func run(args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	if fips140.Enforced() {
		return console.Usage("GODEBUG=fips140=only forbids SHA-1, which every PFX file needs, so this mode cannot write a PFX. Nothing was created. Use fips140=on, or run without it.")
	}
	list, err := users.Read(o.users, o.upns...)
	if err != nil {
		return err
	}
	if list.Short != "" && !o.short {
		return console.Usage("the password for %s has fewer than 12 characters, and nothing else protects the PFX file. Use a longer one, leave the column empty to have passwords generated, or pass -allow-short-passwords.", list.Short)
	}
	out, err := folder.Open(o.out)
	if err != nil {
		return err
	}
	defer out.Close()
	interrupt, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	issuer, made, err := out.CA(interrupt, o.ca, o.newRoot)
	if err != nil {
		return o.advise(err)
	}
	if o.caKey != 0 && !made {
		return console.Usage("-ca-key is for a new CA, and %s has one. Leave the flag out, or use a new -out folder.", cmp.Or(o.ca, filepath.Join(o.out, folder.CAName)))
	}
	journal, err := out.Journal(folder.DescribeCA(issuer))
	if err != nil {
		return o.advise(err)
	}
	ctx, abort := context.WithCancelCause(interrupt)
	defer abort(nil)
	w := &work{options: o, issuer: issuer, list: list, out: out, journal: journal, abort: abort, notes: map[string]note{}}
	failed := w.issue(ctx)
	// Whatever happened, what was issued is put on record.
	if err := journal.Close(); err != nil {
		return errors.Join(err, fmt.Errorf("every issued certificate is recorded in %s; free disk space and run the same command again", filepath.Join(o.out, "journal.jsonl")))
	}
	if err := o.handOver(issuer); err != nil {
		return errors.Join(failed, err)
	}
	if o.json {
		text, err := os.Open(filepath.Join(o.out, folder.ManifestName))
		if err != nil {
			return err
		}
		defer text.Close()
		if _, err := io.Copy(os.Stdout, text); err != nil {
			return err
		}
	} else {
		if err := w.report(os.Stdout, made); err != nil {
			return errors.Join(failed, err)
		}
	}
	return failed
}

// newRoot makes the CA of a new folder.
func (o options) newRoot(ctx context.Context) (*cba.Issuer, error) {
	name, err := dn.Parse("CN=Entra CBA Root CA")
	if err != nil {
		return nil, err
	}
	return cba.NewRoot(ctx, cba.Authority{Name: name, KeyType: cmp.Or(o.caKey, o.key.ForCA())})
}

// advise says which flag to change.
func (o options) advise(err error) error {
	var e *folder.Error
	switch {
	case errors.Is(err, folder.OtherCA) && errors.As(err, &e):
		return console.Usage("%s belongs to a different CA. Use a new -out folder, or pass the original CA with -ca.", e.Path)
	case errors.Is(err, cba.Missing):
		return console.Usage("%w. Pass the folder that contains the certificate and the key with -ca.", err)
	case o.ca != "":
		return console.Usage("-ca: %w", err)
	}
	return err
}

// work is one run.
type work struct {
	options
	issuer  *cba.Issuer
	list    *users.List
	out     *folder.Folder
	journal *folder.Journal
	abort   context.CancelCauseFunc // ends the list: for what would fail for everyone

	passwords sync.Map // by folder.Key: those that the file gives, while they are needed
	counts    cba.Progress
	shown     []cba.Result // the first few, for the table
	notes     map[string]note
}

// A note is a finding and how many certificates have it.
type note struct {
	lint.Finding
	count int
}

// A delivery is what a worker leaves beside the certificate.
type delivery struct {
	folder.Entry
	files []*folder.Pending
}

// tableRows is how many users the table shows.
const tableRows = 20

// issue works through the list.
func (w *work) issue(ctx context.Context) error {
	bar := console.NewProgress(os.Stderr, "Issuing", w.list.Count)
	defer bar.End()
	results := w.issuer.IssueAll(ctx, w.list.Tasks(func(upn, password string) {
		w.passwords.Store(folder.Key(upn), password)
	}), cba.Bulk{
		Profile: w.profile,
		KeyType: w.key,
		Journal: w,
		Finish:  w.finish,
		Progress: func(counts cba.Progress) {
			w.counts = counts
			bar.Step(1)
		},
	})
	var failures []error
	for result, err := range results {
		switch {
		case err != nil && result.Task.Subject.UPN == "", errors.Is(err, ctx.Err()) && ctx.Err() != nil:
			if cause := context.Cause(ctx); cause != nil {
				if errors.Is(cause, context.Canceled) {
					cause = errors.New("interrupted")
				}
				err = fmt.Errorf("stopped after %s: %w; run the same command again to continue", console.Count(w.counts.Issued, "certificate"), cause)
			}
			return &console.Failure{Status: console.No, Err: errors.Join(append(failures, err)...)}
		case err != nil:
			if len(failures) < 10 {
				failures = append(failures, fmt.Errorf("%s: %w", result.Task.Subject.UPN, err))
			}
			continue
		}
		if len(w.shown) < tableRows {
			w.shown = append(w.shown, result)
		}
		for _, f := range result.Findings {
			w.notes[f.Code] = note{f, w.notes[f.Code].count + 1}
		}
	}
	if w.counts.Failed > 0 {
		failures = append(failures, fmt.Errorf("%d of %d users have no certificate; fix the errors above and run the command again", w.counts.Failed, w.list.Count))
		return &console.Failure{Status: console.No, Err: errors.Join(failures...)}
	}
	return nil
}

// Done is part of [cba.Journal].
func (w *work) Done(_ context.Context, subject cba.Subject) (bool, error) {
	return w.journal.Has(subject.UPN), nil
}

// Record is part of [cba.Journal]: first the line on the disk, then the files in
// their place. A kill in between is mended by the next run.
func (w *work) Record(_ context.Context, result cba.Result) error {
	d := result.Made.(delivery)
	if err := w.journal.Add(d.Entry); err != nil {
		for _, file := range d.files {
			file.Discard()
		}
		return err
	}
	for _, file := range d.files {
		if err := file.Commit(); err != nil {
			return err
		}
	}
	return nil
}

// finish packs the PFX and writes both files beside their places, on a worker.
func (w *work) finish(_ context.Context, result *cba.Result) error {
	upn := result.Task.Subject.UPN
	d := delivery{Entry: folder.Entry{Password: pfx.GeneratePassword()}}
	if given, ok := w.passwords.LoadAndDelete(folder.Key(upn)); ok {
		d.Password = given.(string)
	}
	file, err := w.encoding.Encode(pfx.Bundle{
		Key:          result.Key,
		Certificate:  result.Certificate,
		Chain:        w.issuer.CACertificates(),
		Proof:        result.Proof,
		FriendlyName: upn,
	}, d.Password)
	if errors.Is(err, pfx.BadPassword) {
		return unfit(upn, d.Password, err)
	}
	if err != nil {
		return err
	}
	d.User = folder.DescribeUser(upn, result.Certificate)
	d.User.PFXEncoding = w.encoding.String()
	prepare := func(name string, mode fs.FileMode, content []byte) error {
		pending, err := w.out.Prepare(name, mode, content)
		if err == nil {
			d.files = append(d.files, pending)
		}
		return err
	}
	if err = prepare(d.User.PFX, folder.Secret, file); err == nil {
		err = prepare(d.User.Certificate, folder.Public, cba.EncodeCertificates(result.Certificate))
	}
	if err != nil {
		for _, pending := range d.files {
			pending.Discard()
		}
		w.abort(err) // a disk that is full is full for everyone
		return err
	}
	result.Key = nil // it is in the file now, and nowhere else
	result.Made = d
	return nil
}

// unfit says what is wrong with a password, without the password.
func unfit(upn, password string, err error) error {
	if password == "" || !strings.ContainsFunc(password, func(r rune) bool { return r > unicode.MaxASCII }) {
		return fmt.Errorf("the password for %s cannot be used: %w", upn, err)
	}
	return fmt.Errorf("the password for %s contains a non-ASCII character. Some PFX importers then report a wrong password; use ASCII letters and digits", upn)
}

// report is what a person reads at the end.
func (w *work) report(out io.Writer, made bool) error {
	style := console.StyleFor(os.Stdout)
	path := func(name string) string { return filepath.Join(w.options.out, filepath.FromSlash(name)) }
	ca := folder.DescribeCA(w.issuer)
	state := "from " + w.ca
	if w.ca == "" {
		state = "from an earlier run"
		if made {
			state = "created by this run"
		}
	}
	fmt.Fprintf(out, "%s  %s (%s), expires %s\n\n", style.Bold("CA"), console.Clean(ca.Subject), state, ca.NotAfter.Format("2006-01-02"))

	config, err := plainTenant(w.issuer)
	if err != nil {
		return err
	}
	// No CRL is published yet.
	tenant, err := config.Compile(signin.Options{SkipRevocation: true})
	if err != nil {
		return err
	}
	rows := [][]string{{"USER", "STATUS", "EXPIRES", "SIGN-IN", "PFX FILE"}}
	for _, result := range w.shown {
		if result.Skipped {
			rows = append(rows, []string{result.Task.Subject.UPN, "already issued", "", "", path("users/" + result.Task.Subject.UPN + ".pfx")})
			continue
		}
		u := result.Made.(delivery).User
		rows = append(rows, []string{u.UPN, "issued", u.NotAfter.Format("2006-01-02"), signIn(tenant, result), path(u.PFX)})
	}
	console.Table(out, style, rows...)
	if more := w.counts.Issued + w.counts.Skipped - len(w.shown); more > 0 {
		fmt.Fprintf(out, "%s not shown; all users are in %s\n", console.Count(more, "more user"), path(folder.ManifestName))
	}
	fmt.Fprintln(out)
	if w.counts.Issued > 0 {
		fmt.Fprintln(out, "SIGN-IN: expected result once this CA is uploaded and certificate-based authentication is enabled with default settings.")
	}
	fmt.Fprintf(out, "%d issued, %d skipped (already issued), %d failed; PFX encoding %s\n",
		w.counts.Issued, w.counts.Skipped, w.counts.Failed, w.encoding)

	for _, result := range w.shown {
		if result.Skipped {
			continue
		}
		fmt.Fprintf(out, "\n%s  certificateUserIds values that bind this certificate to %s\n", style.Bold("IDS"), console.Clean(result.Task.Subject.UPN))
		rows := [][]string{{"MAPPING", "AFFINITY", "VALUE"}}
		for _, id := range certuserid.All(result.Certificate) {
			rows = append(rows, []string{id.Mapping().Name(), string(id.Mapping().Affinity()), id.String()})
		}
		console.Table(out, style, rows...)
		break // one shows the form; the manifest has all
	}
	for i, code := range slices.Sorted(maps.Keys(w.notes)) {
		if i == 0 {
			fmt.Fprintf(out, "\n%s\n", style.Bold("NOTES"))
		}
		n := w.notes[code]
		fmt.Fprintf(out, "%s, %d of %s: %s: %s (%s)\n", n.Severity, n.count, console.Count(w.counts.Issued, "certificate"), console.Clean(n.Where), console.Clean(n.What), n.Code)
		if n.Do != "" {
			fmt.Fprintf(out, "  %s\n", console.Clean(n.Do))
		}
	}
	fmt.Fprintf(out, "\n%s\n", style.Bold("NEXT"))
	console.Table(out, console.Style{},
		[]string{"1.", "Upload " + path("ca/rootCA.cer") + " to the tenant as a certificate authority, and enable certificate-based authentication."},
		[]string{"2.", "Give each user their PFX file. Send the password (" + path(folder.PasswordsName) + ") through a different channel."},
		[]string{"", "For files that install the certificate: go run ./examples/deliver -to windows-usb -out usb -manifest " + path(folder.ManifestName)},
		[]string{"3.", "To bind accounts with high affinity, write the IDs to Entra: go run ./examples/sync -tenant ID -manifest " + path(folder.ManifestName)},
		[]string{"", "To see what Entra would answer to each user after a change, edit a copy of " + path(tenantName) + ": go run ./examples/explain -tenant " + path(tenantName) + " -users " + path(usersName) + " -then changed.json"},
		[]string{"", "To see every ID of a certificate: go run ./examples/userids " + path("users/"+firstUPN(w.shown)+".crt")},
	)
	if w.ca == "" {
		fmt.Fprintf(out, "\nAnyone with %s can create a certificate for any user. Move it to an HSM or to offline storage.\n", path("ca/rootCA.key"))
	}
	return nil
}

// signIn says what the tenant answers to the owner of a new certificate.
func signIn(tenant *signin.Tenant, result cba.Result) string {
	answer, err := tenant.Decide(context.Background(), signin.Request{
		User:        &policy.User{UserPrincipalName: result.Task.Subject.UPN},
		Certificate: result.Certificate,
		At:          time.Now(),
	})
	switch {
	case err != nil:
		return err.Error()
	case answer.Outcome == signin.Undecided:
		return "cannot be told"
	case !answer.SignedIn:
		return "refused, " + answer.Code
	}
	return answer.AuthenticationMode.String()
}

func firstUPN(results []cba.Result) string {
	if len(results) == 0 {
		return "UPN"
	}
	return results[0].Task.Subject.UPN
}
