package workspace

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"victimvoice/analysis/figures"
	"victimvoice/survey/questionnaires"
)

// stepBack fills the panel with n people's answers to the withdrawn questionnaire.
func (w *world) stepBack(n int) {
	w.t.Helper()
	q := w.survey.Questionnaires().Current("withdrawn")
	it, _ := q.Item("wd.reasons")
	for i := range n {
		at := present.AddDate(0, 0, -20-i)
		codes := []string{[]string{"my-safety", "too-slow"}[i%2]}
		if i%3 == 0 {
			codes = append(codes, "mental-health")
		}
		id := "back-" + at.Format(time.DateOnly)
		if err := w.analysis.Panel().ApplyResponses(figures.ResponseRow{ID: id, CaseKey: id, Stage: "withdrawn", Round: 1, Mode: figures.ModeSelf, Questionnaire: q.ID, Disposition: "complete", SubmittedAt: at, ChangedAt: at, Packed: q.Pack(questionnaires.Answers{it.ID: it.Choose(codes...)})}); err != nil {
			w.t.Fatal(err)
		}
	}
}

func TestAttrition(t *testing.T) {
	w := newWorld(t).staff()
	w.want(w.get(cora, "/attrition"), http.StatusOK, "Fewer than 30 cases were reported three months ago or more", "Nobody has answered the withdrawn questionnaire yet", "the reasons that police record stand here", "as at 23 November 2026")
	w.lives(10)
	w.stepBack(4)
	a := w.get(cora, "/attrition")
	w.want(a, http.StatusOK, "Fewer than 30 cases", "Too few people have answered the withdrawn questionnaire")
	if strings.Contains(a.body, "<td") || strings.Contains(a.body, "<svg") {
		t.Error("ten cases are told")
	}
	w.lives(900)
	w.stepBack(60)
	body := w.page(ines, "/attrition")
	for _, words := range []string{
		"900 cases, reported from", "Still open: not yet an outcome", "The same or the next day", "From four weeks to three months", "its share of 169 withdrawals",
		"Before they withdrew", "Not kept informed well", "more often", "95% intervals by Newcombe", "Not willing", "No criminal justice outcome wanted", "60 people answered",
		"They came first; that is all that is known",
	} {
		if !strings.Contains(body, words) {
			t.Errorf("the page does not say %q", words)
		}
	}
	for _, words := range []string{"because", "leads to", "due to", "effect of", "impact"} {
		if strings.Contains(strings.ToLower(body), words) {
			t.Errorf("the page says %q", words)
		}
	}
	w.person("fay", "City of London Police", "commissioner")
	w.want(w.get("fay", "/attrition"), http.StatusOK, "Fewer than 30 cases", "City of London Police")
}
