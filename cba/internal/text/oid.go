package text

import (
	"crypto/x509"
	"fmt"
)

// mostOID is far more than any object identifier has, in bytes of DER.
const mostOID = 128

// OID is an object identifier in dotted form, or how long it is. A certificate may have
// one whose one number fills the whole file, and the time to write it in decimal grows
// with the square of its length: minutes for a megabyte.
func OID(id x509.OID) string {
	if der, err := id.MarshalBinary(); err == nil && len(der) > mostOID {
		return fmt.Sprintf("an OID of %d bytes", len(der))
	}
	return id.String()
}
