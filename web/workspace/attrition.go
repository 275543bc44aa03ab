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

	"github.com/gin-gonic/gin"

	"victimvoice/analysis/figures"
	"victimvoice/analysis/tables"
	"victimvoice/internal/sheet"
	"victimvoice/web/charts"
	"victimvoice/web/page"
)

// attritionData is the data of the page on withdrawal and no further action.
type attritionData struct {
	page.Work
	Scope, Empty, Cohort string
	Fates                []fateCell
	Bands                []bandRow
	Withheld             bool // some figure of the bands
	Signals              []signalGroup
	Stated, Police       []reasonRow
	StatedBase           string
	StatedNote           string
	PoliceNote           string
	Take                 []takeLine

	taken taken
}

// fateCell is what became of some of the cases.
type fateCell struct {
	Title, Count, Share string
	Bar                 template.HTML
}

type bandRow struct {
	Title                   string
	Withdrew, OfAll, By     string
	ByInterval, DeepDive    string
	NFA, NFABy, NFAInterval string
	ByBar, NFABar           template.HTML
}

// signalGroup is what was said before one outcome.
type signalGroup struct {
	ID, Title, With, Without string
	Rows                     []signalRow
	Wide, Slim               template.HTML
}

type signalRow struct {
	Title, With, WithOf, Without, WithoutOf, Difference, Reads, Why string
}

type reasonRow struct {
	Title, Share, Interval, Why string
	Bar                         template.HTML
}

// attrition shows when people withdraw and cases are closed, and what was said before.
func (s *Pages) attrition(c *gin.Context, v visitor) error {
	f, err := s.frame(c, v, "Withdrawal and no further action")
	if err != nil {
		return err
	}
	f.Style = s.chartStyle
	a, err := s.Analysis.Attrition(c.Request.Context(), v.Force)
	if err != nil {
		return err
	}
	data := attritionData{Work: f, Scope: s.asAtScope(v), Empty: a.None}
	if a.None == "" {
		data.fill(&a, longDay(a.AsAt.In(s.zone())))
	}
	if err := s.fillStated(c.Request.Context(), v, &data); err != nil {
		return err
	}
	if c.Param("form") != "" {
		return s.take(c, v, "attrition", &data.taken)
	}
	data.Take = takeLines(v, "/attrition", nil, &data.taken)
	return s.show(c, http.StatusOK, "attrition", data)
}

func (data *attritionData) fill(a *figures.Attrition, asAt string) {
	span := figures.PeriodWords(a.From)
	if a.To != a.From {
		span += " to " + figures.PeriodWords(a.To)
	}
	data.Cohort = fmt.Sprintf("%s cases, reported from %s: every one at least three months before %s, so that each had the same time. Cases reported since are not counted.", thousands(a.Cases), span, asAt)
	for _, fate := range []struct {
		title string
		cell  figures.Cell
	}{{"Withdrew", a.Withdrew}, {"No further action", a.NFA}, {"Ended otherwise", a.Ended}, {"Still open: not yet an outcome", a.Open}} {
		data.Fates = append(data.Fates, fateCell{fate.title, count(fate.cell), shareOf(fate.cell), cellBar(fate.cell)})
		data.Withheld = data.Withheld || fate.cell.Suppressed
	}
	for i := range a.Bands {
		b := &a.Bands[i]
		row := bandRow{Title: b.Title, Withdrew: count(b.Withdrew), NFA: count(b.NFA), DeepDive: percent(b.DeepDive), OfAll: "[c]"}
		row.By, row.ByInterval, row.ByBar = upTo(b.WithdrewBy)
		row.NFABy, row.NFAInterval, row.NFABar = upTo(b.NFABy)
		if !b.Withdrew.Suppressed && !a.Withdrew.Suppressed && a.Withdrew.Count > 0 {
			row.OfAll = percent(100 * float64(b.Withdrew.Count) / float64(a.Withdrew.Count))
		}
		data.Withheld = data.Withheld || b.Withdrew.Suppressed || b.NFA.Suppressed
		data.Bands = append(data.Bands, row)
	}
	for _, g := range []signalGroup{
		{ID: figures.OutcomeWithdrew, Title: "Before they withdrew", With: "Withdrew within three months", Without: "Did not"},
		{ID: figures.OutcomeNFA, Title: "Before no further action", With: "Closed so within six months", Without: "Not, and not withdrawn"},
	} {
		filled, chart := fillSignals(g, a.Signals)
		data.Signals = append(data.Signals, filled)
		if filled.Wide != "" {
			data.taken.Charts = append(data.taken.Charts, takenChart{ID: g.ID, file: charts.File{Picture: chart, Heading: g.Title, Scope: "What had been said at the report stage · " + data.Scope,
				Notes: []string{data.Cohort, "“" + g.With + "” less “" + sentenceEnd(g.Without) + "”. They came first; that is all that is known of how they and the outcome hang together. 95% intervals by Newcombe’s method, about precision alone."}}})
		}
	}
	data.takeTables(a)
	data.PoliceNote = a.ReasonNote
	for _, r := range a.Reasons {
		row := reasonRow{Title: policeReason(r.Code), Share: shareOf(r.Cell), Interval: cellInterval(r.Cell), Bar: cellBar(r.Cell)}
		if r.Suppressed {
			row.Why = "withheld"
		}
		data.Police = append(data.Police, row)
	}
}

// fillSignals lays one outcome's signals out, in a table and a chart of differences.
func fillSignals(g signalGroup, all []figures.SignalPair) (signalGroup, charts.Dots) {
	chart := charts.Dots{ID: g.ID + "-before-wide", Title: g.Title + ": difference in what had been said", Axis: "Difference in percentage points, 95% interval. Open circle: not told from none"}
	for i := range all {
		p := &all[i]
		if p.Outcome != g.ID {
			continue
		}
		row := signalRow{Title: p.Title}
		if p.Difference == nil {
			row.Why = p.Reason
			g.Rows = append(g.Rows, row)
			continue
		}
		d := *p.Difference
		row.With, row.WithOf = percent(*p.With.Share), fmt.Sprintf("%s of %s", thousands(p.With.Count), thousands(p.WithBase))
		row.Without, row.WithoutOf = percent(*p.Without.Share), fmt.Sprintf("%s of %s", thousands(p.Without.Count), thousands(p.WithoutBase))
		row.Difference = fmt.Sprintf("%s (%s to %s)", signed(d.Points), signed(d.Low), signed(d.High))
		switch {
		case d.Low > 0:
			row.Reads = "more often"
		case d.High < 0:
			row.Reads = "less often"
		default:
			row.Reads = "not told from no difference"
		}
		chart.Lines = append(chart.Lines, charts.Dot{Label: p.Title, Value: d.Points, Low: d.Low, High: d.High, Words: row.Difference})
		chart.Description += p.Title + ": " + row.Difference + " points. "
		g.Rows = append(g.Rows, row)
	}
	if len(chart.Lines) > 0 {
		chart.Description = strings.TrimSpace(chart.Description)
		narrow := chart
		narrow.ID, narrow.Size, narrow.Axis = g.ID+"-before-slim", charts.Narrow, "Percentage points, 95% interval"
		g.Wide, g.Slim = charts.DotsSVG(chart), charts.DotsSVG(narrow)
	}
	return g, chart
}

func sentenceEnd(s string) string { return strings.ToLower(s[:1]) + s[1:] }

// takeTables keeps the page's tables in numbers, withholding what they withhold.
func (data *attritionData) takeTables(a *figures.Attrition) {
	fates := takenTable{ID: "outcomes", Title: "What became of the cases", columns: append([]sheet.Column{{ID: "outcome", Title: "Outcome", Type: "text", Meaning: "What became of a case by the day of the page."}}, cellColumns("cases", "cases")...)}
	for i, cell := range []figures.Cell{a.Withdrew, a.NFA, a.Ended, a.Open} {
		fates.rows = append(fates.rows, append([]any{data.Fates[i].Title}, cellValues(cell)...))
	}
	bands := takenTable{ID: "time", Title: "How long after the report", columns: slices.Concat([]sheet.Column{{ID: "after_report", Title: "After the report", Type: "text", Meaning: "Calendar days in London."}},
		cellColumns("withdrew", "withdrew then"), cellColumns("withdrawn_by", "withdrawn by then"), cellColumns("nfa", "closed with no further action then"), cellColumns("nfa_by", "closed so by then"),
		[]sheet.Column{{ID: "deep_dive", Title: "Deep Dive", Type: "number", Unit: "percent", Meaning: "The Deep Dive's share of its 169 withdrawals."}})}
	for i := range a.Bands {
		b := &a.Bands[i]
		bands.rows = append(bands.rows, slices.Concat([]any{b.Title}, cellValues(b.Withdrew), cellValues(b.WithdrewBy), cellValues(b.NFA), cellValues(b.NFABy), []any{b.DeepDive}))
	}
	said := takenTable{ID: "said-before", Title: "What had been said before", columns: slices.Concat([]sheet.Column{{ID: "outcome", Title: "Outcome", Type: "code", Values: []string{figures.OutcomeWithdrew + " = withdrew within three months", figures.OutcomeNFA + " = closed with no further action within six months"}, Meaning: "Before which outcome."}, {ID: "said", Title: "Said at the report stage", Type: "text", Meaning: "The answer."}},
		cellColumns("with", "to whom the outcome came, and who said it"), []sheet.Column{{ID: "with_base", Title: "To whom it came", Type: "integer", Unit: "people", Meaning: "With a valid answer. Empty where withheld."}},
		cellColumns("without", "to whom it did not come, and who said it"), []sheet.Column{{ID: "without_base", Title: "To whom it did not come", Type: "integer", Unit: "people", Meaning: "With a valid answer. Empty where withheld."}},
		differenceColumns("The first share less the second."), []sheet.Column{tables.ReasonColumn()})}
	for i := range a.Signals {
		p := &a.Signals[i]
		row := []any{p.Outcome, p.Title}
		if p.Difference == nil {
			withheld := figures.Cell{Suppressed: true}
			row = slices.Concat(row, cellValues(withheld), []any{nil}, cellValues(withheld), []any{nil}, differenceValues(nil), []any{p.Reason})
		} else {
			row = slices.Concat(row, cellValues(p.With), []any{p.WithBase}, cellValues(p.Without), []any{p.WithoutBase}, differenceValues(p.Difference), []any{""})
		}
		said.rows = append(said.rows, row)
	}
	data.taken.Tables = append(data.taken.Tables, fates, bands, said)
	if len(a.Reasons) > 0 {
		police := takenTable{ID: "police-reasons", Title: "Reasons as police record them", columns: append([]sheet.Column{{ID: "reason", Title: "Reason", Type: "text", Meaning: "One a case, of the withdrawals."}}, cellColumns("cases", "cases")...)}
		for _, r := range a.Reasons {
			police.rows = append(police.rows, append([]any{policeReason(r.Code)}, cellValues(r.Cell)...))
		}
		data.taken.Tables = append(data.taken.Tables, police)
	}
}

// fillStated asks the panel for the reasons that people gave themselves.
func (s *Pages) fillStated(ctx context.Context, v visitor, data *attritionData) error {
	type line struct {
		reasonRow
		share float64
	}
	var lines []line
	stated := takenTable{ID: "stated-reasons", Title: "Reasons as people say themselves", columns: append([]sheet.Column{{ID: "answer", Title: "Reason", Type: "text", Meaning: "Part of the decision; each could pick as many as they liked."}}, tables.PointColumns()...)}
	for _, m := range s.Analysis.Panel().Measures() {
		if !strings.HasPrefix(m.ID, "wd.reasons.code.") {
			continue
		}
		q := url.Values{"measure": {m.ID}}
		if v.Force != "" {
			q.Set(figures.DimForce, v.Force)
		}
		r, err := s.Analysis.Figures(ctx, q)
		if err != nil {
			return err
		}
		_, title, _ := strings.Cut(m.Title, " – ")
		p := only(&r)
		if p != nil {
			stated.rows = append(stated.rows, append([]any{title}, tables.PointValues(&m, p)...))
		}
		switch {
		case p == nil || p.Share == nil && !p.Suppressed:
			data.StatedNote = "Nobody has answered the withdrawn questionnaire yet. When people do, what they say was part of their decision stands here."
			return nil
		case p.Suppressed:
			lines = append(lines, line{reasonRow{Title: title, Why: p.Reason}, -1})
		default:
			data.StatedBase = thousands(p.Base)
			lines = append(lines, line{reasonRow{Title: title, Share: percent(*p.Share), Interval: interval(&r, p), Bar: bar(*p.Share)}, *p.Share})
		}
	}
	slices.SortStableFunc(lines, func(a, b line) int { return cmp.Compare(b.share, a.share) })
	for _, l := range lines {
		data.Stated = append(data.Stated, l.reasonRow)
	}
	if data.StatedBase == "" && len(lines) > 0 {
		data.Stated, data.StatedNote = nil, "Too few people have answered the withdrawn questionnaire for a figure to be shown: "+lines[0].Why+"."
	}
	if len(data.Stated) > 0 {
		data.taken.Tables = append(data.taken.Tables, stated)
	}
	return nil
}

func count(c figures.Cell) string {
	if c.Suppressed {
		return "[c]"
	}
	return thousands(c.Count)
}

func shareOf(c figures.Cell) string {
	if c.Suppressed {
		return "[c]"
	}
	return percent(*c.Share)
}

func cellInterval(c figures.Cell) string {
	if c.Suppressed {
		return ""
	}
	return whole(*c.Low) + "–" + percent(*c.High)
}

func cellBar(c figures.Cell) template.HTML {
	if c.Suppressed {
		return ""
	}
	return bar(*c.Share)
}

// upTo is a cumulative share; the last band has no end to count up to.
func upTo(c figures.Cell) (share, interval string, drawn template.HTML) {
	if !c.Suppressed && c.Share == nil {
		return "–", "", ""
	}
	return shareOf(c), cellInterval(c), cellBar(c)
}

// signed writes a difference in points with its sign.
func signed(v float64) string {
	switch n := int(math.Round(v)); {
	case n > 0:
		return "+" + decimal(n)
	case n < 0:
		return "−" + decimal(-n)
	}
	return "0"
}

// policeReason puts a code of the police's into words, as far as a code says them.
func policeReason(code string) string {
	switch code {
	case "":
		return "None recorded"
	case "no-cj-outcome-wanted":
		return "No criminal justice outcome wanted"
	}
	return sentenceStart(strings.ReplaceAll(code, "-", " "))
}
