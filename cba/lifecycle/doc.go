// Package lifecycle plans what is to be done about a person's certificates after
// they were issued: when one is renewed, and when the person leaves.
//
// For most uses, read the account's certificateUserIds into an [Account], call
// [PlanRenewal] with the new certificate or [PlanLeaving], look at the findings,
// and carry the plan out. A plan is data: it can be stored as JSON, shown to
// somebody for approval, and applied later and again. Nothing here talks to
// Microsoft Graph or to a certificate authority.
//
// # Renewal
//
// The new certificate's values are put beside the old ones, for the old one works
// until its end, and the old ones are dropped once their certificate has expired
// or is revoked, all within the ten values that an account may have. A plan says
// what to add and remove, never the whole collection, so that [Renewal.Apply] to a
// collection that has changed meanwhile keeps what somebody else has written.
//
// # Leaving
//
// The order is: first what takes effect at once (the account, its sessions), then
// what needs time to be seen (revocation: Entra keeps a list until its end), then
// what is left behind (values, devices, files).
//
// # Why it is a package of its own
//
// Plans need certuserid and crl, which know nothing of each other and stay so.
//
// # What is not done
//
// That a value belongs to one account of the tenant only is not checked; the
// service refuses it. The names of the certificates are not compared with the
// account: see package signin.
package lifecycle
