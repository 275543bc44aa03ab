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

// lives fills the panel with n people who reported over two years, answered, and
// withdrew more often where they were not kept informed, half of them in all; their
// reasons as the police record them are two. Everything else varies and says nothing.
func (w *world) lives(n int) {
	w.t.Helper()
	q := w.survey.Questionnaires().Current("report")
	choose := func(a questionnaires.Answers, item, code string) {
		it, ok := q.Item(item)
		if !ok {
			w.t.Fatalf("no item %s", item)
		}
		a[item] = it.Choose(code)
	}
	either := func(k, of int, yes, no string) string {
		if k%of == 0 {
			return yes
		}
		return no
	}
	var cases []figures.CaseRow
	var responses []figures.ResponseRow
	for i := range n {
		k := i * 7919 % 10007
		at := present.AddDate(0, 0, -95-i%600)
		c := figures.CaseRow{Key: fmt.Sprintf("life-%d", i), ChangedAt: present, Force: force, BCU: "West", Borough: "Ealing", ReportedAt: at, DomesticAbuse: int8(k % 2),
			Offence: either(k/2, 3, "stalking-4a", "stalking-2a"), AgeBand: either(k/6, 2, "35-44", "18-24"), Sex: either(k/12, 3, "male", "female")}
		a := questionnaires.Answers{}
		choose(a, "core.confidence", either(k/3, 2, "not-very", "fairly"))
		informed := either(k/5, 2, "not-very-well", "very-well")
		choose(a, "core.informed", informed)
		choose(a, "core.serious", either(k/7, 2, "disagree", "agree"))
		choose(a, "report.named", either(k/11, 2, "yes", "no"))
		choose(a, "report.risk", either(k/13, 3, "yes", "no"))
		choose(a, "report.support", either(k/17, 2, "yes-wanted", "not-offered"))
		choose(a, "advice.codes", either(k/19, 3, "block", "keep-diary"))
		choose(a, "advice.risk", either(k/23, 5, "yes", "no"))
		part := 3 // in ten withdrew
		if informed == "not-very-well" {
			part = 7
		}
		if k/29%10 < part {
			c.WithdrewAt = at.Add(time.Duration(4+k%100) * 24 * time.Hour)
			c.Outcome, c.ClosedAt = "nfa-other", c.WithdrewAt
			c.Reason = either(k/31, 4, "no-cj-outcome-wanted", "not-willing")
		} else if k/37%2 == 0 {
			c.Outcome, c.ClosedAt = "nfa-evidential", at.Add(time.Duration(10+k%120)*24*time.Hour)
		}
		cases = append(cases, c)
		answered := at.Add(50 * time.Hour)
		responses = append(responses, figures.ResponseRow{ID: c.Key, CaseKey: c.Key, Stage: "report", Round: 1, Mode: figures.ModeSelf, Questionnaire: q.ID, Disposition: "complete", SubmittedAt: answered, ChangedAt: answered, Packed: q.Pack(a)})
	}
	w.analysis.Panel().ApplyCases(cases...)
	if err := w.analysis.Panel().ApplyResponses(responses...); err != nil {
		w.t.Fatal(err)
	}
}

func TestDrivers(t *testing.T) {
	w := newWorld(t).staff()
	w.want(w.get(cora, "/drivers"), http.StatusOK, "From 100 on, this page says what goes with it.", "What will be asked about", "as at 23 November 2026")
	w.lives(10)
	a := w.get(cora, "/drivers?outcome=low-confidence")
	w.want(a, http.StatusOK, "From 100 on")
	if strings.Contains(a.body, "<svg") || strings.Contains(a.body, "<table") {
		t.Error("ten answers are told")
	}
	w.lives(1200)
	for _, outcome := range []string{"withdrew", "nfa", "low-confidence"} {
		body := w.page(ines, "/drivers?outcome="+outcome)
		for _, words := range []string{"Odds ratio", "McFadden", "as you would read that one", "by chance alone", "variance inflation", "goes with", `aria-label="Table"`} {
			if !strings.Contains(body, words) {
				t.Errorf("%s: the page does not say %q", outcome, words)
			}
		}
		// No word that claims a cause.
		for _, words := range []string{"because", "cause", "leads to", "results in", "due to", "effect of", "impact", "drives", "predict"} {
			if strings.Contains(strings.ToLower(body), words) {
				t.Errorf("%s: the page says %q", outcome, words)
			}
		}
	}
	w.want(w.get(cora, "/drivers"), http.StatusOK, "Not kept informed well <span class=\"soft plain\">against kept informed very or fairly well</span>", "goes with withdrawing more often")
	w.want(w.get(cora, "/drivers?outcome=%3Cscript%3E"), http.StatusUnprocessableEntity, "Is one of withdrew, nfa, low-confidence", "Choose one of the three outcomes")
	for _, who := range []string{ann, adam} {
		w.want(w.get(who, "/drivers"), http.StatusForbidden)
	}
}

// Whoever is held to a force sees its people alone.
func TestDriversOfOneForce(t *testing.T) {
	w := newWorld(t).staff()
	w.lives(400)
	w.person("fay", "City of London Police", "commissioner")
	w.want(w.get("fay", "/drivers"), http.StatusOK, "City of London Police · as at", "From 100 on")
}
