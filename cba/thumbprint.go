package cba

import (
	"crypto/x509"

	"example.com/entracba/cba/internal/fingerprint"
)

// Thumbprint returns what Windows and Microsoft Graph call a certificate's
// thumbprint: the SHA-1 of its DER, in lower-case hexadecimal. It names a
// certificate and proves nothing. For nil it is empty.
func Thumbprint(cert *x509.Certificate) string {
	if cert == nil {
		return ""
	}
	return fingerprint.Of(cert.Raw)
}
