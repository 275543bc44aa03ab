package figures

import (
	"cmp"
	"slices"
	"strings"
)

// Series names one chart whatever its period: a measure, whose answers, at which
// stage, where, and within which one attribute. Empty parts stand for all.
type Series struct {
	Measure   string `json:"measure"`
	Mode      string `json:"mode,omitempty"`
	Stage     string `json:"stage,omitempty"`
	Force     string `json:"force,omitempty"`
	BCU       string `json:"bcu,omitempty"`
	Borough   string `json:"borough,omitempty"`
	Attribute string `json:"attribute,omitempty"`
	Value     string `json:"value,omitempty"`
}

// Rebase draws the limits of one series anew from a month on: somebody decided,
// with a reason that is on record, that the process is another since then.
type Rebase struct {
	Series Series
	From   string // "2026-03": the first whole month of the new base
	Reason string
}

// SetRebases puts the re-bases in force that there are, in place of those before.
// Counts and shares do not change by it: centre lines, limits and signals do.
func (p *Panel) SetRebases(list []Rebase) {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b Rebase) int { return cmp.Compare(a.From, b.From) })
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rebases = list
}

// Series gives the name of the chart that a query asks for. Errors are those of Figures.
func (p *Panel) Series(q Query) (Series, error) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	pl, err := p.plan(q)
	if err != nil {
		return Series{}, err
	}
	return pl.series(), nil
}

func (pl *plan) series() Series {
	return Series{Measure: pl.measure.ID, Mode: pl.mode, Stage: pl.stage, Force: pl.keep[DimForce], BCU: pl.keep[DimBCU], Borough: pl.keep[DimBorough], Attribute: pl.attr, Value: pl.attrOnly}
}

// rebasesOf are the re-bases of the series that a plan asks for, the earliest first.
func (p *Panel) rebasesOf(pl *plan) (out []Rebase) {
	name := pl.series()
	for _, r := range p.rebases {
		if r.Series == name {
			out = append(out, r)
		}
	}
	return out
}

// cut ends parts where limits are drawn anew: before the first period that begins in
// the month of the re-base or later. One that lies before the first point or after the
// last changes nothing.
func cut(points []Point, parts []part, breaks []Break, rebases []Rebase) ([]part, []Break) {
	for _, r := range rebases {
		at := slices.IndexFunc(points, func(p Point) bool { return firstMonth(p.Period) >= r.From })
		if at <= 0 {
			continue
		}
		breaks = append(breaks, Break{Period: points[at].Period, Rebased: true, Words: "limits are drawn anew from " + PeriodWords(points[at].Period) + " on: " + strings.TrimRight(r.Reason, ". ")})
		for i, one := range parts {
			if one.first < at && at <= one.last {
				rest := part{at, one.last, one.coder}
				parts[i].last = at - 1
				parts = slices.Insert(parts, i+1, rest)
				break
			}
		}
	}
	place := func(b Break) int {
		return slices.IndexFunc(points, func(p Point) bool { return p.Period == b.Period })
	}
	slices.SortStableFunc(breaks, func(a, b Break) int { return cmp.Compare(place(a), place(b)) })
	return parts, breaks
}

// firstMonth is the month with which a period begins, as "2026-03"; of what is no
// period the text itself.
func firstMonth(period string) string {
	switch {
	case len(period) == len("2026-Q1") && period[5] == 'Q' && period[6] >= '1' && period[6] <= '4':
		return monthKey(quarterStart(period))
	case len(period) == len("2026"):
		return period + "-01"
	}
	return period
}

// VersionStart says from which month on a version of a questionnaire was answered.
type VersionStart struct {
	Questionnaire string // "report/2"
	Month         string // "2026-03"
}

// Versions lists the questionnaires' versions that took the place of an earlier one,
// by the month of their first kept answer, the earliest first. Stage empty: of all
// stages. Mode is self where empty.
func (p *Panel) Versions(stage, mode string) []VersionStart {
	p.mu.RLock()
	defer p.mu.RUnlock()
	c := &p.responses
	wantMode, _ := indexOf(modes(), cmp.Or(mode, ModeSelf))
	first := make([]int16, len(p.schema.formIDs))
	for i := range first {
		first[i] = -1
	}
	for i, flags := range c.flags {
		if form := c.form[i]; flags&flagLive != 0 && c.mode[i] == wantMode && (first[form] < 0 || c.month[i] < first[form]) {
			first[form] = c.month[i]
		}
	}
	var out []VersionStart
	earliest := map[string]int16{} // by stage
	for form, month := range first {
		name, _, _ := strings.Cut(p.schema.formIDs[form], "/")
		if was, ok := earliest[name]; month >= 0 && (!ok || month < was) {
			earliest[name] = month
		}
	}
	for form, month := range first {
		id := p.schema.formIDs[form]
		name, _, _ := strings.Cut(id, "/")
		if month >= 0 && month > earliest[name] && (stage == "" || stage == name) {
			out = append(out, VersionStart{id, monthKey(int(month))})
		}
	}
	slices.SortStableFunc(out, func(a, b VersionStart) int {
		return cmp.Or(cmp.Compare(a.Month, b.Month), cmp.Compare(a.Questionnaire, b.Questionnaire))
	})
	return out
}
