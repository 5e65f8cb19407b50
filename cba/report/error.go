package report

// An Error says why input cannot be used.
type Error struct {
	Reason Reason
	Detail string // what was found, and what to do
	Err    error  // the cause, or nil
}

// A Reason is what is wrong. The zero value is unset.
type Reason string

const (
	// BadOmissions is a file that is no list of omissions.
	BadOmissions Reason = "bad-omissions"
	// BadReport is a file that is no report's JSON, or one without findings.
	BadReport Reason = "bad-report"
	// NoTime is a report that does not say when it was made.
	NoTime Reason = "no-time"
	// NoWriter is a call without anything to write to.
	NoWriter Reason = "no-writer"
	// NoParts is a report about nothing.
	NoParts Reason = "no-parts"
)

// Error returns "report: " and the reason in words.
func (r Reason) Error() string {
	switch r {
	case BadOmissions:
		return "report: not a list of omissions"
	case BadReport:
		return "report: not the JSON of a report with findings"
	case NoTime:
		return "report: the time at which it was made is missing"
	case NoWriter:
		return "report: there is nothing to write to"
	case NoParts:
		return "report: it has no parts"
	}
	return "report: " + string(r)
}

// Error returns the reason, the detail and the cause.
func (e *Error) Error() string {
	s := e.Reason.Error()
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is makes errors.Is(err, report.BadOmissions) work.
func (e *Error) Is(target error) bool { r, ok := target.(Reason); return ok && r == e.Reason }
