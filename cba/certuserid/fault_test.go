package certuserid_test

import (
	"strings"
	"testing"

	"example.com/entracba/cba/certuserid"
)

// What is only of another certificate is not called a mistake; what is a known mistake is.
func TestFault(t *testing.T) {
	cert := load(t, "gsa-piv")
	values := certuserid.Options{}.Values(cert)
	own := func(m certuserid.Mapping) string {
		id, err := values.ID(m)
		if err != nil {
			t.Fatal(err)
		}
		return id.String()
	}
	const foreign = "is well-formed, but not of this certificate"
	ski, serial := own(certuserid.SKI), own(certuserid.IssuerAndSerialNumber)
	issuer, _, _ := strings.Cut(serial, "<SR>")
	for stored, want := range map[string]string{
		ski:                         "",
		strings.ToUpper(ski[11:]):   "is meant, but no mapping",
		"X509:<SKI>" + hex40("7"):   foreign,
		"X509:<SKI>" + hex40("A"):   foreign, // uppercase alone is no fault
		ski[:len(ski)-4]:            "is meant, but most digits",
		ski + "00":                  "is meant, but most digits",
		"X509:<SKI>0414" + ski[10:]: "is meant, but 0414",
		"X509:<SKI>" + strings.TrimSuffix(strings.Repeat("77:", 20), ":"): "is not of this certificate; besides, there are colons",
		"X509:<SHA1-PUKEY>" + hex40("7"):                                  foreign,
		"X509:<SHA1-PUKEY>" + ski[10:]:                                    "is meant, but the digits are the certificate's, but of another mapping",
		issuer + "<SR>0011223344556677":                                   foreign,
		"X509:<I>CN=Some Other CA<SR>0011223344556677":                    foreign,
		"X509:<PN>alice@woodgrove.com":                                    foreign,
		"X509:<PN> alice@woodgrove.com":                                   "is not of this certificate; besides, the value has a space",
		"X509:<S>CN=Alice":                                                foreign,
		"x509:<S>CN=Alice":                                                "is not of this certificate; besides, the value must begin",
	} {
		if got := certuserid.Match(stored, cert).Fault(); got != want && (want == "" || want == foreign || !strings.HasPrefix(got, want)) {
			t.Errorf("%s: %q, want %q", stored, got, want)
		}
	}
}

func hex40(digit string) string { return strings.Repeat(digit, 40) }

// What opens like a list and does not end like one ends the work all the same.
func TestUnlistedEnds(t *testing.T) {
	cert := load(t, "gsa-piv")
	for _, value := range []string{`"[X509:<SKI>00`, `[[[X509:<SKI>00`, `{'"X509:<SKI>00`, `[X509`, `"[X509]`, `[ "X509:<PN>a", `, `("X509:<I>CN=a<SR>00;`} {
		certuserid.Normalize(value, cert)
		certuserid.Normalize(value, nil)
	}
}
