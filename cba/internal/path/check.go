package path

import (
	"bytes"
	"crypto/dsa" //lint:ignore SA1019 a certificate can have such a key
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	mathbits "math/bits"
	"slices"
	"time"

	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/internal/text"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// A Cause is what is wrong with a certificate at its place on a way.
type Cause uint8

const (
	// NotYetValid and Expired are a certificate outside its validity.
	NotYetValid Cause = iota + 1
	Expired
	// NotCA is an issuer whose basic constraints do not make it a CA.
	NotCA
	// PathTooLong is an issuer whose path length constraint forbids the CAs below.
	PathTooLong
	// NoCertSign is an issuer whose key usage does not have keyCertSign.
	NoCertSign
	// WrongName is a certificate whose issuer is not the subject of the CA above.
	WrongName
	// UsageNotAllowed is a CA whose extended key usage leaves out clientAuth.
	UsageNotAllowed
	// NameNotAllowed is a CA whose name constraints do not permit a name below.
	NameNotAllowed
	// UnknownCritical is a CA with a critical extension that is not checked here.
	UnknownCritical
)

// ShapeOf returns what the extensions of a CA say against its place on a way, or
// zero: RFC 5280 section 6.1.4 (k) to (n). below counts the CAs under it that are
// not self-issued.
func ShapeOf(ca *x509.Certificate, below int) Cause {
	switch {
	case !ca.BasicConstraintsValid || !ca.IsCA:
		return NotCA
	case (ca.MaxPathLen > 0 || ca.MaxPathLenZero) && below > ca.MaxPathLen:
		return PathTooLong
	case LacksUsage(ca, x509.KeyUsageCertSign):
		return NoCertSign
	}
	return 0
}

// LacksUsage reports whether a certificate has a key usage, and one without this bit. The
// extension may have none of the bits that crypto/x509 knows, which it shows like a missing
// one.
func LacksUsage(cert *x509.Certificate, bit x509.KeyUsage) bool {
	if cert.KeyUsage != 0 {
		return cert.KeyUsage&bit == 0
	}
	for i := range cert.Extensions {
		if e := &cert.Extensions[i]; e.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 15}) {
			var bits asn1.BitString
			rest, err := asn1.Unmarshal(e.Value, &bits)
			return err == nil && len(rest) == 0 && bits.At(mathbits.TrailingZeros(uint(bit))) == 0
		}
	}
	return false
}

// PeriodUnread reports whether a certificate's validity is not known: those that
// crypto/x509 refuses may have times that cannot be read. Of these no signature is checked
// either; a certificate of the year 1 whose signature is has expired.
func PeriodUnread(cert *x509.Certificate) bool {
	return cert.NotBefore.IsZero() && cert.NotAfter.IsZero() && len(cert.Raw) > 0 && cert.SignatureAlgorithm == 0 && cert.PublicKey == nil
}

// PeriodOf returns [NotYetValid], [Expired] or zero, also for a validity that is not
// known.
func PeriodOf(cert *x509.Certificate, at time.Time) Cause {
	switch {
	case PeriodUnread(cert):
		return 0
	case at.Before(cert.NotBefore):
		return NotYetValid
	case at.After(cert.NotAfter):
		return Expired
	}
	return 0
}

// A Problem is one thing that is wrong on a way.
type Problem struct {
	Cause  Cause
	At     int    // the certificate that it is about: 0 is the leaf, n is cas[n-1]
	Detail string // what was found, without the name of the certificate
}

// Check checks a leaf and the CAs above it, from the issuing CA up, for client
// authentication at a time: validity, names, CA flag, path length, key usage,
// extended key usages (with a leaf's own), name constraints and critical
// extensions. Signatures are the caller's business: see [Verify]. The highest CA
// need not be a root; a root's constraints count like those of any CA. Policies
// are not checked.
//
// Problems are in the order of the way, from the leaf up. A zero time is not
// checked.
func Check(leaf *x509.Certificate, cas []*x509.Certificate, at time.Time) []Problem {
	var found []Problem
	add := func(at int, cause Cause, format string, args ...any) {
		found = append(found, Problem{cause, at, fmt.Sprintf(format, args...)})
	}
	period := func(i int, cert *x509.Certificate) {
		if at.IsZero() {
			return
		}
		switch PeriodOf(cert, at) {
		case NotYetValid:
			add(i, NotYetValid, "valid from %s", text.Time(cert.NotBefore))
		case Expired:
			add(i, Expired, "expired %s", text.Time(cert.NotAfter))
		}
	}
	period(0, leaf)
	below, under := 0, leaf
	for i, ca := range cas {
		n := i + 1
		if !bytes.Equal(under.RawIssuer, ca.RawSubject) {
			add(i, WrongName, "its issuer is not the CA above it")
		}
		period(n, ca)
		switch ShapeOf(ca, below) {
		case NotCA:
			add(n, NotCA, "its basic constraints do not make it a CA")
		case PathTooLong:
			add(n, PathTooLong, "its path length allows %d CAs below it; there are %d", ca.MaxPathLen, below)
		case NoCertSign:
			add(n, NoCertSign, "its key usage has no keyCertSign")
		}
		if !MayAuthenticate(ca) {
			add(n, UsageNotAllowed, "its extended key usage does not include clientAuth")
		}
		if why := forbidden(ca, leaf, cas[:i]); why != "" {
			add(n, NameNotAllowed, "%s", why)
		}
		for _, id := range ca.UnhandledCriticalExtensions {
			if !Understood(id) {
				add(n, UnknownCritical, "it has the critical extension %v, which is not checked here", id)
			}
		}
		if !SelfIssued(ca) {
			below++
		}
		under = ca
	}
	return found
}

// forbidden returns what the name constraints of a CA do not permit of the leaf or
// of the CAs between. Self-issued CAs are exempt (RFC 5280 section 6.1.3 (b)).
func forbidden(ca, leaf *x509.Certificate, between []*x509.Certificate) string {
	constraints, constrained, err := ConstraintsOf(ca)
	switch {
	case err != nil:
		return "its name constraints cannot be read: " + err.Error()
	case !constrained:
		return ""
	}
	why := constraints.Forbid(leaf)
	for _, c := range between {
		if why == "" && !SelfIssued(c) {
			why = constraints.Forbid(c)
		}
	}
	return why
}

// MayAuthenticate reports whether a certificate's extended key usage, which limits
// what a CA may issue for, allows client authentication. Without the extension
// everything is allowed.
func MayAuthenticate(cert *x509.Certificate) bool {
	return len(cert.ExtKeyUsage) == 0 && len(cert.UnknownExtKeyUsage) == 0 && !hasExtension(cert, 37) ||
		slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageClientAuth) ||
		slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageAny)
}

// hasExtension reports whether a certificate has the extension 2.5.29.n.
func hasExtension(cert *x509.Certificate, n int) bool {
	return slices.ContainsFunc(cert.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, n}) })
}

// Understood reports whether RFC 5280 defines an extension, so that no reader
// that follows it refuses a certificate because the extension is critical:
// subjectAltName with an empty subject and name constraints have to be.
func Understood(id asn1.ObjectIdentifier) bool {
	if len(id) != 4 || id[0] != 2 || id[1] != 5 || id[2] != 29 {
		return false
	}
	switch id[3] {
	case 15, 17, 19, 30, 32, 33, 36, 37, 54:
		// keyUsage, subjectAltName, basicConstraints, nameConstraints,
		// certificatePolicies, policyMappings, policyConstraints, extKeyUsage,
		// inhibitAnyPolicy
		return true
	}
	return false
}

// WeakKey says why a certificate's public key is weak, or nothing: RSA of under
// 2048 bits, with an even modulus or a small exponent, a curve of under 256 bits, or
// DSA, which TLS 1.3 does not have.
func WeakKey(cert *x509.Certificate) string {
	switch key := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		switch bits := key.N.BitLen(); {
		case bits < 2048:
			return fmt.Sprintf("RSA key has %d bits", bits)
		case key.N.Bit(0) == 0:
			return "RSA key has an even modulus"
		case key.E < 65537 || key.E%2 == 0:
			return fmt.Sprintf("RSA key has the exponent %d", key.E)
		}
	case *ecdsa.PublicKey:
		if bits := key.Curve.Params().BitSize; bits < 256 {
			return fmt.Sprintf("key is on a curve of %d bits", bits)
		}
	case *dsa.PublicKey:
		return "key is for DSA, which TLS 1.3 does not have"
	}
	return ""
}

// An AuthorityCert is the certificate of an issuer, as an authority key identifier
// may name it beside the key or instead of it (RFC 5280 section 4.2.1.1).
type AuthorityCert struct {
	Issuer []byte   // the encoded name of who issued that certificate; nil if it is not given
	Serial *big.Int // nil if it is not given
}

var authorityKeyID = asn1.ObjectIdentifier{2, 5, 29, 35}

// AuthorityCertOf reads the second half of a certificate's authority key
// identifier, which crypto/x509 passes over. named reports whether there is any.
func AuthorityCertOf(cert *x509.Certificate) (a AuthorityCert, named bool) {
	for _, e := range cert.Extensions {
		if !e.Id.Equal(authorityKeyID) {
			continue
		}
		input := cryptobyte.String(e.Value)
		var list, names, serial cryptobyte.String
		var hasNames, hasSerial bool
		if !input.ReadASN1(&list, cbasn1.SEQUENCE) || !list.SkipOptionalASN1(cbasn1.Tag(0).ContextSpecific()) ||
			!list.ReadOptionalASN1(&names, &hasNames, cbasn1.Tag(1).ContextSpecific().Constructed()) ||
			!list.ReadOptionalASN1(&serial, &hasSerial, cbasn1.Tag(2).ContextSpecific()) {
			return a, false
		}
		for !names.Empty() {
			var name cryptobyte.String
			var tag cbasn1.Tag
			if !names.ReadAnyASN1(&name, &tag) {
				break
			}
			if tag == cbasn1.Tag(formDirectory).ContextSpecific().Constructed() && a.Issuer == nil {
				a.Issuer = name
			}
		}
		if hasSerial {
			number := append([]byte{byte(cbasn1.INTEGER), byte(len(serial))}, serial...)
			if n := new(big.Int); len(serial) < 128 && (*cryptobyte.String)(&number).ReadASN1Integer(n) {
				a.Serial = n
			}
		}
		return a, hasNames || hasSerial
	}
	return a, false
}

// Names reports whether a certificate is the one that is named: what is not given
// is not compared.
func (a AuthorityCert) Names(cert *x509.Certificate) bool {
	if a.Serial != nil && (cert.SerialNumber == nil || a.Serial.Cmp(cert.SerialNumber) != 0) {
		return false
	}
	return a.Issuer == nil || SameName(a.Issuer, cert.RawIssuer)
}

// SameName compares two encoded names as RFC 5280 section 7.1 does.
func SameName(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	x, err := dn.ParseDER(a)
	if err != nil {
		return false
	}
	y, err := dn.ParseDER(b)
	return err == nil && x.Equal(y)
}
