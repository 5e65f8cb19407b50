package graph

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"example.com/entracba/cba/trust"
)

// UploadOptions are the options of an upload. The zero value works.
type UploadOptions struct {
	// Progress is called each time the PKI was read. Nil shows no progress.
	Progress func(UploadProgress)
	// Wait is how long to wait until the upload ends. Zero means 45 minutes: Learn says
	// that an upload takes up to 30.
	Wait time.Duration
}

// UploadProgress is the state of an upload as the PKI shows it.
type UploadProgress struct {
	Status  string // of the PKI, "running"
	Details string
	Waited  time.Duration
}

const maxUpload = 45 * time.Minute

// Upload lets the service download a .p7b from an address that it can reach, and waits
// until the CAs are in the PKI. bundle is the file at that address, byte for byte: the
// request contains its SHA-256, and afterwards its certificates must be in the PKI. It
// returns the PKI with its CAs.
//
// The service accepts one upload at a time, and refuses a bundle with a certificate
// that is stored already: encode the result of [trust.PKIs.Lacking] with
// [trust.EncodeBundle]. Both are checked first ([Conflict]). The CRL URLs that the
// service sets for CAs below a root are those of their issuers: see
// [trust.PKI.SetCRLs], and [Client.UpdateAuthority].
//
// The error is [Invalid] for a bundle that is none, with the [*trust.Error] in the
// chain, and [UploadFailed] for one that the service could not use. With [NotVisible]
// and [Interrupted] the upload still goes on: see [Client.WaitUpload].
func (c *Client) Upload(ctx context.Context, pki, address string, bundle []byte, o UploadOptions) (trust.PKI, error) {
	op := writeTrust("upload a bundle")
	certs, err := trust.DecodeBundle(bundle)
	if err != nil {
		return trust.PKI{}, op.fail(Invalid, err)
	}
	if len(bundle) > trust.MaxBundleSize {
		return trust.PKI{}, op.refuse(Invalid, "the bundle has %d bytes; the service takes %d", len(bundle), trust.MaxBundleSize)
	}
	if u, err := url.Parse(address); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
		return trust.PKI{}, op.refuse(Invalid, "%q is not a URL of http or https", address)
	}
	pkis, err := c.PKIs(ctx)
	if err != nil {
		return trust.PKI{}, err
	}
	var before *trust.PKI
	for i := range pkis {
		if pkis[i].ID == pki {
			before = &pkis[i]
		}
		if running(pkis[i].Status) {
			return pkis[i], op.refuse(Conflict, "an upload to PKI %q is running, and there can be one at a time", pkis[i].DisplayName)
		}
	}
	if before == nil {
		e := op.on("PKI", pki).fail(NotFound, nil)
		e.Method, e.Path, e.Status = http.MethodGet, "/"+pkiPath(pki), http.StatusNotFound
		return trust.PKI{}, e
	}
	if n := len(certs) - len(trust.PKIs{*before}.Lacking(certs)); n > 0 {
		return *before, op.refuse(Conflict, "%d of the %d certificates are stored already, and the service then refuses the whole bundle", n, len(certs))
	}
	err = c.once(ctx, request{op: op, method: http.MethodPost, path: pkiPath(pki) + "/upload",
		body: encode(map[string]any{"uploadUrl": address, "sha256FileHash": trust.FileHash(bundle)})}, func() (bool, error) {
		now, err := c.barePKI(ctx, pki)
		return err == nil && (running(now.Status) || now.Status != before.Status || !now.LastModifiedDateTime.Equal(before.LastModifiedDateTime)), err
	})
	if err != nil {
		return *before, err
	}
	after, err := c.waitUpload(ctx, op, *before, o)
	if err != nil {
		return after, err
	}
	if after.CertificateAuthorities, err = c.authorities(ctx, pki); err != nil {
		return after, err
	}
	err = c.see(ctx, op, func() (bool, error) {
		var err error
		after.CertificateAuthorities, err = c.authorities(ctx, pki)
		return err == nil && len(trust.PKIs{after}.Lacking(certs)) == 0, err
	})
	return after, err
}

// WaitUpload waits until a running upload has ended, whichever program started it. It
// returns the PKI without its CAs.
func (c *Client) WaitUpload(ctx context.Context, pki string, o UploadOptions) (trust.PKI, error) {
	return c.waitUpload(ctx, readTrust("wait for an upload"), trust.PKI{ID: pki, Status: "running"}, o)
}

func running(status string) bool { return strings.EqualFold(status, "running") }

// waitUpload looks until the status is neither that of before nor "running".
// Replicas may show the state before for a while.
func (c *Client) waitUpload(ctx context.Context, op operation, before trust.PKI, o UploadOptions) (trust.PKI, error) {
	limit := orDefault(o.Wait, maxUpload)
	var waited time.Duration
	seen := running(before.Status)
	for n := 1; ; n++ {
		p, err := c.barePKI(ctx, before.ID)
		if err != nil {
			return before, err
		}
		if o.Progress != nil {
			o.Progress(UploadProgress{Status: p.Status, Details: p.StatusDetails, Waited: waited})
		}
		moved := seen || p.Status != before.Status || p.StatusDetails != before.StatusDetails || !p.LastModifiedDateTime.Equal(before.LastModifiedDateTime)
		status := strings.ToLower(p.Status)
		switch {
		case running(status):
			seen = true
		case moved && status == "succeeded":
			return p, nil
		case moved && (strings.Contains(status, "fail") || strings.Contains(status, "error")):
			e := op.fail(UploadFailed, nil)
			e.Code, e.Message = scrub(p.Status), scrub(p.StatusDetails)
			return p, e
		case !seen && waited >= c.patience():
			// Nothing moves. An upload that ended at once leaves no trace but its CAs.
			if cas, err := c.authorities(ctx, before.ID); err == nil && len(cas) > len(before.CertificateAuthorities) {
				return p, nil
			}
			e := op.fail(NotVisible, nil)
			e.Indeterminate = true
			return p, e
		}
		d := min(backoff(n), 30*time.Second)
		if waited += d; waited > limit {
			e := op.refuse(NotVisible, "the upload is still %q after %v", p.Status, limit)
			e.Indeterminate = true
			return p, e
		}
		if err := c.wait(ctx, d); err != nil {
			e := op.fail(Interrupted, err)
			e.Indeterminate = true
			return p, e
		}
	}
}

// FillPKI creates the PKI if there is none of this name, and adds the CAs whose
// certificates it does not contain. Other CAs stay as they are. It returns the PKI and
// the CAs that were added, also those added before an error: a second call goes on
// where the first one stopped.
func (c *Client) FillPKI(ctx context.Context, want trust.PKI) (pki trust.PKI, added []trust.Authority, err error) {
	old, err := c.named(ctx, want.DisplayName)
	switch {
	case err != nil:
		return pki, nil, err
	case old != nil:
		pki = *old
	default:
		if pki, err = c.CreatePKI(ctx, want.DisplayName); err != nil {
			return pki, nil, err
		}
	}
	if pki.CertificateAuthorities, err = c.authorities(ctx, pki.ID); err != nil {
		return pki, nil, err
	}
	for _, a := range want.CertificateAuthorities {
		if hasCertificate(pki, a.Certificate) {
			continue
		}
		made, err := c.CreateAuthority(ctx, pki.ID, a)
		if err != nil {
			return pki, added, err
		}
		added = append(added, made)
		pki.CertificateAuthorities = append(pki.CertificateAuthorities, made)
	}
	return pki, added, nil
}

func hasCertificate(p trust.PKI, der []byte) bool {
	for _, a := range p.CertificateAuthorities {
		if bytes.Equal(a.Certificate, der) {
			return true
		}
	}
	return false
}
