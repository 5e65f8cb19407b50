package intune_test

import (
	"encoding/json"
	"testing"

	"example.com/entracba/cba"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/internal/interop"
	"example.com/entracba/cba/intune"
	"github.com/google/go-cmp/cmp"
)

const readNames = `
import json, sys
from cryptography import x509
c = x509.load_pem_x509_certificate(sys.stdin.buffer.read())
san = c.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
print(json.dumps({
  "subject": [[[a.oid.dotted_string, a.value] for a in sorted(r, key=lambda a: a.oid.dotted_string)] for r in c.subject.rdns],
  "upns": [n.value.hex() for n in san.get_values_for_type(x509.OtherName) if n.type_id.dotted_string == "1.3.6.1.4.1.311.20.2.3"],
  "emails": san.get_values_for_type(x509.RFC822Name),
  "dns": san.get_values_for_type(x509.DNSName),
  "uris": san.get_values_for_type(x509.UniformResourceIdentifier),
}))
`

// The certificate that comes of a template and of values full of separators holds,
// for Python's cryptography, the parts of the template and the values to the letter.
func TestPythonReadsNames(t *testing.T) {
	python := interop.Python(t)
	root, err := cba.NewRoot(t.Context(), cba.Authority{Name: dn.Name{{{Type: dn.CommonName, Value: "Contoso Root CA"}}}, KeyType: cba.P256})
	if err != nil {
		t.Fatal(err)
	}
	key, err := cba.P256.Generate()
	if err != nil {
		t.Fatal(err)
	}
	a := jane(t)
	a.UserName = "Doe, Jane+CN=Admin \"x\"\\"
	a.DeviceName = ";OU=é"
	p := good()
	p.Subject = `CN={{UserName}},OU="Mobile, ""{{DeviceName}}"""+L=Redmond;C=US`
	p.AltNames = append(p.AltNames,
		intune.AltName{Type: intune.EmailName, Value: "{{EmailAddress}}"},
		intune.AltName{Type: intune.DNSName, Value: "{{FullyQualifiedDomainName}}"},
		intune.AltName{Type: intune.URIName, Value: "IntuneDeviceId://{{DeviceId}}"},
		intune.AltName{Type: intune.URIName, Value: "{{OnPremisesSecurityIdentifier}}"})
	spec, err := p.For(a, root.Certificate.NotBefore.AddDate(0, 0, 1))
	if err != nil {
		t.Fatal(err)
	}
	cert, err := root.Issue(t.Context(), key.Public(), spec.Subject, spec.Profile)
	if err != nil {
		t.Fatal(err)
	}
	out := python.Run(t, cba.EncodeCertificates(cert), "-c", readNames)
	type names struct {
		Subject                 [][][2]string
		UPNs, Emails, DNS, URIs []string
	}
	var got names
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	want := names{
		Subject: [][][2]string{
			{{"2.5.4.3", a.UserName}},
			{{"2.5.4.11", `Mobile, ";OU=é"`}, {"2.5.4.7", "Redmond"}},
			{{"2.5.4.6", "US"}},
		},
		UPNs:   []string{"0c136a616e6540796f7572646f6d61696e2e636f6d"},
		Emails: []string{"jane@yourdomain.com"},
		DNS:    []string{"pc1.corp.contoso.com"},
		URIs:   []string{"IntuneDeviceId://77aa", "tag:microsoft.com,2022-09-14:sid:" + sidText},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if cert.NotAfter.Sub(cert.NotBefore) < 364*cba.Day {
		t.Errorf("valid from %v to %v", cert.NotBefore, cert.NotAfter)
	}
}
