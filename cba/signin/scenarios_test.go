package signin_test

import (
	"crypto/fips140"
	"crypto/sha1"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"strings"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/keyid"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/trust"
)

// in is a sign-in: its strength (and "high", if that affinity was required), the
// rule that set it (-1: the default), and the binding.
func in(mode string, rule int, bound string, changes ...string) want {
	w := want{SignedIn: true, Rule: rule, Changes: changes}
	w.Mode, w.Affinity = modeAndAffinity(mode)
	if bound != "" {
		field, property := binding(bound)
		w.Binding = fmt.Sprintf("%s %s", field, property)
	}
	return w
}

// out is a refusal.
func out(code int, mode string, rule int, bound string, changes ...string) want {
	w := in(mode, rule, bound, changes...)
	w.SignedIn, w.Code = false, fmt.Sprintf("AADSTS%d", code)
	return w
}

func (w want) leans(ids ...string) want  { w.Leans = ids; return w }
func (w want) not(ids ...string) want    { w.Absent = ids; return w }
func (w want) says(texts ...string) want { w.Says = texts; return w }

func ids(values ...string) func(*policy.User) {
	return func(u *policy.User) { u.AuthorizationInfo.CertificateUserIDs = values }
}

func upn(name string, values ...string) func(*policy.User) {
	return func(u *policy.User) {
		u.UserPrincipalName, u.AuthorizationInfo.CertificateUserIDs = name, values
	}
}

func requireCRLs(exempted ...string) func(*policy.Config) {
	return func(c *policy.Config) {
		c.CRLValidation.State, c.CRLValidation.ExemptedSKIs = policy.Enabled, exempted
	}
}

func scopes(pki string, pairs ...string) func(*policy.Config) {
	return func(c *policy.Config) {
		for i := 0; i < len(pairs); i += 2 {
			c.CertificateAuthorityScopes = append(c.CertificateAuthorityScopes, policy.ScopeTo(keyid.Of(keyID(pairs[i])), pki, pairs[i+1]))
		}
	}
}

// setURLs changes the URLs of one authority.
func setURLs(ca, base, delta string) func(*trust.Config) {
	return func(c *trust.Config) {
		for i := range c.PKIs[0].CertificateAuthorities {
			a := &c.PKIs[0].CertificateAuthorities[i]
			if a.CertificateRevocationListURL == url(ca) {
				a.CertificateRevocationListURL, a.DeltaCertificateRevocationListURL = base, delta
			}
		}
	}
}

func strength(combinations, more string) string {
	return `{"displayName":"Custom","allowedCombinations":[` + combinations + `],"combinationConfigurations":[` + more + `]}`
}

func combination(appliesTo, issuers, oids string) string {
	return `{"@odata.type":"#microsoft.graph.x509CertificateCombinationConfiguration","id":"1","appliesToCombinations":[` + appliesTo +
		`],"allowedIssuerSkis":[` + issuers + `],"allowedPolicyOIDs":[` + oids + `]}`
}

const (
	deepDive  = "Learn: CBA technical deep dive"
	howTo     = "Learn: How to configure CBA"
	pageCRL   = "Learn: CBA certificate revocation list"
	pageCodes = "Learn: CBA certificate revocation list, error codes"
	pageCAs   = "Learn: How to configure certificate authorities for CBA"
	advanced  = "Learn: Custom authentication strengths, advanced options"
	noPage    = "inferred: no page says it"

	noMatch, nothingToBind = 1001009, 1001003
)

// scenarios is the table of cases. What is wanted is worked out by hand from the
// documents that it names.
func scenarios(w *world) []scenario {
	ski := func(name string) string { return hex.EncodeToString(keyID(name)) }
	quotedSKI := func(name string) string { return `"` + strings.ToUpper(ski(name)) + `"` }
	thumbprint := func(name string) string { return sha1Hex(w.certs[name].Raw) }
	keyHash := func(name string) string { return sha1Hex(w.certs[name].RawSubjectPublicKeyInfo) }
	keyBits := func(name string) string {
		var key struct {
			Algorithm asn1.RawValue
			Bits      asn1.BitString
		}
		if _, err := asn1.Unmarshal(w.certs[name].RawSubjectPublicKeyInfo, &key); err != nil {
			panic(err)
		}
		return sha1Hex(key.Bits.Bytes)
	}
	const a1 = "CN=WoodgroveCA = SF; 1.2.3.4 = MF"
	const names = "PN>UPN 1, RFC822>UPN 2"
	const pnSKI = "PN>UPN 1, SKI>CUID 3"
	bobISR := "X509:<I>CN=WoodgroveCA<SR>0001"
	bobSKI := "X509:<SKI>" + ski("bob")
	sf, mf := in("SF", -1, "PN>UPN"), in("MF", 0, "PN>UPN")
	list := []scenario{
		// Authentication binding, the worked examples.
		{name: "A1", reason: "the how-to's own test: an OID outranks the issuer", source: howTo, rules: a1, cert: "bob-1234", want: in("MF", 1, "PN>UPN")},
		{name: "A2", reason: "no OID rule matches, so the issuer's counts", source: deepDive, rules: a1, want: in("SF", 0, "PN>UPN").leans("9.31")},
		{name: "A3", reason: "any certificate with a bound OID qualifies, whoever issued it", source: deepDive, rules: a1, cert: "bob-other-1234", want: in("MF", 1, "PN>UPN")},
		{name: "A4", reason: "no rule matches: the default", source: deepDive, rules: a1, cert: "bob-other", want: sf},
		{name: "A5", reason: "OIDs match exactly, not by prefix", source: deepDive, rules: "1.2.3.4.5 = MF", cert: "bob-123456", want: sf},
		{name: "A6", reason: "both parts of a combined rule match", source: deepDive, rules: "CN=CA1 + 1.2.3.4.5 = MF", cert: "bob-ca1-a", want: mf},
		{name: "A7", reason: "half of a combined rule is no match: no OID", source: deepDive, rules: "CN=CA1 + 1.2.3.4.5 = MF", cert: "bob-ca1", want: sf},
		{name: "A8", reason: "half of a combined rule is no match: other issuer", source: deepDive, rules: "CN=CA1 + 1.2.3.4.5 = MF", cert: "bob-ca2-a", want: sf},
		{name: "A9", reason: "OID rules that disagree give single-factor", source: deepDive, rules: "1.2.3.4.5 = SF; 1.2.3.4.6 = MF", cert: "bob-a-b", want: in("SF", 0, "PN>UPN")},
		{name: "A9-reversed", reason: "the order of equal rules does not matter", source: deepDive, rules: "1.2.3.4.6 = MF; 1.2.3.4.5 = SF", cert: "bob-a-b", want: in("SF", 1, "PN>UPN")},
		{name: "A10", reason: "an OID outranks the issuer even when it is weaker", source: deepDive, rules: "CN=CA1 = MF; 1.2.3.4.5 = SF", cert: "bob-ca1-a", want: in("SF", 1, "PN>UPN")},
		{name: "A11", reason: "a combined rule comes first", source: deepDive, rules: "CN=CA1 + 1.2.3.4.5 = MF; 1.2.3.4.5 = SF", cert: "bob-ca1-a", want: mf},
		{name: "A12", reason: "all certificates of an issuer", source: deepDive, rules: "CN=CA1 = MF", cert: "bob-ca1", want: in("MF", 0, "PN>UPN", "9.31")},
		{name: "A13", reason: "a rule replaces the default", source: deepDive, defaults: "MF", rules: "CN=CA1 = SF", cert: "bob-ca1", want: in("SF", 0, "PN>UPN", "9.31")},
		{name: "A14", reason: "no rules: the default", source: deepDive, defaults: "MF", want: in("MF", -1, "PN>UPN")},
		{name: "A15", reason: "the page's combined example (its 3.4.5.6 is no OID that a certificate can hold, here 1.3.4.5.6)", source: deepDive, rules: "CN=CBATestRootProd + 1.3.4.5.6 = MF", cert: "bob-cbatest", want: mf},
		{name: "A16", reason: "a rule asks for high affinity: issuer and serial number bind", source: deepDive, bindings: "PN>UPN 1, ISR>CUID 2", rules: "CN=CBATestRootProd + 1.2.3.4.6 = MF high", cert: "bob-cbatest",
			user: ids("X509:<I>CN=CBATestRootProd<SR>2003"), want: in("MF high", 0, "ISR>CUID", "9.2", "9.14", "9.26")},
		{name: "A16-without-the-value", reason: "the low binding, which would match, is not tried", source: deepDive, bindings: "PN>UPN 1, ISR>CUID 2", rules: "CN=CBATestRootProd + 1.2.3.4.6 = MF high", cert: "bob-cbatest", want: out(noMatch, "MF high", 0, "")},
		{name: "A17", reason: "a policy OID rule asks for high affinity: SKI binds (the page's 9.8.7.5 as 2.9.8.7.5)", source: deepDive, bindings: pnSKI, rules: "2.9.8.7.5 = SF high", cert: "bob-9875",
			user: ids("X509:<SKI>" + ski("bob-9875")), want: in("SF high", 0, "SKI>CUID")},
		{name: "A18", reason: "one issuer cannot be bound to both strengths; if it is, the weaker counts", source: deepDive, rules: "CN=CA1 = MF; CN=CA1 = SF", cert: "bob-ca1", want: in("SF", 1, "PN>UPN", "9.28").leans("9.31")},
		{name: "A19", reason: "an OID in words has no effect", source: deepDive, rules: "All Issuance Policies = MF", cert: "bob-any", want: sf},
		{name: "A19-dotted", reason: "in dotted form it has", source: deepDive, rules: "2.5.29.32.0 = MF", cert: "bob-any", want: mf},

		// Required affinity.
		{name: "affinity-rule-low-default-high", reason: "the higher demand wins; the other text would let the rule lower it", source: deepDive, defaults: "SF high", rules: "CN=WoodgroveCA = SF low", want: out(noMatch, "SF high", 0, "", "9.9")},
		{name: "affinity-rule-low-default-high-lowered", reason: "the other reading", source: deepDive, defaults: "SF high", rules: "CN=WoodgroveCA = SF low", options: "RuleLowersAffinity", want: in("SF", 0, "PN>UPN", "9.9", "9.31")},
		{name: "affinity-outranked-rule", reason: "a matching rule that does not set the strength asks for high", source: noPage, rules: "1.2.3.4 = MF; CN=WoodgroveCA = SF high", cert: "bob-1234", want: out(noMatch, "MF high", 0, "", "2.4", "9.31")},
		{name: "affinity-outranked-rule-ignored", reason: "the other reading", source: noPage, rules: "1.2.3.4 = MF; CN=WoodgroveCA = SF high", cert: "bob-1234", options: "OnlyDecidingRuleAffinity", want: in("MF", 0, "PN>UPN", "2.4")},
		{name: "affinity-stated-high", reason: "a low field that states high stays low", source: noPage, defaults: "SF high", config: func(c *policy.Config) { c.UserBindings[0].Affinity = certuserid.High }, want: out(noMatch, "SF high", -1, "", "3.2")},
		{name: "affinity-stated-high-believed", reason: "the other reading", source: noPage, defaults: "SF high", config: func(c *policy.Config) { c.UserBindings[0].Affinity = certuserid.High }, options: "EitherAffinity", want: in("SF high", -1, "PN>UPN", "3.2")},
		{name: "affinity-subject-is-low", reason: "four mappings are low (open question 9.5): Subject is dropped", source: deepDive, defaults: "SF high", bindings: "S>CUID 1", user: ids("X509:<S>CN=bob"), want: out(noMatch, "SF high", -1, "")},

		// Username binding, the worked examples.
		{name: "U1", reason: "principal name to UPN", source: deepDive, want: sf},
		{name: "U2", reason: "no principal name in the certificate: the next binding", source: deepDive, bindings: names, cert: "email", want: in("SF", -1, "RFC822>UPN")},
		{name: "U3", reason: "a principal name that does not match: the next binding", source: deepDive, bindings: names, cert: "wrong-upn-email", want: in("SF", -1, "RFC822>UPN", "9.15")},
		{name: "U3-stop", reason: "the other reading: the first field that is present decides", source: "Graph: older text of the resource page", bindings: names, cert: "wrong-upn-email", options: "StopAtMismatch", want: out(noMatch, "SF", -1, "", "9.15")},
		{name: "U4", reason: "nothing matches", source: deepDive, bindings: names, cert: "wrong-upn", want: out(noMatch, "SF", -1, "").leans("4.7").says(`"x@y"`, "bob@woodgrove.com")},
		{name: "U5", reason: "high affinity leaves no binding", source: deepDive, bindings: names, defaults: "SF high", want: out(noMatch, "SF high", -1, "").says("no binding has it")},
		{name: "U6", reason: "only the SKI is tried", source: deepDive, bindings: pnSKI, defaults: "SF high", user: ids(bobSKI), want: in("SF high", -1, "SKI>CUID")},
		{name: "U7", reason: "right principal name, other SKI", source: deepDive, bindings: pnSKI, defaults: "SF high", cert: "bob-two", user: ids(bobSKI), want: out(noMatch, "SF high", -1, "")},
		{name: "U8", reason: "the principal name is another than the UPN, and stored", source: deepDive, bindings: "PN>CUID 1", cert: "edipi", user: ids("X509:<PN>123456789098765@mil"), want: in("SF", -1, "PN>CUID")},
		{name: "U9-first", reason: "many certificates, one account: the first", source: deepDive, bindings: "ISR>CUID 1", user: ids(bobISR, "X509:<I>CN=WoodgroveCA<SR>0002"), want: in("SF", -1, "ISR>CUID", "9.2", "9.14", "9.26")},
		{name: "U9-second", reason: "many certificates, one account: the second", source: deepDive, bindings: "ISR>CUID 1", cert: "bob-two", user: ids(bobISR, "X509:<I>CN=WoodgroveCA<SR>0002"), want: in("SF", -1, "ISR>CUID", "9.2", "9.14", "9.26")},
		{name: "U10-bob", reason: "one certificate, two accounts: by issuer and serial number", source: deepDive, bindings: "ISR>CUID 1, SKI>CUID 2", user: ids(bobISR), want: in("SF", -1, "ISR>CUID", "9.2", "9.14", "9.26")},
		{name: "U10-admin", reason: "one certificate, two accounts: the administrator by SKI", source: deepDive, bindings: "ISR>CUID 1, SKI>CUID 2", user: upn("bob-admin@woodgrove.com", bobSKI), want: in("SF", -1, "SKI>CUID", "9.15")},
		{name: "U11", reason: "the certificate never selects the account", source: deepDive, cert: "alice", want: out(noMatch, "SF", -1, "")},
		{name: "U12", reason: "principal name to the on-premises UPN", source: deepDive, bindings: "PN>ONPREM 1", cert: "local", user: func(u *policy.User) { u.OnPremisesUserPrincipalName = "user@woodgrove.local" }, want: in("SF", -1, "PN>ONPREM")},
		{name: "U12-none", reason: "the user has no on-premises UPN", source: deepDive, bindings: "PN>ONPREM 1", cert: "local", want: out(noMatch, "SF", -1, "").says("the user has no onPremisesUserPrincipalName")},
		{name: "priority-not-order", reason: "the lowest number is tried first, wherever it stands", source: "Graph: x509CertificateUserBinding", bindings: "SKI>CUID 3, PN>UPN 1", user: ids(bobSKI), want: sf},

		// Username binding, every field.
		{name: "field-rfc822-cuid", reason: "e-mail address to certificateUserIds", source: deepDive, bindings: "RFC822>CUID 1", cert: "email", user: ids("X509:<RFC822>bob@woodgrove.com"), want: in("SF", -1, "RFC822>CUID")},
		{name: "field-subject", reason: "subject, whose name in Graph is inferred", source: deepDive, bindings: "S>CUID 1", user: ids("X509:<S>CN=bob"), want: in("SF", -1, "S>CUID", "9.14")},
		{name: "field-subject-root-first", reason: "names stand root first in certificateUserIds", source: howTo, bindings: "S>CUID 1", cert: "bob-contoso", user: ids("X509:<S>DC=com,DC=contoso,CN=Bob"), want: in("SF", -1, "S>CUID", "9.14")},
		{name: "field-subject-cn-first", reason: "and not most specific part first", source: howTo, bindings: "S>CUID 1", cert: "bob-contoso", user: ids("X509:<S>CN=Bob,DC=contoso,DC=com"), want: out(noMatch, "SF", -1, "")},
		{name: "field-issuer-subject", reason: "issuer and subject", source: deepDive, bindings: "IS>CUID 1", cert: "bob-contoso", user: ids("X509:<I>DC=com,DC=contoso,CN=ContosoCA<S>DC=com,DC=contoso,CN=Bob"), want: in("SF", -1, "IS>CUID", "9.14", "9.26")},
		{name: "field-sha1", reason: "thumbprint, in the reading of the deep dive", source: deepDive, bindings: "SHA1>CUID 1", user: ids("X509:<SHA1-PUKEY>" + thumbprint("bob")), want: in("SF", -1, "SHA1>CUID", "9.3")},
		{name: "field-sha1-key", reason: "a hash of the key does not match the thumbprint", source: "KB5014754", bindings: "SHA1>CUID 1", user: ids("X509:<SHA1-PUKEY>" + keyHash("bob")), want: out(noMatch, "SF", -1, "", "9.3")},
		{name: "field-sha1-bits", reason: "the hash of the bits of the public key, as key identifiers are made", source: noPage, bindings: "SHA1>CUID 1", user: ids("X509:<SHA1-PUKEY>" + keyBits("bob")), want: out(noMatch, "SF", -1, "", "9.3")},
		{name: "property-spelled", reason: "userProperty as Microsoft's PowerShell sample spells it", source: "Learn: How to configure CBA, PowerShell", config: func(c *policy.Config) { c.UserBindings[0].Property = "UserPrincipalName" }, want: want{SignedIn: true, Mode: policy.SingleFactor, Rule: -1, Affinity: certuserid.Low, Binding: "PrincipalName UserPrincipalName", Changes: []string{"9.34"}}},
		{name: "field-sha1-key-read-so", reason: "the other reading", source: "KB5014754", bindings: "SHA1>CUID 1", options: "HashOfPublicKey", user: ids("X509:<SHA1-PUKEY>" + keyHash("bob")), want: in("SF", -1, "SHA1>CUID", "9.3")},
		{name: "field-serial-unreversed", reason: "Microsoft's cmdlet writes the serial number unreversed, which does not match", source: "entra-powershell#1511", bindings: "ISR>CUID 1", user: ids("X509:<I>CN=WoodgroveCA<SR>0100"), want: out(noMatch, "SF", -1, "", "9.2")},
		{name: "field-serial-unreversed-read-so", reason: "the other reading", source: "entra-powershell#1511", bindings: "ISR>CUID 1", options: "BigEndianSerial", user: ids("X509:<I>CN=WoodgroveCA<SR>0100"), want: in("SF", -1, "ISR>CUID", "9.2", "9.14", "9.26")},
		{name: "field-tenth-value", reason: "ten values of 1024 characters (open question 9.1): the last one binds", source: "Learn: Certificate user IDs", bindings: "SKI>CUID 1",
			user: ids("X509:<PN>a@b", "X509:<PN>c@d", "X509:<PN>e@f", "X509:<PN>g@h", "X509:<PN>i@j", "X509:<PN>k@l", "X509:<PN>m@n", "X509:<PN>o@p", "X509:<PN>q@r", bobSKI), want: in("SF", -1, "SKI>CUID")},
		{name: "field-pair-unknown", reason: "a key identifier binds to certificateUserIds alone", source: deepDive, bindings: "SKI>UPN 1", user: upn(ski("bob")), want: out(noMatch, "SF", -1, "").says("does not support this pair")},
		{name: "field-case-of-hex", reason: "letter case of hexadecimal digits is ignored", source: noPage, bindings: "SKI>CUID 1", user: ids("X509:<SKI>" + strings.ToUpper(ski("bob"))), want: in("SF", -1, "SKI>CUID", "9.4")},
		{name: "field-case-of-hex-exact", reason: "the other reading", source: noPage, bindings: "SKI>CUID 1", options: "ExactUserIDs", user: ids("X509:<SKI>" + strings.ToUpper(ski("bob"))), want: out(noMatch, "SF", -1, "", "9.4")},
		{name: "field-case-of-prefix", reason: "the tag's letter case counts", source: "Learn: Certificate user IDs", bindings: "SKI>CUID 1", user: ids("x509:<ski>" + ski("bob")), want: out(noMatch, "SF", -1, "")},
		{name: "name-case", reason: "letter case of a UPN is ignored", source: noPage, cert: "upper", want: in("SF", -1, "PN>UPN", "3.3")},
		{name: "name-case-exact", reason: "the other reading", source: noPage, cert: "upper", options: "ExactNames", want: out(noMatch, "SF", -1, "", "3.3")},
		{name: "two-upns", reason: "of two principal names the first counts", source: noPage, cert: "two-upns", want: out(noMatch, "SF", -1, "", "9.23")},
		{name: "two-upns-any", reason: "the other reading", source: noPage, cert: "two-upns", options: "AnyName", want: in("SF", -1, "PN>UPN", "9.23")},
		{name: "odd-name", reason: "how a comma in a name is written is not documented", source: noPage, bindings: "ISR>CUID 1", cert: "bob-quote", user: ids(`X509:<I>O=Woodgrove,CN="Woodgrove, Inc. CA"<SR>1003`), want: in("SF", -1, "ISR>CUID", "9.2", "9.14", "9.22", "9.26")},

		// Rules whose reading is open.
		{name: "issuer-root-first", reason: "an issuer in a rule is written with the most specific part first", source: "Graph: samples of the update page", rules: "DC=com,DC=contoso,CN=ContosoCA = MF", cert: "bob-contoso", want: in("SF", -1, "PN>UPN", "9.24")},
		{name: "issuer-root-first-read-so", reason: "the other reading", source: noPage, rules: "DC=com,DC=contoso,CN=ContosoCA = MF", cert: "bob-contoso", options: "RootFirstIssuers", want: in("MF", 0, "PN>UPN", "9.24", "9.31")},
		{name: "issuer-cn-first", reason: "the right order, with the trailing blank of Graph's sample", source: "Graph: samples of the update page", rules: "CN=ContosoCA,DC=contoso,DC=com  = MF", cert: "bob-contoso", want: in("MF", 0, "PN>UPN", "9.31")},
		{name: "issuer-case", reason: "names are compared as names, not letter for letter", source: "RFC 5280 section 7.1", rules: "CN=contosoca,dc=CONTOSO,DC=com = MF", cert: "bob-contoso", want: in("MF", 0, "PN>UPN", "9.31")},
		{name: "issuer-is-the-root", reason: "a rule goes by the issuer of the user's certificate, not by the root", source: deepDive, rules: "CN=Contoso Root,DC=contoso,DC=com = MF", cert: "bob-contoso", want: sf},
		{name: "combined-by-identifier", reason: "what the identifier of a combined rule holds is not documented", source: noPage, cert: "bob-1234", config: combinedByIdentifier, want: in("SF", -1, "PN>UPN", "9.13")},
		{name: "combined-by-identifier-read-so", reason: "the other reading", source: noPage, cert: "bob-1234", config: combinedByIdentifier, options: "IdentifierInCombinedRule", want: in("MF", 0, "PN>UPN", "9.13")},
		{name: "combined-conflict", reason: "combined rules that disagree give single-factor", source: noPage, rules: "CN=WoodgroveCA + 1.2.3.4.5 = MF; CN=WoodgroveCA + 1.2.3.4.6 = SF", cert: "bob-a-b", want: in("SF", 1, "PN>UPN", "9.28")},
		{name: "combined-conflict-multifactor", reason: "the other reading", source: noPage, rules: "CN=WoodgroveCA + 1.2.3.4.5 = MF; CN=WoodgroveCA + 1.2.3.4.6 = SF", cert: "bob-a-b", options: "ConflictIsMultiFactor", want: in("MF", 0, "PN>UPN", "9.28")},
		{name: "rule-of-unknown-type", reason: "a rule of unknown type matches nothing", source: "Graph: evolvable enumerations", cert: "bob-1234", config: unknownRule, want: in("SF", -1, "PN>UPN", "2.1")},
		{name: "rule-of-unknown-type-combined", reason: "the other reading", source: "Graph: evolvable enumerations", cert: "bob-1234", config: unknownRule, options: "UnknownRuleIsCombined", want: in("MF", 0, "PN>UPN", "2.1")},

		// Method and scope of users.
		{name: "disabled", reason: "the method is disabled", source: howTo, config: func(c *policy.Config) { c.State = policy.Disabled }, want: out(1002002, "SF", -1, "PN>UPN").leans("4.7").says("disabled")},
		{name: "state-unknown", reason: "a state that is not known is not enabled", source: noPage, config: func(c *policy.Config) { c.State = "unknownFutureValue" }, want: out(1002002, "SF", -1, "PN>UPN")},
		{name: "no-targets", reason: "nobody is included", source: howTo, config: func(c *policy.Config) { c.IncludeTargets = []policy.IncludeTarget{} }, want: out(130501, "SF", -1, "PN>UPN")},
		{name: "included", reason: "the user's group is included", source: howTo, config: func(c *policy.Config) { c.IncludeTargets = []policy.IncludeTarget{policy.Group(groupA)} }, want: sf},
		{name: "not-included", reason: "another group is included", source: howTo, config: func(c *policy.Config) { c.IncludeTargets = []policy.IncludeTarget{policy.Group(groupB)} }, want: out(130501, "SF", -1, "PN>UPN").leans("4.7")},
		{name: "excluded", reason: "excluded wins over included", source: howTo, config: func(c *policy.Config) {
			c.ExcludeTargets = []policy.Target{{ID: groupA, Type: "group"}}
		}, want: out(130501, "SF", -1, "PN>UPN")},
		{name: "no-groups", reason: "a user in no group", source: howTo, user: func(u *policy.User) { u.MemberOf = nil }, config: func(c *policy.Config) { c.IncludeTargets = []policy.IncludeTarget{policy.Group(groupA)} }, want: out(130501, "SF", -1, "PN>UPN")},

		// Chains and validity.
		{name: "chain-two", reason: "every authority up to the root is there", source: pageCAs, cert: "bob-contoso", want: sf},
		{name: "chain-no-store", reason: "no authorities at all", source: pageCodes, stores: func(c *trust.Config) { c.PKIs = nil }, want: out(500176, "SF", -1, "PN>UPN")},
		{name: "chain-no-issuing", reason: "the issuing authority is not stored", source: pageCodes, cas: "contoso-root", cert: "bob-contoso", want: out(500176, "SF", -1, "PN>UPN").says(`"CN=ContosoCA,DC=contoso,DC=com"`)},
		{name: "chain-no-root", reason: "the root is not stored", source: pageCAs, cas: "contoso", cert: "bob-contoso", want: out(500176, "SF", -1, "PN>UPN").says("CN=Contoso Root")},
		{name: "chain-same-name", reason: "an authority of the same name with another key", source: "Microsoft support: AADSTS50017", cas: "woodgrove-false", want: out(500176, "SF", -1, "PN>UPN").not("9.30").says("has the issuer's name, but the subject key identifier")},
		{name: "chain-forged-leaf", reason: "the right key identifier, the wrong key", source: "Microsoft support: AADSTS50017", cert: "bob-forged", want: out(50017, "SF", -1, "PN>UPN")},
		{name: "chain-forged-ca", reason: "an issuing authority that the root did not sign", source: "Microsoft support: AADSTS50017", cas: "contoso-root forged-ca", options: "SkipRevocation", cert: "bob-forged-ca", want: out(50017, "SF", -1, "PN>UPN")},
		{name: "chain-self-signed", reason: "a certificate that nobody issued", source: pageCodes, cert: "self-signed", want: out(500176, "SF", -1, "PN>UPN").leans("9.30")},
		{name: "chain-circle", reason: "authorities that certify each other and no root", source: noPage, cas: "circle-b circle-a-again", options: "SkipRevocation", cert: "bob-circle", want: out(500176, "SF", -1, "PN>UPN").says("circle")},
		{name: "chain-circle-with-root", reason: "a circle with a way out", source: noPage, cas: "circle-a circle-b circle-a-again", options: "SkipRevocation", cert: "bob-circle", want: sf},
		{name: "chain-expired", reason: "the certificate has expired", source: pageCodes, cert: "bob-expired", want: out(500172, "SF", -1, "PN>UPN").says("CN=bob-expired", "CN=WoodgroveCA", "2026-01-01T00:00:00Z", "2026-05-31T12:00:00Z", "2026-06-01T12:00:00Z")},
		{name: "chain-not-yet", reason: "the certificate is not valid yet", source: pageCodes, cert: "bob-future", want: out(500172, "SF", -1, "PN>UPN")},
		{name: "chain-last-second", reason: "the last second of validity counts", source: "RFC 5280 section 4.1.2.5", cert: "bob-expired", at: worldNow.AddDate(0, 0, -1), want: sf},
		{name: "chain-expired-ca", reason: "the issuing authority has expired", source: pageCodes, cas: "contoso-root expired-ca", options: "SkipRevocation", cert: "bob-expired-ca", want: out(500176, "SF", -1, "PN>UPN")},
		{name: "chain-expired-root", reason: "the root has expired", source: pageCodes, cas: "expired-root under-expired", options: "SkipRevocation", cert: "bob-expired-root", want: out(500176, "SF", -1, "PN>UPN")},
		{name: "chain-future-ca", reason: "the issuing authority is not valid yet", source: pageCodes, cas: "contoso-root future-ca", options: "SkipRevocation", cert: "bob-future-ca", want: out(500172, "SF", -1, "PN>UPN")},
		{name: "chain-no-aki", reason: "issuers are never found by name", source: pageCAs, cert: "bob-no-aki", want: out(500176, "SF", -1, "PN>UPN", "9.30")},
		{name: "chain-no-aki-ca", reason: "nor those of authorities", source: pageCAs, cas: "contoso-root no-aki-ca", stores: setURLs("no-aki-ca", "", ""), cert: "bob-no-aki-ca", want: out(500176, "SF", -1, "PN>UPN", "9.30")},
		{name: "chain-no-ski-ca", reason: "an authority without key identifier is found by nobody", source: pageCAs, cas: "no-ski", stores: setURLs("no-ski", "", ""), cert: "bob-no-ski-ca", want: out(500176, "SF", -1, "PN>UPN", "9.30")},
		{name: "chain-no-aki-forged", reason: "found by name it would be a forgery", source: pageCAs, cert: "bob-no-aki-forged", want: out(500176, "SF", -1, "PN>UPN").leans("9.30")},
		{name: "chain-no-aki-expired-root", reason: "found by name it would have expired", source: pageCAs, cas: "expired-root", stores: setURLs("expired-root", "", ""), cert: "bob-no-aki-expired-root", want: out(500176, "SF", -1, "PN>UPN").leans("9.30")},
		{name: "chain-no-aki-two", reason: "found by name, the rest of the chain is there", source: pageCAs, cert: "bob-contoso-no-aki", want: out(500176, "SF", -1, "PN>UPN", "9.30")},
		{name: "chain-no-aki-two-no-root", reason: "found by name, the root is missing", source: pageCAs, cas: "contoso", cert: "bob-contoso-no-aki", want: out(500176, "SF", -1, "PN>UPN").leans("9.30")},
		{name: "chain-aki-no-ski-ca", reason: "the authority that the key identifier means has none", source: pageCAs, cas: "no-ski", stores: setURLs("no-ski", "", ""), cert: "bob-aki-no-ski-ca", want: out(500176, "SF", -1, "PN>UPN", "9.30")},
		{name: "chain-expired-and-unknown", reason: "two things are wrong with the chain: the code is that of the missing authority, and so is the message", source: noPage, cas: "other", cert: "bob-expired", want: out(500176, "SF", -1, "PN>UPN").says("2026-05-31T12:00:00Z")},
		{name: "chain-no-ski-leaf", reason: "the user's certificate needs no key identifier", source: noPage, cert: "bob-no-ski", want: in("SF", -1, "PN>UPN", "9.30")},
		{name: "chain-no-ca-flag", reason: "an issuer that is no authority", source: "RFC 5280 section 6.1.4", cas: "contoso-root no-ca-flag", options: "SkipRevocation", cert: "bob-no-ca-flag", want: out(50017, "SF", -1, "PN>UPN").leans("4.7")},
		{name: "chain-no-ca-flag-documented", reason: "what no page of Microsoft's names, left out", source: noPage, cas: "contoso-root no-ca-flag", options: "SkipRevocation DocumentedOnly", cert: "bob-no-ca-flag", want: sf},
		{name: "chain-path-length", reason: "more authorities than the root allows", source: "RFC 5280 section 6.1.4", cas: "path-zero below-path-zero", options: "SkipRevocation", cert: "bob-path", want: out(50017, "SF", -1, "PN>UPN")},
		{name: "chain-no-cert-sign", reason: "an authority that may not sign certificates", source: "RFC 5280 section 6.1.4", cas: "contoso-root no-cert-sign", options: "SkipRevocation", cert: "bob-no-cert-sign", want: out(50017, "SF", -1, "PN>UPN")},
		{name: "chain-deleted", reason: "a deleted PKI trusts nobody", source: "Graph: certificateBasedAuthPki", stores: func(c *trust.Config) { c.PKIs[0].DeletedDateTime = worldNow }, want: out(500176, "SF", -1, "PN>UPN")},
		{name: "chain-deleted-and-live", reason: "a PKI in the bin beside its successor of the same name", source: "Graph: certificateBasedAuthPki", stores: func(c *trust.Config) {
			old := c.PKIs[0]
			old.DeletedDateTime = worldNow
			c.PKIs = append(c.PKIs, old)
		}, want: sf},
		{name: "root-by-flag", reason: "an intermediate that the store marks as a root, and no root", source: pageCAs, cas: "contoso", options: "SkipRevocation", cert: "bob-contoso", stores: func(c *trust.Config) { c.PKIs[0].CertificateAuthorities[0].CertificateAuthorityType = trust.Root }, want: out(500176, "SF", -1, "PN>UPN", "9.53")},
		{name: "depth-5", reason: "five authorities pass under both figures", source: pageCRL, cas: deep(5), options: "SkipRevocation", cert: "bob-deep-5", want: sf},
		{name: "depth-6", reason: "six do not under the older one", source: pageCRL, cas: deep(6), options: "SkipRevocation", cert: "bob-deep-6", want: in("SF", -1, "PN>UPN", "9.27")},
		{name: "depth-6-of-5", reason: "the other reading", source: pageCRL, cas: deep(6), options: "SkipRevocation MaxDepth5", cert: "bob-deep-6", want: out(50017, "SF", -1, "PN>UPN", "9.27")},
		{name: "depth-10", reason: "ten authorities are the limit", source: pageCRL, cas: deep(10), options: "SkipRevocation", cert: "bob-deep-10", want: in("SF", -1, "PN>UPN", "9.27")},
		{name: "depth-11", reason: "eleven are too many", source: pageCRL, cas: deep(11), options: "SkipRevocation", cert: "bob-deep-11", want: out(50017, "SF", -1, "PN>UPN", "9.27")},
		{name: "depth-11-long", reason: "the third reading: longer chains sign in", source: pageCRL, cas: deep(11), options: "SkipRevocation MaxDepth64", cert: "bob-deep-11", want: in("SF", -1, "PN>UPN", "9.27")},

		// Two stores.
		{name: "classic-only", reason: "the classic store still serves", source: howTo, stores: classic(true, url("woodgrove")), want: sf},
		{name: "classic-other-list", reason: "both stores, different lists: the classic entry counts", source: howTo, stores: classic(false, url("old")), lists: "old woodgrove-expired", want: out(500172, "SF", -1, "PN>UPN")},
		{name: "classic-has-the-list", reason: "both stores, the PKI entry has no list: the classic entry counts", source: howTo, stores: func(c *trust.Config) {
			setURLs("woodgrove", "", "")(c)
			classic(false, url("woodgrove"))(c)
		}, cert: "bob-revoked", want: out(500171, "SF", -1, "PN>UPN")},
		{name: "classic-same-list", reason: "both stores, one list: the PKI entry counts", source: howTo, stores: classic(false, url("woodgrove")), want: sf},
		{name: "classic-without-list", reason: "both stores, the classic entry has no list: the PKI entry counts", source: howTo, stores: classic(false, ""), cert: "bob-revoked", want: out(500171, "SF", -1, "PN>UPN")},
	}
	list = append(list, revocationScenarios(ski, sf)...)
	list = append(list, scopeScenarios(sf)...)
	list = append(list, requirementScenarios(quotedSKI, mf)...)
	return append(list,
		// Odd certificates.
		scenario{name: "no-san", reason: "no subjectAltName: nothing that the binding compares", source: noPage, cert: "no-san", want: out(nothingToBind, "SF", -1, "").leans("4.7").says("no user principal name")},
		scenario{name: "no-san-bound-by-key", reason: "no subjectAltName, bound by the key identifier", source: deepDive, bindings: pnSKI, cert: "no-san", user: ids("X509:<SKI>" + ski("no-san")), want: in("SF", -1, "SKI>CUID")},
		scenario{name: "empty-issuer", reason: "the chain goes by key identifiers, not by names", source: pageCAs, cert: "empty-issuer", rules: "CN=WoodgroveCA = MF", want: sf.says("names its issuer")},
		scenario{name: "empty-names", reason: "neither names nor key identifiers", source: pageCAs, cert: "empty-names", want: out(500176, "SF", -1, "").leans("9.30")},
		scenario{name: "many-policies", reason: "a thousand policies, the last of which has a rule", source: deepDive, cert: "many-policies", rules: "1.2.3.999 = MF", want: mf},
		scenario{name: "many-policies-none", reason: "a thousand policies, none of which has a rule", source: deepDive, cert: "many-policies", rules: "1.2.3.1000 = MF", want: sf},
		scenario{name: "no-bindings", reason: "no username binding", source: deepDive, config: func(c *policy.Config) { c.UserBindings = []policy.UserBinding{} }, want: out(nothingToBind, "SF", -1, "").says("there are no username bindings")},
		scenario{name: "several-refuse", reason: "the code is that of the first refusal", source: noPage, cert: "bob-revoked", user: upn("alice@woodgrove.com"), config: func(c *policy.Config) { c.IncludeTargets = []policy.IncludeTarget{policy.Group(groupB)} }, want: out(130501, "SF", -1, "")},
		scenario{name: "nobody", reason: "a user without any property", source: noPage, user: func(u *policy.User) { *u = policy.User{} }, want: out(noMatch, "SF", -1, "")},
	)
}

func combinedByIdentifier(c *policy.Config) {
	c.AuthenticationMode.Rules = []policy.Rule{{Type: policy.IssuerSubjectAndPolicyOID, Identifier: "CN=WoodgroveCA", PolicyOIDIdentifier: "1.2.3.4", Mode: policy.MultiFactor, RequiredAffinity: certuserid.Low}}
}

func unknownRule(c *policy.Config) {
	c.AuthenticationMode.Rules = []policy.Rule{{Type: policy.UnknownFutureValue, IssuerSubjectIdentifier: "CN=WoodgroveCA", PolicyOIDIdentifier: "1.2.3.4", Mode: policy.MultiFactor, RequiredAffinity: certuserid.Low}}
}

func deep(n int) string {
	var names []string
	for i := 1; i <= n; i++ {
		names = append(names, fmt.Sprintf("deep-%d", i))
	}
	return strings.Join(names, " ")
}

// classic puts WoodgroveCA into the classic store, and takes the PKIs away if alone.
func classic(alone bool, list string) func(*trust.Config) {
	return func(c *trust.Config) {
		c.Classic.CertificateAuthorities = []trust.ClassicAuthority{{
			Certificate: c.PKIs[0].CertificateAuthorities[0].Certificate, IsRootAuthority: true, CertificateRevocationListURL: list}}
		if alone {
			c.PKIs = nil
		}
	}
}

func revocationScenarios(ski func(string) string, sf want) []scenario {
	base, delta := url("woodgrove"), url("delta")
	withDelta := setURLs("woodgrove", base, delta)
	refused := func(code int, changes ...string) want { return out(code, "SF", -1, "PN>UPN", changes...) }
	https := "https://crl.woodgrove.com/woodgrove.crl"
	list := []scenario{
		{name: "crl-good", reason: "not listed", source: pageCRL, want: sf},
		{name: "crl-revoked", reason: "listed", source: pageCodes, cert: "bob-revoked", want: refused(500171).says("666", "keyCompromise", "2026-05-30T12:00:00Z")},
		{name: "crl-held", reason: "on hold is revoked", source: pageCodes, cert: "bob-held", want: refused(500171)},
		{name: "crl-ca-revoked", reason: "the issuing authority is listed by its parent", source: pageCRL, cert: "bob-contoso-two", want: refused(500171)},
		{name: "crl-none", reason: "no URL: no check", source: pageCRL, stores: setURLs("woodgrove", "", ""), cert: "bob-revoked", want: in("SF", -1, "PN>UPN", "9.10")},
		{name: "crl-none-required", reason: "no URL and CRL validation required", source: pageCRL, stores: setURLs("woodgrove", "", ""), config: requireCRLs(), want: refused(500175).says("set a CRL URL on the CA, or exempt the CA")},
		{name: "crl-none-required-unknown-state", reason: "a state that is not known requires one", source: noPage, stores: setURLs("woodgrove", "", ""), config: func(c *policy.Config) { c.CRLValidation.State = policy.UnknownFutureValue }, want: refused(500175)},
		{name: "crl-none-exempted", reason: "no URL, and exempted", source: pageCRL, stores: setURLs("woodgrove", "", ""), config: requireCRLs(ski("woodgrove")), want: sf},
		{name: "crl-none-exempted-upper", reason: "a key identifier in capitals is the same", source: noPage, stores: setURLs("woodgrove", "", ""), config: requireCRLs(strings.ToUpper(ski("woodgrove"))), want: sf},
		{name: "crl-none-other-exempted", reason: "another authority is exempted", source: pageCRL, stores: setURLs("woodgrove", "", ""), config: requireCRLs(ski("other")), want: refused(500175)},
		{name: "crl-parent-none", reason: "no URL at a parent, not required", source: pageCRL, stores: setURLs("contoso-root", "", ""), cert: "bob-contoso", want: in("SF", -1, "PN>UPN", "9.10")},
		{name: "crl-parent-none-required", reason: "required is read as of the issuing authority", source: pageCRL, stores: setURLs("contoso-root", "", ""), cert: "bob-contoso", config: requireCRLs(), want: in("SF", -1, "PN>UPN", "9.11")},
		{name: "crl-parent-none-required-of-all", reason: "the other reading", source: pageCRL, stores: setURLs("contoso-root", "", ""), cert: "bob-contoso", config: requireCRLs(), options: "RequireParentCRLs", want: refused(500175, "9.11")},
		{name: "crl-parent-expired", reason: "the list of a parent has expired", source: pageCRL, cert: "bob-contoso", lists: "contoso-root contoso-root-expired", want: refused(500172)},
		{name: "crl-parent-unreachable", reason: "the list of a parent cannot be fetched", source: pageCRL, cert: "bob-contoso", lists: "contoso-root -", want: refused(500173)},
		{name: "crl-exempted-with-list", reason: "exemption switches checking off, though the certificate is listed", source: pageCRL, cert: "bob-revoked", config: requireCRLs(ski("woodgrove")), want: in("SF", -1, "PN>UPN", "9.32")},
		{name: "crl-exempted-with-list-checked", reason: "the other reading", source: pageCRL, cert: "bob-revoked", config: requireCRLs(ski("woodgrove")), options: "CheckExempted", want: refused(500171, "9.32")},
		{name: "crl-exempted-broken-list", reason: "exempted because the list is broken", source: pageCRL, lists: "woodgrove 403", config: requireCRLs(ski("woodgrove")), want: in("SF", -1, "PN>UPN", "9.32")},
		{name: "crl-exempted-not-required", reason: "exemption means nothing where CRL validation is not required", source: noPage, cert: "bob-revoked", config: func(c *policy.Config) {
			requireCRLs(ski("woodgrove"))(c)
			c.CRLValidation.State = policy.Disabled
		}, want: refused(500171)},
		{name: "crl-expired", reason: "Next Update has passed", source: pageCRL, lists: "woodgrove woodgrove-expired", want: refused(500172).says("CN=WoodgroveCA", "2026-05-31T12:00:00Z", "2026-06-01T12:00:00Z", "publish a new CRL")},
		{name: "crl-future", reason: "This Update is to come", source: pageCRL, lists: "woodgrove woodgrove-future", want: refused(500172)},
		{name: "crl-403", reason: "the server refuses", source: pageCodes, lists: "woodgrove 403", want: refused(500173).says("403 Forbidden", base)},
		{name: "crl-404", reason: "nothing at the URL", source: pageCodes, lists: "woodgrove -", want: refused(500173).says("404")},
		{name: "crl-404-required", reason: "closed with CRL validation required, too", source: pageCRL, lists: "woodgrove -", config: requireCRLs(), want: refused(500173)},
		{name: "crl-timeout", reason: "not there in ten seconds", source: pageCodes, lists: "woodgrove timeout", want: refused(2205012, "9.29").says(base)},
		{name: "crl-too-large", reason: "above the interactive limit", source: pageCodes, lists: "woodgrove too large", want: refused(2205014).leans("9.7").says(base, "30000000")},
		{name: "crl-ldap", reason: "ldap is not supported", source: pageCRL, stores: setURLs("woodgrove", "ldap://dc/cn=crl", ""), lists: "ldap://dc/cn=crl ldap", want: refused(500173).leans("4.7")},
		{name: "crl-private", reason: "an address inside the network", source: noPage, lists: "woodgrove private", want: refused(500173).leans("4.7")},
		{name: "crl-pem", reason: "PEM is not taken", source: pageCodes, lists: "woodgrove woodgrove-pem", want: refused(2205011).says("DER")},
		{name: "crl-html", reason: "a web page is no list", source: pageCodes, lists: "woodgrove page", want: refused(2205011)},
		{name: "crl-empty", reason: "nothing is no list", source: pageCodes, lists: "woodgrove empty", want: refused(2205011)},
		{name: "crl-cut", reason: "a list that breaks off", source: pageCodes, lists: "woodgrove cut", want: refused(2205011)},
		{name: "crl-certificate", reason: "a certificate is no list", source: pageCodes, lists: "woodgrove certificate", want: refused(500174)},
		{name: "crl-wrong-key", reason: "another key signed the list", source: pageCodes, lists: "woodgrove woodgrove-wrong-key", want: refused(2205015).says(ski("woodgrove"))},
		{name: "crl-wrong-aki", reason: "the list has another key identifier", source: pageCodes, lists: "woodgrove woodgrove-wrong-aki", want: refused(2205015).says(ski("woodgrove"), ski("other"))},
		{name: "crl-other-ca", reason: "the list of another authority", source: pageCRL, lists: "woodgrove other", want: refused(2205015).leans("4.7")},
		{name: "crl-no-crl-sign", reason: "an authority that may not sign lists", source: "RFC 5280 section 4.2.1.3", cas: "no-crl-sign", cert: "bob-no-crl-sign", want: refused(2205015)},
		{name: "crl-https", reason: "https is taken, with a warning", source: pageCRL, stores: setURLs("woodgrove", https, ""), lists: https + " woodgrove", want: in("SF", -1, "PN>UPN", "9.6")},
		{name: "crl-https-refused", reason: "the other reading", source: pageCAs, stores: setURLs("woodgrove", https, ""), lists: https + " woodgrove", options: "RefuseHTTPS", want: refused(500173, "9.6").says("set an http URL")},
		{name: "crl-skipped", reason: "not checked, as requested", source: pageCRL, cert: "bob-revoked", options: "SkipRevocation", want: sf.says("not checked, as requested")},
		{name: "delta-only", reason: "a delta URL without a base URL", source: pageCodes, stores: setURLs("woodgrove", "", delta), want: refused(500177).says(delta)},
		{name: "delta-only-required", reason: "the same where CRL validation is required", source: pageCodes, stores: setURLs("woodgrove", "", delta), config: requireCRLs(), want: refused(500177)},
		{name: "delta-only-exempted", reason: "an exempted authority is not looked at", source: noPage, stores: setURLs("woodgrove", "", delta), config: requireCRLs(ski("woodgrove")), want: in("SF", -1, "PN>UPN", "9.32")},
		{name: "delta-good", reason: "in neither list", source: pageCRL, stores: withDelta, lists: "delta woodgrove-delta", want: sf},
		{name: "delta-revoked", reason: "listed by the delta", source: pageCRL, stores: withDelta, lists: "delta woodgrove-delta", cert: "bob-delta-revoked", want: refused(500171).says(delta)},
		{name: "delta-not-stored", reason: "without its URL the delta says nothing", source: pageCRL, cert: "bob-delta-revoked", want: sf},
		{name: "delta-released", reason: "on hold in the base list, released by the delta", source: "RFC 5280 section 5.2.4", stores: withDelta, lists: "delta woodgrove-delta", cert: "bob-held", want: sf},
		{name: "delta-base-revoked", reason: "listed by the base list", source: pageCRL, stores: withDelta, lists: "delta woodgrove-delta", cert: "bob-revoked", want: refused(500171)},
		{name: "delta-missing", reason: "both must be there", source: pageCRL, stores: withDelta, want: refused(500173).says(delta)},
		{name: "delta-expired", reason: "both must be valid", source: pageCRL, stores: withDelta, lists: "delta woodgrove-delta-expired", want: refused(500172).says(delta)},
		{name: "delta-gap", reason: "the delta continues a later base list", source: "RFC 5280 section 5.2.4", stores: withDelta, lists: "delta woodgrove-delta-ahead", want: refused(500178).leans("4.7")},
		{name: "delta-wrong-key", reason: "another key signed the delta", source: pageCodes, stores: withDelta, lists: "delta woodgrove-delta-wrong-key", want: refused(2205015)},
		{name: "delta-is-a-base", reason: "a base list where the delta belongs", source: pageCodes, stores: withDelta, lists: "delta woodgrove", want: refused(500178)},
		{name: "delta-as-base", reason: "a delta list where the base belongs", source: pageCodes, lists: "woodgrove woodgrove-delta", want: refused(500177)},
		{name: "delta-base-expired", reason: "an expired base list beside a good delta", source: pageCRL, stores: withDelta, lists: "woodgrove woodgrove-expired; delta woodgrove-delta", want: refused(500172)},
	}
	return list
}

func scopeScenarios(sf want) []scenario {
	refused := func(changes ...string) want { return out(500189, "SF", -1, "PN>UPN", changes...) }
	pki := "Woodgrove PKI"
	return []scenario{
		{name: "scope-in", reason: "the user is in the group of the issuing authority's scope", source: deepDive, config: scopes(pki, "woodgrove", groupA), want: sf.not("9.33")},
		{name: "scope-out", reason: "the user is not", source: deepDive, config: scopes(pki, "woodgrove", groupB), want: refused().says("add the user to such a group")},
		{name: "scope-root", reason: "a scope of the root covers what is below", source: deepDive, config: scopes(pki, "contoso-root", groupB), cert: "bob-contoso", want: refused("9.38")},
		{name: "scope-root-ignored", reason: "the other reading: scopes work at the level of intermediate CAs", source: deepDive, config: scopes(pki, "contoso-root", groupB), cert: "bob-contoso", options: "IgnoreRootScopes", want: in("SF", -1, "PN>UPN", "9.33", "9.38")},
		{name: "scope-root-issues", reason: "a root that issues users counts under both", source: noPage, config: scopes(pki, "woodgrove", groupB), options: "IgnoreRootScopes", want: refused().not("9.38")},
		{name: "scope-climb", reason: "the chain is climbed until a scope has the user", source: deepDive, config: scopes(pki, "contoso", groupB, "contoso-root", groupA), cert: "bob-contoso", want: in("SF", -1, "PN>UPN", "9.38")},
		{name: "scope-climb-out", reason: "and refuses if none has", source: deepDive, config: scopes(pki, "contoso", groupB, "contoso-root", groupB), cert: "bob-contoso", want: refused().leans("9.38")},
		{name: "scope-other-ca", reason: "no scope names this chain", source: deepDive, config: scopes(pki, "other", groupB), want: in("SF", -1, "PN>UPN", "9.33")},
		{name: "scope-unknown-ski", reason: "a scope with the key identifier of nobody", source: deepDive, config: scopes(pki, "nobody", groupB), want: in("SF", -1, "PN>UPN", "9.33")},
		{name: "scope-other-pki", reason: "the right key identifier and another PKI", source: noPage, config: scopes("Contoso PKI", "woodgrove", groupB), want: refused("4.5")},
		{name: "scope-other-pki-in", reason: "the same for a user of the group", source: noPage, config: scopes("Contoso PKI", "woodgrove", groupA), want: sf.leans("4.5")},
		{name: "scope-upper", reason: "a key identifier in capitals is the same", source: noPage, config: func(c *policy.Config) {
			scopes(pki, "woodgrove", groupB)(c)
			c.CertificateAuthorityScopes[0].SubjectKeyIdentifier = strings.ToUpper(c.CertificateAuthorityScopes[0].SubjectKeyIdentifier)
		}, want: refused()},
		{name: "scope-no-targets", reason: "a scope for nobody", source: noPage, config: func(c *policy.Config) {
			scopes(pki, "woodgrove", groupB)(c)
			c.CertificateAuthorityScopes[0].IncludeTargets = []policy.Target{}
		}, want: refused()},
		{name: "scope-none", reason: "no scopes: everybody", source: deepDive, want: sf},
		{name: "hints-none-flagged", reason: "hints on and no authority flagged: all are sent", source: howTo, config: hintsOn, want: sf.says("which then offers the certificate")},
		{name: "hints-flagged", reason: "hints on and this authority flagged", source: howTo, config: hintsOn, stores: flagged(0), want: sf.says("which then offers the certificate")},
		{name: "hints-other-flagged", reason: "hints on and another authority flagged: a browser may not offer the certificate", source: howTo, config: hintsOn, stores: flagged(1), want: sf.leans("9.8").says("may then not offer the certificate")},
	}
}

func hintsOn(c *policy.Config) { c.IssuerHints.State = policy.Enabled }

func flagged(i int) func(*trust.Config) {
	return func(c *trust.Config) { c.PKIs[0].CertificateAuthorities[i].IsIssuerHintEnabled = new(true) }
}

func requirementScenarios(ski func(string) string, mf want) []scenario {
	const rule = "1.2.3.4 = MF"
	const single, multi, withPassword = `"x509CertificateSingleFactor"`, `"x509CertificateMultiFactor"`, `"password,x509CertificateSingleFactor"`
	sf := in("SF", -1, "PN>UPN")
	refused := func(code int, mode string, rule int, changes ...string) want {
		return out(code, mode, rule, "PN>UPN", changes...)
	}
	return []scenario{
		{name: "require-mfa", reason: "a multifactor certificate satisfies the demand alone", source: deepDive, rules: rule, cert: "bob-1234", require: "mfa", want: mf},
		{name: "require-mfa-single", reason: "a single-factor one needs a second factor", source: deepDive, require: "mfa", want: refused(54008, "SF", -1).leans("4.7").says("second factor")},
		{name: "require-mfa-by-issuer", reason: "the issuer rule that makes it multifactor rests on its reading", source: deepDive, rules: "CN=WoodgroveCA = MF", require: "mfa", want: in("MF", 0, "PN>UPN", "9.31")},
		{name: "require-phishing-resistant", reason: "the built-in strength takes multifactor certificates", source: advanced, rules: rule, cert: "bob-1234", require: "phishing-resistant", want: mf},
		{name: "require-phishing-resistant-single", reason: "and no single-factor ones", source: advanced, require: "phishing-resistant", want: refused(500187, "SF", -1)},
		{name: "require-nothing", reason: "nothing is required", source: deepDive, want: sf},
		{name: "strength-single", reason: "a custom strength that takes single-factor", source: advanced, require: strength(single, ""), want: sf},
		{name: "strength-multi-only", reason: "one that does not", source: advanced, require: strength(multi, ""), want: refused(500187, "SF", -1)},
		{name: "strength-single-only", reason: "whether multifactor satisfies single-factor is not said: it is not listed", source: noPage, rules: rule, cert: "bob-1234", require: strength(single, ""), want: refused(500187, "MF", 0)},
		{name: "strength-without-certificates", reason: "no certificate at all", source: advanced, rules: rule, cert: "bob-1234", require: strength(`"fido2"`, ""), want: refused(500187, "MF", 0).says("fido2")},
		{name: "strength-issuer", reason: "an allowed issuer, in capitals", source: advanced, require: strength(single, combination(single, ski("woodgrove"), "")), want: sf},
		{name: "strength-other-issuer", reason: "another issuer", source: advanced, require: strength(single, combination(single, ski("other"), "")), want: refused(500187, "SF", -1)},
		{name: "strength-one-of-issuers", reason: "inside of a list one is enough", source: advanced, require: strength(single, combination(single, ski("other")+","+ski("woodgrove"), "")), want: sf},
		{name: "strength-root", reason: "the allowed issuer is the root: the user's authority key identifier names another", source: noPage, cert: "bob-contoso", require: strength(single, combination(single, ski("contoso-root"), "")), want: refused(500187, "SF", -1, "2.7")},
		{name: "strength-root-any", reason: "the other reading", source: noPage, cert: "bob-contoso", require: strength(single, combination(single, ski("contoso-root"), "")), options: "AnyAllowedIssuer", want: in("SF", -1, "PN>UPN", "2.7")},
		{name: "strength-no-aki", reason: "an allowed issuer needs an authority key identifier in the user's certificate", source: advanced, cert: "bob-no-aki", require: strength(single, combination(single, ski("woodgrove"), "")), want: refused(500176, "SF", -1, "9.30")},
		{name: "strength-oid", reason: "an allowed policy", source: advanced, cert: "bob-1234", require: strength(single, combination(single, "", `"1.2.3.4"`)), want: sf},
		{name: "strength-other-oid", reason: "another policy", source: advanced, cert: "bob-1234", require: strength(single, combination(single, "", `"1.2.3.5"`)), want: refused(500187, "SF", -1)},
		{name: "strength-no-policies", reason: "a certificate without policies", source: advanced, require: strength(single, combination(single, "", `"1.2.3.4"`)), want: refused(500187, "SF", -1)},
		{name: "strength-issuer-and-oid", reason: "one of each list", source: advanced, cert: "bob-1234", require: strength(single, combination(single, ski("woodgrove"), `"1.2.3.4"`)), want: sf},
		{name: "strength-issuer-without-oid", reason: "the lists are joined by and: no policy", source: advanced, require: strength(single, combination(single, ski("woodgrove"), `"1.2.3.4"`)), want: refused(500187, "SF", -1)},
		{name: "strength-oid-without-issuer", reason: "the lists are joined by and: other issuer", source: advanced, cert: "bob-other-1234", require: strength(single, combination(single, ski("woodgrove"), `"1.2.3.4"`)), want: refused(500187, "SF", -1)},
		{name: "strength-sixth-oid", reason: "of six policies the first five in lexical order are looked at", source: advanced, cert: "bob-six", require: strength(single, combination(single, "", `"1.7.1"`)), want: refused(500187, "SF", -1, "9.37")},
		{name: "strength-sixth-oid-matches", reason: "the other reading: the first five that match", source: advanced, cert: "bob-six", require: strength(single, combination(single, "", `"1.7.1"`)), options: "FirstFiveMatching", want: in("SF", -1, "PN>UPN", "9.37")},
		{name: "strength-no-oid-matches", reason: "no policy matches under either reading", source: advanced, cert: "bob-six", require: strength(single, combination(single, "", `"1.8.1"`)), options: "FirstFiveMatching", want: refused(500187, "SF", -1).leans("9.37")},
		{name: "strength-fifth-oid", reason: "the fifth is", source: advanced, cert: "bob-six", require: strength(single, combination(single, "", `"1.6.1"`)), want: sf.leans("9.37")},
		{name: "strength-lexical", reason: "lexical order is not that of numbers: 1.9.1 is last", source: advanced, cert: "bob-ten", require: strength(single, combination(single, "", `"1.9.1"`)), want: refused(500187, "SF", -1, "9.37")},
		{name: "strength-lexical-in", reason: "and 1.14.1 fifth", source: advanced, cert: "bob-ten", require: strength(single, combination(single, "", `"1.14.1"`)), want: sf},
		{name: "strength-restricts-other", reason: "a configuration for the other strength does not matter", source: advanced, require: strength(single+","+multi, combination(multi, ski("other"), "")), want: sf},
		{name: "strength-with-password", reason: "single-factor only behind a password", source: advanced, require: strength(withPassword, ""), want: refused(500187, "SF", -1).says("together with another method")},
		{name: "strength-with-or-without-password", reason: "alone is enough where both are listed", source: advanced, require: strength(withPassword+","+single, ""), want: sf},
		{name: "strength-two-configurations", reason: "all configurations must be satisfied", source: noPage, cert: "bob-1234", require: strength(single, combination(single, ski("woodgrove"), "")+","+combination(single, "", `"1.2.3.5"`)), want: refused(500187, "SF", -1)},
		{name: "strength-fido2-configuration", reason: "configurations of other methods are passed over", source: "Graph: fido2CombinationConfiguration", require: strength(single, `{"@odata.type":"#microsoft.graph.fido2CombinationConfiguration","appliesToCombinations":["fido2"],"allowedAAGUIDs":[]}`), want: sf},
	}
}

func sha1Hex(content []byte) string {
	var sum [sha1.Size]byte
	fips140.WithoutEnforcement(func() { sum = sha1.Sum(content) })
	return hex.EncodeToString(sum[:])
}
