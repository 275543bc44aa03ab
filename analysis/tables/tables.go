// Package tables lays figures out as tables that leave the program: which columns they
// have, what each means, and how a figure's numbers, its marks and who judged it stand
// in them. Pages, archives and the command line take theirs from here, so that files of
// one figure agree wherever they come from. Numbers are as the panel gives them,
// unrounded; what is withheld has none.
package tables

import (
	"context"
	"slices"

	"victimvoice/analysis/figures"
	"victimvoice/internal/fault"
	"victimvoice/internal/sheet"
)

// The marks of a figure.
const (
	MarkWithheld = "[c]"
	MarkNone     = "[x]"
	MarkSmall    = "[low]"
)

const (
	emptyWhy        = " Empty where the figure is withheld or nobody answered; symbol says which."
	meaningPolarity = "Of the harmful-advice rate: the version of the polarity table that judged the advice; mixed where several did, empty where the figure is withheld and for other measures."
)

// One is the table of one answer of the panel.
func One(r *figures.Result) sheet.Table {
	rows := make([][]any, len(r.Points))
	for i := range r.Points {
		rows[i] = row(r.By, &r.Measure, &r.Points[i])
	}
	return sheet.Table{Columns: columns(r.By, r.Measure), Rows: sheet.Rows(rows)}
}

// Of is the table of a query's measure or, where it names none, of every measure that
// has the query's split, each by the panel's one call as its rows are read. What is
// wrong with the query comes as fault.Invalid, with the rows where no measure has the
// split.
func Of(ctx context.Context, p *figures.Panel, q figures.Query) (sheet.Table, error) {
	measures := p.Measures()
	if q.Measure != "" {
		m, ok := p.Measure(q.Measure)
		if !ok {
			_, err := p.Figures(ctx, q)
			return sheet.Table{}, err
		}
		measures = []figures.Measure{m}
	}
	rows := func(yield func([]any, error) bool) {
		refused, answered := error(nil), false
		for i := range measures {
			one := q
			one.Measure = measures[i].ID
			r, err := p.Figures(ctx, one)
			if fault.Is(err, fault.Invalid) {
				refused = err // not on this table of the lattice
				continue
			}
			if err != nil {
				yield(nil, err)
				return
			}
			answered = true
			for n := range r.Points {
				if !yield(row(q.By, &r.Measure, &r.Points[n]), nil) {
					return
				}
			}
		}
		if !answered && refused != nil {
			yield(nil, refused)
		}
	}
	return sheet.Table{Columns: columns(q.By, measures...), Rows: rows}, nil
}

// splits are the dimensions that have a column, in the order of the lattice. A split by
// a smaller area names the force too: two may have an area of one name.
func splits(by []string) (out []figures.Dimension) {
	for _, d := range figures.Dimensions() {
		area := d.ID == figures.DimForce && (slices.Contains(by, figures.DimBCU) || slices.Contains(by, figures.DimBorough))
		if area || slices.Contains(by, d.ID) {
			out = append(out, d)
		}
	}
	return out
}

// columns describe a table of measures. Where there is one, they have its definition.
func columns(by []string, measures ...figures.Measure) []sheet.Column {
	id := sheet.Column{ID: "measure", Title: "Measure", Type: "code", Meaning: "Id of the measure. The table of measures has its definition: counted how, out of whom, without whom, and from where."}
	if len(measures) == 1 {
		id.Values = []string{measures[0].ID + " = " + measures[0].Title}
	}
	out := []sheet.Column{id}
	for _, d := range splits(by) {
		c := sheet.Column{ID: d.ID, Title: d.Title, Type: "code", Meaning: "What the figure is split by."}
		if d.ID == figures.DimForce && !slices.Contains(by, d.ID) {
			c.Meaning = "Whose area it is; empty where there is one force alone."
		}
		out = append(out, c)
	}
	figure := PointColumns()
	if len(measures) == 1 {
		m := &measures[0]
		for i, meaning := range []string{m.Numerator, m.Base + " Left out: " + m.Exclusions, m.Title + "."} {
			figure[i].Meaning, figure[i].Source = meaning+emptyWhy, m.Source
		}
		if m.Averages() {
			figure[0].Meaning, figure[2].Meaning = "Empty: scores are averaged.", m.Numerator+emptyWhy
		}
	}
	return slices.Concat(out, figure, []sheet.Column{
		{ID: "signal", Title: "Signal", Type: "text", Meaning: "Of one series over time: letters of the special-cause rules that the point is part of: a, outside a limit; b, seven on one side; c, seven rising or falling; d, two of three near a limit."},
	}, CodedColumns(), []sheet.Column{PolarityColumn()})
}

func row(by []string, m *figures.Measure, p *figures.Point) []any {
	out := []any{m.ID}
	for _, d := range splits(by) {
		out = append(out, p.Key[d.ID])
	}
	return slices.Concat(out, PointValues(m, p), []any{p.Signal}, CodedValues(p), []any{p.Polarity})
}

// PointColumns are the columns of one published figure, wherever it stands.
func PointColumns() []sheet.Column {
	return []sheet.Column{
		{ID: "numerator", Title: "Counted", Type: "integer", Unit: "people", Meaning: "People counted; empty for mean scores too." + emptyWhy},
		{ID: "base", Title: "Out of", Type: "integer", Unit: "people", Meaning: "People with a valid answer." + emptyWhy},
		{ID: "share", Title: "Share or score", Type: "number", Unit: "percent, or a score of 0 to 100", Meaning: "Counted out of base, or the mean score." + emptyWhy},
		{ID: "low", Title: "Interval from", Type: "number", Meaning: "95% interval. " + figures.NotePrecision},
		{ID: "high", Title: "Interval to", Type: "number", Meaning: "95% interval. " + figures.NotePrecision},
		SymbolColumn(), ReasonColumn(),
	}
}

// PointValues are one figure's values for PointColumns.
func PointValues(m *figures.Measure, p *figures.Point) []any {
	var counted, base any
	if !p.Suppressed && p.Share != nil {
		base = p.Base
		if !m.Averages() {
			counted = p.Numerator
		}
	}
	return []any{counted, base, Value(p.Share), Value(p.Low), Value(p.High), Mark(p.Suppressed, p.Share != nil, p.Small), p.Reason}
}

// SymbolColumn is the column of a figure's mark.
func SymbolColumn() sheet.Column {
	return sheet.Column{ID: "symbol", Title: "Symbol", Type: "code", Values: []string{MarkWithheld + " = withheld, so that nobody can be told", MarkNone + " = nobody answered", MarkSmall + " = rests on fewer than 30 people"}, Meaning: "What is to be known of the figure; empty for most."}
}

// ReasonColumn is the column of why there is no figure.
func ReasonColumn() sheet.Column {
	return sheet.Column{ID: "reason", Title: "Why", Type: "text", Meaning: "Why there is no figure."}
}

// Mark is the mark of a figure: it is suppressed, there is some, it rests on a small base.
func Mark(suppressed, some, small bool) string {
	switch {
	case suppressed:
		return MarkWithheld
	case !some:
		return MarkNone
	case small:
		return MarkSmall
	}
	return ""
}

// CodedColumns say of a theme's figure how its coder errs, and which coder it was.
func CodedColumns() []sheet.Column {
	return []sheet.Column{
		{ID: "corrected", Title: "Corrected share", Type: "number", Unit: "percent", Meaning: figures.MeaningCorrected},
		{ID: "corrected_low", Title: "Corrected, from", Type: "number", Unit: "percent", Meaning: "Lower end of the corrected share's 95% interval."},
		{ID: "corrected_high", Title: "Corrected, to", Type: "number", Unit: "percent", Meaning: "Upper end of the corrected share's 95% interval."},
		{ID: "coder", Title: "Coded by", Type: "text", Meaning: figures.MeaningCoder},
	}
}

// CodedValues are one figure's values for CodedColumns.
func CodedValues(p *figures.Point) []any {
	if p.Corrected == nil {
		return []any{nil, nil, nil, p.Coder}
	}
	return []any{p.Corrected.Share, p.Corrected.Low, p.Corrected.High, p.Coder}
}

// PolarityColumn says which version of the polarity table a figure was made with.
func PolarityColumn() sheet.Column {
	return sheet.Column{ID: "polarity_table", Title: "Judged by version", Type: "text", Meaning: meaningPolarity}
}

// Value is a number, or nothing.
func Value(v *float64) any {
	if v == nil {
		return nil
	}
	return *v
}

// Definitions is the table of measures: what each is.
func Definitions(measures []figures.Measure) sheet.Table {
	var rows [][]any
	for i := range measures {
		m := &measures[i]
		rows = append(rows, []any{m.ID, m.Title, string(m.Kind), m.Numerator, m.Base, m.Exclusions, m.Source, m.Better})
	}
	return sheet.Table{Rows: sheet.Rows(rows), Columns: []sheet.Column{
		{ID: "measure", Title: "Measure", Type: "code", Meaning: "Id."}, {ID: "title", Title: "Title", Type: "text", Meaning: "In words."}, {ID: "kind", Title: "Kind", Type: "code", Meaning: "Share, index, rate or mean."},
		{ID: "counted", Title: "Counted", Type: "text", Meaning: "Who is counted, or what is averaged."}, {ID: "out_of", Title: "Out of", Type: "text", Meaning: "Who it is out of."},
		{ID: "left_out", Title: "Left out", Type: "text", Meaning: "Who is in neither."}, {ID: "source", Title: "Source", Type: "text", Meaning: "Which questions, in which versions."}, {ID: "better", Title: "Better", Type: "code", Meaning: "higher, lower, or empty: neither way."},
	}}
}
