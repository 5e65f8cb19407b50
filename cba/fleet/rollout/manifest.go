package rollout

import (
	"context"
	"crypto/x509"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/fleet/ledger"
	"example.com/entracba/cba/folder"
)

// A Summary describes a ledger and its folder.
type Summary struct {
	Ledger    map[ledger.State]int `json:"ledger"`              // certificates by state
	Due       int                  `json:"due"`                 // live ones that are due for renewal
	Renewed   int                  `json:"renewed"`             // by this run
	OtherCA   int                  `json:"otherCA"`             // live ones from another CA than the one that issues
	Leftovers []string             `json:"leftovers,omitempty"` // files of killed runs, now in leftover/
	// NotInLedger are certificates in the folder that the ledger does not have, and no
	// killed run either: after a power cut, or if the ledger was restored from an old
	// backup. Then their users may have got a second one, and they can sign in although
	// the ledger cannot revoke them.
	NotInLedger []string `json:"notInLedger,omitempty"`
	Lists       []List   `json:"revocationLists"`
}

func (s *Summary) count(e ledger.Entry, at time.Time, percent int) {
	s.Ledger[e.State]++
	if e.Due(at, percent) {
		s.Due++
	}
}

// Read describes a ledger and a folder and changes neither. The folder need not exist.
// due, if not nil, is called for every certificate that is due for renewal at a time, as
// ledger.Entry.Due says.
func Read(ctx context.Context, folder string, l ledger.Ledger, at time.Time, percent int, due func(ledger.Entry)) (Summary, error) {
	s := Summary{Ledger: map[ledger.State]int{}}
	for e, err := range l.Entries(ctx, ledger.Query{}) {
		if err != nil {
			return s, err
		}
		s.count(e, at, percent)
		if due != nil && e.Due(at, percent) {
			due(e)
		}
	}
	var err error
	s.Lists, err = listsIn(folder)
	return s, err
}

// Finish publishes the CRLs, moves the leftovers of killed runs to leftover/, and writes
// manifest.json and passwords.csv from the ledger. duePercent decides which certificates
// the summary counts as due; zero means cba.DefaultRenewal.
//
// ca is the CA that issues. others are the CAs above it whose keys are available, for
// their CRLs. Call Finish even if the run failed, with a context that has not ended.
func (r *Rollout) Finish(ctx context.Context, duePercent int, ca *cba.Issuer, others ...*cba.Issuer) (Summary, error) {
	s := Summary{Ledger: map[ledger.State]int{}}
	lists, err := r.Publish(ctx, append([]*cba.Issuer{ca}, others...)...)
	s.Lists = lists
	err = errors.Join(err, r.Exclusive(ctx, "manifest", func() error {
		err := r.sweep(ctx)
		strays, strayErr := r.findStrays()
		if err = errors.Join(err, strayErr, r.writeManifest(ctx, ca, duePercent, &s, strays)); err == nil {
			s.NotInLedger = strays.names(r)
		}
		return err
	}))
	s.Leftovers = r.leftovers
	return s, err
}

// writeManifest writes the two files, and counts. It takes out of strays what the ledger
// has.
func (r *Rollout) writeManifest(ctx context.Context, ca *cba.Issuer, percent int, s *Summary, strays strays) error {
	now, issuer := r.now(), keyID(ca)
	err := r.write(passwordsName, secret, true, func(passwords io.Writer) error {
		p := csv.NewWriter(passwords)
		p.Write([]string{"upn", "password"})
		live := func(yield func(folder.User, error) bool) {
			for e, err := range r.ledger.Entries(ctx, ledger.Query{Certificates: true}) {
				if err != nil {
					yield(folder.User{}, err)
					return
				}
				s.count(e, now, percent)
				delete(strays, e.Serial)
				if e.Replaces != "" && r.own[e.Serial] {
					s.Renewed++
				}
				if !e.State.Live() {
					continue
				}
				if e.Issuer != issuer {
					s.OtherCA++
				}
				user, password, err := r.describeUser(e)
				if err == nil {
					err = p.Write([]string{e.UPN, password})
				}
				if !yield(user, err) || err != nil {
					return
				}
			}
		}
		err := r.write(manifestName, public, true, func(out io.Writer) error { return folder.WriteManifest(out, folder.DescribeCA(ca), live) })
		p.Flush()
		return errors.Join(err, p.Error())
	})
	return errors.Join(err, r.syncFolder("."))
}

// describeUser reads the files of a certificate. It writes the .crt file again if that
// is missing or incomplete.
func (r *Rollout) describeUser(e ledger.Entry) (user folder.User, password string, err error) {
	if err := folder.CheckName(e.UPN); err != nil {
		return user, "", err
	}
	cert, err := x509.ParseCertificate(e.Certificate)
	if err != nil {
		return user, "", fmt.Errorf("certificate %s of %s: %w", e.Serial, e.Owner, err)
	}
	f := filesOf(e.UPN, e.Serial)
	text, err := folder.Read(r.path(f.opener), folder.MaxFile)
	if gone(err) {
		return user, "", &Error{Reason: MissingFile, What: r.path(f.opener), Hint: "restore the folder from a backup, or revoke the certificate of " + e.UPN}
	}
	if err != nil {
		return user, "", err
	}
	var o opener
	if err := json.Unmarshal(text, &o); err != nil {
		return user, "", &Error{Reason: Damaged, What: r.path(f.opener), Hint: "restore it from a backup, or revoke the certificate of " + e.UPN} // err could quote it
	}
	size := len(cba.EncodeCertificates(cert))
	if info, err := os.Stat(r.path(f.certificate)); err != nil || info.Size() != int64(size) {
		if err := r.writeCertificate(f.certificate, cert); err != nil {
			return user, "", err
		}
	}
	user = folder.DescribeUser(e.UPN, cert)
	user.SerialNumber, user.NotAfter = e.Serial, e.NotAfter
	user.Certificate, user.PFX, user.PFXEncoding = f.certificate, f.pfx, o.PFXEncoding
	return user, o.Password, nil
}

// discard removes the files that this run wrote for a certificate that does not count.
func (r *Rollout) discard(upn string, cert *x509.Certificate) {
	for _, name := range filesOf(upn, ledger.SerialText(cert.SerialNumber)).all() {
		os.Remove(r.path(name))
	}
}
