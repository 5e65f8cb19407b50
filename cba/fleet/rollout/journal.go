package rollout

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"example.com/entracba/cba/fleet/ledger"
	"example.com/entracba/cba/folder"
)

// An intent is a line of a run's journal: files of this certificate are about to be
// written.
type intent struct {
	UPN    string `json:"upn"`
	Serial string `json:"serialNumber"`
}

// A journal names the files of one run before they are written, so that another run can
// recognise them as leftovers if this one is killed. It is not flushed: after a power
// cut, files that it does not name stay where they are.
type journal struct {
	mu   sync.Mutex
	file *os.File
	open bool // it has lines that were not compared with the ledger yet
}

func (j *journal) create(name string) (err error) {
	j.file, err = os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, secret)
	return err
}

// intend writes a line.
func (j *journal) intend(i intent) error {
	line, err := json.Marshal(i)
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.open = true
	_, err = j.file.Write(append(line, '\n'))
	return err
}

// close closes the journal, and removes it unless the next run needs it.
func (j *journal) close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	err := j.file.Close()
	if !j.open {
		os.Remove(j.file.Name())
	}
	return err
}

// readJournal reads a journal. It skips a line that was cut off by a kill, which has no
// files, and lines that no run wrote.
func readJournal(f io.Reader) (all []intent, err error) {
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var i intent
		if json.Unmarshal(lines.Bytes(), &i) != nil || folder.CheckName(i.UPN) != nil {
			continue
		}
		if _, err := ledger.ParseSerial(i.Serial); err == nil {
			all = append(all, i)
		}
	}
	return all, lines.Err()
}

// sweep moves files that are not in the ledger to leftover/: those of killed runs, and
// those of this run.
func (r *Rollout) sweep(ctx context.Context) error {
	runs, err := os.ReadDir(r.path(runsName))
	if err != nil {
		return err
	}
	for _, run := range runs {
		if err := r.sweepRun(ctx, strings.TrimSuffix(run.Name(), lockExtension)); err != nil {
			return err
		}
	}
	return nil
}

// sweepRun moves the leftovers of one run into the folder of that run. When all of its
// journal is settled, it moves that folder to leftover/.
func (r *Rollout) sweepRun(ctx context.Context, run string) (err error) {
	dir, own := filepath.Join(r.path(runsName), run), run == r.worker
	if !own {
		answer, err := r.ledger.Claim(ctx, runOwner(run), r.claim())
		if err != nil || answer != ledger.Granted {
			return err // it goes on
		}
		defer func() {
			err = errors.Join(err, r.ledger.Release(context.WithoutCancel(ctx), r.worker, runOwner(run)))
		}()
		unlock, err := folder.Lock(dir + lockExtension)
		if errors.Is(err, folder.Busy) {
			return nil // it goes on, slower than its lease
		}
		if err != nil {
			return err
		}
		defer unlock()
	}
	var intents []intent
	switch f, err := os.Open(filepath.Join(dir, journalName)); {
	case err == nil:
		defer f.Close()
		if intents, err = readJournal(f); err != nil {
			return err
		}
	case !gone(err):
		return err
	}
	for _, i := range intents {
		if settled, err := r.settle(ctx, dir, i); err != nil || !settled {
			return err
		}
	}
	found, err := os.ReadDir(dir)
	if gone(err) {
		return nil // it is over
	}
	if err != nil {
		return err
	}
	var left []string
	for _, file := range found {
		if file.Name() != journalName {
			left = append(left, file.Name())
		}
	}
	switch {
	case own: // its folder is still in use
		r.journal.open = false
		for _, name := range left {
			if err := r.moveAside(filepath.Join(dir, name), filepath.Join(run, name), ""); err != nil {
				return err
			}
		}
		return nil
	case len(found) == 0:
		os.Remove(dir)
		return nil
	}
	return r.moveAside(dir, run, left...)
}

// settle moves the files of a certificate into a folder if the ledger does not have it.
// It returns false if that may still change: another worker has the claim of the user,
// and may be about to record the certificate. While we have the claim, no worker can.
func (r *Rollout) settle(ctx context.Context, dir string, i intent) (bool, error) {
	recorded := func() (bool, error) {
		for _, err := range r.ledger.Entries(ctx, ledger.Query{Serial: i.Serial}) {
			return err == nil, err
		}
		return false, nil
	}
	if there, err := recorded(); there || err != nil {
		return true, err
	}
	owner, claim := ownerOf(i.UPN), r.claim()
	claim.RenewAt, claim.Reissue = time.Unix(math.MaxInt32*4, 0), true
	answer, err := r.ledger.Claim(ctx, owner, claim)
	if err != nil || answer != ledger.Granted {
		return false, err
	}
	there, err := recorded()
	if err == nil && !there {
		for _, name := range filesOf(i.UPN, i.Serial).all() {
			if moveErr := os.Rename(r.path(name), filepath.Join(dir, filepath.Base(name))); !gone(moveErr) {
				err = errors.Join(err, moveErr)
			}
		}
	}
	return true, errors.Join(err, r.ledger.Release(ctx, r.worker, owner))
}

// SetAside moves a file or folder that a killed run left unfinished to leftover/, if it
// exists, and names it in the [Summary]. name is relative to the folder, with slashes.
// Use it for files that the caller keeps in the folder, inside [Rollout.Exclusive].
func (r *Rollout) SetAside(name string) error {
	if _, err := os.Lstat(r.path(name)); err != nil {
		if gone(err) {
			return nil
		}
		return err
	}
	return r.moveAside(r.path(name), filepath.Join(r.worker, filepath.FromSlash(name)), "")
}

// moveAside moves a file or folder to leftover/, where it replaces nothing. It reports
// these files in it; "" is the file or folder itself.
func (r *Rollout) moveAside(from, name string, files ...string) error {
	to := filepath.Join(r.path(leftoverName), name)
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	free := to
	for n := 1; ; n++ {
		if _, err := os.Lstat(free); gone(err) {
			break
		} else if err != nil {
			return err
		}
		free = fmt.Sprintf("%s.%d", to, n)
	}
	if err := os.Rename(from, free); err != nil {
		if gone(err) {
			return nil // another run was faster
		}
		return err
	}
	for _, file := range files {
		r.leftovers = append(r.leftovers, filepath.Join(free, file))
	}
	return nil
}
