// Package lifecycle plans what has to be done about a person's certificates after
// they were issued: when one is renewed, and when the person leaves.
//
// For most uses, make an [Account] with [AccountOf], call [PlanRenewal] with the
// new certificate or [PlanLeaving], read the findings, and carry out the plan:
// [Renewal.Edit] and [Leaving.Edit] return the change for graph.Client.PlanUsers.
// RenewalTime of package cba says when a certificate is due. A plan is data. It can be stored as
// JSON, shown to somebody for approval, applied later, and applied again. This package
// talks neither to Microsoft Graph nor to a CA.
//
// # Renewal
//
// The new certificate's values are added beside the old ones, because the old
// certificate works until it expires. The old values are removed once their
// certificate has expired or is revoked, all within the ten values that an account
// can have. A plan says what to add and remove, never the whole collection, so that
// [Renewal.Apply] keeps what somebody else has written meanwhile.
//
// # Leaving
//
// The order is: first what takes effect at once (the account, its sessions), then
// what takes time (revocation: Entra uses a CRL until it expires), then what remains
// (values, devices, files).
//
// # What is not done
//
// The package does not check that a value belongs to only one account of the
// tenant; the service refuses such a value. It does not compare the names of the
// certificates with the account: see package signin.
package lifecycle
