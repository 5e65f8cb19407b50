package crl_test

import (
	"crypto/fips140"
	"crypto/x509"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/crl/internal/crltest"
	"example.com/entracba/cba/internal/interop"
)

// pkitsFolder is where Debian's python3-cryptography-vectors has the NIST Public
// Key Interoperability Test Suite; CBA_PKITS names another place.
func pkitsFolder(t *testing.T) string {
	for _, folder := range []string{os.Getenv("CBA_PKITS"), "/usr/lib/python3/dist-packages/cryptography_vectors/x509/PKITS_data"} {
		if _, err := os.Stat(filepath.Join(folder, "crls")); folder != "" && err == nil {
			return folder
		}
	}
	interop.Missing(t, "no PKITS: install python3-cryptography-vectors, or set CBA_PKITS to its PKITS_data folder")
	return ""
}

// unsupportedPKITS are the lists that their authority signed and that must not
// be used here, each for a reason that [crl.List.CheckIssuer] documents.
var unsupportedPKITS = map[string]string{
	"UnknownCRLExtensionCACRL":          "an unknown critical extension",
	"UnknownCRLEntryExtensionCACRL":     "an unknown critical extension of an entry",
	"onlyContainsAttributeCertsCACRL":   "attribute certificates only",
	"indirectCRLCA1CRL":                 "indirect",
	"indirectCRLCA3cRLIssuerCRL":        "indirect",
	"indirectCRLCA4cRLIssuerCRL":        "indirect",
	"indirectCRLCA5CRL":                 "indirect",
	"onlySomeReasonsCA1compromiseCRL":   "some reasons only",
	"onlySomeReasonsCA1otherreasonsCRL": "some reasons only",
	"onlySomeReasonsCA2CRL1":            "some reasons only",
	"onlySomeReasonsCA2CRL2":            "some reasons only",
	"onlySomeReasonsCA3compromiseCRL":   "some reasons only",
	"onlySomeReasonsCA3otherreasonsCRL": "some reasons only",
	"onlySomeReasonsCA4compromiseCRL":   "some reasons only",
	"onlySomeReasonsCA4otherreasonsCRL": "some reasons only",
}

// refusedPKITS are the lists that are no CA's of the suite. Zero: no CA has the
// list's key identifier, or the one that has it is none by its certificate, or
// its key is one that crypto/x509 cannot read.
var refusedPKITS = map[string]crl.Reason{
	"BadCRLSignatureCACRL":                    crl.BadSignature,
	"BadCRLIssuerNameCACRL":                   crl.WrongIssuer,
	"TwoCRLsCABadCRL":                         crl.WrongIssuer,
	"keyUsageCriticalcRLSignFalseCACRL":       crl.BadSignature,
	"keyUsageNotCriticalcRLSignFalseCACRL":    crl.BadSignature,
	"DSACACRL":                                crl.Unsupported,
	"DSAParametersInheritedCACRL":             "",
	"MissingbasicConstraintsCACRL":            "",
	"basicConstraintsCriticalcAFalseCACRL":    "",
	"basicConstraintsNotCriticalcAFalseCACRL": "",
	// Certificate and lists signed with two keys: Entra wants one.
	"SeparateCertificateandCRLKeysCRL":    "",
	"SeparateCertificateandCRLKeysCA2CRL": "",
	"BasicSelfIssuedCRLSigningKeyCACRL":   "",
}

// Every list of the suite: read as crypto/x509 reads it, and by its authority or
// not as OpenSSL's signature check and the names and key identifiers say.
func TestPKITS(t *testing.T) {
	folder := pkitsFolder(t)
	files, err := filepath.Glob(filepath.Join(folder, "crls", "*.crl"))
	if err != nil || len(files) < 170 {
		t.Fatalf("%d lists, %v", len(files), err)
	}
	certFiles, err := filepath.Glob(filepath.Join(folder, "certs", "*.crt"))
	if err != nil || len(certFiles) < 400 {
		t.Fatalf("%d certificates, %v", len(certFiles), err)
	}
	var certs []*x509.Certificate
	for _, file := range certFiles {
		if cert, err := x509.ParseCertificate(crltest.Must[[]byte](t)(os.ReadFile(file))); err == nil {
			certs = append(certs, cert)
		}
	}
	good, unsupported, refused := 0, 0, 0
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".crl")
		der := crltest.Must[[]byte](t)(os.ReadFile(file))
		want, err := x509.ParseRevocationList(der)
		if err != nil {
			t.Errorf("%s: crypto/x509 refuses it: %v", name, err)
			continue
		}
		list := checkAgainstX509(t, der)
		var faults []crl.Reason
		signed := false // by an crltest.Authority with the list's name, whatever it may do
		for _, ca := range certs {
			if string(ca.SubjectKeyId) != string(list.AuthorityKeyID) || !ca.IsCA {
				continue
			}
			reason := crltest.ReasonOf(t, list.CheckIssuer(ca))
			faults = append(faults, reason)
			var theirs bool
			fips140.WithoutEnforcement(func() { theirs = want.CheckSignatureFrom(ca) == nil })
			signed = signed || theirs
			if reason == crl.WrongIssuer && refusedPKITS[name] == reason {
				continue // crypto/x509 does not compare names
			}
			if reason != crl.Unsupported && (reason == "") != theirs {
				t.Errorf("%s under %q: %v, and crypto/x509 says %t", name, ca.Subject, reason, theirs)
			}
		}
		_, listed := unsupportedPKITS[name]
		if got := slices.Contains(faults, crl.Unsupported); signed && got != listed {
			t.Errorf("%s: unsupported: %t, not %t", name, got, listed)
		}
		switch {
		case slices.Contains(faults, ""):
			good++
		case listed:
			unsupported++
		default:
			var reason crl.Reason
			if len(faults) > 0 {
				reason = faults[0]
			}
			if want, ok := refusedPKITS[name]; !ok || reason != want {
				t.Errorf("%s: %v, not %v", name, faults, want)
			}
			refused++
		}
	}
	if good < 145 || unsupported != len(unsupportedPKITS) || refused != len(refusedPKITS) {
		t.Errorf("%d good, %d unsupported, %d refused of %d", good, unsupported, refused, len(files))
	}
}
