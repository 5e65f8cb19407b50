package cba

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"slices"
	"strings"

	"example.com/entracba/cba/internal/san"
	"example.com/entracba/cba/internal/text"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Names are what a certificate or a request says about who it is for, beside the
// distinguished name. Lists are in the order of the encoding.
type Names struct {
	UPNs     []string
	Emails   []string
	DNSNames []string
	URIs     []string // all of them, those that hold a SID too
	// ExtensionSID is the SID of the extension 1.3.6.1.4.1.311.25.2, URISIDs are
	// those of URIs. See [Names.SID].
	ExtensionSID SID
	URISIDs      []SID
	// Ignored are the names that Entra does not identify users by.
	Ignored []Ignored
}

// NamesOf returns the names of a certificate: its subjectAltName and its SID
// extension. Names that Entra does not read are in [Names.Ignored], each with
// its kind: other otherNames (FASC-N of a PIV card, KRB5PrincipalName), a UPN
// that is not a UTF8String, directory names and so on.
//
// A certificate without these extensions has empty Names. What the names mean is
// not checked: see [Findings].
//
// The error is an [*Error] with reason [Malformed] (the subjectAltName is not a
// list of names) or [Empty] (no certificate).
func NamesOf(cert *x509.Certificate) (Names, error) {
	if cert == nil {
		return Names{}, &Error{Reason: Empty, What: "certificate"}
	}
	return readNames(cert.Extensions)
}

func readNames(extensions []pkix.Extension) (Names, error) {
	var n Names
	for _, e := range extensions {
		switch {
		case e.Id.Equal(san.Extension()):
			if err := san.Each(e.Value, n.add); err != nil {
				return Names{}, &Error{Reason: Malformed, What: "subjectAltName", Err: err}
			}
		case e.Id.Equal(sidExtension):
			sid, fault := readSIDExtension(e.Value)
			if fault != "" {
				n.Ignored = append(n.Ignored, Ignored{Kind: "SID extension that " + fault, Raw: slices.Clone(e.Value)})
			}
			n.ExtensionSID = sid
		}
	}
	return n, nil
}

func (n *Names) add(kind san.Kind, value []byte) bool {
	switch kind {
	case san.UPN:
		n.UPNs = append(n.UPNs, string(value))
	case san.Email:
		n.Emails = append(n.Emails, string(value))
	case san.DNS:
		n.DNSNames = append(n.DNSNames, string(value))
	case san.URI:
		n.URIs = append(n.URIs, string(value))
		if text, ok := strings.CutPrefix(string(value), sidURI); ok {
			if sid, err := ParseSID(text); err == nil {
				n.URISIDs = append(n.URISIDs, sid)
			} else {
				n.Ignored = append(n.Ignored, Ignored{Kind: "SID URI that holds no SID" + meantSID([]byte(text)), Raw: slices.Clone(value)})
			}
		} else if lowered := strings.ToLower(string(value)); strings.HasPrefix(lowered, "tag:microsoft.com") || strings.Contains(lowered, "s-1-5-21-") {
			n.Ignored = append(n.Ignored, Ignored{Kind: "SID URI that does not begin with " + sidURI, Raw: slices.Clone(value)})
		}
	default:
		n.Ignored = append(n.Ignored, describe(slices.Clone(value)))
	}
	return true
}

// SID returns the one SID that the names hold: the extension's, the URI's, or
// both if they are equal. It returns no SID if there is none or if they differ.
func (n Names) SID() SID {
	sid := n.ExtensionSID
	for _, s := range n.URISIDs {
		if sid.IsZero() {
			sid = s
		}
		if s != sid {
			return SID{}
		}
	}
	return sid
}

// equal compares what is read from an encoding. Ignored names count by number.
func (n Names) equal(other Names) bool {
	return slices.Equal(n.UPNs, other.UPNs) && slices.Equal(n.Emails, other.Emails) &&
		slices.Equal(n.DNSNames, other.DNSNames) && slices.Equal(n.URIs, other.URIs) &&
		n.ExtensionSID == other.ExtensionSID && slices.Equal(n.URISIDs, other.URISIDs) &&
		len(n.Ignored) == len(other.Ignored)
}

// san encodes the subjectAltName for these names, nil if there are none.
func (n Names) san() ([]byte, error) {
	var list []san.Name
	add := func(kind san.Kind, values []string) {
		for _, value := range values {
			list = append(list, san.Name{Kind: kind, Value: value})
		}
	}
	add(san.UPN, n.UPNs)
	add(san.Email, n.Emails)
	add(san.DNS, n.DNSNames)
	add(san.URI, n.URIs)
	if list == nil {
		return nil, nil
	}
	der, err := san.Marshal(list)
	if err != nil { // resolve has checked the names
		return nil, fmt.Errorf("cba: subjectAltName: %w", err)
	}
	return der, nil
}

// An Ignored is a name in a certificate or request that Entra does not identify
// users by.
type Ignored struct {
	Kind string   // what it is: "otherName FASC-N", "IP address"
	Type x509.OID // the type of an otherName, else the zero OID
	Raw  []byte   // the whole encoded name, or the extension's value
}

// String returns the kind, and the type of an otherName.
func (i Ignored) String() string {
	if oid := text.OID(i.Type); oid != "" {
		return i.Kind + " (" + oid + ")"
	}
	return i.Kind
}

// describe says what kind of GeneralName an encoded one is.
func describe(raw []byte) Ignored {
	i := Ignored{Kind: "name of an unknown kind", Raw: raw}
	input := cryptobyte.String(raw)
	var content, oid cryptobyte.String
	var tag cbasn1.Tag
	if !input.ReadAnyASN1(&content, &tag) {
		return i
	}
	switch tag &^ 0x20 { // without the bit for "constructed"
	case 0x80:
		i.Kind = "otherName"
		if !content.ReadASN1(&oid, cbasn1.OBJECT_IDENTIFIER) || i.Type.UnmarshalBinary(oid) != nil {
			return i
		}
		if name := otherName(text.OID(i.Type)); name != "" {
			i.Kind += " " + name
		}
	case 0x81:
		i.Kind = "e-mail address that is not ASCII"
	case 0x82:
		i.Kind = "DNS name that is not ASCII"
	case 0x86:
		i.Kind = "URI that is not ASCII"
	case 0x83:
		i.Kind = "X.400 address"
	case 0x84:
		i.Kind = "directory name"
	case 0x85:
		i.Kind = "EDI party name"
	case 0x87:
		i.Kind = "IP address"
	case 0x88:
		i.Kind = "registered ID"
	}
	return i
}

// otherName returns the known name of a type of otherName, or "".
func otherName(oid string) string {
	switch oid {
	case "1.3.6.1.4.1.311.20.2.3":
		return "UPN that is not a UTF8String" // else it would not be among the ignored
	case "2.16.840.1.101.3.6.6":
		return "FASC-N" // FIPS 201, PIV cards
	case "1.3.6.1.5.2.2":
		return "KRB5PrincipalName" // RFC 4556
	case "1.3.6.1.4.1.311.25.1":
		return "NTDS replication GUID" // domain controllers
	case "1.3.6.1.4.1.311.25.2.1":
		return "SID" // belongs into the extension, not here
	case "1.3.6.1.5.5.7.8.3":
		return "permanentIdentifier" // RFC 4043
	case "1.3.6.1.5.5.7.8.4":
		return "hardwareModuleName" // RFC 4108
	case "1.3.6.1.5.5.7.8.5":
		return "XmppAddr" // RFC 6120
	case "1.3.6.1.5.5.7.8.7":
		return "SRVName" // RFC 4985
	case "1.3.6.1.5.5.7.8.9":
		return "SmtpUTF8Mailbox" // RFC 9598
	}
	return ""
}
