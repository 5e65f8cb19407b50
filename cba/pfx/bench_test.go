package pfx_test

import (
	"testing"

	"software.sslmate.com/src/go-pkcs12"

	"example.com/entracba/cba/pfx"
)

// Writing and reading are nearly all key derivation, which is what the file
// asks for: do not try to make it faster. "name" adds a friendly name, for which
// Modern and PBMAC1 derive the key of the MAC twice.

func BenchmarkEncode(b *testing.B) {
	for _, e := range []pfx.Encoding{pfx.Compatible, pfx.Modern, pfx.PBMAC1} {
		for _, name := range []string{"", "name"} {
			b.Run(e.String()+"/"+name, func(b *testing.B) {
				bundle := bundle("p256", 1, name)
				b.ReportAllocs()
				for b.Loop() {
					if _, err := e.Encode(bundle, testPassword); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
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
