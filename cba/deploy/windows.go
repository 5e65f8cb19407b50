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
// [MachineStore]. Where Windows knows the UPN of that user (joined to Microsoft Entra ID or
// a domain) and it is another one, the script refuses, until -AnyAccount says that the
// account is right: an administrator's password in Windows' dialog would fill the
// administrator's store. The script asks for the PFX's password; with
// [Options.EmbedPassword] it holds it, and no password is changed on its way.
//
// A failure ends the script with the exit status 1 and is written to cba-import.log in
// the user's folder for temporary files. -Check writes nothing, and says whether the
// certificate is in the store with its key, and whether Edge and Chrome select it.
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
	b.add("# A user without administrator's rights needs none: Windows asks whether the root is to be trusted.")
	b.add("# -Check says what is there, and changes nothing.")
	b.add("param([switch]$Check, [switch]$AnyAccount)")
	b.add("$ErrorActionPreference = 'Stop'")
	b.add("$identity = [Security.Principal.WindowsIdentity]::GetCurrent()")
	b.add("$administrator = ([Security.Principal.WindowsPrincipal]$identity).IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)")
	b.add("$thumbprint = '", thumbprint(p.Certificate), "'")
	b.add("$store = '", store.path(), "'")
	b.add("")
	b.add("if ($Check) {")
	b.add(`    $found = Get-Item -LiteralPath ($store + '\' + $thumbprint) -ErrorAction SilentlyContinue`)
	b.add("    if ($found -and $found.HasPrivateKey) { Write-Host ('found    ' + $store) } else { Write-Host ('missing  ' + $store) }")
	b.add("    $choice = Join-Path $PSScriptRoot 'Set-BrowserChoice.ps1'")
	b.add("    $status = 0")
	b.add("    if (Test-Path -LiteralPath $choice) { & $choice -Check; $status = $LASTEXITCODE }")
	b.add("    if (-not $found -or -not $found.HasPrivateKey -or $status) { exit 1 }")
	b.add("    exit 0")
	b.add("}")
	b.add("")
	b.add("try {")
	if store == UserStore {
		b.add("    # Whose store is this? Windows knows the UPN of accounts of Entra ID and of domains.")
		b.add("    $account = cmd.exe /c 'whoami /upn 2>nul'")
		b.add("    if ($account -and $account -ne ", powerShellOperand(p.UPN), " -and -not $AnyAccount) {")
		b.add("        throw ('This is the store of ' + $account + '. Sign in to Windows as the person of the certificate, and run this without an administrator''s password; if this account is right, add -AnyAccount.')")
		b.add("    }")
		b.add("    Write-Host ('The certificate goes into the store of ' + $identity.Name + '.')")
		b.add("")
	}
	b.add("    # The root: for the machine if an administrator runs this, else for this user after Windows has asked.")
	b.add("    $file = Join-Path $PSScriptRoot '", rootName, "'")
	b.add("    $root = New-Object System.Security.Cryptography.X509Certificates.X509Certificate2 -ArgumentList $file")
	b.add("    if ($root.Thumbprint -ne '", thumbprint(p.Root), "') { throw '", rootName, " is not the root that this script is for.' }")
	b.add("    if ($administrator) { $roots = 'Cert:\\LocalMachine\\Root' } else { $roots = 'Cert:\\CurrentUser\\Root' }")
	b.add("    Import-Certificate -FilePath $file -CertStoreLocation $roots | Out-Null")
	b.add("")
	b.add("    # The certificate and its key.")
	b.add("    $file = Join-Path $PSScriptRoot '", file, "'")
	if o.EmbedPassword {
		b.add("    $password = ConvertTo-SecureString -String ", powerShellOperand(p.Password), " -AsPlainText -Force")
	} else {
		b.add("    $password = Read-Host -AsSecureString -Prompt 'Password of ", file, "'")
	}
	exportable := ""
	if o.Exportable {
		exportable = " -Exportable"
	}
	b.add("    $imported = Import-PfxCertificate -FilePath $file -CertStoreLocation $store -Password $password", exportable)
	b.add("    if ($imported.Thumbprint -notcontains $thumbprint) { throw '", file, " holds another certificate than expected.' }")
	b.add("    Write-Host ('Imported ' + $thumbprint + ' into ' + $store + '.')")
	b.add("} catch {")
	b.add("    Add-Content -LiteralPath (Join-Path $env:TEMP 'cba-import.log') -Value ((Get-Date -Format s) + ' ' + $_.Exception.Message)")
	b.add("    Write-Host $_.Exception.Message")
	b.add("    exit 1")
	b.add("}")
	b.add("exit 0")
	return b.crlf(), nil
}

// Certutil returns a batch file that imports the root and the PFX, which must be in
// the same folder, with certutil. For the user's store nobody has to be an
// administrator: the root goes to the user's roots, and Windows asks for consent. Run
// elevated with an administrator's password it would fill the administrator's store, and
// so it refuses to run elevated; for the machine's store ([MachineStore]) it has to be. A
// failure ends it with the exit status 1 and is written to cba-import.log in %TEMP%.
//
// certutil asks for the password; with [Options.EmbedPassword] the password is on
// certutil's command line, where other programs can read it while certutil runs. The
// script of [Package.PowerShell] avoids that.
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
	user, modifiers, how := " -user", "", "not elevated: an administrator's password would fill the administrator's store."
	if o.store() == MachineStore {
		user, how = "", "elevated: it is for the machine's store, which browsers do not read."
	}
	if !o.Exportable {
		modifiers = " NoExport"
	}
	b.add("@rem Imports the certificate of ", comment(p.UPN), " and the root ", comment(title(p.Root)), ". Run it as that user,")
	b.add("@rem ", how)
	b.add("@setlocal DisableDelayedExpansion")
	if user != "" {
		b.add("@set step=Run this without administrator's rights, as the user. It")
		b.add("@fltmc >nul 2>nul && goto failed")
	}
	b.add("@set step=Adding the root")
	b.add(`@certutil`, user, ` -addstore Root "%~dp0`, rootName, `" || goto failed`)
	b.add("@set step=Importing the PFX")
	b.add(`@certutil`, user, password, ` -importpfx My "%~dp0`, file, `"`, modifiers, ` || goto failed`)
	b.add("@set step=Finding the certificate in the store")
	b.add(`@certutil`, user, ` -store My `, thumbprint(p.Certificate), ` >nul || goto failed`)
	b.add("@exit /b 0")
	b.add(":failed")
	b.add("@echo %step% failed.")
	b.add(`@>>"%TEMP%\cba-import.log" echo cba: %step% failed.`)
	b.add("@exit /b 1")
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
