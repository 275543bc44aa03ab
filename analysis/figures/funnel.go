package figures

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"victimvoice/internal/fault"
)

// FunnelPoint is one area on a funnel plot.
type FunnelPoint struct {
	Point
	Outside string // OutsideFar, OutsideNear or empty: within, or not shown
	Above   bool   // over the centre; counts where Outside is set
}

// How far outside a funnel's limits an area lies.
const (
	OutsideNear = "95%"
	OutsideFar  = "99.8%"
)

// FunnelLimit is what surrounds the centre at one base, in percent.
type FunnelLimit struct {
	Base                           int
	Low95, High95, Low998, High998 float64
}

// Funnel sets the areas of one level against all of them together.
type Funnel struct {
	Measure    Measure
	Mode       string
	Level      string        // the dimension of the areas
	Centre     Point         // the figure of all areas together
	Areas      []FunnelPoint // in the order of tables, the withheld among them
	Limits     []FunnelLimit // over the bases of the areas shown; none: see Why
	Shown      int           // areas shown
	ByChance95 float64       // how many of those shown would lie outside the 95% limits by chance
	Dispersion float64       // 1 where areas differ as chance alone would have them differ
	Over       bool          // they differ by more, by a test at 5%
	Why        string        // why there are no limits
	Words      string        // what the plot says, and no more
}

// minFunnel is the least number of areas shown for a plot: two say nothing of a spread.
const minFunnel = 3

// Funnel gives a measure's funnel plot over the areas of a level (borough, BCU or
// force) for a query that is not split. Its centre is the published figure of all
// areas together, and its points are published figures: it gives nothing else. A
// measure that is no share, and whatever is off the lattice, is fault Invalid.
func (p *Panel) Funnel(ctx context.Context, q Query, level string) (Funnel, error) {
	m, ok := p.Measure(q.Measure)
	switch {
	case ok && m.Averages():
		return Funnel{}, fault.Fields("this is not a funnel plot", fault.Field{Field: "measure", Message: "is a mean of scores: a funnel plot takes shares of people"})
	case groupOf(level) != groupArea:
		return Funnel{}, fault.Fields("this is not a funnel plot", fault.Field{Field: "level", Message: "is borough, bcu or force"})
	case len(q.By) > 0:
		return Funnel{}, fault.Fields("this is not a funnel plot", fault.Field{Field: "by", Message: "is not for funnel plots: they take one period and one group"})
	}
	centre, err := p.Figures(ctx, q)
	if err != nil {
		return Funnel{}, err
	}
	q.By = []string{level}
	r, err := p.Figures(ctx, q)
	if err != nil {
		return Funnel{}, err
	}
	f := Funnel{Measure: r.Measure, Mode: r.Mode, Level: level, Dispersion: math.NaN()}
	for i := range r.Points {
		f.Areas = append(f.Areas, FunnelPoint{Point: r.Points[i]})
		if r.Points[i].Share != nil {
			f.Shown++
		}
	}
	if len(centre.Points) > 0 {
		f.Centre = centre.Points[0]
	}
	switch {
	case f.Centre.Share == nil && f.Centre.Suppressed:
		f.Why = "The figure of all areas together is withheld, so that there is nothing to set areas against."
	case f.Centre.Share == nil:
		f.Why = "Nobody has answered within these filters."
	case f.Shown < minFunnel:
		f.Why = fmt.Sprintf("Fewer than %d areas have a figure that can be shown, too few to tell the usual from the unusual.", minFunnel)
	case f.Centre.Numerator == 0 || f.Centre.Numerator == f.Centre.Base:
		f.Why = "All areas together stand at one end of the scale, so that there is no spread to draw limits from."
	default:
		f.limits()
	}
	return f, nil
}

// limits draws the limits over the bases shown, and marks the areas outside.
func (f *Funnel) limits() {
	centre := float64(f.Centre.Numerator) / float64(f.Centre.Base)
	low, high := math.MaxInt, 0
	var z []float64
	for i := range f.Areas {
		a := &f.Areas[i]
		if a.Share == nil {
			continue
		}
		low, high = min(low, a.Base), max(high, a.Base)
		z = append(z, (*a.Share/100-centre)/math.Sqrt(centre*(1-centre)/float64(a.Base)))
		l := funnelLimit(centre, a.Base)
		a.Above = *a.Share > 100*centre
		switch {
		case *a.Share > l.High998 || *a.Share < l.Low998:
			a.Outside = OutsideFar
		case *a.Share > l.High95 || *a.Share < l.Low95:
			a.Outside = OutsideNear
		}
	}
	low = max(MinBase, low*9/10)
	high += max(high/20, 1)
	const steps = 80
	for i := range steps + 1 {
		base := low + (high-low)*i/steps
		if n := len(f.Limits); n == 0 || f.Limits[n-1].Base < base {
			f.Limits = append(f.Limits, funnelLimit(centre, base))
		}
	}
	f.ByChance95 = .05 * float64(f.Shown)
	f.disperse(z)
	f.Words = f.words()
}

// disperse finds by how much areas differ more than chance: the mean square of their
// standardised shares, the outer tenth on either side drawn in first. Over is a
// chi-squared test of it at 5%.
//
// Source: D. J. Spiegelhalter, "Funnel plots for comparing institutional
// performance", Statistics in Medicine 24 (2005) 1185–1202, section 3.2.
func (f *Funnel) disperse(z []float64) {
	slices.Sort(z)
	k := len(z)
	cut := k / 10
	var sum float64
	for i, v := range z {
		if i < cut {
			v = z[cut]
		} else if i >= k-cut {
			v = z[k-cut-1]
		}
		sum += v * v
	}
	f.Dispersion = sum / float64(k)
	f.Over = sum > distuv.ChiSquared{K: float64(k)}.Quantile(.95)
}

func (f *Funnel) words() string {
	near, far := 0, 0
	for i := range f.Areas {
		switch f.Areas[i].Outside {
		case OutsideFar:
			far++
		case OutsideNear:
			near++
		}
	}
	say := func(n int) string {
		if n == 1 {
			return "1 lies"
		}
		return fmt.Sprintf("%d lie", n)
	}
	out := fmt.Sprintf("Of %d areas shown, %s outside the 99.8%% limits and %s between those and the 95%% limits; chance alone would put about %.1f outside the 95%% limits although all were alike.",
		f.Shown, say(far), say(near), f.ByChance95)
	if f.Over {
		out += fmt.Sprintf(" Areas differ by more than chance as a whole (dispersion %.1f, where 1 is chance): who lives there and who answers differ too, so that a place outside the limits is a question, not a finding.", f.Dispersion)
	}
	return out
}

func funnelLimit(centre float64, base int) FunnelLimit {
	return FunnelLimit{Base: base, Low95: 100 * exactLimit(centre, base, .025), High95: 100 * exactLimit(centre, base, .975),
		Low998: 100 * exactLimit(centre, base, .001), High998: 100 * exactLimit(centre, base, .999)}
}

// exactLimit is the share that a binomial count of n at chance p stays under with
// probability tail, interpolated between the two counts on either side of it.
//
// Source: D. J. Spiegelhalter, as above, appendix A.1.1.
func exactLimit(p float64, n int, tail float64) float64 {
	b := distuv.Binomial{N: float64(n), P: p}
	low, high := 0, n
	for low < high { // the least r with P(R ≤ r) > tail
		if mid := (low + high) / 2; b.CDF(float64(mid)) > tail {
			high = mid
		} else {
			low = mid + 1
		}
	}
	at, before := b.CDF(float64(low)), 0.
	if low > 0 {
		before = b.CDF(float64(low - 1))
	}
	if at <= before {
		return float64(low) / float64(n)
	}
	r := float64(low) - (at-tail)/(at-before)
	return min(max(r, 0), float64(n)) / float64(n)
}
