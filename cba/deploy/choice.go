package deploy

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"

	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/internal/text"
)

// A filter is how the policy AutoSelectCertificateForUrls names a certificate (Chrome
// Enterprise policy list; Microsoft Edge has the same).
type filter struct {
	Issuer  map[string]string `json:"ISSUER"`
	Subject map[string]string `json:"SUBJECT,omitempty"`
}

// An entry is one string of the policy's list.
type entry struct {
	Pattern string `json:"pattern"`
	Filter  filter `json:"filter"`
}

const autoSelect = "AutoSelectCertificateForUrls"

// choice is the one value from which the browser's choice is made for every target: the
// list of the policy, with an entry for this certificate and for each of [Options.Others].
func (p Package) choice(o Options) ([]string, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	var all []string
	for _, c := range append([]*x509.Certificate{p.Certificate}, o.Others...) {
		if c == nil {
			return nil, fail(Missing, "one of Others is nil")
		}
		e := entry{Pattern: "https://[*.]" + o.cloud().certauth(), Filter: filter{Issuer: principal(c, true)}}
		if len(e.Filter.Issuer) == 0 {
			return nil, fail(BadName, "the issuer %s has none of CN, L, O and OU exactly once", text.Quote(dn.Show(c.RawIssuer)))
		}
		if !o.IssuerOnly {
			if e.Filter.Subject = principal(c, false); len(e.Filter.Subject) == 0 {
				return nil, fail(BadName, "the subject %s has none of CN, L, O and OU exactly once; select by issuer only", text.Quote(dn.Show(c.RawSubject)))
			}
		}
		one, err := toJSON(e, "")
		if err != nil {
			return nil, err
		}
		if s := strings.TrimRight(string(one), "\n"); !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all, nil
}

// ChromiumPolicy returns a policy file for Chrome, Chromium, Edge and Brave on Linux. At
// Entra's certauth hosts, those with issuer hints included, the browser then selects the
// certificate of this issuer and subject without asking (AutoSelectCertificateForUrls).
// The script install-policy.sh of [Package.Artefacts] puts the file where the browsers
// of the machine look. Windows and macOS get the same list in their own forms.
//
// A machine must have only one such file: of two, the last by name counts, and its list
// replaces the other (seen with Chromium 148; Google, "Chrome browser quick start (Linux)",
// wants one file for a policy). If several people use the machine, one file names the
// certificates of all of them ([Options.Others]).
//
// A browser compares common name, locality, organization and organizational unit. The
// filter has those that occur exactly once in a name. A name in which none of them
// occurs exactly once cannot be selected.
//
// The error is an [*Error]: [Missing], [BadName] (such a name, too) or [BadOption].
func (p Package) ChromiumPolicy(o Options) ([]byte, error) {
	list, err := p.choice(o)
	if err != nil {
		return nil, err
	}
	return toJSON(map[string][]string{autoSelect: list}, "  ")
}

// selects reports whether a policy file has the list, and whether by it a browser selects the
// certificate at the host. A list of another type is one that selects nothing.
func selects(policy []byte, c *x509.Certificate, host string) (has, does bool) {
	var file map[string]json.RawMessage
	if json.Unmarshal(strictJSON(text.UTF8(policy)), &file) != nil {
		return false, false // browsers ignore such a file
	}
	raw, has := file[autoSelect]
	var list []string
	if json.Unmarshal(raw, &list) != nil {
		return has, false
	}
	for _, one := range list {
		var e entry
		if json.Unmarshal([]byte(one), &e) == nil && matchesHost(e.Pattern, host) &&
			within(e.Filter.Issuer, c.Issuer.Names) && within(e.Filter.Subject, c.Subject.Names) {
			return true, true
		}
	}
	return has, false
}

// strictJSON leaves out what Chromium takes in a policy file and JSON does not have:
// comments, and a comma behind the last value.
func strictJSON(data []byte) []byte {
	var out []byte
	quoted := false
	for i := 0; i < len(data); i++ {
		rest := data[i:]
		switch {
		case quoted && rest[0] == '\\' && len(rest) > 1:
			out = append(out, rest[0])
			i++
		case rest[0] == '"':
			quoted = !quoted
		case quoted:
		case bytes.HasPrefix(rest, []byte("//")):
			end := bytes.IndexByte(rest, '\n')
			if end < 0 {
				return out
			}
			i += end
		case bytes.HasPrefix(rest, []byte("/*")):
			end := bytes.Index(rest[2:], []byte("*/"))
			if end < 0 {
				return data
			}
			i += end + 3
			continue
		case rest[0] == ']' || rest[0] == '}':
			out = bytes.TrimSuffix(bytes.TrimRight(out, " \t\r\n"), []byte(","))
		}
		out = append(out, data[i])
	}
	return out
}

// matchesHost reports whether a content setting pattern covers https at the host.
func matchesHost(pattern, host string) bool {
	if scheme, rest, ok := strings.Cut(pattern, "://"); ok {
		if scheme != "https" && scheme != "*" {
			return false
		}
		pattern = rest
	}
	pattern = strings.TrimSuffix(strings.TrimSuffix(pattern, "/*"), "/")
	pattern = strings.TrimSuffix(strings.TrimSuffix(pattern, ":443"), ":*")
	if domain, ok := strings.CutPrefix(pattern, "[*.]"); ok {
		return strings.EqualFold(host, domain) || strings.HasSuffix(host, "."+strings.ToLower(domain))
	}
	return pattern == "*" || strings.EqualFold(pattern, host)
}

// within reports whether a name has each wanted value at least once.
func within(want map[string]string, names []pkix.AttributeTypeAndValue) bool {
	for key, value := range want {
		if !slices.ContainsFunc(names, func(n pkix.AttributeTypeAndValue) bool { return attributeKey(n.Type) == key && n.Value == value }) {
			return false
		}
	}
	return true
}

// attributeKey returns what the policy calls an attribute, or "" for others.
func attributeKey(id asn1.ObjectIdentifier) string {
	if len(id) == 4 && id[0] == 2 && id[1] == 5 && id[2] == 4 {
		return map[int]string{3: "CN", 7: "L", 10: "O", 11: "OU"}[id[3]]
	}
	return ""
}

// principal returns what a browser's policy can compare of a name.
func principal(c *x509.Certificate, issuer bool) map[string]string {
	names := c.Subject.Names
	if issuer {
		names = c.Issuer.Names
	}
	found, count := map[string]string{}, map[string]int{}
	for _, n := range names {
		key := attributeKey(n.Type)
		if key == "" {
			continue
		}
		count[key]++
		if value, ok := n.Value.(string); ok && value != "" && count[key] == 1 {
			found[key] = value
		} else {
			delete(found, key)
		}
	}
	return found
}

func toJSON(v any, indent string) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", indent)
	if err := encoder.Encode(v); err != nil {
		return nil, &Error{Reason: BadName, Detail: "the policy", Err: err}
	}
	return b.Bytes(), nil
}

// firefoxPreferences are those of the policy Preferences: certificates of the system's
// store are used (Windows, macOS), and one that fits is presented without asking. Firefox
// has no filter: it presents a certificate at every site that asks for one.
func firefoxPreferences() map[string]any {
	set := func(value any) map[string]any { return map[string]any{"Value": value, "Status": "default"} }
	return map[string]any{
		"security.osclientcerts.autoload": set(true),
		"security.default_personal_cert":  set("Select Automatically"),
	}
}

// firefoxPolicy is policies.json of Firefox.
func firefoxPolicy() ([]byte, error) {
	return toJSON(map[string]any{"policies": map[string]any{"Preferences": firefoxPreferences()}}, "  ")
}

// policyKeys are the registry keys that Edge and Chrome read their list from, below the
// hive of the machine or of a user.
var policyKeys = []string{`SOFTWARE\Policies\Microsoft\Edge\` + autoSelect, `SOFTWARE\Policies\Google\Chrome\` + autoSelect}

// registryFile is a .reg file, in UTF-16, with the list for Edge and Chrome.
func registryFile(list []string) []byte {
	var b lines
	b.add("Windows Registry Editor Version 5.00")
	b.add("")
	b.add("; Edge and Chrome select the certificate at Entra's certauth hosts without asking.")
	b.add("; These values replace those of the same number. Set-BrowserChoice.ps1 keeps others.")
	for _, key := range policyKeys {
		b.add("")
		b.add(`[HKEY_LOCAL_MACHINE\`, key, "]")
		for i, one := range list {
			b.add(`"`, strconv.Itoa(i+1), `"="`, strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(one), `"`)
		}
	}
	return text.AppendUTF16(nil, "\ufeff"+string(b.crlf()), binary.LittleEndian)
}

// choiceScript sets the list for Edge and Chrome, beside what is there, or checks it.
func choiceScript(list []string) []byte {
	quoted := make([]string, len(list))
	for i, one := range list {
		quoted[i] = "(" + powerShell(one) + ")"
	}
	keys := make([]string, len(policyKeys))
	for i, key := range policyKeys {
		keys[i] = `'HKLM:\` + key + `'`
	}
	return []byte(strings.ReplaceAll(strings.NewReplacer("{LIST}", strings.Join(quoted, ", "), "{KEYS}", strings.Join(keys, ", ")).Replace(choiceText), "\n", "\r\n"))
}

const choiceText = `#Requires -Version 5.1
# Edge and Chrome then select the certificate at Entra's certauth hosts without asking.
# Run it as administrator: powershell -NoProfile -ExecutionPolicy Bypass -File Set-BrowserChoice.ps1
# -Check changes nothing and says what is set. edge://policy and chrome://policy show it, too.
# Apps with WebView2 do not read these policies: there the app chooses, or asks.
param([switch]$Check)
$ErrorActionPreference = 'Stop'
$list = @({LIST})
$keys = @({KEYS})
$missing = 0
foreach ($key in $keys) {
    $present = @{}
    if (Test-Path -LiteralPath $key) {
        $item = Get-Item -LiteralPath $key
        foreach ($name in $item.GetValueNames()) { $present[$name] = $item.GetValue($name) }
    }
    foreach ($one in $list) {
        if ($present.Values -ccontains $one) {
            Write-Host ('set      ' + $key)
            continue
        }
        if ($Check) {
            Write-Host ('NOT set  ' + $key)
            $missing++
            continue
        }
        $number = 1
        while ($present.ContainsKey([string]$number)) { $number++ }
        if (-not (Test-Path -LiteralPath $key)) { New-Item -Path $key -Force | Out-Null }
        New-ItemProperty -LiteralPath $key -Name ([string]$number) -Value $one -PropertyType String | Out-Null
        $present[[string]$number] = $one
        Write-Host ('set now  ' + $key + ' ' + $number)
    }
}
if ($missing) { exit 1 }
exit 0
`

// intuneText has the same list for Intune's custom settings (Learn, "Configure Microsoft
// Edge using Mobile Device Management"; Google's templates have the same form).
func intuneText(list []string) []byte {
	var b lines
	value := ""
	for i, one := range list {
		if i > 0 {
			value += "&#xF000;"
		}
		value += strconv.Itoa(i+1) + "&#xF000;" + strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace(one)
	}
	b.add("Intune: the browser's choice. Settings catalog: search for")
	b.add(`"Automatically select client certificates for these sites" (Microsoft Edge, Content settings;`)
	b.add("Google Google Chrome, Content settings), and enter one line for each of these:")
	b.add("")
	for _, one := range list {
		b.add(one)
	}
	b.add("")
	b.add("The user setting, assigned to the person, keeps people apart who share a machine.")
	b.add("")
	b.add("As custom settings (OMA-URI, string), with the ADMX files ingested as Edge and Chrome.")
	b.add("./User in place of ./Device sets it for a person. The data id is that of the ADMX file:")
	b.add("the name of the policy and Desc, as for the other lists.")
	for _, uri := range []string{"Edge~Policy~microsoft_edge~ContentSettings", "Chrome~Policy~googlechrome~ContentSettings"} {
		b.add("")
		b.add("./Device/Vendor/MSFT/Policy/Config/", uri, "/", autoSelect)
		b.add(`<enabled/><data id="`, autoSelect, `Desc" value="`, value, `"/>`)
	}
	return b.crlf()
}

// choiceOrNone is choice, or nothing for a name that no filter fits: then the person
// chooses, as the finding deploy-no-choice says.
func (p Package) choiceOrNone(o Options) ([]string, error) {
	list, err := p.choice(o)
	if errors.Is(err, BadName) && p.check() == nil {
		return nil, nil
	}
	return list, err
}

// choiceFiles are the artefacts of the browser's choice for a target, in a folder.
func (p Package) choiceFiles(t Target, folder string, o Options) ([]Artefact, error) {
	list, err := p.choiceOrNone(o)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	firefox, err := firefoxPolicy()
	if err != nil {
		return nil, err
	}
	var all []Artefact
	add := func(name string, content []byte) {
		a := Artefact{Name: folder + name, Content: content, Mode: 0o644}
		if strings.HasSuffix(name, ".sh") {
			a.Mode = 0o755
		}
		all = append(all, a)
	}
	switch t {
	case Windows, WindowsUSB:
		add("Set-BrowserChoice.ps1", choiceScript(list))
		add("browser-choice.reg", registryFile(list))
		add("browser-choice-intune.txt", intuneText(list))
	case Linux:
		chromium, err := p.ChromiumPolicy(o)
		if err != nil {
			return nil, err
		}
		add("chromium-policy.json", chromium)
		add("install-policy.sh", policyScript())
	}
	add("firefox-policies.json", firefox)
	return all, nil
}
