package signin_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/fips140"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.com/entracba/cba/internal/san"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
	"example.com/entracba/cba/trust"
)

// A chainCase is a user certificate and the CAs of the stores.
type chainCase struct {
	leaf          *x509.Certificate
	roots, inters []*x509.Certificate // as the store marks them
	unreadable    [][]byte
}

// verdict asks about a case, with the CAs in an order of chance.
func (c chainCase) verdict(t *testing.T) signin.Verdict {
	t.Helper()
	var cas []trust.Authority
	add := func(kind trust.AuthorityType, der []byte) {
		cas = append(cas, trust.Authority{Certificate: der, CertificateAuthorityType: kind})
	}
	for _, cert := range c.roots {
		add(trust.Root, cert.Raw)
	}
	for _, cert := range c.inters {
		add(trust.Intermediate, cert.Raw)
	}
	for _, der := range c.unreadable {
		add(trust.Intermediate, der)
	}
	mathrand.Shuffle(len(cas), func(i, j int) { cas[i], cas[j] = cas[j], cas[i] })
	config := signin.Config{Policy: policy.ServiceDefault(), Trust: trust.Config{PKIs: trust.PKIs{{DisplayName: "PKI", CertificateAuthorities: cas}}}}
	config.Policy.State = policy.Enabled
	tenant, err := config.Compile(signin.Options{})
	if err != nil {
		t.Fatal(err)
	}
	user := &policy.User{UserPrincipalName: "nobody@example.com"}
	return checkVerdict(t, tenant, signin.Request{User: user, Certificate: c.leaf, At: worldNow})
}

// A chainWant is the right answer: the outcome, and for what a document leaves
// open a warning and the assumption that changes the verdict.
type chainWant struct {
	outcome  signin.Outcome
	code     string
	step     string // the name of a warning, of which there is one
	question string
	says     string
}

func (w chainWant) check(t *testing.T, v signin.Verdict) {
	t.Helper()
	if v.Outcome != w.outcome || v.Code != w.code {
		t.Errorf("%v %s, want %v %s: %s", v.Outcome, v.Code, w.outcome, w.code, v.Message)
	}
	said := v.Message
	warnings := 0
	for _, s := range v.Steps {
		said += "\n" + s.Detail
		if s.Outcome == lint.Warn && s.Name == w.step {
			warnings++
		}
	}
	if w.step != "" && warnings != 1 {
		t.Errorf("%d warnings %q", warnings, w.step)
	}
	if !strings.Contains(said, w.says) {
		t.Errorf("does not say %q:\n%s", w.says, said)
	}
	var changing []string
	for _, a := range v.Assumptions {
		if a.ChangesVerdict && strings.HasPrefix(a.ID, "9.") && !slices.Contains([]string{"9.10"}, a.ID) {
			changing = append(changing, a.ID)
		}
	}
	if got := strings.Join(changing, " "); got != w.question {
		t.Errorf("the verdict depends on %q, want %q: %+v", got, w.question, v.Assumptions)
	}
}

// readChain reads a file of testdata/chains: each certificate stands below the
// word that says what it is.
func readChain(t *testing.T, name string) (c chainCase) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "chains", name))
	if err != nil {
		t.Fatal(err)
	}
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			break
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		before, _, _ := bytes.Cut(text, []byte("-----BEGIN"))
		switch lines := strings.Split(strings.TrimSpace(string(before)), "\n"); lines[len(lines)-1] {
		case "# leaf":
			c.leaf = cert
		case "# root":
			c.roots = append(c.roots, cert)
		case "# intermediate":
			c.inters = append(c.inters, cert)
		default:
			t.Fatalf("%s: %q", name, before)
		}
		text = rest
	}
	if c.leaf == nil {
		t.Fatalf("%s has no leaf", name)
	}
	return c
}

func TestChainFiles(t *testing.T) {
	wants := map[string]chainWant{
		"upn-good.pem":                   {outcome: signin.SignedIn},
		"upn-ica-code-only.pem":          {outcome: signin.SignedIn, step: trust.StepExtendedKeyUsage, question: "9.36", says: "clientAuth"},
		"upn-root-nc.pem":                {outcome: signin.SignedIn, step: trust.StepConstraints, question: "9.50", says: "nobody@example.com"},
		"upn-leaf-rsa-512.pem":           {outcome: signin.SignedIn, step: trust.StepKey, question: "9.51", says: "512 bits"},
		"upn-depth-11.pem":               {outcome: signin.Refused, code: "AADSTS50017", question: "9.27", says: "11 CAs"},
		"upn-ica-marked-root.pem":        {outcome: signin.Refused, code: "AADSTS500176", step: trust.StepTrustStore, question: "9.53", says: `marked "root"`},
		"upn-aki-issuer-serial-only.pem": {outcome: signin.Refused, code: "AADSTS500176", question: "9.30", says: "has no key identifier, only the issuer"},
		"pathlen-self-issued.pem":        {outcome: signin.Refused, code: "AADSTS1001009"}, // it has no name to bind
	}
	files, err := filepath.Glob("testdata/chains/*.pem")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(wants) {
		t.Errorf("%d files, %d answers", len(files), len(wants))
	}
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			for range 4 { // the order never matters
				v := readChain(t, name).verdict(t)
				wants[name].check(t, v)
				trusted := !slices.ContainsFunc(v.Steps, func(s signin.Step) bool { return s.Name == signin.StepChain && s.Outcome == lint.Fail })
				if name == "pathlen-self-issued.pem" && !trusted {
					t.Error("the chain is not trusted")
				}
			}
		})
	}
}

// A CA that crypto/x509 does not read is left out, and said; the rest is answered.
func TestChainUnreadable(t *testing.T) {
	text, err := os.ReadFile("testdata/chains/tenant-p192.json")
	if err != nil {
		t.Fatal(err)
	}
	config, err := signin.ParseConfig(text)
	if err != nil {
		t.Fatal(err)
	}
	tenant, err := config.Compile(signin.Options{})
	if err != nil {
		t.Fatal(err)
	}
	v := checkVerdict(t, tenant, signin.Request{User: &policy.User{UserPrincipalName: "nobody@example.com"}, Certificate: readChain(t, "upn-good.pem").leaf, At: worldNow})
	chainWant{outcome: v.Outcome, code: v.Code, step: trust.StepUnreadable, says: `CA "other department"`}.check(t, v)
	if v.Outcome == signin.Undecided {
		t.Errorf("a CA that has nothing to do with the certificate leaves the answer open: %s", v.Message)
	}

	root := chainCA("Root", nil, nil)
	issuing := chainCA("Issuing", root, nil)
	leaf := chainLeaf(issuing, nil)
	negative := func(cert *x509.Certificate) []byte {
		der := bytes.Clone(cert.Raw)
		der[bytes.Index(der, []byte{0xa0, 3, 2, 1, 2, 2})+7] |= 0x80
		return der
	}
	other := chainCA("Other", root, nil)
	for name, test := range map[string]struct {
		chainCase
		want signin.Outcome
		says string
	}{
		"a negative serial number, elsewhere":    {chainCase{leaf.cert, certsOf(root), certsOf(issuing), [][]byte{negative(other.cert)}}, signin.SignedIn, "Other"},
		"a negative serial number, on the way":   {chainCase{leaf.cert, certsOf(root), nil, [][]byte{negative(issuing.cert)}}, signin.Undecided, "Issuing"},
		"no certificate at all":                  {chainCase{leaf.cert, certsOf(root), certsOf(issuing), [][]byte{[]byte("MIIB")}}, signin.SignedIn, ""},
		"an answer of a web server, on the way?": {chainCase{leaf.cert, certsOf(root), nil, [][]byte{[]byte("<html>404</html>")}}, signin.Undecided, ""},
	} {
		t.Run(name, func(t *testing.T) {
			v := test.verdict(t)
			if v.Outcome != test.want {
				t.Errorf("%v %s: %s", v.Outcome, v.Code, v.Message)
			}
			if i := slices.IndexFunc(v.Steps, func(s signin.Step) bool { return s.Name == trust.StepUnreadable }); i < 0 || !strings.Contains(v.Steps[i].Detail, test.says) {
				t.Errorf("%+v", v.Steps)
			}
		})
	}
}

// A made is a certificate of these tests with its key.
type made struct {
	cert *x509.Certificate
	key  crypto.Signer
}

func certsOf(list ...*made) (certs []*x509.Certificate) {
	for _, m := range list {
		certs = append(certs, m.cert)
	}
	return certs
}

func chainCA(name string, parent *made, change func(*x509.Certificate)) *made {
	return chainCert(&x509.Certificate{
		Subject: pkix.Name{CommonName: name}, BasicConstraintsValid: true, IsCA: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, SubjectKeyId: keyID("chain " + name),
	}, keyOf("chain "+name), nil, parent, change)
}

func chainLeaf(parent *made, change func(*x509.Certificate)) *made {
	names, err := san.Marshal([]san.Name{{Kind: san.UPN, Value: "nobody@example.com"}, {Kind: san.Email, Value: "nobody@example.com"}})
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "nobody", Organization: []string{"Example"}}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, ExtraExtensions: []pkix.Extension{{Id: san.Extension(), Value: names}},
	}
	return chainCert(template, keyOf("chain leaf"), nil, parent, change)
}

// chainLeafOf is a leaf with a public key of the caller's.
func chainLeafOf(parent *made, pub crypto.PublicKey) *made {
	leaf := chainLeaf(parent, nil)
	return chainCert(&x509.Certificate{
		Subject: leaf.cert.Subject, KeyUsage: leaf.cert.KeyUsage, ExtKeyUsage: leaf.cert.ExtKeyUsage,
		ExtraExtensions: slices.DeleteFunc(slices.Clone(leaf.cert.Extensions), func(e pkix.Extension) bool { return !e.Id.Equal(san.Extension()) }),
	}, nil, pub, parent, nil)
}

var chainSerial int64

func chainCert(template *x509.Certificate, key crypto.Signer, pub crypto.PublicKey, parent *made, change func(*x509.Certificate)) *made {
	chainSerial++
	template.SerialNumber = big.NewInt(1<<40 + chainSerial)
	template.NotBefore, template.NotAfter = worldStart, worldEnd
	if change != nil {
		change(template)
	}
	if key != nil {
		pub = key.Public()
	}
	signer, above := key, template
	if parent != nil {
		signer, above = parent.key, parent.cert
	}
	der, err := x509.CreateCertificate(nil, template, above, pub, signer)
	if err != nil {
		panic(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return &made{cert, key}
}

// authorityKeyID is an authority key identifier with any of its parts.
func authorityKeyID(id []byte, issuer []byte, serial *big.Int) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		var parts []byte
		add := func(v any, tag byte) {
			der, err := asn1.Marshal(v)
			if err != nil {
				panic(err)
			}
			if tag != 0 {
				der[0] = tag
			}
			parts = append(parts, der...)
		}
		if id != nil {
			add(id, 0x80)
		}
		if issuer != nil {
			name, err := asn1.Marshal(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 4, IsCompound: true, Bytes: issuer})
			if err != nil {
				panic(err)
			}
			add(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 1, IsCompound: true, Bytes: name}, 0)
		}
		if serial != nil {
			add(serial, 0x82)
		}
		value, err := asn1.Marshal(asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: parts})
		if err != nil {
			panic(err)
		}
		c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 35}, Value: value})
	}
}

// More inputs of each kind of the files, each beside a twin that is sound.
func TestChainKinds(t *testing.T) {
	root := chainCA("Root", nil, nil)
	issuing := chainCA("Issuing", root, nil)
	through := func(ca func(*x509.Certificate)) chainCase { // a CA that is changed, below the root
		i := chainCA("Issuing", root, ca)
		return chainCase{leaf: chainLeaf(i, nil).cert, roots: certsOf(root), inters: certsOf(i)}
	}
	under := func(r func(*x509.Certificate)) chainCase { // a root that is changed
		root := chainCA("Root", nil, r)
		i := chainCA("Issuing", root, nil)
		return chainCase{leaf: chainLeaf(i, nil).cert, roots: certsOf(root), inters: certsOf(i)}
	}
	leafWith := func(change func(*x509.Certificate)) chainCase {
		return chainCase{leaf: chainLeaf(issuing, change).cert, roots: certsOf(root), inters: certsOf(issuing)}
	}
	withKey := func(pub crypto.PublicKey) chainCase {
		return chainCase{leaf: chainLeafOf(issuing, pub).cert, roots: certsOf(root), inters: certsOf(issuing)}
	}
	modulus := func(bits uint) *big.Int {
		n := new(big.Int).Lsh(big.NewInt(3), bits-2)
		return n.Add(n, big.NewInt(1))
	}
	deep := func(n int) chainCase {
		list := []*made{chainCA("Deep 1", nil, nil)}
		for len(list) < n {
			list = append(list, chainCA("Deep "+strings.Repeat("I", len(list)), list[len(list)-1], nil))
		}
		return chainCase{leaf: chainLeaf(list[n-1], nil).cert, roots: certsOf(list[0]), inters: certsOf(list[1:]...)}
	}
	usage := func(u ...x509.ExtKeyUsage) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.ExtKeyUsage = u }
	}
	issuer, serial := issuing.cert.RawIssuer, issuing.cert.SerialNumber
	alien := chainCA("Alien", nil, nil).cert
	usages := func(says string) chainWant {
		return chainWant{outcome: signin.SignedIn, step: trust.StepExtendedKeyUsage, question: "9.36", says: says}
	}
	names := func(says string) chainWant {
		return chainWant{outcome: signin.SignedIn, step: trust.StepConstraints, question: "9.50", says: says}
	}
	keys := func(says string) chainWant {
		return chainWant{outcome: signin.SignedIn, step: trust.StepKey, question: "9.51", says: says}
	}
	akis := chainWant{outcome: signin.SignedIn, step: trust.StepAuthorityKeyID, question: "9.52", says: "another certificate"}
	good := chainWant{outcome: signin.SignedIn}
	incomplete := chainWant{outcome: signin.Refused, code: "AADSTS500176", question: "9.53"}
	marked := chainWant{outcome: signin.SignedIn, step: trust.StepTrustStore, question: "9.53", says: `marked "intermediate"`}

	for name, test := range map[string]struct {
		chainCase
		want chainWant
	}{
		"usage: servers":            {through(usage(x509.ExtKeyUsageServerAuth)), usages("clientAuth")},
		"usage: of nobody's making": {through(func(c *x509.Certificate) { c.UnknownExtKeyUsage = []asn1.ObjectIdentifier{{1, 2, 3}} }), usages("clientAuth")},
		"usage: the root's":         {under(usage(x509.ExtKeyUsageEmailProtection, x509.ExtKeyUsageCodeSigning)), usages("clientAuth")},
		"usage: any":                {through(usage(x509.ExtKeyUsageAny)), good},
		"usage: clients too":        {under(usage(x509.ExtKeyUsageCodeSigning, x509.ExtKeyUsageClientAuth)), good},

		"names: root, mail of another domain": {under(func(c *x509.Certificate) { c.PermittedEmailAddresses = []string{"example.org"} }), names("nobody@example.com")},
		"names: root, excluded mail": {under(func(c *x509.Certificate) {
			c.PermittedDNSDomainsCritical, c.ExcludedEmailAddresses = true, []string{"example.com"}
		}), names("exclude")},
		"names: root, UPNs of another domain": {under(upnConstraint(t, "example.org")), names(`permit the UPN "example.org" only, not "nobody@example.com"`)},
		"names: the issuing CA's":             {through(upnConstraint(t, "example.org")), names(`permit the UPN "example.org" only, not "nobody@example.com"`)},
		"names: root, its own domain":         {under(func(c *x509.Certificate) { c.PermittedEmailAddresses = []string{"example.com"} }), good},
		"names: root, UPNs of the own domain": {under(upnConstraint(t, "example.com")), good},

		"key: RSA of 1,024 bits":       {withKey(&rsa.PublicKey{N: modulus(1024), E: 65537}), keys("1024 bits")},
		"key: an exponent of 3":        {withKey(&rsa.PublicKey{N: modulus(2048), E: 3}), keys("exponent 3")},
		"key: a curve of 224 bits":     {withKey(p224()), chainWant{outcome: signin.SignedIn, step: trust.StepKey, question: "9.35 9.51", says: "224 bits"}},
		"key: RSA of 2,048 bits":       {withKey(&rsa.PublicKey{N: modulus(2048), E: 65537}), good},
		"aki: serial number of no CA":  {leafWith(authorityKeyID(issuing.cert.SubjectKeyId, issuer, big.NewInt(77))), akis},
		"aki: the name of another CA":  {leafWith(authorityKeyID(issuing.cert.SubjectKeyId, alien.RawIssuer, serial)), akis},
		"aki: another CA's altogether": {leafWith(authorityKeyID(issuing.cert.SubjectKeyId, alien.RawIssuer, alien.SerialNumber)), akis},
		"aki: all of it right":         {leafWith(authorityKeyID(issuing.cert.SubjectKeyId, issuer, serial)), good},
		"aki: the name alone, right":   {leafWith(authorityKeyID(issuing.cert.SubjectKeyId, issuer, nil)), good},
		"aki: serial number only": {leafWith(authorityKeyID(nil, nil, serial)),
			chainWant{outcome: signin.Refused, code: "AADSTS500176", question: "9.30", says: "has no key identifier, only the serial number"}},
		"aki: another CA's only": {leafWith(authorityKeyID(nil, alien.RawIssuer, alien.SerialNumber)),
			chainWant{outcome: signin.Refused, code: "AADSTS500176", question: "9.30", says: `has no key identifier, only the issuer "CN=Alien"`}},

		"depth: ten":        {deep(10), good}, // five is the other reading of 9.27: see the scenarios
		"depth: eleven":     {deep(11), chainWant{outcome: signin.Refused, code: "AADSTS50017", question: "9.27", says: "11 CAs"}},
		"depth: twenty":     {deep(20), chainWant{outcome: signin.Refused, code: "AADSTS50017", question: "9.27", says: "20 CAs"}},
		"depth: incomplete": {func() chainCase { c := deep(12); c.roots = nil; return c }(), chainWant{outcome: signin.Refused, code: "AADSTS500176"}},

		"mark: a root as intermediate":          {chainCase{leaf: chainLeaf(issuing, nil).cert, inters: certsOf(root, issuing)}, marked},
		"mark: an issuing root as intermediate": {chainCase{leaf: chainLeaf(root, nil).cert, inters: certsOf(root)}, marked},
		"mark: an intermediate, without root":   {chainCase{leaf: chainLeaf(issuing, nil).cert, roots: certsOf(issuing)}, incomplete},
		"mark: higher up, without root": {func() chainCase {
			low := chainCA("Low", issuing, nil)
			return chainCase{leaf: chainLeaf(low, nil).cert, roots: certsOf(issuing), inters: certsOf(low)}
		}(), incomplete},
		"mark: an intermediate, beside its root": {chainCase{leaf: chainLeaf(issuing, nil).cert, roots: certsOf(issuing, root)}, good},
		"mark: a root in both ways":              {chainCase{leaf: chainLeaf(issuing, nil).cert, roots: certsOf(root), inters: certsOf(root, issuing)}, good},
	} {
		t.Run(name, func(t *testing.T) {
			if fips140.Enforced() && strings.HasPrefix(name, "key: ") {
				return // crypto/rsa reads no such key there
			}
			v := test.verdict(t)
			if name == "depth: ten" {
				test.want.question = "9.27"
			}
			test.want.check(t, v)
		})
	}
}

func p224() *ecdsa.PublicKey {
	seed := make([]byte, 28)
	seed[27] = 7
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P224(), seed)
	if err != nil {
		panic(err)
	}
	return &key.PublicKey
}

// upnConstraint permits the UPNs of a domain only.
func upnConstraint(t *testing.T, domain string) func(*x509.Certificate) {
	t.Helper()
	list, err := san.Marshal([]san.Name{{Kind: san.UPN, Value: domain}})
	if err != nil {
		t.Fatal(err)
	}
	wrap := func(tag byte, content []byte) []byte { return append([]byte{tag, byte(len(content))}, content...) }
	value := wrap(0x30, wrap(0xa0, list)) // a list of one name is as one subtree is encoded
	return func(c *x509.Certificate) {
		c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 30}, Critical: true, Value: value})
	}
}
