# Reads a PEM key and the user's certificate with its chain from the files
# given, and a line "path TAB algorithm TAB name TAB password" for each file that
# it shall write.
import sys
import warnings

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization as s
from cryptography.hazmat.primitives.serialization import pkcs12

warnings.simplefilter("ignore")
key = s.load_pem_private_key(open(sys.argv[1], "rb").read(), None)
certs = [
    x509.load_pem_x509_certificate(b"-----BEGIN CERTIFICATE-----" + c)
    for c in open(sys.argv[2], "rb").read().split(b"-----BEGIN CERTIFICATE-----")[1:]
]
for line in sys.stdin:
    path, algorithm, name, password = line.rstrip("\n").split("\t")
    if algorithm == "none":
        encryption = s.NoEncryption()
    elif algorithm == "best":
        encryption = s.BestAvailableEncryption(password.encode())
    else:
        builder = s.PrivateFormat.PKCS12.encryption_builder().kdf_rounds(3000)
        if algorithm == "aes":
            builder = builder.key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC).hmac_hash(hashes.SHA256())
        else:
            builder = builder.key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC).hmac_hash(hashes.SHA1())
        encryption = builder.build(password.encode())
    with open(path, "wb") as f:
        f.write(pkcs12.serialize_key_and_certificates(name.encode() or None, key, certs[0], certs[1:], encryption))
