package loop

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"victimvoice/analysis/figures"
	"victimvoice/internal/fault"
	"victimvoice/survey"
)

// The verdicts of a check.
const (
	MovedUp   = "moved-up"
	MovedDown = "moved-down"
	NoChange  = "no-change-detectable"
	// CoderChanged: a theme, and the words before and after were not coded by the same
	// version of the codebook or model, so that the difference may be the coder's.
	CoderChanged = "coder-changed"
	BaseTooLow   = "base-too-small"
	NotSuitable  = "not-comparable" // an index or mean, whose difference has no interval here
)

// checkBase is the smallest base on either side that a check compares.
const checkBase = figures.SmallBase

// checkPeriods is how many periods on either side are compared at most.
const checkPeriods = 12

// evidence asks for the figure that an action is raised from and keeps its latest
// published point. fault.Invalid where there is none.
func (s *Service) evidence(ctx context.Context, query url.Values) (Evidence, error) {
	r, err := s.analysis.Figures(ctx, query)
	if err != nil {
		return Evidence{}, err
	}
	published := slices.DeleteFunc(slices.Clone(r.Points), func(p figures.Point) bool { return p.Suppressed || p.Share == nil })
	if len(published) == 0 {
		return Evidence{}, fault.Fields("an action needs a published figure", fault.Field{Field: "measure", Message: "nothing is published for this figure: its base is too small, or nobody has answered yet"})
	}
	p := published[len(published)-1]
	e := Evidence{Measure: r.Measure.ID, Query: query.Encode(), Series: series(&p), Label: s.label(&r, &p), Share: *p.Share, Base: p.Base, At: s.now()}
	if p.Low != nil && p.High != nil {
		e.Low, e.High = *p.Low, *p.High
	}
	return e, nil
}

// series names the series that a point belongs to.
func series(p *figures.Point) string {
	q := url.Values{}
	for dim, v := range p.Key {
		if dim != figures.DimMonth && dim != figures.DimQuarter && dim != figures.DimYear {
			q.Set(dim, v)
		}
	}
	return q.Encode()
}

// within reports whether a point belongs to a series.
func within(series url.Values, p *figures.Point) bool {
	for dim := range series {
		if p.Key[dim] != series.Get(dim) {
			return false
		}
	}
	return true
}

// label says a figure in words: what, where, when.
func (s *Service) label(r *figures.Result, p *figures.Point) string {
	parts := []string{r.Measure.Title}
	if r.Stage != "" {
		parts = append(parts, r.Stage)
	}
	for _, dim := range []string{figures.DimBorough, figures.DimBCU, figures.DimForce, figures.DimOffence, figures.DimOutcome, figures.DimAge, figures.DimSex} {
		if v := p.Key[dim]; v != "" {
			parts = append(parts, v)
		}
	}
	for _, dim := range figures.Dimensions() { // yes and no alone would say nothing
		if v := p.Key[dim.ID]; v != "" && figures.AboutItem(dim.ID) != "" {
			parts = append(parts, dim.Title+": "+cmp.Or(s.analysis.Panel().AboutWords(dim.ID, v), v))
		}
	}
	if p.Period != "" {
		parts = append(parts, figures.PeriodWords(p.Period))
	}
	return strings.Join(parts, ", ")
}

// Check compares the figure that raised an action before and after it was done:
// the same number of whole periods on either side of the one it was done in,
// from published points only, with the Newcombe interval of the difference. It
// claims no cause. fault.Conflict for an action that is not done.
func (s *Service) Check(ctx context.Context, by survey.Actor, id string) (Action, error) {
	a, err := s.store.Action(ctx, id)
	if err != nil {
		return Action{}, fmt.Errorf("read an action: %w", err)
	}
	if a.Status != Done && a.Status != Checked {
		return Action{}, fault.New(fault.Conflict, "an action is checked once it is done")
	}
	done, err := time.Parse(time.DateOnly, a.DoneOn)
	if err != nil {
		return Action{}, fault.New(fault.Conflict, "an action is checked once the date on which it was done is known")
	}
	query, err := url.ParseQuery(a.Evidence.Query)
	if err != nil {
		return Action{}, fmt.Errorf("read an action's query: %w", err)
	}
	of, err := url.ParseQuery(a.Evidence.Series)
	if err != nil {
		return Action{}, fmt.Errorf("read an action's series: %w", err)
	}
	r, err := s.analysis.Figures(ctx, wholeSeries(query))
	if err != nil {
		return Action{}, err
	}
	r.Points = slices.DeleteFunc(r.Points, func(p figures.Point) bool { return !within(of, &p) })
	check := compare(&r, done, s.now().In(s.survey.Policy().Location()))
	check.At = s.now()
	if err := s.audit.Append(ctx, by.Entry("action.checked", "action:"+id)); err != nil {
		return Action{}, fmt.Errorf("audit an action: %w", err)
	}
	a, err = s.store.UpdateAction(ctx, id, func(a *Action) error {
		if a.Status != Done && a.Status != Checked {
			return fault.New(fault.Conflict, "an action is checked once it is done")
		}
		a.Check, a.ChangedAt = &check, check.At
		if check.Verdict != BaseTooLow && check.Verdict != NotSuitable && check.Verdict != CoderChanged {
			a.Status = Checked
		}
		a.History = append(a.History, ActionStep{At: check.At, By: by.ID, Status: a.Status, Note: "figure compared: " + check.Verdict})
		return nil
	})
	if err != nil {
		return Action{}, fmt.Errorf("check an action: %w", err)
	}
	return a, nil
}

// wholeSeries asks for a figure over all of time, by its period or by month:
// the span that an action was raised from may end before anything could move.
func wholeSeries(query url.Values) url.Values {
	q := maps.Clone(query)
	q.Del("from")
	q.Del("to")
	by := strings.Split(strings.Join(q["by"], ","), ",")
	for _, dim := range []string{figures.DimMonth, figures.DimQuarter, figures.DimYear} {
		if slices.Contains(by, dim) {
			return q
		}
	}
	q["by"] = append(slices.Clone(q["by"]), figures.DimMonth)
	return q
}

// compare pools the published points of a series before and after a day. The
// period that today lies in is not over, so it is left out.
func compare(r *figures.Result, done, today time.Time) Check {
	if r.Measure.Averages() {
		return Check{Verdict: NotSuitable}
	}
	var before, after []figures.Point
	for _, p := range r.Points {
		if p.Suppressed || p.Share == nil || p.Period == "" || p.Period >= samePeriod(p.Period, today) {
			continue
		}
		switch c := strings.Compare(p.Period, samePeriod(p.Period, done)); {
		case c < 0:
			before = append(before, p)
		case c > 0:
			after = append(after, p)
		}
	}
	n := min(len(before), len(after), checkPeriods)
	before, after = before[len(before)-n:], after[:n]
	if !oneCoder(before, after) {
		return Check{Verdict: CoderChanged}
	}
	x1, n1 := pool(before)
	x2, n2 := pool(after)
	d, ok := figures.Newcombe(x2, n2, x1, n1)
	if !ok || n1 < checkBase || n2 < checkBase {
		return Check{Verdict: BaseTooLow}
	}
	c := Check{Before: 100 * float64(x1) / float64(n1), After: 100 * float64(x2) / float64(n2), Low: d.Low, High: d.High, Verdict: NoChange}
	switch {
	case d.Low > 0:
		c.Verdict = MovedUp
	case d.High < 0:
		c.Verdict = MovedDown
	}
	return c
}

// oneCoder reports whether one coder coded the words of all these points; of figures
// that no coder made it is true.
func oneCoder(before, after []figures.Point) bool {
	for _, p := range slices.Concat(before, after) {
		if p.JudgedBy() == figures.MixedCoders || p.JudgedBy() != before[0].JudgedBy() {
			return false
		}
	}
	return true
}

func pool(points []figures.Point) (x, n int) {
	for _, p := range points {
		x, n = x+p.Numerator, n+p.Base
	}
	return x, n
}

// samePeriod writes the period that a day lies in as another period is written:
// 2026-03, 2026-Q1 or 2026.
func samePeriod(like string, day time.Time) string {
	switch {
	case strings.Contains(like, "Q"):
		return fmt.Sprintf("%d-Q%d", day.Year(), (int(day.Month())+2)/3)
	case strings.Contains(like, "-"):
		return day.Format("2006-01")
	default:
		return day.Format("2006")
	}
}
