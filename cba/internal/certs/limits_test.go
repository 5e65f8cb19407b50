package certs_test

import (
	"bytes"
	"testing"
	"time"

	"example.com/entracba/cba/internal/certs"
)

// The largest files of any content cost little.
func TestWorkIsBounded(t *testing.T) {
	const size = 4 << 20
	fill := func(head, piece string) []byte {
		return append([]byte(head), bytes.Repeat([]byte(piece), (size-len(head))/len(piece))...)
	}
	small := string(made(t))
	for name, data := range map[string][]byte{
		"indefinite levels": fill("", "\x30\x80"),
		"PEM blocks":        fill("", "-----BEGIN X-----\nMAA=\n-----END X-----\n"),
		"PEM begins":        fill("", "-----BEGIN X-----"),
		"PEM headers":       fill("-----BEGIN X-----\n", "a:\n"),
		"base64":            fill("", "MIAw"),
		"base64 of base64":  fill("", "TUlB"),
		"hexadecimal":       fill("", "3080"),
		"blanks":            fill("", " "),
		"certificates":      fill("", small),
		"text":              fill("", "<a>"),
	} {
		start := time.Now()
		blocks, err := certs.Open(data)
		if err == nil {
			_, _ = certs.Certificates(blocks)
		}
		if d := time.Since(start); d > 10*time.Second {
			t.Errorf("%s: %v", name, d)
		} else {
			t.Logf("%s: %v", name, d)
		}
	}
	// One certificate of extensions that crypto/x509 refuses one by one.
	if _, err := certs.Parse(bytes.Repeat([]byte{0x30, 0x80}, size/2)); err == nil {
		t.Error("read")
	}
}
