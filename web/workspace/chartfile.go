package workspace

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"victimvoice/analysis/figures"
	"victimvoice/internal/fault"
	"victimvoice/web/charts"
)

// figureChart gives a figure's chart as a file that stands alone, by the same call
// that makes the page's chart and table.
func (s *Pages) figureChart(c *gin.Context, v visitor) error {
	ctx := c.Request.Context()
	format := c.Query("format")
	if format != "svg" && format != "png" {
		return fault.Fields("there is no such file of a chart", fault.Field{Field: "format", Message: "is svg or png"})
	}
	q, err := query(c, v)
	if err != nil {
		return err
	}
	r, why, err := s.series(ctx, with(q, "measure", c.Param("measure")))
	if err != nil {
		return err
	}
	if r.Trend == nil {
		return fault.Fields("there is no chart of this", fault.Field{Field: "by", Message: "a chart is of one series over time: choose one place and one group"})
	}
	flags, err := s.happened(ctx, v, &r, q)
	if err != nil {
		return err
	}
	chart := charts.Of(fileName(r.Measure.ID), r, charts.Full)
	chart.Lines = contextLines(r.Measure.ID)
	chart.Flags = numbered(flags, chart.Flags, chart.Points)
	file := charts.File{Picture: chart, Heading: r.Measure.Title, Scope: strings.Join(s.fileScope(&r), " · ")}
	for _, f := range chart.Flags {
		file.Notes = append(file.Notes, flagWords(f))
	}
	file.Notes = append(file.Notes, contextWords(r.Measure.ID)...)
	if sentence := trendSentence(&r); sentence != "" {
		file.Notes = append(file.Notes, sentence)
	}
	for _, note := range []string{why, r.Trend.Note, r.Note, "[c]: withheld, so that nobody can be told. Made on " + s.date(s.Now()) + "."} {
		if note != "" && note != trendSentence(&r) {
			file.Notes = append(file.Notes, note)
		}
	}
	if err := s.Audit.Append(ctx, v.actor().Entry("figures.exported", "measure:"+r.Measure.ID)); err != nil {
		return err
	}
	body, media := file.SVG(), "image/svg+xml"
	if format == "png" {
		if body, err = file.PNG(); err != nil {
			return err
		}
		media = "image/png"
	}
	c.Header("Content-Disposition", `attachment; filename="`+fileName(r.Measure.ID)+"."+format+`"`)
	c.Data(http.StatusOK, media, body)
	return nil
}

// fileScope says whose answers a chart that is taken away shows, at which stage and where.
func (s *Pages) fileScope(r *figures.Result) []string {
	series := r.Series
	series.Measure = ""
	words := "Answered by people themselves"
	switch {
	case r.Measure.Asks():
		words = "Everyone who was to be asked"
	case series.Mode == figures.ModeRelayed:
		words = "People's words, relayed by advocates"
	case series.Mode == figures.ModeObserved:
		words = "Advocates' own views"
	}
	series.Mode = ""
	out := []string{words}
	if series.Stage == "" {
		out = append(out, "All stages")
	}
	if rest := strings.TrimPrefix(s.seriesWords(&series), " · "); rest != "" {
		out = append(out, rest)
	}
	return out
}
