package workspace

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"victimvoice/analysis/figures"
)

// TestReport: dispositions first, then every figure as the panel gives it, with the
// difference to the quarter before and its interval; one quarter's page does not
// change with what comes after.
func TestReport(t *testing.T) {
	w := newWorld(t).staff()
	if body := w.page(cora, "/figures/report"); !strings.Contains(body, "Nothing fell due in this quarter") || !strings.Contains(body, "July to September 2026") {
		t.Error("without answers the report does not say so")
	}
	w.answersOver(10)
	body := w.page(cora, "/figures/report?quarter=2026-Q1")
	if a, b := strings.Index(body, "Who was asked, and who answered"), strings.Index(body, "What changed, and whether it is real"); a < 0 || b < a {
		t.Error("dispositions do not come first")
	}
	for _, words := range []string{
		"Communication, report: ", "in the direction of improvement", "Response rate (RR1)", "Not safe to ask", "October to December 2025", "Central West", "chance alone would give",
		"Left out", "Offence", "Charts run to the end of the quarter",
	} {
		if !strings.Contains(strings.ToLower(body), strings.ToLower(words)) {
			t.Errorf("the report does not say %q", words)
		}
	}
	if n := strings.Count(body, "<svg xmlns"); n != 12 {
		t.Errorf("%d charts", n)
	}
	ask := func(measure, stage string) (now, was figures.Point) {
		r, err := w.analysis.Figures(t.Context(), url.Values{"measure": {measure}, "stage": {stage}, "by": {"quarter"}})
		if err != nil {
			t.Fatal(err)
		}
		return *pointOf(&r, "2026-Q1"), *pointOf(&r, "2025-Q4")
	}
	for _, at := range [][2]string{{"core.informed", "report"}, {"core.advice", "withdrawn"}, {"core.confidence", "closure"}} {
		now, was := ask(at[0], at[1])
		d, _ := figures.Newcombe(now.Numerator, now.Base, was.Numerator, was.Base)
		want := fmt.Sprintf(`<td class="num">%s</td><td class="num">%s–%s</td><td class="num">%d</td><td class="num">%s</td><td class="num">%+.0f points (%+.0f to %+.0f)</td>`,
			percent(*now.Share), whole(*now.Low), percent(*now.High), now.Base, percent(*was.Share), d.Points, d.Low, d.High)
		if !strings.Contains(strings.ReplaceAll(body, "&#43;", "+"), want) {
			t.Errorf("%v: the report does not show %s", at, want)
		}
	}
	w.want(w.get(cora, "/figures/report?quarter=2030-Q1"), http.StatusUnprocessableEntity, "has not begun yet")
	w.want(w.get(cora, "/figures/report?quarter=spring"), http.StatusUnprocessableEntity, "such as 2026-Q1")
	w.want(w.get(cora, "/figures/report?quarter=2019-Q1"), http.StatusOK, "Nothing fell due in this quarter")
	w.want(w.get(cora, "/figures/report?quarter=2026-Q4"), http.StatusOK, "This quarter is not over")
	w.want(w.get(ann, "/figures/report"), http.StatusForbidden)
}
