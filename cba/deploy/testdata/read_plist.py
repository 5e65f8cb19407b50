# Prints a property list as JSON; data as hexadecimal digits behind "data:".
import json, plistlib, sys

with open(sys.argv[1], "rb") as f:
    top = plistlib.load(f)
json.dump(top, sys.stdout, default=lambda v: "data:" + v.hex())
