package signin

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/trust"
)

// An Observation is a sign-in of the tenant's log whose certificate is known.
type Observation struct {
	// Request is the sign-in: the user as the directory has the user now, the
	// certificate, the time, and what the sign-in had to satisfy, if that is known.
	Request Request
	// SignedIn says that the log has success.
	SignedIn bool
	// Mode is the strength that the log has, "" if it does not say.
	Mode policy.AuthenticationMode
	// Code is that of a refusal, "AADSTS500176".
	Code string
}

// A Calibration is what a tenant's log says about the open questions.
type Calibration struct {
	// SignIns is the number of observations.
	SignIns int `json:"signIns"`
	// Unexplained is the number of those whose result no reading gives, Ambiguous of
	// those that several other readings explain. They prove nothing.
	Unexplained int `json:"unexplained"`
	Ambiguous   int `json:"ambiguous"`
	// Noise is the share of users who are assumed to have a result by chance. If it is
	// above [MaxNoise], nothing is settled: the log does not fit the tenant.
	Noise float64 `json:"noise"`
	// Readings has one entry for each question on which a sign-in depends.
	Readings []Reading `json:"readings"`
}

// MaxNoise is the most noise in a log that settles anything.
const MaxNoise = 0.3

// caseRevoked is a case of package aadsts.
const caseRevoked = "certificate-revoked"

// The tests of [Tenant.Calibrate]. A reading is rejected if so many users with another
// result have a probability below reject; the reading that is confirmed must not look
// strange itself (below accept).
const (
	reject = 0.001
	accept = 0.05
	// leastNoise, and the weight of one strange user among ten before any was seen.
	leastNoise  = 0.05
	priorUsers  = 10
	priorBroken = 1
)

// Calibrate asks a tenant's own log which reading of each open question is right. Each
// sign-in is decided under both readings of every question that [Options] can turn
// around; where the two differ, and the log agrees with one, it speaks for that one.
//
// A log is noisy: accounts and the tenant were changed, other policies refuse. So
//
//   - a refusal counts only with the code that the reading predicts, or another one for
//     the same case. Refusals because of CRLs, whose state at the time is not known,
//     prove nothing, and those of other policies and disabled accounts do not count;
//   - users count, not sign-ins: ten sign-ins of one user are one piece of evidence;
//   - the share of users with a result that no reading gives is measured, and assumed to
//     be 5 percent at least. Above [MaxNoise] nothing is settled;
//   - a reading is confirmed if, with so much noise, the users who contradict the other
//     one would be there by chance with a probability below 0.001, and those who
//     contradict this one are no more than noise. That takes three users at least. Where
//     both are contradicted, the log conflicts;
//   - a sign-in that the readings that are taken do not give and several others do is
//     evidence for none of these, and keeps those that are taken from being confirmed.
//
// A reading that is contradicted is replaced by the other one, and everything is
// decided again. What no test can find is a tenant that was changed for exactly the
// users on whom a question bears: give sign-ins since the last change.
//
// The reading of [Options] plays no part: each question is asked from the one that this
// package takes by default. Memory grows with the number of users and results, not with
// that of sign-ins. The error is that of the list or of ctx, or an [*Error] for an
// observation that cannot be used, as for [Tenant.Decide].
func (t *Tenant) Calibrate(ctx context.Context, observations iter.Seq2[Observation, error]) (Calibration, error) {
	result := Calibration{Readings: []Reading{}}
	if !t.ready() || ctx == nil {
		return result, t.usable(ctx, Request{})
	}
	groups, err := collect(ctx, t, observations)
	if err != nil {
		return result, err
	}
	for _, g := range groups {
		result.SignIns += g.signIns
	}
	other := make([]bool, len(choices)) // the readings that are taken
	for {
		m, err := t.measure(ctx, groups, other)
		if err != nil {
			return result, err
		}
		next := m.strongest(other)
		if next < 0 {
			m.report(&result, other)
			return result, nil
		}
		other[next] = true
	}
}

// A group is the sign-ins of one user with one certificate and one result.
type group struct {
	o       Observation
	user    string
	signIns int
}

type groupKey struct {
	user     string
	cert     [sha256.Size]byte
	signedIn bool
	mode     policy.AuthenticationMode
	code     string
}

func collect(ctx context.Context, t *Tenant, observations iter.Seq2[Observation, error]) ([]*group, error) {
	var groups []*group
	byKey := map[groupKey]*group{}
	if observations == nil {
		return nil, nil
	}
	n := 0
	for o, err := range observations {
		n++
		if err == nil {
			err = t.usable(ctx, o.Request)
		}
		if err != nil {
			var e *Error
			if errors.As(err, &e) && e.Where == "request" {
				e.Where = fmt.Sprintf("observation %d", n)
			}
			return nil, err
		}
		u := o.Request.User
		user := strings.ToLower(cmp.Or(u.ID, u.UserPrincipalName))
		key := groupKey{user, sha256.Sum256(o.Request.Certificate.Raw), o.SignedIn, o.Mode, o.Code}
		if g := byKey[key]; g != nil && o.Request.Require.IsZero() && g.o.Request.Require.IsZero() {
			g.signIns++
			continue
		}
		g := &group{o: o, user: user, signIns: 1}
		groups = append(groups, g)
		byKey[key] = g
	}
	return groups, nil
}

// A measurement is what the groups say under the readings that are taken.
type measurement struct {
	votes                  []votes // by choice
	unexplained, ambiguous int     // sign-ins
	noise                  float64
	tooNoisy               bool
}

// votes are the sign-ins and users by side.
type votes struct {
	signIns [3]int
	users   [3]map[string]bool
}

// The sides of votes.
const (
	forTaken  = iota // the reading that is taken gives the result, the other does not
	forTurned        // the other way around, and no other question explains it
	doubtful         // against the reading that is taken, and no proof of the other one
)

func (v *votes) add(side int, g *group) {
	if v.users[side] == nil {
		v.users[side] = map[string]bool{}
	}
	v.users[side][g.user] = true
	v.signIns[side] += g.signIns
}

// measure decides every group under the readings that are taken and with each of them
// turned around.
func (t *Tenant) measure(ctx context.Context, groups []*group, other []bool) (m measurement, err error) {
	m.votes = make([]votes, len(choices))
	compile := func(turned int, like *Tenant) (*Tenant, error) {
		options := t.options
		options.Calibration, options.believeCRLs, options.SkipRevocation = Calibration{}, true, false
		for _, c := range choices {
			c.set(&options, false)
		}
		for i, c := range choices {
			if other[i] != (i == turned) {
				c.set(&options, true)
			}
		}
		return t.config.compile(options, like)
	}
	base, err := compile(-1, t)
	if err != nil {
		return m, err
	}
	turned := make([]*Tenant, len(choices))
	for i := range choices {
		if turned[i], err = compile(i, base); err != nil {
			return m, err
		}
	}
	users, strange := map[string]bool{}, map[string]bool{}
	for _, g := range groups {
		if err := ctx.Err(); err != nil {
			return m, err
		}
		said := g.o.says()
		if said == nothing {
			continue
		}
		p, err := base.prepare(ctx, g.o.Request)
		if err != nil {
			return m, err
		}
		answer, err := base.decide(ctx, g.o.Request, p)
		if err != nil {
			return m, err
		}
		if answer.Outcome == Undecided {
			continue
		}
		users[g.user] = true
		fits := g.o.fits(answer)
		var bear, explain []int // choices that bear on it; those whose other reading gives the result
		for i, with := range turned {
			q := p
			if with.options.IDs != base.options.IDs {
				if q.cert, err = policy.NewCertificate(g.o.Request.Certificate, with.options.IDs); err != nil {
					return m, &Error{Reason: BadCertificate, Err: err}
				}
			}
			if with.options.Trust != base.options.Trust && mayDiffer(p.chain) {
				q.chain = with.trust.Chain(g.o.Request.Certificate, g.o.Request.At)
			}
			a, err := with.decide(ctx, g.o.Request, q)
			if err != nil {
				return m, err
			}
			if a.Outcome == Undecided || a.Outcome == answer.Outcome && (a.Outcome == Refused || a.AuthenticationMode == answer.AuthenticationMode) {
				continue
			}
			bear = append(bear, i)
			if g.o.fits(a) {
				explain = append(explain, i)
			}
		}
		switch {
		case fits:
			for _, i := range bear {
				if !slices.Contains(explain, i) { // else the log does not tell them apart
					m.votes[i].add(forTaken, g)
				}
			}
		case len(explain) == 1 && said != aboutCRL:
			m.votes[explain[0]].add(forTurned, g)
		case len(explain) > 0:
			m.ambiguous += g.signIns
			for _, i := range explain {
				m.votes[i].add(doubtful, g)
			}
		case said == aboutCRL:
		default:
			m.unexplained += g.signIns
			strange[g.user] = true
		}
	}
	m.noise = max(leastNoise, float64(len(strange)+priorBroken)/float64(len(users)+priorUsers))
	m.tooNoisy = m.noise > MaxNoise
	return m, nil
}

// mayDiffer reports whether a chain may be another one with another limit on its length,
// or with roots that the store marks: signatures are most of the work.
func mayDiffer(chain trust.Chain) bool {
	return !chain.Trusted || len(chain.CAs) > shallowDepth ||
		slices.ContainsFunc(chain.CAs, func(ca *trust.CA) bool { return !ca.SelfSigned && ca.Type == trust.Root })
}

// What an observation can say.
type saying uint8

const (
	nothing saying = iota
	success
	refusal
	aboutCRL // a refusal that the CRLs of the time may have caused
)

// says reports whether an observation is evidence at all. Those of an account that is
// disabled, or was, are none. Nor is a refusal about anything but the certificate; one
// about CRLs, because those of the time are not known, can only be in doubt.
func (o Observation) says() saying {
	if o.Request.User.Disabled || o.Code == codeDisabled {
		return nothing // the account was changed
	}
	if o.SignedIn {
		return success
	}
	c, ok := tableCode(o.Code)
	switch {
	case !ok:
		return nothing
	case c.Case == caseRevoked || o.Code != codeNoCRL && o.Code != codeDeltaOnly && slices.ContainsFunc(crl.Reasons(), func(r crl.Reason) bool { return r.Code() == o.Code }):
		return aboutCRL
	}
	if !o.Request.Require.IsZero() {
		return refusal
	}
	if mfa, _ := tableCode(codeMFA); c.Case == mfa.Case || o.Code == codeStrength || !c.Certificate && c.Case == "" {
		return nothing // what was required is not known
	}
	return refusal
}

// fits reports whether an answer gives what the log has.
func (o Observation) fits(a Answer) bool {
	if o.SignedIn {
		return a.SignedIn && (o.Mode == "" || o.Mode == a.AuthenticationMode)
	}
	return a.Outcome == Refused && sameCase(a.Code, o.Code)
}

// sameCase reports whether two codes are one, or stand for one case.
func sameCase(a, b string) bool {
	x, _ := tableCode(a)
	y, _ := tableCode(b)
	return a == b || x.Case != "" && x.Case == y.Case
}

// settle says what the votes for a choice settle: which of the two readings holds.
func (m measurement) settle(v votes) Result {
	now, turned, doubts := len(v.users[forTaken]), len(v.users[forTurned]), len(v.users[doubtful])
	n := now + turned
	againstTurned, againstNow := tail(n, now, m.noise), tail(n, turned, m.noise)
	switch {
	case m.tooNoisy || n == 0:
		return Unsettled
	case againstTurned < reject && tail(n+doubts, turned+doubts, m.noise) >= accept:
		return Confirmed
	case againstNow < reject && againstTurned >= accept:
		return Contradicted
	case min(againstTurned, againstNow) < reject:
		return Conflicting
	}
	return Unsettled
}

// strongest returns the choice whose other reading has the most users of those that the
// log contradicts and that are not turned around yet, or -1.
func (m measurement) strongest(other []bool) int {
	best := -1
	for i, v := range m.votes {
		if !other[i] && m.settle(v) == Contradicted && (best < 0 || len(v.users[forTurned]) > len(m.votes[best].users[forTurned])) {
			best = i
		}
	}
	return best
}

// report writes what was measured, by the reading that is taken by default.
func (m measurement) report(c *Calibration, other []bool) {
	c.Unexplained, c.Ambiguous, c.Noise = m.unexplained, m.ambiguous, m.noise
	for i, v := range m.votes {
		if len(v.users[forTaken])+len(v.users[forTurned]) == 0 {
			continue
		}
		result, best, turned := m.settle(v), forTaken, forTurned
		if other[i] {
			best, turned = forTurned, forTaken
			switch result {
			case Confirmed:
				result = Contradicted
			case Contradicted:
				result = Confirmed
			}
		}
		c.Readings = append(c.Readings, Reading{ID: choices[i].id, Result: result, Text: choices[i].best, Other: choices[i].other,
			SignIns: v.signIns[best], Users: len(v.users[best]), OtherSignIns: v.signIns[turned], OtherUsers: len(v.users[turned])})
	}
}

// tail is the probability of k or more of n, each with probability p.
func tail(n, k int, p float64) float64 {
	if k <= 0 {
		return 1
	}
	lgamma := func(x int) float64 { v, _ := math.Lgamma(float64(x) + 1); return v }
	sum := 0.0
	for i := k; i <= n; i++ {
		sum += math.Exp(lgamma(n) - lgamma(i) - lgamma(n-i) + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
	}
	return min(sum, 1)
}
