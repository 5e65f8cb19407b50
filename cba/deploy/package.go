package deploy

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"io/fs"
	"strings"
	"unicode"
	"unicode/utf8"

	"example.com/entracba/cba/internal/fingerprint"
)

// A Package is what goes to one machine: one user's certificate with its key,
// and the root. UPN, PFX, Certificate and Root are required.
type Package struct {
	// UPN is the user principal name. It is shown, and names of files and of
	// the profile are made from it; nothing is looked up with it.
	UPN string
	// PFX is the PKCS#12 file as it is. What this package writes carries it and
	// never opens it; [Package.Check] does.
	PFX []byte
	// Password opens PFX. It is needed where a file has to hold it: everything
	// for unattended installation, and whatever [Options.EmbedPassword] is for.
	Password string
	// Certificate is the user's, the one that is in PFX.
	Certificate *x509.Certificate
	// Root is the root CA's.
	Root *x509.Certificate
	// Name is the file name of the PFX without its ending: letters, digits and
	// . _ + - @, with a letter or digit in front, no two hyphens together, and
	// at most 64 of them. Empty means what is in front of the @ of UPN, with "-cba" behind it, and a
	// hyphen for every other character.
	Name string
}

// String says what the package holds, without the password and the file.
func (p Package) String() string { return fmt.Sprintf("{%s, PFX of %d bytes}", p.UPN, len(p.PFX)) }

// Format writes [Package.String], whatever the verb.
func (p Package) Format(s fmt.State, verb rune) { fmt.Fprint(s, p.String()) }

// Options say how a package travels. The zero value works for every target.
type Options struct {
	// EmbedPassword puts the password into the files that would ask for it
	// otherwise. It is then in the clear for whoever has the file. What Windows
	// Setup runs has nobody to ask, and holds it in any case.
	EmbedPassword bool
	// Exportable lets the user, and what runs as the user, take the private key
	// out of the store again. (Windows, macOS; NSS has no such mark.)
	Exportable bool

	// Store is where Windows keeps the certificate. Zero means [MachineStore]
	// in the pass [Specialize] and [UserStore] elsewhere.
	Store Store
	// Pass is when Windows Setup imports. Zero means [OOBESystem].
	Pass Pass
	// VolumeLabel is by which Windows Setup finds the stick, whatever its
	// drive letter: 1 to 32 characters, FAT has only 11. Empty means "ESD-USB".
	VolumeLabel string
	// ScriptOnVolume leaves the password out of the answer file: the command
	// there runs a script from the stick, which holds it. Windows Setup copies
	// the answer file to the machine's disk, and the script it does not; nor
	// does a length limit apply to what is in the script.
	ScriptOnVolume bool
	// Architecture is that of the answer file's components: "amd64", "arm64" or
	// "x86". Empty means the one that the file has, or "amd64".
	Architecture string

	// Organization is shown in the configuration profile; it may be empty.
	Organization string
	// Identifier names the configuration profile, in reverse-DNS style: a
	// profile of the same name is replaced when this one is installed. Empty
	// means one made from the UPN.
	Identifier string

	// Cloud is whose sign-in hosts the browser's policy is for. Zero means
	// [Public].
	Cloud Cloud
	// IssuerOnly makes the browser's policy pick any certificate of the issuer,
	// and not just the ones of this subject: for machines that several people
	// use.
	IssuerOnly bool
}

// A Store is a certificate store of Windows. The zero value is unset.
type Store uint8

const (
	// UserStore is Cert:\CurrentUser\My, where browsers look.
	UserStore Store = iota + 1
	// MachineStore is Cert:\LocalMachine\My. A user's stores show what the
	// machine's have, except for this one (Learn, "Local Machine and Current User
	// Certificate Stores"): a browser does not offer what is in it. Whether the
	// sign-in during Windows' first start does is not documented.
	MachineStore
)

// String returns "user" or "machine".
func (s Store) String() string {
	switch s {
	case UserStore:
		return "user"
	case MachineStore:
		return "machine"
	}
	return fmt.Sprintf("Store(%d)", uint8(s))
}

func (s Store) path() string {
	if s == MachineStore {
		return `Cert:\LocalMachine\My`
	}
	return `Cert:\CurrentUser\My`
}

// ParseStore reads the text of [Store.String].
func ParseStore(text string) (Store, error) {
	for s := UserStore; s <= MachineStore; s++ {
		if s.String() == text {
			return s, nil
		}
	}
	return 0, fail(BadOption, "%q is not a store (user, machine)", text)
}

// A Target is a kind of machine, and the way to it. The zero value is unset.
type Target uint8

const (
	// WindowsUSB is a stick from which Windows is installed unattended.
	WindowsUSB Target = iota + 1
	// Windows is a Windows that runs, with somebody in front of it.
	Windows
	// MacOS is a Mac.
	MacOS
	// IOS is an iPhone or iPad.
	IOS
	// Linux is a Linux desktop with a browser that keeps its certificates in
	// NSS: Chrome, Chromium, Edge; Firefox has a database for each profile.
	Linux
)

// Targets lists every target.
func Targets() []Target { return []Target{WindowsUSB, Windows, MacOS, IOS, Linux} }

// String returns the text form: "windows-usb", "windows", "macos", "ios" or
// "linux".
func (t Target) String() string {
	switch t {
	case WindowsUSB:
		return "windows-usb"
	case Windows:
		return "windows"
	case MacOS:
		return "macos"
	case IOS:
		return "ios"
	case Linux:
		return "linux"
	}
	return fmt.Sprintf("Target(%d)", uint8(t))
}

// ParseTarget reads the text form of a target.
func ParseTarget(text string) (Target, error) {
	var names []string
	for _, t := range Targets() {
		if t.String() == text {
			return t, nil
		}
		names = append(names, t.String())
	}
	return 0, fail(BadOption, "%q is not a target (%s)", text, strings.Join(names, ", "))
}

// MarshalText writes the text form; an unset or unknown target is an error.
func (t Target) MarshalText() ([]byte, error) {
	if t < WindowsUSB || t > Linux {
		return nil, fail(BadOption, "target %d has no text", uint8(t))
	}
	return []byte(t.String()), nil
}

// UnmarshalText is [ParseTarget].
func (t *Target) UnmarshalText(text []byte) (err error) {
	*t, err = ParseTarget(string(text))
	return err
}

// An Artefact is one file to put on the way to a machine.
type Artefact struct {
	// Name is relative, with a slash between folder and file.
	Name    string
	Content []byte
	// Mode is 0600 for what is secret and 0644 otherwise, and with execution
	// for the owner or everyone if the file is a shell script.
	Mode fs.FileMode
	// Key: the file holds the private key, encrypted with the password.
	Key bool
	// Password: the file holds the password in the clear, and says so at its
	// top.
	Password bool
}

// Secret reports whether the file must be kept from others, and wiped in the
// end.
func (a Artefact) Secret() bool { return a.Key || a.Password }

// Names of files that are the same for everyone.
const (
	rootName   = "rootCA.cer"
	certFolder = "Certs"
	scriptName = "Import-Certificate.ps1"
)

// Artefacts returns the files for a target, in the order in which a person
// would look at them:
//
//   - [WindowsUSB]: autounattend.xml and the folder Certs, for the root folder
//     of a volume labelled [Options.VolumeLabel]; see [Zip] for one file of it.
//     To use an answer file that exists, give it to [Package.MergeUnattend].
//   - [Windows]: a PowerShell script, the same with certutil, both files.
//   - [MacOS]: a configuration profile, a script, both files. One of profile
//     and script is enough.
//   - [IOS]: a configuration profile.
//   - [Linux]: a script for NSS, one for p11-kit, the browser's policy, both
//     files.
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
	switch t {
	case WindowsUSB:
		content, err := p.Unattend(o)
		add("autounattend.xml", !o.ScriptOnVolume, content, err)
		if o.ScriptOnVolume {
			o.EmbedPassword, o.Store = true, o.store()
			content, err := p.PowerShell(o)
			add(certFolder+"/"+scriptName, true, content, err)
		}
		both(certFolder+"/", "pfx")
	case Windows:
		content, err := p.PowerShell(o)
		add(scriptName, o.EmbedPassword, content, err)
		// The script takes every password; certutil is for those who know it.
		if content, err := p.Certutil(o); err == nil || !o.EmbedPassword {
			add("import.cmd", o.EmbedPassword, content, err)
		}
		both("", "pfx")
	case MacOS:
		content, err := p.MobileConfig(o)
		all = append(all, Artefact{Name: p.fileName("mobileconfig"), Content: content, Mode: 0o600, Key: true, Password: o.EmbedPassword})
		if failed = err; err == nil {
			content, err = p.SecurityScript(o)
			add("install.sh", o.EmbedPassword, content, err)
		}
		both("", "p12")
	case IOS:
		content, err := p.MobileConfig(o)
		all = append(all, Artefact{Name: p.fileName("mobileconfig"), Content: content, Mode: 0o600, Key: true, Password: o.EmbedPassword})
		failed = err
	case Linux:
		content, err := p.NSSScript(o)
		add("install.sh", o.EmbedPassword, content, err)
		content, err = p.TrustScript()
		add("trust-root.sh", false, content, err)
		content, err = p.ChromiumPolicy(o)
		add("chromium-policy.json", false, content, err)
		both("", "pfx")
	default:
		return nil, fail(BadOption, "%v is not a target", t)
	}
	if failed != nil {
		return nil, failed
	}
	return all, nil
}

// check refuses what no constant stands for.
func (o Options) check() error {
	if o.Store > MachineStore || o.Pass > Specialize || o.Cloud > China {
		return fail(BadOption, "%v, %v, %v: one of them is no constant of this package", o.Store, o.Pass, o.Cloud)
	}
	return nil
}

// check says what is missing or cannot be used.
func (p Package) check() error {
	switch {
	case p.UPN == "":
		return fail(Missing, "the UPN")
	case !utf8.ValidString(p.UPN) || strings.ContainsFunc(p.UPN, unicode.IsControl):
		return fail(BadName, "the UPN %q has a control character or is not UTF-8", p.UPN)
	case len(p.PFX) == 0:
		return fail(Missing, "the PFX of %s", p.UPN)
	case p.Certificate == nil:
		return fail(Missing, "the certificate of %s", p.UPN)
	case p.Root == nil:
		return fail(Missing, "the root's certificate")
	}
	if p.Name != "" && !isFileName(p.Name) {
		return fail(BadName, "%q as the name of a file (letters, digits and . _ + - @, at most 64)", p.Name)
	}
	return nil
}

func isFileName(name string) bool {
	return len(name) <= 64 && fileName(name) == name && isAlphanumeric(name[0]) && !strings.HasSuffix(name, ".")
}

func isAlphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// fileName puts a hyphen for what is not safe in every shell and file system,
// and one for several, of which there must not be two in an XML comment.
func fileName(text string) string {
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
	}, text)
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
		name = strings.TrimRight(name[:min(len(name), 60)], "-") + "-cba"
	}
	return name + "." + ending
}

// secret is the text that stands at the top of every file with a password.
func (p Package) secret(file string) string {
	return "SECRET: this file holds the password of " + file + " in the clear. Whoever has both signs in as " +
		comment(p.UPN) + ". Wipe this file when the certificate is imported."
}

func thumbprint(c *x509.Certificate) string {
	return strings.ToUpper(fingerprint.Of(c.Raw))
}

func sha256Hex(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}

// title is the certificate's common name, or all of its name.
func title(c *x509.Certificate) string {
	if c.Subject.CommonName != "" {
		return c.Subject.CommonName
	}
	return c.Subject.String()
}
