package graphtest_test

import (
	"context"
	"encoding/base64"
	"strings"
	"testing"

	"example.com/entracba/cba/graph/graphtest"
)

// Every JSON answer of every call is held against the schema, and every call has
// a row here.
func TestAnswersMatchSchema(t *testing.T) {
	d, err := graphtest.Demo(start)
	if err != nil {
		t.Fatal(err)
	}
	d.Tenant.ID = "org"
	file := bundle(t, newCA(t, "more", start.AddDate(1, 0, 0), 0))
	f := newFake(t, d.Tenant, graphtest.Options{Fetch: func(context.Context, string) ([]byte, error) { return file, nil }})
	tenant := f.Tenant()
	pki, ca := tenant.PKIs[0].ID, tenant.PKIs[0].Authorities[0].ID
	user, strength := tenant.Users[0].ID, tenant.Strengths[1].ID
	fresh := newCA(t, "fresh", start.AddDate(1, 0, 0), 0)
	const (
		methods   = "/policies/authenticationMethodsPolicy"
		config    = "x509CertificateAuthenticationMethodConfiguration"
		strengths = "/identity/conditionalAccess/authenticationStrength/policies"
		aliases   = "/policies/authenticationStrengthPolicies"
		classic   = "/organization/org/certificateBasedAuthConfiguration"
	)
	allUser := "?$select=id,userPrincipalName,displayName,mail,accountEnabled,userType,onPremisesSyncEnabled,onPremisesUserPrincipalName,authorizationInfo"
	rows := []struct {
		route   string // as Routes has it; "" for one more request of the route above
		request string // the target
		body    string
		typ     string // of the answer; "" for an answer without JSON
		in      string // of the request's body
	}{
		{"GET /policies/authenticationMethodsPolicy", methods, "", "authenticationMethodsPolicy", ""},
		{"", "/beta" + methods, "", "betaAuthenticationMethodsPolicy", ""},
		{"GET /policies/authenticationMethodsPolicy/authenticationMethodConfigurations", methods + "/authenticationMethodConfigurations", "", "Collection(authenticationMethodConfiguration)", ""},
		{"GET /policies/authenticationMethodsPolicy/authenticationMethodConfigurations/{}", x509Path, "", config, ""},
		{"PATCH /policies/authenticationMethodsPolicy/authenticationMethodConfigurations/{}", x509Path, patch(rules(issuerRule, bothRule) + `,"certificateAuthorityScopes":[` + scope + `],"excludeTargets":[` + target + `]`), "", config},
		{"", x509Path, "", config, ""},
		{"DELETE /policies/authenticationMethodsPolicy/authenticationMethodConfigurations/{}", x509Path, "", "", ""},
		{"GET " + pkiPath, pkiPath, "", "Collection(certificateBasedAuthPki)", ""},
		{"POST " + pkiPath, pkiPath, `{"displayName":"x"}`, "certificateBasedAuthPki", "certificateBasedAuthPki"},
		{"GET " + pkiPath + "/{}", pkiPath + "/" + pki, "", "certificateBasedAuthPki", ""},
		{"PATCH " + pkiPath + "/{}", pkiPath + "/" + pki, `{"displayName":"y"}`, "certificateBasedAuthPki", "certificateBasedAuthPki"},
		{"GET " + pkiPath + "/{}/certificateAuthorities", pkiPath + "/" + pki + "/certificateAuthorities", "", "Collection(certificateAuthorityDetail)", ""},
		{"POST " + pkiPath + "/{}/certificateAuthorities", pkiPath + "/" + pki + "/certificateAuthorities", caBody(fresh, nil), "certificateAuthorityDetail", "certificateAuthorityDetail"},
		{"GET " + pkiPath + "/{}/certificateAuthorities/{}", pkiPath + "/" + pki + "/certificateAuthorities/" + ca, "", "certificateAuthorityDetail", ""},
		{"PATCH " + pkiPath + "/{}/certificateAuthorities/{}", pkiPath + "/" + pki + "/certificateAuthorities/" + ca, `{"isIssuerHintEnabled":true}`, "certificateAuthorityDetail", "certificateAuthorityDetail"},
		{"POST " + pkiPath + "/{}/upload", pkiPath + "/" + pki + "/upload", uploadBody(file), "", "upload"},
		{"", pkiPath, "", "Collection(certificateBasedAuthPki)", ""},
		{"POST " + pkiPath + "/{}/microsoft.graph.upload", pkiPath + "/" + pki + "/microsoft.graph.upload", "", "", ""},
		{"DELETE " + pkiPath + "/{}/certificateAuthorities/{}", pkiPath + "/" + pki + "/certificateAuthorities/" + ca, "", "", ""},
		{"GET /directory/deletedItems/{}", "/directory/deletedItems/" + ca, "", "directoryObject", ""},
		{"", "/directory/deletedItems/microsoft.graph.certificateAuthorityDetail", "", "Collection(certificateAuthorityDetail)", ""},
		{"POST /directory/deletedItems/{}/restore", "/directory/deletedItems/" + ca + "/restore", "", "directoryObject", ""},
		{"DELETE " + pkiPath + "/{}", pkiPath + "/" + pki, "", "", ""},
		{"", "/directory/deletedItems/graph.certificateBasedAuthPki", "", "Collection(certificateBasedAuthPki)", ""},
		{"DELETE /directory/deletedItems/{}", "/directory/deletedItems/" + pki, "", "", ""},
		{"GET /domains", "/domains", "", "Collection(domain)", ""},
		{"GET /organization", "/organization", "", "Collection(organization)", ""},
		{"GET /organization/{}", "/organization/org", "", "organization", ""},
		{"GET /organization/{}/certificateBasedAuthConfiguration", classic, "", "Collection(certificateBasedAuthConfiguration)", ""},
		{"GET /organization/{}/certificateBasedAuthConfiguration/{}", classic + "/" + graphtest.ClassicID, "", "certificateBasedAuthConfiguration", ""},
		{"DELETE /organization/{}/certificateBasedAuthConfiguration/{}", classic + "/" + graphtest.ClassicID, "", "", ""},
		{"POST /organization/{}/certificateBasedAuthConfiguration", classic, `{"certificateAuthorities":[{"isRootAuthority":true,"certificate":"` + base64.StdEncoding.EncodeToString(fresh.Raw) + `"}]}`, "certificateBasedAuthConfiguration", "certificateBasedAuthConfiguration"},
		{"GET /users", "/users" + allUser, "", "Collection(user)", ""},
		{"GET /users/$count", "/users/$count", "", "", ""},
		{"GET /users/{}", "/users/" + user + allUser, "", "user", ""},
		{"PATCH /users/{}", "/users/" + user, ids("X509:<PN>x"), "", "user"},
		{"GET /users/{}/memberOf", "/users/" + user + "/memberOf", "", "Collection(directoryObject)", ""},
		{"GET /users/{}/memberOf/microsoft.graph.group", "/users/" + user + "/memberOf/microsoft.graph.group?$count=true", "", "Collection(group)", ""},
		{"GET /users/{}/memberOf/graph.group", "/users/" + user + "/memberOf/graph.group?$count=true", "", "Collection(group)", ""},
		{"GET /users/{}/transitiveMemberOf", "/users/" + user + "/transitiveMemberOf", "", "Collection(directoryObject)", ""},
		{"GET /users/{}/transitiveMemberOf/microsoft.graph.group", "/users/" + user + "/transitiveMemberOf/microsoft.graph.group?$count=true", "", "Collection(group)", ""},
		{"GET /users/{}/transitiveMemberOf/graph.group", "/users/" + user + "/transitiveMemberOf/graph.group?$count=true", "", "Collection(group)", ""},
		{"GET /groups", "/groups", "", "Collection(group)", ""},
		{"GET /groups/{}", "/groups/" + tenant.Groups[0].ID, "", "group", ""},
		{"GET " + strengths, strengths, "", "Collection(authenticationStrengthPolicy)", ""},
		{"GET " + strengths + "/{}", strengths + "/" + strength, "", "authenticationStrengthPolicy", ""},
		{"GET " + strengths + "/{}/combinationConfigurations", strengths + "/" + strength + "/combinationConfigurations", "", "Collection(authenticationCombinationConfiguration)", ""},
		{"GET " + strengths + "/{}/combinationConfigurations/{}", strengths + "/" + strength + "/combinationConfigurations/" + tenant.Strengths[1].Combinations[0].ID, "", "x509CertificateCombinationConfiguration", ""},
		{"GET " + aliases, aliases, "", "Collection(authenticationStrengthPolicy)", ""},
		{"GET " + aliases + "/{}", aliases + "/" + strength, "", "authenticationStrengthPolicy", ""},
		{"GET " + aliases + "/{}/combinationConfigurations", aliases + "/" + strength + "/combinationConfigurations", "", "Collection(authenticationCombinationConfiguration)", ""},
		{"GET " + aliases + "/{}/combinationConfigurations/{}", aliases + "/" + strength + "/combinationConfigurations/" + tenant.Strengths[1].Combinations[0].ID, "", "x509CertificateCombinationConfiguration", ""},
		{"GET /auditLogs/signIns", "/auditLogs/signIns", "", "Collection(signIn)", ""},
		{"", "/beta/auditLogs/signIns", "", "Collection(betaSignIn)", ""},
		{"GET /auditLogs/signIns/{}", "/auditLogs/signIns/" + tenant.SignIns[0].ID, "", "signIn", ""},
		{"", "/beta/auditLogs/signIns/" + tenant.SignIns[0].ID, "", "betaSignIn", ""},
		{"POST /$batch", "", "", "", ""}, // its parts are calls of this table
	}
	walked := map[string]bool{}
	method := ""
	for _, row := range rows {
		if row.route != "" {
			walked[row.route] = true
			method, _, _ = strings.Cut(row.route, " ")
		} else {
			method = "GET"
		}
		if row.request == "" || strings.HasSuffix(row.request, "microsoft.graph.upload") {
			continue
		}
		if row.in != "" {
			if err := graphtest.CheckRequest(row.in, []byte(row.body)); err != nil {
				t.Errorf("%s: the request: %v", row.request, err)
			}
		}
		a := f.do(method+" "+row.request, row.body, eventual)
		if a.status >= 300 {
			t.Errorf("%s %s: %d %s", method, row.request, a.status, a.text)
			continue
		}
		if (row.typ != "") != (a.body != nil) {
			t.Errorf("%s %s: %s", method, row.request, a.text)
			continue
		}
		if row.typ == "" {
			continue
		}
		if err := graphtest.CheckAnswer(row.typ, a.text); err != nil {
			t.Errorf("%s %s: %v: %s", method, row.request, err, a.text)
		}
		if text, _ := a.body["@odata.context"].(string); !strings.HasPrefix(text, "https://graph.example/") || !strings.Contains(text, "/$metadata#") {
			t.Errorf("%s %s: @odata.context %q", method, row.request, text)
		}
		// What the published schema gives a type, a whole answer has.
		if strings.Contains(row.typ, "ignIn") || strings.Contains(row.request, "$select") {
			continue
		}
		objects := []map[string]any{a.body}
		name := row.typ
		if inner, ok := strings.CutPrefix(row.typ, "Collection("); ok {
			objects, name = a.value(), strings.TrimSuffix(inner, ")")
			if len(objects) == 0 {
				t.Errorf("%s %s: an empty collection proves nothing", method, row.request)
			}
		}
		for _, property := range graphtest.Properties(name) {
			for _, o := range objects {
				if _, ok := o[property]; !ok && property != "certificateAuthorities" {
					t.Errorf("%s %s: %q is missing: %s", method, row.request, property, a.text)
				}
			}
		}
	}
	for _, route := range f.Routes() {
		if !walked[route] {
			t.Errorf("%s has no row", route)
		}
	}
	if len(walked) < 40 {
		t.Errorf("only %d routes", len(walked))
	}
}

func TestSchemaChecks(t *testing.T) {
	for _, tt := range []struct {
		typ, body string
		answer    string // "" if it is one
		request   string
	}{
		{"keyValue", `{"key":"a","value":null}`, "", ""},
		{"keyValue", `{"key":1}`, "Edm.String", "Edm.String"},
		{"keyValue", `[]`, "object", "object"},
		{"keyValue", `{"Key":"a"}`, "Invalid property", "Invalid property"},
		{"keyValue", `{"@odata.type":"#microsoft.graph.keyValue"}`, "", ""},
		{"keyValue", `{"@odata.etag":"x"}`, "", "not allowed"},
		{"signInStatus", `{"errorCode":2147483648}`, "Edm.Int32", "Edm.Int32"},
		{"signInStatus", `{"errorCode":-2147483648}`, "", ""},
		{"signInStatus", `{"errorCode":1.5}`, "Edm.Int32", "Edm.Int32"},
		{"certificateAuthority", `{"certificate":"AA=="}`, "", ""},
		{"certificateAuthority", `{"certificate":"-_8="}`, "", ""},
		{"certificateAuthority", `{"certificate":"A"}`, "Edm.Binary", "Edm.Binary"},
		{"certificateAuthority", `{"certificate":null}`, "cannot be null", "cannot be null"},
		{"certificateAuthority", `{"isRootAuthority":"true"}`, "Edm.Boolean", "Edm.Boolean"},
		{"signIn", `{"createdDateTime":"2026-09-01T00:00:00Z"}`, "", ""},
		{"signIn", `{"createdDateTime":"2026-09-01"}`, "DateTimeOffset", "DateTimeOffset"},
		{"signIn", `{"appliedConditionalAccessPolicies":[{}]}`, "not part of this model", "not part of this model"},
		{"x509CertificateRule", `{"x509CertificateRuleType":"unknownFutureValue"}`, "", "was not found"},
		{"x509CertificateRule", `{"x509CertificateRuleType":"issuerSubject,policyOID"}`, "one value", "one value"},
		{"x509CertificateRule", `{"x509CertificateRuleType":0}`, "is a string", "is a string"},
		{"authorizationInfo", `{"certificateUserIds":null}`, "", "cannot be null"},
		{"authorizationInfo", `{"certificateUserIds":"x"}`, "collection", "collection"},
		{"directoryObject", `{"@odata.type":"#microsoft.graph.group","displayName":"x"}`, "", ""},
		{"directoryObject", `{"displayName":"x"}`, "Invalid property", "Invalid property"},
		{"nothing", `{}`, "not part of this model", "not part of this model"},
	} {
		for _, check := range []struct {
			name string
			do   func(string, []byte) error
			want string
		}{{"answer", graphtest.CheckAnswer, tt.answer}, {"request", graphtest.CheckRequest, tt.request}} {
			err := check.do(tt.typ, []byte(tt.body))
			if (err != nil) != (check.want != "") || err != nil && !strings.Contains(err.Error(), check.want) {
				t.Errorf("%s %s as %s: %v, want %q", tt.typ, tt.body, check.name, err, check.want)
			}
		}
	}
}
