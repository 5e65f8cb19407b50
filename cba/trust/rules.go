package trust

import (
	"slices"

	"example.com/entracba/cba/lint"
)

// Rules returns the rules of [Config.Findings].
func Rules() []lint.Rule { return slices.Clone(rules[:]) }

// The documents behind findings, beside those of failures.
const (
	sourceLimits  = lint.HowTo + ", PKI-based trust store"
	sourceMigrate = lint.HowTo + ", migrate from a classic CA store"
	sourceHints   = lint.HowTo + ", issuer hints"
)

// Indexes of rules.
const (
	tooLarge = iota
	propertyMisspelt
	pkiDeleted
	pkiNoName
	pkiNameTooLong
	pkiNameTwice
	pkiUploadNotDone
	pkiEmpty
	pkiTooManyCAs
	tooManyCAs
	caDeleted
	caNameTooLong
	caTooLarge
	caNoCertificate
	caUnreadable
	caTwice
	caThumbprintDiffers
	caSKIDiffers
	caExpirationDiffers
	caNoType
	caTypeUnknown
	caMarkedRoot
	caMarkedIntermediate
	caNotYetValid
	caExpired
	caExpiresSoon
	caDeltaWithoutBase
	rootNoCRLURL
	caNoCRLURL
	caDeltaIsBase
	caCRLOfIssuer
	urlUnreadable
	urlSpaces
	urlHTTPS
	urlScheme
	urlInternal
	urlPEM
	urlOCSP
	caNotCA
	caNoCertSign
	caNoCRLSign
	caNoSKI
	caWeakKey
	caWeakSignature
	caCriticalExtension
	caConstraints
	caIssuerMissing
	caNoAKI
	caIssuerWrongKey
	caSignatureUnchecked
	caLoop
	caTooDeep
	caPathLength
	caIssuerName
	caPolicyInconsistent
	caSKIOfTwoKeys
	caInTwoPKIs
	classicID
	classicSKIDiffers
	classicExpired
	classicNotMigrated
	classicMigrated
	storesCRLMissing
	classicCRLMissing
	storesCRLDiffer
	storesDeltaDiffer
	hintsTooLong
	hintsAllTooLong
	hintEmpty
	hintOfExpiredCA
)

// rules are the rules of this package. A finding may say more than What.
var rules = [...]lint.Rule{
	tooLarge: {Code: "trust-too-large", Severity: lint.Error, Source: sourceLimits,
		What: "the stores have more CAs than are read",
		Do:   "check where this comes from: the PKI-based store holds 250 CAs"},
	propertyMisspelt: {Code: "trust-property-misspelt", Severity: lint.Error, Source: lint.GraphAuthority,
		What: "a property differs in letter case from the one that Graph has, so it is not read",
		Do:   "correct the spelling"},
	pkiDeleted: {Code: "trust-pki-deleted", Severity: lint.Info, Source: lint.GraphPKI,
		What: "the PKI is deleted and trusts nobody",
		Do:   "restore it, or leave it out"},
	pkiNoName: {Code: "trust-pki-no-name", Severity: lint.Error, Source: lint.GraphScope,
		What: "the PKI has no display name",
		Do:   "give it one: CA scopes refer to a PKI by its name"},
	pkiNameTooLong: {Code: "trust-pki-name-too-long", Severity: lint.Error, Source: lint.GraphPKI,
		What: "the display name of the PKI is too long",
		Do:   "use at most 256 characters"},
	pkiNameTwice: {Code: "trust-pki-name-twice", Severity: lint.Warning, Source: lint.GraphScope,
		What: "two PKIs have the same name, and CA scopes refer to a PKI by its name",
		Do:   "rename one of them"},
	pkiUploadNotDone: {Code: "trust-pki-upload-not-done", Severity: lint.Warning, Source: sourceLimits,
		What: "the last upload of a bundle has not succeeded",
		Do:   "wait until it has, which can take 30 minutes, or upload again; only one upload runs at a time"},
	pkiEmpty: {Code: "trust-pki-empty", Severity: lint.Warning, Source: sourceLimits,
		What: "the PKI has no CAs",
		Do:   "upload them, or delete the PKI"},
	pkiTooManyCAs: {Code: "trust-pki-too-many-cas", Severity: lint.Error, Source: sourceLimits,
		What: "the PKI has more CAs than the store holds",
		Do:   "remove CAs that issue no user certificates and are above none that does; the store holds 250"},
	tooManyCAs: {Code: "trust-too-many-cas", Severity: lint.Warning, Source: sourceLimits,
		What: "the PKIs together have more CAs than one store holds",
		Do:   "stay below 250 in all: whether the limit is for a PKI or for the tenant is not documented"},
	caDeleted: {Code: "trust-ca-deleted", Severity: lint.Info, Source: lint.GraphAuthority,
		What: "the CA is deleted and is not used",
		Do:   "restore it, or leave it out"},
	caNameTooLong: {Code: "trust-ca-name-too-long", Severity: lint.Error, Source: lint.GraphAuthority,
		What: "the display name of the CA is too long",
		Do:   "use at most 256 characters"},
	caTooLarge: {Code: "trust-ca-too-large", Severity: lint.Error, Source: sourceLimits,
		What: "the CA's certificate is larger than the store accepts",
		Do:   "issue a certificate of at most 8 KB"},
	caNoCertificate: {Code: "trust-ca-no-certificate", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.GraphAuthority,
		What: "the CA has no certificate",
		Do:   "add it; if the file is an answer of Graph, read it again without $select"},
	caUnreadable: {Code: "trust-ca-unreadable", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.GraphAuthority,
		What: "the CA's certificate cannot be read",
		Do:   "replace it with the base64 of the DER certificate"},
	caTwice: {Code: "trust-ca-twice", Severity: lint.Error, Source: sourceLimits,
		What: "the certificate appears twice in the list",
		Do:   "remove one of the two; the service refuses duplicates"},
	caThumbprintDiffers: {Code: "trust-ca-thumbprint-differs", Severity: lint.Error, Source: lint.GraphAuthority,
		What: "the thumbprint is not that of the certificate",
		Do:   "correct it, or the certificate"},
	caSKIDiffers: {Code: "trust-ca-ski-differs", Severity: lint.Error, Source: lint.GraphAuthority,
		What: "the key identifier is not the subject key identifier of the certificate",
		Do:   "correct it"},
	caExpirationDiffers: {Code: "trust-ca-expiration-differs", Severity: lint.Warning, Source: lint.GraphAuthority,
		What: "the expiration date is not that of the certificate",
		Do:   "correct it"},
	caNoType: {Code: "trust-ca-no-type", Severity: lint.Error, Source: lint.GraphAuthority,
		What: "the CA is not marked as a root or as an intermediate",
		Do:   "set certificateAuthorityType"},
	caTypeUnknown: {Code: "trust-ca-type-unknown", Severity: lint.Warning, Source: lint.GraphAuthority,
		What: "the type of the CA is unknown here",
		Do:   `use "root" or "intermediate"`},
	caMarkedRoot: {Code: "trust-ca-marked-root", Severity: lint.Error, Effect: lint.LocksOut, Source: sourceChain,
		What: "the CA is marked as a root, but another CA issued it",
		Do:   "mark it as an intermediate and add the CAs above it: the stores must have every CA up to the root"},
	caMarkedIntermediate: {Code: "trust-ca-marked-intermediate", Severity: lint.Warning, Source: sourceChain,
		What: "the CA is marked as an intermediate, but it is self-signed",
		Do:   "mark it as a root"},
	caNotYetValid: {Code: "trust-ca-not-yet-valid", Severity: lint.Error, Effect: lint.LocksOut, Source: sourceCodes,
		What: "the CA is not valid yet",
		Do:   "wait, or check the clock of the CA"},
	caExpired: {Code: "trust-ca-expired", Severity: lint.Error, Effect: lint.LocksOut, Source: sourceCodes,
		What: "the CA is expired, so certificates below it are refused",
		Do:   "add the renewed certificate, then delete this one"},
	caExpiresSoon: {Code: "trust-ca-expires-soon", Severity: lint.Warning, Effect: lint.LocksOut, Source: sourceCodes,
		What: "the CA expires soon",
		Do:   "renew it, and add the new certificate before that day"},
	caDeltaWithoutBase: {Code: "trust-ca-delta-without-base", Severity: lint.Error, Effect: lint.LocksOut, Source: sourceCodes,
		What: "the CA has a delta CRL URL and no CRL URL, so sign-ins fail with AADSTS500177",
		Do:   "set the CRL URL, or remove the delta CRL URL"},
	rootNoCRLURL: {Code: "trust-root-no-crl-url", Severity: lint.Info, Source: lint.Revocation,
		What: "the root has no CRL URL, so intermediate CAs that it revokes stay trusted",
		Do:   "set the URL of the CRL that this root publishes"},
	caNoCRLURL: {Code: "trust-ca-no-crl-url", Severity: lint.Warning, Effect: lint.LetsIn, Source: lint.Revocation,
		What: "the CA has no CRL URL: certificates that it revokes can still sign in or, if CRL validation is required, none of its certificates can",
		Do:   "set the URL of the CRL that this CA publishes"},
	caDeltaIsBase: {Code: "trust-ca-delta-is-base", Severity: lint.Warning, Effect: lint.LocksOut, Source: lint.Revocation,
		What: "the CRL URL and the delta CRL URL are the same",
		Do:   "remove the delta CRL URL if there is no delta CRL: a file is a base CRL or a delta CRL"},
	caCRLOfIssuer: {Code: "trust-ca-crl-of-issuer", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.HowTo + ", upload all CAs",
		What: "the CRL URL is the distribution point of the CA's own certificate: the CRL there is its issuer's, and a CRL whose authority key identifier is not this CA's is refused with AADSTS2205015",
		Do:   "set the URL of the CRL that this CA issues"},
	urlUnreadable: {Code: "trust-crl-url-unreadable", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.Revocation,
		What: "the value is not a URL with a host",
		Do:   "correct it"},
	urlSpaces: {Code: "trust-crl-url-spaces", Severity: lint.Warning, Effect: lint.LocksOut, Source: lint.Revocation,
		What: "the URL begins or ends with a space",
		Do:   "remove the space"},
	urlHTTPS: {Code: "trust-crl-url-https", Severity: lint.Warning, Effect: lint.LocksOut, Source: lint.Revocation,
		What: "the URL is https; Microsoft's pages disagree whether https is fetched, and all recommend http",
		Do:   "publish the CRL over http: it is signed"},
	urlScheme: {Code: "trust-crl-url-scheme", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.Revocation,
		What: "the service does not fetch this URL: it fetches http only, never ldap or file",
		Do:   "publish the CRL over http and set that URL"},
	urlInternal: {Code: "trust-crl-url-internal", Severity: lint.Warning, Effect: lint.LocksOut, Source: lint.Revocation,
		What: "the host is not on the public internet, from where the service fetches the CRL",
		Do:   "publish the CRL where Microsoft can reach it"},
	urlPEM: {Code: "trust-crl-url-pem", Severity: lint.Warning, Effect: lint.LocksOut, Source: lint.Revocation,
		What: "the name of the file ends in .pem; a CRL in PEM is refused with AADSTS2205011",
		Do:   "publish the CRL in DER"},
	urlOCSP: {Code: "trust-crl-url-ocsp", Severity: lint.Warning, Effect: lint.LocksOut, Source: lint.Revocation,
		What: "the URL looks like that of an OCSP responder, which the service does not use",
		Do:   "set the URL of a CRL"},
	caNotCA: {Code: "trust-ca-not-a-ca", Severity: lint.Error, Effect: lint.LetsIn, Source: lint.RFC5280 + " section 4.2.1.9",
		What: "the certificate is not that of a CA: whoever holds its key could sign others in, if the service accepts it",
		Do:   "remove it; user certificates do not belong in a trust store"},
	caNoCertSign: {Code: "trust-ca-no-cert-sign", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.RFC5280 + " section 4.2.1.3",
		What: "the CA's key usage does not allow it to sign certificates",
		Do:   "add the CA's certificate that does"},
	caNoCRLSign: {Code: "trust-ca-no-crl-sign", Severity: lint.Warning, Effect: lint.LocksOut, Source: lint.RFC5280 + " section 4.2.1.3",
		What: "the CA's key usage does not allow it to sign CRLs",
		Do:   "issue the CA's certificate with cRLSign"},
	caNoSKI: {Code: "trust-ca-no-ski", Severity: lint.Error, Effect: lint.LocksOut, Source: sourceChain,
		What: "the CA has no subject key identifier, so no certificate leads to it",
		Do:   "issue the CA's certificate with one"},
	caWeakKey: {Code: "trust-ca-weak-key", Severity: lint.Warning, Effect: lint.LetsIn, Source: lint.SP800131A,
		What: "the CA's key is too small",
		Do:   "use a CA with an RSA key of 2,048 bits or more, or with a key on P-256 or a larger curve"},
	caWeakSignature: {Code: "trust-ca-weak-signature", Severity: lint.Warning, Effect: lint.LetsIn, Source: lint.SP800131A,
		What: "the CA's certificate has a weak signature",
		Do:   "have it issued again with SHA-256"},
	caCriticalExtension: {Code: "trust-ca-critical-extension", Severity: lint.Info, Source: lint.RFC5280 + " section 4.2.1",
		What: "the CA has critical extensions that are not checked here",
		Do:   "test a sign-in: how the service treats them is not documented"},
	caConstraints: {Code: "trust-ca-constraints", Severity: lint.Info, Source: lint.RFC5280 + " section 4.2.1",
		What: "the CA has constraints for the certificates below it that are not checked here",
		Do:   "test a sign-in: how the service treats them is not documented"},
	caIssuerMissing: {Code: "trust-ca-issuer-missing", Severity: lint.Error, Effect: lint.LocksOut, Source: sourceChain,
		What: "the issuer of the CA is not in the stores",
		Do:   "add the missing CA: the stores must have every CA up to the root"},
	caNoAKI: {Code: "trust-ca-no-aki", Severity: lint.Error, Effect: lint.LocksOut, Source: sourceChain,
		What: "the CA has no authority key identifier, so its issuer is not found",
		Do:   "issue the CA's certificate with one"},
	caIssuerWrongKey: {Code: "trust-ca-issuer-wrong-key", Severity: lint.Error, Effect: lint.LocksOut, Source: source50017,
		What: "the CA is not signed by the key that its authority key identifier names",
		Do:   "add the issuer's certificate with the key that signed, under its own key identifier"},
	caSignatureUnchecked: {Code: "trust-ca-signature-unchecked", Severity: lint.Error, Effect: lint.LocksOut, Source: source50017,
		What: "the signature of the CA cannot be checked here",
		Do:   "check it with another tool"},
	caLoop: {Code: "trust-ca-loop", Severity: lint.Error, Effect: lint.LocksOut, Source: sourceChain,
		What: "the CAs above this one certify each other in a circle and lead to no root",
		Do:   "add the root"},
	caTooDeep: {Code: "trust-ca-too-deep", Severity: lint.Error, Effect: lint.LocksOut, Source: sourceDepth,
		What: "the chain of a certificate from this CA has more CAs than the service follows",
		Do:   "issue from a CA nearer to the root"},
	caPathLength: {Code: "trust-ca-path-length", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.RFC5280 + " section 4.2.1.9",
		What: "the issuer of the CA has a path length constraint that allows no CA below it",
		Do:   "have it issued by a CA without that constraint"},
	caIssuerName: {Code: "trust-ca-issuer-name", Severity: lint.Warning, Source: sourceChain,
		What: "the issuer name of the CA is not the name of the CA with that key",
		Do:   "have it issued again: the service follows key identifiers, but other software follows names"},
	caPolicyInconsistent: {Code: "trust-ca-policy-inconsistent", Severity: lint.Warning, Effect: lint.LocksOut, Source: source50017,
		What: "the CA has a policy that its issuer does not have",
		Do:   "use certificate policies that are consistent along the chain; an inconsistency is among the causes of AADSTS50017"},
	caSKIOfTwoKeys: {Code: "trust-ca-ski-of-two-keys", Severity: lint.Warning, Source: sourceChain,
		What: "two CAs have the same subject key identifier and different keys",
		Do:   "renew one of them with its own identifier: scopes, exemptions and CRLs refer to it"},
	caInTwoPKIs: {Code: "trust-ca-in-two-pkis", Severity: lint.Warning, Source: sourceLimits,
		What: "the certificate is in more than one PKI; which CRL URL and which scope the service uses is not documented",
		Do:   "keep it in one PKI"},
	classicID: {Code: "trust-classic-id", Severity: lint.Warning, Source: lint.GraphClassic,
		What: "the id is not that of the classic store",
		Do:   "check where this comes from: a tenant has one classic store"},
	classicSKIDiffers: {Code: "trust-classic-ski-differs", Severity: lint.Warning, Source: lint.GraphClassic,
		What: "the key identifier is not the subject key identifier of the certificate",
		Do:   "check that the file is from one tenant and one time: the service sets this property itself"},
	classicExpired: {Code: "trust-classic-ca-expired", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.Authorities + ", classic store",
		What: "a CA of the classic store is expired; until it is removed, no CA can be uploaded to that store",
		Do:   "delete it before you upload anything"},
	classicNotMigrated: {Code: "trust-classic-not-migrated", Severity: lint.Warning, Source: sourceMigrate,
		What: "the CA is in the classic store and in no PKI",
		Do:   "add it to the PKI-based store, which replaces the classic one"},
	classicMigrated: {Code: "trust-classic-migrated", Severity: lint.Info, Source: sourceMigrate,
		What: "a PKI has the same CA",
		Do:   "remove the classic entry when the sign-in log no longer says that the legacy store was used"},
	storesCRLMissing: {Code: "trust-stores-crl-missing", Severity: lint.Warning, Source: sourcePrecedence,
		What: "the PKI entry has no CRL URL, so the service uses the entry of the classic store",
		Do:   "set the URL here too, then remove the classic entry"},
	classicCRLMissing: {Code: "trust-classic-crl-missing", Severity: lint.Info, Source: sourcePrecedence,
		What: "the classic entry has no CRL URL and the PKI entry has one; this is assumed to be no difference, but the page leaves it open",
		Do:   "remove the classic entry"},
	storesCRLDiffer: {Code: "trust-stores-crl-differ", Severity: lint.Warning, Source: sourcePrecedence,
		What: "the two stores have different CRL URLs for the CA, and the service uses the one of the classic store",
		Do:   "set the correct URL in both, then remove the classic entry"},
	storesDeltaDiffer: {Code: "trust-stores-delta-differ", Severity: lint.Warning, Source: sourcePrecedence,
		What: "the two stores have different delta CRL URLs for the CA; which one the service uses is not documented",
		Do:   "set the correct URL in both, then remove the classic entry"},
	hintsTooLong: {Code: "trust-hints-too-long", Severity: lint.Error, Effect: lint.LocksOut, Source: sourceHints,
		What: "the names of the flagged CAs are longer than the issuer hints that the service sends",
		Do:   "flag only the CAs that issue user certificates"},
	hintsAllTooLong: {Code: "trust-hints-all-too-long", Severity: lint.Warning, Effect: lint.LocksOut, Source: sourceHints,
		What: "no CA is flagged, and the names of all CAs are longer than the issuer hints that the service sends",
		Do:   "set isIssuerHintEnabled for the CAs that issue user certificates before you enable issuer hints"},
	hintEmpty: {Code: "trust-hint-empty", Severity: lint.Warning, Source: sourceHints,
		What: "the subject of the CA is empty, so no client can compare it with an issuer",
		Do:   "do not flag it"},
	hintOfExpiredCA: {Code: "trust-hint-of-expired-ca", Severity: lint.Warning, Source: sourceHints,
		What: "the CA is flagged as an issuer hint but not valid, so clients offer certificates that are refused",
		Do:   "clear isIssuerHintEnabled"},
}
