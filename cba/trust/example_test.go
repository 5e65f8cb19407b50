package trust_test

import (
	"crypto"
	"crypto/ed25519"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"time"

	"example.com/entracba/cba/keyid"
	"example.com/entracba/cba/trust"
)

// exampleCert issues the certificates of the examples. The keys are made from
// their names, so that every run prints the same: never do that elsewhere.
func exampleCert(name string, ca bool, issuer *x509.Certificate, issuerName string) *x509.Certificate {
	seed := func(s string) ed25519.PrivateKey { return ed25519.NewKeyFromSeed([]byte(fmt.Sprintf("%-32.32s", s))) }
	template := &x509.Certificate{
		SerialNumber: big.NewInt(int64(len(name))), Subject: pkix.Name{CommonName: name, Organization: []string{"Woodgrove"}},
		NotBefore: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC),
		BasicConstraintsValid: ca, IsCA: ca,
		SubjectKeyId: fmt.Appendf(nil, "%-20.20s", "key of "+name),
	}
	if ca {
		template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	}
	key := seed(name)
	parent, signer := issuer, crypto.Signer(seed(issuerName))
	if issuer == nil {
		parent, signer = template, key
	} else {
		template.CRLDistributionPoints = []string{"http://crl.woodgrove.com/" + issuerName + ".crl"}
	}
	der, err := x509.CreateCertificate(nil, template, parent, key.Public(), signer)
	if err != nil {
		panic(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return cert
}

var (
	exampleRoot    = exampleCert("WoodgroveRoot", true, nil, "")
	exampleIssuing = exampleCert("WoodgroveCA", true, exampleRoot, "WoodgroveRoot")
	exampleUser    = exampleCert("jane", false, exampleIssuing, "WoodgroveCA")
	exampleTime    = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
)

// Does the tenant trust this certificate? An administrator has uploaded the
// issuing CA and forgotten the root.
func Example() {
	pki, err := trust.NewPKI("Woodgrove PKI", []*x509.Certificate{exampleIssuing})
	if err != nil {
		panic(err)
	}
	store, err := trust.Config{PKIs: trust.PKIs{pki}}.Compile(trust.Options{})
	if err != nil {
		panic(err)
	}
	chain := store.Chain(exampleUser, exampleTime)
	fmt.Println("trusted:", chain.Trusted, chain.Code())
	for _, step := range chain.Steps() {
		fmt.Printf("%d %v %s: %s\n", step.At, step.Outcome, step.Name, step.Detail)
	}
	// Output:
	// trusted: false AADSTS500176
	// 0 pass validity: CN=jane,O=Woodgrove is valid until 2030-01-01T00:00:00Z
	// 0 pass issuer: the key identifier 6b6579206f6620576f6f6467726f766543412020 is that of CN=WoodgroveCA,O=Woodgrove, whose key signed the certificate
	// 1 pass trust store: PKI "Woodgrove PKI", CA "WoodgroveCA" (in one store only)
	// 1 pass validity: CN=WoodgroveCA,O=Woodgrove is valid until 2030-01-01T00:00:00Z
	// 1 fail issuer: its authority key identifier is 6b6579206f6620576f6f6467726f7665526f6f74, and no CA of the trust stores has this subject key identifier; no CA is named "CN=WoodgroveRoot,O=Woodgrove" either
}

// Read what Microsoft Graph answers, and look at a CA.
func ExampleParsePKIs() {
	answer := `{"value": [{"displayName": "Woodgrove PKI", "certificateAuthorities": [
		{"displayName": "Root", "certificateAuthorityType": "root", "deltacertificateRevocationListUrl": null}]}]}`
	pkis, err := trust.ParsePKIs([]byte(answer))
	if err != nil {
		panic(err)
	}
	fmt.Println(pkis[0].DisplayName, len(pkis[0].CertificateAuthorities))

	_, err = trust.ParsePKIs([]byte(`[{"displayName": "Woodgrove PKI", "certificateAuthorities": [
		{"displayName": "Root", "certificate": "not base64!"}]}]`))
	fmt.Println(err)
	// Output:
	// Woodgrove PKI 1
	// trust: not base64 at /0/certificateAuthorities/0/certificate (PKI "Woodgrove PKI", CA "Root"), byte 103: "not base64!"
}

// Make a configuration from the files that a CA hands out, with the CRLs that
// the CAs publish. One certificate of a user tells where the issuing CA's is.
func ExampleNewPKI() {
	file := slices.Concat(exampleRoot.Raw, exampleIssuing.Raw)
	certs, err := trust.ReadCertificates(file)
	if err != nil {
		panic(err)
	}
	pki, err := trust.NewPKI("Woodgrove PKI", certs, exampleUser)
	if err != nil {
		panic(err)
	}
	for _, ca := range pki.CertificateAuthorities {
		fmt.Println(ca.DisplayName, ca.CertificateAuthorityType, ca.CertificateRevocationListURL)
	}
	// Output:
	// WoodgroveRoot root http://crl.woodgrove.com/WoodgroveRoot.crl
	// WoodgroveCA intermediate http://crl.woodgrove.com/WoodgroveCA.crl
}

// The object for one CA, as the body of a POST.
func ExampleNewAuthority() {
	ca, err := trust.NewAuthority(exampleRoot)
	if err != nil {
		panic(err)
	}
	ca.Certificate = ca.Certificate[:6] // to be short here
	body, err := json.MarshalIndent(ca, "", "  ")
	if err != nil {
		panic(err)
	}
	fmt.Println(string(body))
	// Output:
	// {
	//   "displayName": "WoodgroveRoot",
	//   "certificateAuthorityType": "root",
	//   "certificate": "MIIBSDCB",
	//   "issuer": "CN=WoodgroveRoot,O=Woodgrove",
	//   "issuerSubjectKeyIdentifier": "6b6579206f6620576f6f6467726f7665526f6f74",
	//   "expirationDateTime": "2030-01-01T00:00:00Z",
	//   "thumbprint": "861574a79c8e65d89bdb64dc32a38396d436669e",
	//   "isIssuerHintEnabled": false
	// }
}

// What is wrong with a tenant's trust stores, the worst first.
func ExampleConfig_Findings() {
	pki, err := trust.NewPKI("Woodgrove PKI", []*x509.Certificate{exampleRoot, exampleIssuing})
	if err != nil {
		panic(err)
	}
	// As the service fills it in when a bundle is uploaded.
	pki.CertificateAuthorities[1].CertificateRevocationListURL = exampleIssuing.CRLDistributionPoints[0]
	config := trust.Config{PKIs: trust.PKIs{pki}}
	for _, f := range config.Findings(exampleTime).Sorted() {
		fmt.Println(f.Severity, f.Code)
		fmt.Println(" ", f.Where)
		fmt.Println(" ", f.What)
		fmt.Println("  do:", f.Do)
	}
	// Output:
	// error trust-ca-crl-of-issuer
	//   /publicKeyInfrastructure/0/certificateAuthorities/1/certificateRevocationListUrl
	//   the CRL URL is the distribution point of the CA's own certificate: the CRL there is its issuer's, and a CRL whose authority key identifier is not this CA's is refused with AADSTS2205015
	//   do: set the URL of the CRL that this CA issues
	// info trust-root-no-crl-url
	//   /publicKeyInfrastructure/0/certificateAuthorities/0/certificateRevocationListUrl
	//   the root has no CRL URL, so intermediate CAs that it revokes stay trusted
	//   do: set the URL of the CRL that this root publishes
}

// Add to a PKI what it lacks: the service refuses a bundle with a CA that it has.
func ExamplePKIs_Lacking() {
	stored, err := trust.NewPKI("Woodgrove PKI", []*x509.Certificate{exampleRoot})
	if err != nil {
		panic(err)
	}
	lacking := trust.PKIs{stored}.Lacking([]*x509.Certificate{exampleRoot, exampleIssuing})
	p7b, err := trust.EncodeBundle(lacking)
	if err != nil {
		panic(err)
	}
	fmt.Println("bytes:", len(p7b))
	fmt.Println("sha256FileHash:", trust.FileHash(p7b))
	back, err := trust.DecodeBundle(p7b)
	if err != nil {
		panic(err)
	}
	fmt.Println("holds:", back[0].Subject)
	// Output:
	// bytes: 476
	// sha256FileHash: 5E6B35F34541C4CCF4FE0BCF04B44AECFD5A03611D6BC1DB2FB659DB15B1C7ED
	// holds: CN=WoodgroveCA,O=Woodgrove
}

// Which names are sent to clients, and do they fit?
func ExampleStore_Hints() {
	pki, err := trust.NewPKI("Woodgrove PKI", []*x509.Certificate{exampleRoot, exampleIssuing})
	if err != nil {
		panic(err)
	}
	pki.CertificateAuthorities[1].IsIssuerHintEnabled = new(true)
	store, err := trust.Config{PKIs: trust.PKIs{pki}}.Compile(trust.Options{})
	if err != nil {
		panic(err)
	}
	hints := store.Hints()
	for _, hint := range hints.List {
		fmt.Println(hint.Subject)
	}
	fmt.Println(hints.TLS13(), "of", trust.MaxHintBytes, "bytes")
	fmt.Println("clients offer jane's certificate:", hints.Reach(store.Chain(exampleUser, exampleTime)))
	// Output:
	// CN=WoodgroveCA,O=Woodgrove
	// 52 of 16384 bytes
	// clients offer jane's certificate: true
}

// Move the CAs of the classic store to a PKI.
func ExampleClassic_PKI() {
	classic := trust.Classic{CertificateAuthorities: []trust.ClassicAuthority{
		{Certificate: exampleRoot.Raw, IsRootAuthority: true, CertificateRevocationListURL: "http://crl.woodgrove.com/WoodgroveRoot.crl"},
		{Certificate: exampleIssuing.Raw, CertificateRevocationListURL: "http://crl.woodgrove.com/WoodgroveCA.crl"},
	}}
	pki, err := classic.PKI("Woodgrove PKI")
	if err != nil {
		panic(err)
	}
	for _, ca := range pki.CertificateAuthorities {
		fmt.Println(ca.DisplayName, ca.CertificateAuthorityType, ca.CertificateRevocationListURL)
	}
	store, err := trust.Config{PKIs: trust.PKIs{pki}, Classic: classic}.Compile(trust.Options{})
	if err != nil {
		panic(err)
	}
	for _, ca := range store.WithSKI(keyid.ID(pki.CertificateAuthorities[1].IssuerSubjectKeyIdentifier)) {
		fmt.Println("in force:", ca.Origin, "-", ca.Why)
	}
	// Output:
	// WoodgroveRoot root http://crl.woodgrove.com/WoodgroveRoot.crl
	// WoodgroveCA intermediate http://crl.woodgrove.com/WoodgroveCA.crl
	// in force: PKI-based store - pki-preferred
}

// A CA that is in both stores with different CRLs: the classic entry is used.
func ExampleCA_precedence() {
	pki, err := trust.NewPKI("Woodgrove PKI", []*x509.Certificate{exampleRoot})
	if err != nil {
		panic(err)
	}
	pki.CertificateAuthorities[0].CertificateRevocationListURL = "http://crl.woodgrove.com/new.crl"
	config := trust.Config{
		PKIs: trust.PKIs{pki},
		Classic: trust.Classic{CertificateAuthorities: []trust.ClassicAuthority{
			{Certificate: exampleRoot.Raw, IsRootAuthority: true, CertificateRevocationListURL: "http://crl.woodgrove.com/old.crl"},
		}},
	}
	store, err := config.Compile(trust.Options{})
	if err != nil {
		panic(err)
	}
	for _, ca := range store.CAs() {
		fmt.Println(ca.CRL)
		fmt.Println(ca.Why)
	}
	// Output:
	// http://crl.woodgrove.com/old.crl
	// crls-differ
}

// Read the classic store, whose answer is a list of one.
func ExampleParseClassic() {
	classic, err := trust.ParseClassic([]byte(`{"value": [{"id": "29728ade-6ae4-4ee9-9103-412912537da5",
		"certificateAuthorities": [{"isRootAuthority": true, "certificate": "MIIB", "issuerSki": "0102"}]}]}`))
	if err != nil {
		panic(err)
	}
	fmt.Println(classic.ID == trust.ClassicID, classic.CertificateAuthorities[0].IssuerSKI)
	_, err = trust.Config{Classic: classic}.Compile(trust.Options{RefuseUnreadable: true})
	fmt.Println(err)
	// Output:
	// true 0102
	// trust: not a certificate at /certificateBasedAuthConfiguration/certificateAuthorities/0/certificate (classic store, CA 1): x509: malformed certificate
}

// Where a certificate says that its issuer publishes its CRL.
func ExampleCRLURLs() {
	base, delta := trust.CRLURLs(exampleUser)
	fmt.Printf("%q %q\n", base, delta)
	// Output:
	// "http://crl.woodgrove.com/WoodgroveCA.crl" ""
}
