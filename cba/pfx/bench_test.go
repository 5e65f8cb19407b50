package pfx_test

import (
	"testing"

	"software.sslmate.com/src/go-pkcs12"

	"example.com/entracba/cba/pfx"
)

// Writing and reading are nearly all key derivation, which is what the file
// asks for: three keys and, in Compatible, two initial vectors, each once.

// BenchmarkEncode compares with go-pkcs12, which writes the same bytes and no
// friendly name ("name").
func BenchmarkEncode(b *testing.B) {
	for e, peer := range map[pfx.Encoding]*pkcs12.Encoder{
		pfx.Compatible: pkcs12.LegacyDES.WithIterations(2048), pfx.Modern: pkcs12.Modern2023, pfx.PBMAC1: pkcs12.Modern2026,
	} {
		for _, name := range []string{"", "name"} {
			b.Run(e.String()+"/pfx/"+name, func(b *testing.B) {
				bundle := bundle("p256", 1, name)
				b.ReportAllocs()
				for b.Loop() {
					if _, err := e.Encode(bundle, testPassword); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		b.Run(e.String()+"/go-pkcs12", func(b *testing.B) {
			bundle := bundle("p256", 1, "")
			b.ReportAllocs()
			for b.Loop() {
				if _, err := peer.Encode(bundle.Key, bundle.Certificate, bundle.Chain, testPassword); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkDecode compares with go-pkcs12 on the same files in the same run.
func BenchmarkDecode(b *testing.B) {
	for _, e := range []pfx.Encoding{pfx.Compatible, pfx.Modern, pfx.PBMAC1} {
		data, err := e.Encode(bundle("p256", 1, "Jane"), testPassword)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(e.String()+"/pfx", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := pfx.Decode(data, testPassword); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(e.String()+"/go-pkcs12", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, _, err := pkcs12.DecodeChain(data, testPassword); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkInspect(b *testing.B) {
	data, err := pfx.Modern.Encode(bundle("p256", 1, "Jane"), testPassword)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := pfx.Inspect(data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGeneratePassword(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		pfx.GeneratePassword()
	}
}
