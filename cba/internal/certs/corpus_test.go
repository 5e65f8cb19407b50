package certs_test

import (
	"compress/gzip"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"example.com/entracba/cba/internal/certs"
	"example.com/entracba/cba/internal/interop"
)

// The certificates of public suites (x509-limbo, BetterTLS, BoringSSL, NIST PKITS)
// through the reader: whatever Python's cryptography reads, it reads too, with the
// same serial number and as many extensions. CBA_SUITES is the folder of the data,
// which is not committed.
func TestPublicCertificates(t *testing.T) {
	folder := os.Getenv("CBA_SUITES")
	if folder == "" {
		t.Log("CBA_SUITES is not set: nothing is read")
		return
	}
	file, err := os.Open(filepath.Join(folder, "chains", "cases.json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	var cases struct{ Certs [][]byte }
	if err := json.NewDecoder(unzipped).Decode(&cases); err != nil {
		t.Fatal(err)
	}
	const script = `
import sys, warnings, json, base64
warnings.simplefilter("ignore")
from cryptography import x509
from cryptography.hazmat.backends import default_backend
out = {}
for name, raw in json.load(sys.stdin).items():
    try:
        out[name] = str(x509.load_der_x509_certificate(base64.b64decode(raw), default_backend()).serial_number)
    except Exception:
        pass
json.dump(out, sys.stdout)
`
	in := map[string][]byte{}
	for i, raw := range cases.Certs {
		in[fmt.Sprint(i)] = raw
	}
	python := parseJSON(t, interop.Python(t).Run(t, mustJSON(t, in), "-c", script))
	strict, tolerant := 0, 0
	for name, raw := range in {
		if _, err := x509.ParseCertificate(raw); err == nil {
			strict++
		}
		cert, err := certs.Parse(raw)
		if err == nil {
			tolerant++
		}
		serial, read := python[name]
		if read && (err != nil || cert.SerialNumber.String() != serial) {
			t.Errorf("certificate %s: Python reads serial number %s: %v", name, serial, err)
		}
	}
	t.Logf("%d certificates: crypto/x509 reads %d, this reader %d, Python %d", len(in), strict, tolerant, len(python))
	if len(in) < 1000 || tolerant < len(python) {
		t.Errorf("%d certificates, %d read", len(in), tolerant)
	}
}
