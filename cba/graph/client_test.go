package graph_test

import (
	"net/http"
	"testing"
	"time"

	"example.com/entracba/cba/graph"
	"example.com/entracba/cba/graph/graphtest"
)

// 10,000 writes at the default pace: 3,000 at once, 20 a second from then on.
func TestPace(t *testing.T) {
	f := newTenant(t, graphtest.Tenant{}, graphtest.Options{})
	for range 1000 {
		if err := graph.Pace(t.Context(), f.Client, 10); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := f.now().Sub(start), 350*time.Second; got < want-time.Second || got > want+time.Second {
		t.Errorf("it took %v, want %v", got, want)
	}
	f.WriteRate = -1
	before := f.now()
	if err := graph.Pace(t.Context(), f.Client, 1_000_000); err != nil || f.now() != before {
		t.Error(err)
	}
	// What was not used comes back, up to 3,000.
	f.WriteRate = 100
	f.mu.Lock()
	f.clock = f.clock.Add(time.Hour)
	f.mu.Unlock()
	before = f.now()
	if err := graph.Pace(t.Context(), f.Client, 3000); err != nil || f.now() != before {
		t.Error(err, f.now().Sub(before))
	}
	if err := graph.Pace(t.Context(), f.Client, 100); err != nil || f.now().Sub(before) != time.Second {
		t.Error(err, f.now().Sub(before))
	}
}

func TestTexts(t *testing.T) {
	for o := graph.Planned; o <= graph.Unverified; o++ {
		if text, err := o.MarshalText(); err != nil || string(text) != o.String() {
			t.Errorf("%v: %s, %v", o, text, err)
		}
	}
	if _, err := graph.Outcome(0).MarshalText(); err == nil {
		t.Error("an unset outcome has a text")
	}
	for text, got := range map[string]string{"unknown (99)": graph.Outcome(99).String(), "unset": graph.Cloud(0).String()} {
		if got != text {
			t.Errorf("%q, want %q", got, text)
		}
	}
}

// A bulk run keeps its connections where there is no HTTP/2, and a program's own
// transport stays as it is.
func TestTransport(t *testing.T) {
	own, ok := graph.Transport(nil).(*http.Transport)
	if !ok || own.MaxIdleConnsPerHost < 16 || own.Proxy == nil {
		t.Errorf("%+v", own)
	}
	if d := http.DefaultTransport.(*http.Transport); own == d || d.MaxIdleConnsPerHost != 0 {
		t.Error("the default transport was changed")
	}
	given := &http.Transport{}
	if graph.Transport(given) != http.RoundTripper(given) || given.MaxIdleConnsPerHost != 0 {
		t.Error("a given transport was changed")
	}
}
