// Package aadsts has the codes with which Microsoft Entra answers sign-ins with
// certificates: what each says, when it appears, where that is written, and how sure
// that is.
//
// Package signin predicts codes of this table, package snapshot knows by it which rows
// of a sign-in log are about certificates. Codes and texts are Microsoft's and may
// change without notice (Learn, Microsoft Entra error codes); the texts here are
// shortened.
package aadsts

import (
	"strconv"

	"example.com/entracba/cba/internal/enum"
	"example.com/entracba/cba/lint"
)

// A Confidence is how sure the meaning of a code is. The zero value is unset.
type Confidence uint8

const (
	// Documented: a page of Microsoft says when the code appears.
	Documented Confidence = iota + 1
	// Listed: Microsoft's list of codes has the text, and no page the case.
	Listed
	// Reported: people outside of Microsoft saw it in the case.
	Reported
)

var confidences = enum.Of[Confidence]("aadsts: confidence", "documented", "listed", "reported")

// String returns "documented", "listed" or "reported".
func (c Confidence) String() string { return confidences.String(c) }

// MarshalText writes the text of [Confidence.String]; an unset or unknown one is an
// error.
func (c Confidence) MarshalText() ([]byte, error) { return confidences.Marshal(c) }

// UnmarshalText reads what MarshalText wrote.
func (c *Confidence) UnmarshalText(text []byte) error { return confidences.Unmarshal(c, text) }

// A Code is one code.
type Code struct {
	Number     int         `json:"code"`
	Text       string      `json:"text"` // what it says, shortened
	When       string      `json:"when"` // when it appears; empty if the text says it
	Source     lint.Source `json:"source"`
	Confidence Confidence  `json:"confidence"`
	// Case names what happened, where the sources have several codes for it; see
	// [Code.Also].
	Case string `json:"case,omitempty"`
	// Certificate says that the code is about certificates: a row of the log with it is
	// one of a certificate sign-in.
	Certificate bool `json:"certificate"`
}

// String returns the code as Entra writes it: "AADSTS500176".
func (c Code) String() string { return "AADSTS" + strconv.Itoa(c.Number) }

// Also returns the other codes for the same case: what a source calls by this code
// may appear under one of them. It is empty for most codes.
func (c Code) Also() []Code {
	var others []Code
	for _, other := range codes {
		if c.Case != "" && other.Case == c.Case && other.Number != c.Number {
			others = append(others, other)
		}
	}
	return others
}

const (
	// troubleshoot is the only page that names these cases; it is of June 2022, when
	// certificate-based authentication was a preview, and later pages do not have them.
	troubleshoot lint.Source = "Learn: Troubleshoot Microsoft Entra CBA, 2022-06-15"
	// list is Microsoft's page of errors, as copies of it have the texts.
	list = lint.ErrorCodes + ", list of codes"
)

// Cases that the sources have several codes for.
const (
	caseMFA        = "multifactor-required"
	caseNoUser     = "no-user-matches"
	caseNotInScope = "user-not-in-scope"
	caseRevoked    = "certificate-revoked"
	caseValidity   = "certificate-not-valid-now"
)

// codes are in the order of their numbers.
var codes = [...]Code{
	{50017, "validation of the presented certificate failed", "the chain is broken: key identifiers, policies or trust", lint.SupportAADSTS50017, Documented, "", true},
	{50019, "the client is asked to choose a certificate", "an interruption, not a failure", list, Listed, "", true},
	{50034, "the user account does not exist in the directory", "no unique user is found by the username binding", troubleshoot, Documented, caseNoUser, false},
	{50057, "the user account is disabled", "", lint.ErrorCodes, Documented, "", false},
	{50076, "multifactor authentication is required", "multifactor is required and the user has a method to add; the sign-in then asks for it. That a single-factor certificate leads here is inferred", lint.ErrorCodes, Documented, caseMFA, false},
	{50140, "the user was asked to stay signed in", "an interruption, not a failure", lint.ErrorCodes, Documented, "", false},
	{50192, "no client certificate arrived", "none was sent, or a proxy removed it", list, Listed, "", true},
	{54008, "multifactor authentication is required and the certificate is not supported as a first factor", "the certificate is single-factor; seen where the user has no second factor that may follow a certificate", "techcommunity thread 3422036, 2022", Reported, caseMFA, true},
	{90100, "the flow token is empty or not valid", "after a refusal the browser presents the refused certificate again: close the browser", troubleshoot, Documented, "", false},
	{130501, "sign-in was blocked by the user credential policy", "the user is out of the scope of the method", troubleshoot, Documented, caseNotInScope, true},
	{500171, "the certificate is revoked", "the CRL lists it", lint.Revocation, Documented, caseRevoked, true},
	{500172, "the certificate is not valid at this time", "before or after the validity of the certificate or, by one text, of the CRL", lint.ErrorCodes, Documented, caseValidity, true},
	{500173, "the CRL could not be downloaded", "", lint.Revocation, Documented, "", true},
	{500174, "the answer of the CRL's URL is no usable CRL", "", lint.Revocation, Documented, "", true},
	{500175, "the CRL of a certificate of the chain is missing", "", lint.Revocation, Documented, "", true},
	{500176, "the issuing CA is not in the tenant's trust store", "or its key identifiers do not match, or it has expired", lint.DeepDive + ", error codes", Documented, "", true},
	{500177, "there is a delta CRL URL without a base CRL URL", "", lint.Revocation, Documented, "", true},
	{500178, "valid CRLs could not be fetched", "", lint.Revocation, Documented, "", true},
	{500179, "validation of the CRL timed out", "", lint.Revocation, Documented, "", true},
	{500183, "the certificate is revoked", "on Android and iOS", lint.Revocation, Listed, caseRevoked, true},
	{500184, "the client assertion is not signed by the certificate", "", list, Listed, "", true},
	{500185, "the tenant of the sign-in differs from that of the certificate's user", "", list, Listed, "", true},
	{500186, "the conditions of the policy do not allow the user", "by its text it fits a user out of scope", list, Listed, caseNotInScope, true},
	{500187, "the certificate does not satisfy the authentication strength", "", lint.Strengths, Documented, "", true},
	{500189, "the CA scopes do not allow the user", "", lint.DeepDive, Documented, "", true},
	{1000502, "the certificate is not valid at this time", "", list, Listed, caseValidity, true},
	{1001000, "the certificate policy of the tenant could not be read", "the policy could not be found for the user by the name in the certificate", troubleshoot, Documented, "", true},
	{1001003, "the certificate does not have the value of the username binding", "the user chose a wrong certificate", troubleshoot, Documented, "", true},
	{1001009, "no value of the certificate that the policy asks for confirms the user", "no username binding matches the user whose name was typed", "GSA: FPKI guide to Entra CBA, common errors", Reported, caseNoUser, true},
	{1002002, "the configuration of certificate-based authentication is missing or invalid", "the method is not enabled", list, Listed, "", true},
	{2205011, "the CRL is not DER", "", lint.Revocation, Documented, "", true},
	{2205012, "the download of the CRL timed out in the sign-in", "it is tried again", lint.Revocation, Documented, "", true},
	{2205013, "the download of the CRL is under way", "", lint.Revocation, Documented, "", true},
	{2205014, "the CRL is too large for a sign-in", "it is fetched in the background", lint.Revocation, Documented, "", true},
	{2205015, "the signature of the CRL could not be checked", "the key identifiers of CA and CRL differ", lint.Revocation, Documented, "", true},
	{7000214, "the certificate is revoked", "", list, Listed, caseRevoked, true},
}

// Codes returns the table, by number.
func Codes() []Code { return append([]Code{}, codes[:]...) }

// Find returns the code of a number, and false if the table does not have it.
func Find(number int) (Code, bool) {
	for _, c := range codes {
		if c.Number == number {
			return c, true
		}
	}
	return Code{}, false
}
