package report

import (
	"encoding/json"

	"example.com/entracba/cba/snapshot"
)

// PlanPart is the part of a report with what a change writes.
type PlanPart struct {
	// What names the object that is changed, such as "authentication method policy".
	What string
	// Differences are the places that change, of [snapshot.Compare].
	Differences snapshot.Differences
}

// Plan returns the part of a report with what a change writes.
func Plan(what string, differences snapshot.Differences) *PlanPart {
	return &PlanPart{what, differences}
}

// A change is a difference as a page and as JSON show it.
type change struct {
	Path   string          `json:"path"`
	Before json.RawMessage `json:"before,omitempty"`
	After  json.RawMessage `json:"after,omitempty"`
}

func (p *PlanPart) changes() []change {
	list := []change{}
	for _, d := range p.Differences {
		list = append(list, change{d.Path, d.Before, d.After})
	}
	return list
}
