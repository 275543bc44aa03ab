// Package roomtest furnishes the rooms for their own tests: on a real SQLite
// store that can be made to fail or to die at any port call, with a clock that
// stands still until it is told to go on.
package roomtest

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"victimvoice/analysis"
	"victimvoice/analysis/codebook"
	"victimvoice/analysis/coding"
	"victimvoice/analysis/figures"
	"victimvoice/internal/audit"
	"victimvoice/internal/fault"
	"victimvoice/internal/seal"
	"victimvoice/internal/sqlite"
	"victimvoice/loop"
	"victimvoice/survey"
	"victimvoice/survey/questionnaires"
)

// Force is the force of every case that this package makes.
const Force = "Metropolitan Police"

// Start is when every clock begins: a Monday morning in London.
func Start() time.Time { return time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC) }

// Clock is a time that passes when it is told to.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// Now is the clock's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Pass lets time go by.
func (c *Clock) Pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Set puts the clock to a time.
func (c *Clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

// World is a set of rooms over one store.
type World struct {
	TB    testing.TB
	Store *Store
	Keys  *seal.Keys
	Clock *Clock
	Log   *bytes.Buffer

	Audit    *audit.Log
	Survey   *survey.Service
	Analysis *analysis.Service
	Loop     *loop.Service
}

// parts are what is read once, since it never changes.
type parts struct {
	keys   *seal.Keys
	policy *survey.Policy
	geo    *survey.Geography
	sets   *questionnaires.Set
	book   *codebook.Codebook
	coder  *coding.Coder
	themes []figures.Theme
}

var loaded = sync.OnceValues(func() (p parts, err error) {
	raw, err := seal.NewKeyset()
	if err != nil {
		return p, err
	}
	if p.keys, err = seal.Parse(raw); err != nil {
		return p, err
	}
	if p.policy, err = survey.DefaultPolicy(); err != nil {
		return p, err
	}
	if p.geo, err = survey.DefaultGeography(); err != nil {
		return p, err
	}
	if p.sets, err = questionnaires.Load(); err != nil {
		return p, err
	}
	if p.book, err = codebook.Load(); err != nil {
		return p, err
	}
	for _, c := range p.book.Codes {
		p.themes = append(p.themes, figures.Theme{Code: c.ID, Title: c.Title, Construct: string(c.Group)})
	}
	p.coder, err = coding.New(p.book)
	return p, err
})

// New furnishes the rooms over an empty store.
func New(tb testing.TB) *World {
	tb.Helper()
	db, err := sqlite.OpenTemp(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	return Over(tb, db)
}

// Over furnishes the rooms over a store, which the test's end closes.
func Over(tb testing.TB, db *sqlite.Store) *World {
	tb.Helper()
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Error(err)
		}
	})
	w := &World{TB: tb, Store: &Store{Store: db}, Clock: &Clock{now: Start()}, Log: &bytes.Buffer{}}
	w.Restart()
	return w
}

// Restart furnishes the rooms afresh over the same store, as a new process would,
// and ends a crash. It reports whether there was one.
func (w *World) Restart() (crashed bool) {
	w.TB.Helper()
	p, err := loaded()
	if err != nil {
		w.TB.Fatal(err)
	}
	crashed = w.Store.Revive()
	log := slog.New(slog.NewTextHandler(&lockedWriter{w: w.Log}, nil))
	panel, err := figures.New(p.sets, p.themes)
	if err != nil {
		w.TB.Fatal(err)
	}
	now := w.Clock.Now
	w.Keys = p.keys
	w.Audit = audit.New(w.Store, now, p.keys.Subkey("audit"))
	w.Survey = survey.NewService(survey.Parts{Store: w.Store, Keys: p.keys, Audit: w.Audit, Policy: p.policy, Geography: p.geo, Questionnaires: p.sets, Now: now, Log: log})
	w.Analysis = analysis.NewService(w.Store, w.Store, w.Store, w.Store, w.Survey, p.coder, p.book, panel, p.keys, w.Audit, now, log)
	w.Loop = loop.NewService(w.Store, w.Survey, w.Analysis, p.keys, w.Audit, now, log)
	return crashed
}

type lockedWriter struct {
	mu sync.Mutex
	w  *bytes.Buffer
}

func (l *lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

// EachCrash does something in a fresh world once for each port call it makes and
// each side of it, letting the process die there. set prepares a world, do is
// what dies (its error is the crash's), and after looks at what a new process
// makes of it; crash names the call for messages.
func EachCrash(t *testing.T, set func(*World), do func(*World) error, after func(w *World, crash string)) {
	t.Helper()
	for _, when := range []When{Before, After} {
		for n := 1; ; n++ {
			w := New(t)
			if set != nil {
				set(w)
			}
			w.Store.CrashAt(n, when)
			err := do(w)
			calls := w.Store.Calls()
			crashed := w.Restart()
			if !crashed {
				if err != nil {
					t.Fatalf("without a crash: %v", err)
				}
				if n == 1 {
					t.Fatal("it makes no port call")
				}
				break
			}
			name := fmt.Sprintf("%s call %d, %s", map[When]string{Before: "before", After: "after"}[when], n, calls[n-1])
			if err == nil {
				// The answer that was lost did not matter to the caller.
				name += " (not noticed)"
			}
			after(w, name)
		}
	}
}

// Event makes a case event of case n; change may alter it.
func Event(n int, id string, kind survey.EventType, at time.Time, change ...func(*survey.Event)) survey.Event {
	e := survey.Event{EventID: fmt.Sprintf("%s-%d", id, n), CaseRef: Ref(n), Type: kind, OccurredAt: at, Force: Force}
	for _, c := range change {
		c(&e)
	}
	return e
}

// Ref is the police reference of case n.
func Ref(n int) string { return fmt.Sprintf("%07d/26", n) }

// Address is the address of the person of case n.
func Address(n int) string { return fmt.Sprintf("person%d@example.org", n) }

// Advocate is the address of the advocate of every case that Report makes.
const Advocate = "advocate1@example.org"

// Report makes the event that begins case n: an adult with an address confirmed
// as safe at any hour: from midnight to midnight.
func Report(n int, at time.Time, change ...func(*survey.Event)) survey.Event {
	yes := true
	safe, confirmed := true, at
	return Event(n, "reported", survey.Reported, at, append([]func(*survey.Event){func(e *survey.Event) {
		e.Borough, e.Offence, e.Adult, e.Advocate = "Ealing", "stalking-2a", &yes, Advocate
		e.Contact = &survey.Contact{Email: Address(n), Language: "en", EmailSafe: &safe, SafeConfirmedAt: &confirmed, SafeFrom: "00:00", SafeTo: "00:00"}
	}}, change...)...)
}

// Receive takes events in.
func (w *World) Receive(events ...survey.Event) {
	w.TB.Helper()
	for _, e := range events {
		if _, err := w.Survey.Receive(w.TB.Context(), e); err != nil {
			w.TB.Fatalf("event %s: %v", e.EventID, err)
		}
	}
}

// Case reads case n as the store holds it.
func (w *World) Case(n int) survey.Case {
	w.TB.Helper()
	c, err := w.Store.Store.Case(w.TB.Context(), w.Survey.CaseID(Force, Ref(n)))
	if err != nil {
		w.TB.Fatal(err)
	}
	return c
}

// Invite gives one invitation of case n.
func (w *World) Invite(n int, stage survey.Stage, round int) survey.Invitation {
	w.TB.Helper()
	for _, v := range w.Case(n).Invites {
		if v.Stage == stage && v.Round == round {
			return v
		}
	}
	w.TB.Fatalf("case %d has no invitation %s/%d", n, stage, round)
	return survey.Invitation{}
}

// Due sweeps once and gives the errands.
func (w *World) Due() []survey.Errand {
	w.TB.Helper()
	var out []survey.Errand
	if _, err := w.Survey.Due(w.TB.Context(), 1000, func(_ context.Context, e survey.Errand) error { out = append(out, e); return nil }); err != nil {
		w.TB.Fatal(err)
	}
	return out
}

// Mail queues, claims and settles the one mail that is due, and gives it.
func (w *World) Mail() (survey.Errand, survey.Mail) {
	w.TB.Helper()
	due := w.Due()
	if len(due) != 1 {
		w.TB.Fatalf("%d mails are due, want 1", len(due))
	}
	return due[0], w.Deliver(due[0])
}

// Deliver claims and settles a queued mail.
func (w *World) Deliver(e survey.Errand) survey.Mail {
	w.TB.Helper()
	m, err := w.Survey.Claim(w.TB.Context(), e)
	if err != nil {
		w.TB.Fatal(err)
	}
	if err := w.Survey.Settled(w.TB.Context(), e, survey.Delivered); err != nil {
		w.TB.Fatal(err)
	}
	return m
}

// Invited makes case n, lets a day go by and mails its report survey; it gives the token.
func (w *World) Invited(n int, change ...func(*survey.Event)) string {
	w.TB.Helper()
	w.Receive(Report(n, w.Clock.Now().Add(-time.Hour), change...))
	w.Clock.Pass(24 * time.Hour)
	_, m := w.Mail()
	return m.Token
}

// Sit opens a survey session through a link.
func (w *World) Sit(token string, quick bool) survey.Sitting {
	w.TB.Helper()
	_, st, err := w.Survey.Begin(w.TB.Context(), token, "", quick)
	if err != nil {
		w.TB.Fatal(err)
	}
	return st
}

// Answer saves the pages that ask these items: an option's code for a closed
// question, words for an open one. Items that are not on the route are a fault.
func (w *World) Answer(st survey.Sitting, given map[string]string) {
	w.TB.Helper()
	if err := w.TryAnswer(st, given); err != nil {
		w.TB.Fatal(err)
	}
}

// TryAnswer is Answer with its error.
func (w *World) TryAnswer(st survey.Sitting, given map[string]string) error {
	w.TB.Helper()
	ctx := w.TB.Context()
	sh, err := w.Survey.Sheet(ctx, st)
	if err != nil {
		return err
	}
	asked := map[string]bool{} // a list in parts is on several pages
	for _, p := range sh.Pages {
		page := questionnaires.Answers{}
		for i := range p.Items {
			it := &p.Items[i]
			v, ok := given[it.ID]
			if !ok {
				continue
			}
			asked[it.ID] = true
			if it.Closed() {
				page[it.ID] = it.Choose(v)
			} else {
				page[it.ID] = it.Write(v)
			}
		}
		if len(page) == 0 {
			continue
		}
		if err := w.Survey.Save(ctx, st, p, page); err != nil {
			return err
		}
	}
	if left := len(given) - len(asked); left > 0 {
		w.TB.Fatalf("%d of the items are not on the route", left)
	}
	return nil
}

// PassQuestions passes over every page of the questionnaire that is left and gives
// the sheet, on which the questions about the person may follow.
func (w *World) PassQuestions(st survey.Sitting) survey.Sheet {
	w.TB.Helper()
	for {
		sh, err := w.Survey.Sheet(w.TB.Context(), st)
		if err != nil {
			w.TB.Fatal(err)
		}
		if sh.Reach == len(sh.Pages) {
			return sh
		}
		if err := w.Survey.Save(w.TB.Context(), st, sh.Pages[sh.Reach], questionnaires.Answers{}); err != nil {
			w.TB.Fatal(err)
		}
	}
}

// TellAbout passes over the questions that are left and tells this about the
// person: option codes by item. What is not among them is passed over; a session
// that is not asked is a fault.
func (w *World) TellAbout(st survey.Sitting, told map[string]string) {
	w.TB.Helper()
	sh := w.PassQuestions(st)
	if len(sh.About.Pages) == 0 {
		w.TB.Fatal("nothing is asked about the person")
	}
	for _, p := range sh.About.Pages {
		page := questionnaires.Answers{}
		for i := range p.Items {
			if v, ok := told[p.Items[i].ID]; ok {
				page[p.Items[i].ID] = p.Items[i].Choose(v)
			}
		}
		if err := w.Survey.SaveAbout(w.TB.Context(), st, p, page); err != nil {
			w.TB.Fatal(err)
		}
	}
}

// Abouts lists what people told about themselves, tombstones too, as the store holds it.
func (w *World) Abouts() (out []survey.About) {
	w.TB.Helper()
	for a, err := range w.Store.Store.AboutsChanged(w.TB.Context(), time.Time{}) {
		if err != nil {
			w.TB.Fatal(err)
		}
		out = append(out, a)
	}
	return out
}

// Submit sends the answers of a session.
func (w *World) Submit(st survey.Sitting, ticks survey.Ticks) (survey.Response, string) {
	w.TB.Helper()
	r, code, err := w.Survey.Submit(w.TB.Context(), st, ticks)
	if err != nil {
		w.TB.Fatal(err)
	}
	return r, code
}

// Response reads a response as the store holds it.
func (w *World) Response(id string) survey.Response {
	w.TB.Helper()
	r, err := w.Store.Store.Response(w.TB.Context(), id)
	if err != nil {
		w.TB.Fatal(err)
	}
	return r
}

// Actions lists the actions in the audit record that were laid about a subject,
// in order; every subject when it is empty.
func (w *World) Actions(subject string) []string {
	w.TB.Helper()
	var out []string
	for e, err := range w.Audit.All(w.TB.Context(), 0) {
		if err != nil {
			w.TB.Fatal(err)
		}
		if subject == "" || e.Subject == subject {
			out = append(out, e.Action)
		}
	}
	return out
}

// Want fails unless an error has a kind.
func Want(tb testing.TB, err error, kind fault.Kind, doing string) {
	tb.Helper()
	if !fault.Is(err, kind) {
		tb.Errorf("%s: want %s, have %v", doing, kind, err)
	}
}
