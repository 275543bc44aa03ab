package figures

import (
	"context"
	"math"
	"strings"
	"testing"

	"victimvoice/internal/fault"
)

func TestCompare(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.many("Ealing", "West", "stalking-2a", day(2025, 3, 10), 56, 70)
	w.many("Hackney", "Central East", "stalking-4a", day(2026, 3, 10), 48, 80)
	p, q := w.panel(), Query{Measure: "core.informed"}
	compare := func(dim, first, second string) Comparison {
		t.Helper()
		c, err := p.Compare(context.Background(), q, dim, first, second)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	// 56 of 70 and 48 of 80: example (a) of Newcombe's paper, 0.0524 to 0.3339.
	for _, c := range []Comparison{compare(DimBCU, "West", "Central East"), compare(DimBorough, "Ealing", "Hackney")} {
		d := c.Difference
		if d == nil || math.Abs(d.Points-20) > 1e-9 || math.Abs(d.Low-5.24) > .01 || math.Abs(d.High-33.39) > .01 || c.Method != MethodNewcombe || !strings.Contains(c.Words, "more than chance alone") {
			t.Errorf("%+v, %+v", d, c)
		}
	}
	// What is withheld is not compared, and says so.
	few := newWorld(t)
	few.many("Ealing", "West", "stalking-2a", day(2025, 3, 10), 56, 70)
	few.many("Hackney", "Central East", "stalking-4a", day(2026, 3, 10), 48, 80)
	few.many("Barnet", "North West", "stalking-2a", day(2026, 3, 10), 3, 8)
	whole := p
	p = few.panel()
	for _, c := range []Comparison{compare(DimBorough, "Ealing", "Barnet"), compare(DimBCU, "North West", "West"), compare(DimBCU, "Central East", "West")} {
		if c.Difference != nil || !strings.Contains(c.Why, "withheld") || c.Words != "" {
			t.Errorf("%+v", c)
		}
	}
	p = whole
	if c := compare(DimYear, "2025", "2026"); c.First.Base != 70 || c.Second.Base != 80 || c.Difference == nil {
		t.Errorf("%+v", c)
	}
	if c := compare(DimOffence, "stalking-2a", "no such"); c.Difference != nil || c.Why != "Nobody has answered on one side." {
		t.Errorf("%+v", c)
	}
	if c := compare(DimMode, ModeSelf, ModeRelayed); c.Mode != "" || c.Difference != nil {
		t.Errorf("%+v", c)
	}
	for name, ask := range map[string]func() error{
		"same":      func() error { _, err := p.Compare(context.Background(), q, DimBCU, "West", "West"); return err },
		"dimension": func() error { _, err := p.Compare(context.Background(), q, "postcode", "a", "b"); return err },
		"crossed": func() error {
			_, err := p.Compare(context.Background(), Query{Measure: "core.informed", Filters: map[string]string{DimSex: "female"}}, DimOffence, "a", "b")
			return err
		},
	} {
		if err := ask(); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Means: the two t-intervals put together.
	c, err := p.Compare(context.Background(), Query{Measure: "report.contact"}, DimBCU, "West", "Central East")
	if err != nil || c.Difference != nil {
		t.Errorf("nobody answered: %+v %v", c, err)
	}
}

func TestMover(t *testing.T) {
	t.Parallel()
	v := func(x float64) *float64 { return &x }
	d, ok := mover(&Point{Share: v(60), Low: v(54), High: v(66)}, &Point{Share: v(50), Low: v(42), High: v(58)})
	if !ok || d.Points != 10 || math.Abs(d.Low) > 1e-9 || math.Abs(d.High-20) > 1e-9 { // √(6² + 8²) = 10
		t.Errorf("%+v", d)
	}
	if d.Apart() {
		t.Error("nought is the end of the interval, and in it")
	}
}

// Sources: R. G. Newcombe, Statistics in Medicine 17 (1998) 2635–2650, for 36, 12, 2
// and 0; D. G. Altman et al., "Statistics with Confidence" (2000), p. 52 (its table
// 6.2); M. W. Fagerland, S. Lydersen and P. Laake, "Statistical Analysis of
// Contingency Tables" (2017), chapter 8, for 59, 6, 16 and 80.
func TestNewcombePaired(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		both, gained, lost, neither int
		points, low, high           float64
	}{
		{36, 12, 2, 0, 20, 5.69, 34.04},
		{14, 5, 0, 22, 12.2, 1.1, 22.6},
		{59, 6, 16, 80, -6.21, -11.86, -.46},
		{0, 0, 0, 20, 0, -16.11, 16.11},
	} {
		d := NewcombePaired(tt.both, tt.gained, tt.lost, tt.neither)
		if math.Abs(d.Points-tt.points) > .05 || math.Abs(d.Low-tt.low) > .06 || math.Abs(d.High-tt.high) > .06 {
			t.Errorf("%+v: %+v", tt, d)
		}
	}
	if d := NewcombePaired(0, 0, 0, 0); d.Low != -100 || d.High != 100 {
		t.Errorf("of nobody: %+v", d)
	}
}
