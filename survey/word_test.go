package survey_test

import (
	"strings"
	"testing"
	"time"

	"victimvoice/internal/fault"
	"victimvoice/internal/roomtest"
	"victimvoice/survey"
	"victimvoice/survey/questionnaires"
)

func actor() survey.Actor { return survey.Actor{ID: "u1", Role: "advocate"} }

func give(w *roomtest.World, st survey.Sitting, word string) (survey.Sitting, survey.Tried) {
	w.TB.Helper()
	st, tried, err := w.Survey.GiveWord(w.TB.Context(), st, word)
	if err != nil {
		w.TB.Fatal(err)
	}
	return st, tried
}

// TestAgreedWord: until it is given, a session shows and takes nothing.
func TestAgreedWord(t *testing.T) {
	w := roomtest.New(t)
	ctx := t.Context()
	token := w.Invited(1)
	id, key := w.Case(1).ID, w.Keys.AdvocateKey(roomtest.Advocate)
	st := w.Sit(token, false)
	w.Answer(st, map[string]string{"core.serious": "agree"})
	if d, err := w.Survey.Follow(ctx, token); err != nil || !d.Begun {
		t.Fatalf("%+v %v", d, err)
	}
	roomtest.Want(t, w.Survey.SetWord(ctx, actor(), w.Keys.AdvocateKey("other@example.org"), id, "Blue Kettle"), fault.NotFound, "another advocate")
	for _, bad := range []string{"abc", "- - -", strings.Repeat("x", survey.MaxWord+1), "bad\xff word"} {
		err := w.Survey.SetWord(ctx, actor(), key, id, bad)
		roomtest.Want(t, err, fault.Invalid, bad)
		if f := fault.FieldsOf(err); len(f) != 1 || f[0].Field != "word" {
			t.Errorf("%q: %v", bad, f)
		}
	}
	if err := w.Survey.SetWord(ctx, actor(), key, id, "Blue Kettle"); err != nil {
		t.Fatal(err)
	}
	if c := w.Case(1); c.Word.Hash == "" || strings.Contains(c.Word.Hash, "lue") {
		t.Errorf("kept as %q", c.Word.Hash)
	}
	if d, err := w.Survey.Follow(ctx, token); err != nil || d.Begun {
		t.Errorf("the opening page tells that something was begun: %+v %v", d, err)
	}

	st = w.Sit(token, false)
	if !st.Locked {
		t.Fatal("no word is asked for")
	}
	if _, err := w.Survey.Sheet(ctx, st); !survey.IsClosed(err) {
		t.Errorf("a locked session shows the questions: %v", err)
	}
	if err := w.TryAnswer(st, map[string]string{"core.confidence": "very"}); !survey.IsClosed(err) {
		t.Errorf("a locked session takes answers: %v", err)
	}
	if _, _, err := w.Survey.Submit(ctx, st, survey.Ticks{}); !survey.IsClosed(err) {
		t.Errorf("a locked session sends: %v", err)
	}
	if err := w.Survey.StartAgain(ctx, st); !survey.IsClosed(err) {
		t.Errorf("a locked session throws answers away: %v", err)
	}
	if err := w.Survey.KeepCode(ctx, st, "mine", true); !survey.IsClosed(err) {
		t.Errorf("a locked session changes the word: %v", err)
	}
	for _, wrong := range []string{"", "blue", "kettleblue", "Blue Kettles"} {
		if _, tried := give(w, st, wrong); tried != survey.WordWrong {
			t.Errorf("%q gives %d", wrong, tried)
		}
	}
	st, tried := give(w, st, " blue-KETTLE ")
	if tried != survey.WordRight || st.Locked || st.Open {
		t.Fatalf("%d %+v", tried, st)
	}
	if w.Case(1).Word.Wrong != 0 {
		t.Error("the wrong tries stay counted")
	}
	w.Answer(st, map[string]string{"core.confidence": "very"})

	// Taken away while a session waits for it.
	st = w.Sit(token, false)
	if err := w.Survey.SetWord(ctx, actor(), key, id, ""); err != nil {
		t.Fatal(err)
	}
	if st, tried = give(w, st, "anything"); tried != survey.WordRight || st.Locked {
		t.Errorf("%d %+v", tried, st)
	}
}

// TestWordsAreNotGuessed: five wrong ones wait an hour, twenty end it, from
// however many sessions; neither a fresh session nor time gives more.
func TestWordsAreNotGuessed(t *testing.T) {
	w := roomtest.New(t)
	token := w.Invited(1)
	id, key := w.Case(1).ID, w.Keys.AdvocateKey(roomtest.Advocate)
	if err := w.Survey.SetWord(t.Context(), actor(), key, id, "Blue Kettle"); err != nil {
		t.Fatal(err)
	}
	count := 0
	for range 4 {
		for i := range 5 {
			_, tried := give(w, w.Sit(token, false), "guess")
			count++
			want := survey.WordWrong
			if i == 4 {
				want = survey.WordWaits
			}
			if count == 20 {
				want = survey.WordEnded
			}
			if tried != want {
				t.Fatalf("try %d gives %d, want %d", count, tried, want)
			}
		}
		if count < 20 {
			if _, tried := give(w, w.Sit(token, false), "Blue Kettle"); tried != survey.WordWaits {
				t.Errorf("after %d wrong ones the right one is taken at once: %d", count, tried)
			}
		}
		w.Clock.Pass(time.Hour)
	}
	w.Clock.Pass(24 * time.Hour)
	if _, tried := give(w, w.Sit(token, false), "Blue Kettle"); tried != survey.WordEnded {
		t.Errorf("a word that was guessed at is still taken: %d", tried)
	}
	if v, err := w.Survey.CaseFor(t.Context(), actor(), key, id); err != nil || !v.HasWord || !v.WordEnded {
		t.Errorf("the advocate is not told: %+v %v", v, err)
	}
	if err := w.Survey.SetWord(t.Context(), actor(), key, id, "New Word"); err != nil {
		t.Fatal(err)
	}
	if _, tried := give(w, w.Sit(token, false), "newword"); tried != survey.WordRight {
		t.Errorf("a word agreed anew gives %d", tried)
	}
}

// TestReturnCode: earlier answers are shown to whoever knows the word that the
// person chose, and to nobody else; without it the questions go on.
func TestReturnCode(t *testing.T) {
	w := roomtest.New(t)
	ctx := t.Context()
	token := w.Invited(1)
	st := w.Sit(token, false)
	if err := w.Survey.KeepCode(ctx, st, "my own 7", false); err != nil { // before the first answer, too
		t.Fatal(err)
	}
	w.Answer(st, map[string]string{"core.serious": "agree", "open.better": "Ring me back."})
	sheet := func(st survey.Sitting) survey.Sheet {
		t.Helper()
		sh, err := w.Survey.Sheet(ctx, st)
		if err != nil {
			t.Fatal(err)
		}
		return sh
	}
	if sh := sheet(st); sh.Returned || !sh.Guarded {
		t.Errorf("in the same session: %+v", sh)
	}
	back := w.Sit(token, false)
	if sh := sheet(back); !sh.Returned || !sh.Guarded || back.Open {
		t.Errorf("coming back: %+v", sh)
	}
	if _, tried, err := w.Survey.GiveCode(ctx, back, "not it"); err != nil || tried != survey.WordWrong {
		t.Errorf("%d %v", tried, err)
	}
	back, tried, err := w.Survey.GiveCode(ctx, back, "My Own ٧") // the same numeral
	if err != nil || tried != survey.WordRight || !back.Open {
		t.Fatalf("%d %v %+v", tried, err, back)
	}
	if sh := sheet(back); sh.Returned {
		t.Error("it asks again how to go on")
	}
	// Where answers are shown, an emptied question is emptied.
	for _, p := range sheet(back).Pages {
		if p.Items[0].ID == "core.serious" {
			if err := w.Survey.Save(ctx, back, p, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	if a := sheet(back).Answers; a["core.serious"].State != questionnaires.Skipped || a["open.better"].Text != "Ring me back." {
		t.Errorf("%+v", a)
	}
	// Sent answers leave no word behind.
	r, _ := w.Submit(back, survey.Ticks{})
	if r.Code.Set() || r.SavedBy != "" {
		t.Errorf("%+v", r.Code)
	}
	if _, _, err := w.Survey.GiveCode(ctx, back, "my own 7"); !survey.IsClosed(err) {
		t.Errorf("a sent response still takes the word: %v", err)
	}
}

// TestOneWordForBoth: a word that is asked for first opens the earlier answers too.
func TestOneWordForBoth(t *testing.T) {
	w := roomtest.New(t)
	token := w.Invited(1)
	st := w.Sit(token, false)
	w.Answer(st, map[string]string{"core.serious": "agree"})
	if err := w.Survey.KeepCode(t.Context(), st, "Ivy 1990", true); err != nil {
		t.Fatal(err)
	}
	back := w.Sit(token, false)
	if !back.Locked {
		t.Fatal("the word is not asked for first")
	}
	if back, tried := give(w, back, "ivy1990"); tried != survey.WordRight || !back.Open {
		t.Errorf("%d %+v", tried, back)
	}
}

func TestStartAgain(t *testing.T) {
	w := roomtest.New(t)
	ctx := t.Context()
	token := w.Invited(1)
	st := w.Sit(token, false)
	if err := w.Survey.StartAgain(ctx, st); err != nil { // nothing there: nothing lost
		t.Fatal(err)
	}
	w.Answer(st, map[string]string{"core.serious": "agree", "core.safer": "much-less-safe"})
	if err := w.Survey.KeepCode(ctx, st, "a word", false); err != nil {
		t.Fatal(err)
	}
	back := w.Sit(token, false)
	if err := w.Survey.StartAgain(ctx, back); err != nil {
		t.Fatal(err)
	}
	sh, err := w.Survey.Sheet(ctx, back)
	if err != nil || sh.Begun || sh.Guarded || sh.Reach != 0 || len(sh.Answers) != 0 {
		t.Fatalf("%+v %v", sh, err)
	}
	if _, _, err := w.Survey.Submit(ctx, back, survey.Ticks{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("nothing is sent: %v", err)
	}
	w.Answer(back, map[string]string{"core.confidence": "very"})
	r, _ := w.Submit(back, survey.Ticks{})
	if len(r.Hits) != 0 {
		t.Errorf("what was thrown away still counts: %+v", r.Hits)
	}
	if err := w.Survey.StartAgain(ctx, back); !fault.Is(err, fault.Conflict) {
		t.Errorf("sent answers are thrown away: %v", err)
	}
}
