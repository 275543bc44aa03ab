package drivers

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"

	"victimvoice/internal/fault"
)

const (
	// MinEventsPerTerm is how many rows of the rarer outcome each term should have;
	// with fewer, estimates are biased away from one and intervals are too narrow.
	//
	// Source: P. Peduzzi, J. Concato, E. Kemper, T. R. Holford and A. R. Feinstein, "A
	// simulation study of the number of events per variable in logistic regression
	// analysis", Journal of Clinical Epidemiology 49 (1996) 1373–1379.
	MinEventsPerTerm = 10
	// MaxInflation is the variance inflation factor from which two terms say so much
	// the same that their odds ratios cannot be told apart well.
	MaxInflation = 5
	// MaxCondition is the scaled condition number from which the terms together are
	// called collinear (D. A. Belsley, E. Kuh and R. E. Welsch, "Regression
	// Diagnostics", Wiley 1980, chapter 3).
	MaxCondition = 30

	maxSteps  = 50
	tolerance = 1e-9  // of the largest step, on columns of spread 1
	tooLong   = 1e-4  // a last step longer than this has not converged: the estimate runs away
	nothing   = 1e-10 // of a column's length that is left after the others: it is made up of them
)

// Term is one thing whose going together with the outcome is asked: a column of
// numbers, one a row.
type Term struct {
	ID     string
	Values []float64
}

// Estimate is what the model says of one term.
type Estimate struct {
	ID           string
	Coefficient  float64 // log-odds a unit of the term
	Error        float64 // standard error of the coefficient
	Ratio        float64 // odds ratio
	Low, High    float64 // its 95% interval
	P            float64 // two-sided, that the ratio is one: Wald, or by the likelihood ratio where the model is penalised
	Inflation    float64 // variance inflation factor; 1: the other terms say nothing of this one
	Separated    bool    // the outcome is all but told by this term: no finite estimate without a penalty
	Unbounded    bool    // the upper end of the interval lies beyond what can be searched
	UnboundedLow bool    // and so does the lower end
}

// Separation says whether the terms tell the outcome without fail, in which case the
// likelihood has no maximum.
type Separation string

// The kinds of separation (A. Albert and J. A. Anderson, "On the existence of maximum
// likelihood estimates in logistic regression models", Biometrika 71 (1984) 1–10).
const (
	NoSeparation       Separation = ""
	CompleteSeparation Separation = "complete" // of every row
	QuasiSeparation    Separation = "quasi"    // of some rows
)

// Model is a fitted regression.
type Model struct {
	Rows, Events int // rows, and those with the outcome
	Constant     Estimate
	Terms        []Estimate // in the order given, without those left out
	Aliased      []string   // terms left out, since others (or the constant) make them up

	Separation Separation
	Penalised  bool // by Firth's method, since the outcome is separated

	LogLikelihood     float64 // of the model
	NullLogLikelihood float64 // of the constant alone
	McFadden          float64 // 1 − model/null
	AIC               float64 // 2 × number of coefficients − 2 × log-likelihood
	EventsPerTerm     float64 // rows of the rarer outcome over terms
	Condition         float64 // scaled condition number of the terms and the constant
}

// Fit fits the outcome y by the terms and a constant. Where the outcome is separated,
// the model is fitted by Firth's penalised likelihood with profile intervals, and says
// so. It is fault Invalid where the columns differ in length or hold something that is
// no number, where nothing is left to fit, or where every row has the same outcome.
//
// Sources: D. W. Hosmer and S. Lemeshow, "Applied Logistic Regression" (Wiley, 2nd
// edition 2000), chapters 1–2 (Newton–Raphson, Wald intervals); D. McFadden,
// "Conditional logit analysis of qualitative choice behavior" (1974); D. Firth, "Bias
// reduction of maximum likelihood estimates", Biometrika 80 (1993) 27–38; G. Heinze and
// M. Schemper, "A solution to the problem of separation in logistic regression",
// Statistics in Medicine 21 (2002) 2409–2419.
func Fit(y []bool, terms ...Term) (*Model, error) {
	if err := check(y, terms); err != nil {
		return nil, err
	}
	m := &Model{Rows: len(y)}
	for _, v := range y {
		if v {
			m.Events++
		}
	}
	if m.Events == 0 || m.Events == m.Rows {
		return nil, fault.New(fault.Invalid, "every row has the same outcome: there is nothing to tell apart")
	}
	kept, aliased := independent(len(y), terms)
	m.Aliased = aliased
	f := newProblem(y, kept)
	share := float64(m.Events) / float64(m.Rows)
	m.NullLogLikelihood = float64(m.Events)*math.Log(share) + float64(m.Rows-m.Events)*math.Log(1-share)

	beta, step, ok := f.newton(f.start(), -1, false)
	if !ok && longest(step) <= tooLong {
		return nil, fault.New(fault.Internal, "the fit of a regression does not settle")
	}
	if !ok {
		m.Separation, m.Penalised = f.separation(beta), true
		run := step
		if beta, _, ok = f.newton(f.start(), -1, true); !ok {
			return nil, fault.New(fault.Internal, "the penalised fit of a regression does not settle")
		}
		f.estimates(m, kept, beta)
		for j := range m.Terms {
			m.Terms[j].Separated = math.Abs(run[j+1]) > tooLong
		}
	} else {
		f.estimates(m, kept, beta)
	}
	m.LogLikelihood = f.likelihood(beta)
	m.McFadden = 1 - m.LogLikelihood/m.NullLogLikelihood
	m.AIC = 2*float64(len(beta)) - 2*m.LogLikelihood
	if len(kept) > 0 {
		m.EventsPerTerm = float64(min(m.Events, m.Rows-m.Events)) / float64(len(kept))
	}
	f.collinearity(m)
	return m, nil
}

func check(y []bool, terms []Term) error {
	if len(y) == 0 {
		return fault.New(fault.Invalid, "there is no row to fit")
	}
	for i, t := range terms {
		if len(t.Values) != len(y) {
			return fault.New(fault.Invalid, "term %s has %d values for %d rows", t.ID, len(t.Values), len(y))
		}
		if slices.ContainsFunc(t.Values, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }) {
			return fault.New(fault.Invalid, "term %s holds something that is no number", t.ID)
		}
		if slices.ContainsFunc(terms[:i], func(o Term) bool { return o.ID == t.ID }) {
			return fault.New(fault.Invalid, "term %s is given twice", t.ID)
		}
	}
	if len(terms)+1 >= len(y) {
		return fault.New(fault.Invalid, "%d rows are too few for %d terms", len(y), len(terms))
	}
	return nil
}

// independent leaves out each term that those before it and the constant make up, by
// Gram–Schmidt.
func independent(n int, terms []Term) (kept []Term, aliased []string) {
	one := make([]float64, n)
	for i := range one {
		one[i] = 1
	}
	basis := []*mat.VecDense{mat.NewVecDense(n, one)}
	basis[0].ScaleVec(1/basis[0].Norm(2), basis[0])
	for _, t := range terms {
		v := mat.NewVecDense(n, slices.Clone(t.Values))
		before := v.Norm(2)
		for range 2 { // twice is enough against rounding
			for _, b := range basis {
				v.AddScaledVec(v, -mat.Dot(v, b), b)
			}
		}
		if left := v.Norm(2); before == 0 || left < before*math.Sqrt(nothing) {
			aliased = append(aliased, t.ID)
			continue
		}
		v.ScaleVec(1/v.Norm(2), v)
		basis, kept = append(basis, v), append(kept, t)
	}
	return kept, aliased
}

// problem is a regression on columns of mean 0 and spread 1, which keeps Newton's
// steps well scaled whatever the units of the terms.
type problem struct {
	x      *mat.Dense // constant first
	y      []float64
	centre []float64
	spread []float64
}

func newProblem(y []bool, terms []Term) *problem {
	n, k := len(y), len(terms)+1
	f := &problem{x: mat.NewDense(n, k, nil), y: make([]float64, n), centre: make([]float64, k), spread: make([]float64, k)}
	f.spread[0] = 1
	for i, v := range y {
		f.x.Set(i, 0, 1)
		if v {
			f.y[i] = 1
		}
	}
	for j, t := range terms {
		mean, square := 0., 0.
		for _, v := range t.Values {
			mean += v / float64(n)
		}
		for _, v := range t.Values {
			square += (v - mean) * (v - mean) / float64(n)
		}
		f.centre[j+1], f.spread[j+1] = mean, math.Sqrt(square)
		for i, v := range t.Values {
			f.x.Set(i, j+1, (v-mean)/f.spread[j+1])
		}
	}
	return f
}

// start is the fit of the constant alone.
func (f *problem) start() []float64 {
	mean := 0.
	for _, v := range f.y {
		mean += v / float64(len(f.y))
	}
	beta := make([]float64, len(f.spread))
	beta[0] = math.Log(mean / (1 - mean))
	return beta
}

func longest(step []float64) (out float64) {
	for _, v := range step {
		out = max(out, math.Abs(v))
	}
	return out
}

// linear gives the log-odds of every row.
func (f *problem) linear(beta []float64) []float64 {
	var z mat.VecDense
	z.MulVec(f.x, mat.NewVecDense(len(beta), beta))
	return z.RawVector().Data
}

func logistic(z float64) float64 { return 1 / (1 + math.Exp(-z)) }

// likelihood is the log-likelihood, computed so that no probability is rounded to 0 or 1.
func (f *problem) likelihood(beta []float64) (l float64) {
	for i, z := range f.linear(beta) {
		if f.y[i] == 0 {
			z = -z
		}
		l -= math.Max(-z, 0) + math.Log1p(math.Exp(-math.Abs(z)))
	}
	return l
}

// information is X'WX at beta, with the weights; ok is false where it cannot be
// factorised.
func (f *problem) information(beta []float64) (c *mat.Cholesky, weights, p []float64, ok bool) {
	z := f.linear(beta)
	n, k := f.x.Dims()
	weights, p = make([]float64, n), make([]float64, n)
	w := mat.NewDense(n, k, nil)
	for i := range z {
		p[i] = logistic(z[i])
		weights[i] = p[i] * (1 - p[i])
		s := math.Sqrt(weights[i])
		for j := range k {
			w.Set(i, j, s*f.x.At(i, j))
		}
	}
	var h mat.SymDense
	h.SymOuterK(1, w.T())
	c = &mat.Cholesky{}
	return c, weights, p, c.Factorize(&h) && c.Cond() < 1e14
}

// objective is what Newton climbs: the log-likelihood, with half the log-determinant
// of the information where it is penalised.
func (f *problem) objective(beta []float64, firth bool) float64 {
	l := f.likelihood(beta)
	if firth {
		c, _, _, ok := f.information(beta)
		if !ok {
			return math.Inf(-1)
		}
		l += c.LogDet() / 2
	}
	return l
}

// newton climbs from beta by Newton's method with step halving; a coefficient whose
// number is fixed stays. ok is false where it has not settled: step is then the last
// one tried, which goes on in the direction in which the estimate runs away.
func (f *problem) newton(beta []float64, fixed int, firth bool) (out, step []float64, ok bool) {
	beta = slices.Clone(beta)
	step = make([]float64, len(beta))
	value := f.objective(beta, firth)
	for range maxSteps {
		next, can := f.step(beta, fixed, firth)
		if !can {
			return beta, step, false
		}
		step = next
		scale := 1.
		if l := longest(step); l > 5 {
			scale = 5 / l
		}
		tried := slices.Clone(beta)
		for range 20 {
			for j := range beta {
				tried[j] = beta[j] + scale*step[j]
			}
			if v := f.objective(tried, firth); v >= value-1e-12*math.Abs(value) {
				value = v
				break
			}
			scale /= 2
		}
		beta = tried
		if longest(step) < tolerance {
			return beta, step, true
		}
	}
	return beta, step, false
}

// step is one Newton step: the information's inverse times the (penalised) score.
func (f *problem) step(beta []float64, fixed int, firth bool) ([]float64, bool) {
	c, weights, p, ok := f.information(beta)
	if !ok {
		return nil, false
	}
	n, k := f.x.Dims()
	residual := mat.NewVecDense(n, nil)
	for i := range n {
		residual.SetVec(i, f.y[i]-p[i])
	}
	if firth { // the hat matrix's diagonal pulls each probability towards one half
		var inverse mat.SymDense
		if c.InverseTo(&inverse) != nil {
			return nil, false
		}
		for i := range n {
			row := mat.NewVecDense(k, f.x.RawRowView(i))
			leverage := weights[i] * mat.Inner(row, &inverse, row)
			residual.SetVec(i, residual.AtVec(i)+leverage*(0.5-p[i]))
		}
	}
	var score mat.VecDense
	score.MulVec(f.x.T(), residual)
	if fixed < 0 {
		var step mat.VecDense
		if c.SolveVecTo(&step, &score) != nil {
			return nil, false
		}
		return step.RawVector().Data, true
	}
	return without(c, &score, fixed)
}

// without solves for all coefficients but one.
func without(c *mat.Cholesky, score *mat.VecDense, fixed int) ([]float64, bool) {
	var h mat.SymDense
	c.ToSym(&h)
	k := h.SymmetricDim()
	out := make([]float64, k)
	if k == 1 {
		return out, true
	}
	rest := make([]int, 0, k-1)
	for j := range k {
		if j != fixed {
			rest = append(rest, j)
		}
	}
	sub, part := mat.NewSymDense(k-1, nil), mat.NewVecDense(k-1, nil)
	for a, i := range rest {
		part.SetVec(a, score.AtVec(i))
		for b, j := range rest[:a+1] {
			sub.SetSym(a, b, h.At(i, j))
		}
	}
	var s mat.Cholesky
	if !s.Factorize(sub) {
		return nil, false
	}
	var step mat.VecDense
	if s.SolveVecTo(&step, part) != nil {
		return nil, false
	}
	for a, i := range rest {
		out[i] = step.AtVec(a)
	}
	return out, true
}

// separation says how far the log-odds that ran away tell the outcomes apart.
func (f *problem) separation(beta []float64) Separation {
	for i, z := range f.linear(beta) {
		if (2*f.y[i]-1)*z <= 0 {
			return QuasiSeparation
		}
	}
	for i, p := range f.linear(beta) {
		if math.Abs(logistic(p)-f.y[i]) > 1e-3 {
			return QuasiSeparation
		}
	}
	return CompleteSeparation
}

// estimates turns coefficients of the scaled columns back to the terms' own units.
func (f *problem) estimates(m *Model, terms []Term, beta []float64) {
	c, _, _, _ := f.information(beta)
	var cov mat.SymDense
	_ = c.InverseTo(&cov) // it was factorised to get here; an ill condition shows as a wide interval
	normal := distuv.UnitNormal
	z := normal.Quantile(0.975)
	one := func(id string, b, se float64) Estimate {
		return Estimate{ID: id, Coefficient: b, Error: se, Ratio: math.Exp(b), Low: math.Exp(b - z*se), High: math.Exp(b + z*se), P: 2 * normal.Survival(math.Abs(b/se)), Inflation: 1}
	}
	// The constant of the unscaled terms is a sum of all coefficients.
	sum := make([]float64, len(beta))
	constant := beta[0]
	sum[0] = 1
	for j := 1; j < len(beta); j++ {
		sum[j] = -f.centre[j] / f.spread[j]
		constant += sum[j] * beta[j]
	}
	v := mat.NewVecDense(len(sum), sum)
	m.Constant = one("", constant, math.Sqrt(mat.Inner(v, &cov, v)))
	for j, t := range terms {
		e := one(t.ID, beta[j+1]/f.spread[j+1], math.Sqrt(cov.At(j+1, j+1))/f.spread[j+1])
		if m.Penalised {
			f.profile(&e, beta, j+1)
		}
		m.Terms = append(m.Terms, e)
	}
}

// profile gives a penalised estimate's interval and p by the profile of the penalised
// likelihood, since Wald's say little where the outcome is separated.
func (f *problem) profile(e *Estimate, beta []float64, j int) {
	best := f.objective(beta, true)
	drop := func(at float64) float64 {
		start := slices.Clone(beta)
		start[j] = at
		free, _, ok := f.newton(start, j, true)
		if !ok {
			return math.Inf(1)
		}
		return 2 * (best - f.objective(free, true))
	}
	chi := distuv.ChiSquared{K: 1}
	limit := chi.Quantile(0.95)
	end := func(sign float64) (float64, bool) {
		const furthest = 64 // of the scaled coefficient
		near, far := 0., 0.5
		for drop(beta[j]+sign*far) < limit {
			if near, far = far, 2*far; far > furthest {
				return sign * math.Inf(1), false
			}
		}
		for range 60 {
			mid := (near + far) / 2
			if drop(beta[j]+sign*mid) < limit {
				near = mid
			} else {
				far = mid
			}
		}
		return (beta[j] + sign*(near+far)/2) / f.spread[j], true
	}
	low, bounded := end(-1)
	e.UnboundedLow, e.Low = !bounded, math.Exp(low)
	high, bounded := end(1)
	e.Unbounded, e.High = !bounded, math.Exp(high)
	e.P = chi.Survival(max(drop(0), 0))
}

// collinearity fills in the inflation factors, which are the diagonal of the inverse
// of the terms' correlations, and the scaled condition number.
func (f *problem) collinearity(m *Model) {
	n, k := f.x.Dims()
	m.Condition = 1
	if k < 2 {
		return
	}
	centred := f.x.Slice(0, n, 1, k)
	var r mat.SymDense
	r.SymOuterK(1/float64(n), centred.T())
	var c mat.Cholesky
	var inverse mat.SymDense
	if c.Factorize(&r) && c.InverseTo(&inverse) == nil {
		for j := range m.Terms {
			m.Terms[j].Inflation = max(1, inverse.At(j, j))
		}
	} else {
		for j := range m.Terms {
			m.Terms[j].Inflation = math.Inf(1)
		}
	}
	// Belsley's condition number is of the columns as they are, brought to one length.
	raw := mat.NewDense(n, k, nil)
	for j := range k {
		length := 0.
		for i := range n {
			v := f.x.At(i, j)*f.spread[j] + f.centre[j]
			raw.Set(i, j, v)
			length += v * v
		}
		for i := range n {
			raw.Set(i, j, raw.At(i, j)/math.Sqrt(length))
		}
	}
	var gram mat.SymDense
	gram.SymOuterK(1, raw.T())
	var eigen mat.EigenSym
	if !eigen.Factorize(&gram, false) {
		return
	}
	values := eigen.Values(nil)
	m.Condition = math.Sqrt(values[k-1] / max(values[0], 1e-300))
}

// Collinear names the terms whose odds ratios cannot be told apart well from the
// others', by their inflation.
func (m *Model) Collinear() []string {
	var out []string
	for _, t := range m.Terms {
		if t.Inflation > MaxInflation {
			out = append(out, t.ID)
		}
	}
	return out
}
