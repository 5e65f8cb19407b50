package fetch

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"example.com/entracba/cba/crl"
)

// A budget is the memory that the downloads of one Client share. The downloads are
// served in the order in which they began: the oldest one always gets what it asks
// for, so that downloads which each hold a part do not wait for each other for ever.
type budget struct {
	mu    sync.Mutex
	free  int64
	loans []*loan // the oldest first
}

// A loan is what one download holds of the budget.
type loan struct {
	of      *budget
	held    int64
	want    int64         // more than held while it waits
	granted chan struct{} // closed when want is held
}

func (b *budget) open() *loan {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := &loan{of: b}
	b.loans = append(b.loans, l)
	return l
}

// grow waits until the loan holds so many bytes, or ctx ends.
func (l *loan) grow(ctx context.Context, size int64) error {
	b := l.of
	b.mu.Lock()
	if size <= l.held {
		b.mu.Unlock()
		return nil
	}
	l.want, l.granted = size, make(chan struct{})
	granted := l.granted
	b.serve()
	b.mu.Unlock()
	select {
	case <-granted:
		return nil
	case <-ctx.Done():
		return &crl.Error{Reason: crl.Download, Err: ctx.Err(),
			Detail: fmt.Sprintf("other downloads hold the memory that Client.MaxBytes allows; this one needs %d bytes", size)}
	}
}

// close gives back what the loan holds.
func (l *loan) close() {
	b := l.of
	b.mu.Lock()
	defer b.mu.Unlock()
	b.free += l.held
	b.loans = slices.DeleteFunc(b.loans, func(other *loan) bool { return other == l })
	b.serve()
}

// serve grants what can be granted.
func (b *budget) serve() {
	for i, l := range b.loans {
		more := l.want - l.held
		if more <= 0 || more > b.free && i > 0 {
			continue
		}
		b.free -= more // below zero for the oldest one alone
		l.held = l.want
		close(l.granted)
	}
}
