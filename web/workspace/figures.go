package workspace

import (
	"cmp"
	"context"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"victimvoice/analysis"
	"victimvoice/analysis/figures"
	"victimvoice/analysis/tables"
	"victimvoice/internal/access"
	"victimvoice/internal/fault"
	"victimvoice/internal/sheet"
	"victimvoice/survey"
	"victimvoice/web/charts"
	"victimvoice/web/page"
)

// overviewRows are the constructs of the overview, each by its core tracker.
var overviewRows = []struct{ measure, title string }{
	{"core.confidence", "Confidence"}, {"core.informed", "Communication"}, {"core.advice", "Advice"},
	{"core.serious", "Being taken seriously"}, {"core.safer", "Safety"}, {"core.overall", "Satisfaction overall"},
}

// strip are the steps of dissemination, in their order.
var strip = []string{"eligible", "safe", "invited", "delivered", "started", "partial", "complete"}

// overviewData is the data of the commissioner's first page.
type overviewData struct {
	page.Work
	Form     filterForm
	Strip    []stripStep
	StripOf  string // the base of the strip, in words
	StripYet string // why there is no strip
	Rates    []fact
	Rows     []overviewRow
	Chance   string // how many signals chance alone would give on this page
	Scope    string // whose answers, where, since when
}

// stripStep is one step of the dissemination strip.
type stripStep struct {
	Title, Count, Rate, Why string
	Bar                     template.HTML
	Href                    string
}

type overviewRow struct {
	ID, Title, Question string
	Context             []string // other surveys' figures, with whose they are
	Cells               []figureCell
}

// figureCell is one figure with its small chart.
type figureCell struct {
	Stage, StageName, Href string
	Chart                  template.HTML
	Latest                 latest
	Sentence               string
	Period                 string // the period chosen, and why
	Alarm                  string // how often a chart like this signals by chance
	Table                  figureTable
	Name                   string // of the figure, for links and tables
}

// latest is the last published figure of a series.
type latest struct {
	Share, Interval, Base, When string
	Small                       bool
	Withheld                    string // why a later one is not shown
	Coded                       bool   // of a theme: Share is as counted
	Corrected                   string // the corrected share in words; empty: there is none
	None                        string // why there is none at all
}

// figureTable are a chart's numbers.
type figureTable struct {
	Heads []string
	Rows  []figureRow
	Score bool // means of scores: nobody is counted
	// Marked: something happened in one of the periods, at least.
	Marked bool
	Coded  bool // a theme: shares are as counted
	// Corrected: corrected shares stand beside them, at least one.
	Corrected bool
}

type figureRow struct {
	Keys                           []string
	Share, Interval, Counted, Base string
	Withheld                       string // why the figure is not shown: its mark is [c], or - where nobody answered
	Empty, Small                   bool
	Signal                         string
	Marks                          string // numbers of what happened in the period, as under the chart
	Corrected, CorrectedInterval   string
}

// filterForm is the form of a page's filters; its values are the address.
type filterForm struct {
	Area, By, Mode, From, Stage page.Field
	Hidden                      []fact
	Clear                       string // the page without filters; empty: there are none
}

// query reads a figure's query from an address and holds it to the visitor's force.
func query(c *gin.Context, v visitor) (url.Values, error) {
	q := url.Values{}
	for name, values := range c.Request.URL.Query() {
		if name == "done" || name == "format" {
			continue
		}
		for _, s := range values {
			if s = strings.TrimSpace(s); s != "" && (name != "by" || s != "auto") {
				q.Add(name, s)
			}
		}
	}
	if v.Force != "" {
		if other := q.Get(figures.DimForce); other != "" && other != v.Force {
			return nil, fault.New(fault.Denied, "These figures are of another force than yours.")
		}
		q.Set(figures.DimForce, v.Force)
	}
	return q, nil
}

func with(q url.Values, pairs ...string) url.Values {
	out := url.Values{}
	for k, v := range q {
		out[k] = slices.Clone(v)
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			out.Del(pairs[i])
		} else {
			out.Set(pairs[i], pairs[i+1])
		}
	}
	return out
}

// series asks for one figure over time, by the period asked for or, where none is,
// by the finest that its answers can bear; why says so.
func (s *Pages) series(ctx context.Context, q url.Values) (r figures.Result, why string, err error) {
	parsed, err := analysis.ParseQuery(q)
	if err != nil {
		return figures.Result{}, "", err
	}
	if len(parsed.By) == 0 {
		suggested, err := s.Analysis.Panel().SuggestPeriod(ctx, parsed)
		if err != nil {
			return figures.Result{}, "", err
		}
		parsed.By, why = []string{suggested.Period}, suggested.Words
	}
	r, err = s.Analysis.Panel().Figures(ctx, parsed)
	return r, why, err
}

func (s *Pages) overview(c *gin.Context, v visitor) error {
	ctx := c.Request.Context()
	f, err := s.frame(c, v, "Figures")
	if err != nil {
		return err
	}
	f.Style = s.chartStyle
	q, err := query(c, v)
	if err != nil {
		return err
	}
	data := overviewData{Work: f, Form: s.filters(q, v, "/figures"), Scope: s.scope(q)}
	data.Form.Stage = page.Field{} // every stage has its own column
	status := http.StatusOK
	err = s.fillOverview(ctx, q, &data)
	if fault.Is(err, fault.Invalid) {
		data.Rows, data.Strip, data.Rates = nil, nil, nil
		status, err = retry(&data.Work, err, data.Form.controls()...)
	}
	if err != nil {
		return err
	}
	return s.show(c, status, "figures", data)
}

func (s *Pages) fillOverview(ctx context.Context, q url.Values, data *overviewData) error {
	if err := s.fillStrip(ctx, q, data); err != nil {
		return err
	}
	var trends []*figures.Trend
	for _, row := range overviewRows {
		m, ok := s.Analysis.Panel().Measure(row.measure)
		if !ok {
			return fmt.Errorf("the panel does not know %s", row.measure)
		}
		out := overviewRow{ID: strings.ReplaceAll(row.measure, ".", "-"), Title: row.title, Question: m.Title, Context: contextWords(row.measure)}
		for _, stage := range survey.Stages() {
			cq := with(q, "measure", row.measure, "stage", string(stage))
			r, why, err := s.series(ctx, cq)
			if err != nil {
				return err
			}
			cell := s.cell(&r, why)
			cell.Stage, cell.StageName = string(stage), stageWords[stage]
			cell.Name = row.title + ", " + strings.ToLower(cell.StageName)
			cell.Href = figureHref(row.measure, with(cq, "measure", ""))
			small := charts.Of(out.ID+"-"+cell.Stage, r, charts.Small)
			small.Lines = contextLines(row.measure)
			cell.Chart = charts.SVG(small)
			if r.Trend != nil && r.Trend.Limits != nil {
				cell.Alarm = r.Trend.Note
			}
			trends = append(trends, r.Trend)
			out.Cells = append(out.Cells, cell)
		}
		data.Rows = append(data.Rows, out)
	}
	data.Chance = chanceWords(trends...)
	return nil
}

// fillStrip counts the way from those eligible to those who finished. Windows of
// other lengths than the calendar's are off the lattice, so it is of all years.
func (s *Pages) fillStrip(ctx context.Context, q url.Values, data *overviewData) error {
	base := with(q, "by", "", "from", "", "to", "", "mode", "")
	for _, step := range strip {
		r, err := s.Analysis.Figures(ctx, with(base, "measure", "dissemination."+step))
		if err != nil {
			return err
		}
		out := stripStep{Title: r.Measure.Title, Href: figureHref(r.Measure.ID, base)}
		switch p := only(&r); {
		case p == nil || p.Share == nil && !p.Suppressed:
			data.StripYet = "Nothing has fallen due yet. When it does, this says how many were eligible, safe to ask, invited and heard."
			return nil
		case p.Suppressed:
			out.Count, out.Why = "[c]", p.Reason
		default:
			out.Count, out.Rate, out.Bar = thousands(p.Numerator), percent(*p.Share), bar(*p.Share)
			data.StripOf = thousands(p.Base)
		}
		data.Strip = append(data.Strip, out)
	}
	for _, id := range []string{"response.rr1", "response.rr2", "response.not-safe"} {
		r, err := s.Analysis.Figures(ctx, with(base, "measure", id))
		if err != nil {
			return err
		}
		p := only(&r)
		switch {
		case p == nil || p.Share == nil && !p.Suppressed:
		case p.Suppressed:
			data.Rates = append(data.Rates, fact{r.Measure.Title, "[c] " + p.Reason})
		default:
			data.Rates = append(data.Rates, fact{r.Measure.Title, fmt.Sprintf("%s (%s of %s)", tenths(*p.Share), thousands(p.Numerator), thousands(p.Base))})
		}
	}
	return nil
}

// only is the one figure of a result that is not split.
func only(r *figures.Result) *figures.Point {
	if len(r.Points) == 0 {
		return nil
	}
	return &r.Points[0]
}

// bar draws a share as a bar of its own width.
func bar(share float64) template.HTML {
	return template.HTML(fmt.Sprintf(`<svg class="bar-share" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true" focusable="false"><rect class="bar-rest" width="100" height="6"/><rect class="bar-part" width="%.1f" height="6"/></svg>`, share)) //nolint:gosec // G203: a number alone is put in
}

func thousands(n int) string {
	text := decimal(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func tenths(v float64) string { return fmt.Sprintf("%.1f%%", v) }

// cell puts one series into words and numbers.
func (s *Pages) cell(r *figures.Result, why string) figureCell {
	return figureCell{Latest: s.latestOf(r), Sentence: trendSentence(r), Period: why, Table: s.tableOf(r)}
}

// latestOf is the last published figure, and why a later one is not shown. A
// period that is not over yet says so.
func (s *Pages) latestOf(r *figures.Result) latest {
	var l latest
	for i := len(r.Points) - 1; i >= 0; i-- {
		p := &r.Points[i]
		if p.Share == nil {
			if p.Suppressed && l.Withheld == "" {
				l.Withheld = figures.PeriodWords(p.Period) + ": [c] " + p.Reason
			}
			continue
		}
		l.Share, l.Base, l.When, l.Small = number(r, *p.Share), thousands(p.Base), figures.PeriodWords(p.Period), p.Small
		if p.Period == periodOf(r.By, s.Now().In(s.zone())) {
			l.When += " so far"
		}
		l.Interval, l.Coded = interval(r, p), r.Coding != nil
		if c := p.Corrected; c != nil {
			l.Corrected = fmt.Sprintf("Corrected for the coder's errors: %s, 95%% interval %s–%s", percent(c.Share), whole(c.Low), percent(c.High))
		}
		return l
	}
	l.None = "No one has answered yet."
	if l.Withheld != "" {
		l.None, l.Withheld = "Too few have answered for a figure to be shown: "+l.Withheld+".", ""
	}
	return l
}

func number(r *figures.Result, v float64) string {
	if r.Measure.Averages() {
		return whole(v)
	}
	return percent(v)
}

func interval(r *figures.Result, p *figures.Point) string {
	if p.Low == nil || p.High == nil {
		return ""
	}
	if r.Measure.Averages() {
		return whole(*p.Low) + "–" + whole(*p.High)
	}
	return whole(*p.Low) + "–" + percent(*p.High)
}

// published reports whether any figure of a result can be shown: without one there is
// no chart to draw.
func published(r *figures.Result) bool {
	return slices.ContainsFunc(r.Points, func(p figures.Point) bool { return p.Share != nil })
}

// trendSentence says in one sentence what a chart shows, and claims no more than
// its rule does: the signal that reaches furthest, the stronger rules first.
func trendSentence(r *figures.Result) string {
	t := r.Trend
	switch {
	case t == nil || !published(r):
		return ""
	case t.Limits == nil:
		return t.Note
	case len(t.Signals) == 0:
		return fmt.Sprintf("No sign of change beyond what chance would give, over %s.", plural(t.Points, "point", "points"))
	}
	best := t.Signals[0]
	for _, sign := range t.Signals[1:] {
		if sign.Strong && !best.Strong || sign.Strong == best.Strong && sign.To > best.To {
			best = sign
		}
	}
	return best.Words
}

// tableOf are a result's numbers in rows: the split, then the figure.
func (s *Pages) tableOf(r *figures.Result) figureTable {
	t := figureTable{Score: r.Measure.Averages(), Coded: r.Coding != nil, Corrected: slices.ContainsFunc(r.Points, func(p figures.Point) bool { return p.Corrected != nil })}
	for _, d := range figures.Dimensions() {
		if slices.Contains(r.By, d.ID) {
			t.Heads = append(t.Heads, d.Title)
		}
	}
	for i := range r.Points {
		p := &r.Points[i]
		row := figureRow{Signal: p.Signal, Small: p.Small}
		for _, d := range figures.Dimensions() {
			if slices.Contains(r.By, d.ID) {
				row.Keys = append(row.Keys, s.keyWords(d.ID, p.Key[d.ID]))
			}
		}
		switch {
		case p.Suppressed:
			row.Withheld = p.Reason
		case p.Share == nil:
			row.Withheld, row.Empty = p.Reason, true
		default:
			row.Share, row.Interval, row.Base = number(r, *p.Share), interval(r, p), thousands(p.Base)
			if !t.Score {
				row.Counted = thousands(p.Numerator)
			}
			if c := p.Corrected; c != nil {
				row.Corrected, row.CorrectedInterval = percent(c.Share), whole(c.Low)+"–"+percent(c.High)
			}
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// keyWords puts a value of a dimension into words.
func (s *Pages) keyWords(dim, value string) string {
	switch dim {
	case figures.DimMonth, figures.DimQuarter, figures.DimYear:
		return figures.PeriodWords(value)
	case figures.DimStage:
		return cmp.Or(stageWords[survey.Stage(value)], "All stages")
	case figures.DimMode:
		return cmp.Or(modeWords[survey.Mode(value)], value)
	case figures.DimOffence:
		return cmp.Or(offenceWords[value], value)
	case figures.DimOutcome:
		return sentenceStart(cmp.Or(outcomeWords[value], value))
	case figures.DimAge: // the same bands as people choose from themselves
		return cmp.Or(s.Analysis.Panel().AboutWords(figures.DimAboutAge, value), value)
	}
	return cmp.Or(s.Analysis.Panel().AboutWords(dim, value), value)
}

func sentenceStart(s string) string { return strings.TrimSuffix(sentence(s), ".") }

func figureHref(measure string, q url.Values) string {
	href := "/figures/" + url.PathEscape(measure)
	if q = with(q, "measure", "", figures.DimForce, q.Get(figures.DimForce)); len(q) > 0 {
		href += "?" + q.Encode()
	}
	return href
}

// filters makes the form of a page's filters, set as the address has them.
func (s *Pages) filters(q url.Values, v visitor, clear string) filterForm {
	f := filterForm{
		Area:  page.Field{Name: figures.DimBCU, Label: "Area (BCU)", Value: q.Get(figures.DimBCU), Choices: []page.Choice{{Label: "All areas"}}},
		By:    page.Field{Name: "by", Label: "By", Value: q.Get("by"), Choices: []page.Choice{{Label: "Automatic"}, {Value: figures.DimMonth, Label: "Month"}, {Value: figures.DimQuarter, Label: "Quarter"}, {Value: figures.DimYear, Label: "Year"}}},
		Mode:  page.Field{Name: "mode", Label: "Who answered", Value: q.Get("mode"), Choices: []page.Choice{{Label: "The person"}, {Value: figures.ModeRelayed, Label: "Relayed"}, {Value: figures.ModeObserved, Label: "Observed"}}},
		From:  page.Field{Name: "from", Label: "Since", Value: q.Get("from"), Choices: []page.Choice{{Label: "The beginning"}}},
		Stage: page.Field{Name: "stage", Label: "Stage", Value: q.Get("stage"), Choices: []page.Choice{{Label: "All stages"}}},
	}
	var areas []string
	for _, force := range s.Survey.Geography().Forces() {
		if !v.sees(force) {
			continue
		}
		for _, a := range s.Survey.Geography().Areas(force) {
			if !slices.Contains(areas, a.BCU) {
				areas = append(areas, a.BCU)
			}
		}
	}
	slices.Sort(areas)
	for _, a := range areas {
		f.Area.Choices = append(f.Area.Choices, page.Choice{Value: a, Label: a})
	}
	year := s.Now().In(s.zone()).Year()
	for y := year; y > year-5; y-- {
		f.From.Choices = append(f.From.Choices, page.Choice{Value: fmt.Sprintf("%d-01", y), Label: fmt.Sprintf("January %d", y)})
	}
	for _, stage := range survey.Stages() {
		f.Stage.Choices = append(f.Stage.Choices, page.Choice{Value: string(stage), Label: stageWords[stage]})
	}
	// A value of a hand-made address that the list does not have stays as it is.
	for _, field := range []*page.Field{&f.Area, &f.By, &f.Mode, &f.From, &f.Stage} {
		if field.Value != "" && !slices.ContainsFunc(field.Choices, func(c page.Choice) bool { return c.Value == field.Value }) {
			field.Choices = append(field.Choices, page.Choice{Value: field.Value, Label: field.Value})
		}
	}
	if len(with(q, "measure", "", figures.DimForce, "")) > 0 {
		f.Clear = clear
	}
	return f
}

// controls names the form's controls, for faults to point at.
func (f *filterForm) controls() []string {
	out := []string{f.Area.Name, f.By.Name, f.From.Name}
	for _, field := range []page.Field{f.Stage, f.Mode} {
		if field.Name != "" {
			out = append(out, field.Name)
		}
	}
	return out
}

// scope says in a line whose answers these are, where and since when.
func (s *Pages) scope(q url.Values) string {
	mode := cmp.Or(survey.Mode(q.Get("mode")), survey.ModeSelf)
	parts := []string{map[survey.Mode]string{survey.ModeSelf: "Answered by people themselves", survey.ModeRelayed: "People's words, relayed by advocates", survey.ModeObserved: "Advocates' own views"}[mode]}
	for _, dim := range []string{figures.DimForce, figures.DimBCU, figures.DimBorough} {
		if a := q.Get(dim); a != "" {
			parts = append(parts, a)
		}
	}
	if from := q.Get("from"); from != "" {
		parts = append(parts, "since "+figures.PeriodWords(from))
	}
	return strings.Trim(strings.Join(parts, " · "), " ·")
}

// figureData is the data of one figure's page.
type figureData struct {
	page.Work
	Heading             string
	Form                filterForm
	Measure             figures.Measure
	Definition          []fact
	Scope, Period, Note string
	Wide, Slim          template.HTML
	Latest              latest
	Sentence            string
	Signals             []string
	TrendNote           string
	Flags               []string // what the chart's numbers stand for
	Coding              []string // of a theme: how it was counted and corrected
	Table               figureTable
	RaiseHref           string
	MarksHref           string // what stands on the time axis, and the form that adds to it
	Take                []takeLine
	Empty               string
	Context             []string // other surveys' figures, with whose they are
}

type link struct {
	Href, Label string
	Here        bool
}

func (s *Pages) figure(c *gin.Context, v visitor) error {
	m, ok := s.Analysis.Panel().Measure(c.Param("measure"))
	if !ok {
		return fault.New(fault.NotFound, "There is no such measure. “All measures” lists them.")
	}
	f, err := s.frame(c, v, m.Title)
	if err != nil {
		return err
	}
	f.Style = s.chartStyle
	q, err := query(c, v)
	if err != nil {
		return err
	}
	q = with(q, "measure", m.ID)
	path := "/figures/" + m.ID
	data := figureData{Work: f, Heading: m.Title, Form: s.filters(q, v, path), Measure: m, Definition: definition(&m), Scope: s.scope(q), Context: contextWords(m.ID)}
	if m.Asks() {
		data.Form.Mode = page.Field{}
		data.Scope = strings.Replace(data.Scope, "Answered by people themselves", "Everyone who was to be asked", 1)
	}
	for _, d := range figures.Dimensions() {
		if value := q.Get(d.ID); value != "" && (d.ID == figures.DimBorough || d.Attribute() && d.ID != figures.DimMode) {
			data.Form.Hidden = append(data.Form.Hidden, fact{d.ID, value})
		}
	}
	status := http.StatusOK
	err = s.fillFigure(c.Request.Context(), v, q, &data)
	if fault.Is(err, fault.Invalid) {
		status, err = retry(&data.Work, err, data.Form.controls()...)
	}
	if err != nil {
		return err
	}
	return s.show(c, status, "figure", data)
}

func (s *Pages) fillFigure(ctx context.Context, v visitor, q url.Values, data *figureData) error {
	r, why, err := s.series(ctx, q)
	if err != nil {
		return err
	}
	cell := s.cell(&r, why)
	data.Period, data.Latest, data.Sentence, data.Table, data.Note = cell.Period, cell.Latest, cell.Sentence, cell.Table, r.Note
	if r.Trend != nil {
		flags, err := s.happened(ctx, v, &r, q)
		if err != nil {
			return err
		}
		if published(&r) {
			data.Wide, data.Slim, data.Flags = s.both("figure", r, flags...)
			data.Table.markRows(&r, flags)
		}
		data.TrendNote = r.Trend.Note
		for _, sign := range r.Trend.Signals {
			data.Signals = append(data.Signals, sign.Words)
		}
	}
	data.Coding = codingWords(r.Coding)
	if len(r.Points) == 0 {
		data.Empty = cmp.Or(s.unasked(&r.Measure, q.Get(figures.DimQuestionnaire)), "Nobody has answered within these filters. Take one away, or wait: figures appear here as answers come in.")
	}
	exact := with(q, "by", strings.Join(r.By, ","))
	data.MarksHref = "/figures/marks?" + exact.Encode()
	if v.Can(access.ActionsManage) && r.Trend != nil && slices.ContainsFunc(r.Points, func(p figures.Point) bool { return p.Share != nil }) {
		data.RaiseHref = "/actions/new?" + exact.Encode()
	}
	data.Take = figureTakes(v, &r, exact)
	return nil
}

// figureTakes lead to one figure's chart and table as files, for whoever may.
func figureTakes(v visitor, r *figures.Result, exact url.Values) []takeLine {
	if !v.Can(access.ExportFigures) {
		return nil
	}
	href := func(form, format string) string {
		return "/figures/" + r.Measure.ID + "/" + form + "?" + with(exact, "measure", "", "format", format).Encode()
	}
	var out []takeLine
	if r.Trend != nil && published(r) {
		out = append(out, takeLine{What: "Download the chart: ", Links: []link{{Href: href(formChart, "svg"), Label: "SVG"}, {Href: href(formChart, "png"), Label: "PNG"}}})
	}
	return append(out, takeLine{What: "Download the table: ", Links: []link{{Href: href(formTable, "csv"), Label: "CSV"}, {Href: href(formTable, "xlsx"), Label: "Excel"}, {Href: href(formTable, "jsonl"), Label: "JSON Lines"}}})
}

// codingWords says how far the coder of a theme's figures can be trusted.
func codingWords(c *figures.Coding) []string {
	if c == nil {
		return nil
	}
	out := []string{c.Note}
	for i := range c.Samples {
		sample := &c.Samples[i]
		of := "Version " + sample.Coder
		if sample.Mode != figures.ModeSelf {
			of += ", " + strings.ToLower(modeWords[survey.Mode(sample.Mode)])
		}
		if sample.Lacks != "" {
			out = append(out, of+": no corrected share, since "+sample.Lacks+".")
			continue
		}
		out = append(out, fmt.Sprintf("%s: a person has coded the words of %s people drawn at random. Where they found the theme, the coder had it in %s; where they did not, the coder had none in %s.",
			of, thousands(sample.Drawn), percent(*sample.Sensitivity), percent(*sample.Specificity)))
	}
	return out
}

// both draws a chart for a desk and for a phone; the page shows one of them. list is
// what its flags stand for, those given and the breaks of the series in order of time.
func (s *Pages) both(id string, r figures.Result, flags ...charts.Flag) (wide, slim template.HTML, list []string) {
	full, narrow := charts.Of(id+"-wide", r, charts.Full), charts.Of(id+"-slim", r, charts.Narrow)
	full.Lines, narrow.Lines = contextLines(r.Measure.ID), contextLines(r.Measure.ID)
	all := numbered(flags, full.Flags, full.Points)
	for _, f := range all {
		list = append(list, flagWords(f))
	}
	full.Flags, narrow.Flags = all, all
	return charts.SVG(full), charts.SVG(narrow), list
}

// definition writes out what a measure is.
func definition(m *figures.Measure) []fact {
	better := "Neither way is better."
	switch m.Better {
	case figures.BetterHigher:
		better = "Higher is better."
	case figures.BetterLower:
		better = "Lower is better."
	}
	counted := "Counted"
	if m.Averages() {
		counted = "Averaged"
	}
	return []fact{{counted, m.Numerator}, {"Out of", m.Base}, {"Left out", m.Exclusions}, {"Source", m.Source}, {"Direction", better}}
}

// figureTable writes a figure's table as a file.
func (s *Pages) figureTable(c *gin.Context, v visitor) error {
	format, err := sheet.ParseFormat(c.Query("format"))
	if err != nil {
		return err
	}
	q, err := query(c, v)
	if err != nil {
		return err
	}
	r, _, err := s.series(c.Request.Context(), with(q, "measure", c.Param("measure")))
	if err != nil {
		return err
	}
	entry := v.actor().Entry("figures.exported", "measure:"+r.Measure.ID)
	if err := s.Audit.Append(c.Request.Context(), entry); err != nil {
		return err
	}
	c.Header("Content-Type", format.MediaType())
	c.Header("Content-Disposition", `attachment; filename="`+fileName(r.Measure.ID)+"."+string(format)+`"`)
	return tables.One(&r).Write(format, c.Writer)
}

// fileName keeps a measure's id to what every file system takes.
func fileName(id string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '-'
	}, strings.ToLower(id))
}

// measuresData is the data of the list of all measures.
type measuresData struct {
	page.Work
	Groups []measureGroup
}

type measureGroup struct {
	ID, Title string
	Measures  []measureLine
}

type measureLine struct {
	Href, ID, Title, Kind, Numerator, Base string
}

var kindWords = map[figures.Kind]string{figures.KindShare: "Share", figures.KindIndex: "Index", figures.KindRate: "Rate", figures.KindMean: "Mean score"}

// measureGroupOf says what a measure is about.
func measureGroupOf(m *figures.Measure) (id, title string) {
	switch {
	case strings.HasPrefix(m.ID, "core."):
		return "core", "Core trackers: the same words at every stage"
	case strings.HasPrefix(m.ID, "index."):
		return "index", "Indices: several questions about one thing"
	case strings.HasPrefix(m.ID, "advice."):
		return "advice", "Advice from the police"
	case strings.HasPrefix(m.ID, "theme."):
		return "theme", "Themes in people's own words"
	case m.Asks():
		return "response", "Who was asked, and who answered"
	}
	return "item", "Other questions"
}

func (s *Pages) measures(c *gin.Context, v visitor) error {
	f, err := s.frame(c, v, "All measures")
	if err != nil {
		return err
	}
	data := measuresData{Work: f}
	all := s.Analysis.Panel().Measures()
	for i := range all {
		m := &all[i]
		id, title := measureGroupOf(m)
		at := slices.IndexFunc(data.Groups, func(g measureGroup) bool { return g.ID == id })
		if at < 0 {
			data.Groups, at = append(data.Groups, measureGroup{ID: id, Title: title}), len(data.Groups)
		}
		data.Groups[at].Measures = append(data.Groups[at].Measures, measureLine{Href: figureHref(m.ID, nil), ID: m.ID, Title: m.Title, Kind: kindWords[m.Kind], Numerator: m.Numerator, Base: m.Base})
	}
	return s.show(c, http.StatusOK, "measures", data)
}
