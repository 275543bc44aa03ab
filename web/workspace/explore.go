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
	"victimvoice/internal/access"
	"victimvoice/internal/fault"
	"victimvoice/survey"
	"victimvoice/survey/questionnaires"
	"victimvoice/web/charts"
	"victimvoice/web/page"
)

// The explorer's controls. Each stands for one place of the lattice, so that whatever
// is chosen in them lies on it: one period, one stage or all, one level of area, and
// one thing more.
const (
	ctlMeasure = "measure"
	ctlPeriod  = "period"
	ctlStage   = "stage"
	ctlArea    = "area"
	ctlMore    = "more"
	ctlFrom    = "from"
	ctlTo      = "to"
)

// What the controls' values are made of: "by:bcu" splits, "bcu:West" keeps one, "in:West"
// splits one command unit into its boroughs.
const (
	splitPrefix  = "by:"
	insidePrefix = "in:"
	periodAll    = "all"
)

// maxMultiples is how many small charts a page of the explorer draws; a split into
// more is shown for the latest period alone, with its table.
const maxMultiples = 12

// exploreData is the data of the explorer.
type exploreData struct {
	page.Work
	Tabs       []link
	Heading    string
	Fields     []page.Field
	Clear      string
	Scope      string
	Definition []fact
	Period     string // the period, and why
	Empty      string
	Measure    figures.Measure

	Wide, Slim template.HTML // the control chart of one series, or the groups side by side
	GroupsOf   string        // of which period the groups are
	Flags      []string
	Latest     *latest
	Sentence   string
	TrendNote  string
	Multiples  []figureCell
	TooMany    string
	Chance     string
	Withheld   string // how many figures are withheld, and why
	Coding     []string
	Table      figureTable
	Note       string
	Links      []link
}

// exploreTabs are the explorer's pages.
func exploreTabs(here string) []link {
	all := []link{{Href: "/explore", Label: "Any figure"}, {Href: "/explore/compare", Label: "Compare two groups"}, {Href: "/explore/areas", Label: "Areas against London"},
		{Href: "/explore/unheard", Label: "Who is not heard"}, {Href: "/explore/journey", Label: "The same people over time"}}
	for i := range all {
		all[i].Here = all[i].Href == here
	}
	return all
}

// asked reads an explorer's address: its controls as they are set, and the figure's
// query that they stand for. What the page has no control for goes on to the query,
// which says what is wrong with it.
func (s *Pages) asked(c *gin.Context, v visitor) (set map[string]string, q url.Values, err error) {
	raw, err := query(c, v)
	if err != nil {
		return nil, nil, err
	}
	set, q = map[string]string{}, url.Values{}
	var faults []fault.Field
	for name, values := range raw {
		if name != "by" && len(values) > 1 {
			faults = append(faults, fault.Field{Field: name, Message: "is given twice"})
		}
		set[name] = values[0]
		if !slices.Contains([]string{ctlPeriod, ctlStage, ctlArea, ctlMore}, name) {
			q[name] = slices.Clone(values)
		}
	}
	switch period := set[ctlPeriod]; period {
	case "", periodAll, "auto":
	case figures.DimMonth, figures.DimQuarter, figures.DimYear:
		q.Add("by", period)
	default:
		faults = append(faults, fault.Field{Field: ctlPeriod, Message: "is month, quarter, year or all"})
	}
	if stage := set[ctlStage]; stage == splitPrefix+figures.DimStage {
		q.Add("by", figures.DimStage)
	} else if stage != "" {
		q.Set("stage", stage)
	}
	for _, name := range []string{ctlArea, ctlMore} {
		if value := set[name]; value != "" {
			if message := place(q, name, value); message != "" {
				faults = append(faults, fault.Field{Field: name, Message: message})
			}
		}
	}
	slices.SortFunc(faults, func(a, b fault.Field) int { return cmp.Compare(a.Field, b.Field) })
	return set, q, fault.Fields("This address asks for a figure that does not exist.", faults...)
}

// place puts a control's value into a query; it gives what is wrong with it.
func place(q url.Values, name, value string) (wrong string) {
	if unit, ok := strings.CutPrefix(value, insidePrefix); ok && name == ctlArea {
		q.Add("by", figures.DimBorough)
		q.Set(figures.DimBCU, unit)
		return ""
	}
	dim, only, ok := strings.Cut(value, ":")
	split := ok && dim+":" == splitPrefix
	if split {
		dim = only
	}
	at := slices.IndexFunc(figures.Dimensions(), func(d figures.Dimension) bool { return d.ID == dim })
	switch {
	case !ok || at < 0 || only == "":
		return "is not something that figures can be split or filtered by"
	case (name == ctlArea) != (figures.Dimensions()[at].Group == "area"), name == ctlMore && !figures.Dimensions()[at].Attribute():
		return "is not something that this control is for"
	case split:
		q.Add("by", dim)
	default:
		q.Set(dim, only)
	}
	return ""
}

func (s *Pages) explore(c *gin.Context, v visitor) error {
	f, err := s.frame(c, v, "Explore")
	if err != nil {
		return err
	}
	f.Style = s.chartStyle
	data := exploreData{Work: f, Tabs: exploreTabs("/explore"), Heading: "Any figure"}
	set, q, err := s.asked(c, v)
	if fault.Is(err, fault.Denied) {
		return err
	}
	q = s.measureOf(q, set, &data)
	data.Fields, data.Clear = s.exploreFields(&data.Measure, set, v), "/explore"
	status := http.StatusOK
	if err == nil {
		data.Scope = s.exploreScope(set, q, &data.Measure)
		err = s.fillExplore(c.Request.Context(), v, set, q, &data)
	}
	if fault.Is(err, fault.Invalid) || fault.Is(err, fault.TooLarge) {
		status, err = s.refuse(&data, err)
	}
	if err != nil {
		return err
	}
	return s.show(c, status, "explore", data)
}

// measureOf finds the measure that is asked for; without one it is the first of the
// overview, and one that there is not is left to the query to refuse.
func (s *Pages) measureOf(q url.Values, set map[string]string, data *exploreData) url.Values {
	id := cmp.Or(set[ctlMeasure], overviewRows[0].measure)
	set[ctlMeasure] = id
	m, ok := s.Analysis.Panel().Measure(id)
	if ok {
		data.Measure, data.Definition = m, definition(&m)
	}
	return with(q, "measure", id)
}

// refuse shows the page without figures and says what is wrong with what was asked.
func (s *Pages) refuse(data *exploreData, err error) (int, error) {
	if fault.Is(err, fault.TooLarge) {
		err = fault.New(fault.Invalid, "%s", fault.MessageOf(err))
	}
	var names []string
	for i := range data.Fields {
		names = append(names, data.Fields[i].Name)
	}
	status, err := retry(&data.Work, err, names...)
	for i := range data.Fields {
		data.Fields[i].Error = page.ErrorOf(data.Problems, data.Fields[i].Name)
	}
	data.Wide, data.Slim, data.Latest, data.Multiples, data.Table, data.Empty = "", "", nil, nil, figureTable{}, ""
	return status, err
}

// exploreFields are the explorer's controls, set as the address has them. They offer
// what the lattice has and nothing else.
func (s *Pages) exploreFields(m *figures.Measure, set map[string]string, v visitor) []page.Field {
	fields := []page.Field{
		{Name: ctlMeasure, Label: "Figure", Choices: s.measureChoices(false)},
		{Name: ctlStage, Label: "Stage", Choices: append([]page.Choice{{Label: "All stages together"}, {Value: splitPrefix + figures.DimStage, Label: "Each stage"}}, s.stageChoices(m)...)},
		{Name: ctlArea, Label: "Area", Choices: s.areaChoices(v, true)},
		{Name: ctlMore, Label: "And one thing more", Choices: s.moreChoices(m, true)},
		{Name: ctlPeriod, Label: "Period", Choices: []page.Choice{{Label: "Chosen by how many answered"}, {Value: figures.DimMonth, Label: "Months"}, {Value: figures.DimQuarter, Label: "Quarters"}, {Value: figures.DimYear, Label: "Years"}, {Value: periodAll, Label: "All time together"}}},
		{Name: ctlFrom, Label: "Since", Choices: s.sinceChoices()},
	}
	return setFields(fields, set)
}

// setFields sets controls as an address has them. A value of a hand-made address
// that a list does not have stays as it is.
func setFields(fields []page.Field, set map[string]string) []page.Field {
	for i := range fields {
		f := &fields[i]
		f.Value = set[f.Name]
		if f.Value != "" && !slices.ContainsFunc(f.Choices, func(c page.Choice) bool { return c.Value == f.Value }) {
			f.Choices = append(f.Choices, page.Choice{Value: f.Value, Label: f.Value})
		}
	}
	return fields
}

func (s *Pages) sinceChoices() []page.Choice {
	out := []page.Choice{{Label: "The beginning"}}
	year := s.Now().In(s.zone()).Year()
	for y := year; y > year-5; y-- {
		out = append(out, page.Choice{Value: fmt.Sprintf("%d-01", y), Label: fmt.Sprintf("January %d", y)})
	}
	return out
}

// measureChoices lists the measures by what they are about.
func (s *Pages) measureChoices(sharesOnly bool) []page.Choice {
	var out []page.Choice
	all := s.Analysis.Panel().Measures()
	for i := range all {
		if sharesOnly && all[i].Averages() {
			continue
		}
		_, group := measureGroupOf(&all[i])
		out = append(out, page.Choice{Value: all[i].ID, Label: all[i].Title, Group: group})
	}
	// A list is grouped by runs: measures of one group stand together.
	var order []string
	for _, c := range out {
		if !slices.Contains(order, c.Group) {
			order = append(order, c.Group)
		}
	}
	slices.SortStableFunc(out, func(a, b page.Choice) int {
		return cmp.Compare(slices.Index(order, a.Group), slices.Index(order, b.Group))
	})
	return out
}

// stageChoices are the stages at which a measure is taken.
func (s *Pages) stageChoices(m *figures.Measure) []page.Choice {
	var out []page.Choice
	for _, stage := range survey.Stages() {
		if len(m.Stages) == 0 || slices.Contains(m.Stages, string(stage)) {
			out = append(out, page.Choice{Value: string(stage), Label: stageWords[stage], Group: "One stage"})
		}
	}
	return out
}

// areaChoices are the areas that a visitor may see: their levels to split by, where
// they are to be split, and each alone.
func (s *Pages) areaChoices(v visitor, splits bool) []page.Choice {
	out := []page.Choice{{Label: "All areas together"}}
	var units, boroughs []string
	for _, force := range s.Survey.Geography().Forces() {
		if !v.sees(force) {
			continue
		}
		for _, a := range s.Survey.Geography().Areas(force) {
			if !slices.Contains(units, a.BCU) {
				units = append(units, a.BCU)
			}
			boroughs = append(boroughs, a.Borough)
		}
	}
	slices.Sort(units)
	slices.Sort(boroughs)
	if splits {
		out = append(out, page.Choice{Value: splitPrefix + figures.DimForce, Label: "Each police force"}, page.Choice{Value: splitPrefix + figures.DimBCU, Label: "Each command unit (BCU)"}, page.Choice{Value: splitPrefix + figures.DimBorough, Label: "Each borough"})
	}
	for _, u := range units {
		out = append(out, page.Choice{Value: figures.DimBCU + ":" + u, Label: u, Group: "One command unit (BCU)"})
	}
	if splits {
		for _, u := range units {
			out = append(out, page.Choice{Value: insidePrefix + u, Label: "Boroughs of " + u, Group: "The boroughs of one"})
		}
	}
	for _, b := range boroughs {
		out = append(out, page.Choice{Value: figures.DimBorough + ":" + b, Label: b, Group: "One borough"})
	}
	return out
}

// moreChoices are the attributes that a measure's figures can be split by, and their
// values. They stand in one list, since a table takes one of them.
func (s *Pages) moreChoices(m *figures.Measure, splits bool) []page.Choice {
	var out, values []page.Choice
	if splits {
		out = append(out, page.Choice{Label: "Nothing more"})
	}
	for _, d := range figures.Dimensions() {
		if !d.Attribute() || !m.Takes(d.ID) {
			continue
		}
		if splits {
			out = append(out, page.Choice{Value: splitPrefix + d.ID, Label: d.Title, Group: "Split by"})
		}
		for _, value := range s.Analysis.Panel().Values(d.ID) {
			if d.ID == figures.DimMode && splits && value == figures.ModeSelf {
				continue // what is shown anyway
			}
			values = append(values, page.Choice{Value: d.ID + ":" + value, Label: s.keyWords(d.ID, value), Group: d.Title})
		}
	}
	return append(out, values...)
}

// fillExplore answers the explorer's question.
func (s *Pages) fillExplore(ctx context.Context, v visitor, set map[string]string, q url.Values, data *exploreData) error {
	parsed, err := analysis.ParseQuery(q)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(parsed.By, isPeriod) && set[ctlPeriod] != periodAll {
		suggested, err := s.Analysis.Panel().SuggestPeriod(ctx, parsed)
		if err != nil {
			return err
		}
		parsed.By, data.Period = append([]string{suggested.Period}, parsed.By...), suggested.Words
	}
	r, err := s.Analysis.Panel().Figures(ctx, parsed)
	if err != nil {
		return err
	}
	data.Table, data.Note, data.Coding = s.tableOf(&r), r.Note, codingWords(r.Coding)
	data.Withheld = withheldWords(&r)
	exact := with(q, "by", strings.Join(parsed.By, ","))
	switch {
	case len(r.Points) == 0:
		data.Empty, data.Period = cmp.Or(s.unasked(&r.Measure, q.Get(figures.DimQuestionnaire)), emptyWords(&r.Measure, set)), ""
		return nil
	case r.Trend != nil:
		cell := s.cell(&r, "")
		data.Latest, data.Sentence, data.TrendNote = &cell.Latest, cell.Sentence, r.Trend.Note
		flags, err := s.happened(ctx, v, &r, q)
		if err != nil {
			return err
		}
		if published(&r) {
			data.Wide, data.Slim, data.Flags = s.both("explore", r, flags...)
			data.Table.markRows(&r, flags)
		}
	case !slices.ContainsFunc(r.By, func(d string) bool { return !isPeriod(d) }):
		cell := s.cell(&r, "")
		data.Latest = &cell.Latest
	default:
		s.groupsOf(&r, data)
		if err := s.multiplesOf(ctx, parsed, &r, data); err != nil {
			return err
		}
	}
	data.Links = s.exploreLinks(v, &r, exact)
	return nil
}

func isPeriod(dim string) bool {
	return dim == figures.DimMonth || dim == figures.DimQuarter || dim == figures.DimYear
}

// exploreLinks lead on from a figure: to its own page, and to its table as a file.
func (s *Pages) exploreLinks(v visitor, r *figures.Result, exact url.Values) []link {
	var out []link
	if slices.ContainsFunc(r.By, isPeriod) {
		out = append(out, link{Href: figureHref(r.Measure.ID, with(exact, "measure", "")), Label: "This figure's own page"})
		if v.Can(access.ExportFigures) {
			for _, format := range []struct{ id, label string }{{"csv", "CSV"}, {"xlsx", "Excel"}, {"jsonl", "JSON Lines"}} {
				out = append(out, link{Href: "/figures/" + r.Measure.ID + "/table?" + with(exact, "measure", "", "format", format.id).Encode(), Label: format.label})
			}
		}
	}
	return out
}

// withheldWords says how many of a table's figures are not shown, and why.
func withheldWords(r *figures.Result) string {
	all := 0
	for i := range r.Points {
		if r.Points[i].Suppressed {
			all++
		}
	}
	if all == 0 {
		return ""
	}
	return fmt.Sprintf("%s of %s withheld, so that nobody can be told from a figure: %s. A longer period, a larger area or fewer splits may show more.",
		thousands(all), plural(len(r.Points), "figure is", "figures are"), figures.ReasonWithheld)
}

// emptyWords says why there is nothing, and what to do.
func emptyWords(m *figures.Measure, set map[string]string) string {
	stage := set[ctlStage]
	if stage != "" && !strings.HasPrefix(stage, splitPrefix) && len(m.Stages) > 0 && !slices.Contains(m.Stages, stage) {
		var names []string
		for _, st := range m.Stages {
			names = append(names, strings.ToLower(cmp.Or(stageWords[survey.Stage(st)], st)))
		}
		return "This is not asked at that stage, but at: " + strings.Join(names, ", ") + "."
	}
	if m.Asks() {
		return "Nobody was to be asked within these filters. Take one away, or wait."
	}
	return "Nobody has answered within these filters. Take one away, or wait: figures appear here as answers come in."
}

// unasked says of a version of a questionnaire that it does not ask what a measure is
// of, or that there is none; empty where it may have been answered.
func (s *Pages) unasked(m *figures.Measure, version string) string {
	if version == "" || m.Asks() {
		return ""
	}
	q, ok := s.Survey.Questionnaires().ByID(version)
	if !ok {
		return "There is no such version of a questionnaire."
	}
	asked := len(m.Stages) == 0 || slices.Contains(m.Stages, string(q.Stage))
	if _, has := q.Item(m.ID); asked && !has { // unless the measure is no single question's
		asked = !slices.ContainsFunc(s.Survey.Questionnaires().All(), func(other *questionnaires.Questionnaire) bool { _, has := other.Item(m.ID); return has })
	}
	if asked {
		return ""
	}
	return "That version of the questionnaire does not ask this."
}

// groupsOf draws a split side by side, for the latest period in which anything of it
// is shown.
func (s *Pages) groupsOf(r *figures.Result, data *exploreData) {
	period := ""
	for i := range r.Points {
		if p := &r.Points[i]; p.Share != nil && p.Period > period {
			period = p.Period
		}
	}
	if period == "" && r.Points[0].Period != "" {
		return // nothing is shown in any period
	}
	data.GroupsOf = "All time together"
	if period != "" {
		data.GroupsOf = figures.PeriodWords(period)
		if period == periodOf(r.By, s.Now().In(s.zone())) {
			data.GroupsOf += " so far"
		}
	}
	g := charts.Groups{ID: "groups", Title: r.Measure.Title + ", " + data.GroupsOf, Unit: "%", Axis: axisWords(r)}
	if r.Measure.Averages() {
		g.Unit = ""
	}
	names := s.groupNames(r)
	for i := range r.Points {
		if p := &r.Points[i]; p.Period == period {
			g.Rows = append(g.Rows, groupRow(names[i], p))
		}
	}
	g.Size = charts.Full
	data.Wide = g.SVG()
	g.ID, g.Size = "groups-slim", charts.Narrow
	data.Slim = g.SVG()
}

func groupRow(name string, p *figures.Point) charts.Group {
	row := charts.Group{Name: name, Value: p.Share, Low: p.Low, High: p.High, Small: p.Small}
	switch {
	case p.Suppressed:
		row.Why = "[c] withheld"
	case p.Share == nil:
		row.Why = "no answers"
	default:
		row.Base = thousands(p.Base)
	}
	return row
}

// groupNames are what a result's points are of, besides their period. The force is
// named where two of them have an area of one name.
func (s *Pages) groupNames(r *figures.Result) []string {
	out, forces := make([]string, len(r.Points)), map[string]string{}
	for round := range 2 {
		for i := range r.Points {
			key := r.Points[i].Key
			if round == 0 {
				out[i] = s.groupName(r.By, key)
				if known, ok := forces[out[i]]; ok && known != key[figures.DimForce] {
					forces[out[i]] = "several"
				} else if !ok {
					forces[out[i]] = key[figures.DimForce]
				}
			} else if forces[out[i]] == "several" && !slices.Contains(r.By, figures.DimForce) {
				out[i] += ", " + key[figures.DimForce]
			}
		}
	}
	return out
}

func (s *Pages) groupName(by []string, key map[string]string) string {
	var names []string
	for _, d := range figures.Dimensions() {
		if slices.Contains(by, d.ID) && !isPeriod(d.ID) {
			names = append(names, s.keyWords(d.ID, key[d.ID]))
		}
	}
	return sentenceStart(strings.Join(names, ", "))
}

func axisWords(r *figures.Result) string {
	switch {
	case r.Measure.Asks():
		return "% of people asked or to be asked, with 95% interval"
	case r.Measure.Averages():
		return "Score, 0 (worst) to 100 (best), with 95% interval"
	}
	return "% of people who answered, with 95% interval"
}

// multiplesOf draws each group of a split over time by itself: the same figures, asked
// for one group at a time, so that each has limits of its own.
func (s *Pages) multiplesOf(ctx context.Context, parsed figures.Query, r *figures.Result, data *exploreData) error {
	if !slices.ContainsFunc(parsed.By, isPeriod) {
		return nil
	}
	var keys []map[string]string
	var named []string
	for i, name := range s.groupNames(r) {
		if i == 0 || name != named[len(named)-1] {
			keys, named = append(keys, r.Points[i].Key), append(named, name)
		}
	}
	if len(keys) > maxMultiples {
		data.TooMany = fmt.Sprintf("There are %d groups, too many to draw each over time: the table has them all, and choosing one draws its chart.", len(keys))
		return nil
	}
	var trends []*figures.Trend
	for i, key := range keys {
		one, err := s.Analysis.Panel().Figures(ctx, narrow(parsed, key))
		if err != nil {
			return err
		}
		cell := s.cell(&one, "")
		cell.Name = named[i]
		cell.Chart = charts.SVG(charts.Of(fmt.Sprintf("group-%d", i), one, charts.Small))
		data.Multiples = append(data.Multiples, cell)
		trends = append(trends, one.Trend)
	}
	data.Chance = chanceWords(trends...)
	return nil
}

// narrow is a query of one group of a split.
func narrow(q figures.Query, key map[string]string) figures.Query {
	out := q
	out.By, out.Filters = nil, map[string]string{}
	for k, v := range q.Filters {
		out.Filters[k] = v
	}
	for _, dim := range q.By {
		switch value := key[dim]; {
		case isPeriod(dim):
			out.By = append(out.By, dim)
		case dim == figures.DimStage:
			out.Stage = value
		case dim == figures.DimMode:
			out.Mode = value
		default:
			out.Filters[dim] = value
		}
	}
	if force := key[figures.DimForce]; force != "" {
		out.Filters[figures.DimForce] = force
	}
	return out
}

// chanceWords says of a page of charts how many signal, and how many would by chance.
func chanceWords(trends ...*figures.Trend) string {
	charted := 0
	for _, t := range trends {
		if t != nil && t.Centre != nil {
			charted++
		}
	}
	if charted == 0 {
		return ""
	}
	signalling, expected := figures.ByChance(trends...)
	return fmt.Sprintf("Of the %s with limits on this page, %d %s a signal; chance alone would give about %.1f, although nothing had changed.",
		plural(charted, "chart", "charts"), signalling, plainVerb(signalling, "shows", "show"), expected)
}

func plainVerb(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// exploreScope says in a line what is shown: whose answers, where, when, of whom.
func (s *Pages) exploreScope(set map[string]string, q url.Values, m *figures.Measure) string {
	mode := survey.Mode(q.Get(figures.DimMode))
	parts := []string{s.scope(url.Values{"mode": {string(mode)}})}
	switch {
	case m.Asks():
		parts[0] = "Everyone who was to be asked"
	case set[ctlMore] == splitPrefix+figures.DimMode:
		parts[0] = "Each way of answering by itself"
	}
	if stage := q.Get("stage"); stage != "" {
		parts = append(parts, cmp.Or(stageWords[survey.Stage(stage)], stage))
	}
	for _, d := range figures.Dimensions() {
		if value := q.Get(d.ID); value != "" && (d.Group == "area" || d.Attribute() && d.ID != figures.DimMode) {
			words := s.keyWords(d.ID, value)
			if d.Attribute() {
				words = d.Title + ": " + words
			}
			parts = append(parts, words)
		}
	}
	if from := q.Get("from"); from != "" {
		parts = append(parts, "since "+figures.PeriodWords(from))
	}
	return strings.Join(parts, " · ")
}
