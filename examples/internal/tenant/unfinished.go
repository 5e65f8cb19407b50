package tenant

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"example.com/entracba/cba/folder"
	"example.com/entracba/examples/internal/console"
)

// An Unfinished is a change of a tenant that is under way, or whose program was killed
// before it ended. It is kept on disk until the change has ended, so that the next
// program that opens a tenant can say so.
type Unfinished struct {
	TenantID string    `json:"tenantId"`
	Tenant   []string  `json:"tenant"` // the flags that open the tenant, as Flags.Args has them
	Plan     string    `json:"plan"`   // file
	Undo     bool      `json:"undo"`   // the plan was being taken back
	Started  time.Time `json:"started"`
}

// stateDir is where notes of unfinished changes are, whatever folder a program runs in.
func stateDir() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "entracba"), nil
}

var unsafeInName = regexp.MustCompile(`[^0-9A-Za-z.-]`)

func (u Unfinished) base(dir string) string {
	return filepath.Join(dir, "setup-"+unsafeInName.ReplaceAllString(u.TenantID, "_"))
}

// Begin notes that a change begins, with a copy of its plan, and keeps other
// programs of this user from changing the tenant with a plan until end is called or the
// process ends. Call end with true if nothing is left unfinished.
//
// A note of another plan that was not finished is an error; a note of the same plan is
// taken over.
func (u Unfinished) Begin(plan []byte) (end func(finished bool) error, err error) {
	dir, err := stateDir()
	if err != nil {
		return nil, fmt.Errorf("there is no place for a note of the change, in case that this program is killed: set HOME (or XDG_CONFIG_HOME, or AppData on Windows): %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	base := u.base(dir)
	unlock, err := folder.Lock(base + ".lock")
	if errors.Is(err, folder.Busy) {
		return nil, fmt.Errorf("another setup is changing this tenant; wait until it ends: %w", err)
	}
	if err != nil {
		return nil, err
	}
	note, copied := base+".json", base+".plan"
	before, err := readNote(note)
	if err == nil {
		if kept, failed := folder.ReadPlan(copied); failed != nil || string(kept) != string(plan) {
			unlock()
			return nil, fmt.Errorf("an earlier change of this tenant is not finished\n%s", before.Advice())
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		unlock()
		return nil, err
	}
	if u.Plan, err = filepath.Abs(u.Plan); err == nil {
		err = folder.Write(copied, plan, folder.Secret)
	}
	var text []byte
	if err == nil {
		text, err = json.MarshalIndent(u, "", "  ")
	}
	if err == nil {
		err = folder.Write(note, append(text, '\n'), folder.Secret)
	}
	if err != nil {
		unlock()
		return nil, fmt.Errorf("nothing was changed: %w", err)
	}
	return func(finished bool) error {
		defer unlock()
		if !finished {
			return nil
		}
		if err := os.Remove(note); err != nil {
			return err
		}
		return os.Remove(copied)
	}, nil
}

// Noted reports whether a note says that a change by this plan was not finished.
func (u Unfinished) Noted(plan []byte) bool {
	dir, err := stateDir()
	if err != nil {
		return false
	}
	copied, err := folder.ReadPlan(u.base(dir) + ".plan")
	if err == nil {
		_, err = readNote(u.base(dir) + ".json")
	}
	return err == nil && string(copied) == string(plan)
}

func readNote(name string) (Unfinished, error) {
	var u Unfinished
	text, err := folder.ReadPlan(name)
	if err == nil && (json.Unmarshal(text, &u) != nil || u.TenantID == "" || u.Plan == "") {
		err = fmt.Errorf("%s: not a note of a change; if the tenant is as it should be, remove the file", name)
	}
	return u, err
}

// Advice is what to do about it. The plan is the file that the person knows, as long as
// it is there, else the copy.
func (u Unfinished) Advice() string {
	plan := u.Plan
	if _, err := os.Stat(plan); err != nil {
		if dir, err := stateDir(); err == nil {
			plan = u.base(dir) + ".plan"
		}
	}
	command := func(flag string) string {
		return console.Command("setup", append(slices.Clone(u.Tenant), flag, plan)...)
	}
	if u.Undo {
		return "To finish taking it back: " + command("-undo")
	}
	return "To finish it: " + command("-apply") + "\nTo put everything back as it was: " + command("-undo")
}

// warn says which changes were not finished. It never fails: a program that only reads
// goes on.
func warn(w io.Writer) {
	dir, err := stateDir()
	if err != nil {
		return
	}
	notes, _ := filepath.Glob(filepath.Join(dir, "setup-*.json")) // the pattern is a good one
	for _, note := range notes {
		u, err := readNote(note)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			fmt.Fprintf(w, "warning: a change of a tenant may not be finished: %s\n", console.Text(err))
			continue
		}
		unlock, err := folder.Lock(u.base(dir) + ".lock")
		if errors.Is(err, folder.Busy) {
			fmt.Fprintf(w, "note: setup is changing the tenant %s at this moment\n", console.Clean(u.TenantID))
			continue
		}
		if err == nil {
			unlock()
		}
		fmt.Fprintf(w, "WARNING: setup was stopped in the middle of changing the tenant %s on %s. Its classic trust store may be gone, and some users may not be able to sign in.\n",
			console.Clean(u.TenantID), u.Started.Local().Format("2006-01-02 15:04 MST"))
		for line := range strings.SplitSeq(u.Advice(), "\n") {
			fmt.Fprintf(w, "  %s\n", console.Clean(line))
		}
	}
}
