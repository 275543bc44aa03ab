package workspace

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"victimvoice/analysis/figures"
)

func TestExplore(t *testing.T) {
	w := newWorld(t).staff()
	if body := w.page(cora, "/explore"); !strings.Contains(body, "Nobody has answered within these filters") {
		t.Error("without answers the page does not say so")
	}
	w.answersOver(10)
	golden(t, "explore", w.page(cora, "/explore?measure=core.informed&area=by:bcu"))
	for path, says := range map[string][]string{
		"":                                      {"Each command unit (BCU)", "Boroughs of", "Split by", "Ethnic group", "Questionnaire version", "By month: half the points rest on", "With 47 points, about"},
		"?measure=core.informed&stage=report":   {"in the direction of improvement", "Left out"},
		"?measure=core.informed&stage=by:stage": {"Over time", "Of the 4 charts with limits on this page", "Withdrawn"},
		"?measure=core.informed&more=by:about_ethnicity":                      {"Ethnic group", "Asian or Asian British", "unknown"},
		"?measure=core.informed&more=about_ethnicity:unknown":                 {"Ethnic group: unknown"},
		"?measure=core.informed&more=by:mode":                                 {"Each way of answering by itself"},
		"?measure=core.informed&more=mode:relayed":                            {"relayed by advocates", "Nobody has answered"},
		"?measure=core.informed&period=all&area=by:borough":                   {"All time together", "South West"},
		"?measure=core.informed&area=in:South+West":                           {"South West"},
		"?measure=dissemination.invited&more=by:age_band":                     {"Everyone who was to be asked"},
		"?measure=report.contact&stage=closure":                               {"This is not asked at that stage, but at: report."},
		"?measure=core.informed&stage=withdrawn&area=by:borough&period=month": {"withheld, so that nobody can be told from a figure"},
	} {
		body := w.page(cora, "/explore"+path)
		for _, words := range says {
			if !strings.Contains(body, words) {
				t.Errorf("/explore%s does not say %q", path, words)
			}
		}
	}
}

// An address that asks for what is not on the lattice gets a page that says what is
// wrong, and no figure.
func TestExploreRefuses(t *testing.T) {
	w := newWorld(t).staff()
	w.answersOver(2)
	for q, says := range map[string]string{
		"?measure=core.happiness": "not a measure", "?period=week": "month, quarter, year or all", "?stage=trial": "one of report", "?stage=by:mode": "one of report",
		"?area=by:offence": "not something that this control is for", "?area=Ealing": "not something that figures", "?more=by:bcu": "not something that this control is for",
		"?more=by:postcode": "not something that figures", "?more=age_band:": "not something that figures", "?more=by:age_band&sex=female": "at most one attribute",
		"?more=mode:relayed&by=offence": "at most one attribute", "?more=mode:everyone": "one of self", "?colour=red": "is not a dimension", "?measure=response.rr1&more=by:mode": "have no mode",
		"?measure=dissemination.safe&more=by:about_age": "only people who answer tell about themselves", "?from=yesterday": "month or day such as", "?from=2026-05&to=2026-02": "is after from",
		"?period=all&from=2026-02": "exactly one calendar month", "?stage=report&stage=closure": "given twice", "?more=%3Cscript%3Ealert(1)%3C%2Fscript%3E": "not something that figures",
	} {
		a := w.get(cora, "/explore"+q)
		w.want(a, http.StatusUnprocessableEntity, "There is a problem", says)
		if strings.Contains(a.body, "<svg") || strings.Contains(a.body, "<script>") {
			t.Errorf("%s: a figure, or a script, on the page", q)
		}
	}
	w.want(w.get(cora, "/explore?force=City+of+London+Police"), http.StatusOK)
	w.want(w.get(ann, "/explore"), http.StatusForbidden)
}

// Whatever the controls offer is on the lattice, for every kind of measure.
func TestExploreOffersTheLattice(t *testing.T) {
	w := newWorld(t).staff()
	w.answersOver(1)
	v := visitor{User: w.users[cora]}
	for id, every := range map[string]int{"core.informed": 1, "index.communication": 9, "theme.COM_UPDATES.any": 9, "response.rr1": 4, "dissemination.safe": 9, "report.contact": 9} {
		m, _ := w.analysis.Panel().Measure(id)
		fields := w.pages.exploreFields(&m, map[string]string{}, v)
		offered := map[string]bool{}
		for n, more := range fields[3].Choices {
			offered[more.Value] = true
			if n%every != 0 {
				continue
			}
			// Each thing more with some stage and some area: every value of those comes by.
			stages, areas := fields[1].Choices, fields[2].Choices
			set := url.Values{ctlMeasure: {id}, ctlStage: {stages[n%len(stages)].Value}, ctlArea: {areas[n%len(areas)].Value}, ctlMore: {more.Value}, ctlPeriod: {figures.DimYear}}
			if a := w.get(cora, "/explore?"+set.Encode()); a.Code != http.StatusOK {
				t.Errorf("%v is offered and refused: %d", set, a.Code)
			}
		}
		for _, d := range figures.Dimensions() {
			if d.Attribute() && offered[splitPrefix+d.ID] != m.Takes(d.ID) {
				t.Errorf("%s by %s: offered %v", id, d.ID, offered[splitPrefix+d.ID])
			}
		}
	}
}
