package graphtest

import (
	"net/http"
	"strings"
	"time"
)

// getDeleted lists the deleted items of one type, or gets one item: the path of
// both has one segment. A list needs the cast to a type, as its reference page
// has it.
func (s *state) getDeleted(c *call) answer {
	id := c.params[0]
	switch cast := strings.ToLower(strings.TrimPrefix(id, "microsoft.")); cast {
	case "graph.certificatebasedauthpki":
		return pkiSet.list(s, c, func(*filter) []found[PKI] {
			return visible(s.pkis, c.now, func(p *PKI) bool { return !live(p) })
		})
	case "graph.certificateauthoritydetail":
		return caSet.list(s, c, func(*filter) []found[authority] {
			return visible(s.cas, c.now, func(a *authority) bool { return !a.DeletedDateTime.IsZero() })
		})
	default:
		if strings.HasPrefix(cast, "graph.") {
			return badRequest("The type '%s' is not part of this model of the deleted items.", clip(id))
		}
	}
	if p := s.pkis.read(id, c.now); p != nil && !live(p) {
		return typed(pkiSet.one(c, p))
	}
	if a := s.cas.read(id, c.now); a != nil && !a.DeletedDateTime.IsZero() {
		return typed(caSet.one(c, a))
	}
	return notFound(id)
}

// typed adds the type of a directory object that could be of several.
func typed(a answer) answer {
	if object, ok := a.body.(map[string]any); ok {
		object["@odata.type"] = "#microsoft.graph." + a.typ
	}
	return a
}

// restore takes an item out of the deleted ones. A CA comes back into its PKI,
// which has to be there; that, and the limits at a restore, is inferred.
func (s *state) restore(c *call) answer {
	id := c.params[0]
	if old := s.pkis.current(id); old != nil && !live(old) {
		p := *old
		p.DeletedDateTime, p.LastModifiedDateTime = time.Time{}, c.now
		s.pkis.write(id, &p, s.opt.Lag, c.now)
		return typed(pkiSet.full(c, &p, http.StatusOK))
	}
	old := s.cas.current(id)
	if old == nil || old.DeletedDateTime.IsZero() {
		return notFound(id)
	}
	p := s.pkis.current(old.pki)
	switch {
	case p == nil || !live(p):
		return badRequest("The PKI of the certificate authority is deleted; restore it first.")
	case s.holds(old.pki, old.Certificate, ""):
		return badRequest("Duplicate Certificate exists")
	case len(s.authorities(old.pki)) >= maxCAs:
		return badRequest("The PKI has %d certificate authorities already, the most that are allowed.", maxCAs)
	}
	a := *old
	a.DeletedDateTime = time.Time{}
	s.cas.write(id, &a, s.opt.Lag, c.now)
	s.touch(a.pki, c.now)
	return typed(caSet.full(c, &a, http.StatusOK))
}

// purge deletes an item for good, a PKI with its CAs.
func (s *state) purge(c *call) answer {
	id := c.params[0]
	if p := s.pkis.current(id); p != nil && !live(p) {
		s.dropPKI(id, c.now)
		return answer{status: http.StatusNoContent}
	}
	if a := s.cas.current(id); a != nil && !a.DeletedDateTime.IsZero() {
		s.cas.write(id, nil, s.opt.Lag, c.now)
		return answer{status: http.StatusNoContent}
	}
	return notFound(id)
}

func (s *state) dropPKI(id string, now time.Time) {
	s.pkis.write(id, nil, s.opt.Lag, now)
	for _, a := range s.cas.all() {
		if a.pki == id {
			s.cas.write(a.ID, nil, s.opt.Lag, now)
		}
	}
}
