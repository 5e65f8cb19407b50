package aadsts_test

import (
	"encoding/json"
	"slices"
	"testing"

	"example.com/entracba/cba/aadsts"
)

func TestTable(t *testing.T) {
	all := aadsts.Codes()
	if len(all) < 30 {
		t.Fatalf("only %d codes", len(all))
	}
	for i, c := range all {
		if c.Text == "" || c.Source == "" || c.Confidence == 0 {
			t.Errorf("%v is not whole: %+v", c, c)
		}
		if i > 0 && all[i-1].Number >= c.Number {
			t.Errorf("%v does not stand in its place", c)
		}
		if found, ok := aadsts.Find(c.Number); !ok || found != c {
			t.Errorf("%v is not found", c)
		}
		text, err := json.Marshal(c)
		var back aadsts.Code
		if err != nil || json.Unmarshal(text, &back) != nil || back != c {
			t.Errorf("%s reads back as %+v, %v", text, back, err)
		}
	}
	if c, ok := aadsts.Find(0); ok {
		t.Errorf("0 is %v", c)
	}
	all[0].Text = "changed"
	if c, _ := aadsts.Find(all[0].Number); c.Text == "changed" {
		t.Error("the table can be changed")
	}
}

// Codes of one case know each other, both ways.
func TestAlso(t *testing.T) {
	for number, want := range map[int][]int{130501: {500186}, 500186: {130501}, 1001009: {50034}, 50034: {1001009},
		54008: {50076}, 50076: {54008}, 500171: {500183, 7000214}, 500189: nil, 50192: nil} {
		c, _ := aadsts.Find(number)
		var got []int
		for _, other := range c.Also() {
			got = append(got, other.Number)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%v also %d, want %d", c, got, want)
		}
	}
	if (aadsts.Code{}).Also() != nil {
		t.Error("the zero code has others")
	}
}
