package signin_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/internal/interop"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
	"example.com/entracba/cba/trust"
)

// trusts asks for the verdict about a chain and its lists alone: every user is
// bound and in scope.
func trusts(tb testing.TB, leaf *x509.Certificate, cas []*x509.Certificate, at time.Time, lists map[string]*crl.List, deltas map[string]*crl.List) signin.Verdict {
	tb.Helper()
	pki, err := trust.NewPKI("Test", cas)
	if err != nil {
		tb.Fatal(err)
	}
	for i, ca := range cas {
		a := &pki.CertificateAuthorities[i]
		a.CertificateRevocationListURL = fmt.Sprintf("http://test/%x", ca.SubjectKeyId)
		if deltas[string(ca.SubjectKeyId)] != nil {
			a.DeltaCertificateRevocationListURL = fmt.Sprintf("http://test/delta/%x", ca.SubjectKeyId)
		}
	}
	config := policy.ServiceDefault()
	config.State = policy.Enabled
	config.UserBindings = []policy.UserBinding{{Field: certuserid.SHA1PublicKey, Property: policy.CertificateUserIDs, Affinity: certuserid.High}}
	tenant, err := signin.Config{Policy: config, Trust: trust.Config{PKIs: trust.PKIs{pki}}}.Compile(signin.Options{CRLs: byIssuer{lists, deltas}})
	if err != nil {
		tb.Fatal(err)
	}
	user := policy.User{UserPrincipalName: "bob@woodgrove.com"}
	user.AuthorizationInfo.CertificateUserIDs = []string{"X509:<SHA1-PUKEY>" + sha1Hex(leaf.Raw)}
	return checkVerdict(tb, tenant, signin.Request{User: &user, Certificate: leaf, At: at})
}

// byIssuer has the lists by the key identifier of the authority.
type byIssuer struct{ base, delta map[string]*crl.List }

func (s byIssuer) Fetch(_ context.Context, url string, ca *x509.Certificate) (*crl.List, error) {
	from := s.base
	if strings.Contains(url, "/delta/") {
		from = s.delta
	}
	list := from[string(ca.SubjectKeyId)]
	if list == nil {
		return nil, &crl.Error{Reason: crl.Missing, URL: url}
	}
	return list, list.CheckIssuer(ca)
}

func pemCertificates(list ...*x509.Certificate) []byte {
	var b bytes.Buffer
	for _, cert := range list {
		pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
	}
	return b.Bytes()
}

// OpenSSL gives a second opinion on certificates and lists that the standard
// library made: every kind of user certificate under every state of the base and
// the delta list.
func TestOpenSSLAgreesOnRevocation(t *testing.T) {
	openssl := interop.Find(t, "openssl")
	w := theWorld(t)
	dir := t.TempDir()
	type differs struct{ leaf, base, delta string }
	// Where OpenSSL answers otherwise, and why.
	expected := map[differs]string{}
	const reason = "OpenSSL does without a delta list that it cannot use; Entra needs both lists to be good (Learn: CBA certificate revocation list)"
	for _, leaf := range []string{"bob", "bob-held", "bob-delta-revoked"} {
		for _, delta := range []string{"woodgrove-delta-expired", "woodgrove-delta-ahead"} {
			if leaf != "bob-held" {
				expected[differs{leaf, "woodgrove", delta}] = reason
			}
		}
	}
	met := map[differs]bool{}
	cases, good := 0, 0
	for _, leaf := range []string{"bob", "bob-revoked", "bob-held", "bob-delta-revoked", "bob-expired", "bob-future", "bob-forged", "bob-other"} {
		for _, base := range []string{"woodgrove", "woodgrove-expired", "woodgrove-future", "woodgrove-wrong-key", "woodgrove-wrong-aki", "other", ""} {
			for _, delta := range []string{"", "woodgrove-delta", "woodgrove-delta-expired", "woodgrove-delta-ahead", "woodgrove-delta-wrong-key"} {
				cas := []*x509.Certificate{w.certs["woodgrove"], w.certs["other"]}
				bases, deltas := map[string]*crl.List{}, map[string]*crl.List{}
				args := []string{"verify", "-no-CApath", "-no-CAstore", "-crl_check_all", "-attime", strconv.FormatInt(worldNow.Unix(), 10),
					"-CAfile", interop.File(t, "cas.pem", pemCertificates(cas...))}
				add := func(name string, ca *x509.Certificate, into map[string]*crl.List) {
					if name == "" {
						return
					}
					content := w.files[name+".crl"]
					list, err := crl.Parse(content)
					if err != nil {
						t.Fatal(err)
					}
					into[string(ca.SubjectKeyId)] = list
					file := filepath.Join(dir, fmt.Sprintf("%s-%d.crl.pem", name, len(args)))
					if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: content}), 0o600); err != nil {
						t.Fatal(err)
					}
					args = append(args, "-CRLfile", file)
				}
				add(base, cas[0], bases)
				add("other", cas[1], bases)
				add(delta, cas[0], deltas)
				if delta != "" {
					args = append(args, "-use_deltas", "-extended_crl")
				}
				args = append(args, interop.File(t, "leaf.pem", pemCertificates(w.certs[leaf])))
				result := openssl.Try(t, nil, args...)
				ours := trusts(t, w.certs[leaf], cas, worldNow, bases, deltas)
				cases++
				if ours.SignedIn {
					good++
				}
				if (result.Code == 0) == ours.SignedIn {
					continue
				}
				d := differs{leaf, base, delta}
				met[d] = true
				if expected[d] == "" {
					t.Errorf("%v: signed in here: %v, %s; openssl says %d: %s%s", d, ours.SignedIn, ours.Message, result.Code, result.Stdout, result.Stderr)
				}
			}
		}
	}
	for d, why := range expected {
		if !met[d] {
			t.Errorf("%v: openssl agrees now, where it did not because %s", d, why)
		}
	}
	if cases != 280 || good < 10 {
		t.Errorf("%d cases, %d good", cases, good)
	}
}

// A pkitsDifference is a reason for which Entra's rules, or what this module looks
// at, answer otherwise than RFC 5280 on cases of NIST's suite.
type pkitsDifference struct {
	reason string
	code   string // of our refusal, "" where we take what RFC 5280 refuses
	cases  string // regular expression for the beginning of their names
	count  int
}

var pkitsDifferences = []pkitsDifference{
	{"crypto/x509 does not check DSA signatures; the verdict is undecided and says so", "", `4\.1\.4 `, 1},
	{"Entra finds issuers by key identifiers, not by name (Learn: How to configure certificate authorities); the difference is a warning", "", `4\.3\.`, 2},
	{"the list of an authority must have its key identifier (AADSTS2205015): one that another key of the same name signed does not do", "AADSTS2205015", `4\.(4\.19|5\.[0-9]|6\.1[57]|9\.6|11\.7|12\.[79]|13\.19) `, 9},
	{"Entra takes the URL of the list from the trust store: the name of a distribution point is not compared", "", `4\.(5\.[57]|14\.[389]) `, 5},
	{"what Entra makes of a list for some reasons only is not documented: it is refused", "AADSTS500174", `4\.14\.1[89] `, 2},
	{"nor what it makes of indirect lists: refused", "AADSTS500174", `4\.14\.22 `, 1},
	{"an authority whose certificates another one's list covers has no list of its own", "AADSTS500175", `4\.14\.`, 4},
	{"policies must be consistent (Microsoft support: AADSTS50017), how is not documented; a policy that the issuer lacks is a warning", "", `4\.(8|9|10|11|12)\.`, 35},
	{"name constraints are not documented, and crypto/x509 cannot compare directory names; what it marks as unhandled is a warning", "", `4\.13\.`, 22},
	{"what Entra makes of a critical extension that it does not know is not documented; it is a warning", "", `4\.16\.2 `, 1},
}

// The lists of the PKITS suite are not in the Go distribution; Debian's package
// python3-cryptography-vectors has them.
func pkitsLists(t *testing.T) map[string]*crl.List {
	t.Helper()
	out, err := exec.Command("dpkg", "-L", "python3-cryptography-vectors").Output()
	if err != nil {
		interop.Missing(t, "Debian's python3-cryptography-vectors is not installed: %v", err)
	}
	lists, seen := map[string]*crl.List{}, 0
	for line := range strings.Lines(string(out)) {
		file := strings.TrimSpace(line)
		if !strings.Contains(file, "/PKITS_data/crls/") || !strings.HasSuffix(file, ".crl") {
			continue
		}
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		seen++
		if list, err := crl.Parse(content); err == nil {
			lists[filepath.Base(file)] = list
		}
	}
	// Two lists have an entry or a number that no encoding rule allows.
	if seen != pkitsListCount || len(lists) < seen-2 {
		t.Fatalf("%d lists, of which %d can be read", seen, len(lists))
	}
	return lists
}

const pkitsListCount = 173

// nameKey is the same for two encodings of one name.
func nameKey(t *testing.T, raw []byte) string {
	t.Helper()
	key, err := dn.AppendKey(nil, raw)
	if err != nil {
		t.Fatal(err)
	}
	return string(key)
}

// NIST's path validation suite: chains and lists together. The authorities of a
// case make the store; of its lists each authority has the one of its name, that
// of its own key where there are several.
func TestPKITSWithLists(t *testing.T) {
	goroot := strings.TrimSpace(interop.Find(t, "go").Run(t, nil, "env", "GOROOT"))
	folder := filepath.Join(goroot, "src/crypto/x509/testdata/nist-pkits")
	vectors, err := os.ReadFile(filepath.Join(folder, "vectors.json"))
	if err != nil {
		interop.Missing(t, "the Go distribution has no PKITS vectors: %v", err)
	}
	lists := pkitsLists(t)
	var cases []struct {
		Name           string
		CertPath       []string
		CRLPath        []string
		ShouldValidate bool
	}
	if err := json.Unmarshal(vectors, &cases); err != nil {
		t.Fatal(err)
	}
	agreed, unreadable := 0, 0
	counts := make([]int, len(pkitsDifferences))
	for _, c := range cases {
		var path []*x509.Certificate
		for _, name := range c.CertPath {
			der, err := os.ReadFile(filepath.Join(folder, "certs", name))
			if err != nil {
				t.Fatal(err)
			}
			if cert, err := x509.ParseCertificate(der); err == nil {
				path = append(path, cert)
			}
		}
		if len(path) != len(c.CertPath) {
			unreadable++
			continue
		}
		bases, deltas := map[string]*crl.List{}, map[string]*crl.List{}
		for _, ca := range path[:len(path)-1] {
			for _, name := range c.CRLPath {
				list := lists[name]
				if list == nil || nameKey(t, list.RawIssuer) != nameKey(t, ca.RawSubject) {
					continue
				}
				into := bases
				if list.IsDelta() {
					into = deltas
				}
				key := string(ca.SubjectKeyId)
				if into[key] == nil || bytes.Equal(list.AuthorityKeyID, ca.SubjectKeyId) {
					into[key] = list
				}
			}
		}
		got := trusts(t, path[len(path)-1], path[:len(path)-1], time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), bases, deltas)
		if got.SignedIn == c.ShouldValidate {
			agreed++
			continue
		}
		i := slices.IndexFunc(pkitsDifferences, func(d pkitsDifference) bool {
			return d.code == got.Code && regexp.MustCompile("^(?:"+d.cases+")").MatchString(c.Name)
		})
		if i < 0 {
			t.Errorf("%s: RFC 5280 says %v, here %v: %s", c.Name, c.ShouldValidate, got.SignedIn, got.Message)
			continue
		}
		counts[i]++
	}
	for i, d := range pkitsDifferences {
		if counts[i] != d.count {
			t.Errorf("%d cases differ because %s, want %d", counts[i], d.reason, d.count)
		}
	}
	if agreed < 161 || unreadable != 6 || len(cases) != 249 {
		t.Errorf("of %d cases %d agree and %d cannot be read, want 249, 161 and 6", len(cases), agreed, unreadable)
	}
}
