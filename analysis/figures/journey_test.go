package figures

import (
	"context"
	"math/rand/v2"
	"testing"

	"victimvoice/internal/fault"
)

// walked makes a person who answered at two stages.
func (w *world) walked(borough, bcu, before, after string) {
	key := w.oneCase(borough, bcu, "stalking-2a")
	w.answer(key, "report/1", ModeSelf, day(2026, 1, 10), map[string]string{"core.informed": before})
	w.answer(key, "investigation/1", ModeSelf, day(2026, 4, 10), map[string]string{"core.informed": after})
}

func informed(t *testing.T, p *Panel, force, bcu string) JourneyRow {
	t.Helper()
	j, err := p.Journey(context.Background(), force, bcu)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range j.Rows {
		if r.Measure.ID == "core.informed" && r.Step == (JourneyStep{"report", "investigation"}) {
			return r
		}
	}
	t.Fatal("the row is missing")
	return JourneyRow{}
}

func TestJourneyByHand(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 20 {
		w.walked("Ealing", "West", "not-very-well", "fairly-well") // up, gained
		w.walked("Ealing", "West", "not-very-well", "not-very-well")
	}
	for range 10 {
		w.walked("Ealing", "West", "very-well", "not-at-all-well") // down, lost
		w.walked("Hackney", "Central East", "fairly-well", "very-well")
		w.walked("Hackney", "Central East", "fairly-well", "fairly-well")
		w.walked("Hackney", "Central East", "very-well", "not-very-well")
	}
	// Answered once, or as an advocate, or in part: no pair.
	for range 40 {
		w.many("Ealing", "West", "stalking-2a", day(2026, 1, 1), 1, 2)
	}
	key := w.oneCase("Ealing", "West", "stalking-2a")
	w.answer(key, "report/1", ModeSelf, day(2026, 1, 1), map[string]string{"core.informed": ""})
	w.answer(key, "investigation/1", ModeSelf, day(2026, 1, 1), map[string]string{"core.informed": ""})
	p := w.panel()
	r := informed(t, p, "", "")
	if r.Base != 80 || r.Up != 30 || r.Same != 30 || r.Down != 20 || r.Before == nil {
		t.Fatalf("%+v", r)
	}
	want := NewcombePaired(20, 20, 20, 20)
	if r.Before.Share != 50 || r.After.Share != 50 || *r.Change != want {
		t.Errorf("%+v %+v %+v", r.Before, r.After, r.Change)
	}
	if r := informed(t, p, "", "West"); r.Base != 50 || r.Up != 20 || r.Down != 10 {
		t.Errorf("%+v", r)
	}
	if r := informed(t, p, "Metropolitan Police", ""); r.Base != 80 {
		t.Errorf("%+v", r)
	}
	if r := informed(t, p, "", "Nowhere"); r.Base != 0 || r.Suppressed || r.Reason != ReasonNone {
		t.Errorf("%+v", r)
	}
	// Three more answered at the report alone: with what the stage itself shows they would
	// be three people's answers, so that the shares among the pairs are withheld.
	few := newWorld(t)
	for range 20 {
		few.walked("Ealing", "West", "not-very-well", "fairly-well")
		few.walked("Ealing", "West", "fairly-well", "fairly-well")
		few.walked("Ealing", "West", "fairly-well", "not-very-well")
		few.walked("Ealing", "West", "not-very-well", "not-very-well")
	}
	few.many("Ealing", "West", "stalking-2a", day(2026, 1, 1), 1, 3)
	if r := informed(t, few.panel(), "", ""); r.Suppressed || r.Before != nil || r.Change != nil || r.ShareReason != ReasonWithheld {
		t.Errorf("%+v", r)
	}
}

func TestJourneyAreaOfTwoForces(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 40 {
		w.walked("Ealing", "West", "very-well", "very-well")
		w.cases[i].Force = []string{"Metropolitan Police", "Elsewhere Police"}[i%2]
	}
	if _, err := w.panel().Journey(context.Background(), "", "West"); !fault.Is(err, fault.Invalid) {
		t.Errorf("%v", err)
	}
}

// pairsWorld makes people of three stages in three units of very different sizes.
func pairsWorld(t testing.TB, rng *rand.Rand, n int) *world {
	w := newWorld(t)
	places := [][2]string{{"Ealing", "West"}, {"Hounslow", "West"}, {"Hackney", "Central East"}, {"Barnet", "North West"}}
	words := []string{"very-well", "fairly-well", "not-very-well", "not-at-all-well"}
	for range n {
		at := places[min(rng.IntN(9)/2, 3)]
		if rng.IntN(12) == 0 {
			at = places[3]
		}
		key := w.oneCase(at[0], at[1], []string{"stalking-2a", "stalking-4a"}[rng.IntN(2)])
		word := rng.IntN(4)
		for k, form := range []string{"report/1", "investigation/1", "closure/1"} {
			if rng.IntN(4) == 0 {
				continue
			}
			word = min(max(word+rng.IntN(3)-1, 0), 3)
			w.answer(key, form, ModeSelf, day(2026, 1, 10).AddDate(0, 3*k, 0), map[string]string{"core.informed": words[word]})
		}
	}
	return w
}

// Everything that the journey shows, with the stages' own figures, as equations over
// what is not shown: no count from 1 to 4 follows from them.
func TestJourneyGivesNothingAway(t *testing.T) {
	t.Parallel()
	shown, withheld := 0, 0
	for seed := range uint64(16) {
		p := pairsWorld(t, rand.New(rand.NewPCG(seed, 21)), 40+50*int(seed)).panel()
		p.mu.RLock()
		tables, err := p.journeyTables(context.Background())
		p.mu.RUnlock()
		if err != nil {
			t.Fatal(err)
		}
		for _, jt := range tables {
			if jt.measure.ID != "core.informed" {
				continue
			}
			main, err := p.table(context.Background(), &jt.measure, ModeSelf, "")
			if err != nil {
				t.Fatal(err)
			}
			a := journeyAttack(jt, main)
			shown, withheld = shown+a.shown, withheld+a.withheld
			for name, f := range a.sensitive {
				if a.sys.gives(f) {
					t.Errorf("seed %d %+v: %s follows from what is shown", seed, jt.step, name)
				}
			}
		}
	}
	if shown == 0 || withheld == 0 {
		t.Errorf("%d shown, %d withheld: nothing was attacked", shown, withheld)
	}
}
