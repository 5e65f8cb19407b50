package cba

import (
	"fmt"

	"example.com/entracba/cba/lint"
)

// A rule is what all findings of one code share.
type rule struct {
	code     string
	severity lint.Severity
	effect   lint.Effect
	do       string
	source   string
}

// Sources. "Learn" is learn.microsoft.com, by the title of the page.
const (
	fromDeepDive  = "Learn: CBA technical deep dive"
	fromSetup     = "Learn: Set up Microsoft Entra certificate-based authentication"
	fromUserIDs   = "Learn: certificateUserIds"
	fromCRL       = "Learn: CBA certificate revocation list"
	fromCAs       = "Learn: Configure certificate authorities for CBA"
	fromIntune    = "Learn: Configure and use PKCS certificates with Intune"
	fromStrengths = "Learn: Authentication strength advanced options"
	from50017     = "Microsoft support: AADSTS50017"
	fromErrors    = "Learn: Microsoft Entra error codes, AADSTS500172"
	fromKB        = "KB5014754"
	fromRFC       = "RFC 5280 section "
	fromTLS       = "RFC 8446 section 4.4.2"
)

// What the user's certificate can be found to have.
var (
	certNamesUnreadable = rule{"cert-names-unreadable", lint.Error, lint.LocksOut, "issue it again with a well-formed subjectAltName", fromRFC + "4.2.1.6"}
	certNoUPN           = rule{"cert-no-upn", lint.Error, lint.LocksOut, "put the account's UPN into the subjectAltName; without it and without an e-mail address only bindings through certificateUserIds are left", fromDeepDive}
	certOnlyEmail       = rule{"cert-only-email", lint.Info, 0, "see that a username binding reads RFC822Name", fromDeepDive}
	certSubjectEmail    = rule{"cert-email-in-subject", lint.Warning, 0, "put the address into the subjectAltName", fromDeepDive}
	certManyUPNs        = rule{"cert-many-upns", lint.Warning, 0, "keep one: which of them Entra reads is not documented (open question 9.23)", fromDeepDive}
	certUPNType         = rule{"cert-upn-not-utf8string", lint.Error, lint.LocksOut, "encode the UPN as a UTF8String", fromSetup}
	certUPNText         = rule{"cert-upn-text", lint.Error, lint.LocksOut, "write the UPN as the account has it", fromSetup}
	certUPNBlank        = rule{"cert-upn-blank", lint.Error, lint.LocksOut, "remove the blank", fromSetup}
	certUPNInvisible    = rule{"cert-upn-invisible", lint.Warning, lint.LocksOut, "type the UPN again", fromSetup}
	certUPNNotRoutable  = rule{"cert-upn-no-at", lint.Info, 0, "bind it through certificateUserIds: no userPrincipalName looks like this", fromUserIDs}
	certUPNCase         = rule{"cert-upn-case", lint.Warning, lint.LocksOut, "write it letter for letter: whether Entra ignores case is not documented", fromDeepDive}
	certUPNOther        = rule{"cert-upn-other", lint.Warning, lint.LocksOut, "see that a binding through certificateUserIds or another field fits the account", fromDeepDive}
	certDuplicateName   = rule{"cert-duplicate-name", lint.Warning, 0, "list every name once", fromRFC + "4.2.1.6"}
	certIgnoredName     = rule{"cert-ignored-name", lint.Info, 0, "", fromDeepDive}
	certNameTooLong     = rule{"cert-name-too-long", lint.Warning, lint.LocksOut, "shorten the name, or bind by SKI", fromUserIDs}
	certNameQuoted      = rule{"cert-name-quoted", lint.Warning, lint.LocksOut, "avoid such values, or do not bind by this name: how Entra writes them is not documented (open question 9.22)", fromUserIDs}
	certNameMultiValued = rule{"cert-name-multi-valued", lint.Info, 0, "bind by another field if you can: such parts are joined by a blank", fromUserIDs}
	certLongCN          = rule{"cert-cn-too-long", lint.Warning, 0, "shorten it to 64 characters: some readers refuse more", fromRFC + "appendix A.1, ub-common-name"}
	certNoSubject       = rule{"cert-no-subject", lint.Info, 0, "bind by another field than Subject", fromRFC + "4.1.2.6"}
	certSIDMismatch     = rule{"cert-sid-mismatch", lint.Error, lint.LocksOut, "issue it again with one SID", fromKB}
	certSIDUnreadable   = rule{"cert-sid-unreadable", lint.Error, lint.LocksOut, "write the SID as S-1-5-21-...", fromKB}

	certNoClientAuth  = rule{"cert-no-client-auth", lint.Error, lint.LocksOut, "add the extended key usage clientAuth: browsers offer no other certificates", fromRFC + "4.2.1.12"}
	certAnyUsage      = rule{"cert-any-usage", lint.Info, 0, "name clientAuth: some clients offer only certificates that do", fromRFC + "4.2.1.12"}
	certNoDigitalSig  = rule{"cert-no-digital-signature", lint.Error, lint.LocksOut, "add digitalSignature to the key usage: TLS clients sign", fromTLS}
	certIsCA          = rule{"cert-is-ca", lint.Error, lint.LetsIn, "never sign in with a CA's certificate: its key makes any user", fromRFC + "4.2.1.9"}
	certUsageCritical = rule{"cert-key-usage-not-critical", lint.Info, 0, "", fromRFC + "4.2.1.3"}
	certCritical      = rule{"cert-unknown-critical", lint.Error, lint.LocksOut, "make the extension non-critical, or leave it out", fromRFC + "4.2"}
	certTooManyOIDs   = rule{"cert-many-policies", lint.Warning, lint.LocksOut, "keep five: authentication strengths look at the first five in lexical order", fromStrengths}

	certNoAKI       = rule{"cert-no-aki", lint.Error, lint.LocksOut, "issue it with the authority key identifier: Entra finds the issuer by nothing else", fromCAs}
	certNoSKI       = rule{"cert-no-ski", lint.Info, 0, "add one to bind by SKI", fromUserIDs}
	certWeakKey     = rule{"cert-weak-key", lint.Error, lint.LetsIn, "use RSA of 2048 bits or more, P-256, P-384 or P-521", fromSetup}
	certKeyType     = rule{"cert-key-type", lint.Warning, lint.LocksOut, "use RSA or ECDSA on a NIST curve", fromSetup}
	certWeakSig     = rule{"cert-weak-signature", lint.Error, lint.LetsIn, "sign with SHA-256 or better", fromSetup}
	certSHA1        = rule{"cert-sha1-signature", lint.Warning, lint.LetsIn, "sign with SHA-256 or better", fromSetup}
	certCRLScheme   = rule{"cert-crl-url", lint.Warning, 0, "publish the list at an http URL: Entra reads neither LDAP nor, by most of its pages, https (open question 9.6)", fromCRL}
	certNoCRL       = rule{"cert-no-crl-url", lint.Info, 0, "store a CRL URL with the CA in Entra, which looks there and not here: without one, revoking keeps nobody out", fromCRL}
	certSerial      = rule{"cert-serial", lint.Warning, 0, "use a positive random number of 8 to 20 octets", fromRFC + "4.1.2.2"}
	certShort       = rule{"cert-validity-short", lint.Warning, lint.LocksOut, "issue for five days at least: devices may refuse what is about to expire", fromIntune}
	certLong        = rule{"cert-validity-long", lint.Warning, 0, "issue for 24 months at most", fromIntune}
	certClipped     = rule{"cert-clipped", lint.Warning, lint.LocksOut, "renew the CA", fromRFC + "4.1.2.5"}
	certExpired     = rule{"cert-expired", lint.Error, lint.LocksOut, "renew it", fromErrors}
	certNotYet      = rule{"cert-not-yet-valid", lint.Error, lint.LocksOut, "wait, or look at the clock of the issuer", fromErrors}
	certAKIMismatch = rule{"cert-aki-mismatch", lint.Error, lint.LocksOut, "issue it again under this CA, or store the CA that issued it", from50017}
	certWrongIssuer = rule{"cert-wrong-issuer", lint.Error, lint.LocksOut, "give the chain from the user up, each followed by its issuer", fromRFC + "6.1"}
	certBadSig      = rule{"cert-bad-signature", lint.Error, lint.LocksOut, "find the CA certificate whose key signed it", fromRFC + "6.1"}
	certOutlivesCA  = rule{"cert-outlives-ca", lint.Warning, lint.LocksOut, "renew the CA before then", fromRFC + "6.1"}
)

// What the certificates of authorities can be found to have.
var (
	caNotCA          = rule{"ca-not-a-ca", lint.Error, lint.LocksOut, "use a certificate with basicConstraints CA:TRUE", fromRFC + "4.2.1.9"}
	caBCNotCritical  = rule{"ca-constraints-not-critical", lint.Info, 0, "", fromRFC + "4.2.1.9"}
	caNoCertSign     = rule{"ca-no-cert-sign", lint.Error, lint.LocksOut, "its key usage must have keyCertSign", fromRFC + "4.2.1.3"}
	caNoKeyUsage     = rule{"ca-no-key-usage", lint.Warning, 0, "renew it with keyCertSign and cRLSign", fromRFC + "4.2.1.3"}
	caNoCRLSign      = rule{"ca-no-crl-sign", lint.Warning, 0, "add cRLSign, or nobody accepts its revocation lists", fromRFC + "4.2.1.3"}
	caNoSKI          = rule{"ca-no-ski", lint.Error, lint.LocksOut, "renew it with a subject key identifier", fromCAs}
	caPathLen        = rule{"ca-path-length", lint.Error, lint.LocksOut, "use a CA whose path length allows those below it", fromRFC + "4.2.1.9"}
	chainPolicies    = rule{"chain-policies", lint.Warning, lint.LocksOut, "give the CA the policy, or all issuance policies (2.5.29.32.0)", from50017}
	chainTooLong     = rule{"chain-too-long", lint.Warning, lint.LocksOut, "use fewer CAs: revocation is looked at for ten", fromCRL}
	chainNoRoot      = rule{"chain-no-root", lint.Info, 0, "store every CA up to the root in Entra", fromCAs}
	requestUPN       = rule{"request-upn", lint.Warning, 0, "ask who sent it: a certificate with another UPN is another account", ""}
	requestSID       = rule{"request-sid", lint.Warning, 0, "ask who sent it: another SID is another account", fromKB}
	requestNames     = rule{"request-names", lint.Warning, 0, "", ""}
	requestMore      = rule{"request-more", lint.Info, 0, "", ""}
	requestName      = rule{"request-subject", lint.Info, 0, "", ""}
	requestCA        = rule{"request-ca", lint.Warning, 0, "ask who sent it: users need no authority", ""}
	requestExtension = rule{"request-extension", lint.Info, 0, "", ""}
)

// add appends a finding of a rule.
func (c *checker) add(r rule, where, format string, args ...any) {
	c.findings = append(c.findings, lint.Finding{
		Code: r.code, Severity: r.severity, Effect: r.effect, Where: where,
		What: fmt.Sprintf(format, args...), Do: r.do, Source: lint.Source(r.source),
	})
}
