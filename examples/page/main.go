//go:build !js

// Page writes one HTML file that answers questions about certificate sign-ins in a
// browser, without any server: drop a certificate or PFX, a user and a tenant on it, and it
// shows the ids, what does not fit, the verdict, and what a change of the tenant would do.
// Nothing leaves the browser.
//
// Browsers compile while they run, so the page answers about samples before it says that it
// is ready. Measured in Chromium 148, as CPU time of the page's thread: ready after 0.27 s
// (0.16 s without the samples), the first answer after 22 ms (58 ms), later ones 9 ms.
//
//	go run ./examples/page
//	go run ./examples/page -out desk.html
//
// The file holds the packages of this module, compiled for browsers, so that this
// program needs the go command and its own source: run it in a clone of the module.
package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/template"

	"example.com/entracba/cba/folder"
	"example.com/entracba/cba/report"
	"example.com/entracba/examples/internal/console"
)

var (
	//go:embed page.html
	pageText string
	//go:embed page.css
	styleText string
	//go:embed page.js
	scriptText string
)

// program is what runs in the browser.
const program = "example.com/entracba/examples/page/wasm"

func main() { console.Main("page", run) }

func run(args []string) error {
	f := flag.NewFlagSet("page", flag.ContinueOnError)
	out := f.String("out", "page.html", "write the page to `FILE`")
	if err := console.ParseFlags(f, args, "Writes one HTML file that answers in a browser, without a server.", "[flags]", "", "-out desk.html"); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return console.Usage("unexpected argument %q; for help: go run ./examples/page -h", f.Arg(0))
	}
	binary, loader, err := build()
	if err != nil {
		return err
	}
	var page bytes.Buffer
	if err := write(&page, binary, loader); err != nil {
		return err
	}
	err = folder.Stream(*out, folder.Public, func(w io.Writer) error {
		_, err := w.Write(page.Bytes())
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(console.Stdout, "%s  %.1f MB, complete: it loads nothing and sends nothing\n", *out, float64(page.Len())/1e6)
	console.Next(console.Stdout, console.StyleFor(os.Stdout), "Open it in a browser.", *out)
	return nil
}

// build compiles the program and returns it with Go's own loader for it.
func build() (binary, loader []byte, err error) {
	root, err := output("go", "env", "GOROOT")
	if err != nil {
		return nil, nil, err
	}
	loader, err = os.ReadFile(filepath.Join(strings.TrimSpace(root), "lib", "wasm", "wasm_exec.js"))
	if err != nil {
		return nil, nil, err
	}
	work, err := os.MkdirTemp("", "page")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(work)
	name := filepath.Join(work, "page.wasm")
	if _, err := output("go", "build", "-trimpath", "-ldflags=-s -w", "-o", name, program); err != nil {
		return nil, nil, err
	}
	binary, err = os.ReadFile(name)
	return binary, loader, err
}

// output runs the go command for browsers.
func output(name string, args ...string) (string, error) {
	command := exec.Command(name, args...)
	command.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0")
	var errors bytes.Buffer
	command.Stderr = &errors
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s. This program needs the go command, and the source of its module around it", name, args[0], err, strings.TrimSpace(errors.String()))
	}
	return string(out), nil
}

// page is the template. What it takes is this program's own and no text of others.
var page = template.Must(template.New("page").Parse(pageText))

// write puts the page together. Its policy lets it run our script and the program
// and take our style, each by its hash, and nothing else: no address is loaded, and
// none is sent to.
func write(w io.Writer, binary, loader []byte) error {
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := z.Write(binary); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	style := report.Style() // as it is, for the parts of a report that are shown
	script := string(loader) + "\n" + scriptText
	if strings.Contains(style+styleText+script, "</s") {
		return fmt.Errorf("the style or the script would end its element")
	}
	return page.Execute(w, struct{ Policy, Style, Own, Script, Program string }{
		Policy:  "default-src 'none'; style-src " + hash(style) + " " + hash(styleText) + "; script-src " + hash(script) + " 'wasm-unsafe-eval'; base-uri 'none'; form-action 'none'",
		Style:   style,
		Own:     styleText,
		Script:  script,
		Program: base64.StdEncoding.EncodeToString(packed.Bytes()),
	})
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
