package intune_test

import (
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"example.com/entracba/cba/intune"
)

func Example() {
	profile := intune.Profile{
		Platform: intune.Windows, Type: intune.UserCertificate,
		Subject:    "CN={{UserName}},E={{EmailAddress}},OU=Mobile",
		AltNames:   []intune.AltName{{Type: intune.UPNName, Value: "{{UserPrincipalName}}"}},
		KeyStorage: intune.TPMOrSoftware,
		KeySize:    4096,
	}
	for _, finding := range profile.Check() {
		fmt.Println(finding)
	}
	profile.KeySize = 2048

	jane := intune.Attributes{UserName: "Doe, Jane", UserPrincipalName: "jane@yourdomain.com", EmailAddress: "jane@yourdomain.com"}
	spec, err := profile.For(jane, time.Now())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(spec.Subject.UPN, spec.KeyType)
	fmt.Println(spec.Subject.Name.RootFirst()) // the comma is part of the value
	// root.Issue(key.Public(), spec.Subject, spec.Profile)

	// Output:
	// info: intune-no-strong-mapping: strongMapping: is off; turn strong mapping on if domain controllers see these certificates; Entra does not read it
	// error: intune-key-size-storage: keySize: is 4096 with key storage useTpmKspOtherwiseUseSoftwareKsp; keep keys of 4096 bits in software: TPM and Windows Hello for Business take none
	// jane@yourdomain.com rsa2048
	// CN=Doe\, Jane,emailAddress=jane@yourdomain.com,OU=Mobile
}

func ExampleParseSubject() {
	_, err := intune.ParseSubject("CN={{UserName}},O=Contoso, Ltd", intune.UserCertificate)
	fmt.Println(err)
	subject, err := intune.ParseSubject(`CN={{UserName}},O="Contoso, Ltd"`, intune.UserCertificate)
	fmt.Println(subject.Variables(), err)

	// Output:
	// intune: subject: a part must begin with its type and an equal sign (a comma in a value needs quotes around the value), at byte 27 of "CN={{UserName}},O=Contoso, Ltd"
	// [{{UserName}}] <nil>
}

func ExampleParseTemplate() {
	template, err := intune.ParseTemplate("{{DeviceName}}.contoso.com", intune.DeviceCertificate)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(template.Expand(intune.Attributes{DeviceName: "pc1"}))

	// Output:
	// pc1.contoso.com <nil>
}

func ExampleDue() {
	year := func(end string) *x509.Certificate {
		notAfter, _ := time.Parse(time.DateOnly, end)
		return &x509.Certificate{NotBefore: notAfter.AddDate(0, 0, -365), NotAfter: notAfter}
	}
	certs := []*x509.Certificate{year("2027-01-10"), year("2027-06-01")}
	today := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	for cert, since := range intune.Due(slices.Values(certs), intune.DefaultThreshold, today) {
		fmt.Println("ends", cert.NotAfter.Format(time.DateOnly), "due since", since.Format(time.DateOnly))
	}

	// Output:
	// ends 2027-01-10 due since 2026-10-29
}
