package snapshot

import (
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/entracba/cba/aadsts"
	"example.com/entracba/cba/internal/enum"
	"example.com/entracba/cba/policy"
)

// A Row is a row of the sign-in log, with the properties that matter for
// certificates. AuthenticationDetails and ProcessingDetails are in Graph's beta
// only: v1.0 says nothing about certificates.
type Row struct {
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

// A KeyValue is one of the additional details of a row (beta).
type KeyValue struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// CertificateFacts are what the log says about the certificate of a sign-in: the
// additional details of the row in which the certificate was requested (Learn,
// technical deep dive, "Understand the sign-in log").
type CertificateFacts struct {
	Subject string // the subject of the certificate
	// Thumbprint and SerialNumber are those of the certificate, as the log writes them.
	// The pages do not name them; empty where a row lacks them.
	Thumbprint, SerialNumber string
	// Binding is the username binding that was used, as the log writes it:
	// "Certificate: Principal Name; User Attribute: userPrincipalName; Rank: 1".
	Binding string
	Rank    int // the priority of the binding; 0 if unknown
	// Mode is the strength of the authentication; empty if the log does not say it.
	Mode policy.AuthenticationMode
	// LevelType and LevelIdentifier say which rule decided the strength: "PolicyId"
	// and an OID. Other types are not documented.
	LevelType, LevelIdentifier string
	// ScopeSKI is the subject key identifier of the CA whose scope let the user in.
	ScopeSKI string
	// LegacyStore says whether the classic trust store was used; nil if the log
	// does not say. Rows without a certificate have this detail, too.
	LegacyStore *bool
}

// Certificate reads the facts about the certificate. ok says whether the row belongs
// to a sign-in with a certificate.
func (s Row) Certificate() (facts CertificateFacts, ok bool) {
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
			switch {
			case strings.Contains(key, "scoping"):
				facts.ScopeSKI = value
			case strings.HasPrefix(key, "user certificate") && strings.Contains(key, "thumbprint"):
				facts.Thumbprint = value
			case strings.HasPrefix(key, "user certificate") && strings.Contains(key, "serial"):
				facts.SerialNumber = value
			default:
				continue
			}
		}
		ok = true
	}
	for _, d := range s.AuthenticationDetails {
		method := strings.ToLower(d.Method)
		ok = ok || strings.Contains(method, "x.509") || strings.Contains(method, "certificate")
	}
	return facts, ok || certificateCode(s.Status.ErrorCode)
}

// certificateCode reports whether a code is about certificates alone.
func certificateCode(number int) bool {
	code, ok := aadsts.Find(number)
	return ok && code.Certificate
}

// interrupts reports whether a code is of a row in which a sign-in waits for the
// user: for the certificate (inferred: the pages print no code), or for the answer
// to "stay signed in?".
func interrupts(code int) bool { return code == 50019 || code == 50140 }

// An Outcome is how a sign-in ended. The zero value is unset.
type Outcome uint8

const (
	// Succeeded: a row of the sign-in has no error.
	Succeeded Outcome = iota + 1
	// Refused: the last row that is no interruption has an error.
	Refused
	// Abandoned: every row is an interruption. The user closed the window, or chose
	// no certificate.
	Abandoned
)

var outcomes = enum.Of[Outcome]("snapshot: outcome", "succeeded", "refused", "abandoned")

// String returns the outcome in one word.
func (o Outcome) String() string { return outcomes.String(o) }

// MarshalText writes the text of [Outcome.String]; an unset or unknown outcome is an
// error.
func (o Outcome) MarshalText() ([]byte, error) { return outcomes.Marshal(o) }

// UnmarshalText reads what MarshalText wrote.
func (o *Outcome) UnmarshalText(text []byte) error { return outcomes.Unmarshal(o, text) }

// A SignIn is one sign-in with a certificate: the rows of one correlation id. The
// log has at least two of them, one in which the certificate was requested and one
// with the result.
type SignIn struct {
	Rows        []Row // the oldest first
	Certificate CertificateFacts
	Outcome     Outcome
	// Code is the number of the AADSTS code of a refusal, Reason its text; 0 and ""
	// for other outcomes.
	Code   int
	Reason string
}

// UserPrincipalName returns the name of the user who signed in.
func (s SignIn) UserPrincipalName() string { return s.last().UserPrincipalName }

// UserID returns the id of the user.
func (s SignIn) UserID() string { return s.last().UserID }

// At returns the time of the last row.
func (s SignIn) At() time.Time { return s.last().CreatedDateTime }

func (s SignIn) last() Row {
	if len(s.Rows) == 0 {
		return Row{}
	}
	return s.Rows[len(s.Rows)-1]
}

// signInWindow is how far apart the rows of one sign-in may be.
const signInWindow = time.Hour

// SignIns joins the rows of a log, which come newest first, to sign-ins with
// certificates; other sign-ins are left out. Rows of one sign-in are assumed to be
// less than an hour apart: no more rows than those of an hour are held.
//
// The stream ends after an error of rows. A nil stream of rows has none.
func SignIns(rows iter.Seq2[Row, error]) iter.Seq2[SignIn, error] {
	return func(yield func(SignIn, error) bool) {
		if rows == nil {
			return
		}
		open := map[string][]Row{}
		var order []string // by the time of the newest row
		emit := func(id string) bool {
			list := open[id]
			delete(open, id)
			if s, ok := signIn(list); ok {
				return yield(s, nil)
			}
			return true
		}
		for row, err := range rows {
			if err != nil {
				yield(SignIn{}, err)
				return
			}
			for len(order) > 0 && open[order[0]][0].CreatedDateTime.Sub(row.CreatedDateTime) > signInWindow {
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

// signIn makes a sign-in of its rows, the newest first.
func signIn(rows []Row) (s SignIn, certificate bool) {
	rows = slices.Clone(rows)
	slices.Reverse(rows)
	slices.SortStableFunc(rows, func(a, b Row) int { return a.CreatedDateTime.Compare(b.CreatedDateTime) })
	s.Rows, s.Outcome = rows, Abandoned
	for _, row := range rows {
		facts, ok := row.Certificate()
		certificate = certificate || ok
		if ok && facts.Subject != "" || s.Certificate == (CertificateFacts{}) {
			s.Certificate = facts
		}
		switch {
		case row.Status.ErrorCode == 0:
			s.Outcome, s.Code, s.Reason = Succeeded, 0, ""
		case s.Outcome != Succeeded && !interrupts(row.Status.ErrorCode):
			s.Outcome, s.Code, s.Reason = Refused, row.Status.ErrorCode, row.Status.FailureReason
		}
	}
	return s, certificate
}
