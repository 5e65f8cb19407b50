package main_test

import (
	"fmt"
	"strings"
	"testing"
)

// A reading that the log has settled is no assumption that changes the verdict.
func TestReadings(t *testing.T) {
	t.Parallel()
	const file = `{"signIns":40,"unexplained":0,"ambiguous":0,"noise":0.05,"readings":[{"id":"9.15","result":%q,"signIns":30,"users":12,"otherSignIns":31,"otherUsers":11}]}`
	_, folder, args := loadCase(t, "U3")
	for result, want := range map[string]struct {
		code       int
		says, lack string
	}{
		"open":         {0, "* 9.15", "confirmed by"},
		"confirmed":    {0, "confirmed by 30 sign-ins of 12 users", "* 9.15"},
		"contradicted": {1, "confirmed by 31 sign-ins of 11 users", "* 9.15"},
	} {
		write(t, folder, "readings.json", []byte(fmt.Sprintf(file, result)))
		r := explain(t, folder, append(args, "-readings", "readings.json")...)
		if r.code != want.code || !strings.Contains(r.stdout, want.says) || strings.Contains(r.stdout, want.lack) {
			t.Errorf("%s: exit status %d, want %d, %q and no %q\n%s%s", result, r.code, want.code, want.says, want.lack, r.stdout, r.stderr)
		}
	}
	write(t, folder, "readings.json", []byte(`{"value":[]}`))
	if r := explain(t, folder, append(args, "-readings", "readings.json")...); r.code != 2 || !strings.Contains(r.stderr, "has no readings") {
		t.Errorf("exit status %d, %s", r.code, r.stderr)
	}
}

// Two users with one stored id are told, before and beside what becomes of them.
func TestSharedIDs(t *testing.T) {
	t.Parallel()
	_, folder, _ := loadCase(t, "U3")
	const line = `{"id":%q,"userPrincipalName":%q,"accountEnabled":true,"userType":"Member","memberOf":[],"authorizationInfo":{"certificateUserIds":["X509:<SKI>0a0b"]}}` + "\n"
	write(t, folder, "users.jsonl", []byte(fmt.Sprintf(line, "1", "ann@woodgrove.com")+fmt.Sprintf(line, "2", "bob@woodgrove.com")+fmt.Sprintf(line, "1", "ann@woodgrove.com")))
	for _, args := range [][]string{{"-then", "tenant.json"}, {}, {"-json"}} {
		r := explain(t, folder, append([]string{"-tenant", "tenant.json", "-users", "users.jsonl"}, args...)...)
		if strings.Count(r.stderr, "has the same value") != 1 || !strings.Contains(r.stderr, "bob@woodgrove.com") || !strings.Contains(r.stderr, `"ann@woodgrove.com" has`) {
			t.Errorf("%q: exit status %d, said\n%s", args, r.code, r.stderr)
		}
	}
}
