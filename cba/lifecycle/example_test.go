package lifecycle_test

import (
	"context"
	"fmt"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/lifecycle"
)

// Jane's certificate is renewed. Her account gets the new value beside the old
// one, and loses the old one when the old certificate has expired.
func ExamplePlanRenewal() {
	today := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	clock := today.AddDate(0, 0, -300)
	root, _ := cba.NewRoot(context.Background(), cba.Authority{Name: dn.Name{{{Type: dn.CommonName, Value: "Contoso Root CA"}}}, KeyType: cba.P256,
		Now: func() time.Time { return clock }})
	oldKey, _ := cba.P256.Generate()
	old, _ := root.Issue(context.Background(), oldKey.Public(), cba.Subject{UPN: "jane@yourdomain.com"}, cba.Profile{})
	clock = today
	newKey, _ := cba.P256.Generate()
	renewed, _ := root.Issue(context.Background(), newKey.Public(), cba.Subject{UPN: "jane@yourdomain.com"}, cba.Profile{})

	bound, _ := certuserid.FromCertificate(old, certuserid.SKI)
	ids, _ := certuserid.NewSet(bound.String())
	account := lifecycle.Account{User: "jane@yourdomain.com", IDs: ids}
	plan, err := lifecycle.PlanRenewal(account, renewed, []lifecycle.HeldCertificate{{Certificate: old}}, today, lifecycle.RenewalOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, step := range plan.Steps {
		fmt.Printf("%s: add %d, remove %d\n", step.NotBefore.Format(time.DateOnly), len(step.Add), len(step.Remove))
	}
	now, _ := plan.Apply(ids, today)
	later, _ := plan.Apply(now, today.AddDate(0, 0, 90))
	fmt.Println(now.Len(), "values now,", later.Len(), "in the end")

	// Output:
	// 2026-11-21: add 1, remove 0
	// 2027-01-25: add 0, remove 1
	// 2 values now, 1 in the end
}

// Jane leaves.
func ExamplePlanLeaving() {
	today := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	root, _ := cba.NewRoot(context.Background(), cba.Authority{Name: dn.Name{{{Type: dn.CommonName, Value: "Contoso Root CA"}}}, KeyType: cba.P256,
		Now: func() time.Time { return today }})
	key, _ := cba.P256.Generate()
	cert, _ := root.Issue(context.Background(), key.Public(), cba.Subject{UPN: "jane@yourdomain.com"}, cba.Profile{})
	bound, _ := certuserid.FromCertificate(cert, certuserid.SKI)
	ids, _ := certuserid.NewSet(bound.String(), "X509:<SKI>0102030405")

	account := lifecycle.Account{User: "jane@yourdomain.com", IDs: ids}
	plan, err := lifecycle.PlanLeaving(account, []lifecycle.HeldCertificate{{Certificate: cert}}, today, lifecycle.LeavingOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, action := range plan.Actions {
		fmt.Printf("%d. %v", i+1, action.Kind)
		if r := action.Request; r != nil {
			fmt.Print(": ", r.Method, " ", r.Path)
		}
		fmt.Println()
	}
	fmt.Println(plan.Findings[0])

	// Output:
	// 1. block-sign-in: PATCH /users/jane@yourdomain.com
	// 2. revoke-sessions: POST /users/jane@yourdomain.com/revokeSignInSessions
	// 3. disable-devices: GET /users/jane@yourdomain.com/registeredDevices
	// 4. revoke-certificates
	// 5. publish-delta
	// 6. remove-ids
	// 7. remove-certificates
	// 8. destroy-copies
	// warning: leaving-unknown-value: X509:<SKI>0102030405: a stored value matches none of the certificates; find the certificate that the value is for, and revoke it: the plan removes the value, but the certificate remains valid
}
