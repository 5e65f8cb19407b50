package path

import "slices"

// Ways has the ways from all CAs of a set to the roots, under the same options as
// [Set.Find] has for one certificate. Finding them together costs little more than
// finding one: each level of [Rules] is one search from the roots down.
type Ways[T any] struct {
	set     *Set[T]
	options Options
	levels  [Periods + 1]table // by Rules
	dead    table              // the distance to the nearest CA with nothing proven above it
	below   [][]*Node[T]       // by rank: what a CA issued, by rank
}

// A table has, for a CA at a place, how many CAs a way to the end has, with itself;
// zero if there is none.
type table struct {
	width    int32   // the places of one CA: how many count below it (see state)
	distance []int32 // nil if it was not needed yet
}

func (t *table) at(rank, below int32) int32 {
	if t.width == 1 {
		below = 0
	}
	return t.distance[rank*t.width+below]
}

// Ways prepares the search. It is not safe for concurrent use.
func (s *Set[T]) Ways(o Options) *Ways[T] {
	w := &Ways[T]{set: s, options: o, below: make([][]*Node[T], len(s.Nodes))}
	for _, n := range s.Nodes {
		for _, l := range n.Issuers {
			if l.Proof == Proven {
				w.below[l.Node.rank] = append(w.below[l.Node.rank], n)
			}
		}
	}
	return w
}

// Find is [Set.Find], but for a certificate above which all CAs go in circles: there
// the way is the first CA alone.
func (w *Ways[T]) Find(first []Link[T]) (way []*Node[T], complete bool) {
	first = slices.DeleteFunc(slices.Clone(first), func(l Link[T]) bool { return l.Proof != Proven })
	for r := Periods; ; r-- {
		most := int32(len(w.set.Nodes)) + 1
		if r >= Depth {
			most = w.set.deepest(w.options)
		}
		if way := w.walk(w.level(r), first, most); way != nil {
			return way, true
		}
		if r == Proofs {
			break
		}
	}
	if w.dead.distance == nil {
		w.dead = w.spread(Proofs, func(n *Node[T]) bool {
			return !slices.ContainsFunc(n.Issuers, func(l Link[T]) bool { return l.Proof == Proven })
		})
	}
	if way := w.walk(&w.dead, first, int32(len(w.set.Nodes))+1); way != nil {
		return way, false
	}
	if len(first) > 0 {
		return []*Node[T]{first[0].Node}, false
	}
	return nil, false
}

func (w *Ways[T]) level(r Rules) *table {
	if w.levels[r].distance == nil {
		w.levels[r] = w.spread(r, func(n *Node[T]) bool { return n.Root })
	}
	return &w.levels[r]
}

// spread goes breadth first from the ends down.
func (w *Ways[T]) spread(r Rules, end func(*Node[T]) bool) table {
	nodes := w.set.Nodes
	t := table{width: 1}
	if r >= Shape {
		t.width = w.set.deepest(w.options) + 1
	}
	t.distance = make([]int32, len(nodes)*int(t.width))
	type place struct {
		node  *Node[T]
		below int32
	}
	var queue []place
	visit := func(n *Node[T], below, distance int32) {
		if below < 0 || !w.set.allowed(n, below, r, w.options) {
			return
		}
		if d := &t.distance[n.rank*t.width+below]; *d == 0 {
			*d = distance
			queue = append(queue, place{n, below})
		}
	}
	for _, n := range nodes {
		for below := range t.width {
			if end(n) {
				visit(n, below, 1)
			}
		}
	}
	for ; len(queue) > 0; queue = queue[1:] {
		above := queue[0]
		distance := t.at(above.node.rank, above.below) + 1
		for _, n := range w.below[above.node.rank] {
			if end(n) {
				continue // a way ends there
			}
			below := above.below
			if t.width > 1 && !n.SelfIssued {
				below--
			}
			visit(n, below, distance)
		}
	}
	return t
}

// walk follows the distances of a table from the issuers of a certificate to the end;
// of two ways of one length it takes the one whose CAs have the lower rank. It
// returns nil if there is no way, or only longer ones.
func (w *Ways[T]) walk(t *table, first []Link[T], most int32) (way []*Node[T]) {
	left, below := int32(0), int32(0)
	for links := first; ; {
		var next *Node[T]
		for _, l := range links {
			if l.Proof != Proven {
				continue
			}
			d := t.at(l.Node.rank, below)
			if d > 0 && (left > 0 && d == left || left == 0 && d <= most) {
				next = l.Node
				if left > 0 {
					break
				}
				most = d - 1 // the first way may be any, then only shorter ones
			}
		}
		if next == nil {
			return nil
		}
		way = append(way, next)
		if left = t.at(next.rank, below) - 1; left == 0 {
			return way
		}
		if !next.SelfIssued {
			below++
		}
		links = next.Issuers
	}
}
