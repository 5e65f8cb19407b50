package certuserid_test

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/lint"
)

// texts are the inputs and expectations of all vectors.
func texts(tb testing.TB) []string {
	var all []string
	for _, v := range vectors(tb) {
		if text := v.get("expect"); strings.HasPrefix(text, "X509:") {
			all = append(all, text)
		}
		var text string
		if json.Unmarshal([]byte(v.get("input")), &text) == nil {
			all = append(all, text)
		}
	}
	if len(all) < 150 {
		tb.Fatalf("%d texts", len(all))
	}
	return all
}

func certificates(tb testing.TB) map[string]*x509.Certificate {
	files, err := filepath.Glob(filepath.Join("testdata", "certs", "*.pem"))
	if err != nil || len(files) < 14 {
		tb.Fatalf("%d certificates, error %v", len(files), err)
	}
	all := map[string]*x509.Certificate{}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".pem")
		all[name] = load(tb, name)
	}
	return all
}

// Law: an error is an *Error and comes with no value; what is parsed has its
// own text, is made of its parts, marshals and comes back, and is found to be
// right by the lenient reader but for guesses.
func FuzzParse(f *testing.F) {
	for _, text := range texts(f) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, err := certuserid.Parse(s)
		if err != nil {
			var parse *certuserid.Error
			if !errors.As(err, &parse) || parse.Text != s || parse.Offset < 0 || parse.Offset > len(s) || parse.Reason == "" {
				t.Fatalf("error %#v", err)
			}
			if id != (certuserid.ID{}) {
				t.Fatal("a value together with an error")
			}
			return
		}
		if id.String() != s {
			t.Fatalf("%q became %q", s, id)
		}
		if made := assemble(id); made != s {
			t.Fatalf("%q is made of the parts of %q", s, made)
		}
		text, err := id.MarshalText()
		var again certuserid.ID
		if err != nil || again.UnmarshalText(text) != nil || again != id {
			t.Fatalf("%q came back as %q", id, again)
		}
		fixed, found := certuserid.Normalize(s, nil)
		switch {
		case found.Worst() == lint.Error && !found.Has("userid-placeholder") && !found.Has("userid-label") && !found.Has("userid-invisible") && !found.Has("userid-space"):
			t.Fatalf("%q: %v", s, found)
		case found.Worst() < lint.Warning && !strings.EqualFold(fixed.String(), s):
			t.Fatalf("%q became %q without a word", s, fixed)
		}
	})
}

// assemble writes an ID from its parts.
func assemble(id certuserid.ID) string {
	switch id.Mapping() {
	case certuserid.PrincipalName:
		return "X509:<PN>" + id.Value()
	case certuserid.RFC822Name:
		return "X509:<RFC822>" + id.Value()
	case certuserid.IssuerAndSubject:
		return "X509:<I>" + id.Issuer() + "<S>" + id.Value()
	case certuserid.Subject:
		return "X509:<S>" + id.Value()
	case certuserid.SKI:
		return "X509:<SKI>" + id.Value()
	case certuserid.SHA1PublicKey:
		return "X509:<SHA1-PUKEY>" + id.Value()
	case certuserid.IssuerAndSerialNumber:
		return "X509:<I>" + id.Issuer() + "<SR>" + id.Value()
	}
	return "no mapping"
}

// Law: every ID of every certificate that crypto/x509 reads parses back to
// itself, fits that certificate exactly, and is what the lenient reader makes of
// it; what cannot be made is an *Error.
func FuzzFromCertificate(f *testing.F) {
	for _, cert := range certificates(f) {
		f.Add(cert.Raw)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return
		}
		values := certuserid.Options{}.Values(cert)
		for _, m := range certuserid.Mappings() {
			id, err := values.ID(m)
			if err != nil {
				var field *certuserid.Error
				if !errors.As(err, &field) || field.Mapping != m || field.Reason == "" || id != (certuserid.ID{}) {
					t.Fatalf("error %#v", err)
				}
				continue
			}
			if single, err := certuserid.FromCertificate(cert, m); err != nil || single != id {
				t.Fatalf("alone it is %q, %v", single, err)
			}
			if parsed, err := certuserid.Parse(id.String()); err != nil || parsed != id || id.Mapping() != m {
				t.Fatalf("%q: %v", id, err)
			}
			if fit := values.Fit(m, id.String()); fit != certuserid.Exact {
				t.Fatalf("%q: %v", id, fit)
			}
			fixed, found := certuserid.Normalize(id.String(), cert)
			if fixed != id && !found.Has("userid-placeholder") && !found.Has("userid-label") && !found.Has("userid-invisible") && !found.Has("userid-space") {
				t.Fatalf("%q became %q: %v", id, fixed, found)
			}
		}
	})
}

// Law: whatever is given, Normalize returns no value or one that Parse takes and
// that normalises to itself, with and without a certificate; a value that changed
// has findings; every finding is complete. Match answers the same value's
// question without contradiction.
func FuzzNormalize(f *testing.F) {
	certs := certificates(f)
	names := []string{"gsa-piv", "contoso-user", "estonia", "quoting", "rare-types", "strings"}
	for i, text := range texts(f) {
		f.Add(text, uint8(i))
	}
	f.Fuzz(func(t *testing.T, s string, which uint8) {
		for _, cert := range []*x509.Certificate{nil, certs[names[int(which)%len(names)]]} {
			id, found := certuserid.Normalize(s, cert)
			for _, f := range found {
				if f.Code == "" || f.Severity == 0 || f.What == "" || f.Where == "" || f.Do == "" {
					t.Fatalf("finding %#v", f)
				}
			}
			if id == (certuserid.ID{}) {
				if len(found) == 0 {
					t.Fatalf("%q: neither a value nor a finding", s)
				}
				continue
			}
			if parsed, err := certuserid.Parse(id.String()); err != nil || parsed != id {
				t.Fatalf("%q became %q: %v", s, id, err)
			}
			if again, more := certuserid.Normalize(id.String(), cert); again != id {
				t.Fatalf("%q became %q and then %q: %v, %v", s, id, again, found, more)
			}
			if id.String() != s && len(found) == 0 {
				t.Fatalf("%q became %q without a finding", s, id)
			}
			if cert == nil {
				continue
			}
			result := certuserid.Match(s, cert)
			switch {
			case result.Fit == certuserid.Exact && (id.String() != s || result.Right != id):
				t.Fatalf("%q fits exactly and became %q", s, id)
			case result.Fit == certuserid.Unfit && len(result.Findings) == 0:
				t.Fatalf("%q does not fit, without a reason", s)
			}
		}
	})
}

// Law: whatever is done to a set, it keeps the limits, holds the bytes it was
// given in their order, and a failed step changes nothing; JSON brings it back,
// and a difference applied to one set gives the other.
func FuzzSet(f *testing.F) {
	f.Add("a\nb\nX509:<PN>bob@woodgrove", "b\nc")
	f.Add("X509:<SKI>01\nfree text\nX509:<SKI>02\n", "X509:<SKI>03")
	f.Add(strings.Repeat("a\n", 12), strings.Repeat("a", 1025))
	f.Add("a\nb\nc\nd\ne\nf\ng\nh\ni\nj", "k")
	f.Fuzz(func(t *testing.T, one, two string) {
		a, errA := certuserid.NewSet(strings.Split(one, "\n")...)
		b, errB := certuserid.NewSet(strings.Split(two, "\n")...)
		for _, err := range []error{errA, errB} {
			var set *certuserid.Error
			if err != nil && (!errors.As(err, &set) || set.Reason == "") {
				t.Fatalf("error %#v", err)
			}
		}
		if errA == nil && !slices.Equal(a.Values(), strings.Split(one, "\n")) {
			t.Fatalf("%q became %q", one, a.Values())
		}
		add, remove := a.Diff(b)
		c := a
		for _, value := range remove {
			if !c.Remove(value) {
				t.Fatalf("%q is not there to remove", value)
			}
		}
		if err := c.Add(add...); err != nil {
			t.Fatal(err)
		}
		if more, less := c.Diff(b); more != nil || less != nil {
			t.Fatalf("still different by %q and %q", more, less)
		}
		if errA == nil && !slices.Equal(a.Values(), strings.Split(one, "\n")) {
			t.Fatal("changing a copy changed the set")
		}
		before := a.Values()
		if err := a.Merge(b.Values()...); err != nil {
			if !slices.Equal(a.Values(), before) {
				t.Fatal("a failed merge changed the set")
			}
		} else if more, _ := a.Diff(b); more != nil {
			t.Fatalf("merged and lacks %q", more)
		}
		id, err := certuserid.Parse("X509:<SKI>0a0b")
		if err != nil {
			t.Fatal(err)
		}
		before = a.Values()
		if err := a.Replace(certuserid.SKI, id); err != nil {
			if !slices.Equal(a.Values(), before) {
				t.Fatal("a failed replacement changed the set")
			}
		} else {
			isSKI := func(value string) bool {
				parsed, err := certuserid.Parse(value)
				return err == nil && parsed.Mapping() == certuserid.SKI
			}
			kept := slices.DeleteFunc(a.Values(), isSKI)
			if want := slices.DeleteFunc(before, isSKI); !slices.Equal(kept, want) {
				t.Fatalf("%q lost or gained: %q", want, kept)
			}
			if !a.Has(id.String()) {
				t.Fatal("replaced and not there")
			}
		}
		if a.Len() > certuserid.MaxValues {
			t.Fatalf("%d values", a.Len())
		}
		data, err := json.Marshal(a)
		var again certuserid.Set
		if err != nil || json.Unmarshal(data, &again) != nil || !slices.Equal(again.Values(), a.Values()) {
			t.Fatalf("%s came back as %q, %v", data, again.Values(), err)
		}
		a.Findings()
	})
}
