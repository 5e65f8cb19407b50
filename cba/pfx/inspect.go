package pfx

import (
	"fmt"
	"strings"

	"example.com/entracba/cba/lint"
)

// Info is what a PFX shows without its password. It marshals to JSON.
type Info struct {
	Bytes int  `json:"bytes"`
	BER   bool `json:"ber,omitempty"` // BER and not DER, as NSS writes

	// Encoding is the encoding of this package whose readers open the file; 0
	// if the file mixes algorithms of several encodings, or uses others.
	Encoding Encoding `json:"encoding,omitzero"`

	// MAC is nil if the file has none.
	MAC   *Algorithm `json:"mac,omitempty"`
	Parts []Part     `json:"parts"`

	// FriendlyName is the label of the key. In most files it is readable without
	// the password.
	FriendlyName string `json:"friendlyName,omitempty"`

	// Readers says for each target whether it opens the file.
	Readers []Reader `json:"readers"`

	// Advice is for a person to whom a program reported a wrong password.
	Advice string `json:"advice"`

	// Findings are about the file itself: read them before passing it on.
	Findings lint.Findings `json:"findings,omitempty"`
}

// An Algorithm is one use of the password.
type Algorithm struct {
	Name       string `json:"name"`
	Iterations int64  `json:"iterations"` // 0 if not readable
	SaltBytes  int    `json:"saltBytes"`
}

// A Part is one of the containers in a file, most often one for certificates
// and one for the key.
type Part struct {
	// Encryption is nil if the entries are visible.
	Encryption *Algorithm `json:"encryption,omitempty"`
	// Keys says how each visible key is encrypted; a key that is not encrypted has
	// the name "none". Certificates and Other count the other visible entries.
	Keys         []Algorithm `json:"keys,omitempty"`
	Certificates int         `json:"certificates,omitempty"`
	Other        int         `json:"other,omitempty"`
}

// A Reader says whether one target opens the file.
type Reader struct {
	Target Target `json:"target"`
	Reads  Answer `json:"reads"`
	// Because is why this file is another case than its encoding, such as "more
	// iterations of key derivation than it takes: 600,000"; empty otherwise.
	Because string `json:"because,omitempty"`
}

// Inspect describes a PFX without its password. It derives no key and checks no
// MAC: everything in the result is what the file claims, and what is inside
// encrypted parts is not counted.
//
// The error is an [*Error] with reason [Malformed], [NotSupported] (protection
// by public keys) or [TooCostly] (more than 1 MiB, or too many
// entries). A file that is only expensive or weak is described.
func Inspect(data []byte) (Info, error) {
	if len(data) > defaultMaxBytes {
		return Info{}, fail(TooCostly, "the file has %d bytes, more than %d", len(data), defaultMaxBytes)
	}
	f, err := parseFile(data)
	if err != nil {
		return Info{}, err
	}
	in := Info{Bytes: len(data), BER: f.ber}
	u := uses{}
	var total, largest int64
	describe := func(k kdf) *Algorithm {
		largest = max(largest, k.iterations)
		total = max(total, total+k.iterations) // stays when it overflows
		return &Algorithm{k.name, max(k.iterations, 0), len(k.salt)}
	}
	if f.mac != nil {
		in.MAC = describe(f.mac.kdf)
		u.mac = f.mac.family
	}
	for _, p := range f.parts {
		part := Part{}
		if p.scheme != nil {
			part.Encryption = describe(p.scheme.kdf)
			u.add(p.scheme.family)
			in.Parts = append(in.Parts, part)
			continue
		}
		bags, ber, err := readBags(p.data)
		if err != nil {
			return Info{}, err
		}
		in.BER = in.BER || ber
		for _, b := range bags {
			switch b.kind {
			case certBag:
				u.clear = true
				part.Certificates++
			case keyBag:
				u.clear, u.clearKey = true, true
				part.Keys = append(part.Keys, Algorithm{Name: "none"})
			case shroudedBag:
				s, _, ok := b.shrouded()
				if !ok {
					return Info{}, fail(Malformed, "the entry of a private key cannot be read")
				}
				u.add(s.family)
				part.Keys = append(part.Keys, *describe(s.kdf))
			default:
				part.Other++
			}
			if in.FriendlyName == "" && (b.kind == keyBag || b.kind == shroudedBag) {
				in.FriendlyName = b.name
			}
		}
		in.Parts = append(in.Parts, part)
	}
	u.largest, u.total = largest, total
	u.slow = largest > MaxIterations || total > maxDotNetTotal
	in.Encoding = u.encoding(f.mac != nil)
	for _, t := range Targets() {
		reads, because := u.readBy(t, in.Encoding)
		in.Readers = append(in.Readers, Reader{t, reads, because})
	}
	in.Advice = in.advice(u)
	in.Findings = in.findings(u, f.mac != nil)
	return in, nil
}

// maxDotNetTotal is TotalKdfIterationLimit of .NET 9's Pkcs12LoaderLimits.
const maxDotNetTotal = 1_000_000

// uses are the encodings that a file's algorithms are taken from, and what else
// decides who reads it.
type uses struct {
	mac      Encoding
	ciphers  [InsecureUnencrypted + 1]bool // [0]: an algorithm of none of them
	clear    bool                          // a key or certificates are not encrypted
	clearKey bool
	slow     bool  // more iterations than .NET 9 accepts
	largest  int64 // iterations of one derivation
	total    int64
}

func (u *uses) add(e Encoding) { u.ciphers[e] = true }

// encoding returns the one encoding whose readers open the file.
func (u uses) encoding(hasMAC bool) Encoding {
	c := u.ciphers
	switch {
	case c[0]:
	case !hasMAC && !c[Compatible] && !c[Modern] && !c[RC2]:
		return InsecureUnencrypted
	case u.mac == Compatible && c[RC2] && !c[Modern]: // with the key in 3DES
		return RC2
	case u.mac == Compatible && c[Compatible] && !c[Modern] && !c[RC2]:
		return Compatible
	case u.mac == Modern && c[Modern] && !c[Compatible] && !c[RC2]:
		return Modern
	case u.mac == PBMAC1 && c[Modern] && !c[Compatible] && !c[RC2]:
		return PBMAC1
	}
	return 0
}

// oldWithNewMAC is 3DES with an HMAC-SHA256, which is what comes of telling
// OpenSSL 3 to use 3DES and not telling it to use a SHA-1 MAC.
func (u uses) oldWithNewMAC() bool {
	return u.mac == Modern && u.ciphers[Compatible] && !u.ciphers[Modern] && !u.ciphers[RC2] && !u.ciphers[0]
}

// maxWindows is the most iterations of one derivation that Windows takes.
const maxWindows = 600_000

// readBy says whether a target opens the file, and why, if that is not what the
// table has for its encoding.
func (u uses) readBy(t Target, e Encoding) (reads Answer, because string) {
	switch {
	case t.isWindows() && u.largest > maxWindows:
		return No, "the file needs more iterations of key derivation than it takes: 600,000"
	case t == DotNet5 && u.slow:
		return NotKnown, "from .NET 9 it takes 300,000 iterations for one key and 1,000,000 in total, unless the program allows more (Pkcs12LoaderLimits)"
	}
	if e != 0 {
		a := t.Reads(e)
		// Readers that refuse a file without any encryption may stumble over
		// half of one; macOS is said to (dotnet/runtime #112741).
		if a == Yes && u.clear && e != InsecureUnencrypted && t.Reads(InsecureUnencrypted) != Yes {
			return NotKnown, "a part of the file is not encrypted"
		}
		return a, ""
	}
	if u.oldWithNewMAC() {
		switch {
		case t.Reads(Modern) == Yes:
			return Yes, ""
		case t == MacOS14 || t == Android13: // ruby/openssl #654, clip_share_server #58
			return No, ""
		}
	}
	return NotKnown, ""
}

func (in Info) advice(u uses) string {
	var no []string
	unknown := false
	for _, r := range in.Readers {
		switch r.Reads {
		case No:
			no = append(no, r.Target.Title())
		case NotKnown:
			unknown = true
		}
	}
	const password = "check the password itself for a copied space or line end and for letters outside ASCII, and the file for damage"
	rewrite := fmt.Sprintf("write it again with the encoding %q", Compatible)
	switch {
	case in.Encoding == InsecureUnencrypted:
		return "The file has no password: leave the field empty. If that fails, the program cannot read files without a password; " + rewrite + "."
	case u.oldWithNewMAC():
		return "The file mixes 3DES with a SHA-256 MAC, which " + strings.Join(no, ", ") + " report as a wrong password even if it is right; " + rewrite + ", which has a SHA-1 MAC."
	case in.Encoding == 0:
		return "The file uses a rare mix of algorithms, which many programs report as a wrong password even if it is right; " + rewrite + "."
	case len(no) == 0 && in.Encoding == Compatible:
		return "Every known program opens files of this encoding, so " + password + "."
	}
	s := "The password may be right: "
	if len(no) > 0 {
		s += strings.Join(no, "; ") + " cannot read this encoding and report a wrong password. "
	}
	if unknown {
		s += "For some programs it is not known (see the list of readers). "
	}
	return s + "For these programs, " + rewrite + ". For any other program, " + password + "."
}

func (in Info) findings(u uses, hasMAC bool) (found lint.Findings) {
	for _, check := range []struct {
		rule  lint.Rule
		fires bool
	}{
		{ruleClearKey, u.clearKey},
		{ruleNoMAC, !hasMAC && in.Encoding != InsecureUnencrypted},
		{ruleRC2, in.Encoding == RC2},
		{rulePBMAC1, in.Encoding == PBMAC1},
		{ruleMixed, in.Encoding == 0},
		{ruleBER, in.BER},
		{ruleIterations, u.slow},
	} {
		if check.fires {
			found = append(found, check.rule.At("pfx", "", ""))
		}
	}
	return found
}
