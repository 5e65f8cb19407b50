package crl

import (
	"net/netip"
	"net/url"
	"path"
	"strings"

	"example.com/entracba/cba/crl/internal/netaddr"
	"example.com/entracba/cba/lint"
)

// CheckURL says whether a URL is one that a CRL can be fetched from: http or
// https, with a host, without a user name. The error is an [*Error] with reason
// [BadURL]. [URLFindings] says what else there is to know about it.
func CheckURL(rawURL string) error {
	if _, err := parseURL(rawURL); err != nil {
		return err
	}
	return nil
}

func parseURL(rawURL string) (*url.URL, *Error) {
	bad := func(detail string) *Error { return &Error{Reason: BadURL, URL: rawURL, Detail: detail} }
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
		return nil, bad("Entra does not fetch CRLs over LDAP: publish the CRL over HTTP")
	case "file":
		return nil, bad("a file is not on the network: publish the CRL over HTTP")
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
		return nil, &Error{Reason: BadURL, URL: u.Redacted(), Detail: "it has a user name"}
	}
	return u, nil
}

// URLFindings says what there is to know about the URL of a CRL before it is
// stored with a CA. Findings with severity Error keep Entra from fetching the CRL,
// and then every sign-in with a certificate of the CA is refused. Where of a
// finding is the URL, without a password.
func URLFindings(rawURL string) lint.Findings {
	u, err := parseURL(rawURL)
	if err != nil {
		return lint.Findings{rules[ruleURLUnusable].At(err.URL, "", "%s", err.Detail)}
	}
	var fs lint.Findings
	add := func(r ruleID) { fs = append(fs, rules[r].At(rawURL, "", "")) }
	if strings.EqualFold(u.Scheme, "https") {
		add(ruleURLHTTPS)
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	address, notIP := netip.ParseAddr(host)
	if notIP == nil && !netaddr.Public(address) || notIP != nil && !strings.Contains(host, ".") ||
		host == "localhost" || strings.HasSuffix(host, ".local") || strings.HasSuffix(host, ".internal") || strings.HasSuffix(host, ".localhost") {
		add(ruleURLPrivate)
	}
	switch strings.ToLower(path.Ext(u.Path)) {
	case ".pem", ".txt", ".b64", ".p7b", ".cer", ".crt":
		add(ruleURLNotDER)
	}
	return fs
}
