package graphtest

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// StaticToken returns a credential that always returns this token, for clients in
// tests: StaticToken([Token]). It calls no service and does not know when the token
// expires. It never prints the token. An empty token is an error when it is used.
func StaticToken(token string) azcore.TokenCredential { return &staticToken{token} }

type staticToken struct{ token string }

func (s *staticToken) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if s.token == "" {
		return azcore.AccessToken{}, invalid(nil, "the token is empty")
	}
	return azcore.AccessToken{Token: s.token, ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// Format hides the token from every verb.
func (*staticToken) Format(f fmt.State, _ rune) { io.WriteString(f, "static access token") }
