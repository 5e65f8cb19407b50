package cba

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/internal/san"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// A Subject is who a certificate is for. The caller has authenticated every word
// of it: whoever holds the certificate signs in as this person. Give a UPN, or an
// e-mail address, or both.
type Subject struct {
	// UPN is the user principal name, written as an otherName of the
	// subjectAltName. It must be the account's own, letter for letter: whether
	// Entra ignores case is not documented. Names that no mail can reach, such as
	// bob@woodgrove, are legal.
	UPN string
	// Emails are rfc822Names of the subjectAltName.
	Emails []string
	// SID is the account's security identifier in Active Directory, for strong
	// mapping. [Profile.SIDForm] says how it is written.
	SID SID
	// Name is the distinguished name. Empty means CN= and the UPN, or the first
	// e-mail address.
	Name dn.Name
	// DNSNames and URIs stand in the subjectAltName too. Entra reads neither.
	DNSNames []string
	URIs     []string
}

// SubjectOf returns the subject of a certificate, for its renewal: issued for it
// again, with [ProfileOf], a certificate has the same names and the same SID. The
// distinguished name is the certificate's own, empty if that is.
//
// What this package does not write is left out: [Names.Ignored] has it.
//
// The error is an [*Error] with reason [Malformed] (names that cannot be read),
// [Ambiguous] (several UPNs, or SIDs that differ: which of them is meant is not
// for this package to say) or [Empty] (no certificate).
func SubjectOf(cert *x509.Certificate) (Subject, error) {
	if cert == nil {
		return Subject{}, &Error{Reason: Empty, What: "certificate"}
	}
	names, err := NamesOf(cert)
	if err != nil {
		return Subject{}, err
	}
	fail := func(reason Reason, what, hint string) (Subject, error) {
		return Subject{}, &Error{Reason: reason, What: what + " of the certificate", Text: dn.Show(cert.RawSubject), Hint: hint}
	}
	s := Subject{Emails: names.Emails, SID: names.SID(), DNSNames: names.DNSNames, URIs: withoutSIDs(names.URIs)}
	if s.Name, err = dn.ParseDER(cert.RawSubject); err != nil {
		return fail(Malformed, "subject", "")
	}
	switch {
	case len(names.UPNs) > 1:
		return fail(Ambiguous, "UPNs", "set Subject.UPN to the one that the account has")
	case s.SID.IsZero() && (len(names.URISIDs) > 0 || !names.ExtensionSID.IsZero()):
		return fail(Ambiguous, "SIDs", "set Subject.SID to that of the account")
	case len(names.UPNs) == 1:
		s.UPN = names.UPNs[0]
	}
	return s, nil
}

// Names are what a certificate or a request says about who it is for, beside the
// distinguished name. Lists are in the order of the encoding.
type Names struct {
	UPNs     []string
	Emails   []string
	DNSNames []string
	URIs     []string // all of them, those that hold a SID too
	// ExtensionSID is the SID of the extension 1.3.6.1.4.1.311.25.2, URISIDs are
	// those of URIs. See [Names.SID].
	ExtensionSID SID
	URISIDs      []SID
	// Ignored are the names that Entra reads no user from.
	Ignored []Ignored
}

// An Ignored is a name that stands in a certificate or request and that Entra
// reads no user from.
type Ignored struct {
	Kind string   // what it is: "otherName FASC-N", "IP address"
	Type x509.OID // the type of an otherName, else the zero OID
	Raw  []byte   // the whole encoded name, or the extension's value
}

// String returns the kind, and the type of an otherName.
func (i Ignored) String() string {
	if oid := i.Type.String(); oid != "" {
		return i.Kind + " (" + oid + ")"
	}
	return i.Kind
}

// NamesOf returns the names of a certificate: its subjectAltName and its SID
// extension. Names that Entra does not read are in [Names.Ignored], each with
// what it is: other otherNames (FASC-N of a PIV card, KRB5PrincipalName), a UPN
// that is not a UTF8String, directory names and so on.
//
// A certificate without these extensions has empty Names. What the names mean is
// not checked: see [Check].
//
// The error is an [*Error] with reason [Malformed] (the subjectAltName is not a
// list of names) or [Empty] (no certificate).
func NamesOf(cert *x509.Certificate) (Names, error) {
	if cert == nil {
		return Names{}, &Error{Reason: Empty, What: "certificate"}
	}
	return ReadNames(cert.Extensions)
}

// ReadNames is [NamesOf] for the extensions of anything else.
func ReadNames(extensions []pkix.Extension) (Names, error) {
	var n Names
	for _, e := range extensions {
		switch {
		case e.Id.Equal(san.Extension()):
			if err := san.Each(e.Value, n.add); err != nil {
				return Names{}, &Error{Reason: Malformed, What: "subjectAltName", Err: err}
			}
		case e.Id.Equal(sidExtension):
			sid, ok := readSIDExtension(e.Value)
			if !ok {
				n.Ignored = append(n.Ignored, Ignored{Kind: "SID extension that holds no SID", Raw: slices.Clone(e.Value)})
			}
			n.ExtensionSID = sid
		}
	}
	return n, nil
}

func (n *Names) add(kind san.Kind, value []byte) bool {
	switch kind {
	case san.UPN:
		n.UPNs = append(n.UPNs, string(value))
	case san.Email:
		n.Emails = append(n.Emails, string(value))
	case san.DNS:
		n.DNSNames = append(n.DNSNames, string(value))
	case san.URI:
		n.URIs = append(n.URIs, string(value))
		if text, ok := strings.CutPrefix(string(value), sidURI); ok {
			if sid, err := ParseSID(text); err == nil {
				n.URISIDs = append(n.URISIDs, sid)
			} else {
				n.Ignored = append(n.Ignored, Ignored{Kind: "SID URI that holds no SID", Raw: slices.Clone(value)})
			}
		}
	default:
		n.Ignored = append(n.Ignored, describe(slices.Clone(value)))
	}
	return true
}

// describe says what kind of GeneralName an encoded one is.
func describe(raw []byte) Ignored {
	i := Ignored{Kind: "name of an unknown kind", Raw: raw}
	input := cryptobyte.String(raw)
	var content, oid cryptobyte.String
	var tag cbasn1.Tag
	if !input.ReadAnyASN1(&content, &tag) {
		return i
	}
	switch tag &^ 0x20 { // without the bit for "constructed"
	case 0x80:
		i.Kind = "otherName"
		if !content.ReadASN1(&oid, cbasn1.OBJECT_IDENTIFIER) || i.Type.UnmarshalBinary(oid) != nil {
			return i
		}
		if name := otherName(i.Type.String()); name != "" {
			i.Kind += " " + name
		}
	case 0x83:
		i.Kind = "X.400 address"
	case 0x84:
		i.Kind = "directory name"
	case 0x85:
		i.Kind = "EDI party name"
	case 0x87:
		i.Kind = "IP address"
	case 0x88:
		i.Kind = "registered ID"
	}
	return i
}

// otherName returns the known name of a type of otherName, or "".
func otherName(oid string) string {
	switch oid {
	case "1.3.6.1.4.1.311.20.2.3":
		return "UPN that is no UTF8String" // else it would not be among the ignored
	case "2.16.840.1.101.3.6.6":
		return "FASC-N" // FIPS 201, PIV cards
	case "1.3.6.1.5.2.2":
		return "KRB5PrincipalName" // RFC 4556
	case "1.3.6.1.4.1.311.25.1":
		return "NTDS replication GUID" // domain controllers
	case "1.3.6.1.4.1.311.25.2.1":
		return "SID" // belongs into the extension, not here
	case "1.3.6.1.5.5.7.8.3":
		return "permanentIdentifier" // RFC 4043
	case "1.3.6.1.5.5.7.8.4":
		return "hardwareModuleName" // RFC 4108
	case "1.3.6.1.5.5.7.8.5":
		return "XmppAddr" // RFC 6120
	case "1.3.6.1.5.5.7.8.7":
		return "SRVName" // RFC 4985
	case "1.3.6.1.5.5.7.8.9":
		return "SmtpUTF8Mailbox" // RFC 9598
	}
	return ""
}

// SID returns the one SID that the names hold: the extension's, the URI's, or
// both if they are equal. It returns no SID if there is none or if they differ.
func (n Names) SID() SID {
	sid := n.ExtensionSID
	for _, s := range n.URISIDs {
		if sid.IsZero() {
			sid = s
		}
		if s != sid {
			return SID{}
		}
	}
	return sid
}

// equal compares what is read from an encoding. Ignored names count by number.
func (n Names) equal(other Names) bool {
	return slices.Equal(n.UPNs, other.UPNs) && slices.Equal(n.Emails, other.Emails) &&
		slices.Equal(n.DNSNames, other.DNSNames) && slices.Equal(n.URIs, other.URIs) &&
		n.ExtensionSID == other.ExtensionSID && slices.Equal(n.URISIDs, other.URISIDs) &&
		len(n.Ignored) == len(other.Ignored)
}

// CheckUPN reports whether a UPN can stand in a certificate: it must be valid
// UTF-8, not empty or blank, and have no control characters. Anything else is
// legal: no domain, a domain that nobody owns, blanks at the ends. [Check] has
// findings about what is legal and unwise.
//
// The error is an [*Error] with reason [Empty], [NotUTF8] or [ControlCharacter].
func CheckUPN(upn string) error { return checkText("UPN", upn) }

func checkText(what, text string) error {
	fail := func(reason Reason) error { return &Error{Reason: reason, What: what, Text: text} }
	switch {
	case strings.TrimSpace(text) == "":
		return fail(Empty)
	case !utf8.ValidString(text):
		return fail(NotUTF8)
	case strings.ContainsFunc(text, unicode.IsControl):
		return fail(ControlCharacter)
	}
	return nil
}

// checkASCII is checkText for names that the subjectAltName holds as IA5String.
// Blanks have no place in them.
func checkASCII(what, text string) error {
	if err := checkText(what, text); err != nil {
		return err
	}
	for i := 0; i < len(text); i++ {
		if text[i] >= utf8.RuneSelf {
			return &Error{Reason: NotASCII, What: what, Text: text, Hint: "write the domain in its xn-- form"}
		}
		if text[i] == ' ' {
			return &Error{Reason: Malformed, What: what, Text: text, Hint: "remove the blank"}
		}
	}
	return nil
}

// checkURL accepts absolute URLs that crypto/x509 reads back.
func checkURL(what, text string) error {
	if err := checkASCII(what, text); err != nil {
		return err
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" {
		return &Error{Reason: Malformed, What: what, Text: text, Hint: "write a whole URL with its scheme"}
	}
	return nil
}

// resolve checks the subject and returns it with its distinguished name filled
// in, that name encoded, and the names that the certificate will be read to have.
func (s Subject) resolve(form SIDForm) (Subject, []byte, Names, error) {
	fail := func(err error) (Subject, []byte, Names, error) { return Subject{}, nil, Names{}, err }
	var names Names
	if s.UPN != "" {
		if err := CheckUPN(s.UPN); err != nil {
			return fail(err)
		}
		names.UPNs = []string{s.UPN}
	}
	for _, email := range s.Emails {
		if err := checkASCII("e-mail address", email); err != nil {
			return fail(err)
		}
		if at := strings.LastIndexByte(email, '@'); at < 1 || at == len(email)-1 {
			return fail(&Error{Reason: Malformed, What: "e-mail address", Text: email, Hint: "write name@domain"})
		}
		names.Emails = append(names.Emails, email)
	}
	for _, name := range s.DNSNames {
		if err := checkASCII("DNS name", name); err != nil {
			return fail(err)
		}
		names.DNSNames = append(names.DNSNames, name)
	}
	for _, uri := range s.URIs {
		if err := checkURL("URI", uri); err != nil {
			return fail(err)
		}
		if len(uri) >= len(sidURI) && strings.EqualFold(uri[:len(sidURI)], sidURI) {
			return fail(&Error{Reason: Malformed, What: "URI", Text: uri, Hint: "give the SID in Subject.SID"})
		}
		names.URIs = append(names.URIs, uri)
	}
	if !s.SID.IsZero() {
		if form == 0 || form == SIDAsExtension || form == SIDAsBoth {
			names.ExtensionSID = s.SID
		}
		if form == SIDAsURI || form == SIDAsBoth {
			names.URIs = append(names.URIs, s.SID.URI())
			names.URISIDs = []SID{s.SID}
		}
	}
	if len(s.Name) == 0 {
		common := s.UPN
		if common == "" && len(s.Emails) > 0 {
			common = s.Emails[0]
		}
		if common == "" {
			return fail(&Error{Reason: Empty, What: "subject", Hint: "give a UPN, an e-mail address or a distinguished name"})
		}
		s.Name = dn.Name{{{Type: dn.CommonName, Value: common}}}
	}
	der, err := marshalName("subject", s.Name)
	if err != nil {
		return fail(err)
	}
	return s, der, names, nil
}

func marshalName(what string, name dn.Name) ([]byte, error) {
	der, err := name.Marshal()
	if err != nil {
		return nil, &Error{Reason: Malformed, What: what, Text: name.String(), Err: err}
	}
	return der, nil
}

// id is what tells two users of a list apart: the UPN without regard to case, or
// what stands in for it. A subject that says nothing has none.
func (s Subject) id() string {
	switch {
	case s.UPN != "":
		return "upn:" + strings.ToLower(s.UPN)
	case len(s.Emails) > 0:
		return "email:" + strings.ToLower(s.Emails[0])
	}
	if len(s.Name) > 0 {
		return "name:" + s.Name.String()
	}
	return ""
}

// String returns the UPN, else the first e-mail address, else the distinguished
// name.
func (s Subject) String() string {
	switch {
	case s.UPN != "":
		return s.UPN
	case len(s.Emails) > 0:
		return s.Emails[0]
	}
	return s.Name.String()
}

// san encodes the subjectAltName for these names, nil if there are none.
func (n Names) san() ([]byte, error) {
	var list []san.Name
	add := func(kind san.Kind, values []string) {
		for _, value := range values {
			list = append(list, san.Name{Kind: kind, Value: value})
		}
	}
	add(san.UPN, n.UPNs)
	add(san.Email, n.Emails)
	add(san.DNS, n.DNSNames)
	add(san.URI, n.URIs)
	if list == nil {
		return nil, nil
	}
	der, err := san.Marshal(list)
	if err != nil { // resolve has checked the names
		return nil, fmt.Errorf("cba: subjectAltName: %w", err)
	}
	return der, nil
}
