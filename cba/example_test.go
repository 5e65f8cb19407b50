package cba_test

import (
	"fmt"

	"example.com/entracba/cba"
	"example.com/entracba/cba/dn"
)

func Example() {
	name, err := dn.Parse("CN=Contoso Root CA,O=Contoso")
	if err != nil {
		fmt.Println(err)
		return
	}
	root, err := cba.NewRoot(cba.Authority{Name: name})
	if err != nil {
		fmt.Println(err)
		return
	}
	key, err := cba.RSA2048.Generate()
	if err != nil {
		fmt.Println(err)
		return
	}
	cert, err := root.Issue(key.Public(), cba.Subject{UPN: "jane@yourdomain.com"}, cba.Profile{})
	if err != nil {
		fmt.Println(err)
		return
	}
	names, err := cba.NamesOf(cert)
	fmt.Println(names.UPNs, err)
	// Output: [jane@yourdomain.com] <nil>
}
