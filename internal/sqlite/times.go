package sqlite

import (
	"reflect"
	"time"
)

// timesOf gives a function that sets every time in a value of the type to UTC
// and whole milliseconds, which is how times are kept; nil when the type holds
// no time. The value must be settable and its own: a document fresh from JSON.
func timesOf(t reflect.Type) func(reflect.Value) {
	if t == reflect.TypeFor[time.Time]() {
		return func(v reflect.Value) {
			at := v.Addr().Interface().(*time.Time)
			*at = settle(*at)
		}
	}
	switch t.Kind() {
	case reflect.Struct:
		type field struct {
			index int
			times func(reflect.Value)
		}
		var fields []field
		for i := range t.NumField() {
			if f := t.Field(i); f.IsExported() {
				if times := timesOf(f.Type); times != nil {
					fields = append(fields, field{i, times})
				}
			}
		}
		if fields == nil {
			return nil
		}
		return func(v reflect.Value) {
			for _, f := range fields {
				f.times(v.Field(f.index))
			}
		}
	case reflect.Pointer:
		times := timesOf(t.Elem())
		if times == nil {
			return nil
		}
		return func(v reflect.Value) {
			if !v.IsNil() {
				times(v.Elem())
			}
		}
	case reflect.Slice:
		times := timesOf(t.Elem())
		if times == nil {
			return nil
		}
		return func(v reflect.Value) {
			for i := range v.Len() {
				times(v.Index(i))
			}
		}
	}
	return nil
}
