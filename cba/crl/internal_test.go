package crl

import (
	"fmt"
	"hash/maphash"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"

	"example.com/entracba/cba/crl/internal/layout"
)

// utcSeconds gives what cryptobyte gives, for every day from 1950 to 2049 and
// for texts that are nearly times.
func TestUTCSeconds(t *testing.T) {
	check := func(text string) bool {
		s := cryptobyte.String(append([]byte{layout.UTCTime, 13}, text...))
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

// The table is right even when every serial number begins its search at one
// place, and is never so full that a search does not end.
func TestIndexUnderCollisions(t *testing.T) {
	x := index{seed: maphash.MakeSeed()}
	// Entries of 20 bytes, so that places in the list can be computed.
	const size = 2 + 6 + 15
	var raw []byte
	for n := range 5000 {
		raw = fmt.Appendf(raw, "\x30\x15\x02\x04%04d\x17\x0d700101000000Z", n)
	}
	if len(raw) != 5000*size {
		t.Fatal(len(raw))
	}
	for n := range 5000 {
		if x.full() {
			x.grow(raw, x.count+x.count/2)
		}
		if x.count >= len(x.slots) {
			t.Fatal("the table is full")
		}
		slot, tag, found := x.find(raw, serialAt(raw, uint32(n*size)))
		if found {
			t.Fatalf("entry %d is there", n)
		}
		x.tags[slot], x.slots[slot] = tag, uint32(n*size)
		x.count++
	}
	for n := range 5000 {
		slot, _, found := x.find(raw, serialAt(raw, uint32(n*size)))
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

// layout.RawInteger writes what Entry.Serial reads, and what DER wants.
func TestRawSerial(t *testing.T) {
	var buffer [64]byte
	for _, text := range []string{"0", "1", "127", "128", "255", "256", "32767", "32768", "-1", "-127", "-128", "-129", "-255", "-256", "-32768", "-32769",
		"730750818665451459101842416358141509827966271487", "-730750818665451459101842416358141509827966271488"} {
		n, _ := new(big.Int).SetString(text, 10)
		raw := layout.RawInteger(buffer[:], n)
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
	if back := (Entry{RawSerial: layout.RawInteger(buffer[:], long)}).Serial(); back.Cmp(long) != 0 {
		t.Error("a long serial number does not come back")
	}
}
