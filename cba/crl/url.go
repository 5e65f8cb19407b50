package crl

import (
	"net/netip"
	"net/url"
	"path"
	"strings"

	"example.com/entracba/cba/crl/internal/netaddr"
	"example.com/entracba/cba/lint"
)

// CheckURL says whether a URL is one that a list can be fetched from: http or
// https, with a host, without a user name. The error is an [*Error] with fault
// [BadURL]. [URLFindings] says what else is to know about it.
func CheckURL(rawURL string) error {
	if _, err := parseURL(rawURL); err != nil {
		return err
	}
	return nil
}

func parseURL(rawURL string) (*url.URL, *Error) {
	bad := func(detail string) *Error { return &Error{Fault: BadURL, URL: rawURL, Detail: detail} }
	u, err := url.Parse(rawURL)
	if err != nil {
		if strings.Contains(rawURL, "@") { // there may be a password in it
			rawURL = ""
		}
		return nil, bad("it is not a URL")
	}
	switch strings.ToLower(u.Scheme) {
	case "http", "https":
	case "ldap", "ldaps":
		return nil, bad("Entra does not fetch lists over LDAP: publish the list over HTTP")
	case "file":
		return nil, bad("a file is not on the network: publish the list over HTTP")
	case "":
		return nil, bad("it has no scheme: it must begin with http://")
	default:
		return nil, bad("the scheme is not http")
	}
	switch {
	case u.Hostname() == "":
		return nil, bad("it has no host")
	case u.User != nil:
		// url.Parse kept the password; the message does not.
		return nil, &Error{Fault: BadURL, URL: u.Redacted(), Detail: "it has a user name"}
	}
	return u, nil
}

// URLFindings says what there is to know about the URL of a list before it is
// stored with an authority. Findings with severity Error keep Entra from
// fetching the list, which refuses every sign-in with a certificate of the
// authority.
func URLFindings(rawURL string) lint.Findings {
	const source = "Learn: Certificate revocation list"
	u, err := parseURL(rawURL)
	if err != nil {
		return lint.Findings{{
			Code: "crl-url-unusable", Severity: lint.Error, Effect: lint.LocksOut,
			Where: err.URL, What: err.Detail, Do: "give an http URL that the internet can reach", Source: source,
		}}
	}
	var fs lint.Findings
	if strings.EqualFold(u.Scheme, "https") {
		fs = append(fs, lint.Finding{
			Code: "crl-url-https", Severity: lint.Warning, Where: rawURL,
			What:   "one page of the documentation allows https for lists, three say that only http works",
			Do:     "publish the list over http: it is signed, so nothing is lost",
			Source: source + "; Learn: How to configure certificate authorities",
		})
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	address, notIP := netip.ParseAddr(host)
	if notIP == nil && !netaddr.Public(address) || notIP != nil && !strings.Contains(host, ".") ||
		host == "localhost" || strings.HasSuffix(host, ".local") || strings.HasSuffix(host, ".internal") || strings.HasSuffix(host, ".localhost") {
		fs = append(fs, lint.Finding{
			Code: "crl-url-private", Severity: lint.Error, Effect: lint.LocksOut, Where: rawURL,
			What: "the host is one that only your own network reaches", Do: "publish the list where the internet can reach it", Source: source,
		})
	}
	switch strings.ToLower(path.Ext(u.Path)) {
	case ".pem", ".txt", ".b64", ".p7b", ".cer", ".crt":
		fs = append(fs, lint.Finding{
			Code: "crl-url-not-der", Severity: lint.Warning, Where: rawURL,
			What: "the name looks like that of a file that is not a list in DER", Do: "check that it serves a list in DER", Source: source,
		})
	}
	return fs
}
