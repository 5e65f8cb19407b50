package pfx_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"testing"

	"example.com/entracba/cba/pfx"
)

// fuzzSeeds are whole files: each encoding, each published file.
func fuzzSeeds(f *testing.F) (seeds [][]byte) {
	for e := range encodings() {
		data, err := pfx.Encoder{Encoding: e, InsecureAllowEmptyPassword: true}.Encode(bundle("p256", 1, "Jane"), "")
		if err != nil {
			f.Fatal(err)
		}
		seeds = append(seeds, data)
	}
	files, err := filepath.Glob(filepath.Join("testdata", "rfc9579", "*.txt"))
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		data, err := base64.StdEncoding.DecodeString(string(text))
		if err != nil {
			f.Fatal(err)
		}
		seeds = append(seeds, data)
	}
	if len(seeds) < 11 {
		f.Fatalf("only %d seeds", len(seeds))
	}
	return seeds
}

// FuzzDecode: for any bytes and password, Decode does not panic and does no more
// work than the limits. It returns either an *Error with a reason and nothing
// else, or a bundle whose key fits its certificate; that bundle can be written
// again, or Encode says what is wrong with it, and comes back the same.
func FuzzDecode(f *testing.F) {
	for _, seed := range fuzzSeeds(f) {
		f.Add(seed, "")
		f.Add(seed, "1234")
	}
	d := pfx.Decoder{MaxIterations: 10_000, MaxBytes: 100_000, InsecureAllowNoMAC: true}
	f.Fuzz(func(t *testing.T, data []byte, password string) {
		b, err := d.Decode(data, password)
		if err != nil {
			reasonOf(t, err)
			if b.Key != nil || b.Certificate != nil || b.Chain != nil || b.Others != nil || b.FriendlyName != "" {
				t.Fatal("a bundle with an error")
			}
			return
		}
		if _, err := pfx.Inspect(data); err != nil {
			t.Fatalf("Decode opens what Inspect cannot describe: %v", err)
		}
		again, err := pfx.Compatible.Encode(b, "secret")
		if r := reasonOf(t, err); r == pfx.KeyMismatch {
			t.Fatalf("Decode returned a key that does not fit: %v", err)
		} else if err != nil {
			return
		}
		got, err := pfx.Decode(again, "secret")
		if err != nil {
			t.Fatal(err)
		}
		sameBundle(t, got, b)
	})
}

// FuzzInspect: for any bytes, Inspect does not panic, and returns either an
// *Error with a reason or a description in which every target and an advice
// occur. The same bytes give the same description.
func FuzzInspect(f *testing.F) {
	for _, seed := range fuzzSeeds(f) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		in, err := pfx.Inspect(data)
		if err != nil {
			reasonOf(t, err)
			if in.Bytes != 0 {
				t.Fatal("a description with an error")
			}
			return
		}
		if len(in.Readers) != len(pfx.Targets()) || in.Advice == "" || in.Bytes != len(data) {
			t.Fatalf("%+v", in)
		}
		again, err := pfx.Inspect(data)
		if err != nil || again.Advice != in.Advice || again.Encoding != in.Encoding {
			t.Fatalf("not the same again: %+v, %v", again, err)
		}
	})
}
