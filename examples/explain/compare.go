package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"time"

	"example.com/entracba/cba/certfile"
	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/policy"
	pages "example.com/entracba/cba/report"
	"example.com/entracba/cba/signin"
	"example.com/entracba/examples/internal/console"
)

// A difference is what -json prints of a user to whom the change matters.
type difference struct {
	User       string            `json:"userPrincipalName"`
	Difference signin.Difference `json:"difference"`
	Before     signin.Answer     `json:"before"`
	After      signin.Answer     `json:"after"`
}

// compare prints who gains or loses access.
func (o options) compare(ctx context.Context, lists crl.Source) error {
	_, before, err := readTenant(o.tenant, lists)
	if err != nil {
		return err
	}
	_, after, err := readTenant(o.then, lists)
	if err != nil {
		return err
	}
	bar := console.NewProgress(os.Stderr, "Comparing", 0)
	defer bar.End()
	counts := map[signin.Difference]int{}
	differences := []difference{}
	total, without := 0, 0
	affected := &pages.AffectedPart{}
	for change, err := range signin.Compare(ctx, before, after, users(o.users), signin.CompareOptions{At: o.at, Require: o.require}) {
		if err != nil {
			return err
		}
		bar.Step(1)
		total++
		affected.Add(change)
		if len(change.Case.Certificates) == 0 {
			without++
			continue
		}
		counts[change.Difference]++
		if change.Difference != signin.Same {
			differences = append(differences, difference{change.Case.User.UserPrincipalName, change.Difference, change.Before, change.After})
		}
	}
	bar.End()
	if total == 0 {
		return console.Usage("%s contains no users", o.users)
	}
	if err := o.page(pages.Report{Title: "Who is affected", Subject: o.tenant + " is replaced by " + o.then, Made: time.Now(), Version: "explain", Affected: affected}); err != nil {
		return err
	}
	if o.json {
		if err := console.JSON(os.Stdout, differences); err != nil {
			return err
		}
	} else {
		printDifferences(os.Stdout, console.StyleFor(os.Stdout), differences)
		fmt.Println(summary(total, without, counts))
	}
	switch {
	case counts[signin.Loses] > 0:
		return console.ErrNo
	case counts[signin.NotKnown] > 0 || without == total:
		return console.ErrNotKnown
	}
	return nil
}

// summary says what becomes of the users. Those about whom nothing is known are not
// among those who keep their access.
func summary(total, without int, counts map[signin.Difference]int) string {
	if without == total {
		return fmt.Sprintf("%s, all without a certificate: nothing is known about them", console.Count(total, "user"))
	}
	text := fmt.Sprintf("%s: %d lose access, %d gain access, %d weaker, %d stronger, %d unchanged", console.Count(total, "user"),
		counts[signin.Loses], counts[signin.Gains], counts[signin.Weaker], counts[signin.Stronger], counts[signin.Same])
	if unknown := counts[signin.NotKnown]; unknown > 0 {
		text = strings.Replace(text, ": 0 lose access,", ": none is known to lose access,", 1) + fmt.Sprintf(", %d not known", unknown)
	}
	if without > 0 {
		text += fmt.Sprintf(", %d without a certificate", without)
	}
	return text
}

func printDifferences(w io.Writer, style console.Style, differences []difference) {
	if len(differences) == 0 {
		return
	}
	rows := [][]string{{"USER", "CHANGE", "BEFORE", "AFTER"}}
	for _, d := range differences {
		rows = append(rows, []string{d.User, d.Difference.String(), showAnswer(d.Before), showAnswer(d.After)})
	}
	console.Table(w, style, rows...)
	fmt.Fprintln(w)
}

func showAnswer(a signin.Answer) string {
	switch {
	case a.SignedIn:
		return a.AuthenticationMode.String()
	case a.Outcome == signin.Undecided:
		return "not known"
	case a.Code == "":
		return "no certificate"
	}
	return "refused, " + a.Code
}

// users reads a folder, or a file with one JSON object per line.
func users(name string) iter.Seq2[signin.Case, error] {
	return func(yield func(signin.Case, error) bool) {
		info, err := os.Stat(name)
		switch {
		case err != nil:
			yield(signin.Case{}, err)
		case info.IsDir():
			pairs(name, yield)
		default:
			lines(name, yield)
		}
	}
}

// maxLine bounds one user of a file: ten certificates of 64 KB in base64.
const maxLine = 1 << 20

func lines(name string, yield func(signin.Case, error) bool) {
	f, err := os.Open(name)
	if err != nil {
		yield(signin.Case{}, err)
		return
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(nil, maxLine)
	for n := 1; s.Scan(); n++ {
		if len(bytes.TrimSpace(s.Bytes())) == 0 {
			continue
		}
		c, err := parseUser(s.Bytes())
		if err != nil {
			yield(c, console.Usage("%s line %d: %w", name, n, err))
			return
		}
		if !yield(c, nil) {
			return
		}
	}
	if err := s.Err(); err != nil {
		yield(signin.Case{}, console.Usage("%s: %w", name, err))
	}
}

// pairs reads NAME.json of a folder with the certificate beside it, in NAME.pem, .crt or .cer.
func pairs(name string, yield func(signin.Case, error) bool) {
	found, err := filepath.Glob(filepath.Join(name, "*.json"))
	if err != nil {
		yield(signin.Case{}, err)
		return
	}
	for _, file := range found {
		c, err := readPair(file)
		if err != nil {
			yield(c, console.Usage("%s: %w", file, err))
			return
		}
		if !yield(c, nil) {
			return
		}
	}
}

func readPair(file string) (signin.Case, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return signin.Case{}, err
	}
	c, err := parseUser(content)
	if err != nil {
		return c, err
	}
	for _, extension := range []string{".pem", ".crt", ".cer"} {
		content, err := os.ReadFile(strings.TrimSuffix(file, ".json") + extension)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return c, err
		}
		found, err := certfile.Read(content, nil)
		if err != nil {
			return c, fmt.Errorf("its %s file: %w", extension, err)
		}
		c.Certificates = append(c.Certificates, found.Certificate)
	}
	return c, nil
}

// parseUser reads a Graph user with one more property, "certificates": a list of
// certificates in base64 or PEM.
func parseUser(text []byte) (signin.Case, error) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")) // a byte order mark
	user, err := policy.ParseUser(text)
	if err != nil {
		return signin.Case{}, err
	}
	c := signin.Case{User: &user}
	var more struct {
		Certificates []string `json:"certificates"`
	}
	if err := json.Unmarshal(text, &more); err != nil {
		return c, err
	}
	for i, text := range more.Certificates {
		cert, err := parseCertificate(text)
		if err != nil {
			return c, fmt.Errorf("certificates[%d]: %w", i, err)
		}
		c.Certificates = append(c.Certificates, cert)
	}
	return c, nil
}

func parseCertificate(text string) (*x509.Certificate, error) {
	file, err := certfile.Read([]byte(text), nil)
	return file.Certificate, err
}
