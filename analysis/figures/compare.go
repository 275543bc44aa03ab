package figures

import (
	"context"
	"fmt"
	"math"
	"slices"

	"victimvoice/internal/fault"
)

// Comparison sets two groups' published figures side by side. It is made of what is
// published alone, so that it gives nothing away that the figures by themselves don't.
type Comparison struct {
	Measure       Measure
	Mode          string // whose answers; empty where the two differ in it
	First, Second Point
	Difference    *Difference // first minus second, in percentage points or points of the score; nil: see Why
	Method        string      // how its interval is made
	Why           string      // why there is none
	Words         string      // what the difference says, and no more
}

// How the interval of a difference is made.
const (
	MethodNewcombe = "Newcombe's score interval for two independent shares (method 10, 1998)"
	MethodMover    = "the two means' own intervals put together (Zou and Donner, 2008)"
)

// Compare sets two values of one dimension, periods among them, against each other
// within a query that neither splits nor filters by it. The groups are then apart: one
// answer is never in both. What is off the lattice, a value that there is not, and a
// group against itself are fault Invalid.
func (p *Panel) Compare(ctx context.Context, q Query, dim, first, second string) (Comparison, error) {
	if first == second {
		return Comparison{}, fault.Fields("there is nothing to compare", fault.Field{Field: "second", Message: "is the same as the first: choose two different groups"})
	}
	if groupOf(dim) == "" {
		return Comparison{}, fault.Fields("there is nothing to compare", fault.Field{Field: "first", Message: fmt.Sprintf("%q is not a dimension", dim)})
	}
	q.By = append(slices.Clone(q.By), dim)
	if dim == DimMode {
		q.Mode = ""
	}
	r, err := p.Figures(ctx, q)
	if err != nil {
		return Comparison{}, err
	}
	c := Comparison{Measure: r.Measure, Mode: r.Mode}
	for _, side := range []struct {
		field, value string
		into         *Point
	}{{"first", first, &c.First}, {"second", second, &c.Second}} {
		found := 0
		for i := range r.Points {
			if r.Points[i].Key[dim] == side.value {
				*side.into = r.Points[i]
				found++
			}
		}
		switch found {
		case 0:
			*side.into = Point{Key: map[string]string{dim: side.value}, Reason: ReasonNone}
		case 1:
		default:
			return Comparison{}, fault.Fields("this comparison is not clear", fault.Field{Field: side.field, Message: "names an area in more than one force: choose the force too"})
		}
	}
	c.compare()
	return c, nil
}

// compare finds the difference, or why there is none.
func (c *Comparison) compare() {
	a, b := &c.First, &c.Second
	switch {
	case a.Suppressed || b.Suppressed:
		c.Why = "A figure that is withheld can't be compared: the difference would give it away."
	case a.Share == nil && b.Share == nil:
		c.Why = "Nobody has answered on either side."
	case a.Share == nil || b.Share == nil:
		c.Why = "Nobody has answered on one side."
	case c.Measure.coded != nil && (a.Coder != b.Coder || a.Coder == MixedCoders):
		c.Why = "The words were not coded by the same version of the codebook and model, so that a difference may be the coder's."
	case c.Measure.Averages():
		d, ok := mover(a, b)
		if !ok {
			c.Why = "One side has no spread to make an interval from."
			return
		}
		c.Difference, c.Method = &d, MethodMover
	default:
		d, ok := Newcombe(a.Numerator, a.Base, b.Numerator, b.Base)
		if !ok {
			c.Why = "Nobody has answered on one side."
			return
		}
		c.Difference, c.Method = &d, MethodNewcombe
	}
	if c.Difference != nil {
		c.Words = differenceWords(*c.Difference)
	}
}

// differenceWords says what an interval of a difference gives.
func differenceWords(d Difference) string {
	if d.Apart() {
		return "The interval leaves out “no difference”: these answers differ by more than chance alone readily gives. Why, they don't say."
	}
	return "The interval takes in “no difference”: these answers don't show that the two differ. Nor do they show that the two are alike."
}

// mover puts the intervals of two independent means together into one of their difference.
//
// Source: G. Y. Zou and A. Donner, "Construction of confidence limits about effect
// measures: a general approach", Statistics in Medicine 27 (2008) 1693–1702, of which
// Newcombe's method 10 is the case of two shares.
func mover(a, b *Point) (d Difference, ok bool) {
	if a.Low == nil || a.High == nil || b.Low == nil || b.High == nil {
		return Difference{}, false
	}
	m1, m2 := *a.Share, *b.Share
	d.Points = m1 - m2
	d.Low = d.Points - math.Hypot(m1-*a.Low, *b.High-m2)
	d.High = d.Points + math.Hypot(*a.High-m1, m2-*b.Low)
	return d, true
}
