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
		return o.writeJSON(os.Stdout, parcels, nil)
	}
	style := console.StyleFor(os.Stdout)
	fmt.Fprintf(os.Stdout, "%s: %d of %d would not work on %v\n\n", style.Red("Nothing was written"), failed, len(parcels), o.target)
	notes(os.Stdout, style, parcels)
	return nil
}

// report is what a person reads.
func (o options) report(w io.Writer, style console.Style, parcels []parcel, hosts []deploy.Host) {
	rows := [][]string{{"USER", "FILE", "BYTES", "MODE", "HOLDS"}}
	const few = 5
	for _, p := range parcels[:min(len(parcels), few)] {
		for _, f := range p.files {
			rows = append(rows, []string{p.UPN, filepath.Join(o.out, p.folder, filepath.FromSlash(f.Name)),
				fmt.Sprint(len(f.Content)), fmt.Sprintf("%04o", f.Mode), holds(f)})
		}
	}
	console.Table(w, style, rows...)
	if len(parcels) > few {
		fmt.Fprintf(w, "and as many for %d more users\n", len(parcels)-few)
	}
	fmt.Fprintf(w, "\n%d users, for %v; PFX encoding %s\n", len(parcels), o.target, encodings(parcels))
	notes(w, style, parcels)

	fmt.Fprintln(w, "\n"+style.Bold("NEXT"))
	for i, step := range o.next(parcels[0]) {
		fmt.Fprintf(w, "%d.  %s\n", i+1, console.Clean(step))
	}

	fmt.Fprintln(w, "\n"+style.Bold("NETWORK")+"  what the machine must reach, port 443")
	rows = [][]string{{"HOST", "TLS INSPECTION", "WHY"}}
	for _, h := range hosts {
		inspection, why := "as usual", h.Why
		if h.NoInspection {
			inspection = "never"
		}
		if !h.Documented {
			why += " (not documented)"
		}
		rows = append(rows, []string{h.Name, inspection, why})
	}
	console.Table(w, style, rows...)

	fmt.Fprintln(w, "\n"+style.Bold("WIPE")+"  when the certificate is where it belongs")
	rows = [][]string{{"WHERE", "HOLDS", "DO"}}
	for _, r := range parcels[0].wipe {
		rows = append(rows, []string{r.Where, r.Holds, r.Do})
	}
	console.Table(w, style, rows...)
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
	fmt.Fprintln(w, "\n"+style.Bold("NOTES"))
	for _, n := range all {
		severity := style.Yellow(n.Severity.String())
		if n.Severity == lint.Error {
			severity = style.Red(n.Severity.String())
		}
		who := n.users[0]
		if len(n.users) > 1 {
			who = fmt.Sprintf("%d of %d users", len(n.users), len(parcels))
		}
		fmt.Fprintf(w, "%s, %s: %s\n", severity, console.Clean(who), console.Clean(n.What))
		if n.Do != "" {
			fmt.Fprintf(w, "  %s\n", console.Clean(n.Do))
		}
	}
}

// next says what to do with the folder of a user.
func (o options) next(p parcel) []string {
	folder := filepath.Join(o.out, p.folder)
	where := "Hand the password over another way than the files: " + filepath.Join(filepath.Dir(o.manifest), "passwords.csv") + " has it."
	if o.EmbedPassword {
		where = "The files hold the password: hand them over in a way that nobody else can read."
	}
	switch o.target {
	case deploy.WindowsUSB:
		copied := "Copy what is in " + folder
		if o.zip {
			copied = "Unpack " + filepath.Join(folder, "stick.zip")
		}
		steps := []string{
			copied + " to the root folder of the installation stick, and label its volume " + o.VolumeLabel + ".",
			"Install Windows from the stick.",
		}
		if o.Pass == deploy.Specialize {
			steps = append(steps, "The certificate is in the machine's store, where a browser does not look: see -pass oobeSystem.")
		} else {
			steps = append(steps, "Leave the stick in until the user, as an administrator, has signed in to Windows for the first time.")
		}
		return append(steps, "Sign in at the browser with \"Use a certificate or smart card\".")
	case deploy.Windows:
		return []string{
			"Copy " + folder + " to the machine. " + where,
			"As the user: powershell -NoProfile -ExecutionPolicy Bypass -File Import-Certificate.ps1; or import.cmd, elevated.",
			"Close all browser windows, and sign in with \"Use a certificate or smart card\".",
		}
	case deploy.MacOS:
		return []string{
			"Copy " + folder + " to the Mac. " + where,
			"Either open the .mobileconfig and install it in System Settings, or run: sh install.sh",
			"Quit the browser (Cmd-Q), sign in with \"Use a certificate or smart card\", and answer the keychain's question with Always Allow.",
		}
	case deploy.IOS:
		return []string{
			"Send the .mobileconfig in " + folder + " to the device, best through an MDM. " + where,
			"Install it in Settings, General, VPN & Device Management.",
			"Sign in with \"Use a certificate or smart card\".",
		}
	}
	return []string{
		"Copy " + folder + " to the machine. " + where,
		"As the user: sh install.sh (Chrome, Chromium, Edge); NSSDB=PROFILE sh install.sh for a profile of Firefox.",
		"If the browser shall not ask which certificate: put chromium-policy.json into /etc/opt/chrome/policies/managed, /etc/chromium/policies/managed or /etc/opt/edge/policies/managed.",
		"trust-root.sh is not needed for signing in; it makes the machine trust this CA for servers too.",
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
		UPN      string           `json:"upn"`
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
	return console.JSON(w, out)
}
