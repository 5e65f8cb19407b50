package offline_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

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

// Of a list, which examples/issue writes, the user is taken whom the certificate names.
func TestList(t *testing.T) {
	cert, err := os.ReadFile("sample/p256.crt")
	if err != nil {
		t.Fatal(err)
	}
	tenant, err := os.ReadFile("sample/p256.json")
	if err != nil {
		t.Fatal(err)
	}
	const jane, john = `{"userPrincipalName":"Jane@contoso.com","accountEnabled":true,"userType":"Member"}`, `{"userPrincipalName":"john@contoso.com","accountEnabled":true,"userType":"Member"}`
	for list, want := range map[string]string{
		john + "\n" + jane + "\n":               "",
		"[" + john + "," + jane + "]":           "",
		`{"value":[` + jane + "," + john + "]}": "",
		"userPrincipalName,accountEnabled,userType\njohn@contoso.com,true,Member\njane@contoso.com,true,Member\n": "",
		john + "\n" + john + "\n":               `this is a list of 2 users, and the name in the certificate, "jane@contoso.com", is that of 0 of them`,
		john + "\n" + jane + "\n" + jane + "\n": "is that of 2 of them",
	} {
		a := offline.Ask(t.Context(), offline.Request{Certificate: cert, Tenant: tenant, User: []byte(list), At: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)})
		if want == "" && (len(a.Problems) > 0 || a.Verdict == nil || !a.Verdict.SignedIn) || want != "" && (len(a.Problems) != 1 || !strings.Contains(a.Problems[0].Text, want)) {
			t.Errorf("%s: %+v", list, a.Problems)
		}
		if strings.HasPrefix(list, "{\"user") && offline.KindOf([]byte(list)) != "user" {
			t.Errorf("%s is taken for a %s", list, offline.KindOf([]byte(list)))
		}
	}
	if a := offline.Ask(t.Context(), offline.Request{User: []byte(john + "\n" + jane), At: time.Now()}); len(a.Problems) != 1 || !strings.Contains(a.Problems[0].Text, "give the certificate") {
		t.Errorf("%+v", a.Problems)
	}
}
