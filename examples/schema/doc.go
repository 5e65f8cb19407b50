// Package schema holds the results that the programs print with -json against the schemas
// in docs/schema. It has a module of its own, and only a test.
package schema
