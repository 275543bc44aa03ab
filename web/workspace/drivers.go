package workspace

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"victimvoice/analysis/figures"
	"victimvoice/internal/fault"
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
