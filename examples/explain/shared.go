package main

import (
	"fmt"
	"io"

	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
	"example.com/entracba/examples/internal/console"
)

// shared are the values of certificateUserIds that two users of a list have.
type shared struct {
	ids   signin.SharedIDs
	found lint.Findings // the first of them
	total int
}

// shownShared is how many of them are printed.
const shownShared = 10

func (s *shared) add(user policy.User) {
	found := s.ids.Add(user)
	s.total += len(found)
	s.found = append(s.found, found[:min(len(found), max(0, shownShared-len(s.found)))]...)
}

// print says them beside the result, which they make doubtful.
func (s *shared) print(w io.Writer) {
	for _, f := range s.found {
		fmt.Fprintf(w, "explain: %s\n", console.Clean(f.String()))
	}
	if more := s.total - len(s.found); more > 0 {
		fmt.Fprintf(w, "explain: %s; audit -tenant FILE -users FILE lists all\n", console.Count(more, "more value")+" of two users")
	}
}
