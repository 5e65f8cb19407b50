package certuserid

import (
	"slices"

	"example.com/entracba/cba/lint"
)

// Rules returns every rule whose findings [Normalize], [Match] and [Set.Findings]
// can have.
func Rules() []lint.Rule { return slices.Clone(rules) }

var (
	// The value as a whole.
	ruleTooLong = lint.Rule{Code: "userid-too-long", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.UserIDs,
		What: "the value has more than 1,024 characters",
		Do:   "use a mapping with a shorter value, such as SKI"}
	ruleBadText = lint.Rule{Code: "userid-bad-text", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.UserIDs,
		What: "the value is not valid UTF-8 or contains a control character",
		Do:   "type the value again"}
	ruleHTML = lint.Rule{Code: "userid-html", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.UserIDs,
		What: "the value contains &lt; and &gt; instead of angle brackets",
		Do:   "write < and >"}
	ruleEntity = lint.Rule{Code: "userid-entity", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.UserIDs,
		What: "the value contains &quot; or &amp;, as web pages and XML write quotes and ampersands",
		Do:   "write the character itself"}
	ruleEntityLikely = lint.Rule{Code: "userid-entity-likely", Severity: lint.Warning, Effect: lint.LocksOut, Source: lint.UserIDs,
		What: "the value probably contains a quote or an ampersand as web pages and XML write them",
		Do:   "compare the value with the certificate"}
	ruleBackslash = lint.Rule{Code: "userid-backslash", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.UserIDs,
		What: "a backslash stands before an angle bracket of a tag, as in the source of web pages",
		Do:   "remove the backslash"}
	ruleList = lint.Rule{Code: "userid-list", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.UserIDs,
		What: "the brackets or the comma of a list around the value are part of it",
		Do:   "store the value alone"}
	ruleBracket = lint.Rule{Code: "userid-bracket", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.UserIDs,
		What: "a tag stands in other brackets than < and >",
		Do:   "write < and >"}
	ruleEscape = lint.Rule{Code: "userid-escape", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.UserIDs,
		What: "angle brackets are escaped as in a URL or in JSON text",
		Do:   "write the characters themselves"}
	ruleQuotes = lint.Rule{Code: "userid-quotes", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.UserIDs,
		What: "the quotation marks around the value are part of it",
		Do:   "store the value without quotation marks"}
	ruleInvisible = lint.Rule{Code: "userid-invisible", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.UserIDs,
		What: "the value contains invisible characters, as text copied from the Windows certificate dialog does",
		Do:   "remove the invisible characters"}
	ruleSpace = lint.Rule{Code: "userid-space", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.HowTo,
		What: "the value has a space at an end, or inside or next to a tag",
		Do:   "remove the space: only spaces inside the values of a name count"}
	ruleNoMapping = lint.Rule{Code: "userid-no-mapping", Severity: lint.Warning, Source: lint.UserIDs,
		What: "no mapping reads this value: the directory stores it, but no certificate matches it",
		Do:   "put the tag of the mapping in front, or remove the value"}
	ruleKerberos = lint.Rule{Code: "userid-kerberos", Severity: lint.Warning, Source: lint.MSADTS + ", altSecurityIdentities",
		What: "the value is a Kerberos mapping of Active Directory, which Entra does not support",
		Do:   "remove the value"}
	rulePrefix = lint.Rule{Code: "userid-prefix", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.UserIDs,
		What: `the value must begin with "X509:", in uppercase`,
		Do:   "write X509:"}
	ruleTagCase = lint.Rule{Code: "userid-tag-case", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.UserIDs,
		What: "a tag is not in uppercase",
		Do:   "write tags in uppercase"}
	ruleTag = lint.Rule{Code: "userid-tag", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.UserIDs,
		What: "no mapping has this tag",
		Do:   "use PN, RFC822, I and S, S, SKI, SHA1-PUKEY, or I and SR"}
	ruleParts = lint.Rule{Code: "userid-parts", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.UserIDs,
		What: "the tags do not belong together or are in the wrong order",
		Do:   "use one mapping per value"}
	ruleNoIssuer = lint.Rule{Code: "userid-no-issuer", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.MSPKCA + " section 3.1.5.2.1.3",
		What: "the value has a serial number but no issuer",
		Do:   "write X509:<I>issuer<SR>serial number"}
	ruleIncomplete = lint.Rule{Code: "userid-incomplete", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.UserIDs,
		What: "nothing follows a tag, or the issuer stands alone",
		Do:   "add the missing part"}
	ruleADOnly = lint.Rule{Code: "userid-ad-only", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.MSPKCA,
		What: "Entra does not support the form <I>...<SID>, only Active Directory does",
		Do:   "use IssuerAndSerialNumber or SKI"}
	rulePlaceholder = lint.Rule{Code: "userid-placeholder", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.UserIDs,
		What: "the value contains a placeholder from the documentation",
		Do:   "create the value from the certificate"}
	ruleLabel = lint.Rule{Code: "userid-label", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.HowTo,
		What: "the label that a certificate viewer shows comes before the data",
		Do:   "remove the label"}
	ruleMalformed = lint.Rule{Code: "userid-malformed", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.UserIDs,
		What: "the value cannot be read under its mapping",
		Do:   "create the value from the certificate"}

	// Names.
	ruleNameSpace = lint.Rule{Code: "userid-name-space", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.HowTo,
		What: "there are spaces around the separators of a name",
		Do:   "write only a comma between the parts"}
	ruleNameSeparator = lint.Rule{Code: "userid-name-separator", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.MSPKCA + " section 3.1.5.2.1.3",
		What: "the parts of a name are not separated by commas, or the name ends with a separator",
		Do:   "write only a comma between the parts"}
	ruleNameOrder = lint.Rule{Code: "userid-name-order", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.HowTo,
		What: "the parts of a name are in another order than in the certificate",
		Do:   "write the parts in encoded order, root first: the reverse of what certificate viewers show"}
	ruleNameOrderLikely = lint.Rule{Code: "userid-name-order-likely", Severity: lint.Warning, Effect: lint.LocksOut, Source: lint.HowTo,
		What: "the name seems to begin with its most specific part (a guess from the attribute types; the certificate can tell)",
		Do:   "write the name root first: the reverse of what certificate viewers show"}
	ruleNameType = lint.Rule{Code: "userid-name-type", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.CertNameToStr,
		What: "Windows writes an attribute type differently",
		Do:   "use Windows' names: S for ST, E for emailAddress, G for GN, OID.0.9.2342.19200300.100.1.1 for UID"}
	ruleNameTypeUnknown = lint.Rule{Code: "userid-name-type-unknown", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.CertNameToStr,
		What: "unknown attribute type",
		Do:   "write OID. and the number of the type"}
	ruleNamePlus = lint.Rule{Code: "userid-name-plus", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.MSPKCA + " section 3.1.5.2.1.3",
		What: "a plus sign joins the values of a multi-valued part",
		Do:   "join them with one space"}
	ruleNameJoint = lint.Rule{Code: "userid-name-joint", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.MSPKCA + " section 3.1.5.2.1.3",
		What: "a space joins two parts of the certificate's name, or a comma splits one part",
		Do:   "write a comma between parts and a space inside one"}
	ruleNameEscape = lint.Rule{Code: "userid-name-escape", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.CertNameToStr,
		What: "characters are escaped with a backslash",
		Do:   "put the whole value in double quotes"}
	ruleNameEscapeLikely = lint.Rule{Code: "userid-name-escape-likely", Severity: lint.Warning, Effect: lint.LocksOut, Source: lint.CertNameToStr,
		What: "the name contains a backslash that may be an escape of RFC 4514; it is read as a backslash here (the certificate can tell)",
		Do:   "put the value in double quotes: Windows has no escapes"}
	ruleNameQuoting = lint.Rule{Code: "userid-name-quoting", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.CertNameToStr,
		What: "a value needs double quotes and has none, or has them and needs none",
		Do:   "quote values that contain , + = \" < > # ; or that begin or end with a space, and no others"}
	ruleNameQuoted = lint.Rule{Code: "userid-name-quoted", Severity: lint.Info, Source: lint.OpenQuestion + " 9.22",
		What: "a value is in quotes; Microsoft does not document how Entra compares it",
		Do:   "prefer SKI for this certificate"}
	ruleNameSpacesLost = lint.Rule{Code: "userid-name-spaces-lost", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.MSPKCA + " section 3.1.5.2.1.3",
		What: "spaces or quotes inside values differ from the certificate's name",
		Do:   "write values exactly as in the certificate, including spaces: O=U.S. Government"}
	ruleNameOther = lint.Rule{Code: "userid-name-other", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.UserIDs,
		What: "the name differs from the certificate's",
		Do:   "use the value of the right certificate"}

	// Hexadecimal parts.
	ruleHexCase = lint.Rule{Code: "userid-hex-case", Severity: lint.Info, Source: lint.OpenQuestion + " 9.4",
		What: "hexadecimal digits are in uppercase; it is inferred, not documented, that Entra ignores case",
		Do:   "write them in lowercase"}
	ruleHexSeparator = lint.Rule{Code: "userid-hex-separator", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.HowTo,
		What: "there are colons, spaces, hyphens or 0x among the hexadecimal digits",
		Do:   "write only the digits"}
	ruleHex = lint.Rule{Code: "userid-hex", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.MSPKCA + " section 3.1.5.2.1.3",
		What: "must be pairs of hexadecimal digits only",
		Do:   "create the value from the certificate"}
	ruleHexOther = lint.Rule{Code: "userid-hex-other", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.UserIDs,
		What: "the digits differ from the certificate's",
		Do:   "use the value of the right certificate"}
	ruleHexPart = lint.Rule{Code: "userid-hex-part", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.UserIDs,
		What: "most digits are the certificate's, and some are missing, added or mistyped",
		Do:   "copy the whole value from the certificate"}
	ruleHexReversed = lint.Rule{Code: "userid-hex-reversed", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.HowTo,
		What: "the digits are the certificate's in reverse order, which only serial numbers need",
		Do:   "write them in the order in which they are printed"}
	ruleBase64 = lint.Rule{Code: "userid-base64", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.HowTo,
		What: "the value is the certificate's, but in base64",
		Do:   "write it in hexadecimal"}
	ruleHexSwapped = lint.Rule{Code: "userid-hex-swapped", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.UserIDs,
		What: "the digits are the certificate's, but of another mapping",
		Do:   "use the tag of that mapping"}
	ruleSerialOrder = lint.Rule{Code: "userid-serial-order", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.KB5014754,
		What: "the bytes of the serial number are in the order in which they are printed",
		Do:   "reverse the bytes, pair by pair"}
	ruleSerialOrderLikely = lint.Rule{Code: "userid-serial-order-likely", Severity: lint.Warning, Effect: lint.LocksOut, Source: lint.KB5014754,
		What: "the serial number begins with the sign byte 00, so it is probably not reversed (the certificate can tell)",
		Do:   "reverse the bytes, pair by pair"}
	ruleSerialNibbles = lint.Rule{Code: "userid-serial-nibbles", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.KB5014754,
		What: "the serial number is reversed digit by digit",
		Do:   "reverse it by bytes: A1B2C3 becomes C3B2A1"}
	ruleSerialDecimal = lint.Rule{Code: "userid-serial-decimal", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.KB5014754,
		What: "the serial number is decimal",
		Do:   "write its bytes in hexadecimal, reversed"}
	ruleSerialDecimalLikely = lint.Rule{Code: "userid-serial-decimal-likely", Severity: lint.Warning, Effect: lint.LocksOut, Source: lint.KB5014754,
		What: "the serial number is probably decimal (the certificate can tell)",
		Do:   "write its bytes in hexadecimal, reversed"}
	ruleSerialZero = lint.Rule{Code: "userid-serial-zero", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.KB5014754,
		What: "the serial number has lost or gained zeros",
		Do:   "write every byte with two digits"}
	ruleSerialSign = lint.Rule{Code: "userid-serial-sign", Severity: lint.Warning, Source: lint.OpenQuestion + " 9.2",
		What: "the serial number differs from the certificate's in the 00 byte that DER puts before a first bit that is set; Microsoft does not document which form Entra expects",
		Do:   "prefer SKI, or issue serial numbers below 80"}
	ruleSKIWrapped = lint.Rule{Code: "userid-ski-wrapped", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.RFC5280 + " section 4.2.1.2",
		What: "0414, the header of the extension, stands before the key identifier",
		Do:   "write only the identifier"}
	ruleSKIWrappedLikely = lint.Rule{Code: "userid-ski-wrapped-likely", Severity: lint.Warning, Effect: lint.LocksOut, Source: lint.RFC5280 + " section 4.2.1.2",
		What: "0414, probably the header of the extension, stands before the key identifier (the certificate can tell)",
		Do:   "write only the identifier"}
	ruleSHA1Input = lint.Rule{Code: "userid-sha1-input", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.OpenQuestion + " 9.3",
		What: "the value is another SHA-1 of the certificate than the one that is compared; Learn and Microsoft's tools hash the whole certificate",
		Do:   "write the thumbprint"}
	ruleSHA256 = lint.Rule{Code: "userid-sha256", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.DeepDive,
		What: "64 digits are a SHA-256; this mapping needs a SHA-1",
		Do:   "write the SHA-1 thumbprint, or use SKI"}

	// UPN and e-mail.
	ruleCase = lint.Rule{Code: "userid-case", Severity: lint.Warning, Effect: lint.LocksOut, Source: lint.UserIDs,
		What: "letter case differs from the certificate's; Microsoft does not document whether Entra ignores it",
		Do:   "write the value exactly as in the certificate"}
	ruleOther = lint.Rule{Code: "userid-other", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.UserIDs,
		What: "the name or address differs from the certificate's",
		Do:   "use the value of the right certificate"}
	ruleNotFirst = lint.Rule{Code: "userid-not-first", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.OpenQuestion + " 9.23",
		What: "the certificate contains this name or address, but not as its first; Microsoft's cmdlet uses the first",
		Do:   "issue certificates with one UPN and one e-mail address"}
	ruleNoField = lint.Rule{Code: "userid-no-field", Severity: lint.Error, Effect: lint.LocksOut, Source: lint.UserIDs,
		What: "the certificate has no field for this mapping",
		Do:   "use a mapping that the certificate supports"}

	// Sets.
	ruleManyValues = lint.Rule{Code: "userids-many", Severity: lint.Warning, Source: lint.OpenQuestion + " 9.1",
		What: "the account has more than five values; Microsoft's pages up to 2023 say that five is the limit",
		Do:   "remove values of expired certificates"}
	ruleSameValue = lint.Rule{Code: "userids-same", Severity: lint.Warning, Source: lint.UserIDs,
		What: "two values of the account differ only in letter case",
		Do:   "remove one of them"}
)

var rules = []lint.Rule{
	ruleTooLong, ruleBadText, ruleHTML, ruleEntity, ruleEntityLikely, ruleBackslash, ruleList, ruleBracket, ruleEscape, ruleQuotes, ruleInvisible, ruleSpace, ruleNoMapping, ruleKerberos, rulePrefix, ruleTagCase, ruleTag, ruleParts, ruleNoIssuer, ruleIncomplete, ruleADOnly, rulePlaceholder, ruleLabel, ruleMalformed,
	ruleNameSpace, ruleNameSeparator, ruleNameOrder, ruleNameOrderLikely, ruleNameType, ruleNameTypeUnknown, ruleNamePlus, ruleNameJoint, ruleNameEscape, ruleNameEscapeLikely, ruleNameQuoting, ruleNameQuoted, ruleNameSpacesLost, ruleNameOther,
	ruleHexCase, ruleHexSeparator, ruleHex, ruleHexOther, ruleHexPart, ruleHexReversed, ruleBase64, ruleHexSwapped, ruleSerialOrder, ruleSerialOrderLikely, ruleSerialNibbles, ruleSerialDecimal, ruleSerialDecimalLikely, ruleSerialZero, ruleSerialSign, ruleSKIWrapped, ruleSKIWrappedLikely, ruleSHA1Input, ruleSHA256,
	ruleCase, ruleOther, ruleNotFirst, ruleNoField,
	ruleManyValues, ruleSameValue,
}

// finding returns the finding of a rule about one value. detail, if it is not
// empty, says what exactly was seen.
func finding(rule lint.Rule, value, detail string) lint.Finding {
	if detail == "" {
		return rule.At(quote(value), "", "")
	}
	return rule.At(quote(value), "", "%s: %s", rule.What, detail)
}
