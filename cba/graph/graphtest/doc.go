// Package graphtest is an in-memory Microsoft Graph for the calls that manage
// certificate-based authentication, for tests and for running without a tenant.
//
// For most uses make a [Tenant] (or take the one of [Demo]), hand it to [New], and
// either mount the [Graph], which is an http.Handler, or start it behind TLS with
// [Serve]. The base URL of a client is Server.URL + "/v1.0", its access token
// [Token], its credential [StaticToken]. State is kept between calls; [Graph.Tenant] reads it back,
// [Graph.Requests] returns what was sent, and [Graph.Inject] makes the service fail.
//
// The package imports nothing foreign but the interface of credentials (azcore), and
// opens no connection: a bundle that is uploaded by its address comes from [Options.Fetch].
//
// # What it answers
//
// Below /v1.0 and /beta alike, wherever they are mounted:
//
//	/policies/authenticationMethodsPolicy                                GET
//	  /authenticationMethodConfigurations                                GET
//	  /authenticationMethodConfigurations/x509Certificate                GET PATCH DELETE
//	/directory/publicKeyInfrastructure/certificateBasedAuthConfigurations GET POST
//	  /{id}                                                              GET PATCH DELETE
//	  /{id}/upload                                                       POST
//	  /{id}/certificateAuthorities                                       GET POST
//	  /{id}/certificateAuthorities/{id}                                  GET PATCH DELETE
//	/directory/deletedItems/{cast}                                       GET
//	  /{id}                                                              GET DELETE
//	  /{id}/restore                                                      POST
//	/domains                                                             GET
//	/organization, /organization/{id}                                    GET
//	  /{id}/certificateBasedAuthConfiguration                            GET POST
//	  /{id}/certificateBasedAuthConfiguration/{id}                       GET DELETE
//	/users, /users/$count                                                GET
//	/users/{id or userPrincipalName}                                     GET PATCH
//	  /memberOf, /transitiveMemberOf                                     GET
//	/groups, /groups/{id}                                                GET
//	/identity/conditionalAccess/authenticationStrength/policies          GET
//	  (also as /policies/authenticationStrengthPolicies)
//	  /{id}, /{id}/combinationConfigurations                             GET
//	/auditLogs/signIns, /auditLogs/signIns/{id}                          GET
//	/$batch                                                              POST
//
// Every request body is checked against Microsoft's published schema (CSDL) of these
// types: an unknown property, a value of the wrong type or an unknown enum value is
// refused with 400. Errors have Graph's shape, with request-id.
//
// # What is documented
//
// Methods, paths, success codes and property names; that the policy's PATCH needs
// @odata.type and its DELETE restores the default; the 20 KB of the policy, 250
// CAs, 8 KB a CA, 2 MB a bundle, 10 values of 1,024 characters a user, 20 requests
// a batch; that a value is unique in the tenant and a PATCH replaces all values;
// that authorizationInfo comes on $select only, and a filter over it needs
// ConsistencyLevel: eventual with $count=true, as a cast of memberships does; that
// systemCredentialPreferences is in beta only; that issuerSubjectAndPolicyOID reads
// as unknownFutureValue without Prefer: include-unknown-enum-members; that uploads
// are asynchronous, one at a time, and a duplicate is 400; that deleted PKIs and
// CAs can be restored for 30 days; that the classic store has one configuration,
// of a fixed id, without PATCH, and takes no upload while a CA in it has expired;
// that synced users are not written through Graph; which properties of sign-ins
// only beta has; Retry-After, also on the parts of a batch, and 424.
//
// # What is inferred
//
// The numbers are those of docs/open-questions.md.
//
//   - A property in a PATCH of the policy replaces the old value whole (9.16;
//     [Options.MergeComplex] is the other reading).
//   - One object is answered bare; samples wrap it in "value" (9.19).
//   - A certificateUserIds value that another user has is 400, with a text that
//     speaks of a unique value (9.21), and values are compared exactly
//     ([Options.FoldCertificateUserIDs]).
//   - IssuerAndSubject, Subject and IssuerAndSerialNumber are the names of those
//     certificate fields (9.14); a rule of issuer and policy needs both specific
//     identifiers (9.13).
//   - PKIs are created and bundles uploaded by POST; PATCH is 405 (9.18).
//   - The codes and texts of errors, but for the few that Microsoft's pages print;
//     that annotations in a request, unknownFutureValue as a value to write and a
//     name that appears twice are refused; which problem of a bundle shows at once
//     and which in the status; that 250 counts per PKI and "one at a time" per
//     tenant.
//   - Replication lag: writers see the truth, readers the older state. Real lag
//     has no figure and no order.
//   - @odata.nextLink counts objects; those who are deleted between two pages can
//     make it skip one.
//
// It does not check permissions or roles, throttle on its own, keep an audit log,
// or evaluate sign-ins.
package graphtest
