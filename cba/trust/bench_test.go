package trust_test

import (
	"crypto/x509"
	"fmt"
	"testing"

	"example.com/entracba/cba/trust"
)

// fullStore has as many CAs as the service allows: ten roots with 24
// intermediate CAs each. It returns a user certificate of the last one.
func fullStore(b *testing.B) (trust.Config, *x509.Certificate) {
	var all []*entity
	for i := range 10 {
		r := root(b, spec{name: fmt.Sprint("Root ", i)})
		all = append(all, r)
		for j := range 24 {
			all = append(all, r.ca(b, spec{name: fmt.Sprint("Issuing ", i, j)}))
		}
	}
	if len(all) != trust.MaxAuthorities {
		b.Fatalf("%d CAs", len(all))
	}
	return configOf(b, all...), all[len(all)-1].user(b, spec{name: "jane"}).Certificate
}

// BenchmarkChain is one sign-in against a full store. Nearly all of it is the
// check of the user certificate's signature, which BenchmarkSignature measures
// alone.
func BenchmarkChain(b *testing.B) {
	config, leaf := fullStore(b)
	store := compile(b, config, trust.Options{})
	b.ReportAllocs()
	for b.Loop() {
		if c := store.Chain(leaf, now); !c.Trusted {
			b.Fatal(c.Failures)
		}
	}
}

func BenchmarkSignature(b *testing.B) {
	config, leaf := fullStore(b)
	store := compile(b, config, trust.Options{})
	chain := store.Chain(leaf, now)
	issuer := chain.CAs[0].Certificate
	b.ReportAllocs()
	for b.Loop() {
		if err := issuer.CheckSignature(leaf.SignatureAlgorithm, leaf.RawTBSCertificate, leaf.Signature); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkChainUnknownIssuer has no signature to check, so it shows the rest:
// look-up, and the explanation of the failure.
func BenchmarkChainUnknownIssuer(b *testing.B) {
	config, _ := fullStore(b)
	leaf := root(b, spec{name: "Other"}).user(b, spec{name: "jane"}).Certificate
	store := compile(b, config, trust.Options{})
	b.ReportAllocs()
	for b.Loop() {
		if c := store.Chain(leaf, now); c.Trusted {
			b.Fatal("trusted")
		}
	}
}

// BenchmarkX509Verify is what crypto/x509 needs for the same question: it finds
// issuers by name and proves every link anew.
func BenchmarkX509Verify(b *testing.B) {
	config, leaf := fullStore(b)
	options := x509.VerifyOptions{
		Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(),
		CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	}
	for _, ca := range compile(b, config, trust.Options{}).CAs() {
		if ca.SelfSigned {
			options.Roots.AddCert(ca.Certificate)
		} else {
			options.Intermediates.AddCert(ca.Certificate)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := leaf.Verify(options); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCompile reads 250 certificates and proves the links between them.
func BenchmarkCompile(b *testing.B) {
	config, _ := fullStore(b)
	b.ReportAllocs()
	for b.Loop() {
		compile(b, config, trust.Options{})
	}
}

func BenchmarkSteps(b *testing.B) {
	config, leaf := fullStore(b)
	chain := compile(b, config, trust.Options{}).Chain(leaf, now)
	b.ReportAllocs()
	for b.Loop() {
		if len(chain.Steps()) == 0 {
			b.Fatal("no steps")
		}
	}
}

// crossCertified has keys that all certify each other, and one root above the first,
// which has expired: no way is good, so every search looks everywhere.
func crossCertified(b testing.TB, keys int) trust.Config {
	b.Helper()
	expired := root(b, spec{name: "Root", to: now.AddDate(0, 0, -1)})
	entities := make([]*entity, keys)
	for i := range entities {
		entities[i] = root(b, spec{name: fmt.Sprint("CA ", i)})
	}
	cas := []*entity{expired, expired.ca(b, spec{name: "CA 0", key: entities[0].key, ski: entities[0].SubjectKeyId})}
	for i, above := range entities {
		for j, below := range entities {
			if i != j {
				cas = append(cas, above.ca(b, spec{name: fmt.Sprint("CA ", j), key: below.key, ski: below.SubjectKeyId}))
			}
		}
	}
	pki := trust.PKI{DisplayName: "Cross"}
	for _, ca := range cas {
		pki.CertificateAuthorities = append(pki.CertificateAuthorities, trust.Authority{Certificate: ca.Raw, CertificateAuthorityType: trust.Intermediate})
	}
	return trust.Config{PKIs: trust.PKIs{pki}}
}

// BenchmarkFindings is the check of CAs that certify each other, beside the signature
// checks alone: as many as a tool of crossed bridges makes, and as many as are read.
func BenchmarkFindings(b *testing.B) {
	for _, keys := range []int{32, 64} {
		config := crossCertified(b, keys)
		b.Run(fmt.Sprintf("%d CAs", len(config.PKIs[0].CertificateAuthorities)), func(b *testing.B) {
			for b.Loop() {
				if len(config.Findings(now)) == 0 {
					b.Fatal("no findings")
				}
			}
		})
		b.Run(fmt.Sprintf("%d CAs, compiled only", len(config.PKIs[0].CertificateAuthorities)), func(b *testing.B) {
			for b.Loop() {
				compile(b, config, trust.Options{})
			}
		})
	}
}
