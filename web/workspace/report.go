package workspace

import (
	"cmp"
	"context"
	"fmt"
	"html/template"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"victimvoice/analysis"
	"victimvoice/analysis/figures"
	"victimvoice/internal/fault"
	"victimvoice/survey"
	"victimvoice/web/charts"
	"victimvoice/web/page"
)

// reportRows are the measures of the quarterly report, by core tracker. Those with a
// chart are the three constructs.
var reportRows = []struct {
	measure, title string
	chart          bool
}{
	{"core.confidence", "Confidence", true}, {"core.informed", "Communication", true}, {"core.advice", "Advice", true},
	{"core.serious", "Taken seriously", false}, {"core.safer", "Safety", false}, {"core.overall", "Overall satisfaction", false},
}

// reportGroups are the ways in which the report says for whom.
var reportGroups = []string{figures.DimAbuse, figures.DimOffence}

// reportData is the data of the quarterly report.
type reportData struct {
	page.Work
	Heading, Scope, Made string
	Quarters             []link
	Before               string // the quarter that it is compared with, in words
	None                 string // why there is nothing to report
	Steps                []reportStep
	Sections             []reportSection
	Sentences            []string // what changed, one a signal
	Chance               string
	Where, Whom          []reportTable
	Themes               []reportTheme
	NoThemes             string
	Corrected            bool // a corrected share stands beside a theme's, at least once
	Happened             []string
	Definitions          []definedMeasure
}

// reportStep is one step of dissemination, or one rate, in this quarter and the one before.
type reportStep struct{ Title, Counted, Share, Before, Why string }

type reportSection struct {
	Title, Question string
	Cells           []reportCell
}

// reportCell is one measure at one stage: this quarter, the one before, and the difference.
type reportCell struct {
	Stage, StageName, Share, Interval, Base, Before, Difference, Why string
	Small                                                            bool
	Chart                                                            template.HTML
	Sentence                                                         string
}

// reportTable splits the three constructs one way, all stages together.
type reportTable struct {
	Title string
	Heads []string
	Rows  []reportLine
}

type reportLine struct {
	Name  string
	Cells []reportValue
}

type reportValue struct {
	Share, Rest string
	Withheld    string // why there is none: shown as [c], or – where nobody answered
	Empty       bool
}

// reportTheme is one side of a theme: this quarter, the one before, and a quotation of
// the year.
type reportTheme struct {
	Title, Share, Interval, Corrected, Base, Before, Difference string
	Small                                                       bool
	Quotes                                                      []themeQuote

	share float64
}

// What the report says of themes at most.
const (
	reportThemes = 8 // sides of themes, the commonest first
	reportQuotes = 1 // of each
)

type definedMeasure struct {
	Title string
	Facts []fact
}

// report prints the quarterly report: one page, made to be printed.
func (s *Pages) report(c *gin.Context, v visitor) error {
	now := s.Now().In(s.zone())
	last := time.Date(now.Year(), now.Month()-(now.Month()-1)%3, 1, 0, 0, 0, 0, time.UTC).AddDate(0, -3, 0)
	quarter := c.Query("quarter")
	if quarter == "" {
		quarter = periodOf([]string{figures.DimQuarter}, last)
	}
	from, to, err := figures.Quarter(quarter)
	if err != nil {
		return err
	}
	if from.After(now) {
		return fault.Fields("that quarter has not begun", fault.Field{Field: "quarter", Message: "has not begun yet"})
	}
	f, err := s.frame(c, v, "Quarterly report, "+figures.PeriodWords(quarter))
	if err != nil {
		return err
	}
	f.Style = s.chartStyle
	before := periodOf([]string{figures.DimQuarter}, from.AddDate(0, -3, 0))
	data := reportData{Work: f, Heading: "What people told us, " + figures.PeriodWords(quarter), Made: s.date(s.Now()), Before: figures.PeriodWords(before), Scope: "Answered by people themselves, all areas"}
	if v.Force != "" {
		data.Scope = "Answered by people themselves, " + v.Force
	}
	if to.After(now) {
		data.Scope += ". This quarter is not over: its figures will change"
	}
	for i := range 8 {
		q := periodOf([]string{figures.DimQuarter}, last.AddDate(0, -3*i, 0))
		data.Quarters = append(data.Quarters, link{Href: "/figures/report?quarter=" + q, Label: strings.Replace(q, "-", " ", 1), Here: q == quarter})
	}
	r := reporter{Pages: s, v: v, quarter: quarter, before: before, from: from, to: to}
	if err := r.fill(c.Request.Context(), &data); err != nil {
		return err
	}
	return s.show(c, http.StatusOK, "report", data)
}

// reporter asks for a report's figures. Each comes of the panel's one call.
type reporter struct {
	*Pages
	v               visitor
	quarter, before string
	from, to        time.Time
}

// ask gives a figure by quarter, from one quarter before the report's to its end.
func (r *reporter) ask(ctx context.Context, pairs ...string) (figures.Result, error) {
	q := with(url.Values{}, append([]string{figures.DimForce, r.v.Force, "by", figures.DimQuarter, "from", r.from.AddDate(0, -3, 0).Format("2006-01"), "to", r.to.Format("2006-01")}, pairs...)...)
	return r.Analysis.Figures(ctx, q)
}

// pointOf is a result's figure of one quarter; nil where there is none.
func pointOf(r *figures.Result, quarter string) *figures.Point {
	for i := range r.Points {
		if r.Points[i].Period == quarter {
			return &r.Points[i]
		}
	}
	return nil
}

func (r *reporter) fill(ctx context.Context, data *reportData) error {
	if err := r.fillSteps(ctx, data); err != nil {
		return err
	}
	var trends []*figures.Trend
	for _, row := range reportRows {
		section := reportSection{Title: row.title}
		for _, stage := range survey.Stages() {
			cell, trend, err := r.cellOf(ctx, row.measure, stage, row.chart)
			if err != nil {
				return err
			}
			if row.chart {
				trends = append(trends, trend)
			}
			if cell.Sentence != "" {
				data.Sentences = append(data.Sentences, row.title+", "+strings.ToLower(cell.StageName)+": "+cell.Sentence)
			}
			section.Cells = append(section.Cells, cell)
		}
		m, ok := r.Analysis.Panel().Measure(row.measure)
		if !ok {
			return fmt.Errorf("the panel does not know %s", row.measure)
		}
		section.Question = m.Title
		data.Sections = append(data.Sections, section)
		data.Definitions = append(data.Definitions, definedMeasure{m.Title, definition(&m)})
	}
	if signalling, expected := figures.ByChance(trends...); expected > 0 {
		data.Chance = fmt.Sprintf("Of the charts with limits below, %s a signal somewhere in their whole length; chance alone would give about %s, although nothing has changed.",
			plural(signalling, "chart has", "charts have"), decimal(int(math.Round(expected))))
	}
	where, err := r.table(ctx, figures.DimBCU, "Command unit (BCU)")
	if err != nil {
		return err
	}
	data.Where = where
	for _, dim := range reportGroups {
		i := slices.IndexFunc(figures.Dimensions(), func(d figures.Dimension) bool { return d.ID == dim })
		whom, err := r.table(ctx, dim, figures.Dimensions()[i].Title)
		if err != nil {
			return err
		}
		data.Whom = append(data.Whom, whom...)
	}
	if err := r.fillThemes(ctx, data); err != nil {
		return err
	}
	return r.fillHappened(ctx, data)
}

// fillThemes lists what people wrote about most in the quarter, as far as it can be shown.
func (r *reporter) fillThemes(ctx context.Context, data *reportData) error {
	type side struct {
		reportTheme
		by analysis.QuotedBy
	}
	var all []side
	year := r.from.Format("2006")
	for _, code := range r.counted() {
		for _, s := range themeSides {
			res, err := r.ask(ctx, "measure", themeMeasure(code.ID, s.id))
			if err != nil {
				return err
			}
			now := pointOf(&res, r.quarter)
			if now == nil || now.Share == nil || now.Numerator == 0 {
				continue
			}
			row := reportTheme{Title: code.Title + ", " + s.id, Share: percent(*now.Share), Interval: interval(&res, now), Base: thousands(now.Base), Small: now.Small, share: *now.Share}
			if e := now.Corrected; e != nil {
				row.Corrected = percent(e.Share) + " (" + whole(e.Low) + "–" + percent(e.High) + ")"
			}
			row.Before, row.Difference = before(now, pointOf(&res, r.before))
			all = append(all, side{row, analysis.QuotedBy{Code: code.ID, Polarity: s.id, Force: r.v.Force, From: year, To: year}})
		}
	}
	slices.SortStableFunc(all, func(a, b side) int { return cmp.Compare(b.share, a.share) })
	for _, one := range all[:min(reportThemes, len(all))] {
		quotes, err := r.quotesOf(ctx, one.by)
		if err != nil {
			return err
		}
		one.Quotes = quotes[:min(reportQuotes, len(quotes))]
		data.Themes = append(data.Themes, one.reportTheme)
		data.Corrected = data.Corrected || one.Corrected != ""
	}
	if len(data.Themes) == 0 {
		data.NoThemes = "Too few people wrote about any one thing in this quarter for a figure to be shown."
	}
	return nil
}

// before gives a figure's value in the quarter before, and how far it has moved since.
func before(now, was *figures.Point) (value, difference string) {
	switch {
	case was == nil || was.Share == nil && !was.Suppressed:
		return "–", ""
	case was.Suppressed:
		return "[c]", ""
	}
	if now != nil && now.Share != nil && now.Coder == was.Coder && now.Coder != figures.MixedCoders { // two coders are not to be compared
		if d, ok := figures.Newcombe(now.Numerator, now.Base, was.Numerator, was.Base); ok {
			difference = fmt.Sprintf("%+.0f points (%+.0f to %+.0f)", d.Points, d.Low, d.High)
		}
	}
	return percent(*was.Share), difference
}

// fillSteps counts the askings of the quarter and what became of them, first of all.
func (r *reporter) fillSteps(ctx context.Context, data *reportData) error {
	for _, id := range append(slices.Clone(reportStrip()), "response.rr1", "response.rr2", "response.not-safe") {
		res, err := r.ask(ctx, "measure", id)
		if err != nil {
			return err
		}
		step := reportStep{Title: res.Measure.Title, Before: "–"}
		if p := pointOf(&res, r.before); p != nil && p.Share != nil {
			step.Before = tenths(*p.Share)
		} else if p != nil && p.Suppressed {
			step.Before = "[c]"
		}
		switch p := pointOf(&res, r.quarter); {
		case p == nil || p.Share == nil && !p.Suppressed:
			data.None = "Nothing fell due in this quarter, so nobody was asked."
		case p.Suppressed:
			step.Counted, step.Why = "[c]", p.Reason
		default:
			step.Counted, step.Share = thousands(p.Numerator)+" of "+thousands(p.Base), tenths(*p.Share)
		}
		data.Steps = append(data.Steps, step)
	}
	if data.None != "" {
		data.Steps = nil
	}
	return nil
}

func reportStrip() []string {
	out := make([]string, len(strip))
	for i, step := range strip {
		out[i] = "dissemination." + step
	}
	return out
}

// cellOf asks for one measure at one stage: the quarter beside the one before, and,
// over the months until the quarter's end, whether the chart has a signal in it.
func (r *reporter) cellOf(ctx context.Context, measure string, stage survey.Stage, chart bool) (reportCell, *figures.Trend, error) {
	cell := reportCell{Stage: string(stage), StageName: stageWords[stage]}
	res, err := r.ask(ctx, "measure", measure, "stage", string(stage))
	if err != nil {
		return cell, nil, err
	}
	now, was := pointOf(&res, r.quarter), pointOf(&res, r.before)
	switch {
	case now == nil || now.Share == nil && !now.Suppressed:
		cell.Share, cell.Why = "–", figures.ReasonNone
	case now.Suppressed:
		cell.Share, cell.Why = "[c]", now.Reason
	default:
		cell.Share, cell.Interval, cell.Base, cell.Small = percent(*now.Share), interval(&res, now), thousands(now.Base), now.Small
	}
	cell.Before, cell.Difference = before(now, was)
	over, _, err := r.series(ctx, with(url.Values{}, figures.DimForce, r.v.Force, "measure", measure, "stage", string(stage), "to", r.to.Format("2006-01")))
	if err != nil {
		return cell, nil, err
	}
	if chart && len(over.Points) > 0 {
		cell.Chart = charts.SVG(charts.Of("report-"+fileName(measure)+"-"+cell.Stage, over, charts.Small))
	}
	if over.Trend != nil {
		cell.Sentence = r.signalIn(&over)
	}
	return cell, over.Trend, nil
}

// signalIn is the strongest signal of a chart that reaches into the quarter; empty
// where there is none.
func (r *reporter) signalIn(over *figures.Result) string {
	words, strong := "", false
	for _, sign := range over.Trend.Signals {
		if r.touches(sign.To) && (words == "" || sign.Strong && !strong) {
			words, strong = sign.Words, sign.Strong
		}
	}
	return words
}

// touches reports whether a period lies in the quarter, or holds it.
func (r *reporter) touches(period string) bool {
	for m := r.from; m.Before(r.to); m = m.AddDate(0, 1, 0) {
		if period == m.Format("2006-01") || period == m.Format("2006") {
			return true
		}
	}
	return period == r.quarter
}

// table splits the three constructs one way; nil where nobody answered.
func (r *reporter) table(ctx context.Context, dim, title string) ([]reportTable, error) {
	t := reportTable{Title: title, Heads: []string{title}}
	at := map[string]int{}
	column := 0
	for _, row := range reportRows {
		if !row.chart {
			continue
		}
		t.Heads = append(t.Heads, row.title)
		res, err := r.ask(ctx, "measure", row.measure, "by", figures.DimQuarter+","+dim)
		if err != nil {
			return nil, err
		}
		for i := range res.Points {
			p := &res.Points[i]
			if p.Period != r.quarter {
				continue
			}
			name := sentenceStart(r.keyWords(dim, p.Key[dim]))
			if other := p.Key[figures.DimForce]; other != "" && other != p.Key[dim] && dim == figures.DimBCU {
				name += ", " + other
			}
			line, ok := at[name]
			if !ok {
				line, at[name] = len(t.Rows), len(t.Rows)
				t.Rows = append(t.Rows, reportLine{Name: name})
			}
			for len(t.Rows[line].Cells) < column {
				t.Rows[line].Cells = append(t.Rows[line].Cells, reportValue{Empty: true, Withheld: figures.ReasonNone})
			}
			t.Rows[line].Cells = append(t.Rows[line].Cells, valueOf(&res, p))
		}
		column++
	}
	if len(t.Rows) == 0 {
		return nil, nil
	}
	for i := range t.Rows {
		for len(t.Rows[i].Cells) < column {
			t.Rows[i].Cells = append(t.Rows[i].Cells, reportValue{Empty: true, Withheld: figures.ReasonNone})
		}
	}
	slices.SortStableFunc(t.Rows, func(a, b reportLine) int { return strings.Compare(a.Name, b.Name) })
	return []reportTable{t}, nil
}

func valueOf(r *figures.Result, p *figures.Point) reportValue {
	switch {
	case p.Suppressed:
		return reportValue{Withheld: p.Reason}
	case p.Share == nil:
		return reportValue{Withheld: p.Reason, Empty: true}
	}
	rest := interval(r, p) + ", base " + thousands(p.Base)
	if p.Small {
		rest += "*"
	}
	return reportValue{Share: percent(*p.Share), Rest: rest}
}

// fillHappened lists what happened in the quarter: what was put on the time axis, and
// actions that were done.
func (r *reporter) fillHappened(ctx context.Context, data *reportData) error {
	res := figures.Result{By: []string{figures.DimQuarter}, Points: []figures.Point{{Period: r.quarter}}}
	flags, err := r.happened(ctx, r.v, &res, url.Values{})
	if err != nil {
		return err
	}
	for _, f := range flags {
		data.Happened = append(data.Happened, f.Text)
	}
	actions, err := r.Loop.Actions(ctx)
	if err != nil {
		return err
	}
	for i := range actions {
		day, err := time.Parse(time.DateOnly, actions[i].DoneOn)
		if err == nil && !day.Before(r.from) && day.Before(r.to) {
			data.Happened = append(data.Happened, dateWords(actions[i].DoneOn)+", action done: "+actions[i].Title+". "+actions[i].WeDid)
		}
	}
	return nil
}
