package graphtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

const x509Type = "x509CertificateAuthenticationMethodConfiguration"

// Limits of the configuration that are documented.
const (
	maxPolicy = 20 << 10 // Learn, manage authentication methods: the whole policy
	maxScopes = 30       // Learn, CBA technical deep dive: CA scoping
)

func noOptions(c *call) *answer {
	for _, name := range sortedKeys(c.query) {
		if strings.HasPrefix(name, "$") {
			return unsupported("The query option '%s' is not supported.", clip(name))
		}
	}
	return nil
}

// x509 is the configuration as readers see it, every property present.
func (s *state) x509(c *call) map[string]any {
	v, _ := parseJSON(*s.policy.read(policyKey, c.now))
	object, _ := v.(map[string]any)
	s.schema.complete(x509Type, object)
	object["@odata.type"] = "#microsoft.graph." + x509Type
	object["includeTargets@odata.context"] = metadata(c, "policies/authenticationMethodsPolicy/authenticationMethodConfigurations('X509Certificate')/microsoft.graph."+x509Type+"/includeTargets")
	return object
}

func (s *state) getMethodsPolicy(c *call) answer {
	if refused := noOptions(c); refused != nil {
		return *refused
	}
	a := answer{status: http.StatusOK, typ: "authenticationMethodsPolicy"}
	body := map[string]any{
		"@odata.context":                     metadata(c, "authenticationMethodsPolicy"),
		"id":                                 "authenticationMethodsPolicy",
		"displayName":                        "Authentication Methods Policy",
		"authenticationMethodConfigurations": []any{s.x509(c)},
	}
	if c.version == "beta" {
		a.typ = "betaAuthenticationMethodsPolicy"
		body["systemCredentialPreferences"], _ = parseJSON(s.org.SystemCredentialPreferences)
	}
	a.body = body
	return a
}

func (s *state) listMethods(c *call) answer {
	if refused := noOptions(c); refused != nil {
		return *refused
	}
	return answer{status: http.StatusOK, typ: "Collection(authenticationMethodConfiguration)", body: map[string]any{
		"@odata.context": metadata(c, "policies/authenticationMethodsPolicy/authenticationMethodConfigurations"),
		"value":          []any{s.x509(c)},
	}}
}

// The model keeps one method. The others of a tenant are not found.
func (s *state) isX509(c *call) bool { return strings.EqualFold(c.params[0], policyKey) }

func (s *state) getMethod(c *call) answer {
	if !s.isX509(c) {
		return notFound(c.params[0])
	}
	if refused := noOptions(c); refused != nil {
		return *refused
	}
	object := s.x509(c)
	object["@odata.context"] = metadata(c, "authenticationMethodConfigurations/$entity")
	return answer{status: http.StatusOK, typ: x509Type, body: object}
}

// deleteMethod restores the default.
func (s *state) deleteMethod(c *call) answer {
	if !s.isX509(c) {
		return notFound(c.params[0])
	}
	v, _ := parseJSON([]byte(DefaultPolicy))
	s.policy.write(policyKey, raw(v), s.opt.Lag, c.now)
	return answer{status: http.StatusNoContent}
}

// patchMethod replaces every property that the body has and leaves the rest
// (open question 9.16; see Options.MergeComplex).
func (s *state) patchMethod(c *call) answer {
	if !s.isX509(c) {
		return notFound(c.params[0])
	}
	in, refused := s.object(c, x509Type)
	if refused != nil {
		return *refused
	}
	if in["@odata.type"] != "#microsoft.graph."+x509Type {
		return badRequest("The property '@odata.type' with the value '#microsoft.graph.%s' is required.", x509Type)
	}
	if id, ok := in["id"]; ok && (id == nil || !strings.EqualFold(id.(string), policyKey)) {
		return badRequest("Property 'id' is read-only and cannot be set.")
	}
	delete(in, "id")
	if text := invalidPolicy(in); text != "" {
		return badRequest("%s", text)
	}
	v, _ := parseJSON(*s.policy.current(policyKey))
	object, _ := v.(map[string]any)
	for name, value := range in {
		if strings.Contains(name, "@") {
			continue
		}
		old, wasObject := object[name].(map[string]any)
		new, isObject := value.(map[string]any)
		if s.opt.MergeComplex && wasObject && isObject {
			for member, v := range new {
				old[member] = v
			}
			continue
		}
		object[name] = value
	}
	text := raw(object)
	if size := compact(*text) + s.org.OtherPolicyBytes; size > maxPolicy {
		return badRequest("The authentication methods policy would have %d bytes; at most %d are allowed.", size, maxPolicy)
	}
	s.policy.write(policyKey, text, s.opt.Lag, c.now)
	return answer{status: http.StatusNoContent}
}

// invalidPolicy checks what the reference pages call required and what the deep
// dive calls a limit; that a PATCH which breaks it is answered with 400 is
// inferred. It does not check what the service is not documented to check, such
// as an issuer bound to two strengths.
func invalidPolicy(in map[string]any) string {
	mode, _ := in["authenticationModeConfiguration"].(map[string]any)
	for i, v := range values(mode["rules"]) {
		at := fmt.Sprintf("authenticationModeConfiguration.rules[%d]", i)
		for _, name := range []string{"x509CertificateRuleType", "x509CertificateAuthenticationMode"} {
			if v[name] == nil {
				return fmt.Sprintf("The property '%s' of %s is required.", name, at)
			}
		}
		// identifier is called required. What it holds for a rule of issuer and
		// policy is open question 9.13, so that rule needs the two specific ones.
		issuer, oid := filled(v["issuerSubjectIdentifier"]), filled(v["policyOidIdentifier"])
		var ok bool
		switch v["x509CertificateRuleType"] {
		case "issuerSubject":
			ok = filled(v["identifier"]) || issuer
		case "policyOID":
			ok = filled(v["identifier"]) || oid
		default:
			ok = issuer && oid
		}
		if !ok {
			return fmt.Sprintf("The rule %s does not say which issuer or policy it is about.", at)
		}
	}
	priorities := map[string]bool{}
	for i, v := range values(in["certificateUserBindings"]) {
		at := fmt.Sprintf("certificateUserBindings[%d]", i)
		for _, name := range []string{"priority", "userProperty", "x509CertificateField"} {
			if v[name] == nil {
				return fmt.Sprintf("The property '%s' of %s is required.", name, at)
			}
		}
		priority := v["priority"].(json.Number).String() // an Int32, says the schema
		if strings.HasPrefix(priority, "-") || priorities[priority] {
			return fmt.Sprintf("The priority %s of %s is negative or that of another binding.", priority, at)
		}
		priorities[priority] = true
		switch v["userProperty"] {
		case "userPrincipalName", "onPremisesUserPrincipalName", "certificateUserIds":
		default:
			return fmt.Sprintf("The userProperty of %s is not supported.", at)
		}
		switch v["x509CertificateField"] {
		case "PrincipalName", "RFC822Name", "SubjectKeyIdentifier", "SHA1PublicKey":
		case "IssuerAndSubject", "Subject", "IssuerAndSerialNumber": // names inferred, open question 9.14
		default:
			return fmt.Sprintf("The x509CertificateField of %s is not supported.", at)
		}
	}
	scopes := values(in["certificateAuthorityScopes"])
	if len(scopes) > maxScopes {
		return fmt.Sprintf("%d certificate authority scopes; at most %d are allowed.", len(scopes), maxScopes)
	}
	for i, v := range scopes {
		at := fmt.Sprintf("certificateAuthorityScopes[%d]", i)
		if !filled(v["subjectKeyIdentifier"]) {
			return fmt.Sprintf("The property 'subjectKeyIdentifier' of %s is required.", at)
		}
		if targets := values(v["includeTargets"]); len(targets) != 1 {
			return fmt.Sprintf("%s needs one group in includeTargets.", at)
		} else if text := invalidTarget(targets[0], at+".includeTargets[0]"); text != "" {
			return text
		}
	}
	for _, name := range []string{"includeTargets", "excludeTargets"} {
		for i, v := range values(in[name]) {
			if text := invalidTarget(v, fmt.Sprintf("%s[%d]", name, i)); text != "" {
				return text
			}
		}
	}
	if crl, ok := in["crlValidationConfiguration"].(map[string]any); ok && crl["state"] == nil {
		return "The property 'state' of crlValidationConfiguration is required."
	}
	return ""
}

func invalidTarget(v map[string]any, at string) string {
	for _, name := range []string{"id", "targetType"} {
		if !filled(v[name]) {
			return fmt.Sprintf("The property '%s' of %s is required.", name, at)
		}
	}
	return ""
}

// values are the objects of a collection that passed the schema.
func values(v any) []map[string]any {
	list, _ := v.([]any)
	objects := make([]map[string]any, 0, len(list))
	for _, element := range list {
		if object, ok := element.(map[string]any); ok {
			objects = append(objects, object)
		}
	}
	return objects
}

func filled(v any) bool {
	text, _ := v.(string)
	return text != ""
}
