package cba

import (
	"slices"

	"example.com/entracba/cba/lint"
)

// What a user's certificate can be found to have.
var (
	certRefused = lint.Rule{Code: "cert-not-strict", Severity: lint.Warning, Effect: lint.LocksOut,
		What: "strict readers refuse the certificate: its encoding breaks a rule",
		Do:   "issue the certificate again: Microsoft does not document what Entra does with it, and no signature was verified here", Source: lint.RFC5280}
	certOldVersion = lint.Rule{Code: "cert-old-version", Severity: lint.Warning, Effect: lint.LocksOut,
		What: "the certificate has extensions, which only version 3 may have: some readers see no names and key identifiers in it",
		Do:   "issue a certificate of version 3", Source: lint.RFC5280 + " section 4.1.2.1"}
	certManyEmails = lint.Rule{Code: "cert-many-emails", Severity: lint.Warning,
		What: "the subjectAltName has several e-mail addresses",
		Do:   "keep one address: Microsoft does not document which of them Entra reads", Source: lint.OpenQuestion + " 9.23"}
	certEmailText = lint.Rule{Code: "cert-email-text", Severity: lint.Error, Effect: lint.LocksOut,
		What: "an e-mail address is none, or has a label, a comma, a space or a quote, as a list of addresses has",
		Do:   "write one address, without a name", Source: lint.RFC5280 + " section 4.2.1.6"}
	certControl = lint.Rule{Code: "cert-control-character", Severity: lint.Error, Effect: lint.LocksOut,
		What: "a name has a control character, a line separator or one that turns the direction of writing: programs and people may read only a part of it, or another name",
		Do:   "issue the certificate again without it", Source: lint.RFC5280 + " section 4.2.1.6"}
	certTemplate = lint.Rule{Code: "cert-template", Severity: lint.Warning,
		What: "a variable of a template was not filled in",
		Do:   "correct the profile or the CA's configuration, and issue the certificate again", Source: lint.IntuneSCEP}
	certUPNTemplate = lint.Rule{Code: "cert-upn-template", Severity: lint.Error, Effect: lint.LocksOut,
		What: "the UPN is a variable of a template that was not filled in",
		Do:   "correct the profile, and issue the certificate again", Source: lint.IntuneSCEP}
	certUPNLabel = lint.Rule{Code: "cert-upn-label", Severity: lint.Error, Effect: lint.LocksOut,
		What: "the UPN begins with the label of a field",
		Do:   "write the UPN alone, as the account has it", Source: lint.HowTo}
	certUPNImpossible = lint.Rule{Code: "cert-upn-impossible", Severity: lint.Warning, Effect: lint.LocksOut,
		What: "no account can have this UPN",
		Do:   "write the UPN exactly as the account has it, or bind through certificateUserIds", Source: lint.GraphUser + ", userPrincipalName"}
	certSameKeyID = lint.Rule{Code: "cert-ski-of-issuer", Severity: lint.Error, Effect: lint.LocksOut,
		What: "the certificate has the subject key identifier of its issuer, though their keys differ",
		Do:   "issue the certificate again: Entra finds issuers by key identifier", Source: lint.Authorities}
	certCRLSpace = lint.Rule{Code: "cert-crl-url-space", Severity: lint.Warning,
		What: "a CRL URL has a space",
		Do:   "write %20, or a name without spaces", Source: lint.RFC5280 + " section 4.2.1.13"}
	certNamesUnreadable = lint.Rule{Code: "cert-names-unreadable", Severity: lint.Error, Effect: lint.LocksOut,
		What: "the subjectAltName is not a list of names",
		Do:   "issue the certificate again with a well-formed subjectAltName", Source: lint.RFC5280 + " section 4.2.1.6"}
	certNoUPN = lint.Rule{Code: "cert-no-upn", Severity: lint.Error, Effect: lint.LocksOut,
		What: "the subjectAltName has no UPN and no e-mail address",
		Do:   "put the account's UPN into the subjectAltName. Without it and without an e-mail address, only bindings through certificateUserIds can work", Source: lint.DeepDive}
	certOnlyEmail = lint.Rule{Code: "cert-only-email", Severity: lint.Info,
		What: "the subjectAltName has an e-mail address and no UPN",
		Do:   "check that a username binding of the tenant reads RFC822Name", Source: lint.DeepDive}
	certSubjectEmail = lint.Rule{Code: "cert-email-in-subject", Severity: lint.Warning,
		What: "an e-mail address is in the subject and not in the subjectAltName",
		Do:   "put the address into the subjectAltName", Source: lint.DeepDive}
	certManyUPNs = lint.Rule{Code: "cert-many-upns", Severity: lint.Warning,
		What: "the subjectAltName has several UPNs",
		Do:   "keep one UPN: Microsoft does not document which of them Entra reads", Source: lint.OpenQuestion + " 9.23"}
	certUPNType = lint.Rule{Code: "cert-upn-not-utf8string", Severity: lint.Error, Effect: lint.LocksOut,
		What: "the UPN is not a UTF8String, or not valid UTF-8",
		Do:   "encode the UPN as a UTF8String", Source: lint.HowTo}
	certUPNText = lint.Rule{Code: "cert-upn-text", Severity: lint.Error, Effect: lint.LocksOut,
		What: "the UPN is empty, not valid UTF-8, or has a control character",
		Do:   "write the UPN exactly as the account has it", Source: lint.HowTo}
	certUPNSpace = lint.Rule{Code: "cert-upn-space", Severity: lint.Error, Effect: lint.LocksOut,
		What: "the UPN begins or ends with a space",
		Do:   "remove the space", Source: lint.HowTo}
	certUPNInvisible = lint.Rule{Code: "cert-upn-invisible", Severity: lint.Warning, Effect: lint.LocksOut,
		What: "the UPN has an invisible character",
		Do:   "type the UPN again", Source: lint.HowTo}
	certUPNNotRoutable = lint.Rule{Code: "cert-upn-no-at", Severity: lint.Info,
		What: "the UPN has no @",
		Do:   "bind it through certificateUserIds: no userPrincipalName has this form", Source: lint.UserIDs}
	certUPNCase = lint.Rule{Code: "cert-upn-case", Severity: lint.Warning, Effect: lint.LocksOut,
		What: "the UPN differs from the account's in letter case",
		Do:   "write it exactly as the account has it: Microsoft does not document whether Entra ignores letter case", Source: lint.DeepDive}
	certUPNOther = lint.Rule{Code: "cert-upn-other", Severity: lint.Warning, Effect: lint.LocksOut,
		What: "the UPN is not the account's",
		Do:   "check that a binding through certificateUserIds, or through another field, matches the account", Source: lint.DeepDive}
	certDuplicateName = lint.Rule{Code: "cert-duplicate-name", Severity: lint.Warning,
		What: "a name appears twice in the subjectAltName",
		Do:   "list every name once", Source: lint.RFC5280 + " section 4.2.1.6"}
	certIgnoredName = lint.Rule{Code: "cert-ignored-name", Severity: lint.Info,
		What: "the subjectAltName has a name that Entra does not read", Source: lint.DeepDive}
	certNameTooLong = lint.Rule{Code: "cert-name-too-long", Severity: lint.Warning, Effect: lint.LocksOut,
		What: "a name is too long for certificateUserIds",
		Do:   "shorten the name, or bind by SKI", Source: lint.UserIDs}
	certNameQuoted = lint.Rule{Code: "cert-name-quoted", Severity: lint.Warning, Effect: lint.LocksOut,
		What: "a value of a distinguished name is written in quotes in certificateUserIds",
		Do:   "avoid such values, or bind by another field: Microsoft does not document how Entra writes them", Source: lint.UserIDs + "; " + lint.OpenQuestion + " 9.22"}
	certNameMultiValued = lint.Rule{Code: "cert-name-multi-valued", Severity: lint.Info,
		What: "a part of a distinguished name has several values",
		Do:   "bind by another field if you can: certificateUserIds joins such values with a space", Source: lint.UserIDs}
	certLongCN = lint.Rule{Code: "cert-cn-too-long", Severity: lint.Warning,
		What: "the common name has more than 64 characters",
		Do:   "shorten it to 64 characters: some readers refuse more", Source: lint.RFC5280 + " appendix A.1, ub-common-name"}
	certReversed = lint.Rule{Code: "cert-subject-reversed", Severity: lint.Warning,
		What: "the subject has a country or a domain (C, DC) as its most specific part, so it seems to be in reverse order",
		Do:   "issue with C or DC first and CN last, as encoded: certificateUserIds and rules have the name in that order or its opposite, and each shows it reversed", Source: lint.UserIDs}
	certNoSubject = lint.Rule{Code: "cert-no-subject", Severity: lint.Info,
		What: "the subject is empty",
		Do:   "bind by a field other than Subject", Source: lint.RFC5280 + " section 4.1.2.6"}
	certSIDMismatch = lint.Rule{Code: "cert-sid-mismatch", Severity: lint.Error, Effect: lint.LocksOut,
		What: "the certificate has two different SIDs",
		Do:   "issue the certificate again with one SID", Source: lint.KB5014754}
	certSIDUnreadable = lint.Rule{Code: "cert-sid-unreadable", Severity: lint.Error, Effect: lint.LocksOut,
		What: "the SID cannot be read",
		Do:   "write the SID as S-1-5-21-...", Source: lint.KB5014754}
	certNoClientAuth = lint.Rule{Code: "cert-no-client-auth", Severity: lint.Error, Effect: lint.LocksOut,
		What: "the extended key usage has no clientAuth",
		Do:   "add the extended key usage clientAuth: browsers offer no other certificates", Source: lint.RFC5280 + " section 4.2.1.12"}
	certNoUsage = lint.Rule{Code: "cert-no-usage", Severity: lint.Info,
		What: "the extended key usage is missing",
		Do:   "name clientAuth: a client that is asked to choose may pass over a certificate without", Source: lint.RFC5280 + " section 4.2.1.12"}
	certAnyUsage = lint.Rule{Code: "cert-any-usage", Severity: lint.Warning, Effect: lint.LocksOut,
		What: "the extended key usage allows any use and does not name clientAuth",
		Do:   "name clientAuth: browsers offer no certificate whose extended key usage lacks it", Source: lint.RFC5280 + " section 4.2.1.12"}
	certNoDigitalSig = lint.Rule{Code: "cert-no-digital-signature", Severity: lint.Error, Effect: lint.LocksOut,
		What: "the key usage has no digitalSignature",
		Do:   "add digitalSignature to the key usage: TLS clients sign", Source: lint.RFC8446 + " section 4.4.2"}
	certCAKey = lint.Rule{Code: "cert-ca-key", Severity: lint.Error, Effect: lint.LetsIn,
		What: "the user's certificate has the key of a CA above it",
		Do:   "issue for a key of the user's own: the key of a CA can create a certificate for any user", Source: lint.RFC5280 + " section 4.2.1.9"}
	certIsCA = lint.Rule{Code: "cert-is-ca", Severity: lint.Error, Effect: lint.LetsIn,
		What: "the user's certificate is a CA certificate",
		Do:   "issue a user certificate: the key of a CA can create a certificate for any user", Source: lint.RFC5280 + " section 4.2.1.9"}
	certUsageCritical = lint.Rule{Code: "cert-key-usage-not-critical", Severity: lint.Info,
		What: "the key usage is not critical", Source: lint.RFC5280 + " section 4.2.1.3"}
	certCritical = lint.Rule{Code: "cert-unknown-critical", Severity: lint.Error, Effect: lint.LocksOut,
		What: "a critical extension is one that readers may not know",
		Do:   "make the extension non-critical, or leave it out", Source: lint.RFC5280 + " section 4.2"}
	certTooManyOIDs = lint.Rule{Code: "cert-many-policies", Severity: lint.Warning, Effect: lint.LocksOut,
		What: "the certificate has more than five policies",
		Do:   "keep five: authentication strengths read the first five in lexical order", Source: lint.Strengths}
	certNoAKI = lint.Rule{Code: "cert-no-aki", Severity: lint.Error, Effect: lint.LocksOut,
		What: "the authority key identifier is missing",
		Do:   "issue the certificate with an authority key identifier: Entra finds the issuer by nothing else", Source: lint.Authorities}
	certNoSKI = lint.Rule{Code: "cert-no-ski", Severity: lint.Info,
		What: "the subject key identifier is missing",
		Do:   "add one to bind by SKI", Source: lint.UserIDs}
	certWeakKey = lint.Rule{Code: "cert-weak-key", Severity: lint.Error, Effect: lint.LetsIn,
		What: "the key is too weak",
		Do:   "use RSA of 2048 bits or more, P-256, P-384 or P-521", Source: lint.HowTo}
	certKeyType = lint.Rule{Code: "cert-key-type", Severity: lint.Warning, Effect: lint.LocksOut,
		What: "the key is of a kind that Entra's clients may not use",
		Do:   "use RSA or ECDSA on a NIST curve", Source: lint.HowTo}
	certWeakSig = lint.Rule{Code: "cert-weak-signature", Severity: lint.Error, Effect: lint.LetsIn,
		What: "the signature uses MD2 or MD5",
		Do:   "sign with SHA-256 or better", Source: lint.HowTo}
	certSHA1 = lint.Rule{Code: "cert-sha1-signature", Severity: lint.Warning, Effect: lint.LetsIn,
		What: "the signature uses SHA-1",
		Do:   "sign with SHA-256 or better", Source: lint.HowTo}
	certCRLScheme = lint.Rule{Code: "cert-crl-url", Severity: lint.Warning,
		What: "a CRL URL is not an http URL",
		Do:   "publish the CRL at an http URL: Entra does not read LDAP, nor, by most of its pages, https", Source: lint.Revocation + "; " + lint.OpenQuestion + " 9.6"}
	certNoCRL = lint.Rule{Code: "cert-no-crl-url", Severity: lint.Info,
		What: "the certificate has no CRL URL",
		Do:   "set the CRL URL on the CA in Entra. Entra ignores the URL inside the certificate, so until you do, revoking a certificate does not stop sign-ins", Source: lint.Revocation}
	certSerial = lint.Rule{Code: "cert-serial", Severity: lint.Warning,
		What: "the serial number is not positive, too long, or too short to be random",
		Do:   "use a positive random number of 8 to 20 bytes", Source: lint.RFC5280 + " section 4.1.2.2"}
	certShort = lint.Rule{Code: "cert-validity-short", Severity: lint.Warning, Effect: lint.LocksOut,
		What: "the validity is shorter than five days",
		Do:   "issue for five days at least: devices may refuse a certificate that is about to expire", Source: lint.IntunePKCS}
	certLong = lint.Rule{Code: "cert-validity-long", Severity: lint.Warning,
		What: "the validity is longer than 24 months",
		Do:   "issue for 24 months at most", Source: lint.IntunePKCS}
	certClipped = lint.Rule{Code: "cert-clipped", Severity: lint.Warning, Effect: lint.LocksOut,
		What: "the certificate expires together with its CA, before the validity that you asked for",
		Do:   "renew the CA", Source: lint.RFC5280 + " section 4.1.2.5"}
	certExpired = lint.Rule{Code: "cert-expired", Severity: lint.Error, Effect: lint.LocksOut,
		What: "the certificate has expired",
		Do:   "renew it", Source: lint.ErrorCodes + ", AADSTS500172"}
	certNotYet = lint.Rule{Code: "cert-not-yet-valid", Severity: lint.Error, Effect: lint.LocksOut,
		What: "the certificate is not valid yet",
		Do:   "wait, or check the clock of the machine that issued it", Source: lint.ErrorCodes + ", AADSTS500172"}
	certAKIMismatch = lint.Rule{Code: "cert-aki-mismatch", Severity: lint.Error, Effect: lint.LocksOut,
		What: "the authority key identifier is not the issuer's subject key identifier",
		Do:   "issue the certificate again under this CA, or store the CA that issued it", Source: lint.SupportAADSTS50017}
	certWrongIssuer = lint.Rule{Code: "cert-wrong-issuer", Severity: lint.Error, Effect: lint.LocksOut,
		What: "the certificate names another issuer than the CA above it",
		Do:   "give the chain from the user up, each certificate followed by its issuer", Source: lint.RFC5280 + " section 6.1"}
	certIssuerEncoding = lint.Rule{Code: "cert-issuer-encoding", Severity: lint.Warning,
		What: "the issuer's name and the subject of the CA differ only in letter case, spaces or encoding",
		Do:   "issue the certificate again with the CA's subject byte for byte: many readers compare bytes", Source: lint.RFC5280 + " section 7.1"}
	certBadSig = lint.Rule{Code: "cert-bad-signature", Severity: lint.Error, Effect: lint.LocksOut,
		What: "the issuer's key did not sign the certificate",
		Do:   "find the CA certificate whose key signed it", Source: lint.RFC5280 + " section 6.1"}
	certOutlivesCA = lint.Rule{Code: "cert-outlives-ca", Severity: lint.Warning, Effect: lint.LocksOut,
		What: "the issuer expires before the certificate",
		Do:   "renew the CA before it expires", Source: lint.RFC5280 + " section 6.1"}
)

// What the certificates of CAs can be found to have.
var (
	caNotCA = lint.Rule{Code: "ca-not-a-ca", Severity: lint.Error, Effect: lint.LocksOut,
		What: "an issuer is not a CA",
		Do:   "use a certificate with basicConstraints CA:TRUE", Source: lint.RFC5280 + " section 4.2.1.9"}
	caBCNotCritical = lint.Rule{Code: "ca-constraints-not-critical", Severity: lint.Info,
		What: "the basic constraints are not critical", Source: lint.RFC5280 + " section 4.2.1.9"}
	caNoCertSign = lint.Rule{Code: "ca-no-cert-sign", Severity: lint.Error, Effect: lint.LocksOut,
		What: "the CA's key usage has no keyCertSign",
		Do:   "renew the CA with keyCertSign in its key usage", Source: lint.RFC5280 + " section 4.2.1.3"}
	caNoKeyUsage = lint.Rule{Code: "ca-no-key-usage", Severity: lint.Warning,
		What: "the CA has no key usage",
		Do:   "renew the CA with keyCertSign and cRLSign", Source: lint.RFC5280 + " section 4.2.1.3"}
	caNoCRLSign = lint.Rule{Code: "ca-no-crl-sign", Severity: lint.Warning,
		What: "the CA's key usage has no cRLSign",
		Do:   "renew the CA with cRLSign in its key usage, or readers refuse its CRLs", Source: lint.RFC5280 + " section 4.2.1.3"}
	caNoSKI = lint.Rule{Code: "ca-no-ski", Severity: lint.Error, Effect: lint.LocksOut,
		What: "the CA has no subject key identifier",
		Do:   "renew the CA with a subject key identifier", Source: lint.Authorities}
	caPathLen = lint.Rule{Code: "ca-path-length", Severity: lint.Error, Effect: lint.LocksOut,
		What: "the CA allows fewer CAs below it than it has",
		Do:   "use a CA whose path length allows the CAs below it", Source: lint.RFC5280 + " section 4.2.1.9"}
	caUsage = lint.Rule{Code: "ca-no-client-auth", Severity: lint.Error, Effect: lint.LocksOut,
		What: "the CA's extended key usage does not allow client authentication",
		Do:   "use a CA whose extended key usage includes clientAuth, or that has none", Source: lint.RFC5280 + " section 4.2.1.12"}
	caNames = lint.Rule{Code: "ca-name-constraints", Severity: lint.Error, Effect: lint.LocksOut,
		What: "the CA's name constraints do not permit a name of the certificate",
		Do:   "use a CA that permits the name", Source: lint.RFC5280 + " section 4.2.1.10"}
	chainPolicies = lint.Rule{Code: "chain-policies", Severity: lint.Warning, Effect: lint.LocksOut,
		What: "a CA does not have the user's policy",
		Do:   "give the CA the policy, or all issuance policies (2.5.29.32.0)", Source: lint.SupportAADSTS50017}
	chainTooLong = lint.Rule{Code: "chain-too-long", Severity: lint.Warning, Effect: lint.LocksOut,
		What: "the chain has more than ten CAs",
		Do:   "use fewer CAs: Entra checks revocation for ten", Source: lint.Revocation}
	chainNoRoot = lint.Rule{Code: "chain-no-root", Severity: lint.Info,
		What: "the chain does not reach a root",
		Do:   "store every CA up to the root in Entra", Source: lint.Authorities}
)

// How a request can differ from the subject that a certificate is issued for.
var (
	requestUPN = lint.Rule{Code: "request-upn", Severity: lint.Warning,
		What: "the request asks for a UPN that the certificate does not get",
		Do:   "ask who sent the request: a certificate with another UPN is for another account"}
	requestSID = lint.Rule{Code: "request-sid", Severity: lint.Warning,
		What: "the request asks for a SID that the certificate does not get",
		Do:   "ask who sent the request: another SID is another account", Source: lint.KB5014754}
	requestNames = lint.Rule{Code: "request-names", Severity: lint.Warning,
		What: "the request asks for a name that the certificate does not get",
		Do:   "ask who sent the request, or add the name to the subject that you issue for"}
	requestMore = lint.Rule{Code: "request-more", Severity: lint.Info,
		What: "the certificate gets a name that the request does not ask for"}
	requestName = lint.Rule{Code: "request-subject", Severity: lint.Info,
		What: "the request asks for another subject"}
	requestCA = lint.Rule{Code: "request-ca", Severity: lint.Warning,
		What: "the request asks for a CA certificate",
		Do:   "ask who sent the request: users need no CA certificate"}
	requestExtension = lint.Rule{Code: "request-extension", Severity: lint.Info,
		What: "the request asks for an extension that the profile decides"}
)

// rules has every rule of the package.
var rules = [...]lint.Rule{
	certRefused, certOldVersion, certManyEmails, certEmailText, certControl, certTemplate, certUPNTemplate, certUPNLabel,
	certUPNImpossible, certSameKeyID, certCRLSpace,
	certNamesUnreadable, certNoUPN, certOnlyEmail, certSubjectEmail, certManyUPNs, certUPNType, certUPNText,
	certUPNSpace, certUPNInvisible, certUPNNotRoutable, certUPNCase, certUPNOther, certDuplicateName,
	certIgnoredName, certNameTooLong, certNameQuoted, certNameMultiValued, certLongCN, certReversed, certNoSubject,
	certSIDMismatch, certSIDUnreadable, certNoClientAuth, certNoUsage, certAnyUsage, certNoDigitalSig, certIsCA, certCAKey,
	certUsageCritical, certCritical, certTooManyOIDs, certNoAKI, certNoSKI, certWeakKey, certKeyType,
	certWeakSig, certSHA1, certCRLScheme, certNoCRL, certSerial, certShort, certLong, certClipped,
	certExpired, certNotYet, certAKIMismatch, certWrongIssuer, certIssuerEncoding, certBadSig, certOutlivesCA,
	caNotCA, caBCNotCritical, caNoCertSign, caNoKeyUsage, caNoCRLSign, caNoSKI, caPathLen, caUsage, caNames,
	chainPolicies, chainTooLong, chainNoRoot,
	requestUPN, requestSID, requestNames, requestMore, requestName, requestCA, requestExtension,
}

// Rules returns the rules of every finding that this package makes.
func Rules() []lint.Rule { return slices.Clone(rules[:]) }
