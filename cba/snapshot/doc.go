// Package snapshot holds a tenant that was saved: its configuration, its users
// with their certificateUserIds, and its sign-ins with certificates. It reads and
// writes the file, compares two of them, and says as edits what was changed.
//
// The package reaches no network and compiles nothing of the Graph SDK. Package
// graph fills a [Snapshot] from a tenant and applies its [Edit] values to one; a
// program that reads a saved tenant needs only this package.
//
//   - [Snapshot] is the whole file. [Parse] reads it, json.Marshal writes it,
//     [Snapshot.Edits] compares the users of two of them.
//   - [Edit] is a change of one user's certificateUserIds, [Undo] a line of the file
//     that takes changes back; [ReadUndo] reads that file.
//   - [Row] is a row of the sign-in log, [SignIns] joins rows to sign-ins with
//     certificates, [Summarize] counts them.
//   - [Compare] lists where two JSON values differ.
//
// Every error of the package is an [*Error], or has one in its chain: errors.Is
// with a [Reason] tells them apart.
package snapshot
