package aadsts_test

import (
	"fmt"

	"example.com/entracba/cba/aadsts"
)

// A user reads a number to the help desk.
func ExampleFind() {
	code, known := aadsts.Find(500173)
	fmt.Println(known, code)
	fmt.Println(code.Text)
	fmt.Println(code.Source, code.Confidence)
	// Output:
	// true AADSTS500173
	// the CRL could not be downloaded
	// Learn: CBA certificate revocation list documented
}
