package publish

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"sync"
)

// A Store keeps what an [Issuer] remembers: the revocations of one CA, the last CRL
// number, and what the delta CRLs continue. [FileStore] is the one for a single
// machine, [MemoryStore] the one for tests; with a database or an object store
// behind the three methods, several machines can issue for one CA.
//
// The content is text that only this package reads, in two parts. Each carries a
// checksum, and an Issuer refuses one that was cut or changed, and parts that do not
// belong together.
type Store interface {
	// Lock waits until nobody else holds the lock of this store, in this process
	// or another, and takes it. Whoever holds it and dies must lose it. The other
	// methods are called between Lock and unlock only.
	Lock(ctx context.Context) (unlock func() error, err error)

	// Load opens the content of the last Save of a part for reading. The error is,
	// or wraps, fs.ErrNotExist if there was none yet. The reader may have a method
	// Stat, as that of a file, or Size, as that of a bytes.Reader: that saves memory.
	Load(ctx context.Context, part Part) (io.ReadCloser, error)

	// Save replaces the content of a part by what write writes. When it returns nil
	// the new content is there to stay; when write or anything else fails, and
	// whenever the machine stops half-way, the old content is there as a whole. A
	// reader that Load returned stays readable meanwhile, also inside write.
	Save(ctx context.Context, part Part, write func(io.Writer) error) error
}

// A Part is a part of what a [Store] keeps. There are two, so that a CRL number is
// used up without the entries being written again.
type Part string

const (
	// State is the last CRL number and the last base CRL: some 200 bytes.
	State Part = "state"
	// Entries are the revocations: some 70 bytes each.
	Entries Part = "entries"
)

// A MemoryStore is a [Store] in memory, for tests and trials: what it has is lost
// with the process, and then numbers are used again. The zero value is ready. It
// must not be copied once it was used.
type MemoryStore struct {
	once  sync.Once
	lock  chan struct{}
	mu    sync.Mutex
	parts map[Part][]byte
}

// Lock waits for the lock until ctx ends.
func (s *MemoryStore) Lock(ctx context.Context) (unlock func() error, err error) {
	if s == nil {
		return nil, failf(StoreFailed, "the MemoryStore is nil")
	}
	s.once.Do(func() { s.lock = make(chan struct{}, 1) })
	select {
	case s.lock <- struct{}{}:
		return func() error { <-s.lock; return nil }, nil
	case <-ctx.Done():
		return nil, &Error{Reason: Locked, Detail: "another caller holds the lock of the store, perhaps waiting for its key", Err: ctx.Err()}
	}
}

// Load returns the part.
func (s *MemoryStore) Load(_ context.Context, part Part) (io.ReadCloser, error) {
	if s == nil {
		return nil, failf(StoreFailed, "the MemoryStore is nil")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	content, ok := s.parts[part]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return struct {
		*bytes.Reader
		io.Closer
	}{bytes.NewReader(content), io.NopCloser(nil)}, nil
}

// Save replaces the part.
func (s *MemoryStore) Save(ctx context.Context, part Part, write func(io.Writer) error) error {
	if s == nil || write == nil {
		return failf(StoreFailed, "the MemoryStore is nil, or there is nothing to save")
	}
	var content bytes.Buffer
	if err := write(&content); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.parts == nil {
		s.parts = make(map[Part][]byte)
	}
	s.parts[part] = content.Bytes()
	return nil
}

// storeError gives what a store returned the error model of this package.
func storeError(ctx context.Context, err error, detail string) error {
	var own *Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &own):
		return err
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return &Error{Reason: StoreFailed, Detail: detail + ", because the context ended", Err: err}
	}
	return &Error{Reason: StoreFailed, Detail: detail, Err: err}
}
