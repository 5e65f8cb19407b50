package crl_test

import (
	"crypto/fips140"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/crl/internal/crltest"
	"example.com/entracba/cba/crl/publish"
	"example.com/entracba/cba/internal/interop"
)

// ours issues a base list and a delta list that have every kind of entry.
func ours(t *testing.T, ca crltest.Authority, algorithm x509.SignatureAlgorithm) crl.Set {
	t.Helper()
	issuer := issuerOf(t, ca)
	var all []crl.Revocation
	for reason := crl.Unspecified; reason <= crl.AACompromise; reason++ {
		if reason == 7 || reason == crl.RemoveFromCRL {
			continue
		}
		serial := new(big.Int).Lsh(big.NewInt(0x80+int64(reason)), uint(8*reason)) // of 1 to 11 bytes, the top bit set
		all = append(all, crl.Revocation{Serial: serial, Time: crltest.At().Add(-time.Duration(reason) * time.Hour), Reason: reason})
	}
	all = append(all, crl.Revocation{Serial: big.NewInt(5), Time: time.Date(2051, 1, 1, 0, 0, 0, 0, time.UTC)})
	if err := issuer.Revoke(ctx, all...); err != nil {
		t.Fatal(err)
	}
	o := publish.Options{ThisUpdate: crltest.At().Add(-time.Hour), Number: 4096, SignatureAlgorithm: algorithm, FreshestCRL: []string{"http://crl.woodgrove.com/delta.crl"}}
	base := crltest.Must[*crl.List](t)(issuer.Base(ctx, o))
	if err := issuer.Release(ctx, new(big.Int).Lsh(big.NewInt(0x86), 48)); err != nil {
		t.Fatal(err)
	}
	delta := crltest.Must[*crl.List](t)(issuer.Delta(ctx, publish.Options{ThisUpdate: crltest.At().Add(-time.Hour), SignatureAlgorithm: algorithm}))
	return crl.Set{Base: base, Delta: delta}
}

var kinds = []struct {
	key          string
	algorithm    x509.SignatureAlgorithm
	scheme, hash string // Python's names
}{
	{"rsa", 0, "rsa", "SHA256"}, {"rsa", x509.SHA384WithRSA, "rsa", "SHA384"}, {"rsa", x509.SHA512WithRSA, "rsa", "SHA512"},
	{"rsa", x509.SHA256WithRSAPSS, "pss", "SHA256"}, {"rsa", x509.SHA384WithRSAPSS, "pss", "SHA384"}, {"rsa", x509.SHA512WithRSAPSS, "pss", "SHA512"},
	{"p256", 0, "ecdsa", "SHA256"}, {"p384", 0, "ecdsa", "SHA384"}, {"p521", 0, "ecdsa", "SHA512"}, {"p256", x509.ECDSAWithSHA512, "ecdsa", "SHA512"},
	{"ed25519", 0, "ed25519", "SHA256"},
}

func TestOthersReadOurLists(t *testing.T) {
	t.Run("crypto/x509", func(t *testing.T) {
		for _, k := range kinds {
			ca := crltest.NewAuthority(t, "Woodgrove CA", k.key)
			set := ours(t, ca, k.algorithm)
			for _, list := range []*crl.List{set.Base, set.Delta} {
				checkAgainstX509(t, list.Raw)
				if err := crltest.Must[*x509.RevocationList](t)(x509.ParseRevocationList(list.Raw)).CheckSignatureFrom(ca.Cert); err != nil {
					t.Errorf("%v %v: %v", k.key, k.algorithm, err)
				}
			}
		}
	})
	t.Run("openssl", func(t *testing.T) {
		openssl := interop.Find(t, "openssl")
		for _, k := range kinds {
			ca := crltest.NewAuthority(t, "Woodgrove CA", k.key)
			set := ours(t, ca, k.algorithm)
			caFile := interop.File(t, "ca.pem", crltest.PEM("CERTIFICATE", ca.Cert.Raw))
			for _, list := range []*crl.List{set.Base, set.Delta} {
				r := openssl.Try(t, list.Raw, "crl", "-inform", "DER", "-noout", "-text", "-CAfile", caFile)
				if r.Code != 0 || !strings.Contains(r.Stderr, "verify OK") {
					t.Errorf("%v %v: %s%s", k.key, k.algorithm, r.Stdout, r.Stderr)
				}
				want := []string{
					"Version 2 (0x1)", "Last Update: Mar 10 11:00:00 2026 GMT", "X509v3 Authority Key Identifier",
					strings.ToUpper(fmt.Sprintf("%X", ca.Cert.SubjectKeyId[:1])) + ":",
					"1.3.6.1.4.1.311.21.4",
				}
				if list.IsDelta() {
					want = append(want, "X509v3 Delta CRL Indicator: critical\n                4096", "X509v3 CRL Number: \n                4097",
						"Next Update: Mar 11 11:00:00 2026 GMT", "Serial Number: 86000000000000", "Remove From CRL")
				} else {
					want = append(want, "X509v3 CRL Number: \n                4096", "Next Update: Mar 17 11:00:00 2026 GMT",
						"X509v3 Freshest CRL", "URI:http://crl.woodgrove.com/delta.crl",
						"Key Compromise", "CA Compromise", "Affiliation Changed", "Superseded", "Cessation Of Operation", "Certificate Hold",
						"Privilege Withdrawn", "AA Compromise", "Jan  1 00:00:00 2051 GMT", "Serial Number: 8A00000000000000000000")
				}
				for _, text := range want {
					if !strings.Contains(r.Stdout, text) {
						t.Errorf("%v %v: no %q in\n%s", k.key, k.algorithm, text, r.Stdout)
					}
				}
			}
		}
	})
	t.Run("python", func(t *testing.T) {
		python := interop.Python(t)
		for _, k := range kinds {
			ca := crltest.NewAuthority(t, "Woodgrove CA", k.key)
			set := ours(t, ca, k.algorithm)
			lists := []*crl.List{set.Base, set.Delta}
			if k.key != "rsa" || k.algorithm != 0 {
				lists = lists[:1]
			}
			for _, list := range lists {
				out := python.Run(t, []byte(readWithPython), "-", interop.File(t, "list.crl", list.Raw), interop.File(t, "ca.der", ca.Cert.Raw), k.scheme, k.hash)
				var got pythonList
				if err := json.Unmarshal([]byte(out), &got); err != nil {
					t.Fatalf("%v\n%s", err, out)
				}
				if diff := cmp.Diff(asPython(list, ca), got); diff != "" {
					t.Errorf("%v %v (-ours +python):\n%s", k.key, k.algorithm, diff)
				}
			}
		}
	})
	t.Run("gnutls", func(t *testing.T) {
		certtool := interop.Find(t, "certtool")
		set := ours(t, crltest.NewAuthority(t, "Woodgrove CA", "rsa"), 0)
		out := certtool.Run(t, set.Base.Raw, "--crl-info", "--inder")
		for _, text := range []string{"CRL Number (not critical): 1000", "Issued: Tue Mar 10 11:00:00 UTC 2026", "Revoked certificates (10)", "Authority Key Identifier"} {
			if !strings.Contains(out, text) {
				t.Errorf("no %q in\n%s", text, out)
			}
		}
	})
}

// A pythonList is what the package cryptography reads from a list.
type pythonList struct {
	Valid   bool
	This    string
	Next    string
	Number  string
	Base    string
	KeyID   string
	Publish string
	Entries []string
}

const readWithPython = `
import sys, json
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
raw = open(sys.argv[1], "rb").read()
ca = x509.load_der_x509_certificate(open(sys.argv[2], "rb").read())
c = x509.load_der_x509_crl(raw)
utc = lambda o, name: (getattr(o, name + "_utc", None) or getattr(o, name)).strftime("%Y-%m-%dT%H:%M:%SZ")
def ext(t, f):
    try: return f(c.extensions.get_extension_for_class(t).value)
    except x509.ExtensionNotFound: return ""
def reason(e):
    try: return e.extensions.get_extension_for_class(x509.CRLReason).value.reason.value
    except x509.ExtensionNotFound: return "unspecified"
publish = [e.value.value for e in c.extensions if e.oid.dotted_string == "1.3.6.1.4.1.311.21.4"]
key, hash = ca.public_key(), getattr(hashes, sys.argv[4])()
how = dict(rsa=(padding.PKCS1v15(), hash), pss=(padding.PSS(padding.MGF1(hash), hash.digest_size), hash), ecdsa=(ec.ECDSA(hash),), ed25519=())[sys.argv[3]]
try: valid = key.verify(c.signature, c.tbs_certlist_bytes, *how) is None
except InvalidSignature: valid = False
print(json.dumps(dict(
    Valid=valid, This=utc(c, "last_update"), Next=utc(c, "next_update"),
    Number=ext(x509.CRLNumber, lambda v: str(v.crl_number)), Base=ext(x509.DeltaCRLIndicator, lambda v: str(v.crl_number)),
    KeyID=ext(x509.AuthorityKeyIdentifier, lambda v: v.key_identifier.hex()), Publish=publish[0].hex() if publish else "",
    Entries=["%d %s %s" % (e.serial_number, utc(e, "revocation_date"), reason(e)) for e in c])))
`

func asPython(l *crl.List, ca crltest.Authority) pythonList {
	p := pythonList{
		Valid: true, This: l.ThisUpdate.Format(time.RFC3339), Next: l.NextUpdate.Format(time.RFC3339),
		Number: l.Number.String(), KeyID: fmt.Sprintf("%x", ca.Cert.SubjectKeyId),
		Entries: []string{},
	}
	if l.IsDelta() {
		p.Base = l.BaseNumber.String()
	}
	if !l.NextPublish.IsZero() {
		p.Publish = fmt.Sprintf("170d%x", l.NextPublish.Format("060102150405Z"))
	}
	for e := range l.All() {
		reason := e.Reason.String()
		p.Entries = append(p.Entries, fmt.Sprintf("%v %s %s", e.Serial(), e.Time.Format(time.RFC3339), reason))
	}
	return p
}

// Lists of OpenSSL's ca command, with every reason that it writes.
func TestWeReadOpenSSL(t *testing.T) {
	openssl := interop.Find(t, "openssl")
	pss := func(salt string) []string {
		return []string{"-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:" + salt}
	}
	for _, c := range []struct {
		key, hash string
		reason    crl.Reason
		options   []string
	}{
		{key: "rsa", hash: "sha256"}, {key: "rsa", hash: "sha1"}, {key: "rsa", hash: "sha512"},
		{key: "p256", hash: "sha256"}, {key: "p256", hash: "sha1"}, {key: "p521", hash: "sha512"}, {key: "ed25519", hash: "null"},
		{key: "rsa", hash: "sha384", options: pss("digest")},
		{key: "rsa", hash: "sha256", options: pss("20"), reason: crl.Unsupported}, // the default, left out; nor does crypto/x509
		{key: "rsa", hash: "sha256", options: pss("30"), reason: crl.Unsupported},
	} {
		key, hash := c.key, c.hash
		ca := crltest.NewAuthority(t, "Woodgrove CA", key)
		folder := t.TempDir()
		write := func(name, content string) string {
			path := filepath.Join(folder, name)
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		}
		reasons := []string{"", ",unspecified", ",keyCompromise", ",CACompromise", ",affiliationChanged", ",superseded", ",cessationOfOperation", ",certificateHold",
			",removeFromCRL", ",holdInstruction,holdInstructionReject", ",keyTime,20251231235959Z", ",CAkeyTime,20251231235959Z"}
		var index strings.Builder
		for n, reason := range reasons {
			fmt.Fprintf(&index, "R\t351231235959Z\t2601020304%02dZ%s\tF%03X\tunknown\t/CN=user%d\n", n, reason, n, n)
		}
		write("index", index.String())
		write("number", "0BAD\n")
		conf := write("conf", fmt.Sprintf(`[ca]
default_ca = d
[d]
database = %[1]s/index
crlnumber = %[1]s/number
default_md = %[2]s
crl_extensions = x
[x]
authorityKeyIdentifier = keyid:always,issuer:always
issuingDistributionPoint = critical,@idp
[idp]
fullname = URI:http://crl.woodgrove.com/users.crl
onlyuser = TRUE
`, folder, hash))
		keyDER := crltest.Must[[]byte](t)(x509.MarshalPKCS8PrivateKey(ca.Key))
		out := filepath.Join(folder, "out.pem")
		openssl.Run(t, nil, append([]string{"ca", "-config", conf, "-gencrl", "-crldays", "30", "-batch", "-out", out,
			"-cert", write("ca.pem", string(crltest.PEM("CERTIFICATE", ca.Cert.Raw))), "-keyfile", write("key.pem", string(crltest.PEM("PRIVATE KEY", keyDER)))},
			c.options...)...)
		der := openssl.Run(t, nil, "crl", "-in", out, "-outform", "DER")
		list := checkAgainstX509(t, []byte(der))
		reason := c.reason
		if hash == "sha1" && fips140.Enforced() {
			reason = crl.Unsupported
		}
		if err := list.CheckIssuer(ca.Cert); crltest.ReasonOf(t, err) != reason {
			t.Errorf("%s: %v", key, err)
		}
		if list.Number.Int64() != 0xbad || list.Len() != len(reasons) || !list.Scope.OnlyUsers || len(list.Scope.URLs) != 1 {
			t.Errorf("%s: number %v, %d entries, scope %+v", key, list.Number, list.Len(), list.Scope)
		}
		if list.Findings(crltest.At()).Has("crl-sha1") != (hash == "sha1") {
			t.Errorf("%s, %s: %v", key, hash, list.Findings(crltest.At()))
		}
		want := []crl.RevocationReason{0, 0, crl.KeyCompromise, crl.CACompromise, crl.AffiliationChanged, crl.Superseded, crl.CessationOfOperation, crl.CertificateHold,
			crl.RemoveFromCRL, crl.CertificateHold, crl.KeyCompromise, crl.CACompromise}
		for n, reason := range want {
			e, ok := list.Lookup(big.NewInt(0xF000 + int64(n)))
			if !ok || e.Reason != reason || !e.Time.Equal(time.Date(2026, 1, 2, 3, 4, n, 0, time.UTC)) {
				t.Errorf("%s: entry %d is %+v, %t", key, n, e, ok)
			}
			if hasDate := n >= 10; hasDate == e.InvalidityDate.IsZero() {
				t.Errorf("%s: entry %d has the invalidity date %v", key, n, e.InvalidityDate)
			}
		}
	}
}

const writeWithPython = `
import sys, json, datetime as dt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
ca = x509.load_der_x509_certificate(open(sys.argv[1], "rb").read())
key = serialization.load_der_private_key(open(sys.argv[2], "rb").read(), None)
what = sys.argv[3]
now = dt.datetime(2026, 3, 10, 11)
b = x509.CertificateRevocationListBuilder().issuer_name(ca.subject).last_update(now).next_update(now + dt.timedelta(days=7))
b = b.add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value), False)
b = b.add_extension(x509.CRLNumber(2**80), False)
def entry(serial, *exts):
    r = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now)
    for e, critical in exts: r = r.add_extension(e, critical)
    return r.build()
if what == "delta": b = b.add_extension(x509.DeltaCRLIndicator(2**79), True)
if what == "freshest": b = b.add_extension(x509.FreshestCRL([x509.DistributionPoint([x509.UniformResourceIdentifier("http://a/1"), x509.UniformResourceIdentifier("http://a/2")], None, None, None)]), False)
idp = dict(full_name=None, relative_name=None, only_contains_user_certs=False, only_contains_ca_certs=False, only_some_reasons=None, indirect_crl=False, only_contains_attribute_certs=False)
flags = dict(users=dict(only_contains_user_certs=True), cas=dict(only_contains_ca_certs=True), reasons=dict(only_some_reasons=frozenset([x509.ReasonFlags.key_compromise])),
    indirect=dict(indirect_crl=True), attributes=dict(only_contains_attribute_certs=True), point=dict(full_name=[x509.UniformResourceIdentifier("http://a/3")]))
if what in flags: b = b.add_extension(x509.IssuingDistributionPoint(**{**idp, **flags[what]}), True)
if what == "critical": b = b.add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.7"), b"\x05\x00"), True)
b = b.add_revoked_certificate(entry(2**120 + 1, (x509.CRLReason(x509.ReasonFlags.privilege_withdrawn), False), (x509.InvalidityDate(dt.datetime(2026, 1, 1)), False)))
if what == "entry": b = b.add_revoked_certificate(entry(7, (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.8"), b"\x05\x00"), True)))
if what == "issuer": b = b.add_revoked_certificate(entry(7, (x509.CertificateIssuer([x509.DirectoryName(ca.subject)]), True)))
sys.stdout.buffer.write(b.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER))
`

// Lists of Python's cryptography, with the extensions that OpenSSL's ca command
// cannot write.
func TestWeReadPython(t *testing.T) {
	python := interop.Python(t)
	ca := crltest.NewAuthority(t, "Woodgrove CA", "p256")
	caFile := interop.File(t, "ca.der", ca.Cert.Raw)
	keyFile := interop.File(t, "key.der", crltest.Must[[]byte](t)(x509.MarshalPKCS8PrivateKey(ca.Key)))
	for what, c := range map[string]struct {
		reason crl.Reason
		ok     func(*crl.List) bool
	}{
		"plain":      {"", func(l *crl.List) bool { return !l.IsDelta() && !l.Scope.Present }},
		"delta":      {"", func(l *crl.List) bool { return l.IsDelta() && l.BaseNumber.BitLen() == 80 }},
		"freshest":   {"", func(l *crl.List) bool { return cmp.Equal(l.FreshestCRL, []string{"http://a/1", "http://a/2"}) }},
		"users":      {"", func(l *crl.List) bool { return l.Scope.OnlyUsers && !l.Scope.OnlyCAs }},
		"cas":        {"", func(l *crl.List) bool { return l.Scope.OnlyCAs && !l.Scope.OnlyUsers }},
		"point":      {"", func(l *crl.List) bool { return cmp.Equal(l.Scope.URLs, []string{"http://a/3"}) }},
		"reasons":    {crl.Unsupported, func(l *crl.List) bool { return l.Scope.OnlySomeReasons }},
		"indirect":   {crl.Unsupported, func(l *crl.List) bool { return l.Scope.Indirect }},
		"attributes": {crl.Unsupported, func(l *crl.List) bool { return l.Scope.OnlyAttributes }},
		"critical":   {crl.Unsupported, func(l *crl.List) bool { return l.Findings(crltest.At()).Has("crl-unsupported") }},
		"entry":      {crl.Unsupported, func(l *crl.List) bool { return l.Len() == 2 }},
		"issuer":     {crl.Unsupported, func(l *crl.List) bool { return l.Len() == 2 }},
	} {
		t.Run(what, func(t *testing.T) {
			der := python.Run(t, []byte(writeWithPython), "-", caFile, keyFile, what)
			list := checkAgainstX509(t, []byte(der))
			if !c.ok(list) {
				t.Errorf("%+v", list.Scope)
			}
			if err := list.CheckIssuer(ca.Cert); crltest.ReasonOf(t, err) != c.reason {
				t.Errorf("%v", err)
			}
			e, ok := list.Lookup(new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), 120), big.NewInt(1)))
			if !ok || e.Reason != crl.PrivilegeWithdrawn || !e.InvalidityDate.Equal(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)) {
				t.Errorf("%+v %t", e, ok)
			}
			if list.Number.BitLen() != 81 {
				t.Errorf("number %v", list.Number)
			}
		})
	}
}
