package graphtest_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba/graph/graphtest"
)

// sub is one answer of a batch.
type sub struct {
	ID      string
	Status  int
	Headers map[string]string
	Body    map[string]any
}

func (f *fake) batch(requests ...string) (order []string, byID map[string]sub) {
	f.t.Helper()
	a := f.must(200, "POST /$batch", `{"requests":[`+strings.Join(requests, ",")+`]}`)
	var out struct{ Responses []sub }
	if err := json.Unmarshal(a.text, &out); err != nil {
		f.t.Fatal(err)
	}
	byID = map[string]sub{}
	for _, s := range out.Responses {
		order = append(order, s.ID)
		byID[s.ID] = s
	}
	return order, byID
}

func patchPart(id, user, value string) string {
	return fmt.Sprintf(`{"id":%q,"method":"PATCH","url":"/users/id-%s","headers":{"Content-Type":"application/json"},"body":%s}`, id, user, ids(value))
}

func TestBatch(t *testing.T) {
	f := newFake(t, graphtest.Tenant{Users: people("jane", "john", "alex")}, graphtest.Options{})
	order, got := f.batch(
		patchPart("1", "jane", "v"),
		patchPart("2", "john", "v"),
		`{"id":"3","method":"GET","url":"users/id-jane?$select=authorizationInfo","headers":{"ConsistencyLevel":"eventual"}}`,
		`{"id":"4","method":"GET","url":"/users?$count=true&$filter=authorizationInfo/certificateUserIds/any(x:x%20eq%20'v')","headers":{"ConsistencyLevel":"eventual"}}`,
		`{"id":"5","method":"GET","url":"/users?$count=true&$filter=authorizationInfo/certificateUserIds/any(x:x eq 'v')"}`,
		`{"id":"6","method":"PATCH","url":"/users/id-alex","body":`+ids("w")+`}`,
		`{"id":"7","method":"get","url":"/users/id-nobody"}`,
	)
	if strings.Join(order, "") != "7654321" {
		t.Errorf("order %q: nobody shall rely on it", order)
	}
	for id, want := range map[string]int{"1": 204, "2": 400, "3": 200, "4": 200, "5": 400, "6": 415, "7": 404} {
		if got[id].Status != want {
			t.Errorf("%s: status %d, want %d: %v", id, got[id].Status, want, got[id].Body)
		}
		if got[id].Headers["Request-Id"] == "" {
			t.Errorf("%s: no request-id in %v", id, got[id].Headers)
		}
	}
	if got["1"].Body != nil {
		t.Errorf("204 with the body %v", got["1"].Body)
	}
	if info, _ := got["3"].Body["authorizationInfo"].(map[string]any); info == nil {
		t.Errorf("3: %v", got["3"].Body)
	}
	if parts := f.Requests()[0].Parts; len(parts) != 7 || parts[0].Method != "PATCH" || parts[0].URL != "https://graph.example/v1.0/users/id-jane" || parts[1].Status != 400 {
		t.Errorf("recorded: %+v", parts)
	}

	part := func(id string) string { return fmt.Sprintf(`{"id":%q,"method":"GET","url":"/users"}`, id) }
	many := func(n int) string {
		var list []string
		for i := range n {
			list = append(list, part(fmt.Sprint(i)))
		}
		return `{"requests":[` + strings.Join(list, ",") + `]}`
	}
	f.run([]step{
		{"20", "POST /$batch", many(20), nil, 200, "responses"},
		{"beta", "POST /beta/$batch", many(1), nil, 200, "responses"},
		{"21", "POST /$batch", many(21), nil, 400, "maximum value of 20"},
		{"none", "POST /$batch", `{"requests":[]}`, nil, 400, "requests"},
		{"not a batch", "POST /$batch", `{}`, nil, 400, "requests"},
		{"one id twice", "POST /$batch", `{"requests":[` + part("1") + "," + part("1") + `]}`, nil, 400, "id"},
		{"no id", "POST /$batch", `{"requests":[` + part("") + `]}`, nil, 400, "id"},
		{"absolute", "POST /$batch", `{"requests":[{"id":"1","method":"GET","url":"https://graph.example/v1.0/users"}]}`, nil, 400, "below the version"},
		{"batch in a batch", "POST /$batch", `{"requests":[{"id":"1","method":"POST","url":"/$batch"}]}`, nil, 400, "cannot be used"},
		{"circle", "POST /$batch", `{"requests":[{"id":"1","method":"GET","url":"/users","dependsOn":["2"]},{"id":"2","method":"GET","url":"/users","dependsOn":["1"]}]}`, nil, 400, "circle"},
		{"circle behind a write", "POST /$batch", `{"requests":[` + patchPart("0", "alex", "circle") + `,{"id":"1","method":"GET","url":"/users","dependsOn":["1"]}]}`, nil, 400, "circle"},
		{"unknown dependency", "POST /$batch", `{"requests":[{"id":"1","method":"GET","url":"/users","dependsOn":["2"]}]}`, nil, 400, "not in the batch"},
		{"GET", "GET /$batch", "", nil, 405, ""},
	})
	if got := f.Tenant().Users[2].CertificateUserIDs; len(got) != 0 {
		t.Errorf("a batch that was refused wrote %q", got)
	}
}

func TestBatchDependencies(t *testing.T) {
	f := newFake(t, graphtest.Tenant{Users: people("jane", "john")}, graphtest.Options{})
	after := func(part, id string) string {
		return strings.TrimSuffix(part, "}") + `,"dependsOn":["` + id + `"]}`
	}
	// 1 waits for 2, which stands behind it.
	_, got := f.batch(after(patchPart("1", "john", "v"), "2"), patchPart("2", "jane", "v"))
	if got["2"].Status != 204 || got["1"].Status != 400 {
		t.Errorf("the order was not kept: %v", got)
	}
	_, got = f.batch(after(patchPart("1", "jane", "w"), "2"), patchPart("2", "nobody", "w"), after(patchPart("3", "john", "w"), "1"))
	if got["2"].Status != 404 || got["1"].Status != 424 || got["3"].Status != 424 {
		t.Errorf("failed dependencies: %v", got)
	}
	if f.Tenant().Users[0].CertificateUserIDs[0] != "v" {
		t.Error("a request was carried out although the one before it failed")
	}
}

func TestBatchFaults(t *testing.T) {
	f := newFake(t, graphtest.Tenant{Users: people("jane", "john")}, graphtest.Options{})
	f.inject(graphtest.Fault{Kind: graphtest.Throttled, Method: "PATCH", Path: "/users/id-john", RetryAfter: 1500 * time.Millisecond})
	f.inject(graphtest.Fault{Kind: graphtest.Reset, Path: "/users/**", Times: -1}) // no meaning inside a batch
	_, got := f.batch(patchPart("1", "jane", "a"), patchPart("2", "john", "b"))
	if got["1"].Status != 204 || got["2"].Status != 429 || got["2"].Headers["Retry-After"] != "2" {
		t.Errorf("%v", got)
	}
	if users := f.Tenant().Users; len(users[0].CertificateUserIDs) != 1 || len(users[1].CertificateUserIDs) != 0 {
		t.Errorf("%v", users)
	}
	_, got = f.batch(patchPart("2", "john", "b"))
	if got["2"].Status != 204 {
		t.Errorf("again: %v", got)
	}
	// The batch as a whole.
	f.inject(graphtest.Fault{Kind: graphtest.Unavailable, Path: "/$batch"})
	if a := f.do("POST /$batch", `{"requests":[`+patchPart("1", "jane", "c")+`]}`); a.status != 503 {
		t.Errorf("%s", a.text)
	}
	if got := f.Tenant().Users[0].CertificateUserIDs[0]; got != "a" {
		t.Errorf("carried out all the same: %q", got)
	}
}
