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

// adviceOver fills the panel with months of answers on advice up to now, forty a month:
// a third told to block, a fifth of those worried.
func (w *world) adviceOver(months int) {
	w.t.Helper()
	q := w.survey.Questionnaires().Current("report")
	codes, _ := q.Item("advice.codes")
	risk, _ := q.Item("advice.risk")
	var rows []figures.ResponseRow
	for m := range months {
		for i := range 40 {
			at := time.Date(present.Year(), present.Month()-time.Month(m), 2+i%20, 12, 0, 0, 0, time.UTC)
			a := questionnaires.Answers{codes.ID: codes.Choose("keep-diary"), risk.ID: risk.Choose("no")}
			if (i+m)%3 == 0 {
				a[codes.ID] = codes.Choose("block", "keep-diary")
			}
			if i%4 == m%3 {
				a[risk.ID] = risk.Choose("yes")
			}
			id := fmt.Sprintf("advice-%d-%d", m, i)
			w.analysis.Panel().ApplyCases(figures.CaseRow{Key: id, ChangedAt: at, Force: force, BCU: []string{"West", "South"}[i%2], Borough: []string{"Ealing", "Sutton"}[i%2]})
			rows = append(rows, figures.ResponseRow{ID: id, CaseKey: id, Stage: "report", Round: 1, Mode: figures.ModeSelf, Questionnaire: q.ID, Disposition: "complete", SubmittedAt: at, ChangedAt: at, Packed: q.Pack(a)})
		}
	}
	if err := w.analysis.Panel().ApplyResponses(rows...); err != nil {
		w.t.Fatal(err)
	}
}

func TestAdvicePage(t *testing.T) {
	w := newWorld(t).staff()
	w.want(w.get(cora, "/advice"), http.StatusOK, "Nobody has answered the question on advice within these filters", "Polarity table")
	w.lives(8)
	a := w.get(cora, "/advice")
	w.want(a, http.StatusOK, "Too few have answered for a figure to be shown")
	w.adviceOver(24)
	body := w.page(ines, "/advice")
	for _, words := range []string{
		"Harmful-advice rate", "Worried that it put them in more danger", "Judged by version 1 of the polarity table", "Harmful advice", "Good practice", "Depends on the case",
		"Each piece of advice", `class="spark"`, "By stage", "By area", "West", "chance alone would give", `href="/figures/advice.code.block`, "[c]",
	} {
		if !strings.Contains(body, words) {
			t.Errorf("the page does not say %q", words)
		}
	}
	if n := strings.Count(body, `<th scope="row"><a href="/figures/advice.code.`); n != 36 {
		t.Errorf("%d pieces of advice, want the list's 36", n)
	}
	w.want(w.get(cora, "/advice?bcu=West&stage=report&by=quarter&from=2025-01"), http.StatusOK, `<option value="West" selected>`, "January to March 2026")
	w.want(w.get(cora, "/advice?by=week"), http.StatusUnprocessableEntity, "There is a problem")
	w.want(w.get(cora, "/advice?colour=red"), http.StatusUnprocessableEntity, "Colour: is not a dimension.")
	w.want(w.get(cora, "/advice?bcu=Nowhere"), http.StatusOK, "Nobody has answered the question on advice")
	for _, who := range []string{ann, adam} {
		w.want(w.get(who, "/advice"), http.StatusForbidden)
		w.want(w.get(who, "/advice/table"), http.StatusForbidden)
	}
}

// A change is a new version with its reason on record, in force from the next month, from
// which the chart is broken; nobody but a commissioner of all forces can make one.
func TestPolarityTable(t *testing.T) {
	w := newWorld(t).staff()
	w.adviceOver(14)
	ctx := t.Context()
	if err := w.analysis.Refresh(ctx); err != nil {
		t.Fatal(err)
	}
	w.want(w.get(cora, "/advice/table"), http.StatusOK, "Version 1 is in force.", "Nothing has been changed", "Suzy Lamplugh Trust", "product default v1", `href="/advice/table/block"`)
	if body := w.page(ines, "/advice/table"); strings.Contains(body, `href="/advice/table/block"`) {
		t.Error("an analyst is offered the form")
	}
	w.want(w.get(cora, "/advice/table/block"), http.StatusOK, "in force from 1 December 2026", "Why it is changed")
	w.want(w.get(cora, "/advice/table/none-of-these"), http.StatusNotFound, "no such advice")
	form := []string{"number", "1", "polarity", "context", "basis", "Veritas 2025, page 4", "signed_off", "Head of practice", "note", "Right once evidence is kept."}
	w.want(w.post(ines, "/advice/table/block", form...), http.StatusForbidden)
	w.person("fay", "City of London Police", "commissioner")
	w.want(w.post("fay", "/advice/table/block", form...), http.StatusForbidden, "not held to one force")
	w.want(w.post(cora, "/advice/table/block", "number", "1", "polarity", "bad", "basis", " ", "signed_off", "", "note", ""), http.StatusUnprocessableEntity,
		"Is one of harmful, good, context", "Say what the polarity rests on", "Say which post or body answers for it", "Say why it is changed")
	w.want(w.post(cora, "/advice/table/block", "number", "x"), http.StatusUnprocessableEntity)
	old, _ := w.survey.Questionnaires().Advice().Entry("block")
	w.want(w.post(cora, "/advice/table/block", "number", "1", "polarity", old.Polarity, "basis", old.Basis, "signed_off", old.SignedOff, "note", "none"), http.StatusUnprocessableEntity, "Nothing has been changed")

	if a := w.post(cora, "/advice/table/block", form...); a.Code != http.StatusSeeOther || a.to != "/advice/table?done=advice-revised" {
		t.Fatalf("%d to %q: %s", a.Code, a.to, a.body)
	}
	w.want(w.post(cora, "/advice/table/block", form...), http.StatusConflict, "Somebody else changed the table in the meantime")
	w.want(w.get(ines, "/advice/table?done=advice-revised"), http.StatusOK, "Version 1 is in force.", "Below stands version 2, which comes into force on 1 December 2026", "Harmful → Depends on the case", "Veritas 2025, page 4", "Right once evidence is kept.", "Cora Example", "Kept as the next version")
	if record := w.page(adam, "/admin/record"); !strings.Contains(record, "advice.revised") {
		t.Error("the change is not on record")
	}
	// Until the month begins nothing is counted otherwise.
	if err := w.analysis.Refresh(ctx); err != nil {
		t.Fatal(err)
	}
	if body := w.page(cora, "/advice?by=month"); strings.Contains(body, "break:") || !strings.Contains(body, "version 1 of the polarity table") {
		t.Error("a version judges before its time")
	}
	w.now = time.Date(2026, 12, 15, 12, 0, 0, 0, time.UTC)
	for _, p := range []string{cora, ines} {
		token, _, err := w.access.SignIn(ctx, p+"@example.org", password, "192.0.2.1")
		if err != nil {
			t.Fatal(err)
		}
		w.tokens[p] = token
	}
	q := w.survey.Questionnaires().Current("report")
	codes, _ := q.Item("advice.codes")
	for i := range 40 {
		a := questionnaires.Answers{codes.ID: codes.Choose([]string{"block", "ignore", "keep-diary"}[i%3])}
		if err := w.analysis.Panel().ApplyResponses(figures.ResponseRow{ID: fmt.Sprint("december-", i), CaseKey: fmt.Sprint("december-", i), Stage: "report", Round: 1, Mode: figures.ModeSelf, Questionnaire: q.ID, Disposition: "complete", SubmittedAt: w.now, ChangedAt: w.now, Packed: q.Pack(a)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.analysis.Refresh(ctx); err != nil {
		t.Fatal(err)
	}
	w.want(w.get(cora, "/advice?by=month"), http.StatusOK, "break: from December 2026 on, advice was judged by version 2 of the polarity table, before by 1", "Judged by version 2")
	w.want(w.get(cora, "/figures/advice.harmful?by=month"), http.StatusOK, "Do not compare across it", "now version 2")
}
