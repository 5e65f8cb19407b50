package snapshot_test

import (
	"os/exec"
	"strings"
	"testing"
)

// Reading a saved tenant costs nothing of the Graph SDK, and nothing foreign beside
// what packages policy and trust need.
func TestForeignPackages(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	own := 0
	for path := range strings.FieldsSeq(string(out)) {
		if strings.HasPrefix(path, "example.com/entracba/") {
			own++
			if path == "example.com/entracba/cba/graph" {
				t.Errorf("it imports %s", path)
			}
			continue
		}
		const cryptobyte = "golang.org/x/crypto/cryptobyte"
		if path != cryptobyte && !strings.HasPrefix(path, cryptobyte+"/") {
			t.Errorf("it compiles %s", path)
		}
	}
	if own < 5 {
		t.Fatalf("%d packages of the module: the list is not this package's", own)
	}
}
