module example.com/entracba

go 1.26.0

require (
	// cba/trust writes the .p7b of a PKI upload with it; the standard library has no PKCS #7.
	github.com/smallstep/pkcs7 v0.2.3
	// cryptobyte, the standard library's own DER reader, which it does not export.
	golang.org/x/crypto v0.58.0
	// cba/deploy writes Apple's property lists with it.
	howett.net/plist v1.0.1
	// cba/pfx writes PKCS #12 with it.
	software.sslmate.com/src/go-pkcs12 v0.7.4
)

// For tests only.
require github.com/google/go-cmp v0.7.0
