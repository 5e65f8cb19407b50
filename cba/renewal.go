package cba

import "time"

// DefaultRenewal is the percentage of its validity that a certificate has left
// when its renewal begins. Intune's documentation recommends it.
const DefaultRenewal = 20

// RenewalTime returns the second from which a certificate that is valid between
// two times is due for renewal: with 20 percent, when a fifth of its validity is
// left. Zero percent or less means [DefaultRenewal], 100 or more means notBefore.
//
// It is the one rule for "due for renewal". Only the dates decide: whether the
// certificate was already renewed or revoked is for the caller to know.
func RenewalTime(notBefore, notAfter time.Time, percent int) time.Time {
	if percent <= 0 {
		percent = DefaultRenewal
	}
	// Seconds, because a time.Duration ends at 292 years and certificates do not.
	begin, end := notBefore.Unix(), notAfter.Unix()
	if end <= begin {
		return notBefore.UTC()
	}
	left := (end - begin) * int64(min(percent, 100)) / 100
	return time.Unix(end-left, 0).UTC()
}
