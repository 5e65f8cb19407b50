package deploy_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"howett.net/plist"

	"example.com/entracba/cba/deploy"
)

// Every payload has the keys, with the types, on the platforms that Apple's schema and
// those of the browsers name.
func TestProfileFitsTheSchema(t *testing.T) {
	type key [3]any // type, required, platforms
	var schema struct {
		Common   map[string]key
		Payloads map[string]struct {
			Platforms, Scope string
			Keys             map[string]key
		}
	}
	if err := json.Unmarshal(read(t, "apple-schema.json"), &schema); err != nil {
		t.Fatal(err)
	}
	typeOf := func(v any) string {
		switch v := v.(type) {
		case string:
			return "string"
		case bool:
			return "boolean"
		case uint64, int64:
			return "integer"
		case []byte:
			return "data"
		case map[string]any:
			return "dictionary"
		case []any:
			for _, one := range v {
				if _, ok := one.(string); !ok {
					return "array"
				}
			}
			return "array of string"
		}
		return fmt.Sprintf("%T", v)
	}
	validate := func(platform, scope string, payload map[string]any) (wrong []string) {
		kind, _ := payload["PayloadType"].(string)
		rules, known := schema.Payloads[kind]
		if !known || !strings.Contains(rules.Platforms, platform) {
			return []string{fmt.Sprintf("%s: the payload %q does not exist", platform, kind)}
		}
		if rules.Scope != "" && rules.Scope != scope {
			wrong = append(wrong, fmt.Sprintf("%s in the scope %s", kind, scope))
		}
		for name, value := range payload {
			k, known := rules.Keys[name]
			if !known {
				k, known = schema.Common[name]
			}
			if !known || !strings.Contains(k[2].(string), platform) {
				wrong = append(wrong, fmt.Sprintf("%s: %s has no key %s", platform, kind, name))
			} else if got := typeOf(value); got != k[0] && !(k[0] == "array" && got == "array of string") {
				wrong = append(wrong, fmt.Sprintf("%s: %s is %s, not %v", kind, name, got, k[0]))
			}
		}
		for _, keys := range []map[string]key{rules.Keys, schema.Common} {
			for name, k := range keys {
				if _, there := payload[name]; k[1] == true && !there {
					wrong = append(wrong, fmt.Sprintf("%s: %s is missing", kind, name))
				}
			}
		}
		return wrong
	}
	p := sample(t)
	for _, target := range []deploy.Target{deploy.MacOS, deploy.IOS} {
		for _, o := range []deploy.Options{{}, {EmbedPassword: true, Exportable: true, AllAppsAccess: true, Organization: "Contoso", Cloud: deploy.USGov}} {
			out, err := p.MobileConfig(target, o)
			if err != nil {
				t.Fatal(err)
			}
			var top map[string]any
			if _, err := plist.Unmarshal(out, &top); err != nil {
				t.Fatal(err)
			}
			scope := top["PayloadScope"].(string)
			for _, wrong := range validate(target.String(), scope, top) {
				t.Errorf("%v: %s", target, wrong)
			}
			uuids := map[any]string{top["PayloadUUID"]: "Configuration"}
			ids := map[any]bool{top["PayloadIdentifier"]: true}
			var kinds, names []string
			for _, item := range top["PayloadContent"].([]any) {
				payload := item.(map[string]any)
				for _, wrong := range validate(target.String(), scope, payload) {
					t.Errorf("%v: %s", target, wrong)
				}
				kind := payload["PayloadType"].(string)
				if uuids[payload["PayloadUUID"]] != "" || ids[payload["PayloadIdentifier"]] || !strings.HasPrefix(payload["PayloadIdentifier"].(string), top["PayloadIdentifier"].(string)+".") {
					t.Errorf("%v: %s has the names of another payload", target, kind)
				}
				uuids[payload["PayloadUUID"]], ids[payload["PayloadIdentifier"]] = kind, true
				kinds = append(kinds, strings.TrimPrefix(kind, "com.apple.security."))
				switch kind {
				case "com.apple.security.identitypreference":
					names = append(names, payload["Name"].(string))
					if uuids[payload["PayloadCertificateUUID"]] != "com.apple.security.pkcs12" {
						t.Errorf("the identity of %v is no identity", payload["Name"])
					}
				case "com.apple.security.pkcs12":
					if target == deploy.MacOS && (payload["KeyIsExtractable"] != o.Exportable || payload["AllowAllAppsAccess"] != o.AllAppsAccess) {
						t.Errorf("%+v: %v, %v", o, payload["KeyIsExtractable"], payload["AllowAllAppsAccess"])
					}
				case "com.google.Chrome", "com.microsoft.Edge":
					policy, err := p.ChromiumPolicy(o)
					if err != nil {
						t.Fatal(err)
					}
					var want map[string][]any
					if err := json.Unmarshal(policy, &want); err != nil || !slices.Equal(payload["AutoSelectCertificateForUrls"].([]any), want["AutoSelectCertificateForUrls"]) {
						t.Errorf("%s has %v, Linux %s: %v", kind, payload["AutoSelectCertificateForUrls"], policy, err)
					}
				}
			}
			want, wantNames := "root pkcs12", ""
			if target == deploy.MacOS {
				want += " identitypreference identitypreference com.google.Chrome com.microsoft.Edge org.mozilla.firefox"
				wantNames = "https://certauth.login.microsoftonline.com/ *.certauth.login.microsoftonline.com"
				if o.Cloud == deploy.USGov {
					wantNames = strings.ReplaceAll(wantNames, ".com", ".us")
				}
			}
			if got := strings.Join(kinds, " "); got != want {
				t.Errorf("%v: payloads %s, want %s", target, got, want)
			}
			if got := strings.Join(names, " "); got != wantNames {
				t.Errorf("%v: hosts %s, want %s", target, got, wantNames)
			}
		}
	}
	// The check can say no.
	for _, bad := range []map[string]any{
		{"PayloadType": "com.apple.security.identitypreference", "Name": "x"},
		{"PayloadType": "com.apple.security.root", "PayloadContent": "text"},
		{"PayloadType": "com.example"},
	} {
		if len(validate("ios", "User", bad)) == 0 || len(validate("macos", "System", bad)) == 0 {
			t.Errorf("%v passes", bad)
		}
	}
	if _, err := p.MobileConfig(deploy.Linux, deploy.Options{}); reason(err) != deploy.BadOption {
		t.Errorf("a profile for Linux: %v", err)
	}
}
