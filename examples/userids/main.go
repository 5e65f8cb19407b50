// Userids prints the certificateUserIds values of certificates, or checks a stored
// value against one.
//
//	go run ./examples/userids FILE...
//	go run ./examples/userids -check 'X509:<SKI>...' FILE
//
// A file is PEM, DER, base64, PKCS #7 (.p7b) or PFX (with -password-file). Of several
// certificates the end-entity one is taken, which is said. Exit status: 0
// done, or the value matches; 1 it does not match; 2 the command line or the input
// cannot be used.
package main

import (
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/certfile"
	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/folder"
	"example.com/entracba/cba/lint"
	"example.com/entracba/examples/internal/console"
	"example.com/entracba/examples/internal/shape"
)

func main() { console.Main("userids", run) }

// An answer is what is said about one file, in the form of -json.
type answer struct {
	File        string             `json:"file"`
	Certificate *shape.Certificate `json:"certificate"`
	IDs         []shape.ID         `json:"certificateUserIds"`
	Findings    lint.Findings      `json:"findings"`
	Check       *verdict           `json:"check,omitempty"` // with -check
	Note        string             `json:"note,omitempty"`  // which certificate was taken of several

	cert *x509.Certificate
}

// A verdict is the result of -check for one certificate.
type verdict struct {
	Value   string `json:"value"`
	Matches bool   `json:"matches"`
	certuserid.Result
}

func run(args []string) error {
	f := flag.NewFlagSet("userids", flag.ContinueOnError)
	asJSON := f.Bool("json", false, "print JSON")
	check := f.String("check", "", "check this stored `ID` instead of printing the correct ones")
	passwordFile := f.String("password-file", "", "read the password of PFX files from the first line of `FILE`")
	if err := console.ParseFlags(f, args, "Prints the certificateUserIds values of certificates, or checks a stored value. FILE is PEM, DER, base64, PKCS #7 or PFX.", "[flags] FILE...",
		"out/users/jane@contoso.com.crt", "-check 'X509:<PN>jane@contoso.com' out/users/jane@contoso.com.crt", "-password-file password.txt card.pfx"); err != nil {
		return err
	}
	if f.NArg() == 0 {
		return console.Usage("no certificate file: pass one or more PEM, DER, base64, PKCS #7 or PFX files; for help: go run ./examples/userids -h")
	}
	checking := console.Given(f)["check"]
	answers := []answer{}
	matches := true
	for _, name := range f.Args() {
		a, err := read(name, *passwordFile)
		if err != nil {
			return console.Usage("%s: %w", name, err)
		}
		if checking {
			a.Check = &verdict{Value: *check, Result: certuserid.Match(*check, a.cert)}
			a.Check.Matches = a.Check.Fit != certuserid.Unfit
			matches = matches && a.Check.Matches
		}
		answers = append(answers, a)
	}
	if *asJSON {
		if err := console.Result(console.Stdout, "userids", map[string]any{"files": answers}); err != nil {
			return err
		}
	} else {
		for i, a := range answers {
			if i > 0 {
				fmt.Fprintln(console.Stdout)
			}
			a.print(console.Stdout)
		}
		next(answers, checking, matches)
	}
	if !matches {
		return console.ErrNo
	}
	return nil
}

// next is what to do with the ids.
func next(answers []answer, checking, matches bool) {
	style, file := console.StyleFor(os.Stdout), answers[0].File
	switch {
	case checking && !matches:
		console.Next(console.Stdout, style, "See the values that match.", console.Command("userids", file))
	case checking:
		console.Next(console.Stdout, style, "See all values that match this certificate.", console.Command("userids", file))
	case !checking && len(answers[0].IDs) > 0:
		ids := answers[0].IDs
		console.Next(console.Stdout, style, "Check a value that is stored with the account, such as this one.", console.Command("userids", "-check", ids[len(ids)-1].Value.String(), file))
	}
}

// read looks into a file, whatever its form.
func read(name, passwordFile string) (answer, error) {
	a := answer{File: name, IDs: []shape.ID{}}
	content, err := folder.Read(name, folder.MaxFile)
	if err != nil {
		var path *os.PathError
		if errors.As(err, &path) {
			err = path.Err // the caller names the file
		}
		return a, err
	}
	file, err := certificates(content, passwordFile)
	if err != nil {
		return a, err
	}
	a.cert, a.Note = file.Certificate, file.Note
	a.Certificate, a.IDs = shape.CertificateOf(a.cert), shape.IDs(a.cert)
	a.Findings = cba.Findings(file.Path(), cba.FindingsOptions{At: time.Now()})
	return a, nil
}

func certificates(content []byte, passwordFile string) (certfile.File, error) {
	file, err := certfile.Read(content, func() (string, error) {
		if passwordFile == "" {
			return "", errors.New("this is a PFX file: put its password into a file and give it with -password-file")
		}
		password, err := folder.ReadSecret(passwordFile)
		return certfile.Password(password), err
	})
	return file, err
}

func (a answer) print(w io.Writer) {
	style := console.StyleFor(os.Stdout)
	fmt.Fprintf(w, "%s  %s, expires %s\n\n", style.Bold(console.Clean(a.File)), console.Clean(dn.Show(a.cert.RawSubject)), a.cert.NotAfter.UTC().Format("2006-01-02"))
	if a.Note != "" {
		fmt.Fprintf(w, "%s\n\n", console.Clean(a.Note))
	}
	if a.Check != nil {
		a.Check.print(w, style)
		return
	}
	rows := [][]string{{"MAPPING", "AFFINITY", "VALUE"}}
	for _, m := range certuserid.Mappings() {
		id, err := certuserid.FromCertificate(a.cert, m)
		value := id.String()
		var e *certuserid.Error
		switch {
		case errors.Is(err, certuserid.NoField):
			value = "none"
		case errors.As(err, &e):
			value = "none: " + strings.TrimPrefix(e.Reason.Error(), "certuserid: ")
		}
		rows = append(rows, []string{m.Name(), string(m.Affinity()), value})
	}
	console.Table(w, style, rows...)
	printFindings(w, style, a.Findings)
}

func (v verdict) print(w io.Writer, style console.Style) {
	fmt.Fprintf(w, "stored   %s\n", console.Clean(v.Value))
	switch {
	case !v.Matches && v.Right != (certuserid.ID{}):
		fmt.Fprintf(w, "correct  %s\n", v.Right)
		fmt.Fprintf(w, "result   %s\n", style.Red("does not match this certificate"))
	case !v.Matches:
		fmt.Fprintf(w, "result   %s\n", style.Red("does not match this certificate"))
	case v.Fit == certuserid.Assumed:
		fmt.Fprintf(w, "correct  %s\n", v.Right)
		fmt.Fprintf(w, "result   %s\n", style.Yellow(fmt.Sprintf("matches (%s); %s", v.Mapping.Name(), v.assumes())))
	default:
		fmt.Fprintf(w, "result   %s\n", style.Green(fmt.Sprintf("matches (%s); exact match", v.Mapping.Name())))
	}
	printFindings(w, style, v.Findings)
}

// assumes says what Entra must do for the value to match.
func (v verdict) assumes() string {
	if strings.EqualFold(v.Value, v.Right.String()) {
		return "assumes Entra ignores case"
	}
	return "assumes Entra ignores the byte 00 at the end of the serial number"
}

func printFindings(w io.Writer, style console.Style, findings lint.Findings) {
	console.Findings(w, style, console.All(findings.Sorted())...)
}
