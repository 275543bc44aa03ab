package figures

import (
	"math"
	"math/rand/v2"
	"testing"
)

// tallyOf is a sample by its counts: found of those with the theme, left alone of those without.
func tallyOf(hits, with, clear, without int) Tally {
	return Tally{Hits: hits, Misses: with - hits, FalseAlarms: without - clear, Clear: clear}
}

func TestTally(t *testing.T) {
	t.Parallel()
	var got Tally
	for _, p := range []CodedPair{{true, true}, {true, true}, {false, true}, {true, false}, {false, false}, {false, false}, {false, false}} {
		got.Add(p)
	}
	if want := (Tally{Hits: 2, Misses: 1, FalseAlarms: 1, Clear: 3}); got != want {
		t.Fatalf("%+v, want %+v", got, want)
	}
	if got.Drawn() != 7 || got.With() != 3 || got.Without() != 4 || math.Abs(got.Sensitivity()-2./3) > 1e-12 || got.Specificity() != .75 {
		t.Errorf("%+v: %d %d %d %f %f", got, got.Drawn(), got.With(), got.Without(), got.Sensitivity(), got.Specificity())
	}
}

// The published examples, and the interval's equations worked through apart from the
// program (to four places).
func TestCorrectedExamples(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		x, n             int
		sample           Tally
		share, low, high float64
	}{
		// Brucellosis: 23 of 150 cows, sensitivity .96, specificity .89: 5.1 in 100
		// (M. Stevenson's epiR, epi.prev, first example). There both rates are known and
		// the interval is 0–13; estimated from 100 each it is wider.
		"cows": {23, 150, tallyOf(96, 100, 89, 100), 5.0980, 0, 14.5668},
		// Helicobacter pylori: 6 of 151 children, .964 and .927: fewer than the false
		// alarms, so nought (Moujaber et al. 2008, the second example there).
		"children": {6, 151, tallyOf(241, 250, 927, 1000), 0, 0, 1.7230},
		"few":      {2, 120, tallyOf(30, 40, 95, 100), 0, 0, 3.7983},
		"many":     {88, 100, tallyOf(45, 50, 40, 50), 97.1429, 82.7385, 100},
		"perfect":  {50, 200, tallyOf(500, 500, 500, 500), 25, 19.3585, 31.3846},
	} {
		share, iv, ok := Corrected(c.x, c.n, c.sample)
		if !ok {
			t.Errorf("%s: no estimate", name)
			continue
		}
		for _, v := range []struct{ got, want float64 }{{share, c.share}, {iv.Low, c.low}, {iv.High, c.high}} {
			if math.Abs(v.got-v.want) > 5e-5 {
				t.Errorf("%s: %.4f (%.4f to %.4f), want %.4f (%.4f to %.4f)", name, share, iv.Low, iv.High, c.share, c.low, c.high)
				break
			}
		}
	}
}

func TestCorrectedRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		x, n   int
		sample Tally
		lacks  bool // the sample itself, and not the figure
	}{
		"no one":                       {0, 0, tallyOf(90, 100, 90, 100), false},
		"99 drawn":                     {30, 100, tallyOf(40, 49, 45, 50), true},
		"nine with it":                 {30, 100, tallyOf(9, 9, 100, 120), true},
		"nine without":                 {30, 100, tallyOf(110, 120, 9, 9), true},
		"finds less than half":         {30, 100, tallyOf(49, 100, 99, 100), true},
		"cries wolf":                   {90, 100, tallyOf(99, 100, 49, 100), true},
		"fewer than the false alarms":  {50, 1000, tallyOf(60, 75, 170, 200), false},
		"more than it finds elsewhere": {100, 100, tallyOf(60, 100, 100, 100), false},
	} {
		if share, iv, ok := Corrected(c.x, c.n, c.sample); ok {
			t.Errorf("%s: %.1f (%.1f to %.1f)", name, share, iv.Low, iv.High)
		}
		if (c.sample.Lacks() != "") != c.lacks {
			t.Errorf("%s: lacks %q", name, c.sample.Lacks())
		}
	}
}

// The interval covers the truth about as often as it says, also on the smallest samples
// that are taken, and always holds its estimate and stays on the scale.
func TestCorrectedCoverage(t *testing.T) {
	t.Parallel()
	const rounds = 4000
	rng := rand.New(rand.NewPCG(1978, 2014))
	binomial := func(n int, p float64) (k int) {
		for range n {
			if rng.Float64() < p {
				k++
			}
		}
		return k
	}
	all, hit := 0, 0
	for _, truth := range []float64{.1, .3, .6} {
		for _, sens := range []float64{.7, .9} {
			for _, spec := range []float64{.85, .97} {
				for _, size := range []struct{ n, drawn int }{{60, 120}, {400, 300}} {
					covered, given := 0, 0
					for range rounds {
						with := binomial(size.drawn, .25) // the sample's months may differ from these
						sample := tallyOf(binomial(with, sens), with, binomial(size.drawn-with, spec), size.drawn-with)
						x := binomial(size.n, truth*sens+(1-truth)*(1-spec))
						share, iv, ok := Corrected(x, size.n, sample)
						if !ok {
							continue
						}
						given++
						if iv.Low < 0 || iv.High > 100 || share < iv.Low || share > iv.High {
							t.Fatalf("%.2f in %+v", share, iv)
						}
						if iv.Low <= 100*truth && 100*truth <= iv.High {
							covered++
						}
					}
					all, hit = all+given, hit+covered
					if rate := float64(covered) / float64(given); rate < .925 {
						t.Errorf("truth %.2f, sensitivity %.2f, specificity %.2f, %+v: covers %.1f%% of the time", truth, sens, spec, size, 100*rate)
					}
				}
			}
		}
	}
	if rate := float64(hit) / float64(all); rate < .94 || rate > .985 {
		t.Errorf("over all, the interval covers the truth %.1f%% of the time, want about 95%%", 100*rate)
	} else {
		t.Logf("covers %.1f%% in %d", 100*rate, all)
	}
}
