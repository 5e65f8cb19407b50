package certs_test

import (
	"encoding/json"
	"testing"
)

func mustJSON(tb testing.TB, v any) []byte {
	tb.Helper()
	out, err := json.Marshal(v)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

func parseJSON(tb testing.TB, text string) map[string]string {
	tb.Helper()
	out := map[string]string{}
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		tb.Fatal(err)
	}
	return out
}
