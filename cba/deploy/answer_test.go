package deploy_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"example.com/entracba/cba/deploy"
	"example.com/entracba/cba/internal/interop"
)

// What is not XML is refused with its line and what to do, also where encoding/xml
// reads it: Setup ignores such a file.
func TestNotXML(t *testing.T) {
	p := sample(t)
	file := func(name string) []byte { return read(t, name) }
	whole := head + `<settings pass="oobeSystem">` + shell + "\n</component></settings></unattend>"
	for _, test := range []struct {
		name string
		data []byte
		want string
	}{
		{"text before the declaration", file("xml-text-before-declaration.xml"), "line 1: it has the text"},
		{"a comment before the declaration", file("xml-comment-before-declaration.xml"), "line 2: the XML declaration <?xml ...?> must be the first"},
		{"an attribute twice", file("xml-duplicate-attribute.xml"), `line 4: the attribute "language" appears twice`},
		{"a space before the declaration", []byte(" " + whole), "line 1: the XML declaration"},
		{"an empty line before the declaration", []byte("\r\n" + whole), "line 2: the XML declaration"},
		{"the declaration inside", []byte(strings.Replace(whole, "<settings", `<?xml version="1.0"?><settings`, 1)), "line 1: the XML declaration"},
		{"text behind the root", []byte(whole + "\n\nx"), `line 4: it has the text "x"`},
		{"CDATA behind the root", []byte(whole + "<![CDATA[]]>"), "line 2: it has the text"},
		{"a character reference behind the root", []byte(whole + "&#32;"), "line 2: it has the text"},
		{"an element behind the root", []byte(whole + "\n<a/>"), "line 3: it has a second element"},
		{"no version", []byte(strings.Replace(whole, ` version="1.0"`, "", 1)), "line 1: the XML declaration is malformed"},
		{"the encoding first", []byte(strings.Replace(whole, `version="1.0" encoding="utf-8"`, `encoding="utf-8" version="1.0"`, 1)), "line 1: the XML declaration is malformed"},
		{"upper case", []byte(strings.Replace(whole, "?xml", "?XML", 1)), "line 1: a processing instruction"},
		{"an undeclared prefix of an element", []byte(strings.Replace(whole, "\n</comp", "\n<x:a/></comp", 1)), `line 2: the prefix of "x:a" is not declared; add xmlns:x=`},
		{"an undeclared prefix of an attribute", []byte(strings.Replace(whole, "\n</comp", `<a wcx:b="1"/></comp`, 1)), `line 1: the prefix of "wcx:b" is not declared`},
		{"a prefix declared for a sibling", []byte(strings.Replace(whole, "\n</comp", `<a xmlns:x="u"/><x:b/></comp`, 1)), `line 1: the prefix of "x:b"`},
		{"one attribute by two prefixes", []byte(strings.Replace(whole, "\n</comp", `<a xmlns:x="u" xmlns:y="u" x:b="" y:b=""/></comp`, 1)), `line 1: the attribute "y:b" appears twice`},
		{"a prefix for nothing", []byte(strings.Replace(whole, "\n</comp", `<a xmlns:x=""/></comp`, 1)), `line 1: the prefix "x"`},
		{"two colons", []byte(strings.Replace(whole, "\n</comp", `<a:b:c/></comp`, 1)), "line 1: "},
		{"attributes without a space", []byte(strings.Replace(whole, `" encoding`, `"encoding`, 1)), "line 1: the XML declaration is malformed"},
		{"attributes of an element without a space", []byte(strings.Replace(whole, `" processor`, `"processor`, 1)), "line 1: attributes need white space"},
		{"UTF-16 by its declaration alone", []byte(strings.Replace(whole, "utf-8", "utf-16", 1)), "line 1: the XML declaration says UTF-16, and the file is not"},
		{"UTF-8 by its declaration alone", encodeUTF16(whole, binary.LittleEndian, true), "line 1: the XML declaration says utf-8, and the file is UTF-16"},
		{"UTF-16 without a mark", encodeUTF16(strings.Replace(whole, "utf-8", "utf-16", 1), binary.LittleEndian, false), "line 1: the file is UTF-16 without a byte order mark"},
		{"US-ASCII by its declaration alone", []byte(strings.Replace(whole, "utf-8", "us-ascii", 1) + "<!-- ü -->"), "line 1: the XML declaration says US-ASCII"},
		{"two byte order marks", []byte("\ufeff\ufeff" + whole), "line 1: it has the text"},
		{"a cut off end tag", []byte(strings.TrimSuffix(whole, "</unattend>")), "line 2"},
	} {
		out, err := p.MergeUnattend(test.data, deploy.Options{})
		if reason(err) != deploy.NotAnswerFile || out != nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
		if _, err := p.UnattendFindings(test.data, deploy.Options{}); reason(err) != deploy.NotAnswerFile {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	for _, good := range [][]byte{[]byte(whole), []byte("\ufeff" + whole), []byte(whole + "\n<!-- x -->\n<?x?>\n"),
		encodeUTF16(strings.Replace(whole, "utf-8", "UTF-16", 1), binary.BigEndian, true), encodeUTF16(whole[38:], binary.LittleEndian, true),
		[]byte(strings.Replace(whole, "\n</comp", `<a x:b="" xml:lang="de" b='' xmlns:x="u"/></comp`, 1))} {
		if _, err := p.MergeUnattend(good, deploy.Options{}); err != nil {
			t.Errorf("%v in\n%s", err, good)
		}
	}
}

func encodeUTF16(s string, order binary.AppendByteOrder, mark bool) (out []byte) {
	if mark {
		s = "\ufeff" + s
	}
	for _, u := range utf16.Encode([]rune(s)) {
		out = order.AppendUint16(out, u)
	}
	return out
}

// Another reader of XML says the same of documents that are XML, or nearly.
func TestXMLAsExpatReadsIt(t *testing.T) {
	python := interop.Python(t)
	r := rand.New(rand.NewPCG(11, 2026))
	const whole = `<?xml version="1.0" encoding="utf-8"?>` + "\n" + `<a xmlns="u" xmlns:x="v"><!-- c --><x:b x:c="1" d='2'>t&amp;&#65;<![CDATA[<]]></x:b><?p i?><e/></a>` + "\n"
	pieces := []string{"<", ">", "/", "?", "!", "&", ";", "\"", "'", "=", ":", " ", "\n", "x", "x:", "y:", "-", "--", "]]>", "<!--", "-->", "<?xml version='1.0'?>", "<?p?>", "<e/>", "<x:e/>", "<y:e/>",
		` x:c="1"`, ` d="3"`, ` xmlns:y="v"`, ` xmlns:y=""`, ` y:c=""`, ` xmlns=""`, "&amp;", "&#x1;", "&#32;", "&no;", "\x01", "\ufffe", "ü", "\ufeff", "</a>", "<a>", "<![CDATA[x]]>", ` xml:lang="de"`, ` xmlns:xml="u"`, ` xmlns:xmlns="u"`, "1", ".", "utf-16", "standalone='yes'"}
	var documents [][]byte
	for range 6000 {
		s := whole
		for range 1 + r.IntN(2) {
			from := r.IntN(len(s) + 1)
			to := min(len(s), from+r.IntN(3)*r.IntN(8))
			s = s[:from] + pieces[r.IntN(len(pieces))] + s[to:]
		}
		documents = append(documents, []byte(s))
	}
	input, err := json.Marshal(documents) // base64
	if err != nil {
		t.Fatal(err)
	}
	var verdicts []string
	if err := json.Unmarshal([]byte(python.Run(t, input, "-c", string(read(t, "read_xml.py")))), &verdicts); err != nil {
		t.Fatal(err)
	}
	good, bad := 0, 0
	for i, d := range documents {
		err := deploy.WellFormed(d)
		switch {
		case (err == nil) == (verdicts[i] == ""):
			if err == nil {
				good++
			} else {
				bad++
			}
		case err != nil && (strings.Contains(err.Error(), "only version 1.0") || strings.Contains(err.Error(), "an encoding other than")):
			// expat takes any version, and the names of other encodings
		default:
			t.Errorf("ours: %v; expat: %q\n%s", err, verdicts[i], d)
		}
	}
	if good < 300 || bad < 4000 {
		t.Errorf("%d well-formed documents and %d others: a corpus that shows little", good, bad)
	}
}

func codes(t *testing.T, p deploy.Package, file []byte, o deploy.Options) (all []string) {
	t.Helper()
	fs, err := p.UnattendFindings(file, o)
	if err != nil {
		t.Fatalf("%v in\n%s", err, file)
	}
	for _, f := range fs {
		all = append(all, f.Code)
	}
	return all
}

func TestAnswerFileCases(t *testing.T) {
	p := sample(t)
	file := read(t, "answer-autologon-of-somebody-else.xml")
	fs, err := p.UnattendFindings(file, deploy.Options{})
	if err != nil || len(fs) != 1 || fs[0].Code != "deploy-answer-autologon" || !strings.Contains(fs[0].What, `"setup"`) || fs.Worst().String() != "error" {
		t.Errorf("%v, %v", fs, err)
	}
	if got := codes(t, p, file, deploy.Options{AtSignIn: true}); got != nil {
		t.Errorf("at the person's sign-in: %v", got)
	}
	if got := codes(t, p, bytes.ReplaceAll(file, []byte("setup<"), []byte("JANE<")), deploy.Options{}); got != nil {
		t.Errorf("the person's own account: %v", got)
	}
	if got := codes(t, p, bytes.Replace(file, []byte("<Enabled>true"), []byte("<Enabled>false"), 1), deploy.Options{}); !slices.Equal(got, []string{"deploy-answer-accounts"}) {
		t.Errorf("AutoLogon that is off: %v", got)
	}

	// Not as the schema has it, and perhaps read all the same.
	if got := codes(t, p, bytes.Replace(file, []byte("<Enabled>true"), []byte("<Enabled> True "), 1), deploy.Options{}); !slices.Equal(got, []string{"deploy-answer-autologon"}) {
		t.Errorf("AutoLogon that is True: %v", got)
	}

	file = read(t, "answer-three-architectures.xml")
	out, err := p.MergeUnattend(file, deploy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := bytes.Count(out, []byte("Import-PfxCertificate")); got != 3 {
		t.Errorf("%d of 3 architectures import", got)
	}
	if got := textOf(t, out, "Order"); !slices.Equal(got, []string{"1", "2", "3", "1", "2", "3", "1", "2", "3"}) {
		t.Errorf("orders %q", got)
	}
	again, err := p.MergeUnattend(out, deploy.Options{})
	if err != nil || !bytes.Equal(again, out) {
		t.Errorf("again: %v", err)
	}
	one, err := p.MergeUnattend(file, deploy.Options{Architecture: "arm64"})
	if err != nil || bytes.Count(one, []byte("Import-PfxCertificate")) != 1 {
		t.Errorf("%v\n%s", err, one)
	}
	// The other two follow.
	rest, err := p.MergeUnattend(one, deploy.Options{})
	if err != nil || !bytes.Equal(rest, out) {
		t.Errorf("%v\n%s", err, rest)
	}
	if got := codes(t, p, file, deploy.Options{Architecture: "arm64"}); !slices.Equal(got, []string{"deploy-answer-architecture", "deploy-answer-architecture"}) {
		t.Errorf("one of three architectures: %v", got)
	}

	file = read(t, "answer-order-500.xml")
	out, err = p.MergeUnattend(file, deploy.Options{})
	if got := textOf(t, out, "Order"); err != nil || !slices.Equal(got, []string{"500", "498", "499"}) {
		t.Errorf("orders %q, %v", got, err)
	}
	if got := codes(t, p, file, deploy.Options{}); !slices.Equal(got, []string{"deploy-answer-order"}) {
		t.Errorf("order 500: %v", got)
	}
	if got := codes(t, p, out, deploy.Options{}); got != nil {
		t.Errorf("order 500, merged: %v", got)
	}

	if got := codes(t, p, read(t, "answer-pass-processed.xml"), deploy.Options{}); !slices.Equal(got, []string{"deploy-answer-pass-processed"}) {
		t.Errorf("a processed pass: %v", got)
	}
	if got := codes(t, p, nil, deploy.Options{}); got != nil {
		t.Errorf("our own file: %v", got)
	}
	if got := codes(t, p, nil, deploy.Options{Pass: deploy.Specialize}); !slices.Equal(got, []string{"deploy-machine-store"}) {
		t.Errorf("specialize: %v", got)
	}
}

// Answer files of every kind, made from parts: what is there stays, every component for
// which there are machines gets the commands once, and the findings name what is wrong.
func TestAnswerFileCorpus(t *testing.T) {
	p := sample(t)
	const wcm = `http://schemas.microsoft.com/WMIConfig/2002/State`
	files := 0
	var merged [][]byte
	for _, prefix := range []string{"", "u:"} {
		for _, arches := range [][]string{{"amd64"}, {"arm64"}, {"x86", "AMD64", "arm64"}, nil} {
			for _, logon := range []string{"", "setup", `CONTOSO\Administrator`, `.\jane`, "AzureAD\\jane@yourdomain.com", "off"} {
				for _, commands := range []string{"none", "empty", "cdata", "499", "gaps"} {
					for _, processed := range []bool{false, true} {
						eol := []string{"\n", "\r\n", ""}[files%3]
						var b strings.Builder
						put := func(s string) {
							b.WriteString(strings.NewReplacer("</", "</"+prefix, "<", "<"+prefix).Replace(s) + eol)
						}
						b.WriteString(`<?xml version="1.0" encoding="ENCODING"?>` + eol)
						name, declared := "xmlns", ""
						if prefix != "" {
							name = "xmlns:u"
						}
						action := []string{"wcm", "w"}[files%2]
						if files%4 < 2 {
							declared = ` xmlns:` + action + `="` + wcm + `"`
						}
						put("<unattend " + name + `="urn:schemas-microsoft-com:unattend"` + declared + ">")
						mark := ""
						if processed {
							mark = ` wasPassProcessed="true"`
						}
						put(`<settings pass="oobeSystem"` + mark + ">")
						for _, arch := range arches {
							own := ""
							if declared == "" {
								own = ` xmlns:` + action + `="` + wcm + `"`
							}
							put(`<component name="Microsoft-Windows-Shell-Setup" processorArchitecture="` + arch + `"` + own + ">")
							switch logon {
							case "":
							case "off":
								put("<AutoLogon><Enabled>false</Enabled><Username>setup</Username></AutoLogon>")
							default:
								put("<AutoLogon><Username>" + logon + "</Username><Enabled>true</Enabled></AutoLogon>")
							}
							command := func(order, line string) string {
								return `<SynchronousCommand ` + action + `:action="add"><CommandLine>` + line + `</CommandLine><Order>` + order + `</Order></SynchronousCommand>`
							}
							switch commands {
							case "empty":
								put("<FirstLogonCommands></FirstLogonCommands>")
							case "cdata":
								put("<FirstLogonCommands>" + command("3", "<![CDATA[cmd /c ver >nul & exit]]>") + "</FirstLogonCommands>")
							case "499":
								put("<FirstLogonCommands>" + command("499", "cmd &amp; &#x41;") + "</FirstLogonCommands>")
							case "gaps":
								put("<FirstLogonCommands>" + command("500", "a") + command("499", "b") + command("12", "c") + "</FirstLogonCommands>")
							}
							put("</component>")
						}
						put("</settings>")
						put("</unattend>")
						text := strings.ReplaceAll(b.String(), "<"+prefix+"![CDATA[", "<![CDATA[")
						var old []byte
						switch files % 4 {
						case 0:
							old = []byte(strings.Replace(text, "ENCODING", "UTF-8", 1))
						case 1:
							old = []byte("\ufeff" + strings.Replace(text, "ENCODING", "utf-8", 1))
						case 2:
							old = encodeUTF16(strings.Replace(text, "ENCODING", "utf-16", 1), binary.LittleEndian, true)
						case 3:
							old = encodeUTF16(strings.Replace(text, "ENCODING", "UTF-16", 1), binary.BigEndian, true)
						}
						files++
						what := fmt.Sprintf("prefix %q, %v, AutoLogon %q, commands %s, processed %v", prefix, arches, logon, commands, processed)
						out, err := p.MergeUnattend(old, deploy.Options{})
						if err != nil {
							t.Fatalf("%s: %v\n%s", what, err, text)
						}
						if !isWithin(old, out) {
							t.Errorf("%s: lost something", what)
						}
						if again, err := p.MergeUnattend(out, deploy.Options{}); err != nil || !bytes.Equal(again, out) {
							t.Errorf("%s: again: %v", what, err)
						}
						merged = append(merged, out)
						if n := max(1, len(arches)); strings.Count(plain(out), "Import-PfxCertificate") != n {
							t.Errorf("%s: not %d imports\n%s", what, n, plain(out))
						}
						var want []string
						if processed {
							want = append(want, "deploy-answer-pass-processed")
						}
						if commands == "499" || commands == "gaps" {
							want = append(want, slices.Repeat([]string{"deploy-answer-order"}, len(arches))...)
						}
						if (logon == "setup" || logon == `CONTOSO\Administrator`) && len(arches) > 0 {
							want = append(want, "deploy-answer-autologon")
						}
						if got := codes(t, p, old, deploy.Options{}); !slices.Equal(got, want) {
							t.Errorf("%s: findings %v, want %v", what, got, want)
						}
					}
				}
			}
		}
	}
	if files != 480 {
		t.Errorf("%d files", files)
	}
	python := interop.Python(t)
	input, err := json.Marshal(merged)
	if err != nil {
		t.Fatal(err)
	}
	var verdicts []string
	if err := json.Unmarshal([]byte(python.Run(t, input, "-c", string(read(t, "read_xml.py")))), &verdicts); err != nil {
		t.Fatal(err)
	}
	for i, v := range verdicts {
		if v != "" {
			t.Errorf("expat: %s\n%s", v, plain(merged[i]))
		}
	}
}

func plain(data []byte) string {
	if bytes.HasPrefix(data, []byte("\xfe\xff")) {
		data = slices.Clone(data)
		for i := 0; i+1 < len(data); i += 2 {
			data[i], data[i+1] = data[i+1], data[i]
		}
	}
	if bytes.HasPrefix(data, []byte("\xff\xfe")) {
		return decodeUTF16(data)
	}
	return string(data)
}
