// Sync writes the IDs of issued certificates to the accounts in Entra. It plans the
// certificateUserIds of every user in a manifest that examples/issue wrote, and
// prints the changes. Only with -apply does it write them.
//
//	go run ./examples/sync
//	go run ./examples/sync -tenant ID -manifest out/manifest.json [-mapping IssuerAndSerialNumber,SKI] [-apply]
//	go run ./examples/sync -tenant ID -undo FILE [-apply]
//
// Values are merged with those that each user already has; no other property of the
// user is changed. Before the first write, a file with all changes is on disk; -undo
// reads it and reverses them; one that was cut off is refused, and so is, with -apply, a
// manifest or an undo file that others than its owner could change. Run again, sync
// continues where it stopped: values that are already there are not written again. Two
// runs that write in one folder exclude each other.
//
// Without -tenant or -endpoint it works on a demonstration inside the program, of which
// nothing is kept. Exit status: 0 done, or nothing to do; 1 some users failed; 2 the
// command line or the input cannot be used, or the tenant did not answer; 4 changes are
// pending (only with -exit-code).
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/folder"
	"example.com/entracba/cba/graph"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/snapshot"
	"example.com/entracba/examples/internal/console"
	"example.com/entracba/examples/internal/saved"
	"example.com/entracba/examples/internal/tenant"
)

func main() { console.Main("sync", run) }

// options is the command line, read and checked.
type options struct {
	tenant                tenant.Flags
	manifest, undo        string
	mappings              []certuserid.Mapping
	replace, apply, asked bool
	exitCode              bool
	rate                  float64
	json                  bool
	args                  []string // the command line, for the next command
}

func parse(args []string) (options, error) {
	o := options{mappings: []certuserid.Mapping{certuserid.SKI}, args: args}
	f := flag.NewFlagSet("sync", flag.ContinueOnError)
	f.StringVar(&o.manifest, "manifest", "", "the manifest.json `FILE` that issue or fleet wrote")
	f.Func("mapping", "`MAPPINGS` to write, separated by commas: SKI (default), IssuerAndSerialNumber, SHA1PublicKey, ...", func(text string) error {
		o.mappings = nil
		for name := range strings.SplitSeq(text, ",") {
			m, err := certuserid.ParseMapping(strings.TrimSpace(name))
			if err != nil {
				return err
			}
			o.mappings = append(o.mappings, m)
		}
		return nil
	})
	f.BoolVar(&o.replace, "replace", false, "replace all existing values of the same mapping, for renewed certificates; without it, values are added")
	f.BoolVar(&o.apply, "apply", false, "write the changes; without it, they are only printed (dry run)")
	f.Float64Var(&o.rate, "rate", 20, "`N` writes per second after the first 3,000 users (Graph's limit per app is 20); -1 = no limit of our own, wait only when Graph asks")
	f.BoolVar(&o.exitCode, "exit-code", false, "exit with status 4 if changes are pending")
	f.StringVar(&o.undo, "undo", "", "undo an earlier run: the sync-undo-*.jsonl `FILE` that it wrote")
	f.BoolVar(&o.json, "json", false, "print JSON with every user; the table shows only the first users of each outcome")
	o.tenant.Register(f)
	if err := console.ParseFlags(f, args, "Writes the IDs of issued certificates to the accounts in Entra.", "[flags]",
		"", "-tenant ID -manifest out/manifest.json", "-tenant ID -manifest out/manifest.json -mapping IssuerAndSerialNumber,SKI -apply",
		"-tenant ID -undo out/sync-undo-20261126T120000Z.jsonl -apply"); err != nil {
		return o, err
	}
	given := console.Given(f)
	o.asked = given["mapping"] || given["replace"]
	switch {
	case given["rate"] && !o.apply:
		return o, console.Usage("-rate is for writes: it has no effect without -apply")
	case !(o.rate > 0) && o.rate != -1:
		return o, console.Usage("-rate %v: must be a number of writes per second, or -1", o.rate)
	case o.exitCode && o.apply:
		return o, console.Usage("-exit-code is for a dry run: it has no effect with -apply")
	case f.NArg() > 0:
		return o, console.Usage("unexpected argument %q; for help: go run ./examples/sync -h", f.Arg(0))
	case o.undo != "" && (o.manifest != "" || o.asked):
		return o, console.Usage("-undo cannot be combined with -manifest, -mapping or -replace")
	case o.undo == "" && o.manifest == "" && !o.tenant.IsDemo():
		return o, console.Usage("-manifest is required: the manifest.json that \"issue\" wrote, for example out/manifest.json")
	}
	return o, nil
}

func run(args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	t, err := o.open()
	if err != nil {
		return err
	}
	defer t.Close()
	t.WriteRate = o.rate
	if o.apply && t.Demo == nil {
		// Who can change this file decides whose certificate opens which account.
		if err := folder.CheckPrivate(o.source()); err != nil {
			return usage(fmt.Errorf("nothing was written to the tenant: %w", err))
		}
	}
	w := &work{options: o, tenant: t, r: newReport(o)}
	// The whole input is read once before the tenant is asked anything.
	for _, err := range w.edits(nil) {
		if err != nil {
			return usage(err)
		}
		w.total++
	}
	if w.total == 0 {
		return console.Usage("%s contains no users", o.source())
	}
	if !o.json {
		t.Announce(console.Stdout)
	}
	err = w.sync(ctx)
	if err == nil && o.undo == "" {
		w.r.notes = w.unbound(ctx)
	}
	w.r.end(w.undoName, err)
	switch {
	case err != nil:
		return &console.Failure{Status: console.Unusable, Err: err}
	case w.r.counts[graph.Failed]+w.r.counts[graph.Unverified] > 0:
		return console.ErrNo
	case o.exitCode && w.r.counts[graph.Planned] > 0:
		return console.ErrPending
	}
	return nil
}

// usage marks an error as one of the input, unless it is that already.
func usage(err error) error {
	var failure *console.Failure
	if errors.As(err, &failure) {
		return err
	}
	return console.Usage("%w", err)
}

func (o options) source() string {
	switch {
	case o.undo != "":
		return o.undo
	case o.manifest != "":
		return o.manifest
	}
	return "the demonstration"
}

// open opens the tenant. The demonstration knows everyone who is in the manifest.
func (o options) open() (*tenant.Tenant, error) {
	var names []string
	if o.tenant.IsDemo() && o.manifest != "" {
		for u, err := range saved.Manifest(o.manifest) {
			if err != nil {
				return nil, err
			}
			names = append(names, u.UPN)
		}
	}
	return o.tenant.Open(names...)
}

// work is one run.
type work struct {
	options
	tenant   *tenant.Tenant
	r        *report
	total    int
	planned  []snapshot.Undo // with -apply: what is to be written, some 500 B a user
	undoName string          // the file that takes this run back
}

// edits is what is to be done: from the undo file, the manifest or the
// demonstration. Users for whom nothing can be done are passed to refuse.
func (w *work) edits(refuse func(upn string, err error)) iter.Seq2[snapshot.Edit, error] {
	if w.undo != "" {
		return func(yield func(snapshot.Edit, error) bool) {
			f, err := os.Open(w.undo)
			if err != nil {
				yield(snapshot.Edit{}, err)
				return
			}
			defer f.Close()
			if err := whole(f); err != nil {
				yield(snapshot.Edit{}, fmt.Errorf("%s: %w", w.undo, err))
				return
			}
			for e, err := range snapshot.ReadUndo(f) {
				if err != nil {
					err = fmt.Errorf("%s: %w", w.undo, err)
				}
				if !yield(e, err) || err != nil {
					return
				}
			}
		}
	}
	users := saved.Manifest(w.manifest)
	if w.manifest == "" {
		users = w.demonstration()
	}
	return func(yield func(snapshot.Edit, error) bool) {
		for u, err := range users {
			var e snapshot.Edit
			if err == nil {
				var unfit error
				if e, unfit = w.edit(u, time.Now()); unfit != nil && refuse != nil {
					refuse(u.UPN, unfit)
					continue
				}
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// whole refuses an undo file whose last line breaks off. Sync writes the file whole before
// it writes to the tenant, so what is missing of it was written, and passing it over would
// leave users as they are and say that all was taken back.
func whole(f *os.File) error {
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return err
	}
	var last [1]byte
	if _, err := f.ReadAt(last[:], info.Size()-1); err != nil {
		return err
	}
	if last[0] != '\n' {
		return errors.New("the file breaks off in its last line, so users who were written may be missing from it: restore the whole file, or end or remove that line to take back the others alone")
	}
	return nil
}

// demonstration is the manifest that belongs to the demonstration.
func (w *work) demonstration() iter.Seq2[folder.User, error] {
	return func(yield func(folder.User, error) bool) {
		for _, account := range w.tenant.Demo.Tenant.Users {
			cert := w.tenant.Demo.Certificates[account.UserPrincipalName]
			if cert == nil {
				continue
			}
			u := folder.User{UPN: account.UserPrincipalName, NotAfter: cert.NotAfter, CertificateUserIDs: map[certuserid.Mapping]certuserid.ID{}}
			for _, id := range certuserid.All(cert) {
				u.CertificateUserIDs[id.Mapping()] = id
			}
			if !yield(u, nil) {
				return
			}
		}
	}
}

// edit is what one line of the manifest asks for.
func (o options) edit(u folder.User, now time.Time) (snapshot.Edit, error) {
	e := snapshot.Edit{User: u.UPN}
	switch {
	case u.UPN == "":
		return e, errors.New("the entry in the manifest has no UPN")
	case !u.NotAfter.IsZero() && !now.Before(u.NotAfter):
		return e, fmt.Errorf("the certificate expired on %s; issue a new one", u.NotAfter.Format("2006-01-02"))
	}
	for _, m := range o.mappings {
		id, ok := u.CertificateUserIDs[m]
		switch {
		case !ok:
			return e, fmt.Errorf("the certificate has no value for %s", m.Name())
		case o.replace:
			e.Replace = append(e.Replace, snapshot.Replacement{Mapping: m, IDs: []certuserid.ID{id}})
		default:
			e.Add = append(e.Add, id.String())
		}
	}
	return e, nil
}

// unbound says which of the written values no username binding of the tenant uses. An
// app that may write users may not be allowed to read the policy: then it says
// nothing.
func (w *work) unbound(ctx context.Context) (notes []string) {
	config, err := w.tenant.Policy(ctx)
	if err != nil {
		return nil
	}
	for _, m := range w.mappings {
		if !slices.ContainsFunc(config.UserBindings, func(b policy.UserBinding) bool {
			return string(b.Field) == string(m) && b.Property == policy.CertificateUserIDs
		}) {
			notes = append(notes, fmt.Sprintf("The tenant has no username binding that uses %s with certificateUserIds, so these values have no effect yet. Add one first.", m.Name()))
		}
	}
	return notes
}

// sync plans everyone, puts the undo file on the disk, and then writes what it has
// planned. Another run in the same folder is kept out from before the plan.
func (w *work) sync(ctx context.Context) error {
	if !w.apply {
		return w.plan(ctx, io.Discard)
	}
	if w.tenant.Demo != nil {
		return w.demonstrate(ctx)
	}
	dir := folderOf(w.source())
	unlock, err := folder.Lock(filepath.Join(dir, ".sync.lock"))
	if err != nil {
		return fmt.Errorf("nothing was written to the tenant: %w", err)
	}
	defer unlock()
	pending, err := folder.PrepareNew(undoNames(dir, time.Now()), folder.Secret, func(out io.Writer) error { return w.plan(ctx, out) })
	if err != nil {
		return fmt.Errorf("nothing was written to the tenant: %w", err)
	}
	planned := len(w.planned)
	if planned == 0 {
		pending.Discard()
		return nil
	}
	if err := pending.Commit(); err != nil {
		pending.Discard()
		return fmt.Errorf("nothing was written to the tenant: %w", err)
	}
	w.undoName = pending.Name()
	if err := w.write(ctx); err != nil {
		if errors.Is(err, context.Canceled) && ctx.Err() != nil {
			err = errors.New("interrupted")
		}
		// Who is unverified was written.
		done := w.r.counts[graph.Written] + w.r.counts[graph.Unverified]
		return fmt.Errorf("stopped after %d of %d users: %w; run the same command again to continue", done, planned, err)
	}
	return nil
}

// demonstrate writes to the demonstration, which is new in every run: there is nothing to
// undo, and no file is left.
func (w *work) demonstrate(ctx context.Context) error {
	if err := w.plan(ctx, io.Discard); err != nil {
		return err
	}
	return w.write(ctx)
}

// plan asks the tenant what would change. Undo lines of all that would go to out.
func (w *work) plan(ctx context.Context, out io.Writer) error {
	bar := console.NewProgress(os.Stderr, "Planning", w.total)
	defer bar.End()
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false)
	refuse := func(upn string, err error) {
		bar.Step(1)
		w.r.add(graph.UserPlan{Edit: snapshot.Edit{User: upn}, Outcome: graph.Failed, Err: err})
	}
	for p, err := range w.tenant.PlanUsers(ctx, w.edits(refuse)) {
		if err != nil {
			return err
		}
		bar.Step(1)
		w.r.add(p)
		if p.Outcome == graph.Planned {
			undo := p.Undo()
			if err := lines.Encode(undo); err != nil {
				return err
			}
			if w.apply {
				w.planned = append(w.planned, undo)
			}
		}
	}
	return ctx.Err()
}

// write makes the changes that this run has planned, from its memory: what lies in
// the undo file is for people and later runs.
func (w *work) write(ctx context.Context) error {
	bar := console.NewProgress(os.Stderr, "Writing", len(w.planned))
	defer bar.End()
	var o graph.EditOptions
	if w.tenant.Demo != nil {
		o.Settle = -1 // no other program writes to the demonstration
	}
	for p, err := range w.tenant.ApplyUsers(ctx, w.plans(), o) {
		if err != nil {
			return err
		}
		bar.Step(1)
		w.r.done(p)
		var e *graph.Error
		if errors.As(p.Err, &e) && e.Whole() {
			return p.Err // of the token or the connection: told once, not for each user
		}
	}
	return ctx.Err()
}

// plans are the planned changes.
func (w *work) plans() iter.Seq2[graph.UserPlan, error] {
	return func(yield func(graph.UserPlan, error) bool) {
		for _, u := range w.planned {
			p := graph.UserPlan{Outcome: graph.Planned, Before: u.Before, After: u.After}
			p.User.ID, p.User.UserPrincipalName = u.User, u.UserPrincipalName
			p.Edit = snapshot.Edit{User: u.User, Remove: p.Remove(), Add: p.Add()}
			if !yield(p, nil) {
				return
			}
		}
	}
}

// folderOf is where the undo file goes: beside the input.
func folderOf(source string) string {
	if info, err := os.Stat(source); err == nil && info.Mode().IsRegular() {
		return filepath.Dir(source)
	}
	return "."
}

// undoNames are names for the undo file of a run that starts now.
func undoNames(dir string, now time.Time) iter.Seq[string] {
	return func(yield func(string) bool) {
		base := filepath.Join(dir, "sync-undo-"+now.UTC().Format("20060102T150405Z"))
		for n := 1; n < 1000; n++ {
			name := base + ".jsonl"
			if n > 1 {
				name = fmt.Sprintf("%s-%d.jsonl", base, n)
			}
			if !yield(name) {
				return
			}
		}
	}
}
