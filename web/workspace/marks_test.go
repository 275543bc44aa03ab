package workspace

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"victimvoice/internal/access"
)

// TestMarks: a policy change stands on every chart, with its number in the table, and
// goes again when it is taken back; both stay on record.
func TestMarks(t *testing.T) {
	w := newWorld(t).staff()
	w.answersOver(10)
	if body := w.page(cora, "/figures/marks"); !strings.Contains(body, "Nothing has been put on the time axis yet.") {
		t.Error("an empty page does not say so")
	}
	w.want(w.post(cora, "/figures/marks", "kind", "policy", "on", "31 March", "title", " "), http.StatusUnprocessableEntity, "Give a date such as 2026-03-01", "Say in a few words what happened", `value="31 March"`)
	w.want(w.post(ines, "/figures/marks", "kind", "policy", "on", "2025-06-14", "title", "One point of contact <b>", "text", "In every unit."), http.StatusSeeOther)
	body := w.page(cora, "/figures/core.informed?stage=report&by=month")
	for _, words := range []string{"1: 14 June 2025, policy change: One point of contact &lt;b&gt;. In every unit", "<th scope=\"col\">Happened</th>"} {
		if !strings.Contains(body, words) {
			t.Errorf("the figure's page does not say %q", words)
		}
	}
	if !regexp.MustCompile(`June 2025</th>(<td[^<]*>[^<]*(<abbr[^<]*>\*</abbr>)?</td>)*<td>1</td></tr>`).MatchString(body) {
		t.Error("the table's row of June 2025 does not have the number")
	}
	if strings.Contains(w.page(cora, "/figures/core.informed?stage=report&by=month&from=2026-01"), "14 June 2025") {
		t.Error("what lies outside the chart is listed under it")
	}
	id := regexp.MustCompile(`/figures/marks/([a-z0-9]+)/take-back`).FindStringSubmatch(w.page(cora, "/figures/marks"))[1]
	w.want(w.post(cora, "/figures/marks/"+id+"/take-back", "why-"+id, ""), http.StatusUnprocessableEntity, "Say why it is taken back")
	w.want(w.post(cora, "/figures/marks/"+id+"/take-back", "why-"+id, "It began in July."), http.StatusSeeOther)
	w.want(w.post(cora, "/figures/marks/"+id+"/take-back", "why-"+id, "Again."), http.StatusConflict, "taken this back already")
	w.want(w.get(cora, "/figures/marks"), http.StatusOK, "<del>One point of contact", "Taken back by Cora Example", "It began in July.", "Ines Example")
	if strings.Contains(w.page(cora, "/figures/core.informed?stage=report&by=month"), "14 June 2025") {
		t.Error("what was taken back is still on the chart")
	}
	for _, action := range []string{"mark.added", "mark.taken-back"} {
		if !strings.Contains(w.page(adam, "/admin/record"), action) {
			t.Errorf("%s is not on record", action)
		}
	}
}

// TestRebasePage: one chart gets limits of its own from a month on, says so with the
// reason, the API and the table say the same, and it can be taken back.
func TestRebasePage(t *testing.T) {
	w := newWorld(t).staff()
	w.answersOver(10)
	const chart = "measure=core.informed&stage=report&by=month"
	w.want(w.get(cora, "/figures/marks?"+chart), http.StatusOK, "Re-base this chart", "How well have the police kept you informed? · Report")
	w.want(w.post(cora, "/figures/marks?"+chart, "rebase", "yes", "month", "2027-09", "reason", ""), http.StatusUnprocessableEntity, "yet to come", "Say why the chart is re-based")
	w.want(w.post(cora, "/figures/marks?"+chart, "rebase", "yes", "month", "2026-01", "reason", "A new way of keeping in touch."), http.StatusSeeOther)
	w.want(w.post(cora, "/figures/marks?"+chart, "rebase", "yes", "month", "2026-01", "reason", "Twice."), http.StatusConflict, "already re-based")
	body := w.page(cora, "/figures/core.informed?stage=report&by=month")
	for _, words := range []string{"1: re-based: limits are drawn anew from January 2026 on: A new way of keeping in touch", "Limits are drawn on either side of the break by itself"} {
		if !strings.Contains(body, words) {
			t.Errorf("the page does not say %q", words)
		}
	}
	r, err := w.analysis.Figures(t.Context(), url.Values{"measure": {"core.informed"}, "stage": {"report"}, "by": {"month"}})
	if err != nil || len(r.Trend.Breaks) != 1 || !r.Trend.Breaks[0].Rebased {
		t.Fatalf("%+v, %v", r.Trend, err)
	}
	if strings.Contains(w.page(cora, "/figures/core.informed?stage=closure&by=month"), "re-based") {
		t.Error("another stage's chart is re-based too")
	}
	// Another process learns it when it refreshes.
	w.analysis.Panel().SetRebases(nil)
	if err := w.analysis.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(w.page(cora, "/figures/core.informed?stage=report&by=month"), "re-based") {
		t.Error("a refresh forgets the re-base")
	}
	id := regexp.MustCompile(`/figures/marks/([a-z0-9]+)/take-back`).FindStringSubmatch(w.page(cora, "/figures/marks"))[1]
	w.want(w.post(cora, "/figures/marks/"+id+"/take-back", "why-"+id, "The old limits serve better."), http.StatusSeeOther)
	if strings.Contains(w.page(cora, "/figures/core.informed?stage=report&by=month"), "re-based") {
		t.Error("the chart is still re-based")
	}
}

// TestMarksOfAForce: what one force's commissioner writes stands on that force's charts.
func TestMarksOfAForce(t *testing.T) {
	w := newWorld(t).staff()
	w.answersOver(10)
	w.person("mia", force, access.Commissioner)
	w.person("kit", "Kent Police", access.Commissioner)
	w.want(w.post("mia", "/figures/marks", "kind", "note", "on", "2025-06-14", "title", "Only ours"), http.StatusSeeOther)
	for name, sees := range map[string]bool{"mia": true, "kit": false, cora: true} {
		if got := strings.Contains(w.page(name, "/figures/marks"), "Only ours"); got != sees {
			t.Errorf("%s sees it: %v", name, got)
		}
	}
	id := regexp.MustCompile(`/figures/marks/([a-z0-9]+)/take-back`).FindStringSubmatch(w.page("mia", "/figures/marks"))[1]
	w.want(w.post("kit", "/figures/marks/"+id+"/take-back", "why-"+id, "Not ours."), http.StatusForbidden)
	w.want(w.get("kit", "/figures/marks?measure=core.informed&force=Metropolitan+Police"), http.StatusForbidden)
}
