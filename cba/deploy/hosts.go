package deploy

import (
	"fmt"
	"strings"
)

// A Cloud is one of Microsoft's separate clouds. The zero value is unset.
type Cloud uint8

const (
	// Public is the worldwide cloud, GCC included.
	Public Cloud = iota + 1
	// USGov is the cloud of the US government, GCC High and DoD.
	USGov
	// China is the cloud operated by 21Vianet. The documents offer
	// certificate-based authentication for Office 365 Enterprise and US
	// Government plans and say nothing of this one: its certauth host here
	// is formed after the others and marked as not documented.
	China
)

// String returns "public", "usgov" or "china".
func (c Cloud) String() string {
	switch c {
	case Public:
		return "public"
	case USGov:
		return "usgov"
	case China:
		return "china"
	}
	return fmt.Sprintf("Cloud(%d)", uint8(c))
}

// ParseCloud reads the text of [Cloud.String].
func ParseCloud(text string) (Cloud, error) {
	for c := Public; c <= China; c++ {
		if c.String() == text {
			return c, nil
		}
	}
	return 0, fail(BadOption, "%q is not a cloud (public, usgov, china)", text)
}

func (o Options) cloud() Cloud {
	if o.Cloud == 0 {
		return Public
	}
	return o.Cloud
}

func (c Cloud) login() string {
	switch c {
	case Public:
		return "login.microsoftonline.com"
	case USGov:
		return "login.microsoftonline.us"
	case China:
		return "login.partner.microsoftonline.cn"
	}
	return ""
}

func (c Cloud) certauth() string {
	if host := c.login(); host != "" {
		return "certauth." + host
	}
	return ""
}

// A Host is one that a client has to reach to sign in with a certificate.
type Host struct {
	// Name is the host's, or begins with "*." and stands for all below it. The
	// port is 443.
	Name string `json:"name"`
	// NoInspection: a proxy must not open the TLS connection. It has no
	// certificate of the user to answer the request for one with, and Entra
	// then says AADSTS50192.
	NoInspection bool   `json:"noInspection"`
	Why          string `json:"why"`
	// Documented: the name is in Microsoft's documents. Otherwise it is formed after
	// one that is.
	Documented bool   `json:"documented"`
	Source     string `json:"source"`
}

// Hosts returns the hosts for a proxy's allow-list and for its list of TLS
// inspection exceptions. With issuer hints the host begins with the tenant's ID; the
// list has it if tenantID is not empty, and in any case the name for all tenants, as
// guests are sent to the host of another one.
//
// Where Entra fetches revocation lists is no matter of the client's network.
// The error is an [*Error] with [BadOption]: an unknown cloud, or an ID that is
// not a GUID.
func Hosts(c Cloud, tenantID string) ([]Host, error) {
	login, certauth := c.login(), c.certauth()
	if login == "" {
		return nil, fail(BadOption, "%v is not a cloud", c)
	}
	const (
		dive     = "Learn: Microsoft Entra CBA technical deep dive"
		national = "Learn: National clouds"
		formed   = "formed after the hosts of the other clouds; no document has it"
	)
	signIn, endpoint, hints, tenant := dive, dive, dive, dive
	switch c {
	case USGov:
		tenant = "formed after the host of the public cloud; the documents have the name for all tenants"
	case China:
		signIn, endpoint, hints, tenant = national, formed, formed, formed
	}
	hosts := []Host{
		{login, false, "the sign-in page", true, signIn},
		{certauth, true, "asks for the certificate in the TLS handshake", c != China, endpoint},
		{"*." + certauth, true, "the same with issuer hints, for every tenant", c != China, hints},
	}
	if tenantID != "" {
		id := strings.ToLower(tenantID)
		if !isGUID(id) {
			return nil, fail(BadOption, "%q as a tenant's ID, which is a GUID", tenantID)
		}
		hosts = append(hosts, Host{"t" + id + "." + certauth, true, "the same with issuer hints, for this tenant", c == Public, tenant})
	}
	return hosts, nil
}

func isGUID(text string) bool {
	if len(text) != 36 {
		return false
	}
	for i := range len(text) {
		switch i {
		case 8, 13, 18, 23:
			if text[i] != '-' {
				return false
			}
		default:
			if strings.IndexByte("0123456789abcdef", text[i]) < 0 {
				return false
			}
		}
	}
	return true
}
