package figures

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// z95 is the two-sided 95% point of the standard normal distribution.
const z95 = 1.959963984540054

// Interval is a range in percent, 0 to 100.
type Interval struct {
	Low, High float64
}

// Wilson gives the 95% score interval, in percent, for a proportion of x in n.
// It stays inside 0–100 and keeps its promise on small bases, where the usual
// plus-or-minus interval does not. An n of nought gives the whole range: nothing
// is known. The interval is about precision alone; people chose to answer.
//
// Source: E. B. Wilson, "Probable inference, the law of succession, and
// statistical inference", JASA 22 (1927) 209–212; method 3 of R. G. Newcombe,
// "Two-sided confidence intervals for the single proportion", Statistics in
// Medicine 17 (1998) 857–872.
func Wilson(x, n int) Interval {
	if n <= 0 {
		return Interval{0, 100}
	}
	o, m := float64(x), float64(n)
	q := 1 - o/m
	mid, half, div := 2*o+z95*z95, z95*math.Sqrt(z95*z95+4*o*q), 2*(m+z95*z95)
	return Interval{Low: clip(100 * (mid - half) / div), High: clip(100 * (mid + half) / div)}
}

// Difference is how far one share lies from another, in percentage points.
type Difference struct {
	Points float64 // first minus second
	Interval
}

// Apart reports whether the interval leaves out "no difference".
func (d Difference) Apart() bool { return d.Low > 0 || d.High < 0 }

// Newcombe gives the difference between two independent proportions with its
// 95% score interval, in percentage points: what is to be read instead of
// laying two intervals side by side. ok is false when either base is nought.
//
// Source: method 10 of R. G. Newcombe, "Interval estimation for the difference
// between independent proportions", Statistics in Medicine 17 (1998) 873–890.
func Newcombe(x1, n1, x2, n2 int) (d Difference, ok bool) {
	if n1 <= 0 || n2 <= 0 {
		return Difference{}, false
	}
	p1, p2 := 100*float64(x1)/float64(n1), 100*float64(x2)/float64(n2)
	w1, w2 := Wilson(x1, n1), Wilson(x2, n2)
	d.Points = p1 - p2
	d.Low = d.Points - math.Hypot(p1-w1.Low, w2.High-p2)
	d.High = d.Points + math.Hypot(w1.High-p1, p2-w2.Low)
	return d, true
}

// meanInterval gives the 95% interval of a mean of n scores on 0–100 by Student's
// t, clipped to the scale. ok is false below two scores, which have no spread.
func meanInterval(sum, squares float64, n int) (Interval, bool) {
	if n < 2 {
		return Interval{}, false
	}
	m := float64(n)
	mean := sum / m
	variance := math.Max(0, (squares-sum*mean)/(m-1))
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: m - 1}.Quantile(0.975)
	half := t * math.Sqrt(variance/m)
	return Interval{Low: clip(mean - half), High: clip(mean + half)}, true
}

func clip(v float64) float64 { return math.Min(100, math.Max(0, v)) }
