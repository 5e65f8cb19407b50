package graphtest

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"example.com/entracba/cba/internal/fingerprint"
)

// A state is a tenant while it is served. Graph.mu guards it.
type state struct {
	opt    *Options
	schema *schema
	serial uint64            // of objects that were given an id
	ids    map[string]string // every id in use, in lower case, and whose it is

	org       Tenant // what nothing changes: names, groups, strengths, sign-ins
	policy    *table[json.RawMessage]
	pkis      *table[PKI] // without their Authorities
	cas       *table[authority]
	classic   *table[[]ClassicAuthority]
	users     *table[User]
	byName    map[string]string // lower-case userPrincipalName to id
	holders   map[string]string // certificateUserIds value to the id of its user
	uploading *upload
}

// An authority is a CA with the id of its PKI.
type authority struct {
	Authority
	pki string
}

const defaultPreferences = `{"state":"default","includeTargets":[{"targetType":"group","id":"all_users"}],"excludeTargets":[]}`

const policyKey = "X509Certificate"

func (g *Graph) newState(t Tenant) (*state, error) {
	s := &state{
		opt: &g.opt, schema: g.schema, org: t,
		policy: newTable[json.RawMessage](), pkis: newTable[PKI](), cas: newTable[authority](),
		classic: newTable[[]ClassicAuthority](), users: newTable[User](),
		ids: map[string]string{}, byName: make(map[string]string, len(t.Users)), holders: make(map[string]string, len(t.Users)),
	}
	claim := func(id *string, what string) error {
		if *id == "" {
			*id = s.newID()
		}
		if other, ok := s.ids[strings.ToLower(*id)]; ok {
			return invalid(nil, "tenant: %s has the id %q of %s", what, *id, other)
		}
		s.ids[strings.ToLower(*id)] = what
		return nil
	}
	if s.org.ID == "" {
		s.org.ID = s.newID()
	}
	text := t.Policy
	if text == nil {
		text = json.RawMessage(DefaultPolicy)
	}
	policy, err := parseJSON(text)
	if err != nil {
		return nil, invalid(err, "tenant: policy")
	}
	if m := s.schema.check(x509Type, policy, false); m != nil {
		return nil, invalid(m, "tenant: policy: at %q", m.path)
	}
	object := policy.(map[string]any) // an entity passes the check as an object only
	maps.DeleteFunc(object, func(name string, _ any) bool { return strings.Contains(name, "@") })
	object["id"] = policyKey
	s.policy.load(policyKey, raw(object))

	if s.org.SystemCredentialPreferences == nil {
		s.org.SystemCredentialPreferences = json.RawMessage(defaultPreferences)
	}
	preferences, err := parseJSON(s.org.SystemCredentialPreferences)
	if err != nil {
		return nil, invalid(err, "tenant: systemCredentialPreferences")
	}
	if m := s.schema.check("systemCredentialPreferences", preferences, false); m != nil {
		return nil, invalid(m, "tenant: systemCredentialPreferences: at %q", m.path)
	}
	for i, p := range t.PKIs {
		what := fmt.Sprintf("PKI %d %q", i, p.DisplayName)
		if err := claim(&p.ID, what); err != nil {
			return nil, err
		}
		for j, a := range p.Authorities {
			if err := claim(&a.ID, fmt.Sprintf("CA %d of %s", j, what)); err != nil {
				return nil, err
			}
			s.cas.load(a.ID, &authority{a, p.ID})
		}
		p.Authorities = nil
		s.pkis.load(p.ID, &p)
	}
	if t.Classic != nil {
		s.classic.load(ClassicID, &t.Classic)
	}
	for i, u := range t.Users {
		what := fmt.Sprintf("user %d %q", i, u.UserPrincipalName)
		if err := claim(&u.ID, what); err != nil {
			return nil, err
		}
		name := strings.ToLower(u.UserPrincipalName)
		if name == "" || s.byName[name] != "" {
			return nil, invalid(nil, "tenant: %s: userPrincipalName is empty or belongs to another user", what)
		}
		s.byName[name] = u.ID
		for _, value := range u.CertificateUserIDs {
			if id, ok := s.holders[s.key(value)]; ok {
				return nil, invalid(nil, "tenant: %s: the value of certificateUserIds %q belongs to %s already", what, clip(value), id)
			}
			s.holders[s.key(value)] = u.ID
		}
		s.users.load(u.ID, &u)
	}
	for i := range s.org.Groups {
		if err := claim(&s.org.Groups[i].ID, fmt.Sprintf("group %d", i)); err != nil {
			return nil, err
		}
	}
	for i := range s.org.Strengths {
		p := &s.org.Strengths[i]
		if err := claim(&p.ID, fmt.Sprintf("strength %d", i)); err != nil {
			return nil, err
		}
		for j := range p.Combinations {
			if err := claim(&p.Combinations[j].ID, fmt.Sprintf("combination %d of strength %d", j, i)); err != nil {
				return nil, err
			}
		}
	}
	for i := range s.org.SignIns {
		if err := claim(&s.org.SignIns[i].ID, fmt.Sprintf("sign-in %d", i)); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(s.org.SignIns, func(a, b SignIn) int { return b.CreatedDateTime.Compare(a.CreatedDateTime) })
	s.org.PKIs, s.org.Classic, s.org.Users, s.org.Policy = nil, nil, nil, nil
	return s, nil
}

// tenant is the state as a Tenant again.
func (s *state) tenant() Tenant {
	t := s.org
	t.Policy = *s.policy.current(policyKey)
	for _, p := range s.pkis.all() {
		pki := *p
		for _, a := range s.cas.all() {
			if a.pki == pki.ID {
				pki.Authorities = append(pki.Authorities, a.Authority)
			}
		}
		t.PKIs = append(t.PKIs, pki)
	}
	if c := s.classic.current(ClassicID); c != nil {
		t.Classic = *c
	}
	for _, u := range s.users.all() {
		t.Users = append(t.Users, *u)
	}
	return t.Clone()
}

// settle lets happen what has become due: the end of an upload, the end of the
// 30 days that deleted items are kept.
func (s *state) settle(now time.Time) {
	s.settleUpload(now)
	const kept = 30 * 24 * time.Hour
	for _, r := range s.cas.rows {
		if r.now != nil && due(r.now.DeletedDateTime, kept, now) {
			s.cas.write(r.id, nil, Delay{}, now)
		}
	}
	for _, r := range s.pkis.rows {
		if r.now != nil && due(r.now.DeletedDateTime, kept, now) {
			s.dropPKI(r.id, now)
		}
	}
}

func due(deleted time.Time, kept time.Duration, now time.Time) bool {
	return !deleted.IsZero() && now.Sub(deleted) > kept
}

// key is what two certificateUserIds values are compared by.
func (s *state) key(value string) string {
	if s.opt.FoldCertificateUserIDs {
		return strings.ToLower(value)
	}
	return value
}

// newID gives out ids in the form of the directory's, one after the other.
func (s *state) newID() string {
	for {
		s.serial++
		if id := uuid(s.serial, 1); s.ids[id] == "" {
			return id
		}
	}
}

// uuid writes a number as a version 4 UUID; space keeps ids of objects and of
// requests apart.
func uuid(n uint64, space byte) string {
	return fmt.Sprintf("%08x-%04x-4000-8000-%012x", uint32(n>>32), space, n&0xffffffff)
}

func raw(v any) *json.RawMessage {
	text := json.RawMessage(encode(v))
	return &text
}

func hexText(b []byte) string { return hex.EncodeToString(b) }

func thumbprint(der []byte) string {
	sum := fingerprint.SHA1(der)
	return hexText(sum[:])
}

// compact is the length of JSON without white space.
func compact(text []byte) int {
	var b bytes.Buffer
	if json.Compact(&b, text) != nil {
		return len(text)
	}
	return b.Len()
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func contains(list []string, s string) bool { return slices.Contains(list, s) }
