package offline_test

import (
	"fmt"
	"slices"
	"testing"

	"example.com/entracba/examples/internal/offline"
)

// The samples are read without a problem and go through a whole decision.
func TestWarm(t *testing.T) {
	var got []string
	for _, a := range offline.Warm(t.Context()) {
		if len(a.Problems) > 0 || a.Verdict == nil || a.Change == nil || a.Page == "" {
			t.Fatalf("%+v", a.Problems)
		}
		got = append(got, fmt.Sprintf("%t %s", a.Verdict.SignedIn, a.Verdict.Code))
	}
	if want := []string{"false AADSTS500172", "true ", "false AADSTS54008"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
