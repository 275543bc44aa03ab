package workspace

import (
	"encoding/csv"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"victimvoice/analysis/figures"
	"victimvoice/internal/access"
	"victimvoice/survey/questionnaires"
)

func TestOverview(t *testing.T) {
	w := newWorld(t).staff()
	body := w.page(cora, "/figures")
	for _, words := range []string{"Nothing has fallen due yet", "No one has answered yet."} {
		if !strings.Contains(body, words) {
			t.Errorf("without answers the page does not say %q", words)
		}
	}
	w.answersOver(10)
	body = w.page(cora, "/figures")
	golden(t, "figures", body)
	for _, words := range []string{
		"Safe to ask", "Response rate (RR1)", "Not safe to ask", "95% interval", // the strip and the figures
		"Of the 12 charts with limits on this page,", "chance alone would give about", "charts signal by chance alone", "For context: other surveys", "At least one core question answered", // how far to trust a page of charts
		"By month: half the points rest on", // the period, and why
	} {
		if !strings.Contains(body, words) {
			t.Errorf("the overview does not say %q", words)
		}
	}
	if n := strings.Count(body, "<svg xmlns"); n != 12 {
		t.Errorf("%d charts, want 12", n)
	}
	// What was planted in January 2026 is said, and no cause with it.
	if !strings.Contains(body, "in the direction of improvement, worth looking into") {
		t.Error("the improvement is not found")
	}
	if !strings.Contains(w.page(cora, "/figures?bcu=Central+South&by=quarter&from=2024-01&mode="), `<option value="Central South" selected>`) {
		t.Error("the filters are not those of the address")
	}
}

// TestOverviewNumbers: what the page shows is what the panel gives.
func TestOverviewNumbers(t *testing.T) {
	w := newWorld(t).staff()
	w.answersOver(10)
	body := w.page(cora, "/figures?by=quarter")
	for _, stage := range []string{"report", "withdrawn"} {
		r, err := w.analysis.Figures(t.Context(), url.Values{"measure": {"core.advice"}, "stage": {stage}, "by": {"quarter"}})
		if err != nil {
			t.Fatal(err)
		}
		last := r.Points[len(r.Points)-1]
		want := percent(*last.Share) + "</b> <span class=\"soft\">95% interval " + whole(*last.Low) + "–" + percent(*last.High) + "<br>" + strconv.Itoa(last.Base) + " answered, " + figures.PeriodWords(last.Period)
		if !strings.Contains(body, want) {
			t.Errorf("%s: the page does not show %s", stage, want)
		}
	}
}

func TestHandMadeAddresses(t *testing.T) {
	w := newWorld(t).staff()
	w.answersOver(2)
	for _, path := range []string{"/figures", "/figures/core.confidence"} {
		for q, says := range map[string]string{
			"?by=week": "There is a problem", "?mode=everyone": "Is one of self, relayed, observed", "?from=yesterday": "month or day such as", "?colour=red": "Colour: is not a dimension.",
			"?from=2026-05&to=2026-02": "To: is after from.", "?age_band=25-34&sex=female": "at most one attribute", "?about_age=25-34&about_religion=none": "at most one attribute", "?bcu=Nowhere": "",
			"?by=month&by=quarter": "one period", "?from=%3Cscript%3Ealert(1)%3C%2Fscript%3E": "month or day such as",
		} {
			a := w.get(cora, path+q)
			want := http.StatusUnprocessableEntity
			if says == "" {
				want = http.StatusOK
			}
			w.want(a, want, says)
			if strings.Contains(a.body, "<script>") {
				t.Error("the address writes on the page")
			}
		}
	}
	w.want(w.get(cora, "/figures/core.nonsense"), http.StatusNotFound, "no such measure")
	w.want(w.get(cora, "/figures/core.confidence/table?format=pdf"), http.StatusUnprocessableEntity)
	w.want(w.get(cora, "/figures/core.confidence/table?by=week"), http.StatusUnprocessableEntity)
	w.want(w.get(cora, "/figures/core.confidence?bcu=Nowhere"), http.StatusOK, "Nobody has answered within these filters")
}

// TestFigureByWhatPeopleTold: one group of people, in the words of the question,
// and the filter stays when another is chosen.
func TestFigureByWhatPeopleTold(t *testing.T) {
	w := newWorld(t).staff()
	w.answersOver(10)
	q := w.survey.Questionnaires().About()
	it, _ := q.Item("about.ethnicity")
	for i := range 40 { // of the cases that answersOver makes
		key := "report-0-" + strconv.Itoa(i)
		at := time.Date(2023, 1, 2, 0, 0, 0, 0, time.UTC)
		w.analysis.Panel().ApplyCases(figures.CaseRow{Key: key, ChangedAt: at.AddDate(4, 0, 0), Force: force, BCU: "South West", Borough: "South West", AboutKeys: []string{key}})
		row := figures.AboutRow{Key: key, Questionnaire: q.ID, ChangedAt: at, Packed: q.Pack(questionnaires.Answers{it.ID: it.Choose([]string{"asian", "white"}[i%2])})}
		if err := w.analysis.Panel().ApplyAbouts(row); err != nil {
			t.Fatal(err)
		}
	}
	w.want(w.get(cora, "/figures/core.confidence?by=year,about_ethnicity"), http.StatusOK, "Ethnic group", "Asian or Asian British", "unknown")
	w.want(w.get(cora, "/figures/core.confidence?by=year&about_ethnicity=asian"), http.StatusOK, `name="about_ethnicity" value="asian"`)
	w.want(w.get(cora, "/figures/dissemination.safe?about_ethnicity=asian"), http.StatusUnprocessableEntity, "only people who answer tell about themselves")
}

func TestFigure(t *testing.T) {
	w := newWorld(t).staff()
	w.answersOver(10)
	body := w.page(cora, "/figures/core.informed?stage=report")
	for _, words := range []string{"Raise an action from this figure", "Very well” or “Fairly well", "Left out", "January 2023", "With 47 points, about"} {
		if !strings.Contains(body, words) {
			t.Errorf("the page does not say %q", words)
		}
	}
	if body := w.page(ines, "/figures/core.informed?stage=report"); strings.Contains(body, "Raise an action") || !strings.Contains(body, "format=csv") {
		t.Error("an analyst downloads figures and raises nothing")
	}
	if body := w.page(cora, "/figures/core.informed?by=bcu&stage=report&from=2026-10&to=2026-11"); !strings.Contains(body, "Central South") || strings.Contains(body, "Raise an action") {
		t.Error("a table of areas is a table, and no action is raised from it")
	}
	w.page(cora, "/figures/dissemination.safe")
	w.page(cora, "/figures/index.confidence")
	list := w.page(cora, "/figures/measures")
	if !strings.Contains(list, "/figures/core.confidence") || !strings.Contains(list, "/figures/theme.COM_UPDATES.negative") {
		t.Error("the list of measures is not whole")
	}
}

// TestWithheld: a base under ten is [c] on the page and empty in the file, and says why.
func TestWithheld(t *testing.T) {
	w := newWorld(t).staff()
	w.answersOver(2) // 2 of the withdrawn a month, 8 of reports
	body := w.page(cora, "/figures/core.confidence?stage=withdrawn&by=month")
	if !strings.Contains(body, "[c]") || !strings.Contains(body, figures.ReasonWithheld) {
		t.Error("it is not said that figures are withheld, and why")
	}
	if !strings.Contains(body, "Too few have answered for a figure to be shown") || strings.Contains(body, "Raise an action") {
		t.Error("there is no figure, and the page offers one")
	}
	a := w.get(cora, "/figures/core.confidence/table?stage=withdrawn&by=month")
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(a.body, "\ufeff"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 48 {
		t.Fatalf("%d rows, want the header and 47 months", len(rows))
	}
	for _, row := range rows[1:] {
		if row[2] != "" || row[3] != "" || row[4] != "" || row[7] != "[c]" {
			t.Fatalf("a withheld figure is in the file: %v", row)
		}
	}
}

// TestTableFile: page and file have the same numbers, and the export is on record.
func TestTableFile(t *testing.T) {
	w := newWorld(t).staff()
	w.answersOver(10)
	a := w.get(cora, "/figures/core.informed/table?format=csv&stage=report&by=quarter")
	if a.Code != http.StatusOK || a.Header().Get("Content-Disposition") != `attachment; filename="core-informed.csv"` {
		t.Fatalf("%d %v", a.Code, a.Header())
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(a.body, "\ufeff"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	body := w.page(cora, "/figures/core.informed?stage=report&by=quarter")
	for _, row := range rows[1:] {
		share, err := strconv.ParseFloat(row[4], 64)
		if err != nil {
			t.Fatal(err)
		}
		want := figures.PeriodWords(row[1]) + `</th><td class="num">` + percent(share) + `</td>`
		if !strings.Contains(body, want) || !strings.Contains(body, `<td class="num">`+row[2]+`</td><td class="num">`+row[3]) {
			t.Errorf("%v is not on the page", row)
		}
	}
	for _, format := range []string{"xlsx", "jsonl"} {
		if a := w.get(ines, "/figures/core.informed/table?stage=report&format="+format); a.Code != http.StatusOK || len(a.body) == 0 {
			t.Errorf("%s: %d", format, a.Code)
		}
	}
	if !strings.Contains(w.page(adam, "/admin/record"), "figures.exported") {
		t.Error("the export is not on record")
	}
	w.want(w.get(adam, "/figures/core.informed/table"), http.StatusForbidden)
}

// TestOwnForce: a commissioner of one force sees no other's figures.
func TestOwnForce(t *testing.T) {
	w := newWorld(t)
	w.answersOver(10)
	w.person("kent", "Kent Police", access.Commissioner)
	w.person("met", force, access.Commissioner)
	w.want(w.get("kent", "/figures"), http.StatusOK, "No one has answered yet.", "Nothing has fallen due yet")
	w.want(w.get("kent", "/figures/core.informed"), http.StatusOK, "Nobody has answered within these filters")
	w.want(w.get("kent", "/figures/core.informed?force=Metropolitan+Police"), http.StatusForbidden)
	w.want(w.get("kent", "/figures/core.informed/table?force=Metropolitan+Police"), http.StatusForbidden)
	w.want(w.get("met", "/figures/core.informed?stage=report"), http.StatusOK, "January 2023")
}
