package deploy

import (
	"strconv"
	"strings"
	"time"
)

// defaultWipeAfter is how long the files wait for the person.
const defaultWipeAfter = 30 * 24 * time.Hour

// SignInScript returns a script for Windows PowerShell 5.1 that brings the certificate
// into the store of the person of the UPN, whoever installs the machine. An
// administrator runs it, or the answer file does ([Options.AtSignIn]), with the root and
// the PFX in the same folder. It has three parts:
//
//   - At once it checks both files and the password, adds the root to the machine's
//     roots, copies the PFX and itself below Program Files, readable by SYSTEM and
//     Administrators alone, and registers a task of SYSTEM.
//   - At every sign-in the task looks for ten minutes whether the person has a desktop, by the
//     SID to which the account "AzureAD\UPN" or the UPN resolves, and does nothing for anyone
//     else. For the person it lets a second task, with that person's own rights and not
//     elevated, import the PFX from a folder that only this person can read besides.
//   - That import goes to Cert:\CurrentUser\My and is checked by its thumbprint. Then the
//     first task overwrites and deletes the files, both tasks and the script itself.
//
// What is not imported after [Options.WipeAfter] is wiped, too. A log without secrets
// stays: EntraCBA\import.log below Program Files; what fails in the person's own part is
// in EntraCBA-import.log in that person's LocalAppData.
//
// A UPN resolves on a machine that is joined to Microsoft Entra ID or to a domain. A
// local account has no UPN: for it, and before the join, nothing is imported, and the
// person runs the script of [Package.PowerShell] and types the password. During the
// import, the person can read the PFX and the password: an import that is not
// exportable only keeps the key in from then on. The files on the stick remain.
//
// The error is an [*Error]: [Missing], [BadName], [BadOption] (another store than the
// person's, a [Options.WipeAfter] below an hour) or [UnfitPassword] (invalid UTF-8).
func (p Package) SignInScript(o Options) ([]byte, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	if err := checkPassword(p.Password); err != nil {
		return nil, err
	}
	if o.store() == MachineStore {
		return nil, fail(BadOption, "at the person's sign-in the certificate goes into the person's store; leave store and pass unset")
	}
	wipe := o.WipeAfter
	if wipe == 0 {
		wipe = defaultWipeAfter
	}
	if wipe < time.Hour {
		return nil, fail(BadOption, "WipeAfter is %v; the person needs at least an hour to sign in", wipe)
	}
	exportable := ""
	if o.Exportable {
		exportable = " -Exportable"
	}
	file := p.fileName("pfx")
	text := strings.NewReplacer(
		"{SECRET}", p.secret(file),
		"{PERSON}", comment(p.UPN),
		"{UPN}", powerShell(p.UPN),
		"{THUMBPRINT}", thumbprint(p.Certificate),
		"{ROOT}", thumbprint(p.Root),
		"{SCRIPT}", signInName,
		"{PFX}", file,
		"{CER}", rootName,
		"{MINUTES}", strconv.Itoa(int(wipe/time.Minute)),
		"{PASSWORD}", powerShellOperand(p.Password),
		"{EXPORTABLE}", exportable,
	).Replace(signInText)
	return []byte(strings.ReplaceAll(text, "\n", "\r\n")), nil
}

const signInText = `# {SECRET}
#Requires -Version 5.1
#Requires -PSEdition Desktop
# Imports the certificate of {PERSON} when that person signs in to Windows.
# Run it as administrator: powershell -NoProfile -ExecutionPolicy Bypass -File {SCRIPT}
# The other two parts are for the tasks that it registers.
param([ValidateSet('prepare', 'sign-in', 'import')][string]$Part = 'prepare')
$ErrorActionPreference = 'Stop'
$upn = {UPN}
$thumbprint = '{THUMBPRINT}'
$script = '{SCRIPT}'
$pfx = '{PFX}'
$task = 'EntraCBA ' + $thumbprint
$programs = $env:ProgramW6432 # the same for PowerShell of 32 bits, as Intune starts it
if (-not $programs) { $programs = $env:ProgramFiles }
$base = Join-Path $programs 'EntraCBA' # only administrators can write there
$folder = Join-Path $base $thumbprint
$hand = $folder + '-import' # beside it: below a folder that the person cannot read, not every account may open a file
$log = Join-Path $base 'import.log'
if ($Part -eq 'import') { $log = Join-Path $env:LOCALAPPDATA 'EntraCBA-import.log' }

function Write-Log([string]$text) {
    Add-Content -LiteralPath $log -Value ((Get-Date -Format s) + ' ' + $thumbprint + ' ' + $text)
    Write-Host $text
}

# A folder for SYSTEM and Administrators, which the person may read if one is named.
function New-Folder([string]$path, [string]$person) {
    $acl = New-Object System.Security.AccessControl.DirectorySecurity
    $acl.SetAccessRuleProtection($true, $false)
    $acl.SetOwner((New-Object System.Security.Principal.SecurityIdentifier -ArgumentList 'S-1-5-32-544'))
    $all = @(@('S-1-5-18', 'FullControl'), @('S-1-5-32-544', 'FullControl'))
    if ($person) { $all += , @($person, 'ReadAndExecute') }
    foreach ($one in $all) {
        $sid = New-Object System.Security.Principal.SecurityIdentifier -ArgumentList $one[0]
        $acl.AddAccessRule((New-Object System.Security.AccessControl.FileSystemAccessRule -ArgumentList $sid, $one[1], 'ContainerInherit, ObjectInherit', 'None', 'Allow'))
    }
    [System.IO.Directory]::CreateDirectory($path, $acl) | Out-Null
}

# Overwrites the files before they are deleted. Flash memory may still keep old blocks.
function Remove-Folder([string]$path) {
    if (-not (Test-Path -LiteralPath $path)) { return }
    foreach ($file in Get-ChildItem -LiteralPath $path -Recurse -File -Force) {
        $file.Attributes = 'Normal' # a copy from a CD is read-only
        $stream = [System.IO.File]::OpenWrite($file.FullName) # in place: truncated first, it would get other blocks
        try {
            $stream.Write((New-Object byte[] $file.Length), 0, $file.Length)
            $stream.Flush($true)
        } finally { $stream.Dispose() }
    }
    Remove-Item -LiteralPath $path -Recurse -Force
}

function Remove-Task([string]$name) {
    if (Get-ScheduledTask -TaskName $name -ErrorAction SilentlyContinue) { Unregister-ScheduledTask -TaskName $name -Confirm:$false }
}

function New-Action([string]$path, [string]$part) {
    New-ScheduledTaskAction -Execute (Join-Path $env:windir 'System32\WindowsPowerShell\v1.0\powershell.exe') -Argument ('-NoProfile -NonInteractive -WindowStyle Hidden -ExecutionPolicy Bypass -File ' + [char]34 + $path + [char]34 + ' -Part ' + $part)
}

function Get-Password { ConvertTo-SecureString -String {PASSWORD} -AsPlainText -Force }

function Start-Prepare {
    $identity = [System.Security.Principal.WindowsIdentity]::GetCurrent()
    $administrator = ([System.Security.Principal.WindowsPrincipal]$identity).IsInRole([System.Security.Principal.WindowsBuiltInRole]::Administrator)
    if (-not $administrator) { throw 'Run this as administrator.' }
    $root = Join-Path $PSScriptRoot '{CER}'
    $found = New-Object System.Security.Cryptography.X509Certificates.X509Certificate2 -ArgumentList $root
    if ($found.Thumbprint -ne '{ROOT}') { throw '{CER} is not the root that this script is for.' }
    $source = Join-Path $PSScriptRoot $pfx
    $data = Get-PfxData -FilePath $source -Password (Get-Password)
    if ($data.EndEntityCertificates.Thumbprint -notcontains $thumbprint) { throw 'The PFX holds another certificate than expected.' }
    Import-Certificate -FilePath $root -CertStoreLocation 'Cert:\LocalMachine\Root' | Out-Null

    Remove-Folder $folder
    [System.IO.Directory]::CreateDirectory($base) | Out-Null
    New-Folder $folder ''
    try {
        Copy-Item -LiteralPath $source -Destination (Join-Path $folder $pfx)
        Copy-Item -LiteralPath $PSCommandPath -Destination (Join-Path $folder $script)
        $deadline = (Get-Date).AddMinutes({MINUTES})
        Set-Content -LiteralPath (Join-Path $folder 'deadline') -Value ($deadline.ToUniversalTime().Ticks)
        $triggers = @((New-ScheduledTaskTrigger -AtLogOn), (New-ScheduledTaskTrigger -Once -At $deadline))
        $settings = New-ScheduledTaskSettingsSet -StartWhenAvailable -AllowStartIfOnBatteries -DontStopIfGoingOnBatteries -MultipleInstances Queue
        $principal = New-ScheduledTaskPrincipal -UserId 'S-1-5-18' -LogonType ServiceAccount
        Register-ScheduledTask -TaskName $task -Action (New-Action (Join-Path $folder $script) 'sign-in') -Trigger $triggers -Settings $settings -Principal $principal -Force | Out-Null
    } catch { # without the task nothing would wipe the files
        Remove-Folder $folder
        throw
    }
    Write-Log ('prepared; waits for the person until ' + $deadline.ToString('s'))
    Start-ScheduledTask -TaskName $task # the person may be signed in already
}

function Start-SignIn {
    $deadline = 0 # half wiped: the rest goes, too
    try { $deadline = [long](Get-Content -LiteralPath (Join-Path $folder 'deadline') -TotalCount 1) } catch { Write-Log 'the deadline cannot be read' }
    if ((Get-Date).ToUniversalTime().Ticks -ge $deadline) {
        Remove-Task ($task + ' import')
        Remove-Folder $hand
        Remove-Folder $folder
        Write-Log 'not imported before the deadline; wiped'
        Remove-Task $task # the last thing: it is this one
        return
    }
    # Who is signed in is who owns a desktop. At a first sign-in it comes minutes later, and
    # others may have theirs already, so this waits for the person's own.
    $person = @()
    for ($try = 0; $try -lt 60 -and $person.Count -eq 0; $try++) {
        if ($try) { Start-Sleep -Seconds 10 }
        $accounts = @()
        foreach ($name in ('AzureAD\' + $upn), $upn) {
            try { $accounts += (New-Object System.Security.Principal.NTAccount -ArgumentList $name).Translate([System.Security.Principal.SecurityIdentifier]).Value } catch { continue }
        }
        foreach ($process in Get-CimInstance -ClassName Win32_Process -Filter 'Name = ''explorer.exe''') {
            try { $sid = (Invoke-CimMethod -InputObject $process -MethodName GetOwnerSid).Sid } catch { continue } # it has ended
            if ($accounts -contains $sid) { $person += $sid }
        }
    }
    if ($person.Count -eq 0) { return } # somebody else, or nobody
    $name = $task + ' import'
    Remove-Folder $hand
    try {
        New-Folder $hand $person[0]
        Copy-Item -LiteralPath (Join-Path $folder $pfx), (Join-Path $folder $script) -Destination $hand
        $principal = New-ScheduledTaskPrincipal -UserId $person[0] -LogonType Interactive -RunLevel Limited
        $settings = New-ScheduledTaskSettingsSet -AllowStartIfOnBatteries -DontStopIfGoingOnBatteries
        Register-ScheduledTask -TaskName $name -Action (New-Action (Join-Path $hand $script) 'import') -Settings $settings -Principal $principal -Force | Out-Null
        Start-ScheduledTask -TaskName $name
        $result = 267011 # has not run yet; 267009: runs; 267045: queued
        for ($try = 0; $try -lt 60 -and (267009, 267011, 267045) -contains $result; $try++) {
            Start-Sleep -Seconds 2
            $result = (Get-ScheduledTaskInfo -TaskName $name).LastTaskResult
        }
    } finally { # whatever happens, the person reads the files no longer than this
        Remove-Task $name
        Remove-Folder $hand
    }
    if ($result -ne 0) { throw ('the import ended with ' + $result + '; it is tried again at the next sign-in') }
    Remove-Folder $folder
    Write-Log 'imported; wiped'
    Remove-Task $task # the last thing: it is this one
}

function Start-Import {
    Import-PfxCertificate -FilePath (Join-Path $PSScriptRoot $pfx) -CertStoreLocation 'Cert:\CurrentUser\My' -Password (Get-Password){EXPORTABLE} | Out-Null
    if (-not (Get-Item -LiteralPath ('Cert:\CurrentUser\My\' + $thumbprint)).HasPrivateKey) { throw 'the certificate has no private key in the store' }
}

try {
    switch ($Part) {
        'prepare' { Start-Prepare }
        'sign-in' { Start-SignIn }
        'import' { Start-Import }
    }
} catch {
    $message = $_.Exception.Message
    try { Write-Log ($Part + ' failed: ' + $message) } catch { Write-Host $message }
    exit 1
}
exit 0
`
