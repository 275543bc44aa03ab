package workspace

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"victimvoice/analysis/figures"
	"victimvoice/survey/questionnaires"
)

// codedOver fills the panel with three years of coded words, sixty a month, the last
// thirteen months by the second version of the coder; of the second, as many people as
// asked have been drawn at random and coded by a person.
func (w *world) codedOver(drawn int) {
	w.t.Helper()
	rng := rand.New(rand.NewPCG(4, 8))
	q := w.survey.Questionnaires().Current("report")
	has := []figures.ThemeLabel{{Code: "COM_UPDATES", Polarity: "negative"}}
	var responses []figures.ResponseRow
	var rows []figures.ThemeRow
	for m := range 36 {
		for i := range 60 {
			at := time.Date(2023, time.November+time.Month(m), 1+i%27, 12, 0, 0, 0, time.UTC)
			id := fmt.Sprintf("words-%d-%d", m, i)
			responses = append(responses, figures.ResponseRow{ID: id, CaseKey: id, Stage: "report", Round: 1, Mode: figures.ModeSelf, Questionnaire: q.ID, Disposition: "complete", SubmittedAt: at, ChangedAt: at, Packed: q.Pack(questionnaires.Answers{})})
			row := figures.ThemeRow{ResponseID: id, Item: "open.better", ChangedAt: at, CodebookVersion: "1"}
			truth := rng.Float64() < .3
			found := truth && rng.Float64() < .8 || !truth && rng.Float64() < .1
			if found {
				row.Labels = has
			}
			if m >= 23 {
				row.CodebookVersion = "2"
				if drawn > 0 {
					drawn--
					row.Person, row.Drawn, row.Machine, row.Labels = true, true, row.Labels, nil
					if row.Machine == nil {
						row.Machine = []figures.ThemeLabel{}
					}
					if truth {
						row.Labels = has
					}
				}
			}
			rows = append(rows, row)
		}
	}
	if err := w.analysis.Panel().ApplyResponses(responses...); err != nil {
		w.t.Fatal(err)
	}
	w.analysis.Panel().ApplyThemes(rows...)
}

// TestTheme: the page gives counted and corrected share, says which is drawn and
// what the correction rests on, and lists the break of the trend under the chart.
func TestTheme(t *testing.T) {
	w := newWorld(t).staff()
	w.codedOver(240)
	path := "/figures/theme.COM_UPDATES.negative?by=month"
	body := w.page(cora, path)
	for _, words := range []string{
		"Counted share", "Corrected share", "as counted, 95% interval", "Corrected for the coder&#39;s errors: ", "Charts draw the counted share.", "% of people who wrote, as counted",
		"1: break: from October 2025 on, words were coded by version 2, before by 1. Do not compare across it", "Limits are drawn on either side of the break by itself.",
		"Version 1: no corrected share, since nobody&#39;s words have been drawn at random and coded by a person yet, and those of 100 people are needed.", "Version 2: a person has coded the words of 240 people drawn at random.", "[x]: not available",
	} {
		if !strings.Contains(body, words) {
			t.Errorf("the page does not say %q", words)
		}
	}
	r, err := w.analysis.Figures(t.Context(), url.Values{"measure": {"theme.COM_UPDATES.negative"}, "by": {"month"}})
	if err != nil {
		t.Fatal(err)
	}
	last := r.Points[len(r.Points)-1]
	if last.Corrected == nil || !strings.Contains(body, `<td class="num">`+percent(last.Corrected.Share)+`</td><td class="num">`+whole(last.Corrected.Low)+"–"+percent(last.Corrected.High)+"</td>") {
		t.Errorf("the corrected share of the panel is not on the page: %+v", last.Corrected)
	}
	a := w.get(cora, "/figures/theme.COM_UPDATES.negative/table?format=csv&by=month")
	w.want(a, http.StatusOK, "corrected,corrected_low,corrected_high,coder", fmt.Sprint(last.Corrected.Share))
}

func TestThemeWithoutASample(t *testing.T) {
	w := newWorld(t).staff()
	w.codedOver(99)
	body := w.page(cora, "/figures/theme.COM_UPDATES.negative?by=quarter")
	if !strings.Contains(body, figures.NoteCounted[:30]) || !strings.Contains(body, "99 people drawn at random, and 100 are needed") || strings.Contains(body, "Corrected share") {
		t.Error("without a sample only the counted share is given, and it is said why")
	}
	if body := w.page(cora, "/figures/core.informed"); strings.Contains(body, "counted") && strings.Contains(body, "Counted share") {
		t.Error("a question is not counted by a coder")
	}
}
