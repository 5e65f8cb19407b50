package deploy

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"example.com/entracba/cba/internal/path"
	"example.com/entracba/cba/internal/text"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/pfx"
)

// Readers returns the programs on a target that may have to open the PFX, by their
// names in package pfx.
func (t Target) Readers() []pfx.Target {
	switch t {
	case WindowsUSB, Windows:
		return []pfx.Target{pfx.WindowsServer2016, pfx.Windows10, pfx.WindowsServer2019, pfx.Windows11}
	case MacOS:
		return []pfx.Target{pfx.MacOS14, pfx.MacOS15, pfx.MacOS26}
	case IOS:
		return []pfx.Target{pfx.IOS16, pfx.IOS17}
	case Linux:
		return []pfx.Target{pfx.Firefox, pfx.NSS3101}
	case Android:
		return []pfx.Target{pfx.Android13, pfx.Android14}
	}
	return nil
}

// Findings says what will go wrong on the target, without writing anything: a PFX
// that programs there do not open, and then report as a wrong password; a password
// that is really wrong; a certificate that is not the one in the PFX, is not below
// the root, or is not valid at that time. Password may be empty; the PFX then stays
// closed and its content is not compared. Revocation is not checked. A name by which no
// browser can select the certificate is told, too.
func (p Package) Findings(t Target, now time.Time) lint.Findings {
	if err := p.check(); err != nil {
		return lint.Findings{incomplete.At("package", "", "%s", strings.TrimPrefix(err.Error(), "deploy: "))}
	}
	fs, ok := p.readers(t)
	if ok {
		fs = append(fs, p.contents()...)
	}
	if list, err := p.choiceOrNone(Options{}); t != IOS && t != Android && err == nil && len(list) == 0 {
		fs = append(fs, noChoice.At("certificate", "", ""))
	}
	return append(fs, p.validity(now)...)
}

// readers reports also whether the file is a PFX at all.
func (p Package) readers(t Target) (fs lint.Findings, ok bool) {
	info, err := pfx.Inspect(p.PFX)
	if err != nil {
		return lint.Findings{pfxMalformed.At("pfx", "", "%s", err)}, false
	}
	var no, unknown, sources []string
	for _, r := range info.Readers {
		for _, want := range t.Readers() {
			if r.Target != want {
				continue
			}
			switch r.Reads {
			case pfx.No:
				no = append(no, r.Target.Title())
				sources = append(sources, string(r.Target.Source()))
			case pfx.NotKnown:
				unknown = append(unknown, r.Target.Title())
			}
		}
	}
	encoding := "this encoding"
	if info.Encoding != 0 {
		encoding = fmt.Sprintf("the encoding %q", info.Encoding)
	}
	if len(no) > 0 {
		f := pfxSomeUnreadable.At("pfx", "", "these programs do not open %s and report a wrong password: %s", encoding, strings.Join(no, "; "))
		f.Source = lint.Source(strings.Join(sources, "; "))
		fs = append(fs, f)
	}
	if len(unknown) > 0 {
		fs = append(fs, pfxUnknown.At("pfx", "", "it is not known whether these programs open %s: %s", encoding, strings.Join(unknown, "; ")))
	}
	return fs, true
}

func (p Package) contents() lint.Findings {
	if p.Password == "" {
		return nil
	}
	b, err := pfx.Decode(p.PFX, p.Password)
	switch {
	case errors.Is(err, pfx.WrongPassword):
		return lint.Findings{wrongPassword.At("password", "", "")}
	case err != nil:
		return lint.Findings{pfxMalformed.At("pfx", "", "%s", err)}
	case !bytes.Equal(b.Certificate.Raw, p.Certificate.Raw):
		return lint.Findings{otherCertificate.At("pfx", "", "the PFX holds the certificate %s instead of %s", thumbprint(b.Certificate), thumbprint(p.Certificate))}
	}
	var fs lint.Findings
	if strings.ContainsFunc(p.Password, func(r rune) bool { return r < ' ' || r > '~' }) {
		fs = append(fs, passwordCharacters.At("password", "", ""))
	}
	// Every certificate on the way to the root travels in the PFX.
	above := append(append([]*x509.Certificate{}, b.Chain...), p.Root)
	for child, n := p.Certificate, 0; !bytes.Equal(child.Raw, p.Root.Raw); n++ {
		if n >= len(above) || path.Verify(child, above[n]) != path.Proven || child.CheckSignatureFrom(above[n]) != nil {
			return append(fs, brokenChain.At("root", "", "the PFX does not lead from the certificate to the root %s", text.Quote(title(p.Root))))
		}
		child = above[n]
	}
	return fs
}

func (p Package) validity(now time.Time) (fs lint.Findings) {
	for _, c := range []struct {
		where string
		cert  *x509.Certificate
	}{{"certificate", p.Certificate}, {"root", p.Root}} {
		switch {
		case now.Before(c.cert.NotBefore):
			fs = append(fs, notYetValid.At(c.where, "", "the %s is not valid before %s", c.where, text.Time(c.cert.NotBefore)))
		case now.After(c.cert.NotAfter):
			fs = append(fs, expired.At(c.where, "", "the %s expired at %s", c.where, text.Time(c.cert.NotAfter)))
		}
	}
	return fs
}
