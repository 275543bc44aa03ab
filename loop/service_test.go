package loop_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"victimvoice/internal/fault"
	"victimvoice/internal/roomtest"
	"victimvoice/internal/work"
	"victimvoice/loop"
	"victimvoice/survey"
	"victimvoice/survey/questionnaires"
)

const day = 24 * time.Hour

var (
	team  = loop.Viewer{Actor: survey.Actor{ID: "team", Role: "victim-care"}, All: true}
	chief = survey.Actor{ID: "chief", Role: "commissioner"}
)

// advocate is the viewer whose case case n is.
func advocate(w *roomtest.World, n int) loop.Viewer {
	return loop.Viewer{Actor: survey.Actor{ID: "ann", Role: "advocate"}, Advocate: w.Case(n).Facts.Advocate}
}

// danger answers case n's report survey with a danger sign and sends it.
func danger(w *roomtest.World, n int, ticks survey.Ticks) (survey.Response, string) {
	w.TB.Helper()
	st := w.Sit(w.Invited(n), false)
	w.Answer(st, map[string]string{"core.safer": "much-less-safe", "open.better": "Nobody ever rang me back."})
	return w.Submit(st, ticks)
}

// open gives the alerts that are open, as the store has them.
func open(w *roomtest.World) []loop.Alert {
	w.TB.Helper()
	as, err := w.Store.Alerts(w.TB.Context(), "", true, []loop.AlertState{loop.AlertOpen, loop.AlertTaken}, 100)
	if err != nil {
		w.TB.Fatal(err)
	}
	return as
}

func subscribers(w *roomtest.World) (out []loop.Subscriber) {
	w.TB.Helper()
	for s, err := range w.Store.Store.Subscribers(w.TB.Context()) {
		if err != nil {
			w.TB.Fatal(err)
		}
		out = append(out, s)
	}
	return out
}

// TestFollowUpCrashes: whatever a crash leaves out the sweep draws, once.
func TestFollowUpCrashes(t *testing.T) {
	sent := map[*roomtest.World]survey.Response{}
	roomtest.EachCrash(t, func(w *roomtest.World) {
		sent[w], _ = danger(w, 1, survey.Ticks{Told: true, Contact: true})
	}, func(w *roomtest.World) error {
		r := sent[w]
		return w.Loop.FollowUp(t.Context(), &r)
	}, func(w *roomtest.World, crash string) {
		raised := open(w)
		w.Clock.Pass(time.Minute)
		for range 2 {
			if _, err := w.Loop.Sweep(t.Context()); err != nil {
				t.Errorf("%s: %v", crash, err)
			}
		}
		as := open(w)
		if len(as) != 1 || !as[0].MayContact || as[0].Case != w.Case(1).ID || as[0].Advocate != w.Case(1).Facts.Advocate || len(as[0].Hits) != 1 {
			t.Errorf("%s: alerts %+v", crash, as)
		}
		if len(raised) == 1 && !as[0].RaisedAt.Equal(raised[0].RaisedAt) {
			t.Errorf("%s: raised again", crash)
		}
		if got := subscribers(w); len(got) != 1 || !got[0].Stopped.IsZero() {
			t.Errorf("%s: %d subscribers", crash, len(got))
		}
		if v := w.Invite(1, survey.StageReport, 1); len(v.Answered) != 1 || !v.Answered[0].Complete {
			t.Errorf("%s: the invitation: %+v", crash, v.Answered)
		}
		if w.Response(sent[w].ID).FollowUp {
			t.Errorf("%s: still to be followed up", crash)
		}
		if n, err := w.Loop.Sweep(t.Context()); n != 0 || err != nil {
			t.Errorf("%s: swept again: %d %v", crash, n, err)
		}
	})
}

// TestRemovalEmptiesEverything: answers taken back leave no codings, no alert that
// is open or says why it was raised, no address to be told at and no reminder, at
// whichever step the process dies.
func TestRemovalEmptiesEverything(t *testing.T) {
	codes := map[*roomtest.World]string{}
	withdraw := func(w *roomtest.World) error {
		r, err := w.Survey.WithdrawAnswers(t.Context(), codes[w])
		if err != nil {
			return err
		}
		return w.Loop.FollowUp(t.Context(), &r)
	}
	roomtest.EachCrash(t, func(w *roomtest.World) {
		var r survey.Response
		r, codes[w] = danger(w, 1, survey.Ticks{Told: true, Contact: true})
		if err := w.Loop.FollowUp(t.Context(), &r); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Analysis.CodeWaiting(t.Context()); err != nil {
			t.Fatal(err)
		}
		if cs, err := w.Analysis.CodingsOf(t.Context(), r.ID); err != nil || len(cs) != 1 || len(cs[0].Text) == 0 {
			t.Fatalf("codings: %+v %v", cs, err)
		}
	}, withdraw, func(w *roomtest.World, crash string) {
		if rs, err := w.Store.ResponsesOf(t.Context(), w.Case(1).Respondent); err == nil && rs[0].State != survey.Withdrawn {
			if err := withdraw(w); err != nil { // nothing was removed yet, and the person was told so
				t.Errorf("%s: %v", crash, err)
			}
		} else if _, err := w.Loop.Sweep(t.Context()); err != nil { // removed: the sweep alone draws the rest
			t.Errorf("%s: %v", crash, err)
		}
		rs, err := w.Store.ResponsesOf(t.Context(), w.Case(1).Respondent)
		if err != nil || len(rs) != 1 || rs[0].State != survey.Withdrawn || rs[0].Words != nil || rs[0].Packed != nil || rs[0].FollowUp {
			t.Errorf("%s: %+v %v", crash, rs, err)
		}
		cs, err := w.Analysis.CodingsOf(t.Context(), rs[0].ID)
		if err != nil || len(cs) != 1 || !cs[0].Gone || len(cs[0].Text) != 0 || len(cs[0].Labels) != 0 {
			t.Errorf("%s: codings %+v %v", crash, cs, err)
		}
		if as := open(w); len(as) != 0 {
			t.Errorf("%s: an alert is open: %+v", crash, as)
		}
		if as, err := w.Store.Alerts(t.Context(), "", true, nil, 10); err != nil || len(as) != 1 || as[0].Hits != nil || as[0].MayContact || as[0].Outcome != loop.OutcomeTakenBack {
			t.Errorf("%s: the alert: %+v %v", crash, as, err)
		}
		if subs := subscribers(w); len(subs) != 1 || subs[0].Sealed != nil || subs[0].Stopped.IsZero() {
			t.Errorf("%s: %+v", crash, subs)
		}
		w.Clock.Pass(6 * day)
		if due := w.Due(); len(due) != 0 {
			t.Errorf("%s: a reminder of what was taken back: %+v", crash, due)
		}
	})
}

// withdraw takes answers back, with all that follows.
func withdraw(w *roomtest.World, code string) {
	w.TB.Helper()
	r, err := w.Survey.WithdrawAnswers(w.TB.Context(), code)
	if err != nil {
		w.TB.Fatal(err)
	}
	if err := w.Loop.FollowUp(w.TB.Context(), &r); err != nil {
		w.TB.Fatal(err)
	}
}

// TestRemovalEmptiesAClosedAlert: what it was raised by says what was answered,
// and the note may. Who did what about it, and when, stays.
func TestRemovalEmptiesAClosedAlert(t *testing.T) {
	w := roomtest.New(t)
	r, code := danger(w, 1, survey.Ticks{Contact: true})
	if err := w.Loop.FollowUp(t.Context(), &r); err != nil {
		t.Fatal(err)
	}
	was, err := w.Loop.Close(t.Context(), team, open(w)[0].ID, loop.OutcomeSafetyPlan, "She said that nobody rings her back.")
	if err != nil {
		t.Fatal(err)
	}
	w.Clock.Pass(day)
	withdraw(w, code)
	a, err := w.Store.Alert(t.Context(), was.ID)
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Hits) != 0 || len(a.Note) != 0 || a.MayContact || !a.ChangedAt.After(was.ChangedAt) {
		t.Errorf("something is left: %+v", a)
	}
	if a.State != loop.AlertClosed || a.Outcome != loop.OutcomeSafetyPlan || a.ClosedBy != team.ID || !a.ClosedAt.Equal(was.ClosedAt) || !a.RaisedAt.Equal(was.RaisedAt) {
		t.Errorf("the trace of what was done is gone: %+v", a)
	}
	if note, err := w.Loop.Note(&a); err != nil || note != "" {
		t.Errorf("%q %v", note, err)
	}
}

// TestWhoTakesAnswersBackIsNotTold, and their address is let go; what waits in the
// outbox is not written.
func TestWhoTakesAnswersBackIsNotTold(t *testing.T) {
	asked := func(w *roomtest.World, n int, change ...func(*survey.Event)) string {
		t.Helper()
		st := w.Sit(w.Invited(n, change...), true)
		w.Answer(st, map[string]string{"core.confidence": "very"})
		r, code := w.Submit(st, survey.Ticks{Told: true})
		if err := w.Loop.FollowUp(t.Context(), &r); err != nil {
			t.Fatal(err)
		}
		return code
	}
	only := func(w *roomtest.World) loop.Subscriber {
		t.Helper()
		all := subscribers(w)
		if len(all) != 1 {
			t.Fatalf("%d subscribers", len(all))
		}
		return all[0]
	}
	gone := func(t *testing.T, sub loop.Subscriber) {
		t.Helper()
		if sub.Stopped.IsZero() || len(sub.Sealed)+len(sub.Asked)+len(sub.Told) != 0 || !sub.Since.IsZero() || !sub.Until.IsZero() {
			t.Errorf("something is left: %+v", sub)
		}
	}
	publish := func(w *roomtest.World, id string) (tellings []loop.Telling) {
		t.Helper()
		if _, err := w.Store.UpdatePublication(t.Context(), id, func(p *loop.Publication) error { p.At = w.Clock.Now(); return nil }); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Loop.Tell(t.Context(), func(_ context.Context, l loop.Telling) error { tellings = append(tellings, l); return nil }); err != nil {
			t.Fatal(err)
		}
		return tellings
	}
	sameAddress := func(e *survey.Event) { e.Contact.Email = roomtest.Address(1) }

	t.Run("with a letter on its way", func(t *testing.T) {
		w := roomtest.New(t)
		code := asked(w, 1)
		if sub := only(w); len(sub.Asked) != 1 || strings.Contains(sub.Asked[0], w.Response(responseOf(w, 1)).ID) {
			t.Errorf("%+v", sub)
		}
		waiting := publish(w, "spring")
		if len(waiting) != 1 {
			t.Fatalf("%d tellings", len(waiting))
		}
		withdraw(w, code)
		gone(t, only(w))
		var notDue *survey.NotDue
		if _, err := w.Loop.ClaimTelling(t.Context(), waiting[0].Ref); !errors.As(err, &notDue) {
			t.Errorf("the letter goes out: %v", err)
		}
		if err := w.Loop.SettledTelling(t.Context(), waiting[0].Ref, true); err != nil { // it had been handed over just before
			t.Fatal(err)
		}
		gone(t, only(w))
		if again := publish(w, "summer"); len(again) != 0 {
			t.Errorf("told of later rounds: %+v", again)
		}
	})
	t.Run("asked for in two cases", func(t *testing.T) {
		w := roomtest.New(t)
		first, second := asked(w, 1), asked(w, 2, sameAddress)
		withdraw(w, first)
		if sub := only(w); len(sub.Sealed) == 0 || len(sub.Asked) != 1 || !sub.Stopped.IsZero() {
			t.Errorf("the other case's wish is gone: %+v", sub)
		}
		withdraw(w, second)
		gone(t, only(w))
		// Asked for afresh, it counts from then on.
		w.Clock.Pass(day)
		publish(w, "before")
		w.Clock.Pass(day)
		asked(w, 3, sameAddress)
		if sub := only(w); len(sub.Sealed) == 0 || !sub.Stopped.IsZero() || !sub.Since.Equal(w.Clock.Now()) {
			t.Errorf("%+v", sub)
		}
		if n := len(publish(w, "after")); n != 1 {
			t.Errorf("%d tellings", n)
		}
	})
	t.Run("with another address since", func(t *testing.T) {
		w := roomtest.New(t)
		code := asked(w, 1)
		yes, at := true, w.Clock.Now()
		w.Receive(roomtest.Event(1, "moved", survey.ContactChanged, at, func(e *survey.Event) {
			e.Contact = &survey.Contact{Email: "new@example.org", EmailSafe: &yes, SafeConfirmedAt: &at}
		}))
		withdraw(w, code)
		gone(t, only(w))
	})
	t.Run("while it is followed up", func(t *testing.T) {
		w := roomtest.New(t)
		st := w.Sit(w.Invited(1), true)
		w.Answer(st, map[string]string{"core.confidence": "very"})
		stale, code := w.Submit(st, survey.Ticks{Told: true})
		withdraw(w, code)
		if err := w.Loop.FollowUp(t.Context(), &stale); err != nil {
			t.Fatal(err)
		}
		gone(t, only(w))
	})
	t.Run("whose permission was not in it", func(t *testing.T) {
		w := roomtest.New(t)
		asked(w, 1)
		st := w.Sit(w.Invited(2, sameAddress), true)
		w.Answer(st, map[string]string{"core.confidence": "very"})
		_, code := w.Submit(st, survey.Ticks{})
		withdraw(w, code)
		if sub := only(w); len(sub.Sealed) == 0 || !sub.Stopped.IsZero() {
			t.Errorf("%+v", sub)
		}
	})
}

// responseOf gives the id of the one response of case n.
func responseOf(w *roomtest.World, n int) string {
	w.TB.Helper()
	rs, err := w.Store.ResponsesOf(w.TB.Context(), w.Case(n).Respondent)
	if err != nil || len(rs) != 1 {
		w.TB.Fatal(rs, err)
	}
	return rs[0].ID
}

// TestTakenBackWhileItIsFollowedUp: the sweep has read a response that its
// writer takes back before the sweep's next step.
func TestTakenBackWhileItIsFollowedUp(t *testing.T) {
	w := roomtest.New(t)
	r, code := danger(w, 1, survey.Ticks{})
	stale := r
	gone, err := w.Survey.WithdrawAnswers(t.Context(), code)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Loop.FollowUp(t.Context(), &gone); err != nil {
		t.Fatal(err)
	}
	if err := w.Loop.FollowUp(t.Context(), &stale); err != nil {
		t.Fatal(err)
	}
	if as := open(w); len(as) != 0 {
		t.Errorf("an alert about words that are gone: %+v", as)
	}
	if v := w.Invite(1, survey.StageReport, 1); len(v.Answered) != 0 || v.TakenBack.IsZero() {
		t.Errorf("the invitation: %+v", v)
	}
}

func TestSweepGoesOnPastAFault(t *testing.T) {
	w := roomtest.New(t)
	for n := 1; n <= 3; n++ {
		danger(w, n, survey.Ticks{})
		w.Clock.Pass(time.Minute)
	}
	bad := w.Case(1).ID
	var calls atomic.Int32
	w.Store.Fail(func(call string) error {
		if call == "UpdateAlert" && calls.Add(1) == 1 {
			return errors.New("does not fit")
		}
		return nil
	})
	n, err := w.Loop.Sweep(t.Context())
	w.Store.Fail(nil)
	if err == nil || n != 2 {
		t.Errorf("%d followed up, %v", n, err)
	}
	as := open(w)
	if len(as) != 2 || slices.ContainsFunc(as, func(a loop.Alert) bool { return a.Case == bad }) {
		t.Errorf("%+v", as)
	}
}

func TestAlertsAreSeenByTheirAdvocate(t *testing.T) {
	w := roomtest.New(t)
	r, _ := danger(w, 1, survey.Ticks{})
	if err := w.Loop.FollowUp(t.Context(), &r); err != nil {
		t.Fatal(err)
	}
	id := open(w)[0].ID
	if due := open(w)[0].DueAt; !due.Equal(loop.NextWorkingDay(w.Clock.Now(), w.Survey.Policy().Location())) {
		t.Errorf("due %s", due)
	}
	mine := advocate(w, 1)
	other := loop.Viewer{Actor: survey.Actor{ID: "bea"}, Advocate: w.Keys.AdvocateKey("bea@example.org")}
	nobody := loop.Viewer{Actor: survey.Actor{ID: "cy"}}
	for name, c := range map[string]struct {
		by   loop.Viewer
		sees bool
	}{"its advocate": {mine, true}, "the team": {team, true}, "another advocate": {other, false}, "nobody's advocate": {nobody, false}} {
		as, err := w.Loop.Alerts(t.Context(), c.by, loop.AlertOpen)
		if err != nil || (len(as) == 1) != c.sees {
			t.Errorf("%s: %d alerts, %v", name, len(as), err)
		}
		_, err = w.Loop.Alert(t.Context(), c.by, id)
		if c.sees && err != nil || !c.sees && !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", name, err)
		}
		if !c.sees {
			_, err = w.Loop.Take(t.Context(), c.by, id)
			roomtest.Want(t, err, fault.NotFound, name+" takes")
			_, err = w.Loop.Close(t.Context(), c.by, id, loop.OutcomeContacted, "")
			roomtest.Want(t, err, fault.NotFound, name+" closes")
			_, err = w.Loop.Alert(t.Context(), c.by, "nothing")
			roomtest.Want(t, err, fault.NotFound, name+" guesses")
		}
	}
	if got := w.Actions("alert:" + id); !slices.Equal(got, []string{"alert.read", "alert.read"}) {
		t.Errorf("traces: %v", got)
	}
	if got := w.Actions(""); !slices.Contains(got, "alerts.read") {
		t.Errorf("the list was read without a trace: %v", got)
	}
}

func TestTakeAndClose(t *testing.T) {
	w := roomtest.New(t)
	r, _ := danger(w, 1, survey.Ticks{})
	if err := w.Loop.FollowUp(t.Context(), &r); err != nil {
		t.Fatal(err)
	}
	id := open(w)[0].ID
	mine := advocate(w, 1)
	// Many hands: one has it.
	var wg sync.WaitGroup
	var won, lost atomic.Int32
	for i := range 8 {
		wg.Go(func() {
			by := team
			by.ID = fmt.Sprint("team-", i)
			_, err := w.Loop.Take(t.Context(), by, id)
			switch {
			case err == nil:
				won.Add(1)
			case fault.Is(err, fault.Conflict):
				lost.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 || lost.Load() != 7 {
		t.Errorf("%d took it, %d were told of it", won.Load(), lost.Load())
	}
	a, err := w.Loop.Alert(t.Context(), mine, id)
	if err != nil || a.State != loop.AlertTaken {
		t.Fatal(a, err)
	}
	owner := team
	owner.ID = a.TakenBy
	if again, err := w.Loop.Take(t.Context(), owner, id); err != nil || again.Version != a.Version {
		t.Errorf("taking one's own again: %+v %v", again, err)
	}
	for name, c := range map[string]struct{ outcome, note, field string }{
		"no outcome": {"", "", "outcome"}, "taken-back is not for choosing": {loop.OutcomeTakenBack, "", "outcome"},
		"a note too long": {loop.OutcomeContacted, strings.Repeat("ü", 2001), "note"}, "a note that is no text": {loop.OutcomeContacted, "\xff", "note"},
	} {
		_, err := w.Loop.Close(t.Context(), owner, id, c.outcome, c.note)
		roomtest.Want(t, err, fault.Invalid, name)
		if fs := fault.FieldsOf(err); len(fs) != 1 || fs[0].Field != c.field {
			t.Errorf("%s: %+v", name, fs)
		}
	}
	closed, err := w.Loop.Close(t.Context(), owner, id, loop.OutcomeSafetyPlan, " Spoke on the agreed number. ")
	if err != nil || closed.State != loop.AlertClosed || closed.ClosedBy != owner.ID {
		t.Fatalf("%+v %v", closed, err)
	}
	if strings.Contains(string(closed.Note), "agreed") {
		t.Error("the note is not sealed")
	}
	if note, err := w.Loop.Note(&closed); err != nil || note != "Spoke on the agreed number." {
		t.Errorf("%q %v", note, err)
	}
	_, err = w.Loop.Close(t.Context(), mine, id, loop.OutcomeContacted, "")
	roomtest.Want(t, err, fault.Conflict, "closing twice")
	_, err = w.Loop.Take(t.Context(), owner, id)
	roomtest.Want(t, err, fault.Conflict, "taking what is closed")
}

// fill keeps report answers of one month: very of them very confident, the rest not at all.
func fill(w *roomtest.World, month string, very, base int) {
	w.TB.Helper()
	at, err := time.Parse("2006-01", month)
	if err != nil {
		w.TB.Fatal(err)
	}
	sets, err := questionnaires.Load()
	if err != nil {
		w.TB.Fatal(err)
	}
	q := sets.Current(survey.StageReport)
	for i := range base {
		choice := "not-at-all"
		if i < very {
			choice = "very"
		}
		id := fmt.Sprintf("%s-%03d", month, i)
		if _, err := w.Store.UpdateResponse(w.TB.Context(), id, func(r *survey.Response) error {
			*r = survey.Response{
				ID: id, Respondent: "r" + id, Stage: survey.StageReport, Round: 1, Mode: survey.ModeSelf, Questionnaire: q.ID, State: survey.Complete,
				Packed:      q.Pack(questionnaires.Answers{"core.confidence": {State: questionnaires.Answered, Choice: choice}}),
				SubmittedAt: at.Add(10 * day), ChangedAt: at.Add(10 * day),
			}
			return nil
		}); err != nil {
			w.TB.Fatal(err)
		}
	}
}

func draft() loop.ActionDraft {
	return loop.ActionDraft{Title: "Ring back", YouSaid: "Nobody rang.", Agency: "Police", Owner: "Head of care", DueOn: "2026-06-30"}
}

func query(s string) url.Values {
	q, err := url.ParseQuery(s)
	if err != nil {
		panic(err)
	}
	return q
}

const byMonth = "measure=core.confidence&by=month&stage=report"

// raised is an action over a series of months ending in the given one.
func raised(w *roomtest.World, q string) loop.Action {
	w.TB.Helper()
	if err := w.Analysis.Refresh(w.TB.Context()); err != nil {
		w.TB.Fatal(err)
	}
	a, err := w.Loop.Raise(w.TB.Context(), chief, draft(), query(q))
	if err != nil {
		w.TB.Fatal(err)
	}
	return a
}

func TestEvidence(t *testing.T) {
	w := roomtest.New(t)
	fill(w, "2026-01", 20, 40)
	fill(w, "2026-02", 10, 40)
	fill(w, "2026-03", 2, 5) // too few to be published
	a := raised(w, byMonth)
	ev := a.Evidence
	if ev.Measure != "core.confidence" || ev.Share != 25 || ev.Base != 40 || ev.Low >= 25 || ev.High <= 25 || !strings.Contains(ev.Label, "February 2026") {
		t.Errorf("the latest published point: %+v", ev)
	}
	if a.Status != loop.Noted || len(a.History) != 1 || a.CreatedBy != chief.ID {
		t.Errorf("%+v", a)
	}
	for name, q := range map[string]string{
		"nothing published": byMonth + "&from=2026-03", "nobody answered": "measure=core.confidence&by=month&stage=closure",
		"no measure": "by=month", "a date that is none": byMonth + "&from=spring",
	} {
		_, err := w.Loop.Raise(t.Context(), chief, draft(), query(q))
		roomtest.Want(t, err, fault.Invalid, name)
	}
}

func TestActionRules(t *testing.T) {
	w := roomtest.New(t)
	fill(w, "2026-01", 20, 40)
	a := raised(w, byMonth)
	change := func(set func(*loop.ActionDraft)) (loop.Action, error) {
		d := draft()
		d.Status = a.Status
		set(&d)
		return w.Loop.Change(t.Context(), chief, a.ID, a.Version, d)
	}
	for name, c := range map[string]struct {
		set   func(*loop.ActionDraft)
		field string
	}{
		"no title": {func(d *loop.ActionDraft) { d.Title = " " }, "title"}, "no concern": {func(d *loop.ActionDraft) { d.YouSaid = "" }, "you_said"},
		"no agency": {func(d *loop.ActionDraft) { d.Agency = "" }, "agency"}, "no owner": {func(d *loop.ActionDraft) { d.Owner = "" }, "owner"},
		"no date": {func(d *loop.ActionDraft) { d.DueOn = "soon" }, "due_on"}, "a status that is none": {func(d *loop.ActionDraft) { d.Status = "won" }, "status"},
		"checked by hand":          {func(d *loop.ActionDraft) { d.Status, d.WeDid, d.DoneOn = loop.Checked, "x", "2026-03-01" }, "status"},
		"done without what":        {func(d *loop.ActionDraft) { d.Status, d.DoneOn = loop.Done, "2026-03-01" }, "we_did"},
		"done without when":        {func(d *loop.ActionDraft) { d.Status, d.WeDid = loop.Done, "A desk opened." }, "done_on"},
		"no action without reason": {func(d *loop.ActionDraft) { d.Status = loop.NoAction }, "because"},
		"a text too long":          {func(d *loop.ActionDraft) { d.WeDid = strings.Repeat("x", 2001) }, "we_did"},
		"a note that is no text":   {func(d *loop.ActionDraft) { d.Note = "\xff" }, "note"},
	} {
		_, err := change(c.set)
		roomtest.Want(t, err, fault.Invalid, name)
		if fs := fault.FieldsOf(err); len(fs) != 1 || fs[0].Field != c.field {
			t.Errorf("%s: %+v", name, fs)
		}
	}
	d := draft()
	_, err := w.Loop.Change(t.Context(), chief, a.ID, a.Version, d)
	roomtest.Want(t, err, fault.Invalid, "no status")
	d.Status = loop.Planned
	_, err = w.Loop.Change(t.Context(), chief, "nothing", 1, d)
	roomtest.Want(t, err, fault.NotFound, "no such action")
	b, err := w.Loop.Change(t.Context(), chief, a.ID, a.Version, d)
	if err != nil || b.Status != loop.Planned || len(b.History) != 2 {
		t.Fatalf("%+v %v", b, err)
	}
	_, err = w.Loop.Change(t.Context(), chief, a.ID, a.Version, d)
	roomtest.Want(t, err, fault.Conflict, "an old version")
	if got := w.Actions("action:" + a.ID); len(got) < 2 || got[0] != "action.raised" {
		t.Errorf("traces: %v", got)
	}
	if !b.Overdue("2026-07-01") || b.Overdue("2026-06-30") {
		t.Error("overdue from the day after it is due")
	}
}

// done marks an action as done on a day.
func done(w *roomtest.World, a loop.Action, on string) loop.Action {
	w.TB.Helper()
	d := draft()
	d.Status, d.WeDid, d.DoneOn = loop.Done, "A desk opened in Ealing.", on
	a, err := w.Loop.Change(w.TB.Context(), chief, a.ID, a.Version, d)
	if err != nil {
		w.TB.Fatal(err)
	}
	return a
}

// TestCheck compares before and after with numbers worked out by hand: Newcombe's
// interval of 60/100 against 30/100 is 30 points, 16.3 to 42.2 (the score method without correction, worked out apart from this program).
func TestCheck(t *testing.T) {
	type months map[string][2]int
	for _, c := range []struct {
		name    string
		q       string
		data    months
		verdict string
		before  float64
		after   float64
		low     float64
		high    float64
	}{
		{"up", byMonth, months{"2026-01": {15, 50}, "2026-02": {15, 50}, "2026-03": {50, 50}, "2026-04": {30, 50}, "2026-05": {30, 50}}, loop.MovedUp, 30, 60, 16.29, 42.16},
		{"down", byMonth, months{"2026-01": {30, 50}, "2026-02": {30, 50}, "2026-04": {15, 50}, "2026-05": {15, 50}}, loop.MovedDown, 60, 30, -42.16, -16.29},
		{"neither", byMonth, months{"2026-01": {20, 40}, "2026-04": {21, 40}}, loop.NoChange, 50, 52.5, -18.57, 23.26},
		{"too few", byMonth, months{"2026-01": {10, 20}, "2026-04": {15, 20}}, loop.BaseTooLow, 0, 0, 0, 0},
		{"nothing after", byMonth, months{"2026-01": {20, 40}}, loop.BaseTooLow, 0, 0, 0, 0},
		{"as many periods on either side: the latest before", byMonth, months{"2025-11": {40, 40}, "2025-12": {40, 40}, "2026-02": {10, 40}, "2026-04": {10, 40}}, loop.NoChange, 25, 25, -18.65, 18.65},
		{"a month that is not over is left out", byMonth, months{"2026-02": {10, 40}, "2026-04": {10, 40}, "2026-06": {40, 40}}, loop.NoChange, 25, 25, -18.65, 18.65},
		{"by quarter", "measure=core.confidence&by=quarter&stage=report", months{"2025-11": {30, 100}, "2026-02": {99, 99}, "2026-04": {60, 100}}, loop.MovedUp, 30, 60, 16.29, 42.16},
		{"raised from a span that ended before", byMonth + "&from=2026-01&to=2026-03", months{"2026-01": {15, 50}, "2026-02": {15, 50}, "2026-04": {30, 50}, "2026-05": {30, 50}}, loop.MovedUp, 30, 60, 16.29, 42.16},
		{"raised from a figure without periods", "measure=core.confidence&stage=report", months{"2026-01": {15, 50}, "2026-02": {15, 50}, "2026-04": {30, 50}, "2026-05": {30, 50}}, loop.MovedUp, 30, 60, 16.29, 42.16},
		{"a mean", "measure=index.confidence&by=month&stage=report", months{"2026-01": {15, 50}, "2026-04": {30, 50}}, loop.NotSuitable, 0, 0, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := roomtest.New(t)
			w.Clock.Set(time.Date(2026, 7, 15, 9, 0, 0, 0, time.UTC))
			if _, ok := c.data["2026-06"]; ok {
				w.Clock.Set(time.Date(2026, 6, 15, 9, 0, 0, 0, time.UTC))
			}
			for m, n := range c.data {
				fill(w, m, n[0], n[1])
			}
			a := raised(w, c.q)
			_, err := w.Loop.Check(t.Context(), chief, a.ID)
			roomtest.Want(t, err, fault.Conflict, "checked before it was done")
			a = done(w, a, "2026-03-10")
			if a, err = w.Loop.Check(t.Context(), chief, a.ID); err != nil {
				t.Fatal(err)
			}
			k := a.Check
			near := func(a, b float64) bool { return a-b < 0.06 && b-a < 0.06 }
			if k.Verdict != c.verdict || !near(k.Before, c.before) || !near(k.After, c.after) || !near(k.Low, c.low) || !near(k.High, c.high) {
				t.Errorf("have %+v", *k)
			}
			want := loop.Checked
			if c.verdict == loop.BaseTooLow || c.verdict == loop.NotSuitable {
				want = loop.Done
			}
			if a.Status != want {
				t.Errorf("the action is %s, want %s", a.Status, want)
			}
		})
	}
	_, err := roomtest.New(t).Loop.Check(t.Context(), chief, "nothing")
	roomtest.Want(t, err, fault.NotFound, "no such action")
}

// TestCheckKeepsToItsSeries: a figure of several places is compared for the one place that was the evidence.
func TestCheckKeepsToItsSeries(t *testing.T) {
	w := roomtest.New(t)
	w.Clock.Set(time.Date(2026, 7, 15, 9, 0, 0, 0, time.UTC))
	for m, n := range map[string][2]int{"2026-01": {15, 100}, "2026-04": {80, 100}} {
		fill(w, m, n[0], n[1])
		for i := range 100 { // the even ones of Brent, the odd ones of Ealing
			id := fmt.Sprintf("%s-%03d", m, i)
			if _, err := w.Store.UpdateCase(t.Context(), "c"+id, func(c *survey.Case) error {
				c.Respondent, c.Force, c.ChangedAt = "r"+id, roomtest.Force, w.Clock.Now()
				c.Facts.Borough, c.Facts.BCU = []string{"Brent", "Ealing"}[i%2], "X"
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
	a := raised(w, "measure=core.confidence&by=borough,month&stage=report")
	if a.Evidence.Series != "borough=Ealing" || a.Evidence.Base != 50 {
		t.Fatalf("%+v", a.Evidence)
	}
	a = done(w, a, "2026-03-10")
	a, err := w.Loop.Check(t.Context(), chief, a.ID)
	if err != nil {
		t.Fatal(err)
	}
	if a.Check.Before != 14 || a.Check.After != 80 || a.Check.Verdict != loop.MovedUp {
		t.Errorf("%+v", *a.Check)
	}
}

func TestPublish(t *testing.T) {
	w := roomtest.New(t)
	fill(w, "2026-01", 20, 40)
	a := raised(w, byMonth)
	for name, c := range map[string]struct {
		title string
		ids   []string
		field string
	}{"not done": {"Spring", []string{a.ID}, "actions"}, "nothing": {"Spring", nil, "actions"}, "no title": {" ", []string{}, "title"}} {
		_, err := w.Loop.Publish(t.Context(), chief, c.title, c.ids)
		roomtest.Want(t, err, fault.Invalid, name)
		if fs := fault.FieldsOf(err); len(fs) == 0 || fs[0].Field != c.field {
			t.Errorf("%s: %+v", name, fs)
		}
	}
	_, err := w.Loop.Publish(t.Context(), chief, "Spring", []string{"nothing"})
	roomtest.Want(t, err, fault.NotFound, "no such action")
	done(w, a, "2026-02-20")
	d := draft()
	d.Status, d.Because = loop.NoAction, "The law forbids it."
	b, err := w.Loop.Raise(t.Context(), chief, d, query(byMonth))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Loop.Publish(t.Context(), chief, "Spring", []string{a.ID, b.ID}); err != nil {
		t.Fatal(err)
	}
	rounds, err := w.Loop.Published(t.Context())
	if err != nil || len(rounds) != 1 || len(rounds[0].Items) != 2 || rounds[0].Items[0].Published.IsZero() {
		t.Errorf("%+v %v", rounds, err)
	}
}

// TestPublishOnce: a double click, or a second try after a crash, is one round of letters.
func TestPublishOnce(t *testing.T) {
	publish := func(w *roomtest.World) error {
		_, err := w.Loop.Publish(t.Context(), chief, " Spring ", []string{"a", "b", "a"})
		return err
	}
	roomtest.EachCrash(t, func(w *roomtest.World) {
		for _, id := range []string{"a", "b"} {
			if _, err := w.Store.UpdateAction(t.Context(), id, func(a *loop.Action) error { a.Status = loop.Done; return nil }); err != nil {
				t.Fatal(err)
			}
		}
	}, publish, func(w *roomtest.World, crash string) {
		for range 2 {
			w.Clock.Pass(time.Second)
			if err := publish(w); err != nil {
				t.Errorf("%s: %v", crash, err)
			}
		}
		rounds, err := w.Loop.Published(t.Context())
		if err != nil || len(rounds) != 1 || len(rounds[0].Items) != 2 {
			t.Errorf("%s: %+v %v", crash, rounds, err)
			return
		}
		for _, a := range rounds[0].Items {
			if a.Published.IsZero() {
				t.Errorf("%s: %s is not marked as published", crash, a.ID)
			}
		}
		w.Clock.Pass(day) // on another day it is meant as another round
		if err := publish(w); err != nil {
			t.Errorf("%s: %v", crash, err)
		}
		if rounds, err := w.Loop.Published(t.Context()); err != nil || len(rounds) != 2 {
			t.Errorf("%s: %d rounds, %v", crash, len(rounds), err)
		}
	})
}

// TestTellCrashes: each subscriber has one letter, whatever dies in between.
func TestTellCrashes(t *testing.T) {
	letters := map[*roomtest.World]map[string]int{}
	tell := func(w *roomtest.World) error {
		_, err := w.Loop.Tell(t.Context(), func(ctx context.Context, l loop.Telling) error {
			// A port call of the outbox, at which the process may die too.
			if _, err := w.Store.UpdateLease(ctx, "put", func(*work.Lease) error { return nil }); err != nil {
				return err
			}
			letters[w][l.ID]++
			return nil
		})
		return err
	}
	roomtest.EachCrash(t, func(w *roomtest.World) {
		letters[w] = map[string]int{}
		for i := range 3 {
			if _, err := w.Store.UpdateSubscriber(t.Context(), fmt.Sprint("s", i), func(s *loop.Subscriber) error {
				s.Since, s.Until = w.Clock.Now().Add(-day), w.Clock.Now().Add(day)
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
		for id, set := range map[string]func(*loop.Subscriber){
			"later":   func(s *loop.Subscriber) { s.Since, s.Until = w.Clock.Now().Add(time.Hour), w.Clock.Now().Add(day) },
			"over":    func(s *loop.Subscriber) { s.Until = w.Clock.Now().Add(-time.Hour) },
			"stopped": func(s *loop.Subscriber) { s.Until, s.Stopped = w.Clock.Now().Add(day), w.Clock.Now() },
		} {
			if _, err := w.Store.UpdateSubscriber(t.Context(), id, func(s *loop.Subscriber) error { set(s); return nil }); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.Store.UpdatePublication(t.Context(), "p", func(p *loop.Publication) error { p.At = w.Clock.Now(); return nil }); err != nil {
			t.Fatal(err)
		}
	}, tell, func(w *roomtest.World, crash string) {
		for range 2 {
			if err := tell(w); err != nil {
				t.Errorf("%s: %v", crash, err)
			}
		}
		if len(letters[w]) != 3 {
			t.Errorf("%s: letters %v", crash, letters[w])
		}
	})
}
