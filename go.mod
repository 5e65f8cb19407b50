module example.com/entracba

go 1.26.0

require (
	// cryptobyte, the standard library's own DER reader, which it does not export.
	golang.org/x/crypto v0.59.0
	// Unicode's normal form, which the standard library lacks: names from macOS.
	golang.org/x/text v0.44.0
	// cba/deploy writes Apple's property lists with it.
	howett.net/plist v1.0.1
)

// For tests only.
require (
	github.com/google/go-cmp v0.7.0
	// What cba/trust writes as a .p7b is what it writes, byte by byte.
	github.com/smallstep/pkcs7 v0.2.3
	// What cba/pfx writes is what it writes, byte by byte.
	software.sslmate.com/src/go-pkcs12 v0.7.4
)

// For the examples that work on a tenant: -tenant takes Azure's default chain.
require github.com/Azure/azure-sdk-for-go/sdk/azidentity v1.15.0

// For the examples: the width of the terminal, and colours on Windows.
require golang.org/x/sys v0.50.0

// For cba/graph alone; nothing else in the module compiles any of it.
require (
	// The credential that graph.NewClient takes.
	github.com/Azure/azure-sdk-for-go/sdk/azcore v1.24.0
	// The adapter that carries the requests, the SDK's own, and its serializers.
	github.com/microsoft/kiota-abstractions-go v1.9.4
	github.com/microsoft/kiota-http-go v1.5.6
	github.com/microsoft/kiota-serialization-form-go v1.1.3
	github.com/microsoft/kiota-serialization-json-go v1.1.2
	github.com/microsoft/kiota-serialization-multipart-go v1.1.2
	github.com/microsoft/kiota-serialization-text-go v1.1.3
	// The SDK itself: a test behind the tag "sdk" holds the requests against its builders.
	github.com/microsoftgraph/msgraph-sdk-go v1.103.0
	// The SDK's adapter, authentication and telemetry.
	github.com/microsoftgraph/msgraph-sdk-go-core v1.4.1
)

require (
	github.com/Azure/azure-sdk-for-go/sdk/internal v1.13.0 // indirect
	github.com/AzureAD/microsoft-authentication-library-for-go v1.10.1 // indirect
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/go-logr/logr v1.4.3 // indirect
	github.com/go-logr/stdr v1.2.2 // indirect
	github.com/golang-jwt/jwt/v5 v5.3.1 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/kylelemons/godebug v1.1.0 // indirect
	github.com/microsoft/kiota-authentication-azure-go v1.3.1 // indirect
	github.com/pkg/browser v0.0.0-20240102092130-5ac0b6a4141c // indirect
	github.com/std-uritemplate/std-uritemplate/go/v2 v2.0.3 // indirect
	go.opentelemetry.io/auto/sdk v1.2.1 // indirect
	go.opentelemetry.io/otel v1.43.0 // indirect
	go.opentelemetry.io/otel/metric v1.43.0 // indirect
	go.opentelemetry.io/otel/trace v1.43.0 // indirect
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/sync v0.25.0 // indirect
)
