module example.com/entracba

go 1.26.0

require (
	github.com/google/go-cmp v0.7.0 // indirect
	github.com/smallstep/pkcs7 v0.2.3 // indirect
	golang.org/x/crypto v0.58.0 // indirect
	howett.net/plist v1.0.1 // indirect
	software.sslmate.com/src/go-pkcs12 v0.7.4 // indirect
)
