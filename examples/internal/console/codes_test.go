package console

import (
	"bytes"
	"testing"
)

// A code is told once, in the order of the codes; what is none is passed over.
func TestCodes(t *testing.T) {
	var b bytes.Buffer
	if Codes(&b, "", "AADSTS1", "x") || b.Len() > 0 {
		t.Errorf("%q", b.String())
	}
	if !Codes(&b, "AADSTS1002002", "", "AADSTS1001009", "AADSTS1002002") || b.String() != "\n  AADSTS1001009  no username binding matches the user whose name was typed\n  AADSTS1002002  the method is not enabled\n" {
		t.Errorf("%q", b.String())
	}
}
