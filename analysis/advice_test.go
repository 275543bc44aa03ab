package analysis_test

import (
	"sync"
	"testing"
	"time"

	"victimvoice/analysis"
	"victimvoice/internal/fault"
	"victimvoice/internal/roomtest"
	"victimvoice/survey"
	"victimvoice/survey/questionnaires"
)

var commissioner = survey.Actor{ID: "cora", Role: "commissioner"}

func line(w *roomtest.World, code, polarity string) questionnaires.AdviceEntry {
	e, _ := w.Survey.Questionnaires().Advice().Entry(code)
	e.Polarity, e.SignedOff = polarity, "Head of practice"
	return e
}

// Each change is a version of its own, kept for good, in force from the next month on
// and not before.
func TestRevisions(t *testing.T) {
	w := roomtest.New(t)
	ctx := t.Context()
	a := analysis.NewAdvising(w.Analysis, w.Store, w.Audit)
	first, err := a.Revise(ctx, commissioner, 1, line(w, "block", questionnaires.Context), " Right once evidence is kept. ")
	if err != nil {
		t.Fatal(err)
	}
	if first.ID != "0002" || first.Number != 2 || first.By != "cora" || first.Note != "Right once evidence is kept." || !first.From.After(w.Clock.Now()) || first.From.Sub(w.Clock.Now()) > 32*24*time.Hour {
		t.Errorf("%+v", first)
	}
	second, err := a.Revise(ctx, commissioner, 2, line(w, "vary-route", questionnaires.Good), "Asked for by the panel of survivors.")
	if err != nil {
		t.Fatal(err)
	}
	if got := second.Table(); got.Version != 3 || got.Polarity("block") != questionnaires.Context || got.Polarity("vary-route") != questionnaires.Good {
		t.Errorf("the second version does not build on the first: %+v", second)
	}
	h, err := a.History(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if len(h.Revisions) != 2 || h.InForce.Version != 1 || h.Latest.Version != 3 || !h.From.Equal(second.From) || h.InForce.Polarity("block") != questionnaires.Harmful {
		t.Errorf("%+v", h)
	}
	source := func(want string) {
		t.Helper()
		if err := w.Analysis.Refresh(ctx); err != nil {
			t.Fatal(err)
		}
		m, _ := w.Analysis.Panel().Measure("advice.harmful")
		if got := m.Source[len(m.Source)-len(want):]; got != want {
			t.Errorf("source %q, want it to end with %q", m.Source, want)
		}
	}
	source("now version 1")
	w.Clock.Pass(second.From.Sub(w.Clock.Now()))
	if h, err = a.History(ctx); err != nil || h.InForce.Version != 3 || !h.From.IsZero() {
		t.Errorf("%+v, %v", h, err)
	}
	source("now version 3")
	if got := w.Actions("advice:0002:block"); len(got) != 1 || got[0] != "advice.revised" {
		t.Errorf("on record: %v", got)
	}
}

// Of two who change the same version at once one is told to look again.
func TestRevisionsAtOnce(t *testing.T) {
	w := roomtest.New(t)
	a := analysis.NewAdvising(w.Analysis, w.Store, w.Audit)
	var mu sync.Mutex
	var wg sync.WaitGroup
	kept, refused := 0, 0
	for _, code := range []string{"block", "ignore", "change-number", "engage"} {
		wg.Go(func() {
			_, err := a.Revise(t.Context(), commissioner, 1, line(w, code, questionnaires.Context), "why")
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				kept++
			case fault.Is(err, fault.Conflict):
				refused++
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if h, err := a.History(t.Context()); err != nil || kept != 1 || refused != 3 || len(h.Revisions) != 1 {
		t.Errorf("%d kept, %d refused, %d versions, %v", kept, refused, len(h.Revisions), err)
	}
}

func TestRevisionsRefused(t *testing.T) {
	w := roomtest.New(t)
	a := analysis.NewAdvising(w.Analysis, w.Store, w.Audit)
	good := line(w, "block", questionnaires.Context)
	for name, c := range map[string]struct {
		number int
		change func(*questionnaires.AdviceEntry)
		note   string
		kind   fault.Kind
	}{
		"an unknown code":     {1, func(e *questionnaires.AdviceEntry) { e.Code = "none-of-these" }, "why", fault.NotFound},
		"an unknown polarity": {1, func(e *questionnaires.AdviceEntry) { e.Polarity = "bad" }, "why", fault.Invalid},
		"no basis":            {1, func(e *questionnaires.AdviceEntry) { e.Basis = "  " }, "why", fault.Invalid},
		"no sign-off":         {1, func(e *questionnaires.AdviceEntry) { e.SignedOff = "" }, "why", fault.Invalid},
		"no reason":           {1, func(*questionnaires.AdviceEntry) {}, " ", fault.Invalid},
		"an older version":    {0, func(*questionnaires.AdviceEntry) {}, "why", fault.Conflict},
		"nothing changed":     {1, func(e *questionnaires.AdviceEntry) { *e, _ = w.Survey.Questionnaires().Advice().Entry("block") }, "why", fault.Invalid},
	} {
		e := good
		c.change(&e)
		if _, err := a.Revise(t.Context(), commissioner, c.number, e, c.note); !fault.Is(err, c.kind) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if h, err := a.History(t.Context()); err != nil || len(h.Revisions) > 0 || len(w.Actions("advice:0002:block")) > 0 {
		t.Errorf("%+v, %v", h, err)
	}
}
