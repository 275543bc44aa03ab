package figures

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"victimvoice/internal/fault"
)

// By hand: of ten at one half, P(R ≤ 1) = 11/1024 and P(R ≤ 2) = 56/1024, so that the
// 2.5% limit lies (56/1024 − 0.025)/(45/1024) under two.
func TestExactLimit(t *testing.T) {
	t.Parallel()
	low := (2 - (56./1024-.025)/(45./1024)) / 10
	if got := exactLimit(.5, 10, .025); math.Abs(got-low) > 1e-9 {
		t.Errorf("low %v, want %v", got, low)
	}
	for _, n := range []int{10, 37, 400, 20000} {
		for _, p := range []float64{.02, .4, .97} {
			l := funnelLimit(p, n)
			if !(l.Low998 <= l.Low95 && l.Low95 <= 100*p+50./float64(n) && 100*p-150./float64(n) <= l.High95 && l.High95 <= l.High998) || l.Low998 < 0 || l.High998 > 100 {
				t.Errorf("%d at %v: %+v", n, p, l)
			}
			// Far from the ends the limits are the normal ones.
			if n == 20000 && p == .4 {
				if half := 196 * math.Sqrt(p*(1-p)/float64(n)); math.Abs(l.Low95-(40-half)) > .01 || math.Abs(l.High95-(40+half)) > .01 {
					t.Errorf("%+v, want 40 ± %.3f", l, half)
				}
			}
		}
	}
}

func TestFunnel(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 10 {
		yes := 50
		if i == 4 {
			yes = 85
		}
		w.many(fmt.Sprintf("B%d", i), fmt.Sprintf("U%d", i), "stalking-2a", day(2026, 3, 10), yes, 100)
	}
	w.many("Small 1", "S1", "stalking-2a", day(2026, 3, 10), 3, 6)
	w.many("Small 2", "S2", "stalking-2a", day(2026, 3, 10), 3, 6)
	p := w.panel()
	f, err := p.Funnel(context.Background(), Query{Measure: "core.informed"}, DimBCU)
	if err != nil || f.Shown != 10 || f.Centre.Base != 1012 || len(f.Areas) != 12 || len(f.Limits) == 0 {
		t.Fatalf("%+v %v", f, err)
	}
	for _, a := range f.Areas {
		switch key := a.Key[DimBCU]; {
		case strings.HasPrefix(key, "S"):
			if !a.Suppressed || a.Base != 0 || a.Outside != "" {
				t.Errorf("%s: %+v", key, a)
			}
		case (key == "U4") != (a.Outside == OutsideFar) || key == "U4" && !a.Above:
			t.Errorf("%s: %+v", key, a)
		}
	}
	if f.Over || !strings.Contains(f.Words, "1 lies outside the 99.8% limits") || strings.Contains(f.Words, "dispersion") {
		t.Errorf("%v %s", f.Dispersion, f.Words)
	}
	f.disperse([]float64{-3, 2.5, -2, 3, 2, -2.5, 1, -1, 2, -3})
	if f.Dispersion < 4 || !f.Over || !strings.Contains(f.words(), "a question, not a finding") {
		t.Errorf("%v %s", f.Dispersion, f.words())
	}
	for name, ask := range map[string]struct {
		q     Query
		level string
	}{"mean": {Query{Measure: "index.communication"}, DimBCU}, "level": {Query{Measure: "core.informed"}, DimOffence}, "split": {Query{Measure: "core.informed", By: []string{DimMonth}}, DimBCU}} {
		if _, err := p.Funnel(context.Background(), ask.q, ask.level); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, q := range []Query{{Measure: "core.informed", Stage: "closure"}, {Measure: "core.advice"}} {
		if f, err := p.Funnel(context.Background(), q, DimBCU); err != nil || f.Why == "" || f.Limits != nil {
			t.Errorf("%+v: %+v %v", q, f, err)
		}
	}
}
