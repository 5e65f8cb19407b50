package signin_test

import (
	"context"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"log"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
	"example.com/entracba/cba/trust"
)

// woodgrove is the tenant of Microsoft's how-to: the issuer WoodgroveCA counts
// as single-factor, the policy OID 1.2.3.4 as multifactor.
func woodgrove(ca *cba.Issuer) signin.Config {
	name, err := dn.ParseDER(ca.Certificate.RawSubject)
	if err != nil {
		log.Fatal(err)
	}
	pki, err := trust.NewPKI("Woodgrove PKI", ca.CACertificates())
	if err != nil {
		log.Fatal(err)
	}
	config := policy.ServiceDefault()
	config.State = policy.Enabled
	config.AuthenticationMode.Rules = []policy.Rule{
		policy.IssuerRule(name, policy.SingleFactor, policy.LowAffinity),
		policy.PolicyOIDRule(asn1.ObjectIdentifier{1, 2, 3, 4}, policy.MultiFactor, policy.LowAffinity),
	}
	return signin.Config{Policy: config, Trust: trust.Config{PKIs: trust.PKIs{pki}}}
}

func newCA(name string) *cba.Issuer {
	subject, err := dn.Parse(name)
	if err != nil {
		log.Fatal(err)
	}
	ca, err := cba.NewRoot(cba.Authority{Name: subject, KeyType: cba.P256})
	if err != nil {
		log.Fatal(err)
	}
	return ca
}

func newUser(ca *cba.Issuer, upn string, policies ...asn1.ObjectIdentifier) *x509.Certificate {
	key, err := cba.P256.Generate()
	if err != nil {
		log.Fatal(err)
	}
	cert, err := ca.Issue(key.Public(), cba.Subject{UPN: upn}, cba.Profile{Policies: policies})
	if err != nil {
		log.Fatal(err)
	}
	return cert
}

func ExampleTenant_Explain() {
	ca := newCA("CN=WoodgroveCA")
	tenant, err := woodgrove(ca).Compile(signin.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	verdict, err := tenant.Explain(context.Background(), signin.Request{
		User:        &policy.User{UserPrincipalName: "bob@woodgrove.com"},
		Certificate: newUser(ca, "bob@woodgrove.com", asn1.ObjectIdentifier{1, 2, 3, 4}),
		At:          time.Now(),
		Require:     signin.MFA(),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("signed in:", verdict.SignedIn, verdict.AuthenticationMode)
	fmt.Println("rule:", verdict.ModeRule.Type, verdict.ModeRule.Identifier)
	fmt.Println("binding:", verdict.Binding.Field, "to", verdict.Binding.Property)
	for _, step := range verdict.Steps {
		fmt.Printf("%-4v %s\n", step.Outcome, step.Name)
	}
	// Output:
	// signed in: true multifactor
	// rule: policyOID 1.2.3.4
	// binding: PrincipalName to userPrincipalName
	// pass method enabled
	// pass user included
	// pass user not excluded
	// pass validity
	// pass issuer
	// pass trust store
	// pass validity
	// pass root
	// pass chain
	// skip revocation
	// pass certificate authority scopes
	// pass required affinity
	// pass username binding
	// skip username binding
	// skip username binding
	// pass username bound
	// skip authentication binding rule
	// pass authentication binding rule
	// pass authentication mode
	// pass requirement
}

func ExampleTenant_Decide() {
	ca := newCA("CN=WoodgroveCA")
	tenant, err := woodgrove(newCA("CN=WoodgroveCA")).Compile(signin.Options{}) // another key
	if err != nil {
		fmt.Println(err)
		return
	}
	answer, err := tenant.Decide(context.Background(), signin.Request{
		User:        &policy.User{UserPrincipalName: "bob@woodgrove.com"},
		Certificate: newUser(ca, "bob@woodgrove.com"),
		At:          time.Now(),
	})
	fmt.Println(answer.SignedIn, answer.Code, err)
	// Output: false AADSTS500176 <nil>
}
