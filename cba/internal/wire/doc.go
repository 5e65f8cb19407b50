// Package wire reads and writes the JSON objects of Microsoft Graph.
//
// A Go type for such an object is a struct whose first field is an embedded
// [Kept], under an alias of its own so that it stays hidden:
//
//	type kept = wire.Kept
//
//	type Rule struct {
//		kept
//		Identifier string `json:"identifier"`
//	}
//
// Kept remembers what the text of the object had, in its order: properties that
// the struct has no field for, null beside absent, and how a value was spelled.
// What the program did not change is written back byte for byte, but for white
// space and for times and binaries, which have one form. A struct without a Kept
// is only read; its properties are found in any letter case.
//
// Every text is checked before anything is decoded: its size, its depth, its
// encoding, and that no property stands twice in an object. What is wrong is an
// [*Error] with a JSON pointer and a byte offset; the packages that use this one
// turn it into their own.
//
// # Fields
//
// The property of a field is its json tag. Strings, booleans, 32-bit integers,
// times (RFC 3339), binaries ([]byte, base64), pointers to them, structs and
// slices of all but slices are supported. The zero value stands for a property
// that is absent or null, a slice that is not nil but empty for []. The tag
// "wire" has options, separated by commas:
//
//	always       written in an object that was made in a program, also when zero
//	unwrap       the value, and every element of it, may come in {"value": ...}
//	also=NAME    another name of the property, which is read and never written
package wire
