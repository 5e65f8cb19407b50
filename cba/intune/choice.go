package intune

import "fmt"

// A CertificateType is whose attributes a certificate holds. The zero value is
// unset.
type CertificateType uint8

const (
	// UserCertificate may hold attributes of the user and of the device.
	UserCertificate CertificateType = iota + 1
	// DeviceCertificate may hold attributes of the device alone. It is for devices
	// without a user; nobody signs in to Entra with one.
	DeviceCertificate
)

// String returns "user" or "device".
func (t CertificateType) String() string {
	switch t {
	case UserCertificate:
		return "user"
	case DeviceCertificate:
		return "device"
	}
	return fmt.Sprintf("CertificateType(%d)", uint8(t))
}

// MarshalText writes the text of [CertificateType.String].
func (t CertificateType) MarshalText() ([]byte, error) { return marshal(t, DeviceCertificate) }

// UnmarshalText reads what MarshalText wrote.
func (t *CertificateType) UnmarshalText(text []byte) error {
	return unmarshal(t, DeviceCertificate, text)
}

// A Platform is what the devices of a profile run. The zero value is unset.
type Platform uint8

const (
	Windows Platform = iota + 1
	IOS
	MacOS
	AndroidWorkProfile   // Android Enterprise, personally owned
	AndroidCorporate     // Android Enterprise, fully managed or with a corporate-owned work profile
	AndroidDedicated     // Android Enterprise, dedicated: no user
	AndroidAdministrator // device administrator, whose support has ended
	lastPlatform         = AndroidAdministrator
)

// String returns the platform in lower case, "android-work-profile".
func (p Platform) String() string {
	switch p {
	case Windows:
		return "windows"
	case IOS:
		return "ios"
	case MacOS:
		return "macos"
	case AndroidWorkProfile:
		return "android-work-profile"
	case AndroidCorporate:
		return "android-corporate"
	case AndroidDedicated:
		return "android-dedicated"
	case AndroidAdministrator:
		return "android-administrator"
	}
	return fmt.Sprintf("Platform(%d)", uint8(p))
}

// MarshalText writes the text of [Platform.String].
func (p Platform) MarshalText() ([]byte, error) { return marshal(p, lastPlatform) }

// UnmarshalText reads what MarshalText wrote.
func (p *Platform) UnmarshalText(text []byte) error { return unmarshal(p, lastPlatform, text) }

func (p Platform) isAndroid() bool { return p >= AndroidWorkProfile && p <= lastPlatform }

// A KeyStorage is the key storage provider (KSP) in which Windows keeps the key.
// The zero value is unset, right for every other platform. The texts are those of
// Microsoft Graph's keyStorageProviderOption.
type KeyStorage uint8

const (
	TPMOrSoftware   KeyStorage = iota + 1 // the TPM if there is one, else software
	TPM                                   // the TPM, or fail
	WindowsHello                          // Windows Hello for Business, or fail
	SoftwareStorage                       // software
)

// String returns the text of Microsoft Graph, or "not set".
func (k KeyStorage) String() string {
	switch k {
	case 0:
		return "not set"
	case TPMOrSoftware:
		return "useTpmKspOtherwiseUseSoftwareKsp"
	case TPM:
		return "useTpmKspOtherwiseFail"
	case WindowsHello:
		return "usePassportForWorkKspOtherwiseFail"
	case SoftwareStorage:
		return "useSoftwareKsp"
	}
	return fmt.Sprintf("KeyStorage(%d)", uint8(k))
}

// MarshalText writes the text of [KeyStorage.String].
func (k KeyStorage) MarshalText() ([]byte, error) { return marshal(k, SoftwareStorage) }

// UnmarshalText reads what MarshalText wrote.
func (k *KeyStorage) UnmarshalText(text []byte) error { return unmarshal(k, SoftwareStorage, text) }

// A Channel is the deployment channel of macOS, which decides the keychain. The
// zero value is unset, right for every other platform.
type Channel uint8

const (
	UserChannel   Channel = iota + 1 // the user's keychain
	DeviceChannel                    // the system keychain
)

// String returns "user", "device" or "not set".
func (c Channel) String() string {
	switch c {
	case 0:
		return "not set"
	case UserChannel:
		return "user"
	case DeviceChannel:
		return "device"
	}
	return fmt.Sprintf("Channel(%d)", uint8(c))
}

// MarshalText writes the text of [Channel.String].
func (c Channel) MarshalText() ([]byte, error) { return marshal(c, DeviceChannel) }

// UnmarshalText reads what MarshalText wrote.
func (c *Channel) UnmarshalText(text []byte) error { return unmarshal(c, DeviceChannel, text) }

// An AltNameType is a kind of entry of the subjectAltName. The zero value is
// unset. The texts are those of Microsoft Graph's subjectAlternativeNameType.
type AltNameType uint8

const (
	EmailName AltNameType = iota + 1
	UPNName
	DNSName
	URIName
)

// String returns the text of Microsoft Graph.
func (t AltNameType) String() string {
	switch t {
	case EmailName:
		return "emailAddress"
	case UPNName:
		return "userPrincipalName"
	case DNSName:
		return "domainNameService"
	case URIName:
		return "universalResourceIdentifier"
	}
	return fmt.Sprintf("AltNameType(%d)", uint8(t))
}

// MarshalText writes the text of [AltNameType.String].
func (t AltNameType) MarshalText() ([]byte, error) { return marshal(t, URIName) }

// UnmarshalText reads what MarshalText wrote.
func (t *AltNameType) UnmarshalText(text []byte) error { return unmarshal(t, URIName, text) }

// A Scale is the unit of a validity period. Zero means years. The texts are those
// of Microsoft Graph's certificateValidityPeriodScale.
type Scale uint8

const (
	Days Scale = iota + 1
	Months
	Years
)

// String returns "days", "months" or "years".
func (s Scale) String() string {
	switch s {
	case Days:
		return "days"
	case Months:
		return "months"
	case 0, Years:
		return "years"
	}
	return fmt.Sprintf("Scale(%d)", uint8(s))
}

// MarshalText writes the text of [Scale.String].
func (s Scale) MarshalText() ([]byte, error) { return marshal(s, Years) }

// UnmarshalText reads what MarshalText wrote.
func (s *Scale) UnmarshalText(text []byte) error { return unmarshal(s, Years, text) }

// A choice is one of the types above: 1 to its last value.
type choice interface {
	~uint8
	fmt.Stringer
}

func marshal[T choice](v, last T) ([]byte, error) {
	if v < 1 || v > last {
		return nil, &Error{Reason: OutOfRange, What: "choice", Text: v.String(), Offset: -1}
	}
	return []byte(v.String()), nil
}

func unmarshal[T choice](v *T, last T, text []byte) error {
	for c := T(1); c <= last; c++ {
		if c.String() == string(text) {
			*v = c
			return nil
		}
	}
	return &Error{Reason: OutOfRange, What: "choice", Text: string(text), Offset: -1}
}
