package deploy

import (
	"slices"

	"example.com/entracba/cba/lint"
)

const rewrite = `write the PFX again with the encoding "compat", which all of these programs open`

// The rules of [Package.Findings] and [Package.UnattendFindings]. Errors lock out: the user has no certificate
// after the import, or one that Entra refuses.
var (
	incomplete = lint.Rule{Code: "deploy-incomplete", Severity: lint.Error, Effect: lint.LocksOut,
		What: "a required field of the package is missing or cannot be used", Do: "fill the field that the finding names"}
	pfxMalformed = lint.Rule{Code: "deploy-pfx-malformed", Severity: lint.Error, Effect: lint.LocksOut,
		What: "the file is not a PFX that can be read", Do: "write the PFX again"}
	pfxSomeUnreadable = lint.Rule{Code: "deploy-pfx-some-unreadable", Severity: lint.Warning,
		What: "some programs on the target do not open this encoding", Do: rewrite}
	pfxUnknown = lint.Rule{Code: "deploy-pfx-unknown", Severity: lint.Warning,
		What: "it is not known whether the programs on the target open this encoding", Do: rewrite}
	wrongPassword = lint.Rule{Code: "deploy-wrong-password", Severity: lint.Error, Effect: lint.LocksOut,
		What: "the password does not open the PFX", Do: "look up the password that the PFX was written with"}
	otherCertificate = lint.Rule{Code: "deploy-other-certificate", Severity: lint.Error, Effect: lint.LocksOut,
		What: "the PFX holds another certificate than the package", Do: "use the PFX of this certificate"}
	passwordCharacters = lint.Rule{Code: "deploy-password-characters", Severity: lint.Warning,
		What: "the password has a character that is not printable ASCII; not every keyboard has it, and programs encode it differently",
		Do:   "write the PFX again with a generated password"}
	brokenChain = lint.Rule{Code: "deploy-broken-chain", Severity: lint.Error, Effect: lint.LocksOut,
		What: "the PFX does not lead from the certificate to the root",
		Do:   "put every CA between the two into the PFX, and use the root of this certificate"}
	notYetValid = lint.Rule{Code: "deploy-not-yet-valid", Severity: lint.Error, Effect: lint.LocksOut,
		What: "the certificate is not valid yet", Do: "wait, or check the clock of this machine"}
	expired = lint.Rule{Code: "deploy-expired", Severity: lint.Error, Effect: lint.LocksOut,
		What: "the certificate has expired", Do: "issue a new certificate"}
	noChoice = lint.Rule{Code: "deploy-no-choice", Severity: lint.Warning,
		What: "no browser policy can name the certificate: its subject or its issuer has none of CN, L, O and OU exactly once",
		Do:   "issue certificates with the UPN as the common name, or let the person choose the certificate in the browser"}

	answerAutoLogon = lint.Rule{Code: "deploy-answer-autologon", Severity: lint.Error, Effect: lint.LocksOut,
		What:   "the answer file signs in another account first, and the certificate goes into the store of that account",
		Do:     "import at the person's own sign-in (deliver -at-sign-in), or remove AutoLogon so that the person signs in first",
		Source: lint.Unattend + ", AutoLogon, FirstLogonCommands"}
	answerAccounts = lint.Rule{Code: "deploy-answer-accounts", Severity: lint.Warning,
		What:   "the answer file creates other accounts; the certificate goes into the store of whoever signs in first",
		Do:     "import at the person's own sign-in (deliver -at-sign-in), or make sure that the person signs in first",
		Source: lint.Unattend + ", LocalAccounts, FirstLogonCommands"}
	answerPassProcessed = lint.Rule{Code: "deploy-answer-pass-processed", Severity: lint.Error, Effect: lint.LocksOut,
		What: `the pass is marked wasPassProcessed="true", and Windows Setup skips such a pass`,
		Do:   "remove the attribute wasPassProcessed: it is in files that Setup has already used, which are copies and not originals"}
	answerArchitecture = lint.Rule{Code: "deploy-answer-architecture", Severity: lint.Warning, Effect: lint.LocksOut,
		What:   "the answer file has components for an architecture that does not get the commands",
		Do:     "add the component for this architecture and merge again, or use the file only on machines of the others",
		Source: lint.Unattend + ", processorArchitecture"}
	answerOrder = lint.Rule{Code: "deploy-answer-order", Severity: lint.Info,
		What:   "no Order is left behind the last command of the file, so the import runs before that command",
		Do:     "give the last command a lower Order if the import has to run after it",
		Source: lint.Unattend + ", Order"}
	machineStore = lint.Rule{Code: "deploy-machine-store", Severity: lint.Warning, Effect: lint.LocksOut,
		What:   "the certificate goes into the machine's store, which browsers do not read",
		Do:     "import into the person's store: in the pass oobeSystem, or at the person's own sign-in (deliver -at-sign-in)",
		Source: lint.StoreLocations}
)

var rules = []lint.Rule{incomplete, pfxMalformed, pfxSomeUnreadable, pfxUnknown, wrongPassword, otherCertificate,
	passwordCharacters, brokenChain, notYetValid, expired, noChoice,
	answerAutoLogon, answerAccounts, answerPassProcessed, answerArchitecture, answerOrder, machineStore}

// Rules returns the rules of this package's findings, for a list of all findings.
func Rules() []lint.Rule { return slices.Clone(rules) }
