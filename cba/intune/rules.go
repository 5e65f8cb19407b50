package intune

import (
	"slices"

	"example.com/entracba/cba/lint"
)

// Rules returns every rule whose findings [Profile.Findings] and
// [Profile.FindingsFor] can have.
func Rules() []lint.Rule { return slices.Clone(rules) }

var (
	badTemplate = lint.Rule{Code: "intune-template", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.IntunePKCS,
		What: "a name template cannot be read",
		Do:   "correct the template"}
	escaped = lint.Rule{Code: "intune-escaped-character", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.IntunePKCS,
		What: "a character of the subject is escaped with a backslash",
		Do:   "use a name without the character: requests with an escaped character in the subject fail (a known issue of Intune), and CertStrToName knows no escapes but double quotes"}
	specialValue = lint.Rule{Code: "intune-special-character", Severity: lint.Warning, Effect: lint.LocksOut, Source: lint.IntunePKCS,
		What: "a value of the subject contains + ; , or =",
		Do:   "use another attribute: the connector escapes + ; , and = in the request's subject, and such requests fail (a known issue of Intune)"}
	hardwareID = lint.Rule{Code: "intune-android-hardware-id", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.IntunePKCS,
		What: "a personally owned work profile has no hardware identifiers",
		Do:   "use {{DeviceId}} or {{AAD_Device_ID}}: from Android 12 on, work profiles on personal devices have no serial number, IMEI or MEID"}
	missingValue = lint.Rule{Code: "intune-missing-value", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.IntunePKCS,
		What: "a variable has no value",
		Do:   "use a variable that everybody has, or assign the profile only to those who have the value: without it the profile does not install"}
	notSynced = lint.Rule{Code: "intune-value-not-synced", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.IntunePKCS,
		What: "an attribute from Active Directory has no value",
		Do:   "synchronize the attribute with Microsoft Entra Connect, or use another variable: without the value the profile does not install"}
	spoofable = lint.Rule{Code: "intune-spoofable", Severity: lint.Warning, Effect: lint.LetsIn, Source: lint.IntunePKCS,
		What: "a variable holds what the user of the device can change",
		Do:   "grant no access by this value, or use {{DeviceId}} or {{AAD_Device_ID}}, which Intune and Entra assign"}
	noUser = lint.Rule{Code: "intune-no-user", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.IntunePKCS,
		What: "a dedicated device has no user",
		Do:   "use variables of the device"}
	domainName = lint.Rule{Code: "intune-domain-name", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.IntunePKCS,
		What: "the platform has no fully qualified domain name",
		Do:   "use {{DeviceName}}: only Windows devices that are joined to a domain have a fully qualified domain name"}
	wholeName = lint.Rule{Code: "intune-whole-name", Severity: lint.Warning, Source: lint.IntunePKCS,
		What: "a distinguished name is used where one value is expected",
		Do:   "issue one certificate and read its subject before you bind by it: Microsoft does not document whether the name becomes one value or several parts"}
	letterCase = lint.Rule{Code: "intune-variable-case", Severity: lint.Info, Source: lint.IntunePKCS,
		What: "the letter case of a variable differs from the documentation",
		Do:   "write the variable as the documentation does"}
	loneBrace = lint.Rule{Code: "intune-brace", Severity: lint.Warning, Effect: lint.LocksOut, Source: lint.IntunePKCS,
		What: "a single brace is part of the text",
		Do:   "enclose a variable in two braces on each side, as in {{UserName}}: a single brace is copied into the certificate"}
	foreignType = lint.Rule{Code: "intune-attribute-type", Severity: lint.Warning, Effect: lint.LocksOut, Source: lint.CertStrToName,
		What: "an attribute type is not in CertStrToName's table",
		Do:   "use a key of CertStrToName's table, or the object identifier"}
	sidPlace = lint.Rule{Code: "intune-sid-place", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.IntuneSCEP,
		What: "the SID is not the whole value of a URI",
		Do:   "make the variable the whole value of a URI: it works in no other place"}
	sidSCEP = lint.Rule{Code: "intune-sid-scep", Severity: lint.Warning, Source: lint.IntunePKCS,
		What: "the SID variable is documented for SCEP profiles only",
		Do:   "set EnableSidSecurityExtension on the connector instead: PKCS profiles then get the SID in an extension"}
	sidPlatform = lint.Rule{Code: "intune-sid-platform", Severity: lint.Warning, Effect: lint.LocksOut, Source: lint.IntuneSCEP,
		What: "the platform does not support the SID variable",
		Do:   "use the variable in user certificates for Windows, macOS and iOS, or in device certificates for Windows"}
	sidDevice = lint.Rule{Code: "intune-sid-device", Severity: lint.Warning, Source: lint.IntunePKCS,
		What: "strong mapping is on for device certificates",
		Do:   "assign the profile to hybrid-joined Windows devices only: other devices have no SID"}
	noSID = lint.Rule{Code: "intune-no-strong-mapping", Severity: lint.Info, Source: lint.KB5014754,
		What: "strong mapping is off",
		Do:   "turn strong mapping on if domain controllers check these certificates; Entra does not read the SID"}
	short = lint.Rule{Code: "intune-validity-short", Severity: lint.Warning, Effect: lint.LocksOut, Source: lint.IntunePKCS,
		What: "the validity is shorter than five days",
		Do:   "use at least five days: devices reject a certificate that is about to expire"}
	long = lint.Rule{Code: "intune-validity-long", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.IntunePKCS,
		What: "the validity is longer than 24 months",
		Do:   "use at most 24 months"}
	outOfRange = lint.Rule{Code: "intune-out-of-range", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.IntunePKCS,
		What: "a setting has a value that it cannot have",
		Do:   "use one of the documented values"}
	threshold = lint.Rule{Code: "intune-renewal-threshold", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.GraphRenewal,
		What: "the renewal threshold is not a percentage from 1 to 99",
		Do:   "use 1 to 99: Microsoft recommends 20"}
	keyPlatform = lint.Rule{Code: "intune-key-size-platform", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.IntunePKCS,
		What: "the platform does not support keys of 4096 bits",
		Do:   "use 2048 bits: only Windows and Android support 4096"}
	keyTPM = lint.Rule{Code: "intune-key-size-storage", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.IntunePKCS,
		What: "the key storage does not support keys of 4096 bits",
		Do:   "keep keys of 4096 bits in software: TPM and Windows Hello for Business do not support them"}
	storageForeign = lint.Rule{Code: "intune-key-storage-platform", Severity: lint.Warning, Source: lint.IntunePKCS,
		What: "key storage is set for a platform without this setting",
		Do:   "leave the key storage unset: only Windows has it"}
	storageUnset = lint.Rule{Code: "intune-key-storage-unset", Severity: lint.Warning, Source: lint.IntunePKCS,
		What: "the key storage of Windows is not set",
		Do:   "choose where Windows keeps the key"}
	noClientAuth = lint.Rule{Code: "intune-no-client-auth", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.IntunePKCS,
		What: "the extended key usages do not include client authentication",
		Do:   "add client authentication, 1.3.6.1.5.5.7.3.2"}
	channel = lint.Rule{Code: "intune-channel", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.IntunePKCS,
		What: "the deployment channel of macOS does not fit the certificate type",
		Do:   "deploy user certificates through the user channel and device certificates through the device channel: the channel cannot be changed later"}
	channelForeign = lint.Rule{Code: "intune-channel-platform", Severity: lint.Warning, Source: lint.IntunePKCS,
		What: "a deployment channel is set for a platform without this setting",
		Do:   "leave the channel unset: only macOS has it"}
	administrator = lint.Rule{Code: "intune-android-administrator", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.IntunePKCS,
		What: "the platform is no longer supported",
		Do:   "use Android Enterprise: Intune's support of device administrator ended with the year 2024 for devices with Google Mobile Services"}
	noUPN = lint.Rule{Code: "intune-no-upn", Severity: lint.Warning, Effect: lint.LocksOut, Source: lint.IntunePKCS,
		What: "a user certificate has no UPN",
		Do:   "add {{UserPrincipalName}} as a user principal name: without it, only bindings that use certificateUserIds or an email address can match"}
	severalUPNs = lint.Rule{Code: "intune-several-upns", Severity: lint.Error, Source: lint.IntunePKCS,
		What: "the certificate has more than one UPN",
		Do:   "keep one: Microsoft does not document which of them Entra reads (open question 9.23)"}
)

var rules = []lint.Rule{
	badTemplate, escaped, specialValue, hardwareID, missingValue, notSynced, spoofable, noUser, domainName, wholeName, letterCase, loneBrace, foreignType,
	sidPlace, sidSCEP, sidPlatform, sidDevice, noSID, short, long, outOfRange, threshold, keyPlatform, keyTPM, storageForeign, storageUnset,
	noClientAuth, channel, channelForeign, administrator, noUPN, severalUPNs,
}
