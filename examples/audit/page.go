package main

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"

	"example.com/entracba/cba/folder"
	"example.com/entracba/cba/report"
	"example.com/entracba/examples/internal/console"
)

// beside is the name of the JSON beside a page.
func beside(page string) string {
	return strings.TrimSuffix(page, filepath.Ext(page)) + ".json"
}

// page writes the findings as a page, and as JSON for the page after it.
func (o options) page(a *audit) error {
	options := report.FindingsOptions{At: a.At}
	if o.last != "" {
		text, err := os.ReadFile(o.last)
		if err != nil {
			return err
		}
		if options.Before, err = report.ReadFindings(text); err != nil {
			return console.Usage("%s: %w", o.last, err)
		}
	}
	if o.omit != "" {
		text, err := os.ReadFile(o.omit)
		if err != nil {
			return err
		}
		if options.Omissions, err = report.ParseOmissions(text); err != nil {
			return console.Usage("%s: %w", o.omit, err)
		}
	}
	subject := "the demonstration tenant"
	if !o.tenant.IsDemo() {
		subject = "tenant " + cmp.Or(o.tenant.ID, o.tenant.Endpoint)
	}
	r := report.Report{Title: "Certificate-based authentication: audit", Subject: subject, Made: a.At, Version: "audit",
		Findings: report.Findings(a.Findings, options)}
	if err := folder.Stream(o.html, folder.Secret, r.WriteHTML); err != nil {
		return err
	}
	return folder.Stream(beside(o.html), folder.Secret, r.WriteJSON)
}
