package deploy

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	"strings"

	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/internal/text"
)

// TrustScript returns a shell script that adds the root to the machine's trust
// store, with p11-kit (trust anchor), or with update-ca-certificates where p11-kit
// has no writable store for anchors, as on Debian. Signing in with a certificate does
// not need it: it is for machines that verify certificates of this CA themselves. The
// root is then trusted for servers, too.
//
// The error is an [*Error]: [Missing] or [BadName].
func (p Package) TrustScript() ([]byte, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	anchor := "/usr/local/share/ca-certificates/cba-" + strings.ToLower(thumbprint(p.Root)) + ".crt"
	var b lines
	b.add("#!/bin/sh")
	b.add("# Trusts the root ", comment(title(p.Root)), " on this machine, for servers too. Signing in with a")
	b.add("# certificate does not need this. Run it as root.")
	b.add("set -eu")
	b.add(`cd -- "$(dirname -- "$0")"`)
	b.add("if trust anchor --store ", rootName, "; then")
	b.add("\texit 0 # trust anchor --remove ", rootName, " undoes this")
	b.add("fi")
	b.add("command -v update-ca-certificates >/dev/null || exit 1")
	b.add("# Where p11-kit has no store for anchors, it reads the list that this makes. To undo")
	b.add("# this, remove the file and run update-ca-certificates again.")
	b.add("cat >", anchor, " <<'PEM'")
	b.WriteString(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Root.Raw})))
	b.add("PEM")
	b.add("chmod 644 ", anchor)
	b.add("update-ca-certificates")
	return []byte(b.String()), nil
}

// ChromiumPolicy returns a policy file for Chrome, Chromium and Edge. At Entra's
// certauth hosts, those with issuer hints included, the browser then selects the
// certificate of this issuer and subject without asking
// (AutoSelectCertificateForUrls). On Linux the file belongs into
// /etc/opt/chrome/policies/managed, /etc/chromium/policies/managed or
// /etc/opt/edge/policies/managed. The policy of this name on Windows and macOS takes
// the same list.
//
// A machine must have only one such file: which of two files counts is not documented
// (Google, "Chrome browser quick start (Linux)"). For a machine that several people
// use, set [Options.IssuerOnly].
//
// A browser compares common name, locality, organization and organizational unit. The
// filter has those that occur exactly once in a name. A name in which none of them
// occurs exactly once cannot be selected.
//
// The error is an [*Error]: [Missing], [BadName] (such a name, too) or [BadOption].
func (p Package) ChromiumPolicy(o Options) ([]byte, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	type entry struct {
		Pattern string `json:"pattern"`
		Filter  struct {
			Issuer  map[string]string `json:"ISSUER"`
			Subject map[string]string `json:"SUBJECT,omitempty"`
		} `json:"filter"`
	}
	var e entry
	e.Pattern = "https://[*.]" + o.cloud().certauth()
	e.Filter.Issuer = principal(p.Certificate, true)
	if !o.IssuerOnly {
		e.Filter.Subject = principal(p.Certificate, false)
	}
	if len(e.Filter.Issuer) == 0 {
		return nil, fail(BadName, "the issuer %s has none of CN, L, O and OU exactly once", text.Quote(dn.Show(p.Certificate.RawIssuer)))
	}
	if !o.IssuerOnly && len(e.Filter.Subject) == 0 {
		return nil, fail(BadName, "the subject %s has none of CN, L, O and OU exactly once; select by issuer only", text.Quote(dn.Show(p.Certificate.RawSubject)))
	}
	inner, err := toJSON(e, "")
	if err != nil {
		return nil, err
	}
	return toJSON(map[string][]string{"AutoSelectCertificateForUrls": {strings.TrimRight(string(inner), "\n")}}, "  ")
}

func toJSON(v any, indent string) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", indent)
	if err := encoder.Encode(v); err != nil {
		return nil, &Error{Reason: BadName, Detail: "the policy", Err: err}
	}
	return b.Bytes(), nil
}

// principal returns what a browser's policy can compare of a name.
func principal(c *x509.Certificate, issuer bool) map[string]string {
	names := c.Subject.Names
	if issuer {
		names = c.Issuer.Names
	}
	found, count := map[string]string{}, map[string]int{}
	for _, n := range names {
		key := ""
		switch {
		case n.Type.Equal(asn1.ObjectIdentifier{2, 5, 4, 3}):
			key = "CN"
		case n.Type.Equal(asn1.ObjectIdentifier{2, 5, 4, 7}):
			key = "L"
		case n.Type.Equal(asn1.ObjectIdentifier{2, 5, 4, 10}):
			key = "O"
		case n.Type.Equal(asn1.ObjectIdentifier{2, 5, 4, 11}):
			key = "OU"
		default:
			continue
		}
		count[key]++
		if value, ok := n.Value.(string); ok && value != "" && count[key] == 1 {
			found[key] = value
		} else {
			delete(found, key)
		}
	}
	return found
}
