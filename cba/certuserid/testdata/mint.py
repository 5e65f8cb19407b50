# Makes certificates that Go's crypto/x509 would not: serial numbers of 21 octets,
# UPNs behind another otherName, BMPString values, RSA and P-256 keys. Prints a
# JSON list of PEM texts.
import datetime, json, sys
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID, ObjectIdentifier as O

def utf8(s):
    b = s.encode()
    return bytes([0x0c, len(b)]) + b

UPN, KRB = O("1.3.6.1.4.1.311.20.2.3"), O("1.3.6.1.5.2.2")
A = x509.NameAttribute
R = x509.RelativeDistinguishedName
ca = ec.generate_private_key(ec.SECP256R1())
issuer = x509.Name([R([A(NameOID.DOMAIN_COMPONENT, "com")]), R([A(NameOID.DOMAIN_COMPONENT, "contoso")]), R([A(NameOID.COMMON_NAME, "Contoso, Issuing \"A\"")])])
multi = R([A(NameOID.COMMON_NAME, "JANE DOE"), A(NameOID.USER_ID, "47001003151020")])
cases = [
    dict(subject=[multi], serial=0x8958ee38a565845e9107720de61ca64d),
    dict(subject=[R([A(NameOID.COUNTRY_NAME, "US")]), R([A(NameOID.STATE_OR_PROVINCE_NAME, "Washington")]), multi], serial=(1 << 159) | 5, upn=["jane@yourdomain.com", "jd@yourdomain.com"], ski=True),
    dict(subject=[R([A(NameOID.COMMON_NAME, "J\u00e4ne \u20ac", _ASN1Type.BMPString)])], serial=0x0100, ski=True, upn=["zo\u00eb@yourdomain.com"]),
    dict(subject=[R([A(NameOID.ORGANIZATION_NAME, " edge ")]), R([A(NameOID.COMMON_NAME, "a;b<c>#+=\"")])], serial=0x7f, email=["jane@yourdomain.com", "doe@yourdomain.com"], key="rsa"),
    dict(subject=[R([A(NameOID.EMAIL_ADDRESS, "jane@yourdomain.com")]), R([A(O("2.5.4.97"), "NTREE-10747013")]), R([A(NameOID.GIVEN_NAME, "Jane")]), R([A(NameOID.SURNAME, "Doe")]), R([A(NameOID.TITLE, "Dr")])], serial=0x80, upn=["jane@yourdomain.com"], email=["jane@yourdomain.com"], ski=True),
    dict(subject=[], serial=1, email=["jane@yourdomain.com"]),
]
out = []
for c in cases:
    key = rsa.generate_private_key(65537, 2048) if c.get("key") == "rsa" else ec.generate_private_key(ec.SECP256R1())
    b = x509.CertificateBuilder(issuer, x509.Name(c["subject"]), key.public_key(), 1, datetime.datetime(2026, 1, 1), datetime.datetime(2036, 1, 1))
    b._serial_number = c["serial"]  # past the builder's own limit of 20 octets
    names = [x509.OtherName(KRB, utf8("krb"))] if c.get("upn") else []
    names += [x509.OtherName(UPN, utf8(u)) for u in c.get("upn", [])]
    names += [x509.RFC822Name(e) for e in c.get("email", [])]
    if names:
        b = b.add_extension(x509.SubjectAlternativeName(names), False)
    if c.get("ski"):
        b = b.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
    out.append(b.sign(ca, hashes.SHA256()).public_bytes(Encoding.PEM).decode())
json.dump(out, sys.stdout)
