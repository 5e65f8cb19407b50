package cba

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/internal/path"
	"example.com/entracba/cba/internal/san"
	"example.com/entracba/cba/internal/text"
	"example.com/entracba/cba/lint"
)

// FindingsOptions are what [Findings] cannot know from the certificates. The zero value
// leaves out what depends on them.
type FindingsOptions struct {
	// At is the time to check validity at. Zero means that expiry is not checked.
	At time.Time
	// UPN is the account's userPrincipalName. Empty means that the certificate's
	// UPN is compared with nothing.
	UPN string
}

// Findings returns what does not suit Entra, and the TLS clients in front of it, in
// a certificate and its chain. chain begins with the user's certificate; the CAs
// that follow, each the issuer of the one before, are optional. It works with
// certificates of any CA.
//
// It checks names, usages, keys and signatures, key identifiers, validity,
// revocation URLs and policies, and how the certificates fit each other. It does
// not check whether Entra trusts the CAs, whether anything is revoked or which
// account the certificate is bound to: see the packages trust, crl and signin.
//
// Findings are in the order of the chain. [lint.Finding.Where] is a field or
// extension as RFC 5280 spells it; for CAs it begins with "chain/" and the CA's
// index. There are at most ten findings of one code about one certificate. An empty
// chain has no findings.
func Findings(chain []*x509.Certificate, options FindingsOptions) lint.Findings {
	if len(chain) == 0 || slices.Contains(chain, nil) {
		return nil
	}
	c := checker{at: options.At, upn: options.UPN}
	c.user(chain[0])
	if len(chain) > 1 {
		c.link(chain[0], chain[1])
		c.signature(chain[0], chain[1])
	}
	c.authorities(chain[1:])
	c.policies(chain)
	c.permitted(chain)
	c.n = 0
	if len(chain) > 11 {
		c.add(chainTooLong, "chain", "", "has %d CAs", len(chain)-1)
	}
	if len(chain) > 1 {
		c.end(chain[len(chain)-1])
	}
	return c.findings
}

// A checker collects findings. It walks along a chain: cert, issuer and n say
// where it is.
type checker struct {
	at       time.Time
	upn      string
	ca       string // how messages name the certificate at n; empty for the user's
	n        int    // its index in the chain
	findings lint.Findings
	count    map[codeAt]int
}

// A codeAt is a rule at one certificate of the chain.
type codeAt struct {
	code string
	n    int
}

// maxAlike is how many findings of one code there are for a certificate: a hostile
// one can have tens of thousands of names.
const maxAlike = 10

// add appends a finding about a part of the certificate at hand. part is the
// field or extension as RFC 5280 spells it, about is the name that people know.
func (c *checker) add(r lint.Rule, part, about, format string, args ...any) {
	if c.count == nil {
		c.count = map[codeAt]int{}
	}
	if c.count[codeAt{r.Code, c.n}]++; c.count[codeAt{r.Code, c.n}] > maxAlike {
		return
	}
	where := part
	if c.n > 0 {
		where = strings.TrimSuffix(fmt.Sprintf("chain/%d/%s", c.n, part), "/")
		about = strings.TrimSuffix("CA "+c.ca+": "+about, ": ")
	}
	c.findings = append(c.findings, r.At(where, about, format, args...))
}

// Parts of a certificate, as findings name them for programs.
const (
	partAltNames        = "subjectAltName"
	partSubject         = "subject"
	partIssuer          = "issuer"
	partSerial          = "serialNumber"
	partValidity        = "validity"
	partKey             = "subjectPublicKey"
	partSignature       = "signature"
	partKeyUsage        = "keyUsage"
	partExtKeyUsage     = "extKeyUsage"
	partConstraints     = "basicConstraints"
	partPolicies        = "certificatePolicies"
	partNameConstraints = "nameConstraints"
	partCRLs            = "cRLDistributionPoints"
	partAKI             = "authorityKeyIdentifier"
	partSKI             = "subjectKeyIdentifier"
	partSID             = "sid"
	partExtensions      = "extensions"
	partCertificate     = "certificate"
)

// user looks at the user's certificate alone.
func (c *checker) user(cert *x509.Certificate) {
	names, err := NamesOf(cert)
	if err != nil {
		c.add(certNamesUnreadable, partAltNames, "", "is not a list of names")
	} else {
		c.names(cert, names)
	}
	for _, odd := range san.Odds(san.Find(cert)) {
		c.add(certUPNType, partAltNames, "", "the UPN %s is %s", text.Quote(odd.Value), odd.How)
	}
	c.subject(cert)
	c.usage(cert)
	c.common(cert)
	if len(cert.AuthorityKeyId) == 0 {
		c.add(certNoAKI, partAKI, "authority key identifier", "is missing")
	}
	if len(cert.SubjectKeyId) == 0 {
		c.add(certNoSKI, partSKI, "subject key identifier", "is missing")
	}
	// Both ends are part of the validity (RFC 5280 section 4.1.2.5).
	switch length := cert.NotAfter.Sub(cert.NotBefore); { // of 292 years at most
	case path.PeriodUnread(cert): // crypto/x509 has said why
	case cert.NotAfter.Before(cert.NotBefore):
		c.add(certShort, partValidity, "", "ends before it begins")
	case cert.NotAfter.Year() == 9999:
		c.add(certLong, partValidity, "", "has no end")
	case cert.NotAfter.After(cert.NotBefore.AddDate(2, 0, 1)):
		c.add(certLong, partValidity, "", "is %d days", (cert.NotAfter.Unix()-cert.NotBefore.Unix()+1)/int64(Day/time.Second))
	case length+time.Second < 5*Day:
		c.add(certShort, partValidity, "", "is %s", showDays(length+time.Second))
	}
	switch {
	case len(cert.CRLDistributionPoints) == 0:
		c.add(certNoCRL, partCRLs, "CRL distribution points", "no CRL URL in the certificate")
	default:
		c.crlURLs(cert.CRLDistributionPoints)
	}
	c.serial(cert)
}

func (c *checker) names(cert *x509.Certificate, names Names) {
	inSubject := subjectEmails(cert)
	switch {
	case len(names.UPNs) == 0 && len(names.Emails) == 0:
		c.add(certNoUPN, partAltNames, "", "no UPN and no e-mail address")
		if len(inSubject) > 0 {
			c.add(certSubjectEmail, partSubject, "", "the e-mail address %q is in the subject only", inSubject[0])
		}
	case len(names.UPNs) == 0:
		c.add(certOnlyEmail, partAltNames, "", "an e-mail address and no UPN")
	case len(names.Emails) == 0 && len(inSubject) > 0:
		c.add(certSubjectEmail, partSubject, "", "the e-mail address %q is in the subject only", inSubject[0])
	case len(names.UPNs) > 1:
		c.add(certManyUPNs, partAltNames, "", "%d UPNs", len(names.UPNs))
	}
	if slices.ContainsFunc(names.Emails, func(e string) bool { return !strings.EqualFold(e, names.Emails[0]) }) {
		c.add(certManyEmails, partAltNames, "", "%d e-mail addresses", len(names.Emails))
	}
	for _, upn := range names.UPNs {
		c.principalName(upn)
	}
	if c.upn != "" && len(names.UPNs) > 0 && !slices.Contains(names.UPNs, c.upn) {
		if slices.ContainsFunc(names.UPNs, func(upn string) bool { return strings.EqualFold(upn, c.upn) }) {
			c.add(certUPNCase, partAltNames, "UPN", "%q differs from %q in letter case", names.UPNs[0], c.upn)
		} else {
			c.add(certUPNOther, partAltNames, "UPN", "%q is not %q", names.UPNs[0], c.upn)
		}
	}
	for _, list := range []struct {
		what   string
		values []string
	}{{"UPN", names.UPNs}, {"e-mail address", names.Emails}, {"DNS name", names.DNSNames}, {"URI", names.URIs}} {
		seen := map[string]bool{}
		for _, value := range list.values {
			if list.what != "UPN" { // which principalName looks at
				c.value(partAltNames, list.what, value)
			}
			folded := strings.ToLower(value)
			if seen[folded] {
				c.add(certDuplicateName, partAltNames, "", "the %s %q appears twice", list.what, value)
			}
			seen[folded] = true
		}
	}
	for _, value := range names.UPNs {
		c.length(partAltNames, "PrincipalName", "X509:<PN>"+value)
	}
	for _, value := range names.Emails {
		if problem := emailProblem(value); problem != "" {
			c.add(certEmailText, partAltNames, "e-mail address", "%q %s", value, problem)
		}
		c.length(partAltNames, "RFC822Name", "X509:<RFC822>"+value)
	}
	for _, ignored := range names.Ignored {
		switch {
		case ignored.Type.EqualASN1OID(san.UPNType()): // Odds has it, if it can be read at all
			if len(san.Odds(san.Find(cert))) == 0 {
				c.add(certUPNType, partAltNames, "", "a UPN that is not a UTF8String, or not valid UTF-8")
			}
		case strings.HasPrefix(ignored.Kind, "SID"):
			c.add(certSIDUnreadable, partSID, "SID", "%s", ignored.Kind)
		case ignored.Type.EqualASN1OID(sidType):
			c.add(certSIDUnreadable, partSID, "SID", "the SID is an otherName of the subjectAltName; it belongs in the extension %v", sidExtension)
		default:
			c.add(certIgnoredName, partAltNames, "", "Entra does not identify users by the %s", ignored)
		}
	}
	if sids := names.URISIDs; names.SID().IsZero() && (len(sids) > 0 || !names.ExtensionSID.IsZero()) {
		c.add(certSIDMismatch, partSID, "SID", "the extension says %q, the URI %q", names.ExtensionSID, sids[0])
	}
}

// subjectEmails returns the e-mail addresses of the distinguished name.
func subjectEmails(cert *x509.Certificate) []string {
	name, err := dn.ParseDER(cert.RawSubject)
	if err != nil {
		return nil
	}
	return name.Values(dn.EmailAddress)
}

func (c *checker) principalName(upn string) {
	var bad *Error
	switch err := CheckUPN(upn); {
	case errors.As(err, &bad):
		c.add(certUPNText, partAltNames, "UPN", "%q: %s", upn, bad.Reason.words())
	case strings.TrimSpace(upn) != upn:
		c.add(certUPNSpace, partAltNames, "UPN", "%q begins or ends with a space", upn)
	case strings.ContainsFunc(upn, func(r rune) bool { return unicode.Is(unicode.Cf, r) }):
		c.add(certUPNInvisible, partAltNames, "UPN", "%q has an invisible character", upn)
	case template(upn) != "":
		c.add(certUPNTemplate, partAltNames, "UPN", "%q is a variable of a template that was not filled in", upn)
	case labelled.MatchString(upn):
		c.add(certUPNLabel, partAltNames, "UPN", "%q begins with the label of a field", upn)
	case !strings.Contains(upn, "@"):
		c.add(certUPNNotRoutable, partAltNames, "UPN", "%q has no @", upn)
	case upnProblem(upn) != "":
		c.add(certUPNImpossible, partAltNames, "UPN", "%s %s", text.Quote(upn), upnProblem(upn))
	}
}

var (
	// labelled is the label of a field that was copied together with the value.
	labelled = regexp.MustCompile(`(?i)^(CN|UPN|E|EMAIL|MAIL|PN|OU|O|UID|Principal Name|mailto) ?[=:]`)
	// templates are variables of Intune, Windows CAs, shells and other CAs that
	// nobody filled in.
	templates = regexp.MustCompile(`\{\{[^{}]*\}\}|<[A-Za-z][A-Za-z0-9 ]*>|%[A-Za-z][A-Za-z0-9]*%|[$%]\{[^{}]*\}|\$\([^()]*\)|\{[A-Za-z][A-Za-z._]*\}|\$[A-Z][A-Z_]+\$?`)
)

// template returns the first variable of a template in a text, or "".
func template(text string) string { return templates.FindString(text) }

// upnProblem says why no account can have a UPN with an @, or "". The characters are
// those that Graph's page of the user resource lists for userPrincipalName: letters
// and digits of ASCII and ' . - _ ! # ^ ~.
func upnProblem(upn string) string {
	at := strings.LastIndexByte(upn, '@')
	name, domain := upn[:at], upn[at+1:]
	odd := func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("'.-_!#^~", r))
	}
	switch i := strings.IndexFunc(name, odd); {
	case i >= 0:
		r, _ := utf8.DecodeRuneInString(name[i:])
		return fmt.Sprintf("has the character %q", r)
	case name == "" || domain == "":
		return "has nothing on one side of the @"
	case strings.HasSuffix(name, "."):
		return "has a dot before the @"
	case len(name) > 64:
		return fmt.Sprintf("has %d characters before the @; 64 are allowed", len(name))
	}
	return ""
}

// value looks at one name for what attacks or misleads whoever shows it.
func (c *checker) value(part, what, value string) {
	if i := strings.IndexFunc(value, func(r rune) bool { return isControl(r) || isTurning(r) }); i >= 0 {
		r, _ := utf8.DecodeRuneInString(value[i:])
		c.add(certControl, part, what, "%q has the character %U", value, r)
	}
	if variable := template(value); variable != "" {
		c.add(certTemplate, part, what, "%q was not filled in: %q", variable, value)
	}
}

// isTurning reports the characters that make what follows run the other way, so that a
// person reads another name than a program.
func isTurning(r rune) bool { return 0x202a <= r && r <= 0x202e || 0x2066 <= r && r <= 0x2069 }

// emailProblem says why a text is no one e-mail address, "" if it can be one.
func emailProblem(email string) string {
	name, domain, found := strings.Cut(email, "@")
	switch {
	case strings.ContainsAny(email, ", ;<>\""):
		return "has a comma, a space or a quote, as a list of addresses has"
	case labelled.MatchString(email) || strings.Contains(name, ":"):
		return "begins with a label"
	case !found || name == "" || domain == "":
		return "is not name@domain"
	case strings.HasSuffix(domain, ".") || strings.Contains(domain, "@"):
		return "has no domain behind the @"
	}
	return ""
}

// maxUserID is the limit of a certificateUserIds value, in characters.
const maxUserID = 1024

func (c *checker) length(part, mapping, value string) {
	if n := utf8.RuneCountInString(value); n > maxUserID {
		c.add(certNameTooLong, part, mapping, "the certificateUserIds value would have %d characters; %d are allowed", n, maxUserID)
	}
}

// subject looks at the two distinguished names, for the bindings that use them.
func (c *checker) subject(cert *x509.Certificate) {
	subject, err := dn.ParseDER(cert.RawSubject)
	if err != nil {
		return // crypto/x509 has read it, so this is for certificates made by hand
	}
	issuer, err := dn.ParseDER(cert.RawIssuer)
	if err != nil {
		return
	}
	for _, part := range subject {
		for _, a := range part {
			c.value(partSubject, string(a.Type), a.Value)
		}
	}
	if len(subject) == 0 {
		c.add(certNoSubject, partSubject, "", "is empty")
	}
	for _, cn := range subject.Values(dn.CommonName) {
		if n := utf8.RuneCountInString(cn); n > 64 {
			c.add(certLongCN, partSubject, "", "a common name of %d characters", n)
		}
	}
	if n := len(subject); n > 1 && isTop(subject[n-1]) && slices.ContainsFunc(subject, func(part dn.RDN) bool { return !isTop(part) }) {
		c.add(certReversed, partSubject, "", "ends with %s: %s", subject[n-1][0].Type, text.Quote(subject.RootFirst()))
	}
	c.length(partSubject, "IssuerAndSubject", "X509:<I>"+c.rendering(partIssuer, issuer, cert.RawIssuer)+
		"<S>"+c.rendering(partSubject, subject, cert.RawSubject))
}

// isTop reports whether a part of a name stands at its root: a country or a domain.
func isTop(part dn.RDN) bool {
	return len(part) > 0 && (part[0].Type == dn.Country || part[0].Type == dn.DomainComponent)
}

// rendering looks at a name as certificateUserIds has it, and returns that text.
func (c *checker) rendering(part string, name dn.Name, der []byte) string {
	text, err := dn.AppendWindows(nil, der)
	if err != nil {
		return ""
	}
	// Quotes are written around a value that holds them, so a quote in the text
	// is a value in quotes.
	if bytes.IndexByte(text, '"') >= 0 {
		c.add(certNameQuoted, part, "", "a value is written in quotes in certificateUserIds: %s", text)
	}
	if slices.ContainsFunc(name, func(part dn.RDN) bool { return len(part) > 1 }) {
		c.add(certNameMultiValued, part, "", "has a part with several values")
	}
	return string(text)
}

func (c *checker) usage(cert *x509.Certificate) {
	usages, ok := readUsages(cert)
	has := func(oid x509.OID) bool { return slices.ContainsFunc(usages, oid.Equal) }
	switch {
	case !ok:
		c.add(certNoClientAuth, partExtKeyUsage, "extended key usage", "cannot be read")
	case usages != nil && len(usages) == 0:
		c.add(certNoClientAuth, partExtKeyUsage, "extended key usage", "is empty, which allows no use")
	case usages == nil:
		c.add(certNoUsage, partExtKeyUsage, "extended key usage", "is missing, which allows any use")
	case has(usageClientAuth):
	case has(usageAny):
		c.add(certAnyUsage, partExtKeyUsage, "extended key usage", "allows any use and does not name clientAuth")
	default:
		c.add(certNoClientAuth, partExtKeyUsage, "extended key usage", "has no clientAuth")
	}
	if path.LacksUsage(cert, x509.KeyUsageDigitalSignature) {
		c.add(certNoDigitalSig, partKeyUsage, "key usage", "has no digitalSignature")
	}
	for _, e := range cert.Extensions {
		if e.Id.Equal(extKeyUsage) && !e.Critical {
			c.add(certUsageCritical, partKeyUsage, "key usage", "is not critical")
		}
	}
	if cert.BasicConstraintsValid && cert.IsCA {
		c.add(certIsCA, partConstraints, "basic constraints", "this is a CA certificate")
	}
	if n := len(cert.Policies); n > 5 {
		c.add(certTooManyOIDs, partPolicies, "certificate policies", "%d policies", n)
	}
}

// common is what users and authorities share: key, signature, dates, critical
// extensions.
func (c *checker) common(cert *x509.Certificate) {
	var bad *Error
	if err := Refused(cert); errors.As(err, &bad) {
		c.add(certRefused, partCertificate, "", "%v", bad.Err)
	}
	if cert.Version < 3 && len(cert.Extensions) > 0 {
		c.add(certOldVersion, partCertificate, "version", "is %d, and the certificate has extensions, which only version 3 may have: some readers see no names and key identifiers in it", cert.Version)
	}
	if err := checkKey(publicKeyOf(cert)); errors.As(err, &bad) {
		what := bad.Reason.words()
		if bad.Reason == Empty {
			what = keyKind(cert.RawSubjectPublicKeyInfo)
		}
		if bad.Err != nil {
			what = bad.Err.Error()
		}
		if bad.Reason == WeakKey || bad.Reason == Malformed {
			c.add(certWeakKey, partKey, "public key", "%s", what)
		} else {
			c.add(certKeyType, partKey, "public key", "%s", what)
		}
	}
	if c.n == 0 || !path.SelfIssued(cert) { // nobody relies on a root's own signature
		switch cert.SignatureAlgorithm {
		case x509.MD2WithRSA, x509.MD5WithRSA:
			c.add(certWeakSig, partSignature, "", "is %v", cert.SignatureAlgorithm)
		case x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1:
			c.add(certSHA1, partSignature, "", "is %v", cert.SignatureAlgorithm)
		}
	}
	for _, id := range cert.UnhandledCriticalExtensions {
		if path.Understood(id) {
			continue // RFC 5280 wants some of them critical
		}
		c.add(certCritical, partExtensions, "", "the critical extension %v is one that readers must refuse if they do not know it", id)
	}
	if !c.at.IsZero() && !path.PeriodUnread(cert) {
		if c.at.After(cert.NotAfter) {
			c.add(certExpired, partValidity, "", "expired %s", text.Time(cert.NotAfter))
		}
		if c.at.Before(cert.NotBefore) {
			c.add(certNotYet, partValidity, "", "valid from %s", text.Time(cert.NotBefore))
		}
	}
}

// publicKeyOf returns the key of a certificate that crypto/x509 refuses too, nil if
// there is none that it knows.
func publicKeyOf(cert *x509.Certificate) crypto.PublicKey {
	if cert.PublicKey == nil && cert.SignatureAlgorithm == 0 {
		if key, err := x509.ParsePKIXPublicKey(cert.RawSubjectPublicKeyInfo); err == nil {
			return key
		}
	}
	return cert.PublicKey
}

func (c *checker) crlURLs(urls []string) {
	http := false
	for _, text := range urls {
		c.value(partCRLs, "CRL distribution points", text)
		if strings.Contains(text, " ") {
			c.add(certCRLSpace, partCRLs, "CRL distribution points", "%q has a space", text)
		}
		u, err := url.Parse(text)
		if err == nil && strings.EqualFold(u.Scheme, "http") {
			http = true
		}
	}
	if !http {
		c.add(certCRLScheme, partCRLs, "CRL distribution points", "no http URL, but %q", urls[0])
		return
	}
	for _, text := range urls {
		if !strings.HasPrefix(strings.ToLower(text), "http://") {
			c.add(certCRLScheme, partCRLs, "CRL distribution points", "%q beside an http URL", text)
		}
	}
}

func (c *checker) serial(cert *x509.Certificate) {
	serial := cert.SerialNumber
	if serial == nil { // a certificate made by hand
		return
	}
	switch octets := serial.BitLen()/8 + 1; { // with the sign bit
	case serial.Sign() <= 0:
		c.add(certSerial, partSerial, "serial number", "%v is not positive", serial)
	case octets > 20:
		c.add(certSerial, partSerial, "serial number", "has %d bytes; 20 are allowed", octets)
	case serial.BitLen() < 56: // 64 random bits have at least that many, 255 times in 256
		c.add(certSerial, partSerial, "serial number", "has %d bits, so it may be guessed or used twice", serial.BitLen())
	}
}

// authorities looks at the CAs above a user, from the issuing CA up, and at the
// links between them.
func (c *checker) authorities(cas []*x509.Certificate) {
	below := 0 // CAs that are not self-issued (RFC 5280 section 4.2.1.9)
	for i, cert := range cas {
		c.n, c.ca = i+1, dn.Show(cert.RawSubject)
		c.authority(cert, below)
		if i+1 < len(cas) {
			c.link(cert, cas[i+1])
			c.signature(cert, cas[i+1])
		}
		if !path.SelfIssued(cert) {
			below++
		}
	}
}

// authority looks at a CA certificate that has below CAs beneath it.
func (c *checker) authority(cert *x509.Certificate, below int) {
	c.common(cert)
	if !cert.BasicConstraintsValid || !cert.IsCA {
		c.add(caNotCA, partConstraints, "", "is not a CA")
	}
	if limit, limited := pathLen(cert); limited && limit < below {
		c.add(caPathLen, partConstraints, "", "allows %d CAs below it and has %d", limit, below)
	}
	for _, e := range cert.Extensions {
		if e.Id.Equal(extBasicConstraints) && !e.Critical {
			c.add(caBCNotCritical, partConstraints, "", "basic constraints are not critical")
		}
	}
	switch {
	case path.LacksUsage(cert, x509.KeyUsageCertSign):
		c.add(caNoCertSign, partKeyUsage, "", "its key usage has no keyCertSign")
	case cert.KeyUsage == 0:
		c.add(caNoKeyUsage, partKeyUsage, "", "has no key usage")
	case cert.KeyUsage&x509.KeyUsageCRLSign == 0:
		c.add(caNoCRLSign, partKeyUsage, "", "its key usage has no cRLSign")
	}
	if len(cert.SubjectKeyId) == 0 {
		c.add(caNoSKI, partSKI, "", "has no subject key identifier")
	}
	if len(cert.AuthorityKeyId) == 0 && !path.SelfIssued(cert) {
		c.add(certNoAKI, partAKI, "", "has no authority key identifier")
	}
}

// link looks at how a certificate fits its issuer.
func (c *checker) link(cert, issuer *x509.Certificate) {
	about := "issuer " + dn.Show(issuer.RawSubject)
	switch {
	case bytes.Equal(cert.RawIssuer, issuer.RawSubject):
	case path.SameName(cert.RawIssuer, issuer.RawSubject):
		c.add(certIssuerEncoding, partIssuer, about, "")
	default:
		c.add(certWrongIssuer, partIssuer, about, "the certificate names %q", dn.Show(cert.RawIssuer))
	}
	if len(cert.AuthorityKeyId) > 0 && len(issuer.SubjectKeyId) > 0 && !bytes.Equal(cert.AuthorityKeyId, issuer.SubjectKeyId) {
		c.add(certAKIMismatch, partAKI, about, "authority key identifier %.40x, but the issuer's key is %.40x", cert.AuthorityKeyId, issuer.SubjectKeyId)
	}
	if c.n == 0 && len(cert.SubjectKeyId) > 0 && bytes.Equal(cert.SubjectKeyId, issuer.SubjectKeyId) && !sameKey(publicKeyOf(cert), publicKeyOf(issuer)) {
		c.add(certSameKeyID, partSKI, about, "both have %.40x", cert.SubjectKeyId)
	}
	if cert.NotAfter.After(issuer.NotAfter) {
		c.add(certOutlivesCA, partValidity, about, "expires %s, before the certificate", text.Time(issuer.NotAfter))
	}
}

// signature verifies what link leaves out, for it costs more than all the rest.
func (c *checker) signature(cert, issuer *x509.Certificate) {
	if !path.SameName(cert.RawIssuer, issuer.RawSubject) {
		return // said by link
	}
	if path.Verify(cert, issuer) == path.Disproven {
		c.add(certBadSig, partSignature, "issuer "+dn.Show(issuer.RawSubject), "its key did not sign this certificate")
	}
}

// permitted looks for what the CAs do not permit: a use as a client, or a name; and
// for a user with the key of a CA.
func (c *checker) permitted(chain []*x509.Certificate) {
	key, raw := publicKeyOf(chain[0]), chain[0].RawSubjectPublicKeyInfo
	if !chain[0].IsCA && slices.ContainsFunc(chain[1:], func(ca *x509.Certificate) bool {
		return sameKey(key, publicKeyOf(ca)) || len(raw) > 0 && bytes.Equal(raw, ca.RawSubjectPublicKeyInfo)
	}) {
		c.n = 0
		c.add(certCAKey, partKey, "public key", "is the key of a CA above it")
	}
	for _, p := range path.Check(chain[0], chain[1:], time.Time{}) {
		if p.At == 0 {
			continue // said by link
		}
		c.n, c.ca = p.At, dn.Show(chain[p.At].RawSubject)
		switch p.Cause {
		case path.UsageNotAllowed:
			c.add(caUsage, partExtKeyUsage, "", "%s", p.Detail)
		case path.NameNotAllowed:
			c.add(caNames, partNameConstraints, "", "%s", p.Detail)
		}
	}
}

// end looks at the CA at the end of the chain.
func (c *checker) end(last *x509.Certificate) {
	if c.n = 0; !selfSigned(last) {
		c.add(chainNoRoot, "chain", "", "ends at %q, whose issuer is %q", dn.Show(last.RawSubject), dn.Show(last.RawIssuer))
	}
}

// policies looks for policies of the user's certificate that a CA above does not
// have (RFC 5280 section 6.1.3 (d)). A root without policies allows any.
func (c *checker) policies(chain []*x509.Certificate) {
	for _, policy := range chain[0].Policies {
		if policy.Equal(AllIssuancePolicies()) {
			continue
		}
		for i, ca := range chain[1:] {
			if len(ca.Policies) == 0 && path.SelfIssued(ca) {
				continue
			}
			if !slices.ContainsFunc(ca.Policies, func(p x509.OID) bool {
				return p.Equal(policy) || p.Equal(AllIssuancePolicies())
			}) {
				c.n, c.ca = i+1, dn.Show(ca.RawSubject)
				c.add(chainPolicies, partPolicies, "", "does not have the user's policy %s", text.OID(policy))
			}
		}
	}
}

func showDays(d time.Duration) string {
	if d < 2*Day {
		return d.Round(time.Minute).String()
	}
	return fmt.Sprintf("%d days", d/Day)
}
