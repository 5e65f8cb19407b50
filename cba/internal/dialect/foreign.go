package dialect

import (
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"

	"example.com/entracba/cba/internal/wire"
)

// foreign begins the detail of an error of [Graph] that says what a text is.
const foreign = "this looks like "

// Instead returns the error of [Graph] if it says what the text is or what to give
// instead, nil for any other.
func Instead(err error) *wire.Error {
	var e *wire.Error
	if errors.As(err, &e) && (e.Reason == wire.Incomplete || strings.HasPrefix(e.Detail, foreign)) {
		return e
	}
	return nil
}

var (
	listing = regexp.MustCompile(`(?m)^[A-Za-z@][A-Za-z0-9@.]* +: `) // Format-List
	ruled   = regexp.MustCompile(`(?m)^-{2,}( +-{2,})+ *\r?$`)       // Format-Table
	python  = regexp.MustCompile(`^[\[({]+\s*'`)
	failed  = regexp.MustCompile(`^[A-Z][a-z]+-[A-Z][A-Za-z]+ ?: `)
	header  = regexp.MustCompile(`(?i)^"?[a-z][a-z @._"-]*[,;\t][^\n{}]*\r?\n`)
	yaml    = regexp.MustCompile(`^(---\r?\n|['"]?@?[A-Za-z][A-Za-z0-9.@]*['"]?: *[^{\[]*(\r?\n|$))`)
)

// isSeries reports whether a text is more than one object of JSON.
func isSeries(data []byte) bool {
	d := json.NewDecoder(bytes.NewReader(data))
	var first json.RawMessage
	return d.Decode(&first) == nil && bytes.HasPrefix(bytes.TrimSpace(data[d.InputOffset():]), []byte("{"))
}

// LooksLike says what a text is that is no JSON, and what to give instead; "" if it is
// not known.
func LooksLike(data []byte) string {
	data = bytes.TrimSpace(data)
	start := string(data[:min(len(data), 4096)])
	has := func(what string) bool { return bytes.Contains(data[:min(len(data), 64<<10)], []byte(what)) }
	lower := strings.ToLower(start)
	switch {
	case len(data) == 0:
	case strings.HasPrefix(start, "HTTP/"), strings.HasPrefix(start, "> "), strings.HasPrefix(start, "* "), strings.HasPrefix(start, "< "):
		return "an answer with its HTTP headers; save the body alone (curl without -i and -v)"
	case strings.HasPrefix(start, "version https://git-lfs"):
		return "a pointer of Git LFS; run git lfs pull"
	case strings.HasPrefix(start, "//"), strings.HasPrefix(start, "/*"):
		return "JSON with comments; remove them"
	case python.MatchString(start):
		return "what Python prints of an object; write it with json.dumps"
	case strings.HasPrefix(start, "resource \""), strings.HasPrefix(start, "terraform {"), strings.HasPrefix(start, "data \""):
		return "a configuration of Terraform; give Graph's answers instead"
	case failed.MatchString(start):
		return "an error of PowerShell; run the command again with the permissions that it needs"
	case strings.HasPrefix(lower, "<!doctype html") || strings.HasPrefix(lower, "<html"):
		return "an HTML page, such as a sign-in page; save the answer of the call itself"
	case strings.HasPrefix(start, "<") && has("<Objs"):
		return "what Export-Clixml writes; use ConvertTo-Json -Depth 10 instead"
	case strings.HasPrefix(start, "<"):
		return "XML; Graph's answers are JSON"
	case strings.Contains(start, "-----BEGIN "):
		return "PEM; a certificate is given with -cert"
	case has("Import-DscResource") || has("AADAuthenticationMethodPolicyX509"):
		return "a configuration of Microsoft365DSC, which is a program and has no identifiers of groups; " + tenantCalls
	case strings.HasPrefix(start, "@{"):
		return "PowerShell text; use ConvertTo-Json -Depth 10"
	case strings.HasPrefix(start, "\x1f\x8b"):
		return "a gzip archive; unpack it"
	case strings.HasPrefix(start, "\xd0\xcf\x11\xe0"):
		return "an old workbook; export it as CSV"
	case strings.HasPrefix(start, "%PDF"):
		return "a PDF document; export the data itself"
	case strings.HasPrefix(lower, "dn: "), strings.HasPrefix(lower, "version: 1\n"), strings.HasPrefix(lower, "version: 1\r"):
		return "LDIF; export the users as JSON or CSV"
	case strings.HasPrefix(start, "PK\x03\x04"):
		return "a ZIP archive or a workbook; unpack it, or export it as CSV"
	case strings.HasPrefix(start, "#TYPE"), strings.HasPrefix(lower, "sep="):
		return "a table (CSV); lists of users are given with -users"
	case header.MatchString(start):
		return "a table (CSV); lists of users are given with -users"
	case listing.MatchString(start), ruled.MatchString(start):
		return "what PowerShell prints on the screen; add | ConvertTo-Json -Depth 10"
	case start[0] != '{' && start[0] != '[' && start[0] != '"' && yaml.MatchString(start):
		return "YAML; ask for JSON (az rest -o json)"
	case start[0] == '{' && isSeries(data):
		return "several objects one after the other, which is bad syntax; put them into a list: [ ..., ... ]"
	}
	return ""
}

// others are properties that objects have which are no users, and what these are.
var others = map[string]string{
	"groupTypes": "a group", "securityEnabled": "a group", "mailEnabled": "a group", "deviceId": "a device", "servicePrincipalType": "a service principal",
	"deletedDateTime": "a deleted user", "signInAudience": "an application", "appDisplayName": "a row of the sign-in log", "conditionalAccessStatus": "a row of the sign-in log",
}

// A Stranger finds out what an object is that may have some properties of a user.
type Stranger struct {
	what            string
	userID, created bool // a row of the sign-in log has both
}

// See takes the properties of the object, one after the other.
func (s *Stranger) See(name, value []byte) {
	if s.what != "" {
		return
	}
	if string(name) == "@odata.type" {
		var kind string
		if json.Unmarshal(value, &kind) == nil && !strings.HasSuffix(strings.ToLower(kind), ".user") {
			s.what = "a " + kind
		}
	} else if other := others[string(name)]; other != "" && string(value) != "null" {
		s.what = other
	}
	s.userID = s.userID || wire.EqualFold(name, "userId")
	s.created = s.created || wire.EqualFold(name, "createdDateTime")
}

// What says what the object is, "" for one that may be a user.
func (s *Stranger) What() string {
	if s.what == "" && s.userID && s.created {
		return "a row of the sign-in log"
	}
	return s.what
}

// graphError returns what an error of Graph says, "" for anything else.
func graphError(raw []byte) string {
	inner := property(raw, "error")
	if code := word(inner, "code"); code != "" {
		return foreign + "an error that Graph answered: " + code + "; ask again with the permission that the call needs"
	}
	return ""
}

// cutList is what some versions of PowerShell write of a list that they cut off. Others
// join its texts with spaces, see [isJoined].
const cutList = `"System.Object[]"`

// isJoined reports whether a text in the place of a list is several elements of it with
// spaces between them, which no element has. (A key identifier may have some, between
// its bytes.)
func isJoined(name string, raw []byte) bool {
	var s string
	if raw[0] != '"' || bytes.IndexByte(raw, ' ') < 0 || json.Unmarshal(raw, &s) != nil {
		return false
	}
	words := strings.Fields(s)
	switch name {
	case "certificateUserIds":
		return strings.Contains(strings.ToUpper(s), " X509:")
	case "allowedIssuerSkis", "exemptedCertificateAuthoritiesSubjectKeyIdentifiers":
		return len(words) > 1 && !slices.ContainsFunc(words, func(w string) bool { return len(w) < 8 })
	case "allowedPolicyOIDs":
		return len(words) > 1
	case "allowedCombinations", "appliesToCombinations": // one has commas, and may have spaces behind them
		return slices.ContainsFunc(words[:max(len(words), 1)-1], func(w string) bool { return !strings.HasSuffix(w, ",") })
	}
	return false
}

// cutMarks are in a text if PowerShell may have cut values off: where objects nest
// deeper than ConvertTo-Json -Depth says (2 by default), it writes what the object
// prints as.
var cutMarks = [][]byte{[]byte(`"@{`), []byte(`"System.`), []byte(`"Microsoft.`)}

// objects are the properties of Graph that are objects, beside those in lists.
var objects = map[string]bool{
	"authenticationModeConfiguration": true, "crlValidationConfiguration": true, "issuerHintsConfiguration": true,
	"x509Certificate": true, "certificateBasedAuthConfiguration": true, "authorizationInfo": true, "additionalProperties": true,
	"systemCredentialPreferences": true,
}

// cutOff returns the place of a value that PowerShell has cut off, "" if there is none.
// The text is in Graph's form.
func cutOff(raw []byte) string {
	for _, mark := range cutMarks {
		if bytes.Contains(raw, mark) {
			where, _ := findCut("", raw)
			return where
		}
	}
	return ""
}

// findCut looks at the value of a property. Where is the way from there, as it is put
// together only when something is found.
func findCut(name string, raw []byte) (where string, found bool) {
	switch {
	case len(raw) == 0:
	case raw[0] == '{':
		members, err := wire.Members(raw)
		if err != nil {
			return "", false
		}
		for _, m := range members {
			if inner, found := findCut(m.Name, m.Raw); found {
				return "/" + m.Name + inner, true
			}
		}
	case raw[0] == '[':
		elements, err := wire.Elements(raw)
		if err != nil {
			return "", false
		}
		for _, e := range elements {
			if where, found := findCut(name, e); found { // of a list the list is named
				return where, true
			}
		}
	case raw[0] == '"' && (lists[name] || objects[name]):
		var s string
		return "", json.Unmarshal(raw, &s) == nil && isCut(s)
	}
	return "", false
}

// isCut reports whether a text is what an object prints as.
func isCut(s string) bool {
	return strings.HasPrefix(s, "@{") && strings.HasSuffix(s, "}") ||
		strings.HasPrefix(s, "System.Object") || strings.HasPrefix(s, "System.Collections.") || strings.HasPrefix(s, "System.String[]") ||
		strings.HasPrefix(s, "Microsoft.Graph.") || strings.HasPrefix(s, "Microsoft.Open.")
}
