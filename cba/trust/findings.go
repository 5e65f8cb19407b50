package trust

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"example.com/entracba/cba/internal/path"
	"example.com/entracba/cba/internal/text"
	"example.com/entracba/cba/internal/wire"
	"example.com/entracba/cba/keyid"
	"example.com/entracba/cba/lint"
)

// expirySoon is how long before a CA expires it is a finding.
const expirySoon = 90 * 24 * time.Hour

// Findings checks the stores as they would be at the given time and says what
// keeps people out, what lets the wrong ones in and what will do so. It needs no
// [Store]: a CA that cannot be read is a finding of its own. The order is that
// of the PKIs and CAs, then the classic store, then what concerns several.
//
// [Rules] has the codes. Where is a JSON pointer into the configuration,
// "/publicKeyInfrastructure/0/certificateAuthorities/2/thumbprint", and About
// names the PKI and the CA.
func (c Config) Findings(at time.Time) lint.Findings {
	f := &finder{at: at, byDER: map[string]*CA{}}
	store, err := c.Compile(Options{})
	if err != nil {
		f.add(tooLarge, place{"", "trust stores"}, "%s", strings.TrimPrefix(err.Error(), "trust: "))
		return f.found
	}
	f.store = store
	for _, ca := range store.cas {
		f.byDER[string(ca.Certificate.Raw)] = ca
	}
	f.pkis(c.PKIs)
	f.classic(c.Classic)
	f.chains()
	f.sameSKI()
	f.bothStores(c.PKIs)
	f.hints()
	return f.found
}

type finder struct {
	at    time.Time
	store *Store
	byDER map[string]*CA
	ways  *path.Ways[*CA]
	found lint.Findings
}

// A place is a value in the configuration: for programs and in words.
type place struct{ where, about string }

// at returns a property of the place. Words name the object, the pointer has all.
func (p place) at(property string) place {
	p.where += "/" + property
	return p
}

// place is where an entry stands in the configuration.
func (e Entry) place() place { return place{e.where, e.String()} }

// add adds a finding; without a format it says what the rule says.
func (f *finder) add(rule int, p place, format string, args ...any) *lint.Finding {
	f.found = append(f.found, rules[rule].At(p.where, p.about, format, args...))
	return &f.found[len(f.found)-1]
}

const (
	inPKIs    = "/publicKeyInfrastructure"
	inClassic = "/certificateBasedAuthConfiguration"
	inCAs     = "/certificateAuthorities"

	crlProperty   = "certificateRevocationListUrl"
	deltaProperty = "deltaCertificateRevocationListUrl"
)

func (f *finder) pkis(pkis PKIs) {
	byName := map[string]int{}
	total := 0
	for i, pki := range pkis {
		p := place{fmt.Sprintf("%s/%d", inPKIs, i), fmt.Sprintf("PKI %s", text.Quote(pki.DisplayName))}
		if !pki.DeletedDateTime.IsZero() {
			f.add(pkiDeleted, p, "")
			continue
		}
		switch n := utf8.RuneCountInString(pki.DisplayName); {
		case n == 0:
			f.add(pkiNoName, p.at("displayName"), "")
		case n > MaxDisplayName:
			f.add(pkiNameTooLong, p.at("displayName"), "the display name of the PKI has %d characters", n)
		default:
			// CA scopes refer to a PKI by name; how they compare is not documented.
			byName[strings.ToLower(pki.DisplayName)]++
			if byName[strings.ToLower(pki.DisplayName)] == 2 {
				f.add(pkiNameTwice, p.at("displayName"), "")
			}
		}
		if s := strings.ToLower(pki.Status); s != "" && s != "succeeded" {
			what := "the status of the last upload is " + text.Quote(pki.Status)
			if pki.StatusDetails != "" {
				what += ": " + wire.Shown(pki.StatusDetails)
			}
			f.add(pkiUploadNotDone, p.at("status"), "%s", what)
		}
		f.misspelt(p, pki)
		live, seen := 0, map[string]bool{}
		for j := range pki.CertificateAuthorities {
			a := &pki.CertificateAuthorities[j]
			at := f.caAt(place{p.where, p.about}, j, a.Certificate, a.DisplayName)
			if !a.DeletedDateTime.IsZero() {
				f.add(caDeleted, at, "")
				continue
			}
			live++
			f.authority(at, a, seen)
		}
		if live == 0 {
			f.add(pkiEmpty, p, "")
		}
		if live > MaxAuthorities {
			f.add(pkiTooManyCAs, p, "the PKI has %d CAs; the store holds %d", live, MaxAuthorities)
		}
		total += live
	}
	if total > MaxAuthorities && len(pkis) > 1 {
		f.add(tooManyCAs, place{inPKIs, "PKI-based store"}, "the PKIs have %d CAs together", total)
	}
}

// caAt names a CA of a store.
func (f *finder) caAt(store place, index int, der []byte, name string) place {
	if name == "" {
		if ca := f.byDER[string(der)]; ca != nil {
			name = displayName(ca.Certificate, ca.Subject)
		}
	}
	if name == "" {
		name = fmt.Sprintf("CA %d", index+1)
	} else {
		name = "CA " + text.Quote(name)
	}
	return place{fmt.Sprintf("%s%s/%d", store.where, inCAs, index), store.about + ", " + name}
}

// authority checks one CA of a PKI.
func (f *finder) authority(p place, a *Authority, seen map[string]bool) {
	if n := utf8.RuneCountInString(a.DisplayName); n > MaxDisplayName {
		f.add(caNameTooLong, p.at("displayName"), "the display name of the CA has %d characters", n)
	}
	f.misspelt(p, *a)
	ca := f.common(p, a.Certificate, a.CertificateRevocationListURL, a.DeltaCertificateRevocationListURL, seen)
	if ca == nil {
		return
	}
	if n := len(a.Certificate); n > MaxCertificateSize {
		f.add(caTooLarge, p.at("certificate"), "the certificate has %d bytes; the store accepts %d", n, MaxCertificateSize)
	}
	f.kind(p.at("certificateAuthorityType"), ca, a.CertificateAuthorityType)
	f.expiry(p, ca, false)
	if a.Thumbprint != "" && !sameHex(a.Thumbprint, keyid.ID(ca.Thumbprint)) {
		f.add(caThumbprintDiffers, p.at("thumbprint"), "the thumbprint is %s, that of the certificate is %s", wire.Shown(a.Thumbprint), ca.Thumbprint)
	}
	if a.IssuerSubjectKeyIdentifier != "" && ca.SKI != "" && !sameHex(a.IssuerSubjectKeyIdentifier, ca.SKI) {
		what := fmt.Sprintf("the value is %s, the subject key identifier of the certificate is %s", wire.Shown(a.IssuerSubjectKeyIdentifier), ca.SKI)
		if sameHex(a.IssuerSubjectKeyIdentifier, keyid.Of(ca.Certificate.AuthorityKeyId)) {
			what += "; the value is the authority key identifier, but the property is for the CA's own"
		}
		f.add(caSKIDiffers, p.at("issuerSubjectKeyIdentifier"), "%s", what)
	}
	if !a.ExpirationDateTime.IsZero() && !a.ExpirationDateTime.Truncate(time.Second).Equal(ca.Certificate.NotAfter) {
		f.add(caExpirationDiffers, p.at("expirationDateTime"), "the date is %s, the certificate expires %s", text.Time(a.ExpirationDateTime), text.Time(ca.Certificate.NotAfter))
	}
}

// misspelt reports unknown properties that are known ones in another letter case,
// in the object alone and not in those inside.
func (f *finder) misspelt(p place, object any) {
	wire.Walk(object, func(at string, v any) {
		if u, ok := v.(wire.Unknown); ok && u.Near != "" && strings.Count(at, "/") == 1 {
			f.add(propertyMisspelt, place{p.where + at, p.about}, "unknown property %s; did you mean %q?", wire.Shown(u.Name), u.Near).Do = fmt.Sprintf("write %q", u.Near)
		}
	})
}

// sameHex compares a text with bytes that are read as key identifiers are; a
// thumbprint has the same form.
func sameHex(text string, want keyid.ID) bool {
	id, err := keyid.Parse(text)
	return err == nil && id == want
}

func (f *finder) classic(c Classic) {
	p := place{inClassic, "classic store"}
	seen := map[string]bool{}
	if c.ID != "" && !strings.EqualFold(c.ID, ClassicID) {
		f.add(classicID, p.at("id"), "the id is %s, that of the classic store is %s", text.Quote(c.ID), ClassicID)
	}
	f.misspelt(p, c)
	for i := range c.CertificateAuthorities {
		a := &c.CertificateAuthorities[i]
		at := f.caAt(p, i, a.Certificate, "")
		f.misspelt(at, *a)
		ca := f.common(at, a.Certificate, a.CertificateRevocationListURL, a.DeltaCertificateRevocationListURL, seen)
		if ca == nil {
			continue
		}
		kind := Intermediate
		if a.IsRootAuthority {
			kind = Root
		}
		f.kind(at.at("isRootAuthority"), ca, kind)
		f.expiry(at, ca, true)
		if a.IssuerSKI != "" && ca.SKI != "" && !sameHex(a.IssuerSKI, ca.SKI) {
			f.add(classicSKIDiffers, at.at("issuerSki"), "the value is %s, the subject key identifier of the certificate is %s", wire.Shown(a.IssuerSKI), ca.SKI)
		}
	}
}

// common checks what a CA of either store can have; nil if its certificate
// cannot be read.
func (f *finder) common(p place, der []byte, crl, delta string, seen map[string]bool) *CA {
	ca := f.byDER[string(der)]
	if ca == nil {
		_, err := readCertificate(der)
		switch {
		case err == nil: // cannot be: it would have been compiled
		case err.Reason == NoCertificate:
			f.add(caNoCertificate, p.at("certificate"), "")
		default:
			f.add(caUnreadable, p.at("certificate"), "%s", strings.TrimPrefix(err.Error(), "trust: "))
		}
		return nil
	}
	if seen[string(der)] {
		f.add(caTwice, p, "")
	}
	seen[string(der)] = true
	f.urls(p, ca, crl, delta)
	return ca
}

// kind checks the root mark.
func (f *finder) kind(p place, ca *CA, kind AuthorityType) {
	switch {
	case kind == "":
		f.add(caNoType, p, "")
	case kind != Root && kind != Intermediate:
		f.add(caTypeUnknown, p, "the type is %s, which is unknown here", text.Quote(string(kind)))
	case kind == Root && !ca.SelfSigned && ca.node.SelfIssued:
		f.add(caMarkedRoot, p, "the CA is marked as a root and has one name for issuer and subject, but it is not signed by its own key")
	case kind == Root && !ca.SelfSigned:
		f.add(caMarkedRoot, p, "")
	case kind == Intermediate && ca.SelfSigned:
		f.add(caMarkedIntermediate, p, "")
	}
}

func (f *finder) expiry(p place, ca *CA, classic bool) {
	end := ca.Certificate.NotAfter
	switch validity(ca.Certificate, f.at) {
	case NotYetValid:
		f.add(caNotYetValid, p, "the CA is valid from %s", text.Time(ca.Certificate.NotBefore))
	case Expired:
		if classic {
			f.add(classicExpired, p, "the CA expired %s; until it is removed, no CA can be uploaded to the classic store", text.Time(end))
			return
		}
		f.add(caExpired, p, "the CA expired %s, so certificates below it are refused", text.Time(end))
	default:
		if left := end.Sub(f.at); left < expirySoon {
			f.add(caExpiresSoon, p, "the CA expires %s, in %s", text.Time(end), text.Count(int(left/(24*time.Hour)), "day", "days"))
		}
	}
}

// urls checks the two CRL URLs of an entry.
func (f *finder) urls(p place, ca *CA, crl, delta string) {
	switch {
	case crl == "" && delta != "":
		f.add(caDeltaWithoutBase, p.at(deltaProperty), "")
	case crl == "" && ca.SelfSigned:
		f.add(rootNoCRLURL, p.at(crlProperty), "")
	case crl == "":
		f.add(caNoCRLURL, p.at(crlProperty), "")
	}
	f.url(p.at(crlProperty), crl)
	f.url(p.at(deltaProperty), delta)
	if crl != "" && crl == delta {
		f.add(caDeltaIsBase, p.at(deltaProperty), "")
	}
	if crl != "" && !ca.SelfSigned && slices.Contains(ca.Certificate.CRLDistributionPoints, crl) {
		found := f.add(caCRLOfIssuer, p.at(crlProperty), "")
		if base, _ := crlOf(ca.Certificate, f.certificates()); base != "" {
			found.Do += ", which is " + wire.Shown(base) + " according to a certificate from this CA"
		}
	}
}

func (f *finder) certificates() []*x509.Certificate {
	certs := make([]*x509.Certificate, len(f.store.cas))
	for i, ca := range f.store.cas {
		certs[i] = ca.Certificate
	}
	return certs
}

// url checks one URL, whatever CRL is behind it.
func (f *finder) url(p place, address string) {
	if address == "" {
		return
	}
	u, err := url.Parse(strings.TrimSpace(address))
	switch {
	case err != nil:
		f.add(urlUnreadable, p, "%s is not a URL", text.Quote(address))
		return
	case address != strings.TrimSpace(address):
		f.add(urlSpaces, p, "%s begins or ends with a space", text.Quote(address))
	}
	switch u.Scheme {
	case "http":
	case "https":
		f.add(urlHTTPS, p, "")
	default:
		f.add(urlScheme, p, "the service does not fetch %s: it fetches http only, never ldap or file", text.Quote(address))
		return
	}
	switch host := u.Hostname(); {
	case host == "":
		f.add(urlUnreadable, p, "%s has no host", text.Quote(address))
	case internal(host):
		f.add(urlInternal, p, "%s is not a host of the public internet, from where the service fetches the CRL", text.Quote(host))
	}
	if path := strings.ToLower(u.Path); strings.HasSuffix(path, ".pem") {
		f.add(urlPEM, p, "")
	} else if strings.Contains(path, "ocsp") {
		f.add(urlOCSP, p, "")
	}
}

// internal reports whether a host is surely not on the public internet.
func internal(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() || ip.IsUnspecified() || ip.IsMulticast()
	}
	for _, end := range []string{".local", ".localhost", ".internal", ".lan", ".corp", ".home.arpa"} {
		if strings.HasSuffix(host, end) {
			return true
		}
	}
	return !strings.Contains(host, ".")
}

// chains checks every certificate once, whichever entries it has: its own
// extensions and its way to a root.
func (f *finder) chains() {
	cas := f.store.CAs()
	f.ways = f.store.set.Ways(f.store.search(f.at))
	slices.SortStableFunc(cas, func(x, y *CA) int { return strings.Compare(x.Entry.String(), y.Entry.String()) })
	for _, ca := range cas {
		f.certificate(ca)
		if !ca.SelfSigned {
			f.toRoot(ca)
		}
	}
}

func (f *finder) certificate(ca *CA) {
	p, cert := ca.place(), ca.Certificate
	switch ca.shape(0) {
	case NotCA:
		f.add(caNotCA, p, "")
	case NoCertSign:
		f.add(caNoCertSign, p, "")
	}
	if cert.KeyUsage != 0 && cert.KeyUsage&x509.KeyUsageCRLSign == 0 && ca.CRL != "" {
		f.add(caNoCRLSign, p, "")
	}
	if ca.SKI == "" {
		f.add(caNoSKI, p, "")
	}
	if why := path.WeakKey(cert); why != "" {
		f.add(caWeakKey, p, "the CA's %s", why)
	}
	if !ca.SelfSigned { // a root's own signature proves nothing
		switch cert.SignatureAlgorithm {
		case x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1:
			f.add(caWeakSignature, p, "the CA's certificate is signed with %v", cert.SignatureAlgorithm)
		}
	}
	if ca.node.Root {
		return
	}
	if unread := criticalUnread(cert); unread != "" {
		f.add(caCriticalExtension, p, "the CA has critical extensions that are not checked here: %s", unread)
	}
	if unread := constraints(cert); unread != "" {
		f.add(caConstraints, p, "the CA has constraints for the certificates below it that are not checked here: %s", unread)
	}
}

// toRoot checks the way of one CA to a root, as if it had issued a certificate.
func (f *finder) toRoot(ca *CA) {
	p := ca.place()
	c := Chain{Leaf: ca.Certificate, At: f.at}
	way, found := f.ways.Find(ca.node.Issuers)
	for _, n := range way {
		c.CAs = append(c.CAs, n.Value)
	}
	if !found && len(c.CAs) == 0 { // the CA itself is where it ends; those below it are told by it
		failure := f.store.deadEnd(&c, ca.node.Issuers)
		rule := caIssuerMissing
		switch failure.Cause {
		case NoAuthorityKeyID:
			rule = caNoAKI
		case WrongSignature:
			rule = caIssuerWrongKey
		case UncheckedSignature, IssuerUnreadable:
			rule = caSignatureUnchecked
		}
		f.add(rule, p, "%s", failure.Detail)
	} else if !found && slices.ContainsFunc(c.CAs[len(c.CAs)-1].node.Issuers, isProven) {
		f.add(caLoop, p, "")
	}
	if n := len(c.CAs) + 1; found && n > f.store.options.MaxDepth {
		f.add(caTooDeep, p, "the chain of a certificate from this CA has %d CAs; the service follows %d", n, MaxDepth)
	}
	if len(c.CAs) == 0 {
		return
	}
	parent := c.CAs[0]
	if found && parent.shape(0) == 0 && !ca.node.SelfIssued {
		if below := 1; parent.shape(below) == PathTooLong {
			f.add(caPathLength, p, "%s has the path length constraint %d, so it allows no CA below it", parent.Entry, parent.Certificate.MaxPathLen)
		}
	}
	if !bytes.Equal(ca.Certificate.RawIssuer, parent.Certificate.RawSubject) {
		f.add(caIssuerName, p, "the certificate names its issuer %s, but the CA with that key is %s", quotedName(ca.Certificate.RawIssuer), quotedName(parent.Certificate.RawSubject))
	}
	if policy := lostPolicy(ca.Certificate, parent.Certificate); !parent.node.Root && policy != "" {
		f.add(caPolicyInconsistent, p, "the CA has the policy %s, which its issuer does not have", policy)
	}
}

// sameSKI reports one key identifier for two keys: a renewed CA has one
// identifier and one key, which is fine.
func (f *finder) sameSKI() {
	for _, ski := range slices.Sorted(maps.Keys(f.store.bySKI)) {
		list := f.store.bySKI[ski]
		for _, ca := range list[1:] {
			if !bytes.Equal(ca.Certificate.RawSubjectPublicKeyInfo, list[0].Certificate.RawSubjectPublicKeyInfo) {
				f.add(caSKIOfTwoKeys, ca.place(), "%s has the same subject key identifier %s and a different key", list[0].Entry, ca.SKI)
				break
			}
		}
	}
}

// bothStores compares the entries of CAs that are in more than one place.
func (f *finder) bothStores(pkis PKIs) {
	for _, ca := range f.store.cas {
		entries := append([]Entry{ca.Entry}, ca.Others...)
		old := slices.IndexFunc(entries, func(e Entry) bool { return e.Origin == ClassicStore })
		names := map[string]bool{}
		var pki *Entry
		for i := range entries {
			if entries[i].Origin == PKIStore {
				names[entries[i].PKIID+"\x00"+entries[i].PKI] = true
				if pki == nil {
					pki = &entries[i]
				}
			}
		}
		if len(names) > 1 {
			f.add(caInTwoPKIs, ca.place(), "")
		}
		if old < 0 {
			continue
		}
		classic := entries[old]
		switch {
		case pki == nil && len(pkis) > 0:
			f.add(classicNotMigrated, classic.place(), "")
		case pki == nil: // the tenant uses the classic store only
		case ca.Why == PKIHasNoCRL:
			f.add(storesCRLMissing, pki.place().at(crlProperty), "the PKI entry has no CRL URL, so the service uses the entry of the classic store with %s", text.Quote(classic.CRL))
		case ca.Why == CRLsDiffer:
			f.add(storesCRLDiffer, pki.place().at(crlProperty), "the CRL URL is %s, that of the classic store is %s, and the service uses the latter", text.Quote(pki.CRL), text.Quote(classic.CRL))
		case pki.DeltaCRL != classic.DeltaCRL:
			f.add(storesDeltaDiffer, pki.place().at(deltaProperty), "the delta CRL URL is %s, that of the classic store is %s; which one the service uses is not documented", text.Quote(pki.DeltaCRL), text.Quote(classic.DeltaCRL))
		case pki.CRL != "" && classic.CRL == "":
			f.add(classicCRLMissing, classic.place().at(crlProperty), "")
		default:
			f.add(classicMigrated, classic.place(), "")
		}
	}
}

func (f *finder) hints() {
	h := f.store.hints
	const most = MaxHintBytes
	all := place{"", "issuer hints"}
	switch size := h.TLS13(); {
	case size > most && h.Flagged:
		f.add(hintsTooLong, all, "the names of the %s take %d bytes; the service sends %d", text.Count(len(h.List), "flagged CA", "flagged CAs"), size, most)
	case size > most:
		f.add(hintsAllTooLong, all, "no CA is flagged, so the service would send all %d names: %d bytes, and %d fit", len(h.List), size, most)
	}
	for _, hint := range h.List {
		if len(hint.Subject) == 0 {
			f.add(hintEmpty, hint.CAs[0].place(), "")
		}
		if h.Flagged && !slices.ContainsFunc(hint.CAs, func(ca *CA) bool { return validity(ca.Certificate, f.at) == 0 }) {
			f.add(hintOfExpiredCA, hint.CAs[0].place(), "")
		}
	}
}
