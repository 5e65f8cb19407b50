package tenant_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"example.com/entracba/examples/internal/tenant"
)

// The demonstration answers, and knows the users it is given, each once.
func TestDemonstration(t *testing.T) {
	in, err := tenant.Flags{}.Open("new@yourdomain.com", "NEW@yourdomain.com", "Jane@contoso.com")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	names := map[string]int{}
	for u, err := range in.Users(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		names[strings.ToLower(u.UserPrincipalName)]++
	}
	if len(names) != 7 || names["new@yourdomain.com"] != 1 || names["jane@contoso.com"] != 1 {
		t.Errorf("users %v", names)
	}
	var said strings.Builder
	in.Announce(&said)
	if strings.Count(said.String(), "\n") != 2 || !strings.HasPrefix(said.String(), "Demonstration: ") {
		t.Errorf("announced %q", said.String())
	}
}

// A token is in no error and not in what prints a client.
func TestTokenIsNotPrinted(t *testing.T) {
	const secret = "s3cr3t-t0ken"
	t.Setenv(tenant.TokenVariable, " "+secret+"\n")
	in, err := tenant.Flags{Endpoint: "https://127.0.0.1:1/v1.0"}.Open()
	if err != nil {
		t.Fatal(err)
	}
	in.Attempts = 1
	_, err = in.Policy(context.Background())
	if err == nil || strings.Contains(fmt.Sprintf("%v %+v %#v", err, in, in.Client), secret) {
		t.Errorf("error %v", err)
	}
	t.Setenv(tenant.TokenVariable, secret+"\x01")
	if _, err := (tenant.Flags{Endpoint: "https://127.0.0.1:1/v1.0"}).Open(); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("error %v", err)
	}
}

func TestDefaultChain(t *testing.T) {
	if _, err := (tenant.Flags{ID: "contoso.onmicrosoft.com"}).Open(); err != nil {
		t.Errorf("a tenant by its domain: %v", err)
	}
	for _, id := range []string{"no tenant", "../x", "a/b", "ü"} {
		if _, err := (tenant.Flags{ID: id}).Open(); err == nil || !strings.Contains(err.Error(), "-tenant") {
			t.Errorf("%q: %v", id, err)
		}
	}
}
