package deploy

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"howett.net/plist"

	"example.com/entracba/cba/internal/fingerprint"
	"example.com/entracba/cba/internal/text"
)

// A profile is a configuration profile (Apple, Device Management: TopLevel).
type profile struct {
	PayloadContent           []payload
	PayloadDescription       string
	PayloadDisplayName       string
	PayloadIdentifier        string
	PayloadOrganization      string `plist:",omitempty"`
	PayloadRemovalDisallowed bool
	PayloadScope             string // of macOS; iOS has only one user
	PayloadType              string
	PayloadUUID              string
	PayloadVersion           int
}

// A payload is one of a profile, by the keys that Apple's schema of its PayloadType names.
type payload map[string]any

// MobileConfig returns a configuration profile for [MacOS] or [IOS], as an unsigned XML
// property list, with the root and the PFX. The installation asks for the password; with
// [Options.EmbedPassword] the profile holds it. Apple advises against that, because a
// profile does not protect the password.
//
// On macOS the profile is one of the user and also has the browsers' choice: identity
// preferences for Entra's certauth hosts, by which Safari presents the identity, and the
// managed preferences of Chrome, Edge and Firefox. [Options.Exportable] and
// [Options.AllAppsAccess] work there alone. On iOS none of that exists: Safari asks which
// identity to present, and other apps see an identity of a profile only through the system.
//
// A root that comes by an MDM is trusted for servers, too. A root in a profile that a
// person installs by hand is not on iOS, until that person switches it on (Settings,
// General, About, Certificate Trust Settings); signing in does not need that.
//
// The identifier and the UUIDs are made from the UPN and the certificates, so they
// are the same each time the profile is written: installing it again replaces it, and
// the profile of the next certificate replaces that of this one.
//
// The error is an [*Error]: [Missing], [BadOption] (another target), [BadName] (an invalid
// identifier, or text that XML cannot hold), or [UnfitPassword] for an embedded password with a character that XML cannot hold.
func (p Package) MobileConfig(t Target, o Options) ([]byte, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	if t != MacOS && t != IOS {
		return nil, fail(BadOption, "a configuration profile is for macos or ios, not for %v", t)
	}
	if o.EmbedPassword {
		if err := checkPassword(p.Password); err != nil {
			return nil, err
		}
		if !isXML(p.Password) {
			return nil, fail(UnfitPassword, "a configuration profile cannot hold a control character; do not embed the password")
		}
	}
	id := o.Identifier
	switch {
	case id == "":
		id = identifierOf(p.UPN)
	case !isIdentifier(id):
		return nil, fail(BadName, "%s cannot be an identifier; use letters, digits, hyphens and dots", text.Quote(id))
	}
	if !isXML(p.UPN) || !isXML(o.Organization) || !isXML(title(p.Root)) || !isXML(title(p.Certificate)) {
		return nil, fail(BadName, "a name has a character that a configuration profile cannot hold")
	}
	top := profile{
		PayloadDescription:  "Certificate for signing in to Microsoft Entra as " + p.UPN + ", and its root.",
		PayloadDisplayName:  "Sign-in certificate of " + p.UPN,
		PayloadIdentifier:   id,
		PayloadOrganization: o.Organization,
		PayloadScope:        "User",
		PayloadType:         "Configuration",
		PayloadUUID:         uuid(id, sha256Hex(p.Certificate), sha256Hex(p.Root)),
		PayloadVersion:      1,
	}
	part := func(name, kind, shown, description, of string, keys payload) payload {
		maps.Copy(keys, payload{"PayloadDescription": description, "PayloadDisplayName": shown, "PayloadIdentifier": id + "." + name,
			"PayloadType": kind, "PayloadUUID": uuid(id+"."+name, of), "PayloadVersion": 1})
		return keys
	}
	own := sha256Hex(p.Certificate)
	root := part("root", "com.apple.security.root", title(p.Root), "Root of the sign-in certificate.", sha256Hex(p.Root),
		payload{"PayloadCertificateFileName": rootName, "PayloadContent": p.Root.Raw})
	identity := part("identity", "com.apple.security.pkcs12", title(p.Certificate), "Certificate and key.", own,
		payload{"PayloadCertificateFileName": p.fileName("p12"), "PayloadContent": p.PFX})
	top.PayloadContent = []payload{root, identity}
	warning := ""
	if o.EmbedPassword {
		identity["Password"] = p.Password
		top.PayloadDescription = "SECRET: holds its password in clear text. " + top.PayloadDescription
		warning = "<!-- " + p.secret("the PKCS#12 payload") + " -->\n"
	}
	if t == MacOS {
		identity["KeyIsExtractable"], identity["AllowAllAppsAccess"] = o.Exportable, o.AllAppsAccess
		list, err := p.choiceOrNone(o)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(list, func(one string) bool { return !isXML(one) }) {
			return nil, fail(BadName, "a name has a character that a configuration profile cannot hold")
		}
		host := o.cloud().certauth()
		prefer := func(name, service string) payload {
			return part(name, "com.apple.security.identitypreference", service, "Identity for Microsoft Entra.", own,
				payload{"Name": service, "PayloadCertificateUUID": identity["PayloadUUID"]})
		}
		top.PayloadContent = append(top.PayloadContent,
			// A URL covers what is below it if it ends with a slash, and * any number of
			// labels (security(1), set-identity-preference).
			prefer("host", "https://"+host+"/"),
			prefer("hosts", "*."+host))
		if len(list) > 0 {
			top.PayloadContent = append(top.PayloadContent,
				part("chrome", "com.google.Chrome", "Google Chrome", "Selects the certificate at Microsoft Entra.", own, payload{autoSelect: list}),
				part("edge", "com.microsoft.Edge", "Microsoft Edge", "Selects the certificate at Microsoft Entra.", own, payload{autoSelect: list}))
		}
		top.PayloadContent = append(top.PayloadContent,
			part("firefox", "org.mozilla.firefox", "Firefox", "Uses the keychain, and presents the certificate that fits.", own,
				payload{"EnterprisePoliciesEnabled": true, "Preferences": firefoxPreferences()}))
	}
	out, err := plist.MarshalIndent(top, plist.XMLFormat, "\t")
	if err != nil {
		return nil, &Error{Reason: BadName, Detail: "the property list", Err: err}
	}
	at := bytes.Index(out, []byte("<plist"))
	return append(slices.Insert(out, at, []byte(warning)...), '\n'), nil
}

// SecurityScript returns a shell script for macOS that imports the root and the
// PFX, which must be in the same folder, into the user's login keychain, and makes the
// identity that of Entra's certauth hosts (set-identity-preference). It names the
// format (-f pkcs12), because newer systems do not read AES otherwise. The root is
// added but not trusted for anything: a client certificate does not need that. Chrome,
// Edge and Firefox take their choice from the profile of [Package.MobileConfig] alone.
//
// With the argument -check the script writes nothing, and says whether the identity is
// in the keychain and preferred; the exit status is 0 if both are so.
//
// The security command asks for the password in a window, or reads it from its
// command line: with [Options.EmbedPassword] other programs can read it there while
// the command runs. The command has no third way.
//
// The error is an [*Error]: [Missing], [BadName], [BadOption] or [UnfitPassword] (a zero
// byte).
func (p Package) SecurityScript(o Options) ([]byte, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	file := p.fileName("p12")
	var b lines
	b.add("#!/bin/sh")
	password, flags, how := "", " -x", "# A window asks for the password."
	if o.EmbedPassword {
		if err := checkPassword(p.Password); err != nil {
			return nil, err
		}
		word, err := shell(p.Password)
		if err != nil {
			return nil, err
		}
		password, how = " -P "+word, "# The command line shows the password while this runs."
		b.add("# ", p.secret(file))
	}
	if o.Exportable {
		flags = ""
	}
	if o.AllAppsAccess {
		flags += " -A"
	}
	host := o.cloud().certauth()
	b.add("# Imports the certificate of ", comment(p.UPN), " and the root ", comment(title(p.Root)), " into the login keychain.")
	b.add("#   sh install.sh           import")
	b.add("#   sh install.sh -check    say what is there, and change nothing")
	b.add("set -eu")
	b.add(`cd -- "$(dirname -- "$0")"`)
	b.add(`keychain=$HOME/Library/Keychains/login.keychain-db`)
	b.add(`if [ "${1-}" = -check ]; then`)
	b.add("\tmissing=0")
	b.add(`	if security find-identity -p ssl-client "$keychain" | grep -q `, thumbprint(p.Certificate), `; then`)
	b.add("\t\techo 'found    in the login keychain'")
	b.add("\telse")
	b.add("\t\techo 'missing  in the login keychain'")
	b.add("\t\tmissing=1")
	b.add("\tfi")
	b.add(`	for service in 'https://`, host, `/' '*.`, host, `'; do`)
	b.add(`		if security get-identity-preference -s "$service" -Z 2>/dev/null | grep -q `, thumbprint(p.Certificate), `; then`)
	b.add(`			echo "set      for $service (Safari)"`)
	b.add("\t\telse")
	b.add(`			echo "NOT set  for $service (Safari)"`)
	b.add("\t\t\tmissing=1")
	b.add("\t\tfi")
	b.add("\tdone")
	b.add("\techo 'Chrome, Edge, Firefox: chrome://policy, edge://policy and about:policies show their choice.'")
	b.add("\texit $missing")
	b.add("fi")
	b.add(`if security find-certificate -a -Z "$keychain" | grep -q `, thumbprint(p.Root), `; then`)
	b.add("\techo 'The root is there already.'")
	b.add("else")
	b.add("\tsecurity import ", rootName, ` -k "$keychain"`)
	b.add("fi")
	b.add(`if security find-identity "$keychain" | grep -q `, thumbprint(p.Certificate), `; then`)
	b.add("\techo 'The certificate is there already.' # importing it again would fail")
	b.add("else")
	b.add("\t", how)
	b.add("\tsecurity import ", file, ` -k "$keychain" -f pkcs12`, flags, password)
	b.add("fi")
	b.add("# Safari presents this identity at Entra's hosts. A slash at the end covers what is below.")
	for _, service := range []string{"https://" + host + "/", "*." + host} {
		b.add("security set-identity-preference -Z ", thumbprint(p.Certificate), " -s '", service, `' "$keychain"`)
	}
	return []byte(b.String()), nil
}

// identifierOf makes an identifier from a UPN: jane@yourdomain.com becomes
// com.yourdomain.cba.jane. Where a UPN has other characters, a hash keeps two
// of them apart.
func identifierOf(upn string) string {
	local, domain, _ := strings.Cut(strings.ToLower(upn), "@")
	labels := strings.Split(domain, ".")
	slices.Reverse(labels)
	want := strings.TrimLeft(strings.Join(labels, ".")+".cba."+local, ".")
	identifier := strings.Map(func(r rune) rune {
		if r < 0x80 && (isAlphanumeric(byte(r)) || r == '.' || r == '-') {
			return r
		}
		return '-'
	}, want)
	if identifier == want && isIdentifier(identifier) {
		return identifier
	}
	for strings.Contains(identifier, "..") {
		identifier = strings.ReplaceAll(identifier, "..", ".")
	}
	sum := sha256.Sum256([]byte(upn))
	return strings.Trim(identifier[:min(len(identifier), 200)], ".") + "-" + hex.EncodeToString(sum[:4])
}

func isIdentifier(id string) bool {
	if len(id) > 255 {
		return false
	}
	for _, label := range strings.Split(id, ".") {
		if label == "" || strings.ContainsFunc(label, func(r rune) bool { return r >= 0x80 || !isAlphanumeric(byte(r)) && r != '-' }) {
			return false
		}
	}
	return true
}

// uuidSpace is the name space of this package's UUIDs. It must never change.
const uuidSpace = "\x8c\x1e\x5b\x0f\x7a\x43\x4d\x1e\x9f\x27\x60\xc4\x12\xd8\x3b\xa6"

// uuid returns a UUID made from names (RFC 9562 section 5.5, version 5).
func uuid(names ...string) string {
	sum := fingerprint.SHA1([]byte(uuidSpace + strings.Join(names, "\n") + "\n"))
	u := sum[:16]
	u[6] = u[6]&0x0f | 0x50
	u[8] = u[8]&0x3f | 0x80
	s := strings.ToUpper(hex.EncodeToString(u))
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}
