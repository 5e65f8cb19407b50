// Package report makes one HTML file from findings, verdicts, comparisons and
// plans: a page to attach to a change request, to give to an auditor, or to open at
// the help desk.
//
// For most uses, fill a [Report] with its parts and call [Report.WriteHTML]:
//
//	r := report.Report{
//		Title:    "Audit of contoso.com",
//		Made:     time.Now(),
//		Findings: report.Findings(found, report.FindingsOptions{}),
//	}
//	err := r.WriteHTML(file)
//
// # What the file is
//
// The file needs nothing else: its style is inside, it has no script, it loads
// nothing, and its Content-Security-Policy forbids all of that, so that a hostile
// name in a certificate stays text. It follows the reader's choice of light or dark,
// and prints.
//
// The same parts can be written as JSON ([Report.WriteJSON]), findings as CSV of
// actions ([WriteCSV]), as SARIF for continuous integration ([WriteSARIF]) and as
// metrics of Prometheus ([WriteMetrics]).
//
// # What goes in
//
// Values: findings of any package of this module ([Findings]), the verdict of
// package signin about one sign-in ([SignIn]), its comparison of two tenants, answer
// by answer ([AffectedPart.Add]), what a change writes, as differences of package
// snapshot ([Plan]), and who signs in with which proof ([Evidence]). The package never
// imports package graph, reads no file and no network, and has no opinion of its own:
// each sentence about a tenant is one of the values.
package report
