package trust_test

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"slices"
	"testing"
	"time"

	"example.com/entracba/cba/trust"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// Law: what is read is written so that reading it again gives the same value and
// the same text; no property that was read is lost but a repeated or a misspelt
// delta URL and empty texts; every error is an *Error; nothing that was read
// makes Compile or Findings panic.
func FuzzJSON(f *testing.F) {
	r := root(f, spec{name: "Root"})
	text, err := json.Marshal(configOf(f, r, r.ca(f, spec{name: "One", crl: []string{urlA}})).PKIs)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(text))
	f.Add(`{"@odata.context":"x","value":[{"displayName":"A","certificateAuthorities":[{"certificate":"AA==","new":[1e9]}]}]}`)
	f.Add(`[{"certificateAuthorities":[{"deltacertificateRevocationListUrl":"x","deltaCertificateRevocationListUrl":null}]}]`)
	f.Add(`[{"certificateAuthorities":null,"lastModifiedDateTime":"2025-06-23T10:00:00.12+02:00","":0}]`)
	f.Add(`{"value":{"certificateAuthorities":[{"isRootAuthority":null,"issuerSki":""}]}}`)
	f.Add(`[null,{"certificateAuthorities":[null]}]`)
	f.Fuzz(func(t *testing.T, text string) {
		var config trust.Config
		pkis, errPKI := trust.ParsePKIs([]byte(text))
		classic, errClassic := trust.ParseClassic([]byte(text))
		for _, err := range []error{errPKI, errClassic} {
			var e *trust.Error
			if err != nil && (!errors.As(err, &e) || e.Reason == "") {
				t.Fatalf("error without a reason: %v", err)
			}
		}
		if errPKI == nil {
			out, err := json.Marshal(pkis)
			if err != nil {
				t.Fatalf("read but not written: %v", err)
			}
			again, err := trust.ParsePKIs(out)
			if err != nil {
				t.Fatalf("%v in our own %s", err, out)
			}
			if diff := cmp.Diff(pkis, again, sameText); diff != "" {
				t.Fatalf("second reading differs:\n%s", diff)
			}
			if second, err := json.Marshal(again); err != nil || !bytes.Equal(out, second) {
				t.Fatalf("second writing differs: %v", err)
			}
			config.PKIs = pkis
		}
		if errClassic == nil {
			out, err := json.Marshal(classic)
			if err != nil {
				t.Fatalf("read but not written: %v", err)
			}
			again, err := trust.ParseClassic(out)
			if err != nil {
				t.Fatalf("%v in our own %s", err, out)
			}
			if diff := cmp.Diff(classic, again, sameText); diff != "" {
				t.Fatalf("second reading differs:\n%s", diff)
			}
			if second, err := json.Marshal(again); err != nil || !bytes.Equal(out, second) {
				t.Fatalf("second writing differs: %v", err)
			}
			config.Classic = classic
		}
		if _, err := config.Compile(trust.Options{}); err != nil {
			t.Fatal(err)
		}
		config.Findings(now)
		config.Compile(trust.Options{RefuseUnreadable: true})
	})
}

// sameText compares what programs see; that the rest is kept is held by the second
// writing.
var sameText = cmpopts.IgnoreUnexported(trust.PKI{}, trust.Authority{}, trust.Classic{}, trust.ClassicAuthority{})

// fuzzWorld is what FuzzChain picks from: a small world with every kind of
// trouble in it.
func fuzzWorld(tb testing.TB) []*entity {
	past, future := now.AddDate(0, 0, -1), now.AddDate(0, 0, 1)
	r1, r2 := root(tb, spec{name: "R1"}), root(tb, spec{name: "R2"})
	a := r1.ca(tb, spec{name: "A"})
	b := r2.ca(tb, spec{name: "B"})
	return []*entity{
		r1, r2, a, b,
		r1.ca(tb, spec{name: "A", key: a.key, to: past}),
		r2.ca(tb, spec{name: "A", key: a.key}),
		a.ca(tb, spec{name: "B", key: b.key}), b.ca(tb, spec{name: "A", key: a.key}), // a loop
		r2.ca(tb, spec{name: "R1", key: r1.key}), r1.ca(tb, spec{name: "R2", key: r2.key}), // cross-certificates
		root(tb, spec{name: "R1", key: r1.key, from: future}),
		r1.ca(tb, spec{name: "A", ski: a.SubjectKeyId}), // an impostor
		r1.ca(tb, spec{name: "N", noSKI: true}),
		r1.ca(tb, spec{name: "N", noAKI: true, key: b.key}),
		root(tb, spec{name: "P", key: r2.key, pathLen: new(int)}),
		r1.ca(tb, spec{name: "X", key: a.key, notCA: true}),
		a.user(tb, spec{name: "user a"}), b.user(tb, spec{name: "user b"}),
		a.user(tb, spec{name: "user c", noAKI: true}), a.user(tb, spec{name: "user d", signer: b.key}),
	}
}

// Law: any set of certificates as store and any as leaf gives an answer; the same
// one every time and in every order of the entries; trusted exactly if there is
// no failure; a trusted chain has signatures, key identifiers and times that fit,
// and ends at a self-signed certificate; and taking a CA of a trusted chain's own
// away never leaves that chain trusted.
func FuzzChain(f *testing.F) {
	world := fuzzWorld(f)
	f.Add([]byte{0, 2}, byte(16), byte(10), []byte(nil))
	f.Add([]byte{6, 7}, byte(17), byte(10), []byte(nil))
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17}, byte(16), byte(2), []byte(nil))
	f.Add([]byte{9, 8, 3, 5}, byte(17), byte(1), world[16].Raw)
	f.Fuzz(func(t *testing.T, picks []byte, leaf, depth byte, hostile []byte) {
		if len(picks) > 64 {
			return
		}
		var cas []*entity
		for _, p := range picks {
			cas = append(cas, world[int(p)%len(world)])
		}
		if extra, err := x509.ParseCertificate(hostile); err == nil && len(hostile) <= trust.MaxCertificateSize {
			cas = append(cas, &entity{Certificate: extra})
		}
		cert := world[int(leaf)%len(world)].Certificate
		options := trust.Options{MaxDepth: int(depth % 12)}
		got := compile(t, configOf(t, cas...), options).Chain(cert, now)
		checkChain(t, got)
		reversed := slices.Clone(cas)
		slices.Reverse(reversed)
		other := compile(t, configOf(t, reversed...), options).Chain(cert, now)
		if diff := cmp.Diff(fingerprint(got), fingerprint(other)); diff != "" {
			t.Fatalf("order matters:\n%s", diff)
		}
		for _, ca := range got.CAs {
			without := slices.DeleteFunc(slices.Clone(cas), func(e *entity) bool { return e.Equal(ca.Certificate) })
			c := compile(t, configOf(t, without...), options).Chain(cert, now)
			checkChain(t, c)
			if got.Trusted && slices.Equal(fingerprint(c), fingerprint(got)) {
				t.Fatalf("%v is not needed for its own chain", ca)
			}
		}
	})
}

func fingerprint(c trust.Chain) []string {
	var list []string
	for _, ca := range c.CAs {
		list = append(list, ca.Thumbprint)
	}
	for _, f := range c.Failures {
		list = append(list, f.Code, f.Detail)
	}
	return list
}

func checkChain(t *testing.T, c trust.Chain) {
	t.Helper()
	if c.Trusted != (len(c.Failures) == 0) || c.Trusted != (c.Code() == "") {
		t.Fatalf("Trusted %v, code %q, failures %v", c.Trusted, c.Code(), c.Failures)
	}
	c.Steps()
	if !c.Trusted {
		return
	}
	child := c.Leaf
	for i, ca := range c.CAs {
		parent := ca.Certificate
		if len(child.AuthorityKeyId) == 0 || !bytes.Equal(child.AuthorityKeyId, parent.SubjectKeyId) {
			t.Fatalf("key identifiers at %d do not fit", i)
		}
		if err := parent.CheckSignature(child.SignatureAlgorithm, child.RawTBSCertificate, child.Signature); err != nil {
			t.Fatalf("signature at %d: %v", i, err)
		}
		if now.Before(parent.NotBefore) || now.After(parent.NotAfter) || !parent.IsCA {
			t.Fatalf("CA %d is not valid or no CA", i)
		}
		child = parent
	}
	last := c.Root().Certificate
	if err := last.CheckSignature(last.SignatureAlgorithm, last.RawTBSCertificate, last.Signature); err != nil {
		t.Fatalf("the root is not self-signed: %v", err)
	}
}

// Law: reading any file gives certificates or an *Error, never both, and in
// bounded time; what was read goes into a bundle and comes back the same.
func FuzzBundle(f *testing.F) {
	r := root(f, spec{name: "Root"})
	list := certs(r, r.ca(f, spec{name: "One"}))
	p7b, err := trust.EncodeBundle(list)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(p7b)
	f.Add(slices.Concat(r.Raw, list[1].Raw))
	f.Add(pemOf(list...))
	f.Add([]byte("0\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x800\x80\x02\x01\x011\x000\x80\x00\x00\xa0\x80\x00\x001\x00\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, file []byte) {
		for _, read := range []func([]byte) ([]*x509.Certificate, error){trust.DecodeBundle, trust.ReadCertificates} {
			start := time.Now()
			got, err := read(file)
			if d := time.Since(start); d > 10*time.Second {
				t.Fatalf("%v for %d bytes", d, len(file))
			}
			var e *trust.Error
			if err != nil && (!errors.As(err, &e) || e.Reason == "" || got != nil) {
				t.Fatalf("%v with %d certificates", err, len(got))
			}
			if err != nil {
				continue
			}
			if len(got) == 0 {
				t.Fatal("neither certificates nor an error")
			}
			bundle, err := trust.EncodeBundle(got)
			if err != nil {
				if !errors.As(err, &e) || e.Reason != trust.OverLimit {
					t.Fatal(err)
				}
				continue
			}
			back, err := trust.DecodeBundle(bundle)
			if err != nil {
				t.Fatal(err)
			}
			order := func(a, b *x509.Certificate) int { return bytes.Compare(a.Raw, b.Raw) }
			slices.SortFunc(got, order)
			got = slices.CompactFunc(got, (*x509.Certificate).Equal)
			if !slices.EqualFunc(got, back, (*x509.Certificate).Equal) {
				t.Fatal("the bundle holds other certificates")
			}
		}
	})
}

// Law: a file that is read has certificates, each of which comes back from its own
// DER and PEM; one that is not has an error with a reason and no certificates.
func FuzzReadCertificates(f *testing.F) {
	r := root(f, spec{name: "Root"})
	list := certs(r, r.ca(f, spec{name: "One"}))
	p7b, err := trust.EncodeBundle(list)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(pemOf(list...))
	f.Add(list[0].Raw)
	f.Add(slices.Concat(list[0].Raw, list[1].Raw))
	f.Add(p7b)
	f.Add(pem.EncodeToMemory(&pem.Block{Type: "PKCS7", Bytes: p7b}))
	f.Add(pem.EncodeToMemory(&pem.Block{Type: "TRUSTED CERTIFICATE", Bytes: append(slices.Clone(list[0].Raw), 0x30, 0)}))
	f.Add(slices.Concat([]byte("\xef\xbb\xbf"), pemOf(list[0])))
	f.Add([]byte("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"))
	f.Add([]byte{0x30, 0x80, 0, 0})
	f.Fuzz(func(t *testing.T, file []byte) {
		before := bytes.Clone(file)
		got, err := trust.ReadCertificates(file)
		if !bytes.Equal(before, file) {
			t.Fatal("the file was changed")
		}
		if err != nil {
			var e *trust.Error
			if !errors.As(err, &e) || e.Reason == "" || !errors.Is(err, e.Reason) || got != nil || len(err.Error()) > 2000 {
				t.Fatalf("%v with %d certificates", err, len(got))
			}
			return
		}
		if len(got) == 0 {
			t.Fatal("neither certificates nor an error")
		}
		for _, cert := range got {
			for _, form := range [][]byte{cert.Raw, pemOf(cert)} {
				again, err := trust.ReadCertificates(form)
				if err != nil || len(again) != 1 || !again[0].Equal(cert) {
					t.Fatalf("%d certificates, %v, of one that was read", len(again), err)
				}
			}
		}
	})
}
