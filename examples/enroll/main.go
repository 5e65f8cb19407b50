// Enroll is an enrolment service: a request in, a certificate out, with its chain, a
// .p7b file and the ids that bind it; a CRL at a URL; and revoking by the owner.
//
//	go run ./examples/enroll                    enrols one demonstration user, then exits
//	go run ./examples/enroll -users people.csv  serves until it is interrupted
//
// The list of users is that of examples/issue: a table with the columns upn and password,
// where the password is the token that the user sends. The service listens on the loopback
// interface only: put a proxy with TLS in front of it.
//
// The token goes from a file, because everyone on a machine can read command lines: the file
// token.txt has the line "Authorization: Bearer TOKEN".
//
//	curl -H @token.txt --data-binary @user.csr http://127.0.0.1:8080/enroll
//	curl -H @token.txt --data-binary @user.crt http://127.0.0.1:8080/revoke
//	curl -O http://127.0.0.1:8080/ca.crl
//
// Exit status: 0 done or interrupted, 2 otherwise.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/crl/publish"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/folder"
	"example.com/entracba/examples/internal/console"
	"example.com/entracba/examples/internal/users"
)

func main() { console.Main("enroll", run) }

func run(args []string) error {
	f := flag.NewFlagSet("enroll", flag.ContinueOnError)
	listen := f.String("listen", "127.0.0.1:8080", "loopback `ADDRESS` to listen on")
	url := f.String("url", "", "`URL` at which Entra reaches the service, for the CRL URL in certificates; http, as Entra expects for CRLs (default http:// and the address)")
	out := f.String("out", "out/enroll", "keep the CA and its revocations in `DIR`")
	file := f.String("users", "", "the users: a table in `FILE` with the columns upn and password (CSV), or a list as JSON; the password is the token that the user sends (default: enrol one demonstration user, then exit)")
	if err := console.ParseFlags(f, args, "Runs a certificate enrolment service on the loopback interface.", "[flags]",
		"", "-users people.csv -url http://pki.contoso.com"); err != nil || f.NArg() > 0 {
		return cmp.Or(err, console.Usage("unexpected argument %q; for help: go run ./examples/enroll -h", f.Arg(0)))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	tokens := map[string]string{"demonstration": "jane@yourdomain.com"}
	if *file == "" {
		for _, name := range slices.Sorted(maps.Keys(console.Given(f))) {
			return console.Usage("-%s has no effect in the demonstration: give the users of a service with -users FILE", name)
		}
		*listen = "127.0.0.1:0"
		// The demonstration has a CA of its own, which ends with it.
		temporary, err := os.MkdirTemp("", "enroll")
		if err != nil {
			return err
		}
		defer os.RemoveAll(temporary)
		*out = filepath.Join(temporary, "enroll")
	} else {
		var err error
		if tokens, err = readTokens(*file); err != nil {
			return err
		}
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return console.Usage("-listen: %w", err)
	}
	if !listener.Addr().(*net.TCPAddr).IP.IsLoopback() {
		return console.Usage("-listen: tokens must not be sent in the clear; listen on 127.0.0.1 and put a proxy with TLS in front")
	}
	*url = cmp.Or(*url, "http://"+listener.Addr().String())
	state, err := folder.Open(*out)
	if err != nil {
		return err
	}
	defer state.Close()
	issuer, _, err := state.CA(ctx, "", func(ctx context.Context) (*cba.Issuer, error) {
		return cba.NewRoot(ctx, cba.Authority{Name: dn.Name{{{Type: dn.CommonName, Value: "Entra CBA Root CA"}}}})
	})
	if err != nil {
		return err
	}
	s := newService(issuer, publish.FileStore{Path: *out + "/revocations"}, *url+"/ca.crl", tokens)
	if err := s.publish(ctx); err != nil {
		return err
	}
	go s.republish(ctx)
	server := &http.Server{Handler: s.handler(), ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second}
	defer server.Close()
	go func() { server.Serve(listener); stop() }()
	if *file == "" {
		return demonstrate(ctx, *url)
	}
	fmt.Fprintf(console.Stdout, "Serving %s at %s until interrupted. The CRL is at %s/ca.crl.\n", console.Count(len(tokens), "user"), *url, *url)
	console.Next(console.Stdout, console.StyleFor(os.Stdout), "Put the line \"Authorization: Bearer TOKEN\" with a user's token into token.txt, then make a key and a request, and send it. The name in the request does not matter.",
		"openssl req -new -newkey rsa:2048 -nodes -keyout user.key -out user.csr -subj /CN=user && curl -H @token.txt --data-binary @user.csr http://"+listener.Addr().String()+"/enroll")
	<-ctx.Done()
	return nil
}

// readTokens reads the list of users, and returns the UPN of every token.
func readTokens(file string) (map[string]string, error) {
	list, err := users.Read(file)
	if err != nil {
		return nil, err
	}
	if list.Short != "" {
		return nil, console.Usage("%s: the token of %s has fewer than 12 characters, so others can guess it: write a longer one into the column password", file, list.Short)
	}
	tokens, token := map[string]string{}, ""
	for task, err := range list.Tasks(func(_, password string) { token = password }) {
		switch {
		case err != nil:
			return nil, console.Usage("%w", err)
		case token == "":
			return nil, console.Usage("%s: %s has no token: write one of the user's own into the column password", file, task.Subject.UPN)
		case tokens[token] != "":
			return nil, console.Usage("%s: %s and %s have the same token: write one of the user's own into the column password", file, tokens[token], task.Subject.UPN)
		}
		tokens[token], token = task.Subject.UPN, ""
	}
	return tokens, nil
}
