package workspace

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"victimvoice/analysis/figures"
	"victimvoice/survey/questionnaires"
)

// walkers answers at two stages: people whose answers moved, in one unit.
func (w *world) walkers(n int) {
	w.t.Helper()
	sets := w.survey.Questionnaires()
	for i := range n {
		key := fmt.Sprintf("walker-%d", i)
		at := time.Date(2026, 2, 1+i%20, 12, 0, 0, 0, time.UTC)
		w.analysis.Panel().ApplyCases(figures.CaseRow{Key: key, ChangedAt: at, Force: force, BCU: "South West", Borough: "Merton", Sex: []string{"female", "female", "male"}[i%3], AgeBand: "25-34"})
		for k, stage := range []string{"report", "investigation"} {
			id := stage + "/1"
			q, _ := sets.ByID(id)
			it, _ := q.Item("core.informed")
			code := []string{"very-well", "not-very-well"}[(i/4+k)%2]
			if i%4 < 2 {
				code = []string{"very-well", "not-very-well"}[i%2]
			}
			row := figures.ResponseRow{ID: key + stage, CaseKey: key, Stage: stage, Round: 1, Mode: figures.ModeSelf, Questionnaire: id, Disposition: "complete", SubmittedAt: at.AddDate(0, k, 0), ChangedAt: at, Packed: q.Pack(questionnaires.Answers{it.ID: it.Choose(code)})}
			if err := w.analysis.Panel().ApplyResponses(row); err != nil {
				w.t.Fatal(err)
			}
		}
	}
}

func TestExploreOtherPages(t *testing.T) {
	w := newWorld(t).staff()
	for path, says := range map[string]string{"compare": "Choose two groups of one kind", "areas": "Nobody has answered within these filters", "unheard": "Nobody was to be asked", "journey": "Nobody here has answered at two stages yet"} {
		if body := w.page(cora, "/explore/"+path); !strings.Contains(body, says) {
			t.Errorf("without answers /explore/%s does not say %q", path, says)
		}
	}
	w.answersOver(10)
	w.walkers(80)
	for path, says := range map[string][]string{
		"compare?measure=core.informed&first=bcu:South+West&second=bcu:Central+South":                 {"95% interval", "no difference", "score interval for two independent shares", "Left out", "All time together"},
		"compare?measure=core.informed&first=year:2025&second=year:2026&stage=report":                 {"2025 lies below 2026", "more than chance alone readily gives"},
		"compare?measure=core.informed&first=stage:report&second=stage:closure":                       {"not quite apart"},
		"compare?measure=index.communication&first=bcu:South+West&second=bcu:Central+South":           {"Score"},
		"compare?measure=core.informed&first=sex:male&second=sex:female":                              {"95% interval"},
		"compare?measure=core.informed&first=about_ethnicity:asian&second=about_ethnicity:white":      {"Nobody has answered on either side."},
		"compare?measure=core.informed&first=borough:Merton&second=borough:South+West&when=2026":      {"Difference"},
		"compare?measure=core.informed&first=offence:stalking-2a&second=offence:unknown&when=2026-Q1": {"January to March 2026"},
		"areas?measure=core.informed":                         {"Of 4 areas shown", "exact binomial limits", "All areas", "chance alone would put about"},
		"areas?measure=core.informed&level=borough&when=2026": {"areas shown"},
		"areas?measure=response.rr1":                          {"Askings in the base"},
		"unheard":                                             {"Against all others", "Everyone recorded"},
		"unheard?by=bcu&stage=closure":                        {"score interval for two independent shares", "All groups together"},
		"journey":                                             {"Report to investigation", "for pairs (method 10", "Communication", "by chance alone"},
		"journey?area=bcu:South+West":                         {"South West"},
	} {
		body := w.page(cora, "/explore/"+path)
		for _, words := range says {
			if !strings.Contains(body, words) {
				t.Errorf("/explore/%s does not say %q", path, words)
			}
		}
	}
	for path, says := range map[string]string{
		"compare?first=bcu:South+West&second=year:2026": "of another kind", "compare?first=bcu:South+West&second=bcu:South+West": "s the same as the first", "compare?first=postcode:x&second=postcode:y": "is not a dimension",
		"compare?first=year:2025&second=year:2026&when=2026": "already said", "compare?first=bcu:North+East&second=bcu:South+West&area=bcu:West": "already said", "compare?first=x&second=y": "of another kind",
		"compare?colour=red": "is not something that this page", "compare?first=bcu:a&second=bcu:b&when=soon": "s one year", "compare?measure=core.joy&first=bcu:a&second=bcu:b": "not a measure",
		"areas?measure=index.communication": "s a mean of scores", "areas?level=offence": "borough, bcu or force", "areas?when=2026-Q7": "s one year", "areas?stage=trial": "one of report",
		"unheard?by=about_age": "what is known of those who did not answer", "unheard?by=mode": "what is known of those", "unheard?by=offence&area=by:bcu": "not a split into several", "unheard?stage=trial": "one of report",
		"journey?area=borough:Merton": "too few people who answered twice", "journey?by=offence": "is not something that this page", "journey?area=offence:x": "not something that this control is for",
	} {
		a := w.get(cora, "/explore/"+path)
		w.want(a, http.StatusUnprocessableEntity, "There is a problem", says)
		if strings.Contains(a.body, "<svg") {
			t.Errorf("%s: a figure on the page", path)
		}
	}
}

// Withheld groups are named and nothing of them is said.
func TestExploreWithholds(t *testing.T) {
	w := newWorld(t).staff()
	w.answersOver(10)
	w.walkers(4)
	body := w.page(cora, "/explore/areas?measure=core.informed&level=borough")
	if !strings.Contains(body, "Not on the plot, since their figures are withheld: ") || !strings.Contains(body, "Merton") {
		t.Error("withheld areas are not named")
	}
	w.want(w.get(cora, "/explore/compare?measure=core.informed&first=borough:Merton&second=borough:South+West"), http.StatusOK, "can&#39;t be compared: the difference would give it away")
	w.want(w.get(cora, "/explore/journey"), http.StatusOK, "[c]", figures.ReasonWithheld)
}

// A visitor of one force sees that force's groups alone.
func TestExploreOfOneForce(t *testing.T) {
	w := newWorld(t).staff()
	w.answersOver(10)
	w.person("carl", "City of London Police", "commissioner")
	for _, path := range []string{"", "/areas", "/unheard", "/journey", "/compare?first=sex:unknown&second=sex:male"} {
		body := w.page("carl", "/explore"+path)
		if strings.Contains(body, "South West") {
			t.Errorf("%s shows another force's areas", path)
		}
		sep := "?"
		if strings.Contains(path, "?") {
			sep = "&"
		}
		w.want(w.get("carl", "/explore"+path+sep+"force=Metropolitan+Police"), http.StatusForbidden)
	}
}
