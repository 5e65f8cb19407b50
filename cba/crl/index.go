package crl

import (
	"bytes"
	"hash/maphash"
	"math/bits"

	"example.com/entracba/cba/internal/der"
)

// An index finds entries of a CRL by serial number. It is a hash table with
// open addressing over the encoded list: a slot holds where an entry starts, and
// beside it, in an array of its own, a byte of the entry's hash. A search walks
// those bytes, 64 to a cache line, and touches the CRL only where one matches,
// so a serial number that is not there (the common question) costs one cache
// miss, and a slot costs 5 bytes.
//
// The hash is seeded for each CRL. Whoever chooses serial numbers cannot make
// them collide.
type index struct {
	seed  maphash.Seed
	tags  []uint8 // 0 is an empty slot
	slots []uint32
	count int
}

// The table is at most 7/8 full, and has room to be 3/4 full when the first
// estimate of the number of entries is right.
func (x *index) full() bool { return x.count >= len(x.slots)-len(x.slots)/8 }

// place returns where the search for a serial number begins, and its tag.
func (x *index) place(serial []byte) (slot int, tag uint8) {
	h := maphash.Bytes(x.seed, serial)
	high, _ := bits.Mul64(h, uint64(len(x.slots)))
	return int(high), max(uint8(h), 1)
}

// find returns the slot that holds a serial number, or the empty one where it
// belongs. The table must have an empty slot.
func (x *index) find(raw, serial []byte) (slot int, tag uint8, found bool) {
	slot, tag = x.place(serial)
	for x.tags[slot] != 0 {
		if x.tags[slot] == tag && bytes.Equal(serialAt(raw, x.slots[slot]), serial) {
			return slot, tag, true
		}
		if slot++; slot == len(x.tags) {
			slot = 0
		}
	}
	return slot, tag, false
}

// grow makes room for so many entries and moves the present ones.
func (x *index) grow(raw []byte, entries int) {
	old := *x
	size := entries + entries/3 + 8
	x.tags, x.slots = make([]uint8, size), make([]uint32, size)
	for i, tag := range old.tags {
		if tag == 0 {
			continue
		}
		slot, _ := x.place(serialAt(raw, old.slots[i]))
		for x.tags[slot] != 0 {
			if slot++; slot == size {
				slot = 0
			}
		}
		x.tags[slot], x.slots[slot] = tag, old.slots[i]
	}
}

// serialAt returns the serial number of the entry that starts at a place where
// [readEntry] has read one.
func serialAt(raw []byte, at uint32) []byte {
	_, pos, _, _ := der.Header(raw, int(at))
	_, start, end, _ := der.Header(raw, pos)
	return raw[start:end]
}
