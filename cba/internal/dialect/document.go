package dialect

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"example.com/entracba/cba/internal/wire"
)

// The properties of a tenant's document.
const (
	Policy  = "x509Certificate"
	PKIs    = "publicKeyInfrastructure"
	Classic = "certificateBasedAuthConfiguration"
	// Preferred is a property of the authenticationMethodsPolicy that a tenant's
	// document has beside the method.
	Preferred = "systemCredentialPreferences"
)

// methodType is what the method's configuration says it is.
const methodType = "x509CertificateAuthenticationMethodConfiguration"

// Method returns the configuration of the method out of what it may stand in: the
// whole authenticationMethodsPolicy, an answer of Graph, a list. The text must be of
// [Graph]. It returns the text itself if it stands in none of them.
func Method(raw []byte) []byte {
	inner, _, err := wire.Unwrap(raw)
	if err != nil || len(inner) == 0 {
		return raw
	}
	if one := Only(raw); property(one, "authenticationMethodConfigurations") != nil {
		inner = one // a list of one authenticationMethodsPolicy
	}
	elements := []json.RawMessage{inner}
	whole := false
	if inner[0] == '[' {
		if elements, err = wire.Elements(inner); err != nil {
			return raw
		}
	} else if list := property(inner, "authenticationMethodConfigurations"); list != nil {
		whole = true
		if elements, err = wire.Elements(list); err != nil {
			return raw
		}
	}
	for _, e := range elements {
		if isMethod(e) {
			return e
		}
	}
	if whole || inner[0] == '[' && len(elements) != 1 {
		return raw
	}
	return inner
}

// withPreferred adds what the whole authenticationMethodsPolicy says beside the method,
// unless the document says it already.
func withPreferred(document []wire.Member, policy []byte) []wire.Member {
	preferred := property(Only(policy), Preferred)
	if preferred == nil || slices.ContainsFunc(document, func(m wire.Member) bool { return m.Name == Preferred }) {
		return document
	}
	return append(document, wire.Member{Name: Preferred, Raw: preferred})
}

func isMethod(raw []byte) bool {
	return strings.EqualFold(word(raw, "id"), Policy) || strings.HasSuffix(word(raw, "@odata.type"), methodType) ||
		property(raw, "certificateUserBindings") != nil || property(raw, "authenticationModeConfiguration") != nil
}

// Only returns the one object in an answer of Graph, and any other text as it is.
func Only(raw []byte) []byte {
	inner, _, err := wire.Unwrap(raw)
	if err != nil || len(inner) == 0 {
		return raw
	}
	if elements, err := wire.Elements(inner); err == nil && inner[0] == '[' && len(elements) == 1 {
		return elements[0]
	}
	return inner
}

// Tenant returns a tenant's document out of one part of it: the method's
// configuration, the whole authenticationMethodsPolicy, a list of PKIs, one PKI, the
// classic trust store, a list of its CAs. The text must be of [Graph]; a document
// that has one of the three properties already is returned with its parts taken out
// of what they stand in.
//
// For any other text, instead says what the text looks like and what to give
// instead.
func Tenant(raw []byte) (document []byte, instead string) {
	isWhole := func(raw []byte) bool {
		return property(raw, Policy) != nil || property(raw, PKIs) != nil || property(raw, Classic) != nil
	}
	if inner := Only(raw); !isWhole(raw) && isWhole(inner) {
		raw = inner // a whole document in an envelope
	}
	if isWhole(raw) {
		members, err := wire.Members(raw)
		if err != nil {
			return raw, ""
		}
		changed := false
		for i, m := range members {
			if detail := graphError(Only(m.Raw)); detail != "" && (m.Name == Policy || m.Name == PKIs || m.Name == Classic) {
				return nil, strings.TrimPrefix(detail, foreign) + ", in the place of " + m.Name
			}
			if m.Name == Policy {
				if method := Method(m.Raw); !same(method, m.Raw) {
					members[i].Raw, changed = method, true
					members = withPreferred(members, m.Raw)
				}
			}
			if m.Name == PKIs && isPKI(m.Raw) {
				members[i].Raw, changed = listOf(m.Raw), true
			}
			if m.Name == PKIs && hasStranger(members[i].Raw) {
				return nil, "a tenant with an object in " + PKIs + " that has none of the properties of a PKI; give the answer of GET /directory/publicKeyInfrastructure/certificateBasedAuthConfigurations"
			}
			if id := word(members[i].Raw, "id"); m.Name == Policy && id != "" && !isMethod(members[i].Raw) {
				return nil, "a tenant with the configuration " + id + " in the place of X509Certificate"
			}
		}
		if !changed {
			return raw, ""
		}
		return write(members), ""
	}
	if document := joined(raw); document != nil {
		return document, ""
	}
	if method := Method(raw); isMethod(method) {
		return write(withPreferred([]wire.Member{{Name: Policy, Raw: method}}, raw)), ""
	}
	inner, _, err := wire.Unwrap(raw)
	if err != nil || len(inner) == 0 {
		return raw, ""
	}
	elements := []json.RawMessage{inner}
	if inner[0] == '[' {
		if elements, err = wire.Elements(inner); err != nil || len(elements) == 0 {
			return raw, ""
		}
	}
	first := elements[0]
	if first[0] != '{' {
		return raw, ""
	}
	switch {
	case isClassicStore(first):
		return write([]wire.Member{{Name: Classic, Raw: raw}}), ""
	case isPKI(first):
		return write([]wire.Member{{Name: PKIs, Raw: listOf(inner)}}), ""
	case property(first, "isRootAuthority") != nil && property(first, "certificate") != nil:
		store := write([]wire.Member{{Name: "certificateAuthorities", Raw: listOf(inner)}})
		return write([]wire.Member{{Name: Classic, Raw: listOf(store)}}), ""
	case property(first, "certificateAuthorityType") != nil:
		return nil, "the CAs of one PKI; give the PKI that has them as well: GET /directory/publicKeyInfrastructure/certificateBasedAuthConfigurations"
	case property(first, "userPrincipalName") != nil || property(first, "userDisplayName") != nil && property(first, "createdDateTime") == nil:
		return nil, "users; pass them with -user or -users, and as the tenant " + tenantCalls
	case property(first, "allowedCombinations") != nil:
		return nil, "an authentication strength; pass it with -require, and as the tenant " + tenantCalls
	case property(first, "createdDateTime") != nil && (property(first, "userId") != nil || property(first, "appDisplayName") != nil):
		return nil, "the sign-in log; as the tenant " + tenantCalls
	case property(first, "conditions") != nil && property(first, "grantControls") != nil:
		return nil, "a Conditional Access policy; as the tenant " + tenantCalls
	case property(first, "authenticationMethodConfigurations") != nil:
		return nil, "an authenticationMethodsPolicy without the configuration X509Certificate; " + tenantCalls
	case property(first, "responses") != nil:
		return nil, "an answer of Graph's $batch; take the body out of each response: " + tenantCalls
	case property(first, "log") != nil && property(property(first, "log"), "entries") != nil:
		return nil, "a record of a browser (HAR); save the answer of the call itself: " + tenantCalls
	case property(first, "terraform_version") != nil:
		return nil, "a state of Terraform; " + tenantCalls
	case property(first, "users") != nil || property(first, "config") != nil:
		return raw, "" // a snapshot; its reader says what is wrong with it
	}
	return nil, "an object with none of the properties of a tenant; " + tenantCalls
}

// joined makes one document of a list of several parts of a tenant, one of each kind, nil
// for anything else.
func joined(raw []byte) []byte {
	if raw[0] != '[' {
		return nil
	}
	elements, err := wire.Elements(raw)
	if err != nil || len(elements) < 2 || len(elements) > 4 {
		return nil
	}
	var all []wire.Member
	for _, e := range elements {
		if len(e) == 0 || e[0] == '[' { // which may nest
			return nil
		}
		document, instead := Tenant(e)
		members, err := wire.Members(document)
		if err != nil || instead != "" {
			return nil
		}
		for _, m := range members {
			if slices.ContainsFunc(all, func(other wire.Member) bool { return other.Name == m.Name }) {
				return nil
			}
			all = append(all, m)
		}
	}
	return write(all)
}

// tenantCalls names the calls that a tenant's document is made of.
const tenantCalls = "give the answer of GET /policies/authenticationMethodsPolicy/authenticationMethodConfigurations/x509Certificate, " +
	"or an object with it as " + Policy + ", with the PKIs as " + PKIs + " and the classic trust store as " + Classic

// classicID is the id of the classic trust store in every tenant.
const classicID = "29728ade-6ae4-4ee9-9103-412912537da5"

// hasStranger reports whether a list of PKIs has an object that is none.
func hasStranger(raw []byte) bool {
	inner, _, err := wire.Unwrap(raw)
	if err != nil || len(inner) == 0 || inner[0] != '[' {
		return false // its reader says what is wrong
	}
	elements, err := wire.Elements(inner)
	return err == nil && slices.ContainsFunc(elements, func(e json.RawMessage) bool {
		return len(e) > 0 && e[0] == '{' && property(e, "displayName") == nil && property(e, "id") == nil && property(e, "certificateAuthorities") == nil && property(e, "status") == nil
	})
}

func isClassicStore(raw []byte) bool {
	if word(raw, "id") == classicID {
		return true
	}
	cas := property(raw, "certificateAuthorities")
	return cas != nil && bytes.Contains(cas, []byte(`"isRootAuthority"`))
}

// isPKI reports whether an object is a PKI of the PKI-based trust store, with its CAs
// or, as Graph lists them, without.
func isPKI(raw []byte) bool {
	if len(raw) == 0 || raw[0] != '{' || isClassicStore(raw) || property(raw, "displayName") == nil {
		return false
	}
	return property(raw, "certificateAuthorities") != nil || property(raw, "statusDetails") != nil || property(raw, "status") != nil && property(raw, "lastModifiedDateTime") != nil
}

func listOf(raw []byte) []byte {
	if len(raw) > 0 && raw[0] == '[' {
		return raw
	}
	return append(append([]byte{'['}, raw...), ']')
}

// property returns the value of a property of an object, nil if there is none.
func property(raw []byte, name string) []byte {
	if len(raw) == 0 || raw[0] != '{' {
		return nil
	}
	members, err := wire.Members(raw)
	if err != nil {
		return nil
	}
	for _, m := range members {
		if m.Name == name {
			return m.Raw
		}
	}
	return nil
}

// word returns a property that is a string.
func word(raw []byte, name string) string {
	var s string
	if v := property(raw, name); v == nil || json.Unmarshal(v, &s) != nil {
		return ""
	}
	return s
}
