package folder_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"example.com/entracba/cba"
	"example.com/entracba/cba/folder"
)

// Nothing panics on nil and zero: it is an error or an empty answer.
func TestZero(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	name := filepath.Join(dir, "f")
	var nobody *folder.Journal
	for _, f := range []*folder.Folder{nil, {}} {
		f.Close()
		if f.Path() != "" {
			t.Error("a path of nothing")
		}
		_, prepared := f.Prepare("x", folder.Public, nil)
		_, journal := f.Journal(folder.CA{})
		_, _, ca := f.CA(t.Context(), "", nil)
		for _, err := range []error{prepared, journal, ca} {
			if !errors.Is(err, folder.NotOpen) {
				t.Errorf("%v", err)
			}
		}
	}
	for _, j := range []*folder.Journal{nobody, {}} {
		if j.Has("") || j.Len() != 0 || !errors.Is(j.Add(folder.Entry{}), folder.NotOpen) || !errors.Is(j.Close(), folder.NotOpen) {
			t.Error("a journal of nothing")
		}
		for _, err := range j.Entries() {
			if !errors.Is(err, folder.NotOpen) {
				t.Errorf("%v", err)
			}
		}
	}
	var pending *folder.Pending
	if pending.Name() != "" || pending.Commit() == nil || pending.Discard() == nil || new(folder.Pending).Commit() == nil {
		t.Error("a file of nothing")
	}
	if _, err := folder.PrepareNew(nil, 0, nil); !errors.Is(err, folder.NameTaken) {
		t.Errorf("%v", err)
	}
	for _, err := range []error{
		folder.Publish(dir, nil), folder.Publish(dir, &cba.Issuer{}), second(folder.LoadCA("")), second(folder.Load("")), second(folder.LoadPasswords("")),
		second(folder.ReadSecret("")), second(folder.ReadFile("", "")), folder.CheckName(""), folder.Write("", nil, 0), second(folder.Lock("")), second(folder.Open("")),
		new(folder.Manifest).UnmarshalJSON(nil), new(folder.User).UnmarshalJSON(nil), new(folder.CA).UnmarshalJSON(nil),
	} {
		if err == nil {
			t.Error("nothing is something")
		}
	}
	for _, err := range folder.Users("") {
		if err == nil {
			t.Error("a user of nothing")
		}
	}
	for p, err := range folder.ReadPeople(nil) {
		t.Errorf("%v, %v", p, err)
	}
	if err := errors.Join(folder.Stream(name, folder.Public, nil), folder.WriteManifest(io.Discard, folder.CA{}, nil), folder.WriteEntries(dir, folder.CA{}, func(func(folder.Entry, error) bool) {})); err != nil {
		t.Error(err)
	}
	// A list that is missing is not an empty one: nothing is rewritten empty.
	if err := folder.WriteEntries(dir, folder.CA{}, nil); !errors.Is(err, folder.NotGiven) {
		t.Error(err)
	}
	if m, err := folder.Load(filepath.Join(dir, folder.ManifestName)); err != nil || len(m.Users) != 0 {
		t.Errorf("%+v, %v", m, err)
	}
	if info, err := os.Stat(name); err != nil || info.Size() != 0 {
		t.Errorf("%v, %v", info, err)
	}
	if new(folder.Error).Error() == "" || folder.Reason("").Error() == "" || (folder.Passwords{}).Of("") != "" || (folder.Passwords{}).Len() != 0 {
		t.Error("empty texts")
	}
	f, err := folder.Open(filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	f.Close()
	if _, _, err := f.CA(t.Context(), "", newRoot); !errors.Is(err, folder.NotOpen) {
		t.Errorf("after Close: %v", err)
	}
}
