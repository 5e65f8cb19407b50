// Package fetch gets CRLs over HTTP, within the limits of Microsoft Entra.
//
// The URLs come from certificates and from people, so a [Client] never connects to
// a loopback, link-local, private or otherwise special address unless its field
// AllowPrivateAddresses says so; what counts is the address that the name resolved
// to at the time of the connection.
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

// A Client is a [crl.Source] that gets CRLs over HTTP within the service's limits,
// and keeps and shares them as a [crl.Keeper] does. The zero Client works and has
// the limits of a sign-in in the public cloud. It is safe for concurrent use and
// must not be copied or changed once it was used.
//
// It connects to public addresses only, on every redirect, too. The check is on
// the address of the connection that is being made, so a name that resolves to
// one address now and to another one later does not get around it. Proxies from
// the environment are not used.
type Client struct {
	// Limits bound one download.
	Limits crl.Limits
	// MaxBytes bounds the memory that all downloads under way hold together, so that
	// servers that stall cannot make a program large. A download that would need
	// more waits, within its own time, until others have ended; the one that waits
	// the longest may always go on, and alone exceed the bound. Zero means 128 MB.
	MaxBytes int64
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
	// KeepBytes is [crl.Keeper.Bytes].
	KeepBytes int64
	// Now is the clock that decides when a kept CRL is fetched again. Nil means
	// time.Now.
	Now func() time.Time

	allowed func(netip.Addr) bool // for tests: in place of netaddr.Public
	once    sync.Once
	keeper  *crl.Keeper
	budget  budget
}

const maxRedirects = 5

// Fetch returns the CRL at a URL, which is by ca. The error is a [*crl.Error], or
// wraps that of ctx if that ended first.
func (c *Client) Fetch(ctx context.Context, url string, ca *x509.Certificate) (*crl.List, error) {
	if c == nil {
		c = new(Client)
	}
	if err := c.checkURL(url); err != nil {
		return nil, err
	}
	c.once.Do(func() {
		c.keeper = &crl.Keeper{Source: (*downloads)(c), Bytes: c.KeepBytes, Now: c.Now}
		c.budget.free = c.MaxBytes
		if c.MaxBytes <= 0 {
			c.budget.free = 128_000_000
		}
	})
	return c.keeper.Fetch(ctx, url, ca)
}

func (c *Client) checkURL(rawURL string) error {
	if err := crl.CheckURL(rawURL); err != nil {
		return err
	}
	if c.RefuseHTTPS && strings.EqualFold(rawURL[:len("https:")], "https:") {
		return &crl.Error{Reason: crl.BadURL, URL: rawURL, Detail: "https is refused by RefuseHTTPS"}
	}
	return nil
}

// downloads is a Client as the source of its own Keeper: one download for each
// Fetch.
type downloads Client

// Fetch is part of [crl.Source]. The Keeper checks that the CRL is by the CA.
func (d *downloads) Fetch(ctx context.Context, url string, _ *x509.Certificate) (*crl.List, error) {
	c := (*Client)(d)
	limits := orDefault(c.Limits)
	ctx, cancel := context.WithTimeout(ctx, limits.Time)
	defer cancel()
	body, err := c.get(ctx, url, limits.Bytes)
	if err == nil {
		list, e := crl.Parse(body)
		if e == nil {
			return list, nil
		}
		err = e
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return nil, &crl.Error{Reason: crl.Timeout, Detail: fmt.Sprintf("the CRL was not there after %v", limits.Time)}
	}
	return nil, err
}

func (c *Client) get(ctx context.Context, url string, limit int64) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, &crl.Error{Reason: crl.BadURL, Err: err}
	}
	request.Header.Set("Accept", "application/pkix-crl, */*")
	request.Header.Set("User-Agent", "entracba-crl")
	client := &http.Client{Transport: c.transport(), CheckRedirect: c.checkRedirect}
	response, err := client.Do(request)
	if err != nil {
		var failure *crl.Error
		if errors.As(err, &failure) {
			return nil, failure
		}
		return nil, &crl.Error{Reason: crl.Download, Err: err}
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, &crl.Error{Reason: crl.Download, HTTPStatus: response.StatusCode, Detail: "the server answered " + response.Status}
	}
	if e := response.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return nil, &crl.Error{Reason: crl.NotDER, Detail: fmt.Sprintf("the server encoded the CRL with %q, which was not asked for", e)}
	}
	loan := c.budget.open()
	defer loan.close()
	return readBody(ctx, response.Body, limit, loan)
}

func tooLarge(size, limit int64) error {
	return &crl.Error{Reason: crl.TooLarge, Size: size, Detail: fmt.Sprintf("%d bytes or more, and the limit is %d", size, limit)}
}

const (
	firstRead = 1 << 16
	// growth is how many times the memory of what has arrived is reserved next, as
	// far as the CRL is announced to be that large: a server that announces much and
	// sends little makes the program reserve little.
	growth = 4
)

// readBody reads a CRL. What does not begin like DER is not read on: the beginning
// is enough to say what it is.
func readBody(ctx context.Context, r io.Reader, limit int64, loan *loan) ([]byte, error) {
	size := min(firstRead, limit+1)
	if err := loan.grow(ctx, size); err != nil {
		return nil, err
	}
	body := make([]byte, size)
	n, whole, err := readFull(r, body)
	if err != nil {
		return nil, err
	}
	tag, announced, ok := der.Announced(body[:n])
	if whole || !ok || tag != layout.Sequence || announced <= n {
		if int64(n) > limit {
			return nil, tooLarge(int64(n), limit)
		}
		return bytes.Clone(body[:n]), nil
	}
	if int64(announced) > limit {
		return nil, tooLarge(int64(announced), limit)
	}
	// One byte more than the header says, to see whether anything follows.
	for total := announced + 1; n < total && !whole; {
		next := min(growth*n, total)
		if err := loan.grow(ctx, int64(next)); err != nil {
			return nil, err
		}
		larger := make([]byte, next)
		copy(larger, body[:n])
		body = larger
		var more int
		if more, whole, err = readFull(r, body[n:]); err != nil {
			return nil, err
		}
		n += more
	}
	return body[:n], nil
}

// readFull fills b, or reads the whole rest.
func readFull(r io.Reader, b []byte) (n int, whole bool, err error) {
	n, err = io.ReadFull(r, b)
	switch err {
	case nil:
		return n, false, nil
	case io.EOF, io.ErrUnexpectedEOF:
		return n, true, nil
	}
	return n, false, &crl.Error{Reason: crl.Download, Err: err}
}

func (c *Client) checkRedirect(request *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return &crl.Error{Reason: crl.Download, Detail: fmt.Sprintf("more than %d redirects", maxRedirects)}
	}
	request.Header.Del("Referer")
	err := c.checkURL(request.URL.String())
	var failure *crl.Error
	if errors.As(err, &failure) {
		failure.Detail = "redirected to " + failure.URL + ": " + failure.Detail
		failure.URL = "" // that of an error is the one that was asked for
	}
	return err
}

func (c *Client) transport() http.RoundTripper {
	if c.InsecureTransport != nil {
		return c.InsecureTransport
	}
	dialer := &net.Dialer{Control: c.checkAddress}
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
func (c *Client) checkAddress(_, address string, _ syscall.RawConn) error {
	if c.AllowPrivateAddresses {
		return nil
	}
	allowed := netaddr.Public
	if c.allowed != nil {
		allowed = c.allowed
	}
	target, err := netip.ParseAddrPort(address)
	if err != nil || !allowed(target.Addr()) {
		return &crl.Error{Reason: crl.ForbiddenAddress, Detail: fmt.Sprintf("%s is not a public address; AllowPrivateAddresses would allow it", address)}
	}
	return nil
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
