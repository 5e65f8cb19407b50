package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/folder"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
	"example.com/entracba/examples/internal/console"
	"example.com/entracba/examples/internal/saved"
	"example.com/entracba/examples/internal/shape"
)

// An outcome is what became of a user, in the form of -json.
type outcome struct {
	UPN         string             `json:"userPrincipalName"`
	Outcome     string             `json:"outcome"` // issued, skipped (there is one already), failed or damaged
	Error       string             `json:"error,omitempty"`
	Certificate *shape.Certificate `json:"certificate,omitempty"`
	PFX         string             `json:"pfx,omitempty"` // file, below the folder
	PFXEncoding string             `json:"pfxEncoding,omitempty"`
	IDs         []shape.ID         `json:"certificateUserIds,omitempty"`
}

// note keeps what became of a user, for -json.
func (w *work) note(result cba.Result, what string, err error) {
	if !w.json {
		return
	}
	o := outcome{UPN: result.Task.Subject.UPN, Outcome: what}
	if err != nil {
		o.Error = console.Text(err)
	}
	w.became[folder.Key(o.UPN)] = o
}

// describe fills in what the manifest has of a user.
func (o *outcome) describe(u folder.User) {
	o.UPN = u.UPN
	o.Certificate = &shape.Certificate{SerialNumber: u.SerialNumber, Thumbprint: u.Thumbprint, NotAfter: u.NotAfter.UTC(), File: u.Certificate}
	o.PFX, o.PFXEncoding, o.IDs = u.PFX, u.PFXEncoding, shape.ManifestIDs(u)
}

// A summary is what -json prints.
type summary struct {
	Folder   string         `json:"folder"`
	CA       folder.CA      `json:"ca"` // as the manifest has it
	Users    []outcome      `json:"users"`
	Counts   map[string]int `json:"counts"`
	Findings []found        `json:"findings"`
	SetAside []string       `json:"setAside"` // files of killed runs, and damaged ones
}

type found struct {
	lint.Finding
	count int
}

// MarshalJSON writes the finding, and how many certificates have it.
func (f found) MarshalJSON() ([]byte, error) {
	text, err := json.Marshal(f.Finding)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(text[:len(text)-1], `,"certificates":%d}`, f.count), nil
}

func (w *work) writeJSON(out io.Writer) error {
	s := summary{Folder: w.options.out, CA: folder.DescribeCA(w.issuer), Users: []outcome{}, Findings: []found{}, SetAside: append([]string{}, w.out.SetAside()...),
		Counts: map[string]int{"issued": w.counts.Issued, "skipped": w.counts.Skipped, "failed": w.counts.Failed}}
	for u, err := range folder.Users(filepath.Join(w.options.out, folder.ManifestName)) {
		if err != nil {
			return err
		}
		if o, ok := w.became[folder.Key(u.UPN)]; ok && o.Outcome != "failed" {
			delete(w.became, folder.Key(u.UPN))
			o.describe(u)
			s.Users = append(s.Users, o)
		}
	}
	for _, upn := range w.list.UPNs() { // those who are not in the manifest
		if o, ok := w.became[folder.Key(upn)]; ok {
			s.Users = append(s.Users, o)
		}
	}
	for _, n := range w.sortedNotes() {
		s.Findings = append(s.Findings, found(n))
	}
	return console.Result(out, "issue", s)
}

// sortedNotes are the findings, the most severe first.
func (w *work) sortedNotes() []note {
	var all []note
	for _, n := range w.notes {
		all = append(all, n)
	}
	slices.SortFunc(all, func(a, b note) int {
		// By severity, then what can lock out, then what can let in.
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), cmp.Compare(effect(b), effect(a)), cmp.Compare(a.Code, b.Code))
	})
	return all
}

func effect(n note) int {
	return map[lint.Effect]int{lint.LocksOut: 2, lint.LetsIn: 1}[n.Effect]
}

// path is a file of the folder.
func (o options) path(name string) string { return filepath.Join(o.out, filepath.FromSlash(name)) }

// report is what a person reads at the end.
func (w *work) report(out io.Writer, made bool, failed error) error {
	style, path := console.StyleFor(os.Stdout), w.path
	ca := folder.DescribeCA(w.issuer)
	state := "from " + w.ca
	if w.ca == "" {
		state = "from an earlier run"
		if made {
			state = "created by this run"
		}
	}
	fmt.Fprintf(out, "%s  %s (%s), expires %s\n\n", style.Bold("CA"), console.Clean(ca.Subject), state, ca.NotAfter.Format("2006-01-02"))

	config, err := plainTenant(w.issuer)
	if err != nil {
		return err
	}
	// No CRL is published yet.
	tenant, err := config.Compile(signin.Options{SkipRevocation: true})
	if err != nil {
		return err
	}
	rows := [][]string{{"USER", "STATUS", "EXPIRES", "SIGN-IN", "PFX FILE"}}
	for _, result := range w.shown {
		if result.Skipped {
			rows = append(rows, []string{result.Task.Subject.UPN, "already issued", "", "", path("users/" + result.Task.Subject.UPN + ".pfx")})
			continue
		}
		u := result.Made.(delivery).User
		rows = append(rows, []string{u.UPN, "issued", u.NotAfter.Format("2006-01-02"), signIn(tenant, result), path(u.PFX)})
	}
	if len(rows) > 1 {
		console.Table(out, style, rows...)
		if more := w.counts.Issued + w.counts.Skipped - len(w.shown); more > 0 {
			fmt.Fprintf(out, "%s not shown; all users are in %s\n", console.Count(more, "more user"), path(folder.ManifestName))
		}
		fmt.Fprintln(out)
	}
	if w.counts.Issued > 0 {
		fmt.Fprintln(out, "SIGN-IN: expected result once this CA is uploaded and certificate-based authentication is enabled with default settings.")
	}
	fmt.Fprintf(out, "%d issued, %d skipped (already issued), %d failed; PFX encoding %s\n",
		w.counts.Issued, w.counts.Skipped, w.counts.Failed, w.encoding)
	if w.counts.Issued == 0 && w.counts.Failed == 0 && len(w.idle) > 0 {
		fmt.Fprintf(out, "Without effect: %s. No user needed a new certificate.\n", strings.Join(w.idle, ", "))
	}
	if aside := w.out.SetAside(); len(aside) > 0 {
		fmt.Fprintf(out, "%s of earlier runs moved away, not deleted: %s\n", console.Count(len(aside), "file was", "files were"), console.Clean(strings.Join(aside[:min(len(aside), 10)], ", ")))
	}

	for _, result := range w.shown {
		if result.Skipped {
			continue
		}
		fmt.Fprintf(out, "\n%s  certificateUserIds values that bind this certificate to %s\n", style.Bold("IDS"), console.Clean(result.Task.Subject.UPN))
		rows := [][]string{{"MAPPING", "AFFINITY", "VALUE"}}
		for _, id := range certuserid.All(result.Certificate) {
			rows = append(rows, []string{id.Mapping().Name(), string(id.Mapping().Affinity()), id.String()})
		}
		console.Table(out, style, rows...)
		break // one shows the form; the manifest has all
	}
	if notes := w.sortedNotes(); len(notes) > 0 {
		var all []console.Found
		for _, n := range notes {
			all = append(all, console.Found{Finding: n.Finding, Who: fmt.Sprintf("%d of %s", n.count, console.Count(w.counts.Issued, "certificate"))})
		}
		fmt.Fprintf(out, "\n%s\n", style.Bold("FINDINGS"))
		console.Findings(out, style, all...)
	}
	if failed != nil {
		console.Next(out, style, "Mend what the errors name, and run this again. Users who have a certificate are skipped.", w.again())
		return nil
	}
	w.steps(out, style)
	return nil
}

// steps are what is left to do, and the next command.
func (o options) steps(out io.Writer, style console.Style) {
	manifest := o.path(folder.ManifestName)
	if o.ca == "" {
		fmt.Fprintf(out, "\nAnyone with %s can create a certificate for any user. Move it to an HSM or to offline storage.\n", o.path("ca/rootCA.key"))
	}
	fmt.Fprintf(out, "\n%s\n", style.Bold("LATER"))
	for i, step := range [][2]string{
		{"Trust the CA in the tenant, and enable the method for a group. What would change, and for whom, as a plan:", o.setup(manifest)},
		{"Write the IDs of the certificates to the accounts, for bindings of high affinity:", console.Command("sync", "-tenant", "ID", "-manifest", manifest)},
		{"Give each user their PFX file. Send the password (" + o.path(folder.PasswordsName) + ") through a different channel. As files that install it:",
			console.Command("deliver", "-manifest", manifest, "-to", "windows-usb", "-out", "usb")},
	} {
		fmt.Fprintf(out, "%d. %s\n", i+1, step[0])
		if step[1] != "" {
			fmt.Fprintf(out, "   %s\n", step[1])
		}
	}
	console.Next(out, style, "See what Entra would answer to each user; no tenant is needed.",
		console.Command("explain", "-tenant", o.path(saved.TenantName), "-users", o.path(saved.UsersName)))
}

// setup is the command that plans to trust the CA.
func (o options) setup(manifest string) string {
	args := []string{"-tenant", "ID", "-ca", o.path("ca/rootCA.cer")}
	if issuing := o.path("ca/issuingCA.cer"); exists(issuing) {
		args = append(args, "-ca", issuing)
	}
	if len(o.profile.CRLURLs) > 0 {
		args = append(args, "-crl-url", o.profile.CRLURLs[0])
	}
	return console.Command("setup", append(args, "-group", "GROUP-ID", "-enable", "-manifest", manifest, "-out", "plan.json")...)
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// signIn says what the tenant answers to the owner of a new certificate.
func signIn(tenant *signin.Tenant, result cba.Result) string {
	answer, err := tenant.Decide(context.Background(), signin.Request{
		User:        &policy.User{UserPrincipalName: result.Task.Subject.UPN},
		Certificate: result.Certificate,
		At:          time.Now(),
	})
	switch {
	case err != nil:
		return console.Text(err)
	case answer.Outcome == signin.Undecided:
		return "cannot be told"
	case !answer.SignedIn:
		return "refused, " + answer.Code
	}
	return answer.AuthenticationMode.String()
}
