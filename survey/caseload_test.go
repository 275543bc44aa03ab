package survey_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"victimvoice/internal/audit"
	"victimvoice/internal/fault"
	"victimvoice/internal/roomtest"
	"victimvoice/survey"
)

var ann = survey.Actor{ID: "staff-ann", Role: "advocate"}

// TestOtherAdvocatesCasesAreNotFound, by any door, and nothing about them is said.
func TestOtherAdvocatesCasesAreNotFound(t *testing.T) {
	w := roomtest.New(t)
	w.Receive(roomtest.Report(1, w.Clock.Now().Add(-2*day)), roomtest.Report(2, w.Clock.Now().Add(-2*day), func(e *survey.Event) { e.Advocate = "advocate2@example.org" }),
		roomtest.Report(3, w.Clock.Now().Add(-2*day), func(e *survey.Event) { e.Advocate = "" }))
	mine := w.Case(1).Facts.Advocate
	before := w.Actions("")
	consent := &survey.Consent{How: "phone", At: w.Clock.Now()}
	for name, who := range map[string]struct{ advocate, id string }{
		"another's": {mine, w.Case(2).ID}, "nobody's": {mine, w.Case(3).ID}, "nobody asks for nobody's": {"", w.Case(3).ID}, "no such case": {mine, "nothing"},
	} {
		for door, open := range map[string]func() error{
			"CaseFor": func() error { _, err := w.Survey.CaseFor(t.Context(), ann, who.advocate, who.id); return err },
			"BeginFor": func() error {
				_, _, err := w.Survey.BeginFor(t.Context(), ann, who.advocate, who.id, survey.StageReport, 1, survey.ModeRelayed, consent)
				return err
			},
			"Card": func() error {
				_, err := w.Survey.Card(t.Context(), ann, who.advocate, who.id, survey.StageReport, 1, "en")
				return err
			},
			"ResponsesFor": func() error { _, err := w.Survey.ResponsesFor(t.Context(), ann, who.advocate, who.id); return err },
			"WriteAgain":   func() error { return w.Survey.WriteAgain(t.Context(), ann, who.advocate, who.id) },
			"StopWriting":  func() error { return w.Survey.StopWriting(t.Context(), ann, who.advocate, who.id, true) },
		} {
			err := open()
			roomtest.Want(t, err, fault.NotFound, name+", "+door)
			if fault.MessageOf(err) != "there is no such case among yours" {
				t.Errorf("%s, %s: says %q", name, door, fault.MessageOf(err))
			}
		}
	}
	if got := w.Actions(""); len(got) != len(before) {
		t.Errorf("what was refused left traces of having been done: %v", got[len(before):])
	}
	if _, err := w.Store.Case(t.Context(), "nothing"); !fault.Is(err, fault.NotFound) {
		t.Error("a case was made by asking for it")
	}

	list, err := w.Survey.Caseload(t.Context(), ann, mine)
	if err != nil || len(list) != 1 || list[0].Ref != roomtest.Ref(1) {
		t.Errorf("the caseload: %+v %v", list, err)
	}
	if list, err := w.Survey.Caseload(t.Context(), ann, ""); err != nil || len(list) != 0 {
		t.Errorf("nobody's caseload: %+v %v", list, err)
	}
	// A case that passed to another is lost to the first from then on.
	w.Receive(roomtest.Event(1, "over", survey.AdvocateChanged, w.Clock.Now(), func(e *survey.Event) { e.Advocate = "advocate2@example.org" }))
	_, err = w.Survey.CaseFor(t.Context(), ann, mine, w.Case(1).ID)
	roomtest.Want(t, err, fault.NotFound, "after it passed on")
	if _, err := w.Survey.CaseFor(t.Context(), ann, w.Case(2).Facts.Advocate, w.Case(1).ID); err != nil {
		t.Errorf("the new advocate: %v", err)
	}
}

func TestEveryReadAndChangeLeavesATrace(t *testing.T) {
	w := roomtest.New(t)
	token := w.Invited(1)
	st := w.Sit(token, true)
	w.Answer(st, map[string]string{"core.confidence": "very"})
	w.Submit(st, survey.Ticks{Share: true})
	c := w.Case(1)
	a := c.Facts.Advocate
	for _, step := range []struct {
		want string
		do   func() error
	}{
		{"caseload.read", func() error { _, err := w.Survey.Caseload(t.Context(), ann, a); return err }},
		{"case.read", func() error { _, err := w.Survey.CaseFor(t.Context(), ann, a, c.ID); return err }},
		{"responses.read", func() error { _, err := w.Survey.ResponsesFor(t.Context(), ann, a, c.ID); return err }},
		{"contact.risk-placed", func() error { return w.Survey.StopWriting(t.Context(), ann, a, c.ID, true) }},
		{"contact.risk-lifted", func() error { return w.Survey.StopWriting(t.Context(), ann, a, c.ID, false) }},
		{"contact.opted-in", func() error { return w.Survey.WriteAgain(t.Context(), ann, a, c.ID) }},
		{"card.made", func() error {
			w.Clock.Set(roomtest.Start().Add(30 * day))
			_, err := w.Survey.Card(t.Context(), ann, a, c.ID, survey.StageInvestigation, 1, "en")
			return err
		}},
		{"response.begun-for-victim", func() error {
			w.Clock.Pass(30 * day)
			_, _, err := w.Survey.BeginFor(t.Context(), ann, a, c.ID, survey.StageInvestigation, 1, survey.ModeObserved, nil)
			return err
		}},
		{"response.voided", func() error {
			_, err := w.Survey.VoidResponse(t.Context(), audit.Entry{Actor: ann.ID, Role: ann.Role}, st.Response)
			return err
		}},
	} {
		// Where the trace cannot be laid, the thing is not done and nothing is shown.
		before := w.Case(1)
		w.Store.Fail(func(call string) error {
			if call == "InsertEntries" {
				return fault.New(fault.Unavailable, "away")
			}
			return nil
		})
		roomtest.Want(t, step.do(), fault.Unavailable, step.want+" without a trace")
		w.Store.Fail(nil)
		if w.Case(1).Version != before.Version {
			t.Errorf("%s changed the case without a trace", step.want)
		}
		if err := step.do(); err != nil {
			t.Errorf("%s: %v", step.want, err)
		}
		got := w.Actions("")
		if got[len(got)-1] != step.want {
			t.Errorf("want the trace %s, have %s", step.want, got[len(got)-1])
		}
	}
	if n, err := w.Audit.Verify(t.Context()); err != nil || n == 0 {
		t.Errorf("the chain: %d %v", n, err)
	}
}

func TestAnsweringForAVictim(t *testing.T) {
	w := roomtest.New(t)
	w.Receive(roomtest.Report(1, w.Clock.Now().Add(-2*day), func(e *survey.Event) { e.Contact = nil }))
	c := w.Case(1)
	begin := func(stage survey.Stage, round int, mode survey.Mode, consent *survey.Consent) (survey.Sitting, error) {
		_, st, err := w.Survey.BeginFor(t.Context(), ann, c.Facts.Advocate, c.ID, stage, round, mode, consent)
		return st, err
	}
	now := w.Clock.Now()
	for _, f := range []struct {
		name    string
		mode    survey.Mode
		consent *survey.Consent
		fields  string
	}{
		{"no consent", survey.ModeRelayed, nil, "consent_how"},
		{"a way that is none", survey.ModeRelayed, &survey.Consent{How: "telepathy", At: now}, "consent_how"},
		{"no day", survey.ModeRelayed, &survey.Consent{How: "phone"}, "consent_at"},
		{"a day to come", survey.ModeRelayed, &survey.Consent{How: "phone", At: now.Add(day)}, "consent_at"},
		{"as the victim", survey.ModeSelf, &survey.Consent{How: "phone", At: now}, "mode"},
		{"no mode", "", nil, "mode"},
	} {
		_, err := begin(survey.StageReport, 1, f.mode, f.consent)
		roomtest.Want(t, err, fault.Invalid, f.name)
		if fs := fault.FieldsOf(err); len(fs) != 1 || fs[0].Field != f.fields {
			t.Errorf("%s: %+v", f.name, fs)
		}
	}
	consent := &survey.Consent{How: "in-person", At: now}
	for name, s := range map[string]struct {
		stage survey.Stage
		round int
	}{"before its time": {survey.StageInvestigation, 1}, "not owed": {survey.StageClosure, 1}, "no such round": {survey.StageReport, 2}} {
		_, err := begin(s.stage, s.round, survey.ModeRelayed, consent)
		roomtest.Want(t, err, fault.Conflict, name)
	}

	st, err := begin(survey.StageReport, 1, survey.ModeRelayed, consent)
	if err != nil {
		t.Fatal(err)
	}
	w.Answer(st, map[string]string{"core.confidence": "fairly"})
	r, _ := w.Submit(st, survey.Ticks{})
	if r.Mode != survey.ModeRelayed || r.Consent == nil || r.Consent.How != "in-person" || r.Author != ann.ID {
		t.Errorf("relayed: %+v", r)
	}
	if _, err := w.Survey.MarkAnswered(t.Context(), &r); err != nil {
		t.Fatal(err)
	}
	_, err = begin(survey.StageReport, 1, survey.ModeRelayed, consent)
	roomtest.Want(t, err, fault.Conflict, "relayed a second time")
	// The advocate's own view is another thing, and carries no consent.
	if st, err = begin(survey.StageReport, 1, survey.ModeObserved, consent); err != nil {
		t.Fatal(err)
	}
	w.Answer(st, map[string]string{"core.confidence": "not-at-all"})
	if r, _ = w.Submit(st, survey.Ticks{}); r.Consent != nil || r.Mode != survey.ModeObserved {
		t.Errorf("observed: %+v", r)
	}
	rs, err := w.Survey.ResponsesFor(t.Context(), ann, c.Facts.Advocate, c.ID)
	if err != nil || len(rs) != 2 {
		t.Errorf("%d responses, %v", len(rs), err)
	}
}

// TestAdvocateBeginsAgain where a draft lapsed, and where wrong answers were voided.
func TestAdvocateBeginsAgain(t *testing.T) {
	w := roomtest.New(t)
	w.Receive(roomtest.Report(1, w.Clock.Now().Add(-2*day), func(e *survey.Event) { e.Contact = nil }))
	c := w.Case(1)
	begin := func() survey.Sitting {
		t.Helper()
		_, st, err := w.Survey.BeginFor(t.Context(), ann, c.Facts.Advocate, c.ID, survey.StageReport, 1, survey.ModeRelayed, &survey.Consent{How: "phone", At: w.Clock.Now()})
		if err != nil {
			t.Fatal(err)
		}
		return st
	}
	first := begin()
	w.Answer(first, map[string]string{"report.named": "yes"})
	w.Clock.Pass(15 * day)
	if n, err := w.Survey.CloseDrafts(t.Context(), 10); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	if err := w.TryAnswer(first, map[string]string{"report.named": "no"}); !survey.IsClosed(err) {
		t.Errorf("the lapsed session itself: %v", err)
	}
	w.Clock.Pass(time.Hour)
	st := begin()
	w.Answer(st, map[string]string{"core.confidence": "very"})
	r, _ := w.Submit(st, survey.Ticks{})
	if r.State != survey.Complete {
		t.Fatalf("%+v", r)
	}
	w.Clock.Pass(time.Hour)
	if _, err := w.Survey.VoidResponse(t.Context(), audit.Entry{Actor: ann.ID}, r.ID); err != nil {
		t.Fatal(err)
	}
	roomtest.Want(t, w.TryAnswer(st, map[string]string{"core.confidence": "not-at-all"}), fault.Conflict, "the session of the voided answers")
	w.Clock.Pass(time.Hour)
	st = begin()
	w.Answer(st, map[string]string{"core.confidence": "not-very"})
	if r, _ = w.Submit(st, survey.Ticks{}); r.State != survey.Complete || r.Version < 4 {
		t.Errorf("%+v", r)
	}
}

// TestWordsAreSharedOnlyWhenTicked.
func TestWordsAreSharedOnlyWhenTicked(t *testing.T) {
	for _, share := range []bool{false, true} {
		w := roomtest.New(t)
		st := w.Sit(w.Invited(1), true)
		w.Answer(st, map[string]string{"core.confidence": "very"})
		if rs, err := w.Survey.ResponsesFor(t.Context(), ann, w.Case(1).Facts.Advocate, w.Case(1).ID); err != nil || len(rs) != 0 {
			t.Errorf("a draft is shown: %v %v", rs, err)
		}
		w.Submit(st, survey.Ticks{Share: share, Contact: true, Quote: true, Told: true})
		rs, err := w.Survey.ResponsesFor(t.Context(), ann, w.Case(1).Facts.Advocate, w.Case(1).ID)
		if err != nil || (len(rs) == 1) != share {
			t.Errorf("share %t: %d responses, %v", share, len(rs), err)
		}
		if read := slices.Contains(w.Actions(""), "responses.read"); read != share {
			t.Errorf("share %t: traced as read: %t", share, read)
		}
		kept, err := w.Survey.UnsharedFor(t.Context(), w.Case(1).Facts.Advocate, w.Case(1).ID)
		if err != nil || (len(kept) == 0) != share {
			t.Errorf("share %t: %d kept unread, %v", share, len(kept), err)
		}
		for _, r := range kept { // that it is there may be known; what it says may not
			if r.Packed != nil || r.Words != nil || r.Hits != nil || r.Ticks != (survey.Ticks{}) || r.ID == "" || r.SubmittedAt.IsZero() {
				t.Errorf("an unshared response tells more than that it is there: %+v", r)
			}
		}
		if _, err := w.Survey.UnsharedFor(t.Context(), "another", w.Case(1).ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("another advocate: %v", err)
		}
	}
}

// TestCaseViewHoldsNoAddress.
func TestCaseViewHoldsNoAddress(t *testing.T) {
	w := roomtest.New(t)
	w.Receive(roomtest.Report(1, w.Clock.Now()))
	v, err := w.Survey.CaseFor(t.Context(), ann, w.Case(1).Facts.Advocate, w.Case(1).ID)
	if err != nil || v.Ref != roomtest.Ref(1) {
		t.Fatal(v, err)
	}
	if strings.Contains(v.Facts.Contact.Address, "@") {
		t.Error("the view holds the address")
	}
}
