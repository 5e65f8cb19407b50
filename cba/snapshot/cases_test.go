package snapshot_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba/snapshot"
)

// A user's certificates are read in every form that a text can have.
func TestReadCases(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "jane"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.StdEncoding.EncodeToString(der)
	text, err := json.Marshal(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	if err != nil {
		t.Fatal(err)
	}
	read := func(user string) (int, error) {
		for c, err := range snapshot.ReadCases(strings.NewReader(user)) {
			if err == nil {
				c, err = c.Read()
			}
			for _, cert := range c.Certificates {
				if string(cert.Raw) != string(der) {
					t.Errorf("%.60q: another certificate", user)
				}
			}
			return len(c.Certificates), err
		}
		return 0, errors.New("nobody")
	}
	const user = `{"id":"1","userPrincipalName":"jane@contoso.com"`
	for certificates, want := range map[string]int{
		"": 0, `,"certificates":null`: 0, `,"certificates":[]`: 0,
		`,"certificates":["` + b64 + `"]`:                                1,
		`,"Certificates":["` + b64 + `"]`:                                1,
		`,"certificates":"` + b64 + `"`:                                  1,
		`,"certificates":["` + strings.ReplaceAll(b64, "/", `\/`) + `"]`: 1,
		`,"certificates":[` + string(text) + `,"` + b64 + `"]`:           2,
	} {
		if got, err := read(user + certificates + "}"); err != nil || got != want {
			t.Errorf("%.60q: %d, %v", certificates, got, err)
		}
	}
	if got, err := read("id,certificate\n1," + b64 + "\n"); err != nil || got != 1 {
		t.Errorf("a table: %d, %v", got, err)
	}
	for certificates, where := range map[string]string{
		`"certificates":3`:                            "certificates",
		`"certificates":{"a":1}`:                      "certificates",
		`"certificates":[3]`:                          "certificates[0]",
		`"certificates":["` + b64 + `","AAAA"]`:       "certificates[1]",
		`"certificates":["` + b64[:len(b64)/2] + `"]`: "certificates[0]",
	} {
		var e *snapshot.Error
		if _, err := read(user + "," + certificates + "}"); !errors.As(err, &e) || e.Reason != snapshot.Malformed || e.Where != "line 1" || e.Detail != where || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.60q: %v", certificates, err)
		}
	}
}
