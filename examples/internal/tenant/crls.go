package tenant

import (
	"bytes"
	"io"
	"net/http"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/crl/fetch"
)

// CRLs is where revocation lists come from: the network, within the limits of a
// sign-in, or what belongs to the demonstration. Addresses of this machine and of
// private networks are asked for with allowPrivate alone.
func (t *Tenant) CRLs(allowPrivate bool) crl.Source {
	f := &fetch.Client{AllowPrivateAddresses: allowPrivate}
	if t.Demo != nil {
		f.InsecureTransport = published(t.Demo.CRLs)
	}
	return f
}

// published answers for web servers that do not exist, by address.
type published map[string][]byte

// RoundTrip is part of [http.RoundTripper].
func (p published) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := &http.Response{StatusCode: http.StatusNotFound, Status: "404 Not Found", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Request: r}
	content, ok := p[r.URL.String()]
	if ok {
		answer.StatusCode, answer.Status = http.StatusOK, "200 OK"
	}
	answer.Body, answer.ContentLength = io.NopCloser(bytes.NewReader(content)), int64(len(content))
	return answer, nil
}
