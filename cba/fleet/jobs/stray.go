package jobs

import (
	"context"
	"slices"
	"strings"

	"example.com/entracba/cba/fleet/ledger"
	"github.com/riverqueue/river"
)

// Strays returns the names of PFX files in Config.Files whose certificates are neither in the ledger
// nor on a CRL: after the restore of an old backup, those that were issued after it. They can
// sign in, and nobody would revoke them. It reads; Config.Files must be a [Lister].
func (f *Fleet) Strays(ctx context.Context) (names []string, err error) {
	serials, err := f.strays(ctx)
	for _, name := range serials {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, err
}

// RevokeStrays puts the certificates of the strays on the CRL of Config.CA. The files stay. A
// running fleet publishes the CRL.
func (f *Fleet) RevokeStrays(ctx context.Context) (names []string, err error) {
	if f.c.CA == nil || f.c.CA.Certificate == nil {
		return nil, &Error{Reason: Invalid, What: "set CA"}
	}
	strays, err := f.strays(ctx)
	if err != nil || len(strays) == 0 {
		return nil, err
	}
	var serials []string
	for serial, name := range strays {
		serials, names = append(serials, serial), append(names, name)
	}
	slices.Sort(names)
	text, err := texts(serials)
	if err != nil {
		return nil, err
	}
	// When they expire is in the encrypted files: the entries stay as long as the CA.
	return names, f.db.transact(ctx, func(tx transaction) error {
		if _, err := tx.exec(ctx, `INSERT INTO {}revocations (serial, issuer, revoked, reason, expires)
			SELECT value, CAST($2 AS text), NOW / 1000000, 4, $3 FROM JSON_TEXTS WHERE true ON CONFLICT (serial) DO NOTHING`,
			text, keyID(f.c.CA), f.c.CA.Certificate.NotAfter.Unix()); err != nil {
			return err
		}
		return tx.insert(ctx, []river.InsertManyParams{publication(keyID(f.c.CA))})
	})
}

// strays returns the names by serial number.
func (f *Fleet) strays(ctx context.Context) (map[string]string, error) {
	files, ok := f.c.Files.(Lister)
	if !ok {
		return nil, &Error{Reason: Invalid, What: "set Files to a store that lists its files"}
	}
	found := map[string]string{}
	portionOf := map[string]string{}
	flush := func() error {
		defer clear(portionOf)
		return f.unknown(ctx, portionOf, found)
	}
	// The names come first: what is recorded after that is known.
	for name, err := range files.List(ctx) {
		if err != nil {
			return nil, err
		}
		stem, isPFX := strings.CutSuffix(name, ".pfx")
		dot := strings.LastIndexByte(stem, '.')
		if !isPFX || dot < 0 {
			continue
		}
		if number, err := ledger.ParseSerial(stem[dot+1:]); err == nil {
			portionOf[ledger.SerialText(number)] = name
		}
		if len(portionOf) == portion {
			if err := flush(); err != nil {
				return nil, err
			}
		}
	}
	return found, flush()
}

// unknown adds to found what no table knows.
func (f *Fleet) unknown(ctx context.Context, names, found map[string]string) error {
	serials := []string{}
	for serial := range names {
		serials = append(serials, serial)
	}
	text, err := texts(serials)
	if err != nil {
		return err
	}
	return f.db.transact(ctx, func(tx transaction) error {
		var serial string
		r, err := tx.query(ctx, `SELECT value FROM JSON_TEXTS WHERE NOT EXISTS (SELECT 1 FROM {}entries WHERE serial = value)
			AND NOT EXISTS (SELECT 1 FROM {}attempts WHERE serial = value) AND NOT EXISTS (SELECT 1 FROM {}revocations WHERE serial = value)`, text)
		return scanAll(r, err, []any{&serial}, func() error { found[serial] = names[serial]; return nil })
	})
}
