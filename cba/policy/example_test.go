package policy_test

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log"
	"os"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/keyid"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/policy"
)

// exampleCertificate reads the certificate of the how-to's test: issued by
// WoodgroveCA to bob@woodgrove.com with the policy OID 1.2.3.4.
func exampleCertificate() *policy.Certificate {
	text, err := os.ReadFile("testdata/cases/A01-oid-outranks-issuer/cert.pem")
	if err != nil {
		log.Fatal(err)
	}
	block, _ := pem.Decode(text)
	parsed, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		log.Fatal(err)
	}
	cert, err := policy.NewCertificate(parsed, certuserid.Options{})
	if err != nil {
		log.Fatal(err)
	}
	return cert
}

var exampleUser = &policy.User{ID: "2bb9f9c6-9f5e-4b83-a7a8-3a5f6a1d7a3e", UserPrincipalName: "bob@woodgrove.com"}

// The how-to's own test: certificates of WoodgroveCA are single-factor, and
// multifactor if they have the policy OID 1.2.3.4.
func Example() {
	config, err := policy.Parse([]byte(`{
	  "@odata.type": "#microsoft.graph.x509CertificateAuthenticationMethodConfiguration",
	  "id": "X509Certificate", "state": "enabled",
	  "certificateUserBindings": [
	    {"x509CertificateField": "PrincipalName", "userProperty": "userPrincipalName", "priority": 1}],
	  "authenticationModeConfiguration": {
	    "x509CertificateAuthenticationDefaultMode": "x509CertificateSingleFactor",
	    "rules": [
	      {"x509CertificateRuleType": "issuerSubject", "identifier": "CN=WoodgroveCA",
	       "x509CertificateAuthenticationMode": "x509CertificateSingleFactor"},
	      {"x509CertificateRuleType": "policyOID", "identifier": "1.2.3.4",
	       "x509CertificateAuthenticationMode": "x509CertificateMultiFactor"}]},
	  "includeTargets": [{"targetType": "group", "id": "all_users"}], "excludeTargets": []}`))
	if err != nil {
		log.Fatal(err)
	}
	p, err := config.Compile(policy.Readings{})
	if err != nil {
		log.Fatal(err)
	}
	d := p.Decide(exampleCertificate(), exampleUser)
	fmt.Println("signs in:", d.SignsIn())
	fmt.Println("strength:", d.AuthenticationMode, "by rule", d.RuleIndex)
	// Output:
	// signs in: true
	// strength: multifactor by rule 1
}

// Would requiring high affinity lock this user out? The steps say why.
func ExamplePolicy_Explain() {
	config := policy.ServiceDefault()
	config.State = policy.Enabled
	config.AuthenticationMode.DefaultAffinity = certuserid.High

	p, err := config.Compile(policy.Readings{})
	if err != nil {
		log.Fatal(err)
	}
	e := p.Explain(exampleCertificate(), exampleUser)
	fmt.Println("signs in:", e.SignsIn())
	for _, step := range e.Steps {
		if step.Name == policy.StepBinding || step.Outcome == lint.Fail {
			fmt.Printf("%v: %s: %s\n", step.Outcome, step.Name, step.Detail)
		}
	}
	// Output:
	// signs in: false
	// skip: username binding: PrincipalName to userPrincipalName, priority 1: not tried, because it has low affinity and high is required
	// skip: username binding: RFC822Name to userPrincipalName, priority 2: not tried, because it has low affinity and high is required
	// skip: username binding: SubjectKeyIdentifier to certificateUserIds, priority 3: the certificate needs the value "X509:<SKI>0102030405060708090a0b0c0d0e0f1011121314", and the user has no certificateUserIds
	// fail: username bound: no username binding connects this certificate to "bob@woodgrove.com": the certificate needs the value "X509:<SKI>0102030405060708090a0b0c0d0e0f1011121314", and the user has no certificateUserIds
}

// An answer that rests on something undocumented says so, with the answer under
// the other reading.
func ExamplePolicy_Explain_assumptions() {
	config := policy.ServiceDefault()
	config.State = policy.Enabled
	user := &policy.User{UserPrincipalName: "Bob@Woodgrove.com"}

	p, err := config.Compile(policy.Readings{})
	if err != nil {
		log.Fatal(err)
	}
	e := p.Explain(exampleCertificate(), user)
	fmt.Println("bound:", e.Bound)
	for _, a := range e.Assumptions {
		fmt.Printf("%s: %s\n", a.ID, a.Text)
		fmt.Println("otherwise bound:", a.Otherwise.Bound)
	}
	// Output:
	// bound: true
	// 3.3: letter case does not matter when a name of the certificate is compared with a user principal name
	// otherwise bound: false
}

// A configuration that signs in by the subject key identifier alone, and takes
// certificates with one policy OID for multifactor.
func ExampleHardenedBySKI() {
	smartCards, err := x509.ParseOID("1.3.6.1.4.1.311.21.8.1")
	if err != nil {
		log.Fatal(err)
	}
	config := policy.HardenedBySKI([]string{"33333333-3333-3333-3333-333333333333"},
		policy.PolicyOIDRule(smartCards, policy.MultiFactor, certuserid.High))
	fmt.Println(config.UserBindings[0])
	fmt.Println(config.AuthenticationMode.Rules[0])
	fmt.Println("worst finding:", config.Findings().Worst())
	// Output:
	// SubjectKeyIdentifier to certificateUserIds, priority 1
	// policy OID "1.3.6.1.4.1.311.21.8.1": multifactor, high affinity
	// worst finding: info
}

func ExampleHardenedByIssuerAndSerial() {
	config := policy.HardenedByIssuerAndSerial([]string{"33333333-3333-3333-3333-333333333333"})
	fmt.Println(config.UserBindings[0])
	// Output:
	// IssuerAndSerialNumber to certificateUserIds, priority 1
}

// What is wrong with the configuration that every tenant starts with.
func ExampleConfig_Findings() {
	for _, f := range policy.ServiceDefault().Findings().Sorted() {
		if f.Severity >= lint.Warning {
			fmt.Println(f.Severity, f.Code, "at", f.Where)
		}
	}
	// Output:
	// warning policy-binding-low-many at /certificateUserBindings
	// warning policy-crl-off at /crlValidationConfiguration/state
	// warning policy-all-users at /includeTargets/0
}

// Enable the method and leave everything else as Graph returned it, also what
// this package has never heard of.
func ExampleConfig_PatchBody() {
	config, err := policy.Parse([]byte(`{"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#x",
	  "@odata.type": "#microsoft.graph.x509CertificateAuthenticationMethodConfiguration",
	  "id": "X509Certificate", "state": "disabled", "somethingNew": {"depth": 2}}`))
	if err != nil {
		log.Fatal(err)
	}
	config.State = policy.Enabled
	body, err := config.PatchBody()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(body))
	// Output:
	// {"@odata.type":"#microsoft.graph.x509CertificateAuthenticationMethodConfiguration","id":"X509Certificate","state":"enabled","somethingNew":{"depth":2}}
}

// Whether two configurations say the same, whatever the order of properties.
func ExampleConfig_Equal() {
	stored, err := policy.Parse([]byte(`{"state":"enabled","id":"X509Certificate"}`))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(stored.Equal(policy.Config{ID: "X509Certificate", State: policy.Enabled}))
	fmt.Println(stored.Equal(policy.Config{ID: "X509Certificate", State: policy.Disabled}))
	// Output:
	// true
	// false
}

// The issuer is a name and not a text: a rule has the most specific part first,
// certificateUserIds have it last.
func ExampleIssuerRule() {
	issuer, err := dn.ParseRootFirst("DC=org,DC=Contoso,CN=ContosoCA")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(policy.IssuerRule(issuer, policy.MultiFactor, certuserid.High).Identifier)
	// Output:
	// CN=ContosoCA,DC=Contoso,DC=org
}

func ExamplePolicyOIDRule() {
	oid, err := x509.ParseOID("1.2.3.4")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(policy.PolicyOIDRule(oid, policy.MultiFactor, certuserid.Low))
	fmt.Println(policy.PolicyOIDRule(oid, policy.SingleFactor, certuserid.Low))
	// Output:
	// policy OID "1.2.3.4": multifactor, low affinity
	// policy OID "1.2.3.4": single-factor, low affinity
}

func ExampleIssuerAndPolicyOIDRule() {
	issuer, err := dn.Parse("CN=CBATestRootProd")
	if err != nil {
		log.Fatal(err)
	}
	oid, err := x509.ParseOID("1.2.3.4.6")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(policy.IssuerAndPolicyOIDRule(issuer, oid, policy.MultiFactor, certuserid.High))
	// Output:
	// issuer "CN=CBATestRootProd" with policy OID "1.2.3.4.6": multifactor, high affinity
}

// The affinity follows from the field.
func ExampleBind() {
	for _, b := range []policy.UserBinding{
		policy.Bind(certuserid.SKI, policy.CertificateUserIDs, 1),
		policy.Bind(certuserid.PrincipalName, policy.UserPrincipalName, 2),
	} {
		fmt.Println(b, b.Affinity)
	}
	// Output:
	// SubjectKeyIdentifier to certificateUserIds, priority 1 high
	// PrincipalName to userPrincipalName, priority 2 low
}

// The same question under the other reading of an open point.
func ExamplePolicy_With() {
	config := policy.ServiceDefault()
	p, err := config.Compile(policy.Readings{})
	if err != nil {
		log.Fatal(err)
	}
	user := &policy.User{UserPrincipalName: "BOB@woodgrove.com"}
	fmt.Println(p.Decide(exampleCertificate(), user).Bound)
	fmt.Println(p.With(policy.Readings{ExactNames: true}).Decide(exampleCertificate(), user).Bound)
	// Output:
	// true
	// false
}

// Certificates below one authority are for one group only.
func ExamplePolicy_CAScope() {
	issuing, root := keyid.ID("9a42"), keyid.ID("01")
	config := policy.Config{CertificateAuthorityScopes: []policy.AuthorityScope{
		policy.ScopeTo(issuing, "Contoso PKI", "33333333-3333-3333-3333-333333333333"),
	}}
	p, err := config.Compile(policy.Readings{})
	if err != nil {
		log.Fatal(err)
	}
	member := &policy.User{MemberOf: []policy.DirectoryObject{{ID: "33333333-3333-3333-3333-333333333333"}}}
	fmt.Printf("%+v\n", p.CAScope(member, []keyid.ID{issuing, root}))
	fmt.Printf("%+v\n", p.CAScope(&policy.User{}, []keyid.ID{issuing, root}))
	// Output:
	// {Restricted:true Allowed:true Undecided:false ScopeIndex:0}
	// {Restricted:true Allowed:false Undecided:false ScopeIndex:-1}
}

func ExampleParseUser() {
	user, err := policy.ParseUser([]byte(`{"userPrincipalName": "bob@woodgrove.com",
	  "authorizationInfo": {"certificateUserIds": ["X509:<PN>123456789098765@mil"]},
	  "memberOf": [{"@odata.type": "#microsoft.graph.group", "id": "33333333-3333-3333-3333-333333333333"}]}`))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(user.UserPrincipalName, user.AuthorizationInfo.CertificateUserIDs, len(user.MemberOf))
	// Output:
	// bob@woodgrove.com [X509:<PN>123456789098765@mil] 1
}
