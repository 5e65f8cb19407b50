package wire

import (
	"reflect"
	"strconv"
	"strings"
)

// An Unknown is a property that a struct has no field for.
type Unknown struct {
	Name string
	Raw  []byte
	Near string // the property whose name differs in letter case only, or ""
}

// Walk calls visit for every property in v, at any level, that is unknown and no
// annotation (an [Unknown]) and for every text that is not empty (of its own
// type), with its JSON pointer.
func Walk(v any, visit func(where string, v any)) { walk("", reflect.ValueOf(v), visit) }

func walk(where string, v reflect.Value, visit func(string, any)) {
	switch v.Kind() {
	case reflect.String:
		if v.Len() > 0 {
			visit(where, v.Interface())
		}
	case reflect.Slice:
		if v.Type() == bytesType {
			return
		}
		for i := range v.Len() {
			walk(where+pointer(strconv.Itoa(i)), v.Index(i), visit)
		}
	case reflect.Struct:
		list, _ := fields(v)
		if k, ok := v.Interface().(interface{ kept() []Member }); ok {
			for _, m := range k.kept() {
				if !IsAnnotation(m.Name) && find(list, m.Name, false) == nil {
					visit(where+pointer(m.Name), Unknown{m.Name, m.Raw, near(list, m.Name)})
				}
			}
		}
		for _, f := range list {
			walk(where+pointer(f.name), f.value, visit)
		}
	}
}

func near(list []field, name string) string {
	for _, f := range list {
		if strings.EqualFold(f.name, name) {
			return f.name
		}
	}
	return ""
}

// Clone copies a value and everything that it holds by slice, map or pointer. The
// texts that objects were read from are shared: nothing changes them.
func Clone[T any](v T) T {
	clone(reflect.ValueOf(&v).Elem())
	return v
}

func clone(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			copied := reflect.New(v.Type().Elem())
			copied.Elem().Set(v.Elem())
			clone(copied.Elem())
			v.Set(copied)
		}
	case reflect.Slice:
		if !v.IsNil() {
			copied := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
			reflect.Copy(copied, v)
			switch v.Type().Elem().Kind() {
			case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Struct:
				for i := range copied.Len() {
					clone(copied.Index(i))
				}
			}
			v.Set(copied)
		}
	case reflect.Map:
		if !v.IsNil() {
			copied := reflect.MakeMapWithSize(v.Type(), v.Len())
			for key, value := range v.Seq2() {
				held := reflect.New(value.Type()).Elem()
				held.Set(value)
				clone(held)
				copied.SetMapIndex(key, held)
			}
			v.Set(copied)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() { // exported; what is not is never changed
				clone(v.Field(i))
			}
		}
	}
}
