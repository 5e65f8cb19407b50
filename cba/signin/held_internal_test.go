package signin

import (
	"crypto/sha256"
	"encoding/binary"
	"testing"
)

// However many certificates are seen, few are kept, and those that are used stay.
func TestHeldIsBounded(t *testing.T) {
	key := func(i int) [sha256.Size]byte { return sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(i))) }
	var c heldCache
	used := new(HeldCertificate)
	c.add(key(0), used)
	for i := 1; i < 10*maxHeld; i++ {
		c.add(key(i), new(HeldCertificate))
		if i%100 == 0 && c.find(key(0)) != used {
			t.Fatalf("what is used is gone after %d others", i)
		}
	}
	kept := 0
	for i := range c.shards {
		kept += len(c.shards[i].recent) + len(c.shards[i].older)
	}
	if kept > maxHeld || kept < maxHeld/2 {
		t.Errorf("%d are kept, %d are the most", kept, maxHeld)
	}
	if c.find(key(1)) != nil {
		t.Error("nothing is ever forgotten")
	}
}
