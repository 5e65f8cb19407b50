package trust_test

import (
	"compress/gzip"
	"crypto/fips140"
	"crypto/x509"
	"encoding/json"
	"maps"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/trust"
)

// A suiteCase is one case of a public suite: which CAs are trusted and which are
// there beside them, by their places in the list of certificates, and whether a
// validator accepts the leaf.
type suiteCase struct {
	Suite, ID     string
	Roots, Inters []int
	Leaf          int
	At            time.Time
	Accept        bool
	Kind, Note    string
}

// TestSuites compares chains with five public suites: x509-limbo, BetterTLS,
// BoringSSL's verifier and path builder, and NIST PKITS. CBA_SUITES is the folder of
// their data, which is not committed. Each difference stands in
// testdata/suites.txt under its reason: one that does not, and one that is gone,
// fails.
func TestSuites(t *testing.T) {
	folder := os.Getenv("CBA_SUITES")
	if folder == "" {
		t.Log("CBA_SUITES is not set: the cases of the public suites are not compared")
		return
	}
	if fips140.Enforced() {
		t.Log("the list is for a process that may check SHA-1 and all RSA keys")
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
	var data struct {
		Certs [][]byte
		Cases []suiteCase
	}
	if err := json.NewDecoder(unzipped).Decode(&data); err != nil {
		t.Fatal(err)
	}
	known := readDifferences(t)
	agree := 0
	for _, c := range data.Cases {
		got := c.difference(t, data.Certs)
		if got == "" {
			agree++
		}
		if want := known[c.ID]; got != want {
			t.Errorf("%s: %q, want %q (%s: %s)", c.ID, got, want, c.Kind, c.Note)
		}
		delete(known, c.ID)
	}
	for id := range known {
		t.Errorf("no case %s", id)
	}
	t.Logf("%d cases: %d agree, %d differ for a known reason", len(data.Cases), agree, len(data.Cases)-agree)
	if len(data.Cases) < 850 {
		t.Errorf("only %d cases", len(data.Cases))
	}
}

// difference says how a chain differs from what the suite wants, "" if it does not:
// "closed" and the cause if the suite accepts, "open" and the warnings if it refuses.
func (c suiteCase) difference(t *testing.T, certs [][]byte) string {
	t.Helper()
	leaf, err := x509.ParseCertificate(certs[c.Leaf])
	if err != nil { // what crypto/x509 refuses has no chain here
		if c.Accept {
			return "closed unreadable"
		}
		return ""
	}
	var cas []trust.Authority
	for _, i := range c.Roots {
		cas = append(cas, trust.Authority{Certificate: certs[i], CertificateAuthorityType: trust.Root})
	}
	for _, i := range c.Inters {
		cas = append(cas, trust.Authority{Certificate: certs[i], CertificateAuthorityType: trust.Intermediate})
	}
	var answer string
	for n := range 2 { // in another order, the same
		store := compile(t, trust.Config{PKIs: trust.PKIs{{DisplayName: "PKI", CertificateAuthorities: cas}}}, trust.Options{})
		chain := store.Chain(leaf, c.At)
		if again := store.Leaf(leaf).Chain(c.At); !reflect.DeepEqual(chain, again) {
			t.Errorf("%s: the chain of a leaf is another", c.ID)
		}
		got := ""
		switch {
		case chain.Trusted == c.Accept:
		case c.Accept:
			got = "closed " + chain.Failures[0].Cause.String()
		default:
			warnings := map[string]bool{}
			for _, s := range chain.Steps() {
				if s.Outcome == lint.Warn {
					warnings[s.Name] = true
				}
			}
			got = strings.TrimSpace("open " + strings.Join(slices.Sorted(maps.Keys(warnings)), ", "))
		}
		if n > 0 && got != answer {
			t.Errorf("%s: the order of the CAs matters: %q and %q", c.ID, answer, got)
		}
		answer = got
		mathrand.Shuffle(len(cas), func(i, j int) { cas[i], cas[j] = cas[j], cas[i] })
	}
	return answer
}

// readDifferences reads the list: under a reason, which begins with "# ", lines of a
// difference, two spaces, and the case.
func readDifferences(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("testdata/suites.txt")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]string{}
	reason := ""
	for i, line := range strings.Split(strings.TrimRight(string(text), "\n"), "\n") {
		if rest, ok := strings.CutPrefix(line, "# "); ok {
			reason = rest
			continue
		}
		if line == "" {
			reason = ""
			continue
		}
		difference, id, ok := strings.Cut(line, "  ")
		if !ok || reason == "" || known[id] != "" {
			t.Fatalf("testdata/suites.txt:%d: %q is no difference with a reason, or stands twice", i+1, line)
		}
		known[id] = difference
	}
	return known
}
