package graph

import (
	"context"
	"encoding/json"
	"iter"
	"strings"
	"time"

	"example.com/entracba/cba/snapshot"
)

// A SignInQuery chooses rows of the log. Since is required.
type SignInQuery struct {
	Since time.Time
	Until time.Time // zero is now
	User  string    // userPrincipalName, "" for all
}

// SignInLog streams the rows of the interactive sign-in log, the newest first, 1,000
// at a time, from Graph's beta: only there are facts about certificates. The tenant
// needs a licence of Entra ID P1 or P2. Microsoft may change beta without notice.
func (c *Client) SignInLog(ctx context.Context, q SignInQuery) iter.Seq2[snapshot.Row, error] {
	op := operation{name: "list sign-ins", permission: "AuditLog.Read.All with Directory.Read.All", role: "Reports Reader"}
	return func(yield func(snapshot.Row, error) bool) {
		if q.Since.IsZero() {
			yield(snapshot.Row{}, op.refuse(Invalid, "SignInQuery.Since is required"))
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
			var s snapshot.Row
			if err == nil {
				if err = json.Unmarshal(text, &s); err != nil {
					err = op.broken("/beta/auditLogs/signIns", err)
				}
			}
			if !yield(s, err) || err != nil {
				return
			}
		}
	}
}
