package figures

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"victimvoice/internal/fault"
)

// The dimensions, besides month, quarter and year.
const (
	DimStage         = "stage"
	DimBorough       = "borough"
	DimBCU           = "bcu"
	DimForce         = "force"
	DimOffence       = "offence"
	DimOutcome       = "outcome"
	DimAbuse         = "domestic_abuse"
	DimMode          = "mode"
	DimQuestionnaire = "questionnaire"
	DimAge           = "age_band" // as the police record it
	DimSex           = "sex"      // as the police record it
)

// The dimensions that people told of themselves, once, whatever the stage.
const (
	DimAboutAge         = "about_age"
	DimAboutSex         = "about_sex"
	DimAboutGender      = "about_gender"
	DimAboutEthnicity   = "about_ethnicity"
	DimAboutDisability  = "about_disability"
	DimAboutOrientation = "about_orientation"
	DimAboutReligion    = "about_religion"
)

// Dimension is one way in which figures can be split or filtered.
type Dimension struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Group string `json:"group"` // period, stage, area, or attribute: of the attributes one at a time
}

// Attribute reports whether a table can have no other attribute beside this one.
func (d Dimension) Attribute() bool { return d.Group == groupAttribute }

// The groups of dimensions. A table has at most one level of each.
const (
	groupPeriod    = "period"
	groupStage     = "stage"
	groupArea      = "area"
	groupAttribute = "attribute"
)

// Dimensions gives every dimension, in the order in which pages offer them.
func Dimensions() []Dimension {
	return []Dimension{
		{DimMonth, "Month", groupPeriod}, {DimQuarter, "Quarter", groupPeriod}, {DimYear, "Year", groupPeriod},
		{DimStage, "Stage", groupStage},
		{DimForce, "Police force", groupArea}, {DimBCU, "Command unit (BCU)", groupArea}, {DimBorough, "Borough", groupArea},
		{DimOffence, "Offence", groupAttribute}, {DimOutcome, "Outcome", groupAttribute}, {DimAbuse, "Domestic abuse", groupAttribute},
		{DimMode, "Who answered", groupAttribute}, {DimQuestionnaire, "Questionnaire version", groupAttribute},
		{DimAge, "Age band, as police record it", groupAttribute}, {DimSex, "Sex, as police record it", groupAttribute},
		{DimAboutAge, "Age, by own answer", groupAttribute}, {DimAboutSex, "Sex, by own answer", groupAttribute}, {DimAboutGender, "Gender the same as the sex registered at birth", groupAttribute},
		{DimAboutEthnicity, "Ethnic group", groupAttribute}, {DimAboutDisability, "Disability", groupAttribute},
		{DimAboutOrientation, "Sexual orientation", groupAttribute}, {DimAboutReligion, "Religion", groupAttribute},
	}
}

// AboutItem gives the question about the person whose answer a dimension is;
// empty for any other dimension.
func AboutItem(dim string) string {
	if rest, ok := strings.CutPrefix(dim, "about_"); ok && groupOf(dim) != "" {
		return "about." + rest
	}
	return ""
}

// Lattice says in a sentence what can be asked for.
const Lattice = "Figures are given by one period (month, quarter or year), by stage, and by one level of area (force, bcu or borough), " +
	"each with at most one of offence, outcome, domestic_abuse, mode, questionnaire, age_band, sex, about_age, about_sex, about_gender, " +
	"about_ethnicity, about_disability, about_orientation or about_religion."

func groupOf(dim string) string {
	for _, d := range Dimensions() {
		if d.ID == dim {
			return d.Group
		}
	}
	return ""
}

// Query asks for one measure. It must lie on the declared lattice; see Lattice.
type Query struct {
	Measure string
	By      []string // dimensions to split by
	Stage   string   // one stage; empty: all stages together, unless split by stage
	Mode    string   // self (the default), relayed or observed; never pooled

	// From and To bound the periods shown, From included and To not, in London
	// time; zero: open. Without a period in By they must enclose exactly one month,
	// quarter or year.
	From, To time.Time

	Filters map[string]string // dimension: the one value to keep; several areas may be given, each within the other
}

// plan is a query that has been found to lie on the lattice.
type plan struct {
	measure  Measure
	by       []string
	mode     string // of the table; empty when split by mode
	byMode   bool
	attr     string // attribute axis of the table; empty: none
	attrOnly string // the one value to keep
	attrAll  bool   // split by the attribute
	stage    string // the one stage to keep
	byStage  bool
	period   uint8 // level
	byPeriod bool
	from, to int // months since 2000, both included
	area     uint8
	byArea   bool
	keep     map[string]string // area filters
}

func (p *Panel) plan(q Query) (plan, error) {
	var faults []fault.Field
	wrong := func(field, format string, args ...any) {
		faults = append(faults, fault.Field{Field: field, Message: fmt.Sprintf(format, args...)})
	}
	pl := plan{by: q.By, mode: cmp.Or(q.Mode, ModeSelf), stage: q.Stage, period: levelEver, area: levelEverywhere, keep: map[string]string{}}
	m, ok := p.measure(q.Measure)
	if !ok {
		wrong("measure", "is not a measure: /figures/measures lists them")
	}
	pl.measure = m
	pl.planBy(q, wrong)
	pl.planFilters(q, wrong)
	pl.planMode(q, wrong)
	if pl.stage != "" && !slices.Contains(stages(), pl.stage) {
		wrong("stage", "is one of %s", strings.Join(stages(), ", "))
	}
	p.planSpan(&pl, q, wrong)
	if m.askings && (pl.attr == DimQuestionnaire || pl.byMode || pl.mode != ModeSelf) {
		wrong("by", "%s counts askings, which have no mode and no questionnaire", m.ID)
	}
	if m.askings && AboutItem(pl.attr) != "" {
		wrong("by", "%s counts askings, and only people who answer tell about themselves", m.ID)
	}
	return pl, fault.Fields("this figure is not on the table of figures. "+Lattice, faults...)
}

type complain func(field, format string, args ...any)

// takeAttr makes an attribute the table's one attribute.
func (pl *plan) takeAttr(dim string, wrong complain) {
	taken := pl.attr
	if pl.byMode {
		taken = DimMode
	}
	switch {
	case taken != "" && taken != dim:
		wrong(dim, "can't be crossed with %s: at most one attribute at a time", taken)
	case dim == DimMode:
		pl.byMode = true
	default:
		pl.attr = dim
	}
}

func (pl *plan) planBy(q Query, wrong complain) {
	seen := map[string]string{}
	for _, dim := range q.By {
		group := groupOf(dim)
		if group == "" {
			wrong("by", "%q is not a dimension", dim)
			continue
		}
		if other, ok := seen[group]; ok && group != groupAttribute {
			wrong("by", "takes one %s, not both %s and %s", group, other, dim)
			continue
		}
		seen[group] = dim
		switch group {
		case groupPeriod:
			pl.byPeriod, pl.period = true, periodLevel(dim)
		case groupStage:
			pl.byStage = true
		case groupArea:
			pl.byArea, pl.area = true, areaLevel(dim)
		case groupAttribute:
			pl.takeAttr(dim, wrong)
			pl.attrAll = dim != DimMode || pl.attrAll
		}
	}
}

func (pl *plan) planFilters(q Query, wrong complain) {
	for dim, v := range q.Filters {
		if v == "" {
			continue
		}
		switch groupOf(dim) {
		case groupStage:
			if pl.stage != "" && pl.stage != v {
				wrong(DimStage, "can't be both %s and %s", pl.stage, v)
			}
			pl.stage = v
		case groupArea:
			pl.keep[dim] = v
			pl.area = min(pl.area, areaLevel(dim))
		case groupAttribute:
			if dim == DimMode {
				if q.Mode != "" && q.Mode != v {
					wrong(DimMode, "can't be both %s and %s", q.Mode, v)
				}
				pl.mode = v
				continue
			}
			pl.takeAttr(dim, wrong)
			pl.attrOnly = v
		case groupPeriod:
			wrong(dim, "is set by from and to")
		default:
			wrong(dim, "is not a dimension")
		}
	}
}

// planMode: a mode other than the victim's own is an attribute like the others.
func (pl *plan) planMode(q Query, wrong complain) {
	if !slices.Contains(modes(), pl.mode) {
		wrong(DimMode, "is one of %s", strings.Join(modes(), ", "))
	}
	if pl.byMode && q.Mode == "" && q.Filters[DimMode] == "" {
		pl.mode = ""
	} else if pl.mode != ModeSelf && pl.attr != "" {
		wrong(pl.attr, "can't be crossed with mode: at most one attribute at a time")
	}
}

// planSpan sets the months shown. Windows that are no period of the lattice are
// refused: two of them that overlap would give what lies between.
func (p *Panel) planSpan(pl *plan, q Query, wrong complain) {
	pl.from, pl.to = 0, 1<<15-1
	if !q.From.IsZero() {
		pl.from = max(int(monthOf(q.From, p.zone)), 0)
	}
	if !q.To.IsZero() {
		if !q.To.After(q.From) {
			wrong("to", "is after from")
			return
		}
		pl.to = int(p.lastMonth(q.To))
	}
	if pl.byPeriod || q.From.IsZero() && q.To.IsZero() {
		return
	}
	whole := !q.From.IsZero() && !q.To.IsZero() && p.monthStart(q.From) && p.monthStart(q.To)
	switch months := pl.to - pl.from + 1; {
	case whole && months == 1:
		pl.period = levelMonth
	case whole && months == 3 && pl.from%3 == 0:
		pl.period = levelQuarter
	case whole && months == 12 && pl.from%12 == 0:
		pl.period = levelYear
	default:
		wrong("from", "and to enclose exactly one calendar month, quarter or year, unless the figures are by period")
	}
}

// lastMonth is the month of the instant before to. A bare date, midnight in UTC, is
// that date in London too.
func (p *Panel) lastMonth(to time.Time) int16 {
	before := to.Add(-time.Nanosecond)
	if u := to.UTC(); u.Equal(u.Truncate(24 * time.Hour)) {
		return monthOf(before, time.UTC)
	}
	return monthOf(before, p.zone)
}

// monthStart reports whether t is the first instant of a month in London, or the
// same clock time in UTC, which is what a bare date is read as.
func (p *Panel) monthStart(t time.Time) bool {
	for _, z := range []*time.Location{p.zone, time.UTC} {
		if l := t.In(z); l.Day() == 1 && l.Hour() == 0 && l.Minute() == 0 && l.Second() == 0 && l.Nanosecond() == 0 {
			return true
		}
	}
	return false
}

func periodLevel(dim string) uint8 {
	switch dim {
	case DimMonth:
		return levelMonth
	case DimQuarter:
		return levelQuarter
	}
	return levelYear
}

func areaLevel(dim string) uint8 {
	switch dim {
	case DimBorough:
		return levelBorough
	case DimBCU:
		return levelBCU
	}
	return levelForce
}
