package main

import (
	"time"

	"example.com/entracba/cba/signin"
	"example.com/entracba/cba/trust"
)

// An authority is one CA of the stores.
type authority struct {
	Subject    string    `json:"subject"`
	Store      string    `json:"store"` // of the entry in force
	Also       []string  `json:"also,omitempty"`
	SKI        string    `json:"subjectKeyIdentifier"`
	Thumbprint string    `json:"thumbprint"`
	NotAfter   time.Time `json:"notAfter"`
	SelfSigned bool      `json:"selfSigned"`
	// Complete says that every CA up to a root is stored and valid; otherwise Lacking
	// says why not.
	Complete bool   `json:"chainComplete"`
	Lacking  string `json:"chainLacking,omitempty"`
	Hint     bool   `json:"issuerHint"`
}

func authorities(store *trust.Store, at time.Time) []authority {
	all := []authority{}
	for _, ca := range store.CAs() {
		a := authority{Subject: ca.Subject.String(), Store: ca.Entry.String(), SKI: string(ca.SKI), Thumbprint: ca.Thumbprint,
			NotAfter: ca.Certificate.NotAfter.UTC(), SelfSigned: ca.SelfSigned, Hint: ca.Hinted()}
		for _, e := range ca.Others {
			a.Also = append(a.Also, e.String())
		}
		if ca.SelfSigned {
			switch {
			case at.After(ca.Certificate.NotAfter):
				a.Lacking = "expired"
			case at.Before(ca.Certificate.NotBefore):
				a.Lacking = "not yet valid"
			default:
				a.Complete = true
			}
		} else if chain := store.Chain(ca.Certificate, at); chain.Trusted {
			a.Complete = true
		} else if len(chain.Failures) > 0 {
			a.Lacking = chain.Failures[0].Detail
		}
		all = append(all, a)
	}
	return all
}

// A list is one CRL and the result of its download.
type list struct {
	Authority  string    `json:"authority"`
	URL        string    `json:"url"`
	Delta      bool      `json:"delta,omitempty"`
	Error      string    `json:"error,omitempty"`
	Code       string    `json:"code,omitempty"` // with which Entra refuses then
	Number     string    `json:"number,omitempty"`
	Revoked    int       `json:"revoked"`
	Bytes      int       `json:"bytes"`
	Millis     int64     `json:"milliseconds"`
	ThisUpdate time.Time `json:"thisUpdate,omitzero"`
	NextUpdate time.Time `json:"nextUpdate,omitzero"`
}

// lists are the CRLs of every CA as a table has them.
func lists(published []signin.PublishedCRL) []list {
	all := []list{}
	for _, p := range published {
		l := list{Authority: p.CA.Subject.String(), URL: p.URL, Delta: p.Delta, Millis: p.Took.Milliseconds()}
		if got := p.List; got != nil {
			l.Revoked, l.Bytes, l.ThisUpdate, l.NextUpdate = got.Len(), len(got.Raw), got.ThisUpdate.UTC(), got.NextUpdate.UTC()
			if got.Number != nil {
				l.Number = got.Number.String()
			}
		} else {
			l.Error, l.Code, l.Bytes = p.Err.Error(), p.Err.Code(), int(p.Err.Size)
		}
		all = append(all, l)
	}
	return all
}
