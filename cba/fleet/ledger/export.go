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

// Columns are the columns that WriteCSV writes. Times are RFC 3339 in UTC, empty
// where there is none.
func Columns() []string {
	return []string{"request", "upn", "serialNumber", "issuer", "state", "notBefore", "notAfter",
		"issuedAt", "boundAt", "deliveredAt", "renewedAt", "revokedAt", "reason", "replaces"}
}

// WriteCSV writes entries as CSV (RFC 4180, with line feeds) with a header row,
// one by one, so that a ledger of any size can be exported. Certificates are left
// out.
//
// Values are written as they are. A program that takes cells which begin with
// "=", "+", "-" or "@" for formulas must be told that they are text: UPNs can
// begin so.
func WriteCSV(w io.Writer, entries iter.Seq2[Entry, error]) error {
	c := csv.NewWriter(w)
	if err := c.Write(Columns()); err != nil {
		return err
	}
	for e, err := range entries {
		if err != nil {
			return err
		}
		if err := c.Write([]string{e.Request, e.UPN, e.Serial, e.Issuer, e.State.String(), when(e.NotBefore), when(e.NotAfter),
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

// WriteJSON writes entries as one JSON array, one entry a line, one by one.
// Certificates are base64 where the entries have them.
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
