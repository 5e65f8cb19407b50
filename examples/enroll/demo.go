package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"example.com/entracba/cba"
	"example.com/entracba/cba/crl"
	"example.com/entracba/examples/internal/console"
)

// demonstrate plays one user of the service at url: a key, a request, a
// certificate, and its end.
func demonstrate(ctx context.Context, url string) error {
	key, err := cba.P256.Generate()
	if err != nil {
		return err
	}
	// The request asks for another account. The service does not follow.
	request, err := cba.NewRequest(ctx, key, cba.Subject{UPN: "admin@yourdomain.com"})
	if err != nil {
		return err
	}
	content, err := call(ctx, "POST", url+"/enroll", request.PEM())
	var got enrolment
	if err := errors.Join(err, json.Unmarshal(content, &got)); err != nil {
		return err
	}
	certs, err := cba.ParseCertificates([]byte(got.Certificate))
	if err != nil {
		return err
	}
	subject, err := cba.SubjectOf(certs[0])
	if err != nil {
		return err
	}
	fmt.Fprintf(console.Stdout, "The certificate is for %s, valid until %s.\n", subject.UPN, certs[0].NotAfter.Format("2006-01-02"))
	console.Findings(console.Stdout, console.StyleFor(os.Stdout), console.All(got.Request)...)
	fmt.Fprintln(console.Stdout, "\nTo bind it to the account, store one of these in certificateUserIds:")
	for _, id := range got.CertificateUserIDs {
		fmt.Fprintf(console.Stdout, "  %-4v  %v\n", id.Mapping().Affinity(), id)
	}
	if _, err := call(ctx, "POST", url+"/revoke", []byte(got.Certificate)); err != nil {
		return err
	}
	if content, err = call(ctx, "GET", certs[0].CRLDistributionPoints[0], nil); err != nil {
		return err
	}
	list, err := crl.Parse(content)
	if err != nil {
		return err
	}
	if err := list.Check(certs[1], list.ThisUpdate); err != nil {
		return err
	}
	entry, revoked := list.Lookup(certs[0].SerialNumber)
	if !revoked {
		return errors.New("the certificate was revoked, and the CRL does not have it")
	}
	fmt.Fprintf(console.Stdout, "The certificate was revoked: CRL %v contains it (%v).\nThis was a demonstration: its CA, certificate and CRL are deleted.\n", list.Number, entry.Reason)
	console.Next(console.Stdout, console.StyleFor(os.Stdout), "Serve users of your own, from a table with the columns upn and password: the token that the user sends.",
		console.Command("enroll", "-users", "FILE.csv"))
	return nil
}

// call returns the content of a good answer.
func call(ctx context.Context, method, url string, body []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer demonstration")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, bytes.TrimSpace(content))
	}
	return content, err
}
