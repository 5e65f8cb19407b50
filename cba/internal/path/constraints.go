package path

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/internal/san"
	"example.com/entracba/cba/internal/text"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Constraints are the name constraints of a CA (RFC 5280 section 4.2.1.10), with
// the user principal names that crypto/x509 does not read.
type Constraints struct {
	permitted, excluded []subtree
}

// A subtree is one GeneralName of the constraints.
type subtree struct {
	form  form
	other string // for an otherName, the type as it is encoded
	text  string // e-mail, DNS, URI, UPN
	name  dn.Name
	ip    []byte // address and mask
}

// A form is a kind of name that constraints speak of.
type form uint8

const (
	formOther form = iota // of any type but UPN
	formEmail
	formDNS
	formX400
	formDirectory
	formEDI
	formURI
	formIP
	formID
	formUPN
)

var formNames = [...]string{"otherName", "e-mail address", "DNS name", "X.400 address", "directory name", "EDI party name", "URI", "IP address", "registered ID", "UPN"}

func (f form) String() string { return formNames[f] }

// upnType is szOID_NT_PRINCIPAL_NAME as it is encoded.
const upnType = "\x2b\x06\x01\x04\x01\x82\x37\x14\x02\x03"

var nameConstraints = asn1.ObjectIdentifier{2, 5, 29, 30}

var errConstraints = errors.New("not DER encoded NameConstraints")

// ConstraintsOf reads the name constraints of a CA certificate, and reports
// whether it has any.
func ConstraintsOf(ca *x509.Certificate) (c Constraints, constrained bool, err error) {
	for _, e := range ca.Extensions {
		if !e.Id.Equal(nameConstraints) {
			continue
		}
		input := cryptobyte.String(e.Value)
		var list, permitted, excluded cryptobyte.String
		var hasPermitted, hasExcluded bool
		if !input.ReadASN1(&list, cbasn1.SEQUENCE) || !input.Empty() ||
			!list.ReadOptionalASN1(&permitted, &hasPermitted, cbasn1.Tag(0).ContextSpecific().Constructed()) ||
			!list.ReadOptionalASN1(&excluded, &hasExcluded, cbasn1.Tag(1).ContextSpecific().Constructed()) ||
			!list.Empty() {
			return c, true, errConstraints
		}
		if c.permitted, err = readSubtrees(permitted); err != nil {
			return c, true, err
		}
		c.excluded, err = readSubtrees(excluded)
		return c, true, err
	}
	return c, false, nil
}

func readSubtrees(list cryptobyte.String) (all []subtree, err error) {
	for !list.Empty() {
		var one, content cryptobyte.String
		var tag cbasn1.Tag
		// minimum and maximum, which RFC 5280 forbids, are not read.
		if !list.ReadASN1(&one, cbasn1.SEQUENCE) || !one.ReadAnyASN1(&content, &tag) || !one.Empty() {
			return nil, errConstraints
		}
		t, err := readName(tag, content)
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}

// readName reads a GeneralName.
func readName(tag cbasn1.Tag, content cryptobyte.String) (subtree, error) {
	t := subtree{form: form(tag & 0x1f)}
	if tag&0xc0 != 0x80 || t.form > formID {
		return t, errConstraints
	}
	switch t.form {
	case formEmail, formDNS, formURI:
		t.text = string(content)
	case formIP:
		t.ip = content
	case formDirectory: // explicit: Name is a CHOICE
		name, err := dn.ParseDER(content)
		if err != nil {
			return t, errConstraints
		}
		t.name = name
	case formOther:
		var id, value, upn cryptobyte.String
		explicit := cbasn1.Tag(0).ContextSpecific().Constructed()
		if !content.ReadASN1(&id, cbasn1.OBJECT_IDENTIFIER) || !content.ReadASN1(&value, explicit) || !content.Empty() {
			return t, errConstraints
		}
		t.other = string(id)
		if t.other == upnType && value.ReadASN1(&upn, cbasn1.UTF8String) && value.Empty() {
			t.form, t.text = formUPN, string(upn)
		}
	}
	return t, nil
}

// maxComparisons bounds the work for one certificate and one CA: names times
// constraints. crypto/x509 has the same bound.
const maxComparisons = 250_000

// Forbid returns why the constraints do not permit a certificate: the first name of
// its subject and subjectAltName that they exclude or do not permit. It is empty if
// they permit all. A name of a form that is constrained and cannot be compared here
// is not permitted: what cannot be read restricts.
func (c Constraints) Forbid(cert *x509.Certificate) string {
	names, err := namesOf(cert)
	switch {
	case err != nil:
		return "the names of the certificate cannot be read"
	case len(names)*(len(c.permitted)+len(c.excluded)) > maxComparisons:
		return fmt.Sprintf("the certificate has %d names and its issuer %d name constraints, more than are compared", len(names), len(c.permitted)+len(c.excluded))
	}
	for _, n := range names {
		same := func(t subtree) bool { return t.form == n.form && t.other == n.other }
		if slices.ContainsFunc(c.excluded, func(t subtree) bool { return same(t) && n.in(t, true) }) {
			return fmt.Sprintf("its name constraints exclude the %v %s", n.form, n)
		}
		var limits []string
		if slices.ContainsFunc(c.permitted, func(t subtree) bool {
			if !same(t) {
				return false
			}
			if len(limits) < 5 {
				limits = append(limits, t.String())
			} else {
				limits[4] = "..."
			}
			return n.in(t, false)
		}) || limits == nil {
			continue
		}
		return fmt.Sprintf("its name constraints permit the %v %s only, not %s", n.form, strings.Join(limits, " and "), n)
	}
	return ""
}

// namesOf returns the names of a certificate that constraints speak of. An e-mail
// address in the subject counts where the subjectAltName has none (RFC 5280
// section 4.2.1.10).
func namesOf(cert *x509.Certificate) ([]subtree, error) {
	var names []subtree
	subject, err := dn.ParseDER(cert.RawSubject)
	if err != nil {
		return nil, err
	}
	if len(subject) > 0 {
		names = append(names, subtree{form: formDirectory, name: subject})
	}
	mailed := false
	for _, e := range cert.Extensions {
		if !e.Id.Equal(san.Extension()) {
			continue
		}
		input := cryptobyte.String(e.Value)
		var list cryptobyte.String
		if !input.ReadASN1(&list, cbasn1.SEQUENCE) || !input.Empty() {
			return nil, errConstraints
		}
		for !list.Empty() {
			var content cryptobyte.String
			var tag cbasn1.Tag
			if !list.ReadAnyASN1(&content, &tag) {
				return nil, errConstraints
			}
			n, err := readName(tag, content)
			if err != nil {
				return nil, err
			}
			mailed = mailed || n.form == formEmail
			names = append(names, n)
		}
	}
	if !mailed {
		for _, email := range subject.Values(dn.EmailAddress) {
			names = append(names, subtree{form: formEmail, text: email})
		}
	}
	return names, nil
}

// in reports whether a name is in a subtree of its form. widely decides what is
// not clear, or what readers decide differently: such a name is in every excluded
// subtree and in no permitted one.
func (n subtree) in(t subtree, widely bool) bool {
	switch n.form {
	case formEmail, formUPN:
		at := strings.LastIndexByte(n.text, '@')
		switch {
		case at < 0:
			return t.text == "" || widely
		case strings.Count(n.text, "@") > 1 || at == 0 || !isHost(n.text[at+1:]):
			return widely
		}
		if i := strings.LastIndexByte(t.text, '@'); i > 0 { // one mailbox
			return (n.text[:at] == t.text[:i] || (widely || n.form == formUPN) && strings.EqualFold(n.text[:at], t.text[:i])) &&
				strings.EqualFold(n.text[at+1:], t.text[i+1:])
		}
		host, domain := n.text[at+1:], strings.TrimPrefix(t.text, "@")
		if n.form == formUPN && strings.EqualFold("."+host, domain) {
			return true // whether ".contoso.com" has contoso.com itself is not documented; it is what people mean
		}
		return inDomain(host, domain, widely)
	case formDNS: // a domain has itself and every host below it
		host, wild := strings.CutPrefix(n.text, "*.")
		_, above, _ := strings.Cut(t.text, ".")
		switch {
		case !isHost(host):
			return widely
		case wild && widely && strings.EqualFold(above, host):
			return true // the asterisk stands for one label, also for this one
		}
		return inDomain(n.text, t.text, false) || t.text != "" && inDomain(n.text, "."+strings.TrimPrefix(t.text, "."), false)
	case formURI:
		u, err := url.Parse(n.text)
		if err != nil || u.Hostname() == "" {
			return widely
		}
		if _, err := netip.ParseAddr(u.Hostname()); err == nil {
			return widely
		}
		return inDomain(u.Hostname(), t.text, widely)
	case formDirectory:
		return len(t.name) <= len(n.name) && n.name[:len(t.name)].Equal(t.name)
	case formIP:
		if len(t.ip) != 2*len(n.ip) {
			return widely && len(t.ip) != 8 && len(t.ip) != 32
		}
		masked := make([]byte, len(n.ip))
		for i := range masked {
			masked[i] = n.ip[i] & t.ip[len(n.ip)+i]
		}
		return bytes.Equal(masked, t.ip[:len(n.ip)])
	}
	return widely // not compared here
}

// isHost reports whether a text has the form of a host's name: labels between dots,
// without what no host has.
func isHost(text string) bool {
	for label := range strings.SplitSeq(text, ".") {
		if label == "" || strings.ContainsAny(label, "*@ \t/\\:,;<>()[]\"") {
			return false
		}
	}
	return true
}

// inDomain compares a host with a domain: ".contoso.com" has every host below
// contoso.com, "contoso.com" has that host alone, and nothing has every host (RFC
// 5280). Widely, "contoso.com" has the hosts below it too, as crypto/x509 reads it.
func inDomain(host, domain string, widely bool) bool {
	host, domain = strings.ToLower(host), strings.ToLower(domain)
	bare := strings.TrimPrefix(domain, ".")
	below := strings.HasSuffix(host, "."+bare)
	switch {
	case domain == "":
		return true
	case bare != domain:
		return below
	}
	return host == domain || widely && below
}

// String returns the name for a message.
func (n subtree) String() string {
	switch n.form {
	case formEmail, formDNS, formURI, formUPN:
		return text.Quote(n.text)
	case formDirectory:
		return text.Quote(n.name.String())
	case formIP:
		if addr, ok := netip.AddrFromSlice(n.ip); ok {
			return addr.String()
		}
		addr, _ := netip.AddrFromSlice(n.ip[:len(n.ip)/2])
		return fmt.Sprintf("%v with mask %x", addr, n.ip[len(n.ip)/2:])
	}
	return "of this kind"
}
