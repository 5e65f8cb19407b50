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

// Warm answers about samples: an RSA and a P-256 certificate with their tenants, let in
// and refused, with a change. A browser compiles a program while it runs; the first
// question of a person is then not the one that waits for it. Nothing of the answers is
// kept.
func Warm(ctx context.Context) (answers []Answer) {
	for _, name := range []string{"rsa", "p256"} {
		cert, err := samples.ReadFile("sample/" + name + ".crt")
		if err != nil {
			continue
		}
		tenant, err := samples.ReadFile("sample/" + name + ".json")
		if err != nil {
			continue
		}
		r := Request{Certificate: cert, Tenant: tenant, Then: tenant, User: []byte(`{"userPrincipalName":"jane@contoso.com","accountEnabled":true,"userType":"Member","certificateUserIds":["X509:<PN>jane@contoso.com"]}`), At: sampled}
		if answers = append(answers, Ask(ctx, r)); name == "p256" {
			r.Require = "mfa"
			answers = append(answers, Ask(ctx, r))
		}
	}
	return answers
}
