package pfx_test

import (
	"fmt"
	"testing"

	"example.com/entracba/cba/pfx"
)

// encodings lists all of them with the password that each takes.
func encodings() map[pfx.Encoding]string {
	return map[pfx.Encoding]string{
		pfx.Compatible: testPassword, pfx.Modern: testPassword, pfx.RC2: testPassword, pfx.PBMAC1: testPassword,
		pfx.InsecureUnencrypted: "",
	}
}

func TestRoundTrip(t *testing.T) {
	for e, password := range encodings() {
		for _, key := range []string{"rsa2048", "p256", "ed25519"} {
			for n := range 3 {
				for _, name := range []string{"", "Jane", "Jané – ключ 鍵"} {
					t.Run(fmt.Sprintf("%v/%s/%d/%s", e, key, n, name), func(t *testing.T) {
						want := bundle(key, n, name)
						data, err := e.Encode(want, password)
						if err != nil {
							t.Fatal(err)
						}
						got, err := pfx.Decode(data, password)
						if err != nil {
							t.Fatal(err)
						}
						sameBundle(t, got, want)
						if _, err := pfx.Decode(data, "wrong"); reasonOf(t, err) != pfx.WrongPassword {
							t.Errorf("a wrong password gives %v", err)
						}
						in, err := pfx.Inspect(data)
						if err != nil {
							t.Fatal(err)
						}
						if in.Encoding != e || in.FriendlyName != name || in.BER {
							t.Errorf("Inspect says %v, %q, BER %v", in.Encoding, in.FriendlyName, in.BER)
						}
					})
				}
			}
		}
	}
}
