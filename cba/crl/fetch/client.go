// Package fetch gets CRLs over HTTP, within the limits of Microsoft Entra.
//
// The URLs come from certificates and from people, so a [Client] never connects to
// a loopback, link-local, private or otherwise special address unless its field
// AllowPrivateAddresses says so; what counts is the address that the name resolved
// to at the time of the connection. It keeps only CRLs that the CA signed.
package fetch

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"time"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/crl/internal/layout"
	"example.com/entracba/cba/crl/internal/netaddr"
	"example.com/entracba/cba/internal/der"
)

// A Client gets CRLs over HTTP within the service's limits, and keeps them
// until they are to be renewed. The zero Client works and has the limits of an
// interactive sign-in in the public cloud. It is safe for concurrent use and
// must not be copied once it was used.
//
// # Addresses
//
// It connects to public addresses only, on every redirect, too. The check is on
// the address of the connection that is being made, so a name that resolves to
// one address now and to another one later does not get around it. Proxies from
// the environment are not used.
//
// # Keeping
//
// A CRL is kept when ca signed it, and returned again until its Next CRL
// Publish or, if it has none, its Next Update. After that it is fetched again, at
// most once a minute; as long as it is valid, the kept CRL is returned when the
// new one cannot be had, is not by ca, or has a CRL number that went back.
//
// # Sharing
//
// Callers who ask for a URL that is being fetched wait for that download. It
// goes on until the last of them has given up.
type Client struct {
	Limits crl.Limits

	// RefuseHTTPS takes the stricter reading of the documentation, which
	// contradicts itself on whether Entra fetches CRLs over https.
	RefuseHTTPS bool

	// AllowPrivateAddresses lets URLs lead into the network that this program
	// runs in: to loopback, private and link-local addresses, cloud metadata
	// services among them. URLs come from certificates and configurations, so set
	// this only where whoever wrote them may make such requests.
	AllowPrivateAddresses bool

	// InsecureTransport, if not nil, makes the requests, for networks that have
	// only a proxy to the internet, and for tests. Addresses are not checked then:
	// the transport must do it.
	InsecureTransport http.RoundTripper

	// KeepBytes bounds the encoded size of the CRLs that are kept; the one that
	// was not asked for the longest goes first. Zero means 256 MB; with a negative
	// number nothing is kept.
	KeepBytes int64

	// Now is the clock that decides when a kept CRL is fetched again. Nil means
	// time.Now.
	Now func() time.Time

	allowed func(netip.Addr) bool // for tests: in place of public

	mu      sync.Mutex
	kept    map[string]*keptList
	flights map[string]*flight
}

// refetch is the least time between two downloads of a CRL that is kept.
const refetch = time.Minute

const maxRedirects = 5

type keptList struct {
	list    *crl.List
	ca      []byte    // the encoded certificate that the CRL was checked against
	retry   time.Time // no new download before
	lastUse time.Time
}

// A flight is a download that is under way.
type flight struct {
	cancel  context.CancelFunc
	waiting int
	done    chan struct{} // closed when list and err are set
	list    *crl.List
	err     *crl.Error
}

// Fetch returns the CRL at a URL, which is by ca. The error is an [*Error], or
// wraps that of ctx if that ended first.
func (f *Client) Fetch(ctx context.Context, url string, ca *x509.Certificate) (*crl.List, error) {
	if ca == nil {
		return nil, errors.New("crl: Fetch needs the certificate of the CA")
	}
	if err := f.checkURL(url); err != nil {
		return nil, err
	}
	now := f.now()
	old := f.lookup(url, ca, now)
	if old != nil && now.Before(old.due()) {
		return old.list, nil
	}
	list, err := f.join(ctx, url)
	if err != nil {
		return f.fallback(url, ca, old, err, now)
	}
	if err := list.CheckIssuer(ca); err != nil {
		return f.fallback(url, ca, old, err, now)
	}
	if old != nil {
		if err := list.CheckAfter(old.list); err != nil {
			return f.fallback(url, ca, old, err, now)
		}
		if bytes.Equal(list.Raw, old.list.Raw) {
			list = old.list // give the memory of the copy back
		}
	}
	f.keep(url, &keptList{list: list, ca: ca.Raw, retry: now.Add(refetch), lastUse: now})
	return list, nil
}

// due is when a kept CRL is to be fetched again: at its Next CRL Publish or Next
// Update, but not within a minute of the last attempt, unless the CRL has
// expired since.
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
func (f *Client) fallback(url string, ca *x509.Certificate, old *keptList, err error, now time.Time) (*crl.List, error) {
	var failure *crl.Error
	if !errors.As(err, &failure) {
		return nil, err
	}
	if old != nil && old.list.Check(ca, now) == nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		if k := f.kept[url]; k != nil && k.list == old.list {
			k.retry = now.Add(refetch)
		}
		return old.list, nil
	}
	reported := *failure // the callers of one download each get their own
	reported.URL = url
	return nil, &reported
}

func (f *Client) now() time.Time {
	if f.Now != nil {
		return f.Now()
	}
	return time.Now()
}

func (f *Client) checkURL(rawURL string) *crl.Error {
	if err := crl.CheckURL(rawURL); err != nil {
		return failureOf(err)
	}
	if f.RefuseHTTPS && strings.EqualFold(rawURL[:6], "https:") {
		return &crl.Error{Reason: crl.BadURL, URL: rawURL, Detail: "https is refused by RefuseHTTPS"}
	}
	return nil
}

// lookup returns a copy of what is kept for a URL and this CA.
func (f *Client) lookup(url string, ca *x509.Certificate, now time.Time) *keptList {
	f.mu.Lock()
	defer f.mu.Unlock()
	k := f.kept[url]
	if k == nil || !bytes.Equal(k.ca, ca.Raw) {
		return nil
	}
	k.lastUse = now
	found := *k
	return &found
}

func (f *Client) keep(url string, k *keptList) {
	f.mu.Lock()
	defer f.mu.Unlock()
	limit := f.KeepBytes
	if limit == 0 {
		limit = 256_000_000
	}
	delete(f.kept, url)
	if int64(len(k.list.Raw)) > limit {
		return
	}
	if f.kept == nil {
		f.kept = make(map[string]*keptList)
	}
	f.kept[url] = k
	for {
		var total int64
		oldest := url
		for u, k := range f.kept {
			total += int64(len(k.list.Raw))
			if u != url && (oldest == url || k.lastUse.Before(f.kept[oldest].lastUse)) {
				oldest = u
			}
		}
		if total <= limit {
			return
		}
		delete(f.kept, oldest)
	}
}

// join waits for the download of a URL, which it starts if there is none.
func (f *Client) join(ctx context.Context, url string) (*crl.List, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("crl: fetching %q: %w", url, err)
	}
	f.mu.Lock()
	fl := f.flights[url]
	if fl == nil {
		// The download belongs to all who wait for it, so it does not end with the
		// context of the first.
		shared, cancel := context.WithTimeout(context.WithoutCancel(ctx), orDefault(f.Limits).Time)
		fl = &flight{cancel: cancel, done: make(chan struct{})}
		if f.flights == nil {
			f.flights = make(map[string]*flight)
		}
		f.flights[url] = fl
		go f.fly(shared, fl, url)
	}
	fl.waiting++
	f.mu.Unlock()

	select {
	case <-fl.done:
		if fl.err != nil {
			return nil, fl.err
		}
		return fl.list, nil
	case <-ctx.Done():
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if fl.waiting--; fl.waiting == 0 {
		fl.cancel()
		f.land(fl, url)
	}
	return nil, fmt.Errorf("crl: fetching %q: %w", url, ctx.Err())
}

// fly makes the download and tells everybody.
func (f *Client) fly(ctx context.Context, fl *flight, url string) {
	defer fl.cancel()
	fl.list, fl.err = f.download(ctx, url)
	f.mu.Lock()
	f.land(fl, url)
	f.mu.Unlock()
	close(fl.done)
}

// land takes the download off the CRL, unless another has taken its place.
func (f *Client) land(fl *flight, url string) {
	if f.flights[url] == fl {
		delete(f.flights, url)
	}
}

func (f *Client) download(ctx context.Context, url string) (*crl.List, *crl.Error) {
	limits := orDefault(f.Limits)
	body, err := f.get(ctx, url, limits.Bytes)
	if err == nil {
		list, e := crl.Parse(body)
		if e == nil {
			return list, nil
		}
		err = failureOf(e)
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return nil, &crl.Error{Reason: crl.Timeout, Detail: fmt.Sprintf("the CRL was not there after %v", limits.Time)}
	}
	return nil, err
}

func (f *Client) get(ctx context.Context, url string, limit int64) ([]byte, *crl.Error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, &crl.Error{Reason: crl.BadURL, Err: err}
	}
	request.Header.Set("Accept", "application/pkix-crl, */*")
	request.Header.Set("User-Agent", "entracba-crl")
	client := &http.Client{Transport: f.transport(), CheckRedirect: f.checkRedirect}
	response, err := client.Do(request)
	if err != nil {
		var fault *crl.Error
		if errors.As(err, &fault) {
			return nil, fault
		}
		return nil, &crl.Error{Reason: crl.Download, Err: err}
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, &crl.Error{Reason: crl.Download, HTTPStatus: response.StatusCode, Detail: "the server answered " + response.Status}
	}
	if e := response.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return nil, failf(crl.NotDER, "the server encoded the CRL with %q, which was not asked for", e)
	}
	return readBody(response.Body, limit)
}

func tooLarge(size, limit int64) *crl.Error {
	return &crl.Error{Reason: crl.TooLarge, Size: size, Detail: fmt.Sprintf("%d bytes or more, and the limit is %d", size, limit)}
}

// firstRead is what is read before a server's word on the size is believed so
// far as to reserve the memory.
const firstRead = 1 << 16

// readBody reads a CRL into memory of its size. What does not begin like DER is
// not read on: the beginning is enough to say what it is.
func readBody(r io.Reader, limit int64) ([]byte, *crl.Error) {
	first := make([]byte, min(firstRead, limit+1))
	n, err := io.ReadFull(r, first)
	first = first[:n]
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, &crl.Error{Reason: crl.Download, Err: err}
	}
	if err != nil {
		return bytes.Clone(first), checkSize(n, limit)
	}
	tag, end, ok := der.Announced(first)
	if !ok || tag != layout.Sequence || end <= len(first) {
		return bytes.Clone(first), checkSize(n, limit)
	}
	if int64(end) > limit {
		return nil, tooLarge(int64(end), limit)
	}
	// One byte more than the header says, to see whether anything follows.
	body := make([]byte, max(end+1, n))
	copy(body, first)
	more, err := io.ReadFull(r, body[n:])
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, &crl.Error{Reason: crl.Download, Err: err}
	}
	return body[:n+more], nil
}

func checkSize(size int, limit int64) *crl.Error {
	if int64(size) > limit {
		return tooLarge(int64(size), limit)
	}
	return nil
}

func (f *Client) checkRedirect(request *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return failf(crl.Download, "more than %d redirects", maxRedirects)
	}
	request.Header.Del("Referer")
	if err := f.checkURL(request.URL.String()); err != nil {
		err.Detail = "redirected to " + err.URL + ": " + err.Detail
		return err
	}
	return nil
}

func (f *Client) transport() http.RoundTripper {
	if f.InsecureTransport != nil {
		return f.InsecureTransport
	}
	dialer := &net.Dialer{Control: f.checkAddress}
	return &http.Transport{
		Proxy:                  nil, // a proxy would make the connection that checkAddress is there for
		DialContext:            dialer.DialContext,
		DisableCompression:     true,
		DisableKeepAlives:      true,
		MaxResponseHeaderBytes: 1 << 16,
	}
}

// checkAddress is called with the address of every connection, after names have
// been resolved and before anything is sent.
func (f *Client) checkAddress(_, address string, _ syscall.RawConn) error {
	if f.AllowPrivateAddresses {
		return nil
	}
	allowed := netaddr.Public
	if f.allowed != nil {
		allowed = f.allowed
	}
	target, err := netip.ParseAddrPort(address)
	if err != nil || !allowed(target.Addr()) {
		return failf(crl.ForbiddenAddress, "%s is not a public address; AllowPrivateAddresses would allow it", address)
	}
	return nil
}

// failureOf returns the [crl.Error] that err is.
func failureOf(err error) *crl.Error {
	var failure *crl.Error
	if !errors.As(err, &failure) {
		failure = &crl.Error{Reason: crl.Download, Err: err}
	}
	return failure
}

func failf(r crl.Reason, format string, args ...any) *crl.Error {
	return &crl.Error{Reason: r, Detail: fmt.Sprintf(format, args...)}
}

// orDefault fills in the zero fields.
func orDefault(l crl.Limits) crl.Limits {
	standard := crl.InteractivePublic()
	if l.Bytes <= 0 {
		l.Bytes = standard.Bytes
	}
	if l.Time <= 0 {
		l.Time = standard.Time
	}
	return l
}
