// Package offline answers what somebody with a few files on a desk asks: which ids does
// this certificate have, does it fit, does it sign this user in to this tenant, and
// what does a change of the tenant do to that? It takes and returns values, so that the
// same answer comes out of a page in a browser and of a program.
package offline

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/certfile"
	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/report"
	"example.com/entracba/cba/signin"
	"example.com/entracba/cba/snapshot"
)

// A Request is what lies on the desk. Everything is optional; what is there decides
// what can be answered. Files are as they were read.
type Request struct {
	Certificate []byte // any form that package certfile reads, PFX included
	Password    string // of the PFX
	Tenant      []byte // JSON, as signin.ParseConfig reads it
	Then        []byte // the tenant after a change
	User        []byte // JSON, as policy.ParseUser reads it, or a list of users: the one whom the certificate names is taken
	CRLs        [][]byte
	Require     string // "", "mfa", "phishing-resistant"
	Strength    []byte // JSON of an authentication strength, instead of Require
	At          time.Time
}

// An ID is one of the seven strings.
type ID struct {
	Mapping string `json:"mapping"`
	Value   string `json:"value"`
}

// A Problem is a file that cannot be used.
type Problem struct {
	About string `json:"about"` // "certificate", "tenant", "then", "user", "crl", "strength"
	Text  string `json:"text"`
}

// An Answer is what can be said.
type Answer struct {
	// Subject names the certificate that was taken, and Note says which of several.
	Subject string `json:"subject,omitempty"`
	Note    string `json:"note,omitempty"`
	IDs     []ID   `json:"certificateUserIds"`
	// Findings are about the certificate, and the tenant and the user if they are there.
	Findings lint.Findings `json:"findings"`
	// Verdict is nil unless certificate, tenant and user are there.
	Verdict *signin.Verdict `json:"verdict,omitempty"`
	// Change is set if Then is there as well.
	Change   *Change   `json:"change,omitempty"`
	Problems []Problem `json:"problems"`
	// Page is all of it as one HTML file, if there is anything to show.
	Page string `json:"page,omitempty"`
}

// A Change is what the change of the tenant means to the user.
type Change struct {
	Difference signin.Difference `json:"difference"`
	Before     signin.Answer     `json:"before"`
	After      signin.Answer     `json:"after"`
}

// unchecked is said in the page where no CRL is on the desk.
const unchecked = "Revocation was not checked: no CRL was given."

// Ask answers. What cannot be read is a problem of the answer; ctx ends the work.
func Ask(ctx context.Context, r Request) Answer {
	a := Answer{IDs: []ID{}, Findings: lint.Findings{}, Problems: []Problem{}}
	bad := func(about string, err error) {
		a.Problems = append(a.Problems, Problem{about, err.Error()})
	}
	page := report.Report{Title: "Certificate sign-in", Made: r.At, Version: "page"}

	var file certfile.File
	if len(r.Certificate) > 0 {
		var err error
		if file, err = certfile.Read(r.Certificate, func() (string, error) { return r.Password, nil }); err != nil {
			bad("certificate", err)
		} else {
			a.describe(file, r.At)
		}
	}
	config, tenant := r.tenant("tenant", r.Tenant, bad)
	_, then := r.tenant("then", r.Then, bad)
	var user *policy.User
	if len(r.User) > 0 {
		if u, err := r.user(file.Certificate); err != nil {
			bad("user", err)
		} else {
			user = &u
			page.Title += ": " + u.UserPrincipalName
		}
	}
	require, err := r.requirement()
	if err != nil {
		bad("strength", err)
	}
	if tenant != nil {
		a.Findings = append(a.Findings, config.Findings(r.At)...)
		if user != nil {
			a.Findings = append(a.Findings, tenant.UserFindings(*user)...)
		}
	}
	a.Findings = a.Findings.Unique().Sorted()

	if tenant != nil && user != nil && file.Certificate != nil && err == nil {
		request := signin.Request{User: user, Certificate: file.Certificate, At: r.At, Require: require}
		verdict, err := tenant.Explain(ctx, request)
		if err != nil {
			bad("tenant", err)
		} else {
			a.Verdict, page.SignIn = &verdict, report.SignIn(tenant, request, verdict)
		}
		if then != nil {
			page.Affected = a.compare(ctx, tenant, then, user, file.Certificate, signin.CompareOptions{At: r.At, Require: require, Workers: 1}, bad)
		}
	}
	if len(r.Certificate) > 0 || tenant != nil {
		page.Findings = report.Findings(a.Findings, report.FindingsOptions{At: r.At})
	}
	if page.SignIn != nil && len(r.CRLs) == 0 {
		page.Subject = unchecked
	}
	var text strings.Builder
	if err := page.WriteHTML(&text); err == nil {
		a.Page = text.String()
	} else if !errors.Is(err, report.NoParts) {
		bad("page", err)
	}
	return a
}

// describe says what the certificate is.
func (a *Answer) describe(file certfile.File, at time.Time) {
	a.Subject, a.Note = "(no subject)", file.Note
	if name, err := dn.ParseDER(file.Certificate.RawSubject); err == nil && len(name) > 0 {
		a.Subject = name.String()
	}
	for _, id := range certuserid.All(file.Certificate) {
		a.IDs = append(a.IDs, ID{id.Mapping().Name(), id.String()})
	}
	a.Findings = append(a.Findings, cba.Findings(file.Path(), cba.FindingsOptions{At: at})...)
}

// compare asks both tenants.
func (a *Answer) compare(ctx context.Context, before, after *signin.Tenant, user *policy.User, cert *x509.Certificate, o signin.CompareOptions, bad func(string, error)) *report.AffectedPart {
	var part report.AffectedPart
	one := iter.Seq2[signin.Case, error](func(yield func(signin.Case, error) bool) {
		yield(signin.Case{User: user, Certificates: []*x509.Certificate{cert}}, nil)
	})
	for change, err := range signin.Compare(ctx, before, after, one, o) {
		if err != nil {
			bad("then", err)
			return nil
		}
		a.Change = &Change{change.Difference, change.Before, change.After}
		part.Add(change)
	}
	return &part
}

// tenant reads and compiles one.
func (r Request) tenant(about string, text []byte, bad func(string, error)) (signin.Config, *signin.Tenant) {
	if len(text) == 0 {
		return signin.Config{}, nil
	}
	config, err := signin.ParseConfig(text)
	if err != nil {
		bad(about, err)
		return config, nil
	}
	lists, err := source(config, r.CRLs)
	if err != nil {
		bad("crl", err)
	}
	tenant, err := config.Compile(signin.Options{CRLs: lists, SkipRevocation: len(r.CRLs) == 0})
	if err != nil {
		bad(about, err)
		return config, nil
	}
	return config, tenant
}

func (r Request) requirement() (signin.Requirement, error) {
	if len(r.Strength) > 0 {
		strength, err := signin.ParseStrength(r.Strength)
		return signin.Require(strength), err
	}
	switch r.Require {
	case "":
		return signin.Requirement{}, nil
	case "mfa":
		return signin.MFA(), nil
	case "phishing-resistant":
		return signin.PhishingResistant(), nil
	}
	return signin.Requirement{}, errors.New("the requirement must be mfa, phishing-resistant or a strength")
}

// lists are the CRLs on the desk: each is the answer for every URL of the CA that
// signed it, a delta CRL for those of delta CRLs.
type lists struct {
	all    []*crl.List
	deltas map[string]bool // URLs
}

func source(config signin.Config, files [][]byte) (crl.Source, error) {
	s := lists{deltas: map[string]bool{}}
	var errs []error
	for _, f := range files {
		l, err := parseList(f)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		s.all = append(s.all, l)
	}
	for _, pki := range config.Trust.PKIs {
		for _, ca := range pki.CertificateAuthorities {
			s.deltas[ca.DeltaCertificateRevocationListURL] = ca.DeltaCertificateRevocationListURL != ""
		}
	}
	for _, ca := range config.Trust.Classic.CertificateAuthorities {
		s.deltas[ca.DeltaCertificateRevocationListURL] = ca.DeltaCertificateRevocationListURL != ""
	}
	return s, errors.Join(errs...)
}

// Fetch is part of [crl.Source].
func (s lists) Fetch(_ context.Context, url string, ca *x509.Certificate) (*crl.List, error) {
	for _, l := range s.all {
		if l.IsDelta() == s.deltas[url] && l.CheckIssuer(ca) == nil {
			return l, nil
		}
	}
	return nil, &crl.Error{Reason: crl.Missing, URL: url}
}

// user reads the user: of a list, the only one, or the one whose name the certificate has.
func (r Request) user(cert *x509.Certificate) (policy.User, error) {
	one, err := policy.ParseUser(r.User)
	if err == nil {
		return one, nil
	}
	name := ""
	if cert != nil {
		if subject, err := cba.SubjectOf(cert); err == nil {
			name = subject.UPN
		}
	}
	count, found := 0, []policy.User{}
	for u, failed := range snapshot.ReadUsers(bytes.NewReader(r.User)) {
		if failed == nil {
			one, failed = policy.ParseUser(u.JSON)
		}
		if failed != nil {
			return policy.User{}, err
		}
		if count++; name != "" && strings.EqualFold(one.UserPrincipalName, name) {
			found = append(found, one)
		}
	}
	switch {
	case count == 1:
		return one, nil
	case len(found) == 1:
		return found[0], nil
	case count == 0:
		return policy.User{}, err
	case cert == nil:
		return policy.User{}, fmt.Errorf("this is a list of %d users: give the certificate, which says whose sign-in is meant", count)
	}
	return policy.User{}, fmt.Errorf("this is a list of %d users, and the name in the certificate, %q, is that of %d of them: give a file with one user", count, name, len(found))
}

// KindOf tells what somebody has put on the desk: "certificate", "tenant", "user" or
// "crl". What it does not know is taken for a certificate, and the error of [Ask] says
// what it looks like.
func KindOf(file []byte) string {
	if _, err := signin.ParseConfig(file); err == nil {
		return "tenant"
	}
	if _, err := (Request{User: file}).user(nil); err == nil {
		return "user"
	}
	if first, _, many := bytes.Cut(bytes.TrimSpace(file), []byte("\n")); many { // one user on each line
		if _, err := policy.ParseUser(first); err == nil {
			return "user"
		}
	}
	if isList(file) {
		for u, err := range snapshot.ReadUsers(bytes.NewReader(file)) {
			if err == nil {
				_, err = policy.ParseUser(u.JSON)
			}
			if err == nil {
				return "user"
			}
			break
		}
	}
	if _, err := parseList(file); err == nil {
		return "crl"
	}
	if bytes.ContainsAny(file[:min(len(file), 8)], "{[") && !bytes.HasPrefix(file, []byte("-----")) {
		return "tenant"
	}
	return "certificate"
}

// isList reports whether a file is an array, or an answer of Graph. A tenant that cannot be read
// may contain users, too.
func isList(file []byte) bool {
	var answer struct {
		Value []json.RawMessage `json:"value"`
	}
	return bytes.HasPrefix(bytes.TrimSpace(file), []byte("[")) || json.Unmarshal(file, &answer) == nil && len(answer.Value) > 0
}

// parseList reads a CRL, DER or PEM.
func parseList(file []byte) (*crl.List, error) {
	if block, _ := pem.Decode(file); block != nil && block.Type == "X509 CRL" {
		file = block.Bytes
	}
	return crl.Parse(file)
}
