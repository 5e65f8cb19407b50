package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"example.com/entracba/cba"
	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/folder"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
	"example.com/entracba/cba/trust"
	"example.com/entracba/examples/internal/console"
)

// edits are the flags that change what the tenant has.
type edits struct {
	cas      []authority
	pki      string
	groups   []string
	bindings []policy.UserBinding
	rules    []policy.Rule
	enable   bool
}

// An authority is a file of CAs with the URL of the CRL that the CA in it publishes.
type authority struct{ file, url string }

func (e edits) any() bool {
	return len(e.cas)+len(e.groups)+len(e.bindings)+len(e.rules) > 0 || e.enable
}

func (e *edits) register(f *flag.FlagSet) {
	f.Func("ca", "trust the CAs in `FILE` (PEM, DER or .p7b) as well; may be repeated", func(name string) error {
		e.cas = append(e.cas, authority{file: name})
		return nil
	})
	f.Func("crl-url", "CRL `URL` of the CA in the -ca before it", func(url string) error {
		if len(e.cas) == 0 {
			return errors.New("give the -ca that it belongs to in front of it")
		}
		e.cas[len(e.cas)-1].url = url
		return nil
	})
	f.StringVar(&e.pki, "pki", "", "with -ca: the `NAME` of the PKI that gets the CAs (default the tenant's only one, or \"PKI\")")
	f.Func("group", "enable the method for the group with this `ID`, and for no others; may be repeated", func(id string) error {
		if !guid.MatchString(id) && id != policy.AllUsersID {
			return fmt.Errorf("must be the object id of a group, such as 00000000-0000-4000-8000-0000000000a2, and not its name; %s is everybody", policy.AllUsersID)
		}
		e.groups = append(e.groups, id)
		return nil
	})
	f.Func("bind", "username binding `FIELD=PROPERTY`, such as SKI=certificateUserIds; replaces all existing bindings; may be repeated, in the order in which they are tried", func(text string) error {
		field, property, ok := strings.Cut(text, "=")
		m, err := certuserid.ParseMapping(field)
		if !ok || err != nil {
			return errors.New("must be FIELD=PROPERTY, such as SKI=certificateUserIds or PrincipalName=userPrincipalName")
		}
		e.bindings = append(e.bindings, policy.Bind(m, policy.UserProperty(property), int32(len(e.bindings)+1)))
		if !e.bindings[len(e.bindings)-1].Supported() {
			return fmt.Errorf("%s cannot be bound to %s", m.Name(), property)
		}
		return nil
	})
	f.Func("rule", "rule `OID|ISSUER=MODE` for certificates with a policy OID or of an issuer (CN first), such as 1.2.3.4=multifactor; MODE is single-factor or multifactor, and \",high\" after it requires high affinity; may be repeated; replaces the rule for the same", func(text string) error {
		r, err := parseRule(text)
		e.rules = append(e.rules, r)
		return err
	})
	f.BoolVar(&e.enable, "enable", false, "enable the method")
}

// guid is the form of an object id.
var guid = regexp.MustCompile(`(?i)^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

func parseRule(text string) (policy.Rule, error) {
	at := strings.LastIndex(text, "=")
	if at < 0 {
		return policy.Rule{}, errors.New("must be OID=MODE or ISSUER=MODE, such as 1.2.3.4=multifactor")
	}
	what, mode := text[:at], policy.SingleFactor
	level, affinity := text[at+1:], certuserid.Low
	if rest, ok := strings.CutSuffix(level, ",high"); ok {
		level, affinity = rest, certuserid.High
	}
	switch level {
	case "multifactor":
		mode = policy.MultiFactor
	case "single-factor":
	default:
		return policy.Rule{}, fmt.Errorf("%q is not a mode: single-factor or multifactor", level)
	}
	if oid, err := cba.ParseOID(what); err == nil {
		return policy.PolicyOIDRule(oid, mode, affinity), nil
	}
	name, err := dn.Parse(what)
	if err != nil || len(name) == 0 {
		return policy.Rule{}, fmt.Errorf("%q is neither an OID nor the name of an issuer, such as CN=Contoso Issuing CA", what)
	}
	return policy.IssuerRule(name, mode, affinity), nil
}

// apply makes the edits.
func (e edits) apply(now signin.Config) (signin.Config, error) {
	after := now.Clone()
	for _, file := range e.cas {
		if err := file.add(&after.Trust, e.pki); err != nil {
			return after, err
		}
	}
	method := &after.Policy
	if len(e.groups) > 0 {
		method.IncludeTargets = nil
		for _, id := range e.groups {
			method.IncludeTargets = append(method.IncludeTargets, policy.Group(id))
		}
	}
	if len(e.bindings) > 0 {
		method.UserBindings = e.bindings
	}
	for _, r := range e.rules {
		method.AuthenticationMode.Rules = append(slices.DeleteFunc(method.AuthenticationMode.Rules, func(old policy.Rule) bool {
			return old.Type == r.Type && old.Issuer() == r.Issuer() && old.OID() == r.OID()
		}), r)
	}
	if e.enable {
		method.State = policy.Enabled
	}
	return after, nil
}

// add adds the CAs of a file to a PKI, which is made if there is none.
func (a authority) add(stores *trust.Config, name string) error {
	content, err := folder.Read(a.file, folder.MaxFile)
	if err != nil {
		return err
	}
	certs, err := trust.ReadCertificates(content)
	if err != nil {
		return fmt.Errorf("%s: %w", a.file, err)
	}
	if a.url != "" && len(certs) > 1 {
		return fmt.Errorf("%s has %d certificates: -crl-url needs a -ca FILE with one CA", a.file, len(certs))
	}
	if name == "" && len(stores.PKIs) == 1 {
		name = stores.PKIs[0].DisplayName
	}
	name = cmp.Or(name, "PKI")
	made, err := trust.NewPKI(name, certs)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(stores.PKIs, func(p trust.PKI) bool { return p.DisplayName == name })
	if at < 0 {
		stores.PKIs = append(stores.PKIs, trust.PKI{DisplayName: name})
		at = len(stores.PKIs) - 1
	}
	pki := &stores.PKIs[at]
	for _, ca := range made.CertificateAuthorities {
		ca.CertificateRevocationListURL = a.url
		old := slices.IndexFunc(pki.CertificateAuthorities, func(o trust.Authority) bool { return bytes.Equal(o.Certificate, ca.Certificate) })
		switch {
		case old < 0:
			pki.CertificateAuthorities = append(pki.CertificateAuthorities, ca)
		case a.url != "":
			pki.CertificateAuthorities[old].CertificateRevocationListURL = a.url
		}
	}
	return nil
}

// wanted reads the file of -then; nil without one.
func (o options) wanted() (*signin.Config, error) {
	if o.then == "" {
		return nil, nil
	}
	content, err := folder.Read(o.then, folder.MaxFile)
	if errors.Is(err, fs.ErrNotExist) && !o.tenant.IsFile() { // a file is no tenant to change
		return nil, console.Usage("%w\nto begin, save the tenant and change the file: %s", err, console.Command("audit", append(o.tenant.Args(), "-snapshot", o.then)...))
	}
	if err != nil {
		return nil, err
	}
	config, err := signin.ParseConfig(content)
	if err != nil {
		return nil, console.Usage("%s: %w", o.then, err)
	}
	return &config, nil
}

const classicStore = "certificateBasedAuthConfiguration"

// fit makes of a file what is wanted of this tenant.
func (o options) fit(wanted, now signin.Config, r *report) signin.Config {
	if !wanted.Lacks(classicStore) && len(wanted.Trust.Classic.CertificateAuthorities) == 0 && !o.deleteClassic {
		wanted.Trust.Classic = now.Trust.Classic
		if n := len(now.Trust.Classic.CertificateAuthorities); n > 0 {
			r.notes = append(r.notes, fmt.Sprintf("The classic store stays, with %s: %s has none. -delete-classic deletes it.", console.Count(n, "CA"), o.then))
		}
	}
	if o.keep && !wanted.Lacks("publicKeyInfrastructure") {
		wanted.Trust.PKIs = wanted.Trust.PKIs.With(now.Trust.PKIs)
	}
	return wanted
}

// demonstration is a change of the demonstration: another CA is trusted, and instead
// of names only stored key identifiers bind certificates to accounts.
func demonstration(ctx context.Context, now signin.Config) (signin.Config, error) {
	after := now.Clone()
	name, err := dn.Parse("CN=Contoso Card CA")
	if err != nil {
		return after, err
	}
	ca, err := cba.NewRoot(ctx, cba.Authority{Name: name, KeyType: cba.P256})
	if err != nil {
		return after, err
	}
	made, err := trust.NewAuthority(ca.CACertificates()[0])
	if err != nil {
		return after, err
	}
	made.CertificateRevocationListURL = "http://crl.contoso.com/cards.crl"
	after.Trust.PKIs[0].CertificateAuthorities = append(after.Trust.PKIs[0].CertificateAuthorities, made)
	after.Policy.UserBindings = []policy.UserBinding{policy.Bind(certuserid.SKI, policy.CertificateUserIDs, 1)}
	return after, nil
}
