package policy

import (
	"encoding/xml"
	"os"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.com/entracba/cba/certuserid"
)

// A schema is what the test reads of the published one.
type schema struct {
	Enums []struct {
		Name    string `xml:"Name,attr"`
		Members []struct {
			Name string `xml:"Name,attr"`
		} `xml:"Member"`
	} `xml:"EnumType"`
	Complex  []schemaType `xml:"ComplexType"`
	Entities []schemaType `xml:"EntityType"`
}

type schemaType struct {
	Name       string `xml:"Name,attr"`
	Base       string `xml:"BaseType,attr"`
	Properties []struct {
		Name string `xml:"Name,attr"`
		Type string `xml:"Type,attr"`
	} `xml:"Property"`
	Navigation []struct {
		Name string `xml:"Name,attr"`
		Type string `xml:"Type,attr"`
	} `xml:"NavigationProperty"`
}

func readSchema(t *testing.T) schema {
	t.Helper()
	text, err := os.ReadFile("testdata/graph-v1.csdl.xml")
	if err != nil {
		t.Fatal(err)
	}
	var s schema
	if err := xml.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// The types are the schema's, property by property with its kind, in both
// directions.
func TestTypesAreThoseOfTheSchema(t *testing.T) {
	s := readSchema(t)
	ours := map[string]reflect.Type{
		"x509CertificateAuthenticationMethodConfiguration": reflect.TypeFor[Config](),
		"x509CertificateUserBinding":                       reflect.TypeFor[UserBinding](),
		"x509CertificateAuthenticationModeConfiguration":   reflect.TypeFor[AuthenticationModeConfiguration](),
		"x509CertificateRule":                              reflect.TypeFor[Rule](),
		"x509CertificateCRLValidationConfiguration":        reflect.TypeFor[CRLValidationConfiguration](),
		"x509CertificateIssuerHintsConfiguration":          reflect.TypeFor[IssuerHintsConfiguration](),
		"x509CertificateAuthorityScope":                    reflect.TypeFor[AuthorityScope](),
		"excludeTarget":                                    reflect.TypeFor[Target](),
		"includeTarget":                                    reflect.TypeFor[Target](),
		"authenticationMethodTarget":                       reflect.TypeFor[IncludeTarget](),
		"authorizationInfo":                                reflect.TypeFor[AuthorizationInfo](),
	}
	kinds := map[string]reflect.Type{
		"Edm.String":                      reflect.TypeFor[string](),
		"Edm.Int32":                       reflect.TypeFor[int32](),
		"Edm.Boolean":                     reflect.TypeFor[bool](),
		"graph.authenticationMethodState": reflect.TypeFor[State](),
		"graph.x509CertificateCRLValidationConfigurationState": reflect.TypeFor[State](),
		"graph.x509CertificateIssuerHintsState":                reflect.TypeFor[State](),
		"graph.x509CertificateAuthenticationMode":              reflect.TypeFor[AuthenticationMode](),
		"graph.x509CertificateAffinityLevel":                   reflect.TypeFor[certuserid.Affinity](),
		"graph.x509CertificateRuleType":                        reflect.TypeFor[RuleType](),
		"graph.authenticationMethodTargetType":                 reflect.TypeFor[TargetType](),
		"x509CertificateUserBinding.userProperty":              reflect.TypeFor[UserProperty](),
		"x509CertificateUserBinding.x509CertificateField":      reflect.TypeFor[certuserid.Mapping](),
	}
	for name, typ := range ours {
		kinds["graph."+name] = typ
	}
	for name, typ := range kinds {
		kinds["Collection("+name+")"] = reflect.SliceOf(typ)
	}
	byName := map[string]schemaType{}
	for _, typ := range slices.Concat(s.Complex, s.Entities) {
		byName[typ.Name] = typ
	}
	properties := 0
	for name, typ := range ours {
		want := map[string]reflect.Type{}
		wire, ok := byName[name]
		if !ok {
			t.Errorf("the schema has no %s", name)
			continue
		}
		add := func(property, kind string) {
			want[property] = kinds[kind]
			if special, ok := kinds[name+"."+property]; ok {
				want[property] = special
			}
		}
		for {
			for _, p := range slices.Concat(wire.Properties, wire.Navigation) {
				add(p.Name, p.Type)
			}
			if wire.Base == "graph.entity" {
				want["id"] = reflect.TypeFor[string]()
			}
			if wire.Base == "" || wire.Base == "graph.entity" {
				break
			}
			if wire, ok = byName[wire.Base[len("graph."):]]; !ok {
				t.Fatalf("no base type of %s", name)
			}
		}
		got := map[string]reflect.Type{}
		for i := range typ.NumField() {
			if tag := typ.Field(i).Tag.Get("json"); tag != "" {
				got[cutTag(tag)] = typ.Field(i).Type
			}
		}
		properties += len(want)
		if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b reflect.Type) bool { return a == b })); diff != "" {
			t.Errorf("%s and %v (-schema +ours):\n%s", name, typ, diff)
		}
	}
	if properties < 30 {
		t.Errorf("only %d properties compared", properties)
	}
}

func cutTag(tag string) string {
	for i := range len(tag) {
		if tag[i] == ',' {
			return tag[:i]
		}
	}
	return tag
}

// The texts of the enumerations are the schema's members but for the sentinel,
// which says that a member is hidden and is no value itself.
func TestEnumerationsAreThoseOfTheSchema(t *testing.T) {
	ours := map[string]any{
		"authenticationMethodState":                      State(""),
		"x509CertificateCRLValidationConfigurationState": State(""),
		"x509CertificateIssuerHintsState":                State(""),
		"x509CertificateAuthenticationMode":              AuthenticationMode(""),
		"x509CertificateAffinityLevel":                   certuserid.Affinity(""),
		"x509CertificateRuleType":                        RuleType(""),
		"authenticationMethodTargetType":                 TargetType(""),
	}
	s := readSchema(t)
	if len(s.Enums) != len(ours) {
		t.Errorf("the schema has %d enumerations here, the test %d", len(s.Enums), len(ours))
	}
	for _, enum := range s.Enums {
		var want []string
		for _, m := range enum.Members {
			if m.Name != UnknownFutureValue {
				want = append(want, m.Name)
			}
		}
		typ, ok := ours[enum.Name]
		if !ok {
			t.Errorf("%s is not compared", enum.Name)
			continue
		}
		got, ok := texts(typ)
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-schema +ours):\n%s", enum.Name, diff)
		}
		if !ok {
			t.Errorf("%s is no enumeration", enum.Name)
		}
	}
}

// Every struct that is read from JSON keeps what it was read from in its first
// field; the codec relies on it.
func TestKeptIsTheFirstField(t *testing.T) {
	seen := 0
	var visit func(typ reflect.Type)
	visit = func(typ reflect.Type) {
		if typ.Kind() == reflect.Slice {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct {
			return
		}
		seen++
		if typ.Field(0).Type != reflect.TypeFor[kept]() {
			t.Errorf("%v does not begin with its kept", typ)
		}
		for i := 1; i < typ.NumField(); i++ {
			visit(typ.Field(i).Type)
		}
	}
	visit(reflect.TypeFor[Config]())
	if seen < 9 {
		t.Errorf("only %d structs seen", seen)
	}
}
