package lint

import "strings"

// A Source is the document that a rule or a step rests on: the title of a page,
// and behind it, after a comma or "section", the place on the page. The
// constants are the pages; a place is added to one of them, as in
//
//	lint.DeepDive + ", issuer hints"
//	lint.RFC5280 + " section 4.2.1.6"
//
// Several sources are joined by "; ". "Learn" is learn.microsoft.com.
type Source string

// The pages of Microsoft about certificate-based authentication (CBA).
const (
	DeepDive    Source = "Learn: CBA technical deep dive"
	HowTo       Source = "Learn: How to configure CBA"
	UserIDs     Source = "Learn: Certificate user IDs"
	Revocation  Source = "Learn: CBA certificate revocation list"
	Authorities Source = "Learn: How to configure certificate authorities for CBA"
	FAQ         Source = "Learn: CBA frequently asked questions"
	Strengths   Source = "Learn: Authentication strength advanced options"
	// SystemPreferred says since 2026 what CBA has to do with it.
	SystemPreferred Source = "Learn: System-preferred authentication"
	Manage          Source = "Learn: Manage authentication methods"
	ErrorCodes      Source = "Learn: Microsoft Entra error codes"
	RevokeUser      Source = "Learn: Revoke user access in Microsoft Entra ID"
	Clouds          Source = "Learn: National clouds"
	// SupportAADSTS50017 is the support article about chains that do not validate.
	SupportAADSTS50017 Source = "Microsoft support: AADSTS50017"
)

// The pages of Microsoft Graph.
const (
	GraphConfiguration Source = "Graph: x509CertificateAuthenticationMethodConfiguration"
	GraphRule          Source = "Graph: x509CertificateRule"
	GraphUserBinding   Source = "Graph: x509CertificateUserBinding"
	GraphScope         Source = "Graph: x509CertificateAuthorityScope"
	GraphCRLValidation Source = "Graph: x509CertificateCRLValidationConfiguration"
	GraphIncludeTarget Source = "Graph: authenticationMethodTarget"
	GraphExcludeTarget Source = "Graph: excludeTarget"
	GraphPKI           Source = "Graph: certificateBasedAuthPki"
	GraphAuthority     Source = "Graph: certificateAuthorityDetail"
	GraphClassic       Source = "Graph: certificateBasedAuthConfiguration"
	GraphUser          Source = "Graph: user"
	GraphRevokeSignIns Source = "Graph: user: revokeSignInSessions"
	GraphEvolvable     Source = "Graph: Best practices, handling future members in evolvable enumerations"
	GraphRenewal       Source = "Graph: renewalThresholdPercentage"
)

// The pages of Microsoft Intune and of Windows.
const (
	IntunePKCS    Source = "Learn: Configure and use PKCS certificates with Intune"
	IntuneSCEP    Source = "Learn: Create and assign SCEP certificate profiles in Intune"
	IntuneRemove  Source = "Learn: Remove SCEP and PKCS certificates in Microsoft Intune"
	CertNameToStr Source = "Learn: CertNameToStr (wincrypt.h)"
	CertStrToName Source = "Learn: CertStrToName (wincrypt.h)"
	KB5014754     Source = "KB5014754"
	MSPKCA        Source = "MS-PKCA"
	MSADTS        Source = "MS-ADTS"
	Unattend      Source = "Learn: Unattended Windows Setup reference"
	// StoreLocations is about the stores of a user, which include the machine's but one.
	StoreLocations Source = "Learn: Local Machine and Current User Certificate Stores"
)

// Standards.
const (
	RFC5280   Source = "RFC 5280"
	RFC6194   Source = "RFC 6194"
	RFC7292   Source = "RFC 7292"
	RFC8446   Source = "RFC 8446"
	RFC9155   Source = "RFC 9155"
	RFC9879   Source = "RFC 9879"
	SP800131A Source = "NIST SP 800-131A"
	SP80057   Source = "NIST SP 800-57 Part 1 Rev. 5"
)

// OpenQuestion is the row of docs/open-questions.md with a number, as in
// OpenQuestion + " 9.23": a point that the documents leave open.
const OpenQuestion Source = "open question"

// A page is a source and where to read it.
type page struct {
	source Source
	url    string
}

const (
	learnCBA = "https://learn.microsoft.com/entra/identity/authentication/"
	graphRef = "https://learn.microsoft.com/graph/api/"
)

// pages has every constant of this file. The addresses are those of the pages'
// files in Microsoft's documentation repositories.
var pages = [...]page{
	{DeepDive, learnCBA + "concept-certificate-based-authentication-technical-deep-dive"},
	{HowTo, learnCBA + "how-to-certificate-based-authentication"},
	{UserIDs, learnCBA + "concept-certificate-based-authentication-certificateuserids"},
	{Revocation, learnCBA + "concept-certificate-based-authentication-certificate-revocation-list"},
	{Authorities, learnCBA + "how-to-configure-certificate-authorities"},
	{FAQ, learnCBA + "certificate-based-authentication-faq"},
	{Strengths, learnCBA + "concept-authentication-strength-advanced-options"},
	{SystemPreferred, learnCBA + "concept-system-preferred-multifactor-authentication"},
	{Manage, learnCBA + "concept-authentication-methods-manage"},
	{ErrorCodes, "https://learn.microsoft.com/entra/identity-platform/reference-error-codes"},
	{RevokeUser, "https://learn.microsoft.com/entra/identity/users/users-revoke-access"},
	{Clouds, "https://learn.microsoft.com/graph/deployments"},
	{SupportAADSTS50017, "https://learn.microsoft.com/troubleshoot/entra/entra-id/app-integration/error-code-aadsts50017-certificate-based-authentication-failed"},

	{GraphConfiguration, graphRef + "resources/x509certificateauthenticationmethodconfiguration"},
	{GraphRule, graphRef + "resources/x509certificaterule"},
	{GraphUserBinding, graphRef + "resources/x509certificateuserbinding"},
	{GraphScope, graphRef + "resources/x509certificateauthorityscope"},
	{GraphCRLValidation, graphRef + "resources/x509certificatecrlvalidationconfiguration"},
	{GraphIncludeTarget, graphRef + "resources/authenticationmethodtarget"},
	{GraphExcludeTarget, graphRef + "resources/excludetarget"},
	{GraphPKI, graphRef + "resources/certificatebasedauthpki"},
	{GraphAuthority, graphRef + "resources/certificateauthoritydetail"},
	{GraphClassic, graphRef + "resources/certificatebasedauthconfiguration"},
	{GraphUser, graphRef + "resources/user"},
	{GraphRevokeSignIns, graphRef + "user-revokesigninsessions"},
	{GraphEvolvable, "https://learn.microsoft.com/graph/best-practices-concept#handling-future-members-in-evolvable-enumerations"},
	{GraphRenewal, graphRef + "resources/intune-deviceconfig-windowscertificateprofilebase"},

	{IntunePKCS, "https://learn.microsoft.com/intune/intune-service/protect/certificates-pfx-configure"},
	{IntuneSCEP, "https://learn.microsoft.com/intune/intune-service/protect/certificates-profile-scep"},
	{IntuneRemove, "https://learn.microsoft.com/intune/intune-service/protect/remove-certificates"},
	{CertNameToStr, "https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certnametostrw"},
	{CertStrToName, "https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certstrtonamew"},
	{KB5014754, "https://support.microsoft.com/help/5014754"},
	{MSPKCA, "https://learn.microsoft.com/openspecs/windows_protocols/ms-pkca/"},
	{MSADTS, "https://learn.microsoft.com/openspecs/windows_protocols/ms-adts/"},
	{Unattend, "https://learn.microsoft.com/windows-hardware/customize/desktop/unattend/"},
	{StoreLocations, "https://learn.microsoft.com/windows-hardware/drivers/install/local-machine-and-current-user-certificate-stores"},

	{RFC5280, "https://www.rfc-editor.org/rfc/rfc5280"},
	{RFC6194, "https://www.rfc-editor.org/rfc/rfc6194"},
	{RFC7292, "https://www.rfc-editor.org/rfc/rfc7292"},
	{RFC8446, "https://www.rfc-editor.org/rfc/rfc8446"},
	{RFC9155, "https://www.rfc-editor.org/rfc/rfc9155"},
	{RFC9879, "https://www.rfc-editor.org/rfc/rfc9879"},
	{SP800131A, "https://csrc.nist.gov/pubs/sp/800/131/a/r2/final"},
	{SP80057, "https://csrc.nist.gov/pubs/sp/800/57/pt1/r5/final"},

	{OpenQuestion, "docs/open-questions.md"},
}

// URL returns the address of the first page that the source names, and "" for a
// source that is none of the constants. A section of an RFC is part of the
// address. [OpenQuestion] gives a path inside this repository.
func (s Source) URL() string {
	first, _, _ := strings.Cut(string(s), "; ")
	best := page{}
	for _, p := range pages {
		if len(p.source) <= len(best.source) || !strings.HasPrefix(first, string(p.source)) {
			continue
		}
		// "RFC 5280" is no part of "RFC 52801".
		if rest := first[len(p.source):]; rest == "" || rest[0] == ',' || rest[0] == ' ' {
			best = p
		}
	}
	if section, ok := strings.CutPrefix(first[len(best.source):], " section "); ok && strings.HasPrefix(string(best.source), "RFC ") {
		number, _, _ := strings.Cut(section, " ")
		return best.url + "#section-" + strings.TrimRight(number, ",")
	}
	return best.url
}
