package folder_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/folder"
)

// manifestOf writes a manifest of so many users and returns its name.
func manifestOf(b *testing.B, count int) string {
	dir := b.TempDir()
	id, err := certuserid.Parse("X509:<I>CN=Contoso Issuing CA,O=Contoso<SR>0102030405060708090a0b0c0d0e0f10")
	if err != nil {
		b.Fatal(err)
	}
	u := folder.User{SerialNumber: "100f0e0d0c0b0a090807060504030201", NotAfter: time.Now(), Thumbprint: "da39a3ee5e6b4b0d3255bfef95601890afd80709",
		PFXEncoding: "compat", CertificateUserIDs: map[certuserid.Mapping]certuserid.ID{id.Mapping(): id}}
	if err := folder.WriteEntries(dir, ca, func(yield func(folder.Entry, error) bool) {
		for i := range count {
			u.UPN = fmt.Sprintf("user%d@contoso.com", i)
			u.Certificate, u.PFX = "users/"+u.UPN+".crt", "users/"+u.UPN+".pfx"
			if !yield(folder.Entry{User: u, Password: "correct-horse"}, nil) {
				return
			}
		}
	}); err != nil {
		b.Fatal(err)
	}
	return filepath.Join(dir, folder.ManifestName)
}

func BenchmarkUsers(b *testing.B) {
	const count = 10_000
	name := manifestOf(b, count)
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for _, err := range folder.Users(name) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != count {
			b.Fatal(n)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/count/1000, "µs/user")
}

func BenchmarkWriteEntries(b *testing.B) {
	for b.Loop() {
		manifestOf(b, 10_000)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/10_000/1000, "µs/user")
}
