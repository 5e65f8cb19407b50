package signin_test

import (
	"fmt"
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

// In a list of any length, every value that two users have is found, and no other.
func TestSharedIDsOfManyUsers(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves out what takes long")
	}
	var s signin.SharedIDs
	const users = 60_000
	add := func(i int, value string) lint.Findings {
		u := policy.User{UserPrincipalName: fmt.Sprintf("user%d@contoso.com", i)}
		u.AuthorizationInfo.CertificateUserIDs = []string{value, fmt.Sprintf("X509:<PN>user%d@contoso.com", i)}
		return s.Add(u)
	}
	value := func(i int) string { return fmt.Sprintf("X509:<SKI>%040x", i) }
	for i := range users {
		if found := add(i, value(i)); len(found) > 0 {
			t.Fatalf("user %d: %v", i, found)
		}
	}
	for i := range users {
		if found := add(i, value(i)); len(found) > 0 {
			t.Fatalf("user %d again: %v", i, found)
		}
	}
	named, unnamed := 0, 0
	for i := range users {
		found := add(users+i, strings.ToUpper(value(i)))
		switch {
		case len(found) != 1:
			t.Fatalf("the value of user %d: %v", i, found)
		case strings.Contains(found[0].String(), fmt.Sprintf(`"user%d@contoso.com" has`, i)):
			named++
		case strings.Contains(found[0].String(), "another user of the list has"):
			unnamed++
		default:
			t.Fatalf("%v", found)
		}
	}
	if named != 1<<15/2 || unnamed != users-named { // each user has two values
		t.Errorf("%d named, %d not", named, unnamed)
	}
}

// Long names are kept while there is room for them.
func TestSharedIDsOfLongNames(t *testing.T) {
	var s signin.SharedIDs
	add := func(name, value string) string {
		u := policy.User{UserPrincipalName: name}
		u.AuthorizationInfo.CertificateUserIDs = []string{value}
		return fmt.Sprint(s.Add(u))
	}
	name := func(i, length int) string { return fmt.Sprintf("%0*d@x", length-2, i) }
	for i, length := range []int{3, 65_535, 65_536, 300, 65_530} {
		value := fmt.Sprint("X509:<SKI>0", i)
		add(name(i, length), value)
		found := add("other@x", value)
		if wantNamed := length < 65_536; strings.Contains(found, `"`+name(i, length)[:100%length]) != wantNamed || strings.Contains(found, "another user") == wantNamed {
			t.Errorf("a name of %d bytes: %.300s", length, found)
		}
	}
	named := 0
	for i := range 100 {
		value := fmt.Sprint("X509:<SKI>1", i)
		add(name(i, 60_000), value)
		if !strings.Contains(add("other@x", value), "another user") {
			named++
		}
	}
	if named != (2<<20-(3+65_535+300+65_530)-4*6)/60_006 {
		t.Errorf("%d long names were kept", named)
	}
}
