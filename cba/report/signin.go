package report

import (
	"cmp"
	"crypto/x509"
	"slices"
	"time"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
	"example.com/entracba/cba/trust"
)

// SignInPart is the part of a report about one sign-in.
type SignInPart struct {
	User    string         `json:"userPrincipalName"`
	At      time.Time      `json:"at"`
	Require string         `json:"require"`
	Verdict signin.Verdict `json:"verdict"`
	// Chain is the way from the certificate to the root, the certificate first.
	Chain []Link `json:"chain"`
	// Bindings are the username bindings that were tried, each value of the account
	// beside the certificate's.
	Bindings []Binding `json:"bindings"`
}

// A Link is one certificate of a chain.
type Link struct {
	Subject   string    `json:"subject"`
	Serial    string    `json:"serialNumber"` // hexadecimal, as certificate viewers print it
	NotBefore time.Time `json:"notBefore"`
	NotAfter  time.Time `json:"notAfter"`
	// Stores says which store the CA is in; empty for the user's certificate.
	Stores string `json:"stores,omitempty"`
	// Steps are the steps of the verdict about this certificate.
	Steps []lint.Step `json:"steps"`
}

// Outcome is the worst outcome of the steps: fail, then warn, then pass.
func (l Link) Outcome() lint.Outcome {
	worst := lint.Pass
	for _, s := range l.Steps {
		switch {
		case s.Outcome == lint.Fail:
			return lint.Fail
		case s.Outcome == lint.Warn:
			worst = lint.Warn
		}
	}
	return worst
}

// A Binding is one username binding and what it compared.
type Binding struct {
	Field    string `json:"certificateField"`
	Property string `json:"userProperty"`
	// Certificate is the value in the certificate; empty if it has none.
	Certificate string `json:"certificate"`
	// Account are the values of the account, each with how far it is the same.
	Account []Compared `json:"account"`
	Matched bool       `json:"matched"`
}

// A Compared value stands beside another one: Same is what both begin with, Differs
// what is left of this one, and End what both end with.
type Compared struct {
	Same    string `json:"same"`
	Differs string `json:"differs"`
	End     string `json:"end"`
}

// compare marks where a value differs from another one. Where there is no other one,
// nothing differs.
func compare(value, other string) Compared {
	if other == "" {
		return Compared{Same: value}
	}
	v, o := []rune(value), []rune(other)
	head := 0
	for head < len(v) && head < len(o) && v[head] == o[head] {
		head++
	}
	tail := 0
	for tail < len(v)-head && tail < len(o)-head && v[len(v)-1-tail] == o[len(o)-1-tail] {
		tail++
	}
	return Compared{string(v[:head]), string(v[head : len(v)-tail]), string(v[len(v)-tail:])}
}

// SignIn returns the part of a report about the verdict that a tenant gave on a
// request. The chain and the values beside each other are taken from the tenant and
// the request; a request without a certificate has neither.
func SignIn(tenant *signin.Tenant, request signin.Request, verdict signin.Verdict) *SignInPart {
	p := &SignInPart{At: request.At, Require: request.Require.String(), Verdict: verdict, Chain: []Link{}, Bindings: []Binding{}}
	if request.User != nil {
		p.User = request.User.UserPrincipalName
	}
	if request.Certificate == nil || tenant == nil {
		return p
	}
	p.link(request.Certificate, nil)
	for _, ca := range tenant.Trust().Chain(request.Certificate, request.At).CAs {
		p.link(ca.Certificate, ca)
	}
	for _, s := range verdict.Steps {
		if s.At < len(p.Chain) && aboutCertificate(s.Name) {
			p.Chain[s.At].Steps = append(p.Chain[s.At].Steps, s)
		}
	}
	p.compareBindings(tenant.Policy().Config(), request)
	return p
}

// aboutCertificate reports whether steps of this name are about one certificate of
// the chain: those of package trust, and the one about its CRL.
func aboutCertificate(name string) bool {
	return name == signin.StepRevocation || slices.ContainsFunc(trust.StepNames(), func(s lint.StepName) bool { return s.Name == name })
}

func (p *SignInPart) link(cert *x509.Certificate, ca *trust.CA) {
	l := Link{Subject: "(no subject)", NotBefore: cert.NotBefore, NotAfter: cert.NotAfter, Steps: []lint.Step{}}
	if name, err := dn.ParseDER(cert.RawSubject); err == nil && len(name) > 0 {
		l.Subject = name.String()
	}
	if cert.SerialNumber != nil {
		l.Serial = cert.SerialNumber.Text(16)
	}
	if ca != nil {
		l.Stores = ca.Entry.String()
	}
	p.Chain = append(p.Chain, l)
}

// compareBindings lists the username bindings in the order of their priority.
func (p *SignInPart) compareBindings(config policy.Config, request signin.Request) {
	if request.User == nil {
		return
	}
	list := slices.Clone(config.UserBindings)
	slices.SortStableFunc(list, func(a, b policy.UserBinding) int { return cmp.Compare(a.Priority, b.Priority) })
	for _, b := range list {
		row := Binding{Field: string(b.Field), Property: string(b.Property), Account: []Compared{}}
		if id, err := certuserid.FromCertificate(request.Certificate, certuserid.Mapping(b.Field)); err == nil {
			row.Certificate = id.Value()
			if b.Property == policy.CertificateUserIDs {
				row.Certificate = id.String()
			}
		}
		for _, value := range valuesOf(request.User, b.Property) {
			row.Account = append(row.Account, compare(value, row.Certificate))
		}
		by := p.Verdict.Binding
		row.Matched = by != nil && by.Field == b.Field && by.Property == b.Property
		p.Bindings = append(p.Bindings, row)
	}
}

// valuesOf are the account's values of a property.
func valuesOf(u *policy.User, property policy.UserProperty) []string {
	switch property {
	case policy.UserPrincipalName:
		return some(u.UserPrincipalName)
	case policy.OnPremisesUserPrincipalName:
		return some(u.OnPremisesUserPrincipalName)
	case policy.CertificateUserIDs:
		return u.AuthorizationInfo.CertificateUserIDs
	}
	return nil
}

func some(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}
