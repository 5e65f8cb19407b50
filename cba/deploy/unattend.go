package deploy

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"example.com/entracba/cba/internal/enum"
	"example.com/entracba/cba/internal/text"
)

// A Pass is a configuration pass of Windows Setup. The zero value is unset.
type Pass uint8

const (
	// OOBESystem is the last pass. The commands are the FirstLogonCommands of
	// the component Microsoft-Windows-Shell-Setup: they run when the first user
	// signs in to Windows, as that user, who must be an administrator.
	OOBESystem Pass = iota + 1
	// Specialize is the pass before the first start. The commands are the
	// RunSynchronous of the component Microsoft-Windows-Deployment, which has
	// none in oobeSystem: they run as the system, before there is any user.
	Specialize
)

var passes = enum.Of[Pass]("deploy: pass", "oobeSystem", "specialize")

// String returns the name in answer files, "oobeSystem" or "specialize".
func (p Pass) String() string { return passes.String(p) }

// MarshalText writes the text of [Pass.String]; an unset or unknown pass is an error.
func (p Pass) MarshalText() ([]byte, error) { return passes.Marshal(p) }

// UnmarshalText reads what MarshalText wrote.
func (p *Pass) UnmarshalText(text []byte) error { return passes.Unmarshal(p, text) }

// A place is where in an answer file a pass has its commands.
type place struct {
	component, container, command, line string
	limit                               int // characters of line
}

// place returns what the reference of answer files says (Learn, "Unattended
// Windows Setup Reference": Path of RunSynchronousCommand has up to 259
// characters, CommandLine of SynchronousCommand up to 1,024). For Path other pages say
// 255 and 256: the lowest counts here.
func (p Pass) place() place {
	if p == Specialize {
		return place{"Microsoft-Windows-Deployment", "RunSynchronous", "RunSynchronousCommand", "Path", 255}
	}
	return place{"Microsoft-Windows-Shell-Setup", "FirstLogonCommands", "SynchronousCommand", "CommandLine", 1024}
}

// maxOrder is the highest Order of a command (Learn, as above).
const maxOrder = 500

// A step is one command of an answer file.
type step struct{ line, what string }

func (o Options) pass() Pass {
	if o.Pass == 0 {
		return OOBESystem
	}
	return o.Pass
}

// UnattendCommands returns the command lines for Windows Setup, in their order:
// the root, then the PFX; with [Options.ScriptOnVolume] or [Options.AtSignIn] one line
// that runs the script. Each line finds the stick by its label, whatever its drive letter, and
// reads the files from its folder Certs. The lines are not escaped for XML; those of
// [Package.UnattendFragment] are.
//
// A line that fails (no such volume, a wrong password, another certificate than that of
// the package) ends with the exit status 1 and writes why into cba-import.log in
// Windows' folder Temp. In [Specialize], where a line is short, a third line does that.
//
// The lines hold the password for Import-PfxCertificate and never for certutil,
// whose arguments Windows PowerShell does not quote safely. No password is changed on
// its way.
//
// The error is an [*Error]: [Missing], [BadName], [BadOption] (the system's own
// user store in [Specialize]), [UnfitPassword] or [TooLong].
func (p Package) UnattendCommands(o Options) ([]string, error) {
	steps, err := p.steps(o)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, s := range steps {
		all = append(all, s.line)
	}
	return all, nil
}

func (p Package) steps(o Options) ([]step, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	if err := checkPassword(p.Password); err != nil { // a script needs it, if not the command
		return nil, err
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	if o.AtSignIn && (o.Pass == Specialize || o.Store == MachineStore) {
		return nil, fail(BadOption, "the import at the person's sign-in is prepared in the pass oobeSystem, and goes into the person's store; leave pass and store unset")
	}
	if o.pass() == Specialize && o.store() == UserStore {
		return nil, fail(BadOption, "in the pass specialize there is no user yet, only the system; use the store machine or the pass oobeSystem")
	}
	label := o.VolumeLabel
	if label == "" {
		label = "ESD-USB"
	}
	if n := utf8.RuneCountInString(label); n > 32 || !isXML(label) || strings.ContainsAny(label, "\t\r\n*?[]`") { // Get-Volume takes wildcards
		return nil, fail(BadName, "%s cannot be a volume label; use 1 to 32 characters without * ? [ ] `", text.Quote(label))
	}
	// The label may be on two volumes; the first is taken. -f gives text, where
	// + would have to add to a character, and joins before + does.
	volume := "@(Get-Volume -FileSystemLabel " + powerShellOperand(label) + ")[0].DriveLetter"
	folder := `$p='{0}:\` + certFolder + `\' -f ` + volume + ";"
	const prompt = "powershell -NoProfile -Command "

	var steps []step
	const log = `Add-Content ($env:windir+'\Temp\cba-import.log') `
	loud := func(commands string) string {
		return prompt + `"$ErrorActionPreference='Stop';try{` + commands + `}catch{` + log + `$_;exit 1}"`
	}
	switch {
	case o.ScriptOnVolume || o.AtSignIn:
		script, what := scriptName, "CBA: import the root and the certificate of "
		if o.AtSignIn {
			script, what = signInName, "CBA: prepare the import at the sign-in of "
		}
		run := folder + "& ($p+'" + script + "')" // the script writes why it failed, but not that it is gone
		if o.pass() == OOBESystem {
			run = "$ErrorActionPreference='Stop';try{" + run + ";exit $LASTEXITCODE}catch{" + log + "$_;exit 1}"
		}
		steps = []step{{`powershell -NoProfile -ExecutionPolicy Bypass -Command "` + run + `"`, what + comment(p.UPN)}}
	case o.pass() == Specialize: // every character counts: positions, and names that are still unambiguous
		folder = strings.Replace(folder, "-FileSystemLabel", "-FileSy", 1) // -FileS is -FileShare, too
		exportable := ""
		if o.Exportable {
			exportable = " -Exportable"
		}
		steps = []step{
			{prompt + `"` + folder + "certutil -addstore Root ($p+'" + rootName + `')"`, "CBA: trust the root " + comment(title(p.Root))},
			{prompt + `"` + folder + "Import-PfxCertificate ($p+'" + p.fileName("pfx") + "') " + o.store().path() +
				" -Password (ConvertTo-SecureString " + powerShellOperand(p.Password) + " -AsP -F)" + exportable + `"`,
				"CBA: import the certificate of " + comment(p.UPN)},
			{prompt + `"if(-not(Test-Path ` + o.store().path() + `\` + thumbprint(p.Certificate) + `)){` + log + `'CBA: the certificate is not in the store';exit 1}"`,
				"CBA: check the certificate of " + comment(p.UPN)},
		}
	default:
		exportable := ""
		if o.Exportable {
			exportable = " -Exportable"
		}
		steps = []step{
			{loud(folder + "certutil -addstore Root ($p+'" + rootName + "');if($LASTEXITCODE){throw 'CBA: certutil cannot add the root'}"),
				"CBA: trust the root " + comment(title(p.Root))},
			{loud(folder + "$c=Import-PfxCertificate -FilePath ($p+'" + p.fileName("pfx") + "') -CertStoreLocation " + o.store().path() +
				" -Password (ConvertTo-SecureString " + powerShellOperand(p.Password) + " -AsPlainText -Force)" + exportable +
				";if($c.Thumbprint -notcontains '" + thumbprint(p.Certificate) + "'){throw 'CBA: the PFX holds another certificate'}"),
				"CBA: import the certificate of " + comment(p.UPN)},
		}
	}
	for i, s := range steps {
		if limit := o.pass().place().limit; len(s.line) > limit { // ASCII
			return nil, fail(TooLong, "the command has %d characters, and the pass %v allows %d; use oobeSystem, a script on the volume, a password of letters and digits, or a shorter name than %s, which takes %d",
				len(s.line), o.pass(), limit, p.fileName("pfx"), len(p.fileName("pfx")))
		}
		steps[i].what = s.what[:min(len(s.what), 256)] // ASCII; the limit of Description
	}
	return steps, nil
}

// UnattendFragment returns the commands as XML, to paste into an answer file:
// RunSynchronousCommand elements for RunSynchronous of the component
// Microsoft-Windows-Deployment in the pass specialize, or SynchronousCommand
// elements for FirstLogonCommands of Microsoft-Windows-Shell-Setup in
// oobeSystem. Order begins at 1. The prefix wcm must be declared around the fragment,
// as in every answer file. [Package.MergeUnattend] does all that by itself.
//
// The error is that of [Package.UnattendCommands].
func (p Package) UnattendFragment(o Options) ([]byte, error) {
	steps, err := p.steps(o)
	if err != nil {
		return nil, err
	}
	fragment := p.unattendComment(o, "\r\n")
	for i, s := range steps {
		fragment += s.xml(o.pass().place(), i+1, " wcm:action=\"add\"", "", "    ", "\r\n")
	}
	return []byte(fragment), nil
}

// unattendComment is the warning, or nothing if there is nothing to warn of.
func (p Package) unattendComment(o Options, eol string) string {
	if o.ScriptOnVolume || o.AtSignIn {
		return ""
	}
	return "<!-- " + p.secret(p.fileName("pfx")) + " -->" + eol
}

// xml writes the command with its line ends.
func (s step) xml(at place, order int, attributes, indent, unit, eol string) string {
	var b strings.Builder
	put := func(depth int, line string) {
		b.WriteString(indent + strings.Repeat(unit, depth) + line + eol)
	}
	put(0, "<"+at.command+attributes+">")
	put(1, "<Order>"+strconv.Itoa(order)+"</Order>")
	put(1, "<"+at.line+">"+xmlText(s.line)+"</"+at.line+">")
	put(1, "<Description>"+xmlText(s.what)+"</Description>")
	put(0, "</"+at.command+">")
	return b.String()
}

// Unattend returns a whole answer file with nothing but the commands. It answers none
// of Setup's questions, so a person still has to.
//
// The error is that of [Package.UnattendCommands].
func (p Package) Unattend(o Options) ([]byte, error) {
	return p.MergeUnattend(emptyAnswerFile, o)
}

var emptyAnswerFile = []byte("<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<unattend xmlns=\"" + unattendSpace + "\">\r\n</unattend>\r\n")
