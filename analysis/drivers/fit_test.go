package drivers

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"victimvoice/internal/fault"
)

// near fails unless two numbers agree to half a unit of the last decimal given.
func near(t *testing.T, what string, got, want float64, decimals int) {
	t.Helper()
	if math.Abs(got-want) > 0.51*math.Pow10(-decimals) || math.IsNaN(got) {
		t.Errorf("%s: %.6f, want %.*f", what, got, decimals, want)
	}
}

// The reflex of 39 breaths: volume, rate, and whether the vessels of the finger
// narrowed. D. J. Finney, "The estimation from individual records of the relationship
// between dose and quantal response", Biometrika 34 (1947) 320–334.
var finney = [][3]float64{
	{3.70, 0.825, 1}, {3.50, 1.09, 1}, {1.25, 2.50, 1}, {0.75, 1.50, 1}, {0.80, 3.20, 1}, {0.70, 3.50, 1}, {0.60, 0.75, 0}, {1.10, 1.70, 0},
	{0.90, 0.75, 0}, {0.90, 0.45, 0}, {0.80, 0.57, 0}, {0.55, 2.75, 0}, {0.60, 3.00, 0}, {1.40, 2.33, 1}, {0.75, 3.75, 1}, {2.30, 1.64, 1},
	{3.20, 1.60, 1}, {0.85, 1.415, 1}, {1.70, 1.06, 0}, {1.80, 1.80, 1}, {0.40, 2.00, 0}, {0.95, 1.36, 0}, {1.35, 1.35, 0}, {1.50, 1.36, 0},
	{1.60, 1.78, 1}, {0.60, 1.50, 0}, {1.80, 1.50, 1}, {0.95, 1.90, 0}, {1.90, 0.95, 1}, {1.60, 0.40, 0}, {2.70, 0.75, 1}, {2.35, 0.03, 0},
	{1.10, 1.83, 0}, {1.10, 2.20, 1}, {1.20, 2.00, 1}, {0.80, 3.33, 1}, {0.95, 1.90, 0}, {0.75, 1.90, 0}, {1.30, 1.625, 1},
}

func finneyTerms() (y []bool, volume, rate Term) {
	volume.ID, rate.ID = "log-volume", "log-rate"
	for _, r := range finney {
		y = append(y, r[2] == 1)
		volume.Values, rate.Values = append(volume.Values, math.Log(r[0])), append(rate.Values, math.Log(r[1]))
	}
	return y, volume, rate
}

// The published fit: D. Pregibon, "Logistic regression diagnostics", Annals of
// Statistics 9 (1981) 705–724, gives the coefficients −2.875, 5.179 and 4.562 and a
// deviance of 29.23; the SAS/STAT User's Guide (the LOGISTIC procedure, "Logistic
// regression diagnostics") prints four decimals and the standard errors.
func TestFinney(t *testing.T) {
	y, volume, rate := finneyTerms()
	m, err := Fit(y, volume, rate)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "constant", m.Constant.Coefficient, -2.8754, 4)
	near(t, "its error", m.Constant.Error, 1.3208, 4)
	near(t, "log volume", m.Terms[0].Coefficient, 5.1793, 4)
	near(t, "its error", m.Terms[0].Error, 1.8648, 4)
	near(t, "log rate", m.Terms[1].Coefficient, 4.5617, 4)
	near(t, "its error", m.Terms[1].Error, 1.8380, 4)
	near(t, "deviance", -2*m.LogLikelihood, 29.227, 3)
	near(t, "AIC", m.AIC, 35.227, 3)
	near(t, "null deviance", -2*m.NullLogLikelihood, 54.040, 3)
	near(t, "McFadden", m.McFadden, 1-29.227/54.040, 3)
	if m.Rows != 39 || m.Events != 20 || m.Separation != NoSeparation || m.Penalised || len(m.Aliased) > 0 {
		t.Errorf("%+v", m)
	}
	near(t, "events per term", m.EventsPerTerm, 9.5, 1)
}

// Coronary heart disease by age 55 and over, 100 people: D. W. Hosmer and S. Lemeshow,
// "Applied Logistic Regression" (2nd edition, Wiley 2000), section 3.2: coefficient
// 2.094 with error 0.529, constant −0.841 with error 0.255, log-likelihood −58.98,
// odds ratio 8.1 with interval 2.9 to 22.9.
func TestHosmerLemeshow(t *testing.T) {
	y, old := table(21, 6, 22, 51)
	m, err := Fit(y, old)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "age", m.Terms[0].Coefficient, 2.094, 3)
	near(t, "its error", m.Terms[0].Error, 0.529, 3)
	near(t, "constant", m.Constant.Coefficient, -0.841, 3)
	near(t, "its error", m.Constant.Error, 0.255, 3)
	near(t, "log-likelihood", m.LogLikelihood, -58.98, 2)
	near(t, "odds ratio", m.Terms[0].Ratio, 8.1, 1)
	near(t, "from", m.Terms[0].Low, 2.9, 1)
	near(t, "to", m.Terms[0].High, 22.9, 1)
	near(t, "inflation of one term", m.Terms[0].Inflation, 1, 6)
}

// table lays a two-by-two table out in rows: with the term and the outcome, with the
// term alone, with the outcome alone, with neither.
func table(both, term, outcome, neither int) (y []bool, out Term) {
	out.ID = "term"
	add := func(n int, x float64, v bool) {
		for range n {
			y, out.Values = append(y, v), append(out.Values, x)
		}
	}
	add(both, 1, true)
	add(term, 1, false)
	add(outcome, 0, true)
	add(neither, 0, false)
	return y, out
}

// Where a table has an empty cell the likelihood has no maximum. Firth's estimate adds
// one half to each cell of a saturated model (D. Firth, Biometrika 80 (1993) 27–38).
func TestQuasiSeparation(t *testing.T) {
	y, x := table(12, 0, 20, 30)
	m, err := Fit(y, x)
	if err != nil {
		t.Fatal(err)
	}
	if m.Separation != QuasiSeparation || !m.Penalised || !m.Terms[0].Separated {
		t.Fatalf("%+v", m)
	}
	near(t, "log odds ratio", m.Terms[0].Coefficient, math.Log(12.5*30.5/(0.5*20.5)), 6)
	e := m.Terms[0]
	if e.Low <= 1 || e.Low >= e.Ratio || e.High <= e.Ratio || e.P >= 0.05 || math.IsInf(e.Ratio, 0) {
		t.Errorf("a separated term is not given a finite estimate within its interval: %+v", e)
	}
}

func TestCompleteSeparation(t *testing.T) {
	var y []bool
	x := Term{ID: "x"}
	for i := range 40 {
		y, x.Values = append(y, i >= 20), append(x.Values, float64(i))
	}
	m, err := Fit(y, x)
	if err != nil {
		t.Fatal(err)
	}
	if m.Separation != CompleteSeparation || !m.Terms[0].Separated || m.Terms[0].Ratio <= 1 || math.IsInf(m.Terms[0].Ratio, 0) {
		t.Errorf("%+v", m)
	}
}

// A separated term is named, and the one beside it is not.
func TestSeparationNamesTheTerm(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var y []bool
	a, b := Term{ID: "a"}, Term{ID: "b"}
	for i := range 200 {
		x, in := r.NormFloat64(), i%8 == 0
		v := r.Float64() < logistic(x)
		y = append(y, v || in)
		a.Values, b.Values = append(a.Values, x), append(b.Values, map[bool]float64{true: 1}[in])
	}
	m, err := Fit(y, a, b)
	if err != nil {
		t.Fatal(err)
	}
	if m.Separation != QuasiSeparation || m.Terms[0].Separated || !m.Terms[1].Separated {
		t.Errorf("%+v", m)
	}
}

func TestCollinearity(t *testing.T) {
	y, volume, rate := finneyTerms()
	twice, much := Term{ID: "twice"}, Term{ID: "much"}
	for i, v := range volume.Values {
		twice.Values = append(twice.Values, 2*v+3)
		much.Values = append(much.Values, v+0.2*rate.Values[i]*float64(i%3-1))
	}
	m, err := Fit(y, volume, rate, twice)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Terms) != 2 || len(m.Aliased) != 1 || m.Aliased[0] != "twice" {
		t.Errorf("a term made up of another is not left out: %+v", m)
	}
	if m, err = Fit(y, volume, rate, much); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(m.Collinear(), " "); got != "log-volume much" {
		t.Errorf("collinear terms: %q, inflation %v", got, m.Terms)
	}
	// By definition: 1 over what the others leave unexplained of it.
	near(t, "inflation", m.Terms[1].Inflation, 1/(1-explained(rate.Values, volume.Values, much.Values)), 6)
	if m.Condition <= 1 {
		t.Errorf("condition %v", m.Condition)
	}
}

// explained is R² of a on b and c, by the normal equations.
func explained(a, b, c []float64) float64 {
	centre := func(v []float64) []float64 {
		mean := 0.
		for _, x := range v {
			mean += x / float64(len(v))
		}
		out := make([]float64, len(v))
		for i, x := range v {
			out[i] = x - mean
		}
		return out
	}
	dot := func(x, y []float64) (s float64) {
		for i := range x {
			s += x[i] * y[i]
		}
		return s
	}
	a, b, c = centre(a), centre(b), centre(c)
	det := dot(b, b)*dot(c, c) - dot(b, c)*dot(b, c)
	p := (dot(a, b)*dot(c, c) - dot(a, c)*dot(b, c)) / det
	q := (dot(a, c)*dot(b, b) - dot(a, b)*dot(b, c)) / det
	return (p*dot(a, b) + q*dot(a, c)) / dot(a, a)
}

func TestFitRefuses(t *testing.T) {
	y, x := table(5, 5, 5, 5)
	nan := Term{ID: "nan", Values: make([]float64, len(y))}
	nan.Values[3] = math.NaN()
	for name, try := range map[string]func() (*Model, error){
		"no rows":           func() (*Model, error) { return Fit(nil) },
		"one outcome":       func() (*Model, error) { return Fit(make([]bool, 20), x) },
		"a short column":    func() (*Model, error) { return Fit(y, Term{ID: "x", Values: []float64{1}}) },
		"not a number":      func() (*Model, error) { return Fit(y, nan) },
		"one term twice":    func() (*Model, error) { return Fit(y, x, x) },
		"fewer rows than k": func() (*Model, error) { return Fit([]bool{true, false}, Term{ID: "a", Values: []float64{1, 2}}) },
	} {
		if _, err := try(); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if m, err := Fit(y); err != nil || len(m.Terms) != 0 || m.McFadden > 1e-9 {
		t.Errorf("the constant alone: %+v, %v", m, err)
	}
}

// With a known truth, the 95% interval covers it about 95 times in 100, and a term
// with no effect is called significant about 5 times in 100.
func TestCoverage(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	const runs, rows = 600, 400
	covered, alarms := 0, 0
	for range runs {
		y := make([]bool, rows)
		a, b := Term{ID: "a", Values: make([]float64, rows)}, Term{ID: "b", Values: make([]float64, rows)}
		for i := range rows {
			if r.Float64() < 0.4 {
				a.Values[i] = 1
			}
			if r.Float64() < 0.3+0.2*a.Values[i] {
				b.Values[i] = 1
			}
			y[i] = r.Float64() < logistic(-0.5+0.8*a.Values[i])
		}
		m, err := Fit(y, a, b)
		if err != nil {
			t.Fatal(err)
		}
		if want := math.Exp(0.8); m.Terms[0].Low <= want && want <= m.Terms[0].High {
			covered++
		}
		if m.Terms[1].P < 0.05 {
			alarms++
		}
	}
	if covered < runs*92/100 || alarms > runs*8/100 || alarms < runs*2/100 {
		t.Errorf("of %d: the truth is covered %d times, and a term without effect found %d times", runs, covered, alarms)
	}
	t.Logf("covered %.1f%%, false alarms %.1f%%", 100*float64(covered)/runs, 100*float64(alarms)/runs)
}
