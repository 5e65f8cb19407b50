package trust_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"testing"

	"example.com/entracba/cba/trust"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// flag sets isIssuerHintEnabled on the CAs with these names.
func flag(config trust.Config, names ...string) trust.Config {
	for _, pki := range config.PKIs {
		for i := range pki.CertificateAuthorities {
			a := &pki.CertificateAuthorities[i]
			a.IsIssuerHintEnabled = new(slices.Contains(names, a.DisplayName))
		}
	}
	return config
}

func TestHints(t *testing.T) {
	r := root(t, spec{name: "Root"})
	i := r.ca(t, spec{name: "Issuing"})
	renewed := r.ca(t, spec{name: "Issuing"})
	other := root(t, spec{name: "Other"})
	classic := []trust.ClassicAuthority{{Certificate: other.Raw, IsRootAuthority: true}}
	chain := func(c trust.Config, e *entity) trust.Chain {
		return compile(t, c, trust.Options{}).Chain(e.user(t, spec{name: "jane"}).Certificate, now)
	}
	for _, c := range []struct {
		name   string
		flags  []string
		want   []string
		reachI bool
		reachO bool
	}{
		{"none flagged: all", nil, []string{"CN=Issuing", "CN=Other", "CN=Root"}, true, true},
		{"some flagged: only those", []string{"Issuing"}, []string{"CN=Issuing"}, true, false},
		{"the root flagged", []string{"Root"}, []string{"CN=Root"}, true, false},
	} {
		config := flag(configOf(t, r, i, renewed), c.flags...)
		config.Classic.CertificateAuthorities = classic
		h := compile(t, config, trust.Options{}).Hints()
		var got []string
		size := 0
		for _, hint := range h.List {
			got = append(got, hint.Subject.String())
			size += 2 + len(hint.Raw)
		}
		slices.Sort(got)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		if h.Bytes != size || h.Flagged != (c.flags != nil) {
			t.Errorf("%s: %d bytes, want %d; flagged %v", c.name, h.Bytes, size, h.Flagged)
		}
		if h.Reach(chain(config, i)) != c.reachI || h.Reach(chain(config, other)) != c.reachO {
			t.Errorf("%s: reach %v, %v", c.name, h.Reach(chain(config, i)), h.Reach(chain(config, other)))
		}
	}
	if h := (trust.Hints{}); h.TLS13() != 0 || h.TLS12() != 2 {
		t.Error("sizes without names")
	}
}

// The sizes are those of a CertificateRequest that crypto/tls writes for the
// same authorities: in TLS 1.2 it goes over the wire in clear.
func TestHintSizesAreThoseOnTheWire(t *testing.T) {
	var list []*entity
	for n := range 20 {
		list = append(list, root(t, spec{name: fmt.Sprintf("Contoso Root %0*d", n*3, n)}))
	}
	h := storeOf(t, list...).Hints()
	pool := x509.NewCertPool()
	for _, e := range list {
		pool.AddCert(e.Certificate)
	}
	server, client := net.Pipe()
	sniffed := &recorder{Conn: client}
	var names [][]byte
	var wg sync.WaitGroup
	wg.Go(func() {
		s := tls.Server(server, &tls.Config{
			Certificates: []tls.Certificate{{Certificate: [][]byte{list[0].Raw}, PrivateKey: list[0].key}},
			ClientAuth:   tls.RequestClientCert, ClientCAs: pool, MaxVersion: tls.VersionTLS12,
		})
		s.Handshake()
	})
	c := tls.Client(sniffed, &tls.Config{
		InsecureSkipVerify: true, // the server is ours
		GetClientCertificate: func(info *tls.CertificateRequestInfo) (*tls.Certificate, error) {
			names = info.AcceptableCAs
			return &tls.Certificate{}, nil
		},
	})
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	client.Close()
	wg.Wait()
	if len(names) != len(h.List) {
		t.Fatalf("%d names on the wire, %d hints", len(names), len(h.List))
	}
	for _, hint := range h.List {
		if !slices.ContainsFunc(names, func(n []byte) bool { return bytes.Equal(n, hint.Raw) }) {
			t.Errorf("%v is not on the wire", hint.Subject)
		}
	}
	// The certificate_authorities field: its length and what it holds.
	field := binary.BigEndian.AppendUint16(nil, uint16(len(names)))[:0]
	for _, n := range names {
		field = append(binary.BigEndian.AppendUint16(field, uint16(len(n))), n...)
	}
	field = append(binary.BigEndian.AppendUint16(nil, uint16(len(field))), field...)
	if !bytes.Contains(sniffed.handshake(t), field) {
		t.Error("the field is not in the handshake in clear")
	}
	if h.TLS12() != len(field) || h.TLS13() != len(field)+4 {
		t.Errorf("sizes %d and %d, on the wire %d", h.TLS12(), h.TLS13(), len(field))
	}
}

// A recorder keeps what is read from a connection.
type recorder struct {
	net.Conn
	read []byte
}

func (r *recorder) Read(p []byte) (int, error) {
	n, err := r.Conn.Read(p)
	r.read = append(r.read, p[:n]...)
	return n, err
}

// handshake joins the handshake records.
func (r *recorder) handshake(t *testing.T) []byte {
	var joined []byte
	in := bytes.NewReader(r.read)
	for {
		var header [5]byte
		if _, err := io.ReadFull(in, header[:]); err != nil {
			return joined
		}
		body := make([]byte, binary.BigEndian.Uint16(header[3:]))
		if _, err := io.ReadFull(in, body); err != nil {
			t.Fatal(err)
		}
		if header[0] == 22 {
			joined = append(joined, body...)
		}
	}
}

// A CA is hinted if any of its entries says so, also one that is not in force.
func TestHintOfTheOtherEntry(t *testing.T) {
	r := root(t, spec{name: "Root"})
	i := r.ca(t, spec{name: "Issuing"})
	config := flag(configOf(t, r, i), "Issuing")
	config.PKIs[0].CertificateAuthorities[1].CertificateRevocationListURL = urlA
	config.Classic.CertificateAuthorities = []trust.ClassicAuthority{{Certificate: i.Raw, CertificateRevocationListURL: urlB}}
	store := compile(t, config, trust.Options{})
	if h := store.Hints(); !h.Flagged || len(h.List) != 1 || h.List[0].CAs[0].Why != trust.CRLsDiffer || h.List[0].CAs[0].IssuerHint {
		t.Errorf("%+v", h)
	}
}

// A TLS server with the pool sends the same names.
func TestPool(t *testing.T) {
	r := root(t, spec{name: "Root"})
	store := storeOf(t, r, r.ca(t, spec{name: "Issuing"}), r.ca(t, spec{name: "Issuing"}))
	hints := store.Hints()
	server := &tls.Config{ClientCAs: hints.Pool(), ClientAuth: tls.RequestClientCert, Certificates: []tls.Certificate{{Certificate: [][]byte{r.Raw}, PrivateKey: r.key}}}
	var sent [][]byte
	client := &tls.Config{InsecureSkipVerify: true, GetClientCertificate: func(info *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		sent = info.AcceptableCAs
		return &tls.Certificate{}, nil
	}}
	a, b := net.Pipe()
	go tls.Server(a, server).Handshake()
	if err := tls.Client(b, client).Handshake(); err != nil {
		t.Fatal(err)
	}
	var want [][]byte
	for _, hint := range hints.List {
		want = append(want, hint.Raw)
	}
	if diff := cmp.Diff(want, sent, cmpopts.SortSlices(func(a, b []byte) bool { return string(a) < string(b) })); diff != "" || len(sent) != 2 {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !(trust.Hints{}).Pool().Equal(x509.NewCertPool()) {
		t.Error("no hints are some")
	}
}
