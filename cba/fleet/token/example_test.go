package token_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"example.com/entracba/cba"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/fleet/token"
)

// A root whose key is made in the token and stays there. The PIN comes from a
// file, not from the command line, which everyone on the machine can read.
func ExampleOpen() {
	pin, err := os.ReadFile("/run/secrets/pin")
	if err != nil {
		log.Fatal(err)
	}
	hsm, err := token.Open(token.Config{Module: "/usr/lib/softhsm/libsofthsm2.so", Label: "entra-cba", PIN: token.PIN(pin)})
	if err != nil {
		log.Fatal(err)
	}
	defer hsm.Close()
	key, err := hsm.Generate("root", cba.RSA3072)
	if err != nil {
		log.Fatal(err)
	}
	name, err := dn.Parse("CN=Contoso Root CA")
	if err != nil {
		log.Fatal(err)
	}
	root, err := cba.NewRoot(context.Background(), cba.Authority{Name: name, Key: key})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(root.Certificate.Subject)
}
