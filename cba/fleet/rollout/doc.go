// Package rollout issues, renews and revokes certificates for a list of users: the
// ledger remembers who has which certificate, and a folder holds the files.
//
// For most uses:
//
//	used, err := rollout.Used(folder)
//	l, err := sqlite.Open(ctx, path, sqlite.Options{Existing: used != ""})
//	r, err := rollout.Open(ctx, folder, l, rollout.Options{Create: true})
//	defer r.Close()
//	counts, err := r.Issue(ctx, ca, list, rollout.Issue{})
//	summary, err := r.Finish(ctx, 0, ca)
//
// Any number of programs can do this at once with one ledger and one folder: they
// share the list. A program may be killed at any moment: run it again, and it
// continues where it stopped. Nobody gets a second certificate.
//
// # The folder
//
//	ledger.id       the id of the ledger that the folder belongs to
//	users/          for each certificate UPN.SERIAL.pfx, .json (its password) and .crt
//	crl/            a CRL for each CA, and the record from which it is made
//	manifest.json   the live certificates, in the form that examples/issue writes
//	passwords.csv   their passwords
//	runs/           a folder for each run that is going on: its journal, unfinished files
//	leftover/       what killed runs left behind
//
// The folder and the ledger must belong together. [Open] refuses another ledger, a
// new one beside a folder that is in use, and a folder without the files of the
// ledger; it changes nothing then.
//
// # The order of the steps
//
// Each certificate has files of its own, named by user and serial number. The run's
// journal names them; then they are written, whole; then the row in the ledger makes
// them count. A run that is killed before the row leaves files that only its journal
// knows. The next run moves them to leftover/ and names them. A run that is killed
// after the row has lost nothing.
//
// A revocation is a row first and a CRL second. A CRL is made from the rows until it
// has all of them.
//
// This package deletes nothing but what the same run has written.
//
// # Secrets
//
// Keys are in PFX files only; passwords are in the .json file beside each PFX, in
// passwords.csv, and nowhere else. Both have mode 0600. No error holds either.
package rollout
