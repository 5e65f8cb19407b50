package lint

import (
	"strings"
	"testing"
)

func TestSourcesAreDistinct(t *testing.T) {
	seen := map[string]Source{}
	if len(pages) < 40 {
		t.Fatalf("only %d sources", len(pages))
	}
	for _, p := range pages {
		s := p.source
		if s.URL() != p.url || strings.Contains(string(s), "; ") {
			t.Errorf("%q: URL %q, want %q", s, s.URL(), p.url)
		}
		if other, twice := seen[s.URL()]; twice {
			t.Errorf("%q and %q are one page", s, other)
		}
		seen[s.URL()] = s
	}
}
