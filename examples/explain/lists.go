package main

import (
	"os"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/crl/fetch"
)

// lists returns where CRLs come from: the files of -crl, and the network for every
// other URL.
func (o options) lists() (crl.Source, error) {
	files := map[string][]byte{}
	for url, name := range o.crls {
		content, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		files[url] = content
	}
	return crl.First(crl.Static(files), &fetch.Client{AllowPrivateAddresses: o.allowPrivate}), nil
}
