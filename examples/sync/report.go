package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"example.com/entracba/cba/graph"
	"example.com/entracba/examples/internal/console"
)

// A line is the result for one user, in the form of -json.
type line struct {
	User    string        `json:"userPrincipalName"`
	ID      string        `json:"id,omitempty"`
	Outcome graph.Outcome `json:"outcome"`
	Remove  []string      `json:"remove,omitempty"`
	Add     []string      `json:"add,omitempty"`
	Merged  bool          `json:"merged,omitempty"`
	Reason  string        `json:"reason,omitempty"`
	Error   string        `json:"error,omitempty"`
}

func newLine(p graph.UserPlan) line {
	l := line{User: p.User.UserPrincipalName, ID: p.User.ID, Outcome: p.Outcome, Merged: p.Merged, Reason: p.Reason}
	if l.User == "" {
		l.User = p.Edit.User
	}
	if p.Err != nil {
		l.Error = console.Text(p.Err)
	}
	if p.Outcome != graph.Skipped {
		l.Remove, l.Add = p.Remove(), p.Add()
	}
	return l
}

// tableUsers is how many users of each outcome the table shows.
const tableUsers = 20

// A report counts everyone, and keeps the first few for the table; with -json
// everyone is printed at once, so that neither grows with the tenant.
type report struct {
	options
	mu     sync.Mutex // edits are refused while others are planned
	counts map[graph.Outcome]int
	shown  []line
	place  map[string]int // of planned users, in shown
	kept   map[graph.Outcome]int
	first  bool
	notes  []string
}

func newReport(o options) *report {
	return &report{options: o, counts: map[graph.Outcome]int{}, place: map[string]int{}, kept: map[graph.Outcome]int{}, first: true}
}

// add takes a plan up.
func (r *report) add(p graph.UserPlan) {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := newLine(p)
	r.counts[l.Outcome]++
	if r.keep(l) && l.Outcome == graph.Planned {
		r.place[l.ID] = len(r.shown) - 1
	}
	if l.Outcome != graph.Planned || !r.apply {
		r.emit(l)
	}
}

// done takes up what became of a planned user.
func (r *report) done(p graph.UserPlan) {
	l := newLine(p)
	r.counts[graph.Planned]--
	r.counts[l.Outcome]++
	if i, ok := r.place[l.ID]; ok {
		r.shown[i] = l
	} else if l.Outcome != graph.Written {
		r.keep(l)
	}
	r.emit(l)
}

func (r *report) keep(l line) bool {
	if r.kept[l.Outcome] >= tableUsers {
		return false
	}
	r.kept[l.Outcome]++
	r.shown = append(r.shown, l)
	return true
}

func (r *report) emit(l line) {
	if !r.json {
		return
	}
	separator := ",\n    "
	if r.first {
		separator, r.first = r.head()+"\n    ", false
	}
	fmt.Fprint(console.Machine(console.Stdout), separator, encode(l))
}

// head is the JSON in front of the first user.
func (r *report) head() string { return console.ResultHead("sync") + ",\n  \"users\": [" }

func encode(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "null" // texts, lists and outcomes that are set
	}
	return strings.TrimSpace(b.String())
}

// outcomes in the order of a summary.
var outcomes = []graph.Outcome{graph.Planned, graph.Written, graph.Unverified, graph.Unchanged, graph.Skipped, graph.Failed}

// end prints the table or the end of the JSON, the summary and the next command. failed is
// what ended the run.
func (r *report) end(undo string, failed error) {
	out := console.Stdout
	if r.json {
		machine := console.Machine(out)
		if r.first {
			fmt.Fprint(machine, r.head())
		}
		counts := map[string]int{}
		for _, o := range outcomes {
			counts[o.String()] = r.counts[o]
		}
		text := ""
		if failed != nil {
			text = ",\n  \"error\": " + encode(console.Text(failed))
		}
		fmt.Fprintf(machine, "\n  ],\n  \"counts\": %s,\n  \"notes\": %s,\n  \"undo\": %s%s\n}\n",
			encode(counts), encode(append([]string{}, r.notes...)), encode(undo), text)
		return
	}
	style := console.StyleFor(os.Stdout)
	rows := [][]string{{"USER", "OUTCOME", "CHANGE"}}
	for _, l := range r.shown {
		rows = append(rows, l.rows()...)
	}
	if len(rows) > 1 {
		console.Table(out, style, rows...)
		fmt.Fprintln(out)
	}
	var words []string
	total := 0
	for _, o := range outcomes {
		total += r.counts[o]
		if n := r.counts[o]; n > 0 {
			words = append(words, fmt.Sprintf("%d %v", n, o))
		}
	}
	if more := total - len(r.shown); more > 0 {
		fmt.Fprintf(out, "%s not shown; use -json to list all.\n", console.Count(more, "more user is", "more users are"))
	}
	if total > 0 {
		fmt.Fprintf(out, "%s: %s\n", console.Count(total, "user"), strings.Join(words, ", "))
	}
	for _, n := range r.notes {
		fmt.Fprintf(out, "%s  %s\n", style.Yellow("note"), n)
	}
	if undo != "" {
		fmt.Fprintf(out, "To undo this run:\n  %s\n", console.Command("sync", append(r.tenant.Args(), "-undo", undo, "-apply")...))
	}
	if failed != nil {
		return // the error says how to go on
	}
	again := console.Command("sync", r.args...)
	signins := append([]string{}, r.tenant.Args()...)
	if r.manifest != "" {
		signins = append(signins, "-manifest", r.manifest)
	}
	look := console.Command("signins", signins...)
	switch {
	case r.apply && r.counts[graph.Failed]+r.counts[graph.Unverified] > 0:
		if undo == "" && r.counts[graph.Written] == 0 {
			fmt.Fprintln(out, "Nothing was written.")
		}
		console.Next(out, style, "Mend what failed, and run this again: what is there already is not written again.", again)
	case r.apply && r.counts[graph.Written] == 0:
		fmt.Fprintln(out, "No changes were necessary.")
		console.Next(out, style, "See how the users sign in with their certificates.", look)
	case r.apply && r.tenant.IsDemo():
		fmt.Fprintln(out, "The demonstration ends with this run: nothing is kept.")
		console.Next(out, style, "Do the same in a tenant, as a dry run first.", console.Command("sync", "-tenant", "ID", "-manifest", cmp.Or(r.manifest, "out/manifest.json")))
	case r.apply:
		console.Next(out, style, "When the users have signed in, see how it went.", look)
	case r.counts[graph.Planned] > 0:
		fmt.Fprintln(out, "This was a dry run. To write these changes, run the same command with -apply.")
		console.Next(out, style, "Write these changes.", console.Command("sync", append(slices.Clone(r.args), "-apply")...))
	case r.counts[graph.Failed] > 0:
		console.Next(out, style, "Mend what failed, and run this again.", again)
	default:
		console.Next(out, style, "Nothing to do. See how the users sign in with their certificates.", look)
	}
}

// rows are the lines of the table about one user: one for each value.
func (l line) rows() [][]string {
	var changes []string
	for _, v := range l.Remove {
		changes = append(changes, "- "+v)
	}
	for _, v := range l.Add {
		changes = append(changes, "+ "+v)
	}
	if l.Merged {
		changes = append(changes, "merged with a change made at the same time")
	}
	for _, text := range []string{l.Reason, l.Error} {
		if text != "" {
			changes = append(changes, text)
		}
	}
	if len(changes) == 0 {
		changes = []string{""}
	}
	rows := [][]string{{l.User, l.Outcome.String(), changes[0]}}
	for _, c := range changes[1:] {
		rows = append(rows, []string{"", "", c})
	}
	return rows
}
