package trust_test

import (
	"bytes"
	"crypto"
	"crypto/fips140"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/trust"
	"github.com/google/go-cmp/cmp"
)

// A chainCase is a store and a user certificate with the expected answer.
type chainCase struct {
	name   string
	reason string
	cas    []*entity
	leaf   *entity
	at     time.Time // zero: now
	opt    trust.Options
	want   []string // the CAs of the chain
	fail   []string // cause@place code; empty if trusted
	// openssl is what `openssl verify` is to say: "" the same as we do, else
	// why it differs.
	openssl string
}

func chainCases(t testing.TB) []chainCase {
	past, future := now.AddDate(0, 0, -1), now.AddDate(0, 0, 1)
	r := root(t, spec{name: "Root"})
	i := r.ca(t, spec{name: "Issuing"})
	user := i.user(t, spec{name: "jane"})
	other := root(t, spec{name: "Other"})

	expiredI := r.ca(t, spec{name: "Issuing", to: past})
	futureI := r.ca(t, spec{name: "Issuing", from: future})
	oldI := r.ca(t, spec{name: "Old issuing", key: i.key, to: past})
	renewedI := r.ca(t, spec{name: "Issuing", key: i.key, to: now.AddDate(5, 0, 0)})
	expiredR := root(t, spec{name: "Root", key: r.key, to: past})
	cross := other.ca(t, spec{name: "Root", key: r.key})
	wrongKey := r.ca(t, spec{name: "Issuing", signer: other.key})
	impostor := r.ca(t, spec{name: "Issuing", ski: i.SubjectKeyId})
	noSKI := r.ca(t, spec{name: "No SKI", noSKI: true})
	noAKI := r.ca(t, spec{name: "No AKI", noAKI: true})
	notCA := r.ca(t, spec{name: "Not a CA", notCA: true})
	noSign := r.ca(t, spec{name: "No certSign", usage: x509.KeyUsageDigitalSignature})
	short := root(t, spec{name: "Short", pathLen: new(int)})
	shortI := short.ca(t, spec{name: "Under short"})
	shortCross := r.ca(t, spec{name: "Short", key: short.key})
	one := root(t, spec{name: "One", pathLen: new(1)})
	oneI := one.ca(t, spec{name: "I"})
	oneNew, oneMore := oneI.ca(t, spec{name: "I", aki: oneI.SubjectKeyId}), oneI.ca(t, spec{name: "J"})
	renamed := i.user(t, spec{name: "alex", issuer: "Another name"})

	falseRoot := root(t, spec{name: "Root", key: r.key, signer: other.key})
	falseRootAKI := root(t, spec{name: "Root", key: r.key, signer: other.key, ski: r.SubjectKeyId, aki: r.SubjectKeyId})
	small := root(t, spec{name: "Small", key: smallKey(t)})
	smallI := small.ca(t, spec{name: "Under small"})

	// Two CAs that certify each other, and no root.
	keyA, keyB := newKey(t), newKey(t)
	seedB := root(t, spec{name: "B", key: keyB})
	a := seedB.ca(t, spec{name: "A", key: keyA})
	b := a.ca(t, spec{name: "B", key: keyB})

	deep := []*entity{r}
	for n := 1; n <= 10; n++ {
		deep = append(deep, deep[n-1].ca(t, spec{name: fmt.Sprintf("Deep %d", n)}))
	}
	deepNames := func(from int) []string {
		var list []string
		for n := from; n > 0; n-- {
			list = append(list, fmt.Sprintf("Deep %d", n))
		}
		return append(list, "Root")
	}

	return []chainCase{
		{name: "good", reason: "root and issuing CA are there",
			cas: []*entity{r, i}, leaf: user, want: []string{"Issuing", "Root"}},
		{name: "root issues users", reason: "one CA is a whole chain",
			cas: []*entity{r}, leaf: r.user(t, spec{name: "jane"}), want: []string{"Root"}},
		{name: "empty store", reason: "nobody is trusted", leaf: user,
			fail: []string{"issuer-not-found@0 AADSTS500176"}},
		{name: "no issuing CA", reason: "a gap right above the user",
			cas: []*entity{r}, leaf: user, fail: []string{"issuer-not-found@0 AADSTS500176"}},
		{name: "no root", reason: "a gap at the top",
			cas: []*entity{i}, leaf: user, want: []string{"Issuing"},
			fail: []string{"issuer-not-found@1 AADSTS500176"}},
		{name: "no middle CA", reason: "a gap in the middle",
			cas: []*entity{r, deep[1], deep[3]}, leaf: deep[3].user(t, spec{name: "jane"}), want: []string{"Deep 3"},
			fail: []string{"issuer-not-found@1 AADSTS500176"}},
		{name: "unrelated root", reason: "another root does not help",
			cas: []*entity{other, i}, leaf: user, want: []string{"Issuing"},
			fail: []string{"issuer-not-found@1 AADSTS500176"}},
		{name: "leaf expired", reason: "500172", cas: []*entity{r, i},
			leaf: i.user(t, spec{name: "jane", to: past}), want: []string{"Issuing", "Root"},
			fail: []string{"expired@0 AADSTS500172"}},
		{name: "leaf not yet valid", reason: "500172", cas: []*entity{r, i},
			leaf: i.user(t, spec{name: "jane", from: future}), want: []string{"Issuing", "Root"},
			fail: []string{"not-yet-valid@0 AADSTS500172"}},
		{name: "last second", reason: "validity includes its end", cas: []*entity{r, i},
			leaf: i.user(t, spec{name: "jane", to: now}), want: []string{"Issuing", "Root"},
			openssl: "RFC 5280 section 4.1.2.5 says through notAfter, inclusive; OpenSSL ends a second earlier"},
		{name: "first second", reason: "validity includes its beginning", cas: []*entity{r, i},
			leaf: i.user(t, spec{name: "jane", from: now}), want: []string{"Issuing", "Root"}},
		{name: "issuing CA expired", reason: "500176 names an expired CA", cas: []*entity{r, expiredI},
			leaf: expiredI.user(t, spec{name: "jane"}), want: []string{"Issuing", "Root"},
			fail: []string{"expired@1 AADSTS500176"}},
		{name: "issuing CA not yet valid", reason: "500172", cas: []*entity{r, futureI},
			leaf: futureI.user(t, spec{name: "jane"}), want: []string{"Issuing", "Root"},
			fail: []string{"not-yet-valid@1 AADSTS500172"}},
		{name: "root expired", reason: "the root counts too", cas: []*entity{expiredR, i}, leaf: user,
			want: []string{"Issuing", "Root"}, fail: []string{"expired@2 AADSTS500176"}},
		{name: "renewed CA", reason: "old and new certificate of one key: the new one is taken", cas: []*entity{oldI, renewedI, r},
			leaf: user, want: []string{"Issuing", "Root"}},
		{name: "renewed root", reason: "the valid root is taken", cas: []*entity{expiredR, r, i}, leaf: user,
			want: []string{"Issuing", "Root"}},
		{name: "cross-certificate beside root", reason: "the shorter way wins", cas: []*entity{cross, r, i, other},
			leaf: user, want: []string{"Issuing", "Root"}},
		{name: "cross-certificate for an expired root", reason: "the longer way is good", cas: []*entity{cross, expiredR, i, other},
			leaf: user, want: []string{"Issuing", "Root", "Other"},
			openssl: "OpenSSL takes the first trusted certificate of that name and tries no other when it has expired"},
		{name: "cross-certificate alone", reason: "its root is missing", cas: []*entity{cross, i},
			leaf: user, want: []string{"Issuing", "Root"}, fail: []string{"issuer-not-found@2 AADSTS500176"}},
		{name: "wrong signer of leaf", reason: "the key identifier fits, the key does not", cas: []*entity{r, i},
			leaf: i.user(t, spec{name: "jane", signer: other.key}), fail: []string{"wrong-signature@0 AADSTS50017"}},
		{name: "wrong signer of CA", reason: "a broken link higher up", cas: []*entity{r, wrongKey},
			leaf: wrongKey.user(t, spec{name: "jane"}), want: []string{"Issuing"},
			fail: []string{"wrong-signature@1 AADSTS50017"}},
		{name: "stolen key identifier", reason: "a CA with the right identifier and another key must not hide the right one",
			cas: []*entity{impostor, i, r}, leaf: user, want: []string{"Issuing", "Root"},
			openssl: "OpenSSL takes the first certificate that fits by name and identifier and tries no other when the signature is wrong"},
		{name: "only the impostor", reason: "identifier alone proves nothing", cas: []*entity{impostor, r}, leaf: user,
			fail: []string{"wrong-signature@0 AADSTS50017"}},
		{name: "root with a wrong signature", reason: "a root proves itself", cas: []*entity{falseRoot, i}, leaf: user,
			want: []string{"Issuing", "Root"}, fail: []string{"wrong-signature@2 AADSTS50017"}},
		{name: "root with a wrong signature and AKI", reason: "the same with an authority key identifier", cas: []*entity{falseRootAKI, i}, leaf: user,
			want: []string{"Issuing", "Root"}, fail: []string{"wrong-signature@2 AADSTS50017"}},
		{name: "small RSA key", reason: "crypto/rsa refuses keys below 1,024 bits", cas: []*entity{small}, leaf: small.user(t, spec{name: "jane"}),
			fail: []string{"unchecked-signature@0 AADSTS50017"}, openssl: "OpenSSL still checks RSA keys of 768 bits"},
		{name: "small RSA root", reason: "nor can it prove itself", cas: []*entity{small, smallI}, leaf: smallI.user(t, spec{name: "jane"}),
			want: []string{"Under small"}, fail: []string{"unchecked-signature@1 AADSTS50017"}, openssl: "OpenSSL still checks RSA keys of 768 bits"},
		{name: "loop", reason: "two CAs that certify each other end", cas: []*entity{a, b}, leaf: a.user(t, spec{name: "jane"}),
			want: []string{"A", "B"}, fail: []string{"no-root@2 AADSTS500176"}},
		{name: "loop with an exit", reason: "the way out is found", cas: []*entity{a, b, seedB}, leaf: a.user(t, spec{name: "jane"}),
			want: []string{"A", "B"}},
		{name: "leaf without AKI", reason: "never found by name", cas: []*entity{r, i},
			leaf: i.user(t, spec{name: "jane", noAKI: true}), fail: []string{"no-authority-key-id@0 AADSTS500176"},
			openssl: "RFC 5280 finds issuers by name"},
		{name: "CA without SKI", reason: "nothing leads to it", cas: []*entity{r, noSKI},
			leaf: noSKI.user(t, spec{name: "jane", aki: i.SubjectKeyId}), fail: []string{"issuer-not-found@0 AADSTS500176"},
			openssl: "RFC 5280 finds issuers by name"},
		{name: "CA without AKI", reason: "its issuer is not found", cas: []*entity{r, noAKI},
			leaf: noAKI.user(t, spec{name: "jane"}), want: []string{"No AKI"}, fail: []string{"no-authority-key-id@1 AADSTS500176"},
			openssl: "RFC 5280 finds issuers by name"},
		{name: "wrong AKI", reason: "an identifier that nobody has", cas: []*entity{r, i},
			leaf: i.user(t, spec{name: "jane", aki: []byte("nobody")}), fail: []string{"issuer-not-found@0 AADSTS500176"}},
		{name: "issuer renamed", reason: "the name does not matter", cas: []*entity{r, i}, leaf: renamed,
			want: []string{"Issuing", "Root"}, openssl: "RFC 5280 section 6.1.3 (a)(4): names must chain"},
		{name: "issuer not a CA", reason: "RFC 5280 6.1.4 (k)", cas: []*entity{r, notCA},
			leaf: notCA.user(t, spec{name: "jane"}), want: []string{"Not a CA", "Root"}, fail: []string{"not-a-ca@1 AADSTS50017"}},
		{name: "issuer not a CA, documented rules", reason: "no page names basic constraints", cas: []*entity{r, notCA},
			leaf: notCA.user(t, spec{name: "jane"}), want: []string{"Not a CA", "Root"}, opt: trust.Options{DocumentedOnly: true},
			openssl: "asked for less than RFC 5280"},
		{name: "issuer without keyCertSign", reason: "RFC 5280 6.1.4 (n)", cas: []*entity{r, noSign},
			leaf: noSign.user(t, spec{name: "jane"}), want: []string{"No certSign", "Root"},
			fail: []string{"no-cert-sign@1 AADSTS50017"}},
		{name: "path length", reason: "RFC 5280 6.1.4 (m)", cas: []*entity{short, shortI},
			leaf: shortI.user(t, spec{name: "jane"}), want: []string{"Under short", "Short"}, fail: []string{"path-too-long@2 AADSTS50017"}},
		{name: "path length and a self-issued CA", reason: "a CA's new key under its old one does not count", cas: []*entity{one, oneI, oneNew},
			leaf: oneNew.user(t, spec{name: "jane"}), want: []string{"I", "I", "One"}},
		{name: "path length and one more CA", reason: "its twin", cas: []*entity{one, oneI, oneMore},
			leaf: oneMore.user(t, spec{name: "jane"}), want: []string{"J", "I", "One"}, fail: []string{"path-too-long@3 AADSTS50017"}},
		{name: "short way with a path length", reason: "the longer way is good", cas: []*entity{short, shortCross, r, shortI},
			leaf: shortI.user(t, spec{name: "jane"}), want: []string{"Under short", "Short", "Root"},
			openssl: "OpenSSL takes the first trusted certificate of that name and tries no other"},
		{name: "path length kept", reason: "its twin", cas: []*entity{short},
			leaf: short.user(t, spec{name: "jane"}), want: []string{"Short"}},
		{name: "ten CAs", reason: "the most that are followed", cas: deep[:10],
			leaf: deep[9].user(t, spec{name: "jane"}), want: deepNames(9)},
		{name: "eleven CAs", reason: "one more", cas: deep[:11],
			leaf: deep[10].user(t, spec{name: "jane"}), want: deepNames(10), fail: []string{"too-deep@11 AADSTS50017"},
			openssl: "RFC 5280 has no such limit"},
		{name: "three allowed of two", reason: "the limit is an option", cas: deep[:3], opt: trust.Options{MaxDepth: 2},
			leaf: deep[2].user(t, spec{name: "jane"}), want: deepNames(2), fail: []string{"too-deep@3 AADSTS50017"},
			openssl: "RFC 5280 has no such limit"},
		{name: "everything wrong", reason: "all failures are told, times from the leaf up, then the rest",
			cas:  []*entity{expiredR, r.ca(t, spec{name: "X", key: notCA.key, ski: notCA.SubjectKeyId, notCA: true, to: past})},
			leaf: notCA.user(t, spec{name: "jane", to: past}), want: []string{"X", "Root"},
			fail: []string{"expired@0 AADSTS500172", "expired@1 AADSTS500176", "expired@2 AADSTS500176", "not-a-ca@1 AADSTS50017"}},
		{name: "leaf expired and gap", reason: "the gap comes first", cas: []*entity{r},
			leaf: i.user(t, spec{name: "jane", to: past}), fail: []string{"issuer-not-found@0 AADSTS500176", "expired@0 AADSTS500172"}},
		{name: "zero time", reason: "a forgotten time refuses", cas: []*entity{r, i}, leaf: user, at: time.Unix(0, 0),
			want: []string{"Issuing", "Root"},
			fail: []string{"not-yet-valid@0 AADSTS500172", "not-yet-valid@1 AADSTS500172", "not-yet-valid@2 AADSTS500172"}},
	}
}

// smallKey is an RSA key that Go makes and uses only if told to.
func smallKey(t testing.TB) crypto.Signer {
	t.Helper()
	t.Setenv("GODEBUG", "rsa1024min=0")
	var key *rsa.PrivateKey
	var err error
	fips140.WithoutEnforcement(func() { key, err = rsa.GenerateKey(rand.Reader, 768) })
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// A user's certificate may hold anything; what is said about it stays short.
func TestHugeCertificate(t *testing.T) {
	r := root(t, spec{name: "Root"})
	huge := make([]byte, 5<<20)
	value, err := asn1.Marshal(huge)
	if err != nil {
		t.Fatal(err)
	}
	var policies []string
	for n := range 1000 {
		policies = append(policies, fmt.Sprintf("1.2.3.%d", n))
	}
	i := r.ca(t, spec{name: "Issuing", policies: []string{"1.2.3.1"}})
	for name, leaf := range map[string]*entity{
		"AKI":       i.user(t, spec{name: "jane", aki: huge}),
		"name":      i.user(t, spec{name: strings.Repeat("x", 5<<20)}),
		"extension": i.user(t, spec{name: "jane", extra: []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3}, Value: value}}}),
		"policies":  i.user(t, spec{name: "jane", policies: policies}),
	} {
		c := storeOf(t, r, i).Chain(leaf.Certificate, now)
		if c.Trusted != (name != "AKI") {
			t.Errorf("%s: trusted = %v", name, c.Trusted)
		}
		for _, s := range c.Steps() {
			if len(s.Detail) > 3000 {
				t.Errorf("%s: step %q has a detail of %d bytes", name, s.Name, len(s.Detail))
			}
		}
	}
}

func TestChain(t *testing.T) {
	cases := chainCases(t)
	if len(cases) < 40 {
		t.Fatalf("only %d cases", len(cases))
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if c.reason == "" {
				t.Fatal("a case needs its reason")
			}
			at := c.at
			if at.IsZero() {
				at = now
			}
			entities := slices.Clone(c.cas)
			for range 2 { // the other order must give the same
				got := compile(t, configOf(t, entities...), c.opt).Chain(c.leaf.Certificate, at)
				if diff := cmp.Diff(c.want, names(got)); diff != "" {
					t.Errorf("CAs (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(c.fail, causes(got)); diff != "" {
					t.Errorf("failures (-want +got):\n%s", diff)
				}
				if got.Trusted != (len(c.fail) == 0) {
					t.Errorf("Trusted = %v", got.Trusted)
				}
				if (got.Root() != nil) != got.Trusted {
					t.Errorf("Root = %v", got.Root())
				}
				checkSteps(t, got)
				slices.Reverse(entities)
			}
		})
	}
}

// checkSteps holds the promise of Steps: every failure is told once, no other
// step fails, and everything has a source.
func checkSteps(t *testing.T, c trust.Chain) {
	t.Helper()
	failed := 0
	for _, s := range c.Steps() {
		if s.Outcome == lint.Fail {
			failed++
			if s.Code == "" {
				t.Errorf("failed step without a code: %+v", s)
			}
		}
		if s.Source == "" || s.Detail == "" || s.Name == "" {
			t.Errorf("step without source, detail or name: %+v", s)
		}
	}
	if failed != len(c.Failures) {
		t.Errorf("%d steps failed, %d failures:\n%+v\n%+v", failed, len(c.Failures), c.Steps(), c.Failures)
	}
}

func TestChainOfNothing(t *testing.T) {
	leaf := root(t, spec{name: "R"}).user(t, spec{name: "jane"}).Certificate
	var none *trust.Store
	for name, c := range map[string]trust.Chain{
		"nil store":  none.Chain(leaf, now),
		"zero store": new(trust.Store).Chain(leaf, now),
		"nil leaf":   none.Chain(nil, now),
		"zero chain": {},
		"zero cert":  storeOf(t).Chain(&x509.Certificate{}, now),
	} {
		if c.Trusted || c.Root() != nil {
			t.Errorf("%s: trusted", name)
		}
		c.Steps()
	}
	nobody := none.Chain(nil, now)
	if code := nobody.Code(); code != "AADSTS50192" {
		t.Errorf("code for no certificate = %q", code)
	}
	if h := none.Hints(); len(h.List) != 0 || len(none.CAs()) != 0 || none.WithSKI("00") != nil {
		t.Error("a nil store has CAs")
	}
}

// A self-signed certificate that is itself a root of the store is its own
// issuer: it is trusted as far as the store goes, with a remark.
func TestLeafIsStoredRoot(t *testing.T) {
	r := root(t, spec{name: "Root", aki: []byte{1, 2, 3}, ski: []byte{1, 2, 3}})
	c := storeOf(t, r).Chain(r.Certificate, now)
	if !c.Trusted || len(c.CAs) != 1 {
		t.Fatalf("%v %v", names(c), causes(c))
	}
	if !slices.ContainsFunc(c.Steps(), func(s lint.Step) bool { return s.Outcome == lint.Warn && s.Name == "basic constraints" }) {
		t.Error("no remark that the leaf is a CA")
	}
}

// Only a self-signed certificate ends a chain, unless the option says to believe
// the mark in the store.
func TestRootByFlag(t *testing.T) {
	r := root(t, spec{name: "Root"})
	i := r.ca(t, spec{name: "Issuing"})
	leaf := i.user(t, spec{name: "jane"}).Certificate
	for _, c := range []struct {
		kind    trust.AuthorityType
		option  bool
		trusted bool
	}{
		{trust.Root, false, false}, {trust.Root, true, true},
		{trust.Intermediate, false, false}, {trust.Intermediate, true, false},
	} {
		config := configOf(t, i)
		config.PKIs[0].CertificateAuthorities[0].CertificateAuthorityType = c.kind
		chain := compile(t, config, trust.Options{RootByFlag: c.option}).Chain(leaf, now)
		if chain.Trusted != c.trusted {
			t.Errorf("%s, option %v: trusted = %v", c.kind, c.option, chain.Trusted)
		}
		checkSteps(t, chain)
	}
}

func TestExplanationsNameTheNamesake(t *testing.T) {
	r := root(t, spec{name: "Root"})
	before := r.ca(t, spec{name: "Issuing"})
	after := r.ca(t, spec{name: "Issuing"}) // a new key
	c := storeOf(t, r, after).Chain(before.user(t, spec{name: "jane"}).Certificate, now)
	want := fmt.Sprintf("its authority key identifier is %x, and no CA of the trust stores has this subject key identifier; "+
		`PKI "Contoso PKI", CA "Issuing" has the issuer's name, but the subject key identifier %x`, before.SubjectKeyId, after.SubjectKeyId)
	if got := c.Failures[0].Detail; got != want {
		t.Errorf("detail\n got %s\nwant %s", got, want)
	}
}

// Warnings do not change the verdict; each has a twin in the good chain, which
// has none.
func TestRemarks(t *testing.T) {
	r := root(t, spec{name: "Root"})
	i := r.ca(t, spec{name: "Issuing", policies: []string{"1.2.3"}})
	odd := pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}}
	for _, c := range []struct {
		leaf *entity
		want []string
	}{
		{i.user(t, spec{name: "plain"}), nil},
		{i.user(t, spec{name: "same policy", policies: []string{"1.2.3"}}), nil},
		{i.user(t, spec{name: "other policy", policies: []string{"1.2.3", "1.2.4"}}), []string{"policies"}},
		{i.user(t, spec{name: "critical", extra: []pkix.Extension{odd}}), []string{"critical extension"}},
		{i.user(t, spec{name: "renamed", issuer: "X"}), []string{"issuer name"}},
		{&entity{Certificate: resign(t, i.user(t, spec{name: "SHA-1"}).Certificate, i)}, []string{"signature algorithm"}},
	} {
		chain := storeOf(t, r, i).Chain(c.leaf.Certificate, now)
		if fips140.Enforced() && c.leaf.SignatureAlgorithm == x509.ECDSAWithSHA1 {
			if len(chain.Failures) != 1 || chain.Failures[0].Cause != trust.UncheckedSignature {
				t.Errorf("%s under fips140=only: %v", c.leaf.Subject, causes(chain))
			}
			continue
		}
		if !chain.Trusted {
			t.Errorf("%s: %v", c.leaf.Subject, causes(chain))
		}
		var got []string
		for _, s := range chain.Steps() {
			if s.Outcome == lint.Warn {
				got = append(got, s.Name)
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.leaf.Subject, diff)
		}
	}
}

func TestStoreIsSafeForConcurrentUse(t *testing.T) {
	r := root(t, spec{name: "Root"})
	i := r.ca(t, spec{name: "Issuing"})
	store, leaf := storeOf(t, r, i), i.user(t, spec{name: "jane"}).Certificate
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				c := store.Chain(leaf, now)
				if !c.Trusted || len(c.Steps()) == 0 || len(store.Hints().List) != 2 || len(store.CAs()) != 2 {
					t.Error("wrong answer")
				}
			}
		})
	}
	wg.Wait()
}

func TestEnumsHaveTexts(t *testing.T) {
	checkTexts(t, trust.ClassicStore)
	checkTexts(t, trust.CRLsDiffer)
	checkTexts(t, trust.IssuerUnreadable)
}

// checkTexts holds that every value up to the last has a text of its own, which
// comes back through JSON, and that no other has.
func checkTexts[T interface {
	~uint8
	fmt.Stringer
}](t *testing.T, last T) {
	t.Helper()
	seen := map[string]bool{}
	for v := T(1); v <= last; v++ {
		text, err := json.Marshal(v)
		var back T
		if err != nil || json.Unmarshal(text, &back) != nil || back != v || seen[v.String()] {
			t.Errorf("%T %d is %s, %v, %v", v, v, text, back, err)
		}
		seen[v.String()] = true
	}
	for _, v := range []T{0, last + 1} {
		if text, err := json.Marshal(v); err == nil {
			t.Errorf("%T %d was written as %s: is one missing in this test?", v, v, text)
		}
	}
}

// Nil and zero arguments give an error or an empty answer, and panic nowhere.
func TestNilAndZero(t *testing.T) {
	var pki *trust.PKI
	var ca *trust.CA
	var store *trust.Store
	if pki.SetCRLs(nil, &x509.Certificate{}) != 0 || ca.Hinted() || ca.InPKI("") || store.CAs() != nil || store.WithSKI("00") != nil || len(store.Hints().List) != 0 {
		t.Error("nil has something")
	}
	if err := pki.UnmarshalJSON([]byte("{}")); !errors.Is(err, trust.WrongType) {
		t.Errorf("into nil: %v", err)
	}
	for _, c := range []trust.Chain{{}, {CAs: []*trust.CA{nil}}, {Leaf: &x509.Certificate{}, CAs: []*trust.CA{{}}}, {Leaf: &x509.Certificate{}}, store.Chain(&x509.Certificate{}, now), store.Chain(nil, now)} {
		c.Steps()
		c.Code()
		if c.Root() != nil || (trust.Hints{List: []trust.Hint{{}, {CAs: []*trust.CA{nil}}}}).Reach(c) {
			t.Errorf("%+v has something", c)
		}
	}
	(trust.Hints{List: []trust.Hint{{}, {CAs: []*trust.CA{nil}}}}).Pool()
	for name, err := range map[string]error{
		"NewAuthority":     second(trust.NewAuthority(&x509.Certificate{})),
		"NewPKI":           second(trust.NewPKI("P", []*x509.Certificate{nil})),
		"EncodeBundle":     second(trust.EncodeBundle([]*x509.Certificate{{}})),
		"DecodeBundle":     second(trust.DecodeBundle(nil)),
		"ReadCertificates": second(trust.ReadCertificates(nil)),
		"ParsePKIs":        second(trust.ParsePKIs(nil)),
		"ParseClassic":     second(trust.ParseClassic(nil)),
	} {
		var e *trust.Error
		if !errors.As(err, &e) || e.Reason == "" || !errors.Is(err, e.Reason) || e.Reason.Error() == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if list := (trust.PKIs{{}}).Lacking([]*x509.Certificate{nil}); len(list) != 0 {
		t.Errorf("nil is lacking: %v", list)
	}
	trust.CRLURLs(&x509.Certificate{})
	(trust.Config{}).Findings(time.Time{})
	trust.FileHash(nil)
}

func second[T any](_ T, err error) error { return err }

// A CA that was issued under its own name by another key is not a root with a wrong
// signature: its issuer is missing.
func TestMissingIssuerOfASelfIssuedCA(t *testing.T) {
	old := root(t, spec{name: "Contoso Root"})
	renewed := old.ca(t, spec{name: "Contoso Root", aki: old.SubjectKeyId})
	c := storeOf(t, renewed).Chain(renewed.user(t, spec{name: "jane"}).Certificate, now)
	if c.Trusted || c.Failures[0].Cause != trust.IssuerNotFound || c.Failures[0].At != 1 {
		t.Errorf("%v", causes(c))
	}
	if c := storeOf(t, renewed, old).Chain(renewed.user(t, spec{name: "jane"}).Certificate, now); !c.Trusted {
		t.Errorf("%v", causes(c))
	}
}

// unsupported is the certificate of a CA with a negative serial number, which
// crypto/x509 does not read.
func unsupported(t *testing.T, cert *x509.Certificate) []byte {
	t.Helper()
	der := bytes.Clone(cert.Raw)
	at := bytes.Index(der, []byte{0xa0, 3, 2, 1, 2, 2}) // the version, and the tag of the serial number
	if at < 0 {
		t.Fatal("no serial number")
	}
	der[at+7] |= 0x80
	if _, err := x509.ParseCertificate(der); err == nil {
		t.Fatal("crypto/x509 reads it")
	}
	return der
}

// A CA that crypto/x509 does not read stops no answer. A chain that ends at it says
// that, and not that the CA is missing; a chain beside it is trusted.
func TestUnsupportedCA(t *testing.T) {
	r := root(t, spec{name: "Root"})
	i := r.ca(t, spec{name: "Issuing"})
	config := configOf(t, r)
	config.PKIs[0].CertificateAuthorities = append(config.PKIs[0].CertificateAuthorities,
		trust.Authority{DisplayName: "Odd", Certificate: unsupported(t, i.Certificate), CertificateAuthorityType: trust.Intermediate})
	store := compile(t, config, trust.Options{})
	left := store.Unreadable()
	if len(left) != 1 || left[0].Certificate == nil || !bytes.Equal(left[0].Certificate.SubjectKeyId, i.SubjectKeyId) || !errors.Is(left[0].Err, trust.Unsupported) {
		t.Fatalf("%+v", left)
	}
	c := store.Chain(i.user(t, spec{name: "jane"}).Certificate, now)
	if c.Trusted || c.Failures[0].Cause != trust.IssuerUnreadable || !strings.Contains(c.Failures[0].Detail, `CA "Odd"`) {
		t.Errorf("%v", c.Failures)
	}
	checkSteps(t, c)
	if c := store.Chain(r.user(t, spec{name: "jane"}).Certificate, now); !c.Trusted {
		t.Errorf("%v", c.Failures)
	}
	if c := store.Chain(root(t, spec{name: "Other"}).user(t, spec{name: "jane"}).Certificate, now); c.Failures[0].Cause != trust.IssuerNotFound {
		t.Errorf("%v", c.Failures)
	}
	if !config.Findings(now).Has("trust-ca-unreadable") {
		t.Error("not reported")
	}
}
