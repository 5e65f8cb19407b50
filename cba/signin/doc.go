// Package signin answers what Microsoft Entra will say when a user signs in with
// a certificate: in or out, single-factor or multifactor, by which rule and which
// binding, with which AADSTS code, and every step on the way. Nothing is asked of
// the tenant; the answer is worked out from its configuration.
//
// For most uses, read a tenant with [ParseConfig], make it ready with
// [Config.Compile], and ask [Tenant.Explain]. [Tenant.Decide] gives the same
// answer without its reasons, for many users; [Compare] says who gains and who
// loses access by a change; [Config.Findings] checks what only shows when
// policy, authorities and users are looked at together.
//
// # What is looked at, in this order
//
//  1. whether the method is enabled and the user in its scope (package policy)
//  2. the chain to a root of the tenant's stores, and validity (package trust)
//  3. the revocation list of every authority of the chain (package crl)
//  4. the scopes of certificate authorities, and whether issuer hints reach the
//     browser (a warning at most)
//  5. the username bindings that the required affinity leaves
//  6. the strength of the certificate, and the rule that set it
//  7. what the sign-in must satisfy: multifactor, or an authentication strength
//
// Everything is looked at, also after something has refused the sign-in, so that
// one answer names all that has to be changed. The code is that of the first
// refusal in this order; which one Entra meets first when several apply is not
// documented.
//
// # What is not documented
//
// The verdict lists each reading of an open question that it leans on, with its
// number in docs/open-questions.md, and says whether the other reading
// would change it ([Assumption]); [Options] chooses between readings. Each is
// turned round by itself: that two together would change the verdict is not seen.
// Codes that Microsoft's pages do not name for the case at hand are marked in the
// step as inferred ([Step]).
//
// # What is not looked at
//
// Conditional Access beyond the requirement that the caller gives, the state of
// the account (disabled, blocked, risky), home realm discovery and federation,
// what the browser and a TLS inspecting proxy do on the way, licences, and the
// service's caches: a changed policy takes up to an hour to count. Lists come
// from the [crl.Source] of [Options] as it has them now: what the service kept
// from before is not known.
package signin
