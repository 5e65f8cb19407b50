package signin_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
)

// Of every kind of file that people export, three more that nobody sent: the right
// answer, or an honest "not known", and never a yes that the file does not say.
func TestKinds(t *testing.T) {
	const group, excluded = "99999999-0000-0000-0000-000000000001", "99999999-0000-0000-0000-0000000000ee"
	file := func(name string) []byte { return exportedFile(t, name) }
	user, base := file("user.json"), file("tenant-base.json")
	off := file("user-account-disabled.json")
	scoped := file("tenant-scope-guid.json")
	with := func(text []byte, pairs ...any) []byte {
		for i := 0; i < len(pairs); i += 2 {
			text = edited(t, text, pairs[i].(string), pairs[i+1])
		}
		return text
	}
	ids := func(list ...string) []any {
		all := []any{}
		for _, id := range list {
			all = append(all, map[string]any{"id": id})
		}
		return all
	}
	type kind struct {
		tenant, user []byte
		require      string // a strength
		want         signin.Outcome
		code         string
		missing      string // one of those that are named
		changes      string // one assumption that changes the verdict
	}
	const multi = `"x509CertificateMultiFactor"`
	strength := func(limits string) string {
		return `{"displayName":"x","allowedCombinations":["x509CertificateMultiFactor"],"combinationConfigurations":[` + limits + `]}`
	}
	for name, k := range map[string]kind{
		"excluded: as a user":                       {tenant: with(file("tenant-exclude-group.json"), "x509Certificate/excludeTargets/0/targetType", "user", "x509Certificate/excludeTargets/0/id", "aaaaaaaa-0000-0000-0000-000000000001"), user: user, want: signin.Refused, code: "AADSTS130501"},
		"excluded: by another letter case":          {tenant: file("tenant-exclude-group.json"), user: with(user, "memberOf", ids(strings.ToUpper(excluded))), want: signin.Refused, code: "AADSTS130501"},
		"excluded: a target of a new type":          {tenant: with(file("tenant-exclude-group.json"), "x509Certificate/excludeTargets/0/targetType", "administrativeUnit"), user: with(user, "transitiveMemberOf", []any{}), want: signin.Undecided, missing: "tenant.x509Certificate.excludeTargets/0"},
		"included: a group and all users":           {tenant: with(file("tenant-include-group.json"), "x509Certificate/includeTargets", []any{map[string]any{"targetType": "group", "id": "g1"}, map[string]any{"targetType": "group", "id": "all_users"}}), user: user, want: signin.SignedIn},
		"included: nobody":                          {tenant: with(file("tenant-include-group.json"), "x509Certificate/includeTargets", []any{}), user: user, want: signin.Refused, code: "AADSTS130501"},
		"included: a page of groups that is cut":    {tenant: file("tenant-include-group.json"), user: with(user, "memberOf", ids(group), "memberOf@odata.nextLink", "https://graph"), want: signin.Undecided, missing: "user.memberOf"},
		"disabled: as PowerShell writes it":         {tenant: base, user: bytes.Replace(off, []byte(`"accountEnabled"`), []byte(`"AccountEnabled"`), 1), want: signin.Refused, code: "AADSTS50057"},
		"disabled: in an envelope":                  {tenant: base, user: []byte(`{"value":[` + string(off) + `]}`), want: signin.Refused, code: "AADSTS50057"},
		"disabled: not asked for":                   {tenant: base, user: with(off, "accountEnabled", json.RawMessage("null"), "userType", "Member"), want: signin.SignedIn, changes: "user.accountEnabled"},
		"envelope: with a context":                  {tenant: base, user: []byte(`{"@odata.context":"x","value":[` + string(user) + `]}`), want: signin.SignedIn},
		"envelope: a list of one":                   {tenant: base, user: []byte(`[` + string(user) + `]`), want: signin.SignedIn},
		"envelope: a mark in front":                 {tenant: base, user: append([]byte("\xef\xbb\xbf"), user...), want: signin.SignedIn},
		"scope: two groups, in the second":          {tenant: with(scoped, "x509Certificate/certificateAuthorityScopes/0/includeTargets", []any{map[string]any{"targetType": "group", "id": excluded}, map[string]any{"targetType": "group", "id": group}}), user: file("user-ingroup.json"), want: signin.SignedIn},
		"scope: for nobody":                         {tenant: with(scoped, "x509Certificate/certificateAuthorityScopes/0/includeTargets", []any{}), user: file("user-ingroup.json"), want: signin.Refused, code: "AADSTS500189"},
		"scope: of another CA":                      {tenant: with(scoped, "x509Certificate/certificateAuthorityScopes/0/subjectKeyIdentifier", strings.Repeat("ab", 20)), user: with(user, "transitiveMemberOf", []any{}), want: signin.SignedIn, changes: "9.33"},
		"strength: PowerShell, another OID":         {tenant: file("tenant-mf.json"), user: user, require: strength(`{"AppliesToCombinations":[` + multi + `],"AdditionalProperties":{"@odata.type":"#microsoft.graph.x509CertificateCombinationConfiguration","allowedIssuerSkis":[],"allowedPolicyOIDs":["9.9.9"]}}`), want: signin.Refused, code: "AADSTS500187"},
		"strength: lists cut":                       {tenant: file("tenant-mf.json"), user: user, require: strength(`{"@odata.type":"#microsoft.graph.x509CertificateCombinationConfiguration","appliesToCombinations":[` + multi + `]}`), want: signin.Undecided, missing: "strength.combinationConfigurations"},
		"strength: only Windows Hello":              {tenant: file("tenant-mf.json"), user: user, require: `{"displayName":"x","allowedCombinations":["windowsHelloForBusiness"],"combinationConfigurations":[]}`, want: signin.Refused, code: "AADSTS500187"},
		"CAs: an empty classic store":               {tenant: with(base, "certificateBasedAuthConfiguration/certificateAuthorities", []any{}), user: user, want: signin.Refused, code: "AADSTS500176"},
		"CAs: no PKI store, and the chain is whole": {tenant: with(base, "publicKeyInfrastructure", nil), user: user, want: signin.SignedIn, changes: "tenant.publicKeyInfrastructure"},
		"CAs: a classic store that is null":         {tenant: with(base, "certificateBasedAuthConfiguration", json.RawMessage("null")), user: user, want: signin.Undecided, missing: "tenant.certificateBasedAuthConfiguration"},
		"method: a state of tomorrow":               {tenant: with(base, "x509Certificate/state", "reportOnly"), user: user, want: signin.Refused, code: "AADSTS1002002"},
		"method: no state, and disabled account":    {tenant: with(base, "x509Certificate/state", nil), user: off, want: signin.Refused, code: "AADSTS50057"},
		"method: no bindings at all":                {tenant: with(base, "x509Certificate/certificateUserBindings", []any{}), user: user, want: signin.Refused, code: "AADSTS1001003"},
	} {
		t.Run(name, func(t *testing.T) {
			var require signin.Requirement
			if k.require != "" {
				s, err := signin.ParseStrength([]byte(k.require))
				if err != nil {
					t.Fatal(err)
				}
				require = signin.Require(s)
			}
			v := verdictOf(t, k.tenant, k.user, "bob.crt", require)
			if v.Outcome != k.want || v.Code != k.code {
				t.Errorf("%v %s, want %v %s: %s", v.Outcome, v.Code, k.want, k.code, v.Message)
			}
			if k.missing != "" && !slices.ContainsFunc(v.Missing, func(m signin.Missing) bool { return m.What == k.missing }) {
				t.Errorf("missing %+v, want %s", v.Missing, k.missing)
			}
			if k.changes != "" && !slices.ContainsFunc(v.Assumptions, func(a signin.Assumption) bool { return a.ID == k.changes && a.ChangesVerdict }) {
				t.Errorf("no assumption %s that changes the verdict among %+v", k.changes, v.Assumptions)
			}
		})
	}
	// Two users in one envelope are nobody.
	for _, text := range []string{`{"value":[` + string(user) + `,` + string(user) + `]}`, `{"value":[]}`, `[]`} {
		if u, err := policy.ParseUser([]byte(text)); err == nil {
			t.Errorf("%.30s is read as %+v", text, u)
		}
	}
}
