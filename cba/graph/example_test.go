package graph_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/graph"
	"example.com/entracba/cba/graph/graphtest"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
	"example.com/entracba/cba/snapshot"
	"example.com/entracba/cba/trust"
)

// contoso is a client for the demonstration tenant. A program of yours calls
// graph.NewClient with a credential of package azidentity and
// graph.Options{Cloud: graph.GlobalCloud} instead.
func contoso() (*graph.Client, *graphtest.Server) {
	d, err := graphtest.Demo(time.Now())
	if err != nil {
		panic(err)
	}
	g, err := graphtest.New(d.Tenant, graphtest.Options{})
	if err != nil {
		panic(err)
	}
	s := graphtest.Serve(g)
	c, err := graph.NewClient(graphtest.StaticToken(graphtest.Token), graph.Options{Endpoint: s.URL + "/v1.0", Transport: s.Client().Transport})
	if err != nil {
		panic(err)
	}
	return c, s
}

// Change the method configuration: read, change, look at the plan, apply.
func Example() {
	c, s := contoso()
	defer s.Close()
	ctx := context.Background()

	config, err := c.Policy(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	config.CRLValidation.State = policy.Enabled
	plan, err := c.PlanPolicy(ctx, config)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(plan)
	if _, err := c.ApplyPolicy(ctx, plan, graph.ApplyOptions{}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// ~ crlValidationConfiguration.state: "disabled" -> "enabled"
}

// A change that would keep people out is not made.
func ExampleClient_ApplyPolicy_lockout() {
	c, s := contoso()
	defer s.Close()
	ctx := context.Background()

	config, _ := c.Policy(ctx)
	config.UserBindings = []policy.UserBinding{}
	plan, err := c.PlanPolicy(ctx, config)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = c.ApplyPolicy(ctx, plan, graph.ApplyOptions{})
	var e *graph.Error
	if errors.Is(err, graph.Lockout) && errors.As(err, &e) {
		fmt.Println(e.Findings[0].What)
	}
	// Output:
	// there are no username bindings, so no certificate can be connected to a user
}

// Give many users a value, keep what takes it back, and take it back.
func ExampleClient_ApplyUsers() {
	c, s := contoso()
	defer s.Close()
	ctx := context.Background()

	edits := snapshot.Edits(
		snapshot.Edit{User: "john@contoso.com", Add: []string{"X509:<SKI>00112233445566778899aabbccddeeff00112233"}},
		snapshot.Edit{User: "adele@contoso.com", Add: []string{"X509:<PN>adele@contoso.com"}},
	)
	var undo bytes.Buffer // a file, in a program
	for p, err := range c.ApplyUsers(ctx, c.PlanUsers(ctx, edits), graph.EditOptions{Undo: &undo}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(p)
	}
	for p, err := range c.ApplyUsers(ctx, c.PlanUsers(ctx, snapshot.ReadUndo(&undo)), graph.EditOptions{}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(p)
	}
	// Output:
	// john@contoso.com: written
	//   + X509:<SKI>00112233445566778899aabbccddeeff00112233
	// adele@contoso.com: skipped: the account is synced from Active Directory, so only Entra Connect writes its certificateUserIds
	// john@contoso.com: written
	//   - X509:<SKI>00112233445566778899aabbccddeeff00112233
}

// A renewed certificate: the new value takes the place of the old one.
func ExampleClient_EditUser() {
	c, s := contoso()
	defer s.Close()

	renewed, err := certuserid.Parse("X509:<PN>john.doe@contoso.com")
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := c.EditUser(context.Background(), snapshot.Edit{User: "john@contoso.com",
		Replace: []snapshot.Replacement{{Mapping: certuserid.PrincipalName, IDs: []certuserid.ID{renewed}}}}, graph.EditOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.Outcome, p.After)
	// Output:
	// written [X509:<PN>john.doe@contoso.com]
}

// Who has this value?
func ExampleClient_Holders() {
	c, s := contoso()
	defer s.Close()
	holders, err := c.Holders(context.Background(), "X509:<PN>jane@contoso.com")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, u := range holders {
		fmt.Println(u.UserPrincipalName)
	}
	// Output:
	// jane@contoso.com
}

// List every user without a value.
func ExampleClient_Users() {
	c, s := contoso()
	defer s.Close()
	for u, err := range c.Users(context.Background()) {
		if err != nil {
			fmt.Println(err)
			return
		}
		if len(u.AuthorizationInfo.CertificateUserIDs) == 0 {
			fmt.Println(u.UserPrincipalName)
		}
	}
	// Output:
	// megan@contoso.com
	// guest@woodgrove.com
}

// What is in the trust stores, and what is wrong with it?
func ExampleClient_Trust() {
	c, s := contoso()
	defer s.Close()
	stores, err := c.Trust(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, pki := range stores.PKIs {
		fmt.Println(pki.DisplayName, len(pki.CertificateAuthorities))
	}
	fmt.Println("classic", len(stores.Classic.CertificateAuthorities))
	for _, f := range stores.Findings(time.Now()) {
		fmt.Println(f.Code)
		break
	}
	// Output:
	// Contoso PKI 2
	// classic 1
	// trust-classic-ca-expired
}

// Move the classic store into a PKI. What has expired is left out.
func ExampleClient_MigrateClassic() {
	c, s := contoso()
	defer s.Close()
	pki, added, err := c.MigrateClassic(context.Background(), "From the classic store")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(pki.DisplayName, len(added))
	// Output:
	// From the classic store 0
}

// Replace the classic store. It has no update, so that a backup is required.
func ExampleClient_ReplaceClassic() {
	c, s := contoso()
	defer s.Close()
	ctx := context.Background()

	stores, err := c.Trust(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	root := stores.PKIs[0].CertificateAuthorities[0]
	next := trust.Classic{CertificateAuthorities: []trust.ClassicAuthority{{Certificate: root.Certificate, IsRootAuthority: true}}}
	var backup bytes.Buffer // a file, in a program
	_, err = c.ReplaceClassic(ctx, next, &backup, graph.ReplaceOptions{})
	fmt.Println(err != nil) // the old CA has expired: there would be no way back
	before, err := c.ReplaceClassic(ctx, next, &backup, graph.ReplaceOptions{AllowNoRollback: true})
	fmt.Println(len(before.CertificateAuthorities), err)
	// Output:
	// true
	// 1 <nil>
}

// Change the whole tenant by a plan that is saved first: it is the backup, too.
func ExampleClient_PlanTenant() {
	c, s := contoso()
	defer s.Close()
	ctx := context.Background()

	config, err := c.Tenant(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	wanted := config.Clone()
	wanted.Policy.UserBindings = []policy.UserBinding{policy.Bind(certuserid.IssuerAndSerialNumber, policy.CertificateUserIDs, 1)}
	wanted.Trust.PKIs[0].CertificateAuthorities[0].CertificateRevocationListURL = "http://crl.contoso.com/new.crl"
	plan, err := c.PlanTenant(ctx, wanted)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(plan.Trust.Steps), "change of the trust store,", len(plan.Policy.Differences), "of the method")
	var file bytes.Buffer // a file, in a program
	if _, err := c.ApplyTenant(ctx, plan, &file, graph.TenantOptions{}); err != nil {
		fmt.Println(err)
		return
	}
	var saved graph.TenantPlan
	if err := json.Unmarshal(file.Bytes(), &saved); err != nil {
		fmt.Println(err)
		return
	}
	back, err := saved.Reverse()
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = c.ApplyTenant(ctx, back, io.Discard, graph.TenantOptions{})
	fmt.Println("taken back:", err == nil)
	// Output:
	// 1 change of the trust store, 4 of the method
	// taken back: true
}

// Count the sign-ins of a day.
func ExampleClient_SignInLog() {
	c, s := contoso()
	defer s.Close()
	rows := c.SignInLog(context.Background(), time.Now().Add(-24*time.Hour), graph.SignInQuery{})
	summary, err := snapshot.Summarize(snapshot.SignIns(rows), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, count := range summary.Codes {
		fmt.Println(count.Name, count.SignIns)
	}
	// Output:
	// AADSTS500171 1
	// AADSTS500173 1
}

// Write the tenant into a file that every tool of this module reads.
func ExampleClient_Snapshot() {
	c, s := contoso()
	defer s.Close()
	snapshot, err := c.Snapshot(context.Background(), graph.SnapshotOptions{Groups: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := json.MarshalIndent(snapshot, "", "  ")
	if err != nil {
		fmt.Println(err)
		return
	}
	config, err := signin.ParseConfig(text)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(config.Policy.State, len(snapshot.Users))
	// Output:
	// enabled 4
}

// What an error says.
func ExampleError() {
	c, s := contoso()
	defer s.Close()
	if err := s.Inject(graphtest.Fault{Kind: graphtest.Forbidden}); err != nil {
		fmt.Println(err)
		return
	}
	_, err := c.Policy(context.Background())
	var e *graph.Error
	if errors.Is(err, graph.Forbidden) && errors.As(err, &e) {
		fmt.Fprintln(os.Stdout, e.Status, e.Code, e.Permission)
	}
	// Output:
	// 403 Authorization_RequestDenied Policy.Read.AuthenticationMethod
}
