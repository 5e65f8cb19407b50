package lifecycle

import (
	"slices"

	"example.com/entracba/cba/lint"
)

// Rules returns every rule whose findings a [Renewal] or a [Leaving] can have.
func Rules() []lint.Rule { return slices.Clone(rules) }

var (
	renewalFull = lint.Rule{Code: "renewal-full", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.UserIDs,
		What: "the account has no room for a value of the new certificate",
		Do:   "remove a value that nobody needs, or ask for fewer mappings"}
	renewalLater = lint.Rule{Code: "renewal-later", Severity: lint.Warning, Effect: lint.LocksOut, Source: lint.UserIDs,
		What: "a value of the new certificate must wait until an old value goes",
		Do:   "remove a value that nobody needs, so that the new value can be added at once"}
	renewalNoField = lint.Rule{Code: "renewal-no-field", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.UserIDs,
		What: "a mapping has no value for the new certificate",
		Do:   "bind by another mapping, or issue a certificate that has the field"}
	renewalSynced = lint.Rule{Code: "renewal-synced", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.UserIDs,
		What: "the account is synchronized from Active Directory",
		Do:   "write altSecurityIdentities in Active Directory; Microsoft Entra Connect copies them, and Graph cannot write these values"}
	renewalSameKey = lint.Rule{Code: "renewal-same-key", Severity: lint.Info, Source: lint.DeepDive,
		What: "the new certificate has the key of an old one",
		Do:   "generate a new key for every certificate, unless the key is on a card: the value by key identifier remains valid after the old certificate expires"}
	renewalOther = lint.Rule{Code: "renewal-other-name", Severity: lint.Warning, Effect: lint.LetsIn, Source: lint.DeepDive,
		What: "the new certificate and an old one have different principal names",
		Do:   "make sure that both certificates belong to the same person"}
	renewalUnknown = lint.Rule{Code: "renewal-unknown-value", Severity: lint.Info, Source: lint.UserIDs,
		What: "a stored value matches none of the certificates",
		Do:   "find out which certificate the value is for; the plan keeps it"}
	renewalNotNow = lint.Rule{Code: "renewal-not-valid", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.DeepDive,
		What: "the new certificate is not valid at the time of the plan",
		Do:   "use a certificate that is valid"}

	leavingNone = lint.Rule{Code: "leaving-no-certificates", Severity: lint.Warning, Effect: lint.LetsIn, Source: lint.Revocation,
		What: "no certificate of the person is known",
		Do:   "look for the person's certificates in the CA's records: only a certificate on the CRL is revoked"}
	leavingExpired = lint.Rule{Code: "leaving-expired", Severity: lint.Info, Source: lint.RFC5280 + " section 5.3.1",
		What: "a certificate has expired and needs no revocation"}
	leavingRevoked = lint.Rule{Code: "leaving-revoked", Severity: lint.Info, Source: lint.RFC5280 + " section 5.3.1",
		What: "a certificate is already revoked"}
	leavingUnknown = lint.Rule{Code: "leaving-unknown-value", Severity: lint.Warning, Effect: lint.LetsIn, Source: lint.UserIDs,
		What: "a stored value matches none of the certificates",
		Do:   "find the certificate that the value is for, and revoke it: the plan removes the value, but the certificate remains valid"}
	leavingSynced = lint.Rule{Code: "leaving-synced", Severity: lint.Warning, Effect: lint.LetsIn, Source: lint.UserIDs,
		What: "the account is synchronized from Active Directory",
		Do:   "make the changes in Active Directory too: Microsoft Entra Connect restores what was changed in Entra only, and Graph cannot write the values"}
	leavingNoKeyID = lint.Rule{Code: "leaving-no-key-identifier", Severity: lint.Warning, Effect: lint.LetsIn, Source: lint.Revocation,
		What: "a certificate does not say which key signed it",
		Do:   "identify the CA by its name before you revoke the certificate"}
)

var rules = []lint.Rule{
	renewalFull, renewalLater, renewalNoField, renewalSynced, renewalSameKey, renewalOther, renewalUnknown, renewalNotNow,
	leavingNone, leavingExpired, leavingRevoked, leavingUnknown, leavingSynced, leavingNoKeyID,
}
