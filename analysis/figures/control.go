package figures

import (
	"fmt"
	"math"
)

const (
	// MinLimitPoints is the least number of published points that limits are
	// drawn from; below it a chart shows its points and says that it is too short.
	MinLimitPoints = 12

	xmrFactor    = 2.66  // 3 / d2, with d2 = 1.128 for ranges of two
	screenFactor = 3.267 // D4 for ranges of two
	d2           = 1.128
	runLength    = 7
)

// Rule names one of the four signs of special cause that the charts look for.
type Rule string

// The rules, as in NHS England's "Making Data Count". (a) and (b) are the
// stronger ones: on stable data they sound least often by chance for what they catch.
const (
	RuleOutside Rule = "a" // a point outside a control limit
	RuleShift   Rule = "b" // seven in a row on one side of the centre line
	RuleTrend   Rule = "c" // seven in a row, each above (or each below) the one before
	RuleNear    Rule = "d" // two of three beyond a near-limit, all three on that side of the centre
)

// Strong reports whether the rule is one of the two stronger ones.
func (r Rule) Strong() bool { return r == RuleOutside || r == RuleShift }

// Limit is what surrounds one point of a control chart.
type Limit struct {
	Low      float64 `json:"low"`
	High     float64 `json:"high"`
	NearLow  float64 `json:"near_low"` // two thirds of the way to each limit
	NearHigh float64 `json:"near_high"`
}

// Control is a control chart's arithmetic: its centre, its limits (one a point;
// they differ from point to point where the bases do) and what they were drawn from.
type Control struct {
	Method string  // "XmR" or "p′"
	Centre float64 // mean of the values, or the pooled share
	Limits []Limit // parallel to the values given
	Sigma  float64 // p′: the spread of the standardised shares; 1 when chance alone would do
	Points int     // how many values made the centre and the limits
}

// XmR gives the control chart of individual values in time order, in percent;
// missing values are NaN and take no part. Limits stand at the mean plus and minus
// 2.66 average moving ranges, after ranges above 3.267 times their average have
// been left out once and the average taken again; they are clipped to 0–100.
// A moving range is taken between one value and the next that is not missing.
// ok is false with fewer than MinLimitPoints values.
//
// Source: NHS England, "Making Data Count: strengthening your decisions" (2019);
// the screening as in L. P. Provost and S. K. Murray, "The Health Care Data Guide"
// (2011), appendix 5.1.
func XmR(values []float64) (c Control, ok bool) {
	kept := present(values)
	if len(kept) < MinLimitPoints {
		return Control{}, false
	}
	mean := average(kept)
	half := xmrFactor * screenedRange(kept)
	c = Control{Method: "XmR", Centre: mean, Points: len(kept), Limits: make([]Limit, len(values))}
	for i := range c.Limits {
		c.Limits[i] = limitAround(mean, half)
	}
	return c, true
}

// Laney gives the p′ control chart of shares whose bases vary, in percent: the
// binomial limits of each point widened (or narrowed) by how much the standardised
// shares really move from one period to the next, so that large bases do not cry
// wolf. A base of nought marks a missing point. Moving ranges are screened once,
// as for XmR, and limits clipped to 0–100. ok is false with fewer than
// MinLimitPoints points, or when every answer is the same (there is no spread to
// measure).
//
// Source: D. B. Laney, "Improved control charts for attributes", Quality
// Engineering 14 (2002) 531–537; M. A. Mohammed et al., "Statistical process
// control charts for attribute data involving very large sample sizes", BMJ
// Quality & Safety 22 (2013) 362–368.
func Laney(x, n []int) (c Control, ok bool) {
	var sx, sn float64
	points := 0
	for i := range n {
		if n[i] > 0 {
			sx, sn, points = sx+float64(x[i]), sn+float64(n[i]), points+1
		}
	}
	if points < MinLimitPoints {
		return Control{}, false
	}
	p := sx / sn
	if p <= 0 || p >= 1 {
		return Control{}, false
	}
	z := make([]float64, 0, points)
	for i := range n {
		if n[i] > 0 {
			z = append(z, (float64(x[i])/float64(n[i])-p)/math.Sqrt(p*(1-p)/float64(n[i])))
		}
	}
	c = Control{Method: "p′", Centre: 100 * p, Sigma: screenedRange(z) / d2, Points: points, Limits: make([]Limit, len(n))}
	for i := range n {
		if n[i] <= 0 {
			c.Limits[i] = Limit{math.NaN(), math.NaN(), math.NaN(), math.NaN()}
			continue
		}
		c.Limits[i] = limitAround(100*p, 300*math.Sqrt(p*(1-p)/float64(n[i]))*c.Sigma)
	}
	return c, true
}

func limitAround(centre, half float64) Limit {
	near := half * 2 / 3
	return Limit{Low: clip(centre - half), High: clip(centre + half), NearLow: clip(centre - near), NearHigh: clip(centre + near)}
}

// screenedRange is the average moving range of the values, taken again without
// the ranges above 3.267 times the first average.
func screenedRange(values []float64) float64 {
	ranges := make([]float64, len(values)-1)
	for i := range ranges {
		ranges[i] = math.Abs(values[i+1] - values[i])
	}
	mean := average(ranges)
	kept := ranges[:0]
	for _, r := range ranges {
		if r <= screenFactor*mean {
			kept = append(kept, r)
		}
	}
	if len(kept) == 0 {
		return mean
	}
	return average(kept)
}

func average(v []float64) float64 {
	var s float64
	for _, x := range v {
		s += x
	}
	return s / float64(len(v))
}

func present(v []float64) []float64 {
	out := make([]float64, 0, len(v))
	for _, x := range v {
		if !math.IsNaN(x) {
			out = append(out, x)
		}
	}
	return out
}

// Signal is one sign of special cause: which rule, which points, which way.
type Signal struct {
	Rule  Rule
	First int  // index of the first point that makes the pattern
	Last  int  // index of the last
	Up    bool // above the centre, above the limit, or rising
}

// Signals looks for the four rules in values in time order; missing values are
// NaN. A missing value ends a run: seven in a row means seven periods in a row.
// A value on the centre line or equal to the one before belongs to no side.
// A limit that was clipped to 0 or 100 can't be passed.
func Signals(values []float64, c Control) []Signal {
	var out []Signal
	out = append(out, outside(values, c)...)
	out = append(out, runs(RuleShift, len(values), runLength, func(i int) int { return side(values[i], c.Centre) })...)
	out = append(out, runs(RuleTrend, len(values), runLength-1, func(i int) int {
		if i == 0 {
			return 0
		}
		return side(values[i], values[i-1])
	})...)
	out = append(out, near(values, c)...)
	return out
}

func outside(values []float64, c Control) (out []Signal) {
	for i, v := range values {
		switch l := c.Limits[i]; {
		case v > l.High:
			out = append(out, Signal{Rule: RuleOutside, First: i, Last: i, Up: true})
		case v < l.Low:
			out = append(out, Signal{Rule: RuleOutside, First: i, Last: i})
		}
	}
	return out
}

// runs finds the longest stretches of at least need points that all lean one way.
// A trend of seven points leans six times, so its stretch starts one point earlier.
func runs(rule Rule, n, need int, lean func(int) int) (out []Signal) {
	start, way := 0, 0
	for i := 0; i <= n; i++ {
		now := 0
		if i < n {
			now = lean(i)
		}
		if now == way && now != 0 {
			continue
		}
		if way != 0 && i-start >= need {
			first := start
			if rule == RuleTrend {
				first--
			}
			out = append(out, Signal{Rule: rule, First: first, Last: i - 1, Up: way > 0})
		}
		start, way = i, now
	}
	return out
}

func near(values []float64, c Control) (out []Signal) {
	beyond := func(i int) int {
		switch l := c.Limits[i]; {
		case values[i] > l.NearHigh:
			return 1
		case values[i] < l.NearLow:
			return -1
		}
		return 0
	}
	for i := 0; i+2 < len(values); i++ {
		way, count, first, last := side(values[i], c.Centre), 0, -1, -1
		if way == 0 || side(values[i+1], c.Centre) != way || side(values[i+2], c.Centre) != way {
			continue
		}
		for j := i; j < i+3; j++ {
			if beyond(j) == way {
				if count++; first < 0 {
					first = j
				}
				last = j
			}
		}
		if count < 2 {
			continue
		}
		// Overlapping triples make one signal, not several.
		if k := len(out) - 1; k >= 0 && out[k].Up == (way > 0) && first <= out[k].Last {
			out[k].Last = max(out[k].Last, last)
			continue
		}
		out = append(out, Signal{Rule: RuleNear, First: first, Last: last, Up: way > 0})
	}
	return out
}

// side is 1 above, -1 below, 0 on the line or when either is missing.
func side(v, line float64) int {
	switch {
	case v > line:
		return 1
	case v < line:
		return -1
	}
	return 0
}

// falseAlarms is the share of stable charts, by number of points, on which at
// least one of the four rules sounds although nothing has changed. Simulated
// (normal, independent values; XmR limits from the same points); a test runs the
// simulation again and holds these numbers to it.
var falseAlarms = [...]struct {
	points int
	share  float64
}{{12, 0.072}, {16, 0.110}, {20, 0.149}, {24, 0.185}, {36, 0.292}, {48, 0.388}}

// FalseAlarmRate is the chance, 0 to 1, that a chart of this many points signals
// although nothing has changed. Between the simulated lengths it is interpolated,
// beyond the longest carried on at the same rate a point.
func FalseAlarmRate(points int) float64 {
	t := falseAlarms[:]
	if points < MinLimitPoints {
		return 0
	}
	for i := 1; i < len(t); i++ {
		if points <= t[i].points {
			return lerp(points, t[i-1].points, t[i].points, t[i-1].share, t[i].share)
		}
	}
	last := t[len(t)-1]
	return 1 - math.Pow(1-last.share, float64(points)/float64(last.points))
}

func lerp(x, x0, x1 int, y0, y1 float64) float64 {
	return y0 + (y1-y0)*float64(x-x0)/float64(x1-x0)
}

// FalseAlarmWords says in a sentence how often a chart of this length signals by chance.
func FalseAlarmWords(points int) string {
	return fmt.Sprintf("With %d points, about %.0f in 100 charts signal by chance alone, although nothing has changed.", points, 100*FalseAlarmRate(points))
}
