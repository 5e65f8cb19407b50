package signin_test

import (
	"crypto/fips140"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
)

// exported is the folder of files as people export them.
const exported = "testdata/tenant"

func exportedFile(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(exported, name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// edited changes a JSON object at a path of names and indexes; nil removes.
func edited(t testing.TB, text []byte, path string, value any) []byte {
	t.Helper()
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	edit(v, strings.Split(path, "/"), value)
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func edit(v any, path []string, value any) {
	for _, name := range path[:len(path)-1] {
		switch in := v.(type) {
		case map[string]any:
			v = in[name]
		case []any:
			i, _ := strconv.Atoi(name)
			v = in[i]
		}
	}
	last := path[len(path)-1]
	switch in := v.(type) {
	case map[string]any:
		if value == nil {
			delete(in, last)
		} else {
			in[last] = value
		}
	case []any:
		i, _ := strconv.Atoi(last)
		in[i] = value
	}
}

// verdictOf explains a sign-in of files, with what every verdict must hold.
func verdictOf(t *testing.T, tenant, user []byte, certificate string, require signin.Requirement) signin.Verdict {
	t.Helper()
	config, err := signin.ParseConfig(tenant)
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := config.Compile(signin.Options{})
	if err != nil {
		t.Fatal(err)
	}
	u, err := policy.ParseUser(user)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(exportedFile(t, certificate))
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return checkVerdict(t, compiled, signin.Request{User: &u, Certificate: cert, At: time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC), Require: require})
}

func TestExported(t *testing.T) {
	const group = "99999999-0000-0000-0000-000000000001"
	const excluded = "99999999-0000-0000-0000-0000000000ee"
	in := func(list string, ids ...string) []byte {
		groups := []any{}
		for _, id := range ids {
			groups = append(groups, map[string]any{"id": id})
		}
		return edited(t, exportedFile(t, "user.json"), list, groups)
	}
	many := make([]string, 20)
	for i := range many {
		many[i] = fmt.Sprintf("99999999-0000-0000-0001-%012d", i)
	}
	file := func(name string) []byte { return exportedFile(t, name) }
	user, exclude := file("user.json"), file("tenant-exclude-group.json")
	for name, test := range map[string]struct {
		tenant, user []byte
		cert         string
		require      signin.Requirement
		want         signin.Outcome
		code         string
		missing      []string
		changes      []string // assumptions that change the verdict, among others
		says         string
	}{
		"complete": {tenant: file("tenant-base.json"), user: user, want: signin.SignedIn, changes: []string{"user.accountEnabled", "user.userType"}},
		"groups that nothing names are not asked for": {tenant: file("tenant-mf.json"), user: user, want: signin.SignedIn},
		"disabled method": {tenant: file("tenant-disabled.json"), user: user, want: signin.Refused, code: "AADSTS1002002"},

		"excluded group, no groups":                  {tenant: exclude, user: user, want: signin.Undecided, missing: []string{"user.memberOf"}, says: excluded},
		"excluded group, in it":                      {tenant: exclude, user: in("memberOf", excluded), want: signin.Refused, code: "AADSTS130501"},
		"excluded group, nested in it":               {tenant: exclude, user: in("transitiveMemberOf", excluded), want: signin.Refused, code: "AADSTS130501"},
		"excluded group, in another":                 {tenant: exclude, user: in("memberOf", group), want: signin.SignedIn, changes: []string{"user.transitiveMemberOf"}},
		"excluded group, in none at all":             {tenant: exclude, user: in("transitiveMemberOf"), want: signin.SignedIn},
		"excluded group, a page of 20":               {tenant: exclude, user: in("memberOf", many...), want: signin.Undecided, missing: []string{"user.memberOf"}},
		"excluded group, a page of 20 that is whole": {tenant: exclude, user: edited(t, in("memberOf", many...), "memberOf@odata.count", 20), want: signin.SignedIn},
		"excluded group, a page with a link":         {tenant: exclude, user: edited(t, in("memberOf", group), "memberOf@odata.nextLink", "x"), want: signin.Undecided, missing: []string{"user.memberOf"}},
		"excluded group, null":                       {tenant: exclude, user: []byte(strings.Replace(string(user), "{", `{"memberOf":null,`, 1)), want: signin.Undecided, missing: []string{"user.memberOf"}},

		"included group, no groups":  {tenant: file("tenant-include-group.json"), user: user, want: signin.Undecided, missing: []string{"user.memberOf"}, says: "g1"},
		"included group, in it":      {tenant: file("tenant-include-group.json"), user: in("memberOf", "g1"), want: signin.SignedIn},
		"included group, in none":    {tenant: file("tenant-include-group.json"), user: in("memberOf"), want: signin.Refused, code: "AADSTS130501", says: "group g1"},
		"included group, in another": {tenant: file("tenant-include-group.json"), user: in("transitiveMemberOf", group), want: signin.Refused, code: "AADSTS130501", says: "group g1"},

		"disabled account":    {tenant: file("tenant-base.json"), user: file("user-account-disabled.json"), want: signin.Refused, code: "AADSTS50057"},
		"enabled account":     {tenant: file("tenant-base.json"), user: edited(t, user, "accountEnabled", true), want: signin.SignedIn},
		"a guest":             {tenant: file("tenant-base.json"), user: edited(t, user, "userType", "Guest"), want: signin.SignedIn, changes: []string{"user.userType"}},
		"in an envelope":      {tenant: file("tenant-base.json"), user: file("user-value-wrapper.json"), want: signin.SignedIn},
		"no UPN":              {tenant: file("tenant-base.json"), user: edited(t, user, "userPrincipalName", nil), want: signin.Undecided, missing: []string{"user.userPrincipalName"}},
		"no UPN, another one": {tenant: file("tenant-base.json"), user: edited(t, user, "userPrincipalName", "eve@contoso.org"), want: signin.Refused, code: "AADSTS1001009", says: `has "bob@contoso.org", but the user's userPrincipalName is "eve@contoso.org"`},

		"scope by the PKI's id":            {tenant: file("tenant-scope-guid.json"), user: file("user-ingroup.json"), want: signin.SignedIn},
		"scope, no groups":                 {tenant: file("tenant-scope-guid.json"), user: user, want: signin.Undecided, missing: []string{"user.memberOf"}, says: group},
		"scope, in another group":          {tenant: file("tenant-scope-guid.json"), user: in("memberOf", excluded), want: signin.Refused, code: "AADSTS500189"},
		"scope with another kind of id":    {tenant: edited(t, file("tenant-scope-guid.json"), "x509Certificate/certificateAuthorityScopes/0/subjectKeyIdentifier", "thumbprint"), user: in("transitiveMemberOf", excluded), want: signin.Undecided, missing: []string{"tenant.x509Certificate.certificateAuthorityScopes/0/subjectKeyIdentifier"}},
		"scope with colons":                {tenant: edited(t, file("tenant-scope-guid.json"), "x509Certificate/certificateAuthorityScopes/0/subjectKeyIdentifier", "f0:fa:eb:17:e4:68:8e:8b:95:e9:4e:09:31:61:fc:11:a7:39:64:66"), user: in("transitiveMemberOf", excluded), want: signin.Refused, code: "AADSTS500189"},
		"scope, unreadable, in its group":  {tenant: edited(t, file("tenant-scope-guid.json"), "x509Certificate/certificateAuthorityScopes/0/subjectKeyIdentifier", "?"), user: file("user-ingroup.json"), want: signin.SignedIn},
		"no scopes":                        {tenant: edited(t, file("tenant-base.json"), "x509Certificate/certificateAuthorityScopes", nil), user: user, want: signin.Undecided, missing: []string{"tenant.x509Certificate.certificateAuthorityScopes"}},
		"no exclude targets":               {tenant: edited(t, file("tenant-base.json"), "x509Certificate/excludeTargets", nil), user: user, want: signin.Undecided, missing: []string{"tenant.x509Certificate.excludeTargets"}},
		"no include targets":               {tenant: edited(t, file("tenant-base.json"), "x509Certificate/includeTargets", nil), user: user, want: signin.Undecided, missing: []string{"tenant.x509Certificate.includeTargets"}},
		"no bindings":                      {tenant: edited(t, file("tenant-base.json"), "x509Certificate/certificateUserBindings", nil), user: user, want: signin.Undecided, missing: []string{"tenant.x509Certificate.certificateUserBindings"}},
		"no state":                         {tenant: edited(t, file("tenant-base.json"), "x509Certificate/state", nil), user: user, want: signin.Undecided, missing: []string{"tenant.x509Certificate.state"}},
		"no rules":                         {tenant: edited(t, file("tenant-mf.json"), "x509Certificate/authenticationModeConfiguration/rules", nil), user: user, require: signin.MFA(), want: signin.Undecided, missing: []string{"tenant.x509Certificate.authenticationModeConfiguration/rules"}},
		"no policy":                        {tenant: edited(t, file("tenant-base.json"), "x509Certificate", nil), user: user, want: signin.Undecided, missing: []string{"tenant.x509Certificate"}},
		"no classic store":                 {tenant: edited(t, file("tenant-base.json"), "certificateBasedAuthConfiguration", nil), user: user, want: signin.Undecided, missing: []string{"tenant.certificateBasedAuthConfiguration"}},
		"PKIs without their CAs":           {tenant: file("shape-30-pki-graph-list-without-cas.json"), user: user, want: signin.Undecided, says: "has no certificateAuthorities in this file"},
		"an expired one is refused anyway": {tenant: edited(t, exclude, "x509Certificate/state", "disabled"), user: user, want: signin.Refused, code: "AADSTS1002002"},
		"the spelling of PowerShell":       {tenant: edited(t, edited(t, file("tenant-base.json"), "x509Certificate/certificateUserBindings/0/userProperty", "UserPrincipalName"), "x509Certificate/certificateUserBindings/1/userProperty", "UserPrincipalName"), user: user, want: signin.SignedIn, changes: []string{"9.34"}},

		"excluded by a display name":       {tenant: edited(t, exclude, "x509Certificate/excludeTargets/0/id", "CBA Excluded"), user: in("transitiveMemberOf", excluded), want: signin.Undecided, missing: []string{"tenant.x509Certificate.excludeTargets/0"}},
		"excluded by a name of one word":   {tenant: edited(t, exclude, "x509Certificate/excludeTargets/0/id", "CBA-Excluded"), user: in("transitiveMemberOf", excluded), want: signin.Undecided, missing: []string{"tenant.x509Certificate.excludeTargets/0"}},
		"excluded by an id in braces":      {tenant: edited(t, exclude, "x509Certificate/excludeTargets/0/id", " {"+strings.ToUpper(excluded)+"} "), user: in("transitiveMemberOf", excluded), want: signin.Refused, code: "AADSTS130501"},
		"excluded by an id in braces, not": {tenant: edited(t, exclude, "x509Certificate/excludeTargets/0/id", "{"+excluded+"}"), user: in("transitiveMemberOf", group), want: signin.SignedIn},
		"a user excluded by the UPN":       {tenant: edited(t, edited(t, exclude, "x509Certificate/excludeTargets/0/id", "bob@contoso.org"), "x509Certificate/excludeTargets/0/targetType", "user"), user: in("transitiveMemberOf"), want: signin.Undecided, missing: []string{"tenant.x509Certificate.excludeTargets/0"}},
		"included by a display name":       {tenant: edited(t, file("tenant-include-group.json"), "x509Certificate/includeTargets/0/id", "All Staff"), user: in("transitiveMemberOf", group), want: signin.Undecided, missing: []string{"tenant.x509Certificate.includeTargets/0"}},
		"the state as the portal shows it": {tenant: edited(t, file("tenant-base.json"), "x509Certificate/state", "Enabled"), user: user, want: signin.Refused, code: "AADSTS1002002", changes: []string{"tenant.x509Certificate.state"}},
		"a guest in small letters":         {tenant: file("tenant-base.json"), user: edited(t, user, "userType", "guest"), want: signin.SignedIn, changes: []string{"user.userType"}},

		"no TLS client sends it": {tenant: file("tenant-base.json"), user: user, cert: "leaf-keyencipherment-only.crt", want: signin.SignedIn, changes: []string{"9.35"}, says: "digitalSignature"},
		"a weak one":             {tenant: file("tenant-base.json"), user: user, cert: "leaf-rsa1024-sha1.crt", want: signin.SignedIn, changes: []string{"9.51"}, says: "1024 bits"},
	} {
		t.Run(name, func(t *testing.T) {
			if test.cert == "" {
				test.cert = "bob.crt"
			}
			if name == "a weak one" && fips140.Enforced() { // its signature cannot be checked there
				test.want, test.missing, test.changes = signin.Undecided, []string{"certificate"}, nil
			}
			v := verdictOf(t, test.tenant, test.user, test.cert, test.require)
			if v.Outcome != test.want || v.Code != test.code {
				t.Errorf("%v %s, want %v %s: %s", v.Outcome, v.Code, test.want, test.code, v.Message)
			}
			var missing []string
			for _, m := range v.Missing {
				missing = append(missing, m.What)
			}
			if test.missing != nil && !slices.Equal(missing, test.missing) {
				t.Errorf("missing %q, want %q", missing, test.missing)
			}
			for _, id := range test.changes {
				if !slices.ContainsFunc(v.Assumptions, func(a signin.Assumption) bool { return a.ID == id && a.ChangesVerdict }) {
					t.Errorf("no assumption %s that changes the verdict among %+v", id, v.Assumptions)
				}
			}
			if slices.ContainsFunc(v.Assumptions, func(a signin.Assumption) bool { return a.ID == "4.5" }) {
				t.Error("the PKI of the scope is not understood")
			}
			all := v.Message
			for _, s := range v.Steps {
				all += "\n" + s.Detail
			}
			if !strings.Contains(all, test.says) {
				t.Errorf("does not say %q:\n%s", test.says, all)
			}
		})
	}
}

// A strength whose restrictions are not in the file is not satisfied.
func TestStrengthMissing(t *testing.T) {
	text := exportedFile(t, "strength-bom.json")[3:]
	for path, want := range map[string]signin.Outcome{
		"id":                        signin.Refused,
		"combinationConfigurations": signin.Undecided,
		"combinationConfigurations/0/allowedIssuerSkis":     signin.Undecided,
		"combinationConfigurations/0/appliesToCombinations": signin.Undecided,
		"combinationConfigurations/0/allowedPolicyOIDs":     signin.Refused,
	} {
		strength, err := signin.ParseStrength(edited(t, text, path, nil))
		if err != nil {
			t.Fatal(err)
		}
		v := verdictOf(t, exportedFile(t, "tenant-mf.json"), exportedFile(t, "user.json"), "bob.crt", signin.Require(strength))
		if v.Outcome != want || want == signin.Refused && v.Code != "AADSTS500187" {
			t.Errorf("without %s: %v %s", path, v.Outcome, v.Code)
		}
		again, err := json.Marshal(signin.Require(strength))
		var back signin.Requirement
		if err == nil {
			err = json.Unmarshal(again, &back)
		}
		if err != nil {
			t.Fatal(err)
		}
		if v := verdictOf(t, exportedFile(t, "tenant-mf.json"), exportedFile(t, "user.json"), "bob.crt", back); v.Outcome != want {
			t.Errorf("without %s, written and read: %v", path, v.Outcome)
		}
	}
}

// paths lists the properties of a JSON value at every level, and the elements of
// lists of texts.
func paths(v any, where string) []string {
	var list []string
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if strings.Contains(name, "@odata.") {
				continue
			}
			list = append(list, where+name)
			list = append(list, paths(v[name], where+name+"/")...)
		}
	case []any:
		for i, e := range v {
			if _, text := e.(string); text {
				list = append(list, fmt.Sprint(where, i))
			}
			list = append(list, paths(e, fmt.Sprint(where, i)+"/")...)
		}
	}
	return list
}

// caseFiles returns the cases whose tenant, user and requirement the property tests
// change, and the files of certificates and lists.
func caseFiles(t *testing.T) (map[string]testCase, map[string][]byte) {
	t.Helper()
	files := map[string][]byte{}
	entries, err := os.ReadDir(worldFolder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if files[e.Name()], err = os.ReadFile(filepath.Join(worldFolder, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	cases := map[string]testCase{}
	names, err := filepath.Glob(filepath.Join("testdata", "cases", "*.json"))
	if err != nil || len(names) < minCases {
		t.Fatalf("%d cases, %v", len(names), err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var c testCase
		if err := json.Unmarshal(text, &c); err != nil {
			t.Fatal(err)
		}
		cases[filepath.Base(name)] = c
	}
	return cases, files
}

// parts are the documents of a case.
func (c testCase) parts() map[string]json.RawMessage {
	parts := map[string]json.RawMessage{"tenant": c.Tenant, "user": c.User}
	if len(c.Require) > 0 && c.Require[0] == '{' {
		parts["require"] = c.Require
	}
	return parts
}

func (c testCase) with(part string, text []byte) testCase {
	switch part {
	case "tenant":
		c.Tenant = text
	case "user":
		c.User = text
	default:
		c.Require = text
	}
	return c
}

// stops reports whether a property is of a binding at which the walk ends, under the
// reading that was chosen: a binding that is not there or not supported restricts
// nobody by default.
func (c testCase) stops(path string) bool {
	return strings.Contains(path, "certificateUserBindings/") && slices.Contains(c.Options, "StopAtMismatch")
}

// TestRemovingAProperty removes every property of every refused case, one at a time:
// none makes a plain yes of the refusal. Those that absence leaves open make no yes
// at all.
func TestRemovingAProperty(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves out what takes long")
	}
	open := []string{"memberOf", "transitiveMemberOf", "userPrincipalName", "onPremisesUserPrincipalName", "authorizationInfo", "certificateUserIds",
		"combinationConfigurations", "allowedIssuerSkis", "allowedPolicyOIDs", "excludeTargets", "includeTargets",
		"certificateAuthorityScopes", "certificateUserBindings", "rules", "authenticationModeConfiguration", "x509Certificate", "state"}
	cases, files := caseFiles(t)
	tried, undecided, assumed := 0, 0, 0
	remove := func(name string, c testCase, log signin.Calibration) {
		whole, err := c.compile(files, log)
		if err != nil {
			t.Fatal(err)
		}
		for part, text := range c.parts() {
			var v any
			if err := json.Unmarshal(text, &v); err != nil {
				t.Fatal(err)
			}
			for _, path := range paths(v, "") {
				last := path[strings.LastIndex(path, "/")+1:]
				if _, err := strconv.Atoi(last); err == nil {
					continue // an element, not a property
				}
				rest, tenant := c.with(part, edited(t, text, path, nil)), whole
				r, err := rest.request(files)
				if err == nil && part == "tenant" {
					tenant, err = rest.compile(files, log)
				}
				if err != nil {
					continue // refused as input
				}
				if c.stops(path) || last == "deletedDateTime" && !strings.Contains(string(text), `"deletedDateTime":null`) {
					continue // a PKI that a program made has none
				}
				tried++
				a, err := tenant.Decide(t.Context(), r)
				if err != nil {
					continue
				}
				if a.Outcome == signin.Undecided {
					undecided++
				}
				if !a.SignedIn {
					continue
				}
				assumed++
				verdict := checkVerdict(t, tenant, r)
				if !slices.ContainsFunc(verdict.Assumptions, func(a signin.Assumption) bool { return a.ChangesVerdict }) {
					t.Errorf("%s: without %s of the %s the refusal becomes a plain yes", name, path, part)
				}
				if slices.Contains(open, last) && !strings.Contains(path, "crlValidation") {
					t.Errorf("%s: without %s of the %s the refusal becomes a yes", name, path, part)
				}
			}
		}
	}
	for name, c := range cases {
		if !c.Want.SignedIn {
			remove(name, c, signin.Calibration{})
		}
	}
	t.Logf("%d properties removed: %d undecided, %d signed in with an assumption that changes the verdict", tried, undecided, assumed)
	if tried < 7000 || undecided < 250 {
		t.Errorf("%d tried, %d undecided", tried, undecided)
	}
	// Nor where the log has settled the questions: that all readings are the default
	// ones, or that one is the other.
	tried = 0
	for name, c := range cases {
		if c.Options = slices.DeleteFunc(c.Options, func(o string) bool { return o != "SkipRevocation" }); !c.Want.SignedIn {
			if tenant, r, err := c.loadWith(files, allConfirmed()); err != nil {
				t.Fatal(err)
			} else if a, err := tenant.Decide(t.Context(), r); err != nil || a.Outcome == signin.Refused {
				remove(name+", confirmed", c, allConfirmed())
			}
		}
	}
	for _, c := range tellingCases(t) {
		if c.other.Outcome == signin.Refused && !slices.Contains(asked, c.id) {
			log := turned(c.id, signin.Options{}).Calibration
			of := cases[c.name+".json"]
			of.Options = slices.DeleteFunc(of.Options, func(o string) bool { return o != "SkipRevocation" })
			remove(c.name+", other "+c.id, of, log)
		}
	}
	t.Logf("%d properties removed where the log has settled readings", tried)
	if tried < 7000 {
		t.Errorf("%d tried", tried)
	}
}

// allConfirmed is a log that confirms every reading.
func allConfirmed() (log signin.Calibration) {
	for _, id := range questions {
		log.Readings = append(log.Readings, signin.Reading{ID: id, Result: signin.Confirmed, SignIns: 9, Users: 9})
	}
	return log
}

// TestUnreadableRestrictions makes every text of the tenant and of a strength
// unreadable, one at a time: nobody is let in by it.
func TestUnreadableRestrictions(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves out what takes long")
	}
	cases, files := caseFiles(t)
	tried := 0
	for name, c := range cases {
		if c.Want.SignedIn {
			continue
		}
		for part, text := range c.parts() {
			var v any
			if part == "user" || json.Unmarshal(text, &v) != nil {
				continue
			}
			for _, path := range paths(v, "") {
				last := path[strings.LastIndex(path, "/")+1:]
				if last == "id" || last == "displayName" || c.stops(path) { // another text is another id, and readable
					continue
				}
				if _, isText := at(v, path).(string); !isText {
					continue
				}
				tenant, r, err := c.with(part, edited(t, text, path, "notKnownHere")).load(files)
				if err != nil {
					continue
				}
				tried++
				a, err := tenant.Decide(t.Context(), r)
				if last == "certificate" && a.SignedIn { // which CA it was is not known
					v := checkVerdict(t, tenant, r)
					a.SignedIn = !slices.ContainsFunc(v.Assumptions, func(a signin.Assumption) bool { return a.ID == "tenant/"+path && a.ChangesVerdict })
				}
				if err == nil && a.SignedIn {
					t.Errorf("%s: with an unreadable %s of the %s the refusal becomes a yes", name, path, part)
				}
			}
		}
	}
	t.Logf("%d texts made unreadable", tried)
	if tried < 2500 {
		t.Errorf("only %d tried", tried)
	}
}

func at(v any, path string) any {
	for name := range strings.SplitSeq(path, "/") {
		switch in := v.(type) {
		case map[string]any:
			v = in[name]
		case []any:
			i, _ := strconv.Atoi(name)
			v = in[i]
		}
	}
	return v
}

// tenantAndUser are those of files.
func tenantAndUser(t *testing.T, tenant, user []byte) (*signin.Tenant, *policy.User, *x509.Certificate) {
	t.Helper()
	config, err := signin.ParseConfig(tenant)
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := config.Compile(signin.Options{Now: func() time.Time { return time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC) }})
	if err != nil {
		t.Fatal(err)
	}
	u, err := policy.ParseUser(user)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(exportedFile(t, "bob.crt"))
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return compiled, &u, cert
}

// A user of whom it is not known is in a class alone, whichever tenant leaves it open.
func TestCompareNotKnown(t *testing.T) {
	base, user, cert := tenantAndUser(t, exportedFile(t, "tenant-base.json"), exportedFile(t, "user.json"))
	exclude, _, _ := tenantAndUser(t, exportedFile(t, "tenant-exclude-group.json"), exportedFile(t, "user.json"))
	disabled, _, _ := tenantAndUser(t, exportedFile(t, "tenant-disabled.json"), exportedFile(t, "user.json"))
	list := func(yield func(signin.Case, error) bool) {
		yield(signin.Case{User: user, Certificates: []*x509.Certificate{cert}}, nil)
	}
	for name, test := range map[string]struct {
		before, after *signin.Tenant
		want          signin.Difference
	}{
		"after":            {base, exclude, signin.NotKnown},
		"before":           {exclude, base, signin.NotKnown},
		"both":             {exclude, exclude, signin.NotKnown},
		"refused for sure": {base, disabled, signin.Loses},
		"nothing missing":  {base, base, signin.Same},
	} {
		for change, err := range signin.Compare(t.Context(), test.before, test.after, list, signin.CompareOptions{At: time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)}) {
			if err != nil || change.Difference != test.want {
				t.Errorf("%s: %v, %v", name, change.Difference, err)
			}
		}
	}
	v, err := exclude.ExplainUser(t.Context(), user, cert)
	if err != nil || v.Outcome != signin.Undecided || v.NotChecked == "" {
		t.Errorf("ExplainUser: %v, %v", v.Outcome, err)
	}
}

// Who may be bound is a candidate, and is said to be unknown.
func TestCandidateNotKnown(t *testing.T) {
	tenant, known, cert := tenantAndUser(t, exportedFile(t, "tenant-base.json"), exportedFile(t, "user.json"))
	_, unknown, _ := tenantAndUser(t, exportedFile(t, "tenant-base.json"), edited(t, exportedFile(t, "user.json"), "userPrincipalName", nil))
	_, other, _ := tenantAndUser(t, exportedFile(t, "tenant-base.json"), edited(t, exportedFile(t, "user.json"), "userPrincipalName", "eve@contoso.org"))
	users := func(yield func(*policy.User, error) bool) {
		for _, u := range []*policy.User{known, unknown, other} {
			if !yield(u, nil) {
				return
			}
		}
	}
	var found []string
	for c, err := range tenant.Candidates(cert, users) {
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, fmt.Sprintf("%d %v %s", c.Index, c.Unknown, c.Binding.Field))
	}
	if want := []string{"0 false PrincipalName", "1 true "}; !slices.Equal(found, want) {
		t.Errorf("%q, want %q", found, want)
	}
}

func TestOutcomes(t *testing.T) {
	for o, want := range map[signin.Outcome]string{signin.SignedIn: "signedIn", signin.Refused: "refused", signin.Undecided: "undecided"} {
		text, err := o.MarshalText()
		var back signin.Outcome
		if err != nil || string(text) != want || back.UnmarshalText(text) != nil || back != o {
			t.Errorf("%v: %s, %v, %v", o, text, back, err)
		}
	}
	if _, err := signin.Outcome(0).MarshalText(); err == nil {
		t.Error("an unset outcome is written")
	}
}
