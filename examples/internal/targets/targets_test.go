package targets_test

import (
	"strings"
	"testing"

	"example.com/entracba/cba/deploy"
	"example.com/entracba/cba/pfx"
	"example.com/entracba/examples/internal/targets"
)

func TestEncoding(t *testing.T) {
	for _, target := range deploy.Targets() {
		if e, err := targets.Encoding(target.String()); err != nil || e != pfx.For(target.Readers()...) {
			t.Errorf("%v: %v, %v", target, e, err)
		}
	}
	for _, target := range pfx.Targets() {
		if e, err := targets.Encoding(target.String()); err != nil || e != pfx.For(target) {
			t.Errorf("%v: %v, %v", target, e, err)
		}
	}
	if e, err := targets.Encoding("modern"); err != nil || e != pfx.Modern {
		t.Errorf("%v, %v", e, err)
	}
	if _, err := targets.Encoding("windows-95"); err == nil || !strings.Contains(err.Error(), "windows-usb") || !strings.Contains(err.Error(), "windows-11") {
		t.Errorf("%v", err)
	}
}
