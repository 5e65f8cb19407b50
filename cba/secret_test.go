package cba_test

import (
	"bytes"
	"crypto/ecdsa"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"example.com/entracba/cba"
	"example.com/entracba/cba/crl/publish"
	"example.com/entracba/cba/dn"
)

// No way to write a value shows a private key, or what Finish made.
func TestNothingShowsTheKey(t *testing.T) {
	key, err := cba.P256.Generate()
	if err != nil {
		t.Fatal(err)
	}
	authority := cba.Authority{Name: dn.Name{{{Type: dn.CommonName, Value: "Contoso Root CA"}}}, Key: key}
	root, err := cba.NewRoot(t.Context(), authority)
	if err != nil {
		t.Fatal(err)
	}
	const made = "the password of the file"
	result := cba.Result{Index: 7, Task: cba.Task{Subject: cba.Subject{UPN: "jane@contoso.com"}}, Key: key, Certificate: root.Certificate, Made: made}
	scalar, err := key.(*ecdsa.PrivateKey).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	d := key.(*ecdsa.PrivateKey).D //lint:ignore SA1019 as JSON would write it
	shown := []string{d.String(), d.Text(16), fmt.Sprint(scalar), made}
	for _, v := range []any{authority, &authority, root, result, &result, []cba.Result{result}, map[string]any{"r": result},
		&publish.Issuer{Certificate: root.Certificate, Key: key}} {
		var out bytes.Buffer
		if err := json.NewEncoder(&out).Encode(v); err != nil {
			fmt.Fprint(&out, err) // a clock is a function
		}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "v", v)
		for _, s := range shown {
			if strings.Contains(out.String(), s) {
				t.Errorf("%T shows %q:\n%s", v, s, out.String())
			}
		}
		if !strings.Contains(out.String(), "Contoso") && !strings.Contains(out.String(), "jane") {
			t.Errorf("%T says nothing: %s", v, out.String())
		}
	}
}
