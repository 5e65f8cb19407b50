package enum_test

import (
	"encoding/json"
	"strings"
	"testing"

	"example.com/entracba/cba/internal/enum"
)

type colour uint8

const (
	red colour = iota + 1
	green
)

var colours = enum.Of[colour]("paint: colour", "red", "green")

func (c colour) String() string                { return colours.String(c) }
func (c colour) MarshalText() ([]byte, error)  { return colours.Marshal(c) }
func (c *colour) UnmarshalText(b []byte) error { return colours.Unmarshal(c, b) }

func TestRoundTrip(t *testing.T) {
	values := colours.Values()
	if len(values) != 2 || values[0] != red || values[1] != green {
		t.Fatalf("values %v", values)
	}
	for _, v := range values {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var back colour
		if err := json.Unmarshal(text, &back); err != nil || back != v {
			t.Errorf("%s read back as %v, %v", text, back, err)
		}
	}
}

func TestUnsetAndUnknownRefuse(t *testing.T) {
	for _, v := range []colour{0, 3, 255} {
		if text, err := v.MarshalText(); err == nil {
			t.Errorf("%d was written as %q", v, text)
		}
		if v.String() == "" {
			t.Errorf("%d has no text for a message", v)
		}
	}
	for _, text := range []string{"", "blue", "Red", "red "} {
		c := green
		if err := c.UnmarshalText([]byte(text)); err == nil || c != green {
			t.Errorf("%q was read as %v, %v", text, c, err)
		}
	}
	var c colour
	if err := c.UnmarshalText([]byte(strings.Repeat("x", 1<<20))); err == nil || len(err.Error()) > 200 {
		t.Errorf("a hostile text makes an error of %d bytes", len(err.Error()))
	}
}

func TestOptional(t *testing.T) {
	optional := colours.Optional()
	if text, err := optional.Marshal(0); err != nil || len(text) != 0 {
		t.Errorf("unset was written as %q, %v", text, err)
	}
	c := green
	if err := optional.Unmarshal(&c, nil); err != nil || c != 0 {
		t.Errorf("the empty text was read as %v, %v", c, err)
	}
	if _, err := optional.Marshal(3); err == nil {
		t.Error("an unknown value was written")
	}
	if _, err := colours.Marshal(0); err == nil {
		t.Error("Optional changed its receiver")
	}
}
