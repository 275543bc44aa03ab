package figures

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"victimvoice/analysis/drivers"
	"victimvoice/internal/fault"
)

// What of a regression may be published. A group is the people who have a factor, or
// those who have it not.
const (
	// MinDriverGroup is the least number of people in a group whose odds ratio is given.
	MinDriverGroup = 30
	// MinDriverRows is the least number of people whom a regression is fitted to.
	MinDriverRows = 100
	// MinDriverEvents is how many people of the rarer outcome there must be for each
	// factor; under drivers.MinEventsPerTerm the page warns.
	MinDriverEvents = 5
	// minKnown is the least share of people of whom a factor must be known: one that
	// fewer have told would leave too few in the regression.
	minKnown = 0.6
	// roundTo is what counts of a regression are rounded to: its people are not those of
	// any table, and the difference could be a few.
	roundTo = 5
)

// DriversQuery asks what goes with an outcome.
type DriversQuery struct {
	Outcome string // withdrew, nfa or low-confidence
	Force   string // empty: all forces together
	AsAt    time.Time
}

// Drivers says what goes with an outcome, all else held.
type Drivers struct {
	Outcome    string
	Title      string // the outcome in a few words
	Definition string // what is counted, out of whom
	AsAt       time.Time

	Base, Events int      // people fitted, and those with the outcome; rounded to 5
	Drivers      []Driver // in a fixed order; those without an estimate say why
	McFadden     float64
	AIC          float64
	Likelihood   float64
	Condition    float64
	PerTerm      float64 // people of the rarer outcome for each factor
	Penalised    bool
	Warnings     []string // what a reader must know before believing any of it
	None         string   // why nothing is fitted; empty: it is
}

// Driver is one factor and the odds ratio that goes with it.
type Driver struct {
	ID, Title string
	Against   string // the group it is compared with
	Source    string
	Survey    bool    // an answer; else a fact of the case
	Group     int     // people with it, rounded to 5; 0 where withheld
	Ratio     float64 // odds ratio
	Low, High float64 // 95% interval
	Inflation float64
	Why       string // why there is no odds ratio; empty: there is one
}

// Why a factor has no odds ratio.
const (
	WhyUnknown = "not known of enough people"
	WhyGroup   = "fewer than 30 people with it, or without it"
	WhyCell    = "fewer than 5 people in one of the four groups that it and the outcome make"
	WhyAliased = "the factors above say the same already"
)

// notConfident is the factor that is itself one of the outcomes.
const notConfident = "core.confidence"

// Drivers fits a logistic regression of an outcome on answers at the report stage and
// facts of the case. An outcome that it doesn't know is fault Invalid.
//
// Everything that the regression could give away are the counts of the outcome among
// those with each factor and without it; each of them passes the rules above, so that
// the coefficients do.
func (p *Panel) Drivers(ctx context.Context, q DriversQuery) (Drivers, error) {
	if err := ctx.Err(); err != nil {
		return Drivers{}, err
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	out := Drivers{Outcome: q.Outcome, AsAt: q.AsAt}
	switch q.Outcome {
	case OutcomeWithdrew:
		out.Title = "Withdrew"
		out.Definition = fmt.Sprintf("People who withdrew within %d days of reporting, out of those who reported at least so long ago, answered the report questionnaire in full themselves, and did so before their case had ended.", WithdrawalDays)
	case OutcomeNFA:
		out.Title = "No further action"
		out.Definition = fmt.Sprintf("People whose case was closed with no further action within %d days of the report, out of those who reported at least so long ago, have not withdrawn, answered the report questionnaire in full themselves, and did so before their case had ended.", NFADays)
	case OutcomeLowConfidence:
		out.Title = "Low confidence"
		out.Definition = "People not very or not at all confident, at the report stage, that the police will investigate properly, out of those who answered the report questionnaire in full themselves."
	default:
		return Drivers{}, fault.Fields("this outcome is not known", fault.Field{Field: "outcome", Message: "is one of withdrew, nfa, low-confidence"})
	}
	rows := p.histories(q.Outcome, q.Force, q.AsAt)
	all := slices.DeleteFunc(p.factors(), func(f factor) bool { return q.Outcome == OutcomeLowConfidence && f.id == notConfident })
	chosen, why := choose(rows, all)
	for _, f := range all {
		out.Drivers = append(out.Drivers, Driver{ID: f.id, Title: f.title, Against: f.against, Source: f.source, Survey: f.survey, Why: why[f.id]})
	}
	y, terms := columns(rows, chosen)
	events := 0
	for _, v := range y {
		if v {
			events++
		}
	}
	rarer := min(events, len(y)-events)
	switch {
	case len(rows) < MinDriverRows || len(y) < MinDriverRows:
		out.None = fmt.Sprintf("Fewer than %d people have answered in full whose outcome can be told. From %d on, this page says what goes with it.", MinDriverRows, MinDriverRows)
	case len(chosen) == 0:
		out.None = "Nothing that is asked about is known of enough people on either side yet."
	case rarer < MinDriverEvents*len(chosen):
		out.None = fmt.Sprintf("Too few people had the outcome, or were without it: %d of each are needed for each of the %d factors.", MinDriverEvents, len(chosen))
	}
	if out.None != "" {
		for i := range out.Drivers {
			out.Drivers[i].Why = "" // nothing is said of any of them
		}
		return out, nil
	}
	m, err := drivers.Fit(y, terms...)
	if err != nil {
		return Drivers{}, fmt.Errorf("fit what goes with %s: %w", q.Outcome, err)
	}
	out.take(m, terms)
	return out, nil
}

// take lays a fitted model out for reading.
func (d *Drivers) take(m *drivers.Model, terms []drivers.Term) {
	d.Base, d.Events = rounded(m.Rows), rounded(m.Events)
	d.McFadden, d.AIC, d.Likelihood, d.Condition, d.PerTerm, d.Penalised = m.McFadden, m.AIC, m.LogLikelihood, m.Condition, m.EventsPerTerm, m.Penalised
	var collinear []string
	for i := range d.Drivers {
		v := &d.Drivers[i]
		if slices.Contains(m.Aliased, v.ID) {
			v.Why = WhyAliased
		}
		for _, t := range terms {
			if t.ID == v.ID && v.Why == "" {
				n := 0.
				for _, x := range t.Values {
					n += x
				}
				v.Group = rounded(int(n))
			}
		}
		for _, e := range m.Terms {
			if e.ID == v.ID {
				v.Ratio, v.Low, v.High, v.Inflation = e.Ratio, e.Low, e.High, e.Inflation
				if e.Inflation > drivers.MaxInflation {
					collinear = append(collinear, strings.ToLower(v.Title))
				}
			}
		}
	}
	if m.EventsPerTerm < drivers.MinEventsPerTerm {
		d.Warnings = append(d.Warnings, fmt.Sprintf("Only %.0f people of the rarer outcome stand behind each factor; ten are wanted. Ratios are likely to lie too far from one, and intervals to be too narrow.", math.Floor(m.EventsPerTerm)))
	}
	if len(collinear) > 0 {
		d.Warnings = append(d.Warnings, fmt.Sprintf("These say much the same as the others, so that their ratios cannot be told apart well: %s.", strings.Join(collinear, ", ")))
	}
	if m.Condition > drivers.MaxCondition {
		d.Warnings = append(d.Warnings, fmt.Sprintf("Together the factors are close to saying the same (condition number %.0f; under %d is wanted).", m.Condition, drivers.MaxCondition))
	}
	if m.Separation != drivers.NoSeparation {
		d.Warnings = append(d.Warnings, "Some of the factors together tell the outcome without fail, so that the usual ratio has no limit. The ratios are Firth's, which are drawn towards one, with profile intervals.")
	}
}

// rounded brings a count to a multiple of five.
func rounded(n int) int { return (n + roundTo/2) / roundTo * roundTo }

// choose says which factors are fitted and why the others are not. Whoever lacks an
// answer to one that is fitted is left out, so the factors are looked at anew whenever
// one goes: the one with the smallest group goes first.
func choose(rows []history, all []factor) (chosen []factor, why map[string]string) {
	why = map[string]string{}
	for _, f := range all {
		known := 0
		for i := range rows {
			if f.read(&rows[i]) >= 0 {
				known++
			}
		}
		if float64(known) < minKnown*float64(len(rows)) {
			why[f.id] = WhyUnknown
			continue
		}
		chosen = append(chosen, f)
	}
	for len(chosen) > 0 {
		y, terms := columns(rows, chosen)
		worst, least, reason := -1, 0, ""
		for k, t := range terms {
			var n, with [2]int
			for i, x := range t.Values {
				n[int(x)]++
				if y[i] {
					with[int(x)]++
				}
			}
			group := min(n[0], n[1])
			cell := min(with[0], with[1], n[0]-with[0], n[1]-with[1])
			var r string
			switch {
			case group < MinDriverGroup:
				r = WhyGroup
			case cell < MinCell:
				r = WhyCell
			}
			if r != "" && (worst < 0 || group < least) {
				worst, least, reason = k, group, r
			}
		}
		if worst < 0 {
			break
		}
		why[chosen[worst].id] = reason
		chosen = slices.Delete(slices.Clone(chosen), worst, worst+1)
	}
	return chosen, why
}

// columns lays the people of whom every factor is known out for a regression.
func columns(rows []history, chosen []factor) (y []bool, terms []drivers.Term) {
	terms = make([]drivers.Term, len(chosen))
	for k, f := range chosen {
		terms[k].ID = f.id
	}
	values := make([]int8, len(chosen))
next:
	for i := range rows {
		for k, f := range chosen {
			if values[k] = f.read(&rows[i]); values[k] < 0 {
				continue next
			}
		}
		y = append(y, rows[i].outcome)
		for k, v := range values {
			terms[k].Values = append(terms[k].Values, float64(v))
		}
	}
	return y, terms
}
