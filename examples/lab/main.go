// Lab is a sign-in page on this machine that treats a browser as Microsoft Entra does:
// it asks for a certificate in the TLS handshake, and shows what Entra would answer to
// the one that the browser presents, and why.
//
//	go run ./examples/lab
//	go run ./examples/lab -tenant out/tenant.json -users out/users.jsonl
//
// Without flags it makes a CA and users of its own and signs in as them with a client
// of its own. It listens on this machine only, for host names that end in .localhost,
// and changes nothing: its server certificate comes from a CA that nobody trusts and
// that is gone when it ends, so a browser warns first.
//
// Exit status: 0 it was stopped, or with -once the user signed in; with -once 1 refused,
// 3 undecided; 2 the command line or the input cannot be used.
package main

import (
	"context"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"

	"example.com/entracba/cba/folder"
	"example.com/entracba/cba/signin"
	"example.com/entracba/examples/internal/console"
	"example.com/entracba/examples/internal/lab"
	"example.com/entracba/examples/internal/saved"
)

func main() { console.Main("lab", run) }

// options is the command line.
type options struct {
	tenant, users  string
	crls           saved.CRLs
	require        signin.Requirement
	listen, domain string
	ca             string
	once, json     bool
}

func parse(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("lab", flag.ContinueOnError)
	f.StringVar(&o.tenant, "tenant", "", "the tenant: JSON `FILE`, such as out/tenant.json, which issue writes")
	f.StringVar(&o.users, "users", "", "the users, `FILE|DIR`: a list as JSON or CSV, such as out/users.jsonl, or a folder with NAME.json and NAME.pem for each user")
	saved.RequireFlag(f, &o.require)
	o.crls.Register(f)
	f.StringVar(&o.listen, "listen", "127.0.0.1:8443", "`ADDRESS` on this machine")
	f.StringVar(&o.domain, "domain", "localhost", "the hosts are login.`DOMAIN` and certauth.login.DOMAIN; for a domain other than localhost, name them in the hosts file")
	f.StringVar(&o.ca, "ca", "", "write the server's CA certificate to `FILE`, for clients that must trust it")
	f.BoolVar(&o.once, "once", false, "stop after the first sign-in; without -tenant, after those of the demonstration")
	f.BoolVar(&o.json, "json", false, "print each sign-in as JSON")
	if err := console.ParseFlags(f, args, "Asks a browser for a certificate as Entra does, and shows what Entra would answer.", "[flags]",
		"", "-tenant out/tenant.json -users out/users.jsonl", "-once -json -require mfa"); err != nil {
		return o, err
	}
	switch {
	case f.NArg() > 0:
		return o, console.Usage("unexpected argument %q; for help: go run ./examples/lab -h", f.Arg(0))
	case (o.tenant == "") != (o.users == ""):
		return o, console.Usage("-tenant and -users must be used together; issue writes both")
	}
	return o, console.Apart(args, []string{o.ca}, nil)
}

func run(args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	set := lab.Options{Domain: o.domain, Require: o.require}
	var demo *demonstration
	if o.tenant == "" {
		if demo, err = newDemonstration(ctx); err == nil {
			set.Config, set.Users = demo.config, demo.users
			set.Tenant, err = set.Config.Compile(signin.Options{})
		}
	} else {
		err = o.read(&set)
	}
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", o.listen)
	if err != nil {
		return console.Usage("-listen: %w; choose another address, such as 127.0.0.1:0, which takes a free port", err)
	}
	serving, end := context.WithCancel(ctx)
	defer end()
	p := &printer{json: o.json, style: console.StyleFor(os.Stdout)}
	set.Seen = func(a lab.Attempt) {
		p.print(a)
		if o.once && demo == nil {
			end()
		}
	}
	set.Trouble = func(what string) { fmt.Fprintln(os.Stderr, "lab:", console.Clean(what)) }
	page, err := lab.New(set)
	if err != nil {
		listener.Close()
		return console.Usage("%w", err)
	}
	if o.ca != "" {
		text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: page.CA().Raw})
		if err := folder.Write(o.ca, text, folder.Public); err != nil {
			listener.Close()
			return err
		}
	}
	served := make(chan error, 1)
	go func() { served <- page.Serve(serving, listener) }()
	if demo != nil {
		p.head("Demonstration: without -tenant, this program uses a tenant, users and certificates of its own, and signs in with a client of its own.\n\n")
		if err := demo.signIn(ctx, page, listener.Addr().String()); err != nil {
			end()
			return errors.Join(err, <-served)
		}
		if o.once {
			end()
			err := <-served
			if err == nil && !o.json {
				console.Next(console.Stdout, p.style, "Sign in with a browser of your own, to a tenant and users in files.", console.Command("lab", "-tenant", "out/tenant.json", "-users", "out/users.jsonl"))
			}
			return err
		}
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	p.head("Open %s in a browser. It warns first: nothing trusts this program's CA. Ctrl-C stops.\n", page.URL(port))
	if demo == nil && o.ca != "" {
		p.head("Or: curl --cacert %s --cert-type P12 --cert FILE.pfx:PASSWORD '%s'\n", o.ca, page.CertificateURL(port, set.Users[0].User.UserPrincipalName))
	}
	p.head("\n")
	if err := <-served; err != nil {
		return err
	}
	if o.once {
		return p.status()
	}
	return nil
}

// read reads the tenant and the users.
func (o options) read(set *lab.Options) error {
	lists, err := o.crls.Source()
	if err != nil {
		return err
	}
	if set.Config, set.Tenant, err = saved.Tenant(o.tenant, signin.Options{CRLs: lists}); err != nil {
		return err
	}
	o.crls.Unused(os.Stderr, set.Config)
	for c, err := range saved.Users(o.users, "") {
		if err != nil {
			return err
		}
		set.Users = append(set.Users, c)
	}
	return nil
}

// A printer prints sign-ins, from several connections at a time.
type printer struct {
	mu     sync.Mutex
	json   bool
	style  console.Style
	headed bool
	last   signin.Verdict
}

// head prints what is for people only.
func (p *printer) head(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.json {
		fmt.Fprintf(console.Stdout, format, args...)
	}
}

// row is the width of the columns of a sign-in.
const row = "%-20s  %-20s  %-3s  %-5s  %s\n"

func (p *printer) print(a lab.Attempt) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = a.Verdict
	presented := "no certificate"
	if a.Certificate != nil {
		presented = a.Certificate.Subject.CommonName
	}
	if p.json {
		// A line that cannot be written has no reader.
		_ = console.Result(console.Stdout, "lab", struct {
			User      string         `json:"userPrincipalName"`
			TLS       string         `json:"tls"`
			Hints     []string       `json:"issuerHints"`
			Presented bool           `json:"presented"`
			Verdict   signin.Verdict `json:"verdict"`
		}{a.User.UserPrincipalName, a.TLS, append([]string{}, a.Hints...), a.Certificate != nil, a.Verdict})
		return
	}
	if !p.headed {
		p.headed = true
		fmt.Fprint(console.Stdout, p.style.Bold(fmt.Sprintf(row, "USER", "CERTIFICATE OF", "TLS", "HINTS", "RESULT")))
	}
	hints := "no"
	if len(a.Hints) > 0 {
		hints = "yes"
	}
	result := p.style.Red("refused, " + a.Verdict.Code)
	switch a.Verdict.Outcome {
	case signin.SignedIn:
		result = p.style.Green("signed in, " + a.Verdict.AuthenticationMode.String())
	case signin.Undecided:
		result = p.style.Yellow("undecided: " + a.Verdict.Message)
	}
	fmt.Fprintf(console.Stdout, row, console.Clean(a.User.UserPrincipalName), console.Clean(presented), strings.TrimPrefix(a.TLS, "TLS "), hints, result)
}

// status is the exit status of the last sign-in.
func (p *printer) status() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.last.SignedIn || p.last.Outcome == 0: // stopped before anybody signed in
		return nil
	case p.last.Outcome == signin.Undecided:
		return console.ErrNotKnown
	}
	return console.ErrNo
}
