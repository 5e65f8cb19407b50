package cba_test

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"log"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/pfx"
)

// A root CA, a certificate for one user, the string that binds it to her account
// and the PFX file for her laptop.
func Example() {
	name, err := dn.Parse("CN=Contoso Root CA,O=Contoso")
	if err != nil {
		log.Fatal(err)
	}
	root, err := cba.NewRoot(context.Background(), cba.Authority{Name: name})
	if err != nil {
		log.Fatal(err)
	}
	key, err := cba.RSA2048.Generate()
	if err != nil {
		log.Fatal(err)
	}
	cert, err := root.Issue(context.Background(), key.Public(), cba.Subject{UPN: "jane@yourdomain.com"}, cba.Profile{})
	if err != nil {
		log.Fatal(err)
	}
	id, err := certuserid.FromCertificate(cert, certuserid.PrincipalName)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(id)

	bundle := pfx.Bundle{Key: key, Certificate: cert, Chain: root.CACertificates(), FriendlyName: "Jane"}
	encoding := pfx.For(pfx.Windows11, pfx.MacOS14)
	file, err := encoding.Encode(bundle, pfx.GeneratePassword())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("jane.pfx:", encoding, len(file) > 0) // os.WriteFile("jane.pfx", file, 0o600)
	// Output:
	// X509:<PN>jane@yourdomain.com
	// jane.pfx: compat true
}

// exampleRoot is the CA of the examples below.
func exampleRoot() *cba.Issuer {
	root, err := cba.NewRoot(context.Background(), cba.Authority{
		Name:    dn.Name{{{Type: dn.CommonName, Value: "Contoso Root CA"}}},
		KeyType: cba.P256,
	})
	if err != nil {
		log.Fatal(err)
	}
	return root
}

func exampleKey() crypto.Signer {
	key, err := cba.P256.Generate()
	if err != nil {
		log.Fatal(err)
	}
	return key
}

// A root that stays offline and a CA below it that issues. Both certificates go
// into the tenant's trust store.
func ExampleIssuer_NewIntermediate() {
	name, err := dn.Parse("CN=Contoso Issuing CA,O=Contoso")
	if err != nil {
		log.Fatal(err)
	}
	issuing, err := exampleRoot().NewIntermediate(context.Background(), cba.Authority{
		Name:    name,
		KeyType: cba.P256,
		CRLURLs: []string{"http://crl.contoso.com/root.crl"},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, cert := range issuing.CACertificates() {
		fmt.Println(cert.Subject)
	}
	fmt.Println(issuing.Findings())
	// Output:
	// CN=Contoso Issuing CA,O=Contoso
	// CN=Contoso Root CA
	// []
}

func ExampleNewRoot() {
	name, err := dn.Parse("CN=Contoso Root CA,DC=contoso,DC=com")
	if err != nil {
		log.Fatal(err)
	}
	root, err := cba.NewRoot(context.Background(), cba.Authority{Name: name, KeyType: cba.P384, Validity: 15 * 365 * cba.Day})
	if err != nil {
		log.Fatal(err)
	}
	key, err := cba.EncodeKey(root.Key) // PEM; keep it in a file with mode 0600
	if err != nil {
		log.Fatal(err)
	}
	again, err := cba.ParseIssuer(cba.EncodeCertificates(root.Certificate), key)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(again.Certificate.Equal(root.Certificate), again.Certificate.SignatureAlgorithm)
	// Output: true ECDSA-SHA384
}

// What is wrong with the files of a CA is said in words.
func ExampleParseIssuer() {
	root := exampleRoot()
	other, err := cba.EncodeKey(exampleKey())
	if err != nil {
		log.Fatal(err)
	}
	_, err = cba.ParseIssuer(cba.EncodeCertificates(root.Certificate), other)
	fmt.Println(err)
	_, err = cba.ParseIssuer(cba.EncodeCertificates(root.Certificate))
	fmt.Println(err)
	// Output:
	// cba: CA key: key mismatch: "CN=Contoso Root CA"; give the private key that was made for this certificate
	// cba: private key: missing; give the file that has it
}

// A CA that came as a PFX file.
func ExampleNewIssuer() {
	root := exampleRoot()
	file, err := pfx.Compatible.Encode(pfx.Bundle{Key: root.Key, Certificate: root.Certificate}, "a-password-for-tests")
	if err != nil {
		log.Fatal(err)
	}

	b, err := pfx.Decode(file, "a-password-for-tests")
	if err != nil {
		log.Fatal(err)
	}
	issuer, err := cba.NewIssuer(b.Certificate, b.Key, b.Chain...)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(issuer.Certificate.Subject)
	// Output: CN=Contoso Root CA
}

// Two steps: look at the certificate, then sign it.
func ExampleIssuer_Prepare() {
	name, err := dn.Parse("CN=Jane,DC=contoso,DC=com")
	if err != nil {
		log.Fatal(err)
	}
	subject := cba.Subject{Name: name}
	profile := cba.Profile{Validity: 30 * cba.Day, CRLURLs: []string{"https://crl.contoso.com/ca.crl"}}
	draft, err := exampleRoot().Prepare(exampleKey().Public(), subject, profile)
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range draft.Findings.Sorted() {
		fmt.Printf("%v %s: %s\n", f.Severity, f.Code, f.What)
	}
	if draft.Findings.Worst() == lint.Error {
		fmt.Println("not signed")
	}
	// Output:
	// error cert-no-upn: no UPN and no e-mail address
	// warning cert-crl-url: no http URL, but "https://crl.contoso.com/ca.crl"
	// not signed
}

func ExampleDraft_Sign() {
	draft, err := exampleRoot().Prepare(exampleKey().Public(), cba.Subject{UPN: "jane@yourdomain.com"}, cba.Profile{})
	if err != nil {
		log.Fatal(err)
	}
	cert, err := draft.Sign(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(cert.Subject)
	_, err = draft.Sign(context.Background())
	fmt.Println(err)
	// Output:
	// CN=jane@yourdomain.com
	// cba: draft: already signed; prepare another draft: two certificates must not have one serial number
}

// A smart card user of a hybrid tenant: UPN, e-mail address and the SID that
// domain controllers ask for.
func ExampleIssuer_Issue() {
	sid, err := cba.ParseSID("S-1-5-21-1381186052-4247692386-135928078-1225")
	if err != nil {
		log.Fatal(err)
	}
	hardware, err := cba.ParseOID("1.2.3.4")
	if err != nil {
		log.Fatal(err)
	}
	profile := cba.SmartcardUser()
	profile.Policies = []x509.OID{hardware} // what a binding rule for multifactor names
	cert, err := exampleRoot().Issue(context.Background(), exampleKey().Public(), cba.Subject{
		UPN:    "jane@yourdomain.com",
		Emails: []string{"jane@yourdomain.com"},
		SID:    sid,
	}, profile)
	if err != nil {
		log.Fatal(err)
	}
	names, err := cba.NamesOf(cert)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(names.UPNs, names.Emails, names.SID(), cert.PolicyIdentifiers)
	// Output: [jane@yourdomain.com] [jane@yourdomain.com] S-1-5-21-1381186052-4247692386-135928078-1225 [1.2.3.4]
}

// What Issue refuses, and why, for a program that branches on it.
func ExampleError() {
	_, err := exampleRoot().Issue(context.Background(), exampleKey().Public(), cba.Subject{UPN: "jane\n@yourdomain.com"}, cba.Profile{})
	var e *cba.Error
	if errors.As(err, &e) && e.Reason == cba.ControlCharacter {
		fmt.Printf("the %s is not usable: %q\n", e.What, e.Text)
	}
	fmt.Println(err)
	// Output:
	// the UPN is not usable: "jane\n@yourdomain.com"
	// cba: UPN: control character: "jane\n@yourdomain.com"; type the value again without tabs, line breaks and other control characters
}

// A request gives its key. Its names are compared with those that the caller
// knows to be right, and are never followed.
func ExampleIssuer_PrepareRequest() {
	theirs, err := cba.NewRequest(context.Background(), exampleKey(), cba.Subject{UPN: "admin@yourdomain.com"})
	if err != nil {
		log.Fatal(err)
	}
	file := theirs.PEM()

	request, err := cba.ParseRequest(file)
	if err != nil {
		log.Fatal(err)
	}
	draft, err := exampleRoot().PrepareRequest(request, cba.Subject{UPN: "jane@yourdomain.com"}, cba.Profile{})
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range draft.Findings {
		if f.Severity >= lint.Warning {
			fmt.Println(f)
		}
	}
	names, err := cba.NamesOf(draft.Certificate)
	fmt.Println(names.UPNs, err)
	// Output:
	// warning: request-upn: request: asks for the UPN "admin@yourdomain.com", which the certificate does not get; ask who sent the request: a certificate with another UPN is for another account
	// [jane@yourdomain.com] <nil>
}

// A request for one's own key, for a CA that reads the names from it.
func ExampleNewRequest() {
	request, err := cba.NewRequest(context.Background(), exampleKey(), cba.Subject{UPN: "jane@yourdomain.com"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.35s\n", request.PEM())
	fmt.Println(request.Name, request.Names.UPNs)
	// Output:
	// -----BEGIN CERTIFICATE REQUEST-----
	// CN=jane@yourdomain.com [jane@yourdomain.com]
}

func ExampleParseRequest() {
	_, err := cba.ParseRequest([]byte("-----BEGIN CERTIFICATE REQUEST-----\nMIIB"))
	fmt.Println(err)
	// Output: cba: request: malformed; PEM block 1: it breaks off: there is no line -----END CERTIFICATE REQUEST-----
}

func ExampleRequest_Compare() {
	request, err := cba.NewRequest(context.Background(), exampleKey(), cba.Subject{UPN: "jane@yourdomain.com", DNSNames: []string{"dc1.contoso.com"}})
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range request.Compare(cba.Subject{UPN: "jane@yourdomain.com"}) {
		fmt.Println(f.Code, "-", f.What)
	}
	// Output: request-names - asks for the DNS name "dc1.contoso.com", which the certificate does not get
}

// A list of users on all cores. PFX files are packed by the workers, results come
// in the order of the list, and a user who cannot be served does not stop the
// others.
func ExampleIssuer_IssueAll() {
	root := exampleRoot()
	list := cba.Tasks(
		cba.Subject{UPN: "jane@yourdomain.com"},
		cba.Subject{UPN: "john@yourdomain.com"},
		cba.Subject{UPN: "Jane@yourdomain.com"},
		cba.Subject{UPN: "alex@yourdomain.com"},
	)
	bulk := cba.Bulk{
		KeyType: cba.P256,
		Finish: func(_ context.Context, r *cba.Result) (err error) {
			b := pfx.Bundle{Key: r.Key, Certificate: r.Certificate, Chain: root.CACertificates()}
			r.Made, err = pfx.Compatible.Encode(b, pfx.GeneratePassword())
			return err
		},
	}
	for r, err := range root.IssueAll(context.Background(), list, bulk) {
		if err != nil {
			fmt.Println(r.Index, err)
			continue
		}
		fmt.Println(r.Index, r.Task.Subject, len(r.Made.([]byte)) > 1000)
	}
	// Output:
	// 0 jane@yourdomain.com true
	// 1 john@yourdomain.com true
	// 2 cba: user: duplicate: "Jane@yourdomain.com"; list every user once
	// 3 alex@yourdomain.com true
}

// memory is a journal for the example; a real one writes to disk.
type memory map[string]string

func (m memory) Done(_ context.Context, s cba.Subject) (bool, error) { return m[s.UPN] != "", nil }

func (m memory) Record(_ context.Context, r cba.Result) error {
	m[r.Task.Subject.UPN] = fmt.Sprintf("%x", r.Certificate.SerialNumber)
	return nil
}

// A list that was cut off is given again: nobody gets a second certificate.
func ExampleJournal() {
	root, journal := exampleRoot(), memory{}
	list := cba.Tasks(cba.Subject{UPN: "jane@yourdomain.com"}, cba.Subject{UPN: "john@yourdomain.com"})
	bulk := cba.Bulk{KeyType: cba.P256, Workers: 1, Journal: journal}
	for r, err := range root.IssueAll(context.Background(), cba.Tasks(cba.Subject{UPN: "jane@yourdomain.com"}), bulk) {
		fmt.Println(r.Task.Subject, r.Skipped, err)
	}
	for r, err := range root.IssueAll(context.Background(), list, bulk) {
		fmt.Println(r.Task.Subject, r.Skipped, err)
	}
	// Output:
	// jane@yourdomain.com false <nil>
	// jane@yourdomain.com true <nil>
	// john@yourdomain.com false <nil>
}

// What a PIV card says beside the UPN is ignored, and named.
func ExampleNamesOf() {
	cert, err := exampleRoot().Issue(context.Background(), exampleKey().Public(), cba.Subject{
		UPN: "1234567890@mil", URIs: []string{"urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"},
	}, cba.Profile{})
	if err != nil {
		log.Fatal(err)
	}
	names, err := cba.NamesOf(cert)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("UPN:", names.UPNs)
	fmt.Println("URI:", names.URIs)
	for _, ignored := range names.Ignored {
		fmt.Println("ignored:", ignored)
	}
	// Output:
	// UPN: [1234567890@mil]
	// URI: [urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6]
}

// A certificate is due when a fifth of its validity is left.
func ExampleRenewalTime() {
	notBefore := time.Date(2026, 1, 10, 0, 0, 0, 0, time.UTC)
	notAfter := notBefore.AddDate(0, 0, 365)
	due := cba.RenewalTime(notBefore, notAfter, cba.DefaultRenewal)
	fmt.Println("expires", notAfter.Format(time.DateOnly), "due since", due.Format(time.DateOnly))
	// Output: expires 2027-01-10 due since 2026-10-29
}

// Why does this certificate not sign in? Findings looks at any certificate.
func ExampleFindings() {
	pem := []byte(serverCertificate)
	chain, err := cba.ParseCertificates(pem)
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range cba.Findings(chain, cba.FindingsOptions{UPN: "jane@yourdomain.com"}).Sorted() {
		fmt.Printf("%v %s: %s\n", f.Severity, f.Code, f.What)
	}
	// Output:
	// error cert-no-upn: no UPN and no e-mail address
	// error cert-no-client-auth: has no clientAuth
	// warning cert-validity-long: is 3652 days
	// info cert-no-crl-url: no CRL URL in the certificate
}

func ExampleIssuer_Findings() {
	fmt.Println(exampleRoot().Findings())
	// Output: []
}

func ExampleCheckUPN() {
	fmt.Println(cba.CheckUPN("bob@woodgrove")) // no mail reaches it, and it is legal
	fmt.Println(cba.CheckUPN(" "))
	// Output:
	// <nil>
	// cba: UPN: empty: " "; it is required
}

func ExampleCheckKey() {
	fmt.Println(cba.CheckKey(exampleKey().Public()))
	fmt.Println(cba.CheckKey(nil))
	// Output:
	// <nil>
	// cba: public key: empty; it is required
}

func ExampleParseSID() {
	sid, err := cba.ParseSID("S-1-5-21-1381186052-4247692386-135928078-1225")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(sid.URI())
	_, err = cba.ParseSID("1225")
	fmt.Println(err)
	// Output:
	// tag:microsoft.com,2022-09-14:sid:S-1-5-21-1381186052-4247692386-135928078-1225
	// cba: SID: malformed: "1225": it must begin with S-1-
}

func ExampleParseOID() {
	oid, err := cba.ParseOID("2.5.29.32.0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(oid.Equal(cba.AllIssuancePolicies()))
	_, err = cba.ParseOID("All Issuance Policies")
	fmt.Println(err)
	// Output:
	// true
	// cba: object identifier: malformed: "All Issuance Policies"; write it in dotted form, such as 1.2.3.4
}

// The certificate that Intune's documentation asks of a template.
func ExampleIntuneUser() {
	cert, err := exampleRoot().Issue(context.Background(), exampleKey().Public(), cba.Subject{UPN: "jane@yourdomain.com"}, cba.IntuneUser())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(cert.ExtKeyUsage)+len(cert.UnknownExtKeyUsage), "usages")
	// Output: 3 usages
}

func ExampleSmartcardUser() {
	cert, err := exampleRoot().Issue(context.Background(), exampleKey().Public(), cba.Subject{UPN: "jane@yourdomain.com"}, cba.SmartcardUser())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(cert.UnknownExtKeyUsage)
	// Output: [1.3.6.1.4.1.311.20.2.2]
}

// Key types have a text form, for flags and files.
func ExampleKeyType() {
	var t cba.KeyType
	if err := t.UnmarshalText([]byte("p256")); err != nil {
		log.Fatal(err)
	}
	key, err := t.Generate()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(t, cba.CheckKey(key.Public()))
	fmt.Println(t.UnmarshalText([]byte("dsa")))
	// Output:
	// p256 <nil>
	// cba: key type: unknown: "dsa"; use one of rsa2048, rsa3072, rsa4096, p256, p384, p521
}

// Keys and certificates as PEM and back.
func ExampleParseKey() {
	key := exampleKey()
	text, err := cba.EncodeKey(key)
	if err != nil {
		log.Fatal(err)
	}
	again, err := cba.ParseKey(text)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(again.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(key.Public()))
	_, err = cba.ParseKey([]byte("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n"))
	fmt.Println(err)
	// Output:
	// true
	// cba: private key: encrypted; remove the password first: openssl pkey -in FILE -out NEW, and delete NEW afterwards
}

func ExampleParseCertificates() {
	issuing, err := exampleRoot().NewIntermediate(context.Background(), cba.Authority{
		Name: dn.Name{{{Type: dn.CommonName, Value: "Contoso Issuing CA"}}}, KeyType: cba.P256,
	})
	if err != nil {
		log.Fatal(err)
	}
	certs, err := cba.ParseCertificates(cba.EncodeCertificates(issuing.CACertificates()...))
	fmt.Println(len(certs), err)
	// Output: 2 <nil>
}

// serverCertificate is a certificate for a web server, made by OpenSSL 3.0.19.
const serverCertificate = `-----BEGIN CERTIFICATE-----
MIIB5TCCAYugAwIBAgIQHoyXQUS/hpZEI/pkZAgtjDAKBggqhkjOPQQDAjBIMRMw
EQYKCZImiZPyLGQBGRYDY29tMRcwFQYKCZImiZPyLGQBGRYHY29udG9zbzEYMBYG
A1UEAwwPQ29udG9zbyBUZXN0IENBMB4XDTI2MTEyMTIxMTczM1oXDTM2MTEyMDIx
MTczM1owGjEYMBYGA1UEAwwPd3d3LmNvbnRvc28uY29tMFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAEFWm75TprVEMnwAoGhjWb+/lcDhTLPrUJkVU5GV6BPhhzq4dC
6alLIbpTH9+SkpyJRqB3Hvvk1d0rPRN60snF5aOBhDCBgTAaBgNVHREEEzARgg93
d3cuY29udG9zby5jb20wEwYDVR0lBAwwCgYIKwYBBQUHAwEwDgYDVR0PAQH/BAQD
AgeAMB0GA1UdDgQWBBQmE9ddAonqQE3A9mX6Gr2qKLbMLDAfBgNVHSMEGDAWgBQf
i7/Gg2iTSq39aFbPNRC1XQKoczAKBggqhkjOPQQDAgNIADBFAiEAwNW4hccM/9Ot
M1pq4vDC9UdMF65ImBvDPWyVaR9HRC8CIHTFvgtaSx+OIaZEAceNrdGAmkw4qJb3
Zjl7XJoXxppv
-----END CERTIFICATE-----
`
