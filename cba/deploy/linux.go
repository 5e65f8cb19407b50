package deploy

import (
	"encoding/pem"
	"strings"
)

// TrustScript returns a shell script that adds the root to the machine's trust
// store, with p11-kit (trust anchor), or with update-ca-certificates where p11-kit
// has no writable store for anchors, as on Debian. Signing in with a certificate does
// not need it: it is for machines that verify certificates of this CA themselves. The
// root is then trusted for servers, too.
//
// The error is an [*Error]: [Missing] or [BadName].
func (p Package) TrustScript() ([]byte, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	anchor := "/usr/local/share/ca-certificates/cba-" + strings.ToLower(thumbprint(p.Root)) + ".crt"
	var b lines
	b.add("#!/bin/sh")
	b.add("# Trusts the root ", comment(title(p.Root)), " on this machine, for servers too. Signing in with a")
	b.add("# certificate does not need this. Run it as root.")
	b.add("set -eu")
	b.add(`cd -- "$(dirname -- "$0")"`)
	b.add("if trust anchor --store ", rootName, "; then")
	b.add("\texit 0 # trust anchor --remove ", rootName, " undoes this")
	b.add("fi")
	b.add("command -v update-ca-certificates >/dev/null || exit 1")
	b.add("# Where p11-kit has no store for anchors, it reads the list that this makes. To undo")
	b.add("# this, remove the file and run update-ca-certificates again.")
	b.add("cat >", anchor, ".part <<'PEM'")
	b.WriteString(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Root.Raw})))
	b.add("PEM")
	b.add("chmod 644 ", anchor, ".part")
	b.add("mv -f -- ", anchor, ".part ", anchor)
	b.add("update-ca-certificates")
	return []byte(b.String()), nil
}
