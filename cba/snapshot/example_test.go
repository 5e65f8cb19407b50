package snapshot_test

import (
	"fmt"
	"log"

	"example.com/entracba/cba/snapshot"
)

const (
	savedMonday = `{"tenantId": "f1d3ff84-43fb-4a16-9b4b-2e0b9a6b7c11",
		"x509Certificate": {"id": "X509Certificate", "state": "enabled"},
		"users": [{"id": "1", "userPrincipalName": "jane@contoso.com", "authorizationInfo": {"certificateUserIds": ["X509:<PN>jane@contoso.com"]}}]}`
	savedTuesday = `{"tenantId": "f1d3ff84-43fb-4a16-9b4b-2e0b9a6b7c11",
		"x509Certificate": {"id": "X509Certificate", "state": "disabled"},
		"users": [{"id": "1", "userPrincipalName": "jane@contoso.com", "authorizationInfo": {"certificateUserIds": ["X509:<PN>jane@contoso.com", "X509:<SKI>0a1b2c"]}}]}`
)

// What has changed in the tenant since Monday.
func ExampleCompare() {
	differences, err := snapshot.Compare([]byte(savedMonday), []byte(savedTuesday))
	if err != nil {
		log.Fatal(err)
	}
	for _, d := range differences {
		fmt.Printf("%s: %s -> %s\n", d.Path, d.Before, d.After)
	}
	// Output:
	// x509Certificate.state: "enabled" -> "disabled"
	// users[1].authorizationInfo.certificateUserIds[X509:<SKI>0a1b2c]:  -> "X509:<SKI>0a1b2c"
}

// Which edits bring the users of one file to what another one says: graph.Client.PlanUsers
// takes them.
func ExampleSnapshot_Edits() {
	before, err := snapshot.Parse([]byte(savedMonday))
	if err != nil {
		log.Fatal(err)
	}
	after, err := snapshot.Parse([]byte(savedTuesday))
	if err != nil {
		log.Fatal(err)
	}
	for _, edit := range before.Edits(after) {
		values, err := edit.Apply([]string{"X509:<PN>jane@contoso.com"}) // what the account has now
		fmt.Println(edit.User, values, err)
	}
	// Output: 1 [X509:<PN>jane@contoso.com X509:<SKI>0a1b2c] <nil>
}
