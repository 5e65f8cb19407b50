package crl

import (
	"slices"

	"example.com/entracba/cba/lint"
)

const (
	rfcCRL    = lint.RFC5280 + " section 5"
	rfcCRLExt = lint.RFC5280 + " section 5.2"
)

// A ruleID is the place of a rule in the table.
type ruleID int

const (
	ruleNone ruleID = iota
	ruleDeltaWithoutBase
	ruleDeltaAsBase
	ruleDeltaUnused
	ruleDeltaMismatch
	ruleDeltaOld
	ruleDeltaOdd
	ruleNotYetValid
	ruleNoNextUpdate
	ruleExpired
	ruleExpiresSoon
	ruleOverdue
	ruleNoNextPublish
	ruleLongLived
	ruleNoKeyID
	ruleNoNumber
	ruleOddNumber
	ruleSHA1
	ruleUnknownAlgorithm
	ruleTooLarge
	ruleLarge
	ruleGrowing
	ruleUnsupported
	ruleScope
	rulePartition
	ruleDuplicates
	ruleRemoveInBase
	ruleURLUnusable
	ruleURLHTTPS
	ruleURLPrivate
	ruleURLNotDER
)

var rules = [...]lint.Rule{
	ruleNone: {Code: "crl-none", Severity: lint.Error, Effect: lint.LocksOut,
		What: "there is no CRL", Do: "publish one", Source: lint.Revocation},
	ruleDeltaWithoutBase: {Code: "crl-delta-without-base", Severity: lint.Error, Effect: lint.LocksOut,
		What: "there is a delta CRL and no base CRL: Entra refuses with AADSTS500177",
		Do:   "also give the URL of the base CRL", Source: lint.Revocation},
	ruleDeltaAsBase: {Code: "crl-delta-as-base", Severity: lint.Error, Effect: lint.LocksOut,
		What: "the CRL at the place of the base CRL is a delta CRL", Do: "check that the two URLs are not exchanged", Source: rfcCRL},
	ruleDeltaUnused: {Code: "crl-delta-unused", Severity: lint.Info,
		What: "the base CRL names delta CRLs that Entra does not read",
		Do:   "store the delta URL with the CA if Entra should read them: Entra ignores the URL inside the base CRL", Source: lint.Revocation},
	ruleDeltaMismatch: {Code: "crl-delta-mismatch", Severity: lint.Error, Effect: lint.LocksOut,
		What: "the delta CRL does not continue the base CRL", Do: "publish a delta CRL for the base CRL that is published", Source: rfcCRLExt + ".4"},
	ruleDeltaOld: {Code: "crl-delta-old", Severity: lint.Warning,
		What: "the delta CRL is not newer than the base CRL, so it adds nothing", Do: "publish a delta CRL after every base CRL", Source: rfcCRLExt + ".4"},
	ruleDeltaOdd: {Code: "crl-delta-odd", Severity: lint.Warning,
		What: "the delta CRL continues a base CRL with a higher number than its own", Do: "check how the CA numbers its CRLs", Source: rfcCRLExt + ".4"},
	ruleNotYetValid: {Code: "crl-not-yet-valid", Severity: lint.Error, Effect: lint.LocksOut,
		What: "This Update is in the future", Do: "check the clock of the CA", Source: lint.Revocation},
	ruleNoNextUpdate: {Code: "crl-no-next-update", Severity: lint.Error, Effect: lint.LocksOut,
		What: "the CRL has no Next Update", Do: "configure the CA to write Next Update", Source: rfcCRL + ".1.2.5"},
	ruleExpired: {Code: "crl-expired", Severity: lint.Error, Effect: lint.LocksOut,
		What: "the CRL has expired", Do: "publish a new CRL", Source: lint.Revocation},
	ruleExpiresSoon: {Code: "crl-expires-soon", Severity: lint.Warning,
		What: "the CRL expires soon, and Entra refuses everybody then", Do: "publish a new CRL", Source: lint.Revocation},
	ruleOverdue: {Code: "crl-overdue", Severity: lint.Warning,
		What: "the next CRL was announced for a time that has passed", Do: "find out why it was not published", Source: lint.Revocation},
	ruleNoNextPublish: {Code: "crl-no-next-publish", Severity: lint.Info,
		What: "the CRL has no Next CRL Publish: Entra fetches the next one only when this one has expired",
		Do:   "configure the CA to write the extension 1.3.6.1.4.1.311.21.4", Source: lint.Revocation},
	ruleLongLived: {Code: "crl-long-lived", Severity: lint.Warning, Effect: lint.LetsIn,
		What: "Entra keeps the CRL for more than a month, and a revoked certificate can sign in until then",
		Do:   "publish more often, with an earlier Next CRL Publish or Next Update", Source: lint.Revocation},
	ruleNoKeyID: {Code: "crl-no-key-id", Severity: lint.Error, Effect: lint.LocksOut,
		What: "the CRL has no authority key identifier: Entra refuses with AADSTS2205015",
		Do:   "configure the CA to write the extension", Source: lint.Revocation},
	ruleNoNumber: {Code: "crl-no-number", Severity: lint.Warning,
		What: "the CRL has no CRL number, which must increase with every CRL", Do: "configure the CA to write the extension", Source: lint.Revocation},
	ruleOddNumber: {Code: "crl-odd-number", Severity: lint.Warning,
		What: "the CRL number is negative or has more than 20 bytes", Do: "start again with a positive number below 2^159", Source: rfcCRLExt + ".3"},
	ruleSHA1: {Code: "crl-sha1", Severity: lint.Warning,
		What: "the CRL is signed with SHA-1", Do: "configure the CA to sign with SHA-256", Source: lint.RFC9155 + "; " + lint.SP800131A},
	ruleUnknownAlgorithm: {Code: "crl-unknown-algorithm", Severity: lint.Error,
		What: "the signature algorithm is not one that this package knows", Do: "configure the CA to sign with RSA or ECDSA and SHA-256", Source: rfcCRL + ".1.1.2"},
	ruleTooLarge: {Code: "crl-too-large", Severity: lint.Error, Effect: lint.LocksOut,
		What: "the CRL is larger than Entra downloads", Do: "leave expired certificates out, or issue from more CAs", Source: lint.Revocation},
	ruleLarge: {Code: "crl-large", Severity: lint.Warning,
		What: "the CRL is larger than Entra downloads during a sign-in in the public cloud",
		Do:   "leave expired certificates out, or issue from more CAs", Source: lint.Revocation},
	ruleGrowing: {Code: "crl-growing", Severity: lint.Info,
		What: "the CRL is nearly as large as Entra downloads during a sign-in in the public cloud",
		Do:   "leave expired certificates out before the CRL exceeds the limit", Source: lint.Revocation},
	ruleUnsupported: {Code: "crl-unsupported", Severity: lint.Error,
		What: "the CRL uses a feature of RFC 5280 that this package does not process", Do: "configure the CA to issue plain complete CRLs", Source: rfcCRLExt},
	ruleScope: {Code: "crl-scope", Severity: lint.Info,
		What: "the CRL covers only some certificates of the CA; whether Entra heeds that is not documented", Source: rfcCRLExt + ".5"},
	rulePartition: {Code: "crl-partition", Severity: lint.Info,
		What: "the CRL is the one of a distribution point: if the CA has several, this one does not have all revocations",
		Do:   "make sure that the CA issues a single CRL", Source: rfcCRLExt + ".5"},
	ruleDuplicates: {Code: "crl-duplicates", Severity: lint.Warning,
		What: "several entries are for one serial number; the first one counts", Do: "find out why the CA lists certificates twice", Source: rfcCRL + ".1.2.6"},
	ruleRemoveInBase: {Code: "crl-remove-in-base", Severity: lint.Warning,
		What: "an entry of the base CRL has the reason removeFromCRL, which belongs in delta CRLs; the certificate counts as revoked here",
		Do:   "configure the CA to leave the entry out", Source: rfcCRL + ".3.1"},
	ruleURLUnusable: {Code: "crl-url-unusable", Severity: lint.Error, Effect: lint.LocksOut,
		What: "Entra cannot fetch a CRL from this URL", Do: "give an http URL that the internet can reach", Source: lint.Revocation},
	ruleURLHTTPS: {Code: "crl-url-https", Severity: lint.Warning,
		What: "one page of the documentation allows https for CRLs, three say that only http works",
		Do:   "publish the CRL over http: it is signed, so nothing is lost", Source: lint.Revocation + "; " + lint.Authorities},
	ruleURLPrivate: {Code: "crl-url-private", Severity: lint.Error, Effect: lint.LocksOut,
		What: "the host is one that only your own network reaches", Do: "publish the CRL where the internet can reach it", Source: lint.Revocation},
	ruleURLNotDER: {Code: "crl-url-not-der", Severity: lint.Warning,
		What: "the name looks like that of a file that is not a CRL in DER", Do: "check that the URL serves a CRL in DER", Source: lint.Revocation},
}

// Rules returns the rules of this package: every finding that its functions return
// has a code from here.
func Rules() []lint.Rule { return slices.Clone(rules[:]) }
