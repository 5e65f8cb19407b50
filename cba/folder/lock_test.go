package folder_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"example.com/entracba/cba/folder"
)

func TestLock(t *testing.T) {
	name := filepath.Join(t.TempDir(), ".lock")
	unlock, err := folder.Lock(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := folder.Lock(name); err == nil || !errors.Is(err, folder.Busy) {
		t.Errorf("locked twice: %v", err)
	}
	unlock()
	if _, err := os.Lstat(name); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the lock file is left behind: %v", err)
	}
	// What a killed run left of it is in nobody's way.
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if unlock, err = folder.Lock(name); err != nil {
		t.Fatal(err)
	}
	unlock()
}

// Never do two hold the lock, also while the file of it is removed and made again.
func TestLockExcludes(t *testing.T) {
	name := filepath.Join(t.TempDir(), ".lock")
	var inside, held atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 2000 {
				unlock, err := folder.Lock(name)
				if err != nil {
					continue
				}
				if inside.Add(1) > 1 {
					t.Error("two hold the lock")
				}
				held.Add(1)
				runtime.Gosched()
				inside.Add(-1)
				unlock()
			}
		})
	}
	all.Wait()
	if held.Load() < 8 {
		t.Errorf("locked %d times only", held.Load())
	}
}

// Unlocking twice does not take the lock of the next one away.
func TestUnlockTwice(t *testing.T) {
	name := filepath.Join(t.TempDir(), ".lock")
	first, err := folder.Lock(name)
	if err != nil {
		t.Fatal(err)
	}
	first()
	second, err := folder.Lock(name)
	if err != nil {
		t.Fatal(err)
	}
	first()
	if _, err := folder.Lock(name); !errors.Is(err, folder.Busy) {
		t.Errorf("after unlocking twice: %v", err)
	}
	second()
}
