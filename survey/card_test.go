package survey_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"victimvoice/internal/audit"
	"victimvoice/internal/fault"
	"victimvoice/internal/roomtest"
	"victimvoice/internal/seal"
	"victimvoice/survey"
)

// makeCard makes a card for the report survey of case n, as its advocate would.
func makeCard(w *roomtest.World, n int) (survey.Card, error) {
	return makeCardFor(w, n, survey.StageReport, 1)
}

func makeCardFor(w *roomtest.World, n int, stage survey.Stage, round int) (survey.Card, error) {
	w.TB.Helper()
	c := w.Case(n)
	return w.Survey.Card(w.TB.Context(), ann, c.Facts.Advocate, c.ID, stage, round, "en")
}

func mustCard(w *roomtest.World, n int) survey.Card {
	w.TB.Helper()
	card, err := makeCard(w, n)
	if err != nil {
		w.TB.Fatal(err)
	}
	return card
}

// unreachable takes the address from a report.
func unreachable(e *survey.Event) { e.Contact = nil }

// TestWhoMayHaveACard: every rule of the plan but those that are about mail.
func TestWhoMayHaveACard(t *testing.T) {
	no := false
	type step = func(w *roomtest.World)
	after := func(n float64) step {
		return func(w *roomtest.World) { w.Clock.Pass(time.Duration(n * float64(day))) }
	}
	event := func(kind survey.EventType, change ...func(*survey.Event)) step {
		return func(w *roomtest.World) {
			w.Receive(roomtest.Event(1, string(kind), kind, w.Clock.Now(), change...))
		}
	}
	closed := event(survey.Closed, func(e *survey.Event) { e.Outcome = "nfa-other" })
	answer := func(w *roomtest.World, mode survey.Mode) {
		c := w.Case(1)
		_, st, err := w.Survey.BeginFor(w.TB.Context(), ann, c.Facts.Advocate, c.ID, survey.StageReport, 1, mode, &survey.Consent{How: "phone", At: w.Clock.Now()})
		if err != nil {
			w.TB.Fatal(err)
		}
		w.Answer(st, map[string]string{"core.confidence": "very"})
		r, _ := w.Submit(st, survey.Ticks{})
		if _, err := w.Survey.MarkAnswered(w.TB.Context(), &r); err != nil {
			w.TB.Fatal(err)
		}
	}
	mailed := func(w *roomtest.World) { w.Mail() }
	own := func(w *roomtest.World) survey.Response { // through a card of their own
		st := w.Sit(mustCard(w, 1).Code, true)
		w.Answer(st, map[string]string{"core.confidence": "very"})
		r, _ := w.Submit(st, survey.Ticks{})
		return r
	}
	for name, c := range map[string]struct {
		report func(*survey.Event)
		steps  []step
		stage  survey.Stage // report where empty
		want   survey.Reason
	}{
		"no inbox at all":        {unreachable, []step{after(2)}, "", ""},
		"an inbox that is known": {func(*survey.Event) {}, []step{after(2)}, "", ""},
		"an inbox not safe":      {func(e *survey.Event) { e.Contact.EmailSafe = &no }, []step{after(2)}, "", ""},
		"mail that came back": {func(*survey.Event) {}, []step{after(2), func(w *roomtest.World) {
			e := w.Due()[0]
			if _, err := w.Survey.Claim(w.TB.Context(), e); err != nil {
				w.TB.Fatal(err)
			}
			if err := w.Survey.Settled(w.TB.Context(), e, survey.Rejected); err != nil {
				w.TB.Fatal(err)
			}
		}}, "", ""},
		"mailed a moment ago":        {func(*survey.Event) {}, []step{after(2), mailed}, "", ""},
		"mailed, too late to begin":  {func(*survey.Event) {}, []step{after(13), mailed, after(3)}, "", ""},
		"mailed, and over":           {func(*survey.Event) {}, []step{after(13), mailed, after(15)}, "", survey.TooLate},
		"before a day has passed":    {unreachable, nil, "", survey.NotYet},
		"of a stage to come":         {unreachable, []step{after(2)}, survey.StageInvestigation, survey.NotYet},
		"of a stage not in sight":    {unreachable, []step{after(2)}, survey.StageClosure, survey.NotYet},
		"after day 14":               {unreachable, []step{after(15)}, "", survey.TooLate},
		"under 18":                   {func(e *survey.Event) { e.Contact, e.Adult = nil, &no }, []step{after(2)}, "", survey.NotAdult},
		"age not known":              {func(e *survey.Event) { e.Contact, e.Adult = nil, nil }, []step{after(2)}, "", survey.NotAdult},
		"opted out":                  {unreachable, []step{after(2), event(survey.OptedOut)}, "", survey.ReasonOptedOut},
		"on hold":                    {unreachable, []step{after(2), event(survey.HoldPlaced)}, "", survey.OnHold},
		"on hold by the advocate":    {unreachable, []step{after(2), func(w *roomtest.World) { stopWriting(w, true) }}, "", survey.OnHold},
		"and safe again":             {unreachable, []step{after(2), func(w *roomtest.World) { stopWriting(w, true) }, func(w *roomtest.World) { stopWriting(w, false) }}, "", ""},
		"joined to another case":     {unreachable, []step{after(2), event(survey.CasesMerged, func(e *survey.Event) { e.Into = "other" })}, "", survey.CaseMerged},
		"stepped back":               {unreachable, []step{after(2), event(survey.Withdrew)}, "", survey.Superseded},
		"stepped back, asked of it":  {unreachable, []step{after(2), event(survey.Withdrew), after(4)}, survey.StageWithdrawn, ""},
		"closed, and not told":       {unreachable, []step{after(2), closed, after(10)}, survey.StageClosure, survey.ClosureNotNotified},
		"closed, told, too soon":     {unreachable, []step{after(2), closed, event(survey.ClosureNotified), after(5)}, survey.StageClosure, survey.NotYet},
		"closed, told":               {unreachable, []step{after(2), closed, event(survey.ClosureNotified), after(8)}, survey.StageClosure, ""},
		"their words were relayed":   {unreachable, []step{after(2), func(w *roomtest.World) { answer(w, survey.ModeRelayed) }}, "", survey.AlreadyAnswered},
		"their advocate has a view":  {unreachable, []step{after(2), func(w *roomtest.World) { answer(w, survey.ModeObserved) }}, "", ""},
		"answered, not yet followed": {unreachable, []step{after(2), func(w *roomtest.World) { own(w) }}, "", survey.AlreadyAnswered},
		"answered and taken back": {unreachable, []step{after(2), func(w *roomtest.World) {
			own(w)
			r, err := w.Survey.WithdrawAnswers(w.TB.Context(), w.Survey.ReceiptCode(survey.Sitting{Response: own1(w).ID}))
			if err != nil {
				w.TB.Fatal(err)
			}
			if _, err := w.Survey.MarkAnswered(w.TB.Context(), &r); err != nil {
				w.TB.Fatal(err)
			}
		}}, "", survey.AlreadyAnswered},
		"answered by somebody else": {unreachable, []step{after(2), func(w *roomtest.World) {
			r := own(w)
			if _, err := w.Survey.VoidResponse(w.TB.Context(), audit.Entry{Actor: "ann"}, r.ID); err != nil {
				w.TB.Fatal(err)
			}
		}}, "", survey.Emptied},
		"refused through a mail": {func(*survey.Event) {}, []step{after(2), func(w *roomtest.World) {
			_, m := w.Mail()
			if err := w.Survey.Refuse(w.TB.Context(), m.Token, true); err != nil {
				w.TB.Fatal(err)
			}
		}}, "", survey.ReasonOptedOut},
		"refused through another case": {func(*survey.Event) {}, []step{func(w *roomtest.World) {
			w.Receive(roomtest.Report(2, w.Clock.Now(), func(e *survey.Event) { e.Contact.Email = roomtest.Address(1) }))
		}, after(2), func(w *roomtest.World) {
			for _, e := range w.Due() {
				if e.Case == w.Case(2).ID {
					if err := w.Survey.Refuse(w.TB.Context(), w.Deliver(e).Token, false); err != nil {
						w.TB.Fatal(err)
					}
				}
			}
		}}, "", survey.ReasonOptedOut},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := roomtest.New(t)
			w.Receive(roomtest.Report(1, w.Clock.Now(), c.report))
			for _, s := range c.steps {
				s(w)
			}
			stage := c.stage
			if stage == "" {
				stage = survey.StageReport
			}
			before, traces := w.Case(1), len(w.Actions(""))
			card, err := makeCardFor(w, 1, stage, 1)
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				if _, err := w.Survey.Follow(t.Context(), card.Code); err != nil {
					t.Errorf("the card opens nothing: %v", err)
				}
				if got := w.Actions("case:" + before.ID); got[len(got)-1] != "card.made" {
					t.Errorf("the trace: %v", got)
				}
				return
			}
			roomtest.Want(t, err, fault.Conflict, "a card")
			var no *survey.NoCard
			if !errors.As(err, &no) || no.Reason != c.want {
				t.Errorf("want %s, have %v", c.want, err)
			}
			if d := cmp.Diff(before, w.Case(1)); d != "" || len(w.Actions("")) != traces || card != (survey.Card{}) {
				t.Errorf("a refusal left something: %s", d)
			}
		})
	}
}

func own1(w *roomtest.World) survey.Response {
	w.TB.Helper()
	rs, err := w.Store.ResponsesOf(w.TB.Context(), w.Case(1).Respondent)
	if err != nil || len(rs) != 1 {
		w.TB.Fatalf("%d responses, %v", len(rs), err)
	}
	return rs[0]
}

func stopWriting(w *roomtest.World, stop bool) {
	w.TB.Helper()
	c := w.Case(1)
	if err := w.Survey.StopWriting(w.TB.Context(), ann, c.Facts.Advocate, c.ID, stop); err != nil {
		w.TB.Fatal(err)
	}
}

// TestTheCaseSaysWhichMayHaveACard: the advocate's view knows what Card would say.
func TestTheCaseSaysWhichMayHaveACard(t *testing.T) {
	w := roomtest.New(t)
	w.Receive(roomtest.Report(1, w.Clock.Now(), unreachable))
	w.Clock.Pass(2 * day)
	c := w.Case(1)
	v, err := w.Survey.CaseFor(t.Context(), ann, c.Facts.Advocate, c.ID)
	if err != nil || len(v.NoCard) != len(v.Invites) {
		t.Fatalf("%+v %v", v, err)
	}
	for i, inv := range v.Invites {
		_, err := makeCardFor(w, 1, inv.Stage, inv.Round)
		var no *survey.NoCard
		if errors.As(err, &no); v.NoCard[i] == "" && err != nil || v.NoCard[i] != "" && (no == nil || no.Reason != v.NoCard[i]) {
			t.Errorf("%s/%d: the page says %q, and making one %v", inv.Stage, inv.Round, v.NoCard[i], err)
		}
	}
}

func TestCardLanguages(t *testing.T) {
	w := roomtest.New(t)
	w.Receive(roomtest.Report(1, w.Clock.Now(), func(e *survey.Event) { e.Contact.Language = "pl" }))
	w.Clock.Pass(2 * day)
	c := w.Case(1)
	for _, l := range []string{"", "tlh", "en-GB", "EN"} {
		_, err := w.Survey.Card(t.Context(), ann, c.Facts.Advocate, c.ID, survey.StageReport, 1, l)
		if fs := fault.FieldsOf(err); !fault.Is(err, fault.Invalid) || len(fs) != 1 || fs[0].Field != "language" {
			t.Errorf("%q: %v", l, err)
		}
	}
	card, err := w.Survey.Card(t.Context(), ann, c.Facts.Advocate, c.ID, survey.StageReport, 1, "ur")
	if err != nil || card.Language != "ur" {
		t.Fatalf("%+v %v", card, err)
	}
	// The page behind it speaks the card's language, and not the one of the mail.
	if d, err := w.Survey.Follow(t.Context(), card.Code); err != nil || d.Language != "ur" || !d.Card {
		t.Errorf("%+v %v", d, err)
	}
	if _, st, err := w.Survey.Begin(t.Context(), card.Code, "", true); err != nil || st.Language != "ur" {
		t.Errorf("%+v %v", st, err)
	}
}

// TestACardIsTypedByHand: as it is read aloud, or copied from paper.
func TestACardIsTypedByHand(t *testing.T) {
	w := roomtest.New(t)
	w.Receive(roomtest.Report(1, w.Clock.Now(), unreachable))
	w.Clock.Pass(2 * day)
	code := mustCard(w, 1).Code
	for name, typed := range map[string]string{
		"as printed": code, "small letters": strings.ToLower(code), "no hyphens": strings.ReplaceAll(code, "-", ""),
		"blanks": "  " + strings.ReplaceAll(strings.ToLower(code), "-", "  ") + " ", "O for 0": strings.ReplaceAll(code, "0", "o"), "I for 1": strings.ReplaceAll(code, "1", "i"),
	} {
		if d, err := w.Survey.Follow(t.Context(), typed); err != nil || d.Stage != survey.StageReport {
			t.Errorf("%s: %+v %v", name, d, err)
		}
		if got, err := survey.CardCode(typed); err != nil || got != code {
			t.Errorf("%s: %q %v", name, got, err)
		}
	}
	for name, typed := range map[string]string{
		"nothing": "", "a receipt": seal.NewCode(4), "a shorter one": seal.NewCode(2), "a token": seal.NewToken(), "one wrong symbol": swapLast(code),
	} {
		if _, err := survey.CardCode(typed); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s is a code: %v", name, err)
		}
		if survey.IsCardCode(typed) {
			t.Errorf("%s would be looked up as a code", name)
		}
	}
}

// swapLast makes the check symbol another.
func swapLast(code string) string {
	last := byte('A')
	if code[len(code)-1] == last {
		last = 'B'
	}
	return code[:len(code)-1] + string(last)
}

// TestCardFollowTellsNothing: whatever the code, the same calls and the same answer.
func TestCardFollowTellsNothing(t *testing.T) {
	w := roomtest.New(t)
	for n := 1; n <= 4; n++ {
		w.Receive(roomtest.Report(n, w.Clock.Now(), unreachable))
	}
	w.Clock.Pass(2 * day)
	used, replaced, merged, open := mustCard(w, 1).Code, mustCard(w, 2).Code, mustCard(w, 3).Code, mustCard(w, 4).Code
	st := w.Sit(used, true)
	w.Answer(st, map[string]string{"core.confidence": "very"})
	w.Submit(st, survey.Ticks{})
	w.Clock.Pass(time.Minute)
	mustCard(w, 2)
	w.Receive(roomtest.Event(3, "merged", survey.CasesMerged, w.Clock.Now(), func(e *survey.Event) { e.Into = "other" }))
	w.Store.Calls()
	if _, err := w.Survey.Follow(t.Context(), open); err != nil {
		t.Fatal(err)
	}
	want := w.Store.Calls()
	look := func(name, code string) {
		t.Helper()
		w.Store.Calls()
		d, err := w.Survey.Follow(t.Context(), code)
		if err != survey.ErrClosed || d != (survey.Door{}) { //nolint:errorlint // the very same, unwrapped
			t.Errorf("%s: %+v %v", name, d, err)
		}
		if d := cmp.Diff(want, w.Store.Calls()); d != "" {
			t.Errorf("%s: other calls than for an open card:\n%s", name, d)
		}
		if _, _, err := w.Survey.Begin(t.Context(), code, "", false); !survey.IsClosed(err) {
			t.Errorf("%s: begin: %v", name, err)
		}
	}
	for name, code := range map[string]string{
		"unknown": seal.NewCode(3), "used": used, "replaced": replaced, "merged": merged, "a wrong check": swapLast(open), "a token": seal.NewToken(), "a receipt": seal.NewCode(4),
	} {
		look(name, code)
	}
	w.Clock.Pass(15 * day)
	look("expired", open)
}

// TestNobodyIsSilencedThroughACard: it came by no address, so there are no
// messages to stop, whoever found it.
func TestNobodyIsSilencedThroughACard(t *testing.T) {
	w := roomtest.New(t)
	w.Receive(roomtest.Report(1, w.Clock.Now()))
	w.Clock.Pass(2 * day)
	code := mustCard(w, 1).Code
	before, traces := w.Case(1), len(w.Actions(""))
	for _, notMe := range []bool{false, true} {
		if err := w.Survey.Refuse(t.Context(), code, notMe); !survey.IsClosed(err) {
			t.Errorf("not me %t: %v", notMe, err)
		}
	}
	if d := cmp.Diff(before, w.Case(1)); d != "" || len(w.Actions("")) != traces {
		t.Error(d)
	}
}

// TestCardAndMailLeadToOneResponse, and an answer closes both.
func TestCardAndMailLeadToOneResponse(t *testing.T) {
	w := roomtest.New(t)
	token := w.Invited(1)
	code := mustCard(w, 1).Code
	byMail, byCard := w.Sit(token, false), w.Sit(code, false)
	if byMail.Response != byCard.Response {
		t.Fatal("a card leads to another response than the mail")
	}
	w.Answer(byMail, map[string]string{"core.confidence": "very"})
	w.Answer(byCard, map[string]string{"core.informed": "very-well"})
	r, _ := w.Submit(byCard, survey.Ticks{})
	if _, err := w.Survey.MarkAnswered(t.Context(), &r); err != nil {
		t.Fatal(err)
	}
	for name, secret := range map[string]string{"the mail's link": token, "the card": code} {
		if _, err := w.Survey.Follow(t.Context(), secret); !survey.IsClosed(err) {
			t.Errorf("%s still opens: %v", name, err)
		}
	}
	if v := w.Invite(1, survey.StageReport, 1); len(v.Answered) != 1 || v.CardAt.IsZero() || v.Reminder.State != survey.MailRefused {
		t.Errorf("%+v", v)
	}
	own1(w)
}

// TestOnlyTheLastCardOpens: another card is how a lost one is made useless.
func TestOnlyTheLastCardOpens(t *testing.T) {
	w := roomtest.New(t)
	w.Receive(roomtest.Report(1, w.Clock.Now(), unreachable))
	w.Clock.Pass(2 * day)
	lost := mustCard(w, 1)
	w.Clock.Pass(time.Second)
	other := mustCard(w, 1)
	if _, err := w.Survey.Follow(t.Context(), lost.Code); !survey.IsClosed(err) {
		t.Errorf("the card that was lost still opens: %v", err)
	}
	if _, err := w.Survey.Follow(t.Context(), other.Code); err != nil || other.Code == lost.Code {
		t.Errorf("the new card: %v", err)
	}
	// A process whose clock is behind makes cards that work all the same.
	w.Clock.Pass(-time.Minute)
	behind := mustCard(w, 1)
	if _, err := w.Survey.Follow(t.Context(), behind.Code); err != nil {
		t.Errorf("made by a clock that is behind: %v", err)
	}
}

// TestACardLastsToTheEndOfADay, in London, over a change of clocks; a card made later
// lasts longer, and what was begun through the one before with it, but never past
// what a mail on the last day would have had.
func TestACardLastsToTheEndOfADay(t *testing.T) {
	w := roomtest.New(t)
	at := func(text string) time.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04", text, w.Survey.Policy().Location())
		if err != nil {
			t.Fatal(err)
		}
		return v.UTC()
	}
	w.Clock.Set(at("2026-03-20 15:00"))
	w.Receive(roomtest.Report(1, w.Clock.Now(), unreachable))
	w.Clock.Set(at("2026-03-22 15:00"))
	card := mustCard(w, 1)
	if want := at("2026-04-06 00:00"); !card.ExpiresAt.Equal(want) {
		t.Errorf("until %s, want %s", card.ExpiresAt, want)
	}
	if y, m, d := w.Survey.Policy().LastDay(card); y != 2026 || m != time.April || d != 5 {
		t.Errorf("the card names %d %s %d", d, m, y)
	}
	st := w.Sit(card.Code, false)
	w.Answer(st, map[string]string{"core.informed": "very-well"})
	w.Clock.Set(at("2026-04-02 09:00"))
	card = mustCard(w, 1)
	if want := at("2026-04-17 00:00"); !card.ExpiresAt.Equal(want) || !w.Invite(1, survey.StageReport, 1).ClosesAt.Equal(want) {
		t.Errorf("until %s, want %s", card.ExpiresAt, want)
	}
	w.Clock.Set(at("2026-04-07 09:00")) // after the first would have ended
	if n, err := w.Survey.CloseDrafts(t.Context(), 10); n != 0 || err != nil {
		t.Errorf("%d drafts were closed, %v", n, err)
	}
	if d, err := w.Survey.Follow(t.Context(), card.Code); err != nil || !d.Begun {
		t.Errorf("%+v %v", d, err)
	}
	card = mustCard(w, 1) // past the last day of asking, while it is open: no longer than it was
	if want := at("2026-04-17 00:00"); !card.ExpiresAt.Equal(want) {
		t.Errorf("until %s, want %s", card.ExpiresAt, want)
	}
	w.Clock.Set(at("2026-04-16 23:59"))
	if _, err := w.Survey.Follow(t.Context(), card.Code); err != nil {
		t.Errorf("in the last minute: %v", err)
	}
	w.Clock.Set(at("2026-04-17 00:00"))
	if _, err := w.Survey.Follow(t.Context(), card.Code); !survey.IsClosed(err) {
		t.Errorf("after its last day: %v", err)
	}
}

// TestACardAloneRemindsNobody: nothing is mailed because of it, its time ends, and
// mail that is safe later goes out as ever and leaves the card's time alone.
func TestACardAloneRemindsNobody(t *testing.T) {
	w := roomtest.New(t)
	w.Receive(roomtest.Report(1, w.Clock.Now(), func(e *survey.Event) { no := false; e.Contact.EmailSafe = &no }))
	w.Clock.Pass(2 * day)
	card := mustCard(w, 1)
	if v := w.Invite(1, survey.StageReport, 1); v.First.State != survey.MailRefused || v.First.Reason != survey.NotSafe || !v.ClosesAt.Equal(card.ExpiresAt) || v.CardAt.IsZero() {
		t.Errorf("%+v", v)
	}
	if next := w.Case(1).NextAt; !next.Equal(card.ExpiresAt) {
		t.Errorf("the case is looked at next at %s, want when the card ends", next)
	}
	for range 20 {
		w.Clock.Pass(day)
		if due := w.Due(); len(due) > 0 {
			t.Fatalf("a mail is due: %+v", due)
		}
	}
	v := w.Invite(1, survey.StageReport, 1)
	if v.Reminder.State != survey.MailNone || !v.Ended {
		t.Errorf("%+v", v)
	}

	// An address that becomes safe meanwhile gets its one mail, and both work.
	w.Receive(roomtest.Report(2, w.Clock.Now(), func(e *survey.Event) { no := false; e.Contact.EmailSafe = &no }))
	w.Clock.Pass(2 * day)
	card = mustCard(w, 2)
	yes := true
	safe := func(id string, ok *bool) survey.Event {
		now := w.Clock.Now()
		return roomtest.Event(2, id, survey.ContactChanged, now, func(e *survey.Event) {
			e.Contact = &survey.Contact{EmailSafe: ok, SafeConfirmedAt: &now}
		})
	}
	w.Receive(safe("safe", &yes))
	due := w.Due()
	if len(due) != 1 {
		t.Fatalf("%d mails are due", len(due))
	}
	// Not safe after all, at the moment of sending: the mail is dropped and the card goes on.
	w.Clock.Pass(time.Minute)
	no := false
	w.Receive(safe("unsafe", &no))
	var notDue *survey.NotDue
	if _, err := w.Survey.Claim(t.Context(), due[0]); !errors.As(err, &notDue) {
		t.Fatal(err)
	}
	if v := w.Invite(2, survey.StageReport, 1); !v.ClosesAt.Equal(card.ExpiresAt) || v.CardAt.IsZero() {
		t.Errorf("the card's time was taken away: %+v", v)
	}
	w.Clock.Pass(time.Minute)
	w.Receive(safe("safe-again", &yes))
	_, m := w.Mail()
	for name, secret := range map[string]string{"the card": card.Code, "the mail's link": m.Token} {
		if _, err := w.Survey.Follow(t.Context(), secret); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if v := w.Invite(2, survey.StageReport, 1); v.ClosesAt.Before(card.ExpiresAt) {
		t.Errorf("the mail cut the card's time short: %+v", v)
	}
}

// TestACardIsNotForgotten by what comes to be known of the case later, even where
// it turns out that the person was never to be asked.
func TestACardIsNotForgotten(t *testing.T) {
	w := roomtest.New(t)
	w.Receive(roomtest.Report(1, w.Clock.Now(), unreachable))
	w.Clock.Pass(2 * day)
	code := mustCard(w, 1).Code
	made := w.Invite(1, survey.StageReport, 1).CardAt
	w.Receive(roomtest.Event(1, "late", survey.Closed, w.Clock.Now().Add(-30*day), func(e *survey.Event) { e.Outcome = "nfa-other" }),
		roomtest.Event(1, "again", survey.Reopened, w.Clock.Now().Add(-25*day)), roomtest.Event(1, "back", survey.Withdrew, w.Clock.Now().Add(-day)))
	if v := w.Invite(1, survey.StageReport, 1); !v.CardAt.Equal(made) || v.First.Reason != survey.Superseded {
		t.Errorf("%+v", v)
	}
	if _, err := w.Survey.Follow(t.Context(), code); err != nil {
		t.Errorf("a card that was handed over works to its day, as a link that was mailed does: %v", err)
	}
	// A card of an investigation round that a correction of the report's date takes away.
	w.Receive(roomtest.Report(2, w.Clock.Now(), unreachable))
	w.Clock.Pass(29 * day)
	if _, err := makeCardFor(w, 2, survey.StageInvestigation, 1); err != nil {
		t.Fatal(err)
	}
	w.Receive(roomtest.Event(2, "never", survey.Corrected, time.Time{}, func(e *survey.Event) { e.Corrects, e.OccurredAt = "reported-2", w.Clock.Now() }))
	if v := w.Invite(2, survey.StageInvestigation, 1); v.CardAt.IsZero() || v.ClosesAt.IsZero() {
		t.Errorf("%+v", v)
	}
}

// TestCardCrashes: wherever making a card dies, making it again gives one that works.
func TestCardCrashes(t *testing.T) {
	roomtest.EachCrash(t, func(w *roomtest.World) {
		w.Receive(roomtest.Report(1, w.Clock.Now(), unreachable))
		w.Clock.Pass(2 * day)
		st := w.Sit(mustCard(w, 1).Code, false)
		w.Answer(st, map[string]string{"core.informed": "very-well"})
		w.Clock.Pass(3 * day)
		w.Store.Calls()
	}, func(w *roomtest.World) error {
		_, err := makeCard(w, 1)
		return err
	}, func(w *roomtest.World, crash string) {
		w.Clock.Pass(time.Second)
		card, err := makeCard(w, 1)
		if err != nil {
			t.Fatalf("%s: %v", crash, err)
		}
		if d, err := w.Survey.Follow(t.Context(), card.Code); err != nil || !d.Begun {
			t.Errorf("%s: %+v %v", crash, d, err)
		}
		if r := own1(w); !r.ClosesAt.Equal(card.ExpiresAt) {
			t.Errorf("%s: the draft closes at %s, the card at %s", crash, r.ClosesAt, card.ExpiresAt)
		}
	})
}
