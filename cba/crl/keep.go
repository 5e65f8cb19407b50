package crl

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Keep returns a [Source] that asks another one for a CRL only when the kept one is
// due. See [Keeper].
func Keep(source Source) *Keeper { return &Keeper{Source: source} }

// A Keeper is a [Source] that keeps what another one returned. It is safe for
// concurrent use and must not be copied once it was used. The zero Keeper has no
// source and answers [Missing].
//
// # Keeping
//
// A CRL is kept, by its URL and CA, when ca signed it. It is returned again until
// its Next CRL Publish or, if it has none, its Next Update. After that the source is
// asked again, at most once a minute; as long as the kept CRL is valid, it is
// returned when there is no new one, when the new one is not by ca, or when its CRL
// number went back. A failure without a kept CRL is not remembered: the next Fetch
// asks again.
//
// # Sharing
//
// Callers who ask for a CRL that is being fetched wait for that fetch. It goes on,
// with the values of the first caller's context, until the last of them has given
// up.
type Keeper struct {
	Source Source
	// Bytes bounds the encoded size of the CRLs that are kept; the one that was not
	// asked for the longest goes first. Zero means 256 MB; with a negative number
	// nothing is kept.
	Bytes int64
	// Now is the clock that decides when a kept CRL is fetched again. Nil means
	// time.Now.
	Now func() time.Time

	mu      sync.Mutex
	kept    map[place]*keptList
	flights map[place]*flight
}

// refetch is the least time between two fetches of a CRL that is kept.
const refetch = time.Minute

// A place is what a CRL is kept by: the CA, as the same URL may be stored with two.
type place struct{ url, ca string }

type keptList struct {
	list    *List
	retry   time.Time // no new fetch before
	lastUse time.Time
}

// A flight is a fetch that is under way.
type flight struct {
	cancel  context.CancelFunc
	waiting int
	done    chan struct{} // closed when list and err are set
	list    *List
	err     error
}

// Fetch returns the CRL at a URL, which is by ca. The error is the source's, or
// wraps that of ctx if that ended first.
func (k *Keeper) Fetch(ctx context.Context, url string, ca *x509.Certificate) (*List, error) {
	if ca == nil {
		return byCA(nil, failf(WrongIssuer, "there is no CA to check against"), url, ca)
	}
	if k == nil || k.Source == nil {
		return nil, &Error{Reason: Missing, URL: url, Detail: "there is no source of CRLs"}
	}
	if err := ended(ctx); err != nil {
		return nil, fmt.Errorf("crl: fetching %q: %w", url, err)
	}
	at, now := place{url, string(ca.Raw)}, k.now()
	old := k.lookup(at, now)
	if old != nil && now.Before(old.due()) {
		return old.list, nil
	}
	list, err := k.join(ctx, at, ca)
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil, err
	}
	if err == nil {
		list, err = byCA(list, nil, url, ca) // nil, too
	}
	if err == nil && old != nil {
		if err = list.CheckAfter(old.list); err == nil && bytes.Equal(list.Raw, old.list.Raw) {
			list = old.list // give the memory of the copy back
		}
	}
	if err != nil {
		return k.fallback(at, ca, old, err, now)
	}
	k.keep(at, &keptList{list: list, retry: now.Add(refetch), lastUse: now})
	return list, nil
}

// due is when a kept CRL is to be fetched again: at its Next CRL Publish or Next
// Update, but not within a minute of the last attempt, unless the CRL has expired
// since.
func (k *keptList) due() time.Time {
	expiry := k.list.NextUpdate
	due := expiry
	if p := k.list.NextPublish; !p.IsZero() && p.Before(due) {
		due = p
	}
	if due.Before(k.retry) {
		due = k.retry
	}
	if attempt := k.retry.Add(-refetch); attempt.Before(expiry) && expiry.Before(due) {
		due = expiry
	}
	return due
}

// fallback returns the kept CRL if it is still valid, or else the failure.
func (k *Keeper) fallback(at place, ca *x509.Certificate, old *keptList, err error, now time.Time) (*List, error) {
	if old == nil || old.list.Check(ca, now) != nil {
		return byCA(nil, err, at.url, ca) // the callers of one fetch each get their own error
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if kept := k.kept[at]; kept != nil && kept.list == old.list {
		kept.retry = now.Add(refetch)
	}
	return old.list, nil
}

func (k *Keeper) now() time.Time {
	if k.Now != nil {
		return k.Now()
	}
	return time.Now()
}

// lookup returns a copy of what is kept.
func (k *Keeper) lookup(at place, now time.Time) *keptList {
	k.mu.Lock()
	defer k.mu.Unlock()
	kept := k.kept[at]
	if kept == nil {
		return nil
	}
	kept.lastUse = now
	found := *kept
	return &found
}

func (k *Keeper) keep(at place, list *keptList) {
	k.mu.Lock()
	defer k.mu.Unlock()
	limit := k.Bytes
	if limit == 0 {
		limit = 256 * megabyte
	}
	delete(k.kept, at)
	if int64(len(list.list.Raw)) > limit {
		return
	}
	if k.kept == nil {
		k.kept = make(map[place]*keptList)
	}
	k.kept[at] = list
	for {
		var total int64
		oldest := at
		for p, kept := range k.kept {
			total += int64(len(kept.list.Raw))
			if p != at && (oldest == at || kept.lastUse.Before(k.kept[oldest].lastUse)) {
				oldest = p
			}
		}
		if total <= limit {
			return
		}
		delete(k.kept, oldest)
	}
}

// join waits for the fetch of a CRL, which it starts if there is none.
func (k *Keeper) join(ctx context.Context, at place, ca *x509.Certificate) (*List, error) {
	k.mu.Lock()
	f := k.flights[at]
	if f == nil {
		// The fetch belongs to all who wait for it, so it does not end with the
		// context of the first.
		shared, cancel := context.WithCancel(context.WithoutCancel(ctx))
		f = &flight{cancel: cancel, done: make(chan struct{})}
		if k.flights == nil {
			k.flights = make(map[place]*flight)
		}
		k.flights[at] = f
		go k.fly(shared, f, at, ca)
	}
	f.waiting++
	k.mu.Unlock()

	select {
	case <-f.done:
		return f.list, f.err
	case <-ctx.Done():
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if f.waiting--; f.waiting == 0 {
		f.cancel()
		k.land(f, at)
	}
	return nil, fmt.Errorf("crl: fetching %q: %w", at.url, ctx.Err())
}

// fly makes the fetch and tells everybody.
func (k *Keeper) fly(ctx context.Context, f *flight, at place, ca *x509.Certificate) {
	defer f.cancel()
	f.list, f.err = k.Source.Fetch(ctx, at.url, ca)
	if f.list == nil && f.err == nil {
		f.err = &Error{Reason: Missing, URL: at.url}
	}
	k.mu.Lock()
	k.land(f, at)
	k.mu.Unlock()
	close(f.done)
}

// land takes the fetch off the table, unless another has taken its place.
func (k *Keeper) land(f *flight, at place) {
	if k.flights[at] == f {
		delete(k.flights, at)
	}
}
