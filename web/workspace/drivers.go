package workspace

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"victimvoice/analysis/figures"
	"victimvoice/analysis/tables"
	"victimvoice/internal/fault"
	"victimvoice/internal/sheet"
	"victimvoice/web/charts"
	"victimvoice/web/page"
)

// driversData is the data of the page on what goes with an outcome.
type driversData struct {
	page.Work
	Outcomes   []page.Place
	Outcome    string
	Definition string
	Scope      string
	Empty      string
	Warnings   []string
	Wide, Slim template.HTML
	Rows       []driverRow
	Fit        []fact
	Chance     string
	Asked      []fact // while nothing is fitted: what will be asked about
	Take       []takeLine

	taken taken
}

// driverRow is one factor in the table.
type driverRow struct {
	Title, Against, Source, Kind   string
	Ratio, Interval, Reads, People string
	Why                            string
}

var outcomeTitles = []struct{ id, title string }{
	{figures.OutcomeWithdrew, "Withdrew"}, {figures.OutcomeNFA, "No further action"}, {figures.OutcomeLowConfidence, "Low confidence"},
}

// oftener and rarer say which way an odds ratio goes, and claim no more than "goes with".
var oftener = map[string][2]string{
	figures.OutcomeWithdrew:      {"goes with withdrawing more often", "goes with withdrawing less often"},
	figures.OutcomeNFA:           {"goes with no further action more often", "goes with no further action less often"},
	figures.OutcomeLowConfidence: {"goes with low confidence more often", "goes with low confidence less often"},
}

// drivers shows what goes with an outcome, as odds ratios.
func (s *Pages) drivers(c *gin.Context, v visitor) error {
	f, err := s.frame(c, v, "What goes with it")
	if err != nil {
		return err
	}
	f.Style = s.chartStyle
	outcome := cmp.Or(strings.TrimSpace(c.Query("outcome")), figures.OutcomeWithdrew)
	data := driversData{Work: f, Outcome: outcome, Scope: s.asAtScope(v)}
	for _, o := range outcomeTitles {
		data.Outcomes = append(data.Outcomes, page.Place{Href: "/drivers?outcome=" + o.id, Label: o.title, Here: o.id == outcome})
	}
	status := http.StatusOK
	d, err := s.Analysis.Drivers(c.Request.Context(), outcome, v.Force)
	switch {
	case fault.Is(err, fault.Invalid):
		status, err = retry(&data.Work, err, "outcome")
		data.Empty = "Choose one of the three outcomes above."
	case err == nil:
		data.fill(&d)
	}
	if err != nil {
		return err
	}
	if c.Param("form") != "" {
		if status != http.StatusOK {
			return fault.Fields("There is no such outcome.", fault.Field{Field: "outcome", Message: "is one of those that the page offers"})
		}
		return s.take(c, v, "drivers-"+outcome, &data.taken)
	}
	data.Take = takeLines(v, "/drivers", url.Values{"outcome": {outcome}}, &data.taken)
	return s.show(c, status, "drivers", data)
}

// asAtScope says of which force and as at which day a page is.
func (s *Pages) asAtScope(v visitor) string {
	return cmp.Or(v.Force, "All forces") + " · as at " + longDay(s.Now().In(s.zone()))
}

func longDay(t time.Time) string { return t.Format("2 January 2006") }

func (data *driversData) fill(d *figures.Drivers) {
	data.Definition, data.Empty, data.Warnings = d.Definition, d.None, d.Warnings
	if d.None != "" {
		for i := range d.Drivers {
			data.Asked = append(data.Asked, fact{d.Drivers[i].Title, "against: " + d.Drivers[i].Against})
		}
		return
	}
	chart := charts.Dots{ID: "drivers-wide", Title: "What goes with it: " + strings.ToLower(d.Title), Log: true, Axis: "Odds ratio with 95% interval; 1: no difference. Open circle: not told from no difference"}
	fitted, stand := 0, []string{}
	for i := range d.Drivers {
		v := &d.Drivers[i]
		row := driverRow{Title: v.Title, Against: v.Against, Source: v.Source, Kind: "record", Why: v.Why}
		if v.Survey {
			row.Kind = "answer"
		}
		dot := charts.Dot{Label: v.Title, Value: v.Ratio, Low: v.Low, High: v.High, None: v.Why}
		if v.Why == "" {
			fitted++
			row.Ratio, row.Interval, row.People = ratio(v.Ratio), ratio(v.Low)+" to "+ratio(v.High), "about "+thousands(v.Group)
			dot.Words = fmt.Sprintf("%s (%s–%s)", row.Ratio, ratio(v.Low), ratio(v.High))
			row.Reads = "not told from no difference"
			switch {
			case v.Low > 1:
				row.Reads = oftener[d.Outcome][0]
			case v.High < 1:
				row.Reads = oftener[d.Outcome][1]
			}
			if v.Low > 1 || v.High < 1 {
				stand = append(stand, fmt.Sprintf("%s %s", strings.ToLower(v.Title), row.Ratio))
			}
			chart.Lines = append(chart.Lines, dot)
		}
		data.Rows = append(data.Rows, row)
	}
	chart.Description = "No interval leaves out one."
	if len(stand) > 0 {
		chart.Description = "Intervals that leave out one, with their odds ratios: " + strings.Join(stand, "; ") + "."
	}
	narrow := chart
	narrow.ID, narrow.Size, narrow.Axis = "drivers-slim", charts.Narrow, "Odds ratio, 95% interval; 1: no difference"
	data.Wide, data.Slim = charts.DotsSVG(chart), charts.DotsSVG(narrow)
	data.Chance = fmt.Sprintf("With %s, about %s would seem to go with the outcome by chance alone.", plural(fitted, "factor", "factors"), strconv.FormatFloat(math.Round(0.05*float64(fitted)*10)/10, 'f', -1, 64))
	data.take(d, chart)
	method := "Largest likelihood (Newton), with Wald intervals."
	if d.Penalised {
		method = "Firth's penalised likelihood, with profile intervals."
	}
	data.Fit = []fact{
		{"People", fmt.Sprintf("about %s, about %s of them with the outcome (counts here are rounded to 5)", thousands(d.Base), thousands(d.Events))},
		{"Of the rarer outcome, for each factor", fmt.Sprintf("%.0f", math.Floor(d.PerTerm))},
		{"McFadden's R²", fmt.Sprintf("%.2f: how much better the factors tell the outcome than chance would, 0 to 1", d.McFadden)},
		{"Log-likelihood; AIC", strings.ReplaceAll(fmt.Sprintf("%.1f; %.1f", d.Likelihood, d.AIC), "-", "−")},
		{"Collinearity", fmt.Sprintf("largest variance inflation %.1f, condition number %.1f", largestInflation(d), d.Condition)},
		{"Method", method},
	}
}

// take keeps what can be taken away: ratios to what they are known to and counts
// rounded, as on the page.
func (data *driversData) take(d *figures.Drivers, chart charts.Dots) {
	data.taken.Charts = []takenChart{{ID: "odds-ratios", file: charts.File{Picture: chart, Heading: "What goes with it: " + strings.ToLower(d.Title), Scope: data.Scope + " · " + data.Definition,
		Notes: append(slices.Clone(d.Warnings), "What goes together, and no more: nothing here says why.", data.Chance)}}}
	table := takenTable{ID: "odds-ratios", Title: "Odds ratios", columns: []sheet.Column{
		{ID: "factor", Title: "Factor", Type: "text", Meaning: "An answer at the report stage, or a fact of the case."},
		{ID: "against", Title: "Against", Type: "text", Meaning: "The group it is compared with."},
		{ID: "kind", Title: "From", Type: "code", Values: []string{"answer", "record"}, Meaning: "What people answered, or what police record."},
		{ID: "odds_ratio", Title: "Odds ratio", Type: "number", Meaning: "2: twice the odds of the outcome, all the other factors held. To two digits. Empty where withheld."},
		{ID: "low", Title: "Interval from", Type: "number", Meaning: "95% interval."},
		{ID: "high", Title: "Interval to", Type: "number", Meaning: "95% interval; empty beside an odds ratio: it has no upper limit."},
		{ID: "people", Title: "People with it", Type: "integer", Unit: "people", Meaning: "Rounded to 5. Empty where withheld."},
		{ID: "symbol", Title: "Symbol", Type: "code", Values: []string{"[c] = withheld"}, Meaning: "Why the cells before it are empty."},
		tables.ReasonColumn(), {ID: "source", Title: "Source", Type: "text", Meaning: "The question, or the field of the record."},
	}}
	for i := range d.Drivers {
		v, row := &d.Drivers[i], &data.Rows[i]
		if v.Why != "" {
			table.rows = append(table.rows, []any{v.Title, v.Against, row.Kind, nil, nil, nil, nil, "[c]", v.Why, v.Source})
			continue
		}
		table.rows = append(table.rows, []any{v.Title, v.Against, row.Kind, known(v.Ratio), known(v.Low), known(v.High), v.Group, "", "", v.Source})
	}
	data.taken.Tables = []takenTable{table}
}

// known is the number that ratio writes; nil: it has no limit.
func known(v float64) any {
	n, err := strconv.ParseFloat(strings.ReplaceAll(ratio(v), ",", ""), 64)
	if err != nil {
		return nil
	}
	return n
}

func largestInflation(d *figures.Drivers) float64 {
	most := 1.
	for _, v := range d.Drivers {
		most = max(most, v.Inflation)
	}
	return most
}

// ratio writes an odds ratio to what it is known to: 0.42, 2.1, 14.
func ratio(v float64) string {
	switch {
	case math.IsInf(v, 1):
		return "no limit"
	case v >= 9.95:
		return thousands(int(math.Round(v)))
	case v >= 0.995:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}
