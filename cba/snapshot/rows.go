package snapshot

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"

	"example.com/entracba/cba/internal/dialect"
	"example.com/entracba/cba/internal/text"
	"example.com/entracba/cba/internal/wire"
)

// maxRows bounds a log that is read from a file, which is held to be sorted.
const maxRows = 1_000_000

// ReadRows reads rows of the sign-in log as people export them, in UTF-8 or UTF-16: what
// Graph answers (a list, pages of it one after the other, one row a line), what the portal
// downloads as JSON, what PowerShell's ConvertTo-Json writes, and records of diagnostic
// settings, whose rows are their "properties". It returns them the newest first, as
// [SignIns] takes them, each once.
//
// The sequence ends with the first error: an [*Error] with the place, or one of r. An
// object that is no row of the log, a table (CSV) and a list whose last page has a link to
// more are errors: half of a log proves nothing.
func ReadRows(r io.Reader) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		rows, err := readRows(r)
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
		if err != nil {
			yield(Row{}, err)
		}
	}
}

func readRows(r io.Reader) ([]Row, error) {
	if r == nil {
		return nil, nil
	}
	b, err := dialect.UTF8(r)
	if err != nil {
		return nil, own("", err)
	}
	if start, _ := b.Peek(dialect.MaxItem); !dialect.IsJSON(b) && len(bytes.TrimSpace(start)) > 0 {
		detail := "this is no JSON"
		if looks := dialect.LooksLike(start); looks != "" && !strings.HasPrefix(looks, "a table") {
			detail = "this looks like " + looks
		}
		return nil, &Error{Reason: Malformed, Detail: detail + "; download the sign-in log as JSON: a table lacks the details about certificates"}
	}
	var rows []Row
	seen := map[string]bool{}
	for item, err := range dialect.List(b) {
		var found []Row
		if err == nil {
			found, err = rowsOf(item)
		}
		if err != nil {
			return nil, inItem(item, err)
		}
		for _, row := range found {
			if row.ID != "" && seen[row.ID] {
				continue // pages overlap while the log grows
			}
			seen[row.ID] = true
			if rows = append(rows, row); len(rows) > maxRows {
				return nil, &Error{Reason: TooLarge, Detail: fmt.Sprintf("the log has more than %d rows; give a part of it", maxRows)}
			}
		}
	}
	slices.SortStableFunc(rows, func(a, b Row) int { return b.CreatedDateTime.Compare(a.CreatedDateTime) })
	return rows, nil
}

// rowsOf reads what one object of a list has: a row, a record with one, or a list of
// records.
func rowsOf(item dialect.Item) ([]Row, error) {
	object, err := dialect.Graph(item.JSON, dialect.MaxItem)
	if err != nil {
		return nil, err
	}
	members, err := wire.Members(object)
	if err != nil {
		return nil, err
	}
	get := func(name string) json.RawMessage {
		for _, m := range members {
			if m.Name == name {
				return m.Raw
			}
		}
		return nil
	}
	if records := get("records"); len(records) > 0 && records[0] == '[' {
		elements, err := wire.Elements(records)
		if err != nil {
			return nil, err
		}
		var rows []Row
		for _, e := range elements {
			more, err := rowsOf(dialect.Item{Where: item.Where, N: item.N, JSON: e})
			if err != nil {
				return nil, err
			}
			rows = append(rows, more...)
		}
		return rows, nil
	}
	if inner := get("properties"); len(inner) > 0 && inner[0] == '{' && get("status") == nil {
		return rowsOf(dialect.Item{Where: item.Where, N: item.N, JSON: inner})
	}
	if get("createdDateTime") == nil || get("status") == nil {
		return nil, &Error{Reason: Malformed, Detail: "this is no row of the sign-in log: it lacks createdDateTime or status; give the answer of GET /auditLogs/signIns, or what the portal downloads as JSON"}
	}
	for i, m := range members {
		switch m.Name {
		case "authenticationDetails", "authenticationProcessingDetails", "status":
			members[i].Raw = unpacked(m.Name, m.Raw)
		}
	}
	var row Row
	if err := json.Unmarshal(dialect.Object(members), &row); err != nil {
		return nil, &Error{Reason: Malformed, Detail: "the row cannot be read: " + text.Quote(err.Error())}
	}
	return []Row{row}, nil
}

// unpacked is a value that some exports write as text of JSON, with the code as a number.
func unpacked(name string, raw json.RawMessage) json.RawMessage {
	var inner string
	if len(raw) > 0 && raw[0] == '"' && json.Unmarshal(raw, &inner) == nil {
		checked, err := wire.Text([]byte(inner), dialect.MaxItem)
		switch {
		case err == nil:
			raw = checked
		case inner == "":
			return json.RawMessage("null")
		}
	}
	if name != "status" || len(raw) == 0 || raw[0] != '{' {
		return raw
	}
	members, err := wire.Members(raw)
	if err != nil {
		return raw
	}
	for i, m := range members {
		var code string
		if m.Name == "errorCode" && json.Unmarshal(m.Raw, &code) == nil {
			if n, err := strconv.Atoi(code); err == nil {
				members[i].Raw = json.RawMessage(strconv.Itoa(n))
			}
		}
	}
	return dialect.Object(members)
}
