package workspace

import (
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"victimvoice/analysis"
	"victimvoice/analysis/figures"
	"victimvoice/internal/access"
	"victimvoice/internal/fault"
	"victimvoice/survey"
	"victimvoice/web/page"
)

// openData is the data of the page that publishes open tables.
type openData struct {
	page.Work
	Published         []openLine
	Quarter, Period   string // the table that would be published
	Again             string // why it cannot be
	Shown, Withheld   string
	Rows              []openRow
	MayPublish, Empty bool
}

type openLine struct{ Period, On, Who, Href string }

type openRow struct{ Title, Stage, Area, Count, Base, Share string }

func (s *Pages) openDataPage(c *gin.Context, v visitor) error {
	data, err := s.openDataOf(c, v, c.DefaultQuery("quarter", analysis.LastQuarter(s.Now().In(s.zone()))))
	if err != nil {
		return err
	}
	return s.show(c, http.StatusOK, "open-data", data)
}

// openDataOf shows what is published, and a quarter's table as it would be.
func (s *Pages) openDataOf(c *gin.Context, v visitor, quarter string) (openData, error) {
	ctx := c.Request.Context()
	f, err := s.frame(c, v, "Open data")
	if err != nil {
		return openData{}, err
	}
	data := openData{Work: f, Quarter: quarter, Period: figures.PeriodWords(quarter), MayPublish: v.Can(access.DataPublish) && s.mayPublishAll(v)}
	all, err := s.OpenData.Tables(ctx)
	if err != nil {
		return data, err
	}
	for i := range all {
		t := &all[i]
		who, err := s.nameOf(ctx, t.By)
		if err != nil {
			return data, err
		}
		data.Published = append(data.Published, openLine{figures.PeriodWords(t.ID), s.date(t.At), who, "/public/data/" + t.ID})
		if t.ID == quarter {
			data.Again = "It is published already, and stays as it is."
		}
	}
	if !s.mayPublishAll(v) {
		data.Again = "A table holds every force's figures, so somebody who sees them all publishes it."
		return data, nil
	}
	draft, err := s.OpenData.Draft(ctx, quarter)
	if err != nil {
		return data, err
	}
	shown, withheld := 0, 0
	for i := range draft.Rows {
		r := &draft.Rows[i]
		row := openRow{Title: r.Title, Stage: stageWords[survey.Stage(r.Stage)], Area: r.Area, Count: r.Symbol, Base: r.Symbol, Share: r.Symbol}
		if row.Area == "" {
			row.Area = "All"
		}
		switch r.Symbol {
		case "":
			shown++
			row.Count, row.Base, row.Share = strconv.Itoa(*r.Count), strconv.Itoa(*r.Base), strconv.Itoa(*r.Share)+"%"
		case analysis.SymbolWithheld:
			withheld++
		}
		data.Rows = append(data.Rows, row)
	}
	data.Shown, data.Withheld, data.Empty = plural(shown, "figure is shown", "figures are shown"), plural(withheld, "is withheld", "are withheld"), shown == 0
	return data, nil
}

// mayPublishAll reports whether a visitor sees every force whose figures a table holds.
func (s *Pages) mayPublishAll(v visitor) bool {
	for _, force := range s.Survey.Geography().Forces() {
		if !v.sees(force) {
			return false
		}
	}
	return true
}

func (s *Pages) publishOpenData(c *gin.Context, v visitor) error {
	if !s.mayPublishAll(v) {
		return fault.New(fault.Denied, "A table holds every force's figures, so somebody who sees them all publishes it.")
	}
	quarter := typed(c, "quarter")
	_, cause := s.OpenData.Publish(c.Request.Context(), v.actor(), quarter)
	if cause == nil {
		return page.See(c, "/figures/open-data?done=data-published")
	}
	if _, _, err := problems(cause); err != nil {
		return cause
	}
	if _, _, err := figures.Quarter(quarter); err != nil || fault.Is(cause, fault.Invalid) {
		quarter = analysis.LastQuarter(s.Now().In(s.zone()))
	}
	data, err := s.openDataOf(c, v, quarter)
	if err != nil {
		return err
	}
	status, err := retry(&data.Work, cause, "none")
	if err != nil {
		return err
	}
	return s.show(c, status, "open-data", data)
}
