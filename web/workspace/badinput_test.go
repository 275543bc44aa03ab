package workspace

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"victimvoice/analysis/figures"
	"victimvoice/internal/fault"
	"victimvoice/survey/questionnaires"
)

// answeredAlike puts answers to the report questionnaire into the panel, all of them
// the same: n a month for so many months up to October 2026, each of an area of its own where wanted.
func (w *world) answeredAlike(n, months int, areas bool) {
	w.t.Helper()
	q := w.survey.Questionnaires().Current("report")
	it, _ := q.Item("core.informed")
	for m := range months {
		var cases []figures.CaseRow
		var rows []figures.ResponseRow
		for i := range n {
			key, borough := fmt.Sprintf("alike-%d-%d", m, i), "Merton"
			if areas {
				borough = fmt.Sprintf("Area %d", i)
			}
			at := time.Date(2026, time.October-time.Month(m), 5, 12, 0, 0, 0, time.UTC)
			cases = append(cases, figures.CaseRow{Key: key, ChangedAt: at, Force: force, BCU: "South West", Borough: borough, ReportedAt: at,
				Asks: []figures.AskRow{{Stage: "report", Round: 1, DueAt: at, SentAt: at, Disposition: figures.Completed}}})
			rows = append(rows, figures.ResponseRow{ID: key, CaseKey: key, Stage: "report", Round: 1, Mode: figures.ModeSelf, Questionnaire: q.ID, Disposition: "complete",
				SubmittedAt: at, ChangedAt: at, Packed: q.Pack(questionnaires.Answers{it.ID: it.Choose("very-well")})})
		}
		w.analysis.Panel().ApplyCases(cases...)
		if err := w.analysis.Panel().ApplyResponses(rows...); err != nil {
			w.t.Fatal(err)
		}
	}
}

// TestBadInput asks every page of figures, its files and the call that the API makes for
// what cannot be answered, or hardly: each says what happened, and none breaks.
func TestBadInput(t *testing.T) {
	const ok, wrong, missing = http.StatusOK, http.StatusUnprocessableEntity, http.StatusNotFound
	type line struct {
		path   string
		status int
		says   string
	}
	const nobody, withheld = "Nobody has answered within these filters", "[c]"
	for _, tt := range []struct {
		name  string
		given func(*world)
		lines []line
	}{
		{"filters that contradict", func(w *world) { w.answersOver(2) }, []line{
			{"/explore?measure=core.informed&area=bcu:West&borough=Merton&period=all", ok, nobody},
			{"/explore?measure=core.informed&stage=report&stage=closure", wrong, "given twice"},
			{"/explore?measure=core.informed&more=by:age_band&sex=female", wrong, "at most one attribute"},
			{"/explore/compare?measure=core.informed&first=bcu:West&second=sex:male", wrong, "of another kind"},
			{"/explore/areas?measure=core.informed&stage=report&stage=closure", wrong, "given twice"}, {"/explore/compare?first=sex:male&first=sex:female&second=sex:female", wrong, "given twice"},
			{"/explore/unheard?by=offence&area=by:bcu", wrong, "not a split into several"},
			{"/explore/journey?area=borough:Merton", wrong, "too few people who answered twice"},
			{"/figures?from=2026-05&to=2026-02", wrong, "is after from"},
			{"/figures/core.informed?age_band=25-34&sex=female", wrong, "at most one attribute"},
			{"/figures/core.informed?bcu=West&borough=Merton", ok, nobody},
			{"/figures/core.informed/table?age_band=25-34&sex=female", wrong, "at most one attribute"},
			{"/figures/core.informed/chart?format=svg&age_band=25-34&sex=female", wrong, "at most one attribute"},
			{"/themes?from=2026-05&to=2026-02", wrong, "is after from"},
			{"/themes/take/csv?of=figures&from=2026-05&to=2026-02", wrong, "is after from"},
		}},
		{"periods with no data", func(w *world) { w.answersOver(2) }, []line{
			{"/explore?measure=core.informed&from=2029-01", ok, nobody},
			{"/explore/compare?measure=core.informed&first=year:2031&second=year:2032", ok, "Nobody has answered on either side"},
			{"/explore/areas?measure=core.informed&when=2005", ok, nobody}, {"/explore/areas?measure=core.informed&when=1999", wrong, "exactly one calendar month"},
			{"/explore/unheard?when=2035", ok, "Nobody was to be asked"},
			{"/figures?from=2029-01", ok, "No one has answered yet."},
			{"/figures/core.informed?from=2029-01", ok, nobody},
			{"/figures/core.informed/table?from=2029-01", ok, "numerator"},
			{"/figures/report?quarter=2031-Q1", wrong, "has not begun"},
			{"/themes?from=2029-01", ok, "Nobody has written anything within these filters"},
			{"/themes/COM_UPDATES?from=2029-01", ok, "Nobody has written anything within these filters"},
		}},
		{"one response", func(w *world) { w.answeredAlike(1, 1, false) }, []line{
			{"/explore?measure=core.informed", ok, withheld}, {"/explore?measure=core.informed&area=by:borough", ok, withheld},
			{"/explore/compare?measure=core.informed&first=borough:Merton&second=borough:Sutton", ok, "give it away"},
			{"/explore/areas?measure=core.informed", ok, "withheld"}, {"/explore/unheard", ok, withheld}, {"/explore/journey", ok, "Nobody here has answered at two stages yet"},
			{"/figures", ok, "withheld"}, {"/figures/core.informed", ok, "Too few have answered for a figure to be shown"}, {"/figures/core.informed/table", ok, "[c]"},
			{"/attrition", ok, ""}, {"/drivers", ok, ""}, {"/advice", ok, ""}, {"/figures/report", ok, ""}, {"/figures/take-away", ok, ""}, {"/themes", ok, "Nobody has written anything"},
		}},
		{"a hundred per cent", func(w *world) { w.answeredAlike(40, 14, false) }, []line{
			{"/explore?measure=core.informed&period=month", ok, "no spread to draw limits from"}, {"/figures/core.informed?by=month", ok, "100%"},
			{"/explore/areas?measure=core.informed", ok, ""}, {"/figures", ok, "100%"}, {"/figures/core.informed/table?by=month", ok, ",40,100,"},
			{"/figures/report", ok, ""}, {"/figures/core.informed/chart?by=month&format=svg", ok, "<svg"},
		}},
		{"a hundred per cent of few", func(w *world) { w.answeredAlike(20, 1, false) }, []line{
			{"/explore?measure=core.informed", ok, withheld}, {"/figures/core.informed", ok, "Too few have answered for a figure to be shown"},
		}},
		{"a questionnaire version without the item", func(w *world) { w.answersOver(2) }, []line{
			{"/explore?measure=report.contact&more=questionnaire:closure/1", ok, "That version of the questionnaire does not ask this"},
			{"/explore?measure=core.informed&more=questionnaire:report/99", ok, "There is no such version of a questionnaire"},
			{"/figures/report.contact?questionnaire=closure/1", ok, "That version of the questionnaire does not ask this"},
			{"/figures/report.contact/table?questionnaire=closure/1", ok, "numerator"},
		}},
		{"ten thousand areas", func(w *world) { w.answeredAlike(10000, 1, true) }, []line{
			{"/explore?measure=core.informed&area=by:borough", ok, ""}, {"/explore/areas?measure=core.informed&level=borough", ok, ""}, {"/explore/unheard?by=borough", ok, ""},
			{"/figures/core.informed?by=month,borough", ok, ""}, {"/figures/core.informed/table?by=month,borough", ok, ""}, {"/figures", ok, ""},
		}},
		{"hand-made addresses", func(w *world) { w.answersOver(2) }, []line{
			{"/explore?colour=red", wrong, "is not a dimension"}, {"/explore?measure=%00", wrong, "not a measure"}, {"/explore?measure=core.informed&from=9999999-01", wrong, "month or day such as"},
			{"/explore/compare?colour=red", wrong, "is not something that this page"}, {"/explore/areas?level=%3Cscript%3E", wrong, "borough, bcu or force"}, {"/explore/unheard?by=x", wrong, ""},
			{"/explore/journey?by=offence", wrong, "is not something that this page"}, {"/explore/nothing", missing, ""}, {"/explore/areas/take/csv?of=x&measure=core.informed", missing, "There is no such page"},
			{"/figures?colour=red", wrong, "is not a dimension"}, {"/figures/core.joy", missing, "no such measure"}, {"/figures/core.joy/table", wrong, "is not a measure"}, {"/figures/core.informed/table?format=pdf", wrong, ""},
			{"/figures/core.informed/chart?format=gif", wrong, ""}, {"/figures/take-away/package?by=postcode", wrong, "is one of those that the page offers"},
			{"/themes?colour=red", wrong, "is not a dimension"}, {"/themes/NO_SUCH", missing, "no such theme"}, {"/drivers?outcome=joy", wrong, "Is one of withdrew"},
			{"/explore?" + strings.Repeat("a=b&", 500), wrong, "There is a problem"},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t).staff()
			tt.given(w)
			for _, l := range tt.lines {
				a := w.get(cora, l.path)
				shown := a.body[:min(len(a.body), 300)]
				if i := strings.Index(a.body, "<main"); i >= 0 {
					shown = a.body[i:min(len(a.body), i+1500)]
				}
				if a.Code != l.status || len(a.body) == 0 || !strings.Contains(a.body, l.says) || strings.Contains(a.body, "<script>") || strings.Contains(a.body, "NaN") {
					t.Errorf("%s: %d (want %d), does not say %q: %s", l.path, a.Code, l.status, l.says, shown)
				}
				if strings.HasPrefix(a.Header().Get("Content-Type"), "text/html") {
					checkHTML(t, l.path, a.body)
				}
				if len(a.body) > 6<<20 {
					t.Errorf("%s weighs %d bytes", l.path, len(a.body))
				}
			}
		})
	}
}

// TestBadQueries does the same for the call that the API makes: a fault that names the
// field, or points that say why they are empty.
func TestBadQueries(t *testing.T) {
	for query, want := range map[string]string{
		"measure=core.informed&stage=report&stage=closure": "stage", "measure=core.informed&from=2026-05&to=2026-02": "to", "measure=core.informed&age_band=25-34&sex=female": "sex or age_band",
		"measure=core.joy": "measure", "measure=core.informed&colour=red": "colour", "measure=core.informed&by=week": "by", "measure=core.informed&from=soon": "from", "": "measure",
		"measure=core.informed&from=2029-01&by=month": "", "measure=report.contact&questionnaire=closure/1": "",
	} {
		w := newWorld(t)
		w.answersOver(1)
		v, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		r, err := w.analysis.Figures(t.Context(), v)
		switch {
		case want == "" && (err != nil || len(r.Points) != 0):
			t.Errorf("%s: %d points, %v", query, len(r.Points), err)
		case want != "" && (!fault.Is(err, fault.Invalid) || len(fault.FieldsOf(err)) == 0 || !strings.Contains(want, fault.FieldsOf(err)[0].Field)):
			t.Errorf("%s: %v, want a fault of %s", query, err, want)
		}
	}
	w := newWorld(t)
	w.answeredAlike(1, 1, false)
	r, err := w.analysis.Figures(t.Context(), url.Values{"measure": {"core.informed"}, "by": {"month"}})
	if err != nil || len(r.Points) != 1 || !r.Points[0].Suppressed || r.Points[0].Base != 0 || r.Points[0].Reason != figures.ReasonWithheld {
		t.Errorf("one response: %+v, %v", r.Points, err)
	}
}
