package policy

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.com/entracba/cba/internal/dialect"
	"example.com/entracba/cba/internal/wire"
)

// anyUser are the properties of a user for package wire, which reads every other type
// of this package. It is what users are read with beside the reader of theirs.
type anyUser struct {
	ID                          string            `json:"id"`
	UserPrincipalName           string            `json:"userPrincipalName"`
	OnPremisesUserPrincipalName string            `json:"onPremisesUserPrincipalName"`
	AccountEnabled              *bool             `json:"accountEnabled"`
	UserType                    string            `json:"userType"`
	AuthorizationInfo           AuthorizationInfo `json:"authorizationInfo"`
	MemberOf                    []DirectoryObject `json:"memberOf"`
	Count                       int32             `json:"memberOf@odata.count"`
	TransitiveMemberOf          []DirectoryObject `json:"transitiveMemberOf"`
	AllCount                    int32             `json:"transitiveMemberOf@odata.count"`
}

// parseSlowly is ParseUser over wire.ReadWrapped.
func parseSlowly(data []byte) (User, error) {
	data, err := dialect.Graph(data, MaxJSON)
	if err != nil {
		return User{}, own(err)
	}
	var t anyUser
	if err := own(wire.ReadWrapped(data, MaxJSON, &t)); err != nil {
		return User{}, err
	}
	object, _, err := wire.Unwrap(data)
	if list, failed := wire.Elements(object); err == nil && failed == nil {
		object = list[0]
	}
	members, err := wire.Members(object)
	if err != nil {
		return User{}, err
	}
	had := func(name string) (value, has bool) {
		for _, m := range members {
			if strings.EqualFold(m.Name, name) {
				value, has = value || string(m.Raw) != "null", true
			}
		}
		return value, has
	}
	if !slices.ContainsFunc(members, func(m wire.Member) bool {
		name, _, _ := strings.Cut(m.Name, "@")
		return slices.ContainsFunc(userProperties[:], func(p UserProperty) bool { return strings.EqualFold(name, string(p)) })
	}) {
		return User{}, &Error{Reason: WrongObject, Detail: "it has none of the properties of a user; give the answer of GET /users/{id}?$select=id,userPrincipalName,accountEnabled,userType,authorizationInfo"}
	}
	var stranger dialect.Stranger
	for _, m := range members {
		stranger.See([]byte(m.Name), m.Raw)
	}
	if other := stranger.What(); other != "" {
		return User{}, &Error{Reason: WrongObject, Detail: "it is " + other + " and no user; give the answer of GET /users/{id}"}
	}
	u := User{
		ID: t.ID, UserPrincipalName: t.UserPrincipalName, OnPremisesUserPrincipalName: t.OnPremisesUserPrincipalName, UserType: t.UserType,
		AuthorizationInfo: t.AuthorizationInfo, MemberOf: t.MemberOf, TransitiveMemberOf: t.TransitiveMemberOf,
		Disabled: t.AccountEnabled != nil && !*t.AccountEnabled,
	}
	isNull := func(p UserProperty) bool { value, has := had(string(p)); return has && !value }
	unasked := isNull(AccountEnabled) || isNull(MemberOf) || isNull(TransitiveMemberOf)
	cut := func(p UserProperty, list []DirectoryObject, count int32) bool {
		more, _ := had(string(p) + "@odata.nextLink")
		return more || slices.Contains(list, DirectoryObject{}) || len(list) >= expandPage && int(count) != len(list)
	}
	for _, p := range userProperties {
		value, has := had(string(p))
		switch {
		case !has, !value && (unasked || p != OnPremisesUserPrincipalName && p != UserType),
			p == MemberOf && cut(p, t.MemberOf, t.Count), p == TransitiveMemberOf && cut(p, t.TransitiveMemberOf, t.AllCount):
		case p == authorizationInfo && t.AuthorizationInfo.CertificateUserIDs == nil:
		default:
			continue
		}
		if p == authorizationInfo {
			p = CertificateUserIDs
		}
		u.Missing = append(u.Missing, p)
	}
	return u, nil
}

// sameUser reads a text both ways.
func sameUser(t *testing.T, text []byte) (read bool) {
	t.Helper()
	got, err := ParseUser(text)
	want, wantErr := parseSlowly(text)
	if a, b := fmt.Sprintf("%+v", errorOf(err)), fmt.Sprintf("%+v", errorOf(wantErr)); a != b {
		t.Fatalf("%q: %s, want %s", text, a, b)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%q (-want +got):\n%s", text, diff)
	}
	return err == nil
}

func errorOf(err error) any {
	if e, ok := err.(*Error); ok {
		return *e
	}
	return err
}

// Users in every order, spelling and state of their properties are read as all other
// objects of Graph are.
func TestUserReader(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves out what takes long")
	}
	r := rand.New(rand.NewPCG(7, 9))
	number := func(list ...int) int { return list[r.IntN(len(list))] }
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	var names []string
	for _, p := range userProperties {
		names = append(names, string(p), string(p)+"@odata.count", string(p)+"@odata.nextLink", string(p)+"@odata.type")
	}
	names = append(names, "displayName", "certificates", "@odata.type", "@odata.context", "userId", "createdDateTime", "groupTypes", "certificateUserIds", "value", "@", "@odata.nextLink")
	respell := func(name string) string {
		switch r.IntN(24) {
		case 0:
			return strings.ToUpper(name[:1]) + name[1:]
		case 1:
			return strings.ToUpper(name)
		case 2:
			return strings.ReplaceAll(name, "s", "\u017f") // is folded into an s
		case 3:
			return strings.ReplaceAll(name, "O", "\u00d6")
		case 4:
			return name + pick("x", "@", " ", "\u212a")
		}
		return name
	}
	quote := func(s string) string {
		b, _ := json.Marshal(s)
		if text := string(b); r.IntN(12) == 0 && len(s) > 0 && s[0] < 0x80 {
			return `"` + fmt.Sprintf(`\u%04x`, s[0]) + text[2:]
		}
		return string(b)
	}
	var value func(depth int) string
	group := func() string {
		return pick(`{"id":"g1"}`, `{"ID":"g2"}`, `{"id":null}`, `{}`, `null`, `{"id":3}`, `{"id":"a","Id":"b"}`, `{"@odata.type":"#microsoft.graph.group","id":"g"}`, `"g"`, `[]`)
	}
	value = func(depth int) string {
		switch r.IntN(13) {
		case 0:
			return "null"
		case 1:
			return pick("true", "false")
		case 2:
			return pick("20", "-1", "0", "1.5", "1e2", "99999999999", "1")
		case 3, 4:
			return quote(pick("jane@contoso.com", "Member", "", "#microsoft.graph.user", "#microsoft.graph.group", "é", "\"", "@{id=1}", "X509:<SKI>01 X509:<SKI>02", "System.Object[]"))
		case 5, 6:
			var list []string
			for range number(0, 1, 2, 19, 20, 21) {
				list = append(list, group())
			}
			return "[" + strings.Join(list, ",") + "]"
		case 7:
			var list []string
			for range number(0, 20) {
				list = append(list, `{"id":"g"}`)
			}
			return "[" + strings.Join(list, ",") + "]"
		case 8, 9:
			return `{` + quote(respell("certificateUserIds")) + `:` + pick(`[]`, `["X509:<PN>a"]`, `["a",null]`, `[1]`, `null`, `"X509:<PN>a"`, `{}`) + pick("", "", `,"CertificateUserIds":["b"]`) + `}`
		case 10:
			if depth > 0 {
				return `{"value":` + value(depth-1) + pick("", `,"Count":1`, `,"@odata.nextLink":"x"`) + "}"
			}
		}
		return group()
	}
	fitting := map[string]func() string{
		"accountEnabled": func() string { return pick("true", "false", "null") },
		"memberOf":       func() string { return pick("[]", `[{"id":"g"}]`, "null") }, "transitiveMemberOf": func() string { return pick("[]", `[{"id":"g"},{"id":"h"}]`, "null") },
		"authorizationInfo": func() string {
			return pick(`{"certificateUserIds":["X509:<PN>a"]}`, `{"certificateUserIds":[]}`, "null", "{}")
		},
	}
	users, refused := 0, 0
	for range 60_000 {
		var list []string
		for range r.IntN(9) {
			name := names[r.IntN(len(names))]
			v := value(2)
			if f := fitting[name]; r.IntN(8) > 0 {
				switch {
				case f != nil:
					v = f()
				case strings.HasSuffix(name, "count"):
					v = pick("0", "20", "21", "null")
				default:
					v = quote(pick("a", "Member", "jane@contoso.com"))
				}
			}
			list = append(list, pick("", "", " ", "\n")+quote(respell(name))+pick(":", " : ")+v)
		}
		text := "{" + strings.Join(list, ",") + "}"
		switch r.IntN(16) {
		case 0:
			text = `{"value":` + text + "}"
		case 1:
			text = `{"value":[` + text + pick("", ","+text) + "]}"
		case 2:
			text = "[" + text + "]"
		case 3:
			text = pick("\xef\xbb\xbf", " ", "\n") + text + pick("", " ", "x", "\x00")
		}
		if sameUser(t, []byte(text)) {
			users++
		} else {
			refused++
		}
	}
	if users < 5_000 || refused < 5_000 {
		t.Errorf("%d users, %d refused: too few to prove anything", users, refused)
	}
}

// So are all files with users that the tests have.
func TestUserReaderOfFiles(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves out what takes long")
	}
	n := 0
	for _, dir := range []string{"testdata", filepath.Join("..", "signin", "testdata"), filepath.Join("..", "snapshot", "testdata"), filepath.Join("..", "folder", "testdata")} {
		err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.Contains(filepath.Ext(name), ".json") {
				return nil
			}
			content, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			var look func(text []byte)
			look = func(text []byte) { // every object in it
				sameUser(t, text)
				n++
				var parts map[string]json.RawMessage
				var list []json.RawMessage
				if json.Unmarshal(text, &parts) == nil {
					for _, part := range parts {
						look(part)
					}
				} else if json.Unmarshal(text, &list) == nil {
					for _, part := range list {
						look(part)
					}
				}
			}
			look(content)
			for line := range strings.Lines(string(content)) {
				sameUser(t, []byte(line))
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	if n < 100 {
		t.Errorf("%d values: too few to prove anything", n)
	}
}

func FuzzUserReader(f *testing.F) {
	for _, text := range []string{
		`{"id":"1","userPrincipalName":"jane@contoso.com","onPremisesUserPrincipalName":null,"accountEnabled":true,"authorizationInfo":{"certificateUserIds":["X509:<PN>j@mil"]},"memberOf":[{"id":"g"}],"memberOf@odata.count":1}`,
		`{"value":[{"Id":"1","UserPrincipalName":"jane@contoso.com","AuthorizationInfo":{"CertificateUserIds":[]}}]}`, `{"id":"1","ID":"2"}`, `{"memberOf":[null]}`, `{"memberOf":[{"id":"a","Id":"b"}],"transitiveMemberOf@odata.nextLink":"x"}`,
		`{"memberOf@odata.count":99999999999}`, `{"memberOf":[],"memberOf@odata.nextLink":"x","MemberOf@odata.nextLink":null}`, `{"u\u0073erType":"Guest"}`, "{\"u\u017ferType\":\"Guest\"}", `{"id":"1","securityEnabled":true}`, `[{"id":1}]`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) { sameUser(t, text) })
}
