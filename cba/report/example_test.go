package report_test

import (
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/report"
)

// exampleFindings are those of a configuration.
func exampleFindings() lint.Findings {
	config, err := policy.Parse([]byte(`{"id": "X509Certificate", "state": "enabled", "includeTargets": []}`))
	if err != nil {
		log.Fatal(err)
	}
	return config.Findings()
}

// The findings of a configuration as a page of its own.
func Example() {
	page := report.Report{
		Title:    "Audit of contoso.com",
		Made:     time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC),
		Findings: report.Findings(exampleFindings(), report.FindingsOptions{}),
	}
	var html strings.Builder
	if err := page.WriteHTML(&html); err != nil {
		log.Fatal(err)
	}
	os.Stdout.WriteString(strings.SplitAfter(html.String(), "\n")[0])
	// Output: <!doctype html>
}

// The same findings as a list of actions for a spreadsheet.
func ExampleWriteCSV() {
	var list strings.Builder
	if err := report.WriteCSV(&list, report.Findings(exampleFindings(), report.FindingsOptions{Least: lint.Error})); err != nil {
		log.Fatal(err)
	}
	for line := range strings.Lines(list.String()) {
		fmt.Println(strings.Join(strings.Split(line, ",")[:5], ","))
	}
	// Output:
	// severity,effect,state,code,where
	// error,locks-out,,policy-no-targets,/includeTargets
	// error,locks-out,,policy-no-bindings,/certificateUserBindings
}
