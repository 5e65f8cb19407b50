package targets_test

import (
	"strings"
	"testing"

	"example.com/entracba/cba/deploy"
	"example.com/entracba/cba/pfx"
	"example.com/entracba/examples/internal/targets"
)

// What issue makes files for, deliver delivers to.
func TestDelivery(t *testing.T) {
	for text, want := range map[string]deploy.Target{"windows-usb": deploy.WindowsUSB, "windows": deploy.Windows, "windows-11": deploy.Windows, "windows-server-2016": deploy.Windows,
		"macos-14": deploy.MacOS, "ios-17": deploy.IOS, "android-14": deploy.Android} {
		if got, err := targets.Delivery(text); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, target := range deploy.Targets() {
		if got, err := targets.Delivery(target.String()); err != nil || got != target {
			t.Errorf("%v: %v, %v", target, got, err)
		}
	}
	for _, text := range []string{"", "windows-95", "compat", "java"} {
		if got, err := targets.Delivery(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

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
