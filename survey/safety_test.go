package survey_test

import (
	"testing"
	"time"

	"victimvoice/internal/fault"
	"victimvoice/internal/roomtest"
	"victimvoice/survey"
	"victimvoice/survey/questionnaires"
)

// TestRunOutButNotLeft: a session that ran out may still write, one that was left
// or has sent its answers may not.
func TestRunOutButNotLeft(t *testing.T) {
	w := roomtest.New(t)
	begin := func(token string) (string, survey.Sitting) {
		secret, st, err := w.Survey.Begin(t.Context(), token, "en", true)
		if err != nil {
			t.Fatal(err)
		}
		return secret, st
	}
	secret, st := begin(w.Invited(1))
	if _, err := w.Survey.RunOut(t.Context(), secret); !survey.IsClosed(err) {
		t.Errorf("a session that goes on has not run out: %v", err)
	}
	w.Clock.Pass(2 * time.Hour)
	if _, err := w.Survey.Sitting(t.Context(), secret); !survey.IsClosed(err) {
		t.Errorf("it may still read: %v", err)
	}
	late, err := w.Survey.RunOut(t.Context(), secret)
	if err != nil || late.Response != st.Response {
		t.Fatalf("%+v %v", late, err)
	}
	if err := w.Survey.Leave(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Survey.RunOut(t.Context(), secret); !survey.IsClosed(err) {
		t.Errorf("a session that was left may still write: %v", err)
	}
	secret, st = begin(w.Invited(2))
	w.Answer(st, map[string]string{"core.confidence": "very"})
	w.Submit(st, survey.Ticks{})
	w.Clock.Pass(2 * time.Hour)
	if _, err := w.Survey.RunOut(t.Context(), secret); !survey.IsClosed(err) {
		t.Errorf("a session that has sent may still write: %v", err)
	}
}

// TestThanksAreForTheSenderAndNotForLong: the receipt is shown to the session that
// sent the answers, for a while that no reload makes longer.
func TestThanksAreForTheSenderAndNotForLong(t *testing.T) {
	w := roomtest.New(t)
	token := w.Invited(1)
	other := w.Sit(token, true)
	secret, st, err := w.Survey.Begin(t.Context(), token, "en", true)
	if err != nil {
		t.Fatal(err)
	}
	w.Answer(st, map[string]string{"core.confidence": "very"})
	w.Submit(st, survey.Ticks{})
	for sitting, want := range map[*survey.Sitting]bool{&st: true, &other: false} {
		sh, err := w.Survey.Sheet(t.Context(), *sitting)
		if err != nil || !sh.Over || sh.Sent != want {
			t.Errorf("over %t, sent %t, want %t: %v", sh.Over, sh.Sent, want, err)
		}
	}
	shown := time.Duration(0)
	for ; shown < time.Hour; shown += 5 * time.Minute {
		if _, err := w.Survey.Sitting(t.Context(), secret); survey.IsClosed(err) {
			break
		}
		w.Clock.Pass(5 * time.Minute)
	}
	if shown == 0 || shown > 20*time.Minute {
		t.Errorf("the receipt is shown for %s", shown)
	}
}

// TestEmptyFormsAreNobodysBeginning: a program that sends empty forms through to
// the end takes nothing from the person who comes after it.
func TestEmptyFormsAreNobodysBeginning(t *testing.T) {
	w := roomtest.New(t)
	token := w.Invited(1)
	st := w.Sit(token, true)
	for range 3 {
		sh, err := w.Survey.Sheet(t.Context(), st)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Survey.Save(t.Context(), st, sh.Pages[sh.Reach], questionnaires.Answers{}); err != nil {
			t.Fatal(err)
		}
	}
	if sh, err := w.Survey.Sheet(t.Context(), st); err != nil || sh.Reach != 3 {
		t.Fatalf("whoever passes over questions gets on: %d %v", sh.Reach, err)
	}
	_, _, err := w.Survey.Submit(t.Context(), st, survey.Ticks{})
	roomtest.Want(t, err, fault.Invalid, "sending nothing but empty forms")
	w.Clock.Pass(time.Minute)
	d, err := w.Survey.Follow(t.Context(), token)
	if err != nil || d.Begun {
		t.Errorf("begun %t, %v", d.Begun, err)
	}
	sh, err := w.Survey.Sheet(t.Context(), w.Sit(token, true))
	if err != nil || sh.Begun || sh.Reach != 0 {
		t.Errorf("begun %t, at %d: %v", sh.Begun, sh.Reach, err)
	}
	// "Rather not say" is an answer that a person gave.
	if err := w.Survey.Save(t.Context(), st, sh.Pages[0], questionnaires.Answers{sh.Pages[0].Items[0].ID: {State: questionnaires.PreferNot}}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.Survey.Submit(t.Context(), st, survey.Ticks{}); err != nil {
		t.Error(err)
	}
}

// TestAnAdvocateBeginsAgain: where answers were voided, a new session shows the
// questions and not that they were sent.
func TestAnAdvocateBeginsAgain(t *testing.T) {
	w := roomtest.New(t)
	w.Invited(1)
	relay := func() survey.Sitting {
		c := w.Case(1)
		_, st, err := w.Survey.BeginFor(t.Context(), ann, c.Facts.Advocate, c.ID, survey.StageReport, 1, survey.ModeRelayed, &survey.Consent{How: "phone", At: w.Clock.Now()})
		if err != nil {
			t.Fatal(err)
		}
		return st
	}
	st := relay()
	w.Answer(st, map[string]string{"core.confidence": "very"})
	r, _ := w.Submit(st, survey.Ticks{})
	if _, err := w.Survey.VoidResponse(t.Context(), ann.Entry("", ""), r.ID); err != nil {
		t.Fatal(err)
	}
	w.Clock.Pass(time.Minute)
	st = relay()
	if sh, err := w.Survey.Sheet(t.Context(), st); err != nil || sh.Over || sh.Begun {
		t.Errorf("over %t, begun %t: %v", sh.Over, sh.Begun, err)
	}
}
