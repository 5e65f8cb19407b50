package main

import (
	"io"
	"path/filepath"
	"strings"

	"example.com/entracba/cba/folder"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/report"
	"example.com/entracba/examples/internal/console"
)

// beside is the name of the JSON beside a page.
func beside(page string) string {
	if page == "" {
		return ""
	}
	return strings.TrimSuffix(page, filepath.Ext(page)) + ".json"
}

// write writes the files that were asked for: the page with its JSON, which the page
// after it compares with, SARIF, CSV and metrics.
func (o options) write(a *audit) error {
	part, err := o.part(a)
	if err != nil {
		return err
	}
	r := report.Report{Title: "Certificate-based authentication: audit", Subject: o.tenant.Subject(), Made: a.At, Version: "audit", Findings: part}
	sarif := report.SARIFOptions{}
	if o.tenant.IsFile() && !filepath.IsAbs(o.tenant.ID) {
		sarif.File = filepath.ToSlash(o.tenant.ID)
	}
	for _, file := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{o.html, r.WriteHTML},
		{beside(o.html), r.WriteJSON},
		{o.sarif, func(w io.Writer) error { return report.WriteSARIF(w, part, sarif) }},
		{o.csv, func(w io.Writer) error { return report.WriteCSV(w, part) }},
		{o.metrics, func(w io.Writer) error { return report.WriteMetrics(w, a.metrics()) }},
	} {
		if file.name == "" {
			continue
		}
		mode := folder.Secret
		if file.name == o.metrics {
			mode = folder.Public // for the program that collects it, and without users' names
		}
		if err := folder.Stream(file.name, mode, file.write); err != nil {
			return err
		}
	}
	return nil
}

// metrics are the figures that change with time.
func (a *audit) metrics() report.Metrics {
	m := report.Metrics{Now: a.At, Findings: a.Findings}
	for _, l := range a.Lists {
		m.CRLs = append(m.CRLs, report.CRLMetric{URL: l.URL, CA: l.Authority, NextUpdate: l.NextUpdate})
	}
	for _, c := range a.Authorities {
		m.CAs = append(m.CAs, report.CAMetric{CA: c.Subject, NotAfter: c.NotAfter})
	}
	return m
}

// maxReport bounds an earlier report and a list of omissions.
const maxReport = 256 << 20

// part are the findings beside those of the last report and those that are accepted.
func (o options) part(a *audit) (*report.FindingsPart, error) {
	options := report.FindingsOptions{At: a.At, OnlyEffects: o.show == "effects"}
	switch o.show {
	case "errors":
		options.Least = lint.Error
	case "warnings":
		options.Least = lint.Warning
	}
	if o.last != "" {
		text, err := folder.Read(o.last, maxReport)
		if err != nil {
			return nil, err
		}
		if options.Before, err = report.ReadFindings(text); err != nil {
			return nil, console.Usage("%s: %w", o.last, err)
		}
	}
	if o.omit != "" {
		text, err := folder.Read(o.omit, maxReport)
		if err != nil {
			return nil, err
		}
		if options.Omissions, err = report.ParseOmissions(text); err != nil {
			return nil, console.Usage("%s: %w", o.omit, err)
		}
	}
	return report.Findings(a.Findings, options), nil
}
