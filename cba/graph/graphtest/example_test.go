package graphtest_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"example.com/entracba/cba/graph/graphtest"
)

// call sends a request with the token and returns status and body.
func call(client *http.Client, method, url, body string) (int, string) {
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return 0, err.Error()
	}
	r.Header.Set("Authorization", "Bearer "+graphtest.Token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := client.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return answer.StatusCode, err.Error()
	}
	return answer.StatusCode, string(text)
}

// Start a Graph with one user, and give that user a value, as a program would.
func Example() {
	g, err := graphtest.New(graphtest.Tenant{
		Users: []graphtest.User{{ID: "1", UserPrincipalName: "jane@contoso.com"}},
	}, graphtest.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	server := graphtest.Serve(g)
	defer server.Close()

	status, _ := call(server.Client(), "PATCH", server.URL+"/v1.0/users/jane@contoso.com",
		`{"authorizationInfo":{"certificateUserIds":["X509:<PN>jane@contoso.com"]}}`)
	fmt.Println(status)
	_, body := call(server.Client(), "GET", server.URL+"/v1.0/users/1?$select=authorizationInfo", "")
	fmt.Println(strings.Contains(body, `"X509:<PN>jane@contoso.com"`))
	// Output:
	// 204
	// true
}

// Mount the handler instead of starting a server.
func ExampleGraph_ServeHTTP() {
	g, err := graphtest.New(graphtest.Tenant{ID: "00000000-0000-4000-8000-0000000000f1"}, graphtest.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	r := httptest.NewRequest("GET", "https://graph.example/mounted/here/v1.0/organization?$select=id", nil)
	r.Header.Set("Authorization", "Bearer "+graphtest.Token)
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Body)
	// Output:
	// 200 {"@odata.context":"https://graph.example/mounted/here/v1.0/$metadata#organization","value":[{"id":"00000000-0000-4000-8000-0000000000f1"}]}
}

// See how a program copes with being throttled on its second write.
func ExampleGraph_Inject() {
	g, err := graphtest.New(graphtest.Tenant{
		Users: []graphtest.User{{ID: "1", UserPrincipalName: "jane@contoso.com"}},
	}, graphtest.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	err = g.Inject(graphtest.Fault{Kind: graphtest.Throttled, Method: "PATCH", Path: "/users/*", Skip: 1, RetryAfter: 2 * time.Second})
	if err != nil {
		fmt.Println(err)
		return
	}
	server := graphtest.Serve(g)
	defer server.Close()
	for range 3 {
		status, _ := call(server.Client(), "PATCH", server.URL+"/v1.0/users/1", `{"authorizationInfo":{"certificateUserIds":[]}}`)
		fmt.Println(status)
	}
	fmt.Println("pending:", g.Pending())
	// Output:
	// 204
	// 429
	// 204
	// pending: 0
}

// Assert what a program sent.
func ExampleGraph_Requests() {
	g, err := graphtest.New(graphtest.Tenant{}, graphtest.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	server := graphtest.Serve(g)
	defer server.Close()
	call(server.Client(), "GET", server.URL+"/beta/auditLogs/signIns?$top=5", "")
	for _, r := range g.Requests() {
		fmt.Println(r.Method, strings.TrimPrefix(r.URL, server.URL), r.Status, r.Header.Get("Authorization") == "")
	}
	g.ForgetRequests()
	fmt.Println(len(g.Requests()))
	// Output:
	// GET /beta/auditLogs/signIns?$top=5 200 true
	// 0
}

// A write that nobody sees for two reads, as replication has it.
func ExampleDelay() {
	g, err := graphtest.New(graphtest.Tenant{
		Users: []graphtest.User{{ID: "1", UserPrincipalName: "jane@contoso.com"}},
	}, graphtest.Options{Lag: graphtest.Delay{Reads: 2}})
	if err != nil {
		fmt.Println(err)
		return
	}
	server := graphtest.Serve(g)
	defer server.Close()
	call(server.Client(), "PATCH", server.URL+"/v1.0/users/1", `{"authorizationInfo":{"certificateUserIds":["X509:<SKI>01"]}}`)
	for range 3 {
		_, body := call(server.Client(), "GET", server.URL+"/v1.0/users/1?$select=authorizationInfo", "")
		fmt.Println(strings.Contains(body, "X509:<SKI>01"))
	}
	fmt.Println("in truth:", g.Tenant().Users[0].CertificateUserIDs)
	// Output:
	// false
	// false
	// true
	// in truth: [X509:<SKI>01]
}

// Upload a bundle: the fake asks the test for the file and never the network.
func ExampleOptions_upload() {
	file := []byte("not a bundle")
	g, err := graphtest.New(graphtest.Tenant{PKIs: []graphtest.PKI{{ID: "p", DisplayName: "Contoso PKI"}}}, graphtest.Options{
		Fetch:  func(_ context.Context, url string) ([]byte, error) { fmt.Println("fetch", url); return file, nil },
		Upload: graphtest.Delay{Reads: 1},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	server := graphtest.Serve(g)
	defer server.Close()
	pki := server.URL + "/v1.0/directory/publicKeyInfrastructure/certificateBasedAuthConfigurations/p"
	status, _ := call(server.Client(), "POST", pki+"/upload",
		fmt.Sprintf(`{"uploadUrl":"https://files.contoso.com/cas.p7b","sha256FileHash":"%x"}`, sha256.Sum256(file)))
	fmt.Println(status)
	for range 2 {
		_, body := call(server.Client(), "GET", pki+"?$select=status,statusDetails", "")
		_, body, _ = strings.Cut(body, `"status":`)
		fmt.Println(body)
	}
	// Output:
	// fetch https://files.contoso.com/cas.p7b
	// 204
	// "running","statusDetails":null}
	// "failed","statusDetails":"the file is not a .p7b bundle"}
}

// The tenant of the examples.
func ExampleDemo() {
	demo, err := graphtest.Demo(time.Now())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, u := range demo.Tenant.Users {
		fmt.Println(u.UserPrincipalName, len(u.CertificateUserIDs), u.Synced)
	}
	root := graphtest.NewAuthority(demo.Certificates["jane@contoso.com"])
	fmt.Println(root.DisplayName, root.Issuer, root.Type)
	// Output:
	// jane@contoso.com 2 false
	// john@contoso.com 1 false
	// alex@contoso.com 1 false
	// adele@contoso.com 1 true
	// megan@contoso.com 0 false
	// guest@woodgrove.com 0 false
	// Jane CN=Contoso Issuing CA intermediate
}
