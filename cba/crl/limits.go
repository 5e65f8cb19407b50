package crl

import "time"

// megabyte is the unit of the service's limits. Microsoft writes "MB" without
// saying which; the smaller reading is taken, so that what passes here is not
// too large there.
const megabyte = 1_000_000

// Limits bound the download of one CRL. The zero Limits are those of
// [InteractivePublic].
type Limits struct {
	Bytes int64         // size of the CRL; zero means 20 MB
	Time  time.Duration // from the first byte sent to the last received; zero means 10 s
}

// InteractivePublic returns the limits during a sign-in in the public cloud,
// GCC included: 20 MB and 10 s (Learn, "CBA certificate revocation list").
// A CRL above these limits fails the first sign-in with AADSTS2205014; Entra then
// fetches it in the background.
func InteractivePublic() Limits { return Limits{20 * megabyte, 10 * time.Second} }

// InteractiveGovernment returns the limits during a sign-in in GCC High and DoD:
// 45 MB and 10 s.
func InteractiveGovernment() Limits { return Limits{45 * megabyte, 10 * time.Second} }

// BackgroundPublic returns the limits of the service's own downloads in the
// public cloud: 65 MB. One page of the documentation says both 65 and 45; the
// FAQ says 65. No time is documented for downloads in the background: the two
// minutes are a choice of this package.
func BackgroundPublic() Limits { return Limits{65 * megabyte, 2 * time.Minute} }

// BackgroundPublicCautious is BackgroundPublic with the other documented
// figure: 45 MB.
func BackgroundPublicCautious() Limits { return Limits{45 * megabyte, 2 * time.Minute} }

// BackgroundGovernment returns the limits of the service's own downloads in GCC
// High and DoD: 150 MB, and the two minutes of BackgroundPublic.
func BackgroundGovernment() Limits { return Limits{150 * megabyte, 2 * time.Minute} }
