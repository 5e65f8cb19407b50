package deploy

import (
	"archive/zip"
	"bytes"
	"time"
)

// Zip returns the files as one ZIP archive with their names and modes, as they
// have to lie in the root folder of the stick. The archive is not encrypted: it
// is as secret as the files in it, and its comment says so. Modified is the time that they get; the zero
// time means none, and the same files give the same bytes.
func Zip(files []Artefact, modified time.Time) ([]byte, error) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		if f.Password {
			w.SetComment("SECRET: files in this archive hold a password in the clear.")
		}
		header := &zip.FileHeader{Name: f.Name, Method: zip.Deflate, Modified: modified}
		header.SetMode(f.Mode)
		entry, err := w.CreateHeader(header)
		if err == nil {
			_, err = entry.Write(f.Content)
		}
		if err != nil {
			return nil, fail(BadName, "%q in the archive: %v", f.Name, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fail(BadName, "the archive: %v", err)
	}
	return b.Bytes(), nil
}
