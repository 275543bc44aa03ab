package workspace

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"victimvoice/analysis"
	"victimvoice/analysis/figures"
	"victimvoice/analysis/tables"
	"victimvoice/internal/fault"
	"victimvoice/internal/sheet"
	"victimvoice/survey"
	"victimvoice/web/charts"
	"victimvoice/web/page"
)

// The further controls of comparisons and funnel plots.
const (
	ctlFirst  = "first"
	ctlSecond = "second"
	ctlWhen   = "when"
	ctlLevel  = "level"
)

// specialData is the data of the explorer's other pages: a comparison, a funnel plot,
// who is not heard, the journey. Each uses what it needs.
type specialData struct {
	exploreData
	Says     []string // what the page shows, in sentences
	Why      string   // why it shows nothing
	Heads    []string
	Texts    int          // how many columns are words, and not numbers
	Rows     []specialRow // the table beside
	Withheld string       // areas that are not shown
	Words    []string     // what to know of these figures
	Take     []takeLine

	taken taken
	path  string
}

// chart keeps a picture for whoever takes it away, with what the page says of it.
func (d *specialData) chart(p charts.Picture) {
	notes := slices.Concat(d.Says, []string{d.Withheld}, d.Words)
	heading := cmp.Or(d.Measure.Title, d.Heading)
	d.taken.Charts = []takenChart{{ID: "chart", file: charts.File{Picture: p, Heading: heading, Scope: d.Heading + " · " + d.Scope, Notes: slices.DeleteFunc(notes, func(n string) bool { return n == "" })}}}
}

// table keeps the table for whoever takes it away.
func (d *specialData) table(columns []sheet.Column, rows [][]any) {
	d.taken.Tables = []takenTable{{ID: "figures", Title: d.Heading, columns: columns, rows: rows}}
}

// specialRow is one row of a table: the first cell names it, the last may be a text.
// Of a row without numbers Why says why, after its mark.
type specialRow struct {
	Cells []string
	Why   string
	Span  int // how many columns Why takes
}

// rowOf makes a row of all its cells, or of a name, a mark and a reason.
func (d *specialData) rowOf(why string, cells ...string) {
	row := specialRow{Cells: cells, Why: why}
	if why != "" {
		row.Span = len(d.Heads) - len(cells)
	}
	d.Rows = append(d.Rows, row)
}

// startSpecial begins one of the explorer's other pages.
func (s *Pages) startSpecial(c *gin.Context, v visitor, path, title string) (data specialData, set map[string]string, q url.Values, err error) {
	f, err := s.frame(c, v, title)
	if err != nil {
		return data, nil, nil, err
	}
	f.Style = s.chartStyle
	data.path = path
	data.exploreData = exploreData{Work: f, Tabs: exploreTabs(path), Heading: title, Clear: path}
	raw, err := query(c, v)
	if err != nil {
		return data, nil, nil, err
	}
	set, q = map[string]string{}, url.Values{}
	var faults []fault.Field
	for name, values := range raw {
		if name == "of" && c.Param("form") != "" {
			continue // which of the page's files, and no part of its question
		}
		if len(values) > 1 {
			faults = append(faults, fault.Field{Field: name, Message: "is given twice"})
		}
		set[name] = values[0]
	}
	if len(faults) > 0 {
		slices.SortFunc(faults, func(a, b fault.Field) int { return cmp.Compare(a.Field, b.Field) })
		return data, nil, nil, fault.Fields("This address asks for two things at once.", faults...)
	}
	if v.Force != "" {
		q.Set(figures.DimForce, v.Force)
	}
	return data, set, q, nil
}

// finishSpecial shows one of them, with what is wrong where its question was refused,
// or gives one of its files.
func (s *Pages) finishSpecial(c *gin.Context, v visitor, data *specialData, err error) error {
	status := http.StatusOK
	if c.Param("form") != "" {
		if err != nil {
			return err
		}
		return s.take(c, v, strings.ReplaceAll(strings.TrimPrefix(data.path, "/"), "/", "-"), &data.taken)
	}
	data.Take = takeLines(v, data.path, takenOf(c), &data.taken)
	if fault.Is(err, fault.Invalid) || fault.Is(err, fault.TooLarge) {
		data.Says, data.Rows, data.Why, data.Words, data.Withheld, data.Take = nil, nil, "", nil, "", nil
		status, err = s.refuse(&data.exploreData, err)
	}
	if err != nil {
		return err
	}
	return s.show(c, status, "explore-special", data)
}

// unknownControls refuses what the page has no control for.
func unknownControls(set map[string]string, known ...string) error {
	var faults []fault.Field
	for name := range set {
		if !slices.Contains(known, name) && name != figures.DimForce {
			faults = append(faults, fault.Field{Field: name, Message: "is not something that this page can be asked for"})
		}
	}
	slices.SortFunc(faults, func(a, b fault.Field) int { return cmp.Compare(a.Field, b.Field) })
	return fault.Fields("This address asks for something that there is not.", faults...)
}

// placeOne puts an area or attribute control's value into a query.
func placeOne(q url.Values, name, value string) error {
	if value == "" {
		return nil
	}
	wrong := place(q, name, value)
	if strings.HasPrefix(value, splitPrefix) || strings.HasPrefix(value, insidePrefix) {
		wrong = "is one area on this page, not a split into several"
	}
	if wrong != "" {
		return fault.Fields("This address asks for a figure that does not exist.", fault.Field{Field: name, Message: wrong})
	}
	return nil
}

// whenChoices are single periods: the last years and quarters, newest first. They
// are the lattice's, so that a page can be of one of them or of all time.
func (s *Pages) whenChoices() []page.Choice {
	out := []page.Choice{{Label: "All time together"}}
	now := s.Now().In(s.zone())
	for y := now.Year(); y > now.Year()-5; y-- {
		out = append(out, page.Choice{Value: fmt.Sprintf("%d", y), Label: fmt.Sprintf("%d", y), Group: "One year"})
	}
	quarter := (int(now.Month()) - 1) / 3
	for i := range 12 {
		at := now.Year()*4 + quarter - i
		key := fmt.Sprintf("%d-Q%d", at/4, at%4+1)
		out = append(out, page.Choice{Value: key, Label: figures.PeriodWords(key), Group: "One quarter"})
	}
	return out
}

// setWhen puts one period into a query as the span that it is.
func setWhen(q url.Values, value string) error {
	if value == "" {
		return nil
	}
	for _, span := range []struct {
		layout string
		months int
	}{{"2006", 12}, {"2006-01", 1}} {
		if t, err := time.Parse(span.layout, value); err == nil {
			q.Set("from", t.Format("2006-01"))
			q.Set("to", t.AddDate(0, span.months, 0).Format("2006-01"))
			return nil
		}
	}
	if len(value) == 7 && figures.PeriodWords(value) != value { // a quarter
		if t, err := time.Parse("2006", value[:4]); err == nil {
			t = t.AddDate(0, 3*int(value[6]-'1'), 0)
			q.Set("from", t.Format("2006-01"))
			q.Set("to", t.AddDate(0, 3, 0).Format("2006-01"))
			return nil
		}
	}
	return fault.Fields("This is not a period.", fault.Field{Field: ctlWhen, Message: "is one year (2026), quarter (2026-Q1) or month (2026-03)"})
}

func whenWords(value string) string {
	if value == "" {
		return "all time together"
	}
	return figures.PeriodWords(value)
}

// groupChoices are the groups that can be set against each other: areas, periods and
// the values of each attribute, each named by its dimension.
func (s *Pages) groupChoices(m *figures.Measure, v visitor) []page.Choice {
	out := []page.Choice{{Label: "Choose a group"}}
	for _, c := range s.areaChoices(v, false)[1:] {
		c.Group = map[bool]string{true: "Command units (BCU)", false: "Boroughs"}[strings.HasPrefix(c.Value, figures.DimBCU+":")]
		out = append(out, c)
	}
	for _, c := range s.whenChoices()[1:] {
		dim := figures.DimYear
		if c.Group == "One quarter" {
			dim = figures.DimQuarter
		}
		out = append(out, page.Choice{Value: dim + ":" + c.Value, Label: c.Label, Group: map[string]string{figures.DimYear: "Years", figures.DimQuarter: "Quarters"}[dim]})
	}
	for _, c := range s.stageChoices(m) {
		out = append(out, page.Choice{Value: figures.DimStage + ":" + c.Value, Label: c.Label, Group: "Stages"})
	}
	return append(out, s.moreChoices(m, false)...)
}

// compare sets two groups against each other.
func (s *Pages) compare(c *gin.Context, v visitor) error {
	data, set, q, err := s.startSpecial(c, v, "/explore/compare", "Compare two groups")
	if err != nil {
		return err
	}
	q = s.measureOf(q, set, &data.exploreData)
	data.Fields = setFields([]page.Field{
		{Name: ctlMeasure, Label: "Figure", Choices: s.measureChoices(false)},
		{Name: ctlFirst, Label: "One group", Choices: s.groupChoices(&data.Measure, v)},
		{Name: ctlSecond, Label: "The other", Choices: s.groupChoices(&data.Measure, v)},
		{Name: ctlStage, Label: "At stage", Choices: append([]page.Choice{{Label: "All stages together"}}, s.stageChoices(&data.Measure)...)},
		{Name: ctlArea, Label: "In area", Choices: s.areaChoices(v, false)},
		{Name: ctlWhen, Label: "When", Choices: s.whenChoices()},
	}, set)
	err = unknownControls(set, ctlMeasure, ctlFirst, ctlSecond, ctlStage, ctlArea, ctlWhen)
	if err == nil {
		err = s.fillCompare(c.Request.Context(), set, q, &data)
	}
	return s.finishSpecial(c, v, &data, err)
}

func (s *Pages) fillCompare(ctx context.Context, set map[string]string, q url.Values, data *specialData) error {
	if set[ctlFirst] == "" || set[ctlSecond] == "" {
		data.Why = "Choose two groups of one kind: two areas, two periods, two stages, or two values of one thing, such as two age bands."
		return nil
	}
	dim, first, ok := strings.Cut(set[ctlFirst], ":")
	other, second, ok2 := strings.Cut(set[ctlSecond], ":")
	if !ok || !ok2 || dim != other {
		return fault.Fields("These two can't be compared.", fault.Field{Field: ctlSecond, Message: "is of another kind than the first group: choose two of one kind"})
	}
	if err := placeOne(q, ctlArea, set[ctlArea]); err != nil {
		return err
	}
	if set[ctlStage] != "" {
		q.Set("stage", set[ctlStage])
	}
	if set[ctlWhen] != "" && isPeriod(dim) {
		return fault.Fields("These two can't be compared.", fault.Field{Field: ctlWhen, Message: "is already said by the two groups: choose all time here"})
	}
	if q.Get(dim) != "" && dim != figures.DimForce || dim == figures.DimBCU && q.Get(figures.DimBorough) != "" || dim == figures.DimStage && set[ctlStage] != "" {
		name := ctlArea
		if dim == figures.DimStage {
			name = ctlStage
		}
		return fault.Fields("These two can't be compared.", fault.Field{Field: name, Message: "is already said by the two groups"})
	}
	if err := setWhen(q, set[ctlWhen]); err != nil {
		return err
	}
	parsed, err := analysis.ParseQuery(q)
	if err != nil {
		return err
	}
	found, err := s.Analysis.Panel().Compare(ctx, parsed, dim, first, second)
	if err != nil {
		return err
	}
	s.showCompare(&found, dim, first, second, set, q, data)
	return nil
}

func (s *Pages) showCompare(found *figures.Comparison, dim, first, second string, set map[string]string, q url.Values, data *specialData) {
	m := &found.Measure
	r := figures.Result{Measure: *m}
	names := []string{sentenceStart(s.keyWords(dim, first)), sentenceStart(s.keyWords(dim, second))}
	data.Scope = s.exploreScope(set, with(q, "from", ""), m) + " · " + sentenceStart(whenWords(set[ctlWhen]))
	if dim == figures.DimMode || isPeriod(dim) {
		data.Scope = strings.TrimSuffix(data.Scope, " · All time together")
	}
	g := charts.Groups{ID: "compare", Title: m.Title + ": " + names[0] + " and " + names[1], Unit: "%", Axis: axisWords(&r), Size: charts.Full}
	if m.Averages() {
		g.Unit = ""
	}
	data.Heads = []string{"Group", map[bool]string{true: "Score", false: "Share"}[m.Averages()], "95% interval", "Counted", "Out of"}
	for i, p := range []*figures.Point{&found.First, &found.Second} {
		g.Rows = append(g.Rows, groupRow(names[i], p))
		data.pointRow(names[i], &r, p)
	}
	if d := found.Difference; d != nil {
		what := "percentage points"
		if m.Averages() {
			what = "points"
		}
		data.rowOf("", "Difference", signed(d.Points), signedRange(d), "", "")
		data.Says = append(data.Says, fmt.Sprintf("%s lies %s %s: the difference is %s %s, 95%% interval %s.", names[0], aboveBelow(d.Points), names[1], signed(d.Points), what, signedRange(d)), found.Words)
		g.Description = data.Says[0] + " " + found.Words
		data.Words = append(data.Words, "The interval of the difference: "+found.Method+". Two intervals laid side by side don't say whether two groups differ; this one does.")
		if dim == figures.DimStage {
			data.Words = append(data.Words, "Many people answer at more than one stage, so that the two groups are not quite apart: “The same people over time” follows them.")
		}
		data.Words = append(data.Words, "Of many comparisons that are looked at, one in twenty lies apart by chance alone. "+figures.NotePrecision)
	} else {
		data.Says = []string{found.Why}
	}
	var rows [][]any
	for i, p := range []*figures.Point{&found.First, &found.Second} {
		apart := differenceValues(nil)
		if i == 0 {
			apart = differenceValues(found.Difference)
		}
		rows = append(rows, slices.Concat([]any{names[i]}, tables.PointValues(m, p), apart))
	}
	data.table(slices.Concat([]sheet.Column{{ID: "group", Title: "Group", Type: "text", Meaning: "Which of the two groups."}}, tables.PointColumns(), differenceColumns("The first group less the second, in the row of the first.")), rows)
	data.drawGroups(g)
}

// drawGroups draws groups for a desk and a phone; where no group has a figure there is
// nothing to draw, and the table says why.
func (d *specialData) drawGroups(g charts.Groups) {
	if !slices.ContainsFunc(g.Rows, func(r charts.Group) bool { return r.Value != nil }) {
		return
	}
	d.Wide = g.SVG()
	d.chart(g)
	g.ID, g.Size = g.ID+"-slim", charts.Narrow
	d.Slim = g.SVG()
}

// pointRow is the row of one figure: share, interval, counted, out of, and more.
func (d *specialData) pointRow(name string, r *figures.Result, p *figures.Point, more ...string) {
	switch {
	case p.Suppressed:
		d.rowOf(p.Reason, name, "[c]")
		return
	case p.Share == nil:
		d.rowOf(p.Reason, name, "–")
		return
	}
	counted, base := thousands(p.Numerator), thousands(p.Base)
	if r.Measure.Averages() {
		counted = ""
	}
	if p.Small {
		base += "*"
	}
	d.rowOf("", append([]string{name, number(r, *p.Share), interval(r, p), counted, base}, more...)...)
}

func aboveBelow(v float64) string {
	switch {
	case signed(v) == "0":
		return "level with"
	case v > 0:
		return "above"
	}
	return "below"
}

func signedRange(d *figures.Difference) string { return signed(d.Low) + " to " + signed(d.High) }

// areas is the funnel plot.
func (s *Pages) areas(c *gin.Context, v visitor) error {
	data, set, q, err := s.startSpecial(c, v, "/explore/areas", "Areas against London")
	if err != nil {
		return err
	}
	q = s.measureOf(q, set, &data.exploreData)
	data.Fields = setFields([]page.Field{
		{Name: ctlMeasure, Label: "Figure", Choices: s.measureChoices(true)},
		{Name: ctlLevel, Label: "Areas", Choices: []page.Choice{{Label: "Command units (BCU)"}, {Value: figures.DimBorough, Label: "Boroughs"}}},
		{Name: ctlStage, Label: "Stage", Choices: append([]page.Choice{{Label: "All stages together"}}, s.stageChoices(&data.Measure)...)},
		{Name: ctlWhen, Label: "When", Choices: s.whenChoices()},
	}, set)
	err = unknownControls(set, ctlMeasure, ctlLevel, ctlStage, ctlWhen)
	if err == nil {
		err = s.fillAreas(c.Request.Context(), set, q, &data)
	}
	return s.finishSpecial(c, v, &data, err)
}

func (s *Pages) fillAreas(ctx context.Context, set map[string]string, q url.Values, data *specialData) error {
	if set[ctlStage] != "" {
		q.Set("stage", set[ctlStage])
	}
	if err := setWhen(q, set[ctlWhen]); err != nil {
		return err
	}
	parsed, err := analysis.ParseQuery(q)
	if err != nil {
		return err
	}
	f, err := s.Analysis.Panel().Funnel(ctx, parsed, cmp.Or(set[ctlLevel], figures.DimBCU))
	if err != nil {
		return err
	}
	data.Scope = s.exploreScope(set, with(q, "from", ""), &f.Measure) + " · " + sentenceStart(whenWords(set[ctlWhen]))
	data.Why = f.Why
	if len(f.Areas) == 0 && f.Why == "" {
		data.Why = "Nobody has answered within these filters. Take one away, or wait: areas appear here as answers come in."
		return nil
	}
	if f.Words != "" {
		data.Says = []string{f.Words}
	}
	data.Words = []string{
		"The line is the figure of all areas together. The curves are exact binomial limits: were an area like all of them, its figure would lie within the inner ones 95 times in 100, within the outer ones 998 times in 1,000 (D. J. Spiegelhalter, Statistics in Medicine 24 (2005) 1185–1202). They narrow where more people answered.",
		"An area outside is worth asking about. The plot doesn't allow for who lives there, for which stages people had reached, or for who chose to answer.",
	}
	s.drawFunnel(&f, data)
	return nil
}

func (s *Pages) drawFunnel(f *figures.Funnel, data *specialData) {
	r := figures.Result{Measure: f.Measure}
	data.Heads = []string{"Area", "Share", "95% interval", "Counted", "Out of", "Outside the limits"}
	plot := charts.Funnel{ID: "funnel", Title: f.Measure.Title + ": areas against all of them", Description: f.Words, Axis: strings.TrimSuffix(axisWords(&r), ", with 95% interval"), Base: "People in the base", CentreName: "All", Limits: f.Limits, Size: charts.Full}
	if f.Measure.Asks() {
		plot.Base = "Askings in the base"
	}
	var withheld []string
	rows := [][]any{append(append([]any{"All areas"}, tables.PointValues(&f.Measure, &f.Centre)...), "", "")}
	if f.Centre.Share != nil || f.Centre.Suppressed {
		data.pointRow("All areas", &r, &f.Centre, "")
	}
	for i := range f.Areas {
		a := &f.Areas[i]
		name := sentenceStart(a.Key[f.Level])
		outside := ""
		if a.Outside != "" {
			outside = map[bool]string{true: "above the ", false: "below the "}[a.Above] + a.Outside + " limit"
		}
		data.pointRow(name, &r, &a.Point, outside)
		side := ""
		if a.Outside != "" {
			side = map[bool]string{true: "above", false: "below"}[a.Above]
		}
		rows = append(rows, append(append([]any{name}, tables.PointValues(&f.Measure, &a.Point)...), a.Outside, side))
		switch {
		case a.Suppressed:
			withheld = append(withheld, name)
		case a.Share != nil:
			meaning := figures.MeansChange
			if f.Measure.Better != "" {
				meaning = map[bool]string{true: figures.MeansImprovement, false: figures.MeansConcern}[a.Above == (f.Measure.Better == figures.BetterHigher)]
			}
			plot.Dots = append(plot.Dots, charts.FunnelDot{Name: name, Value: *a.Share, Base: a.Base, Outside: a.Outside, Meaning: meaning})
		}
	}
	if len(withheld) > 0 {
		data.Withheld = "Not on the plot, since their figures are withheld: " + strings.Join(withheld, "; ") + "."
	}
	if f.Limits != nil {
		plot.Centre = *f.Centre.Share
		data.Wide = plot.SVG()
		data.chart(plot)
		plot.ID, plot.Size = "funnel-slim", charts.Narrow
		data.Slim = plot.SVG()
	}
	if len(f.Areas) > 0 {
		data.table(append(append([]sheet.Column{{ID: "area", Title: "Area", Type: "text", Meaning: "Command unit or borough; the first row is of all together."}}, tables.PointColumns()...),
			sheet.Column{ID: "outside", Title: "Outside the limits", Type: "code", Values: []string{figures.OutsideNear + " = outside the inner limits", figures.OutsideFar + " = outside the outer limits"}, Meaning: "Outside which limits the area lies; empty: within both, or not shown."},
			sheet.Column{ID: "side", Title: "On which side", Type: "code", Values: []string{"above", "below"}, Meaning: "Of an area outside the limits."}), rows)
	}
}

// unheard shows who answered against all invited and all recorded.
func (s *Pages) unheard(c *gin.Context, v visitor) error {
	data, set, q, err := s.startSpecial(c, v, "/explore/unheard", "Who is not heard")
	if err != nil {
		return err
	}
	m, _ := s.Analysis.Panel().Measure("dissemination.complete")
	data.Measure, data.Definition = m, definition(&m)
	data.Measure.Title = "Who answered in full, of everyone recorded"
	var kinds []page.Choice
	for _, d := range figures.Dimensions() {
		if m.Takes(d.ID) && (d.Attribute() || d.ID == figures.DimBCU || d.ID == figures.DimBorough) {
			kinds = append(kinds, page.Choice{Value: d.ID, Label: d.Title})
		}
	}
	set["by"] = cmp.Or(set["by"], figures.DimAge)
	if _, ok := set[ctlStage]; !ok {
		set[ctlStage] = string(survey.StageReport)
	}
	data.Fields = setFields([]page.Field{
		{Name: "by", Label: "By", Choices: kinds},
		{Name: ctlStage, Label: "Survey", Choices: s.stageChoices(&m)},
		{Name: ctlArea, Label: "In area", Choices: s.areaChoices(v, false)},
		{Name: ctlWhen, Label: "When it fell due", Choices: s.whenChoices()},
	}, set)
	err = unknownControls(set, "by", ctlStage, ctlArea, ctlWhen)
	if err == nil {
		err = s.fillUnheard(c.Request.Context(), set, q, &data)
	}
	return s.finishSpecial(c, v, &data, err)
}

func (s *Pages) fillUnheard(ctx context.Context, set map[string]string, q url.Values, data *specialData) error {
	q.Set("stage", set[ctlStage])
	if err := placeOne(q, ctlArea, set[ctlArea]); err != nil {
		return err
	}
	if err := setWhen(q, set[ctlWhen]); err != nil {
		return err
	}
	parsed, err := analysis.ParseQuery(q)
	if err != nil {
		return err
	}
	u, err := s.Analysis.Panel().Unheard(ctx, parsed, set["by"])
	if err != nil {
		return err
	}
	data.Scope = "Everyone recorded · " + cmp.Or(stageWords[survey.Stage(u.Stage)], "All surveys") + s.areaWords(q) + " · " + sentenceStart(whenWords(set[ctlWhen]))
	if len(u.Groups) == 0 {
		data.Why = "Nobody was to be asked within these filters yet. When they are, this says who answered and who did not."
		return nil
	}
	data.Heads = []string{"Group", "Recorded", "Invited", "Answered", "Answered, of recorded", "Against all others"}
	g := charts.Groups{ID: "unheard", Title: "Share of those recorded who answered, by group", Unit: "%", Axis: "% of those recorded who answered, with 95% interval", Size: charts.Full}
	if u.All.Reason == "" {
		g.Line = &charts.Line{Value: u.All.Heard.Share, Label: "All groups together"}
	}
	if at := slices.IndexFunc(u.Groups, func(r figures.UnheardRow) bool { return r.Value == "under-18" }); at > 0 {
		youngest := u.Groups[at]
		u.Groups = slices.Insert(slices.Delete(u.Groups, at, at+1), 0, youngest)
	}
	rows := append([]figures.UnheardRow{u.All}, u.Groups...)
	for i := range rows {
		row := &rows[i]
		name := "All"
		if i > 0 {
			name = sentenceStart(s.keyWords(u.Dim, row.Value))
		}
		data.unheardRow(name, row, i == 0)
		if i == 0 {
			continue
		}
		mark := charts.Group{Name: name, Why: "[c] withheld"}
		switch {
		case row.Suppressed:
		case row.Reason != "":
			mark.Why = "nobody"
		default:
			h := row.Heard
			mark = charts.Group{Name: name, Value: &h.Share, Low: &h.Low, High: &h.High, Small: row.Small, Base: thousands(row.Recorded)}
		}
		g.Rows = append(g.Rows, mark)
	}
	if words := u.Words(); words != "" {
		data.Says = []string{words}
		g.Description = words
	}
	data.Words = []string{
		"Recorded: everyone for whom this survey fell due, those it was not safe to ask and those not eligible among them. What is known of them is what the police record; what people told about themselves is known of those alone who answered.",
		"In brackets, each group's part of all recorded, all invited and all who answered: a group that is a smaller part of those who answered is heard less.",
		"“Against all others” is the difference between a group's share and that of everyone else, with " + figures.MethodNewcombe + ".",
	}
	data.drawGroups(g)
	if data.Wide == "" {
		data.Why = "Of no group can a figure be shown: too few were recorded in each. A longer period, a larger area or another split may show more."
	}
	data.table(unheardColumns(), s.unheardTable(&u))
	return nil
}

func unheardColumns() []sheet.Column {
	number := func(id, title, meaning string) sheet.Column {
		return sheet.Column{ID: id, Title: title, Type: "number", Unit: "percent", Meaning: meaning + " Empty where withheld."}
	}
	people := func(id, title, meaning string) sheet.Column {
		return sheet.Column{ID: id, Title: title, Type: "integer", Unit: "people", Meaning: meaning + " Empty where withheld."}
	}
	return slices.Concat([]sheet.Column{
		{ID: "group", Title: "Group", Type: "text", Meaning: "What is known of everybody recorded; the first row is of all together."},
		people("recorded", "Recorded", "Everyone for whom the survey fell due."), people("invited", "Invited", "Those of them who were invited."), people("answered", "Answered", "Those of them who answered in full."),
		number("of_recorded", "Of all recorded", "The group's part of all recorded."), number("of_invited", "Of all invited", "The group's part of all invited."), number("of_answered", "Of all who answered", "The group's part of all who answered."),
		number("share", "Answered, of recorded", "Of those recorded, who answered in full."), number("low", "Interval from", "95% interval of that share."), number("high", "Interval to", "95% interval of that share."),
	}, differenceColumns("The group's share less that of everyone else."), []sheet.Column{tables.SymbolColumn(), tables.ReasonColumn()})
}

// unheardTable writes the page's table in numbers, withholding what it withholds.
func (s *Pages) unheardTable(u *figures.Unheard) (rows [][]any) {
	for i, row := range append([]figures.UnheardRow{u.All}, u.Groups...) {
		name := "All"
		if i > 0 {
			name = sentenceStart(s.keyWords(u.Dim, row.Value))
		}
		if row.Reason != "" {
			out := make([]any, len(unheardColumns()))
			out[0], out[len(out)-2], out[len(out)-1] = name, tables.Mark(row.Suppressed, false, false), row.Reason
			rows = append(rows, out)
			continue
		}
		var invited, ofInvited any
		if row.InvitedShown {
			invited = row.Invited
			if row.OfInvited >= 0 {
				ofInvited = row.OfInvited
			}
		}
		rows = append(rows, slices.Concat([]any{name, row.Recorded, invited, row.Complete, row.OfRecorded, ofInvited, row.OfComplete, row.Heard.Share, row.Heard.Low, row.Heard.High},
			differenceValues(row.Apart), []any{tables.Mark(false, true, row.Small), ""}))
	}
	return rows
}

func (s *Pages) areaWords(q url.Values) string {
	out := ""
	for _, dim := range []string{figures.DimForce, figures.DimBCU, figures.DimBorough} {
		if a := q.Get(dim); a != "" {
			out += " · " + a
		}
	}
	return out
}

func (d *specialData) unheardRow(name string, row *figures.UnheardRow, all bool) {
	if row.Reason != "" {
		mark := "–"
		if row.Suppressed {
			mark = "[c]"
		}
		d.rowOf(row.Reason, name, mark)
		return
	}
	of := func(v float64) string {
		if all {
			return ""
		}
		return " (" + tenths(v) + ")"
	}
	apart := ""
	if x := row.Apart; x != nil {
		apart = signed(x.Points) + " (" + signedRange(x) + ")"
		switch {
		case row.Less():
			apart += ", heard less"
		case row.More():
			apart += ", heard more"
		}
	}
	recorded, invited := thousands(row.Recorded)+of(row.OfRecorded), "[c]"
	if row.InvitedShown {
		invited = thousands(row.Invited)
		if row.OfInvited >= 0 {
			invited += of(row.OfInvited)
		}
	}
	if row.Small {
		recorded += "*"
	}
	d.rowOf("", name, recorded, invited, thousands(row.Complete)+of(row.OfComplete), percent(row.Heard.Share)+" ("+whole(row.Heard.Low)+"–"+percent(row.Heard.High)+")", apart)
}

// journey follows the same people from stage to stage.
func (s *Pages) journey(c *gin.Context, v visitor) error {
	data, set, q, err := s.startSpecial(c, v, "/explore/journey", "The same people over time")
	if err != nil {
		return err
	}
	areas := slices.DeleteFunc(s.areaChoices(v, false), func(c page.Choice) bool { return strings.HasPrefix(c.Value, figures.DimBorough+":") })
	data.Fields = setFields([]page.Field{{Name: ctlArea, Label: "In area", Choices: areas}}, set)
	data.Definition = []fact{
		{"Counted", "People whose later answer scores more (up), the same, or less (down) on the question's own scale; and those whose answer counts as positive in the figure itself, before and after."},
		{"Out of", "People with a scored answer to the same question at both stages, in complete responses that they gave themselves; the last where a stage has several surveys."},
		{"Left out", "Partial answers; answers given by an advocate; skipped, not applicable, don't know and prefer not to say at either stage; everyone who answered at one of the two alone."},
		{"Source", "The six core questions, asked in the same words at every stage."},
	}
	err = unknownControls(set, ctlArea)
	if err == nil {
		err = s.fillJourney(c.Request.Context(), set, q, &data)
	}
	return s.finishSpecial(c, v, &data, err)
}

func (s *Pages) fillJourney(ctx context.Context, set map[string]string, q url.Values, data *specialData) error {
	if strings.HasPrefix(set[ctlArea], figures.DimBorough+":") {
		return fault.Fields("This is not on the table of figures.", fault.Field{Field: ctlArea, Message: "is a command unit or all areas: a borough has too few people who answered twice"})
	}
	if err := placeOne(q, ctlArea, set[ctlArea]); err != nil {
		return err
	}
	j, err := s.Analysis.Panel().Journey(ctx, q.Get(figures.DimForce), q.Get(figures.DimBCU))
	if err != nil {
		return err
	}
	data.Scope = "Answered by people themselves at both stages" + s.areaWords(q) + " · All time together"
	data.Heads, data.Texts = []string{"From", "About", "People", "Moved up", "The same", "Moved down", "Positive before, after", "Change, 95% interval"}, 2
	var some bool
	for i := range j.Rows {
		row := &j.Rows[i]
		step := stageWords[survey.Stage(row.Step.From)] + " to " + strings.ToLower(stageWords[survey.Stage(row.Step.To)])
		name := constructOf(&row.Measure)
		switch {
		case row.Suppressed:
			some = true
			data.rowOf(row.Reason, step, name, "[c]")
		case row.Base == 0:
			data.rowOf(row.Reason, step, name, "–")
		default:
			some = true
			of := func(n int) string { return percent(100*float64(n)/float64(row.Base)) + " (" + thousands(n) + ")" }
			base := thousands(row.Base)
			if row.Small {
				base += "*"
			}
			cells := []string{step, name, base, of(row.Up), of(row.Same), of(row.Down)}
			if row.Change == nil {
				data.rowOf(row.ShareReason, append(cells, "[c]")...)
				continue
			}
			data.rowOf("", append(cells, percent(row.Before.Share)+", "+percent(row.After.Share), signed(row.Change.Points)+" ("+signedRange(row.Change)+")")...)
		}
	}
	if !some {
		data.Rows, data.Why = nil, "Nobody here has answered at two stages yet. When people do, this says how their answers moved from one to the next."
		return nil
	}
	data.Says = journeySays(j.Rows)
	data.Words = []string{
		"These are people who answered themselves at both stages, at the last of several surveys of one stage. Those who stopped answering are not in it: it says how answers moved, not how everyone fared.",
		"Up is a better answer than before, on the question's own scale. Positive is as in the figure itself. The interval of the change is Newcombe's for pairs (method 10; Statistics in Medicine 17 (1998) 2635–2650).",
		"Over all time and by command unit at most: by shorter periods or further splits, the few who changed could be told.",
	}
	if moves := journeyMoves(j.Rows); slices.ContainsFunc(moves.Rows, func(m charts.Move) bool { return m.Why == "" }) {
		data.Wide = moves.SVG()
		data.chart(moves)
		moves.ID, moves.Size = "journey-slim", charts.Narrow
		data.Slim = moves.SVG()
	} else {
		data.Why = "Too few people have answered at two stages for a figure to be shown. As more do, this says how their answers moved from one to the next."
	}
	data.table(journeyTable(j.Rows))
	return nil
}

// journeyTable writes the page's table in numbers, withholding what it withholds.
func journeyTable(from []figures.JourneyRow) (columns []sheet.Column, rows [][]any) {
	people := func(id, title, meaning string) sheet.Column {
		return sheet.Column{ID: id, Title: title, Type: "integer", Unit: "people", Meaning: meaning + " Empty where withheld."}
	}
	columns = slices.Concat([]sheet.Column{
		{ID: "from", Title: "From", Type: "code", Meaning: "The earlier stage."}, {ID: "to", Title: "To", Type: "code", Meaning: "The later stage."}, {ID: "measure", Title: "Measure", Type: "code", Meaning: "Id of the figure that is followed."},
		people("people", "People", "People who answered at both."), people("up", "Moved up", "Whose later answer is better."), people("same", "The same", "Whose answer is the same."), people("down", "Moved down", "Whose later answer is worse."),
		{ID: "before", Title: "Positive before", Type: "number", Unit: "percent", Meaning: "Share of positive answers at the earlier stage, of the same people. Empty where withheld."},
		{ID: "after", Title: "Positive after", Type: "number", Unit: "percent", Meaning: "At the later stage. Empty where withheld."},
	}, differenceColumns("After less before, with the interval for pairs."), []sheet.Column{tables.SymbolColumn(), tables.ReasonColumn()})
	for i := range from {
		r := &from[i]
		row := []any{r.Step.From, r.Step.To, r.Measure.ID}
		switch {
		case r.Suppressed || r.Base == 0:
			row = append(row, nil, nil, nil, nil, nil, nil, nil, nil, nil, tables.Mark(r.Suppressed, false, false), r.Reason)
		case r.Change == nil:
			row = append(row, r.Base, r.Up, r.Same, r.Down, nil, nil, nil, nil, nil, "[c]", r.ShareReason)
		default:
			row = append(row, r.Base, r.Up, r.Same, r.Down, r.Before.Share, r.After.Share, r.Change.Points, r.Change.Low, r.Change.High, tables.Mark(false, true, r.Small), "")
		}
		rows = append(rows, row)
	}
	return columns, rows
}

// journeySays names the changes whose interval leaves out none, and how many chance
// alone would give.
func journeySays(rows []figures.JourneyRow) []string {
	var moved []string
	shown := 0
	for i := range rows {
		r := &rows[i]
		if r.Change == nil {
			continue
		}
		shown++
		if r.Change.Apart() {
			moved = append(moved, fmt.Sprintf("%s, %s to %s: %s points (%s)", constructOf(&r.Measure), r.Step.From, r.Step.To, signed(r.Change.Points), signedRange(r.Change)))
		}
	}
	if shown == 0 {
		return nil
	}
	say := fmt.Sprintf("Of %s shown, %d %s an interval that leaves out “no change”; about %.1f would by chance alone.", plural(shown, "change in a share", "changes in a share"), len(moved), plainVerb(len(moved), "has", "have"), .05*float64(shown))
	if len(moved) > 0 {
		say += " They are: " + strings.Join(moved, "; ") + "."
	}
	return []string{say}
}

// constructOf names what a core question is about.
func constructOf(m *figures.Measure) string {
	for _, row := range overviewRows {
		if row.measure == m.ID {
			return row.title
		}
	}
	return m.Title
}

// journeyMoves are how people moved, a bar a question and pair of stages.
func journeyMoves(rows []figures.JourneyRow) charts.Moves {
	m := charts.Moves{ID: "journey", Title: "How the same people's answers moved", Size: charts.Full}
	for i := range rows {
		r := &rows[i]
		bar := charts.Move{Group: stageWords[survey.Stage(r.Step.From)] + " to " + strings.ToLower(stageWords[survey.Stage(r.Step.To)]), Name: constructOf(&r.Measure), Up: r.Up, Same: r.Same, Down: r.Down}
		if r.Suppressed {
			bar.Why = "[c] withheld"
		} else if r.Base == 0 {
			bar.Why = "no answers"
		}
		m.Rows = append(m.Rows, bar)
	}
	return m
}
