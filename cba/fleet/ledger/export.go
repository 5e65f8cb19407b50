package ledger

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"io"
	"iter"
	"strconv"
	"time"
)

// columns are the header row. Times are RFC 3339 in UTC, or empty.
func columns() []string {
	return []string{"owner", "upn", "serialNumber", "issuer", "state", "notBefore", "notAfter",
		"issuedAt", "boundAt", "deliveredAt", "renewedAt", "revokedAt", "reason", "replaces"}
}

// WriteCSV writes entries as CSV with a header row (RFC 4180, but lines end with a
// line feed). It writes one entry after another, so a ledger of any size can be
// exported. Certificates are left out.
//
// Values are written unchanged. Some spreadsheets read a cell that begins with "=",
// "+", "-" or "@" as a formula, and a UPN can begin like that: import the columns as
// text. The error is the first one of entries or of w.
func WriteCSV(w io.Writer, entries iter.Seq2[Entry, error]) error {
	c := csv.NewWriter(w)
	if err := c.Write(columns()); err != nil {
		return err
	}
	for e, err := range entries {
		if err != nil {
			return err
		}
		if err := c.Write([]string{e.Owner, e.UPN, e.Serial, e.Issuer, e.State.String(), when(e.NotBefore), when(e.NotAfter),
			when(e.IssuedAt), when(e.BoundAt), when(e.DeliveredAt), when(e.RenewedAt), when(e.RevokedAt), e.reason(), e.Replaces}); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func (e Entry) reason() string {
	if e.State != Revoked {
		return ""
	}
	if text, err := e.Reason.MarshalText(); err == nil {
		return string(text)
	}
	return strconv.Itoa(int(e.Reason))
}

// WriteJSON writes entries as a JSON array with one entry per line, one after another.
// Certificates are base64, if the entries have them. The error is the first one of
// entries or of w.
func WriteJSON(w io.Writer, entries iter.Seq2[Entry, error]) error {
	b := bufio.NewWriter(w)
	separator := "[\n"
	for e, err := range entries {
		if err != nil {
			return err
		}
		line, err := json.Marshal(e)
		if err != nil {
			return err
		}
		b.WriteString(separator)
		if _, err := b.Write(line); err != nil {
			return err
		}
		separator = ",\n"
	}
	if separator == "[\n" {
		b.WriteString(separator)
	} else {
		b.WriteByte('\n')
	}
	b.WriteString("]\n")
	return b.Flush()
}
