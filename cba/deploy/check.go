package deploy

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/pfx"
)

// Readers returns the programs that may have to open the PFX on a target, as
// package pfx knows them.
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
	}
	return nil
}

// Check says what will go wrong on the target, without writing anything: a PFX
// that programs there do not open, and take for one with a wrong password; a
// password that is really wrong; a certificate that is not the one in the PFX,
// is not below the root, or is not valid at that time. Password may be empty;
// the PFX then stays closed and what is in it is not compared. Revocation is not
// looked at.
func (p Package) Check(t Target, now time.Time) lint.Findings {
	var fs lint.Findings
	add := func(code string, s lint.Severity, where, what, do, source string) {
		f := lint.Finding{Code: code, Severity: s, Where: where, What: what, Do: do, Source: lint.Source(source)}
		if s == lint.Error {
			f.Effect = lint.LocksOut
		}
		fs = append(fs, f)
	}
	if err := p.check(); err != nil {
		add("deploy-incomplete", lint.Error, "package", err.Error(), "", "")
		return fs
	}
	if p.checkReaders(t, add) {
		p.checkContents(add)
	}
	p.checkCertificate(now, add)
	return fs
}

type addFunc func(code string, s lint.Severity, where, what, do, source string)

// checkReaders reports whether the file is a PFX at all.
func (p Package) checkReaders(t Target, add addFunc) bool {
	info, err := pfx.Inspect(p.PFX)
	if err != nil {
		add("deploy-pfx-unreadable", lint.Error, "pfx", err.Error(), "write it again", "")
		return false
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
				sources = append(sources, r.Target.Source())
			case pfx.NotKnown:
				unknown = append(unknown, r.Target.Title())
			}
		}
	}
	const rewrite = "write it again with the encoding \"compat\", which all of them open"
	encoding := "this encoding"
	if info.Encoding != 0 {
		encoding = "the encoding \"" + info.Encoding.String() + "\""
	}
	switch {
	case len(no) > 0 && len(no) == len(t.Readers()):
		add("deploy-pfx-unreadable", lint.Error, "pfx", encoding+" does not open on "+strings.Join(no, "; ")+": the password is said to be wrong", rewrite, strings.Join(sources, "; "))
	case len(no) > 0:
		add("deploy-pfx-some-unreadable", lint.Warning, "pfx", encoding+" does not open on "+strings.Join(no, "; ")+": the password is said to be wrong", rewrite, strings.Join(sources, "; "))
	}
	if len(unknown) > 0 {
		add("deploy-pfx-unknown", lint.Warning, "pfx", "whether "+encoding+" opens on "+strings.Join(unknown, "; ")+" is not known", rewrite, "")
	}
	return true
}

func (p Package) checkContents(add addFunc) {
	if p.Password == "" {
		return
	}
	b, err := pfx.Decode(p.PFX, p.Password)
	var e *pfx.Error
	switch {
	case errors.As(err, &e) && e.Reason == pfx.WrongPassword:
		add("deploy-wrong-password", lint.Error, "password", "it does not open the PFX", "look it up again", "")
		return
	case err != nil:
		add("deploy-pfx-unreadable", lint.Error, "pfx", err.Error(), "write it again", "")
		return
	}
	if !bytes.Equal(b.Certificate.Raw, p.Certificate.Raw) {
		add("deploy-other-certificate", lint.Error, "pfx", fmt.Sprintf("it holds the certificate %s and not %s", thumbprint(b.Certificate), thumbprint(p.Certificate)), "take the PFX of this certificate", "")
		return
	}
	if strings.ContainsFunc(p.Password, func(r rune) bool { return r < ' ' || r > '~' }) {
		add("deploy-password-characters", lint.Warning, "password", "it has a character that is not printable ASCII, which people cannot type everywhere and programs encode differently",
			"write the PFX again with a generated password", "")
	}
	// Every certificate on the way to the root travels in the PFX.
	above := append(append([]*x509.Certificate{}, b.Chain...), p.Root)
	for child, n := p.Certificate, 0; !bytes.Equal(child.Raw, p.Root.Raw); n++ {
		if n >= len(above) || child.CheckSignatureFrom(above[n]) != nil {
			add("deploy-broken-chain", lint.Error, "root", fmt.Sprintf("the PFX does not lead from the certificate to the root %q", title(p.Root)), "put every CA between the two into the PFX, and take the root of this certificate", "")
			return
		}
		child = above[n]
	}
}

func (p Package) checkCertificate(now time.Time, add addFunc) {
	for _, c := range []struct {
		where string
		cert  *x509.Certificate
	}{{"certificate", p.Certificate}, {"root", p.Root}} {
		switch {
		case now.Before(c.cert.NotBefore):
			add("deploy-not-yet-valid", lint.Error, c.where, "it is not valid before "+c.cert.NotBefore.UTC().Format(time.RFC3339), "wait, or look at the clock", "")
		case now.After(c.cert.NotAfter):
			add("deploy-expired", lint.Error, c.where, "it expired at "+c.cert.NotAfter.UTC().Format(time.RFC3339), "issue a new one", "")
		}
	}
}
