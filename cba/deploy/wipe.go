package deploy

// A Remnant is something that must be wiped when the certificate is where it
// belongs.
type Remnant struct {
	// Where is the file's name, or a place on the machine.
	Where string `json:"where"`
	// Holds says what is in it.
	Holds string `json:"holds"`
	// Do says how it is wiped.
	Do string `json:"do"`
}

// Wipe lists what must be wiped after the files were used on a target: those
// that are secret, and the copies that the machine is known to make of them.
//
// A file that was on flash memory can be read after it was deleted. What helps
// against that is a stick that is encrypted or destroyed, and a certificate that is
// revoked if the stick is lost.
func Wipe(t Target, files []Artefact) []Remnant {
	var all []Remnant
	answerFile := false
	for _, f := range files {
		r := Remnant{Where: f.Name, Do: "delete it here and on the machine"}
		switch {
		case f.Key && f.Password:
			r.Holds = "the private key and its password, in the clear"
		case f.Password:
			r.Holds = "the password, in the clear"
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
	}
	embedded := false
	for _, f := range files {
		embedded = embedded || f.Password
	}
	if answerFile {
		const holds = "a copy of the answer file with the password, made by Windows Setup"
		all = append(all,
			Remnant{`C:\Windows\Panther\unattend.xml`, holds, "delete it on the machine"},
			Remnant{`C:\Windows\Panther\Unattend\unattend.xml`, holds, "delete it on the machine, if it is there"},
			Remnant{`C:\Windows\Panther\*.log, C:\Windows\Panther\UnattendGC\*.log`, "the commands that Setup ran, as far as it logs them", "look for the password and delete the lines"})
	}
	switch {
	case (t == WindowsUSB || t == Windows) && embedded:
		all = append(all, Remnant{"the logs Windows PowerShell (400, 4104) and Security (4688)",
			"the command or script with the password, where the machine records scripts and command lines", "clear them, and any place that they are forwarded to"})
	case (t == MacOS || t == IOS) && embedded:
		all = append(all, Remnant{"the downloads, mails and backups through which the profile went", "the profile", "delete it there"})
	}
	return all
}
