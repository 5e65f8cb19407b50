package trust

import (
	"bytes"
	"cmp"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"example.com/entracba/cba/internal/wire"
	"example.com/entracba/cba/keyid"
	"example.com/entracba/cba/lint"
)

// ExpirySoon is how long before its end [Config.Findings] speaks of a CA.
const ExpirySoon = 90 * 24 * time.Hour

// The documents behind findings, beside those of failures.
const (
	sourceLimits   = lint.HowTo + ", PKI-based trust store"
	sourceCRL      = lint.Revocation
	sourceCRLFill  = lint.HowTo + ", upload all CAs"
	sourceClassic  = lint.Authorities + ", classic store"
	sourceMigrate  = lint.HowTo + ", migrate from a classic CA store"
	sourceHints    = lint.HowTo + ", issuer hints"
	sourceScopes   = lint.GraphScope
	sourcePKI      = lint.GraphPKI
	sourceDetail   = lint.GraphAuthority
	sourceFIPS     = lint.SP800131A
	sourceRFC5280  = lint.RFC5280 + " section 4.2.1"
	sourceOneStore = lint.GraphClassic
)

// Findings checks the stores as they would be at the given time and says what
// keeps people out, what lets the wrong ones in and what will do so. It needs no
// [Store]: a CA that cannot be read is a finding of its own. The order is that
// of the PKIs and CAs, then the classic store, then what concerns several.
//
// Where names the PKI, the CA and, if it is about one, the property.
func (c Config) Findings(at time.Time) lint.Findings {
	store, err := c.Compile(Options{SkipUnreadable: true})
	if err != nil {
		return lint.Findings{{
			Code: "store-too-large", Severity: lint.Error, Where: "trust stores", What: strings.TrimPrefix(err.Error(), "trust: "),
			Do: fmt.Sprintf("the PKI-based store holds %d CAs: check where this comes from", MaxAuthorities), Source: sourceLimits,
		}}
	}
	f := &finder{at: at, store: store, byDER: map[string]*CA{}}
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
	found lint.Findings
}

func (f *finder) add(severity lint.Severity, effect lint.Effect, code, where, what, do string, source lint.Source) {
	f.found = append(f.found, lint.Finding{
		Code: code, Severity: severity, Effect: effect, Where: where, What: what, Do: do, Source: source,
	})
}

func (f *finder) pkis(pkis PKIs) {
	byName := map[string]int{}
	total := 0
	for i, pki := range pkis {
		where := fmt.Sprintf("PKI %q", pki.DisplayName)
		if !pki.DeletedDateTime.IsZero() {
			f.add(lint.Info, 0, "pki-deleted", where, "it is deleted and trusts nobody", "restore it or leave it out", sourcePKI)
			continue
		}
		switch n := utf8.RuneCountInString(pki.DisplayName); {
		case n == 0:
			f.add(lint.Error, 0, "pki-no-name", fmt.Sprintf("publicKeyInfrastructure[%d]", i), "the PKI has no display name", "give it one: CA scopes refer to it by name", sourceScopes)
		case n > MaxDisplayName:
			f.add(lint.Error, 0, "pki-name-too-long", where, fmt.Sprintf("the display name has %d characters", n), fmt.Sprintf("use at most %d", MaxDisplayName), sourcePKI)
		default:
			// CA scopes refer to a PKI by name; how they compare is not documented.
			byName[strings.ToLower(pki.DisplayName)]++
			if byName[strings.ToLower(pki.DisplayName)] == 2 {
				f.add(lint.Warning, 0, "pki-name-twice", where, "two PKIs have this name, and CA scopes refer to a PKI by name", "rename one of them", sourceScopes)
			}
		}
		if s := strings.ToLower(pki.Status); s != "" && s != "succeeded" {
			what := fmt.Sprintf("the status of its last upload is %q", pki.Status)
			if pki.StatusDetails != "" {
				what += ": " + pki.StatusDetails
			}
			f.add(lint.Warning, 0, "pki-upload-not-done", where, what, "wait until it has succeeded, up to 30 minutes, or upload again; only one upload runs at a time", sourceLimits)
		}
		f.misspelt(where, pki)
		live, seen := 0, map[string]bool{}
		for j := range pki.CertificateAuthorities {
			a := &pki.CertificateAuthorities[j]
			if !a.DeletedDateTime.IsZero() {
				f.add(lint.Info, 0, "ca-deleted", where+", "+f.name(a.Certificate, a.DisplayName, j), "it is deleted and not used", "restore it or leave it out", sourceDetail)
				continue
			}
			live++
			f.authority(where, j, a, seen)
		}
		if live == 0 {
			f.add(lint.Warning, 0, "pki-empty", where, "it has no CAs", "upload them, or delete the PKI", sourceLimits)
		}
		if live > MaxAuthorities {
			f.add(lint.Error, 0, "pki-too-many-cas", where, fmt.Sprintf("it has %d CAs", live), fmt.Sprintf("the PKI-based store holds %d: remove those that issue no users' certificates and stand above none that does", MaxAuthorities), sourceLimits)
		}
		total += live
	}
	if total > MaxAuthorities && len(pkis) > 1 {
		f.add(lint.Warning, 0, "store-too-many-cas", "PKI-based store", fmt.Sprintf("its PKIs have %d CAs together", total), fmt.Sprintf("whether the limit of %d is for a PKI or for the tenant is not documented: stay below it", MaxAuthorities), sourceLimits)
	}
}

// name is how a finding calls a CA.
func (f *finder) name(der []byte, given string, index int) string {
	if given == "" {
		if ca := f.byDER[string(der)]; ca != nil {
			given = displayName(ca.Certificate, ca.Subject)
		}
	}
	return fmt.Sprintf("CA %q (certificateAuthorities[%d])", given, index)
}

// authority checks one CA of a PKI.
func (f *finder) authority(pki string, index int, a *Authority, seen map[string]bool) {
	where := pki + ", " + f.name(a.Certificate, a.DisplayName, index)
	if n := utf8.RuneCountInString(a.DisplayName); n > MaxDisplayName {
		f.add(lint.Error, 0, "ca-name-too-long", where, fmt.Sprintf("the display name has %d characters", n), fmt.Sprintf("use at most %d", MaxDisplayName), sourceDetail)
	}
	f.misspelt(where, *a)
	ca := f.common(where, a.Certificate, a.CertificateRevocationListURL, a.DeltaCertificateRevocationListURL, seen)
	if ca == nil {
		return
	}
	if n := len(a.Certificate); n > MaxCertificateSize {
		f.add(lint.Error, 0, "ca-too-large", where, fmt.Sprintf("the certificate has %d bytes", n), fmt.Sprintf("the store takes %d: issue a smaller one", MaxCertificateSize), sourceLimits)
	}
	f.kind(where, ca, string(a.CertificateAuthorityType), string(Root), string(Intermediate))
	f.expiry(where, ca, false)
	if a.Thumbprint != "" && !sameHex(a.Thumbprint, keyid.ID(ca.Thumbprint)) {
		f.add(lint.Error, 0, "ca-thumbprint-differs", where+", thumbprint", fmt.Sprintf("it is %s, the certificate's is %s", a.Thumbprint, ca.Thumbprint), "correct it, or the certificate", sourceDetail)
	}
	if a.IssuerSubjectKeyIdentifier != "" && ca.SKI != "" && !sameHex(a.IssuerSubjectKeyIdentifier, ca.SKI) {
		what := fmt.Sprintf("it is %s, the certificate's subject key identifier is %s", a.IssuerSubjectKeyIdentifier, ca.SKI)
		if sameHex(a.IssuerSubjectKeyIdentifier, keyid.Of(ca.Certificate.AuthorityKeyId)) {
			what += "; the value is the authority key identifier, but the property is for the CA's own"
		}
		f.add(lint.Error, 0, "ca-ski-differs", where+", issuerSubjectKeyIdentifier", what, "correct it", sourceDetail)
	}
	if !a.ExpirationDateTime.IsZero() && !a.ExpirationDateTime.Truncate(time.Second).Equal(ca.Certificate.NotAfter) {
		f.add(lint.Warning, 0, "ca-expiration-differs", where+", expirationDateTime", fmt.Sprintf("it is %s, the certificate's is %s", stamp(a.ExpirationDateTime), stamp(ca.Certificate.NotAfter)), "correct it", sourceDetail)
	}
}

// misspelt tells of unknown properties that are known ones in another spelling,
// in the object alone and not in those inside.
func (f *finder) misspelt(where string, object any) {
	wire.Walk(object, func(at string, v any) {
		if u, ok := v.(wire.Unknown); ok && u.Near != "" && strings.Count(at, "/") == 1 {
			f.add(lint.Error, 0, "property-misspelt", where+", "+wire.Shown(u.Name), fmt.Sprintf("the property is spelled %q, so this one is not read", u.Near), "correct the spelling", sourceDetail)
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
	seen := map[string]bool{}
	if c.ID != "" && !strings.EqualFold(c.ID, ClassicID) {
		f.add(lint.Warning, 0, "classic-id", "classic store, id", fmt.Sprintf("it is %q, but the one classic store of a tenant has the id %s", c.ID, ClassicID), "check where this comes from", sourceOneStore)
	}
	f.misspelt("classic store", c)
	for i := range c.CertificateAuthorities {
		a := &c.CertificateAuthorities[i]
		where := "classic store, " + f.name(a.Certificate, "", i)
		f.misspelt(where, *a)
		ca := f.common(where, a.Certificate, a.CertificateRevocationListURL, a.DeltaCertificateRevocationListURL, seen)
		if ca == nil {
			continue
		}
		is := "false"
		if a.IsRootAuthority {
			is = "true"
		}
		f.kind(where, ca, is, "true", "false")
		f.expiry(where, ca, true)
		if a.IssuerSKI != "" && ca.SKI != "" && !sameHex(a.IssuerSKI, ca.SKI) {
			f.add(lint.Warning, 0, "ca-ski-differs", where+", issuerSki", fmt.Sprintf("it is %s, the certificate's subject key identifier is %s", a.IssuerSKI, ca.SKI), "check that the file is of one tenant and one time: the service works this out itself", sourceOneStore)
		}
	}
}

// common checks what a CA of either store can have; nil if its certificate
// cannot be read.
func (f *finder) common(where string, der []byte, crl, delta string, seen map[string]bool) *CA {
	ca := f.byDER[string(der)]
	if ca == nil {
		_, err := readCertificate(der)
		switch {
		case err == nil: // cannot be: it would have been compiled
		case err.Reason == NoCertificate:
			f.add(lint.Error, lint.LocksOut, "ca-no-certificate", where+", certificate", "there is none", "add it; if the file is a Graph answer, read it again without $select", sourceDetail)
		default:
			err.Where, err.About = "", ""
			f.add(lint.Error, lint.LocksOut, "ca-unreadable", where+", certificate", strings.TrimPrefix(err.Error(), "trust: "), "replace it by the base64 of the DER certificate", sourceDetail)
		}
		return nil
	}
	if seen[string(der)] {
		f.add(lint.Error, 0, "ca-twice", where, "the same certificate is in this list before", "remove one of the two; the service refuses duplicates", sourceLimits)
	}
	seen[string(der)] = true
	f.urls(where, ca, crl, delta)
	return ca
}

// kind checks the root mark, given as text together with the texts for yes and
// no.
func (f *finder) kind(where string, ca *CA, is, yes, no string) {
	name := ", certificateAuthorityType"
	if yes == "true" {
		name = ", isRootAuthority"
	}
	switch {
	case is == "":
		f.add(lint.Error, 0, "ca-no-type", where+name, "there is none", "say whether it is a root", sourceDetail)
	case is != yes && is != no:
		f.add(lint.Warning, 0, "ca-type-unknown", where+name, fmt.Sprintf("%q is not a value that is known here", is), fmt.Sprintf("use %q or %q", yes, no), sourceDetail)
	case is == yes && !ca.SelfSigned:
		what := "it is marked as a root, but another CA has issued it"
		if ca.self {
			what = "it is marked as a root and has one name for issuer and subject, but is not signed by its own key"
		}
		f.add(lint.Error, lint.LocksOut, "ca-type-wrong", where+name, what, fmt.Sprintf("set %q and add the CAs above it: every CA up to the root must be there", no), sourceChain)
	case is == no && ca.SelfSigned:
		f.add(lint.Warning, 0, "ca-type-wrong", where+name, "it is marked as an intermediate CA, but is self-signed", fmt.Sprintf("set %q", yes), sourceChain)
	}
}

func (f *finder) expiry(where string, ca *CA, classic bool) {
	end := ca.Certificate.NotAfter
	switch validity(ca.Certificate, f.at) {
	case NotYetValid:
		f.add(lint.Error, lint.LocksOut, "ca-not-yet-valid", where, "it is not valid before "+stamp(ca.Certificate.NotBefore), "wait, or check the clock of the CA", sourceCodes)
	case Expired:
		if classic {
			f.add(lint.Error, lint.LocksOut, "classic-ca-expired", where, "it expired "+stamp(end)+"; while it is there, no CA can be uploaded to the classic store", "delete it before you upload anything", sourceClassic)
			return
		}
		f.add(lint.Error, lint.LocksOut, "ca-expired", where, "it expired "+stamp(end)+": certificates under it are refused", "add the renewed certificate, then delete this one", sourceCodes)
	default:
		if left := end.Sub(f.at); left < ExpirySoon {
			f.add(lint.Warning, lint.LocksOut, "ca-expires-soon", where, fmt.Sprintf("it expires %s, in %d days", stamp(end), int(left/(24*time.Hour))), "renew it, and add the new certificate before that day", sourceCodes)
		}
	}
}

// urls checks the two CRL addresses of an entry.
func (f *finder) urls(where string, ca *CA, crl, delta string) {
	const baseName, otherName = ", certificateRevocationListUrl", ", deltaCertificateRevocationListUrl"
	switch {
	case crl == "" && delta != "":
		f.add(lint.Error, lint.LocksOut, "ca-delta-without-base", where+otherName, "there is a delta CRL and no base CRL: sign-ins fail with AADSTS500177", "set the base URL, or remove the delta URL", sourceCodes)
	case crl == "" && ca.SelfSigned:
		f.add(lint.Info, 0, "ca-no-crl-url", where+baseName, "the root has none, so intermediate CAs that it revokes stay trusted", "set the URL of the CRL that this root publishes", sourceCRL)
	case crl == "":
		f.add(lint.Warning, lint.LetsIn, "ca-no-crl-url", where+baseName, "there is none: certificates that this CA has revoked sign in, or, if CRL validation is required, none of its certificates does", "set the URL of the CRL that this CA publishes", sourceCRL)
	}
	f.url(where+baseName, crl)
	f.url(where+otherName, delta)
	if crl != "" && crl == delta {
		f.add(lint.Warning, lint.LocksOut, "ca-delta-is-base", where+otherName, "base and delta URL are the same", "a file is a base CRL or a delta CRL: remove the delta URL if there is no delta CRL", sourceCRL)
	}
	if crl != "" && !ca.SelfSigned && slices.Contains(ca.Certificate.CRLDistributionPoints, crl) {
		what := "this is the CRL distribution point of the CA's own certificate: the list there is its issuer's, and a CRL whose authority key identifier is not this CA's is refused with AADSTS2205015"
		do := "set the URL of the list that this CA issues"
		if base, _ := crlOf(ca.Certificate, f.certificates()); base != "" {
			do += ", which is " + base + " by a certificate that it has issued"
		}
		f.add(lint.Error, lint.LocksOut, "ca-crl-of-issuer", where+baseName, what, do, sourceCRLFill)
	}
}

func (f *finder) certificates() []*x509.Certificate {
	certs := make([]*x509.Certificate, len(f.store.cas))
	for i, ca := range f.store.cas {
		certs[i] = ca.Certificate
	}
	return certs
}

// url checks one address, whatever list is behind it.
func (f *finder) url(where, text string) {
	if text == "" {
		return
	}
	u, err := url.Parse(strings.TrimSpace(text))
	switch {
	case err != nil:
		f.add(lint.Error, lint.LocksOut, "crl-url-unreadable", where, fmt.Sprintf("%q is not a URL", text), "correct it", sourceCRL)
		return
	case text != strings.TrimSpace(text):
		f.add(lint.Warning, lint.LocksOut, "crl-url-blanks", where, fmt.Sprintf("%q has blanks at its ends", text), "remove them", sourceCRL)
	}
	switch u.Scheme {
	case "http":
	case "https":
		f.add(lint.Warning, lint.LocksOut, "crl-url-https", where, fmt.Sprintf("%s: Microsoft's pages disagree whether https is fetched, and all advise http", text), "publish the list over http: it is signed", sourceCRL)
	default:
		f.add(lint.Error, lint.LocksOut, "crl-url-scheme", where, fmt.Sprintf("%q is not fetched: only http is, never ldap or file", text), "publish the list over http and set that URL", sourceCRL)
		return
	}
	switch host := u.Hostname(); {
	case host == "":
		f.add(lint.Error, lint.LocksOut, "crl-url-unreadable", where, fmt.Sprintf("%q has no host", text), "correct it", sourceCRL)
	case internal(host):
		f.add(lint.Warning, lint.LocksOut, "crl-url-internal", where, fmt.Sprintf("%q is not an address of the public internet, where the service fetches the list", host), "publish the list where Microsoft can reach it", sourceCRL)
	}
	if path := strings.ToLower(u.Path); strings.HasSuffix(path, ".pem") {
		f.add(lint.Warning, lint.LocksOut, "crl-url-pem", where, "the name of the file ends in .pem; a list in PEM is refused with AADSTS2205011", "publish the list in DER", sourceCRL)
	} else if strings.Contains(path, "ocsp") {
		f.add(lint.Warning, lint.LocksOut, "crl-url-ocsp", where, "it looks like the address of an OCSP responder, which the service does not ask", "set the URL of a CRL", sourceCRL)
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
	for _, ca := range slices.SortedFunc(slices.Values(f.store.cas), func(x, y *CA) int {
		return cmp.Or(cmp.Compare(x.Entry.String(), y.Entry.String()), cmp.Compare(x.rank, y.rank))
	}) {
		where := ca.Entry.String()
		f.certificate(where, ca)
		if ca.SelfSigned {
			continue
		}
		f.toRoot(where, ca)
	}
}

func (f *finder) certificate(where string, ca *CA) {
	cert := ca.Certificate
	switch ca.shape(0) {
	case NotCA:
		f.add(lint.Error, lint.LetsIn, "ca-not-a-ca", where, "the certificate is not a CA's: whoever holds its key could sign others in, if the service accepts it", "remove it; users' certificates do not belong into a trust store", lint.RFC5280+" section 4.2.1.9")
	case NoCertSign:
		f.add(lint.Error, lint.LocksOut, "ca-no-cert-sign", where, "its key usage does not allow it to sign certificates", "add the CA's certificate that does", lint.RFC5280+" section 4.2.1.3")
	}
	if cert.KeyUsage != 0 && cert.KeyUsage&x509.KeyUsageCRLSign == 0 && ca.CRL != "" {
		f.add(lint.Warning, lint.LocksOut, "ca-no-crl-sign", where, "its key usage does not allow it to sign CRLs", "issue the CA's certificate with cRLSign", lint.RFC5280+" section 4.2.1.3")
	}
	if ca.SKI == "" {
		f.add(lint.Error, lint.LocksOut, "ca-no-ski", where, "it has no subject key identifier, so no certificate leads to it", "issue the CA's certificate with one", sourceChain)
	}
	switch key := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits < 2048 {
			f.add(lint.Warning, lint.LetsIn, "ca-weak-key", where, fmt.Sprintf("its RSA key has %d bits", bits), "use a CA with 2,048 bits or more", sourceFIPS)
		}
	case *ecdsa.PublicKey:
		if bits := key.Curve.Params().BitSize; bits < 256 {
			f.add(lint.Warning, lint.LetsIn, "ca-weak-key", where, fmt.Sprintf("its key is on a curve of %d bits", bits), "use a CA on P-256 or a larger curve", sourceFIPS)
		}
	}
	if !ca.SelfSigned { // a root's own signature proves nothing
		switch cert.SignatureAlgorithm {
		case x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1:
			f.add(lint.Warning, lint.LetsIn, "ca-weak-signature", where, fmt.Sprintf("it is signed with %v", cert.SignatureAlgorithm), "have it issued anew with SHA-256", sourceFIPS)
		}
	}
	if ca.root {
		return
	}
	if unread := criticalUnread(cert); unread != "" {
		f.add(lint.Info, 0, "ca-critical-extension", where, "it has critical extensions that are not checked here: "+unread, "test a sign-in: what the service makes of them is not documented", sourceRFC5280)
	}
	if unread := constraints(cert); unread != "" {
		f.add(lint.Info, 0, "ca-constraints", where, "it has constraints for the certificates below it that are not checked here: "+unread, "test a sign-in: what the service makes of them is not documented", sourceRFC5280)
	}
}

// toRoot checks the way of one CA to a root, as if it had issued a certificate.
func (f *finder) toRoot(where string, ca *CA) {
	c := Chain{Leaf: ca.Certificate, At: f.at}
	found := false
	for r := allRules; !found; r-- {
		c.CAs, found = f.store.search(ca.parents, f.at, r)
		if !found && r == noRules {
			break
		}
	}
	if !found && len(c.CAs) == 0 { // the CA itself is where it ends; those below it are told by it
		failure := f.store.deadEnd(&c, ca.parents)
		code, do := "ca-issuer-missing", "add the missing CA: every one up to the root must be there"
		switch failure.Cause {
		case NoAuthorityKeyID:
			code, do = "ca-no-aki", "issue the CA's certificate with one"
		case WrongSignature:
			code, do = "ca-issuer-wrong-key", "add the issuer's certificate with the key that signed, under its own key identifier"
		case UncheckedSignature:
			code, do = "ca-signature-unchecked", "check it with another tool"
		}
		f.add(lint.Error, lint.LocksOut, code, where, failure.Detail, do, failure.Source)
	} else if !found && slices.ContainsFunc(c.CAs[len(c.CAs)-1].parents, func(l link) bool { return l.proof == proven }) {
		f.add(lint.Error, lint.LocksOut, "ca-loop", where, "the CAs above it certify each other in a circle and lead to no root", "add the root", sourceChain)
	}
	if n := len(c.CAs) + 1; found && n > f.store.options.MaxDepth {
		f.add(lint.Error, lint.LocksOut, "ca-too-deep", where, fmt.Sprintf("the chain of a certificate that it issues has %d CAs", n), fmt.Sprintf("at most %d are followed", MaxDepth), sourceDepth)
	}
	if len(c.CAs) == 0 {
		return
	}
	parent := c.CAs[0]
	if found && parent.shape(0) == 0 && !ca.self {
		if below := 1; parent.shape(below) == PathTooLong {
			f.add(lint.Error, lint.LocksOut, "ca-path-length", where, fmt.Sprintf("%s has the path length constraint %d and so allows no CA below it", parent.Entry, parent.Certificate.MaxPathLen), "have it issued by a CA without that constraint", lint.RFC5280+" section 4.2.1.9")
		}
	}
	if !bytes.Equal(ca.Certificate.RawIssuer, parent.Certificate.RawSubject) {
		f.add(lint.Warning, 0, "ca-issuer-name", where, fmt.Sprintf("its issuer is named %q, the CA with that key %q", nameText(ca.Certificate.RawIssuer), nameText(parent.Certificate.RawSubject)), "chains go by key identifiers, but other software goes by names: have it issued anew", sourceChain)
	}
	if policy := lostPolicy(ca.Certificate, parent.Certificate); !parent.root && policy != "" {
		f.add(lint.Warning, lint.LocksOut, "ca-policy-inconsistent", where, fmt.Sprintf("its policy %s is not among those of its issuer", policy), "have certificate policies that are consistent along the chain; an inconsistency is among the reasons of AADSTS50017", source50017)
	}
}

// sameSKI tells of one key identifier for two keys: a renewed CA has one
// identifier and one key, which is fine.
func (f *finder) sameSKI() {
	for _, ski := range slices.Sorted(maps.Keys(f.store.bySKI)) {
		list := f.store.bySKI[ski]
		for _, ca := range list[1:] {
			if ca.key != list[0].key {
				f.add(lint.Warning, 0, "ca-ski-of-two-keys", ca.Entry.String(), fmt.Sprintf("%s has the same subject key identifier %s and another key", list[0].Entry, ca.SKI), "renew one of them with an identifier of its own: scopes, exemptions and CRLs go by it", sourceChain)
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
			f.add(lint.Warning, 0, "ca-in-two-pkis", ca.Entry.String(), "the certificate is in more than one PKI; whose CRL URL and scope count is not documented", "keep it in one", sourceLimits)
		}
		if old < 0 {
			continue
		}
		switch {
		case pki == nil && len(pkis) > 0:
			f.add(lint.Warning, 0, "classic-not-migrated", entries[old].String(), "it is in the classic store and in no PKI", "add it to the PKI-based store, which is to replace the classic one", sourceMigrate)
		case pki == nil: // the tenant uses the classic store only
		case ca.Why == PKIHasNoCRL:
			f.add(lint.Warning, 0, "stores-crl-missing", pki.String(), fmt.Sprintf("it has no CRL URL, so the classic store's entry with %q is used", entries[old].CRL), "set the URL here too, then remove the classic entry", sourcePrecedence)
		case ca.Why == CRLsDiffer:
			f.add(lint.Warning, 0, "stores-crl-differ", pki.String(), fmt.Sprintf("its CRL URL is %q, the classic store's is %q, and the classic one is used", pki.CRL, entries[old].CRL), "set the right one in both, then remove the classic entry", sourcePrecedence)
		case pki.DeltaCRL != entries[old].DeltaCRL:
			f.add(lint.Warning, 0, "stores-delta-differ", pki.String(), fmt.Sprintf("its delta CRL URL is %q, the classic store's is %q; which is used is not documented", pki.DeltaCRL, entries[old].DeltaCRL), "set the right one in both, then remove the classic entry", sourcePrecedence)
		case pki.CRL != "" && entries[old].CRL == "":
			f.add(lint.Info, 0, "stores-crl-missing", entries[old].String(), "the classic entry has no CRL URL and the PKI entry has one; taken as no difference, but the page leaves it open", "remove the classic entry", sourcePrecedence)
		default:
			f.add(lint.Info, 0, "classic-migrated", entries[old].String(), "a PKI has the same CA", "remove the classic entry when the sign-in log no longer says that the legacy store was used", sourceMigrate)
		}
	}
}

func (f *finder) hints() {
	h := f.store.hints
	const most = MaxHintBytes
	switch size := h.TLS13(); {
	case size > most && h.Flagged:
		f.add(lint.Error, lint.LocksOut, "hints-too-long", "issuer hints", fmt.Sprintf("the names of the %d flagged CAs take %d bytes of the %d that are sent", len(h.List), size, most), "flag only the CAs that issue users' certificates", sourceHints)
	case size > most:
		f.add(lint.Warning, lint.LocksOut, "hints-too-long", "issuer hints", fmt.Sprintf("no CA is flagged, so all %d names would be sent: %d bytes of the %d that fit", len(h.List), size, most), "set isIssuerHintEnabled for the CAs that issue users' certificates before you enable issuer hints", sourceHints)
	}
	for _, hint := range h.List {
		if len(hint.Subject) == 0 {
			f.add(lint.Warning, 0, "hint-empty", hint.CAs[0].Entry.String(), "its subject is empty, which no client can compare with", "do not flag it", sourceHints)
		}
		if h.Flagged && !slices.ContainsFunc(hint.CAs, func(ca *CA) bool { return validity(ca.Certificate, f.at) == 0 }) {
			f.add(lint.Warning, 0, "hint-of-expired-ca", hint.CAs[0].Entry.String(), "it is hinted, so clients offer certificates that are refused", "clear isIssuerHintEnabled", sourceHints)
		}
	}
}
