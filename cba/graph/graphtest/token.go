package graphtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// StaticToken returns a credential that hands out this one token, for clients in
// tests: StaticToken([Token]). It asks no service, and it does not know when the
// token expires. The credential does not print the token, and has none for an empty
// one.
func StaticToken(token string) azcore.TokenCredential { return &staticToken{token} }

type staticToken struct{ token string }

func (s *staticToken) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if s.token == "" {
		return azcore.AccessToken{}, errors.New("graphtest: the token is empty")
	}
	return azcore.AccessToken{Token: s.token, ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// Format hides the token from every verb.
func (*staticToken) Format(f fmt.State, _ rune) { io.WriteString(f, "static access token") }
