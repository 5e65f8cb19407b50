package dialect_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"example.com/entracba/cba/internal/dialect"
)

const most = 1 << 20

func TestGraph(t *testing.T) {
	for text, want := range map[string]string{
		// Graph's own form stays, byte for byte.
		`{"id": "1",  "State":"x", "rules":[], "certificate":"AAAA"}`: `{"id": "1",  "State":"x", "rules":[], "certificate":"AAAA"}`,
		`[1, "a", null]`: `[1, "a", null]`,
		" {\"a\":1}\r\n": `{"a":1}`,
		// PowerShell.
		`{"Id":"1","DisplayName":"x"}`:                                           `{"id":"1","displayName":"x"}`,
		`{"Id":"1","@odata.type":"t"}`:                                           `{"id":"1","@odata.type":"t"}`,
		`{"Id":"1","AdditionalProperties":{"state":"enabled"}}`:                  `{"id":"1","state":"enabled"}`,
		`{"Id":"1","State":null,"AdditionalProperties":{"state":"on"}}`:          `{"id":"1","state":"on"}`,
		`{"Id":"1","State":"off","AdditionalProperties":{"state":"on"}}`:         `{"id":"1","state":"off"}`,
		`{"rules":{"identifier":"x"}}`:                                           `{"rules":[{"identifier":"x"}]}`,
		`{"allowedIssuerSkis":"AA"}`:                                             `{"allowedIssuerSkis":["AA"]}`,
		`{"rules":{"value":[1,2],"Count":2}}`:                                    `{"rules":[1,2]}`,
		`{"rules":{"value":[{"a":1}]}}`:                                          `{"rules":{"value":[{"a":1}]}}`,
		`{"rules":null,"includeTargets":{}}`:                                     `{"rules":null,"includeTargets":{}}`,
		`{"certificate":[48,0]}`:                                                 `{"certificate":"MAA="}`,
		`{"certificate":[48,256]}`:                                               `{"certificate":[48,256]}`,
		`{"createdDateTime":"\/Date(1718000000000)\/"}`:                          `{"createdDateTime":"2024-06-10T06:13:20Z"}`,
		`{"displayName":"\/Date(x)\/"}`:                                          `{"displayName":"\/Date(x)\/"}`,
		`{"AllowedPolicyOIDs":["1.2"],"AllowedIssuerSkis":[]}`:                   `{"allowedPolicyOIDs":["1.2"],"allowedIssuerSkis":[]}`,
		`{"AuthorityType":0,"TrustedCertificate":[48,0],"TrustedIssuerSki":"a"}`: `{"isRootAuthority":true,"certificate":"MAA=","issuerSki":"a"}`,
		`{"AuthorityType":"IntermediateAuthority","TrustedCertificate":"MAA="}`:  `{"isRootAuthority":false,"certificate":"MAA="}`,
		`{"AuthorityType":7,"TrustedCertificate":"MAA="}`:                        `{"authorityType":7,"trustedCertificate":"MAA="}`,
		// Nothing is guessed: two names that would become one stay two.
		`{"Id":"1","ID":"2","id2":"3"}`: `{"Id":"1","ID":"2","id2":"3"}`,
	} {
		got, err := dialect.Graph([]byte(text), most)
		if err != nil || string(got) != want {
			t.Errorf("%s\n got %s, %v\nwant %s", text, got, err, want)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, text := range []string{"", "{", `{"a":1,"a":2}`, "{}{}", "\xff\xfe{\x00"} {
		if got, err := dialect.Graph([]byte(text), most); err == nil {
			t.Errorf("%q: %s", text, got)
		}
	}
	if _, err := dialect.Graph(bytes.Repeat([]byte(" "), most+1), most); err == nil {
		t.Error("a text over the limit was read")
	}
}

// Whatever comes in, what goes out is JSON, is in Graph's form already, and is no tenant
// and something else at once.
func FuzzGraph(f *testing.F) {
	for _, text := range []string{`{"Id":"1","AdditionalProperties":{"rules":{"a":1}}}`, `{"certificate":[48,0]}`, `{"value":[{"State":"x"}],"Count":1}`,
		`{"AuthorityType":0,"TrustedCertificate":[48,0]}`, `{"authenticationMethodConfigurations":{"id":"X509Certificate"}}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		once, err := dialect.Graph(data, most)
		if err != nil {
			return
		}
		if !json.Valid(once) {
			t.Fatalf("%q became %q", data, once)
		}
		if twice, err := dialect.Graph(once, 64*most); err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("%q became %q and then %q (%v)", data, once, twice, err)
		}
		document, instead := dialect.Tenant(once)
		if instead != "" && document != nil || instead == "" && !json.Valid(document) {
			t.Fatalf("%q: %q, %q", once, document, instead)
		}
		if method := dialect.Method(once); !json.Valid(method) {
			t.Fatalf("%q: %q", once, method)
		}
	})
}

// What is no JSON is said to be what it is, and so is what PowerShell has cut off.
func TestInstead(t *testing.T) {
	for text, says := range map[string]string{
		"<!DOCTYPE html><html>":                        "HTML",
		"\ufeff<HTML><body>":                           "HTML",
		`<?xml version="1.0"?><a/>`:                    "XML",
		`<Objs Version="1.1.0.1"><Obj/></Objs>`:        "Export-Clixml",
		"-----BEGIN CERTIFICATE-----\nAAAA":            "-cert",
		"subject=x\n-----BEGIN CERTIFICATE-----\nAAAA": "-cert",
		"PK\x03\x04\x00":                               "workbook",
		"#TYPE System.Object\n\"Id\"\n":                "-users",
		"Configuration M365TenantConfig\n{\n    Import-DscResource -ModuleName 'Microsoft365DSC'":                                          "Microsoft365DSC",
		"# Generated with Microsoft365DSC\nparam()\nAADAuthenticationMethodPolicyX509 \"a\" {}":                                            "no identifiers of groups",
		"\r\nId               : X509Certificate\r\nState            : enabled\r\n":                                                         "ConvertTo-Json",
		"Id              State\n--              -----\nX509Certificate enabled\n":                                                          "ConvertTo-Json",
		"'@odata.context': https://graph\nid: X509Certificate\nstate: enabled\n":                                                           "YAML",
		"id: X509Certificate\nstate: enabled\n":                                                                                            "YAML",
		`{"id":"X509Certificate","certificateUserBindings":"@{priority=1; userProperty=x} @{a=b}"}`:                                        "-Depth 10",
		`{"Id":"X509Certificate","AdditionalProperties":{"includeTargets":["@{id=all_users; targetType=group}"]}}`:                         "-Depth 10",
		`{"Id":"X509Certificate","AdditionalProperties":"System.Collections.Generic.Dictionary` + "`" + `2[System.String,System.Object]"}`: "-Depth 10",
		`{"authenticationModeConfiguration":"System.Collections.Hashtable"}`:                                                               "-Depth 10",
		`{"value":[{"UserPrincipalName":"a@b","AuthorizationInfo":"Microsoft.Graph.PowerShell.Models.MicrosoftGraphAuthorizationInfo"}]}`:  "-Depth 10",
		`{"combinationConfigurations":[{"allowedIssuerSkis":"System.Object[]"}]}`:                                                          "-Depth 10",
	} {
		got, err := dialect.Graph([]byte(text), most)
		if e := dialect.Instead(err); e == nil || !strings.Contains(e.Detail, says) {
			t.Errorf("%q: %s, %v", text, got, err)
		}
	}
	for _, text := range []string{
		`{"id":"1","authorizationInfo":{"certificateUserIds":"X509:<PN>a X509:<SKI>01"}}`,
		`{"combinationConfigurations":[{"allowedIssuerSkis":"b0d1d392b5f0d79d9c31e137b09cc1f38603ec7e 10b23d38beb1293c361ab52146da122db172ef13"}]}`,
		`{"combinationConfigurations":[{"allowedPolicyOids":"1.2.3 1.2.4"}]}`, `{"allowedCombinations":"password fido2"}`,
	} {
		if got, err := dialect.Graph([]byte(text), most); dialect.Instead(err) == nil {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
	for _, text := range []string{
		`{"id":"1","authorizationInfo":{"certificateUserIds":"X509:<S>CN=Jane Doe"}}`, `{"allowedIssuerSkis":"b0 d1 d3 92"}`, `{"allowedCombinations":"password, sms"}`, `{"allowedIssuerSkis":" b0d1d392b5f0d79d9c31e137b09cc1f38603ec7e "}`,
	} {
		if _, err := dialect.Graph([]byte(text), most); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	// What does not matter may be cut off, and what is broken is only broken.
	for _, text := range []string{`{"UserPrincipalName":"a@b","Manager":"Microsoft.Graph.PowerShell.Models.MicrosoftGraphDirectoryObject","displayName":"@{a}"}`, `{"certificateUserIds":["X509:<PN>a"]}`} {
		if _, err := dialect.Graph([]byte(text), most); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{"", "{", "{\"a: 1", "hello", "{id: 1}", "\x00\x01"} {
		if _, err := dialect.Graph([]byte(text), most); err == nil || dialect.Instead(err) != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// An error of Graph is no document, nor is it a part of one; several answers in a list
// are one.
func TestAnswers(t *testing.T) {
	const denied = `{"error":{"code":"Authorization_RequestDenied","message":"x"}}`
	if _, err := dialect.Graph([]byte(denied), most); dialect.Instead(err) == nil || !strings.Contains(err.Error(), "Authorization_RequestDenied") {
		t.Error(err)
	}
	method, classic := `{"id":"X509Certificate","state":"enabled","certificateUserBindings":[]}`, `{"value":[{"id":"29728ade-6ae4-4ee9-9103-412912537da5","certificateAuthorities":[]}]}`
	pki := `{"id":"1","displayName":"A","status":"x","certificateAuthorities":[{"displayName":"x"}]}`
	for text, want := range map[string]string{
		`{"x509Certificate":` + method + `,"publicKeyInfrastructure":` + denied + `}`: "in the place of publicKeyInfrastructure",
		`{"x509Certificate":` + denied + `}`:                                          "in the place of x509Certificate",
		`{"x509Certificate":` + method + `,"publicKeyInfrastructure":[{"hello":1}]}`:  "none of the properties of a PKI",
		`{"x509Certificate":` + method + `,"publicKeyInfrastructure":{"hello":1}}`:    "none of the properties of a PKI",
		`{"x509Certificate":{"id":"Fido2","state":"enabled"}}`:                        "Fido2 in the place",
		`{"authenticationMethodConfigurations":[{"id":"Fido2"}]}`:                     "without the configuration X509Certificate",
		`{"authenticationMethodConfigurations":[]}`:                                   "without the configuration X509Certificate",
	} {
		graph, err := dialect.Graph([]byte(text), most)
		if err != nil {
			t.Fatal(err)
		}
		if document, instead := dialect.Tenant(graph); document != nil || !strings.Contains(instead, want) {
			t.Errorf("%s: %s, %q", text, document, instead)
		}
	}
	for text, want := range map[string]string{
		"[" + method + "," + classic + "]":                        `{"x509Certificate":` + method + `,"certificateBasedAuthConfiguration":` + classic + `}`,
		"[" + classic + "," + pki + "," + method + "]":            `{"certificateBasedAuthConfiguration":` + classic + `,"publicKeyInfrastructure":[` + pki + `],"x509Certificate":` + method + `}`,
		"[" + pki + "," + strings.Replace(pki, "A", "B", 1) + "]": `{"publicKeyInfrastructure":[` + pki + "," + strings.Replace(pki, "A", "B", 1) + `]}`,
		`[{"id":"Fido2","state":"enabled"},` + method + "]":       `{"x509Certificate":` + method + `}`,
	} {
		if document, instead := dialect.Tenant([]byte(text)); string(document) != want || instead != "" {
			t.Errorf("%s:\n%s, %q", text, document, instead)
		}
	}
}
