package pfx

import (
	"crypto/rand"
	"unicode/utf8"
)

// The alphabet of generated passwords: 32 characters, without l, o, 0 and 1,
// and in one case, so that it can be read out and typed.
const passwordAlphabet = "abcdefghijkmnpqrstuvwxyz23456789"

const passwordLength = 24

// GeneratePassword returns a new random password of 24 lowercase letters and
// digits, without the easily confused l, o, 0 and 1. It needs no quoting in any
// shell, CSV, XML or JSON, no dialog or tool is known to change it, and because it
// begins with a letter, no spreadsheet reads it as a number. It has 119 bits of
// entropy, which protects even a file in the encoding [Compatible].
func GeneratePassword() string {
	var random, password [passwordLength]byte
	for {
		rand.Read(random[:]) // never fails; ends the program if it would
		for i, b := range random {
			password[i] = passwordAlphabet[b%32] // 32 divides 256: no bias
		}
		if password[0] >= 'a' {
			return string(password[:])
		}
	}
}

// checkPassword says why some readers would refuse a password.
func (e Encoder) checkPassword(password string) error {
	switch {
	case e.Encoding == InsecureUnencrypted && password != "":
		return fail(BadPassword, "the encoding %q has no password: leave it empty", e.Encoding)
	case e.Encoding == InsecureUnencrypted:
		return nil
	case password == "" && !e.InsecureAllowEmptyPassword:
		return fail(BadPassword, "it is empty")
	case !utf8.ValidString(password):
		return fail(BadPassword, "it is not valid UTF-8")
	}
	for _, r := range password {
		switch {
		case r < ' ' || r == 0x7f:
			return fail(BadPassword, "it contains a control character")
		case r > 0xffff:
			return fail(BadPassword, "it contains a character beyond U+FFFF, which PKCS#12 passwords cannot have")
		case r > 0x7f && !e.AllowNonASCIIPassword:
			return fail(BadPassword, "it contains a non-ASCII character, which some PFX importers report as a wrong password: use ASCII letters and digits")
		}
	}
	return nil
}
