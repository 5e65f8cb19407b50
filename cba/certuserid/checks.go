package certuserid

import "example.com/entracba/cba/lint"

// A check is one way in which a stored value can be wrong: what [Normalize] and
// [Match] say about it.
type check struct {
	code     string
	severity lint.Severity
	effect   lint.Effect
	what, do string
	source   string
}

// The documents that the checks rest on.
const (
	learnIDs   = "Learn: Certificate user IDs"
	learnHowTo = "Learn: How to configure Microsoft Entra certificate-based authentication"
	learnDive  = "Learn: CBA technical deep dive"
	pkca       = "MS-PKCA 3.1.5.2.1.3"
	kb         = "KB5014754"
	nameToStr  = "CertNameToStr (wincrypt.h)"
	openNames  = "open question 9.22"
	openHash   = "open question 9.3"
)

var checks = []check{
	// The value as a whole.
	{"userid-too-long", lint.Error, lint.LocksOut, "has more than 1024 characters", "use a mapping with a shorter value, such as SKI", learnIDs},
	{"userid-bad-text", lint.Error, lint.LocksOut, "is not UTF-8 or holds a control character", "type it again", learnIDs},
	{"userid-html", lint.Error, lint.LocksOut, "has &lt; and &gt; for angle brackets", "write < and >", learnIDs},
	{"userid-quotes", lint.Error, lint.LocksOut, "stands in quotation marks that are part of the value", "store it without them", learnIDs},
	{"userid-invisible", lint.Error, lint.LocksOut, "holds invisible characters, as text copied from the Windows certificate dialog does", "remove them", "observed in copied thumbprints and key identifiers"},
	{"userid-blank", lint.Error, lint.LocksOut, "has a stray blank at its ends, in or behind a tag", "remove it; only blanks inside the values of a name count", learnHowTo},
	{"userid-no-mapping", lint.Warning, 0, "is of none of the seven mappings: the directory keeps it, no certificate matches it", "put the tag of its mapping before it, or remove it", learnIDs},
	{"userid-kerberos", lint.Warning, 0, "is an Active Directory mapping of a Kerberos name, which Entra does not have", "remove it", "MS-ADTS, altSecurityIdentities"},
	{"userid-prefix", lint.Error, lint.LocksOut, `does not begin with "X509:" in this letter case`, "write X509:", learnIDs},
	{"userid-tag-case", lint.Error, lint.LocksOut, "has a tag in the wrong letter case", "write tags in upper case", learnIDs},
	{"userid-tag", lint.Error, lint.LocksOut, "has a tag that no mapping has", "use PN, RFC822, I and S, S, SKI, SHA1-PUKEY, or I and SR", learnIDs},
	{"userid-parts", lint.Error, lint.LocksOut, "has tags that do not go together, or in the wrong order", "use one mapping a value", learnIDs},
	{"userid-no-issuer", lint.Error, lint.LocksOut, "has a serial number without an issuer", "write X509:<I>issuer<SR>serial number", pkca},
	{"userid-incomplete", lint.Error, lint.LocksOut, "has a tag with nothing behind it, or an issuer alone", "add what is missing", learnIDs},
	{"userid-ad-only", lint.Error, lint.LocksOut, "is the form <I>...<SID> of Active Directory, which Entra does not have", "use IssuerAndSerialNumber or SKI", "MS-PKCA"},
	{"userid-placeholder", lint.Error, lint.LocksOut, "holds a placeholder from the documentation and not a certificate's value", "make the value from the certificate", learnIDs},
	{"userid-label", lint.Error, lint.LocksOut, "has a label before the value, as certificate viewers print it", "keep the value alone", learnHowTo},
	{"userid-malformed", lint.Error, lint.LocksOut, "cannot be read as a value of its mapping", "make the value from the certificate", learnIDs},

	// Names.
	{"userid-name-blank", lint.Error, lint.LocksOut, "has blanks around the separators of a name", "write a comma alone between the parts", learnHowTo},
	{"userid-name-separator", lint.Error, lint.LocksOut, "has something else than a comma between the parts of a name, or a separator at its end", "write a comma alone between the parts", pkca},
	{"userid-name-order", lint.Error, lint.LocksOut, "has the parts of a name in another order than the certificate", "write them in encoded order, root first, the reverse of what certificate viewers show", learnHowTo},
	{"userid-name-order-likely", lint.Warning, lint.LocksOut, "has a name that seems to begin with its most specific part (a guess from the attribute types; the certificate can tell)", "write it root first, the reverse of what certificate viewers show", learnHowTo},
	{"userid-name-type", lint.Error, lint.LocksOut, "has an attribute type that Windows calls otherwise", "write Windows' names: S for ST, E for emailAddress, G for GN, OID.0.9.2342.19200300.100.1.1 for UID", nameToStr},
	{"userid-name-type-unknown", lint.Error, lint.LocksOut, "has an attribute type that is not known", "write OID. and the number of the type", nameToStr},
	{"userid-name-plus", lint.Error, lint.LocksOut, "joins the values of a multi-valued part by a plus sign", "join them by one blank", pkca},
	{"userid-name-joint", lint.Error, lint.LocksOut, "joins by a blank what are two parts of the certificate's name, or by a comma what is one", "write a comma between parts and a blank inside one", pkca},
	{"userid-name-escape", lint.Error, lint.LocksOut, "escapes characters with a backslash", "put the whole value in double quotes", nameToStr},
	{"userid-name-escape-likely", lint.Warning, lint.LocksOut, "has a backslash that may be an escape of RFC 4514; it is read as a backslash here (the certificate can tell)", "Windows escapes nothing, it puts the value in quotes", nameToStr},
	{"userid-name-quoting", lint.Error, lint.LocksOut, "has a value that needs double quotes and has none, or has them without need", "quote values with , + = \" < > # ; or blanks at an end, and no others", nameToStr},
	{"userid-name-quoted", lint.Info, 0, "has a value in quotes; that Entra compares it so is not documented", "prefer SKI for this certificate", openNames},
	{"userid-name-blanks-lost", lint.Error, lint.LocksOut, "has other blanks, or quotes, inside values than the certificate's name", "write values as the certificate has them, blanks included: O=U.S. Government", pkca},
	{"userid-name-other", lint.Error, lint.LocksOut, "has another name than the certificate", "take the value of the right certificate", learnIDs},

	// Hexadecimal parts.
	{"userid-hex-case", lint.Info, 0, "has hexadecimal digits in upper case; that Entra ignores the case is inferred", "write them in lower case", "open question 9.4"},
	{"userid-hex-separator", lint.Error, lint.LocksOut, "has colons, blanks, hyphens or 0x among hexadecimal digits", "write the digits alone", learnHowTo},
	{"userid-hex", lint.Error, lint.LocksOut, "has something else than pairs of hexadecimal digits where they must be", "make the value from the certificate", pkca},
	{"userid-hex-other", lint.Error, lint.LocksOut, "has other digits than the certificate", "take the value of the right certificate", learnIDs},
	{"userid-hex-swapped", lint.Error, lint.LocksOut, "has the certificate's digits of another mapping", "use the tag that they belong to", learnIDs},
	{"userid-serial-order", lint.Error, lint.LocksOut, "has the serial number in the order in which it is printed", "reverse its octets, pair by pair", kb},
	{"userid-serial-order-likely", lint.Warning, lint.LocksOut, "has a serial number that begins with a sign octet 00, so it seems to be unreversed (the certificate can tell)", "reverse its octets, pair by pair", kb},
	{"userid-serial-nibbles", lint.Error, lint.LocksOut, "has the serial number reversed digit by digit", "reverse it by octets: A1B2C3 is C3B2A1", kb},
	{"userid-serial-decimal", lint.Error, lint.LocksOut, "has a decimal serial number", "write its octets in hexadecimal, reversed", kb},
	{"userid-serial-decimal-likely", lint.Warning, lint.LocksOut, "has a serial number that seems to be decimal (the certificate can tell)", "write its octets in hexadecimal, reversed", kb},
	{"userid-serial-zero", lint.Error, lint.LocksOut, "has lost or gained zeros of the serial number", "write every octet with two digits", kb},
	{"userid-serial-sign", lint.Warning, 0, "differs from the certificate in the 00 octet that DER puts before a first bit that is set; which form Entra takes is not documented", "prefer SKI, or issue serial numbers below 80", "dotnet/corefx#3893; open question 9.2"},
	{"userid-ski-wrapped", lint.Error, lint.LocksOut, "has the header 0414 of the extension before the key identifier", "write the identifier alone", "RFC 5280 section 4.2.1.2"},
	{"userid-ski-wrapped-likely", lint.Warning, lint.LocksOut, "seems to have the header 0414 of the extension before the key identifier (the certificate can tell)", "write the identifier alone", "RFC 5280 section 4.2.1.2"},
	{"userid-sha1-input", lint.Error, lint.LocksOut, "has another SHA-1 of the certificate than the one that is compared; Learn and Microsoft's tools hash the whole certificate", "write the thumbprint", openHash},
	{"userid-sha256", lint.Error, lint.LocksOut, "has 64 digits, a SHA-256, where a SHA-1 must be", "write the SHA-1 thumbprint, or use SKI", learnDive},

	// UPN and e-mail.
	{"userid-case", lint.Warning, lint.LocksOut, "differs from the certificate in letter case; that Entra ignores it is not documented", "write it as the certificate has it", learnIDs},
	{"userid-other", lint.Error, lint.LocksOut, "has another name or address than the certificate", "take the value of the right certificate", learnIDs},
	{"userid-not-first", lint.Error, lint.LocksOut, "has a name or address that the certificate has, but not as its first; Microsoft's cmdlet takes the first", "issue certificates with one UPN and one e-mail address", "open question 9.23"},
	{"userid-no-field", lint.Error, lint.LocksOut, "is of a mapping that the certificate has no field for", "use a mapping that the certificate supports", learnIDs},

	// Sets.
	{"userids-many", lint.Warning, 0, "more than five values; pages of 2023 and older still say that five is the limit", "remove values of expired certificates", "open question 9.1"},
	{"userids-same", lint.Warning, 0, "differs from another value of the account in letter case only", "remove one of them", learnIDs},
}

// finding returns the finding of a check about one value. detail, if it is not
// empty, says what exactly was seen.
func finding(code, value, detail string) lint.Finding {
	for _, c := range checks {
		if c.code != code {
			continue
		}
		what := c.what
		if detail != "" {
			what += ": " + detail
		}
		return lint.Finding{
			Code: c.code, Severity: c.severity, Effect: c.effect,
			Where: quote(value), What: what, Do: c.do, Source: lint.Source(c.source),
		}
	}
	return lint.Finding{Code: code, Severity: lint.Error, Where: quote(value)}
}
