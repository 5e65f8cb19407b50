package certuserid_test

import (
	"crypto/x509"
	"errors"
	"testing"

	"example.com/entracba/cba/certuserid"
)

// No exported call panics on nil, zero or half a certificate: it answers, with an
// error where it has to.
func TestNilAndZero(t *testing.T) {
	half := &x509.Certificate{RawIssuer: []byte{0x30, 0x80}, RawSubject: []byte{0x30}, RawTBSCertificate: []byte{0x30, 3, 0xa0, 0}, RawSubjectPublicKeyInfo: []byte{0x30, 0}}
	for _, cert := range []*x509.Certificate{nil, {}, half} {
		for _, o := range []certuserid.Options{{}, {HashInput: 99}, {HashInput: certuserid.PublicKeyBits, UPN: "x", Email: "x"}} {
			values := o.Values(cert)
			if ids := values.All(); len(ids) != 0 {
				t.Errorf("%+v has %v", cert, ids)
			}
			if ids := o.All(cert); len(ids) != 0 {
				t.Errorf("%+v has %v", cert, ids)
			}
			for _, m := range append(certuserid.Mappings(), "", "x") {
				if _, err := o.FromCertificate(cert, m); !errors.Is(err, certuserid.NoField) {
					t.Errorf("%s: %v", m, err)
				}
				if _, err := values.ID(m); !errors.Is(err, certuserid.NoField) {
					t.Errorf("%s: %v", m, err)
				}
				if fit := values.Fit(m, ""); fit != certuserid.Unfit {
					t.Errorf("%s fits nothing: %v", m, fit)
				}
			}
			for _, text := range []string{"", "X509:<SKI>0a", "0a", "X509:<I>CN=a<SR>0a", "X509:<SHA1-PUKEY>" + "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a", "bob"} {
				if r := values.Match(text); r.Fit != certuserid.Unfit || len(r.Findings) == 0 {
					t.Errorf("%q: %+v", text, r)
				}
				values.Normalize(text)
				certuserid.Normalize(text, cert)
				certuserid.Match(text, cert)
			}
		}
	}
	var none *certuserid.Values
	if id, err := none.ID(certuserid.SKI); !errors.Is(err, certuserid.NoField) || id != (certuserid.ID{}) || len(none.All()) != 0 ||
		none.Fit(certuserid.SKI, "X509:<SKI>0a") != certuserid.Unfit || none.Match("X509:<SKI>0a").Fit != certuserid.Unfit {
		t.Error("values of nothing answer something")
	}
	if id, found := none.Normalize("X509:<SKI> 0a"); id.String() != "X509:<SKI>0a" || len(found) == 0 {
		t.Errorf("%v, %v", id, found)
	}
	var set *certuserid.Set
	for _, err := range []error{set.Add("a"), set.Merge("a"), set.Replace(certuserid.SKI), set.UnmarshalJSON([]byte("[]")), (*certuserid.ID)(nil).UnmarshalText([]byte("X509:<SKI>0a"))} {
		if !errors.Is(err, certuserid.Empty) {
			t.Errorf("a nil receiver: %v", err)
		}
	}
	if set.Remove("a") {
		t.Error("removed from nothing")
	}
	for _, err := range []error{(*certuserid.Fit)(nil).UnmarshalText([]byte("exact")), (*certuserid.HashInput)(nil).UnmarshalText([]byte("public key bits")), (*certuserid.Strength)(nil).UnmarshalText([]byte("weak"))} {
		if err == nil {
			t.Error("read into nothing")
		}
	}
	var zero certuserid.Set
	if zero.Len() != 0 || zero.Has("") || zero.Findings() != nil || zero.String() != "" || zero.Values() == nil {
		t.Errorf("%#v", zero)
	}
	if add, remove := zero.Diff(zero); add != nil || remove != nil {
		t.Errorf("%v, %v", add, remove)
	}
	if err := (&certuserid.Error{}).Error(); err == "" {
		t.Error("the zero error has no text")
	}
}
