//go:build !cgo

package main

import (
	"context"

	"example.com/entracba/examples/internal/console"
)

// openToken is for programs that were built with a C compiler: PKCS #11 modules
// are C libraries.
func (p *program) openToken(context.Context) error {
	return console.Usage("this program was built without cgo and cannot load PKCS #11 modules: build it with CGO_ENABLED=1 and a C compiler")
}
