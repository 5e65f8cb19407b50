package tenant

import (
	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/crl/fetch"
)

// CRLs returns where CRLs come from: the network, within the limits of a sign-in, or
// the demonstration's own. Addresses of this machine and of private networks are
// asked only with allowPrivate.
func (t *Tenant) CRLs(allowPrivate bool) crl.Source {
	if t.Demo != nil {
		return crl.Static(t.Demo.CRLs)
	}
	return &fetch.Client{AllowPrivateAddresses: allowPrivate}
}
