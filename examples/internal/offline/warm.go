package offline

import (
	"context"
	"embed"
	"time"
)

//go:embed sample
var samples embed.FS

// sampled is when the samples are valid.
var sampled = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)

// Warm answers about samples: an RSA certificate whose CRL has expired, and a P-256 one
// that is let in, and is not where multifactor is required, each with a change. A browser
// compiles a program while it runs; the first question of a person is then not the one that
// waits for it. Nothing of the answers is kept.
func Warm(ctx context.Context) (answers []Answer) {
	file := func(name string) []byte {
		content, _ := samples.ReadFile("sample/" + name) // a missing one is a problem of the answer
		return content
	}
	r := Request{Certificate: file("rsa.crt"), Tenant: file("rsa.json"), CRLs: [][]byte{file("rsa.crl")}, At: sampled,
		User: []byte(`{"userPrincipalName":"jane@contoso.com","accountEnabled":true,"userType":"Member","certificateUserIds":["X509:<PN>jane@contoso.com"]}`)}
	r.Then = r.Tenant
	answers = append(answers, Ask(ctx, r))
	r.Certificate, r.Tenant, r.CRLs = file("p256.crt"), file("p256.json"), nil
	r.Then = r.Tenant
	answers = append(answers, Ask(ctx, r))
	r.Require = "mfa"
	return append(answers, Ask(ctx, r))
}
