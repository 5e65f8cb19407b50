package trust_test

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba/keyid"
	"example.com/entracba/cba/trust"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const (
	urlA  = "http://crl.contoso.com/a.crl"
	urlB  = "http://crl.contoso.com/b.crl"
	ldapA = "ldap:///CN=A?certificateRevocationList"
)

// Learn, "Prioritization between a PKI-based trust store and a classic CA store".
func TestPrecedence(t *testing.T) {
	r := root(t, spec{name: "Root"})
	for _, c := range []struct {
		name         string
		pki, classic []string // CRL and delta URLs; nil: not in that store
		want         trust.Origin
		crl, delta   string
		why          trust.Precedence
	}{
		{"PKI alone", []string{urlA, ""}, nil, trust.PKIStore, urlA, "", trust.OnlyEntry},
		{"classic alone", nil, []string{urlA, ""}, trust.ClassicStore, urlA, "", trust.OnlyEntry},
		{"both the same", []string{urlA, ""}, []string{urlA, ""}, trust.PKIStore, urlA, "", trust.PKIPreferred},
		{"both without", []string{"", ""}, []string{"", ""}, trust.PKIStore, "", "", trust.PKIPreferred},
		{"only classic has a CRL", []string{"", ""}, []string{urlA, urlB}, trust.ClassicStore, urlA, urlB, trust.PKIHasNoCRL},
		{"only classic has a CRL, of ldap", []string{"", ""}, []string{ldapA, ""}, trust.PKIStore, "", "", trust.PKIPreferred},
		{"only PKI has a CRL", []string{urlA, ""}, []string{"", ""}, trust.PKIStore, urlA, "", trust.PKIPreferred},
		{"they differ", []string{urlA, ""}, []string{urlB, ""}, trust.ClassicStore, urlB, "", trust.CRLsDiffer},
		{"only the deltas differ", []string{urlA, ""}, []string{urlA, urlB}, trust.PKIStore, urlA, "", trust.PKIPreferred},
	} {
		var config trust.Config
		if c.pki != nil {
			config = configOf(t, r)
			config.PKIs[0].CertificateAuthorities[0].CertificateRevocationListURL = c.pki[0]
			config.PKIs[0].CertificateAuthorities[0].DeltaCertificateRevocationListURL = c.pki[1]
		}
		if c.classic != nil {
			config.Classic.CertificateAuthorities = []trust.ClassicAuthority{{
				Certificate: r.Raw, IsRootAuthority: true,
				CertificateRevocationListURL: c.classic[0], DeltaCertificateRevocationListURL: c.classic[1],
			}}
		}
		cas := compile(t, config, trust.Options{}).CAs()
		if len(cas) != 1 {
			t.Fatalf("%s: %d CAs", c.name, len(cas))
		}
		ca := cas[0]
		if ca.Origin != c.want || ca.CRL != c.crl || ca.DeltaCRL != c.delta || ca.Why != c.why {
			t.Errorf("%s: %v, %q, %q, %v", c.name, ca.Origin, ca.CRL, ca.DeltaCRL, ca.Why)
		}
		wantOthers := 0
		if c.pki != nil && c.classic != nil {
			wantOthers = 1
		}
		if len(ca.Others) != wantOthers || wantOthers == 1 && ca.Others[0].Origin == ca.Origin {
			t.Errorf("%s: others = %v", c.name, ca.Others)
		}
	}
}

// One certificate in several PKIs: the entry with a CRL URL, then the smaller
// name, in whatever order the PKIs come.
func TestPrecedenceAmongPKIs(t *testing.T) {
	r := root(t, spec{name: "Root"})
	pki := func(name, crl string) trust.PKI {
		p := configOf(t, r).PKIs[0]
		p.DisplayName = name
		p.CertificateAuthorities[0].CertificateRevocationListURL = crl
		return p
	}
	for _, c := range []struct {
		pkis trust.PKIs
		want string
	}{
		{trust.PKIs{pki("A", ""), pki("B", urlB)}, "B"},
		{trust.PKIs{pki("A", urlB), pki("B", urlA)}, "A"},
		{trust.PKIs{pki("A", ""), pki("B", "")}, "A"},
	} {
		for range 2 {
			ca := compile(t, trust.Config{PKIs: c.pkis}, trust.Options{}).CAs()[0]
			if ca.PKI != c.want || ca.Why != trust.OnlyEntry || len(ca.Others) != 1 {
				t.Errorf("PKI %q, %v, others %v", ca.PKI, ca.Why, ca.Others)
			}
			if !ca.InPKI("a") || !ca.InPKI("B") || ca.InPKI("C") || ca.InPKI("") {
				t.Error("InPKI")
			}
			slices.Reverse(c.pkis)
		}
	}
}

func TestDeletedIsNotUsed(t *testing.T) {
	r := root(t, spec{name: "Root"})
	config := configOf(t, r)
	config.PKIs[0].DeletedDateTime = now
	if n := len(compile(t, config, trust.Options{}).CAs()); n != 0 {
		t.Errorf("a deleted PKI has %d CAs", n)
	}
	config = configOf(t, r)
	config.PKIs[0].CertificateAuthorities[0].DeletedDateTime = now
	if n := len(compile(t, config, trust.Options{}).CAs()); n != 0 {
		t.Errorf("a deleted CA is used")
	}
}

// The order of PKIs and of CAs in them decides nothing, even if entries of one
// certificate contradict each other.
func TestOrderDoesNotMatter(t *testing.T) {
	r := root(t, spec{name: "Root"})
	i := r.ca(t, spec{name: "Issuing"})
	renewed := r.ca(t, spec{name: "Issuing", key: i.key})
	leaf := i.user(t, spec{name: "jane"})
	a, b := configOf(t, r, i, renewed).PKIs[0], configOf(t, renewed, r, i).PKIs[0]
	b.DisplayName = "Another PKI"
	for j := range b.CertificateAuthorities {
		b.CertificateAuthorities[j].CertificateRevocationListURL = urlB
		a.CertificateAuthorities[j].CertificateRevocationListURL = urlA
	}
	b.CertificateAuthorities = append(b.CertificateAuthorities, a.CertificateAuthorities[0])
	describe := func(pkis trust.PKIs) []string {
		var list []string
		c := compile(t, trust.Config{PKIs: pkis}, trust.Options{}).Chain(leaf.Certificate, now)
		for _, s := range c.Steps() {
			list = append(list, s.Name+": "+s.Detail)
		}
		for _, ca := range c.CAs {
			list = append(list, ca.Thumbprint, ca.CRL, ca.PKI)
		}
		return list
	}
	want := describe(trust.PKIs{a, b})
	random := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		for _, list := range [][]trust.Authority{a.CertificateAuthorities, b.CertificateAuthorities} {
			random.Shuffle(len(list), func(x, y int) { list[x], list[y] = list[y], list[x] })
		}
		if diff := cmp.Diff(want, describe(trust.PKIs{b, a})); diff != "" {
			t.Fatalf("(-before +after shuffling):\n%s", diff)
		}
	}
}

func TestWithSKI(t *testing.T) {
	r := root(t, spec{name: "Root", ski: []byte{0xab, 0xcd, 0x01}})
	old := root(t, spec{name: "Old root", key: r.key, ski: []byte{0xab, 0xcd, 0x01}, to: now.AddDate(0, 1, 0)})
	store := storeOf(t, old, r)
	for _, text := range []string{"abcd01", "ABCD01", "AB:CD:01", "ab cd 01", "AB-CD-01"} {
		var got []string
		id, err := keyid.Parse(text)
		if err != nil {
			t.Error(err)
		}
		for _, ca := range store.WithSKI(id) {
			got = append(got, ca.Certificate.Subject.CommonName)
		}
		if diff := cmp.Diff([]string{"Root", "Old root"}, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
	for _, text := range []keyid.ID{"", "abcd02", "xyz", "abcd0"} {
		if got := store.WithSKI(text); len(got) != 0 {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// A CA of the classic store has no name of its own: its subject's is shown.
func TestEntryNames(t *testing.T) {
	r := root(t, spec{name: "Root"})
	nameless := root(t, spec{emptyName: true})
	config := trust.Config{Classic: trust.Classic{CertificateAuthorities: []trust.ClassicAuthority{
		{Certificate: r.Raw}, {Certificate: nameless.Raw},
	}}}
	var got []string
	for _, ca := range compile(t, config, trust.Options{}).CAs() {
		got = append(got, strings.ReplaceAll(ca.String(), ca.Thumbprint, "THUMBPRINT"))
	}
	want := []string{`classic store, CA "Root"`, `classic store, CA "THUMBPRINT"`}
	if diff := cmp.Diff(want, got, cmpopts.SortSlices(strings.Compare)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What happens to the configuration afterwards does not reach a compiled store.
func TestStoreIsIndependentOfItsConfig(t *testing.T) {
	r := root(t, spec{name: "Root"})
	config := configOf(t, r)
	store := compile(t, config, trust.Options{})
	clear(config.PKIs[0].CertificateAuthorities[0].Certificate)
	if !store.CAs()[0].Certificate.Equal(r.Certificate) {
		t.Error("the store's certificate changed")
	}
}

// A clone shares nothing that a program can change: every field of it, at any
// depth, is changed here, and the original stays as it was. A copy of the struct
// shares.
func TestClone(t *testing.T) {
	r := root(t, spec{name: "Root"})
	original := configOf(t, r, r.ca(t, spec{name: "Issuing"}))
	original.Classic.CertificateAuthorities = []trust.ClassicAuthority{{Certificate: r.Raw, CertificateRevocationListURL: urlA}}
	text := func(c trust.Config) string {
		data, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	before := text(original)
	clone := original.Clone()
	if text(clone) != before {
		t.Error("the clone is another configuration")
	}
	changed := 0
	changeAll(reflect.ValueOf(&clone).Elem(), &changed)
	if text(original) != before {
		t.Errorf("changing the clone changed the original to %s", text(original))
	}
	if changed < 30 || text(clone) == before {
		t.Errorf("only %d fields were changed", changed)
	}
	shared := original
	shared.PKIs[0].DisplayName = "shared"
	if original.PKIs[0].DisplayName != "shared" {
		t.Error("a copy of the struct does not share, as its comment says")
	}
	if none := (trust.Config{}).Clone(); none.PKIs != nil || none.Classic.CertificateAuthorities != nil {
		t.Error("the clone of nothing is something")
	}
}

func changeAll(v reflect.Value, changed *int) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(v.String() + "!")
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Uint8:
		v.SetUint(v.Uint() ^ 1)
	case reflect.Pointer:
		if !v.IsNil() {
			changeAll(v.Elem(), changed)
		}
	case reflect.Slice:
		for i := range v.Len() {
			changeAll(v.Index(i), changed)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(now))
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				changeAll(v.Field(i), changed)
			}
		}
	}
	*changed++
}

// Values that Graph adds later come back as they were and let nobody in: a type
// that is neither root nor intermediate ends no chain.
func TestTypesOfTheFuture(t *testing.T) {
	r := root(t, spec{name: "Root"})
	i := r.ca(t, spec{name: "Issuing"})
	config := configOf(t, i)
	config.PKIs[0].CertificateAuthorities[0].CertificateAuthorityType = "trustAnchor"
	data, err := json.Marshal(config.PKIs)
	if err != nil {
		t.Fatal(err)
	}
	read, err := trust.ParsePKIs(data)
	if err != nil || read[0].CertificateAuthorities[0].CertificateAuthorityType != "trustAnchor" {
		t.Fatalf("%v, %v", read, err)
	}
	if again, err := json.Marshal(read); err != nil || string(again) != string(data) {
		t.Errorf("written as %s, %v", again, err)
	}
	store := compile(t, trust.Config{PKIs: read}, trust.Options{RootByFlag: true})
	if c := store.Chain(i.user(t, spec{name: "jane"}).Certificate, now); c.Trusted {
		t.Error("an unknown type ends a chain")
	}
	if !(trust.Config{PKIs: read}).Findings(now).Has("trust-ca-type-unknown") {
		t.Error("an unknown type is not reported")
	}
	// Without RootByFlag the type counts for nothing.
	config = configOf(t, r, i)
	config.PKIs[0].CertificateAuthorities[0].CertificateAuthorityType = "trustAnchor"
	if c := compile(t, config, trust.Options{}).Chain(i.user(t, spec{name: "jane"}).Certificate, now); !c.Trusted {
		t.Errorf("a self-signed root: %v", causes(c))
	}
}
