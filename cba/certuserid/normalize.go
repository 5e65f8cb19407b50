package certuserid

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"math/big"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"example.com/entracba/cba/internal/san"
	"example.com/entracba/cba/lint"
)

// maxInput bounds the work on hostile input: no value that can be put right is
// that long.
const maxInput = 16 << 10

// Normalize reads a value that may be slightly wrong and returns the correct value
// and what is wrong with the given one. It is the lenient counterpart of [Parse]:
// it knows the wrong forms that documents, scripts and tools produce.
//
// With a certificate it compares: a serial number that is unreversed, decimal or
// reversed digit by digit, and a name in the opposite order or without its spaces,
// are recognised with certainty. Without one (cert nil) it can only correct the
// form and guess the order of names and digits; a finding that rests on a guess has
// a code that ends in "-likely". A program that writes values back without the
// certificate should leave those to a person.
//
// The ID is zero if the intended value cannot be determined. A value of another
// certificate is kept, with its form corrected, and findings say that it does not
// fit. Hexadecimal digits become lowercase. [Parse] reads the returned ID, and
// Normalize returns it unchanged.
//
// No findings mean that nothing wrong was found.
func Normalize(value string, cert *x509.Certificate) (ID, lint.Findings) {
	if cert != nil {
		return Options{}.Values(cert).Normalize(value)
	}
	r := reader{value: value}
	id := r.read()
	if id.text != "" && id.text != value {
		// A guess whose result would be put right once more is no answer.
		if again := (reader{value: id.text}); again.read() != id {
			return ID{}, r.findings
		}
	}
	return id, r.findings
}

// Normalize is the function [Normalize] with this certificate. It respects the
// options that choose a UPN, an e-mail address or the hash input.
func (v *Values) Normalize(value string) (ID, lint.Findings) {
	r := reader{value: value, cert: v}
	if v == nil || v.cert == nil {
		r.cert = nil
	}
	id := r.read()
	return id, r.findings
}

// A reader reads one value leniently.
type reader struct {
	value    string
	cert     *Values // nil if there is no certificate
	mapping  Mapping // what the value is meant to be, when that is known
	findings lint.Findings
}

func (r *reader) note(rule lint.Rule, detail string) {
	f := finding(rule, r.value, detail)
	if !slices.Contains(r.findings, f) {
		r.findings = append(r.findings, f)
	}
}

// A part is a tag and what stands behind it.
type part struct {
	tag, text string
}

func (r *reader) read() ID {
	if length(r.value) > MaxLength {
		r.note(ruleTooLong, "")
	}
	if len(r.value) > maxInput {
		return ID{}
	}
	if !utf8.ValidString(r.value) {
		r.note(ruleBadText, "")
		return ID{}
	}
	parts, ok := r.split(r.unwrap(r.value))
	if !ok {
		return ID{}
	}
	parts, ok = r.arrange(parts)
	if !ok {
		return ID{}
	}
	var b strings.Builder
	b.WriteString("X509:")
	for _, p := range parts {
		text, ok := r.repair(p)
		if !ok {
			return ID{}
		}
		b.WriteString("<" + p.tag + ">" + text)
	}
	id, _, fault := parse(b.String())
	if fault != "" {
		if fault != TooLong || !r.findings.Has(ruleTooLong.Code) {
			r.note(ruleMalformed, fault.words())
		}
		return ID{}
	}
	r.compare(id)
	return id
}

// unwrap takes off what surrounds the value.
func (r *reader) unwrap(text string) string {
	if !strings.Contains(text, "<") && strings.Contains(text, "&lt;") {
		r.note(ruleHTML, "")
		text = entities.Replace(text)
	}
	if plain := entities.Replace(text); plain != text && !r.holds("&amp;", "&quot;", "&#39;", "&lt;") {
		if r.cert == nil {
			r.note(ruleEntityLikely, "")
		} else {
			r.note(ruleEntity, "")
		}
		text = plain
	}
	// Where one tag has a backslash, the first has; a backslash before a later one alone
	// is the end of a name.
	if first := strings.IndexByte(text, '<'); first > 0 && text[first-1] == '\\' {
		if plain := tagBackslash.ReplaceAllString(text, "<$1>"); plain != text {
			r.note(ruleBackslash, "")
			text = plain
		}
	}
	if rest, ok := strings.CutPrefix(text, "<"); ok && len(rest) > 6 && strings.EqualFold(rest[:6], "X509:<") {
		r.note(rulePrefix, "<X509:")
		text = rest
	}
	for {
		text = r.trim(text)
		if inner, ok := unquote(text); ok {
			r.note(ruleQuotes, "")
			text = inner
			continue
		}
		if inner, ok := unlisted(text); ok {
			r.note(ruleList, "")
			text = inner
			continue
		}
		return r.brackets(text)
	}
}

// unlisted takes off the signs of a list around a value, or behind it.
func unlisted(text string) (string, bool) {
	if at := anyPrefix.FindStringIndex(text); at != nil && at[0] > 0 && strings.Trim(text[:at[0]], "[{( \t\"'") == "" {
		inner := strings.TrimRight(text, "]}) \t,;")
		if outer := strings.TrimLeft(inner, "[{( \t"); outer != inner && strings.ContainsAny(text[:1], "[{(") {
			return outer, true
		}
		if strings.ContainsAny(text[:at[0]], "[{(") { // a quote in front of the bracket that does not end
			return inner[at[0]:], true
		}
	}
	if inner := strings.TrimRight(text, ",;"); inner != text && (strings.HasSuffix(inner, `"`) || strings.HasSuffix(inner, "'") || plainTag.MatchString(inner)) {
		return inner, true
	}
	return text, false
}

// brackets puts the right brackets around tags.
func (r *reader) brackets(text string) string {
	if strings.ContainsAny(text, "<>") {
		return text
	}
	if plain := escapedBrackets.Replace(text); plain != text && anyPrefix.MatchString(text) {
		if strings.Contains(text, "%3") {
			if whole, err := url.PathUnescape(text); err == nil {
				plain = whole
			}
		}
		r.note(ruleEscape, "")
		return plain
	}
	if m := otherBrackets.FindStringSubmatch(text); m != nil {
		r.note(ruleBracket, m[2]+m[3]+m[4])
		return m[1] + tagBrackets.ReplaceAllString(text[len(m[1]):], "<$1>")
	}
	return text
}

var (
	// entities are what web pages and XML write.
	entities        = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&quot;", `"`, "&#34;", `"`, "&#39;", "'", "&apos;", "'", "&amp;", "&")
	escapedBrackets = strings.NewReplacer(`\u003c`, "<", `\u003C`, "<", `\u003e`, ">", `\u003E`, ">", "%3C", "<", "%3c", "<", "%3E", ">", "%3e", ">", `\x3c`, "<", `\x3e`, ">")
	anyPrefix       = regexp.MustCompile(`(?i)X\.?509`)
	// plainTag begins a value of digits, which never ends with a separator.
	plainTag = regexp.MustCompile(`(?i)^X509:<(SKI|SHA1-PUKEY)>|<SR>[^<]*$`)
	// otherBrackets is a prefix and a tag in brackets of another kind.
	otherBrackets = regexp.MustCompile(`(?i)^(\s*X\.?509\s*[:;：]?\s*)([\[({＜‹«])\s*(PN|RFC822|I|S|SR|SKI|SHA1-PUKEY)\s*([\])}＞›»])`)
	tagBrackets   = regexp.MustCompile(`(?i)[\[({＜‹«]\s*(PN|RFC822|I|S|SR|SKI|SHA1-PUKEY)\s*[\])}＞›»]`)
	// tagBackslash is a tag whose brackets were escaped for Markdown.
	tagBackslash = regexp.MustCompile(`\\<(PN|RFC822|I|S|SR|SKI|SHA1-PUKEY)\\?>`)
)

// holds reports whether a value of the certificate itself has one of the texts.
func (r *reader) holds(texts ...string) bool {
	if r.cert == nil {
		return false
	}
	for _, id := range r.cert.All() {
		if slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(id.text, text) }) {
			return true
		}
	}
	return false
}

func unquote(text string) (string, bool) {
	for _, pair := range [][2]string{{`"`, `"`}, {"'", "'"}, {"“", "”"}, {`\"`, `\"`}} {
		inner, ok := strings.CutPrefix(text, pair[0])
		if !ok {
			continue
		}
		if inner, ok = strings.CutSuffix(inner, pair[1]); ok {
			return inner, true
		}
	}
	return text, false
}

// trim takes spaces and invisible characters off both ends and says so.
func (r *reader) trim(text string) string {
	trimmed := strings.TrimFunc(text, func(c rune) bool { return isBlank(c) || isInvisible(c) })
	if trimmed != text {
		rest := strings.Replace(text, trimmed, "", 1)
		if strings.ContainsFunc(rest, isBlank) {
			r.note(ruleSpace, "")
		}
		if strings.ContainsFunc(rest, isInvisible) {
			r.note(ruleInvisible, "")
		}
	}
	return trimmed
}

func isBlank(c rune) bool {
	return c == ' ' || '\t' <= c && c <= '\r' || c == 0xa0 || c == 0x3000
}

// isInvisible holds the characters that copying from dialogs and web pages
// brings along: zero-width spaces, direction marks, the byte order mark.
func isInvisible(c rune) bool {
	return 0x200b <= c && c <= 0x200f || 0x202a <= c && c <= 0x202e || 0x2060 <= c && c <= 0x2064 || c == 0xfeff || c == 0xad || c == 0x61c || c == 0x180e
}

// split cuts a value into its parts and puts prefix and tags right.
func (r *reader) split(text string) ([]part, bool) {
	rest, ok := r.prefix(text)
	if !ok {
		return r.freeText(text)
	}
	tag, seen, rest, ok := cutTag(rest)
	if !ok {
		r.note(ruleTag, "")
		return nil, false
	}
	var parts []part
	for {
		r.noteTag(tag, seen)
		next := len(rest)
		var nextTag, nextSeen, after string
		quotes := (tag == "I" || tag == "S") && strings.Count(rest, `"`)%2 == 0
		quoted := false
		for i := 0; i < len(rest); i++ {
			if rest[i] == '"' && quotes {
				quoted = !quoted
			}
			if rest[i] == '<' && !quoted {
				if nextTag, nextSeen, after, ok = cutTag(rest[i:]); ok {
					next = i
					break
				}
			}
		}
		parts = append(parts, part{tag, r.trim(rest[:next])})
		if next == len(rest) {
			return parts, true
		}
		tag, seen, rest = nextTag, nextSeen, after
	}
}

// prefix cuts "X509:" off, in any shape, and reports whether a tag follows.
func (r *reader) prefix(text string) (string, bool) {
	if rest, ok := strings.CutPrefix(text, "X509:"); ok && strings.HasPrefix(rest, "<") {
		return rest, true
	}
	if strings.HasPrefix(text, "<") {
		if _, _, _, ok := cutTag(text); ok {
			r.note(rulePrefix, "there is none")
			return text, true
		}
		return text, false
	}
	open := strings.IndexByte(text, '<')
	if open < 0 {
		return text, false
	}
	before := strings.Map(func(c rune) rune {
		if isBlank(c) || isInvisible(c) {
			return -1
		}
		return c
	}, text[:open])
	switch strings.ToUpper(before) {
	case "X509:", "X509", "X.509:", "X.509", "X509;", "X509：", "X509=":
	default:
		return text, false
	}
	if before != "X509:" {
		r.note(rulePrefix, quote(before))
	}
	if before != text[:open] {
		r.note(ruleSpace, "before <")
	}
	return text[open:], true
}

// cutTag reads a tag in any shape that is known: its right name, the name as it
// was seen, and the text behind it.
func cutTag(text string) (tag, seen, rest string, ok bool) {
	end := strings.IndexByte(text, '>')
	if end < 0 || end > 40 {
		return "", "", "", false
	}
	seen = text[1:end]
	name := strings.ToUpper(strings.TrimFunc(seen, func(c rune) bool { return isBlank(c) || isInvisible(c) }))
	switch name {
	case "PN", "UPN", "PRINCIPALNAME", "USERPRINCIPALNAME":
		tag = "PN"
	case "RFC822", "RFC822NAME", "EMAIL", "MAIL":
		tag = "RFC822"
	case "I", "ISSUER":
		tag = "I"
	case "S", "SUBJECT":
		tag = "S"
	case "SR", "SERIAL", "SERIALNUMBER", "SERIAL NUMBER", "SN":
		tag = "SR"
	case "SKI", "SUBJECTKEYIDENTIFIER", "SUBJECT KEY IDENTIFIER", "KEYID", "KID":
		tag = "SKI"
	case "SHA1-PUKEY", "SHA1", "SHA1PUKEY", "SHA1_PUKEY", "SHA1-PUBKEY", "SHA1-PUBLICKEY", "SHA1PUBLICKEY", "THUMBPRINT", "FINGERPRINT":
		tag = "SHA1-PUKEY"
	case "SID":
		tag = "SID"
	default:
		return "", "", "", false
	}
	return tag, seen, text[end+1:], true
}

func (r *reader) noteTag(tag, seen string) {
	trimmed := strings.TrimFunc(seen, func(c rune) bool { return isBlank(c) || isInvisible(c) })
	switch {
	case seen == tag:
		return
	case trimmed == tag:
	case strings.EqualFold(trimmed, tag):
		r.note(ruleTagCase, "<"+seen+">")
	default:
		r.note(ruleTag, "<"+seen+"> for <"+tag+">")
	}
	if trimmed != seen {
		r.note(ruleSpace, "<"+seen+">")
	}
}

// freeText says what a text without tags is. If it is one of the certificate's
// own values, it returns that as a part.
func (r *reader) freeText(text string) ([]part, bool) {
	if len(text) >= 9 && strings.EqualFold(text[:9], "Kerberos:") {
		r.note(ruleKerberos, "")
		return nil, false
	}
	r.note(ruleNoMapping, "")
	if r.cert == nil || text == "" {
		return nil, false
	}
	digits, _ := cleanHex(text)
	is := func(m Mapping) bool {
		id := r.cert.id(m)
		return id.mapping != "" && (equalFold(text, id.Value()) || m.Affinity() == High && digits == id.Value())
	}
	switch { // a UPN and an e-mail address may be the same: the UPN is meant then
	case is(PrincipalName):
		return []part{{"PN", text}}, true
	case is(RFC822Name):
		return []part{{"RFC822", text}}, true
	case is(SKI):
		return []part{{"SKI", text}}, true
	case is(SHA1PublicKey):
		return []part{{"SHA1-PUKEY", text}}, true
	}
	return nil, false
}

// arrange decides which mapping the parts are meant for, and puts them in order.
func (r *reader) arrange(parts []part) ([]part, bool) {
	at := func(tag string) int { return slices.IndexFunc(parts, func(p part) bool { return p.tag == tag }) }
	set := func(m Mapping, tags ...string) ([]part, bool) {
		r.mapping = m
		var arranged []part
		for _, tag := range tags {
			arranged = append(arranged, parts[at(tag)])
		}
		if !slices.Equal(arranged, parts) {
			r.note(ruleParts, "")
		}
		for _, p := range arranged {
			if p.text == "" {
				r.note(ruleIncomplete, "<"+p.tag+">")
				return nil, false
			}
		}
		return arranged, true
	}
	has := func(tag string) bool { return at(tag) >= 0 }
	for i, p := range parts {
		if at(p.tag) != i {
			r.note(ruleParts, "<"+p.tag+"> twice")
			return nil, false
		}
	}
	switch {
	case has("SID"):
		r.note(ruleADOnly, "")
		return nil, false
	case has("I") && has("SR") && len(parts) == 2, has("I") && has("SR") && has("S") && len(parts) == 3:
		return set(IssuerAndSerialNumber, "I", "SR")
	case has("I") && has("S") && len(parts) == 2:
		return set(IssuerAndSubject, "I", "S")
	case len(parts) > 1:
		r.note(ruleParts, "")
		return nil, false
	case has("PN"):
		return set(PrincipalName, "PN")
	case has("RFC822"):
		return set(RFC822Name, "RFC822")
	case has("S"):
		return set(Subject, "S")
	case has("SKI"):
		return set(SKI, "SKI")
	case has("SHA1-PUKEY"):
		return set(SHA1PublicKey, "SHA1-PUKEY")
	case has("SR"):
		r.mapping = IssuerAndSerialNumber
		r.note(ruleNoIssuer, "")
		if r.cert == nil || r.cert.id(IssuerAndSerialNumber).mapping == "" || parts[0].text == "" {
			return nil, false
		}
		// The serial number tells whether the certificate is the right one.
		want := r.cert.id(IssuerAndSerialNumber)
		probe := reader{value: r.value, cert: r.cert, mapping: IssuerAndSerialNumber}
		serial, ok := probe.serial(parts[0].text)
		if !ok || cutSignOctet(serial, 0) != cutSignOctet(want.Value(), 0) {
			return nil, false
		}
		return []part{{"I", want.Issuer()}, parts[0]}, true
	}
	r.note(ruleIncomplete, "")
	return nil, false
}

// repair puts one part right.
func (r *reader) repair(p part) (string, bool) {
	switch p.tag {
	case "PN":
		return r.address(p.text, san.UPN)
	case "RFC822":
		return r.address(p.text, san.Email)
	case "I":
		return r.name(p.text, r.wanted().Issuer())
	case "S":
		if r.mapping == IssuerAndSubject || r.mapping == Subject {
			return r.name(p.text, r.wanted().Value())
		}
	case "SR":
		return r.serial(p.text)
	case "SKI", "SHA1-PUKEY":
		return r.digest(p.text)
	}
	return "", false
}

// wanted returns the certificate's ID under the mapping that the value is meant
// for, or the zero ID.
func (r *reader) wanted() ID {
	if r.cert == nil {
		return ID{}
	}
	return r.cert.id(r.mapping)
}

// address puts a UPN or an e-mail address right.
func (r *reader) address(text string, kind san.Kind) (string, bool) {
	for _, label := range []string{"Other Name:", "Principal Name=", "Principal Name:", "UPN=", "UPN:", "RFC822 Name=", "RFC822 Name:", "mailto:", "email:"} {
		if len(text) > len(label) && strings.EqualFold(text[:len(label)], label) {
			r.note(ruleLabel, text[:len(label)])
			text = r.trim(text[len(label):])
		}
	}
	if isPlaceholder(text) {
		r.note(rulePlaceholder, "")
	}
	want := r.wanted()
	if want.mapping == "" || text == want.Value() {
		return text, true
	}
	if equalFold(text, want.Value()) {
		r.note(ruleCase, "")
		return want.Value(), true
	}
	if clean := strings.Map(func(c rune) rune {
		if isBlank(c) || isInvisible(c) {
			return -1
		}
		return c
	}, text); clean != text && equalFold(clean, want.Value()) {
		if strings.ContainsFunc(text, isInvisible) {
			r.note(ruleInvisible, "")
		}
		if strings.ContainsFunc(text, isBlank) {
			r.note(ruleSpace, "")
		}
		return want.Value(), true
	}
	if inner := strings.TrimRight(text, ",;"); inner != text && equalFold(inner, want.Value()) {
		r.note(ruleList, "")
		return want.Value(), true
	}
	first := true
	for _, name := range r.cert.names(kind) {
		if equalFold(text, name) && !first {
			r.note(ruleNotFirst, "")
			return name, true
		}
		first = false
	}
	r.note(ruleOther, quote(want.Value()))
	return text, true
}

// names returns all UPNs or e-mail addresses of the certificate.
func (v *Values) names(kind san.Kind) []string {
	var names []string
	_ = san.Each(san.Find(v.cert), func(k san.Kind, value []byte) bool {
		if k == kind {
			names = append(names, string(value))
		}
		return true
	})
	return names
}

// cleanHex returns the hexadecimal digits of a text in lower case, without what
// people and tools put among them, and whether there was anything else.
func cleanHex(text string) (digits string, ok bool) {
	lowered := strings.ToLower(text)
	lowered = strings.TrimPrefix(lowered, "0x")
	ok = true
	digits = strings.Map(func(c rune) rune {
		switch {
		case '0' <= c && c <= '9' || 'a' <= c && c <= 'f':
			return c
		case isBlank(c) || isInvisible(c) || c == ':' || c == '-':
			return -1
		}
		ok = false
		return c
	}, lowered)
	return digits, ok && digits != ""
}

// hexDigits is cleanHex that says what it found.
func (r *reader) hexDigits(text string) (digits string, ok bool) {
	for _, label := range []string{"KeyID=", "KeyID:", "X509v3 Subject Key Identifier:", "Subject Key Identifier:", "Subject Key Identifier=", "SHA1 Fingerprint=", "SHA1 Fingerprint:",
		"Cert Hash(sha1):", "Thumbprint=", "Thumbprint:", "Fingerprint=", "Fingerprint:", "SHA-1:", "SHA1:", "SHA1=", "Serial Number:", "Serial:", "Serial=", "serialNumber=", "serialNumber:"} {
		if len(text) > len(label) && strings.EqualFold(text[:len(label)], label) {
			r.note(ruleLabel, text[:len(label)])
			text = r.trim(text[len(label):])
		}
	}
	if isPlaceholder(text) {
		r.note(rulePlaceholder, "")
		return "", false
	}
	digits, ok = cleanHex(text)
	if !ok {
		if want := strings.ToLower(r.wanted().Value()); want != "" && fromBase64(text) == want {
			r.note(ruleBase64, "")
			return want, true
		}
		r.note(ruleHex, quote(text))
		return "", false
	}
	if len(digits) != len(text) {
		if strings.ContainsFunc(text, isInvisible) {
			r.note(ruleInvisible, "")
		}
		if strings.ContainsFunc(text, func(c rune) bool { return isBlank(c) || c == ':' || c == '-' || c == 'x' || c == 'X' }) {
			r.note(ruleHexSeparator, "")
		}
	}
	if strings.ContainsFunc(text, func(c rune) bool { return 'A' <= c && c <= 'F' }) {
		r.note(ruleHexCase, "")
	}
	return digits, true
}

// fromBase64 returns the hexadecimal digits of base64 text, "" if it is none.
func fromBase64(text string) string {
	text = strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(text), "=")
	raw, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		return ""
	}
	return hex.EncodeToString(raw)
}

// isPlaceholder recognises what stands for hexadecimal digits in Learn's pages
// since they were cleaned of real values.
func isPlaceholder(text string) bool {
	return strings.Contains(text, "B1cD2eF3") || strings.Contains(text, "D2eF3gH4") ||
		text == "123456789abcdef" || strings.HasPrefix(text, "{") && strings.HasSuffix(text, "}")
}

// digest puts the digits of SKI and SHA1PublicKey right.
func (r *reader) digest(text string) (string, bool) {
	digits, ok := r.hexDigits(text)
	if !ok {
		return "", false
	}
	want := strings.ToLower(r.wanted().Value())
	if want != "" && digits == want {
		return digits, true
	}
	if r.mapping == SKI && len(digits) == 44 && strings.HasPrefix(digits, "0414") {
		switch {
		case r.cert == nil:
			r.note(ruleSKIWrappedLikely, "")
			return digits[4:], true
		case digits[4:] == want:
			r.note(ruleSKIWrapped, "")
			return want, true
		}
	}
	if r.mapping == SHA1PublicKey && len(digits) == 64 {
		r.note(ruleSHA256, "")
		if want != "" {
			if sum := sha256.Sum256(r.cert.cert.Raw); digits == hex.EncodeToString(sum[:]) {
				return want, true
			}
		}
		return "", false
	}
	if want != "" && (digits == reverseDigits(want) || digits == hex.EncodeToString(reversed(unhex(want)))) {
		r.note(ruleHexReversed, "")
		return want, true
	}
	part := partOf(digits, want)
	if part {
		r.note(ruleHexPart, want)
	}
	if len(digits)%2 != 0 || r.mapping == SHA1PublicKey && len(digits) != 40 {
		if !part {
			r.note(ruleHex, "")
		}
		return "", false
	}
	if r.cert == nil || part {
		return digits, true
	}
	if r.mapping == SHA1PublicKey && want != "" {
		for _, input := range []HashInput{WholeCertificate, PublicKeyInfo, PublicKeyBits} {
			id, err := Options{HashInput: input}.FromCertificate(r.cert.cert, SHA1PublicKey)
			if err == nil && digits == id.Value() && input != cmp.Or(r.cert.options.HashInput, WholeCertificate) {
				r.note(ruleSHA1Input, input.String())
				return want, true
			}
		}
	}
	for _, m := range []Mapping{SKI, SHA1PublicKey} {
		if m != r.mapping && digits == strings.ToLower(r.cert.id(m).Value()) {
			r.note(ruleHexSwapped, m.Name())
			return digits, true
		}
	}
	if want != "" {
		r.note(ruleHexOther, want)
	}
	return digits, true
}

// partOf reports whether two hashes have so many digits in common, at both ends
// together, that one was copied badly from the other. A program must not correct it:
// some CAs choose key identifiers that are alike.
func partOf(digits, want string) bool {
	short := min(len(digits), len(want))
	if len(want) < 16 || digits == want {
		return false
	}
	head := 0
	for head < short && digits[head] == want[head] {
		head++
	}
	tail := 0
	for tail < short-head && digits[len(digits)-1-tail] == want[len(want)-1-tail] {
		tail++
	}
	return head+tail >= 16 && head+tail >= short-2
}

// serial puts a serial number right. With a certificate it tries all the ways in
// which its own serial number gets written wrongly.
func (r *reader) serial(text string) (string, bool) {
	digits, ok := r.hexDigits(text)
	if !ok {
		return "", false
	}
	if r.wanted().mapping != "" {
		if right, ok := r.knownSerial(digits); ok {
			return right, true
		}
		if want := strings.ToLower(r.wanted().Value()); min(len(digits), len(want)) >= 12 && len(digits) != len(want) &&
			(strings.HasPrefix(want, digits) || strings.HasSuffix(want, digits) || strings.HasPrefix(digits, want) || strings.HasSuffix(digits, want)) {
			r.note(ruleHexPart, want)
		} else {
			r.note(ruleHexOther, r.wanted().Value())
		}
	}
	allDecimal := !strings.ContainsAny(digits, "abcdef")
	switch {
	case len(digits)%2 != 0 && allDecimal && len(digits) > 2 && digits[0] != '0' && r.cert == nil:
		r.note(ruleSerialDecimalLikely, "")
		n, _ := new(big.Int).SetString(digits, 10)
		raw := n.Bytes()
		if raw[0] >= 0x80 {
			raw = append([]byte{0}, raw...)
		}
		slices.Reverse(raw)
		return hex.EncodeToString(raw), true
	case len(digits)%2 != 0:
		r.note(ruleHex, "an odd number of digits")
		return "", false
	case r.cert != nil:
	case len(digits) >= 16 && allDecimal:
		r.note(ruleSerialDecimalLikely, "")
	case len(digits) > 4 && strings.HasPrefix(digits, "00") && digits[2] >= '8' && !strings.HasSuffix(digits, "00"):
		r.note(ruleSerialOrderLikely, "")
		b := []byte(digits)
		reversePairs(b)
		return string(b), true
	}
	return digits, true
}

// knownSerial looks the digits up among the ways to write the certificate's
// serial number.
func (r *reader) knownSerial(digits string) (right string, ok bool) {
	raw := serialOctets(r.cert.cert)
	want := hex.EncodeToString(reversed(raw))
	short := hex.EncodeToString(reversed(withoutSignOctet(raw)))
	switch digits {
	case want:
		return digits, true
	case short:
		r.note(ruleSerialSign, "")
		return digits, true // which of the two Entra takes is open: it stays
	}
	// Zeros at the most significant end mean nothing: drop them in comparing.
	printed := strings.TrimLeft(hex.EncodeToString(raw), "0")
	bare := strings.TrimLeft(digits, "0")
	switch {
	case printed == "":
	case bare == printed:
		r.note(ruleSerialOrder, "")
		return want, true
	case strings.TrimRight(digits, "0") == strings.TrimRight(reverseDigits(printed), "0") && digits != "":
		r.note(ruleSerialNibbles, "")
		return want, true
	case strings.TrimRight(digits, "0") == strings.TrimRight(want, "0"),
		strings.TrimLeft(digits, "0") == strings.TrimLeft(want, "0"):
		r.note(ruleSerialZero, "")
		return want, true
	case digits == new(big.Int).SetBytes(raw).String():
		r.note(ruleSerialDecimal, "")
		return want, true
	}
	return "", false
}

func reversed(raw []byte) []byte {
	raw = bytes.Clone(raw)
	slices.Reverse(raw)
	return raw
}

// unhex returns the bytes of digits that are pairs.
func unhex(digits string) []byte {
	raw, _ := hex.DecodeString(digits)
	return raw
}

func reverseDigits(digits string) string { return string(reversed([]byte(digits))) }

// compare says what a value in its right form still has against the certificate,
// or against being used.
func (r *reader) compare(id ID) {
	if r.cert != nil && r.wanted().mapping == "" {
		r.note(ruleNoField, id.mapping.Name())
	}
	if isQuoted(id.Issuer()) || (id.mapping == Subject || id.mapping == IssuerAndSubject) && isQuoted(id.Value()) {
		r.note(ruleNameQuoted, "")
	}
}

func isQuoted(name string) bool { return strings.Contains(name, `="`) }
