package main

import (
	"context"
	"crypto/x509"
	"errors"
	"os"
	"sync"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/crl/fetch"
)

// lists returns where revocation lists come from: the files of -crl, and the
// network for every other URL.
func (o options) lists() (crl.Source, error) {
	s := &sources{
		files: map[string][]byte{},
		kept:  map[string]*crl.List{},
		next:  &fetch.Client{AllowPrivateAddresses: o.allowPrivate},
	}
	for url, name := range o.crls {
		content, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		s.files[url] = content
	}
	return s, nil
}

// sources is a [crl.Source] that looks into files first.
type sources struct {
	files map[string][]byte
	next  crl.Source

	mu   sync.Mutex
	kept map[string]*crl.List // by URL and authority
}

// Fetch is part of [crl.Source].
func (s *sources) Fetch(ctx context.Context, url string, ca *x509.Certificate) (*crl.List, error) {
	content, ok := s.files[url]
	if !ok {
		return s.next.Fetch(ctx, url, ca)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key := url + " " + string(ca.Raw)
	if list := s.kept[key]; list != nil {
		return list, nil
	}
	list, err := crl.Parse(content)
	if err == nil {
		err = list.CheckIssuer(ca)
	}
	if err != nil {
		var fault *crl.Error
		if errors.As(err, &fault) && fault.URL == "" {
			named := *fault
			named.URL = url
			err = &named
		}
		return nil, err
	}
	s.kept[key] = list
	return list, nil
}
