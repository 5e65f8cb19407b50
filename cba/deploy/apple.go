package deploy

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
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

// A payload is a root (Device Management: CertificateRoot) or an identity
// (CertificatePKCS12), which alone has the last three.
type payload struct {
	PayloadCertificateFileName string
	PayloadContent             []byte
	PayloadDescription         string
	PayloadDisplayName         string
	PayloadIdentifier          string
	PayloadType                string
	PayloadUUID                string
	PayloadVersion             int
	Password                   string `plist:",omitempty"`
	KeyIsExtractable           *bool  `plist:",omitempty"` // macOS; nothing there means true
	AllowAllAppsAccess         *bool  `plist:",omitempty"` // macOS
}

// MobileConfig returns a configuration profile for macOS and iOS with the root
// and the PFX, as an unsigned XML property list. The installation asks for the
// password; with [Options.EmbedPassword] the profile holds it. Apple advises against
// that, because a profile does not protect the password.
//
// The identifier and the UUIDs are made from the UPN and the certificates, so they
// are the same each time the profile is written: installing it again replaces it, and
// the profile of the next certificate replaces that of this one. As with every
// payload of this kind, the root is then trusted for servers, too.
//
// The error is an [*Error]: [Missing], [BadName] (an invalid identifier, or text that
// XML cannot hold), or [UnfitPassword] for an embedded password with a character that
// XML cannot hold.
func (p Package) MobileConfig(o Options) ([]byte, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	if o.EmbedPassword {
		if err := checkPassword(p.Password); err != nil {
			return nil, err
		}
		if !isXML(p.Password) {
			return nil, fail(UnfitPassword, "a configuration profile cannot hold a control character; do not embed the password")
		}
	}
	identifier := o.Identifier
	switch {
	case identifier == "":
		identifier = identifierOf(p.UPN)
	case !isIdentifier(identifier):
		return nil, fail(BadName, "%s cannot be an identifier; use letters, digits, hyphens and dots", text.Quote(identifier))
	}
	if !isXML(p.UPN) || !isXML(o.Organization) || !isXML(title(p.Root)) || !isXML(title(p.Certificate)) {
		return nil, fail(BadName, "a name has a character that a configuration profile cannot hold")
	}
	file := p.fileName("p12")
	top := profile{
		PayloadDescription:  "Certificate for signing in to Microsoft Entra as " + p.UPN + ", and its root.",
		PayloadDisplayName:  "Sign-in certificate of " + p.UPN,
		PayloadIdentifier:   identifier,
		PayloadOrganization: o.Organization,
		PayloadScope:        "User",
		PayloadType:         "Configuration",
		PayloadUUID:         uuid(identifier, sha256Hex(p.Certificate), sha256Hex(p.Root)),
		PayloadVersion:      1,
		PayloadContent: []payload{
			{
				PayloadCertificateFileName: rootName,
				PayloadContent:             p.Root.Raw,
				PayloadDescription:         "Root of the sign-in certificate.",
				PayloadDisplayName:         title(p.Root),
				PayloadIdentifier:          identifier + ".root",
				PayloadType:                "com.apple.security.root",
				PayloadUUID:                uuid(identifier+".root", sha256Hex(p.Root)),
				PayloadVersion:             1,
			},
			{
				PayloadCertificateFileName: file,
				PayloadContent:             p.PFX,
				PayloadDescription:         "Certificate and key.",
				PayloadDisplayName:         title(p.Certificate),
				PayloadIdentifier:          identifier + ".identity",
				PayloadType:                "com.apple.security.pkcs12",
				PayloadUUID:                uuid(identifier+".identity", sha256Hex(p.Certificate)),
				PayloadVersion:             1,
				KeyIsExtractable:           &o.Exportable,
				AllowAllAppsAccess:         new(bool),
			},
		},
	}
	warning := ""
	if o.EmbedPassword {
		top.PayloadContent[1].Password = p.Password
		top.PayloadDescription = "SECRET: holds its password in clear text. " + top.PayloadDescription
		warning = "<!-- " + p.secret("the PKCS#12 payload") + " -->\n"
	}
	out, err := plist.MarshalIndent(top, plist.XMLFormat, "\t")
	if err != nil {
		return nil, &Error{Reason: BadName, Detail: "the property list", Err: err}
	}
	at := bytes.Index(out, []byte("<plist"))
	return append(slices.Insert(out, at, []byte(warning)...), '\n'), nil
}

// SecurityScript returns a shell script for macOS that imports the root and the
// PFX, which must be in the same folder, into the user's login keychain. It names the
// format (-f pkcs12), because newer systems do not read AES otherwise. The root is
// added but not trusted for anything: a client certificate does not need that.
//
// The security command asks for the password in a window, or reads it from its
// command line: with [Options.EmbedPassword] other programs can read it there while
// the command runs. The command has no third way.
//
// The error is an [*Error]: [Missing], [BadName] or [UnfitPassword] (a zero byte).
func (p Package) SecurityScript(o Options) ([]byte, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	file := p.fileName("p12")
	var b lines
	b.add("#!/bin/sh")
	password, extractable := "", " -x"
	if o.EmbedPassword {
		if err := checkPassword(p.Password); err != nil {
			return nil, err
		}
		word, err := shell(p.Password)
		if err != nil {
			return nil, err
		}
		password = " -P " + word
		b.add("# ", p.secret(file))
	}
	if o.Exportable {
		extractable = ""
	}
	b.add("# Imports the certificate of ", comment(p.UPN), " and the root ", comment(title(p.Root)), " into the login keychain.")
	b.add("set -eu")
	b.add(`cd -- "$(dirname -- "$0")"`)
	b.add(`keychain=$HOME/Library/Keychains/login.keychain-db`)
	b.add(`if security find-certificate -a -Z "$keychain" | grep -q `, thumbprint(p.Root), `; then`)
	b.add("\techo 'The root is there already.'")
	b.add("else")
	b.add("\tsecurity import ", rootName, ` -k "$keychain"`)
	b.add("fi")
	if o.EmbedPassword {
		b.add("# The command line shows the password while this runs.")
	} else {
		b.add("# A window asks for the password.")
	}
	b.add("security import ", file, ` -k "$keychain" -f pkcs12`, extractable, password)
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
