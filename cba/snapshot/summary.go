package snapshot

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"example.com/entracba/cba/aadsts"
	"example.com/entracba/cba/signin"
)

// A Summary counts sign-ins with certificates.
type Summary struct {
	// From and To are the times of the first and the last.
	From    time.Time `json:"from,omitzero"`
	To      time.Time `json:"to,omitzero"`
	SignIns int       `json:"signIns"`
	// The counts are sorted by number, the highest first.
	Outcomes    []Count `json:"outcomes"`
	Codes       []Count `json:"codes"` // of those refused: "AADSTS500171"
	Bindings    []Count `json:"bindings"`
	Strengths   []Count `json:"strengths"`
	Authorities []Count `json:"authorities"` // CAs, as far as known, see Expectation
	Stores      []Count `json:"stores"`      // "classic" or "PKI-based"
	// Unexpected are the sign-ins whose result differs from the expected one, the
	// first 1,000.
	Unexpected []Unexpected `json:"unexpected,omitempty"`
	// Known is the number of sign-ins that there was an expectation for.
	Known int `json:"known"`
}

// A Count is the number of sign-ins that have something in common.
type Count struct {
	Name    string `json:"name"`
	SignIns int    `json:"signIns"`
}

// An Expectation is the result that package signin predicts for a sign-in with a
// known certificate.
type Expectation struct {
	Answer signin.Answer
	// Authority names the CA of the certificate. The log itself names a CA only where
	// a scope was applied.
	Authority string
}

// An Unexpected is a sign-in whose result differs from the expected one: the
// configuration or a CRL was different at the time, or this module is wrong.
type Unexpected struct {
	UserPrincipalName string    `json:"userPrincipalName"`
	At                time.Time `json:"at"`
	CorrelationID     string    `json:"correlationId"`
	Logged            string    `json:"logged"`
	Expected          string    `json:"expected"`
}

// String returns the sign-in in one line.
func (s Unexpected) String() string {
	return fmt.Sprintf("%s, %s: the log says %s, expected %s", s.At.UTC().Format(time.RFC3339), s.UserPrincipalName, s.Logged, s.Expected)
}

// maxUnexpected bounds what a summary holds.
const maxUnexpected = 1000

// Summarize counts sign-ins. expect returns the expected result of one, and false
// where the certificate is not known; nil expects nothing. The error is that of
// the stream; what was counted until then is returned with it. A nil stream has no
// sign-ins.
func Summarize(signIns iter.Seq2[SignIn, error], expect func(SignIn) (Expectation, bool)) (Summary, error) {
	var s Summary
	results, codes, bindings, strengths, authorities, stores := tally{}, tally{}, tally{}, tally{}, tally{}, tally{}
	var failed error
	if signIns == nil {
		signIns = func(func(SignIn, error) bool) {}
	}
	for f, err := range signIns {
		if failed = err; err != nil {
			break
		}
		s.SignIns++
		if at := f.At(); s.From.IsZero() || at.Before(s.From) {
			s.From = at
		}
		if at := f.At(); at.After(s.To) {
			s.To = at
		}
		results.add(f.Outcome.String())
		if f.Outcome == Refused {
			codes.add(fmt.Sprintf("AADSTS%d", f.Code))
		}
		bindings.add(f.Certificate.Binding)
		if f.Certificate.Mode != "" {
			strengths.add(f.Certificate.Mode.String())
		}
		if used := f.Certificate.LegacyStore; used != nil {
			stores.add(map[bool]string{true: "classic", false: "PKI-based"}[*used])
		}
		authority := ""
		if f.Certificate.ScopeSKI != "" {
			authority = "SKI " + f.Certificate.ScopeSKI
		}
		if expect != nil {
			if e, ok := expect(f); ok {
				s.Known++
				authority = cmp.Or(e.Authority, authority)
				if logged, expected := logged(f), expected(e.Answer, f); logged != expected && !sameCase(logged, expected) && f.Outcome != Abandoned && len(s.Unexpected) < maxUnexpected {
					s.Unexpected = append(s.Unexpected, Unexpected{UserPrincipalName: f.UserPrincipalName(), At: f.At(),
						CorrelationID: f.last().CorrelationID, Logged: logged, Expected: expected})
				}
			}
		}
		authorities.add(authority)
	}
	s.Outcomes, s.Codes, s.Bindings = results.list(), codes.list(), bindings.list()
	s.Strengths, s.Authorities, s.Stores = strengths.list(), authorities.list(), stores.list()
	return s, failed
}

func logged(f SignIn) string {
	if f.Outcome == Refused {
		return fmt.Sprintf("AADSTS%d", f.Code)
	}
	if f.Certificate.Mode == "" {
		return f.Outcome.String()
	}
	return f.Outcome.String() + ", " + f.Certificate.Mode.String()
}

// sameCase reports whether two codes stand for one case, as package aadsts has it.
func sameCase(a, b string) bool {
	find := func(text string) aadsts.Code {
		number, _ := strconv.Atoi(strings.TrimPrefix(text, "AADSTS"))
		c, _ := aadsts.Find(number)
		return c
	}
	x, y := find(a), find(b)
	return x.Case != "" && x.Case == y.Case
}

// expected is written as logged writes, as far as the log tells.
func expected(a signin.Answer, f SignIn) string {
	switch {
	case a.Outcome == signin.Undecided:
		return "not known"
	case !a.SignedIn:
		return a.Code
	case f.Certificate.Mode == "" || f.Outcome == Refused:
		return Succeeded.String()
	}
	return Succeeded.String() + ", " + a.AuthenticationMode.String()
}

// A tally counts names.
type tally map[string]int

func (t tally) add(name string) {
	if name != "" {
		t[name]++
	}
}

func (t tally) list() []Count {
	counts := []Count{}
	for name, n := range t {
		counts = append(counts, Count{name, n})
	}
	slices.SortFunc(counts, func(a, b Count) int { return cmp.Or(cmp.Compare(b.SignIns, a.SignIns), cmp.Compare(a.Name, b.Name)) })
	return counts
}

// String returns the summary as a table.
func (s Summary) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "sign-ins with certificates\t%d\n", s.SignIns)
	for _, part := range []struct {
		name   string
		counts []Count
	}{{"outcome", s.Outcomes}, {"code", s.Codes}, {"binding", s.Bindings}, {"strength", s.Strengths}, {"CA", s.Authorities}, {"store", s.Stores}} {
		for _, c := range part.counts {
			fmt.Fprintf(w, "%s: %s\t%d\n", part.name, c.Name, c.SignIns)
		}
	}
	w.Flush()
	for _, x := range s.Unexpected {
		b.WriteString("unexpected: " + x.String() + "\n")
	}
	return b.String()
}
