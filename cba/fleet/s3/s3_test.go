package s3_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"example.com/entracba/cba/fleet/s3"
)

// bucket serves an empty one.
func bucket(t *testing.T) (*s3.Store, *httptest.Server) {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("pfx-files"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(server.Close)
	client, err := minio.New(strings.TrimPrefix(server.URL, "http://"), &minio.Options{Creds: credentials.NewStaticV4("id", "secret-of-the-test", ""), MaxRetries: 1})
	if err != nil {
		t.Fatal(err)
	}
	return &s3.Store{Client: client, Bucket: "pfx-files", Prefix: "fleet/"}, server
}

func TestStore(t *testing.T) {
	s, _ := bucket(t)
	ctx := t.Context()
	const name = "jané o'brien@contoso.com.01ab.pfx"
	if _, err := s.Read(ctx, name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before: %v", err)
	}
	if err := s.Remove(ctx, name); err != nil {
		t.Errorf("removing nothing: %v", err)
	}
	for _, content := range [][]byte{[]byte("first"), bytes.Repeat([]byte{0, 0xff}, 100_000)} { // and replaced
		if err := s.Write(ctx, name, content); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Read(ctx, name); err != nil || !bytes.Equal(got, content) {
			t.Errorf("%d bytes came back of %d: %v", len(got), len(content), err)
		}
	}
	other := *s
	other.Prefix = "elsewhere/"
	if _, err := other.Read(ctx, name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("under another prefix: %v", err)
	}
	if err := s.Remove(ctx, name); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Read(ctx, name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after: %v", err)
	}
}

// What is too large is not read, and no error has the secret of the client or what is
// stored.
func TestFailures(t *testing.T) {
	s, server := bucket(t)
	ctx := t.Context()
	const content = "the password"
	if err := s.Write(ctx, "large", make([]byte, 4<<20+1)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Read(ctx, "large"); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("large: %v", err)
	}
	for _, name := range []string{"", ".", "..", "a/b", `a\b`, "../x", "a\x00"} {
		if s.Write(ctx, name, nil) == nil || s.Remove(ctx, name) == nil {
			t.Errorf("%q is a name", name)
		}
		if _, err := s.Read(ctx, name); err == nil {
			t.Errorf("%q is read", name)
		}
	}
	var errs []error
	missing := *s
	missing.Bucket = "nosuch-bucket"
	errs = append(errs, missing.Write(ctx, "x", []byte(content)))
	ended, cancel := context.WithCancel(ctx)
	cancel()
	errs = append(errs, s.Write(ended, "x", []byte(content)))
	server.Close()
	errs = append(errs, s.Write(ctx, "x", []byte(content)), s.Remove(ctx, "x"), new(s3.Store).Write(ctx, "x", nil), (*s3.Store)(nil).Remove(ctx, "x"))
	_, err := s.Read(ctx, "x")
	for i, err := range append(errs, err) {
		if err == nil || errors.Is(err, fs.ErrNotExist) || strings.Contains(err.Error(), content) || strings.Contains(err.Error(), "secret-of-the-test") {
			t.Errorf("%d: %v", i, err)
		}
	}
}
