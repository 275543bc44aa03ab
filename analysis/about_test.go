package analysis_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"victimvoice/internal/roomtest"
	"victimvoice/survey"
)

// byEthnicity gives the figure's points as "group numerator/base", or "[c]".
func byEthnicity(w *roomtest.World) (out []string) {
	w.TB.Helper()
	if err := w.Analysis.Refresh(w.TB.Context()); err != nil {
		w.TB.Fatal(err)
	}
	r, err := w.Analysis.Figures(w.TB.Context(), url.Values{"measure": {"core.confidence"}, "by": {"about_ethnicity"}})
	if err != nil {
		w.TB.Fatal(err)
	}
	for _, p := range r.Points {
		n := fmt.Sprintf("%d/%d", p.Numerator, p.Base)
		if p.Suppressed {
			n = "[c]"
		}
		out = append(out, p.Key["about_ethnicity"]+" "+n)
	}
	return out
}

// TestFiguresByWhatPeopleToldOfThemselves: from the page to the figure, through
// the key alone; and out of it again.
func TestFiguresByWhatPeopleToldOfThemselves(t *testing.T) {
	w := roomtest.New(t)
	const people = 42
	for n := 1; n <= people; n++ {
		w.Receive(roomtest.Report(n, w.Clock.Now().Add(-time.Hour), func(e *survey.Event) {
			if n%2 == 0 { // every other one is a person whom the police system names
				e.PersonRef = fmt.Sprint("P-", n)
			}
		}))
	}
	w.Clock.Pass(day)
	tokens := map[string]string{}
	for _, e := range w.Due() {
		tokens[e.Case] = w.Deliver(e).Token
	}
	var codes []string
	for n := 1; n <= people; n++ {
		st := w.Sit(tokens[w.Case(n).ID], false)
		w.Answer(st, map[string]string{"core.confidence": []string{"very", "not-very"}[n/2%2]})
		if n <= 30 {
			w.TellAbout(st, map[string]string{"about.ethnicity": []string{"asian", "white"}[n%2]})
		}
		r, code := w.Submit(st, survey.Ticks{})
		if err := w.Loop.FollowUp(t.Context(), &r); err != nil {
			t.Fatal(err)
		}
		codes = append(codes, code)
	}
	if got, want := byEthnicity(w), []string{"asian 7/15", "white 8/15", "unknown 6/12"}; !slices.Equal(got, want) {
		t.Fatalf("%v, want %v", got, want)
	}
	// The police name a person afterwards: what was told under the case still counts.
	w.Clock.Pass(time.Hour)
	w.Receive(roomtest.Event(1, "moved", survey.Progressed, w.Clock.Now(), func(e *survey.Event) { e.Milestone, e.PersonRef = "arrest", "P-1" }))
	if got, want := byEthnicity(w), []string{"asian 7/15", "white 8/15", "unknown 6/12"}; !slices.Equal(got, want) {
		t.Errorf("once the person is named: %v, want %v", got, want)
	}
	// Answers taken back leave the figure, and what was told with them leaves those of other stages.
	gone, err := w.Survey.WithdrawAnswers(t.Context(), codes[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Loop.FollowUp(t.Context(), &gone); err != nil {
		t.Fatal(err)
	}
	if got, want := byEthnicity(w), []string{"asian 7/15", "white 7/14", "unknown 6/12"}; !slices.Equal(got, want) {
		t.Errorf("taken back: %v, want %v", got, want)
	}
	if n := w.Analysis.Panel().Size().Abouts; n != 29 {
		t.Errorf("%d people are held", n)
	}
	// A new process comes to the same.
	w.Restart()
	if got, want := byEthnicity(w), []string{"asian 7/15", "white 7/14", "unknown 6/12"}; !slices.Equal(got, want) {
		t.Errorf("loaded afresh: %v, want %v", got, want)
	}
}

// TestWhatCannotBeOpenedHoldsNothingUp: one document that is not ours to read
// costs that person's group, and no figure.
func TestWhatCannotBeOpenedHoldsNothingUp(t *testing.T) {
	w := roomtest.New(t)
	for n := 1; n <= 12; n++ {
		st := w.Sit(w.Invited(n), false)
		w.Answer(st, map[string]string{"core.confidence": []string{"very", "not-very"}[n%2]})
		w.TellAbout(st, map[string]string{"about.ethnicity": "asian"})
		r, _ := w.Submit(st, survey.Ticks{})
		if err := w.Loop.FollowUp(t.Context(), &r); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Store.UpdateAbout(t.Context(), w.Abouts()[0].ID, func(a *survey.About) error { a.Sealed[0] ^= 1; return nil }); err != nil {
		t.Fatal(err)
	}
	if got := byEthnicity(w); len(got) != 2 { // eleven and one, of which neither can be shown
		t.Errorf("%v", got)
	}
	if n := w.Analysis.Panel().Size(); n.Abouts != 11 || n.Responses != 12 {
		t.Errorf("%+v", n)
	}
	if log := w.Log.String(); !strings.Contains(log, "cannot be opened") || strings.Contains(log, "asian") {
		t.Errorf("the log says %s", log)
	}
}
