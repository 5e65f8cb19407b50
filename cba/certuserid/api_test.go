package certuserid_test

import (
	"encoding"
	"encoding/json"
	"errors"
	"math/big"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/lint"
)

// Names and affinity as Learn's technical deep dive and Graph have them.
func TestMappings(t *testing.T) {
	type row struct {
		name, field string
		affinity    certuserid.Affinity
		strength    string
	}
	want := []row{
		{"PrincipalName", "PrincipalName", certuserid.Low, ""},
		{"RFC822Name", "RFC822Name", certuserid.Low, "weak"},
		{"IssuerAndSubject", "IssuerAndSubject", certuserid.Low, "weak"},
		{"Subject", "Subject", certuserid.Low, "weak"},
		{"SKI", "SubjectKeyIdentifier", certuserid.High, "strong"},
		{"SHA1PublicKey", "SHA1PublicKey", certuserid.High, "strong"},
		{"IssuerAndSerialNumber", "IssuerAndSerialNumber", certuserid.High, "strong"},
	}
	var got []row
	for _, m := range certuserid.Mappings() {
		got = append(got, row{m.Name(), string(m), m.Affinity(), m.Strength().String()})
		for _, text := range []string{string(m), m.Name()} {
			if parsed, err := certuserid.ParseMapping(text); err != nil || parsed != m {
				t.Errorf("ParseMapping(%q): %v, %v", text, parsed, err)
			}
		}
		if !m.Known() {
			t.Errorf("%v is not known", m)
		}
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(row{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, name := range []string{"", "ski", "UPN", "principalName", "SubjectKeyIdentifier "} {
		if m, err := certuserid.ParseMapping(name); !errors.Is(err, certuserid.UnknownMapping) || m != "" {
			t.Errorf("ParseMapping(%q): %v, %v", name, m, err)
		}
	}
	list := certuserid.Mappings()
	list[0] = "x"
	if certuserid.Mappings()[0] != certuserid.PrincipalName {
		t.Error("Mappings shares its list")
	}
}

// What Graph adds later, and the admin center's spelling of SKI, go through JSON
// unchanged, and match nothing.
func TestUnknownMapping(t *testing.T) {
	cert := load(t, "contoso-user")
	values := certuserid.Options{}.Values(cert)
	for _, text := range []string{"unknownFutureValue", "SKI", "subjectKeyIdentifier", "", " PrincipalName", "\ufffd"} {
		var m certuserid.Mapping
		if err := json.Unmarshal([]byte(`"`+text+`"`), &m); err != nil {
			t.Fatal(err)
		}
		if data, err := json.Marshal(m); err != nil || string(data) != `"`+text+`"` {
			t.Errorf("%s came back as %s, %v", text, data, err)
		}
		if m.Known() || m.Affinity() != "" || m.Strength() != 0 {
			t.Errorf("%q: known %v, affinity %q, strength %v", m, m.Known(), m.Affinity(), m.Strength())
		}
		if id, err := values.ID(m); !errors.Is(err, certuserid.NoField) || id != (certuserid.ID{}) {
			t.Errorf("%q: %v, %v", m, id, err)
		}
		if id, err := certuserid.FromCertificate(cert, m); !errors.Is(err, certuserid.NoField) || id != (certuserid.ID{}) {
			t.Errorf("%q: %v, %v", m, id, err)
		}
		for _, id := range values.All() {
			if fit := values.Fit(m, id.String()); fit != certuserid.Unfit {
				t.Errorf("%q fits %v", m, id)
			}
		}
		if fit := values.Fit(m, ""); fit != certuserid.Unfit {
			t.Errorf("%q fits the empty text", m)
		}
		account := set(t, "X509:<SKI>0a")
		if err := account.Replace(m); !errors.Is(err, certuserid.UnknownMapping) || account.Len() != 1 {
			t.Errorf("%q: %v, %v", m, account, err)
		}
	}
	for _, text := range []string{"medium", "High", ""} {
		var a certuserid.Affinity
		if err := json.Unmarshal([]byte(`"`+text+`"`), &a); err != nil || a == certuserid.High || a == certuserid.Low {
			t.Errorf("%q was read as %q, %v", text, a, err)
		}
		if data, err := json.Marshal(a); err != nil || string(data) != `"`+text+`"` {
			t.Errorf("%s came back as %s, %v", text, data, err)
		}
	}
}

// Every value of an enumeration has its own text, goes through JSON and back, and
// unknown ones are refused.
func TestEnums(t *testing.T) {
	type text interface {
		encoding.TextMarshaler
		String() string
	}
	check := func(values, bad []text, badText string, read func(string) (text, error)) {
		t.Helper()
		seen := map[string]bool{}
		for _, v := range values {
			data, err := json.Marshal(v)
			if err != nil || seen[v.String()] {
				t.Errorf("%v: %s, %v", v, data, err)
			}
			seen[v.String()] = true
			if again, err := read(string(data)); err != nil || again != v {
				t.Errorf("%v came back as %v, %v", v, again, err)
			}
		}
		for _, v := range bad {
			if data, err := v.MarshalText(); err == nil {
				t.Errorf("%v has text %q", v, data)
			}
		}
		if v, err := read(badText); err == nil {
			t.Errorf("%s was read as %v", badText, v)
		}
	}
	fit := func(s string) (text, error) {
		var f certuserid.Fit
		err := json.Unmarshal([]byte(s), &f)
		return f, err
	}
	check([]text{certuserid.Unfit, certuserid.Assumed, certuserid.Exact}, []text{certuserid.Fit(0), certuserid.Fit(4)}, `""`, fit)
	check(nil, nil, `"Exact"`, fit)
	check([]text{certuserid.WholeCertificate, certuserid.PublicKeyInfo, certuserid.PublicKeyBits}, []text{certuserid.HashInput(4)}, `"x"`, func(s string) (text, error) {
		var h certuserid.HashInput
		err := json.Unmarshal([]byte(s), &h)
		return h, err
	})
	if certuserid.HashInput(0).String() != certuserid.WholeCertificate.String() {
		t.Error("the default hash input has another text")
	}
	check([]text{certuserid.Strength(0), certuserid.Weak, certuserid.Strong}, []text{certuserid.Strength(3)}, `"x"`, func(s string) (text, error) {
		var s2 certuserid.Strength
		err := json.Unmarshal([]byte(s), &s2)
		return s2, err
	})
}

// reasons are all of the package.
var reasons = []certuserid.Reason{
	certuserid.NotX509, certuserid.UnknownTag, certuserid.MissingPart, certuserid.ExtraPart, certuserid.StraySpace, certuserid.BadText,
	certuserid.BadName, certuserid.BadHex, certuserid.TooLong, certuserid.OnlyActiveDirectory, certuserid.OnlyEntra, certuserid.NoField,
	certuserid.UnknownMapping, certuserid.Empty, certuserid.Full, certuserid.Duplicate, certuserid.OtherMapping,
}

func TestReasons(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range reasons {
		var err error = &certuserid.Error{Reason: r, Offset: -1}
		if seen[err.Error()] || seen[string(r)] || err.Error() != r.Error() || err.Error() == "certuserid: "+string(r) {
			t.Errorf("%s: %q", string(r), err)
		}
		seen[err.Error()], seen[string(r)] = true, true
		if !errors.Is(err, r) || errors.Is(err, certuserid.Reason("other")) || errors.Is(err, errors.New(r.Error())) {
			t.Errorf("errors.Is of %v", err)
		}
	}
}

func TestID(t *testing.T) {
	var zero certuserid.ID
	if zero.String() != "" || zero.Mapping() != "" || zero.Issuer() != "" || zero.Value() != "" || zero.SerialNumber() != nil {
		t.Errorf("zero ID: %#v", zero)
	}
	if data, err := json.Marshal(zero); err == nil {
		t.Errorf("the zero ID is %s", data)
	}
	if _, err := zero.AltSecurityIdentity(); err == nil {
		t.Error("the zero ID has a form in Active Directory")
	}
	// KB5014754: 2B0000000011AC0000000012 is stored as 1200000000AC11000000002B.
	id, err := certuserid.Parse("X509:<I>DC=com,DC=contoso,CN=CONTOSO-DC-CA<SR>1200000000AC11000000002B")
	if err != nil {
		t.Fatal(err)
	}
	want, _ := new(big.Int).SetString("2B0000000011AC0000000012", 16)
	if id.SerialNumber().Cmp(want) != 0 || id.Issuer() != "DC=com,DC=contoso,CN=CONTOSO-DC-CA" {
		t.Errorf("%x, %s", id.SerialNumber(), id.Issuer())
	}
	var list []certuserid.ID
	if err := json.Unmarshal([]byte(`["X509:<PN>bob@woodgrove","X509:<pn>bob@woodgrove"]`), &list); !errors.Is(err, certuserid.NotX509) && !errors.Is(err, certuserid.UnknownTag) {
		t.Errorf("error %v", err)
	}
}

// An error text is one line of bounded length, whatever the input.
func TestErrorTexts(t *testing.T) {
	_, err := certuserid.Parse("X509:<PN>" + strings.Repeat("\n", 5000))
	if err == nil || len(err.Error()) > 1500 || strings.Contains(err.Error(), "\n") {
		t.Errorf("%d bytes: %v", len(err.Error()), err)
	}
	_, found := certuserid.Normalize("X509:<PN>"+strings.Repeat("\n", 5000), nil)
	if len(found) == 0 || len(found[0].String()) > 2500 || strings.Contains(found[0].String(), "\n") {
		t.Errorf("%v", found)
	}
	_, err = certuserid.FromCertificate(load(t, "bad-upn"), certuserid.PrincipalName)
	if got, want := err.Error(), `certuserid: PrincipalName: stray space: "X509:<PN> jane@yourdomain.com"`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Work on hostile input is bounded: none of these takes long enough to notice.
func TestHostileInput(t *testing.T) {
	cert := load(t, "gsa-piv")
	for _, unit := range []string{"=", "\"", "<S>", "CN=a,", "CN=a ", "\\2C", "+", " ", "a=", "<", "&lt;", "'", "/CN=", "OID.1.", "\u200e", "0"} {
		for _, prefix := range []string{"", "X509:<S>", "X509:<I>CN=a<SR>", "X509:<SKI>", "X509:<PN>"} {
			long := prefix + strings.Repeat(unit, 16000/len(unit))
			certuserid.Normalize(long, nil)
			certuserid.Match(long, cert)
		}
		huge := "X509:<S>" + strings.Repeat(unit, 1<<20)
		if id, found := certuserid.Normalize(huge, cert); id != (certuserid.ID{}) || len(found) == 0 {
			t.Errorf("%q: %v, %v", unit, id, found)
		}
	}
}

func TestNoCertificate(t *testing.T) {
	for _, m := range append(certuserid.Mappings(), "", "x") {
		if id, err := certuserid.FromCertificate(nil, m); !errors.Is(err, certuserid.NoField) || id != (certuserid.ID{}) {
			t.Errorf("%v: %v, %v", m, id, err)
		}
	}
	values := certuserid.Options{}.Values(nil)
	if len(values.All()) != 0 {
		t.Errorf("%v", values.All())
	}
	if _, err := values.ID("x"); err == nil {
		t.Error("an unknown mapping has an ID")
	}
	if result := values.Match("X509:<PN>bob@woodgrove"); result.Fit != certuserid.Unfit || len(result.Findings) == 0 {
		t.Errorf("%+v", result)
	}
	if fit := values.Fit("x", ""); fit != certuserid.Unfit {
		t.Errorf("%v", fit)
	}
}

// Fit allocates nothing, and parsing does not either.
func TestAllocations(t *testing.T) {
	values := certuserid.Options{}.Values(load(t, "estonia"))
	for _, stored := range []string{
		"X509:<I>C=EE,O=SK ID Solutions AS,OID.2.5.4.97=NTREE-10747013,CN=ESTEID2018<SR>4da61ce60d7207915e8465a538ee588900",
		"X509:<I>C=EE,O=SK ID Solutions AS,OID.2.5.4.97=NTREE-10747013,CN=ESTEID2018<SR>4DA61CE60D7207915E8465A538EE5889",
		"X509:<I>C=EE,O=SK ID Solutions AS,OID.2.5.4.97=NTREE-10747013,CN=ESTEID2018<SR>4da61ce60d7207915e8465a538ee5888",
	} {
		if n := testing.AllocsPerRun(100, func() {
			values.Fit(certuserid.IssuerAndSerialNumber, stored)
			if _, err := certuserid.Parse(stored); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%q: %v allocations", stored, n)
		}
	}
	cert := load(t, "gsa-piv")
	if n := testing.AllocsPerRun(100, func() { certuserid.All(cert) }); n > 40 {
		t.Errorf("All: %v allocations", n)
	}
}

// Values are read from many goroutines (go test -race).
func TestConcurrent(t *testing.T) {
	values := certuserid.Options{}.Values(load(t, "gsa-piv"))
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for _, id := range values.All() {
				if values.Match(id.String()).Fit != certuserid.Exact {
					t.Error(id)
				}
				values.Match("X509:<I>CN=x, C=US<S>CN=y")
			}
		})
	}
	group.Wait()
}

// Under GODEBUG=fips140=only a SHA-1 is refused to programs; the name that Entra
// prescribes must come nevertheless, and nothing may panic.
func TestFIPS(t *testing.T) {
	if os.Getenv("CERTUSERID_FIPS") != "" {
		id, err := certuserid.FromCertificate(load(t, "contoso-user"), certuserid.SHA1PublicKey)
		if err != nil || id.Value() != "88ce9ac7a29e7182aabfc50c8f66c3e94a7f8cff" {
			t.Errorf("%v, %v", id, err)
		}
		return
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-test.run=^TestFIPS$", "-test.v")
	cmd.Env = append(os.Environ(), "GODEBUG=fips140=only", "CERTUSERID_FIPS=1")
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestFIPS") {
		t.Errorf("%v\n%s", err, out)
	}
}

// Options with the same input give the values that they name.
func TestHashInputs(t *testing.T) {
	cert := load(t, "contoso-user")
	seen := map[string]bool{}
	for _, input := range []certuserid.HashInput{certuserid.WholeCertificate, certuserid.PublicKeyInfo, certuserid.PublicKeyBits} {
		id, err := certuserid.Options{HashInput: input}.FromCertificate(cert, certuserid.SHA1PublicKey)
		if err != nil || seen[id.Value()] || seen[input.String()] {
			t.Errorf("%v: %v, %v", input, id, err)
		}
		seen[id.Value()], seen[input.String()] = true, true
	}
	if id, err := (certuserid.Options{HashInput: 9}).FromCertificate(cert, certuserid.SHA1PublicKey); err == nil {
		t.Errorf("an unknown input gives %v", id)
	}
}

// A comparison follows the options that the values were made with.
func TestFitFollowsOptions(t *testing.T) {
	cert := load(t, "contoso-user")
	key, err := certuserid.Options{HashInput: certuserid.PublicKeyInfo}.FromCertificate(cert, certuserid.SHA1PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	if fit := (certuserid.Options{}).Values(cert).Fit(certuserid.SHA1PublicKey, key.String()); fit != certuserid.Unfit {
		t.Errorf("default: %v", fit)
	}
	if fit := (certuserid.Options{HashInput: certuserid.PublicKeyInfo}).Values(cert).Fit(certuserid.SHA1PublicKey, key.String()); fit != certuserid.Exact {
		t.Errorf("with the option: %v", fit)
	}
	second := certuserid.Options{UPN: "jd@yourdomain.com"}.Values(load(t, "rare-types"))
	if result := second.Match("X509:<PN>jd@yourdomain.com"); result.Fit != certuserid.Exact {
		t.Errorf("%+v", result)
	}
}

func set(t *testing.T, values ...string) certuserid.Set {
	t.Helper()
	s, err := certuserid.NewSet(values...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSetLimits(t *testing.T) {
	var ten []string
	for _, c := range "abcdefghij" {
		ten = append(ten, string(c))
	}
	reason := func(err error) certuserid.Reason {
		var set *certuserid.Error
		if !errors.As(err, &set) {
			t.Fatalf("error %v", err)
		}
		return set.Reason
	}
	full := set(t, ten...) // the positive twin
	for _, test := range []struct {
		value string
		want  certuserid.Reason
	}{
		{"k", certuserid.Full}, // TV-6: 11 values
		{"a", certuserid.Duplicate},
		{"", certuserid.Empty},
		{strings.Repeat("k", 1025), certuserid.TooLong},         // TV-6: 1025 characters
		{strings.Repeat("\U0001f600", 513), certuserid.TooLong}, // 1026 UTF-16 units
		{"\xff", certuserid.BadText},
	} {
		s := full
		if got := reason(s.Add(test.value)); got != test.want {
			t.Errorf("%.20q: %v, want %v", test.value, got, test.want)
		}
		if !slices.Equal(s.Values(), ten) {
			t.Error("a failed step changed the set")
		}
	}
	longest := set(t, strings.Repeat("k", 1024), strings.Repeat("\U0001f600", 512))
	if longest.Len() != 2 {
		t.Error("values of 1024 characters were not taken")
	}
	s := full
	if err := s.Merge("a", "b", "b"); err != nil {
		t.Errorf("merging what is there: %v", err)
	}
	if got := reason(s.Merge("a", "k")); got != certuserid.Full {
		t.Errorf("%v", got)
	}
	var decoded certuserid.Set
	if got := reason(json.Unmarshal([]byte(`["a","a"]`), &decoded)); got != certuserid.Duplicate {
		t.Errorf("%v", got)
	}
	if err := json.Unmarshal([]byte(`{"a":1}`), &decoded); err == nil {
		t.Error("an object was read")
	}
	if err := json.Unmarshal([]byte(`null`), &decoded); err != nil || decoded.Len() != 0 {
		t.Errorf("null: %v", err)
	}
	if data, err := json.Marshal(certuserid.Set{}); err != nil || string(data) != "[]" {
		t.Errorf("%s, %v", data, err)
	}
}

func TestSetReplace(t *testing.T) {
	parse := func(s string) certuserid.ID {
		id, err := certuserid.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	const free = " Free text, as it was \t"
	old := set(t, free, "X509:<SKI>01", "X509:<PN>bob@woodgrove", "X509:<SKI>02", "X509:<SKI> 03")
	for _, test := range []struct {
		name    string
		mapping certuserid.Mapping
		ids     []certuserid.ID
		want    []string
	}{
		{"in the place of the first", certuserid.SKI, []certuserid.ID{parse("X509:<SKI>0a"), parse("X509:<SKI>0b")},
			[]string{free, "X509:<SKI>0a", "X509:<SKI>0b", "X509:<PN>bob@woodgrove", "X509:<SKI> 03"}},
		{"by itself", certuserid.SKI, []certuserid.ID{parse("X509:<SKI>02")},
			[]string{free, "X509:<SKI>02", "X509:<PN>bob@woodgrove", "X509:<SKI> 03"}},
		{"by nothing", certuserid.SKI, nil, []string{free, "X509:<PN>bob@woodgrove", "X509:<SKI> 03"}},
		{"at the end", certuserid.Subject, []certuserid.ID{parse("X509:<S>CN=b")},
			[]string{free, "X509:<SKI>01", "X509:<PN>bob@woodgrove", "X509:<SKI>02", "X509:<SKI> 03", "X509:<S>CN=b"}},
	} {
		s := old
		if err := s.Replace(test.mapping, test.ids...); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if diff := cmp.Diff(test.want, s.Values()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
	for _, test := range []struct {
		id   certuserid.ID
		want certuserid.Reason
	}{
		{parse("X509:<PN>bob"), certuserid.OtherMapping},
		{certuserid.ID{}, certuserid.Empty},
	} {
		s := old
		err := s.Replace(certuserid.SKI, test.id)
		var set *certuserid.Error
		if !errors.As(err, &set) || set.Reason != test.want || !slices.Equal(s.Values(), old.Values()) {
			t.Errorf("%v: %v", test.id, err)
		}
	}
	s := old
	if err := s.Replace(certuserid.SKI, parse("X509:<SKI>0a"), parse("X509:<SKI>0a")); err == nil {
		t.Error("one ID twice")
	}
}

func TestSetDiffAndRemove(t *testing.T) {
	a, b := set(t, "1", "2", "3"), set(t, "3", "4", "1")
	add, remove := a.Diff(b)
	if !slices.Equal(add, []string{"4"}) || !slices.Equal(remove, []string{"2"}) {
		t.Errorf("%q, %q", add, remove)
	}
	copied := a
	if !copied.Remove("2") || copied.Remove("2") || copied.Has("2") || !a.Has("2") {
		t.Errorf("%v, %v", copied, a)
	}
	values := a.Values()
	values[0] = "changed"
	if a.Has("changed") {
		t.Error("Values shares memory with the set")
	}
	if a.String() != "1\n2\n3" {
		t.Errorf("%q", a)
	}
}

func TestSetFindings(t *testing.T) {
	clean := set(t, "X509:<PN>bob@woodgrove", "X509:<SKI>0a")
	if found := clean.Findings(); len(found) != 0 {
		t.Errorf("%v", found)
	}
	s := set(t, "X509:<PN>bob@woodgrove", "X509:<PN>Bob@woodgrove", "bob", "X509:<SKI> 01", "X509:<SKI>02", "X509:<SKI>03")
	var got []string
	for _, f := range s.Findings() {
		got = append(got, f.Code)
	}
	if want := []string{"userids-same", "userid-no-mapping", "userid-space", "userids-many"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if s.Findings().Worst() != lint.Error {
		t.Error("a value with a stray space is no error")
	}
}

func TestActiveDirectory(t *testing.T) {
	for _, v := range vectors(t) {
		text := v.get("expect")
		id, err := certuserid.Parse(text)
		if err != nil {
			continue
		}
		value, err := id.AltSecurityIdentity()
		if id.Mapping() == certuserid.PrincipalName {
			var field *certuserid.Error
			if !errors.As(err, &field) || field.Reason != certuserid.OnlyEntra || value != "" {
				t.Errorf("%v: %q, %v", id, value, err)
			}
			continue
		}
		if err != nil || value != text {
			t.Errorf("%v: %q, %v", id, value, err)
		}
		if back, err := certuserid.ParseAltSecurityIdentity(value); err != nil || back != id {
			t.Errorf("%q: %v, %v", value, back, err)
		}
	}
	for _, test := range []struct{ in, want string }{
		{"x509:<i>DC=com,DC=contoso,CN=ca<sr>1200000000AC11000000002B", "X509:<I>DC=com,DC=contoso,CN=ca<SR>1200000000AC11000000002B"},
		{`X509:<i>CN="a <s> b"<s>CN=jane`, `X509:<I>CN="a <s> b"<S>CN=jane`},
		{"X509:<sha1-pukey>ed913fa41377dbfb8eac2bc6fcae71ecd4a974fd", "X509:<SHA1-PUKEY>ed913fa41377dbfb8eac2bc6fcae71ecd4a974fd"},
	} {
		id, err := certuserid.ParseAltSecurityIdentity(test.in)
		if err != nil || id.String() != test.want {
			t.Errorf("%q: %v, %v", test.in, id, err)
		}
	}
	for _, test := range []struct {
		in   string
		want certuserid.Reason
	}{
		{"Kerberos:bob@CONTOSO.COM", certuserid.NotX509},
		{"", certuserid.NotX509},
		{"X509:<I>CN=ca<SID>S-1-5-21-1-2-3-500", certuserid.OnlyActiveDirectory},
		{"x509:<I>CN=ca<sid>S-1-5-21-1-2-3-500", certuserid.OnlyActiveDirectory},
		{"X509:<I>CN=ca", certuserid.MissingPart},
	} {
		id, err := certuserid.ParseAltSecurityIdentity(test.in)
		var parse *certuserid.Error
		if !errors.As(err, &parse) || parse.Reason != test.want || parse.Text != test.in || id != (certuserid.ID{}) {
			t.Errorf("%q: %v, %v", test.in, id, err)
		}
	}
}

// The JSON of a result has no null and no unset word in it.
func TestResultJSON(t *testing.T) {
	cert := load(t, "kb5014754-short")
	for stored, want := range map[string]string{
		"X509:<PN>bob@woodgrove": `{"fit":"exact","mapping":"PrincipalName","right":"X509:\u003cPN\u003ebob@woodgrove","findings":[]}`,
		"X509:<FOO>":             `{"fit":"unfit","findings":[{"code":"userid-tag","severity":"error","effect":"locks-out",`,
	} {
		data, err := json.Marshal(certuserid.Match(stored, cert))
		if err != nil || !strings.HasPrefix(string(data), want) {
			t.Errorf("%s, %v", data, err)
		}
		var back certuserid.Result
		if err := json.Unmarshal(data, &back); err != nil {
			t.Error(err)
		}
	}
}

// Every rule says all that a finding needs, under a code of its own.
func TestRules(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range certuserid.Rules() {
		if seen[r.Code] || !strings.HasPrefix(r.Code, "userid") || r.Severity == 0 || r.What == "" || r.Do == "" {
			t.Errorf("%+v", r)
		}
		if r.Source.URL() == "" && r.Code != "userid-invisible" { // seen in copied values, on no page
			t.Errorf("%s: source %q", r.Code, r.Source)
		}
		seen[r.Code] = true
	}
	if len(seen) < 45 {
		t.Fatalf("%d rules", len(seen))
	}
	certuserid.Rules()[0].Code = "x"
	if certuserid.Rules()[0].Code == "x" {
		t.Error("Rules shares its table")
	}
}

// Values makes each ID once, whoever asks first, and it is that of FromCertificate.
func TestValuesAreMadeOnce(t *testing.T) {
	for _, options := range []certuserid.Options{{}, {UpperHex: true, WithoutSignOctet: true}} {
		cert := load(t, "gsa-piv")
		values := options.Values(cert)
		var asking sync.WaitGroup
		for i := range 64 {
			asking.Go(func() {
				for n := range certuserid.Mappings() {
					m := certuserid.Mappings()[(i+n)%len(certuserid.Mappings())]
					want, wantErr := options.FromCertificate(cert, m)
					if got, err := values.ID(m); got != want || (err == nil) != (wantErr == nil) {
						t.Errorf("%v: %v, %v; want %v, %v", m, got, err, want, wantErr)
					}
				}
			})
		}
		asking.Wait()
		if !slices.Equal(values.All(), options.All(cert)) || len(values.All()) != 7 {
			t.Errorf("%v, and %v", values.All(), options.All(cert))
		}
	}
}
