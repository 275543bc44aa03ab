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
	"victimvoice/internal/access"
	"victimvoice/internal/fault"
	"victimvoice/loop"
	"victimvoice/survey"
	"victimvoice/web/charts"
	"victimvoice/web/page"
)

var markWords = map[analysis.MarkKind]string{analysis.MarkPolicy: "Policy change", analysis.MarkNote: "Note", analysis.MarkRebase: "Re-based chart"}

// happened is what stands on the time axis of a chart, besides the breaks that the
// chart itself has: policy changes and notes, actions about the measure, and versions
// of the questionnaires. What lies outside the chart's periods is left out.
func (s *Pages) happened(ctx context.Context, v visitor, r *figures.Result, q url.Values) ([]charts.Flag, error) {
	type event struct {
		day, text string
	}
	var events []event
	marks, err := s.Timeline.All(ctx)
	if err != nil {
		return nil, err
	}
	for i := range marks {
		m := &marks[i]
		if m.Kind == analysis.MarkRebase || !m.Stands() || m.Force != "" && !v.sees(m.Force) {
			continue
		}
		text := m.Title
		if m.Text != "" {
			text += ". " + strings.TrimRight(m.Text, ". ")
		}
		events = append(events, event{m.On, lowerFirst(markWords[m.Kind]) + ": " + text})
	}
	if v.Can(access.ActionsRead) {
		actions, err := s.Loop.Actions(ctx)
		if err != nil {
			return nil, err
		}
		for i := range actions {
			a := &actions[i]
			if a.Evidence.Measure != r.Measure.ID || !sameScope(a.Evidence.Query, q) {
				continue
			}
			events = append(events, event{s.startedOn(a), "action started: " + a.Title}, event{a.DoneOn, "action done: " + a.Title})
		}
	}
	if !r.Measure.Asks() {
		for _, ver := range s.Analysis.Panel().Versions(r.Stage, r.Mode) {
			events = append(events, event{ver.Month + "-01", "questionnaire " + ver.Questionnaire + " is answered from here on"})
		}
	}
	slices.SortStableFunc(events, func(a, b event) int { return cmp.Or(cmp.Compare(a.day, b.day), cmp.Compare(a.text, b.text)) })
	var out []charts.Flag
	for _, e := range events {
		day, err := time.Parse(time.DateOnly, e.day)
		if err != nil {
			continue // not started, or not done
		}
		period := periodOf(r.By, day)
		if slices.ContainsFunc(r.Points, func(p figures.Point) bool { return p.Period == period }) {
			out = append(out, charts.Flag{Period: period, Text: dateWords(e.day) + ", " + e.text})
		}
	}
	return out, nil
}

// startedOn is the London day on which an action first went beyond being noted;
// empty where it has not, or was done the same day.
func (s *Pages) startedOn(a *loop.Action) string {
	for _, step := range a.History {
		switch step.Status {
		case loop.Investigating, loop.Planned:
			if day := step.At.In(s.zone()).Format(time.DateOnly); day != a.DoneOn {
				return day
			}
			return ""
		}
	}
	return ""
}

// sameScope reports whether an action's figure and a chart are about the same stage
// and place, as far as both name one.
func sameScope(evidence string, q url.Values) bool {
	e, err := url.ParseQuery(evidence)
	if err != nil {
		return false
	}
	for _, dim := range []string{figures.DimStage, figures.DimForce, figures.DimBCU, figures.DimBorough} {
		if a, b := e.Get(dim), q.Get(dim); a != "" && b != "" && a != b {
			return false
		}
	}
	return true
}

// numbered puts a chart's flags and breaks in order of time and numbers them.
func numbered(flags, breaks []charts.Flag, periods []charts.Point) []charts.Flag {
	all := slices.Concat(breaks, flags)
	place := func(f charts.Flag) int {
		return slices.IndexFunc(periods, func(p charts.Point) bool { return p.Period == f.Period })
	}
	slices.SortStableFunc(all, func(a, b charts.Flag) int { return cmp.Compare(place(a), place(b)) })
	for i := range all {
		all[i].Number = i + 1
	}
	return all
}

// flagWords is a flag's line in the list under its chart.
func flagWords(f charts.Flag) string {
	words := f.Text
	switch {
	case f.Break:
		words = "break: " + words + ". Do not compare across it"
	case f.Rebase:
		words = "re-based: " + words
	}
	return fmt.Sprintf("%d: %s", f.Number, words)
}

// markRows writes into the table of one series, by period, the numbers that what
// happened has on its chart.
func (t *figureTable) markRows(r *figures.Result, flags []charts.Flag) {
	chart := charts.Of("", *r, charts.Full)
	all := numbered(flags, chart.Flags, chart.Points)
	for i := range t.Rows {
		var numbers []string
		for _, f := range all {
			if f.Period == r.Points[i].Period {
				numbers = append(numbers, decimal(f.Number))
			}
		}
		t.Rows[i].Marks = strings.Join(numbers, ", ")
		t.Marked = t.Marked || len(numbers) > 0
	}
}

// marksData is the data of the page of what stands on the time axis.
type marksData struct {
	page.Work
	Back, Chart, Post    string // Chart: the one that the page was opened from
	MayAdd               bool
	Kind, On, Name, Text page.Field
	RebaseName           string // empty: no single chart to re-base
	RebaseOn, RebaseText page.Field
	Lines                []markLine
	None                 bool
	series               figures.Series
}

type markLine struct {
	ID, Kind, On, What, Where, Who, Undone string
	Stands, MayTakeBack                    bool
	Why                                    page.Field
}

func (s *Pages) marks(c *gin.Context, v visitor) error {
	data, err := s.marksData(c, v)
	if err != nil {
		return err
	}
	return s.show(c, http.StatusOK, "marks", data)
}

func (s *Pages) marksData(c *gin.Context, v visitor) (marksData, error) {
	ctx := c.Request.Context()
	f, err := s.frame(c, v, "What happened, and when")
	if err != nil {
		return marksData{}, err
	}
	data := marksData{Work: f, Back: "/figures", Post: "/figures/marks", MayAdd: v.Can(access.FiguresAnnotate)}
	data.Kind = page.Field{Name: "kind", Label: "What it is", Value: string(analysis.MarkPolicy), Choices: []page.Choice{{Value: string(analysis.MarkPolicy), Label: "A policy, process or service changed"}, {Value: string(analysis.MarkNote), Label: "Something else that readers should know"}}}
	data.On = page.Field{Name: "on", Label: "The day", Type: "date"}
	data.Name = page.Field{Name: "title", Label: "What happened, in a few words", Max: 120}
	data.Text = page.Field{Name: "text", Label: "More about it", Hint: "Name nobody, and no case. It stands on every chart, and cannot be changed: only taken back.", Rows: 3, Max: 2000}
	if err := s.marksChart(c, v, &data); err != nil {
		return marksData{}, err
	}
	all, err := s.Timeline.All(ctx)
	if err != nil {
		return marksData{}, err
	}
	for i := range slices.Backward(all) {
		m := &all[i]
		if m.Force != "" && !v.sees(m.Force) {
			continue
		}
		who, err := s.nameOf(ctx, m.By)
		if err != nil {
			return marksData{}, err
		}
		line := markLine{ID: m.ID, Kind: markWords[m.Kind], On: dateWords(m.On), What: cmp.Or(m.Title, m.Text), Where: s.seriesWords(&m.Series), Who: who + ", " + s.date(m.At), Stands: m.Stands()}
		if m.Title != "" && m.Text != "" {
			line.What += ". " + m.Text
		}
		if !m.Stands() {
			if who, err = s.nameOf(ctx, m.Undone.By); err != nil {
				return marksData{}, err
			}
			line.Undone = "Taken back by " + who + ", " + s.date(m.Undone.At) + ": " + m.Undone.Why
		}
		line.MayTakeBack = data.MayAdd && m.Stands() && (v.Force == "" || v.Force == m.Force)
		line.Why = page.Field{Name: "why-" + m.ID, Label: "Why it is taken back", Rows: 2, Max: 2000}
		data.Lines = append(data.Lines, line)
	}
	data.None = len(data.Lines) == 0
	return data, nil
}

// marksChart reads the chart that the page was opened from, so that it can be re-based.
func (s *Pages) marksChart(c *gin.Context, v visitor, data *marksData) error {
	q, err := query(c, v)
	if err != nil || q.Get("measure") == "" {
		return err
	}
	q = with(q, "from", "", "to", "")
	parsed, err := analysis.ParseQuery(q)
	if err != nil {
		return err
	}
	// A chart is one series; where the page was split further, there is none to re-base.
	parsed.By = slices.DeleteFunc(parsed.By, func(dim string) bool {
		return dim == figures.DimMonth || dim == figures.DimQuarter || dim == figures.DimYear
	})
	split := len(parsed.By) > 0
	parsed.By = []string{figures.DimMonth}
	series, err := s.Analysis.Panel().Series(parsed)
	if err != nil {
		return err
	}
	data.series, data.Chart = series, s.seriesWords(&series)
	data.Back = figureHref(series.Measure, with(q, "measure", ""))
	data.Post = "/figures/marks?" + q.Encode()
	if !split {
		data.RebaseName = "rebase"
		data.RebaseOn = page.Field{Name: "month", Label: "First month of the new limits", Type: "month", Hint: "Such as 2026-03. Periods that begin in it or later have limits of their own."}
		data.RebaseText = page.Field{Name: "reason", Label: "Why", Hint: "What changed in the process, not that the figure did. The reason stands under the chart.", Rows: 3, Max: 2000}
	}
	return nil
}

// seriesWords names a chart: its measure, then what it is held to.
func (s *Pages) seriesWords(series *figures.Series) string {
	parts := []string{series.Measure}
	if m, ok := s.Analysis.Panel().Measure(series.Measure); ok {
		parts[0] = m.Title
	}
	if series.Stage != "" {
		parts = append(parts, stageWords[survey.Stage(series.Stage)])
	}
	for _, area := range []string{series.Force, series.BCU, series.Borough} {
		if area != "" {
			parts = append(parts, area)
		}
	}
	if series.Mode != "" && series.Mode != figures.ModeSelf {
		parts = append(parts, modeWords[survey.Mode(series.Mode)])
	}
	if series.Value != "" {
		parts = append(parts, s.keyWords(series.Attribute, series.Value))
	}
	return strings.Join(parts, " · ")
}

// addMark puts a mark on the time axis, or re-bases the chart that the page was opened from.
func (s *Pages) addMark(c *gin.Context, v visitor) error {
	data, err := s.marksData(c, v)
	if err != nil {
		return err
	}
	n := analysis.NewMark{Kind: analysis.MarkKind(typed(c, "kind")), On: typed(c, "on"), Title: typed(c, "title"), Text: typed(c, "text"), Force: v.Force}
	rebase := c.Request.PostForm.Has("rebase")
	if rebase {
		n = analysis.NewMark{Kind: analysis.MarkRebase, On: typed(c, "month"), Text: typed(c, "reason"), Force: v.Force, Series: data.series}
	}
	_, cause := s.Timeline.Add(c.Request.Context(), v.actor(), n)
	if cause == nil {
		if rebase {
			return page.See(c, withDone(data.Back, "rebased"))
		}
		return page.See(c, withDone(data.Back, "marked"))
	}
	if rebase { // the form has names of its own, since both stand on one page
		if renamed := renameFields(cause, map[string]string{"on": "month", "text": "reason"}); renamed != nil {
			cause = renamed
		}
	}
	status, err := retry(&data.Work, cause, "kind", "on", "title", "text", "month", "reason")
	if err != nil {
		return err
	}
	for _, field := range []*page.Field{&data.Kind, &data.On, &data.Name, &data.Text, &data.RebaseOn, &data.RebaseText} {
		if field.Name != "" && c.Request.PostForm.Has(field.Name) {
			field.Value = typed(c, field.Name)
		}
		field.Error = page.ErrorOf(data.Problems, field.Name)
	}
	return s.show(c, status, "marks", data)
}

// renameFields gives an Invalid error whose fields have the names of another form; nil
// where the error is another.
func renameFields(err error, names map[string]string) *fault.Error {
	found := fault.FieldsOf(err)
	if len(found) == 0 {
		return nil
	}
	out := &fault.Error{Kind: fault.KindOf(err), Message: fault.MessageOf(err)}
	for _, f := range found {
		f.Field = cmp.Or(names[f.Field], f.Field)
		out.Fields = append(out.Fields, f)
	}
	return out
}

// withDone adds to an address what the form did.
func withDone(href, done string) string {
	if strings.Contains(href, "?") {
		return href + "&done=" + done
	}
	return href + "?done=" + done
}

func (s *Pages) takeMarkBack(c *gin.Context, v visitor) error {
	id := c.Param("id")
	name := "why-" + id
	_, cause := s.Timeline.TakeBack(c.Request.Context(), v.actor(), id, typed(c, name), v.Force)
	if cause == nil {
		return page.See(c, "/figures/marks?done=mark-taken-back")
	}
	if fault.Is(cause, fault.NotFound) {
		return fault.New(fault.NotFound, "There is no such entry.")
	}
	data, err := s.marksData(c, v)
	if err != nil {
		return err
	}
	if renamed := renameFields(cause, map[string]string{"why": name}); renamed != nil {
		cause = renamed
	}
	status, err := retry(&data.Work, cause, name)
	if err != nil {
		return err
	}
	for i := range data.Lines {
		if line := &data.Lines[i]; line.ID == id {
			line.Why.Value, line.Why.Error = typed(c, name), page.ErrorOf(data.Problems, name)
		}
	}
	return s.show(c, status, "marks", data)
}
