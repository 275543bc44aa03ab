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
		"Counted share", "Corrected share", "as counted, 95% interval", "Corrected for the coder&#39;s errors: ", "a cross on a chart is the corrected one.", "% of people who wrote, as counted",
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

// TestThemes: every theme with both sides, as counted and corrected, by the panel's call.
func TestThemes(t *testing.T) {
	w := newWorld(t).staff()
	for _, path := range []string{"/themes", "/themes/COM_UPDATES"} {
		if body := w.page(cora, path); !strings.Contains(body, "Nobody has written anything within these filters") || strings.Contains(body, "<svg") {
			t.Errorf("%s does not explain that there is nothing", path)
		}
	}
	w.codedOver(240)
	w.ofForce()
	body := w.page(cora, "/themes?by=month")
	r, err := w.analysis.Figures(t.Context(), url.Values{"measure": {"theme.COM_UPDATES.negative"}, "by": {"year"}})
	if err != nil {
		t.Fatal(err)
	}
	last := r.Points[len(r.Points)-1]
	if last.Corrected == nil {
		t.Fatalf("nothing is corrected: %+v", last)
	}
	for _, words := range []string{
		percent(*last.Share) + ` <span class="soft">` + interval(&r, &last) + "</span>", "corrected " + percent(last.Corrected.Share), `href="/themes/COM_UPDATES?by=month"`, `class="spark"`, "New words",
		"chance alone would give about",
	} {
		if !strings.Contains(body, words) {
			t.Errorf("the page of themes lacks %q", words)
		}
	}
	body = w.page(cora, "/themes/COM_UPDATES?by=month")
	for _, words := range []string{
		"% of people who wrote, as counted (× corrected)", `class="chart-corrected"`, "Corrected share", "break: from October 2025 on", "By area", "By stage", "West Area",
		"/figures/theme.COM_UPDATES.negative/chart?by=month&amp;format=png", "/figures/theme.COM_UPDATES.positive/table?by=month&amp;format=csv", "/explore?area=by%3Abcu&amp;measure=theme.COM_UPDATES.negative",
		"A person has coded the words of 240 people drawn at random", "New words", "No quotation is shown.",
	} {
		if !strings.Contains(body, words) && !strings.Contains(body, lowerFirst(words)) {
			t.Errorf("the page of a theme lacks %q", words)
		}
	}
	// By area: the panel's own figures.
	all, err := w.analysis.Figures(t.Context(), url.Values{"measure": {"theme.COM_UPDATES.negative"}, "by": {"bcu"}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range all.Points {
		if p := &all.Points[i]; p.Share != nil && !strings.Contains(body, `<td class="num">`+percent(*p.Share)+`</td><td class="num">`+interval(&all, p)+"</td>") {
			t.Errorf("%v is not on the page", p.Key)
		}
	}
	w.want(w.get(cora, "/themes/COM_NOTHING"), http.StatusNotFound, "There is no such theme")
	for _, q := range []string{"by=week", "from=soon", "offence=other&outcome=charged"} {
		for _, path := range []string{"/themes?", "/themes/COM_UPDATES?"} {
			if a := w.get(cora, path+q); a.Code != http.StatusUnprocessableEntity || strings.Contains(a.body, `class="spark"`) {
				t.Errorf("%s%s: %d", path, q, a.Code)
			}
		}
	}
	if a := w.get(ann, "/themes"); a.Code != http.StatusForbidden {
		t.Errorf("an advocate: %d", a.Code)
	}
}
