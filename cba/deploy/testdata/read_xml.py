# Reads a JSON list of documents in base64 and prints, as JSON, what expat says of
# each: "" for well-formed XML 1.0 with namespaces, or the error.
import base64, json, sys
from xml.parsers import expat

def verdict(document):
    parser = expat.ParserCreate(namespace_separator="\x0c")
    try:
        parser.Parse(document, True)
        return ""
    except (expat.ExpatError, LookupError) as e:
        return str(e)

json.dump([verdict(base64.b64decode(d)) for d in json.load(sys.stdin)], sys.stdout)
