//go:build browsers && linux

package browser

import (
	"context"
	"fmt"
	"net/url"
	"os/exec"
	"strings"
	"testing"
)

// A curl has a PFX file, and no page with a form.
type curl struct {
	t             *testing.T
	ca            string
	pfx, password string // none if empty
}

func (c curl) signIn(ctx context.Context, user, hints, tls string) (page string, png []byte, err error) {
	label := map[[2]string]string{{"", ""}: "", {"off", ""}: "", {"on", ""}: "hints.", {"", "1.2"}: "tls12.", {"off", "1.2"}: "tls12.", {"on", "1.2"}: "hints-tls12."}[[2]string{hints, tls}]
	config := fmt.Sprintf("cacert = %q\n", c.ca)
	if c.pfx != "" {
		config += fmt.Sprintf("cert-type = P12\ncert = %q\n", c.pfx+":"+c.password)
	}
	// The password is on no command line.
	cmd := exec.CommandContext(ctx, "curl", "-sS", "-K", "-", "https://"+label+"certauth.login.microsoftonline.com/?user="+url.QueryEscape(user))
	cmd.Stdin = strings.NewReader(config)
	var trouble strings.Builder
	cmd.Stderr = &trouble
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, trouble.String())
	}
	return string(out), nil, err
}
