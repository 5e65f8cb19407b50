package policy_test

import (
	"errors"
	"strings"
	"testing"

	"example.com/entracba/cba/policy"
)

// What Active Directory and older modules say of a closed account counts; what they say of
// an open one proves nothing.
func TestClosedAccounts(t *testing.T) {
	for text, want := range map[string]struct{ disabled, missing bool }{
		`{"UserPrincipalName":"a@b.c","Enabled":false}`:                         {true, false},
		`{"UserPrincipalName":"a@b.c","Enabled":true}`:                          {false, true},
		`{"UserPrincipalName":"a@b.c","BlockCredential":true}`:                  {true, false},
		`{"UserPrincipalName":"a@b.c","BlockCredential":false}`:                 {false, true},
		`{"userPrincipalName":"a@b.c","accountEnabled":true,"enabled":false}`:   {true, false},
		`{"userPrincipalName":"a@b.c","accountEnabled":null,"Enabled":false}`:   {true, false},
		`{"userPrincipalName":"a@b.c","accountEnabled":true,"enabled":"maybe"}`: {false, false},
	} {
		u, err := policy.ParseUser([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		missing := false
		for _, p := range u.Missing {
			missing = missing || p == policy.AccountEnabled
		}
		if u.Disabled != want.disabled || missing != want.missing {
			t.Errorf("%s: disabled %v, missing %v", text, u.Disabled, u.Missing)
		}
	}
	_, err := policy.ParseUser([]byte(`{"id":"1","userPrincipalName":"a@b.c","deletedDateTime":"2026-11-01T00:00:00Z"}`))
	if !errors.Is(err, policy.WrongObject) || !strings.Contains(err.Error(), "a deleted user") {
		t.Error(err)
	}
	if _, err := policy.ParseUser([]byte(`{"id":"1","userPrincipalName":"a@b.c","deletedDateTime":null}`)); err != nil {
		t.Error(err)
	}
}
