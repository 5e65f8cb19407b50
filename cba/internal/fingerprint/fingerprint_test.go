package fingerprint_test

import (
	"encoding/hex"
	"os"
	"os/exec"
	"testing"

	"example.com/entracba/cba/internal/fingerprint"
)

// The vectors of FIPS 180: "abc", and the same in parts.
func TestSHA1(t *testing.T) {
	const abc = "a9993e364706816aba3e25717850c26c9cd0d89d"
	for _, parts := range [][][]byte{{[]byte("abc")}, {[]byte("a"), nil, []byte("bc")}} {
		if sum := fingerprint.SHA1(parts...); hex.EncodeToString(sum[:]) != abc {
			t.Errorf("%q: %x", parts, sum)
		}
	}
	if sum := fingerprint.SHA1(); hex.EncodeToString(sum[:]) != "da39a3ee5e6b4b0d3255bfef95601890afd80709" {
		t.Errorf("nothing: %x", sum)
	}
}

// The same where SHA-1 is refused.
func TestFIPSOnly(t *testing.T) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestSHA1$", "-test.v")
	cmd.Env = append(os.Environ(), "GODEBUG=fips140=only")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func BenchmarkSHA1(b *testing.B) {
	in := make([]byte, 1000)
	b.ReportAllocs()
	for b.Loop() {
		fingerprint.SHA1(in)
	}
}
