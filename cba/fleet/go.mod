module example.com/entracba/cba/fleet

go 1.26.0

require (
	example.com/entracba v0.0.0
	// cba/fleet/token drives PKCS #11 modules with it: sessions, logins, key objects.
	github.com/ThalesGroup/crypto11 v1.6.2
	// cba/fleet/token reads its error numbers.
	github.com/miekg/pkcs11 v1.1.2
	// cba/fleet/sqlite: SQLite without cgo.
	modernc.org/sqlite v1.62.0
)

require (
	github.com/dustin/go-humanize v1.1.0 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/mattn/go-isatty v0.0.24 // indirect
	github.com/ncruces/go-strftime v1.1.0 // indirect
	github.com/pkg/errors v0.9.1 // indirect
	github.com/remyoudompheng/bigfft v0.0.0-20230129092748-24d4a6f8daec // indirect
	github.com/stretchr/testify v1.12.1 // indirect
	github.com/thales-e-security/pool v0.0.2 // indirect
	go.yaml.in/yaml/v3 v3.0.6 // indirect
	golang.org/x/crypto v0.59.0 // indirect
	golang.org/x/sys v0.50.0 // indirect
	golang.org/x/text v0.44.0 // indirect
	modernc.org/libc v1.80.1 // indirect
	modernc.org/mathutil v1.7.1 // indirect
	modernc.org/memory v1.12.1 // indirect
)

replace example.com/entracba => ../..
