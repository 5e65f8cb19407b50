package signin_test

import (
	"strings"
	"testing"

	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
)

const sharedCode = "signin-user-id-shared"

func TestSharedIDs(t *testing.T) {
	user := func(name string, ids ...string) policy.User {
		u := policy.User{UserPrincipalName: name}
		u.AuthorizationInfo.CertificateUserIDs = ids
		return u
	}
	var s signin.SharedIDs
	for _, step := range []struct {
		user policy.User
		want string // in the findings, "" for none
	}{
		{user("ann@x", "X509:<SKI>0A", "X509:<PN>ann@x"), ""},
		{user("bob@x", "X509:<SKI>0B"), ""},
		{user("ANN@x", "X509:<SKI>0A"), ""}, // herself
		{user("carl@x"), ""},
		{user("carl@x", "", ""), ""},
		{user("eve@x", "X509:<SKI>0C", "X509:<SKI>0a"), `"ann@x" has the same value "X509:<SKI>0a"`},
		{user("dan@x", "X509:<PN>Ann@x", "X509:<SKI>0B"), `"bob@x"`},
		{policy.User{ID: "7", AuthorizationInfo: policy.AuthorizationInfo{CertificateUserIDs: []string{"X509:<SKI>0C"}}}, `"eve@x"`},
	} {
		found := s.Add(step.user)
		all := ""
		for _, f := range found {
			all += f.String() + "\n"
			if f.Code != sharedCode || f.Effect != lint.LetsIn || !strings.HasPrefix(f.Where, "/authorizationInfo/certificateUserIds/") {
				t.Errorf("%+v", f)
			}
		}
		if (step.want == "") != (len(found) == 0) || !strings.Contains(all, step.want) {
			t.Errorf("%s: %s, want %q", step.user.UserPrincipalName, all, step.want)
		}
	}
}
