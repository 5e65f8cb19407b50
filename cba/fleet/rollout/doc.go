// Package rollout issues, renews and revokes certificates for a list of users: the
// ledger remembers who has which certificate, and a folder holds the files.
//
// For most uses:
//
//	used, err := rollout.Used(folder)
//	l, err := sqlite.Open(ctx, path, sqlite.Options{Existing: used != ""})
//	r, err := rollout.Open(ctx, folder, l, rollout.Options{Create: used == ""})
//	defer r.Close()
//	counts, err := r.Issue(ctx, ca, list, rollout.Issue{})
//	summary, err := r.Finish(ctx, 0, ca)
//
// Any number of programs can do this at the same time with one ledger and one folder:
// they share the list. If a program is killed, run it again: it continues where it
// stopped, and nobody gets a second certificate.
//
// # The folder
//
//	ledger.id       the id of the ledger that the folder belongs to
//	users/          for each certificate UPN.SERIAL.pfx, .json (its password) and .crt
//	crl/            a CRL for each CA, and the record from which it is made
//	manifest.json   the live certificates, in the format of package folder
//	passwords.csv   their passwords
//	runs/           a folder for each active run: its journal and unfinished files
//	leftover/       a folder for each run that was killed: files that do not count
//
// The folder and the ledger must belong together. [Open] refuses another ledger, a new
// ledger for a folder that is in use, and a folder without the files of the ledger. Then
// it changes nothing.
//
// # The order of the steps
//
// Each certificate has its own files, whose names contain the user and the serial
// number. First the run's journal names them. Then they are written, whole. Then the
// ledger records the certificate, and only that makes it count. If a run is killed before
// that, the next run finds the files with the journal, moves them to leftover/ and lists
// them. If it is killed after that, nothing is lost.
//
// A revocation goes into the ledger first and into the CRL second. A CRL is made from
// the ledger until it contains all revocations of its CA.
//
// The package deletes only what the same run has written. It replaces manifest.json,
// passwords.csv and the CRLs, which it makes from the ledger.
//
// # Secrets
//
// Private keys are only in PFX files. Passwords are only in the .json files and in
// passwords.csv. All of these have mode 0600. No error contains a key or a password.
package rollout
