// Package synth owns a synthetic world: cases as a police system would send
// them, people who answer or do not, what they choose and what they write, with
// known effects planted in it, and the way such a history is lived through with
// the real services. It serves the demonstration, tests and benchmarks.
//
// Everything is drawn from generators seeded by the world's seed and the case's
// number, so that one case never depends on another and the same options give
// the same bytes. Nobody in it exists: addresses are of example.org, telephone
// numbers of the range kept for drama.
//
// The shares come from the Stalking Deep Dive of MOPAC Evidence & Insight (coded
// sample of 376 London reports, 2020/21; offences and victims 2022/23), as far as
// it gives them; what it does not give (how people answer, how many answer at all)
// is set near the national figures of the Crime Survey for England and Wales and
// the Victims' Commissioner, and is an assumption.
package synth

import (
	"iter"
	"math"
	"slices"
	"sort"
	"time"
)

// Limits and defaults of Options.
const (
	DefaultCases  = 4000
	DefaultMonths = 48
)

// Options say which world is made.
type Options struct {
	Cases   int       // how many cases are reported; DefaultCases when 0
	End     time.Time // the present of the world: no event arrives after it
	Months  int       // how long before End the first report may lie; DefaultMonths when 0
	Seed    uint64
	Effects []Effect // what was planted; none when nil
}

// Effect is a known truth: from an instant on, the answers to an item shift.
type Effect struct {
	From  time.Time
	BCU   string  // the command unit it holds for; empty: everywhere
	Item  string  // an item id, or HarmfulAdvice
	Shift float64 // in standard deviations of the item's latent answer; above 0 is better for the victim
}

// HarmfulAdvice stands in an Effect for all harmful codes of advice.codes
// together: a positive shift makes them rarer.
const HarmfulAdvice = "advice.harmful"

// DefaultEffects are the effects of the demonstration: people are better
// informed in one command unit from a year and a half ago, harmful advice falls
// everywhere from a year ago, and confidence worsens in one unit from nine
// months ago.
func DefaultEffects(end time.Time) []Effect {
	month := func(ago int) time.Time {
		return time.Date(end.Year(), end.Month()-time.Month(ago), 1, 0, 0, 0, 0, time.UTC)
	}
	return []Effect{
		{From: month(18), BCU: "Central South", Item: "core.informed", Shift: 0.9},
		{From: month(12), Item: HarmfulAdvice, Shift: 0.5},
		{From: month(9), BCU: "South", Item: "core.confidence", Shift: -0.8},
	}
}

// World is one synthetic world. It is immutable and safe for many goroutines.
type World struct {
	opts Options
	from time.Time // midnight of the first day
	days []float64 // cumulated weight of each day from then on
}

// New makes a world.
func New(o Options) *World {
	if o.Cases == 0 {
		o.Cases = DefaultCases
	}
	if o.Months == 0 {
		o.Months = DefaultMonths
	}
	o.End = o.End.UTC().Truncate(time.Second)
	o.Effects = slices.Clone(o.Effects)
	w := &World{opts: o}
	first := o.End.AddDate(0, -o.Months, 0)
	w.from = time.Date(first.Year(), first.Month(), first.Day()+1, 0, 0, 0, 0, time.UTC)
	total := 0.0
	for d := w.from; d.Before(o.End); d = d.AddDate(0, 0, 1) {
		total += volume(d, w.from)
		w.days = append(w.days, total)
	}
	return w
}

// Options gives the options as they took effect.
func (w *World) Options() Options {
	o := w.opts
	o.Effects = slices.Clone(o.Effects)
	return o
}

// Cases gives every case, by number.
func (w *World) Cases() iter.Seq[Case] {
	return func(yield func(Case) bool) {
		for i := range w.opts.Cases {
			if !yield(w.Case(i)) {
				return
			}
		}
	}
}

// season is the volume of each month against the year's mean: more in the
// summer, fewer in the darkest months.
var season = [12]float64{0.95, 0.96, 0.99, 0.98, 1.03, 1.06, 1.10, 1.07, 1.04, 1.00, 0.94, 0.88}

// yearlyGrowth is by how much the volume grows in a year.
const yearlyGrowth = 0.07

// volume is the weight of a day: season, growth and day of the week.
func volume(day, from time.Time) float64 {
	v := season[day.Month()-1] * math.Pow(1+yearlyGrowth, day.Sub(from).Hours()/24/365.25)
	switch day.Weekday() {
	case time.Saturday, time.Sunday:
		v *= 0.85
	case time.Monday:
		v *= 1.12
	}
	return v
}

// hourly is the weight of each hour of the day in which reports are made.
var hourly = [24]float64{2, 1, 1, 1, 1, 1, 2, 3, 5, 7, 8, 8, 7, 7, 7, 7, 7, 7, 7, 6, 6, 5, 4, 3}

// reportTime draws when a case is reported.
func (w *World) reportTime(d dice) time.Time {
	i := sort.SearchFloat64s(w.days, d.Float64()*w.days[len(w.days)-1])
	t := w.from.AddDate(0, 0, min(i, len(w.days)-1)).
		Add(time.Duration(d.weigh(hourly[:]))*time.Hour + time.Duration(d.IntN(3600))*time.Second)
	for !t.Before(w.opts.End) {
		t = t.Add(-24 * time.Hour)
	}
	return t
}

// effect sums the shifts that hold for an item in a unit at an instant.
func (w *World) effect(item, bcu string, at time.Time) float64 {
	sum := 0.0
	for _, e := range w.opts.Effects {
		if e.Item == item && (e.BCU == "" || e.BCU == bcu) && !at.Before(e.From) {
			sum += e.Shift
		}
	}
	return sum
}
