package propose_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.com/entracba/cba"
	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/propose"
	"example.com/entracba/cba/signin"
)

var now = time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)

// An issuer is a CA of the tests, made with crypto/x509 and nothing of this module.
type issuer struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

var serial int64

func mint(t testing.TB, by *issuer, name string, change func(*x509.Certificate)) *issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial++
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name}, NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(1, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	if by != nil {
		template.CRLDistributionPoints = []string{"http://crl.contoso.com/" + strings.ReplaceAll(by.cert.Subject.CommonName, " ", "") + ".crl"}
	}
	if change != nil {
		change(template)
	}
	if by == nil {
		by = &issuer{template, key}
	}
	return &issuer{create(t, by, template, key), key}
}

func create(t testing.TB, by *issuer, template *x509.Certificate, key *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	if template.SubjectKeyId == nil {
		template.SubjectKeyId = keyID(t, key)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by.cert, key.Public(), by.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// keyID is what crypto/x509 gives a CA made of this key, that is, not our own reading.
func keyID(t testing.TB, key *ecdsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true}, &x509.Certificate{}, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert.SubjectKeyId
}

func isCA(c *x509.Certificate) {
	c.IsCA, c.BasicConstraintsValid, c.KeyUsage, c.ExtKeyUsage = true, true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign, nil
	c.NotAfter = now.AddDate(5, 0, 0)
}

// upn is a subjectAltName with a UPN, and perhaps an e-mail address.
func upn(name string) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		type otherName struct {
			Type  asn1.ObjectIdentifier
			Value string `asn1:"utf8,explicit,tag:0"`
		}
		value, _ := asn1.MarshalWithParams(otherName{asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 20, 2, 3}, name}, "tag:0")
		list, _ := asn1.Marshal(asn1.RawValue{Class: asn1.ClassUniversal, Tag: asn1.TagSequence, IsCompound: true, Bytes: value})
		c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: list})
	}
}

func email(name string) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.EmailAddresses = []string{name} }
}

func withPolicy(text string, also func(*x509.Certificate)) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		also(c)
		oid, err := x509.ParseOID(text)
		if err != nil {
			panic(err)
		}
		c.Policies = []x509.OID{oid}
	}
}

func user(name string) propose.User {
	return propose.User{Account: policy.User{UserPrincipalName: name}}
}

func at() time.Time { return now }

// An organization: a root, a CA for cards and one whose root is not at hand, users of
// every kind, and cards that open doors.
type organization struct {
	root, cards, lost *issuer
	users             []propose.User
	certs             []*x509.Certificate
	crls              map[string][]byte
}

func newOrganization(t testing.TB) organization {
	t.Helper()
	o := organization{crls: map[string][]byte{}}
	o.root = mint(t, nil, "Contoso Root", isCA)
	o.cards = mint(t, o.root, "Contoso Cards", isCA)
	away := mint(t, nil, "Woodgrove Root", isCA)
	o.lost = mint(t, away, "Woodgrove Issuing", func(c *x509.Certificate) {
		isCA(c)
		c.IssuingCertificateURL = []string{"http://pki.woodgrove.com/root.cer"}
	})
	unused := mint(t, nil, "Unused Root", isCA)
	servers := mint(t, nil, "Servers", isCA)
	for _, ca := range []*issuer{o.root, o.cards} {
		der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: now.Add(-time.Hour), NextUpdate: now.AddDate(0, 0, 7)}, ca.cert, ca.key)
		if err != nil {
			t.Fatal(err)
		}
		o.crls["http://crl.contoso.com/"+strings.ReplaceAll(ca.cert.Subject.CommonName, " ", "")+".crl"] = der
	}
	jane, john, adele, alex := user("jane@contoso.com"), user("john@contoso.com"), user("adele@contoso.com"), user("alex@contoso.com")
	john.Mail = "john.smith@contoso.com"
	adele.Account.OnPremisesUserPrincipalName, adele.Synced = "adele@contoso.local", true
	late, none, poor := user("late@contoso.com"), user("none@contoso.com"), user("poor@contoso.com")
	o.users = []propose.User{jane, john, adele, alex, late, none, poor}
	for _, leaf := range []*issuer{
		mint(t, o.cards, "Jane", withPolicy("1.2.3.4", upn("Jane@Contoso.com"))),
		mint(t, o.cards, "John", email("john.smith@contoso.com")),
		mint(t, o.cards, "Adele", withPolicy("1.2.3.4", upn("adele@contoso.local"))),
		mint(t, o.cards, "Alexandra", upn("alex@contoso.onmicrosoft.com")),
		mint(t, o.cards, "Late", func(c *x509.Certificate) { upn("late@contoso.com")(c); c.NotAfter = now.AddDate(0, 0, -1) }),
		mint(t, o.lost, "Poor", upn("poor@contoso.com")),
		mint(t, o.cards, "Badge 4711", nil),
		mint(t, o.cards, "Eve", upn("eve@contoso.com")),
		mint(t, servers, "www.contoso.com", nil),
	} {
		o.certs = append(o.certs, leaf.cert)
	}
	o.certs = append(o.certs, o.lost.cert, unused.cert, servers.cert, o.cards.cert, o.root.cert, o.root.cert, nil)
	return o
}

func TestTenant(t *testing.T) {
	o := newOrganization(t)
	p, err := propose.Tenant(t.Context(), o.users, o.certs, propose.Options{Now: at, CRLs: crl.Static(o.crls)})
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, ca := range p.CAs {
		fmt.Fprintf(&got, "CA %s, %s, issued %d, %s, %s%s\n", ca.Subject, ca.Type, ca.Issued, ca.CRL, ca.CRLState, ca.Note)
	}
	for _, m := range p.Missing {
		fmt.Fprintf(&got, "missing %s above %s for %d, %v\n", m.Subject, m.Above, m.Certificates, m.URLs)
	}
	for _, b := range p.Bindings {
		fmt.Fprintf(&got, "binding %s to %s, %s: %d, store %d, %v%s\n", b.Field, b.Property, b.Affinity, b.People, b.Store, b.Proposed, b.Note)
	}
	for _, x := range p.People {
		fmt.Fprintf(&got, "%s: %s by %q, %d to store, %s %s\n", x.UserPrincipalName, x.Status, x.By, len(x.Store), x.Code, strings.Split(x.Why, " (")[0])
	}
	for _, s := range p.Strays {
		fmt.Fprintf(&got, "stray %s: %s\n", s.Subject, s.Why)
	}
	for _, q := range p.Questions {
		rule := ""
		if q.Rule != nil {
			rule = q.Rule.String()
		}
		fmt.Fprintf(&got, "question %s: %.60s... %s\n", q.Topic, q.Text, rule)
	}
	want := `CA CN=Contoso Root, root, issued 0, http://crl.contoso.com/ContosoRoot.crl, usable
CA CN=Contoso Cards, intermediate, issued 4, http://crl.contoso.com/ContosoCards.crl, usable
CA CN=Woodgrove Issuing, intermediate, issued 1, , of no use until CN=Woodgrove Root, a CA above it, is at hand
missing CN=Woodgrove Root above CN=Woodgrove Issuing for 1, [http://pki.woodgrove.com/root.cer]
binding SubjectKeyIdentifier to certificateUserIds, high: 3, store 3, true
binding IssuerAndSerialNumber to certificateUserIds, high: 3, store 3, false
binding SHA1PublicKey to certificateUserIds, high: 3, store 3, false
binding PrincipalName to userPrincipalName, low: 1, store 0, false
binding PrincipalName to onPremisesUserPrincipalName, low: 1, store 0, false
jane@contoso.com: reached by "UPN", 1 to store,  
john@contoso.com: reached by "e-mail", 1 to store,  
adele@contoso.com: reached by "on-premises UPN", 1 to store,  
alex@contoso.com: perhaps by "", 0 to store,  the certificate of CN=Alexandra may be the user's, but has another name: alex@contoso.onmicrosoft.com
late@contoso.com: refused by "UPN", 0 to store, AADSTS500172 CN=Late, issued by CN=Contoso Cards, is valid from 2025-09-01T12:00:00Z until 2026-08-31T12:00:00Z, and the time is 2026-09-01T12:00:00Z
none@contoso.com: no-certificate by "", 0 to store,  no certificate has the user's UPN, e-mail address or SID
poor@contoso.com: refused by "UPN", 0 to store, AADSTS500176 the CA CN=Woodgrove Root is not at hand, and every CA up to the root must be in the trust store
stray CN=Alexandra: no user of the list has the name alex@contoso.onmicrosoft.com
stray CN=Badge 4711: it has neither a UPN nor an e-mail address
stray CN=Eve: no user of the list has the name eve@contoso.com
stray CN=www.contoso.com: it has neither a UPN nor an e-mail address
question group: For which groups is the method meant? Users in scope without... 
question hardware: Are the keys of the certificates that have the policy OID 1.... policy OID "1.2.3.4": multifactor, high affinity
question hardware: Are the keys of the certificates that are of the issuer CN=C... issuer "CN=Contoso Cards": multifactor, high affinity
question domain: Does the name in a certificate, alex@contoso.onmicrosoft.com... 
`
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if p.Reached() != 3 || len(p.Users) != len(o.users) {
		t.Errorf("%d reached, %d users", p.Reached(), len(p.Users))
	}
	// Nothing grants more than a person has answered for.
	c := p.Config
	if c.Policy.AuthenticationMode.Default != policy.SingleFactor || len(c.Policy.AuthenticationMode.Rules) != 0 || len(c.Policy.IncludeTargets) != 0 ||
		c.Policy.CRLValidation.State != policy.Enabled || c.Policy.AuthenticationMode.DefaultAffinity != certuserid.High || len(c.Trust.PKIs[0].CertificateAuthorities) != 2 {
		t.Errorf("%+v", c)
	}
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if read, err := signin.ParseConfig(text); err != nil || len(read.Missing) != 1 {
		t.Errorf("%v, %v", read.Missing, err)
	}
}

// The same with the answers of a person: a group, and that a policy OID means hardware.
func TestAnswers(t *testing.T) {
	o := newOrganization(t)
	oid, _ := x509.ParseOID("1.2.3.4")
	p, err := propose.Tenant(t.Context(), o.users, o.certs, propose.Options{Now: at, PKI: "Cards", Groups: []string{"00000000-0000-4000-8000-0000000000a2"},
		Rules: []policy.Rule{policy.PolicyOIDRule(oid, policy.MultiFactor, certuserid.High)}})
	if err != nil {
		t.Fatal(err)
	}
	modes := []policy.AuthenticationMode{policy.MultiFactor, policy.SingleFactor, policy.MultiFactor}
	for i, want := range modes {
		if got := p.People[i]; got.Status != propose.Reached || got.Mode != want {
			t.Errorf("%+v", got)
		}
	}
	topics := []string{}
	for _, q := range p.Questions {
		topics = append(topics, q.Topic)
	}
	if diff := cmp.Diff([]string{"hardware", "domain"}, topics); diff != "" {
		t.Error(diff)
	}
	if p.CAs[0].CRLState != "" || p.Config.Trust.PKIs[0].DisplayName != "Cards" || p.Config.Policy.IncludeTargets[0].ID != "00000000-0000-4000-8000-0000000000a2" {
		t.Errorf("%+v", p.Config)
	}
	// Ids that are stored already are not stored again, and lead to their user.
	o.users[3].Account.AuthorizationInfo.CertificateUserIDs = []string{string(must(certuserid.FromCertificate(o.certs[3], certuserid.IssuerAndSerialNumber)).String())}
	o.users[0].Account.AuthorizationInfo.CertificateUserIDs = []string{must(certuserid.FromCertificate(o.certs[0], certuserid.SKI)).String()}
	if p, err = propose.Tenant(t.Context(), o.users, o.certs, propose.Options{Now: at}); err != nil {
		t.Fatal(err)
	}
	if alex := p.People[3]; alex.Status != propose.Reached || alex.By != "stored id" || len(alex.Store) != 1 {
		t.Errorf("%+v", alex)
	}
	if jane := p.People[0]; len(jane.Store) != 0 || len(jane.Stored) != 1 || jane.Status != propose.Reached {
		t.Errorf("%+v", jane)
	}
}

// Certificates with another name become a user's when a person says so.
func TestOwners(t *testing.T) {
	o := newOrganization(t)
	badge := o.certs[6]
	p, err := propose.Tenant(t.Context(), o.users, o.certs, propose.Options{Now: at, Domains: map[string]string{"Contoso.OnMicrosoft.com": "contoso.com"},
		Owners: map[string]string{strings.ToUpper(cba.Thumbprint(badge)): "none@contoso.com"}})
	if err != nil {
		t.Fatal(err)
	}
	if alex := p.People[3]; alex.Status != propose.Reached || alex.By != "domain" {
		t.Errorf("%+v", alex)
	}
	if none := p.People[5]; none.Status != propose.Reached || none.By != "answer" {
		t.Errorf("%+v", none)
	}
	for _, q := range p.Questions {
		if q.Topic == "domain" || q.Topic == "person" {
			t.Errorf("asked again: %+v", q)
		}
	}
	// A CA that leads to no more than a guess is not to be trusted yet.
	other := mint(t, nil, "Other Root", isCA)
	guess := []*x509.Certificate{other.cert, mint(t, other, "x", upn("jane@contoso.local")).cert}
	if p, err = propose.Tenant(t.Context(), o.users[:1], guess, propose.Options{Now: at}); err != nil {
		t.Fatal(err)
	}
	if len(p.CAs) != 1 || p.CAs[0].Proposed || len(p.Config.Trust.PKIs[0].CertificateAuthorities) != 0 || p.People[0].Status != propose.Perhaps {
		t.Errorf("%+v, %+v", p.CAs, p.People)
	}
	if p, err = propose.Tenant(t.Context(), o.users[:1], guess, propose.Options{Now: at, Domains: map[string]string{"contoso.local": "contoso.com"}}); err != nil || !p.CAs[0].Proposed {
		t.Errorf("%+v, %v", p.CAs, err)
	}
	// Many who differ in the domain are one question.
	var users []propose.User
	var certs []*x509.Certificate
	for i := range 5 {
		users = append(users, user(fmt.Sprintf("user%d@contoso.com", i)))
		certs = append(certs, mint(t, o.cards, "x", upn(fmt.Sprintf("user%d@contoso.local", i))).cert)
	}
	// A common name alone is no name of an account.
	users = append(users, propose.User{Account: policy.User{UserPrincipalName: "zoe@contoso.com"}, DisplayName: "Zoe Z"})
	certs = append(certs, mint(t, o.cards, "Zoe Z", nil).cert, o.cards.cert, o.root.cert)
	if p, err = propose.Tenant(t.Context(), users, certs, propose.Options{Now: at, Groups: []string{"g"}}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, q := range p.Questions {
		got = append(got, fmt.Sprintf("%s %s %s %s %d", q.Topic, q.Domain, q.UserDomain, q.Owner, len(q.Thumbprint)))
	}
	if diff := cmp.Diff([]string{"person   zoe@contoso.com 40", "domain contoso.local contoso.com  0"}, got); diff != "" {
		t.Error(diff)
	}
}

// Certificates for e-mail are no reason to trust their CA, and store no id.
func TestOtherUses(t *testing.T) {
	o := newOrganization(t)
	mail := mint(t, nil, "Mail CA", isCA)
	usage := func(c *x509.Certificate) {
		email("jane@contoso.com")(c)
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}
	}
	certs := append(o.certs, mail.cert, mint(t, mail, "Jane", usage).cert, mint(t, mail, "Noone", func(c *x509.Certificate) { usage(c); c.EmailAddresses = []string{"none@contoso.com"} }).cert)
	p, err := propose.Tenant(t.Context(), o.users, certs, propose.Options{Now: at})
	if err != nil {
		t.Fatal(err)
	}
	for _, ca := range p.CAs {
		if ca.Subject == "CN=Mail CA" {
			t.Errorf("%+v", ca)
		}
	}
	if jane := p.People[0]; jane.Status != propose.Reached || len(jane.Store) != 1 || len(jane.Certificates) != 2 {
		t.Errorf("%+v", jane)
	}
	if none := p.People[5]; none.Status != propose.Refused || len(none.Store) != 0 || !strings.Contains(none.Why, "clientAuth") {
		t.Errorf("%+v", none)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// CRLs that only the inside can fetch, keys that two people share, key identifiers that
// nobody knows where they come from, and names of two people.
func TestTroubles(t *testing.T) {
	root := mint(t, nil, "Root", isCA)
	inside := func(c *x509.Certificate) { c.CRLDistributionPoints = []string{"ldap:///CN=Root"} }
	both := func(changes ...func(*x509.Certificate)) func(*x509.Certificate) {
		return func(c *x509.Certificate) {
			for _, change := range changes {
				change(c)
			}
		}
	}
	one := mint(t, root, "One", both(inside, upn("one@contoso.com")))
	template := *one.cert
	template.SerialNumber, template.Subject, template.ExtraExtensions = big.NewInt(9999), pkix.Name{CommonName: "Two"}, nil
	upn("two@contoso.com")(&template)
	two := create(t, root, &template, one.key) // the same key
	odd := mint(t, root, "Odd", both(inside, upn("odd@contoso.com"), func(c *x509.Certificate) { c.SubjectKeyId = []byte("chosen by requester!") }))
	twice := mint(t, root, "Twice", both(inside, upn("one@contoso.com"), func(c *x509.Certificate) {}))
	three := user("three@contoso.com")
	three.Account.OnPremisesUserPrincipalName = "ONE@contoso.com"
	users := []propose.User{user("one@contoso.com"), user("two@contoso.com"), user("odd@contoso.com"), three}
	p, err := propose.Tenant(t.Context(), users, []*x509.Certificate{root.cert, one.cert, two, odd.cert, twice.cert}, propose.Options{Now: at})
	if err != nil {
		t.Fatal(err)
	}
	if len(p.CAs) != 1 || p.CAs[0].CRL != "" || !strings.Contains(p.CAs[0].Note, "ldap:///CN=Root: Entra fetches CRLs by http") {
		t.Errorf("%+v", p.CAs)
	}
	// One's certificates are also named like three.
	if len(p.Strays) != 2 || !strings.Contains(p.Strays[0].Why, "one@contoso.com and three@contoso.com") {
		t.Errorf("%+v", p.Strays)
	}
	if b := p.Bindings[0]; b.Field != certuserid.IssuerAndSerialNumber || !b.Proposed {
		t.Errorf("%+v", p.Bindings)
	}
	// The proposal requires CRLs, so a CA without one lets nobody in.
	if odd := p.People[2]; odd.Status != propose.Refused || odd.Code != "AADSTS500175" {
		t.Errorf("%+v", odd)
	}
	users[3].Account.OnPremisesUserPrincipalName = ""
	if p, err = propose.Tenant(t.Context(), users, []*x509.Certificate{root.cert, one.cert, two}, propose.Options{Now: at}); err != nil {
		t.Fatal(err)
	}
	for _, b := range p.Bindings {
		if b.Field == certuserid.SKI {
			t.Errorf("a key identifier that two people have binds both: %+v", b)
		}
	}
	if _, err := propose.Tenant(t.Context(), nil, nil, propose.Options{}); !errors.Is(err, propose.NoUsers) {
		t.Error(err)
	}
	if p, err := propose.Tenant(t.Context(), users, nil, propose.Options{Now: at}); err != nil || p.Reached() != 0 || len(p.People) != 4 {
		t.Errorf("without certificates: %v", err)
	}
}

// A rule for anyPolicy is not asked for.
// A policy OID as long as a file is not written in decimal, which would take minutes.
func TestLongPolicy(t *testing.T) {
	began := time.Now()
	var id x509.OID
	if err := id.UnmarshalBinary(append(bytes.Repeat([]byte{0xff}, 600_000), 0x7f)); err != nil {
		t.Fatal(err)
	}
	root := mint(t, nil, "Root", isCA)
	leaf := mint(t, root, "Long", func(c *x509.Certificate) { upn("long@contoso.com")(c); c.Policies = []x509.OID{id} })
	if _, err := propose.Tenant(t.Context(), []propose.User{user("long@contoso.com")}, []*x509.Certificate{root.cert, leaf.cert}, propose.Options{Now: at}); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestAnyPolicy(t *testing.T) {
	root := mint(t, nil, "Root", isCA)
	leaf := mint(t, root, "Any", withPolicy("2.5.29.32.0", upn("any@contoso.com")))
	p, err := propose.Tenant(t.Context(), []propose.User{user("any@contoso.com")}, []*x509.Certificate{root.cert, leaf.cert}, propose.Options{Now: at})
	if err != nil {
		t.Fatal(err)
	}
	rules := 0
	for _, q := range p.Questions {
		if q.Rule != nil {
			if rules++; q.Rule.OID() != "" || q.Rule.Issuer() == "" {
				t.Errorf("%+v", q)
			}
		}
	}
	if rules != 1 {
		t.Errorf("%+v", p.Questions)
	}
}

// No account can have more than ten ids, and none gets that of an expired certificate.
func TestRoom(t *testing.T) {
	root := mint(t, nil, "Root", isCA)
	until := func(name string, days int) *x509.Certificate {
		return mint(t, root, fmt.Sprint(name, days), func(c *x509.Certificate) { upn(name + "@contoso.com")(c); c.NotAfter = now.AddDate(0, 0, days) }).cert
	}
	ski := func(c *x509.Certificate) string { return "X509:<SKI>" + hex.EncodeToString(c.SubjectKeyId) }
	old := func(n int) (ids []string) {
		for i := range n {
			ids = append(ids, fmt.Sprintf("X509:<SKI>%040x", i))
		}
		return ids
	}
	has := func(name string, ids ...string) propose.User {
		u := user(name + "@contoso.com")
		u.Account.AuthorizationInfo.CertificateUserIDs = ids
		return u
	}
	upper := until("upper", 10)
	users := []propose.User{has("full", old(10)...), has("nearly", old(8)...), has("upper", strings.ToUpper(ski(upper))), has("past"), has("free", old(3)...)}
	users[2].Account.AuthorizationInfo.CertificateUserIDs[0] = "X509:<SKI>" + strings.ToUpper(hex.EncodeToString(upper.SubjectKeyId))
	certs := []*x509.Certificate{root.cert, until("full", 10), until("nearly", 1), until("nearly", 4), until("nearly", 2), until("nearly", 3), until("nearly", -5), upper, until("past", -1), until("free", 5), until("free", -1)}
	p, err := propose.Tenant(t.Context(), users, certs, propose.Options{Now: at})
	if err != nil {
		t.Fatal(err)
	}
	full, nearly, differs, past, free := p.People[0], p.People[1], p.People[2], p.People[3], p.People[4]
	if full.Status != propose.Refused || len(full.Store) != 0 || len(full.Over) != 1 || !strings.Contains(full.Why, "10 ids already") {
		t.Errorf("%+v", full)
	}
	if nearly.Status != propose.Reached || len(nearly.Store) != 2 || nearly.Store[0].String() != ski(certs[3]) || len(nearly.Over) != 2 {
		t.Errorf("%+v", nearly)
	}
	if differs.Status != propose.Reached || len(differs.Store) != 0 || len(differs.Stored) != 1 {
		t.Errorf("%+v", differs)
	}
	if past.Status != propose.Refused || len(past.Store) != 0 || past.Code != "AADSTS500172" {
		t.Errorf("%+v", past)
	}
	if free.Status != propose.Reached || len(free.Store) != 1 || len(free.Over) != 0 {
		t.Errorf("%+v", free)
	}
	asked := 0
	for _, q := range p.Questions {
		if q.Topic == "ids" {
			asked++
		}
	}
	if asked != 2 {
		t.Errorf("%+v", p.Questions)
	}
	for i, u := range p.Users {
		if n := len(u.User.AuthorizationInfo.CertificateUserIDs); n > 10 {
			t.Errorf("user %d has %d ids", i, n)
		}
	}
}
