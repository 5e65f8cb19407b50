package graphtest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
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
