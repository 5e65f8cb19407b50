# Reads lines "path TAB password" and answers each with a line
# "ok TAB key TAB certificates TAB name": 1 or 0, PKCS#8 and DER in Base64 with
# the user's certificate first, the name in Base64.
import base64
import sys
import warnings

from cryptography.hazmat.backends.openssl.backend import backend
from cryptography.hazmat.primitives import serialization as s
from cryptography.hazmat.primitives.serialization import pkcs12

warnings.simplefilter("ignore")


def b64(data):
    return base64.b64encode(data).decode()


print(backend.openssl_version_text())
for line in sys.stdin:
    path, password = line.rstrip("\n").split("\t")
    try:
        p = pkcs12.load_pkcs12(open(path, "rb").read(), password.encode() or None)
        key = p.key.private_bytes(s.Encoding.DER, s.PrivateFormat.PKCS8, s.NoEncryption())
        certs = [c.certificate.public_bytes(s.Encoding.DER) for c in [p.cert] + list(p.additional_certs)]
        # This version of the package shows the names of certificates only.
        print("1", b64(key), ",".join(b64(c) for c in certs), "", sep="\t")
    except Exception:
        print("0\t\t\t")
