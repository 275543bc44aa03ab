// Package agreement owns how well people who code the same texts agree:
// Krippendorff's alpha, for one code as there or not there and for whole sets of
// labels with the MASI distance, with bootstrap intervals.
//
// Alpha is 1 where all agree, 0 where they agree as often as chance would have
// it, and below 0 where they agree less. Texts that only one person coded say
// nothing of agreement and are left out; any number of people may code a text.
//
// Sources: K. Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011),
// for alpha; R. Passonneau, "Measuring Agreement on Set-valued Items (MASI) for
// Semantic and Pragmatic Annotation", LREC 2006, for the distance.
package agreement

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
)

// Unit is one text: what each person who coded it said, in no order. Missing
// values are left out.
type Unit[T any] []T

// Distance says how far apart two values are, from 0 (the same) to 1. It is
// symmetric.
type Distance[T any] func(a, b T) float64

// Nominal is 0 for equal values and else 1.
func Nominal[T comparable](a, b T) float64 {
	if a == b {
		return 0
	}
	return 1
}

// MASI is Passonneau's distance of two sets, given as sorted lists without
// repeats: 1 less the product of what they share (intersection over union) and of
// how they lie: 1 where equal, 2/3 where one holds the other, 1/3 where they
// overlap, 0 where they share nothing. Two empty sets are equal.
func MASI(a, b []string) float64 {
	if len(a) == 0 && len(b) == 0 {
		return 0
	}
	both := 0
	for _, x := range a {
		if _, found := slices.BinarySearch(b, x); found {
			both++
		}
	}
	either := len(a) + len(b) - both
	lie := 0.0
	switch {
	case both == either:
		lie = 1
	case both == len(a) || both == len(b):
		lie = 2.0 / 3
	case both > 0:
		lie = 1.0 / 3
	}
	if both == 0 {
		lie = 0 // the empty set lies in every other and shares nothing with it
	}
	return 1 - lie*float64(both)/float64(either)
}

// Alpha gives Krippendorff's alpha and how many units it rests on: those with two
// values or more. It is NaN where nothing can be said: no such unit, or all values
// the same, so that chance alone would agree as well.
func Alpha[T any](units []Unit[T], distance Distance[T]) (alpha float64, pairable int) {
	n := newTable(units, distance)
	return n.alpha(all(len(n.units))), len(n.units)
}

// Interval is alpha with its 95% interval over the texts: what other texts from
// the same source would give. Low and High are NaN where alpha is.
type Interval struct {
	Alpha, Low, High float64
	Units            int // texts with two readings or more
}

// Draws is how many times an interval draws the texts anew.
const Draws = 1000

// Estimate gives alpha with the percentile interval of texts drawn anew with
// replacement. The same units and seed give the same interval. Draws for which
// alpha cannot be told (all values the same) are left out.
func Estimate[T any](units []Unit[T], distance Distance[T], seed uint64) Interval {
	n := newTable(units, distance)
	out := Interval{Alpha: n.alpha(all(len(n.units))), Low: math.NaN(), High: math.NaN(), Units: len(n.units)}
	if math.IsNaN(out.Alpha) {
		return out
	}
	rng := rand.New(rand.NewPCG(seed, uint64(len(units)))) //nolint:gosec // G404: drawn texts, not secrets; the same each time
	drawn := make([]int, len(n.units))
	found := make([]float64, 0, Draws)
	for range Draws {
		for i := range drawn {
			drawn[i] = rng.IntN(len(n.units))
		}
		if a := n.alpha(drawn); !math.IsNaN(a) {
			found = append(found, a)
		}
	}
	if len(found) == 0 {
		return out
	}
	slices.Sort(found)
	at := func(q float64) float64 { return found[int(math.Round(q*float64(len(found)-1)))] }
	out.Low, out.High = at(.025), at(.975)
	return out
}

// table is the pairable units with their values numbered, and the distance of
// each two values worked out once.
type table struct {
	units    [][]int // value numbers
	within   []float64
	distance [][]float64
}

func newTable[T any](units []Unit[T], distance Distance[T]) *table {
	t := &table{}
	var values []T
	number := func(v T) int {
		for i := range values {
			if distance(values[i], v) == 0 {
				return i
			}
		}
		values = append(values, v)
		return len(values) - 1
	}
	for _, u := range units {
		if len(u) < 2 {
			continue
		}
		numbers := make([]int, len(u))
		for i, v := range u {
			numbers[i] = number(v)
		}
		t.units = append(t.units, numbers)
	}
	t.distance = make([][]float64, len(values))
	for i := range values {
		t.distance[i] = make([]float64, len(values))
		for j := range values {
			t.distance[i][j] = distance(values[i], values[j])
		}
	}
	for _, u := range t.units {
		d := 0.0
		for i := range u {
			for j := range u {
				d += t.distance[u[i]][u[j]]
			}
		}
		t.within = append(t.within, d/float64(len(u)-1))
	}
	return t
}

func all(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// alpha works on the units named, with repeats.
func (t *table) alpha(of []int) float64 {
	counts := make([]float64, len(t.distance))
	n, observed := 0.0, 0.0
	for _, u := range of {
		for _, v := range t.units[u] {
			counts[v]++
			n++
		}
		observed += t.within[u]
	}
	expected := 0.0
	for i, a := range counts {
		if a == 0 {
			continue
		}
		for j, b := range counts {
			if b == 0 {
				continue
			}
			expected += a * b * t.distance[i][j]
		}
	}
	if n < 2 || expected == 0 {
		return math.NaN()
	}
	return 1 - (observed/n)/(expected/(n*(n-1)))
}

// Report is how well people agree on labels, by code and as sets.
type Report struct {
	Sets  Interval // all labels of a text at once, MASI distance
	Codes []Code   // in the order of the codes asked for
}

// Code is agreement on one code: whether it is there and in which polarity, or both.
type Code struct {
	ID string
	Interval
	Given int // readings that have it
}

// Label names a code in a polarity as a member of a set.
func Label(code, polarity string) string { return code + " " + polarity }

// Of gives the report of texts whose readings are sets of [Label]s, sorted and
// without repeats.
func Of(units []Unit[[]string], codes []string, seed uint64) Report {
	r := Report{Sets: Estimate(units, MASI, seed)}
	for i, id := range codes {
		c := Code{ID: id}
		said := make([]Unit[string], len(units))
		for j, u := range units {
			for _, set := range u {
				sides := ""
				for _, l := range set {
					if code, polarity, _ := strings.Cut(l, " "); code == id {
						sides += " " + polarity
					}
				}
				if sides != "" && len(u) > 1 {
					c.Given++
				}
				said[j] = append(said[j], sides)
			}
		}
		c.Interval = Estimate(said, Nominal[string], seed+uint64(i)+1)
		r.Codes = append(r.Codes, c)
	}
	return r
}
