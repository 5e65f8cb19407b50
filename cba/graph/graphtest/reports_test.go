package graphtest_test

import (
	"crypto/x509/pkix"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba/graph/graphtest"
)

func signIns() []graphtest.SignIn {
	row := func(id string, age time.Duration, code int, correlation string, kinds ...string) graphtest.SignIn {
		return graphtest.SignIn{ID: id, CreatedDateTime: start.Add(-age), ErrorCode: code, CorrelationID: correlation, EventTypes: kinds,
			UserPrincipalName: "Jane@contoso.com", ConditionalAccessStatus: "notApplied",
			Processing: []graphtest.KeyValue{{Key: "User certificate binding", Value: "Certificate: Principal Name; User Attribute: userPrincipalName; Rank: 1"}},
			Details:    []graphtest.AuthenticationDetail{{Method: "X.509 Certificate", Succeeded: code == 0, StepDateTime: start}}}
	}
	return []graphtest.SignIn{
		row("old", 48*time.Hour, 0, "c1"),
		row("new", time.Minute, 500171, "c2"),
		row("interrupted", 2*time.Minute, 50019, "c2", "interactiveUser"),
		row("background", 3*time.Minute, 0, "c3", "nonInteractiveUser"),
	}
}

func TestSignIns(t *testing.T) {
	f := newFake(t, graphtest.Tenant{SignIns: signIns()}, graphtest.Options{})
	for _, tt := range []struct {
		query string
		want  []string
	}{
		{"", []string{"new", "interrupted", "old"}},
		{"?$filter=createdDateTime ge 2026-09-01T00:00:00Z", []string{"new", "interrupted"}},
		{"?$filter=createdDateTime lt 2026-09-01T00:00:00Z", []string{"old"}},
		{"?$filter=status/errorCode eq 500171", []string{"new"}},
		{"?$filter=correlationId eq 'c2' and status/errorCode eq 50019", []string{"interrupted"}},
		{"?$filter=userPrincipalName eq 'jane@contoso.com'&$top=1", []string{"new"}},
		{"?$filter=userPrincipalName eq 'Jane@contoso.com'", nil}, // the log has lower case
		{"?$filter=startswith(userPrincipalName,'jane@')", []string{"new", "interrupted", "old"}},
		{"?$filter=signInEventTypes/any(t:t eq 'nonInteractiveUser')", []string{"background"}},
		{"?$filter=(signInEventTypes/any(t:t eq 'nonInteractiveUser') or signInEventTypes/any(t:t eq 'interactiveUser'))", []string{"new", "interrupted", "background", "old"}},
		{"?$orderby=createdDateTime asc", []string{"old", "interrupted", "new"}},
	} {
		var got []string
		for _, r := range f.must(200, "GET /beta/auditLogs/signIns"+tt.query, "").value() {
			got = append(got, r["id"].(string))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.query, got, tt.want)
		}
	}
	f.run([]step{
		{"beta has the details", "GET /beta/auditLogs/signIns/new", "", nil, 200, `"authenticationProcessingDetails":[{"key":"User certificate binding"`},
		{"v1.0", "GET /auditLogs/signIns/new", "", nil, 200, `"errorCode":500171`},
		{"nobody", "GET /auditLogs/signIns/none", "", nil, 404, ""},
		{"v1.0 has no event types", "GET /auditLogs/signIns?$filter=signInEventTypes/any(t:t eq 'interactiveUser')", "", nil, 400, "Could not find"},
		{"v1.0 selects no details", "GET /auditLogs/signIns?$select=authenticationDetails", "", nil, 400, "Could not find"},
		{"not", "GET /beta/auditLogs/signIns?$filter=not (status/errorCode eq 0)", "", nil, 400, "not supported"},
		{"1,001", "GET /beta/auditLogs/signIns?$top=1001", "", nil, 400, "page size"},
	})
	for _, r := range f.must(200, "GET /v1.0/auditLogs/signIns", "").value() {
		for _, name := range []string{"authenticationProcessingDetails", "authenticationDetails", "signInEventTypes"} {
			if _, ok := r[name]; ok {
				t.Errorf("v1.0 has %s", name)
			}
		}
	}
}

func TestStrengths(t *testing.T) {
	f := newFake(t, graphtest.Tenant{Strengths: []graphtest.Strength{
		{ID: "built-in", DisplayName: "Built in", AllowedCombinations: []string{"fido2", "x509CertificateMultiFactor"}, MFA: true},
		{ID: "own", DisplayName: "Own", Custom: true, AllowedCombinations: []string{"x509CertificateMultiFactor", "qrCodePin"}, Combinations: []graphtest.Combination{{
			ID: "c", AllowedIssuerSKIs: []string{"9A4248C6AC8C2931AB2A86537818E92E7B6C97B6"}, AllowedPolicyOIDs: []string{"1.2.3"}, AppliesToCombinations: []string{"x509CertificateMultiFactor"}}}},
	}}, graphtest.Options{})
	const base = "/identity/conditionalAccess/authenticationStrength/policies"
	combination := `"@odata.type":"#microsoft.graph.x509CertificateCombinationConfiguration","allowedIssuerSkis":["9A4248C6AC8C2931AB2A86537818E92E7B6C97B6"],"allowedPolicyOIDs":["1.2.3"],"appliesToCombinations":["x509CertificateMultiFactor"],"id":"c"`
	f.run([]step{
		{"list", "GET " + base, "", nil, 200, combination},
		{"custom ones", "GET " + base + "?$filter=policyType eq 'custom'&$select=id", "", nil, 200, `"value":[{"id":"own"}]`},
		{"other path", "GET /policies/authenticationStrengthPolicies?$select=id", "", nil, 200, `"value":[{"id":"built-in"},{"id":"own"}]`},
		{"one", "GET " + base + "/built-in", "", nil, 200, `"policyType":"builtIn"`},
		{"none", "GET " + base + "/none", "", nil, 404, ""},
		{"combinations", "GET " + base + "/own/combinationConfigurations", "", nil, 200, combination},
		{"no combinations", "GET " + base + "/built-in/combinationConfigurations", "", nil, 200, `"value":[]`},
		{"combination", "GET " + base + "/own/combinationConfigurations/c", "", nil, 200, `"id":"c"`},
		{"no combination", "GET " + base + "/own/combinationConfigurations/none", "", nil, 404, ""},
		{"of no strength", "GET " + base + "/none/combinationConfigurations", "", nil, 404, ""},
		{"write", "POST " + base, "{}", nil, 405, ""},
		// qrCodePin stands behind the sentinel in the schema.
		{"late member", "GET " + base + "/own?$select=allowedCombinations", "", nil, 200, `["x509CertificateMultiFactor","unknownFutureValue"]`},
		{"late member, asked for", "GET " + base + "/own?$select=allowedCombinations", "", []string{known}, 200, `["x509CertificateMultiFactor","qrCodePin"]`},
	})
}

func TestDemo(t *testing.T) {
	d, err := graphtest.Demo(start)
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Tenant.Users) != 6 || len(d.Certificates) != 6 || len(d.CRLs) != 2 || len(d.Tenant.SignIns) != 8 {
		t.Fatalf("%d users, %d certificates, %d CRLs, %d sign-ins", len(d.Tenant.Users), len(d.Certificates), len(d.CRLs), len(d.Tenant.SignIns))
	}
	f := newFake(t, d.Tenant, graphtest.Options{})
	if a := f.must(200, "GET "+x509Path, "", known); !strings.Contains(string(a.text), "issuerSubjectAndPolicyOID") {
		t.Errorf("policy: %s", a.text)
	}
	// Everything in it is something a client could have written.
	for _, u := range f.Tenant().Users {
		if !u.Synced {
			f.must(204, "PATCH /users/"+u.ID, ids(u.CertificateUserIDs...))
		}
	}
	issuing := d.Tenant.PKIs[0].Authorities[1]
	if _, ok := d.CRLs[issuing.CRLURL]; !ok || issuing.Type != "intermediate" {
		t.Errorf("no CRL at %q", issuing.CRLURL)
	}
	jane := d.Certificates["jane@contoso.com"]
	if !slices.ContainsFunc(jane.Extensions, func(e pkix.Extension) bool {
		return e.Id.String() == "2.5.29.17" && string(e.Value) == "\x30\x22\xa0\x20\x06\x0a\x2b\x06\x01\x04\x01\x82\x37\x14\x02\x03\xa0\x12\x0c\x10jane@contoso.com"
	}) {
		t.Errorf("the user principal name is not in %v", jane.Extensions)
	}
}
