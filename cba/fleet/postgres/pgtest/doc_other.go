//go:build !unix

// Package pgtest starts a PostgreSQL server for a test, on Unix.
package pgtest
