package main

import (
	"context"
	"crypto/x509"
	"fmt"

	"example.com/entracba/cba"
	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
	"example.com/entracba/cba/trust"
	"example.com/entracba/examples/internal/console"
)

// demonstrate runs the example "Testing custom authentication binding rules" of
// Microsoft's how-to: an issuer rule for single-factor, a policy OID rule for multifactor, a
// Conditional Access policy that asks for multifactor, and a certificate that
// both rules match.
func (o options) demonstrate(ctx context.Context) error {
	name, err := dn.Parse("CN=WoodgroveCA")
	if err != nil {
		return err
	}
	ca, err := cba.NewRoot(ctx, cba.Authority{Name: name, KeyType: cba.P256})
	if err != nil {
		return err
	}
	key, err := cba.P256.Generate()
	if err != nil {
		return err
	}
	oid, err := cba.ParseOID("1.2.3.4")
	if err != nil {
		return err
	}
	cert, err := ca.Issue(ctx, key.Public(), cba.Subject{UPN: "bob@woodgrove.com"}, cba.Profile{Policies: []x509.OID{oid}})
	if err != nil {
		return err
	}
	pki, err := trust.NewPKI("Woodgrove PKI", ca.CACertificates())
	if err != nil {
		return err
	}
	config := signin.Config{Policy: policy.ServiceDefault(), Trust: trust.Config{PKIs: trust.PKIs{pki}}}
	config.Policy.State = policy.Enabled
	config.Policy.AuthenticationMode.Rules = []policy.Rule{
		policy.IssuerRule(name, policy.SingleFactor, certuserid.Low),
		policy.PolicyOIDRule(oid, policy.MultiFactor, certuserid.Low),
	}
	tenant, err := config.Compile(o.reading(nil))
	if err != nil {
		return err
	}
	if o.require.IsZero() {
		o.require = signin.MFA()
	}
	if !o.json {
		fmt.Fprint(console.Stdout, "The example from Microsoft's how-to: a rule for the issuer WoodgroveCA gives single-factor, ",
			"a rule for the policy OID 1.2.3.4 gives multifactor, and Conditional Access requires multifactor.\n\n")
	}
	return o.explain(ctx, config, tenant, &policy.User{UserPrincipalName: "bob@woodgrove.com"}, cert)
}
