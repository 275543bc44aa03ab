package survey_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"victimvoice/internal/fault"
	"victimvoice/internal/roomtest"
	"victimvoice/survey"
	"victimvoice/survey/questionnaires"
)

// told is what a person tells about themselves: all but their religion, which they pass over.
var told = map[string]string{
	"about.age": "25-34", "about.sex": "female", "about.gender": "same", "about.ethnicity": "asian", "about.disability": "no", "about.orientation": "prefer-not",
}

// tell answers a first question, passes the others over and tells about the person.
func tell(w *roomtest.World, st survey.Sitting, about map[string]string) {
	w.TB.Helper()
	w.Answer(st, map[string]string{"core.confidence": "very"})
	w.TellAbout(st, about)
}

// send keeps a session's answers and does what follows from it.
func send(w *roomtest.World, st survey.Sitting) (survey.Response, string) {
	w.TB.Helper()
	r, code := w.Submit(st, survey.Ticks{})
	if err := w.Loop.FollowUp(w.TB.Context(), &r); err != nil {
		w.TB.Fatal(err)
	}
	return r, code
}

// withdraw takes answers back, with all that follows.
func withdraw(w *roomtest.World, code string) error {
	r, err := w.Survey.WithdrawAnswers(w.TB.Context(), code)
	if err != nil {
		return err
	}
	return w.Loop.FollowUp(w.TB.Context(), &r)
}

// asked reports whether a session's person is asked about themselves, once all
// questions are passed.
func asked(w *roomtest.World, st survey.Sitting) bool {
	w.TB.Helper()
	return len(w.PassQuestions(st).About.Pages) > 0
}

// answersOf opens what a person told about themselves.
func answersOf(w *roomtest.World, a survey.About) questionnaires.Answers {
	w.TB.Helper()
	packed, err := w.Survey.PackedAbout(&a)
	if err != nil {
		w.TB.Fatal(err)
	}
	q, ok := w.Survey.Questionnaires().ByID(a.Questionnaire)
	if !ok {
		w.TB.Fatalf("there is no questionnaire %q", a.Questionnaire)
	}
	out, err := q.Unpack(packed)
	if err != nil {
		w.TB.Fatal(err)
	}
	return out
}

// ended closes case n and lets time go by until its closure survey is mailed; it gives the token.
func ended(w *roomtest.World, n int) string {
	w.TB.Helper()
	w.Clock.Pass(11 * day)
	at := w.Clock.Now().Add(-time.Hour)
	w.Receive(roomtest.Event(n, "closed", survey.Closed, at, func(e *survey.Event) { e.Outcome = "nfa-evidential" }), roomtest.Event(n, "told", survey.ClosureNotified, at))
	w.Clock.Pass(8 * day)
	for _, e := range w.Due() {
		if m := w.Deliver(e); e.Case == w.Case(n).ID && e.Stage == survey.StageClosure {
			return m.Token
		}
	}
	w.TB.Fatal("no closure survey is mailed")
	return ""
}

func named(person string) func(*survey.Event) {
	return func(e *survey.Event) { e.PersonRef = person }
}

func TestAboutIsKeptApart(t *testing.T) {
	w := roomtest.New(t)
	st := w.Sit(w.Invited(1, named("P-77")), false)
	tell(w, st, told)
	if got := w.Abouts(); len(got) != 0 {
		t.Fatalf("kept before the answers are: %+v", got)
	}
	r, _ := w.Submit(st, survey.Ticks{})
	if len(r.About) == 0 || r.AboutForm != "about/1" {
		t.Fatalf("the kept response does not carry it over: %+v", r)
	}
	if err := w.Loop.FollowUp(t.Context(), &r); err != nil {
		t.Fatal(err)
	}
	if r = w.Response(r.ID); r.About != nil || r.AboutForm != "" {
		t.Errorf("it is still with the answers: %+v", r)
	}
	all := w.Abouts()
	if len(all) != 1 || all[0].State != survey.AboutAnswered || all[0].Questionnaire != "about/1" || !all[0].AskedAt.Equal(r.SubmittedAt) {
		t.Fatalf("%+v", all)
	}
	want := questionnaires.Answers{"about.religion": {State: questionnaires.Skipped}}
	for item, choice := range told {
		want[item] = questionnaires.Answer{State: questionnaires.Answered, Choice: choice}
	}
	want["about.orientation"] = questionnaires.Answer{State: questionnaires.PreferNot, Choice: "prefer-not"}
	if d := cmp.Diff(want, answersOf(w, all[0])); d != "" {
		t.Error(d)
	}

	// Nothing that is stored leads from one to the other, and no choice is in clear.
	c := w.Case(1)
	about, err := json.Marshal(all[0])
	if err != nil {
		t.Fatal(err)
	}
	for name, id := range map[string]string{"case": c.ID, "respondent": c.Respondent, "person": c.Facts.Person, "response": r.ID, "choice": "asian"} {
		if bytes.Contains(about, []byte(id)) {
			t.Errorf("what is told about a person holds the %s: %s", name, about)
		}
	}
	for name, doc := range map[string]any{"case": c, "response": r, "session": st} {
		b, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte(all[0].ID)) || bytes.Contains(b, []byte(all[0].Given)) {
			t.Errorf("the %s leads to what its person told", name)
		}
	}
}

// TestAboutIsAskedOnce, at whichever stage, in whichever of the person's cases.
func TestAboutIsAskedOnce(t *testing.T) {
	for name, about := range map[string]map[string]string{"answered": told, "passed over": {}, "rather not say": {"about.age": "prefer-not"}} {
		t.Run(name, func(t *testing.T) {
			w := roomtest.New(t)
			st := w.Sit(w.Invited(1, named("P-77")), false)
			tell(w, st, about)
			_, code := send(w, st)
			want := survey.AboutAnswered
			if len(about) == 0 {
				want = survey.AboutPassedOver
			}
			if all := w.Abouts(); len(all) != 1 || all[0].State != want {
				t.Fatalf("%+v, want %s", all, want)
			}
			second := w.Sit(w.Invited(2, named("P-77")), false)
			w.Answer(second, map[string]string{"core.confidence": "very"})
			if asked(w, second) {
				t.Error("the same person is asked again in another case")
			}
			other := w.Sit(w.Invited(3, named("P-78")), false)
			w.Answer(other, map[string]string{"core.confidence": "very"})
			if !asked(w, other) {
				t.Error("another person is not asked")
			}
			token := ended(w, 1)
			next := w.Sit(token, false)
			w.Answer(next, map[string]string{"core.confidence": "very"})
			if asked(w, next) {
				t.Error("asked again at the next stage")
			}
			// Taken back, it is asked again: of this person's other case too.
			if err := withdraw(w, code); err != nil {
				t.Fatal(err)
			}
			for name, st := range map[string]survey.Sitting{"at the next stage": next, "in the other case": second} {
				if !asked(w, st) {
					t.Errorf("taken back, and not asked again %s", name)
				}
			}
		})
	}
}

func TestAboutOfACaseWithoutAPerson(t *testing.T) {
	w := roomtest.New(t)
	st := w.Sit(w.Invited(1), false)
	tell(w, st, told)
	_, code := send(w, st)
	other := w.Sit(w.Invited(2), false)
	w.Answer(other, map[string]string{"core.confidence": "very"})
	if !asked(w, other) {
		t.Error("two cases without a person are taken for one")
	}
	// The police name the person afterwards: what was told stands, and is not asked again.
	w.Receive(roomtest.Event(1, "moved", survey.Progressed, w.Clock.Now(), named("P-77"), func(e *survey.Event) { e.Milestone = "arrest" }))
	token := ended(w, 1)
	next := w.Sit(token, false)
	w.Answer(next, map[string]string{"core.confidence": "very"})
	if asked(w, next) {
		t.Error("asked again once the person was named")
	}
	c := w.Case(1)
	if keys := w.Survey.AboutKeys(&c); len(keys) != 2 || keys[1] != w.Abouts()[0].ID {
		t.Errorf("it stands under %v, not where figures look: %v", w.Abouts(), keys)
	}
	if err := withdraw(w, code); err != nil {
		t.Fatal(err)
	}
	if got := w.Abouts(); slices.ContainsFunc(got, func(a survey.About) bool { return a.State != survey.AboutGone }) {
		t.Errorf("taken back, and something is left: %+v", got)
	}
}

// TestAboutUnderAPersonCorrectedSince is found when it is taken back.
func TestAboutUnderAPersonCorrectedSince(t *testing.T) {
	w := roomtest.New(t)
	st := w.Sit(w.Invited(1, named("wrong")), false)
	tell(w, st, told)
	_, code := send(w, st)
	w.Receive(roomtest.Report(1, w.Clock.Now().Add(-25*time.Hour), named("right"), func(e *survey.Event) {
		e.EventID, e.Type, e.Corrects = "corrected-1", survey.Corrected, "reported-1"
	}))
	if err := withdraw(w, code); err != nil {
		t.Fatal(err)
	}
	for _, a := range w.Abouts() {
		if a.State != survey.AboutGone || a.Sealed != nil {
			t.Errorf("something is left: %+v", a)
		}
	}
}

func TestAboutIsNotAskedOfEverybody(t *testing.T) {
	w := roomtest.New(t)
	quick := w.Sit(w.Invited(1), true)
	w.Answer(quick, map[string]string{"core.confidence": "very"})
	if asked(w, quick) {
		t.Error("the quick path promised a minute")
	}
	early := w.Sit(w.Invited(2), false)
	w.Answer(early, map[string]string{"core.confidence": "very"})
	if sh, err := w.Survey.Sheet(t.Context(), early); err != nil || len(sh.About.Pages) != 0 || sh.Next() != 2 {
		t.Errorf("asked before the questions: %+v, next %d, %v", sh.About, sh.Next(), err)
	}
	empty := w.Sit(w.Invited(3), false)
	if sh := w.PassQuestions(empty); len(sh.About.Pages) != 0 || sh.Next() != len(sh.Pages)+1 {
		t.Error("asked of a draft in which nothing was chosen, which may be a program's")
	}
	for _, mode := range []survey.Mode{survey.ModeRelayed, survey.ModeObserved} {
		w.Invited(10 + len(mode))
		c := w.Case(10 + len(mode))
		_, st, err := w.Survey.BeginFor(t.Context(), ann, c.Facts.Advocate, c.ID, survey.StageReport, 1, mode, &survey.Consent{How: "phone", At: w.Clock.Now()})
		if err != nil {
			t.Fatal(err)
		}
		w.Answer(st, map[string]string{"core.confidence": "very"})
		if asked(w, st) {
			t.Errorf("%s: an advocate is asked", mode)
		}
		page := questionnaires.Page{ID: "age-and-sex", Items: w.Survey.Questionnaires().About().Items}
		roomtest.Want(t, w.Survey.SaveAbout(t.Context(), st, page, nil), fault.Invalid, string(mode))
	}
	page := questionnaires.Page{ID: "age-and-sex", Items: w.Survey.Questionnaires().About().Items}
	for name, st := range map[string]survey.Sitting{"quick": quick, "nothing chosen": empty} {
		roomtest.Want(t, w.Survey.SaveAbout(t.Context(), st, page, nil), fault.Invalid, name)
	}
	if got := w.Abouts(); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

// TestAboutPagesAreShort, keep the order of the questions, and lose none.
func TestAboutPagesAreShort(t *testing.T) {
	w := roomtest.New(t)
	st := w.Sit(w.Invited(1), false)
	w.Answer(st, map[string]string{"core.confidence": "very"})
	sh := w.PassQuestions(st)
	var items []string
	for _, p := range sh.About.Pages {
		options := 0
		for _, it := range p.Items {
			items, options = append(items, it.ID), options+len(it.Options)
		}
		if options > 14 {
			t.Errorf("%s offers %d answers", p.ID, options)
		}
		if title, _ := sh.About.Questionnaire.Text("en", false).Page(p.ID); title == "" {
			t.Errorf("%s has no title", p.ID)
		}
	}
	var want []string
	for _, it := range w.Survey.Questionnaires().About().Items {
		want = append(want, it.ID)
	}
	if d := cmp.Diff(want, items); d != "" {
		t.Error(d)
	}
}

func TestSaveAboutIsIdempotentAndKeepsWhatWasThere(t *testing.T) {
	w := roomtest.New(t)
	token := w.Invited(1)
	tabs := []survey.Sitting{w.Sit(token, false), w.Sit(token, false)}
	w.Answer(tabs[0], map[string]string{"core.confidence": "very"})
	sh := w.PassQuestions(tabs[0])
	first := sh.About.Pages[0]
	given := questionnaires.Answers{"about.age": first.Items[0].Choose("25-34"), "about.religion": {State: questionnaires.Answered, Choice: "none"}}
	for i := range 3 {
		if err := w.Survey.SaveAbout(t.Context(), tabs[i%2], first, given); err != nil {
			t.Fatal(err)
		}
	}
	sheet := func() survey.Sheet {
		sh, err := w.Survey.Sheet(t.Context(), tabs[0])
		if err != nil {
			t.Fatal(err)
		}
		return sh
	}
	sh = sheet()
	if sh.About.Reach != 1 || sh.Next() != len(sh.Pages)+2 || sh.Answers["about.age"].Choice != "25-34" || sh.Answers["about.sex"].State != questionnaires.Skipped ||
		sh.Answers["about.religion"].State != questionnaires.NotReached { // of another page
		t.Errorf("reach %d: %v", sh.About.Reach, sh.Answers)
	}
	// An empty form undoes nothing; another choice takes the earlier one's place; faults leave all as it was.
	for _, again := range []struct {
		choice, want string
	}{{"", "25-34"}, {"35-44", "35-44"}} {
		page := questionnaires.Answers{}
		if again.choice != "" {
			page["about.age"] = first.Items[0].Choose(again.choice)
		}
		if err := w.Survey.SaveAbout(t.Context(), tabs[1], first, page); err != nil {
			t.Fatal(err)
		}
		if got := sheet().Answers["about.age"].Choice; got != again.want {
			t.Errorf("%q kept, want %q", got, again.want)
		}
	}
	err := w.Survey.SaveAbout(t.Context(), tabs[0], first, questionnaires.Answers{"about.age": {State: questionnaires.Answered, Choice: "old"}})
	roomtest.Want(t, err, fault.Invalid, "an option of no such name")
	if fs := fault.FieldsOf(err); len(fs) != 1 || fs[0].Field != "about.age" {
		t.Errorf("%+v", fs)
	}
	r, _ := send(w, tabs[0])
	roomtest.Want(t, w.Survey.SaveAbout(t.Context(), tabs[1], first, given), fault.Conflict, "after sending")
	if all := w.Abouts(); len(all) != 1 || answersOf(w, all[0])["about.age"].Choice != "35-44" {
		t.Errorf("%+v", all)
	}
	// The questions about the person are no part of the questionnaire's own answers.
	q, _ := w.Survey.Questionnaires().ByID(r.Questionnaire)
	a, err := q.Unpack(r.Packed)
	if err != nil {
		t.Fatal(err)
	}
	for id := range a {
		if strings.HasPrefix(id, "about.") {
			t.Errorf("%s is among the answers", id)
		}
	}
	w.Clock.Pass(20 * day)
	if err := w.Survey.SaveAbout(t.Context(), tabs[1], first, given); !survey.IsClosed(err) {
		t.Errorf("after its time: %v", err)
	}
}

// TestAboutGoesWithItsDraft: kept with a partial response, gone with one that lapses.
func TestAboutGoesWithItsDraft(t *testing.T) {
	w := roomtest.New(t)
	kept := w.Sit(w.Invited(1), false)
	tell(w, kept, told)
	lapsed := w.Sit(w.Invited(2), false)
	w.Answer(lapsed, map[string]string{"report.named": "yes"}) // no core tracker
	w.TellAbout(lapsed, told)
	w.Clock.Pass(15 * day)
	if n, err := w.Survey.CloseDrafts(t.Context(), 10); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	if n, err := w.Loop.Sweep(t.Context()); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	if a, b := w.Response(kept.Response), w.Response(lapsed.Response); a.State != survey.Partial || b.State != survey.Lapsed || b.Draft != nil || b.About != nil {
		t.Fatalf("%+v %+v", a, b)
	}
	all := w.Abouts()
	if len(all) != 1 || all[0].State != survey.AboutAnswered {
		t.Fatalf("%+v", all)
	}
	if got := answersOf(w, all[0])["about.ethnicity"].Choice; got != "asian" {
		t.Errorf("%q", got)
	}
}

// TestWhatIsToldFirstStands, unless it was nothing.
func TestWhatIsToldFirstStands(t *testing.T) {
	w := roomtest.New(t)
	var sts []survey.Sitting
	for n := 1; n <= 3; n++ {
		sts = append(sts, w.Sit(w.Invited(n, named("P-77")), false))
	}
	tell(w, sts[0], nil)
	tell(w, sts[1], map[string]string{"about.age": "25-34"})
	tell(w, sts[2], map[string]string{"about.age": "35-44"})
	var codes []string
	for i, want := range []struct {
		state survey.AboutState
		age   string
	}{{survey.AboutPassedOver, ""}, {survey.AboutAnswered, "25-34"}, {survey.AboutAnswered, "25-34"}} {
		_, code := send(w, sts[i])
		codes = append(codes, code)
		if all := w.Abouts(); len(all) != 1 || all[0].State != want.state || answersOf(w, all[0])["about.age"].Choice != want.age {
			t.Errorf("after %d: %+v", i+1, all)
		}
	}
	// It is the second response's: the others' codes leave it, the second's takes it.
	for _, i := range []int{0, 2, 1} {
		if err := withdraw(w, codes[i]); err != nil {
			t.Fatal(err)
		}
		if all, want := w.Abouts(), i != 1; len(all) != 1 || (all[0].State == survey.AboutAnswered) != want {
			t.Errorf("after the code of %d: %+v", i+1, all)
		}
	}
}

// TestAboutCrashes: sent or taken back, whatever a crash leaves out the sweep draws.
func TestAboutCrashes(t *testing.T) {
	sittings, codes := map[*roomtest.World]survey.Sitting{}, map[*roomtest.World]string{}
	set := func(w *roomtest.World) {
		sittings[w] = w.Sit(w.Invited(1), false)
		tell(w, sittings[w], told)
	}
	keep := func(w *roomtest.World) error {
		r, code, err := w.Survey.Submit(t.Context(), sittings[w], survey.Ticks{})
		if err != nil {
			return err
		}
		codes[w] = code
		return w.Loop.FollowUp(t.Context(), &r)
	}
	sweep := func(w *roomtest.World, crash string) {
		w.Clock.Pass(time.Minute)
		if _, err := w.Loop.Sweep(t.Context()); err != nil {
			t.Errorf("%s: %v", crash, err)
		}
	}
	roomtest.EachCrash(t, set, keep, func(w *roomtest.World, crash string) {
		if w.Response(sittings[w].Response).State == survey.Draft {
			if err := keep(w); err != nil { // the person was told so, and sends again
				t.Errorf("%s: %v", crash, err)
			}
		}
		sweep(w, crash)
		all := w.Abouts()
		if len(all) != 1 || all[0].State != survey.AboutAnswered || answersOf(w, all[0])["about.sex"].Choice != "female" {
			t.Errorf("%s: %+v", crash, all)
		}
		if r := w.Response(sittings[w].Response); r.About != nil || r.FollowUp {
			t.Errorf("%s: it is still with the answers: %+v", crash, r)
		}
	})
	roomtest.EachCrash(t, func(w *roomtest.World) {
		set(w)
		if err := keep(w); err != nil {
			t.Fatal(err)
		}
	}, func(w *roomtest.World) error { return withdraw(w, codes[w]) }, func(w *roomtest.World, crash string) {
		if w.Response(sittings[w].Response).State != survey.Withdrawn {
			if err := withdraw(w, codes[w]); err != nil {
				t.Errorf("%s: %v", crash, err)
			}
		}
		sweep(w, crash)
		if all := w.Abouts(); len(all) != 1 || all[0].State != survey.AboutGone || all[0].Sealed != nil || all[0].Questionnaire != "" || !all[0].AskedAt.IsZero() {
			t.Errorf("%s: %+v", crash, all)
		}
	})
}

// TestTakenBackBeforeItIsKeptApart: whoever is still moving it there comes too
// late, even if they die right after.
func TestTakenBackBeforeItIsKeptApart(t *testing.T) {
	w := roomtest.New(t)
	st := w.Sit(w.Invited(1), false)
	tell(w, st, told)
	stale, code := w.Submit(st, survey.Ticks{})
	if err := withdraw(w, code); err != nil {
		t.Fatal(err)
	}
	c := w.Case(1)
	if err := w.Survey.KeepAbout(t.Context(), &stale, &c); err != nil {
		t.Fatal(err)
	}
	if all := w.Abouts(); len(all) != 1 || all[0].State != survey.AboutGone || all[0].Sealed != nil {
		t.Errorf("%+v", all)
	}
}

// TestAVoidTakesWhatSomebodyElseToldToo.
func TestAVoidTakesWhatSomebodyElseToldToo(t *testing.T) {
	w := roomtest.New(t)
	st := w.Sit(w.Invited(1), false)
	tell(w, st, told)
	r, _ := send(w, st)
	gone, err := w.Survey.VoidResponse(t.Context(), ann.Entry("", ""), r.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Loop.FollowUp(t.Context(), &gone); err != nil {
		t.Fatal(err)
	}
	if all := w.Abouts(); len(all) != 1 || all[0].State != survey.AboutGone {
		t.Fatalf("%+v", all)
	}
	next := w.Sit(ended(w, 1), false)
	w.Answer(next, map[string]string{"core.confidence": "very"})
	if !asked(w, next) {
		t.Error("the person was never asked, somebody else was")
	}
}
