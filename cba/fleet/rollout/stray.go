package rollout

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"example.com/entracba/cba"
	"example.com/entracba/cba/fleet/ledger"
	"example.com/entracba/cba/folder"
)

// strays are files that look like certificates of this folder, by serial number. What
// the ledger has is taken out; the rest can mean that the ledger is an old backup.
type strays map[string]string

// findStrays lists the certificates in the folder, except those that the journals of
// active runs name. Call it before the ledger is read: what is recorded after that is
// not missed.
func (r *Rollout) findStrays() (strays, error) {
	files, err := os.ReadDir(r.path(usersName))
	if err != nil {
		return nil, err
	}
	found := strays{}
	for _, file := range files {
		stem, ok := strings.CutSuffix(file.Name(), ".crt")
		if dot := strings.LastIndexByte(stem, '.'); ok && dot >= 0 {
			found[stem[dot+1:]] = usersName + "/" + file.Name()
		}
	}
	journals, err := filepath.Glob(filepath.Join(r.path(runsName), "*", journalName))
	if err != nil {
		return nil, err
	}
	for _, name := range journals {
		f, err := os.Open(name)
		if gone(err) {
			continue // the run is over
		}
		if err != nil {
			return nil, err
		}
		intents, err := readJournal(f)
		f.Close()
		if err != nil {
			return nil, err
		}
		for _, i := range intents {
			delete(found, i.Serial)
		}
	}
	return found, nil
}

// names returns the files that are left: those that contain a certificate with the
// serial number of their name.
func (s strays) names(r *Rollout) (names []string) {
	for serial, name := range s {
		text, err := folder.Read(r.path(name), folder.MaxFile)
		if err != nil {
			continue
		}
		if certs, err := cba.ParseCertificates(text); err == nil && ledger.SerialText(certs[0].SerialNumber) == serial {
			names = append(names, r.path(name))
		}
	}
	slices.Sort(names)
	return names
}
