package path_test

import (
	"crypto/x509"
	mathrand "math/rand/v2"
	"slices"
	"testing"

	"example.com/entracba/cba/internal/path"
)

// The ways of all CAs together are those that a search for each finds, in stores of
// chance with every flaw that a search knows.
func TestWays(t *testing.T) {
	r := mathrand.New(mathrand.NewPCG(7, 7))
	complete, dead, circles := 0, 0, 0
	keys := make([]ca, 7)
	for i := range keys {
		keys[i] = newCA(t, string(rune('A'+i)))
	}
	for range 150 {
		some := keys[:2+r.IntN(len(keys)-1)]
		var nodes []*node
		for range 3 + r.IntN(14) {
			below, above := some[r.IntN(len(some))], some[r.IntN(len(some))]
			signer := above
			if r.IntN(12) == 0 {
				signer.key = some[r.IntN(len(some))].key // a wrong signature, most times
			}
			if r.IntN(8) == 0 {
				below.name = above.name // self-issued, perhaps with a new key
			}
			nodes = append(nodes, &node{Certificate: signer.issue(t, below, func(c *x509.Certificate) {
				c.NotAfter = now.AddDate(0, 1+r.IntN(40), 0)
				switch r.IntN(10) {
				case 0:
					c.NotAfter = now.AddDate(0, -1, 0)
				case 1:
					c.NotBefore = now.AddDate(0, 1, 0)
				case 2:
					c.IsCA = false
				case 3:
					c.KeyUsage = x509.KeyUsageCRLSign
				case 4:
					c.MaxPathLenZero = true
				case 5:
					c.MaxPathLen = 1
				}
			})})
		}
		for _, match := range []path.Match{path.ByName, path.ByKeyID} {
			set := path.NewSet(nodes, match)
			if r.IntN(3) == 0 { // a root that is one by a mark
				set.Nodes[r.IntN(len(set.Nodes))].Root = true
			}
			set.Link()
			for _, o := range []path.Options{{At: now}, {At: now, MaxDepth: 1 + r.IntN(4)}, {At: now, MaxDepth: 2, NoShape: true}} {
				ways := set.Ways(o)
				for _, n := range set.Nodes {
					way, found := set.Find(n.Issuers, o)
					got, gotFound := ways.Find(n.Issuers)
					if found != gotFound {
						t.Fatalf("complete: %v, one by one %v", gotFound, found)
					}
					proven := func(n *node) bool {
						return slices.ContainsFunc(n.Issuers, func(l path.Link[string]) bool { return l.Proof == path.Proven })
					}
					switch {
					case found:
						complete++
					case len(way) > 0 && proven(way[len(way)-1]):
						if circles++; len(got) != 1 || !proven(got[0]) {
							t.Errorf("a circle: %d CAs", len(got))
						}
						continue
					default:
						dead++
					}
					if !slices.Equal(way, got) {
						t.Errorf("%d CAs, one by one %d (complete %v)", len(got), len(way), found)
					}
				}
			}
		}
	}
	t.Logf("%d ways to a root, %d that end before, %d circles", complete, dead, circles)
	if complete < 1000 || dead < 1000 || circles < 50 {
		t.Error("too few of one kind to prove anything")
	}
}
