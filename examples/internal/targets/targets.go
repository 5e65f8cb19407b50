// Package targets has the systems that certificates are made for, under the names that
// every program takes: those of package pfx (windows-11, macos-14) and those of package
// deploy (windows-usb, macos).
package targets

import (
	"fmt"
	"slices"
	"strings"

	"example.com/entracba/cba/deploy"
	"example.com/entracba/cba/pfx"
)

// Delivery returns the kind of delivery for a target: windows-11 is windows, ios-17 is ios.
func Delivery(text string) (deploy.Target, error) {
	var t deploy.Target
	err := t.UnmarshalText([]byte(text))
	if err == nil {
		return t, nil
	}
	// From the last: windows-usb has the readers of windows.
	for _, t := range slices.Backward(deploy.Targets()) {
		for _, reader := range t.Readers() {
			if reader.String() == text {
				return t, nil
			}
		}
	}
	return 0, err
}

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
