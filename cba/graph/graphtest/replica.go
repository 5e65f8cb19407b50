package graphtest

import "time"

// A Delay is the duration of something that the service does in the background: it ends
// when Time has passed (by [Options.Now]) and Reads answers have shown the state before
// it. The zero Delay ends at once.
type Delay struct {
	Time  time.Duration
	Reads int
}

// A timer is a running Delay.
type timer struct {
	until time.Time
	reads int
	on    bool
}

func (t *timer) start(d Delay, now time.Time) {
	*t = timer{until: now.Add(d.Time), reads: d.Reads, on: d.Time > 0 || d.Reads > 0}
}

// running reports whether the delay is not over yet.
func (t *timer) running(now time.Time) bool {
	if t.on && t.reads <= 0 && !now.Before(t.until) {
		t.on = false
	}
	return t.on
}

// A replica is one object as writers know it and as readers see it: after a
// write, readers are served the older value until the delay is over. Values are
// never changed, only replaced; nil is an object that is not there.
type replica[T any] struct {
	id   string
	at   int // place in the table
	now  *T
	old  *T
	late timer
}

// A table holds the objects of one kind in the order of their creation.
type table[T any] struct {
	rows []*replica[T]
	byID map[string]*replica[T]
	late map[*replica[T]]bool // those that may be lagging
}

func newTable[T any]() *table[T] {
	return &table[T]{byID: map[string]*replica[T]{}, late: map[*replica[T]]bool{}}
}

// load puts an object in place that everybody sees at once.
func (t *table[T]) load(id string, v *T) {
	r := &replica[T]{id: id, at: len(t.rows), now: v}
	t.rows = append(t.rows, r)
	t.byID[id] = r
}

// write puts an object in place, nil to delete it.
func (t *table[T]) write(id string, v *T, lag Delay, now time.Time) {
	r := t.byID[id]
	if r == nil {
		r = &replica[T]{id: id, at: len(t.rows)}
		t.rows = append(t.rows, r)
		t.byID[id] = r
	}
	if !r.late.running(now) {
		r.old = r.now
	}
	r.now = v
	if r.late.start(lag, now); r.late.on {
		t.late[r] = true
	}
}

// peek returns what a reader sees, without counting as one who did.
func (t *table[T]) peek(r *replica[T], now time.Time) *T {
	if r.late.running(now) {
		return r.old
	}
	if r.old != nil || len(t.late) > 0 {
		r.old = nil
		delete(t.late, r)
	}
	return r.now
}

// seen counts one read of an object.
func (r *replica[T]) seen() {
	if r.late.on {
		r.late.reads--
	}
}

// read returns what a reader sees of the object with the id, nil if nothing.
func (t *table[T]) read(id string, now time.Time) *T {
	r := t.byID[id]
	if r == nil {
		return nil
	}
	v := t.peek(r, now)
	r.seen()
	return v
}

// current returns the object as it is.
func (t *table[T]) current(id string) *T {
	if r := t.byID[id]; r != nil {
		return r.now
	}
	return nil
}

// all returns every object as it is, in order.
func (t *table[T]) all() []*T {
	list := make([]*T, 0, len(t.rows))
	for _, r := range t.rows {
		if r.now != nil {
			list = append(list, r.now)
		}
	}
	return list
}
