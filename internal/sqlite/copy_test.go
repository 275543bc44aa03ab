package sqlite

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestKeptIsWhatIsRead: of every kind of document, whatever is in it, a write
// gives what a later read gives, and shares no memory with what was written.
func TestKeptIsWhatIsRead(t *testing.T) {
	var s Store
	s.collections()
	keptIsRead(t, s.events)
	keptIsRead(t, s.cases)
	keptIsRead(t, s.contacts)
	keptIsRead(t, s.refusals)
	keptIsRead(t, s.links)
	keptIsRead(t, s.sittings)
	keptIsRead(t, s.responses)
	keptIsRead(t, s.abouts)
	keptIsRead(t, s.codings)
	keptIsRead(t, s.quotations)
	keptIsRead(t, s.draftCodes)
	keptIsRead(t, s.openTables)
	keptIsRead(t, s.coderLogs)
	keptIsRead(t, s.coderModels)
	keptIsRead(t, s.adviceRevisions)
	keptIsRead(t, s.marks)
	keptIsRead(t, s.alerts)
	keptIsRead(t, s.actions)
	keptIsRead(t, s.subscribers)
	keptIsRead(t, s.publications)
	keptIsRead(t, s.messages)
	keptIsRead(t, s.leases)
	keptIsRead(t, s.users)
	keptIsRead(t, s.sessions)
	keptIsRead(t, s.apiKeys)
	keptIsRead(t, s.staffLinks)
	keptIsRead(t, s.throttles)
	keptIsRead(t, newCollection(&s, spec[shapes]{noun: "shape", id: func(d *shapes) *string { return &d.ID }}))
}

// shapes has what no document has so far.
type shapes struct {
	ID    string
	Left  []time.Time          `json:"-"`
	When  *time.Time           `json:"when,omitempty"`
	Times map[string]time.Time `json:"times"`
	Lists map[string][]string  `json:"lists,omitempty"`
	Two   [][]byte             `json:"two,omitzero"`
	Inner *struct {
		At   time.Time `json:"at,omitzero"`
		More []*shapes0
	} `json:"inner"`
}

type shapes0 struct {
	N  float64
	At time.Time
}

func keptIsRead[T any](t *testing.T, c *collection[T]) {
	t.Run(c.noun, func(t *testing.T) {
		if !c.plain {
			t.Errorf("a %s is decoded after every write", c.noun)
		}
		for seed := range uint64(300) {
			d := dice{rand.New(rand.NewPCG(seed, 1)), seed%10 == 0}
			var doc T
			d.throw(reflect.ValueOf(&doc).Elem())
			kept, args, err := c.row(doc, 3)
			if err != nil {
				t.Fatal(err)
			}
			body := args[len(args)-1].(string)
			read, err := c.decode([]byte(body))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(read, kept); diff != "" {
				t.Fatalf("seed %d (-a read +given by the write):\n%s", seed, diff)
			}
			d.scribble(reflect.ValueOf(&doc).Elem())
			if diff := cmp.Diff(read, kept); diff != "" {
				t.Fatalf("seed %d: the writer's later scribbles show (-before +after):\n%s", seed, diff)
			}
		}
	})
}

type dice struct {
	*rand.Rand
	broken bool // strings may not be UTF-8
}

// throw gives every field a random value: often none, of times any zone and any part of a second.
func (d dice) throw(v reflect.Value) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		at := time.Time{}
		if d.IntN(3) > 0 {
			at = time.Unix(d.Int64N(4e9)-1e9, d.Int64N(1e9)).UTC()
		}
		if d.IntN(2) > 0 {
			at = at.In(time.FixedZone("", d.IntN(7200)-3600)) // whole minutes or not
		}
		v.Set(reflect.ValueOf(at))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString([]string{"", "a", `<b>&"\u`, "é·\u2028", "�"}[d.IntN(5)])
		if d.broken && d.IntN(2) > 0 {
			v.SetString("cut \xc3 off \xff\xfe")
		}
	case reflect.Bool:
		v.SetBool(d.IntN(2) > 0)
	case reflect.Int, reflect.Int64:
		v.SetInt(d.Int64() >> d.IntN(63) * int64(d.IntN(2)))
	case reflect.Float64:
		v.SetFloat(d.NormFloat64())
	case reflect.Uint8:
		v.SetUint(d.Uint64() % 256)
	case reflect.Pointer:
		if d.IntN(2) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			d.throw(v.Elem())
		}
	case reflect.Slice:
		if n := d.IntN(4); n > 0 {
			v.Set(reflect.MakeSlice(v.Type(), n-1, n+1))
		}
		for i := range v.Len() {
			d.throw(v.Index(i))
		}
	case reflect.Map:
		if n := d.IntN(4); n > 0 {
			v.Set(reflect.MakeMap(v.Type()))
			for i := range n - 1 {
				value := reflect.New(v.Type().Elem()).Elem()
				d.throw(value)
				v.SetMapIndex(reflect.ValueOf(fmt.Sprint("key ", i)), value)
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			d.throw(v.Field(i))
		}
	default:
		panic("no sample of a " + v.Type().String())
	}
}

// scribble writes over everything that is reached from a value.
func (d dice) scribble(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			d.scribble(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			d.scribble(v.Index(i))
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			d.scribble(v.MapIndex(key))
			v.SetMapIndex(key, reflect.Value{})
		}
	case reflect.Struct:
		if v.Type() != reflect.TypeFor[time.Time]() {
			for i := range v.NumField() {
				d.scribble(v.Field(i))
			}
			return
		}
	}
	if v.CanSet() {
		d.throw(v)
	}
}

// TestDecodedAfterAll: types whose JSON their shape does not tell are decoded.
func TestDecodedAfterAll(t *testing.T) {
	type tucked struct{ A []string }
	for _, typ := range []reflect.Type{
		reflect.TypeFor[json.RawMessage](), reflect.TypeFor[struct{ V any }](), reflect.TypeFor[struct{ v int }](), reflect.TypeFor[struct{ tucked }](),
		reflect.TypeFor[struct{ P **int }](), reflect.TypeFor[*[]int](), reflect.TypeFor[map[int]string](), reflect.TypeFor[[]time.Month](),
		reflect.TypeFor[struct {
			At *time.Time `json:",omitzero"`
		}](),
	} {
		_, ok := copyOf(typ)
		if want := typ == reflect.TypeFor[[]time.Month](); ok != want {
			t.Errorf("%v: %v", typ, ok)
		}
	}
}
