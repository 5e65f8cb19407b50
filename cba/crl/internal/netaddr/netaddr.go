// Package netaddr tells addresses that the world reaches from all others.
package netaddr

import "net/netip"

// Public reports whether an address is one that the world reaches. Everything
// that the IANA special-purpose registries (RFC 6890) set apart is not, and
// neither is an IPv6 address that stands for an IPv4 address that is not.
func Public(a netip.Addr) bool {
	a = a.Unmap()
	if !a.IsValid() || a.Zone() != "" {
		return false
	}
	if a.Is4() {
		return public4(a.As4())
	}
	b := a.As16()
	switch {
	case within(a, "64:ff9b::/96"): // NAT64 (RFC 6052): the last four bytes
		return public4([4]byte(b[12:]))
	case within(a, "2002::/16"): // 6to4 (RFC 3056): bytes 2 to 5
		return public4([4]byte(b[2:6]))
	case within(a, "2001::/23"): // IETF protocols: Teredo, benchmarking, ORCHID
		return false
	case within(a, "2001:db8::/32"), within(a, "3fff::/20"): // documentation
		return false
	}
	// Everything else outside 2000::/3 is not global unicast: loopback,
	// unspecified, IPv4-compatible, 64:ff9b:1::/48, 100::/64, SRv6, unique local,
	// link-local, site-local, multicast, and what is not given out.
	return within(a, "2000::/3")
}

func public4(b [4]byte) bool {
	a := netip.AddrFrom4(b)
	for _, special := range []string{
		"0.0.0.0/8",       // this network
		"10.0.0.0/8",      // private
		"100.64.0.0/10",   // carrier-grade NAT
		"127.0.0.0/8",     // loopback
		"169.254.0.0/16",  // link-local; cloud metadata services
		"172.16.0.0/12",   // private
		"192.0.0.0/24",    // IETF protocols
		"192.0.2.0/24",    // documentation
		"192.88.99.0/24",  // 6to4 relays
		"192.168.0.0/16",  // private
		"198.18.0.0/15",   // benchmarking
		"198.51.100.0/24", // documentation
		"203.0.113.0/24",  // documentation
		"224.0.0.0/3",     // multicast, reserved, broadcast
	} {
		if within(a, special) {
			return false
		}
	}
	// The platform's virtual address of Azure, which answers inside its networks
	// only.
	return b != [4]byte{168, 63, 129, 16}
}

func within(a netip.Addr, prefix string) bool {
	return netip.MustParsePrefix(prefix).Contains(a)
}
