package entracba_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "example.com/entracba"

// imports is who may import whom inside the module, and which modules a package
// may use beside the standard library. It is an allow-list: a new package or a
// new import has to be written down here before it builds a habit.
var imports = map[string][]string{
	"":                     nil,
	"cba/internal/enum":    nil,
	"cba/lint":             {"cba/internal/enum"},
	"cba/dn":               {"golang.org/x/crypto"},
	"cba/internal/san":     {"golang.org/x/crypto"},
	"cba/internal/interop": nil,
	"cba/certuserid":       {"cba/dn", "cba/internal/san", "cba/lint", "golang.org/x/crypto"},
	"cba/pfx":              {"cba/lint", "software.sslmate.com/src/go-pkcs12", "golang.org/x/crypto"},
	"cba/crl":              {"cba/dn", "cba/lint", "golang.org/x/crypto"},
	"cba":                  {"cba/dn", "cba/internal/san", "cba/lint", "golang.org/x/crypto"},
	"cba/trust":            {"cba/dn", "cba/lint", "github.com/smallstep/pkcs7", "golang.org/x/crypto"},
	"cba/policy":           {"cba/certuserid", "cba/dn", "cba/internal/san", "cba/lint"},
	"cba/signin":           {"cba/policy", "cba/trust", "cba/crl", "cba/certuserid", "cba/dn", "cba/lint"},
	"cba/deploy":           {"cba/lint", "cba/pfx", "howett.net/plist"},
	"cba/intune":           {"cba", "cba/dn", "cba/lint"},
	"cba/lifecycle":        {"cba/certuserid", "cba/crl", "cba/dn", "cba/lint"},
	"cba/graph/graphtest":  nil,
	"cba/graph": {"cba/signin", "cba/policy", "cba/trust", "cba/certuserid", "cba/lint",
		"github.com/Azure/azure-sdk-for-go/sdk/azcore", "github.com/microsoft/kiota-abstractions-go", "github.com/microsoft/kiota-http-go",
		"github.com/microsoft/kiota-serialization-form-go", "github.com/microsoft/kiota-serialization-json-go",
		"github.com/microsoft/kiota-serialization-multipart-go", "github.com/microsoft/kiota-serialization-text-go",
		"github.com/microsoftgraph/msgraph-sdk-go-core"},
}

// The examples are programs; they may use every package that others may use.
const examples = "examples/"

func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	seen := 0
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		name := strings.TrimPrefix(strings.TrimPrefix(fields[0], module), "/")
		allowed, known := imports[name]
		if !known && !strings.HasPrefix(name, examples) {
			t.Errorf("package %s is not in the picture of this test", fields[0])
			continue
		}
		seen++
		for _, path := range fields[1:] {
			if strings.HasPrefix(name, examples) {
				if strings.HasPrefix(path, module+"/cba/internal/") {
					t.Errorf("%s imports %s: an example may use only what its readers can", name, path)
				}
				continue
			}
			if path == "C" || !strings.Contains(strings.SplitN(path, "/", 2)[0], ".") {
				continue // the standard library
			}
			path = strings.TrimPrefix(path, module+"/")
			if !slices.ContainsFunc(allowed, func(a string) bool { return path == a || strings.HasPrefix(path, a+"/") && strings.Contains(a, ".") }) {
				t.Errorf("%s imports %s, which the picture does not show", name, path)
			}
		}
	}
	if seen < 5 {
		t.Fatalf("only %d packages were looked at", seen)
	}
}
