package certuserid_test

import (
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/internal/interop"
)

// gather returns our own certificates and those that Python makes, as PEM.
func gather(t *testing.T, python interop.Tool) (names, pems []string) {
	for name, cert := range certificates(t) {
		names = append(names, name)
		pems = append(pems, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})))
	}
	var made []string
	if err := json.Unmarshal([]byte(python.Run(t, nil, filepath.Join("testdata", "mint.py"))), &made); err != nil {
		t.Fatal(err)
	}
	for i, text := range made {
		names = append(names, fmt.Sprint("python-", i))
		pems = append(pems, text)
	}
	return names, pems
}

func parsePEM(t *testing.T, text string) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		t.Fatal("no PEM")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// Python's cryptography reads the certificates, and code of its own builds the
// values: the same come out.
func TestPython(t *testing.T) {
	python := interop.Python(t)
	names, pems := gather(t, python)
	// This version of cryptography does not read a TeletexString beyond ASCII.
	if i := slices.Index(names, "strings"); i >= 0 {
		names, pems = slices.Delete(names, i, i+1), slices.Delete(pems, i, i+1)
	}
	input, err := json.Marshal(pems)
	if err != nil {
		t.Fatal(err)
	}
	var read []map[string]string
	if err := json.Unmarshal([]byte(python.Run(t, input, filepath.Join("testdata", "values.py"))), &read); err != nil {
		t.Fatal(err)
	}
	if len(read) != len(names) || len(read) < 20 {
		t.Fatalf("%d certificates read of %d", len(read), len(names))
	}
	compared := 0
	for i, name := range names {
		cert := parsePEM(t, pems[i])
		values := certuserid.Options{}.Values(cert)
		for _, m := range certuserid.Mappings() {
			want, got := read[i][m.Name()], ""
			id, err := values.ID(m)
			switch {
			case err == nil:
				got = id.String()
			case name == "bad-upn" && (m == certuserid.PrincipalName || m == certuserid.RFC822Name):
				continue // Python reads what we refuse
			}
			if got != want {
				t.Errorf("%s: %v:\ngot  %q\nwant %q", name, m, got, want)
			}
			compared++
		}
		if id, err := (certuserid.Options{HashInput: certuserid.PublicKeyInfo}).FromCertificate(cert, certuserid.SHA1PublicKey); err != nil || id.Value() != read[i]["spki"] {
			t.Errorf("%s: %v, %v, want %s", name, id, err, read[i]["spki"])
		}
	}
	if compared < 150 {
		t.Fatalf("%d values compared", compared)
	}
}

// OpenSSL prints serial number, key identifier, fingerprint and names of the same
// certificates, part by part; put together by the documented rules they give our
// values.
func TestOpenSSL(t *testing.T) {
	openssl := interop.Find(t, "openssl")
	names, pems := gather(t, interop.Python(t))
	for i, name := range names {
		values := certuserid.Options{WithoutSignOctet: true}.Values(parsePEM(t, pems[i]))
		out := openssl.Try(t, []byte(pems[i]), "x509", "-noout", "-serial", "-fingerprint", "-sha1",
			"-issuer", "-subject", "-nameopt", "oid,sep_multiline,utf8", "-ext", "subjectKeyIdentifier").Stdout
		printed := readOpenSSL(t, out)
		want := map[certuserid.Mapping]string{
			certuserid.SHA1PublicKey:         "X509:<SHA1-PUKEY>" + printed["sha1 Fingerprint"],
			certuserid.IssuerAndSerialNumber: "X509:<I>" + printed["issuer"] + "<SR>" + swap(t, printed["serial"]),
		}
		if printed["ski"] != "" {
			want[certuserid.SKI] = "X509:<SKI>" + printed["ski"]
		}
		if printed["subject"] != "" {
			want[certuserid.Subject] = "X509:<S>" + printed["subject"]
			want[certuserid.IssuerAndSubject] = "X509:<I>" + printed["issuer"] + "<S>" + printed["subject"]
		}
		for _, m := range certuserid.Mappings() {
			if m == certuserid.PrincipalName || m == certuserid.RFC822Name {
				continue // Python's part
			}
			got := ""
			if id, err := values.ID(m); err == nil {
				got = id.String()
			}
			if got != want[m] {
				t.Errorf("%s: %v:\ngot  %q\nwant %q", name, m, got, want[m])
			}
		}
	}
	if len(names) < 25 {
		t.Fatalf("%d certificates", len(names))
	}
}

// windowsNames is the table of names once more, from SSSD's design page, so that
// a slip in the package's table shows.
var windowsNames = map[string]string{
	"2.5.4.3": "CN", "2.5.4.4": "SN", "2.5.4.5": "SERIALNUMBER", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "S",
	"2.5.4.9": "STREET", "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.12": "T", "2.5.4.13": "Description",
	"2.5.4.17": "PostalCode", "2.5.4.18": "POBox", "2.5.4.42": "G", "2.5.4.43": "I",
	"0.9.2342.19200300.100.1.25": "DC", "1.2.840.113549.1.9.1": "E",
}

// readOpenSSL takes apart what openssl x509 printed. Names become text by
// CertNameToStr's rules.
func readOpenSSL(t *testing.T, out string) map[string]string {
	t.Helper()
	hexadecimal := func(s string) string { return strings.ToLower(strings.ReplaceAll(strings.TrimSpace(s), ":", "")) }
	printed := map[string]string{}
	section := ""
	for line := range strings.Lines(out) {
		line = strings.TrimRight(line, "\n")
		if !strings.HasPrefix(line, "    ") {
			key, value, _ := strings.Cut(line, "=")
			section = key
			switch {
			case key == "serial", key == "sha1 Fingerprint":
				printed[key] = hexadecimal(value)
			case strings.HasPrefix(key, "X509v3 Subject Key Identifier"):
				section = "ski"
			}
			continue
		}
		if section == "ski" {
			printed["ski"] = hexadecimal(line)
			continue
		}
		var attributes []string
		for part := range strings.SplitSeq(strings.TrimPrefix(line, "    "), " + ") {
			oid, value, found := strings.Cut(part, "=")
			if !found {
				continue // the empty name
			}
			keyword, known := windowsNames[oid]
			if !known {
				keyword = "OID." + oid
			}
			if value == "" || strings.Trim(value, " ") != value || strings.ContainsAny(value, ",+=\"\n<>#;") {
				value = `"` + strings.ReplaceAll(value, `"`, `""`) + `"`
			}
			attributes = append(attributes, keyword+"="+value)
		}
		if printed[section] != "" && len(attributes) > 0 {
			printed[section] += ","
		}
		printed[section] += strings.Join(attributes, " ")
	}
	return printed
}

// swap reverses the bytes of a hexadecimal text.
func swap(t *testing.T, digits string) string {
	t.Helper()
	octets, err := hex.DecodeString(digits)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(octets)
	return hex.EncodeToString(octets)
}
