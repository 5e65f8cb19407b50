package crl_test

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/crl/internal/crltest"
	"example.com/entracba/cba/internal/interop"
	"example.com/entracba/cba/lint"
)

// A world is one authority with what the cases of the matrix sign.
type world struct {
	ca, sameNameAndID, sameName, sameID crltest.Authority
}

const (
	goodSerial     = 0x1000
	revokedSerial  = 0x1001
	heldSerial     = 0x1002
	releasedSerial = 0x1003 // on hold in the base, removed by the delta
	newSerial      = 0x1004 // revoked by the delta only
	doomedSerial   = 0x1005 // on hold in the base, revoked for good by the delta
)

func entriesOf(pairs ...int64) []x509.RevocationListEntry {
	var entries []x509.RevocationListEntry
	for i := 0; i < len(pairs); i += 2 {
		entries = append(entries, x509.RevocationListEntry{SerialNumber: big.NewInt(pairs[i]), RevocationTime: crltest.At().Add(-2 * time.Hour), ReasonCode: int(pairs[i+1])})
	}
	return entries
}

// baseTemplate is the base list number 10; freshest makes OpenSSL look for
// deltas.
func baseTemplate() *x509.RevocationList {
	const url = "http://crl.woodgrove.com/d.crl"
	point := wrap(0x30, wrap(0x30, wrap(0x30, wrap(0xa0, wrap(0xa0, wrap(0x86, []byte(url)))))))
	var inner asn1.RawValue
	if _, err := asn1.Unmarshal(point, &inner); err != nil {
		panic(err)
	}
	return &x509.RevocationList{
		Number:                    big.NewInt(10),
		RevokedCertificateEntries: entriesOf(revokedSerial, 1, heldSerial, 6, releasedSerial, 6, doomedSerial, 6),
		ExtraExtensions:           []pkix.Extension{{Id: oidFreshest, Value: inner.Bytes}},
	}
}

func deltaTemplate(number, base int64) *x509.RevocationList {
	indicator, err := asn1.Marshal(base)
	if err != nil {
		panic(err)
	}
	return &x509.RevocationList{
		Number:                    big.NewInt(number),
		RevokedCertificateEntries: entriesOf(releasedSerial, 8, newSerial, 3, doomedSerial, 1),
		ExtraExtensions:           []pkix.Extension{{Id: oidDelta, Critical: true, Value: indicator}},
	}
}

func scope(content ...byte) pkix.Extension {
	return pkix.Extension{Id: oidIDP, Critical: true, Value: wrap(0x30, content)}
}

// A matrixCase is one answer about one certificate, ours and OpenSSL's.
type matrixCase struct {
	name   string
	serial int64
	base   func(*world) (*x509.RevocationList, crltest.Authority)
	delta  func(*world) (*x509.RevocationList, crltest.Authority)
	when   time.Time  // zero: at
	reason crl.Reason // of Check
	state  crl.State  // of Status, if there is no reason
	onCA   bool       // ask about a CA certificate

	// differs says why OpenSSL answers otherwise than we do, as Entra's rules are
	// not RFC 5280's.
	differs string
}

func plain(change ...func(*x509.RevocationList)) func(*world) (*x509.RevocationList, crltest.Authority) {
	return func(w *world) (*x509.RevocationList, crltest.Authority) {
		template := baseTemplate()
		for _, c := range change {
			c(template)
		}
		return template, w.ca
	}
}

func delta(number, base int64, change ...func(*x509.RevocationList)) func(*world) (*x509.RevocationList, crltest.Authority) {
	return func(w *world) (*x509.RevocationList, crltest.Authority) {
		template := deltaTemplate(number, base)
		for _, c := range change {
			c(template)
		}
		return template, w.ca
	}
}

func by(who func(*world) crltest.Authority, f func(*world) (*x509.RevocationList, crltest.Authority)) func(*world) (*x509.RevocationList, crltest.Authority) {
	return func(w *world) (*x509.RevocationList, crltest.Authority) {
		template, _ := f(w)
		return template, who(w)
	}
}

func with(x ...pkix.Extension) func(*x509.RevocationList) {
	return func(l *x509.RevocationList) { l.ExtraExtensions = append(l.ExtraExtensions, x...) }
}

func valid(from, to time.Duration) func(*x509.RevocationList) {
	return func(l *x509.RevocationList) {
		l.ThisUpdate, l.NextUpdate = crltest.At().Add(from), crltest.At().Add(to)
	}
}

func matrix() []matrixCase {
	forger := func(w *world) crltest.Authority { return w.sameNameAndID }
	otherKey := func(w *world) crltest.Authority { return w.sameName }
	otherName := func(w *world) crltest.Authority { return w.sameID }
	unknown := pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1}, Critical: true, Value: []byte{5, 0}}
	critical := func(l *x509.RevocationList) {
		l.RevokedCertificateEntries[0].ExtraExtensions = []pkix.Extension{unknown}
	}
	old, future := valid(-10*24*time.Hour, -time.Hour), valid(time.Hour, 48*time.Hour)
	edge := valid(-time.Hour, time.Hour)
	return []matrixCase{
		{name: "good", serial: goodSerial, base: plain(), state: crl.Good},
		{name: "revoked", serial: revokedSerial, base: plain(), state: crl.Revoked},
		{name: "on hold", serial: heldSerial, base: plain(), state: crl.OnHold},
		{name: "no list", serial: goodSerial, reason: crl.Missing},
		{name: "good, expired list", serial: goodSerial, base: plain(old), reason: crl.Expired},
		{name: "revoked, expired list", serial: revokedSerial, base: plain(old), reason: crl.Expired},
		{name: "future list", serial: goodSerial, base: plain(future), reason: crl.NotYetValid},
		{name: "first second", serial: goodSerial, base: plain(edge), when: crltest.At().Add(-time.Hour), state: crl.Good},
		{name: "a second before", serial: goodSerial, base: plain(edge), when: crltest.At().Add(-time.Hour - time.Second), reason: crl.NotYetValid},
		{name: "last second", serial: goodSerial, base: plain(edge), when: crltest.At().Add(time.Hour - time.Second), state: crl.Good},
		{name: "next update", serial: goodSerial, base: plain(edge), when: crltest.At().Add(time.Hour), reason: crl.Expired},
		{name: "forged", serial: goodSerial, base: by(forger, plain()), reason: crl.BadSignature},
		{name: "wrong key identifier", serial: goodSerial, base: by(otherKey, plain()), reason: crl.WrongKeyID},
		{name: "wrong issuer", serial: goodSerial, base: by(otherName, plain()), reason: crl.WrongIssuer},
		{name: "unknown critical extension", serial: goodSerial, base: plain(with(unknown)), reason: crl.Unsupported},
		{name: "unknown critical entry extension", serial: goodSerial, base: plain(critical), reason: crl.Unsupported},
		{name: "users only", serial: goodSerial, base: plain(with(scope(0x81, 1, 0xff))), state: crl.Good},
		{name: "users only, revoked", serial: revokedSerial, base: plain(with(scope(0x81, 1, 0xff))), state: crl.Revoked},
		{name: "CAs only, a user", serial: goodSerial, base: plain(with(scope(0x82, 1, 0xff))), state: crl.NotCovered},
		{name: "CAs only, a CA", serial: goodSerial, onCA: true, base: plain(with(scope(0x82, 1, 0xff))), state: crl.Good},
		{name: "users only, a CA", serial: goodSerial, onCA: true, base: plain(with(scope(0x81, 1, 0xff))), state: crl.NotCovered},
		{name: "attributes only", serial: goodSerial, base: plain(with(scope(0x85, 1, 0xff))), reason: crl.Unsupported},
		{name: "some reasons", serial: goodSerial, base: plain(with(scope(0x83, 2, 6, 0x40))), reason: crl.Unsupported},
		{name: "indirect", serial: goodSerial, base: plain(with(scope(0x84, 1, 0xff))), reason: crl.Unsupported,
			differs: "OpenSSL takes an indirect list whose entries are all of the list's own issuer; Entra's pages know one list an authority"},
		{name: "remove in a base", serial: 7, base: plain(func(l *x509.RevocationList) { l.RevokedCertificateEntries = entriesOf(7, 8) }), state: crl.Revoked,
			differs: "removeFromCRL belongs in deltas (RFC 5280 section 5.3.1): OpenSSL believes it in a base list, we stay on the safe side"},

		{name: "delta, good", serial: goodSerial, base: plain(), delta: delta(12, 10), state: crl.Good},
		{name: "delta, revoked in the base", serial: revokedSerial, base: plain(), delta: delta(12, 10), state: crl.Revoked},
		{name: "delta, on hold in the base", serial: heldSerial, base: plain(), delta: delta(12, 10), state: crl.OnHold},
		{name: "delta, released", serial: releasedSerial, base: plain(), delta: delta(12, 10), state: crl.Released},
		{name: "delta, revoked in the delta", serial: newSerial, base: plain(), delta: delta(12, 10), state: crl.Revoked},
		{name: "delta, hold became revocation", serial: doomedSerial, base: plain(), delta: delta(12, 10), state: crl.Revoked},
		{name: "delta of an older base", serial: newSerial, base: plain(), delta: delta(12, 9), state: crl.Revoked},
		{name: "delta not newer than the base", serial: newSerial, base: plain(), delta: delta(10, 9), state: crl.Good},
		{name: "delta not newer than the base, released", serial: releasedSerial, base: plain(), delta: delta(10, 9), state: crl.OnHold},
		{name: "delta as base", serial: goodSerial, base: delta(12, 10), reason: crl.BaseMissing},
		{name: "delta without base", serial: goodSerial, delta: delta(12, 10), reason: crl.BaseMissing},
		{name: "delta expired", serial: goodSerial, base: plain(), delta: delta(12, 10, old), reason: crl.Expired, differs: ignored},
		{name: "base expired, delta not", serial: goodSerial, base: plain(old), delta: delta(12, 10), reason: crl.Expired,
			differs: "OpenSSL lets a delta in time stand for a base that has expired; Entra needs both in time"},
		{name: "delta in the future", serial: goodSerial, base: plain(), delta: delta(12, 10, future), reason: crl.NotYetValid, differs: ignored},
		{name: "delta forged", serial: goodSerial, base: plain(), delta: by(forger, delta(12, 10)), reason: crl.BadSignature},
		{name: "delta of another key", serial: goodSerial, base: plain(), delta: by(otherKey, delta(12, 10)), reason: crl.WrongKeyID, differs: ignored},
		{name: "delta of another issuer", serial: goodSerial, base: plain(), delta: by(otherName, delta(12, 10)), reason: crl.WrongIssuer, differs: ignored},
		{name: "delta of a later base", serial: goodSerial, base: plain(), delta: delta(12, 11), reason: crl.DeltaMismatch, differs: ignored},
		{name: "delta with another scope", serial: goodSerial, base: plain(), delta: delta(12, 10, with(scope(0x81, 1, 0xff))), reason: crl.DeltaMismatch, differs: ignored},
		{name: "delta with the same scope", serial: newSerial, base: plain(with(scope(0x81, 1, 0xff))), delta: delta(12, 10, with(scope(0x81, 1, 0xff))), state: crl.Revoked},
		{name: "delta is a base", serial: goodSerial, base: plain(), delta: plain(func(l *x509.RevocationList) { l.Number = big.NewInt(12) }), reason: crl.DeltaMismatch, differs: ignored},
		{name: "delta with an unknown critical extension", serial: goodSerial, base: plain(), delta: delta(12, 10, with(unknown)), reason: crl.Unsupported},
	}
}

const ignored = "OpenSSL leaves a delta out that does not fit and goes by the base; Entra fails unless both are there and valid"

func TestMatrix(t *testing.T) {
	openssl := interop.Find(t, "openssl")
	id := []byte{1, 2, 3, 4, 5, 6, 7, 8}
	withID := func(c *x509.Certificate) { c.SubjectKeyId = id }
	w := &world{
		ca:            crltest.NewAuthority(t, "Woodgrove CA", "p256", withID),
		sameNameAndID: crltest.NewAuthority(t, "Woodgrove CA", "p256", withID),
		sameName:      crltest.NewAuthority(t, "Woodgrove CA", "p256", func(c *x509.Certificate) { c.SubjectKeyId = []byte{9, 9} }),
		sameID:        crltest.NewAuthority(t, "Contoso CA", "p256", withID),
	}
	caFile := interop.File(t, "ca.pem", crltest.PEM("CERTIFICATE", w.ca.Cert.Raw))
	cases, differences := matrix(), 0
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			when := c.when
			if when.IsZero() {
				when = crltest.At()
			}
			var set crl.Set
			var lists []byte
			for _, l := range []struct {
				make func(*world) (*x509.RevocationList, crltest.Authority)
				into **crl.List
			}{{c.base, &set.Base}, {c.delta, &set.Delta}} {
				if l.make == nil {
					continue
				}
				template, signer := l.make(w)
				der := signer.List(t, template)
				*l.into = crltest.MustParse(t, der)
				lists = append(lists, crltest.PEM("X509 CRL", der)...)
			}
			leaf := w.ca.Leaf(t, c.serial, func(template *x509.Certificate) { template.IsCA = c.onCA })

			err := set.Check(w.ca.Cert, when)
			if reason := crltest.ReasonOf(t, err); reason != c.reason {
				t.Fatalf("Check: %v, not %v", err, c.reason)
			}
			status := set.Status(leaf)
			if err == nil && status.State != c.state {
				t.Errorf("status %v, not %v", status.State, c.state)
			}
			if err != nil && err.(*crl.Error).Delta != strings.HasPrefix(c.name, "delta") && c.reason != crl.BaseMissing {
				t.Errorf("%v", err)
			}
			weAccept := err == nil && status.OK()
			if err == nil && weAccept == (status.Code() != "") {
				t.Errorf("%+v has the code %q", status, status.Code())
			}

			args := []string{"verify", "-crl_check", "-use_deltas", "-extended_crl", "-attime", fmt.Sprint(when.Unix()), "-CAfile", caFile}
			if len(lists) > 0 {
				args = append(args, "-CRLfile", interop.File(t, "lists.pem", lists))
			}
			r := openssl.Try(t, nil, append(args, interop.File(t, "leaf.pem", crltest.PEM("CERTIFICATE", leaf.Raw)))...)
			theyAccept := r.Code == 0
			switch {
			case c.differs == "" && weAccept != theyAccept:
				t.Errorf("we accept: %t, OpenSSL: %t\n%s%s", weAccept, theyAccept, r.Stdout, r.Stderr)
			case c.differs != "" && weAccept == theyAccept:
				t.Errorf("OpenSSL agrees now, although %s", c.differs)
			case c.differs != "":
				differences++
			}
		})
	}
	if len(cases) < 45 || differences > 10 {
		t.Errorf("%d cases, %d differences", len(cases), differences)
	}
}

func TestCheckIssuer(t *testing.T) {
	ca := crltest.NewAuthority(t, "Woodgrove CA", "p256")
	list := crltest.MustParse(t, ca.List(t, &x509.RevocationList{}))
	noKeyID := crltest.MustParse(t, bytes.Replace(list.Raw, []byte{0x55, 0x1d, 0x23}, []byte{0x55, 0x1d, 0x22}, 1))
	change := func(f func(*x509.Certificate)) *x509.Certificate {
		c := *ca.Cert
		f(&c)
		return &c
	}
	rsaCA := crltest.NewAuthority(t, "Woodgrove CA", "rsa")
	for name, c := range map[string]struct {
		list   *crl.List
		ca     *x509.Certificate
		reason crl.Reason
		says   string
	}{
		"good":               {list, ca.Cert, "", ""},
		"nobody":             {list, nil, crl.WrongIssuer, "no CA to check"},
		"no AKI":             {noKeyID, ca.Cert, crl.WrongKeyID, "the CRL has no authority key identifier"},
		"no SKI":             {list, change(func(c *x509.Certificate) { c.SubjectKeyId = nil }), crl.WrongKeyID, "no subject key identifier"},
		"neither":            {noKeyID, change(func(c *x509.Certificate) { c.SubjectKeyId = nil }), crl.WrongKeyID, ""},
		"no CA":              {list, change(func(c *x509.Certificate) { c.IsCA = false }), crl.BadSignature, "not a CA's"},
		"no constraints":     {list, change(func(c *x509.Certificate) { c.BasicConstraintsValid = false }), crl.BadSignature, ""},
		"no CRL sign":        {list, change(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCertSign }), crl.BadSignature, "key usage"},
		"no key usage":       {list, change(func(c *x509.Certificate) { c.KeyUsage = 0 }), "", ""},
		"another key":        {list, change(func(c *x509.Certificate) { c.PublicKey = crltest.NewKey(t, "p256").Public() }), crl.BadSignature, "did not make"},
		"another key type":   {list, change(func(c *x509.Certificate) { c.PublicKey = rsaCA.Key.Public() }), crl.BadSignature, "not of the kind"},
		"no key":             {list, change(func(c *x509.Certificate) { c.PublicKey = nil }), crl.BadSignature, ""},
		"name in lower case": {list, crltest.NewAuthority(t, "woodgrove  ca", "p256", func(c *x509.Certificate) { c.SubjectKeyId = ca.Cert.SubjectKeyId }).Cert, crl.BadSignature, ""},
	} {
		err := c.list.CheckIssuer(c.ca)
		if crltest.ReasonOf(t, err) != c.reason {
			t.Errorf("%s: %v, not %v", name, err, c.reason)
		}
		if err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %q does not say %q", name, err, c.says)
		}
	}
	err := list.CheckIssuer(change(func(c *x509.Certificate) { c.SubjectKeyId = []byte{0xab} })).(*crl.Error)
	if !bytes.Equal(err.CAKeyID, []byte{0xab}) || !bytes.Equal(err.ListKeyID, ca.Cert.SubjectKeyId) || err.Code() != "AADSTS2205015" {
		t.Errorf("%+v", err)
	}
}

func TestCheckAfter(t *testing.T) {
	ca := crltest.NewAuthority(t, "Woodgrove CA", "p256")
	number := func(n int64, from time.Duration) *crl.List {
		return crltest.MustParse(t, ca.List(t, &x509.RevocationList{Number: big.NewInt(n), ThisUpdate: crltest.At().Add(from)}))
	}
	first, same, second := number(1, 0), number(1, time.Second), number(2, 0)
	none := crltest.MustParse(t, bytes.Replace(second.Raw, []byte{0x55, 0x1d, 0x14}, []byte{0x55, 0x1d, 0x7f}, 1))
	for _, c := range []struct {
		list, previous *crl.List
		reason         crl.Reason
	}{
		{first, nil, ""}, {first, first, ""}, {second, first, ""}, {second, none, ""},
		{first, second, crl.NumberWentBack}, {same, first, crl.NumberWentBack}, {none, first, crl.NumberWentBack},
	} {
		if err := c.list.CheckAfter(c.previous); crltest.ReasonOf(t, err) != c.reason {
			t.Errorf("%v", err)
		}
	}
}

func TestFindings(t *testing.T) {
	ca := crltest.NewAuthority(t, "Woodgrove CA", "p256")
	big1 := new(big.Int).Lsh(big.NewInt(1), 158)
	publish := func(d time.Duration) pkix.Extension {
		return pkix.Extension{Id: oidPublish, Value: derOf(t, crltest.At().Add(d))}
	}
	make1 := func(change ...func(*x509.RevocationList)) *crl.List {
		template := &x509.RevocationList{ThisUpdate: crltest.At().Add(-24 * time.Hour), NextUpdate: crltest.At().Add(6 * 24 * time.Hour)}
		for _, c := range change {
			c(template)
		}
		return crltest.MustParse(t, ca.List(t, template))
	}
	swap := func(l *crl.List, from, to string) *crl.List {
		changed := bytes.ReplaceAll(l.Raw, []byte(from), []byte(to))
		if bytes.Equal(changed, l.Raw) {
			t.Fatal("nothing to change")
		}
		return crltest.MustParse(t, changed)
	}
	good := make1(with(publish(24 * time.Hour)))
	rsaList := crltest.MustParse(t, crltest.NewAuthority(t, "Woodgrove CA", "rsa").List(t, &x509.RevocationList{ExtraExtensions: crltest.Extension(oidPublish, derOf(t, crltest.At().Add(time.Hour)))}))
	asDelta := func(number, base int64) *crl.List {
		return crltest.MustParse(t, ca.List(t, deltaTemplate(number, base)))
	}
	seen := make(map[string]lint.Finding)
	for name, c := range map[string]struct {
		set  crl.Set
		want string
	}{
		"good":           {crl.Set{Base: good}, ""},
		"none":           {crl.Set{}, "crl-none"},
		"no publish":     {crl.Set{Base: make1()}, "crl-no-next-publish"},
		"overdue":        {crl.Set{Base: make1(with(publish(-time.Hour)))}, "crl-overdue"},
		"soon":           {crl.Set{Base: make1(with(publish(0)), valid(-10*time.Hour, 30*time.Minute))}, "crl-expires-soon"},
		"expired":        {crl.Set{Base: make1(with(publish(-2*time.Hour)), valid(-10*time.Hour, -time.Hour))}, "crl-expired"},
		"future":         {crl.Set{Base: make1(with(publish(2*time.Hour)), valid(time.Hour, 9*time.Hour))}, "crl-not-yet-valid"},
		"long":           {crl.Set{Base: make1(with(publish(40*24*time.Hour)), valid(0, 90*24*time.Hour))}, "crl-long-lived"},
		"no key id":      {crl.Set{Base: swap(good, "\x55\x1d\x23", "\x55\x1d\x22")}, "crl-no-key-id"},
		"no number":      {crl.Set{Base: swap(good, "\x55\x1d\x14", "\x55\x1d\x7f")}, "crl-no-number"},
		"large number":   {crl.Set{Base: make1(with(publish(24*time.Hour)), func(l *x509.RevocationList) { l.Number = big1 })}, ""},
		"negative":       {crl.Set{Base: swap(good, "\x55\x1d\x14\x04\x03\x02\x01\x01", "\x55\x1d\x14\x04\x03\x02\x01\xff")}, "crl-odd-number"},
		"SHA-1":          {crl.Set{Base: swap(rsaList, "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b", "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05")}, "crl-sha1"},
		"algorithm":      {crl.Set{Base: swap(good, "\x2a\x86\x48\xce\x3d\x04\x03\x02", "\x2a\x86\x48\xce\x3d\x04\x01\x00")}, "crl-unknown-algorithm"},
		"unsupported":    {crl.Set{Base: make1(with(publish(24*time.Hour), scope(0x84, 1, 0xff)))}, "crl-unsupported"},
		"scope":          {crl.Set{Base: make1(with(publish(24*time.Hour), scope(0x81, 1, 0xff)))}, "crl-scope"},
		"partition":      {crl.Set{Base: make1(with(publish(24*time.Hour), scope(wrap(0xa0, wrap(0xa0, wrap(0x86, []byte("http://a"))))...)))}, "crl-partition"},
		"remove in base": {crl.Set{Base: make1(with(publish(24*time.Hour)), func(l *x509.RevocationList) { l.RevokedCertificateEntries = entriesOf(7, 8) })}, "crl-remove-in-base"},
		"duplicates":     {crl.Set{Base: make1(with(publish(24*time.Hour)), func(l *x509.RevocationList) { l.RevokedCertificateEntries = entriesOf(7, 1, 7, 1) })}, "crl-duplicates"},
		"delta, old":     {crl.Set{Base: make1(with(publish(24*time.Hour)), func(l *x509.RevocationList) { l.Number = big.NewInt(5) }), Delta: asDelta(5, 4)}, "crl-delta-old crl-no-next-publish"},
		"delta, other":   {crl.Set{Base: good, Delta: asDelta(5, 4)}, "crl-delta-mismatch crl-no-next-publish"},
		"delta, alone":   {crl.Set{Delta: asDelta(5, 4)}, "crl-delta-without-base crl-no-next-publish"},
		"delta, odd":     {crl.Set{Delta: asDelta(4, 5)}, "crl-delta-without-base crl-no-next-publish crl-delta-odd"},
		"delta as base":  {crl.Set{Base: asDelta(5, 4)}, "crl-delta-as-base crl-no-next-publish"},
		"delta unused":   {crl.Set{Base: crltest.MustParse(t, ca.List(t, baseTemplate()))}, "crl-delta-unused crl-no-next-publish"},
	} {
		var codes []string
		for _, f := range c.set.Findings(crltest.At()) {
			codes = append(codes, f.Code)
			seen[f.Code] = f
			if f.Severity == 0 || f.What == "" || f.Where == "" || f.Source == "" {
				t.Errorf("%s: half a finding: %+v", name, f)
			}
		}
		if got := strings.Join(codes, " "); got != c.want {
			t.Errorf("%s: %q, not %q", name, got, c.want)
		}
	}
	// The size, at and above each limit of the service.
	for bytes, want := range map[int64]string{
		16e6: "", 16e6 + 1: "crl-growing", 20e6: "crl-growing", 20e6 + 1: "crl-large", 45e6 + 1: "crl-large", 65e6: "crl-large",
		65e6 + 1: "crl-too-large", 150e6 + 1: "crl-too-large",
	} {
		got := ""
		for _, f := range (&crl.List{Raw: make([]byte, bytes)}).Findings(crltest.At()) {
			seen[f.Code] = f
			if f.Where == "base" {
				got += f.Code
			}
		}
		if got != want {
			t.Errorf("%d bytes: %q, not %q", bytes, got, want)
		}
	}
	for _, url := range []string{"ldap:///CN=CDP", "https://crl.woodgrove.com/a.crl", "http://pki/a.crl", "http://crl.woodgrove.com/a.pem"} {
		for _, f := range crl.URLFindings(url) {
			seen[f.Code] = f
		}
	}
	// Every rule of the table fires, and no finding is of another.
	for _, r := range crl.Rules() {
		f, ok := seen[r.Code]
		if !ok {
			t.Errorf("nothing makes a finding with code %q", r.Code)
		}
		if f.Severity != r.Severity || f.Effect != r.Effect || f.Do != r.Do || f.Source != r.Source || f.Source.URL() == "" || r.What == "" {
			t.Errorf("finding %+v is not of its rule %+v", f, r)
		}
		delete(seen, r.Code)
	}
	if len(seen) > 0 {
		t.Errorf("codes outside the table: %v", seen)
	}
}

// Nil and zero arguments are errors or empty answers.
func TestNil(t *testing.T) {
	ca := crltest.NewAuthority(t, "Woodgrove CA", "p256")
	for name, l := range map[string]*crl.List{"nil": nil, "zero": {}} {
		if _, ok := l.Lookup(big.NewInt(1)); ok || l.Len() != 0 || l.IsDelta() || l.Issuer() != "" || slices.Collect(l.All()) != nil {
			t.Errorf("%s has something", name)
		}
		for what, err := range map[string]error{"CheckIssuer": l.CheckIssuer(ca.Cert), "Check": l.Check(ca.Cert, crltest.At()), "nobody": l.Check(nil, crltest.At()),
			"Set": crl.Set{Base: l, Delta: l}.Check(ca.Cert, crltest.At())} {
			if crltest.ReasonOf(t, err) == "" {
				t.Errorf("%s, %s: no error", name, what)
			}
		}
		if len(l.Findings(crltest.At())) == 0 || len(crl.Set{Delta: l}.Findings(crltest.At())) == 0 {
			t.Errorf("%s: nothing is found", name)
		}
		if (crl.Set{Base: l}).Status(nil).OK() || (crl.Set{Base: l, Delta: l}).Status(&x509.Certificate{}).State == crl.Revoked {
			t.Errorf("%s: a state", name)
		}
	}
	if (crl.Set{}).Status(ca.Cert).OK() {
		t.Error("without CRLs a certificate is good")
	}
	if err := (*crl.List)(nil).CheckAfter(nil); crltest.ReasonOf(t, err) != crl.Missing {
		t.Error(err)
	}
	for name, s := range map[string]crl.Source{"Static": crl.Static(nil), "Dir": crl.Dir(""), "Keep": crl.Keep(crl.Static(nil)), "First": crl.First(crl.Static(nil))} {
		//lint:ignore SA1012 a nil context must not panic
		if l, err := s.Fetch(nil, "http://a/a.crl", ca.Cert); l != nil || err == nil {
			t.Errorf("%s without a context: %v", name, err)
		}
	}
	var e *crl.Error
	_ = e.Error()
}

// A key of a size that would take seconds verifies nothing.
func TestHugeKey(t *testing.T) {
	ca := crltest.NewAuthority(t, "Woodgrove CA", "rsa")
	list := crltest.MustParse(t, ca.List(t, &x509.RevocationList{}))
	huge := *ca.Cert
	huge.PublicKey = &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 1<<19-1, 1), E: 1<<31 - 1}
	start := time.Now()
	err := list.CheckIssuer(&huge)
	if crltest.ReasonOf(t, err) != crl.BadSignature || !strings.Contains(err.Error(), "16384 bits") {
		t.Errorf("after %v: %v", time.Since(start), err)
	}
}
