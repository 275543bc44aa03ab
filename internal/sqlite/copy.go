package sqlite

import (
	"encoding"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"time"
)

// settle is the instant as it is kept: in UTC and whole milliseconds.
func settle(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// copyOf gives a function that makes of a shallow copy what decoding the JSON of
// the value would give: its own memory all through, times settled, and empty what
// JSON leaves out. It is many times cheaper than decoding. It says no for a type
// of which that cannot be told from its shape alone: such a document has to be decoded.
func copyOf(t reflect.Type) (own func(reflect.Value), ok bool) {
	if t == reflect.TypeFor[time.Time]() {
		return func(v reflect.Value) {
			at := v.Addr().Interface().(*time.Time)
			*at = settle(*at)
		}, true
	}
	if t.Kind() != reflect.Pointer && speaksForItself(t) { // a pointer speaks as what it points to does
		return nil, false
	}
	switch t.Kind() {
	case reflect.Bool, reflect.String, reflect.Float32, reflect.Float64,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return nil, true
	case reflect.Struct:
		return copyOfStruct(t)
	case reflect.Pointer:
		return copyOfPointer(t)
	case reflect.Slice:
		return copyOfSlice(t)
	case reflect.Map:
		return copyOfMap(t)
	default:
		return nil, false
	}
}

func copyOfStruct(t reflect.Type) (func(reflect.Value), bool) {
	type field struct {
		index int
		own   func(reflect.Value)
	}
	var fields []field
	for i := range t.NumField() {
		f := t.Field(i)
		name, rest, _ := strings.Cut(f.Tag.Get("json"), ",")
		options := strings.Split(rest, ",")
		if !f.IsExported() || f.Anonymous {
			return nil, false
		}
		if name == "-" && rest == "" {
			fields = append(fields, field{i, reflect.Value.SetZero})
			continue
		}
		own, ok := copyOf(f.Type)
		_, judges := f.Type.MethodByName("IsZero")
		if !ok || judges && slices.Contains(options, "omitzero") && f.Type != reflect.TypeFor[time.Time]() {
			return nil, false
		}
		if k := f.Type.Kind(); (k == reflect.Slice || k == reflect.Map) && slices.Contains(options, "omitempty") {
			full := own
			own = func(v reflect.Value) {
				if v.Len() == 0 {
					v.SetZero()
					return
				}
				full(v)
			}
		}
		if own != nil {
			fields = append(fields, field{i, own})
		}
	}
	if fields == nil {
		return nil, true
	}
	return func(v reflect.Value) {
		for _, f := range fields {
			f.own(v.Field(f.index))
		}
	}, true
}

func copyOfPointer(t reflect.Type) (func(reflect.Value), bool) {
	own, ok := copyOf(t.Elem())
	switch t.Elem().Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		ok = false // what it points to may be null, and then so is the pointer
	}
	return func(v reflect.Value) {
		if v.IsNil() {
			return
		}
		to := reflect.New(t.Elem())
		to.Elem().Set(v.Elem())
		if own != nil {
			own(to.Elem())
		}
		v.Set(to)
	}, ok
}

func copyOfSlice(t reflect.Type) (func(reflect.Value), bool) {
	own, ok := copyOf(t.Elem())
	return func(v reflect.Value) {
		if v.IsNil() {
			return
		}
		to := reflect.MakeSlice(t, v.Len(), v.Len())
		reflect.Copy(to, v)
		if own != nil {
			for i := range to.Len() {
				own(to.Index(i))
			}
		}
		v.Set(to)
	}, ok
}

func copyOfMap(t reflect.Type) (func(reflect.Value), bool) {
	own, ok := copyOf(t.Elem())
	if t.Key().Kind() != reflect.String || speaksForItself(t.Key()) {
		ok = false
	}
	return func(v reflect.Value) {
		if v.IsNil() {
			return
		}
		to := reflect.MakeMapWithSize(t, v.Len())
		for from := v.MapRange(); from.Next(); {
			value := reflect.New(t.Elem()).Elem()
			value.Set(from.Value())
			if own != nil {
				own(value)
			}
			to.SetMapIndex(from.Key(), value)
		}
		v.Set(to)
	}, ok
}

// speaksForItself reports whether the type has a JSON of its own making.
func speaksForItself(t reflect.Type) bool {
	for _, own := range []reflect.Type{
		reflect.TypeFor[json.Marshaler](), reflect.TypeFor[json.Unmarshaler](),
		reflect.TypeFor[encoding.TextMarshaler](), reflect.TypeFor[encoding.TextUnmarshaler](),
	} {
		if t.Implements(own) || reflect.PointerTo(t).Implements(own) {
			return true
		}
	}
	return false
}
