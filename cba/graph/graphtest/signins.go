package graphtest

import (
	"slices"
	"strings"
)

var interactive = []string{"interactiveUser"}

func (r *SignIn) eventTypes() []string {
	if len(r.EventTypes) == 0 {
		return interactive
	}
	return r.EventTypes
}

var signInSet = &entitySet[SignIn]{
	typ: "signIn", context: "auditLogs/signIns", top: 1000, most: 1000,
	ops: "eq startswith ge le gt lt and or any",
	fields: []field[SignIn]{
		{name: "id", path: "id", get: func(r *SignIn) any { return r.ID }},
		{name: "createdDateTime", path: "createdDateTime", always: true, get: func(r *SignIn) any { return r.CreatedDateTime }},
		{name: "correlationId", path: "correlationId", get: func(r *SignIn) any { return null(r.CorrelationID) }},
		{name: "userId", path: "userId", get: func(r *SignIn) any { return r.UserID }},
		// The log keeps names in lower case, and a filter has to as well.
		{name: "userPrincipalName", path: "userPrincipalName", exact: true, get: func(r *SignIn) any { return null(strings.ToLower(r.UserPrincipalName)) }},
		{name: "userDisplayName", path: "userDisplayName", get: func(r *SignIn) any { return null(r.UserDisplayName) }},
		{name: "appId", path: "appId", get: func(r *SignIn) any { return null(r.AppID) }},
		{name: "appDisplayName", path: "appDisplayName", get: func(r *SignIn) any { return null(r.AppDisplayName) }},
		{name: "resourceDisplayName", path: "resourceDisplayName", get: func(r *SignIn) any { return null(r.ResourceDisplayName) }},
		{name: "clientAppUsed", path: "clientAppUsed", get: func(r *SignIn) any { return null(r.ClientAppUsed) }},
		{name: "ipAddress", path: "ipAddress", get: func(r *SignIn) any { return null(r.IPAddress) }},
		{name: "conditionalAccessStatus", path: "conditionalAccessStatus", get: func(r *SignIn) any { return null(r.ConditionalAccessStatus) }},
		{name: "isInteractive", path: "isInteractive", get: func(r *SignIn) any { return slices.Contains(r.eventTypes(), interactive[0]) }},
		{name: "status", get: func(r *SignIn) any {
			return map[string]any{"errorCode": r.ErrorCode, "failureReason": null(r.FailureReason), "additionalDetails": null(r.AdditionalDetails)}
		}},
		{path: "status/errorCode", get: func(r *SignIn) any { return r.ErrorCode }},
	},
}

// betaSignInSet has what only beta has (Learn, signIn, v1.0 and beta).
var betaSignInSet = &entitySet[SignIn]{
	typ: "betaSignIn", context: signInSet.context, top: signInSet.top, most: signInSet.most, ops: signInSet.ops,
	fields: slices.Concat(signInSet.fields, []field[SignIn]{
		{name: "signInEventTypes", path: "signInEventTypes", get: func(r *SignIn) any { return r.eventTypes() }},
		{name: "authenticationDetails", get: func(r *SignIn) any {
			list := make([]any, len(r.Details))
			for i, d := range r.Details {
				list[i] = map[string]any{
					"authenticationMethod": null(d.Method), "authenticationMethodDetail": null(d.MethodDetail),
					"authenticationStepDateTime": jsonValue(d.StepDateTime), "authenticationStepRequirement": null(d.StepRequirement),
					"authenticationStepResultDetail": null(d.ResultDetail), "succeeded": d.Succeeded,
				}
			}
			return list
		}},
		{name: "authenticationProcessingDetails", get: func(r *SignIn) any {
			list := make([]any, len(r.Processing))
			for i, p := range r.Processing {
				list[i] = map[string]any{"key": p.Key, "value": p.Value}
			}
			return list
		}},
	}),
}

func signIns(c *call) *entitySet[SignIn] {
	if c.version == "beta" {
		return betaSignInSet
	}
	return signInSet
}

// listSignIns answers with interactive sign-ins, unless a filter of beta names
// signInEventTypes.
func (s *state) listSignIns(c *call) answer {
	return signIns(c).list(s, c, func(f *filter) []found[SignIn] {
		named := false
		if f != nil {
			f.each(func(path string, _ *filter, _ bool) { named = named || strings.EqualFold(path, "signInEventTypes") })
		}
		list := fixed(s.org.SignIns)
		if named {
			return list
		}
		return slices.DeleteFunc(list, func(r found[SignIn]) bool { return !slices.Contains(r.v.eventTypes(), interactive[0]) })
	})
}

func (s *state) getSignIn(c *call) answer {
	for i := range s.org.SignIns {
		if r := &s.org.SignIns[i]; r.ID == c.params[0] {
			return signIns(c).one(c, r)
		}
	}
	return notFound(c.params[0])
}
