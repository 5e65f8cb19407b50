package tenant

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"example.com/entracba/cba/graph"
)

type failing struct{ err error }

func (f failing) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{}, f.err
}

// Who has no token is told how to get one, and why none of the ways worked.
func TestNoToken(t *testing.T) {
	cause := errors.New("EnvironmentCredential: missing environment variable")
	in, err := open(chain{failing{cause}, "contoso.onmicrosoft.com"}, graph.Options{Cloud: graph.GlobalCloud})
	if err != nil {
		t.Fatal(err)
	}
	_, err = in.Policy(context.Background())
	if !errors.Is(err, cause) || !strings.Contains(err.Error(), "az login --tenant contoso.onmicrosoft.com") || !strings.Contains(err.Error(), "missing environment variable") {
		t.Errorf("error %v", err)
	}
}
