package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"example.com/entracba/cba/deploy"
	"example.com/entracba/cba/folder"
)

// staging is where the folders are made before they are moved to their places.
const staging = ".deliver.part"

// write makes the folders of all users, or of none.
func (o options) write(parcels []parcel) (err error) {
	_, missing := os.Stat(o.out)
	if err := os.MkdirAll(o.out, 0o700); err != nil {
		return err
	}
	defer func() {
		if err != nil && missing != nil {
			os.Remove(o.out) // only if it is empty
		}
	}()
	unlock, err := folder.Lock(filepath.Join(o.out, ".deliver.lock"))
	if err != nil {
		return err
	}
	defer unlock()
	stage := filepath.Join(o.out, staging)
	if err := restore(stage, o.out); err != nil {
		return err
	}
	var old []string
	for _, p := range parcels {
		_, err := os.Lstat(filepath.Join(o.out, p.folder))
		switch {
		case err == nil && !o.replace:
			return fmt.Errorf("%s already exists: use another -out folder, or -replace", filepath.Join(o.out, p.folder))
		case err == nil:
			old = append(old, p.folder)
		case !errors.Is(err, os.ErrNotExist):
			return err
		}
	}
	whole := true // what moved is in its place, new or old
	defer func() {
		if whole {
			err = errors.Join(err, os.RemoveAll(stage))
		}
	}()
	for _, p := range parcels {
		if err := fill(filepath.Join(stage, "new", p.folder), p.files); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Join(stage, "old"), 0o700); err != nil {
		return err
	}
	// From here on only names change. What has moved moves back if one fails.
	var undo [][2]string
	move := func(from, to string) error {
		if err := os.Rename(from, to); err != nil {
			return err
		}
		undo = append(undo, [2]string{to, from})
		return nil
	}
	defer func() {
		for i := len(undo) - 1; err != nil && i >= 0; i-- {
			if back := os.Rename(undo[i][0], undo[i][1]); back != nil {
				whole, err = false, errors.Join(err, back)
			}
		}
	}()
	for _, name := range old {
		if err := move(filepath.Join(o.out, name), filepath.Join(stage, "old", name)); err != nil {
			return err
		}
	}
	for _, p := range parcels {
		if err := move(filepath.Join(stage, "new", p.folder), filepath.Join(o.out, p.folder)); err != nil {
			return err
		}
	}
	return nil
}

// restore puts back what a run that was killed had moved aside and not replaced yet,
// and removes the rest of what that run left.
func restore(stage, out string) error {
	aside, err := os.ReadDir(filepath.Join(stage, "old"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for _, entry := range aside {
		place := filepath.Join(out, entry.Name())
		if _, err := os.Lstat(place); !errors.Is(err, os.ErrNotExist) {
			continue // its successor
		}
		if err := os.Rename(filepath.Join(stage, "old", entry.Name()), place); err != nil {
			return err
		}
	}
	return os.RemoveAll(stage)
}

// fill writes files into a new folder, which nobody else can look into.
func fill(dir string, artefacts []deploy.Artefact) error {
	for _, a := range artefacts {
		name := filepath.Join(dir, filepath.FromSlash(a.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			return err
		}
		if err := folder.Write(name, a.Content, a.Mode); err != nil {
			return err
		}
	}
	return nil
}
