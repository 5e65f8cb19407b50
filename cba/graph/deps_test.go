package graph_test

import (
	"os/exec"
	"strings"
	"testing"
)

const module = "example.com/entracba"

// Only this package, the programs that use it and the jobs that bind certificates may compile anything of the SDK,
// and even this package neither its root, nor its models, nor a builder. Package
// graphtest compiles the interface of credentials, and so does who uses it.
func TestSDKStaysBehindTheWall(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}{{range .Deps}} {{.}}{{end}}`, module+"/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	const me = module + "/cba/graph"
	seen, users := 0, 0
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		seen++
		allowed, tests := false, false
		for _, dep := range f {
			allowed = allowed || dep == me && (f[0] == me || strings.HasPrefix(f[0], module+"/examples/") || f[0] == module+"/cba/fleet/jobs")
			tests = tests || dep == me+"/graphtest"
		}
		if allowed {
			users++
		}
		for _, dep := range f[1:] {
			sdk := strings.HasPrefix(dep, "github.com/microsoft/kiota") || strings.HasPrefix(dep, "github.com/microsoftgraph/") ||
				strings.HasPrefix(dep, "github.com/Azure/") || strings.HasPrefix(dep, "go.opentelemetry.io/")
			if sdk && !allowed && !(tests && strings.HasPrefix(dep, "github.com/Azure/azure-sdk-for-go/sdk/")) {
				t.Errorf("%s compiles %s", f[0], dep)
			}
			if dep == "github.com/microsoftgraph/msgraph-sdk-go" || strings.HasPrefix(dep, "github.com/microsoftgraph/msgraph-sdk-go/") {
				t.Errorf("%s compiles %s", f[0], dep)
			}
		}
	}
	if seen < 15 || users < 1 {
		t.Fatalf("%d packages, %d of them with the SDK: the list is not the module's", seen, users)
	}
}
