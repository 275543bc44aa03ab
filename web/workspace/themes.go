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
	"victimvoice/analysis/codebook"
	"victimvoice/analysis/figures"
	"victimvoice/analysis/tables"
	"victimvoice/internal/access"
	"victimvoice/internal/fault"
	"victimvoice/internal/sheet"
	"victimvoice/web/page"
)

// themeSides are the sides of a theme, in the order of the pages.
var themeSides = []struct{ id, title string }{{string(codebook.Negative), "Negative"}, {string(codebook.Positive), "Positive"}}

func themeMeasure(code, side string) string { return "theme." + code + "." + side }

// themesData is the data of the page of all themes.
type themesData struct {
	page.Work
	Form   filterForm
	Scope  string
	Empty  string
	Period string
	Groups []themeGroup
	Coding []string // how far the coder can be trusted
	Chance string
	Emerge emergingNote
	Take   []takeLine

	taken taken
}

type themeGroup struct {
	ID, Title string
	Lines     []themeLine
}

// themeLine is one theme, its negative side first.
type themeLine struct {
	Title, Href string
	Sides       [2]themeSide
	Reads       []string // signals
}

// themeSide is one side of a theme: over time, and its latest year.
type themeSide struct {
	Share, Interval, Corrected, Base, When, Why string
	Small                                       bool
	Spark                                       template.HTML
}

// emergingNote leads to what no theme counts yet.
type emergingNote struct {
	Href  string // empty: the visitor may not read it
	Words string
}

// emergingNote says how many draft codes wait, and where new words are compared. The
// comparison itself reads words, which is on record, so that it is not made here.
func (s *Pages) emergingNote(ctx context.Context, v visitor) (emergingNote, error) {
	if !v.Can(access.WordsRead) && !v.Can(access.CodingCorrect) {
		return emergingNote{}, nil
	}
	drafts, err := s.Emerging.Drafts(ctx)
	if err != nil {
		return emergingNote{}, err
	}
	var names []string
	for i := range drafts {
		if drafts[i].State == analysis.DraftOpen {
			names = append(names, drafts[i].Name)
		}
	}
	out := emergingNote{Href: "/new-words", Words: "No code is drafted from them at present."}
	if n := len(names); n > 0 {
		const most = 5
		out.Words = plural(n, "code is", "codes are") + " drafted from them, and counted nowhere yet: " + strings.Join(names[:min(n, most)], "; ")
		if n > most {
			out.Words += " and others"
		}
		out.Words += "."
	}
	return out, nil
}

func (s *Pages) themes(c *gin.Context, v visitor) error {
	ctx := c.Request.Context()
	f, err := s.frame(c, v, "Themes")
	if err != nil {
		return err
	}
	q, err := query(c, v)
	if err != nil {
		return err
	}
	q = with(q, "measure", "")
	data := themesData{Work: f, Form: s.filters(q, v, "/themes"), Scope: s.scope(q)}
	if data.Emerge, err = s.emergingNote(ctx, v); err != nil {
		return err
	}
	status := http.StatusOK
	q.Del("of")
	err = s.fillThemes(ctx, q, &data)
	if c.Param("form") != "" {
		if err != nil {
			return err
		}
		return s.take(c, v, "themes", &data.taken)
	}
	data.Take = takeLines(v, "/themes", q, &data.taken)
	if fault.Is(err, fault.Invalid) {
		data.Groups, data.Coding, data.Empty, data.Take = nil, nil, "", nil
		status, err = retry(&data.Work, err, data.Form.controls()...)
	}
	if err != nil {
		return err
	}
	return s.show(c, status, "themes", data)
}

// counted are the codes of the codebook that the panel counts.
func (s *Pages) counted() []codebook.Code {
	return slices.DeleteFunc(slices.Clone(s.Analysis.Codebook().Codes), func(c codebook.Code) bool {
		_, ok := s.Analysis.Panel().Measure(themeMeasure(c.ID, themeSides[0].id))
		return !ok
	})
}

func (s *Pages) fillThemes(ctx context.Context, q url.Values, data *themesData) error {
	by, expected, charted, some := q.Get("by"), 0., 0, false
	table := takenTable{ID: "themes", Title: "Every theme", columns: append([]sheet.Column{
		{ID: "measure", Title: "Measure", Type: "code", Meaning: "Id of the figure, by which its series over time can be taken away too."}, {ID: "theme", Title: "Theme", Type: "text", Meaning: "What people wrote about."},
		{ID: "side", Title: "Side", Type: "code", Values: []string{"positive", "negative"}, Meaning: "As the person sees it."}, {ID: "year", Title: "Year", Type: "code", Meaning: "A row for each year with words. The page shows the latest that can be shown."},
	}, slices.Concat(tables.PointColumns(), tables.CodedColumns())...)}
	for _, g := range codebook.Groups() {
		group := themeGroup{ID: string(g), Title: sentenceStart(string(g))}
		for _, code := range s.counted() {
			if code.Group != g {
				continue
			}
			line := themeLine{Title: code.Title, Href: themeHref(code.ID, q)}
			for n, side := range themeSides {
				// All themes have one base, so that the period which the first bears they all do.
				cq := with(q, "measure", themeMeasure(code.ID, side.id), "by", by)
				r, why, err := s.series(ctx, cq)
				if err != nil {
					return err
				}
				if by == "" {
					by, data.Period = strings.Join(r.By, ","), why
				}
				if r.Trend != nil && r.Trend.Limits != nil {
					expected, charted = expected+r.Trend.Chance(), charted+1
				}
				if r.Trend != nil && len(r.Trend.Signals) > 0 {
					line.Reads = append(line.Reads, side.title+": "+lowerFirst(trendSentence(&r)))
				}
				if data.Coding == nil {
					data.Coding = codingNote(r.Coding)
				}
				year, _, err := s.series(ctx, with(cq, "by", figures.DimYear))
				if err != nil {
					return err
				}
				some = some || len(year.Points) > 0
				for i := range year.Points {
					p := &year.Points[i]
					table.rows = append(table.rows, append([]any{year.Measure.ID, code.Title, side.id, p.Period}, slices.Concat(tables.PointValues(&year.Measure, p), tables.CodedValues(p))...))
				}
				line.Sides[n] = s.themeSideOf(&year)
				line.Sides[n].Spark = spark(r.Points)
			}
			group.Lines = append(group.Lines, line)
		}
		if len(group.Lines) > 0 {
			data.Groups = append(data.Groups, group)
		}
	}
	if !some {
		data.Groups, data.Coding = nil, nil
		data.Empty = "Nobody has written anything within these filters that has been coded. Take one away, or wait: themes appear here as people write and their words are coded."
		return nil
	}
	data.taken.Tables = []takenTable{table}
	if charted > 0 {
		data.Chance = fmt.Sprintf("Of the %s of this page that have limits, chance alone would give about %s a signal, although nothing has changed.", plural(charted, "series", "series"), decimal(int(expected+0.5)))
	}
	return nil
}

// codingNote is the note on counted and corrected shares alone; each theme's page says
// what its correction rests on.
func codingNote(c *figures.Coding) []string {
	if c == nil {
		return nil
	}
	return []string{c.Note}
}

// themeSideOf is the latest figure that can be shown.
func (s *Pages) themeSideOf(r *figures.Result) themeSide {
	l := s.latestOf(r)
	out := themeSide{Share: l.Share, Interval: l.Interval, Base: l.Base, When: l.When, Small: l.Small, Why: cmp.Or(l.None, l.Withheld)}
	for i := len(r.Points) - 1; i >= 0 && out.Share != ""; i-- {
		if p := &r.Points[i]; p.Share != nil {
			if p.Corrected != nil {
				out.Corrected = percent(p.Corrected.Share)
			}
			break
		}
	}
	return out
}

func themeHref(code string, q url.Values) string {
	href := "/themes/" + url.PathEscape(code)
	if q = with(q, "measure", ""); len(q) > 0 {
		href += "?" + q.Encode()
	}
	return href
}

// themeData is the data of the page of one theme.
type themeData struct {
	page.Work
	Heading, Group string
	Form           filterForm
	Scope, Empty   string
	Sides          []themeChart
	Splits         []themeSplit
	Definition     []fact
	Coding         []string
	Quoting        string // why no quotations are shown; empty: they stand under their side
	QuoteHref      string // where quotations are shown
	Emerge         emergingNote
	Note           string
	Take           []takeLine

	taken taken
}

// themeChart is one side of a theme over time, with quotations.
type themeChart struct {
	ID, Title, Means, Href string
	Cell                   figureCell
	Wide, Slim             template.HTML
	Flags                  []string
	TrendNote              string
	Take                   []takeLine
	Over                   link // the same side, area by area over time
	Quotes                 []themeQuote
	NoQuotes               string
}

type themeQuote struct{ Words, When string }

// themeSplit sets both sides of a theme beside each other for each value of a dimension.
type themeSplit struct {
	Title, Head string
	Corrected   bool
	Rows        []themeSplitRow
}

type themeSplitRow struct {
	Name  string
	Cells [2]themeSplitCell
}

type themeSplitCell struct {
	Share, Interval, Corrected, Base, Why string
	Small                                 bool
}

func (s *Pages) theme(c *gin.Context, v visitor) error {
	ctx := c.Request.Context()
	all := s.counted()
	at := slices.IndexFunc(all, func(code codebook.Code) bool { return code.ID == c.Param("code") })
	if at < 0 {
		return fault.New(fault.NotFound, "There is no such theme. “Themes” lists them.")
	}
	code := &all[at]
	f, err := s.frame(c, v, code.Title)
	if err != nil {
		return err
	}
	f.Style = s.chartStyle
	q, err := query(c, v)
	if err != nil {
		return err
	}
	q = with(q, "measure", "")
	data := themeData{Work: f, Heading: code.Title, Group: sentenceStart(string(code.Group)), Form: s.filters(q, v, "/themes/"+code.ID), Scope: s.scope(q)}
	if data.Emerge, err = s.emergingNote(ctx, v); err != nil {
		return err
	}
	status := http.StatusOK
	q.Del("of")
	err = s.fillTheme(ctx, v, code, q, &data)
	if c.Param("form") != "" {
		if err != nil {
			return err
		}
		return s.take(c, v, code.ID, &data.taken)
	}
	data.Take = takeLines(v, "/themes/"+code.ID, q, &data.taken)
	if fault.Is(err, fault.Invalid) {
		data.Sides, data.Splits, data.Empty, data.Take = nil, nil, "", nil
		status, err = retry(&data.Work, err, data.Form.controls()...)
	}
	if err != nil {
		return err
	}
	return s.show(c, status, "theme", data)
}

func (s *Pages) fillTheme(ctx context.Context, v visitor, code *codebook.Code, q url.Values, data *themeData) error {
	for _, side := range themeSides {
		chart, r, err := s.themeChart(ctx, v, code, side.id, q)
		if err != nil {
			return err
		}
		chart.Title, chart.Means = side.title, code.Negative
		if side.id == string(codebook.Positive) {
			chart.Means = code.Positive
		}
		chart.Means = sentence(chart.Means)
		if len(r.Points) > 0 {
			data.Sides = append(data.Sides, chart)
		}
		if data.Coding == nil {
			data.Coding = codingWords(r.Coding)
		}
		data.Definition, data.Note = definition(&r.Measure)[1:4], r.Note
	}
	if len(data.Sides) == 0 {
		data.Coding, data.Empty = nil, "Nobody has written anything within these filters that has been coded. Take one away, or wait: figures appear here as people write and their words are coded."
		return nil
	}
	if err := s.fillQuotes(ctx, code, q, data); err != nil {
		return err
	}
	table := takenTable{ID: "areas-stages", Title: "By area and by stage", columns: append([]sheet.Column{
		{ID: "split", Title: "By", Type: "code", Values: []string{figures.DimBCU, figures.DimStage}, Meaning: "What the figure is split by, all years together."}, {ID: "of", Title: "Of", Type: "text", Meaning: "The area or the stage."},
		{ID: "side", Title: "Side", Type: "code", Values: []string{"positive", "negative"}, Meaning: "As the person sees it."},
	}, slices.Concat(tables.PointColumns(), tables.CodedColumns())...)}
	all := with(q, "from", "", "to", "", "by", "")
	for _, split := range []struct {
		title, head, dim string
		q                url.Values
	}{{"By area", "Area (BCU)", figures.DimBCU, with(all, figures.DimBCU, "", figures.DimBorough, "")}, {"By stage", "Stage", figures.DimStage, with(all, "stage", "")}} {
		t, err := s.themeSplit(ctx, code.ID, with(split.q, "by", split.dim), split.dim, &table)
		if err != nil {
			return err
		}
		if t.Title, t.Head = split.title, split.head; len(t.Rows) > 0 {
			data.Splits = append(data.Splits, t)
		}
	}
	if len(table.rows) > 0 {
		data.taken.Tables = []takenTable{table}
	}
	return nil
}

// themeChart asks for one side of a theme over time.
func (s *Pages) themeChart(ctx context.Context, v visitor, code *codebook.Code, side string, q url.Values) (themeChart, figures.Result, error) {
	measure := themeMeasure(code.ID, side)
	r, why, err := s.series(ctx, with(q, "measure", measure))
	if err != nil {
		return themeChart{}, r, err
	}
	out := themeChart{ID: side, Href: figureHref(measure, q), Cell: s.cell(&r, why)}
	if r.Trend != nil && len(r.Points) > 0 {
		flags, err := s.happened(ctx, v, &r, q)
		if err != nil {
			return out, r, err
		}
		out.Wide, out.Slim, out.Flags = s.both(side, r, flags...)
		out.Cell.Table.markRows(&r, flags)
		out.TrendNote = r.Trend.Note
	}
	out.Take = figureTakes(v, &r, with(q, "by", strings.Join(r.By, ",")))
	over := url.Values{ctlMeasure: {measure}, ctlArea: {splitPrefix + figures.DimBCU}}
	for _, name := range []string{"stage", "from"} {
		if value := q.Get(name); value != "" {
			over.Set(name, value)
		}
	}
	out.Over = link{Href: "/explore?" + over.Encode(), Label: "Each area over time"}
	return out, r, nil
}

// fillQuotes puts quotations under their sides, where the page's filters allow any.
func (s *Pages) fillQuotes(ctx context.Context, code *codebook.Code, q url.Values, data *themeData) error {
	if rest := with(q, "by", "", "from", "", "to", "", "mode", "", figures.DimForce, ""); len(rest) > 0 {
		data.Quoting = "Quotations are shown for all areas and stages together alone: one that came and went with a filter would tell where somebody lives, or when they were asked."
		data.QuoteHref = themeHref(code.ID, with(q, "stage", "", figures.DimBCU, "", figures.DimBorough, ""))
		return nil
	}
	from, to, err := yearSpan(q)
	if err != nil {
		return err
	}
	for i := range data.Sides {
		side := &data.Sides[i]
		if side.Quotes, err = s.quotesOf(ctx, analysis.QuotedBy{Code: code.ID, Polarity: side.ID, Mode: q.Get("mode"), Force: q.Get(figures.DimForce), From: from, To: to}); err != nil {
			return err
		}
		if len(side.Quotes) == 0 {
			side.NoQuotes = "No quotation is shown. Each needs somebody who agreed to be quoted, two people who looked at the words, and a year in which this figure can be shown."
		}
	}
	return nil
}

func (s *Pages) quotesOf(ctx context.Context, by analysis.QuotedBy) ([]themeQuote, error) {
	quoted, err := s.Analysis.Quoted(ctx, by)
	if err != nil {
		return nil, err
	}
	var out []themeQuote
	for _, one := range quoted {
		out = append(out, themeQuote{Words: one.Words, When: one.Year})
	}
	return out, nil
}

// yearSpan gives the whole years within an address's from and to; empty at an end that
// is open.
func yearSpan(q url.Values) (from, to string, err error) {
	parsed, err := analysis.ParseQuery(q)
	if err != nil {
		return "", "", err
	}
	if t := parsed.From; !t.IsZero() {
		year := t.Year()
		if t.YearDay() > 1 {
			year++
		}
		from = decimal(year)
	}
	if t := parsed.To; !t.IsZero() { // not included
		to = decimal(t.Year() - 1)
	}
	return from, to, nil
}

// themeSplit sets both sides beside each other, all years together, and adds them to
// the table that can be taken away.
func (s *Pages) themeSplit(ctx context.Context, code string, q url.Values, dim string, table *takenTable) (themeSplit, error) {
	var t themeSplit
	for n, side := range themeSides {
		r, err := s.Analysis.Figures(ctx, with(q, "measure", themeMeasure(code, side.id)))
		if err != nil {
			return t, err
		}
		for i := range r.Points {
			p := &r.Points[i]
			name := s.keyWords(dim, p.Key[dim])
			table.rows = append(table.rows, append([]any{dim, name, side.id}, slices.Concat(tables.PointValues(&r.Measure, p), tables.CodedValues(p))...))
			at := slices.IndexFunc(t.Rows, func(row themeSplitRow) bool { return row.Name == name })
			if at < 0 {
				none := themeSplitCell{Why: figures.ReasonNone}
				t.Rows, at = append(t.Rows, themeSplitRow{Name: name, Cells: [2]themeSplitCell{none, none}}), len(t.Rows)
			}
			cell := themeSplitCell{Why: p.Reason, Small: p.Small}
			switch {
			case p.Share != nil:
				cell = themeSplitCell{Share: percent(*p.Share), Interval: interval(&r, p), Base: thousands(p.Base), Small: p.Small, Corrected: "[x]"}
				if e := p.Corrected; e != nil {
					t.Corrected, cell.Corrected = true, percent(e.Share)+" ("+whole(e.Low)+"–"+percent(e.High)+")"
				}
			case p.Suppressed:
				cell.Share = "[c]"
			}
			t.Rows[at].Cells[n] = cell
		}
	}
	return t, nil
}
