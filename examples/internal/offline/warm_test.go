package offline_test

import (
	"testing"

	"example.com/entracba/examples/internal/offline"
)

// The samples are read without a problem and go through a whole decision.
func TestWarm(t *testing.T) {
	var signedIn []bool
	for _, a := range offline.Warm(t.Context()) {
		if len(a.Problems) > 0 || a.Verdict == nil || a.Change == nil || a.Page == "" {
			t.Fatalf("%+v", a.Problems)
		}
		signedIn = append(signedIn, a.Verdict.SignedIn)
	}
	if len(signedIn) != 3 || !signedIn[0] || !signedIn[1] || signedIn[2] {
		t.Errorf("%v", signedIn)
	}
}
