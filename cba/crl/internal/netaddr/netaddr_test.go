package netaddr

import (
	"net/netip"
	"testing"
)

// Addresses of every block of the registries, and their neighbours.
func TestPublicAddresses(t *testing.T) {
	for address, want := range map[string]bool{
		"8.8.8.8": true, "1.1.1.1": true, "20.190.128.1": true, "2606:4700:4700::1111": true, "2a00:1450:4001:80b::200e": true,
		"0.0.0.0": false, "0.1.2.3": false,
		"9.255.255.255": true, "10.0.0.0": false, "10.255.255.255": false, "11.0.0.0": true,
		"100.63.255.255": true, "100.64.0.0": false, "100.127.255.255": false, "100.128.0.0": true,
		"127.0.0.1": false, "127.255.255.255": false, "128.0.0.0": true,
		"169.253.255.255": true, "169.254.0.0": false, "169.254.169.254": false, "169.255.0.0": true,
		"172.15.255.255": true, "172.16.0.0": false, "172.31.255.255": false, "172.32.0.0": true,
		"192.0.0.1": false, "192.0.1.0": true, "192.0.2.1": false, "192.88.99.1": false,
		"192.167.255.255": true, "192.168.0.0": false, "192.168.255.255": false, "192.169.0.0": true,
		"198.17.255.255": true, "198.18.0.0": false, "198.19.255.255": false, "198.20.0.0": true,
		"198.51.100.7": false, "203.0.113.7": false, "168.63.129.16": false, "168.63.129.17": true,
		"223.255.255.255": true, "224.0.0.1": false, "239.1.2.3": false, "240.0.0.1": false, "255.255.255.255": false,
		"::": false, "::1": false, "::127.0.0.1": false, "::8.8.8.8": false,
		"::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "::ffff:169.254.169.254": false, "::ffff:8.8.8.8": true,
		"::ffff:0:127.0.0.1": false, // translated, RFC 2765
		"64:ff9b::127.0.0.1": false, "64:ff9b::a00:1": false, "64:ff9b::a9fe:a9fe": false, "64:ff9b::8.8.8.8": true,
		"64:ff9b:1::8.8.8.8": false,
		"2002:7f00:1::":      false, "2002:a00:1::1": false, "2002:c0a8:101::": false, "2002:808:808::1": true,
		"2001::1": false, "2001:0:808:808::": false, "2001:2::1": false, "2001:20::1": false, "2001:200::1": true,
		"2001:db8::1": false, "3fff::1": false, "3fff:1000::1": true,
		"100::1": false, "5f00::1": false, "fc00::1": false, "fd12:3456:789a::1": false,
		"fe80::1": false, "fe80::1%eth0": false, "fec0::1": false, "ff02::1": false, "ff0e::1": false,
		"1fff::1": false, "4000::1": false,
		"8.8.8.8%eth0": false,
	} {
		a, err := netip.ParseAddr(address)
		if err != nil {
			if want {
				t.Errorf("%s: %v", address, err)
			}
			continue
		}
		if Public(a) != want {
			t.Errorf("Public(%s) is %t", address, !want)
		}
	}
	if Public(netip.Addr{}) {
		t.Error("the zero address is public")
	}
}
