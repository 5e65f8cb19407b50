# Reads certificates, a JSON list of PEM texts, with the package cryptography and
# builds the certificateUserIds values by code of its own, from the parsed parts.
import json, sys
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtensionOID

NAMES = {
    "2.5.4.3": "CN", "2.5.4.4": "SN", "2.5.4.5": "SERIALNUMBER", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "S",
    "2.5.4.9": "STREET", "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.12": "T", "2.5.4.13": "Description",
    "2.5.4.17": "PostalCode", "2.5.4.18": "POBox", "2.5.4.42": "G", "2.5.4.43": "I",
    "0.9.2342.19200300.100.1.25": "DC", "1.2.840.113549.1.9.1": "E",
}

def value(text):
    if text == "" or text.strip(" ") != text or any(c in text for c in ',+="\n<>#;'):
        return '"' + text.replace('"', '""') + '"'
    return text

def name(n):
    return ",".join(
        " ".join(NAMES.get(a.oid.dotted_string, "OID." + a.oid.dotted_string) + "=" + value(a.value) for a in in_order(rdn))
        for rdn in n.rdns)

def in_order(rdn):
    # cryptography keeps the values of a part in a set: bring them into the order
    # of DER (X.690 section 11.6), which the certificates have.
    return sorted(rdn, key=lambda a: x509.Name([a]).public_bytes())

def utf8(der):
    assert der[0] == 0x0c and der[1] < 0x80 and len(der) == 2 + der[1]
    return der[2:].decode("utf-8")

def read(pem):
    c = x509.load_pem_x509_certificate(pem.encode())
    out = {}
    try:
        san = c.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
        for g in san:
            if isinstance(g, x509.OtherName) and g.type_id.dotted_string == "1.3.6.1.4.1.311.20.2.3":
                out.setdefault("PrincipalName", "X509:<PN>" + utf8(g.value))
            if isinstance(g, x509.RFC822Name):
                out.setdefault("RFC822Name", "X509:<RFC822>" + g.value)
    except x509.ExtensionNotFound:
        pass
    issuer, subject = name(c.issuer), name(c.subject)
    if subject:
        out["IssuerAndSubject"] = "X509:<I>" + issuer + "<S>" + subject
        out["Subject"] = "X509:<S>" + subject
    try:
        ski = c.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_KEY_IDENTIFIER).value
        out["SKI"] = "X509:<SKI>" + ski.digest.hex()
    except x509.ExtensionNotFound:
        pass
    out["SHA1PublicKey"] = "X509:<SHA1-PUKEY>" + c.fingerprint(hashes.SHA1()).hex()
    n = c.serial_number
    octets = n.to_bytes(n.bit_length() // 8 + 1, "little", signed=True)  # with the sign octet of DER, reversed
    out["IssuerAndSerialNumber"] = "X509:<I>" + issuer + "<SR>" + octets.hex()
    h = hashes.Hash(hashes.SHA1())
    h.update(c.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    out["spki"] = h.finalize().hex()
    return out

json.dump([read(p) for p in json.load(sys.stdin)], sys.stdout)
