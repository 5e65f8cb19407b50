package snapshot_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"example.com/entracba/cba/snapshot"
)

// The same rows in every form that exports have are the same rows, the newest first.
func TestReadRows(t *testing.T) {
	read := func(data []byte) (got []string, err error) {
		for row, e := range snapshot.ReadRows(strings.NewReader(string(data))) {
			if e != nil {
				return got, e
			}
			facts, ok := row.Certificate()
			got = append(got, fmt.Sprint(row.ID, " ", row.CreatedDateTime.UTC().Format("15:04"), " ", row.Status.ErrorCode, " ", row.UserPrincipalName, " ", ok, " ", facts.Subject))
		}
		return got, nil
	}
	const (
		a = `{"id":"1","createdDateTime":"2026-11-26T09:00:00Z","userPrincipalName":"bob@contoso.org","correlationId":"c","status":{"errorCode":0,"failureReason":"Other.","additionalDetails":null},"authenticationProcessingDetails":[{"key":"User certificate subject name","value":"CN=Bob"}]}`
		b = `{"id":"2","createdDateTime":"2026-11-26T10:00:00Z","userPrincipalName":"bob@contoso.org","correlationId":"d","status":{"errorCode":1001003,"failureReason":"x"},"authenticationProcessingDetails":[],"authenticationDetails":null}`
	)
	pascal := strings.NewReplacer(`"id"`, `"Id"`, `"createdDateTime"`, `"CreatedDateTime"`, `"userPrincipalName"`, `"UserPrincipalName"`, `"correlationId"`, `"CorrelationId"`, `"status"`, `"Status"`, `"errorCode"`, `"ErrorCode"`,
		`"failureReason"`, `"FailureReason"`, `"additionalDetails"`, `"AdditionalDetails"`, `"authenticationProcessingDetails"`, `"AuthenticationProcessingDetails"`, `"key"`, `"Key"`, `"value"`, `"Value"`, `"authenticationDetails"`, `"AuthenticationDetails"`)
	quoted := func(text string) string {
		return strings.ReplaceAll(strings.ReplaceAll(text, `{"errorCode":0,"failureReason":"Other.","additionalDetails":null}`, `"{\"errorCode\":0,\"failureReason\":\"Other.\"}"`),
			`[{"key":"User certificate subject name","value":"CN=Bob"}]`, `"[{\"key\":\"User certificate subject name\",\"value\":\"CN=Bob\"}]"`)
	}
	want := []string{"2 10:00 1001003 bob@contoso.org true ", "1 09:00 0 bob@contoso.org true CN=Bob"}
	forms := map[string]string{
		"the portal's download": "[" + b + "," + a + "]",
		"the oldest first":      "[" + a + "," + b + "]",
		"lines":                 a + "\n" + b + "\n",
		"Graph's answer":        `{"@odata.context":"x","value":[` + b + "," + a + "]}",
		"pages":                 `{"value":[` + b + `],"@odata.nextLink":"https://x"}` + "\n" + `{"value":[` + b + "," + a + "]}",
		"PowerShell":            pascal.Replace("[" + b + "," + a + "]"),
		"PowerShell's times":    strings.ReplaceAll(pascal.Replace("["+b+","+a+"]"), `"2026-11-26T09:00:00Z"`, `"\/Date(1795683600000)\/"`),
		"diagnostic settings":   `{"time":"x","category":"SignInLogs","properties":` + a + "}\n" + `{"time":"x","properties":` + b + "}\n",
		"records":               `{"records":[{"properties":` + a + `},{"properties":` + b + `}]}`,
		"texts of JSON":         quoted("[" + a + "," + b + "]"),
		"codes as texts":        strings.ReplaceAll("["+a+","+b+"]", "1001003", `"1001003"`),
	}
	for name, text := range forms {
		for encoding, data := range map[string][]byte{"UTF-8": []byte(text), "mark": []byte("\ufeff" + text), "UTF-16": in16(text, binary.LittleEndian, true)} {
			if got, err := read(data); err != nil || !slices.Equal(got, want) {
				t.Errorf("%s in %s: %q, %v", name, encoding, got, err)
			}
		}
	}
	file, err := os.ReadFile("testdata/signins-rows.json")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := read(file); err != nil || len(got) < 5 {
		t.Errorf("%q, %v", got, err)
	}
	for text, says := range map[string]string{
		"":                                       "",
		"[]":                                     "",
		`[{"id":"1","userPrincipalName":"a@b"}]`: "no row of the sign-in log",
		`{"value":[` + a + `],"@odata.nextLink":"https://x"}`: "nextLink",
		"Date (UTC),Request ID,User\n2026-11-26,1,Bob\n":      "as JSON",
		"PK\x03\x04": "a workbook",
		`{"error":{"code":"Authorization_RequestDenied","message":"x"}}`:      "an error that Graph answered",
		strings.Replace(a, "2026-11-26T09:00:00Z", "yesterday", 1):            "cannot be read",
		strings.Replace(a, `"errorCode":0`, `"errorCode":"many"`, 1):          "cannot be read",
		`{"records":[{"properties":{"records":[{"properties":{"a":1}}]}},1]}`: "",
	} {
		_, err := read([]byte(text))
		var e *snapshot.Error
		if says == "" && text != "" && text != "[]" {
			continue // only that it ends
		}
		if (says == "") != (err == nil) || err != nil && (!errors.As(err, &e) || !strings.Contains(err.Error(), says)) {
			t.Errorf("%.70q: %v", text, err)
		}
	}
}
