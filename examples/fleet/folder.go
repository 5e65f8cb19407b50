package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/fleet/ledger"
	"example.com/entracba/cba/fleet/sqlite"
	"example.com/entracba/examples/internal/console"
	"example.com/entracba/examples/internal/manifest"
)

// The output folder and the ledger know each other by the ledger's id, which the
// folder has in a file. Rows without files, and files without rows, mean a wrong
// path or a loss: such a pair is refused before anything is written.
const (
	idName       = "ledger.id"
	usersName    = "users"
	crlName      = "crl"
	caName       = "ca"
	runsName     = "runs"     // a journal for each run that is going on, or was killed
	leftoverName = "leftover" // what killed runs left without a row
)

// used returns a file or folder in the output folder that an earlier run wrote, or
// "" if there is none. The ledger comes before all of them, so that whoever finds
// one and then no ledger has lost it.
func (w *work) used() (string, error) {
	for _, name := range []string{manifest.Name, manifest.PasswordsName, caName} {
		if _, err := os.Lstat(w.path(name)); err == nil {
			return name, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	for _, name := range []string{usersName, crlName} {
		found, err := os.ReadDir(w.path(name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		if len(found) > 0 {
			return name + "/" + found[0].Name(), nil
		}
	}
	return "", nil
}

// folderID is the id of the ledger that the folder belongs to, or "".
func (w *work) folderID() (string, error) {
	text, err := os.ReadFile(w.path(idName))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	id := strings.TrimSpace(string(text))
	if err == nil && id == "" {
		err = fmt.Errorf("%s is empty: restore it from a backup, or remove it if the ledger %s belongs to this folder", w.path(idName), w.options.ledger)
	}
	return id, err
}

// openLedger opens the ledger and refuses one that does not belong to the folder.
// A new ledger is made only for a new folder and only if create is set.
func (w *work) openLedger(ctx context.Context, create bool) error {
	found, err := w.used() // before the id, and before the ledger: others may begin at this moment
	if err != nil {
		return err
	}
	id, err := w.folderID()
	if err != nil {
		return err
	}
	inside := w.options.ledger == filepath.Join(w.out, ledgerName)
	existing := !create || found != "" || id != ""
	if inside && !existing {
		if err := os.MkdirAll(w.out, 0o700); err != nil {
			return err
		}
	}
	opened, err := sqlite.Open(ctx, w.options.ledger, sqlite.Options{Existing: existing})
	switch {
	case errors.Is(err, &ledger.Error{Reason: ledger.Missing}) && (found != "" || id != ""):
		return console.Usage("%s holds files of earlier runs (%s), but their ledger is not here: %w. Nothing was changed. Correct -ledger or -out, or restore the ledger from a backup; or start anew in another -out folder, with -ca %s to keep the CA",
			w.out, firstOf(found, idName), err, w.path(caName))
	case errors.Is(err, &ledger.Error{Reason: ledger.Missing}):
		return console.Usage("%w: nothing to revoke. Correct -ledger or -out", err)
	case err != nil:
		return err
	}
	w.ledger = opened
	return w.join(ctx, found, id, create)
}

func firstOf(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

// join checks that the ledger and the folder belong together, and ties a new pair.
func (w *work) join(ctx context.Context, found, id string, create bool) error {
	own, err := w.ledger.ID(ctx)
	switch {
	case err != nil:
		return err
	case id == own:
		return nil
	case id != "":
		return w.refuse("%s belongs to another ledger (with the id %s) than %s (%s)", w.out, id, w.options.ledger, own)
	}
	rows, complete, err := w.complete(ctx)
	if err != nil {
		return err
	}
	if id, err = w.folderID(); err != nil || id == own { // another run was faster
		return err
	}
	switch {
	case found == "" && !rows && create: // both are new
	case found != "" && rows && complete: // only the id was lost
	case found != "":
		return w.refuse("%s holds files of another ledger than %s (%s, for example)", w.out, w.options.ledger, found)
	default:
		return w.refuse("%s does not hold the files of the ledger %s", w.out, w.options.ledger)
	}
	if err := os.MkdirAll(w.out, 0o700); err != nil {
		return err
	}
	if err := createWhole(w.path(idName), own+"\n"); err != nil {
		return err
	}
	if id, err = w.folderID(); err == nil && id != own {
		err = w.refuse("%s was taken by another ledger (with the id %s) at this moment", w.out, id)
	}
	return err
}

func (w *work) refuse(format string, args ...any) error {
	return console.Usage(format+". Nothing was changed. Correct -ledger or -out; if the right one is lost, restore it from a backup, or start anew with a new ledger and a new -out folder (-ca keeps the CA)", args...)
}

// complete reports whether the ledger has rows, and whether every live certificate
// has its files in the folder.
func (w *work) complete(ctx context.Context) (rows, complete bool, err error) {
	live := 0
	for e, err := range w.ledger.Entries(ctx, ledger.Query{}) {
		if err != nil {
			return false, false, err
		}
		rows = true
		if !e.State.Live() || strings.ContainsAny(e.UPN, `/\`) {
			continue
		}
		live++
		key, secret, _ := names(e.UPN, e.Serial)
		for _, name := range []string{key, secret} {
			if _, err := os.Stat(w.path(name)); err != nil {
				return true, false, nil
			}
		}
	}
	return rows, live > 0, nil
}

// createWhole writes a small file that is not there yet. It appears whole, and
// never in the place of another one, which is left as it is.
func createWhole(name, content string) error {
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*.part")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err = os.Link(f.Name(), name); err == nil || errors.Is(err, fs.ErrExist) {
		return nil
	}
	return os.Rename(f.Name(), name) // a file system without links
}

// An intent is a line of a run's journal: files of this certificate are about to
// be written.
type intent struct {
	UPN    string `json:"upn"`
	Serial string `json:"serialNumber"`
}

// A runJournal names the files of one run before they are written, so that another
// run knows them for leftovers if this one is killed.
type runJournal struct {
	mu   sync.Mutex
	name string
	file *os.File
}

// intend puts a certificate on record whose files are about to be written.
func (j *runJournal) intend(i intent) error {
	line, err := json.Marshal(i)
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file == nil {
		if j.file, err = os.OpenFile(j.name, os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600); err != nil {
			return err
		}
	}
	_, err = j.file.Write(append(line, '\n'))
	return err
}

func (j *runJournal) close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file == nil {
		return nil
	}
	return j.file.Close()
}

const journalExtension = ".jsonl"

// readIntents reads a journal. A line that a kill cut off has no files; one that
// no run wrote has none that are ours.
func readIntents(name string) (all []intent, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var i intent
		if json.Unmarshal(lines.Bytes(), &i) != nil || i.UPN == "" || strings.ContainsAny(i.UPN, `/\:`) {
			continue
		}
		if _, err := ledger.ParseSerial(i.Serial); err == nil {
			all = append(all, i)
		}
	}
	return all, lines.Err()
}

// sweep moves the files aside that killed runs, and this one, left without a row in
// the ledger. The journals of the runs say which they are. Who holds the claim of a
// user may be about to write the row, and is left alone; with the claim in our
// hands nobody can.
func (w *work) sweep(ctx context.Context) error {
	if err := w.journal.close(); err != nil {
		return err
	}
	return w.exclusive(ctx, "manifest", func() error {
		journals, err := os.ReadDir(w.path(runsName))
		if err != nil {
			return err
		}
		for _, file := range journals {
			if filepath.Ext(file.Name()) != journalExtension {
				continue
			}
			if err := w.sweepRun(ctx, file.Name()); err != nil {
				return err
			}
		}
		return nil
	})
}

// sweepRun settles one journal.
func (w *work) sweepRun(ctx context.Context, name string) error {
	file := filepath.Join(w.path(runsName), name)
	run := strings.TrimSuffix(name, journalExtension)
	if run != w.holder {
		answer, err := w.ledger.Claim(ctx, runRequest(run), ledger.Claim{Holder: w.holder, Lease: w.lease})
		if err != nil || answer != ledger.Granted {
			return err // it goes on
		}
		defer w.ledger.Release(ctx, w.holder, runRequest(run))
	}
	intents, err := readIntents(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // over since
	}
	if err != nil {
		return err
	}
	settled := true
	for _, i := range intents {
		done, err := w.settle(ctx, i)
		if err != nil {
			return err
		}
		settled = settled && done
	}
	switch {
	case !settled:
		return nil
	case run == w.holder:
		return os.Remove(file)
	}
	_, err = w.moveAside(file)
	return err
}

// settle moves the files of a certificate aside if it has no row, and reports
// whether that is certain for all time.
func (w *work) settle(ctx context.Context, i intent) (bool, error) {
	recorded := func() (bool, error) {
		for _, err := range w.ledger.Entries(ctx, ledger.Query{Serial: i.Serial}) {
			return err == nil, err
		}
		return false, nil
	}
	if there, err := recorded(); there || err != nil {
		return true, err
	}
	request := requestOf(i.UPN)
	answer, err := w.ledger.Claim(ctx, request, ledger.Claim{Holder: w.holder, Lease: w.lease,
		RenewAt: time.Unix(math.MaxInt32*4, 0), Reissue: true})
	if err != nil || answer != ledger.Granted {
		return false, err
	}
	there, err := recorded()
	if err == nil && !there {
		err = w.moveFilesAside(i)
	}
	return true, errors.Join(err, w.ledger.Release(ctx, w.holder, request))
}

func (w *work) moveFilesAside(i intent) error {
	key, secret, certificate := names(i.UPN, i.Serial)
	for _, name := range []string{key, secret, certificate} {
		for _, suffix := range []string{"", ".part"} {
			if err := w.leftBehind(w.path(name + suffix)); err != nil {
				return err
			}
		}
	}
	return nil
}

// leftBehind moves what a killed run left aside, if it is there, and reports it.
func (w *work) leftBehind(name string) error {
	moved, err := w.moveAside(name)
	if moved != "" {
		w.figures.Leftovers = append(w.figures.Leftovers, moved)
	}
	return err
}

// moveAside moves a file or folder that this run did not make among the leftovers,
// where it replaces nothing, and returns its new name, or "" if there is no such
// file.
func (w *work) moveAside(name string) (string, error) {
	if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err := os.MkdirAll(w.path(leftoverName), 0o700); err != nil {
		return "", err
	}
	to := filepath.Join(w.path(leftoverName), filepath.Base(name))
	for n := 1; ; n++ {
		if _, err := os.Lstat(to); errors.Is(err, fs.ErrNotExist) {
			break
		}
		to = filepath.Join(w.path(leftoverName), fmt.Sprintf("%s.%d", filepath.Base(name), n))
	}
	err := os.Rename(name, to)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil // its own run was faster
	}
	return to, err
}

// runRequest is claimed by a run as long as it lives.
func runRequest(holder string) string { return "fleet:run:" + holder }

// listsIn returns the figures of the revocation lists in the folder.
func (w *work) listsIn() (all []listFigures, err error) {
	files, err := filepath.Glob(filepath.Join(w.path(crlName), "*.crl"))
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	for _, file := range files {
		list, err := loadList(file)
		if err != nil {
			return nil, err
		}
		if list != nil {
			all = append(all, figuresOf(file, list))
		}
	}
	return all, nil
}

func figuresOf(file string, list *crl.List) listFigures {
	return listFigures{File: file, Number: list.Number.String(), Revoked: list.Len(), Bytes: len(list.Raw), NextUpdate: list.NextUpdate}
}
