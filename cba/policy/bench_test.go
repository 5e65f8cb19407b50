package policy_test

import (
	"fmt"
	"testing"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/policy"
)

// benchConfig has rules of all kinds, of which the last OID rule matches, and
// seven bindings, of which the last matches.
func benchConfig(t testing.TB, rules int) policy.Config {
	c := policy.ServiceDefault()
	c.State = policy.Enabled
	c.AuthenticationMode.DefaultAffinity = certuserid.Low
	for i := range rules - 1 {
		issuer, err := dn.Parse(fmt.Sprintf("CN=Issuing CA %d,OU=PKI,O=Woodgrove,DC=woodgrove,DC=com", i))
		if err != nil {
			t.Fatal(err)
		}
		policyOID := oid(t, fmt.Sprintf("1.3.6.1.4.1.99999.%d", i))
		switch i % 3 {
		case 0:
			c.AuthenticationMode.Rules = append(c.AuthenticationMode.Rules, policy.IssuerRule(issuer, policy.SingleFactor, certuserid.Low))
		case 1:
			c.AuthenticationMode.Rules = append(c.AuthenticationMode.Rules, policy.PolicyOIDRule(policyOID, policy.MultiFactor, certuserid.Low))
		case 2:
			c.AuthenticationMode.Rules = append(c.AuthenticationMode.Rules, policy.IssuerAndPolicyOIDRule(issuer, policyOID, policy.MultiFactor, certuserid.High))
		}
	}
	c.AuthenticationMode.Rules = append(c.AuthenticationMode.Rules,
		policy.PolicyOIDRule(oid(t, "1.3.6.1.4.1.99999.1000"), policy.MultiFactor, certuserid.Low))
	c.UserBindings = []policy.UserBinding{
		policy.Bind(certuserid.PrincipalName, policy.UserPrincipalName, 1),
		policy.Bind(certuserid.RFC822Name, policy.OnPremisesUserPrincipalName, 2),
		policy.Bind(certuserid.IssuerAndSubject, policy.CertificateUserIDs, 3),
		policy.Bind(certuserid.Subject, policy.CertificateUserIDs, 4),
		policy.Bind(certuserid.SKI, policy.CertificateUserIDs, 5),
		policy.Bind(certuserid.SHA1PublicKey, policy.CertificateUserIDs, 6),
		policy.Bind(certuserid.IssuerAndSerialNumber, policy.CertificateUserIDs, 7),
	}
	return c
}

var benchSpec = certSpec{
	Issuer: "CN=Issuing CA 0,OU=PKI,O=Woodgrove,DC=woodgrove,DC=com", Subject: "CN=Bob,OU=Users,DC=woodgrove,DC=com",
	Serial: "48efa06ba8127299499b069f133441b2", SKI: "0102030405060708090a0b0c0d0e0f1011121314",
	Names:    []string{"upn:robert@woodgrove.com", "email:robert@woodgrove.com"},
	Policies: []string{"1.3.6.1.4.1.99999.1000", "1.3.6.1.4.1.99999.2000"},
}

// benchUser has ten stored values, the most that Entra takes, of the same shape
// as the certificate's; the last one is its.
func benchUser(t testing.TB) *policy.User {
	u := &policy.User{ID: "u", UserPrincipalName: "bobby@woodgrove.com", OnPremisesUserPrincipalName: "bobby@woodgrove.local",
		MemberOf: []policy.DirectoryObject{{ID: "33333333-3333-3333-3333-333333333333"}}}
	for i := range 9 {
		spec := benchSpec
		spec.Serial = fmt.Sprintf("48efa06ba8127299499b069f133441c%d", i)
		id, err := certuserid.FromCertificate(spec.certificate(t), certuserid.IssuerAndSerialNumber)
		if err != nil {
			t.Fatal(err)
		}
		u.AuthorizationInfo.CertificateUserIDs = append(u.AuthorizationInfo.CertificateUserIDs, id.String())
	}
	id, err := certuserid.FromCertificate(benchSpec.certificate(t), certuserid.IssuerAndSerialNumber)
	if err != nil {
		t.Fatal(err)
	}
	u.AuthorizationInfo.CertificateUserIDs = append(u.AuthorizationInfo.CertificateUserIDs, id.String())
	return u
}

// BenchmarkDecide is a decision for a certificate that is taken apart already:
// the rules, the targets and seven bindings against ten stored values, the worst
// walk, which ends with the last value of the last binding.
func BenchmarkDecide(b *testing.B) {
	for _, rules := range []int{1, 20, 50, 200} {
		b.Run(fmt.Sprintf("rules=%d", rules), func(b *testing.B) {
			p := compiled(benchConfig(b, rules))
			cert, user := prepare(b, benchSpec.certificate(b)), benchUser(b)
			if d := p.Decide(cert, user); !d.SignsIn() || d.BindingIndex != 6 || d.RuleIndex != rules-1 {
				b.Fatalf("decision %+v", d)
			}
			b.ReportAllocs()
			for b.Loop() {
				p.Decide(cert, user)
			}
		})
	}
}

// BenchmarkDecideNew takes the certificate apart for every decision; parsing its
// DER is not included.
func BenchmarkDecideNew(b *testing.B) {
	for _, rules := range []int{1, 20, 50, 200} {
		b.Run(fmt.Sprintf("rules=%d", rules), func(b *testing.B) {
			p := compiled(benchConfig(b, rules))
			parsed, user := benchSpec.certificate(b), benchUser(b)
			b.ReportAllocs()
			for b.Loop() {
				cert, err := policy.NewCertificate(parsed, certuserid.Options{})
				if err != nil {
					b.Fatal(err)
				}
				p.Decide(cert, user)
			}
		})
	}
}

func BenchmarkExplain(b *testing.B) {
	for _, rules := range []int{1, 50} {
		b.Run(fmt.Sprintf("rules=%d", rules), func(b *testing.B) {
			p := compiled(benchConfig(b, rules))
			cert, user := prepare(b, benchSpec.certificate(b)), benchUser(b)
			b.ReportAllocs()
			for b.Loop() {
				p.Explain(cert, user)
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	text := mustMarshal(b, benchConfig(b, 50))
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := policy.Parse([]byte(text)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	c := benchConfig(b, 50)
	b.ReportAllocs()
	for b.Loop() {
		compiled(c)
	}
}

// Decide allocates nothing, whatever the policy says.
func TestDecideAllocatesNothing(t *testing.T) {
	p := compiled(benchConfig(t, 50))
	cert, user := prepare(t, benchSpec.certificate(t)), benchUser(t)
	for name, q := range map[string]*policy.Policy{"best readings": p, "other readings": p.With(policy.Readings{
		RuleLowersAffinity: true, AnyName: true, ExactNames: true, ExactUserIDs: true, RootFirstIssuers: true})} {
		if n := testing.AllocsPerRun(100, func() { q.Decide(cert, user) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	for _, dir := range caseDirs(t) {
		c := loadCase(t, dir)
		for i := range c.user.MemberOf { // ids in upper case, which Graph does not write, cost one
			c.user.MemberOf[i].ID = "33333333-3333-3333-3333-333333333333"
		}
		p, cert := compiled(c.config), prepare(t, c.cert)
		if n := testing.AllocsPerRun(10, func() { p.Decide(cert, &c.user) }); n != 0 {
			t.Errorf("%s: %v allocations", dir, n)
		}
	}
}
