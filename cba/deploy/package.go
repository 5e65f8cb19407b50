package deploy

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/internal/enum"
	"example.com/entracba/cba/internal/fingerprint"
	"example.com/entracba/cba/internal/text"
)

// A Package is what goes to one machine: one user's certificate with its key,
// and the root. UPN, PFX, Certificate and Root are required. Printed, logged or
// written as JSON it shows neither the password nor the PFX.
type Package struct {
	// UPN is the user principal name. It is shown, and names of files and of
	// the profile are made from it; nothing is looked up with it.
	UPN string
	// PFX is the PKCS #12 file as it is. The files that this package writes carry it.
	// Only [Package.Findings] opens it.
	PFX []byte
	// Password opens PFX. It is needed where a file has to hold it: everything
	// for unattended installation, and whatever [Options.EmbedPassword] is for.
	Password string
	// Certificate is the user's, the one that is in PFX.
	Certificate *x509.Certificate
	// Root is the root CA's.
	Root *x509.Certificate
	// Name is the file name of the PFX without its ending: at most 64 letters, digits
	// and . _ + - @, with a letter or digit first, no two hyphens together, and no device
	// of Windows (CON). Empty
	// means the part of UPN before the @, with a hyphen for every other character,
	// and "-cba" after it.
	Name string
}

// String returns the UPN and the size of the PFX.
func (p Package) String() string { return fmt.Sprintf("{%s, PFX of %d bytes}", p.UPN, len(p.PFX)) }

// Format writes [Package.String], whatever the verb.
func (p Package) Format(s fmt.State, verb rune) { fmt.Fprint(s, p.String()) }

// MarshalJSON writes the UPN, the file name and the thumbprint of the certificate.
func (p Package) MarshalJSON() ([]byte, error) {
	var shown struct {
		UPN        string `json:"upn"`
		Name       string `json:"name,omitempty"`
		Thumbprint string `json:"thumbprint,omitempty"`
	}
	shown.UPN, shown.Name = p.UPN, p.Name
	if p.Certificate != nil {
		shown.Thumbprint = thumbprint(p.Certificate)
	}
	return json.Marshal(shown)
}

// Options say how a package travels. The zero value works for every target.
type Options struct {
	// EmbedPassword stores the password in the files, in clear text, so that nobody
	// has to type it. Files for unattended installation always hold it, because
	// Windows Setup cannot ask.
	EmbedPassword bool
	// Exportable lets the user, and programs of the user, export the private key
	// from the store. (Windows and macOS, there since 10.15; NSS has no such setting.)
	Exportable bool

	// AllAppsAccess lets every program of the user use the key without being asked for
	// consent (macOS). Otherwise the keychain asks once for each program.
	AllAppsAccess bool

	// Store is where Windows keeps the certificate. Zero means [MachineStore]
	// in the pass [Specialize] and [UserStore] elsewhere.
	Store Store
	// Pass is when Windows Setup imports. Zero means [OOBESystem].
	Pass Pass
	// VolumeLabel is the label of the stick, by which Windows Setup finds it whatever
	// its drive letter: 1 to 32 characters, on FAT at most 11. Empty means "ESD-USB".
	VolumeLabel string
	// ScriptOnVolume keeps the password out of the answer file: a script on the stick
	// holds it, and the answer file runs that script. Windows Setup copies the answer
	// file to the machine's disk, but not the script. No length limit applies to the
	// script.
	ScriptOnVolume bool
	// AtSignIn imports when the person of the UPN signs in to Windows, into that
	// person's store, whoever installs: see [Package.SignInScript].
	AtSignIn bool
	// WipeAfter is how long the files wait for that person before they are wiped, at
	// least an hour. Zero means 30 days.
	WipeAfter time.Duration
	// Architecture is that of the answer file's components: "amd64", "arm64" or
	// "x86". Empty means every architecture for which the file has the component, else
	// the one in the file, or "amd64" for a file without components.
	Architecture string

	// Organization is shown in the configuration profile; it may be empty.
	Organization string
	// Identifier names the configuration profile, in reverse-DNS style. Installing a
	// profile replaces the one with the same identifier. Empty means an identifier
	// made from the UPN.
	Identifier string

	// Cloud is the cloud whose sign-in hosts the browser policy names. Zero means
	// [Public].
	Cloud Cloud
	// Others are the certificates of the other people who use the machine. The browser
	// policy, of which a machine has one, then selects for each of them. Where two of
	// the certificates are in one store, both fit, and the browser takes one of them.
	Others []*x509.Certificate
	// IssuerOnly makes the browser policy select any certificate of the issuer, not
	// only those with this subject. Where certificates of two people are in one store, the
	// browser may present the wrong one (seen with Chromium 148).
	IssuerOnly bool
}

// A Store is a certificate store of Windows. The zero value is unset.
type Store uint8

const (
	// UserStore is Cert:\CurrentUser\My, the store that browsers use.
	UserStore Store = iota + 1
	// MachineStore is Cert:\LocalMachine\My. A user's stores include the machine's,
	// except for this one (Learn, "Local Machine and Current User Certificate
	// Stores"), so browsers do not offer its certificates. Whether the sign-in during
	// Windows' first start does is not documented.
	MachineStore
)

var stores = enum.Of[Store]("deploy: store", "user", "machine")

// String returns "user" or "machine".
func (s Store) String() string { return stores.String(s) }

// MarshalText writes the text of [Store.String]; an unset or unknown store is an
// error.
func (s Store) MarshalText() ([]byte, error) { return stores.Marshal(s) }

// UnmarshalText reads what MarshalText wrote.
func (s *Store) UnmarshalText(text []byte) error { return stores.Unmarshal(s, text) }

func (s Store) path() string {
	if s == MachineStore {
		return `Cert:\LocalMachine\My`
	}
	return `Cert:\CurrentUser\My`
}

// A Target is a kind of machine, and how the files reach it. The zero value is unset.
type Target uint8

const (
	// WindowsUSB is a stick from which Windows is installed unattended.
	WindowsUSB Target = iota + 1
	// Windows is a running Windows that a person uses.
	Windows
	// MacOS is a Mac.
	MacOS
	// IOS is an iPhone or iPad.
	IOS
	// Linux is a Linux desktop with browsers that keep their certificates in NSS:
	// Chromium, Chrome, Edge and Brave share a database, Firefox has one for each profile.
	Linux
	// Android is a phone or tablet with Android. A person installs the PFX in the settings
	// as "VPN & app user certificate"; an MDM installs it and can also say which apps may
	// use it without asking. Chrome can select only what it has provisioned itself, so the
	// person chooses.
	Android
)

var targets = enum.Of[Target]("deploy: target", "windows-usb", "windows", "macos", "ios", "linux", "android")

// Targets lists every target.
func Targets() []Target { return targets.Values() }

// String returns "windows-usb", "windows", "macos", "ios", "linux" or "android".
func (t Target) String() string { return targets.String(t) }

// MarshalText writes the text of [Target.String]; an unset or unknown target is an
// error.
func (t Target) MarshalText() ([]byte, error) { return targets.Marshal(t) }

// UnmarshalText reads what MarshalText wrote.
func (t *Target) UnmarshalText(text []byte) error { return targets.Unmarshal(t, text) }

// An Artefact is one file to send to a machine. Printed, logged or written as JSON it
// shows its name and size and not its content.
type Artefact struct {
	// Name is relative, with a slash between folder and file.
	Name    string
	Content []byte
	// Mode is 0600 for what is secret and 0644 otherwise, and with execution
	// for the owner or everyone if the file is a shell script.
	Mode fs.FileMode
	// Key: the file holds the private key, encrypted with the password.
	Key bool
	// Password: the file holds the password in clear text, and says so at its top.
	Password bool
}

// Secret reports whether the file must be kept from others, and wiped after use.
func (a Artefact) Secret() bool { return a.Key || a.Password }

// String returns the name and the size of the file.
func (a Artefact) String() string { return fmt.Sprintf("{%s, %d bytes}", a.Name, len(a.Content)) }

// Format writes [Artefact.String], whatever the verb.
func (a Artefact) Format(s fmt.State, verb rune) { fmt.Fprint(s, a.String()) }

// MarshalJSON writes everything but the content.
func (a Artefact) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Name     string `json:"name"`
		Size     int    `json:"size"`
		Mode     string `json:"mode"`
		Key      bool   `json:"key"`
		Password bool   `json:"password"`
	}{a.Name, len(a.Content), a.Mode.String(), a.Key, a.Password})
}

// Names of files that are the same for everyone.
const (
	rootName   = "rootCA.cer"
	certFolder = "Certs"
	scriptName = "Import-Certificate.ps1"
	signInName = "Import-AtSignIn.ps1"
)

// Artefacts returns the files for a target, the most important first. "Both files"
// are the root and the PFX:
//
//   - [WindowsUSB]: autounattend.xml and the folder Certs, for the root folder
//     of a volume labelled [Options.VolumeLabel]; see [Zip] for one file of it.
//     To use an answer file that exists, give it to [Package.MergeUnattend].
//   - [Windows]: a PowerShell script, a batch file that uses certutil, both files. With
//     [Options.AtSignIn] the one script that an administrator runs beforehand.
//   - [MacOS]: a configuration profile, a script, both files. Use the profile or the
//     script.
//   - [IOS]: a configuration profile.
//   - [Linux]: a script for NSS, one for p11-kit, both files.
//   - [Android]: both files.
//
// For Windows and Linux come the files of the browser's choice: policies for Chromium,
// Chrome, Edge and Brave that select this certificate by issuer and subject, and one for
// Firefox, which has no filter; each in the forms that the target knows, with a script that
// puts them where they belong or checks them. On macOS they are part of the profile. They
// are left out for a name that no filter fits; see [Package.Findings].
//
// The error is an [*Error].
func (p Package) Artefacts(t Target, o Options) ([]Artefact, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	var all []Artefact
	var failed error
	add := func(name string, secret bool, content []byte, err error) {
		if failed == nil {
			failed = err
		}
		mode := fs.FileMode(0o644)
		if secret {
			mode = 0o600
		}
		if strings.HasSuffix(name, ".sh") {
			mode |= mode >> 2 & 0o111
		}
		all = append(all, Artefact{Name: name, Content: content, Mode: mode, Password: secret})
	}
	both := func(folder, ending string) {
		all = append(all,
			Artefact{Name: folder + rootName, Content: p.Root.Raw, Mode: 0o644},
			Artefact{Name: folder + p.fileName(ending), Content: p.PFX, Mode: 0o600, Key: true})
	}
	choice := func(folder string) {
		files, err := p.choiceFiles(t, folder, o)
		if failed == nil {
			failed = err
		}
		all = append(all, files...)
	}
	switch t {
	case WindowsUSB:
		content, err := p.Unattend(o)
		add("autounattend.xml", !o.ScriptOnVolume && !o.AtSignIn, content, err)
		if o.AtSignIn {
			content, err := p.SignInScript(o)
			add(certFolder+"/"+signInName, true, content, err)
		} else if o.ScriptOnVolume {
			o.EmbedPassword, o.Store = true, o.store()
			content, err := p.PowerShell(o)
			add(certFolder+"/"+scriptName, true, content, err)
		}
		both(certFolder+"/", "pfx")
		choice(certFolder + "/")
	case Windows:
		if o.AtSignIn {
			content, err := p.SignInScript(o)
			add(signInName, true, content, err)
			both("", "pfx")
			choice("")
			break
		}
		content, err := p.PowerShell(o)
		add(scriptName, o.EmbedPassword, content, err)
		// The script takes every password; certutil is for those who know it.
		if content, err := p.Certutil(o); err == nil || !o.EmbedPassword {
			add("import.cmd", o.EmbedPassword, content, err)
		}
		both("", "pfx")
		choice("")
	case MacOS:
		content, err := p.MobileConfig(t, o)
		all = append(all, Artefact{Name: p.fileName("mobileconfig"), Content: content, Mode: 0o600, Key: true, Password: o.EmbedPassword})
		if failed = err; err == nil {
			content, err = p.SecurityScript(o)
			add("install.sh", o.EmbedPassword, content, err)
		}
		both("", "p12")
	case IOS:
		content, err := p.MobileConfig(t, o)
		all = append(all, Artefact{Name: p.fileName("mobileconfig"), Content: content, Mode: 0o600, Key: true, Password: o.EmbedPassword})
		failed = err
	case Linux:
		content, err := p.NSSScript(o)
		add("install.sh", o.EmbedPassword, content, err)
		content, err = p.TrustScript()
		add("trust-root.sh", false, content, err)
		both("", "pfx")
		choice("")
	case Android:
		if o.EmbedPassword {
			return nil, fail(BadOption, "Android asks for the password of a PFX; no file can hold it")
		}
		both("", "p12")
	default:
		return nil, fail(BadOption, "target %v: use one of %v", t, targets.Values())
	}
	if failed != nil {
		return nil, failed
	}
	return all, nil
}

// check refuses what no constant stands for.
func (o Options) check() error {
	if o.Store > MachineStore || o.Pass > Specialize || o.Cloud > China {
		return fail(BadOption, "store %v, pass %v, cloud %v: one of them is not a constant of this package", o.Store, o.Pass, o.Cloud)
	}
	return nil
}

// check says what is missing or cannot be used.
func (p Package) check() error {
	switch {
	case p.UPN == "":
		return fail(Missing, "UPN is empty")
	case !utf8.ValidString(p.UPN) || strings.ContainsFunc(p.UPN, unicode.IsControl):
		return fail(BadName, "the UPN %s has a control character or is not UTF-8", text.Quote(p.UPN))
	case len(p.PFX) == 0:
		return fail(Missing, "PFX is empty for %s", p.UPN)
	case p.Certificate == nil:
		return fail(Missing, "Certificate is nil for %s", p.UPN)
	case p.Root == nil:
		return fail(Missing, "Root is nil for %s", p.UPN)
	}
	if p.Name != "" && !isFileName(p.Name) {
		return fail(BadName, "%s cannot be a file name on every system; use at most 64 letters, digits and . _ + - @, and no name of a device such as CON", text.Quote(p.Name))
	}
	return nil
}

func isFileName(name string) bool {
	return len(name) <= 64 && fileName(name) == name && isAlphanumeric(name[0]) && !strings.HasSuffix(name, ".") && !isDevice(name)
}

// isDevice reports whether Windows takes a file of this name for a device, whatever its
// ending.
func isDevice(name string) bool {
	stem, _, _ := strings.Cut(strings.ToUpper(name), ".")
	switch stem {
	case "CON", "PRN", "AUX", "NUL":
		return true
	}
	return len(stem) == 4 && (stem[:3] == "COM" || stem[:3] == "LPT") && stem[3] >= '0' && stem[3] <= '9'
}

func isAlphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// fileName replaces what is not safe in every shell and file system by a hyphen, and
// several by one: an XML comment must not have two in a row.
func fileName(name string) string {
	last := rune(0)
	return strings.Map(func(r rune) rune {
		if r >= 0x80 || !isAlphanumeric(byte(r)) && !strings.ContainsRune("._+@", r) {
			r = '-'
		}
		if r == '-' && last == '-' {
			return -1
		}
		last = r
		return r
	}, name)
}

// fileName returns the name of the package's own file with this ending.
func (p Package) fileName(ending string) string {
	name := p.Name
	if name == "" {
		local, _, _ := strings.Cut(p.UPN, "@")
		name = fileName(local)
		if name == "" || !isAlphanumeric(name[0]) {
			name = "user" + name
		}
		if isDevice(name) {
			name = "user-" + name
		}
		name = strings.TrimRight(name[:min(len(name), 60)], "-") + "-cba"
	}
	return name + "." + ending
}

// secret is the text that stands at the top of every file with a password.
func (p Package) secret(file string) string {
	return "SECRET: this file holds the password of " + file + " in clear text. Anyone with both can sign in as " +
		comment(p.UPN) + ". Wipe this file after the import."
}

func thumbprint(c *x509.Certificate) string {
	return strings.ToUpper(fingerprint.Of(c.Raw))
}

func sha256Hex(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}

// title is the certificate's common name, or its whole name.
func title(c *x509.Certificate) string {
	if c.Subject.CommonName != "" {
		return c.Subject.CommonName
	}
	return dn.Show(c.RawSubject)
}
