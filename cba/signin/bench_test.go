package signin_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"testing"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
)

func benchmarkRequest(b *testing.B, options string) (*signin.Tenant, signin.Request) {
	b.Helper()
	test, err := scenario{cert: "bob-contoso", rules: "CN=WoodgroveCA = SF; 1.2.3.4 = MF; CN=ContosoCA,DC=contoso,DC=com = MF", options: options}.testCase(theWorld(b))
	if err != nil {
		b.Fatal(err)
	}
	tenant, request, err := test.load(theWorld(b).files)
	if err != nil {
		b.Fatal(err)
	}
	return tenant, request
}

// The parts of a decision: of a certificate that was seen before, which is the usual
// case, held, and seen for the first time; the rules alone, the chain (whose one
// signature check is most of it), the lists, the reasons.
func BenchmarkDecide(b *testing.B) {
	for name, options := range map[string]string{"without lists": "SkipRevocation", "with lists": ""} {
		b.Run(name, func(b *testing.B) {
			tenant, request := benchmarkRequest(b, options)
			b.ReportAllocs()
			for b.Loop() {
				if a, err := tenant.Decide(context.Background(), request); err != nil || !a.SignedIn {
					b.Fatal(a, err)
				}
			}
		})
	}
	b.Run("held", func(b *testing.B) {
		tenant, r := benchmarkRequest(b, "SkipRevocation")
		held, err := tenant.Certificate(r.Certificate)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if a, err := held.Decide(context.Background(), r.User, r.At, r.Require); err != nil || !a.SignedIn {
				b.Fatal(a, err)
			}
		}
	})
	b.Run("seen by many", func(b *testing.B) {
		tenant, r := benchmarkRequest(b, "SkipRevocation")
		b.ReportAllocs()
		b.RunParallel(func(p *testing.PB) {
			for p.Next() {
				if a, err := tenant.Decide(context.Background(), r); err != nil || !a.SignedIn {
					b.Error(a, err)
					return
				}
			}
		})
	})
	b.Run("first time", func(b *testing.B) {
		tenant, r := benchmarkRequest(b, "SkipRevocation")
		b.ReportAllocs()
		for b.Loop() {
			cert := *r.Certificate
			cert.Raw = append(bytes.Clone(cert.Raw), make([]byte, 16<<10)...) // too large to be kept
			r := r
			r.Certificate = &cert
			if a, err := tenant.Decide(context.Background(), r); err != nil || !a.SignedIn {
				b.Fatal(a, err)
			}
		}
	})
	b.Run("rules alone", func(b *testing.B) {
		tenant, request := benchmarkRequest(b, "")
		cert, err := policy.NewCertificate(request.Certificate, certuserid.Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if d := tenant.Policy().Decide(cert, request.User); !d.SignsIn() {
				b.Fatal(d)
			}
		}
	})
	b.Run("chain alone", func(b *testing.B) {
		tenant, request := benchmarkRequest(b, "")
		b.ReportAllocs()
		for b.Loop() {
			if !tenant.Trust().Chain(request.Certificate, request.At).Trusted {
				b.Fatal("not trusted")
			}
		}
	})
	b.Run("signature alone", func(b *testing.B) {
		tenant, request := benchmarkRequest(b, "")
		issuer := tenant.Trust().Chain(request.Certificate, request.At).CAs[0].Certificate
		b.ReportAllocs()
		for b.Loop() {
			if err := request.Certificate.CheckSignatureFrom(issuer); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkExplain(b *testing.B) {
	tenant, request := benchmarkRequest(b, "")
	b.ReportAllocs()
	for b.Loop() {
		if v, err := tenant.Explain(context.Background(), request); err != nil || !v.SignedIn {
			b.Fatal(v, err)
		}
	}
}

// BenchmarkCompare is one user under two tenants, on all cores.
func BenchmarkCompare(b *testing.B) {
	tenant, request := benchmarkRequest(b, "")
	c := signin.Case{User: request.User, Certificates: []*x509.Certificate{request.Certificate}}
	list := func(yield func(signin.Case, error) bool) {
		for yield(c, nil) {
		}
	}
	b.ReportAllocs()
	n := 0
	for _, err := range signin.Compare(context.Background(), tenant, tenant, list, signin.CompareOptions{At: request.At}) {
		if err != nil {
			b.Fatal(err)
		}
		if n++; n >= b.N {
			break
		}
	}
}
