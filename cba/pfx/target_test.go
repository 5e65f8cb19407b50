package pfx_test

import (
	"encoding/json"
	"errors"
	"flag"
	"io"
	"strings"
	"testing"

	"example.com/entracba/cba/pfx"
)

func TestTargets(t *testing.T) {
	targets := pfx.Targets()
	if len(targets) < 20 {
		t.Fatalf("only %d targets", len(targets))
	}
	seen := make(map[string]bool)
	for _, target := range targets {
		if target.Title() == "" || target.Source() == "" || strings.Contains(target.String(), "(") || seen[target.String()] {
			t.Errorf("%v: title %q, source %q", target, target.Title(), target.Source())
		}
		seen[target.String()] = true
		if target.Reads(pfx.Compatible) != pfx.Yes {
			t.Errorf("%v does not read compat, which is the answer to everything", target)
		}
		if target.Reads(0) != pfx.NotKnown || target.Reads(99) != pfx.NotKnown {
			t.Errorf("%v knows an encoding that does not exist", target)
		}
		if got, err := pfx.ParseTarget(target.String()); err != nil || got != target {
			t.Errorf("%v does not come back: %v, %v", target, got, err)
		}
		want := pfx.Compatible
		if target.Reads(pfx.Modern) == pfx.Yes {
			want = pfx.Modern
		}
		if got, err := pfx.ParseFor(target.String()); err != nil || got != want || pfx.For(target) != want {
			t.Errorf("-for %v: %v, %v; want %v", target, got, err, want)
		}
	}
	if unknown := pfx.Target(len(targets) + 1); unknown.Title() != "" || unknown.Reads(pfx.Modern) != pfx.NotKnown {
		t.Errorf("Targets does not list %v", unknown)
	}
	for _, bad := range []pfx.Target{0, 200} {
		if _, err := bad.MarshalText(); err == nil || bad.Reads(pfx.Compatible) != pfx.NotKnown || bad.Source() != "" {
			t.Errorf("target %d is taken for one", bad)
		}
	}
}

func TestFor(t *testing.T) {
	for _, test := range []struct {
		targets []pfx.Target
		want    pfx.Encoding
	}{
		{nil, pfx.Compatible},
		{[]pfx.Target{0}, pfx.Compatible},
		{[]pfx.Target{pfx.Windows11}, pfx.Modern},
		{[]pfx.Target{pfx.WindowsServer2016}, pfx.Compatible},
		{[]pfx.Target{pfx.Windows11, pfx.MacOS15}, pfx.Compatible}, // not known is not yes
		{[]pfx.Target{pfx.Windows11, pfx.OpenSSL30, pfx.MacOS26}, pfx.Modern},
		{[]pfx.Target{pfx.OpenSSL34, pfx.Java26, pfx.NSS3101}, pfx.Modern}, // and not PBMAC1
	} {
		if got := pfx.For(test.targets...); got != test.want {
			t.Errorf("For(%v) = %v, want %v", test.targets, got, test.want)
		}
	}
}

func TestParseFor(t *testing.T) {
	for text, want := range map[string]pfx.Encoding{
		"compat": pfx.Compatible, "modern": pfx.Modern, "rc2": pfx.RC2, "pbmac1": pfx.PBMAC1, "unencrypted": pfx.InsecureUnencrypted,
		"windows-11": pfx.Modern, "windows": pfx.Compatible, "windows-server": pfx.Compatible, "macos": pfx.Compatible, "macos-26": pfx.Modern,
		"java": pfx.Compatible, "firefox": pfx.Modern, "android": pfx.Compatible, "azure": pfx.Compatible, "openssl": pfx.Modern,
	} {
		if got, err := pfx.ParseFor(text); err != nil || got != want {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "-", "Modern", "windows-", "windows-95", "aes", "encoding(1)"} {
		if got, err := pfx.ParseFor(text); err == nil || got != 0 || !strings.Contains(err.Error(), "windows-server-2016") || !strings.Contains(err.Error(), "compat") {
			t.Errorf("%q: %v, %v; want an error that lists what there is", text, got, err)
		}
	}
}

// Every value of every enumeration has a text, goes there and back where it has
// a text form, and beyond the last there is none.
func TestTexts(t *testing.T) {
	for e := pfx.Encoding(1); e <= pfx.InsecureUnencrypted; e++ {
		var back pfx.Encoding
		text, err := e.MarshalText()
		if err != nil || back.UnmarshalText(text) != nil || back != e {
			t.Errorf("%v does not come back: %q, %v, %v", e, text, back, err)
		}
	}
	for _, e := range []pfx.Encoding{0, pfx.InsecureUnencrypted + 1} {
		if text, err := e.MarshalText(); err == nil {
			t.Errorf("encoding %d has the text %q", e, text)
		}
	}
	for a := pfx.NotKnown; a <= pfx.No; a++ {
		var back pfx.Answer = 99
		if text, err := a.MarshalText(); err != nil || back.UnmarshalText(text) != nil || back != a {
			t.Errorf("%v does not come back", a)
		}
	}
	if new(pfx.Answer).UnmarshalText([]byte("maybe")) == nil || new(pfx.Answer).UnmarshalText(nil) == nil {
		t.Error("an answer that does not exist")
	}
	for _, a := range []pfx.Answer{0, 9} {
		if text, err := a.MarshalText(); err == nil {
			t.Errorf("answer %d has the text %q", a, text)
		}
	}
	seen := map[string]bool{}
	for _, r := range []pfx.Reason{pfx.WrongPassword, pfx.NotSupported, pfx.Malformed, pfx.TooCostly, pfx.KeyMismatch, pfx.BadChain,
		pfx.BadPassword, pfx.BadOption, pfx.FIPSOnly} {
		var err error = &pfx.Error{Reason: r}
		if seen[err.Error()] || seen[string(r)] || err.Error() == "pfx: "+string(r) || !errors.Is(err, r) || errors.Is(err, pfx.Reason("x")) {
			t.Errorf("%s: %v", string(r), err)
		}
		seen[err.Error()], seen[string(r)] = true, true
	}
	for _, r := range pfx.Rules() {
		if seen[r.Code] || r.Severity == 0 || r.What == "" || r.Do == "" || r.Source.URL() == "" {
			t.Errorf("%+v", r)
		}
		seen[r.Code] = true
	}

	var e pfx.Encoding
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.TextVar(&e, "encoding", pfx.Compatible, "")
	if err := flags.Parse([]string{"-encoding", "modern"}); err != nil || e != pfx.Modern {
		t.Errorf("as a flag: %v, %v", e, err)
	}
	if err := flags.Parse([]string{"-encoding", "aes"}); err == nil {
		t.Error("an unknown encoding is taken as a flag")
	}
}

// Inspect's result goes to JSON and back, for every encoding, and names who
// reads the file and who does not.
func TestInspect(t *testing.T) {
	for e, password := range encodings() {
		data, err := e.Encode(bundle("p256", 2, "Jane"), password)
		if err != nil {
			t.Fatal(err)
		}
		in, err := pfx.Inspect(data)
		if err != nil {
			t.Fatal(err)
		}
		j, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		var back pfx.Info
		if err := json.Unmarshal(j, &back); err != nil {
			t.Fatal(err)
		}
		if again, err := json.Marshal(back); err != nil || string(again) != string(j) {
			t.Errorf("%v: JSON comes back as %s, %v", e, again, err)
		}
		if len(in.Readers) != len(pfx.Targets()) || in.Bytes != len(data) || len(in.Parts) != 2 || len(in.Parts[1].Keys) != 1 {
			t.Errorf("%v: %+v", e, in)
		}
		for _, r := range in.Readers {
			if r.Reads != r.Target.Reads(e) {
				t.Errorf("%v: %v: %v", e, r.Target, r.Reads)
			}
			if r.Reads == pfx.No && e != pfx.InsecureUnencrypted && !strings.Contains(in.Advice, r.Target.Title()) {
				t.Errorf("%v: the advice does not name %v: %s", e, r.Target, in.Advice)
			}
		}
		encrypted := e != pfx.InsecureUnencrypted
		if (in.MAC != nil) != encrypted || (in.Parts[0].Encryption != nil) != encrypted || (in.Parts[0].Certificates == 3) == encrypted {
			t.Errorf("%v: %+v", e, in)
		}
		if encrypted && (in.MAC.Iterations != 2048 || in.Parts[0].Encryption.Iterations != 2048 || in.Parts[1].Keys[0].Iterations != 2048) {
			t.Errorf("%v: iterations: %+v", e, in)
		}
	}
	// The most iterations that Encode writes are what .NET still reads.
	data, err := pfx.Encoder{Encoding: pfx.Modern, Iterations: pfx.MaxIterations}.Encode(bundle("p256", 0, ""), "secret")
	if err != nil {
		t.Fatal(err)
	}
	if in, err := pfx.Inspect(data); err != nil || len(in.Findings) != 0 {
		t.Errorf("the most iterations that Encode writes: %v, %v", in.Findings, err)
	}
	if _, err := pfx.Decode(data, "secret"); err != nil {
		t.Error(err)
	}
}
