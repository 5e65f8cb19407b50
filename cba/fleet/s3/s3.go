// Package s3 keeps the files of a fleet in a bucket of an S3-compatible object store: a
// [Store] is what jobs.Config takes for Files and Passwords. PFX files and passwords
// belong into two buckets with different readers; anyone who can read both has the keys.
//
// It is a module of its own, because of the client that it requires.
package s3

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// maxFile bounds what [Store.Read] reads, if the store says nothing else: a PFX file has some
// kilobytes.
const maxFile int64 = 4 << 20

// A Store keeps files as objects of a bucket. Client and Bucket are required. An object is
// there as a whole or not at all, which is the store's own promise, and the client sends a
// check sum that the store compares.
//
// [Open] makes one from a URL and the environment.
//
// Access is the bucket's to decide: this package sets no permission on an object. Use a
// bucket that nobody reads in public, and an endpoint under TLS.
type Store struct {
	Client *minio.Client
	Bucket string
	// Prefix stands in front of every name, such as "pfx/"; it may be empty.
	Prefix string
	// Largest is how many bytes Read reads at most; zero means 4 MiB.
	Largest int64
}

// Options say where an object store is. The zero value is Amazon S3.
type Options struct {
	// Endpoint is the URL of an S3-compatible store, "https://s3.contoso.com"; without TLS
	// it is accepted for this machine alone. Empty means that of Amazon S3.
	Endpoint string
	// Region is asked for if it is empty.
	Region string
	// Transport is used instead of that of the client.
	Transport http.RoundTripper
}

// Open returns the store of a place, "s3://BUCKET" or "s3://BUCKET/PREFIX": files go below
// "PREFIX/". The credentials are those of the environment (AWS_ACCESS_KEY_ID,
// AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN), of the file ~/.aws/credentials, or of the machine.
// A place with credentials in it is refused, and not repeated. Nothing is asked of the
// store.
func Open(place string, o Options) (*Store, error) {
	u, err := url.Parse(place)
	switch {
	case err != nil, u.Scheme != "s3", u.Host == "", u.Opaque != "", u.RawQuery != "", u.Fragment != "":
		return nil, errors.New("s3: a place is s3://BUCKET or s3://BUCKET/PREFIX")
	case u.User != nil:
		return nil, errors.New("s3: a place must contain no credentials, because everyone on the machine can read command lines: use AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or ~/.aws/credentials")
	}
	host, secure := "s3.amazonaws.com", true
	if o.Endpoint != "" {
		e, err := url.Parse(o.Endpoint)
		switch {
		case err != nil, e.Scheme != "https" && e.Scheme != "http", e.Host == "", e.User != nil, strings.Trim(e.Path, "/") != "", e.RawQuery != "":
			return nil, errors.New("s3: an endpoint is https://HOST or https://HOST:PORT")
		case e.Scheme == "http" && !isLoopback(e.Hostname()):
			return nil, fmt.Errorf("s3: the endpoint %s has no TLS: use https://", e.Host)
		}
		host, secure = e.Host, e.Scheme == "https"
	}
	client, err := minio.New(host, &minio.Options{Secure: secure, Region: o.Region, Transport: o.Transport,
		Creds: credentials.NewChainCredentials([]credentials.Provider{&credentials.EnvAWS{}, &credentials.FileAWSCredentials{}, &credentials.IAM{}})})
	if err != nil {
		return nil, fmt.Errorf("s3: %w", err)
	}
	s := &Store{Client: client, Bucket: u.Host}
	if prefix := strings.Trim(u.Path, "/"); prefix != "" {
		s.Prefix = prefix + "/"
	}
	return s, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// String returns where the files are. Two stores that are the same say the same.
func (s *Store) String() string {
	if s == nil || s.Client == nil {
		return "s3:"
	}
	return s.Client.EndpointURL().String() + "/" + s.Bucket + "/" + s.Prefix
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

// Read returns a file of up to Largest bytes. The error wraps fs.ErrNotExist if there is none.
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
	most := cmp.Or(s.Largest, maxFile)
	content, err := io.ReadAll(io.LimitReader(object, most+1))
	if err == nil && int64(len(content)) > most {
		err = fmt.Errorf("it has more than %d bytes", most)
	}
	if err != nil {
		return nil, failed("read", name, err)
	}
	return content, nil
}

// List returns the names of the files, in the order of the store. What is below a further "/"
// is not among them.
func (s *Store) List(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if _, err := s.key("x"); err != nil {
			yield("", err)
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		defer cancel() // ends the client's goroutine
		for o := range s.Client.ListObjects(ctx, s.Bucket, minio.ListObjectsOptions{Prefix: s.Prefix}) {
			if o.Err != nil {
				yield("", failed("list", s.Bucket, o.Err))
				return
			}
			if name := strings.TrimPrefix(o.Key, s.Prefix); name != "" && !strings.Contains(name, "/") && !yield(name, nil) {
				return
			}
		}
	}
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
