package graphtest

import (
	"cmp"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A field is one property of the objects of a set.
type field[T any] struct {
	name   string       // in JSON; "" for a path that exists in filters only
	path   string       // in $filter; "" if it cannot be filtered
	get    func(*T) any // string, bool, int, time.Time, []string, nil or JSON
	hidden bool         // returned only on $select
	exact  bool         // letter case counts in a comparison
	always bool         // a time that is never null: the zero time is the year 1
}

// An entitySet is how one collection of Graph behaves; the word is OData's.
type entitySet[T any] struct {
	typ       string // CSDL type
	context   string // what @odata.context names
	fields    []field[T]
	ops       string // operators of $filter, separated by spaces
	directory bool   // needs ConsistencyLevel and $count for advanced queries
	top, most int    // page size without $top, and the largest $top
}

// A found is one object that a query may return.
type found[T any] struct {
	v *T
	r *replica[T] // whose read is counted; nil where nothing lags
}

// visible is what readers see of a table.
func visible[T any](t *table[T], now time.Time, keep func(*T) bool) []found[T] {
	var list []found[T]
	for _, r := range t.rows {
		if v := t.peek(r, now); v != nil && (keep == nil || keep(v)) {
			list = append(list, found[T]{v, r})
		}
	}
	return list
}

func fixed[T any](values []T) []found[T] {
	list := make([]found[T], len(values))
	for i := range values {
		list[i].v = &values[i]
	}
	return list
}

func (k *entitySet[T]) field(path string) *field[T] {
	for i := range k.fields {
		if f := &k.fields[i]; f.path != "" && strings.EqualFold(f.path, path) {
			return f
		}
	}
	return nil
}

// A selection is a parsed query.
type selection[T any] struct {
	fields []*field[T]
	filter *filter
	order  *field[T]
	desc   bool
	top    int
	skip   int
	count  bool
}

func unsupported(format string, args ...any) *answer {
	a := refuse(http.StatusBadRequest, codeUnsupported, format, args...)
	return &a
}

// parse reads the query options of a collection.
func (k *entitySet[T]) parse(c *call, page int) (*selection[T], *answer) {
	q := &selection[T]{top: k.top}
	if page > 0 {
		q.top = page
	}
	eventual := strings.EqualFold(c.header.Get("ConsistencyLevel"), "eventual")
	for _, name := range sortedKeys(c.query) {
		value := c.query.Get(name)
		if len(c.query[name]) > 1 {
			return nil, unsupported("Query option '%s' was specified more than once, but it must be specified at most once.", clip(name))
		}
		switch name {
		case "$select":
			// below
		case "$filter":
			var err error
			if q.filter, err = parseFilter(value); err != nil {
				return nil, unsupported("%s", err)
			}
		case "$orderby":
			parts := strings.Fields(value)
			if len(parts) == 0 || len(parts) > 2 || len(parts) == 2 && parts[1] != "asc" && parts[1] != "desc" {
				return nil, unsupported("Invalid $orderby '%s'.", clip(value))
			}
			if q.order = k.field(parts[0]); q.order == nil {
				return nil, unsupported("Sorting by '%s' is not supported.", clip(parts[0]))
			}
			q.desc = len(parts) == 2 && parts[1] == "desc"
		case "$top":
			n, err := strconv.Atoi(value)
			if err != nil || n < 1 || n > k.most {
				return nil, unsupported("Invalid page size specified: '%s'. Must be between 1 and %d inclusive.", clip(value), k.most)
			}
			q.top = n
		case "$count":
			if value != "true" && value != "false" {
				return nil, unsupported("Invalid value '%s' for $count.", clip(value))
			}
			q.count = value == "true"
		case "$skiptoken":
			text, err := base64.RawURLEncoding.DecodeString(value)
			n, err2 := strconv.Atoi(strings.TrimPrefix(string(text), "skip:"))
			if err != nil || err2 != nil || n < 0 || !strings.HasPrefix(string(text), "skip:") {
				return nil, unsupported("The $skiptoken is not one of this service.")
			}
			q.skip = n
		default:
			if strings.HasPrefix(name, "$") {
				return nil, unsupported("The query option '%s' is not supported.", clip(name))
			}
		}
	}
	var refused *answer
	if q.fields, refused = k.selected(c); refused != nil {
		return nil, refused
	}
	if q.filter != nil {
		if refused := k.supports(q.filter, eventual && q.count); refused != nil {
			return nil, refused
		}
		if k.directory && q.order != nil && !(eventual && q.count) {
			return nil, unsupported("$orderby together with $filter needs the header ConsistencyLevel: eventual and $count=true.")
		}
	}
	// Without the header, directory objects are returned without a count.
	q.count = q.count && (eventual || !k.directory)
	return q, nil
}

// selected reads $select. Names are compared without regard to case: Learn's own
// sample for authorizationInfo has them in lower case.
func (k *entitySet[T]) selected(c *call) ([]*field[T], *answer) {
	var list []*field[T]
	text := c.query.Get("$select")
	if text == "" {
		for i := range k.fields {
			if f := &k.fields[i]; f.name != "" && !f.hidden {
				list = append(list, f)
			}
		}
		return list, nil
	}
	for name := range strings.SplitSeq(text, ",") {
		name = strings.TrimSpace(name)
		i := slices.IndexFunc(k.fields, func(f field[T]) bool { return f.name != "" && strings.EqualFold(f.name, name) })
		if i < 0 {
			return nil, unsupported("Parsing OData Select and Expand failed: Could not find a property named '%s' on type 'microsoft.graph.%s'.", clip(name), k.typ)
		}
		list = append(list, &k.fields[i])
	}
	return list, nil
}

// supports refuses what the service does not filter by.
func (k *entitySet[T]) supports(f *filter, advanced bool) (refused *answer) {
	reject := func(format string, args ...any) {
		if refused == nil {
			refused = unsupported(format, args...)
		}
	}
	operator := func(op string) {
		if !contains(strings.Fields(k.ops), op) {
			reject("The operator '%s' is not supported.", op)
		}
		if k.directory && (op == "ne" || op == "not") && !advanced {
			reject("The operator '%s' needs the header ConsistencyLevel: eventual and $count=true.", op)
		}
	}
	var visit func(f *filter)
	visit = func(f *filter) {
		operator(f.op)
		for _, kid := range f.kids {
			if f.op != "any" {
				visit(kid)
			}
		}
	}
	visit(f)
	f.each(func(path string, leaf *filter, inAny bool) {
		p := k.field(path)
		if p == nil {
			reject("Could not find a property named '%s' on type 'microsoft.graph.%s'.", clip(path), k.typ)
			return
		}
		_, list := p.get(new(T)).([]string)
		switch {
		case list != inAny:
			reject("The property '%s' cannot be filtered like this.", clip(path))
		case inAny && leaf.op != "eq" && leaf.op != "startswith":
			reject("The operator '%s' is not supported on '%s'.", leaf.op, clip(path))
		case inAny && k.directory && !advanced:
			reject("Filtering by '%s' needs the header ConsistencyLevel: eventual and $count=true.", clip(path))
		}
	})
	return refused
}

func (k *entitySet[T]) matches(f *filter, v *T) bool {
	return f.matches(func(path string) any { return k.field(path).get(v) }, func(path string) bool { return !k.field(path).exact })
}

// render makes JSON of an object.
func render[T any](fields []*field[T], v *T) map[string]any {
	object := make(map[string]any, len(fields))
	for _, f := range fields {
		object[f.name] = jsonValue(f.get(v))
		if f.always && object[f.name] == nil {
			object[f.name] = stamp(time.Time{})
		}
	}
	return object
}

func jsonValue(v any) any {
	switch v := v.(type) {
	case time.Time:
		if v.IsZero() {
			return nil
		}
		return stamp(v)
	case []string:
		list := make([]any, len(v))
		for i := range v {
			list[i] = v[i]
		}
		return list
	}
	return v
}

// stamp writes a time as Graph does.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.999Z") }

// null is a text, or null where there is none.
func null(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// list answers a query over a collection.
func (k *entitySet[T]) list(s *state, c *call, source func(f *filter) []found[T]) answer {
	q, refused := k.parse(c, s.opt.PageSize)
	if refused != nil {
		return *refused
	}
	rows := source(q.filter)
	if q.filter != nil {
		rows = slices.DeleteFunc(slices.Clone(rows), func(r found[T]) bool { return !k.matches(q.filter, r.v) })
	}
	if q.order != nil {
		rows = slices.Clone(rows)
		slices.SortStableFunc(rows, func(a, b found[T]) int {
			order := compareValues(q.order.get(a.v), q.order.get(b.v))
			if q.desc {
				return -order
			}
			return order
		})
	}
	page := rows[min(q.skip, len(rows)):min(q.skip+q.top, len(rows))]
	values := make([]any, len(page))
	for i, r := range page {
		values[i] = render(q.fields, r.v)
		if r.r != nil {
			r.r.seen()
		}
	}
	body := map[string]any{"@odata.context": metadata(c, k.context), "value": values}
	// The count stands on the first page only.
	if q.count && q.skip == 0 {
		body["@odata.count"] = len(rows)
	}
	if next := q.skip + q.top; next < len(rows) {
		query := url.Values{}
		for name, value := range c.query {
			query[name] = value
		}
		query.Set("$skiptoken", base64.RawURLEncoding.EncodeToString([]byte("skip:"+strconv.Itoa(next))))
		path := make([]string, len(c.path))
		for i, segment := range c.path {
			path[i] = url.PathEscape(segment)
		}
		body["@odata.nextLink"] = c.base + "/" + strings.Join(path, "/") + "?" + query.Encode()
	}
	return answer{status: http.StatusOK, body: body, typ: "Collection(" + k.typ + ")"}
}

// one answers with a single object; $select is the one option.
func (k *entitySet[T]) one(c *call, v *T) answer {
	for _, name := range sortedKeys(c.query) {
		if strings.HasPrefix(name, "$") && name != "$select" {
			return *unsupported("The query option '%s' is not supported.", clip(name))
		}
	}
	fields, refused := k.selected(c)
	if refused != nil {
		return *refused
	}
	object := render(fields, v)
	object["@odata.context"] = metadata(c, k.context+"/$entity")
	return answer{status: http.StatusOK, body: object, typ: k.typ}
}

// full is the whole object, as an answer to its creation.
func (k *entitySet[T]) full(c *call, v *T, status int) answer {
	bare := *c
	bare.query = nil
	a := k.one(&bare, v)
	a.status = status
	return a
}

// metadata is an @odata.context; {id} stands for the first id of the path.
func metadata(c *call, what string) string {
	if len(c.params) > 0 {
		what = strings.Replace(what, "{id}", c.params[0], 1)
	}
	return c.base + "/$metadata#" + what
}

func compareValues(a, b any) int {
	switch a := a.(type) {
	case string:
		b, _ := b.(string)
		return cmp.Or(strings.Compare(strings.ToLower(a), strings.ToLower(b)), strings.Compare(a, b))
	case int:
		b, _ := b.(int)
		return cmp.Compare(a, b)
	case time.Time:
		b, _ := b.(time.Time)
		return a.Compare(b)
	case bool:
		b, _ := b.(bool)
		if a == b {
			return 0
		} else if b {
			return -1
		}
		return 1
	case nil:
		if b == nil {
			return 0
		}
		return -1
	}
	return 0
}
