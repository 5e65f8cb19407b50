package saved_test

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"

	"example.com/entracba/cba/signin"
	"example.com/entracba/cba/trust"
	"example.com/entracba/examples/internal/saved"
)

// A URL that no CA has is told, with those that there are.
func TestUnused(t *testing.T) {
	var c saved.CRLs
	f := flag.NewFlagSet("x", flag.ContinueOnError)
	c.Register(f)
	if err := f.Parse([]string{"-crl", "http://a/ca.crl=a", "-crl", "http://a/delta.crl=a", "-crl", "http://a/classic.crl=a", "-crl", "http://a/cb.crl=a"}); err != nil {
		t.Fatal(err)
	}
	one := signin.Config{Trust: trust.Config{PKIs: trust.PKIs{{CertificateAuthorities: []trust.Authority{{CertificateRevocationListURL: "http://a/ca.crl", DeltaCertificateRevocationListURL: "http://a/delta.crl"}}}}}}
	other := signin.Config{Trust: trust.Config{Classic: trust.Classic{CertificateAuthorities: []trust.ClassicAuthority{{CertificateRevocationListURL: "http://a/classic.crl"}}}}}
	var b bytes.Buffer
	c.Unused(&b, one, other)
	if want := "-crl http://a/cb.crl: not used, because no CA of the tenant has this CRL URL; they have http://a/ca.crl, http://a/classic.crl, http://a/delta.crl\n"; b.String() != want {
		t.Errorf("%s", b.String())
	}
	b.Reset()
	c.Unused(&b, signin.Config{})
	if n := bytes.Count(b.Bytes(), []byte("none has a URL\n")); n != 4 {
		t.Errorf("%s", b.String())
	}
}

// Changed begins with a command that copies what is there: a file, or a folder.
func TestChanged(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := errors.Join(os.WriteFile("tenant.json", nil, 0o600), os.Mkdir("folder", 0o700)); err != nil {
		t.Fatal(err)
	}
	for original, want := range map[string]string{"tenant.json": "cp tenant.json then.json", "folder": "cp -R folder then.json"} {
		if err := saved.Changed("then.json", original, fs.ErrNotExist); !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if err := saved.Changed("then.json", "folder", io.EOF); err != io.EOF {
		t.Error(err)
	}
}
