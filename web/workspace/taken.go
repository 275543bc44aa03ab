package workspace

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"victimvoice/analysis/figures"
	"victimvoice/analysis/tables"
	"victimvoice/internal/access"
	"victimvoice/internal/fault"
	"victimvoice/internal/sheet"
	"victimvoice/web/charts"
)

// taken is what of a page can be taken away: its tables and its charts, filled by the
// same function from the same answer of the panel as the page itself, so that a file
// says what the page says and withholds what the page withholds.
type taken struct {
	Tables []takenTable
	Charts []takenChart
}

// takenTable is one table. Numbers in it are numbers; what is withheld has none.
type takenTable struct {
	ID, Title string
	columns   []sheet.Column
	rows      [][]any
}

// takenChart is one chart; its notes are on the page, and have to be in the file.
type takenChart struct {
	ID   string
	file charts.File
}

// The last part of an address by which a page is taken away.
const (
	formTable = "table"
	formChart = "chart"
)

// takePath is where a page's files are: under it, with the same question.
const takePath = "/take/:form"

// takeLine leads to the files of one table or one chart.
type takeLine struct {
	What  string
	Links []link
}

// takeLines lead to all that a page can be taken away as, for whoever may. A chart
// comes before the table of the same name.
func takeLines(v visitor, path string, q url.Values, t *taken) []takeLine {
	if !v.Can(access.ExportFigures) {
		return nil
	}
	href := func(form, of, format string) string {
		to := with(q, "of", of, "format", format)
		if v.Force != "" { // the handler puts it back, and the address need not tell it
			to.Del(figures.DimForce)
		}
		return path + "/take/" + form + "?" + to.Encode()
	}
	var out []takeLine
	for _, c := range t.Charts {
		line := takeLine{What: "Download the chart: "}
		if len(t.Charts) > 1 {
			line.What = "Download the chart “" + c.file.Heading + "”: "
		}
		for _, f := range []struct{ id, label string }{{"svg", "SVG"}, {"png", "PNG"}} {
			line.Links = append(line.Links, link{Href: href(formChart, c.ID, f.id), Label: f.label})
		}
		out = append(out, line)
	}
	for _, table := range t.Tables {
		line := takeLine{What: "Download the table: "}
		if len(t.Tables) > 1 {
			line.What = "Download the table “" + table.Title + "”: "
		}
		for _, f := range []struct{ id, label string }{{"csv", "CSV"}, {"xlsx", "Excel"}, {"jsonl", "JSON Lines"}} {
			line.Links = append(line.Links, link{Href: href(formTable, table.ID, f.id), Label: f.label})
		}
		out = append(out, line)
	}
	return out
}

// take answers with one of a page's tables or charts, on record. name begins its file
// name and stands in the record.
func (s *Pages) take(c *gin.Context, v visitor, name string, t *taken) error {
	of, format := c.Query("of"), c.Query("format")
	none := fault.Fields("There is no such file.", fault.Field{Field: "of", Message: "is one of those that the page leads to"})
	var body []byte
	var media string
	switch c.Param("form") {
	case formTable:
		for i := range t.Tables {
			if table := &t.Tables[i]; table.ID == of || of == "" && i == 0 {
				return s.takeTable(c, v, name, table)
			}
		}
		return none
	case formChart:
		for i := range t.Charts {
			chart := &t.Charts[i]
			if chart.ID != of && (of != "" || i > 0) {
				continue
			}
			chart.file.Notes = append(chart.file.Notes, "[c]: withheld, so that nobody can be told. Made on "+s.date(s.Now())+".")
			switch format {
			case "svg":
				body, media = chart.file.SVG(), "image/svg+xml"
			case "png":
				png, err := chart.file.PNG()
				if err != nil {
					return err
				}
				body, media = png, "image/png"
			default:
				return fault.Fields("there is no such file of a chart", fault.Field{Field: "format", Message: "is svg or png"})
			}
			if err := s.Audit.Append(c.Request.Context(), v.actor().Entry("figures.exported", "page:"+name)); err != nil {
				return err
			}
			c.Header("Content-Disposition", `attachment; filename="`+fileName(name+"-"+chart.ID)+"."+format+`"`)
			c.Data(http.StatusOK, media, body)
			return nil
		}
		return none
	}
	return fault.New(fault.NotFound, "There is no such page.")
}

func (s *Pages) takeTable(c *gin.Context, v visitor, name string, t *takenTable) error {
	format, err := sheet.ParseFormat(c.Query("format"))
	if err != nil {
		return err
	}
	if err := s.Audit.Append(c.Request.Context(), v.actor().Entry("figures.exported", "page:"+name)); err != nil {
		return err
	}
	c.Header("Content-Type", format.MediaType())
	c.Header("Content-Disposition", `attachment; filename="`+fileName(name+"-"+t.ID)+"."+string(format)+`"`)
	return sheet.Table{Columns: t.columns, Rows: sheet.Rows(t.rows)}.Write(format, c.Writer)
}

// takenOf is the question of a page as it stands in the address.
func takenOf(c *gin.Context) url.Values {
	q := url.Values{}
	for name, values := range c.Request.URL.Query() {
		if v := strings.TrimSpace(values[0]); v != "" && name != "done" {
			q.Set(name, v)
		}
	}
	return q
}

// differenceColumns are those of a difference in points.
func differenceColumns(meaning string) []sheet.Column {
	return []sheet.Column{
		{ID: "difference", Title: "Difference", Type: "number", Unit: "percentage points, or points of a score", Meaning: meaning + " Empty where there is none to give."},
		{ID: "difference_low", Title: "Difference, from", Type: "number", Meaning: "Lower end of the difference's 95% interval."},
		{ID: "difference_high", Title: "Difference, to", Type: "number", Meaning: "Upper end of the difference's 95% interval."},
	}
}

func differenceValues(d *figures.Difference) []any {
	if d == nil {
		return []any{nil, nil, nil}
	}
	return []any{d.Points, d.Low, d.High}
}

// cellColumns are those of a count of cases, its ids beginning with prefix.
func cellColumns(prefix, what string) []sheet.Column {
	title := sentenceStart(what)
	return []sheet.Column{
		{ID: prefix + "_count", Title: title, Type: "integer", Unit: "cases", Meaning: "Cases: " + what + ". Empty where withheld."},
		{ID: prefix + "_share", Title: title + ", share", Type: "number", Unit: "percent", Meaning: "Of all those it is out of. Empty where withheld."},
		{ID: prefix + "_low", Title: title + ", from", Type: "number", Meaning: "Lower end of the share's 95% interval."},
		{ID: prefix + "_high", Title: title + ", to", Type: "number", Meaning: "Upper end of the share's 95% interval."},
		{ID: prefix + "_symbol", Title: title + ", symbol", Type: "code", Values: []string{tables.MarkWithheld + " = withheld, so that nobody can be told", tables.MarkNone + " = there is none to give"}, Meaning: "Why the cells before it are empty."},
	}
}

func cellValues(c figures.Cell) []any {
	if c.Suppressed || c.Share == nil {
		return []any{nil, nil, nil, nil, tables.Mark(c.Suppressed, false, false)}
	}
	return []any{c.Count, *c.Share, tables.Value(c.Low), tables.Value(c.High), ""}
}
