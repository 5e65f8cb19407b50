package rollout

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"example.com/entracba/cba/fleet/ledger"
	"example.com/entracba/cba/folder"
)

// Names in the folder; see the package comment.
const (
	idName        = "ledger.id"
	usersName     = "users"
	crlName       = "crl"
	caName        = folder.CAName // the program's own, but a sign of use
	runsName      = "runs"
	leftoverName  = "leftover"
	manifestName  = folder.ManifestName
	passwordsName = folder.PasswordsName
	journalName   = "journal.jsonl"
	lockExtension = ".lock" // beside the folder of a run that lives
)

// Modes of files.
const (
	secret = folder.Secret // keys and passwords
	public = folder.Public
)

// path is a file in the folder; name has slashes.
func (r *Rollout) path(name string) string { return filepath.Join(r.folder, filepath.FromSlash(name)) }

// runPath is the folder of this run, as path takes it.
func (r *Rollout) runPath() string { return runsName + "/" + r.worker }

// Used reports whether a folder is in use: it returns the name of a file or folder that
// an earlier run wrote there, or "" if there is none. A run creates the ledger before
// any of its files. So if the folder is in use and there is no ledger, the path of the
// ledger is wrong, or the ledger is lost. Other files do not count, and neither does the
// ledger itself.
func Used(folder string) (string, error) {
	for _, name := range []string{manifestName, passwordsName, caName, idName} {
		if _, err := os.Lstat(filepath.Join(folder, name)); err == nil {
			return name, nil
		} else if !gone(err) {
			return "", err
		}
	}
	for _, name := range []string{usersName, crlName} {
		found, err := os.ReadDir(filepath.Join(folder, name))
		if err != nil && !gone(err) {
			return "", err
		}
		if len(found) > 0 {
			return name + "/" + found[0].Name(), nil
		}
	}
	return "", nil
}

// Joined reports whether a run has joined a folder to its ledger.
func Joined(folder string) bool {
	_, err := os.Lstat(filepath.Join(folder, idName))
	return err == nil
}

// folderID is the id of the ledger that the folder belongs to, or "".
func (r *Rollout) folderID() (string, error) {
	text, err := folder.Read(r.path(idName), folder.MaxFile)
	if gone(err) {
		return "", nil
	}
	id := strings.TrimSpace(string(text))
	if err == nil && id == "" {
		err = &Error{Reason: Damaged, What: r.path(idName), Hint: "restore it from a backup, or remove it if the ledger belongs to this folder"}
	}
	return id, err
}

// join checks that the ledger and the folder belong together. It writes the ledger's id
// into a new folder.
func (r *Rollout) join(ctx context.Context, create bool) error {
	own, err := r.ledger.ID(ctx)
	if err != nil {
		return err
	}
	// Other runs may begin at this moment. The id is the first file that they write, so
	// look at it last.
	used, err := Used(r.folder)
	if err != nil {
		return err
	}
	id, err := r.folderID()
	if err != nil || id == own {
		return err
	}
	if id != "" {
		return r.refuse(OtherLedger, fmt.Errorf("the folder has the id %s, this ledger has the id %s", id, own))
	}
	rows, complete, err := r.complete(ctx)
	if err != nil {
		return err
	}
	if id, err = r.folderID(); err != nil || id == own {
		return err
	}
	switch {
	case used == "" && !rows && create: // both are new
	case used != "" && rows && complete: // only the id was lost
	case used != "":
		return r.refuse(OtherLedger, fmt.Errorf("this ledger does not know %s", used))
	default:
		return r.refuse(OtherFolder, nil)
	}
	if err := os.MkdirAll(r.folder, 0o700); err != nil {
		return err
	}
	if err := createWhole(r.path(idName), own+"\n"); err != nil {
		return err
	}
	if id, err = r.folderID(); err == nil && id != own {
		err = r.refuse(OtherLedger, fmt.Errorf("a ledger with the id %s took the folder at the same moment", id))
	}
	return err
}

func (r *Rollout) refuse(reason Reason, err error) error {
	return &Error{Reason: reason, What: r.folder, Err: err, Hint: "nothing was changed. Use a ledger and a folder that belong together. If one of them is lost, restore it from a backup, or start with a new ledger and a new folder"}
}

// complete reports whether the ledger has rows, and whether the files of all live
// certificates are in the folder.
func (r *Rollout) complete(ctx context.Context) (rows, complete bool, err error) {
	live := 0
	for e, err := range r.ledger.Entries(ctx, ledger.Query{}) {
		if err != nil {
			return false, false, err
		}
		rows = true
		if !e.State.Live() || folder.CheckName(e.UPN) != nil {
			continue
		}
		live++
		f := filesOf(e.UPN, e.Serial)
		for _, name := range []string{f.pfx, f.opener} {
			if _, err := os.Stat(r.path(name)); err != nil {
				return true, false, nil
			}
		}
	}
	return rows, live > 0, nil
}

// createWhole writes a small file unless there is one. It appears whole, and never
// replaces another file.
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

// write replaces a file of the folder: a reader sees the old file or the whole new one.
// Until it is whole, it is in the folder of this run, where the next run finds it if
// this one is killed. flush makes the content survive a power cut; syncFolder does that
// for the name.
func (r *Rollout) write(name string, mode fs.FileMode, flush bool, fill func(io.Writer) error) (err error) {
	part := r.path(r.runPath() + "/" + path.Base(name))
	f, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(part)
			err = fmt.Errorf("%s was not written: %w", name, err)
		}
	}()
	if err := f.Chmod(mode); err != nil { // whatever the umask
		return err
	}
	w := bufio.NewWriter(f)
	if err := fill(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if flush {
		if err := f.Sync(); err != nil {
			return err
		}
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(part, r.path(name))
}

// writeBytes is write for content in memory.
func (r *Rollout) writeBytes(name string, mode fs.FileMode, flush bool, content []byte) error {
	return r.write(name, mode, flush, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// syncFolder makes the names in a folder survive a power cut, if the system can.
func (r *Rollout) syncFolder(name string) error {
	f, err := os.Open(r.path(name))
	if err != nil {
		return err
	}
	defer f.Close()
	f.Sync() // not every file system can; the rename itself is done
	return nil
}

// certificateFiles are the files of a certificate, relative to the folder, with
// slashes.
type certificateFiles struct{ pfx, opener, certificate string }

func (f certificateFiles) all() []string { return []string{f.pfx, f.opener, f.certificate} }

func filesOf(upn, serial string) certificateFiles {
	stem := usersName + "/" + upn + "." + serial
	return certificateFiles{stem + ".pfx", stem + ".json", stem + ".crt"}
}
