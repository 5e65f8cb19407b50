package pfx

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	weak "math/rand/v2"
	"slices"
	"testing"

	"golang.org/x/crypto/cryptobyte/asn1"
	"software.sslmate.com/src/go-pkcs12"
)

// With the same random numbers, a file without a friendly name is, byte by byte,
// that of go-pkcs12, which has none of our code. With one, the difference is an
// attribute of the key entry, and the MAC, which go-pkcs12 verifies.
func TestWritesAsGoPKCS12(t *testing.T) {
	jane, ca := selfSigned(t), selfSigned(t).Certificate
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]crypto.Signer{"p256": jane.Key, "rsa2048": rsaKey, "ed25519": edKey}
	for e, peer := range map[Encoding]*pkcs12.Encoder{
		Compatible: pkcs12.LegacyDES, Modern: pkcs12.Modern2023, RC2: pkcs12.LegacyRC2, PBMAC1: pkcs12.Modern2026,
		InsecureUnencrypted: pkcs12.Passwordless,
	} {
		password := "k7Qm2xR9vTz4"
		if e == InsecureUnencrypted {
			password = ""
		}
		for name, key := range keys {
			for _, cas := range []int{0, 1, 2, 250} { // the last with lengths of three bytes
				for _, iterations := range []int{2048, 3000} {
					t.Run(fmt.Sprintf("%v/%s/%d/%d", e, name, cas, iterations), func(t *testing.T) {
						b := Bundle{Key: key, Certificate: jane.Certificate, Chain: slices.Repeat([]*x509.Certificate{ca}, cas)}
						if cas == 2 {
							b.Chain, b.Others = b.Chain[:1], b.Chain[1:]
						}
						ours := func(name string) []byte {
							b.FriendlyName = name
							recipe, _ := e.recipe()
							w := writer{recipe, iterations, newSecret(password), weak.NewChaCha8([32]byte{7}).Read}
							data, err := w.write(b)
							if err != nil {
								t.Fatal(err)
							}
							return data
						}
						theirs, err := peer.WithIterations(iterations).WithRand(weak.NewChaCha8([32]byte{7})).Encode(
							b.Key, b.Certificate, append(b.Chain[:len(b.Chain):len(b.Chain)], b.Others...), password)
						if err != nil {
							t.Fatal(err)
						}
						if got := ours(""); !bytes.Equal(got, theirs) {
							t.Errorf("without a name:\n%x\nnot\n%x", got, theirs)
						}
						named := ours("Jané")
						if _, _, _, err := pkcs12.DecodeChain(named, password); err != nil {
							t.Errorf("go-pkcs12: %v", err)
						}
						withName(t, named, theirs)
					})
				}
			}
		}
	}
}

// withName fails unless named is plain with a friendly name, its MAC apart.
func withName(t *testing.T, named, plain []byte) {
	t.Helper()
	n, err := parseFile(named)
	if err != nil {
		t.Fatal(err)
	}
	p, err := parseFile(plain)
	if err != nil {
		t.Fatal(err)
	}
	bags, _, err := readBags(p.parts[1].data)
	if err != nil || len(bags) != 1 {
		t.Fatalf("%d bags, %v", len(bags), err)
	}
	link := sequence(objectID(oidLocalKeyID), element(asn1.SET, octets(bags[0].localKeyID)))
	label := sequence(objectID(oidFriendlyName), element(asn1.SET, element(bmpString, []byte("\x00J\x00a\x00n\x00\xe9"))))
	if bytes.Compare(label, link) > 0 { // lengths come first, so the shorter one does
		t.Fatal("the order of DER")
	}
	want := replaceElement(t, p.parts[1].data, element(asn1.SET, link), element(asn1.SET, label, link))
	if !bytes.Equal(n.parts[0].data, p.parts[0].data) || !bytes.Equal(n.parts[1].data, want) {
		t.Errorf("more than the name differs:\n%x\n%x", named, plain)
	}
}
