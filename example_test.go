package entracba_test

import (
	"context"
	"fmt"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/pfx"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
	"example.com/entracba/cba/trust"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// README.md shows the body of this example and its output; TestREADME compares.
func Example() {
	ctx := context.Background()

	// A CA, and a certificate for jane.
	root := must(cba.NewRoot(ctx, cba.Authority{Name: must(dn.Parse("CN=Contoso Root CA"))}))
	key := must(cba.RSA2048.Generate())
	cert := must(root.Issue(ctx, key.Public(), cba.Subject{UPN: "jane@yourdomain.com"}, cba.Profile{}))

	// The strings that can bind it to her account (the first three of six).
	for _, id := range certuserid.All(cert)[:3] {
		fmt.Println(id.Mapping().Affinity(), id)
	}

	// A PFX file that an old Mac and Windows Server 2016 can open.
	encoding := pfx.For(pfx.MacOS14, pfx.WindowsServer2016)
	bundle := pfx.Bundle{Key: key, Certificate: cert, Chain: root.CACertificates()}
	file := must(encoding.Encode(bundle, pfx.GeneratePassword()))
	fmt.Println(encoding, must(pfx.Inspect(file)).MAC.Name)

	// What Entra will say when she signs in where multifactor is required.
	config := signin.Config{Policy: policy.ServiceDefault()}
	config.Policy.State = policy.Enabled
	config.Trust.PKIs = trust.PKIs{must(trust.NewPKI("Contoso PKI", root.CACertificates()))}
	tenant := must(config.Compile(signin.Options{}))
	verdict := must(tenant.Explain(ctx, signin.Request{
		User:        &policy.User{UserPrincipalName: "jane@yourdomain.com"},
		Certificate: cert,
		At:          time.Now(),
		Require:     signin.MFA(),
	}))
	fmt.Println(verdict.SignedIn, verdict.Code, verdict.Message)

	// Output:
	// low X509:<PN>jane@yourdomain.com
	// low X509:<I>CN=Contoso Root CA<S>CN=jane@yourdomain.com
	// low X509:<S>CN=jane@yourdomain.com
	// compat HMAC-SHA1
	// false AADSTS54008 requirement: multifactor authentication: the certificate counts as single-factor: the user needs a registered second factor, or the tenant needs a rule that makes the certificate multifactor
}
