package analysis_test

import (
	"reflect"
	"testing"
	"time"

	"victimvoice/analysis"
	"victimvoice/internal/roomtest"
	"victimvoice/survey"
)

var operator = survey.Actor{ID: "operator", Role: "operator"}

// aged makes what is kept look as if an older codebook had coded it: no labels, and an older version.
func aged(w *roomtest.World, ids ...string) {
	w.TB.Helper()
	for _, id := range ids {
		if _, err := w.Store.UpdateCoding(w.TB.Context(), id, func(c *analysis.Coding) error {
			c.Codebook = "0.9.0"
			if !c.ByPeople() {
				c.Labels = []analysis.Label{}
			}
			return nil
		}); err != nil {
			w.TB.Fatal(err)
		}
	}
}

const nobody = "Nobody ever rang me back."

// catalogue is texts of every kind, coded by an older version; the first is a person's.
func catalogue(w *roomtest.World) []string {
	w.TB.Helper()
	byHand := read(w, false, "en", nobody)
	b := batch(w, ines)
	if _, err := w.Analysis.Correct(w.TB.Context(), ines, byHand, b[0].Version, nil); err != nil {
		w.TB.Fatal(err)
	}
	ids := []string{byHand, read(w, false, "en", nobody+" "), read(w, true, "en", nobody+"  "), read(w, false, "cy", "Wnaeth neb fy ffonio yn ôl, ac roeddwn i'n poeni yn fawr iawn.")}
	aged(w, ids...)
	w.Clock.Pass(time.Hour)
	return ids
}

func checkRecoded(t *testing.T, w *roomtest.World, ids []string, what string) {
	t.Helper()
	for i, id := range ids {
		c := coding(w, id)
		if c.Codebook == "0.9.0" {
			t.Errorf("%s: text %d is left with the older version", what, i)
		}
		switch i {
		case 0:
			if len(c.Labels) != 0 || len(c.History) != 1 || len(c.Machine) == 0 || c.Queue != analysis.QueueRead {
				t.Errorf("%s: a person's coding is touched: %+v", what, c)
			}
		case 3:
			if len(c.Labels) != 0 || c.Status != analysis.StatusOtherLanguage || c.Queue != analysis.QueueLanguage {
				t.Errorf("%s: a text in Welsh is coded by English rules: %+v", what, c)
			}
		default:
			if len(c.Labels) == 0 || !c.ChangedAt.Equal(w.Clock.Now()) {
				t.Errorf("%s: text %d: %+v", what, i, c)
			}
		}
	}
}

func TestRecode(t *testing.T) {
	w := roomtest.New(t)
	ids := catalogue(w)
	before := coding(w, ids[1])
	seen := 0
	n, err := w.Analysis.Recode(t.Context(), operator, true, func(k int) { seen = k })
	if want := (analysis.Recoded{Coder: versionInForce(w), Seen: 4, Coded: 3, Changed: 2, Kept: 1}); err != nil || n != want || seen != 4 {
		t.Errorf("dry: %+v %v, want %+v", n, err, want)
	}
	if !reflect.DeepEqual(coding(w, ids[1]), before) || len(trail(w, "codings.recoded")) != 0 {
		t.Error("a dry run writes")
	}
	n, err = w.Analysis.Recode(t.Context(), operator, false, func(int) {})
	if want := (analysis.Recoded{Coder: versionInForce(w), Seen: 4, Coded: 3, Changed: 2, Kept: 1}); err != nil || n != want {
		t.Errorf("%+v %v, want %+v", n, err, want)
	}
	checkRecoded(t, w, ids, "once")
	w.Clock.Pass(time.Minute)
	versions := coding(w, ids[1]).Version
	n, err = w.Analysis.Recode(t.Context(), operator, false, func(int) {})
	if want := (analysis.Recoded{Coder: versionInForce(w), Seen: 4, Current: 4}); err != nil || n != want || coding(w, ids[1]).Version != versions {
		t.Errorf("again: %+v %v, want %+v", n, err, want)
	}
}

// TestRecodeCrashes: a run that dies in the middle is finished by the next.
func TestRecodeCrashes(t *testing.T) {
	ids := map[*roomtest.World][]string{}
	do := func(w *roomtest.World) error {
		_, err := w.Analysis.Recode(t.Context(), operator, false, func(int) {})
		return err
	}
	roomtest.EachCrash(t, func(w *roomtest.World) { ids[w] = catalogue(w) }, do, func(w *roomtest.World, crash string) {
		if err := do(w); err != nil {
			t.Errorf("%s: %v", crash, err)
		}
		checkRecoded(t, w, ids[w], crash)
	})
}

// TestRecodeGoesOnPastAFault: a text that cannot be opened is told of, and no other waits for it.
func TestRecodeGoesOnPastAFault(t *testing.T) {
	w := roomtest.New(t)
	ids := catalogue(w)
	bad := read(w, false, "en", nobody+"    ")
	if _, err := w.Store.UpdateCoding(t.Context(), bad, func(c *analysis.Coding) error {
		c.Text, c.Codebook, c.ChangedAt = []byte("sealed by nobody"), "0.9.0", roomtest.Start()
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	n, err := w.Analysis.Recode(t.Context(), operator, false, func(int) {})
	if err == nil || n.Failed != 1 || n.Coded != 3 {
		t.Errorf("%+v %v", n, err)
	}
	checkRecoded(t, w, ids, "past a fault")
}
