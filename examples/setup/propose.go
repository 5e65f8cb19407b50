package main

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"example.com/entracba/cba"
	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/folder"
	"example.com/entracba/cba/propose"
	"example.com/entracba/cba/signin"
	"example.com/entracba/cba/snapshot"
	"example.com/entracba/cba/trust"
	"example.com/entracba/examples/internal/console"
)

// proposal reads certificates and users, and writes a proposed tenant.
func (o options) proposal(ctx context.Context) error {
	users, err := listed(o.users)
	if err != nil {
		return err
	}
	certs, notes, err := certificatesIn(o.from)
	if err != nil {
		return err
	}
	if len(certs) == 0 {
		return console.Usage("no certificate in %s: files with the extensions %s are read", o.from, strings.Join(certificateFiles, ", "))
	}
	options := propose.Options{PKI: o.edits.pki, Groups: o.edits.groups, Rules: o.edits.rules, Owners: o.owners, Domains: o.domains}
	if o.fetch {
		if options.CRLs, err = o.crls.Source(); err != nil {
			return err
		}
	}
	p, err := propose.Tenant(ctx, users, certs, options)
	if err != nil {
		return err
	}
	if o.out == "" {
		o.out = "proposal"
	}
	manifests, unnamed, err := o.writeProposal(p)
	if err != nil {
		return err
	}
	if len(unnamed) > 0 {
		notes = append(notes, fmt.Sprintf("the manifest lacks %s, whose names no file can have: %s; -json has the ids", console.Count(len(unnamed), "user"), strings.Join(unnamed[:min(len(unnamed), tableUsers)], ", ")))
	}
	if o.json {
		err = console.Result(console.Stdout, "setup", struct {
			*propose.Proposal
			Reached int      `json:"reached"`
			Notes   []string `json:"notes"`
			Next    []step   `json:"next"`
		}{p, p.Reached(), append([]string{}, notes...), o.afterProposal(p, manifests)})
	} else {
		o.printProposal(console.Stdout, p, notes, manifests)
	}
	switch {
	case err != nil:
		return err
	case p.Reached() == 0:
		return console.ErrNo
	}
	return nil
}

// listed reads the users.
func listed(name string) ([]propose.User, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var users []propose.User
	for l, err := range snapshot.ReadUsers(f) {
		var u propose.User
		if err == nil {
			if u, err = propose.ParseUser(l.JSON); err != nil {
				err = fmt.Errorf("%s: %w", l.Where, err)
			}
		}
		if err == nil && u.Account.UserPrincipalName == "" {
			err = fmt.Errorf("%s: the user has no userPrincipalName", l.Where)
		}
		if err != nil {
			return nil, console.Usage("%s: %w", name, err)
		}
		users = append(users, u)
	}
	if len(users) == 0 {
		return nil, console.Usage("%s contains no users", name)
	}
	return users, nil
}

var certificateFiles = []string{".cer", ".crt", ".cert", ".pem", ".der", ".p7b", ".p7c"}

// maxCertificates bounds what a proposal is made from.
const maxCertificates = 200_000

// certificatesIn reads all certificates below a folder; a link to a file counts as the
// file. What cannot be read is a note.
func certificatesIn(dir string) (certs []*x509.Certificate, notes []string, err error) {
	skipped, others := 0, 0
	dir, err = filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, nil, console.Usage("%w", err)
	}
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		extension := strings.ToLower(filepath.Ext(path))
		kind := entry.Type()
		if kind&fs.ModeSymlink != 0 {
			info, err := os.Stat(path)
			if err != nil {
				notes = append(notes, fmt.Sprintf("%s was passed over: it leads nowhere", path))
				return nil
			}
			kind = info.Mode().Type()
		}
		switch {
		case !kind.IsRegular():
			return nil
		case extension == ".pfx" || extension == ".p12":
			skipped++
			return nil
		case !slices.Contains(certificateFiles, extension):
			others++
			return nil
		}
		content, err := folder.Read(path, folder.MaxFile)
		if errors.Is(err, folder.TooLarge) {
			notes = append(notes, fmt.Sprintf("%s was passed over: it has more than %d MB", path, folder.MaxFile>>20))
			return nil
		}
		if err != nil {
			return err
		}
		found, err := trust.ReadCertificates(content)
		if err != nil {
			notes = append(notes, fmt.Sprintf("%s was passed over: %s", path, console.Text(err)))
			return nil
		}
		for _, c := range found {
			if err := cba.Refused(c); err != nil {
				notes = append(notes, fmt.Sprintf("%s, %s, was passed over: %s", path, dn.Show(c.RawSubject), console.Text(err)))
				continue
			}
			certs = append(certs, c)
		}
		if len(certs) > maxCertificates {
			return console.Usage("%s has more than %d certificates: make proposals for parts of it", dir, maxCertificates)
		}
		return nil
	})
	if others > 0 {
		notes = append(notes, fmt.Sprintf("%s passed over: files with the extensions %s are read", console.Count(others, "other file was", "other files were"), strings.Join(certificateFiles, ", ")))
	}
	if skipped > 0 {
		notes = append(notes, fmt.Sprintf("%s passed over: give the certificates without the keys", console.Count(skipped, "PFX file was", "PFX files were")))
	}
	return certs, notes, err
}

// Names in the folder of a proposal.
const (
	proposedTenant = "tenant.json"
	proposedUsers  = "users.jsonl"
)

// writeProposal writes the proposed tenant, the users as they would be, and a manifest
// with the ids to store for each CA that issues users' certificates. It replaces
// nothing: a person may have edited an earlier proposal.
func (o options) writeProposal(p *propose.Proposal) (manifests, unnamed []string, err error) {
	if err := os.Mkdir(o.out, 0o700); errors.Is(err, fs.ErrExist) {
		return nil, nil, console.Usage("%s exists already, and may have been edited: choose another folder with -out", o.out)
	} else if err != nil {
		return nil, nil, err
	}
	text, err := json.MarshalIndent(p.Config, "", "  ")
	if err != nil {
		return nil, nil, err
	}
	if err := folder.Write(filepath.Join(o.out, proposedTenant), append(text, '\n'), folder.Public); err != nil {
		return nil, nil, err
	}
	err = folder.Stream(filepath.Join(o.out, proposedUsers), folder.Public, func(w io.Writer) error {
		for _, c := range p.Users {
			line, err := userLine(c)
			if err != nil {
				return err
			}
			if _, err := w.Write(append(line, '\n')); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	return o.writeManifests(p)
}

// userLine is a user as Graph writes one, with the certificates.
func userLine(c signin.Case) ([]byte, error) {
	user, err := json.Marshal(c.User)
	if err != nil {
		return nil, err
	}
	certs := [][]byte{}
	for _, cert := range c.Certificates {
		certs = append(certs, cert.Raw)
	}
	list, err := json.Marshal(certs)
	if err != nil {
		return nil, err
	}
	return slices.Concat(user[:len(user)-1], []byte(`,"certificates":`), list, []byte("}")), nil
}

// writeManifests writes manifest.json, or manifest-1.json and so on where several CAs
// have issued: what sync stores the ids from. unnamed are users who cannot be in one.
func (o options) writeManifests(p *propose.Proposal) (names, unnamed []string, err error) {
	type issued struct {
		ca    folder.CA
		users []folder.User
	}
	var by []*issued
	of := map[string]*issued{}
	for i, person := range p.People {
		if person.Status != propose.Reached || len(person.Store)+len(person.Stored) == 0 {
			continue
		}
		// Of the certificates that sign the user in: those whose ids are proposed.
		certs := slices.DeleteFunc(slices.Clone(p.Users[i].Certificates), func(c *x509.Certificate) bool { return !proposed(person, c) })
		if len(certs) == 0 {
			continue
		}
		cert := slices.MaxFunc(certs, func(a, b *x509.Certificate) int { return a.NotAfter.Compare(b.NotAfter) })
		m := of[string(cert.RawIssuer)]
		if m == nil {
			m = &issued{ca: folder.CA{Subject: dn.Show(cert.RawIssuer)}}
			of[string(cert.RawIssuer)], by = m, append(by, m)
		}
		if folder.CheckName(person.UserPrincipalName) != nil {
			unnamed = append(unnamed, person.UserPrincipalName)
			continue
		}
		user := folder.DescribeUser(person.UserPrincipalName, cert)
		user.Certificate = "certificates/" + person.UserPrincipalName + ".crt"
		if err := os.MkdirAll(filepath.Join(o.out, "certificates"), 0o755); err != nil {
			return nil, nil, err
		}
		if err := folder.Write(filepath.Join(o.out, filepath.FromSlash(user.Certificate)), cba.EncodeCertificates(cert), folder.Public); err != nil {
			return nil, nil, err
		}
		m.users = append(m.users, user)
	}
	for i, m := range by {
		name := folder.ManifestName
		if len(by) > 1 {
			name = fmt.Sprintf("manifest-%d.json", i+1)
		}
		name = filepath.Join(o.out, name)
		err := folder.Stream(name, folder.Public, func(w io.Writer) error {
			return folder.WriteManifest(w, m.ca, func(yield func(folder.User, error) bool) {
				for _, u := range m.users {
					if !yield(u, nil) {
						return
					}
				}
			})
		})
		if err != nil {
			return nil, nil, err
		}
		names = append(names, name)
	}
	return names, unnamed, nil
}

// proposed reports whether an id of a certificate is one to store, or is stored.
func proposed(person propose.Person, cert *x509.Certificate) bool {
	values := certuserid.Options{}.Values(cert)
	return slices.ContainsFunc(values.All(), func(id certuserid.ID) bool {
		return slices.Contains(person.Store, id) || slices.ContainsFunc(person.Stored, func(stored string) bool { return values.Fit(id.Mapping(), stored) != certuserid.Unfit })
	})
}

func (o options) afterProposal(p *propose.Proposal, manifests []string) []step {
	tenant := append([]string{}, o.tenant.Args()...)
	if len(tenant) == 0 {
		tenant = []string{"-tenant", "ID"}
	}
	var steps []step
	field := "SKI"
	for _, b := range p.Bindings {
		if b.Proposed {
			field = b.Field.Name()
		}
	}
	for _, m := range manifests {
		steps = append(steps, step{"Store the ids first (a plan; -apply writes them).", console.Command("sync", append(slices.Clone(tenant), "-manifest", m, "-mapping", field)...)})
	}
	return append(steps, step{"Plan the change, and see who is affected.", console.Command("setup", append(slices.Clone(tenant), "-keep", "-then", filepath.Join(o.out, proposedTenant),
		"-users", filepath.Join(o.out, proposedUsers), "-out", "plan.json")...)})
}

const day = "2006-01-02"

func (o options) printProposal(w io.Writer, p *propose.Proposal, notes []string, manifests []string) {
	style := console.StyleFor(os.Stdout)
	for _, n := range notes {
		fmt.Fprintf(w, "%s  %s\n", style.Yellow("note"), console.Clean(n))
	}
	fmt.Fprintf(w, "%s  %d of %s would be signed in with a certificate that exists\n\n", style.Bold("PROPOSAL"), p.Reached(), console.Count(len(p.People), "user"))

	rows := [][]string{{"CA", "TYPE", "ISSUED", "EXPIRES", "CRL"}}
	for _, ca := range p.CAs {
		state := ca.CRL
		if ca.CRLState != "" {
			state += ": " + ca.CRLState
		}
		if ca.Note != "" {
			state = ca.Note
		}
		rows = append(rows, []string{ca.Subject, string(ca.Type), fmt.Sprint(ca.Issued), ca.NotAfter.Format(day), state})
	}
	if len(p.CAs) == 0 {
		rows = append(rows, []string{"none"})
	}
	console.Table(w, style, rows...)
	if !o.fetch {
		fmt.Fprintln(w, "Whether the CRLs can be fetched from the internet was not checked; -fetch does.")
	}
	if len(p.Missing) > 0 {
		fmt.Fprintf(w, "\n%s  without these, the users below them cannot sign in\n", style.Bold(style.Red("MISSING CAs")))
		for _, m := range p.Missing {
			where := ""
			if len(m.URLs) > 0 {
				where = "; to be found at " + strings.Join(m.URLs, ", ")
			}
			above := "issued users' certificates"
			if m.Above != "" {
				above = "issued " + m.Above
			}
			fmt.Fprintf(w, "  %s  %s, needed for %s%s\n", console.Clean(m.Subject), console.Clean(above), console.Count(m.Certificates, "certificate"), console.Clean(where))
		}
	}
	fmt.Fprintln(w)
	rows = [][]string{{"BINDING", "AFFINITY", "REACHES", "IDS TO STORE", ""}}
	for _, b := range p.Bindings {
		mark := b.Note
		if b.Proposed {
			mark = strings.TrimPrefix(b.Note+"; proposed", "; ")
		}
		rows = append(rows, []string{b.Field.Name() + " to " + string(b.Property), string(b.Affinity), fmt.Sprint(b.People), fmt.Sprint(b.Store), mark})
	}
	if len(p.Bindings) == 0 {
		rows = append(rows, []string{"none"})
	}
	console.Table(w, style, rows...)

	printPeople(w, style, p)
	if len(p.Strays) > 0 {
		fmt.Fprintf(w, "\n%s  no user was found for these\n", style.Bold("CERTIFICATES"))
		rows = [][]string{{"SUBJECT", "ISSUER", "WHY"}}
		for _, s := range p.Strays[:min(len(p.Strays), tableUsers)] {
			rows = append(rows, []string{s.Subject, s.Issuer, s.Why})
		}
		console.Table(w, style, rows...)
		notShown(w, len(p.Strays), "certificate")
	}
	if len(p.Questions) > 0 {
		fmt.Fprintf(w, "\n%s  what only a person can answer\n", style.Bold("QUESTIONS"))
		for i, q := range p.Questions[:min(len(p.Questions), tableUsers)] {
			fmt.Fprintf(w, "%2d. %s\n", i+1, console.Clean(q.Text))
			if flag := answer(q); flag != "" {
				fmt.Fprintf(w, "    %s\n", console.Clean(flag))
			}
		}
		notShown(w, len(p.Questions), "question")
	}
	console.Written(w, append([]string{filepath.Join(o.out, proposedTenant), filepath.Join(o.out, proposedUsers)}, manifests...)...)
	for _, s := range o.afterProposal(p, manifests) {
		console.Next(w, style, s.Why, s.Command)
	}
}

// answer is the flag that answers a question.
func answer(q propose.Question) string {
	flag := func(name, value string) string {
		return "if so, add: " + strings.TrimPrefix(console.Command("", "-"+name, value), "go run ./examples/ ")
	}
	switch {
	case q.Rule != nil && q.Rule.OID() != "":
		return flag("rule", q.Rule.OID()+"=multifactor,high")
	case q.Rule != nil:
		return flag("rule", q.Rule.Issuer()+"=multifactor,high")
	case q.Owner != "":
		return flag("owner", q.Thumbprint+"="+q.Owner)
	case q.Domain != "":
		return flag("domain", q.Domain+"="+q.UserDomain)
	case q.Topic == "group":
		return "add: -group ID"
	}
	return ""
}

// printPeople shows who is not reached; who is reached is counted.
func printPeople(w io.Writer, style console.Style, p *propose.Proposal) {
	rows := [][]string{{"NOT REACHED", "STATUS", "WHY"}}
	synced, more, all := 0, 0, 0
	for _, person := range p.People {
		if person.Status == propose.Reached {
			if person.Synced && len(person.Store) > 0 {
				synced++
			}
			if len(person.Certificates) > 1 {
				more++
			}
			continue
		}
		if all++; all <= tableUsers {
			why := person.Why
			if person.Code != "" {
				why = person.Code + ": " + why
			}
			rows = append(rows, []string{person.UserPrincipalName, strings.ReplaceAll(string(person.Status), "-", " "), why})
		}
	}
	if len(rows) > 1 {
		fmt.Fprintln(w)
		console.Table(w, style, rows...)
		notShown(w, all, "user")
	}
	if synced > 0 {
		fmt.Fprintf(w, "The ids of %s can be written by Entra Connect only: the accounts come from Active Directory.\n", console.Count(synced, "user"))
	}
	if more > 0 {
		fmt.Fprintf(w, "%s more than one certificate: the manifest has the one that expires last, -json has all ids.\n", console.Count(more, "user has", "users have"))
	}
}

func notShown(w io.Writer, all int, noun string) {
	if all > tableUsers {
		fmt.Fprintf(w, "%s not shown; use -json to list all.\n", console.Count(all-tableUsers, "more "+noun+" is", "more "+noun+"s are"))
	}
}
