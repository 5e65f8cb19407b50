package dn_test

import (
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba/dn"
)

// A megabyte of slashes is read in the time of a megabyte, whether they are parts of the
// name or of a value.
func TestParseSlashesTime(t *testing.T) {
	const n = 1 << 19
	began := time.Now()
	name, err := dn.Parse("/CN=a" + strings.Repeat("/x", n))
	if err != nil || len(name) != 1 || len(name[0][0].Value) != 1+2*n {
		t.Errorf("%d parts, %v", len(name), err)
	}
	name, err = dn.Parse(strings.Repeat("/O=a/", n/4))
	if err != nil || len(name) != n/4 || name[0][0].Value != "a/" {
		t.Errorf("%d parts, %v", len(name), err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
}
