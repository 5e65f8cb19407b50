package report

import (
	"cmp"
	"slices"

	"example.com/entracba/cba/signin"
)

// A Person is one user of a comparison.
type Person struct {
	User   string        `json:"userPrincipalName"`
	Before signin.Answer `json:"before"`
	After  signin.Answer `json:"after"`
}

// Because has the users to whom a change means the same for the same reason.
type Because struct {
	Difference signin.Difference `json:"difference"`
	// Reason is the AADSTS code or the strength that the users have after the change.
	Reason  string   `json:"reason"`
	Users   int      `json:"users"`
	Samples []Person `json:"samples"` // the first of them, see AffectedPart.Samples
}

// AffectedPart is the part of a report that says who is affected by a change. It
// does not grow with the number of users: for each reason it keeps a count and
// some samples. The zero value is ready to be added to.
type AffectedPart struct {
	// Samples is how many users are named for each reason; zero means 10.
	Samples int `json:"-"`

	total  int
	counts map[signin.Difference]int
	// without counts users that have no certificate on either side.
	without int
	because map[reasonKey]*Because
}

type reasonKey struct {
	difference signin.Difference
	reason     string
}

// mostReasons bounds the memory that reasons take: there are some dozens of codes.
const mostReasons = 200

// Add counts one answer of [signin.Compare].
func (p *AffectedPart) Add(c signin.Change) {
	if p == nil {
		return
	}
	if p.counts == nil {
		p.counts, p.because = map[signin.Difference]int{}, map[reasonKey]*Because{}
	}
	p.total++
	if len(c.Case.Certificates) == 0 {
		p.without++
		if c.Difference == signin.WithoutCertificate {
			p.counts[c.Difference]++
		}
		return
	}
	p.counts[c.Difference]++
	if c.Difference == signin.Same {
		return
	}
	key := reasonKey{c.Difference, reasonOf(c)}
	b := p.because[key]
	if b == nil {
		if len(p.because) >= mostReasons {
			return // still counted
		}
		b = &Because{Difference: c.Difference, Reason: key.reason, Samples: []Person{}}
		p.because[key] = b
	}
	b.Users++
	if len(b.Samples) < cmp.Or(p.Samples, 10) && c.Case.User != nil {
		b.Samples = append(b.Samples, Person{c.Case.User.UserPrincipalName, c.Before, c.After})
	}
}

// reasonOf is what decides for the users of a group: the code that refuses them on
// the side on which they are out, or the strength.
func reasonOf(c signin.Change) string {
	switch c.Difference {
	case signin.Loses:
		return c.After.Code
	case signin.Gains:
		return c.Before.Code
	}
	if c.Difference == signin.NotKnown {
		if c.After.Outcome == signin.Undecided {
			return "not known after the change"
		}
		return "not known before the change"
	}
	return c.After.AuthenticationMode.String()
}

// Total returns how many users were added.
func (p *AffectedPart) Total() int {
	if p == nil {
		return 0
	}
	return p.total
}

// Count returns for how many users the change means this. Users without a
// certificate are among [signin.WithoutCertificate] alone, and those of them who are
// not in scope only in [AffectedPart.WithoutCertificate].
func (p *AffectedPart) Count(d signin.Difference) int {
	if p == nil {
		return 0
	}
	return p.counts[d]
}

// WithoutCertificate returns how many users have no certificate to sign in with.
func (p *AffectedPart) WithoutCertificate() int {
	if p == nil {
		return 0
	}
	return p.without
}

// Reasons returns the groups of users, those who lose access first, the larger ones
// in front.
func (p *AffectedPart) Reasons() []Because {
	list := []Because{}
	if p == nil {
		return list
	}
	for _, b := range p.because {
		list = append(list, *b)
	}
	slices.SortFunc(list, func(a, b Because) int {
		return cmp.Or(cmp.Compare(order(a.Difference), order(b.Difference)), cmp.Compare(b.Users, a.Users), cmp.Compare(a.Reason, b.Reason))
	})
	return list
}

// differences is the order in which a page has them.
var differences = [...]signin.Difference{signin.Loses, signin.NotKnown, signin.Weaker, signin.Gains, signin.Stronger, signin.Same}

func order(d signin.Difference) int { return slices.Index(differences[:], d) }
