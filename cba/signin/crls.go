package signin

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/trust"
)

// A PublishedCRL is what one CRL URL of a CA answered.
type PublishedCRL struct {
	CA    *trust.CA
	URL   string
	Delta bool // the URL of the delta CRL
	// List is the CRL; it is nil if Err says why there is none.
	List *crl.List
	Err  *crl.Error
	// Took is how long the answer took.
	Took time.Duration
}

// fetchesAtOnce is how many CRLs [FetchCRLs] asks for at the same time.
const fetchesAtOnce = 8

// FetchCRLs asks a source for the CRLs of every CA of a store, the base CRL of each
// CA before its delta CRL, as sign-ins would. CAs without a CRL URL are left out.
// The answers are in the order of [trust.Store.CAs].
//
// A CRL that cannot be had is an answer. The error is ctx's, or one of the source
// that is no [*crl.Error]. Without a source nothing is fetched.
func FetchCRLs(ctx context.Context, source crl.Source, store *trust.Store) ([]PublishedCRL, error) {
	cas := store.CAs()
	sets, errs := make([][]PublishedCRL, len(cas)), make([]error, len(cas))
	if source == nil {
		return []PublishedCRL{}, nil
	}
	var wait sync.WaitGroup
	slots := make(chan struct{}, fetchesAtOnce)
	for i, ca := range cas {
		wait.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			for n, url := range []string{ca.CRL, ca.DeltaCRL} {
				if url == "" || errs[i] != nil {
					continue
				}
				p := PublishedCRL{CA: ca, URL: url, Delta: n == 1}
				started := time.Now()
				list, err := source.Fetch(ctx, url, ca.Certificate)
				p.Took = time.Since(started)
				if err == nil {
					p.List = list
				} else if !errors.As(err, &p.Err) {
					errs[i] = err
					return
				}
				sets[i] = append(sets[i], p)
			}
		})
	}
	wait.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	all := []PublishedCRL{}
	for _, set := range sets {
		all = append(all, set...)
	}
	return all, nil
}

// slowCRL is half of the time that Entra waits for a CRL in a sign-in (open
// question 9.29).
const slowCRL = 5 * time.Second

// CRLFindings checks the CRLs that [FetchCRLs] got: that each can be used at a time,
// and arrives in time. A finding's Where is the URL. A CA that has expired has one
// finding at most, since nobody signs in with its certificates.
func CRLFindings(published []PublishedCRL, at time.Time) lint.Findings {
	var found lint.Findings
	for len(published) > 0 {
		n := 1
		for n < len(published) && published[n].CA == published[0].CA {
			n++
		}
		found = append(found, crlFindings(published[:n], at)...)
		published = published[n:]
	}
	return found
}

// crlFindings checks the CRLs of one CA.
func crlFindings(published []PublishedCRL, at time.Time) lint.Findings {
	var found lint.Findings
	ca := published[0].CA
	if ca == nil || ca.Certificate == nil {
		return nil
	}
	var set crl.Set
	for _, p := range published {
		about := ca.Entry.String() + ", " + p.URL
		switch {
		case p.Err != nil:
			found = append(found, crlUnusable.At(p.URL, about, "%s; users of this CA are refused with %s", strings.TrimPrefix(p.Err.Error(), "crl: "), p.Err.Code()))
		case p.Took > slowCRL:
			found = append(found, crlSlow.At(p.URL, about, "the CRL took %.1f s from here; Entra waits 10 s in a sign-in", p.Took.Seconds()))
		}
		if p.Delta {
			set.Delta = p.List
		} else {
			set.Base = p.List
		}
	}
	if set.Base != nil || set.Delta != nil && len(published) == 1 {
		more := set.Findings(at)
		if set.Base != nil && more.Worst() != lint.Error {
			if err := set.Check(ca.Certificate, at); err != nil {
				code := ""
				if e := (*crl.Error)(nil); errors.As(err, &e) {
					code = "; users of this CA are refused with " + e.Code()
				}
				more = append(more, crlUnusable.At(published[0].URL, ca.Entry.String(), "%s%s", strings.TrimPrefix(err.Error(), "crl: "), code))
			}
		}
		found = append(found, more...)
	}
	if len(found) > 0 && at.After(ca.Certificate.NotAfter) {
		return lint.Findings{crlOfExpiredCA.At(published[0].URL, ca.Entry.String(), "%s. This CA has expired anyway, so no one is affected", found[0].What)}
	}
	return found
}
