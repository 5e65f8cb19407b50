package signin

import (
	"crypto/x509"
	"slices"
	"strings"

	"example.com/entracba/cba"
	"example.com/entracba/cba/lint"
)

// unfit are the findings of package cba about what a TLS client, or the service, may
// not accept. What Entra does with each is not documented.
var unfit = []string{
	"cert-no-client-auth", "cert-no-digital-signature", "cert-unknown-critical", "cert-is-ca",
	"cert-weak-key", "cert-key-type", "cert-weak-signature", "cert-sha1-signature",
	"ca-no-client-auth", "ca-name-constraints",
}

// unsent are those for which TLS itself has a rule, or browsers are known to offer no
// certificate (RFC 8446, section 4.4.2).
var unsent = []string{"cert-no-client-auth", "cert-no-digital-signature"}

// codeNothingSent is the code where no certificate arrives.
const codeNothingSent = "AADSTS50192"

// fitness asks package cba about the certificate and its chain.
func (ev *evaluation) fitness() lint.Findings {
	chain := []*x509.Certificate{ev.request.Certificate}
	for _, ca := range ev.reading.chain.CAs {
		chain = append(chain, ca.Certificate)
	}
	return slices.DeleteFunc(cba.Findings(chain, cba.FindingsOptions{}), func(f lint.Finding) bool { return !slices.Contains(unfit, f.Code) })
}

// ofChain reports whether a finding is about a CA.
func ofChain(f lint.Finding) bool { return strings.HasPrefix(f.Where, "chain/") }

// presentSteps says what may keep a client from presenting the certificate. It never
// refuses.
func presentSteps(steps *stepList, findings lint.Findings) {
	fit := true
	for _, f := range findings {
		fit = fit && ofChain(f)
		steps.add(StepPresent, lint.Warn, f.Source, saysOf(f))
	}
	if fit {
		steps.add(StepPresent, lint.Pass, lint.RFC8446, "nothing in the certificate keeps a TLS client from presenting it")
	}
}

func saysOf(f lint.Finding) string {
	text := f.What
	if place := f.Place(); place != "" {
		text = place + ": " + text
	}
	if f.Do != "" {
		text += ": " + f.Do
	}
	return text
}

// presentQuestions lists what is assumed of a certificate that clients or the service
// may not accept.
func presentQuestions(findings lint.Findings, answer Answer, assume func(id, text string, changes bool)) {
	for _, f := range findings {
		id, text := "9.35", "a client presents the certificate and Entra accepts it, although "
		if ofChain(f) {
			id, text = "9.36", "Entra does not look at this of a CA: "
		}
		text += saysOf(f)
		if id == "9.35" && slices.Contains(unsent, f.Code) {
			text += "; if the client sends none, the code is " + codeNothingSent
		}
		assume(id, text, answer.Outcome != Refused)
	}
}
