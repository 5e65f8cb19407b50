package report

import (
	"strings"
	"testing"

	"example.com/entracba/cba/signin"
)

// A reason is a code and what it means; an object that a change writes has a line for each
// property, and its values stay text.
func TestReasonsAndObjects(t *testing.T) {
	for b, want := range map[string]string{
		becauseWords(Because{Difference: signin.Loses, Reason: "AADSTS1002002", Users: 2}):         "2 users lose access: AADSTS1002002, the method is not enabled",
		becauseWords(Because{Difference: signin.Gains, Reason: "AADSTS1001009", Users: 1}):         "1 user gains access, refused before with AADSTS1001009, no username binding matches the user whose name was typed",
		becauseWords(Because{Difference: signin.Loses, Reason: "AADSTS1", Users: 1}):               "1 user loses access: AADSTS1",
		becauseWords(Because{Difference: signin.Loses, Reason: "x", Users: 1}):                     "1 user loses access: x",
		strings.Join(valueLines([]byte(`{"b":[1,{"c":2}],"a":"<b>"}`)), "|"):                       `a: "<b>"|b: [1,{"c":2}]`,
		strings.Join(valueLines([]byte(`"x"`)), "|") + strings.Join(valueLines([]byte(`{}`)), "|"): `"x"{}`,
	} {
		if b != want {
			t.Errorf("%s, want %s", b, want)
		}
	}
}
