package graphtest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"example.com/entracba/cba/graph/graphtest"
)

func TestStaticToken(t *testing.T) {
	c := graphtest.StaticToken("s3cret")
	got, err := c.GetToken(t.Context(), policy.TokenRequestOptions{})
	if err != nil || got.Token != "s3cret" || got.ExpiresOn.IsZero() {
		t.Error(got.ExpiresOn, err)
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "credential", c)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "credential", c)
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if all := fmt.Sprintf("%v %+v %#v %s %q %d %s %s", c, c, c, c, c, c, text, &log); strings.Contains(all, "s3cret") {
		t.Errorf("it prints itself: %s", all)
	}
	if _, err := graphtest.StaticToken("").GetToken(t.Context(), policy.TokenRequestOptions{}); err == nil {
		t.Error("an empty token was handed out")
	}
}

// A Graph that New did not make, and arguments that are nothing, do not panic.
func TestZero(t *testing.T) {
	for name, g := range map[string]*graphtest.Graph{"nil": nil, "zero": {}} {
		w := httptest.NewRecorder()
		g.ServeHTTP(w, httptest.NewRequest("GET", "/v1.0/users", nil))
		if w.Code != 500 || !errors.Is(g.Load(graphtest.Tenant{}), graphtest.Invalid) || g.Tenant().Users != nil {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
	s := graphtest.Serve(nil)
	defer s.Close()
	if r, err := s.Client().Get(s.URL); err != nil || r.StatusCode != 500 {
		t.Error(r, err)
	}
	g, err := graphtest.New(graphtest.Tenant{}, graphtest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []graphtest.Kind{0, 200} {
		if err := g.Inject(graphtest.Fault{Kind: kind}); !errors.Is(err, graphtest.Invalid) {
			t.Errorf("a fault of kind %v: %v", kind, err)
		}
	}
	if a := graphtest.NewAuthority(nil); a.Certificate != nil {
		t.Errorf("%+v", a)
	}
	for _, kind := range graphtest.Kinds() {
		var back graphtest.Kind
		if text, err := kind.MarshalText(); err != nil || back.UnmarshalText(text) != nil || back != kind {
			t.Errorf("%v: %s, %v", kind, text, err)
		}
	}
	if (&graphtest.Error{}).Error() == "" || errors.Is(&graphtest.Error{}, graphtest.Invalid) {
		t.Error("the zero error")
	}
}

// What is kept of a request has neither the token nor a cookie, in a batch either.
func TestRecordHasNoToken(t *testing.T) {
	f := newFake(t, graphtest.Tenant{}, graphtest.Options{})
	f.ServeHTTP(httptest.NewRecorder(), newRequest("POST /$batch", `{"requests":[{"id":"1","method":"GET","url":"/users","headers":{"Authorization":"Bearer s3cret","cookie":"s3cret","x":"y"}}]}`,
		"Authorization: Bearer s3cret", "Cookie: a=s3cret"))
	f.ServeHTTP(httptest.NewRecorder(), newRequest("GET /users", "", "Cookie: a=s3cret", "X: y"))
	all := f.Requests()
	if len(all) != 2 || all[1].Header.Get("X") != "y" || all[1].Header.Get("Cookie") != "" || all[1].Header.Get("Authorization") != "" {
		t.Errorf("%+v", all)
	}
	for _, r := range all {
		for _, h := range append([]graphtest.Request{r}, r.Parts...) {
			if strings.Contains(fmt.Sprint(h.Header), "s3cret") {
				t.Errorf("%+v", h.Header)
			}
		}
	}
}
