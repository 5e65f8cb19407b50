package snapshot_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
	"example.com/entracba/cba/snapshot"
)

func jane(ids ...string) snapshot.User {
	u := snapshot.User{User: policy.User{ID: "1", UserPrincipalName: "jane@contoso.com"}, DisplayName: "Jane"}
	u.AuthorizationInfo.CertificateUserIDs = ids
	return u
}

func full() snapshot.Snapshot {
	return snapshot.Snapshot{
		Taken: start, TenantID: "t", Config: signin.Config{Policy: policy.ServiceDefault(), Extra: map[string]json.RawMessage{"x": json.RawMessage(`{"y":1}`)}},
		Strengths: []json.RawMessage{json.RawMessage(`{"id":"s"}`)}, Users: []snapshot.User{jane("a")},
		SignIns: &snapshot.Summary{SignIns: 1, Outcomes: []snapshot.Count{{Name: "succeeded", SignIns: 1}}},
	}
}

// Copies of the struct share, clones do not.
func TestClone(t *testing.T) {
	before := full()
	shared, clone := before, before.Clone()
	if diff := cmp.Diff(text(t, before), text(t, clone)); diff != "" {
		t.Fatalf("a clone is another snapshot: %s", diff)
	}
	clone.Users[0].AuthorizationInfo.CertificateUserIDs[0] = "b"
	added := jane("new") // a user of one snapshot only is left alone
	added.ID = "2"
	clone.Users = append(clone.Users, added)
	clone.Strengths[0][2] = 'X'
	clone.Config.Extra["x"][2] = 'X'
	clone.Config.Policy.UserBindings[0].Priority = 9
	clone.SignIns.Outcomes[0].SignIns = 9
	if diff := cmp.Diff(text(t, full()), text(t, before)); diff != "" {
		t.Errorf("a change of the clone shows in the original: %s", diff)
	}
	edits := before.Edits(clone)
	if len(edits) != 1 {
		t.Fatalf("%d edits", len(edits))
	}
	if after, err := edits[0].Apply([]string{"a"}); err != nil || !reflect.DeepEqual(after, []string{"b"}) {
		t.Errorf("%q, %v", after, err)
	}
	shared.Users[0].AuthorizationInfo.CertificateUserIDs[0] = "c"
	if before.Users[0].AuthorizationInfo.CertificateUserIDs[0] != "c" {
		t.Error("a copy of the struct does not share: say so in the comment")
	}
	if diff := cmp.Diff(text(t, snapshot.Snapshot{}), text(t, snapshot.Snapshot{}.Clone())); diff != "" {
		t.Error(diff)
	}
}

func text(t *testing.T, s snapshot.Snapshot) string {
	t.Helper()
	b, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestThereAndBack(t *testing.T) {
	for _, s := range []snapshot.Snapshot{{}, full(), {Users: []snapshot.User{}, Strengths: []json.RawMessage{}},
		{Users: []snapshot.User{jane([]string{}...), {User: policy.User{ID: "2", MemberOf: []policy.DirectoryObject{}}}}}} {
		written := text(t, s)
		back, err := snapshot.Parse([]byte("\xef\xbb\xbf" + written))
		if err != nil {
			t.Fatalf("%v\n%s", err, written)
		}
		if diff := cmp.Diff(written, text(t, back)); diff != "" {
			t.Error(diff)
		}
		if (s.Users == nil) != (back.Users == nil) || (s.Strengths == nil) != (back.Strengths == nil) {
			t.Error("no list and an empty one are the same")
		}
		// What a program leaves empty and [] are the same: known to be empty.
		if diff := cmp.Diff(s.Users, back.Users, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("users: %s", diff)
		}
	}
}

// An Edit keeps what it does through JSON, also one that takes a change back.
func TestEditJSON(t *testing.T) {
	in := snapshot.Undo{User: "1", Before: []string{"a"}, After: []string{"b"}}.Edit()
	b, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var out snapshot.Edit
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	if got, err := out.Apply([]string{"b"}); err != nil || !reflect.DeepEqual(got, []string{"a"}) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestUserRefused(t *testing.T) {
	for name, bad := range map[string]string{
		"nothing": "", "no object": "[]", "null": "null", "no id": `{"userPrincipalName":"a"}`, "a name twice": `{"id":"1","id":"2"}`,
		"another type": `{"id":"1","authorizationInfo":{"certificateUserIds":7}}`, "synced is text": `{"id":"1","onPremisesSyncEnabled":"true"}`,
	} {
		if u, err := snapshot.ParseUser([]byte(bad)); !errors.Is(err, snapshot.Malformed) {
			t.Errorf("%s: %+v, %v", name, u, err)
		}
	}
	// In an envelope, and in PowerShell's letters, nothing is lost.
	u, err := snapshot.ParseUser([]byte(`{"@odata.context":"x","value":{"Id":"1","OnPremisesSyncEnabled":true,"displayName":"J","memberOf":[{"id":"g"}]}}`))
	if err != nil || u.ID != "1" || !u.Synced || u.DisplayName != "J" || len(u.MemberOf) != 1 {
		t.Errorf("%+v, %v", u, err)
	}
	// The place of what is wrong in a file.
	_, err = snapshot.Parse([]byte(`{"x509Certificate":{},"users":[{"id":"1"},{"id":2}]}`))
	if err == nil || !strings.Contains(err.Error(), "/users/1/id") {
		t.Errorf("the place is not named: %v", err)
	}
}

// A property that policy.User gets is read here, too.
func TestUserProperties(t *testing.T) {
	in := snapshot.User{User: policy.User{ID: "1", UserPrincipalName: "u", OnPremisesUserPrincipalName: "o", MemberOf: []policy.DirectoryObject{{ID: "g"}},
		Disabled: true, UserType: "Guest", TransitiveMemberOf: []policy.DirectoryObject{{ID: "h"}}, Missing: []policy.UserProperty{policy.TransitiveMemberOf},
		AuthorizationInfo: policy.AuthorizationInfo{CertificateUserIDs: []string{"a"}}}, DisplayName: "d", Synced: true}
	for v := range fields(reflect.ValueOf(in)) {
		if v.IsZero() {
			t.Fatal("this test leaves a field out")
		}
	}
	b, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	out, err := snapshot.ParseUser(b)
	if diff := cmp.Diff(in, out); diff != "" || err != nil {
		t.Errorf("%v: %s", err, diff)
	}
}

func fields(v reflect.Value) func(func(reflect.Value) bool) {
	return func(yield func(reflect.Value) bool) {
		for i := range v.NumField() {
			if f := v.Field(i); f.Kind() == reflect.Struct {
				fields(f)(yield)
			} else if !yield(f) {
				return
			}
		}
	}
}

// Nothing is needed for nothing: zero values do not panic.
func TestZero(t *testing.T) {
	var s snapshot.Snapshot
	if s.Edits(s) != nil {
		t.Error("edits of nothing")
	}
	if _, err := (snapshot.Edit{}).Apply(nil); err != nil {
		t.Error(err)
	}
	if err := (snapshot.Edit{}).Check(); !errors.Is(err, snapshot.InvalidEdit) {
		t.Error(err)
	}
	for _, err := range snapshot.ReadUndo(nil) {
		if !errors.Is(err, snapshot.Malformed) {
			t.Error(err)
		}
	}
	if sum, err := snapshot.Summarize(nil, nil); err != nil || sum.SignIns != 0 {
		t.Error(sum, err)
	}
	for range snapshot.SignIns(nil) {
		t.Error("a sign-in of nothing")
	}
	_ = snapshot.SignIn{}.UserID() + snapshot.SignIn{}.UserPrincipalName() + snapshot.SignIn{}.At().String() + snapshot.Undo{}.Edit().User +
		snapshot.Difference{}.String() + snapshot.Differences(nil).String() + snapshot.Unexpected{}.String() + snapshot.Summary{}.String() + (&snapshot.Error{}).Error()
	if _, ok := (snapshot.Row{}).Certificate(); ok {
		t.Error("a certificate of nothing")
	}
}
