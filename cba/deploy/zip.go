package deploy

import (
	"archive/zip"
	"bytes"
	"fmt"
	"time"
)

// Zip returns the files as one ZIP archive with their names and modes, to unpack into
// the root folder of the stick. The archive is not encrypted: it is as secret as the
// files in it, and its comment says so. Every file gets the time modified; with the
// zero time none is written, and the same files give the same bytes.
func Zip(files []Artefact, modified time.Time) ([]byte, error) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		if f.Password {
			w.SetComment("SECRET: files in this archive hold a password in clear text.")
		}
		header := &zip.FileHeader{Name: f.Name, Method: zip.Deflate, Modified: modified}
		header.SetMode(f.Mode)
		entry, err := w.CreateHeader(header)
		if err == nil {
			_, err = entry.Write(f.Content)
		}
		if err != nil {
			return nil, &Error{Reason: BadName, Detail: fmt.Sprintf("the file %q of the archive", f.Name), Err: err}
		}
	}
	if err := w.Close(); err != nil {
		return nil, &Error{Reason: BadName, Detail: "the archive", Err: err}
	}
	return b.Bytes(), nil
}
