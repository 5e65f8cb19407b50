package deploy

import (
	"slices"
	"strings"

	"example.com/entracba/cba/internal/text"
	"example.com/entracba/cba/lint"
)

// UnattendFindings says what in an answer file keeps the certificate from where the
// person's browser looks: Setup signs in another account first, skips the pass, or
// imports on some architectures only. With a nil answerFile it judges the file that
// [Package.Unattend] writes. Nothing is merged.
//
// The error is that of [Package.MergeUnattend].
func (p Package) UnattendFindings(answerFile []byte, o Options) (lint.Findings, error) {
	steps, err := p.steps(o)
	if err != nil {
		return nil, err
	}
	if answerFile == nil {
		answerFile = emptyAnswerFile
	}
	a, _, err := openAnswerFile(answerFile, o)
	if err != nil {
		return nil, err
	}
	where := "settings[@pass='" + a.pass.String() + "']"
	about := "pass " + a.pass.String()
	var fs lint.Findings
	if a.settings != nil && isTrue(a.settings.values["wasPassProcessed"]) {
		fs = append(fs, answerPassProcessed.At(where+"/@wasPassProcessed", about, ""))
	}
	for _, s := range a.spots {
		n := len(steps)
		for _, step := range steps {
			if slices.Contains(s.present, step.line) {
				n--
			}
		}
		orders, err := s.numbers(n)
		if err != nil {
			return nil, err
		}
		last := 0
		for order := range s.orders {
			last = max(last, order)
		}
		if n > 0 && orders[0] < last {
			fs = append(fs, answerOrder.At(where+"/"+a.at.container, about, "the command with the Order %d is the last, so the import runs before it, as %d", last, orders[0]))
		}
	}
	for _, arch := range a.architectures {
		if slices.Contains(architectures(), arch) && !slices.ContainsFunc(a.spots, func(s spot) bool { return s.arch == arch }) {
			fs = append(fs, answerArchitecture.At(where, about, "machines with the architecture %s do not import: the commands are for %s", arch, strings.Join(a.covered(), ", ")))
		}
	}
	switch {
	case o.AtSignIn:
	case o.store() == MachineStore:
		fs = append(fs, machineStore.At("store", "", ""))
	default:
		fs = append(fs, a.accounts(p.UPN)...)
	}
	return fs, nil
}

// isTrue reads an xs:boolean, and in any case of letters: Setup may read True as well.
func isTrue(value string) bool { return strings.EqualFold(value, "true") || value == "1" }

func (a *answer) covered() (all []string) {
	for _, s := range a.spots {
		all = append(all, s.arch)
	}
	return all
}

// accounts says whose store the first sign-in fills, if it is not this person's.
func (a *answer) accounts(upn string) (fs lint.Findings) {
	var created []string
	automatic, known := false, map[string]bool{}
	for _, settings := range a.root.all("settings") {
		pass := settings.values["pass"]
		if pass != "specialize" && pass != "oobeSystem" {
			continue // AutoLogon of auditSystem is for audit mode alone
		}
		for _, c := range settings.all("component") {
			if c.values["name"] != "Microsoft-Windows-Shell-Setup" {
				continue
			}
			where := "settings[@pass='" + pass + "']/AutoLogon"
			for _, logon := range c.all("AutoLogon") {
				if !isTrue(logon.value("Enabled")) { // the default is false
					continue
				}
				automatic = true
				name := logon.value("Username")
				if key := pass + "\n" + name; !isAccountOf(name, upn) && !known[key] {
					known[key] = true
					fs = append(fs, answerAutoLogon.At(where+"/Username", "pass "+pass, "the answer file signs in the account %s first (AutoLogon), and the certificate goes into its store instead of that of %s", quote(name), upn))
				}
			}
			for _, accounts := range c.all("UserAccounts") {
				for _, local := range accounts.all("LocalAccounts") {
					for _, account := range local.all("LocalAccount") {
						if name := account.value("Name"); name != "" && !known[name] && !isAccountOf(name, upn) {
							known[name] = true
							created = append(created, quote(name))
						}
					}
				}
			}
		}
	}
	if !automatic && len(created) > 0 {
		fs = append(fs, answerAccounts.At("UserAccounts/LocalAccounts", "", "the answer file creates %s of the name %s; the certificate goes into the store of whoever signs in first, which must be %s",
			text.Count(len(created), "account", "accounts"), text.Some(created, 8), upn))
	}
	return fs
}

// isAccountOf reports whether an account name in an answer file is the person's: the
// UPN or the part before the @, whatever the domain in front.
func isAccountOf(name, upn string) bool {
	name = name[strings.LastIndexByte(name, '\\')+1:]
	local, _, _ := strings.Cut(upn, "@")
	return strings.EqualFold(name, upn) || strings.EqualFold(name, local)
}
