// Package signin says what Microsoft Entra answers when a user signs in with a
// certificate: signed in or refused, single-factor or multifactor, by which rule and
// which username binding, with which AADSTS code, and every step on the way. It asks
// the tenant nothing; it works the answer out from the tenant's configuration.
//
// For most uses, read a tenant with [ParseConfig], make it ready with
// [Config.Compile], and call [Tenant.Explain], or [Tenant.ExplainUser] for somebody
// with several certificates. [Tenant.Decide] gives the same answer without its
// reasons, for many users. [Compare] says who gains or loses access after a change.
// [Tenant.Candidates] says to whom a certificate is bound. [Config.Findings] checks
// what shows only when policy, CAs and users are checked together.
//
// # What is checked, in this order
//
//  1. whether the account is enabled, the method is enabled and the user in its scope (package policy)
//  2. what may keep a client from presenting the certificate (package cba; warnings)
//  3. the chain to a root of the tenant's trust stores, and validity (package trust)
//  4. the CRL of every CA of the chain (package crl)
//  5. CA scopes, and whether issuer hints reach the browser (a warning at most)
//  6. the username bindings that have the required affinity
//  7. the strength of the certificate, and the rule that sets it
//  8. what the sign-in must satisfy: multifactor, or an authentication strength
//
// A verdict is signed in, refused or undecided ([Outcome]). It is undecided where
// nothing that is known refuses the sign-in and something that the input does not have
// could: groups of the user, exclude targets, CA scopes, the CAs of a PKI, the
// restrictions of a strength. [Verdict.Missing] names it and the call that settles it.
// docs/undecided.md has every property that may be missing, and what follows.
// A restriction that cannot be read never lets anybody in.
//
// Everything is checked, also after something has refused the sign-in, so that one
// answer names all that has to be changed. The code is that of the first refusal in
// this order ([Verdict.Refusal]); which refusal Entra finds first when several apply
// is not documented.
//
// # What is not documented
//
// The verdict lists each open question that it depends on, with the number in
// docs/open-questions.md, and says whether the other reading would change it
// ([Assumption]). [Options] chooses between readings, and [Tenant.Calibrate] asks the
// tenant's own sign-in log which is right. Each question is turned around
// by itself; a verdict that only two other readings together would change is not
// found. Codes that Microsoft does not document for the case at hand are marked as
// inferred ([Step]).
//
// # What is not checked
//
// Conditional Access beyond the given requirement, risk and sign-in blocks, home realm discovery and federation, what the browser
// and a TLS inspecting proxy do on the way, licences, and the service's caches: it
// takes up to an hour until a changed policy has effect. CRLs are those that the
// [crl.Source] of [Options] has now; the service may still use an older one.
//
// # Errors
//
// Every error of the package is an [*Error]; errors.Is tells its [Reason]. The error
// of a context that has ended, and that of a CRL source, pass through.
package signin
