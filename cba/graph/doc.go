// Package graph reads and writes a tenant's certificate-based authentication
// through Microsoft Graph: the method configuration, both trust stores, the
// certificateUserIds of users, and the sign-in log.
//
// For most uses make a [Client] with [NewClient] from a credential, or put the
// adapter of a GraphServiceClient into one. Reading returns the types of packages
// policy, trust, signin and snapshot. Every change is made in three steps: plan it
// (nothing is written, and the plan can be printed), apply the plan, and keep what
// takes the change back.
//
// # Changes
//
// A change of the method configuration is a [PolicyPlan]: [Client.PlanPolicy] and
// [Client.ApplyPolicy]. It is refused if its findings say that it keeps people out. A
// change of the PKI-based trust store is a [TrustPlan]:
// [Client.PlanTrust] and [Client.ApplyTrust]. The classic store cannot be updated: it
// is replaced, after a backup ([Client.ReplaceClassic]). A [TenantPlan] joins all three:
// [Client.PlanTenant] and [Client.ApplyTenant]; it can be saved, and an application that
// was interrupted is continued or taken back. A change of users is a
// [snapshot.Edit]: [Client.PlanUsers] and [Client.ApplyUsers] merge it with the values
// of each user, as a stream of which only a few batches are in memory. Every write is
// read back until it is visible. [Client.Snapshot] reads all of it into one value of
// package snapshot, and [Client.SignInLog] reads the log.
//
// Graph has no ETag for any of these objects, and a PATCH of a collection
// replaces it. So every object is read just before a write and again after it. If
// another program wrote in between, the values of users are merged, and a change of
// the configuration is refused ([Stale]).
//
// # Errors
//
// Every error of a call is an [*Error], which names what the service said, the
// request-id, and the permission and role that the call needs. errors.Is with a
// [Reason] tells the errors apart: errors.Is(err, graph.NotFound). No token is in
// any text. A throttled request is sent again after the time that the service asks
// for. A write whose answer was lost is sent again only if it is idempotent; if not,
// the error says that the write may have been made ([Error.Indeterminate]).
//
// # The SDK, and what importing it costs
//
// The package sends its requests through a kiota RequestAdapter, the one type of
// the SDK in its signatures, and takes the bytes of the answers from it: the JSON
// of Graph is the model of packages policy and trust, and the SDK's typed models
// would lose what they do not know (members that an enumeration gets later become
// nil, properties are reordered). So neither the SDK's root package nor its models
// are compiled, and the SDK's adapter, authentication and telemetry are those of
// msgraph-sdk-go-core, as in the SDK's own client. Tests hold the requests against
// the SDK's builders (behind the build tag "sdk"). From an empty build cache, on two
// cores that had other work too, a program that imports this package took 33 s and
// 149 MB of cache, one that imports the SDK's root 412 s and 1,326 MB: 8 %. The
// script buildcost.sh measures it.
//
// # What is not documented
//
// The numbers are those of docs/open-questions.md.
// That a PATCH replaces a collection (9.16); that one object may be wrapped in
// "value" (9.19); how a value that another user has is refused (9.21); that PKIs
// are made and bundles uploaded by POST (9.18). The time that the directory takes
// to show a write has no figure: see [Client.Patience].
package graph
