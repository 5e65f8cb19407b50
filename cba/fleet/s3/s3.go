// Package s3 keeps the files of a fleet in a bucket of an S3-compatible object store: a
// [Store] is what jobs.Config takes for Files and Passwords. PFX files and passwords
// belong into two buckets with different readers; anyone who can read both has the keys.
//
// It is a module of its own, because of the client that it requires.
package s3

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/minio/minio-go/v7"
)

// maxFile bounds what [Store.Read] reads: a PFX file has some kilobytes.
const maxFile = 4 << 20

// A Store keeps files as objects of a bucket. Client and Bucket are required. An object is
// there as a whole or not at all, which is the store's own promise, and the client sends a
// check sum that the store compares.
//
// Access is the bucket's to decide: this package sets no permission on an object. Use a
// bucket that nobody reads in public, and an endpoint under TLS.
type Store struct {
	Client *minio.Client
	Bucket string
	// Prefix stands in front of every name, such as "pfx/"; it may be empty.
	Prefix string
}

// Write stores a file and replaces one of the same name.
func (s *Store) Write(ctx context.Context, name string, content []byte) error {
	key, err := s.key(name)
	if err != nil {
		return err
	}
	_, err = s.Client.PutObject(ctx, s.Bucket, key, bytes.NewReader(content), int64(len(content)),
		minio.PutObjectOptions{ContentType: "application/octet-stream", SendContentMd5: true, DisableMultipart: true})
	return failed("write", name, err)
}

// Read returns a file of up to 4 MiB. The error wraps fs.ErrNotExist if there is none.
func (s *Store) Read(ctx context.Context, name string) ([]byte, error) {
	key, err := s.key(name)
	if err != nil {
		return nil, err
	}
	object, err := s.Client.GetObject(ctx, s.Bucket, key, minio.GetObjectOptions{})
	if err != nil {
		return nil, failed("read", name, err)
	}
	defer object.Close()
	content, err := io.ReadAll(io.LimitReader(object, maxFile+1))
	if err == nil && len(content) > maxFile {
		err = fmt.Errorf("it has more than %d bytes", maxFile)
	}
	if err != nil {
		return nil, failed("read", name, err)
	}
	return content, nil
}

// Remove removes a file. It is no error if there is none. In a bucket with versions the
// older ones stay: give it a rule that ends them.
func (s *Store) Remove(ctx context.Context, name string) error {
	key, err := s.key(name)
	if err != nil {
		return err
	}
	return failed("remove", name, s.Client.RemoveObject(ctx, s.Bucket, key, minio.RemoveObjectOptions{}))
}

// key is the name of the object. A name is one of a file, without folders.
func (s *Store) key(name string) (string, error) {
	switch {
	case s == nil || s.Client == nil || s.Bucket == "":
		return "", fmt.Errorf("s3: a store needs a client and a bucket")
	case name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\\\x00") || path.Base(name) != name:
		return "", fmt.Errorf("s3: %q is no name of a file", name)
	}
	return s.Prefix + name, nil
}

func failed(what, name string, err error) error {
	if err == nil {
		return nil
	}
	if minio.ToErrorResponse(err).Code == minio.NoSuchKey {
		err = fs.ErrNotExist
	}
	return fmt.Errorf("s3: %s %s: %w", what, name, err)
}
