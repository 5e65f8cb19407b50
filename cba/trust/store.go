package trust

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/internal/certs"
	"example.com/entracba/cba/internal/enum"
	"example.com/entracba/cba/internal/fingerprint"
	"example.com/entracba/cba/internal/path"
	"example.com/entracba/cba/internal/text"
	"example.com/entracba/cba/keyid"
)

// Limits of the trust stores, from Learn, "How to configure Microsoft Entra
// certificate-based authentication". Whether [MaxAuthorities] counts one PKI or
// the whole tenant the pages do not say.
const (
	MaxAuthorities     = 250      // CAs in the PKI-based store
	MaxCertificateSize = 8 << 10  // bytes of one CA
	MaxBundleSize      = 2 << 20  // bytes of a .p7b
	MaxDisplayName     = 256      // characters of a display name
	MaxHintBytes       = 16 << 10 // bytes of issuer hints in one TLS handshake
	MaxDepth           = 10       // CAs above a user certificate (open question 9.27: an older note mixed 5 and 10)
)

// maxConfig bounds the work of [Config.Compile].
const maxConfig = 4096

// Options choose between readings of what Microsoft does not document. The zero
// value is the most likely reading.
type Options struct {
	// MaxDepth is how many CAs a chain may have. Zero means [MaxDepth].
	MaxDepth int
	// DocumentedOnly leaves out the checks that rest on RFC 5280 alone: the CA
	// flag, the path length and the keyCertSign usage of the CAs. Microsoft's
	// pages name none of them. What remains is what they name: every CA present, key
	// identifiers, signatures and validity.
	DocumentedOnly bool
	// RootByFlag lets a chain end at a CA that the store marks as a root although
	// another CA issued it. By default only a self-signed certificate ends a chain,
	// because the stores must have "every CA up to the root".
	RootByFlag bool
	// RefuseUnreadable refuses the whole configuration if the certificate of a CA is
	// missing or cannot be read. By default such a CA is left out.
	RefuseUnreadable bool
}

// An Origin is one of the two trust stores. The zero value is unset.
type Origin uint8

const (
	PKIStore     Origin = iota + 1 // the PKI-based trust store
	ClassicStore                   // the classic, or legacy, trust store
)

var origins = enum.Of[Origin]("trust: origin", "PKI-based store", "classic store")

// String returns "PKI-based store" or "classic store".
func (o Origin) String() string { return origins.String(o) }

// MarshalText writes the text of [Origin.String]; an unset origin is an error.
func (o Origin) MarshalText() ([]byte, error) { return origins.Marshal(o) }

// UnmarshalText reads what MarshalText wrote.
func (o *Origin) UnmarshalText(text []byte) error { return origins.Unmarshal(o, text) }

// An Entry is what one of the stores says about a CA.
type Entry struct {
	Origin      Origin
	PKI         string // display name of the container; empty in the classic store
	PKIID       string // id of the container
	ID          string // id of the CA's own object; the classic store has none
	DisplayName string
	Type        AuthorityType // in the classic store from isRootAuthority
	CRL         string        // URL of the CA's base CRL, or empty
	DeltaCRL    string        // URL of its delta CRL, or empty
	IssuerHint  bool
	where       string // JSON pointer to the CA in the configuration
}

// String names the entry: `PKI "Contoso PKI", CA "Issuing 01"`.
func (e Entry) String() string {
	if e.Origin == ClassicStore {
		return "classic store, CA " + text.Quote(e.DisplayName)
	}
	return "PKI " + text.Quote(e.PKI) + ", CA " + text.Quote(e.DisplayName)
}

// A Precedence says why one entry of a CA is in force and not another. The zero
// value is unset.
type Precedence uint8

const (
	// OnlyEntry is a CA that only one store has.
	OnlyEntry Precedence = iota + 1
	// PKIPreferred is a CA in both stores whose PKI entry is in force.
	PKIPreferred
	// PKIHasNoCRL is a CA in both stores whose classic entry is in force because
	// it alone has a CRL URL that can be fetched.
	PKIHasNoCRL
	// CRLsDiffer is a CA in both stores whose classic entry is in force because
	// the two have different CRL URLs.
	CRLsDiffer
)

var precedences = enum.Of[Precedence]("trust: precedence", "only-entry", "pki-preferred", "pki-has-no-crl", "crls-differ")

// String returns "only-entry", "pki-preferred", "pki-has-no-crl" or "crls-differ".
func (p Precedence) String() string { return precedences.String(p) }

// MarshalText writes the text of [Precedence.String]; an unset precedence is an
// error.
func (p Precedence) MarshalText() ([]byte, error) { return precedences.Marshal(p) }

// UnmarshalText reads what MarshalText wrote.
func (p *Precedence) UnmarshalText(text []byte) error { return precedences.Unmarshal(p, text) }

// words says the reason for people.
func (p Precedence) words() string {
	switch p {
	case OnlyEntry:
		return "in one store only"
	case PKIPreferred:
		return "in both stores; the PKI-based one is preferred"
	case PKIHasNoCRL:
		return "in both stores; the classic entry has a CRL URL and the PKI entry has none"
	case CRLsDiffer:
		return "in both stores with different CRL URLs, so the classic entry is used"
	}
	return "why is unknown"
}

// A CA is one certificate of a compiled [Store] with the entry that is in force
// for it. A Store returns pointers to the same CA to every caller: do not change what
// they point to.
type CA struct {
	Certificate *x509.Certificate
	Subject     dn.Name
	SKI         keyid.ID // the subject key identifier; empty if there is none
	Thumbprint  string   // SHA-1 of the certificate, lower-case hexadecimal
	Entry                // the entry in force: its CRL URLs are those that count
	Why         Precedence
	Others      []Entry // the entries of the same certificate that are not in force
	SelfSigned  bool    // issuer and subject are one name, and the signature is by its own key

	node *node
}

// A node is the place of a CA among those that certify each other; a link leads
// from a certificate to a CA whose key identifier fits.
type (
	node = path.Node[*CA]
	link = path.Link[*CA]
)

// Hinted reports whether any entry of the CA has isIssuerHintEnabled, also one that is
// not in force.
func (ca *CA) Hinted() bool {
	return ca != nil && (ca.IssuerHint || slices.ContainsFunc(ca.Others, func(e Entry) bool { return e.IssuerHint }))
}

// InPKI reports whether the CA is in the PKI with this display name or id, also with
// an entry that is not in force. The comparison is case-insensitive: how the service
// compares the name in a CA scope is not documented.
func (ca *CA) InPKI(name string) bool {
	is := func(e Entry) bool {
		return e.Origin == PKIStore && (strings.EqualFold(e.PKI, name) || e.PKIID != "" && strings.EqualFold(e.PKIID, name))
	}
	return ca != nil && (is(ca.Entry) || slices.ContainsFunc(ca.Others, is))
}

// A Store is a compiled [Config]: certificates read, entries of both stores
// joined by precedence, the signatures between its CAs checked once. It never
// changes and is safe for concurrent use. A nil Store trusts nobody.
type Store struct {
	options    Options
	unreadable []Unreadable
	set        *path.Set[*CA]
	cas        []*CA // in the order of the set: the one that lives longest first
	bySKI      map[string][]*CA
	bySubject  map[string][]*CA // only to explain what is missing
	hints      Hints
}

// Compile reads the certificates and checks every signature between them. Deleted
// objects (deletedDateTime) are left out, as are the JSON properties that repeat
// what the certificate says: only the certificate counts.
//
// For a CA in both stores the PKI entry is in force, except where Learn prefers
// the classic one: if it has a CRL and the PKI entry has none, or if the two have
// different CRLs. "Has a CRL" means here that there is an http or https URL, because
// its target is not read; "different" means two CRL URLs with different texts. One
// CA means one certificate, byte for byte. If one store has a certificate twice, the
// entry with a CRL URL is in force, then the one whose PKI has the smaller name, so
// that the order of a list does not decide.
//
// A CA is left out if it has no certificate, or one that crypto/x509 does not read (a
// curve that it does not know, a negative serial number): it is in no chain,
// [Store.Unreadable] lists it, and every chain has a step that says so.
//
// The error is an [*Error]: more than 4,096 CAs, which is far more than the service
// accepts, or what [Options.RefuseUnreadable] refuses. The work is one signature
// check for each pair of CAs whose key identifiers fit.
func (c Config) Compile(options Options) (*Store, error) {
	if options.MaxDepth <= 0 {
		options.MaxDepth = MaxDepth
	}
	total := len(c.Classic.CertificateAuthorities)
	for _, pki := range c.PKIs {
		total += len(pki.CertificateAuthorities)
	}
	if total > maxConfig {
		return nil, &Error{Reason: OverLimit, About: "trust stores", Detail: fmt.Sprintf("%d CAs, %d are read", total, maxConfig)}
	}
	b := builder{byDER: map[string]*CA{}, entries: map[*CA][]Entry{}}
	flagged := false
	var unreadable []Unreadable
	err := c.each(func(about string, der []byte, entry Entry) *Error {
		cert, err := readCertificate(bytes.Clone(der)) // a certificate shares memory with what it is read from
		if err != nil {
			err = err.at(entry.where+"/certificate", about)
			if options.RefuseUnreadable {
				return err
			}
			left, _ := certs.Parse(bytes.Clone(der)) // nil for what is no certificate
			unreadable = append(unreadable, Unreadable{entry, left, err})
			return nil
		}
		flagged = flagged || entry.IssuerHint
		b.add(cert, entry)
		return nil
	})
	if err != nil {
		return nil, err
	}
	s := &Store{options: options, unreadable: unreadable, bySKI: map[string][]*CA{}, bySubject: map[string][]*CA{}}
	b.finish(s)
	s.hints = hintsOf(s.cas, flagged)
	return s, nil
}

// each calls f for every CA that is not deleted.
func (c Config) each(f func(about string, der []byte, entry Entry) *Error) error {
	for i, pki := range c.PKIs {
		if !pki.DeletedDateTime.IsZero() {
			continue
		}
		for j, a := range pki.CertificateAuthorities {
			if !a.DeletedDateTime.IsZero() {
				continue
			}
			about := "PKI " + text.Quote(pki.DisplayName) + ", CA " + text.Quote(a.DisplayName)
			err := f(about, a.Certificate, Entry{
				where: fmt.Sprintf("%s/%d%s/%d", inPKIs, i, inCAs, j), Origin: PKIStore, PKI: pki.DisplayName, PKIID: pki.ID,
				ID: a.ID, DisplayName: a.DisplayName, Type: a.CertificateAuthorityType,
				CRL: a.CertificateRevocationListURL, DeltaCRL: a.DeltaCertificateRevocationListURL,
				IssuerHint: a.IsIssuerHintEnabled != nil && *a.IsIssuerHintEnabled,
			})
			if err != nil {
				return err
			}
		}
	}
	for i, a := range c.Classic.CertificateAuthorities {
		kind := Intermediate
		if a.IsRootAuthority {
			kind = Root
		}
		err := f(fmt.Sprintf("classic store, CA %d", i+1), a.Certificate, Entry{
			where: fmt.Sprintf("%s%s/%d", inClassic, inCAs, i), Origin: ClassicStore, Type: kind,
			CRL: a.CertificateRevocationListURL, DeltaCRL: a.DeltaCertificateRevocationListURL,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// readCertificate reads one certificate and says what else the data may be.
func readCertificate(der []byte) (*x509.Certificate, *Error) {
	if len(der) == 0 {
		return nil, &Error{Reason: NoCertificate}
	}
	cert, err := x509.ParseCertificate(der)
	if err == nil {
		return certs.WithExtensions(cert), nil
	}
	e := &Error{Reason: NotCertificate, Err: err}
	switch blocks, err := certs.Open(der); {
	case bytes.Contains(der, []byte("-----BEGIN")):
		e.Detail, e.Err = "it is PEM text, encode its DER", nil
	case err == nil && blocks[0].Kind == certs.Bundle:
		e.Detail, e.Err = "it is a PKCS #7 bundle, add its certificates one by one", nil
	case err == nil && blocks[0].Kind == certs.Certificate && len(blocks) == 1: // what names it has, it has
		switch read, err := certs.Parse(blocks[0].DER); {
		case err != nil:
		case certs.Refused(read) != nil:
			e.Reason = Unsupported
			e.Detail = "crypto/x509 does not read the certificate of " + dn.Show(read.RawSubject)
		case bytes.HasPrefix(der, read.Raw):
			e.Detail, e.Err = fmt.Sprintf("%s behind the certificate of %s, upload the certificate alone", text.Count(len(der)-len(read.Raw), "byte stands", "bytes stand"), dn.Show(read.RawSubject)), nil
		default:
			e.Detail, e.Err = "it is text, encode the DER of the certificate of "+dn.Show(read.RawSubject), nil
		}
	}
	return nil, e
}

// A builder joins the entries of one certificate.
type builder struct {
	byDER   map[string]*CA
	entries map[*CA][]Entry
}

func (b *builder) add(cert *x509.Certificate, entry Entry) {
	ca := b.byDER[string(cert.Raw)]
	if ca == nil {
		ca = newCA(cert)
		b.byDER[string(cert.Raw)] = ca
	}
	if entry.DisplayName == "" {
		entry.DisplayName = displayName(cert, ca.Subject)
	}
	b.entries[ca] = append(b.entries[ca], entry)
}

func newCA(cert *x509.Certificate) *CA {
	subject, _ := dn.ParseDER(cert.RawSubject) // a name that only Go's parser reads stays empty
	return &CA{
		Certificate: cert, Subject: subject,
		SKI: keyid.Of(cert.SubjectKeyId), Thumbprint: fingerprint.Of(cert.Raw),
	}
}

func selfSigned(cert *x509.Certificate) bool {
	return path.SelfIssued(cert) && path.Verify(cert, cert) == path.Proven
}

// finish links the CAs and puts them into the store.
func (b *builder) finish(s *Store) {
	nodes := make([]*node, 0, len(b.byDER))
	for _, ca := range b.byDER {
		nodes = append(nodes, &node{Certificate: ca.Certificate, Value: ca})
	}
	s.set = path.NewSet(nodes, path.ByKeyID)
	for _, n := range s.set.Nodes {
		ca := n.Value
		ca.node, ca.SelfSigned = n, n.SelfSigned
		ca.Entry, ca.Why, ca.Others = inForce(b.entries[ca])
		n.Root = n.SelfSigned || s.options.RootByFlag && ca.Type == Root
		s.cas = append(s.cas, ca)
		if ski := ca.Certificate.SubjectKeyId; len(ski) > 0 {
			s.bySKI[string(ski)] = append(s.bySKI[string(ski)], ca)
		}
		name := string(ca.Certificate.RawSubject)
		s.bySubject[name] = append(s.bySubject[name], ca)
	}
	s.set.Link()
}

// inForce applies Learn's "Prioritization between a PKI-based trust store and a
// classic CA store".
func inForce(entries []Entry) (Entry, Precedence, []Entry) {
	sorted := slices.Clone(entries)
	slices.SortStableFunc(sorted, func(x, y Entry) int {
		return cmp.Or(
			cmp.Compare(x.Origin, y.Origin),
			cmp.Compare(empty(x.CRL), empty(y.CRL)),
			cmp.Compare(x.PKI, y.PKI),
			cmp.Compare(x.PKIID, y.PKIID),
			cmp.Compare(x.CRL, y.CRL),
			cmp.Compare(x.DeltaCRL, y.DeltaCRL),
			cmp.Compare(x.Type, y.Type),
			cmp.Compare(x.DisplayName, y.DisplayName),
			cmp.Compare(x.ID, y.ID),
		)
	})
	classic := slices.IndexFunc(sorted, func(e Entry) bool { return e.Origin == ClassicStore })
	if classic <= 0 { // one store only
		return sorted[0], OnlyEntry, sorted[1:]
	}
	pki, old := sorted[0], sorted[classic]
	why := PKIPreferred
	switch {
	case pki.CRL == "" && fetchable(old.CRL):
		why = PKIHasNoCRL
	case pki.CRL != "" && old.CRL != "" && pki.CRL != old.CRL:
		why = CRLsDiffer
	}
	if why == PKIPreferred {
		return pki, why, sorted[1:]
	}
	return old, why, slices.Delete(sorted, classic, classic+1)
}

func empty(s string) int {
	if s == "" {
		return 1
	}
	return 0
}

// fetchable reports whether a URL is one that the service may fetch.
func fetchable(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
}

// An Unreadable is a CA that a [Store] left out.
type Unreadable struct {
	Entry Entry
	// Certificate has what could be read of it: names, dates and extensions, but no
	// public key. It is nil for data that is no certificate.
	Certificate *x509.Certificate
	Err         error // an [*Error] with the place in the configuration
}

// mayHave reports whether the CA may have a subject key identifier.
func (u Unreadable) mayHave(id []byte) bool {
	if u.Certificate == nil || len(id) == 0 {
		return false
	}
	if len(u.Certificate.SubjectKeyId) > 0 {
		return bytes.Equal(u.Certificate.SubjectKeyId, id)
	}
	return slices.ContainsFunc(u.Certificate.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(oidSubjectKeyID) })
}

// Unreadable returns the CAs that the store left out, in the order of the
// configuration.
func (s *Store) Unreadable() []Unreadable {
	if s == nil {
		return nil
	}
	return slices.Clone(s.unreadable)
}

// CAs returns the certificates of the store, each once, the one that lives
// longest first.
func (s *Store) CAs() []*CA {
	if s == nil {
		return nil
	}
	return slices.Clone(s.cas)
}

// WithSKI returns the CAs that have a subject key identifier. There are several if
// a CA was renewed or cross-certified; the empty ID is no CA's.
func (s *Store) WithSKI(id keyid.ID) []*CA {
	if s == nil {
		return nil
	}
	return slices.Clone(s.bySKI[string(id.Bytes())])
}
