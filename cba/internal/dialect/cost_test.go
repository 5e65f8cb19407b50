package dialect_test

import (
	"runtime"
	"strings"
	"testing"

	"example.com/entracba/cba/internal/dialect"
)

// A long name in front of many values is not copied for each of them.
func TestCostOfPlaces(t *testing.T) {
	long := strings.Repeat("n", 64<<10)
	text := []byte(`{"Value":"@{","` + long + `":[` + strings.Repeat(`{"a":0},`, 20_000) + `0]}`)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := dialect.Graph(text, 16<<20); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if made := after.TotalAlloc - before.TotalAlloc; made > 200*uint64(len(text)) {
		t.Errorf("%d bytes were made of %d", made, len(text))
	}
}
