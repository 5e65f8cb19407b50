package cba_test

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"strings"
	"testing"

	"example.com/entracba/cba"
	"example.com/entracba/cba/dn"
	"github.com/google/go-cmp/cmp"
)

var sanID = asn1.ObjectIdentifier{2, 5, 29, 17}

// sanOf wraps encoded names in a subjectAltName extension.
func sanOf(tb testing.TB, names ...string) []pkix.Extension {
	tb.Helper()
	var content []byte
	for _, name := range names {
		content = append(content, unhex(tb, name)...)
	}
	der, err := asn1.Marshal(asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: content})
	if err != nil {
		tb.Fatal(err)
	}
	return []pkix.Extension{{Id: sanID, Value: der}}
}

// GeneralNames, byte for byte. upnFoo is what OpenSSL 3.0.19 writes for
// otherName:1.3.6.1.4.1.311.20.2.3;UTF8:foo@bar.com; smallstep/crypto has the
// same bytes in its tests. The FASC-N is built after FIPS 201, the others after
// RFC 5280 section 4.2.1.6 and RFC 4556.
const (
	upnFoo     = "a01b 060a 2b060104018237140203 a00d 0c0b 666f6f406261722e636f6d"
	upnIA5     = "a01b 060a 2b060104018237140203 a00d 160b 666f6f406261722e636f6d"
	upnInvalid = "a011 060a 2b060104018237140203 a003 0c01 ff"
	upnEmpty   = "a010 060a 2b060104018237140203 a002 0c00"
	upnTwice   = "a013 060a 2b060104018237140203 a005 0c00 0c01 61" // two values in one
	fascN      = "a00d 0608 6086480165030606 a001 00"
	krb5       = "a00c 0606 2b0601050202 a002 3000"
	uuidOther  = "a01c 0614 6983bea6dca7aedda0c6a8c5d4afafeaaaacb600 a004 0c02 6161"
	email      = "810b 666f6f406261722e636f6d"
	dns        = "8207 6261722e636f6d"
	uri        = "8605 613a2f2f62"
	address    = "8704 7f000001"
	directory  = "a402 3000"
	registered = "8803 2a0304"
	edi        = "a504 8102 6161"
	x400       = "a300"
)

func TestNamesOf(t *testing.T) {
	for _, test := range []struct {
		reason  string
		names   []string
		want    cba.Names
		ignored []string
		refused bool
	}{
		{reason: "one UPN", names: []string{upnFoo}, want: cba.Names{UPNs: []string{"foo@bar.com"}}},
		{reason: "two UPNs, both read, in order", names: []string{upnEmpty, upnFoo}, want: cba.Names{UPNs: []string{"", "foo@bar.com"}}},
		{
			reason: "a PIV card: FASC-N before the UPN", names: []string{fascN, upnFoo},
			want: cba.Names{UPNs: []string{"foo@bar.com"}}, ignored: []string{"otherName FASC-N (2.16.840.1.101.3.6.6)"},
		},
		{
			reason: "PKINIT name", names: []string{krb5, email},
			want: cba.Names{Emails: []string{"foo@bar.com"}}, ignored: []string{"otherName KRB5PrincipalName (1.3.6.1.5.2.2)"},
		},
		{
			reason: "an otherName whose type has numbers of over 64 bits", names: []string{uuidOther, upnFoo},
			want: cba.Names{UPNs: []string{"foo@bar.com"}}, ignored: []string{"otherName (2.25.296618894779315271192515618038824508160)"},
		},
		{
			reason: "UPN as IA5String", names: []string{upnIA5},
			ignored: []string{"otherName UPN that is not a UTF8String (1.3.6.1.4.1.311.20.2.3)"},
		},
		{
			reason: "UPN that is not UTF-8", names: []string{upnInvalid},
			ignored: []string{"otherName UPN that is not a UTF8String (1.3.6.1.4.1.311.20.2.3)"},
		},
		{
			reason: "one otherName with two values", names: []string{upnTwice},
			ignored: []string{"otherName UPN that is not a UTF8String (1.3.6.1.4.1.311.20.2.3)"},
		},
		{
			reason: "every other kind of name", names: []string{dns, uri, address, directory, registered, edi, x400},
			want:    cba.Names{DNSNames: []string{"bar.com"}, URIs: []string{"a://b"}},
			ignored: []string{"IP address", "directory name", "registered ID", "EDI party name", "X.400 address"},
		},
		{reason: "no names at all"},
		{reason: "otherName without a value", names: []string{"a00c 060a 2b060104018237140203"}, refused: true},
		{reason: "otherName with bytes behind the value", names: []string{"a01d 060a 2b060104018237140203 a00d 0c0b 666f6f406261722e636f6d 0500"}, refused: true},
		{reason: "length beyond the end", names: []string{"810c 666f6f406261722e636f6d"}, refused: true},
		{reason: "length in long form where the short one does", names: []string{"81810b 666f6f406261722e636f6d"}, refused: true},
		{reason: "indefinite length", names: []string{"a080 060a 2b060104018237140203 a00d 0c0b 666f6f406261722e636f6d 0000"}, refused: true},
	} {
		t.Run(test.reason, func(t *testing.T) {
			got, err := cba.NamesOf(&x509.Certificate{Extensions: sanOf(t, test.names...)})
			if test.refused {
				wantReason(t, err, cba.Malformed)
				if !cmp.Equal(got, cba.Names{}, cmp.AllowUnexported(cba.SID{})) {
					t.Errorf("names beside the error: %+v", got)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var ignored []string
			for _, i := range got.Ignored {
				ignored = append(ignored, i.String())
				if len(i.Raw) == 0 {
					t.Errorf("%v has no bytes", i)
				}
			}
			got.Ignored = nil
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(cba.SID{})); diff != "" {
				t.Errorf("names (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.ignored, ignored); diff != "" {
				t.Errorf("ignored (-want +got):\n%s", diff)
			}
		})
	}
}

// The UPN that we write is the bytes of OpenSSL and smallstep.
func TestUPNBytes(t *testing.T) {
	cert := issue(t, newRoot(t, cba.P256), cba.Subject{UPN: "foo@bar.com"}, cba.Profile{})
	for _, e := range cert.Extensions {
		if e.Id.Equal(sanID) {
			if want := sanOf(t, upnFoo)[0].Value; !bytes.Equal(e.Value, want) || e.Critical {
				t.Errorf("subjectAltName\n got %x (critical: %v)\nwant %x", e.Value, e.Critical, want)
			}
			return
		}
	}
	t.Error("no subjectAltName")
}

// Names come back from the certificate as they went in, in every script and in
// any letter case.
func TestNamesRoundTrip(t *testing.T) {
	sid := parseSID(t, "S-1-5-21-1381186052-4247692386-135928078-1225")
	root := newRoot(t, cba.P256)
	for _, s := range []cba.Subject{
		{UPN: "Jane@YourDomain.com"},
		{UPN: "bob@woodgrove"},
		{UPN: "bob@local", Emails: []string{"bob@woodgrove.com", "robert@woodgrove.com"}},
		{UPN: "123456789098765@mil"},
		{UPN: "Zoë.Müller@yourdomain.com"},
		{UPN: "用户@yourdomain.com"},
		{UPN: "o'brien+test@yourdomain.com"},
		{UPN: strings.Repeat("a", 60) + "@" + strings.Repeat("b.", 60) + "com"}, // length of two bytes
		{Emails: []string{"jane@yourdomain.com"}},
		{UPN: "jane@yourdomain.com", SID: sid, DNSNames: []string{"pc1.contoso.com"}, URIs: []string{"https://contoso.com/jane"}},
	} {
		for _, form := range []cba.SIDForm{0, cba.SIDAsExtension, cba.SIDAsURI, cba.SIDAsBoth} {
			cert := issue(t, root, s, cba.Profile{SIDForm: form})
			got, err := cba.NamesOf(cert)
			if err != nil {
				t.Fatal(err)
			}
			want := cba.Names{Emails: s.Emails, DNSNames: s.DNSNames, URIs: s.URIs}
			if s.UPN != "" {
				want.UPNs = []string{s.UPN}
			}
			if !s.SID.IsZero() {
				if form != cba.SIDAsURI {
					want.ExtensionSID = s.SID
				}
				if form == cba.SIDAsURI || form == cba.SIDAsBoth {
					want.URIs = append(want.URIs[:len(want.URIs):len(want.URIs)], "tag:microsoft.com,2022-09-14:sid:"+s.SID.String())
					want.URISIDs = []cba.SID{s.SID}
				}
			}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(cba.SID{})); diff != "" {
				t.Errorf("%v, %v (-want +got):\n%s", s, form, diff)
			}
			if got.SID() != s.SID {
				t.Errorf("SID = %v, want %v", got.SID(), s.SID)
			}
		}
	}
}

func TestSubjectIsCNOfUPNUnlessGiven(t *testing.T) {
	root := newRoot(t, cba.P256)
	for _, test := range []struct {
		subject cba.Subject
		want    string
	}{
		{cba.Subject{UPN: "jane@yourdomain.com"}, "CN=jane@yourdomain.com"},
		{cba.Subject{UPN: "jane@yourdomain.com", Emails: []string{"j@yourdomain.com"}}, "CN=jane@yourdomain.com"},
		{cba.Subject{Emails: []string{"j@yourdomain.com"}}, "CN=j@yourdomain.com"},
		{
			cba.Subject{UPN: "jane@yourdomain.com", Name: parseName(t, "CN=Jane+UID=7,OU=Users,DC=contoso,DC=com")},
			"UID=7+CN=Jane,OU=Users,DC=contoso,DC=com",
		},
	} {
		cert := issue(t, root, test.subject, cba.Profile{})
		name, err := dn.ParseDER(cert.RawSubject)
		if err != nil {
			t.Fatal(err)
		}
		if !name.Equal(parseName(t, test.want)) {
			t.Errorf("%v: subject %v, want %v", test.subject, name, test.want)
		}
	}
}

func TestCheckUPN(t *testing.T) {
	for _, upn := range []string{"jane@yourdomain.com", "bob@woodgrove", "123456789098765@mil", "jane", " jane@yourdomain.com", "ж@x", "a\u00a0b@c"} {
		if err := cba.CheckUPN(upn); err != nil {
			t.Errorf("CheckUPN(%q) = %v", upn, err)
		}
	}
	for upn, want := range map[string]cba.Reason{
		"":                      cba.Empty,
		"   ":                   cba.Empty,
		"jane@your\xffdomain":   cba.NotUTF8,
		"jane@yourdomain.com\n": cba.ControlCharacter,
		"jane\x00@evil.com":     cba.ControlCharacter,
		"jane\u0085@x":          cba.ControlCharacter,
	} {
		wantReason(t, cba.CheckUPN(upn), want)
	}
}

// What cannot stand in a certificate is refused with the name of the field.
func TestSubjectRefused(t *testing.T) {
	root := newRoot(t, cba.P256)
	sid := "tag:microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-500"
	for _, test := range []struct {
		subject cba.Subject
		reason  cba.Reason
		what    string
	}{
		{cba.Subject{}, cba.Empty, "subject"},
		{cba.Subject{UPN: " "}, cba.Empty, "UPN"},
		{cba.Subject{UPN: "a\tb@c"}, cba.ControlCharacter, "UPN"},
		{cba.Subject{UPN: "a@b", Emails: []string{""}}, cba.Empty, "e-mail address"},
		{cba.Subject{UPN: "a@b", Emails: []string{"jane"}}, cba.Malformed, "e-mail address"},
		{cba.Subject{UPN: "a@b", Emails: []string{"jane@"}}, cba.Malformed, "e-mail address"},
		{cba.Subject{UPN: "a@b", Emails: []string{"@b.com"}}, cba.Malformed, "e-mail address"},
		{cba.Subject{UPN: "a@b", Emails: []string{"jane@b.com, john@b.com"}}, cba.Malformed, "e-mail address"},
		{cba.Subject{UPN: "a@b", Emails: []string{"zoë@b.com"}}, cba.NotASCII, "e-mail address"},
		{cba.Subject{UPN: "a@b", DNSNames: []string{"bücher.de"}}, cba.NotASCII, "DNS name"},
		{cba.Subject{UPN: "a@b", DNSNames: []string{"a b"}}, cba.Malformed, "DNS name"},
		{cba.Subject{UPN: "a@b", URIs: []string{"nothing"}}, cba.Malformed, "URI"},
		{cba.Subject{UPN: "a@b", URIs: []string{"http://[::"}}, cba.Malformed, "URI"},
		{cba.Subject{UPN: "a@b", URIs: []string{sid}}, cba.Malformed, "URI"},
		{cba.Subject{UPN: "a@b", URIs: []string{strings.ToUpper(sid)}}, cba.Malformed, "URI"},
		{cba.Subject{UPN: "a@b", Name: dn.Name{{}}}, cba.Malformed, "subject"},
		{cba.Subject{UPN: "a@b", Name: dn.Name{{{Type: dn.CommonName, Value: "\xff"}}}}, cba.Malformed, "subject"},
	} {
		cert, err := root.Issue(t.Context(), testKey(t, cba.P256, "jane").Public(), test.subject, cba.Profile{})
		if cert != nil {
			t.Errorf("%+v: issued", test.subject)
		}
		wantReason(t, err, test.reason)
		if e := err.(*cba.Error); e.What != test.what {
			t.Errorf("%v: What = %q, want %q", err, e.What, test.what)
		}
	}
}

// FuzzNames: names are read without panic from whatever stands in a
// subjectAltName; what crypto/x509 reads from the same certificate, NamesOf
// reads too and finds the same e-mail, DNS and URI names; and every UPN that
// was read and that CheckUPN accepts can be issued and comes back.
func FuzzNames(f *testing.F) {
	seeds := []string{upnFoo, upnIA5, upnInvalid, upnEmpty, upnTwice, fascN, krb5, email, dns, uri, address, directory, registered, edi, x400}
	for _, name := range seeds {
		f.Add(sanOf(f, name, upnFoo)[0].Value)
	}
	key := testKey(f, cba.P256, "jane")
	root := newRoot(f, cba.P256)
	f.Fuzz(func(t *testing.T, der []byte) {
		names, err := cba.NamesOf(&x509.Certificate{Extensions: []pkix.Extension{{Id: sanID, Value: der}}})
		template := &x509.Certificate{SerialNumber: root.Certificate.SerialNumber, ExtraExtensions: []pkix.Extension{{Id: sanID, Value: der}}}
		if made, failed := x509.CreateCertificate(nil, template, template, key.Public(), key); failed == nil {
			if cert, failed := x509.ParseCertificate(made); failed == nil && err == nil {
				var uris []string
				for _, u := range cert.URIs {
					uris = append(uris, u.String())
				}
				if diff := cmp.Diff(cert.EmailAddresses, names.Emails); diff != "" {
					t.Errorf("e-mail (-x509 +cba):\n%s", diff)
				}
				if diff := cmp.Diff(cert.DNSNames, names.DNSNames); diff != "" {
					t.Errorf("DNS (-x509 +cba):\n%s", diff)
				}
				if len(uris) != len(names.URIs) {
					t.Errorf("URIs: x509 %q, cba %q", uris, names.URIs)
				}
			}
		}
		if err != nil {
			if _, ok := err.(*cba.Error); !ok {
				t.Fatalf("error is %T", err)
			}
			return
		}
		for _, upn := range names.UPNs {
			if cba.CheckUPN(upn) != nil {
				continue
			}
			draft, err := root.Prepare(key.Public(), cba.Subject{UPN: upn}, cba.Profile{})
			if err != nil {
				t.Fatalf("UPN %q: %v", upn, err)
			}
			again, err := cba.NamesOf(draft.Certificate)
			if err != nil || !cmp.Equal(again.UPNs, []string{upn}) {
				t.Fatalf("UPN %q came back as %q, %v", upn, again.UPNs, err)
			}
		}
	})
}
