package deploy

import "path"

// A Remnant is a file or a place that must be wiped after the import.
type Remnant struct {
	// Where is the file's name, or a place on the machine.
	Where string `json:"where"`
	// Holds says what it contains.
	Holds string `json:"holds"`
	// Do says how to wipe it.
	Do string `json:"do"`
}

// Wipe lists what must be wiped after the import on a target: the secret files, and
// the copies that the machine is known to make of them.
//
// A file on flash memory can be recovered after it was deleted. Encrypt or destroy
// the stick, and revoke the certificate if the stick is lost.
func Wipe(t Target, files []Artefact) []Remnant {
	var all []Remnant
	answerFile, signIn := false, false
	for _, f := range files {
		r := Remnant{Where: f.Name, Do: "delete it here and on the machine"}
		switch {
		case f.Key && f.Password:
			r.Holds = "the private key and its password, in clear text"
		case f.Password:
			r.Holds = "the password, in clear text"
		case f.Key:
			r.Holds = "the private key, encrypted with the password"
		default:
			continue
		}
		if t == WindowsUSB {
			r.Do = "delete it from the stick, and overwrite the stick"
			answerFile = answerFile || f.Name == "autounattend.xml"
		}
		all = append(all, r)
		signIn = signIn || path.Base(f.Name) == signInName
	}
	embedded := false
	for _, f := range files {
		embedded = embedded || f.Password
	}
	if answerFile {
		const holds = "a copy of the answer file with the password, made by Windows Setup"
		all = append(all,
			Remnant{`C:\Windows\Panther\unattend.xml`, holds, "delete it on the machine"},
			Remnant{`C:\Windows\Panther\unattend-original.xml`, holds, "delete it on the machine, if it is there"},
			Remnant{`C:\Windows\Panther\Unattend\unattend.xml`, holds, "delete it on the machine, if it is there"},
			Remnant{`C:\Windows\Panther\*.log, C:\Windows\Panther\UnattendGC\*.log`, "commands that Setup ran and logged", "search for the password and delete those lines"})
	}
	if signIn {
		all = append(all, Remnant{`C:\Program Files\EntraCBA\ and the thumbprint`, "copies of the PFX and of the script with the password, until the user signs in or the deadline passes",
			"nothing, if import.log beside it says that they were wiped; else delete the folders and the tasks that begin with EntraCBA"})
	}
	switch {
	case (t == WindowsUSB || t == Windows) && embedded:
		all = append(all, Remnant{"the logs Windows PowerShell (400, 4104) and Security (4688)",
			"the command or script with the password, where the machine records scripts and command lines", "clear them, also where they are forwarded to"})
	case (t == MacOS || t == IOS) && embedded:
		all = append(all, Remnant{"downloads, mails and backups that hold the profile", "the profile", "delete it there"})
	}
	return all
}
