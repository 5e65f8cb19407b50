package dialect_test

import (
	"errors"
	"strings"
	"testing"

	"example.com/entracba/cba/internal/dialect"
	"example.com/entracba/cba/internal/wire"
)

// What people have in the place of Graph's JSON is named, with what to do.
func TestLooksLikeMore(t *testing.T) {
	for text, want := range map[string]string{
		"HTTP/1.1 200 OK\r\n\r\n{}":                                     "HTTP headers",
		"> GET /v1.0\n< HTTP/2 200\n{}":                                 "HTTP headers",
		"// mine\n{}":                                                   "comments",
		"{'state': 'enabled'}":                                          "json.dumps",
		"[{'state': True}]":                                             "json.dumps",
		"resource \"msgraph_resource\" \"x\" {\n}\n":                    "Terraform",
		"Get-MgUser: Insufficient privileges":                           "error of PowerShell",
		"Get-MgUser : Insufficient privileges":                          "error of PowerShell",
		"userPrincipalName,displayName\njane@contoso.com,Jane\n":        "-users",
		"\"userPrincipalName\";\"displayName\"\r\njane@contoso.com;J\n": "-users",
		"{\"a\":1}\n{\"b\":2}":                                          "put them into a list",
		"version https://git-lfs.github.com/spec/v1\noid x\n":           "git lfs pull",
	} {
		_, err := dialect.Graph([]byte(text), 1<<20)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// One of two is never taken, and a part of a list never for the whole.
func TestNotWhole(t *testing.T) {
	for text, where := range map[string]string{
		`{"State":"disabled","state":"enabled"}`:                                                       "/state",
		`{"x509Certificate":{"state":"enabled","STATE":"disabled"}}`:                                   "/x509Certificate/STATE",
		`{"state":"disabled","sTate":"enabled"}`:                                                       "/sTate",
		`{"excludetargets":[],"excludeTargets":[]}`:                                                    "/excludeTargets",
		`{"a":[{"ExcludeTargets":[],"excludeTargets":[]}]}`:                                            "/a/0/excludeTargets",
		`{"excludeTargets":[],"excludeTargets@odata.nextLink":"https://x"}`:                            "/excludeTargets@odata.nextLink",
		`{"excludeTargets":[],"excludetargets@odata.nextlink":"https://x"}`:                            "/excludetargets@odata.nextlink",
		`{"excludeTargets":[],"ExcludeTargets@OData.NextLink":"https://x"}`:                            "/ExcludeTargets@OData.NextLink",
		`[{"certificateAuthorities":[],"certificateAuthorities@odata.nextLink":"https://x"}]`:          "/0/certificateAuthorities@odata.nextLink",
		`{"combinationConfigurations":[],"combinationConfigurations@odata.nextLink":"https://graph/"}`: "/combinationConfigurations@odata.nextLink",
	} {
		_, err := dialect.Graph([]byte(text), 1<<20)
		var e *wire.Error
		if !errors.As(err, &e) || e.Where != where {
			t.Errorf("%s: %v", text, err)
		}
	}
	for text, want := range map[string]string{
		`{"memberOf":[],"memberOf@odata.nextLink":"https://x"}`:              `{"memberOf":[],"memberOf@odata.nextLink":"https://x"}`, // its reader says what is missing
		`{"excludeTargets":[],"excludeTargets@odata.nextLink":null}`:         `{"excludeTargets":[],"excludeTargets@odata.nextLink":null}`,
		`{"licenseDetails":[],"licenseDetails@odata.nextLink":"https://x"}`:  `{"licenseDetails":[],"licenseDetails@odata.nextLink":"https://x"}`,
		`{"transitiveMemberOf":{"@odata.context":"x","value":[{"id":"g"}]}}`: `{"transitiveMemberOf":[{"id":"g"}]}`,
		"{\"state\":\"enabled\"}\x00\x00\x00":                                `{"state":"enabled"}`,
		"{\"state\":\"enabled\"}\r\n\x1a":                                    `{"state":"enabled"}`,
	} {
		if got, err := dialect.Graph([]byte(text), 1<<20); err != nil || string(got) != want {
			t.Errorf("%q: %s, %v", text, got, err)
		}
	}
}
