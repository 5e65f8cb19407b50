package deploy

import (
	"strings"

	"example.com/entracba/cba/internal/enum"
	"example.com/entracba/cba/internal/text"
	"example.com/entracba/cba/lint"
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
	// Government plans and do not mention this one. Its certauth host is derived from
	// the others here, and marked as not documented.
	China
)

var clouds = enum.Of[Cloud]("deploy: cloud", "public", "usgov", "china")

// String returns "public", "usgov" or "china".
func (c Cloud) String() string { return clouds.String(c) }

// MarshalText writes the text of [Cloud.String]; an unset or unknown cloud is an
// error.
func (c Cloud) MarshalText() ([]byte, error) { return clouds.Marshal(c) }

// UnmarshalText reads what MarshalText wrote.
func (c *Cloud) UnmarshalText(text []byte) error { return clouds.Unmarshal(c, text) }

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

// A Host is a host that a client has to reach to sign in with a certificate.
type Host struct {
	// Name is the host name; "*." in front stands for all names below it. The port is
	// 443.
	Name string `json:"name"`
	// NoInspection: a proxy must not inspect the TLS connection. A proxy does not have
	// the user's certificate, and Entra then refuses the sign-in (AADSTS50192).
	NoInspection bool   `json:"noInspection"`
	Why          string `json:"why"`
	// Documented: the name is in Microsoft's documents. Otherwise it is derived from
	// one that is, and Source says so.
	Documented bool        `json:"documented"`
	Source     lint.Source `json:"source"`
}

// Hosts returns the hosts for a proxy's allow-list and for its list of TLS
// inspection exceptions. With issuer hints the host begins with the tenant's ID; the
// list has it if tenantID is not empty, and in any case the name for all tenants, as
// guests are sent to the host of another one.
//
// The hosts from which Entra downloads CRLs do not concern the client's network.
// The error is an [*Error] with [BadOption]: an unknown cloud, or an ID that is
// not a GUID.
func Hosts(c Cloud, tenantID string) ([]Host, error) {
	login, certauth := c.login(), c.certauth()
	if login == "" {
		return nil, fail(BadOption, "cloud %v: use one of %v", c, clouds.Values())
	}
	const derived lint.Source = "derived from the hosts of the other clouds; not documented"
	signIn, endpoint, hints, tenant := lint.DeepDive, lint.DeepDive, lint.DeepDive, lint.DeepDive
	switch c {
	case USGov:
		tenant = "derived from the host of the public cloud; only the name for all tenants is documented"
	case China:
		signIn, endpoint, hints, tenant = lint.Clouds, derived, derived, derived
	}
	hosts := []Host{
		{login, false, "the sign-in page", true, signIn},
		{certauth, true, "requests the certificate in the TLS handshake", c != China, endpoint},
		{"*." + certauth, true, "requests the certificate with issuer hints, for every tenant", c != China, hints},
	}
	if tenantID != "" {
		id := strings.ToLower(tenantID)
		if !text.IsGUID(id) {
			return nil, fail(BadOption, "%s is not the ID of a tenant; an ID is a GUID", text.Quote(tenantID))
		}
		hosts = append(hosts, Host{"t" + id + "." + certauth, true, "requests the certificate with issuer hints, for this tenant", c == Public, tenant})
	}
	return hosts, nil
}
