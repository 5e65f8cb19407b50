package graph

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/entracba/cba/policy"
)

// A SignIn is one row of the sign-in log, as far as certificates are concerned.
// AuthenticationDetails and ProcessingDetails are of Graph's beta: v1.0 has no
// facts about certificates.
type SignIn struct {
	ID                  string    `json:"id"`
	CreatedDateTime     time.Time `json:"createdDateTime"`
	CorrelationID       string    `json:"correlationId"`
	UserID              string    `json:"userId"`
	UserPrincipalName   string    `json:"userPrincipalName"` // in lower case, as the log keeps it
	UserDisplayName     string    `json:"userDisplayName"`
	AppID               string    `json:"appId"`
	AppDisplayName      string    `json:"appDisplayName"`
	ResourceDisplayName string    `json:"resourceDisplayName"`
	IPAddress           string    `json:"ipAddress"`
	ConditionalAccess   string    `json:"conditionalAccessStatus"`
	Status              struct {
		ErrorCode         int    `json:"errorCode"` // 0 is success, else the number of an AADSTS code
		FailureReason     string `json:"failureReason"`
		AdditionalDetails string `json:"additionalDetails"`
	} `json:"status"`
	AuthenticationDetails []AuthenticationDetail `json:"authenticationDetails"`
	ProcessingDetails     []KeyValue             `json:"authenticationProcessingDetails"`
}

// An AuthenticationDetail is one step of a sign-in (beta).
type AuthenticationDetail struct {
	Method          string    `json:"authenticationMethod"`
	MethodDetail    string    `json:"authenticationMethodDetail"`
	StepDateTime    time.Time `json:"authenticationStepDateTime"`
	StepRequirement string    `json:"authenticationStepRequirement"`
	ResultDetail    string    `json:"authenticationStepResultDetail"`
	Succeeded       bool      `json:"succeeded"`
}

// A KeyValue is one of the additional details of a sign-in (beta).
type KeyValue struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// CertificateFacts are what the log says about the certificate of a sign-in: the
// additional details of the row in which it was asked for (Learn, technical deep
// dive, "Understand the sign-in log").
type CertificateFacts struct {
	Subject string // the name of its subject
	// Binding is the username binding that was used, as the log writes it:
	// "Certificate: Principal Name; User Attribute: userPrincipalName; Rank: 1".
	Binding string
	Rank    int // of the binding, its priority; 0 if unknown
	// Mode is the strength, empty if the log does not say it.
	Mode policy.AuthenticationMode
	// LevelType and LevelIdentifier say what decided the strength: "PolicyId" and an
	// OID. Other types are not documented.
	LevelType, LevelIdentifier string
	// ScopeSKI is the subject key identifier of the CA whose scope let the user in.
	ScopeSKI string
	// LegacyStore says whether the classic trust store was used; nil if the log
	// does not say. The detail is there on rows without a certificate, too.
	LegacyStore *bool
}

// Certificate reads the facts about the certificate; ok says whether the row is
// of a sign-in with one.
func (s SignIn) Certificate() (facts CertificateFacts, ok bool) {
	for _, kv := range s.ProcessingDetails {
		key, value := strings.ToLower(strings.TrimSpace(kv.Key)), strings.TrimSpace(kv.Value)
		switch key {
		case "user certificate subject name":
			facts.Subject = value
		case "user certificate binding":
			facts.Binding = value
			if _, rank, found := strings.Cut(value, "Rank:"); found {
				facts.Rank, _ = strconv.Atoi(strings.TrimSpace(rank))
			}
		case "user certificate authentication level":
			switch strings.ToLower(value) {
			case "singlefactorauthentication":
				facts.Mode = policy.SingleFactor
			case "multifactorauthentication":
				facts.Mode = policy.MultiFactor
			default:
				facts.Mode = policy.AuthenticationMode(value)
			}
		case "user certificate authentication level type":
			facts.LevelType = value
		case "user certificate authentication level identifier":
			facts.LevelIdentifier = value
		case "is legacy store used":
			if used, err := strconv.ParseBool(value); err == nil {
				facts.LegacyStore = &used
			}
			continue
		default:
			if strings.Contains(key, "scoping") {
				facts.ScopeSKI = value
				break
			}
			continue
		}
		ok = true
	}
	for _, d := range s.AuthenticationDetails {
		method := strings.ToLower(d.Method)
		ok = ok || strings.Contains(method, "x.509") || strings.Contains(method, "certificate")
	}
	return facts, ok || certificateCode(s.Status.ErrorCode)
}

// certificateCode reports whether a code is about certificates alone (Learn, the
// CRL page, the technical deep dive, and the reference of error codes).
func certificateCode(code int) bool {
	switch code {
	case 50017, 50019, 50192, 1000502, 1002002, 7000214:
		return true
	}
	return code >= 500171 && code <= 500179 || code >= 500183 && code <= 500189 || code >= 2205011 && code <= 2205015
}

// interrupts are codes of rows in which a flow stops and goes on: the certificate
// is asked for (inferred: the pages print no code), the user is asked whether to
// stay signed in.
func interrupts(code int) bool { return code == 50019 || code == 50140 }

// A SignInQuery chooses rows of the log. Since is required.
type SignInQuery struct {
	Since time.Time
	Until time.Time // zero is now
	User  string    // userPrincipalName, "" for all
}

// SignIns streams the rows of the interactive sign-in log, the newest first, 1,000
// at a time, from Graph's beta: only there are facts about certificates. The tenant
// needs a licence of Entra ID P1 or P2. Microsoft may change beta without notice.
func (c *Client) SignIns(ctx context.Context, q SignInQuery) iter.Seq2[SignIn, error] {
	op := operation{"list sign-ins", "AuditLog.Read.All with Directory.Read.All", "Reports Reader"}
	return func(yield func(SignIn, error) bool) {
		if q.Since.IsZero() {
			e := c.fail(op)
			e.Err = fmt.Errorf("SignInQuery.Since is required")
			yield(SignIn{}, e)
			return
		}
		filter := "createdDateTime ge " + q.Since.UTC().Format(time.RFC3339)
		if !q.Until.IsZero() {
			filter += " and createdDateTime le " + q.Until.UTC().Format(time.RFC3339)
		}
		if q.User != "" {
			filter += " and userPrincipalName eq " + literal(strings.ToLower(q.User))
		}
		path := "auditLogs/signIns" + query("$filter", filter, "$top", "1000")
		for text, err := range c.pages(ctx, request{op: op, path: path, beta: true, header: [][2]string{wantEnums}}) {
			var s SignIn
			if err == nil {
				if err = json.Unmarshal(text, &s); err != nil {
					e := c.fail(op)
					e.Method, e.Path, e.Status, e.Err = http.MethodGet, "/beta/auditLogs/signIns", http.StatusOK, fmt.Errorf("%w: %w", ErrBadAnswer, err)
					err = e
				}
			}
			if !yield(s, err) || err != nil {
				return
			}
		}
	}
}

// A FlowOutcome is how a sign-in ended. The zero value is unset.
type FlowOutcome uint8

const (
	// Succeeded: a row of the flow has no error.
	Succeeded FlowOutcome = iota + 1
	// Refused: the last row that is no interruption has an error.
	Refused
	// Abandoned: every row is an interruption. The user closed the window, or chose
	// no certificate.
	Abandoned
)

// String returns the outcome in one word.
func (o FlowOutcome) String() string {
	switch o {
	case Succeeded:
		return "succeeded"
	case Refused:
		return "refused"
	case Abandoned:
		return "abandoned"
	}
	return fmt.Sprintf("FlowOutcome(%d)", uint8(o))
}

// A Flow is one sign-in with a certificate: the rows of one correlation id. The
// log has at least two, one in which the certificate is asked for and one with
// the end.
type Flow struct {
	Rows        []SignIn // the oldest first
	Certificate CertificateFacts
	Outcome     FlowOutcome
	// Code and Reason are those of the refusal, 0 and "" for the others.
	Code   int
	Reason string
}

// UserPrincipalName is whose sign-in it is.
func (f Flow) UserPrincipalName() string { return f.last().UserPrincipalName }

// UserID is the id of the user.
func (f Flow) UserID() string { return f.last().UserID }

// At is the time of the last row.
func (f Flow) At() time.Time { return f.last().CreatedDateTime }

func (f Flow) last() SignIn {
	if len(f.Rows) == 0 {
		return SignIn{}
	}
	return f.Rows[len(f.Rows)-1]
}

// flowWindow is how far apart the rows of one flow may be.
const flowWindow = time.Hour

// Flows joins the rows of a log, which come newest first, to sign-ins with
// certificates; other sign-ins are left out. Rows of one flow are taken to be less
// than an hour apart: no more rows than that are held.
func Flows(rows iter.Seq2[SignIn, error]) iter.Seq2[Flow, error] {
	return func(yield func(Flow, error) bool) {
		open := map[string][]SignIn{}
		var order []string // by the time of the newest row
		emit := func(id string) bool {
			list := open[id]
			delete(open, id)
			if f, ok := flow(list); ok {
				return yield(f, nil)
			}
			return true
		}
		for row, err := range rows {
			if err != nil {
				yield(Flow{}, err)
				return
			}
			for len(order) > 0 && open[order[0]][0].CreatedDateTime.Sub(row.CreatedDateTime) > flowWindow {
				id := order[0]
				order = order[1:]
				if !emit(id) {
					return
				}
			}
			id := row.CorrelationID
			if id == "" {
				id = "row " + row.ID
			}
			if open[id] == nil {
				order = append(order, id)
			}
			open[id] = append(open[id], row)
		}
		for _, id := range order {
			if !emit(id) {
				return
			}
		}
	}
}

// flow makes a flow of its rows, the newest first.
func flow(rows []SignIn) (f Flow, certificate bool) {
	rows = slices.Clone(rows)
	slices.Reverse(rows)
	slices.SortStableFunc(rows, func(a, b SignIn) int { return a.CreatedDateTime.Compare(b.CreatedDateTime) })
	f.Rows, f.Outcome = rows, Abandoned
	for _, row := range rows {
		facts, ok := row.Certificate()
		certificate = certificate || ok
		if ok && facts.Subject != "" || f.Certificate == (CertificateFacts{}) {
			f.Certificate = facts
		}
		switch {
		case row.Status.ErrorCode == 0:
			f.Outcome, f.Code, f.Reason = Succeeded, 0, ""
		case f.Outcome != Succeeded && !interrupts(row.Status.ErrorCode):
			f.Outcome, f.Code, f.Reason = Refused, row.Status.ErrorCode, row.Status.FailureReason
		}
	}
	return f, certificate
}
