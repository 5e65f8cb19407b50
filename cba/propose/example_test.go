package propose_test

import (
	"context"
	"crypto/x509"
	"fmt"

	"example.com/entracba/cba"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/propose"
)

// Can the cards that exist sign people in?
func Example() {
	ctx := context.Background()
	name, err := dn.Parse("CN=Card CA")
	if err != nil {
		fmt.Println(err)
		return
	}
	ca, err := cba.NewRoot(ctx, cba.Authority{Name: name, KeyType: cba.P256})
	if err != nil {
		fmt.Println(err)
		return
	}
	key, err := cba.P256.Generate()
	if err != nil {
		fmt.Println(err)
		return
	}
	card, err := ca.Issue(ctx, key.Public(), cba.Subject{UPN: "jane@contoso.local"}, cba.Profile{CRLURLs: []string{"http://crl.contoso.com/cards.crl"}})
	if err != nil {
		fmt.Println(err)
		return
	}

	users := []propose.User{{Account: policy.User{UserPrincipalName: "jane@contoso.com"}}}
	certs := append([]*x509.Certificate{card}, ca.CACertificates()...)
	p, err := propose.Tenant(ctx, users, certs, propose.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.People[0].Status)
	for _, q := range p.Questions {
		if q.Topic == "domain" {
			fmt.Println("is", q.Domain, "the same as", q.UserDomain)
		}
	}

	// A person says that the domains are one.
	p, err = propose.Tenant(ctx, users, certs, propose.Options{Domains: map[string]string{"contoso.local": "contoso.com"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.People[0].Status, p.People[0].Mode, len(p.People[0].Store), "id to store")
	// Output:
	// perhaps
	// is contoso.local the same as contoso.com
	// reached single-factor 1 id to store
}
