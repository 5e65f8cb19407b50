// Issue creates certificates for Microsoft Entra certificate-based authentication:
// a root CA if there is none, a certificate and a PFX file for each user, and the
// certificateUserIds values that bind each certificate to its account.
//
//	go run ./examples/issue
//	go run ./examples/issue -ca-name "Contoso Root CA" jane@contoso.com john@contoso.com
//	go run ./examples/issue -users FILE.csv -ca DIR -for windows-server-2016
//
// Without users it issues for three samples into a new folder; of a folder that exists it
// shows what is there, and writes nothing.
//
// Run again with the same -out, it continues where it stopped: no user gets a second
// certificate. It looks for the files of everyone who has one. What is missing or damaged
// is named, and -mend issues anew to these users. Exit status: 0 done, 1 some users have no
// certificate, or lack a file, 2 the command line or the input cannot be used.
package main

import (
	"cmp"
	"context"
	"crypto/fips140"
	"errors"
	"flag"
	"fmt"
	"io/fs"
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
	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/folder"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/pfx"
	"example.com/entracba/examples/internal/console"
	"example.com/entracba/examples/internal/saved"
	"example.com/entracba/examples/internal/targets"
	"example.com/entracba/examples/internal/users"
)

func main() { console.Main("issue", run) }

// options is the command line, read and checked.
type options struct {
	caPassword     string // file with the password of a PFX
	out, users, ca string
	caName         dn.Name
	upns           []string // named on the command line
	sample         bool     // issue for the samples
	mend           bool
	args           []string // the command line, for the next command
	idle           []string // flags that matter only to those who get a certificate
	key, caKey     cba.KeyType
	encoding       pfx.Encoding
	profile        cba.Profile
	short          bool
	json           bool
}

func parse(args []string) (options, error) {
	o := options{key: cba.RSA2048, encoding: pfx.Compatible, args: args}
	f := flag.NewFlagSet("issue", flag.ContinueOnError)
	f.StringVar(&o.out, "out", "out", "write into `DIR`")
	f.Func("ca-name", "`NAME` of a new CA, such as \"Contoso Root CA\" or CN=Root,O=Contoso (default Entra CBA Root CA)", func(text string) (err error) {
		o.caName, err = caName(text)
		return err
	})
	f.StringVar(&o.users, "users", "", "the users to issue for: a table in `FILE` with the column upn and, optionally, email, sid, subject, password (CSV), or a list as JSON")
	f.StringVar(&o.ca, "ca", "", "issue with the CA in `DIR|FILE`: its certificate and key, in .crt, .cer, .pem, .der, .p7b or .key files, or a PFX file")
	saved.PasswordFlag(f, &o.caPassword)
	f.Func("key", "key `TYPE` of the users: rsa2048 (default), rsa3072, rsa4096, p256, p384, p521",
		func(text string) error { return o.key.UnmarshalText([]byte(text)) })
	f.Func("ca-key", "key `TYPE` of a new CA (default rsa3072, or p256 and p384 for users' keys of that kind, which is twice as fast)",
		func(text string) error { return o.caKey.UnmarshalText([]byte(text)) })
	f.Func("for", "create PFX files that `TARGET` can open, such as windows-usb, windows-11 or macos-14; or an encoding: compat (default) or modern",
		func(text string) (err error) { o.encoding, err = targets.Encoding(text); return err })
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
	f.Func("crl-url", "CRL `URL` to write into the certificates; may be repeated", func(text string) error {
		o.profile.CRLURLs = append(o.profile.CRLURLs, text)
		return crl.CheckURL(text)
	})
	f.BoolVar(&o.mend, "mend", false, "issue a new certificate to users whose file or password is missing or damaged; what is left of the old files moves to leftover/")
	f.BoolVar(&o.short, "allow-short-passwords", false, "accept passwords of fewer than 12 characters from -users")
	f.BoolVar(&o.json, "json", false, "print JSON, with the outcome for every user")
	if err := console.ParseFlags(f, args, "Creates certificates, PFX files and certificateUserIds values for users.", "[flags] [UPN ...]",
		"", "jane@contoso.com john@contoso.com", "-users people.csv -for windows-server-2016 -days 180 -crl-url http://pki.contoso.com/ca.crl"); err != nil {
		return o, err
	}
	for _, arg := range f.Args() {
		if strings.HasPrefix(arg, "-") {
			return o, console.Usage("%s stands behind a user; put all flags in front of the users", arg)
		}
	}
	o.upns = f.Args()
	given := console.Given(f)
	for _, name := range []string{"key", "for", "days", "policy", "crl-url"} {
		if given[name] {
			o.idle = append(o.idle, "-"+name)
		}
	}
	named := len(o.upns) > 0 || o.users != ""
	_, err := os.Lstat(o.out)
	o.sample = !named && errors.Is(err, fs.ErrNotExist)
	example := console.Command("issue", append(slices.Clone(args), "jane@contoso.com")...)
	switch {
	case o.ca != "" && (o.caName != nil || o.caKey != 0):
		return o, console.Usage("-ca-name and -ca-key are for a new CA: they have no effect with -ca")
	case o.ca == "" && o.caPassword != "":
		return o, console.Usage("-password-file is for a CA in a PFX file: give -ca FILE as well")
	case !named && o.ca != "":
		return o, console.Usage("-ca %s: name the users to issue for, as in: %s", o.ca, example)
	case !named && o.mend:
		return o, console.Usage("-mend: name the users who are to get a new certificate, or give their list with -users FILE")
	case !named && !o.sample && (len(o.idle) > 0 || o.caName != nil || o.caKey != 0):
		return o, console.Usage("%s exists, so no samples are issued: name the users, as in: %s", o.out, example)
	}
	return o, nil
}

// caName reads the name of a new CA: a distinguished name, or a common name.
func caName(text string) (dn.Name, error) {
	if strings.Contains(text, "=") {
		return dn.Parse(text)
	}
	if strings.TrimSpace(text) == "" {
		return nil, errors.New("must be a name, such as \"Contoso Root CA\"")
	}
	return dn.Name{{{Type: dn.CommonName, Value: text}}}, nil
}

// issuer is the CA that issues: that of a file, of another folder or of this one.
func (o options) issuer(ctx context.Context, out *folder.Folder) (*cba.Issuer, bool, error) {
	if info, err := os.Stat(o.ca); o.ca == "" || err != nil || info.IsDir() {
		return out.CA(ctx, o.ca, o.newRoot)
	}
	issuer, err := saved.CA(o.ca, o.caPassword)
	if err == nil {
		err = out.Adopt(issuer)
	}
	return issuer, false, err
}

func run(args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	if fips140.Enforced() {
		return console.Usage("GODEBUG=fips140=only forbids SHA-1, which every PFX file needs, so this mode cannot write a PFX. Nothing was created. Use fips140=on, or run without it.")
	}
	if len(o.upns) == 0 && o.users == "" && !o.sample {
		return o.status()
	}
	list, err := users.Read(o.users, o.upns...)
	if err != nil {
		return err
	}
	if list.Short != "" && !o.short {
		return console.Usage("the password for %s has fewer than 12 characters, and nothing else protects the PFX file. Use a longer one, leave the column empty to have passwords generated, or pass -allow-short-passwords.", list.Short)
	}
	out, err := o.open()
	if err != nil {
		return err
	}
	defer out.Close()
	interrupt, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	issuer, made, err := o.issuer(interrupt, out)
	if err != nil {
		return o.advise(err)
	}
	if (o.caKey != 0 || o.caName != nil) && !made {
		return console.Usage("-ca-name and -ca-key are for a new CA, and %s has one: %s. Leave them out, or use a new -out folder.", o.path(folder.CAName), dn.Show(issuer.Certificate.RawSubject))
	}
	var again []string
	if o.mend {
		again = list.UPNs()
	}
	journal, err := out.Journal(folder.DescribeCA(issuer), again...)
	if err != nil {
		return o.advise(err)
	}
	ctx, abort := context.WithCancelCause(interrupt)
	defer abort(nil)
	w := &work{options: o, issuer: issuer, list: list, out: out, journal: journal, abort: abort, notes: map[string]note{}, became: map[string]outcome{}}
	failed := w.issue(ctx)
	// Whatever happened, what was issued is put on record.
	if err := journal.Close(); err != nil {
		return errors.Join(err, fmt.Errorf("every issued certificate is recorded in %s; free disk space and run the same command again", filepath.Join(o.out, "journal.jsonl")))
	}
	failed = join(failed, o.handOver(issuer))
	if o.json {
		err = w.writeJSON(console.Stdout)
	} else {
		err = w.report(console.Stdout, made, failed)
	}
	return join(failed, err)
}

// join joins errors, with the status of the first.
func join(errs ...error) error {
	err := errors.Join(errs...)
	for _, one := range errs {
		var failure *console.Failure
		if errors.As(one, &failure) {
			return &console.Failure{Status: failure.Status, Err: err}
		}
	}
	return err
}

// open opens the folder. Samples go into a new one alone, and what a ledger keeps track of
// is not issued without it.
func (o options) open() (*folder.Folder, error) {
	for _, name := range []string{"ledger.id", "ledger.db"} {
		if _, err := os.Lstat(o.path(name)); err == nil {
			return nil, console.Usage("%s belongs to a ledger, which would not know these certificates. Use another -out folder, or: %s",
				o.out, console.Command("fleet", "-out", o.out, "-users", cmp.Or(o.users, "people.csv")))
		}
	}
	out, err := folder.Open(o.out)
	if err != nil || !o.sample {
		return out, err
	}
	files, err := os.ReadDir(o.out)
	for _, file := range files {
		if !strings.HasPrefix(file.Name(), ".") { // of another run, just now
			err = console.Usage("%s exists, so no samples are issued: name the users", o.out)
		}
	}
	if err != nil {
		out.Close()
		return nil, err
	}
	return out, nil
}

// newRoot makes the CA of a new folder.
func (o options) newRoot(ctx context.Context) (*cba.Issuer, error) {
	name := o.caName
	if name == nil {
		name = dn.Name{{{Type: dn.CommonName, Value: "Entra CBA Root CA"}}}
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
	case errors.Is(err, folder.MissingFile) || errors.Is(err, folder.Damaged):
		upns := damaged(err)
		if len(upns) == 0 {
			return console.Usage("%w", err)
		}
		return console.Usage("%w\nnothing was issued. Restore these files from a backup, or issue new certificates to these users: %s", err, o.mendCommand(upns))
	case o.ca != "":
		return console.Usage("-ca: %w", err)
	}
	return err
}

// damaged are the users whose files an error names.
func damaged(err error) (upns []string) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range joined.Unwrap() {
			upns = append(upns, damaged(err)...)
		}
		return upns
	}
	var e *folder.Error
	if errors.As(err, &e) && e.UPN != "" {
		upns = append(upns, e.UPN)
	}
	return upns
}

// mendCommand is the command that issues anew to these users.
func (o options) mendCommand(upns []string) string {
	args := []string{"-out", o.out}
	if o.ca != "" {
		args = append(args, "-ca", o.ca)
	}
	return console.Command("issue", append(append(args, "-mend"), upns...)...)
}

// again is the command that goes on with this run.
func (w *work) again() string {
	if w.sample { // the folder exists now, and samples are for new ones
		return console.Command("issue", append(slices.Clone(w.args), w.list.UPNs()...)...)
	}
	return console.Command("issue", w.args...)
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
	became    map[string]outcome // by folder.Key, with -json
	shown     []cba.Result       // the first few, for the table
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
				again := "run the same command again to continue"
				if w.sample {
					again = "to continue: " + w.again()
				}
				err = fmt.Errorf("stopped after %s: %w; %s", console.Count(w.counts.Issued, "certificate"), cause, again)
			}
			return &console.Failure{Status: console.No, Err: errors.Join(append(failures, err)...)}
		case err != nil:
			w.note(result, "failed", err)
			if len(failures) < 10 {
				failures = append(failures, fmt.Errorf("%s: %w", result.Task.Subject.UPN, err))
			}
			continue
		}
		if result.Skipped {
			w.note(result, "skipped", nil)
		} else {
			w.note(result, "issued", nil)
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
		return fmt.Errorf("the password for %s: %w", upn, err)
	}
	return fmt.Errorf("the password for %s contains a non-ASCII character. Some PFX importers then report a wrong password; use ASCII letters and digits", upn)
}
