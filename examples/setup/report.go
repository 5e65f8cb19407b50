package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"example.com/entracba/cba/graph"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/signin"
	"example.com/entracba/cba/snapshot"
	"example.com/entracba/examples/internal/console"
)

// A report is what was found out and done.
type report struct {
	options
	demo     bool
	plan     graph.TenantPlan
	affected affected
	locks    lint.Findings
	refused  *refusal
	notes    []string
	saved    string // the plan's file
	applied  bool
}

// A change is one thing that a plan changes, in the form of -json.
type change struct {
	Action string `json:"action"` // create, change or delete
	Object string `json:"object"`
	place
	Differences []place `json:"differences,omitempty"`
}

// A place is where two values differ.
type place struct {
	Path   string          `json:"path,omitempty"`
	Before json.RawMessage `json:"before,omitempty"`
	After  json.RawMessage `json:"after,omitempty"`
}

func placeOf(d snapshot.Difference) place { return place{d.Path, d.Before, d.After} }

const (
	created = "create"
	altered = "change"
	deleted = "delete"
)

// changes are those of the plan, in its order.
func (r report) changes() []change {
	list := []change{}
	for _, steps := range [][]graph.TrustStep{r.plan.Trust.Steps, r.plan.Classic} {
		for _, s := range steps {
			c := change{Action: altered}
			switch s.Action {
			case graph.AddPKI, graph.AddAuthority:
				c.Action = created
			case graph.RemovePKI, graph.RemoveAuthority:
				c.Action = deleted
			}
			first, _, _ := strings.Cut(s.String(), "\n")
			_, c.Object, _ = strings.Cut(first, " ") // behind the verb
			for _, d := range s.Differences {
				c.Differences = append(c.Differences, placeOf(d))
			}
			if s.Action == graph.AddAuthority && s.Authority.CertificateRevocationListURL != "" {
				url, _ := json.Marshal(s.Authority.CertificateRevocationListURL) // a string
				c.Differences = []place{{Path: "certificateRevocationListUrl", After: url}}
			}
			list = append(list, c)
		}
	}
	for _, d := range r.plan.Policy.Differences {
		c := change{Action: altered, Object: "method configuration", place: placeOf(d)}
		switch {
		case d.Before == nil:
			c.Action = created
		case d.After == nil:
			c.Action = deleted
		}
		list = append(list, c)
	}
	return list
}

// print prints all of it and, at the end, the next command.
func (r report) print(w *console.Output) error {
	changes := r.changes()
	counts := map[string]int{created: 0, altered: 0, deleted: 0}
	for _, c := range changes {
		counts[c.Action]++
	}
	if r.json {
		refused := ""
		if r.refused != nil {
			refused = r.refused.why
		}
		return console.Result(w, "setup", struct {
			TenantID string         `json:"tenantId"`
			Changes  []change       `json:"changes"`
			Counts   map[string]int `json:"counts"`
			Affected affected       `json:"affected"`
			Lockouts lint.Findings  `json:"lockouts"`
			Notes    []string       `json:"notes"`
			Refused  string         `json:"refused,omitempty"`
			Plan     string         `json:"plan,omitempty"`
			Applied  bool           `json:"applied"`
			Next     []step         `json:"next"`
		}{r.plan.TenantID, changes, counts, r.affected, append(lint.Findings{}, r.locks...), append([]string{}, r.notes...), refused, r.saved, r.applied, r.next()})
	}
	style := console.StyleFor(os.Stdout)
	for _, n := range r.notes {
		fmt.Fprintf(w, "%s  %s\n", style.Yellow("note"), console.Clean(n))
	}
	if len(changes) == 0 {
		fmt.Fprintf(w, "Nothing to do: the tenant %s is as it should be.\n", r.plan.TenantID)
		r.printNext(w, style)
		return nil
	}
	fmt.Fprintf(w, "%s  tenant %s\n", style.Bold("CHANGES"), r.plan.TenantID)
	for _, c := range changes {
		c.print(w, style)
	}
	fmt.Fprintf(w, "%d to create, %d to change, %d to delete.\n", counts[created], counts[altered], counts[deleted])
	if len(r.plan.Classic) > 0 {
		fmt.Fprintln(w, "The classic store has no update: it is deleted and created again, and for a moment users whose CAs are only in it cannot sign in.")
	}
	r.affected.print(w, style)
	if len(r.locks) > 0 {
		fmt.Fprintf(w, "\n%s\n", style.Bold(style.Red("LOCKED OUT BY THE SETTINGS")))
		for _, f := range r.locks {
			fmt.Fprintf(w, "  %s: %s\n", console.Clean(cmp.Or(f.About, f.Where)), console.Clean(f.What))
			if f.Do != "" {
				fmt.Fprintf(w, "    do: %s\n", console.Clean(f.Do))
			}
		}
	}
	fmt.Fprintln(w)
	switch {
	case r.applied && r.undo != "":
		fmt.Fprintln(w, style.Green("Taken back, and read back: the tenant is as it was before the plan."))
	case r.applied:
		fmt.Fprintln(w, style.Green("Applied, and read back. Entra can take an hour to use the new settings."))
	case r.refused != nil && r.allowLockout:
		fmt.Fprintf(w, "%s: %s.\n", style.Red("ALLOWED BY -allow-lockout"), r.refused.why)
	case r.refused != nil:
		fmt.Fprintf(w, "%s: %s.\n", style.Red("Refused, and nothing was changed"), r.refused.why)
	default:
		fmt.Fprintln(w, "Nothing was changed yet.")
	}
	r.printNext(w, style)
	return nil
}

// maxValue is how much of a value a line shows.
const maxValue = 160

func (c change) print(w io.Writer, style console.Style) {
	mark, paint := "~", style.Yellow
	switch c.Action {
	case created:
		mark, paint = "+", style.Green
	case deleted:
		mark, paint = "-", style.Red
	}
	text, below := c.Object, c.Differences
	if c.Path != "" {
		if below = c.members(); below == nil {
			text = c.Path + c.values()
		} else {
			text = c.Path
		}
	}
	fmt.Fprintf(w, "  %s %s\n", paint(mark), console.Clean(text))
	for _, d := range below {
		fmt.Fprintf(w, "      %s%s\n", console.Clean(d.Path), console.Clean(d.values()))
	}
}

// members are the properties of an object that is new or goes; nil for other values.
func (p place) members() []place {
	value := p.After
	if value == nil {
		value = p.Before
	} else if p.Before != nil {
		return nil
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(value, &object) != nil {
		return nil
	}
	list := []place{}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if string(object[name]) != "null" {
			list = append(list, place{Path: name, After: object[name]})
		}
	}
	return list
}

func (p place) values() string {
	clip := func(text json.RawMessage) string {
		if runes := []rune(string(text)); len(runes) > maxValue {
			return string(runes[:maxValue]) + "..."
		}
		return string(text)
	}
	switch {
	case p.Before == nil:
		return ": " + clip(p.After)
	case p.After == nil:
		return ": " + clip(p.Before)
	}
	return ": " + clip(p.Before) + " -> " + clip(p.After)
}

// tableUsers is how many users the table shows.
const tableUsers = 20

func (a affected) print(w io.Writer, style console.Style) {
	fmt.Fprintf(w, "\n%s\n", style.Bold("WHO IS AFFECTED"))
	// Who loses access comes first.
	var first, rest []difference
	for _, d := range a.Users {
		if d.loses() {
			first = append(first, d)
		} else {
			rest = append(rest, d)
		}
	}
	rows := [][]string{{"USER", "CHANGE", "BEFORE", "AFTER"}}
	for _, d := range append(first, rest...) {
		if len(rows) > tableUsers {
			break
		}
		rows = append(rows, []string{d.User, d.Difference.String(), show(d.Before), show(d.After)})
	}
	if len(rows) > 1 {
		console.Table(w, style, rows...)
	}
	if more := len(a.Users) - len(rows) + 1; more > 0 {
		fmt.Fprintf(w, "%s not shown; use -json to list all.\n", console.Count(more, "more user is", "more users are"))
	}
	var codes []string
	for _, d := range a.Users[:len(rows)-1] {
		codes = append(codes, d.Before.Code, d.After.Code)
	}
	if console.Codes(w, codes...) {
		fmt.Fprintln(w)
	}
	if known := a.known(); known > 0 {
		words := []string{}
		for _, d := range []struct {
			is   signin.Difference
			text string
		}{{signin.Loses, "lose access"}, {signin.Gains, "gain access"}, {signin.Weaker, "weaker"}, {signin.Stronger, "stronger"},
			{signin.NotKnown, "not known"}, {signin.Same, "unchanged"}} {
			if n := a.Counts[d.is.String()]; n > 0 {
				words = append(words, fmt.Sprintf("%d %s", n, d.text))
			}
		}
		fmt.Fprintf(w, "%s with a certificate at hand: %s.\n", console.Count(known, "user"), strings.Join(words, ", "))
	}
	if n := a.Counts[signin.WithoutCertificate.String()]; n > 0 {
		fmt.Fprintf(w, "%s in scope without a certificate at hand: what the change means to them is %s.\n", console.Count(n, "user is", "users are"), style.Yellow("not known"))
	}
	if a.WithoutCRLs > 0 {
		fmt.Fprintf(w, "%s compared as if every CRL could be fetched, because one cannot from here; -crl reads it from a file.\n", console.Count(a.WithoutCRLs, "user was", "users were"))
	}
	if a.NotAtHand > 0 {
		fmt.Fprintf(w, "%s %s: what the change means to them is %s. -users or -manifest gives their certificates.\n",
			console.Count(a.NotAtHand, "user"), "of the tenant without a certificate at hand", style.Yellow("not known"))
	}
	if n := len(a.NotInTenant); n > 0 {
		fmt.Fprintf(w, "%s of the list not in the tenant: %s.\n", console.Count(n, "user is", "users are"), console.Clean(some(a.NotInTenant)))
	}
}

// some are the first of a list.
func some(list []string) string {
	if len(list) > 3 {
		return strings.Join(list[:3], ", ") + fmt.Sprintf(" and %d more", len(list)-3)
	}
	return strings.Join(list, ", ")
}

func show(a signin.Answer) string {
	switch {
	case a.SignedIn:
		return a.AuthenticationMode.String()
	case a.Outcome == signin.Undecided:
		return "not known"
	case a.Code == "":
		return "no certificate"
	}
	return "refused, " + a.Code
}

// A step is what to do next, and its command.
type step struct {
	Why     string `json:"why"`
	Command string `json:"command"`
}

// next are the steps that go on from here, the first one first.
func (r report) next() []step {
	command := func(program string, more ...string) string {
		return console.Command(program, append(r.tenant.Args(), more...)...)
	}
	again := func(more ...string) string {
		return console.Command("setup", append(append([]string{}, r.args...), more...)...)
	}
	check := step{"Check the tenant.", command("audit")}
	switch {
	case r.demo && len(r.args) > 0:
		return []step{{"Plan this change of your tenant.", again("-tenant", "ID", "-out", "plan.json")}}
	case r.demo:
		return []step{{"Plan a change of your tenant.", console.Command("setup", "-tenant", "ID", "-then", "tenant.json", "-users", "users.jsonl", "-out", "plan.json")}}
	case r.applied && r.undo == "":
		return []step{{"To take it back:", command("setup", "-undo", r.saved)}, check}
	case r.plan.Empty() || r.applied:
		return []step{check}
	case r.refused != nil && !r.allowLockout:
		return []step{{"Only if that is meant:", again("-allow-lockout")}}
	case r.saved != "" && r.bundle != "":
		more := []string{"-apply", r.saved, "-bundle", r.bundle, "-upload", "URL"}
		if r.refused != nil {
			more = append(more, "-allow-lockout")
		}
		return []step{{"Publish " + r.bundle + " at a URL that Entra reaches, and apply the plan.", command("setup", more...)}}
	case r.saved != "" && r.refused != nil:
		return []step{{"Apply it.", command("setup", "-apply", r.saved, "-allow-lockout")}}
	case r.saved != "":
		return []step{{"Apply it.", command("setup", "-apply", r.saved)}}
	}
	return []step{{"Save this plan.", again("-out", "plan.json")}}
}

func (r report) printNext(w io.Writer, style console.Style) {
	console.Written(w, r.options.html)
	for _, s := range r.next() {
		console.Next(w, style, s.Why, s.Command)
	}
}
