//go:build unix

package jobs

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// memory is a store of a type that cannot be compared.
type memory map[string][]byte

func (m memory) Write(_ context.Context, name string, content []byte) error {
	m[name] = content
	return nil
}
func (m memory) Read(_ context.Context, name string) ([]byte, error) { return m[name], nil }
func (m memory) Remove(_ context.Context, name string) error         { delete(m, name); return nil }

// PFX files and their passwords are not in one folder, whatever it is called.
func TestOneStore(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.Mkdir("there", 0o700); err != nil {
		t.Fatal(err)
	}
	names := [][2]string{{"there", "there"}, {"there", "./there/"}, {"new", filepath.Join(dir, "new")}, {filepath.Join(dir, "x", "..", "new"), "new"}}
	if os.Symlink("there", "link") == nil { // Windows lets not everybody make one
		names = append(names, [2]string{"there", "link"})
	}
	for _, same := range names {
		if _, err := Open(t.Context(), nil, Config{Files: Folder(same[0]), Passwords: Folder(same[1])}); !errors.Is(err, Invalid) {
			t.Errorf("%q: %v", same, err)
		}
	}
	for _, stores := range [][2]Store{{nil, nil}, {Folder("there"), nil}, {Folder("there"), Folder("new")}, {Folder("new"), Folder("other")}, {memory{}, memory{}}, {memory{}, Folder("new")}} {
		if isOneStore(stores[0], stores[1]) {
			t.Errorf("%v are one", stores)
		}
	}
	if !isOneStore(named{memory{}, "a"}, named{memory{}, "a"}) || isOneStore(named{memory{}, "a"}, named{memory{}, "b"}) {
		t.Error("stores that say where they are")
	}
	// A link to a folder that is made by the start.
	if os.Symlink("made", "later") == nil {
		s := newSite(t, "")
		m := s.machine(t, func(c *Config) { c.Files, c.Passwords = Folder("made"), Folder("later") })
		if err := m.Run(t.Context()); !errors.Is(err, Invalid) {
			t.Errorf("a link: %v", err)
		}
	}
}

// A named store says where it is.
type named struct {
	memory
	name string
}

func (n named) String() string { return n.name }
