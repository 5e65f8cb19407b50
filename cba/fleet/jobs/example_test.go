//go:build unix

package jobs_test

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/crl/publish"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/fleet/jobs"
	"example.com/entracba/cba/fleet/ledger"
	"example.com/entracba/cba/fleet/sqlite"
)

// A cloudKey is a CA's key in a key service. The SDKs of the services have such a
// crypto.Signer, or a call that signs a digest, which takes these lines. This one plays the
// service: a signature takes 50 ms, and some fail.
type cloudKey struct {
	key   crypto.Signer // in truth, the client of the service and the name of the key
	calls atomic.Int64
}

func (k *cloudKey) Public() crypto.PublicKey { return k.key.Public() }

func (k *cloudKey) Sign(random io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	time.Sleep(50 * time.Millisecond)
	if k.calls.Add(1)%3 == 0 {
		return nil, errors.New("429 too many requests")
	}
	return k.key.Sign(random, digest, o)
}

// A fleet whose CA has its key in a cloud key service: at most two signatures are in
// flight in this process, and a signature that fails is a job that is tried again.
func ExampleFleet_keyService() {
	dir, err := os.MkdirTemp("", "fleet")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()

	name, err := dn.Parse("CN=Contoso Issuing CA")
	if err != nil {
		log.Fatal(err)
	}
	root, err := cba.NewRoot(ctx, cba.Authority{Name: name, KeyType: cba.P256})
	if err != nil {
		log.Fatal(err)
	}
	ca, err := cba.NewIssuer(root.Certificate, &cloudKey{key: root.Key})
	if err != nil {
		log.Fatal(err)
	}

	l, err := sqlite.Open(ctx, filepath.Join(dir, "ledger.db"), sqlite.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()
	state := func(ca string) publish.Store { return publish.FileStore{Path: filepath.Join(dir, ca+".store")} }
	fleet, err := jobs.Open(ctx, jobs.SQLite(l, state), jobs.Config{
		CA:         ca,
		KeyType:    cba.P256,
		Signatures: 2,
		Files:      jobs.Folder(filepath.Join(dir, "pfx")),
		Passwords:  jobs.Folder(filepath.Join(dir, "passwords")), // elsewhere, if you can
		Publish: func(ctx context.Context, _ *cba.Issuer, list *crl.List) error {
			return os.WriteFile(filepath.Join(dir, "ca.crl"), list.Raw, 0o644) // where the URL leads
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	added, err := fleet.Enqueue(ctx, cba.Tasks(cba.Subject{UPN: "jane@contoso.com"}, cba.Subject{UPN: "john@contoso.com"}, cba.Subject{UPN: "alex@contoso.com"}))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(added.Added, "users")

	// A service works until it is stopped. This one stops when everybody has a certificate.
	working, done := context.WithCancel(ctx)
	go func() {
		defer done()
		for ctx.Err() == nil {
			if s, err := fleet.Status(ctx); err == nil && s.Certificates[ledger.Delivered] == 3 {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
	}()
	if err := fleet.Run(working); err != nil {
		log.Fatal(err)
	}
	var issued []string
	for e, err := range l.Entries(context.Background(), ledger.Query{}) {
		if err != nil {
			log.Fatal(err)
		}
		issued = append(issued, fmt.Sprint(e.UPN, " ", e.State))
	}
	slices.Sort(issued)
	for _, line := range issued {
		fmt.Println(line)
	}
	// Output:
	// 3 users
	// alex@contoso.com delivered
	// jane@contoso.com delivered
	// john@contoso.com delivered
}
