package pfx

import (
	"strings"

	"example.com/entracba/cba/internal/enum"
)

// A Target is a program or system that has to open a PFX. The zero value is
// unset.
//
// Its text form, for flags and JSON, is the product and its version, as in
// "windows-server-2016". [ParseTarget] also takes the product alone.
type Target uint8

// The targets, oldest first for each product.
const (
	WindowsServer2016 Target = iota + 1 // and 2012 R2, and Windows 10 before version 1709
	Windows10                           // from version 1709
	WindowsServer2019                   // and later
	Windows11
	MacOS14 // and earlier
	MacOS15
	MacOS26
	IOS16 // and earlier, iPadOS too
	IOS17 // and later
	Android13
	Android14 // and later
	Java8     // up to 11
	Java12    // up to 25
	Java26
	Firefox // NSS before 3.101, and Chrome on Linux
	NSS3101 // and later, and a Firefox that carries it
	OpenSSL11
	OpenSSL30 // up to 3.3
	OpenSSL34 // and later
	Node18    // up to 22
	Node24
	DotNet5 // and later
	GnuTLS37
	GnuTLS38
	Python38    // cryptography 38, with OpenSSL 3.0
	Python48    // cryptography 48, with OpenSSL 4.0
	AzureUpload // App Service, Key Vault, API Management
)

// An Answer says whether a target opens an encoding. The zero value is unset.
type Answer uint8

const (
	// NotKnown: there is no source, or the sources disagree.
	NotKnown Answer = iota + 1
	Yes
	No
)

var answers = enum.Of[Answer]("pfx: answer", "not known", "yes", "no")

// String returns "not known", "yes" or "no".
func (a Answer) String() string { return answers.String(a) }

// MarshalText writes the text of String; an unset or unknown answer is an error.
func (a Answer) MarshalText() ([]byte, error) { return answers.Marshal(a) }

// UnmarshalText reads what MarshalText wrote.
func (a *Answer) UnmarshalText(text []byte) error { return answers.Unmarshal(a, text) }

// A row is what is known about one target.
type row struct {
	name, title                             string
	compatible, modern, rc2, pbmac1, unencr Answer
	source                                  string
}

// rows has the targets. They say nothing of iteration counts: [Inspect] does. The answers for Windows, Apple, Android and Azure are from
// the documents and reports named; those that say "measured" were opened by the
// program itself, with RSA and with P-256 keys.
var rows = [...]row{
	WindowsServer2016: {"windows-server-2016", "Windows Server 2016, 2012 R2, and Windows 10 before version 1709", Yes, No, Yes, No, NotKnown,
		commonRC2 + "AES: Microsoft support article \"Can't import an AES256-SHA256-encrypted PFX\"; it says \"The password you entered is incorrect\""},
	Windows10: {"windows-10", "Windows 10 from version 1709", Yes, Yes, Yes, NotKnown, NotKnown,
		commonRC2 + "AES: Learn, PKCS12_PBES2_EXPORT_PARAMS (minimum client Windows 10 version 1709)"},
	WindowsServer2019: {"windows-server-2019", "Windows Server 2019 and later", Yes, Yes, Yes, NotKnown, NotKnown,
		commonRC2 + "AES: Microsoft support article \"Can't import an AES256-SHA256-encrypted PFX\""},
	Windows11: {"windows-11", "Windows 11", Yes, Yes, Yes, NotKnown, NotKnown,
		commonRC2 + "AES: Microsoft support article \"Can't import an AES256-SHA256-encrypted PFX\""},
	MacOS14: {"macos-14", "macOS up to 14, keychain", Yes, No, Yes, No, No,
		"AES: kube-rs #691, xca #474, alt-tab-macos #3170, pyca/cryptography #7293; it says \"MAC verification failed during PKCS12 import (wrong password?)\"; unencrypted: dotnet/runtime #112741"},
	MacOS15: {"macos-15", "macOS 15, keychain", Yes, NotKnown, Yes, No, No,
		"AES: reports disagree (pyca/cryptography #11450); unencrypted: codemagic cli-tools #428"},
	MacOS26: {"macos-26", "macOS 26, keychain", Yes, Yes, Yes, NotKnown, No,
		"AES: tauri #15843, only if the file name ends in .p12 or \"security import\" is given -f pkcs12; unencrypted: dotnet/runtime #112741"},
	IOS16: {"ios-16", "iOS and iPadOS up to 16", Yes, No, Yes, No, NotKnown,
		"AES: openssl #19495 and #19871, error -25293"},
	IOS17: {"ios-17", "iOS and iPadOS from 17", Yes, NotKnown, Yes, NotKnown, NotKnown,
		"AES: no source found for 17, 18 and 26"},
	Android13: {"android-13", "Android up to 13", Yes, No, Yes, No, NotKnown,
		"AES: strongswan-docs #5, clip_share_server #48; it says \"incorrect password\""},
	Android14: {"android-14", "Android from 14", Yes, Yes, Yes, NotKnown, NotKnown,
		"AES: reports (clip_share_server #48, ultimate-ca-manager #331)"},
	Java8: {"java-8", "Java 8 to 11", Yes, NotKnown, Yes, No, No,
		"AES: depends on the update (JDK-8076190 was back-ported; 11.0.11 fails, 11.0.22 works: glassfish #24148, helidon-examples #38)"},
	Java12: {"java-12", "Java 12 to 25", Yes, Yes, Yes, No, No,
		"measured with JDK 17.0.15; an unencrypted file opens without an error and shows no entry"},
	Java26: {"java-26", "Java from 26", Yes, Yes, Yes, Yes, NotKnown,
		"PBMAC1: JDK-8343232; the rest as Java 12"},
	Firefox: {"firefox", "Firefox and NSS before 3.101", Yes, Yes, Yes, No, No,
		"measured with NSS 3.87.1; PBMAC1: Mozilla bug 1793811"},
	NSS3101: {"nss-3.101", "NSS from 3.101 and a Firefox that carries it", Yes, Yes, Yes, Yes, NotKnown,
		"PBMAC1: Mozilla bug 1793811; the rest as before"},
	OpenSSL11: {"openssl-1.1.1", "OpenSSL 1.1.1", Yes, Yes, Yes, No, No,
		"measured with 1.1.1v in Node 16"},
	OpenSSL30: {"openssl-3.0", "OpenSSL 3.0 to 3.3", Yes, Yes, No, No, Yes,
		"measured with 3.0.19; RC2 opens with -legacy"},
	OpenSSL34: {"openssl-3.4", "OpenSSL from 3.4", Yes, Yes, No, Yes, Yes,
		"measured with 3.5.8 in Node 24 and 4.0.0 in Python's cryptography 48; RC2 opens with -legacy"},
	Node18: {"node-18", "Node 18 to 22", Yes, Yes, No, No, Yes, "measured with Node 20"},
	Node24: {"node-24", "Node from 24", Yes, Yes, No, Yes, Yes, "measured with Node 24"},
	DotNet5: {"dotnet-5", ".NET from 5", Yes, Yes, Yes, NotKnown, NotKnown,
		"dotnet/runtime source; from .NET 9 at most 300,000 iterations by default (Pkcs12LoaderLimits)"},
	GnuTLS37: {"gnutls-3.7", "GnuTLS 3.7", Yes, Yes, Yes, No, No, "measured with 3.7.9"},
	GnuTLS38: {"gnutls-3.8", "GnuTLS 3.8", Yes, Yes, Yes, NotKnown, NotKnown, "PBMAC1: from one of its later releases (GnuTLS merge request 1833); the rest as 3.7"},
	Python48: {"python-48", "Python's cryptography 48 with OpenSSL 4.0", Yes, Yes, Yes, Yes, Yes, "measured with 48"},
	Python38: {"python-38", "Python's cryptography 38 with OpenSSL 3.0", Yes, Yes, Yes, No, Yes, "measured with 38.0.4"},
	AzureUpload: {"azure-upload", "Upload to Azure App Service, Key Vault or API Management", Yes, NotKnown, NotKnown, NotKnown, NotKnown,
		"3DES: azure-docs #39861 (Key Vault) and #96582 (App Service asked for it); AES: reports disagree (#39861 says no, azure-docs pull request 126773 of 2025 says that App Service takes it)"},
}

const commonRC2 = "RC2 and 3DES are what it has always exported; "

// row returns the table's line for the target, an empty one for no target.
func (t Target) row() row {
	if int(t) < len(rows) {
		return rows[t]
	}
	return row{}
}

// isWindows reports whether the target imports with Windows itself.
func (t Target) isWindows() bool {
	return t == WindowsServer2016 || t == Windows10 || t == WindowsServer2019 || t == Windows11
}

// texts are the text forms, in order.
func texts() []string {
	var list []string
	for _, r := range rows[1:] {
		list = append(list, r.name)
	}
	return list
}

var targets = enum.Of[Target]("pfx: target", texts()...)

// Targets lists every target.
func Targets() []Target { return targets.Values() }

// String returns the text form of the target.
func (t Target) String() string { return targets.String(t) }

// Title returns the target's name for people, with the versions it stands for.
func (t Target) Title() string { return t.row().title }

// Source says where the answers of [Target.Reads] are from.
func (t Target) Source() string { return t.row().source }

// Reads says whether the target opens files of the encoding. Of no target and no
// encoding it is not known.
func (t Target) Reads(e Encoding) Answer {
	r := t.row()
	if r.name == "" || !encodings.Known(e) {
		return NotKnown
	}
	return [...]Answer{r.compatible, r.modern, r.rc2, r.pbmac1, r.unencr}[e-1]
}

// For returns the encoding that all of the targets can open: [Modern] if every one
// is known to open it, and [Compatible] otherwise, also without targets.
func For(targets ...Target) Encoding {
	for _, t := range targets {
		if t.Reads(Modern) != Yes {
			return Compatible
		}
	}
	if len(targets) == 0 {
		return Compatible
	}
	return Modern
}

// ParseTarget reads the text form of a target. A product without a version, as
// in "macos" or "java", stands for the oldest one listed. The error is an [*Error]
// with reason [BadOption].
func ParseTarget(text string) (Target, error) {
	for _, t := range Targets() {
		if name := t.String(); name == text || text != "" && strings.HasPrefix(name, text+"-") {
			return t, nil
		}
	}
	return 0, fail(BadOption, "%q is not a target (%s)", text, names(Targets()))
}

// MarshalText writes the text form; an unset or unknown target is an error.
func (t Target) MarshalText() ([]byte, error) { return targets.Marshal(t) }

// UnmarshalText is [ParseTarget].
func (t *Target) UnmarshalText(text []byte) error {
	parsed, err := ParseTarget(string(text))
	if err == nil && t == nil {
		err = fail(BadOption, "there is no target to read it into")
	}
	if err != nil {
		return err
	}
	*t = parsed
	return nil
}

// ParseFor reads what a flag such as "-for" may say: the text form of an
// encoding, which is returned as it is, or of a target, for which [For] chooses. The
// error is an [*Error] with reason [BadOption].
func ParseFor(text string) (Encoding, error) {
	if e, err := ParseEncoding(text); err == nil {
		return e, nil
	}
	t, err := ParseTarget(text)
	if err != nil {
		return 0, fail(BadOption, "%q is neither a target (%s) nor an encoding (%s)", text, names(Targets()), names(encodings.Values()))
	}
	return For(t), nil
}
