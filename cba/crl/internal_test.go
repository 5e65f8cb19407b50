package crl

import (
	"fmt"
	"hash/maphash"
	"math/big"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
)

// utcSeconds gives what cryptobyte gives, for every day from 1950 to 2049 and
// for texts that are nearly times.
func TestUTCSeconds(t *testing.T) {
	check := func(text string) bool {
		s := cryptobyte.String(append([]byte{tagUTCTime, 13}, text...))
		var want time.Time
		wantOK := s.ReadASN1UTCTime(&want)
		seconds, ok := utcSeconds([]byte(text))
		if ok && (!wantOK || seconds != want.Unix()) {
			t.Fatalf("%q: %d, and cryptobyte reads %v, %t", text, seconds, want, wantOK)
		}
		if got, _, got2 := readTime([]byte("\x17\x0d"+text), 0); got2 != wantOK || wantOK && !got.Equal(want) {
			t.Fatalf("%q: %v, %t, and cryptobyte reads %v, %t", text, got, got2, want, wantOK)
		}
		return ok
	}
	days := 0
	for day := time.Date(1950, 1, 1, 0, 0, 0, 0, time.UTC); day.Year() < 2050; day = day.AddDate(0, 0, 1) {
		clock := day.Add(time.Duration(rand.IntN(86400)) * time.Second)
		if !check(clock.Format("060102150405Z")) {
			t.Fatalf("%v is refused", clock)
		}
		days++
	}
	if days != 36525 {
		t.Fatalf("%d days", days)
	}
	const alphabet = "0123456789:/Z+-a\x00\xff"
	good := "240229235959Z"
	for range 200_000 {
		text := []byte(good)
		for range 1 + rand.IntN(3) {
			text[rand.IntN(len(text))] = alphabet[rand.IntN(len(alphabet))]
		}
		check(string(text))
	}
}

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
		if public(a) != want {
			t.Errorf("public(%s) is %t", address, !want)
		}
	}
	if public(netip.Addr{}) {
		t.Error("the zero address is public")
	}
}

// The table is right even when every serial number begins its search at one
// place, and is never so full that a search does not end.
func TestIndexUnderCollisions(t *testing.T) {
	x := index{seed: maphash.MakeSeed()}
	// Entries of 20 bytes, so that places in the list can be computed.
	const size = 2 + 6 + 15
	var der []byte
	for n := range 5000 {
		der = appendEntry(der, record{serial: fmt.Appendf(nil, "%04d", n), time: time.Unix(0, 0)})
	}
	if len(der) != 5000*size {
		t.Fatal(len(der))
	}
	for n := range 5000 {
		if x.full() {
			x.grow(der, x.count+x.count/2)
		}
		if x.count >= len(x.slots) {
			t.Fatal("the table is full")
		}
		slot, tag, found := x.find(der, serialAt(der, uint32(n*size)))
		if found {
			t.Fatalf("entry %d is there", n)
		}
		x.tags[slot], x.slots[slot] = tag, uint32(n*size)
		x.count++
	}
	for n := range 5000 {
		slot, _, found := x.find(der, serialAt(der, uint32(n*size)))
		if !found || x.slots[slot] != uint32(n*size) {
			t.Fatalf("entry %d is not found", n)
		}
	}
}

// The tags are spread over the table: with a good hash, no run of taken slots is
// long. A broken place function shows here.
func TestIndexSpread(t *testing.T) {
	x := index{seed: maphash.MakeSeed()}
	x.grow(nil, 6000)
	var used [256]bool
	places := make(map[int]int)
	for n := range 6000 {
		slot, tag := x.place(fmt.Appendf(nil, "%d", n))
		used[tag] = true
		places[slot]++
		if slot < 0 || slot >= len(x.slots) || tag == 0 {
			t.Fatalf("slot %d, tag %d", slot, tag)
		}
	}
	if used[0] || len(places) < 3500 {
		t.Errorf("%d places for 6000 serial numbers", len(places))
	}
	tags := 0
	for _, u := range used {
		if u {
			tags++
		}
	}
	if tags != 255 {
		t.Errorf("%d tags", tags)
	}
}

// rawSerial writes what Entry.Serial reads, and what DER wants.
func TestRawSerial(t *testing.T) {
	var buffer [64]byte
	for _, text := range []string{"0", "1", "127", "128", "255", "256", "32767", "32768", "-1", "-127", "-128", "-129", "-255", "-256", "-32768", "-32769",
		"730750818665451459101842416358141509827966271487", "-730750818665451459101842416358141509827966271488"} {
		n, _ := new(big.Int).SetString(text, 10)
		raw := rawSerial(buffer[:], n)
		var b cryptobyte.Builder
		b.AddASN1BigInt(n)
		if want := b.BytesOrPanic(); string(want[2:]) != string(raw) {
			t.Errorf("%s: %x, not %x", text, raw, want[2:])
		}
		if back := (Entry{RawSerial: raw}).Serial(); back.Cmp(n) != 0 {
			t.Errorf("%s: comes back as %v", text, back)
		}
	}
	long := new(big.Int).Lsh(big.NewInt(1), 8*100)
	if back := (Entry{RawSerial: rawSerial(buffer[:], long)}).Serial(); back.Cmp(long) != 0 {
		t.Error("a long serial number does not come back")
	}
}

// Sizes of headers at every border.
func TestHeader(t *testing.T) {
	for _, size := range []int{0, 1, 127, 128, 255, 256, 65535, 65536, 1<<24 - 1, 1 << 24} {
		b := appendHeader(nil, tagSequence, size)
		if len(b) != headerSize(size) {
			t.Errorf("%d: %d bytes, not %d", size, len(b), headerSize(size))
		}
		der := append(b, make([]byte, size)...)
		tag, start, end, ok := header(der, 0)
		if !ok || tag != tagSequence || start != len(b) || end != len(der) {
			t.Errorf("%d: %d %d %d %t", size, tag, start, end, ok)
		}
		if _, _, _, ok := header(der[:len(der)-1], 0); ok {
			t.Errorf("%d: content that is not there", size)
		}
		s := cryptobyte.String(der)
		if !s.Skip(0) || !s.SkipASN1(tagSequence) || !s.Empty() {
			t.Errorf("%d: cryptobyte does not read it", size)
		}
	}
}
