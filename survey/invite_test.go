package survey_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"victimvoice/internal/roomtest"
	"victimvoice/survey"
)

// outbox takes each errand once, as the real one does.
type outbox struct {
	mu  sync.Mutex
	ids map[string]survey.Errand
}

func (o *outbox) put(_ context.Context, e survey.Errand) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ids == nil {
		o.ids = map[string]survey.Errand{}
	}
	o.ids[e.ID] = e
	return nil
}

func TestDueQueuesOnce(t *testing.T) {
	w := roomtest.New(t)
	const cases = 20
	for n := 1; n <= cases; n++ {
		w.Receive(roomtest.Report(n, w.Clock.Now().Add(-time.Hour)))
	}
	if due := w.Due(); len(due) != 0 {
		t.Fatalf("%d mails before their day", len(due))
	}
	w.Clock.Pass(day)
	var o outbox
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if _, err := w.Survey.Due(t.Context(), cases, o.put); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(o.ids) != cases {
		t.Errorf("%d messages for %d cases", len(o.ids), cases)
	}
	for n := 1; n <= cases; n++ {
		if v := w.Invite(n, survey.StageReport, 1); v.First.State != survey.MailQueued || !v.First.QueuedAt.Equal(w.Clock.Now()) {
			t.Errorf("case %d: %+v", n, v.First)
		}
	}
	if due := w.Due(); len(due) != 0 {
		t.Errorf("%d mails are queued again", len(due))
	}
}

func TestDueCrashes(t *testing.T) {
	boxes := map[*roomtest.World]*outbox{}
	roomtest.EachCrash(t, func(w *roomtest.World) {
		w.Receive(roomtest.Report(1, w.Clock.Now().Add(-time.Hour)))
		w.Clock.Pass(day)
		boxes[w] = &outbox{}
	}, func(w *roomtest.World) error {
		_, err := w.Survey.Due(t.Context(), 10, boxes[w].put)
		return err
	}, func(w *roomtest.World, crash string) {
		o := boxes[w]
		if _, err := w.Survey.Due(t.Context(), 10, o.put); err != nil {
			t.Errorf("%s: %v", crash, err)
		}
		if len(o.ids) != 1 || w.Invite(1, survey.StageReport, 1).First.State != survey.MailQueued {
			t.Errorf("%s: %d messages, the invitation is %s", crash, len(o.ids), w.Invite(1, survey.StageReport, 1).First.State)
		}
		for _, e := range o.ids {
			w.Deliver(e)
		}
	})
}

// TestDueGoesOnPastAFault: one case that cannot be read does not stop everybody's mail.
func TestDueGoesOnPastAFault(t *testing.T) {
	w := roomtest.New(t)
	for n := 1; n <= 3; n++ {
		w.Receive(roomtest.Report(n, w.Clock.Now().Add(-time.Duration(5-n)*time.Hour)))
	}
	w.Clock.Pass(day)
	bad := w.Case(1).ID
	var o outbox
	n, err := w.Survey.Due(t.Context(), 10, func(ctx context.Context, e survey.Errand) error {
		if e.Case == bad {
			return errors.New("does not fit")
		}
		return o.put(ctx, e)
	})
	if err == nil || n != 2 || len(o.ids) != 2 {
		t.Errorf("%d queued, %d in the outbox, %v", n, len(o.ids), err)
	}
}

// queued is a world with case 1's report mail in the outbox.
func queued(t *testing.T) (*roomtest.World, survey.Errand) {
	t.Helper()
	w := roomtest.New(t)
	w.Receive(roomtest.Report(1, w.Clock.Now().Add(-time.Hour)))
	w.Clock.Pass(day)
	due := w.Due()
	if len(due) != 1 {
		t.Fatalf("%d due", len(due))
	}
	w.Clock.Pass(time.Minute)
	return w, due[0]
}

func claim(t *testing.T, w *roomtest.World, e survey.Errand) (survey.Mail, *survey.NotDue) {
	t.Helper()
	m, err := w.Survey.Claim(t.Context(), e)
	var notDue *survey.NotDue
	if errors.As(err, &notDue) {
		return m, notDue
	}
	if err != nil {
		t.Fatal(err)
	}
	return m, nil
}

// TestClaimAsksAgain: what happens between the outbox and the mail stops the mail.
func TestClaimAsksAgain(t *testing.T) {
	contact := func(change func(*survey.Contact)) func(*survey.Event) {
		return func(e *survey.Event) {
			e.Contact = &survey.Contact{}
			change(e.Contact)
		}
	}
	no := false
	for _, c := range []struct {
		name   string
		happen func(*roomtest.World)
		want   survey.Reason
	}{
		{"the person opted out", func(w *roomtest.World) { w.Receive(roomtest.Event(1, "x", survey.OptedOut, w.Clock.Now())) }, survey.ReasonOptedOut},
		{"a safeguarding hold", func(w *roomtest.World) { w.Receive(roomtest.Event(1, "x", survey.HoldPlaced, w.Clock.Now())) }, survey.OnHold},
		{"the advocate says stop", func(w *roomtest.World) {
			if err := w.Survey.StopWriting(t.Context(), survey.Actor{ID: "ann"}, w.Case(1).Facts.Advocate, w.Case(1).ID, true); err != nil {
				t.Fatal(err)
			}
		}, survey.OnHold},
		{"the address is not safe any more", func(w *roomtest.World) {
			w.Receive(roomtest.Event(1, "x", survey.ContactChanged, w.Clock.Now(), contact(func(c *survey.Contact) { c.EmailSafe = &no })))
		}, survey.NotSafe},
		{"another address that nobody confirmed", func(w *roomtest.World) {
			w.Receive(roomtest.Event(1, "x", survey.ContactChanged, w.Clock.Now(), contact(func(c *survey.Contact) { c.Email = "new@example.org" })))
		}, survey.NotSafe},
		{"under age after all", func(w *roomtest.World) {
			w.Receive(roomtest.Event(1, "x", survey.Progressed, w.Clock.Now(), func(e *survey.Event) { e.Milestone, e.Adult = "interview", &no }))
		}, survey.NotAdult},
		{"the person withdrew", func(w *roomtest.World) { w.Receive(roomtest.Event(1, "x", survey.Withdrew, w.Clock.Now())) }, survey.Superseded},
		{"merged into another case", func(w *roomtest.World) {
			w.Receive(roomtest.Event(1, "x", survey.CasesMerged, w.Clock.Now(), func(e *survey.Event) { e.Into = "other" }))
		}, survey.CaseMerged},
		{"an advocate relayed the person's answers", func(w *roomtest.World) {
			r := relay(w, survey.ModeRelayed)
			if _, err := w.Survey.MarkAnswered(t.Context(), &r); err != nil {
				t.Fatal(err)
			}
		}, survey.AlreadyAnswered},
		{"an advocate relayed them, and a crash left the case out", func(w *roomtest.World) { relay(w, survey.ModeRelayed) }, survey.AlreadyAnswered},
		{"a fortnight went by", func(w *roomtest.World) { w.Clock.Pass(14 * day) }, survey.TooLate},
		{"the owner of the address opted out in another case", func(w *roomtest.World) {
			w.Receive(roomtest.Report(2, w.Clock.Now().Add(-2*day), func(e *survey.Event) { e.Contact.Email = roomtest.Address(1) }))
			_, m := w.Mail()
			if err := w.Survey.Refuse(t.Context(), m.Token, false); err != nil {
				t.Fatal(err)
			}
		}, survey.ReasonOptedOut},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, e := queued(t)
			c.happen(w)
			w.Store.Calls()
			_, notDue := claim(t, w, e)
			if notDue == nil || notDue.Reason != c.want || !notDue.Until.IsZero() {
				t.Fatalf("want %s, have %+v", c.want, notDue)
			}
			if slices.Contains(w.Store.Calls(), "InsertLink") {
				t.Error("a link was made for a mail that is not due")
			}
			v := w.Invite(1, survey.StageReport, 1)
			if v.First.State != survey.MailRefused || v.First.Reason != c.want || v.First.Try != 1 || !v.ClosesAt.IsZero() {
				t.Errorf("the invitation: %+v, closes %s", v.First, v.ClosesAt)
			}
			// Asked once more, after a crash that kept the outbox from learning of it, the answer is no again.
			if _, notDue := claim(t, w, e); notDue == nil || notDue.Reason == "" {
				t.Errorf("the second time: %+v", notDue)
			}
			if v := w.Invite(1, survey.StageReport, 1); v.First.Try != 1 {
				t.Errorf("the second time counted: %+v", v.First)
			}
		})
	}
}

// relay answers case 1's report survey as its advocate, and leaves the case unmarked.
func relay(w *roomtest.World, mode survey.Mode) survey.Response {
	w.TB.Helper()
	c := w.Case(1)
	consent := &survey.Consent{How: "phone", At: w.Clock.Now()}
	_, st, err := w.Survey.BeginFor(w.TB.Context(), survey.Actor{ID: "ann", Role: "advocate"}, c.Facts.Advocate, c.ID, survey.StageReport, 1, mode, consent)
	if err != nil {
		w.TB.Fatal(err)
	}
	w.Answer(st, map[string]string{"core.confidence": "fairly"})
	r, _ := w.Submit(st, survey.Ticks{})
	return r
}

// TestObservedDoesNotStopTheInvitation, neither kept nor taken back.
func TestObservedDoesNotStopTheInvitation(t *testing.T) {
	w, e := queued(t)
	r := relay(w, survey.ModeObserved)
	if _, err := w.Survey.MarkAnswered(t.Context(), &r); err != nil {
		t.Fatal(err)
	}
	if _, notDue := claim(t, w, e); notDue != nil {
		t.Fatalf("an advocate's own view stopped the victim's mail: %v", notDue)
	}
	w, e = queued(t)
	r = relay(w, survey.ModeObserved)
	r, err := w.Survey.WithdrawAnswers(t.Context(), w.Survey.ReceiptCode(survey.Sitting{Response: r.ID}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Survey.MarkAnswered(t.Context(), &r); err != nil {
		t.Fatal(err)
	}
	if _, notDue := claim(t, w, e); notDue != nil {
		t.Fatalf("an advocate's own view, taken back, stopped the victim's mail: %v", notDue)
	}
}

// TestClaimOfWhatACorrectionTookAway: the invitation itself is gone when its
// mail is about to be sent, and comes back later.
func TestClaimOfWhatACorrectionTookAway(t *testing.T) {
	w := roomtest.New(t)
	start := w.Clock.Now()
	at := func(days int) time.Time { return start.Add(time.Duration(days) * day) }
	w.Clock.Set(at(20))
	w.Receive(roomtest.Report(1, at(0)),
		roomtest.Event(1, "w1", survey.Withdrew, at(1)), roomtest.Event(1, "open", survey.Reopened, at(10)), roomtest.Event(1, "w2", survey.Withdrew, at(16)))
	due := w.Due()
	if len(due) != 1 || due[0].Stage != survey.StageWithdrawn || due[0].Round != 2 {
		t.Fatalf("due: %+v", due)
	}
	w.Receive(roomtest.Event(1, "fix", survey.Corrected, at(18), func(e *survey.Event) { e.Corrects = "open-1" }))
	if _, notDue := claim(t, w, due[0]); notDue == nil || notDue.Reason != survey.Superseded {
		t.Fatalf("have %+v", notDue)
	}
	w.Clock.Pass(time.Hour)
	w.Receive(roomtest.Event(1, "fix2", survey.Corrected, at(9), func(e *survey.Event) { e.Corrects = "fix-1" }))
	again := w.Due()
	if len(again) != 1 || again[0].ID == due[0].ID {
		t.Fatalf("owed again, under an errand of its own: %+v", again)
	}
	if _, notDue := claim(t, w, again[0]); notDue != nil {
		t.Error(notDue)
	}
}

func TestClaimOutsideSafeHours(t *testing.T) {
	w := roomtest.New(t)
	w.Receive(roomtest.Report(1, w.Clock.Now().Add(-time.Hour), func(e *survey.Event) { e.Contact.SafeFrom, e.Contact.SafeTo = "09:00", "11:00" }))
	w.Clock.Pass(day)
	e := w.Due()[0]
	w.Clock.Pass(2 * time.Hour)
	_, notDue := claim(t, w, e)
	want := roomtest.Start().Add(2*day - time.Hour)
	if notDue == nil || notDue.Reason != "" || !notDue.Until.Equal(want) {
		t.Fatalf("want until %s, have %+v", want, notDue)
	}
	if due := w.Due(); len(due) != 0 {
		t.Errorf("queued a second time while it waits: %+v", due)
	}
	w.Clock.Set(want)
	if m, notDue := claim(t, w, e); notDue != nil || m.Address != roomtest.Address(1) || m.Days != 14 || m.Language != "en" || len(m.Token) != survey.TokenLength {
		t.Errorf("%+v %+v", m, notDue)
	}
}

func TestAHoldLiftedQueuesAfresh(t *testing.T) {
	w, e := queued(t)
	// A first try failed at the mail server, so the link's time has begun.
	if _, notDue := claim(t, w, e); notDue != nil {
		t.Fatal(notDue)
	}
	w.Receive(roomtest.Event(1, "hold", survey.HoldPlaced, w.Clock.Now()))
	if _, notDue := claim(t, w, e); notDue == nil || notDue.Reason != survey.OnHold {
		t.Fatalf("have %+v", notDue)
	}
	w.Clock.Pass(10 * day)
	if due := w.Due(); len(due) != 0 {
		t.Fatalf("due on hold: %+v", due)
	}
	w.Receive(roomtest.Event(1, "lift", survey.HoldLifted, w.Clock.Now()))
	due := w.Due()
	if len(due) != 1 || due[0].ID == e.ID {
		t.Fatalf("want a new errand, have %+v", due)
	}
	if _, notDue := claim(t, w, e); notDue == nil || notDue.Reason != survey.Superseded {
		t.Errorf("the old errand: %+v", notDue)
	}
	m, notDue := claim(t, w, due[0])
	if notDue != nil {
		t.Fatal(notDue)
	}
	if m.Days != 14 {
		t.Errorf("the link lives %d days from its mail, want 14", m.Days)
	}
}

// TestClaimAgainAfterACrash: a crash after the claim, or after the mail and before its settling.
func TestClaimAgainAfterACrash(t *testing.T) {
	w, e := queued(t)
	first, notDue := claim(t, w, e)
	if notDue != nil {
		t.Fatal(notDue)
	}
	w.Restart()
	w.Clock.Pass(5 * time.Minute)
	second, notDue := claim(t, w, e) // whether the first mail left is not known
	if notDue != nil {
		t.Fatal(notDue)
	}
	if first.Token == second.Token {
		t.Error("one token twice")
	}
	for i, token := range []string{first.Token, second.Token} {
		if d, err := w.Survey.Follow(t.Context(), token); err != nil || d.Stage != survey.StageReport {
			t.Errorf("mail %d's link: %+v %v", i+1, d, err)
		}
	}
	for range 2 {
		if err := w.Survey.Settled(t.Context(), e, survey.Delivered); err != nil {
			t.Fatal(err)
		}
		w.Clock.Pass(time.Minute)
	}
	if v := w.Invite(1, survey.StageReport, 1); v.First.State != survey.MailSent || !v.First.SentAt.Equal(w.Clock.Now().Add(-2*time.Minute)) {
		t.Errorf("settled twice: %+v", v.First)
	}
	if _, notDue := claim(t, w, e); notDue == nil || notDue.Reason != survey.AlreadySent {
		t.Errorf("claimed after it was sent: %+v", notDue)
	}
}

func TestClaimCrashes(t *testing.T) {
	var errand survey.Errand
	roomtest.EachCrash(t, func(w *roomtest.World) {
		w.Receive(roomtest.Report(1, w.Clock.Now().Add(-time.Hour)))
		w.Clock.Pass(day)
		errand = w.Due()[0]
	}, func(w *roomtest.World) error {
		_, err := w.Survey.Claim(t.Context(), errand)
		return err
	}, func(w *roomtest.World, crash string) {
		m := w.Deliver(errand)
		if _, err := w.Survey.Follow(t.Context(), m.Token); err != nil {
			t.Errorf("%s: the link does not open: %v", crash, err)
		}
		if v := w.Invite(1, survey.StageReport, 1); v.First.State != survey.MailSent {
			t.Errorf("%s: %+v", crash, v.First)
		}
	})
}

func TestReminderOnce(t *testing.T) {
	w := roomtest.New(t)
	w.Invited(1)
	if due := w.Due(); len(due) != 0 {
		t.Fatalf("due at once: %+v", due)
	}
	w.Clock.Pass(5*day - time.Minute)
	if due := w.Due(); len(due) != 0 {
		t.Fatalf("due before its day: %+v", due)
	}
	w.Clock.Pass(time.Minute)
	e, m := w.Mail()
	if e.Kind != survey.ReminderMail || m.Days != 9 {
		t.Fatalf("%+v, %d days", e, m.Days)
	}
	if _, err := w.Survey.Follow(t.Context(), m.Token); err != nil {
		t.Errorf("the reminder's link: %v", err)
	}
	for range 12 {
		w.Clock.Pass(day)
		if due := w.Due(); len(due) != 0 {
			t.Fatalf("a second reminder: %+v", due)
		}
	}
	if _, err := w.Survey.Follow(t.Context(), m.Token); !survey.IsClosed(err) {
		t.Errorf("the link after its time: %v", err)
	}
	if v := w.Invite(1, survey.StageReport, 1); !v.Ended {
		t.Errorf("not ended: %+v", v)
	}
}

func TestNoReminderAfterAnAnswer(t *testing.T) {
	for _, crashed := range []bool{false, true} {
		t.Run(fmt.Sprintf("crashed before the case was marked: %t", crashed), func(t *testing.T) {
			w := roomtest.New(t)
			token := w.Invited(1)
			w.Clock.Pass(5 * day)
			due := w.Due()
			st := w.Sit(token, true)
			w.Answer(st, map[string]string{"core.confidence": "very"})
			r, _ := w.Submit(st, survey.Ticks{})
			if !crashed {
				if _, err := w.Survey.MarkAnswered(t.Context(), &r); err != nil {
					t.Fatal(err)
				}
			}
			if _, notDue := claim(t, w, due[0]); notDue == nil || notDue.Reason != survey.AlreadyAnswered {
				t.Errorf("have %+v", notDue)
			}
			w.Clock.Pass(day)
			if due := w.Due(); len(due) != 0 {
				t.Errorf("due again: %+v", due)
			}
		})
	}
}

func TestBounceStopsFurtherMail(t *testing.T) {
	changed := func(w *roomtest.World) survey.Event {
		return roomtest.Event(1, "moved", survey.ContactChanged, w.Clock.Now(), func(e *survey.Event) {
			at := w.Clock.Now()
			e.Contact = &survey.Contact{Email: "moved@example.org", EmailSafe: yes(), SafeConfirmedAt: &at, SafeFrom: "00:00", SafeTo: "23:59"}
		})
	}
	reasons := func(w *roomtest.World) string {
		var b strings.Builder
		for _, v := range w.Case(1).Invites {
			fmt.Fprintf(&b, "%s/%d %s %s; ", v.Stage, v.Round, v.First.State, v.First.Reason)
		}
		return b.String()
	}
	t.Run("a sent mail comes back", func(t *testing.T) {
		w := roomtest.New(t)
		w.Receive(roomtest.Report(1, w.Clock.Now().Add(-time.Hour)))
		w.Clock.Pass(day)
		e, _ := w.Mail()
		for range 2 {
			if err := w.Survey.Bounced(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		if got := reasons(w); !strings.HasPrefix(got, "report/1 failed undelivered; investigation/1 refused undelivered; ") {
			t.Error(got)
		}
		w.Clock.Pass(60 * day)
		if due := w.Due(); len(due) != 0 {
			t.Errorf("written to an address that bounced: %+v", due)
		}
		w.Receive(changed(w))
		if got := reasons(w); !strings.Contains(got, "planned") {
			t.Errorf("another address is not asked: %s", got)
		}
	})
	t.Run("the address had changed in between", func(t *testing.T) {
		for name, bounce := range map[string]func(w *roomtest.World, e survey.Errand) error{
			"refused by the mail server": func(w *roomtest.World, e survey.Errand) error {
				return w.Survey.Settled(t.Context(), e, survey.Rejected)
			},
			"came back": func(w *roomtest.World, e survey.Errand) error { return w.Survey.Bounced(t.Context(), e) },
		} {
			w, e := queued(t)
			if _, notDue := claim(t, w, e); notDue != nil {
				t.Fatal(notDue)
			}
			w.Receive(changed(w))
			if err := bounce(w, e); err != nil {
				t.Fatal(err)
			}
			if got := reasons(w); !strings.HasPrefix(got, "report/1 failed undelivered; investigation/1 planned") {
				t.Errorf("%s: the new address is taken for the one that bounced: %s", name, got)
			}
		}
	})
	t.Run("given up does not mark the address", func(t *testing.T) {
		w, e := queued(t)
		if _, notDue := claim(t, w, e); notDue != nil {
			t.Fatal(notDue)
		}
		if err := w.Survey.Settled(t.Context(), e, survey.GivenUp); err != nil {
			t.Fatal(err)
		}
		if got := reasons(w); !strings.HasPrefix(got, "report/1 failed undelivered; investigation/1 planned") {
			t.Error(got)
		}
	})
}

// TestOptingOutAfterOptingIn: somebody who came back through one case and later
// stops all mail in another is not written to in the first.
func TestOptingOutAfterOptingIn(t *testing.T) {
	w := roomtest.New(t)
	if err := w.Survey.Refuse(t.Context(), w.Invited(1), false); err != nil {
		t.Fatal(err)
	}
	w.Clock.Pass(day)
	if err := w.Survey.WriteAgain(t.Context(), survey.Actor{ID: "ann"}, w.Case(1).Facts.Advocate, w.Case(1).ID); err != nil {
		t.Fatal(err)
	}
	w.Receive(roomtest.Report(2, w.Clock.Now().Add(-2*day), func(e *survey.Event) { e.Contact.Email = roomtest.Address(1) }))
	_, m := w.Mail()
	w.Clock.Set(roomtest.Start().Add(27*day + 23*time.Hour))
	due := w.Due()
	if len(due) == 0 {
		t.Fatal("opting in again leads to no mail")
	}
	m2 := w.Deliver(due[0]) // a reminder or the next stage: any of case 2's links will do
	_ = m
	if err := w.Survey.Refuse(t.Context(), m2.Token, false); err != nil {
		t.Fatal(err)
	}
	w.Clock.Pass(2 * day)
	for _, e := range w.Due() {
		if m, notDue := claim(t, w, e); notDue == nil {
			t.Errorf("%s of case %s is mailed to %s", e.Stage, e.Case, m.Address)
		} else if notDue.Reason != survey.ReasonOptedOut {
			t.Errorf("not due since %s", notDue.Reason)
		}
	}
}
