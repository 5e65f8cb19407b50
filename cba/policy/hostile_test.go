package policy_test

import (
	"bytes"
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/policy"
)

// A configuration whose OIDs fill it takes no time to be compiled and checked. Such a
// rule matches nothing, which is a finding.
func TestLongOID(t *testing.T) {
	began := time.Now()
	long := strings.Repeat("9", 400_000)
	config, err := policy.Parse([]byte(`{"id": "X509Certificate", "state": "enabled", "authenticationModeConfiguration": {"rules": [
		{"x509CertificateRuleType": "policyOID", "identifier": "1.2.` + long + `", "x509CertificateAuthenticationMode": "x509CertificateMultiFactor"},
		{"x509CertificateRuleType": "issuerSubjectAndPolicyOID", "issuerSubjectIdentifier": "CN=a", "policyOidIdentifier": "1.2.` + long + `", "x509CertificateAuthenticationMode": "x509CertificateMultiFactor"}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	if !config.Findings().Has("policy-rule-oid") {
		t.Errorf("%.1000v", config.Findings())
	}
	if _, err := config.Compile(policy.Readings{}); err != nil {
		t.Error(err)
	}
	var id x509.OID
	if err := id.UnmarshalBinary(append(bytes.Repeat([]byte{0xff}, 1<<20), 0x7f)); err != nil {
		t.Fatal(err)
	}
	config = policy.ServiceDefault()
	config.AuthenticationMode.Rules = []policy.Rule{policy.PolicyOIDRule(id, policy.MultiFactor, certuserid.High)}
	if !config.Findings().Has("policy-rule-oid") {
		t.Errorf("%.1000v", config.Findings())
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
}
