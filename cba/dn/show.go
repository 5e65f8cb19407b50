package dn

import (
	"fmt"
	"slices"
)

// maxShown is how many bytes of an encoded name are shown: a certificate can hold
// megabytes where a name belongs.
const maxShown = 2000

// Show returns the text of an encoded name for messages and tables, whatever is
// in it: the form of [Name.String], but with the value of an unknown attribute
// type as text where it is text. It says in parentheses when a name is empty,
// too long or unreadable. For a text that [Parse] reads back use [Name.String].
func Show(der []byte) string {
	if len(der) > maxShown {
		return fmt.Sprintf("(name of %d bytes)", len(der))
	}
	name, err := ParseDER(der)
	switch {
	case err != nil:
		return "(unreadable name)"
	case len(name) == 0:
		return "(empty name)"
	}
	return name.text(slices.Backward(name), true)
}
