package snapshot_test

import (
	"encoding/json"
	"os"
	"testing"

	"example.com/entracba/cba/snapshot"
)

// A refused sign-in leaves rows that say nothing of a certificate but their code; one
// that Conditional Access blocks is known by its details.
func TestCodesOfRows(t *testing.T) {
	text, err := os.ReadFile("testdata/signins-rows.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Value []snapshot.Row }
	if err := json.Unmarshal(text, &file); err != nil {
		if err = json.Unmarshal(text, &file.Value); err != nil {
			t.Fatal(err)
		}
	}
	want := map[int]bool{1001003: true, 1001009: true, 54008: true, 1001000: true, 500185: true, 0: true, 130501: true, 53003: true}
	if len(file.Value) != len(want) {
		t.Fatalf("%d rows", len(file.Value))
	}
	for _, row := range file.Value {
		if _, certificate := row.Certificate(); certificate != want[row.Status.ErrorCode] {
			t.Errorf("code %d: %v", row.Status.ErrorCode, certificate)
		}
	}
	for _, code := range []int{53003, 50034, 50057, 50076, 1} { // codes of other sign-ins, too
		row := snapshot.Row{}
		row.Status.ErrorCode = code
		if _, certificate := row.Certificate(); certificate {
			t.Errorf("code %d alone is no sign of a certificate", code)
		}
	}
}
