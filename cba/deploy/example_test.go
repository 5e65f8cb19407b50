package deploy_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/deploy"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/pfx"
)

// issued makes what the examples carry: a certificate of a new CA, and its PFX.
func issued(upn string, encoding pfx.Encoding, password string) deploy.Package {
	name, err := dn.Parse("CN=Contoso Root CA")
	if err != nil {
		panic(err)
	}
	ca, err := cba.NewRoot(context.Background(), cba.Authority{Name: name, KeyType: cba.P256})
	if err != nil {
		panic(err)
	}
	key, err := cba.P256.Generate()
	if err != nil {
		panic(err)
	}
	cert, err := ca.Issue(context.Background(), key.Public(), cba.Subject{UPN: upn}, cba.Profile{})
	if err != nil {
		panic(err)
	}
	data, err := encoding.Encode(pfx.Bundle{Key: key, Certificate: cert, Chain: ca.CACertificates()}, password)
	if err != nil {
		panic(err)
	}
	return deploy.Package{UPN: upn, PFX: data, Password: password, Certificate: cert, Root: ca.Certificate}
}

// A folder for a Mac. What is secret gets mode 0600.
func Example() {
	p := issued("jane@yourdomain.com", pfx.Compatible, "correct-horse")
	files, err := p.Artefacts(deploy.MacOS, deploy.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range files {
		fmt.Printf("%04o  %-22s secret: %v\n", f.Mode, f.Name, f.Secret())
	}
	// Output:
	// 0600  jane-cba.mobileconfig  secret: true
	// 0755  install.sh             secret: false
	// 0644  rootCA.cer             secret: false
	// 0600  jane-cba.p12           secret: true
}

// Know before the stick is in the machine: Windows Server 2016 does not open
// the PFX, and says that the password is wrong.
func ExamplePackage_Findings() {
	p := issued("jane@yourdomain.com", pfx.Modern, "correct-horse")
	for _, finding := range p.Findings(deploy.Windows, time.Now()) {
		fmt.Println(finding.Code)
		fmt.Println(finding.What)
	}
	p.Password = "wrong"
	fmt.Println(p.Findings(deploy.Linux, time.Now())[0])
	// Output:
	// deploy-pfx-some-unreadable
	// these programs do not open the encoding "modern" and report a wrong password: Windows Server 2016, 2012 R2, and Windows 10 before version 1709
	// error: deploy-wrong-password: password: the password does not open the PFX; look up the password that the PFX was written with
}

// The commands go into an answer file that is there, behind its own ones; every
// byte of it stays. This password has what XML, cmd and PowerShell each stumble over.
func ExamplePackage_MergeUnattend() {
	p := issued("jane@yourdomain.com", pfx.Compatible, `<50% & "more">`)
	old := `<?xml version="1.0" encoding="utf-8"?>
<unattend xmlns="urn:schemas-microsoft-com:unattend">
  <settings pass="oobeSystem">
    <component name="Microsoft-Windows-Shell-Setup" processorArchitecture="amd64" publicKeyToken="31bf3856ad364e35"
        language="neutral" versionScope="nonSxS" xmlns:wcm="http://schemas.microsoft.com/WMIConfig/2002/State">
      <FirstLogonCommands>
        <SynchronousCommand wcm:action="add">
          <Order>1</Order>
          <CommandLine>cmd /c echo hello</CommandLine>
        </SynchronousCommand>
      </FirstLogonCommands>
    </component>
  </settings>
</unattend>
`
	merged, err := p.MergeUnattend([]byte(old), deploy.Options{VolumeLabel: "DEPLOY"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for line := range strings.Lines(string(merged)) {
		if strings.Contains(line, "Order") || strings.Contains(line, "SECRET") {
			fmt.Print(strings.SplitN(line, ". ", 2)[0], "\n")
		}
		if _, password, found := strings.Cut(line, "ConvertTo-SecureString "); found {
			fmt.Println("         ", strings.SplitN(password, " ", 2)[0])
		}
	}
	// Output:
	// <!-- SECRET: this file holds the password of jane-cba.pfx in clear text
	//           <Order>1</Order>
	//
	//           <Order>2</Order>
	//
	//           <Order>3</Order>
	//
	//           (''+[char]60+'50'+[char]37+[char]32+[char]38+[char]32+[char]34+'more'+[char]34+[char]62)
}

// A stick for a pass in which a command may have 259 characters, with the
// password on the stick and not in the answer file, of which Windows keeps a copy.
func ExampleZip() {
	p := issued("jane@yourdomain.com", pfx.Compatible, "correct-horse")
	files, err := p.Artefacts(deploy.WindowsUSB, deploy.Options{Pass: deploy.Specialize, ScriptOnVolume: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	archive, err := deploy.Zip(files, time.Time{})
	fmt.Println(len(archive) > 1000, err)
	commands, _ := p.UnattendCommands(deploy.Options{Pass: deploy.Specialize, ScriptOnVolume: true})
	fmt.Println(commands[0])
	// Output:
	// true <nil>
	// powershell -NoProfile -ExecutionPolicy Bypass -Command "$p='{0}:\Certs\' -f @(Get-Volume -FileSystemLabel 'ESD-USB')[0].DriveLetter;& ($p+'Import-Certificate.ps1')"
}

func ExampleWipe() {
	p := issued("jane@yourdomain.com", pfx.Compatible, "correct-horse")
	files, err := p.Artefacts(deploy.WindowsUSB, deploy.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range deploy.Wipe(deploy.WindowsUSB, files)[:3] {
		fmt.Printf("%s: %s\n", r.Where, r.Holds)
	}
	// Output:
	// autounattend.xml: the password, in clear text
	// Certs/jane-cba.pfx: the private key, encrypted with the password
	// C:\Windows\Panther\unattend.xml: a copy of the answer file with the password, made by Windows Setup
}

// certutil in a batch file cannot have a quotation mark in a password: it says
// so. The PowerShell script can.
func ExamplePackage_Certutil() {
	p := issued("jane@yourdomain.com", pfx.Compatible, `say "hi"`)
	_, err := p.Certutil(deploy.Options{EmbedPassword: true})
	fmt.Println(err)
	_, err = p.PowerShell(deploy.Options{EmbedPassword: true})
	fmt.Println(err)
	p.Password = "100%"
	script, err := p.Certutil(deploy.Options{EmbedPassword: true})
	for line := range strings.SplitSeq(string(script), "\r\n") {
		if strings.Contains(line, "-importpfx") {
			fmt.Println(line, err)
		}
	}
	// Output:
	// deploy: unfit password: a batch file cannot hold a password with a quotation mark safely; use the PowerShell script
	// <nil>
	// @certutil -user -p "100%%" -importpfx My "%~dp0jane-cba.pfx" NoExport || goto failed <nil>
}

func ExamplePackage_NSSScript() {
	p := issued("jane@yourdomain.com", pfx.Compatible, "correct-horse")
	script, err := p.NSSScript(deploy.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for line := range strings.Lines(string(script)) {
		if strings.HasPrefix(line, "# NSSDB") || strings.Contains(line, "certutil -A") {
			fmt.Print(strings.TrimLeft(line, "\t"))
		}
	}
	// Output:
	// # NSSDB=FOLDER names one database, such as a profile of Firefox.
	// # NSSDB_PASSWORD_FILE=FILE holds the primary password, for databases that have one.
	// if certutil -A -d "sql:$2" -f "$work/$1" -n "$nickname" -t T,, -i rootCA.cer >"$work/out" 2>&1; then
}

func ExamplePackage_SecurityScript() {
	p := issued("jane@yourdomain.com", pfx.Compatible, "correct-horse")
	script, err := p.SecurityScript(deploy.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for line := range strings.Lines(string(script)) {
		if strings.Contains(line, ".p12") {
			fmt.Print(strings.TrimSpace(line))
		}
	}
	// Output:
	// security import jane-cba.p12 -k "$keychain" -f pkcs12 -x
}

func ExamplePackage_ChromiumPolicy() {
	p := issued("jane@yourdomain.com", pfx.Compatible, "correct-horse")
	policy, err := p.ChromiumPolicy(deploy.Options{Cloud: deploy.USGov})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(string(policy))
	// Output:
	// {
	//   "AutoSelectCertificateForUrls": [
	//     "{\"pattern\":\"https://[*.]certauth.login.microsoftonline.us\",\"filter\":{\"ISSUER\":{\"CN\":\"Contoso Root CA\"},\"SUBJECT\":{\"CN\":\"jane@yourdomain.com\"}}}"
	//   ]
	// }
}

// The names for a proxy's list of TLS inspection exceptions.
func ExampleHosts() {
	hosts, err := deploy.Hosts(deploy.Public, "11111111-2222-3333-4444-555555555555")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, h := range hosts {
		if h.NoInspection {
			fmt.Println(h.Name)
		}
	}
	// Output:
	// certauth.login.microsoftonline.com
	// *.certauth.login.microsoftonline.com
	// t11111111-2222-3333-4444-555555555555.certauth.login.microsoftonline.com
}

// What a person pastes into an answer file that is written elsewhere.
func ExamplePackage_UnattendFragment() {
	p := issued("jane@yourdomain.com", pfx.Compatible, "correct-horse")
	fragment, err := p.UnattendFragment(deploy.Options{Pass: deploy.Specialize, ScriptOnVolume: true, VolumeLabel: "CBA"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(strings.ReplaceAll(string(fragment), "\r\n", "\n"))
	// Output:
	// <RunSynchronousCommand wcm:action="add">
	//     <Order>1</Order>
	//     <Path>powershell -NoProfile -ExecutionPolicy Bypass -Command "$p='{0}:\Certs\' -f @(Get-Volume -FileSystemLabel 'CBA')[0].DriveLetter;&amp; ($p+'Import-Certificate.ps1')"</Path>
	//     <Description>CBA: import the root and the certificate of jane@yourdomain.com</Description>
	// </RunSynchronousCommand>
}

// A whole answer file for people who have none: its two commands are those of
// UnattendCommands.
func ExamplePackage_Unattend() {
	p := issued("jane@yourdomain.com", pfx.Compatible, "correct-horse")
	file, err := p.Unattend(deploy.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	commands, err := p.UnattendCommands(deploy.Options{})
	fmt.Println(len(commands), strings.Count(string(file), "<CommandLine>"), err)
	// Output:
	// 2 2 <nil>
}

// The script asks for the password, or has it in a form that nothing changes on
// its way.
func ExamplePackage_PowerShell() {
	p := issued("jane@yourdomain.com", pfx.Compatible, "it's $5")
	for _, o := range []deploy.Options{{}, {EmbedPassword: true}} {
		script, err := p.PowerShell(o)
		if err != nil {
			fmt.Println(err)
			return
		}
		for line := range strings.Lines(string(script)) {
			if strings.HasPrefix(strings.TrimSpace(line), "$password") {
				fmt.Println(strings.TrimSpace(line))
			}
		}
	}
	// Output:
	// $password = Read-Host -AsSecureString -Prompt 'Password of jane-cba.pfx'
	// $password = ConvertTo-SecureString -String ('it'+[char]39+'s'+[char]32+[char]36+'5') -AsPlainText -Force
}

// A profile for iPhones. Without EmbedPassword the device asks.
func ExamplePackage_MobileConfig() {
	p := issued("jane@yourdomain.com", pfx.Compatible, "correct-horse")
	for _, o := range []deploy.Options{{}, {EmbedPassword: true}} {
		profile, err := p.MobileConfig(deploy.IOS, o)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(strings.Contains(string(profile), "<string>com.yourdomain.cba.jane</string>"),
			strings.Contains(string(profile), "<string>correct-horse</string>"),
			strings.Contains(string(profile), "<!-- SECRET"))
	}
	// Output:
	// true false false
	// true true true
}

func ExamplePackage_TrustScript() {
	p := issued("jane@yourdomain.com", pfx.Compatible, "correct-horse")
	script, err := p.TrustScript()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(strings.Contains(string(script), "if trust anchor --store rootCA.cer; then"))
	// Output:
	// true
}

// A target is read from a flag or a file.
func ExampleTarget_UnmarshalText() {
	var target deploy.Target
	fmt.Println(target.UnmarshalText([]byte("windows-usb")), target)
	fmt.Println(target.UnmarshalText([]byte("palm")))
	// Output:
	// <nil> windows-usb
	// deploy: target: "palm" is not one of windows-usb, windows, macos, ios, linux, android
}
