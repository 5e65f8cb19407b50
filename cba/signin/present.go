package signin

import (
	"crypto/x509"
	"slices"

	"example.com/entracba/cba"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/internal/path"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/trust"
)

// unfit are the findings of package cba about what keeps a TLS client from
// presenting the certificate. What Entra does with each is not documented.
var unfit = []string{"cert-no-client-auth", "cert-any-usage", "cert-no-digital-signature", "cert-key-type", "cert-old-version"}

// unsent are those for which TLS itself has a rule, or browsers are known to offer no
// certificate (RFC 8446, section 4.4.2).
var unsent = []string{"cert-no-client-auth", "cert-any-usage", "cert-no-digital-signature"}

// sourceBrowsers is what browsers do, whatever a page says.
const sourceBrowsers lint.Source = "seen with Chromium and Firefox on Linux (examples/lab/browser)"

// codeNothingSent is the code where no certificate arrives.
const codeNothingSent = "AADSTS50192"

// fitness asks package cba about the certificate.
func (ev *evaluation) fitness() lint.Findings {
	found := cba.Findings([]*x509.Certificate{ev.request.Certificate}, cba.FindingsOptions{})
	return slices.DeleteFunc(found, func(f lint.Finding) bool { return !slices.Contains(unfit, f.Code) })
}

// presentSteps says what may keep a client from presenting the certificate. It never
// refuses.
func (ev *evaluation) presentSteps(steps *stepList) {
	before := len(*steps)
	for _, f := range ev.unfit {
		steps.add(StepPresent, lint.Warn, f.Source, saysOf(f))
	}
	unseen := func(what string) {
		steps.add(StepPresent, lint.Warn, sourceBrowsers, "browsers do not offer "+what+": the user then sees "+codeNothingSent+" instead of what follows here")
	}
	cert, at := ev.request.Certificate, ev.request.At
	switch {
	case path.PeriodUnread(cert):
	case at.After(cert.NotAfter):
		unseen("a certificate that has expired")
	case at.Before(cert.NotBefore):
		unseen("a certificate that is not valid yet")
	}
	if cert.IsCA {
		unseen("the certificate of a CA")
	}
	if len(*steps) == before {
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
		text := "a client presents the certificate and Entra accepts it, although " + saysOf(f)
		if slices.Contains(unsent, f.Code) {
			text += "; if the client sends none, the code is " + codeNothingSent
		}
		assume("9.35", text, answer.Outcome != Refused)
	}
}

// remarkQuestions are the open questions behind the warnings of [trust.Chain.Steps],
// with what is assumed.
var remarkQuestions = map[string]struct{ id, text string }{
	trust.StepCriticalExtension:  {"9.35", "clients and Entra accept extensions that they may not know"},
	trust.StepBasicConstraints:   {"9.35", "a CA may sign in as a user"},
	trust.StepExtendedKeyUsage:   {"9.36", "Entra does not look at the extended key usages of CAs"},
	trust.StepConstraints:        {"9.50", "Entra does not look at the name constraints of CAs"},
	trust.StepKey:                {"9.51", "Entra accepts weak keys"},
	trust.StepSignatureAlgorithm: {"9.51", "Entra accepts weak signatures"},
	trust.StepAuthorityKeyID:     {"9.52", "Entra uses only the key identifier of an authority key identifier"},
	trust.StepPolicies:           {"9.54", "Entra does not compare policies along the chain"},
}

// remarkQuestions lists what is assumed about oddities of the chain that no page of
// Microsoft's speaks of. Each could refuse the certificate.
func (ev *evaluation) remarkQuestions(answer Answer, assume func(id, text string, changes bool)) {
	chain := ev.reading.chain
	for _, s := range ev.ofChain {
		q, ok := remarkQuestions[s.Name]
		if !ok || s.Outcome != lint.Warn {
			continue
		}
		cert := chain.Leaf
		if s.At > 0 {
			cert = chain.CAs[s.At-1].Certificate
		}
		assume(q.id, q.text+": "+dn.Show(cert.RawSubject)+": "+s.Detail, answer.Outcome != Refused)
	}
}
