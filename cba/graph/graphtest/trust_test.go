package graphtest_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba/graph/graphtest"
	"github.com/google/go-cmp/cmp"
)

const pkiPath = "/directory/publicKeyInfrastructure/certificateBasedAuthConfigurations"

// newCA makes a self-signed CA.
func newCA(t *testing.T, name string, notAfter time.Time, padding int) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, NotBefore: start.AddDate(-5, 0, 0), NotAfter: notAfter,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		CRLDistributionPoints: []string{"ldap:///CN=x", "http://crl.contoso.com/" + name + ".crl", "http://second.example/"},
	}
	if padding > 0 {
		template.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Value: make([]byte, padding)}}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// caBody is what a client sends to create a CA.
func caBody(cert *x509.Certificate, change func(map[string]any)) string {
	body := map[string]any{
		"certificate": cert.Raw, "certificateAuthorityType": "root", "displayName": cert.Subject.CommonName,
		"expirationDateTime": cert.NotAfter, "thumbprint": "0102", "isIssuerHintEnabled": true,
		"certificateRevocationListUrl": "http://crl.contoso.com/ca.crl",
	}
	if change != nil {
		change(body)
	}
	text, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func TestPKIs(t *testing.T) {
	f := newFake(t, graphtest.Tenant{}, graphtest.Options{})
	ca := newCA(t, "root", start.AddDate(5, 0, 0), 0)
	other := newCA(t, "other", start.AddDate(5, 0, 0), 0)
	pki := f.must(201, "POST "+pkiPath, `{"displayName":"Contoso PKI"}`).body["id"].(string)
	made := f.must(201, "POST "+pkiPath+"/"+pki+"/certificateAuthorities", caBody(ca, nil))
	id := made.body["id"].(string)
	one, cas := pkiPath+"/"+pki, pkiPath+"/"+pki+"/certificateAuthorities"

	without := func(name string) string {
		return caBody(other, func(m map[string]any) { delete(m, name) })
	}
	with := func(name string, v any) string {
		return caBody(other, func(m map[string]any) { m[name] = v })
	}
	f.run([]step{
		{"list", "GET " + pkiPath, "", nil, 200, `"displayName":"Contoso PKI"`},
		{"filter", "GET " + pkiPath + "?$filter=displayName eq 'contoso pki'&$select=displayName", "", nil, 200, `"value":[{"displayName":"Contoso PKI"}]`},
		{"filter by beginning", "GET " + pkiPath + "?$filter=startsWith(displayName,'X')&$count=true", "", nil, 200, `"@odata.count":0`},
		{"filter by ne", "GET " + pkiPath + "?$filter=displayName ne 'x'", "", nil, 400, "not supported"},
		{"get", "GET " + one, "", nil, 200, `"displayName":"Contoso PKI"`},
		{"rename", "PATCH " + one, `{"displayName":"New"}`, nil, 200, `"displayName":"New"`},
		{"256 characters", "POST " + pkiPath, `{"displayName":"` + strings.Repeat("é", 256) + `"}`, nil, 201, ""},
		{"257 characters", "POST " + pkiPath, `{"displayName":"` + strings.Repeat("é", 257) + `"}`, nil, 400, "256"},
		{"no name", "POST " + pkiPath, `{}`, nil, 400, "displayName"},
		{"status is the service's", "POST " + pkiPath, `{"displayName":"x","status":"succeeded"}`, nil, 400, "read-only"},
		{"PATCH of the collection, 9.18", "PATCH " + pkiPath, `{"displayName":"x"}`, nil, 405, ""},
		{"unknown PKI", "GET " + pkiPath + "/none", "", nil, 404, ""},
		{"get CA", "GET " + cas + "/" + id, "", nil, 200, `"isIssuerHintEnabled":true`},
		{"select of CAs", "GET " + cas + "?$select=displayName,thumbprint", "", nil, 200, `"value":[{"displayName":"root","thumbprint":"0102"}]`},
		{"CA of an unknown PKI", "GET " + pkiPath + "/none/certificateAuthorities", "", nil, 404, ""},
		{"duplicate", "POST " + cas, caBody(ca, nil), nil, 400, "Duplicate"},
		{"no certificate", "POST " + cas, without("certificate"), nil, 400, "'certificate' is required"},
		{"no type", "POST " + cas, without("certificateAuthorityType"), nil, 400, "'certificateAuthorityType' is required"},
		{"no expiration", "POST " + cas, without("expirationDateTime"), nil, 400, "'expirationDateTime' is required"},
		{"no thumbprint", "POST " + cas, without("thumbprint"), nil, 400, "'thumbprint' is required"},
		{"not base64", "POST " + cas, with("certificate", "-----BEGIN CERTIFICATE-----"), nil, 400, "Edm.Binary"},
		{"not a certificate", "POST " + cas, with("certificate", "AAAA"), nil, 400, "is not a certificate"},
		{"type of another enum", "POST " + cas, with("certificateAuthorityType", "intermediary"), nil, 400, "certificateAuthorityType"},
		{"the page's spelling of the delta URL", "POST " + cas, with("deltacertificateRevocationListUrl", "http://x/"), nil, 400, "Invalid property"},
		{"too large", "POST " + cas, with("displayName", strings.Repeat("a", 9000)), nil, 400, "at most 8192"},
		{"other", "POST " + cas, caBody(other, nil), nil, 201, ""},
		{"change", "PATCH " + cas + "/" + id, `{"certificateRevocationListUrl":null,"isIssuerHintEnabled":false}`, nil, 200, `"certificateRevocationListUrl":null`},
		{"change of the id", "PATCH " + cas + "/" + id, `{"id":"x"}`, nil, 400, "read-only"},
		{"type to null", "PATCH " + cas + "/" + id, `{"certificateAuthorityType":null}`, nil, 400, "required"},
		{"CA that is not there", "PATCH " + cas + "/none", `{}`, nil, 404, ""},
	})
	kept := f.must(200, "GET "+cas+"/"+id, "").body
	if kept["displayName"] != "root" || kept["isIssuerHintEnabled"] != false || kept["certificate"] != base64.StdEncoding.EncodeToString(ca.Raw) {
		t.Errorf("after the change: %v", kept)
	}
	if a := f.must(201, "POST "+cas, caBody(newCA(t, "url", start.AddDate(1, 0, 0), 0), func(m map[string]any) {
		m["certificate"] = base64.RawURLEncoding.EncodeToString(newCA(t, "url", start.AddDate(1, 0, 0), 0).Raw)
	})); a.body["id"] == "" {
		t.Error("base64url was not taken")
	}
}

func TestPKILimits(t *testing.T) {
	ca := newCA(t, "one", start.AddDate(1, 0, 0), 0)
	pki := graphtest.PKI{ID: "p", DisplayName: "Full"}
	for i := range 249 {
		a := graphtest.NewAuthority(ca)
		a.Certificate = fmt.Appendf(nil, "certificate %d", i)
		pki.Authorities = append(pki.Authorities, a)
	}
	f := newFake(t, graphtest.Tenant{PKIs: []graphtest.PKI{pki}}, graphtest.Options{})
	cas := pkiPath + "/p/certificateAuthorities"
	f.must(201, "POST "+cas, caBody(ca, nil))
	if a := f.must(400, "POST "+cas, caBody(newCA(t, "two", start.AddDate(1, 0, 0), 0), nil)); !strings.Contains(a.message(), "250") {
		t.Errorf("the 251st: %s", a.text)
	}
	a := f.must(200, "GET "+cas+"?$count=true", "")
	if len(a.value()) != 100 || a.body["@odata.count"] != 250.0 || a.body["@odata.nextLink"] == nil {
		t.Errorf("%d CAs on the first page of %v", len(a.value()), a.body["@odata.count"])
	}
}

func TestDeletedItems(t *testing.T) {
	f := newFake(t, graphtest.Tenant{}, graphtest.Options{})
	ca := newCA(t, "root", start.AddDate(5, 0, 0), 0)
	pki := f.must(201, "POST "+pkiPath, `{"displayName":"A"}`).body["id"].(string)
	cas := pkiPath + "/" + pki + "/certificateAuthorities"
	id := f.must(201, "POST "+cas, caBody(ca, nil)).body["id"].(string)
	const items = "/directory/deletedItems/"
	f.run([]step{
		{"delete CA", "DELETE " + cas + "/" + id, "", nil, 204, ""},
		{"it is gone", "GET " + cas + "/" + id, "", nil, 404, ""},
		{"twice", "DELETE " + cas + "/" + id, "", nil, 404, ""},
		{"it is listed", "GET " + items + "microsoft.graph.certificateAuthorityDetail?$select=id", "", nil, 200, `"value":[{"id":"` + id + `"}]`},
		{"by the short cast", "GET " + items + "graph.certificateAuthorityDetail?$filter=displayName eq 'root'", "", nil, 200, `"deletedDateTime":"2026-09-01T12:00:00Z"`},
		{"not as a PKI", "GET " + items + "microsoft.graph.certificateBasedAuthPki", "", nil, 200, `"value":[]`},
		{"other type", "GET " + items + "microsoft.graph.user", "", nil, 400, "not part of this model"},
		{"get", "GET " + items + id, "", nil, 200, `"@odata.type":"#microsoft.graph.certificateAuthorityDetail"`},
		{"restore", "POST " + items + id + "/restore", "", nil, 200, `"deletedDateTime":null`},
		{"back", "GET " + cas + "/" + id, "", nil, 200, ""},
		{"restore twice", "POST " + items + id + "/restore", "", nil, 404, ""},
		{"delete for a duplicate", "DELETE " + cas + "/" + id, "", nil, 204, ""},
		{"the certificate anew", "POST " + cas, caBody(ca, nil), nil, 201, ""},
		{"duplicate", "POST " + items + id + "/restore", "", nil, 400, "Duplicate"},
		{"purge", "DELETE " + items + id, "", nil, 204, ""},
		{"purge twice", "DELETE " + items + id, "", nil, 404, ""},
		{"delete PKI", "DELETE " + pkiPath + "/" + pki, "", nil, 204, ""},
		{"CAs went along", "GET " + cas, "", nil, 404, ""},
		{"no write into it", "POST " + cas, caBody(ca, nil), nil, 404, ""},
		{"purge of what is not deleted", "DELETE " + items + "none", "", nil, 404, ""},
		{"restore PKI", "POST " + items + pki + "/restore", "", nil, 200, `"displayName":"A"`},
		{"CAs came along", "GET " + cas + "?$select=displayName", "", nil, 200, `"value":[{"displayName":"root"}]`},
		{"delete PKI again", "DELETE " + pkiPath + "/" + pki, "", nil, 204, ""},
	})
	f.clock.add(30 * 24 * time.Hour)
	f.must(200, "GET "+items+pki, "")
	f.clock.add(time.Hour)
	f.must(404, "GET "+items+pki, "")
	if left := f.Tenant().PKIs; len(left) != 0 {
		t.Errorf("after 30 days: %v", left)
	}
	// A CA whose PKI is deleted cannot come back alone.
	pki = f.must(201, "POST "+pkiPath, `{"displayName":"B"}`).body["id"].(string)
	id = f.must(201, "POST "+pkiPath+"/"+pki+"/certificateAuthorities", caBody(ca, nil)).body["id"].(string)
	f.must(204, "DELETE "+pkiPath+"/"+pki+"/certificateAuthorities/"+id, "")
	f.must(204, "DELETE "+pkiPath+"/"+pki, "")
	f.must(400, "POST "+items+id+"/restore", "")
}

// bundle makes a .p7b: PKCS#7 SignedData without signers (RFC 2315, section 9.1).
func bundle(t *testing.T, certs ...*x509.Certificate) []byte {
	t.Helper()
	marshal := func(v any) []byte {
		der, err := asn1.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	var all []byte
	for _, c := range certs {
		all = append(all, c.Raw...)
	}
	set := asn1.RawValue{Tag: asn1.TagSet, IsCompound: true}
	data := marshal(struct{ Type asn1.ObjectIdentifier }{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}})
	signed := marshal(struct {
		Version              int
		Digests, Data, Certs asn1.RawValue
		Signers              asn1.RawValue
	}{1, set, asn1.RawValue{FullBytes: data}, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: all}, set})
	return marshal(struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue
	}{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: signed}})
}

func uploadBody(file []byte) string {
	return fmt.Sprintf(`{"uploadUrl":"https://files.contoso.com/a.p7b","sha256FileHash":"%x"}`, sha256.Sum256(file))
}

func TestUpload(t *testing.T) {
	a, b := newCA(t, "a", start.AddDate(1, 0, 0), 0), newCA(t, "b", start.AddDate(1, 0, 0), 0)
	good := bundle(t, a, b)
	for _, tt := range []struct {
		name    string
		file    []byte
		body    string // "" is the true one
		err     error
		status  int    // of the POST
		outcome string // of the upload
		details string
	}{
		{"good", good, "", nil, 204, "succeeded", ""},
		{"PEM", pem.EncodeToMemory(&pem.Block{Type: "PKCS7", Bytes: good}), "", nil, 204, "succeeded", ""},
		{"one twice", bundle(t, a, a, b), "", nil, 204, "succeeded", ""},
		{"wrong hash", good, uploadBody([]byte("x")), nil, 204, "failed", "SHA-256"},
		{"not a bundle", []byte("x"), "", nil, 204, "failed", "not a .p7b"},
		{"a certificate", a.Raw, "", nil, 204, "failed", "not a .p7b"},
		{"empty bundle", bundle(t), "", nil, 204, "failed", "no certificate"},
		{"2 MB and a byte", make([]byte, 2<<20+1), "", nil, 204, "failed", "at most 2097152"},
		{"not to be had", nil, "", errors.New("404"), 204, "failed", "downloaded: 404"},
		{"no address", good, `{"sha256FileHash":"` + strings.Repeat("0", 64) + `"}`, nil, 400, "", "uploadUrl"},
		{"ftp", good, `{"uploadUrl":"ftp://x/a","sha256FileHash":"` + strings.Repeat("0", 64) + `"}`, nil, 400, "", "uploadUrl"},
		{"no hash", good, `{"uploadUrl":"https://x/a","sha256FileHash":""}`, nil, 400, "", "sha256FileHash"},
		{"unknown parameter", good, `{"url":"https://x/a"}`, nil, 400, "", "Invalid property 'url'"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake(t, graphtest.Tenant{PKIs: []graphtest.PKI{{ID: "p", DisplayName: "P"}, {ID: "q", DisplayName: "Q"}}}, graphtest.Options{
				Upload: graphtest.Delay{Reads: 2, Time: time.Minute},
				Fetch:  func(context.Context, string) ([]byte, error) { return tt.file, tt.err },
			})
			body := tt.body
			if body == "" {
				body = uploadBody(tt.file)
			}
			answer := f.must(tt.status, "POST "+pkiPath+"/p/upload", body)
			if tt.status != 204 {
				if !strings.Contains(answer.message(), tt.details) {
					t.Errorf("%s", answer.text)
				}
				// A refused upload does not take the one place.
				f.must(400, "POST "+pkiPath+"/p/upload", body)
				return
			}
			second := f.must(400, "POST "+pkiPath+"/q/upload", body)
			if !strings.Contains(second.message(), "in progress") {
				t.Errorf("a second upload: %s", second.text)
			}
			f.clock.add(time.Hour)
			for range 2 {
				if got := f.must(200, "GET "+pkiPath+"/p", "").body["status"]; got != "running" {
					t.Errorf("status %v while it runs", got)
				}
			}
			done := f.must(200, "GET "+pkiPath+"/p", "").body
			details, _ := done["statusDetails"].(string)
			if done["status"] != tt.outcome || !strings.Contains(details, tt.details) {
				t.Errorf("%v %q, want %s %q", done["status"], details, tt.outcome, tt.details)
			}
			cas := f.must(200, "GET "+pkiPath+"/p/certificateAuthorities", "").value()
			if tt.outcome == "failed" {
				if len(cas) != 0 {
					t.Errorf("a failed upload left %v", cas)
				}
				return
			}
			if len(cas) != 2 || cas[0]["displayName"] != "a" || cas[0]["certificateAuthorityType"] != "root" ||
				cas[0]["certificateRevocationListUrl"] != "http://crl.contoso.com/a.crl" || cas[0]["thumbprint"] == "" ||
				cas[0]["expirationDateTime"] != "2027-09-01T12:00:00Z" || cas[0]["issuerSubjectKeyIdentifier"] != fmt.Sprintf("%x", a.SubjectKeyId) {
				t.Errorf("uploaded: %v", cas)
			}
			if a := f.must(400, "POST "+pkiPath+"/p/upload", body); !strings.Contains(a.message(), "Duplicate Certificate exists") {
				t.Errorf("again: %s", a.text)
			}
			f.must(204, "POST "+pkiPath+"/q/microsoft.graph.upload", body)
		})
	}
	none := newFake(t, graphtest.Tenant{PKIs: []graphtest.PKI{{ID: "p"}}}, graphtest.Options{})
	none.must(204, "POST "+pkiPath+"/p/upload", uploadBody(good))
	if got := none.must(200, "GET "+pkiPath+"/p", "").body["status"]; got != "failed" {
		t.Errorf("without Fetch: %v", got)
	}
	none.must(404, "POST "+pkiPath+"/x/upload", uploadBody(good))
}

func TestClassicStore(t *testing.T) {
	fresh, old := newCA(t, "fresh", start.AddDate(1, 0, 0), 0), newCA(t, "old", start.AddDate(0, 0, -1), 0)
	body := func(certs ...*x509.Certificate) string {
		list := []any{}
		for _, c := range certs {
			list = append(list, map[string]any{"isRootAuthority": true, "certificate": c.Raw, "certificateRevocationListUrl": "http://x/", "deltaCertificateRevocationListUrl": nil})
		}
		text, _ := json.Marshal(map[string]any{"certificateAuthorities": list})
		return string(text)
	}
	f := newFake(t, graphtest.Tenant{ID: "org"}, graphtest.Options{})
	const all = "/organization/org/certificateBasedAuthConfiguration"
	const one = all + "/" + graphtest.ClassicID
	f.run([]step{
		{"organization", "GET /organization?$select=id", "", nil, 200, `"value":[{"id":"org"}]`},
		{"organization by id", "GET /organization/org", "", nil, 200, `"id":"org"`},
		{"other organization", "GET /organization/x", "", nil, 404, ""},
		{"empty", "GET " + all, "", nil, 200, `"value":[]`},
		{"empty one", "GET " + one, "", nil, 404, ""},
		{"of another organization", "POST /organization/x/certificateBasedAuthConfiguration", body(fresh), nil, 404, ""},
		{"no CA", "POST " + all, body(), nil, 400, "required"},
		{"no certificate", "POST " + all, `{"certificateAuthorities":[{"isRootAuthority":true}]}`, nil, 400, "required"},
		{"read-only", "POST " + all, `{"certificateAuthorities":[{"isRootAuthority":true,"certificate":"AAAA","issuerSki":"x"}]}`, nil, 400, "read-only"},
		{"not a certificate", "POST " + all, `{"certificateAuthorities":[{"isRootAuthority":true,"certificate":"AAAA"}]}`, nil, 400, "is not one"},
		{"expired", "POST " + all, body(fresh, old), nil, 400, "expired"},
		{"create", "POST " + all, body(fresh), nil, 201, `"issuerSki":"` + fmt.Sprintf("%x", fresh.SubjectKeyId)},
		{"second", "POST " + all, body(fresh), nil, 400, "Only one"},
		{"list", "GET " + all, "", nil, 200, `"id":"29728ade-6ae4-4ee9-9103-412912537da5"`},
		{"get", "GET " + one, "", nil, 200, `"issuer":"CN=fresh"`},
		{"PATCH", "PATCH " + one, body(fresh), nil, 405, ""},
		{"delete", "DELETE " + one, "", nil, 204, ""},
		{"delete twice", "DELETE " + one, "", nil, 404, ""},
	})
	f.must(201, "POST "+all, body(fresh))
	f.clock.add(400 * 24 * time.Hour)
	if a := f.must(400, "POST "+all, body(newCA(t, "new", start.AddDate(9, 0, 0), 0))); !strings.Contains(a.message(), "expired") {
		t.Errorf("while an expired CA is stored: %s", a.text)
	}
}

// What Tenant returns makes the same Graph again, and shares nothing with it.
func TestTenantRoundTrip(t *testing.T) {
	d, err := graphtest.Demo(start)
	if err != nil {
		t.Fatal(err)
	}
	first := newFake(t, d.Tenant, graphtest.Options{})
	copied := first.Tenant()
	second := newFake(t, copied, graphtest.Options{})
	if diff := cmp.Diff(copied, second.Tenant()); diff != "" {
		t.Errorf("another tenant came out: %s", diff)
	}
	copied.Users[0].CertificateUserIDs[0] = "changed"
	copied.PKIs[0].Authorities[0].Certificate[0] = 0
	copied.Policy[0] = ' '
	if diff := cmp.Diff(first.Tenant(), second.Tenant()); diff != "" {
		t.Errorf("the copy was shared: %s", diff)
	}
	if !bytes.Equal(d.Tenant.PKIs[0].Authorities[0].Certificate, first.Tenant().PKIs[0].Authorities[0].Certificate) {
		t.Error("the certificate changed")
	}
}

func TestTenantRefused(t *testing.T) {
	double := people("a", "b")
	double[0].CertificateUserIDs, double[1].CertificateUserIDs = []string{"x"}, []string{"x"}
	names := people("a", "b")
	names[1].UserPrincipalName = "A@contoso.com"
	same := people("a", "b")
	same[1].ID = same[0].ID
	for _, tt := range []struct {
		name   string
		tenant graphtest.Tenant
		want   string
	}{
		{"value twice", graphtest.Tenant{Users: double}, `certificateUserIds "x"`},
		{"name twice", graphtest.Tenant{Users: names}, "userPrincipalName"},
		{"no name", graphtest.Tenant{Users: []graphtest.User{{}}}, "userPrincipalName"},
		{"id twice", graphtest.Tenant{Users: same}, `id "id-a"`},
		{"policy not JSON", graphtest.Tenant{Policy: []byte("{")}, "policy"},
		{"policy of another shape", graphtest.Tenant{Policy: []byte(`{"states":"x"}`)}, `"states"`},
	} {
		if _, err := graphtest.New(tt.tenant, graphtest.Options{}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
	if _, err := graphtest.New(graphtest.Tenant{Users: people("a", "b")}, graphtest.Options{}); err != nil {
		t.Error(err)
	}
}
