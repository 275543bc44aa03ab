// Package bounds finds between which values numbers can lie of which only sums are
// known: what somebody can work out from published tables about the cells that are
// withheld in them. Tests attack the published figures with it; nothing else uses it.
//
// Every number is nought or more. What is known of them are sums with a value, or with
// a least and a greatest one, and the least and greatest value of any other sum are
// found as a linear program. Numbers of people are whole: see Whole.
package bounds

import (
	"errors"
	"fmt"
	"math"
)

// Sum adds numbers up, each times a factor.
type Sum map[int]float64

// Plus gives the sum of both, leaving both as they are.
func (s Sum) Plus(o Sum, times float64) Sum {
	out := make(Sum, len(s)+len(o))
	for i, x := range s {
		out[i] = x
	}
	for i, x := range o {
		if out[i] += times * x; out[i] == 0 {
			delete(out, i)
		}
	}
	return out
}

// Known is what is known. The zero value knows nothing.
type Known struct {
	numbers int
	sums    []Sum
	values  []float64
}

// Number adds a number of which nothing is known yet and gives its place in sums.
func (k *Known) Number() int {
	k.numbers++
	return k.numbers - 1
}

// Equal makes a sum's value known.
func (k *Known) Equal(s Sum, value float64) {
	k.sums, k.values = append(k.sums, s), append(k.values, value)
}

// Between makes known that a sum lies between two values, both included; an infinite
// one says nothing.
func (k *Known) Between(s Sum, low, high float64) {
	if !math.IsInf(low, 0) {
		k.Equal(s.Plus(Sum{k.Number(): 1}, -1), low)
	}
	if !math.IsInf(high, 0) {
		k.Equal(s.Plus(Sum{k.Number(): 1}, 1), high)
	}
}

// ErrContradiction is what is known having no answer at all.
var ErrContradiction = errors.New("no numbers are as they are known to be")

const (
	zero  = 1e-9 // what arithmetic leaves of nought
	close = 1e-6 // how far from a whole number, or from what is known, it may take a value
)

// Range is a solved Known, that can be asked for the bounds of sums.
type Range struct {
	known *Known
	value []float64 // of the numbers that one sum gives; else NaN
	place []int     // column of each other number; -1: there is none
	// The tableau of a simplex method: row r says that the number in column basis[r] is
	// its last entry less the others' parts; the numbers of no row are nought.
	rows  [][]float64
	basis []int
	width int
}

// Solve looks for numbers that are as known: the first phase of a simplex method, on
// sums brought to independence on the way.
func (k *Known) Solve() (*Range, error) {
	r := &Range{known: k}
	r.value = k.settled()
	r.layOut()
	for i, s := range k.sums {
		row := make([]float64, r.width+1)
		some := false
		for n, x := range s {
			switch at := r.place[n]; {
			case at < 0:
				row[r.width] -= x * r.value[n]
			case x != 0:
				row[at], some = x, true
			}
		}
		row[r.width] += k.values[i]
		if !some {
			if math.Abs(row[r.width]) > close {
				return nil, fmt.Errorf("%w: sum %d", ErrContradiction, i)
			}
			continue
		}
		if row[r.width] < 0 {
			for c := range row {
				row[c] = -row[c]
			}
		}
		r.rows, r.basis = append(r.rows, row), append(r.basis, -1)
	}
	// What is still to be explained of each sum is the goal: nothing may be left.
	goal := make([]float64, r.width+1)
	for _, row := range r.rows {
		for c, x := range row {
			goal[c] -= x
		}
	}
	if !r.descend(goal, math.Inf(-1)) || math.Abs(goal[r.width]) > close*float64(1+len(r.rows)) {
		return nil, ErrContradiction
	}
	kept := 0
	for i := range r.rows {
		if r.basis[i] < 0 {
			best := -1
			for c, x := range r.rows[i][:r.width] {
				if math.Abs(x) > close && (best < 0 || math.Abs(x) > math.Abs(r.rows[i][best])) {
					best = c
				}
			}
			if best < 0 {
				continue // it follows from the others
			}
			r.pivot(i, best, nil)
		}
		r.rows[kept], r.basis[kept] = r.rows[i], r.basis[i]
		kept++
	}
	r.rows, r.basis = r.rows[:kept], r.basis[:kept]
	return r, nil
}

// settled finds the numbers that one sum alone gives: the last unknown part of it, or
// every part of what can only be nought. Of the others it has no number (NaN).
func (k *Known) settled() []float64 {
	out := make([]float64, k.numbers)
	for i := range out {
		out[i] = math.NaN()
	}
	for changed := true; changed; {
		changed = false
		for i, s := range k.sums {
			left, sign, mixed, open, last := k.values[i], 0., false, 0, -1
			for n, x := range s {
				switch {
				case x == 0:
				case !math.IsNaN(out[n]):
					left -= x * out[n]
				default:
					mixed = mixed || sign*x < 0
					sign, last = x, n
					open++
				}
			}
			if math.Abs(left) < zero {
				left = 0
			}
			switch {
			case open == 1 && left/sign >= 0:
				out[last], changed = left/sign, true
			case open > 1 && left == 0 && !mixed:
				for n, x := range s {
					if x != 0 && math.IsNaN(out[n]) {
						out[n], changed = 0, true
					}
				}
			}
		}
	}
	return out
}

func (r *Range) layOut() {
	r.place = make([]int, len(r.value))
	for i, v := range r.value {
		if r.place[i] = -1; math.IsNaN(v) {
			r.place[i] = r.width
			r.width++
		}
	}
}

// descend makes a goal as small as it gets, from where the tableau stands. The goal is
// a row of costs over the numbers of no row, with the negated value last, and is
// brought along. It stops early where the goal is as small as is enough, and reports
// false where there is no least value.
func (r *Range) descend(goal []float64, enough float64) bool {
	stuck := 0
	for -goal[r.width] > enough {
		enter := -1
		for c, x := range goal[:r.width] {
			if x >= -zero || enter >= 0 && x >= goal[enter] {
				continue
			}
			enter = c
			if stuck > 40 { // the first will do: Bland's rule, which never goes in circles
				break
			}
		}
		if enter < 0 {
			return true
		}
		leave := -1
		var least float64
		for i, row := range r.rows {
			if row[enter] <= zero {
				continue
			}
			ratio := row[r.width] / row[enter]
			if leave < 0 || ratio < least-zero || ratio < least+zero && r.sooner(i, leave, enter, stuck > 40) {
				leave, least = i, ratio
			}
		}
		if leave < 0 {
			return false
		}
		stuck++
		if least > zero {
			stuck = 0
		}
		r.pivot(leave, enter, goal)
	}
	return true
}

// sooner chooses among rows that run out at once.
func (r *Range) sooner(i, k, enter int, bland bool) bool {
	if bland {
		return r.basis[i] < r.basis[k]
	}
	return r.rows[i][enter] > r.rows[k][enter]
}

func (r *Range) pivot(row, column int, goal []float64) {
	lead := r.rows[row]
	by := lead[column]
	filled := make([]int, 0, 64)
	for c, x := range lead {
		if x /= by; math.Abs(x) < 1e-12 {
			x = 0
		}
		if lead[c] = x; x != 0 {
			filled = append(filled, c)
		}
	}
	take := func(from []float64) {
		f := from[column]
		if f == 0 {
			return
		}
		for _, c := range filled {
			from[c] -= f * lead[c]
		}
		from[column] = 0
	}
	for i, other := range r.rows {
		if i != row {
			take(other)
			other[r.width] = max(other[r.width], 0)
		}
	}
	if goal != nil {
		take(goal)
	}
	r.basis[row] = column
}

// least is the least value of a sum whose factors have the sign given, or one that is
// small enough.
func (r *Range) least(s Sum, sign, enough float64) float64 {
	goal := make([]float64, r.width+1)
	for n, x := range s {
		if at := r.place[n]; at >= 0 {
			goal[at] += sign * x
		} else {
			goal[r.width] -= sign * x * r.value[n]
		}
	}
	for i, row := range r.rows {
		if f := goal[r.basis[i]]; f != 0 {
			for c, x := range row {
				goal[c] -= f * x
			}
		}
	}
	if !r.descend(goal, enough) {
		return math.Inf(-1)
	}
	return -goal[r.width]
}

// Of gives the least and the greatest value that a sum can have.
func (r *Range) Of(s Sum) (low, high float64) {
	return r.least(s, 1, math.Inf(-1)), -r.least(s, -1, math.Inf(-1))
}

// Determined says which sums of numbers of people can have one value only. It looks no
// further into a sum of which two values have been met, on the way to others too.
func (r *Range) Determined(sums []Sum) []bool {
	low, high, out := make([]float64, len(sums)), make([]float64, len(sums)), make([]bool, len(sums))
	for i := range sums {
		low[i], high[i] = math.Inf(1), math.Inf(-1)
	}
	two := func(i int) bool {
		least, greatest := Whole(low[i], high[i])
		return least < greatest
	}
	meet := func() {
		at := r.numbers()
		for i, s := range sums {
			if v := s.at(at); !two(i) {
				low[i], high[i] = min(low[i], v), max(high[i], v)
			}
		}
	}
	meet()
	for i, s := range sums {
		for _, sign := range []float64{1, -1} {
			if two(i) {
				break
			}
			// A step past the next whole number, in either direction, is enough.
			enough := math.Ceil(low[i]-close) - 1
			if sign < 0 {
				enough = -math.Floor(high[i]+close) - 1
			}
			v := sign * r.least(s, sign, enough)
			low[i], high[i] = min(low[i], v), max(high[i], v)
			meet()
		}
		out[i] = !two(i)
	}
	return out
}

// Whole gives the least and the greatest whole number between two values.
func Whole(low, high float64) (least, greatest float64) {
	return math.Ceil(low - close), math.Floor(high + close)
}

// numbers are those at which the tableau stands: one answer to all that is known.
func (r *Range) numbers() []float64 {
	at, row := make([]float64, r.known.numbers), make([]float64, r.width)
	for i, c := range r.basis {
		row[c] = r.rows[i][r.width]
	}
	for n, c := range r.place {
		if at[n] = r.value[n]; c >= 0 {
			at[n] = row[c]
		}
	}
	return at
}

func (s Sum) at(numbers []float64) (v float64) {
	for n, x := range s {
		v += x * numbers[n]
	}
	return v
}

// Off says by how much the numbers at which the tableau stands miss what is known, at
// most: what arithmetic has lost.
func (r *Range) Off() (most float64) {
	at := r.numbers()
	for i, s := range r.known.sums {
		most = max(most, math.Abs(s.at(at)-r.known.values[i]))
	}
	return most
}
