package publish

import (
	"context"
	"io"
)

// A Store keeps the ledger of an [Issuer]: the revocations of one CA, the
// last CRL number, and what the deltas continue. [FileStore] is the one for a
// single machine; with a database or an object store behind the three methods,
// several machines can issue for one CA.
//
// The content is text that only this package reads. It carries a checksum, and
// an Issuer refuses one that was cut or changed.
type Store interface {
	// Lock waits until nobody else holds the lock of this ledger, in this process
	// or another, and takes it. A holder that dies must lose it. The other
	// methods are called between Lock and unlock only.
	Lock(ctx context.Context) (unlock func() error, err error)

	// Load opens the content of the last Save for reading. The error is, or
	// wraps, fs.ErrNotExist if there was none yet.
	Load(ctx context.Context) (io.ReadCloser, error)

	// Save replaces the content by what write writes. When it returns nil the new
	// content is there to stay; when write or anything else fails, and whenever
	// the machine stops half-way, the old content is there as a whole. A reader
	// that Load returned stays readable meanwhile.
	Save(ctx context.Context, write func(io.Writer) error) error
}
