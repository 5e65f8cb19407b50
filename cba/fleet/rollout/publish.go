package rollout

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/crl/publish"
	"example.com/entracba/cba/fleet/ledger"
	"example.com/entracba/cba/folder"
)

// A List is a CRL in the folder.
type List struct {
	File       string    `json:"file"`
	Number     string    `json:"number"`
	Revoked    int       `json:"revoked"`
	Bytes      int       `json:"bytes"`
	NextUpdate time.Time `json:"nextUpdate"`
}

func listOf(file string, list *crl.List) List {
	return List{File: file, Number: list.Number.String(), Revoked: list.Len(), Bytes: len(list.Raw), NextUpdate: list.NextUpdate}
}

// Publish writes the CRL of each CA, if a new one is due or if the ledger has revocations
// that the CRL lacks. Call it right after a revocation. [Rollout.Finish] calls it, too.
//
// The first CA is the one that issues. Publish ends with the first error, which names
// the CA.
func (r *Rollout) Publish(ctx context.Context, cas ...*cba.Issuer) (lists []List, err error) {
	err = r.Exclusive(ctx, "crl", func() error {
		for n, ca := range cas {
			name := firstCA
			if n > 0 {
				name = "root"
			}
			list, err := r.publish(ctx, name, ca)
			if err != nil {
				return fmt.Errorf("CRL of %s: %w", ca.Certificate.Subject, err)
			}
			lists = append(lists, list)
		}
		return nil
	})
	return lists, err
}

func (r *Rollout) publish(ctx context.Context, name string, ca *cba.Issuer) (List, error) {
	id, now := keyID(ca), r.now()
	file := listName(name, ca)
	list, err := r.compare(ctx, name, ca)
	if err != nil {
		return List{}, err
	}
	lists := publish.Issuer{Certificate: ca.Certificate, Key: ca.Key, Store: publish.FileStore{Path: r.path(crlName + "/" + id + ".store")}, Now: r.now}
	known := map[string]bool{}
	for v, err := range lists.Revocations(ctx) {
		if err != nil {
			return List{}, err
		}
		known[ledger.SerialText(v.Serial)] = true
	}
	// The ledger is what counts; the CRLs follow it.
	var news []crl.Revocation
	for e, err := range r.ledger.Entries(ctx, ledger.Query{States: []ledger.State{ledger.Revoked}}) {
		if err != nil {
			return List{}, err
		}
		if e.Issuer != id || known[e.Serial] || e.NotAfter.Before(now) {
			continue
		}
		v, err := e.Revocation()
		if err != nil {
			return List{}, err
		}
		news = append(news, v)
	}
	if len(news) > 0 {
		if err := lists.Revoke(ctx, news...); err != nil {
			return List{}, err
		}
	}
	// The store is what counts: a file that is lost or damaged is written again. What
	// the store has may not be in the file yet, if a run was killed in between. A list of the
	// future is one of a clock that was ahead.
	if list == nil || now.After(list.NextPublish) || list.ThisUpdate.After(now.Add(time.Hour)) || len(news) > 0 || lacks(list, known) {
		list, err = lists.Base(ctx, publish.Options{Published: []*crl.List{list}, Publish: func(_ context.Context, l *crl.List) error {
			if err := r.writeBytes(file, public, true, l.Raw); err != nil {
				return err
			}
			return r.syncFolder(crlName)
		}})
		if err != nil {
			return List{}, err
		}
	}
	return listOf(r.path(file), list), nil
}

// firstCA is the CA that issues, in names of files.
const firstCA = "issuing"

// listName is the file of a CA's CRL.
func listName(name string, ca *cba.Issuer) string {
	return crlName + "/" + name + "-" + keyID(ca)[:8] + ".crl"
}

// compare revokes in the ledger who is on the CRL that is out: the ledger may be an old backup.
// It returns that CRL, nil if there is none that the CA signed.
func (r *Rollout) compare(ctx context.Context, name string, ca *cba.Issuer) (*crl.List, error) {
	list, err := loadList(r.path(listName(name, ca)))
	if err != nil || list == nil || list.CheckIssuer(ca.Certificate) != nil {
		return nil, err
	}
	revoked := map[string]bool{}
	for e, err := range r.ledger.Entries(ctx, ledger.Query{States: []ledger.State{ledger.Revoked}}) {
		if err != nil {
			return nil, err
		}
		revoked[e.Serial] = true
	}
	for e := range list.All() {
		serial := ledger.SerialText(e.Serial())
		if revoked[serial] || e.Reason == crl.CertificateHold {
			continue
		}
		known, err := ledger.Find(ctx, r.ledger, serial)
		if err == nil && known.State.Live() {
			_, err = r.ledger.Revoke(ctx, known.Owner, e.Time, e.Reason)
		}
		if err != nil && !errors.Is(err, ledger.NotFound) {
			return nil, err
		}
	}
	return list, nil
}

// lacks reports whether one of these serial numbers is not in the list.
func lacks(list *crl.List, serials map[string]bool) bool {
	for serial := range serials {
		number, err := ledger.ParseSerial(serial)
		if err != nil {
			return true
		}
		if _, there := list.Lookup(number); !there {
			return true
		}
	}
	return false
}

// maxCRL bounds the own CRL: twice what the service fetches in any cloud.
const maxCRL = 300 << 20

// loadList reads a CRL; nil if there is none that can be used.
func loadList(file string) (*crl.List, error) {
	der, err := folder.Read(file, maxCRL)
	if gone(err) {
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

// listsIn returns the CRLs in a folder.
func listsIn(folder string) (all []List, err error) {
	names, err := filepath.Glob(filepath.Join(folder, crlName, "*.crl"))
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	for _, name := range names {
		list, err := loadList(name)
		if err != nil && !errors.Is(err, os.ErrPermission) {
			return nil, err
		}
		if list != nil {
			all = append(all, listOf(name, list))
		}
	}
	return all, nil
}
