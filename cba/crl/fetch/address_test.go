package fetch

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"example.com/entracba/cba/crl"
)

// fakeDNS makes every name of this process resolve to what answer says.
func fakeDNS(t *testing.T, answer func() netip.Addr) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		buffer := make([]byte, 512)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			end := 12
			for end < n && buffer[end] != 0 { // the labels of the one question
				end += 1 + int(buffer[end])
			}
			end += 5 // their end, type, class
			if n < end {
				continue
			}
			reply := append([]byte(nil), buffer[:end]...)
			reply[2], reply[3] = 0x81, 0x80 // an answer, recursive
			reply[6], reply[7] = 0, 0       // answers
			reply[8], reply[9], reply[10], reply[11] = 0, 0, 0, 0
			a := answer()
			if questionType := reply[end-3]; questionType == 1 && a.Is4() || questionType == 28 && a.Is6() {
				reply[7] = 1
				reply = append(reply, 0xc0, 12, 0, questionType, 0, 1, 0, 0, 0, 0, 0, byte(a.BitLen()/8))
				reply = append(reply, a.AsSlice()...)
			}
			conn.WriteTo(reply, from)
		}
	}()
	system := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
	t.Cleanup(func() {
		net.DefaultResolver = system
		conn.Close()
	})
}

func isForbidden(err error) bool {
	var e *crl.Error
	return errors.As(err, &e) && e.Reason == crl.ForbiddenAddress
}

// What a name resolves to counts, at the moment of the connection: a name that
// was harmless when it was looked at does not lead inside later.
func TestNamesThatLeadInside(t *testing.T) {
	var requests atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests.Add(1) }))
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	for _, address := range []string{"127.0.0.1", "169.254.169.254", "10.1.2.3", "::1", "fd00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"} {
		var asked atomic.Int32
		fakeDNS(t, func() netip.Addr { asked.Add(1); return netip.MustParseAddr(address) })
		f := &Client{Limits: crl.Limits{Time: 5 * time.Second}}
		_, err := f.Fetch(context.Background(), "http://crl.woodgrove.com:"+port+"/a.crl", &x509.Certificate{Raw: []byte{1}})
		if !isForbidden(err) {
			t.Errorf("%s: %v", address, err)
		}
		if asked.Load() == 0 {
			t.Fatal("the name was not resolved: the test tests nothing")
		}
	}
	// Rebinding: the first connection may be made, the redirect back to the same
	// name leads elsewhere and is refused.
	var answers atomic.Int32
	fakeDNS(t, func() netip.Addr {
		if answers.Add(1) <= 2 { // both types of the first look-up
			return netip.MustParseAddr("127.0.0.1")
		}
		return netip.MustParseAddr("127.0.0.2")
	})
	rebinding := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		http.Redirect(w, r, "/again", http.StatusFound)
	}))
	defer rebinding.Close()
	_, port, _ = net.SplitHostPort(rebinding.Listener.Addr().String())
	f := &Client{Limits: crl.Limits{Time: 5 * time.Second}, allowed: func(a netip.Addr) bool { return a == netip.MustParseAddr("127.0.0.1") }}
	_, err := f.Fetch(context.Background(), "http://crl.woodgrove.com:"+port+"/a.crl", &x509.Certificate{Raw: []byte{1}})
	if !isForbidden(err) || requests.Load() != 1 {
		t.Errorf("%d requests, %v", requests.Load(), err)
	}
}

// A server that may be reached cannot send the client to one that may not.
func TestRedirectsThatLeadInside(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Skipf("this system has one loopback address only: %v", err)
	}
	var inside atomic.Int32
	secret := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { inside.Add(1) }))
	secret.Listener.Close()
	secret.Listener = listener
	secret.Start()
	defer secret.Close()
	server := httptest.NewServer(http.RedirectHandler(secret.URL, http.StatusFound))
	defer server.Close()

	f := &Client{allowed: func(a netip.Addr) bool { return a == netip.MustParseAddr("127.0.0.1") }}
	_, err = f.Fetch(context.Background(), server.URL, &x509.Certificate{Raw: []byte{1}})
	if !isForbidden(err) || inside.Load() != 0 {
		t.Errorf("%d requests got through, %v", inside.Load(), err)
	}
	// The positive twin: the same redirect, where it may be followed.
	f.allowed = func(netip.Addr) bool { return true }
	f.Fetch(context.Background(), server.URL, &x509.Certificate{Raw: []byte{1}})
	if inside.Load() != 1 {
		t.Error("the redirect is not followed where it may be: the test tests nothing")
	}
}

// A proxy would make the connection in place of the client, unchecked. (The
// environment's proxies are read once in a process, so that a test cannot set
// them.)
func TestNoProxy(t *testing.T) {
	transport, ok := new(Client).transport().(*http.Transport)
	if !ok || transport.Proxy != nil || transport.DialTLSContext != nil || !transport.DisableCompression {
		t.Errorf("%+v", transport)
	}
}
