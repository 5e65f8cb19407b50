package graphtest

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// maxBundle is the largest .p7b (Learn, how to configure certificate
// authorities).
const maxBundle = 2 << 20

// An upload is a bundle that is being taken in.
type upload struct {
	pki     string
	timer   timer
	cas     []Authority
	failure string // "" if it is going to succeed
}

// upload starts one. Documented: 204 at once and the outcome in the PKI's status;
// one at a time; 400 for a second one, and for a bundle with a certificate that
// the PKI holds. Inferred: that everything else that can be wrong with the
// bundle shows in the status, and that "one at a time" is meant per tenant.
func (g *Graph) upload(c *call) answer {
	g.mu.Lock()
	s := g.state
	s.settle(c.now)
	refused := s.startUpload(c)
	g.mu.Unlock()
	if refused.status != 0 {
		return refused
	}
	in, _ := s.object(c, "upload")
	fetched := false
	defer func() {
		if !fetched { // Fetch panicked: the place is free again
			g.mu.Lock()
			defer g.mu.Unlock()
			s.uploading = nil
		}
	}()
	cas, failure := g.fetch(c, in["uploadUrl"].(string), in["sha256FileHash"].(string))
	fetched = true

	g.mu.Lock()
	defer g.mu.Unlock()
	u := s.uploading
	for _, a := range cas {
		if s.holds(u.pki, a.Certificate, "") {
			s.uploading = nil
			return badRequest("Duplicate Certificate exists")
		}
	}
	if failure == nil && len(cas)+len(s.authorities(u.pki)) > maxCAs {
		failure = fmt.Errorf("the PKI would have more than %d certificate authorities", maxCAs)
	}
	if u.cas = cas; failure != nil {
		u.failure = failure.Error()
	}
	u.timer.start(s.opt.Upload, c.now)
	s.setStatus(u.pki, "running", "", c.now)
	return answer{status: http.StatusNoContent}
}

// startUpload takes the one place there is for an upload.
func (s *state) startUpload(c *call) answer {
	p := s.pki(c)
	if p == nil {
		return notFound(c.params[0])
	}
	in, refused := s.object(c, "upload")
	if refused != nil {
		return *refused
	}
	address, _ := in["uploadUrl"].(string)
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return badRequest("The parameter 'uploadUrl' is not an http or https address.")
	}
	hash, _ := in["sha256FileHash"].(string)
	if sum, err := hex.DecodeString(hash); err != nil || len(sum) != sha256.Size {
		return badRequest("The parameter 'sha256FileHash' is not a SHA-256 in hexadecimal.")
	}
	if s.uploading != nil {
		return badRequest("Another upload is in progress.")
	}
	s.uploading = &upload{pki: p.ID, timer: timer{on: true, reads: 1 << 30}} // until the bundle is here
	return answer{}
}

// fetch gets and reads the bundle.
func (g *Graph) fetch(c *call, address, hash string) ([]Authority, error) {
	if g.opt.Fetch == nil {
		return nil, errNoFetch
	}
	data, err := g.opt.Fetch(c.ctx, address)
	if err != nil {
		return nil, fmt.Errorf("the file could not be downloaded: %w", err)
	}
	if len(data) > maxBundle {
		return nil, fmt.Errorf("the file has %d bytes; at most %d are allowed", len(data), maxBundle)
	}
	if sum := sha256.Sum256(data); !strings.EqualFold(hexText(sum[:]), hash) {
		return nil, errors.New("the SHA-256 of the file is another one")
	}
	certs, err := readBundle(data)
	if err != nil {
		return nil, err
	}
	var cas []Authority
	for _, cert := range certs {
		a := NewAuthority(cert)
		if slices.ContainsFunc(cas, func(b Authority) bool { return bytes.Equal(a.Certificate, b.Certificate) }) {
			continue
		}
		cas = append(cas, a)
	}
	return cas, nil
}

// readBundle reads the certificates of a PKCS#7 SignedData (RFC 2315, section
// 9.1), in DER or in PEM. Signatures, which a bundle does not have, are not
// looked at.
func readBundle(data []byte) ([]*x509.Certificate, error) {
	if block, _ := pem.Decode(data); block != nil {
		data = block.Bytes
	}
	var info struct {
		Type    asn1.ObjectIdentifier
		Content struct {
			Version      int
			Digests      asn1.RawValue
			Content      asn1.RawValue
			Certificates asn1.RawValue `asn1:"optional,tag:0"`
			CRLs         asn1.RawValue `asn1:"optional,tag:1"`
			Signers      asn1.RawValue
		} `asn1:"explicit,tag:0"`
	}
	rest, err := asn1.Unmarshal(data, &info)
	if err != nil || len(rest) > 0 || !info.Type.Equal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}) {
		return nil, errors.New("the file is not a .p7b bundle")
	}
	certs, err := x509.ParseCertificates(info.Content.Certificates.Bytes)
	if err != nil {
		return nil, errors.New("the bundle holds something that is not a certificate")
	}
	if len(certs) == 0 {
		return nil, errors.New("the bundle holds no certificate")
	}
	return certs, nil
}

// settleUpload ends an upload that is due.
func (s *state) settleUpload(now time.Time) {
	u := s.uploading
	if u == nil || u.timer.running(now) {
		return
	}
	s.uploading = nil
	if p := s.pkis.current(u.pki); p == nil || !live(p) {
		return // deleted meanwhile
	}
	if u.failure != "" {
		s.setStatus(u.pki, "failed", u.failure, now)
		return
	}
	for _, a := range u.cas {
		a.ID, a.CreatedDateTime = s.newID(), now
		s.cas.write(a.ID, &authority{a, u.pki}, s.opt.Lag, now)
	}
	s.setStatus(u.pki, "succeeded", "", now)
}

func (s *state) setStatus(pki, status, details string, now time.Time) {
	if old := s.pkis.current(pki); old != nil {
		p := *old
		p.Status, p.StatusDetails, p.LastModifiedDateTime = status, details, now
		s.pkis.write(pki, &p, Delay{}, now)
	}
}
