package dn_test

import (
	"fmt"

	"example.com/entracba/cba/dn"
)

// The issuer of a rule and of a stored certificate user ID are the same name in
// opposite orders.
func ExampleParse() {
	issuer, err := dn.Parse("CN=CONTOSO-DC-CA, DC=contoso, DC=com") // copied from a certificate viewer
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("rule:              ", issuer)
	fmt.Println("certificateUserIds:", issuer.Windows())
	// Output:
	// rule:               CN=CONTOSO-DC-CA,DC=contoso,DC=com
	// certificateUserIds: DC=com,DC=contoso,CN=CONTOSO-DC-CA
}

func ExampleParse_error() {
	_, err := dn.Parse("CN=Jane Doe,Contoso,DC=com")
	fmt.Println(err)
	// Output:
	// dn: a part must be TYPE=value, at byte 12 of "CN=Jane Doe,Contoso,DC=com"; a value that contains a comma must stand in quotes: O="company, Inc."
}

func ExampleParseRootFirst() {
	name, err := dn.ParseRootFirst("C=US,O=U.S. Government,CN=JANE DOE")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(name)
	fmt.Println(name.RootFirst())
	// Output:
	// CN=JANE DOE,O=U.S. Government,C=US
	// C=US,O=U.S. Government,CN=JANE DOE
}

func ExampleName_Equal() {
	portal, _ := dn.Parse("CN = WoodgroveCA")
	graph, _ := dn.Parse("cn=WOODGROVECA ")
	fmt.Println(portal.Equal(graph))
	// Output: true
}

func ExampleName_Marshal() {
	name := dn.Name{
		{{Type: dn.DomainComponent, Value: "com"}},
		{{Type: dn.DomainComponent, Value: "contoso"}},
		{{Type: dn.CommonName, Value: "Jane"}, {Type: dn.UserID, Value: "4700"}},
	}
	der, err := name.Marshal()
	if err != nil {
		fmt.Println(err)
		return
	}
	back, err := dn.ParseDER(der)
	fmt.Println(back, err)
	fmt.Println(back.Windows())
	// Output:
	// CN=Jane+UID=4700,DC=contoso,DC=com <nil>
	// DC=com,DC=contoso,CN=Jane OID.0.9.2342.19200300.100.1.1=4700
}
