package graph

import (
	"context"
	"encoding/json"
	"iter"
	"strings"
	"time"

	"example.com/entracba/cba/snapshot"
)

// A SignInQuery chooses rows of the log. The zero value chooses all.
type SignInQuery struct {
	Until time.Time // zero is now
	User  string    // userPrincipalName, "" for all
}

// SignInLog streams the rows of the interactive sign-in log since a time, the newest
// first, 1,000 at a time. It reads Graph's beta, because v1.0 says nothing about
// certificates; Microsoft may change beta without notice. The tenant needs a license of
// Entra ID P1 or P2. [snapshot.SignIns] joins the rows.
func (c *Client) SignInLog(ctx context.Context, since time.Time, q SignInQuery) iter.Seq2[snapshot.Row, error] {
	op := operation{name: "list sign-ins", permission: "AuditLog.Read.All with Directory.Read.All", role: "Reports Reader"}
	return func(yield func(snapshot.Row, error) bool) {
		if since.IsZero() {
			yield(snapshot.Row{}, op.refuse(Invalid, "the time since when is required"))
			return
		}
		filter := "createdDateTime ge " + since.UTC().Format(time.RFC3339)
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
