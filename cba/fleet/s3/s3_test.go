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
	var names []string
	for found, err := range s.List(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, found)
	}
	if len(names) != 1 || names[0] != name {
		t.Errorf("%q", names)
	}
	other := *s
	other.Prefix = "elsewhere/"
	for found, err := range other.List(ctx) {
		t.Errorf("%q, %v", found, err)
	}
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
	larger := *s
	larger.Largest = 8 << 20
	if content, err := larger.Read(ctx, "large"); err != nil || len(content) != 4<<20+1 {
		t.Errorf("%d bytes, %v", len(content), err)
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
	for _, err := range s.List(ctx) {
		errs = append(errs, err)
	}
	_, err := s.Read(ctx, "x")
	for i, err := range append(errs, err) {
		if err == nil || errors.Is(err, fs.ErrNotExist) || strings.Contains(err.Error(), content) || strings.Contains(err.Error(), "secret-of-the-test") {
			t.Errorf("%d: %v", i, err)
		}
	}
}

// TestOpen opens a place with the credentials of the environment, and refuses what is none, without
// repeating a secret.
func TestOpen(t *testing.T) {
	_, server := bucket(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "id")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret-of-the-test")
	for place, want := range map[string]string{"s3://pfx-files": "", "s3://pfx-files/": "", "s3://pfx-files/a/b": "a/b/", "s3://pfx-files/a/b/": "a/b/"} {
		s, err := s3.Open(place, s3.Options{Endpoint: server.URL})
		if err != nil {
			t.Fatal(err)
		}
		if s.Prefix != want || s.Bucket != "pfx-files" || s.String() != server.URL+"/pfx-files/"+want {
			t.Errorf("%s: %q, %q, %s", place, s.Bucket, s.Prefix, s)
		}
		if err := s.Write(t.Context(), "x", []byte(place)); err != nil {
			t.Error(err)
		}
		if text, err := s.Read(t.Context(), "x"); err != nil || string(text) != place {
			t.Errorf("%q, %v", text, err)
		}
	}
	for place, endpoint := range map[string]string{
		"s3://":                      "",
		"s3:bucket":                  "",
		"S4://bucket":                "",
		"pfx":                        "",
		"s3://id:hunter2@bucket":     "",
		"s3://hunter2@bucket/x":      "",
		"s3://bucket?secret=hunter2": "",
		"s3://bucket/%zzhunter2":     "",
		"s3://bucket":                "http://s3.contoso.com",
		"s3://bucket/1":              "s3.contoso.com",
		"s3://bucket/2":              "https://s3.contoso.com/path",
		"s3://bucket/3":              "https://id:hunter2@s3.contoso.com",
		"s3://bucket/4":              "ftp://s3.contoso.com",
	} {
		if _, err := s3.Open(place, s3.Options{Endpoint: endpoint}); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s at %s: %v", place, endpoint, err)
		}
	}
	if s, err := s3.Open("s3://bucket", s3.Options{}); err != nil || s.String() != "https://s3.amazonaws.com/bucket/" {
		t.Errorf("%v, %v", s, err)
	}
}
