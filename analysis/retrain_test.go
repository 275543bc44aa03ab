package analysis_test

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"victimvoice/analysis"
	themes "victimvoice/analysis/coding"
	"victimvoice/internal/fault"
	"victimvoice/internal/roomtest"
	"victimvoice/internal/seal"
	"victimvoice/survey"
)

// fewLessons is a small part of what ships, so that learning is quick.
func fewLessons(t *testing.T) themes.Lessons {
	t.Helper()
	all, err := themes.ShippedLessons()
	if err != nil {
		t.Fatal(err)
	}
	return themes.Lessons{Comments: all.Comments[:24]}
}

// lantern keeps n texts with a turn of phrase that the coder does not know, as people
// coded them, one a person: of the random stream, read blind, or of the open queue.
// It gives their ids.
func lantern(w *roomtest.World, random bool, n int) []string {
	w.TB.Helper()
	how := analysis.DrawnThreshold
	if random {
		how = analysis.DrawnRandom
	}
	var ids []string
	for i := 0; len(ids) < n; i++ {
		id := fmt.Sprintf("l%04d/open.better", i)
		if w.Analysis.InRandomStream(id) != random {
			continue
		}
		text := fmt.Sprintf([]string{"Amber lantern since %s.", "Still an amber lantern on %s.", "It is all amber lantern, %s or not."}[i%3], []string{"Monday", "Tuesday", "Easter", "spring"}[i%4])
		labels := []analysis.Label{{Code: "COM_UPDATES", Polarity: "negative", Start: 0, End: len(text), Confidence: 1, By: ines.ID}}
		keepCoding(w, id, text, labels, analysis.Reading{At: w.Clock.Now(), By: ines.ID, How: how, Blind: random, Before: []analysis.Label{}, After: labels})
		ids = append(ids, id)
	}
	return ids
}

func keepCoding(w *roomtest.World, id, text string, labels []analysis.Label, r analysis.Reading) {
	w.TB.Helper()
	sealed, err := w.Keys.SealString(seal.Purpose("coding", id), text)
	if err != nil {
		w.TB.Fatal(err)
	}
	if _, err := w.Store.UpdateCoding(w.TB.Context(), id, func(c *analysis.Coding) error {
		response, item, _ := strings.Cut(id, "/")
		*c = analysis.Coding{ID: id, Version: c.Version, Response: response, Item: item, Stage: survey.StageReport, Language: "en", Codebook: "0.9.0",
			Text: sealed, Labels: labels, Status: analysis.StatusCoded, History: []analysis.Reading{r}, CodedAt: w.Clock.Now(), ChangedAt: w.Clock.Now()}
		w.Analysis.Place(c)
		return nil
	}); err != nil {
		w.TB.Fatal(err)
	}
}

// saysOf gives what the coder in force says of a text, with all that belongs to it.
func saysOf(w *roomtest.World, s *analysis.Service, text string) string {
	w.TB.Helper()
	c, err := s.Coder(w.TB.Context())
	if err != nil {
		w.TB.Fatal(err)
	}
	return fmt.Sprintf("%+v", c.Read(text))
}

const unseenLantern = "Amber lantern for weeks now."

// TestRetrain: a turn of phrase that people coded is learnt, measured on texts that
// it was not learnt from, kept with where it comes from, gone by in every process,
// tuned beside, and taken back to the byte.
func TestRetrain(t *testing.T) {
	w := roomtest.New(t)
	lessons := fewLessons(t)
	learnt, drawn := lantern(w, false, 60), lantern(w, true, 110)
	// A text of the random stream that was not read blind is neither; nor is one of a
	// person who has another that is measured on.
	for n := 0; ; n++ {
		if id := fmt.Sprintf("n%d/open.better", n); w.Analysis.InRandomStream(id) {
			keepCoding(w, id, "Amber lantern.", []analysis.Label{}, analysis.Reading{By: ines.ID, How: analysis.ByHand})
			break
		}
	}
	person, _, _ := strings.Cut(drawn[0], "/")
	keepCoding(w, person+"/open.more", "Amber lantern again.", []analysis.Label{}, analysis.Reading{By: ines.ID, How: analysis.DrawnNovel})
	waiting := read(w, false, "en", unseenLantern)
	shipped := versionInForce(w)
	untaught := saysOf(w, w.Analysis, unseenLantern)

	dry, err := w.Analysis.Retrain(t.Context(), operator, lessons, true)
	if err != nil || dry.Kept || dry.Number != 0 || dry.Why != "" {
		t.Fatalf("dry: %+v %v", dry, err)
	}
	if l, err := w.Analysis.CoderLog(t.Context()); err != nil || l.Version != 0 || len(w.Actions("")) != 0 {
		t.Errorf("a dry run writes: %+v %v", l, err)
	}

	replica := w.Analysis.At(w.Survey, w.Clock.Now)
	got, err := w.Analysis.Retrain(t.Context(), operator, lessons, false)
	if err != nil || !got.Kept || got.Number != 1 {
		t.Fatalf("%+v %v", got, err)
	}
	if got.Learnt != 60 || got.LearntOf != 60 || got.Drawn != 110 || got.DrawnOf != 110 || got.Texts != 110 || got.Against != shipped || !reflect.DeepEqual(got.Comparison, dry.Comparison) {
		t.Errorf("%+v, dry %+v", got, dry)
	}
	if got.Labels.Low <= 0.5 || got.Labels.After <= got.Labels.Before+0.5 || got.Error.After < 0 {
		t.Errorf("scores %+v", got.Comparison)
	}
	l, err := replica.CoderLog(t.Context())
	if err != nil || l.Active != 1 || len(l.Versions) != 1 || !reflect.DeepEqual(l.Steps, []analysis.CoderStep{{At: w.Clock.Now(), By: "operator", To: 1}}) {
		t.Fatalf("%+v %v", l, err)
	}
	v := l.Versions[0]
	if v.Base != shipped || v.Against != shipped || v.By != "operator" || !v.At.Equal(w.Clock.Now()) || v.Learnt != 60 || v.Drawn != 110 || v.Texts != 170 || len(v.Sources) != 64 ||
		v.After.Labels != got.Labels.After || v.Low != got.Labels.Low || v.Error.After != got.Error.After || v.CoderName() != got.Coder {
		t.Errorf("kept: %+v", v)
	}
	m, err := w.Store.CoderModel(t.Context(), v.Model)
	if err != nil || !slices.Equal(m.Texts, learnt) || m.Base != shipped {
		t.Errorf("learnt from %v, want %v; %v", m.Texts, learnt, err)
	}
	for _, id := range m.Texts {
		if slices.Contains(drawn, id) {
			t.Errorf("%s is learnt from and measured on", id)
		}
	}
	if bytes.Contains(bytes.ToLower(m.Data), []byte("lantern")) || strings.Contains(strings.ToLower(w.Log.String()), "lantern") {
		t.Error("words stand in the model or in the log")
	}
	if got := trail(w, "coder.retrained"); !reflect.DeepEqual(got, []string{"operator coder:1"}) {
		t.Errorf("on record: %v", got)
	}

	// Another process goes by it, and what was coded before is coded anew.
	taught := saysOf(w, replica, unseenLantern)
	if c, err := replica.Coder(t.Context()); err != nil || c.Version() != got.Coder || c.Version() == shipped || !strings.Contains(taught, "COM_UPDATES") || strings.Contains(untaught, "COM_UPDATES") {
		t.Errorf("goes by %v, says %s, was %s; %v", c.Version(), taught, untaught, err)
	}
	w.Clock.Pass(time.Hour)
	if n, err := replica.Recode(t.Context(), operator, false, func(int) {}); err != nil || n.Coder != got.Coder || n.Changed != 1 || codedBy(w, waiting) != got.Coder {
		t.Errorf("%+v %v", n, err)
	}

	// Once more is once.
	again, err := replica.Retrain(t.Context(), operator, lessons, false)
	if err != nil || again.Kept || again.Number != 1 || !strings.Contains(again.Why, "in use") {
		t.Errorf("again: %+v %v", again, err)
	}

	// Thresholds are fitted beside it, and only to what it has not learnt from.
	tuned, err := w.Analysis.Tune(t.Context(), operator, true)
	if err != nil || tuned.Texts != 110 || tuned.Drawn != 110 {
		t.Errorf("tuned: %+v %v", tuned, err)
	}

	// Back to what shipped: every byte of what it says, and forth.
	if _, err := replica.Activate(t.Context(), operator, 0); err != nil || saysOf(w, w.Analysis, unseenLantern) != untaught || versionInForce(w) != shipped {
		t.Errorf("back: %s %v", versionInForce(w), err)
	}
	w.Clock.Pass(time.Hour)
	if n, err := w.Analysis.Recode(t.Context(), operator, false, func(int) {}); err != nil || n.Changed != 1 || codedBy(w, waiting) != shipped {
		t.Errorf("%+v %v", n, err)
	}
	w.Restart() // nothing of it rests on what a process remembers
	if _, err := w.Analysis.Activate(t.Context(), operator, 1); err != nil || saysOf(w, w.Analysis, unseenLantern) != taught {
		t.Errorf("forth: %v", err)
	}
}

// TestRetrainWithoutWhatWasTakenBack: it is told which model was learnt from texts that
// were taken back, the next one is learnt without them although it is no better than
// that one, and the old one can be emptied.
func TestRetrainWithoutWhatWasTakenBack(t *testing.T) {
	w := roomtest.New(t)
	lessons := fewLessons(t)
	learnt := lantern(w, false, 60)
	lantern(w, true, 100)
	if got, err := w.Analysis.Retrain(t.Context(), operator, lessons, false); err != nil || !got.Kept {
		t.Fatalf("%+v %v", got, err)
	}
	response, _, _ := strings.Cut(learnt[7], "/")
	if err := w.Analysis.Forget(t.Context(), response); err != nil {
		t.Fatal(err)
	}
	l, err := w.Analysis.CoderLog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	first := l.Versions[0].Model
	if back, err := w.Analysis.TakenBack(t.Context(), &l); err != nil || !reflect.DeepEqual(back, map[string]int{first: 1}) {
		t.Errorf("taken back: %v %v", back, err)
	}
	roomtest.Want(t, w.Analysis.DropModel(t.Context(), operator, 1), fault.Conflict, "the model in use")
	got, err := w.Analysis.Retrain(t.Context(), operator, lessons, false)
	if err != nil || !got.Kept || got.Number != 2 || got.Learnt != 59 || got.Against != l.Versions[0].Base {
		t.Fatalf("%+v %v", got, err)
	}
	if err := w.Analysis.DropModel(t.Context(), operator, 1); err != nil {
		t.Fatal(err)
	}
	if m, err := w.Store.CoderModel(t.Context(), first); err != nil || len(m.Data) != 0 || len(m.Texts) != 0 {
		t.Errorf("%d bytes and %d ids are left; %v", len(m.Data), len(m.Texts), err)
	}
	_, err = w.Analysis.Activate(t.Context(), operator, 1)
	roomtest.Want(t, err, fault.NotFound, "a dropped model")
	roomtest.Want(t, w.Analysis.DropModel(t.Context(), operator, 3), fault.NotFound, "no version")
	roomtest.Want(t, w.Analysis.DropModel(t.Context(), operator, 0), fault.NotFound, "what shipped")
	if l, err = w.Analysis.CoderLog(t.Context()); err != nil || !l.Versions[0].Dropped || l.Versions[1].Dropped || l.Active != 2 {
		t.Errorf("%+v %v", l, err)
	}
	if back, err := w.Analysis.TakenBack(t.Context(), &l); err != nil || len(back) != 0 {
		t.Errorf("taken back: %v %v", back, err)
	}
	if got := trail(w, "coder.dropped"); !reflect.DeepEqual(got, []string{"operator coder:1"}) {
		t.Errorf("on record: %v", got)
	}
}

// TestRetrainOfTooFew says how many are needed and how many there are.
func TestRetrainOfTooFew(t *testing.T) {
	for _, tc := range []struct {
		learn, drawn int
		says         []string
	}{
		{0, 0, []string{"of 0 persons", "at least 100", "of 0 others", "at least 50"}},
		{49, 100, []string{"of 100 persons", "of 49 others"}},
		{50, 99, []string{"of 99 persons", "of 50 others"}},
	} {
		w := roomtest.New(t)
		lantern(w, false, tc.learn)
		lantern(w, true, tc.drawn)
		got, err := w.Analysis.Retrain(t.Context(), operator, themes.Lessons{}, false)
		if err != nil || got.Kept {
			t.Errorf("%d and %d: %+v %v", tc.learn, tc.drawn, got, err)
		}
		for _, s := range tc.says {
			if !strings.Contains(got.Why, s) {
				t.Errorf("%d and %d: %q does not say %q", tc.learn, tc.drawn, got.Why, s)
			}
		}
		if l, err := w.Analysis.CoderLog(t.Context()); err != nil || l.Version != 0 || len(w.Actions("")) != 0 {
			t.Errorf("%+v %v", l, err)
		}
	}
}

// TestRetrainNotBetter: what people coded at random leaves the coder as it is.
func TestRetrainNotBetter(t *testing.T) {
	w := roomtest.New(t)
	lessons := fewLessons(t)
	lantern(w, false, 60)
	peopleCode(w, func() *themes.Coder { c, _ := strict(t); return c }(), 240) // as the shipped coder would
	got, err := w.Analysis.Retrain(t.Context(), operator, lessons, false)
	if err != nil || got.Kept || !strings.Contains(got.Why, "not better for sure") || got.Labels.Before <= got.Labels.After {
		t.Errorf("%+v %v", got, err)
	}
	if l, err := w.Analysis.CoderLog(t.Context()); err != nil || l.Version != 0 || len(w.Actions("")) != 0 {
		t.Errorf("%+v %v", l, err)
	}
}

// TestRetrainRace: while one run is about to take its model into use, another does;
// one of them ends with a conflict, and one step was taken.
func TestRetrainRace(t *testing.T) {
	lessons := fewLessons(t)
	for _, call := range []string{"UpdateCoderLog", "UpdateCoderModel"} {
		w := roomtest.New(t)
		lantern(w, false, 55)
		lantern(w, true, 100)
		other := w.Analysis.At(w.Survey, w.Clock.Now)
		var second analysis.Retrained
		var secondErr error
		began := false
		w.Store.Fail(func(name string) error {
			if !began && strings.Contains(name, call) {
				began = true
				second, secondErr = other.Retrain(t.Context(), operator, lessons, false)
			}
			return nil
		})
		first, err := w.Analysis.Retrain(t.Context(), operator, lessons, false)
		w.Store.Fail(nil)
		if !began || secondErr != nil || !second.Kept {
			t.Fatalf("%s: the second run: %+v %v", call, second, secondErr)
		}
		if first.Kept || !fault.Is(err, fault.Conflict) {
			t.Errorf("%s: the first run: %+v %v", call, first, err)
		}
		l, err := w.Analysis.CoderLog(t.Context())
		if err != nil || l.Active != 1 || len(l.Versions) != 1 || len(l.Steps) != 1 {
			t.Errorf("%s: %+v %v", call, l, err)
		}
		if c, err := w.Analysis.Coder(t.Context()); err != nil || c.Version() != second.Coder {
			t.Errorf("%s: %v", call, err)
		}
	}
}

// TestRetrainCrashes: one that dies anywhere leaves the coder as it was or as it is
// to be, and the next run ends it, once.
func TestRetrainCrashes(t *testing.T) {
	lessons := fewLessons(t)
	do := func(w *roomtest.World) error {
		_, err := w.Analysis.Retrain(t.Context(), operator, lessons, false)
		return err
	}
	set := func(w *roomtest.World) {
		lantern(w, false, 50)
		lantern(w, true, 100)
	}
	roomtest.EachCrash(t, set, do, func(w *roomtest.World, crash string) {
		if _, err := w.Analysis.Coder(t.Context()); err != nil {
			t.Errorf("%s: no coder: %v", crash, err)
		}
		if err := do(w); err != nil {
			t.Errorf("%s: %v", crash, err)
		}
		l, err := w.Analysis.CoderLog(t.Context())
		if err != nil || l.Active != 1 || len(l.Versions) != 1 || len(l.Steps) != 1 {
			t.Errorf("%s: %+v %v", crash, l, err)
		}
		if !strings.Contains(saysOf(w, w.Analysis, unseenLantern), "COM_UPDATES") {
			t.Errorf("%s: it is not gone by", crash)
		}
	})
}

// TestModelThatIsNotThere: a version whose learning was broken off is not taken into
// use, and one that is in use and damaged is an error, never silently another coder.
func TestModelThatIsNotThere(t *testing.T) {
	w := roomtest.New(t)
	base := versionInForce(w)
	id := strings.Repeat("ab", 32)
	keep := func(active int) {
		if _, err := w.Store.UpdateCoderLog(t.Context(), "themes", func(l *analysis.CoderLog) error {
			l.Active, l.Versions = active, []analysis.CoderVersion{{Number: 1, Base: base, Model: id}}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	keep(0)
	_, err := w.Analysis.Activate(t.Context(), operator, 1)
	roomtest.Want(t, err, fault.NotFound, "a model that was never kept")
	keep(1)
	if _, err := w.Analysis.Coder(t.Context()); err == nil {
		t.Error("a coder whose model is not there")
	}
	sealed, err := w.Keys.Seal(seal.Purpose("coder-model", id), []byte("another"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Store.UpdateCoderModel(t.Context(), id, func(m *analysis.CoderModel) error { m.Data = sealed; return nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Analysis.Coder(t.Context()); err == nil || !strings.Contains(err.Error(), "not what was kept") {
		t.Errorf("a coder of another model: %v", err)
	}
	if _, err := w.Analysis.Activate(t.Context(), operator, 0); err != nil || versionInForce(w) != base {
		t.Errorf("back to what shipped: %v", err)
	}
}
