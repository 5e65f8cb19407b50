package folder

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"example.com/entracba/cba"
	"example.com/entracba/cba/dn"
)

// CAName is the CA's folder in a folder.
const CAName = "ca"

// The CA's files without their endings.
const (
	rootName    = "rootCA"
	issuingName = "issuingCA"
)

// CA returns the CA that issues in this folder: the one in the folder from or, if
// from is "", the one that an earlier run left in this folder or, if there is none,
// the one that make makes, whose key is then kept here. It reports whether the CA was
// made. What everyone may have of the CA is published in the folder, see [Publish].
//
// It never writes over another CA: the error has reason [OtherCA] then. It has reason
// [NoCA] if a folder has no CA that can issue.
func (f *Folder) CA(ctx context.Context, from string, make func(context.Context) (*cba.Issuer, error)) (issuer *cba.Issuer, made bool, err error) {
	if !f.isOpen() {
		return nil, false, notOpen("the folder")
	}
	own := filepath.Join(f.path, CAName)
	if from != "" {
		if issuer, err = LoadCA(from); err != nil {
			return nil, false, err
		}
		return issuer, false, f.Adopt(issuer)
	}
	if _, err := os.Stat(own); err == nil {
		issuer, err = LoadCA(own)
		return issuer, false, err
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, false, err
	}
	if make == nil {
		return nil, false, &Error{Reason: NoCA, Path: own, What: "there is no CA here"}
	}
	if issuer, err = make(ctx); err != nil {
		return nil, false, err
	}
	if issuer == nil || issuer.Certificate == nil || issuer.Key == nil {
		return nil, false, &Error{Reason: NoCA, Path: own, What: "no CA was made"}
	}
	key, err := cba.EncodeKey(issuer.Key)
	if err != nil {
		return nil, false, err
	}
	// The folder appears with the key and the certificate, or not at all.
	unfinished := own + ".part"
	if err := f.setAside(unfinished); err != nil { // of a run that was killed
		return nil, false, err
	}
	if err := Publish(unfinished, issuer); err != nil {
		return nil, false, err
	}
	if err := Write(filepath.Join(unfinished, rootName+".key"), key, Secret); err != nil {
		return nil, false, err
	}
	if err := os.Rename(unfinished, own); err != nil {
		return nil, false, err
	}
	return issuer, true, syncFolder(f.path)
}

// Adopt publishes a CA from elsewhere in the folder, see [Publish]: one that [LoadCA] does
// not read, such as that of a PFX file. Its key is not kept. The error has reason
// [OtherCA] if the folder has another one, and [NoCA] if the CA's root is missing.
func (f *Folder) Adopt(issuer *cba.Issuer) error {
	if !f.isOpen() {
		return notOpen("the folder")
	}
	own := filepath.Join(f.path, CAName)
	if err := isWhole(own, issuer); err != nil {
		return err
	}
	for name, cert := range published(issuer) {
		there, err := Read(filepath.Join(own, name+".cer"), MaxFile)
		if err == nil && !bytes.Equal(there, cert.Raw) {
			return otherCA(own)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return Publish(own, issuer)
}

// published are the certificates of a CA by the name of their files.
func published(issuer *cba.Issuer) iter.Seq2[string, *x509.Certificate] {
	all := issuer.CACertificates()
	return func(yield func(string, *x509.Certificate) bool) {
		for i, cert := range all {
			name := "intermediateCA"
			switch {
			case i == len(all)-1:
				name = rootName
			case i == 0:
				name = issuingName
			case i > 1:
				name += strconv.Itoa(i)
			}
			if !yield(name, cert) {
				return
			}
		}
	}
}

// Publish writes what everyone may have of a CA into a folder, which is made if there
// is none: its root as rootCA.crt (PEM) and rootCA.cer (DER, for an upload), the CA that
// issues as issuingCA.crt and issuingCA.cer if that is another, and those between them as
// intermediateCA, intermediateCA2 and so on, from the one that issued the issuingCA up.
func Publish(folder string, issuer *cba.Issuer) error {
	if issuer == nil || issuer.Certificate == nil {
		return &Error{Reason: NoCA, Path: folder, What: "there is no CA to publish"}
	}
	if err := makeFolder(folder); err != nil {
		return err
	}
	for name, cert := range published(issuer) {
		if err := Write(filepath.Join(folder, name+".crt"), cba.EncodeCertificates(cert), Public); err != nil {
			return err
		}
		if err := Write(filepath.Join(folder, name+".cer"), cert.Raw, Public); err != nil {
			return err
		}
	}
	return nil
}

// LoadCA reads the one CA in a folder, from the files whose names end in .crt, .cer,
// .pem, .der, .p7b or .key: its certificate, those above it up to the root, and its key. The
// error has reason [NoCA], also if the root is missing, or [WritableByOthers] if others could have changed a file, see
// [ReadSecret]; or it is one of the file system.
func LoadCA(folder string) (*cba.Issuer, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var inputs [][]byte
	var names []string
	for _, entry := range entries {
		extension := strings.ToLower(filepath.Ext(entry.Name()))
		if entry.IsDir() || !slices.Contains([]string{".crt", ".cer", ".pem", ".der", ".p7b", ".key"}, extension) {
			continue
		}
		content, err := ReadSecret(filepath.Join(folder, entry.Name()))
		if err != nil {
			return nil, err
		}
		inputs, names = append(inputs, content), append(names, entry.Name())
	}
	if len(inputs) == 0 {
		return nil, &Error{Reason: NoCA, Path: folder, What: "there is no CA here", Hint: "put its certificate and its key there, in .crt, .cer, .pem, .der, .p7b or .key files"}
	}
	issuer, err := cba.ParseIssuer(inputs...)
	if err != nil {
		return nil, &Error{Reason: NoCA, Path: folder, What: fmt.Sprintf("no CA that can issue (%s)", strings.Join(names, ", ")), Err: err}
	}
	if err := isWhole(folder, issuer); err != nil {
		return nil, err
	}
	return issuer, nil
}

// isWhole returns an error for a CA that lacks a certificate above it.
func isWhole(path string, issuer *cba.Issuer) error {
	if issuer == nil || issuer.Certificate == nil {
		return &Error{Reason: NoCA, Path: path, What: "there is no CA"}
	}
	if issuer.Root() == nil {
		cas := issuer.CACertificates()
		return &Error{Reason: NoCA, Path: path, What: "the certificate of the root is missing",
			Hint: "add the certificate of " + dn.Show(cas[len(cas)-1].RawIssuer) + ", and of every CA above it"}
	}
	return nil
}
