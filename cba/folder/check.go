package folder

import (
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"example.com/entracba/cba/certfile"
	"example.com/entracba/cba/internal/fingerprint"
)

// Check looks at the user's files in a folder: the certificate must have the thumbprint
// of the manifest, and the PFX file must be whole. Files that the manifest does not name
// are not looked for, and the PFX file is not opened. The error is an [*Error] with
// reason [MissingFile], [Damaged] or [Outside], or one of the file system.
func (u User) Check(folder string) error {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return err
	}
	defer root.Close()
	return u.check(folder, root)
}

func (u User) check(folder string, root *os.Root) error {
	for _, f := range []struct {
		name string
		look func(content []byte) (wrong string, cause error)
	}{{u.Certificate, u.wrongCertificate}, {u.PFX, wrongPFX}} {
		if f.name == "" {
			continue
		}
		path, err := local(folder, f.name)
		if err != nil {
			return err
		}
		content, err := readIn(root, f.name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return u.damage(MissingFile, path, "the certificate of "+u.UPN+" was issued, but this file is gone")
		case err != nil:
			return at(path, err)
		case len(content) == 0:
			return u.damage(Damaged, path, "this file of "+u.UPN+" is empty")
		}
		if wrong, cause := f.look(content); wrong != "" {
			e := u.damage(Damaged, path, "this file of "+u.UPN+" "+wrong)
			e.Err = cause
			return e
		}
	}
	return nil
}

func (u User) damage(reason Reason, path, what string) *Error {
	return &Error{Reason: reason, Path: path, UPN: u.UPN, What: what, Hint: "restore it from a backup, or issue a new certificate to the user"}
}

// wrongCertificate says why a file is not the user's certificate.
func (u User) wrongCertificate(content []byte) (string, error) {
	is := func(der []byte) bool {
		return u.Thumbprint == "" || strings.EqualFold(u.Thumbprint, fingerprint.Of(der))
	}
	block, _ := pem.Decode(content)
	if block != nil && block.Type == "CERTIFICATE" && is(block.Bytes) || u.Thumbprint != "" && is(content) {
		return "", nil
	}
	// Other programs write other forms.
	file, err := certfile.Read(content, nil)
	switch {
	case err != nil:
		return "is not a certificate, or was cut off", err
	case !is(file.Certificate.Raw):
		return "is not the certificate that the manifest lists", nil
	}
	return "", nil
}

// wrongPFX says why a file is no whole PFX file. Its length is at its start.
func wrongPFX(content []byte) (string, error) {
	var outer asn1.RawValue
	rest, err := asn1.Unmarshal(content, &outer)
	switch {
	case len(content) > 1 && content[0] == 0x30 && content[1] == 0x80: // other programs' BER has no length
		return "", nil
	case err != nil || outer.Tag != asn1.TagSequence:
		return "is not a PFX file, or was cut off", nil
	case len(rest) > 0:
		return "has more text after its end", nil
	}
	return "", nil
}

// readIn reads a file of up to 16 MB below root.
func readIn(root *os.Root, name string) ([]byte, error) {
	f, err := root.Open(filepath.FromSlash(name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	if err == nil && len(content) > MaxFile {
		err = &Error{Reason: TooLarge, What: "it has more than 16 MB"}
	}
	if err != nil {
		return nil, err
	}
	return content, nil
}

// leftoverName is the folder for what does not count and is not ours to delete.
const leftoverName = "leftover"

// setAside moves a file or folder to leftover/, where it replaces nothing. What is not
// there is no error.
func (f *Folder) setAside(path string) error {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	dir := filepath.Join(f.path, leftoverName)
	if err := makeFolder(dir); err != nil {
		return err
	}
	to := filepath.Join(dir, filepath.Base(path))
	for n := 1; ; n++ {
		free := to
		if n > 1 {
			free = fmt.Sprintf("%s.%d", to, n)
		}
		if _, err := os.Lstat(free); err == nil {
			continue
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := os.Rename(path, free); err != nil {
			return err
		}
		f.aside = append(f.aside, free)
		return nil
	}
}

// SetAside names what this run has moved to leftover/: what killed runs left
// unfinished, and the damaged files of users who get a new certificate.
func (f *Folder) SetAside() []string {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.aside)
}
