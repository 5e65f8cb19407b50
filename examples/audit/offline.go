package main

import (
	"fmt"
	"io"
	"iter"
	"os"
	"strings"

	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/snapshot"
	"example.com/entracba/examples/internal/console"
	"example.com/entracba/examples/internal/saved"
)

// offline audits a tenant that was saved, in any form that package signin reads, without
// a network: CRLs are not downloaded.
func (o options) offline() error {
	switch {
	case o.snapshot != "":
		return console.Usage("-snapshot saves a tenant that is read through Graph; %s is a file already", o.tenant.ID)
	case o.allowPrivate:
		return console.Usage("-allow-private has no effect: the CRLs of a tenant in a file are not downloaded")
	}
	tenant, err := saved.Snapshot(o.tenant.ID)
	if err != nil {
		return err
	}
	a, compiled, err := o.begin(tenant.Config)
	if err != nil {
		return err
	}
	a.Offline = true
	if err := a.readUsers(o.savedUsers(tenant.Users), compiled); err != nil {
		return err
	}
	return o.finish(a, func(w io.Writer) {
		fmt.Fprintf(w, "Tenant read from %s. CRLs were not downloaded.\n", o.tenant.ID)
		if missing := a.missing(); len(missing) > 0 {
			fmt.Fprintf(w, "It does not contain %s, so that was not checked.\n", strings.Join(missing, " and "))
		}
		fmt.Fprintln(w)
	})
}

// savedUsers are the users of a snapshot, then those of -users.
func (o options) savedUsers(saved []snapshot.User) iter.Seq2[snapshot.User, error] {
	return func(yield func(snapshot.User, error) bool) {
		for _, u := range saved {
			if !yield(u, nil) {
				return
			}
		}
		if o.users == "" {
			return
		}
		f, err := os.Open(o.users)
		if err != nil {
			yield(snapshot.User{}, err)
			return
		}
		defer f.Close()
		for l, err := range snapshot.ReadUsers(f) {
			var u policy.User
			if err == nil {
				if u, err = policy.ParseUser(l.JSON); err != nil {
					err = fmt.Errorf("%s: %w", l.Where, err)
				}
			}
			if err != nil {
				yield(snapshot.User{}, console.Usage("%s: %w", o.users, err))
				return
			}
			if !yield(snapshot.User{User: u}, nil) {
				return
			}
		}
	}
}
