package signin

import (
	"crypto/x509"
	"fmt"
	"time"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/internal/fingerprint"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/policy"
)

// A Request is one sign-in. User, Certificate and At are required.
type Request struct {
	// User is the account whose name was typed; the certificate never selects it.
	User *policy.User
	// Certificate is the user's, from [x509.ParseCertificate].
	Certificate *x509.Certificate
	// At is the time of the sign-in.
	At time.Time
	// Require is what the sign-in must satisfy. The zero value requires nothing
	// beyond the certificate.
	Require Requirement
}

// An Answer is what Entra says to a sign-in, without the reasons. The zero Answer
// refuses.
type Answer struct {
	// Outcome is what becomes of the sign-in. Unset refuses.
	Outcome Outcome `json:"outcome"`
	// SignedIn is true for the outcome [SignedIn] alone. It says that nothing refuses the sign-in, and that the certificate alone
	// satisfies the requirement.
	SignedIn bool `json:"signedIn"`
	// Code is what a refused user would see, "AADSTS500176". It is "" for the other
	// outcomes.
	Code string `json:"code"`
	// AuthenticationMode is the strength of the certificate, signed in or not.
	AuthenticationMode policy.AuthenticationMode `json:"authenticationMode"`
	// RequiredAffinity is the affinity that the username binding must have.
	RequiredAffinity certuserid.Affinity `json:"requiredAffinity"`
	// MFASatisfied says that the user is signed in with multifactor authentication.
	MFASatisfied bool `json:"mfaSatisfied"`
	// Until is how long the answer can hold by its inputs: before it, no certificate of
	// the chain and no CRL that was asked begins or ceases to be valid. It is the time of
	// the sign-in if a CRL could not be had, and zero if nothing has an end. A change of
	// the tenant or the user, and a new CRL, end an answer before.
	Until time.Time `json:"until,omitzero"`
}

// A Verdict is an [Answer] with its reasons. Its JSON is stable except for the
// texts of details.
type Verdict struct {
	Outcome            Outcome                   `json:"outcome"`
	SignedIn           bool                      `json:"signedIn"`
	Code               string                    `json:"code"`
	Message            string                    `json:"message"` // the refusal in words (see Refusal), or what is not known
	AuthenticationMode policy.AuthenticationMode `json:"authenticationMode"`
	ModeRule           *policy.ModeRule          `json:"modeRule"` // nil for the default
	RequiredAffinity   certuserid.Affinity       `json:"requiredAffinity"`
	Binding            *policy.BoundBy           `json:"binding"` // nil if none matched
	MFASatisfied       bool                      `json:"mfaSatisfied"`
	Until              time.Time                 `json:"until,omitzero"` // see Answer
	// Certificate says which certificate the verdict is about.
	Certificate CertificateName `json:"certificate"`
	// SecondFactor lists what the user may add where the certificate alone does not
	// satisfy the requirement. It is empty if nothing would help.
	SecondFactor []string `json:"secondFactor,omitempty"`
	// Missing is what is not known and decides; it is empty unless the outcome is
	// [Undecided].
	Missing     []Missing    `json:"missing"`
	Steps       []Step       `json:"steps"`
	Assumptions []Assumption `json:"assumptions"`
	// NotChecked says in one line what no verdict looks at.
	NotChecked string `json:"notChecked"`
}

// notChecked is [Verdict.NotChecked].
const notChecked = "Conditional Access beyond the requirement, risk and sign-in blocks, federation beyond the domains of the input, home realm discovery, " +
	"what browsers and proxies do, licences, and caches (a change takes up to an hour)"

// Answer returns the verdict without its reasons.
func (v Verdict) Answer() Answer {
	return Answer{v.Outcome, v.SignedIn, v.Code, v.AuthenticationMode, v.RequiredAffinity, v.MFASatisfied, v.Until}
}

// Refusal returns the step that decided a refusal: the first failing step with the
// verdict's code, which is also the one in Message. ok is false if the user is
// signed in. Other steps can fail too: Steps has all of them.
func (v Verdict) Refusal() (step Step, ok bool) {
	for _, s := range v.Steps {
		if s.Outcome == lint.Fail && s.Code == v.Code {
			return s, true
		}
	}
	return Step{}, false
}

// A CertificateName says which certificate a verdict is about.
type CertificateName struct {
	// Index is the place among the certificates of [Tenant.ExplainUser], from 0.
	Index        int    `json:"-"`
	Subject      string `json:"subject"`
	SerialNumber string `json:"serialNumber"` // hexadecimal, as OpenSSL prints it
	Thumbprint   string `json:"thumbprint"`   // SHA-1 in hexadecimal
}

func nameOf(cert *x509.Certificate) CertificateName {
	return CertificateName{Subject: dn.Show(cert.RawSubject), SerialNumber: fmt.Sprintf("%x", cert.SerialNumber), Thumbprint: fingerprint.Of(cert.Raw)}
}

// A Step is one thing that was checked, in the order of the package comment. Its
// name is one of [StepNames], or of those of packages policy and trust.
type Step = lint.Step
