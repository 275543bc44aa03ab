package public

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"victimvoice/analysis"
	"victimvoice/analysis/figures"
	"victimvoice/internal/fault"
	"victimvoice/internal/sheet"
	"victimvoice/survey"
	"victimvoice/web/page"
)

// tablesData is the data of the page that lists the open tables.
type tablesData struct {
	page.Work
	Tables []tableLine
}

type tableLine struct{ Href, Period, On string }

// tableData is the data of one open table's page.
type tableData struct {
	page.Work
	Heading, On, Href string
	Groups            []tableGroup
	Dictionary        []columnLine
	Measures          []measureLine
}

// tableGroup is one measure: a row a stage and place.
type tableGroup struct {
	Title string
	Rows  []openLine
}

type openLine struct{ Stage, Area, Count, Base, Share string }

type columnLine struct{ Name, Meaning string }

type measureLine struct{ ID, Title, Counted, OutOf, LeftOut, Source string }

var stageWords = map[string]string{
	"": "All", string(survey.StageReport): "Report", string(survey.StageInvestigation): "Investigation", string(survey.StageClosure): "Closure", string(survey.StageWithdrawn): "Withdrawn",
}

func (s *Pages) tables(c *gin.Context) error {
	all, err := s.open.Tables(c.Request.Context())
	if err != nil {
		return err
	}
	data := tablesData{Work: page.Work{Title: "Open data"}}
	for i := range all {
		data.Tables = append(data.Tables, tableLine{"/public/data/" + all[i].ID, figures.PeriodWords(all[i].ID), all[i].At.In(s.zone).Format("2 January 2006")})
	}
	return s.book.Show(c, http.StatusOK, "tables", data)
}

// openTable finds the table of an address. What is none is a page that says so.
func (s *Pages) openTable(c *gin.Context) (analysis.OpenTable, error) {
	t, err := s.open.Table(c.Request.Context(), c.Param("quarter"))
	if fault.Is(err, fault.NotFound) {
		return t, fault.New(fault.NotFound, "No table is published for that quarter.")
	}
	return t, err
}

func (s *Pages) table(c *gin.Context) error {
	t, err := s.openTable(c)
	if err != nil {
		return err
	}
	data := tableData{Work: page.Work{Title: "Open data, " + figures.PeriodWords(t.ID)}, Heading: figures.PeriodWords(t.ID), On: t.At.In(s.zone).Format("2 January 2006"), Href: "/public/data/" + t.ID, Measures: s.defined(&t)}
	for i := range t.Rows {
		r := &t.Rows[i]
		if n := len(data.Groups); n == 0 || data.Groups[n-1].Title != r.Title {
			data.Groups = append(data.Groups, tableGroup{Title: r.Title})
		}
		line := openLine{Stage: stageWords[r.Stage], Area: areaWords(r), Count: r.Symbol, Base: r.Symbol, Share: r.Symbol}
		if r.Share != nil {
			line.Count, line.Base, line.Share = strconv.Itoa(*r.Count), strconv.Itoa(*r.Base), strconv.Itoa(*r.Share)+"%"
		}
		g := &data.Groups[len(data.Groups)-1]
		g.Rows = append(g.Rows, line)
	}
	for _, col := range openColumns() {
		data.Dictionary = append(data.Dictionary, columnLine{col.ID, col.Meaning})
	}
	return s.book.Show(c, http.StatusOK, "table", data)
}

func areaWords(r *analysis.OpenRow) string {
	switch {
	case r.Area == "" && r.Force == "":
		return "All"
	case r.Area == "":
		return r.Force
	case r.Force == "":
		return r.Area
	}
	return r.Area + ", " + r.Force
}

// defined writes out the definitions of a table's measures as they are now.
func (s *Pages) defined(t *analysis.OpenTable) (out []measureLine) {
	seen := map[string]bool{}
	for i := range t.Rows {
		if m, ok := s.measures(t.Rows[i].Measure); ok && !seen[m.ID] {
			seen[m.ID] = true
			out = append(out, measureLine{m.ID, m.Title, m.Numerator, m.Base, m.Exclusions, m.Source})
		}
	}
	return out
}

// openColumns are the columns of an open table that is taken away.
func openColumns() []sheet.Column {
	var out []sheet.Column
	for _, c := range []struct{ id, title, kind, unit string }{
		{"period", "Quarter", "code", ""}, {"measure", "Measure", "code", ""}, {"title", "In words", "text", ""}, {"stage", "Stage", "code", ""}, {"force", "Police force", "text", ""}, {"area", "Command unit", "text", ""},
		{"count", "Counted", "integer", "people, to the nearest 5"}, {"base", "Out of", "integer", "people, to the nearest 5"}, {"share", "Share", "integer", "percent"}, {"symbol", "Symbol", "text", ""},
	} {
		out = append(out, sheet.Column{ID: c.id, Title: c.title, Type: c.kind, Unit: c.unit, Meaning: analysis.OpenMeaning(c.id)})
	}
	return out
}

func orAll(s string) string {
	if s == "" {
		return "all"
	}
	return s
}

func openValues(id string, r *analysis.OpenRow) []any {
	num := func(v *int) any {
		if v == nil {
			return nil
		}
		return *v
	}
	return []any{id, r.Measure, r.Title, orAll(r.Stage), orAll(r.Force), orAll(r.Area), num(r.Count), num(r.Base), num(r.Share), r.Symbol}
}

// file gives an open table as CSV or JSON, or its data dictionary.
func (s *Pages) file(c *gin.Context) error {
	t, err := s.openTable(c)
	if err != nil {
		return err
	}
	name := c.Param("file")
	c.Header("Content-Disposition", `attachment; filename="victim-voice-`+t.ID+"-"+name+`"`)
	switch name {
	case "table.csv":
		c.Header("Content-Type", sheet.CSV.MediaType())
		rows := make([][]any, len(t.Rows))
		for i := range t.Rows {
			rows[i] = openValues(t.ID, &t.Rows[i])
		}
		return sheet.Table{Columns: openColumns(), Rows: sheet.Rows(rows)}.Write(sheet.CSV, c.Writer)
	case "dictionary.csv":
		c.Header("Content-Type", sheet.CSV.MediaType())
		return sheet.Dictionary(sheet.CSV, c.Writer, append(openColumns(), s.dictionaryOf(&t)...))
	case "table.json":
		return s.tableJSON(c, &t)
	}
	c.Writer.Header().Del("Content-Disposition")
	return fault.New(fault.NotFound, "There is no such file. A table has table.csv, table.json and dictionary.csv.")
}

// dictionaryOf adds the measures of a table to its dictionary: what is counted, out of
// whom, without whom and from where.
func (s *Pages) dictionaryOf(t *analysis.OpenTable) (out []sheet.Column) {
	for _, m := range s.defined(t) {
		out = append(out, sheet.Column{ID: m.ID, Title: m.Title, Type: "measure", Unit: "percent", Meaning: "Counted: " + m.Counted + " Out of: " + m.OutOf + " Left out: " + m.LeftOut, Source: m.Source})
	}
	return out
}

// tableJSON writes rows under their columns' names, with the dictionary before them.
func (s *Pages) tableJSON(c *gin.Context, t *analysis.OpenTable) error {
	type column struct {
		ID      string `json:"id"`
		Title   string `json:"title"`
		Type    string `json:"type"`
		Unit    string `json:"unit,omitempty"`
		Meaning string `json:"meaning"`
		Source  string `json:"source,omitempty"`
	}
	describe := func(list []sheet.Column) (out []column) {
		for _, d := range list {
			out = append(out, column{d.ID, d.Title, d.Type, d.Unit, d.Meaning, d.Source})
		}
		return out
	}
	out := struct {
		Period    string           `json:"period"`
		Published string           `json:"published"` // the day
		Columns   []column         `json:"columns"`
		Measures  []column         `json:"measures"`
		Rows      []map[string]any `json:"rows"`
	}{t.ID, t.At.In(s.zone).Format("2006-01-02"), describe(openColumns()), describe(s.dictionaryOf(t)), []map[string]any{}}
	for i := range t.Rows {
		row := map[string]any{}
		values := openValues(t.ID, &t.Rows[i])
		for k, col := range openColumns() {
			row[col.ID] = values[k]
		}
		out.Rows = append(out.Rows, row)
	}
	body, err := json.MarshalIndent(out, "", " ")
	if err != nil {
		return fmt.Errorf("write an open table: %w", err)
	}
	c.Data(http.StatusOK, "application/json; charset=utf-8", []byte(strings.TrimSpace(string(body))+"\n"))
	return nil
}
