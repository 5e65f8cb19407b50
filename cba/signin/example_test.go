package signin_test

import (
	"context"
	"crypto/x509"
	"fmt"
	"log"
	"strings"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/certuserid"
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
	oid, err := x509.ParseOID("1.2.3.4")
	if err != nil {
		log.Fatal(err)
	}
	config := policy.ServiceDefault()
	config.State = policy.Enabled
	config.AuthenticationMode.Rules = []policy.Rule{
		policy.IssuerRule(name, policy.SingleFactor, certuserid.Low),
		policy.PolicyOIDRule(oid, policy.MultiFactor, certuserid.Low),
	}
	return signin.Config{Policy: config, Trust: trust.Config{PKIs: trust.PKIs{pki}}}
}

func newCA(name string) *cba.Issuer {
	subject, err := dn.Parse(name)
	if err != nil {
		log.Fatal(err)
	}
	ca, err := cba.NewRoot(context.Background(), cba.Authority{Name: subject, KeyType: cba.P256})
	if err != nil {
		log.Fatal(err)
	}
	return ca
}

func newUser(ca *cba.Issuer, upn string, policies ...string) *x509.Certificate {
	var oids []x509.OID
	for _, text := range policies {
		oid, err := cba.ParseOID(text)
		if err != nil {
			log.Fatal(err)
		}
		oids = append(oids, oid)
	}
	key, err := cba.P256.Generate()
	if err != nil {
		log.Fatal(err)
	}
	cert, err := ca.Issue(context.Background(), key.Public(), cba.Subject{UPN: upn}, cba.Profile{Policies: oids})
	if err != nil {
		log.Fatal(err)
	}
	return cert
}

// The certificates have the names that the users had before they were renamed, and
// bind by their key identifiers: does Entra try a binding after one that does not match?
func ExampleTenant_Calibrate() {
	ca := newCA("CN=WoodgroveCA")
	config := woodgrove(ca)
	config.Policy.UserBindings = append(config.Policy.UserBindings, policy.Bind(certuserid.SKI, policy.CertificateUserIDs, 3))
	tenant, err := config.Compile(signin.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	log := func(yield func(signin.Observation, error) bool) { // of the rows of a sign-in log
		for n := range 6 {
			cert := newUser(ca, fmt.Sprintf("old%d@woodgrove.com", n))
			user := &policy.User{UserPrincipalName: fmt.Sprintf("new%d@woodgrove.com", n)}
			id, err := certuserid.FromCertificate(cert, certuserid.SKI)
			user.AuthorizationInfo.CertificateUserIDs = []string{id.String()}
			request := signin.Request{User: user, Certificate: cert, At: time.Now()}
			if !yield(signin.Observation{Request: request, SignedIn: true}, err) {
				return
			}
		}
	}
	calibration, err := tenant.Calibrate(context.Background(), log)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range calibration.Readings {
		fmt.Printf("%s %v by %d sign-ins of %d users: %s\n", r.ID, r.Result, r.SignIns, r.Users, r.Text)
	}
	// From now on: config.Compile(signin.Options{Calibration: calibration}).

	// Output:
	// 9.10 confirmed by 6 sign-ins of 6 users: a CA without a CRL URL is not checked, where CRL validation is not required
	// 9.15 confirmed by 6 sign-ins of 6 users: after a binding that does not match the next one is tried
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
		Certificate: newUser(ca, "bob@woodgrove.com", "1.2.3.4"),
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
	// pass account
	// pass method enabled
	// pass user included
	// pass user not excluded
	// pass client can present it
	// pass validity
	// pass issuer
	// pass trust store
	// pass validity
	// pass root
	// pass chain
	// skip revocation
	// pass CA scopes
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

// A gateway decides every request of a connection. Tenant.Decide knows certificates
// that it has seen; who has the certificate at hand for long holds it. When the policy or
// the CAs change, compile a new tenant and exchange it: it has forgotten everything.
func ExampleTenant_Certificate() {
	ca := newCA("CN=WoodgroveCA")
	tenant, err := woodgrove(ca).Compile(signin.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	held, err := tenant.Certificate(newUser(ca, "bob@woodgrove.com")) // r.TLS.PeerCertificates[0]
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, upn := range []string{"bob@woodgrove.com", "eve@woodgrove.com"} {
		answer, err := held.Decide(context.Background(), &policy.User{UserPrincipalName: upn}, time.Now(), signin.Requirement{})
		fmt.Println(upn, answer.SignedIn, answer.Code, err)
	}
	// Output:
	// bob@woodgrove.com true  <nil>
	// eve@woodgrove.com false AADSTS1001009 <nil>
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

func ExampleParseConfig() {
	config, err := signin.ParseConfig([]byte(`{
		"x509Certificate": {"state": "disabled"},
		"publicKeyInfrastructure": [],
		"exportedBy": "a script"
	}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(config.Policy.State, len(config.Trust.PKIs), string(config.Extra["exportedBy"]))

	_, err = signin.ParseConfig([]byte(`{"publicKeyInfrastructure": [{"displayName": "Contoso PKI"}, {"displayName": "Contoso PKI"}]}`))
	fmt.Println(err)
	// Output:
	// disabled 0 "a script"
	// signin: /publicKeyInfrastructure/1: two PKIs have the name "Contoso PKI"; rename one, because CA scopes refer to a PKI by its name
}

// A strength as Microsoft Graph returns it, which takes single-factor
// certificates with one policy only.
func ExampleRequire() {
	strength, err := signin.ParseStrength([]byte(`{
		"displayName": "Smart cards",
		"allowedCombinations": ["x509CertificateSingleFactor"],
		"combinationConfigurations": [{
			"@odata.type": "#microsoft.graph.x509CertificateCombinationConfiguration",
			"appliesToCombinations": ["x509CertificateSingleFactor"],
			"allowedIssuerSkis": [],
			"allowedPolicyOIDs": ["1.2.3.5"]
		}]
	}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	ca := newCA("CN=WoodgroveCA")
	tenant, err := woodgrove(ca).Compile(signin.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, oid := range []string{"1.2.3.5", "1.2.3.6"} {
		verdict, err := tenant.Explain(context.Background(), signin.Request{
			User:        &policy.User{UserPrincipalName: "bob@woodgrove.com"},
			Certificate: newUser(ca, "bob@woodgrove.com", oid),
			At:          time.Now(),
			Require:     signin.Require(strength),
		})
		fmt.Println(verdict.SignedIn, verdict.Code, verdict.Message, err)
	}
	// Output:
	// true   <nil>
	// false AADSTS500187 requirement: authentication strength "Smart cards": the strength allows the policy OIDs 1.2.3.5, and the certificate has 1.2.3.6 <nil>
}

func ExamplePhishingResistant() {
	ca := newCA("CN=WoodgroveCA")
	tenant, err := woodgrove(ca).Compile(signin.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	answer, err := tenant.Decide(context.Background(), signin.Request{
		User:        &policy.User{UserPrincipalName: "bob@woodgrove.com"},
		Certificate: newUser(ca, "bob@woodgrove.com"), // without the policy that makes it multifactor
		At:          time.Now(),
		Require:     signin.PhishingResistant(),
	})
	fmt.Println(answer.SignedIn, answer.Code, err)
	// Output: false AADSTS500187 <nil>
}

// Would requiring high affinity lock anyone out?
func ExampleCompare() {
	ca := newCA("CN=WoodgroveCA")
	config := woodgrove(ca)
	before, err := config.Compile(signin.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	changed := config.Clone() // a copy of the struct would share rules and bindings
	changed.Policy.AuthenticationMode.DefaultAffinity = certuserid.High
	after, err := changed.Compile(signin.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	bob, jane := newUser(ca, "bob@woodgrove.com"), newUser(ca, "jane@woodgrove.com")
	janeStored := &policy.User{UserPrincipalName: "jane@woodgrove.com"}
	janeStored.AuthorizationInfo.CertificateUserIDs = []string{fmt.Sprintf("X509:<SKI>%x", jane.SubjectKeyId)}
	users := func(yield func(signin.Case, error) bool) {
		_ = yield(signin.Case{User: &policy.User{UserPrincipalName: "bob@woodgrove.com"}, Certificates: []*x509.Certificate{bob}}, nil) &&
			yield(signin.Case{User: janeStored, Certificates: []*x509.Certificate{jane}}, nil)
	}
	for change, err := range signin.Compare(context.Background(), before, after, users, signin.CompareOptions{At: time.Now()}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(change.Case.User.UserPrincipalName, change.Difference, change.After.Code)
	}
	// Output:
	// bob@woodgrove.com loses AADSTS1001009
	// jane@woodgrove.com same
}

// Findings that no single part of the tenant shows.
func ExampleConfig_Findings() {
	config := woodgrove(newCA("CN=WoodgroveCA"))
	config.Policy.AuthenticationMode.Rules[0] = policy.Rule{Type: policy.IssuerSubject, Identifier: "CN=Woodgrove CA",
		Mode: policy.SingleFactor, RequiredAffinity: certuserid.Low}
	for _, finding := range config.Findings(time.Now()) {
		if strings.HasPrefix(finding.Code, "signin-") {
			fmt.Println(finding.Code)
			fmt.Println(finding.Where)
			fmt.Println(finding.About)
			fmt.Println(finding.Do)
		}
	}
	// Output:
	// signin-rule-unknown-issuer
	// /x509Certificate/authenticationModeConfiguration/rules/0
	// rule 1 (issuer "CN=Woodgrove CA")
	// correct the name, or upload the CA: the rule needs the CA's subject, with its most specific part first
}

// What is stored with a user, held against the tenant.
func ExampleTenant_UserFindings() {
	tenant, err := woodgrove(newCA("CN=WoodgroveCA")).Compile(signin.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	user := policy.User{UserPrincipalName: "bob@woodgrove.com"}
	user.AuthorizationInfo.CertificateUserIDs = []string{"X509:<PN>bob@woodgrove.com"}
	for _, finding := range tenant.UserFindings(user) {
		fmt.Println(finding.Code)
		fmt.Println(finding.What)
	}
	// Output:
	// signin-user-id-unbound
	// no username binding uses PrincipalName with certificateUserIds, so the value has no effect
}
