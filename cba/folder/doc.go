// Package folder reads and writes the folder in which programs pass on what they have
// issued: the format that the programs of this module share, and that other people's
// programs may read and write, too.
//
// A folder has
//
//	manifest.json   every certificate that counts, and the CA that issued them
//	passwords.csv   the passwords of the PFX files: columns upn and password
//	ca/             the CA: rootCA.crt (PEM) and rootCA.cer (DER) for everyone, the
//	                same of an issuingCA below a root and of intermediateCAs between
//	                them, rootCA.key for nobody else
//	users/          a certificate and a PFX file for every user
//	leftover/       what killed runs left unfinished, and damaged files; nothing counts
//	journal.jsonl   only while a run is at work, or was killed: see [Journal]
//
// # The manifest
//
//	{
//	  "ca": {
//	    "subject": "CN=Entra CBA Root CA",
//	    "serialNumber": "5e1f...", "notAfter": "2036-11-23T10:00:00Z",
//	    "thumbprint": "a94a...", "subjectKeyIdentifier": "0c3d...",
//	    "certificate": "ca/rootCA.crt"
//	  },
//	  "users": [
//	    {
//	      "upn": "jane@contoso.com",
//	      "serialNumber": "7f02...", "notAfter": "2027-11-26T10:00:00Z",
//	      "thumbprint": "de9f...",
//	      "certificate": "users/jane@contoso.com.crt",
//	      "pfx": "users/jane@contoso.com.pfx", "pfxEncoding": "compat",
//	      "certificateUserIds": {
//	        "PrincipalName": "X509:<PN>jane@contoso.com",
//	        "SubjectKeyIdentifier": "X509:<SKI>58ad..."
//	      }
//	    }
//	  ]
//	}
//
// Both properties are required, and a manifest has no others. In "ca" and in a user,
// properties that this package does not know are kept and written back. Files are
// named with slashes, relative to the folder, and lie in it: see [ReadFile]. Nothing in
// the manifest is secret.
//
// The list of the people to issue for is the other direction: a CSV file, see [People].
//
// # Promises
//
// Files appear whole or not at all, also after a power cut ([Write]), with the mode
// that is asked for, whatever the umask. Two runs never work in one folder ([Open],
// [Lock]). A run that is killed at any moment loses nothing that it had recorded, and
// the next one goes on ([Journal]). What is listed is there ([User.Check]): where a file,
// a password or the manifest is missing, nothing is written over what is left. Nothing is
// deleted that this run did not make. A key or a password is not read from a file that
// others could have changed ([ReadSecret]).
//
// The package reads and writes files, and nothing else: no network, no environment.
package folder
