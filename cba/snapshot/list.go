package snapshot

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"example.com/entracba/cba/internal/dialect"
	"example.com/entracba/cba/internal/text"
	"example.com/entracba/cba/internal/wire"
)

// A Listed is one user of a list, as Graph writes one.
type Listed struct {
	// Where is the place in the list: "line 7", or "object 7" where objects do not
	// stand one a line.
	Where string
	// JSON is the user, with every property that the list has, for [ParseUser] or
	// [example.com/entracba/cba/policy.ParseUser].
	JSON json.RawMessage
}

// ReadUsers reads a list of users as people keep one, in UTF-8 or UTF-16: one JSON object a
// line, a JSON array, answers of Graph around lists, a document with the list as
// "users", one user alone, and a table (CSV) as the portal and PowerShell write it. It
// holds one user at a time.
//
// A table's columns have the names of Graph's properties, in any letter case: id,
// userPrincipalName, onPremisesUserPrincipalName, displayName, accountEnabled,
// Block credential, Enabled (of Get-ADUser), userType, mail, onPremisesSecurityIdentifier, onPremisesSyncEnabled, certificateUserIds
// (several values with ";" between them), and certificate (in base64), which becomes the
// property "certificates". Other columns are passed over. An empty field is a property
// that is not known.
//
// The sequence ends with the first error: an [*Error], whose Where is the place, or one
// of r. An object that is no user, and a list whose last page has a link to more, are
// errors.
func ReadUsers(r io.Reader) iter.Seq2[Listed, error] {
	return func(yield func(Listed, error) bool) {
		each(r, func(item dialect.Item, err error) bool {
			var l Listed
			if err == nil {
				l, err = listed(item)
			}
			return yield(l, err) && err == nil
		})
	}
}

// listed reads one object.
func listed(item dialect.Item) (Listed, error) {
	object, err := dialect.Graph(item.JSON, dialect.MaxItem)
	if err != nil {
		return Listed{}, inItem(item, err)
	}
	inner, err := wire.Object(object)
	if err != nil {
		return Listed{}, inItem(item, err)
	}
	if detail := noUser(inner); detail != "" {
		return Listed{}, &Error{Reason: Malformed, Where: item.Where, Detail: detail}
	}
	return Listed{item.Where, object}, nil
}

// inItem is the error of an object, at its place in the list.
func inItem(item dialect.Item, err error) error {
	err = own("", err)
	var e *Error
	if errors.As(err, &e) {
		e.Where = strings.TrimSuffix(item.Where+", "+e.Where, ", ")
	}
	return err
}

// Columns that say of an account that it is closed: Enabled of Get-ADUser, and Block
// credential of the admin centre and of Get-MsolUser.
const (
	adEnabled = "Enabled"
	blocked   = "blockCredential"
)

// columns have the names of Graph's properties under those that tables have.
var columns = map[string]string{
	"id": "id", "objectid": "id", "object id": "id",
	"userprincipalname": "userPrincipalName", "user principal name": "userPrincipalName", "upn": "userPrincipalName",
	"onpremisesuserprincipalname": "onPremisesUserPrincipalName",
	"displayname":                 "displayName", "display name": "displayName",
	"accountenabled": "accountEnabled", "account enabled": "accountEnabled",
	"enabled": adEnabled, "block credential": blocked, "blockcredential": blocked, "block sign in": blocked,
	"usertype": "userType", "user type": "userType",
	"mail": "mail", "email": "mail", "e-mail": "mail", "emailaddress": "mail",
	"onpremisessecurityidentifier": "onPremisesSecurityIdentifier", "sid": "onPremisesSecurityIdentifier", "objectsid": "onPremisesSecurityIdentifier",
	"onpremisessyncenabled": "onPremisesSyncEnabled", "on-premises sync enabled": "onPremisesSyncEnabled",
	"certificateuserids": "certificateUserIds", "authorizationinfo.certificateuserids": "certificateUserIds",
	"certificate": "certificates", "certificates": "certificates",
}

// table reads a list that is no JSON. looks says what it may be instead of a table.
func table(b *bufio.Reader, looks string, yield func(Listed, error) bool) {
	r, header, err := dialect.Table(b)
	line := 1
	refuse := func(format string, args ...any) {
		yield(Listed{}, &Error{Reason: Malformed, Where: fmt.Sprintf("line %d", line), Detail: fmt.Sprintf(format, args...)})
	}
	index := map[string]int{}
	if err == nil {
		line, _ = r.FieldPos(0)
		for i, name := range header {
			property, known := columns[dialect.Column(name)]
			if _, twice := index[property]; known && twice {
				refuse("two columns are %s; keep one of them", property)
				return
			}
			if known {
				index[property] = i
			}
		}
		_, id := index["id"]
		if _, upn := index["userPrincipalName"]; !id && !upn {
			if looks != "" && !strings.HasPrefix(looks, "a table") {
				looks = "; it looks like " + looks
			} else {
				looks = ""
			}
			refuse("this is no list of users: neither JSON, nor a table whose header row has a column id or userPrincipalName%s", looks)
			return
		}
	}
	for err == nil {
		var record []string
		if record, err = r.Read(); err != nil {
			break
		}
		if dialect.Blank(record) {
			continue // a spreadsheet's empty row
		}
		line, _ = r.FieldPos(0)
		if len(record) > len(header) && slices.ContainsFunc(record[len(header):], func(field string) bool { return strings.TrimSpace(field) != "" }) {
			refuse("the row has %d fields and the header row %d: put values that contain the separator in double quotes", len(record), len(header))
			return
		}
		user, detail := rowUser(record, index)
		if detail != "" {
			refuse("%s", detail)
			return
		}
		if !yield(Listed{fmt.Sprintf("line %d", line), user}, nil) {
			return
		}
	}
	var bad *csv.ParseError
	switch {
	case err == io.EOF:
	case errors.As(err, &bad): // it does not quote the line
		line = bad.Line
		refuse("not a line of CSV: %v", bad.Err)
	default:
		yield(Listed{}, own("", err))
	}
}

// rowUser is a row of a table as a user, or why it cannot be.
func rowUser(record []string, index map[string]int) (json.RawMessage, string) {
	user := map[string]any{}
	for _, property := range slices.Sorted(maps.Keys(index)) {
		i := index[property]
		if i >= len(record) {
			continue
		}
		value := strings.TrimSpace(record[i])
		switch {
		case !utf8.ValidString(value):
			return nil, "column " + property + " is not UTF-8: save the file as CSV UTF-8"
		case value == "":
		case property == "accountEnabled", property == "onPremisesSyncEnabled", property == adEnabled, property == blocked:
			var is bool
			switch strings.ToLower(value) {
			case "true", "yes":
				is = true
			case "false", "no":
			default:
				return nil, "column " + property + " is " + text.Quote(value) + ": write true or false"
			}
			user[property] = is
		case property == "certificateUserIds":
			ids := splitIDs(value)
			if strings.HasPrefix(value, "System.") {
				return nil, "column certificateUserIds is " + text.Quote(value) + ", which is no value: in PowerShell, join the values with \"; \" before Export-Csv"
			}
			user["authorizationInfo"] = map[string]any{"certificateUserIds": ids}
		case property == "certificates":
			user[property] = []string{value}
		default:
			user[property] = value
		}
	}
	if user[blocked] == false && user["accountEnabled"] == nil {
		user["accountEnabled"] = true
	}
	if user["id"] == nil && user["userPrincipalName"] == nil {
		return nil, "the row has neither id nor userPrincipalName"
	}
	out, err := encode(user)
	if err != nil {
		return nil, err.Error() // never: texts and booleans
	}
	return out, ""
}

// splitIDs cuts a field between its values: at a separator with "X509:" behind it, as
// names in values may have separators of their own.
func splitIDs(field string) []string {
	var ids []string
	begin := 0
	for i, r := range field {
		if i < begin || !strings.ContainsRune(";|,\n", r) {
			continue
		}
		behind := strings.TrimLeft(field[i+1:], " \t\r\n;|,")
		if len(behind) >= 5 && strings.EqualFold(behind[:5], "X509:") {
			if id := strings.TrimSpace(field[begin:i]); id != "" {
				ids = append(ids, id)
			}
			begin = len(field) - len(behind)
		}
	}
	return append(ids, strings.Trim(field[begin:], " \t\r\n;|"))
}
