package propose_test

import (
	"crypto/x509"
	"fmt"
	"testing"

	"example.com/entracba/cba/propose"
)

// BenchmarkTenant is a proposal for a thousand users with a card each.
func BenchmarkTenant(b *testing.B) {
	root := mint(b, nil, "Root", isCA)
	cards := mint(b, root, "Cards", isCA)
	users, certs := []propose.User{}, []*x509.Certificate{root.cert, cards.cert}
	for i := range 1000 {
		name := fmt.Sprintf("user%d@contoso.com", i)
		users, certs = append(users, user(name)), append(certs, mint(b, cards, name, upn(name)).cert)
	}
	b.ReportAllocs()
	for b.Loop() {
		if p, err := propose.Tenant(b.Context(), users, certs, propose.Options{Now: at}); err != nil || p.Reached() != len(users) {
			b.Fatal(p, err)
		}
	}
}
