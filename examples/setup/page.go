package main

import (
	"encoding/json"
	"fmt"

	"example.com/entracba/cba/folder"
	pages "example.com/entracba/cba/report"
	"example.com/entracba/cba/snapshot"
	"example.com/entracba/examples/internal/console"
)

// page writes the plan for those who have to agree to it: what it changes, who is
// affected, and what takes access away.
func (r report) page() error {
	differences, err := r.differences()
	if err != nil {
		return err
	}
	page := pages.Report{Title: "A change of certificate sign-ins", Subject: "tenant " + r.plan.TenantID, Made: r.plan.Made, Version: "setup",
		Plan: pages.Plan("Settings for certificate sign-ins", differences)}
	if len(r.affected.Counts) > 0 {
		page.Affected = &r.affected.part
	}
	if r.affected.NotAtHand > 0 {
		page.Subject += fmt.Sprintf("; nothing is known about %s of the tenant whose certificates are not at hand", console.Count(r.affected.NotAtHand, "user"))
	}
	if len(r.locks) > 0 {
		page.Findings = pages.Findings(r.locks, pages.FindingsOptions{At: r.plan.Made})
	}
	return folder.Stream(r.options.html, folder.Secret, page.WriteHTML)
}

// differences are the settings before and after, place by place.
func (r report) differences() (snapshot.Differences, error) {
	before, err := json.Marshal(r.plan.Before)
	if err != nil {
		return nil, err
	}
	after, err := json.Marshal(r.plan.After)
	if err != nil {
		return nil, err
	}
	return snapshot.Compare(before, after)
}
