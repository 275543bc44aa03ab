package survey_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"victimvoice/internal/fault"
	"victimvoice/internal/roomtest"
	"victimvoice/internal/sqlite"
	"victimvoice/survey"
)

const day = 24 * time.Hour

func yes() *bool { b := true; return &b }

// content is a case without what depends on when and how often it was written.
func content(c survey.Case) survey.Case {
	c.Version, c.Ref, c.ChangedAt = 0, nil, time.Time{}
	slices.SortFunc(c.Events, func(a, b survey.CaseEvent) int { return strings.Compare(a.ID, b.ID) })
	return c
}

func TestReceiveIsIdempotent(t *testing.T) {
	w := roomtest.New(t)
	e := func() survey.Event {
		e := roomtest.Report(1, w.Clock.Now().Add(-time.Hour))
		e.Contact.SafeDays = []string{"mon", "wed", "fri"}
		return e
	}
	r, err := w.Survey.Receive(t.Context(), e())
	if err != nil || r.Status != survey.Accepted || r.EventID != "reported-1" {
		t.Fatalf("the first time: %+v %v", r, err)
	}
	before := w.Case(1)
	again := e()
	again.Force, again.Borough, again.Contact.Email, again.Offence = " metropolitan police ", "EALING", "Person1@EXAMPLE.org", "Stalking-2A" // the same in other spelling
	again.Contact.SafeDays = []string{"Friday", " wed ", "Mon"}
	for _, e := range []survey.Event{e(), again} {
		if s, err := w.Survey.Foresee(t.Context(), e); err != nil || s != survey.Duplicate {
			t.Errorf("foreseen: %s %v", s, err)
		}
		r, err := w.Survey.Receive(t.Context(), e)
		if err != nil || r.Status != survey.Duplicate {
			t.Errorf("again: %+v %v", r, err)
		}
	}
	if d := cmp.Diff(before, w.Case(1)); d != "" {
		t.Errorf("a repeat changed the case:\n%s", d)
	}

	other := e()
	other.Borough = "Brent"
	for name, f := range map[string]func() error{
		"receive": func() error { _, err := w.Survey.Receive(t.Context(), other); return err },
		"foresee": func() error { _, err := w.Survey.Foresee(t.Context(), other); return err },
	} {
		err := f()
		roomtest.Want(t, err, fault.Conflict, name)
		if fs := fault.FieldsOf(err); len(fs) != 1 || fs[0].Field != "event_id" {
			t.Errorf("%s: fields %+v", name, fs)
		}
	}
	if d := cmp.Diff(before, w.Case(1)); d != "" {
		t.Errorf("a conflict changed the case:\n%s", d)
	}
	// The same id from another force is another event.
	foreign := e()
	foreign.Force, foreign.Borough = "Kent Police", "Medway"
	if r, err := w.Survey.Receive(t.Context(), foreign); err != nil || r.Status != survey.Accepted {
		t.Errorf("the same id of another force: %+v %v", r, err)
	}
}

func TestInvalidDoesNotUseUpItsID(t *testing.T) {
	w := roomtest.New(t)
	bad := roomtest.Report(1, w.Clock.Now())
	bad.Offence = "stalking"
	_, err := w.Survey.Receive(t.Context(), bad)
	roomtest.Want(t, err, fault.Invalid, "a bad offence")
	_, err = w.Survey.Foresee(t.Context(), bad)
	roomtest.Want(t, err, fault.Invalid, "foreseeing it")
	if calls := w.Store.Calls(); len(calls) != 0 {
		t.Errorf("a refused event reached the store: %v", calls)
	}
	bad.Offence = "stalking-2a"
	if r, err := w.Survey.Receive(t.Context(), bad); err != nil || r.Status != survey.Accepted {
		t.Errorf("put right, under the same id: %+v %v", r, err)
	}
}

// TestFaults holds every fault of the contract to 'the field: what would be right'.
func TestFaults(t *testing.T) {
	w := roomtest.New(t)
	now := w.Clock.Now()
	long := strings.Repeat("x", 300)
	future := now.Add(time.Hour)
	type change = func(*survey.Event)
	for _, c := range []struct {
		name   string
		change change
		want   string // "field: message", in order; a message may be given by its beginning
	}{
		{"nothing wrong", func(*survey.Event) {}, ""},
		{"no id", func(e *survey.Event) { e.EventID = " " }, "event_id: is missing"},
		{"an id too long", func(e *survey.Event) { e.EventID = long }, "event_id: is longer than 200 characters"},
		{"an id of two lines", func(e *survey.Event) { e.EventID = "a\nb" }, "event_id: has control characters or is not UTF-8; want plain text on one line"},
		{"an id that is not UTF-8", func(e *survey.Event) { e.EventID = "a\xff" }, "event_id: has control characters or is not UTF-8; want plain text on one line"},
		{"no case", func(e *survey.Event) { e.CaseRef = "" }, "case_ref: is missing"},
		{"no force", func(e *survey.Event) { e.Force = "" }, "force: is missing"},
		{"no type", func(e *survey.Event) { e.Type = "" }, "type: is missing"},
		{"an unknown type, near one", func(e *survey.Event) { e.Type = "repoted" }, `type: "repoted" is not known; did you mean reported?`},
		{"an unknown type", func(e *survey.Event) { e.Type = "qqqqqqqq" }, `type: "qqqqqqqq" is not known; want one of reported, investigation_progressed, withdrew,`},
		{"no time", func(e *survey.Event) { e.OccurredAt = time.Time{} }, "occurred_at: is missing"},
		{"a time to come", func(e *survey.Event) { e.OccurredAt = future }, "occurred_at: is in the future; want the time at which it happened"},
		{"a sender's clock a little ahead", func(e *survey.Event) { e.OccurredAt = now.Add(4 * time.Minute) }, ""},
		{"a time that cannot be", func(e *survey.Event) { e.OccurredAt = time.Date(1926, 1, 1, 0, 0, 0, 0, time.UTC) }, "occurred_at: is before 2000-01-01; want the time at which it happened"},
		{"an unknown borough", func(e *survey.Event) { e.Borough = "Eeling" }, `borough: "Eeling" is not a borough of Metropolitan Police; did you mean Ealing`},
		{"a borough unlike any", func(e *survey.Event) { e.Borough = "Zzyzx on the Wold" }, `borough: "Zzyzx on the Wold" is not a borough of Metropolitan Police; want one of the force's boroughs`},
		{"any borough of a force without a list", func(e *survey.Event) { e.Force, e.Borough = "Kent Police", "Zzyzx" }, ""},
		{"an unknown offence", func(e *survey.Event) { e.Offence = "stalking-2b" }, `offence: "stalking-2b" is not known; did you mean stalking-2a?`},
		{"an unknown outcome", func(e *survey.Event) { e.Type, e.Outcome = survey.Closed, "nfa" }, `outcome: "nfa" is not known; want one of charged,`},
		{"closed without an outcome", func(e *survey.Event) { e.Type = survey.Closed }, "outcome: is missing; a closed event needs an outcome: charged,"},
		{"progress without a milestone", func(e *survey.Event) { e.Type = survey.Progressed }, "milestone: is missing; an investigation_progressed event needs a milestone such as"},
		{"a merger into nothing", func(e *survey.Event) { e.Type = survey.CasesMerged }, "into: is missing; a cases_merged event needs the case_ref of the case"},
		{"a merger into itself", func(e *survey.Event) { e.Type, e.Into = survey.CasesMerged, e.CaseRef }, "into: names the case itself; want the case_ref it was merged into"},
		{"a correction of nothing", func(e *survey.Event) { e.Type = survey.Corrected }, "corrects: is missing; a corrected event needs the event_id that it replaces"},
		{"a correction of itself", func(e *survey.Event) { e.Type, e.Corrects = survey.Corrected, e.EventID }, "corrects: names the event itself; want the event_id of an earlier event"},
		{"a correction that is none", func(e *survey.Event) { e.Corrects = "e-0" }, "corrects: goes with the type corrected only"},
		{"an advocate without an address", func(e *survey.Event) { e.Advocate = "Ann" }, "advocate: is not an address; want one such as person@example.org"},
		{"a bad address", func(e *survey.Event) { e.Contact.Email = "person@example" }, "contact.email: is not an address; want one such as person@example.org"},
		{"an address with a name", func(e *survey.Event) { e.Contact.Email = "Ann <a@example.org>" }, "contact.email: is not an address; want one such as person@example.org"},
		{"two addresses", func(e *survey.Event) { e.Contact.Email = "a@example.org,b@example.org" }, "contact.email: is not an address; want one such as person@example.org"},
		{"a bad language", func(e *survey.Event) { e.Contact.Language = "English!" }, "contact.language: is not a language code; want one such as en or cy"},
		{"confirmed in the future", func(e *survey.Event) { e.Contact.SafeConfirmedAt = &future }, "contact.safe_confirmed_at: is in the future; want the time at which the person confirmed it"},
		{"a bad day", func(e *survey.Event) { e.Contact.SafeDays = []string{"mon", "noday"} }, `contact.safe_days: "noday" is not a day; want mon, tue, wed, thu, fri, sat, sun`},
		{"a day twice", func(e *survey.Event) { e.Contact.SafeDays = []string{"mon", "Monday"} }, "contact.safe_days: names a day twice"},
		{"a bad hour", func(e *survey.Event) { e.Contact.SafeFrom, e.Contact.SafeTo = "25:00", "5 pm" }, "contact.safe_from: is not a time of day; want HH:MM such as 09:00\ncontact.safe_to: is not a time of day; want HH:MM such as 09:00"},
		{"all of it at once", func(e *survey.Event) { *e = survey.Event{} }, "event_id: is missing\ncase_ref: is missing\ntype: is missing\noccurred_at: is missing\nforce: is missing"},
		{"a value of a megabyte", func(e *survey.Event) { e.Borough = strings.Repeat("Ealing ", 150_000) }, "borough: is longer than 100 characters"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := roomtest.Report(1, now)
			e.EventID = "fault-" + strings.ReplaceAll(c.name, " ", "-") // ids are used up by those accepted
			c.change(&e)
			_, err := w.Survey.Receive(t.Context(), e)
			var got []string
			for _, f := range fault.FieldsOf(err) {
				got = append(got, f.Field+": "+f.Message)
			}
			var want []string
			if c.want != "" {
				want = strings.Split(c.want, "\n")
				roomtest.Want(t, err, fault.Invalid, "receive")
			} else if err != nil {
				t.Fatal(err)
			}
			if len(got) != len(want) {
				t.Fatalf("want %.400q, have %.400q", want, got)
			}
			for i := range want {
				if !strings.HasPrefix(got[i], want[i]) {
					t.Errorf("want %q, have %.400q", want[i], got[i])
				}
				if len(got[i]) > 400 {
					t.Errorf("the message carries %d bytes of input", len(got[i]))
				}
			}
			for _, secret := range []string{"a@example.org", "b@example.org", "person@example "} {
				if err != nil && strings.Contains(err.Error(), secret) {
					t.Errorf("the error tells an address: %v", err)
				}
			}
		})
	}
}

// TestReceiveCrashes lets the process die at every port call of Receive: sent
// again, or mended by the sweep, the case ends the same, nothing is lost and nothing is there twice.
func TestReceiveCrashes(t *testing.T) {
	at := roomtest.Start().Add(-time.Hour)
	e := func() survey.Event { return roomtest.Report(1, at) }
	straight := roomtest.New(t)
	straight.Receive(e())
	want := content(straight.Case(1))

	check := func(w *roomtest.World, how string) {
		t.Helper()
		// Pseudonyms come from one keyset, so that cases of two worlds can be compared.
		if d := cmp.Diff(want, content(w.Case(1)), cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%s: the case differs:\n%s", how, d)
		}
		left, err := w.Store.Store.UnappliedEvents(t.Context(), w.Clock.Now().Add(day), 10)
		if err != nil || len(left) != 0 {
			t.Errorf("%s: %d events are left, %v", how, len(left), err)
		}
		w.Clock.Pass(day)
		if _, m := w.Mail(); m.Address != roomtest.Address(1) {
			t.Errorf("%s: the mail goes to %q", how, m.Address)
		}
	}
	receive := func(w *roomtest.World) error { _, err := w.Survey.Receive(t.Context(), e()); return err }
	roomtest.EachCrash(t, nil, receive, func(w *roomtest.World, crash string) {
		if err := receive(w); err != nil {
			t.Errorf("%s: sent again: %v", crash, err)
			return
		}
		check(w, crash+", sent again")
	})
	roomtest.EachCrash(t, nil, receive, func(w *roomtest.World, crash string) {
		w.Clock.Pass(2 * time.Minute)
		if _, err := w.Survey.MendEvents(t.Context()); err != nil {
			t.Errorf("%s: mended: %v", crash, err)
		}
		if _, err := w.Store.Store.Case(t.Context(), w.Survey.CaseID(roomtest.Force, roomtest.Ref(1))); fault.Is(err, fault.NotFound) {
			if crash != "before call 1, InsertEvent" {
				t.Errorf("%s: the event is lost", crash)
			}
			return // it was never recorded, and its sender was told so
		}
		w.Clock.Set(roomtest.Start())
		check(w, crash+", mended")
	})
}

// TestMendGoesOnPastAFault: one event that cannot be mended does not hold up the others.
func TestMendGoesOnPastAFault(t *testing.T) {
	w := roomtest.New(t)
	w.Store.Fail(func(call string) error {
		if call == "UpdateCase" {
			return errors.New("away")
		}
		return nil
	})
	for n := 1; n <= 3; n++ {
		if _, err := w.Survey.Receive(t.Context(), roomtest.Report(n, w.Clock.Now())); err == nil {
			t.Fatal("received without a case")
		}
		w.Clock.Pass(time.Second)
	}
	w.Store.Fail(nil)
	records, err := w.Store.UnappliedEvents(t.Context(), w.Clock.Now().Add(time.Hour), 10)
	if err != nil || len(records) != 3 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	if _, err := w.Store.UpdateEvent(t.Context(), records[0].ID, func(r *survey.EventRecord) error { r.Sealed = []byte("spoilt"); return nil }); err != nil {
		t.Fatal(err)
	}
	w.Clock.Pass(2 * time.Minute)
	n, err := w.Survey.MendEvents(t.Context())
	if err == nil || n != 2 {
		t.Errorf("mended %d, %v: want 2 and the fault of the third", n, err)
	}
	w.Case(2)
	w.Case(3)
}

// lives is one case's whole history, in order.
func lives(n int, start time.Time) []survey.Event {
	at := func(days float64) time.Time { return start.Add(time.Duration(days * float64(day))) }
	es := []survey.Event{
		roomtest.Report(n, at(0)),
		roomtest.Event(n, "arrest", survey.Progressed, at(2), func(e *survey.Event) { e.Milestone = "arrest" }),
		roomtest.Event(n, "hold", survey.HoldPlaced, at(3)),
		roomtest.Event(n, "lift", survey.HoldLifted, at(4)),
		roomtest.Event(n, "contact", survey.ContactChanged, at(5), func(e *survey.Event) {
			confirmed := at(5)
			e.Contact = &survey.Contact{Email: fmt.Sprintf("new%d@example.org", n), EmailSafe: yes(), SafeConfirmedAt: &confirmed, SafeDays: []string{"mon", "tue"}}
		}),
		roomtest.Event(n, "advocate", survey.AdvocateChanged, at(6), func(e *survey.Event) { e.Advocate = "advocate2@example.org" }),
		roomtest.Event(n, "closed", survey.Closed, at(20), func(e *survey.Event) { e.Outcome = "nfa-evidential" }),
		roomtest.Event(n, "told", survey.ClosureNotified, at(21)),
		roomtest.Event(n, "reopened", survey.Reopened, at(22)),
		roomtest.Event(n, "fix", survey.Corrected, at(20), func(e *survey.Event) { e.Corrects, e.Outcome = fmt.Sprintf("closed-%d", n), "nfa-other" }),
	}
	return es
}

// TestConcurrentReceive sends one case's events from many goroutines, each more than once.
func TestConcurrentReceive(t *testing.T) {
	start := roomtest.Start().Add(-30 * day)
	straight := roomtest.New(t)
	straight.Receive(lives(1, start)...)
	want := content(straight.Case(1))

	w := roomtest.New(t)
	var wg sync.WaitGroup
	var accepted atomic.Int32
	for round := range 3 {
		for i := range lives(1, start) {
			wg.Go(func() {
				e := lives(1, start)[i]
				r, err := w.Survey.Receive(t.Context(), e)
				if err != nil {
					t.Errorf("round %d, %s: %v", round, e.EventID, err)
				}
				if r.Status == survey.Accepted {
					accepted.Add(1)
				}
			})
		}
	}
	wg.Wait()
	if int(accepted.Load()) != len(lives(1, start)) {
		t.Errorf("%d accepted, want each once: %d", accepted.Load(), len(lives(1, start)))
	}
	if d := cmp.Diff(want, content(w.Case(1)), cmpopts.EquateEmpty()); d != "" {
		t.Errorf("the case differs from one told in order:\n%s", d)
	}
}

func TestReimportCannotUndoAnOptOut(t *testing.T) {
	t.Run("asked for on the survey page", func(t *testing.T) {
		w := roomtest.New(t)
		if err := w.Survey.Refuse(t.Context(), w.Invited(1), false); err != nil {
			t.Fatal(err)
		}
		notAsked(t, w)
	})
	t.Run("told by the police", func(t *testing.T) {
		w := roomtest.New(t)
		w.Receive(roomtest.Report(1, w.Clock.Now().Add(-time.Hour)))
		w.Receive(roomtest.Event(1, "stop", survey.OptedOut, w.Clock.Now()))
		notAsked(t, w)
	})
	t.Run("told by the police before the address was", func(t *testing.T) {
		w := roomtest.New(t)
		w.Receive(roomtest.Event(1, "stop", survey.OptedOut, w.Clock.Now()))
		w.Receive(roomtest.Report(1, w.Clock.Now().Add(-time.Hour)))
		notAsked(t, w)
	})
}

// notAsked: the person of case 1 has opted out; neither their own case, told
// again under new ids, nor another case with their address asks them.
func notAsked(t *testing.T, w *roomtest.World) {
	t.Helper()
	again := roomtest.Report(1, w.Clock.Now(), func(e *survey.Event) { e.EventID = "again-1" })
	other := roomtest.Report(2, w.Clock.Now(), func(e *survey.Event) { e.Contact.Email = " PERSON1@example.org" })
	w.Receive(again, other)
	for n := 1; n <= 2; n++ {
		for _, v := range w.Case(n).Invites {
			if v.First.State == survey.MailPlanned || v.First.State == survey.MailRefused && v.First.Reason != survey.ReasonOptedOut {
				t.Errorf("case %d, %s/%d: %s %s", n, v.Stage, v.Round, v.First.State, v.First.Reason)
			}
		}
	}
	w.Clock.Pass(40 * day)
	if due := w.Due(); len(due) != 0 {
		t.Errorf("%d mails to somebody who opted out", len(due))
	}
}

// TestNothingInClear looks in the store's files for what must not be there.
func TestNothingInClear(t *testing.T) {
	dir := t.TempDir()
	db, err := sqlite.Open(t.Context(), filepath.Join(dir, "store.db"), sqlite.Options{Volatile: true})
	if err != nil {
		t.Fatal(err)
	}
	w := roomtest.Over(t, db)
	token := w.Invited(1, func(e *survey.Event) { e.PersonRef = "PNC-77123" })
	st := w.Sit(token, false)
	w.Answer(st, map[string]string{"core.confidence": "very", "open.well": "The tall officer rang me back."})
	draft := files(t, dir)
	_, code := w.Submit(st, survey.Ticks{Told: true})
	// One event that a crash left recorded, sealed.
	w.Store.Fail(func(call string) error {
		if call == "UpdateContact" {
			return errors.New("away")
		}
		return nil
	})
	if _, err := w.Survey.Receive(t.Context(), roomtest.Report(2, w.Clock.Now())); err == nil {
		t.Fatal("received without an address")
	}
	w.Store.Fail(nil)
	all := append(draft, files(t, dir)...)
	if len(all) < 10_000 {
		t.Fatalf("only %d bytes of store were read", len(all))
	}
	for _, secret := range []string{roomtest.Address(1), roomtest.Address(2), "person1", roomtest.Ref(1), roomtest.Ref(2), "PNC-77123", roomtest.Advocate, "tall officer", token, code, strings.ReplaceAll(code, "-", "")} {
		if bytes.Contains(all, []byte(secret)) {
			t.Errorf("the store's files hold %q in clear", secret)
		}
	}
	if !bytes.Contains(all, []byte("Ealing")) {
		t.Error("what is not sealed is not found either: the search proves nothing")
	}
	if log := w.Log.String(); strings.Contains(log, "@") || strings.Contains(log, token) {
		t.Errorf("the log tells too much: %s", log)
	}
}

func files(t *testing.T, dir string) []byte {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []byte
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, b...)
	}
	return out
}

// BenchmarkReceive measures intake on SQLite with many senders at once, each
// event of a case of its own, forced to the disk as in production.
func BenchmarkReceive(b *testing.B) {
	for _, durable := range []bool{false, true} {
		b.Run(map[bool]string{false: "volatile", true: "durable"}[durable], func(b *testing.B) {
			db, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "store.db"), sqlite.Options{Volatile: !durable})
			if err != nil {
				b.Fatal(err)
			}
			w := roomtest.Over(b, db)
			var n atomic.Int64
			b.SetParallelism(32)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := w.Survey.Receive(b.Context(), roomtest.Report(int(n.Add(1)), w.Clock.Now())); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
