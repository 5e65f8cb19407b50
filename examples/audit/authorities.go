package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/trust"
)

// An authority is one certificate authority of the stores.
type authority struct {
	Subject    string    `json:"subject"`
	Store      string    `json:"store"` // of the entry in force
	Also       []string  `json:"also,omitempty"`
	SKI        string    `json:"subjectKeyIdentifier"`
	Thumbprint string    `json:"thumbprint"`
	NotAfter   time.Time `json:"notAfter"`
	SelfSigned bool      `json:"selfSigned"`
	// Complete says that every authority up to a root is stored and valid;
	// otherwise Lacking says why not.
	Complete bool   `json:"chainComplete"`
	Lacking  string `json:"chainLacking,omitempty"`
	Hint     bool   `json:"issuerHint"`
}

func authorities(store *trust.Store, at time.Time) []authority {
	all := []authority{}
	for _, ca := range store.CAs() {
		a := authority{Subject: ca.Subject.String(), Store: ca.Entry.String(), SKI: string(ca.SKI), Thumbprint: ca.Thumbprint,
			NotAfter: ca.Certificate.NotAfter.UTC(), SelfSigned: ca.SelfSigned, Hint: ca.Hinted()}
		for _, e := range ca.Others {
			a.Also = append(a.Also, e.String())
		}
		if ca.SelfSigned {
			a.Complete = !at.After(ca.Certificate.NotAfter) && !at.Before(ca.Certificate.NotBefore)
			if !a.Complete {
				a.Lacking = "outside of its validity"
			}
		} else if chain := store.Chain(ca.Certificate, at); chain.Trusted {
			a.Complete = true
		} else if len(chain.Failures) > 0 {
			a.Lacking = chain.Failures[0].Detail
		}
		all = append(all, a)
	}
	return all
}

// A list is one revocation list and how it could be had.
type list struct {
	Authority  string    `json:"authority"`
	URL        string    `json:"url"`
	Delta      bool      `json:"delta,omitempty"`
	Error      string    `json:"error,omitempty"`
	Code       string    `json:"code,omitempty"` // with which Entra refuses then
	Number     string    `json:"number,omitempty"`
	Revoked    int       `json:"revoked"`
	Bytes      int       `json:"bytes"`
	Millis     int64     `json:"milliseconds"`
	ThisUpdate time.Time `json:"thisUpdate,omitzero"`
	NextUpdate time.Time `json:"nextUpdate,omitzero"`

	got *crl.List
	err *crl.Error
}

const sourceCRL = "Learn: Certificate revocation list"

// atOnce is how many lists are fetched at the same time.
const atOnce = 8

// lists fetches the lists of every authority, as a sign-in would, and checks them.
func (o options) lists(ctx context.Context, from crl.Source, store *trust.Store, at time.Time) ([]list, lint.Findings, error) {
	cas := store.CAs()
	sets, errs := make([][]list, len(cas)), make([]error, len(cas))
	var wait sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for i, ca := range cas {
		wait.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			for n, url := range []string{ca.CRL, ca.DeltaCRL} {
				if url == "" || errs[i] != nil {
					continue
				}
				var l list
				l, errs[i] = fetch(ctx, from, ca, url, n == 1)
				sets[i] = append(sets[i], l)
			}
		})
	}
	wait.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, nil, err
	}
	all, found := []list{}, lint.Findings{}
	for i, ca := range cas {
		all = append(all, sets[i]...)
		found = append(found, judge(ca, sets[i], at)...)
	}
	return all, found, nil
}

func fetch(ctx context.Context, from crl.Source, ca *trust.CA, url string, delta bool) (list, error) {
	l := list{Authority: ca.Subject.String(), URL: url, Delta: delta}
	started := time.Now()
	got, err := from.Fetch(ctx, url, ca.Certificate)
	l.Millis = time.Since(started).Milliseconds()
	if err != nil {
		if !errors.As(err, &l.err) {
			return l, err // the audit was stopped
		}
		l.Error, l.Code, l.Bytes = err.Error(), l.err.Code(), int(l.err.Size)
		return l, nil
	}
	l.got = got
	l.Revoked, l.Bytes, l.ThisUpdate, l.NextUpdate = got.Len(), len(got.Raw), got.ThisUpdate.UTC(), got.NextUpdate.UTC()
	if got.Number != nil {
		l.Number = got.Number.String()
	}
	return l, nil
}

// slow is when a list is on its way to the 10 seconds that Entra waits.
const slow = 5 * time.Second

// judge says what is wrong with the lists of one authority.
func judge(ca *trust.CA, lists []list, at time.Time) lint.Findings {
	var found lint.Findings
	set := crl.Set{}
	for i := range lists {
		l := &lists[i]
		where := fmt.Sprintf("%v, %s", ca.Entry, l.URL)
		switch {
		case l.err != nil:
			found = append(found, lint.Finding{Code: "audit-crl-unusable", Severity: lint.Error, Effect: lint.LocksOut, Where: where,
				What:   fmt.Sprintf("no list that can be relied on (users of this authority are refused, %s): %s", l.Code, strings.TrimPrefix(l.Error, "crl: ")),
				Do:     "publish a list at this address that the authority has signed, or correct the address",
				Source: sourceCRL})
		case time.Duration(l.Millis)*time.Millisecond > slow:
			found = append(found, lint.Finding{Code: "audit-crl-slow", Severity: lint.Warning, Effect: lint.LocksOut, Where: where,
				What:   fmt.Sprintf("the list took %.1f s from here; Entra waits %v in a sign-in", float64(l.Millis)/1000, 10*time.Second),
				Do:     "publish it closer to the internet, or make it smaller",
				Source: sourceCRL})
		}
		if l.Delta {
			set.Delta = l.got
		} else {
			set.Base = l.got
		}
	}
	if set.Base != nil || set.Delta != nil && len(lists) == 1 {
		more := set.Findings(at)
		if set.Base != nil && more.Worst() != lint.Error {
			if err := set.Check(ca.Certificate, at); err != nil {
				more = append(more, lint.Finding{Code: "audit-crl-unusable", Severity: lint.Error, Effect: lint.LocksOut, Where: ca.Entry.String(),
					What: err.Error(), Do: "publish a new list", Source: sourceCRL})
			}
		}
		found = append(found, more...)
	}
	if at.After(ca.Certificate.NotAfter) {
		// Nobody signs in with certificates of an expired authority anyway.
		for i := range found {
			found[i].Severity, found[i].Effect = min(found[i].Severity, lint.Info), 0
			found[i].What += "; it matters no more, the authority itself has expired"
		}
	}
	return slices.Clip(found)
}
