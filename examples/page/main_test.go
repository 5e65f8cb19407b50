package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// between returns what stands between two texts, the first time.
func between(t *testing.T, text, from, to string) string {
	t.Helper()
	_, rest, ok := strings.Cut(text, from)
	inside, _, ends := strings.Cut(rest, to)
	if !ok || !ends {
		t.Fatalf("no %q … %q", from, to)
	}
	return inside
}

// The policy of the page names its script and its two styles by their hashes, and
// nothing else but the program.
func TestPolicy(t *testing.T) {
	var out bytes.Buffer
	if err := write(&out, []byte("the program"), []byte("/* the loader */")); err != nil {
		t.Fatal(err)
	}
	page := out.String()
	policy := between(t, page, `Content-Security-Policy" content="`, `"`)
	rest := policy
	for _, inline := range []string{between(t, page, "<style>", "</style>"), between(t, page[strings.LastIndex(page, "<style>"):], "<style>", "</style>"), between(t, page, "<script>", "</script>")} {
		sum := sha256.Sum256([]byte(inline))
		name := "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
		if !strings.Contains(rest, name) {
			t.Errorf("the policy does not name what begins with %.30q", inline)
		}
		rest = strings.Replace(rest, name, "H", 1)
	}
	if want := "default-src 'none'; style-src H H; script-src H 'wasm-unsafe-eval'; base-uri 'none'; form-action 'none'"; rest != want {
		t.Errorf("policy %s", policy)
	}
	packed, err := base64.StdEncoding.DecodeString(between(t, page, `id="program">`, "<"))
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	if program, err := io.ReadAll(z); err != nil || string(program) != "the program" {
		t.Errorf("%q, %v", program, err)
	}
	if bad := regexp.MustCompile(`\son\w+=|\sstyle=|href=|src=`).FindString(page[:strings.Index(page, `id="program"`)]); bad != "" {
		t.Errorf("the page has %q, which its policy forbids", bad)
	}
}

func TestRun(t *testing.T) {
	if testing.Short() {
		t.Skip("it compiles a program for browsers")
	}
	name := filepath.Join(t.TempDir(), "page.html")
	if err := run([]string{"-out", name}); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(name)
	if err != nil || len(page) < 1_000_000 || len(page) > 5_000_000 || !bytes.HasSuffix(page, []byte("</html>\n")) {
		t.Errorf("%d bytes, %v", len(page), err)
	}
	for _, args := range [][]string{{"more"}, {"-nosuch"}, {"-out", filepath.Join(name, "below")}} {
		if run(args) == nil {
			t.Errorf("%q is no error", args)
		}
	}
}
