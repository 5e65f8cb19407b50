package cba

import (
	"crypto/x509"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"example.com/entracba/cba/dn"
)

// A Subject is the person that a certificate is for. The caller must have
// authenticated every word of it: anyone who has the key of the certificate signs in
// as this person. Give a UPN, or an e-mail address, or both.
type Subject struct {
	// UPN is the user principal name, written as an otherName of the
	// subjectAltName. It must match the account's exactly: whether Entra
	// ignores letter case is not documented. Names that are no e-mail address, such
	// as bob@woodgrove, are legal.
	UPN string
	// Emails are rfc822Names of the subjectAltName.
	Emails []string
	// SID is the account's security identifier in Active Directory, for strong
	// mapping. [Profile.SIDForm] says how it is written.
	SID SID
	// Name is the distinguished name. Empty means CN= and the UPN, or the first
	// e-mail address.
	Name dn.Name
	// DNSNames and URIs are in the subjectAltName too. Entra reads neither.
	DNSNames []string
	URIs     []string
}

// SubjectOf returns the subject of a certificate, for its renewal: issued for it
// again, with [ProfileOf], a certificate has the same names and the same SID. The
// distinguished name is the certificate's own, empty if that is.
//
// What this package does not write is left out; [Names.Ignored] lists it.
//
// The error is an [*Error] with reason [Malformed] (names that cannot be read),
// [Ambiguous] (several UPNs, or SIDs that differ) or [Empty] (no certificate).
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
		if problem := emailProblem(email); problem != "" {
			return fail(&Error{Reason: Malformed, What: "e-mail address", Text: email, Hint: "it " + problem + "; write one address, name@domain, without labels, commas and quotes"})
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
	for _, part := range s.Name {
		for _, a := range part {
			if strings.ContainsFunc(a.Value, isControl) {
				return fail(&Error{Reason: ControlCharacter, What: "subject", Text: a.Value})
			}
		}
	}
	der, err := marshalName("subject", s.Name)
	if err != nil {
		return fail(err)
	}
	return s, der, names, nil
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

// CheckUPN returns an error unless a certificate can contain this UPN: valid
// UTF-8, not empty, not only spaces, and without control characters and line separators. Anything else
// is legal: no domain, an unregistered domain, spaces at the ends. [Findings] has
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
	case strings.ContainsFunc(text, isControl):
		return fail(ControlCharacter)
	}
	return nil
}

// isControl reports control characters, and the two that break lines where programs
// do not expect it.
func isControl(r rune) bool { return unicode.IsControl(r) || r == 0x2028 || r == 0x2029 }

// checkASCII is checkText for names that the subjectAltName holds as IA5String.
// Spaces are not allowed in them.
func checkASCII(what, text string) error {
	if err := checkText(what, text); err != nil {
		return err
	}
	for i := 0; i < len(text); i++ {
		if text[i] >= utf8.RuneSelf {
			hint := "it must be ASCII"
			if strings.LastIndexByte(text, '@') < i { // in the domain
				hint = "write the domain in its xn-- form"
			}
			return &Error{Reason: NotASCII, What: what, Text: text, Hint: hint}
		}
		if text[i] == ' ' {
			return &Error{Reason: Malformed, What: what, Text: text, Hint: "remove the space"}
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
		return &Error{Reason: Malformed, What: what, Text: text, Hint: "write the whole URL, with http:// in front"}
	}
	return nil
}

// checkURLs refuses what crypto/x509 would not read back.
func checkURLs(what string, urls []string) error {
	for _, url := range urls {
		if err := checkURL(what, url); err != nil {
			return err
		}
		if strings.Contains(url, "\\") {
			return &Error{Reason: Malformed, What: what, Text: url, Hint: "write it with slashes"}
		}
	}
	return nil
}

func marshalName(what string, name dn.Name) ([]byte, error) {
	der, err := name.Marshal()
	if err != nil {
		return nil, &Error{Reason: Malformed, What: what, Text: name.String(), Err: err}
	}
	return der, nil
}
