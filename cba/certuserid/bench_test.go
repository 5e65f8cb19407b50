package certuserid_test

import (
	"testing"

	"example.com/entracba/cba/certuserid"
)

// BenchmarkFromCertificate makes one ID, of the mapping that asks for most.
func BenchmarkFromCertificate(b *testing.B) {
	cert := load(b, "gsa-piv")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := certuserid.FromCertificate(cert, certuserid.IssuerAndSerialNumber); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAll makes the seven IDs of a certificate that has all of them.
func BenchmarkAll(b *testing.B) {
	cert := load(b, "gsa-piv")
	b.ReportAllocs()
	for b.Loop() {
		if ids := certuserid.All(cert); len(ids) != 7 {
			b.Fatal(ids)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	all := certuserid.All(load(b, "gsa-piv"))
	for _, id := range all {
		b.Run(id.Mapping().Name(), func(b *testing.B) {
			text := id.String()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := certuserid.Parse(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkFit compares stored values with a certificate's, whose own values
// were made before.
func BenchmarkFit(b *testing.B) {
	values := certuserid.Options{}.Values(load(b, "gsa-piv"))
	id, err := values.ID(certuserid.IssuerAndSubject)
	if err != nil {
		b.Fatal(err)
	}
	text := id.String()
	for name, stored := range map[string]string{"exact": text, "other": text[:len(text)-1] + "1", "case": "X509:<I>c" + text[9:]} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				values.Fit(certuserid.IssuerAndSubject, stored)
			}
		})
	}
}

func BenchmarkNormalize(b *testing.B) {
	cert := load(b, "dod")
	const stored = "X509:<I>CN=CRL.BALA.SelfSignedCertificate, OU=CONTRACTOR, OU=PKI, OU=DoD, O=U.S. Government, C=US<SR> 48EFA06BA8127299499B069F133441B2"
	b.ReportAllocs()
	for b.Loop() {
		if id, _ := certuserid.Normalize(stored, cert); id.Mapping() == "" {
			b.Fatal("nothing")
		}
	}
}
