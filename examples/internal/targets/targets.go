// Package targets has the systems that certificates are made for, under the names that
// every program takes: those of package pfx (windows-11, macos-14) and those of package
// deploy (windows-usb, macos).
package targets

import (
	"fmt"
	"strings"

	"example.com/entracba/cba/deploy"
	"example.com/entracba/cba/pfx"
)

// Encoding returns the encoding of PFX files that a target opens, or the encoding that is
// named.
func Encoding(text string) (pfx.Encoding, error) {
	if e, err := pfx.ParseFor(text); err == nil {
		return e, nil
	}
	var t deploy.Target
	if err := t.UnmarshalText([]byte(text)); err == nil {
		return pfx.For(t.Readers()...), nil
	}
	var names []string
	for _, t := range deploy.Targets() {
		names = append(names, t.String())
	}
	for _, t := range pfx.Targets() {
		names = append(names, t.String())
	}
	return 0, fmt.Errorf("must be one of %s, or an encoding: compat or modern", strings.Join(names, ", "))
}
