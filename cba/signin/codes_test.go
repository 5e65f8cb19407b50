package signin_test

import (
	"slices"
	"strings"
	"testing"

	"example.com/entracba/cba/signin"
)

// A verdict says how sure its code is, and which other code may appear.
func TestCodesOfVerdicts(t *testing.T) {
	file := func(name string) []byte { return exportedFile(t, name) }
	user := file("user.json")
	for name, test := range map[string]struct {
		tenant, user []byte
		cert         string
		require      signin.Requirement
		code, id     string
		says         []string
	}{
		"out of scope":    {tenant: file("tenant-include-group.json"), user: edited(t, user, "memberOf", []any{}), code: "AADSTS130501", id: "4.7", says: []string{"2022-06-15", "no longer published", "may also appear as AADSTS500186"}},
		"another user":    {tenant: file("tenant-base.json"), user: edited(t, user, "userPrincipalName", "eve@contoso.org"), code: "AADSTS1001009", id: "4.7", says: []string{"FPKI", "may also appear as AADSTS50034 (documented"}},
		"single-factor":   {tenant: file("tenant-base.json"), user: user, require: signin.MFA(), code: "AADSTS54008", id: "4.7", says: []string{"3422036", "may also appear as AADSTS50076"}},
		"second factors":  {tenant: file("tenant-base.json"), user: user, require: signin.MFA(), code: "AADSTS54008", id: "9.42", says: []string{"AADSTS50076"}},
		"nothing is sent": {tenant: file("tenant-base.json"), user: user, cert: "leaf-keyencipherment-only.crt", id: "9.35", says: []string{"AADSTS50192"}},
		"method disabled": {tenant: file("tenant-disabled.json"), user: user, code: "AADSTS1002002", id: "4.7", says: []string{"no page says which code"}},
	} {
		t.Run(name, func(t *testing.T) {
			if test.cert == "" {
				test.cert = "bob.crt"
			}
			v := verdictOf(t, test.tenant, test.user, test.cert, test.require)
			if v.Code != test.code {
				t.Errorf("code %s, want %s", v.Code, test.code)
			}
			i := slices.IndexFunc(v.Assumptions, func(a signin.Assumption) bool { return a.ID == test.id })
			if i < 0 {
				t.Fatalf("no assumption %s among %+v", test.id, v.Assumptions)
			}
			for _, text := range test.says {
				if !strings.Contains(v.Assumptions[i].Text, text) {
					t.Errorf("%q does not say %q", v.Assumptions[i].Text, text)
				}
			}
			if !test.require.IsZero() && !slices.Contains(v.SecondFactor, "Temporary Access Pass") {
				t.Errorf("second factors %q", v.SecondFactor)
			}
		})
	}
}
