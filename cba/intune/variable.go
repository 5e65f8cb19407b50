package intune

import (
	"fmt"
	"strings"

	"example.com/entracba/cba"
)

// A Variable stands in a template for an attribute of the user or the device. The
// zero value is unset. The names are those of Learn, "Configure and use PKCS
// certificates with Intune", section "Subject name format".
type Variable uint8

const (
	UserName                 Variable = iota + 1 // {{UserName}}: the user's name, "Jane Doe"
	UserPrincipalName                            // {{UserPrincipalName}}
	EmailAddress                                 // {{EmailAddress}}
	OnPremDistinguishedName                      // {{OnPrem_Distinguished_Name}}, synchronized from Active Directory
	OnPremSamAccountName                         // {{onPremisesSamAccountName}}, synchronized from Active Directory
	OnPremSecurityIdentifier                     // {{OnPremisesSecurityIdentifier}}: see [AltName]
	EntraDeviceID                                // {{AAD_Device_ID}}, {{AzureADDeviceId}}
	IntuneDeviceID                               // {{DeviceId}}
	SerialNumber                                 // {{SerialNumber}}, {{SERIALNUMBER}}, {{Device_Serial}}
	IMEI                                         // {{IMEINumber}}, {{IMEI}}, {{Device_IMEI}}
	MEID                                         // {{MEID}}
	WiFiMACAddress                               // {{WiFiMacAddress}}
	DeviceName                                   // {{DeviceName}}
	FullyQualifiedDomainName                     // {{FullyQualifiedDomainName}}, of Windows in a domain
	lastVariable             = FullyQualifiedDomainName
)

// spellings returns the names that the documentation has for a variable, the
// preferred one first.
func (v Variable) spellings() []string {
	switch v {
	case UserName:
		return []string{"UserName"}
	case UserPrincipalName:
		return []string{"UserPrincipalName"}
	case EmailAddress:
		return []string{"EmailAddress"}
	case OnPremDistinguishedName:
		return []string{"OnPrem_Distinguished_Name"}
	case OnPremSamAccountName:
		return []string{"onPremisesSamAccountName"}
	case OnPremSecurityIdentifier:
		return []string{"OnPremisesSecurityIdentifier"}
	case EntraDeviceID:
		return []string{"AAD_Device_ID", "AzureADDeviceId"}
	case IntuneDeviceID:
		return []string{"DeviceId"}
	case SerialNumber:
		return []string{"SerialNumber", "SERIALNUMBER", "Device_Serial"}
	case IMEI:
		return []string{"IMEINumber", "IMEI", "Device_IMEI"}
	case MEID:
		return []string{"MEID"}
	case WiFiMACAddress:
		return []string{"WiFiMacAddress"}
	case DeviceName:
		return []string{"DeviceName"}
	case FullyQualifiedDomainName:
		return []string{"FullyQualifiedDomainName"}
	}
	return nil
}

// String returns the variable as it is written in a template, "{{UserName}}".
func (v Variable) String() string {
	if names := v.spellings(); names != nil {
		return "{{" + names[0] + "}}"
	}
	return fmt.Sprintf("Variable(%d)", uint8(v))
}

// variableByName finds a variable by any of its names. exact says whether the
// documentation has this letter case. The documentation has both SERIALNUMBER and
// SerialNumber, so letter case seems not to matter to Intune.
func variableByName(name string) (v Variable, exact bool) {
	for v := Variable(1); v <= lastVariable; v++ {
		for _, spelling := range v.spellings() {
			if spelling == name {
				return v, true
			}
		}
	}
	for v := Variable(1); v <= lastVariable; v++ {
		for _, spelling := range v.spellings() {
			if strings.EqualFold(spelling, name) {
				return v, false
			}
		}
	}
	return 0, false
}

// IsDevice reports whether the variable is about the device, not the user.
func (v Variable) IsDevice() bool { return v >= EntraDeviceID && v <= lastVariable }

// AllowedIn reports whether a certificate of this type can contain the variable.
// Device certificates can contain variables of the device only, with one exception:
// the SID, which the page on SCEP profiles allows for hybrid-joined devices.
func (v Variable) AllowedIn(t CertificateType) bool {
	switch t {
	case UserCertificate:
		return v >= UserName && v <= lastVariable
	case DeviceCertificate:
		return v.IsDevice() || v == OnPremSecurityIdentifier
	}
	return false
}

// isHardware says whether Android hides the value from version 12 on.
func (v Variable) isHardware() bool { return v == SerialNumber || v == IMEI || v == MEID }

// isSpoofable says whether somebody who has the device can change the value. The
// documentation names IMEI, serial number and domain name as examples. Nobody can
// change the identifiers that Entra and Intune assign.
func (v Variable) isSpoofable() bool { return v >= SerialNumber && v <= lastVariable }

// Attributes are the values of variables for one user and one device. Leave
// missing values empty.
type Attributes struct {
	UserName                string  `json:"userName,omitempty"`
	UserPrincipalName       string  `json:"userPrincipalName,omitempty"`
	EmailAddress            string  `json:"emailAddress,omitempty"`
	OnPremDistinguishedName string  `json:"onPremisesDistinguishedName,omitempty"`
	OnPremSamAccountName    string  `json:"onPremisesSamAccountName,omitempty"`
	SID                     cba.SID `json:"onPremisesSecurityIdentifier,omitzero"` // the user's, or the device's for a device certificate

	EntraDeviceID            string `json:"azureADDeviceId,omitempty"`
	IntuneDeviceID           string `json:"deviceId,omitempty"`
	SerialNumber             string `json:"serialNumber,omitempty"`
	IMEI                     string `json:"imei,omitempty"`
	MEID                     string `json:"meid,omitempty"`
	WiFiMACAddress           string `json:"wiFiMacAddress,omitempty"`
	DeviceName               string `json:"deviceName,omitempty"`
	FullyQualifiedDomainName string `json:"fullyQualifiedDomainName,omitempty"`
}

// Value returns the value of a variable, "" if it is missing.
func (a Attributes) Value(v Variable) string {
	switch v {
	case UserName:
		return a.UserName
	case UserPrincipalName:
		return a.UserPrincipalName
	case EmailAddress:
		return a.EmailAddress
	case OnPremDistinguishedName:
		return a.OnPremDistinguishedName
	case OnPremSamAccountName:
		return a.OnPremSamAccountName
	case OnPremSecurityIdentifier:
		if a.SID.IsZero() {
			return ""
		}
		return a.SID.URI() // as Intune writes it
	case EntraDeviceID:
		return a.EntraDeviceID
	case IntuneDeviceID:
		return a.IntuneDeviceID
	case SerialNumber:
		return a.SerialNumber
	case IMEI:
		return a.IMEI
	case MEID:
		return a.MEID
	case WiFiMACAddress:
		return a.WiFiMACAddress
	case DeviceName:
		return a.DeviceName
	case FullyQualifiedDomainName:
		return a.FullyQualifiedDomainName
	}
	return ""
}
