package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"victimvoice/analysis"
	"victimvoice/internal/access"
	"victimvoice/internal/fault"
	"victimvoice/internal/work"
	"victimvoice/loop"
	"victimvoice/notifications"
	"victimvoice/survey"
)

// kind is how one type of document is read and changed.
type kind[T any] struct {
	get    func(context.Context, string) (T, error) // nil: by an update that changes nothing
	insert func(context.Context, T) error           // nil: an update of what is not there inserts
	update func(context.Context, string, func(*T) error) (T, error)
}

// documents puts every type of document through the same checks.
func documents(t *testing.T, s Store) {
	a := s.Access()
	kind[survey.EventRecord]{get: s.Event, update: s.UpdateEvent}.check(t)
	kind[survey.Case]{get: s.Case, update: s.UpdateCase}.check(t)
	kind[survey.ContactCard]{get: s.Contact, update: s.UpdateContact}.check(t)
	kind[survey.Refusal]{get: s.Refusal, update: s.UpdateRefusal}.check(t)
	kind[survey.Sitting]{get: s.Sitting, update: s.UpdateSitting}.check(t)
	kind[survey.Response]{get: s.Response, update: s.UpdateResponse}.check(t)
	kind[survey.About]{get: s.About, update: s.UpdateAbout}.check(t)
	kind[analysis.Coding]{get: s.Coding, update: s.UpdateCoding}.check(t)
	kind[analysis.Quotation]{get: s.Quotation, update: s.UpdateQuotation}.check(t)
	kind[analysis.DraftCode]{get: s.Draft, update: s.UpdateDraft}.check(t)
	kind[analysis.OpenTable]{get: s.OpenTable, update: s.UpdateOpenTable}.check(t)
	kind[analysis.CoderModel]{get: s.CoderModel, update: s.UpdateCoderModel}.check(t)
	kind[analysis.CoderLog]{get: s.CoderLog, update: s.UpdateCoderLog}.check(t)
	kind[analysis.AdviceRevision]{get: s.AdviceRevision, update: s.UpdateAdviceRevision}.check(t)
	kind[analysis.Mark]{get: s.Mark, update: s.UpdateMark}.check(t)
	kind[loop.Alert]{get: s.Alert, update: s.UpdateAlert}.check(t)
	kind[loop.Action]{get: s.Action, update: s.UpdateAction}.check(t)
	kind[loop.Subscriber]{get: s.Subscriber, update: s.UpdateSubscriber}.check(t)
	kind[loop.Publication]{update: s.UpdatePublication}.check(t)
	kind[work.Lease]{update: s.UpdateLease}.check(t)
	kind[access.User]{get: a.User, update: a.UpdateUser}.check(t)
	kind[access.Session]{get: a.Session, insert: a.InsertSession, update: a.UpdateSession}.check(t)
	kind[access.APIKey]{get: a.APIKey, update: a.UpdateAPIKey}.check(t)
	kind[access.Throttle]{update: a.UpdateThrottle}.check(t)
	kind[notifications.Message]{get: s.Message, insert: s.PutMessage,
		update: func(ctx context.Context, id string, fn func(*notifications.Message) error) (notifications.Message, error) {
			m, err := s.Message(ctx, id)
			if err != nil {
				return m, err
			}
			return s.UpdateMessage(ctx, id, m.Fence, fn)
		}}.check(t)

	// Those without an update keep every field as well.
	var link survey.Link
	fill(reflect.ValueOf(&link).Elem(), 1)
	ok(t, s.InsertLink(t.Context(), link))
	link.Version = 1
	equal(t, "survey link", must(t, link, nil), link)
	got, err := s.Link(t.Context(), link.ID)
	equal(t, "survey link", must(t, got, err), settled(link))
	var staffLink access.Link
	fill(reflect.ValueOf(&staffLink).Elem(), 2)
	ok(t, a.InsertLink(t.Context(), staffLink))
	gotStaff, err := a.Link(t.Context(), staffLink.ID)
	equal(t, "staff link", must(t, gotStaff, err), settled(staffLink))
}

var errNo = errors.New("no")

func (k kind[T]) check(t *testing.T) {
	t.Helper()
	name := reflect.TypeFor[T]().String()
	t.Run(name, func(t *testing.T) {
		ctx := t.Context()
		if k.get == nil {
			k.get = func(ctx context.Context, id string) (T, error) {
				return k.update(ctx, id, func(*T) error { return survey.ErrUnchanged })
			}
		}
		// put stores a document under an id as its first version.
		put := func(id string, doc T) (T, error) {
			if k.insert != nil {
				idOf(&doc).SetString(id)
				if err := k.insert(ctx, doc); err != nil {
					return doc, err
				}
				return k.get(ctx, id)
			}
			return k.update(ctx, id, func(d *T) error {
				var want T
				idOf(&want).SetString(id)
				if diff := cmp.Diff(want, *d); diff != "" {
					t.Errorf("fn sees of an unknown document (-want +got):\n%s", diff)
				}
				*d = doc
				return nil
			})
		}

		// Every field filled, empty and zero: all come back as they were, from the write and from a read.
		for i, shape := range []string{"filled", "empty", "zero"} {
			var doc T
			switch shape {
			case "filled":
				fill(reflect.ValueOf(&doc).Elem(), 7)
			case "empty":
				empty(reflect.ValueOf(&doc).Elem())
			}
			if f := reflect.ValueOf(&doc).Elem().FieldByName("EmailKey"); f.IsValid() {
				f.SetString("key of " + shape) // unique
			}
			id := fmt.Sprintf("doc/%d·é", i)
			want := doc
			idOf(&want).SetString(id)
			versionOf(&want).SetInt(1)
			want = settled(want)
			stored, err := put(id, doc)
			equal(t, shape+": stored", must(t, stored, err), want)
			read, err := k.get(ctx, id)
			equal(t, shape+": read", must(t, read, err), want)

			// Nothing changed: nothing written, and fn's scribbles are not given out.
			same, err := k.update(ctx, id, func(d *T) error {
				fill(reflect.ValueOf(d).Elem(), 99)
				return fmt.Errorf("as it is: %w", survey.ErrUnchanged)
			})
			equal(t, shape+": ErrUnchanged", must(t, same, err), want)
			// An error of fn comes out as it is and nothing is written.
			if _, err := k.update(ctx, id, func(d *T) error {
				fill(reflect.ValueOf(d).Elem(), 99)
				return errNo
			}); err != errNo { //nolint:errorlint // the very error
				t.Errorf("%s: fn's error came out as %v", shape, err)
			}
			read, err = k.get(ctx, id)
			equal(t, shape+": read after an error", must(t, read, err), want)

			// A write raises the version by one, whatever fn makes of it and of the id.
			next, err := k.update(ctx, id, func(d *T) error {
				idOf(d).SetString("another")
				versionOf(d).SetInt(40)
				return nil
			})
			versionOf(&want).SetInt(2)
			equal(t, shape+": updated", must(t, next, err), want)
		}

		// No update is lost, and every version is one caller's.
		const callers, each = 6, 4
		start, err := k.get(ctx, "doc/0·é")
		must(t, start, err)
		seen := make(map[int64]bool)
		var mu sync.Mutex
		together(callers, func(int) {
			for range each {
				got, err := k.update(ctx, "doc/0·é", func(*T) error { return nil })
				mu.Lock()
				if err != nil {
					t.Error(err)
				} else if v := versionOf(&got).Int(); seen[v] {
					t.Errorf("version %d was written twice", v)
				} else {
					seen[v] = true
				}
				mu.Unlock()
			}
		})
		if end := must(t, start, nil); len(seen) == callers*each {
			end, err = k.get(ctx, "doc/0·é")
			must(t, end, err)
			if got, want := versionOf(&end).Int(), versionOf(&start).Int()+callers*each; got != want {
				t.Errorf("version %d after %d updates, want %d", got, callers*each, want)
			}
		}
	})
}

func idOf[T any](doc *T) reflect.Value { return reflect.ValueOf(doc).Elem().FieldByName("ID") }

func versionOf[T any](doc *T) reflect.Value {
	return reflect.ValueOf(doc).Elem().FieldByName("Version")
}

func equal[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	// DeepEqual sees a time's zone and nil from empty; Diff says it readably.
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s (-want +got):\n%s\ngot  %+v\nwant %+v", what, cmp.Diff(want, got), got, want)
	}
}

// awkward are characters that stores have been known to change.
const awkward = "naïve – “Żółć” 名前 🙂 e\u0301 ' \" \\ $.% <b> \u0000\u2028 "

var summerTime = time.FixedZone("BST", 3600)

// fill sets every field of a document to something that is not its zero value:
// times in another zone and to the nanosecond, awkward text, two elements a slice.
func fill(v reflect.Value, n int) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(t0.Add(time.Duration(n)*time.Hour + 123456789*time.Nanosecond).In(summerTime)))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprint(awkward, n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(n) + 1<<20)
	case reflect.Float64:
		v.SetFloat(float64(n) + 0.1)
	case reflect.Uint8:
		v.SetUint(uint64(n) % 256)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n+1)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), n+10*i)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n+i)
		}
	default:
		panic("storetest: no sample of a " + v.Type().String())
	}
}

// empty sets every slice to empty and not nil and every pointer to a zero value.
// A field that its tag omits when empty comes back nil, and is left so.
func empty(v reflect.Value) {
	if v.Kind() != reflect.Struct || v.Type() == reflect.TypeFor[time.Time]() {
		return
	}
	for i := range v.NumField() {
		f := v.Field(i)
		switch f.Kind() {
		case reflect.Slice:
			if !strings.Contains(v.Type().Field(i).Tag.Get("json"), "omitempty") {
				f.Set(reflect.MakeSlice(f.Type(), 0, 0))
			}
		case reflect.Pointer:
			f.Set(reflect.New(f.Type().Elem()))
			empty(f.Elem())
		case reflect.Struct:
			empty(f)
		}
	}
}

// settled is a document as a store keeps it: times in UTC, to the millisecond.
func settled[T any](doc T) T {
	return settle(reflect.ValueOf(doc)).Interface().(T)
}

func settle(v reflect.Value) reflect.Value {
	if at, isTime := v.Interface().(time.Time); isTime {
		return reflect.ValueOf(at.UTC().Truncate(time.Millisecond))
	}
	out := reflect.New(v.Type()).Elem()
	out.Set(v)
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			out.Set(reflect.New(v.Type().Elem()))
			out.Elem().Set(settle(v.Elem()))
		}
	case reflect.Slice:
		if !v.IsNil() {
			out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
			for i := range v.Len() {
				out.Index(i).Set(settle(v.Index(i)))
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			out.Field(i).Set(settle(v.Field(i)))
		}
	}
	return out
}

// notThere asks every read for an unknown id.
func notThere(t *testing.T, s Store) {
	ctx, a := t.Context(), s.Access()
	const id = "nobody"
	for name, read := range map[string]func() error{
		"Event":             func() error { _, err := s.Event(ctx, id); return err },
		"Case":              func() error { _, err := s.Case(ctx, id); return err },
		"CaseOf":            func() error { _, err := s.CaseOf(ctx, id); return err },
		"Contact":           func() error { _, err := s.Contact(ctx, id); return err },
		"Refusal":           func() error { _, err := s.Refusal(ctx, id); return err },
		"Link":              func() error { _, err := s.Link(ctx, id); return err },
		"Sitting":           func() error { _, err := s.Sitting(ctx, id); return err },
		"Response":          func() error { _, err := s.Response(ctx, id); return err },
		"ResponseByReceipt": func() error { _, err := s.ResponseByReceipt(ctx, id); return err },
		"no receipt":        func() error { _, err := s.ResponseByReceipt(ctx, ""); return err },
		"About":             func() error { _, err := s.About(ctx, id); return err },
		"Coding":            func() error { _, err := s.Coding(ctx, id); return err },
		"Quotation":         func() error { _, err := s.Quotation(ctx, id); return err },
		"Draft":             func() error { _, err := s.Draft(ctx, id); return err },
		"AdviceRevision":    func() error { _, err := s.AdviceRevision(ctx, id); return err },
		"OpenTable":         func() error { _, err := s.OpenTable(ctx, id); return err },
		"CoderModel":        func() error { _, err := s.CoderModel(ctx, id); return err },
		"CoderLog":          func() error { _, err := s.CoderLog(ctx, id); return err },
		"Mark":              func() error { _, err := s.Mark(ctx, id); return err },
		"Alert":             func() error { _, err := s.Alert(ctx, id); return err },
		"Action":            func() error { _, err := s.Action(ctx, id); return err },
		"Subscriber":        func() error { _, err := s.Subscriber(ctx, id); return err },
		"Message":           func() error { _, err := s.Message(ctx, id); return err },
		"MessageByMailID":   func() error { _, err := s.MessageByMailID(ctx, id); return err },
		"no MailID":         func() error { _, err := s.MessageByMailID(ctx, ""); return err },
		"User":              func() error { _, err := a.User(ctx, id); return err },
		"UserByEmailKey":    func() error { _, err := a.UserByEmailKey(ctx, id); return err },
		"Session":           func() error { _, err := a.Session(ctx, id); return err },
		"APIKey":            func() error { _, err := a.APIKey(ctx, id); return err },
		"staff Link":        func() error { _, err := a.Link(ctx, id); return err },
		"TakeLink":          func() error { _, err := a.TakeLink(ctx, id); return err },
		"UpdateSession": func() error {
			_, err := a.UpdateSession(ctx, id, func(*access.Session) error { t.Error("fn was called"); return nil })
			return err
		},
	} {
		wantKind(t, read(), fault.NotFound, name)
	}
	// A draft has no receipt and must not be found by having none.
	_, err := s.UpdateResponse(ctx, "draft", func(r *survey.Response) error { r.State = survey.Draft; return nil })
	ok(t, err)
	_, err = s.ResponseByReceipt(ctx, "")
	wantKind(t, err, fault.NotFound, "no receipt")

	// Removing what is not there is done already.
	ok(t, s.DeleteContact(ctx, id))
	ok(t, s.DeleteSubscriber(ctx, id))
	ok(t, a.DeleteSession(ctx, id))
	ok(t, a.DeleteSessionsOf(ctx, id))
	ok(t, a.DeleteLinksOf(ctx, id))
	ok(t, s.DeleteEntriesBefore(ctx, 10))
	// An update of nothing that changes nothing leaves nothing.
	c, err := s.UpdateCase(ctx, id, func(c *survey.Case) error { c.Force = "x"; return survey.ErrUnchanged })
	equal(t, "an unknown case, unchanged", must(t, c, err), survey.Case{ID: id})
	_, err = s.Case(ctx, id)
	wantKind(t, err, fault.NotFound, "Case after an update that changed nothing")
	ok(t, s.Ping(ctx))
}

// duplicates inserts everything twice.
func duplicates(t *testing.T, s Store) {
	ctx, a := t.Context(), s.Access()
	for name, insert := range map[string]func() error{
		"InsertEvent":   func() error { return s.InsertEvent(ctx, survey.EventRecord{ID: "e", Fingerprint: "one"}) },
		"InsertLink":    func() error { return s.InsertLink(ctx, survey.Link{ID: "l"}) },
		"InsertSitting": func() error { return s.InsertSitting(ctx, survey.Sitting{ID: "s"}) },
		"InsertSession": func() error { return a.InsertSession(ctx, access.Session{ID: "s"}) },
		"staff link":    func() error { return a.InsertLink(ctx, access.Link{ID: "l"}) },
	} {
		ok(t, insert())
		wantKind(t, insert(), fault.Conflict, name+" again")
	}
	// What is there stays as it is.
	wantKind(t, s.InsertEvent(ctx, survey.EventRecord{ID: "e", Fingerprint: "two"}), fault.Conflict, "InsertEvent, another body")
	e, err := s.Event(ctx, "e")
	if must(t, e, err); e.Fingerprint != "one" || e.Version != 1 {
		t.Errorf("the second insert changed the first: %+v", e)
	}
	// Of many at once exactly one inserts.
	won := gather(t, 20, func(i int) ([]int, error) {
		err := s.InsertEvent(ctx, survey.EventRecord{ID: "race", Fingerprint: fmt.Sprint(i)})
		if fault.Is(err, fault.Conflict) {
			return nil, nil
		}
		return []int{i}, err
	})
	if len(won) != 1 {
		t.Fatalf("%d inserts of one id succeeded", len(won))
	}
	e, err = s.Event(ctx, "race")
	if must(t, e, err); e.Fingerprint != fmt.Sprint(won[0]) {
		t.Errorf("stored %s, but %d was told that it had inserted", e.Fingerprint, won[0])
	}
}

// contention lets many callers append to one case that is not there yet.
func contention(t *testing.T, s Store) {
	ctx := t.Context()
	const callers, each = 25, 3
	versions := gather(t, callers, func(i int) (got []int64, err error) {
		for j := range each {
			c, err := s.UpdateCase(ctx, "busy", func(c *survey.Case) error {
				c.Events = append(c.Events, survey.CaseEvent{ID: fmt.Sprintf("%d/%d", i, j), At: t0})
				return nil
			})
			if err != nil {
				return got, err
			}
			if n := int64(len(c.Events)); n != c.Version {
				return got, fmt.Errorf("version %d holds %d events", c.Version, n)
			}
			got = append(got, c.Version)
		}
		return got, nil
	})
	winners := make(map[int64]int)
	for _, v := range versions {
		winners[v]++
	}
	for v := int64(1); v <= callers*each; v++ {
		if winners[v] != 1 {
			t.Errorf("version %d has %d winners, want 1", v, winners[v])
		}
	}
	c, err := s.Case(ctx, "busy")
	must(t, c, err)
	kept := make(map[string]bool)
	for _, e := range c.Events {
		kept[e.ID] = true
	}
	if c.Version != callers*each || len(kept) != callers*each {
		t.Errorf("version %d with %d different events, want %d of both", c.Version, len(kept), callers*each)
	}
}
