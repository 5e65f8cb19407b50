package deploy

import "strings"

// PowerShell returns a script for Windows PowerShell 5.1 that imports the root
// and the PFX, which must be in the same folder, and checks both by their
// thumbprints: the root before it is trusted. The script is ASCII with CRLF, so that
// no code page and no missing byte order mark changes it.
//
// The root goes to Cert:\LocalMachine\Root if an administrator runs the script. For
// other users it goes to the user's own store, and Windows asks for consent. The
// certificate goes to the user who runs the script, or to the machine with
// [MachineStore]. The script asks for the password; with [Options.EmbedPassword] it
// holds it, and no password is changed on its way.
//
// The error is an [*Error]: [Missing], [BadName], [BadOption] or [UnfitPassword]
// (invalid UTF-8).
func (p Package) PowerShell(o Options) ([]byte, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	store := o.store()
	file := p.fileName("pfx")
	var b lines
	if o.EmbedPassword {
		if err := checkPassword(p.Password); err != nil {
			return nil, err
		}
		b.add("# ", p.secret(file))
	}
	b.add("#Requires -Version 5.1")
	if store == MachineStore {
		b.add("#Requires -RunAsAdministrator")
	}
	b.add("# Imports the certificate of ", comment(p.UPN), " and the root ", comment(title(p.Root)), ".")
	b.add("# Run it as that user, with: powershell -NoProfile -ExecutionPolicy Bypass -File ", scriptName)
	b.add("$ErrorActionPreference = 'Stop'")
	b.add("$identity = [Security.Principal.WindowsIdentity]::GetCurrent()")
	b.add("$administrator = ([Security.Principal.WindowsPrincipal]$identity).IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)")
	b.add("")
	b.add("# The root: for the machine if an administrator runs this, else for this user after Windows has asked.")
	b.add("$file = Join-Path $PSScriptRoot '", rootName, "'")
	b.add("$root = New-Object System.Security.Cryptography.X509Certificates.X509Certificate2 -ArgumentList $file")
	b.add("if ($root.Thumbprint -ne '", thumbprint(p.Root), "') { throw '", rootName, " is not the root that this script is for.' }")
	b.add("if ($administrator) { $store = 'Cert:\\LocalMachine\\Root' } else { $store = 'Cert:\\CurrentUser\\Root' }")
	b.add("Import-Certificate -FilePath $file -CertStoreLocation $store | Out-Null")
	b.add("")
	b.add("# The certificate and its key.")
	b.add("$file = Join-Path $PSScriptRoot '", file, "'")
	if o.EmbedPassword {
		b.add("$password = ConvertTo-SecureString -String ", powerShellOperand(p.Password), " -AsPlainText -Force")
	} else {
		b.add("$password = Read-Host -AsSecureString -Prompt 'Password of ", file, "'")
	}
	exportable := ""
	if o.Exportable {
		exportable = " -Exportable"
	}
	b.add("$imported = Import-PfxCertificate -FilePath $file -CertStoreLocation '", store.path(), "' -Password $password", exportable)
	b.add("if ($imported.Thumbprint -notcontains '", thumbprint(p.Certificate), "') { throw '", file, " holds another certificate than expected.' }")
	b.add("Write-Host 'Imported ", thumbprint(p.Certificate), " into ", store.path(), ".'")
	return b.crlf(), nil
}

// Certutil returns a batch file that imports the root and the PFX, which must be in
// the same folder, with certutil. It needs an administrator. certutil asks for the
// password; with [Options.EmbedPassword] the password is on certutil's command line,
// where other programs can read it while certutil runs. The script of
// [Package.PowerShell] avoids that.
//
// The error is an [*Error]: [Missing], [BadName], [BadOption], or [UnfitPassword]
// for an embedded password with a quotation mark, a control character or anything
// beyond ASCII.
func (p Package) Certutil(o Options) ([]byte, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	file := p.fileName("pfx")
	var b lines
	password := ""
	if o.EmbedPassword {
		if err := checkPassword(p.Password); err != nil {
			return nil, err
		}
		quoted, err := batch(p.Password)
		if err != nil {
			return nil, err
		}
		password = " -p " + quoted
		b.add("@rem ", p.secret(file))
	}
	user, modifiers := " -user", ""
	if o.store() == MachineStore {
		user = ""
	}
	if !o.Exportable {
		modifiers = " NoExport"
	}
	b.add("@rem Imports the certificate of ", comment(p.UPN), " and the root ", comment(title(p.Root)), ". Run it as that user, elevated.")
	b.add("@setlocal DisableDelayedExpansion")
	b.add(`@certutil -addstore Root "%~dp0`, rootName, `" || exit /b 1`)
	b.add(`@certutil`, user, password, ` -importpfx My "%~dp0`, file, `"`, modifiers, ` || exit /b 1`)
	return b.crlf(), nil
}

func (o Options) store() Store {
	switch {
	case o.Store != 0:
		return o.Store
	case o.Pass == Specialize:
		return MachineStore
	}
	return UserStore
}

// lines are the lines of a text file.
type lines struct{ strings.Builder }

func (l *lines) add(parts ...string) {
	for _, part := range parts {
		l.WriteString(part)
	}
	l.WriteByte('\n')
}

func (l *lines) crlf() []byte { return []byte(strings.ReplaceAll(l.String(), "\n", "\r\n")) }
