package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"example.com/entracba/cba/folder"
	"example.com/entracba/cba/graph"
	"example.com/entracba/cba/signin"
	"example.com/entracba/examples/internal/console"
	"example.com/entracba/examples/internal/tenant"
)

// A planFile is a saved plan: the change, and what was found out about it.
type planFile struct {
	Plan     graph.TenantPlan `json:"plan"`
	Affected affected         `json:"affected"`
	// Refused says why the plan needs -allow-lockout; "" if it does not.
	Refused string `json:"refused,omitempty"`
}

// save writes the plan, and the bundle that is asked for, never over another file: a
// plan is the only way back.
func (o options) save(r *report) error {
	saved := planFile{Plan: r.plan, Affected: r.affected}
	if r.refused != nil {
		saved.Refused = r.refused.why
	}
	var files []*folder.Pending
	defer func() {
		for _, f := range files { // what is not committed
			f.Discard()
		}
	}()
	prepare := func(name string, mode fs.FileMode, fill func(w io.Writer) error) error {
		pending, err := folder.PrepareNew(slices.Values([]string{name}), mode, fill)
		if errors.Is(err, folder.NameTaken) {
			return console.Usage("%s exists already and is not replaced, because a plan is needed to undo its changes; choose another name", name)
		}
		if err == nil {
			files = append(files, pending)
		}
		return err
	}
	if o.bundle != "" {
		bundle, err := r.plan.Bundle()
		if err != nil {
			return console.Usage("-bundle: %w", err)
		}
		if err := prepare(o.bundle, folder.Public, func(w io.Writer) error { _, err := w.Write(bundle); return err }); err != nil {
			return err
		}
	}
	if err := prepare(o.out, folder.Secret, func(w io.Writer) error { return console.JSON(w, saved) }); err != nil {
		return err
	}
	for len(files) > 0 {
		if err := files[0].Commit(); err != nil {
			return err
		}
		files = files[1:]
	}
	r.saved = o.out
	return nil
}

// load reads a saved plan. Who could write it could change the tenant.
func load(name string) (planFile, []byte, error) {
	var p planFile
	content, err := folder.ReadPlan(name)
	if err == nil {
		err = json.Unmarshal(bytes.TrimSpace(content), &p)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return p, nil, console.Usage("%w", err)
	case err != nil:
		return p, nil, console.Usage("%s is not a saved plan: %w", name, err)
	case p.Plan.TenantID == "":
		return p, nil, console.Usage("%s is not a saved plan of setup", name)
	}
	return p, content, nil
}

// carryOut applies a saved plan, or takes it back.
func (o options) carryOut(ctx context.Context) error {
	name := o.apply + o.undo
	saved, content, err := load(name)
	if err != nil {
		return err
	}
	known, err := o.people()
	if err != nil {
		return err
	}
	o.tenant.Quiet = true
	t, err := o.tenant.Open()
	if err != nil {
		return err
	}
	defer t.Close()
	r := report{options: o, saved: name}
	now, err := t.Tenant(ctx)
	if err != nil {
		return err
	}
	plan := saved.Plan
	r.affected = saved.Affected
	interrupted := plan.Interrupted(now) && o.note(plan, name).Noted(content)
	if o.undo != "" {
		if plan, err = plan.Reverse(); err != nil {
			return err
		}
		r.affected = saved.Affected.reversed()
	}
	// What is left to do, and to whom it matters.
	left, err := t.PlanTenant(ctx, plan.After)
	if err != nil {
		return err
	}
	if !strings.EqualFold(left.TenantID, plan.TenantID) {
		return console.Usage("nothing was changed: %s is for the tenant %s, and this is %s", name, plan.TenantID, left.TenantID)
	}
	r.plan = left
	if len(known) > 0 {
		if r.affected, err = o.compare(ctx, t, left, known); err != nil {
			return err
		}
	}
	// In the middle of a change, who could sign in before may be unable to, and nobody
	// relies on what is half done: to go on and to go back is all there is.
	if !interrupted {
		r.locks = left.LocksOut()
		r.refused = r.refusal()
		if r.refused == nil && o.apply != "" && saved.Refused != "" {
			r.refused = &refusal{console.ErrNo, "the plan was saved with -allow-lockout: " + saved.Refused}
		}
	}
	switch {
	case left.Empty():
		// A run that was killed after its last change leaves its note.
		if end, err := o.note(plan, name).Begin(content); err == nil {
			if err := end(true); err != nil {
				return err
			}
		}
	case r.refused == nil || o.allowLockout:
		if err := o.write(ctx, t, plan, content, &r); err != nil {
			return err
		}
	}
	if err := r.print(console.Stdout); err != nil {
		return err
	}
	if !left.Empty() && r.refused != nil && !o.allowLockout {
		return r.refused.status
	}
	return nil
}

func (o options) note(plan graph.TenantPlan, file string) tenant.Unfinished {
	return tenant.Unfinished{TenantID: plan.TenantID, Tenant: o.tenant.Args(), Plan: file, Undo: o.undo != "", Started: time.Now().UTC()}
}

// write makes the change.
func (o options) write(ctx context.Context, t *tenant.Tenant, plan graph.TenantPlan, content []byte, r *report) error {
	options := graph.TenantOptions{ApplyOptions: graph.ApplyOptions{AllowLockout: true}} // who would be is decided above
	if !o.json {
		options.Progress = func(part string) { fmt.Fprintf(os.Stderr, "Writing: %s\n", part) }
	}
	if o.upload != "" {
		// Before the note: an earlier run may not have finished, and its note stays.
		bundle, err := folder.Read(o.bundle, folder.MaxFile)
		if err != nil {
			return err
		}
		options.Bundle, options.UploadURL = bundle, o.upload
	}
	note := o.note(plan, r.saved)
	end, err := note.Begin(content)
	if err != nil {
		return console.Usage("%w", err)
	}
	// The plan is in two files already.
	_, err = t.ApplyTenant(ctx, plan, io.Discard, options)
	finished, nothing := err == nil, false
	if err != nil {
		finished, nothing = done(context.WithoutCancel(ctx), t, plan, r.plan.Before)
	}
	err = errors.Join(err, end(finished))
	switch {
	case err == nil:
		r.applied = true
		return nil
	case nothing && errors.Is(err, graph.Stale):
		return &console.Failure{Status: console.Unusable, Err: fmt.Errorf("nothing was changed: %w", err)}
	case finished:
		return err
	}
	return fmt.Errorf("%w\nthe change is not finished\n%s", err, note.Advice())
}

// done reports, after an error, whether nothing is left half done: perhaps all of the plan
// was done in spite of it, or nothing. What is neither is not finished, whatever others
// have changed in the meantime.
func done(ctx context.Context, t *tenant.Tenant, plan graph.TenantPlan, before signin.Config) (finished, nothing bool) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	left, err := t.PlanTenant(ctx, plan.After)
	if err != nil {
		return false, false
	}
	begun := graph.TenantPlan{TenantID: left.TenantID, Made: left.Made, Before: before, After: left.Before}
	back, err := begun.Reverse() // computes what was done in this run
	if err != nil {
		return false, false
	}
	nothing = back.Empty()
	return left.Empty() || nothing && !plan.Interrupted(left.Before), nothing
}

// A refusal is why a change is not made without -allow-lockout.
type refusal struct {
	status *console.Failure
	why    string
}

// refusal returns nil if nobody loses access.
func (r *report) refusal() *refusal {
	losers := r.affected.losers()
	switch {
	case r.plan.Empty():
		return nil
	case len(losers) > 0:
		return &refusal{console.ErrNo, console.Count(len(losers), "user loses access, or may", "users lose access, or may")}
	case r.affected.Counts[signin.NotKnown.String()] > 0:
		return &refusal{console.ErrNotKnown, "of " + console.Count(r.affected.Counts[signin.NotKnown.String()], "user") + " it is not known whether the change takes access away"}
	case len(r.locks) > 0:
		return &refusal{console.ErrNo, "the settings after the change lock users out, see above"}
	case open(r.plan.Before) && r.affected.known() == 0:
		return &refusal{console.ErrNotKnown, "no certificate of any user is at hand, so it is not known who loses access"}
	}
	return nil
}
