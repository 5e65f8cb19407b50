package intune_test

import (
	"crypto/x509"
	"testing"

	"example.com/entracba/cba"
	"example.com/entracba/cba/intune"
)

const sidText = "S-1-5-21-1381186052-4247692386-135928078-1225"

func parseSID(tb testing.TB, text string) cba.SID {
	tb.Helper()
	sid, err := cba.ParseSID(text)
	if err != nil {
		tb.Fatal(err)
	}
	return sid
}

func oid(tb testing.TB, text string) x509.OID {
	tb.Helper()
	o, err := x509.ParseOID(text)
	if err != nil {
		tb.Fatal(err)
	}
	return o
}

// jane has a value for every variable.
func jane(tb testing.TB) intune.Attributes {
	return intune.Attributes{
		UserName: "Jane Doe", UserPrincipalName: "jane@yourdomain.com", EmailAddress: "jane@yourdomain.com",
		OnPremDistinguishedName: "CN=Jane Doe,OU=UserAccounts,DC=corp,DC=contoso,DC=com", OnPremSamAccountName: "jane",
		SID: parseSID(tb, sidText), EntraDeviceID: "9b3f", IntuneDeviceID: "77aa", SerialNumber: "SN1", IMEI: "49015420323751",
		MEID: "A000", WiFiMACAddress: "00005E005301", DeviceName: "PC1", FullyQualifiedDomainName: "pc1.corp.contoso.com",
	}
}

// good is a profile without findings but for what its caller changes.
func good() intune.Profile {
	return intune.Profile{
		Platform: intune.Windows, Type: intune.UserCertificate,
		Subject:    "CN={{UserName}},E={{EmailAddress}},OU=Mobile,O=Finance Group,L=Redmond,ST=Washington,C=US",
		AltNames:   []intune.AltName{{Type: intune.UPNName, Value: "{{UserPrincipalName}}"}},
		KeyStorage: intune.TPMOrSoftware, StrongMapping: true,
	}
}
