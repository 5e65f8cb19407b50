package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/cedar-policy/cedar-go"
	"go.step.sm/crypto/x509util"
	"software.sslmate.com/src/go-pkcs12"

	"example.com/entracba/cba"
	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/pfx"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
	"example.com/entracba/cba/trust"
)

// rows are the comparisons, in the order in which they are printed. Each gets a
// folder for files.
var rows = []struct {
	name string
	make func(work string) (row, error)
}{
	{"user", users}, {"ids", strings7}, {"repair", repairs}, {"read PFX", files}, {"rules", decisions},
	{"sign-in", signIns}, {"gateway", gateways}, {"change", changes}, {"CRL", lists},
}

const (
	upn      = "jane@contoso.com"
	password = "k7Qm2xR9vTz4"
)

func authority() (*cba.Issuer, error) {
	return cba.NewRoot(context.Background(), cba.Authority{
		Name:    dn.Name{{{Type: dn.CommonName, Value: "Contoso Issuing CA"}}},
		KeyType: cba.P256,
	})
}

// user is a certificate for jane and its key.
func user(ca *cba.Issuer) (*x509.Certificate, crypto.Signer, error) {
	key, err := cba.P256.Generate()
	if err != nil {
		return nil, nil, err
	}
	cert, err := ca.Issue(context.Background(), key.Public(), cba.Subject{UPN: upn, Emails: []string{upn}}, cba.Profile{})
	return cert, key, err
}

// san is a subjectAltName with a UPN, made once: the floor has no part in
// making names.
func san() ([]byte, error) {
	value, err := asn1.MarshalWithParams(upn, "utf8")
	if err != nil {
		return nil, err
	}
	name, err := asn1.Marshal(struct {
		ID    asn1.ObjectIdentifier
		Value asn1.RawValue
	}{asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 20, 2, 3}, asn1.RawValue{Class: 2, Tag: 0, IsCompound: true, Bytes: value}})
	if err != nil {
		return nil, err
	}
	var sequence asn1.RawValue
	if _, err := asn1.Unmarshal(name, &sequence); err != nil {
		return nil, err
	}
	return asn1.Marshal([]asn1.RawValue{{Class: 2, Tag: 0, IsCompound: true, Bytes: sequence.Bytes}})
}

func users(work string) (row, error) {
	ca, err := authority()
	if err != nil {
		return row{}, err
	}
	names, err := san()
	if err != nil {
		return row{}, err
	}
	r := row{about: "one P-256 user under a P-256 root: the key, the certificate with its UPN, a compatible PFX with a friendly name"}
	// A list, which is what IssueAll is for.
	var people []cba.Subject
	for n := range 20 {
		people = append(people, cba.Subject{UPN: fmt.Sprintf("user%d@contoso.com", n)})
	}
	r.sides = append(r.sides, side{name: "cba and cba/pfx", times: len(people), run: func() error {
		for _, err := range ca.IssueAll(context.Background(), cba.Tasks(people...), cba.Bulk{KeyType: cba.P256, Workers: 1,
			Finish: func(_ context.Context, result *cba.Result) error {
				_, err := pfx.Compatible.Encode(pfx.Bundle{Key: result.Key, Certificate: result.Certificate, Proof: result.Proof,
					Chain: ca.CACertificates(), FriendlyName: result.Task.Subject.UPN}, password)
				return err
			}}) {
			if err != nil {
				return err
			}
		}
		return nil
	}})
	legacy := pkcs12.LegacyDES.WithIterations(2048)
	r.sides = append(r.sides, side{name: "ecdsa.GenerateKey, x509.CreateCertificate, go-pkcs12 (no friendly name)", run: func() error {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return err
		}
		serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 128))
		if err != nil {
			return err
		}
		der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
			SerialNumber: serial, Subject: pkix.Name{CommonName: upn}, NotBefore: time.Now(), NotAfter: time.Now().AddDate(1, 0, 0),
			KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
			ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: names}},
		}, ca.Certificate, key.Public(), ca.Key)
		if err != nil {
			return err
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return err
		}
		_, err = legacy.Encode(key, cert, []*x509.Certificate{ca.Certificate}, password)
		return err
	}})
	const template = `{"subject": {"commonName": {{ toJson .Subject.CommonName }}},
		"sans": [{"type": "userPrincipalName", "value": {{ toJson .Subject.CommonName }}}],
		"keyUsage": ["digitalSignature"], "extKeyUsage": ["clientAuth"]}`
	r.sides = append(r.sides, side{name: "smallstep x509util (request and template) and go-pkcs12", run: func() error {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return err
		}
		der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: upn}}, key)
		if err != nil {
			return err
		}
		request, err := x509.ParseCertificateRequest(der)
		if err != nil {
			return err
		}
		data := x509util.NewTemplateData()
		data.SetCommonName(upn)
		made, err := x509util.NewCertificate(request, x509util.WithTemplate(template, data))
		if err != nil {
			return err
		}
		contents := made.GetCertificate()
		contents.NotBefore, contents.NotAfter = time.Now(), time.Now().AddDate(1, 0, 0)
		cert, err := x509util.CreateCertificate(contents, ca.Certificate, key.Public(), ca.Key)
		if err != nil {
			return err
		}
		_, err = legacy.Encode(key, cert, []*x509.Certificate{ca.Certificate}, password)
		return err
	}})

	keyDER, err := x509.MarshalPKCS8PrivateKey(ca.Key)
	if err != nil {
		return row{}, err
	}
	folder := filepath.Join(work, "user")
	if err := os.Mkdir(folder, 0o700); err != nil {
		return row{}, err
	}
	for name, content := range map[string][]byte{
		"ca.key": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}),
		"ca.crt": cba.EncodeCertificates(ca.Certificate), "password": []byte(password + "\n"),
	} {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			return row{}, err
		}
	}
	r.program("openssl", func() error {
		for _, args := range [][]string{
			{"ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "u.key"},
			{"req", "-new", "-key", "u.key", "-out", "u.csr", "-subj", "/CN=" + upn, "-addext", "subjectAltName=otherName:1.3.6.1.4.1.311.20.2.3;UTF8:" + upn},
			{"x509", "-req", "-in", "u.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-out", "u.crt", "-days", "365", "-sha256", "-copy_extensions", "copyall"},
			{"pkcs12", "-export", "-out", "u.pfx", "-inkey", "u.key", "-in", "u.crt", "-certfile", "ca.crt", "-descert", "-legacy", "-name", upn, "-passout", "file:password"},
		} {
			command := exec.Command("openssl", args...)
			command.Dir = folder
			if text, err := command.CombinedOutput(); err != nil {
				return fmt.Errorf("openssl %s: %w: %s", args[0], err, text)
			}
		}
		return nil
	})
	return r, nil
}

func strings7(string) (row, error) {
	ca, err := authority()
	if err != nil {
		return row{}, err
	}
	cert, _, err := user(ca)
	if err != nil {
		return row{}, err
	}
	return row{about: "the seven strings for certificateUserIds of one certificate, beside reading that certificate", sides: []side{
		often("certuserid.All", 100, func() error {
			if ids := certuserid.All(cert); len(ids) != 7 {
				return fmt.Errorf("%d strings", len(ids))
			}
			return nil
		}),
		often("x509.ParseCertificate", 100, func() error {
			_, err := x509.ParseCertificate(cert.Raw)
			return err
		}),
	}}, nil
}

func repairs(string) (row, error) {
	ca, err := authority()
	if err != nil {
		return row{}, err
	}
	cert, _, err := user(ca)
	if err != nil {
		return row{}, err
	}
	// Spaces, an abbreviated name and colons: what a person types from a dialog.
	stored := fmt.Sprintf("X509:<I>CN = Contoso Issuing CA <SR> %X", cert.SerialNumber)
	return row{about: "a wrong value of certificateUserIds brought into form with its certificate at hand, beside reading that certificate", sides: []side{
		often("certuserid.Normalize", 50, func() error {
			if id, _ := certuserid.Normalize(stored, cert); id.Mapping() == "" {
				return errors.New("not repaired")
			}
			return nil
		}),
		often("x509.ParseCertificate", 50, func() error {
			_, err := x509.ParseCertificate(cert.Raw)
			return err
		}),
	}}, nil
}

func files(string) (row, error) {
	ca, err := authority()
	if err != nil {
		return row{}, err
	}
	cert, key, err := user(ca)
	if err != nil {
		return row{}, err
	}
	file, err := pfx.Modern.Encode(pfx.Bundle{Key: key, Certificate: cert, Chain: ca.CACertificates(), FriendlyName: upn}, password)
	if err != nil {
		return row{}, err
	}
	return row{about: "a PFX of today's kind (AES-256, HMAC-SHA256, 2,048 iterations) opened", sides: []side{
		{name: "pfx.Decode", run: func() error { _, err := pfx.Decode(file, password); return err }},
		{name: "go-pkcs12", run: func() error { _, _, _, err := pkcs12.DecodeChain(file, password); return err }},
	}}, nil
}

// often is a side whose work is small, done so often that the clock sees it.
func often(name string, times int, run func() error) side {
	return side{name: name, times: times, run: func() error {
		for range times {
			if err := run(); err != nil {
				return err
			}
		}
		return nil
	}}
}

// ruleCount is how many authentication rules the tenant of decisions has.
const ruleCount = 50

func decisions(string) (row, error) {
	ca, err := authority()
	if err != nil {
		return row{}, err
	}
	cert, _, err := user(ca)
	if err != nil {
		return row{}, err
	}
	ids, err := certuserid.FromCertificate(cert, certuserid.IssuerAndSerialNumber)
	if err != nil {
		return row{}, err
	}
	config := policy.ServiceDefault()
	config.State = policy.Enabled
	set := cedar.NewPolicySet()
	for n := range ruleCount {
		name := dn.Name{{{Type: dn.CommonName, Value: fmt.Sprintf("Contoso CA %d", n)}}}
		if n == ruleCount-1 {
			name = dn.Name{{{Type: dn.CommonName, Value: "Contoso Issuing CA"}}}
		}
		config.AuthenticationMode.Rules = append(config.AuthenticationMode.Rules, policy.IssuerRule(name, policy.MultiFactor, certuserid.Low))
		var p cedar.Policy
		text := fmt.Sprintf(`permit (principal, action, resource) when { context.issuer == %q && principal.ids.contains(context.id) };`, name.String())
		if err := p.UnmarshalCedar([]byte(text)); err != nil {
			return row{}, err
		}
		set.Add(cedar.PolicyID(fmt.Sprint("rule", n)), &p)
	}
	config.UserBindings = []policy.UserBinding{
		policy.Bind(certuserid.PrincipalName, policy.OnPremisesUserPrincipalName, 1),
		policy.Bind(certuserid.IssuerAndSerialNumber, policy.CertificateUserIDs, 2),
	}
	compiled, err := config.Compile(policy.Readings{})
	if err != nil {
		return row{}, err
	}
	known, err := policy.NewCertificate(cert, certuserid.Options{})
	if err != nil {
		return row{}, err
	}
	jane := &policy.User{ID: "1", UserPrincipalName: upn, OnPremisesUserPrincipalName: "jane@contoso.local", MemberOf: []policy.DirectoryObject{}}
	jane.AuthorizationInfo.CertificateUserIDs = []string{ids.String()}

	principal := cedar.NewEntityUID("User", "1")
	entities := cedar.EntityMap{principal: cedar.Entity{UID: principal, Attributes: cedar.NewRecord(cedar.RecordMap{
		"ids": cedar.NewSet(cedar.String(ids.String())),
	})}}
	request := cedar.Request{Principal: principal, Action: cedar.NewEntityUID("Action", "signIn"), Resource: cedar.NewEntityUID("Tenant", "1"),
		Context: cedar.NewRecord(cedar.RecordMap{"issuer": cedar.String("CN=Contoso Issuing CA"), "id": cedar.String(ids.String())})}
	return row{about: fmt.Sprintf("%d authentication rules and two bindings decided for one user, the last rule matching (cedar: as many policies, with the binding in each)", ruleCount), sides: []side{
		often("policy.Decide", 1000, func() error {
			if d := compiled.Decide(known, jane); !d.SignsIn() {
				return fmt.Errorf("%+v", d)
			}
			return nil
		}),
		often("cedar-go", 1000, func() error {
			if decision, _ := cedar.Authorize(set, entities, request); decision != cedar.Allow {
				return errors.New("denied")
			}
			return nil
		}),
	}}, nil
}

func signIns(string) (row, error) {
	ca, err := authority()
	if err != nil {
		return row{}, err
	}
	cert, _, err := user(ca)
	if err != nil {
		return row{}, err
	}
	pki, err := trust.NewPKI("Contoso", ca.CACertificates())
	if err != nil {
		return row{}, err
	}
	config := signin.Config{Policy: policy.ServiceDefault(), Trust: trust.Config{PKIs: trust.PKIs{pki}}}
	config.Policy.State = policy.Enabled
	tenant, err := config.Compile(signin.Options{SkipRevocation: true})
	if err != nil {
		return row{}, err
	}
	jane := &policy.User{ID: "1", UserPrincipalName: upn, MemberOf: []policy.DirectoryObject{}}
	request := signin.Request{Certificate: cert, User: jane, At: time.Now()}
	digest := sha256.Sum256(cert.RawTBSCertificate)
	public := ca.Certificate.PublicKey.(*ecdsa.PublicKey)
	// More certificates than a tenant keeps, so that each is new when its turn comes.
	key, err := cba.P256.Generate()
	if err != nil {
		return row{}, err
	}
	var fresh []*x509.Certificate
	for range 6000 {
		c, err := ca.Issue(context.Background(), key.Public(), cba.Subject{UPN: upn}, cba.Profile{})
		if err != nil {
			return row{}, err
		}
		fresh = append(fresh, c)
	}
	decide := func(cert *x509.Certificate) error {
		request.Certificate = cert
		answer, err := tenant.Decide(context.Background(), request)
		if err == nil && !answer.SignedIn {
			err = fmt.Errorf("%+v", answer)
		}
		return err
	}
	seen := often("signin.Decide, the certificate seen before", 200, func() error { return decide(cert) })
	seen.own = true
	n := 0
	return row{about: "a whole decision (chain, rules, binding) for a certificate of a P-256 CA, new and seen before, beside the one signature in it", sides: []side{
		often("signin.Decide, a new certificate", 20, func() error {
			n++
			return decide(fresh[n%len(fresh)])
		}),
		often("floor: ecdsa.VerifyASN1", 20, func() error {
			if !ecdsa.VerifyASN1(public, digest[:], cert.Signature) {
				return errors.New("not verified")
			}
			return nil
		}),
		seen,
	}}, nil
}

// entries is how long the CRL is.
const entries = 100_000

func lists(work string) (row, error) {
	ca, err := authority()
	if err != nil {
		return row{}, err
	}
	made := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now(), NextUpdate: time.Now().Add(24 * time.Hour)}
	for range entries {
		raw := make([]byte, 16)
		rand.Read(raw)
		raw[0] = raw[0]&0x3f | 0x40
		made.RevokedCertificateEntries = append(made.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: new(big.Int).SetBytes(raw), RevocationTime: time.Now(), ReasonCode: 1})
	}
	der, err := x509.CreateRevocationList(rand.Reader, made, ca.Certificate, ca.Key)
	if err != nil {
		return row{}, err
	}
	list, authority := filepath.Join(work, "list.crl"), filepath.Join(work, "authority.crt")
	if err := os.WriteFile(list, der, 0o600); err != nil {
		return row{}, err
	}
	if err := os.WriteFile(authority, cba.EncodeCertificates(ca.Certificate), 0o600); err != nil {
		return row{}, err
	}
	r := row{about: fmt.Sprintf("a list of %d entries (%.1f MB) read, and its signature verified", entries, float64(len(der))/1e6), sides: []side{
		{name: "crl.Parse and CheckIssuer", run: func() error {
			l, err := crl.Parse(der)
			if err != nil {
				return err
			}
			return l.CheckIssuer(ca.Certificate)
		}},
		{name: "x509.ParseRevocationList and CheckSignatureFrom", run: func() error {
			l, err := x509.ParseRevocationList(der)
			if err != nil {
				return err
			}
			return l.CheckSignatureFrom(ca.Certificate)
		}},
	}}
	r.program("openssl", func() error {
		text, err := exec.Command("openssl", "crl", "-inform", "DER", "-in", list, "-CAfile", authority, "-noout").CombinedOutput()
		if err == nil && !bytes.Contains(text, []byte("verify OK")) {
			err = errors.New("not verified")
		}
		if err != nil {
			return fmt.Errorf("openssl crl: %w: %s", err, text)
		}
		return nil
	})
	return r, nil
}
