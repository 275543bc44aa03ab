package workspace

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"image/png"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestChartFiles: the picture, the table and the page show the same last figure, by
// the same call; each download is on record.
func TestChartFiles(t *testing.T) {
	w := newWorld(t).staff()
	w.answersOver(10)
	w.want(w.post(cora, "/figures/marks", "kind", "policy", "on", "2025-06-14", "title", "One point of contact"), http.StatusSeeOther)
	const q = "?by=quarter&stage=report&bcu=Central+West"
	body := w.page(cora, "/figures/core.informed"+q)
	share := regexp.MustCompile(`<b class="share">(\d+%)</b>`).FindStringSubmatch(body)[1]
	svg := w.get(cora, "/figures/core.informed/chart"+q+"&format=svg")
	if svg.Code != http.StatusOK || svg.Header().Get("Content-Type") != "image/svg+xml" || !strings.Contains(svg.Header().Get("Content-Disposition"), `"core-informed.svg"`) {
		t.Fatalf("%d %v", svg.Code, svg.Header())
	}
	if err := xml.Unmarshal([]byte(svg.body), new(struct{})); err != nil {
		t.Error(err)
	}
	for _, words := range []string{">" + share + "<", "Answered by people themselves · Report · Central West", "1: 14 June 2025, policy change: One point of contact", "Made on 23 November 2026"} {
		if !strings.Contains(svg.body, words) {
			t.Errorf("the picture does not say %q", words)
		}
	}
	pixels := w.get(cora, "/figures/core.informed/chart"+q+"&format=png")
	if _, err := png.Decode(bytes.NewReader([]byte(pixels.body))); err != nil || pixels.Header().Get("Content-Type") != "image/png" {
		t.Errorf("%v, %v", err, pixels.Header())
	}
	rows := must(csv.NewReader(strings.NewReader(w.get(cora, "/figures/core.informed/table"+q+"&format=csv").body)).ReadAll())(t)
	last := rows[len(rows)-1]
	if got := strings.Split(last[slices.Index(rows[0], "share")], ".")[0]; !strings.HasPrefix(share, got[:1]) {
		t.Errorf("the table ends with %v, the page with %s", last, share)
	}
	for _, href := range []string{"/figures/core.informed/chart?bcu=Central&#43;West&amp;by=quarter&amp;format=svg&amp;stage=report", "format=png"} {
		if !strings.Contains(body, href) {
			t.Errorf("the page does not lead to %s", href)
		}
	}
	if n := strings.Count(w.page(adam, "/admin/record"), "figures.exported"); n < 3 {
		t.Errorf("%d downloads on record", n)
	}
	w.want(w.get(cora, "/figures/core.informed/chart?format=pdf"), http.StatusUnprocessableEntity)
	w.want(w.get(cora, "/figures/core.informed/chart?format=svg&by=bcu,month"), http.StatusUnprocessableEntity)
	w.want(w.get(cora, "/figures/core.informed/chart?format=svg&by=week"), http.StatusUnprocessableEntity)
	w.want(w.get(cora, "/figures/core.nonsense/chart?format=svg"), http.StatusUnprocessableEntity)
	if a := w.get(cora, "/figures/core.informed/chart?format=png&bcu=Nowhere"); a.Code != http.StatusUnprocessableEntity && a.Code != http.StatusOK {
		t.Errorf("a place without answers: %d", a.Code)
	}
}
