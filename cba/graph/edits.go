package graph

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"slices"
	"sync"
	"time"

	"example.com/entracba/cba/snapshot"
)

const skipSynced = "the account is synced from Active Directory, so only Entra Connect writes its certificateUserIds"

// PlanUsers says what edits would do, user by user and in their order. It reads the
// users, and for every new value whether another user has it, 20 requests in a batch
// and several batches at once. It writes nothing. Memory does not grow with the
// number of edits.
//
// An error of one user is in its plan and does not end the stream. The stream ends
// after an error of edits, when ctx ends, and with the first error that every other user
// would have, too: see [Error.Whole], and a [Forbidden] reading of users. To move a value from one user to
// another takes two runs, one that removes it and one that adds it: until the first
// is done, the plan of the second is a [Conflict].
func (c *Client) PlanUsers(ctx context.Context, edits iter.Seq2[snapshot.Edit, error]) iter.Seq2[UserPlan, error] {
	weigh := func(e snapshot.Edit) int { return min(1+len(e.Values()), maxBatch) }
	plans := inOrder(ctx, c.concurrency(), edits, weigh, c.planChunk)
	return untilDone(ctx, func(yield func(UserPlan, error) bool) {
		for p, err := range plans {
			var e *Error
			if err == nil && errors.As(p.Err, &e) && (e.Whole() || e.Reason == Forbidden) {
				err = e // nobody else can be read, either
			}
			if !yield(p, err) || err != nil {
				return
			}
		}
	})
}

// untilDone ends a stream with the error of ctx.
func untilDone(ctx context.Context, plans iter.Seq2[UserPlan, error]) iter.Seq2[UserPlan, error] {
	return func(yield func(UserPlan, error) bool) {
		for p, err := range plans {
			if err == nil && ctx.Err() != nil && p.Outcome == Failed && errors.Is(p.Err, ctx.Err()) {
				yield(p, p.Err)
				return
			}
			if !yield(p, err) || err != nil {
				return
			}
		}
	}
}

func getPart(path string) part {
	return part{method: http.MethodGet, path: path, header: map[string]string{eventual[0]: eventual[1]}}
}

// userPart reads a user; name is the one for messages.
func userPart(user, name string) part {
	p := getPart(userRead(user))
	p.object = "user " + name
	return p
}

// planChunk plans the edits of one batch.
func (c *Client) planChunk(ctx context.Context, edits []snapshot.Edit) []UserPlan {
	op := readUsers("plan certificateUserIds")
	plans := make([]UserPlan, len(edits))
	var groups [][]part
	var which []int
	for i, e := range edits {
		plans[i] = UserPlan{Edit: e}
		if err := e.Check(); err != nil {
			plans[i].Outcome, plans[i].Err = Failed, op.fail(Invalid, err)
			continue
		}
		group := []part{userPart(e.User, e.User)}
		for _, v := range e.Values() {
			group = append(group, getPart(holderPath(v)))
		}
		groups, which = append(groups, group), append(which, i)
	}
	answers, errs := c.exchange(ctx, op, nil, groups)
	for g, i := range which {
		p := &plans[i]
		if p.Err = errs[g]; p.Err == nil {
			p.Err = c.plan(op, p, groups[g], answers[g])
		}
		if p.Err != nil {
			p.Outcome = Failed
		}
	}
	return plans
}

// plan works out one plan from its answers.
func (c *Client) plan(op operation, p *UserPlan, parts []part, answers []answer) error {
	user, err := c.userOf(op, parts[0], answers[0])
	if err != nil {
		return err
	}
	p.User, p.Before, p.After = user, user.AuthorizationInfo.CertificateUserIDs, user.AuthorizationInfo.CertificateUserIDs
	after, err := p.Edit.Apply(p.Before)
	if err != nil {
		return op.fail(Invalid, err)
	}
	switch {
	case slices.Equal(after, p.Before):
		p.Outcome = Unchanged
		return nil
	case user.Synced:
		p.Outcome, p.Reason = Skipped, skipSynced
		return nil
	}
	p.Outcome, p.After = Planned, after
	for i, v := range p.Edit.Values() {
		a := answers[i+1]
		if a.Status != http.StatusOK {
			return c.fails(op, parts[i+1], a)
		}
		var found page
		if err := found.parse(a.Body); err != nil {
			return c.broken(op, parts[i+1], a, err)
		}
		for _, text := range found.Value {
			holder, err := snapshot.ParseUser(text)
			if err != nil {
				return c.broken(op, parts[i+1], a, err)
			}
			if holder.ID != user.ID && slices.Contains(after, v) {
				e := op.on("user", p.Edit.User).fail(Conflict, nil)
				e.Value, e.Owner = v, cmp.Or(holder.UserPrincipalName, holder.ID)
				return e
			}
		}
	}
	return nil
}

// broken is the error of a part whose answer cannot be used.
func (c *Client) broken(op operation, p part, a answer, err error) error {
	e := c.fails(op, p, a)
	e.Reason, e.Code, e.Message, e.Err = BadAnswer, "", "", err
	return e
}

func (c *Client) userOf(op operation, p part, a answer) (snapshot.User, error) {
	if a.Status != http.StatusOK {
		return snapshot.User{}, c.fails(op, p, a)
	}
	u, err := snapshot.ParseUser(a.Body)
	if err != nil {
		return snapshot.User{}, c.broken(op, p, a, err)
	}
	return u, nil
}

// EditOptions are the options of writing users. The zero value works.
type EditOptions struct {
	// Undo gets a line of JSON for every user before the user is written, a
	// [snapshot.Undo]; [snapshot.ReadUndo] reads the lines. A user whose line could not
	// be written is not changed. The caller syncs and closes the file. Nil writes no
	// lines.
	Undo io.Writer
	// Settle is the time between a write and reading it back. It lets a program notice
	// another program that was writing at the same time and wrote last. Zero means half
	// a second; a negative value does not wait.
	Settle time.Duration
}

// ApplyUsers makes planned changes and reads each of them back. Plans that are not
// [Planned] pass through unchanged. An error of one user is in its plan and does not
// end the stream. When the loop is left or ctx ends, the remaining users stay as they
// were. To go on, plan again: users who are done are then [Unchanged].
//
// Graph has no ETag for users, and a PATCH replaces all values. So each user is
// read once more in the same batch, just before the write, and read back after
// [EditOptions.Settle]. If another program changed the values meanwhile, the edit is
// made again with the values that are there, overwritten values are put back, and the
// plan says Merged. Two programs of this kind that change one user at the same time
// both succeed, or one of them gets an error. Not covered are a program that does not
// read back, and one that needs longer than Settle between its reading and its PATCH.
func (c *Client) ApplyUsers(ctx context.Context, plans iter.Seq2[UserPlan, error], o EditOptions) iter.Seq2[UserPlan, error] {
	w := &undoWriter{w: o.Undo}
	// Most chunks wait to be read back: more of them are held than requests sent. A
	// chunk is written in two batches and read back in one.
	sem := make(chan struct{}, c.concurrency())
	return untilDone(ctx, inOrder(ctx, 4*c.concurrency(), plans, func(UserPlan) int { return 1 },
		func(ctx context.Context, chunk []UserPlan) []UserPlan { return c.applyChunk(ctx, chunk, sem, w, o) }))
}

// EditUser is [Client.PlanUsers] and [Client.ApplyUsers] for one user. The error
// is the plan's.
func (c *Client) EditUser(ctx context.Context, e snapshot.Edit, o EditOptions) (UserPlan, error) {
	for p, err := range c.ApplyUsers(ctx, c.PlanUsers(ctx, snapshot.Edits(e)), o) {
		return p, cmp.Or(err, p.Err)
	}
	return UserPlan{}, readUsers("plan certificateUserIds").on("user", e.User).fail(Interrupted, ctx.Err())
}

// maxRounds is how often a user is written at most when others write it too.
const maxRounds = 6

// A job is a planned change on its way.
type job struct {
	plan   *UserPlan
	base   []string // what the user is thought to have
	want   []string // what is to be written
	sent   bool     // a write was accepted, or may have been
	reread bool     // read before writing: what the user has is not known
	// renewed says that the token was refused once.
	renewed bool
	// history are the values that the user had on the way, as far as they are known. A
	// replica that shows one of them lags; other values are somebody else's.
	history [][]string
	// concurrent is what somebody else had written and this program has replaced,
	// until it is put back.
	concurrent []string
}

// op is the operation of a job, for its errors.
func (j *job) op() operation {
	return writeUsers("write certificateUserIds").on("user", j.name())
}

func (j *job) name() string { return cmp.Or(j.plan.User.UserPrincipalName, j.plan.Edit.User) }

// fail ends a job. Where somebody else's change was replaced and is not put back
// yet, the error has their values.
func (j *job) fail(err error) {
	var e *Error
	if j.sent && errors.As(err, &e) {
		e.Indeterminate = true // an attempt before this one may have been carried out
	}
	if j.concurrent != nil {
		o := j.op().fail(Overwritten, err)
		o.Lost, o.Indeterminate = j.concurrent, indeterminate(err)
		err = o
	}
	j.plan.Outcome, j.plan.Err = Failed, err
}

// done ends a job that went well.
func (j *job) done(now []string) { j.plan.Outcome, j.plan.Err, j.plan.After = Written, nil, now }

func (j *job) had(values []string) bool {
	return slices.ContainsFunc(j.history, func(o []string) bool { return slices.Equal(o, values) })
}

// merge notes that somebody else's values are there. What was before is then what
// there would be without this change.
func (j *job) merge(values []string) {
	j.plan.Merged = true
	j.plan.Before, _ = snapshot.Undo{Before: j.plan.Before, After: j.want}.Edit().Apply(values)
}

// aim sets what is to be written over what.
func (j *job) aim(base, want []string) {
	j.base, j.want = base, want
	j.history = append(j.history, base)
}

func (c *Client) applyChunk(ctx context.Context, plans []UserPlan, sem chan struct{}, undo *undoWriter, o EditOptions) []UserPlan {
	op := writeUsers("write certificateUserIds")
	var open []*job
	for i := range plans {
		p := &plans[i]
		if p.Outcome != Planned {
			continue
		}
		if p.User.ID == "" { // a plan that was put together by hand
			p.Outcome, p.Err = Failed, op.refuse(Invalid, "UserPlan.User.ID is required")
			continue
		}
		if err := undo.write(p.Undo()); err != nil {
			p.Outcome, p.Err = Failed, (&job{plan: p}).op().fail(NotSaved, fmt.Errorf("the user was not changed, because the undo line could not be written: %w", err))
			continue
		}
		j := &job{plan: p}
		j.aim(p.Before, p.After)
		open = append(open, j)
	}
	for round := 1; len(open) > 0; round++ {
		var write, look []*job
		for _, j := range open {
			if j.reread {
				look = append(look, j)
			} else {
				write = append(write, j)
			}
		}
		var again []*job
		var wait time.Duration
		write = append(write, c.readJobs(ctx, op, sem, look)...)
		unsure, more, d := c.writeJobs(ctx, op, sem, write)
		again, wait = append(again, more...), max(wait, d)
		again = append(again, c.verify(ctx, op, sem, o, unsure)...)
		open = again
		if len(open) == 0 {
			break
		}
		if round == maxRounds {
			for _, j := range open {
				err := j.plan.Err
				if err == nil {
					e := j.op().refuse(Conflict, "other programs changed the user's values during each of %d attempts", maxRounds)
					e.Indeterminate, err = j.sent, e
				}
				j.fail(err)
			}
			break
		}
		if err := c.wait(ctx, wait); err != nil {
			for _, j := range open {
				e := j.op().fail(Interrupted, err)
				e.Indeterminate = j.sent
				j.fail(e)
			}
			break
		}
	}
	return plans
}

// readJobs reads users whose values are not known any more, and resem those
// that are still to be written.
func (c *Client) readJobs(ctx context.Context, op operation, sem chan struct{}, jobs []*job) []*job {
	if len(jobs) == 0 {
		return nil
	}
	var rest []*job
	for i, values := range c.readValues(ctx, op, sem, jobs) {
		j := jobs[i]
		if values.err != nil {
			j.fail(cmp.Or(j.plan.Err, values.err))
			continue
		}
		want, err := j.plan.Edit.Apply(values.list)
		if !j.had(values.list) && !slices.Equal(values.list, j.want) {
			j.merge(values.list)
		}
		switch {
		case err != nil:
			j.fail(j.op().fail(Invalid, err))
		case slices.Equal(want, values.list):
			j.done(values.list)
		default:
			j.plan.Err, j.reread = nil, false
			j.aim(values.list, want)
			rest = append(rest, j)
		}
	}
	return rest
}

// A reading is what a user has.
type reading struct {
	list []string
	err  error
}

func (c *Client) readValues(ctx context.Context, op operation, sem chan struct{}, jobs []*job) []reading {
	groups := make([][]part, len(jobs))
	for i, j := range jobs {
		groups[i] = []part{userPart(j.plan.User.ID, j.name())}
	}
	answers, errs := c.exchange(ctx, op, sem, groups)
	readings := make([]reading, len(jobs))
	for i := range jobs {
		if readings[i].err = errs[i]; errs[i] != nil {
			continue
		}
		var u snapshot.User
		u, readings[i].err = c.userOf(op, groups[i][0], answers[i][0])
		readings[i].list = u.AuthorizationInfo.CertificateUserIDs
	}
	return readings
}

// writeJobs reads and writes. It resem the jobs that are to be read back, and
// those that need another round after a wait.
func (c *Client) writeJobs(ctx context.Context, op operation, sem chan struct{}, jobs []*job) (unsure, again []*job, wait time.Duration) {
	groups := make([][]part, len(jobs))
	for i, j := range jobs {
		id := j.plan.User.ID
		groups[i] = []part{userPart(id, j.name()), {method: http.MethodPatch, path: userPath(id), object: "user " + j.name(), after: true,
			body: encode(map[string]any{"authorizationInfo": map[string]any{"certificateUserIds": nonNil(j.want)}})}}
	}
	answers, errs := c.exchange(ctx, op, sem, groups)
	for i, j := range jobs {
		if err := errs[i]; err != nil {
			var e *Error
			j.plan.Err = err
			if errors.As(err, &e) && ctx.Err() == nil && (e.Indeterminate || e.Status >= 500 ||
				e.Status == http.StatusTooManyRequests && e.RetryAfter <= c.maxWait() || e.Status == http.StatusUnauthorized && !j.renewed) {
				// Whether anything was written is not known: read before writing again.
				j.reread, j.sent = true, j.sent || e.Indeterminate
				j.renewed = e.Status == http.StatusUnauthorized
				wait = max(wait, min(e.pause(1), c.maxWait()))
				again = append(again, j)
				continue
			}
			j.fail(err)
			continue
		}
		read, written := answers[i][0], answers[i][1]
		if written.Status >= 300 {
			first := 1
			if read.Status >= 300 {
				first = 0 // the write was not tried
			}
			e := c.fails(op, groups[i][first], answers[i][first])
			j.plan.Err = e
			if written.Status >= 500 { // it may have been carried out
				e.Indeterminate, j.sent, j.reread = true, true, true
				wait = max(wait, min(e.pause(1), c.maxWait()))
				again = append(again, j)
				continue
			}
			j.fail(e)
			continue
		}
		j.sent, j.concurrent = true, nil
		u, err := c.userOf(op, groups[i][0], read)
		if theirs := u.AuthorizationInfo.CertificateUserIDs; err == nil && !j.had(theirs) && !slices.Equal(theirs, j.want) {
			// Somebody wrote since the plan was made, and this write has replaced it.
			j.plan.Merged, j.plan.Before = true, theirs
			merged, err := j.plan.Edit.Apply(theirs)
			if err != nil {
				// Both changes together are too many values: put theirs back.
				j.plan.Outcome, j.plan.Err = Failed, c.putBack(ctx, op, j, theirs, err)
				continue
			}
			if !slices.Equal(merged, j.want) {
				j.history, j.concurrent = append(j.history, theirs), nonNil(theirs)
				j.aim(j.want, merged)
				again = append(again, j)
				continue
			}
		}
		unsure = append(unsure, j)
	}
	return unsure, again, wait
}

// putBack writes what somebody else had written, after this program replaced it.
func (c *Client) putBack(ctx context.Context, op operation, j *job, theirs []string, cause error) error {
	_, err := c.do(ctx, request{op: op, method: http.MethodPatch, path: userPath(j.plan.User.ID), idempotent: true, writes: 1,
		body: encode(map[string]any{"authorizationInfo": map[string]any{"certificateUserIds": nonNil(theirs)}})})
	if err != nil {
		e := j.op().fail(Overwritten, fmt.Errorf("%w; %w", err, cause))
		e.Lost, e.Indeterminate = nonNil(theirs), indeterminate(err)
		return e
	}
	j.plan.After = theirs
	return j.op().fail(Conflict, fmt.Errorf("another program changed the values meanwhile, and both changes together are too many values; the values of the other program were put back: %w", cause))
}

// settled reports whether what a user has is what was wanted.
func (c *Client) settled(j *job, now []string) bool {
	if slices.Equal(now, j.want) {
		j.done(now)
		return true
	}
	return false
}

// verify reads until the changes show, for Client.Patience. It resem the jobs
// whose values are neither the old nor the new ones, but somebody else's: these
// need another round unless they hold this change too.
func (c *Client) verify(ctx context.Context, op operation, sem chan struct{}, o EditOptions, jobs []*job) (again []*job) {
	if len(jobs) == 0 {
		return nil
	}
	patience := c.patience()
	c.wait(ctx, orDefault(o.Settle, 500*time.Millisecond)) // an error of ctx shows at once
	for n := 1; len(jobs) > 0; n++ {
		var rest []*job
		for i, r := range c.readValues(ctx, op, sem, jobs) {
			j := jobs[i]
			switch {
			case r.err != nil:
				j.plan.Outcome, j.plan.Err, j.plan.After = Unverified, r.err, j.want
			case c.settled(j, r.list):
			case j.had(r.list):
				rest = append(rest, j) // not replicated yet
			default:
				want, err := j.plan.Edit.Apply(r.list)
				j.merge(r.list)
				switch {
				case err != nil:
					j.fail(j.op().fail(Invalid, err))
				case slices.Equal(want, r.list):
					j.done(r.list)
				default:
					j.history = append(j.history, j.want)
					j.aim(r.list, want)
					again = append(again, j)
				}
			}
		}
		if jobs = rest; len(jobs) == 0 {
			break
		}
		d := min(backoff(n), patience)
		if patience -= d; d <= 0 || c.wait(ctx, d) != nil {
			for _, j := range jobs {
				j.plan.Outcome, j.plan.After = Unverified, j.want
				e := j.op().fail(NotVisible, ctx.Err())
				if ctx.Err() != nil {
					e.Reason = Interrupted
				}
				j.plan.Err = e
			}
			break
		}
	}
	return again
}

// An undoWriter writes lines from several goroutines.
type undoWriter struct {
	mu  sync.Mutex
	w   io.Writer
	err error
}

func (u *undoWriter) write(line snapshot.Undo) error {
	if u.w == nil {
		return nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.err == nil {
		_, u.err = u.w.Write(append(encode(line), '\n'))
	}
	return u.err
}
