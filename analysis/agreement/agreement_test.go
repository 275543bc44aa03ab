package agreement_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"victimvoice/analysis/agreement"
)

// units turns one row a reader into one unit a text; a dot is a text not read.
func units(rows ...string) []agreement.Unit[byte] {
	out := make([]agreement.Unit[byte], len(rows[0]))
	for _, r := range rows {
		for i := range r {
			if r[i] != '.' {
				out[i] = append(out[i], r[i])
			}
		}
	}
	return out
}

// TestPublishedExamples are worked examples of K. Krippendorff, "Computing
// Krippendorff's Alpha-Reliability", University of Pennsylvania, 2011: binary
// data of two readers; nominal data of two; nominal data of four, with some missing.
func TestPublishedExamples(t *testing.T) {
	for name, c := range map[string]struct {
		rows []string
		want float64
		n    int
	}{
		"binary, two readers":           {[]string{"0100000010", "1110010000"}, 0.095, 10},
		"nominal, two readers":          {[]string{"aabbdcccedda", "babbbccceddd"}, 0.692, 12},
		"nominal, four readers, gaps":   {[]string{"123321412...", "1233224125.3", ".3332342251.", "12332441251."}, 0.743, 11},
		"all agree":                     {[]string{"0101", "0101"}, 1, 4},
		"all apart, as bad as it gets":  {[]string{"01", "10"}, -0.5, 2},
		"one reader says the same only": {[]string{"0000", "0000"}, math.NaN(), 4},
		"nothing read twice":            {[]string{"01..", "..01"}, math.NaN(), 0},
	} {
		got, n := agreement.Alpha(units(c.rows...), agreement.Nominal[byte])
		if n != c.n || math.IsNaN(c.want) != math.IsNaN(got) || math.Abs(got-c.want) > .0006 {
			t.Errorf("%s: %.4f of %d, want %.3f of %d", name, got, n, c.want, c.n)
		}
	}
}

// TestMASI: the cases of R. Passonneau, "Measuring Agreement on Set-valued Items
// (MASI)", LREC 2006: the Jaccard share times 1, 2/3, 1/3 or 0.
func TestMASI(t *testing.T) {
	for _, c := range []struct {
		a, b []string
		want float64
	}{
		{nil, nil, 0},
		{[]string{"x"}, []string{"x"}, 0},
		{[]string{"x"}, []string{"y"}, 1},
		{[]string{"x"}, nil, 1},
		{[]string{"x"}, []string{"x", "y"}, 1 - 2.0/3*1/2},
		{[]string{"w", "x"}, []string{"w", "x", "y", "z"}, 1 - 2.0/3*2/4},
		{[]string{"x", "y"}, []string{"y", "z"}, 1 - 1.0/3*1/3},
	} {
		for _, p := range [][2][]string{{c.a, c.b}, {c.b, c.a}} {
			if got := agreement.MASI(p[0], p[1]); math.Abs(got-c.want) > 1e-12 {
				t.Errorf("%v %v: %v, want %v", p[0], p[1], got, c.want)
			}
		}
	}
}

// TestEstimate: the same each time; alpha lies within; more texts, a narrower interval.
func TestEstimate(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	made := func(n int) []agreement.Unit[bool] {
		out := make([]agreement.Unit[bool], n)
		for i := range out {
			truth := rng.IntN(2) == 0
			for range 2 {
				out[i] = append(out[i], truth != (rng.IntN(10) == 0))
			}
		}
		return out
	}
	few, many := made(50), made(800)
	a, b := agreement.Estimate(few, agreement.Nominal[bool], 7), agreement.Estimate(many, agreement.Nominal[bool], 7)
	if again := agreement.Estimate(few, agreement.Nominal[bool], 7); again != a {
		t.Errorf("%+v and then %+v", a, again)
	}
	// Two readers right nine times in ten on even odds agree 0.82 of the time: alpha 0.64.
	if b.Low > .64 || b.High < .64 || b.Alpha < b.Low || b.Alpha > b.High || b.High-b.Low >= a.High-a.Low {
		t.Errorf("%+v %+v", a, b)
	}
	if one := agreement.Estimate([]agreement.Unit[bool]{{true, true}}, agreement.Nominal[bool], 7); !math.IsNaN(one.Low) {
		t.Errorf("an interval of nothing: %+v", one)
	}
}

func TestOf(t *testing.T) {
	u := []agreement.Unit[[]string]{
		{{"A positive"}, {"A positive"}},
		{{"A positive", "B negative"}, {"A positive"}},
		{{}, {}},
		{{"A negative", "A positive"}, {"A positive"}},
		{{"B negative"}, {"B negative"}},
		{{"B positive"}}, // read once
	}
	r := agreement.Of(u, []string{"A", "B", "C"}, 1)
	if r.Sets.Units != 5 || r.Sets.Alpha <= 0 || r.Sets.Alpha >= 1 || len(r.Codes) != 3 || r.Codes[0].Given != 6 || r.Codes[1].Given != 3 || !math.IsNaN(r.Codes[2].Alpha) {
		t.Errorf("%s", fmt.Sprintf("%+v", r))
	}
}
