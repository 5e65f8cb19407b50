// Package dialect turns the JSON that people have into the JSON of Microsoft Graph.
//
// People have what PowerShell writes of Graph's objects, and parts of documents in
// envelopes. The readers of this module understand one form; this package is the
// door in front of them. It never guesses a value: it renames, unwraps and decodes,
// and leaves alone what it does not know.
//
// What PowerShell does to an object (Get-Mg..., Get-AzureAD... | ConvertTo-Json):
//
//   - Names of properties begin with a capital letter: UserPrincipalName.
//   - Properties that the SDK has no field for stand in AdditionalProperties.
//   - A list of one element is written as the element.
//   - A list is written as {"value": [...], "Count": n} (Windows PowerShell 5.1).
//   - Binaries are lists of numbers.
//   - Times are "\/Date(1718000000000)\/" (Windows PowerShell 5.1).
//   - Get-AzureADTrustedCertificateAuthority has names of its own for the CAs of the
//     classic trust store, and numbers for its enumerations.
package dialect

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"example.com/entracba/cba/internal/text"
	"example.com/entracba/cba/internal/wire"
)

// Graph returns a text in the form of Microsoft Graph: UTF-8, and every object as
// Graph writes it. A text that has this form already is returned as it is, byte for
// byte but for a byte order mark and the white space around it.
//
// The error is that of [wire.Text], for a text of more than most bytes or one that
// is no JSON; it says what else the text is, if that is known. A text of which
// PowerShell has cut values off is [wire.Incomplete].
func Graph(data []byte, most int) ([]byte, error) {
	if text := bytes.Trim(data, " \t\r\n"); len(data) <= most && isPlain(text) && !mayBeError(text) {
		return text, nil
	}
	return translated(data, most)
}

// mayBeError reports whether a text begins as an error of Graph does.
func mayBeError(text []byte) bool {
	return bytes.Contains(text[:min(len(text), 64)], []byte(`"error"`))
}

// translated is Graph for a text that may not be plain.
func translated(data []byte, most int) ([]byte, error) {
	if len(data) <= 2*most {
		data = bytes.TrimRight(text.UTF8(data), "\x00\x1a") // what was not written to the end, and an old end of file
	}
	checked, err := wire.Text(data, most)
	if err != nil {
		var e *wire.Error
		if looks := LooksLike(data); errors.As(err, &e) && e.Reason == wire.BadSyntax && looks != "" {
			return nil, &wire.Error{Reason: wire.BadSyntax, Detail: foreign + looks}
		}
		return nil, err
	}
	if mayBeError(checked) {
		if detail := graphError(checked); detail != "" {
			return nil, &wire.Error{Reason: wire.Incomplete, Detail: detail}
		}
	}
	if where := twice(checked); where != "" {
		return nil, &wire.Error{Reason: wire.DuplicateName, Where: where, Detail: wire.Twice().Detail}
	}
	checked = value("", checked)
	if where := goesOn(checked); where != "" {
		return nil, &wire.Error{Reason: wire.Incomplete, Where: where, Detail: "the list goes on at this link; read all pages"}
	}
	if where := cutOff(checked); where != "" {
		return nil, &wire.Error{Reason: wire.Incomplete, Where: where, Detail: "PowerShell has cut the value off: write the file again with ConvertTo-Json -Depth 10"}
	}
	return checked, nil
}

// find returns the place of the first wanted property of a text, outer ones first, "" if
// there is none. It asks object for a new question for each object. The place is put
// together only when it is known: names may be long.
func find(raw []byte, object func() (wanted func(name string, value []byte) bool)) (found string) {
	switch raw[0] {
	case '{':
		wanted := object()
		wire.Each(raw, func(name, value []byte) bool {
			inner := ""
			if !wanted(string(name), value) {
				if inner = find(value, object); inner == "" {
					return true
				}
			}
			found = "/" + string(name) + inner
			return false
		})
	case '[':
		n := 0
		wire.EachElement(raw, func(element []byte) bool {
			if inner := find(element, object); inner != "" {
				found = "/" + strconv.Itoa(n) + inner
			}
			n++
			return found == ""
		})
	}
	return found
}

// twice returns the place of a deciding property whose name an object has in another letter
// case, too, "" if there is none: which of the two counts is not clear.
func twice(raw []byte) string {
	return find(raw, func() func(string, []byte) bool {
		seen := map[string]bool{}
		return func(name string, _ []byte) bool {
			lowered := strings.ToLower(name)
			again := seen[lowered]
			seen[lowered] = true
			return again && deciding[lowered]
		}
	})
}

// link ends the name of the annotation of a list that is one page of a longer one.
const link = "@odata.nextLink"

// goesOn returns the place of a link to more of a list that decides, "" if there is none.
// The groups of a user are not among these: what of them is missing is told.
func goesOn(raw []byte) string {
	wanted := func(name string, value []byte) bool {
		at := len(name) - len(link)
		if at < 0 || !strings.EqualFold(name[at:], link) || string(value) == "null" {
			return false
		}
		for list := range lists {
			if strings.EqualFold(name[:at], list) {
				return list != "memberOf" && list != "transitiveMemberOf"
			}
		}
		return false
	}
	return find(raw, func() func(string, []byte) bool { return wanted })
}

// isPlain reports whether a text surely is sound and has Graph's form, so that [value] and
// [cutOff] have nothing to do. Nearly all texts are plain, and it reads them once.
func isPlain(text []byte) bool { return wire.Scan(text, plain) }

// plain is isPlain of one value, whose own values are plain.
func plain(name, raw []byte) bool {
	if name != nil && odd(name) {
		return false
	}
	switch raw[0] {
	case '{':
		return !lists[string(name)]
	case '[':
		return !binaries[string(name)]
	case '"':
		return !lists[string(name)] && (len(raw) > 40 || !bytes.Contains(raw, []byte("Date("))) && !marked(raw)
	}
	return true
}

// marked reports whether a string may have one of [cutMarks]: they begin with a quote.
func marked(raw []byte) bool {
	escapes := bytes.IndexByte(raw, '\\') >= 0
	for _, mark := range cutMarks {
		if bytes.HasPrefix(raw, mark) || escapes && bytes.Contains(raw, mark) {
			return true
		}
	}
	return false
}

// odd reports whether a property is one that another dialect than Graph's may have, or
// begins with a mark of cutMarks.
func odd(name []byte) bool {
	if len(name) == 0 || name[0] >= 'A' && name[0] <= 'Z' || bytes.HasPrefix(name, []byte("@{")) {
		return true
	}
	if at := len(name) - len(link); at > 0 && bytes.EqualFold(name[at:], []byte(link)) {
		return true
	}
	switch string(name) {
	case "additionalProperties", "count", "trustedCertificate":
		return true
	}
	_, respelt := spelling[string(name)]
	return respelt
}

// lists are the properties of Graph that are lists: PowerShell writes one of one
// element as the element.
var lists = map[string]bool{
	"certificateUserBindings": true, "rules": true, "includeTargets": true, "excludeTargets": true, "certificateAuthorityScopes": true,
	"exemptedCertificateAuthoritiesSubjectKeyIdentifiers": true, "authenticationMethodConfigurations": true,
	"publicKeyInfrastructure": true, "certificateAuthorities": true,
	"memberOf": true, "transitiveMemberOf": true, "certificateUserIds": true,
	"allowedCombinations": true, "combinationConfigurations": true, "appliesToCombinations": true, "allowedIssuerSkis": true, "allowedPolicyOIDs": true,
}

// answers are lists that Graph answers by themselves: people put the answer in the place
// of the list.
var answers = map[string]bool{"memberOf": true, "transitiveMemberOf": true, "certificateAuthorities": true}

// deciding are the properties, in small letters, of which a decision must not take one of
// two.
var deciding = map[string]bool{
	"state": true, "includetargets": true, "excludetargets": true, "certificateuserbindings": true, "certificateauthorityscopes": true,
	"authenticationmodeconfiguration": true, "crlvalidationconfiguration": true, "rules": true, "targettype": true,
	"x509certificate": true, "publickeyinfrastructure": true, "certificatebasedauthconfiguration": true, "certificateauthorities": true,
	"certificate": true, "isrootauthority": true, "certificaterevocationlisturl": true, "deleteddatetime": true,
	"x509certificatefield": true, "userproperty": true, "priority": true, "trustaffinitylevel": true,
	"x509certificateauthenticationmode": true, "x509certificatedefaultrequiredaffinitylevel": true, "x509certificateauthenticationdefaultmode": true,
	"allowedcombinations": true, "allowedissuerskis": true, "allowedpolicyoids": true,
}

// binaries are the properties of Graph that are binaries.
var binaries = map[string]bool{"certificate": true}

// spelling has the names that PowerShell writes in more letters of another case than
// the first.
var spelling = map[string]string{
	"allowedPolicyOids": "allowedPolicyOIDs", "allowedPolicyOiDs": "allowedPolicyOIDs", "allowedIssuerSKIs": "allowedIssuerSkis",
	"x509CertificateAuthenticationMethodConfiguration": "x509Certificate",
}

// value returns a JSON value in Graph's form. name is the property that it is the
// value of, "" for none. The text must have passed wire.Text.
func value(name string, raw []byte) []byte {
	switch {
	case len(raw) == 0:
		return raw
	case raw[0] == '{':
		raw = object(raw)
		if name != "" {
			if list := enveloped(raw); list != nil {
				raw = list
			} else if inner, where, err := wire.Unwrap(raw); answers[name] && err == nil && where != "" && inner[0] == '[' {
				raw = inner // an answer of Graph in the place of its list
			}
		}
	case raw[0] == '[' && binaries[name]:
		if text := bytesOf(raw); text != nil {
			return text
		}
	case raw[0] == '[':
		raw = array(raw)
	case raw[0] == '"':
		if text := dateOf(raw); text != nil {
			return text
		}
	}
	if lists[name] && isJoined(name, raw) {
		return []byte(cutList)
	}
	if lists[name] && isElement(raw) {
		return append(append([]byte{'['}, raw...), ']')
	}
	return raw
}

func array(raw []byte) []byte {
	elements, err := wire.Elements(raw)
	if err != nil {
		return raw
	}
	out, changed := []byte{'['}, false
	for i, e := range elements {
		if i > 0 {
			out = append(out, ',')
		}
		v := value("", e)
		changed = changed || !same(v, e)
		out = append(out, v...)
	}
	if !changed {
		return raw
	}
	return append(out, ']')
}

func object(raw []byte) []byte {
	members, err := wire.Members(raw)
	if err != nil {
		return raw
	}
	pascal := len(members) > 0
	for _, m := range members {
		pascal = pascal && (wire.IsAnnotation(m.Name) || isCapital(m.Name) || m.Name == "value" || m.Name == "additionalProperties")
	}
	changed := false
	seen := map[string]bool{}
	list := make([]wire.Member, 0, len(members))
	var more []wire.Member
	for _, m := range members {
		name := m.Name
		if pascal && isCapital(name) {
			name = strings.ToLower(name[:1]) + name[1:]
		}
		if other, known := spelling[name]; known {
			name = other
		}
		if name == "additionalProperties" && bytes.HasPrefix(m.Raw, []byte("{")) {
			if inner, err := wire.Members(object(m.Raw)); err == nil {
				more = append(more, inner...)
				changed = true
				continue
			}
		}
		v := value(name, m.Raw)
		changed = changed || name != m.Name || !same(v, m.Raw)
		if seen[name] { // two names have become one: what was meant is not clear
			return raw
		}
		seen[name] = true
		list = append(list, wire.Member{Name: name, Raw: v})
	}
	// What stands in AdditionalProperties has no field of its own; a null field of
	// that name is the SDK's.
	for _, m := range more {
		v := value(m.Name, m.Raw)
		if !seen[m.Name] {
			list = append(list, wire.Member{Name: m.Name, Raw: v})
			continue
		}
		for i := range list {
			if list[i].Name == m.Name && string(list[i].Raw) == "null" {
				list[i].Raw = v
			}
		}
	}
	if azure := azureAuthority(list); azure != nil {
		return write(azure)
	}
	if !changed {
		return raw
	}
	return write(list)
}

// Object writes properties as an object.
func Object(members []wire.Member) []byte { return write(members) }

func write(members []wire.Member) []byte {
	out := []byte{'{'}
	for i, m := range members {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(append(out, wire.Quote(m.Name)...), ':'), m.Raw...)
	}
	return append(out, '}')
}

// isCapital reports whether a name begins with a capital ASCII letter.
func isCapital(name string) bool { return name != "" && name[0] >= 'A' && name[0] <= 'Z' }

// same reports whether nothing was made anew.
func same(a, b []byte) bool { return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0]) }

// enveloped returns the list of {"value": [...], "Count": n}, nil for anything else.
func enveloped(raw []byte) []byte {
	members, err := wire.Members(raw)
	if err != nil || len(members) != 2 {
		return nil
	}
	var list []byte
	count := false
	for _, m := range members {
		switch {
		case m.Name == "value" && bytes.HasPrefix(m.Raw, []byte("[")):
			list = m.Raw
		case m.Name == "count" || m.Name == "Count":
			_, err := strconv.Atoi(string(m.Raw))
			count = err == nil
		}
	}
	if !count {
		return nil
	}
	return list
}

// isElement reports whether the value of a list's property is the one element of it:
// an object that has something, or a string.
func isElement(raw []byte) bool {
	if raw[0] == '{' {
		members, err := wire.Members(raw)
		return err == nil && len(members) > 0 && !isEnvelope(raw)
	}
	return raw[0] == '"'
}

// isEnvelope reports whether an object is an answer of Graph around a value.
func isEnvelope(raw []byte) bool {
	if raw[0] != '{' {
		return false
	}
	inner, where, err := wire.Unwrap(raw)
	return err != nil || where != "" && len(inner) > 0
}

// bytesOf returns a list of bytes as base64, nil if it is something else.
func bytesOf(raw []byte) []byte {
	var numbers []int
	if json.Unmarshal(raw, &numbers) != nil || len(numbers) == 0 {
		return nil
	}
	binary := make([]byte, len(numbers))
	for i, n := range numbers {
		if n < 0 || n > 255 {
			return nil
		}
		binary[i] = byte(n)
	}
	return wire.Quote(base64.StdEncoding.EncodeToString(binary))
}

// dateOf returns the time in "/Date(1718000000000)/", nil if a string is none.
func dateOf(raw []byte) []byte {
	if len(raw) > 40 || !bytes.Contains(raw, []byte("Date(")) {
		return nil
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return nil
	}
	digits, front := strings.CutPrefix(s, "/Date(")
	digits, back := strings.CutSuffix(digits, ")/")
	ms, err := strconv.ParseInt(digits, 10, 64)
	if !front || !back || err != nil || ms < -62135596800000 || ms > 253402300799999 {
		return nil
	}
	return wire.Quote(time.UnixMilli(ms).UTC().Format(time.RFC3339Nano))
}

// azureAuthority returns what Get-AzureADTrustedCertificateAuthority writes of a CA
// as Graph's certificateAuthority, nil for any other object.
func azureAuthority(members []wire.Member) []wire.Member {
	names := map[string]string{
		"crlDistributionPoint": "certificateRevocationListUrl", "deltaCrlDistributionPoint": "deltaCertificateRevocationListUrl",
		"trustedIssuer": "issuer", "trustedIssuerSki": "issuerSki",
	}
	var out []wire.Member
	isCA := false
	for _, m := range members {
		switch {
		case m.Name == "authorityType":
			root := "false"
			switch strings.Trim(string(m.Raw), `"`) {
			case "0", "RootAuthority":
				root = "true"
			case "1", "IntermediateAuthority":
			default:
				return nil
			}
			out = append(out, wire.Member{Name: "isRootAuthority", Raw: json.RawMessage(root)})
		case m.Name == "trustedCertificate":
			isCA = true
			raw := m.Raw
			if text := bytesOf(raw); text != nil {
				raw = text
			}
			out = append(out, wire.Member{Name: "certificate", Raw: raw})
		case names[m.Name] != "":
			out = append(out, wire.Member{Name: names[m.Name], Raw: m.Raw})
		default:
			out = append(out, m)
		}
	}
	if !isCA {
		return nil
	}
	return out
}
