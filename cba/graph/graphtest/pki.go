package graphtest

import (
	"bytes"
	"crypto/x509"
	"net/http"
	"time"
	"unicode/utf8"
)

// Limits of the PKI-based trust store (Learn, how to configure certificate
// authorities). Whether the 250 are per PKI or per tenant is not said; the model
// counts per PKI.
const (
	maxCAs         = 250
	maxCASize      = 8 << 10
	maxDisplayName = 256
)

var pkiSet = &entitySet[PKI]{
	typ: "certificateBasedAuthPki", context: "directory/publicKeyInfrastructure/certificateBasedAuthConfigurations",
	top: 100, most: 999, ops: "eq startswith and or",
	fields: []field[PKI]{
		{name: "id", path: "id", get: func(p *PKI) any { return p.ID }},
		{name: "deletedDateTime", get: func(p *PKI) any { return p.DeletedDateTime }},
		{name: "displayName", path: "displayName", get: func(p *PKI) any { return p.DisplayName }},
		{name: "status", path: "status", get: func(p *PKI) any { return null(p.Status) }},
		{name: "statusDetails", get: func(p *PKI) any { return null(p.StatusDetails) }},
		{name: "lastModifiedDateTime", path: "lastModifiedDateTime", always: true, get: func(p *PKI) any { return p.LastModifiedDateTime }},
	},
}

var caSet = &entitySet[authority]{
	typ: "certificateAuthorityDetail", context: "directory/publicKeyInfrastructure/certificateBasedAuthConfigurations('{id}')/certificateAuthorities",
	top: 100, most: 999, ops: "eq startswith and or",
	fields: []field[authority]{
		{name: "id", path: "id", get: func(a *authority) any { return a.ID }},
		{name: "deletedDateTime", get: func(a *authority) any { return a.DeletedDateTime }},
		{name: "certificate", get: func(a *authority) any { return a.Certificate }},
		{name: "certificateAuthorityType", path: "certificateAuthorityType", get: func(a *authority) any { return a.Type }},
		{name: "certificateRevocationListUrl", path: "certificateRevocationListUrl", get: func(a *authority) any { return null(a.CRLURL) }},
		{name: "createdDateTime", path: "createdDateTime", get: func(a *authority) any { return a.CreatedDateTime }},
		{name: "deltaCertificateRevocationListUrl", get: func(a *authority) any { return null(a.DeltaCRLURL) }},
		{name: "displayName", path: "displayName", get: func(a *authority) any { return null(a.DisplayName) }},
		{name: "expirationDateTime", path: "expirationDateTime", always: true, get: func(a *authority) any { return a.ExpirationDateTime }},
		{name: "isIssuerHintEnabled", path: "isIssuerHintEnabled", get: func(a *authority) any { return a.IssuerHint }},
		{name: "issuer", path: "issuer", get: func(a *authority) any { return null(a.Issuer) }},
		{name: "issuerSubjectKeyIdentifier", path: "issuerSubjectKeyIdentifier", get: func(a *authority) any { return null(a.IssuerSubjectKeyIdentifier) }},
		{name: "thumbprint", path: "thumbprint", get: func(a *authority) any { return a.Thumbprint }},
	},
}

func live(p *PKI) bool { return p.DeletedDateTime.IsZero() }

func (s *state) listPKIs(c *call) answer {
	return pkiSet.list(s, c, func(*filter) []found[PKI] {
		list := visible(s.pkis, c.now, live)
		if s.uploading != nil {
			s.uploading.timer.reads--
		}
		return list
	})
}

func (s *state) createPKI(c *call) answer {
	in, refused := s.object(c, pkiSet.typ)
	if refused == nil {
		refused = only(in, "displayName")
	}
	if refused == nil {
		refused = validDisplayName(in, true)
	}
	if refused != nil {
		return *refused
	}
	p := &PKI{ID: s.newID(), DisplayName: in["displayName"].(string), LastModifiedDateTime: c.now}
	s.pkis.write(p.ID, p, s.opt.Lag, c.now)
	return pkiSet.full(c, p, http.StatusCreated)
}

// validDisplayName: at most 256 characters, says the reference page. That an
// empty one is refused is inferred.
func validDisplayName(in map[string]any, required bool) *answer {
	v, ok := in["displayName"]
	name, _ := v.(string)
	if (ok || required) && name == "" || utf8.RuneCountInString(name) > maxDisplayName {
		a := badRequest("The property 'displayName' needs 1 to %d characters.", maxDisplayName)
		return &a
	}
	return nil
}

func (s *state) getPKI(c *call) answer {
	p := s.pkis.read(c.params[0], c.now)
	if p == nil || !live(p) {
		return notFound(c.params[0])
	}
	if s.uploading != nil && s.uploading.pki == p.ID {
		s.uploading.timer.reads--
	}
	return pkiSet.one(c, p)
}

// pki is the PKI a call writes to, as it is; nil if there is none.
func (s *state) pki(c *call) *PKI {
	if p := s.pkis.current(c.params[0]); p != nil && live(p) {
		return p
	}
	return nil
}

func (s *state) patchPKI(c *call) answer {
	old := s.pki(c)
	if old == nil {
		return notFound(c.params[0])
	}
	in, refused := s.object(c, pkiSet.typ)
	if refused == nil {
		refused = only(in, "displayName")
	}
	if refused == nil {
		refused = validDisplayName(in, false)
	}
	if refused != nil {
		return *refused
	}
	p := *old
	if name, ok := in["displayName"].(string); ok {
		p.DisplayName = name
	}
	p.LastModifiedDateTime = c.now
	s.pkis.write(p.ID, &p, s.opt.Lag, c.now)
	return pkiSet.full(c, &p, http.StatusOK)
}

// deletePKI puts the PKI into the deleted items, its CAs with it.
func (s *state) deletePKI(c *call) answer {
	old := s.pki(c)
	if old == nil {
		return notFound(c.params[0])
	}
	p := *old
	p.DeletedDateTime = c.now
	s.pkis.write(p.ID, &p, s.opt.Lag, c.now)
	return answer{status: http.StatusNoContent}
}

// touch notes that something about a PKI changed.
func (s *state) touch(id string, now time.Time) {
	if old := s.pkis.current(id); old != nil {
		p := *old
		p.LastModifiedDateTime = now
		s.pkis.write(id, &p, s.opt.Lag, now)
	}
}

// authorities are the CAs of a PKI that are not deleted, as they are.
func (s *state) authorities(pki string) []*authority {
	var list []*authority
	for _, a := range s.cas.all() {
		if a.pki == pki && a.DeletedDateTime.IsZero() {
			list = append(list, a)
		}
	}
	return list
}

func (s *state) listCAs(c *call) answer {
	p := s.pkis.read(c.params[0], c.now)
	if p == nil || !live(p) {
		return notFound(c.params[0])
	}
	return caSet.list(s, c, func(*filter) []found[authority] {
		return visible(s.cas, c.now, func(a *authority) bool { return a.pki == p.ID && a.DeletedDateTime.IsZero() })
	})
}

func (s *state) getCA(c *call) answer {
	p := s.pkis.read(c.params[0], c.now)
	a := s.cas.read(c.params[1], c.now)
	if p == nil || !live(p) || a == nil || a.pki != p.ID || !a.DeletedDateTime.IsZero() {
		return notFound(c.params[len(c.params)-1])
	}
	return caSet.one(c, a)
}

func (s *state) createCA(c *call) answer {
	p := s.pki(c)
	if p == nil {
		return notFound(c.params[0])
	}
	in, refused := s.object(c, caSet.typ)
	if refused != nil {
		return *refused
	}
	for _, name := range []string{"certificate", "certificateAuthorityType", "expirationDateTime", "thumbprint"} {
		if v := in[name]; v == nil || v == "" {
			return badRequest("The property '%s' is required.", name)
		}
	}
	a := &authority{Authority{ID: s.newID(), CreatedDateTime: c.now}, p.ID}
	if refused := a.set(in); refused != nil {
		return *refused
	}
	if len(s.authorities(p.ID)) >= maxCAs {
		return badRequest("The PKI has %d certificate authorities already, the most that are allowed.", maxCAs)
	}
	if s.holds(p.ID, a.Certificate, "") {
		return badRequest("Duplicate Certificate exists")
	}
	if size := a.size(); size > maxCASize {
		return badRequest("The certificate authority has %d bytes; at most %d are allowed.", size, maxCASize)
	}
	s.cas.write(a.ID, a, s.opt.Lag, c.now)
	s.touch(p.ID, c.now)
	return caSet.full(c, a, http.StatusCreated)
}

// holds reports whether a PKI has a certificate, in another CA than except. That
// one PKI does not take a certificate twice is documented for uploads, and
// inferred for single CAs.
func (s *state) holds(pki string, der []byte, except string) bool {
	for _, a := range s.authorities(pki) {
		if a.ID != except && bytes.Equal(a.Certificate, der) {
			return true
		}
	}
	return false
}

// set takes over what a request has. Thumbprint and expiration are kept as they
// are sent: it is not documented that the service compares them with the
// certificate. A certificate that does not parse is refused, which is inferred.
func (a *authority) set(in map[string]any) *answer {
	if refused := only(in, "certificate", "certificateAuthorityType", "certificateRevocationListUrl",
		"deltaCertificateRevocationListUrl", "displayName", "expirationDateTime", "isIssuerHintEnabled",
		"issuer", "issuerSubjectKeyIdentifier", "thumbprint"); refused != nil {
		return refused
	}
	if text, ok := in["certificate"].(string); ok {
		der, _ := decodeBinary(text)
		if _, err := x509.ParseCertificate(der); err != nil {
			refused := badRequest("The property 'certificate' is not a certificate.")
			return &refused
		}
		a.Certificate = der
	}
	for name, dst := range map[string]*string{
		"certificateAuthorityType": &a.Type, "certificateRevocationListUrl": &a.CRLURL,
		"deltaCertificateRevocationListUrl": &a.DeltaCRLURL, "displayName": &a.DisplayName, "issuer": &a.Issuer,
		"issuerSubjectKeyIdentifier": &a.IssuerSubjectKeyIdentifier, "thumbprint": &a.Thumbprint,
	} {
		if v, ok := in[name]; ok {
			*dst, _ = v.(string) // null is the empty text
		}
	}
	if text, ok := in["expirationDateTime"].(string); ok {
		t, _ := time.Parse(time.RFC3339, text) // as the schema has checked
		a.ExpirationDateTime = t.UTC()
	}
	if v, ok := in["isIssuerHintEnabled"]; ok {
		a.IssuerHint, _ = v.(bool)
	}
	if a.Type == "" {
		refused := badRequest("The property 'certificateAuthorityType' is required.")
		return &refused
	}
	return nil
}

// size is the length of the object's JSON; what the service counts is not said.
func (a *authority) size() int {
	size := 0
	for _, f := range caSet.fields {
		size += len(encode(map[string]any{f.name: jsonValue(f.get(a))}))
	}
	return size
}

// currentCA is the CA a call writes to, as it is; nil if there is none.
func (s *state) currentCA(c *call) *authority {
	p, a := s.pki(c), s.cas.current(c.params[1])
	if p == nil || a == nil || a.pki != p.ID || !a.DeletedDateTime.IsZero() {
		return nil
	}
	return a
}

func (s *state) patchCA(c *call) answer {
	old := s.currentCA(c)
	if old == nil {
		return notFound(c.params[1])
	}
	in, refused := s.object(c, caSet.typ)
	if refused != nil {
		return *refused
	}
	a := *old
	if refused := a.set(in); refused != nil {
		return *refused
	}
	if s.holds(a.pki, a.Certificate, a.ID) {
		return badRequest("Duplicate Certificate exists")
	}
	if size := a.size(); size > maxCASize {
		return badRequest("The certificate authority has %d bytes; at most %d are allowed.", size, maxCASize)
	}
	s.cas.write(a.ID, &a, s.opt.Lag, c.now)
	s.touch(a.pki, c.now)
	return caSet.full(c, &a, http.StatusOK)
}

func (s *state) deleteCA(c *call) answer {
	old := s.currentCA(c)
	if old == nil {
		return notFound(c.params[1])
	}
	a := *old
	a.DeletedDateTime = c.now
	s.cas.write(a.ID, &a, s.opt.Lag, c.now)
	s.touch(a.pki, c.now)
	return answer{status: http.StatusNoContent}
}
