package browser

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"example.com/entracba/cba/folder"
	"example.com/entracba/cba/pfx"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/report"
	"example.com/entracba/cba/signin"
	"example.com/entracba/cba/snapshot"
	"example.com/entracba/examples/internal/lab"
	"example.com/entracba/examples/internal/saved"
)

// A Page is one page that people see, as a file.
type Page struct {
	Name, File string
	// Program says that it is the page of examples/page, which has to start.
	Program bool
	// Files are chosen in that page, by the names of its fields.
	Files map[string]string
}

// URL is where a browser finds the page.
func (p Page) URL() string {
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(p.File)}).String()
}

// Build builds programs of this repository into a folder.
func Build(ctx context.Context, into string, programs ...string) error {
	for _, name := range programs {
		if out, err := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(into, name), "example.com/entracba/examples/"+name).CombinedOutput(); err != nil {
			return fmt.Errorf("%s does not build: %w: %s", name, err, out)
		}
	}
	return nil
}

// Programs are those that [Pages] runs.
func Programs() []string { return []string{"issue", "explain", "audit", "page", "setup", "signins"} }

// Pages makes every kind of page of cba/report, of the lab and of examples/page, in a folder: those of
// the programs, which were built into another one, by running them, the others from
// values.
func Pages(ctx context.Context, into, programs string) ([]Page, error) {
	b := &bench{ctx: ctx, folder: into, programs: programs}
	b.command("issue", "-key", "p256")
	b.command("audit", "-html", "first.html") // writes first.json beside it
	b.page("audit", "audit", "-html", "audit.html", "-last", "first.json")
	b.page("explain-findings", "explain", "-html", "explain-findings.html", "-findings", "-require", "phishing-resistant")
	b.page("explain-signed-in", "explain", "-html", "explain-signed-in.html")
	b.change()
	b.page("affected", "explain", "-tenant", "out/tenant.json", "-users", "users.jsonl", "-then", "changed.json", "-html", "affected.html")
	b.undecided()
	b.page("setup", "setup", "-html", "setup.html")
	b.page("signins", "signins", "-html", "signins.html")
	b.plan()
	b.evidence()
	b.lab()
	b.offline()
	return b.pages, b.err
}

// A bench makes pages until something fails.
type bench struct {
	ctx      context.Context
	folder   string
	programs string
	pages    []Page
	err      error
}

func (b *bench) at(name string) string { return filepath.Join(b.folder, name) }

func (b *bench) fail(err error) { b.err = errors.Join(b.err, err) }

// command runs a program. That its answer is no is no failure.
func (b *bench) command(program string, args ...string) {
	if b.err != nil {
		return
	}
	cmd := exec.CommandContext(b.ctx, filepath.Join(b.programs, program), args...)
	if program != "page" { // which compiles, in this module
		cmd.Dir = b.folder
	}
	var trouble strings.Builder
	cmd.Stderr = &trouble
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &exit) || exit.ExitCode() == 2) {
		b.fail(fmt.Errorf("%s %q: %w: %s", program, args, err, trouble.String()))
	}
}

// page runs a program that writes name.html.
func (b *bench) page(name, program string, args ...string) {
	b.command(program, args...)
	b.add(name)
}

func (b *bench) add(name string) {
	if b.err == nil {
		_, err := os.Stat(b.at(name + ".html"))
		b.fail(err)
		b.pages = append(b.pages, Page{Name: name, File: b.at(name + ".html")})
	}
}

// write makes a page from values.
func (b *bench) write(name string, r report.Report) {
	if b.err != nil {
		return
	}
	r.Made, r.Version = time.Now(), "pictures"
	b.fail(folder.Stream(b.at(name+".html"), folder.Public, r.WriteHTML))
	b.add(name)
}

// change is a tenant in which a name binds no more, and values do.
func (b *bench) change() {
	if b.err != nil {
		return
	}
	config, _, err := saved.Tenant(b.at("out/tenant.json"), signin.Options{})
	if err != nil {
		b.fail(err)
		return
	}
	config.Policy.AuthenticationMode.Default = policy.MultiFactor
	config.Policy.UserBindings = config.Policy.UserBindings[1:]
	text, err := json.MarshalIndent(config, "", "  ")
	if err == nil {
		err = os.WriteFile(b.at("changed.json"), text, 0o644)
	}
	b.fail(err)
	// Jane's account has the id of her certificate, john's has none, and nothing is
	// known of alex's.
	var lines []byte
	n := 0
	for c, err := range saved.Users(b.at("out/users.jsonl"), "") {
		b.fail(err)
		if b.err != nil {
			return
		}
		user := map[string]any{"userPrincipalName": c.User.UserPrincipalName, "certificates": [][]byte{c.Certificates[0].Raw}}
		switch n {
		case 0:
			user["authorizationInfo"] = map[string]any{"certificateUserIds": []string{fmt.Sprintf("X509:<SKI>%x", c.Certificates[0].SubjectKeyId)}}
		case 1:
			user["authorizationInfo"] = map[string]any{"certificateUserIds": []string{}}
		}
		n++
		line, err := json.Marshal(user)
		b.fail(err)
		lines = append(append(lines, line...), '\n')
	}
	b.fail(os.WriteFile(b.at("users.jsonl"), lines, 0o644))
}

func (b *bench) plan() {
	if b.err != nil {
		return
	}
	before, err := os.ReadFile(b.at("out/tenant.json"))
	b.fail(err)
	after, err := os.ReadFile(b.at("changed.json"))
	b.fail(err)
	differences, err := snapshot.Compare(before, after)
	b.fail(err)
	b.write("plan", report.Report{Title: "What the change writes", Subject: "A proposal for the change board", Plan: report.Plan("The tenant", differences)})
}

func (b *bench) evidence() {
	now := time.Now()
	b.write("evidence", report.Report{Title: "Evidence for an auditor", Subject: "contoso.com", Evidence: &report.EvidencePart{
		Default: policy.SingleFactor.String(), Settings: now, From: now.Add(-30 * 24 * time.Hour), To: now,
		Rules: []report.EvidenceRule{
			{Type: "policyOID", OID: "1.3.6.1.4.1.311.21.8.7654321.1234567.1.2.3", Mode: policy.MultiFactor.String()},
			{Type: "issuerSubject", Issuer: "CN=Contoso Smart Card CA, O=Contoso, C=US", Mode: policy.MultiFactor.String()},
		},
		SignIns: []report.EvidenceCount{
			{Issuer: "CN=Contoso Smart Card CA, O=Contoso, C=US", Mode: policy.MultiFactor.String(), SignIns: 41234},
			{Issuer: "CN=Contoso Device CA, O=Contoso, C=US", Mode: policy.SingleFactor.String(), SignIns: 207, NotCompared: 7},
			{Issuer: "CN=Fabrikam Root CA", Mode: policy.MultiFactor.String(), SignIns: 3, Differ: 3},
		},
	}})
}

// undecided is a verdict about a user whose groups are not known.
func (b *bench) undecided() {
	if b.err != nil {
		return
	}
	config, _, err := saved.Tenant(b.at("out/tenant.json"), signin.Options{})
	if err != nil {
		b.fail(err)
		return
	}
	config.Policy.IncludeTargets[0].ID = "6a0f2f9e-7a0c-4c6b-9d7b-1f7e4a0a9e11"
	tenant, err := config.Compile(signin.Options{})
	if err != nil {
		b.fail(err)
		return
	}
	for c, err := range saved.Users(b.at("out/users.jsonl"), "") {
		if err != nil {
			b.fail(err)
			return
		}
		request := signin.Request{User: c.User, Certificate: c.Certificates[0], At: time.Now()}
		verdict, err := tenant.Explain(b.ctx, request)
		if err == nil && verdict.Outcome != signin.Undecided {
			err = errors.New("the page of an undecided sign-in has another outcome")
		}
		b.fail(err)
		b.write("undecided", report.Report{Title: "Certificate sign-in: " + c.User.UserPrincipalName, SignIn: report.SignIn(tenant, request, verdict)})
		return
	}
}

// offline has the page of examples/page before and after files were chosen.
func (b *bench) offline() {
	b.command("page", "-out", b.at("offline.html"))
	if b.err != nil {
		return
	}
	users, err := os.ReadFile(b.at("users.jsonl"))
	b.fail(err)
	first, _, _ := strings.Cut(string(users), "\n")
	b.fail(os.WriteFile(b.at("user.json"), []byte(first), 0o644))
	b.pages = append(b.pages, Page{Name: "offline", File: b.at("offline.html"), Program: true},
		Page{Name: "offline-verdict", File: b.at("offline.html"), Program: true, Files: map[string]string{
			"certificate": b.at("out/users/jane@yourdomain.com.crt"), "user": b.at("user.json"), "tenant": b.at("out/tenant.json"), "then": b.at("changed.json")}})
}

// lab asks the lab for its pages, as a browser does that has a certificate, has none,
// or has another person's.
func (b *bench) lab() {
	if b.err != nil {
		return
	}
	var o lab.Options
	if o.Config, o.Tenant, b.err = saved.Tenant(b.at("out/tenant.json"), signin.Options{}); b.err != nil {
		return
	}
	for c, err := range saved.Users(b.at("users.jsonl"), "") {
		b.fail(err)
		o.Users = append(o.Users, c)
	}
	if b.err != nil {
		return
	}
	l, err := lab.New(o)
	if err != nil {
		b.fail(err)
		return
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.fail(err)
		return
	}
	ctx, cancel := context.WithCancel(b.ctx)
	served := make(chan error)
	go func() { served <- l.Serve(ctx, listener) }()
	address := listener.Addr().String()
	_, port, _ := net.SplitHostPort(address)
	for _, ask := range []struct {
		name, path string
		owner      int // whose certificate, or -1
	}{
		{"lab-form", "?user=jane@yourdomain.com", -1},
		{"lab-wrong-user", "signin?user=jnae@yourdomain.com", -1},
		{"lab-signed-in", "signin?user=jane@yourdomain.com&hints=on", 0},
		{"lab-no-certificate", "signin?user=jane@yourdomain.com&hints=on", -1},
		{"lab-wrong-person", "signin?user=jane@yourdomain.com", 1},
	} {
		body, err := b.ask(l, address, l.URL(port)+ask.path, o.Users[max(0, ask.owner)], ask.owner >= 0)
		if err == nil {
			err = os.WriteFile(b.at(ask.name+".html"), body, 0o644)
		}
		b.fail(err)
		b.add(ask.name)
	}
	cancel()
	b.fail(<-served)
}

func (b *bench) ask(l *lab.Lab, address, url string, user signin.Case, present bool) ([]byte, error) {
	trusted := x509.NewCertPool()
	trusted.AddCert(l.CA())
	config := &tls.Config{RootCAs: trusted}
	if present {
		upn := user.User.UserPrincipalName
		file, err := os.ReadFile(b.at("out/users/" + upn + ".pfx"))
		if err != nil {
			return nil, err
		}
		passwords, err := os.ReadFile(b.at("out/passwords.csv"))
		if err != nil {
			return nil, err
		}
		_, rest, _ := strings.Cut(string(passwords), upn+",")
		password, _, _ := strings.Cut(rest, "\n")
		bundle, err := pfx.Decode(file, strings.TrimSpace(password))
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{{Certificate: [][]byte{bundle.Certificate.Raw}, PrivateKey: bundle.Key}}
	}
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		}}}
	answer, err := client.Get(url)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	return io.ReadAll(answer.Body)
}
