package main

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/crl/publish"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/fleet/ledger"
	"example.com/entracba/cba/pfx"
	"example.com/entracba/examples/internal/authority"
	"example.com/entracba/examples/internal/console"
	"example.com/entracba/examples/internal/files"
	"example.com/entracba/examples/internal/manifest"
	"example.com/entracba/examples/internal/users"
)

// work is one run.
//
// Every certificate has files of its own, named by user and serial number. The
// run's journal names them, then they are written, whole, and then the ledger's row
// makes them count. A kill before the row leaves files that only the journal knows,
// which sweep moves aside; a kill after it loses nothing.
type work struct {
	options
	journal    runJournal
	holder     string
	list       *users.List // nil: nothing is to be issued
	ledger     ledger.Ledger
	issuer     *cba.Issuer
	root       *cba.Issuer // of a token; nil if the root's key is elsewhere
	closeToken func() error
	abort      context.CancelCauseFunc // ends the list: for what would fail for everyone

	passwords sync.Map // by request: those that the file gives, while they are needed
	failed    map[string]bool
	own       map[string]bool // serial numbers that this run recorded, if some may be renewals
	soonest   []ledger.Entry  // some that are due
	figures   figures
}

func requestOf(upn string) string { return ledger.RequestOf(cba.Subject{UPN: upn}) }

// keyID is how the ledger names the CA.
func (w *work) keyID() string { return hex.EncodeToString(w.issuer.Certificate.SubjectKeyId) }

func (w *work) describe() manifest.CA { return authority.Describe(w.issuer) }

// exclusive runs do while no other run on this ledger does the same. UPNs that
// can be on the list have no colon, so that no user has this name.
func (w *work) exclusive(ctx context.Context, name string, do func() error) error {
	request := "fleet:" + name
	for {
		answer, err := w.ledger.Claim(ctx, request, ledger.Claim{Holder: w.holder, Lease: w.lease})
		if err != nil {
			return err
		}
		if answer == ledger.Granted {
			break
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(min(w.lease/4, 200*time.Millisecond)):
		}
	}
	done := make(chan struct{})
	var beat sync.WaitGroup
	beat.Go(func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(w.lease / 3):
				w.ledger.Extend(context.WithoutCancel(ctx), w.holder, w.lease)
			}
		}
	})
	err := do()
	close(done)
	beat.Wait()
	return errors.Join(err, w.ledger.Release(context.WithoutCancel(ctx), w.holder, request))
}

// openAuthority loads the CA. A run that issues makes one if there is none; w.issuer
// stays nil in one that only revokes.
func (w *work) openAuthority(ctx context.Context) error {
	return w.exclusive(ctx, "authority", func() (err error) {
		_, err = os.Stat(w.path(caName))
		if w.list == nil && w.ca == "" && errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if w.token != (tokenOptions{}) {
			return w.openToken(ctx)
		}
		// A killed run may have left an unfinished one.
		if err := w.leftBehind(w.path(caName) + ".part"); err != nil {
			return err
		}
		w.issuer, _, err = authority.Open(w.out, w.ca)
		return err
	})
}

// issue works through the list until nobody on it is another run's, for those
// may have been killed.
func (w *work) issue(ctx context.Context) error {
	started := time.Now()
	bar := console.NewProgress(os.Stderr, "Issuing", w.list.Count)
	defer bar.End()
	var failures []error
	for pass := 0; ; pass++ {
		journal := &ledger.Journal{
			Ledger:  w.ledger,
			Context: context.WithoutCancel(ctx), // what was issued is recorded
			Claim:   ledger.Claim{Holder: w.holder, Lease: w.lease, Reissue: w.reissue},
			Lost:    func(result cba.Result) { w.discard(result.Task.Subject.UPN, result.Certificate) },
		}
		if w.renew {
			journal.Claim.RenewAt, journal.Claim.DuePercent = started, w.due
		}
		err := w.once(ctx, journal, pass, bar, &failures)
		counts := journal.Counts()
		w.figures.Issued += counts.Recorded
		if pass == 0 {
			w.figures.HadOne = counts.HasOne
		}
		w.figures.WereRevoked = counts.WasRevoked
		w.figures.Seconds = time.Since(started).Seconds()
		w.figures.PerSecond = float64(w.figures.Issued) / w.figures.Seconds
		if err != nil {
			return err
		}
		if counts.Taken == 0 && counts.Lost == 0 {
			break
		}
		if console.IsTerminal(os.Stderr) && pass == 0 {
			bar.End()
			fmt.Fprintf(os.Stderr, "fleet: waiting for %d users that another run is at, or was when it was killed\n", counts.Taken)
		}
		select {
		case <-ctx.Done():
		case <-time.After(min(w.lease/4, time.Second)):
		}
	}
	w.figures.Failed = len(w.failed)
	if len(failures) > 0 {
		failures = append(failures, fmt.Errorf("%d of %d users have no certificate; correct what is said above and run again", len(w.failed), w.list.Count))
		return &console.Failure{Status: console.No, Err: errors.Join(failures...)}
	}
	return nil
}

// once gives the list to the issuer.
func (w *work) once(ctx context.Context, journal *ledger.Journal, pass int, bar *console.Progress, failures *[]error) error {
	results := w.issuer.IssueAll(ctx, w.tasks(), cba.Bulk{
		Profile: w.profile,
		KeyType: w.key,
		Workers: w.workers,
		Journal: recorder{journal, w},
		Finish:  w.finish,
		Progress: func(cba.Progress) {
			if pass == 0 {
				bar.Step(1)
			}
		},
	})
	for result, err := range results {
		upn := result.Task.Subject.UPN
		switch {
		case err != nil && upn == "", err != nil && ctx.Err() != nil:
			if cause := context.Cause(ctx); cause != nil {
				err = fmt.Errorf("stopped after %d certificates: %w; run the same command again to go on", w.figures.Issued+journal.Counts().Recorded, cause)
			}
			return &console.Failure{Status: console.No, Err: errors.Join(append(*failures, err)...)}
		case err != nil:
			if len(*failures) < 10 {
				*failures = append(*failures, fmt.Errorf("%s: %w", upn, err))
			}
			w.failed[requestOf(upn)] = true
			var e *cba.Error
			if errors.As(err, &e) && e.Reason == cba.SignerFailed {
				w.abort(err) // the key fails for everyone
			}
		}
	}
	return nil
}

// tasks are the users of the list, without those that have failed in this run.
func (w *work) tasks() iter.Seq2[cba.Task, error] {
	return func(yield func(cba.Task, error) bool) {
		for task, err := range w.list.Tasks(func(upn, password string) { w.passwords.Store(requestOf(upn), password) }) {
			if err == nil && w.failed[requestOf(task.Subject.UPN)] {
				continue
			}
			if !yield(task, err) {
				return
			}
		}
	}
}

// A recorder is the journal, and remembers what this run made.
type recorder struct {
	*ledger.Journal
	w *work
}

func (r recorder) Record(result cba.Result) error {
	if err := r.Journal.Record(result); err != nil {
		return err
	}
	if r.w.renew {
		r.w.own[ledger.SerialText(result.Certificate.SerialNumber)] = true
	}
	return nil
}

// names are the files of a certificate, relative to the folder of -out.
func names(upn, serial string) (key, secret, certificate string) {
	stem := "users/" + upn + "." + serial
	return stem + ".pfx", stem + ".json", stem + ".crt"
}

// A secret lies beside a PFX file and opens it.
type secret struct {
	Password    string `json:"password"`
	PFXEncoding string `json:"pfxEncoding"`
}

func (w *work) path(name string) string { return filepath.Join(w.out, filepath.FromSlash(name)) }

// finish packs the PFX and writes the files, on a worker.
func (w *work) finish(_ context.Context, result *cba.Result) (err error) {
	upn := result.Task.Subject.UPN
	password := pfx.GeneratePassword()
	if given, ok := w.passwords.Load(requestOf(upn)); ok {
		password = given.(string)
	}
	file, err := w.encoding.Encode(pfx.Bundle{
		Key:          result.Key,
		Certificate:  result.Certificate,
		Chain:        w.issuer.CACertificates(),
		FriendlyName: upn,
	}, password)
	if err != nil {
		return err
	}
	result.Key = nil // it is in the file now, and nowhere else
	opener, err := json.Marshal(secret{password, w.encoding.String()})
	if err != nil {
		return err
	}
	serial := ledger.SerialText(result.Certificate.SerialNumber)
	if err := w.journal.intend(intent{upn, serial}); err != nil {
		w.abort(err)
		return err
	}
	key, beside, certificate := names(upn, serial)
	err = w.writeCertificate(certificate, cba.EncodeCertificates(result.Certificate))
	if err == nil {
		err = files.Write(w.path(key), file, files.Secret)
	}
	if err == nil {
		err = files.Write(w.path(beside), append(opener, '\n'), files.Secret)
	}
	if err != nil {
		w.discard(upn, result.Certificate)
		w.abort(err) // a disk that is full is full for everyone
	}
	return err
}

// writeCertificate writes a file that need not be flushed, which takes longer than
// all else: after a power cut it is written again from the ledger.
func (w *work) writeCertificate(name string, content []byte) error {
	part := w.path(name) + ".part"
	if err := os.WriteFile(part, content, files.Public); err != nil {
		return err
	}
	return os.Rename(part, w.path(name))
}

// discard removes the files that this run wrote for a certificate that does not
// count.
func (w *work) discard(upn string, cert *x509.Certificate) {
	key, beside, certificate := names(upn, ledger.SerialText(cert.SerialNumber))
	for _, name := range []string{key, beside, certificate} {
		os.Remove(w.path(name))
	}
}

// publish writes revocation lists where one is due or the ledger has news.
func (w *work) publish(ctx context.Context) error {
	return w.exclusive(ctx, "crl", func() error {
		w.figures.RevocationList = nil
		for _, ca := range []struct {
			name   string
			issuer *cba.Issuer
		}{{"issuing", w.issuer}, {"root", w.root}} {
			if ca.issuer == nil {
				continue
			}
			if err := w.publishOne(ctx, ca.name, ca.issuer); err != nil {
				return fmt.Errorf("revocation list of %s: %w", ca.issuer.Certificate.Subject, err)
			}
		}
		return nil
	})
}

func (w *work) publishOne(ctx context.Context, name string, ca *cba.Issuer) error {
	keyID := hex.EncodeToString(ca.Certificate.SubjectKeyId)
	file := w.path("crl/" + name + "-" + keyID[:8] + ".crl")
	lists := publish.Issuer{Certificate: ca.Certificate, Key: ca.Key, Store: publish.FileStore{Path: w.path("crl/" + keyID + ".store")}}
	known := map[string]bool{}
	for r, err := range lists.Revocations(ctx) {
		if err != nil {
			return err
		}
		known[ledger.SerialText(r.Serial)] = true
	}
	// The ledger is what counts; the lists follow it.
	var news []crl.Revocation
	now := time.Now()
	for e, err := range w.ledger.Entries(ctx, ledger.Query{States: []ledger.State{ledger.Revoked}}) {
		if err != nil {
			return err
		}
		if e.Issuer != keyID || known[e.Serial] || e.NotAfter.Before(now) {
			continue
		}
		r, err := e.Revocation()
		if err != nil {
			return err
		}
		news = append(news, r)
	}
	if len(news) > 0 {
		if err := lists.Revoke(ctx, news...); err != nil {
			return err
		}
	}
	list, err := loadList(file)
	if err != nil {
		return err
	}
	// The store is what counts: a file that is lost or spoilt is written again. What is on record may not be in the file yet, if a run was killed in between.
	missing := list == nil || now.After(list.NextPublish) || len(news) > 0
	for serial := range known {
		if missing {
			break
		}
		number, err := ledger.ParseSerial(serial)
		if err != nil {
			return err
		}
		_, there := list.Lookup(number)
		missing = !there
	}
	if missing {
		if err := w.leftBehind(file + ".part"); err != nil {
			return err
		}
		if list, err = lists.Base(ctx, publish.Options{Publish: func(l *crl.List) error { return files.Write(file, l.Raw, files.Public) }}); err != nil {
			return err
		}
	}
	w.figures.RevocationList = append(w.figures.RevocationList, figuresOf(file, list))
	return nil
}

func loadList(file string) (*crl.List, error) {
	der, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	list, err := crl.Parse(der)
	if err != nil || list.Number == nil {
		return nil, nil
	}
	return list, nil
}

// writeManifest writes manifest.json and passwords.csv in the form of
// examples/issue: the live certificates. It also counts.
func (w *work) writeManifest(ctx context.Context) error {
	return w.exclusive(ctx, "manifest", func() error {
		w.figures.Ledger, w.figures.Renewed, w.figures.OtherCA, w.figures.Due = map[string]int{}, 0, 0, 0
		now := time.Now()
		for _, name := range []string{manifest.PasswordsName, manifest.Name} {
			if err := w.leftBehind(w.path(name) + ".part"); err != nil {
				return err
			}
		}
		return files.Stream(w.path(manifest.PasswordsName), files.Secret, func(passwords io.Writer) error {
			p := csv.NewWriter(passwords)
			p.Write([]string{"upn", "password"})
			err := files.Stream(w.path(manifest.Name), files.Public, func(out io.Writer) error {
				ca, err := json.MarshalIndent(w.describe(), "  ", "  ")
				if err != nil {
					return err
				}
				fmt.Fprintf(out, "{\n  \"ca\": %s,\n  \"users\": [", ca)
				separator := "\n    "
				for e, err := range w.ledger.Entries(ctx, ledger.Query{Certificates: true}) {
					if err != nil {
						return err
					}
					w.figures.Ledger[e.State.String()]++
					if e.Due(now, w.due) {
						w.figures.Due++
					}
					if e.State.Live() && e.Issuer != w.keyID() {
						w.figures.OtherCA++
					}
					if e.Replaces != "" && w.own[e.Serial] {
						w.figures.Renewed++
					}
					if !e.State.Live() {
						continue
					}
					user, password, err := w.describeUser(e)
					if err != nil {
						return err
					}
					line, err := json.MarshalIndent(user, "    ", "  ")
					if err != nil {
						return err
					}
					p.Write([]string{e.UPN, password})
					if _, err := fmt.Fprintf(out, "%s%s", separator, line); err != nil {
						return err
					}
					separator = ",\n    "
				}
				_, err = io.WriteString(out, "\n  ]\n}\n")
				return err
			})
			p.Flush()
			return errors.Join(err, p.Error())
		})
	})
}

func (w *work) describeUser(e ledger.Entry) (user manifest.User, password string, err error) {
	if strings.ContainsAny(e.UPN, `/\`) {
		return user, "", fmt.Errorf("the ledger has the UPN %q, which cannot name a file: another program wrote it", e.UPN)
	}
	cert, err := x509.ParseCertificate(e.Certificate)
	if err != nil {
		return user, "", fmt.Errorf("certificate %s of %s: %w", e.Serial, e.Request, err)
	}
	key, beside, certificate := names(e.UPN, e.Serial)
	text, err := os.ReadFile(w.path(beside))
	if err != nil {
		return user, "", fmt.Errorf("the ledger has a certificate whose files are not in %s: %w", w.out, err)
	}
	var opener secret
	if err := json.Unmarshal(text, &opener); err != nil {
		return user, "", fmt.Errorf("%s is not what this program wrote", w.path(beside)) // err could quote it
	}
	text = cba.EncodeCertificates(cert)
	if info, err := os.Stat(w.path(certificate)); err != nil || info.Size() != int64(len(text)) {
		if err := w.writeCertificate(certificate, text); err != nil {
			return user, "", err
		}
	}
	user = manifest.User{
		UPN:                e.UPN,
		SerialNumber:       e.Serial,
		NotAfter:           e.NotAfter,
		Thumbprint:         cba.Thumbprint(cert),
		Certificate:        certificate,
		PFX:                key,
		PFXEncoding:        opener.PFXEncoding,
		CertificateUserIDs: map[certuserid.Mapping]certuserid.ID{},
	}
	for _, id := range certuserid.All(cert) {
		user.CertificateUserIDs[id.Mapping()] = id
	}
	return user, opener.Password, nil
}

// writeExport writes the ledger as CSV or JSON.
func (w *work) writeExport(ctx context.Context) error {
	if w.export == "" {
		return nil
	}
	entries := w.ledger.Entries(ctx, ledger.Query{})
	return files.Stream(w.export, files.Secret, func(out io.Writer) error {
		if strings.EqualFold(filepath.Ext(w.export), ".csv") {
			return ledger.WriteCSV(out, entries)
		}
		return ledger.WriteJSON(out, entries)
	})
}

// A keyFunc finds a key by its label, or makes one if there is none.
type keyFunc func(label string) (crypto.Signer, error)

// tokenAuthority uses a root and an intermediate whose keys are in a token, and
// makes what is missing. A kill leaves a key without certificate at worst, which
// the next run finds by its label.
func (w *work) tokenAuthority(ctx context.Context, find, generate keyFunc) error {
	folder := w.path("ca")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	open := func(file, label, name string, parent *cba.Issuer) (*cba.Issuer, error) {
		text, err := os.ReadFile(filepath.Join(folder, file))
		if err == nil {
			certs, err := cba.ParseCertificates(text)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			key, err := find(label)
			if err != nil {
				return nil, err
			}
			if parent == nil {
				return cba.NewIssuer(certs[0], key)
			}
			return cba.NewIssuer(certs[0], key, parent.CACertificates()...)
		}
		if !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
		if w.list == nil {
			return nil, fmt.Errorf("%s is missing in %s: restore it from a backup; revoking makes no CA", file, folder)
		}
		key, err := generate(label)
		if err != nil {
			return nil, err
		}
		subject, err := dn.Parse(name)
		if err != nil {
			return nil, err
		}
		var ca *cba.Issuer
		if parent == nil {
			ca, err = cba.NewRoot(ctx, cba.Authority{Name: subject, Key: key})
		} else {
			ca, err = parent.NewIntermediate(ctx, cba.Authority{Name: subject, Key: key})
		}
		if err != nil {
			return nil, err
		}
		return ca, authority.Publish(folder, ca)
	}
	var err error
	if w.root, err = open("rootCA.crt", "entra-cba root", "CN=Entra CBA Root CA", nil); err != nil {
		return err
	}
	w.issuer, err = open("issuingCA.crt", "entra-cba issuing", "CN=Entra CBA Issuing CA", w.root)
	return err
}
