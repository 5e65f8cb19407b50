package graphtest

import (
	"crypto/x509"
	"net/http"
	"time"
)

func (s *state) organization() *Tenant { return &s.org }

var organizationSet = &entitySet[Tenant]{
	typ: "organization", context: "organization", top: 100, most: 999,
	fields: []field[Tenant]{
		{name: "id", path: "id", get: func(t *Tenant) any { return t.ID }},
		{name: "displayName", path: "displayName", get: func(t *Tenant) any { return null(t.DisplayName) }},
	},
}

func (s *state) listOrganizations(c *call) answer {
	return organizationSet.list(s, c, func(*filter) []found[Tenant] { return []found[Tenant]{{v: s.organization()}} })
}

func (s *state) getOrganization(c *call) answer {
	if c.params[0] != s.org.ID {
		return notFound(c.params[0])
	}
	return organizationSet.one(c, s.organization())
}

// classicBody is the one configuration as JSON. The service reads issuer and
// issuerSki off the certificate; in which form is not documented.
func classicBody(list []ClassicAuthority) map[string]any {
	cas := make([]any, len(list))
	for i, a := range list {
		issuer, ski := "", ""
		if cert, err := x509.ParseCertificate(a.Certificate); err == nil {
			issuer, ski = cert.Issuer.String(), hexText(cert.SubjectKeyId)
		}
		cas[i] = map[string]any{
			"isRootAuthority": a.Root, "certificate": a.Certificate,
			"certificateRevocationListUrl": null(a.CRLURL), "deltaCertificateRevocationListUrl": null(a.DeltaCRLURL),
			"issuer": issuer, "issuerSki": ski,
		}
	}
	return map[string]any{"id": ClassicID, "certificateAuthorities": cas}
}

const classicType = "certificateBasedAuthConfiguration"

func (s *state) listClassic(c *call) answer {
	if c.params[0] != s.org.ID {
		return notFound(c.params[0])
	}
	if refused := noOptions(c); refused != nil {
		return *refused
	}
	value := []any{}
	if list := s.classic.read(ClassicID, c.now); list != nil {
		value = append(value, classicBody(*list))
	}
	return answer{status: http.StatusOK, typ: "Collection(" + classicType + ")", body: map[string]any{
		"@odata.context": metadata(c, "organization('"+s.org.ID+"')/"+classicType), "value": value}}
}

func (s *state) getClassic(c *call) answer {
	list := s.classic.read(ClassicID, c.now)
	if c.params[0] != s.org.ID || c.params[1] != ClassicID || list == nil {
		return notFound(c.params[1])
	}
	if refused := noOptions(c); refused != nil {
		return *refused
	}
	return s.classicAnswer(c, *list, http.StatusOK)
}

func (s *state) classicAnswer(c *call, list []ClassicAuthority, status int) answer {
	body := classicBody(list)
	body["@odata.context"] = metadata(c, "organization('"+s.org.ID+"')/"+classicType+"/$entity")
	return answer{status: status, typ: classicType, body: body}
}

// createClassic makes the one configuration. There is no way to change it: it is
// deleted and created anew. Documented: an upload fails while an expired CA is
// stored. Inferred: that the CAs sent count as stored, and that a second
// configuration is refused with 400.
func (s *state) createClassic(c *call) answer {
	if c.params[0] != s.org.ID {
		return notFound(c.params[0])
	}
	in, refused := s.object(c, classicType)
	if refused == nil {
		refused = only(in, "certificateAuthorities")
	}
	if refused != nil {
		return *refused
	}
	if stored := s.classic.current(ClassicID); stored != nil {
		if expiredClassic(*stored, c.now) {
			return badRequest("A certificate authority that is stored has expired; delete the configuration first.")
		}
		return badRequest("Only one %s is allowed in a tenant; delete the existing one first.", classicType)
	}
	objects := values(in["certificateAuthorities"])
	if len(objects) == 0 {
		return badRequest("The property 'certificateAuthorities' is required.")
	}
	var list []ClassicAuthority
	for i, v := range objects {
		if v["certificate"] == nil || v["isRootAuthority"] == nil {
			return badRequest("The properties 'certificate' and 'isRootAuthority' of certificateAuthorities[%d] are required.", i)
		}
		if refused := only(v, "certificate", "isRootAuthority", "certificateRevocationListUrl", "deltaCertificateRevocationListUrl"); refused != nil {
			return *refused
		}
		var a ClassicAuthority
		a.Certificate, _ = decodeBinary(v["certificate"].(string))
		if _, err := x509.ParseCertificate(a.Certificate); err != nil {
			return badRequest("The certificate of certificateAuthorities[%d] is not one.", i)
		}
		a.Root = v["isRootAuthority"].(bool)
		a.CRLURL, _ = v["certificateRevocationListUrl"].(string)
		a.DeltaCRLURL, _ = v["deltaCertificateRevocationListUrl"].(string)
		list = append(list, a)
	}
	if expiredClassic(list, c.now) {
		return badRequest("A certificate authority of the configuration has expired.")
	}
	s.classic.write(ClassicID, &list, s.opt.Lag, c.now)
	return s.classicAnswer(c, list, http.StatusCreated)
}

func expiredClassic(list []ClassicAuthority, now time.Time) bool {
	for _, a := range list {
		if cert, err := x509.ParseCertificate(a.Certificate); err == nil && now.After(cert.NotAfter) {
			return true
		}
	}
	return false
}

func (s *state) deleteClassic(c *call) answer {
	if c.params[0] != s.org.ID || c.params[1] != ClassicID || s.classic.current(ClassicID) == nil {
		return notFound(c.params[1])
	}
	s.classic.write(ClassicID, nil, s.opt.Lag, c.now)
	return answer{status: http.StatusNoContent}
}
