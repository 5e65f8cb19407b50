package certuserid_test

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log"
	"os"

	"example.com/entracba/cba/certuserid"
)

// certificate reads a certificate of the tests.
func certificate(name string) *x509.Certificate {
	content, err := os.ReadFile("testdata/certs/" + name + ".pem")
	if err != nil {
		log.Fatal(err)
	}
	block, _ := pem.Decode(content)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		log.Fatal(err)
	}
	return cert
}

// A user does not get in. Why does the stored value not fit the card, and what
// should it be?
func Example() {
	cert := certificate("kb5014754")
	stored := "X509:<I>CN=CONTOSO-DC-CA, DC=contoso, DC=com<SR>2B0000000011AC0000000012"

	result := certuserid.Match(stored, cert)
	fmt.Println(result.Fit)
	for _, finding := range result.Findings {
		fmt.Printf("%v: %s\n", finding.Severity, finding.What)
	}
	fmt.Println(result.Right)
	// Output:
	// unfit
	// error: there are spaces around the separators of a name
	// error: the parts of a name are in another order than in the certificate: "CN=CONTOSO-DC-CA, DC=contoso, DC=com"
	// info: hexadecimal digits are in uppercase; it is inferred, not documented, that Entra ignores case
	// error: the bytes of the serial number are in the order in which they are printed
	// X509:<I>DC=com,DC=contoso,CN=CONTOSO-DC-CA<SR>1200000000ac11000000002b
}

// Make the value that binds one certificate, and no other, to an account.
func ExampleFromCertificate() {
	cert := certificate("gsa-piv")
	id, err := certuserid.FromCertificate(cert, certuserid.IssuerAndSerialNumber)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(id)
	// Output: X509:<I>C=US,O=U.S. Government,OU=Certification Authorities,OU=Government Demonstration CA<SR>46a65d49
}

// Ask for a mapping that the certificate has no field for.
func ExampleFromCertificate_missing() {
	cert := certificate("bare")
	_, err := certuserid.FromCertificate(cert, certuserid.SKI)
	if errors.Is(err, certuserid.NoField) {
		fmt.Println(err)
	}
	// Output: certuserid: SKI: the certificate has no such field
}

// List what a certificate offers, with the affinity of each.
func ExampleAll() {
	for _, id := range certuserid.All(certificate("contoso-user")) {
		fmt.Printf("%-21v %-4v %v\n", id.Mapping().Name(), id.Mapping().Affinity(), id)
	}
	// Output:
	// PrincipalName         low  X509:<PN>contoso@microsoft.com
	// IssuerAndSubject      low  X509:<I>CN=Contoso<S>DC=com,DC=contoso,DC=corp,OU=UserAccounts,CN=Contoso User
	// Subject               low  X509:<S>DC=com,DC=contoso,DC=corp,OU=UserAccounts,CN=Contoso User
	// SKI                   high X509:<SKI>c6f4e96caad84640361f9fb5f74f6308247cb8b4
	// SHA1PublicKey         high X509:<SHA1-PUKEY>88ce9ac7a29e7182aabfc50c8f66c3e94a7f8cff
	// IssuerAndSerialNumber high X509:<I>CN=Contoso<SR>8a2d086464fa23449686bf4441978c1e
}

// Find what Microsoft's cmdlet wrote, to replace it.
func ExampleOptions_FromCertificate() {
	cert := certificate("contoso-user")
	cmdlet := certuserid.Options{BrokenBigEndianSerial: true}
	broken, err := cmdlet.FromCertificate(cert, certuserid.IssuerAndSerialNumber)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(broken)
	// Output: X509:<I>CN=Contoso<SR>1e8c974144bf86964423fa6464082d8a
}

// Make the values for a certificate with two UPNs, of which the second counts.
func ExampleOptions_All() {
	options := certuserid.Options{UPN: "jd@yourdomain.com"}
	fmt.Println(options.All(certificate("rare-types"))[0])
	// Output: X509:<PN>jd@yourdomain.com
}

// Take a stored value apart.
func ExampleParse() {
	id, err := certuserid.Parse("X509:<I>DC=com,DC=contoso,CN=CONTOSO-DC-CA<SR>1200000000ac11000000002b")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(id.Mapping(), id.Mapping().Affinity())
	fmt.Println(id.Issuer())
	fmt.Println(id.Value())
	fmt.Printf("%x\n", id.SerialNumber())
	// Output:
	// IssuerAndSerialNumber high
	// DC=com,DC=contoso,CN=CONTOSO-DC-CA
	// 1200000000ac11000000002b
	// 2b0000000011ac0000000012
}

// Say where a value is wrong.
func ExampleParse_error() {
	_, err := certuserid.Parse("X509:<S>DC=com, CN=Jane")
	fmt.Println(err)
	var parse *certuserid.Error
	if errors.As(err, &parse) {
		fmt.Println(parse.Reason == certuserid.StraySpace, parse.Offset)
	}
	// Output:
	// certuserid: stray space, at byte 15 of "X509:<S>DC=com, CN=Jane"
	// true 15
}

// Put a value right that was pasted from somewhere, without the certificate.
func ExampleNormalize() {
	id, findings := certuserid.Normalize(`"X509:<S>C=US, ST=WA, O=Contoso\, Ltd., CN=Jane+UID=7"`, nil)
	fmt.Println(id)
	for _, finding := range findings {
		fmt.Println(finding.Code)
	}
	// Output:
	// X509:<S>C=US,S=WA,O="Contoso, Ltd.",CN=Jane OID.0.9.2342.19200300.100.1.1=7
	// userid-quotes
	// userid-name-space
	// userid-name-type
	// userid-name-escape
	// userid-name-plus
	// userid-name-type
	// userid-name-quoted
}

// Have the certificate tell what only it can tell: that the serial number is
// decimal.
func ExampleNormalize_certificate() {
	id, findings := certuserid.Normalize("X509:<I>DC=com,DC=example,CN=CONTOSO-DC-CA<SR>1181914561", certificate("gitlab-rootfirst"))
	fmt.Println(id)
	fmt.Println(findings[0].Code)
	// Output:
	// X509:<I>DC=com,DC=example,CN=CONTOSO-DC-CA<SR>c1957246
	// userid-serial-decimal
}

// See on what assumption a value fits.
func ExampleMatch() {
	result := certuserid.Match("X509:<SKI>C6F4E96CAAD84640361F9FB5F74F6308247CB8B4", certificate("contoso-user"))
	fmt.Println(result.Fit, result.Mapping)
	fmt.Println(result.Findings[0].What)
	fmt.Println(result.Findings[0].Source)
	// Output:
	// assumed SubjectKeyIdentifier
	// hexadecimal digits are in uppercase; it is inferred, not documented, that Entra ignores case
	// open question 9.4
}

// Compare one certificate with the values of many accounts: the certificate's
// values are made once, and each comparison allocates nothing.
func ExampleValues_Fit() {
	values := certuserid.Options{}.Values(certificate("contoso-user"))
	accounts := map[string]string{
		"bob":   "X509:<SKI>0102030405060708090a0b0c0d0e0f1011121314",
		"jane":  "X509:<SKI>c6f4e96caad84640361f9fb5f74f6308247cb8b4",
		"jane2": "X509:<SKI>C6F4E96CAAD84640361F9FB5F74F6308247CB8B4",
	}
	for _, name := range []string{"bob", "jane", "jane2"} {
		fmt.Println(name, values.Fit(certuserid.SKI, accounts[name]))
	}
	// Output:
	// bob unfit
	// jane exact
	// jane2 assumed
}

// Put several stored values right for one certificate.
func ExampleValues_Normalize() {
	values := certuserid.Options{}.Values(certificate("kb5014754-short"))
	for _, stored := range []string{"bob@woodgrove", "x509:<PN> bob@woodgrove"} {
		id, _ := values.Normalize(stored)
		fmt.Println(id)
	}
	// Output:
	// X509:<PN>bob@woodgrove
	// X509:<PN>bob@woodgrove
}

// A certificate was renewed: replace the account's values of one mapping, keep all
// others, and write the whole collection back.
func ExampleSet_Replace() {
	account, err := certuserid.NewSet(
		"X509:<PN>contoso@microsoft.com",
		"X509:<SKI>0102030405060708090a0b0c0d0e0f1011121314",
		"badge 4711", // not for certificates; stays as it is
	)
	if err != nil {
		log.Fatal(err)
	}
	renewed, err := certuserid.FromCertificate(certificate("contoso-user"), certuserid.SKI)
	if err != nil {
		log.Fatal(err)
	}
	if err := account.Replace(certuserid.SKI, renewed); err != nil {
		log.Fatal(err)
	}
	fmt.Println(account)
	// Output:
	// X509:<PN>contoso@microsoft.com
	// X509:<SKI>c6f4e96caad84640361f9fb5f74f6308247cb8b4
	// badge 4711
}

// The directory's limits are errors before anything is sent.
func ExampleSet_Add() {
	var account certuserid.Set
	fmt.Println(account.Add("X509:<PN>bob@woodgrove", "X509:<PN>bob@woodgrove"))
	fmt.Println(account.Len())
	// Output:
	// certuserid: the account has this value already: "X509:<PN>bob@woodgrove"
	// 0
}

// Show what a change does before it is made.
func ExampleSet_Diff() {
	before, _ := certuserid.NewSet("X509:<PN>bob@woodgrove", "X509:<SKI>01")
	after := before
	after.Remove("X509:<SKI>01")
	if err := after.Merge("X509:<PN>bob@woodgrove", "X509:<SKI>02"); err != nil {
		log.Fatal(err)
	}
	add, remove := before.Diff(after)
	fmt.Println("add", add)
	fmt.Println("remove", remove)
	// Output:
	// add [X509:<SKI>02]
	// remove [X509:<SKI>01]
}

// Check what an account has.
func ExampleSet_Findings() {
	var account certuserid.Set
	if err := json.Unmarshal([]byte(`["X509:<PN>bob@woodgrove", "X509:<SKI> 01"]`), &account); err != nil {
		log.Fatal(err)
	}
	for _, finding := range account.Findings() {
		fmt.Println(finding)
	}
	// Output: error: userid-space: "X509:<SKI> 01": the value has a space at an end, or inside or next to a tag; remove the space: only spaces inside the values of a name count
}

// Bring values from Active Directory to Entra.
func ExampleParseAltSecurityIdentity() {
	for _, value := range []string{
		"x509:<i>DC=com,DC=contoso,CN=CONTOSO-DC-CA<sr>1200000000AC11000000002B",
		"Kerberos:bob@CONTOSO.COM",
	} {
		id, err := certuserid.ParseAltSecurityIdentity(value)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(id.Mapping().Strength(), id)
	}
	// Output:
	// strong X509:<I>DC=com,DC=contoso,CN=CONTOSO-DC-CA<SR>1200000000AC11000000002B
	// certuserid: does not begin with "X509:<", at byte 0 of "Kerberos:bob@CONTOSO.COM"
}

// Map the same certificate in Active Directory.
func ExampleID_AltSecurityIdentity() {
	for _, id := range certuserid.All(certificate("gsa-piv")) {
		value, err := id.AltSecurityIdentity()
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Printf("%-6v %.30s\n", id.Mapping().Strength(), value)
	}
	// Output:
	// certuserid: PrincipalName: Active Directory does not support this mapping, only Entra does: "X509:<PN>Bob@AGENCY.GOV"
	// weak   X509:<RFC822>john.smith@hhs.go
	// weak   X509:<I>C=US,O=U.S. Government
	// weak   X509:<S>C=US,O=U.S. Government
	// strong X509:<SKI>df2f4b04462a5aba81fe
	// strong X509:<SHA1-PUKEY>2eb08b3722ca9
	// strong X509:<I>C=US,O=U.S. Government
}

// Read the name of a mapping from a flag.
func ExampleParseMapping() {
	for _, name := range []string{"SKI", "SubjectKeyIdentifier", "Subject"} {
		m, err := certuserid.ParseMapping(name)
		fmt.Println(m, m.Name(), m.Affinity(), err)
	}
	_, err := certuserid.ParseMapping("ski")
	fmt.Println(errors.Is(err, certuserid.UnknownMapping))
	// Output:
	// SubjectKeyIdentifier SKI high <nil>
	// SubjectKeyIdentifier SKI high <nil>
	// Subject Subject low <nil>
	// true
}
