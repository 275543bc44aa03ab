package workspace

import (
	"cmp"
	"context"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"victimvoice/analysis"
	"victimvoice/analysis/figures"
	"victimvoice/analysis/tables"
	"victimvoice/internal/access"
	"victimvoice/internal/fault"
	"victimvoice/internal/sheet"
	"victimvoice/survey/questionnaires"
	"victimvoice/web/page"
)

// adviceData is the data of the page on what police tell people to do.
type adviceData struct {
	page.Work
	Form       filterForm
	Scope      string
	Empty      string
	Main       []adviceFigure
	Splits     []splitTable
	Groups     []adviceGroup
	Period     string
	Table      string // which version of the polarity table judges
	MayManage  bool
	ChanceNote string
	Take       []takeLine

	taken taken
}

// adviceFigure is one of the two figures over all advice.
type adviceFigure struct {
	ID, Title, Href, Out string
	Wide, Slim           template.HTML
	Flags                []string
	Cell                 figureCell
	TrendNote            string
	Take                 []takeLine
}

// splitTable sets the two figures beside each other for each value of a dimension.
type splitTable struct {
	Title, Head string
	Rows        []splitRow
}

type splitRow struct {
	Name  string
	Cells [2]splitCell
}

type splitCell struct {
	Share, Interval, Base, Why string
	Small                      bool
}

// adviceGroup are the codes of one polarity.
type adviceGroup struct {
	ID, Title, Note string
	Lines           []adviceLine
	None            string // where no line has a figure: why
}

type adviceLine struct {
	Title, Href, Share, Interval, Base, When, Why, Reads string
	Small                                                bool
	Spark                                                template.HTML
}

var polarityWords = map[string]string{questionnaires.Harmful: "Harmful", questionnaires.Good: "Good practice", questionnaires.Context: "Depends on the case"}

var polarityGroups = []adviceGroup{
	{ID: questionnaires.Harmful, Title: "Harmful advice", Note: "Goes against the guidance named in the polarity table. Lower is better."},
	{ID: questionnaires.Good, Title: "Good practice", Note: "Recommended by the guidance named in the polarity table. Higher is better."},
	{ID: questionnaires.Context, Title: "Depends on the case", Note: "Counted, and never scored."},
}

const (
	harmfulMeasure = "advice.harmful"
	worryMeasure   = "advice.worry"
	advicePrefix   = "advice.code."
)

// advicePage shows each piece of advice over time, and the two figures over all of it.
func (s *Pages) advicePage(c *gin.Context, v visitor) error {
	f, err := s.frame(c, v, "Advice")
	if err != nil {
		return err
	}
	f.Style = s.chartStyle
	q, err := query(c, v)
	if err != nil {
		return err
	}
	q = with(q, "measure", "")
	data := adviceData{Work: f, Form: s.filters(q, v, "/advice"), Scope: s.scope(q), MayManage: mayManageAdvice(v)}
	data.Form.Stage.Choices = slices.DeleteFunc(data.Form.Stage.Choices, func(ch page.Choice) bool {
		return ch.Value != "" && ch.Value != q.Get("stage") && !slices.Contains([]string{"report", "investigation"}, ch.Value)
	})
	status := http.StatusOK
	if c.Param("form") != "" {
		q.Del("of")
	}
	err = s.fillAdvice(c.Request.Context(), v, q, &data)
	if c.Param("form") != "" {
		if err != nil {
			return err
		}
		return s.take(c, v, "advice", &data.taken)
	}
	data.Take = takeLines(v, "/advice", q, &data.taken)
	if fault.Is(err, fault.Invalid) {
		data.Main, data.Groups, data.Splits, data.Take = nil, nil, nil, nil
		status, err = retry(&data.Work, err, data.Form.controls()...)
	}
	if err != nil {
		return err
	}
	return s.show(c, status, "advice", data)
}

// mayManageAdvice: the table is of the whole house, so that whoever is held to one
// force reads it and does not change it.
func mayManageAdvice(v visitor) bool { return v.Can(access.AdviceManage) && v.Force == "" }

func (s *Pages) fillAdvice(ctx context.Context, v visitor, q url.Values, data *adviceData) error {
	history, err := s.Advising.History(ctx)
	if err != nil {
		return err
	}
	data.Table = fmt.Sprintf("Judged by version %d of the polarity table.", history.InForce.Version)
	var by string
	some, expected, charted := false, 0., 0
	count := func(r *figures.Result) {
		if r.Trend != nil && r.Trend.Limits != nil {
			expected, charted = expected+r.Trend.Chance(), charted+1
		}
	}
	for _, id := range []string{harmfulMeasure, worryMeasure} {
		r, why, err := s.series(ctx, with(q, "measure", id, "by", cmp.Or(q.Get("by"), by)))
		if err != nil {
			return err
		}
		count(&r)
		if by == "" {
			by, data.Period = strings.Join(r.By, ","), why
		}
		m := adviceFigure{ID: strings.ReplaceAll(id, ".", "-"), Title: r.Measure.Title, Href: figureHref(id, q), Cell: s.cell(&r, why)}
		if id == worryMeasure {
			m.Title = "Worried that it put them in more danger"
		}
		m.Out = m.Cell.Latest.None
		if r.Trend != nil && len(r.Points) > 0 {
			some = true
			if published(&r) {
				m.Wide, m.Slim, m.Flags = s.both(m.ID, r)
			}
			m.TrendNote, m.Take = r.Trend.Note, figureTakes(v, &r, with(q, "by", strings.Join(r.By, ",")))
		}
		data.Main = append(data.Main, m)
	}
	if !some {
		data.Empty = "Nobody has answered the question on advice within these filters. Take one away, or wait: figures appear here as answers come in."
		data.Main = nil
		return nil
	}
	if err := s.fillCodes(ctx, with(q, "by", by), history.InForce, data, count); err != nil {
		return err
	}
	splits := takenTable{ID: "stages-areas", Title: "By stage and by area", columns: append([]sheet.Column{
		{ID: "split", Title: "By", Type: "code", Values: []string{figures.DimStage, figures.DimBCU}, Meaning: "What the figure is split by, all years together."}, {ID: "of", Title: "Of", Type: "text", Meaning: "The stage or the area."}, {ID: "measure", Title: "Measure", Type: "code", Meaning: "Id of the figure."},
	}, append(tables.PointColumns(), tables.PolarityColumn())...)}
	all := with(q, "from", "", "to", "", "by", "")
	for _, split := range []struct {
		title, head, dim string
		q                url.Values
	}{{"By stage", "Stage", figures.DimStage, with(all, "stage", "")}, {"By area", "Area (BCU)", figures.DimBCU, with(all, figures.DimBCU, "", figures.DimBorough, "")}} {
		t, err := s.split(ctx, with(split.q, "by", split.dim), split.dim, &splits)
		if err != nil {
			return err
		}
		if t.Title, t.Head = split.title, split.head; len(t.Rows) > 0 {
			data.Splits = append(data.Splits, t)
		}
	}
	if len(splits.rows) > 0 {
		data.taken.Tables = append(data.taken.Tables, splits)
	}
	if charted > 0 {
		data.ChanceNote = fmt.Sprintf("Of the %s of this page that have limits, chance alone would give about %s a signal, although nothing has changed.", plural(charted, "series", "series"), decimal(int(expected+0.5)))
	}
	return nil
}

// fillCodes asks for each code over time and puts it under its polarity.
func (s *Pages) fillCodes(ctx context.Context, q url.Values, table *questionnaires.Advice, data *adviceData, count func(*figures.Result)) error {
	groups := slices.Clone(polarityGroups)
	codes := takenTable{ID: "codes", Title: "Each piece of advice", columns: append([]sheet.Column{
		{ID: "measure", Title: "Measure", Type: "code", Meaning: "Id of the figure, by which its series over time can be taken away too."}, {ID: "advice", Title: "Advice", Type: "text", Meaning: "What people were told to do."},
		{ID: "polarity", Title: "Polarity", Type: "code", Values: []string{questionnaires.Harmful, questionnaires.Good, questionnaires.Context}, Meaning: "As the polarity table in force judges it."}, {ID: "year", Title: "Year", Type: "code", Meaning: "A row for each year with answers. The page shows the latest that can be shown."},
	}, tables.PointColumns()...)}
	for _, m := range s.Analysis.Panel().Measures() {
		code, ok := strings.CutPrefix(m.ID, advicePrefix)
		at := slices.IndexFunc(groups, func(g adviceGroup) bool { return g.ID == table.Polarity(code) })
		if !ok || at < 0 {
			continue
		}
		r, _, err := s.series(ctx, with(q, "measure", m.ID))
		if err != nil {
			return err
		}
		count(&r)
		year, _, err := s.series(ctx, with(q, "measure", m.ID, "by", figures.DimYear)) // rare as most are, a year is what shows them
		if err != nil {
			return err
		}
		for i := range year.Points {
			codes.rows = append(codes.rows, append([]any{m.ID, codeTitle(&m), groups[at].ID, year.Points[i].Period}, tables.PointValues(&m, &year.Points[i])...))
		}
		l := s.latestOf(&year)
		line := adviceLine{Title: codeTitle(&m), Href: figureHref(m.ID, q), Share: l.Share, Interval: l.Interval, Base: l.Base, When: l.When, Small: l.Small, Why: cmp.Or(l.None, l.Withheld), Spark: spark(r.Points)}
		if t := r.Trend; t != nil && len(t.Signals) > 0 {
			line.Reads = trendSentence(&r)
		}
		groups[at].Lines = append(groups[at].Lines, line)
	}
	if len(codes.rows) > 0 {
		data.taken.Tables = append(data.taken.Tables, codes)
	}
	for _, g := range groups {
		if len(g.Lines) > 0 {
			if !slices.ContainsFunc(g.Lines, func(l adviceLine) bool { return l.Share != "" }) {
				g.None = g.Lines[0].Why
			}
			data.Groups = append(data.Groups, g)
		}
	}
	return nil
}

// codeTitle is the option's own words.
func codeTitle(m *figures.Measure) string {
	_, title, ok := strings.Cut(m.Title, " – ")
	if !ok {
		return m.Title
	}
	return title
}

// split sets the harmful-advice rate and the worry beside each other, all years
// together, and puts the same into a table to be taken away.
func (s *Pages) split(ctx context.Context, q url.Values, dim string, table *takenTable) (splitTable, error) {
	var t splitTable
	for n, id := range []string{harmfulMeasure, worryMeasure} {
		r, err := s.Analysis.Figures(ctx, with(q, "measure", id))
		if err != nil {
			return t, err
		}
		for i := range r.Points {
			p := &r.Points[i]
			name := s.keyWords(dim, p.Key[dim])
			table.rows = append(table.rows, slices.Concat([]any{dim, name, id}, tables.PointValues(&r.Measure, p), []any{p.Polarity}))
			at := slices.IndexFunc(t.Rows, func(row splitRow) bool { return row.Name == name })
			if at < 0 {
				t.Rows, at = append(t.Rows, splitRow{Name: name, Cells: [2]splitCell{{Why: figures.ReasonNone}, {Why: figures.ReasonNone}}}), len(t.Rows)
			}
			cell := splitCell{Why: p.Reason, Small: p.Small}
			if p.Share != nil {
				cell = splitCell{Share: percent(*p.Share), Interval: interval(&r, p), Base: thousands(p.Base), Small: p.Small}
			} else if p.Suppressed {
				cell.Share = "[c]"
			}
			t.Rows[at].Cells[n] = cell
		}
	}
	return t, nil
}

// spark draws a series as a line of the height of a word; the figure's own page has
// the chart, and the numbers stand beside it.
func spark(points []figures.Point) template.HTML {
	const width, height = 120., 24.
	top := 10.
	for i := range points {
		if points[i].Share != nil {
			top = max(top, *points[i].Share)
		}
	}
	var b, dots strings.Builder
	run := 0
	for i := range points {
		if points[i].Share == nil {
			run = 0
			continue
		}
		step := "L"
		if run == 0 {
			step = "M"
		}
		run++
		x, y := 2+(width-4)*float64(i)/float64(max(len(points)-1, 1)), height-2-(height-4)**points[i].Share/top
		fmt.Fprintf(&b, "%s%.0f %.1f", step, x, y)
		if run == 1 && (i+1 == len(points) || points[i+1].Share == nil) {
			fmt.Fprintf(&dots, "M%.0f %.1fh.1", x, y) // a point by itself
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return template.HTML(`<svg class="spark" viewBox="0 0 120 24" width="120" height="24" aria-hidden="true" focusable="false"><path d="` + b.String() + `"/><path class="dot" d="` + dots.String() + `"/></svg>`) //nolint:gosec // G203: numbers alone are put in
}

// tableData is the data of the polarity table.
type tableData struct {
	page.Work
	Standing  string
	Pending   string // when the newest version comes into force
	Groups    []polarityGroup
	History   []revisionLine
	MayManage bool
}

type polarityGroup struct {
	Title string
	Lines []polarityLine
}

type polarityLine struct {
	Title, Basis, SignedOff, Since, Href string
}

type revisionLine struct {
	Number                          int
	On, Who, From, Title, What, Why string
}

// codeTitles gives the words of each code.
func (s *Pages) codeTitles() map[string]string {
	out := map[string]string{}
	for _, m := range s.Analysis.Panel().Measures() {
		if code, ok := strings.CutPrefix(m.ID, advicePrefix); ok {
			out[code] = codeTitle(&m)
		}
	}
	return out
}

// adviceTable shows which advice counts as what, on whose word and since when.
func (s *Pages) adviceTable(c *gin.Context, v visitor) error {
	f, err := s.frame(c, v, "Polarity table")
	if err != nil {
		return err
	}
	h, err := s.Advising.History(c.Request.Context())
	if err != nil {
		return err
	}
	titles := s.codeTitles()
	data := tableData{Work: f, MayManage: mayManageAdvice(v), Standing: fmt.Sprintf("Version %d is in force.", h.InForce.Version)}
	if !h.From.IsZero() {
		data.Pending = fmt.Sprintf("Below stands version %d, which comes into force on %s. Until then answers are judged by version %d.", h.Latest.Version, longDay(h.From.In(s.zone())), h.InForce.Version)
	}
	for _, g := range polarityGroups {
		group := polarityGroup{Title: g.Title}
		for _, e := range h.Latest.Entries {
			if e.Polarity != g.ID {
				continue
			}
			line := polarityLine{Title: cmp.Or(titles[e.Code], e.Code), Basis: e.Basis, SignedOff: e.SignedOff, Since: fmt.Sprintf("version %d", h.Shipped.Version)}
			for _, r := range h.Revisions {
				if r.Code == e.Code {
					line.Since = fmt.Sprintf("version %d", r.Number)
				}
			}
			if data.MayManage {
				line.Href = "/advice/table/" + url.PathEscape(e.Code)
			}
			group.Lines = append(group.Lines, line)
		}
		if len(group.Lines) > 0 {
			data.Groups = append(data.Groups, group)
		}
	}
	if data.History, err = s.revisions(c.Request.Context(), &h, titles, ""); err != nil {
		return err
	}
	return s.show(c, http.StatusOK, "advice-table", data)
}

// revisions lists the versions made here, the newest first; of one code where it is given.
func (s *Pages) revisions(ctx context.Context, h *analysis.AdviceHistory, titles map[string]string, code string) ([]revisionLine, error) {
	var out []revisionLine
	before := h.Shipped
	for i := range h.Revisions {
		r := &h.Revisions[i]
		old, _ := before.Entry(r.Code)
		now, _ := r.Table().Entry(r.Code)
		before = r.Table()
		if code != "" && r.Code != code {
			continue
		}
		who, err := s.nameOf(ctx, r.By)
		if err != nil {
			return nil, err
		}
		what := polarityWords[now.Polarity]
		if old.Polarity != now.Polarity {
			what = polarityWords[old.Polarity] + " → " + polarityWords[now.Polarity]
		}
		out = append(out, revisionLine{Number: r.Number, On: longDay(r.At.In(s.zone())), Who: who, From: longDay(r.From.In(s.zone())), Title: cmp.Or(titles[r.Code], r.Code),
			What: what + ". Rests on: " + now.Basis + ". Signed off by: " + now.SignedOff, Why: r.Note})
	}
	slices.Reverse(out)
	return out, nil
}

// lineData is the data of the form that changes one line of the table.
type lineData struct {
	page.Work
	Heading, Post                      string
	Number                             int
	Polarity, Basis, SignedOff, Reason page.Field
	From                               string
	History                            []revisionLine
}

func (d *lineData) fields() []*page.Field {
	return []*page.Field{&d.Polarity, &d.Basis, &d.SignedOff, &d.Reason}
}

func (s *Pages) lineData(c *gin.Context, v visitor) (lineData, error) {
	if !mayManageAdvice(v) {
		return lineData{}, fault.New(fault.Denied, "The polarity table is changed by commissioners who are not held to one force.")
	}
	h, err := s.Advising.History(c.Request.Context())
	if err != nil {
		return lineData{}, err
	}
	e, ok := h.Latest.Entry(c.Param("code"))
	if !ok {
		return lineData{}, fault.New(fault.NotFound, "There is no such advice in the table.")
	}
	titles := s.codeTitles()
	title := cmp.Or(titles[e.Code], e.Code)
	f, err := s.frame(c, v, "Change a line of the polarity table")
	if err != nil {
		return lineData{}, err
	}
	data := lineData{Work: f, Heading: title, Post: "/advice/table/" + url.PathEscape(e.Code), Number: h.Latest.Version, From: longDay(s.Analysis.Panel().NextMonth(s.Now()).In(s.zone())),
		Polarity:  page.Field{Name: "polarity", Label: "It counts as", Value: e.Polarity},
		Basis:     page.Field{Name: "basis", Label: "It rests on", Hint: "The guidance or report, so that somebody else can look it up.", Max: 300, Value: e.Basis},
		SignedOff: page.Field{Name: "signed_off", Label: "Signed off by", Hint: "A post or a body that answers for it, not a person’s name.", Max: 300, Value: e.SignedOff},
		Reason:    page.Field{Name: "note", Label: "Why it is changed", Rows: 3, Max: 2000}}
	for _, p := range polarityGroups {
		data.Polarity.Choices = append(data.Polarity.Choices, page.Choice{Value: p.ID, Label: polarityWords[p.ID]})
	}
	data.History, err = s.revisions(c.Request.Context(), &h, titles, e.Code)
	return data, err
}

// adviceLine shows the form that changes one line.
func (s *Pages) adviceLine(c *gin.Context, v visitor) error {
	data, err := s.lineData(c, v)
	if err != nil {
		return err
	}
	return s.show(c, http.StatusOK, "advice-line", data)
}

// reviseAdvice makes the next version of the table.
func (s *Pages) reviseAdvice(c *gin.Context, v visitor) error {
	data, err := s.lineData(c, v)
	if err != nil {
		return err
	}
	number, err := strconv.Atoi(typed(c, "number"))
	if err != nil {
		return fault.New(fault.Invalid, "This form could not be read. Go back and send it again.")
	}
	entry := questionnaires.AdviceEntry{Code: c.Param("code"), Polarity: typed(c, "polarity"), Basis: typed(c, "basis"), SignedOff: typed(c, "signed_off")}
	_, cause := s.Advising.Revise(c.Request.Context(), v.actor(), number, entry, typed(c, "note"))
	if cause == nil {
		return page.See(c, "/advice/table?done=advice-revised")
	}
	var names []string
	for _, field := range data.fields() {
		names = append(names, field.Name)
	}
	status, err := retry(&data.Work, cause, names...)
	if err != nil {
		return err
	}
	for _, field := range data.fields() {
		if c.Request.PostForm.Has(field.Name) {
			field.Value = typed(c, field.Name)
		}
		field.Error = page.ErrorOf(data.Problems, field.Name)
	}
	return s.show(c, status, "advice-line", data)
}
