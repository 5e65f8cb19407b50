package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"example.com/entracba/cba/deploy"
	"example.com/entracba/cba/lint"
	"example.com/entracba/examples/internal/console"
)

// refuse says why nothing was written.
func (o options) refuse(parcels []parcel, failed int) error {
	if o.json {
		return o.writeJSON(console.Stdout, parcels, nil)
	}
	style := console.StyleFor(os.Stdout)
	fmt.Fprintf(console.Stdout, "%s: the files of %d of %s would not work on %v\n\n", style.Red("Nothing was written"), failed, console.Count(len(parcels), "user"), o.target)
	notes(console.Stdout, style, parcels)
	return nil
}

// report is what a person reads.
func (o options) report(w io.Writer, style console.Style, parcels []parcel, hosts []deploy.Host) {
	rows := [][]string{{"USER", "FILE", "BYTES", "MODE", "CONTAINS"}}
	const few = 5
	for _, p := range parcels[:min(len(parcels), few)] {
		for _, f := range p.files {
			rows = append(rows, []string{p.UPN, filepath.Join(o.out, p.folder, filepath.FromSlash(f.Name)),
				fmt.Sprint(len(f.Content)), fmt.Sprintf("%04o", f.Mode), holds(f)})
		}
	}
	console.Table(w, style, rows...)
	if len(parcels) > few {
		fmt.Fprintf(w, "%s not shown, with the same files\n", console.Count(len(parcels)-few, "more user"))
	}
	fmt.Fprintf(w, "\n%s, for %v; PFX encoding %s\n", console.Count(len(parcels), "user"), o.target, encodings(parcels))
	notes(w, style, parcels)

	next := style.Bold("STEPS")
	if len(parcels) > 1 {
		next += "  for each user, for example " + console.Clean(parcels[0].UPN)
	}
	fmt.Fprintln(w, "\n"+next)
	for i, step := range o.next(parcels[0]) {
		fmt.Fprintf(w, "%d.  %s\n", i+1, console.Clean(step))
	}

	fmt.Fprintln(w, "\n"+style.Bold("NETWORK")+"  hosts that the machine must reach, port 443")
	rows = [][]string{{"HOST", "TLS INSPECTION", "PURPOSE"}}
	for _, h := range hosts {
		inspection, why := "allowed", h.Why
		if h.NoInspection {
			inspection = "must be off"
		}
		if !h.Documented {
			why += " (not documented)"
		}
		rows = append(rows, []string{h.Name, inspection, why})
	}
	console.Table(w, style, rows...)

	fmt.Fprintln(w, "\n"+style.Bold("WIPE")+"  after the certificate is installed")
	rows = [][]string{{"LOCATION", "CONTAINS", "ACTION"}}
	for _, r := range parcels[0].wipe {
		rows = append(rows, []string{r.Where, r.Holds, r.Do})
	}
	console.Table(w, style, rows...)
	console.Next(w, style, "When the users have signed in, see how it went.", console.Command("signins", "-tenant", "ID", "-manifest", o.manifest))
}

func holds(f deploy.Artefact) string {
	switch {
	case f.Key && f.Password:
		return "key and password"
	case f.Key:
		return "key"
	case f.Password:
		return "password"
	}
	return ""
}

func encodings(parcels []parcel) string {
	var found []string
	for _, p := range parcels {
		if !strings.Contains(strings.Join(found, " "), p.encoding) {
			found = append(found, p.encoding)
		}
	}
	return strings.Join(found, ", ")
}

// notes prints the findings, each once.
func notes(w io.Writer, style console.Style, parcels []parcel) {
	type note struct {
		lint.Finding
		users []string
	}
	var all []note
next:
	for _, p := range parcels {
		for _, f := range p.findings {
			known := false
			for i := range all {
				if all[i].Finding == f {
					all[i].users = append(all[i].users, p.UPN)
					known = true
				}
			}
			if !known {
				all = append(all, note{f, []string{p.UPN}})
			}
			if len(all) > 100 {
				break next
			}
		}
	}
	if len(all) == 0 {
		return
	}
	fmt.Fprintln(w, "\n"+style.Bold("FINDINGS"))
	var found []console.Found
	for _, n := range all {
		who := n.users[0]
		if len(n.users) > 1 {
			who = fmt.Sprintf("%d of %s", len(n.users), console.Count(len(parcels), "user"))
		}
		found = append(found, console.Found{Finding: n.Finding, Who: who})
	}
	console.Findings(w, style, found...)
}

// next says what to do with the folder of a user.
func (o options) next(p parcel) []string {
	folder := filepath.Join(o.out, p.folder)
	where := "Send the password (" + filepath.Join(filepath.Dir(o.manifest), "passwords.csv") + ") through a different channel."
	if o.EmbedPassword {
		where = "The files contain the password: send them through a channel that nobody else can read."
	}
	switch o.target {
	case deploy.WindowsUSB:
		copied := "Copy the contents of " + folder
		if o.zip {
			copied = "Unpack " + filepath.Join(folder, "stick.zip")
		}
		steps := []string{
			copied + " to the root folder of the installation stick, and set its volume label to " + o.VolumeLabel + ".",
			"Install Windows from the stick.",
		}
		if o.Architecture == "" && o.answer == "" {
			steps[1] = "Install Windows from the stick. Its answer file works on x64 machines alone: for an ARM64 machine use -arch arm64."
		}
		switch {
		case o.AtSignIn:
			steps = append(steps, "Leave the stick in until somebody has signed in to Windows for the first time, as an administrator.",
				"Join the machine to Microsoft Entra ID or to the domain, and let "+p.UPN+" sign in to Windows. The import happens then, and the files on the machine are wiped; C:\\Program Files\\EntraCBA\\import.log says so.")
		case o.Pass == deploy.Specialize:
			steps = append(steps, "The certificate goes into the machine's store, which browsers do not read. For browsers, use -pass oobeSystem.")
		default:
			steps = append(steps, "Leave the stick in until the user has signed in to Windows for the first time, as an administrator: the certificate goes to whoever signs in first. For a user who is not an administrator, use -at-sign-in.")
		}
		steps = append(steps, "So that nobody has to choose a certificate: as administrator, run Certs\\Set-BrowserChoice.ps1 from the stick (Edge, Chrome).")
		return append(steps, "Sign in in the browser with \"Use a certificate or smart card\".")
	case deploy.Windows:
		choose := "So that nobody has to choose a certificate: as administrator, powershell -NoProfile -ExecutionPolicy Bypass -File Set-BrowserChoice.ps1 (Edge, Chrome), and copy firefox-policies.json to Firefox's folder distribution as policies.json. For Intune see browser-choice-intune.txt. Apps with WebView2 ask all the same."
		if o.AtSignIn {
			return []string{
				"Copy " + folder + " to the machine, which must be joined to Microsoft Entra ID or to the domain.",
				"Run as administrator: powershell -NoProfile -ExecutionPolicy Bypass -File Import-AtSignIn.ps1",
				choose + " Then delete the folder.",
				"Let " + p.UPN + " sign in to Windows. C:\\Program Files\\EntraCBA\\import.log says when the certificate is in that user's store.",
			}
		}
		return []string{
			"Copy " + folder + " to the machine. " + where,
			"Run as the user, who needs no administrator's rights: powershell -NoProfile -ExecutionPolicy Bypass -File Import-Certificate.ps1. Windows asks whether to trust the root. Do not give an administrator's password: it would fill the administrator's store.",
			choose,
			"Close all browser windows, and sign in with \"Use a certificate or smart card\". Import-Certificate.ps1 -Check says what is there.",
		}
	case deploy.MacOS:
		return []string{
			"Copy " + folder + " to the Mac. " + where,
			"Open the .mobileconfig file and install it in System Settings: it imports the identity and lets Safari, Chrome, Edge and Firefox choose it. Or run sh install.sh, which does so for Safari alone.",
			"Quit the browser (Cmd-Q), sign in with \"Use a certificate or smart card\", and click Always Allow when the keychain asks (-all-apps: it does not ask). sh install.sh -check says what is there.",
		}
	case deploy.IOS:
		return []string{
			"Send the .mobileconfig file in " + folder + " to the device, preferably through an MDM. " + where,
			"Install it in Settings > General > VPN & Device Management.",
			"For Outlook and the other Office apps, install Microsoft Authenticator, which signs in for them. In Safari, choose the certificate when it asks.",
			"Sign in with \"Use a certificate or smart card\". A root that is installed by hand is not trusted for servers until it is switched on in Settings > General > About > Certificate Trust Settings; signing in does not need that.",
		}
	case deploy.Android:
		return []string{
			"Copy the .p12 file in " + folder + " to the device. " + where,
			"In Settings, search for \"Install certificates\", choose \"VPN & app user certificate\", and open the file. An MDM installs it as a PKCS or SCEP certificate and says which apps may use it without asking.",
			"Sign in with \"Use a certificate or smart card\", choose \"Certificate on the device\", and the certificate. Microsoft's apps, Authenticator and browsers find it there; a browser policy cannot select it.",
			"The root is not needed. Installed as a CA certificate, it would be trusted for servers.",
		}
	}
	return []string{
		"Copy " + folder + " to the machine. " + where,
		"Run as the user, without sudo: sh install.sh. It finds the databases of Chromium, Chrome, Edge, Brave and Firefox, and lists the key in each. One database by its name: NSSDB=FOLDER sh install.sh",
		"So that nobody has to choose a certificate: sudo sh install-policy.sh. Firefox then presents it to every site that asks for one; -no-firefox leaves Firefox alone.",
		"Restart the browsers. To see later what is where: sh install.sh -check, sh install-policy.sh -check",
		"Signing in does not need trust-root.sh. It makes the machine trust this CA for servers, too.",
	}
}

// writeJSON is what a program reads.
func (o options) writeJSON(w io.Writer, parcels []parcel, hosts []deploy.Host) error {
	type file struct {
		Name     string `json:"name"`
		Bytes    int    `json:"bytes"`
		Mode     string `json:"mode"`
		Key      bool   `json:"holdsKey"`
		Password bool   `json:"holdsPassword"`
	}
	type user struct {
		UPN      string           `json:"userPrincipalName"`
		Folder   string           `json:"folder,omitempty"`
		Encoding string           `json:"pfxEncoding"`
		Files    []file           `json:"files"`
		Findings lint.Findings    `json:"findings"`
		Wipe     []deploy.Remnant `json:"wipe"`
	}
	out := struct {
		Written bool          `json:"written"`
		Target  deploy.Target `json:"target"`
		Users   []user        `json:"users"`
		Hosts   []deploy.Host `json:"hosts"`
	}{Written: hosts != nil, Target: o.target, Users: []user{}, Hosts: hosts}
	for _, p := range parcels {
		u := user{UPN: p.UPN, Encoding: p.encoding, Findings: p.findings, Files: []file{}, Wipe: []deploy.Remnant{}}
		if out.Written {
			u.Folder = filepath.Join(o.out, p.folder)
			for _, f := range p.files {
				u.Files = append(u.Files, file{f.Name, len(f.Content), fmt.Sprintf("%04o", f.Mode), f.Key, f.Password})
			}
			u.Wipe = append(u.Wipe, p.wipe...)
		}
		out.Users = append(out.Users, u)
	}
	return console.Result(w, "deliver", out)
}
