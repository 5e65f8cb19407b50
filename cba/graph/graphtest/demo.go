package graphtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"fmt"
	"math/big"
	"time"

	"example.com/entracba/cba/internal/fingerprint"
)

// A Demonstration is a small tenant, with the certificates and CRLs that belong to it.
type Demonstration struct {
	Tenant Tenant
	// Certificates are those of the users, by userPrincipalName. Their keys are not kept.
	Certificates map[string]*x509.Certificate
	// CRLs are in DER, by their URL in the trust stores.
	CRLs map[string][]byte
}

// Addresses of the demonstration's CRLs.
const (
	demoRootCRL    = "http://crl.contoso.com/root.crl"
	demoIssuingCRL = "http://crl.contoso.com/issuing.crl"
)

// Demo returns the demonstration tenant of the examples, as of now: a PKI of two CAs, a
// classic store with an expired CA, a policy with a rule for each strength, six users
// (one is synced, one has a value of no mapping, one is in a group of administrators),
// and the sign-ins of a day. Every call makes new certificates.
func Demo(now time.Time) (*Demonstration, error) {
	now = now.UTC().Truncate(time.Second)
	root, err := mint(nil, &x509.Certificate{
		Subject: pkix.Name{CommonName: "Contoso Root CA"}, NotBefore: now.AddDate(-2, 0, 0), NotAfter: now.AddDate(8, 0, 0), IsCA: true})
	if err != nil {
		return nil, err
	}
	issuing, err := mint(root, &x509.Certificate{
		Subject: pkix.Name{CommonName: "Contoso Issuing CA"}, NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(4, 0, 0), IsCA: true,
		CRLDistributionPoints: []string{demoRootCRL}})
	if err != nil {
		return nil, err
	}
	old, err := mint(nil, &x509.Certificate{
		Subject: pkix.Name{CommonName: "Contoso Old Root CA"}, NotBefore: now.AddDate(-10, 0, 0), NotAfter: now.AddDate(0, -1, 0), IsCA: true})
	if err != nil {
		return nil, err
	}
	d := &Demonstration{Certificates: map[string]*x509.Certificate{}, CRLs: map[string][]byte{}}
	for _, ca := range []struct {
		by  *minted
		url string
	}{{root, demoRootCRL}, {issuing, demoIssuingCRL}} {
		d.CRLs[ca.url], err = x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
			Number: big.NewInt(1), ThisUpdate: now.Add(-time.Hour), NextUpdate: now.AddDate(0, 0, 7)}, ca.by.cert, ca.by.key)
		if err != nil {
			return nil, fmt.Errorf("graphtest: demo: %w", err)
		}
	}
	t := &d.Tenant
	t.ID, t.DisplayName = "00000000-0000-4000-8000-0000000000f1", "Contoso"

	people := []struct{ name, display, policy string }{
		{"jane@contoso.com", "Jane", "1.2.3.4"}, {"john@contoso.com", "John", ""}, {"alex@contoso.com", "Alex", ""},
		{"adele@contoso.com", "Adele", "1.2.3.4"}, {"megan@contoso.com", "Megan", ""}, {"guest@woodgrove.com", "Guest", ""},
	}
	for i, p := range people {
		template := &x509.Certificate{
			Subject: pkix.Name{CommonName: p.display}, NotBefore: now.AddDate(0, -1, 0), NotAfter: now.AddDate(1, 0, 0),
			KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
			ExtraExtensions: []pkix.Extension{upn(p.name)},
		}
		if p.policy != "" {
			oid, err := x509.ParseOID(p.policy)
			if err != nil {
				return nil, fmt.Errorf("graphtest: demo: %w", err)
			}
			template.Policies = []x509.OID{oid}
		}
		leaf, err := mint(issuing, template)
		if err != nil {
			return nil, err
		}
		d.Certificates[p.name] = leaf.cert
		u := User{ID: fmt.Sprintf("00000000-0000-4000-8000-0000000000%02x", i+1), UserPrincipalName: p.name, DisplayName: p.display, Mail: p.name}
		ski := "X509:<SKI>" + hexText(leaf.cert.SubjectKeyId)
		switch p.display {
		case "Jane":
			u.CertificateUserIDs = []string{"X509:<PN>" + p.name, ski}
		case "John":
			u.CertificateUserIDs = []string{"X509:<PN>" + p.name}
		case "Alex":
			u.CertificateUserIDs = []string{"x509:<SKI>" + hexText(leaf.cert.SubjectKeyId)} // prefix in the wrong case
		case "Adele":
			u.Synced, u.OnPremisesUserPrincipalName = true, "adele@contoso.local"
			u.CertificateUserIDs = []string{ski}
		case "Guest":
			u.Guest = true
		}
		t.Users = append(t.Users, u)
	}
	admins, everyone := "00000000-0000-4000-8000-0000000000a1", "00000000-0000-4000-8000-0000000000a2"
	t.Groups = []Group{
		{ID: admins, DisplayName: "Certificate administrators", Members: []string{t.Users[3].ID}},
		{ID: everyone, DisplayName: "Certificate users", Members: []string{admins, t.Users[0].ID, t.Users[1].ID, t.Users[2].ID}},
	}

	rootCA, issuingCA := NewAuthority(root.cert), NewAuthority(issuing.cert)
	rootCA.CRLURL, issuingCA.CRLURL = demoRootCRL, demoIssuingCRL
	rootCA.CreatedDateTime, issuingCA.CreatedDateTime = root.cert.NotBefore, issuing.cert.NotBefore
	t.PKIs = []PKI{{DisplayName: "Contoso PKI", Status: "succeeded", LastModifiedDateTime: issuing.cert.NotBefore,
		Authorities: []Authority{rootCA, issuingCA}}}
	t.Classic = []ClassicAuthority{{Certificate: old.cert.Raw, Root: true, CRLURL: "http://crl.contoso.com/old.crl"}}

	t.Policy = demoPolicy(everyone)
	t.Strengths = []Strength{
		{ID: "00000000-0000-0000-0000-000000000004", DisplayName: "Phishing-resistant MFA", MFA: true,
			Description:         "Phishing-resistant, Passwordless methods for the strongest authentication",
			AllowedCombinations: []string{"windowsHelloForBusiness", "fido2", "x509CertificateMultiFactor"}},
		{ID: "00000000-0000-4000-8000-0000000000b1", DisplayName: "Contoso certificates", Custom: true, MFA: true,
			AllowedCombinations: []string{"x509CertificateMultiFactor"},
			CreatedDateTime:     now.AddDate(0, -6, 0), ModifiedDateTime: now.AddDate(0, -6, 0),
			Combinations: []Combination{{AllowedIssuerSKIs: []string{hexText(issuing.cert.SubjectKeyId)},
				AllowedPolicyOIDs: []string{"1.2.3.4"}, AppliesToCombinations: []string{"x509CertificateMultiFactor"}}}},
	}
	t.SignIns = demoSignIns(now, t.Users)
	return d, nil
}

func demoPolicy(group string) json.RawMessage {
	v, _ := parseJSON([]byte(DefaultPolicy))
	p := v.(map[string]any) // a constant of this package
	p["state"] = "enabled"
	p["includeTargets"] = []any{map[string]any{"id": group, "targetType": "group", "isRegistrationRequired": false}}
	mode := p["authenticationModeConfiguration"].(map[string]any)
	mode["rules"] = []any{
		map[string]any{"x509CertificateRuleType": "policyOID", "identifier": "1.2.3.4", "policyOidIdentifier": "1.2.3.4",
			"x509CertificateAuthenticationMode": "x509CertificateMultiFactor", "x509CertificateRequiredAffinityLevel": "high"},
		map[string]any{"x509CertificateRuleType": "issuerSubject", "identifier": "CN=Contoso Issuing CA", "issuerSubjectIdentifier": "CN=Contoso Issuing CA",
			"x509CertificateAuthenticationMode": "x509CertificateSingleFactor", "x509CertificateRequiredAffinityLevel": "low"},
		map[string]any{"x509CertificateRuleType": "issuerSubjectAndPolicyOID", "identifier": "CN=Contoso Root CA,1.2.3.5",
			"issuerSubjectIdentifier": "CN=Contoso Root CA", "policyOidIdentifier": "1.2.3.5",
			"x509CertificateAuthenticationMode": "x509CertificateMultiFactor", "x509CertificateRequiredAffinityLevel": "low"},
	}
	return *raw(p)
}

// demoSignIns are flows of two rows each, as the log has them: the interrupted
// one, in which the certificate was asked for, and its end, under one correlation
// id.
func demoSignIns(now time.Time, users []User) []SignIn {
	flows := []struct {
		user           int
		code           int
		reason         string
		level, binding string
		policy         string
	}{
		{0, 0, "", "multiFactorAuthentication", "Certificate: SKI; User Attribute: certificateUserIds; Rank: 3", "1.2.3.4"},
		{1, 0, "", "singleFactorAuthentication", "Certificate: Principal Name; User Attribute: userPrincipalName; Rank: 1", ""},
		{2, 500171, "Certificate has been revoked.", "singleFactorAuthentication", "Certificate: Principal Name; User Attribute: userPrincipalName; Rank: 1", ""},
		{4, 500173, "Failed to download the CRL.", "", "", ""},
	}
	var rows []SignIn
	for i, f := range flows {
		u := users[f.user]
		at := now.Add(time.Duration(-2*len(flows)+2*i) * time.Hour)
		row := SignIn{
			CreatedDateTime: at, CorrelationID: fmt.Sprintf("00000000-0000-4000-8000-0000000000c%x", i),
			UserID: u.ID, UserPrincipalName: u.UserPrincipalName, UserDisplayName: u.DisplayName,
			AppDisplayName: "Azure Portal", AppID: "c44b4083-3bb0-49c1-b47d-974e53cbdf3c", ClientAppUsed: "Browser",
			IPAddress: "192.0.2.10", ConditionalAccessStatus: "notApplied",
			// 50019 is inferred from its description; the documentation prints no code.
			ErrorCode: 50019, FailureReason: "The user is asked to choose a certificate.",
			Processing: []KeyValue{{"User certificate subject name", "CN=" + u.DisplayName}, {"Is Legacy Store Used", "0"}},
		}
		if f.binding != "" {
			row.Processing = append(row.Processing, KeyValue{"User certificate binding", f.binding},
				KeyValue{"User certificate authentication level", f.level})
		}
		if f.policy != "" {
			row.Processing = append(row.Processing, KeyValue{"User certificate authentication level type", "PolicyId"},
				KeyValue{"User certificate authentication level identifier", f.policy})
		}
		end := row
		end.CreatedDateTime = at.Add(20 * time.Second)
		end.ErrorCode, end.FailureReason, end.Processing = f.code, f.reason, nil
		end.Details = []AuthenticationDetail{{Method: "X.509 Certificate", StepDateTime: end.CreatedDateTime, Succeeded: f.code == 0}}
		rows = append(rows, row, end)
	}
	return rows
}

// A minted certificate has a key until Demo returns.
type minted struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func mint(by *minted, template *x509.Certificate) (*minted, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("graphtest: demo: %w", err)
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		return nil, fmt.Errorf("graphtest: demo: %w", err)
	}
	sum := fingerprint.SHA1(point) // RFC 5280, section 4.2.1.2, method 1
	template.SubjectKeyId = sum[:]
	if template.IsCA {
		template.BasicConstraintsValid = true
		template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	}
	if by == nil {
		by = &minted{cert: template, key: key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by.cert, &key.PublicKey, by.key)
	if err != nil {
		return nil, fmt.Errorf("graphtest: demo: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("graphtest: demo: %w", err)
	}
	return &minted{cert, key}, nil
}

// upn is a subjectAltName with one user principal name, an otherName of Microsoft
// (1.3.6.1.4.1.311.20.2.3) with a UTF8String.
func upn(name string) pkix.Extension {
	type otherName struct {
		Type  asn1.ObjectIdentifier
		Value string `asn1:"utf8,explicit,tag:0"`
	}
	value, _ := asn1.MarshalWithParams(otherName{asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 20, 2, 3}, name}, "tag:0")
	list, _ := asn1.Marshal(asn1.RawValue{Class: asn1.ClassUniversal, Tag: asn1.TagSequence, IsCompound: true, Bytes: value})
	return pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: list}
}
