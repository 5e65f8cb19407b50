// Package certs reads files of certificates, keys and requests as people have them,
// in one way for all packages, and the certificates that crypto/x509 refuses.
//
// [Open] looks what a file is before it reads it, so that its error is the one true
// reason and not a list of everything that the file is not.
package certs

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"example.com/entracba/cba/internal/der"
	"example.com/entracba/cba/internal/text"
)

// A Kind is what a [Block] holds. Its text is what people call it.
type Kind string

const (
	Certificate  Kind = "certificate"
	Bundle       Kind = "PKCS #7 bundle"
	Request      Kind = "certificate request"
	Key          Kind = "private key"
	EncryptedKey Kind = "encrypted private key"
	PFX          Kind = "PFX file"
	List         Kind = "CRL"
	PublicKey    Kind = "public key"
	Message      Kind = "PKCS #7 message without certificates"
	Unknown      Kind = "something else"
)

// A Block is one thing that a file holds.
type Block struct {
	Kind  Kind
	Label string // of a PEM block; "" for DER and base64
	Place string // "PEM block 2", "" if there is only one thing
	DER   []byte
}

// A Reason is why a file cannot be read.
type Reason string

const (
	Empty    Reason = "empty"
	TooLarge Reason = "too-large"
	Cut      Reason = "cut-off" // it breaks off
	Damaged  Reason = "damaged"
	Foreign  Reason = "foreign" // it is of another kind
)

// Error returns "certs: " and the reason.
func (r Reason) Error() string { return "certs: " + string(r) }

// An Error is why a file, or a block of it, cannot be read. The packages above put
// it into an error of their own.
type Error struct {
	Reason Reason
	Place  string
	Detail string // what the file is, and what to do
	Err    error
}

// Error returns the place, the detail and the cause.
func (e *Error) Error() string {
	s := e.Detail
	if e.Place != "" {
		s = e.Place + ": " + s
	}
	if e.Err != nil {
		s = strings.TrimSuffix(s+": "+e.Err.Error(), ": ")
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is the reason.
func (e *Error) Is(target error) bool { r, ok := target.(Reason); return ok && r == e.Reason }

func fail(reason Reason, format string, args ...any) *Error {
	return &Error{Reason: reason, Detail: fmt.Sprintf(format, args...)}
}

// Open takes the wrappings off: byte order marks, UTF-16, PEM with any line ends,
// indentation and text around it, base64 without PEM lines, hexadecimal digits,
// and zero bytes behind the data, which Windows writes. There is one block at
// least. Blocks share memory with data.
//
// The error is an [*Error].
func Open(data []byte) ([]Block, error) {
	if len(data) > text.MaxFile {
		return nil, fail(TooLarge, "it has %d bytes and must not be larger than %d MiB", len(data), text.MaxFile>>20)
	}
	return open(data, 2)
}

// open reads a file that is wrapped in text as often as depth says.
func open(data []byte, depth int) ([]Block, error) {
	if len(data) > 1 && data[0] == 0x30 && (data[1] >= 0x80 || !utf8.Valid(data) || bytes.IndexByte(data, 0) >= 0) {
		return openDER(data)
	}
	if what := signature(data); what != "" {
		return nil, fail(Foreign, "%s", what)
	}
	content := bytes.Trim(text.UTF8(data), "\x00 \t\r\n\v\f")
	switch {
	case len(content) == 0 && len(data) > 0 && bytes.IndexByte(data, 0) >= 0:
		return nil, fail(Empty, "the file holds nothing but zero bytes: it was not written to the end, copy it again")
	case len(content) == 0:
		return nil, fail(Empty, "an empty file is no certificate: give PEM, DER, base64 or PKCS #7")
	case bytes.Contains(content, []byte("-----BEGIN ")):
		return openPEM(content)
	case bytes.Contains(content, []byte("-----BEGIN%20")) && depth > 0: // as proxies forward one
		if plain, err := url.PathUnescape(string(content)); err == nil {
			return open([]byte(plain), depth-1)
		}
	}
	if depth > 0 {
		if inner, ok := labelled(content); ok {
			return open(inner, depth-1)
		}
		if blocks, found, err := openLDIF(content, depth); found {
			return blocks, err
		}
	}
	if decoded, ok := bare(content); ok && depth > 0 {
		blocks, err := open(decoded, depth-1)
		if err == nil {
			return blocks, nil
		}
		var e *Error
		if e, ok = err.(*Error); ok && e.Reason == Cut || len(decoded) > 0 && decoded[0] == 0x30 {
			e.Detail = "base64 text: " + e.Detail
			return nil, e
		}
	}
	return nil, foreignText(content)
}

// labelled takes the label off base64 text or digits: a data URI, 0x.
func labelled(content []byte) ([]byte, bool) {
	if at := label.FindIndex(content); at != nil {
		return content[at[1]:], true
	}
	return nil, false
}

// openLDIF opens every certificate of a text that begins as LDIF does; without one it is
// not for here.
func openLDIF(content []byte, depth int) (blocks []Block, found bool, err error) {
	if !entry.Match(content) {
		return nil, false, nil
	}
	for _, at := range attribute.FindAllIndex(content, -1) {
		value := content[at[1]:]
		if end := nextAttribute.FindIndex(value); end != nil {
			value = value[:end[0]]
		}
		some, err := open(value, depth-1)
		if err != nil {
			return nil, true, err
		}
		blocks, found = append(blocks, some...), true
	}
	return blocks, found, nil
}

var (
	label = regexp.MustCompile(`(?i)^(data:[^,]{0,100};base64,|0x)`)
	entry = regexp.MustCompile(`(?i)^dn:`)
	// attribute is that of a certificate in LDIF, whose value goes on in lines that begin
	// with a space.
	attribute     = regexp.MustCompile(`(?im)^(userCertificate|cACertificate)(;binary)?:: ?`)
	nextAttribute = regexp.MustCompile(`\n[^ \r\n]`)
)

// signature says what a file is that begins with the mark of another format.
func signature(data []byte) string {
	for _, mark := range []struct{ bytes, what string }{
		{"\xfe\xed\xfe\xed", "this is a Java keystore (JKS): export the certificate with keytool -exportcert -rfc"},
		{"\xce\xce\xce\xce", "this is a Java keystore (JCEKS): export the certificate with keytool -exportcert -rfc"},
		{"PK\x03\x04", "this is a ZIP archive: unpack it first"},
		{"\x1f\x8b", "this is a gzip archive: unpack it first"},
		{"7z\xbc\xaf\x27\x1c", "this is a 7z archive: unpack it first"},
		{"%PDF", "this is a PDF document"},
		{"\xd0\xcf\x11\xe0", "this is an Office or MMC document: export the certificate from it"},
		{"CERT", "this is a serialized certificate store (.sst) or a part of one: export the certificate from it"},
		{"\x00\x00\x00\x00CERT", "this is a serialized certificate store (.sst): export the certificate from it"},
	} {
		if bytes.HasPrefix(data, []byte(mark.bytes)) {
			return mark.what
		}
	}
	return ""
}

// foreignText says what text is that holds no certificate.
func foreignText(content []byte) *Error {
	begin := strings.ToLower(string(content[:min(len(content), 200)]))
	switch {
	case strings.HasPrefix(begin, "<!doctype html"), strings.HasPrefix(begin, "<html"), strings.HasPrefix(begin, "<head"), strings.HasPrefix(begin, "<body"):
		return fail(Foreign, "this is an HTML page, perhaps the error page of a download: fetch the file again")
	case strings.HasPrefix(begin, "<"):
		return fail(Foreign, "this is XML or HTML")
	case strings.HasPrefix(begin, "{"), strings.HasPrefix(begin, "["):
		return fail(Foreign, "this is JSON: take the certificate out of it")
	case strings.HasPrefix(begin, "ssh-"), strings.HasPrefix(begin, "ecdsa-sha2-"), strings.HasPrefix(begin, "---- begin ssh2"):
		return fail(Foreign, "this is an SSH key, not a certificate")
	case strings.Contains(begin, "-----begin"):
		return fail(Damaged, "its PEM line is misspelled: it must be -----BEGIN and what follows, in uppercase")
	case strings.HasPrefix(begin, "version https://git-lfs"):
		return fail(Foreign, "this is a pointer of Git LFS: run git lfs pull")
	case strings.Contains(begin, "certificate:\n") && strings.Contains(begin, "data:"):
		return fail(Foreign, "this is the text that openssl x509 -text prints: give the file itself")
	case !utf8.Valid(content) || bytes.ContainsFunc(content, func(r rune) bool { return unicode.IsControl(r) && !unicode.IsSpace(r) }):
		return fail(Foreign, "this is binary data, but no DER: a certificate, PKCS #7 bundle or PFX begins with the byte 30")
	}
	return fail(Foreign, "this is text without a PEM block, and it is not base64")
}

// bare decodes base64 of either alphabet, or hexadecimal digits, without anything
// around it.
func bare(content []byte) ([]byte, bool) {
	digits := bytes.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, content)
	if quoted := bytes.Trim(digits, `"'`); len(quoted)+2 == len(digits) {
		digits = quoted
	}
	if plain := bytes.ReplaceAll(digits, []byte(":"), nil); bytes.HasPrefix(plain, []byte("30")) {
		if out, err := hex.DecodeString(string(plain)); err == nil {
			return out, true
		}
	}
	if short := bytes.TrimRight(digits, "="); len(short)%4 == 1 { // it breaks off: say so by what it holds
		digits = short[:len(short)-1]
	}
	return decodeBase64(digits)
}

func decodeBase64(digits []byte) ([]byte, bool) {
	digits = bytes.TrimRight(digits, "=")
	alphabet := base64.RawStdEncoding
	if bytes.ContainsAny(digits, "-_") {
		alphabet = base64.RawURLEncoding
	}
	out := make([]byte, alphabet.DecodedLen(len(digits)))
	n, err := alphabet.Decode(out, digits)
	return out[:n], err == nil && n > 0
}

// openPEM reads every block of PEM text. It is laxer than encoding/pem: lines may
// be indented, of any length, and lost, as in values of environment variables.
func openPEM(content []byte) ([]Block, error) {
	var blocks []Block
	for {
		_, after, found := bytes.Cut(content, []byte("-----BEGIN "))
		if !found {
			break
		}
		place := fmt.Sprintf("PEM block %d", len(blocks)+1)
		damaged := func(reason Reason, what string) ([]Block, error) {
			return nil, &Error{Reason: reason, Place: place, Detail: what}
		}
		label, after, found := bytes.Cut(after, []byte("-----"))
		if !found || len(label) > 64 {
			return damaged(Cut, "its first line is cut off or damaged")
		}
		body, rest, found := bytes.Cut(after, []byte("-----END "+string(label)+"-----"))
		if !found || bytes.Contains(body, []byte("-----BEGIN ")) {
			return damaged(Cut, fmt.Sprintf("it breaks off: there is no line -----END %s-----", label))
		}
		content = rest
		b := Block{Label: string(label), Place: place}
		headers, encoded, hasHeaders := cutHeaders(body)
		decoded, ok := decodeBase64(encoded)
		if !ok {
			return damaged(Damaged, "what is between its lines is not base64")
		}
		b.DER, b.Kind = decoded, byLabel(b.Label)
		if hasHeaders && strings.Contains(headers, "ENCRYPTED") {
			b.Kind = EncryptedKey
		} else if inner, err := openDER(decoded); err == nil && len(inner) == 1 {
			b.DER = inner[0].DER
			if inner[0].Kind != Unknown {
				b.Kind = inner[0].Kind
			}
		} else if b.Kind == Certificate && b.Label == "TRUSTED CERTIFICATE" { // OpenSSL's own data follows
			if _, _, end, ok := der.Header(decoded, 0); ok {
				b.DER = decoded[:end]
			}
		} else if e, ok := err.(*Error); ok && (b.Kind == Certificate || b.Kind == Bundle || b.Kind == Request) {
			e.Place = place
			return nil, e
		} else if err == nil && b.Kind == Certificate {
			for i := range inner { // several in one block
				inner[i].Label, inner[i].Place = b.Label, place
			}
			blocks = append(blocks, inner...)
			continue
		}
		blocks = append(blocks, b)
	}
	if len(blocks) == 1 {
		blocks[0].Place = ""
	}
	return blocks, nil
}

// cutHeaders takes the headers off that stand in front of an encrypted key, and all
// white space.
func cutHeaders(body []byte) (headers string, encoded []byte, ok bool) {
	body = bytes.ReplaceAll(bytes.ReplaceAll(body, []byte(`\r`), nil), []byte(`\n`), []byte("\n"))
	var rest []byte
	var h []string
	for line := range bytes.Lines(bytes.ReplaceAll(body, []byte("\r"), []byte("\n"))) {
		if bytes.IndexByte(line, ':') >= 0 {
			h = append(h, string(line))
			continue
		}
		rest = append(rest, line...)
	}
	rest = bytes.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == 0xfeff || r == 0x200b {
			return -1
		}
		return r
	}, rest)
	return strings.Join(h, ""), rest, h != nil
}

// byLabel is what a PEM block should hold.
func byLabel(label string) Kind {
	switch label {
	case "CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE":
		return Certificate
	case "PKCS7", "CMS", "PKCS #7 SIGNED DATA":
		return Bundle
	case "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST":
		return Request
	case "ENCRYPTED PRIVATE KEY":
		return EncryptedKey
	case "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY":
		return Key
	case "PKCS12", "PFX":
		return PFX
	case "X509 CRL":
		return List
	}
	return Unknown
}

// openDER reads one DER or BER value, or several certificates one behind the other.
func openDER(data []byte) ([]Block, error) {
	var blocks []Block
	for rest := data; len(rest) > 0; {
		_, _, end, indefinite, ok := der.BER(rest, 0)
		if !ok {
			if len(blocks) == 0 {
				return nil, cutDER(rest)
			}
			break
		}
		if indefinite {
			if _, behind, ok := readTag(rest, rest[0]); ok {
				end = len(rest) - len(behind)
			} else {
				return nil, fail(Cut, "the file breaks off, or is damaged")
			}
		}
		b := Block{Kind: classify(rest[:end]), DER: rest[:end]}
		if len(blocks) > 0 && b.Kind != Certificate {
			break
		}
		blocks = append(blocks, b)
		if rest = rest[end:]; zeros(rest) {
			return blocks, nil
		}
		if b.Kind != Certificate {
			break
		}
	}
	used := 0
	for _, b := range blocks {
		used += len(b.DER)
	}
	if used < len(data) && len(bytes.TrimRight(data[used:], "\r\n")) == 0 { // a line end that a text tool appended
		return blocks, nil
	}
	if blocks[0].Kind == Unknown {
		return nil, fail(Damaged, "it begins as DER and is not, with %d bytes behind it: it may have been sent as text, which changes line ends; send it as binary or as PEM", len(data)-used)
	}
	return nil, fail(Damaged, "%d bytes that do not belong to it stand behind the %s", len(data)-used, blocks[0].Kind)
}

func cutDER(data []byte) *Error {
	if _, size, ok := der.Announced(data); ok && size > len(data) {
		if zeros(data[2:]) {
			return fail(Damaged, "the file holds nothing but zero bytes")
		}
		return fail(Cut, "the file breaks off: it says that it has %d bytes and has %d; copy it again", size, len(data))
	}
	return fail(Damaged, "it begins as DER and is not: damaged, or of another kind")
}

func zeros(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }

// classify says what a DER or BER value is, by its first elements.
func classify(data []byte) Kind {
	tags := func(b []byte, n int) (tags string, first []byte) {
		for len(b) > 0 && len(tags) < n {
			content, rest, ok := readTag(b, b[0])
			if !ok {
				break
			}
			if tags == "" {
				first = content
			}
			tags += string(b[:1])
			b = rest
		}
		return tags, first
	}
	content, _, ok := readTag(data, tagSequence)
	if !ok {
		return Unknown
	}
	outer, first := tags(content, 3)
	inner, _ := tags(first, 8)
	switch {
	case strings.HasPrefix(outer, "\x06"): // an object identifier
		if string(first) == oidSignedData {
			return Bundle
		}
		return Message
	case strings.HasPrefix(outer, "\x02\x30") && string(first) == "\x03":
		return PFX
	case strings.HasPrefix(outer, "\x02\x30\x04"), strings.HasPrefix(outer, "\x02\x02\x02"), strings.HasPrefix(outer, "\x02\x04"):
		return Key // PKCS #8, PKCS #1, SEC 1
	case outer == "\x30\x04":
		return EncryptedKey
	case outer == "\x30\x03":
		return PublicKey
	case outer != "\x30\x30\x03":
		return Unknown
	case strings.HasPrefix(inner, "\xa0\x02\x30\x30\x30\x30"), strings.HasPrefix(inner, "\x02\x30\x30\x30\x30\x30"):
		return Certificate
	case inner == "\x02\x30\x30\xa0", inner == "\x02\x30\x30":
		return Request
	case strings.HasPrefix(inner, "\x30\x30\x17"), strings.HasPrefix(inner, "\x30\x30\x18"),
		strings.HasPrefix(inner, "\x02\x30\x30\x17"), strings.HasPrefix(inner, "\x02\x30\x30\x18"):
		return List
	}
	return Unknown
}

// Certificates returns the certificates of blocks, those of bundles too, in their
// order. Blocks of other kinds are passed over.
//
// The error is an [*Error] that names the block.
func Certificates(blocks []Block) ([]*x509.Certificate, error) {
	var certs []*x509.Certificate
	for _, b := range blocks {
		switch b.Kind {
		case Certificate:
			cert, err := Parse(b.DER)
			if err != nil {
				return nil, &Error{Reason: Damaged, Place: b.Place, Detail: "the certificate cannot be read", Err: err}
			}
			certs = append(certs, cert)
		case Bundle:
			more, err := DecodeBundle(b.DER)
			if err != nil {
				if e, ok := err.(*Error); ok && b.Place != "" {
					e.Place = strings.TrimSuffix(b.Place+", "+e.Place, ", ")
				}
				return nil, err
			}
			certs = append(certs, more...)
		}
	}
	return certs, nil
}

// Summary says in words what blocks are: "private key, CRL".
func Summary(blocks []Block) string {
	var kinds []string
	seen := map[string]bool{}
	for _, b := range blocks {
		what := string(b.Kind)
		if b.Kind == Unknown && b.Label != "" {
			what = b.Label
		}
		if !seen[what] {
			seen[what] = true
			kinds = append(kinds, what)
		}
	}
	return strings.Join(kinds, ", ")
}
