package crl_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba/crl"
)

func TestLimits(t *testing.T) {
	for _, c := range []struct {
		limits crl.Limits
		bytes  int64
	}{
		{crl.InteractivePublic(), 20e6}, {crl.InteractiveGovernment(), 45e6},
		{crl.BackgroundPublic(), 65e6}, {crl.BackgroundPublicCautious(), 45e6}, {crl.BackgroundGovernment(), 150e6},
	} {
		if c.limits.Bytes != c.bytes || c.limits.Time < 10*time.Second {
			t.Errorf("%+v", c.limits)
		}
	}
	if crl.InteractivePublic().Time != 10*time.Second || crl.InteractiveGovernment().Time != 10*time.Second {
		t.Error("not 10 s")
	}
}

func TestURLFindings(t *testing.T) {
	for url, want := range map[string]string{
		"http://crl.woodgrove.com/users.crl":     "",
		"http://crl.woodgrove.com:8080/users":    "",
		"http://20.190.128.1/users.crl":          "",
		"HTTPS://crl.woodgrove.com/users.crl":    "crl-url-https",
		"ldap:///CN=CDP":                         "crl-url-unusable",
		"":                                       "crl-url-unusable",
		"http://pki/users.crl":                   "crl-url-private",
		"http://pki.woodgrove.local./users.crl":  "crl-url-private",
		"http://192.168.0.7/users.crl":           "crl-url-private",
		"http://[fd00::7]/users.crl":             "crl-url-private",
		"http://crl.woodgrove.com/users.crl.PEM": "crl-url-not-der",
		"http://user:secret@crl.woodgrove.com/a": "crl-url-unusable",
	} {
		findings := crl.URLFindings(url)
		if want == "" && len(findings) > 0 || want != "" && (len(findings) != 1 || findings[0].Code != want) {
			t.Errorf("%s: %v", url, findings)
		}
		if strings.Contains(fmt.Sprint(findings), "secret") {
			t.Errorf("a finding tells the password: %v", findings)
		}
	}
}
