package snapshot

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"slices"
)

// An Undo is what was done to one user: a line of an undo file.
type Undo struct {
	User              string   `json:"user"` // id
	UserPrincipalName string   `json:"userPrincipalName,omitempty"`
	Before            []string `json:"before"`
	After             []string `json:"after"`
}

// Edit returns the edit that takes the change back: if the user still has exactly
// the values of After, those of Before come back, in their order. If they were
// changed since, only what was added is removed and only what was removed is added.
func (u Undo) Edit() Edit { return Edit{User: u.User, Undo: &u} }

func (u Undo) apply(current []string) []string {
	if slices.Equal(current, u.After) {
		return slices.Clone(u.Before)
	}
	var values []string
	for _, v := range current {
		if slices.Contains(u.Before, v) || !slices.Contains(u.After, v) {
			values = append(values, v)
		}
	}
	for _, v := range u.Before {
		if !slices.Contains(u.After, v) && !slices.Contains(values, v) {
			values = append(values, v)
		}
	}
	return values
}

// maxUndoLine is far above 20 values of 1,024 characters.
const maxUndoLine = 1 << 20

// ReadUndo reads the lines of an undo file as the edits that take the changes
// back, see [Undo.Edit]. A last line that breaks off, because the program that
// wrote it was killed, is left out: that user was not written.
//
// The stream ends after an error. The error names the line; it is [Malformed] or
// [TooLarge], or that of the reader.
func ReadUndo(r io.Reader) iter.Seq2[Edit, error] {
	return func(yield func(Edit, error) bool) {
		if r == nil {
			yield(Edit{}, &Error{Reason: Malformed, Where: "undo file", Detail: "there is no reader"})
			return
		}
		lines := bufio.NewReaderSize(r, 64<<10)
		for n := 1; ; n++ {
			where := fmt.Sprintf("undo file, line %d", n)
			var line []byte
			for {
				piece, err := lines.ReadSlice('\n')
				line = append(line, piece...)
				if len(line) > maxUndoLine {
					yield(Edit{}, &Error{Reason: TooLarge, Where: where, Detail: fmt.Sprintf("it is longer than %d bytes", maxUndoLine)})
					return
				}
				if err == nil {
					break
				}
				if err == bufio.ErrBufferFull {
					continue
				}
				if err != io.EOF {
					yield(Edit{}, fmt.Errorf("snapshot: %s: %w", where, err))
				}
				return
			}
			if line = bytes.TrimSpace(line); len(line) == 0 {
				continue
			}
			var u Undo
			d := json.NewDecoder(bytes.NewReader(line))
			d.DisallowUnknownFields()
			err := d.Decode(&u)
			if err == nil && d.More() {
				err = fmt.Errorf("more than one object on a line")
			}
			if err != nil || u.User == "" || u.Before == nil || u.After == nil {
				yield(Edit{}, &Error{Reason: Malformed, Where: where, Detail: `want {"user": ..., "before": [...], "after": [...]}`, Err: err})
				return
			}
			if !yield(u.Edit(), nil) {
				return
			}
		}
	}
}
