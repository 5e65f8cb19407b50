package snapshot_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/snapshot"
)

// What is read is written, and read again as the same; what is not read is an error
// of this package that says where.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"x509Certificate":{"state":"enabled"},"publicKeyInfrastructure":[],"users":[{"id":"1","authorizationInfo":{"certificateUserIds":["X509:<PN>a@b"]}}],"signIns":{"signIns":1}}`))
	f.Add([]byte(`{"x509Certificate":{},"takenDateTime":"2026-09-01T12:00:00Z","tenantId":"t","authenticationStrengths":[{"id":"s"}],"users":[],"more":null}`))
	f.Add([]byte(`{"x509Certificate":{},"users":null,"signIns":null}`))
	f.Add([]byte(`{"x509Certificate":{},"users":[{"value":{"id":"1","onPremisesSyncEnabled":true}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := snapshot.Parse(data)
		var e *snapshot.Error
		if err != nil {
			if !errors.As(err, &e) || e.Reason == "" || len(err.Error()) > 2000 {
				t.Fatalf("%T %v", err, err)
			}
			return
		}
		written, err := json.Marshal(s)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		if bytes.Contains(written, []byte(`"value":{`)) || bytes.Contains(written, []byte(`"value":[`)) {
			return // an unknown property of this name looks like an envelope
		}
		back, err := snapshot.Parse(written)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, written)
		}
		again, err := json.Marshal(back)
		if err != nil || !bytes.Equal(written, again) {
			t.Fatalf("it changes: %v\n%s\n%s", err, written, again)
		}
		if len(s.Edits(back)) != 0 || len(s.Edits(s.Clone())) != 0 {
			t.Fatal("edits between equal snapshots")
		}
		if ds, err := snapshot.Compare(written, again); err != nil || len(ds) != 0 {
			t.Fatalf("%v, %v", ds, err)
		}
	})
}

// An undo file gives edits that can be applied, or an error that names the line.
func FuzzReadUndo(f *testing.F) {
	f.Add([]byte("{\"user\":\"1\",\"before\":[\"a\"],\"after\":[]}\n{\"user\":\"2\",\"userPrincipalName\":\"x\",\"before\":[],\"after\":[\"b\"]}\n"))
	f.Add([]byte("\n\n{\"user\":\"1\",\"before\":[\"a\"],\"after\":[\"b\"]}"))
	f.Add([]byte("{\"user\":\"1\",\"before\":null,\"after\":[]}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		n := 0
		for e, err := range snapshot.ReadUndo(bytes.NewReader(data)) {
			if n++; n > bytes.Count(data, []byte("\n")) {
				t.Fatal("more edits than whole lines")
			}
			if err != nil {
				if !errors.Is(err, snapshot.Malformed) && !errors.Is(err, snapshot.TooLarge) || !strings.Contains(err.Error(), "line") {
					t.Fatal(err)
				}
				continue
			}
			if e.User == "" || e.Undo == nil {
				t.Fatalf("%+v", e)
			}
			after, err := e.Apply(e.Undo.After)
			if e.Check() != nil || err != nil {
				continue
			}
			if len(after) > certuserid.MaxValues || len(after) != len(e.Undo.Before) {
				t.Fatalf("%q of %+v", after, e.Undo)
			}
		}
	})
}
