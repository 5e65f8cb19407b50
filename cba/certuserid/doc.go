// Package certuserid makes, reads, checks and matches the certificateUserIds
// values that bind a certificate to a Microsoft Entra account.
package certuserid
