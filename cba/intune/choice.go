package intune

import "example.com/entracba/cba/internal/enum"

// A CertificateType says whose attributes a certificate contains. The zero value is
// unset.
type CertificateType uint8

const (
	// UserCertificate can hold attributes of the user and of the device.
	UserCertificate CertificateType = iota + 1
	// DeviceCertificate can hold attributes of the device only. It is for devices
	// without a user; nobody signs in to Entra with one.
	DeviceCertificate
)

var certificateTypes = enum.Of[CertificateType]("intune: certificate type", "user", "device")

// String returns "user" or "device".
func (t CertificateType) String() string { return certificateTypes.String(t) }

// MarshalText writes the text of [CertificateType.String].
func (t CertificateType) MarshalText() ([]byte, error) { return certificateTypes.Marshal(t) }

// UnmarshalText reads what MarshalText wrote.
func (t *CertificateType) UnmarshalText(text []byte) error {
	return certificateTypes.Unmarshal(t, text)
}

// A Platform is the operating system of a profile's devices. The zero value is
// unset.
type Platform uint8

const (
	Windows Platform = iota + 1
	IOS
	MacOS
	AndroidWorkProfile   // Android Enterprise, personally owned
	AndroidCorporate     // Android Enterprise, fully managed or with a corporate-owned work profile
	AndroidDedicated     // Android Enterprise, dedicated: no user
	AndroidAdministrator // device administrator, no longer supported
)

var platforms = enum.Of[Platform]("intune: platform", "windows", "ios", "macos",
	"android-work-profile", "android-corporate", "android-dedicated", "android-administrator")

// String returns the platform in lower case, "android-work-profile".
func (p Platform) String() string { return platforms.String(p) }

// MarshalText writes the text of [Platform.String].
func (p Platform) MarshalText() ([]byte, error) { return platforms.Marshal(p) }

// UnmarshalText reads what MarshalText wrote.
func (p *Platform) UnmarshalText(text []byte) error { return platforms.Unmarshal(p, text) }

func (p Platform) isAndroid() bool { return p >= AndroidWorkProfile && p <= AndroidAdministrator }

// A KeyStorage is the key storage provider (KSP) in which Windows keeps the key.
// The zero value is unset, right for every other platform. The texts are those of
// Microsoft Graph's keyStorageProviderOption.
type KeyStorage uint8

const (
	TPMOrSoftware   KeyStorage = iota + 1 // the TPM if there is one, else software
	TPM                                   // the TPM; without one the profile fails
	WindowsHello                          // Windows Hello for Business; without it the profile fails
	SoftwareStorage                       // software
)

var keyStorages = enum.Of[KeyStorage]("intune: key storage", "useTpmKspOtherwiseUseSoftwareKsp", "useTpmKspOtherwiseFail",
	"usePassportForWorkKspOtherwiseFail", "useSoftwareKsp")

// String returns the text of Microsoft Graph.
func (k KeyStorage) String() string { return keyStorages.String(k) }

// MarshalText writes the text of [KeyStorage.String].
func (k KeyStorage) MarshalText() ([]byte, error) { return keyStorages.Marshal(k) }

// UnmarshalText reads what MarshalText wrote.
func (k *KeyStorage) UnmarshalText(text []byte) error { return keyStorages.Unmarshal(k, text) }

// A Channel is the deployment channel of macOS, which decides the keychain. The
// zero value is unset, right for every other platform.
type Channel uint8

const (
	UserChannel   Channel = iota + 1 // the user's keychain
	DeviceChannel                    // the system keychain
)

var channels = enum.Of[Channel]("intune: channel", "user", "device")

// String returns "user" or "device".
func (c Channel) String() string { return channels.String(c) }

// MarshalText writes the text of [Channel.String].
func (c Channel) MarshalText() ([]byte, error) { return channels.Marshal(c) }

// UnmarshalText reads what MarshalText wrote.
func (c *Channel) UnmarshalText(text []byte) error { return channels.Unmarshal(c, text) }

// An AltNameType is a kind of entry of the subjectAltName. The zero value is
// unset. The texts are those of Microsoft Graph's subjectAlternativeNameType.
type AltNameType uint8

const (
	EmailName AltNameType = iota + 1
	UPNName
	DNSName
	URIName
)

var altNameTypes = enum.Of[AltNameType]("intune: subjectAltName type", "emailAddress", "userPrincipalName", "domainNameService", "universalResourceIdentifier")

// String returns the text of Microsoft Graph.
func (t AltNameType) String() string { return altNameTypes.String(t) }

// MarshalText writes the text of [AltNameType.String].
func (t AltNameType) MarshalText() ([]byte, error) { return altNameTypes.Marshal(t) }

// UnmarshalText reads what MarshalText wrote.
func (t *AltNameType) UnmarshalText(text []byte) error { return altNameTypes.Unmarshal(t, text) }

// A Scale is the unit of a validity period. Zero means years. The texts are those
// of Microsoft Graph's certificateValidityPeriodScale.
type Scale uint8

const (
	Days Scale = iota + 1
	Months
	Years
)

var scales = enum.Of[Scale]("intune: validity scale", "days", "months", "years")

// String returns "days", "months" or "years".
func (s Scale) String() string { return scales.String(s) }

// MarshalText writes the text of [Scale.String].
func (s Scale) MarshalText() ([]byte, error) { return scales.Marshal(s) }

// UnmarshalText reads what MarshalText wrote.
func (s *Scale) UnmarshalText(text []byte) error { return scales.Unmarshal(s, text) }
