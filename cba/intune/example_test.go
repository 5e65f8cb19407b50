package intune_test

import (
	"fmt"
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
	for _, finding := range profile.Findings() {
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
	// info: intune-no-strong-mapping: /strongMapping: strong mapping is off; turn strong mapping on if domain controllers check these certificates; Entra does not read the SID
	// error: intune-key-size-storage: /keySize: the key has 4096 bits and the key storage is useTpmKspOtherwiseUseSoftwareKsp; keep keys of 4096 bits in software: TPM and Windows Hello for Business do not support them
	// jane@yourdomain.com rsa2048
	// CN=Doe\, Jane,emailAddress=jane@yourdomain.com,OU=Mobile
}

func ExampleParseSubject() {
	_, err := intune.ParseSubject("CN={{UserName}},O=Contoso, Ltd", intune.UserCertificate)
	fmt.Println(err)
	subject, err := intune.ParseSubject(`CN={{UserName}},O="Contoso, Ltd"`, intune.UserCertificate)
	fmt.Println(subject.Variables(), err)

	// Output:
	// intune: subject: a part must begin with its type and an equal sign (put a value with a comma in double quotes), at byte 27 of "CN={{UserName}},O=Contoso, Ltd"
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
