// Deliver creates the files that install the certificates of examples/issue on
// machines: for each user a folder for a USB stick, Windows, macOS, iOS, Linux or Android.
//
//	go run ./examples/deliver -manifest out/manifest.json -to windows-usb|windows|macos|ios|linux|android -out DIR
//	go run ./examples/deliver -to windows-usb -answer autounattend.xml -user jane@yourdomain.com -out stick
//	go run ./examples/deliver -check -user jane@yourdomain.com
//
// With -check it says whether a browser of this machine (Linux) finds the certificate, and
// whether it selects it without asking; it writes nothing.
//
// Passwords are read from passwords.csv beside the manifest. Either the folders of
// all users are written, or nothing is. Exit status: 0 done, 1 something would not
// work on the target and nothing was written, or -check misses it, 2 the command line or the input cannot
// be used.
package main

import (
	"bytes"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/deploy"
	"example.com/entracba/cba/folder"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/pfx"
	"example.com/entracba/examples/internal/console"
	"example.com/entracba/examples/internal/saved"
	"example.com/entracba/examples/internal/targets"
)

func main() { console.Main("deliver", run) }

// options is the command line, read and checked.
type options struct {
	deploy.Options
	manifest, out, root, answer, tenant string
	users                               []string
	target                              deploy.Target
	zip, replace, json, shared, look    bool
	args                                []string // the command line, for the next command
}

func parse(args []string) (options, error) {
	o := options{args: args}
	f := flag.NewFlagSet("deliver", flag.ContinueOnError)
	f.StringVar(&o.manifest, "manifest", "out/manifest.json", "the manifest.json `FILE` that issue or fleet wrote")
	f.Func("to", "`TARGET` of the delivery: windows-usb, windows, macos, ios, linux or android, or a system as issue -for takes it, such as windows-11; required", func(text string) (err error) {
		o.target, err = targets.Delivery(text)
		return err
	})
	f.StringVar(&o.out, "out", "", "write one folder for each user into `DIR`; required")
	f.Func("user", "only for the user with this `UPN`; may be repeated", func(text string) error {
		o.users = append(o.users, text)
		return nil
	})
	f.StringVar(&o.root, "root", "", "root certificate `FILE`; required if the CA in the manifest is not a root and the PFX files do not contain the root")
	f.BoolVar(&o.replace, "replace", false, "replace existing folders of these users")
	f.BoolVar(&o.json, "json", false, "print JSON")
	f.BoolVar(&o.EmbedPassword, "embed-password", false, "store the password in the scripts and profiles, so that nobody has to type it")
	f.BoolVar(&o.Exportable, "exportable", false, "let the user export the key from the store (windows, macos)")
	f.BoolVar(&o.AllAppsAccess, "all-apps", false, "let every program of the user use the key without being asked (macos)")
	f.Func("store", "Windows certificate `STORE`: user (default) or machine", func(text string) error { return o.Store.UnmarshalText([]byte(text)) })
	f.Func("pass", "Windows Setup `PASS` in which the certificate is imported: oobeSystem (default) or specialize", func(text string) error { return o.Pass.UnmarshalText([]byte(text)) })
	f.StringVar(&o.VolumeLabel, "label", "ESD-USB", "volume `LABEL` of the USB stick")
	f.BoolVar(&o.ScriptOnVolume, "script", false, "keep the password out of the answer file, in a script on the stick")
	f.BoolVar(&o.AtSignIn, "at-sign-in", false, "import when the user signs in to Windows, whoever installs the machine (windows-usb, windows)")
	f.DurationVar(&o.WipeAfter, "wipe-after", 0, "with -at-sign-in: wipe the files if the user has not signed in after this `DURATION` (default 720h)")
	f.StringVar(&o.answer, "answer", "", "add the commands to a copy of this answer `FILE`")
	f.StringVar(&o.Architecture, "arch", "", "processor `ARCH` in the answer file: amd64, arm64 or x86 (default: every one that the -answer file has, else amd64)")
	f.BoolVar(&o.zip, "zip", false, "write one ZIP archive instead of files (windows-usb)")
	f.StringVar(&o.Organization, "organization", "", "organization `NAME` shown in the configuration profile")
	f.Func("cloud", "the tenant's `CLOUD`: public (default), usgov or china", func(text string) error { return o.Cloud.UnmarshalText([]byte(text)) })
	f.StringVar(&o.tenant, "tenant", "", "also list the host of the tenant with this `ID`")
	f.BoolVar(&o.IssuerOnly, "issuer-only", false, "let the browser policy select certificates by issuer only; with certificates of two people in one store the wrong one may be presented")
	f.BoolVar(&o.shared, "shared", false, "the users share the machine: the browser policy names the certificate of each")
	f.BoolVar(&o.look, "check", false, "only look whether the browsers of this machine find and select the certificates (Linux)")
	if err := console.ParseFlags(f, args, "Creates the files that install certificates on machines.", "-to TARGET -out DIR [flags]",
		"-manifest out/manifest.json -to windows-usb -out usb", "-manifest out/manifest.json -to macos -out mac -user jane@contoso.com", "-check -user jane@contoso.com"); err != nil {
		return o, err
	}
	usb := o.target == deploy.WindowsUSB
	switch {
	case f.NArg() > 0:
		return o, console.Usage("unexpected argument %q", f.Arg(0))
	case o.look && (o.target != 0 || o.out != ""):
		return o, console.Usage("-check looks at this machine and writes nothing: leave -to and -out away")
	case o.look:
		return o, nil
	case o.target == 0:
		return o, console.Usage("-to is required: windows-usb, windows, macos, ios, linux or android; for help: go run ./examples/deliver -h")
	case o.out == "":
		return o, console.Usage("-out is required: the folder to write into")
	case !usb && (o.answer != "" || o.zip || o.ScriptOnVolume || o.Pass != 0 || o.Architecture != ""):
		return o, console.Usage("-answer, -arch, -pass, -script and -zip work only with -to windows-usb")
	case !usb && o.target != deploy.Windows && (o.AtSignIn || o.WipeAfter != 0):
		return o, console.Usage("-at-sign-in and -wipe-after work only with -to windows-usb or windows")
	case o.AtSignIn && o.ScriptOnVolume:
		return o, console.Usage("use -at-sign-in or -script: both keep the password out of the answer file")
	case o.target == deploy.Android && o.EmbedPassword:
		return o, console.Usage("-embed-password does not work with -to android: Android asks for the password")
	}
	return o, nil
}

// A parcel is what one user receives.
type parcel struct {
	deploy.Package
	folder   string // name of the folder, within -out
	encoding string // of the PFX
	files    []deploy.Artefact
	wipe     []deploy.Remnant
	findings lint.Findings
}

func run(args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	if o.look {
		return o.check()
	}
	hosts, err := deploy.Hosts(max(o.Cloud, deploy.Public), o.tenant)
	if err != nil {
		return err
	}
	parcels, err := o.load()
	if err != nil {
		return saved.Advise(o.manifest, err)
	}
	if o.shared {
		for _, p := range parcels {
			o.Others = append(o.Others, p.Certificate)
		}
		slices.SortFunc(o.Others, func(a, b *x509.Certificate) int { return bytes.Compare(a.Raw, b.Raw) })
	}
	var old []byte
	if o.answer != "" {
		if old, err = folder.Read(o.answer, folder.MaxFile); err != nil {
			return err
		}
	}
	failed := 0
	for i := range parcels {
		p := &parcels[i]
		p.findings = p.Findings(o.target, time.Now())
		if o.target == deploy.WindowsUSB {
			found, err := p.UnattendFindings(old, o.Options)
			if err != nil {
				return o.in(p, err)
			}
			p.findings = append(p.findings, found...)
		}
		if p.findings.Worst() == lint.Error {
			failed++
			continue
		}
		if err := o.pack(p, old); err != nil {
			return o.in(p, err)
		}
	}
	if failed > 0 {
		if err := o.refuse(parcels, failed); err != nil {
			return err
		}
		return console.ErrNo
	}
	if err := o.write(parcels); err != nil {
		return err
	}
	if o.json {
		return o.writeJSON(console.Stdout, parcels, hosts)
	}
	o.report(console.Stdout, console.StyleFor(os.Stdout), parcels, hosts)
	return nil
}

// in says whose files, and which answer file, an error is about.
func (o options) in(p *parcel, err error) error {
	if o.answer != "" && (errors.Is(err, deploy.NotAnswerFile) || errors.Is(err, deploy.Ambiguous)) {
		return fmt.Errorf("%s: %w", o.answer, err)
	}
	return fmt.Errorf("%s: %w", p.UPN, err)
}

// pack makes the files of one user. old is the answer file to add to, or nil.
func (o options) pack(p *parcel, old []byte) error {
	files, err := p.Artefacts(o.target, o.Options)
	if err != nil {
		return err
	}
	if old != nil {
		if files[0].Content, err = p.MergeUnattend(old, o.Options); err != nil {
			return err
		}
		files[0].Mode = 0o600 // it may hold passwords of its own
	}
	p.files, p.wipe = files, deploy.Wipe(o.target, files)
	if !o.zip {
		return nil
	}
	archive, err := deploy.Zip(files, time.Now())
	if err != nil {
		return err
	}
	p.files = []deploy.Artefact{{Name: "stick.zip", Content: archive, Mode: 0o600, Key: true, Password: true}}
	p.wipe = append(deploy.Wipe(o.target, p.files)[:1], p.wipe...)
	return nil
}

// load reads the manifest and everything that it names.
func (o options) load() ([]parcel, error) {
	m, err := folder.Load(o.manifest)
	if err != nil {
		return nil, err
	}
	dir := filepath.Dir(o.manifest)
	passwords, err := folder.LoadPasswords(filepath.Join(dir, folder.PasswordsName))
	if err != nil {
		return nil, err
	}
	users, err := choose(m.Users, o.users)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.manifest, err)
	}
	ca, err := certificates(dir, m.CA.Certificate)
	if err != nil {
		return nil, err
	}
	if o.root != "" {
		if ca, err = certificates("", o.root); err != nil {
			return nil, err
		}
	}
	var parcels []parcel
	for _, u := range users {
		p, err := o.open(dir, u, passwords.Of(u.UPN), topmost(ca))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", u.UPN, err)
		}
		parcels = append(parcels, p)
	}
	return parcels, nil
}

// open reads the files of one user.
func (o options) open(dir string, u folder.User, password string, root *x509.Certificate) (parcel, error) {
	if password == "" {
		return parcel{}, &folder.Error{Reason: folder.MissingFile, UPN: u.UPN, Path: filepath.Join(dir, folder.PasswordsName), What: "no password for this user"}
	}
	if err := u.Check(dir); err != nil {
		return parcel{}, err
	}
	own, err := saved.UserCertificate(o.manifest, u)
	if err != nil {
		return parcel{}, err
	}
	data, err := folder.ReadFile(dir, u.PFX)
	if err != nil {
		return parcel{}, err
	}
	if !bytes.Equal(root.RawSubject, root.RawIssuer) { // an issuing CA: its root is in the PFX
		if root = rootOf(data, password); root == nil {
			return parcel{}, errors.New("the CA in the manifest is not a root, and the PFX does not contain the root; pass the root certificate with -root FILE")
		}
	}
	base := filepath.Base(u.PFX)
	return parcel{
		Package:  deploy.Package{UPN: u.UPN, PFX: data, Password: password, Certificate: own, Root: root},
		folder:   strings.TrimSuffix(base, filepath.Ext(base)),
		encoding: u.PFXEncoding,
	}, nil
}

// topmost returns the root among certificates, in whatever order they are, else the first
// of them.
func topmost(all []*x509.Certificate) *x509.Certificate {
	if i := slices.IndexFunc(all, func(c *x509.Certificate) bool { return bytes.Equal(c.RawSubject, c.RawIssuer) }); i >= 0 {
		return all[i]
	}
	return all[0]
}

func rootOf(data []byte, password string) *x509.Certificate {
	b, err := pfx.Decode(data, password)
	if err != nil {
		return nil
	}
	for _, c := range append(b.Chain, b.Others...) {
		if bytes.Equal(c.RawSubject, c.RawIssuer) {
			return c
		}
	}
	return nil
}

// choose returns the users with these UPNs, or all if there are none.
func choose(all []folder.User, upns []string) ([]folder.User, error) {
	if len(all) == 0 {
		return nil, errors.New("the manifest contains no users")
	}
	if len(upns) == 0 {
		return all, nil
	}
	byUPN := map[string]folder.User{}
	for _, u := range all {
		byUPN[folder.Key(u.UPN)] = u
	}
	var chosen []folder.User
	for _, upn := range upns {
		u, ok := byUPN[folder.Key(upn)]
		if !ok {
			return nil, fmt.Errorf("no user %q in the manifest, or named twice", upn)
		}
		delete(byUPN, folder.Key(upn)) // named twice: an error, and not two folders
		chosen = append(chosen, u)
	}
	return chosen, nil
}

// certificates reads a file, which the manifest in a folder names if there is one.
func certificates(dir, name string) (found []*x509.Certificate, err error) {
	var data []byte
	if dir == "" {
		data, err = folder.Read(name, folder.MaxFile)
	} else {
		data, err = folder.ReadFile(dir, name)
	}
	if err != nil {
		return nil, err
	}
	if found, err = cba.ParseCertificates(data); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return found, nil
}
